"""Linear algebra functions of the standard's main namespace."""

from __future__ import annotations

from collections.abc import Sequence

from ._dispatch import binary, pair, unary
from ._typing import Tensor


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """TODO"""
    return binary("matmul", x1, x2)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("matrix_transpose", x)


def tensordot(
    x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """TODO"""
    return pair("tensordot", x1, x2, axes=axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """TODO"""
    return pair("vecdot", x1, x2, axis=axis)
