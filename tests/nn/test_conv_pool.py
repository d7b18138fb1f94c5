"""Convolutions and pooling against loops."""

import numpy as np
import pytest
from nn.support import complex_numbers, numbers, smooth

import arraygrad
from arraygrad import autodiff, nn
from arraygrad._backends.common import nn as backend_nn


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


def test_integer_convolutions_with_a_bias_of_fractions(xp, same):
    image, kernel = xp.asarray([[[[1, 2]]]]), xp.asarray([[[[3, 4]]]])
    same(nn.conv2d(image, kernel, xp.asarray([0.5])), [[[[11.5]]]])
    same(nn.conv2d(image, kernel, xp.asarray([1])), [[[[12]]]])
    same(nn.conv2d(xp.asarray([[[[2.0]]]]), xp.asarray([[[[3.0]]]]), xp.asarray([1j])),
         [[[[6 + 1j]]]])  # fmt: skip


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


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("most", [1, 5, 13, 40])
def test_convolution_by_parts_is_the_same(same, monkeypatch, most, stride):
    xp = arraygrad
    x, w, b = map(xp.asarray, (numbers(3, 2, 9, 8), numbers(4, 1, 3, 3), numbers(4)))

    def gradients():
        f = autodiff.value_and_grad(
            lambda *a: xp.sum(nn.conv2d(*a, stride, 1, groups=2) ** 2), argnums=(0, 1, 2)
        )
        value, grads = f(x, w, b)
        return [value, *grads]

    whole = gradients()
    table = arraygrad.Device("cpu").ops
    of_parts = backend_nn.operations(
        np, np.where, table["settle"], np.errstate, table["nn.sum_of_products"], 1, most
    )
    for name in ("nn.convolve", "nn.to_weight", "nn.to_images"):
        monkeypatch.setitem(table, name, of_parts[name])
    for a, b in zip(gradients(), whole, strict=True):
        same(a, b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 12, 13, 24, 100])
def test_parts_of_an_array_follow_each_other(most):
    numbered = np.arange(4 * 3 * 4).reshape(4, 3, 4)
    parts = list(backend_nn._parts(numbered.shape, most))
    assert all(numbered[index].size == size <= most for index, size in parts)
    found = np.concatenate([numbered[index].reshape(-1) for index, _ in parts])
    assert found.tolist() == list(range(numbered.size))


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("channels", [2, 40])  # whose gradients are read, or added, at the windows
def test_gradients_of_images_are_the_transpose(same, channels, padding):
    xp = arraygrad
    x, w = xp.asarray(numbers(2, 4, 5, 4)), xp.asarray(numbers(channels, 2, 2, 3))
    y, pull = autodiff.vjp(lambda x: nn.conv2d(x, w, padding=padding, dilation=(2, 1), groups=2), x)
    g = xp.asarray(numbers(*y.shape))
    same(xp.sum(pull(g)[0] * x), xp.sum(g * y).numpy(), rtol=1e-12)


def test_gradients_of_half_precision_weights_are_rounded_once():
    """The images have many parts, whose sums are added in single precision."""
    rng = np.random.default_rng(0)
    arrays = [abs(rng.standard_normal(s)) for s in ((64, 3, 32, 32), (4, 3, 3, 3))]
    x, w, g = (a.astype("f2") for a in (*arrays, rng.random((64, 4, 32, 32)) / 100))

    def gradient(dtype):
        a, b, c = (arraygrad.asarray(z.astype(dtype)) for z in (x, w, g))
        return autodiff.vjp(lambda w: nn.conv2d(a, w, padding=1), b)[1](c)[0].numpy()

    found, expected = gradient("f2"), gradient("f8")
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, rtol=6e-4)


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


@pytest.mark.parametrize("n", [9, 3000])
@pytest.mark.parametrize("how", [(1, 0), (2, 3), (1, "same"), (1, "valid", 2), (1, 1, 2, 2)])
def test_convolution_of_signals_is_that_of_images_of_height_1(xp, same, n, how):
    groups = how[3] if len(how) > 3 else 1
    x, w, b = numbers(2, 4, n), numbers(6, 4 // groups, 3), numbers(6)
    a = tuple(map(xp.asarray, (x, w, b)))
    padding = how[1] if isinstance(how[1], str) else (0, how[1])
    image = nn.conv2d(
        a[0][:, :, None, :], a[1][:, :, None, :], a[2], (1, how[0]), padding,
        (1, how[2] if len(how) > 2 else 1), groups,
    )  # fmt: skip
    same(nn.conv1d(*a, *how), image[:, :, 0, :].numpy())
    same(nn.conv1d(a[0][0, ...], *a[1:], *how), image[0, :, 0, :].numpy(), rtol=1e-13)
    if n < 10:
        smooth(xp, lambda *a: nn.conv1d(*a, *how) ** 2, x, w, b)


@pytest.mark.parametrize("n", [5, 3000])
@pytest.mark.parametrize(
    "how", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": (1, 2)}, {"stride": (2, 3)}]
)
def test_transposed_convolution_is_the_transpose(xp, how, n):
    """Its inner product with images is that of the convolution of these."""
    groups = how.get("groups", 1)
    x, w = xp.asarray(numbers(2, 4, 3, n)), xp.asarray(numbers(4, 6 // groups, 2, 3, seed=1))
    y = nn.conv_transpose2d(x, w, **how)
    z = xp.asarray(numbers(*y.shape, seed=2))
    back = nn.conv2d(z, w, **how)
    assert back.shape == x.shape
    assert float(xp.sum(y * z)) == pytest.approx(float(xp.sum(back * x)), rel=1e-9)
    if n < 10:
        smooth(
            xp,
            lambda x, w, b: nn.conv_transpose2d(x, w, b, **how) ** 2,
            numbers(1, 4, 2, 3), w.numpy(), numbers(6),
        )  # fmt: skip


def test_more_rows_and_columns_of_a_transposed_convolution(xp, same):
    x, w = xp.asarray([[[[1.0, 2.0]]]]), xp.asarray([[[[1.0, 3.0, 4.0]]]])
    same(nn.conv_transpose2d(x, w, stride=2), [[[[1.0, 3, 6, 6, 8]]]])
    found = nn.conv_transpose2d(x, w, xp.asarray([0.5]), stride=2, padding=(0, 1),
                                output_padding=(1, 1))  # fmt: skip
    same(found, [[[[3.5, 6.5, 6.5, 8.5], [0.5] * 4]]])
    complex_ones = nn.conv_transpose2d(x * 1j, w * 1j, stride=2)
    same(complex_ones, [[[[-1 + 0j, -3, -6, -6, -8]]]])
    for options, message in (
        ({"output_padding": 1}, "output_padding must be less than stride; got 1 and 1"),
        ({"padding": 2}, "the result would be empty for images of size"),
        ({"groups": 2}, "weight must have shape .*groups=2"),
        ({"bias": xp.ones(2)}, r"bias must have shape \(1,\)"),
    ):
        with pytest.raises(ValueError, match=f"conv_transpose2d: {message}"):
            nn.conv_transpose2d(x, w, **options)


@pytest.mark.parametrize("size", [1, 3, (2, 3), (None, 4), (10, 12)])
def test_means_over_a_fixed_number_of_windows(xp, same, size):
    x = numbers(2, 3, 5, 6)
    rows, columns = (size, size) if isinstance(size, int) else size
    rows = rows or 5
    edges = [
        [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in ((5, rows), (6, columns))
    ]
    expected = np.stack([
        np.stack([x[:, :, a:b, c:d].mean((2, 3)) for c, d in edges[1]], -1) for a, b in edges[0]
    ], -2)  # fmt: skip
    same(nn.adaptive_avg_pool2d(xp.asarray(x), size), expected, rtol=1e-13)
    smooth(xp, lambda x: nn.adaptive_avg_pool2d(x, size) ** 2, x)
    far = x.copy()
    far[:, :, 0, 0] = np.inf  # in one window only
    found = nn.adaptive_avg_pool2d(xp.asarray(far), (3, 4)).numpy()
    assert np.isinf(found).sum() == 6
    assert not np.isnan(found).any()
    with pytest.raises(ValueError, match=r"adaptive_avg_pool2d: output_size .*0"):
        nn.adaptive_avg_pool2d(xp.asarray(x), 0)


def test_what_convolutions_of_signals_refuse():
    x, w = arraygrad.ones((2, 4, 9)), arraygrad.ones((6, 4, 3))
    for args, message in (
        ((x, w[:, :3, :]), r"weight .*4 channels, weight of shape \(6, 3, 3\), groups=1"),
        ((x, w, None, 1, 0, 1, 4), "weight .*groups=4"),
        ((x[0, 0, :], w), r"x must have shape \(n, channels, length\) or .*got \(9,\)"),
        ((x, w[0, ...]), "weight must have shape"),
        ((x, w, w), r"bias must have shape \(6,\)"),
        ((x[:, :, :2], w), "kernel 3 with dilation 1 does not fit into signals of length 2"),
        ((x, w, None, 2, "same"), "padding='same' requires stride 1; got 2"),
        ((x, w, None, 1, "full"), "padding must be an int of at least 0; got 'full'"),
        ((x, w, None, (1, 1)), r"stride must be an int of at least 1; got \(1, 1\)"),
    ):
        with pytest.raises(ValueError, match=f"conv1d: {message}"):
            nn.conv1d(*args)
