"""`reassociate`: sums and products in another order."""

import math
import pickle

import numpy as np
import optree
import pytest
from compile.support import bits, copy, normal, programs
from hypothesis import given
from hypothesis import strategies as st

import arraygrad as xp
from arraygrad import autodiff


def names(compiled):
    return [c.name for e in programs(compiled) for c in e.plain.calls]


def numbers(compiled):
    """The numbers among the arguments of all calls."""
    calls = [c for e in programs(compiled) for c in e.plain.calls]
    return [x for c in calls for x in c.args if type(x) in (int, float)]


def agree(f, *args, tolerance=None):
    """Compile `f`; return it, and check its results against the eager ones."""
    compiled = xp.compile(f, reassociate=True)
    for _ in range(3):
        found, wanted = compiled(*map(copy, args)), f(*map(copy, args))
        for x, y in zip(optree.tree_leaves(found), optree.tree_leaves(wanted), strict=True):
            assert x.dtype == y.dtype
            eps = float(xp.finfo(x.dtype).eps)
            np.testing.assert_allclose(
                x.numpy(), y.numpy(), rtol=tolerance or 20 * eps, atol=20 * eps
            )
    return compiled


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64, xp.float16])
@pytest.mark.parametrize("n", [0, 3, 3000])
def test_numbers_are_put_together(dtype, n):
    x = normal(n, dtype=dtype)
    f = agree(lambda x: 2 * x * 3 / 4 * 0.5, x)
    assert names(f) == ["multiply"]
    assert numbers(f) == [0.75]
    f = agree(lambda x: 1.5 + x - 0.25 + 2, x)
    assert names(f) == ["add"]
    assert numbers(f) == [3.25]


def test_divisions_become_products():
    f = agree(lambda x: x / 3, normal(5))
    assert names(f) == ["multiply"]
    assert numbers(f) == [1 / 3]


@pytest.mark.parametrize("f", [
    lambda x: x[::2] - 0,
    lambda x: x[::2] - 0 - 0,
    lambda x: x[::2] - 0 + 0,
    lambda x: x - 1 + 1,
])  # fmt: skip
def test_zeros_keep_their_signs(f):
    x = xp.asarray([-0.0, -0.0, 0.0, 0.0])
    compiled = xp.compile(f, reassociate=True)
    assert bits(compiled(x)) == bits(compiled(x)) == bits(f(x))


def test_without_the_option_nothing_changes():
    def f(x):
        return x * 3 * 0.1 / 7 + 1e16 - 1e16

    x = normal(100)
    compiled = xp.compile(f)
    assert bits(compiled(x)) == bits(compiled(x)) == bits(f(x))
    assert len(names(compiled)) == 5


@pytest.mark.parametrize("f", [
    lambda x: x / 0.0,
    lambda x: x * 1e-200 * 1e-200,
    lambda x: x * 1e200 * 1e200,
    lambda x: x * math.inf,
    lambda x: x + math.inf - math.inf,
    lambda x: x / 1e-320,
    lambda x: 2 - x,
    lambda x: 2 / x,
    lambda x: x * math.nan,
])  # fmt: skip
def test_numbers_that_could_overflow_are_left(f):
    x = xp.asarray([-0.0, 0.0, 1.0, -1e300, 1e300, math.inf, -math.inf, math.nan])
    compiled = xp.compile(f, reassociate=True)
    for _ in range(2):
        with np.errstate(all="ignore"):
            assert bits(compiled(x)) == bits(f(x))


def test_products_of_the_smallest_numbers_do_not_vanish():
    x = xp.asarray([1e200], dtype=xp.float64)
    f = xp.compile(lambda x: x * 1e-29 * 1e-29, reassociate=True)
    assert float(f(x)[0]) > 0
    assert float(f(x)[0]) == pytest.approx(1e142)


def test_a_value_that_is_written_between_is_left():
    def f(x):
        y = x * 2
        z = y * 3
        y += 1
        return z * 5, y * 3

    agree(f, normal(5))


def test_a_number_between_integers_stays():
    f = xp.compile(lambda x: x * 2 * 3 + 1, reassociate=True)
    x = xp.asarray([1, 2, 3])
    assert bits(f(x)) == bits(f(x)) == bits(x * 6 + 1)


@pytest.mark.parametrize("shape", [(600, 1000), (1000, 3, 300), (2, 300_000)])
@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
@pytest.mark.parametrize("reduction", [xp.sum, xp.mean])
def test_large_arrays_are_summed_by_rows(shape, dtype, reduction):
    f = agree(lambda x: reduction(xp.tanh(x) * x), normal(*shape, dtype=dtype), tolerance=1e-4)
    assert names(f).count(reduction.__name__) == 2


def test_the_sum_of_rows_is_part_of_a_run():
    f = agree(lambda x: xp.sum(xp.exp(x) * x), normal(3000, 200), tolerance=1e-12)
    inner = [c.function.program.calls for e in programs(f) for c in e.program.calls
             if c.name == "blocks"]  # fmt: skip
    assert [c.name for calls in inner for c in calls] == ["exp", "multiply", "sum"]


def test_transposed_arrays_and_vectors_are_summed_as_they_are():
    for x in (normal(600, 1000).T, normal(600_000), normal(1, 600_000), normal(600_000, 1)):
        f = agree(lambda x: xp.sum(x), x, tolerance=1e-12)
        assert names(f) == ["sum"]


def test_derivatives_are_regrouped():
    def loss(x):
        return xp.mean((xp.tanh(x * 2 * 3) / 7) ** 2) / 3

    x = normal(600, 1000)
    agree(autodiff.value_and_grad(loss), x, tolerance=1e-10)
    compiled = xp.compile(loss, reassociate=True)
    want = autodiff.grad(loss)(x)
    for _ in range(3):
        found = autodiff.grad(compiled)(x)
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-10)


def test_the_option_is_kept_by_copies_and_methods():
    class Scaled:
        @xp.compile(reassociate=True)
        def call(self, x):
            return x * 2 * 3

    for f in (Scaled().call, pickle.loads(pickle.dumps(_scaled))):
        assert bits(f(normal(3))) == bits(f(normal(3)))
        assert len(names(f)) == 1
    donating = xp.compile(lambda x: x * 2 * 3, donate_argnums=0, reassociate=True)
    assert bits(donating(normal(3))) == bits(donating(normal(3)))
    assert len(names(donating)) == 1


@xp.compile(reassociate=True)
def _scaled(x):
    return x * 2 * 3


def test_it_must_be_a_bool():
    with pytest.raises(TypeError, match="compile: reassociate must be True or False; got 1"):
        xp.compile(lambda x: x, reassociate=1)


STEPS = st.sampled_from(["add", "subtract", "multiply", "divide", "negate", "reverse", "rsub"])


@given(
    st.lists(st.tuples(STEPS, st.floats(0.25, 4) | st.integers(1, 5)), min_size=1, max_size=8),
    st.sampled_from([xp.float32, xp.float64]),
)
def test_random_chains(steps, dtype):
    def f(x):
        first = x
        for name, c in steps:
            x = {
                "add": lambda x, c: x + c,
                "subtract": lambda x, c: x - c,
                "multiply": lambda x, c: x * c,
                "divide": lambda x, c: x / c,
                "negate": lambda x, _: -x,
                "reverse": lambda x, _: x[::-1] + first,
                "rsub": lambda x, c: c - x,
            }[name](x, c)
        return x

    x = xp.asarray([0.5, 1.0, 2.0, -3.0], dtype=dtype)
    want = f(x).numpy()
    compiled = xp.compile(f, reassociate=True)
    size = 4.0 ** len(steps) * 12  # of the largest intermediate result
    for _ in range(2):
        found = compiled(x).numpy()
        assert np.abs(found - want).max() <= size * 8 * float(xp.finfo(dtype).eps)
