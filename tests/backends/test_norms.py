"""Normalisation: the same bits by NumPy's functions and as compiled, and the values."""

import math

import numpy as np
import pytest

from arraygrad._backends.common import nn
from arraygrad._backends.numpy import norms, table
from arraygrad._backends.numpy.products import outer, sum_of_products

OPS = table.make_table()
GENERAL = nn.Normalisation(np, sum_of_products, outer)
rng = np.random.default_rng(0)


def numbers(*shape):
    return rng.standard_normal(shape).astype("f4") + np.float32(0.5)


#: An array, the axes, and the shape of the weights.
CASES = {
    f"rows of {n}, {kind}": (numbers(rows, n), (1,), (n,) if kind == "weights" else None)
    for rows, n in (
        (3, 5), (70, 4), (4, 1), (300, 5), (3, 16), (70, 17), (1, 300), (130, 100), (64, 32),
        (70, 3000), (2, 5000), (0, 20), (65, 4096),
    )
    for kind in ("weights", "none")
}  # fmt: skip
CASES |= {
    "groups": (numbers(6, 8, 4, 77), (2, 3), (8, 4, 1)),
    "groups, no weights": (numbers(6, 8, 4, 77), (2, 3), None),
    "groups of one channel": (numbers(6, 8, 1, 77), (2, 3), (8, 1, 1)),
    "many groups of small images": (numbers(60, 2, 4, 3), (2, 3), (2, 4, 1)),
    "few groups of small images": (numbers(2, 2, 4, 3), (2, 3), (2, 4, 1)),
    "channels without images": (numbers(50, 7), (0,), (7,)),
    "groups of points": (numbers(6, 8, 40, 1), (2, 3), (8, 40, 1)),
    "channels": (numbers(5, 7, 8, 8), (0, 2, 3), (7, 1, 1)),
    "channels, no weights": (numbers(5, 7, 8, 8), (0, 2, 3), None),
    "long channels": (numbers(3, 4, 5000), (0, 2), (4, 1)),
    "channels first in memory": (numbers(7, 5, 6, 4).transpose(3, 0, 1, 2), (0, 2, 3), (7, 1, 1)),
    "channels last in memory": (numbers(5, 6, 4, 7).transpose(0, 3, 1, 2), (0, 2, 3), (7, 1, 1)),
    "a view": (numbers(40, 60)[:, ::2], (1,), (30,)),
    "backwards": (numbers(40, 60)[::-1], (1,), (60,)),
    "columns": (numbers(60, 40).T, (1,), (60,)),
    "two axes": (numbers(9, 6, 8), (1, 2), (6, 8)),
    "negative axes": (numbers(9, 6, 8), (-1,), (8,)),
    "whole": (numbers(500), (0,), None),
}


def run(case, ops=OPS, dtype="f4", eps=1e-5):
    x, axes, shape = case
    x = x.astype(dtype, order="K") if x.dtype != dtype else x
    weight = bias = None
    if shape is not None:
        weight = np.linspace(-1, 2, math.prod(shape)).astype(dtype).reshape(shape)
        bias = weight[::-1].copy()
    g = np.empty_like(x)
    g[...] = np.cos(x * 3)
    c, mean, variance = ops["nn.centre"](x, axes=axes)
    y = ops["nn.scale"](x, c, variance, weight, bias, eps=eps)
    return c, mean, variance, y, *ops["nn.scale_back"](g, c, variance, weight, eps=eps)


@pytest.mark.skipif(norms._compiled is None, reason="normalisation is not compiled")
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("name", CASES)
def test_both_forms_have_the_same_bits(name, dtype, monkeypatch):
    found = run(CASES[name], dtype=dtype)
    monkeypatch.setattr(norms, "_compiled", None)
    expected = run(CASES[name], dtype=dtype)
    for y, z in zip(found, expected, strict=True):
        assert y.dtype == z.dtype
        assert y.shape == z.shape
        assert y.strides == z.strides or not y.size
        np.testing.assert_array_equal(y, z)
        np.testing.assert_array_equal(np.signbit(y), np.signbit(z))


@pytest.mark.parametrize("eps", [1e-5, 1e-14])
@pytest.mark.parametrize("name", CASES)
def test_values_are_those_in_double_precision(name, eps):
    general = {f"nn.{k}": getattr(GENERAL, k) for k in ("centre", "scale", "scale_back")}
    found = run(CASES[name], eps=eps)
    expected = run(CASES[name], general, "f8", eps)
    for y, z in zip(found, expected, strict=True):
        assert y.dtype == np.float32
        assert y.shape == z.shape
        scale = np.max(np.abs(z), initial=1e-3)
        np.testing.assert_allclose(y, z, rtol=1e-5, atol=4e-6 * scale)


def test_forms():
    def form(x, axes, params=()):
        return norms.form_of(x.shape, x.strides, axes, params)

    assert form(numbers(3, 20), (1,), (20,)) == (1, 3, 1, 20, 1)
    assert form(numbers(3, 20), (-1,)) == (1, 3, 1, 1, 20)
    assert form(numbers(6, 8, 4, 77), (2, 3), (8, 4, 1)) == (1, 48, 8, 4, 77)
    assert form(numbers(5, 7, 8, 8), (0, 2, 3), (7, 1, 1)) == (5, 7, 7, 1, 64)
    assert form(numbers(7, 8, 8, 5).transpose(3, 0, 1, 2), (0, 2, 3)) == (1, 7, 1, 1, 320)
    assert form(numbers(500), (0,)) == (1, 1, 1, 1, 500)
    for x, axes, params in (
        (numbers(3, 20)[:, ::2], (1,), ()),  # with gaps
        (numbers(3, 20)[::-1], (1,), ()),
        (numbers(300, 5), (1,), ()),  # many short rows
        (numbers(3, 1), (1,), ()),
        (numbers(20, 3).T, (1,), ()),
        (numbers(0, 20), (1,), ()),
        (numbers(3, 20), (1,), (1, 3, 20)),
        (numbers(3, 2, 20).transpose(1, 0, 2), (2,), ()),  # rows in another order
    ):
        assert form(x, axes, params) is None


def test_long_sums_keep_their_digits():
    x = np.full((1, 1 << 22), 0.1, "f4")
    _, mean, _ = OPS["nn.centre"](x, axes=(1,))
    assert abs(mean[0, 0] / 0.1 - 1) < 5e-7
