"""Large arrays in parts: the same bits as in one piece, the same warnings and errors."""

import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import arraygrad as xp
from arraygrad._backends import _threads
from arraygrad._backends.numpy import _COSTLY

SIZE = _threads.LARGE + 12_346  # even, and a multiple of 5


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    monkeypatch.setattr(_threads, "_CORES", 2)
    monkeypatch.setattr(_threads, "_pool", None)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("name", _COSTLY.split())
def test_same_bits(name, dtype):
    rng = np.random.default_rng(1)
    a = rng.uniform(0.1, 0.9, SIZE) + (1.0 if name == "acosh" else 0.0)
    a = (a + 1j * rng.uniform(0.1, 0.9, SIZE) if dtype[0] == "c" else a).astype(dtype)
    whole = np.concatenate([getattr(xp, name)(xp.asarray(p)).numpy() for p in np.split(a, 5)])
    x = xp.reshape(xp.asarray(a), (5, -1))
    found = getattr(xp, name)(x).numpy()
    assert found.shape == x.shape
    assert found.dtype == a.dtype
    np.testing.assert_allclose(found.reshape(-1), whole, rtol=4 * np.finfo(dtype).eps)
    assert _threads._pool is not None
    # Of other memory layouts, in one piece.
    np.testing.assert_array_equal(getattr(xp, name)(x.T).numpy(), getattr(xp, name)(x.T).numpy())


def test_warnings_and_errors():
    x = xp.asarray(np.linspace(-1.0, 1.0, SIZE))
    with pytest.warns(RuntimeWarning, match="invalid value"):
        xp.log(x)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(xp.log(x).numpy()).any()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        xp.log(x)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        xp.log(-x)  # in the other part
    with np.errstate(all="ignore"):
        xp.log(x)


def test_other_threads_compute_alone():
    x, found = xp.ones(SIZE), []
    t = threading.Thread(target=lambda: found.append(xp.exp(x)))
    t.start()
    t.join()
    assert _threads._pool is None
    np.testing.assert_array_equal(found[0].numpy(), np.exp(np.ones(SIZE)))


def test_number_of_cores(monkeypatch):
    for told, cores in (("1", 1), ("3", 3), ("", None), ("0", None), ("4,2", None)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert _threads._cores() == (cores or _threads._cores())
        assert _threads._cores() >= 1
    monkeypatch.setattr(_threads, "_CORES", 1)
    xp.exp(xp.ones(SIZE))
    assert _threads._pool is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_has_threads_of_its_own():
    code = (
        "import os, arraygrad as xp\n"
        "from arraygrad._backends import _threads\n"
        "_threads._CORES = 2\n"
        f"x = xp.ones({SIZE})\n"
        "xp.exp(x)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if float(xp.exp(x)[0]) > 2.7 else 1)\n"
        "raise SystemExit(os.waitpid(child, 0)[1])\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0
