"""Python's operators: each is the function of the namespace that the standard names for it."""

from __future__ import annotations

from typing import Any

from ._array import Array
from ._dispatch import binary, inplace, unary


class Operators(Array):
    """A tensor with operators."""

    __slots__ = ()

    def __abs__(self, /) -> Any:
        return unary("abs", self)

    def __neg__(self, /) -> Any:
        return unary("negative", self)

    def __pos__(self, /) -> Any:
        return unary("positive", self)

    def __invert__(self, /) -> Any:
        return unary("bitwise_invert", self)

    def __add__(self, other: Any, /) -> Any:
        return binary("add", self, other, True)

    def __radd__(self, other: Any, /) -> Any:
        return binary("add", other, self, True)

    def __iadd__(self, other: Any, /) -> Any:
        return inplace("__iadd__", self, other)

    def __sub__(self, other: Any, /) -> Any:
        return binary("subtract", self, other, True)

    def __rsub__(self, other: Any, /) -> Any:
        return binary("subtract", other, self, True)

    def __isub__(self, other: Any, /) -> Any:
        return inplace("__isub__", self, other)

    def __mul__(self, other: Any, /) -> Any:
        return binary("multiply", self, other, True)

    def __rmul__(self, other: Any, /) -> Any:
        return binary("multiply", other, self, True)

    def __imul__(self, other: Any, /) -> Any:
        return inplace("__imul__", self, other)

    def __truediv__(self, other: Any, /) -> Any:
        return binary("divide", self, other, True)

    def __rtruediv__(self, other: Any, /) -> Any:
        return binary("divide", other, self, True)

    def __itruediv__(self, other: Any, /) -> Any:
        return inplace("__itruediv__", self, other)

    def __floordiv__(self, other: Any, /) -> Any:
        return binary("floor_divide", self, other, True)

    def __rfloordiv__(self, other: Any, /) -> Any:
        return binary("floor_divide", other, self, True)

    def __ifloordiv__(self, other: Any, /) -> Any:
        return inplace("__ifloordiv__", self, other)

    def __mod__(self, other: Any, /) -> Any:
        return binary("remainder", self, other, True)

    def __rmod__(self, other: Any, /) -> Any:
        return binary("remainder", other, self, True)

    def __imod__(self, other: Any, /) -> Any:
        return inplace("__imod__", self, other)

    def __pow__(self, other: Any, /) -> Any:
        return binary("pow", self, other, True)

    def __rpow__(self, other: Any, /) -> Any:
        return binary("pow", other, self, True)

    def __ipow__(self, other: Any, /) -> Any:
        return inplace("__ipow__", self, other)

    def __matmul__(self, other: Any, /) -> Any:
        return binary("matmul", self, other, True)

    def __rmatmul__(self, other: Any, /) -> Any:
        return binary("matmul", other, self, True)

    def __imatmul__(self, other: Any, /) -> Any:
        return inplace("__imatmul__", self, other)

    def __and__(self, other: Any, /) -> Any:
        return binary("bitwise_and", self, other, True)

    def __rand__(self, other: Any, /) -> Any:
        return binary("bitwise_and", other, self, True)

    def __iand__(self, other: Any, /) -> Any:
        return inplace("__iand__", self, other)

    def __or__(self, other: Any, /) -> Any:
        return binary("bitwise_or", self, other, True)

    def __ror__(self, other: Any, /) -> Any:
        return binary("bitwise_or", other, self, True)

    def __ior__(self, other: Any, /) -> Any:
        return inplace("__ior__", self, other)

    def __xor__(self, other: Any, /) -> Any:
        return binary("bitwise_xor", self, other, True)

    def __rxor__(self, other: Any, /) -> Any:
        return binary("bitwise_xor", other, self, True)

    def __ixor__(self, other: Any, /) -> Any:
        return inplace("__ixor__", self, other)

    def __lshift__(self, other: Any, /) -> Any:
        return binary("bitwise_left_shift", self, other, True)

    def __rlshift__(self, other: Any, /) -> Any:
        return binary("bitwise_left_shift", other, self, True)

    def __ilshift__(self, other: Any, /) -> Any:
        return inplace("__ilshift__", self, other)

    def __rshift__(self, other: Any, /) -> Any:
        return binary("bitwise_right_shift", self, other, True)

    def __rrshift__(self, other: Any, /) -> Any:
        return binary("bitwise_right_shift", other, self, True)

    def __irshift__(self, other: Any, /) -> Any:
        return inplace("__irshift__", self, other)

    def __eq__(self, other: Any, /) -> Any:
        return binary("equal", self, other, True)

    def __ne__(self, other: Any, /) -> Any:
        return binary("not_equal", self, other, True)

    def __lt__(self, other: Any, /) -> Any:
        return binary("less", self, other, True)

    def __le__(self, other: Any, /) -> Any:
        return binary("less_equal", self, other, True)

    def __gt__(self, other: Any, /) -> Any:
        return binary("greater", self, other, True)

    def __ge__(self, other: Any, /) -> Any:
        return binary("greater_equal", self, other, True)
