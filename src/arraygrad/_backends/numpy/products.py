"""Sums along axes by the library of matrix products, which takes a third of NumPy's time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..common.workspaces import axes_by_stride

_Array = Any

#: Terms that the library adds up one after the other, in 16 sums or so. NumPy adds up these sums in
#: pairs, because long sums would lose digits.
MAX_TERMS = 1024


#: The least number of elements for which `outer` calls the library.
MIN_SIZE_OF_OUTER = 1 << 15


def outer(a: _Array, b: _Array, /) -> _Array:
    """The product ``a * b`` of arrays that broadcast; of a column and a row in half the time."""
    is_column = a.ndim == 2 and a.shape[1] == 1 and a.size >= 64
    if not is_column or b.ndim != 1 or a.size * b.size < MIN_SIZE_OF_OUTER:
        return a * b
    # As a matrix product with inner size 2, because NumPy makes products of inner size 1 itself.
    dtype = np.result_type(a, b)
    left, right = np.zeros((a.shape[0], 2), dtype), np.zeros((2, b.shape[-1]), dtype)
    left[:, :1], right[0] = a, b
    return np.matmul(left, right)


def sum_of_products(
    a: _Array, b: _Array | None, /, *, axes: tuple[int, ...], scale: float
) -> _Array:
    """The sum of ``a * b`` along axes of these arrays of one shape, which remain, times `scale`.

    Without `b`, that of `a`. Half precision is summed in single precision.
    """
    dtype = a.dtype if b is None else np.result_type(a, b)
    if dtype.itemsize == 2:
        wide = b if b is None else b.astype("f4")
        return sum_of_products(a.astype("f4"), wide, axes=axes, scale=scale).astype(dtype)
    ndim = a.ndim
    reduced = [i % ndim for i in axes]
    kept = [1 if i in reduced else n for i, n in enumerate(a.shape)]
    order = axes_by_stride(a)
    first = ndim
    while first and order[first - 1] in reduced:
        first -= 1
    run = math.prod(a.shape[i] for i in order[first:])
    terms = math.gcd(run, MAX_TERMS)
    rows = math.prod(a.shape[i] for i in reduced)
    by_rows = b is None and sorted(order[: len(reduced)]) == sorted(reduced)
    a = a.transpose(order)
    b = b if b is None else b.transpose(order)
    if terms >= 64 and (b is None or a.dtype == b.dtype):
        shape = (*a.shape[:first], run // terms, terms)
        a = a.reshape(shape)
        if b is None:  # as one product, if possible
            rows = a.reshape(-1, terms) if a.flags.c_contiguous else a
            sums = np.matmul(rows, np.ones(terms, dtype=dtype)).reshape(shape[:-1])
        else:
            sums = np.vecdot(a.conj() if a.dtype.kind == "c" else a, b.reshape(shape))
        out = sums.sum(axis=(*[i for i in range(first) if order[i] in reduced], first))
        order = order[:first]
    elif by_rows and rows and a.flags.c_contiguous and (terms := math.gcd(rows, MAX_TERMS)) >= 64:
        sums = np.matmul(
            np.ones(terms, dtype=dtype), a.reshape(rows // terms, terms, a.size // rows)
        )
        out = sums.sum(axis=0).reshape(a.shape[len(reduced) :])
    elif b is None:
        out = a.sum(axis=tuple([i for i, axis in enumerate(order) if axis in reduced]))
    else:
        out = np.einsum(a, order, b, order, [axis for axis in order if axis not in reduced])
    remaining = [axis for axis in order if axis not in reduced]
    if remaining != sorted(remaining):
        out = out.transpose(np.argsort(remaining))
    return (out * dtype.type(scale) if scale != 1 else np.asarray(out)).reshape(kept)
