"""Type aliases shared by many signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar

from ._device import DeviceLike
from ._dtypes import DType
from ._tensor import Tensor

__all__ = [
    "A", "Aux", "Axis", "DType", "DeviceLike", "F", "Operand", "P", "R", "Real", "Scalar", "Shape",
    "Tensor",
]  # fmt: skip

Real: TypeAlias = int | float
Scalar: TypeAlias = bool | int | float | complex
Operand: TypeAlias = Tensor | Scalar
Axis: TypeAlias = int | tuple[int, ...] | None
Shape: TypeAlias = int | tuple[int, ...]

#: The parameters of a function, and its result.
P = ParamSpec("P")
R = TypeVar("R")
#: A first argument. (The bound lets type checkers accept any expression in a lambda.)
A = TypeVar("A", bound=Any)
Aux = TypeVar("Aux")
F = TypeVar("F", bound=Callable[..., Any])
