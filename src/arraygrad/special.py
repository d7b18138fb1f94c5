"""Special functions with SciPy's names and arguments.

The implementations are SciPy's on the CPU and CuPy's on CUDA devices, imported when first used; so
the CPU needs SciPy (``pip install "arraygrad[scipy]"``). SciPy dispatches to them: with
``SCIPY_ARRAY_API=1`` in the environment, ``scipy.special.ndtr(x)`` is
``arraygrad.special.ndtr(x)``. References are to the Digital Library of Mathematical Functions,
https://dlmf.nist.gov.

The functions are differentiable, in both modes and to any order, with respect to each operand that
is not described as not differentiable. A derivative with respect to such an operand raises only if
it is requested.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import cleandoc
from typing import Any, TypeVar

from ._dispatch import apply, as_floating, binary, call, common_device, unary
from ._elementwise import log
from ._errors import describe, in_own_name
from ._searching import where
from ._tensor import Tensor
from ._typing import Axis, Real

__all__ = [
    "bdtr",
    "bdtrc",
    "bdtri",
    "beta",
    "betainc",
    "betaincc",
    "betainccinv",
    "betaincinv",
    "betaln",
    "binom",
    "boxcox",
    "boxcox1p",
    "cbrt",
    "chdtr",
    "chdtrc",
    "chdtri",
    "cosdg",
    "cosm1",
    "cotdg",
    "digamma",
    "ellipe",
    "ellipk",
    "ellipkm1",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp1",
    "exp2",
    "exp10",
    "expi",
    "expit",
    "expn",
    "exprel",
    "fdtr",
    "fdtrc",
    "fdtri",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammainccinv",
    "gammaincinv",
    "gammaln",
    "gammasgn",
    "gdtr",
    "gdtrc",
    "huber",
    "hyp1f1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "inv_boxcox",
    "inv_boxcox1p",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kl_div",
    "kv",
    "kve",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "lpmv",
    "multigammaln",
    "nbdtr",
    "nbdtrc",
    "nbdtri",
    "ndtr",
    "ndtri",
    "ndtri_exp",
    "pdtr",
    "pdtrc",
    "pdtri",
    "poch",
    "polygamma",
    "pseudo_huber",
    "psi",
    "radian",
    "rel_entr",
    "rgamma",
    "sinc",
    "sindg",
    "softmax",
    "spence",
    "stdtr",
    "stdtrit",
    "tandg",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yn",
    "yv",
    "zeta",
    "zetac",
]

_F = TypeVar("_F", bound=Callable[..., Tensor])


def _elementwise(*, cuda: bool = True, **about: str) -> Callable[[_F], _F]:
    """Complete the docstring of an elementwise function with the shared sections.

    `about` describes operands by name. If `cuda` is False, CuPy lacks the function.
    """

    def complete(function: _F) -> _F:
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        one = len(names) == 1
        doc, _, examples = cleandoc(function.__doc__ or "").partition("\n\nExamples\n")
        summary, _, notes = doc.partition("\n\n")
        kind = "Tensor" if one else "Tensor or scalar"
        operands = [f"{n} : {kind}\n    {_words(about.get(n, ''), one)}\n" for n in names]
        raised = _RAISES_ONE if one else _RAISES_SEVERAL
        sections = [
            summary,
            _section("Parameters", "".join(operands)),
            _section("Returns", _RETURNS_ONE if one else _RETURNS_SEVERAL),
            _section("Raises", raised if cuda else raised + _RAISES_ON_CUDA),
        ]
        if notes:
            sections.append(_section("Notes", notes))
        function.__doc__ = "\n\n".join([*sections, "Examples\n" + examples])
        return function

    return complete


def _section(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n{body}".rstrip()


def _words(about: str, one: bool) -> str:
    about = about and about[0].upper() + about[1:] + "."
    if not one:
        return about or "Any value."
    return f"Input of any shape and floating-point dtype; {_CONVERTED}. {about}".rstrip()


_CONVERTED = "integers and bools are converted to float64"
_RETURNS_ONE = """\
Tensor
    Has the shape and dtype of the argument; float64 for integers and bools.
"""
_RETURNS_SEVERAL = """\
Tensor
    Has the broadcast shape and the promoted dtype; float64 if all are integers or bools.
"""
_RAISES_ONE = """\
TypeError
    If the argument is not a tensor, or is complex and complex numbers are not supported.
"""
_RAISES_SEVERAL = """\
TypeError
    If no operand is a tensor, or an operand is neither a tensor nor a scalar.
ValueError
    If the shapes do not broadcast.
DeviceMismatchError
    If the operands are on different devices.
"""
_RAISES_ON_CUDA = """\
TransferError
    On CUDA devices: CuPy lacks the function.
"""


def _three(name: str, x1: Any, x2: Any, x3: Any) -> Any:
    operands = (x1, x2, x3)
    if all(x._data.dtype.kind not in "fc" for x in operands if isinstance(x, Tensor)):
        operands = (as_floating(x1), as_floating(x2), as_floating(x3))
    return apply(name, operands)


# ---- error functions and the normal distribution


@_elementwise()
def erf(x: Tensor, /) -> Tensor:
    """Error function, 2/√π ∫₀ˣ exp(-t²) dt (DLMF 7.2.1).

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.erf(xp.asarray([0.0, 1.0]))
    Tensor([0.        , 0.84270079], dtype=float64)
    """
    return unary("special.erf", x, floating=True)


@_elementwise()
def erfc(x: Tensor, /) -> Tensor:
    """Complementary error function, 1 - erf(x) (DLMF 7.2.2).

    It is accurate where erf(x) is rounded to 1. Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.erfc(xp.asarray([0.0, 1.0]))
    Tensor([1.        , 0.15729921], dtype=float64)
    """
    return unary("special.erfc", x, floating=True)


@_elementwise()
def erfcx(x: Tensor, /) -> Tensor:
    """Scaled complementary error function, exp(x²) erfc(x) (DLMF 7.2.2).

    Near 1/(√π x) for large `x`, where erfc underflows. Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.erfcx(xp.asarray([0.0, 1e10]))
    Tensor([1.00000000e+00, 5.64189584e-11], dtype=float64)
    """
    return unary("special.erfcx", x, floating=True)


@_elementwise(x="in [-1, 1]")
def erfinv(x: Tensor, /) -> Tensor:
    """Inverse of the error function (DLMF 7.17).

    ±∞ at ±1, NaN beyond.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.erfinv(xp.asarray([0.0, 0.5]))
    Tensor([0.        , 0.47693628], dtype=float64)
    """
    return unary("special.erfinv", x, floating=True)


@_elementwise(x="in [0, 2]")
def erfcinv(x: Tensor, /) -> Tensor:
    """Inverse of the complementary error function.

    ∞ at 0, -∞ at 2.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.erfcinv(xp.asarray([0.5, 1e-10]))
    Tensor([0.47693628, 4.57282497], dtype=float64)
    """
    return unary("special.erfcinv", x, floating=True)


@_elementwise()
def ndtr(x: Tensor, /) -> Tensor:
    """Distribution function of the standard normal distribution.

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ndtr(xp.asarray([0.0, 1.96]))
    Tensor([0.5      , 0.9750021], dtype=float64)
    """
    return unary("special.ndtr", x, floating=True)


@_elementwise()
def log_ndtr(x: Tensor, /) -> Tensor:
    """Logarithm of `ndtr`, accurate even where `ndtr` underflows.

    The function and its derivative are accurate in the tails. Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.log_ndtr(xp.asarray([0.0, -1e10]))
    Tensor([-6.93147181e-01, -5.00000000e+19], dtype=float64)
    """
    return unary("special.log_ndtr", x, floating=True)


@_elementwise(x="a probability")
def ndtri(x: Tensor, /) -> Tensor:
    """Quantile of the standard normal distribution, the inverse of `ndtr`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ndtri(xp.asarray([0.5, 0.975]))
    Tensor([0.        , 1.95996398], dtype=float64)
    """
    return unary("special.ndtri", x, floating=True)


@_elementwise(cuda=False, x="the logarithm of a probability")
def ndtri_exp(x: Tensor, /) -> Tensor:
    """Inverse of `log_ndtr`: the quantile of the probability exp(x).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ndtri_exp(xp.asarray([-1e10, -0.5]))
    Tensor([-1.41421356e+05,  2.70288021e-01], dtype=float64)
    """
    return unary("special.ndtri_exp", x, floating=True)


# ---- the gamma function and its relatives


@_elementwise()
def gamma(x: Tensor, /) -> Tensor:
    """Gamma function, ∫₀^∞ t^(x-1) exp(-t) dt (DLMF 5.2.1).

    ±∞ at ±0, NaN at negative integers. Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gamma(xp.asarray([0.5, 5.0]))
    Tensor([ 1.77245385, 24.        ], dtype=float64)
    """
    return unary("special.gamma", x, floating=True)


@_elementwise()
def gammaln(x: Tensor, /) -> Tensor:
    """Logarithm of the absolute value of the gamma function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gammaln(xp.asarray([0.5, 1e10]))
    Tensor([5.72364943e-01, 2.20258509e+11], dtype=float64)
    """
    return unary("special.gammaln", x, floating=True)


@_elementwise()
def loggamma(x: Tensor, /) -> Tensor:
    """Principal branch of the logarithm of the gamma function.

    NaN for negative real `x`: use `gammaln`, or a complex dtype. Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.loggamma(xp.asarray([0.5, 5.0]))
    Tensor([0.57236494, 3.17805383], dtype=float64)
    """
    return unary("special.loggamma", x, floating=True)


@_elementwise()
def gammasgn(x: Tensor, /) -> Tensor:
    """Sign of the gamma function.

    Its derivative is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gammasgn(xp.asarray([0.5, -0.5]))
    Tensor([ 1., -1.], dtype=float64)
    """
    return unary("special.gammasgn", x, floating=True)


@_elementwise()
def rgamma(x: Tensor, /) -> Tensor:
    """Reciprocal of the gamma function, 1/Γ(x): 0 at its poles.

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.rgamma(xp.asarray([-1.0, 3.0]))
    Tensor([0. , 0.5], dtype=float64)
    """
    return unary("special.rgamma", x, floating=True)


@_elementwise()
def psi(x: Tensor, /) -> Tensor:
    """Digamma function, the derivative of log Γ(x) (DLMF 5.2.2).

    Also called `digamma`. Complex numbers are supported, but are not differentiable: SciPy has no
    complex `polygamma`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.psi(xp.asarray([1.0, 0.5]))
    Tensor([-0.57721566, -1.96351003], dtype=float64)
    """
    return unary("special.psi", x, floating=True)


digamma = psi


@_elementwise(n="integer order; not differentiable")
def polygamma(n: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Derivative of order `n` of `psi` (DLMF 5.15).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.polygamma(1, xp.asarray([1.0]))
    Tensor([1.64493407], dtype=float64)
    """
    return binary("special.polygamma", n, x, floating=True)


@in_own_name("special.multigammaln")
def multigammaln(a: Tensor, d: int) -> Tensor:
    """Logarithm of the multivariate gamma function.

    Parameters
    ----------
    a : Tensor
        Input of any shape and real floating-point dtype. Integers are converted to float64.
    d : int
        Dimension of the matrices of the integral, at least 1.

    Returns
    -------
    Tensor
        Has the shape of `a`: (d(d-1)/4) log π + Σⱼ log Γ(a - j/2), j from 0 to d - 1.

    Raises
    ------
    TypeError
        If `a` is not a tensor.
    ValueError
        If `d` is not a positive integer.

    Notes
    -----
    NaN where `a` is not greater than (d - 1)/2. (SciPy raises there. Here the host would have to
    wait for the GPU.)

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.multigammaln(xp.asarray([2.0]), 2)
    Tensor([0.45158271], dtype=float64)
    """
    try:
        whole = int(d) == d and d >= 1
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or d > 100_000:  # a sum of that many terms
        raise ValueError(
            f"special.multigammaln: d must be a positive integer up to 100000; got {describe(d)}"
        )
    a = as_floating(a)
    total = gammaln(a)
    for j in range(1, int(d)):
        total = total + gammaln(a - j / 2)
    total = total + int(d) * (int(d) - 1) / 4 * math.log(math.pi)
    return where(a > (int(d) - 1) / 2, total, math.nan)


@_elementwise()
def poch(z: Tensor | Real, m: Tensor | Real, /) -> Tensor:
    """Pochhammer's symbol, Γ(z + m) / Γ(z) (DLMF 5.2.5).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.poch(xp.asarray([0.5]), 2.0)
    Tensor([0.75], dtype=float64)
    """
    return binary("special.poch", z, m, floating=True)


@_elementwise()
def beta(a: Tensor | Real, b: Tensor | Real, /) -> Tensor:
    """Beta function, Γ(a) Γ(b) / Γ(a + b) (DLMF 5.12.1).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.beta(xp.asarray([0.5]), 2.0)
    Tensor([1.33333333], dtype=float64)
    """
    return binary("special.beta", a, b, floating=True)


@_elementwise()
def betaln(a: Tensor | Real, b: Tensor | Real, /) -> Tensor:
    """Logarithm of the absolute value of the beta function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.betaln(xp.asarray([500.0]), 700.0)
    Tensor([-816.95057019], dtype=float64)
    """
    return binary("special.betaln", a, b, floating=True)


@_elementwise()
def binom(n: Tensor | Real, k: Tensor | Real, /) -> Tensor:
    """Binomial coefficient of real numbers, Γ(n+1) / (Γ(k+1) Γ(n-k+1)).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.binom(xp.asarray([4.0, 0.5]), 2.0)
    Tensor([ 6.   , -0.125], dtype=float64)
    """
    return binary("special.binom", n, k, floating=True)


def zeta(x: Tensor | Real, q: Tensor | Real | None = None) -> Tensor:
    """Riemann's zeta function, or Hurwitz's (DLMF 25.2.1, 25.11.1).

    Parameters
    ----------
    x : Tensor or scalar
        Exponent; not differentiable.
    q : Tensor or scalar, optional
        Parameter of Hurwitz's function. By default Riemann's function is computed, as for ``q=1``,
        but also for `x` below 1.

    Returns
    -------
    Tensor
        Has the broadcast shape: the sum of (k + q)⁻ˣ for k ≥ 0, or its analytic continuation.

    Raises
    ------
    TypeError
        If no operand is a tensor, or an operand is neither a tensor nor a scalar.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the operands are on different devices.

    Notes
    -----
    ∞ at `x` = 1, NaN below 1 if `q` is given.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.zeta(xp.asarray([2.0, 0.0]))
    Tensor([ 1.64493407, -0.5       ], dtype=float64)
    >>> xp.special.zeta(2, xp.asarray([1.0, 2.0]))
    Tensor([1.64493407, 0.64493407], dtype=float64)
    """
    if q is None:
        return apply("special.zeta", (as_floating(x), None))
    return binary("special.zeta", x, q, floating=True)


@_elementwise()
def zetac(x: Tensor, /) -> Tensor:
    """Riemann's zeta function minus 1, ζ(x) - 1.

    It is not differentiable: the derivative has no closed form.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.zetac(xp.asarray([2.0, 60.0]))
    Tensor([6.44934067e-01, 8.67361738e-19], dtype=float64)
    """
    return unary("special.zetac", x, floating=True)


@_elementwise(a="at least 0; not differentiable", x="at least 0")
def gammainc(a: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Regularised lower incomplete gamma function, P(a, x) (DLMF 8.2.4).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gammainc(xp.asarray([0.5]), 1.0)
    Tensor([0.84270079], dtype=float64)
    """
    return binary("special.gammainc", a, x, floating=True)


@_elementwise(a="at least 0; not differentiable", x="at least 0")
def gammaincc(a: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Regularised upper incomplete gamma function, Q(a, x) (DLMF 8.2.4).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gammaincc(xp.asarray([0.5]), 1.0)
    Tensor([0.15729921], dtype=float64)
    """
    return binary("special.gammaincc", a, x, floating=True)


@_elementwise(a="positive; not differentiable", y="in [0, 1]")
def gammaincinv(a: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Inverse of `gammainc`: the `x` with ``gammainc(a, x) == y``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gammaincinv(0.5, xp.asarray([0.842]))
    Tensor([0.99663208], dtype=float64)
    """
    return binary("special.gammaincinv", a, y, floating=True)


@_elementwise(a="positive; not differentiable", y="in [0, 1]")
def gammainccinv(a: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Inverse of `gammaincc`: the `x` with ``gammaincc(a, x) == y``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gammainccinv(0.5, xp.asarray([0.158]))
    Tensor([0.99663208], dtype=float64)
    """
    return binary("special.gammainccinv", a, y, floating=True)


@_elementwise(a="positive; not differentiable", b="positive; not differentiable", x="in [0, 1]")
def betainc(a: Tensor | Real, b: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Regularised incomplete beta function, I_x(a, b) (DLMF 8.17.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.betainc(2.0, 3.0, xp.asarray([0.5]))
    Tensor([0.6875], dtype=float64)
    """
    return _three("special.betainc", a, b, x)


@_elementwise(a="positive; not differentiable", b="positive; not differentiable", x="in [0, 1]")
def betaincc(a: Tensor | Real, b: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Complement 1 - ``betainc(a, b, x)``, accurate even where `betainc` is rounded to 1.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.betaincc(2.0, 3.0, xp.asarray([0.5]))
    Tensor([0.3125], dtype=float64)
    """
    return _three("special.betaincc", a, b, x)


@_elementwise(a="positive; not differentiable", b="positive; not differentiable", y="in [0, 1]")
def betaincinv(a: Tensor | Real, b: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Inverse of `betainc`: the `x` with ``betainc(a, b, x) == y``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.betaincinv(2.0, 3.0, xp.asarray([0.6875]))
    Tensor([0.5], dtype=float64)
    """
    return _three("special.betaincinv", a, b, y)


@_elementwise(
    cuda=False,
    a="positive; not differentiable",
    b="positive; not differentiable",
    y="in [0, 1]",
)
def betainccinv(a: Tensor | Real, b: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Inverse of `betaincc`: the `x` with ``betaincc(a, b, x) == y``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.betainccinv(2.0, 3.0, xp.asarray([0.3125]))
    Tensor([0.5], dtype=float64)
    """
    return _three("special.betainccinv", a, b, y)


# ---- exponentials, logarithms and their integrals


@_elementwise()
def expit(x: Tensor, /) -> Tensor:
    """Logistic function, 1 / (1 + exp(-x)).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.expit(xp.asarray([0.0, 800.0]))
    Tensor([0.5, 1. ], dtype=float64)
    """
    return unary("special.expit", x, floating=True)


@_elementwise()
def log_expit(x: Tensor, /) -> Tensor:
    """Logarithm of the logistic function, -log(1 + exp(-x)).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.log_expit(xp.asarray([0.0, -800.0]))
    Tensor([-6.93147181e-01, -8.00000000e+02], dtype=float64)
    """
    return unary("special.log_expit", x, floating=True)


@_elementwise(x="in [0, 1]")
def logit(x: Tensor, /) -> Tensor:
    """Logarithm of the odds, log(x / (1 - x)): the inverse of `expit`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.logit(xp.asarray([0.5, 1e-20]))
    Tensor([  0.        , -46.05170186], dtype=float64)
    """
    return unary("special.logit", x, floating=True)


@_elementwise()
def exp2(x: Tensor, /) -> Tensor:
    """2 raised to the power `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.exp2(xp.asarray([3.0, 0.5]))
    Tensor([8.        , 1.41421356], dtype=float64)
    """
    return unary("special.exp2", x, floating=True)


@_elementwise()
def exp10(x: Tensor, /) -> Tensor:
    """10 raised to the power `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.exp10(xp.asarray([2.0, -1.0]))
    Tensor([100. ,   0.1], dtype=float64)
    """
    return unary("special.exp10", x, floating=True)


@_elementwise()
def exprel(x: Tensor, /) -> Tensor:
    """(exp(x) - 1) / x, and 1 at 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.exprel(xp.asarray([0.0, 1e-10, 1.0]))
    Tensor([1.        , 1.        , 1.71828183], dtype=float64)
    """
    return unary("special.exprel", x, floating=True)


@_elementwise()
def cbrt(x: Tensor, /) -> Tensor:
    """Real cube root, also of negative numbers.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.cbrt(xp.asarray([-8.0, 27.0]))
    Tensor([-2.,  3.], dtype=float64)
    """
    return unary("special.cbrt", x, floating=True)


@_elementwise()
def xlogy(x: Tensor | complex, y: Tensor | complex, /) -> Tensor:
    """`x` log(`y`), and 0 for `x` = 0 and any `y`.

    Where `x` is 0 and `y` is not positive, both derivatives are defined as 0. Complex numbers are
    supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.xlogy(xp.asarray([0.0, 2.0]), xp.asarray([0.0, 3.0]))
    Tensor([0.        , 2.19722458], dtype=float64)
    """
    return binary("special.xlogy", x, y, floating=True)


@_elementwise()
def xlog1py(x: Tensor | complex, y: Tensor | complex, /) -> Tensor:
    """`x` log(1 + `y`), and 0 for `x` = 0 and any `y`.

    Where `x` is 0 and `y` is not above -1, both derivatives are defined as 0. Complex numbers are
    supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.xlog1py(xp.asarray([0.0, 2.0]), xp.asarray([-1.0, 1e-20]))
    Tensor([0.e+00, 2.e-20], dtype=float64)
    """
    return binary("special.xlog1py", x, y, floating=True)


@_elementwise(x="at least 0", lmbda="the exponent λ")
def boxcox(x: Tensor | Real, lmbda: Tensor | Real, /) -> Tensor:
    """Box-Cox transform, (x^λ - 1) / λ, and log(x) for λ = 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.boxcox(xp.asarray([2.0, 4.0]), xp.asarray([0.0, 0.5]))
    Tensor([0.69314718, 2.        ], dtype=float64)
    """
    return binary("special.boxcox", x, lmbda, floating=True)


@_elementwise(x="at least -1", lmbda="the exponent λ")
def boxcox1p(x: Tensor | Real, lmbda: Tensor | Real, /) -> Tensor:
    """Box-Cox transform of 1 + x, accurate near 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.boxcox1p(xp.asarray([1e-20, 3.0]), xp.asarray([0.0, 0.5]))
    Tensor([1.e-20, 2.e+00], dtype=float64)
    """
    return binary("special.boxcox1p", x, lmbda, floating=True)


@_elementwise(lmbda="the exponent λ")
def inv_boxcox(y: Tensor | Real, lmbda: Tensor | Real, /) -> Tensor:
    """Inverse of `boxcox`, (1 + λy)^(1/λ), and exp(y) for λ = 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.inv_boxcox(xp.asarray([0.0, 2.0]), xp.asarray([0.0, 0.5]))
    Tensor([1., 4.], dtype=float64)
    """
    return binary("special.inv_boxcox", y, lmbda, floating=True)


@_elementwise(lmbda="the exponent λ")
def inv_boxcox1p(y: Tensor | Real, lmbda: Tensor | Real, /) -> Tensor:
    """Inverse of `boxcox1p`, ``inv_boxcox(y, lmbda) - 1``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.inv_boxcox1p(xp.asarray([1e-20, 2.0]), xp.asarray([0.0, 0.5]))
    Tensor([1.e-20, 3.e+00], dtype=float64)
    """
    return binary("special.inv_boxcox1p", y, lmbda, floating=True)


@_elementwise()
def exp1(x: Tensor, /) -> Tensor:
    """Exponential integral E₁(x) = ∫ₓ^∞ exp(-t)/t dt (DLMF 6.2.1).

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.exp1(xp.asarray([1.0, 2.0]))
    Tensor([0.21938393, 0.04890051], dtype=float64)
    """
    return unary("special.exp1", x, floating=True)


@_elementwise()
def expi(x: Tensor, /) -> Tensor:
    """Exponential integral Ei(x), the principal value of ∫_{-∞}ˣ exp(t)/t dt (DLMF 6.2.5).

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.expi(xp.asarray([1.0, -1.0]))
    Tensor([ 1.89511782, -0.21938393], dtype=float64)
    """
    return unary("special.expi", x, floating=True)


@_elementwise(n="integer order, at least 0; not differentiable", x="at least 0")
def expn(n: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Exponential integral Eₙ(x) = ∫₁^∞ exp(-xt)/tⁿ dt (DLMF 8.19.3).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.expn(2, xp.asarray([0.0, 1.0]))
    Tensor([1.        , 0.14849551], dtype=float64)
    """
    return binary("special.expn", n, x, floating=True)


@_elementwise(cuda=False)
def spence(z: Tensor, /) -> Tensor:
    """Dilogarithm in the form ∫₁ᶻ log(t)/(1 - t) dt (DLMF 25.12: Li₂(1 - z)).

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.spence(xp.asarray([1.0, 0.0]))
    Tensor([0.        , 1.64493407], dtype=float64)
    """
    return unary("special.spence", z, floating=True)


# ---- angles


@_elementwise()
def sinc(x: Tensor, /) -> Tensor:
    """Normalised cardinal sine, sin(πx) / (πx), and 1 at 0.

    Complex numbers are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.sinc(xp.asarray([0.0, 0.5]))
    Tensor([1.        , 0.63661977], dtype=float64)
    """
    return unary("special.sinc", x, floating=True)


@_elementwise()
def sindg(x: Tensor, /) -> Tensor:
    """Sine of an angle in degrees.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.sindg(xp.asarray([30.0, 90.0]))
    Tensor([0.5, 1. ], dtype=float64)
    """
    return unary("special.sindg", x, floating=True)


@_elementwise()
def cosdg(x: Tensor, /) -> Tensor:
    """Cosine of an angle in degrees.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.cosdg(xp.asarray([60.0, 180.0]))
    Tensor([ 0.5, -1. ], dtype=float64)
    """
    return unary("special.cosdg", x, floating=True)


@_elementwise()
def tandg(x: Tensor, /) -> Tensor:
    """Tangent of an angle in degrees.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.tandg(xp.asarray([45.0, 135.0]))
    Tensor([ 1., -1.], dtype=float64)
    """
    return unary("special.tandg", x, floating=True)


@_elementwise()
def cotdg(x: Tensor, /) -> Tensor:
    """Cotangent of an angle in degrees.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.cotdg(xp.asarray([45.0, 135.0]))
    Tensor([ 1., -1.], dtype=float64)
    """
    return unary("special.cotdg", x, floating=True)


@_elementwise(d="degrees", m="minutes", s="seconds")
def radian(d: Tensor | Real, m: Tensor | Real, s: Tensor | Real, /) -> Tensor:
    """Convert an angle in degrees, minutes and seconds to radians.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.radian(xp.asarray([180.0]), 0.0, 0.0)
    Tensor([3.14159265], dtype=float64)
    """
    return _three("special.radian", d, m, s)


@_elementwise()
def cosm1(x: Tensor, /) -> Tensor:
    """Cosine minus 1, cos(x) - 1, accurate near 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.cosm1(xp.asarray([0.0, 1e-10]))
    Tensor([ 0.e+00, -5.e-21], dtype=float64)
    """
    return unary("special.cosm1", x, floating=True)


# ---- entropies and losses


@_elementwise()
def entr(x: Tensor, /) -> Tensor:
    """Elementwise entropy, -x log(x); 0 at 0, -∞ below.

    The slope at 0 is infinite.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.entr(xp.asarray([0.0, 0.5]))
    Tensor([0.        , 0.34657359], dtype=float64)
    """
    return unary("special.entr", x, floating=True)


@_elementwise()
def rel_entr(x: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Elementwise relative entropy, x log(x / y).

    0 for `x` = 0 and `y` ≥ 0; ∞ for other nonpositive numbers. Where both are 0, the derivatives
    are defined as 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.rel_entr(xp.asarray([0.0, 0.5]), xp.asarray([0.0, 0.25]))
    Tensor([0.        , 0.34657359], dtype=float64)
    """
    return binary("special.rel_entr", x, y, floating=True)


@_elementwise()
def kl_div(x: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Elementwise Kullback-Leibler divergence, x log(x / y) - x + y.

    `y` for `x` = 0 and `y` ≥ 0; ∞ for other nonpositive numbers. Where both are 0, the derivatives
    are defined as 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.kl_div(xp.asarray([0.0, 0.5]), xp.asarray([0.25, 0.25]))
    Tensor([0.25      , 0.09657359], dtype=float64)
    """
    return binary("special.kl_div", x, y, floating=True)


@_elementwise(delta="threshold of the linear part, at least 0", r="the residual")
def huber(delta: Tensor | Real, r: Tensor | Real, /) -> Tensor:
    """Huber's loss: r²/2 up to `delta`, then linear, δ(abs(r) - δ/2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.huber(1.0, xp.asarray([0.5, 3.0]))
    Tensor([0.125, 2.5  ], dtype=float64)
    """
    return binary("special.huber", delta, r, floating=True)


@_elementwise(delta="scale of the linear part, at least 0", r="the residual")
def pseudo_huber(delta: Tensor | Real, r: Tensor | Real, /) -> Tensor:
    """Smooth form of Huber's loss, δ² (√(1 + (r/δ)²) - 1).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.pseudo_huber(1.0, xp.asarray([0.0, 3.0]))
    Tensor([0.        , 2.16227766], dtype=float64)
    """
    return binary("special.pseudo_huber", delta, r, floating=True)


# ---- Bessel functions


@_elementwise()
def j0(x: Tensor, /) -> Tensor:
    """Bessel function of the first kind of order zero, J₀(x) (DLMF 10.2.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.j0(xp.asarray([0.0, 1.0]))
    Tensor([1.        , 0.76519769], dtype=float64)
    """
    return unary("special.j0", x, floating=True)


@_elementwise()
def j1(x: Tensor, /) -> Tensor:
    """Bessel function of the first kind of order one, J₁(x) (DLMF 10.2.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.j1(xp.asarray([0.0, 1.0]))
    Tensor([0.        , 0.44005059], dtype=float64)
    """
    return unary("special.j1", x, floating=True)


@_elementwise(x="at least 0")
def y0(x: Tensor, /) -> Tensor:
    """Bessel function of the second kind of order zero, Y₀(x) (DLMF 10.2.3).

    -∞ at 0, NaN below.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.y0(xp.asarray([1.0, 2.0]))
    Tensor([0.08825696, 0.51037567], dtype=float64)
    """
    return unary("special.y0", x, floating=True)


@_elementwise(x="at least 0")
def y1(x: Tensor, /) -> Tensor:
    """Bessel function of the second kind of order one, Y₁(x) (DLMF 10.2.3).

    -∞ at 0, NaN below.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.y1(xp.asarray([1.0, 2.0]))
    Tensor([-0.78121282, -0.10703243], dtype=float64)
    """
    return unary("special.y1", x, floating=True)


@_elementwise(n="integer order; not differentiable", x="at least 0")
def yn(n: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Bessel function of the second kind of integer order, Yₙ(x) (DLMF 10.2.3).

    -∞ at 0, NaN below. For orders beyond 2²⁴ NaN unless the result is infinite.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.yn(2, xp.asarray([1.0, 2.0]))
    Tensor([-1.65068261, -0.6174081 ], dtype=float64)
    """
    return binary("special.yn", n, x, floating=True)


@_elementwise()
def i0(x: Tensor, /) -> Tensor:
    """Modified Bessel function of the first kind of order zero, I₀(x) (DLMF 10.25.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.i0(xp.asarray([0.0, 1.0]))
    Tensor([1.        , 1.26606588], dtype=float64)
    """
    return unary("special.i0", x, floating=True)


@_elementwise()
def i0e(x: Tensor, /) -> Tensor:
    """``exp(-abs(x)) * i0(x)``, which does not overflow.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.i0e(xp.asarray([0.0, 1000.0]))
    Tensor([1.        , 0.01261724], dtype=float64)
    """
    return unary("special.i0e", x, floating=True)


@_elementwise()
def i1(x: Tensor, /) -> Tensor:
    """Modified Bessel function of the first kind of order one, I₁(x) (DLMF 10.25.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.i1(xp.asarray([0.0, 1.0]))
    Tensor([0.       , 0.5651591], dtype=float64)
    """
    return unary("special.i1", x, floating=True)


@_elementwise()
def i1e(x: Tensor, /) -> Tensor:
    """``exp(-abs(x)) * i1(x)``, which does not overflow.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.i1e(xp.asarray([0.0, 1000.0]))
    Tensor([0.        , 0.01261093], dtype=float64)
    """
    return unary("special.i1e", x, floating=True)


@_elementwise(x="at least 0")
def k0(x: Tensor, /) -> Tensor:
    """Modified Bessel function of the second kind of order zero, K₀(x) (DLMF 10.25.3).

    ∞ at 0, NaN below.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.k0(xp.asarray([1.0, 2.0]))
    Tensor([0.42102444, 0.11389387], dtype=float64)
    """
    return unary("special.k0", x, floating=True)


@_elementwise(x="at least 0")
def k0e(x: Tensor, /) -> Tensor:
    """``exp(x) * k0(x)``, which does not underflow.

    ∞ at 0, NaN below.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.k0e(xp.asarray([1.0, 1000.0]))
    Tensor([1.14446308, 0.03962832], dtype=float64)
    """
    return unary("special.k0e", x, floating=True)


@_elementwise(x="at least 0")
def k1(x: Tensor, /) -> Tensor:
    """Modified Bessel function of the second kind of order one, K₁(x) (DLMF 10.25.3).

    ∞ at 0, NaN below.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.k1(xp.asarray([1.0, 2.0]))
    Tensor([0.60190723, 0.13986588], dtype=float64)
    """
    return unary("special.k1", x, floating=True)


@_elementwise(x="at least 0")
def k1e(x: Tensor, /) -> Tensor:
    """``exp(x) * k1(x)``, which does not underflow.

    ∞ at 0, NaN below.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.k1e(xp.asarray([1.0, 1000.0]))
    Tensor([1.63615349, 0.03964813], dtype=float64)
    """
    return unary("special.k1e", x, floating=True)


@_elementwise(
    cuda=False,
    v="real order; not differentiable",
    z="real numbers, at least 0 unless `v` is an integer, or complex numbers",
)
def jv(v: Tensor | Real, z: Tensor | complex, /) -> Tensor:
    """Bessel function of the first kind of real order, Jᵥ(z) (DLMF 10.2.2).

    Also called `jn`. Complex `z` are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.jv(0.5, xp.asarray([0.0, 1.0]))
    Tensor([0.        , 0.67139671], dtype=float64)
    """
    return binary("special.jv", v, z, floating=True)


jn = jv


@_elementwise(
    cuda=False,
    v="real order; not differentiable",
    z="real numbers, at least 0, or complex numbers",
)
def yv(v: Tensor | Real, z: Tensor | complex, /) -> Tensor:
    """Bessel function of the second kind of real order, Yᵥ(z) (DLMF 10.2.3).

    Infinite at 0, NaN below. Complex `z` are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.yv(0.5, xp.asarray([1.0, 2.0]))
    Tensor([-0.43109887,  0.23478571], dtype=float64)
    """
    return binary("special.yv", v, z, floating=True)


@_elementwise(
    cuda=False,
    v="real order; not differentiable",
    z="real numbers, at least 0 unless `v` is an integer, or complex numbers",
)
def iv(v: Tensor | Real, z: Tensor | complex, /) -> Tensor:
    """Modified Bessel function of the first kind of real order, Iᵥ(z) (DLMF 10.25.2).

    Complex `z` are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.iv(2, xp.asarray([0.0, 1.0]))
    Tensor([0.        , 0.13574767], dtype=float64)
    """
    return binary("special.iv", v, z, floating=True)


@_elementwise(
    cuda=False,
    v="real order; not differentiable",
    z="real numbers, at least 0 unless `v` is an integer, or complex numbers",
)
def ive(v: Tensor | Real, z: Tensor | complex, /) -> Tensor:
    """``exp(-abs(real(z))) * iv(v, z)``, which does not overflow.

    Complex `z` are supported, but are not differentiable.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ive(2, xp.asarray([1.0, 1000.0]))
    Tensor([0.04993878, 0.01259202], dtype=float64)
    """
    return binary("special.ive", v, z, floating=True)


@_elementwise(
    cuda=False,
    v="real order; not differentiable",
    z="real numbers, at least 0, or complex numbers",
)
def kv(v: Tensor | Real, z: Tensor | complex, /) -> Tensor:
    """Modified Bessel function of the second kind of real order, Kᵥ(z) (DLMF 10.25.3).

    ∞ at 0, NaN below. Complex `z` are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.kv(0.5, xp.asarray([1.0, 2.0]))
    Tensor([0.4610685 , 0.11993777], dtype=float64)
    """
    return binary("special.kv", v, z, floating=True)


@_elementwise(
    cuda=False,
    v="real order; not differentiable",
    z="real numbers, at least 0, or complex numbers",
)
def kve(v: Tensor | Real, z: Tensor | complex, /) -> Tensor:
    """``exp(z) * kv(v, z)``, which does not underflow.

    ∞ at 0, NaN below. Complex `z` are supported.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.kve(2, xp.asarray([1.0, 1000.0]))
    Tensor([4.41677005, 0.03970762], dtype=float64)
    """
    return binary("special.kve", v, z, floating=True)


# ---- elliptic, hypergeometric and Legendre functions


@_elementwise(m="the parameter, the square of the modulus, at most 1")
def ellipk(m: Tensor, /) -> Tensor:
    """Complete elliptic integral of the first kind, K(m) (DLMF 19.2.8).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ellipk(xp.asarray([0.0, 0.5]))
    Tensor([1.57079633, 1.85407468], dtype=float64)
    """
    return unary("special.ellipk", m, floating=True)


@_elementwise(p="1 minus the parameter, at least 0")
def ellipkm1(p: Tensor, /) -> Tensor:
    """``ellipk(1 - p)``, accurate where 1 - p would be rounded to 1.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ellipkm1(xp.asarray([1.0, 1e-30]))
    Tensor([ 1.57079633, 35.92507076], dtype=float64)
    """
    return unary("special.ellipkm1", p, floating=True)


@_elementwise(m="the parameter, the square of the modulus, at most 1")
def ellipe(m: Tensor, /) -> Tensor:
    """Complete elliptic integral of the second kind, E(m) (DLMF 19.2.8).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.ellipe(xp.asarray([0.0, 1.0]))
    Tensor([1.57079633, 1.        ], dtype=float64)
    """
    return unary("special.ellipe", m, floating=True)


@_elementwise(cuda=False, a="not differentiable", b="not differentiable")
def hyp1f1(a: Tensor | complex, b: Tensor | complex, x: Tensor | complex, /) -> Tensor:
    """Confluent hypergeometric function ₁F₁(a; b; x) (DLMF 13.2.2).

    Complex numbers are supported. NaN for abs(a) beyond 2²⁴, where the series is too long.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.hyp1f1(0.5, 1.5, xp.asarray([-1.0]))
    Tensor([0.74682413], dtype=float64)
    """
    return _three("special.hyp1f1", a, b, x)


@_elementwise(
    m="integer order; not differentiable",
    v="the degree, at least 0; not differentiable",
    x="in [-1, 1]",
)
def lpmv(m: Tensor | Real, v: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Associated Legendre function of integer order and real degree (DLMF 14.3.1).

    The Condon-Shortley phase (-1)ᵐ is included. NaN for degrees beyond 2²⁴.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.lpmv(1, 2.0, xp.asarray([0.5]))
    Tensor([-1.29903811], dtype=float64)
    """
    return _three("special.lpmv", m, v, x)


# ---- distribution functions


@_elementwise(
    k="number of successes, rounded down",
    n="integer number of trials; not differentiable",
    p="the probability of a success",
)
def bdtr(k: Tensor | Real, n: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Binomial distribution: the probability of at most `k` successes in `n` trials.

    The derivative with respect to `k` is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.bdtr(2, 5, xp.asarray([0.5]))
    Tensor([0.5], dtype=float64)
    """
    return apply("special.bdtr", (as_floating(k), n, as_floating(p)))


@_elementwise(
    k="number of successes, rounded down",
    n="integer number of trials; not differentiable",
    p="the probability of a success",
)
def bdtrc(k: Tensor | Real, n: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Binomial distribution: the probability of more than `k` successes in `n` trials.

    The derivative with respect to `k` is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.bdtrc(2, 5, xp.asarray([0.5]))
    Tensor([0.5], dtype=float64)
    """
    return apply("special.bdtrc", (as_floating(k), n, as_floating(p)))


@_elementwise(
    k="number of successes, rounded down",
    n="integer number of trials; not differentiable",
    y="a probability",
)
def bdtri(k: Tensor | Real, n: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Binomial distribution: the `p` with ``bdtr(k, n, p) == y``.

    The derivative with respect to `k` is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.bdtri(2, 5, xp.asarray([0.5]))
    Tensor([0.5], dtype=float64)
    """
    return apply("special.bdtri", (as_floating(k), n, as_floating(y)))


@_elementwise(
    k="integer number of failures; not differentiable",
    n="integer number of successes; not differentiable",
    p="the probability of a success",
)
def nbdtr(k: Tensor | Real, n: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Negative binomial distribution: the probability of at most `k` failures before success `n`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.nbdtr(2, 5, xp.asarray([0.5]))
    Tensor([0.2265625], dtype=float64)
    """
    return _three("special.nbdtr", k, n, p)


@_elementwise(
    k="integer number of failures; not differentiable",
    n="integer number of successes; not differentiable",
    p="the probability of a success",
)
def nbdtrc(k: Tensor | Real, n: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Negative binomial distribution: the probability of more than `k` failures before success `n`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.nbdtrc(2, 5, xp.asarray([0.5]))
    Tensor([0.7734375], dtype=float64)
    """
    return _three("special.nbdtrc", k, n, p)


@_elementwise(
    k="integer number of failures; not differentiable",
    n="integer number of successes; not differentiable",
    y="a probability",
)
def nbdtri(k: Tensor | Real, n: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Negative binomial distribution: the `p` with ``nbdtr(k, n, p) == y``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.nbdtri(2, 5, xp.asarray([0.5]))
    Tensor([0.63588391], dtype=float64)
    """
    return _three("special.nbdtri", k, n, y)


@_elementwise(k="number of events, rounded down", m="the mean, at least 0")
def pdtr(k: Tensor | Real, m: Tensor | Real, /) -> Tensor:
    """Poisson distribution with mean `m`: the probability of at most `k` events.

    The derivative with respect to `k` is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.pdtr(2, xp.asarray([1.0]))
    Tensor([0.9196986], dtype=float64)
    """
    return binary("special.pdtr", k, m, floating=True)


@_elementwise(k="number of events, rounded down", m="the mean, at least 0")
def pdtrc(k: Tensor | Real, m: Tensor | Real, /) -> Tensor:
    """Poisson distribution with mean `m`: the probability of more than `k` events.

    The derivative with respect to `k` is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.pdtrc(2, xp.asarray([1.0]))
    Tensor([0.0803014], dtype=float64)
    """
    return binary("special.pdtrc", k, m, floating=True)


@_elementwise(k="integer number of events; not differentiable", y="a probability")
def pdtri(k: Tensor | Real, y: Tensor | Real, /) -> Tensor:
    """Poisson distribution: the mean `m` with ``pdtr(k, m) == y``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.pdtri(2, xp.asarray([0.5]))
    Tensor([2.67406031], dtype=float64)
    """
    return binary("special.pdtri", k, y, floating=True)


@_elementwise(v="degrees of freedom; not differentiable", x="at least 0")
def chdtr(v: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Distribution function of the χ² distribution with `v` degrees of freedom.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.chdtr(2.0, xp.asarray([1.0]))
    Tensor([0.39346934], dtype=float64)
    """
    return binary("special.chdtr", v, x, floating=True)


@_elementwise(v="degrees of freedom; not differentiable", x="at least 0")
def chdtrc(v: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Survival function 1 - ``chdtr(v, x)``, the probability of more than `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.chdtrc(2.0, xp.asarray([1.0]))
    Tensor([0.60653066], dtype=float64)
    """
    return binary("special.chdtrc", v, x, floating=True)


@_elementwise(v="degrees of freedom; not differentiable", p="a probability")
def chdtri(v: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Inverse of `chdtrc`: the `x` with ``chdtrc(v, x) == p``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.chdtri(2.0, xp.asarray([0.5]))
    Tensor([1.38629436], dtype=float64)
    """
    return binary("special.chdtri", v, p, floating=True)


@_elementwise(
    dfn="degrees of freedom; not differentiable",
    dfd="degrees of freedom; not differentiable",
    x="at least 0",
)
def fdtr(dfn: Tensor | Real, dfd: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Distribution function of the F distribution with `dfn` and `dfd` degrees of freedom.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.fdtr(2.0, 3.0, xp.asarray([1.0]))
    Tensor([0.535242], dtype=float64)
    """
    return _three("special.fdtr", dfn, dfd, x)


@_elementwise(
    dfn="degrees of freedom; not differentiable",
    dfd="degrees of freedom; not differentiable",
    x="at least 0",
)
def fdtrc(dfn: Tensor | Real, dfd: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Survival function 1 - ``fdtr(dfn, dfd, x)``, the probability of more than `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.fdtrc(2.0, 3.0, xp.asarray([1.0]))
    Tensor([0.464758], dtype=float64)
    """
    return _three("special.fdtrc", dfn, dfd, x)


@_elementwise(
    dfn="degrees of freedom; not differentiable",
    dfd="degrees of freedom; not differentiable",
    p="a probability",
)
def fdtri(dfn: Tensor | Real, dfd: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Inverse of `fdtr`: the `x` with ``fdtr(dfn, dfd, x) == p``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.fdtri(2.0, 3.0, xp.asarray([0.5]))
    Tensor([0.88110158], dtype=float64)
    """
    return _three("special.fdtri", dfn, dfd, p)


@_elementwise(a="the rate, positive", b="the shape, positive; not differentiable", x="at least 0")
def gdtr(a: Tensor | Real, b: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Distribution function of the gamma distribution, ``gammainc(b, a * x)``.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gdtr(1.0, 2.0, xp.asarray([3.0]))
    Tensor([0.80085173], dtype=float64)
    """
    return _three("special.gdtr", a, b, x)


@_elementwise(a="the rate, positive", b="the shape, positive; not differentiable", x="at least 0")
def gdtrc(a: Tensor | Real, b: Tensor | Real, x: Tensor | Real, /) -> Tensor:
    """Survival function 1 - ``gdtr(a, b, x)``, the probability of more than `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.gdtrc(1.0, 2.0, xp.asarray([3.0]))
    Tensor([0.19914827], dtype=float64)
    """
    return _three("special.gdtrc", a, b, x)


@_elementwise(df="degrees of freedom, positive; not differentiable")
def stdtr(df: Tensor | Real, t: Tensor | Real, /) -> Tensor:
    """Distribution function of Student's t with `df` degrees of freedom.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.stdtr(4.0, xp.asarray([0.0, 2.0]))
    Tensor([0.5       , 0.94194174], dtype=float64)
    """
    return binary("special.stdtr", df, t, floating=True)


@_elementwise(df="degrees of freedom, positive; not differentiable", p="a probability")
def stdtrit(df: Tensor | Real, p: Tensor | Real, /) -> Tensor:
    """Quantile of Student's t distribution, the inverse of `stdtr`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.stdtrit(4.0, xp.asarray([0.9, 0.975]))
    Tensor([1.53320627, 2.77644511], dtype=float64)
    """
    return binary("special.stdtrit", df, p, floating=True)


# ---- sums of exponentials


@in_own_name("special.logsumexp")
def logsumexp(
    a: Tensor,
    axis: Axis = None,
    b: Tensor | complex | None = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Any:
    """Logarithm of a sum of exponentials, computed without overflow.

    Parameters
    ----------
    a : Tensor
        Exponents of a floating-point dtype. Integers and bools are converted to float64.
    axis : int or tuple of int, optional
        Axes to sum over; by default all.
    b : Tensor or scalar, optional
        Factors of the exponentials, which may be negative, with a shape that broadcasts with that
        of `a`; by default 1.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.
    return_sign : bool, optional
        Whether to also return the sign of the sum, and the logarithm of its absolute value.

    Returns
    -------
    Tensor, or tuple of two
        Logarithm, and if `return_sign` the sign: 1, -1 or 0, or for complex sums a number on the
        unit circle.

    Raises
    ------
    TypeError
        If `a` is not a tensor.
    ValueError
        If an axis does not exist.

    Notes
    -----
    An empty sum is -∞; a negative sum without `return_sign` is NaN. Elements with weight 0 are
    ignored, even if they are not finite.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.logsumexp(xp.asarray([1000.0, 1000.0]))
    Tensor(1000.69314718, dtype=float64)
    >>> xp.special.logsumexp(xp.asarray([1.0, 2.0]), b=xp.asarray([1.0, -1.0]), return_sign=True)
    (Tensor(1.54132485, dtype=float64), Tensor(-1., dtype=float64))
    """
    a = as_floating(a)
    if b is None and not return_sign:
        return call("special.logsumexp", a, (), {"axis": axis, "keepdims": keepdims})
    kwargs = {"axis": axis, "keepdims": keepdims}
    weights: Any = 1.0 if b is None else as_floating(b)
    if isinstance(weights, Tensor):
        common_device("special.logsumexp", [a, weights])
    out, sign = apply("special.logsumexp_weighted", (a, weights), (), kwargs)
    if return_sign:
        return out, sign
    if sign.dtype.kind == "c":
        return out + log(sign)
    return where(sign < 0, math.nan, out)


def softmax(x: Tensor, axis: Axis = None) -> Tensor:
    """Softmax: exponentials divided by their sum.

    Parameters
    ----------
    x : Tensor
        Input of a floating-point dtype. Integers and bools are converted to float64.
    axis : int or tuple of int, optional
        Axes to sum over; by default all.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist.

    Notes
    -----
    The result is NaN where the largest element is infinite.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.softmax(xp.asarray([0.0, 0.0, -1000.0]))
    Tensor([0.5, 0.5, 0. ], dtype=float64)
    """
    return call("special.softmax", as_floating(x), (), {"axis": axis})


def log_softmax(x: Tensor, axis: Axis = None) -> Tensor:
    """Logarithm of `softmax`, accurate even where `softmax` underflows.

    Parameters
    ----------
    x : Tensor
        Input of a floating-point dtype. Integers and bools are converted to float64.
    axis : int or tuple of int, optional
        Axes to sum over; by default all.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`; float64 for integers and bools.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.special.log_softmax(xp.asarray([0.0, 0.0, -1000.0]))
    Tensor([-6.93147181e-01, -6.93147181e-01, -1.00069315e+03], dtype=float64)
    """
    return call("special.log_softmax", as_floating(x), (), {"axis": axis})
