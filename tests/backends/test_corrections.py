"""Where NumPy differs from the standard, and its error state, on small and on large arrays."""

import itertools
import math
import warnings

import numpy as np
import pytest

import arraygrad as xp

SIZES = [3, 2**19]
OPS = xp.Device("cpu").ops
INF, NAN = math.inf, math.nan


def filled(size, values, dtype="float64"):
    """An array of ones that ends with some values."""
    a = np.ones(size, dtype)
    a[size - len(values) :] = values
    return a


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("x1", "x2", "expected"),
    [(INF, 2.0, INF), (-INF, 2.0, -INF), (2.0, INF, 0.0), (-2.0, INF, -0.0), (INF, INF, NAN)],
)
def test_floor_divide(size, x1, x2, expected):
    a, b = filled(size, [x1]), filled(size, [x2])
    with np.errstate(all="ignore"):
        for divisor in (xp.asarray(b), x2):
            found = (xp.asarray(a) // divisor).numpy()[-1]
            np.testing.assert_array_equal(found, expected)
            assert np.isnan(found) or np.signbit(found) == np.signbit(expected)
        x = xp.asarray(a, copy=True)
        x //= xp.asarray(b)
    np.testing.assert_array_equal(x.numpy()[-1], expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_powers_of_one_half(size, dtype):
    a = filled(size, [-0.0, -INF, 4.0], dtype)
    for exponent in (0.5, xp.asarray(0.5, dtype=dtype), xp.full(size, 0.5, dtype=dtype)):
        with np.errstate(invalid="ignore"):
            found = (xp.asarray(a) ** exponent).numpy()
        np.testing.assert_array_equal(found[-3:], [0.0, INF, 2.0])
        assert not np.signbit(found).any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ord", [0.5, 1.5, 2, 3, -2])
@pytest.mark.parametrize(("dtype", "small", "large"), [
    ("float64", 1e-200, 1e200), ("complex128", 1e-200j, 1e200j),
    ("float32", 1e-30, 1e30), ("complex64", 1e-30j, 1e30j),
])  # fmt: skip
def test_vector_norms_out_of_the_range_of_the_powers(size, ord, dtype, small, large):
    for value in (small, large):
        a = np.full(size, value, dtype)
        exact = abs(value) * float(size) ** (1 / ord)
        info = np.finfo(dtype)
        if not float(info.tiny) < exact < float(info.max):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = xp.linalg.vector_norm(xp.asarray(a), ord=ord)
        np.testing.assert_allclose(float(found), exact, rtol=1e-5)


def test_a_norm_beyond_the_range_warns_as_numpy_does():
    x = xp.asarray([1.5e308, 1.5e308])
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert float(xp.linalg.vector_norm(x)) == INF
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        xp.linalg.vector_norm(x)
    with np.errstate(over="raise"):
        assert float(xp.linalg.vector_norm(xp.asarray([INF, 1.0]))) == INF


@pytest.mark.parametrize("size", [100, 2**18])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "prod"])
def test_reductions_obey_the_error_state(size, name):
    function = getattr(xp, name)
    for shape, axis in (((size,), None), ((size // 10, 10), 0), ((size // 10, 10), 1)):
        x = xp.full(shape, 3e38, dtype=xp.float32)
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
            function(x, axis=axis)
        with pytest.warns(RuntimeWarning, match="overflow"):
            function(x, axis=axis)


@pytest.mark.parametrize("shape", [(3,), (1, 4), (2**17,), (40, 5)])
@pytest.mark.parametrize("name", ["var", "std"])
def test_corrections_of_the_variance(shape, name):
    a = np.random.default_rng(0).standard_normal(shape)
    for axis in (None, 0, -1, tuple(range(len(shape)))):
        axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        count = math.prod(shape[i] for i in axes)
        for correction in (0, 1, 0.5, count - 1, count, count + 1.5):
            found = getattr(xp, name)(xp.asarray(a), axis=axis, correction=correction).numpy()
            if count > correction:
                expected = getattr(a, name)(axis=axis, ddof=correction)
            else:
                expected = np.full(a.sum(axis=axis).shape, NAN)
            np.testing.assert_array_equal(found, expected, strict=True)
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        getattr(xp, name)(xp.asarray(a), axis=2, correction=1)


def test_the_variance_in_half_precision():
    a = np.random.default_rng(0).uniform(100, 300, 1000).astype("float16")
    found = xp.var(xp.asarray(a))
    assert found.dtype == xp.float16
    np.testing.assert_allclose(float(found), a.astype(float).var(), rtol=2e-3)


@pytest.mark.parametrize("n", [6, 3000])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "int8", "int64", "bool"])
@pytest.mark.parametrize("descending", [False, True])
def test_a_stable_sort_keeps_the_order_of_equal_elements(n, dtype, descending):
    """Also of signed zeros, and of complex numbers that differ by the sign of a zero."""
    rng = np.random.default_rng(0)
    a = rng.integers(-1, 2, n).astype(dtype)
    if a.dtype.kind in "fc":
        a = np.where(rng.random(n) < 0.5, a, -a)
    if a.dtype.kind == "c":
        a.imag = np.copysign(1.0, rng.standard_normal(n)) * rng.integers(0, 2, n)
        keys = [(z.real, z.imag) for z in a.tolist()]
    else:
        keys = a.tolist()
    signs = -1 if descending else 1
    key = (lambda k: tuple(signs * v for v in k)) if a.dtype.kind == "c" else (lambda k: signs * k)
    order = sorted(range(n), key=lambda i: key(keys[i]))  # Python's sort is stable
    found = xp.sort(xp.asarray(a), descending=descending).numpy()
    assert found.tobytes() == a[order].tobytes()
    found = xp.sort(xp.asarray(a), descending=descending, stable=False).numpy()
    np.testing.assert_array_equal(found, a[order])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64"])
def test_where_refuses_numbers_out_of_range(size, dtype):
    mask, x = xp.ones(size, dtype=xp.bool), xp.ones(size, dtype=getattr(xp, dtype))
    for operands in ((2**63, x), (x, 2**63)):
        with pytest.raises(OverflowError):
            xp.where(mask, *operands)
    for operands in ((7, x), (x, 7)):
        found = xp.where(mask, *operands)
        assert found.dtype == x.dtype
        assert int(found[-1]) == (7 if operands[0] is not x else 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_settle(size, dtype):
    """NaN becomes 0 where the weight is 0 or infinite, and nowhere else."""
    for values in itertools.product([NAN, 2.0], [0.0, -0.0, INF, -INF, 1.0, NAN]):
        x, weight = filled(size, values[:1], dtype), filled(size, values[1:], dtype)
        before = x.copy()
        found = OPS["settle"](x, weight)
        indeterminate = np.isnan(values[0]) and (values[1] == 0 or np.isinf(values[1]))
        np.testing.assert_array_equal(found[-1], 0 if indeterminate else values[0])
        np.testing.assert_array_equal(found[:-1], before[:-1])
        assert found.dtype == x.dtype
    with np.errstate(all="raise"):  # a look for NaN is no arithmetic
        large = np.full((size, 2), 3e38, dtype)[:, 0]
        assert OPS["settle"](large, large) is large


@pytest.mark.parametrize("divisor", [2.0**-140, 2.0**140, 4, 0.1])
def test_division_by_a_number_out_of_range(divisor):
    a = np.linspace(-1, 1, 5000, dtype="float32")
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal((xp.asarray(a) / divisor).numpy(), a / np.float32(divisor))


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "all", "any", "var", "std"])
def test_an_array_without_axes_has_axis_0_and_minus_1(name):
    x = xp.asarray(True) if name in ("all", "any") else xp.asarray(0.5)
    expected = 0.0 if name in ("var", "std") else x
    for axis in (0, -1, None):
        for keepdims in (False, True):
            found = getattr(xp, name)(x, axis=axis, keepdims=keepdims)
            assert found.shape == ()
            assert bool(found == expected)
    with pytest.raises((ValueError, IndexError), match="axis 1 is out of bounds"):
        getattr(xp, name)(x, axis=1)
