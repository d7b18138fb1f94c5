"""Elementwise functions of the standard."""

from __future__ import annotations

from typing import Never

from ._dispatch import apply, binary, unary, view
from ._errors import describe
from ._hints import wrong_call
from ._typing import Real, Scalar, Tensor


def abs(x: Tensor, /) -> Tensor:
    """Absolute value.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; for complex `x`, the real dtype of the same precision.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    The modulus of a complex number is computed without overflow of the squares.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.abs(xp.asarray([-2.0, 0.5]))
    Tensor([2. , 0.5], dtype=float64)
    >>> xp.abs(xp.asarray([3 + 4j]))
    Tensor([5.], dtype=float64)
    """
    return unary("abs", x)


def acos(x: Tensor, /) -> Tensor:
    """Inverse cosine.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Angles with the shape and dtype of `x`; float64 for integers and bools. In radians, in [0,
        π].

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN outside [-1, 1] for real `x`. Complex: π/2 - asin(x), branch cuts (-∞, -1) and (1, ∞); the
    sign of a zero imaginary part selects the side of a cut (Kahan, "Branch Cuts for Complex
    Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.acos(xp.asarray([1.0, -1.0]))
    Tensor([0.        , 3.14159265], dtype=float64)
    """
    return unary("acos", x, floating=True)


def acosh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic cosine.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN below 1 for real `x`. Complex: 2 log(√((x + 1)/2) + √((x - 1)/2)), branch cut (-∞, 1); the
    sign of a zero imaginary part selects the side of the cut (Kahan, "Branch Cuts for Complex
    Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.acosh(xp.asarray([1.0]))
    Tensor([0.], dtype=float64)
    """
    return unary("acosh", x, floating=True)


def add(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Sum.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any numeric dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    Integers wrap around. A scalar takes the dtype of the tensor if its kind permits.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.add(xp.asarray([1, 2]), 0.5)
    Tensor([1.5, 2.5], dtype=float64)
    """
    return binary("add", x1, x2)


def asin(x: Tensor, /) -> Tensor:
    """Inverse sine.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Angles with the shape and dtype of `x`; float64 for integers and bools. In radians, in
        [-π/2, π/2].

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN outside [-1, 1] for real `x`. Complex: -i asinh(ix), branch cuts (-∞, -1) and (1, ∞); the
    sign of a zero imaginary part selects the side of a cut (Kahan, "Branch Cuts for Complex
    Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.asin(xp.asarray([0.0, 1.0]))
    Tensor([0.        , 1.57079633], dtype=float64)
    """
    return unary("asin", x, floating=True)


def asinh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic sine.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: log(x + √(1 + x²)), branch cuts (-i∞, -i) and (i, i∞); the sign of a zero real part
    selects the side of a cut (Kahan, "Branch Cuts for Complex Elementary Functions", 1987; C99,
    Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.asinh(xp.asarray([0.0]))
    Tensor([0.], dtype=float64)
    """
    return unary("asinh", x, floating=True)


def atan(x: Tensor, /) -> Tensor:
    """Inverse tangent.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Angles with the shape and dtype of `x`; float64 for integers and bools. In radians, in
        [-π/2, π/2].

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: -i atanh(ix), branch cuts (-i∞, -i) and (i, i∞); the sign of a zero real part selects
    the side of a cut (Kahan, "Branch Cuts for Complex Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.atan(xp.asarray([0.0, float('inf')]))
    Tensor([0.        , 1.57079633], dtype=float64)
    """
    return unary("atan", x, floating=True)


def atan2(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Angle of the point (x2, x1), in the correct quadrant.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real floating-point dtype; if neither tensor has
        one, integers and bools are converted to float64. At least one must be a tensor.

    Returns
    -------
    Tensor
        Angles with the broadcast shape and the promoted dtype, in radians, in [-π, π].

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    The first argument is the ordinate. The signs of zeros choose the side of the cut along the
    negative abscissa (C99, F.9.1.4).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.atan2(xp.asarray([1.0, -0.0]), xp.asarray([0.0, -1.0]))
    Tensor([ 1.57079633, -3.14159265], dtype=float64)
    """
    return binary("atan2", x1, x2, floating=True)


def atanh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic tangent.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    ±∞ at ±1 and NaN beyond for real `x`. Complex: (log(1 + x) - log(1 - x))/2, branch cuts (-∞, -1]
    and [1, ∞); the sign of a zero imaginary part selects the side of a cut (Kahan, "Branch Cuts for
    Complex Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.atanh(xp.asarray([0.0, 0.5]))
    Tensor([0.        , 0.54930614], dtype=float64)
    """
    return unary("atanh", x, floating=True)


def bitwise_and(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """Bitwise AND; logical AND for bools.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of an integer dtype or bool. At least one must be a
        tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.bitwise_and(xp.asarray([6]), 3)
    Tensor([2], dtype=int64)
    """
    return binary("bitwise_and", x1, x2)


def bitwise_invert(x: Tensor, /) -> Tensor:
    """Bitwise NOT; logical negation for bools.

    Parameters
    ----------
    x : Tensor
        Input of any shape, of an integer dtype or bool.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` has an unsupported dtype, such as floating-point numbers.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.bitwise_invert(xp.asarray([0, 5]))
    Tensor([-1, -6], dtype=int64)
    >>> ~xp.asarray([True])
    Tensor([False], dtype=bool)
    """
    return unary("bitwise_invert", x)


def bitwise_left_shift(x1: Tensor | int, x2: Tensor | int, /) -> Tensor:
    """Left shift of the bits of `x1` by `x2`, filled with zeros.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of an integer dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    `x2` must not be negative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.bitwise_left_shift(xp.asarray([1, 5]), 2)
    Tensor([ 4, 20], dtype=int64)
    """
    return binary("bitwise_left_shift", x1, x2)


def bitwise_or(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """Bitwise OR; logical OR for bools.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of an integer dtype or bool. At least one must be a
        tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.bitwise_or(xp.asarray([6]), 1)
    Tensor([7], dtype=int64)
    """
    return binary("bitwise_or", x1, x2)


def bitwise_right_shift(x1: Tensor | int, x2: Tensor | int, /) -> Tensor:
    """Right shift of the bits of `x1` by `x2`, with sign extension.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of an integer dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    `x2` must not be negative. For signed integers this is floor(x1 / 2**x2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.bitwise_right_shift(xp.asarray([-8, 5]), 1)
    Tensor([-4,  2], dtype=int64)
    """
    return binary("bitwise_right_shift", x1, x2)


def bitwise_xor(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """Bitwise XOR; logical XOR for bools.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of an integer dtype or bool. At least one must be a
        tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.bitwise_xor(xp.asarray([6]), 3)
    Tensor([5], dtype=int64)
    """
    return binary("bitwise_xor", x1, x2)


def ceil(x: Tensor, /) -> Tensor:
    """Smallest integer that is greater than or equal to each element.

    Parameters
    ----------
    x : Tensor
        Input of any shape and real-valued dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` has an unsupported dtype, such as complex numbers.

    Notes
    -----
    Integers are returned unchanged. A result of zero keeps the sign of `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.ceil(xp.asarray([-1.5, 0.2]))
    Tensor([-1.,  1.], dtype=float64)
    """
    return unary("ceil", x)


#: Types of `clip` bounds that need no further check.
_ENDS = frozenset({int, float, type(None)})


def clip(
    x: Tensor, /, min: Real | Tensor | None = None, max: Real | Tensor | None = None
) -> Tensor:
    """Clip each element to the interval from `min` to `max`.

    Parameters
    ----------
    x : Tensor
        Input of any shape and real-valued dtype.
    min, max : Tensor or scalar, optional
        Lower and upper bound, with shapes that broadcast with that of `x`; None for no bound.

    Returns
    -------
    Tensor
        Has the broadcast shape and the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or a bound is not a tensor, a scalar or None.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Where `min` is larger than `max` the result is `max`. NaN in `x` or in a bound results in NaN.
    An integer bound outside the range of an integer dtype is replaced by the end of that range. For
    integer `x`, a fractional bound that is selected is truncated.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.clip(xp.asarray([-1, 3, 9]), 0, 5)
    Tensor([0, 3, 5], dtype=int64)
    >>> xp.clip(xp.asarray([200], dtype=xp.uint8), -5, 300)
    Tensor([200], dtype=uint8)
    """
    for end in () if type(min) in _ENDS and type(max) in _ENDS else (min, max):
        kind = end.dtype.kind if isinstance(end, Tensor) else "c" * isinstance(end, complex)
        if kind == "c":
            raise TypeError(f"clip: an end must be real; got {describe(end)}")
    return apply("clip", (x, min, max))


def conj(x: Tensor, /) -> Tensor:
    """Complex conjugate.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Real numbers are returned unchanged.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.conj(xp.asarray([1 + 2j]))
    Tensor([1.-2.j], dtype=complex128)
    """
    return unary("conj", x)


def copysign(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Magnitude of `x1` with the sign of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real floating-point dtype; if neither tensor has
        one, integers and bools are converted to float64. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.copysign(xp.asarray([1.0, -2.0]), -0.0)
    Tensor([-1., -2.], dtype=float64)
    """
    return binary("copysign", x1, x2, floating=True)


def cos(x: Tensor, /) -> Tensor:
    """Cosine.

    Parameters
    ----------
    x : Tensor
        Angles in radians, of any shape and floating-point dtype. Integers and bools are converted
        to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.cos(xp.asarray([0.0, xp.pi]))
    Tensor([ 1., -1.], dtype=float64)
    """
    return unary("cos", x, floating=True)


def cosh(x: Tensor, /) -> Tensor:
    """Hyperbolic cosine.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.cosh(xp.asarray([0.0]))
    Tensor([1.], dtype=float64)
    """
    return unary("cosh", x, floating=True)


def divide(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """True quotient.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any numeric dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype; float64 for integers.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    A nonzero number over ±0 is infinite, 0 / 0 is NaN; NumPy warns of both on the CPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.divide(xp.asarray([1, 3]), 2)
    Tensor([0.5, 1.5], dtype=float64)
    """
    return binary("divide", x1, x2)


def equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """Elementwise equality.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    NaN is not equal to anything, including itself; -0.0 equals 0.0. int64 and uint64 compare by
    value.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.equal(xp.asarray([1.0, float('nan')]), xp.asarray([1.0, float('nan')]))
    Tensor([ True, False], dtype=bool)
    """
    return binary("equal", x1, x2)


def exp(x: Tensor, /) -> Tensor:
    """Exponential.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    exp(-∞) is 0; complex infinities as in C99 Annex G.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.exp(xp.asarray([0.0, 1.0]))
    Tensor([1.        , 2.71828183], dtype=float64)
    """
    return unary("exp", x, floating=True)


def expm1(x: Tensor, /) -> Tensor:
    """exp(x) - 1, accurate near 0.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: expm1(a + ib) = expm1(a) cos b - 2 sin²(b/2) + i exp(a) sin b. Where a part is infinite
    or NaN, the value is the one the standard requires.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.expm1(xp.asarray([1e-20]))
    Tensor([1.e-20], dtype=float64)
    """
    return unary("expm1", x, floating=True)


def floor(x: Tensor, /) -> Tensor:
    """Largest integer that is less than or equal to each element.

    Parameters
    ----------
    x : Tensor
        Input of any shape and real-valued dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` has an unsupported dtype, such as complex numbers.

    Notes
    -----
    Integers are returned unchanged. A result of zero keeps the sign of `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.floor(xp.asarray([-1.5, 0.2]))
    Tensor([-2.,  0.], dtype=float64)
    """
    return unary("floor", x)


def floor_divide(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Floor of the quotient x1 / x2.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    For an infinite operand the result is the floor of the quotient, as the standard recommends: ∞
    // 2 is ∞ and -1 // ∞ is -0.0, where NumPy and Python return NaN and -1.

    Integer division by 0 returns 0 on the CPU, with NumPy's warning.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.floor_divide(xp.asarray([7.0, -7.0]), 2)
    Tensor([ 3., -4.], dtype=float64)
    >>> xp.asarray([float('inf')]) // 2.0
    Tensor([inf], dtype=float64)
    """
    return binary("floor_divide", x1, x2)


def greater(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Elementwise ``x1 > x2``.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. The standard defines no order for complex numbers; here they are
    ordered by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.greater(xp.asarray([1, 2, 3]), 2)
    Tensor([False, False,  True], dtype=bool)
    """
    return binary("greater", x1, x2)


def greater_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Elementwise ``x1 >= x2``.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. The standard defines no order for complex numbers; here they are
    ordered by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.greater_equal(xp.asarray([1, 2, 3]), 2)
    Tensor([False,  True,  True], dtype=bool)
    """
    return binary("greater_equal", x1, x2)


def hypot(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """√(x1² + x2²), without overflow of the squares.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real floating-point dtype; if neither tensor has
        one, integers and bools are converted to float64. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    ∞ if either operand is infinite, even if the other is NaN.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.hypot(xp.asarray([3.0, 1e300]), xp.asarray([4.0, 0.0]))
    Tensor([5.e+000, 1.e+300], dtype=float64)
    """
    return binary("hypot", x1, x2, floating=True)


def imag(x: Tensor, /) -> Tensor:
    """Imaginary part.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape of `x` and the real dtype of the same precision; zeros for real `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    The result is a view for complex `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.imag(xp.asarray([1 + 2j]))
    Tensor([2.], dtype=float64)
    """
    return view("imag", x)


def isfinite(x: Tensor, /) -> Tensor:
    """Test each element for being finite: neither infinite nor NaN.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape of `x` and dtype bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    A complex number is finite if both parts are.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isfinite(xp.asarray([1.0, float('inf'), float('nan')]))
    Tensor([ True, False, False], dtype=bool)
    """
    return unary("isfinite", x)


def isinf(x: Tensor, /) -> Tensor:
    """Test each element for infinity.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape of `x` and dtype bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    A complex number is infinite if either part is.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isinf(xp.asarray([1.0, -float('inf'), float('nan')]))
    Tensor([False,  True, False], dtype=bool)
    """
    return unary("isinf", x)


def isnan(x: Tensor, /) -> Tensor:
    """Test each element for NaN.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape of `x` and dtype bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    A complex number is NaN if either part is.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isnan(xp.asarray([1.0, float('nan')]))
    Tensor([False,  True], dtype=bool)
    """
    return unary("isnan", x)


def less(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Elementwise ``x1 < x2``.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. The standard defines no order for complex numbers; here they are
    ordered by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.less(xp.asarray([1, 2, 3]), 2)
    Tensor([ True, False, False], dtype=bool)
    """
    return binary("less", x1, x2)


def less_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Elementwise ``x1 <= x2``.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. The standard defines no order for complex numbers; here they are
    ordered by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.less_equal(xp.asarray([1, 2, 3]), 2)
    Tensor([ True,  True, False], dtype=bool)
    """
    return binary("less_equal", x1, x2)


def log(x: Tensor, /) -> Tensor:
    """Natural logarithm.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    -∞ at 0 and NaN below for real `x`; NumPy warns of both on the CPU. Complex: log(abs(x)) + i
    arg(x), branch cut (-∞, 0); the sign of a zero imaginary part selects the side of the cut
    (Kahan, "Branch Cuts for Complex Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.log(xp.asarray([1.0, xp.e]))
    Tensor([0., 1.], dtype=float64)
    """
    return unary("log", x, floating=True)


def log10(x: Tensor, /) -> Tensor:
    """Logarithm to base 10.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Special values are those of `log`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.log10(xp.asarray([1.0, 1000.0]))
    Tensor([0., 3.], dtype=float64)
    """
    return unary("log10", x, floating=True)


def log1p(x: Tensor, /) -> Tensor:
    """log(1 + x), accurate near 0.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    -∞ at -1 and NaN below for real `x`. Complex: branch cut (-∞, -1). The real part for a + ib is
    log1p(2a + a² + b²)/2. Its argument is formed with error-free sums and products (Dekker 1971),
    so it is accurate even where abs(1 + x) is near 1. Infinities and NaN follow the standard.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.log1p(xp.asarray([1e-20]))
    Tensor([1.e-20], dtype=float64)
    """
    return unary("log1p", x, floating=True)


def log2(x: Tensor, /) -> Tensor:
    """Logarithm to base 2.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Special values are those of `log`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.log2(xp.asarray([1.0, 8.0]))
    Tensor([0., 3.], dtype=float64)
    """
    return unary("log2", x, floating=True)


def logaddexp(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real floating-point dtype; if neither tensor has
        one, integers and bools are converted to float64. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    Computed as max + log1p(exp(-abs(x1 - x2))); -∞ for two -∞.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.logaddexp(xp.asarray([1000.0]), 1000.0)
    Tensor([1000.69314718], dtype=float64)
    """
    return binary("logaddexp", x1, x2, floating=True)


def logical_and(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """Elementwise logical AND.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of dtype bool; in other dtypes every nonzero element is
        true. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.logical_and(xp.asarray([True, False]), True)
    Tensor([ True, False], dtype=bool)
    """
    return binary("logical_and", x1, x2)


def logical_not(x: Tensor, /) -> Tensor:
    """Elementwise logical NOT.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype bool; in other dtypes every nonzero element is true.

    Returns
    -------
    Tensor
        Has the shape of `x` and dtype bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.logical_not(xp.asarray([True, False]))
    Tensor([False,  True], dtype=bool)
    """
    return unary("logical_not", x)


def logical_or(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """Elementwise logical OR.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of dtype bool; in other dtypes every nonzero element is
        true. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.logical_or(xp.asarray([True, False]), True)
    Tensor([ True,  True], dtype=bool)
    """
    return binary("logical_or", x1, x2)


def logical_xor(x1: Tensor | bool, x2: Tensor | bool, /) -> Tensor:
    """Elementwise logical XOR.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of dtype bool; in other dtypes every nonzero element is
        true. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.logical_xor(xp.asarray([True, False]), True)
    Tensor([False,  True], dtype=bool)
    """
    return binary("logical_xor", x1, x2)


def maximum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Elementwise maximum.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    The result is NaN if either element is NaN. The standard defines no order for complex numbers;
    here they are ordered by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.maximum(xp.asarray([1.0, float('nan')]), 2.0)
    Tensor([ 2., nan], dtype=float64)
    """
    return binary("maximum", x1, x2)


def minimum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Elementwise minimum.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    The result is NaN if either element is NaN. The standard defines no order for complex numbers;
    here they are ordered by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.minimum(xp.asarray([1, 5]), 2)
    Tensor([1, 2], dtype=int64)
    """
    return binary("minimum", x1, x2)


def multiply(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Product.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any numeric dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    Integers wrap around.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.multiply(xp.asarray([1, 2]), 3)
    Tensor([3, 6], dtype=int64)
    """
    return binary("multiply", x1, x2)


def negative(x: Tensor, /) -> Tensor:
    """Numerical negative of each element.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`. Unsigned integers wrap around.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or has dtype bool.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.negative(xp.asarray([1, -2]))
    Tensor([-1,  2], dtype=int64)
    """
    return unary("negative", x)


def nextafter(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Next representable number from `x1` towards `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real floating-point dtype; if neither tensor has
        one, integers and bools are converted to float64. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    Where both are equal the result is `x2`, so a zero has the sign of `x2`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nextafter(xp.asarray([1.0]), 2.0) > 1.0
    Tensor([ True], dtype=bool)
    """
    return binary("nextafter", x1, x2, floating=True)


def not_equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """Elementwise inequality.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    NaN is not equal to anything, including itself.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.not_equal(xp.asarray([1, 2]), 2)
    Tensor([ True, False], dtype=bool)
    """
    return binary("not_equal", x1, x2)


def positive(x: Tensor, /) -> Tensor:
    """Copy of each element.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or has dtype bool.

    Examples
    --------
    >>> import arraygrad as xp
    >>> +xp.asarray([1, -2])
    Tensor([ 1, -2], dtype=int64)
    """
    return unary("positive", x)


def pow(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """`x1` raised to the power `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any numeric dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
    If the shapes do not broadcast, or integers are raised to negative integer powers.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    1 for an exponent 0, for any base. NaN for a finite negative base and a finite real exponent
    that is not an integer. Other special values are those of C99, F.9.4.4. Complex: exp(x2
    log(x1)), with the branch cut of `log` for `x1`.

    Cast integers to a floating-point dtype first to raise them to negative powers.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.pow(xp.asarray([2, 3]), 2)
    Tensor([4, 9], dtype=int64)
    >>> xp.pow(xp.asarray([4.0]), -0.5)
    Tensor([0.5], dtype=float64)
    """
    return binary("pow", x1, x2)


def real(x: Tensor, /) -> Tensor:
    """Real part.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape of `x` and the real dtype of the same precision.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    The result is a view for complex `x`, and `x` itself for real `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.real(xp.asarray([1 + 2j]))
    Tensor([1.], dtype=float64)
    """
    return view("real", x)


def reciprocal(x: Tensor, /) -> Tensor:
    """1 / x.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    ±∞ at ±0. For integers the result is the true quotient, unlike in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.reciprocal(xp.asarray([2.0, 4.0]))
    Tensor([0.5 , 0.25], dtype=float64)
    """
    return unary("reciprocal", x, floating=True)


def remainder(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Remainder x1 - x2 * floor(x1 / x2), with the sign of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of a real-valued dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar or has an
        unsupported dtype.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    This is Python's ``%``. NaN where `x1` is infinite or `x2` is 0. Integer remainders by 0 are 0
    on the CPU, with NumPy's warning.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.remainder(xp.asarray([7, -7]), 3)
    Tensor([1, 2], dtype=int64)
    """
    return binary("remainder", x1, x2)


def round(x: Tensor, /, *more: Never, **other: Never) -> Tensor:
    """Round to the nearest integer; halves are rounded to even.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Integers are returned unchanged. Complex numbers are rounded part by part.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.round(xp.asarray([0.5, 1.5, 2.4]))
    Tensor([0., 2., 2.], dtype=float64)
    """
    if more or "decimals" in other:
        n: int = more[0] if more else other["decimals"]
        raise TypeError(f"round: only to whole numbers; write xp.round(x * 10**{n}) / 10**{n}")
    if other:
        raise wrong_call("round", {"x": x, "other": other})
    return unary("round", x)


def sign(x: Tensor, /) -> Tensor:
    """Sign of each element: -1, 0 or 1; x / abs(x) for complex numbers.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or has dtype bool.

    Notes
    -----
    The sign of NaN is NaN, of complex 0 it is 0, and of two infinite parts NaN. The modulus does
    not overflow.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sign(xp.asarray([-3.0, 0.0, 2.0]))
    Tensor([-1.,  0.,  1.], dtype=float64)
    >>> xp.sign(xp.asarray([3j]))
    Tensor([0.+1.j], dtype=complex128)
    """
    return unary("sign", x)


def signbit(x: Tensor, /) -> Tensor:
    """Test the sign bit, which is set in negative numbers, -0.0 and some NaN.

    Parameters
    ----------
    x : Tensor
        Input of any shape and real floating-point dtype. Integers and bools are converted to
        float64.

    Returns
    -------
    Tensor
        Has the shape of `x` and dtype bool.

    Raises
    ------
    TypeError
        If `x` has an unsupported dtype, such as complex numbers.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.signbit(xp.asarray([-0.0, 0.0]))
    Tensor([ True, False], dtype=bool)
    """
    return unary("signbit", x)


def sin(x: Tensor, /) -> Tensor:
    """Sine.

    Parameters
    ----------
    x : Tensor
        Angles in radians, of any shape and floating-point dtype. Integers and bools are converted
        to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sin(xp.asarray([0.0, xp.pi / 2]))
    Tensor([0., 1.], dtype=float64)
    """
    return unary("sin", x, floating=True)


def sinh(x: Tensor, /) -> Tensor:
    """Hyperbolic sine.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sinh(xp.asarray([0.0]))
    Tensor([0.], dtype=float64)
    """
    return unary("sinh", x, floating=True)


def sqrt(x: Tensor, /) -> Tensor:
    """Principal square root.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN below 0 for real `x`, -0 at -0. Complex: the root with a nonnegative real part, branch cut
    (-∞, 0); the sign of a zero imaginary part selects the side of the cut (Kahan, "Branch Cuts for
    Complex Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sqrt(xp.asarray([0.0, 9.0]))
    Tensor([0., 3.], dtype=float64)
    >>> xp.sqrt(xp.asarray([4]))
    Tensor([2.], dtype=float64)
    """
    return unary("sqrt", x, floating=True)


def square(x: Tensor, /) -> Tensor:
    """Square of each element, x * x.

    Parameters
    ----------
    x : Tensor
        Input of any shape and numeric dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.square(xp.asarray([-3, 2]))
    Tensor([9, 4], dtype=int64)
    """
    return unary("square", x)


def subtract(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Difference.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Operands with shapes that broadcast, of any numeric dtype. At least one must be a tensor.

    Returns
    -------
    Tensor
        Has the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, an operand is neither a tensor nor a scalar, or both have
        dtype bool.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    Integers wrap around.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.subtract(xp.asarray([1, 2]), 3)
    Tensor([-2, -1], dtype=int64)
    """
    return binary("subtract", x1, x2)


def tan(x: Tensor, /) -> Tensor:
    """Tangent.

    Parameters
    ----------
    x : Tensor
        Angles in radians, of any shape and floating-point dtype. Integers and bools are converted
        to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tan(xp.asarray([0.0]))
    Tensor([0.], dtype=float64)
    """
    return unary("tan", x, floating=True)


def tanh(x: Tensor, /) -> Tensor:
    """Hyperbolic tangent.

    Parameters
    ----------
    x : Tensor
        Input of any shape and floating-point dtype. Integers and bools are converted to float64.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: ±1 where the real part is ±∞, with an imaginary zero that has the sign of the imaginary
    part.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tanh(xp.asarray([0.0, float('inf')]))
    Tensor([0., 1.], dtype=float64)
    """
    return unary("tanh", x, floating=True)


def trunc(x: Tensor, /) -> Tensor:
    """Integer part: round towards 0.

    Parameters
    ----------
    x : Tensor
        Input of any shape and real-valued dtype.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` has an unsupported dtype, such as complex numbers.

    Notes
    -----
    Integers are returned unchanged. A result of zero keeps the sign of `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.trunc(xp.asarray([-1.5, 1.5]))
    Tensor([-1.,  1.], dtype=float64)
    """
    return unary("trunc", x)
