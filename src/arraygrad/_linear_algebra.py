"""Linear algebra functions of the standard's main namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

from ._dispatch import apply, binary, view
from ._errors import as_int
from ._hints import wrong_call
from ._typing import Tensor


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Matrix product.

    Parameters
    ----------
    x1, x2 : Tensor
        Operands of a numeric dtype. Stacks of matrices of shapes (..., M, K) and (..., K, N), whose
        leading axes broadcast. An operand with one axis is a row vector on the left or a column
        vector on the right.

    Returns
    -------
    Tensor
        Has shape (..., M, N), without the axis of a vector.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an operand has no axes.
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
    """Transpose matrices: exchange rows and columns.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N).

    Returns
    -------
    Tensor
        View of shape (..., N, M).

    Raises
    ------
    ValueError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.matrix_transpose(xp.asarray([[1, 2], [3, 4]]))
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    return view("matrix_transpose", x)


def tensordot(
    x1: Tensor,
    x2: Tensor,
    /,
    *more: Never,
    axes: int | tuple[Sequence[int], Sequence[int]] = 2,
    **other: Never,
) -> Tensor:
    """Sums of products over axes of two tensors.

    Parameters
    ----------
    x1, x2 : Tensor
        Input of a numeric dtype.
    axes : int or tuple of two sequences of int, optional
        Number of axes: the last ones of `x1` are paired with the first ones of `x2`. Or the axes of
        each operand.

    Returns
    -------
    Tensor
        Has the remaining axes of `x1`, followed by those of `x2`.

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
    if more or other:
        raise wrong_call("tensordot", locals())
    if hasattr(axes, "__index__"):
        axes = as_int("tensordot", "axes", axes)
        if not 0 <= axes <= 64:  # the most that arrays may have
            raise ValueError(f"tensordot: axes must be a number of axes; got {axes}")
    return apply("tensordot", (x1, x2), (), {"axes": axes})


def vecdot(x1: Tensor, x2: Tensor, /, *more: Never, axis: int = -1, **other: Never) -> Tensor:
    """Dot products of vectors.

    Parameters
    ----------
    x1, x2 : Tensor
        Operands of a numeric dtype, with vectors along `axis`; the other axes broadcast.
    axis : int, optional
        Axis of the vectors; negative values count from the last axis of each tensor. It does not
        broadcast.

    Returns
    -------
    Tensor
        Has the broadcast shape without `axis`.

    Raises
    ------
    ValueError
        If the vectors differ in length.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Complex elements of `x1` are conjugated.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.vecdot(xp.asarray([[1, 2], [3, 4]]), xp.asarray([1, 1]))
    Tensor([3, 7], dtype=int64)
    """
    if more or other:
        raise wrong_call("vecdot", locals())
    return apply("vecdot", (x1, x2), (), {"axis": axis})
