"""Searching functions of the standard."""

from __future__ import annotations

from typing import Literal

from ._dispatch import apply, reduction, unary
from ._typing import Axis, Real, Scalar, Tensor


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Position of the largest element.

    Parameters
    ----------
    x : Tensor
        Of a real-valued dtype, not empty.
    axis : int, optional
        Along which, a negative one counted from the last; None: in the flattened tensor.
    keepdims : bool, optional
        Keep the reduced axes, with size 1.

    Returns
    -------
    Tensor
        int64, of the shape of `x` without the axis. Of equal elements the first; of NaN the first,
        if there is any.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If there is no element or the axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.argmax(xp.asarray([3, 9, 1]))
    Tensor(1, dtype=int64)
    """
    return reduction("argmax", x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Position of the smallest element.

    Parameters
    ----------
    x : Tensor
        Of a real-valued dtype, not empty.
    axis : int, optional
        Along which, a negative one counted from the last; None: in the flattened tensor.
    keepdims : bool, optional
        Keep the reduced axes, with size 1.

    Returns
    -------
    Tensor
        int64, of the shape of `x` without the axis. Of equal elements the first; of NaN the first,
        if there is any.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If there is no element or the axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.argmin(xp.asarray([3, 9, 1]))
    Tensor(2, dtype=int64)
    """
    return reduction("argmin", x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or tuple of int, optional
        Axes to reduce, negative ones counted from the last; None for all.
    keepdims : bool, optional
        Keep the reduced axes, with size 1.

    Returns
    -------
    Tensor
        int64, of the shape of `x` without the reduced axes.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is named twice.

    Notes
    -----
    NaN is not zero; -0.0 is.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.count_nonzero(xp.asarray([[0, 1], [2, 3]]), axis=0)
    Tensor([1, 2], dtype=int64)
    """
    return reduction("count_nonzero", x, axis, keepdims)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Positions of the elements that are not zero.

    Parameters
    ----------
    x : Tensor
        Of at least one axis.

    Returns
    -------
    tuple of Tensor
        For each axis the positions along it, int64 and of one axis, in row-major order of the
        elements.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `x` has no axes.

    Notes
    -----
    The shape depends on the data, so a GPU is waited for.

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
    """Where to insert values into a sorted tensor to keep it sorted.

    Parameters
    ----------
    x1 : Tensor
        Of one axis, in ascending order, or put into it by `sorter`.
    x2 : Tensor or scalar
        The values, of any shape.
    side : {'left', 'right'}, optional
        Before or behind equal elements.
    sorter : Tensor, optional
        Positions that sort `x1`, of its shape and an integer dtype.

    Returns
    -------
    Tensor
        int64, of the shape of `x2`.

    Raises
    ------
    TypeError
        If an argument is neither a tensor nor a scalar, or `sorter` is not of integers.
    ValueError
        If `side` is neither, `x1` has not one axis, or the size of `sorter` does not fit.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    NaN comes last, as `sort` has it. That `x1` is sorted is not checked.

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
    """Elements of one tensor or the other, as a condition says.

    Parameters
    ----------
    condition : Tensor
        bool; of another dtype, what is not 0 is true.
    x1 : Tensor or scalar
        Taken where it is true.
    x2 : Tensor or scalar
        Taken where it is false.

    Returns
    -------
    Tensor
        Of the broadcast shape and of the dtype to which `x1` and `x2` promote.

    Raises
    ------
    TypeError
        If no argument is a tensor, or one is neither a tensor nor a scalar.
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
    return apply("where", (condition, x1, x2))
