"""Layers, as functions and as modules."""

import math
import pickle
import warnings

import numpy as np
import pytest
from nn.support import numbers, smooth

import arraygrad
from arraygrad import DeviceMismatchError, autodiff, nn


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


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (2, 4, 3, 2)])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_norm(xp, same, shape, groups):
    if math.prod(shape[2:]) * 4 // groups == 1:
        shape = (*shape, 2)  # the variance of one number is none
    x, w, b = 3 * numbers(*shape), numbers(4, seed=1), numbers(4, seed=2)
    z = x.reshape(shape[0], groups, -1)
    z = (z - z.mean(2, keepdims=True)) / np.sqrt(z.var(2, keepdims=True) + 1e-5)
    along = (4, *(1,) * (len(shape) - 2))
    z = z.reshape(shape)
    a = tuple(map(xp.asarray, (x, w, b)))
    same(nn.group_norm(a[0], groups), z, rtol=1e-13)
    expected = z * w.reshape(along) + b.reshape(along)
    same(nn.group_norm(a[0], groups, *a[1:]), expected, rtol=1e-13)
    smooth(xp, lambda x, w, b: nn.group_norm(x, groups, w, b) ** 2, x, w, b)
    assert nn.group_norm(xp.ones((0, 4)), 2).shape == (0, 4)


def test_batch_norm_of_vectors_and_signals(xp, same):
    for shape, axes in (((5, 3), 0), ((4, 3, 2), (0, 2))):
        x, layer = 3 * numbers(*shape), nn.BatchNorm1d(3, eps=0.0)
        z = (x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True)
        same(layer(xp.asarray(x)).detach(), z, rtol=1e-13)
        same(layer.running_mean, 0.1 * x.mean(axes), rtol=1e-13)
        with pytest.raises(ValueError, match=r"BatchNorm1d: the input must have shape \(n, 3\) or"):
            layer(xp.ones((2, 3, 4, 4)))


def test_a_chain_grows(xp, same):
    model = nn.Sequential()
    assert model.append(nn.Linear(3, 2)).append(nn.relu) is model
    model.append(nn.Linear(2, 1))
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert (len(model), model(xp.ones((4, 3))).shape) == (3, (4, 1))
    with pytest.raises(TypeError, match="Sequential: expected modules or functions; got 3"):
        model.append(3)
    x = xp.ones(2)
    assert nn.Identity(54, unused=True)(x) is x


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


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_checkpoint_updates_running_statistics_once(xp, same, momentum):
    x = xp.asarray(np.random.default_rng(0).standard_normal((2, 2, 3, 3)))

    def run(wrapped):
        layer = nn.BatchNorm2d(2, momentum=momentum)
        body = wrapped(lambda x: xp.tanh(wrapped(layer)(x)))
        for i in range(3):
            xp.sum(body(x * (i + 1))).backward()
        return [layer.running_mean, layer.running_var, layer.num_batches_tracked, layer.weight.grad]

    for found, expected in zip(run(autodiff.checkpoint), run(lambda f: f), strict=True):
        same(found, expected.numpy(), rtol=1e-14)


def test_running_statistics_that_are_means_of_all_batches(xp, same):
    layer = nn.BatchNorm2d(1, momentum=None)
    x = xp.asarray(np.random.default_rng(0).standard_normal((3, 4, 1, 2, 2)))
    for i in range(3):
        layer(x[i, ...])
    same(layer.running_mean, [x.numpy().mean()], rtol=1e-13)
    assert layer.eval()(arraygrad.ones((1, 1, 2, 2))).shape == (1, 1, 2, 2)
    none = nn.BatchNorm2d(1, affine=False, track_running_stats=False).eval()
    assert list(none.state_dict()) == []
    same(none(x[0, ...]), nn.batch_norm(x[0, ...], None, None, training=True).numpy())


PROMOTING = {
    "Linear": (lambda **kw: nn.Linear(3, 2, **kw), (4, 3)),
    "Conv2d": (lambda **kw: nn.Conv2d(3, 2, 1, **kw), (1, 3, 2, 2)),
    "Conv1d": (lambda **kw: nn.Conv1d(3, 2, 1, **kw), (1, 3, 2)),
    "ConvTranspose2d": (lambda **kw: nn.ConvTranspose2d(3, 2, 1, **kw), (1, 3, 2, 2)),
    "GroupNorm": (lambda **kw: nn.GroupNorm(3, 3, **kw), (4, 3, 2)),
    "LayerNorm": (lambda **kw: nn.LayerNorm(3, **kw), (4, 3)),
    "BatchNorm1d": (lambda **kw: nn.BatchNorm1d(3, **kw), (4, 3)),
    "BatchNorm2d": (lambda **kw: nn.BatchNorm2d(3, **kw), (4, 3, 2, 2)),
    "BatchNorm3d": (lambda **kw: nn.BatchNorm3d(3, **kw), (4, 3, 2, 2, 2)),
}


@pytest.mark.parametrize("name", PROMOTING)
def test_a_layer_says_once_that_it_promotes(xp, name):
    make, shape = PROMOTING[name]
    for weights, data, wide in (
        ("float64", "float32", True),
        ("float32", "float64", True),
        ("float64", "float64", False),
        ("float32", "float32", False),
        ("float64", "int64", False),
    ):
        model, x = nn.Sequential(make(dtype=weights)), xp.ones(shape, dtype=data)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("default")
            for _ in range(3):
                y = model(x)
        assert len(found) == wide, (weights, data)
        assert y.dtype == ("float64" if wide else weights)
        for warning in found:
            assert warning.filename == __file__
            text = f"{name}: an input of dtype {data} and weights of dtype {weights} are computed"
            assert str(warning.message).startswith(text)
    if name in ("Linear", "Conv2d"):
        make()(xp.ones(shape, dtype=xp.complex64))  # complex numbers are another matter
    nn.linear(xp.ones((1, 3)), xp.ones((2, 3), dtype=xp.float32))  # functions promote in silence


IMAGES = (2, 4, 6, 6)


LAYERS = {
    "Linear": (lambda kw: nn.Linear(6, 3, **kw), IMAGES, "in_features=6, out_features=3"),
    "Conv2d": (
        lambda kw: nn.Conv2d(4, 6, (3, 2), 2, 1, 1, 2, **kw), IMAGES, "4, 6, kernel_size=(3, 2)"
    ),
    "MaxPool2d": (lambda kw: nn.MaxPool2d(3, 2, 1), IMAGES, "kernel_size=3, stride=2"),
    "AvgPool2d": (lambda kw: nn.AvgPool2d(2), IMAGES, "kernel_size=2, stride=None"),
    "LayerNorm": (lambda kw: nn.LayerNorm((6, 6)), IMAGES, "(6, 6), eps=1e-05"),
    "Conv1d": (lambda kw: nn.Conv1d(4, 6, 3, 2, 1, **kw), (2, 4, 7), "4, 6, kernel_size=3"),
    "ConvTranspose2d": (
        lambda kw: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, **kw), IMAGES, "4, 6, kernel_size=(3, 3)"
    ),
    "AdaptiveAvgPool2d": (lambda kw: nn.AdaptiveAvgPool2d(4), IMAGES, "output_size=4"),
    "GroupNorm": (lambda kw: nn.GroupNorm(2, 4), IMAGES, "2, 4, eps=1e-05"),
    "BatchNorm1d": (lambda kw: nn.BatchNorm1d(4), (5, 4), "4, eps=1e-05, momentum=0.1"),
    "Identity": (lambda kw: nn.Identity(), IMAGES, ""),
    "LeakyReLU": (lambda kw: nn.LeakyReLU(), IMAGES, "negative_slope=0.01"),
    "ELU": (lambda kw: nn.ELU(), IMAGES, "alpha=1.0"),
    "Softplus": (lambda kw: nn.Softplus(), IMAGES, "beta=1.0"),
    "BatchNorm2d": (lambda kw: nn.BatchNorm2d(4), IMAGES, "4, eps=1e-05, momentum=0.1"),
    "BatchNorm3d": (lambda kw: nn.BatchNorm3d(4), (2, 4, 2, 2, 2), "4, eps=1e-05, momentum=0.1"),
    "Dropout": (lambda kw: nn.Dropout(0.5, **kw), IMAGES, "p=0.5"),
    "Flatten": (lambda kw: nn.Flatten(), IMAGES, "start_axis=1, end_axis=-1"),
    "ReLU": (lambda kw: nn.ReLU(), IMAGES, ""),
    "GELU": (lambda kw: nn.GELU(), IMAGES, "approximate='none'"),
    "SiLU": (lambda kw: nn.SiLU(), IMAGES, ""),
    "Tanh": (lambda kw: nn.Tanh(), IMAGES, ""),
    "Sigmoid": (lambda kw: nn.Sigmoid(), IMAGES, ""),
    "Softmax": (lambda kw: nn.Softmax(1), IMAGES, "axis=1"),
    "LogSoftmax": (lambda kw: nn.LogSoftmax(), IMAGES, "axis=-1"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_train_in_both_styles(xp, same, name):
    make, shape, text = LAYERS[name]
    layer = make({"rng": xp.random.default_rng(1)})
    assert repr(layer).startswith(f"{name}({text}")
    data = np.random.default_rng(0).standard_normal(shape)
    x = xp.asarray(data)
    rng = getattr(layer, "rng", None)
    state = None if rng is None else rng.state

    def loss(x, layer):
        if rng is not None:
            layer.rng.state = state
        y = layer(x)
        assert y.shape == layer(x).shape
        return xp.sum(y**2) + xp.sum(y[..., 0])

    v = autodiff.variable(x)
    loss(v, layer).backward()
    if list(layer.parameters()):
        with autodiff.no_grad():
            by_x, by_layer = autodiff.grad(loss, argnums=(0, 1))(x, layer)
        for p, q in zip(layer.parameters(), by_layer.parameters(), strict=True):
            same(q, p.grad.numpy(), rtol=1e-13)
    else:
        by_x = autodiff.grad(loss)(x, layer)
    same(by_x, v.grad.numpy(), rtol=1e-13)
    with autodiff.no_grad():
        assert type(layer(v)) is arraygrad.Tensor


def test_initial_distributions(xp, same):
    kw = {"rng": xp.random.default_rng(0)}
    for layer, fan in ((nn.Linear(400, 300, **kw), 400), (nn.Conv2d(64, 128, 3, **kw), 576)):
        for p in (layer.weight, layer.bias):
            values = p.detach().numpy()
            assert np.abs(values).max() <= fan**-0.5
            assert values.std() == pytest.approx((3 * fan) ** -0.5, rel=0.1)
    assert nn.Conv2d(4, 6, (3, 2), groups=2).weight.shape == (6, 2, 3, 2)
    table = nn.Embedding(300, 100, padding_idx=3, **kw)
    values = table.weight.detach().numpy()
    assert np.abs(values[3]).max() == 0
    assert values.std() == pytest.approx(1, rel=0.02)
    assert repr(table) == "Embedding(300, 100, padding_idx=3)"
    xp.sum(table(xp.asarray([3, 4])) ** 2).backward()
    assert table.weight.grad.numpy()[3].tolist() == [0.0] * 100
    a, b = (nn.Linear(3, 2, rng=xp.random.default_rng(5)) for _ in range(2))
    same(a.weight.detach(), b.weight.detach().numpy())
    assert nn.Linear(3, 2, dtype=xp.float32, device="cpu").weight.device == "cpu"
    assert nn.Linear(3, 2, dtype=xp.float32).bias.dtype == xp.float32
    assert nn.Linear(3, 2, bias=False).bias is None


def test_losses_as_modules(xp, same):
    x, y = xp.asarray([[0.5, -2.0]]), xp.asarray([[0.0, 1.0]])
    weight = xp.asarray([1.0, 3.0])
    c = xp.asarray([1])
    for module, value in (
        (nn.MSELoss("sum"), nn.mse(x, y, "sum")),
        (nn.L1Loss(), nn.l1(x, y)),
        (nn.HuberLoss("none", 0.5), nn.huber(x, y, "none", 0.5)),
        (
            nn.BCELoss(weight, "none"),
            nn.binary_cross_entropy(nn.sigmoid(x), y, weight, reduction="none"),
        ),
        (nn.KLDivLoss("batchmean", log_target=True), nn.kl_div(x, y, "batchmean", log_target=True)),
        (
            nn.BCEWithLogitsLoss(weight, "sum", 2 * weight),
            nn.binary_cross_entropy_with_logits(x, y, weight, "sum", 2 * weight),
        ),
    ):
        inputs = nn.sigmoid(x) if isinstance(module, nn.BCELoss) else x
        same(module(inputs, y), value.numpy())
    same(nn.NLLLoss(weight, 0, "sum")(x, c), nn.nll(x, c, weight, 0, "sum").numpy())
    loss = nn.CrossEntropyLoss(weight, label_smoothing=0.1)
    same(loss(x, c), nn.cross_entropy(x, c, weight, label_smoothing=0.1).numpy())
    assert list(loss.state_dict()) == ["weight"]
    assert repr(nn.MSELoss("sum")) == "MSELoss(reduction='sum')"


def test_dropout_in_evaluation_and_when_moved(xp, same):
    layer = nn.Dropout(0.5, rng=xp.random.default_rng(0))
    x = xp.ones(100)
    first, second = layer(x), layer(x)
    assert not np.array_equal(first.numpy(), second.numpy())
    again = pickle.loads(pickle.dumps(nn.Dropout(0.5, rng=xp.random.default_rng(0))))
    same(again(x), first.numpy())
    assert layer.eval()(x) is x


def test_flattening_a_number_gives_a_vector(xp, same):
    same(nn.Flatten(0)(xp.asarray(3.0)), [3.0])
    assert nn.Flatten(1, 1)(xp.ones((2, 3, 4))).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="Flatten: axes 1 to -1 do not exist"):
        nn.Flatten()(xp.asarray(3.0))


BAD = {
    "a layer that is none": (lambda: nn.Sequential(nn.ReLU(), 3), TypeError, "Sequential: .*3"),
    "a size that is no int": (
        lambda: nn.Linear(100 / 4, 3), TypeError, r"Linear: shape .*got \(3, 25.0\)"
    ),
    "a size below 0": (lambda: nn.Linear(-1, 3), ValueError, r"Linear: shape .*got \(3, -1\)"),
    "an embedding's size": (lambda: nn.Embedding(3.0, 2), TypeError, r"Embedding: .*\(3.0, 2\)"),
    "a tensor as shape": (
        lambda: nn.kaiming_uniform(arraygrad.ones((2, 3))),
        TypeError,
        r"kaiming_uniform: shape must be .*got Tensor\(shape=\(2, 3\)",
    ),
    "groups": (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "Conv2d: .*got 3, 4 and 2"),
    "groups of a transpose": (
        lambda: nn.ConvTranspose2d(3, 4, 3, groups=2), ValueError, "ConvTranspose2d: .*3, 4 and 2"
    ),
    "groups of channels": (lambda: nn.GroupNorm(2, 3), ValueError, "GroupNorm: .*got 3 and 2"),
    "groups of a norm": (
        lambda: nn.group_norm(arraygrad.ones((2, 3)), 2), ValueError, "group_norm: .*2 groups"
    ),
    "a kernel of signals": (lambda: nn.Conv1d(3, 4, (2, 2)), ValueError, "Conv1d: kernel_size"),
    "kernel": (lambda: nn.Conv2d(3, 4, 0), ValueError, "Conv2d: kernel_size .*0"),
    "padding_idx": (lambda: nn.Embedding(3, 4, 5), ValueError, "Embedding: padding_idx .*5"),
    "p": (lambda: nn.Dropout(-1), ValueError, "Dropout: p .*-1"),
    "channels": (
        lambda: nn.BatchNorm2d(3)(arraygrad.ones(IMAGES)),
        ValueError,
        r"BatchNorm2d: .*\(n, 3, h, w\)",
    ),
    "features": (lambda: nn.Linear(3, 2)(arraygrad.ones((1, 4))), ValueError, "linear: .*(1, 4)"),
    "axes": (lambda: nn.Flatten(2)(arraygrad.ones((1, 4))), ValueError, "Flatten: .*2 to -1"),
    "axes in reverse": (
        lambda: nn.Flatten(2, 1)(arraygrad.ones(IMAGES)), ValueError, "Flatten: .*2 and 1"
    ),
    "the last axis before the first": (
        lambda: nn.Flatten(-1, 0)(arraygrad.ones((1, 4))), ValueError, "Flatten: .*1 and 0"
    ),
    "an index before the first": (
        lambda: nn.Embedding(3, 2)(arraygrad.asarray([-1])), IndexError, "embedding: ids .*got -1"
    ),
    "groups that are no int": (lambda: nn.Conv2d(4, 4, 3, groups=2.0), ValueError, "Conv2d: .*2.0"),
    "channels that are no int": (lambda: nn.Conv2d(4.0, 4, 3), TypeError, "Conv2d: .*4.0"),
    "a state that is no dict": (
        lambda: nn.Linear(3, 2).load_state_dict(None), TypeError, "load_state_dict: .*got None"
    ),
    "devices": (
        lambda: nn.Linear(3, 2, rng=arraygrad.random.default_rng(0), device="strict:0"),
        ValueError,
        "generator is on cpu",
    ),
    "input elsewhere": (
        lambda: nn.Linear(3, 2)(arraygrad.ones((1, 3), device="strict:0")),
        DeviceMismatchError,
        "linear",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()
