"""Operators may write into operands that nobody else has, and into no others.

What is not compiled never does; then these tests show that nothing else changes.
"""

import contextlib
import ctypes
import functools
import itertools
import operator
import sys
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arraygrad as xp
from arraygrad import _dispatch
from arraygrad.autodiff import custom_vjp, grad, value_and_grad

N = 70_000  # more than the least that is looked at
RNG = np.random.default_rng(0)
A, B, C = (RNG.uniform(0.5, 2.0, N) for _ in range(3))
a, b, c = (xp.asarray(x) for x in (A, B, C))


def same(x, expected):
    np.testing.assert_array_equal(np.asarray(x), expected, strict=True)


def peak(run):
    """How many arrays of N float64 numbers are in memory at most, above those before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        run()
        return round((tracemalloc.get_traced_memory()[1] - before) / A.nbytes)
    finally:
        tracemalloc.stop()


# Where NumPy finds the interpreter's loop, so do we.
REUSES = not _dispatch.__file__.endswith(".py") and peak(lambda: (A + B) * C) == 1

CHAINS = {
    "(a + b) * c": lambda a, b, c: (a + b) * c,
    "c * (a + b)": lambda a, b, c: c * (a + b),
    "(a + b) - c": lambda a, b, c: (a + b) - c,
    "(a - b) / 2": lambda a, b, c: (a - b) / 2,
    "(a - b) / 3.5": lambda a, b, c: (a - b) / 3.5,
    "(a * b) ** 2": lambda a, b, c: (a * b) ** 2,
    "(a * b) ** c": lambda a, b, c: (a * b) ** c,
    "2.0 + c * (a + b) / 4 - 1": lambda a, b, c: 2.0 + c * (a + b) / 4 - 1,
    "of one number": lambda a, b, c: (a + b) * c[0],
}


@pytest.mark.parametrize("name", CHAINS)
def test_one_array_serves_a_chain(name):
    run = CHAINS[name]
    same(run(a, b, c), run(A, B, C))
    if REUSES:
        assert peak(lambda: run(a, b, c)) == 1


@pytest.mark.skipif(not REUSES, reason="not compiled, or NumPy does not, either")
def test_it_is_seen_under_a_tracer():
    calls = []
    sys.settrace(lambda *_: calls.append(1))
    try:
        kept = peak(lambda: (a + b) * c)
    finally:
        sys.settrace(None)
    assert calls
    assert kept == 1


@pytest.mark.parametrize(
    "run",
    [
        lambda a, b: (a + b) < 2,
        lambda a, b: (a + b) // 2,
        lambda a, b: 2 - (a + b),
        lambda a, b: a - (a + b),
        lambda a, b: 2 / (a + b),
        lambda a, b: 2 ** (a + b),
        lambda a, b: (a + b) * 1j,
        lambda a, b: (a + b) * True,
        lambda a, b: (a + b) * b[:, None][:2],
        lambda a, b: (a + b) % 2,
    ],
)
def test_what_does_not_fit_gets_memory_of_its_own(run):
    same(run(a, b), run(A, B))


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "float32", "complex64", "complex128"])
def test_dtypes(dtype):
    with np.errstate(over="ignore"):
        x, y = (A * 9).astype(dtype), (B * 9).astype(dtype)
    t, u = xp.asarray(x), xp.asarray(y)
    if dtype == "bool":
        same((t & u) | t, (x & y) | x)
    else:
        same((t + u) * t, (x + y) * x)
        same((t * u) * 2, (x * y) * 2)
    if dtype[0] != "b":
        same((t * u) / xp.asarray(B), (x * y) / B)
    if dtype == "float32":
        same((t + u) * xp.asarray(B), (x + y) * B)
        with np.errstate(over="ignore"):
            same((t + u) * 1e30 * 1e30, (x + y) * np.inf)


def test_shapes():
    x, y = A.reshape(-1, 7), B.reshape(-1, 7)
    t, u = xp.asarray(x), xp.asarray(y)
    same((t + u) * t[:1], (x + y) * x[:1])
    same((t + u) - t[0], (x + y) - x[0])
    same(t[:, :1] * (t + u), x[:, :1] * (x + y))
    same((t + u) * xp.asarray(2.0), (x + y) * 2.0)
    same((t + u)[:, :1] * t, (x + y)[:, :1] * x)
    column, cube = (c * c)[:, None], (C * C)[:, None]
    same((column + column) * xp.asarray([1.0, 2.0]), (cube + cube) * np.asarray([1.0, 2.0]))


# ---- who may still have it


def expected():
    return A + B


@pytest.mark.parametrize(
    "hold",
    [
        lambda kept: kept.append,
        lambda kept: lambda x: kept.append(x[1:]) or x,
        lambda kept: lambda x: kept.append(np.asarray(x)) or x,
        lambda kept: lambda x: kept.append(memoryview(x.numpy())) or x,
        lambda kept: lambda x: kept.append(np.from_dlpack(x)) or x,
        lambda kept: lambda x: kept.append(xp.reshape(x, (-1, 7))) or x,
        lambda kept: lambda x: kept.append(iter(x)) or x,
    ],
)
def test_what_somebody_holds_stays(hold):
    kept = []
    keep = hold(kept)

    def through(x):
        keep(x)
        return x

    same(through(a + b) * 2, expected() * 2)
    (left,) = kept
    if hasattr(left, "__next__"):
        assert float(next(left)) == expected()[0]
    else:
        whole = np.asarray(left).reshape(-1)
        same(whole, expected()[-whole.size :])


def test_variables_stay():
    t = a + b
    same(t * 2, expected() * 2)
    same(t, expected())
    same((u := a + b) * 2 + u, expected() * 2 + expected())
    same(u, expected())

    def default(x=a + b):
        return x * 2

    for _ in range(2):
        same(default(), expected() * 2)
    (doubled,) = [x * 2 for x in (a + b,)]
    same(doubled, expected() * 2)
    made = (x for x in [a + b])
    same(next(made) * 2, expected() * 2)

    class Has:
        slot = a + b

    same(Has.slot * 2, expected() * 2)
    same(Has.slot, expected())
    same((lambda x: x * 2 + x)(a + b), expected() * 3)
    d = {"x": a + b}
    same(d["x"] * 2, expected() * 2)
    same(d["x"], expected())


def test_code_in_c_may_need_it_again():
    times = functools.partial(operator.mul, a + b)
    for factor in (2.0, 3.0):
        same(times(factor), expected() * factor)
    # the elements of arrays of objects, for which NumPy calls the operator
    objects = np.empty(1, dtype=object)
    objects[0] = a + b
    for factor in (2.0, 3.0):
        same((objects * factor)[0], expected() * factor)
        same((objects + objects)[0], expected() * 2)
    same(objects[0], expected())
    table = [a + b]
    same(next(map(operator.mul, table, [2.0])), expected() * 2)
    same(next(itertools.starmap(operator.mul, [(table[0], 2.0)])), expected() * 2)
    same(table[0], expected())
    totals = list(itertools.accumulate([a + b, c, c], operator.mul))
    same(totals[0], expected())
    same(totals[2], expected() * C * C)
    totals = list(itertools.accumulate([a + b, c, c]))
    same(totals[1], expected() + C)
    same(functools.reduce(operator.add, [a + b, c, c]), expected() + C + C)
    same(sum([a + b, c, c]), 0 + expected() + C + C)
    bound = (a + b).__mul__
    for factor in (2.0, 3.0):
        same(bound(factor), expected() * factor)
    multiply = ctypes.pythonapi.PyNumber_Multiply
    multiply.restype, multiply.argtypes = ctypes.py_object, [ctypes.py_object] * 2
    same(multiply(a + b, 2.0), expected() * 2)


class Twice:
    """Whose operators, called by the loop, use their operand more than once."""

    def __rmul__(self, x):
        return x * 2 + x * 3

    def __radd__(self, x):
        return functools.partial(operator.mul, x)

    __array_ufunc__ = None


def test_others_operators_may_need_it_again():
    same((a + b) * Twice(), expected() * 2 + expected() * 3)
    times = (a + b) + Twice()
    for factor in (2.0, 3.0):
        same(times(factor), expected() * factor)


def test_memory_of_others_stays():
    X = A + B
    for lent in (xp.asarray(X, copy=False), xp.from_dlpack(X)):
        same(lent * 2, X * 2)
    same(xp.asarray(X, copy=False) * 2, expected() * 2)
    same(xp.from_dlpack(X) * 2, expected() * 2)
    same(X, expected())
    same(xp.asarray(memoryview(X)) * 2, expected() * 2)
    same(X, expected())
    fixed = np.broadcast_to(np.float64(3.0), (N,))
    same(xp.asarray(fixed, copy=False) * 2, np.full(N, 6.0))
    every = np.ones(2 * N)[::2]
    lent = [xp.asarray(every.flat.__array__(), copy=False)]  # copied to `every` once it goes
    same(lent.pop() + 1, np.full(N, 2.0))
    same(every, np.ones(N))
    X.flags.writeable = False
    lent = [xp.asarray(X, copy=False)]
    del X
    same(lent.pop() * 2, expected() * 2)


def test_weak_references_see_the_operand_go():
    x = a + b
    alive = weakref.ref(x)
    box = [x]
    del x
    y = box.pop() * 2
    same(y, expected() * 2)
    assert alive() is None or alive() is y


def test_errors_name_the_operator():
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="multiply"):
        (a + b) * 1e300 * 1e300
    with pytest.raises(TypeError, match="unsupported operand"):
        (a + b) * {}
    with pytest.raises(ValueError, match="add"):
        (a + b) + xp.ones(3)


def test_strict_mode_checks():
    with xp.strict(), pytest.raises(TypeError):
        (a + b) * xp.ones(N, dtype=xp.int64)


# ---- gradients


def test_what_a_graph_keeps_stays():
    def f(x):
        plain = a + b
        return xp.sum((plain * 2) * x * (x + plain) / 2 + (x * x) * x - 1 / x)

    value, slope = value_and_grad(f)(c)
    P = A + B
    np.testing.assert_allclose(value, np.sum(P * C * (C + P) + C**3 - 1 / C))
    np.testing.assert_allclose(slope, P * (2 * C + P) + 3 * C**2 + C**-2)
    second = grad(lambda x: xp.sum(grad(f)(x) * (a + b) * 2))(c)
    np.testing.assert_allclose(second, (2 * P + 6 * C - 2 * C**-3) * P * 2)


def test_operands_of_a_custom_rule_stay():
    @custom_vjp
    def triple(x):
        return (x + 0) * 3

    triple.defvjp(lambda x: (triple(x), (x + 0,)), lambda kept, g: ((g * 3) * (kept[0] * 0 + 1),))
    same(grad(lambda x: xp.sum(triple(x) * (a + b)))(c), (A + B) * 3)


LEAVES = ["a", "b", "t", "1.5", "2", "(a + b)", "a[0]"]


def expressions():
    joined = st.tuples(st.deferred(expressions), st.sampled_from("+-*/"), st.deferred(expressions))
    return st.one_of(
        st.sampled_from(LEAVES),
        joined.map(lambda parts: f"({' '.join(parts)})"),
        st.deferred(expressions).map(lambda x: f"({x}) ** 2"),
        st.deferred(expressions).map(lambda x: f"(u := {x} + a)"),
        st.deferred(expressions).map(lambda x: f"keep({x} * b)"),
    )


@given(st.lists(expressions(), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_expression(lines):
    """The same bits as NumPy's, in the result and in all that was given a name."""
    found = []
    for x, y, z in ((a, b, c), (A, B, C)):
        kept = []

        def keep(x, kept=kept):
            kept.append(x)
            return x

        names = {"a": x, "b": y, "t": z * 2, "keep": keep, "u": y}
        with np.errstate(all="ignore"), contextlib.suppress(ZeroDivisionError, OverflowError):
            for line in lines:
                names["t"] = eval(line, names)
        found.append([np.asarray(names[n]) for n in "abtu"] + [np.asarray(k) for k in kept])
    ours, numpys = found
    assert len(ours) == len(numpys)
    for one, other in zip(ours, numpys, strict=True):
        np.testing.assert_array_equal(one, other)
