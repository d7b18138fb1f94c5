"""Activations: values, derivatives, and their ends."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from nn.support import numbers, smooth

from arraygrad import autodiff, nn

FAR = [-math.inf, -1e300, -1e4, -40.0, -1.0, -0.0, 0.0, 0.5, 40.0, 1e4, 1e300, math.inf]


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
    "leaky_relu": (nn.leaky_relu, lambda x: x if x > 0 else mpmath.mpf(0.01) * x),
    "elu": (lambda x: nn.elu(x, 0.5), lambda x: x if x > 0 else mpmath.expm1(x) / 2),
    "softplus": (nn.softplus, lambda x: mpmath.log1p(mpmath.exp(x))),
    "softplus, sharp": (
        lambda x: nn.softplus(x, 4.0),
        lambda x: mpmath.log1p(mpmath.exp(4 * x)) / 4,
    ),
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

        def slope(x):  # (the sum of infinities would warn)
            return autodiff.vjp(function, x)[1](xp.ones_like(x))[0]

        g = slope(x)
        h = autodiff.grad(lambda x: xp.sum(slope(x)))(x)
    left, right = {
        "tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "elu": (-0.5, math.inf)
    }.get(name, (0.0, math.inf))  # fmt: skip
    slope = 0.01 * (name == "leaky_relu")
    same(y[:3], [slope * v if slope else left for v in FAR[:3]], rtol=1e-15)
    same(y[-3:], [min(right, v) for v in FAR[-3:]], rtol=1e-15)
    same(g[:3], [slope] * 3)
    same(g[-3:], [float(right == math.inf)] * 3)
    assert bool(xp.all(xp.isfinite(g)))
    assert bool(xp.all(xp.isfinite(h)))


def test_derivatives_at_the_bends(xp, same):
    zero = xp.zeros(1)
    for f, slope in (
        (nn.relu, 0.0),
        (lambda x: nn.leaky_relu(x, 0.3), 0.3),
        (lambda x: nn.elu(x, 0.7), 0.7),
        (nn.softplus, 0.5),
    ):
        same(autodiff.grad(lambda x, f=f: xp.sum(f(x)))(zero), [slope])
        same(autodiff.jvp(f, (zero,), (zero + 1,))[1], [slope])
    with pytest.raises(ValueError, match=r"softplus: beta must be positive; got 0"):
        nn.softplus(zero, 0)
    with pytest.raises(TypeError, match=r"elu: alpha must be a number; got '1'"):
        nn.elu(zero, "1")


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


@pytest.mark.parametrize("f", [nn.softmax, nn.log_softmax])
def test_softmax_of_nothing(xp, f):
    for shape, axis in (((2, 0), 1), ((2, 0), 0), ((0, 2), 1), ((0,), -1)):
        x = xp.ones(shape)
        y, pull = autodiff.vjp(lambda x, axis=axis: f(x, axis), x)
        assert y.shape == pull(y)[0].shape == shape
        assert f(x, axis) is not x
    with pytest.raises((IndexError, ValueError), match="axis"):
        f(xp.ones((2, 0)), 2)
