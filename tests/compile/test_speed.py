"""What makes programs quick: memory that is used again, and NaN that are looked for once."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from compile.support import X, bits, check, copy, normal, programs

import arraygrad as xp
from arraygrad import autodiff
from arraygrad._compile import _compiled


@pytest.mark.parametrize("n", [3, 300])
def test_memory_is_not_used_again_while_a_view_of_an_equal_result_is_needed(n):
    def f(a, b):
        x = a * b
        view = (a * b).T
        return x + 1, view * 2

    check(f, (normal(n, n), normal(n, n, seed=1)), (normal(n, n, seed=2), normal(n, n)))


@pytest.mark.parametrize("n", [3, 3000])
def test_views_of_a_dead_value_keep_its_memory(n):
    def f(x):
        y = xp.sin(x)
        ends = y[1:], y[::-1], xp.reshape(y, (1, -1))
        z = y * 2
        for _ in range(5):
            z = xp.cos(z) - 1
        return z, [e + z[-1] for e in ends]

    check(f, (normal(n),), (normal(n, seed=1),))


def test_functions_of_two_arrays_into_memory_that_is_free():
    def f(x, y):
        for g in (xp.maximum, xp.minimum, xp.atan2, xp.hypot, xp.copysign, xp.pow, xp.remainder):
            x = g(x + 1, y * 1.5) + g(y, x) + 3
        return x

    check(f, (normal(5) ** 2, normal(5, seed=1) ** 2))


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_numbers_beside_arrays_are_rounded_as_usual(dtype):
    def f(x):
        y = 0.1 * x + 1 / 3 - x / 7
        return y * 16777217, y + 1e39, 1e-46 * y, y - 2**40, xp.inf * y, -0.0 + y, 0 * -y, y**3

    with np.errstate(all="ignore"):
        check(f, (normal(5, dtype=dtype),), (normal(5, seed=1, dtype=dtype),))


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_means_of_all_axes_and_of_some(dtype):
    def f(x):
        return xp.mean(x), xp.mean(x, axis=1), xp.mean(x, axis=(0, 1), keepdims=True), xp.mean(x.T)

    for shape in ((3, 5), (1000, 7), (1, 1)):
        check(f, (normal(*shape, dtype=dtype),), (normal(*shape, seed=1, dtype=dtype) * 1e30,))
    check(lambda x: xp.mean(x), (normal(3000, dtype=dtype)[::3],), (xp.asarray(2.0, dtype=dtype),))


@pytest.mark.parametrize("n", [3, 300])
def test_large_results_are_made_late_and_in_the_right_order(n):
    def f(x):
        y = x @ x.T  # is needed last
        z = xp.tanh(x)
        for _ in range(3):
            z = z * x + 1
        x += z
        return y * 2 + z

    check(f, (normal(n, n),), (normal(n, n, seed=1),))
    check(autodiff.grad(lambda x: xp.sum(f(x * 1.0))), (normal(n, n),))


def test_peak_memory_is_at_most_that_of_the_function():
    import tracemalloc

    def f(w, x, y):
        hidden = xp.tanh(x @ w)
        error = xp.tanh(hidden @ w.T) - y
        return xp.mean(error * error)

    def peak(run, *args):
        run(*args)
        run(*args)
        tracemalloc.start()
        try:
            run(*args)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    args = normal(100, 100), normal(300, 100, seed=1), normal(300, 100, seed=2)
    eager = autodiff.value_and_grad(f)
    assert peak(xp.compile(eager), *args) <= peak(eager, *args)


def test_products_of_matrices_of_all_layouts():
    for m, n, k in ((2, 2, 2), (4, 2, 4), (1, 3, 2), (3, 1, 2), (2, 3, 1), (17, 33, 9)):
        a, b = normal(m, n), normal(n, k, seed=1)
        layouts = [
            lambda x: x,
            lambda x: xp.asarray(x.T, copy=True).T,
            lambda x: xp.concat([x, x], axis=1)[:, : x.shape[1]],
        ]

        def f(a, b):
            return xp.sum(xp.tanh(a @ b) @ b.T @ (b[:, 0] + a[0, :]))

        for left in layouts:
            for right in layouts:
                check(autodiff.grad(f, (0, 1)), (left(a), right(b)))
    check(autodiff.grad(lambda a: xp.sum((a @ a.T @ a) ** 2)), (normal(5, 4),))


@pytest.mark.parametrize("n", [3, 17, 300])
def test_a_product_with_an_equal_matrix_is_not_one_with_itself(n):
    def with_product(a, b):
        return (a * b) @ (a * b).T

    def with_copy(a, b):
        x = a * b
        return x @ xp.asarray(x.T, copy=True), x @ xp.conj(x.T), x @ (x.T * 1)

    def with_axes(a, b):
        return xp.tensordot(a * b, a * b, axes=((1,), (1,))), xp.vecdot(a * b, a * b)

    def with_gaps(a, b):
        return (a * b)[:, ::2] @ (a * b)[:, ::2].T

    for f in (with_product, with_copy, with_axes, with_gaps):
        check(f, (normal(n, n + 1), normal(n, n + 1, seed=1)))
        check(f, (normal(n, n + 1).T, normal(n, n + 1, seed=1).T))
    check(lambda a: (a * 2) @ (a * 2), (normal(n, n),))


def power(x, y):
    return xp.sum(xp.sqrt(xp.sin(x) ** 2) * y)


@pytest.mark.parametrize("number", [1e-46, 1e-40, 1e39, 1e-30])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_that_are_0_or_infinite_in_the_precision_are_masked(dtype, number):
    x = xp.asarray([1.0, 0.5, 0.0, 2.0], dtype=getattr(xp, dtype))
    for f in (lambda x: x / number, lambda x: x * number, lambda x: -x / number * 2):
        slope = autodiff.grad(lambda x, f=f: xp.sum(xp.tanh(x)) + xp.sum(xp.tanh(f(x))))
        compiled = xp.compile(slope)
        with np.errstate(all="ignore"):
            for _ in range(3):
                assert bits(compiled(x)) == bits(slope(x))


@pytest.mark.parametrize("n", [3, 3000])
def test_a_nan_that_appears_later_is_masked_as_outside(n):
    compiled = xp.compile(autodiff.grad(power))
    x, y = normal(n), normal(n, seed=1)
    with np.errstate(all="ignore"):
        assert bits(compiled(x, y)) == bits(autodiff.grad(power)(x, y))
        assert programs(compiled)[0].assumes
        zero = copy(x)
        zero[1] = 0.0
        y[1] = 0.0
        for args in ((zero, y), (x, y), (zero, y), (x * np.nan, y)):
            assert bits(compiled(*args)) == bits(autodiff.grad(power)(*args))
        (entry,) = programs(compiled)  # which is right with and without
        assert not entry.assumes
        assert entry.runs == 3


def test_a_nan_when_it_is_recorded():
    x = xp.asarray([0.0, 1.0])
    y = xp.asarray([0.0, 2.0])
    with np.errstate(all="ignore"):
        check(autodiff.grad(power), (x, y), (x + 1, y), (x, y))


def test_one_check_stands_for_those_of_all_steps():
    def f(x):
        for _ in range(20):
            x = xp.sin(x) * 1.5
        return xp.sum(x)

    compiled = check(autodiff.grad(f), (normal(5),))
    (entry,) = programs(compiled)
    assert sum(c.name == "guard" for c in entry.plain.calls) == 1


def check_with_a_nan(f):
    """Check a function of x and y at numbers, where its gradient meets a NaN, and at numbers."""
    x, y = normal(4), normal(4, seed=1) ** 2 + 1
    other, zero = copy(x), copy(y)
    other[2] = zero[2] = 0.0
    with np.errstate(all="ignore"):
        check(f, (x, y), (other, zero), (x, y))


def test_a_nan_that_no_result_shows():
    def f(x, y):  # 0 times infinity in the derivative of the square root, and then a branch
        (slope,) = (autodiff.grad(lambda y: xp.sum(xp.sqrt(y) * x))(y),)
        return xp.where(slope == slope, slope, 7.0), xp.maximum(slope, 0.0)

    check_with_a_nan(f)


def test_a_nan_after_which_the_program_would_raise():
    def f(x, y):
        slope = autodiff.grad(lambda y: xp.sum(xp.sqrt(y) * x))(y)
        return xp.linalg.eigvalsh(xp.eye(4) + slope[:, None] * slope)

    check_with_a_nan(f)


def test_a_nan_after_a_write_to_an_argument():
    def f(x, y):
        y += 1.0
        slope = autodiff.grad(lambda y: xp.sum(xp.sqrt(y) * x))(y)
        y *= 2.0
        return slope

    x, y = normal(4), normal(4, seed=1) ** 2
    other, zero = copy(x), copy(y)
    other[2], zero[2] = 0.0, -1.0
    with np.errstate(all="ignore"):
        check(f, (x, y), (other, zero), (x, y))


def test_an_overflow_in_a_check_gives_no_warning():
    compiled = xp.compile(autodiff.grad(lambda x: xp.sum(xp.sin(x) * 1e200)))
    x = normal(5)
    compiled(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled(x)
    (entry,) = programs(compiled)
    assert entry.runs == 1


def test_an_export_masks_nan(tmp_path):
    import importlib.util

    x, y = normal(4), normal(4, seed=1)
    compiled = xp.compile(autodiff.grad(power))
    compiled.export(tmp_path / "slope.py", x, y)
    spec = importlib.util.spec_from_file_location("slope", tmp_path / "slope.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x[1] = y[1] = 0.0
    with np.errstate(all="ignore"):
        found = module.power(x.numpy(), y.numpy())
        assert found.tobytes() == autodiff.grad(power)(x, y).numpy().tobytes()


def test_a_product_that_overflows_warns():
    compiled = xp.compile(lambda x: x @ x[:2, :] @ x[0, :])
    compiled(normal(2, 2))
    with pytest.warns(RuntimeWarning, match="overflow encountered"):
        compiled(normal(2, 2) * 1e200)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        compiled(normal(2, 2) * 1e200)


@pytest.mark.parametrize("n", [3, 300])
def test_products_are_written_into_memory_that_is_free(n):
    def f(a, x):
        for _ in range(3):
            x = a @ x  # (nothing needs the old one afterwards)
            y = xp.tanh(a @ a) @ (x - 1)
            x = (a.T @ y) * 0.1 + x
        return x

    check(f, (normal(n, n) / n, normal(n)), (normal(n, n, seed=1) / n, normal(n, seed=2)))
    check(f, (normal(n, n) / n, normal(n, n)))
    check(autodiff.grad(lambda a, x: xp.sum(f(a, x))), (normal(n, n) / n, normal(n)))


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 1), (4, 2, 3), (2, 0)])
@pytest.mark.parametrize("dtype", [xp.float32, xp.float64, xp.complex128])
def test_solutions_of_vectors_matrices_and_stacks(shape, dtype):
    a = xp.astype(normal(2, 2), dtype)
    check(xp.linalg.solve, (a, xp.astype(normal(*shape, seed=1), dtype)))


def test_a_singular_matrix_raises_as_outside():
    compiled = xp.compile(xp.linalg.solve)
    compiled(normal(2, 2), normal(2))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        compiled(xp.ones((2, 2)), normal(2))


@pytest.mark.parametrize("n", [3, 3000])
def test_other_shapes_and_gradients_of_elements(n):
    index = xp.asarray([0, 2, 0])

    def f(x):
        y = xp.expand_dims(x, axis=(0, -1)) * xp.reshape(x, (1, n, 1))
        z = xp.reshape(xp.expand_dims(y, axis=1), (n,), copy=True)
        parts = x[1:], x[::-1] * 2, x[None, :-1, None], x[..., 0], x[-1], x[index], y[:, 1:, 0]
        return sum(xp.sum(xp.sin(part)) for part in parts) + xp.sum(z * z)

    for function in (
        f,
        autodiff.grad(f),
        autodiff.grad(lambda x: xp.sum(autodiff.grad(f)(x) ** 2)),
    ):
        check(function, (normal(n),), (normal(n, seed=1),))


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_results_in_the_memory_of_either_operand(dtype):
    def f(x, y):
        a, b = x + 1, y - 1
        for g in (xp.add, xp.subtract, xp.multiply, xp.divide):
            a, b = g(a, b) * 2, g(b, a) - 0.5
            a, b = 3 * g(a, 2.5), g(2.5, b)
        return a, b

    nan = xp.asarray([np.nan, -np.nan, 0.0, np.inf, 1.0], dtype=dtype)
    x, y = normal(5, dtype=dtype), normal(5, seed=1, dtype=dtype)
    with np.errstate(all="ignore"):
        check(f, (x, y), (nan, y), (x, nan), (nan, -nan))


def test_a_long_program_has_few_names():
    def f(x):
        for i in range(50):
            x = xp.tanh(x[::-1][:, None] @ x[None, :] @ x) + i
        return x

    compiled = check(f, (normal(4) / 9,), (normal(4, seed=1) / 9,))
    (entry,) = programs(compiled)
    assert entry.run.__code__.co_nlocals < 20


def test_large_arrays_are_freed_while_a_function_is_recorded():
    import tracemalloc

    def f(x):
        for _ in range(50):
            x = xp.sin(x)
        return x

    x = normal(100_000)
    compiled = xp.compile(f)
    tracemalloc.start()
    try:
        compiled(x)  # (whose result is dropped)
        now, peak = tracemalloc.get_traced_memory()
        assert peak < 5 * 800_000
        assert now < 400_000
    finally:
        tracemalloc.stop()


def entry_of(compiled):
    [[entry]] = compiled._entries.values()
    return entry


def test_the_second_call_prepares_the_program():
    compiled = xp.compile(lambda x: xp.sin(x) + 1)
    want = bits(compiled(X))
    assert entry_of(compiled).run is None
    assert bits(compiled(X)) == want
    assert entry_of(compiled).run is not None
    assert entry_of(compiled).runs == 1


@pytest.mark.parametrize("use", ["explain", "source", "export", "careful"])
def test_what_needs_the_program_prepares_it(use, tmp_path):
    compiled = xp.compile(lambda x: xp.sum(xp.sin(x) * 2))
    want = bits(compiled(X))
    if use == "explain":
        assert "3 calls recorded, 3 left" in compiled.explain()
    elif use == "source":
        assert "sin" in compiled.source(X)
    elif use == "export":
        compiled.export(tmp_path / "f.py", X)
        assert "sin" in (tmp_path / "f.py").read_text()
    else:
        assert bits(compiled(X * xp.nan)) == bits(xp.sum(X * xp.nan))
    assert bits(compiled(X)) == want


def test_an_interruption_while_a_program_is_prepared_leaves_it_out(monkeypatch):
    def interrupt(program, *_):
        program.calls.clear()  # (passes change what was recorded)
        raise KeyboardInterrupt

    compiled = xp.compile(lambda x: xp.sin(x) + 1)
    want = bits(compiled(X))
    with monkeypatch.context() as patch:
        patch.setattr(_compiled, "optimised", interrupt)
        with pytest.raises(KeyboardInterrupt):
            compiled(X)
    assert "interrupted" in compiled.explain()
    for _ in range(3):
        assert bits(compiled(X)) == want
    assert max(e.runs for e in programs(compiled)) == 2


def test_threads_may_prepare_a_program_at_once():
    n = 8
    compiled = xp.compile(lambda x: xp.sum(xp.sin(x) * xp.cos(x)) / 3)
    want = bits(compiled(X))
    barrier = threading.Barrier(n)

    def call(_):
        barrier.wait()
        return bits(compiled(X))

    with ThreadPoolExecutor(n) as pool:
        assert list(pool.map(call, range(n))) == [want] * n
    assert entry_of(compiled).runs >= 1


def test_recording_leaves_the_garbage_collector_as_it_was():
    import gc

    before = gc.get_threshold()
    inner = xp.compile(lambda x: x * 2)
    seen = []

    def f(x):
        seen.append(gc.get_threshold())
        return inner(x) + 1

    with pytest.raises(TypeError):
        xp.compile(lambda x: float(x[0]))(normal(3))
    assert gc.get_threshold() == before
    xp.compile(f)(normal(3))
    assert gc.get_threshold() == before
    assert seen[0][0] > before[0]
