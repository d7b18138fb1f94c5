"""How the import changes the C library's memory allocator."""

import os
import platform
import subprocess
import sys

import pytest

from arraygrad._backends.numpy import malloc

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")

PROGRAM = """
import resource, arraygrad as xp, numpy as np
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
x = np.ones(600_000)
before = faults()
for _ in range(30):
    y = (x + x) * (x + 1)
print(faults() - before)
"""


def page_faults(code=PROGRAM, **environment):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=inherited | {"ARRAYGRAD_MALLOC": ""} | environment,
        timeout=60,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


@glibc
def test_freed_memory_is_kept():
    returned = page_faults(ARRAYGRAD_MALLOC="0")
    assert page_faults() < returned / 3
    assert page_faults(ARRAYGRAD_MALLOC="1") < returned / 3


@glibc
def test_it_can_be_called_later():
    code = PROGRAM.replace(
        "x = np", "from arraygrad._backends.numpy import malloc; malloc.keep_freed_memory()\nx = np"
    )
    assert page_faults(code, ARRAYGRAD_MALLOC="0") < page_faults(ARRAYGRAD_MALLOC="0") / 3


def test_too_little_memory_is_no_error(monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(malloc.np, "empty", fail)
    malloc.keep_freed_memory()


@pytest.mark.parametrize(("told", "calls"), [("0", 0), ("", 1), ("1", 1), (None, 1)])
def test_the_environment_decides(told, calls, monkeypatch):
    called = []
    monkeypatch.setattr(malloc, "keep_freed_memory", lambda: called.append(None))
    monkeypatch.delenv("ARRAYGRAD_MALLOC", raising=False)
    if told is not None:
        monkeypatch.setenv("ARRAYGRAD_MALLOC", told)
    malloc.set_up()
    assert len(called) == calls
