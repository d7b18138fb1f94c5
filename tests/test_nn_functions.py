"""Functions of nn: values written out, derivatives against differences, and their ends."""

import math
import warnings

import mpmath
import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn
from arraygrad._backends.common import nn as backend_nn

FAR = [-math.inf, -1e300, -1e4, -40.0, -1.0, -0.0, 0.0, 0.5, 40.0, 1e4, 1e300, math.inf]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def smooth(xp, f, *arrays):
    autodiff.check_grads(f, tuple(map(xp.asarray, arrays)))


def complex_numbers(*shape, seed=0):
    return numbers(*shape, seed=seed) + 1j * numbers(*shape, seed=seed + 100)


# ---- complex numbers

Z = complex_numbers(2, 3)
COMPLEX_IMAGES = complex_numbers(2, 2, 3, 3)

#: Functions of complex numbers, and arguments; None for those that refuse them.
OF_COMPLEX = {
    "tanh": (nn.tanh, Z),
    "linear": (nn.linear, Z, complex_numbers(4, 3), complex_numbers(4)),
    "conv2d": (nn.conv2d, COMPLEX_IMAGES, complex_numbers(4, 2, 2, 2), complex_numbers(4)),
    "avg_pool2d": (lambda x: nn.avg_pool2d(x, 2, 1), COMPLEX_IMAGES),
    "embedding": (lambda w: nn.embedding(arraygrad.asarray([1, 0, 1], device=w.device), w), Z),
    "dropout": (
        lambda x: nn.dropout(x, rng=arraygrad.random.default_rng(0, device=x.device)), Z
    ),
    "mse": (nn.mse, Z, complex_numbers(2, 3, seed=1)),
    "l1": (nn.l1, Z, complex_numbers(2, 3, seed=1)),
    "huber": (nn.huber, Z, complex_numbers(2, 3, seed=1)),
    **dict.fromkeys(("relu", "sigmoid", "silu", "gelu", "softmax", "log_softmax")),
    **dict.fromkeys(("binary_cross_entropy_with_logits", "cross_entropy")),
    **dict.fromkeys(("max_pool2d", "layer_norm", "batch_norm")),
}  # fmt: skip

REFUSED = {
    "max_pool2d": lambda z: nn.max_pool2d(z[None, None], 1),
    "layer_norm": lambda z: nn.layer_norm(z, 3),
    "batch_norm": lambda z: nn.batch_norm(z, None, None, training=True),
    "cross_entropy": lambda z: nn.cross_entropy(z, arraygrad.ones((2, 3), device=z.device)),
    "binary_cross_entropy_with_logits": lambda z: nn.binary_cross_entropy_with_logits(z, z),
}


def test_every_function_has_its_word_on_complex_numbers():
    no_layers = {"calculate_gain", "load", "save"}
    functions = {
        name
        for name in set(nn.__all__) - no_layers
        if name.islower() and not name.startswith(("xavier", "kaiming"))
    }
    assert functions == set(OF_COMPLEX)


@pytest.mark.parametrize("name", [k for k, x in OF_COMPLEX.items() if x is not None])
def test_derivatives_of_complex_numbers(xp, name):
    function, *arrays = OF_COMPLEX[name]
    smooth(xp, function, *arrays)
    for i, a in enumerate(arrays):  # one real argument among complex ones
        if len(arrays) > 1:
            smooth(xp, function, *arrays[:i], a.real, *arrays[i + 1 :])


@pytest.mark.parametrize("name", [k for k, x in OF_COMPLEX.items() if x is None])
def test_what_has_no_meaning_for_complex_numbers_is_refused(xp, name):
    function = REFUSED.get(name) or getattr(nn, name)
    for dtype in (xp.complex64, xp.complex128):
        z = xp.asarray(Z, dtype=dtype)
        with pytest.raises(TypeError, match=rf"^{name}: \w+ must be real; got .*{z.dtype}"):
            function(z)
        with pytest.raises(TypeError, match=rf"^{name}: \w+ must be real"):
            autodiff.vjp(function, z)


def test_complex_weights_of_losses_are_refused(xp):
    x, w = xp.ones((2, 3)), xp.asarray(Z)
    with pytest.raises(TypeError, match="cross_entropy: weight must be real"):
        nn.cross_entropy(x, xp.asarray([0, 1]), w[0, :])
    for names in (("weight",), ("pos_weight",)):
        with pytest.raises(TypeError, match=f"logits: {names[0]}: x must be real"):
            nn.binary_cross_entropy_with_logits(x, x, **dict.fromkeys(names, w))
    with pytest.raises(TypeError, match="target must be real"):
        nn.binary_cross_entropy_with_logits(x, w)


def test_the_gradient_of_a_complex_convolution_has_conjugates(xp, same):
    one = xp.asarray([[[[1j]]]])

    def loss(x, w):
        return xp.real(nn.conv2d(x, w))[0, 0, 0, 0]

    for found in autodiff.grad(loss, argnums=(0, 1))(one, one):
        same(found, [[[[-1j]]]])
    for leaf in (one + 0, one + 0):
        leaf.requires_grad_()
        loss(leaf, one).backward()
        same(leaf.grad, [[[[-1j]]]])


@pytest.mark.parametrize("real", [None, 0, 1])
def test_second_derivatives_of_complex_convolutions(xp, real):
    """The cotangent of a square depends on the arguments, too."""
    arrays = [complex_numbers(1, 2, 3, 3), complex_numbers(2, 1, 2, 2)]
    if real is not None:
        arrays[real] = arrays[real].real
    smooth(xp, lambda x, w: nn.conv2d(x, w, padding=1, groups=2) ** 2, *arrays)


@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize("real", [None, 0, 1])
@pytest.mark.parametrize("how", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}])
def test_complex_convolutions_are_adjoint(xp, n, real, how):
    """The pullback is the adjoint of the pushforward, in the inner product of real parts."""
    groups = how.get("groups", 1)
    points = [complex_numbers(1, 2, 3, n), complex_numbers(2, 2 // groups, 2, 2)]
    directions = [
        complex_numbers(1, 2, 3, n, seed=1),
        complex_numbers(2, 2 // groups, 2, 2, seed=2),
    ]
    if real is not None:
        points[real], directions[real] = points[real].real, directions[real].real
    x, t = (tuple(map(xp.asarray, arrays)) for arrays in (points, directions))
    y, dy = autodiff.jvp(lambda *x: nn.conv2d(*x, **how), x, t)
    g = xp.asarray(complex_numbers(*y.shape, seed=3))
    pulled = autodiff.vjp(lambda *x: nn.conv2d(*x, **how), *x)[1](g)
    inner = [float(xp.real(xp.sum(xp.conj(a) * b))) for a, b in zip(pulled, t, strict=True)]
    assert sum(inner) == pytest.approx(float(xp.real(xp.sum(xp.conj(g) * dy))), rel=1e-9)
    assert [p.dtype for p in pulled] == [a.dtype for a in x]


def test_the_square_of_a_complex_error_is_that_of_its_size(xp, same):
    z = xp.asarray([3 + 4j, 1j])
    same(nn.mse(z, 0 * z, "none"), [25.0, 1.0])
    same(autodiff.grad(nn.mse)(z, 0 * z), [3 + 4j, 1j])
    same(nn.mse(xp.asarray([complex(math.inf, 0), 0]), 0 * z), math.inf)


# ---- small integers and bools


def integers(dtype, *shape, seed=0):
    limits = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    low, high = (max(limits[0], -(2**20)), min(limits[1], 2**20))
    return np.random.default_rng(seed).integers(low, high, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint64"])
@pytest.mark.parametrize("n", [3, 3000])
def test_small_integers_and_bools_do_not_wrap_around(xp, same, n, dtype):
    a, b = integers(dtype, n), integers(dtype, n, seed=1)
    x, y = xp.asarray(a), xp.asarray(b)
    exact, other = a.astype(np.float64), b.astype(np.float64)
    for reduction, reduce in (("mean", np.mean), ("sum", np.sum), ("none", np.asarray)):
        same(nn.mse(x, y, reduction), reduce((exact - other) ** 2), rtol=1e-12)
        same(nn.l1(x, y, reduction), reduce(np.abs(exact - other)), rtol=1e-12)
    r = np.abs(exact - other)
    same(nn.huber(x, y, "none"), np.where(r < 1, r**2 / 2, r - 0.5), rtol=1e-12)
    loss = nn.binary_cross_entropy_with_logits(
        x, xp.asarray(np.abs(other) / max(np.abs(other).max(), 1)), None, "none"
    )
    assert loss.dtype == xp.float64
    assert bool(xp.all(loss >= 0))
    images, z = a[: n // 3 * 3].reshape(1, 1, 3, -1), exact[: n // 3 * 3].reshape(1, 1, 3, -1)
    pooled = nn.avg_pool2d(xp.asarray(images), (3, 1))
    same(pooled, z.mean(2, keepdims=True), rtol=1e-12)
    same(nn.avg_pool2d(xp.asarray(images), (3, 1), padding=(1, 0), count_include_pad=False),
         np.stack([z[:, :, :2].mean(2)], 2), rtol=1e-12)  # fmt: skip
    same(nn.max_pool2d(xp.asarray(images), (3, 1)), images.max(2, keepdims=True))
    assert nn.max_pool2d(xp.asarray(images), (2, 1), padding=(1, 0)).dtype == images.dtype


def test_integers_do_not_wrap_around_in_strict_mode(xp, same):
    x, y = xp.asarray([0], dtype=xp.uint8), xp.asarray([16], dtype=xp.uint8)
    image = xp.full((1, 1, 2, 2), 200, dtype=xp.uint8)
    with xp.strict():
        same(nn.mse(x, y), 256.0)
        same(nn.avg_pool2d(image, 2), [[[[200.0]]]])


def test_integer_convolutions_with_a_bias_of_fractions(xp, same):
    image, kernel = xp.asarray([[[[1, 2]]]]), xp.asarray([[[[3, 4]]]])
    same(nn.conv2d(image, kernel, xp.asarray([0.5])), [[[[11.5]]]])
    same(nn.conv2d(image, kernel, xp.asarray([1])), [[[[12]]]])
    same(nn.conv2d(xp.asarray([[[[2.0]]]]), xp.asarray([[[[3.0]]]]), xp.asarray([1j])),
         [[[[6 + 1j]]]])  # fmt: skip


# ---- dtypes


@pytest.mark.parametrize("wide", range(4))
def test_dtypes_are_promoted_alike(xp, wide):
    """One argument of float64 among others of float32 makes the result one of float64."""

    def cast(*arrays):
        last = len(arrays) - 1
        return [
            xp.asarray(a, dtype=xp.float64 if i == min(wide, last) else xp.float32)
            for i, a in enumerate(arrays)
        ]

    image, kernel, three = numbers(1, 3, 4, 4), numbers(3, 3, 2, 2), numbers(3)
    probabilities = np.full((2, 3), 1 / 3)
    means, variances = xp.zeros(3, dtype=xp.float32), xp.ones(3, dtype=xp.float32)
    for f, arrays in (
        (nn.linear, (numbers(2, 3), numbers(3, 3), three)),
        (nn.conv2d, (image, kernel, three)),
        (lambda x, w, b: nn.layer_norm(x, 3, w, b), (numbers(2, 3), three, three)),
        (lambda x, w, b: nn.batch_norm(x, means, variances, w, b), (image, three, three)),
        (lambda x, w, b: nn.batch_norm(x, None, None, w, b, True), (image, three, three)),
        (nn.mse, (three, three)),
        (nn.l1, (three, three)),
        (nn.huber, (three, three)),
        (nn.cross_entropy, (numbers(2, 3), probabilities, np.abs(three))),
        (
            lambda x, t, w, p: nn.binary_cross_entropy_with_logits(x, t, w, "mean", p),
            (three, np.abs(three), np.abs(three), np.abs(three)),
        ),
    ):
        assert f(*cast(*arrays)).dtype == xp.float64
        assert f(*(xp.asarray(a, dtype=xp.float32) for a in arrays)).dtype == xp.float32
        narrow = cast(*arrays)  # gradients have the dtypes of the arguments
        gradients = autodiff.vjp(f, *narrow)[1](xp.ones_like(f(*narrow)))
        assert [g.dtype for g in gradients] == [a.dtype for a in narrow]


def test_a_wide_bias_keeps_its_digits(xp):
    one = xp.ones((1, 1, 1, 1), dtype=xp.float32)
    bias = xp.asarray([1e-12])
    assert float(nn.conv2d(one, one, bias)[0, 0, 0, 0]) == 1 + 1e-12
    assert float(nn.linear(one, one[0, 0, :, :], bias)[0, 0, 0, 0]) == 1 + 1e-12
    target = xp.asarray([1 / 3])
    found = nn.binary_cross_entropy_with_logits(xp.ones(1, dtype=xp.float32), target)
    assert float(found) == pytest.approx(math.log1p(math.exp(-1)) + 2 / 3, rel=1e-7)


# ---- activations


def _mp(f):
    def run(x):
        with mpmath.workdps(60):
            return float(f(mpmath.mpf(x)))

    return run


ACTIVATIONS = {
    "relu": (nn.relu, lambda x: max(x, 0)),
    "tanh": (nn.tanh, mpmath.tanh),
    "sigmoid": (nn.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x))),
    "silu": (nn.silu, lambda x: x / (1 + mpmath.exp(-x))),
    "gelu": (nn.gelu, lambda x: x * mpmath.ncdf(x)),
    "gelu, tanh": (
        lambda x: nn.gelu(x, "tanh"),
        lambda x: x / (1 + mpmath.exp(-mpmath.sqrt(8 / mpmath.pi) * (x + 0.044715 * x**3))),
    ),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(xp, same, name):
    function, reference = ACTIVATIONS[name]
    points = np.asarray([-700.0, -37.5, -9.0, -1.5, -1e-9, 1e-9, 0.3, 2.0, 9.0, 37.5, 700.0])
    expected = [_mp(reference)(x) for x in points]
    same(function(xp.asarray(points)), expected, rtol=1e-13)
    small = np.asarray(expected)[:2]  # with all digits where they are tiny
    if name not in ("tanh", "gelu, tanh"):
        np.testing.assert_allclose(function(xp.asarray(points[:2])).numpy(), small, rtol=1e-12)
    smooth(xp, function, np.asarray([-3.0, -0.7, 0.2, 1.0, 4.0]))
    assert function(xp.asarray(points, dtype=xp.float32)).dtype == xp.float32


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_far_out(xp, same, name):
    function, _ = ACTIVATIONS[name]
    x = xp.asarray(FAR)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = function(x)
        g = autodiff.grad(lambda x: xp.sum(function(x)))(x)
        h = autodiff.grad(lambda x: xp.sum(autodiff.grad(lambda x: xp.sum(function(x)))(x)))(x)
    left, right = {
        "tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)
    }.get(name, (0.0, math.inf))  # fmt: skip
    same(y[:3], [left] * 3, rtol=1e-15)
    same(y[-3:], [min(right, v) for v in FAR[-3:]], rtol=1e-15)
    same(g[:3], [0.0] * 3)
    same(g[-3:], [float(right == math.inf)] * 3)
    assert bool(xp.all(xp.isfinite(g)))
    assert bool(xp.all(xp.isfinite(h)))


def test_second_derivatives_by_the_tape(xp, same):
    """Where the pass backward is recorded, what an operation keeps counts as computed."""
    x = numbers(2, 2, 4, 4)
    w = numbers(2, 2, 3, 3)
    for f in (
        nn.sigmoid, nn.silu, nn.gelu, nn.softmax, nn.log_softmax,
        lambda x: nn.cross_entropy(x, xp.zeros((2, 4, 4), dtype=xp.int64)),
        lambda x: nn.binary_cross_entropy_with_logits(x, xp.ones(x.shape) / 3),
        lambda x: nn.layer_norm(x, 4), lambda x: nn.batch_norm(x, None, None, training=True),
        lambda x: nn.conv2d(x * x, xp.asarray(w), padding=1),
        lambda x: nn.max_pool2d(x * x, 2), lambda x: nn.avg_pool2d(x * x, 2),
    ):  # fmt: skip
        g = autodiff.grad(lambda x: xp.sum(f(x) ** 2))
        expected = autodiff.grad(lambda x: xp.sum(g(x) ** 2))(xp.asarray(x))
        v = autodiff.variable(xp.asarray(x))
        xp.sum(f(v) ** 2).backward(create_graph=True)
        first, v.grad = v.grad, None
        xp.sum(first**2).backward()
        same(v.grad, expected.numpy(), rtol=1e-10)


def test_integers_are_read_as_floating_point(xp, same):
    x = xp.asarray([-1, 0, 2])
    same(nn.relu(x), [0, 0, 2])
    for f in (nn.sigmoid, nn.silu, nn.gelu, nn.softmax, nn.log_softmax):
        same(f(x), f(xp.asarray([-1.0, 0.0, 2.0])).numpy())


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax(xp, same, axis):
    x = numbers(3, 4)
    e = np.exp(x)
    same(nn.softmax(xp.asarray(x), axis), e / e.sum(axis, keepdims=True), rtol=1e-14)
    same(nn.log_softmax(xp.asarray(x), axis), x - np.log(e.sum(axis, keepdims=True)), rtol=1e-14)
    weights = xp.asarray(numbers(3, 4, seed=1))
    for f in (nn.softmax, nn.log_softmax):
        smooth(xp, lambda x, f=f: f(x, axis) * weights, x)


@pytest.mark.parametrize(
    ("scores", "logs"),
    [
        ([1e4, 0.0, -1e4], [0.0, -1e4, -2e4]),
        ([math.inf, 0.0, -math.inf], [0.0, -math.inf, -math.inf]),
        ([math.inf, math.inf, 0.0], [-math.log(2), -math.log(2), -math.inf]),
        ([-math.inf, 0.0, 0.0], [-math.inf, -math.log(2), -math.log(2)]),
        ([-math.inf] * 3, [-math.log(3)] * 3),
        ([1e308, -1e308, 1e308], [-math.log(2), -math.inf, -math.log(2)]),
    ],
)
def test_softmax_far_out(xp, same, scores, logs):
    x = xp.asarray([scores, [0.0, 0.0, 0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(nn.log_softmax(x)[0, :], logs, rtol=1e-15)
        same(nn.softmax(x)[0, :], np.exp(logs), rtol=1e-15)
        for best in range(3):
            g = autodiff.grad(lambda x: nn.cross_entropy(x, xp.asarray([best, 0])))(x)
            assert bool(xp.all(xp.isfinite(g)))
    loss = nn.cross_entropy(x, xp.asarray([0, 0]), reduction="none")
    same(loss[0], -logs[0] + 0.0, rtol=1e-15)
    assert math.isnan(float(nn.softmax(xp.asarray([math.nan, math.inf]))[1]))


# ---- losses


@pytest.mark.parametrize("f", [nn.softmax, nn.log_softmax])
def test_softmax_of_nothing(xp, f):
    for shape, axis in (((2, 0), 1), ((2, 0), 0), ((0, 2), 1), ((0,), -1)):
        x = xp.ones(shape)
        y, pull = autodiff.vjp(lambda x, axis=axis: f(x, axis), x)
        assert y.shape == pull(y)[0].shape == shape
        assert f(x, axis) is not x
    with pytest.raises((IndexError, ValueError), match="axis"):
        f(xp.ones((2, 0)), 2)


def test_squared_absolute_and_huber_errors(xp, same):
    x, y = numbers(3, 4), numbers(3, 4, seed=1)
    d = np.abs(x - y)
    losses = {
        nn.mse: d * d,
        nn.l1: d,
        nn.huber: np.where(d < 1, d * d / 2, d - 0.5),
        lambda *a: nn.huber(*a, delta=0.3): np.where(d < 0.3, d * d / 2, 0.3 * (d - 0.15)),
    }
    a, b = xp.asarray(x), xp.asarray(y)
    for f, expected in losses.items():
        same(f(a, b, "none"), expected, rtol=1e-14)
        same(f(a, b, "sum"), expected.sum(), rtol=1e-14)
        same(f(a, b), expected.mean(), rtol=1e-14)
        smooth(xp, f, x, y)
    far = xp.asarray([math.inf, -1e300])
    same(autodiff.grad(lambda x: nn.huber(x, xp.zeros(2), "sum"))(far), [1.0, -1.0])
    same(autodiff.grad(lambda x: nn.l1(x, xp.zeros(2), "sum"))(xp.zeros(2)), [0.0, 0.0])


def test_binary_cross_entropy(xp, same):
    x, y = numbers(3, 4), np.random.default_rng(1).random((3, 4))
    w, p = np.random.default_rng(2).random(4), np.random.default_rng(3).random((3, 1))
    s = 1 / (1 + np.exp(-x))
    f = nn.binary_cross_entropy_with_logits
    a, b = xp.asarray(x), xp.asarray(y)
    same(f(a, b, reduction="none"), -(y * np.log(s) + (1 - y) * np.log(1 - s)), rtol=1e-13)
    weighted = -w * (p * y * np.log(s) + (1 - y) * np.log(1 - s))
    same(f(a, b, xp.asarray(w), pos_weight=xp.asarray(p)), weighted.mean(), rtol=1e-13)
    smooth(xp, f, x, y)
    same(autodiff.grad(lambda x: f(x, xp.asarray([0.5, 1.0])))(xp.zeros(2)), [0.0, -0.25])


def test_binary_cross_entropy_far_out(xp, same):
    x = xp.asarray([-math.inf, -1e4, 1e4, math.inf, 1e4, -1e4, math.inf])
    y = xp.asarray([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    f = nn.binary_cross_entropy_with_logits
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(f(x, y, reduction="none"), [0.0, 0.0, 0.0, 0.0, 1e4, 1e4, math.inf])
        same(autodiff.grad(lambda x: f(x, y, reduction="sum"))(x), [0.0, 0, 0, 0, 1, -1, 1])


def written_out(x, parts, weight, smoothing):
    """Losses of rows of scores, by the definition."""
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    parts = (1 - smoothing) * parts + smoothing / x.shape[1]
    return -(weight * parts * logs).sum(1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy(xp, same, smoothing, weighted):
    x, target = numbers(5, 3), np.asarray([0, 2, 1, 1, 0])
    weight = np.asarray([1.0, 0.5, 2.0]) if weighted else np.ones(3)
    kwargs = {"label_smoothing": smoothing, "weight": xp.asarray(weight) if weighted else None}
    losses = written_out(x, np.eye(3)[target], weight, smoothing)
    a, t = xp.asarray(x), xp.asarray(target)
    same(nn.cross_entropy(a, t, reduction="none", **kwargs), losses, rtol=1e-13)
    same(nn.cross_entropy(a, t, reduction="sum", **kwargs), losses.sum(), rtol=1e-13)
    same(nn.cross_entropy(a, t, **kwargs), losses.sum() / weight[target].sum(), rtol=1e-13)
    smooth(xp, lambda x: nn.cross_entropy(x, t, **kwargs), x)
    same(nn.cross_entropy(a[1, :], t[1], reduction="none", **kwargs), losses[1], rtol=1e-13)

    for number, kept in ((7, np.asarray([True, False, True, True, False])), (1, target != 1)):
        ignored = xp.asarray(np.where(kept, target, number))
        options = {"ignore_index": number, **kwargs}
        found = nn.cross_entropy(a, ignored, reduction="none", **options)
        same(found, np.where(kept, losses, 0), rtol=1e-13)
        found = nn.cross_entropy(a, ignored, **options)
        same(found, losses[kept].sum() / weight[target[kept]].sum(), rtol=1e-13)

    parts = np.random.default_rng(4).random((5, 3))
    losses = written_out(x, parts, weight, smoothing)
    same(nn.cross_entropy(a, xp.asarray(parts), **kwargs), losses.mean(), rtol=1e-13)
    smooth(xp, lambda x, p: nn.cross_entropy(x, p, **kwargs), x, parts)

    image = numbers(2, 3, 2, 2)
    where = np.random.default_rng(5).integers(0, 3, (2, 2, 2))
    rows = np.moveaxis(image, 1, -1).reshape(-1, 3)
    losses = written_out(rows, np.eye(3)[where.reshape(-1)], weight, smoothing)
    found = nn.cross_entropy(xp.asarray(image), xp.asarray(where), reduction="none", **kwargs)
    same(found, losses.reshape(2, 2, 2), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "int64"])
def test_classes_beyond_the_dtype_of_their_indices(xp, same, dtype):
    scores, target = numbers(3, 300), np.asarray([5, 0, 127])
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    indices = xp.asarray(target, dtype=dtype)
    same(nn.cross_entropy(xp.asarray(scores), indices, reduction="none"),
         -logs[np.arange(3), target], rtol=1e-12)  # fmt: skip
    ignored = nn.cross_entropy(xp.asarray(scores), indices, ignore_index=127)
    same(ignored, -logs[np.arange(2), target[:2]].mean(), rtol=1e-12)


def test_a_negative_index_to_ignore_is_no_large_class():
    scores = arraygrad.ones((2, 3))
    huge = arraygrad.asarray([0, 2**64 - 100], dtype=arraygrad.uint64)  # -100 as an int64
    with pytest.raises(ValueError, match=r"cross_entropy: target .*out of range"):
        nn.cross_entropy(scores, huge)


def test_the_mean_of_an_empty_batch_is_not_a_number(xp):
    none, scores = xp.ones(0), xp.ones((0, 3))
    for loss in (
        lambda r: nn.mse(none, none, r),
        lambda r: nn.l1(none, none, r),
        lambda r: nn.huber(none, none, r),
        lambda r: nn.binary_cross_entropy_with_logits(none, none, reduction=r),
        lambda r: nn.cross_entropy(scores, scores, reduction=r),
        lambda r: nn.cross_entropy(scores, xp.ones(0, dtype=xp.int64), reduction=r),
        lambda r: nn.cross_entropy(
            xp.ones((2, 3)), xp.asarray([1, 1]), ignore_index=1, reduction=r
        ),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # as the mean of nothing warns
            assert math.isnan(float(loss("mean")))
        assert float(loss("sum")) == 0.0


def test_a_class_without_part_adds_nothing(xp, same):
    x = xp.asarray([[-math.inf, 0.0], [0.0, math.inf]])
    for target in (xp.asarray([1, 1]), xp.asarray([[0.0, 1.0], [0.0, 1.0]])):
        same(nn.cross_entropy(x, target), 0.0)
        same(autodiff.grad(lambda x: nn.cross_entropy(x, target))(x), np.zeros((2, 2)))
    same(nn.cross_entropy(x, xp.asarray([1, 0])), math.inf)


def test_a_class_that_is_none(xp):
    for wrong in (-1, 2, 7):
        target = xp.asarray([0, wrong])
        if xp.default_device().device == "cpu":
            with pytest.raises(
                ValueError, match="cross_entropy: target must be class indices from 0 to 1"
            ):
                nn.cross_entropy(xp.zeros((2, 2)), target)
        else:
            loss = nn.cross_entropy(xp.zeros((2, 2)), target, reduction="none")
            assert [math.isnan(v) for v in loss.tolist()] == [False, True]


# ---- layers as functions


def test_linear(xp, same):
    x, w, b = numbers(2, 3, 4), numbers(5, 4), numbers(5)
    same(nn.linear(*map(xp.asarray, (x, w, b))), x @ w.T + b, rtol=1e-14)
    same(nn.linear(*map(xp.asarray, (x, w))), x @ w.T, rtol=1e-14)
    smooth(xp, nn.linear, x, w, b)
    smooth(xp, nn.linear, numbers(4), w, b)
    smooth(xp, nn.linear, numbers(2, 2, 4), w + 1j * numbers(5, 4, seed=3), b)
    assert nn.linear(*(xp.asarray(a, dtype=xp.float32) for a in (x, w)), xp.asarray(b)).dtype == (
        xp.float64
    )
    g = autodiff.grad(lambda w: xp.sum(nn.linear(xp.asarray(x), w) ** 2))(xp.asarray(w))
    if xp is arraygrad:  # of the layout of the weight, which optimisers read beside it
        assert g.numpy().flags.c_contiguous


def correlated(x, weight, bias, stride, padding, dilation, groups):
    """A convolution, one number after the other."""
    (s, t), (p, q), (d, e) = stride, padding, dilation
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    n, _, height, width = x.shape
    out, inside, kh, kw = weight.shape
    rows, columns = (height - d * (kh - 1) - 1) // s + 1, (width - e * (kw - 1) - 1) // t + 1
    y = np.empty((n, out, rows, columns))
    for o in range(out):
        part = slice(*(o // (out // groups) * inside + np.asarray([0, inside])))
        for i in range(rows):
            for j in range(columns):
                r, c = i * s, j * t
                window = x[:, part, r : r + d * (kh - 1) + 1 : d, c : c + e * (kw - 1) + 1 : e]
                y[:, o, i, j] = (window * weight[o]).sum((1, 2, 3)) + bias[o]
    return y


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("dilation", [(1, 1), (1, 2)])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (3, 3)])
def test_convolution(xp, same, stride, padding, dilation, groups):
    x, w, b = numbers(2, 4, 6, 5), numbers(8, 4 // groups, 3, 2), numbers(8)
    expected = correlated(x, w, b, stride, padding, dilation, groups)
    how = (stride, padding, dilation, groups)
    a = tuple(map(xp.asarray, (x, w, b)))
    same(nn.conv2d(*a, *how), expected, rtol=1e-12)
    g = xp.asarray(numbers(*expected.shape, seed=9))
    y, pull = autodiff.vjp(lambda x, w, b: nn.conv2d(x, w, b, *how), *a)
    same(y, expected, rtol=1e-12)
    # It is linear in each, so its transposes are known by inner products.
    total = float(xp.sum(g * (y - a[2][None, :, None, None])))
    for x_or_w, found in zip(a[:2], pull(g), strict=False):
        assert float(xp.sum(x_or_w * found)) == pytest.approx(total, rel=1e-10)
    same(pull(g)[2], g.numpy().sum((0, 2, 3)), rtol=1e-12)


def test_convolution_to_second_order(xp):
    x, w, b = numbers(1, 2, 4, 3), numbers(2, 1, 2, 2), numbers(2)
    smooth(xp, lambda x, w, b: nn.conv2d(x, w, b, 1, 1, 1, 2) ** 2, x, w, b)
    smooth(xp, lambda w: nn.conv2d(xp.asarray(x), w, None, 2, 0, 1, 2) ** 2, w)


def test_convolution_by_parts_is_the_same(same, monkeypatch):
    xp = arraygrad
    x, w, b = map(xp.asarray, (numbers(3, 2, 9, 8), numbers(4, 2, 3, 3), numbers(4)))

    def gradients():
        f = autodiff.value_and_grad(lambda *a: xp.sum(nn.conv2d(*a, 2, 1) ** 2), argnums=(0, 1, 2))
        value, grads = f(x, w, b)
        return [value, *grads]

    whole = gradients()
    table = arraygrad.Device("cpu").ops
    of_parts = backend_nn.operations(np, np.where, table["settle"], np.errstate, 1)
    for name in ("nn.convolve", "nn.to_weight", "nn.to_images"):
        monkeypatch.setitem(table, name, of_parts[name])
    windows = backend_nn.Windows((9, 8), (3, 3), (2, 2), (1, 1), (1, 1), (1, 1))
    assert len(backend_nn._row_parts(np.zeros((2, 9, 8, 3)), windows, 1)) == 5
    for a, b in zip(gradients(), whole, strict=True):
        same(a, b.numpy(), rtol=1e-12)


def test_same_and_valid_padding(xp, same):
    x, w = xp.asarray(numbers(1, 1, 5, 5)), xp.asarray(numbers(1, 1, 3, 2))
    found = nn.conv2d(x, w, padding="same")
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (0, 1)))
    same(found, nn.conv2d(xp.asarray(padded), w).numpy())
    same(nn.conv2d(x, w, padding="valid"), nn.conv2d(x, w).numpy())


POOLS = [
    ((2, 2), (2, 2), (0, 0)),
    ((3, 2), (2, 1), (1, 1)),
    ((2, 2), (3, 1), (1, 0)),
    ((1, 1), (1, 1), (0, 0)),
]


@pytest.mark.parametrize(("kernel", "stride", "padding"), POOLS)
def test_pooling(xp, same, kernel, stride, padding):
    x = numbers(2, 3, 6, 5)
    (kh, kw), (s, t), (p, q) = kernel, stride, padding
    rows, columns = (6 + 2 * p - kh) // s + 1, (5 + 2 * q - kw) // t + 1

    def pooled(fill, reduce):
        y = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)), constant_values=fill)
        places = [(i * s, j * t) for i in range(rows) for j in range(columns)]
        parts = [reduce(y[:, :, i : i + kh, j : j + kw], (2, 3)) for i, j in places]
        return np.stack(parts, -1).reshape(2, 3, rows, columns)

    a = xp.asarray(x)
    same(nn.max_pool2d(a, kernel, stride, padding), pooled(-np.inf, np.max))
    same(nn.avg_pool2d(a, kernel, stride, padding), pooled(0, np.mean), rtol=1e-14)
    same(
        nn.avg_pool2d(a, kernel, stride, padding, count_include_pad=False),
        pooled(np.nan, np.nanmean),
        rtol=1e-14,
    )
    small = x[:1, :1]
    smooth(xp, lambda x: nn.max_pool2d(x, kernel, stride, padding) ** 2, small)
    smooth(xp, lambda x: nn.avg_pool2d(x, kernel, stride, padding, False) ** 2, small)


def test_the_first_of_equal_ones_has_the_gradient(xp, same):
    x = xp.asarray([[[[1.0, 3.0, 3.0], [3.0, 0.0, 3.0]]]])
    g = autodiff.grad(lambda x: xp.sum(nn.max_pool2d(x, 2, 1)))(x)
    same(g, [[[[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]])
    ints = xp.asarray(np.arange(-8, 8).reshape(1, 1, 4, 4))
    same(nn.max_pool2d(ints, 2, padding=1), [[[[-8, -6, -5], [0, 2, 3], [4, 6, 7]]]])
    dilated = xp.asarray(numbers(1, 1, 5, 5))
    same(
        nn.max_pool2d(dilated, 2, 1, dilation=2)[0, 0, 0, 0],
        dilated.numpy()[0, 0, :3:2, :3:2].max(),
    )


def test_embedding(xp, same):
    w, ids = numbers(4, 3), np.asarray([[1, 1, 3], [0, 2, 1]])
    a, i = xp.asarray(w), xp.asarray(ids)
    same(nn.embedding(i, a), w[ids])
    smooth(xp, lambda w: nn.embedding(i, w) ** 2, w)
    g = autodiff.grad(lambda w: xp.sum(nn.embedding(i, w, padding_idx=1)))(a)
    same(g, np.asarray([1.0, 0.0, 1.0, 1.0])[:, None] * np.ones(3))


def test_a_padding_row_of_an_embedding_is_one_of_its_rows(xp, same):
    w = xp.asarray(numbers(3, 2))
    for dtype in ("int64", "uint8", "int8"):
        ids = xp.asarray([0, 1, 2], dtype=dtype)

        def loss(w, row, ids=ids):
            return xp.sum(nn.embedding(ids, w, padding_idx=row))

        for row in (-3, -1, 0, 2, np.int64(2)):
            expected = np.ones((3, 2))
            expected[row] = 0.0
            same(autodiff.grad(loss)(w, row), expected)
            same(autodiff.jvp(lambda w, row=row: loss(w, row), (w,), (w,))[1],
                 np.sum(expected * w.numpy()), rtol=1e-14)  # fmt: skip
        for row in (3, 5, -4):
            with pytest.raises(ValueError, match=rf"embedding: padding_idx .* 3 rows; got {row}"):
                loss(w, row)


def test_indices_that_an_embedding_lacks(same):
    w = arraygrad.ones((3, 2))
    for layer in (lambda ids: nn.embedding(ids, w), nn.Embedding(3, 2)):
        for wrong in (-1, 3, 7):
            ids = arraygrad.asarray([[0, wrong, 2]])
            with pytest.raises(
                IndexError, match=f"embedding: ids must be from 0 to 2; got {wrong}"
            ):
                layer(ids)
            with pytest.raises(IndexError, match=f"embedding: ids .*{wrong}"):
                autodiff.grad(lambda w, ids=ids: arraygrad.sum(nn.embedding(ids, w)))(w)


def test_an_embedding_without_rows(xp):
    none = xp.ones((0, 3))
    for shape in ((0,), (2, 0)):
        ids = xp.zeros(shape, dtype=xp.int64)
        assert nn.embedding(ids, none).shape == (*shape, 3)
        assert nn.embedding(ids, xp.ones((4, 3)), padding_idx=0).shape == (*shape, 3)
        assert autodiff.grad(lambda w, i=ids: xp.sum(nn.embedding(i, w)))(none).shape == (0, 3)
    with pytest.raises(ValueError, match=r"embedding: padding_idx .* 0 rows; got 0"):
        nn.embedding(ids, none, padding_idx=0)


def test_images_without_an_axis_for_the_batch(xp, same):
    x, w, b = xp.asarray(numbers(4, 6, 5)), xp.asarray(numbers(6, 2, 3, 3)), xp.ones(6)
    for f in (
        lambda x: nn.conv2d(x, w, b, padding=1, groups=2),
        lambda x: nn.max_pool2d(x, 2, padding=1),
        lambda x: nn.avg_pool2d(x, 2, padding=1, count_include_pad=False),
        nn.Conv2d(4, 2, 3, rng=xp.random.default_rng(0)),
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
    ):
        expected = f(x[None])[0, ...]
        same(f(x).detach(), expected.detach().numpy())
        g = autodiff.grad(lambda x, f=f: xp.sum(f(x) ** 2))(x)
        whole = autodiff.grad(lambda x, f=f: xp.sum(f(x) ** 2))(x[None])
        same(g.detach(), whole[0, ...].detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("shape", [4, (4,), (3, 4)])
def test_layer_norm(xp, same, shape):
    x = numbers(2, 3, 4) * 10
    sizes = (shape,) if isinstance(shape, int) else shape
    w, b = numbers(*sizes, seed=1), numbers(*sizes, seed=2)
    axes = tuple(range(-len(sizes), 0))
    z = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    a = tuple(map(xp.asarray, (x, w, b)))
    same(nn.layer_norm(a[0], shape, *a[1:]), z * w + b, rtol=1e-13)
    same(nn.layer_norm(a[0], shape), z, rtol=1e-13)
    smooth(xp, lambda x, w, b: nn.layer_norm(x, shape, w, b) ** 2, numbers(2, 3, 4), w, b)
    equal = autodiff.grad(lambda x: xp.sum(nn.layer_norm(x, 4) ** 2))(xp.ones((2, 4)) * 1e4)
    same(equal, np.zeros((2, 4)))


def test_layer_norm_of_nothing(xp):
    for shape, axes in (((3, 0), 0), ((0, 3), 3), ((2, 0, 3), (0, 3))):
        x = xp.ones(shape)
        y, pull = autodiff.vjp(lambda x, axes=axes: nn.layer_norm(x, axes), x)
        assert y.shape == pull(y)[0].shape == shape
        assert (
            autodiff.jvp(lambda x, axes=axes: nn.layer_norm(x, axes), (x,), (x,))[1].shape == shape
        )
        assert nn.layer_norm(x, axes) is not x


def test_batch_norm(xp, same):
    x, w, b = numbers(3, 2, 4, 5), numbers(2, seed=1), numbers(2, seed=2)
    m, v = numbers(2, seed=3), np.asarray([0.5, 2.0])
    a = tuple(map(xp.asarray, (x, w, b)))
    means, variances = xp.asarray(m, copy=True), xp.asarray(v, copy=True)
    axes, along = (0, 2, 3), (1, 2, 1, 1)

    def by(mean, var):
        z = (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + 1e-5)
        return z * w.reshape(along) + b.reshape(along)

    same(nn.batch_norm(a[0], means, variances, *a[1:]), by(m, v), rtol=1e-13)
    same(means, m)
    found = nn.batch_norm(a[0], means, variances, *a[1:], training=True, momentum=0.25)
    same(found, by(x.mean(axes), x.var(axes)), rtol=1e-13)
    same(means, 0.75 * m + 0.25 * x.mean(axes), rtol=1e-13)
    same(variances, 0.75 * v + 0.25 * x.var(axes, ddof=1), rtol=1e-13)
    for training in (True, False):
        smooth(
            xp,
            lambda x, w, b, training=training: nn.batch_norm(
                x, None if training else means, None if training else variances, w, b, training
            ) ** 2,
            numbers(2, 2, 2, 1), w, b,
        )  # fmt: skip
    assert type(means) is arraygrad.Tensor


def test_dropout(xp, same):
    x = xp.ones((50, 40))
    y = nn.dropout(x, 0.25, rng=xp.random.default_rng(0))
    values = y.numpy()
    assert set(np.unique(values)) == {0.0, 1 / 0.75}
    assert abs((values == 0).mean() - 0.25) < 0.05
    same(nn.dropout(x, 0.25, rng=xp.random.default_rng(0)), values)
    assert nn.dropout(x, 0.5, training=False) is x
    same(nn.dropout(x, 1.0), np.zeros((50, 40)))
    g = autodiff.grad(lambda x: xp.sum(nn.dropout(x, 0.25, rng=xp.random.default_rng(0))))(x)
    same(g, values)
    far = nn.dropout(xp.full(100, math.inf), 0.5, rng=xp.random.default_rng(0))
    assert set(far.tolist()) == {0.0, math.inf}
    same(autodiff.grad(lambda x: xp.sum(nn.dropout(x, 1.0)))(xp.ones(2)), [0.0, 0.0])


# ---- initial values


@pytest.mark.parametrize(
    ("name", "kwargs", "variance"),
    [
        ("xavier", {}, 2 / (40 * 9 + 30 * 9)),
        ("xavier", {"gain": 2.0}, 8 / (40 * 9 + 30 * 9)),
        ("kaiming", {}, 2 / (40 * 9)),
        ("kaiming", {"mode": "fan_out", "nonlinearity": "relu"}, 2 / (30 * 9)),
        ("kaiming", {"a": math.sqrt(5)}, 1 / (3 * 40 * 9)),
        ("kaiming", {"nonlinearity": "tanh"}, (5 / 3) ** 2 / (40 * 9)),
    ],
)
def test_initial_values(xp, name, kwargs, variance):
    for kind in ("uniform", "normal"):
        f = getattr(nn, f"{name}_{kind}")
        w = f((30, 40, 3, 3), rng=xp.random.default_rng(0), dtype=xp.float32, **kwargs)
        assert (w.shape, w.dtype) == ((30, 40, 3, 3), xp.float32)
        values = w.numpy().astype(float)
        assert values.var() == pytest.approx(variance, rel=0.05)
        assert abs(values.mean()) < 5 * (variance / values.size) ** 0.5
        if kind == "uniform":
            assert np.abs(values).max() <= math.sqrt(3 * variance) * (1 + 1e-6)
    assert f((2, 0)).shape == (2, 0)


def test_initial_values_of_no_neurons(xp):
    for name in ("xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform"):
        for shape in ((0, 0), (0, 3), (3, 0), (0, 0, 2, 2)):
            assert getattr(nn, name)(shape).shape == shape


# ---- NumPy's numbers


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.uint8])
def test_sizes_and_steps_may_be_numpys(xp, same, integer):
    x = xp.asarray(numbers(1, 2, 8, 8))
    w = xp.asarray(numbers(4, 1, 2, 2))
    one, two = integer(1), integer(2)
    same(nn.conv2d(x, w, None, two, one, one, two), nn.conv2d(x, w, None, 2, 1, 1, 2).numpy())
    same(nn.conv2d(x, w, None, (two, one), (one, one), 1, two),
         nn.conv2d(x, w, None, (2, 1), 1, 1, 2).numpy())  # fmt: skip
    same(nn.max_pool2d(x, two, one, one, one), nn.max_pool2d(x, 2, 1, 1, 1).numpy())
    same(nn.avg_pool2d(x, (two, two), one, one), nn.avg_pool2d(x, 2, 1, 1).numpy())
    same(nn.layer_norm(x, integer(8)), nn.layer_norm(x, 8).numpy())
    same(nn.layer_norm(x, (integer(8), 8)), nn.layer_norm(x, (8, 8)).numpy())
    for layer in (
        nn.Conv2d(two, integer(4), two, one, one, one, two),
        nn.Sequential(nn.Flatten(one), nn.Linear(integer(128), two)),
        nn.BatchNorm2d(two),
        nn.LayerNorm(integer(8)),
        nn.MaxPool2d(two, one),
        nn.AvgPool2d(two, one),
    ):
        assert layer(x).shape[0] == 1
    layer = nn.Embedding(integer(3), two, padding_idx=two)
    same(layer(xp.asarray([2])).detach(), [[0.0, 0.0]])


@pytest.mark.parametrize("real", [np.float16, np.float32, np.float64])
def test_rates_may_be_numpys(xp, same, real):
    """They count as Python's floats, whose dtype is that of the tensors."""
    third = real(0.3)
    p = float(third)
    for dtype in (xp.float32, xp.float64):
        x, w = xp.asarray(numbers(4, 3), dtype=dtype), xp.asarray(numbers(3), dtype=dtype)
        rng = [xp.random.default_rng(0) for _ in range(2)]
        half = xp.astype(x > 0, dtype)
        for a, b in (
            (nn.dropout(x, third, rng=rng[0]), nn.dropout(x, p, rng=rng[1])),
            (nn.layer_norm(x, 3, w, eps=third), nn.layer_norm(x, 3, w, eps=p)),
            (
                nn.batch_norm(x, None, None, w, training=True, momentum=third, eps=third),
                nn.batch_norm(x, None, None, w, training=True, momentum=p, eps=p),
            ),
            (nn.huber(x, half, delta=third), nn.huber(x, half, delta=p)),
            (
                nn.cross_entropy(x, half, label_smoothing=third),
                nn.cross_entropy(x, half, label_smoothing=p),
            ),
        ):
            assert a.dtype == b.dtype == dtype
            same(a, b.numpy())
        means = [xp.zeros(3, dtype=dtype), xp.zeros(3, dtype=dtype)]
        for m, rate in zip(means, (third, p), strict=True):
            nn.batch_norm(x, m, None, training=True, momentum=rate)
        same(means[0], means[1].numpy())
    assert nn.calculate_gain("leaky_relu", third) == nn.calculate_gain("leaky_relu", p)
    for name in ("xavier_normal", "kaiming_uniform"):
        found = [getattr(nn, name)((3, 4), q, rng=xp.random.default_rng(0)) for q in (third, p)]
        same(found[0], found[1].numpy())


# ---- bad input

X = arraygrad.ones((2, 3))
IMAGE = arraygrad.ones((2, 3, 5, 5))
KERNEL = arraygrad.ones((4, 3, 3, 3))

BAD = {
    "shapes of mse": (lambda: nn.mse(X, X[:, :1]), ValueError, r"mse: .*\(2, 3\) and \(2, 1\)"),
    "mse of a list": (lambda: nn.mse([1.0], X), TypeError, "mse: input"),
    "reduction": (lambda: nn.l1(X, X, "avg"), ValueError, "l1: reduction .*'avg'"),
    "delta": (lambda: nn.huber(X, X, delta=0), ValueError, "huber: delta .*0"),
    "classes": (
        lambda: nn.cross_entropy(X, arraygrad.asarray([0, 1, 2])), ValueError, "_entropy: target"
    ),
    "bools": (
        lambda: nn.cross_entropy(X, arraygrad.asarray([True, True])), TypeError, "cross_entropy"
    ),
    "weight of too few classes": (
        lambda: nn.cross_entropy(X, arraygrad.asarray([0, 1]), X[0, :2]), ValueError, "weight"
    ),
    "smoothing": (
        lambda: nn.cross_entropy(X, arraygrad.asarray([0, 1]), label_smoothing=2), ValueError, "2"
    ),
    "no axis": (
        lambda: nn.cross_entropy(X[0, 0], arraygrad.asarray(0)), ValueError, "axis for the classes"
    ),
    "gelu": (lambda: nn.gelu(X, "exact"), ValueError, "gelu: approximate .*'exact'"),
    "linear": (lambda: nn.linear(X, X.T), ValueError, r"linear: .*\(2, 3\).*\(3, 2\)"),
    "images": (lambda: nn.conv2d(X, KERNEL), ValueError, r"conv2d: images .*\(2, 3\)"),
    "channels": (
        lambda: nn.conv2d(IMAGE[:, :2], KERNEL), ValueError, "conv2d: .*2 channels.*groups=1"
    ),
    "bias of linear": (
        lambda: nn.linear(X, X, X), ValueError, r"linear: bias must have shape \(2,\); got .*2, 3"
    ),
    "weight of layer_norm": (
        lambda: nn.layer_norm(X, 3, X), ValueError, r"layer_norm: weight .*\(3,\)"
    ),
    "bias of layer_norm": (
        lambda: nn.layer_norm(X, 3, None, X[0, :2]), ValueError, r"layer_norm: bias .*\(3,\)"
    ),
    "weight of batch_norm": (
        lambda: nn.batch_norm(X, X[0, :], X[0, :], X.T), ValueError, r"batch_norm: weight .*\(3,\)"
    ),
    "bias of batch_norm": (
        lambda: nn.batch_norm(X, X[0, :], X[0, :], None, X), ValueError, r"batch_norm: bias .*3,"
    ),
    "running mean": (
        lambda: nn.batch_norm(X, X[0, :1], X[0, :]), ValueError, "batch_norm: running_mean .*3,"
    ),
    "running variance": (
        lambda: nn.batch_norm(X, None, X, training=True), ValueError, "batch_norm: running_var"
    ),
    "weight of logits": (
        lambda: nn.binary_cross_entropy_with_logits(X, X, arraygrad.ones((4, 2, 3))),
        ValueError,
        r"logits: weight must broadcast to \(2, 3\)",
    ),
    "weight of positives": (
        lambda: nn.binary_cross_entropy_with_logits(X, X, pos_weight=X[:, :2]),
        ValueError,
        r"logits: pos_weight must broadcast to \(2, 3\)",
    ),
    "vectors to embed": (
        lambda: nn.embedding(arraygrad.asarray([0]), X[0, :]), ValueError, "embedding: weight "
    ),
    "groups that are no int": (
        lambda: nn.conv2d(IMAGE, KERNEL, groups=1.0), ValueError, "conv2d: .*groups=1.0"
    ),
    "groups": (lambda: nn.conv2d(IMAGE, KERNEL, groups=3), ValueError, "conv2d: .*groups=3"),
    "bias": (lambda: nn.conv2d(IMAGE, KERNEL, X[0]), ValueError, r"conv2d: bias .*\(4,\)"),
    "kernel too large": (
        lambda: nn.conv2d(IMAGE, KERNEL, dilation=3), ValueError, "conv2d: .*does not fit"
    ),
    "same and stride": (
        lambda: nn.conv2d(IMAGE, KERNEL, None, 2, "same"), ValueError, "conv2d: padding='same'"
    ),
    "stride": (lambda: nn.conv2d(IMAGE, KERNEL, None, 0), ValueError, "conv2d: stride .*0"),
    "padding": (lambda: nn.conv2d(IMAGE, KERNEL, None, 1, (1,)), ValueError, "conv2d: padding"),
    "kernel_size": (lambda: nn.max_pool2d(IMAGE, 2.5), ValueError, "max_pool2d: kernel_size .*2.5"),
    "padding of a pool": (
        lambda: nn.avg_pool2d(IMAGE, 2, padding=2), ValueError, "avg_pool2d: padding .*half"
    ),
    "pool too large": (lambda: nn.max_pool2d(IMAGE, 7), ValueError, "max_pool2d: .*does not fit"),
    "embedding": (lambda: nn.embedding(X, X), TypeError, "embedding: ids .*float64"),
    "layer_norm": (lambda: nn.layer_norm(X, 2), ValueError, r"layer_norm: .*\(2,\).*\(2, 3\)"),
    "one number": (
        lambda: nn.batch_norm(X[:1], None, None, training=True), ValueError, "batch_norm: training"
    ),
    "no statistics": (lambda: nn.batch_norm(X, None, None), ValueError, "batch_norm: .*running"),
    "p": (lambda: nn.dropout(X, 1.5), ValueError, "dropout: p .*1.5"),
    "fan": (lambda: nn.xavier_normal((3,)), ValueError, r"xavier_normal: shape .*\(3,\)"),
    "mode": (lambda: nn.kaiming_normal((3, 2), mode="in"), ValueError, "normal: mode .*'in'"),
    "gain": (lambda: nn.calculate_gain("cosine"), ValueError, "calculate_gain: .*'cosine'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()


ODD = [None, "0.1", "", [0.1], (1,), {}, 1j, object(), np.ones(2), np.bool_(True), np.asarray("a"),
       arraygrad.ones(2), arraygrad.asarray(1j), float, True]  # fmt: skip

NUMBERS = {
    "layer_norm: eps": lambda a: nn.layer_norm(X, 3, eps=a),
    "batch_norm: eps": lambda a: nn.batch_norm(X, X[0, :], X[0, :], eps=a),
    "dropout: p": lambda a: nn.dropout(X, a),
    "Dropout: p": nn.Dropout,
    "huber: delta": lambda a: nn.huber(X, X, delta=a),
    "cross_entropy: label_smoothing": lambda a: nn.cross_entropy(X, X, label_smoothing=a),
    "cross_entropy: ignore_index": lambda a: nn.cross_entropy(
        X, arraygrad.asarray([0, 1]), ignore_index=a
    ),
    "xavier_uniform: gain": lambda a: nn.xavier_uniform((2, 3), a),
    "xavier_normal: gain": lambda a: nn.xavier_normal((2, 3), a),
    "kaiming_uniform: a": lambda a: nn.kaiming_uniform((2, 3), a),
    "kaiming_normal: a": lambda a: nn.kaiming_normal((2, 3), a),
    "calculate_gain: param": lambda a: nn.calculate_gain("leaky_relu", "" if a is None else a),
    "softmax: axis": lambda a: nn.softmax(X, a),
    "log_softmax: axis": lambda a: nn.log_softmax(X, a),
    "Flatten: start_axis": nn.Flatten,
    "Flatten: end_axis": lambda a: nn.Flatten(0, a),
    "embedding: padding_idx": lambda a: nn.embedding(
        arraygrad.asarray([0]), X, "" if a is None else a
    ),
    "Embedding: padding_idx": lambda a: nn.Embedding(3, 2, "" if a is None else a),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number(name):
    """Errors name the function and the argument, and what was got."""
    for given in ODD:
        with pytest.raises(TypeError, match=rf"^{name} must be an? (number|int); got "):
            NUMBERS[name](given)


def test_a_nonlinearity_that_is_no_name():
    for given in (None, [], {}, X, 3):
        with pytest.raises(ValueError, match="calculate_gain: nonlinearity must be one of linear"):
            nn.calculate_gain(given)


def test_what_is_no_tensor():
    x, image = arraygrad.ones((2, 2)), arraygrad.ones((1, 1, 2, 2))
    functions = [
        lambda a: nn.linear(a, x),
        lambda a: nn.linear(x, a),
        lambda a: nn.layer_norm(a, 2),
        lambda a: nn.batch_norm(a, None, None),
        lambda a: nn.conv2d(a, image),
        lambda a: nn.max_pool2d(a, 1),
        *(nn.Linear(2, 2), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.GELU(), nn.Softmax()),
    ]
    for function in functions:
        for given in (3.0, [1.0, 2.0], np.ones((2, 2))):
            with pytest.raises(TypeError, match=r"expected a Tensor.*arraygrad\.asarray"):
                function(given)


def test_weights_and_biases_that_are_no_tensors():
    x, one, row = arraygrad.ones((2, 3)), arraygrad.ones((1, 1, 1, 1)), arraygrad.ones(3)
    ids = arraygrad.asarray([0, 1])
    functions = {
        "linear: weight": lambda a: nn.linear(x, a),
        "linear: bias": lambda a: nn.linear(x, x, a),
        "conv2d: weight": lambda a: nn.conv2d(one, a),
        "conv2d: bias": lambda a: nn.conv2d(one, one, a),
        "layer_norm: weight": lambda a: nn.layer_norm(x, 3, a),
        "layer_norm: bias": lambda a: nn.layer_norm(x, 3, None, a),
        "batch_norm: running_mean": lambda a: nn.batch_norm(x, a, row),
        "batch_norm: running_var": lambda a: nn.batch_norm(x, row, a),
        "batch_norm: weight": lambda a: nn.batch_norm(x, row, row, a),
        "batch_norm: bias": lambda a: nn.batch_norm(x, row, row, None, a),
        "embedding: weight": lambda a: nn.embedding(ids, a),
        "cross_entropy: weight": lambda a: nn.cross_entropy(x, ids, a),
        "logits: weight": lambda a: nn.binary_cross_entropy_with_logits(x, x, a),
        "logits: pos_weight": lambda a: nn.binary_cross_entropy_with_logits(x, x, pos_weight=a),
    }
    for name, function in functions.items():
        for given in ([1.0, 2.0, 3.0], [[1.0]], np.ones(3)):
            with pytest.raises(TypeError, match=rf"{name}: expected a Tensor.*arraygrad\.asarray"):
                function(given)
