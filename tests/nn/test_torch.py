"""The functions of nn and a training beside PyTorch's, where that is installed."""

import itertools
import math
import warnings

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, nn

torch = pytest.importorskip("torch")
F = torch.nn.functional
RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def agree(ours, theirs, *arrays, second=True, rtol=1e-11):
    """Values, gradients and, of a random combination of these, gradients."""
    a = [xp.asarray(x) for x in arrays]
    b = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    numbers_of = [i for i, x in enumerate(arrays) if x.dtype.kind == "f"]
    leaves = [b[i] for i in numbers_of]

    def same(x, y):
        x, y = autodiff.stop_gradient(x), y.numpy(force=True)
        np.testing.assert_allclose(x.numpy(), y, rtol=rtol, atol=rtol * max(1, np.abs(y).max()))

    y, z = ours(*a), theirs(*b)
    same(y, z)
    weights = numbers(*y.shape)

    def value(*a):
        return xp.sum(ours(*a) * xp.asarray(weights))

    found = autodiff.grad(value, numbers_of)(*a)
    expected = torch.autograd.grad(z, leaves, torch.tensor(weights), create_graph=second)
    for p, q in zip(found, expected, strict=True):
        same(p, q)
    if not second:
        return
    directions = [numbers(*p.shape) for p in found]

    def slope(*a):
        grads = autodiff.grad(value, numbers_of)(*a)
        terms = [xp.sum(p * xp.asarray(d)) for p, d in zip(grads, directions, strict=True)]
        return sum(terms) + 0 * sum(xp.sum(a[i]) for i in numbers_of)

    combined = sum((q * torch.tensor(d)).sum() for q, d in zip(expected, directions, strict=True))
    expected = [None] * len(leaves)
    if combined.requires_grad:
        expected = torch.autograd.grad(combined, leaves, allow_unused=True)
    for p, q in zip(autodiff.grad(slope, numbers_of)(*a), expected, strict=True):
        same(p, torch.zeros(p.shape) if q is None else q)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nn.relu, F.relu),
        (nn.tanh, torch.tanh),
        (nn.sigmoid, torch.sigmoid),
        (nn.silu, F.silu),
        (nn.gelu, F.gelu),
        (nn.leaky_relu, F.leaky_relu),
        (lambda x: nn.leaky_relu(x, 0.3), lambda x: F.leaky_relu(x, 0.3)),
        (nn.elu, F.elu),
        (lambda x: nn.elu(x, 0.7), lambda x: F.elu(x, 0.7)),
        (nn.softplus, F.softplus),
        (lambda x: nn.softplus(x, 2.0), lambda x: F.softplus(x, 2.0)),
        (lambda x: nn.gelu(x, "tanh"), lambda x: F.gelu(x, approximate="tanh")),
        (lambda x: nn.softmax(x, 0), lambda x: F.softmax(x, 0)),
        (nn.log_softmax, lambda x: F.log_softmax(x, -1)),
    ],
)
def test_activations(ours, theirs):
    agree(ours, theirs, 3 * numbers(4, 6))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses(reduction):
    x, y, p = numbers(4, 6), numbers(4, 6), RNG.random((4, 6))
    r = {"reduction": reduction}
    agree(lambda x, y: nn.mse(x, y, **r), lambda x, y: F.mse_loss(x, y, **r), x, y)
    agree(lambda x, y: nn.l1(x, y, **r), lambda x, y: F.l1_loss(x, y, **r), x, y)
    agree(
        lambda x, y: nn.huber(x, y, delta=0.7, **r),
        lambda x, y: F.huber_loss(x, y, delta=0.7, **r),
        x,
        y,
    )
    q = 0.01 + 0.98 * RNG.random((4, 6))
    w, v = RNG.random(6), RNG.random(6)
    for weight in (None, w):
        agree(
            lambda x, p: nn.binary_cross_entropy(
                x, p, None if weight is None else xp.asarray(weight), **r
            ),
            lambda x, p: F.binary_cross_entropy(
                x, p, None if weight is None else torch.tensor(weight), **r
            ),
            q, p, rtol=1e-9,  # PyTorch adds 1e-12 to a denominator
        )  # fmt: skip
    for reduction in (reduction, "batchmean"):  # noqa: B020
        for log_target in (False, True):
            how = {"reduction": reduction, "log_target": log_target}
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "reduction: 'mean'")
                agree(
                    lambda x, y: nn.kl_div(x, y, **how),
                    lambda x, y: F.kl_div(x, y, **how),
                    np.log(q), np.log(p) if log_target else p,
                )  # fmt: skip
    for weight, positive in itertools.product((None, w), (None, v)):
        agree(
            lambda x, p: nn.binary_cross_entropy_with_logits(
                x, p, None if weight is None else xp.asarray(weight),
                pos_weight=None if positive is None else xp.asarray(positive), **r,
            ),
            lambda x, p: F.binary_cross_entropy_with_logits(
                x, p, None if weight is None else torch.tensor(weight),
                pos_weight=None if positive is None else torch.tensor(positive), **r,
            ),
            x, p,
        )  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy(reduction, smoothing, weighted):
    w = RNG.random(3)
    how = {"reduction": reduction, "label_smoothing": smoothing}
    classes = RNG.integers(0, 3, 5)
    ignored = np.where(np.arange(5) == 2, -100, classes)
    cases = [
        (numbers(5, 3), classes),
        (numbers(5, 3), ignored),
        (numbers(5, 3), RNG.random((5, 3))),
        (numbers(2, 3, 2, 2), RNG.integers(0, 3, (2, 2, 2))),
        (numbers(2, 3, 2, 2), RNG.random((2, 3, 2, 2))),
    ]
    for x, target in cases:
        if target.dtype.kind == "i" and not smoothing:
            agree(
                lambda x, t: nn.nll(x, t, xp.asarray(w) if weighted else None, reduction=reduction),
                lambda x, t: F.nll_loss(
                    x, t, torch.tensor(w) if weighted else None, reduction=reduction
                ),
                x,
                target,
            )
        agree(
            lambda x, t: nn.cross_entropy(x, t, xp.asarray(w) if weighted else None, **how),
            lambda x, t: F.cross_entropy(x, t, torch.tensor(w) if weighted else None, **how),
            x,
            target,
        )


CONVOLUTIONS = list(itertools.product((1, (2, 1)), (0, (1, 2), "same"), (1, (1, 2)), (1, 2, 4)))


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), CONVOLUTIONS)
def test_convolution(stride, padding, dilation, groups):
    if padding == "same" and stride != 1:
        pytest.skip("padding='same' is for stride 1")
    how = (stride, padding, dilation, groups)
    x, w, b = numbers(2, 4, 7, 6), numbers(8, 4 // groups, 3, 2), numbers(8)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same'")  # of what it costs PyTorch
        agree(
            lambda *a: nn.conv2d(*a, *how), lambda *a: F.conv2d(*a, *how), x, w, b,
            second=groups == 2,
        )  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, "same"), (1, "valid"), (2, 3)])
def test_convolution_of_signals(stride, padding, dilation, groups):
    how = (stride, padding, dilation, groups)
    arrays = numbers(2, 4, 11), numbers(6, 4 // groups, 4), numbers(6)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same'")
        agree(lambda *a: nn.conv1d(*a, *how), lambda *a: F.conv1d(*a, *how), *arrays)
        agree(
            lambda *a: nn.conv1d(*a, None, *how),
            lambda *a: F.conv1d(*a, None, *how),
            numbers(4, 11), arrays[1],
        )  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("stride", "padding", "output_padding", "dilation"),
    [(1, 0, 0, 1), (2, 1, 1, 1), ((3, 2), (0, 2), (2, 0), (1, 2)), (1, 1, 0, (2, 1))],
)
def test_transposed_convolution(stride, padding, output_padding, dilation, groups):
    how = (stride, padding, output_padding, groups, dilation)
    arrays = numbers(2, 4, 5, 6), numbers(4, 6 // groups, 3, 2), numbers(6)
    agree(
        lambda *a: nn.conv_transpose2d(*a, *how), lambda *a: F.conv_transpose2d(*a, *how), *arrays
    )
    agree(
        lambda *a: nn.conv_transpose2d(*a, None, *how),
        lambda *a: F.conv_transpose2d(*a, None, *how),
        numbers(4, 5, 6), arrays[1],
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, (4, 5), (None, 3), (7, 6), (9, 8)])
def test_adaptive_pooling(size):
    for shape in ((2, 3, 7, 6), (3, 12, 15)):
        agree(
            lambda x: nn.adaptive_avg_pool2d(x, size),
            lambda x: F.adaptive_avg_pool2d(x, size),
            numbers(*shape),
        )


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(2, None, 0), (3, 2, 1), ((3, 2), (1, 2), (1, 0)), (2, 3, 1), (1, 2, 0)],
)
def test_pooling_with_ties_too(kernel, stride, padding):
    how = (kernel, stride, padding)
    for x in (numbers(2, 3, 7, 6), np.round(numbers(2, 3, 7, 6))):
        agree(lambda x: nn.max_pool2d(x, *how), lambda x: F.max_pool2d(x, *how), x)
        for counted in (True, False):
            agree(
                lambda x: nn.avg_pool2d(x, *how, counted),
                lambda x: F.avg_pool2d(x, *how, count_include_pad=counted),
                x,
            )
    agree(
        lambda x: nn.max_pool2d(x, 2, 1, 1, 2),
        lambda x: F.max_pool2d(x, 2, 1, 1, 2),
        numbers(1, 2, 5, 5),
    )


def test_layers():
    agree(nn.linear, F.linear, numbers(2, 3, 4), numbers(5, 4), numbers(5))
    ids = RNG.integers(0, 7, (3, 5))
    agree(lambda i, w: nn.embedding(i, w, 2), lambda i, w: F.embedding(i, w, 2), ids, numbers(7, 4))
    agree(
        lambda x, w, b: nn.layer_norm(x, (3, 4), w, b),
        lambda x, w, b: F.layer_norm(x, (3, 4), w, b),
        numbers(5, 3, 4),
        numbers(3, 4),
        numbers(3, 4),
    )
    agree(
        lambda x, w, b: nn.batch_norm(x, None, None, w, b, True),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
        numbers(4, 3, 2, 2),
        numbers(3),
        numbers(3),
    )
    for shape, groups in (((4, 6), 3), ((4, 6, 3), 2), ((4, 6, 2, 2), 6), ((4, 6, 2, 2), 1)):
        agree(
            lambda x, w, b, groups=groups: nn.group_norm(x, groups, w, b),
            lambda x, w, b, groups=groups: F.group_norm(x, groups, w, b),
            numbers(*shape),
            numbers(6),
            numbers(6),
        )


MASKS = {
    "none": None,
    "bools": np.arange(20).reshape(4, 5) % 3 > 0,
    "bools for each head": np.arange(120).reshape(2, 3, 4, 5) % 4 > 0,
    "numbers": np.random.default_rng(3).standard_normal((4, 5)),
    "infinities": np.where(np.arange(20).reshape(4, 5) % 3 > 0, 0.0, -np.inf),
    "a query that sees nothing": np.arange(4)[:, None] * np.ones(5) > 1,
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("scale", [None, 0.3])
def test_attention_of_dot_products(mask, scale):
    arrays = numbers(2, 3, 4, 6), numbers(2, 3, 5, 6), numbers(2, 3, 5, 7)
    given = MASKS[mask]
    ours, theirs = (None, None) if given is None else (xp.asarray(given), torch.tensor(given))
    attention = F.scaled_dot_product_attention
    agree(
        lambda *a: nn.scaled_dot_product_attention(*a, ours, scale=scale),
        lambda *a: attention(*a, theirs, scale=scale),
        *arrays,
    )
    if given is None:
        agree(
            lambda *a: nn.scaled_dot_product_attention(*a, is_causal=True, scale=scale),
            lambda *a: attention(*a, is_causal=True, scale=scale),
            *arrays,
        )


def copied(ours, theirs):
    """The same layer of both, with the weights of PyTorch's."""
    theirs = theirs.double()
    state = {name: xp.asarray(x.numpy(force=True)) for name, x in theirs.state_dict().items()}
    assert {n: x.shape for n, x in ours.state_dict().items()} == {
        n: x.shape for n, x in state.items()
    }
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict(state)
    return ours, theirs


def alike(pair, ours, theirs, *arrays):
    """The results of two layers, which may be several, and the gradients of their parameters."""
    a, b = [xp.asarray(x) for x in arrays], [torch.tensor(x, requires_grad=True) for x in arrays]
    agree(ours, theirs, *arrays, rtol=1e-10)
    y, z = ours(*a), theirs(*b)
    xp.sum(y**3).backward()
    (z**3).sum().backward()
    for p, q in zip(pair[0].parameters(), pair[1].parameters(), strict=True):
        g = q.grad.numpy()
        np.testing.assert_allclose(p.grad.numpy(), g, rtol=1e-9, atol=1e-10 * np.abs(g).max())


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_recurrent_layers(name, num_layers, batch_first, bidirectional):
    options = {
        "num_layers": num_layers, "batch_first": batch_first, "bidirectional": bidirectional,
        "bias": num_layers == 1,
    }  # fmt: skip
    pair = copied(getattr(nn, name)(3, 4, **options), getattr(torch.nn, name)(3, 4, **options))
    rows = num_layers * (1 + bidirectional)

    def run(layer, lib, x, *states):
        y, last = layer(x, (states if name == "LSTM" else states[0]) if states else None)
        parts = [y, *(last if name == "LSTM" else [last])]
        return (lib.concat if lib is xp else lib.cat)([lib.reshape(p, (-1,)) for p in parts])

    for given in ((), (numbers(rows, 5, 4), numbers(rows, 5, 4))[: 2 if name == "LSTM" else 1]):
        alike(
            pair,
            lambda *a: run(pair[0], xp, *a),
            lambda *a: run(pair[1], torch, *a),
            numbers(*((5, 6) if batch_first else (6, 5)), 3),
            *given,
        )
        for layer in pair:
            layer.zero_grad()
    one = numbers(6, 3)  # a sequence without a batch
    agree(lambda x: pair[0](x)[0], lambda x: pair[1](x)[0], one)


ATTENTIONS = {
    "self": ({}, {}),
    "no bias": ({"bias": False}, {}),
    "average": ({}, {"average_attn_weights": False}),
    "padding": ({}, {"key_padding_mask": np.arange(15).reshape(3, 5) % 4 == 3}),
    "numbers": ({}, {"attn_mask": np.random.default_rng(1).standard_normal((4, 5))}),
    "each head": ({}, {"attn_mask": np.arange(120).reshape(6, 4, 5) % 5 == 4}),
    "both": (
        {},
        {
            "attn_mask": np.arange(20).reshape(4, 5) % 5 == 4,
            "key_padding_mask": np.arange(15).reshape(3, 5) % 4 == 3,
        },
    ),
    "sizes": ({"kdim": 5, "vdim": 7}, {}),
}


@pytest.mark.parametrize("case", ATTENTIONS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_multihead_attention(case, batch_first):
    options, given = ATTENTIONS[case]
    options = {**options, "batch_first": batch_first}
    pair = copied(
        nn.MultiheadAttention(8, 2, **options), torch.nn.MultiheadAttention(8, 2, **options)
    )
    for p in pair[1].parameters():  # no zeros
        p.data = torch.tensor(numbers(*p.shape))
    copied(*pair)

    def run(layer, lib, *arrays):
        read = xp.asarray if lib is xp else torch.tensor
        masks = {k: read(m) if isinstance(m, np.ndarray) else m for k, m in given.items()}
        y, weights = layer(*arrays, **masks)
        return (lib.concat if lib is xp else lib.cat)(
            [lib.reshape(y, (-1,)), lib.reshape(weights, (-1,))]
        )

    def shape(length, size):
        return (3, length, size) if batch_first else (length, 3, size)

    arrays = numbers(*shape(4, 8)), numbers(*shape(5, options.get("kdim", 8)))
    value = numbers(*shape(5, options.get("vdim", 8)))
    alike(pair, lambda *a: run(pair[0], xp, *a), lambda *a: run(pair[1], torch, *a), *arrays, value)
    if given or "kdim" in options:
        return
    for layer in pair:
        layer.zero_grad()
    x = numbers(*shape(6, 8))
    alike(pair, lambda x: run(pair[0], xp, x, x, x), lambda x: run(pair[1], torch, x, x, x), x)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(6, dtype=torch.float64)
    agree(
        lambda x: pair[0](x, x, x, is_causal=True)[0],
        lambda x: pair[1](x, x, x, attn_mask=mask, is_causal=True)[0],
        x,
    )
    agree(
        lambda x: pair[0](x, x, x, need_weights=False)[0],
        lambda x: pair[1](x, x, x, need_weights=False)[0],
        numbers(6, 8),
        second=False,  # PyTorch has none here
    )


def test_layers_have_pytorchs_initial_distributions():
    """Means, standard deviations and ends of the parameters of large layers."""
    for make in (
        lambda lib: lib.Conv1d(64, 96, 5, groups=2),
        lambda lib: lib.ConvTranspose2d(64, 96, 3, groups=2),
        lambda lib: lib.LSTM(40, 60, 2, bidirectional=True),
        lambda lib: lib.GRU(40, 60),
        lambda lib: lib.MultiheadAttention(64, 4),
        lambda lib: lib.MultiheadAttention(64, 4, kdim=100),
        lambda lib: lib.GroupNorm(2, 8),
        lambda lib: lib.BatchNorm1d(8),
    ):
        ours, theirs = make(nn).state_dict(), make(torch.nn).state_dict()
        assert list(ours) == list(theirs)
        for name, x in ours.items():
            a, b = x.numpy(), theirs[name].numpy()
            assert a.shape == b.shape
            size = max(np.abs(b).max(), 1e-9)
            few = 4 / math.sqrt(a.size)
            assert np.abs(a).max() == pytest.approx(size, rel=few, abs=1e-9), name
            assert a.std() == pytest.approx(b.std(), rel=few, abs=1e-9), name


def test_batch_normalization_of_vectors_and_signals():
    pair = copied(nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3))
    for shape in ((5, 3), (5, 3, 4)):
        agree(pair[0], pair[1], numbers(*shape))
    for layer in pair:
        layer.eval()
    copied(*pair)
    agree(pair[0], pair[1], numbers(5, 3))


BATCHES = {
    "1d": [(4, 3), (30, 1), (4, 3, 5), (1, 3, 2)],
    "2d": [(4, 3, 2, 2), (1, 2, 3, 3)],
    "3d": [(4, 3, 2, 2, 2), (1, 2, 1, 1, 2)],
}


@pytest.mark.parametrize(("kind", "shape"), [(k, s) for k, ss in BATCHES.items() for s in ss])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_batch_normalization_layers(kind, shape, momentum):
    ours = getattr(nn, f"BatchNorm{kind}")(shape[1], momentum=momentum)
    theirs = getattr(torch.nn, f"BatchNorm{kind}")(shape[1], momentum=momentum).double()
    for training in (True, True, False):
        w, b, x, g = numbers(shape[1]), numbers(shape[1]), numbers(*shape), numbers(*shape)
        ours.load_state_dict(ours.state_dict() | {"weight": xp.asarray(w), "bias": xp.asarray(b)})
        with torch.no_grad():
            theirs.weight[...], theirs.bias[...] = torch.tensor(w), torch.tensor(b)
        ours.train(training)
        theirs.train(training)
        ours.zero_grad()
        theirs.zero_grad()
        x, other = xp.asarray(x).requires_grad_(), torch.tensor(x, requires_grad=True)
        y, expected = ours(x), theirs(other)
        xp.sum(y * xp.asarray(g)).backward()
        (expected * torch.tensor(g)).sum().backward()
        pairs = [(y.detach(), expected.detach()), (x.grad, other.grad)]
        pairs += [(ours.weight.grad, theirs.weight.grad), (ours.bias.grad, theirs.bias.grad)]
        pairs += zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
        for found, right in pairs:
            np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", BATCHES)
def test_batch_normalization_layers_take_the_shapes_that_theirs_take(kind):
    ours = getattr(nn, f"BatchNorm{kind}")(3)
    theirs = getattr(torch.nn, f"BatchNorm{kind}")(3).double()
    for shape in [
        (3,),
        (2, 3),
        (1, 3),
        (2, 3, 1),
        (2, 3, 2, 2),
        (2, 3, 1, 1, 2),
        (2, 3, *(1,) * 4),
    ]:
        try:
            theirs(torch.ones(shape, dtype=torch.float64))
        except ValueError:
            with pytest.raises(ValueError, match=f"BatchNorm{kind}: |batch_norm: "):
                ours(xp.ones(shape))
        else:
            assert ours(xp.ones(shape)).shape == shape


def build(lib, pair):
    return lib.Sequential(
        lib.Conv2d(1, 6, 3, padding=1), lib.BatchNorm2d(6), lib.ReLU(), lib.MaxPool2d(2),
        lib.Conv2d(6, 8, 3, groups=2), lib.GELU(), lib.AvgPool2d(2), lib.Flatten(),
        lib.LayerNorm(8), lib.Linear(8, 5), pair,
    )  # fmt: skip


def test_a_network_trains_alike_and_its_state_carries_over(tmp_path):
    """Fifty steps of gradient descent, the weights from a file of PyTorch's names."""
    model = build(nn, nn.LogSoftmax(-1))
    other = build(torch.nn, torch.nn.LogSoftmax(-1)).double()
    path = tmp_path / "other.safetensors"
    state = {name: xp.asarray(x.numpy(force=True)) for name, x in other.state_dict().items()}
    nn.save(state, path)
    model.load_state_dict(nn.load(path))
    images, classes = numbers(50, 16, 1, 8, 8), RNG.integers(0, 5, (50, 16))
    for x, y in zip(images, classes, strict=True):
        loss = nn.cross_entropy(model(xp.asarray(x)), xp.asarray(y))
        loss.backward()
        expected = F.cross_entropy(other(torch.tensor(x)), torch.tensor(y))
        expected.backward()
        assert float(loss) == pytest.approx(expected.item(), rel=1e-9)
        with autodiff.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
        model.zero_grad()
        with torch.no_grad():
            for p in other.parameters():
                p -= 0.1 * p.grad
        other.zero_grad()
    assert list(model.state_dict()) == list(other.state_dict())
    for name, x in other.state_dict().items():
        np.testing.assert_allclose(
            model.state_dict()[name].numpy(), x.numpy(), rtol=1e-7, atol=1e-9
        )
    back = {name: torch.tensor(x.numpy()) for name, x in model.state_dict().items()}
    other.load_state_dict(back)
    x = images[0]
    found = model.eval()(xp.asarray(x)).detach().numpy()
    np.testing.assert_allclose(found, other.eval()(torch.tensor(x)).numpy(force=True), rtol=1e-10)
