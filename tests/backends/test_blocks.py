"""The CPU's functions for networks, computed in blocks and by sums of products."""

import itertools
import warnings
import weakref

import mpmath
import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, nn, special
from arraygrad._backends.numpy import activations, parallel, table
from arraygrad._backends.numpy.products import outer, sum_of_products

OPS = table.make_table()
ACTIVATIONS = ["gelu", "gelu_tanh", "silu", "softplus"]
rng = np.random.default_rng(0)


def points(dtype):
    """Numbers of all sizes, dense where the functions bend, and the ends."""
    with np.errstate(all="ignore"):
        sizes = np.logspace(-44, 38, 165)
        x = np.concatenate([
            np.linspace(-14, 14, 561), -np.linspace(80, 110, 61), sizes, -sizes,
            [0.0, -0.0, np.inf, -np.inf, np.nan],
        ])  # fmt: skip
        return x.astype(dtype)


# ---- values


def _cdf(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def _logistic(x):
    return 1 / (1 + mpmath.exp(-x))


def _tanh_gate(x):
    return _logistic(mpmath.sqrt(8 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))


EXACT = {
    "special.erf": mpmath.erf,
    "nn.gelu": lambda x: x * _cdf(x),
    "nn.gelu_tanh": lambda x: x * _tanh_gate(x),
    "nn.silu": lambda x: x * _logistic(x),
    "nn.sigmoid": _logistic,
    "nn.softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}


@pytest.mark.parametrize("name", EXACT)
def test_single_precision_is_right_to_a_few_units(name):
    x = points("float32")
    x = x[np.isfinite(x) & (np.abs(x) < 1e30)]
    y = OPS[name](x).astype(np.float64)
    with mpmath.workdps(50):
        exact = np.asarray([float(EXACT[name](mpmath.mpf(float(v)))) for v in x])
    unit = np.maximum(np.abs(exact), float(np.finfo("f4").tiny)) * float(np.finfo("f4").eps)
    units = {"nn.gelu": 7.0}.get(name, 5.0)
    # The rounding of a large exponent counts; a gate is subnormal before its product with x is.
    if name == "nn.gelu_tanh":
        units += 4 * np.abs(x + 0.044715 * x.astype("f8") ** 3) * (x < 0)
    tiny = np.abs(x) * float(np.finfo("f4").smallest_subnormal)
    assert np.all(np.abs(y - exact) <= units * unit + tiny)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_those_of_double_precision(name):
    x = points("float32")
    y, slope = OPS[f"nn.{name}_and_slope"](x)
    np.testing.assert_array_equal(y, OPS[f"nn.{name}"](x))
    _, expected = OPS[f"nn.{name}_and_slope"](x.astype("f8"))
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=5e-7)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "sigmoid", *ACTIVATIONS, "erf"])
def test_ends_are_limits_without_warnings(name, dtype):
    dtype = "float32" if (name, dtype) == ("erf", "float16") else dtype  # SciPy has no such loop
    big = np.finfo(dtype).max
    x = np.asarray([-np.inf, -big, -1000, -0.0, 0.0, 1000, big, np.inf, np.nan], dtype)
    operation = OPS["special.erf" if name == "erf" else f"nn.{name}"]
    left, zero = {"sigmoid": (0, 0.5), "softplus": (0, np.log(2)), "erf": (-1, 0)}.get(name, (0, 0))
    right = x[5:8] if name not in ("sigmoid", "erf") else [1, 1, 1]
    expected = [left] * 3 + [zero] * 2 + [*right, np.nan]
    with np.errstate(all="warn", under="ignore"):
        y = operation(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, np.asarray(expected, dtype), rtol=1e-3)
        if name in ACTIVATIONS:
            _, slope = OPS[f"nn.{name}_and_slope"](x)
            np.testing.assert_allclose(slope, [0] * 3 + [0.5] * 2 + [1] * 3 + [np.nan])


# ---- blocks


def layouts():
    n = activations.BLOCK_SIZE
    base = (4 * rng.standard_normal((3, n // 2 + 11))).astype("f4")
    yield base
    yield base.T
    yield base[:, ::-3]
    yield base[::-1, 5:]
    yield np.broadcast_to(base[0], (2, *base[0].shape))
    yield base.reshape(3, -1, 1).transpose(2, 1, 0)
    yield base[1, 7:8].reshape(())
    yield base[:0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["nn.sigmoid", *(f"nn.{a}_and_slope" for a in ACTIVATIONS)])
def test_values_depend_neither_on_layout_nor_on_neighbours(name, dtype):
    operation = OPS[name]
    for x in layouts():
        x = x.astype(dtype)
        found = operation(x)
        expected = operation(np.ascontiguousarray(x).reshape(-1))
        if name == "nn.sigmoid":
            found, expected = (found,), (expected,)
        for y, z in zip(found, expected, strict=True):
            assert y.shape == x.shape
            np.testing.assert_array_equal(np.ravel(y), z)
    x = (20 * rng.standard_normal(20)).astype(dtype)
    alone = np.asarray([operation(x[i : i + 1]) for i in range(20)])
    np.testing.assert_array_equal(alone.reshape(20, -1).T, np.asarray(operation(x)).reshape(-1, 20))


def test_threads_share_the_blocks_and_change_nothing(monkeypatch):
    x = (4 * rng.standard_normal(parallel.MIN_SIZE_TO_SPLIT + 77)).astype("f4")
    jobs = []
    make = parallel._Job
    monkeypatch.setattr(parallel, "_Job", lambda *args: jobs.append(make(*args)) or jobs[-1])
    for name in ("nn.gelu_and_slope", "nn.silu_and_slope"):
        monkeypatch.setattr(parallel, "_num_threads", 1)
        expected = OPS[name](x)
        assert not jobs
        monkeypatch.setattr(parallel, "_num_threads", 2)
        found = OPS[name](x)
        assert jobs
        jobs.clear()
        for y, z in zip(found, expected, strict=True):
            np.testing.assert_array_equal(y, z)


FUNCTIONS = [
    nn.gelu, nn.silu, nn.softplus, nn.sigmoid, nn.relu, special.erf,
    lambda x: nn.gelu(x, "tanh"), nn.softmax, nn.log_softmax,
    lambda x: nn.layer_norm(x, x.shape[-1:]),
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("size", [3, 3000])
def test_single_precision_gradients_in_both_modes(function, size):
    x, g = rng.standard_normal((2, 70, size))
    wide, narrow = (xp.asarray(x), xp.asarray(g)), (xp.asarray(x, dtype=xp.float32),
                                                    xp.asarray(g, dtype=xp.float32))  # fmt: skip
    y, pull = autodiff.vjp(function, wide[0])
    y_, pull_ = autodiff.vjp(function, narrow[0])
    assert y_.dtype == pull_(narrow[1])[0].dtype == xp.float32
    np.testing.assert_array_equal(y_.numpy(), function(narrow[0]).numpy())
    leaf = narrow[0].detach().requires_grad_()
    function(leaf).backward(narrow[1])
    for found, expected in (
        (y_, y),
        (pull_(narrow[1])[0], pull(wide[1])[0]),
        (leaf.grad, pull(wide[1])[0]),
        (autodiff.jvp(function, narrow[:1], narrow[1:])[1],
         autodiff.jvp(function, wide[:1], wide[1:])[1]),
    ):  # fmt: skip
        scale = float(xp.max(xp.abs(expected)))
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=2e-5, atol=2e-6 * scale)


@pytest.mark.parametrize("function", FUNCTIONS[:5])
def test_a_gradient_of_zero_stays_zero_at_nan(function):
    x = xp.asarray([np.nan, 1.0])
    _, pull = autodiff.vjp(function, x)
    assert pull(xp.asarray([0.0, 0.0]))[0].tolist() == [0.0, 0.0]
    assert autodiff.jvp(function, (x,), (xp.zeros(2),))[1].tolist() == [0.0, 0.0]


# ---- sums of products


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_sums_along_any_axes_of_any_layout(dtype, order):
    shape = (6, 128, 5)
    a, b = (rng.standard_normal([shape[i] for i in order]) for _ in range(2))
    if dtype == "complex64":
        a = a + 1j * b[::-1]
    a, b = (v.astype(dtype).transpose(np.argsort(order)) for v in (a, b.astype(complex) if
            dtype == "complex64" else b))  # fmt: skip
    plain = np.ascontiguousarray(b)  # of another layout
    for axes in [(0,), (1,), (-1,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]:
        for other in (None, b, plain):
            exact = (a if other is None else a.astype("c16") * other).sum(axes, keepdims=True)
            found = sum_of_products(a, other, axes=axes, scale=0.5)
            assert found.dtype == dtype
            assert found.shape == exact.shape
            tolerance = 2e-2 if dtype == "float16" else 2e-5 if dtype != "float64" else 1e-12
            np.testing.assert_allclose(found, 0.5 * exact, rtol=0, atol=10 * tolerance)


def test_long_sums_do_not_lose_digits():
    x = rng.random((3, 2**21), dtype="f4") + 100
    exact = x.astype("f8").sum(1, keepdims=True)
    found = sum_of_products(x, None, axes=(1,), scale=1)
    np.testing.assert_allclose(found, exact, rtol=1e-6)
    squares = np.square(x, dtype="f8").sum(1, keepdims=True)
    np.testing.assert_allclose(sum_of_products(x, x, axes=(1,), scale=1), squares, rtol=1e-6)


@pytest.mark.parametrize("shape", [(4, 3), (40, 3000)])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_normalisation_is_stable_far_from_zero(shape, offset):
    x = xp.asarray(rng.standard_normal(shape) + offset, dtype=xp.float32)
    for function in (
        lambda x: nn.layer_norm(x, shape[1:]),
        lambda x: nn.batch_norm(x, None, None, training=True),
        lambda x: nn.group_norm(x, 1),
    ):
        found, expected = function(x), function(xp.astype(x, xp.float64))
        np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-5 + 5e-7 * offset)


NORMS = {
    "layer": lambda x, *params: nn.layer_norm(x, x.shape[1:], *params),
    "batch": lambda x, *params: nn.batch_norm(x, None, None, *params, training=True),
    "group": lambda x, *params: nn.group_norm(x, 2, *params),
}


def norm_operands(kind, dtype, count, channels=6):
    """An input of two dense axes, or three, and the parameters, of which there are `count`."""
    shape = (40, channels) if kind == "layer" else (5, channels, 7, 2)
    params = [rng.standard_normal(channels) for _ in range(count)] + [None] * (2 - count)
    arrays = (rng.standard_normal(shape), *params)
    return [p if p is None else xp.asarray(p, dtype=dtype) for p in arrays]


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("channels", [6, 3000])
def test_gradients_of_a_norm_in_one_operation_and_in_several(kind, count, channels):
    """Recorded for another derivative, the gradient is composed of other operations."""
    x, *params = norm_operands(kind, xp.float64, count, channels)
    operands = [x, *[p for p in params if p is not None]]

    def gradients(*operands):
        y, pull = autodiff.vjp(lambda *a: NORMS[kind](*a, *[None] * (3 - len(a))), *operands)
        return pull(xp.cos(y))

    recorded = autodiff.linearize(gradients, *operands)[0]
    for found, expected in zip(gradients(*operands), recorded, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9, atol=1e-12)
    if channels < 10:
        autodiff.check_grads(gradients, tuple(operands))


@pytest.mark.parametrize("kind", NORMS)
def test_gradients_of_a_norm_do_not_depend_on_the_order_of_axes(kind):
    x, *params = norm_operands(kind, xp.float64, 2)
    y, pull = autodiff.vjp(NORMS[kind], x, *params)
    g = xp.asarray(rng.standard_normal(y.shape))
    other = xp.asarray(np.asfortranarray(g.numpy()))
    other_x = xp.asarray(np.asfortranarray(x.numpy()))
    _, other_pull = autodiff.vjp(NORMS[kind], other_x, *params)
    for found in (pull(other), other_pull(g), other_pull(other)):
        for a, b in zip(found, pull(g), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", NORMS)
def test_norms_of_half_precision_and_of_mixed_precision(kind):
    x, *params = norm_operands(kind, xp.float16, 2)
    x = x * 1000  # whose squares half precision cannot hold
    _, exact = autodiff.vjp(NORMS[kind], *[xp.astype(a, xp.float64) for a in (x, *params)])
    for dtype in (xp.float16, xp.float32):
        of_params = [xp.astype(p, dtype) for p in params]
        y, pull = autodiff.vjp(NORMS[kind], x, *of_params)
        assert y.dtype == dtype
        g = xp.astype(xp.asarray(rng.standard_normal(y.shape)), dtype)
        for a, b, operand in zip(pull(g), exact(xp.astype(g, xp.float64)), (x, *of_params),
                                 strict=True):  # fmt: skip
            assert a.dtype == operand.dtype
            scale = float(xp.max(xp.abs(b)))
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-2, atol=3e-3 * scale)


@pytest.mark.parametrize("kind", NORMS)
def test_a_graph_saves_neither_the_input_nor_the_result_of_a_norm(kind):
    x, *params = (a.requires_grad_() for a in norm_operands(kind, xp.float64, 2))
    h = x + 1
    y = NORMS[kind](h, *params)
    loss = xp.sum(y + 1)
    memory = [weakref.ref(t._data if t._data.base is None else t._data.base) for t in (h, y)]
    del h, y
    assert [m() for m in memory] == [None, None]
    loss.backward()


@pytest.mark.parametrize("kind", NORMS)
def test_a_batch_of_norms_is_a_loop(kind):
    x, *params = norm_operands(kind, xp.float64, 2)
    xs, weights = (xp.stack([a, 2 * a, a + 1]) for a in (x, params[0]))

    def gradient(x, weight):
        return autodiff.grad(lambda x: xp.sum(NORMS[kind](x, weight, params[1]) ** 2))(x)

    for f in (lambda x, w: NORMS[kind](x, w, params[1]), gradient):
        found = xp.vmap(f)(xs, weights)
        for i in range(3):
            expected = f(xs[i, ...], weights[i, ...]).numpy()
            np.testing.assert_allclose(found[i, ...].numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 6), (3, 0), (0, 0), (2, 0, 6), (0, 3000)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_gradients_of_a_norm_of_nothing(shape, dtype):
    x, w, b = xp.ones(shape, dtype=dtype), *(xp.ones(shape[-1:], dtype=dtype) for _ in range(2))
    _, pull = autodiff.vjp(lambda x, w, b: nn.layer_norm(x, shape[-1:], w, b), x, w, b)
    found = pull(xp.ones(shape, dtype=dtype))
    assert [g.shape for g in found] == [x.shape, w.shape, b.shape]
    assert all((g.numpy() == 0).all() for g in found)


@pytest.mark.parametrize("size", [1e-22, 1e-19, 1e-17, 1.0, 1e12])
@pytest.mark.parametrize("count", [3, 3000])
def test_gradients_of_a_norm_of_tiny_variance(size, count):
    """The cube of 1 / sqrt(variance) is too large for single precision."""
    x, g, w = (rng.integers(-9, 9, (2, count)).astype("f4") for _ in range(3))
    x[:, :2] = [-9, 9]
    gradients = []
    for dtype in ("f4", "f8"):
        x_, g_, w_ = (xp.asarray(a.astype(dtype)) for a in (size * x, g, w[0]))
        _, pull = autodiff.vjp(lambda x, w: nn.layer_norm(x, (count,), w, None, eps=0.0), x_, w_)
        gradients.append([a.numpy() for a in pull(g_)])
    rtol = 0.1 if size < 1e-20 else 1e-4  # (the variance is denormal)
    for found, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * abs(expected).max())


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("which", [(1,), (2,), (1, 2), (0, 2)])
def test_a_batch_of_parameters_of_a_norm(kind, which):
    """Only the weights, or only the biases, have the axis of the batch."""
    operands = norm_operands(kind, xp.float64, 2)
    axes = tuple(0 if i in which else None for i in range(3))
    batch = [xp.stack([a, 2 * a, a + 1]) if i in which else a for i, a in enumerate(operands)]

    def gradient(*args):
        return autodiff.grad(lambda *a: xp.sum(NORMS[kind](*a) ** 2), argnums=which[0])(*args)

    for f in (NORMS[kind], gradient):
        found = xp.vmap(f, axes)(*batch)
        for i in range(3):
            args = [a[i, ...] if k in which else a for k, a in enumerate(batch)]
            expected = f(*args).numpy()
            np.testing.assert_allclose(found[i, ...].numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shapes", [((70, 1), (600,)), ((3, 1), (4,)), ((600, 1), (70, 1))])
def test_products_of_columns_and_rows(shapes):
    a, b = (rng.standard_normal(shape).astype("f4") for shape in shapes)
    if shapes[1][-1] == 1:
        b = b.reshape(-1, 1)[:1]
    np.testing.assert_array_equal(outer(a, b), a * b)
    assert outer(a, b.astype("f8")).dtype == np.float64


def test_exponentials_of_differences():
    x = -np.logspace(-6, 1.9, 2000).astype("f4")
    exact = np.exp(x.astype("f8"))
    found = activations.exp(x)
    assert found.dtype == np.float32
    assert np.all(np.abs(found / exact - 1) <= 1.5e-7)
    np.testing.assert_array_equal(activations.exp(x.reshape(2, -1).T), found.reshape(2, -1).T)
    out = np.empty_like(x.reshape(2, -1).T)
    assert activations.exp(x.reshape(2, -1).T, out=out) is out
    np.testing.assert_array_equal(out.T.reshape(-1), found)
    assert activations.exp(x, out=x) is x
    np.testing.assert_array_equal(x, found)
    ends = np.asarray([-np.inf, np.nan, -0.0, -104.5, -103], "f4")
    np.testing.assert_array_equal(activations.exp(ends), [0, np.nan, 1, 0, np.float32(1.4e-45)])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", ["least", "-inf"])
@pytest.mark.parametrize("count", [3, 3000])
def test_masks_of_the_least_number_do_not_warn(dtype, value, count):
    least = np.finfo(dtype).min if value == "least" else -np.inf
    x = np.zeros((count, 5), dtype)
    x[:, 1], x[:, 3] = least, 2
    expected = np.exp(x.astype("f8")) / np.exp(x.astype("f8")).sum(axis=1, keepdims=True)
    x, tolerance = xp.asarray(x), 4 * np.finfo(dtype).eps
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = nn.softmax(x, axis=1)
        loss = nn.cross_entropy(x, xp.zeros(count, dtype=xp.int64))
        logs = nn.log_softmax(x, axis=1)[:, 3]
        slope = autodiff.grad(lambda x: nn.cross_entropy(x, xp.full((count,), 3)))(x)
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance)
    np.testing.assert_allclose(loss.numpy(), -np.log(expected[0, 0]), rtol=tolerance)
    np.testing.assert_allclose(logs.numpy(), np.log(expected[:, 3]), rtol=4 * tolerance)
    assert not slope[:, 1].numpy().any()


@pytest.mark.parametrize("ignored", [-100, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_is_that_with_weights_of_one(ignored, reduction):
    for shape in ((5,), (3, 5), (3000, 5), (4, 5, 6)):
        target = rng.integers(0, 5, (*shape[:1], *shape[2:]) if len(shape) > 1 else ())
        if target.shape:
            target = np.where(rng.random(target.shape) < 0.1, ignored, target)
            target.reshape(-1)[0] = 1
        else:
            target = np.asarray(1)
        x, target = xp.asarray(rng.standard_normal(shape)), xp.asarray(target)

        def loss(x, weight=None, target=target):
            return nn.cross_entropy(x, target, weight, ignored, reduction)

        plain, weighted = (lambda x: loss(x)), (lambda x: loss(x, xp.ones(5)))
        (y, pull), (z, pull_) = autodiff.vjp(plain, x), autodiff.vjp(weighted, x)
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-12)
        g = xp.asarray(rng.standard_normal(y.shape))
        np.testing.assert_allclose(pull(g)[0].numpy(), pull_(g)[0].numpy(), atol=1e-14)
        t = xp.asarray(rng.standard_normal(shape))
        np.testing.assert_allclose(
            autodiff.jvp(plain, (x,), (t,))[1].numpy(),
            autodiff.jvp(weighted, (x,), (t,))[1].numpy(),
            atol=1e-13,
        )
        if x.size < 100:
            autodiff.check_grads(plain, (x,))
