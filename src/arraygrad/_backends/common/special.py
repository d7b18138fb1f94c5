"""What the backends' tables have of special functions: names, and what no library has as we do.

SciPy and CuPy take long to import and compile, so a function is looked up when first used.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

#: Elementwise functions of scipy.special.
ELEMENTWISE = """
    bdtr bdtrc bdtri beta betainc betaincc betainccinv betaincinv betaln binom boxcox boxcox1p cbrt
    chdtr chdtrc chdtri cosdg cosm1 cotdg ellipe ellipk ellipkm1 entr erf erfc erfcinv erfcx erfinv
    exp1 exp10 exp2 expi expit expn exprel fdtr fdtrc fdtri gamma gammainc gammaincc gammainccinv
    gammaincinv gammaln gammasgn gdtr gdtrc huber hyp1f1 i0 i0e i1 i1e inv_boxcox inv_boxcox1p j0
    j1 k0 k0e k1 k1e kl_div log_expit log_ndtr loggamma logit lpmv nbdtr nbdtrc nbdtri ndtr ndtri
    ndtri_exp pdtr pdtrc pdtri poch polygamma pseudo_huber psi radian rel_entr rgamma sinc sindg
    spence stdtr stdtrit tandg xlog1py xlogy y0 y1 yn zeta zetac""".split()


def operations(
    xp: Any, load: Callable[[str], Callable[..., Any]], quiet: Callable[[], Any] = nullcontext
) -> dict[str, Callable[..., Any]]:
    """The entries of a table: those of `load`, by name, and the sums of exponentials in `xp`."""
    table: dict[str, Callable[..., Any]] = {
        f"special.{name}": _when_used(load, name) for name in ELEMENTWISE
    }
    for function in (logsumexp, logsumexp_weighted, softmax, log_softmax):
        table[f"special.{function.__name__}"] = _bound(function, xp, quiet)
    return table


def _when_used(load: Callable[[str], Callable[..., Any]], name: str) -> Callable[..., Any]:
    found: Callable[..., Any] | None = None

    def run(*operands: Any) -> Any:
        nonlocal found
        if found is None:
            found = load(name)
        return found(*operands)

    return run


def of_arrays(xp: Any, function: Callable[..., Any], *operands: Any) -> Any:
    """A function of several operands, whose scalars have no say in the dtype.

    SciPy's and CuPy's take the first of their loops that a scalar fits in.
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


def _bound(function: Callable[..., Any], xp: Any, quiet: Callable[[], Any]) -> Any:
    def run(*operands: Any, **kwargs: Any) -> Any:
        with quiet():  # of log(0), which is right
            return function(xp, *operands, **kwargs)

    return run


def _top(xp: Any, a: Any, axis: Any) -> Any:
    """The largest real part, which the exponents are taken from; 0 where it is not finite."""
    top = xp.max(a.real, axis=axis, keepdims=True)
    return xp.where(xp.isfinite(top), top, xp.zeros_like(top))


def _nothing(xp: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    return xp.sum(a.real, axis=axis, keepdims=keepdims)  # zeros: there is nothing to add


def _shaped(xp: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    return y if keepdims else xp.squeeze(y, axis=tuple(range(y.ndim)) if axis is None else axis)


def logsumexp(xp: Any, a: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Log of a sum of exponentials; 0-dimensional data has no axis but is reduced all the same."""
    axis = None if not a.ndim else axis
    if not a.size:
        return xp.log(_nothing(xp, a, axis, keepdims).astype(a.dtype))
    top = _top(xp, a, axis)
    e = xp.exp(a - top)
    if a.dtype.kind == "c":
        return _shaped(xp, xp.log(xp.sum(e, axis=axis, keepdims=True)) + top, axis, keepdims)
    # The largest apart: log1p of the others keeps what is small beside it.
    largest = a == top
    count = xp.sum(largest, axis=axis, keepdims=True).astype(a.dtype)
    rest = xp.sum(xp.where(largest, xp.zeros_like(e), e), axis=axis, keepdims=True)
    none = count == 0
    one = xp.where(none, xp.ones_like(count), count)
    y = xp.where(none, xp.log(rest), xp.log1p(rest / one) + xp.log(one)) + top
    return _shaped(xp, y, axis, keepdims)


def logsumexp_weighted(
    xp: Any, a: Any, b: Any, /, *, axis: Any = None, keepdims: bool = False
) -> tuple[Any, Any]:
    """Log of the absolute value of a sum of weighted exponentials, and its sign."""
    b = xp.asarray(b, dtype=None if hasattr(b, "dtype") else xp.result_type(a, b))
    a, b = xp.broadcast_arrays(a, b)
    axis = None if not a.ndim else axis
    if not a.size:
        zero = _nothing(xp, a, axis, keepdims)
        return xp.log(zero), zero.astype(xp.result_type(a, b))
    none = b == 0
    a = xp.where(none, xp.asarray(-xp.inf, dtype=a.dtype), a)
    top = _top(xp, a, axis)
    e = xp.where(none, xp.zeros_like(b), b * xp.exp(a - top))
    total = xp.sum(e, axis=axis, keepdims=True)
    size = xp.abs(total)
    sign = total / xp.where(size == 0, xp.ones_like(size), size)
    sign = xp.where(xp.isinf(total), xp.sign(total), sign)
    return _shaped(xp, xp.log(size) + top, axis, keepdims), _shaped(xp, sign, axis, keepdims)


def softmax(xp: Any, x: Any, /, *, axis: Any = None) -> Any:
    """Exponentials over their sum."""
    axis = None if not x.ndim else axis
    if not x.size:
        return x.copy()
    e = xp.exp(x - xp.max(x.real, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


def log_softmax(xp: Any, x: Any, /, *, axis: Any = None) -> Any:
    """The logarithm of that."""
    axis = None if not x.ndim else axis
    if not x.size:
        return x.copy()
    x = x - _top(xp, x, axis)
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True))
