"""Rules of elementwise functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from ... import _dispatch
from ... import _elementwise as xp
from ..._creation import asarray
from ..._data_type import finfo
from ..._dispatch import call, unary
from ..._memory import alias
from ..._searching import where
from .._rules import Rule, identity, refuse, zero
from .._tangents import rule_context, sum_to, updated
from .._transpose import define
from .._views import tie

Function = Callable[..., Any]


def holomorphic(name: str, *scales: Function) -> None:
    """Define the rule of a function that is holomorphic in each operand.

    Each ``scale(t, out, *operands)`` is a pushforward: it multiplies `t` by the derivative with
    respect to one operand. The vjp multiplies by the conjugate of the derivative: it conjugates
    complex numbers before and after.
    """
    define(name, *[(_conjugated(scale), scale) for scale in scales], elementwise=True)


def real(name: str, *scales: Function | None) -> None:
    """Define the rule of a real function, for which jvp and vjp are the same."""
    define(name, *[(scale, scale) for scale in scales], elementwise=True)


def mul_inplace_on_fresh(new: Any, t: Any) -> Any:
    """Multiply a fresh tensor by `t`, in place, to avoid an allocation."""
    return updated("__imul__", new, t)


def _div_into_fresh(t: Any, new: Any) -> Any:
    """Divide `t` by a fresh tensor, in the memory of that tensor."""
    return updated("irtruediv", new, t) if t.shape == new.shape else t / new


def _div_fresh(new: Any, x: Any) -> Any:
    """Divide a fresh tensor by `x`, in place."""
    return updated("__itruediv__", new, x) if new.shape == x.shape else new / x


def _plus_one(new: Any) -> Any:
    return updated("__iadd__", new, 1)


def _conjugated(scale: Function) -> Function:
    conj = xp.conj

    @wraps(scale)  # its parameter names tell which tensors to save
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
    # (summed first, so that fewer elements are negated)
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
    """`result` with the exact assigned values; the sum loses -0.0, infinities and NaN."""
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
holomorphic("square", lambda t, _out, x: mul_inplace_on_fresh(x + x, t))


def _sqrt(t: Any, out: Any, _x: Any) -> Any:
    if out._data.dtype.kind == "c":
        return _over(0.5 * t, out)
    return mul_inplace_on_fresh(0.5 / out, t)


def _over(t: Any, y: Any) -> Any:
    """Return t / y, where a complex `y` is 0, the infinity inf + 0j; a quotient is NaN there."""
    if y._data.dtype.kind != "c":
        return t / y
    none = y == 0
    return where(none & (t != 0), math.inf, t / where(none, 1.0, y))


holomorphic("sqrt", _sqrt)
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
    """Return t * x2 * x1**(x2 - 1), and 0 for x2 = 0 even where x1 is 0."""
    if isinstance(x2, (int, float, complex)) and abs(x2) != math.inf:
        if x2 == 0:
            return 0 * t
        if x2 == 1:
            return t
        if isinstance(x2, float) and 0 < x2 < 1 and x1._data.dtype.kind == "c":
            return _over(x2 * t, x1 ** (1 - x2))
        # (A sum is twice as fast as a product with a number.)
        slope = _dispatch.binary("add", x1, x1) if x2 == 2 else x2 * x1 ** (x2 - 1)
        return mul_inplace_on_fresh(slope, t)
    # (x1 may be a scalar if levels are mixed; its reciprocal is finite)
    none = (abs(x1) < 1 / finfo(t.dtype).max) & (x2 == 0)
    power = xp.pow(where(none, 1.0, x1), x2 - 1)
    none = none | ((power == 0) & (x2 * 0 != 0))  # an infinite exponent, whose result is 0
    return t * where(none, 0.0, x2 * power)


def _pow_exponent(t: Any, out: Any, x1: Any, _x2: Any) -> Any:
    """Return t * out * log(x1); 0 for x1 <= 0: below 0 only isolated x2 have a real power."""
    base = asarray(x1, dtype=out.dtype, device=out.device)
    outside = base == 0 if out.dtype.kind == "c" else base <= 0
    outside = outside | ((out == 0) & xp.isinf(base))
    return t * (out * xp.log(where(outside, 1.0, base)))


holomorphic("pow", _pow_base, _pow_exponent)

# ---- exponential and logarithm

holomorphic("exp", lambda t, out, _x: t * out)
holomorphic(
    "expm1", lambda t, _out, x: mul_inplace_on_fresh(xp.exp(x), t)
)  # out + 1 would lose small values
holomorphic("log", lambda t, _out, x: t / x)
holomorphic("log1p", lambda t, _out, x: _div_into_fresh(t, 1 + x))
holomorphic("log2", lambda t, _out, x: _div_fresh(t * (1 / math.log(2)), x))
holomorphic("log10", lambda t, _out, x: _div_fresh(t * (1 / math.log(10)), x))


def _logistic(t: Any, x1: Any, x2: Any) -> Any:
    """Return t * exp(x1) / (exp(x1) + exp(x2)); t / 2 where both are the same infinity."""
    difference = where(xp.isinf(x1) & (x1 == x2), 0.0, x2 - x1)
    # (not over 1 + exp(difference): where that overflows, its own derivative would be NaN)
    return t * xp.exp(-xp.logaddexp(0.0, difference))


def _tensors(out: Any, *operands: Any) -> list[Any]:
    """Convert operands to tensors; one may be a scalar."""
    return [asarray(x, dtype=out.dtype, device=out.device) for x in operands]


real(
    "logaddexp",
    lambda t, out_like, x1, x2: _logistic(t, *_tensors(out_like, x1, x2)),
    lambda t, out_like, x1, x2: _logistic(t, *_tensors(out_like, x2, x1)),
)

# ---- trigonometric and hyperbolic; their inverses with both roots, as z**2 leaves the branch

holomorphic("sin", lambda t, _out, x: mul_inplace_on_fresh(xp.cos(x), t))
holomorphic("cos", lambda t, _out, x: -mul_inplace_on_fresh(xp.sin(x), t))
holomorphic("tan", lambda t, out, _x: mul_inplace_on_fresh(_plus_one(out * out), t))
holomorphic("sinh", lambda t, _out, x: mul_inplace_on_fresh(xp.cosh(x), t))
holomorphic("cosh", lambda t, _out, x: mul_inplace_on_fresh(xp.sinh(x), t))
holomorphic(
    "tanh", lambda t, out, _x: mul_inplace_on_fresh(_plus_one(mul_inplace_on_fresh(-out, out)), t)
)
holomorphic("asin", lambda t, _out, x: _over(t, xp.sqrt(1 - x) * xp.sqrt(1 + x)))
holomorphic("acos", lambda t, _out, x: -_over(t, xp.sqrt(1 - x) * xp.sqrt(1 + x)))
holomorphic("acosh", lambda t, _out, x: _over(t, xp.sqrt(x - 1) * xp.sqrt(x + 1)))


def _atan(t: Any, _out: Any, x: Any) -> Any:
    if x.dtype.kind == "c":  # one after the other, because the product of the roots may overflow
        return t / (1 - 1j * x) / (1 + 1j * x)
    return _div_into_fresh(t, _plus_one(x * x))


def _atanh(t: Any, _out: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return t / (1 - x) / (1 + x)
    return t / ((1 - x) * (1 + x))


def _asinh(t: Any, _out: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return _over(t, xp.sqrt(1 - 1j * x) * xp.sqrt(1 + 1j * x))
    return t / xp.hypot(1.0, x)


holomorphic("atan", _atan)
holomorphic("atanh", _atanh)


holomorphic("asinh", _asinh)

# ---- lengths and angles: 0 at the origin, the subgradient of least norm


def _radius(out: Any) -> Any:
    return where(out == 0, 1.0, out)


def _cosine(t: Any, out: Any, x: Any) -> Any:
    """Return t * x / out; at infinity, the limit."""
    return t * where(xp.isinf(x), xp.sign(x), x / _radius(out))


real(
    "hypot",
    lambda t, out, x1, _x2: _cosine(t, out, x1),
    lambda t, out, _x1, x2: _cosine(t, out, x2),
)


def _over_radius(t: Any, x: Any, out_like: Any, x1: Any, x2: Any) -> Any:
    r = _radius(xp.hypot(*_tensors(out_like, x1, x2)))  # squares might overflow
    return t * where(xp.isinf(r), 0.0, x / r / r)


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
    """For complex numbers, the component of t orthogonal to x, divided by abs(x)."""
    if x.dtype.kind != "c":
        return None
    return (t - out * xp.real(xp.conj(out) * t)) / _radius(xp.abs(x)) * (xp.abs(out))


define("sign", (_sign, _sign), elementwise=True)
real("copysign", lambda t, out, x1, _x2: t * (xp.sign(x1) * xp.sign(out)), None)

# ---- maximum and minimum: equal operands share the gradient, which is the subgradient of least
# norm; with a scalar operand, which has no gradient, that is 0


def _share(t: Any, x: Any, other: Any) -> Any:
    """Gradient of `x` in maximum(x, other)."""
    return _share_by_masks(t, x > other, x >= other)


def _share_min(t: Any, x: Any, other: Any) -> Any:
    return _share_by_masks(t, x < other, x <= other)


def _share_by_masks(t: Any, more: Any, at_least: Any) -> Any:
    """Return `t`, `t` / 2 or 0; sums of masks are faster than `where`."""
    dtype = t.dtype
    weight = updated("__iadd__", call("astype", more, (dtype,)), call("astype", at_least, (dtype,)))
    weight = mul_inplace_on_fresh(weight, 0.5)
    return mul_inplace_on_fresh(weight, t) if weight.shape == t.shape else weight * t


def _extreme(name: str, share: Function, more: str) -> None:
    """Define the rule of maximum or minimum; with a scalar operand, it needs only the result."""
    define(
        name,
        *_symmetric_pairs(
            lambda t, _out, x1, x2: share(t, x1, x2), lambda t, _out, x1, x2: share(t, x2, x1)
        ),
        elementwise=True,
        scalar=Rule(
            name,
            _symmetric_pairs(
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


def _symmetric_pairs(*scales: Function) -> list[tuple[Function, Function]]:
    return [(scale, scale) for scale in scales]


_extreme("maximum", _share, "greater")
_extreme("minimum", _share_min, "less")


def _lower(x: Any, low: Any) -> Any:
    return x if low is None else xp.maximum(x, low)


def _clip_x(t: Any, _out: Any, x: Any, low: Any, high: Any) -> Any:
    """Gradient of x in minimum(maximum(x, low), high)."""
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
    *_symmetric_pairs(_clip_x, _clip_low, _clip_high),
    elementwise=True,
    scalar=Rule(
        "clip", [*_symmetric_pairs(_clip_scalars), (None, None), (None, None)], elementwise=True
    ),
)

# ---- internal operations: `settle(x, weight)` is x, with NaN masked to 0 where weight is 0 or
# infinite


def _settled(t: Any, _out: Any, x: Any, weight: Any) -> Any:
    return where(xp.isnan(x) & ((weight == 0) | xp.isinf(weight)), 0.0, t)


define("settle", (_settled, _settled), (None, None))
define(
    "tie",
    (identity, identity),
    (None, None),
    call=lambda operands, _args, _kwargs: tie(*operands),
)

# ---- without derivatives

zero(
    "ceil floor floor_divide round trunc isfinite isinf isnan signbit equal not_equal less "
    "less_equal greater greater_equal logical_and logical_not logical_or logical_xor bitwise_and "
    "bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor"
)
refuse("nextafter", "it steps from number to number, which no derivative describes")
