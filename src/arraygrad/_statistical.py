"""Statistical functions of the standard."""

from __future__ import annotations

from ._dispatch import call, reduction
from ._dtypes import as_dtype
from ._typing import Axis, DType, Real, Tensor


def cumulative_prod(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
) -> Tensor:
    """TODO"""
    dtype = as_dtype(dtype, "cumulative_prod")
    return call("cumulative_prod", x, axis=axis, dtype=dtype, include_initial=include_initial)


def cumulative_sum(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
) -> Tensor:
    """TODO"""
    dtype = as_dtype(dtype, "cumulative_sum")
    return call("cumulative_sum", x, axis=axis, dtype=dtype, include_initial=include_initial)


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("max", x, axis, keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("mean", x, axis, keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("min", x, axis, keepdims)


def prod(
    x: Tensor,
    /,
    *,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
) -> Tensor:
    """TODO"""
    if dtype is None:
        return reduction("prod", x, axis, keepdims)
    dtype = as_dtype(dtype, "prod")
    return call("prod", x, axis=axis, dtype=dtype, keepdims=keepdims)


def std(
    x: Tensor, /, *, axis: Axis = None, correction: Real = 0.0, keepdims: bool = False
) -> Tensor:
    """TODO"""
    return call("std", x, axis=axis, correction=correction, keepdims=keepdims)


def sum(
    x: Tensor,
    /,
    *,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
) -> Tensor:
    """TODO"""
    if dtype is None:
        return reduction("sum", x, axis, keepdims)
    dtype = as_dtype(dtype, "sum")
    return call("sum", x, axis=axis, dtype=dtype, keepdims=keepdims)


def var(
    x: Tensor, /, *, axis: Axis = None, correction: Real = 0.0, keepdims: bool = False
) -> Tensor:
    """TODO"""
    return call("var", x, axis=axis, correction=correction, keepdims=keepdims)
