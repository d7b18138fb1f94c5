"""Reductions and cumulative functions."""

from __future__ import annotations

import math
import operator
from typing import Any

import cupy as cp
from array_api_compat import cupy as compat
from numpy.lib.array_utils import normalize_axis_tuple

from ..kernels import deviation_norm, extreme

__all__ = ["argmax", "argmin", "cumulative_prod", "cumulative_sum", "max", "min", "std", "var"]

_Array = Any

# CuPy calls CUB for these. For complex numbers and for indices CUB starts from a finite number, so
# an array of infinities has a finite extreme or none, and any of several NaNs may count as first.
_max, _min = extreme("max", True, "value"), extreme("min", False, "value")
_argmax, _argmin = extreme("argmax", True, "index"), extreme("argmin", False, "index")


def _extreme(kernel: Any, x: _Array, axis: Any, keepdims: bool) -> _Array:
    if not x.size:
        _check_not_empty(x, axis)
    return kernel(x, axis=axis, keepdims=keepdims)


def _check_not_empty(x: _Array, axis: Any) -> None:
    """Raise as in NumPy: not if the result has no elements either."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if not math.prod(x.shape[a] for a in axes):
        raise ValueError("an array without elements has no maximum and no minimum")


def max(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> _Array:
    """CuPy calls CUB, which is wrong for infinities and NaN."""
    return _extreme(_max, x, axis, keepdims)


def min(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> _Array:
    """The same as `max`."""
    return _extreme(_min, x, axis, keepdims)


def argmax(x: _Array, /, *, axis: int | None = None, keepdims: bool = False) -> _Array:
    """See `max`. CuPy also accepts several axes."""
    return _extreme(_argmax, x, None if axis is None else operator.index(axis), keepdims)


def argmin(x: _Array, /, *, axis: int | None = None, keepdims: bool = False) -> _Array:
    """The same as `argmax`."""
    return _extreme(_argmin, x, None if axis is None else operator.index(axis), keepdims)


def std(x: _Array, /, *, axis: Any = None, correction: Any = 0.0, keepdims: bool = False) -> _Array:
    """CuPy's squares may overflow or underflow. A wrong axis must raise IndexError."""
    axis = None if axis is None else normalize_axis_tuple(axis, x.ndim)
    if x.dtype.char not in "fdFD" or not x.size:
        return x.std(axis=axis, ddof=correction, keepdims=keepdims)
    count = x.size if axis is None else math.prod(x.shape[a] for a in axis)
    mean = x.mean(axis=axis, keepdims=True)
    norm = deviation_norm(x.dtype)(x, mean, axis=axis, keepdims=keepdims)
    return norm / (math.sqrt(count - correction) if count > correction else math.nan)


def var(x: _Array, /, *, axis: Any = None, correction: Any = 0.0, keepdims: bool = False) -> _Array:
    """The method avoids array_api_compat's overhead. A wrong axis must raise IndexError."""
    axis = None if axis is None else normalize_axis_tuple(axis, x.ndim)
    return x.var(axis=axis, ddof=correction, keepdims=keepdims)


def cumulative_sum(
    x: _Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> _Array:
    """array_api_compat's initial element needs an axis."""
    return compat.cumulative_sum(
        cp.atleast_1d(x), axis=axis, dtype=dtype, include_initial=include_initial
    )


def cumulative_prod(
    x: _Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> _Array:
    """The same as `cumulative_sum`."""
    return compat.cumulative_prod(
        cp.atleast_1d(x), axis=axis, dtype=dtype, include_initial=include_initial
    )
