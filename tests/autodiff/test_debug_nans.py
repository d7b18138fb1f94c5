"""Errors at the first NaN: which operation they name, and that nothing is left behind."""

import asyncio
import re
import threading
import warnings

import numpy as np
import pytest

import arraygrad
from arraygrad import data, nn, optim
from arraygrad.autodiff import (
    checkpoint,
    custom_jvp,
    custom_vjp,
    debug_nans,
    grad,
    jvp,
    no_grad,
    value_and_grad,
    variable,
    vjp,
)

NAN, INF = float("nan"), float("inf")
FILE = re.escape(f'File "{__file__}", line ')


@pytest.fixture(autouse=True)
def _as_before():
    yield
    assert arraygrad._modes.get_mode() is None


def fails(match, f, *args):
    """`f` raises, and says so."""
    with debug_nans(), pytest.raises(FloatingPointError, match=match):
        f(*args)


# ---- the operation that makes NaN


def test_values_in_both_styles(xp):
    x = xp.asarray([[1.0, -1.0, 2.0], [1.0, 2.0, -2.0]])
    words = (
        r"^log: the result is NaN at 2 of 6 elements, the first at index \(0, 1\), and no operand "
        r"is; got \w+\(shape=\(2, 3\), dtype=float64\)$"
    )
    fails(words, grad(lambda x: xp.sum(xp.log(x) * 2)), x)
    fails(words, lambda: xp.sum(xp.log(1 * variable(x))).backward())
    fails(words, xp.log, x)


def added(y, *others):
    for other in others:
        y += arraygrad.asarray(other)
    return y


def written(xp, x):
    y = xp.zeros(3)
    y[1:] = xp.log(x - 0.5)
    return y


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("divide", lambda xp, x: (x - x) / (x - x)),
        ("subtract", lambda xp, x: (x + INF) - (x + INF)),
        ("multiply", lambda xp, x: x * INF),
        ("pow", lambda xp, x: (x - 1.0) ** 0.5),
        ("sqrt", lambda xp, x: xp.sqrt(x - 1.0)),
        ("sum", lambda xp, x: xp.sum(xp.asarray([INF, -INF]) + x)),
        ("matmul", lambda xp, x: (x + INF) @ x),
        ("remainder", lambda xp, x: xp.asarray(1.0) % x),
        ("(add|__iadd__)", lambda xp, x: added(x * 1.0, [INF, 1.0], [-INF, 1.0])),
        ("log", lambda xp, x: xp.where(x > 0.5, xp.log(x - 0.5), 0.0)),
        ("log", written),
        (r"fft\.fft", lambda xp, x: xp.abs(xp.fft.fft(x + INF))),
        (r"special\.ndtri", lambda xp, x: xp.special.ndtri(x - 5.0)),
    ],
)
def test_names_of_operations(name, f):
    xp = arraygrad
    x = xp.asarray([0.0, 1.0])
    words = f"^{name}: the result is NaN"
    fails(words, vjp, lambda x: f(xp, x), x)
    fails(words, jvp, lambda x: f(xp, x), (x,), (x,))
    fails(words, f, xp, x)


def test_complex_numbers(xp):
    z = xp.asarray([1j, 0j])
    fails(r"^divide: .* at 1 of 2 .* index \(1,\)", vjp, lambda z: z / z, z)
    fails("^multiply: the result is NaN,", grad(lambda x: xp.real(x * (INF + 1j))), xp.asarray(0.0))


def test_plain_writes_in_place(xp):
    x, y = xp.asarray([INF, 1.0]), xp.asarray([INF, 1.0])

    def subtract(x):
        x -= y

    fails("^__isub__: the result is NaN at 1 of 2 elements", subtract, x)
    w = variable(y)
    with no_grad():
        fails("^__isub__: the result is NaN at 1 of 2 elements", subtract, w)
    with debug_nans():
        x[...] = NAN  # is no result, and nor are these of any
        x[0] = 1.0
        x += x
        assert xp.astype(x > 0, xp.int64).tolist() == [1, 0]


def test_ints_have_no_nan_but_give_some(xp):
    i = xp.asarray([0, 1])
    with debug_nans():
        assert (i + i).tolist() == [0, 2]
        assert bool(xp.all(xp.asarray([True])))
    if "strict" not in str(i.device):  # whose functions take no ints
        fails("^divide: ", lambda: i / i)


# ---- rules


def spread(x):
    """Its gradient at 0 is infinity times 0, in a sum."""
    y = arraygrad.asarray([[1.0, 0.0], [0.0, 0.0]]) @ x
    return arraygrad.sum(arraygrad.sqrt(y))


MATMUL = (
    r"^matmul: the gradient with respect to operand 1 is NaN at 2 of 2 elements, "
    r"the first at index \(0,\), .*got \w+\(shape=\(2,\), dtype=float64\) for an operand of "
    r"shape \(2,\) and dtype float64; "
    rf"recorded at {FILE}\d+, in spread: y = arraygrad.asarray"
)


def test_the_rule_of_a_pass_backward(xp):
    x = xp.zeros(2)
    fails(MATMUL, grad(spread), x)
    fails(MATMUL, lambda: spread(variable(x)).backward())
    fails(MATMUL, lambda: spread(variable(x)).backward(create_graph=True))
    with debug_nans():
        _, pullback = vjp(spread, x)
        assert pullback(0.0)[0].tolist() == [0.0, 0.0]
        with pytest.raises(FloatingPointError, match=MATMUL):
            pullback(1.0)


def test_a_graph_from_outside(xp):
    loss = spread(variable(xp.zeros(2)))
    fails("^matmul: the gradient with respect to .* recorded outside of debug_nans$", loss.backward)


def test_cotangents_that_meet(xp):
    def f(x):
        y = x * 1.0
        return xp.sum(xp.sqrt(y) - xp.sqrt(y))

    words = r"the sum of the cotangents of its result is NaN at 1 of 2 .*\(inf - inf\)"
    fails(
        rf"^multiply: {words}; recorded at {FILE}\d+, in f: y = x \* 1.0$",
        grad(f),
        xp.zeros(2) + xp.asarray([0.0, 1.0]),
    )
    fails(
        rf"^leaf: {words}$",
        grad(lambda x: xp.sum(xp.sqrt(x) - xp.sqrt(x))),
        xp.asarray([0.0, 1.0]),
    )


def test_forward_mode(xp):
    def f(x):
        return xp.asarray([[1.0, 0.0], [0.0, 0.0]]) @ xp.sqrt(x)

    words = (
        r"^matmul: the tangent of the result is NaN at 1 of 2 elements, .*got \w+\(shape=\(2, 2\)"
    )
    x, t = xp.zeros(2), xp.asarray([1.0, 0.0])
    fails(words, jvp, f, (x,), (t,))
    fails(words, lambda: jvp(lambda x: jvp(f, (x,), (t,))[0], (x,), (t,)))


def test_second_order(xp):
    # y has a finite derivative at 0; the second is infinite, and 0 times that a NaN.
    def f(x):
        y = xp.asarray([[1.0, 0.0], [0.0, 0.0]]) @ x
        return xp.sum(xp.where(y > -1, y, 0.0) ** 1.5)

    x = xp.zeros(2)
    with debug_nans():
        assert grad(f)(x).tolist() == [0.0, 0.0]
    fails("^matmul: the gradient .* operand 1 is NaN", grad(lambda x: xp.sum(grad(f)(x))), x)
    fails("^matmul: the gradient .* operand 1 is NaN", lambda: jvp(grad(f), (x,), (x + 1,)))
    fails(
        "^matmul: the gradient with respect to operand 1 is NaN",
        grad(lambda x: xp.sum(jvp(f, (x,), (x + 1,))[1])),
        x,
    )

    def twice():
        v = variable(x)
        f(v).backward(create_graph=True)
        xp.sum(v.grad).backward()

    fails("^matmul: the gradient .* operand 1 is NaN", twice)


# ---- NaN that comes in


def test_nan_that_came_in_is_said_where_it_comes_out(xp):
    x, n = xp.asarray([1.0, 2.0]), xp.asarray([NAN, 1.0])
    came = "the result is NaN; no operation made it: the first NaN came in with"
    fails(rf"^grad: {came} argument 0$", grad(lambda x: xp.sum(x * 2)), n)
    fails(rf"^value_and_grad: {came} argument 1\['b'\]$",
          value_and_grad(lambda x, d: xp.sum(x * d["b"])), x, {"a": x, "b": n})  # fmt: skip
    fails(
        rf"^grad: {came} operand 1 of multiply, {FILE}\d+, in <lambda>: ",
        grad(lambda x: xp.sum(x * n)),
        x,
    )
    fails(
        rf"^backward: {came} operand 0 of multiply, {FILE}",
        lambda: xp.sum(variable(n) * x).backward(),
    )
    came = "the first NaN came in with"
    fails(f"^jvp: .* {came} argument 0$", jvp, xp.exp, (n,), (x,))
    fails(f"^multiply: the tangent|^jvp: .* {came} a tangent$", jvp, xp.exp, (x,), (n,))
    loss = xp.exp(variable(x))
    fails(f"^backward: a gradient is NaN at 1 of 2 .* {came} the cotangent", loss.backward, n)
    loss = xp.sum(variable(n))
    fails("^backward: the result is NaN; no operation made it inside of debug_nans$", loss.backward)


def test_nan_that_goes_out_again_is_no_fault(xp):
    n = xp.asarray([NAN, 1.0])
    with debug_nans():
        assert float(xp.nansum(n * 2)) == 2.0
        assert grad(xp.nansum)(n).tolist() == [0.0, 1.0]
        assert (
            grad(lambda x: xp.sum(xp.where(xp.isnan(n), 0.0, n * x)))(xp.asarray(2.0)).tolist()
            == 1.0
        )
        assert xp.isnan(n * 2 + xp.full((2,), NAN)).tolist() == [True, True]


# ---- functions with rules of their own, and such as run elsewhere


def test_custom_rules(xp):
    x = xp.asarray([0.0, 1.0])

    @custom_vjp
    def bad(x):
        return x

    bad.defvjp(lambda x: (x, x), lambda x, g: (g / x * x,))
    fails(
        rf"^bad: the gradient with respect to operand 0 is NaN at 1 of 2 .* recorded at {FILE}",
        grad(lambda x: xp.sum(bad(x))),
        x,
    )
    bad.defvjp(lambda x: (x, ()), lambda _, g: ((xp.eye(2) @ g) * INF,))
    fails("^bad: the tangent of the result is NaN at 2 of 2", jvp, bad, (x,), (x + 1,))
    bad.defvjp(lambda x: (xp.log(x - 0.5), x), lambda x, g: (g,))
    fails("^log: the result is NaN", grad(lambda x: xp.sum(bad(x))), x)

    @custom_jvp
    def worse(x):
        return x

    worse.defjvp(lambda primals, tangents: (primals[0], tangents[0] / primals[0] * primals[0]))
    words = "the result is NaN at 1 of 2"
    with np.errstate(divide="ignore"):
        fails(f"^multiply: {words}", jvp, worse, (x,), (x + 1,))  # its rule is code as any other
    worse.defjvp(lambda primals, tangents: (primals[0], (xp.eye(2) @ tangents[0]) * INF))
    fails("^worse: the gradient .* operand 0 is NaN", grad(lambda x: xp.sum(worse(x))), x)


def test_checkpoint(xp):
    fails(
        "^log: the result is NaN", grad(lambda x: xp.sum(checkpoint(xp.log)(x))), xp.asarray([-1.0])
    )
    x = xp.zeros(2)
    fails(MATMUL, grad(checkpoint(spread)), x)
    fails(MATMUL, lambda: checkpoint(spread)(variable(x)).backward())


def test_shards(xp):
    distributed = pytest.importorskip("arraygrad.distributed")

    def loss(w, x):
        return xp.mean(xp.log(w * x))

    step = distributed.value_and_grad(loss)
    w, x = xp.asarray(1.0), xp.asarray([1.0, 2.0, 3.0, -1.0])
    fails("^log: the result is NaN", step, w, distributed.shard(x, 2))
    with debug_nans():
        step(w, distributed.shard(xp.abs(x), 2))


# ---- the context


def test_what_is_healthy_is_left_alone(xp):
    rng = xp.random.default_rng(0)
    found = []
    for on in (False, True):
        rng = xp.random.default_rng(0)
        model = nn.Sequential(nn.Linear(3, 8, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng),
                              nn.Linear(8, 3, rng=rng))  # fmt: skip
        x, labels = rng.standard_normal((40, 3)), rng.integers(0, 3, size=(40,))
        optimiser = optim.Adam(model.parameters(), lr=0.05)
        with debug_nans(on):
            for _ in range(3):
                for a, b in data.DataLoader(x, labels, batch_size=10, shuffle=rng):
                    loss = nn.cross_entropy(model(a), b)
                    optimiser.zero_grad()
                    loss.backward()
                    optim.clip_grad_norm_(model.parameters(), 1.0)
                    optimiser.step()
        found.append([p.detach().numpy() for p in model.parameters()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_step_of_an_optimiser():
    xp = arraygrad
    w = variable(xp.ones(3))
    w.grad = xp.asarray([1.0, INF, 1.0])
    fails("^step: the result is NaN at 1 of 3 elements", optim.Adam([w]).step)


def test_nested_off_and_as_a_decorator():
    xp = arraygrad
    x = xp.asarray([-1.0])

    @debug_nans()
    def log():
        return xp.log(x)

    @debug_nans
    def bare(x):
        """A logarithm."""
        return xp.log(x)

    assert bare.__doc__ == "A logarithm."
    assert float(bare(-x)[0]) == 0.0
    with pytest.raises(FloatingPointError, match="log: the result is NaN"):
        bare(x)
    with debug_nans():
        with debug_nans():
            assert float(xp.exp(x)[0]) < 1
        with debug_nans(False), np.errstate(invalid="ignore"):
            assert np.isnan(float(xp.log(x)[0]))
        with pytest.raises(FloatingPointError):
            xp.log(x)
        with pytest.raises(FloatingPointError):
            xp.log(x)
    with pytest.raises(FloatingPointError):
        log()
    with pytest.raises(ZeroDivisionError), debug_nans():
        raise ZeroDivisionError
    with pytest.warns(RuntimeWarning, match="invalid value encountered in log"):
        xp.log(x)


def test_other_threads_and_tasks_are_not_watched():
    xp = arraygrad
    x, found = xp.asarray([-1.0]), []

    def log():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(grad(lambda x: xp.sum(xp.log(x)))(x))

    with debug_nans():
        thread = threading.Thread(target=log)
        thread.start()
        thread.join()
    assert found.pop().tolist() == [-1.0]

    async def watched(entered, done):
        with debug_nans():
            entered.set()
            await done.wait()
            with pytest.raises(FloatingPointError):
                xp.log(x)

    async def other(entered, done):
        await entered.wait()
        log()
        done.set()

    async def both():
        events = asyncio.Event(), asyncio.Event()
        await asyncio.gather(watched(*events), other(*events))

    asyncio.run(both())
    assert found.pop().tolist() == [-1.0]
