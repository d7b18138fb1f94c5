"""Probability distributions of `scipy.stats`, with derivatives.

The distributions have SciPy's names and methods. Continuous ones, with their shapes:

========== ========== ============================
`norm`                normal
`uniform`             uniform on [0, 1]
`expon`               exponential
`gamma`    a          gamma
`beta`     a, b       beta on [0, 1]
`t`        df         Student's t
`chi2`     df         chi-squared
`lognorm`  s          log-normal
`laplace`             Laplace
`logistic`            logistic
`cauchy`              Cauchy
========== ========== ============================

Discrete ones:

=========== ========= ============================
`poisson`   mu        Poisson
`binom`     n, p      binomial
`bernoulli` p         Bernoulli
=========== ========= ============================

Those of vectors, with ``logpdf`` and ``pdf``; the normal one has ``entropy``, too:

===================== ========= =====================================================
`multivariate_normal` mean, cov normal; the defaults are 0 and 1, as numbers, a diagonal
                                or a matrix
`dirichlet`           alpha     Dirichlet; the vectors are along the *first* axis
===================== ========= =====================================================

They are written with `arraygrad.special`, so they run on every device. The methods are

- ``logpdf`` and ``pdf``, for discrete distributions ``logpmf`` and ``pmf``: the density;
- ``cdf`` and ``logcdf``: the probability of a value up to x;
- ``sf`` and ``logsf``: the probability of a larger value;
- ``ppf`` and ``isf``: the inverses of ``cdf`` and ``sf``, of continuous distributions.

They take the argument, the shapes, `loc` and (if continuous) `scale`, by position or by name. These
are tensors or numbers, and at least one is a tensor. The methods are differentiable with respect to
each of them, but the probabilities of `gamma`, `beta`, `t` and `chi2` have no derivative with
respect to the shapes. Outside the support, densities and derivatives are 0. For invalid parameters,
such as a scale of 0, the result is NaN.

Except for `t`, logarithms are accurate in the tails, where the probabilities themselves underflow.
Formulas are from Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions, and from
the Digital Library of Mathematical Functions, https://dlmf.nist.gov.

Examples
--------
>>> import arraygrad as xp
>>> from arraygrad import autodiff
>>> from arraygrad.scipy import stats
>>> x = xp.asarray([-1.0, 0.0, 40.0])
>>> stats.norm.logpdf(x, scale=2.0)
Tensor([  -1.73708571,   -1.61208571, -201.61208571], dtype=float64)
>>> autodiff.grad(lambda mu: xp.sum(stats.norm.logpdf(x, mu)))(xp.asarray(0.0))
Tensor(39., dtype=float64)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import arraygrad as xp

from .._dispatch import common_device, conversion_hint, is_anywhere
from .._errors import describe, in_own_name
from .._typing import Tensor
from ..autodiff import stop_gradient

__all__ = [
    "bernoulli", "beta", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma", "laplace",
    "logistic", "lognorm", "multivariate_normal", "norm", "poisson", "t", "uniform",
]  # fmt: skip

_special = xp.special
_where: Any = xp.where


class _Distribution:
    """A distribution in standard form; the methods of `scipy.stats` shift and scale it.

    Parameters
    ----------
    name : str
        Name in `scipy.stats`.
    doc : str
        Docstring.
    """

    #: The names of the shapes, and of `loc` and `scale` with their defaults.
    shapes: tuple[str, ...] = ()
    #: The ends of the support.
    low, high = -math.inf, math.inf

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"<{__name__}.{self.name}>"

    def _operands(
        self, method: str, x: Any, args: tuple[Any, ...], kwds: dict[str, Any], scaled: bool
    ) -> tuple[Any, list[Any], Any, Any, Any]:
        """The argument, the shapes, loc, scale, and where the parameters are valid."""
        name = f"scipy.stats.{self.name}.{method}"
        names = (*self.shapes, "loc", "scale") if scaled else (*self.shapes, "loc")
        given: dict[str, Any] = {"loc": 0.0, "scale": 1.0}
        given.update(zip(names, args, strict=False))
        twice = set(names[: len(args)]) & set(kwds)
        missing = [n for n in self.shapes if n not in given and n not in kwds]
        if len(args) > len(names) or twice or missing or not set(kwds) <= set(names):
            got = [*map(describe, args), *(f"{k}={describe(v)}" for k, v in kwds.items())]
            expected = ", ".join([*self.shapes, *(f"{n}={given[n]:g}" for n in names[-1 - scaled :]
                                  if isinstance(given[n], float))])  # fmt: skip
            raise TypeError(f"{name}: expected (x, {expected}); got (x, {', '.join(got)})")
        given.update(kwds)
        found = _tensors(name, [x, *(given[n] for n in (*self.shapes, "loc", "scale"))])
        x, *shapes, loc, scale = found
        valid = scale > 0
        safe = []
        for s, ok in zip(shapes, self._valid(*shapes), strict=True):
            valid = valid & ok
            safe.append(_where(ok, s, self._typical))
        return x, safe, loc, _where(scale > 0, scale, 1.0), valid

    #: A valid value of every shape.
    _typical = 1.0

    def _valid(self, *shapes: Any) -> list[Any]:
        return [s > 0 for s in shapes]

    def _probability(
        self,
        method: str,
        x: Any,
        args: tuple[Any, ...],
        kwds: dict[str, Any],
        function: Callable[..., Any],
        below: float,
        above: float,
    ) -> Any:
        raise NotImplementedError

    def cdf(self, x: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Probability of a value up to `x`.

        Parameters
        ----------
        x : Tensor or number
            Any value.
        *args, **kwds : Tensor or number
            Shapes, `loc` and (if continuous) `scale`.

        Returns
        -------
        Tensor
            Has the broadcast shape and the promoted floating-point dtype.
        """
        return self._probability("cdf", x, args, kwds, self._cdf, 0.0, 1.0)

    def logcdf(self, x: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Logarithm of `cdf`, with the same arguments."""
        return self._probability("logcdf", x, args, kwds, self._logcdf, -math.inf, 0.0)

    def sf(self, x: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Probability of a value larger than `x`, with the arguments of `cdf`."""
        return self._probability("sf", x, args, kwds, self._sf, 1.0, 0.0)

    def logsf(self, x: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Logarithm of `sf`, with the arguments of `cdf`."""
        return self._probability("logsf", x, args, kwds, self._logsf, 0.0, -math.inf)

    # The standard distribution.

    def _log_density(self, x: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _cdf(self, x: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _sf(self, x: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _logcdf(self, x: Any, *shapes: Any) -> Any:
        return _log(self._cdf(x, *shapes), self._sf(x, *shapes))

    def _logsf(self, x: Any, *shapes: Any) -> Any:
        return _log(self._sf(x, *shapes), self._cdf(x, *shapes))


class _Continuous(_Distribution):
    #: An argument where everything is finite.
    inner = 0.5

    def logpdf(self, x: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Logarithm of the density, with the arguments of `cdf`."""
        x, shapes, loc, scale, valid = self._operands("logpdf", x, args, kwds, True)
        z = (x - loc) / scale
        outside = self._outside(z)
        found = self._log_density(_where(outside, self.inner, z), *shapes) - xp.log(scale)
        return _where(valid, _where(outside, -math.inf, found), math.nan)

    def pdf(self, x: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Density, with the arguments of `cdf`."""
        return xp.exp(in_own_name(f"scipy.stats.{self.name}.pdf")(self.logpdf)(x, *args, **kwds))

    def _outside(self, z: Any) -> Any:
        return (z < self.low) | (z > self.high) | xp.isinf(z)

    def _probability(
        self,
        method: str,
        x: Any,
        args: tuple[Any, ...],
        kwds: dict[str, Any],
        function: Callable[..., Any],
        below: float,
        above: float,
    ) -> Any:
        x, shapes, loc, scale, valid = self._operands(method, x, args, kwds, True)
        z = (x - loc) / scale
        too_low, too_high = z <= self.low, z >= self.high
        found = function(_where(too_low | too_high, self.inner, z), *shapes)
        found = _where(too_low, below, _where(too_high, above, found))
        return _where(valid, found, math.nan)

    def ppf(self, q: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Quantile: the inverse of `cdf`.

        Parameters
        ----------
        q : Tensor or number
            Probability. For numbers outside [0, 1], the result is NaN.
        *args, **kwds : Tensor or number
            See `cdf`.

        Returns
        -------
        Tensor
            Has the broadcast shape and the promoted floating-point dtype.
        """
        return self._quantile("ppf", q, args, kwds, self._ppf, self.low, self.high)

    def isf(self, q: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Inverse of `sf`, with the arguments of `ppf`."""
        return self._quantile("isf", q, args, kwds, self._isf, self.high, self.low)

    def _quantile(
        self,
        method: str,
        q: Any,
        args: tuple[Any, ...],
        kwds: dict[str, Any],
        function: Callable[..., Any],
        at_0: float,
        at_1: float,
    ) -> Any:
        q, shapes, loc, scale, valid = self._operands(method, q, args, kwds, True)
        inside = (q > 0) & (q < 1)
        z = function(_where(inside, q, 0.5), *shapes)
        z = _where(q == 0, at_0, _where(q == 1, at_1, _where(inside, z, math.nan)))
        return _where(valid, loc + scale * z, math.nan)

    def _ppf(self, q: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _isf(self, q: Any, *shapes: Any) -> Any:
        """`isf` of a symmetric distribution."""
        return -self._ppf(q, *shapes)


class _Discrete(_Distribution):
    low = 0.0

    def logpmf(self, k: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Logarithm of the probability of `k`, with the arguments of `cdf`."""
        x, shapes, loc, _, valid = self._operands("logpmf", k, args, kwds, False)
        n = stop_gradient(x - loc)
        outside = (n < 0) | (n > self._highest(*shapes)) | (n != xp.floor(n))
        found = self._log_density(_where(outside, 0.0, n), *shapes)
        return _where(valid, _where(outside, -math.inf, found), math.nan)

    def pmf(self, k: Tensor | float, *args: Any, **kwds: Any) -> Tensor:
        """Probability of `k`, with the arguments of `cdf`."""
        return xp.exp(in_own_name(f"scipy.stats.{self.name}.pmf")(self.logpmf)(k, *args, **kwds))

    def _highest(self, *shapes: Any) -> Any:
        return math.inf

    def _probability(
        self,
        method: str,
        x: Any,
        args: tuple[Any, ...],
        kwds: dict[str, Any],
        function: Callable[..., Any],
        below: float,
        above: float,
    ) -> Any:
        x, shapes, loc, _, valid = self._operands(method, x, args, kwds, False)
        k = stop_gradient(xp.floor(x - loc))
        too_low, too_high = k < 0, k >= self._highest(*shapes)
        found = function(_where(too_low | too_high, 0.0, k), *shapes)
        found = _where(too_low, below, _where(too_high, above, found))
        return _where(valid, found, math.nan)


def _tensors(name: str, operands: list[Any]) -> list[Tensor]:
    """Convert operands to tensors of one floating-point dtype on one device."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    for x in operands:
        if not isinstance(x, (Tensor, int, float)):
            raise TypeError(
                f"{name}: expected a Tensor or a number; got {describe(x)}{conversion_hint((x,))}"
            )
    if not tensors:
        got = ", ".join(map(describe, operands[:-2] or operands[-1:]))
        raise TypeError(f"{name}: expected a Tensor; got {got}{conversion_hint(operands)}")
    device = common_device(name, tensors)
    floating = [x for x in tensors if x.dtype.kind != "b" and x.dtype.kind not in "iu"]
    dtype = xp.result_type(*floating) if floating else xp.float64
    if xp.isdtype(dtype, "complex floating"):
        raise TypeError(f"{name}: expected real numbers; got {describe(floating[0])}")
    return [
        xp.astype(x, dtype, copy=False)
        if isinstance(x, Tensor)
        else xp.asarray(float(x), dtype=dtype, device=device)
        for x in operands
    ]


# ---- logarithms of probabilities, also of those that underflow


def _log(p: Any, rest: Any) -> Any:
    """log(p) for probabilities that sum to 1; -∞ without a warning or a gradient for 0."""
    large, none = rest < 0.5, p == 0
    low = _where(none, -math.inf, xp.log(_where(large | none, 1.0, p)))
    return _where(large, xp.log1p(-_where(large, rest, 0.0)), low)


def _log1mexp(z: Any) -> Any:
    """log(1 - exp(-z)) for z > 0 (Mächler 2012)."""
    small = z < math.log(2)
    near = xp.log(-xp.expm1(-_where(small, z, 1.0)))
    return _where(small, near, xp.log1p(-xp.exp(-_where(small, 1.0, z))))


def _with_tail(p: Any, rest: Any, tail: Callable[..., Any], *operands: Any) -> Any:
    """log(p), computed by ``tail(mask, *operands)`` where `p` or its slope may underflow.

    The host waits for a GPU to find out whether there is such an element.
    """
    tiny = p < 1e8 * float(xp.finfo(p.dtype).smallest_normal)
    if not is_anywhere(tiny):
        return _log(p, rest)
    return _where(tiny, tail(tiny, *operands), _log(_where(tiny, 0.5, p), rest))


#: Terms of the series and of the continued fraction, which converge fast in the tails.
_TERMS = 60


def _gamma_density(a: Any, z: Any) -> Any:
    """Logarithm of z^a exp(-z)/Γ(a)."""
    return _special.xlogy(a, z) - z - _special.gammaln(a)


def _log_lower_gamma(tail: Any, a: Any, z: Any) -> Any:
    """Log P(a, z) for small z, by DLMF 8.11.4."""
    a, z = _where(tail, a, 1.0), _where(tail & (z > 0), z, 0.5)
    total = 1 + 0 * z
    for k in range(_TERMS, 0, -1):
        total = 1 + total * z / (a + k)
    return _gamma_density(a, z) - xp.log(a) + xp.log(total)


def _log_upper_gamma(tail: Any, a: Any, z: Any) -> Any:
    """Log Q(a, z) for large z, by the continued fraction of DLMF 8.9.2."""
    a, z = _where(tail, a, 1.0), _where(tail, z, 2.0)
    fraction = z + (2 * _TERMS + 1) - a
    for k in range(_TERMS, 0, -1):
        fraction = z + (2 * k - 1) - a - k * (k - a) / fraction
    return _gamma_density(a, z) - xp.log(fraction)


def _log_gammainc(a: Any, z: Any) -> Any:
    parts = _special.gammainc(a, z), _special.gammaincc(a, z)
    return _with_tail(*parts, _log_lower_gamma, a, z)


def _log_gammaincc(a: Any, z: Any) -> Any:
    parts = _special.gammaincc(a, z), _special.gammainc(a, z)
    return _with_tail(*parts, _log_upper_gamma, a, z)


def _log_lower_beta(tail: Any, a: Any, b: Any, z: Any, rest: Any) -> Any:
    """Log I_z(a, b) for small z, by DLMF 8.17.8."""
    a, b = _where(tail, a, 1.0), _where(tail, b, 1.0)
    z, rest = _where(tail & (z > 0), z, 0.5), _where(tail & (z > 0), rest, 0.5)
    total = 1 + 0 * z
    for k in range(_TERMS, 0, -1):
        total = 1 + total * z * ((a + b + (k - 1)) / (a + k))
    log = a * xp.log(z) + b * xp.log(rest) - xp.log(a) - _special.betaln(a, b)
    return log + xp.log(total)


def _log_betainc(a: Any, b: Any, z: Any) -> Any:
    parts = _special.betainc(a, b, z), _special.betaincc(a, b, z)
    return _with_tail(*parts, _log_lower_beta, a, b, z, 1 - z)


def _log_betaincc(a: Any, b: Any, z: Any) -> Any:
    parts = _special.betaincc(a, b, z), _special.betainc(a, b, z)
    return _with_tail(*parts, _log_lower_beta, b, a, 1 - z, z)


# ---- continuous distributions

_LOG_SQRT_2PI = math.log(2 * math.pi) / 2


class _Norm(_Continuous):
    def _log_density(self, x: Any) -> Any:
        return -x * x / 2 - _LOG_SQRT_2PI

    def _cdf(self, x: Any) -> Any:
        return _special.ndtr(x)

    def _sf(self, x: Any) -> Any:
        return _special.ndtr(-x)

    def _logcdf(self, x: Any) -> Any:
        return _special.log_ndtr(x)

    def _logsf(self, x: Any) -> Any:
        return _special.log_ndtr(-x)

    def _ppf(self, q: Any) -> Any:
        return _special.ndtri(q)


class _Uniform(_Continuous):
    low, high = 0.0, 1.0

    def _log_density(self, x: Any) -> Any:
        return 0 * x

    def _cdf(self, x: Any) -> Any:
        return x

    def _sf(self, x: Any) -> Any:
        return 1 - x

    def _logsf(self, x: Any) -> Any:
        return xp.log1p(-x)

    def _ppf(self, q: Any) -> Any:
        return q

    def _isf(self, q: Any) -> Any:
        return 1 - q


class _Expon(_Continuous):
    low = 0.0

    def _log_density(self, x: Any) -> Any:
        return -x

    def _cdf(self, x: Any) -> Any:
        return -xp.expm1(-x)

    def _sf(self, x: Any) -> Any:
        return xp.exp(-x)

    def _logcdf(self, x: Any) -> Any:
        return _log1mexp(x)

    def _logsf(self, x: Any) -> Any:
        return -x

    def _ppf(self, q: Any) -> Any:
        return -xp.log1p(-q)

    def _isf(self, q: Any) -> Any:
        return -xp.log(q)


class _Gamma(_Continuous):
    shapes = ("a",)
    low = 0.0

    def _log_density(self, x: Any, a: Any) -> Any:
        return _special.xlogy(a - 1, x) - x - _special.gammaln(a)

    def _cdf(self, x: Any, a: Any) -> Any:
        return _special.gammainc(a, x)

    def _sf(self, x: Any, a: Any) -> Any:
        return _special.gammaincc(a, x)

    def _logcdf(self, x: Any, a: Any) -> Any:
        return _log_gammainc(a, x)

    def _logsf(self, x: Any, a: Any) -> Any:
        return _log_gammaincc(a, x)

    def _ppf(self, q: Any, a: Any) -> Any:
        return _special.gammaincinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return _special.gammainccinv(a, q)


class _Chi2(_Continuous):
    shapes = ("df",)
    low = 0.0

    def _log_density(self, x: Any, df: Any) -> Any:
        return gamma._log_density(x / 2, df / 2) - math.log(2)

    def _cdf(self, x: Any, df: Any) -> Any:
        return _special.chdtr(df, x)

    def _sf(self, x: Any, df: Any) -> Any:
        return _special.chdtrc(df, x)

    def _logcdf(self, x: Any, df: Any) -> Any:
        return _log_gammainc(df / 2, x / 2)

    def _logsf(self, x: Any, df: Any) -> Any:
        return _log_gammaincc(df / 2, x / 2)

    def _ppf(self, q: Any, df: Any) -> Any:
        return 2 * _special.gammaincinv(df / 2, q)

    def _isf(self, q: Any, df: Any) -> Any:
        return _special.chdtri(df, q)


class _Beta(_Continuous):
    shapes = ("a", "b")
    low, high = 0.0, 1.0

    def _log_density(self, x: Any, a: Any, b: Any) -> Any:
        return _special.xlog1py(b - 1, -x) + _special.xlogy(a - 1, x) - _special.betaln(a, b)

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return _special.betainc(a, b, x)

    def _sf(self, x: Any, a: Any, b: Any) -> Any:
        return _special.betaincc(a, b, x)

    def _logcdf(self, x: Any, a: Any, b: Any) -> Any:
        return _log_betainc(a, b, x)

    def _logsf(self, x: Any, a: Any, b: Any) -> Any:
        return _log_betaincc(a, b, x)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return _special.betaincinv(a, b, q)

    def _isf(self, q: Any, a: Any, b: Any) -> Any:
        return _special.betainccinv(a, b, q)


class _T(_Continuous):
    shapes = ("df",)

    def _log_density(self, x: Any, df: Any) -> Any:
        normal = xp.isinf(df)
        v = _where(normal, 1.0, df)
        near = xp.abs(x) < xp.sqrt(v)
        y = _where(near, x, 0.0)
        log = xp.log1p(y * y / v)  # and where x² may overflow:
        log = _where(near, log, 2 * xp.log(xp.hypot(xp.sqrt(v), x)) - xp.log(v))
        found = -(v + 1) / 2 * log - xp.log(v) / 2 - _special.betaln(v / 2, 0.5)
        return _where(normal, norm._log_density(_where(normal, x, 0.0)), found)

    def _cdf(self, x: Any, df: Any) -> Any:
        return _special.stdtr(df, x)

    def _sf(self, x: Any, df: Any) -> Any:
        return _special.stdtr(df, -x)

    def _ppf(self, q: Any, df: Any) -> Any:
        return _special.stdtrit(df, q)


class _Lognorm(_Continuous):
    shapes = ("s",)
    low = 0.0

    def _outside(self, z: Any) -> Any:
        return (z <= 0) | xp.isinf(z)

    def _log_density(self, x: Any, s: Any) -> Any:
        log = xp.log(x)
        return norm._log_density(log / s) - xp.log(s) - log

    def _cdf(self, x: Any, s: Any) -> Any:
        return _special.ndtr(xp.log(x) / s)

    def _sf(self, x: Any, s: Any) -> Any:
        return _special.ndtr(-xp.log(x) / s)

    def _logcdf(self, x: Any, s: Any) -> Any:
        return _special.log_ndtr(xp.log(x) / s)

    def _logsf(self, x: Any, s: Any) -> Any:
        return _special.log_ndtr(-xp.log(x) / s)

    def _ppf(self, q: Any, s: Any) -> Any:
        return xp.exp(s * _special.ndtri(q))

    def _isf(self, q: Any, s: Any) -> Any:
        return xp.exp(-s * _special.ndtri(q))


class _Laplace(_Continuous):
    def _log_density(self, x: Any) -> Any:
        return -xp.abs(x) - math.log(2)

    def _cdf(self, x: Any) -> Any:
        half = xp.exp(-xp.abs(x)) / 2
        return _where(x > 0, 1 - half, half)

    def _sf(self, x: Any) -> Any:
        return self._cdf(-x)

    def _logcdf(self, x: Any) -> Any:
        high = xp.log1p(-xp.exp(-xp.abs(x)) / 2)
        return _where(x > 0, high, x - math.log(2))

    def _logsf(self, x: Any) -> Any:
        return self._logcdf(-x)

    def _ppf(self, q: Any) -> Any:
        low = q < 0.5
        log = xp.log(2 * _where(low, q, 1 - q))
        return _where(low, log, -log)


class _Logistic(_Continuous):
    def _log_density(self, x: Any) -> Any:
        return _special.log_expit(x) + _special.log_expit(-x)

    def _cdf(self, x: Any) -> Any:
        return _special.expit(x)

    def _sf(self, x: Any) -> Any:
        return _special.expit(-x)

    def _logcdf(self, x: Any) -> Any:
        return _special.log_expit(x)

    def _logsf(self, x: Any) -> Any:
        return _special.log_expit(-x)

    def _ppf(self, q: Any) -> Any:
        return _special.logit(q)


class _Cauchy(_Continuous):
    def _log_density(self, x: Any) -> Any:
        return -math.log(math.pi) - 2 * xp.log(xp.hypot(x, 1.0))

    def _cdf(self, x: Any) -> Any:
        return xp.atan2(1.0, -x) / math.pi

    def _sf(self, x: Any) -> Any:
        return xp.atan2(1.0, x) / math.pi

    def _ppf(self, q: Any) -> Any:
        low = q < 0.25
        tail = -1 / xp.tan(math.pi * _where(low, q, 0.25))
        return _where(low, tail, xp.tan(math.pi * _where(low, 0.0, q - 0.5)))


# ---- discrete distributions


class _Poisson(_Discrete):
    shapes = ("mu",)

    def _valid(self, *shapes: Any) -> list[Any]:
        return [shapes[0] >= 0]

    def _log_density(self, k: Any, mu: Any) -> Any:
        return _special.xlogy(k, mu) - mu - _special.gammaln(k + 1)

    def _cdf(self, k: Any, mu: Any) -> Any:
        return _special.pdtr(k, mu)

    def _sf(self, k: Any, mu: Any) -> Any:
        return _special.pdtrc(k, mu)

    def _logcdf(self, k: Any, mu: Any) -> Any:
        return _log_gammaincc(k + 1, mu)

    def _logsf(self, k: Any, mu: Any) -> Any:
        return _log_gammainc(k + 1, mu)


class _Binom(_Discrete):
    shapes = ("n", "p")

    def _valid(self, *shapes: Any) -> list[Any]:
        n, p = shapes
        return [(n >= 0) & (n == xp.floor(n)), (p >= 0) & (p <= 1)]

    def _highest(self, *shapes: Any) -> Any:
        return shapes[0]

    def _log_density(self, k: Any, n: Any, p: Any) -> Any:
        count = -_special.betaln(n - k + 1, k + 1) - xp.log(n + 1)
        return count + _special.xlogy(k, p) + _special.xlog1py(n - k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return _special.betaincc(k + 1, _rest(n, k), p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return _special.betainc(k + 1, _rest(n, k), p)

    def _logcdf(self, k: Any, n: Any, p: Any) -> Any:
        return _log_betaincc(k + 1, _rest(n, k), p)

    def _logsf(self, k: Any, n: Any, p: Any) -> Any:
        return _log_betainc(k + 1, _rest(n, k), p)


def _rest(n: Any, k: Any) -> Any:
    """N - k, and 1 where that is 0, because the probability is known there."""
    return xp.maximum(stop_gradient(n) - k, 1.0)


class _Bernoulli(_Discrete):
    shapes = ("p",)
    _typical = 0.5

    def _valid(self, *shapes: Any) -> list[Any]:
        return [(shapes[0] >= 0) & (shapes[0] <= 1)]

    def _highest(self, *shapes: Any) -> Any:
        return 1.0

    def _log_density(self, k: Any, p: Any) -> Any:
        return _special.xlogy(k, p) + _special.xlog1py(1 - k, -p)

    def _cdf(self, k: Any, p: Any) -> Any:
        return 1 - p + 0 * k

    def _sf(self, k: Any, p: Any) -> Any:
        return p + 0 * k


class _MultivariateNormal:
    """Normal distribution of vectors."""

    def logpdf(
        self,
        x: Tensor,
        mean: Tensor | None = None,
        cov: Tensor | float = 1.0,
        allow_singular: bool = False,
    ) -> Tensor:
        """Logarithm of the density.

        Parameters
        ----------
        x : Tensor
            Vectors of shape (..., D).
        mean : Tensor, optional
            Of shape (D,). The default is 0.
        cov : Tensor or number, optional
            Covariance: a number, a diagonal of shape (D,) or a positive definite matrix of shape
            (D, D). Its symmetric part is differentiated.
        allow_singular : bool, optional
            Whether `cov` may be singular. The density is then that in the subspace which `cov`
            spans, and 0 outside of it; it is NaN if `cov` has a negative eigenvalue.

        Returns
        -------
        Tensor
            Has the shape of `x` without its last axis.

        Raises
        ------
        TypeError
            If `x` is not a real tensor.
        ValueError
            If the shapes do not fit. A matrix that is not positive definite raises as
            `linalg.cholesky` does.
        """
        name = "scipy.stats.multivariate_normal.logpdf"
        x, mean, cov = _tensors(name, [x, 0.0 if mean is None else mean, cov])
        if not x.ndim:
            raise ValueError(f"{name}: x must have shape (..., D); got ()")
        d = x.shape[-1]
        if mean.shape not in ((), (d,)) or cov.shape not in ((), (d,), (d, d)):
            raise ValueError(
                f"{name}: expected mean of shape ({d},) and cov of shape ({d}, {d}), ({d},) or (); "
                f"got {mean.shape} and {cov.shape}"
            )
        away = x - mean
        if allow_singular:
            return _singular_normal(away, cov)
        if cov.ndim < 2:
            squares = xp.sum(away * away / cov, axis=-1)
            volume = xp.sum(xp.log(xp.broadcast_to(cov, (d,))))
        else:
            factor = xp.linalg.cholesky((cov + cov.mT) / 2)
            columns = xp.matrix_transpose(xp.reshape(away, (-1, d)))
            scaled = xp.linalg.solve(factor, columns)
            squares = xp.reshape(xp.sum(scaled * scaled, axis=0), away.shape[:-1])
            volume = 2 * xp.sum(xp.log(xp.linalg.diagonal(factor)))
        return -0.5 * (d * math.log(2 * math.pi) + volume + squares)

    def pdf(
        self,
        x: Tensor,
        mean: Tensor | None = None,
        cov: Tensor | float = 1.0,
        allow_singular: bool = False,
    ) -> Tensor:
        """Density; the exponential of `logpdf`."""
        run = in_own_name("scipy.stats.multivariate_normal.pdf")(self.logpdf)
        return xp.exp(run(x, mean, cov, allow_singular))

    def entropy(self, mean: Tensor | None = None, cov: Tensor | float = 1.0) -> Tensor:
        """Differential entropy in nats.

        Parameters
        ----------
        mean : Tensor, optional
            Of shape (D,). It has no effect but its size.
        cov : Tensor or number, optional
            Covariance: a number, a diagonal of shape (D,) or a positive semidefinite matrix of
            shape (D, D). If it is singular, the entropy is that in the subspace which it spans.

        Returns
        -------
        Tensor
            Has no axes. It is NaN if `cov` has a negative eigenvalue.

        Raises
        ------
        ValueError
            If the shapes do not fit.
        """
        name = "scipy.stats.multivariate_normal.entropy"
        mean, cov = _tensors(name, [0.0 if mean is None else mean, cov])
        d = (*cov.shape, *mean.shape, 1)[0]
        if mean.shape not in ((), (d,)) or cov.shape not in ((), (d,), (d, d)):
            raise ValueError(
                f"{name}: expected mean of shape ({d},) and cov of shape ({d}, {d}), ({d},) or (); "
                f"got {mean.shape} and {cov.shape}"
            )
        volume, rank, _ = _spanned(cov, d)
        return 0.5 * (rank * (math.log(2 * math.pi) + 1) + volume)


def _spanned(cov: Tensor, d: int) -> tuple[Tensor, Tensor, float]:
    """The logarithm of the pseudo-determinant, the rank, and the least share of an eigenvalue.

    The first is NaN if there is a negative eigenvalue.
    """
    if cov.ndim == 2:
        values = xp.linalg.eigvalsh((cov + cov.mT) / 2)
    else:
        values = xp.broadcast_to(cov, (d,))
    share = (1e6 if cov.dtype == xp.float64 else 1e3) * xp.finfo(cov.dtype).eps  # as SciPy's
    least = share * xp.max(xp.abs(values))
    large = values > least
    factors = xp.where(values < -least, xp.nan, xp.where(large, values, 1.0))
    return xp.sum(xp.log(factors)), xp.sum(xp.astype(large, cov.dtype)), share


def _singular_normal(away: Tensor, cov: Tensor) -> Tensor:
    """The logarithm of the density in the subspace that the covariance spans, else -inf."""
    d = away.shape[-1]
    volume, rank, share = _spanned(cov, d)
    matrix = cov if cov.ndim == 2 else cov * xp.eye(d, dtype=cov.dtype, device=cov.device)
    matrix = (matrix + matrix.mT) / 2
    squares = xp.sum(xp.matmul(away, xp.linalg.pinv(matrix, rtol=share)) * away, axis=-1)
    found = -0.5 * (rank * math.log(2 * math.pi) + volume + squares)
    # The part of `away` in the null space; it is empty if the rank is full, at any condition.
    values, vectors = xp.linalg.eigh(stop_gradient(matrix))
    largest = xp.max(xp.abs(values))
    part = xp.where(values > share * largest, 0.0, xp.matmul(stop_gradient(away), vectors))
    # SciPy's limit is for variances of about 1; of tiny variances, rounding would exceed it.
    limit = 1e3 * share * xp.maximum(largest, xp.sqrt(largest))
    return xp.where(xp.linalg.vector_norm(part, axis=-1) >= limit, -xp.inf, found)


class _Dirichlet:
    """Dirichlet distribution of vectors whose elements add up to 1."""

    def logpdf(self, x: Tensor, alpha: Tensor) -> Tensor:
        """Logarithm of the density.

        Parameters
        ----------
        x : Tensor
            Vectors along the first axis, of shape (D, ...). That the elements are positive and add
            up to 1 is not checked. With D - 1 elements, the last one is what remains.
        alpha : Tensor
            Positive parameters of shape (D,).

        Returns
        -------
        Tensor
            Has the shape of `x` without its first axis.

        Raises
        ------
        TypeError
            If an operand is not a real tensor.
        ValueError
            If the shapes do not fit.
        """
        name = "scipy.stats.dirichlet.logpdf"
        x, alpha = _tensors(name, [x, alpha])
        if alpha.ndim != 1 or not x.ndim or x.shape[0] not in (alpha.size, alpha.size - 1):
            raise ValueError(
                f"{name}: expected x of shape (D, ...) and alpha of shape (D,); "
                f"got {x.shape} and {alpha.shape}"
            )
        if x.shape[0] < alpha.size:
            x = xp.concat([x, 1 - xp.sum(x, axis=0, keepdims=True)])
        powers = xp.reshape(alpha - 1, (-1,) + (1,) * (x.ndim - 1))
        volume = xp.sum(_special.gammaln(alpha)) - _special.gammaln(xp.sum(alpha))
        return xp.sum(_special.xlogy(powers, x), axis=0) - volume

    def pdf(self, x: Tensor, alpha: Tensor) -> Tensor:
        """Density; the exponential of `logpdf`."""
        return xp.exp(in_own_name("scipy.stats.dirichlet.pdf")(self.logpdf)(x, alpha))


multivariate_normal = _MultivariateNormal()
dirichlet = _Dirichlet()
norm = _Norm("norm", "Normal distribution.")
uniform = _Uniform("uniform", "Uniform distribution on [loc, loc + scale].")
expon = _Expon("expon", "Exponential distribution.")
gamma = _Gamma("gamma", "Gamma distribution with shape `a`.")
beta = _Beta("beta", "Beta distribution with shapes `a` and `b`.")
t = _T("t", "Student's t distribution with `df` degrees of freedom.")
chi2 = _Chi2("chi2", "Chi-squared distribution with `df` degrees of freedom.")
lognorm = _Lognorm("lognorm", "Distribution of ``exp(s * x)`` for standard normal x.")
laplace = _Laplace("laplace", "Laplace (double exponential) distribution.")
logistic = _Logistic("logistic", "Logistic distribution.")
cauchy = _Cauchy("cauchy", "Cauchy distribution.")
poisson = _Poisson("poisson", "Poisson distribution with mean `mu`.")
binom = _Binom("binom", "Binomial distribution of `n` trials with probability `p`.")
bernoulli = _Bernoulli("bernoulli", "Bernoulli distribution with probability `p`.")
