"""Type aliases shared by many signatures."""

from __future__ import annotations

from typing import TypeAlias

from ._device import DeviceLike
from ._dtypes import DType
from ._tensor import Tensor

__all__ = ["Axis", "DType", "DeviceLike", "Operand", "Real", "Scalar", "Shape", "Tensor"]

Real: TypeAlias = int | float
Scalar: TypeAlias = bool | int | float | complex
Operand: TypeAlias = Tensor | Scalar
Axis: TypeAlias = int | tuple[int, ...] | None
Shape: TypeAlias = int | tuple[int, ...]
