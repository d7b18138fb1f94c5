"""Sums of products along axes, without an array of the products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_Array = Any

#: Terms that one call adds up without a tree: more would lose digits.
MAX_TERMS = 4096


def sum_of_products(a: _Array, b: _Array, /, *, axes: tuple[int, ...], scale: float) -> _Array:
    """The sum of ``a * b`` along axes of these arrays of one shape, which remain, times `scale`.

    Half precision is summed in single precision.
    """
    dtype = np.result_type(a, b)
    if dtype.itemsize == 2:
        wide = sum_of_products(a.astype("f4"), b.astype("f4"), axes=axes, scale=scale)
        return wide.astype(dtype)
    ndim = a.ndim
    reduced = [i % ndim for i in axes]
    kept = [1 if i in reduced else n for i, n in enumerate(a.shape)]
    # The axes in the order of memory, so that the last ones are runs of neighbours.
    order = sorted(range(ndim), key=lambda i: -abs(a.strides[i]))
    first = ndim
    while first and order[first - 1] in reduced:
        first -= 1
    run = math.prod(a.shape[i] for i in order[first:])
    a, b = a.transpose(order), b.transpose(order)
    terms = math.gcd(run, MAX_TERMS)
    if terms >= 64 and a.dtype == b.dtype:
        shape = (*a.shape[:first], run // terms, terms)
        sums = np.vecdot(a.reshape(shape), b.reshape(shape))
        if a.dtype.kind == "c":  # (which it conjugates)
            sums = np.vecdot(a.conj().reshape(shape), b.reshape(shape))
        others = tuple(i for i in range(first) if order[i] in reduced)
        out = sums.sum(axis=(*others, first))
        remaining = [order[i] for i in range(first) if order[i] not in reduced]
    else:
        remaining = [i for i in order if i not in reduced]
        out = np.einsum(a, order, b, order, remaining)
    out = np.asarray(out).transpose(np.argsort(remaining)) if len(remaining) > 1 else out
    if scale != 1:
        out = out * out.dtype.type(scale)
    return np.asarray(out).reshape(kept)
