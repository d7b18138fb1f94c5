"""Cases in which a batch once had other results than single calls, or no error."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, vmap

RNG = np.random.default_rng(3)


def compare(f, *args):
    """A batch has the dtypes, shapes and values of single calls."""
    found = vmap(f)(*args)
    expected = arraygrad.stack([f(*[a[i] for a in args]) for i in range(args[0].shape[0])])
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-10, atol=1e-12)


def raises_as_single(f, *args, error=(ValueError, IndexError)):
    """Both the single call and the batch raise."""
    with pytest.raises(error):
        f(*[a[0] for a in args])
    with pytest.raises(error):
        vmap(f)(*args)


def test_a_gradient_sums_one_shared_and_several_batched_uses(xp):
    f = autodiff.grad(lambda w, x: w**2 + w * x + w * 3 + w * 5)
    found = vmap(f, (None, 0))(xp.asarray(2.0), xp.asarray([1.0, 10.0, 100.0]))
    assert found.numpy().tolist() == [13, 22, 112]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool"])
def test_ints_and_bools_become_float64_as_in_single_calls(xp, dtype):
    x = xp.asarray((RNG.integers(0, 4, (3, 4)) % 5).astype(dtype))
    for f in (xp.reciprocal, xp.sqrt, xp.exp, xp.special.expit, xp.mean, xp.trapezoid):
        compare(f, xp.asarray(np.ones((3, 4), dtype)) if f is xp.reciprocal else x)
    for f in (xp.atan2, xp.hypot, xp.logaddexp, xp.copysign):
        compare(f, x, x)
        compare(lambda t, f=f: f(t, 1), x)
        compare(lambda t, f=f: f(1, t), x)
    compare(lambda t: xp.quantile(t, 0.3), x)
    compare(lambda t: xp.special.softmax(t), x)
    compare(xp.linalg.pinv, xp.stack([x, x]))
    if dtype != "bool":
        compare(lambda a: xp.linspace(a, 0, 5), x[:, 0])
        compare(lambda a, b: xp.linspace(a, b, 5), x[:, 0], x[:, 1])
