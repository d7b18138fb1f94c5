"""Saving and sending tensors: pickle, copy, joblib's files, cache and processes."""

import copy
import pickle

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff

joblib = pytest.importorskip("joblib")

X = xp.reshape(xp.arange(6.0), (2, 3))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol, xp, device):
    x = xp.asarray([[1, 2], [3, 4]], dtype=xp.int16)
    y = pickle.loads(pickle.dumps({"x": [x]}, protocol=protocol))["x"][0]
    assert type(y) is xp.Tensor
    assert (y.dtype, y.device, y.tolist()) == (x.dtype, x.device, x.tolist())


def test_copies_own_their_memory(xp):
    x = xp.zeros(3)
    for y in (copy.copy(x), copy.deepcopy([x])[0], pickle.loads(pickle.dumps(x))):
        y += 1
        assert (x.tolist(), y.tolist()) == ([0.0] * 3, [1.0] * 3)


def test_a_copy_keeps_the_gradient_and_a_pickle_says_that_it_cannot():
    v = autodiff.variable(X)
    xp.sum(copy.deepcopy(v * 2)).backward()
    assert v.grad.tolist() == [[2.0] * 3] * 2
    for save in (pickle.dumps, joblib.hash):
        with pytest.raises(TypeError, match="detach"):
            save(v)
    assert pickle.loads(pickle.dumps(v.detach())).tolist() == X.tolist()


@pytest.mark.parametrize("compress", [0, 3])
def test_joblib_dump(tmp_path, compress):
    joblib.dump({"x": [X], "n": 1}, tmp_path / "x", compress=compress)
    y = joblib.load(tmp_path / "x")["x"][0]
    assert type(y) is xp.Tensor
    assert y.tolist() == X.tolist()


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_joblib_maps_a_file(tmp_path, mode):
    path = tmp_path / "x"
    joblib.dump(X, path)
    y = joblib.load(path, mmap_mode=mode)
    assert type(y) is xp.Tensor
    assert isinstance(y.numpy().base, np.memmap)
    assert type(y + 1) is xp.Tensor
    if mode == "r":
        with pytest.raises(ValueError, match="read-only"):
            y[0, 0] = 9.0
    else:
        y[0, 0] = 9.0
    y.numpy().base.flush()
    assert float(joblib.load(path)[0, 0]) == (9.0 if mode == "r+" else 0.0)


def _total(x, i):
    return xp.sum(x) * i, isinstance(x.numpy().base, np.memmap)


@pytest.mark.parametrize("shared", [False, True])
def test_joblib_processes(shared):
    x = xp.ones((300, 300))
    job = joblib.Parallel(n_jobs=2, max_nbytes="100K" if shared else None)
    results = job(joblib.delayed(_total)(x, i) for i in range(3))
    assert [float(total) for total, _ in results] == [0.0, 90000.0, 180000.0]
    assert {type(total) for total, _ in results} == {xp.Tensor}
    assert {mapped for _, mapped in results} == {shared}  # large data goes by a mapped file


def test_joblib_cache(tmp_path):
    calls = []

    def double(x):
        calls.append(x)
        return x * 2

    cached = joblib.Memory(tmp_path, verbose=0).cache(double)
    first, second, other = cached(X), cached(X + 0.0), cached(X + 1.0)
    assert len(calls) == 2
    assert type(second) is xp.Tensor
    assert (first.tolist(), other.tolist()) == (second.tolist(), ((X + 1) * 2).tolist())
