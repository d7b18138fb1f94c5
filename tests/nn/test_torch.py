"""The functions of nn and a training beside PyTorch's, where that is installed."""

import itertools
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
        y = y.numpy(force=True)
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
    w, v = RNG.random(6), RNG.random(6)
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
