"""Reductions that ignore NaN, under NumPy's names, which xarray expects of a namespace.

The module also has `median`, because scikit-learn falls back to NumPy's, on the CPU, if a namespace
lacks it. None of these functions is in the standard. Each is written with the standard's functions,
so it runs on every device and is differentiable; the gradient of ignored elements is 0.
"""

from __future__ import annotations

import math
from typing import Any, Never

from ._data_type import astype
from ._dispatch import check_tensor, is_anywhere
from ._dtypes import DEFAULTS
from ._elementwise import conj, equal, isnan, logical_not, real, sqrt
from ._errors import in_own_name
from ._hints import wrong_call
from ._indexing import take_along_axis
from ._manipulation import moveaxis, reshape
from ._modes import is_strict
from ._searching import argmax, argmin, count_nonzero, where
from ._sorting import sort
from ._statistical import cumulative_prod, cumulative_sum
from ._statistical import max as _max
from ._statistical import min as _min
from ._statistical import prod as _prod
from ._statistical import sum as _sum
from ._typing import Axis, DType, Real, Tensor
from ._utility import all as _all
from ._utility import any as _any
from .linalg import vector_norm


def _present(name: str, x: Any) -> Any:
    """Mask of the elements that are not NaN; None if the dtype of `x` has no NaN."""
    check_tensor(name, x)
    if is_strict():
        raise TypeError(f"{name}: outside the standard; write xp.where(xp.isnan(x), ..., x)")
    return logical_not(isnan(x)) if x.dtype.kind in "fc" else None


def _numbers(name: str, x: Any, dtype: DType | None = None) -> tuple[Any, Any]:
    """`x` in a floating-point dtype, and the mask of elements that are not NaN."""
    some = _present(name, x)
    if dtype is not None or some is None:
        x = astype(x, DEFAULTS["real floating"] if dtype is None else dtype)
    return x, logical_not(isnan(x))


def _mean(x: Tensor, some: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    total = _sum(where(some, x, 0), axis=axis, keepdims=keepdims)
    count = count_nonzero(some, axis=axis, keepdims=keepdims)
    return total / where(count > 0, astype(count, total.dtype), math.nan)


@in_own_name("nanmax")
def nanmax(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Largest element, ignoring NaN.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the dtype of `x`; NaN where all elements are NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist or has no elements.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanmax(xp.asarray([1.0, xp.nan, 3.0]))
    Tensor(3., dtype=float64)
    """
    if more or other:
        raise wrong_call("nanmax", locals())
    some = _present("nanmax", x)
    if some is None:
        return _max(x, axis=axis, keepdims=keepdims)
    found = _max(where(some, x, -math.inf), axis=axis, keepdims=keepdims)
    return where(_any(some, axis=axis, keepdims=keepdims), found, math.nan)


@in_own_name("nanmin")
def nanmin(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Smallest element, ignoring NaN.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the dtype of `x`; NaN where all elements are NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist or has no elements.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanmin(xp.asarray([1.0, xp.nan, 3.0]))
    Tensor(1., dtype=float64)
    """
    if more or other:
        raise wrong_call("nanmin", locals())
    some = _present("nanmin", x)
    if some is None:
        return _min(x, axis=axis, keepdims=keepdims)
    found = _min(where(some, x, math.inf), axis=axis, keepdims=keepdims)
    return where(_any(some, axis=axis, keepdims=keepdims), found, math.nan)


@in_own_name("nansum")
def nansum(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Sum of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        As in `sum`; 0 where all elements are NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nansum(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor(5., dtype=float64)
    """
    if more or other:
        raise wrong_call("nansum", locals())
    some = _present("nansum", x)
    x = x if some is None else where(some, x, 0)
    return _sum(x, axis=axis, dtype=dtype, keepdims=keepdims)


@in_own_name("nanprod")
def nanprod(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Product of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        As in `prod`; 1 where all elements are NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanprod(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor(6., dtype=float64)
    """
    if more or other:
        raise wrong_call("nanprod", locals())
    some = _present("nanprod", x)
    x = x if some is None else where(some, x, 1)
    return _prod(x, axis=axis, dtype=dtype, keepdims=keepdims)


@in_own_name("nanmean")
def nanmean(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Mean of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has a floating-point dtype; NaN where all elements are NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanmean(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor(2.5, dtype=float64)
    """
    if more or other:
        raise wrong_call("nanmean", locals())
    x, some = _numbers("nanmean", x, dtype)
    return _mean(x, some, axis, keepdims)


@in_own_name("nanvar")
def nanvar(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    ddof: Real = 0,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Variance of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result.
    ddof : int or float, optional
        Correction c in the divisor N - c, where N is the number of elements that are not NaN.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has a real floating-point dtype; NaN where N - c is not positive.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanvar(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor(0.25, dtype=float64)
    """
    if more or other:
        raise wrong_call("nanvar", locals())
    x, some = _numbers("nanvar", x, dtype)
    off = where(some, x - _mean(x, some, axis, True), 0)
    squares = real(conj(off) * off) if off.dtype.kind == "c" else off * off
    total = _sum(squares, axis=axis, keepdims=keepdims)
    count = astype(count_nonzero(some, axis=axis, keepdims=keepdims), total.dtype) - ddof
    return total / where(count > 0, count, math.nan)


@in_own_name("nanstd")
def nanstd(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    ddof: Real = 0,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Standard deviation of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result.
    ddof : int or float, optional
        Correction c in the divisor N - c, where N is the number of elements that are not NaN.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Square root of `nanvar`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanstd(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor(0.5, dtype=float64)
    """
    if more or other:
        raise wrong_call("nanstd", locals())
    _present("nanstd", x)
    x, some = _numbers("nanstd", x, dtype)
    off = where(some, x - _mean(x, some, axis, True), 0)
    # A norm, because the squares might leave the range of the dtype
    size = vector_norm(off, axis=axis, keepdims=keepdims)
    count = astype(count_nonzero(some, axis=axis, keepdims=keepdims), size.dtype) - ddof
    return size / sqrt(where(count > 0, count, math.nan))


@in_own_name("nanmedian")
def nanmedian(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Median of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has a real floating-point dtype; NaN where all elements are NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist or has no elements.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanmedian(xp.asarray([2.0, xp.nan, 3.0, 7.0]))
    Tensor(3., dtype=float64)
    """
    if more or other:
        raise wrong_call("nanmedian", locals())
    x, some = _numbers("nanmedian", x)
    shape = _sum(some, axis=axis, keepdims=keepdims).shape
    if axis is None:
        x, some = reshape(x, (-1,)), reshape(some, (-1,))
    elif isinstance(axis, tuple):
        ends = tuple(range(-len(axis), 0))
        x, some = (moveaxis(a, axis, ends) for a in (x, some))
        leading = x.shape[: x.ndim - len(axis)]
        size = math.prod(x.shape[x.ndim - len(axis) :])
        x, some = (reshape(a, (*leading, size)) for a in (x, some))
    else:
        x, some = moveaxis(x, axis, -1), moveaxis(some, axis, -1)
    if not x.shape[-1]:
        raise ValueError(f"nanmedian: expected at least one element to reduce; got axis={axis}")
    x = sort(where(some, x, math.inf))  # NaNs are last, where the median does not read them
    count = count_nonzero(some, axis=-1, keepdims=True)
    first, second = ((count + i) // 2 for i in (-1, 0))
    low = take_along_axis(x, where(count > 0, first, 0), axis=-1)
    high = take_along_axis(x, where(count > 0, second, 0), axis=-1)
    middle = where(count > 0, (low + high) / 2, math.nan)
    return reshape(middle, shape)


@in_own_name("median")
def median(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Median of the elements: the mean of the two middle ones if their number is even.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has a real floating-point dtype; NaN where an element is NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist or has no elements.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.median(xp.asarray([2.0, 7.0, 3.0, 4.0]))
    Tensor(3.5, dtype=float64)
    """
    if more or other:
        raise wrong_call("median", locals())
    if isinstance(x, Tensor) and is_strict():
        raise TypeError("median: outside the standard; write it with xp.sort(x)")
    some = _present("median", x)
    found = nanmedian(x, axis=axis, keepdims=keepdims)
    if some is None:
        return found
    return where(_all(some, axis=axis, keepdims=keepdims), found, math.nan)


@in_own_name("nanargmax")
def nanargmax(
    x: Tensor, /, *more: Never, axis: int | None = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Position of the largest element, ignoring NaN.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    axis : int, optional
        Axis to search along; negative values count from the last axis. By default the flattened
        tensor is searched.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the default integer dtype; among equal elements the first is chosen.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist, or all elements along it are NaN. (The host waits for a GPU to
        check this.)

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanargmax(xp.asarray([1.0, xp.nan, 3.0]))
    Tensor(2, dtype=int64)
    """
    if more or other:
        raise wrong_call("nanargmax", locals())
    some = _present("nanargmax", x)
    if some is None:
        return argmax(x, axis=axis, keepdims=keepdims)
    if is_anywhere(logical_not(_any(some, axis=axis))):
        raise ValueError("nanargmax: all elements along the axis are NaN")
    found = equal(x, nanmax(x, axis=axis, keepdims=True))
    return argmax(astype(found, DEFAULTS["indexing"]), axis=axis, keepdims=keepdims)


@in_own_name("nanargmin")
def nanargmin(
    x: Tensor, /, *more: Never, axis: int | None = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Position of the smallest element, ignoring NaN.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    axis : int, optional
        Axis to search along; negative values count from the last axis. By default the flattened
        tensor is searched.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the default integer dtype; among equal elements the first is chosen.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist, or all elements along it are NaN. (The host waits for a GPU to
        check this.)

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nanargmin(xp.asarray([1.0, xp.nan, 3.0]))
    Tensor(0, dtype=int64)
    """
    if more or other:
        raise wrong_call("nanargmin", locals())
    some = _present("nanargmin", x)
    if some is None:
        return argmin(x, axis=axis, keepdims=keepdims)
    if is_anywhere(logical_not(_any(some, axis=axis))):
        raise ValueError("nanargmin: all elements along the axis are NaN")
    found = equal(x, nanmin(x, axis=axis, keepdims=True))
    return argmax(astype(found, DEFAULTS["indexing"]), axis=axis, keepdims=keepdims)


@in_own_name("nancumsum")
def nancumsum(
    x: Tensor, /, *more: Never, axis: int | None = None, dtype: DType | None = None, **other: Never
) -> Tensor:
    """Cumulative sums of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int, optional
        Axis to search along; negative values count from the last axis. By default the flattened
        tensor is searched.
    dtype : dtype, optional
        Dtype of the computation and the result.

    Returns
    -------
    Tensor
        As in `cumulative_sum`; NaN counts as 0.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nancumsum(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor([2., 2., 5.], dtype=float64)
    """
    if more or other:
        raise wrong_call("nancumsum", locals())
    some = _present("nancumsum", x)
    x = x if some is None else where(some, x, 0)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return cumulative_sum(x, axis=axis, dtype=dtype)


@in_own_name("nancumprod")
def nancumprod(
    x: Tensor, /, *more: Never, axis: int | None = None, dtype: DType | None = None, **other: Never
) -> Tensor:
    """Cumulative products of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype.
    axis : int, optional
        Axis to search along; negative values count from the last axis. By default the flattened
        tensor is searched.
    dtype : dtype, optional
        Dtype of the computation and the result.

    Returns
    -------
    Tensor
        As in `cumulative_prod`; NaN counts as 1.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nancumprod(xp.asarray([2.0, xp.nan, 3.0]))
    Tensor([2., 2., 6.], dtype=float64)
    """
    if more or other:
        raise wrong_call("nancumprod", locals())
    some = _present("nancumprod", x)
    x = x if some is None else where(some, x, 1)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return cumulative_prod(x, axis=axis, dtype=dtype)
