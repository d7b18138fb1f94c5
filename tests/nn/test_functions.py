"""All functions of nn: complex numbers, integers, dtypes, NumPy's numbers and bad input."""

import math

import numpy as np
import pytest
from nn.support import complex_numbers, numbers, smooth

import arraygrad
from arraygrad import autodiff, nn

# ---- complex numbers


Z = complex_numbers(2, 3)


COMPLEX_IMAGES = complex_numbers(2, 2, 3, 3)


#: Functions of complex numbers, and arguments; None for those that refuse them.
OF_COMPLEX = {
    "tanh": (nn.tanh, Z),
    "linear": (nn.linear, Z, complex_numbers(4, 3), complex_numbers(4)),
    "conv2d": (nn.conv2d, COMPLEX_IMAGES, complex_numbers(4, 2, 2, 2), complex_numbers(4)),
    "conv1d": (nn.conv1d, COMPLEX_IMAGES[0], complex_numbers(4, 3, 2), complex_numbers(4)),
    "conv_transpose2d": (
        nn.conv_transpose2d, COMPLEX_IMAGES, complex_numbers(2, 4, 2, 2), complex_numbers(4)
    ),
    "avg_pool2d": (lambda x: nn.avg_pool2d(x, 2, 1), COMPLEX_IMAGES),
    "adaptive_avg_pool2d": (lambda x: nn.adaptive_avg_pool2d(x, 2), COMPLEX_IMAGES),
    "embedding": (lambda w: nn.embedding(arraygrad.asarray([1, 0, 1], device=w.device), w), Z),
    "dropout": (
        lambda x: nn.dropout(x, rng=arraygrad.random.default_rng(0, device=x.device)), Z
    ),
    "mse": (nn.mse, Z, complex_numbers(2, 3, seed=1)),
    "l1": (nn.l1, Z, complex_numbers(2, 3, seed=1)),
    "huber": (nn.huber, Z, complex_numbers(2, 3, seed=1)),
    **dict.fromkeys(("leaky_relu", "elu", "softplus", "group_norm", "nll", "kl_div")),
    **dict.fromkeys(("binary_cross_entropy", "scaled_dot_product_attention")),
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
    "binary_cross_entropy": lambda z: nn.binary_cross_entropy(z, z),
    "group_norm": lambda z: nn.group_norm(z, 3),
    "kl_div": lambda z: nn.kl_div(z, z),
    "nll": lambda z: nn.nll(z, arraygrad.asarray([0, 1], device=z.device)),
    "scaled_dot_product_attention": lambda z: nn.scaled_dot_product_attention(z, z, z),
}


def test_every_function_has_its_word_on_complex_numbers():
    no_layers = {"calculate_gain", "load", "save", "summary"}
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
