"""Initial values of parameters."""

import math

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn, optim


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


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def half(request):
    """The namespace on devices that have float16, which array-api-strict lacks."""
    with arraygrad.default_device(request.param):
        yield arraygrad


def test_layers_of_float16(half):
    """Their numbers are those of float32, rounded."""
    xp = half
    for make in (
        lambda **kw: nn.Linear(30, 20, **kw),
        lambda **kw: nn.Conv2d(4, 6, 3, **kw),
        lambda **kw: nn.Conv1d(4, 6, 3, **kw),
        lambda **kw: nn.ConvTranspose2d(4, 6, 3, **kw),
        lambda **kw: nn.Embedding(5, 4, **kw),
        lambda **kw: nn.LSTM(3, 4, 2, **kw),
        lambda **kw: nn.GRU(3, 4, **kw),
        lambda **kw: nn.MultiheadAttention(8, 2, **kw),
    ):
        narrow, wide = (
            make(rng=xp.random.default_rng(0), dtype=dtype).state_dict()
            for dtype in (xp.float16, xp.float32)
        )
        for name, x in narrow.items():
            assert x.dtype == xp.float16
            assert bool(xp.all(x == xp.astype(wide[name], xp.float16))), name
    for function in (
        nn.kaiming_uniform, nn.kaiming_normal, nn.xavier_uniform, nn.xavier_normal
    ):  # fmt: skip
        assert function((3, 4), dtype=xp.float16).dtype == xp.float16


def test_a_model_of_float16_trains(half):
    xp = half
    rng = xp.random.default_rng(0)
    kw = {"dtype": xp.float16}
    model = nn.Sequential(
        nn.Linear(4, 8, rng=rng, **kw), nn.LayerNorm(8, **kw), nn.GELU(),
        nn.Linear(8, 3, rng=rng, **kw),
    )  # fmt: skip
    x = xp.astype(rng.standard_normal((64, 4)), xp.float16)
    y = xp.astype(x[:, 0] > 0, xp.int64)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert model(x).dtype == xp.float16
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype("float16")}
    assert losses[-1] < 0.3 < losses[0]


def test_norms_of_float16_do_not_overflow(half):
    xp = half
    x = 300 * xp.astype(xp.random.default_rng(0).standard_normal((2, 1000)), xp.float16)
    for f in (
        lambda x: nn.layer_norm(x, 1000),
        lambda x: nn.group_norm(x, 1),
        lambda x: nn.batch_norm(x.T, None, None, training=True),
    ):
        y = f(x)
        wide = f(xp.astype(x, xp.float32))
        assert y.dtype == xp.float16
        assert float(xp.max(xp.abs(xp.astype(y, xp.float32) - wide))) < 0.01

        def loss(x, f=f):
            return xp.sum(xp.astype(f(x), xp.float32) ** 3)

        g, exact = autodiff.grad(loss)(x), autodiff.grad(loss)(xp.astype(x, xp.float32))
        assert g.dtype == xp.float16
        error = xp.abs(xp.astype(g, xp.float32) - exact)
        assert float(xp.max(error)) < 0.01 * float(xp.max(xp.abs(exact)))
    layer = nn.BatchNorm1d(1000, dtype=xp.float16)
    layer(x / 300)
    assert layer.running_var.dtype == xp.float16
    assert bool(xp.all(layer.running_var > 0.85))
