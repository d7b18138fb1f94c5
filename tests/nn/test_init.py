"""Initial values of parameters."""

import math

import numpy as np
import pytest

from arraygrad import nn


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
