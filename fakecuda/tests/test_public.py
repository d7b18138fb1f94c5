"""The functions that fakecuda itself has."""

import os
import subprocess
import sys

import cupy as cp
import numpy as np
import pytest

import fakecuda


def test_counts():
    x = cp.arange(10.0)
    y = x * 2
    fakecuda.reset_counts()
    assert fakecuda.counts() == {}
    for _ in range(3):
        y += x
    y.get()
    cp.asarray(np.arange(3.0))
    counts = fakecuda.counts()
    assert counts["launch"] == 3
    assert all(isinstance(name, str) and number > 0 for name, number in counts.items())
    assert any("host" in name for name in counts)
    fakecuda.reset_counts()
    assert fakecuda.counts() == {}


def test_counts_of_what_waits():
    x = cp.arange(10.0)
    stream = cp.cuda.Stream()
    fakecuda.reset_counts()
    with stream:
        x + 1
    assert not [name for name in fakecuda.counts() if "sync" in name]
    stream.synchronize()
    assert sum(n for name, n in fakecuda.counts().items() if "sync" in name) == 1


def late_sum():
    """What the host reads of a stream that it has not waited for."""
    stream = cp.cuda.Stream(non_blocking=True)
    x = cp.zeros(3)
    host = cp.cuda.alloc_pinned_memory(24)
    out = np.frombuffer(host, np.float64, 3)
    out[...] = -1
    cp.cuda.Device().synchronize()
    with stream:
        x += 1
        x.get(out=out, blocking=False)
    before = out.copy()
    stream.synchronize()
    return before, out


def test_late():
    before, after = late_sum()
    assert before.tolist() == after.tolist() == [1, 1, 1]
    with fakecuda.late():
        before, after = late_sum()
        assert before.tolist() == [-1, -1, -1]
        assert after.tolist() == [1, 1, 1]
    before, after = late_sum()
    assert before.tolist() == after.tolist() == [1, 1, 1]


def fail_late():
    with fakecuda.late():
        raise KeyError


def test_late_ends_with_an_exception():
    with pytest.raises(KeyError):
        fail_late()
    before, _ = late_sum()
    assert before.tolist() == [1, 1, 1]


def test_a_second_installation_does_nothing():
    fakecuda.install()
    with pytest.raises(fakecuda.InstallError, match="installed already, with other settings"):
        fakecuda.install(devices=7)


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings():
    done = python("""
import os
import fakecuda
fakecuda.install(devices=3, arch=80, strict=True, late=True)
import cupy
fakecuda.install(devices=3, arch=80)
print(cupy.cuda.runtime.getDeviceCount(), cupy.cuda.Device().compute_capability)
print([os.environ["FAKECUDA_" + name] for name in ("DEVICES", "ARCH", "STRICT", "LAZY")])
""")
    assert done.stdout == "3 80\n['3', '80', '1', '1']\n"


def test_nothing_before_the_installation():
    done = python("import fakecuda; fakecuda.counts()")
    assert "RuntimeError: fakecuda.install() has not been called" in done.stderr
