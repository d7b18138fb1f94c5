"""Large arrays: runs of elementwise calls in blocks, and memory that is used again."""

import threading

import numpy as np
import pytest
from compile.support import bits, check, copy, normal, programs

import arraygrad as xp
from arraygrad import autodiff

N = 1 << 20


def chain(x):
    e = xp.exp(x - xp.max(x))
    return xp.sum(xp.tanh(e) * xp.sin(x) + xp.log1p(e) / (1 + x * x))


def blocks(compiled):
    return [c for e in programs(compiled) for c in e.program.calls if c.name == "blocks"]


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_a_chain_and_its_gradient(dtype):
    x, y = normal(N, dtype=dtype), normal(N, seed=1, dtype=dtype)
    compiled = check(autodiff.value_and_grad(chain), (x,), (y,))
    assert blocks(compiled)
    for value in (np.nan, np.inf, 0.0):
        y[::1000] = value
        with np.errstate(all="ignore"):
            assert bits(compiled(y)) == bits(autodiff.value_and_grad(chain)(y))


def test_rows_columns_and_other_orders_of_axes():
    x = normal(1024, 1024)
    row, column = normal(1024, seed=1), normal(1024, 1, seed=2)

    def f(x, row, column):
        return xp.sum(xp.exp(x * row) * column + xp.where(x > row, x, column) ** 2)

    for args in ((x, row, column), (x.T, row, column), (x[:, ::-1], row, column)):
        check(autodiff.value_and_grad(f, (0, 1, 2)), args, args)


def test_matrix_products_are_not_part_of_a_run():
    x, y = normal(1024, 1024), normal(1024, 1024, seed=1)
    check(lambda x, y: (x + y) @ y - x, (x, y), (y, x))
    check(autodiff.grad(lambda x, y: xp.sum(xp.tanh(x @ y) ** 2), (0, 1)), (x, y), (y, x))


def test_a_value_that_is_used_before_and_after_a_write():
    def f(x):
        y = x * 2
        s = xp.sum(y)
        z = xp.sin(y)
        y += z
        t = xp.cumulative_sum(y)
        y *= s
        return s, t, y, z

    check(f, (normal(N),), (normal(N, seed=1),))


def test_memory_of_an_argument_is_not_used():
    x = normal(N)
    compiled = xp.compile(lambda x: xp.sin(x) + x * x - x)
    before = bits(x)
    for _ in range(2):
        compiled(x)
    assert bits(x) == before


def test_results_of_a_run_are_new():
    compiled = xp.compile(lambda x: (x * 2 + 1, x * 2))
    x = normal(N)
    a, b = compiled(x)
    c, d = compiled(x)
    assert len({t.numpy().ctypes.data for t in (a, b, c, d)}) == 4
    a += 1
    assert bits(c) == bits(x * 2 + 1)


def test_a_run_that_raises():
    compiled = xp.compile(lambda x: xp.log(x) * 2 + x)
    x = normal(N) ** 2 + 1
    compiled(x)
    x[N // 2] = 0.0
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        compiled(x)


def test_threads_record_and_run_at_once():
    def f(x, y):
        return autodiff.value_and_grad(lambda x: xp.sum(xp.sin(x) * y))(x)

    compiled = xp.compile(f)
    args = [(normal(n, seed=n), normal(n, seed=n + 1)) for n in (3, 5, 7, 9)] * 3
    want = [bits(f(*a)) for a in args]
    got = [None] * len(args)
    barrier = threading.Barrier(len(args))

    def run(i):
        barrier.wait()
        for _ in range(20):
            got[i] = bits(compiled(*(copy(x) for x in args[i])))
            assert got[i] == want[i]

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(args))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert got == want
