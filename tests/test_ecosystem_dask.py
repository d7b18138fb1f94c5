"""Dask's arrays with tensors as chunks: what stays one, and what Dask makes a NumPy array of."""

import subprocess
import sys

import numpy as np
import pytest

import arraygrad as xp

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

import arraygrad.interop.dask

N = np.arange(24.0).reshape(4, 6)


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


@pytest.fixture(params=DEVICES)
def tensor(request):
    return xp.asarray(N, device=request.param)


def made(x):
    return da.from_array(x, chunks=(2, 3))


#: what stays a tensor: of a Dask array and the namespace of its chunks
STAYS = {
    "itself": lambda d, xp: d,
    "d + 1": lambda d, xp: d + 1,
    "d * d": lambda d, xp: d * d - 2 * d,
    "-abs(d) ** 2": lambda d, xp: -(abs(d) ** 2),
    "d > 3": lambda d, xp: (d > 3) | (d == 1),
    "sum": lambda d, xp: d.sum(),
    "sum, axis": lambda d, xp: d.sum(axis=0),
    "sum, keepdims": lambda d, xp: d.sum(axis=(0, 1), keepdims=True),
    "mean": lambda d, xp: d.mean(axis=1),
    "mean of all": lambda d, xp: d.mean(),
    "max": lambda d, xp: d.max(axis=0),
    "min": lambda d, xp: d.min(),
    "prod": lambda d, xp: d.prod(axis=1),
    "any": lambda d, xp: (d > 22).any(axis=0),
    "all": lambda d, xp: (d > -1).all(),
    "variance in steps": lambda d, xp: ((d - d.mean(axis=0)) ** 2).mean(axis=0),
    "norm": lambda d, xp: da.linalg.norm(d),
    "d[0]": lambda d, xp: d[0],
    "d[0, 0]": lambda d, xp: d[0, 0],
    "d[1:3, ::2]": lambda d, xp: d[1:3, ::2],
    "d[::-1, None]": lambda d, xp: d[::-1, None],
    "d[list]": lambda d, xp: d[[3, 0]],
    "d[mask]": lambda d, xp: d[d > 3],
    "blocks": lambda d, xp: d.blocks[0, 1],
    "rechunk": lambda d, xp: d.rechunk((4, 2)),
    "reshape": lambda d, xp: d.reshape(2, 2, 6),
    "T": lambda d, xp: d.T,
    "astype": lambda d, xp: d.astype("float32"),
    "concatenate": lambda d, xp: da.concatenate([d, d + 1], axis=1),
    "stack": lambda d, xp: da.stack([d, d + 1]),
    "take": lambda d, xp: da.take(d, [2, 0], axis=1),
    "roll": lambda d, xp: da.roll(d, 1, axis=0),
    "flip": lambda d, xp: da.flip(d, 0),
    "diff": lambda d, xp: da.diff(d, axis=1),
    "dot": lambda d, xp: da.dot(d, d.T),
    "tensordot": lambda d, xp: da.tensordot(d, d, axes=([0], [0])),
    "einsum": lambda d, xp: da.einsum("ij,kj->ik", d, d),
    "map_blocks": lambda d, xp: d.map_blocks(xp.sin, dtype=float),
    "map_overlap": lambda d, xp: d.map_overlap(xp.sqrt, depth=1, boundary="reflect", dtype=float),
    "map_overlap, constant": lambda d, xp: d.map_overlap(xp.exp, depth=1, boundary=0, dtype=float),
    "blockwise": lambda d, xp: da.blockwise(xp.maximum, "ij", d, "ij", 9 - d, "ij", dtype=float),
    "pad": lambda d, xp: da.pad(d, 1),
    "a reduction": lambda d, xp: da.reduction(
        d, chunk=xp.max, aggregate=xp.max, axis=0, dtype=float, meta=d._meta[0:0, 0:0].sum(axis=0)
    ),
}  # fmt: skip


#: of these, where Dask needs NumPy: its indices, and empty arrays from which it learns the dtype
NEEDS_NUMPY = {"d[list]", "take", "map_overlap, constant"}


@pytest.mark.parametrize("name", STAYS)
def test_stays_a_tensor(name, tensor):
    if name in NEEDS_NUMPY and tensor.device != "cpu":
        with pytest.raises(TypeError):
            STAYS[name](made(tensor), xp).compute()
        return
    found = STAYS[name](made(tensor), xp).compute()
    expected = STAYS[name](made(N), np).compute()
    assert type(found) is xp.Tensor
    assert found.device == tensor.device
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected)


#: what Dask computes by functions of NumPy: on the CPU it stays one
STAYS_ON_THE_CPU = {
    "sin": lambda d: np.sin(d),
    "where": lambda d: da.where(d > 3, d, 0),
    "matmul": lambda d: d @ d.T,
    "cumsum": lambda d: d.cumsum(axis=0),
    "cumprod": lambda d: d.cumprod(axis=1),
    "std": lambda d: d.std(axis=0),
    "var": lambda d: d.var(),
    "nansum": lambda d: da.nansum(d),
    "nanmean": lambda d: da.nanmean(d, axis=0),
    "median": lambda d: da.median(d, axis=0),
    "clip": lambda d: da.clip(d, 2, 5),
    "topk": lambda d: da.topk(d, 2, axis=1),
    "isin": lambda d: da.isin(d, [1.0, 2.0]),
    "outer": lambda d: da.outer(d[0], d[1]),
    "broadcast_to": lambda d: da.broadcast_to(d, (2, 4, 6)),
    "argmax": lambda d: d.argmax(axis=0),
    "argmax of all": lambda d: d.argmax(),
    "argmin": lambda d: da.argmin(d, axis=1, keepdims=True, split_every=2),
    "nanargmax": lambda d: da.nanargmax(da.where(d == 5, np.nan, d), axis=1),
    "nanargmin": lambda d: da.nanargmin(d, axis=0),
    "singular values": lambda d: da.linalg.svd(d.rechunk((2, 6)))[1],
}


@pytest.mark.parametrize("name", STAYS_ON_THE_CPU)
def test_stays_a_tensor_on_the_cpu(name):
    f = STAYS_ON_THE_CPU[name]
    found, expected = f(made(xp.asarray(N))), f(made(N)).compute()
    assert type(found._meta) is type(found.compute()) is xp.Tensor
    np.testing.assert_allclose(found.compute().numpy(), expected, rtol=1e-12)


#: what Dask makes of structured arrays, which tensors are not
BECOMES_NUMPYS = {
    "unique": lambda d: da.unique(d),
    "unique and counts": lambda d: da.unique(d, return_counts=True)[1],
}


@pytest.mark.parametrize("name", BECOMES_NUMPYS)
def test_becomes_numpys(name):
    f = BECOMES_NUMPYS[name]
    found = f(made(xp.asarray(N))).compute()
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, f(made(N)).compute())


def test_unique_with_the_inverse_says_what_to_write():
    d = made(xp.asarray(N))
    with pytest.raises(TypeError, match="convert it first"):
        da.unique(d, return_inverse=True)[1].compute()
    found = da.unique(d.map_blocks(xp.Tensor.numpy, meta=np.empty((0, 0))), return_inverse=True)
    assert found[1].compute().shape == N.shape


@pytest.mark.parametrize("other", ["strict:1", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_chunks_on_two_devices_are_not_joined(other):
    arrays = [made(xp.asarray(N, device=device)) for device in ("cpu", other)]
    with pytest.raises(xp.DeviceMismatchError):
        da.concatenate(arrays).compute()


@pytest.mark.cuda
def test_a_gpu_tensor_is_not_fetched_behind_the_back():
    with pytest.raises(xp.TransferError):
        np.sin(made(xp.asarray(N, device="cuda"))).compute()


CREATED = {
    "ones": lambda: da.ones((4, 6), chunks=(2, 3)),
    "zeros": lambda: da.zeros((4, 6), chunks=(2, 3), dtype="int32"),
    "full": lambda: da.full((4, 6), 2.5, chunks=3),
    "arange": lambda: da.arange(2, 20, 3, chunks=4),
}


@pytest.mark.parametrize("name", CREATED)
def test_creation(name):
    expected = CREATED[name]().compute()
    with dask.config.set({"array.backend": "arraygrad"}):
        made = CREATED[name]()
        assert type(made._meta) is xp.Tensor
        found = made.compute()
        assert type(da.empty((4, 6), chunks=3).compute()) is xp.Tensor
    assert type(found) is xp.Tensor
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.cuda
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_creation_is_on_the_default_device(scheduler):
    with xp.default_device("cuda"), dask.config.set({"array.backend": "arraygrad"}):
        made = da.ones((4, 6), chunks=3)
    assert made.compute(scheduler=scheduler).device == xp.Device("cuda")


def import_interop():
    """What each process has to do."""
    import arraygrad.interop.dask  # noqa: F401


def test_from_backend_to_backend(tensor):
    with xp.default_device(tensor.device):
        d = da.from_array(N, chunks=(2, 3)).to_backend("arraygrad")
    assert d.to_backend("arraygrad") is d
    assert type(d[1:].compute()) is xp.Tensor
    if tensor.device != "cpu":
        with pytest.raises(xp.TransferError):
            (d + 1).to_backend("numpy")
        return
    back = (d + 1).to_backend("numpy")
    assert type(back.compute()) is np.ndarray
    np.testing.assert_array_equal(back.compute(), N + 1)


@pytest.mark.parametrize(
    "options",
    [
        {"scheduler": "threads"},
        {"scheduler": "processes", "initializer": import_interop, "num_workers": 2},
    ],
    ids=["threads", "processes"],
)
def test_schedulers(options):
    found = (made(xp.asarray(N)) * 2).sum(axis=0).compute(**options)
    assert type(found) is xp.Tensor
    np.testing.assert_array_equal(found.numpy(), (N * 2).sum(axis=0))


def test_the_backend_waits_until_it_is_asked_for():
    code = "import sys, arraygrad; assert not {'dask', 'einops'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
