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
