"""NumPy's functions that the standard lacks: NumPy's values, gradients, errors."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff

RNG = np.random.default_rng(11)
NAMES = "allclose interp kron outer pad quantile split trapezoid".split()


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize(
    ("shape", "width"),
    [((3,), 2), ((3,), (9, 5)), ((1,), 3), ((2, 3), ((1, 0), (0, 2))), ((2, 3), (1, 2)),
     ((3, 2), 0), ((), ()), ((2,), [(1, 1)]), ((3000,), 7)],
)  # fmt: skip
def test_pad(xp, same, mode, shape, width):
    for a in (RNG.standard_normal(shape), RNG.integers(0, 9, shape)):
        same(xp.pad(xp.asarray(a), width, mode=mode), np.pad(a, width or 0, mode=mode))


def test_pad_with_a_constant(xp, same):
    a = RNG.standard_normal((2, 2))
    same(xp.pad(xp.asarray(a), 1, constant_values=2.5), np.pad(a, 1, constant_values=2.5))
    same(xp.pad(xp.asarray(a > 0), 1, constant_values=True), np.pad(a > 0, 1, constant_values=True))
    found = autodiff.grad(lambda c: xp.sum(xp.pad(xp.asarray(a), 1, constant_values=c)))
    assert float(found(xp.asarray(1.0))) == 12.0


@pytest.mark.parametrize(
    ("shape", "how", "axis"),
    [((6,), 3, 0), ((6,), [2, 3], 0), ((6,), [3, 2, 9, -1], 0), ((2, 4), 2, 1), ((2, 4), 2, -1),
     ((0, 2), 3, 0), ((3,), [], 0)],
)  # fmt: skip
def test_split(xp, same, shape, how, axis):
    a = RNG.standard_normal(shape)
    found, expected = xp.split(xp.asarray(a), how, axis), np.split(a, how, axis)
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        same(x, y)


@pytest.mark.parametrize("n", [1, 2, 5, 3000])
def test_interp(xp, same, n):
    t, f = np.sort(RNG.uniform(-1, 1, n)), RNG.standard_normal(n)
    x = np.concatenate([RNG.uniform(-1.5, 1.5, 50), t])
    for ends in ({}, {"left": -7.0, "right": 8.0}):
        found = xp.interp(xp.asarray(x), xp.asarray(t), xp.asarray(f), **ends)
        same(found, np.interp(x, t, f, **ends), rtol=1e-9)
    same(xp.interp(xp.asarray(0.0), xp.asarray(t), xp.asarray(f)), np.interp(0.0, t, f), rtol=1e-9)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("q", [0.3, [0.0, 0.5, 1.0], [[0.1], [0.9]]])
def test_quantile(xp, same, axis, keepdims, q):
    for a in (
        RNG.standard_normal((3, 4)),
        RNG.integers(0, 9, (1, 1)),
        RNG.standard_normal((3, 3000)),
    ):
        found = xp.quantile(xp.asarray(a), q if isinstance(q, float) else xp.asarray(q), axis=axis,
                            keepdims=keepdims)  # fmt: skip
        same(found, np.quantile(a, q, axis=axis, keepdims=keepdims), rtol=1e-12)
    assert xp.isnan(xp.quantile(xp.asarray([1.0, xp.nan]), 0.5))


def test_trapezoid(xp, same):
    a, t = RNG.standard_normal((3, 4)), np.sort(RNG.uniform(0, 1, 4))
    same(xp.trapezoid(xp.asarray(a), dx=0.5), np.trapezoid(a, dx=0.5), rtol=1e-14)
    same(xp.trapezoid(xp.asarray(a), xp.asarray(t)), np.trapezoid(a, t), rtol=1e-13)
    same(xp.trapezoid(xp.asarray(a), xp.asarray(a), axis=0), np.trapezoid(a, a, axis=0), rtol=1e-13)
    same(xp.trapezoid(xp.asarray([1, 2, 4])), np.trapezoid([1, 2, 4]))


def test_products(xp, same):
    for m, n in (((2, 3), (3, 2)), ((3,), (2, 2)), ((), (3,)), ((1, 2, 2), (2, 1)), ((0,), (2,))):
        a, b = RNG.standard_normal(m), RNG.standard_normal(n)
        same(xp.kron(xp.asarray(a), xp.asarray(b)), np.kron(a, b))
        same(xp.outer(xp.asarray(a), xp.asarray(b)), np.outer(a, b))


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0], [1.0 + 1e-9]), ([1.0], [1.1]), ([np.inf, 1.0], [np.inf, 1.0]), ([np.inf], [-np.inf]),
     ([np.nan], [np.nan]), ([1, 2], [1, 3]), ([1.0, 1.0], 1.0), ([1j], [1j]), ([1.0], [np.inf]),
     ([np.inf], [1.0])],
)  # fmt: skip
def test_allclose(xp, a, b):
    for equal_nan in (False, True):
        expected = np.allclose(a, b, equal_nan=equal_nan)
        other = b if isinstance(b, float) else xp.asarray(b)
        found = xp.allclose(xp.asarray(a), other, equal_nan=equal_nan)
        assert found is expected


def test_gradients(device):
    xp = arraygrad
    T = lambda a: xp.asarray(a, device=device)
    x = T([0.3, 1.1, -0.7, 2.0])
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        autodiff.check_grads(lambda x, m=mode: xp.pad(x, (3, 2), mode=m) ** 2, (x,))
    autodiff.check_grads(lambda x: [y**2 for y in xp.split(x, [1, 3])], (x,))
    autodiff.check_grads(lambda x, q: xp.quantile(x, q), (x, T([0.2, 0.9])))
    autodiff.check_grads(
        lambda y, x, d: (xp.trapezoid(y, x), xp.trapezoid(y, dx=d)), (x, x, T(0.5))
    )
    autodiff.check_grads(lambda a, b: (xp.kron(a, b), xp.outer(a, b)), (x, x[:2]))
    t = T([-1.0, 0.0, 0.5, 3.0])
    autodiff.check_grads(xp.interp, (x, t, x))
    g = autodiff.grad(lambda x, f: xp.sum(xp.interp(x, t, f)), (0, 1))(T([-2.0, 5.0]), x)
    assert [float(y) for y in g[0]] == [0.0, 0.0]
    assert [float(y) for y in g[1]] == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("name", NAMES)
def test_strict_mode_refuses_them(name):
    x = arraygrad.ones(2)
    operands = {"pad": (x, 1), "split": (x, 1), "interp": (x, x, x), "trapezoid": (x,)}
    with arraygrad.strict(), pytest.raises(TypeError, match=rf"^{name}: outside the standard"):
        getattr(arraygrad, name)(*operands.get(name, (x, x)))


@pytest.mark.parametrize("name", NAMES)
def test_other_arrays_are_refused_by_name(name):
    x = np.ones(2)
    operands = {"pad": (x, 1), "split": (x, 1), "interp": (x, x, x), "trapezoid": (x,)}
    with pytest.raises(TypeError, match=rf"^{name}: expected a Tensor; got .* convert it first"):
        getattr(arraygrad, name)(*operands.get(name, (x, x)))


@pytest.mark.parametrize(
    ("attempt", "match"),
    [
        (lambda xp: xp.pad(xp.ones(2), -1), r"^pad: pad_width must be an int"),
        (lambda xp: xp.pad(xp.ones(2), ((1, 1), (1, 1))), r"^pad: pad_width .* of 1 axes"),
        (lambda xp: xp.pad(xp.ones(2), 1, mode="mirror"), r"^pad: mode must be one of"),
        (lambda xp: xp.pad(xp.ones(0), 1, mode="wrap"), r"^pad: axis 0 has no elements"),
        (lambda xp: xp.split(xp.ones(5), 2), r"^split: an axis of 5 elements"),
        (lambda xp: xp.split(xp.ones(5), 5, axis=1), r"^split: axis 1 does not exist"),
        (lambda xp: xp.interp(xp.ones(1), xp.ones(2), xp.ones(3)), r"^interp: expected xp and fp"),
        (lambda xp: xp.quantile(xp.ones(0), 0.5), r"^quantile: there is no element"),
        (lambda xp: xp.trapezoid(xp.ones(3), xp.ones(2)), r"^trapezoid: "),
    ],
)
def test_errors(attempt, match):
    with pytest.raises(ValueError, match=match):
        attempt(arraygrad)


def test_xarray_pads_and_shifts_by_it():
    xr = pytest.importorskip("xarray")
    d = xr.DataArray(arraygrad.asarray([1.0, 2.0, 3.0]), dims="x")
    found = d.pad(x=(1, 2), mode="wrap").data
    assert isinstance(found, arraygrad.Tensor)
    assert found.numpy().tolist() == [3.0, 1.0, 2.0, 3.0, 1.0, 2.0]
    np.testing.assert_array_equal(d.shift(x=1).data.numpy(), [np.nan, 1.0, 2.0])
