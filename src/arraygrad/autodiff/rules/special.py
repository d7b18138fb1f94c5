"""Rules of special functions.

Formulas are of the Digital Library of Mathematical Functions, https://dlmf.nist.gov. Where one
cancels near a point, it is the power series around that point there.
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
from ..._dispatch import call
from ..._searching import where
from .._rules import NotDifferentiableError, conj, define, refuse, zero
from ._elementwise import holomorphic

Scale = Callable[..., Any]


def elementwise(name: str, *scales: Scale) -> None:
    """A function of which each ``scale(t, out, *operands)`` multiplies by a derivative.

    A scale is called with tensors alone: what is a scalar in the call becomes one.
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

    # The names of the parameters say what to keep; of the result at least what it is like.
    names = list(inspect.signature(scale).parameters.values())
    like = inspect.Parameter("out_like", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if names[1].kind is inspect.Parameter.VAR_POSITIONAL:
        names.insert(1, like)
    elif names[1].name.startswith("_"):
        names[1] = like
    run.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    run.refused = getattr(scale, "refused", "")  # type: ignore[attr-defined]
    return run


def _dtype_of(scalar: Any, like: Any) -> Any:
    return like.dtype if isinstance(scalar, complex) else finfo(like.dtype).dtype


NO_FORM = "the derivative has no closed form"
INTEGER = "it is an integer"


def refused(name: str, operand: str, why: str = NO_FORM) -> Scale:
    """For an operand by which there is no derivative; the others may have one."""

    def scale(_t: Any, *_: Any) -> Any:
        raise NotDifferentiableError(
            f"special.{name}: not differentiable by {operand}: {why}. Write "
            f"autodiff.stop_gradient({operand}) if it counts as constant"
        )

    scale.refused = operand  # type: ignore[attr-defined]  # for the table of coverage
    return scale


def stepwise(t: Any, *_: Any) -> Any:
    """The derivative by an operand that is rounded down."""
    return 0 * t


def power_series(z: Any, coefficients: list[float]) -> Any:
    """The sum of ``coefficients[k] * z**k``, by Horner's scheme."""
    total = coefficients[-1] + 0 * z
    for c in coefficients[-2::-1]:
        total = total * z + c
    return total


def exp_of(log: Any, *operands: Any) -> Any:
    """A density by its logarithm; 0 where an operand is infinite."""
    infinite = operands[0] != operands[0]
    for x in operands:
        infinite = infinite | xp.isinf(x)
    return xp.exp(where(infinite, -math.inf, log))


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
    """2 x erfcx(x) - 2/√π, of which all digits cancel far out: the series of DLMF 7.12.1 there."""
    slope = 2 * x * out - 2 / _SQRT_PI
    if x.dtype.kind == "f":
        far = x > 10
        w = 1 / (x * x)
        slope = where(far, w * power_series(w, _ERFCX), slope)
    return t * slope


_ERFCX = [
    -((-1) ** k) * float(Fraction(math.prod(range(1, 2 * k + 2, 2)), 2**k)) / _SQRT_PI
    for k in range(14)
]
elementwise("erfcx", _erfcx)
# (phi(x) / Phi(x), of which both underflow)
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
            "special.psi: not differentiable for complex numbers, whose polygamma SciPy lacks. "
            "Write autodiff.stop_gradient(x) if it counts as constant"
        )
    return t * special.polygamma(1, x)


def _is_pole(x: Any) -> Any:
    """Where the gamma function has its poles."""
    return (x <= 0) & (x == xp.floor(x))


def _rgamma_slope(x: Any) -> Any:
    """-psi(x)/Γ(x), by reflection (DLMF 5.5.3, 5.5.4) where psi may have a pole."""
    left = x < 0.5
    y = 1 - x
    angle = math.pi * x
    reflected = special.gamma(y) * (xp.cos(angle) - xp.sin(angle) * special.psi(y) / math.pi)
    return where(left, reflected, -special.psi(x) * special.rgamma(x))


def _rgamma(t: Any, out: Any, x: Any) -> Any:
    return t * (-special.psi(x) * out if x.dtype.kind == "c" else _rgamma_slope(x))


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
elementwise(
    "beta",
    lambda t, out, a, b: t * (out * (special.psi(a) - special.psi(a + b))),
    lambda t, out, a, b: t * (out * (special.psi(b) - special.psi(a + b))),
)
elementwise(
    "betaln",
    lambda t, _out, a, b: t * (special.psi(a) - special.psi(a + b)),
    lambda t, _out, a, b: t * (special.psi(b) - special.psi(a + b)),
)


def _binom_n(t: Any, out: Any, n: Any, k: Any) -> Any:
    x = n - k + 1
    pole = _is_pole(x)
    at_pole = special.gamma(n + 1) * special.rgamma(k + 1) * _rgamma_slope(x)
    return t * where(pole, at_pole, out * (special.psi(n + 1) - special.psi(x)))


def _binom_k(t: Any, out: Any, n: Any, k: Any) -> Any:
    x, y = n - k + 1, k + 1
    rgamma = special.rgamma
    at_pole = special.gamma(n + 1) * (_rgamma_slope(y) * rgamma(x) - rgamma(y) * _rgamma_slope(x))
    pole = _is_pole(x) | _is_pole(y)
    return t * where(pole, at_pole, out * (special.psi(x) - special.psi(y)))


elementwise("binom", _binom_n, _binom_k)


def _poch_z(t: Any, out: Any, z: Any, m: Any) -> Any:
    """Where Γ(z) has a pole: of Γ(z + m)/Γ(z) the slope of 1/Γ(z), or by reflection of both."""
    both = _is_pole(z) & _is_pole(z + m)
    slope = out * where(
        both,
        special.psi(1 - z - m) - special.psi(1 - z),
        special.psi(z + m) - special.psi(z),
    )
    one = special.gamma(z + m) * _rgamma_slope(z)
    return t * where(_is_pole(z) & ~both, one, slope)


elementwise("poch", _poch_z, lambda t, out, z, m: t * (out * special.psi(z + m)))
elementwise("zeta", refused("zeta", "x"), lambda t, _out, x, q: t * (-x * special.zeta(x + 1, q)))
refuse("special.zetac", NO_FORM)

# ---- incomplete gamma functions


def _gamma_density(a: Any, x: Any) -> Any:
    """x^(a-1) exp(-x) / Γ(a), DLMF 8.8.13; 0 for negative x."""
    log = special.xlogy(a - 1, x) - x - special.gammaln(a)
    return exp_of(where(x < 0, -math.inf, log), a, x)


elementwise("gammainc", refused("gammainc", "a"), lambda t, _out, a, x: t * _gamma_density(a, x))
elementwise("gammaincc", refused("gammaincc", "a"), lambda t, _out, a, x: -t * _gamma_density(a, x))
elementwise(
    "gammaincinv",
    refused("gammaincinv", "a"),
    lambda t, out, a, _y: t / _gamma_density(a, out),
)
elementwise(
    "gammainccinv",
    refused("gammainccinv", "a"),
    lambda t, out, a, _y: -t / _gamma_density(a, out),
)

# ---- incomplete beta functions


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """x^(a-1) (1-x)^(b-1) / B(a, b)."""
    log = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
    return exp_of(log, a, b)


def _beta_family(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "a"), refused(name, "b"), slope)


_beta_family("betainc", lambda t, _out, a, b, x: t * _beta_density(a, b, x))
_beta_family("betaincc", lambda t, _out, a, b, x: -t * _beta_density(a, b, x))
_beta_family("betaincinv", lambda t, out, a, b, _y: t / _beta_density(a, b, out))
_beta_family("betainccinv", lambda t, out, a, b, _y: -t / _beta_density(a, b, out))

# ---- exponentials, logarithms and their integrals

elementwise("expit", lambda t, out, x: t * (out * special.expit(-x)))  # 1 - out may cancel
elementwise("log_expit", lambda t, _out, x: t * special.expit(-x))
elementwise("logit", lambda t, _out, x: t / (x * (1 - x)))
elementwise("exp2", lambda t, out, _x: t * (math.log(2) * out))
elementwise("exp10", lambda t, out, _x: t * (math.log(10) * out))
elementwise("cbrt", lambda t, out, _x: t / (3 * out * out))
elementwise("exp1", lambda t, _out, x: t * (-xp.exp(-x) / x))
elementwise("expi", lambda t, _out, x: t * (xp.exp(x) / x))


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
    return where(xp.abs(x) < 1, power_series(x, _EXPREL), (xp.exp(x) - out) / x)


elementwise("exprel", lambda t, out, x: t * _exprel_slope(x, out))


def _boxcox_lmbda(out: Any, lmbda: Any, log_x: Any) -> Any:
    """Of exprel(λ log x) log x by λ: by the series near λ = 0, else of (x^λ - 1)/λ."""
    u = lmbda * log_x
    power = xp.exp(u)
    quotient = (where(power == 0, 0.0, power * log_x) - out) / lmbda
    return where(xp.abs(u) < 1, log_x * log_x * power_series(u, _EXPREL), quotient)


elementwise(
    "boxcox",
    lambda t, _out, x, lmbda: t * xp.pow(x, lmbda - 1),
    lambda t, out, x, lmbda: t * _boxcox_lmbda(out, lmbda, xp.log(x)),
)
elementwise(
    "boxcox1p",
    lambda t, _out, x, lmbda: t * xp.exp(special.xlog1py(lmbda - 1, x)),
    lambda t, out, x, lmbda: t * _boxcox_lmbda(out, lmbda, xp.log1p(x)),
)
_INV_BOXCOX = [-((-1) ** k) * (k + 1) / (k + 2) for k in range(18)]


def _inv_boxcox_lmbda(z: Any, y: Any, lmbda: Any) -> Any:
    """Of z = (1 + λy)^(1/λ) by λ, in the same two ways."""
    u = lmbda * y
    quotient = (y * xp.pow(z, 1 - lmbda) - special.xlogy(z, z)) / lmbda
    return where(xp.abs(u) < 0.1, z * y * y * power_series(u, _INV_BOXCOX), quotient)


elementwise(
    "inv_boxcox",
    lambda t, out, _y, lmbda: t * xp.pow(out, 1 - lmbda),
    lambda t, out, y, lmbda: t * _inv_boxcox_lmbda(out, y, lmbda),
)
elementwise(
    "inv_boxcox1p",
    lambda t, out, _y, lmbda: t * xp.pow(1 + out, 1 - lmbda),
    lambda t, out, y, lmbda: t * _inv_boxcox_lmbda(1 + out, y, lmbda),
)


def _expn(t: Any, _out: Any, n: Any, x: Any) -> Any:
    """-E_{n-1}(x), DLMF 8.19.13, and for n = 0 by E_0(x) = exp(-x)/x."""
    zeroth = n == 0
    lower = special.expn(where(zeroth, 1.0, n) - 1, x)
    return -t * where(zeroth, xp.exp(-x) * (1 + x) / (x * x), lower)


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
    return t * where(xp.abs(u) < 1, inner, (xp.cos(u) - out) / x)


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
    within = (ratio > 0) & xp.isfinite(ratio)
    log = where(within, xp.log(ratio), xp.log(x) - xp.log(y))
    return where((x == 0) & (y == 0), 0.0, log)


def _ratio(x: Any, y: Any) -> Any:
    return where((x == 0) & (y == 0), 0.0, x / y)


def _one_inside(x: Any, y: Any) -> Any:
    """1, but 0 where both are 0."""
    return call("astype", (x != 0) | (y != 0), x.dtype)


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


def _pseudo_huber_delta(t: Any, _out: Any, delta: Any, r: Any) -> Any:
    """δ (s - 1)²/s with s = √(1 + (r/δ)²), written so that s - 1 does not cancel."""
    h = _length(delta, r)
    share = r / (h + delta)
    return t * (share * share * (r * (r / h)))


def _length(delta: Any, r: Any) -> Any:
    h = xp.hypot(delta, r)
    return where(h == 0, 1.0, h)


elementwise(
    "pseudo_huber",
    _pseudo_huber_delta,
    lambda t, _out, delta, r: t * (delta * (r / _length(delta, r))),
)

# ---- Bessel functions: DLMF 10.6.2, 10.6.3, 10.29.2, 10.29.3. At 0, f₁(x)/x by its series.

_BESSEL = [1 / (2 * 4**k * math.factorial(k) * math.factorial(k + 1)) for k in range(12)]
_BESSEL_J = [(-1) ** k * c for k, c in enumerate(_BESSEL)]


def _over_x(f1: Any, x: Any, inner: Any) -> Any:
    return where(xp.abs(x) < 1, inner, f1 / x)


def _j1(t: Any, out: Any, x: Any) -> Any:
    return t * (special.j0(x) - _over_x(out, x, power_series(x * x, _BESSEL_J)))


def _i1(t: Any, out: Any, x: Any) -> Any:
    return t * (special.i0(x) - _over_x(out, x, power_series(x * x, _BESSEL)))


def _i1e(t: Any, out: Any, x: Any) -> Any:
    inner = xp.exp(-xp.abs(x)) * power_series(x * x, _BESSEL)
    return t * (special.i0e(x) - _over_x(out, x, inner) - xp.sign(x) * out)


elementwise("j0", lambda t, _out, x: -t * special.j1(x))
elementwise("j1", _j1)
elementwise("y0", lambda t, _out, x: -t * special.y1(x))
elementwise("y1", lambda t, out, x: t * (special.y0(x) - out / x))
elementwise(
    "yn",
    refused("yn", "n", INTEGER),
    lambda t, out, n, x: t * (n / x * out - special.yn(n + 1, x)),
)
elementwise("i0", lambda t, _out, x: t * special.i1(x))
elementwise("i1", _i1)
elementwise("i0e", lambda t, out, x: t * (special.i1e(x) - xp.sign(x) * out))
elementwise("i1e", _i1e)
elementwise("k0", lambda t, _out, x: -t * special.k1(x))
elementwise("k1", lambda t, out, x: -t * (special.k0(x) + out / x))
elementwise("k0e", lambda t, out, x: t * (out - special.k1e(x)))
elementwise("k1e", lambda t, out, x: t * (out - special.k0e(x) - out / x))

# ---- elliptic, hypergeometric and Legendre functions

_LEGENDRE = [(math.comb(2 * k, k) / 4**k) ** 2 for k in range(24)]
_ELLIPK = [math.pi / 2 * k * c for k, c in enumerate(_LEGENDRE)][1:]  # of K', DLMF 19.5.1
_ELLIPE = [-math.pi / 2 * k * c / (2 * k - 1) for k, c in enumerate(_LEGENDRE)][1:]  # of E'


def _ellipk_slope(k: Any, m: Any, m1: Any) -> Any:
    """By the parameter m = 1 - m1, DLMF 19.4.1."""
    outer = (special.ellipe(m) / m1 - k) / (2 * m)
    return where(xp.abs(m) < 0.1, power_series(m, _ELLIPK), outer)


elementwise("ellipk", lambda t, out, m: t * _ellipk_slope(out, m, 1 - m))
elementwise("ellipkm1", lambda t, out, p: -t * _ellipk_slope(out, 1 - p, p))
elementwise(
    "ellipe",
    lambda t, out, m: (
        t * where(xp.abs(m) < 0.1, power_series(m, _ELLIPE), (out - special.ellipk(m)) / (2 * m))
    ),
)
elementwise(
    "hyp1f1",
    refused("hyp1f1", "a"),
    refused("hyp1f1", "b"),
    lambda t, _out, a, b, x: t * (a / b * special.hyp1f1(a + 1, b + 1, x)),
)


def _lpmv(t: Any, out: Any, m: Any, v: Any, x: Any) -> Any:
    """DLMF 14.10.5; at ±1, where that is 0/0, of the factor (1 - x²)^(m/2)."""
    inside = ((v + 1) * x * out - (v - m + 1) * special.lpmv(m, v + 1, x)) / (1 - x * x)
    size, order = v * (v + 1), xp.abs(m)
    of_two = where(m > 0, (v - 1) * size * (v + 2), 1.0) / -4
    high = where(order == 1, math.inf, 0 * order)
    end = where(order == 0, size / 2, where(order == 2, of_two, high))
    # P(-x) = (-1)^(v+m) P(x) for integer v
    left = where(xp.remainder(v + m, 2.0) == 0, -end, end)
    return t * where(xp.abs(x) == 1, where(x > 0, end, left), inside)


elementwise("lpmv", refused("lpmv", "m", INTEGER), refused("lpmv", "v"), _lpmv)

# ---- distribution functions of counts: incomplete beta and gamma functions


def _binomial_density(k: Any, n: Any, p: Any) -> Any:
    """-d/dp of the probability of at most `k` of `n`."""
    k = xp.floor(k)
    log = special.xlogy(k, p) + special.xlog1py(n - k - 1, -p) - special.betaln(n - k, k + 1)
    return where(k >= n, 0.0, xp.exp(log))


def _counted(name: str, slope: Scale, *, rounded: bool) -> None:
    elementwise(
        name,
        stepwise if rounded else refused(name, "k", INTEGER),
        refused(name, "n", INTEGER),
        slope,
    )


_counted("bdtr", lambda t, _out, k, n, p: -t * _binomial_density(k, n, p), rounded=True)
_counted("bdtrc", lambda t, _out, k, n, p: t * _binomial_density(k, n, p), rounded=True)
_counted("bdtri", lambda t, out, k, n, _y: -t / _binomial_density(k, n, out), rounded=True)


def _pascal_density(k: Any, n: Any, p: Any) -> Any:
    return xp.exp(special.xlogy(n - 1, p) + special.xlog1py(k, -p) - special.betaln(n, k + 1))


_counted("nbdtr", lambda t, _out, k, n, p: t * _pascal_density(k, n, p), rounded=False)
_counted("nbdtrc", lambda t, _out, k, n, p: -t * _pascal_density(k, n, p), rounded=False)
_counted("nbdtri", lambda t, out, k, n, _y: t / _pascal_density(k, n, out), rounded=False)


def _poisson_density(k: Any, m: Any) -> Any:
    return _gamma_density(xp.floor(k) + 1, m)


elementwise("pdtr", stepwise, lambda t, _out, k, m: -t * _poisson_density(k, m))
elementwise("pdtrc", stepwise, lambda t, _out, k, m: t * _poisson_density(k, m))
elementwise(
    "pdtri",
    refused("pdtri", "k", INTEGER),
    lambda t, out, k, _y: -t / _poisson_density(k, out),
)

# ---- other distribution functions


def _chi2_density(v: Any, x: Any) -> Any:
    return _gamma_density(v / 2, x / 2) / 2


elementwise("chdtr", refused("chdtr", "v"), lambda t, _out, v, x: t * _chi2_density(v, x))
elementwise("chdtrc", refused("chdtrc", "v"), lambda t, _out, v, x: -t * _chi2_density(v, x))
elementwise("chdtri", refused("chdtri", "v"), lambda t, out, v, _p: -t / _chi2_density(v, out))


def _f_density(a: Any, b: Any, x: Any) -> Any:
    log = (
        special.xlogy(a / 2 - 1, x)
        + special.xlogy(a / 2, a / b)
        - special.xlog1py((a + b) / 2, a * x / b)
        - special.betaln(a / 2, b / 2)
    )
    return exp_of(log, a, b, x)


def _f_family(name: str, slope: Scale) -> None:
    elementwise(name, refused(name, "dfn"), refused(name, "dfd"), slope)


_f_family("fdtr", lambda t, _out, dfn, dfd, x: t * _f_density(dfn, dfd, x))
_f_family("fdtrc", lambda t, _out, dfn, dfd, x: -t * _f_density(dfn, dfd, x))
_f_family("fdtri", lambda t, out, dfn, dfd, _p: t / _f_density(dfn, dfd, out))
elementwise(
    "gdtr",
    lambda t, _out, a, b, x: t * (x * _gamma_density(b, a * x)),
    refused("gdtr", "b"),
    lambda t, _out, a, b, x: t * (a * _gamma_density(b, a * x)),
)
elementwise(
    "gdtrc",
    lambda t, _out, a, b, x: -t * (x * _gamma_density(b, a * x)),
    refused("gdtrc", "b"),
    lambda t, _out, a, b, x: -t * (a * _gamma_density(b, a * x)),
)


def _t_density(df: Any, t: Any) -> Any:
    normal = xp.isinf(df)
    v = where(normal, 1.0, df)
    log = -(v + 1) / 2 * xp.log1p(t * t / v) - xp.log(v) / 2 - special.betaln(v / 2, 0.5)
    return xp.exp(where(normal, -t * t / 2 - math.log(_SQRT_2_PI), log))


elementwise("stdtr", refused("stdtr", "df"), lambda t, _out, df, x: t * _t_density(df, x))
elementwise("stdtrit", refused("stdtrit", "df"), lambda t, out, df, _p: t / _t_density(df, out))

# ---- sums of exponentials


def _summed(x: Any, axis: Any) -> Any:
    """The sum over an axis, which stays; of data without axes, itself."""
    return call("sum", x, axis=axis if x.ndim else None, keepdims=True)


def _kept(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """A result of a reduction of `x`, with the axes that it has lost."""
    if keepdims:
        return y
    lost = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    shape = [*x.shape]
    for i in lost if shape else ():
        shape[i] = 1
    return call("reshape", y, tuple(shape), copy=None)


def _share(a: Any, out: Any) -> Any:
    """exp(a - out), which is finite also where `out` is not: all of it of what is infinite."""
    infinite = xp.isinf(out)
    at_top = call("astype", xp.real(a) == math.inf, a.dtype)
    return where(infinite, at_top, xp.exp(a - where(infinite, 0.0, out)))


def _logsumexp_vjp(g: Any, out: Any, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    share = _share(a, _kept(out, a, axis, keepdims))
    return _kept(g, a, axis, keepdims) * conj(share)


def _logsumexp_jvp(t: Any, out: Any, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    share = _share(a, _kept(out, a, axis, keepdims))
    return call("sum", t * share, axis=axis if a.ndim else None, keepdims=keepdims)


define("special.logsumexp", (_logsumexp_vjp, _logsumexp_jvp))


def _weighted_jvp(t: Any, out: Any, factor: Any, axis: Any, keepdims: bool) -> Any:
    """Of the logarithm of the size of a sum and of its sign, from ``d(sum) / size``."""
    sign = out[1]
    change = call("sum", t * factor, axis=axis if factor.ndim else None, keepdims=keepdims)
    if sign.dtype.kind != "c":
        return change * sign, 0 * sign
    change = change * conj(sign)
    return xp.real(change), 1j * sign * xp.imag(change)


def _exponentials(out: Any, a: Any, b: Any, axis: Any, keepdims: bool) -> Any:
    like = a if isinstance(b, (int, float, complex)) else a + 0 * b
    return _share(a, _kept(out[0], like, axis, keepdims)) + 0 * like


def _by_exponent(t: Any, out: Any, a: Any, b: Any, *, axis: Any, keepdims: bool) -> Any:
    factor = b * _exponentials(out, a, b, axis, keepdims)
    if not isinstance(b, (int, float, complex)):
        factor = where(b == 0, 0.0, factor)
    return _weighted_jvp(t, out, factor, axis, keepdims)


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
        lambda t, out, _x, *, axis=None: t - _summed(xp.exp(out) * t, axis),
    ),
)
