"""array-api-extra: its whole public surface on our tensors, equal to what it gives on NumPy's."""

import numpy as np
import pytest
from array_api_compat import numpy as compat

import arraygrad
from arraygrad import autodiff

xpx = pytest.importorskip("array_api_extra")

from array_api_extra import testing

pytestmark = [  # NumPy's, and those of functions that the standard has taken over meanwhile
    pytest.mark.filterwarnings("ignore:invalid value|divide by zero:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:.* is deprecated and will be removed:DeprecationWarning"),
]

_rng = np.random.default_rng(0)
V = _rng.standard_normal(9)
M = _rng.standard_normal((4, 3))
Z = V[:8].view(np.complex128)
N = np.where(np.arange(9) % 3 == 1, np.nan, V)
I = np.asarray([3, 1, 3, 0, 2, 1])


def _names_at(operations, index=slice(1, 4)):
    def run(xp, a):
        results = []
        for copy in (None, True):
            for name in operations:
                for value in (2.0, a(np.asarray([2.0, 3.0, 4.0]))):
                    key = a(index) if isinstance(index, np.ndarray) else index
                    x = a(V + 3)
                    results += [getattr(xpx.at(x)[key], name)(value, copy=copy), x]
        return results

    return run


def _at_masked(xp, a):
    x = a(V)
    y = xpx.at(x, x > 0).set(0.5)
    return xpx.at(y)[y < 0].multiply(-1.0), x


#: name of the function -> uses of it, each given a namespace and its way to take a NumPy array
CASES = {
    "angle": [lambda xp, a: xpx.angle(a(Z)), lambda xp, a: xpx.angle(a(V), deg=True)],
    "apply_where": [
        lambda xp, a: xpx.apply_where(a(V) > 0, a(V), xp.log, lambda x: -x),
        lambda xp, a: xpx.apply_where(a(V) > 0, (a(V), a(V)), xp.atan2, fill_value=7.0),
    ],
    "argpartition": [lambda xp, a: xpx.argpartition(a(np.arange(9.0)[::-1].copy()), 3)[3]],
    "at": [
        _names_at(["set", "add", "subtract", "multiply", "divide", "power", "min", "max"]),
        lambda xp, a: xpx.at(a(M))[1, ...].set(0.0),
        lambda xp, a: xpx.at(a(M), (slice(None), 1)).add(a(M[:, 0])),
        _at_masked,
    ],
    "atleast_nd": [lambda xp, a: xpx.atleast_nd(a(V), ndim=3)],
    "broadcast_shapes": [lambda xp, a: a(np.asarray(xpx.broadcast_shapes((4, 1), (3,))))],
    "cov": [
        lambda xp, a: xpx.cov(a(M)),
        lambda xp, a: xpx.cov(a(M), axis=0, correction=0),
        lambda xp, a: xpx.cov(a(M), fweights=a(np.asarray([1, 2, 1]))),
    ],
    "create_diagonal": [
        lambda xp, a: xpx.create_diagonal(a(V)), lambda xp, a: xpx.create_diagonal(a(M), offset=-1)
    ],
    "default_dtype": [
        lambda xp, a: [
            xp.zeros(1, dtype=xpx.default_dtype(xp, kind))
            for kind in ("real floating", "complex floating", "integral", "indexing")
        ]
    ],
    "deg2rad": [lambda xp, a: xpx.deg2rad(a(V))],
    "diag_indices": [lambda xp, a: xpx.diag_indices(3, ndim=3, xp=xp)],
    "expand_dims": [lambda xp, a: xpx.expand_dims(a(M), axis=(0, -1))],
    "isclose": [
        lambda xp, a: xpx.isclose(a(V), a(V + 1e-9)),
        lambda xp, a: xpx.isclose(a(N), a(N), equal_nan=True),
        lambda xp, a: xpx.isclose(a(I), 3),
    ],
    "isin": [lambda xp, a: xpx.isin(a(I), a(np.asarray([1, 2]))),
             lambda xp, a: xpx.isin(a(I), a(np.asarray([1, 2])), invert=True)],
    "kron": [lambda xp, a: xpx.kron(a(M), a(V[:2])), lambda xp, a: xpx.kron(a(V), a(V))],
    "lazy_apply": [lambda xp, a: xpx.lazy_apply(lambda x: x * 2, a(V))],
    "nan_to_num": [
        lambda xp, a: xpx.nan_to_num(a(np.asarray([np.nan, np.inf, -np.inf, 1.0]))),
        lambda xp, a: xpx.nan_to_num(a(N), fill_value=-1.0),
    ],
    "nanmax": [lambda xp, a: xpx.nanmax(a(N)), lambda xp, a: xpx.nanmax(a(M), axis=1)],
    "nanmean": [lambda xp, a: xpx.nanmean(a(N)), lambda xp, a: xpx.nanmean(a(M), axis=1)],
    "nanmin": [lambda xp, a: xpx.nanmin(a(N)), lambda xp, a: xpx.nanmin(a(M), axis=1)],
    "nansum": [lambda xp, a: xpx.nansum(a(N)), lambda xp, a: xpx.nansum(a(M), axis=1)],
    "nunique": [lambda xp, a: xpx.nunique(a(I))],
    "one_hot": [lambda xp, a: xpx.one_hot(a(I), 4), lambda xp, a: xpx.one_hot(a(I), 5, axis=0)],
    "pad": [
        lambda xp, a: xpx.pad(a(M), 1),
        lambda xp, a: xpx.pad(a(M), ((0, 1), (2, 0)), constant_values=9.0),
    ],
    "partition": [lambda xp, a: xpx.partition(a(V), 3)[3],
                  lambda xp, a: xpx.partition(a(M), 1, axis=0)[1, ...]],
    "rad2deg": [lambda xp, a: xpx.rad2deg(a(V))],
    "searchsorted": [
        lambda xp, a: xpx.searchsorted(a(np.sort(V)), a(V)),
        lambda xp, a: xpx.searchsorted(a(np.sort(M, axis=1)), a(M), side="right"),
    ],
    "setdiff1d": [lambda xp, a: xpx.setdiff1d(a(I), a(np.asarray([1, 2])))],
    "sinc": [lambda xp, a: xpx.sinc(a(np.asarray([0.0, 0.5, 1.0])))],
    "tril_indices": [lambda xp, a: xpx.tril_indices(3, offset=-1, m=4, xp=xp)],
    "triu_indices": [lambda xp, a: xpx.triu_indices(3, offset=1, xp=xp)],
    "union1d": [lambda xp, a: xpx.union1d(a(I), a(np.asarray([1, 7])))],
    "unravel_index": [lambda xp, a: xpx.unravel_index(a(np.asarray([0, 5, 11])), (4, 3))],
}  # fmt: skip

USES = [(name, i) for name, uses in CASES.items() for i in range(len(uses))]


def _needs(name):
    if not hasattr(xpx, name):
        pytest.skip(f"array-api-extra {xpx.__version__} has no {name}")


@pytest.mark.parametrize(("name", "use"), USES)
def test_equals_numpy(name, use, xp, device, same):
    _needs(name)
    case = CASES[name][use]
    found = case(xp, lambda a: xp.asarray(a, copy=True))  # for `at` writes into what it is given
    expected = case(compat, np.copy)
    if not isinstance(found, (tuple, list)):
        found, expected = [found], [expected]
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        same(x, y, rtol=1e-14)
        assert x.device == arraygrad.Device(device)


def test_the_whole_surface_is_covered():
    major, minor = map(int, xpx.__version__.split(".")[:2])
    known = (major, minor) <= (0, 11)  # what later versions add is not here
    assert not known or set(xpx.__all__) - {"__version__", "testing"} <= set(CASES)


def test_at_writes_in_place_when_it_may(xp):
    x = xp.zeros(3)
    assert xpx.at(x)[0].set(1.0, copy=False) is x
    assert x.tolist() == [1.0, 0.0, 0.0]
    y = xpx.at(x)[0].add(1.0)  # None: it is free to write
    assert y is x
    z = xpx.at(x)[1:].set(5.0, copy=True)
    assert (x.tolist(), z.tolist()) == ([2.0, 0.0, 0.0], [2.0, 5.0, 5.0])


def test_lazy_apply_runs_code_of_numpy_on_the_cpu():
    x = arraygrad.asarray(V)
    y = xpx.lazy_apply(np.cumsum, x, as_numpy=True)
    assert type(y) is arraygrad.Tensor
    np.testing.assert_array_equal(y.numpy(), np.cumsum(V))
    parts = xpx.lazy_apply(np.frexp, x, as_numpy=True, shape=((9,), (9,)))
    assert [type(p) for p in parts] == [arraygrad.Tensor] * 2
    with pytest.raises(TypeError, match="gradient would be lost"):
        autodiff.grad(lambda x: xpx.lazy_apply(np.cumsum, x, as_numpy=True)[0])(x)


@pytest.mark.cuda
def test_lazy_apply_does_not_fetch_behind_the_back():
    with pytest.raises(arraygrad.TransferError):
        xpx.lazy_apply(np.cumsum, arraygrad.asarray(V, device="cuda"), as_numpy=True)


def test_helpers_of_tests():
    x = arraygrad.asarray(V)
    testing.assert_close(x, x + 1e-12)
    testing.assert_equal(x, arraygrad.asarray(V))
    testing.assert_less(x, x + 1.0)
    testing.assert_close_nulp(x, x)
    for check, *arguments in [
        (testing.assert_close, x, x + 1e-3),
        (testing.assert_equal, x, x + 1e-3),
        (testing.assert_less, x, x),
        (testing.assert_close_nulp, x, x + 1e-3),
        (testing.assert_close, x, arraygrad.astype(x, arraygrad.float32)),  # another dtype
        (testing.assert_close, x, x[:3]),
        (testing.assert_close, x, V),  # another library's array
    ]:
        with pytest.raises(AssertionError):
            check(*arguments)


def test_lazy_xp_function_leaves_us_alone(request):
    """It is for the tests of lazy libraries; with ours, a tagged function runs as it is."""

    def double(x):
        return x * 2

    testing.lazy_xp_function(double)
    with testing.patch_lazy_xp_functions(request, xp=arraygrad):
        assert double(arraygrad.ones(2)).tolist() == [2.0, 2.0]


#: functions of floats -> where to differentiate them, that is not in autodiff/test_libraries.py
SMOOTH = {
    "angle": lambda x: xpx.angle(x + 1j * x**2),
    "cov": lambda x: xpx.cov(arraygrad.reshape(x, (3, 3)), correction=0),
    "deg2rad": lambda x: xpx.deg2rad(x),
    "nanmean": lambda x: xpx.nanmean(arraygrad.where(x > 0, x, arraygrad.nan)),
    "nansum": lambda x: xpx.nansum(arraygrad.where(x > 0, x**2, arraygrad.nan)),
    "nanmax": lambda x: xpx.nanmax(x),
    "partition": lambda x: xpx.partition(x, 3)[:4],
    "rad2deg": lambda x: xpx.rad2deg(x),
    "union1d": lambda x: xpx.union1d(x, x[:2]),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients(name):
    _needs(name)
    f, x = SMOOTH[name], arraygrad.asarray(V)
    autodiff.check_grads(f, (x,))
    value, pullback = autodiff.vjp(f, x)
    (cotangent,) = pullback(arraygrad.ones_like(value))
    assert float(arraygrad.max(arraygrad.abs(cotangent))) > 0
