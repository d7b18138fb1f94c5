"""Rules of special functions.

Formulas are from the Digital Library of Mathematical Functions, https://dlmf.nist.gov. Near a point
where a formula suffers from cancellation, a power series around that point is used.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ... import _elementwise as xp
from ... import special
from ..._creation import asarray
from ..._data_type import finfo
from ..._dispatch import call, view
from ..._searching import where
from .._rules import NotDifferentiableError, conj, refuse, zero
from .._tangents import weighted
from .._transpose import define
from ._elementwise import holomorphic

Scale = Callable[..., Any]


def elementwise(name: str, *scales: Scale) -> None:
    """Define the rule of a function by one ``scale(t, out, *operands)`` for each operand.

    A scale multiplies `t` by the derivative. It is only called with tensors: scalars are converted.
    """
    holomorphic(f"special.{name}", *map(_of_tensors, scales))


def _of_tensors(scale: Scale) -> Scale:
    def run(t: Any, out: Any, *operands: Any) -> Any:
        tensors = [
            asarray(x, dtype=_dtype_of(x, out), device=out.device)
            if isinstance(x, (int, float, complex))
            else x
            for x in operands
        ]
        return scale(t, out, *tensors)

    # The names of the parameters tell which tensors to save; of the result at least its spec.
    names = list(inspect.signature(scale).parameters.values())
    like = inspect.Parameter("out_like", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if names[1].kind is inspect.Parameter.VAR_POSITIONAL:
        names.insert(1, like)
    elif names[1].name.startswith("_"):
        names[1] = like
    # (mypy does not support attributes of functions.)
    run.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    run.refused = getattr(scale, "refused", "")  # type: ignore[attr-defined]
    return run


def _dtype_of(scalar: Any, like: Any) -> Any:
    return like.dtype if isinstance(scalar, complex) else finfo(like.dtype).dtype


NO_FORM = "the derivative has no closed form"
INTEGER = "it is an integer"


def refused(name: str, operand: str, why: str = NO_FORM) -> Scale:
    """Scale for an operand without a derivative; it raises."""

    def scale(_t: Any, *_: Any) -> Any:
        raise NotDifferentiableError(
            f"special.{name}: not differentiable with respect to {operand}: {why}; write "
            f"autodiff.stop_gradient({operand}) if it is constant"
        )

    scale.refused = operand  # type: ignore[attr-defined]  # for the table of coverage
    return scale


def zero_derivative(t: Any, *_: Any) -> Any:
    """Zero derivative with respect to an operand that the function rounds down."""
    return 0 * t


def power_series(z: Any, coefficients: list[float]) -> Any:
    """Evaluate the sum of ``coefficients[k] * z**k`` by Horner's scheme."""
    total = coefficients[-1] + 0 * z
    for c in coefficients[-2::-1]:
        total = total * z + c
    return total


def infinite(*operands: Any) -> Any:
    """Mask of elements where any operand is infinite."""
    found = xp.isinf(operands[0])
    for x in operands[1:]:
        found = found | xp.isinf(x)
    return found


# ---- error functions and the normal distribution

_SQRT_PI = math.sqrt(math.pi)
_SQRT_2_PI = math.sqrt(2 * math.pi)

elementwise("erf", lambda t, _out, x: t * (2 / _SQRT_PI * xp.exp(-x * x)))
elementwise("erfc", lambda t, _out, x: t * (-2 / _SQRT_PI * xp.exp(-x * x)))
elementwise("erfinv", lambda t, out, _x: t * (_SQRT_PI / 2 * xp.exp(out * out)))
elementwise("erfcinv", lambda t, out, _x: t * (-_SQRT_PI / 2 * xp.exp(out * out)))
elementwise("ndtr", lambda t, _out, x: t * (xp.exp(-x * x / 2) / _SQRT_2_PI))
elementwise("ndtri", lambda t, out, _x: t * (_SQRT_2_PI * xp.exp(out * out / 2)))


def _erfcx(t: Any, out: Any, x: Any) -> Any:
    """2 x erfcx(x) - 2/√π; for large x, where it cancels, by the series of DLMF 7.12.1."""
    slope = 2 * x * out - 2 / _SQRT_PI
    if x.dtype.kind == "f":
        far = x > (5 if x.dtype.itemsize == 4 else 10)
        w = 1 / (x * x)
        slope = where(far, w * power_series(w, _ERFCX), slope)
    return t * slope


_ERFCX = [
    -((-1) ** k) * float(Fraction(math.prod(range(1, 2 * k + 2, 2)), 2**k)) / _SQRT_PI
    for k in range(14)
]
elementwise("erfcx", _erfcx)
# (phi(x) / Phi(x), where both underflow)
elementwise(
    "log_ndtr",
    lambda t, _out, x: t * (math.sqrt(2 / math.pi) / special.erfcx(-x / math.sqrt(2))),
)
elementwise(
    "ndtri_exp",
    lambda t, out, _x: t * (math.sqrt(math.pi / 2) * special.erfcx(-out / math.sqrt(2))),
)

# ---- the gamma function and its relatives


def _psi(t: Any, _out: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        raise NotDifferentiableError(
            "special.psi: not differentiable for complex numbers: SciPy lacks their polygamma; "
            "write autodiff.stop_gradient(x) if it is constant"
        )
    # Below 0.5 by reflection (DLMF 5.15.6): SciPy's polygamma recurs upward to positive numbers.
    left = x < 0.5
    right = special.polygamma(1, where(left, 1 - x, x))
    cosecant = math.pi / _sin_pi(x)
    return t * where(left, cosecant * cosecant - right, right)


def _sin_pi(x: Any) -> Any:
    """sin(πx) with exact zeros, in a differentiable form, like `_cos_pi`."""
    n = xp.round(x)
    return (1 - 2 * xp.remainder(n, 2.0)) * xp.sin(math.pi * (x - n))


def _cos_pi(x: Any) -> Any:
    n = xp.round(x)
    return (1 - 2 * xp.remainder(n, 2.0)) * xp.cos(math.pi * (x - n))


def _is_pole(x: Any) -> Any:
    """Mask of the poles of the gamma function."""
    return (x <= 0) & (x == xp.floor(x))


def _reflected(x: Any) -> Any:
    """Derivative of 1/Γ over Γ(1 - x), by reflection (DLMF 5.5.3), for x < 1 and at poles."""
    return _cos_pi(x) - _sin_pi(x) * special.psi(1 - x) / math.pi


def _rgamma_slope(x: Any) -> Any:
    left = x < 0.5
    y = where(left, 1 - x, 1.0)
    return where(left, special.gamma(y) * _reflected(x), -special.psi(x) * special.rgamma(x))


def _rgamma(t: Any, out: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return -t * special.psi(x) * out
    return t * where(xp.isinf(x), 0.0, _rgamma_slope(x))


elementwise("gamma", lambda t, out, x: t * (out * special.psi(x)))
elementwise("gammaln", lambda t, _out, x: t * special.psi(x))
elementwise("loggamma", lambda t, _out, x: t * special.psi(x))
elementwise("rgamma", _rgamma)
elementwise("psi", _psi)
zero("special.gammasgn")
elementwise(
    "polygamma",
    refused("polygamma", "n", INTEGER),
    lambda t, _out, n, x: t * special.polygamma(n + 1, x),
)

# Quotients of gamma functions. psi and the gamma function have the same poles: with a pole in both
# numerator and denominator the quotient is finite; with one only in the denominator it is 0, with a
# nonzero derivative.


#: B₂ₖ / 2k for k = 1, 2, ..., of the asymptotic series of psi (DLMF 5.11.2).
_PSI_TAIL = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
_PSI_STEPS = 10


def _psi_difference(y: Any, x: Any, d: Any) -> Any:
    """psi(y) - psi(x) for y - x = d, accurate for `d` far smaller than `x`.

    For positive numbers by ten steps of the recurrence (DLMF 5.5.2) and the asymptotic series
    (DLMF 5.11.2), term by term. For numbers below 1 by reflection (DLMF 5.5.4), in which the poles
    of both cancel.
    """
    right = (x > 0) & (y > 0)
    left = ~right & (x < 1) & (y < 1)
    a = where(right, x, where(left, 1 - y, 1.0))
    b = where(right, y, where(left, 1 - x, 1.0))
    near = _positive_psi_difference(b, a, d)
    sin_d, whole = _sin_pi(d), d == xp.round(d)
    sin_x, sin_y = where(whole, 1.0, _sin_pi(x)), where(whole, 1.0, _sin_pi(y))
    pole = (sin_x == 0) | (sin_y == 0)
    turn = math.pi * sin_d / where(pole, math.nan, sin_x) / where(pole, math.nan, sin_y)
    direct = right | left
    far = special.psi(where(direct, 1.0, y)) - special.psi(where(direct, 1.0, x))
    return where(right, near, where(left, turn - near, far))


def _positive_psi_difference(y: Any, x: Any, d: Any) -> Any:
    total: Any = 0.0
    for _ in range(_PSI_STEPS):
        total = total + d / y / x
        x, y = x + 1, y + 1
    step = d / y / x  # 1/x - 1/y
    p, q = 1 / (x * x), 1 / (y * y)
    # The quotient of the differences of the series and of its arguments p and q, by Horner's scheme
    quotient: Any = 0.0
    series = _PSI_TAIL[-1] + 0 * q
    for c in _PSI_TAIL[-2::-1]:
        quotient = quotient * p + series
        series = series * q + c
    quotient = quotient * p + series
    ratio = y / x
    close = ~((ratio <= 0.5) | (ratio >= 2))  # also where both are infinite
    log = where(close, xp.log1p(where(close, d / x, 0.0)), xp.log(y) - xp.log(x))
    total = total + log + step * (0.5 + (1 / x + 1 / y) * quotient)
    return where(xp.isinf(d), d - x, total)


def _by_pole(pole: Any, *above: Any, below: Any = None) -> Any:
    """Derivative of 1/Γ at a pole, times a quotient of other gamma functions."""
    log, sign = special.gammaln(1 - pole), _reflected(pole)
    for x in above:
        log, sign = log + special.gammaln(x), sign * special.gammasgn(x)
    if below is not None:
        log, sign = log - special.gammaln(below), sign * special.gammasgn(below)
    return sign * xp.exp(log)


def _unless_infinite(slope: Any, *operands: Any) -> Any:
    """Mask to 0 where an operand is infinite: a finite quotient is constant there."""
    for x in operands:
        slope = where(xp.isinf(x), 0.0, slope)
    return slope


def _beta_slope(out: Any, a: Any, b: Any) -> Any:
    total = a + b
    alone = _is_pole(total) & ~_is_pole(a) & ~_is_pole(b)
    at_pole = out * special.psi(a) + _by_pole(total, a, b)
    slope = where(alone, at_pole, -out * _psi_difference(total, a, b))
    return _unless_infinite(where(_is_pole(b), 0.0, slope), a, b)  # (infinite around that point)


elementwise(
    "beta",
    lambda t, out, a, b: t * _beta_slope(out, a, b),
    lambda t, out, a, b: t * _beta_slope(out, b, a),
)
elementwise(
    "betaln",
    lambda t, _out, a, b: t * where(_is_pole(b), 0.0, -_psi_difference(a + b, a, b)),
    lambda t, _out, a, b: t * where(_is_pole(a), 0.0, -_psi_difference(a + b, b, a)),
)


def _binom_n(t: Any, out: Any, n: Any, k: Any) -> Any:
    x, y, z = n - k + 1, k + 1, n + 1
    at_pole = out * special.psi(z) + _by_pole(x, z, below=y)
    slope = where(_is_pole(x) & ~_is_pole(z), at_pole, out * _psi_difference(z, x, k))
    return t * _unless_infinite(where(_is_pole(y), 0.0, slope), n, k)


def _binom_k(t: Any, out: Any, n: Any, k: Any) -> Any:
    x, y, z = n - k + 1, k + 1, n + 1
    at_y = out * special.psi(x) + _by_pole(y, z, below=x)
    at_x = -out * special.psi(y) - _by_pole(x, z, below=y)
    slope = where(_is_pole(y), at_y, out * _psi_difference(x, y, n - 2 * k))
    slope = where(_is_pole(x) & ~_is_pole(y), at_x, slope)
    return t * _unless_infinite(slope, n, k)


elementwise("binom", _binom_n, _binom_k)


def _poch_z(t: Any, out: Any, z: Any, m: Any) -> Any:
    at_pole = out * special.psi(z + m) + _by_pole(z, z + m)
    slope = out * _psi_difference(z + m, z, m)
    slope = where(_is_pole(z) & ~_is_pole(z + m), at_pole, slope)
    return t * _unless_infinite(slope, z, m)


def _poch_m(t: Any, out: Any, z: Any, m: Any) -> Any:
    """0 where Γ(z) has a pole, where the function is 0 except for some integers `m`."""
    pole = _is_pole(z + m)  # of the rounded sum
    psi = where(pole, special.psi(z) + _psi_difference(z + m, z, m), special.psi(z + m))
    return t * _unless_infinite(where(_is_pole(z), 0.0, out * psi), z, m)


elementwise("poch", _poch_z, _poch_m)


def _zeta_q(t: Any, _out: Any, x: Any, q: Any) -> Any:
    """DLMF 25.11.17; 0 where the next zeta function is, also for infinite `x`."""
    following = special.zeta(x + 1, q)
    return t * where(following == 0, 0.0, -x * following)


elementwise("zeta", refused("zeta", "x"), _zeta_q)
refuse("special.zetac", NO_FORM)

# ---- incomplete gamma functions
#
# The derivative of a distribution function is computed as exp of a logarithm, and that of its
# inverse as exp of the negative, because the reciprocal of a density may overflow too early. At 0
# the logarithm has no derivative, but a power has. For large parameters the terms of the logarithm
# cancel; there it is taken relative to the maximum of the density (Loader, 2000, Fast and accurate
# computation of binomial probabilities).

_LARGE = 10  # above this, the series of `_stirling` is as accurate as the logarithm of gamma
_LOG_SQRT_2_PI = math.log(_SQRT_2_PI)
_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]


def density(log: Any, *ends: tuple[Any, Any, Any]) -> Any:
    """exp(log + Σ p log(x)) for (x, p, p log(x)) of `ends`; by powers where an `x` is 0."""
    whole = log
    for _, _, power in ends:
        whole = whole + power
    found = xp.exp(whole)
    for i, (x, p, _) in enumerate(ends):
        rest = log
        for _, _, power in ends[:i] + ends[i + 1 :]:
            rest = rest + power
        most = math.log(finfo(log.dtype).max) - 1
        at_0 = xp.pow(x, p) * xp.exp(xp.minimum(rest, most))
        found = where(x == 0, where(xp.isinf(rest), 0.0, at_0), found)
    return found


def _end(x: Any, p: Any) -> tuple[Any, Any, Any]:
    return x, p, special.xlogy(p, x)


def _stirling(x: Any) -> Any:
    """Value of log Γ(x) - (x - 1/2) log x + x - log √2π, for large x (DLMF 5.11.1)."""
    x = xp.maximum(x, float(_LARGE))
    return power_series(1 / x / x, _STIRLING) / x


_LOG1P_TAIL = [2 / (2 * k + 3) for k in range(12)]


def _log_excess(ratio: Any, excess: Any) -> Any:
    """log(ratio) - excess for ratio = 1 + excess, without cancellation near 1.

    There by the series of log(ratio) = 2 atanh(s), s = excess / (2 + excess).
    """
    near = xp.abs(excess) < 0.4
    x = where(near, excess, 0.0)
    s = x / (2 + x)
    w = s * s
    outer = xp.log(where(near, 1.0, ratio)) - excess
    return where(near, s * (w * power_series(w, _LOG1P_TAIL) - x), outer)


def _gamma_log(a: Any, x: Any) -> tuple[Any, Any, Any]:
    """Logarithm of x^(a-1) exp(-x) / Γ(a) (DLMF 8.8.13) without a power of x, x and the power."""
    large = a > _LARGE
    # (the distribution function is 0 or 1)
    constant = infinite(a, x) | (x < 0) | (a == 0) | (large & (x == 0))
    c = where(constant | ~large, 1.0, a)
    y = where(constant, 1.0, x)
    peak = c * _log_excess(y / c, (y - c) / c) - _stirling(c) + xp.log(c) / 2 - _LOG_SQRT_2_PI
    log = where(large, peak, -y - special.gammaln(a))
    log = where(constant, -math.inf, log)
    return log, y, where(constant, 0.0, where(large, -1.0, a - 1))


def _gamma_density(a: Any, x: Any) -> Any:
    log, y, p = _gamma_log(a, x)
    return density(log, _end(y, p))


def _gamma_inverse(a: Any, x: Any) -> Any:
    log, y, p = _gamma_log(a, x)
    return _inverse(log, _end(y, p))


def _inverse(log: Any, *ends: tuple[Any, Any, Any]) -> Any:
    for _, _, power in ends:
        log = log + power
    return xp.exp(-log)


def _gamma_family(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "a"), slope)


_gamma_family("gammainc", lambda t, _out, a, x: t * _gamma_density(a, x))
_gamma_family("gammaincc", lambda t, _out, a, x: -t * _gamma_density(a, x))
_gamma_family("gammaincinv", lambda t, out, a, _y: t * _gamma_inverse(a, out))
_gamma_family("gammainccinv", lambda t, out, a, _y: -t * _gamma_inverse(a, out))

# ---- incomplete beta functions


def _log_beta(a: Any, b: Any) -> Any:
    """Logarithm of B(a, b). SciPy's loses digits where one parameter is large."""
    low, high = xp.minimum(a, b), xp.maximum(a, b)
    large = high > _LARGE
    x = where(large, high, 1.0)
    ratio = (x - 0.5) * xp.log1p(low / x) + low * xp.log(low + x) - low  # Γ(low + x) / Γ(x)
    ratio = ratio + _stirling(low + x) - _stirling(x)
    return where(large, special.gammaln(low) - ratio, special.betaln(a, b))


def _beta_peak(a: Any, b: Any, ratios: tuple[Any, Any], excess: Any) -> Any:
    """Logarithm of u^a (1-u)^b / B(a, b) for large `a` and `b`.

    Takes the ratios of u and 1 - u to a/(a + b) and b/(a + b), where that is largest, and by how
    much the second is below 1.
    """
    log = a * _log_excess(ratios[0], excess * (b / a)) + b * _log_excess(ratios[1], -excess)
    log = log + _stirling(a + b) - _stirling(a) - _stirling(b)
    low, high = xp.minimum(a, b), xp.maximum(a, b)
    return log + (xp.log(low) - xp.log1p(low / high)) / 2 - _LOG_SQRT_2_PI


def _beta_log(a: Any, b: Any, x: Any) -> tuple[Any, Any, Any]:
    """Logarithm of x^(a-1) (1-x)^(b-1) / B(a, b) (DLMF 8.17.20), and the powers for `density`."""
    large = (a > _LARGE) & (b > _LARGE)
    constant = infinite(a, b) | (a == 0) | (b == 0) | (large & ((x == 0) | (x == 1)))
    x = where(constant, 0.5, x)
    c, d = where(large, a, 1.0), where(large, b, 1.0)
    c, d = where(constant, 1.0, c), where(constant, 1.0, d)
    ratios = x * (1 + d / c), (1 - x) * (1 + c / d)
    peak = _beta_peak(c, d, ratios, x - (1 - x) * (c / d))
    log = where(constant, -math.inf, where(large, peak, -_log_beta(a, b)))
    p, q = where(large, -1.0, a - 1), where(large, -1.0, b - 1)
    return log, _end(x, p), (1 - x, q, special.xlog1py(q, -x))


def _beta_family(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "a"), refused(name, "b"), slope)


_beta_family("betainc", lambda t, _out, a, b, x: t * density(*_beta_log(a, b, x)))
_beta_family("betaincc", lambda t, _out, a, b, x: -t * density(*_beta_log(a, b, x)))
_beta_family("betaincinv", lambda t, out, a, b, _y: t * _inverse(*_beta_log(a, b, out)))
_beta_family("betainccinv", lambda t, out, a, b, _y: -t * _inverse(*_beta_log(a, b, out)))

# ---- exponentials, logarithms and their integrals

elementwise("expit", lambda t, out, x: t * (out * special.expit(-x)))  # 1 - out may cancel
elementwise("log_expit", lambda t, _out, x: t * special.expit(-x))
elementwise("logit", lambda t, _out, x: t * (1 / x + 1 / (1 - x)))
elementwise("exp2", lambda t, out, _x: t * (math.log(2) * out))
elementwise("exp10", lambda t, out, _x: t * (math.log(10) * out))
elementwise("cbrt", lambda t, out, _x: t / (3 * out * out))
elementwise("exp1", lambda t, _out, x: t * (-xp.exp(-x) / x))


def _expi(t: Any, _out: Any, x: Any) -> Any:
    """exp(x)/x; in two factors, because exp overflows before the quotient does."""
    half = xp.exp(x / 2)
    slope = half / x * half
    return t * (slope if x.dtype.kind == "c" else where(x == math.inf, math.inf, slope))


elementwise("expi", _expi)


def _not_positive(y: Any) -> Any:
    return y == 0 if y.dtype.kind == "c" else ~(y > 0)


elementwise(
    "xlogy",
    lambda t, _out, x, y: t * where((x == 0) & _not_positive(y), 0.0, xp.log(y)),
    lambda t, _out, x, y: t * where(x == 0, 0.0, x / y),
)
elementwise(
    "xlog1py",
    lambda t, _out, x, y: t * where((x == 0) & _not_positive(1 + y), 0.0, xp.log1p(y)),
    lambda t, _out, x, y: t * where(x == 0, 0.0, x / (1 + y)),
)

_EXPREL = [(k + 1) / math.factorial(k + 2) for k in range(18)]


def _exprel_slope(x: Any, out: Any) -> Any:
    left = (xp.exp(xp.minimum(x, 0.0)) - out) / x
    right = out * (1 - 1 / x) + 1 / x  # without an exp, which overflows before the result does
    return where(xp.abs(x) < 1, power_series(x, _EXPREL), where(x < 0, left, right))


elementwise("exprel", lambda t, out, x: t * _exprel_slope(x, out))


def _boxcox_x(x: Any, lmbda: Any) -> Any:
    """x^(λ-1). Its derivative in λ at (0, 1) is the limit -∞, where that of 0^0 is defined as 0."""
    corner = 1 - special.entr(lmbda - 1)  # which is 1 there and has that slope
    return where((x == 0) & (lmbda == 1), corner, xp.pow(x, lmbda - 1))


def _boxcox1p_x(x: Any, lmbda: Any) -> Any:
    """The same at 1 + x; by the logarithm for small x, which the sum would lose."""
    small = xp.abs(x) < 0.5
    power = xp.exp((lmbda - 1) * xp.log1p(where(small, x, 0.0)))
    return where(small, power, _boxcox_x(1 + x, lmbda))


def _boxcox_lmbda(out: Any, lmbda: Any, x: Any, log_x: Any) -> Any:
    """Derivative of exprel(λ log x) log x in λ: a series near λ = 0, else from (x^λ - 1)/λ."""
    u = lmbda * log_x
    power = xp.exp(u)
    at_0 = where(lmbda == 1, -special.entr(x), 0.0)  # x^λ log x, which is differentiable at λ = 1
    power = where(power == 0, at_0, power * log_x)
    # (Where the result overflows, the power does, and is the larger of the two.)
    quotient = (power - where(xp.isinf(power), 0.0, out)) / lmbda
    return where(xp.abs(u) < 1, log_x * log_x * power_series(u, _EXPREL), quotient)


elementwise(
    "boxcox",
    lambda t, _out, x, lmbda: t * _boxcox_x(x, lmbda),
    lambda t, out, x, lmbda: t * _boxcox_lmbda(out, lmbda, x, xp.log(x)),
)
elementwise(
    "boxcox1p",
    lambda t, _out, x, lmbda: t * _boxcox1p_x(x, lmbda),
    lambda t, out, x, lmbda: t * _boxcox_lmbda(out, lmbda, 1 + x, xp.log1p(x)),
)
_INV_BOXCOX = [-((-1) ** k) * (k + 1) / (k + 2) for k in range(18)]


def _inv_boxcox_y(z: Any, y: Any, lmbda: Any) -> Any:
    """Derivative of z = (1 + λy)^(1/λ) in y; at z = 0 from the power, which is differentiable."""
    base = 1 + lmbda * y
    none = (base == 0) | (z == 0) | xp.isinf(z)
    return where(none, xp.pow(z, 1 - lmbda), z / where(none, 1.0, base))


def _inv_boxcox_lmbda(z: Any, y: Any, lmbda: Any) -> Any:
    """Derivative of z in λ: a series near λ = 0, else from the logarithm of z."""
    u = lmbda * y
    none = ~(u > -1)
    base = where(none, 1.0, 1 + u)
    over = xp.isinf(u)
    log = where(over, xp.log(xp.abs(lmbda)) + xp.log(xp.abs(y)), xp.log1p(where(none, 0.0, u)))
    quotient = z * (where(over, 1 / lmbda, y / base) - log / lmbda) / lmbda
    slope = where(xp.abs(u) < 0.1, z * y * y * power_series(u, _INV_BOXCOX), quotient)
    at_0 = where(lmbda > 0, xp.pow(z, 1 - lmbda) / where(lmbda == 0, 1.0, lmbda) * y, 0.0)
    return where(z == 0, at_0, slope)


elementwise(
    "inv_boxcox",
    lambda t, out, y, lmbda: t * _inv_boxcox_y(out, y, lmbda),
    lambda t, out, y, lmbda: t * _inv_boxcox_lmbda(out, y, lmbda),
)
elementwise(
    "inv_boxcox1p",
    lambda t, out, y, lmbda: t * _inv_boxcox_y(1 + out, y, lmbda),
    lambda t, out, y, lmbda: t * _inv_boxcox_lmbda(1 + out, y, lmbda),
)


def _expn(t: Any, _out: Any, n: Any, x: Any) -> Any:
    """-E_{n-1}(x) (DLMF 8.19.13), and for n = 0 from E_0(x) = exp(-x)/x."""
    zeroth = n == 0
    lower = special.expn(where(zeroth, 1.0, n) - 1, x)
    return -t * where(zeroth, xp.exp(-x) * ((1 + 1 / x) / x), lower)


elementwise("expn", refused("expn", "n", INTEGER), _expn)
_SPENCE = [(-1) ** k / (k + 1) for k in range(18)]


def _spence(t: Any, _out: Any, z: Any) -> Any:
    w = z - 1
    return -t * where(xp.abs(w) < 0.1, power_series(w, _SPENCE), xp.log(z) / w)


elementwise("spence", _spence)

# ---- angles

_DEGREE = math.pi / 180
_SINC = [-((-1) ** k) * 2 * (k + 1) / math.factorial(2 * k + 3) for k in range(12)]


def _sinc(t: Any, out: Any, x: Any) -> Any:
    u = math.pi * x
    inner = math.pi * u * power_series(u * u, _SINC)
    cosine = xp.cos(u) if x.dtype.kind == "c" else _cos_pi(x)
    return t * where(xp.abs(u) < 1, inner, (cosine - out) / x)


elementwise("sinc", _sinc)
elementwise("sindg", lambda t, _out, x: t * (_DEGREE * special.cosdg(x)))
elementwise("cosdg", lambda t, _out, x: t * (-_DEGREE * special.sindg(x)))
elementwise("tandg", lambda t, out, _x: t * (_DEGREE * (1 + out * out)))
elementwise("cotdg", lambda t, out, _x: t * (-_DEGREE * (1 + out * out)))
elementwise(
    "radian",
    lambda t, *_: t * _DEGREE,
    lambda t, *_: t * (_DEGREE / 60),
    lambda t, *_: t * (_DEGREE / 3600),
)
elementwise("cosm1", lambda t, _out, x: t * -xp.sin(x))

# ---- entropies and losses


def _log_ratio(x: Any, y: Any) -> Any:
    ratio = x / y
    within = (ratio >= finfo(ratio.dtype).smallest_normal) & xp.isfinite(ratio)
    log = where(within, xp.log(ratio), xp.log(x) - xp.log(y))
    return where((x == 0) & (y == 0), 0.0, log)


def _ratio(x: Any, y: Any) -> Any:
    return where((x == 0) & (y == 0), 0.0, x / y)


def _one_inside(x: Any, y: Any) -> Any:
    """1, and 0 where both are 0."""
    return call("astype", (x != 0) | (y != 0), (x.dtype,))


elementwise("entr", lambda t, _out, x: t * (-xp.log(x) - 1))
elementwise(
    "rel_entr",
    lambda t, _out, x, y: t * (_log_ratio(x, y) + _one_inside(x, y)),
    lambda t, _out, x, y: -t * _ratio(x, y),
)
elementwise(
    "kl_div",
    lambda t, _out, x, y: t * _log_ratio(x, y),
    lambda t, _out, x, y: t * (_one_inside(x, y) - _ratio(x, y)),
)
elementwise(
    "huber",
    lambda t, _out, delta, r: t * xp.maximum(xp.abs(r) - delta, 0.0),
    lambda t, _out, delta, r: t * where(xp.abs(r) <= delta, r, delta * xp.sign(r)),
)


def _pseudo_huber_parts(delta: Any, r: Any) -> tuple[Any, Any, Any]:
    """Whether abs(r) <= δ, q = r/δ or its reciprocal, abs(q) <= 1, and √(1 + q²)."""
    inner = xp.abs(r) <= delta
    q = where(inner, r, delta) / where(inner, where(delta == 0, 1.0, delta), r)
    return inner, q, xp.sqrt(1 + q * q)


def _pseudo_huber_delta(t: Any, _out: Any, delta: Any, r: Any) -> Any:
    """δ (s - 1)²/s with s = √(1 + (r/δ)²), without cancellation in s - 1."""
    inner, q, root = _pseudo_huber_parts(delta, r)
    small = r * (q / (1 + root)) ** 2 * (q / root)
    rest = root - xp.abs(q)
    return t * where(inner, small, xp.abs(r) * (rest * rest / root))


def _pseudo_huber_r(t: Any, _out: Any, delta: Any, r: Any) -> Any:
    inner, _, root = _pseudo_huber_parts(delta, r)
    return t * (where(inner, r, delta * xp.sign(r)) / root)


elementwise("pseudo_huber", _pseudo_huber_delta, _pseudo_huber_r)

# ---- Bessel functions: DLMF 10.6.2, 10.6.3, 10.29.2, 10.29.3. At 0, f₁(x)/x by its series.

_BESSEL = [1 / (2 * 4**k * math.factorial(k) * math.factorial(k + 1)) for k in range(12)]
_BESSEL_J = [(-1) ** k * c for k, c in enumerate(_BESSEL)]


def _over_x(f1: Any, x: Any, inner: Any) -> Any:
    return where(xp.abs(x) < 1, inner, where(xp.isinf(f1), 0.0, f1 / x))  # f1 is less than f0


def _j1(t: Any, out: Any, x: Any) -> Any:
    return t * (special.j0(x) - _over_x(out, x, power_series(x * x, _BESSEL_J)))


def _i1(t: Any, out: Any, x: Any) -> Any:
    return t * (special.i0(x) - _over_x(out, x, power_series(x * x, _BESSEL)))


def _i1e(t: Any, out: Any, x: Any) -> Any:
    inner = xp.exp(-xp.abs(x)) * power_series(x * x, _BESSEL)
    slope = special.i0e(x) - _over_x(out, x, inner) - xp.sign(x) * out
    return t * _unless_far(xp.abs(x), slope, _I1E)


def _tail(order: int, sign: int, scale: float) -> list[float]:
    """Coefficients of the derivative of the asymptotic series of a scaled function, in 1/x.

    The series is scale x^(-1/2) Σ aₖ (sign/x)^k with the coefficients of DLMF 10.17.1.
    """
    found, a = [], scale
    for k in range(15):
        found.append(-a * (k + 0.5))
        a *= sign * (4 * order**2 - (2 * k + 1) ** 2) / (8 * (k + 1))
    return found


_I0E, _I1E = (_tail(order, -1, 1 / _SQRT_2_PI) for order in (0, 1))
_K0E, _K1E = (_tail(order, 1, math.sqrt(math.pi / 2)) for order in (0, 1))


def _unless_far(x: Any, slope: Any, tail: list[float], sign: Any = 1.0) -> Any:
    """`slope`, or for large x, where its terms cancel, by DLMF 10.40.1 and 10.40.2."""
    far = x > 30
    w = 1 / where(far, x, 30.0)
    return where(far, sign * (w * xp.sqrt(w) * power_series(w, tail)), slope)


elementwise("j0", lambda t, _out, x: -t * special.j1(x))
elementwise("j1", _j1)
elementwise("y0", lambda t, _out, x: -t * special.y1(x))
elementwise("y1", lambda t, out, x: t * (special.y0(x) - out / x))


def _yn(t: Any, out: Any, n: Any, x: Any) -> Any:
    """By the neighbour with the order nearer to 0: the terms do not cancel near x = 0."""
    up = n <= 0
    neighbour = special.yn(where(up, n + 1, n - 1), x)
    part = where(n == 0, 0.0, n / x * out)
    return t * where(up, part - neighbour, neighbour - part)


elementwise(
    "yn",
    refused("yn", "n", INTEGER),
    _yn,
)
elementwise("i0", lambda t, _out, x: t * special.i1(x))
elementwise("i1", _i1)
elementwise(
    "i0e",
    lambda t, out, x: (
        t * _unless_far(xp.abs(x), special.i1e(x) - xp.sign(x) * out, _I0E, xp.sign(x))
    ),
)
elementwise("i1e", _i1e)
elementwise("k0", lambda t, _out, x: -t * special.k1(x))
elementwise("k1", lambda t, out, x: -t * (special.k0(x) + out / x))
elementwise("k0e", lambda t, out, x: t * _unless_far(x, out - special.k1e(x), _K0E))
elementwise(
    "k1e",
    lambda t, out, x: t * _unless_far(x, out * (1 - 1 / x) - special.k0e(x), _K1E),
)


# Of real order: DLMF 10.6.1, 10.29.1. At 0, where the functions are infinite, so is the slope.


def _at_pole(out: Any, z: Any, slope: Any) -> Any:
    return where((z == 0) & xp.isinf(out), -out, slope)


def _ive(t: Any, out: Any, v: Any, z: Any) -> Any:
    if z.dtype.kind == "c":
        raise NotDifferentiableError(
            "special.ive: not differentiable for complex numbers, because exp(-abs(real(z))) is "
            "not holomorphic; write special.iv"
        )
    return t * ((special.ive(v - 1, z) + special.ive(v + 1, z)) / 2 - xp.sign(z) * out)


def _of_real_order(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "v"), slope)


_of_real_order("jv", lambda t, _out, v, z: t * ((special.jv(v - 1, z) - special.jv(v + 1, z)) / 2))
_of_real_order(
    "yv",
    lambda t, out, v, z: t * _at_pole(out, z, (special.yv(v - 1, z) - special.yv(v + 1, z)) / 2),
)
_of_real_order("iv", lambda t, _out, v, z: t * ((special.iv(v - 1, z) + special.iv(v + 1, z)) / 2))
_of_real_order("ive", _ive)
_of_real_order("kv", lambda t, _out, v, z: -t * ((special.kv(v - 1, z) + special.kv(v + 1, z)) / 2))
_of_real_order(
    "kve",
    lambda t, out, v, z: (
        t * _at_pole(out, z, out - (special.kve(v - 1, z) + special.kve(v + 1, z)) / 2)
    ),
)

# ---- elliptic, hypergeometric and Legendre functions

_LEGENDRE = [(math.comb(2 * k, k) / 4**k) ** 2 for k in range(24)]
_ELLIPK = [math.pi / 2 * k * c for k, c in enumerate(_LEGENDRE)][1:]  # of K', DLMF 19.5.1
_ELLIPE = [-math.pi / 2 * k * c / (2 * k - 1) for k, c in enumerate(_LEGENDRE)][1:]  # of E'


def _ellipk_slope(k: Any, m: Any, m1: Any) -> Any:
    """Derivative in the parameter m = 1 - m1 (DLMF 19.4.1)."""
    outer = (special.ellipe(m) / m1 - k) / 2 / m
    outer = where(xp.isinf(m), 0.0, outer)
    return where(xp.abs(m) < 0.1, power_series(m, _ELLIPK), outer)


def _ellipkm1(t: Any, out: Any, p: Any) -> Any:
    """For small `p`, where 1 - p would round, by DLMF 19.12.1: A(p) log(1/p)/2 + B(p)."""
    small = p < 0.1
    near_0 = where(small, p, 1.0)
    rising = power_series(near_0, _LEGENDRE) - power_series(near_0, _RISING) * special.entr(near_0)
    inner = power_series(near_0, _REST) - rising / 2 / near_0
    return t * where(small, inner, -_ellipk_slope(out, 1 - p, p))


_HALVES = [math.log(4)]
for _k in range(len(_LEGENDRE) - 1):
    _HALVES.append(_HALVES[-1] - 2 / ((2 * _k + 1) * (2 * _k + 2)))
_RISING = [k * c for k, c in enumerate(_LEGENDRE)][1:]  # of A'
_REST = [k * c * d for k, (c, d) in enumerate(zip(_LEGENDRE, _HALVES, strict=True))][1:]  # of B'
elementwise("ellipk", lambda t, out, m: t * _ellipk_slope(out, m, 1 - m))
elementwise("ellipkm1", _ellipkm1)
elementwise(
    "ellipe",
    lambda t, out, m: (
        t
        * where(
            xp.abs(m) < 0.1,
            power_series(m, _ELLIPE),
            where(xp.isinf(m), 0.0, (out - special.ellipk(m)) / 2 / m),
        )
    ),
)
elementwise(
    "hyp1f1",
    refused("hyp1f1", "a"),
    refused("hyp1f1", "b"),
    lambda t, _out, a, b, x: t * (a / b * special.hyp1f1(a + 1, b + 1, x)),
)


def _lpmv(t: Any, out: Any, m: Any, v: Any, x: Any) -> Any:
    """DLMF 14.10.5; at ±1, where that is 0/0, from the factor (1 - x²)^(m/2)."""
    y = 1 - x * x
    inside = ((v + 1) * x * out - (v - m + 1) * special.lpmv(m, v + 1, x)) / y
    size, order = v * (v + 1), xp.abs(m)
    curvature = (v - 1) * size * (v + 2) / 8
    of_two = where(m > 0, -2 * curvature, -0.25)
    high = where(order == 1, math.inf, 0 * order)
    # P(-x) = (-1)^(v+m) P(x) for integer v. The last terms are 0, but make derivatives of the
    # constants infinite: the second derivative except for m = 0, and the third.
    odd = xp.remainder(v + m, 2.0) != 0
    end = where(order == 0, size / 2, where(order == 2, of_two, high))
    end = where((x > 0) | odd, end, -end)
    second = where((x > 0) | ~odd, curvature, -curvature)
    of_zero = end + (x - xp.sign(x)) * second + xp.pow(y, 1.5)
    end = where(order == 0, of_zero, end + xp.sqrt(y))
    return t * where(xp.abs(x) == 1, end, inside)


elementwise("lpmv", refused("lpmv", "m", INTEGER), refused("lpmv", "v"), _lpmv)

# ---- distribution functions of counts: incomplete beta and gamma functions


def _binomial_log(k: Any, n: Any, p: Any) -> Any:
    """Logarithm of -d/dp of the probability of at most `k` of `n`."""
    k = xp.floor(k)
    all_ = (k >= n) | xp.isinf(k)
    return _beta_log(where(all_, 0.0, k + 1), where(all_, 0.0, n - k), p)


def _counted(name: str, slope: Scale, *, rounded: bool) -> None:
    elementwise(
        name,
        zero_derivative if rounded else refused(name, "k", INTEGER),
        refused(name, "n", INTEGER),
        slope,
    )


_counted("bdtr", lambda t, _out, k, n, p: -t * density(*_binomial_log(k, n, p)), rounded=True)
_counted("bdtrc", lambda t, _out, k, n, p: t * density(*_binomial_log(k, n, p)), rounded=True)
_counted("bdtri", lambda t, out, k, n, _y: -t * _inverse(*_binomial_log(k, n, out)), rounded=True)


def _pascal_log(k: Any, n: Any, p: Any) -> Any:
    return _beta_log(n, k + 1, p)


_counted("nbdtr", lambda t, _out, k, n, p: t * density(*_pascal_log(k, n, p)), rounded=False)
_counted("nbdtrc", lambda t, _out, k, n, p: -t * density(*_pascal_log(k, n, p)), rounded=False)
_counted("nbdtri", lambda t, out, k, n, _y: t * _inverse(*_pascal_log(k, n, out)), rounded=False)


elementwise("pdtr", zero_derivative, lambda t, _out, k, m: -t * _gamma_density(xp.floor(k) + 1, m))
elementwise("pdtrc", zero_derivative, lambda t, _out, k, m: t * _gamma_density(xp.floor(k) + 1, m))
elementwise(
    "pdtri",
    refused("pdtri", "k", INTEGER),
    lambda t, out, k, _y: -t * _gamma_inverse(xp.trunc(k) + 1, out),  # as SciPy rounds it
)

# ---- other distribution functions


def _chi2_family(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "v"), slope)


_chi2_family("chdtr", lambda t, _out, v, x: t * (_gamma_density(v / 2, x / 2) / 2))
_chi2_family("chdtrc", lambda t, _out, v, x: -t * (_gamma_density(v / 2, x / 2) / 2))
_chi2_family("chdtri", lambda t, out, v, _p: -t * (2 * _gamma_inverse(v / 2, out / 2)))


def _f_log(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """Logarithm of the density of the F distribution, with u = a x / (a x + b) for `_beta_log`."""
    none = infinite(a, b, x)
    a, b = where(none, 2.0, a / 2), where(none, 2.0, b / 2)
    x = where(none, 1.0, x)
    large = (a > _LARGE) & (b > _LARGE)
    odds = a * (x / b)
    c, d = where(large, a, 1.0), where(large, b, 1.0)
    share = c / d
    scale = 1 + share * x
    ratios = x * ((1 + share) / scale), (1 + share) / scale
    peak = _beta_peak(c, d, ratios, share * ((x - 1) / scale))
    # (Near 0, the logarithm without the power of x; elsewhere its terms might cancel.)
    start = odds == 0
    over = xp.isinf(odds)
    tail = where(over, b * (xp.log(a) - xp.log(b) + xp.log(x)), special.xlog1py(b, odds))
    split = -special.xlog1py(a, 1 / where(start, 1.0, odds)) - tail
    whole = special.xlogy(a, a / b) - special.xlog1py(a + b, odds)
    log = where(large, peak, where(start, whole, split) - _log_beta(a, b))
    p = where(start, a - 1, -1.0)
    return where(none | (large & start), -math.inf, log), _end(x, where(none, 0.0, p))


def _f_family(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "dfn"), refused(name, "dfd"), slope)


_f_family("fdtr", lambda t, _out, dfn, dfd, x: t * density(*_f_log(dfn, dfd, x)))
_f_family("fdtrc", lambda t, _out, dfn, dfd, x: -t * density(*_f_log(dfn, dfd, x)))
_f_family("fdtri", lambda t, out, dfn, dfd, _p: t * _inverse(*_f_log(dfn, dfd, out)))


def _scaled_density(a: Any, b: Any, x: Any) -> Any:
    """Density of gammainc(b, a x) in x; for that in a, `a` and `x` are exchanged.

    By powers of both, because their product may underflow.
    """
    none = (a == 0) | infinite(a, x)
    log, _, p = _gamma_log(b, a * x)
    slope = a * density(log, _end(where(none, 1.0, xp.abs(a)), p), _end(where(none, 1.0, x), p))
    return where(none, 0.0, slope)


elementwise(
    "gdtr",
    lambda t, _out, a, b, x: t * _scaled_density(x, b, a),
    refused("gdtr", "b"),
    lambda t, _out, a, b, x: t * _scaled_density(a, b, x),
)
elementwise(
    "gdtrc",
    lambda t, _out, a, b, x: -t * _scaled_density(x, b, a),
    refused("gdtrc", "b"),
    lambda t, _out, a, b, x: -t * _scaled_density(a, b, x),
)


def _t_log(df: Any, t: Any) -> Any:
    normal = xp.isinf(df)
    v = where(normal, 1.0, df)
    u = t / xp.sqrt(v)
    far = xp.abs(u) > 1e10  # where the square may overflow, and the 1 is nothing
    tail = where(far, 2 * xp.log(where(far, xp.abs(u), 1.0)), xp.log1p(where(far, 0.0, u * u)))
    log = -(v + 1) / 2 * tail - xp.log(v) / 2 - _log_beta(v / 2, 0.5)
    return where(normal, -t * t / 2 - math.log(_SQRT_2_PI), log)


elementwise("stdtr", refused("stdtr", "df"), lambda t, _out, df, x: t * xp.exp(_t_log(df, x)))
elementwise(
    "stdtrit", refused("stdtrit", "df"), lambda t, out, df, _p: t * xp.exp(-_t_log(df, out))
)

# ---- sums of exponentials


def _summed(x: Any, axis: Any) -> Any:
    """Sum with the axis kept at size 1; 0-d data is returned unchanged."""
    return call("sum", x, (), {"axis": axis if x.ndim else None, "keepdims": True})


def _keepdims(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Result of a reduction of `x`, with the reduced axes restored."""
    if keepdims:
        return y
    lost = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    shape = [*x.shape]
    for i in lost if shape else ():
        shape[i] = 1
    return view("reshape", y, (tuple(shape),), {"copy": None})


def _share(a: Any, out: Any) -> Any:
    """exp(a - out), finite also where `out` is not: there 1 for elements of infinity."""
    infinite = xp.isinf(out)
    at_top = call("astype", xp.real(a) == math.inf, (a.dtype,))
    return where(infinite, at_top, xp.exp(a - where(infinite, 0.0, out)))


def _over_total(e: Any, total: Any) -> Any:
    """Exponentials divided by their sum, which is not 1 where `out` has fewer digits than `a`."""
    return e / where(total == 0, 1.0, total)


def _softmax_of(a: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    e = _share(a, _keepdims(out, a, axis, keepdims))
    return _over_total(e, _summed(e, axis))


def _logsumexp_vjp(g: Any, out: Any, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return _keepdims(g, a, axis, keepdims) * conj(_softmax_of(a, out, axis, keepdims))


def _logsumexp_jvp(t: Any, out: Any, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    share = _softmax_of(a, out, axis, keepdims)
    return call("sum", t * share, (), {"axis": axis if a.ndim else None, "keepdims": keepdims})


define("special.logsumexp", (_logsumexp_vjp, _logsumexp_jvp))


def _weighted_jvp(t: Any, out: Any, factor: Any, axis: Any, keepdims: bool) -> Any:
    """Tangents of log(size) and of the sign of a sum, from ``d(sum) / size``."""
    sign = out[1]
    change = call(
        "sum", t * factor, (), {"axis": axis if factor.ndim else None, "keepdims": keepdims}
    )
    if sign.dtype.kind != "c":
        return change * sign, 0 * sign
    change = change * conj(sign)
    return xp.real(change), 1j * sign * xp.imag(change)


def _exponentials(out: Any, a: Any, b: Any, axis: Any, keepdims: bool) -> Any:
    like = a if isinstance(b, (int, float, complex)) else a + 0 * b
    e = _share(a, _keepdims(out[0], like, axis, keepdims)) + 0 * like
    return _over_total(e, xp.abs(_summed(_weighted_exponentials(b, e), axis)))


def _weighted_exponentials(b: Any, e: Any) -> Any:
    """Return b * e; 0 for weights of 0, for which the derivative in `b` may be infinite."""
    if isinstance(b, (int, float, complex)):
        return b * e
    return b * where((b == 0) & ~xp.isfinite(e), 0.0, e)


def _by_exponent(t: Any, out: Any, a: Any, b: Any, *, axis: Any, keepdims: bool) -> Any:
    e = _exponentials(out, a, b, axis, keepdims)
    return _weighted_jvp(t, out, _weighted_exponentials(b, e), axis, keepdims)


def _by_weight(t: Any, out: Any, a: Any, b: Any, *, axis: Any, keepdims: bool) -> Any:
    return _weighted_jvp(t, out, _exponentials(out, a, b, axis, keepdims), axis, keepdims)


define("special.logsumexp_weighted", (None, _by_exponent), (None, _by_weight))


def _softmax_vjp(g: Any, out: Any, _x: Any, *, axis: Any = None) -> Any:
    weighted = g * conj(out)
    return weighted - conj(out) * _summed(weighted, axis)


def _softmax_jvp(t: Any, out: Any, _x: Any, *, axis: Any = None) -> Any:
    weighted = t * out
    return weighted - out * _summed(weighted, axis)


define("special.softmax", (_softmax_vjp, _softmax_jvp))
define(
    "special.log_softmax",
    (
        lambda g, out, _x, *, axis=None: g - conj(xp.exp(out)) * _summed(g, axis),
        lambda t, out, _x, *, axis=None: t - _summed(weighted(t, xp.exp(out)), axis),
    ),
)
