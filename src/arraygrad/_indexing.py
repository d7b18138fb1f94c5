"""Indexing functions of the standard."""

from __future__ import annotations

from ._dispatch import pair
from ._typing import Tensor


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Elements along an axis, by their positions.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    indices : Tensor
        Of one axis and an integer dtype; negative positions count from the end.
    axis : int, optional
        Along which; may be left out for one axis.

    Returns
    -------
    Tensor
        A copy, of the shape of `x` with the size of `axis` that of `indices`.

    Raises
    ------
    IndexError
        If a position is out of bounds (on the CPU; a GPU wraps around).
    ValueError
        If an axis does not exist.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.take(xp.asarray([[1, 2, 3], [4, 5, 6]]), xp.asarray([2, 0]), axis=1)
    Tensor([[3, 1],
            [6, 4]], dtype=int64)
    """
    return pair("take", x, indices, axis=axis)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Elements along an axis, by positions of their own in each row.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    indices : Tensor
        Positions, of an integer dtype and of a shape that broadcasts with that of `x` but for
        `axis`.
    axis : int, optional
        Along which.

    Returns
    -------
    Tensor
        A copy, of the broadcast shape.

    Raises
    ------
    IndexError
        If a position is out of bounds (on the CPU; a GPU wraps around).
    ValueError
        If an axis does not exist.
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
    return pair("take_along_axis", x, indices, axis=axis)
