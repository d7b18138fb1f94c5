"""Searching functions of the standard."""

from __future__ import annotations

from typing import Literal

from ._dispatch import apply, reduction, ternary, unary
from ._typing import Axis, Real, Scalar, Tensor


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("argmax", x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("argmin", x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """TODO"""
    return reduction("count_nonzero", x, axis, keepdims)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """TODO"""
    return unary("nonzero", x)


def searchsorted(
    x1: Tensor,
    x2: Tensor | Real,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: Tensor | None = None,
) -> Tensor:
    """TODO"""
    return apply("searchsorted", (x1, x2), (), {"side": side, "sorter": sorter})


def where(condition: Tensor, x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """TODO"""
    return ternary("where", condition, x1, x2)
