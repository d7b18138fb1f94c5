"""Cases in which a batch once had other results than single calls, or no error."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn, vmap

RNG = np.random.default_rng(3)


def compare(f, *args):
    """A batch has the dtypes, shapes and values of single calls."""
    found = vmap(f)(*args)
    expected = arraygrad.stack([f(*[a[i] for a in args]) for i in range(args[0].shape[0])])
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-10, atol=1e-12)


def raises_as_single(f, *args, error=(ValueError, IndexError)):
    """Both the single call and the batch raise."""
    with pytest.raises(error):
        f(*[a[0] for a in args])
    with pytest.raises(error):
        vmap(f)(*args)


def test_a_gradient_sums_one_shared_and_several_batched_uses(xp):
    f = autodiff.grad(lambda w, x: w**2 + w * x + w * 3 + w * 5)
    found = vmap(f, (None, 0))(xp.asarray(2.0), xp.asarray([1.0, 10.0, 100.0]))
    assert found.numpy().tolist() == [13, 22, 112]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool"])
def test_ints_and_bools_become_float64_as_in_single_calls(xp, dtype):
    x = xp.asarray((RNG.integers(0, 4, (3, 4)) % 5).astype(dtype))
    for f in (xp.reciprocal, xp.sqrt, xp.exp, xp.special.expit, xp.mean, xp.trapezoid):
        compare(f, xp.asarray(np.ones((3, 4), dtype)) if f is xp.reciprocal else x)
    for f in (xp.atan2, xp.hypot, xp.logaddexp, xp.copysign):
        compare(f, x, x)
        compare(lambda t, f=f: f(t, 1), x)
        compare(lambda t, f=f: f(1, t), x)
    compare(lambda t: xp.quantile(t, 0.3), x)
    compare(lambda t: xp.special.softmax(t), x)
    compare(xp.linalg.pinv, xp.stack([x, x]))
    if dtype != "bool":
        compare(lambda a: xp.linspace(a, 0, 5), x[:, 0])
        compare(lambda a, b: xp.linspace(a, b, 5), x[:, 0], x[:, 1])


@pytest.mark.parametrize("name", ["vecdot", "cross"])
def test_a_positive_axis_counts_in_each_of_two_operands(xp, name):
    f = xp.vecdot if name == "vecdot" else xp.linalg.cross
    x = xp.asarray(RNG.standard_normal((2, 4, 3, 3)))
    y = xp.asarray(RNG.standard_normal((2, 3, 3)))
    if x.device.type == "strict":
        pytest.skip("the strict backend takes no such axes")
    for axis in (0, 1, -1) if name == "vecdot" else (1, -1):
        compare(lambda a, b, axis=axis: f(a[:3], b, axis=axis), x, y)
        compare(lambda a, b, axis=axis: f(b, a[:3], axis=axis), x, y)
        compare(lambda a, axis=axis: f(a[:3], y[0], axis=axis), x)
        compare(lambda b, axis=axis: f(x[0, :3], b, axis=axis), y)
    raises_as_single(lambda a, b: f(a, b[0], axis=-2), x, y)
    raises_as_single(lambda a, b: f(a, b[0], axis=1), x, y)


def test_a_value_with_an_axis_too_many_is_not_spread_over_the_examples(xp):
    value = xp.ones((3, 2))

    def write(x):
        x = xp.asarray(x, copy=True)
        x[...] = value
        return x

    def write_at(x):
        x = xp.asarray(x, copy=True)
        x[xp.asarray([0, 1])] = value
        return x

    for f in (write, write_at, autodiff.grad(lambda x: xp.sum(write(x)))):
        raises_as_single(f, xp.zeros((3, 2)))
    value = xp.ones((1, 1, 2))
    compare(write, xp.zeros((3, 2)))


def test_masks_beside_a_batched_index_have_the_size_of_their_axis(xp):
    i = xp.asarray([0, 1])

    def write(i, mask):
        x = xp.zeros((3, 2))
        x[mask, i] = 1.0
        return x

    compare(lambda i: write(i, xp.asarray([True, False, True])), i)
    compare(lambda i: xp.ones((2, 3, 2))[..., xp.asarray([True, False, True]), i], i)
    for mask in (xp.asarray([True, False]), xp.asarray([True] * 4)):
        raises_as_single(lambda i, mask=mask: write(i, mask), i)
        raises_as_single(lambda i, mask=mask: xp.zeros((3, 2))[mask, i], i)


def test_a_bool_beside_a_batched_index(xp):
    def write(i):
        x = xp.zeros(4)
        x[True, i] = 1.0
        return x

    compare(write, xp.asarray([0, 2]))


def test_a_batched_mask_has_the_sizes_of_the_axes(xp):
    def write(x):
        y = xp.zeros((3, 2))
        y[x[:1] > 0] = x[0]
        return y

    raises_as_single(write, xp.ones((2, 4)))


@pytest.mark.parametrize("name", ["matrix_rank", "pinv"])
def test_rtol_with_more_axes_than_the_stack(xp, name):
    f = getattr(xp.linalg, name)
    x = xp.asarray(RNG.standard_normal((2, 3, 2)))
    rtol = xp.asarray([[1e-3, 0.9, 2.0], [0.9, 2.0, 1e-3]])
    check = compare if name == "matrix_rank" else raises_as_single
    if name == "matrix_rank" or x.device.type != "cuda":  # (CuPy's pinv broadcasts any rtol)
        check(lambda a, r: f(a, rtol=r), x, rtol)
        check(lambda a: f(a, rtol=rtol[0]), x)
        check(lambda r: f(x[0], rtol=r), rtol)
    compare(lambda a, r: f(a, rtol=r), x, rtol[:, 0])


def test_the_gradient_of_pinv_with_a_batched_rtol(xp):
    x = xp.asarray(np.diag([3.0, 2.0, 0.1]) + 0.01 * RNG.standard_normal((3, 3)))
    g = autodiff.grad(lambda a, r: xp.sum(xp.linalg.pinv(a, rtol=r) ** 2))
    compare(g, xp.stack([x, x]), xp.asarray([1e-3, 0.5]))
    compare(lambda r: g(x, r), xp.asarray([1e-3, 0.5]))


def test_matrix_products_in_place_take_a_matrix(xp):
    def f(v, a):
        a = xp.asarray(a, copy=True)
        a @= v
        return a

    x = xp.ones((2, 3, 3))
    for v in (xp.ones((2, 3)), xp.ones((2, 3, 2)), xp.ones((2, 3, 1))):
        raises_as_single(f, v, x)
    compare(f, x, x)


def test_axes_of_examples_without_any(xp):
    x = xp.asarray([2.0, 3.0])
    if x.device.type == "strict":
        pytest.skip("the strict backend takes no such axes")
    special, norm = xp.special, xp.linalg.vector_norm
    for axis in (None, 0, -1, 1):
        for f in (xp.cumulative_sum, xp.cumulative_prod, norm, xp.sum, xp.max, xp.argmax):
            g = lambda t, f=f, axis=axis: f(t, axis=axis)
            try:
                g(x[0])
            except (ValueError, IndexError):
                raises_as_single(g, x)
            else:
                compare(g, x)
        if axis in (0, -1) and x.device.type == "cpu":  # (CuPy refuses axes of 0-d arrays)
            for f in (nn.softmax, nn.log_softmax):
                compare(lambda t, f=f, axis=axis: f(t, axis=axis), x)
        for f in (special.softmax, special.log_softmax, special.logsumexp):
            compare(lambda t, f=f, axis=axis: f(t, axis=axis), x)


def test_numbers_and_ints_in_place_of_tensors_and_shapes(xp):
    x = xp.asarray([[1, 2, 4], [2, 3, 9]])
    if x.device.type != "strict":
        compare(lambda t: xp.reshape(t[:, None], 3), x)
    compare(lambda t: xp.isin(2, t), x)
    compare(lambda t: xp.searchsorted(t, 3), x)
    raises_as_single(xp.fft.fftshift, xp.ones(2))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_batch_norm_in_training_changes_nothing(xp, momentum):
    layer = nn.BatchNorm1d(3, momentum=momentum)
    x = xp.asarray(RNG.standard_normal((2, 4, 3)))
    for f in (layer, autodiff.grad(lambda t: xp.sum(layer(t)))):
        with pytest.raises(ValueError, match="share the running averages"):
            vmap(f)(x)
    mean, variance = xp.zeros(3), xp.ones(3)
    with pytest.raises(ValueError, match="from outside"):
        vmap(lambda t: nn.batch_norm(t, mean, variance, training=True))(x)
    assert int(layer.num_batches_tracked) == 0
    for found in (layer.running_mean, mean):
        assert found.numpy().tolist() == [0, 0, 0]
    for found in (layer.running_var, variance):
        assert found.numpy().tolist() == [1, 1, 1]
    compare(lambda t: nn.batch_norm(t, xp.zeros(3), xp.ones(3), training=True), x)
