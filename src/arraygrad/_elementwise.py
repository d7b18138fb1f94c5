"""Elementwise functions of the standard."""

from __future__ import annotations

from ._dispatch import apply, binary, unary, view
from ._errors import describe
from ._typing import Real, Scalar, Tensor


def abs(x: Tensor, /) -> Tensor:
    """Absolute value.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`; for complex `x`, of its real counterpart.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64. In radians, in [0, π].

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN outside [-1, 1] for real `x`. Complex: π/2 - asin(x), branch cuts (-∞, -1) and (1, ∞);
    the sign of a zero imaginary part says on which side of a cut an element is (Kahan, "Branch
    Cuts for Complex Elementary Functions", 1987; C99, Annex G).

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN below 1 for real `x`. Complex: 2 log(√((x + 1)/2) + √((x - 1)/2)), branch cut (-∞, 1);
    the sign of a zero imaginary part says on which side of the cut an element is (Kahan,
    "Branch Cuts for Complex Elementary Functions", 1987; C99, Annex G).

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
        Of shapes that broadcast, of any numeric dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    Integers wrap around. A scalar takes the dtype of the tensor, if that is of its kind.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64. In radians, in [-π/2, π/2].

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN outside [-1, 1] for real `x`. Complex: -i asinh(ix), branch cuts (-∞, -1) and (1, ∞);
    the sign of a zero imaginary part says on which side of a cut an element is (Kahan, "Branch
    Cuts for Complex Elementary Functions", 1987; C99, Annex G).

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: log(x + √(1 + x²)), branch cuts (-i∞, -i) and (i, i∞); the sign of a zero real part
    says on which side of a cut an element is (Kahan, "Branch Cuts for Complex Elementary
    Functions", 1987; C99, Annex G).

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64. In radians, in [-π/2, π/2].

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: -i atanh(ix), branch cuts (-i∞, -i) and (i, i∞); the sign of a zero real part says
    on which side of a cut an element is (Kahan, "Branch Cuts for Complex Elementary Functions",
    1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.atan(xp.asarray([0.0, float('inf')]))
    Tensor([0.        , 1.57079633], dtype=float64)
    """
    return unary("atan", x, floating=True)


def atan2(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Angle of the point (x2, x1), by quadrant.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real floating-point dtype; if no tensor has one,
        integers and bools are read as float64. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype. In radians, in [-π, π].

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    ±∞ at ±1 and NaN beyond for real `x`. Complex: (log(1 + x) - log(1 - x))/2, branch cuts (-∞,
    -1] and [1, ∞); the sign of a zero imaginary part says on which side of a cut an element is
    (Kahan, "Branch Cuts for Complex Elementary Functions", 1987; C99, Annex G).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.atanh(xp.asarray([0.0, 0.5]))
    Tensor([0.        , 0.54930614], dtype=float64)
    """
    return unary("atanh", x, floating=True)


def bitwise_and(x1: Tensor | bool | int, x2: Tensor | bool | int, /) -> Tensor:
    """Conjunction of each bit; of bools, the logical one.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of an integer dtype or bool. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
    """Inversion of each bit; of a bool, negation.

    Parameters
    ----------
    x : Tensor
        Of any shape, of an integer dtype or bool.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is of a dtype for which this has no meaning, such as floating-point numbers.

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
    """Bits of `x1` moved left by `x2`, zeros filled in.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of an integer dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
    """Disjunction of each bit; of bools, the logical one.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of an integer dtype or bool. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
    """Bits of `x1` moved right by `x2`, the sign kept.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of an integer dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
    """Exclusive disjunction of each bit; of bools, the logical one.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of an integer dtype or bool. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
    """The smallest integer that is not smaller.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a real-valued dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is of a dtype for which this has no meaning, such as complex numbers.

    Notes
    -----
    Integers stay as they are. A result of zero keeps the sign of `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.ceil(xp.asarray([-1.5, 0.2]))
    Tensor([-1.,  1.], dtype=float64)
    """
    return unary("ceil", x)


#: Ends of `clip` that need no second look.
_ENDS = frozenset({int, float, type(None)})


def clip(
    x: Tensor, /, min: Real | Tensor | None = None, max: Real | Tensor | None = None
) -> Tensor:
    """Each element, moved into the interval from `min` to `max`.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a real-valued dtype.
    min, max : Tensor or scalar, optional
        Ends of the interval, of shapes that broadcast with that of `x`; None for no end.

    Returns
    -------
    Tensor
        Of the broadcast shape and of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or an end is neither a tensor nor a scalar nor None.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Where `min` is larger than `max` the result is `max`. NaN in `x` or in an end gives NaN. An
    integer end outside the range of an integer dtype stands for the end of that range; a
    fractional end loses its fraction where it is the result for an integer `x`.

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
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Real numbers stay as they are.

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
        Of shapes that broadcast, of a real floating-point dtype; if no tensor has one,
        integers and bools are read as float64. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
        Of any shape, of a floating-point dtype; integers and bools are read as float64. In radians.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

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
        Of shapes that broadcast, of any numeric dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype. Integers give float64.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
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
    """Whether elements are equal.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of any dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    NaN equals nothing; -0.0 equals 0.0. int64 and uint64 compare by value.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

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
    """exp(x) - 1, without loss of digits near 0.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: expm1(a + ib) = expm1(a) cos b - 2 sin²(b/2) + i exp(a) sin b, with the standard's
    values where a part is infinite or NaN.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.expm1(xp.asarray([1e-20]))
    Tensor([1.e-20], dtype=float64)
    """
    return unary("expm1", x, floating=True)


def floor(x: Tensor, /) -> Tensor:
    """The largest integer that is not larger.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a real-valued dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is of a dtype for which this has no meaning, such as complex numbers.

    Notes
    -----
    Integers stay as they are. A result of zero keeps the sign of `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.floor(xp.asarray([-1.5, 0.2]))
    Tensor([-2.,  0.], dtype=float64)
    """
    return unary("floor", x)


def floor_divide(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """The largest integer that is not larger than x1 / x2.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    An infinite operand gives the floor of the quotient, as the standard prefers: ∞ // 2 is ∞ and -1
    // ∞ is -0.0, where NumPy and Python have NaN and -1.

    Of integers, division by 0 gives 0 on the CPU, with NumPy's warning.

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
    """Whether elements of `x1` are larger than those of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. Complex numbers, for which the standard has no order, are ordered
    by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.greater(xp.asarray([1, 2, 3]), 2)
    Tensor([False, False,  True], dtype=bool)
    """
    return binary("greater", x1, x2)


def greater_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Whether elements of `x1` are not smaller than those of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. Complex numbers, for which the standard has no order, are ordered
    by real part, then by imaginary part, as in NumPy.

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
        Of shapes that broadcast, of a real floating-point dtype; if no tensor has one,
        integers and bools are read as float64. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    ∞ if either is infinite, also if the other is NaN.

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
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the real dtype of the same precision; zeros for real `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    For complex `x` a view.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.imag(xp.asarray([1 + 2j]))
    Tensor([2.], dtype=float64)
    """
    return view("imag", x)


def isfinite(x: Tensor, /) -> Tensor:
    """Whether an element is neither infinite nor NaN.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: whether both parts are finite.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isfinite(xp.asarray([1.0, float('inf'), float('nan')]))
    Tensor([ True, False, False], dtype=bool)
    """
    return unary("isfinite", x)


def isinf(x: Tensor, /) -> Tensor:
    """Whether an element is infinite.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: whether either part is infinite.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isinf(xp.asarray([1.0, -float('inf'), float('nan')]))
    Tensor([False,  True, False], dtype=bool)
    """
    return unary("isinf", x)


def isnan(x: Tensor, /) -> Tensor:
    """Whether an element is NaN.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. bool.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: whether either part is NaN.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isnan(xp.asarray([1.0, float('nan')]))
    Tensor([False,  True], dtype=bool)
    """
    return unary("isnan", x)


def less(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Whether elements of `x1` are smaller than those of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. Complex numbers, for which the standard has no order, are ordered
    by real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.less(xp.asarray([1, 2, 3]), 2)
    Tensor([ True, False, False], dtype=bool)
    """
    return binary("less", x1, x2)


def less_equal(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """Whether elements of `x1` are not larger than those of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    False where either is NaN. Complex numbers, for which the standard has no order, are ordered
    by real part, then by imaginary part, as in NumPy.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    -∞ at 0 and NaN below for real `x`; NumPy warns of both on the CPU. Complex: log(abs(x)) + i
    arg(x), branch cut (-∞, 0); the sign of a zero imaginary part says on which side of the cut
    an element is (Kahan, "Branch Cuts for Complex Elementary Functions", 1987; C99, Annex G).

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    As `log` at special values.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.log10(xp.asarray([1.0, 1000.0]))
    Tensor([0., 3.], dtype=float64)
    """
    return unary("log10", x, floating=True)


def log1p(x: Tensor, /) -> Tensor:
    """log(1 + x), without loss of digits near 0.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    -∞ at -1 and NaN below for real `x`. Complex: branch cut (-∞, -1). The real part is log1p(2a +
    a² + b²)/2 of a + ib, its argument formed with error-free sums and products (Dekker 1971), so it
    keeps its digits also where abs(1 + x) is near 1. Infinities and NaN as the standard has them.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    As `log` at special values.

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
        Of shapes that broadcast, of a real floating-point dtype; if no tensor has one,
        integers and bools are read as float64. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
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
    """Whether both elements are true.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, bool; of another dtype, what is not 0 is true. At least one is a
        tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
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
    """Logical negation.

    Parameters
    ----------
    x : Tensor
        Of any shape, bool; of another dtype, what is not 0 is true.

    Returns
    -------
    Tensor
        Of the shape of `x`. bool.

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
    """Whether at least one element is true.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, bool; of another dtype, what is not 0 is true. At least one is a
        tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
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
    """Whether exactly one element is true.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, bool; of another dtype, what is not 0 is true. At least one is a
        tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
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
    """The larger of two elements.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    NaN if either is NaN. Complex numbers, for which the standard has no order, are ordered by
    real part, then by imaginary part, as in NumPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.maximum(xp.asarray([1.0, float('nan')]), 2.0)
    Tensor([ 2., nan], dtype=float64)
    """
    return binary("maximum", x1, x2)


def minimum(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """The smaller of two elements.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    NaN if either is NaN. Complex numbers, for which the standard has no order, are ordered by
    real part, then by imaginary part, as in NumPy.

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
        Of shapes that broadcast, of any numeric dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
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
    """Each element with its sign turned.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`. Unsigned integers wrap around.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is of bools.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.negative(xp.asarray([1, -2]))
    Tensor([-1,  2], dtype=int64)
    """
    return unary("negative", x)


def nextafter(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """The next representable number from `x1` towards `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real floating-point dtype; if no tensor has one,
        integers and bools are read as float64. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    `x2` itself where both are equal, so the result has the sign of its zero.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.nextafter(xp.asarray([1.0]), 2.0) > 1.0
    Tensor([ True], dtype=bool)
    """
    return binary("nextafter", x1, x2, floating=True)


def not_equal(x1: Tensor | Scalar, x2: Tensor | Scalar, /) -> Tensor:
    """Whether elements differ.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of any dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    NaN differs from everything.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.not_equal(xp.asarray([1, 2]), 2)
    Tensor([ True, False], dtype=bool)
    """
    return binary("not_equal", x1, x2)


def positive(x: Tensor, /) -> Tensor:
    """A copy of the elements.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is of bools.

    Examples
    --------
    >>> import arraygrad as xp
    >>> +xp.asarray([1, -2])
    Tensor([ 1, -2], dtype=int64)
    """
    return unary("positive", x)


def pow(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """`x1` to the power `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of any numeric dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast, or for integers to a negative integer power.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    1 for an exponent 0, whatever the base. NaN for a finite negative base and a finite real
    exponent that is no integer. Other special values as in C99, F.9.4.4. Complex: exp(x2
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
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the real dtype of the same precision.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    For complex `x` a view, for real `x` the data itself.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    ±∞ at ±0. Of integers too it is the true quotient, unlike NumPy's.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.reciprocal(xp.asarray([2.0, 4.0]))
    Tensor([0.5 , 0.25], dtype=float64)
    """
    return unary("reciprocal", x, floating=True)


def remainder(x1: Tensor | Real, x2: Tensor | Real, /) -> Tensor:
    """x1 - x2 * floor(x1 / x2), of the sign of `x2`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        Of shapes that broadcast, of a real-valued dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or one is neither a tensor nor a scalar, or of a dtype for
        which this has no meaning.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    This is Python's ``%``. NaN where `x1` is infinite or `x2` is 0; of integers, 0 for `x2` = 0 on
    the CPU, with NumPy's warning.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.remainder(xp.asarray([7, -7]), 3)
    Tensor([1, 2], dtype=int64)
    """
    return binary("remainder", x1, x2)


def round(x: Tensor, /) -> Tensor:
    """The nearest integer; halves go to the even one.

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Integers stay as they are. Complex: part by part.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.round(xp.asarray([0.5, 1.5, 2.4]))
    Tensor([0., 2., 2.], dtype=float64)
    """
    return unary("round", x)


def sign(x: Tensor, /) -> Tensor:
    """Sign: -1, 0 or 1; of complex numbers, x / abs(x).

    Parameters
    ----------
    x : Tensor
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is of bools.

    Notes
    -----
    NaN gives NaN, complex 0 gives 0, two infinite parts NaN. The modulus does not overflow.

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
    """Whether the sign bit is set: of negative numbers, -0.0 and some NaN.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a real floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. bool.

    Raises
    ------
    TypeError
        If `x` is of a dtype for which this has no meaning, such as complex numbers.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64. In radians.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN below 0 for real `x`, -0 at -0. Complex: the root with a real part that is not negative,
    branch cut (-∞, 0); the sign of a zero imaginary part says on which side of the cut an
    element is (Kahan, "Branch Cuts for Complex Elementary Functions", 1987; C99, Annex G).

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
        Of any shape, of any numeric dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

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
        Of shapes that broadcast, of any numeric dtype. At least one is a tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape. Of the promoted dtype.

    Raises
    ------
    TypeError
        If neither operand is a tensor, one is neither a tensor nor a scalar, or both are
        of bools.
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
        Of any shape, of a floating-point dtype; integers and bools are read as float64. In radians.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

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
        Of any shape, of a floating-point dtype; integers and bools are read as float64.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`, or float64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    Complex: ±1 where the real part is ±∞, with an imaginary zero of the sign that the imaginary
    part has.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tanh(xp.asarray([0.0, float('inf')]))
    Tensor([0., 1.], dtype=float64)
    """
    return unary("tanh", x, floating=True)


def trunc(x: Tensor, /) -> Tensor:
    """The integer part: rounded towards 0.

    Parameters
    ----------
    x : Tensor
        Of any shape, of a real-valued dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`. Of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is of a dtype for which this has no meaning, such as complex numbers.

    Notes
    -----
    Integers stay as they are. A result of zero keeps the sign of `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.trunc(xp.asarray([-1.5, 1.5]))
    Tensor([-1.,  1.], dtype=float64)
    """
    return unary("trunc", x)
