"""xarray's DataArray around a tensor: what it computes stays one, on any device, differentiable."""

import pickle

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff

xr = pytest.importorskip("xarray")

A = np.asarray([[1.0, np.nan, 4.0], [3.0, -2.0, 0.5]])
DIMS, COORDS = ("row", "column"), {"column": [10, 20, 30]}


def wrap(x):
    return xr.DataArray(x, dims=DIMS, coords=COORDS)


REDUCTIONS = (
    "sum", "prod", "mean", "var", "std", "min", "max", "median", "any", "all", "count",
)  # fmt: skip

#: use of a DataArray, with the namespace of its data
USES = {
    **{name: lambda d, xp, name=name: getattr(d, name)("row") for name in REDUCTIONS},
    **{f"{name} of all": lambda d, xp, name=name: getattr(d, name)() for name in REDUCTIONS},
    "mean, skipna=False": lambda d, xp: d.mean("row", skipna=False),
    "std, ddof": lambda d, xp: d.std("column", ddof=1),
    "argmax": lambda d, xp: d.argmax("column"),
    "argmin": lambda d, xp: d.argmin("row"),
    "cumsum": lambda d, xp: d.cumsum("column"),
    "cumprod": lambda d, xp: d.cumprod("row"),
    "reduce": lambda d, xp: d.fillna(0.0).reduce(xp.sum, dim="row"),
    "isel": lambda d, xp: d.isel(column=1),
    "isel, slice": lambda d, xp: d.isel(column=slice(None, None, 2), row=0),
    "isel, list": lambda d, xp: d.isel(column=[2, 0]),
    "sel": lambda d, xp: d.sel(column=20),
    "sel, list": lambda d, xp: d.sel(column=[30, 10]),
    "sel, nearest": lambda d, xp: d.sel(column=24, method="nearest"),
    "sel, slice": lambda d, xp: d.sel(column=slice(10, 20)),
    "loc": lambda d, xp: d.loc[:, 20],
    "d[0, 1]": lambda d, xp: d[0, 1],
    "d[{...}]": lambda d, xp: d[{"row": 0}],
    "reindex": lambda d, xp: d.reindex(column=[20, 99]),
    "sortby": lambda d, xp: d.sortby("column", ascending=False),
    "where": lambda d, xp: d.where(d > 0.75),
    "where, other": lambda d, xp: d.where(d > 0.75, 0.0),
    "xr.where": lambda d, xp: xr.where(d > 0.75, d, -1.0),
    "fillna": lambda d, xp: d.fillna(9.0),
    "isnull": lambda d, xp: d.isnull(),
    "notnull": lambda d, xp: d.notnull(),
    "dropna": lambda d, xp: d.dropna("column"),
    "combine_first": lambda d, xp: d.combine_first(d + 1),
    "arithmetic": lambda d, xp: (2 * d - d / 3) ** 2 + 1,
    "arithmetic by name": lambda d, xp: d - d.mean("column") + d.T,
    "arithmetic of shared coordinates": lambda d, xp: d.isel(column=[0, 1]) * d.isel(column=[1, 2]),
    "comparison": lambda d, xp: (d > 0.75) | (d == 0.5),
    "abs": lambda d, xp: abs(-d),
    "clip": lambda d, xp: d.clip(0.25, 2.5),
    "round": lambda d, xp: d.round(),
    "astype": lambda d, xp: d.astype("float32"),
    "transpose": lambda d, xp: d.transpose("column", "row"),
    "stack": lambda d, xp: d.stack(both=DIMS),
    "unstack": lambda d, xp: d.stack(both=DIMS).unstack("both"),
    "expand_dims": lambda d, xp: d.expand_dims("new"),
    "squeeze": lambda d, xp: d.isel(row=slice(1)).squeeze(),
    "broadcast": lambda d, xp: xr.broadcast(d, d.isel(row=0))[1],
    "roll": lambda d, xp: d.roll(column=1),
    "diff": lambda d, xp: d.diff("column"),
    "coarsen": lambda d, xp: d.coarsen(row=2).mean(),
    "integrate": lambda d, xp: d.integrate("column"),
    "weighted": lambda d, xp: d.weighted(d.isel(row=1).fillna(0.0) ** 2).mean("column"),
    "groupby": lambda d, xp: d.groupby("column").mean(),
    "dot": lambda d, xp: xr.dot(d.fillna(0.0), d.fillna(1.0), dim="column"),
    "dot of other dims": lambda d, xp: xr.dot(
        d.fillna(0.0), d.T.isel(row=slice(2)).fillna(1.0), dim="row"
    ),
    "apply_ufunc by name": lambda d, xp: xr.apply_ufunc(xp.hypot, d, d.T + 1),
    "cov": lambda d, xp: xr.cov(d.fillna(0.0), d.fillna(1.0) ** 2, dim="column"),
    "corr": lambda d, xp: xr.corr(d.fillna(0.0), d.fillna(1.0) ** 2, dim="column"),
    "concat": lambda d, xp: xr.concat([d, d + 1], "row"),
    "merge": lambda d, xp: xr.merge([d.rename("v")]).v,
    "full_like": lambda d, xp: xr.full_like(d, 3.0),
    "zeros_like": lambda d, xp: xr.zeros_like(d),
    "apply_ufunc": lambda d, xp: xr.apply_ufunc(xp.sin, d),
    "xr.ufuncs": lambda d, xp: xr.ufuncs.sin(d),
    "Dataset": lambda d, xp: xr.Dataset({"v": d}).mean("row").v,
}  # fmt: skip

#: of these, where xarray indexes with NumPy's arrays, or makes one
NEEDS_NUMPY = {
    "isel, list", "sel, list", "reindex", "sortby", "dropna", "arithmetic of shared coordinates",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_stays_a_tensor(name, device):
    # xarray makes tensors of numbers and coordinates itself, on the default device
    with arraygrad.default_device(device):
        x = arraygrad.asarray(A)
        if name in NEEDS_NUMPY and device != "cpu":
            with pytest.raises(arraygrad.TransferError):
                USES[name](wrap(x), arraygrad)
            return
        found = USES[name](wrap(x), arraygrad)
    expected = USES[name](wrap(A), np)
    assert type(found.data) is arraygrad.Tensor
    assert found.data.device == x.device
    assert (found.dims, found.dtype) == (expected.dims, expected.dtype)
    for name, coordinate in expected.coords.items():
        assert found.coords[name].equals(coordinate)
    np.testing.assert_allclose(found.data.numpy(), expected.data, rtol=1e-14)


def test_assignment_takes_tensors():
    x = arraygrad.asarray(A)
    d = wrap(arraygrad.asarray(x, copy=True))
    d[{"row": 0}] = arraygrad.zeros(3)
    d.loc[:, 20] = arraygrad.asarray(7.0)
    d += 1
    d[{"column": 2}] = d[{"column": 0}]
    assert d.data.tolist() == [[1.0, 8.0, 1.0], [4.0, 8.0, 4.0]]
    assert type(d.data) is arraygrad.Tensor


def test_comes_and_goes():
    d = wrap(arraygrad.asarray(A))
    assert type(pickle.loads(pickle.dumps(d)).data) is arraygrad.Tensor
    assert type(d.copy(deep=True).data) is arraygrad.Tensor
    assert type(d.to_numpy()) is np.ndarray
    assert d.to_pandas().equals(wrap(A).to_pandas())
    assert "Tensor" in repr(d)
    xr.testing.assert_identical(d, wrap(arraygrad.asarray(A)))
    with pytest.raises(AssertionError):
        xr.testing.assert_equal(d, d + 1)


#: not differentiated, or between other values
FLAT = ("any", "all", "count", "arg", "isnull", "notnull", "comparison", "astype", "full", "zeros")


@pytest.mark.parametrize("name", [name for name in USES if not name.startswith(FLAT)])
def test_gradients(name):
    x = arraygrad.asarray(np.where(np.isnan(A), 2.0, A))

    def f(x):
        return USES[name](wrap(x), arraygrad).data

    if name == "round":
        assert autodiff.grad(lambda x: arraygrad.sum(f(x)))(x).tolist() == [[0.0] * 3] * 2
        return
    missing = arraygrad.isnan(f(x))
    autodiff.check_grads(lambda x: arraygrad.where(missing, 0.0, f(x)), (x,))
    out, pullback = autodiff.vjp(f, x)
    (cotangent,) = pullback(arraygrad.reshape(arraygrad.arange(1.0, out.size + 1), out.shape))
    assert float(arraygrad.max(arraygrad.abs(cotangent))) > 0


@pytest.mark.parametrize(
    "f",
    [lambda d: d.interp(column=15.0), lambda d: d.to_numpy()],
    ids=["SciPy's interpolation", "to_numpy"],
)
def test_what_leaves_for_numpy_says_so(f):
    assert not isinstance(getattr(f(wrap(arraygrad.asarray(A))), "data", None), arraygrad.Tensor)
    with pytest.raises(TypeError, match="gradient would be lost"):
        f(wrap(autodiff.variable(arraygrad.asarray(A))))


def test_a_ufunc_of_numpy_refuses_a_gradient():
    assert type(np.sin(wrap(arraygrad.asarray(A))).data) is arraygrad.Tensor
    with pytest.raises(TypeError, match="gradient would be lost"):
        np.sin(wrap(autodiff.variable(arraygrad.asarray(A))))


#: of these, what xarray refuses of chunks, or leaves to functions of Dask that give NumPy's arrays
NOT_CHUNKED = {
    "median of all", "reduce", "apply_ufunc", "apply_ufunc by name",
    "argmax", "argmin", "full_like", "zeros_like",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [name for name in USES if name not in NOT_CHUNKED])
def test_chunks_of_dask_stay_tensors(name):
    dask = pytest.importorskip("dask")
    import arraygrad.interop.dask

    with dask.config.set(scheduler="synchronous"):
        found = USES[name](wrap(arraygrad.asarray(A)).chunk({"row": 1}), arraygrad).compute()
    expected = USES[name](wrap(A), np)
    assert type(found.data) is arraygrad.Tensor
    np.testing.assert_allclose(found.data.numpy(), expected.data, rtol=1e-14)
