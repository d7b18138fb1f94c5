"""The reductions that leave out NaN, against NumPy's of the same names."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff

_rng = np.random.default_rng(0)
DATA = {
    "some NaN": np.where(_rng.random((3, 4, 5)) < 0.3, np.nan, _rng.standard_normal((3, 4, 5))),
    "none": _rng.standard_normal((3, 4)),
    "a row of NaN": np.asarray([[1.0, np.nan, -3.0], [np.nan] * 3]),
    "infinities": np.asarray([[np.inf, np.nan, -np.inf, 1.0], [np.inf, np.inf, np.nan, 2.0]]),
    "float32": np.asarray([[1.0, np.nan, 3.0], [2.0, 4.0, 5.0]], dtype=np.float32),
    "ints": np.asarray([[3, 1, 2], [4, 4, 0]]),
    "one axis": np.asarray([np.nan, 2.0, 1.0, 5.0, 4.0]),
}
REDUCTIONS = ["max", "min", "sum", "prod", "mean", "var", "std", "median"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of rows of NaN
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, data, xp, same):
    a = DATA[data]
    axes = [None, 0, -1] + [(0, 1), (-1, 0)] * (a.ndim > 1)
    for axis in axes:
        for keepdims in (False, True):
            found = getattr(xp, f"nan{name}")(xp.asarray(a), axis=axis, keepdims=keepdims)
            expected = getattr(np, f"nan{name}")(a, axis=axis, keepdims=keepdims)
            same(found, expected, rtol=1e-6 if a.dtype == np.float32 else 1e-14)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("data", DATA)
def test_the_median_is_nan_where_an_element_is(data, xp, same):
    a = DATA[data]
    for axis in [None, 0, -1] + [(0, 1), (-1, 0)] * (a.ndim > 1):
        for keepdims in (False, True):
            found = xp.median(xp.asarray(a), axis=axis, keepdims=keepdims)
            same(found, np.median(a, axis=axis, keepdims=keepdims), rtol=1e-14)
    with xp.strict(), pytest.raises(TypeError, match=r"median: .*xp.sort"):
        xp.median(xp.asarray(a))
    with pytest.raises(TypeError, match="expected a Tensor"):
        xp.median(a)


def test_the_gradient_of_the_median():
    x = arraygrad.asarray([[3.0, 1.0, 2.0, 7.0], [4.0, 9.0, 6.0, 0.5]])
    for axis in (None, 0, 1):
        autodiff.check_grads(lambda x, axis=axis: arraygrad.median(x, axis=axis), (x,))


@pytest.mark.parametrize("name", ["nanargmax", "nanargmin"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_positions(name, axis, xp, same):
    for data in ("none", "infinities", "float32", "ints"):
        a = DATA[data]
        found = getattr(xp, name)(xp.asarray(a), axis=axis)
        expected = getattr(np, name)(np.where(np.isinf(a), 9.0 * np.sign(a), a), axis=axis)
        same(found, expected)
    with pytest.raises(ValueError, match=name):
        getattr(xp, name)(xp.asarray([[np.nan, 1.0], [np.nan, np.nan]]), axis=1)


@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_running(name, axis, xp, same):
    for a in DATA.values():
        if not np.isinf(a).any():
            found = getattr(xp, name)(xp.asarray(a), axis=axis)
            same(found, getattr(np, name)(a, axis=axis), rtol=1e-14)


def test_complex(xp, same):
    a = np.asarray([1 + 1j, np.nan, 3 - 2j])
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd"):
        same(getattr(xp, name)(xp.asarray(a)), getattr(np, name)(a), rtol=1e-14)


@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning")
def test_options(xp, same):
    a = DATA["some NaN"]
    same(xp.nanvar(xp.asarray(a), axis=0, ddof=1), np.nanvar(a, axis=0, ddof=1), rtol=1e-14)
    same(xp.nanstd(xp.asarray(a), ddof=1), np.nanstd(a, ddof=1), rtol=1e-14)
    same(xp.nansum(xp.asarray(a), dtype=xp.float32), np.nansum(a, dtype=np.float32), rtol=1e-6)
    ints = np.asarray([1, 2, 4])
    expected = np.nanmean(ints, dtype=np.float32)
    same(xp.nanmean(xp.asarray(ints), dtype=xp.float32), expected, rtol=1e-6)


@pytest.mark.parametrize("name", [*REDUCTIONS, "cumsum", "cumprod"])
def test_gradients(name):
    x = arraygrad.asarray(DATA["some NaN"][0])
    f = getattr(arraygrad, f"nan{name}")
    some = arraygrad.logical_not(arraygrad.isnan(x))
    full = lambda y: f(arraygrad.where(some, y, arraygrad.nan))
    autodiff.check_grads(full, (arraygrad.where(some, x, 0.5),))
    (cotangent,) = autodiff.vjp(f, x)[1](arraygrad.ones_like(f(x)))
    assert arraygrad.all(arraygrad.where(some, 0.0, cotangent) == 0)
    assert arraygrad.all(arraygrad.isfinite(cotangent))


@pytest.mark.parametrize("name", [f"nan{name}" for name in (*REDUCTIONS, "argmax", "cumsum")])
def test_bad_use_raises(name):
    f = getattr(arraygrad, name)
    with pytest.raises(TypeError, match=name):
        f(np.ones(3))
    with pytest.raises((ValueError, IndexError)):
        f(arraygrad.ones(3), axis=1)
    with arraygrad.strict(), pytest.raises(TypeError, match=f"{name}: outside the standard"):
        f(arraygrad.ones(3))


def test_medians_of_empty_tensors():
    x = arraygrad.zeros((0, 2, 3))
    assert arraygrad.median(x, axis=1).shape == (0, 3)
    assert arraygrad.median(x, axis=(1, 2)).shape == (0,)
    assert arraygrad.nanmedian(x, axis=(1, 2), keepdims=True).shape == (0, 1, 1)
    with pytest.raises(ValueError, match="nanmedian"):
        arraygrad.nanmedian(x, axis=(0, 1))


def test_the_gradient_of_nanstd_is_zero_without_a_spread(xp):
    for n in (3, 3000):
        x = xp.asarray([2.0] * n + [xp.nan])
        assert autodiff.grad(xp.nanstd)(x).tolist() == [0.0] * (n + 1)
        assert autodiff.grad(xp.std)(x[:-1]).tolist() == [0.0] * n
