"""Both modes give the same derivatives at every special value, and the right ones at infinity."""

import itertools
import math

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, nn
from arraygrad.autodiff import NotDifferentiableError, grad, jvp, vjp
from arraygrad.autodiff._rules import RULES

INF, NAN = math.inf, math.nan
MANY = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.0, 1e300, 5e-324]
FEW = [NAN, INF, -INF, 0.0, 1.0, -1.0, 0.5, 2.0]
WEIGHTS = [1.0, -2.0, 0.0, INF, -INF, NAN]


def function(name):
    prefix, _, rest = name.rpartition(".")
    return getattr({"special": xp.special, "nn": nn, "": xp}[prefix], rest)


#: The elementwise functions and their numbers of operands. (nn.binary is a part of a loss.)
ELEMENTWISE = {
    name: 3 if name == "clip" else len(rule.vjps)
    for name, rule in sorted(RULES.items())
    if rule.elementwise and name != "nn.binary"
}


def partials(name, without=()):
    """The function of each operand that has a derivative, its values, and all operands."""
    f, n = function(name), ELEMENTWISE[name]
    values = [x for x in (MANY if n < 3 else FEW) if x not in without]
    if name in ("special.hyp1f1", "special.lpmv", "special.yn"):  # SciPy's take minutes there
        values = [x for x in values if not abs(x) > 1e100]
    operands = [xp.asarray(c) for c in np.asarray(list(itertools.product(values, repeat=n))).T]
    for i, x in enumerate(operands):

        def partial(x, i=i):
            return f(*operands[:i], x, *operands[i + 1 :])

        with np.errstate(all="ignore"):
            try:
                vjp(partial, x)[1](partial(x))
            except NotDifferentiableError:
                continue
            yield partial, x, operands


def same(a, b):
    return (a == b) | (np.isnan(a) & np.isnan(b)) | np.isclose(a, b, rtol=1e-6, atol=0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_modes_of_elementwise_functions(name):
    """For weights of all kinds: one of 0 gives 0, as a derivative of 0 does; NaN gives NaN."""
    for f, x, operands in partials(name):
        _, pullback = vjp(f, x)
        slope = pullback(xp.ones_like(x))[0].numpy()
        for weight in WEIGHTS:
            w = xp.full(x.shape, weight)
            reverse, forward = pullback(w)[0].numpy(), jvp(f, (x,), (w,))[1].numpy()
            wrong = ~same(reverse, forward)
            if weight == 0:
                wrong |= reverse != 0
            elif math.isinf(weight):
                wrong |= (slope == 0) & (reverse != 0)
                wrong |= np.isnan(slope) & ~np.isnan(reverse)
            places = np.flatnonzero(wrong)
            assert not places.size, (weight, [float(o[places[0]]) for o in operands])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [name for name, n in ELEMENTWISE.items() if n == 1 or "special" not in name]
)
def test_a_finite_result_has_a_derivative_that_is_a_number(name):
    """Also at infinity, where the function has a limit and its derivative is 0."""
    for f, x, operands in partials(name, without=(NAN, 5e-324)):
        out, pullback = vjp(f, x)
        slope = pullback(xp.ones_like(x))[0].numpy()
        places = np.flatnonzero(np.isnan(slope) & np.isfinite(out.numpy()))
        assert not places.size, [float(o[places[0]]) for o in operands]


REDUCTIONS = {
    name: lambda x, name=name: getattr(xp, name)(x, axis=1)
    for name in """sum mean prod max min var std cumulative_sum cumulative_prod sort diff median
    nansum nanmean nanmax nanmin nanprod nanvar nanstd nanmedian nancumsum nancumprod""".split()
}
REDUCTIONS |= {
    f"vector_norm {order}": lambda x, order=order: xp.linalg.vector_norm(x, axis=1, ord=order)
    for order in (0, 1, 2, 3, 0.5, -1, INF, -INF)
}
REDUCTIONS |= {
    f"special.{name}": lambda x, name=name: getattr(xp.special, name)(x, axis=1)
    for name in ("logsumexp", "softmax", "log_softmax")
}
REDUCTIONS |= {
    f"nn.{name}": lambda x, name=name: getattr(nn, name)(x, axis=1)
    for name in ("softmax", "log_softmax")
}
REDUCTIONS |= {
    "cumulative_sum with the initial one": lambda x: xp.cumulative_sum(
        x, axis=1, include_initial=True
    ),
    "var with a correction": lambda x: xp.var(x, axis=1, correction=1),
    "sort, descending": lambda x: xp.sort(x, axis=1, descending=True),
    "layer_norm": lambda x: nn.layer_norm(x, (3,)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REDUCTIONS)
def test_modes_of_reductions(name):
    """The Jacobians of all rows of three special values; products and NaN-aware variances have
    another one where their result is NaN."""
    f = REDUCTIONS[name]
    rows = np.asarray(list(itertools.product([NAN, INF, -INF, 0.0, 1.0, -2.0, 1e300], repeat=3)))
    x = xp.asarray(rows)
    out, pullback = vjp(f, x)
    values = out.numpy().reshape(len(rows), -1)
    shape = (*values.shape, 3)
    reverse, forward = np.zeros(shape), np.zeros(shape)
    for k in range(shape[1]):
        w = np.zeros(values.shape)
        w[:, k] = 1
        reverse[:, k] = pullback(xp.asarray(w.reshape(out.shape)))[0].numpy()
    for j in range(3):
        t = np.zeros(rows.shape)
        t[:, j] = 1
        forward[..., j] = jvp(f, (x,), (xp.asarray(t),))[1].numpy().reshape(values.shape)
    wrong = ~same(reverse, forward)
    if name in ("cumulative_prod", "nancumprod", "nanvar", "nanstd"):
        wrong &= ~np.isnan(values[..., None])
    row, *_ = [*np.argwhere(wrong), [None]][0]
    assert row is None, (rows[row], values[row], reverse[row], forward[row])


# ---- single values


@pytest.mark.parametrize("n", [2, 3000])
@pytest.mark.parametrize("name", ["max", "min"])
def test_an_extreme_that_is_nan_is_chosen(name, n):
    x = xp.ones(n)
    x[1] = NAN
    g = grad(getattr(xp, name))(x)
    assert g[1] == 1
    assert xp.sum(g) == 1
    assert jvp(getattr(xp, name), (x,), (xp.arange(float(n)),))[1] == 1
    x[0] = NAN
    assert grad(getattr(xp, name))(x)[0] == 0.5


@pytest.mark.parametrize("where", ["cpu", "strict:1"])
def test_nan_is_not_hidden_by_an_infinite_cotangent(where):
    for f, x in [(xp.sin, NAN), (xp.sin, INF), (xp.exp, NAN), (lambda x: x * NAN, 1.0)]:
        for n in (3, 3000):
            x_ = xp.full(n, x, device=where)
            w = xp.full(n, INF, device=where)
            with np.errstate(all="ignore"):
                assert xp.all(xp.isnan(vjp(f, x_)[1](w)[0]))
                assert xp.all(xp.isnan(jvp(f, (x_,), (w,))[1]))
                y = grad(lambda x, f=f: xp.sum(INF * f(x)))(x_)
            assert xp.all(xp.isnan(y))


@pytest.mark.parametrize("where", ["cpu", "strict:1", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_zero_times_infinity_counts_as_zero(where):
    x = xp.zeros(3, device=where)
    for f in (lambda x: xp.sqrt(x**2), lambda x: xp.where(x > 0, xp.sqrt(x), 0.0)):
        assert not xp.any(grad(lambda x, f=f: xp.sum(f(x)))(x))
        assert not xp.any(jvp(f, (x,), (x,))[1])
    w = xp.asarray([0.0, INF], device=where).requires_grad_()
    xp.exp(-w).backward(xp.asarray([INF, INF], device=where))
    assert (w.grad[0], w.grad[1]) == (-INF, 0.0)


@pytest.mark.parametrize("x", [INF, -INF])
def test_derivatives_at_infinity(x):
    x = xp.asarray(x)
    assert grad(xp.special.ellipk)(xp.asarray(-INF)) == 0
    assert grad(xp.special.ellipkm1)(xp.asarray(INF)) == 0
    for f in (
        lambda x: xp.atan2(x, 2.0),
        lambda x: xp.atan2(2.0, x),
        lambda x: xp.atan2(x, xp.asarray(INF)),
        lambda x: x**-2.0,
        lambda x: xp.asarray(0.5) ** xp.abs(x),
        lambda x: xp.abs(x) ** xp.asarray(-2.0),
    ):
        assert grad(f)(x) == jvp(f, (x,), (xp.asarray(1.0),))[1] == 0
    assert autodiff.jacobian(lambda n: xp.asarray(3.0) ** n)(xp.asarray(-INF)) == 0
