"""Reductions and scans, against NumPy on every device and against exact sums."""

import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arraygrad as ag

A = np.asarray([[[3.0, 1.0, 2.0], [0.5, -4.0, 8.0]], [[1.0, 1.0, 0.0], [7.0, 2.0, -3.0]]])
AXES = [None, 0, -1, (0, 2), (1, -1), ()]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "std", "var"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
def test_reductions(xp, device, same, name, axis, keepdims, dtype):
    if axis == () and (device.startswith("strict") or name in ("mean", "std", "var")):
        pytest.skip("an empty tuple of axes is beyond the standard")
    a = np.abs(A).astype(dtype) if dtype == "uint8" else A.astype(dtype)
    found = getattr(xp, name)(xp.asarray(a), axis=axis, keepdims=keepdims)
    expected = getattr(np, name)(a, axis=axis, keepdims=keepdims)
    same(found, expected, rtol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("name", ["all", "any", "count_nonzero"])
def test_logical_reductions(xp, same, name, axis):
    same(
        getattr(xp, name)(xp.asarray(A), axis=axis),
        getattr(np, name)(A, axis=axis),
    )
    assert getattr(xp, name)(xp.asarray(A), axis=axis, keepdims=True).ndim == 3


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_nothing_to_reduce(xp, same, shape):
    x = xp.zeros(shape)
    for name in ("sum", "prod", "all", "any"):
        same(getattr(xp, name)(x), getattr(np, name)(np.zeros(shape)))
        same(getattr(xp, name)(x, axis=0), getattr(np, name)(np.zeros(shape), axis=0))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_means_of_nothing():
    for name in ("mean", "std", "var"):
        assert math.isnan(float(getattr(ag, name)(ag.zeros(0))))
        assert getattr(ag, name)(ag.zeros((3, 0)), axis=1).shape == (3,)
        assert getattr(ag, name)(ag.zeros((0, 3)), axis=1).shape == (0,)
    assert math.isnan(float(ag.var(ag.ones(2), correction=2)))
    assert math.isnan(float(ag.var(ag.asarray([1.0, 3.0]), correction=3)))
    assert math.isnan(float(ag.std(ag.asarray([1, 3]), correction=2)))


@pytest.mark.parametrize("correction", [0, 1, 0.5])
def test_corrections(xp, same, correction):
    same(xp.var(xp.asarray(A), correction=correction), np.var(A, ddof=correction), rtol=1e-14)
    same(xp.std(xp.asarray(A), axis=1, correction=correction), np.std(A, 1, ddof=correction), 1e-14)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32"])
def test_accumulator_dtypes(xp, same, dtype):
    a = np.ones(300, dtype=dtype)
    for name in ("sum", "prod"):
        found = getattr(xp, name)(xp.asarray(a))
        assert found.dtype == getattr(np, name)(a).dtype
        assert getattr(xp, name)(xp.asarray(a), dtype=xp.float64).dtype == xp.float64
    assert float(xp.sum(xp.asarray(a))) == 300


@pytest.mark.parametrize("include_initial", [False, True])
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@pytest.mark.parametrize("dtype", ["float64", "int8"])
def test_scans(xp, same, name, include_initial, dtype):
    a = A.astype(dtype)
    function, reference = getattr(xp, name), getattr(np, name)
    for axis in (0, 1, -1):
        same(
            function(xp.asarray(a), axis=axis, include_initial=include_initial),
            reference(a, axis=axis, include_initial=include_initial),
        )
    row = a[0, 0]
    same(function(xp.asarray(row)), reference(row))
    assert function(xp.asarray(row), dtype=xp.float32).dtype == xp.float32


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_sums_are_nearly_exact(values):
    x = ag.asarray(values)
    exact = sum(map(Fraction, values))
    magnitude = float(sum(map(abs, map(Fraction, values))))
    assert abs(float(ag.sum(x)) - float(exact)) <= 40 * 2.0**-52 * magnitude
    mean = exact / len(values)
    assert abs(float(ag.mean(x)) - float(mean)) <= 42 * 2.0**-52 * magnitude / len(values)
    variance = sum((Fraction(v) - mean) ** 2 for v in values) / len(values)
    bound = 1e-12 * float(variance) + 1e-28 * magnitude**2
    assert abs(float(ag.var(x)) - float(variance)) <= bound


#: Long rows and short ones, few columns, axes of one element, and no divisor to take apart by.
LARGE = [
    *((200_000,), (2**17 + 3, 1), (1, 140_001), (30_000, 3), (5_001, 10), (300, 64, 1)),
    *((260, 2_100), (257, 1_031), (9, 20_000), (3, 70, 900), (8, 16, 14, 14)),
]


@pytest.mark.parametrize("order", ["C", "F", "reversed"])
@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_sums(xp, shape, dtype, order):
    """Over whatever axes, in whatever order the memory is; all of it as exact as by pairs."""
    a = np.random.default_rng(0).random(shape).astype(dtype)
    a = np.asfortranarray(a) if order == "F" else a[::-1] if order == "reversed" else a
    x = xp.asarray(a)
    wide = a.astype(np.longdouble)
    ndim = len(shape)
    axes = [c for n in range(1, ndim + 1) for c in itertools.combinations(range(ndim), n)]
    for axis in (None, -1, *axes):
        for keepdims in (False, True):
            found = xp.sum(x, axis=axis, keepdims=keepdims).numpy()
            expected = wide.sum(axis=axis, keepdims=keepdims)
            assert (found.shape, found.dtype) == (expected.shape, a.dtype)
            # By the way they lie in memory, some are added one after the other.
            least = 12 if axis is None and order == "C" else a.size // expected.size
            np.testing.assert_allclose(found, expected, rtol=float(least * np.finfo(dtype).eps))


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2), (0, 5)])
def test_axes_that_do_not_exist(axis):
    messages = []
    for x in (ag.ones((2, 3)), ag.ones((50_000, 3))):
        with pytest.raises((ValueError, IndexError)) as error:
            ag.sum(x, axis=axis)
        messages.append(re.sub(r"\d+, ?\d+", "", str(error.value)))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_large_sums_of_what_is_not_finite(value):
    for shape, axis in (((200_000,), None), ((30_000, 5), 0), ((30_000, 5), 1)):
        a = np.ones(shape)
        a.reshape(-1)[[7, -1]] = value
        np.testing.assert_array_equal(ag.sum(ag.asarray(a), axis=axis).numpy(), a.sum(axis=axis))


def test_variance_of_a_large_offset():
    x = ag.asarray([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])
    assert float(ag.var(x)) == 22.5
    assert float(ag.std(ag.full((7,), 0.1))) < 1e-16


def test_diff(xp, same):
    for kwargs in ({}, {"axis": 0}, {"n": 2}, {"n": 0}, {"axis": 1, "n": 1}):
        same(xp.diff(xp.asarray(A), **kwargs), np.diff(A, **kwargs))
    edge = np.zeros((2, 2, 1))
    same(
        xp.diff(xp.asarray(A), prepend=xp.asarray(edge), append=xp.asarray(edge)),
        np.diff(A, prepend=edge, append=edge),
    )
    row = xp.asarray([1, 4])
    assert xp.diff(row, n=0, prepend=row[:1], append=row).tolist() == [1, 1, 4, 1, 4]
    assert xp.repeat(row, xp.asarray([2, 1], dtype=xp.int64)).tolist() == [1, 1, 4]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(("shape", "axis"), [
    ((3,), None), ((3000,), 0), ((7, 30, 5), (0, 2)), ((4, 0), 0), ((), 0),
    (((1 << 24) + 5,), None),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered")
def test_mean_is_numpys_to_the_last_bit(shape, axis, dtype):
    a = np.random.default_rng(3).standard_normal(shape, dtype=np.float32).astype(dtype)
    for keepdims in (False, True):
        found = ag.mean(ag.asarray(a), axis=axis, keepdims=keepdims).numpy()
        want = a.mean(axis=axis if shape else None, keepdims=keepdims)
        assert found.dtype == want.dtype
        np.testing.assert_array_equal(found, want)
