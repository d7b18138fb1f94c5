"""Indexing functions of the standard."""

from __future__ import annotations

from typing import Never

from ._dispatch import apply
from ._errors import describe
from ._hints import wrong_call
from ._typing import Tensor


def take(
    x: Tensor, indices: Tensor, /, *more: Never, axis: int | None = None, **other: Never
) -> Tensor:
    """Select elements along an axis by their positions.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    indices : Tensor
        One-dimensional tensor of an integer dtype; negative positions count from the end.
    axis : int, optional
        Axis to select along; negative values count from the last axis. Optional if `x` has exactly
        one axis.

    Returns
    -------
    Tensor
        Copy with the dtype of `x` and its shape, except that the size of `axis` is that of
        `indices`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `indices` is not a tensor of an integer dtype.
    IndexError
        If a position is out of bounds (on the CPU; a GPU wraps around).
    ValueError
        If the axis does not exist.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.take(xp.asarray([[1, 2, 3], [4, 5, 6]]), xp.asarray([2, 0]), axis=1)
    Tensor([[3, 1],
            [6, 4]], dtype=int64)
    """
    if more or other:
        raise wrong_call("take", locals())
    if type(indices) is Tensor and indices._data.dtype.kind not in "iu":
        raise TypeError(f"take: indices must have an integer dtype; got {describe(indices)}")
    if axis is None and isinstance(x, Tensor) and x._data.ndim != 1:
        raise ValueError(f"take: axis must be given for a tensor with {x.ndim} axes; got axis=None")
    return apply("take", (x, indices), (), {"axis": axis})


def take_along_axis(
    x: Tensor, indices: Tensor, /, *more: Never, axis: int = -1, **other: Never
) -> Tensor:
    """Select elements along an axis, with separate positions for each row.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    indices : Tensor
        Positions of an integer dtype, with the same number of axes as `x` and a shape that
        broadcasts with that of `x` except along `axis`; negative positions count from the end.
    axis : int, optional
        Axis to operate along; negative values count from the last axis.

    Returns
    -------
    Tensor
        Copy with the dtype of `x` and the broadcast shape; along `axis` it has the size of
        `indices`.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    IndexError
        If a position is out of bounds (on the CPU; a GPU wraps around), `indices` does not have an
        integer dtype, or the shapes do not broadcast.
    ValueError
        If the axis does not exist, or the tensors have different numbers of axes.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> x = xp.asarray([[3, 1, 2], [9, 8, 7]])
    >>> xp.take_along_axis(x, xp.argsort(x), axis=1)
    Tensor([[1, 2, 3],
            [7, 8, 9]], dtype=int64)
    """
    if more or other:
        raise wrong_call("take_along_axis", locals())
    return apply("take_along_axis", (x, indices), (), {"axis": axis})
