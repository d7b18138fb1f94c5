"""Kernels for the batches of `vmap`: many small arrays at once.

Results may differ from those of single calls in the last bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..common.scipy import substituted
from .error_state import quiet

_Array = Any

#: The least number of elements of outer products for which the checks below are worth it.
MIN_SIZE = 1 << 14
#: The most rows of matrices, and the least number of them, for which NumPy's calls of LAPACK, one
#: for each matrix, take longer.
MAX_ROWS, MIN_COUNT = 8, 400
#: How many matrices are factored at once, which fit into the cache.
BLOCK = 4096


def outer(x: _Array, y: _Array, /, *, signed: bool = True) -> _Array:
    """Products of columns and rows: the shapes are (..., M, 1) and (..., 1, N).

    NumPy's `einsum` takes half of the time of its product, whose inner loop is short. It warns of
    no overflow, and adds to 0, after which -0.0 is 0.0. So there must be neither; if not `signed`,
    there may be zeros.
    """
    if x.dtype == y.dtype and x.dtype.char in "fd" and x.size * y.shape[-1] >= MIN_SIZE and y.size:
        limits, sizes = np.finfo(x.dtype), [np.abs(a) for a in (x, y)]
        least, largest = (math.prod(float(f(a)) for a in sizes) for f in (np.min, np.max))
        if largest <= limits.max and (not signed or least >= limits.tiny):  # (NaN is not)
            return np.einsum("...i,...j->...ij", x[..., 0], y[..., 0, :])
    return np.multiply(x, y)


def cholesky(a: _Array, /, *, upper: bool = False) -> _Array:
    """Factors of stacks of matrices, column by column for all matrices where these are small."""
    n = a.shape[-1]
    count = a.size // (n * n or 1)
    if a.dtype.char not in "fd" or not 0 < n <= MAX_ROWS or count < MIN_COUNT or n != a.shape[-2]:
        return np.linalg.cholesky(a, upper=upper)
    # Neighbours in memory are entries of different matrices at the same place.
    source = a.reshape(-1, n, n).transpose((2, 1, 0) if upper else (1, 2, 0))
    out = np.empty((n, n, count), dtype=a.dtype)
    with quiet():
        for start in range(0, count, BLOCK):
            block = out[..., start : start + BLOCK]
            block[...] = source[..., start : start + BLOCK]
            if not _factor(block):
                return np.linalg.cholesky(a, upper=upper)  # which raises
    return out.transpose((2, 1, 0) if upper else (2, 0, 1)).reshape(a.shape)


def _factor(a: _Array) -> bool:
    """Overwrite matrices of shape (n, n, count) by their lower factors; False if there are none."""
    for j in range(len(a)):
        column = a[j:, j]
        if j:
            column -= np.einsum("ikb,kb->ib", a[j:, :j], a[j, :j])
        column[1:] /= np.sqrt(column[0], out=column[0])
        a[j, j + 1 :] = 0
    return bool((a[-1, -1] > 0).all())  # (after the root of a negative number, it is NaN)


def solve_triangular(
    solve: Callable[..., Any],
    a: _Array,
    b: _Array,
    /,
    *,
    trans: int | tuple[int, ...],
    check_finite: bool,
    substitute: bool = False,
    **how: bool,
) -> _Array:
    """SciPy's function, for several values of `trans` one after the other.

    With `substitute`, many small matrices are solved at once.
    """
    ways = trans if isinstance(trans, tuple) else (trans,)
    if substitute and a.dtype == b.dtype and a.dtype.char in "fdFD":
        with quiet():
            found = substituted(a, b, ways, **how)
            # SciPy raises for a zero on the diagonal, after which the solution is not finite.
            fits = found is not None and np.isfinite(found.sum())
            if fits and (not check_finite or np.isfinite(a.sum() + b.sum())):
                return found
    for way in ways:
        b = solve(a, b, trans=way, check_finite=check_finite, **how)
        check_finite = False
    return b
