"""Elementwise functions of the standard."""

from __future__ import annotations

from ._dispatch import apply, binary, unary
from ._typing import Real, Scalar, Tensor


def abs(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("abs", x)  # type: ignore[no-any-return]


def acos(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("acos", x)  # type: ignore[no-any-return]


def acosh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("acosh", x)  # type: ignore[no-any-return]


def add(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("add", x1, x2)  # type: ignore[no-any-return]


def asin(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("asin", x)  # type: ignore[no-any-return]


def asinh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("asinh", x)  # type: ignore[no-any-return]


def atan(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("atan", x)  # type: ignore[no-any-return]


def atan2(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("atan2", x1, x2)  # type: ignore[no-any-return]


def atanh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("atanh", x)  # type: ignore[no-any-return]


def bitwise_and(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_and", x1, x2)  # type: ignore[no-any-return]


def bitwise_invert(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("bitwise_invert", x)  # type: ignore[no-any-return]


def bitwise_left_shift(x1: Tensor | int, x2: Tensor | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_left_shift", x1, x2)  # type: ignore[no-any-return]


def bitwise_or(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_or", x1, x2)  # type: ignore[no-any-return]


def bitwise_right_shift(x1: Tensor | int, x2: Tensor | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_right_shift", x1, x2)  # type: ignore[no-any-return]


def bitwise_xor(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_xor", x1, x2)  # type: ignore[no-any-return]


def ceil(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("ceil", x)  # type: ignore[no-any-return]


def clip(
    x: Tensor, /, min: Real | Tensor | None = None, max: Real | Tensor | None = None
) -> Tensor:
    """TODO"""
    return apply("clip", (x, min, max))  # type: ignore[no-any-return]


def conj(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("conj", x)  # type: ignore[no-any-return]


def copysign(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("copysign", x1, x2)  # type: ignore[no-any-return]


def cos(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("cos", x)  # type: ignore[no-any-return]


def cosh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("cosh", x)  # type: ignore[no-any-return]


def divide(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("divide", x1, x2)  # type: ignore[no-any-return]


def equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """TODO"""
    return binary("equal", x1, x2)  # type: ignore[no-any-return]


def exp(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("exp", x)  # type: ignore[no-any-return]


def expm1(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("expm1", x)  # type: ignore[no-any-return]


def floor(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("floor", x)  # type: ignore[no-any-return]


def floor_divide(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("floor_divide", x1, x2)  # type: ignore[no-any-return]


def greater(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("greater", x1, x2)  # type: ignore[no-any-return]


def greater_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("greater_equal", x1, x2)  # type: ignore[no-any-return]


def hypot(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("hypot", x1, x2)  # type: ignore[no-any-return]


def imag(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("imag", x)  # type: ignore[no-any-return]


def isfinite(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("isfinite", x)  # type: ignore[no-any-return]


def isinf(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("isinf", x)  # type: ignore[no-any-return]


def isnan(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("isnan", x)  # type: ignore[no-any-return]


def less(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("less", x1, x2)  # type: ignore[no-any-return]


def less_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("less_equal", x1, x2)  # type: ignore[no-any-return]


def log(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("log", x)  # type: ignore[no-any-return]


def log10(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("log10", x)  # type: ignore[no-any-return]


def log1p(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("log1p", x)  # type: ignore[no-any-return]


def log2(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("log2", x)  # type: ignore[no-any-return]


def logaddexp(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("logaddexp", x1, x2)  # type: ignore[no-any-return]


def logical_and(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """TODO"""
    return binary("logical_and", x1, x2)  # type: ignore[no-any-return]


def logical_not(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("logical_not", x)  # type: ignore[no-any-return]


def logical_or(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """TODO"""
    return binary("logical_or", x1, x2)  # type: ignore[no-any-return]


def logical_xor(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """TODO"""
    return binary("logical_xor", x1, x2)  # type: ignore[no-any-return]


def maximum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("maximum", x1, x2)  # type: ignore[no-any-return]


def minimum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("minimum", x1, x2)  # type: ignore[no-any-return]


def multiply(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("multiply", x1, x2)  # type: ignore[no-any-return]


def negative(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("negative", x)  # type: ignore[no-any-return]


def nextafter(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("nextafter", x1, x2)  # type: ignore[no-any-return]


def not_equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """TODO"""
    return binary("not_equal", x1, x2)  # type: ignore[no-any-return]


def positive(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("positive", x)  # type: ignore[no-any-return]


def pow(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("pow", x1, x2)  # type: ignore[no-any-return]


def real(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("real", x)  # type: ignore[no-any-return]


def reciprocal(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("reciprocal", x)  # type: ignore[no-any-return]


def remainder(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("remainder", x1, x2)  # type: ignore[no-any-return]


def round(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("round", x)  # type: ignore[no-any-return]


def sign(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("sign", x)  # type: ignore[no-any-return]


def signbit(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("signbit", x)  # type: ignore[no-any-return]


def sin(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("sin", x)  # type: ignore[no-any-return]


def sinh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("sinh", x)  # type: ignore[no-any-return]


def sqrt(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("sqrt", x)  # type: ignore[no-any-return]


def square(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("square", x)  # type: ignore[no-any-return]


def subtract(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("subtract", x1, x2)  # type: ignore[no-any-return]


def tan(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("tan", x)  # type: ignore[no-any-return]


def tanh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("tanh", x)  # type: ignore[no-any-return]


def trunc(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("trunc", x)  # type: ignore[no-any-return]
