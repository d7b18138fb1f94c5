"""What reads NumPy's arrays reads CPU tensors: numpy.testing, pandas, matplotlib.

A tensor with a gradient raises there, and so does one on a GPU.
"""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff

X = xp.reshape(xp.arange(6.0), (2, 3))
V = autodiff.variable(X)

CLOSE = {
    "assert_allclose": lambda a, b: np.testing.assert_allclose(a, b),
    "assert_array_equal": lambda a, b: np.testing.assert_array_equal(a, b),
    "assert_array_almost_equal": lambda a, b: np.testing.assert_array_almost_equal(a, b),
    "assert_array_max_ulp": lambda a, b: np.testing.assert_array_max_ulp(a, b),
    "assert_array_less": lambda a, b: np.testing.assert_array_less(a, b + 0.5),
}


@pytest.mark.parametrize("name", CLOSE)
def test_numpy_testing(name):
    check = CLOSE[name]
    check(X, X.numpy())
    check(X.numpy(), X)
    check(X, X + 0.0)
    with pytest.raises(AssertionError):
        check(X, X - 1.0)
    with pytest.raises(TypeError, match="detach"):
        check(V, X)


def test_numpy_testing_of_numbers_and_of_tensors_alone():
    np.testing.assert_approx_equal(X[0, 1], 1.0)  # reads a float, as the last of a computation
    np.testing.assert_array_almost_equal_nulp(X, X + 0.0)
    with pytest.raises(AssertionError):
        np.testing.assert_approx_equal(X[0, 1], 2.0)
    with pytest.raises(AssertionError):
        np.testing.assert_array_almost_equal_nulp(X, X + 1.0)


def _pandas():
    return pytest.importorskip("pandas")


#: use -> what it gives of a matrix
TABLES = {
    "DataFrame": lambda pd, x: pd.DataFrame(x),
    "DataFrame, columns": lambda pd, x: pd.DataFrame(x, columns=list("abc"), index=[5, 6]),
    "DataFrame, of a dict": lambda pd, x: pd.DataFrame({"a": x[0, :], "b": x[1, :]}),
    "DataFrame, new column": lambda pd, x: pd.DataFrame({"a": [1, 2, 3]}).assign(b=x[0, :]),
    "Series": lambda pd, x: pd.Series(x[0, :]),
    "Series, index": lambda pd, x: pd.Series([1, 2, 3], index=x[0, :]),
    "Index": lambda pd, x: pd.Index(x[0, :]),
    "cut": lambda pd, x: pd.Series(pd.cut(x[0, :], 2)),
    "qcut": lambda pd, x: pd.Series(pd.qcut(x[0, :], 3)),
}


@pytest.mark.parametrize("name", TABLES)
def test_pandas(name):
    pd = _pandas()
    found, expected = TABLES[name](pd, X), TABLES[name](pd, X.numpy())
    assert type(found) is type(expected)
    assert found.equals(expected)
    with pytest.raises(TypeError, match="detach"):
        TABLES[name](pd, V)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint16", "float32", "complex128"])
def test_pandas_keeps_the_dtype(dtype):
    series = _pandas().Series(xp.asarray([0, 1], dtype=getattr(xp, dtype)))
    assert series.dtype == dtype


def test_pandas_and_back():
    pd = _pandas()
    frame = pd.DataFrame(X, columns=list("abc"))
    assert xp.all(xp.asarray(frame.to_numpy()) == X)
    assert xp.asarray(frame["b"]).tolist() == [1.0, 4.0]
    assert pd.Series([3, 4, 5]).iloc[xp.arange(2)].tolist() == [3, 4]


def test_pandas_leaves_arithmetic_with_a_tensor_to_us():
    with pytest.raises(TypeError, match="convert it first"):
        _pandas().Series([1.0, 2.0, 3.0]) + X[0, :]


@pytest.fixture
def axes():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot.subplots()[1]
    pyplot.close("all")


#: use of axes -> what it takes from a vector
PLOTS = {
    "plot": lambda ax, x: [line.get_ydata() for line in ax.plot(x, x * x)],
    "plot, columns": lambda ax, x: [y.get_ydata() for y in ax.plot(xp.stack([x, x], axis=1))],
    "step": lambda ax, x: [line.get_ydata() for line in ax.step(x, x * x)],
    "loglog": lambda ax, x: [line.get_ydata() for line in ax.loglog(x + 1, x + 1)],
    "scatter": lambda ax, x: [ax.scatter(x, x, c=x, s=x + 1).get_offsets()],
    "imshow": lambda ax, x: [ax.imshow(xp.reshape(x, (2, 3))).get_array()],
    "pcolormesh": lambda ax, x: [ax.pcolormesh(xp.reshape(x, (2, 3))).get_array()],
    "hist": lambda ax, x: ax.hist(x, bins=3)[:2],
    "hist, bins": lambda ax, x: ax.hist(x, bins=xp.linspace(0, 5, 4))[:2],
    "bar": lambda ax, x: [[p.get_height() for p in ax.bar(x, x)]],
    "errorbar": lambda ax, x: [ax.errorbar(x, x, yerr=x)[0].get_ydata()],
    "fill_between": lambda ax, x: [ax.fill_between(x, x, x + 1).get_paths()[0].vertices],
    "contourf": lambda ax, x: [ax.contourf(xp.reshape(x, (2, 3))).get_array()],
    "boxplot": lambda ax, x: [ax.boxplot(x)["medians"][0].get_ydata()],
    "axhline": lambda ax, x: [ax.axhline(x[1]).get_ydata()],
    "set_xlim": lambda ax, x: [ax.set_xlim(x[0], x[1])],
    "set_xticks": lambda ax, x: [[tick.get_loc() for tick in ax.set_xticks(x)]],
}  # fmt: skip


@pytest.mark.parametrize("name", PLOTS)
def test_matplotlib(name, axes, monkeypatch):
    x = xp.arange(6.0)
    found = PLOTS[name](axes, x)
    axes.figure.canvas.draw()
    axes.clear()
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "xp", np)
        expected = PLOTS[name](axes, x.numpy())
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match="detach"):
        PLOTS[name](axes, autodiff.variable(x))


@pytest.mark.cuda
def test_a_gpu_tensor_is_not_fetched_behind_the_back(axes):
    x = xp.arange(6.0, device="cuda")
    for use in (np.testing.assert_array_equal, _pandas().Series, axes.plot):
        with pytest.raises(xp.TransferError, match=r"numpy\(\)"):
            use(x, x)


REDUCTIONS = ["sum", "prod", "mean", "max", "min", "any", "all"]


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}])
def test_reductions_of_numpy_call_our_methods(name, options, xp, same):
    a = np.asarray([[1.0, 0.0, 3.0], [4.0, 5.0, 6.0]])
    x = xp.asarray(a)
    same(getattr(np, name)(x, **options), getattr(np, name)(a, **options))
    same(getattr(x, name)(**options), getattr(a, name)(**options))


def test_methods(xp, same):
    a = np.arange(6)
    x = xp.asarray(a)
    same(x.astype(xp.float32), a.astype(np.float32))
    assert x.astype(x.dtype, copy=False) is x
    for shape in ((2, 3), ((2, 3),), (-1,), (6, 1)):
        same(x.reshape(*shape), a.reshape(*shape))
    a3 = np.reshape(a, (1, 2, 3))
    for axes in ((), (None,), (2, 0, 1), ((0, 2, 1),)):
        same(xp.asarray(a3).transpose(*axes), a3.transpose(*axes))
    same(np.transpose(xp.asarray(a3), (1, 0, 2)), a3.transpose(1, 0, 2))
    same(np.sum(x, dtype=xp.float32), np.sum(a, dtype=np.float32))
    same(np.mean(x, dtype=xp.float32), np.mean(a, dtype=np.float32))
    with pytest.raises(TypeError, match="no parameter 'out'"):
        x.sum(out=x)
    for name in (*REDUCTIONS, "reshape", "astype"):
        with xp.strict(), pytest.raises(TypeError, match=f"write xp.{name}"):
            getattr(x, name)(0)


def test_numpys_reductions_keep_the_gradient():
    v = autodiff.variable(X)
    (np.mean(v) + np.sum(v.reshape(6) * 2)).backward()
    np.testing.assert_allclose(v.grad.numpy(), 2 + 1 / 6)


#: call on two tensors or arrays -> what NumPy and others give
FUNCTIONS = {
    "a ufunc": lambda x, y: np.sin(x),
    "a ufunc of two": lambda x, y: np.add(x, y),
    "a ufunc, array first": lambda x, y: np.add(np.ones((2, 3)), y),
    "a ufunc with two results": lambda x, y: np.modf(x),
    "a ufunc's reduction": lambda x, y: np.add.reduce(x),
    "a ufunc of bools": lambda x, y: np.isfinite(x),
    "a ufunc of SciPy": lambda x, y: pytest.importorskip("scipy.special").jv(x, y),
    "where": lambda x, y: np.where(x > 2, x, y),
    "concatenate": lambda x, y: np.concatenate([x, y], axis=1),
    "cumsum": lambda x, y: np.cumsum(x, axis=0),
    "argsort": lambda x, y: np.argsort(x),
    "nansum": lambda x, y: np.nansum(x),
    "median": lambda x, y: np.median(x, axis=0),
    "zeros_like": lambda x, y: np.zeros_like(x, shape=(4,), dtype=np.int8),
    "clip": lambda x, y: np.clip(x, 1.0, 3.0),
    "svd": lambda x, y: np.linalg.svd(x)[1],
    "einsum": lambda x, y: np.einsum("ij,kj->ik", x, y),
    "broadcast_to": lambda x, y: np.broadcast_to(x, (2, 2, 3)),
    "squeeze": lambda x, y: np.squeeze(x[:1, :]),
}


def _types(x):
    return tuple(map(_types, x)) if isinstance(x, (tuple, list)) else type(x)


def _plain(x):
    return [_plain(y) for y in x] if isinstance(x, (tuple, list)) else np.asarray(x).tolist()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_ufuncs_and_functions_of_chunks_give_tensors(name):
    a, b = X.numpy(), 2 * X.numpy() + 1
    found, expected = FUNCTIONS[name](X, xp.asarray(b)), FUNCTIONS[name](a, b)
    tensors = (xp.Tensor,) * len(expected) if isinstance(expected, (tuple, list)) else xp.Tensor
    assert _types(found) == tensors
    assert _plain(found) == _plain(expected)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"squeeze", "where", "broadcast_to"}))
def test_ufuncs_and_functions_of_chunks_refuse_a_gradient(name):
    with pytest.raises(TypeError, match="detach"):
        FUNCTIONS[name](V, V)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_some_functions_of_numpy_stay_on_the_device_and_keep_the_gradient(device):
    v = autodiff.variable(X.to_device(device))
    y = np.stack([np.where(v > 2, v, 0.0), np.broadcast_to(v[0], (2, 3)), np.moveaxis(v, 0, -1).mT])
    assert y.device is v.device
    xp.sum(y).backward()
    assert v.grad.tolist() == [[3.0, 3.0, 3.0], [2.0, 2.0, 2.0]]


def test_other_functions_of_numpy_give_its_arrays():
    for found in (np.unique(X), np.histogram(X)[0], np.linalg.inv(X @ X.T), np.atleast_1d(X)):
        assert type(found) is np.ndarray
    with pytest.raises(TypeError, match="detach"):
        np.unique(V)


def test_what_has_no_dtype_of_the_standard_stays_numpys():
    assert type(np.char.mod("%d", X)) is np.ndarray
    assert np.array_equal(X, X) is True
    assert (np.shape(X), np.ndim(X), np.size(X)) == ((2, 3), 2, 6)
    longer = np.add(X, X, dtype=np.longdouble)
    assert type(longer) is np.ndarray
    assert type(np.add(X[0, 0], X[0, 0], dtype=np.longdouble)) in (np.longdouble, np.ndarray)


def test_no_mask_is_lost():
    masked = np.ma.masked_array(np.ones((2, 3)), mask=np.eye(2, 3))
    for ufunc in (np.add, np.maximum):
        for pair in ((masked, X), (X, masked)):
            with pytest.raises(ValueError, match="would lose its mask"):
                ufunc(*pair)
    assert type(np.concatenate([masked, X])) is not xp.Tensor


def test_an_array_of_numpy_takes_tensors_in_place():
    a = np.ones((2, 3))
    assert np.add(a, X, out=a) is a
    assert type(a) is np.ndarray
    assert a.tolist() == (1 + X).tolist()


def test_views_by_functions_of_numpy_share_memory_safely():
    x = xp.asarray([1.0, 2.0, 3.0])
    v = autodiff.variable(xp.asarray([1.0, 1.0, 1.0]))
    y = np.atleast_2d(x)
    z = v * x  # saves x
    y[0, 0] = 100.0
    assert x[0] == 100.0
    xp.sum(z).backward()
    assert v.grad.tolist() == [1.0, 2.0, 3.0]


def test_functions_of_numba_give_tensors():
    numba = pytest.importorskip("numba")
    double = numba.vectorize(["float64(float64)"])(lambda x: 2 * x)
    assert type(double(X)) is xp.Tensor
    assert double(X).tolist() == (2 * X).tolist()


def test_pytorchs_and_numpys_methods(xp, same):
    a = np.asarray([[[1.0, 2.0, 3.0]]])
    x = xp.asarray(a)
    np.testing.assert_array_equal(x.detach().cpu().numpy(), a)
    same(x.ravel(), a.ravel())
    same(x.squeeze(), a.squeeze())
    same(x.squeeze(0), a.squeeze(0))
    same(x.squeeze(axis=(0, 1)), a.squeeze(axis=(0, 1)))
    same(xp.zeros((0, 1)).squeeze(), np.zeros(0))
    assert x.to(x.device) is x.to(x) is x.to(xp.float64) is x.to() is x
    for found in (
        x.to(xp.float32),
        x.to(x.device, xp.float32),
        x.to(device=x.device, dtype=xp.float32, non_blocking=True),
        x.to(xp.ones(1, dtype=xp.float32)),
    ):
        same(found, a.astype(np.float32))
        assert found.device is x.device
    copy = x.to(x.device, copy=True)
    assert copy is not x
    copy[...] = 0.0
    same(x, a)


def test_to_says_what_it_takes():
    with pytest.raises(TypeError, match="to: expected one device and one dtype"):
        X.to("cpu", device="cpu")
    with pytest.raises(TypeError, match="to: dtype"):
        X.to(3.5)
    with pytest.raises(ValueError, match="unknown device 'nowhere'"):
        X.to("nowhere")
    with pytest.raises(ValueError, match="squeeze"):
        X.squeeze(0)
    with pytest.raises(ValueError, match="cuda: expected a CUDA device; got cpu"):
        X.cuda("cpu")
    for method in ("to", "cpu", "cuda", "squeeze", "ravel"):
        with xp.strict(), pytest.raises(TypeError, match=r"write x"):
            getattr(X, method)()


def test_conversions_keep_the_gradient():
    v = autodiff.variable(X)
    y = v.to(xp.float32).cpu().ravel().squeeze()
    xp.sum(y * 2).backward()
    np.testing.assert_array_equal(v.grad, 2.0)


@pytest.mark.cuda
def test_to_a_gpu_and_back():
    moved = [X.cuda(device) for device in (None, 0, "cuda:0", xp.Device("cuda"))]
    for y in (X.cuda(), X.to("cuda", xp.float64), X.to(X.cuda()), *moved):
        assert y.device == xp.Device("cuda:0")
        assert y.cpu().device == xp.Device("cpu")
        assert y.detach().cpu().numpy().tolist() == X.tolist()
    with pytest.raises(xp.TransferError):
        np.sin(X.cuda())
    with pytest.raises(xp.TransferError):
        np.cumsum(X.cuda())
    assert np.asarray([1.0], like=X.cuda()).device == xp.Device("cuda")


def test_iterable_makes_no_element(monkeypatch):
    """SciPy asks np.iterable of its arguments: a million tensors would take a second."""

    def unstack(*_):
        raise RuntimeError("unstacked")

    monkeypatch.setattr("arraygrad._dispatch.view", unstack)
    assert np.iterable(X)
    assert not np.iterable(X[0, 0])
    with pytest.raises(RuntimeError, match="unstacked"):
        next(iter(X))
