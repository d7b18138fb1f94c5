"""Copies on streams: in order with the work around them, whatever object names the stream."""

import os
import subprocess
import sys

import numpy as np
import pytest
from backends.emulated import late, needs_emulation

import arraygrad as xp

pytestmark = pytest.mark.cuda

ONES = np.ones((1000, 3))


@pytest.fixture
def stream():
    import cupy

    return cupy.cuda.Stream(non_blocking=True)


class ByProtocol:
    """A stream of another library, by CUDA's protocol."""

    def __init__(self, stream):
        self.stream = stream

    def __cuda_stream__(self):
        return 0, self.stream.ptr


class LikePyTorch:
    """A stream of PyTorch: a context of its own, and an address."""

    def __init__(self, stream):
        self.stream = stream

    @property
    def cuda_stream(self):
        return self.stream.ptr

    def __enter__(self):
        return self  # PyTorch's current stream is not CuPy's

    def __exit__(self, *_):
        pass


FORMS = {
    "CuPy's": lambda stream: stream,
    "address": lambda stream: stream.ptr,
    "NumPy's int": lambda stream: np.int64(stream.ptr),
    "protocol": ByProtocol,
    "PyTorch's": LikePyTorch,
    "legacy": lambda stream: 1,
    "per thread": lambda stream: 2,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_stream_copies(form, stream):
    s = FORMS[form](stream)
    for x in (ONES, ONES[::2].T, np.float32(-0.0), np.zeros((0, 2)), np.array([True])):
        here = xp.asarray(x)
        there = here.to_device("cuda", stream=s)
        assert (there.dtype, there.shape, there.device) == (here.dtype, here.shape, "cuda:0")
        back = there.to_device("cpu", stream=s)
        np.testing.assert_array_equal(back.numpy(), x)
        assert (np.signbit(back.numpy()) == np.signbit(x)).all()
    exported = xp.ones(3, device="cuda").__dlpack__(stream=s)
    assert type(exported).__name__ == "PyCapsule"


@needs_emulation
@pytest.mark.parametrize("form", ["CuPy's", "address", "protocol", "PyTorch's"])
def test_a_copy_is_on_the_stream_that_is_named(form, stream):
    """Which is not ignored: what that stream has been given before comes first."""
    import cupy

    target = cupy.zeros(4)
    with late():
        with stream:
            target += 1.0
        x = xp.asarray([1.0]).to_device("cuda", stream=FORMS[form](stream))
        cupy.cuda.Stream.null.synchronize()  # it waits for the copy, and so for that stream
        found = cupy.zeros(4)
        found.data.copy_from_device_async(target.data, target.nbytes)
        assert found.tolist() == [1.0] * 4
    assert x.tolist() == [1.0]


NO_STREAMS = [
    (0, ValueError),
    (-2, ValueError),
    (False, TypeError),
    (True, TypeError),
    (1.0, TypeError),
    ("cuda", TypeError),
    (object(), TypeError),
]


@pytest.mark.parametrize(("wrong", "error"), NO_STREAMS, ids=lambda x: str(x)[:8])
def test_what_is_no_stream_raises(wrong, error):
    here, there = xp.ones(3), xp.ones(3, device="cuda")
    for copy in (
        lambda: here.to_device("cuda", stream=wrong),
        lambda: xp.asarray(1.0).to_device("cuda", stream=wrong),
        lambda: there.to_device("cpu", stream=wrong),
        lambda: there.__dlpack__(stream=wrong),
    ):
        with pytest.raises(error, match="stream"):
            copy()
    with pytest.raises(ValueError, match="stream"):
        here.to_device("cuda", stream=-1)
    there.__dlpack__(stream=-1)  # without any order, says DLPack


# ---- order, on streams that run as late as CUDA lets them


@needs_emulation
def test_an_upload_is_in_order_without_waiting(stream):
    with late():
        x = xp.asarray(ONES).to_device("cuda", stream=stream)
        assert (x + 1).tolist() == (ONES + 1).tolist()


@needs_emulation
def test_memory_of_an_upload_is_not_written_before_it_is_read(stream):
    with late():
        x = xp.asarray(ONES).to_device("cuda", stream=stream)
        stream.synchronize()
        y = x + 1  # in the current stream's queue
        del x
        z = xp.asarray(7 * ONES).to_device("cuda", stream=stream)
        stream.synchronize()
        assert y.tolist() == (ONES + 1).tolist()
        assert z.tolist() == (7 * ONES).tolist()


@needs_emulation
def test_an_upload_waits_for_what_reads_its_memory(stream):
    with late():
        x = xp.asarray(ONES, device="cuda")
        y = x * 2
        address = x._data.data.ptr
        del x  # its memory is given to the next one
        z = xp.asarray(5 * ONES).to_device("cuda", stream=stream)
        assert z._data.data.ptr == address
        stream.synchronize()
        assert y.tolist() == (2 * ONES).tolist()


@needs_emulation
def test_a_download_waits_for_the_current_stream(stream):
    with late():
        x = xp.asarray(ONES, device="cuda")
        for view in (x + 2, (x + 2).T, (x + 2)[::2]):
            found = view.to_device("cpu", stream=stream).numpy()
            assert (found == 3).all()


@needs_emulation
def test_copies_while_another_stream_is_current(stream):
    import cupy

    with cupy.cuda.Stream(non_blocking=True), late():
        x = xp.asarray(ONES).to_device("cuda", stream=stream)
        y = (x + 1).to_device("cpu", stream=stream)
        assert (y.numpy() == 2).all()


@needs_emulation
def test_an_export_is_in_order_with_the_consumer(stream):
    """The consumer asks for the order of the stream on which it will read."""
    import cupy

    for form in ("CuPy's", "address", "PyTorch's"):
        with late():
            x = xp.asarray(ONES, device="cuda") * 3
            capsule = x.__dlpack__(stream=FORMS[form](stream))
            with stream:
                read = cupy.from_dlpack(capsule) + 0
                assert (read.get() == 3).all()
            copied = (x + 1).__dlpack__(stream=stream, copy=True)
            with stream:
                assert (cupy.from_dlpack(copied).get() == 4).all()


@needs_emulation
def test_an_import_is_in_order_with_the_producer(stream):
    import cupy

    with late():
        with stream:
            made = cupy.ones(1000) * 3

        class Producer:
            def __dlpack_device__(self):
                return made.__dlpack_device__()

            def __dlpack__(self, **options):
                with stream:  # where it was made, as PyTorch and JAX know
                    return made.__dlpack__(**options)

        assert (xp.from_dlpack(Producer()) + 1).tolist() == [4.0] * 1000


# ---- the host's array may be written at once


def _pageable(shape):
    return np.empty(shape)


def _pinned(shape):
    import cupyx

    return cupyx.empty_pinned(shape)


@needs_emulation
@pytest.mark.parametrize("make", [_pageable, _pinned])
@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("shape", [(), (7,), (100, 3)])
def test_a_host_array_may_be_written_after_its_upload(make, other, shape, stream):
    with late():
        for view in (lambda a: a, lambda a: a.T, lambda a: a[::2] if a.ndim else a):
            host = make(shape)
            host[...] = 1.0
            options = {"stream": stream} if other else {}
            x = xp.from_numpy(view(host)).to_device("cuda", **options)
            y = xp.asarray(view(host), device="cuda")
            host[...] = -1.0
            assert (x.numpy() == 1).all()
            assert (y.numpy() == 1).all()


UNIFIED = """
import numpy as np
import arraygrad as xp

for host in (np.ones(5), np.ones((4, 3))[::2].T, np.ones(())):
    x = xp.asarray(host, device="cuda")
    back = x.numpy()
    host[...] = 2.0
    back[...] = 3.0
    assert (x.numpy() == 1).all()
"""


def test_unified_memory_is_not_shared_with_the_host():
    """Where CuPy may take the host's memory for the GPU's."""
    environment = {**os.environ, "CUPY_ENABLE_UMP": "1"}
    done = subprocess.run(
        [sys.executable, "-c", UNIFIED], capture_output=True, text=True, env=environment
    )
    assert not done.returncode, done.stderr


# ---- two GPUs


@pytest.fixture(params=[False, True], ids=["current", "named"])
def options(request):
    """Of a copy to the second GPU: its current stream or another one."""
    import cupy

    for device in (0, 1):
        with cupy.cuda.Device(device):
            cupy.get_default_memory_pool().free_all_blocks()
    with cupy.cuda.Device(1):
        return {"stream": cupy.cuda.Stream(non_blocking=True)} if request.param else {}


@pytest.mark.two_gpus
@needs_emulation
def test_copies_between_gpus_are_in_order(options):
    with late():
        x = xp.asarray(ONES, device="cuda:0") + 1
        for view in (x, x.T, x[::2]):
            assert (view.to_device("cuda:1", **options) + 1).tolist() == (view + 1).tolist()


@pytest.mark.two_gpus
@needs_emulation
def test_memory_is_not_written_while_the_other_gpu_reads_it(options):
    with late():
        x = xp.asarray(ONES, device="cuda:0")
        y = x.to_device("cuda:1", **options)
        address = x._data.data.ptr
        del x
        z = xp.asarray(5 * ONES, device="cuda:0")
        assert z._data.data.ptr == address
        assert z.tolist() == (5 * ONES).tolist()
        assert y.tolist() == ONES.tolist()


@pytest.mark.two_gpus
@needs_emulation
def test_a_copy_between_gpus_waits_for_what_reads_its_memory(options):
    with late():
        x = xp.asarray(ONES, device="cuda:0")
        y = x.to_device("cuda:1", **options)
        z = y * 2
        address = y._data.data.ptr
        del y
        y = (5 * x).to_device("cuda:1", **options)
        assert y._data.data.ptr == address
        if options:
            options["stream"].synchronize()
        assert z.tolist() == (2 * ONES).tolist()
        assert y.tolist() == (5 * ONES).tolist()


@pytest.mark.two_gpus
def test_a_stream_of_another_gpu_raises(stream):
    with pytest.raises(ValueError, match="stream is of GPU 0"):
        xp.ones(3).to_device("cuda:1", stream=stream)
    with pytest.raises(ValueError, match="stream is of GPU 0"):
        xp.ones(3, device="cuda:0").to_device("cuda:1", stream=stream)
