"""What only the emulated GPU can tell: what waited, what was copied, and what came too early.

Tests that need it are marked ``needs_emulation``; a real GPU keeps no such counts, and does not
run its streams late on demand.
"""

import contextlib
import os

import pytest

EMULATED = os.environ.get("FAKECUDA", "") not in ("", "0")

if EMULATED:
    from fakecuda import counts, late, reset_counts
else:  # not called: their tests are skipped
    late = contextlib.nullcontext
    counts = reset_counts = dict


def needs_emulation(test):
    """Mark a test that runs on the emulated GPU alone."""
    skip = pytest.mark.skipif(not EMULATED, reason="only the emulated GPU counts and runs late")
    return pytest.mark.cuda(skip(test))


#: Counters of copies between host and GPU, and what to call them.
_COPIES = {"copy to host": "download", "copy to device": "upload"}


def counted(function, *args):
    """What ``function(*args)`` costs the host once it is warm, in words, such as "1 download".

    A download waits for the GPU; an upload does not. Other waits, and memory that is asked from
    the driver, which waits too, are named as the counters are.
    """
    for _ in range(2):  # compiles kernels, fills the memory pool
        function(*args)
    reset_counts()
    function(*args)
    found = {name: n for name, n in counts().items() if n}
    downloads = found.get("copy to host", 0)
    costs = {word: found.pop(name) for name, word in _COPIES.items() if name in found}
    for name, n in found.items():
        if name in ("sync of stream", "sync by copy to pageable memory"):
            n -= downloads  # of the download itself
        if n and (name.startswith("sync") or name.endswith(("malloc", "free", "on host"))):
            costs[name] = n
    words = [f"{n} {name}{'s' * (n > 1)}" for name, n in costs.items()]
    return ", ".join(words) or "none"


#: The default stream, and one of those that do not wait for it.
STREAMS = ("null", "own")


@contextlib.contextmanager
def stream(which):
    """Make one of `STREAMS` current."""
    import cupy

    if which == "null":
        with cupy.cuda.Stream.null:
            yield
        return
    cupy.cuda.Device().synchronize()  # what it is to read is there
    with cupy.cuda.Stream(non_blocking=True) as own:
        yield
        own.synchronize()
