"""Linear algebra functions of the standard's main namespace."""

from __future__ import annotations

from collections.abc import Sequence

from ._dispatch import apply, binary, view
from ._typing import Tensor


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Matrix product.

    Parameters
    ----------
    x1, x2 : Tensor
        Of a numeric dtype. Matrices on the last two axes, of shapes (..., M, K) and (..., K, N),
        whose leading axes broadcast; or vectors of one axis, a row on the left or a column on the
        right.

    Returns
    -------
    Tensor
        Of shape (..., M, N), without the axis of a vector.

    Raises
    ------
    ValueError
        If the shapes do not fit, or one is of no axes.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.matmul(xp.asarray([[1, 2], [3, 4]]), xp.asarray([1, 1]))
    Tensor([3, 7], dtype=int64)
    """
    return binary("matmul", x1, x2)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """Matrices with rows and columns exchanged.

    Parameters
    ----------
    x : Tensor
        Of shape (..., M, N).

    Returns
    -------
    Tensor
        A view of shape (..., N, M).

    Raises
    ------
    ValueError
        With fewer than two axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.matrix_transpose(xp.asarray([[1, 2], [3, 4]]))
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    return view("matrix_transpose", x)


def tensordot(
    x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """Sums of products over axes of two tensors.

    Parameters
    ----------
    x1, x2 : Tensor
        Of a numeric dtype.
    axes : int or tuple of two sequences of int, optional
        How many: the last of `x1` with the first of `x2`; or which of each.

    Returns
    -------
    Tensor
        The other axes of `x1`, then those of `x2`.

    Raises
    ------
    ValueError
        If the sizes of paired axes differ.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The elements of `x1` are not conjugated.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tensordot(xp.ones((2, 3)), xp.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    if isinstance(axes, int) and axes < 0:
        raise ValueError(f"tensordot: axes must not be negative; got {axes}")
    return apply("tensordot", (x1, x2), (), {"axes": axes})


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Dot products of vectors.

    Parameters
    ----------
    x1, x2 : Tensor
        Of a numeric dtype; vectors along `axis`, the other axes broadcast.
    axis : int, optional
        Negative: counted from the last of each tensor. It does not broadcast.

    Returns
    -------
    Tensor
        The broadcast shape without `axis`.

    Raises
    ------
    ValueError
        If the vectors differ in length.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Complex: the elements of `x1` are conjugated.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.vecdot(xp.asarray([[1, 2], [3, 4]]), xp.asarray([1, 1]))
    Tensor([3, 7], dtype=int64)
    """
    return apply("vecdot", (x1, x2), (), {"axis": axis})
