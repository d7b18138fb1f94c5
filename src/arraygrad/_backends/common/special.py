"""Special functions: the names that both libraries have, and sums of exponentials.

SciPy takes long to import and CuPy's kernels to compile, so a function is looked up on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

#: Elementwise functions of scipy.special.
ELEMENTWISE = """
    bdtr bdtrc bdtri beta betainc betaincc betainccinv betaincinv betaln binom boxcox boxcox1p
    cbrt chdtr chdtrc chdtri cosdg cosm1 cotdg ellipe ellipk ellipkm1 entr erf erfc erfcinv
    erfcx erfinv exp1 exp10 exp2 expi expit expn exprel fdtr fdtrc fdtri gamma gammainc
    gammaincc gammainccinv gammaincinv gammaln gammasgn gdtr gdtrc huber hyp1f1 i0 i0e i1 i1e
    inv_boxcox inv_boxcox1p iv ive j0 j1 jv k0 k0e k1 k1e kl_div kv kve log_expit log_ndtr
    loggamma logit lpmv nbdtr nbdtrc nbdtri ndtr ndtri ndtri_exp pdtr pdtrc pdtri poch polygamma
    pseudo_huber psi radian rel_entr rgamma sinc sindg spence stdtr stdtrit tandg xlog1py xlogy
    y0 y1 yn yv zeta zetac""".split()


def operations(
    xp: Any, load: Callable[[str], Callable[..., Any]], quiet: Callable[[], Any] = nullcontext
) -> dict[str, Callable[..., Any]]:
    """The entries of a table: a library's functions, from `load(name)`, and those written here."""
    table: dict[str, Callable[..., Any]] = {
        f"special.{name}": load_on_first_use(load, name) for name in ELEMENTWISE
    }
    for bounded in (hyp1f1, lpmv, yn):
        name = f"special.{bounded.__name__}"
        table[name] = partial(of_arrays, xp, partial(bounded, xp, table[name]))
    for function in (logsumexp, logsumexp_weighted, softmax, log_softmax):
        table[f"special.{function.__name__}"] = _with_namespace(function, xp, quiet)
    return table


def load_on_first_use(load: Callable[[str], Callable[..., Any]], name: str) -> Callable[..., Any]:
    """The function `load(name)`, loaded at the first call."""
    function: Callable[..., Any] | None = None

    def run(*operands: Any, **parameters: Any) -> Any:
        nonlocal function
        if function is None:
            function = load(name)
        return function(*operands, **parameters)

    # (Exported programs load it anew. mypy does not support attributes of functions.)
    run.made_by = load_on_first_use, load, name  # type: ignore[attr-defined]
    return run


#: The libraries' recurrences take one step for each order: 0.2 s up to here, and years for 2**62.
MAX_ORDER = 2.0**24


def yn(xp: Any, function: Callable[..., Any], n: Any, x: Any) -> Any:
    """Bessel function of the second kind; beyond `MAX_ORDER` infinite, or NaN where x is not small.

    By Debye's expansion, Yₙ(x) overflows there for x < 0.9n.
    """
    size = xp.abs(n * 1.0)  # an int64 has no absolute value of its least number
    far = size > MAX_ORDER
    near = function(xp.where(far, xp.zeros_like(n), n), x)
    sign = xp.where((n < 0) & (xp.fmod(n, 2) != 0), 1.0, -1.0)
    limit = xp.where((x >= 0) & (x < 0.9 * size), sign * xp.inf, xp.nan)
    return xp.where(far, limit.astype(near.dtype), near)


def lpmv(xp: Any, function: Callable[..., Any], m: Any, v: Any, x: Any) -> Any:
    """Associated Legendre function; NaN for degrees beyond `MAX_ORDER`.

    A larger order is replaced by 65,536: the value is 0 above a whole degree, else out of range.
    """
    v = xp.where(xp.abs(v * 1.0) > MAX_ORDER, xp.nan, v * 1.0)
    return function(xp.clip(m, -(2.0**16), 2.0**16), v, x)


def hyp1f1(xp: Any, function: Callable[..., Any], a: Any, b: Any, x: Any) -> Any:
    """Confluent hypergeometric function, whose series is long where the result overflows.

    It grows as exp(x) x^(a - b) Γ(b)/Γ(a), unless it is a polynomial, as for a = 0, -1, -2, ...
    So an x that is too large can be replaced by one that is large compared with `a` and `b`, where
    the value is infinite, too. For b - a = 0, -1, -2, ..., it is exp(x) times a polynomial, by
    Kummer's transformation. So an x that is too small can be replaced by one where the value is 0,
    too. NaN if the series is still too long.
    """
    if x.dtype.kind == "c":
        return function(a, b, x)
    grows = (a > 0) | (a != xp.floor(a))
    enough = xp.maximum(2.0**30, 64 * (xp.abs(a) + xp.abs(b)))
    falls = (b - a <= 0) & (b - a == xp.floor(b - a))
    dtype = xp.result_type(a, b, x)
    x = xp.where(grows & (x > enough), enough, xp.where(falls & (x < -enough), -enough, x))
    long = (xp.abs(a) > MAX_ORDER) | (grows & (x > 2.0**36)) | (falls & (x < -(2.0**36)))
    return function(a, b, xp.where(long, xp.nan, x).astype(dtype))


def of_arrays(xp: Any, function: Callable[..., Any], *operands: Any) -> Any:
    """Call a function of several operands so that Python scalars do not influence the dtype.

    SciPy's and CuPy's functions choose the first loop that can hold a scalar.
    """
    scalars = [type(x) in _SCALARS for x in operands]
    if True not in scalars:
        return function(*operands)
    dtype = xp.result_type(*[x for x in operands if x is not None])
    real = xp.finfo(dtype).dtype if dtype.kind in "fc" else dtype
    return function(*[
        xp.asarray(x, dtype=dtype if type(x) is complex else real) if scalar else x
        for x, scalar in zip(operands, scalars, strict=True)
    ])  # fmt: skip


_SCALARS = (bool, int, float, complex)


def _with_namespace(function: Callable[..., Any], xp: Any, quiet: Callable[[], Any]) -> Any:
    def run(*operands: Any, **kwargs: Any) -> Any:
        with quiet():  # log(0) is right
            return function(xp, *operands, **kwargs)

    return run


def _max_shift(xp: Any, a: Any, axis: Any) -> Any:
    """Largest real part, to be subtracted from the exponents; 0 where it is not finite."""
    top = xp.max(a.real, axis=axis, keepdims=True)
    return xp.where(xp.isfinite(top), top, xp.zeros_like(top))


def _sum_of_none(xp: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """Zeros in the shape of an empty reduction."""
    return xp.sum(a.real, axis=axis, keepdims=keepdims)


def _apply_keepdims(xp: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    return y if keepdims else xp.squeeze(y, axis=tuple(range(y.ndim)) if axis is None else axis)


def logsumexp(xp: Any, a: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Logarithm of a sum of exponentials. An array without axes is reduced, too."""
    axis = None if not a.ndim else axis
    if not a.size:
        return xp.log(_sum_of_none(xp, a, axis, keepdims).astype(a.dtype))
    top = _max_shift(xp, a, axis)
    e = xp.exp(a - top)
    if a.dtype.kind == "c":
        y = xp.log(xp.sum(e, axis=axis, keepdims=True)) + top
        return _apply_keepdims(xp, y, axis, keepdims)
    # Sum the largest elements apart: log1p of the others does not lose the small ones.
    largest = a == top
    count = xp.sum(largest, axis=axis, keepdims=True).astype(a.dtype)
    rest = xp.sum(xp.where(largest, xp.zeros_like(e), e), axis=axis, keepdims=True)
    no_largest = count == 0  # the maximum is infinite or NaN
    divisor = xp.where(no_largest, xp.ones_like(count), count)
    y = xp.log1p(rest / divisor) + xp.log(divisor)
    y = xp.where(no_largest, xp.log(rest), y) + top
    return _apply_keepdims(xp, y, axis, keepdims)


def logsumexp_weighted(
    xp: Any, a: Any, b: Any, /, *, axis: Any = None, keepdims: bool = False
) -> tuple[Any, Any]:
    """Logarithm of the absolute value of a sum of weighted exponentials, and the sum's sign."""
    b = xp.asarray(b, dtype=None if hasattr(b, "dtype") else xp.result_type(a, b))
    a, b = xp.broadcast_arrays(a, b)
    axis = None if not a.ndim else axis
    if not a.size:
        zero = _sum_of_none(xp, a, axis, keepdims)
        return xp.log(zero), zero.astype(xp.result_type(a, b))
    none = b == 0
    a = xp.where(none, xp.asarray(-xp.inf, dtype=a.dtype), a)
    top = _max_shift(xp, a, axis)
    e = xp.where(none, xp.zeros_like(b), b * xp.exp(a - top))
    total = xp.sum(e, axis=axis, keepdims=True)
    size = xp.abs(total)
    sign = total / xp.where(size == 0, xp.ones_like(size), size)
    sign = xp.where(xp.isinf(total), xp.sign(total), sign)
    y = xp.log(size) + top
    return _apply_keepdims(xp, y, axis, keepdims), _apply_keepdims(xp, sign, axis, keepdims)


def softmax(xp: Any, x: Any, /, *, axis: Any = None) -> Any:
    """Exponentials divided by their sum."""
    axis = None if not x.ndim else axis
    if not x.size:
        return x.copy()
    e = xp.exp(x - xp.max(x.real, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


def log_softmax(xp: Any, x: Any, /, *, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    axis = None if not x.ndim else axis
    if not x.size:
        return x.copy()
    x = x - _max_shift(xp, x, axis)
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True))
