"""Sorting functions of the standard."""

from __future__ import annotations

from ._dispatch import call
from ._typing import Tensor


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """TODO"""
    return call("argsort", x, axis=axis, descending=descending, stable=stable)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """TODO"""
    return call("sort", x, axis=axis, descending=descending, stable=stable)
