"""Test cases of derivatives: all functions of the standard and of `special`, with arguments.

A case is a function of tensors that is smooth around its inputs. Where a decomposition leaves
signs, phases or bases open, the case uses a function that does not depend on them, such as
``abs(U)**2``. The inputs are drawn with the case's name as the seed.
"""

# Defaults of a lambda's parameters are evaluated in the loop, where they must be.
# ruff: noqa: B008

from __future__ import annotations

import inspect
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import arraygrad as xp
from arraygrad import fft, linalg, scipy, special

#: Draws an array: float64 for the kind "f", complex128 for "c".
Builder = Callable[[np.random.Generator, str], Any]

CASES: list[Case] = []


@dataclass(frozen=True)
class Case:
    """A function of tensors, with inputs at which to differentiate it.

    Attributes
    ----------
    function : str
        Name of a function, an attribute or the method of an operator in the standard.
    label : str
        Text that distinguishes the cases of a function.
    kind : str
        Kind of the inputs: "f" real, "c" complex.
    call : function
        Function of the inputs that returns one or several tensors and does not modify the inputs.
    builders : tuple of Builder
        One for each input.
    single : bool
        True if some results have single precision even for inputs in double precision.
    equal : bool
        True if eigenvalues or singular values are equal at the inputs. Then the value under
        differentiation may use other vectors, and second derivatives may raise.
    """

    function: str
    label: str
    kind: str
    call: Callable[..., Any]
    builders: tuple[Builder, ...]
    single: bool = False
    equal: bool = False

    @property
    def name(self) -> str:
        """Unique name of the case."""
        return f"{self.function}-{self.label}{'-complex' if self.kind == 'c' else ''}"

    def inputs(self, device: Any = None, *, single: bool = False) -> list[Any]:
        """Inputs in double or single precision, the same in each call."""
        rng = self.rng()
        arrays = [np.asarray(build(rng, self.kind)) for build in self.builders]
        if single:
            arrays = [a.astype("c8" if a.dtype.kind == "c" else "f4") for a in arrays]
        return [xp.asarray(a, device=device) for a in arrays]

    def outputs(self, *inputs: Any) -> tuple[Any, ...]:
        """The result, as a tuple."""
        out = self.call(*inputs)
        return tuple(out) if isinstance(out, (tuple, list)) else (out,)

    def rng(self, purpose: str = "") -> np.random.Generator:
        """Random numbers of this case."""
        return np.random.default_rng(zlib.crc32((self.name + purpose).encode()))


def case(
    function: str,
    label: str,
    call: Callable[..., Any],
    *builders: Builder,
    kinds: str = "fc",
    **options: bool,
) -> None:
    """Add a case for each kind."""
    CASES.extend(Case(function, label, kind, call, builders, **options) for kind in kinds)


# ---- what inputs are drawn from


def normal(*shape: int) -> Builder:
    """Normal random numbers."""
    return lambda rng, kind: (
        rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
        if kind == "c"
        else rng.standard_normal(shape)
    )


def within(low: float, high: float, *shape: int) -> Builder:
    """Numbers in an interval; complex ones are away from both axes, from 0 and from cuts."""

    def build(rng: np.random.Generator, kind: str) -> Any:
        if kind == "c":
            return _away(rng, 0.3, 0.8, shape) + 1j * _away(rng, 0.3, 0.8, shape)
        return rng.uniform(low, high, shape)

    return build


def _away(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> Any:
    return rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape)


def nonzero(*shape: int) -> Builder:
    """Numbers of either sign, away from 0."""
    return lambda rng, kind: (
        _away(rng, 0.3, 1.5, shape) + (1j * _away(rng, 0.3, 1.5, shape) if kind == "c" else 0)
    )


def positive(*shape: int) -> Builder:
    """Numbers with a positive real part."""
    return lambda rng, kind: (
        rng.uniform(0.5, 1.5, shape) + (1j * _away(rng, 0.3, 0.8, shape) if kind == "c" else 0)
    )


def distinct(*shape: int) -> Builder:
    """Distinct numbers."""

    def one(rng: np.random.Generator) -> Any:
        n = math.prod(shape)
        numbers = (rng.permutation(n) - n / 2 + rng.uniform(0.1, 0.4, n)) / 2
        return numbers.reshape(shape)

    return lambda rng, kind: one(rng) + 1j * one(rng) if kind == "c" else one(rng)


def between(offset: float, *shape: int) -> Builder:
    """Numbers from `offset` to `offset` + 0.3 above an integer."""

    def one(rng: np.random.Generator) -> Any:
        return rng.integers(-3, 3, shape) + offset + rng.uniform(0.0, 0.3, shape)

    return lambda rng, kind: one(rng) + 1j * one(rng) if kind == "c" else one(rng)


def given(values: Any) -> Builder:
    """Given numbers."""
    return lambda rng, kind: np.asarray(values, dtype="c16" if kind == "c" else "f8")


def real(builder: Builder) -> Builder:
    """Real numbers, also in a complex case."""
    return lambda rng, kind: builder(rng, "f")


def matrix(*shape: int) -> Builder:
    """Matrices with distinct nonzero singular values."""

    def build(rng: np.random.Generator, kind: str) -> Any:
        u, s, vh = np.linalg.svd(normal(*shape)(rng, kind), full_matrices=False)
        k = s.shape[-1]
        s = 0.7 + 0.5 * np.arange(k)[::-1] + rng.uniform(0, 0.2, s.shape)
        return (u * s[..., None, :]) @ vh

    return build


def singular(n: int, rank: int) -> Builder:
    """Square matrix of whole numbers whose rank is deficient also in floating point."""

    def build(rng: np.random.Generator, kind: str) -> Any:
        def whole(*shape: int) -> Any:
            x = rng.integers(1, 4, shape) * rng.choice([-1.0, 1.0], shape)
            return x + 1j * rng.integers(-2, 3, shape) if kind == "c" else x

        x = whole(n, n)
        x[:, rank:] = x[:, :rank] @ np.ones((rank, n - rank)) if rank else 0
        return x

    return build


def hermitian(*shape: int) -> Builder:
    """Hermitian matrices with distinct eigenvalues."""

    def build(rng: np.random.Generator, kind: str) -> Any:
        q, _ = np.linalg.qr(normal(*shape)(rng, kind))
        w = np.arange(shape[-1]) - 1.2 + rng.uniform(0, 0.3, shape[:-1])
        return (q * w[..., None, :]) @ np.conj(np.swapaxes(q, -1, -2))

    return build


def general(n: int, *stack: int) -> Builder:
    """Square matrices with distinct eigenvalues; two are complex for a real matrix."""

    def build(rng: np.random.Generator, kind: str) -> Any:
        d = np.diag(np.arange(n) + 1.0)
        if kind == "c":
            d = d * np.exp(1j * np.arange(n))
        elif n > 1:
            d[0, 1], d[1, 0], d[1, 1] = 1.5, -1.5, 1.0
        v = np.eye(n) + 0.2 * normal(*stack, n, n)(rng, kind)
        return v @ d @ np.linalg.inv(v)

    return build


# ---- what the functions share


def const(x: Any, values: Any, dtype: Any = None) -> Any:
    """Constants on the device of `x`."""
    return xp.asarray(values, dtype=dtype, device=x.device)


def copy(x: Any) -> Any:
    """Copy that may be modified."""
    return xp.asarray(x, copy=True)


def adjoint(x: Any) -> Any:
    """The conjugate transpose."""
    return xp.conj(xp.matrix_transpose(x))


def hermitised(x: Any) -> Any:
    """Hermitian part, because functions of Hermitian matrices may ignore one triangle."""
    return 0.5 * (x + adjoint(x))


def definite(x: Any) -> Any:
    """Positive definite matrix made from any matrix."""
    return x @ adjoint(x) + xp.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def squared(x: Any) -> Any:
    """``abs(x)**2``, which does not depend on phases."""
    return x * x if x.dtype.kind == "f" else xp.real(x) ** 2 + xp.imag(x) ** 2


def scaled(x: Any, s: Any) -> Any:
    """The columns of `x` times the elements of `s`."""
    return x * xp.expand_dims(s, -2)


# fmt: off
# (A table: one case in one to three lines.)

# What the loops below run over is of several types.
_a: Any
_axis: Any
_b: Any
_full: Any
_ord: Any
_perm: Any
_reps: Any
_shape: Any
_values: Any

# ---- elementwise functions of one operand

_SMOOTH: dict[str, tuple[Callable[..., Builder], str]] = {
    "abs": (nonzero, "fc"),
    "acos": (lambda *s: within(-0.8, 0.8, *s), "fc"),
    "acosh": (lambda *s: within(1.3, 3.0, *s), "fc"),
    "asin": (lambda *s: within(-0.8, 0.8, *s), "fc"),
    "asinh": (lambda *s: within(-2.0, 2.0, *s), "fc"),
    "atan": (lambda *s: within(-2.0, 2.0, *s), "fc"),
    "atanh": (lambda *s: within(-0.8, 0.8, *s), "fc"),
    "conj": (normal, "fc"),
    "cos": (normal, "fc"),
    "cosh": (normal, "fc"),
    "exp": (normal, "fc"),
    "expm1": (normal, "fc"),
    "imag": (normal, "fc"),
    "log": (positive, "fc"),
    "log10": (positive, "fc"),
    "log1p": (positive, "fc"),
    "log2": (positive, "fc"),
    "negative": (normal, "fc"),
    "positive": (normal, "fc"),
    "real": (normal, "fc"),
    "reciprocal": (nonzero, "fc"),
    "sign": (nonzero, "fc"),
    "sin": (normal, "fc"),
    "sinh": (normal, "fc"),
    "sqrt": (positive, "fc"),
    "square": (normal, "fc"),
    "tan": (lambda *s: within(-1.0, 1.0, *s), "fc"),
    "tanh": (normal, "fc"),
    # constant between steps
    "ceil": (lambda *s: between(0.1, *s), "f"),
    "floor": (lambda *s: between(0.1, *s), "f"),
    "round": (lambda *s: between(0.1, *s), "fc"),
    "trunc": (lambda *s: between(0.1, *s), "f"),
}
for _name, (_draw, _kinds) in _SMOOTH.items():
    for _shape in ((2, 3), (), (0, 2)):
        case(_name, f"{_shape}", getattr(xp, _name), _draw(*_shape), kinds=_kinds)

# Near 0, where short formulas lose digits, and far out, where others overflow.
case("expm1", "near 0", xp.expm1, within(-1e-3, 1e-3, 3), kinds="f")
case("log1p", "near 0", xp.log1p, within(-1e-3, 1e-3, 3), kinds="f")
case("tanh", "far out", lambda x: xp.tanh(400 * x), given([-1.0, 1.0]), kinds="f")
case("asinh", "at 0", xp.asinh, given([0.0, -0.0]))
case("atanh", "at 0", xp.atanh, given([0.0]))
case("sin", "at 0", xp.sin, given([0.0]))
case("square", "at 0", xp.square, given([0.0]))
case("real", "of real and imag", lambda x: xp.real(x) * xp.imag(x), normal(3), kinds="c")
case("conj", "conj(x) * x", lambda x: xp.conj(x) * x, normal(3), kinds="c")
case("__abs__", "(2, 3)", lambda x: abs(x), nonzero(2, 3))
case("__neg__", "(2, 3)", lambda x: -x, normal(2, 3))
case("__pos__", "(2, 3)", lambda x: +x, normal(2, 3))

for _name in ("isfinite", "isinf", "isnan"):
    case(_name, "as factor", lambda x, f=getattr(xp, _name): x * xp.astype(f(x), x.dtype),
         normal(3))
case("signbit", "as factor", lambda x: x * xp.astype(xp.signbit(x), x.dtype), nonzero(3), kinds="f")
case("logical_not", "as mask", lambda x: xp.where(xp.logical_not(x > 0), x, 2 * x), nonzero(4),
     kinds="f")

# ---- elementwise functions of two operands

#: name: (first, second, kinds, a scalar for either place, operator)
_BINARY: dict[str, tuple[Any, Any, str, float, str]] = {
    "add": (normal, normal, "fc", 1.5, "add"),
    "subtract": (normal, normal, "fc", 1.5, "sub"),
    "multiply": (normal, normal, "fc", 1.5, "mul"),
    "divide": (normal, nonzero, "fc", 1.5, "truediv"),
    "pow": (positive, normal, "fc", 1.5, "pow"),
    "remainder": (
        lambda *s: within(4.6, 5.4, *s), lambda *s: within(1.9, 2.1, *s), "f", 5.0, "mod",
    ),
    "floor_divide": (
        lambda *s: within(4.6, 5.4, *s), lambda *s: within(1.9, 2.1, *s), "f", 5.0, "floordiv",
    ),
    "atan2": (nonzero, nonzero, "f", 0.7, ""),
    "copysign": (nonzero, nonzero, "f", -0.7, ""),
    "hypot": (nonzero, nonzero, "f", 0.7, ""),
    "logaddexp": (normal, normal, "f", 0.7, ""),
    "maximum": (lambda *s: between(0.0, *s), lambda *s: between(0.5, *s), "f", 0.4, ""),
    "minimum": (lambda *s: between(0.0, *s), lambda *s: between(0.5, *s), "f", 0.4, ""),
}
for _name, (_first, _second, _kinds, _s, _op) in _BINARY.items():
    _f = getattr(xp, _name)
    _scalar_first = 5.0 if _op in ("mod", "floordiv") else _s
    _scalar_second = 2.0 if _op in ("mod", "floordiv") else _s
    case(_name, "tensors", _f, _first(2, 3), _second(2, 3), kinds=_kinds)
    case(_name, "0-d", _f, _first(), _second(), kinds=_kinds)
    case(_name, "(2, 1) with (3,)", _f, _first(2, 1), _second(3), kinds=_kinds)
    case(_name, "0-d with (2,)", _f, _first(), _second(2), kinds=_kinds)
    case(_name, "(1, 3) with (0, 1)", _f, _first(1, 3), _second(0, 1), kinds=_kinds)
    case(_name, "tensor, scalar", lambda x, f=_f, s=_scalar_second: f(x, s), _first(3),
         kinds=_kinds)
    case(_name, "scalar, tensor", lambda x, f=_f, s=_scalar_first: f(s, x), _second(3),
         kinds=_kinds)
    case(_name, "tensor, constant", lambda x, f=_f, s=_scalar_second: f(x,
         const(x, s, dtype=x.dtype)), _first(3), kinds=_kinds)
    case(_name, "constant, tensor", lambda x, f=_f, s=_scalar_first: f(const(x, s, dtype=x.dtype),
         x), _second(3), kinds=_kinds)
    if _kinds == "fc":
        case(_name, "real, complex", _f, real(_first(2, 3)), _second(3), kinds="c")
        case(_name, "complex, real", _f, _first(2, 3), real(_second(3)), kinds="c")
        case(_name, "tensor, complex scalar", lambda x, f=_f: f(x, 0.6 - 0.8j), _first(3))
        case(_name, "complex scalar, tensor", lambda x, f=_f: f(0.6 - 0.8j, x), _second(3))
    if _op:
        _plain, _right = getattr(xp.Tensor, f"__{_op}__"), getattr(xp.Tensor, f"__r{_op}__")

        def _inplace(x: Any, y: Any, name: str = f"__i{_op}__") -> Any:
            x = copy(x)
            return getattr(x, name)(y)

        case(f"__{_op}__", "tensors", _plain, _first(2, 3), _second(2, 3), kinds=_kinds)
        case(f"__{_op}__", "broadcast", _plain, _first(3, 1), _second(2), kinds=_kinds)
        case(f"__{_op}__", "tensor, scalar", lambda x, f=_plain, s=_scalar_second: f(x, s),
             _first(3), kinds=_kinds)
        case(f"__r{_op}__", "scalar, tensor", lambda x, f=_right, s=_scalar_first: f(x, s),
             _second(3), kinds=_kinds)
        case(f"__i{_op}__", "tensors", _inplace, _first(2, 3), _second(2, 3), kinds=_kinds)
        case(f"__i{_op}__", "broadcast", _inplace, _first(2, 3), _second(3), kinds=_kinds)
        case(f"__i{_op}__", "0-d", _inplace, _first(), _second(), kinds=_kinds)
        case(f"__i{_op}__", "scalar", lambda x, f=_inplace, s=_scalar_second: f(x, s), _first(3),
             kinds=_kinds)
        if _kinds == "fc":
            case(f"__i{_op}__", "complex, real", _inplace, _first(2), real(_second(2)), kinds="c")
            case(f"__{_op}__", "real, complex", _plain, real(_first(2)), _second(2), kinds="c")
        if _op != "floordiv":
            case(f"__i{_op}__", "into a constant",
                 lambda y, f=_inplace, s=_scalar_first: f(xp.full(y.shape, s, dtype=y.dtype,
                 device=y.device), y), _second(3), kinds=_kinds)

_LARGE = 1e30  # of single precision the square is beyond it
for _name in ("remainder", "floor_divide"):
    case(_name, "negative divisor", getattr(xp, _name), within(4.6, 5.4, 3), within(-2.1, -1.9, 3),
         kinds="f")
for _n in (0, 1, 2, 3, -1, -2, 0.5, 2.5):
    case("pow", f"exponent {_n}", lambda x, n=_n: xp.pow(x, n), positive(3))
for _n in (2, 3, -1):
    case("__pow__", f"negative base, exponent {_n}", lambda x, n=_n: x**n,
         lambda rng, kind: -positive(3)(rng, kind))
case("pow", "base 0", lambda x: xp.pow(x, const(x, [0.0, 1.0, 2.0, 3.0], dtype=x.dtype)),
     given([0.0, 0.0, 0.0, 0.0]))
case("pow", "base 0, scalar exponents", lambda x: (x**0, x**1, x**2, x**3), given([0.0, 2.0]))
case("pow", "negative base, tensor of whole exponents",
     lambda x: xp.pow(x, const(x, [2.0, 3.0, -1.0], dtype=x.dtype)), given([-1.5, -0.5, -2.0]))
case("pow", "x**x", lambda x: x**x, positive(3))
case("multiply", "x * x", lambda x: x * x, normal(3))
case("divide", "x / x", lambda x: x / x, nonzero(3))
case("logaddexp", "far apart", lambda x, y: xp.logaddexp(900 * x, y), given([-1.0, 1.0]),
     normal(2), kinds="f")
case("logaddexp", "equal", xp.logaddexp, given([0.5, 2.0]), given([0.5, 2.0]), kinds="f")
case("hypot", "one of them 0", xp.hypot, given([0.0, 2.0]), given([-3.0, 0.0]), kinds="f")
case("hypot", "large", lambda x, y: xp.hypot(_LARGE * x, _LARGE * y) / _LARGE, nonzero(2),
     nonzero(2), kinds="f")
case("atan2", "on the axes", xp.atan2, given([0.0, 2.0, -1.0]), given([3.0, 0.0, 0.0]), kinds="f")

for _name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    case(_name, "as mask", lambda x, y, f=getattr(xp, _name): xp.where(f(x, y), x * y, y),
         between(0.0, 4), between(0.5, 4), kinds="fc" if _name in ("equal", "not_equal") else "f")
for _name in "eq ne lt le gt ge".split():
    case(f"__{_name}__", "as factor", lambda x, f=getattr(xp.Tensor, f"__{_name}__"):
         x * xp.astype(f(x, 0.0), x.dtype), nonzero(4), kinds="f")
for _name in ("logical_and", "logical_or", "logical_xor"):
    case(_name, "as mask", lambda x, y, f=getattr(xp, _name): xp.where(f(x > 0, y > 0), x, y),
         nonzero(6), nonzero(6), kinds="f")
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor", "__and__", "__or__", "__xor__",
              "__rand__", "__ror__", "__rxor__"):
    case(_name, "of conditions", lambda x, f=getattr(xp, _name, None) or getattr(xp.Tensor, _name):
         xp.where(f(x > 0, x < 0.7), x, 2 * x), nonzero(6), kinds="f")
for _name in ("__iand__", "__ior__", "__ixor__"):
    case(_name, "of conditions", lambda x, f=getattr(xp.Tensor, _name): xp.where(f(x > 0, x < 0.7),
         x, 2 * x), nonzero(6), kinds="f")
for _name in ("bitwise_invert", "__invert__"):
    case(_name, "of a condition",
         lambda x, f=getattr(xp, _name, None) or getattr(xp.Tensor, _name): xp.where(f(x > 0), x,
         2 * x), nonzero(6), kinds="f")
for _name in ("bitwise_left_shift", "bitwise_right_shift", "__lshift__", "__rshift__",
              "__rlshift__", "__rrshift__", "__ilshift__", "__irshift__"):
    case(_name, "of numbers of positive elements",
         lambda x, f=getattr(xp, _name, None) or getattr(xp.Tensor, _name):
         x * xp.astype(f(xp.count_nonzero(x > 0), const(x, 1)), x.dtype), nonzero(6), kinds="f")

# ---- clip and where

_low, _mid, _high = within(-0.5, -0.2, 4), between(0.0, 3, 4), within(0.5, 0.8, 3, 1)
case("clip", "scalars", lambda x: xp.clip(x, -0.4, 0.6), _mid, kinds="f")
case("clip", "arrays", xp.clip, _mid, _low, _high, kinds="f")
case("clip", "0-d bounds", xp.clip, _mid, within(-0.5, -0.2), within(0.5, 0.8), kinds="f")
case("clip", "min alone", xp.clip, _mid, _low, kinds="f")
case("clip", "max alone", lambda x, m: xp.clip(x, max=m), _mid, _high, kinds="f")
case("clip", "scalar and array", lambda x, m: xp.clip(x, -0.4, m), _mid, _high, kinds="f")
case("clip", "array and scalar", lambda x, m: xp.clip(x, m, 0.6), _mid, _low, kinds="f")
case("clip", "no bounds", xp.clip, _mid, kinds="f")
case("clip", "bounds wider than x", xp.clip, within(1.1, 1.2), _low, within(1.5, 1.8, 2, 1),
     kinds="f")
case("clip", "empty", lambda x: xp.clip(x, 0.0, 1.0), normal(0, 2), kinds="f")

_MASK = [[True, False, True], [False, False, True]]
case("where", "tensors", lambda x, y: xp.where(const(x, _MASK), x, y), normal(2, 3), normal(2, 3))
case("where", "broadcast", lambda x, y: xp.where(const(x, _MASK), x, y), normal(3), normal(2, 1))
case("where", "0-d", lambda x, y: xp.where(const(x, True), x, y), normal(), normal())
case("where", "wide condition", lambda x, y: xp.where(const(x, _MASK), x, y), normal(), normal())
case("where", "tensor, scalar", lambda x: xp.where(const(x, _MASK), x, 0.0), normal(2, 3))
case("where", "scalar, tensor", lambda x: xp.where(const(x, _MASK), 1.5, x), normal(2, 3))
case("where", "condition of x", lambda x: xp.where(x > 0, x**2, xp.sin(x)), nonzero(5), kinds="f")
case("where", "real, complex", lambda x, y: xp.where(const(x, _MASK), x, y), real(normal(2, 3)),
     normal(3), kinds="c")
case("where", "empty", lambda x, y: xp.where(x == 0, x, y), normal(0, 3), normal(3))
for _name, _f in {
    "sqrt": xp.sqrt,
    "log": xp.log,
    "division": lambda x: 1 / x,
    "exp": lambda x: xp.exp(-1e3 * x),
    "hypot": lambda x: xp.hypot(x, x),
    "pow": lambda x: x**0.5,
}.items():
    case("where", f"{_name} in the branch not taken", lambda x, f=_f: _where_positive(f, x),
         given([0.5, 0.0, -1.0]), kinds="f")


def _where_positive(f: Any, x: Any) -> Any:
    with np.errstate(all="ignore"):  # of what is not used
        return xp.where(x > 0.1, f(x), 0.0)


# ---- statistical functions

_AXES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "all": ({}, (2, 3)),
    "0-d": ({}, ()),
    "axis 0": ({"axis": 0}, (2, 3)),
    "axis -1, keepdims": ({"axis": -1, "keepdims": True}, (2, 3)),
    "axes 0 and -1": ({"axis": (0, -1)}, (2, 2, 3)),
    "axes -1 and 0, keepdims": ({"axis": (-1, 0), "keepdims": True}, (2, 2, 3)),
    "all, keepdims": ({"keepdims": True}, (2, 3)),
    "no axes": ({"axis": ()}, (2, 2)),
    "none left": ({"axis": 1}, (0, 3)),
}
for _name, (_draw, _kinds) in {
    "sum": (normal, "fc"),
    "mean": (normal, "fc"),
    "prod": (nonzero, "fc"),
    "max": (distinct, "f"),
    "min": (distinct, "f"),
    "var": (normal, "f"),
    "std": (distinct, "f"),
}.items():
    for _label, (_how, _shape) in _AXES.items():
        if _name in ("var", "std") and (_label == "no axes" or _shape == ()):
            continue  # nothing varies: a constant, with a kink for std
        case(_name, _label, lambda x, f=getattr(xp, _name), how=_how: f(x, **how), _draw(*_shape),
             kinds=_kinds)
for _name in ("sum", "prod"):
    _f = getattr(xp, _name)
    case(_name, "of nothing", lambda x, f=_f: f(x, axis=0), normal(0, 2))
    case(_name, "dtype complex128", lambda x, f=_f: f(x, dtype=xp.complex128), normal(2, 2))
    case(_name, "dtype float32", lambda x, f=_f: f(x, axis=0, dtype=xp.float32), nonzero(2, 2),
         kinds="f", single=True)
for _name in ("var", "std"):
    for _c in (1, 0.5, -1):
        case(_name, f"correction {_c}", lambda x, f=getattr(xp, _name), c=_c: f(x, axis=0,
             correction=c, keepdims=c == 1), distinct(4, 2), kinds="f")
case("std", "far from 0", lambda x: xp.std(x + 100.0), normal(4), kinds="f")
case("prod", "one zero", lambda x: xp.prod(x, axis=-1), given([[1.5, 0.0, 2.0], [3.0, 1.0, 0.5]]))
case("prod", "two zeros", xp.prod, given([1.5, 0.0, 2.0, 0.0]))
case("prod", "three zeros", xp.prod, given([[0.0, 0.0], [2.0, 0.0]]))
case("prod", "zeros over two axes", lambda x: xp.prod(x, axis=(0, 2)),
     given([[[1.5, 0.0], [2.0, 1.0]], [[0.5, 2.0], [0.0, 0.0]]]))

for _name in ("cumulative_sum", "cumulative_prod"):
    _f = getattr(xp, _name)
    case(_name, "one axis", _f, normal(5))
    case(_name, "axis 0", lambda x, f=_f: f(x, axis=0), normal(3, 2))
    case(_name, "axis -1", lambda x, f=_f: f(x, axis=-1), normal(2, 4))
    case(_name, "axis 1 of 3", lambda x, f=_f: f(x, axis=1), normal(2, 3, 2))
    case(_name, "with the initial", lambda x, f=_f: f(x, include_initial=True), normal(4))
    case(_name, "axis -2 with the initial", lambda x, f=_f: f(x, axis=-2, include_initial=True),
         normal(3, 2))
    case(_name, "empty", _f, normal(0))
    case(_name, "empty with the initial", lambda x, f=_f: f(x, axis=1, include_initial=True),
         normal(2, 0))
    case(_name, "one element", _f, normal(1))
    case(_name, "dtype complex128", lambda x, f=_f: f(x, dtype=xp.complex128), normal(3), kinds="f")
    case(_name, "dtype float32", lambda x, f=_f: f(x, dtype=xp.float32), normal(3), kinds="f",
         single=True)
for _label, _values in {
    "one zero": [2.0, 0.0, 1.5, 3.0],
    "two zeros": [2.0, 0.0, 1.5, 0.0, 3.0],
    "first zero": [0.0, 2.0, 3.0],
    "last zero": [1.5, 2.0, 0.0],
}.items():
    case("cumulative_prod", _label, xp.cumulative_prod, given(_values))
case("cumulative_prod", "zeros along axis 0", lambda x: xp.cumulative_prod(x, axis=0),
     given([[1.0, 0.0], [0.0, 2.0], [3.0, 1.5]]))

# ---- manipulation functions

case("broadcast_arrays", "(2, 1) and (3,)", xp.broadcast_arrays, normal(2, 1), normal(3))
case("broadcast_arrays", "three", xp.broadcast_arrays, normal(), normal(2, 1, 2), normal(3, 1))
case("broadcast_arrays", "one", xp.broadcast_arrays, normal(2))
case("broadcast_arrays", "empty", xp.broadcast_arrays, normal(0, 1), normal(2))
case("broadcast_to", "more axes", lambda x: xp.broadcast_to(x, (2, 3, 2)), normal(3, 1))
case("broadcast_to", "0-d", lambda x: xp.broadcast_to(x, (2, 2)), normal())
case("broadcast_to", "to nothing", lambda x: xp.broadcast_to(x, (0, 3)), normal(3))
case("broadcast_to", "the same", lambda x: xp.broadcast_to(x, (2, 3)), normal(2, 3))
for _axis in (0, 1, -1):
    case("concat", f"axis {_axis}", lambda x, y, a=_axis: xp.concat([x, y], axis=a), normal(2, 2),
         normal(2, 2))
case("concat", "axis None", lambda x, y, z: xp.concat([x, y, z], axis=None), normal(2, 2),
     normal(), normal(3))
case("concat", "unequal sizes", lambda x, y, z: xp.concat((x, y, z)), normal(2), normal(0),
     normal(3))
case("concat", "twice the same", lambda x: xp.concat([x, x], axis=-1), normal(2, 1))
case("concat", "with a constant", lambda x: xp.concat([xp.zeros((2,), dtype=x.dtype,
     device=x.device), x]), normal(3))
case("concat", "real and complex", lambda x, y: xp.concat([x, y]), real(normal(2)), normal(2),
     kinds="c")
for _axis in (0, -1, 1, (0, -1)):
    case("expand_dims", f"axis {_axis}", lambda x, a=_axis: xp.expand_dims(x, axis=a), normal(2, 3))
case("expand_dims", "0-d", lambda x: xp.expand_dims(x, axis=0), normal())
for _axis in (None, 0, -1, (0, -1)):
    case("flip", f"axis {_axis}", lambda x, a=_axis: xp.flip(x, axis=a), normal(2, 3))
case("flip", "0-d", xp.flip, normal())
for _from, _to in ((0, -1), (-1, 0), ((0, 1), (-1, 0)), ((2, 0), (0, 1))):
    case("moveaxis", f"{_from} to {_to}", lambda x, s=_from, d=_to: xp.moveaxis(x, s, d),
         normal(2, 3, 2))
for _perm in ((2, 0, 1), (0, 2, 1), (-1, 1, 0)):
    case("permute_dims", f"{_perm}", lambda x, a=_perm: xp.permute_dims(x, a), normal(2, 3, 2))
case("permute_dims", "0-d", lambda x: xp.permute_dims(x, ()), normal())
case("repeat", "all by 2", lambda x: xp.repeat(x, 2), normal(2, 3))
case("repeat", "axis 0 by 3", lambda x: xp.repeat(x, 3, axis=0), normal(2, 3))
case("repeat", "axis -1 by 2", lambda x: xp.repeat(x, 2, axis=-1), normal(2, 3))
case("repeat", "axis 0 by 0", lambda x: xp.repeat(x, 0, axis=0), normal(2, 3))
case("repeat", "counts", lambda x: xp.repeat(x, const(x, [2, 0, 1])), normal(3))
case("repeat", "counts along axis 1", lambda x: xp.repeat(x, const(x, [1, 3, 0]), axis=1),
     normal(2, 3, 2))
case("repeat", "counts along axis -2", lambda x: xp.repeat(x, const(x, [1, 3, 0]), axis=-2),
     normal(3, 2))
case("repeat", "one count", lambda x: xp.repeat(x, const(x, [2]), axis=0), normal(3, 2))
for _shape in ((6,), (-1,), (3, 2), (1, -1, 2)):
    case("reshape", f"{_shape}", lambda x, s=_shape: xp.reshape(x, s), normal(2, 3))
case("reshape", "copy=True", lambda x: xp.reshape(x, (3, 2), copy=True), normal(2, 3))
case("reshape", "copy=False", lambda x: xp.reshape(x, (3, 2), copy=False), normal(2, 3))
case("reshape", "0-d", lambda x: xp.reshape(x, (1, 1)), normal())
case("reshape", "to 0-d", lambda x: xp.reshape(x, ()), normal(1, 1))
case("reshape", "empty", lambda x: xp.reshape(x, (3, 0)), normal(0, 2))
case("reshape", "of a transpose", lambda x: xp.reshape(x.T, (6,)), normal(2, 3))
case("roll", "all by 2", lambda x: xp.roll(x, 2), normal(2, 3))
case("roll", "axis -1 by -1", lambda x: xp.roll(x, -1, axis=-1), normal(2, 3))
case("roll", "two axes", lambda x: xp.roll(x, (1, -2), axis=(0, 1)), normal(2, 3))
case("roll", "one shift, two axes", lambda x: xp.roll(x, 1, axis=(0, -1)), normal(2, 3))
case("roll", "axis twice", lambda x: xp.roll(x, (1, 1), axis=(1, 1)), normal(2, 3))
case("roll", "empty", lambda x: xp.roll(x, 1, axis=0), normal(0, 2))
for _axis in (0, -1, (0, -1)):
    case("squeeze", f"axis {_axis}", lambda x, a=_axis: xp.squeeze(x, axis=a), normal(1, 3, 1))
case("squeeze", "to 0-d", lambda x: xp.squeeze(x, axis=0), normal(1))
for _axis in (0, 1, -1):
    case("stack", f"axis {_axis}", lambda x, y, a=_axis: xp.stack([x, y], axis=a), normal(3),
         normal(3))
case("stack", "0-d", lambda x, y, z: xp.stack([x, y, z]), normal(), normal(), normal())
case("stack", "axis -2", lambda x, y: xp.stack((x, y), axis=-2), normal(2, 3), normal(2, 3))
case("stack", "real and complex", lambda x, y: xp.stack([x, y]), real(normal(2)), normal(2),
     kinds="c")
for _reps in ((2,), (2, 3), (1, 2, 1), (0,), ()):
    case("tile", f"{_reps}", lambda x, r=_reps: xp.tile(x, r), normal(2, 3))
case("tile", "0-d", lambda x: xp.tile(x, (2, 2)), normal())
for _axis in (0, 1, -1):
    case("unstack", f"axis {_axis}", lambda x, a=_axis: xp.unstack(x, axis=a), normal(2, 3))
case("unstack", "one of them", lambda x: xp.unstack(x, axis=0)[1] ** 2, normal(3, 2))
case("unstack", "iteration", lambda x: sum(row**2 for row in x), normal(3, 2))

# ---- attributes and methods

case("T", "(2, 3)", lambda x: x.T, normal(2, 3))
case("mT", "(2, 3, 2)", lambda x: x.mT, normal(2, 3, 2))
case("to_device", "where it is", lambda x: x.to_device(x.device) * 1, normal(3))

# ---- creation functions and data types

for _k in (-1, 0, 2):
    case("tril", f"k={_k}", lambda x, k=_k: xp.tril(x, k=k), normal(3, 4))
    case("triu", f"k={_k}", lambda x, k=_k: xp.triu(x, k=k), normal(2, 3, 3))
case("tril", "empty", xp.tril, normal(0, 2, 2))
case("diag", "of a vector", xp.diag, normal(3))
case("diag", "of a matrix", xp.diag, normal(3, 4))
case("meshgrid", "xy", xp.meshgrid, normal(2), normal(3))
case("meshgrid", "ij", lambda x, y: xp.meshgrid(x, y, indexing="ij"), normal(2), normal(3))
case("meshgrid", "xy, three", xp.meshgrid, normal(2), normal(3), normal(2))
case("meshgrid", "ij, three", lambda *x: xp.meshgrid(*x, indexing="ij"), normal(2), normal(3),
     normal(1))
case("meshgrid", "one", xp.meshgrid, normal(3))
case("meshgrid", "empty", xp.meshgrid, normal(0), normal(2))
case("asarray", "copy=True", lambda x: xp.asarray(x, copy=True), normal(2, 3))
case("asarray", "no copy", lambda x: xp.asarray(x) * 1, normal(2, 3))
case("asarray", "dtype complex128", lambda x: xp.asarray(x, dtype=xp.complex128), normal(3))
case("asarray", "nested list of 0-d", lambda x, y: xp.asarray([[x, y], [y, x]]), normal(), normal())
case("asarray", "list of tensors and scalars", lambda x, y: xp.asarray([x, 1.5, y * y]), normal(),
     normal())
case("asarray", "list of rows", lambda x, y: xp.asarray([x, y]), normal(3), normal(3))
case("linspace", "", lambda x, y: xp.linspace(x, y, 5), normal(), normal())
case("linspace", "without the end", lambda x, y: xp.linspace(x, y, 4, endpoint=False), normal(),
     normal())
case("linspace", "a number as an end", lambda x: xp.linspace(x, 2.0, 3), normal())
case("linspace", "one", lambda x, y: xp.linspace(x, y, 1), normal(), normal())
case("linspace", "none", lambda x, y: xp.linspace(x, y, 0), normal(), normal())
case("linspace", "dtype complex128", lambda x, y: xp.linspace(x, y, 3, dtype=xp.complex128),
     normal(), normal())
case("logspace", "", lambda x, y: xp.logspace(x, y, 4, base=2.0), normal(), normal())
case("full", "traced value", lambda x: xp.full((2, 3), x), normal())
case("full", "dtype complex128", lambda x: xp.full((2,), x, dtype=xp.complex128), normal())
case("full_like", "traced value", lambda x, y: xp.full_like(y, x) * y, normal(), normal(2, 3))
case("astype", "complex128", lambda x: xp.astype(x, xp.complex128), normal(2, 3))
case("astype", "the same dtype", lambda x: xp.astype(x, x.dtype), normal(2, 3))
case("astype", "copy=False", lambda x: xp.astype(x, x.dtype, copy=False) * 1, normal(2, 3))
case("astype", "float32", lambda x: xp.astype(x, xp.float32), normal(2, 3), kinds="f", single=True)
case("astype", "complex64", lambda x: xp.astype(x, xp.complex64), normal(2, 3), single=True)
case("astype", "int64", lambda x: x * xp.astype(x, xp.int64), between(0.3, 4), kinds="f")
for _name in ("zeros_like", "ones_like", "empty_like"):
    case(_name, "written over", lambda x, f=getattr(xp, _name): _written(f(x), (Ellipsis,), x * x),
         normal(2, 2))


def _written(x: Any, key: Any, value: Any) -> Any:
    x[key] = value
    return x


# ---- indexing

_KEYS: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "int": ((3, 2), lambda x: 1),
    "negative int": ((3, 2), lambda x: -1),
    "ints": ((3, 2), lambda x: (2, 0)),
    "slice": ((5,), lambda x: slice(1, 4)),
    "slice with step": ((5, 2), lambda x: slice(None, None, 2)),
    "slice with negative step": ((5, 2), lambda x: slice(None, None, -1)),
    "slice from the end by -2": ((5,), lambda x: slice(-1, 0, -2)),
    "empty slice": ((5,), lambda x: slice(3, 3)),
    "slices": ((3, 4), lambda x: (slice(1, None), slice(None, -1))),
    "int and slice": ((3, 4), lambda x: (-1, slice(None, None, -2))),
    "ellipsis": ((2, 3, 2), lambda x: (..., 0)),
    "ellipsis alone": ((2, 3), lambda x: ...),
    "ellipsis between": ((2, 3, 2), lambda x: (0, ..., slice(0, 1))),
    "newaxis": ((3,), lambda x: (None, slice(None), None)),
    "newaxis and int": ((3, 2), lambda x: (None, 1, None)),
    "empty tuple": ((3,), lambda x: ()),
    "0-d": ((), lambda x: ()),
    "mask": ((2, 3), lambda x: const(x, _MASK)),
    "mask of rows": ((2, 3), lambda x: const(x, [True, False])),
    "mask of nothing": ((3,), lambda x: const(x, [False, False, False])),
    "0-d mask": ((2,), lambda x: const(x, True)),
    "empty, mask": ((0, 2), lambda x: const(x, [], dtype=xp.bool)),
    "integers": ((4,), lambda x: const(x, [2, 0, -1])),
    "integers twice": ((4, 2), lambda x: const(x, [1, 1, 3, 1])),
    "no integers": ((4,), lambda x: const(x, [], dtype=xp.int64)),
    "0-d integer": ((4, 2), lambda x: const(x, 2)),
    "two of integers": ((3, 4), lambda x: (const(x, [0, 2, 0]), const(x, [1, 3, 1]))),
    "integers that broadcast": ((3, 4), lambda x: (const(x, [[0], [2]]), const(x, [1, 3, 1]))),
    "integers and int": ((3, 4), lambda x: (const(x, [0, 2, 0]), 1)),
    "integers of two axes": ((4,), lambda x: const(x, [[0, 1], [1, 3]])),
    "integers and slice": ((3, 4), lambda x: (slice(None, None, -1), const(x, [0, 3, 3]))),
    "integers, ellipsis, int": ((3, 2, 4), lambda x: (const(x, [0, 2]), ..., -1)),
    "integers, slice, integers": (
        (3, 2, 4), lambda x: (const(x, [0, 2]), slice(None), const(x, [1, 1])),
    ),
    "newaxis, integers": ((3, 4), lambda x: (None, const(x, [0, 0]))),
    "mask and int": ((2, 3), lambda x: (const(x, [True, False]), 1)),
    "mask and slice": ((2, 3), lambda x: (slice(None), const(x, [True, False, True]))),
}
for _label, (_shape, _key) in _KEYS.items():
    case("__getitem__", _label, lambda x, k=_key: x[k(x)], normal(*_shape))
case("__getitem__", "condition of x", lambda x: x[x > 0] ** 2, nonzero(6), kinds="f")
case("__getitem__", "view of a view", lambda x: x[1:, ::-1][:, 0][::2], normal(4, 3))
case("__getitem__", "twice the same", lambda x: x[1:] * x[:-1], normal(4))

for _label, (_shape, _key) in _KEYS.items():
    if _label in ("integers twice", "two of integers", "integers that broadcast",
                  "integers of two axes", "integers and slice", "newaxis, integers",
                  "integers and int"):
        continue  # a place is written twice: which value stays is not said

    def _assign(x: Any, y: Any, key: Any = _key) -> Any:
        x = copy(x)
        x[key(x)] = y
        return x

    _like = np.empty(_shape)[_key(xp.empty(()))] if _label != "0-d mask" else np.empty((1, *_shape))
    _written_shape = _like.shape if isinstance(_like, np.ndarray) else ()
    case("__setitem__", _label, _assign, normal(*_shape), normal(*_written_shape))
    case("__setitem__", f"{_label}, broadcast", _assign, normal(*_shape), normal())
case("__setitem__", "integers that broadcast", lambda x, y: _written(copy(x),
     (const(x, [[0], [2]]), const(x, [1, 3])), y), normal(3, 4), normal(2))
case("__setitem__", "scalar", lambda x: _written(x * x, slice(1, 3), 2.5), normal(4))
case("__setitem__", "into zeros", lambda y: _written(xp.zeros((3, 2), dtype=y.dtype,
     device=y.device), (slice(None), 1), y), normal(3))
case("__setitem__", "real into complex", lambda x, y: _written(copy(x), slice(2), y), normal(3),
     real(normal(2)), kinds="c")
case("__setitem__", "part of itself", lambda x: _written(copy(x), slice(1, None), x[:-1] ** 2),
     normal(4))
case("__setitem__", "list of tensors", lambda x, y: _written(copy(x), slice(2), [y, y * y]),
     normal(3), normal())


def _steps(x: Any, v: Any) -> Any:
    y = copy(x)
    y[0] = v * v
    y[1:] *= y[:-1]
    y += 1
    return y


def _doubled_where_positive(x: Any) -> Any:
    y = copy(x)
    y[y > 0] *= 2
    return y


def _added(x: Any, v: Any, key: Any) -> Any:
    y = copy(x)
    y[key(x)] += v
    return y


def _view(x: Any, v: Any, view: Callable[[Any], Any]) -> Any:
    y = x * x
    z = view(y)
    z *= v
    return y + 0, z * v


case("__setitem__", "several writes", _steps, normal(4), normal())
case("__setitem__", "x[mask] *= 2", _doubled_where_positive, nonzero(6), kinds="f")
case("__setitem__", "x[i] += v", lambda x, v: _added(x, v, lambda _: 1), normal(3, 2), normal(2))
case("__setitem__", "x[::-2] += v", lambda x, v: _added(x, v, lambda _: slice(None, None, -2)),
     normal(5), normal(3))
case("__setitem__", "x[integers] += v", lambda x, v: _added(x, v, lambda x: const(x, [2, 0])),
     normal(3, 2), normal(2, 2))
for _label, _v in {
    "row": lambda y: y[1],
    "reversed": lambda y: y[::-1],
    "transpose": lambda y: y.T[0],
    "mT": lambda y: y.mT[:, 0:1],
    "reshape": lambda y: xp.reshape(y, (6,), copy=False)[2:],
    "permute_dims": lambda y: xp.permute_dims(y, (1, 0))[1],
    "moveaxis": lambda y: xp.moveaxis(y, 0, 1)[1],
    "flip": lambda y: xp.flip(y, axis=0)[0],
    "expand_dims": lambda y: xp.expand_dims(y, axis=0)[0, 1],
    "squeeze": lambda y: xp.squeeze(y[0:1], axis=0),
    "unstack": lambda y: xp.unstack(y)[1],
}.items():
    case("__imul__", f"view: {_label}", lambda x, v, view=_v: _view(x, v, view), normal(2, 3),
         normal())
case("__iadd__", "overlapping views", lambda x: _overlap(x), normal(5))
case("__imul__", "real part", lambda x, v: _view(x, v, xp.real), normal(3), real(normal()),
     kinds="c")


def _overlap(x: Any) -> Any:
    y = x * 1
    y[1:] += y[:-1]
    return y


def _imatmul(x: Any, y: Any) -> Any:
    x = copy(x)
    x @= y
    return x


case("take", "axis 0", lambda x: xp.take(x, const(x, [2, 0, 2]), axis=0), normal(3, 2))
case("take", "axis -1", lambda x: xp.take(x, const(x, [1, -1]), axis=-1), normal(2, 3))
case("take", "axis 1 of 3", lambda x: xp.take(x, const(x, [0, 0]), axis=1), normal(2, 3, 2))
case("take", "one axis", lambda x: xp.take(x, const(x, [3, 1])), normal(4))
case("take", "nothing", lambda x: xp.take(x, const(x, [], dtype=xp.int64), axis=0), normal(3, 2))
_ALONG = [[2, 0], [1, 1]]
case("take_along_axis", "axis -1", lambda x: xp.take_along_axis(x, const(x, _ALONG)), normal(2, 3))
case("take_along_axis", "axis 0", lambda x: xp.take_along_axis(x, const(x, _ALONG), axis=0),
     normal(3, 2))
case("take_along_axis", "axis -2 of 3", lambda x: xp.take_along_axis(x,
     const(x, [_ALONG, [[0, 0], [-1, 2]]]), axis=-2), normal(2, 3, 2))
case("take_along_axis", "indices broadcast", lambda x: xp.take_along_axis(x, const(x, [[0, 2]]),
     axis=1), normal(2, 3))
case("take_along_axis", "x broadcasts", lambda x: xp.take_along_axis(x, const(x, _ALONG), axis=1),
     normal(1, 3))
case("take_along_axis", "one axis", lambda x: xp.take_along_axis(x, const(x, [1, 1, 0])), normal(3))

# ---- searching, sorting, sets, utilities

for _axis in (-1, 0):
    for _down in (False, True):
        _how = {"axis": _axis, "descending": _down}
        _text = f"axis {_axis}{', descending' if _down else ''}"
        case("sort", _text, lambda x, h=_how: xp.sort(x, **h), distinct(3, 4), kinds="f")
        case("argsort", _text, lambda x, h=_how: xp.take_along_axis(x, xp.argsort(x, **h),
             axis=h["axis"]) ** 2, distinct(3, 4), kinds="f")
case("sort", "unstable", lambda x: xp.sort(x, stable=False), distinct(5), kinds="f")
case("sort", "empty", xp.sort, normal(0), kinds="f")
case("sort", "cubes", lambda x: xp.sort(x**3, axis=1), distinct(2, 3, 2), kinds="f")
case("argmax", "as index", lambda x: x[xp.argmax(x)], distinct(5), kinds="f")
case("argmin", "as index", lambda x: x[xp.argmin(x), ...], distinct(5), kinds="f")
case("count_nonzero", "as factor", lambda x: x * xp.astype(xp.count_nonzero(x), x.dtype), normal(3))
case("nonzero", "as index", lambda x: x[xp.nonzero(x > 0)], nonzero(5), kinds="f")
case("searchsorted", "as index", lambda x, y: x[xp.searchsorted(x, y) - 1] * y,
     given([-2.0, 0.0, 2.0]), within(-1.5, 1.5, 3), kinds="f")
case("searchsorted", "sorter", lambda x, y: y * xp.astype(xp.searchsorted(x, y, side="right",
     sorter=xp.argsort(x)), y.dtype), given([2.0, -2.0, 0.0]), given([-1.0, 1.0, 3.0]), kinds="f")
case("isin", "as mask", lambda x: xp.where(xp.isin(x, const(x, [0.5])), x * x, x),
     given([0.7, 1.0]), kinds="f")
for _name in ("unique_all", "unique_counts", "unique_inverse", "unique_values"):
    case(_name, "values", lambda x, f=getattr(xp, _name): f(x), distinct(2, 3), kinds="f")
for _name in ("all", "any"):
    case(_name, "as condition", lambda x, f=getattr(xp, _name): xp.where(f(x > 0, axis=0), x * x,
         x), nonzero(3, 2), kinds="f")
for _n in (0, 1, 2, 3):
    case("diff", f"n={_n}", lambda x, n=_n: xp.diff(x, n=n), normal(2, 4))
case("diff", "axis 0", lambda x: xp.diff(x, axis=0), normal(3, 2))
case("diff", "axis -2, n=2", lambda x: xp.diff(x, axis=-2, n=2), normal(4, 2))
case("diff", "prepend", lambda x, p: xp.diff(x, prepend=p), normal(2, 3), normal(2, 1))
case("diff", "append, n=2", lambda x, a: xp.diff(x, append=a, n=2), normal(3), normal(2))
case("diff", "both, axis 0", lambda x, p, a: xp.diff(x, axis=0, prepend=p, append=a), normal(2, 3),
     normal(1, 3), normal(2, 3))
case("diff", "constant ends", lambda x: xp.diff(x, prepend=const(x, [0.0], dtype=x.dtype)),
     normal(3))
case("diff", "traced ends", lambda p: xp.diff(const(p, [1.0, 4.0], dtype=p.dtype), prepend=p),
     normal(2))
case("diff", "n beyond the length", lambda x: xp.diff(x, n=4), normal(2, 3))

# ---- products: main namespace and linalg

_SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "matrices": ((2, 3), (3, 2)),
    "vectors": ((3,), (3,)),
    "matrix, vector": ((2, 3), (3,)),
    "vector, matrix": ((3,), (3, 2)),
    "stacks": ((2, 2, 3), (2, 3, 2)),
    "stack, matrix": ((2, 2, 3), (3, 2)),
    "matrix, stack": ((2, 3), (2, 3, 2)),
    "stacks that broadcast": ((2, 1, 2, 3), (3, 3, 1)),
    "vector, stack": ((3,), (2, 3, 2)),
    "stack, vector": ((2, 2, 3), (3,)),
    "inner size 0": ((2, 0), (0, 3)),
    "outer size 0": ((0, 2), (2, 3)),
}
for _label, (_a, _b) in _SHAPES.items():
    case("matmul", _label, xp.matmul, normal(*_a), normal(*_b))
case("matmul", "real, complex", xp.matmul, real(normal(2, 3)), normal(3, 2), kinds="c")
case("matmul", "complex, real", xp.matmul, normal(2, 3), real(normal(3)), kinds="c")
case("matmul", "with its transpose", lambda x: x @ x.mT, normal(2, 3))
case("__matmul__", "matrices", lambda x, y: x @ y, normal(2, 3), normal(3, 2))
case("__matmul__", "vectors", lambda x, y: x @ y, normal(3), normal(3))
case("__rmatmul__", "matrices", lambda x, y: y.__rmatmul__(x), normal(2, 3), normal(3, 2))
case("__imatmul__", "matrices", _imatmul, normal(2, 3), normal(3, 3))
case("__imatmul__", "stack, matrix", _imatmul, normal(2, 2, 2), normal(2, 2))
case("linalg.matmul", "matrices", linalg.matmul, normal(2, 3), normal(3, 2))
case("matrix_transpose", "(2, 3)", xp.matrix_transpose, normal(2, 3))
case("matrix_transpose", "stack", xp.matrix_transpose, normal(2, 3, 1))
case("linalg.matrix_transpose", "stack", linalg.matrix_transpose, normal(2, 3, 1))
for _label, _axes, _a, _b in (
    ("default", 2, (2, 3, 2), (3, 2, 2)),
    ("axes 0", 0, (2, 2), (3,)),
    ("axes 1", 1, (2, 3), (3, 2)),
    ("pairs", ([0, 2], [1, 0]), (3, 2, 2), (2, 3, 2)),
    ("one pair", ([1], [0]), (2, 3), (3, 2)),
    ("negative", ([-1, 0], [0, -2]), (3, 2, 2), (2, 3, 2)),
    ("crossed", ((0, 1), (1, 0)), (2, 3), (3, 2)),
    ("all of 0-d", 0, (), ()),
    ("no pairs", ([], []), (2,), (3,)),
):
    case("tensordot", _label, partial(xp.tensordot, axes=_axes), normal(*_a), normal(*_b))
case("linalg.tensordot", "default", linalg.tensordot, normal(2, 3), normal(2, 3))
case("tensordot", "real, complex", lambda x, y: xp.tensordot(x, y, axes=1), real(normal(2, 3)),
     normal(3, 2), kinds="c")
case("vecdot", "vectors", xp.vecdot, normal(3), normal(3))
case("vecdot", "axis -2", lambda x, y: xp.vecdot(x, y, axis=-2), normal(3, 2), normal(3, 2))
case("vecdot", "broadcast", xp.vecdot, normal(2, 1, 3), normal(4, 3))
case("vecdot", "stack and vector", xp.vecdot, normal(2, 3), normal(3))
case("vecdot", "broadcast, axis -2", lambda x, y: xp.vecdot(x, y, axis=-2), normal(2, 3, 1),
     normal(3, 2))
case("vecdot", "real, complex", xp.vecdot, real(normal(3)), normal(3), kinds="c")
case("vecdot", "complex, real", xp.vecdot, normal(3), real(normal(3)), kinds="c")
case("vecdot", "with itself", lambda x: xp.vecdot(x, x), normal(2, 3))
case("linalg.vecdot", "vectors", linalg.vecdot, normal(3), normal(3))

case("linalg.cross", "vectors", linalg.cross, normal(3), normal(3))
case("linalg.cross", "axis 0", lambda x, y: linalg.cross(x, y, axis=0), normal(3, 2), normal(3, 2))
case("linalg.cross", "axis -2", lambda x, y: linalg.cross(x, y, axis=-2), normal(2, 3, 2),
     normal(2, 3, 2))
case("linalg.cross", "broadcast", linalg.cross, normal(2, 1, 3), normal(2, 3))
case("linalg.cross", "real, complex", linalg.cross, real(normal(3)), normal(3), kinds="c")
case("linalg.outer", "vectors", linalg.outer, normal(2), normal(3))
case("linalg.outer", "empty", linalg.outer, normal(0), normal(3))
case("linalg.outer", "complex, real", linalg.outer, normal(2), real(normal(3)), kinds="c")
for _k in (-1, 0, 2):
    case("linalg.diagonal", f"offset {_k}", lambda x, k=_k: linalg.diagonal(x, offset=k),
         normal(3, 4))
    case("linalg.trace", f"offset {_k}", lambda x, k=_k: linalg.trace(x, offset=k), normal(3, 4))
case("linalg.diagonal", "stack", linalg.diagonal, normal(2, 3, 2))
case("linalg.diagonal", "offset outside", lambda x: linalg.diagonal(x, offset=5), normal(2, 2))
case("linalg.trace", "stack", linalg.trace, normal(2, 3, 2))
case("linalg.trace", "dtype complex128", lambda x: linalg.trace(x, dtype=xp.complex128),
     normal(2, 2))
case("linalg.trace", "empty", linalg.trace, normal(2, 0, 0))

# ---- norms

_ORDS = (2, 1, 0, -1, -2, 3, 2.5, 0.5, math.inf, -math.inf)
for _ord in _ORDS:
    case("linalg.vector_norm", f"ord {_ord}", lambda x, o=_ord: linalg.vector_norm(x, ord=o,
         axis=-1), distinct(2, 4))
    if _ord != 0:
        case("linalg.vector_norm", f"ord {_ord}, axes 0 and 2, keepdims",
             lambda x, o=_ord: linalg.vector_norm(x, ord=o, axis=(0, 2), keepdims=True),
             distinct(2, 2, 2))
case("linalg.vector_norm", "all", linalg.vector_norm, normal(2, 3))
case("linalg.vector_norm", "0-d", linalg.vector_norm, nonzero())
case("linalg.vector_norm", "all, keepdims, ord 1",
     lambda x: linalg.vector_norm(x, keepdims=True, ord=1), nonzero(2, 3))
case("linalg.vector_norm", "some zeros", linalg.vector_norm, given([0.0, 3.0, 0.0, 4.0]))
case("linalg.vector_norm", "some zeros, ord 3", lambda x: linalg.vector_norm(x, ord=4),
     given([0.0, 3.0, 4.0]))
case("linalg.vector_norm", "no rows", lambda x: linalg.vector_norm(x, axis=1), normal(0, 3))
for _ord in ("fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf):
    case("linalg.matrix_norm", f"ord {_ord}", lambda x, o=_ord: linalg.matrix_norm(x, ord=o),
         matrix(3, 3))
    case("linalg.matrix_norm", f"ord {_ord}, stack, keepdims",
         lambda x, o=_ord: linalg.matrix_norm(x, ord=o, keepdims=True), matrix(2, 2, 3))
    case("linalg.matrix_norm", f"ord {_ord}, tall", lambda x, o=_ord: linalg.matrix_norm(x, ord=o),
         matrix(4, 2))

# ---- decompositions and what is made of them

for _label, _draw in {
    "(3, 3)": normal(3, 3),
    "stack": normal(2, 2, 2),
    "(1, 1)": normal(1, 1),
    "empty": normal(0, 2, 2),
    "no rows": normal(2, 0, 0),
}.items():
    for _upper in (False, True):
        case("linalg.cholesky", f"{_label}{', upper' if _upper else ''}",
             lambda x, u=_upper: linalg.cholesky(definite(x), upper=u), _draw)
for _label, _draw in {
    "(3, 3)": matrix(3, 3),
    "stack": matrix(2, 2, 2),
    "(1, 1)": matrix(1, 1),
    "(0, 0)": normal(0, 0),
    "no matrices": normal(0, 2, 2),
}.items():
    case("linalg.det", _label, linalg.det, _draw)
    case("linalg.inv", _label, linalg.inv, _draw)
    case("linalg.slogdet", _label, linalg.slogdet, _draw)
    case("linalg.matrix_power", f"{_label}, to 3", lambda x: linalg.matrix_power(x, 3), _draw)
    case("linalg.matrix_power", f"{_label}, to -2", lambda x: linalg.matrix_power(x, -2), _draw)
for _n in (0, 1, 2, 5, -1, -3):
    case("linalg.matrix_power", f"to {_n}", lambda x, n=_n: linalg.matrix_power(x, n), matrix(3, 3))
case("linalg.matrix_power", "singular, to 3", lambda x: linalg.matrix_power(x, 3), singular(3, 2))
for _n, _r in ((1, 0), (2, 1), (3, 2), (3, 1), (3, 0), (4, 2)):
    case("linalg.det", f"({_n}, {_n}) of rank {_r}", linalg.det, singular(_n, _r))
case("linalg.slogdet", "logabsdet alone", lambda x: linalg.slogdet(x).logabsdet, matrix(3, 3))
case("linalg.slogdet", "sign alone", lambda x: linalg.slogdet(x).sign, matrix(3, 3))

for _label, _a, _b in (
    ("vector", matrix(3, 3), normal(3)),
    ("matrix", matrix(3, 3), normal(3, 2)),
    ("stacks", matrix(2, 2, 2), normal(2, 2, 3)),
    ("stack, matrix", matrix(2, 2, 2), normal(2, 3)),
    ("matrix, stack", matrix(2, 2), normal(3, 2, 1)),
    ("stacks that broadcast", matrix(2, 1, 2, 2), normal(3, 2, 1)),
    ("stack, vector", matrix(2, 2, 2), normal(2)),
    ("no columns", matrix(2, 2), normal(2, 0)),
    ("no rows", normal(0, 0), normal(0, 2)),
):
    case("linalg.solve", _label, linalg.solve, _a, _b)
case("linalg.solve", "real, complex", linalg.solve, real(matrix(2, 2)), normal(2), kinds="c")
case("linalg.solve", "complex, real", linalg.solve, matrix(2, 2), real(normal(2, 2)), kinds="c")

for _label, _shape in {
    "tall": (4, 2), "wide": (2, 4), "square": (3, 3), "stack": (2, 3, 2), "no rows": (0, 2),
    "no columns": (3, 0), "no matrices": (0, 3, 2),
}.items():
    case("linalg.pinv", _label, linalg.pinv,
         matrix(*_shape) if 0 not in _shape else normal(*_shape))
case("linalg.pinv", "rank 2 of 3", lambda x, y: linalg.pinv(x @ y), matrix(4, 2), matrix(2, 3))
case("linalg.pinv", "rank 1, square", lambda x, y: linalg.pinv(x @ y), matrix(3, 1), matrix(1, 3))
case("linalg.pinv", "rtol", lambda x: linalg.pinv(x, rtol=1e-3), matrix(3, 2))
case("linalg.pinv", "rtol as tensor", lambda x: linalg.pinv(x, rtol=const(x, [1e-3, 1e-2])),
     matrix(2, 3, 2), kinds="f")
case("linalg.matrix_rank", "as factor", lambda x: x * xp.astype(linalg.matrix_rank(x), x.dtype),
     matrix(3, 2))


def _matrix_function(x: Any) -> Any:
    w, v = linalg.eigh(hermitised(x))
    return scaled(v, xp.exp(0.3 * w)) @ adjoint(v)


def _projector(x: Any, count: int) -> Any:
    v = linalg.eigh(hermitised(x)).eigenvectors[..., :count]
    return v @ adjoint(v)


for _label, _draw in {
    "(3, 3)": hermitian(3, 3),
    "stack": hermitian(2, 2, 2),
    "(1, 1)": hermitian(1, 1),
    "(0, 0)": normal(0, 0),
}.items():
    case("linalg.eigh", f"function of the matrix, {_label}", _matrix_function, _draw)
    case("linalg.eigh", f"eigenvalues, {_label}", lambda x: linalg.eigh(hermitised(x)).eigenvalues,
         _draw)
    case("linalg.eigh", f"squared elements of the eigenvectors, {_label}",
         lambda x: squared(linalg.eigh(hermitised(x)).eigenvectors), _draw)
    case("linalg.eigvalsh", _label, lambda x: linalg.eigvalsh(hermitised(x)), _draw)
case("linalg.eigh", "projector", lambda x: _projector(x, 2), hermitian(4, 4))
for _label, _values, _k in (
    ("repeated", [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]], 1),
    ("repeated, full", [[5.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 5.0]], 2),
    ("all the same", [[1.5, 0.0], [0.0, 1.5]], 0),
):
    # Sums over equal eigenvalues are smooth, each of them is not.
    case("linalg.eigvalsh", f"sums, {_label}", lambda x, k=_k:
         _sums(linalg.eigvalsh(hermitised(x)), k), given(_values), equal=True)
    case("linalg.eigh", f"sums of eigenvalues, {_label}",
         lambda x, k=_k: _sums(linalg.eigh(hermitised(x)).eigenvalues, k), given(_values),
         equal=True)
    case("linalg.eigh", f"function of the matrix, {_label}", _matrix_function, given(_values),
         equal=True)
    case("linalg.eigvalsh", f"power sums, {_label}",
         lambda x: _power_sums(linalg.eigvalsh(hermitised(x))), given(_values), equal=True)
case("linalg.eigh", "projector on equal ones", lambda x: _projector(x, 2),
     given([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), equal=True)


def _sums(w: Any, k: int) -> Any:
    return xp.sum(w[:k]), xp.sum(w[k:])


def _eig_function(x: Any) -> Any:
    w, v = linalg.eig(x)
    return scaled(v, xp.exp(0.3 * w)) @ linalg.inv(v)


def _power_sums(w: Any) -> Any:
    return tuple(xp.sum(w**k, axis=-1) for k in (1, 2, 3))


def _weighted_squares(x: Any) -> Any:
    w, v = linalg.eig(x)
    return xp.sum(squared(v) * xp.expand_dims(w * w, -2), axis=-1)


for _label, _draw in {
    "(3, 3)": general(3),
    "stack": general(2, 2),
    "(1, 1)": general(1),
    "symmetric": hermitian(3, 3),
    "no matrices": normal(0, 2, 2),
}.items():
    case("linalg.eig", f"function of the matrix, {_label}", _eig_function, _draw)
    case("linalg.eig", f"eigenvalues, {_label}", lambda x: _power_sums(linalg.eig(x).eigenvalues),
         _draw)
    case("linalg.eig", f"squared elements, {_label}", _weighted_squares, _draw)
    case("linalg.eigvals", _label, lambda x: _power_sums(linalg.eigvals(x)), _draw)


def _svd_function(x: Any, full: bool) -> Any:
    u, s, vh = linalg.svd(x, full_matrices=full)
    k = s.shape[-1]
    return scaled(u[..., :k], xp.sin(s)) @ vh[..., :k, :]


def _left_vectors(x: Any, full: bool) -> Any:
    return linalg.svd(x, full_matrices=full).U


def _right_vectors(x: Any, full: bool) -> Any:
    return adjoint(linalg.svd(x, full_matrices=full).Vh)


def _complement(u: Any, k: int) -> Any:
    return u[..., k:] @ adjoint(u[..., k:])


for _label, _shape in {
    "tall": (4, 2), "wide": (2, 4), "square": (3, 3), "stack": (2, 3, 2), "row": (1, 3),
}.items():
    _k = min(_shape[-2:])
    case("linalg.svdvals", _label, linalg.svdvals, matrix(*_shape))
    for _full in (False, True):
        _text = f"{_label}, {'full' if _full else 'reduced'}"
        case("linalg.svd", f"function of the matrix, {_text}",
             lambda x, f=_full: _svd_function(x, f), matrix(*_shape))
        case("linalg.svd", f"S, {_text}", lambda x, f=_full: linalg.svd(x, full_matrices=f).S,
             matrix(*_shape))
        case("linalg.svd", f"abs(U)**2 and abs(V)**2, {_text}",
             lambda x, f=_full, k=_k: (squared(_left_vectors(x, f)[..., :k]),
             squared(_right_vectors(x, f)[..., :k])), matrix(*_shape))
    if _shape[-2] != _shape[-1]:
        case("linalg.svd", f"projectors on the complements, {_label}",
             lambda x, k=_k: (_complement(_left_vectors(x, True), k),
             _complement(_right_vectors(x, True), k)), matrix(*_shape))
_REPEATED = [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
case("linalg.svdvals", "sums, repeated", lambda x: _sums(linalg.svdvals(x), 2), given(_REPEATED),
     equal=True)
case("linalg.svdvals", "power sum, repeated", lambda x: xp.sum(linalg.svdvals(x) ** 3),
     given(_REPEATED), equal=True)
for _full in (False, True):
    case("linalg.svd", f"function of the matrix, repeated, {'full' if _full else 'reduced'}",
         lambda x, f=_full: _svd_function(x, f), given(_REPEATED), equal=True)
    case("linalg.svd", f"sums of S, repeated, {'full' if _full else 'reduced'}",
         lambda x, f=_full: _sums(linalg.svd(x, full_matrices=f).S, 2), given(_REPEATED),
         equal=True)
case("linalg.svdvals", "empty", linalg.svdvals, normal(0, 3))
case("linalg.svd", "empty", lambda x: linalg.svd(x, full_matrices=False).S, normal(0, 3, 2))

for _label, _shape in {
    "tall": (4, 2), "wide": (2, 4), "square": (3, 3), "stack": (2, 3, 2), "column": (3, 1),
}.items():
    _k = min(_shape[-2:])
    for _mode in ("reduced", "complete"):
        case("linalg.qr", f"squared elements, {_label}, {_mode}",
             lambda x, m=_mode, k=_k: (squared(linalg.qr(x, mode=m).Q[..., :k]),
             squared(linalg.qr(x, mode=m).R)), matrix(*_shape))
        case("linalg.qr", f"product, {_label}, {_mode}",
             lambda x, m=_mode: linalg.qr(x, mode=m).Q @ (2 * linalg.qr(x, mode=m).R) ** 1,
             matrix(*_shape))
    if _shape[-2] > _shape[-1]:
        case("linalg.qr", f"projector on the complement, {_label}",
             lambda x, k=_k: _complement(linalg.qr(x, mode="complete").Q, k), matrix(*_shape))
case("linalg.qr", "empty", lambda x: linalg.qr(x).R, normal(0, 3, 2))

# ---- Fourier transforms

_NORMS = ("backward", "ortho", "forward")


def _transform(name: str, **how: Any) -> Callable[[Any], Any]:
    return lambda x: getattr(fft, name)(x, **how)


for _name, _kinds in {
    "fft": "fc", "ifft": "fc", "rfft": "f", "irfft": "fc", "hfft": "fc", "ihfft": "f",
}.items():
    _full = f"fft.{_name}"
    for _norm in _NORMS:
        for _n in (4, 5):
            case(_full, f"{_n} points, {_norm}", _transform(_name, norm=_norm), normal(_n),
                 kinds=_kinds)
        for _n in (3, 8) if _norm == "ortho" else (6,):
            case(_full, f"5 points, n={_n}, {_norm}", _transform(_name, n=_n, norm=_norm),
                 normal(5), kinds=_kinds)
    for _n in (1, 2, 7):
        case(_full, f"4 points, n={_n}", _transform(_name, n=_n), normal(4), kinds=_kinds)
    case(_full, "axis 0", _transform(_name, axis=0), normal(4, 2), kinds=_kinds)
    case(_full, "axis -2, n=5", _transform(_name, n=5, axis=-2), normal(2, 3, 2), kinds=_kinds)
    case(_full, "no rows", _transform(_name), normal(0, 4), kinds=_kinds)
    case(_full, "one point" if _name not in ("irfft", "hfft") else "two points", _transform(_name),
         normal(1 if _name not in ("irfft", "hfft") else 2), kinds=_kinds)
for _name, _kinds in {"fftn": "fc", "ifftn": "fc", "rfftn": "f", "irfftn": "fc"}.items():
    _full = f"fft.{_name}"
    for _norm in _NORMS:
        case(_full, f"all axes, {_norm}", _transform(_name, norm=_norm), normal(3, 4), kinds=_kinds)
    case(_full, "odd", _transform(_name), normal(2, 3, 3), kinds=_kinds)
    case(_full, "axes", _transform(_name, axes=(0, 1)), normal(4, 3, 2), kinds=_kinds)
    case(_full, "axes in another order", _transform(_name, axes=(1, 0)), normal(4, 3), kinds=_kinds)
    case(_full, "s and axes", _transform(_name, s=(5, 2), axes=(-1, 0), norm="ortho"),
         normal(3, 2, 4), kinds=_kinds)
    case(_full, "s odd", _transform(_name, s=(2, 5), axes=(0, 1), norm="forward"), normal(3, 3),
         kinds=_kinds)
    case(_full, "one axis", _transform(_name, axes=(-2,)), normal(4, 2), kinds=_kinds)
    case(_full, "no matrices", _transform(_name, axes=(1, 2)), normal(0, 2, 3), kinds=_kinds)
for _name in ("fftshift", "ifftshift"):
    case(f"fft.{_name}", "one axis", _transform(_name), normal(5))
    case(f"fft.{_name}", "all axes", _transform(_name), normal(3, 4))
    case(f"fft.{_name}", "axis 0", _transform(_name, axes=0), normal(3, 4))
    case(f"fft.{_name}", "axes", _transform(_name, axes=(0, -1)), normal(3, 2, 4))
    case(f"fft.{_name}", "empty", _transform(_name), normal(0, 3))

# ---- special functions: where to draw each operand from, or what it is

_SPECIAL: dict[str, tuple[Any, ...]] = {
    "bdtr": (2, 5, (0.1, 0.9)),
    "bdtrc": (2, 5, (0.1, 0.9)),
    "bdtri": (2, 5, (0.1, 0.9)),
    "beta": ((0.5, 3), (0.5, 3)),
    "betainc": (1.5, 2.5, (0.1, 0.9)),
    "betaincc": (1.5, 2.5, (0.1, 0.9)),
    "betainccinv": (1.5, 2.5, (0.1, 0.9)),
    "betaincinv": (1.5, 2.5, (0.1, 0.9)),
    "betaln": ((0.5, 3), (0.5, 3)),
    "binom": ((2.5, 5), (0.5, 2)),
    "boxcox": ((0.5, 3), (-2, 2)),
    "boxcox1p": ((0.5, 3), (-2, 2)),
    "cbrt": ((0.5, 3),),
    "chdtr": (3, (0.5, 4)),
    "chdtrc": (3, (0.5, 4)),
    "chdtri": (3, (0.1, 0.9)),
    "cosdg": ((-90, 90),),
    "cosm1": ((-2, 2),),
    "cotdg": ((20, 80),),
    "digamma": ((0.5, 3),),
    "ellipe": ((-2, 0.9),),
    "ellipk": ((-2, 0.9),),
    "ellipkm1": ((0.1, 3),),
    "entr": ((0.2, 2),),
    "erf": ((-2, 2), "c"),
    "erfc": ((-2, 2), "c"),
    "erfcinv": ((0.2, 1.8),),
    "erfcx": ((-1, 3), "c"),
    "erfinv": ((-0.8, 0.8),),
    "exp1": ((0.3, 3), "c"),
    "exp10": ((-1, 1),),
    "exp2": ((-3, 3),),
    "expi": ((0.3, 3), "c"),
    "expit": ((-5, 5),),
    "expn": (3, (0.3, 3)),
    "exprel": ((-3, 3),),
    "fdtr": (3, 5, (0.3, 4)),
    "fdtrc": (3, 5, (0.3, 4)),
    "fdtri": (3, 5, (0.1, 0.9)),
    "gamma": ((0.5, 3),),
    "gammainc": (1.5, (0.3, 4)),
    "gammaincc": (1.5, (0.3, 4)),
    "gammainccinv": (1.5, (0.1, 0.9)),
    "gammaincinv": (1.5, (0.1, 0.9)),
    "gammaln": ((0.5, 3),),
    "gammasgn": ((-0.8, -0.2),),
    "gdtr": ((0.5, 2), 2.5, (0.3, 4)),
    "gdtrc": ((0.5, 2), 2.5, (0.3, 4)),
    "huber": ((1, 1.5), (2, 3)),
    "hyp1f1": (1.5, 2.5, (-2, 2), "c"),
    "i0": ((-3, 3),),
    "i0e": ((0.2, 5),),
    "i1": ((-3, 3),),
    "i1e": ((0.2, 5),),
    "inv_boxcox": ((0.1, 1), (-0.5, 2)),
    "inv_boxcox1p": ((0.1, 1), (-0.5, 2)),
    "iv": (2.5, (0.5, 5), "c"),
    "ive": (2.5, (0.2, 5)),
    "j0": ((-5, 5),),
    "j1": ((-5, 5),),
    "jn": (2, (0.5, 5), "c"),
    "jv": (2.5, (0.5, 5), "c"),
    "k0": ((0.5, 5),),
    "k0e": ((0.5, 5),),
    "k1": ((0.5, 5),),
    "k1e": ((0.5, 5),),
    "kl_div": ((0.5, 3), (0.5, 3)),
    "kv": (2.5, (0.5, 5), "c"),
    "kve": (2.5, (0.5, 5), "c"),
    "log_expit": ((-5, 5),),
    "log_ndtr": ((-20, 3), "c"),
    "loggamma": ((0.5, 3),),
    "logit": ((0.1, 0.9),),
    "lpmv": (2, 3.5, (-0.8, 0.8)),
    "nbdtr": (2, 5, (0.1, 0.9)),
    "nbdtrc": (2, 5, (0.1, 0.9)),
    "nbdtri": (2, 5, (0.1, 0.9)),
    "ndtr": ((-3, 3), "c"),
    "ndtri": ((0.1, 0.9),),
    "ndtri_exp": ((-20, -0.1),),
    "pdtr": (2, (0.3, 4)),
    "pdtrc": (2, (0.3, 4)),
    "pdtri": (2, (0.1, 0.9)),
    "poch": ((0.5, 3), (0.5, 3)),
    "polygamma": (2, (1, 3)),
    "pseudo_huber": ((1, 2), (-3, 3)),
    "psi": ((0.5, 3),),
    "radian": ((1, 3), (1, 3), (1, 3)),
    "rel_entr": ((0.5, 3), (0.5, 3)),
    "rgamma": ((-2, 3),),
    "sinc": ((-2, 2), "c"),
    "sindg": ((-90, 90),),
    "spence": ((0.2, 3), "c"),
    "stdtr": (3, (-4, 4)),
    "stdtrit": (3, (0.1, 0.9)),
    "tandg": ((-60, 60),),
    "xlog1py": ((0.5, 3), (-0.5, 3), "c"),
    "xlogy": ((0.5, 3), (0.5, 3), "c"),
    "y0": ((1, 5),),
    "y1": ((1, 5),),
    "yn": (3, (2, 5)),
    "yv": (2.5, (1, 5), "c"),
    "zeta": (3, (0.5, 3)),
}


def _among(function: Any, operands: tuple[Any, ...]) -> Callable[..., Any]:
    """Function of the random operands, with the others fixed."""

    def call(*drawn: Any) -> Any:
        rest = iter(drawn)
        return function(*[next(rest) if isinstance(x, tuple) else x for x in operands])

    return call


for _name, _operands in _SPECIAL.items():
    _kinds = "fc" if _operands[-1] == "c" else "f"
    _operands = tuple(x for x in _operands if x != "c")
    _intervals = [x for x in _operands if isinstance(x, tuple)]
    _call = _among(getattr(special, _name), _operands)
    case(f"special.{_name}", "(2, 3)", _call, *[within(*x, 2, 3) for x in _intervals],
         kinds=_kinds)
    case(f"special.{_name}", "()", _call, *[within(*x) for x in _intervals], kinds="f")
    if len(_intervals) > 1:
        case(f"special.{_name}", "broadcast", _call,
             *[within(*x, *s) for x, s in zip(_intervals, ((2, 1), (3,), ()), strict=False)],
             kinds=_kinds)

# Where a series takes over, and far out.
for _name, _least, _most in (
    ("erfcx", 8, 14), ("exprel", -1e-2, 1e-2), ("exprel", 0.8, 1.2), ("sinc", -1e-2, 1e-2),
    ("j1", -1e-2, 1e-2), ("j1", 0.8, 1.2), ("i1", -1e-2, 1e-2), ("i1e", 1e-3, 1e-2),
    ("ellipk", -1e-2, 1e-2), ("ellipe", -1e-2, 1e-2), ("ellipkm1", 0.99, 1.01),
    ("spence", 0.99, 1.01), ("gamma", -2.8, -2.2), ("rgamma", -2.2, -1.8), ("log_ndtr", -60, -40),
):
    case(f"special.{_name}", f"in ({_least}, {_most})", getattr(special, _name),
         within(_least, _most, 3), kinds="f")
for _name in ("boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p"):
    case(f"special.{_name}", "λ near 0", getattr(special, _name), within(0.5, 1, 3),
         within(-1e-2, 1e-2, 3), kinds="f")
case("special.expn", "of order 0 and 1", lambda x: special.expn(const(x, [0, 1, 2]), x),
     within(0.5, 2, 3), kinds="f")
case("special.yn", "orders", lambda x: special.yn(const(x, [0, 1, -2]), x), within(2, 5, 3),
     kinds="f")
case("special.lpmv", "orders", lambda x: special.lpmv(const(x, [0.0, 1.0, -1.0]), 2.0, x),
     within(-0.8, 0.8, 3), kinds="f")
case("special.huber", "below delta", special.huber, within(2, 3, 3), within(-1, 1, 3), kinds="f")
case("special.bdtr", "k rounded down", lambda k, p: special.bdtr(xp.abs(k), 5, p), between(0.1, 3),
     within(0.1, 0.9, 3), kinds="f")
case("special.pdtr", "k rounded down", lambda k, m: special.pdtr(xp.abs(k), m), between(0.1, 3),
     within(0.5, 2, 3), kinds="f")
case("special.xlogy", "of one operand", lambda x: special.xlogy(x, x), within(0.5, 3, 3))
case("special.stdtr", "large df", lambda t: special.stdtr(1e10, t), within(-2, 2, 3), kinds="f")
case("special.multigammaln", "d=3", lambda a: special.multigammaln(a, 3), within(2, 4, 2, 3),
     kinds="f")
case("special.multigammaln", "d=1", lambda a: special.multigammaln(a, 1), within(2, 4), kinds="f")
for _name in ("softmax", "log_softmax", "logsumexp"):
    for _axis in (None, 0, -1, (0, 1)):
        case(f"special.{_name}", f"axis {_axis}",
             lambda x, f=getattr(special, _name), a=_axis: f(x, axis=a), normal(2, 3))
    case(f"special.{_name}", "no axes", getattr(special, _name), normal())
    case(f"special.{_name}", "(0, 2)", lambda x, f=getattr(special, _name): f(x, axis=1),
         normal(0, 2))
case("special.logsumexp", "keepdims", lambda x: special.logsumexp(x, axis=1, keepdims=True),
     normal(2, 3))
case("special.logsumexp", "weights", lambda x, b: special.logsumexp(x, axis=1, b=b),
     normal(2, 3), positive(3))
case("special.logsumexp", "one weight", lambda x: special.logsumexp(x, axis=0, b=2.0),
     normal(2, 3))
case("special.logsumexp", "weights of both signs, keepdims",
     lambda x, b: special.logsumexp(x, axis=0, b=b, keepdims=True, return_sign=True),
     normal(2, 3), nonzero(2, 1))
case("special.logsumexp", "sign", lambda x: special.logsumexp(x, return_sign=True), normal(2, 3))

# ---- functions of arraygrad.scipy


def _dominant(n: int, *stack: int) -> Builder:
    """Square matrices with a diagonal away from 0."""
    return lambda rng, kind: normal(*stack, n, n)(rng, kind) + 4 * np.eye(n)


def _near_identity(n: int, *stack: int) -> Builder:
    """Square matrices away from the cuts and poles of functions of matrices."""
    return lambda rng, kind: 0.2 * normal(*stack, n, n)(rng, kind) + np.eye(n)


for _trans in (0, 1, 2):
    for _lower in (False, True):
        case("scipy.linalg.solve_triangular", f"trans={_trans}, lower={_lower}",
             partial(scipy.linalg.solve_triangular, trans=_trans, lower=_lower),
             _dominant(3), normal(3))
        case("scipy.linalg.solve_triangular", f"trans={_trans}, lower={_lower}, unit diagonal",
             partial(scipy.linalg.solve_triangular, trans=_trans, lower=_lower, unit_diagonal=True),
             normal(3, 3), normal(3, 2))
for _label, _a, _b in (
    ("stacks that broadcast", _dominant(2, 3, 1), normal(2, 2, 1)),
    ("stack, vector", _dominant(2, 3), normal(2)),
    ("no columns", _dominant(2), normal(2, 0)),
    ("no rows", normal(0, 0), normal(0, 2)),
    ("no matrices", normal(0, 2, 2), normal(2)),
):
    case("scipy.linalg.solve_triangular", _label, scipy.linalg.solve_triangular, _a, _b)
    case("scipy.linalg.cho_solve", _label, lambda c, b: scipy.linalg.cho_solve((c, True), b), _a,
         _b)
case("scipy.linalg.solve_triangular", "real, complex", scipy.linalg.solve_triangular,
     real(_dominant(2)), normal(2), kinds="c")
for _lower in (False, True):
    case("scipy.linalg.cholesky", f"lower={_lower}",
         lambda x, low=_lower: scipy.linalg.cholesky(definite(x), low), normal(3, 3))
    case("scipy.linalg.cho_factor", f"lower={_lower}",
         lambda x, low=_lower: scipy.linalg.cho_factor(definite(x), low)[0], normal(2, 3, 3))
    case("scipy.linalg.cho_solve", f"lower={_lower}",
         lambda c, b, low=_lower: scipy.linalg.cho_solve((c, low), b), _dominant(3), normal(3, 2))
for _name in "expm logm sqrtm sinm cosm tanm sinhm coshm tanhm".split():
    for _label, _draw in {
        "(3, 3)": _near_identity(3), "stack": _near_identity(2, 2), "(1, 1)": _near_identity(1),
        "(0, 0)": normal(0, 0), "no matrices": normal(0, 2, 2),
    }.items():
        case(f"scipy.linalg.{_name}", _label, getattr(scipy.linalg, _name), _draw)
case("scipy.linalg.expm", "nilpotent", scipy.linalg.expm, given([[0.0, 1.0], [0.0, 0.0]]))
case("scipy.linalg.expm", "zeros", scipy.linalg.expm, given([[0.0, 0.0], [0.0, 0.0]]))
case("scipy.linalg.expm", "large", scipy.linalg.expm, given([[9.0, 1.0], [-4.0, 8.0]]))
case("scipy.linalg.sqrtm", "equal eigenvalues", scipy.linalg.sqrtm, given([[2.0, 1.0], [0.0, 2.0]]))
case("scipy.linalg.sqrtm", "negative eigenvalue", scipy.linalg.sqrtm,
     given([[1.0, 2.0], [3.0, -4.0]]), kinds="f")
for _label, _stack in (("matrices", ()), ("stacks", (2,))):
    case("scipy.linalg.solve_sylvester", _label, scipy.linalg.solve_sylvester,
         _dominant(3, *_stack), _dominant(2), normal(3, 2))
case("scipy.linalg.solve_sylvester", "no columns", scipy.linalg.solve_sylvester, _dominant(2),
     normal(0, 0), normal(2, 0))
case("scipy.linalg.solve_sylvester", "with itself", lambda a: scipy.linalg.solve_sylvester(a, a, a),
     _dominant(2))


def _of_band(lower: int, upper: int, n: int = 5) -> Any:
    """Diagonals of a matrix whose main diagonal dominates."""
    main = np.eye(lower + upper + 1)[:, upper, None] * (lower + upper + 2.0)
    return lambda *a: normal(lower + upper + 1, n)(*a) + main


for _below, _above in ((1, 1), (2, 1), (0, 2), (0, 0), (5, 6)):
    for _label, _shape in (("", ()), (", columns", (2,)), (", none", (0,))):
        case("scipy.linalg.solve_banded", f"{_below} and {_above}{_label}",
             lambda ab, b, w=(_below, _above): scipy.linalg.solve_banded(w, ab, b),
             _of_band(_below, _above), normal(5, *_shape))


def _solved(a: Any, b: Any) -> Any:
    found = scipy.linalg.lstsq(a, b)
    return found.x, found.residues, found.s


for _label, _shape in {"tall": (4, 2), "wide": (2, 4), "square": (3, 3)}.items():
    case("scipy.linalg.lstsq", f"{_label}, vector", _solved, matrix(*_shape), normal(_shape[0]))
    case("scipy.linalg.lstsq", _label, _solved, matrix(*_shape), normal(_shape[0], 2))
case("scipy.linalg.lstsq", "rank 2 of 3", lambda x, y, b: scipy.linalg.lstsq(x @ y, b).x,
     matrix(4, 2), matrix(2, 3), normal(4))

#: Distributions -> intervals of the argument and of the shapes.
_STATS: dict[str, tuple[tuple[float, float], ...]] = {
    "norm": ((-3, 3),), "uniform": ((0.4, 0.8),), "expon": ((0.4, 3),),
    "gamma": ((0.4, 3), (1.5, 3)), "beta": ((0.4, 0.8), (1.5, 3), (0.5, 2)),
    "t": ((-3, 3), (2, 9)), "chi2": ((0.4, 3), (1.5, 3)), "lognorm": ((0.4, 3), (0.5, 2)),
    "laplace": ((0.4, 3),), "logistic": ((-3, 3),), "cauchy": ((-3, 3),),
}
for _name, (_x, *_params) in _STATS.items():
    _d, _function = getattr(scipy.stats, _name), f"scipy.stats.{_name}"
    _all = [within(*s, 2, 1) for s in _params] + [within(-0.1, 0.1, 3), within(1, 1.2)]
    for _method in ("logpdf", "pdf"):
        case(_function, _method, getattr(_d, _method), within(*_x, 2, 3), *_all, kinds="f")
    for _method in ("cdf", "logcdf", "sf", "logsf", "ppf", "isf"):
        _drawn = within(0.1, 0.9, 3) if _method in ("ppf", "isf") else within(*_x, 2, 3)
        case(_function, _method, lambda x, loc, scale, f=getattr(_d, _method), s=len(_params):
             f(x, *[2.5] * s, loc=loc, scale=scale), _drawn, *_all[-2:], kinds="f")
for _method in ("logpmf", "pmf", "cdf", "logcdf", "sf", "logsf"):
    case("scipy.stats.poisson", _method, lambda p, f=getattr(scipy.stats.poisson, _method):
         f(const(p, [0.0, 1.0, 3.0]), p), within(0.5, 3, 3), kinds="f")
    case("scipy.stats.binom", _method, lambda p, f=getattr(scipy.stats.binom, _method):
         f(const(p, [0.0, 1.0, 3.0]), 4, p), within(0.2, 0.8, 3), kinds="f")
    case("scipy.stats.bernoulli", _method, lambda p, f=getattr(scipy.stats.bernoulli, _method):
         f(const(p, [0.0]), p), within(0.2, 0.8, 3), kinds="f")
case("scipy.stats.bernoulli", "of 1", lambda p: scipy.stats.bernoulli.pmf(const(p, [1.0]), p),
     within(0.2, 0.8, 3), kinds="f")
for _label, _cov in {"matrix": _dominant(3), "diagonal": positive(3), "number": positive()}.items():
    for _method in ("logpdf", "pdf"):
        case("scipy.stats.multivariate_normal", f"{_method}, {_label}", getattr(
             scipy.stats.multivariate_normal, _method), normal(2, 3), normal(3), _cov, kinds="f")
    case("scipy.stats.multivariate_normal", f"entropy, {_label}", lambda m, c:
         scipy.stats.multivariate_normal.entropy(m, c), normal(3), _cov, kinds="f")
case("scipy.stats.multivariate_normal", "allow_singular", lambda x, m, c:
     scipy.stats.multivariate_normal.logpdf(x, m, c, True), normal(2, 3), normal(3), _dominant(3),
     kinds="f")
for _method in ("logpdf", "pdf"):
    case("scipy.stats.dirichlet", _method, getattr(scipy.stats.dirichlet, _method),
         within(0.1, 0.3, 3, 2), positive(4), kinds="f")


def _denominator(n: int) -> Builder:
    """Coefficients of a stable recursion."""
    return lambda rng, kind: np.concatenate([[1.5], 0.2 * normal(n - 1)(rng, kind)])


for _m, _n in ((3, 3), (2, 4), (4, 2), (3, 1), (1, 3)):
    case("scipy.signal.lfilter", f"{_m} and {_n} coefficients", scipy.signal.lfilter, normal(_m),
         _denominator(_n), normal(2, 6))
    case("scipy.signal.lfilter", f"{_m} and {_n} coefficients, state",
         lambda b, a, x, zi: scipy.signal.lfilter(b, a, x, zi=zi), normal(_m), _denominator(_n),
         normal(7), normal(max(_m, _n) - 1))
case("scipy.signal.lfilter", "axis 0", lambda b, a, x, zi: scipy.signal.lfilter(b, a, x, 0, zi),
     normal(2), _denominator(3), normal(4, 2), normal(2, 1))
case("scipy.signal.lfilter", "one sample", lambda b, a, x, zi: scipy.signal.lfilter(b, a, x, zi=zi),
     normal(2), _denominator(3), normal(1), normal(2))
case("scipy.signal.lfilter", "no samples", lambda b, a, x, zi: scipy.signal.lfilter(b, a, x, zi=zi),
     normal(2), _denominator(3), normal(0), normal(2))


def _sections(rng: np.random.Generator, kind: str) -> Any:
    rows = [[normal(3)(rng, kind), _denominator(3)(rng, kind)] for _ in range(2)]
    return np.reshape(rows, (2, 6))


case("scipy.signal.sosfilt", "two sections", scipy.signal.sosfilt, _sections, normal(5))
case("scipy.signal.sosfilt", "states", lambda sos, x, zi: scipy.signal.sosfilt(sos, x, 0, zi),
     _sections, normal(4, 2), normal(2, 2, 2))
case("scipy.signal.lfilter_zi", "(3, 3)", scipy.signal.lfilter_zi, normal(3), _denominator(3))
case("scipy.signal.lfilter_zi", "(1, 3)", scipy.signal.lfilter_zi, normal(1), _denominator(3))
for _pad in ("odd", "even", "constant", None):
    case("scipy.signal.filtfilt", f"{_pad}", partial(scipy.signal.filtfilt, padtype=_pad, padlen=3),
         normal(2), _denominator(2), normal(2, 5))
for _mode in ("full", "same", "valid"):
    for _label, _a, _b in (
        ("vectors", (5,), (2,)), ("short, long", (2,), (4,)), ("matrices", (3, 4), (2, 2)),
        ("no axes", (), ()), ("three axes", (2, 3, 2), (1, 2, 2)),
    ):
        for _method in ("direct", "fft"):
            case("scipy.signal.convolve", f"{_label}, {_mode}, {_method}",
                 partial(scipy.signal.convolve, mode=_mode, method=_method), normal(*_a),
                 normal(*_b))
    case("scipy.signal.correlate", f"{_mode}", partial(scipy.signal.correlate, mode=_mode),
         normal(4), normal(3))
    for _boundary in ("fill", "wrap", "symm"):
        case("scipy.signal.convolve2d", f"{_mode}, {_boundary}",
             partial(scipy.signal.convolve2d, mode=_mode, boundary=_boundary, fillvalue=2.0),
             normal(3, 4), normal(2, 3))
case("scipy.signal.convolve", "real, complex", scipy.signal.convolve, real(normal(4)), normal(2),
     kinds="c")
case("scipy.signal.convolve2d", "fillvalue", lambda x, h, v: scipy.signal.convolve2d(x, h,
     fillvalue=v), normal(2, 2), normal(2, 2), normal())

for _mode in ("reflect", "constant", "nearest", "mirror", "wrap"):
    _edge: dict[str, Any] = {"mode": _mode, "cval": 1.5}
    for _order in (0, 1):
        case("scipy.ndimage.gaussian_filter", f"{_mode}, order {_order}",
             partial(scipy.ndimage.gaussian_filter, sigma=(0.7, 0.4), order=_order, **_edge),
             normal(4, 3))
    for _size, _origin in ((3, 0), (2, 0), (4, 1), (3, -1)):
        case("scipy.ndimage.uniform_filter", f"{_mode}, size {_size}, origin {_origin}",
             partial(scipy.ndimage.uniform_filter, size=_size, origin=_origin, **_edge),
             normal(5, 2))
        for _name in ("correlate1d", "convolve1d"):
            case(f"scipy.ndimage.{_name}", f"{_mode}, size {_size}, origin {_origin}",
                 partial(getattr(scipy.ndimage, _name), axis=0, origin=_origin if _size == 3 else 0,
                         **_edge), normal(4, 2), real(normal(_size)))
    for _name in ("correlate", "convolve"):
        case(f"scipy.ndimage.{_name}", _mode, partial(getattr(scipy.ndimage, _name), **_edge),
             normal(3, 3), real(normal(3, 2)))
case("scipy.ndimage.gaussian_filter", "two modes, radius", partial(scipy.ndimage.gaussian_filter,
     sigma=1, mode=("wrap", "mirror"), radius=(2, 1)), normal(3, 4))
case("scipy.ndimage.gaussian_filter", "wider than the input", partial(
     scipy.ndimage.gaussian_filter, sigma=2), normal(3))
case("scipy.ndimage.gaussian_filter1d", "axis 0", partial(scipy.ndimage.gaussian_filter1d,
     sigma=0.6, axis=0), normal(4, 2))
case("scipy.ndimage.uniform_filter1d", "axis 0", partial(scipy.ndimage.uniform_filter1d,
     size=3, axis=0), normal(4, 2))

for _n in (1, 2, 3, 4, 5, 6):
    case("scipy.integrate.simpson", f"{_n} points", scipy.integrate.simpson, normal(2, _n))
    case("scipy.integrate.simpson", f"{_n} points, abscissae", lambda y, h: scipy.integrate.simpson(
         y, xp.cumulative_sum(h), axis=0), normal(_n, _n), within(0.5, 1.5, _n), kinds="f")
case("scipy.integrate.simpson", "dx", lambda y, h: scipy.integrate.simpson(y, dx=h), normal(4),
     real(positive()))
for _method in ("RK45", "RK23"):
    for _times in (None, [0.2, 1.0]):
        case("scipy.integrate.solve_ivp", f"{_method}, t_eval={_times}",
             lambda y, a, m=_method, t=_times: scipy.integrate.solve_ivp(
                 lambda t, y: a * y * (1 - y), (0, 1), y, m, t, first_step=0.25, max_step=0.25,
                 rtol=1.0, atol=1.0).y, within(0.3, 0.6, 2), within(0.5, 1.5))
for _t in ([0.0, 0.3, 1.0], [1.0, 0.4, -0.2]):
    case("scipy.integrate.odeint", f"t={_t}",
         lambda y, a, t: scipy.integrate.odeint(lambda y, t: a * y * (1 - y) + 0.1 * t, y, t,
                                                rtol=1.0, atol=1.0, h0=0.25, hmax=0.25),
         within(0.3, 0.6, 2), within(0.5, 1.5), given(_t), kinds="f")
case("scipy.integrate.odeint", "time first", lambda y, a: scipy.integrate.odeint(
     lambda t, y: a * y, y, [0.0, 1.0], tfirst=True, h0=0.5, hmax=0.5, rtol=1.0, atol=1.0),
     within(0.3, 0.6, 2), within(0.5, 1.5))

for _axis in (0, 1):
    case("scipy.signal.detrend", f"axis {_axis}", partial(scipy.signal.detrend, axis=_axis),
         normal(4, 3))
case("scipy.signal.detrend", "constant", partial(scipy.signal.detrend, type="constant"),
     normal(4, 3))
case("scipy.signal.detrend", "breakpoints", partial(scipy.signal.detrend, bp=[1, 4]), normal(6))
for _mode in ("interp", "mirror", "constant", "nearest", "wrap"):
    case("scipy.signal.savgol_filter", _mode, partial(scipy.signal.savgol_filter, window_length=3,
         polyorder=1, mode=_mode), normal(2, 5))
case("scipy.signal.savgol_filter", "derivative, axis 0", lambda x, h: scipy.signal.savgol_filter(
     x, 5, 2, 1, h, 0), normal(6, 2), real(positive()))
case("scipy.signal.savgol_filter", "even window", lambda x: scipy.signal.savgol_filter(x, 4, 2),
     normal(6))
_SPECTRA: dict[str, dict[str, Any]] = {
    "defaults": {}, "overlap": {"nperseg": 4, "noverlap": 3}, "padded": {"nperseg": 3, "nfft": 6},
    "line": {"nperseg": 4, "detrend": "linear", "scaling": "spectrum"},
    "median": {"nperseg": 3, "average": "median"},
    "no trend, both sides": {"nperseg": 4, "detrend": False, "return_onesided": False},
}
for _label, _spectrum in _SPECTRA.items():
    case("scipy.signal.welch", _label, lambda x, how=_spectrum: scipy.signal.welch(x, **how)[1],
         normal(2, 9))
    case("scipy.signal.csd", _label, lambda x, y, how=_spectrum: scipy.signal.csd(
         x, y, **how)[1], normal(9), normal(2, 7))
case("scipy.signal.welch", "window, axis 0", lambda x, w: scipy.signal.welch(
     x, window=w, axis=0)[1], normal(8, 2), real(positive(4)))
for _nfft in (None, 4, 8):
    case("scipy.signal.periodogram", f"nfft={_nfft}", lambda x, n=_nfft:
         scipy.signal.periodogram(x, nfft=n)[1], normal(2, 5))

for _mode in ("reflect", "constant", "nearest", "mirror", "wrap"):
    for _name in ("sobel", "prewitt", "laplace"):
        case(f"scipy.ndimage.{_name}", _mode, partial(getattr(scipy.ndimage, _name), mode=_mode),
             normal(4, 3))
    case("scipy.ndimage.gaussian_laplace", _mode, partial(scipy.ndimage.gaussian_laplace, sigma=0.7,
         mode=_mode), normal(4, 3))
    case("scipy.ndimage.gaussian_gradient_magnitude", _mode, partial(
         scipy.ndimage.gaussian_gradient_magnitude, sigma=0.7, mode=_mode), normal(4, 3),
         kinds="f")
for _mode in ("constant", "grid-constant", "nearest", "mirror", "reflect", "wrap", "grid-wrap"):
    for _order in (0, 1, 2, 3, 5):
        _edge = {"mode": _mode, "order": _order}
        _places: Any = given([[0.3, 1.6, 2.2, 3.4, -1.7], [1.3, 0.4, 2.7, 0.8, 4.4]])
        if _order:
            case("scipy.ndimage.map_coordinates", f"{_mode}, order {_order}", partial(
                 scipy.ndimage.map_coordinates, cval=1.5, **_edge), normal(4, 3), real(_places))
        else:
            case("scipy.ndimage.map_coordinates", f"{_mode}, order 0", lambda x, e=_edge:
                 scipy.ndimage.map_coordinates(x, const(x, [[0.3, 1.6, 4.4], [1.3, 0.4, 7.7]]),
                                               **e), normal(4, 3))
    for _order in (2, 3):
        case("scipy.ndimage.spline_filter1d", f"{_mode}, order {_order}", partial(
             scipy.ndimage.spline_filter1d, order=_order, axis=0, mode=_mode), normal(4, 2))
    case("scipy.ndimage.spline_filter", _mode, partial(scipy.ndimage.spline_filter, mode=_mode),
         normal(4, 3))
    case("scipy.ndimage.shift", _mode, partial(scipy.ndimage.shift, mode=_mode, cval=1.5),
         normal(4, 3), real(given([0.3, -0.6])))
    case("scipy.ndimage.zoom", _mode, partial(scipy.ndimage.zoom, zoom=(1.5, 0.7), mode=_mode),
         normal(4, 3))
    case("scipy.ndimage.affine_transform", _mode, partial(scipy.ndimage.affine_transform,
         output_shape=(3, 4), mode=_mode), normal(4, 3),
         real(given([[0.937, 0.219], [-0.3171, 0.9133]])), real(given([0.1511, 0.2313])))
    case("scipy.ndimage.rotate", _mode, lambda x, a, m=_mode: scipy.ndimage.rotate(
         x, a, reshape=False, mode=m), normal(4, 3), real(given(33.3)))
for _shape, _matrix in {"diagonal": [0.9, 0.7], "homogeneous": [[0.9, 0.2, 0.13], [0.1, 0.8, 0.37],
                                                                [0.0, 0.0, 1.0]]}.items():
    case("scipy.ndimage.affine_transform", _shape, partial(scipy.ndimage.affine_transform, order=1,
         mode="nearest"), normal(4, 3), real(given(_matrix)))
case("scipy.ndimage.zoom", "grid", partial(scipy.ndimage.zoom, zoom=2, order=1, mode="grid-wrap",
     grid_mode=True), normal(3, 2))
case("scipy.ndimage.rotate", "three axes, reshaped", partial(scipy.ndimage.rotate, angle=30.0,
     axes=(0, 2)), normal(3, 2, 4))


def _knots(*shape: int) -> Builder:
    """Increasing numbers, of either kind."""
    return real(lambda rng, kind: np.cumsum(rng.uniform(0.5, 1.5, shape)))


def _around(y: Any) -> Any:
    """Data of a periodic function: the last is the first."""
    return xp.concat([y, y[:1, ...]])


_inside = real(within(1.2, 3.3, 2, 2))
for _bc in ("not-a-knot", "natural", "clamped", "periodic", ("natural", "not-a-knot")):
    for _n in (2, 3, 4, 6):
        case("scipy.interpolate.CubicSpline", f"{_bc}, {_n} points", lambda x, y, q, bc=_bc:
             scipy.interpolate.CubicSpline(x, _around(y[:-1, :]) if bc == "periodic" else y,
                                           bc_type=bc)(q), _knots(_n), normal(_n, 2), _inside)
case("scipy.interpolate.CubicSpline", "given derivatives, axis 1", lambda x, y, v, w, q:
     scipy.interpolate.CubicSpline(x, y, 1, ((1, v), (2, w)))(q, 1), _knots(5), normal(2, 5),
     normal(2), normal(), _inside)
case("scipy.interpolate.CubicSpline", "integral", lambda x, y, a, b: scipy.interpolate.CubicSpline(
     x, y).integrate(a, b), _knots(5), normal(5), real(within(0, 2)), real(within(3, 9, 2)))
case("scipy.interpolate.CubicSpline", "periodic integral", lambda x, y, a, b:
     scipy.interpolate.CubicSpline(x, _around(y), bc_type="periodic").integrate(a, b), _knots(5),
     normal(4), real(within(0, 2)), real(within(3, 9)))
case("scipy.interpolate.CubicHermiteSpline", "values and slopes", lambda x, y, d, q:
     scipy.interpolate.CubicHermiteSpline(x, y, d)(q, 1), _knots(4), normal(4, 2), normal(4, 2),
     _inside)
case("scipy.interpolate.PPoly", "values, derivative, integral", lambda c, x, q: (
     (p := scipy.interpolate.PPoly(c, x))(q), p.derivative(2)(q), p.antiderivative(2)(q)),
     normal(4, 3, 2), _knots(4), _inside)
for _n in (2, 3, 6):
    case("scipy.interpolate.PchipInterpolator", f"{_n} points", lambda x, y, q:
         scipy.interpolate.PchipInterpolator(x, y)(q), _knots(_n), distinct(_n, 2), _inside,
         kinds="f")
for _k in (0, 1, 2, 3, 5):
    case("scipy.interpolate.BSpline", f"degree {_k}", lambda t, c, q, k=_k:
         scipy.interpolate.BSpline(t, c, k)(0.5 * (t[k] + t[k + 1]) + 0.1 * q), _knots(2 * _k + 4),
         normal(_k + 3, 2), _inside)
case("scipy.interpolate.BSpline", "derivative, integral", lambda t, c, q: (
     (b := scipy.interpolate.BSpline(t, c, 3)).derivative()(q), b.antiderivative()(q),
     b.integrate(q[0, 0], q[1, 1]), b(q, 2)), _knots(9), normal(5), real(within(3.5, 4, 2, 2)))
for _k in (1, 2, 3, 4, 5):
    case("scipy.interpolate.make_interp_spline", f"degree {_k}", lambda x, y, q, k=_k:
         scipy.interpolate.make_interp_spline(x, y, k)(q), _knots(7), normal(7, 2), _inside)
for _k, _n in ((2, 3), (2, 9), (3, 4), (3, 12), (4, 13), (5, 16)):
    case("scipy.interpolate.make_interp_spline", f"periodic, degree {_k}, {_n} points",
         lambda x, y, q, k=_k: scipy.interpolate.make_interp_spline(
             x, _around(y), k, bc_type="periodic")(q), _knots(_n), normal(_n - 1), _inside)
for _ends in ("natural", "clamped", ([(1, 0.5)], [(2, 0.3)])):
    case("scipy.interpolate.make_interp_spline", f"{_ends}", lambda x, y, q, bc=_ends:
         scipy.interpolate.make_interp_spline(x, y, bc_type=bc)(q), _knots(5), normal(5), _inside)
case("scipy.interpolate.make_interp_spline", "knots, given derivatives", lambda x, y, t, v:
     scipy.interpolate.make_interp_spline(x, y, 2, xp.concat([x[:1], x[:1], x[:1], t, x[-1:],
     x[-1:], x[-1:]]), ([(1, v)], None))(x[1:] - 0.3), _knots(4), normal(4),
     lambda rng, kind: np.asarray([1.9, 2.6]), normal())
for _method in ("linear", "nearest"):
    case("scipy.interpolate.RegularGridInterpolator", f"{_method}", lambda v, m=_method:
         scipy.interpolate.RegularGridInterpolator((const(v, [0.0, 1.0, 3.0]), const(v, [0.0, 2.0]))
         , v, m)(const(v, [[0.4, 1.3], [2.7, 0.6]])), normal(3, 2, 2))
case("scipy.interpolate.RegularGridInterpolator", "points and places", lambda x, y, v, q:
     scipy.interpolate.RegularGridInterpolator((x, y), v, "linear", False, None)(q), _knots(4),
     _knots(3), normal(4, 3), real(within(1, 3, 3, 2)))

_METRICS: dict[str, dict[str, Any]] = {
    "euclidean": {}, "sqeuclidean": {}, "seuclidean": {}, "mahalanobis": {}, "minkowski": {"p": 3},
    "cityblock": {}, "chebyshev": {}, "cosine": {}, "correlation": {}, "canberra": {},
    "braycurtis": {}, "jensenshannon": {},
}
for _name, _how in _METRICS.items():
    case("scipy.spatial.distance.cdist", _name, partial(scipy.spatial.distance.cdist, metric=_name,
         **_how), within(0.3, 1, 4, 3), within(1.1, 2, 2, 3), kinds="f")
    case("scipy.spatial.distance.pdist", _name, partial(scipy.spatial.distance.pdist, metric=_name,
         **_how), distinct(5, 3) if _name != "jensenshannon" else within(0.3, 1, 5, 3), kinds="f")
    if _name not in ("seuclidean", "mahalanobis", "jensenshannon", "chebyshev"):
        case("scipy.spatial.distance.cdist", f"{_name}, weights", lambda u, v, w, m=_name, h=_how:
             scipy.spatial.distance.cdist(u, v, m, w=w, **h), within(0.3, 1, 2, 3),
             within(1.1, 2, 2, 3), within(0.5, 1, 3), kinds="f")
for _p in (1, 1.5, 2, float("inf")):
    case("scipy.spatial.distance.pdist", f"minkowski, p={_p}", partial(
         scipy.spatial.distance.pdist, metric="minkowski", p=_p), distinct(3, 2), kinds="f")
case("scipy.spatial.distance.cdist", "variances", lambda u, v, w: scipy.spatial.distance.cdist(
     u, v, "seuclidean", V=w), normal(2, 3), normal(2, 3), positive(3), kinds="f")
case("scipy.spatial.distance.cdist", "inverse covariance", lambda u, v, w:
     scipy.spatial.distance.cdist(u, v, "mahalanobis", VI=w), normal(2, 3), normal(2, 3),
     _dominant(3), kinds="f")
case("scipy.spatial.distance.squareform", "vector", scipy.spatial.distance.squareform, normal(6))
case("scipy.spatial.distance.squareform", "matrix", scipy.spatial.distance.squareform, normal(3, 3))

# fmt: on
# ---- the names of the standard

#: Functions of which no floating-point tensor is differentiated, and why.
WITHOUT_DERIVATIVE = {
    "__array_namespace_info__": "takes no tensor",
    "arange": "takes numbers",
    "broadcast_shapes": "takes shapes",
    "can_cast": "returns no tensor",
    "empty": "takes no tensor",
    "eye": "takes no tensor",
    "finfo": "returns no tensor",
    "from_dlpack": "reads memory that is not traced; raises for a traced tensor",
    "iinfo": "returns no tensor",
    "isdtype": "takes no tensor",
    "ones": "takes no tensor",
    "result_type": "returns no tensor",
    "zeros": "takes no tensor",
    "fft.fftfreq": "takes no tensor",
    "fft.rfftfreq": "takes no tensor",
}
#: Names of the namespace that the standard does not have. (einsum, the reductions that leave
#: out NaN and transpose are written in it; tests/test_einsum.py, tests/test_nan.py and
#: tests/test_ecosystem_xarray.py show their gradients.)
OWN = {
    "default_device",
    "default_dtype",
    "einsum",
    "from_numpy",
    "map_location",
    "median",
    "strict",
    "transpose",
    "vmap",
}
OWN |= set("allclose interp kron outer pad quantile split trapezoid".split())  # test_extras.py
OWN |= {"compile", "get_num_threads", "set_num_threads", "show_config"}
OWN |= {name for name in xp.__all__ if name.startswith("nan") and name != "nan"}
#: Methods of Tensor that are no operators.
_NO_OPERATORS = (
    "__init__ __new__ __sizeof__ __array_namespace__ __dlpack__ __dlpack_device__ __array__ "
    "__buffer__ __bool__ __array_wrap__ __array_function__ __arrow_array__ "
    "__int__ __float__ __complex__ __index__ __len__ __iter__ __repr__ __str__ __format__ "
    "__round__ __copy__ __deepcopy__ __reduce__ __dir__"
).split()
_OPERATIONS = {
    "abs": "abs",
    "neg": "negative",
    "pos": "positive",
    "invert": "bitwise_invert",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "pow",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "getitem": "getitem",
    "setitem": "put",
}


def standard_names() -> list[str]:
    """All functions, attributes and operators of the standard that involve tensors."""
    names = [n for n in xp.__all__ if inspect.isfunction(getattr(xp, n)) and n not in OWN]
    for prefix, module in (("linalg", linalg), ("fft", fft), ("special", special)):
        names += [f"{prefix}.{n}" for n in module.__all__ if inspect.isfunction(vars(module)[n])]
    names += [f"scipy.{name}" for name in scipy.FUNCTIONS]
    names += ["T", "mT", "to_device"]
    for cls in xp.Tensor.__mro__[:-1]:
        for name, value in vars(cls).items():
            if name.startswith("__") and inspect.isroutine(value) and name not in _NO_OPERATORS:
                names.append(name)
    return names


def rule_name(function: str) -> str:
    """Name of a function of the standard in the table of rules."""
    if function.startswith("__"):
        word = function.strip("_")
        for start in (0, 1):  # __radd__ and __iadd__ are add
            if word[start:] in _OPERATIONS:
                return _OPERATIONS[word[start:]]
    alias = function.removeprefix("linalg.")
    if alias in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
        return alias
    return {
        "mT": "matrix_transpose",
        "special.digamma": "special.psi",
        "special.jn": "special.jv",
    }.get(function, function)


CASES.sort(key=lambda c: c.function)
