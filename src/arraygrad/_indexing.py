"""Indexing functions of the standard."""

from __future__ import annotations

from ._dispatch import apply
from ._errors import describe
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
        Along which, a negative one counted from the last; only for an `x` of one axis may it be
        left out.

    Returns
    -------
    Tensor
        A copy, of the dtype of `x`, and of its shape with the size of `axis` that of `indices`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `indices` is not one of integers.
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
    if type(indices) is Tensor and indices._data.dtype.kind not in "iu":
        raise TypeError(f"take: indices must be of an integer dtype; got {describe(indices)}")
    if axis is None and isinstance(x, Tensor) and x._data.ndim != 1:
        raise ValueError(f"take: axis must be given for {x.ndim} axes; got axis=None")
    return apply("take", (x, indices), (), {"axis": axis})


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Elements along an axis, by positions of their own in each row.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    indices : Tensor
        Positions, of an integer dtype, as many axes as `x`, and a shape that broadcasts with that
        of `x` but for `axis`; negative ones count from the end.
    axis : int, optional
        Along which, a negative one counted from the last.

    Returns
    -------
    Tensor
        A copy, of the dtype of `x` and the broadcast shape; along `axis`, of the size of `indices`.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    IndexError
        If a position is out of bounds (on the CPU; a GPU wraps around), `indices` is not of
        integers, or the shapes do not broadcast.
    ValueError
        If the axis does not exist, or the numbers of axes differ.
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
    return apply("take_along_axis", (x, indices), (), {"axis": axis})
