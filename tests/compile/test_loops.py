"""Runs of NumPy's loops: the same bits as NumPy's calls, and the same errors and warnings."""

import gc
import operator
import random
import signal
import threading
import time
import warnings

import numpy as np
import pytest
from compile.support import bits, check, copy, normal, programs

import arraygrad as xp
from arraygrad import autodiff
from arraygrad._backends.numpy import loops as native
from arraygrad._compile import _text
from arraygrad._compile.passes import _steps, blocks, loops

ELEMENTWISE = """abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1
    floor imag isfinite isinf isnan log log1p log2 log10 logical_not negative positive real
    reciprocal round sign signbit sin sinh square sqrt tan tanh trunc""".split()
BINARY = """add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor
    copysign divide equal floor_divide greater greater_equal hypot less less_equal logaddexp
    logical_and logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder
    subtract""".split()
REDUCTIONS = "sum mean max min any all count_nonzero".split()
DTYPES = """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64
    complex128""".split()
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 2.0]


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch):
    monkeypatch.setattr(loops, "MIN_CALLS", 1)


def runs(compiled):
    names = [c.name for e in programs(compiled) for c in e.program.calls]
    return names.count("loops") + names.count("blocks")


def has_run(compiled):
    """Return True if there is a run, where these are compiled."""
    return native is None or runs(compiled) > 0


def outcome(f, *args):
    """What a call returns or raises, and its warnings; the sign of a NaN is left to NumPy."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            result = [forms(x) for x in f(*args)]
        except (ArithmeticError, TypeError, ValueError, OverflowError) as error:
            result = type(error), str(error)
    return result, {(w.category, str(w.message)) for w in found}


def forms(x):
    x = x.numpy()
    whole = np.array(x, order="C")
    if x.dtype.kind in "fc":
        parts = whole.reshape(-1).view(whole.real.dtype)
        parts[parts != parts] = np.nan
    return x.shape, x.dtype, x.strides if x.size else None, whole.tobytes()


def compare(f, *args):
    """Call a function and its program, and return the compiled function."""
    compiled = xp.compile(f)
    want = outcome(f, *args)
    outcome(compiled, *args)
    assert outcome(compiled, *args) == want
    return compiled


def data(rng, shape, dtype, special=False):
    dtype, n = np.dtype(dtype), int(np.prod(shape))
    if dtype.kind in "fc":
        x = rng.normal(size=n) * 2
        if special:
            x = np.where(rng.random(n) < 0.5, rng.choice(SPECIAL, n), x)
        x = x + 1j * rng.normal(size=n) if dtype.kind == "c" else x
    else:
        x = rng.integers(0, 2 if dtype.kind == "b" else 9, n)
        x = x - 4 if dtype.kind == "i" else x
    return x.astype(dtype).reshape(shape)


def layouts(x):
    """Arrays with the same elements that lie in memory otherwise."""
    yield x
    yield np.asfortranarray(x)
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    apart = wide[tuple([slice(None, None, 2)] * x.ndim)]
    apart[...] = x
    yield apart
    yield np.ascontiguousarray(x[::-1])[::-1]
    unaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    yield unaligned
    fixed = x.copy()
    fixed.flags.writeable = False
    yield fixed


def one_of(rng, arrays):
    arrays = [*arrays]
    return arrays[rng.integers(len(arrays))]


def tensor(x):
    return xp.asarray(x, copy=False)


# ---- values


@pytest.mark.parametrize("dtype", DTYPES)
def test_elementwise_functions(dtype):
    rng = np.random.default_rng(0)
    for shape, special in (((), False), ((1,), True), ((3, 5), True), ((100,), True)):
        x, y = (tensor(data(rng, shape, dtype, special)) for _ in range(2))
        for name in ELEMENTWISE:
            f = getattr(xp, name)
            compare(lambda x, f=f: (f(x),), x)
        for name in BINARY:
            f = getattr(xp, name)
            compare(lambda x, y, f=f: (f(x, y),), x, y)
            compare(lambda x, y, f=f: (f(x, 2), f(x, 1.5)), x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int32"])
def test_orders_of_axes_and_gaps(dtype):
    rng = np.random.default_rng(1)

    def f(x, y, row, column):
        z = x * y + row
        return z, z - column, xp.sin(x) / y, xp.exp(z * 0.1), abs(x), x[::2] + y[1:, :1], z.T * 2

    operands = [data(rng, shape, dtype) for shape in ((3, 7), (3, 7), (7,), (3, 1))]
    for x in layouts(operands[0]):
        for y in layouts(operands[1]):
            row, column = (one_of(rng, layouts(v)) for v in operands[2:])
            assert has_run(compare(f, *map(tensor, (x, y, row, column))))


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    rng = np.random.default_rng(2)
    kinds = ("float32", "float64") if name in ("sum", "mean", "max", "min") else ("bool",)
    reduce = getattr(xp, name)
    for dtype in kinds:
        for shape in ((1,), (3,), (300,), (2, 33), (33, 2), (1, 5), (3, 4, 5), (2, 1, 17, 3)):
            axes = [None, *range(-len(shape), len(shape))]
            axes += [(0, len(shape) - 1)] if len(shape) > 1 else []
            axes += [(2, 0), (1, 2)] if len(shape) > 2 else []
            for values in (data(rng, shape, dtype), data(rng, shape, dtype, True)):
                for i, x in enumerate(layouts(values)):

                    def f(x, axes=axes, keepdims=i % 2 == 0):
                        return [reduce(x, axis=a, keepdims=keepdims) for a in axes]

                    compare(f, tensor(x))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("shape", [(2, 33), (33, 2), (2, 5, 3), (2, 2), (3, 2, 4)])
def test_extremes_of_zeros_have_the_sign_of_numpys(name, shape):
    rng = np.random.default_rng(3)
    reduce = getattr(xp, name)
    for _ in range(4):
        zeros = np.where(rng.random(shape) < 0.5, 0.0, -0.0)
        for x in layouts(zeros):
            axes = range(len(shape))
            check(lambda x: [x * 1.5, *[reduce(x * 1.5, axis=a) for a in axes]], (tensor(x),))


@pytest.mark.parametrize("dtype", DTYPES)
def test_assignments_and_copies(dtype):
    def f(x, y):
        z = x + x
        z[1:, ::2] = y[0, :1]
        z[0] = x[1] if x.dtype == xp.bool else 2
        z[...] = xp.asarray(z, copy=True)
        if z.dtype != xp.bool:
            z += y
            z[:, 1:] *= x[:, 1:]
        return z, xp.asarray(x.T, copy=True), z[1:]

    rng = np.random.default_rng(6)
    compare(f, *[tensor(data(rng, (3, 4), dtype)) for _ in range(2)])


def test_products():
    rng = np.random.default_rng(4)
    lengths = [1, 2, 3, 8, 33]
    for dtype in ("float32", "float64"):
        for _ in range(30):
            m, k, n = rng.choice(lengths, 3)
            a = one_of(rng, layouts(data(rng, (m, k), dtype)))
            b = one_of(rng, layouts(data(rng, (k, n), dtype)))

            def f(a, b):
                c = a + 1
                vector = b[:, 0]
                return (
                    a @ b, c @ b, a @ a.T, c @ c.T, c.T @ c, a @ vector, c[0] @ vector,
                    c[:, :1] @ b[:1], xp.broadcast_to(c[:1], c.shape) @ b, c[::-1] @ b,
                )  # fmt: skip

            assert has_run(compare(f, tensor(a), tensor(b)))


def test_products_of_arrays_that_share_memory():
    x, y = normal(6, 6), normal(6, 6, seed=1)
    f = xp.compile(lambda x, y: (x @ y, x + y, y - 1, xp.sum(x * y)))
    for a, b in ((x, y), (x, x.T), (x, x), (x[::-1], x), (y.T, y)):
        for _ in range(2):
            assert bits(f(a, b)) == bits((a @ b, a + b, b - 1, xp.sum(a * b)))


def test_solutions():
    def f(a, b):
        return a * 2, xp.linalg.solve(a * 2, b), xp.linalg.solve(a.T + 1, b[..., :1]) + 1

    a, b = normal(5, 5), normal(5, 5, seed=1)
    assert has_run(compare(f, a, b))
    compiled = xp.compile(f)
    compiled(a, b)
    for values in (np.ones((5, 5)), np.full((5, 5), np.nan), np.diag([1.0, np.inf, 1, 1, 0])):
        for state in ("ignore", "warn", "raise"):
            with np.errstate(all=state):
                assert outcome(compiled, tensor(values), b) == outcome(f, tensor(values), b)


def test_memory_of_intermediate_results():
    """Random programs with many results: some are views, and some are written to."""
    for seed in range(40):

        def f(*args, seed=seed):
            return memory_program(random.Random(seed), *args)

        args = [normal(4, 4, seed=i) for i in range(3)]
        check(f, args, args)


def memory_program(random, *args):
    values = [x * 1.5 for x in args]
    for _ in range(40):
        x, y = random.choice(values[-6:]), random.choice(values)
        kind = random.randrange(9)
        if kind < 3:
            values.append(random.choice([operator.add, operator.mul, operator.sub])(x, y))
        elif kind == 3:
            values.append(x.T)
        elif kind == 4:
            values.append(xp.broadcast_to(x[random.randrange(4)], (4, 4)) + y)
        elif kind == 5:
            x *= 0.5
        elif kind == 6:
            x[1:3, ::2] = random.choice([2.0, y[0, 0] * 1])
        elif kind == 7:
            values.append(xp.where(x > y, x, 0.0))
        else:
            values.append(xp.broadcast_to(xp.sum(x, axis=0, keepdims=True), (4, 4)) * 0.1)
    return random.sample(values, 4)


@pytest.mark.parametrize("limits", ["blocks", "small", "large"])
def test_programs_with_other_limits(monkeypatch, limits):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
    if limits == "blocks":
        monkeypatch.setattr(blocks, "MIN_BYTES", 0)
        monkeypatch.setattr(blocks, "MIN_CALLS", 1)
        monkeypatch.setattr(blocks, "BLOCK_SIZE", 2)
        monkeypatch.setattr(loops, "BLOCK_BYTES", 64)
    else:
        monkeypatch.setattr(_steps, "MAX_BYTES", 100 if limits == "small" else 1 << 30)

    def f(x, y):
        z = xp.tanh(x) * y + 1
        z = xp.where(z > 0.5, z, 0.0) / xp.sum(xp.exp(x), axis=-1, keepdims=True)
        w = xp.max(z, axis=-1) * y[:, 0] + z[:, ::2][:, 1]
        return xp.sum(w * w) + xp.mean(z @ y.T)

    for shape in ((1, 3), (7, 5), (65, 9), (300, 200)):
        x, y = normal(*shape), normal(*shape, seed=1)
        for form in (f, autodiff.grad(f, argnums=(0, 1))):
            assert has_run(check(form, (x, y), (y, x)))
    with np.errstate(all="ignore"):
        x, y = normal(7, 5), normal(7, 5, seed=1)
        others = [copy(x) for _ in range(3)]
        for other, value in zip(others, (np.nan, np.inf, 0.0), strict=True):
            other[0, 1] = value
        check(autodiff.grad(f, argnums=(0, 1)), (x, y), *[(other, y) for other in others])


def test_several_scatters_in_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "MIN_BYTES", 0)
    monkeypatch.setattr(loops, "BLOCK_BYTES", 64)

    def f(x):
        y = (x * 2)[:, None, :] * 3
        z = (x * y[:, 0])[:, :, None] - 1
        return xp.sum(y * y) + xp.sum(z * z * z) + xp.sum(x[:, None, :, None] ** 2)

    check(autodiff.grad(f), (normal(50, 9),), (normal(50, 9, seed=1),))


@pytest.mark.parametrize("ndim", [31, 32, 33, 64])
def test_many_axes(ndim):
    x = xp.ones((1,) * (ndim - 2) + (2, 3))
    compiled = check(
        lambda x: (x + 1, xp.sin(x) * x.T.T, xp.sum(x * 2, axis=-1), xp.where(x > 0, x, 0.0)), (x,)
    )
    assert compiled(x)[0].ndim == ndim


def test_arrays_from_outside_that_change():
    weight = normal(4, 4)

    def f(x):
        return x @ weight, x * weight + 1, xp.sum(weight - x, axis=0)

    compiled, x = xp.compile(f), normal(4, 4, seed=1)
    for i in range(4):
        assert bits(compiled(x)) == bits(f(x))
        weight[i] = 9.0
        weight *= 1.5


def test_results_are_new_memory():
    def f(x):
        y = xp.asarray(x, copy=True)
        y += 1
        return y, y[1:], x * 0 + xp.zeros(3), xp.zeros(3) + xp.ones(3)

    compiled, x = xp.compile(f), xp.arange(3.0)
    want = bits(f(x))
    for _ in range(4):
        found = compiled(x)
        assert bits(found) == want
        for y in found:
            y[...] = 7.0


# ---- errors


CLEARING = """abs isfinite isinf isnan negative sign signbit tanh equal greater less logical_and
    maximum minimum not_equal""".split()


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
@pytest.mark.parametrize("name", CLEARING)
def test_errors_are_told_whatever_follows(name, dtype):
    function = getattr(xp, name)
    one = name in ELEMENTWISE

    def f(x, y):
        return xp.sqrt(x), (function(y) if one else function(y, y))

    x, y = xp.full(5, -2.0, dtype=dtype), xp.full(5, 0.5, dtype=dtype)
    compiled = compare(f, x, y)
    assert has_run(compiled)
    assert outcome(compiled, x, y)[1]
    with np.errstate(all="raise"):
        assert outcome(compiled, x, y) == outcome(f, x, y)
        with pytest.raises(FloatingPointError, match="sqrt: invalid value"):
            compiled(x, y)


@pytest.mark.parametrize("name", ["any", "all", "max", "min", "matmul"])
def test_errors_are_told_before_reductions_and_products(name):
    def f(x, y):
        z = xp.log(x)
        if name == "matmul":
            return z, y @ y
        return z, getattr(xp, name)(y if name in ("max", "min") else y > 0)

    compare(f, normal(3), normal(3))


def test_errors_are_told_next_to_calls_without_warnings():
    def f(x, y):
        with np.errstate(all="ignore"):
            a = xp.cumulative_sum(y) / 0.0
        b = xp.sqrt(x)
        with np.errstate(all="ignore"):
            c = xp.log(x) * a
        return a, b, c

    x, y = xp.asarray([-1.0, 0.0, 2.0]), normal(3)
    compiled = compare(f, x, y)
    assert {str(w) for _, w in outcome(compiled, x, y)[1]} == {"invalid value encountered in sqrt"}


STATES = ["ignore", "warn", "raise"]


@pytest.mark.parametrize("inside", STATES)
@pytest.mark.parametrize("outside", STATES)
def test_states_of_errors(inside, outside):
    def f(x):
        a = xp.log(x) * 2
        with np.errstate(all=inside):
            b = xp.sqrt(x) / (x - 0.5)
        with np.errstate(over=inside):
            c = xp.exp(x * 1000) + (x > 0)
        return a, b, c, x / (x - 1), xp.isnan(a)

    with np.errstate(all=outside):
        compiled = xp.compile(f)
        outcome(compiled, xp.asarray([0.5, 0.6]))
        for values in ([2.0, 3.0], [0.5, 0.0], [-1.0, 0.5], [1.0, 0.5], [np.nan, np.inf]):
            x = xp.asarray(values)
            assert outcome(compiled, x) == outcome(f, x)


@pytest.mark.parametrize("first", STATES)
@pytest.mark.parametrize("then", STATES)
def test_a_program_that_is_called_in_another_state(first, then):
    def f(x):
        return xp.log(x), x / 0.0, x == 1

    compiled = xp.compile(f)
    with np.errstate(all=first):
        outcome(compiled, xp.ones(3))
    for x in (xp.ones(3), xp.asarray([-1.0, 0.0, 1.0])):
        with np.errstate(all=then):
            assert outcome(compiled, x) == outcome(f, x)


def test_errors_call_a_function():
    told = []

    def f(x):
        return xp.log(x), x / 0.0, x == 1

    compiled, x = xp.compile(f), xp.asarray([-1.0, 0.0])
    outcome(compiled, x)
    with np.errstate(all="call", call=lambda *args: told.append(args)):
        f(x)
        want, told[:] = [*told], []
        compiled(x)
    assert want
    assert told == want


def test_the_line_of_an_error_in_a_run():
    def f(a, b):
        c = a * 2 + 1
        return c, xp.linalg.solve(a, b), c - b

    compiled = xp.compile(f)
    compiled(normal(3, 3), normal(3))
    with pytest.raises(np.linalg.LinAlgError, match=r"linalg.solve: Singular matrix; got Tensor"):
        compiled(xp.ones((3, 3)), normal(3))


# ---- threads and signals


def test_threads_and_signal_handlers_use_one_program():
    def f(x, y):
        a = xp.sin(x) * y + 2
        b = xp.sum(a @ a.T, axis=0) * xp.max(a)
        a -= 1
        return b, a[1:]

    x, ys = normal(40, 40), [normal(40, 40, seed=i) for i in range(4)]
    compiled, want = xp.compile(f), [bits(f(x, y)) for y in ys]
    compiled(x, ys[0])
    wrong, count, stop = [], [0], time.monotonic() + 1

    def work(i):
        while time.monotonic() < stop:
            i = (i + 1) % 4
            if bits(compiled(x, ys[i])) != want[i]:
                wrong.append(i)

    def handle(*_):
        count[0] += 1
        if bits(compiled(x, ys[1])) != want[1]:
            wrong.append("signal")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    if hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    work(0)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        assert count[0]
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(native is None, reason="not compiled")
def test_a_call_in_another_state_meanwhile(monkeypatch):
    """Each call tells the errors that its own state does, also where threads take turns."""
    x = xp.ones((600, 700))
    x[-1, -1] = -1.0
    compiled = xp.compile(lambda x: (xp.sqrt(x) * x + 1, x - x * 2))
    with np.errstate(all="ignore"):
        compiled(x)
    calls = []

    def another_call_first(*_, **__):
        calls.append(None)
        if len(calls) == 1:
            with np.errstate(all="ignore"):
                compiled(x)
        return False

    monkeypatch.setattr(native, "run_on_pool", another_call_first)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        compiled(x)
    assert len(calls) > 1


def test_programs_are_freed():
    def number():
        gc.collect()
        return sum(type(x).__name__ == "Loops" for x in gc.get_objects())

    before = number()
    for i in range(5):
        f = xp.compile(lambda x, i=i: (x * i + 1, x - i))
        f(normal(3))
        f(normal(3))
    assert native is None or number() > before
    del f
    assert number() == before
