"""Searching functions of the standard."""

from __future__ import annotations

from typing import Literal, Never

from ._dispatch import SCALARS, apply, call, reduction, unary
from ._dtypes import python_dtype
from ._hints import wrong_call
from ._typing import Axis, Real, Scalar, Tensor


def argmax(
    x: Tensor, /, *more: Never, axis: int | None = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Position of the largest element.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype, not empty.
    axis : int, optional
        Axis to search along; negative values count from the last axis. By default the flattened
        tensor is searched.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Positions of dtype int64, with the shape of `x` without the axis. Among equal elements the
        first is chosen; if there are NaNs, the first NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If there are no elements or the axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.argmax(xp.asarray([3, 9, 1]))
    Tensor(1, dtype=int64)
    """
    if more or other:
        raise wrong_call("argmax", locals())
    return reduction("argmax", x, axis, keepdims)


def argmin(
    x: Tensor, /, *more: Never, axis: int | None = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Position of the smallest element.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype, not empty.
    axis : int, optional
        Axis to search along; negative values count from the last axis. By default the flattened
        tensor is searched.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Positions of dtype int64, with the shape of `x` without the axis. Among equal elements the
        first is chosen; if there are NaNs, the first NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If there are no elements or the axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.argmin(xp.asarray([3, 9, 1]))
    Tensor(2, dtype=int64)
    """
    if more or other:
        raise wrong_call("argmin", locals())
    return reduction("argmin", x, axis, keepdims)


def count_nonzero(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Number of nonzero elements.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Counts of dtype int64, with the shape of `x` without the reduced axes.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Notes
    -----
    NaN counts as nonzero, -0.0 as zero.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.count_nonzero(xp.asarray([[0, 1], [2, 3]]), axis=0)
    Tensor([1, 2], dtype=int64)
    """
    if more or other:
        raise wrong_call("count_nonzero", locals())
    return reduction("count_nonzero", x, axis, keepdims)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Positions of the nonzero elements.

    Parameters
    ----------
    x : Tensor
        Input with at least one axis.

    Returns
    -------
    tuple of Tensor
        One-dimensional int64 tensors, one for each axis, with the positions along it. The elements
        are in row-major order.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `x` has no axes.

    Notes
    -----
    The shape depends on the data, so the host waits for a GPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nonzero(xp.asarray([0, 5, 7]))
    (Tensor([1, 2], dtype=int64),)
    """
    return unary("nonzero", x)


def searchsorted(
    x1: Tensor,
    x2: Tensor | Real,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: Tensor | None = None,
) -> Tensor:
    """Positions at which to insert values into a sorted tensor so that it stays sorted.

    Parameters
    ----------
    x1 : Tensor
        One-dimensional tensor in ascending order, or sorted by `sorter`.
    x2 : Tensor or scalar
        Values to insert, of any shape.
    side : {'left', 'right'}, optional
        Insert before ('left') or after ('right') equal elements.
    sorter : Tensor, optional
        Positions that sort `x1`, with its shape and an integer dtype.

    Returns
    -------
    Tensor
        Positions of dtype int64, with the shape of `x2`.

    Raises
    ------
    TypeError
        If an argument is neither a tensor nor a scalar, or `sorter` does not have an integer dtype.
    ValueError
        If `side` is neither 'left' nor 'right', `x1` does not have exactly one axis, or the size of
        `sorter` does not fit.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    NaN is last, as in `sort`. The order of `x1` is not checked.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.searchsorted(xp.asarray([1, 3, 5]), xp.asarray([3, 6]))
    Tensor([1, 3], dtype=int64)
    >>> xp.searchsorted(xp.asarray([1, 3, 5]), 3, side='right')
    Tensor(2, dtype=int64)
    """
    return apply("searchsorted", (x1, x2), (), {"side": side, "sorter": sorter})


def where(condition: Tensor, x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """Select elements from one of two tensors according to a condition.

    Parameters
    ----------
    condition : Tensor
        Condition of dtype bool; in other dtypes every nonzero element is true.
    x1 : Tensor or scalar
        Values where the condition is true.
    x2 : Tensor or scalar
        Values where the condition is false.

    Returns
    -------
    Tensor
        Has the broadcast shape and the dtype to which `x1` and `x2` promote, for two scalars as in
        `result_type`.

    Raises
    ------
    TypeError
        If no argument is a tensor, or an argument is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> x = xp.asarray([-1.0, 2.0])
    >>> xp.where(x > 0, x, 0.0)
    Tensor([0., 2.], dtype=float64)
    """
    found = apply("where", (condition, x1, x2))
    if type(x1) in SCALARS and type(x2) in SCALARS:
        dtype = python_dtype((type(x1), type(x2)))
        if dtype is not None and dtype != found.dtype:
            return call("astype", found, (dtype,))
    return found
