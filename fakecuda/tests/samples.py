"""Arrays that the tests of the libraries compute with, and how their results are compared."""

import cupy as cp
import numpy as np

#: The types of BLAS and LAPACK
SCALARS = ("float32", "float64", "complex64", "complex128")
#: Around the sizes of warps and of cuSOLVER's limits
SIZES = (0, 1, 2, 3, 31, 32, 33, 100)


def numbers(shape, dtype, seed=0):
    """Random numbers of a NumPy array: normally distributed ones, or small integers."""
    generator = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    if dtype.kind == "u":
        return generator.integers(0, 50, shape).astype(dtype)
    if dtype.kind == "i":
        return generator.integers(-50, 50, shape).astype(dtype)
    values = generator.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * generator.standard_normal(shape)
    return values.astype(dtype)


def positive_definite(n, dtype, batch=()):
    a = numbers((*batch, n, n), dtype)
    return (a @ a.conj().swapaxes(-1, -2) + n * np.eye(n)).astype(dtype)


def invertible(n, dtype, batch=()):
    return (numbers((*batch, n, n), dtype) + 2 * np.sqrt(n) * np.eye(n)).astype(dtype)


def in_double(a):
    """The same numbers in double precision, for expected values."""
    return a.astype(np.promote_types(a.dtype, "float64"))


def adjoint(a):
    return a.conj().swapaxes(-1, -2)


def assert_close(actual, expected, units=20):
    """Compare with a tolerance of some units of the last place of the largest number."""
    expected = np.asarray(expected)
    assert isinstance(actual, cp.ndarray)
    assert actual.shape == expected.shape
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, float(finite.max(initial=0)))
    resolution = np.finfo(actual.dtype).eps if actual.dtype.kind in "fc" else 0
    np.testing.assert_allclose(
        cp.asnumpy(actual), expected, rtol=0, atol=units * scale * resolution
    )


def assert_same(actual, expected):
    """Compare exactly, signs of zero included; all NaN are equal."""
    expected = np.asarray(expected)
    assert isinstance(actual, cp.ndarray)
    actual = cp.asnumpy(actual)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)
    if expected.dtype.kind == "f":
        numbers_only = ~np.isnan(expected)
        np.testing.assert_array_equal(
            np.signbit(actual)[numbers_only], np.signbit(expected)[numbers_only]
        )
