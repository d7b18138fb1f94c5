"""Python's operators; each calls the function of the namespace that the standard assigns to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ._array import Array
from ._dispatch import binary, inplace, unary

if TYPE_CHECKING:
    from ._typing import Operand


class Operators(Array):
    """A tensor with operators."""

    __slots__ = ()

    def __abs__(self, /) -> Self:
        return unary("abs", self)

    def __neg__(self, /) -> Self:
        return unary("negative", self)

    def __pos__(self, /) -> Self:
        return unary("positive", self)

    def __invert__(self, /) -> Self:
        return unary("bitwise_invert", self)

    def __add__(self, other: Operand, /) -> Self:
        return binary("add", self, other, True)

    def __radd__(self, other: Operand, /) -> Self:
        return binary("add", other, self, True)

    def __iadd__(self, other: Operand, /) -> Self:
        return inplace("__iadd__", self, other)

    def __sub__(self, other: Operand, /) -> Self:
        return binary("subtract", self, other, True)

    def __rsub__(self, other: Operand, /) -> Self:
        return binary("subtract", other, self, True)

    def __isub__(self, other: Operand, /) -> Self:
        return inplace("__isub__", self, other)

    def __mul__(self, other: Operand, /) -> Self:
        return binary("multiply", self, other, True)

    def __rmul__(self, other: Operand, /) -> Self:
        return binary("multiply", other, self, True)

    def __imul__(self, other: Operand, /) -> Self:
        return inplace("__imul__", self, other)

    def __truediv__(self, other: Operand, /) -> Self:
        return binary("divide", self, other, True)

    def __rtruediv__(self, other: Operand, /) -> Self:
        return binary("divide", other, self, True)

    def __itruediv__(self, other: Operand, /) -> Self:
        return inplace("__itruediv__", self, other)

    def __floordiv__(self, other: Operand, /) -> Self:
        return binary("floor_divide", self, other, True)

    def __rfloordiv__(self, other: Operand, /) -> Self:
        return binary("floor_divide", other, self, True)

    def __ifloordiv__(self, other: Operand, /) -> Self:
        return inplace("__ifloordiv__", self, other)

    def __mod__(self, other: Operand, /) -> Self:
        return binary("remainder", self, other, True)

    def __rmod__(self, other: Operand, /) -> Self:
        return binary("remainder", other, self, True)

    def __imod__(self, other: Operand, /) -> Self:
        return inplace("__imod__", self, other)

    def __pow__(self, other: Operand, /) -> Self:
        return binary("pow", self, other, True)

    def __rpow__(self, other: Operand, /) -> Self:
        return binary("pow", other, self, True)

    def __ipow__(self, other: Operand, /) -> Self:
        return inplace("__ipow__", self, other)

    def __matmul__(self, other: Operand, /) -> Self:
        return binary("matmul", self, other, True)

    def __rmatmul__(self, other: Operand, /) -> Self:
        return binary("matmul", other, self, True)

    def __imatmul__(self, other: Operand, /) -> Self:
        return inplace("__imatmul__", self, other)

    def __and__(self, other: Operand, /) -> Self:
        return binary("bitwise_and", self, other, True)

    def __rand__(self, other: Operand, /) -> Self:
        return binary("bitwise_and", other, self, True)

    def __iand__(self, other: Operand, /) -> Self:
        return inplace("__iand__", self, other)

    def __or__(self, other: Operand, /) -> Self:
        return binary("bitwise_or", self, other, True)

    def __ror__(self, other: Operand, /) -> Self:
        return binary("bitwise_or", other, self, True)

    def __ior__(self, other: Operand, /) -> Self:
        return inplace("__ior__", self, other)

    def __xor__(self, other: Operand, /) -> Self:
        return binary("bitwise_xor", self, other, True)

    def __rxor__(self, other: Operand, /) -> Self:
        return binary("bitwise_xor", other, self, True)

    def __ixor__(self, other: Operand, /) -> Self:
        return inplace("__ixor__", self, other)

    def __lshift__(self, other: Operand, /) -> Self:
        return binary("bitwise_left_shift", self, other, True)

    def __rlshift__(self, other: Operand, /) -> Self:
        return binary("bitwise_left_shift", other, self, True)

    def __ilshift__(self, other: Operand, /) -> Self:
        return inplace("__ilshift__", self, other)

    def __rshift__(self, other: Operand, /) -> Self:
        return binary("bitwise_right_shift", self, other, True)

    def __rrshift__(self, other: Operand, /) -> Self:
        return binary("bitwise_right_shift", other, self, True)

    def __irshift__(self, other: Operand, /) -> Self:
        return inplace("__irshift__", self, other)

    def __eq__(self, other: Operand, /) -> Self:  # type: ignore[override]  # elementwise
        return binary("equal", self, other, True)

    def __ne__(self, other: Operand, /) -> Self:  # type: ignore[override]  # elementwise
        return binary("not_equal", self, other, True)

    def __lt__(self, other: Operand, /) -> Self:
        return binary("less", self, other, True)

    def __le__(self, other: Operand, /) -> Self:
        return binary("less_equal", self, other, True)

    def __gt__(self, other: Operand, /) -> Self:
        return binary("greater", self, other, True)

    def __ge__(self, other: Operand, /) -> Self:
        return binary("greater_equal", self, other, True)
