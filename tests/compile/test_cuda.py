"""Compiled functions on a GPU: the same bits, with runs of elementwise calls as one kernel."""

import pytest
from compile.support import bits, programs

import arraygrad as xp
from arraygrad import autodiff, nn, optim
from arraygrad._compile.passes import kernels

pytestmark = pytest.mark.cuda


def normal(*shape, seed=0, dtype=xp.float64):
    x = xp.astype(xp.random.default_rng(seed).normal(size=shape), dtype)
    return x.to_device("cuda")


def copy(x):
    return xp.asarray(x, copy=True)


def host(tree):
    if isinstance(tree, xp.Tensor):
        return tree.detach().to_device("cpu")
    if isinstance(tree, dict):
        return {k: host(x) for k, x in tree.items()}
    return [host(x) for x in tree] if isinstance(tree, (tuple, list)) else tree


def check(f, *calls):
    """Call `f` and its compiled form with copies of the same arguments, and compare."""
    compiled = xp.compile(f)
    for args in (*calls, calls[0]):
        assert bits(host(compiled(*map(copy, args)))) == bits(host(f(*map(copy, args))))
    return compiled


def made(compiled):
    """The names of the calls that programs make."""
    return [c.name for e in programs(compiled) for c in e.program.calls]


UNARY = """abs acos acosh asin asinh atan atanh ceil cos cosh exp expm1 floor log log1p log2 log10
    negative reciprocal round sign sin sinh sqrt square tan tanh trunc positive""".split()
BINARY = """add atan2 copysign divide hypot logaddexp maximum minimum multiply pow subtract
    floor_divide remainder""".split()
TESTS = "isnan isinf isfinite signbit".split()
COMPARISONS = "equal greater greater_equal less less_equal not_equal".split()


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_each_elementwise_function_has_the_bits_of_its_own_kernel(dtype):
    def f(x, y):
        found = {name: getattr(xp, name)(x) for name in UNARY}
        found |= {name: getattr(xp, name)(x, y) for name in BINARY}
        found |= {f"{name}_2": getattr(xp, name)(x, 2.0) for name in BINARY}
        flags = [getattr(xp, name)(x) for name in TESTS]
        flags += [getattr(xp, name)(x, y) for name in COMPARISONS]
        flags += [getattr(xp, name)(x, 1) for name in COMPARISONS]
        found |= {f"flag{i}": xp.logical_xor(~flag, x > 0) for i, flag in enumerate(flags)}
        return found | {f"where{i}": xp.where(flag, x, y) for i, flag in enumerate(flags)}

    special = xp.asarray([0.0, -0.0, xp.inf, -xp.inf, xp.nan, 1.0, -1.0, 0.5], dtype=dtype,
                         device="cuda")  # fmt: skip
    compiled = check(f, (normal(50, dtype=dtype), normal(50, seed=1, dtype=dtype)))
    names = made(compiled)
    assert names.count("kernel") >= 2
    assert len(names) < 40
    x, y = xp.repeat(special, 8), xp.tile(special, (8,))
    check(f, (x, y))


def test_products_and_sums_are_rounded_twice():
    def f(x, y, z):
        return x * y + z, x * y - z, z - x * y, (x + y) * z + x * x

    compiled = check(f, *[tuple(normal(1000, seed=3 * i + k) for k in range(3)) for i in range(2)])
    assert made(compiled) == ["kernel"]


def test_gradients_and_runs_between_sums():
    def f(x, y):
        h = xp.tanh(x * y) * xp.exp(-x * x)
        s = xp.sum(h, axis=0)
        return xp.sum(xp.where(s > 0, xp.sqrt(xp.abs(s)), s * 0.5) * y[0])

    args = [(normal(4, 5, seed=i), normal(4, 5, seed=i + 1)) for i in range(2)]
    compiled = check(autodiff.value_and_grad(f, (0, 1)), *args)
    assert "kernel" in made(compiled)
    plain = [e.plain for e in programs(compiled)]
    assert len(made(compiled)) < sum(len(p.calls) for p in plain) / 2
    check(lambda x, y: autodiff.jvp(f, (x, y), (y, x)), *args)
    outside = xp.compile(f)
    for x, y in (*args, args[0]):
        assert bits(host(autodiff.grad(outside)(x, y))) == bits(host(autodiff.grad(f)(x, y)))
    assert sum(e.runs for e in programs(outside)) > 0


SHAPES = [(4, 5), (33, 70), (100, 3), (3, 4, 5), (5, 1, 6)]


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["max", "min", "any", "all", "sum"])
def test_a_run_and_the_reduction_at_its_end_are_one_kernel(name, shape, dtype):
    args = [tuple(normal(*shape, seed=2 * i + k, dtype=dtype) for k in (0, 1)) for i in range(2)]
    for axis in (None, 0, -1, (0, 1)):
        for keepdims in (False, True):

            def f(x, y, axis=axis, keepdims=keepdims):
                z = x * y + x / 3.0
                z = z > 0.1 if name in ("any", "all") else z
                return getattr(xp, name)(z, axis=axis, keepdims=keepdims)

            compiled = check(f, *args)
            is_first = axis == 0 or (axis == (0, 1) and len(shape) == 3)
            expected = ["kernel"] if name != "sum" or is_first else ["kernel", "sum"]
            assert made(compiled) == expected, (axis, keepdims)


def test_one_elementwise_call_and_a_reduction_are_one_kernel():
    assert made(check(lambda x: xp.max(xp.abs(x), axis=1), (normal(4, 5),))) == ["kernel"]
    assert made(check(lambda x: xp.all(xp.isfinite(x)), (normal(4, 5),))) == ["kernel"]
    assert made(check(lambda x: xp.any(x * 2.0), (normal(4, 5),))) == ["kernel"]


def test_extremes_of_special_values():
    values = [0.0, -0.0, xp.nan, -xp.nan, xp.inf, -xp.inf, 1.0]
    x = xp.asarray([[a, b, c] for a in values for b in values for c in values], device="cuda")
    for f in (
        lambda x: xp.max(-x, axis=1), lambda x: xp.min(-x, axis=1),
        lambda x: xp.max(-x, axis=0), lambda x: xp.any(-x, axis=1), lambda x: xp.all(-x, axis=1),
        lambda x: xp.max(xp.sqrt(x) + 1), lambda x: xp.min(-x[:0], axis=1),
    ):  # fmt: skip
        check(f, (x,))


def test_reductions_that_are_not_part_of_a_kernel(monkeypatch):
    x, row, column = normal(40, 50), normal(50, seed=1), normal(40, 1, seed=2)
    scalar = normal(seed=3)
    # The strides of what a kernel reads decide in which order it adds.
    assert "sum" in made(check(lambda x, y: xp.sum(x * y + y, axis=0), (x, row)))
    assert "sum" in made(check(lambda x, y: xp.sum(x * y + y, axis=0), (x, column)))
    assert "sum" in made(check(lambda x, y: xp.sum(x * y + y, axis=0), (x, scalar)))
    assert "sum" in made(check(lambda x: xp.sum(x * 2 + 1, axis=0), (normal(50, 40).T,)))
    assert "sum" in made(check(lambda x: xp.sum(x * 2 + 1, axis=0), (normal(50, 1),)))
    # The kernel of a run with other results computes them all.
    assert "max" in made(check(lambda x: (y := x * 2 + 1, xp.max(y)), (x,)))
    assert "max" in made(check(lambda x: xp.max(y := x * 2 + 1) + xp.min(y), (x,)))
    check(lambda x, y: xp.max(x * y + y, axis=0), (x, row))
    monkeypatch.setattr(kernels, "MAX_REDUCED", 100)
    assert "max" in made(check(lambda x: xp.max(x * 2 + 1), (x,)))


def test_sums_of_other_accelerators_are_theirs(monkeypatch):
    from arraygrad._backends.cupy import fusion

    monkeypatch.setattr(fusion, "has_own_sums", lambda: False)
    compiled = check(lambda x: xp.sum(x * 2 + 1, axis=0), (normal(4, 5),))
    assert made(compiled) == ["kernel", "sum"]


def test_tensors_of_no_axes_and_empty_ones():
    f = lambda x: xp.sin(x) * x + x * xp.cos(x) * x
    zero = xp.asarray(2.0, device="cuda")
    check(f, (zero,), (xp.zeros(0, device="cuda"),), (xp.zeros((0, 3), device="cuda"),))
    check(autodiff.grad(f), (zero,), (zero + 1,))


def test_other_orders_of_axes_and_broadcasting():
    x, row, column = normal(4, 5), normal(5, seed=1), normal(4, 1, seed=2)

    def f(x, row, column):
        return xp.exp(x * row) * column + xp.where(x > row, x, column) * 2, xp.sum(x * 2 + 1)

    check(f, (x, row, column), (normal(5, 4).T, row, column), (x[:, ::-1], row, column))


def test_writes_and_views_are_kept_in_order():
    def f(x):
        y = x * 2
        z = xp.sin(y)
        y += z
        v = y[1:]
        v *= 3
        return y, v, z * y + y

    check(f, (normal(6),), (normal(6, seed=1),))


def test_a_run_that_is_too_long_for_one_kernel(monkeypatch):
    monkeypatch.setattr(kernels, "MAX_CALLS", 5)

    def f(x):
        for _ in range(8):
            x = xp.sin(x) + x * 0.5
        return x

    compiled = check(f, (normal(7),))
    assert made(compiled).count("kernel") >= 4


def test_operators_are_those_of_the_package_where_cupys_differ():
    """CuPy divides complex numbers by zero, and large and small ones, in another way."""
    x = xp.asarray([1e300 + 1e300j, 3 + 4j, 1e-320 + 1j, 1.0], device="cuda")
    y = xp.asarray([2e300 + 1e300j, 0j, 1e-310 + 1e-310j, -0.0], device="cuda")

    def f(x, y):
        z = x * 1
        z /= y
        return x / y, z, -x

    check(f, (x, y), (y, x))


def test_integers_and_other_dtypes_are_not_part_of_a_run():
    def f(i, x, c):
        return i * 2 + 1, x * i + x, c * c + 1, xp.astype(x, xp.float32) * 2 + 1

    i = xp.asarray([1, 2, 3], device="cuda")
    check(f, (i, normal(3), xp.asarray([1j, 2.0, 3.0 + 1j], device="cuda")))


def test_a_training_step():
    histories = []
    for compile in (False, True):
        net = nn.Sequential(nn.Linear(5, 8, rng=xp.random.default_rng(0)), nn.Tanh())
        net.to_device("cuda")
        optimizer = optim.Adam(net.parameters(), lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = xp.mean(net(x) ** 2)
            loss.backward()
            optimizer.step()
            return loss.detach()

        step = xp.compile(step) if compile else step
        losses = [bits(host(step(normal(4, 5, seed=i)))) for i in range(4)]
        histories.append((losses, bits(host(list(net.parameters())))))
    assert histories[0] == histories[1]


def test_a_program_launches_less_and_never_waits():
    fakecuda = pytest.importorskip("fakecuda")
    f = lambda x: xp.exp(-x * x) * xp.sin(x) / (1 + xp.abs(x))
    compiled = xp.compile(f)
    x = normal(50)
    counts = []
    for g in (f, compiled):
        for _ in range(2):
            g(x)
        fakecuda.reset_counts()
        g(x)
        counts.append(fakecuda.counts())
    assert counts[1]["launch"] == 1 < counts[0]["launch"]
    assert not any(k.startswith(("sync", "copy")) for k in counts[1]), counts
