"""Runs of loops that write over operands, are made again in part, or join arrays."""

import tracemalloc

import numpy as np
import pytest
from compile.support import bits, check, copy, normal, programs

import arraygrad as xp
from arraygrad import autodiff, nn
from arraygrad._compile.passes import blocks, loops

N = 60_000  # elements of an array that is computed in several blocks


@pytest.fixture(params=["as it is", "small blocks"])
def size(request, monkeypatch):
    if request.param == "small blocks":
        monkeypatch.setattr(blocks, "MIN_BYTES", 0)
        monkeypatch.setattr(loops, "BLOCK_BYTES", 64)
        return 700
    return N


def product(x, w):
    return xp.tanh(x @ w) * 2.0 - 1.0


def test_a_result_has_the_memory_of_an_operand(size):
    x, w = normal(size // 100, 100), normal(100, 100, seed=1)
    compiled = check(product, (x, w), (x + 1.0, w))
    (entry,) = programs(compiled)
    if loops._native is not None and size == N:
        assert ".dot(" in entry.text.whole()
        tracemalloc.start()
        try:
            compiled(x, w)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1.5 * 8 * size


@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_a_block_with_an_error_is_made_again(size, place):
    def f(x, w):
        y = x @ w
        return xp.log(y * y) + 1.0 / (y + 2.0), y

    def only(x, w):
        return f(x, w)[0]

    x, w = normal(size // 100, 100), np.eye(100)
    w = xp.asarray(w)
    for g in (f, only):
        compiled = xp.compile(g)
        compiled(x, w)
        bad = copy(x)
        bad[int(place * (x.shape[0] - 1)), 7] = 0.0
        with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
            got = compiled(bad, w)
        with np.errstate(all="ignore"):
            want = g(bad, w)
            assert bits(got) == bits(want) == bits(compiled(bad, w))
        with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
            compiled(bad, w)
        assert bits(compiled(x, w)) == bits(g(x, w))


def test_donated_memory_is_intact_after_an_error(size):
    f = xp.compile(lambda x: xp.log(x * x) * 2.0 - 1.0, donate_argnums=0)
    x = normal(size)
    want = bits(xp.log(x * x) * 2.0 - 1.0)
    for _ in range(3):
        assert bits(f(copy(x))) == want
    x[size // 2] = 0.0
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        got = f(copy(x))
    with np.errstate(all="ignore"):
        assert bits(got) == bits(xp.log(x * x) * 2.0 - 1.0)


def test_two_results_take_two_operands(size):
    def f(x, w):
        a, b = x @ w, x @ (w + 1.0)
        return a * b + 1.0, a - b * 2.0, xp.sum(a)

    check(f, (normal(size // 50, 50), normal(50, 50, seed=1)))


def test_views_of_an_operand_that_is_written_over(size):
    def f(x, w):
        a = x @ w
        return a[:, ::-1] + a, a[:, 1:] * a[:, :-1] - 1.0

    def other(x, w):
        a = x @ w
        b = xp.reshape(a, (-1, 25, 2))
        return xp.tanh(a) * 2.0, xp.exp(-b * b)

    for g in (f, other):
        check(g, (normal(size // 50, 50), normal(50, 50, seed=1)))


def test_masks_in_runs(size):
    def f(x, scale):
        total = xp.zeros(3)
        total += 1.0
        gradient = autodiff.grad(lambda x: xp.sum(xp.sqrt(x) * scale))(x)
        scale += 0.0  # (a write outside: the program masks NaN itself)
        return gradient * 2.0 + 1.0, total

    x, scale = normal(size) ** 2, normal(size, seed=1)
    other, zero = copy(x), copy(scale)
    other[size // 2] = zero[size // 2] = 0.0
    with np.errstate(all="ignore"):
        check(f, (x, scale), (other, zero), (x, scale), (other, scale))
        check(f, (x[:5], scale[:5]), (other[-size // 2 :][:5], zero[-size // 2 :][:5]))


def test_a_result_of_a_mask_and_what_it_is_of():
    def f(x, y):
        y += 1.0
        gradient = autodiff.grad(lambda x: xp.sum(xp.sqrt(x) * y))(x)
        return gradient, gradient * 2.0, y * 1.0

    x, y = normal(4) ** 2, normal(4, seed=1)
    zero, minus = copy(x), copy(y)
    zero[1], minus[1] = 0.0, -1.0
    with np.errstate(all="ignore"):
        check(f, (x, y), (zero, minus), (x, y))


@pytest.mark.parametrize("n", [1, 3, 40])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64", "bool"])
def test_joined_and_reshaped_arrays(n, dtype):
    def f(x):
        parts = [x, xp.flip(x, axis=0), x[:, :1]]
        joined = xp.concat(parts[:2], axis=0), xp.concat(parts, axis=1), xp.concat(parts, axis=None)
        stacked = [xp.stack([x, x], axis=i) for i in (0, 1, 2, -1)]
        turned = xp.reshape(x.T, (-1,)), xp.reshape(xp.permute_dims(x, (1, 0)), (n, 2, 2))
        return *joined, *stacked, *turned

    x = xp.astype(normal(4, n) * 3.0, getattr(xp, dtype))
    check(f, (x,), (xp.flip(x, axis=0),))


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.0, 3])
@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_powers(exponent, dtype):
    def f(x):
        y = x**exponent
        return y * 2.0, xp.sum(y + x)

    for shape in ((), (1,), (3,), (4, 5), (300, 70)):
        x = normal(*shape, dtype=dtype)
        with np.errstate(all="ignore"):
            check(f, (x,), (-x,), (x * 0.0,), (xp.abs(x) * xp.inf,), (x.T,))


@pytest.mark.parametrize("shape", [(5,), (1, 5), (7, 5), (2, 3, 5)])
def test_a_linear_layer(shape):
    layer = nn.Linear(5, 4)

    def f(x):
        return xp.tanh(layer(x)) * 2.0

    check(lambda x: f(x).detach(), (normal(*shape),))
    slope = autodiff.grad(lambda x: xp.sum(f(x)))
    check(lambda x: slope(x).detach(), (normal(*shape),))
