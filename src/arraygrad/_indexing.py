"""Indexing functions of the standard."""

from __future__ import annotations

from ._dispatch import pair
from ._typing import Tensor


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """TODO"""
    return pair("take", x, indices, axis=axis)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """TODO"""
    return pair("take_along_axis", x, indices, axis=axis)
