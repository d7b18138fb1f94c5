"""Utility functions of the standard."""

from __future__ import annotations

from ._dispatch import apply, reduction
from ._typing import Axis, Tensor


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("all", x, axis, keepdims)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("any", x, axis, keepdims)


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """TODO"""
    kwargs = {"axis": axis, "n": n, "prepend": prepend, "append": append}
    return apply("diff", (x,), (), kwargs)
