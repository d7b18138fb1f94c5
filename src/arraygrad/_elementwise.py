"""Elementwise functions of the standard."""

from __future__ import annotations

from ._dispatch import OPTIONAL_SCALARS, binary, binary_floating, floating, ternary, unary
from ._typing import Real, Scalar, Tensor


def abs(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("abs", x)


def acos(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("acos", x)


def acosh(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("acosh", x)


def add(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("add", x1, x2)


def asin(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("asin", x)


def asinh(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("asinh", x)


def atan(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("atan", x)


def atan2(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary_floating("atan2", x1, x2)


def atanh(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("atanh", x)


def bitwise_and(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_and", x1, x2)


def bitwise_invert(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("bitwise_invert", x)


def bitwise_left_shift(x1: Tensor | int, x2: Tensor | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_left_shift", x1, x2)


def bitwise_or(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_or", x1, x2)


def bitwise_right_shift(x1: Tensor | int, x2: Tensor | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_right_shift", x1, x2)


def bitwise_xor(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """TODO"""
    return binary("bitwise_xor", x1, x2)


def ceil(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("ceil", x)


def clip(
    x: Tensor, /, min: Real | Tensor | None = None, max: Real | Tensor | None = None
) -> Tensor:
    """TODO"""
    return ternary("clip", x, min, max, OPTIONAL_SCALARS)


def conj(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("conj", x)


def copysign(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary_floating("copysign", x1, x2)


def cos(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("cos", x)


def cosh(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("cosh", x)


def divide(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("divide", x1, x2)


def equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """TODO"""
    return binary("equal", x1, x2)


def exp(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("exp", x)


def expm1(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("expm1", x)


def floor(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("floor", x)


def floor_divide(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("floor_divide", x1, x2)


def greater(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("greater", x1, x2)


def greater_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("greater_equal", x1, x2)


def hypot(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary_floating("hypot", x1, x2)


def imag(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("imag", x)


def isfinite(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("isfinite", x)


def isinf(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("isinf", x)


def isnan(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("isnan", x)


def less(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("less", x1, x2)


def less_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("less_equal", x1, x2)


def log(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("log", x)


def log10(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("log10", x)


def log1p(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("log1p", x)


def log2(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("log2", x)


def logaddexp(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary_floating("logaddexp", x1, x2)


def logical_and(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """TODO"""
    return binary("logical_and", x1, x2)


def logical_not(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("logical_not", x)


def logical_or(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """TODO"""
    return binary("logical_or", x1, x2)


def logical_xor(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """TODO"""
    return binary("logical_xor", x1, x2)


def maximum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("maximum", x1, x2)


def minimum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("minimum", x1, x2)


def multiply(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("multiply", x1, x2)


def negative(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("negative", x)


def nextafter(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary_floating("nextafter", x1, x2)


def not_equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """TODO"""
    return binary("not_equal", x1, x2)


def positive(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("positive", x)


def pow(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("pow", x1, x2)


def real(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("real", x)


def reciprocal(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("reciprocal", x)


def remainder(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """TODO"""
    return binary("remainder", x1, x2)


def round(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("round", x)


def sign(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("sign", x)


def signbit(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("signbit", x)


def sin(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("sin", x)


def sinh(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("sinh", x)


def sqrt(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("sqrt", x)


def square(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("square", x)


def subtract(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """TODO"""
    return binary("subtract", x1, x2)


def tan(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("tan", x)


def tanh(x: Tensor, /) -> Tensor:
    """TODO"""
    return floating("tanh", x)


def trunc(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("trunc", x)
