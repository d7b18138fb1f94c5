"""Rules of elementwise functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from ... import _dispatch
from ... import _elementwise as xp
from ..._creation import asarray
from ..._dispatch import call, unary
from ..._memory import alias
from ..._searching import where
from .._rules import Rule, identity, refuse, zero
from .._tangents import rule_context, sum_to, updated
from .._transpose import define

Function = Callable[..., Any]


def holomorphic(name: str, *scales: Function) -> None:
    """A function that is holomorphic in each operand: one ``scale(t, out, *operands)`` for each.

    A scale multiplies by the derivative, which is all of the jvp. The vjp multiplies by the
    derivative's conjugate: for complex numbers it conjugates before and after.
    """
    define(name, *[(_conjugated(scale), scale) for scale in scales], elementwise=True)


def real(name: str, *scales: Function | None) -> None:
    """The same for a function of real numbers, where jvp and vjp do not differ."""
    define(name, *[(scale, scale) for scale in scales], elementwise=True)


def scaled(new: Any, t: Any) -> Any:
    """A tensor that nobody else has yet, times `t`: in place, as new memory costs the most."""
    return updated("imul", new, t)


def _over(t: Any, new: Any) -> Any:
    """`t` over a tensor that nobody else has yet, in whose place it comes."""
    return updated("irtruediv", new, t) if t.shape == new.shape else t / new


def _plus_one(new: Any) -> Any:
    return updated("iadd", new, 1)


def _conjugated(scale: Function) -> Function:
    conj = xp.conj

    @wraps(scale)  # its parameter names say what to keep
    def vjp(g: Any, *rest: Any) -> Any:
        if g._data.dtype.kind != "c":
            return scale(g, *rest)
        return conj(scale(conj(g), *rest))

    return vjp


# ---- linear

define("add", (identity, identity), (identity, identity))
define(
    "subtract",
    (identity, identity),
    # (summed first, where there are fewer elements to turn round)
    (lambda g, _out, _x1, x2_like: -sum_to(g, x2_like), lambda t, *_: -t),
)
define("positive", (identity, identity))
define("negative", (lambda g, *_: -g, lambda t, *_: -t))
define("conj", (lambda g, *_: xp.conj(g), lambda t, *_: xp.conj(t)))


def _real_put(x: Any, new: Any) -> Any:
    if x.dtype.kind != "c":
        return new
    with rule_context():
        return _exact(new + 1j * xp.imag(x), xp.real, x, new)


def _imag_put(x: Any, new: Any) -> Any:
    with rule_context():
        return _exact(xp.real(x) + 1j * new, xp.imag, x, new)


def _exact(result: Any, part: Function, x: Any, new: Any) -> Any:
    """`result` with the values of the assignment: a sum loses what is not finite, and -0."""
    values = unary("copy", alias(x))
    part(values)[...] = alias(new)
    alias(result)[...] = values
    return result


define("real", (identity, lambda t, *_: xp.real(t)), put=_real_put)
define("imag", (lambda g, *_: 1j * g, lambda t, *_: xp.imag(t)), put=_imag_put)

# ---- arithmetic

holomorphic("multiply", lambda t, _out, _x1, x2: t * x2, lambda t, _out, x1, _x2: t * x1)
holomorphic("divide", lambda t, _out, _x1, x2: t / x2, lambda t, out, _x1, x2: -t * (out / x2))
holomorphic("reciprocal", lambda t, out, _x: -t * (out * out))
holomorphic("square", lambda t, _out, x: scaled(x + x, t))
holomorphic("sqrt", lambda t, out, _x: scaled(0.5 / out, t))
define(
    "remainder",
    (identity, identity),
    (
        lambda g, _out, x1, x2: -g * xp.floor_divide(x1, x2),
        lambda t, out, x1, x2: -t * xp.floor_divide(x1, x2),
    ),
    elementwise=True,
)


def _pow_base(t: Any, _out: Any, x1: Any, x2: Any) -> Any:
    """T * x2 * x1**(x2 - 1), and 0 for x2 = 0 also where x1 is 0."""
    if isinstance(x2, (int, float, complex)):
        if x2 == 0:
            return 0 * t
        if x2 == 1:
            return t
        # (A sum takes half as long as a product with a number.)
        slope = _dispatch.binary("add", x1, x1) if x2 == 2 else x2 * x1 ** (x2 - 1)
        return scaled(slope, t)
    # (x1 may be a scalar here too, of a mixture of levels)
    none = (x1 == 0) & (x2 == 0)
    return t * where(none, 0.0, x2 * xp.pow(where(none, 1.0, x1), x2 - 1))


def _pow_exponent(t: Any, out: Any, x1: Any, _x2: Any) -> Any:
    """T * out * log(x1); 0 for x1 = 0, and for x1 < 0, where only isolated x2 give a number."""
    base = asarray(x1, dtype=out.dtype, device=out.device)
    outside = base == 0 if out.dtype.kind == "c" else base <= 0
    return t * (out * xp.log(where(outside, 1.0, base)))


holomorphic("pow", _pow_base, _pow_exponent)

# ---- exponential and logarithm

holomorphic("exp", lambda t, out, _x: t * out)
holomorphic("expm1", lambda t, _out, x: scaled(xp.exp(x), t))  # out + 1 would lose small values
holomorphic("log", lambda t, _out, x: t / x)
holomorphic("log1p", lambda t, _out, x: _over(t, 1 + x))
holomorphic("log2", lambda t, _out, x: _over(t, math.log(2) * x))
holomorphic("log10", lambda t, _out, x: _over(t, math.log(10) * x))


def _logistic(t: Any, x1: Any, x2: Any) -> Any:
    """T * exp(x1) / (exp(x1) + exp(x2)), half where both are the same infinity."""
    difference = where(xp.isinf(x1) & (x1 == x2), 0.0, x2 - x1)
    # (not over 1 + exp(difference): where that overflows, its own derivative would be NaN)
    return t * xp.exp(-xp.logaddexp(0.0, difference))


def _tensors(out: Any, *operands: Any) -> list[Any]:
    """Operands of which one may be a scalar, as tensors."""
    return [asarray(x, dtype=out.dtype, device=out.device) for x in operands]


real(
    "logaddexp",
    lambda t, out_like, x1, x2: _logistic(t, *_tensors(out_like, x1, x2)),
    lambda t, out_like, x1, x2: _logistic(t, *_tensors(out_like, x2, x1)),
)

# ---- trigonometric and hyperbolic; their inverses with both roots, as z**2 leaves the branch

holomorphic("sin", lambda t, _out, x: scaled(xp.cos(x), t))
holomorphic("cos", lambda t, _out, x: -scaled(xp.sin(x), t))
holomorphic("tan", lambda t, out, _x: scaled(_plus_one(out * out), t))
holomorphic("sinh", lambda t, _out, x: scaled(xp.cosh(x), t))
holomorphic("cosh", lambda t, _out, x: scaled(xp.sinh(x), t))
holomorphic("tanh", lambda t, out, _x: scaled(_plus_one(scaled(-out, out)), t))
holomorphic("asin", lambda t, _out, x: t / (xp.sqrt(1 - x) * xp.sqrt(1 + x)))
holomorphic("acos", lambda t, _out, x: -t / (xp.sqrt(1 - x) * xp.sqrt(1 + x)))
holomorphic("atan", lambda t, _out, x: _over(t, _plus_one(x * x)))
holomorphic("acosh", lambda t, _out, x: t / (xp.sqrt(x - 1) * xp.sqrt(x + 1)))
holomorphic("atanh", lambda t, _out, x: t / ((1 - x) * (1 + x)))


def _asinh(t: Any, _out: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return t / (xp.sqrt(1 - 1j * x) * xp.sqrt(1 + 1j * x))
    return t / xp.hypot(1.0, x)


holomorphic("asinh", _asinh)

# ---- lengths and angles: 0 at the origin, the subgradient of least norm


def _radius(out: Any) -> Any:
    return where(out == 0, 1.0, out)


real(
    "hypot",
    lambda t, out, x1, _x2: t * (x1 / _radius(out)),
    lambda t, out, _x1, x2: t * (x2 / _radius(out)),
)


def _over_radius(t: Any, x: Any, out_like: Any, x1: Any, x2: Any) -> Any:
    r = _radius(xp.hypot(*_tensors(out_like, x1, x2)))  # squares might overflow
    return t * (x / r / r)


real(
    "atan2",
    lambda t, out_like, x1, x2: _over_radius(t, x2, out_like, x1, x2),
    lambda t, out_like, x1, x2: -_over_radius(t, x1, out_like, x1, x2),
)


def _abs_jvp(t: Any, _out: Any, x: Any) -> Any:
    s = xp.sign(x)
    return xp.real(xp.conj(s) * t) if s.dtype.kind == "c" else t * s


define("abs", (lambda g, _out, x: g * xp.sign(x), _abs_jvp), elementwise=True)


def _sign(t: Any, out: Any, x: Any) -> Any:
    """Of complex numbers, x / abs(x): what is across the direction of x, over abs(x)."""
    if x.dtype.kind != "c":
        return None
    return (t - out * xp.real(xp.conj(out) * t)) / _radius(xp.abs(x)) * (xp.abs(out))


define("sign", (_sign, _sign), elementwise=True)
real("copysign", lambda t, out, x1, _x2: t * (xp.sign(x1) * xp.sign(out)), None)

# ---- the larger and the smaller: equal ones share, which is the subgradient of least norm; with
# scalars, which have no part in it, that is 0


def _share(t: Any, x: Any, other: Any) -> Any:
    """The part of `t` that belongs to `x` in maximum(x, other)."""
    return _halves(t, x > other, x >= other)


def _share_min(t: Any, x: Any, other: Any) -> Any:
    return _halves(t, x < other, x <= other)


def _halves(t: Any, more: Any, at_least: Any) -> Any:
    """All of `t`, half of it, or nothing; by sums, which cost less than `where` does."""
    dtype = t.dtype
    weight = updated("iadd", call("astype", more, dtype), call("astype", at_least, dtype))
    weight = scaled(weight, 0.5)
    return scaled(weight, t) if weight.shape == t.shape else weight * t


def _extreme(name: str, share: Function, more: str) -> None:
    """Both operands, and either beside a scalar, for which the result tells enough."""
    define(
        name,
        *_same(lambda t, _out, x1, x2: share(t, x1, x2), lambda t, _out, x1, x2: share(t, x2, x1)),
        elementwise=True,
        scalar=Rule(
            name,
            _same(
                lambda t, out, _x1, x2: _dispatch.binary(
                    "multiply", t, _dispatch.binary(more, out, x2)
                ),
                lambda t, out, x1, _x2: _dispatch.binary(
                    "multiply", t, _dispatch.binary(more, out, x1)
                ),
            ),
            elementwise=True,
        ),
    )


def _same(*scales: Function) -> list[tuple[Function, Function]]:
    return [(scale, scale) for scale in scales]


_extreme("maximum", _share, "greater")
_extreme("minimum", _share_min, "less")


def _lower(x: Any, low: Any) -> Any:
    return x if low is None else xp.maximum(x, low)


def _clip_x(t: Any, _out: Any, x: Any, low: Any, high: Any) -> Any:
    """Of minimum(maximum(x, low), high), what comes to x."""
    if high is not None:
        t = _share_min(t, _lower(x, low), high)
    return t if low is None else _share(t, x, low)


def _clip_low(t: Any, _out: Any, x: Any, low: Any, high: Any) -> Any:
    if high is not None:
        t = _share_min(t, xp.maximum(x, low), high)
    return _share(t, low, x)


def _clip_high(t: Any, _out: Any, x: Any, low: Any, high: Any) -> Any:
    return _share_min(t, high, _lower(x, low))


def _clip_scalars(t: Any, out: Any, _x: Any, low: Any, high: Any) -> Any:
    if low is not None:
        t = t * (out > low)
    return t if high is None else t * (out < high)


define(
    "clip",
    *_same(_clip_x, _clip_low, _clip_high),
    elementwise=True,
    scalar=Rule("clip", [*_same(_clip_scalars), (None, None), (None, None)], elementwise=True),
)

# ---- the engine's own: `settle(x, weight)` is x, but 0 for its NaNs where weight is 0 or infinite


def _settled(t: Any, _out: Any, x: Any, weight: Any) -> Any:
    return where(xp.isnan(x) & ((weight == 0) | xp.isinf(weight)), 0.0, t)


define("settle", (_settled, _settled), (None, None))
define("tie", (identity, identity), (None, None))

# ---- declared

zero(
    "ceil floor floor_divide round trunc isfinite isinf isnan signbit equal not_equal less "
    "less_equal greater greater_equal logical_and logical_not logical_or logical_xor bitwise_and "
    "bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor"
)
refuse("nextafter", "it steps from number to number, which no derivative describes")
