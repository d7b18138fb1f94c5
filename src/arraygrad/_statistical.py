"""Statistical functions of the standard."""

from __future__ import annotations

from typing import Never

from ._dispatch import call, reduction
from ._dtypes import accumulator
from ._hints import wrong_call
from ._typing import Axis, DType, Real, Tensor


def cumulative_prod(
    x: Tensor,
    /,
    *more: Never,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
    **other: Never,
) -> Tensor:
    """Cumulative products.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype with at least one axis.
    axis : int, optional
        Axis to accumulate along; negative values count from the last axis. Optional if `x` has
        exactly one axis.
    dtype : dtype, optional
        Dtype of the computation and the result. By default int64 or uint64 for smaller integers
        (int64 for bool), else the dtype of `x`.
    include_initial : bool, optional
        Whether to start with 1, so that the axis has one more element.

    Returns
    -------
    Tensor
        Has the shape of `x`, with one more element along the axis if `include_initial`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `dtype` is not one of the standard's.
    ValueError
        If the axis does not exist, or is not given although `x` has several axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.cumulative_prod(xp.asarray([1, 2, 3]), include_initial=True)
    Tensor([1, 1, 2, 6], dtype=int64)
    """
    if more or other:
        raise wrong_call("cumulative_prod", locals())
    dtype = accumulator(dtype, x, "cumulative_prod")
    return call(
        "cumulative_prod", x, (), {"axis": axis, "dtype": dtype, "include_initial": include_initial}
    )


def cumulative_sum(
    x: Tensor,
    /,
    *more: Never,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
    **other: Never,
) -> Tensor:
    """Cumulative sums.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype with at least one axis.
    axis : int, optional
        Axis to accumulate along; negative values count from the last axis. Optional if `x` has
        exactly one axis.
    dtype : dtype, optional
        Dtype of the computation and the result. By default int64 or uint64 for smaller integers
        (int64 for bool), else the dtype of `x`.
    include_initial : bool, optional
        Whether to start with 0, so that the axis has one more element.

    Returns
    -------
    Tensor
        Has the shape of `x`, with one more element along the axis if `include_initial`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `dtype` is not one of the standard's.
    ValueError
        If the axis does not exist, or is not given although `x` has several axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.cumulative_sum(xp.asarray([1, 2, 3]), include_initial=True)
    Tensor([0, 1, 3, 6], dtype=int64)
    """
    if more or other:
        raise wrong_call("cumulative_sum", locals())
    if dtype is not None:
        dtype = accumulator(dtype, x, "cumulative_sum")
    return call(
        "cumulative_sum", x, (), {"axis": axis, "dtype": dtype, "include_initial": include_initial}
    )


def max(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Largest element.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype, not empty along the reduced axes.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the dtype of `x` and its shape without the reduced axes; NaN if an element is NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If there are no elements, or an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.max(xp.asarray([[1, 5], [3, 2]]), axis=1)
    Tensor([5, 3], dtype=int64)
    """
    if more or other:
        raise wrong_call("max", locals())
    return reduction("max", x, axis, keepdims)


def mean(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Arithmetic mean.

    Parameters
    ----------
    x : Tensor
        Input of a floating-point dtype; integers and bools are converted to float64.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the shape of `x` without the reduced axes, and the dtype of `x`; float64 for integers
        and bools. NaN if an element is NaN or there are no elements, the latter with NumPy's
        warning on the CPU.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.mean(xp.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([2., 3.], dtype=float64)
    """
    if more or other:
        raise wrong_call("mean", locals())
    return reduction("mean", x, axis, keepdims)


def min(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Smallest element.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype, not empty along the reduced axes.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the dtype of `x` and its shape without the reduced axes; NaN if an element is NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If there are no elements, or an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.min(xp.asarray([[1, 5], [3, 2]]), axis=1)
    Tensor([1, 2], dtype=int64)
    """
    if more or other:
        raise wrong_call("min", locals())
    return reduction("min", x, axis, keepdims)


def prod(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Product.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype; bools count as 0 and 1.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result. By default int64 or uint64 for smaller integers
        (int64 for bool), else the dtype of `x`.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the shape of `x` without the reduced axes; 1 where there are no elements.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `dtype` is not one of the standard's.
    ValueError
        If an axis does not exist or is given twice.

    Notes
    -----
    Integers that overflow wrap around.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.prod(xp.asarray([2, 3, 4]))
    Tensor(24, dtype=int64)
    """
    if more or other:
        raise wrong_call("prod", locals())
    if dtype is None:
        return reduction("prod", x, axis, keepdims)
    dtype = accumulator(dtype, x, "prod")
    return call("prod", x, (), {"axis": axis, "dtype": dtype, "keepdims": keepdims})


def std(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    correction: Real = 0.0,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Standard deviation.

    Parameters
    ----------
    x : Tensor
        Input of a real floating-point dtype; integers and bools are converted to float64.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    correction : int or float, optional
        Correction c in the divisor N - c: 0 for the population, 1 (Bessel's correction) for a
        sample.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the shape of `x` without the reduced axes, and the dtype of `x`; float64 for integers
        and bools. NaN if an element is NaN; not finite if N - c is not positive, with NumPy's
        warning on the CPU.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Notes
    -----
    This is the square root of `var`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.std(xp.asarray([1.0, 3.0]))
    Tensor(1., dtype=float64)
    """
    if more or other:
        raise wrong_call("std", locals())
    return call("std", x, (), {"axis": axis, "correction": correction, "keepdims": keepdims})


def sum(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    dtype: DType | None = None,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Sum.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype; bools count as 0 and 1.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    dtype : dtype, optional
        Dtype of the computation and the result. By default int64 or uint64 for smaller integers
        (int64 for bool), else the dtype of `x`.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the shape of `x` without the reduced axes; 0 where there are no elements.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `dtype` is not one of the standard's.
    ValueError
        If an axis does not exist or is given twice.

    Notes
    -----
    On the CPU, floating-point numbers are summed pairwise or in short blocks along the contiguous
    axis, and many rows are summed in blocks, so the rounding error grows only slowly with their
    number.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sum(xp.asarray([[1, 2], [3, 4]]), axis=0)
    Tensor([4, 6], dtype=int64)
    >>> xp.sum(xp.asarray([100, 100], dtype=xp.int8))
    Tensor(200, dtype=int64)
    """
    if more or other:
        raise wrong_call("sum", locals())
    if dtype is None:
        return reduction("sum", x, axis, keepdims)
    dtype = accumulator(dtype, x, "sum")
    return call("sum", x, (), {"axis": axis, "dtype": dtype, "keepdims": keepdims})


def var(
    x: Tensor,
    /,
    *more: Never,
    axis: Axis = None,
    correction: Real = 0.0,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Variance.

    Parameters
    ----------
    x : Tensor
        Input of a real floating-point dtype; integers and bools are converted to float64.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    correction : int or float, optional
        Correction c in the divisor N - c: 0 for the population, 1 (Bessel's correction) for a
        sample.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the shape of `x` without the reduced axes, and the dtype of `x`; float64 for integers
        and bools. NaN if an element is NaN; not finite if N - c is not positive, with NumPy's
        warning on the CPU.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Notes
    -----
    Computed in two passes: the sum of squared deviations from the mean, divided by N - c.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.var(xp.asarray([1.0, 3.0]), correction=1)
    Tensor(2., dtype=float64)
    """
    if more or other:
        raise wrong_call("var", locals())
    return call("var", x, (), {"axis": axis, "correction": correction, "keepdims": keepdims})
