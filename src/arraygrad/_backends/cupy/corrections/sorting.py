"""Sorting, searching in sorted arrays, and sets."""

from __future__ import annotations

from typing import Any

import cupy as cp

from ...common import sorting
from ..scalars import as_arrays

__all__ = ["isin", "searchsorted", "sort", "unique_all", "unique_counts"]

_Array = Any


def sort(x: _Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> _Array:
    """array_api_compat flips only the result, so equal elements are reversed if descending."""
    if not x.size:
        return x.copy()  # CuPy 14.0 divides by its size
    return cp.flip(cp.sort(cp.flip(x, axis), axis), axis) if descending else cp.sort(x, axis)


def searchsorted(
    x1: _Array, x2: Any, /, *, side: str = "left", sorter: _Array | None = None
) -> _Array:
    """CuPy compares mixed dtypes as C++ does (-1 > 1u), and copies scalars from the host."""
    return sorting.searchsorted(cp, _searchsorted, x1, x2, side, sorter)


def _searchsorted(x1: _Array, x2: Any, side: str, sorter: _Array | None) -> _Array:
    return cp.searchsorted(*as_arrays(x1, x2), side, sorter)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> _Array:
    """CuPy compares mixed dtypes as C++ does, and takes no scalars."""
    return sorting.isin(cp, _isin, x1, x2, invert=invert)


def _isin(x1: Any, x2: Any, *, invert: bool = False) -> _Array:
    return cp.isin(*as_arrays(x1, x2), invert=invert)


def unique_all(x: _Array, /) -> tuple[_Array, _Array, _Array, _Array]:
    """CuPy waits for the GPU three times; this waits once."""
    flat = x.ravel()
    order = flat.argsort()
    ordered = flat[order]
    is_first, starts = _runs(ordered)
    inverse = cp.empty_like(order)
    inverse[order] = cp.cumsum(is_first) - 1
    values, counts = ordered[starts], _lengths(starts, x.size)
    return values, order[starts], inverse.reshape(x.shape), counts


def unique_counts(x: _Array, /) -> tuple[_Array, _Array]:
    """CuPy waits for the GPU twice; this waits once."""
    ordered = cp.sort(x.ravel())
    _, starts = _runs(ordered)
    return ordered[starts], _lengths(starts, x.size)


def _runs(ordered: _Array) -> tuple[_Array, _Array]:
    """Mask and indices of the elements that start a run of equal elements.

    Finding the indices waits for the GPU.
    """
    is_first = cp.ones(ordered.shape, dtype=bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return is_first, cp.nonzero(is_first)[0]


def _lengths(starts: _Array, end: int) -> _Array:
    """The lengths of runs with these starts. The last run ends at `end`."""
    out = cp.empty_like(starts)
    out[:-1] = starts[1:] - starts[:-1]
    out[-1:] = end - starts[-1:]
    return out
