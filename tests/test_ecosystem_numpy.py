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
    with pytest.raises(TypeError, match="out must be None"):
        x.sum(out=x)
    for name in (*REDUCTIONS, "reshape", "astype"):
        with xp.strict(), pytest.raises(TypeError, match=f"write xp.{name}"):
            getattr(x, name)(0)


def test_numpys_reductions_keep_the_gradient():
    v = autodiff.variable(X)
    (np.mean(v) + np.sum(v.reshape(6) * 2)).backward()
    np.testing.assert_allclose(v.grad.numpy(), 2 + 1 / 6)


def test_iterable_makes_no_element(monkeypatch):
    """SciPy asks np.iterable of its arguments: a million tensors would take a second."""

    def unstack(*_):
        raise RuntimeError("unstacked")

    monkeypatch.setattr("arraygrad._dispatch.view", unstack)
    assert np.iterable(X)
    assert not np.iterable(X[0, 0])
    with pytest.raises(RuntimeError, match="unstacked"):
        next(iter(X))
