"""Temporaries are never reused: what refers to one, by whatever way, sees its values."""

import weakref

import numpy as np
import pytest

import arraygrad as xp


@pytest.mark.parametrize("n", [3, 3000, 100_000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_a_temporary_that_something_refers_to_is_not_overwritten(n, dtype):
    a = xp.ones(n, dtype=getattr(xp, dtype))
    b = a * 2
    kept = []

    def shown(x):
        kept.append((x.numpy(), weakref.ref(x)))
        return x

    for product in (shown(a + b) * b, b * shown(a + b), shown(a + b) * shown(b + a)):
        assert xp.all((product == 6) | (product == 9))
    for values, link in kept:
        assert link() is None
        np.testing.assert_array_equal(values, np.full(n, 3, dtype))


@pytest.mark.parametrize("n", [3, 3000, 100_000])
def test_products_of_temporaries_are_rounded_as_numpys(n):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=n) + 1j * rng.normal(size=n) for _ in range(2))
    a, b = xp.asarray(x), xp.asarray(y)
    total, product = x + y, x * y
    np.testing.assert_array_equal(((a + b) * (a * b)).numpy(), np.multiply(total, product))
    np.testing.assert_array_equal(((a + b) / (a * b)).numpy(), np.divide(total, product))
