"""Memory: who may touch it, where allocations end, and what the runtime refuses."""

import ctypes
import signal

import cupy as cp
import numpy as np
import processes
import pytest
from cupy.cuda import runtime
from statuses import status

import fakecuda

INVALID_VALUE = 1
OUT_OF_MEMORY = 2


@pytest.fixture
def memory():
    """Allocate with the runtime; everything is freed after the test."""
    allocated = []

    def allocate(size):
        allocated.append(runtime.malloc(size))
        return allocated[-1]

    yield allocate
    for address in allocated:
        runtime.free(address)


def download(address, size):
    out = np.empty(size, np.uint8)
    runtime.memcpy(out.ctypes.data, address, size, runtime.memcpyDeviceToHost)
    return out


def test_fresh_memory_is_garbage(memory):
    assert download(memory(5000), 5000).all()


def test_memory_is_garbage_again_after_a_free():
    address = runtime.malloc(5000)
    runtime.memset(address, 0, 5000)
    runtime.free(address)
    again = runtime.malloc(5000)
    assert download(again, 5000).all()
    runtime.free(again)


@pytest.mark.parametrize("size", [1, 100, 512, 4096, 5000, 3 << 20])
def test_alignment(memory, size):
    assert memory(size) % 512 == 0


def test_nothing_is_allocated_for_no_bytes():
    assert runtime.malloc(0) == 0
    runtime.free(0)


TOUCH = """
{before}
x = cp.arange(100.0)
{after}
import ctypes
ctypes.string_at(x.data.ptr, 8)
print("still here")
"""


@pytest.mark.parametrize("before", ["", "import faulthandler; faulthandler.enable()"])
@pytest.mark.parametrize("after", ["", "import faulthandler; faulthandler.enable()"])
def test_host_access_ends_the_process(before, after):
    result = processes.run(TOUCH.format(before=before, after=after))
    assert result.returncode == -signal.SIGSEGV
    assert "still here" not in result.stdout
    if not after:  # (a handler that is newer than the last task comes first)
        assert "the host touched device memory at 0x" in result.stderr
        assert "on device 0)" in result.stderr
    assert ("Fatal Python error" in result.stderr) == bool(before or after)


def test_a_write_of_the_host_ends_the_process():
    result = processes.run("""
        import ctypes
        x = cp.arange(100.0)
        ctypes.memset(x.data.ptr, 0, 8)
    """)
    assert result.returncode == -signal.SIGSEGV
    assert "the host touched device memory" in result.stderr


def test_host_access_in_a_callback_ends_the_process():
    result = processes.run("""
        import ctypes
        x = cp.arange(100.0)
        stream = cp.cuda.Stream()
        stream.launch_host_func(lambda _: ctypes.string_at(x.data.ptr, 8), None)
        print("still here")
    """)
    assert result.returncode == -signal.SIGSEGV
    assert "the host touched device memory" in result.stderr


def test_protection_can_be_switched_off():
    result = processes.run(TOUCH.format(before="", after=""), FAKECUDA_PROTECT="0")
    assert result.returncode == 0
    assert "still here" in result.stdout


def test_other_faults_are_passed_on():
    result = processes.run("""
        import ctypes
        cp.arange(3)
        ctypes.string_at(8)
    """)
    assert result.returncode == -signal.SIGSEGV
    assert "the host touched" not in result.stderr


KERNEL = """
kernel = cp.RawKernel(
    'extern "C" __global__ void write(char* p, long long i) { p[i] = 1; }', "write")

def write(p, i):
    kernel((1,), (1,), (p, np.int64(i)))
    return code_of(runtime.deviceSynchronize)

def freed(p):
    runtime.free(p)
    return p

"""


@pytest.mark.parametrize(
    ("pointer", "index", "says"),
    [
        ("runtime.malloc(1024)", 1024, "0 bytes past the end of an allocation of 1024"),
        ("runtime.malloc(4096)", 4100, "4 bytes past the end of an allocation of 4096"),
        ("runtime.malloc(4096)", -8, "8 bytes before an allocation of 4096"),
        ("freed(runtime.malloc(4096))", 8, "freed allocation of 4096"),
        ("0", 8, "a null pointer"),
    ],
)
def test_bad_accesses_of_kernels(pointer, index, says):
    out, errors = processes.output(KERNEL + f"print(write({pointer}, {index}))")
    assert out == ["700"]
    assert "kernel 'write', block (0, 0, 0), thread (0, 0, 0)" in errors
    assert says in errors


def test_an_overrun_after_valid_accesses():
    out, errors = processes.output("""
        code = 'extern "C" __global__ void fill(char* p, int n) { while (n--) *p++ = 1; }'
        fill = cp.RawKernel(code, "fill")
        p = runtime.malloc(5120)
        fill((1,), (1,), (np.uint64(p), np.int32(5120)))
        print(code_of(runtime.deviceSynchronize))
        fill((1,), (1,), (np.uint64(p), np.int32(5121)))
        print(code_of(runtime.deviceSynchronize))
    """)
    assert out == ["0", "700"]
    assert "0 bytes past the end of an allocation of 5120 bytes" in errors


def test_the_last_byte_can_be_used(memory):
    for size in (1, 512, 4096, 4097, 1 << 20):
        address = memory(size)
        runtime.memset(address + size - 1, 7, 1)
        assert download(address + size - 1, 1) == 7


def test_large_arrays_are_open_as_a_whole():
    x = cp.arange(1 << 20)
    assert int((x + x).sum()) == (1 << 20) * ((1 << 20) - 1)


def test_managed_memory_is_open_to_both():
    x = cp.ndarray(10, memptr=cp.cuda.memory.malloc_managed(80))
    x[:] = 3
    cp.cuda.Device().synchronize()
    seen = np.ctypeslib.as_array((ctypes.c_double * 10).from_address(x.data.ptr))
    assert (seen == 3).all()
    seen[:] = 4
    assert (x.get() == 4).all()


def test_pinned_memory_is_open_to_both():
    pinned = cp.cuda.alloc_pinned_memory(80)
    seen = np.frombuffer(pinned, np.float64, 10)
    seen[:] = np.arange(10)
    kernel = cp.RawKernel(
        'extern "C" __global__ void twice(double* p) { p[threadIdx.x] *= 2; }', "twice"
    )
    kernel((1,), (10,), (np.uint64(pinned.ptr),))
    cp.cuda.Device().synchronize()
    assert (seen == 2 * np.arange(10)).all()


def test_pointers_know_their_kind(memory):
    attributes = runtime.pointerGetAttributes(memory(100) + 50)
    assert attributes.type == 2
    assert attributes.device == 0
    assert runtime.pointerGetAttributes(cp.cuda.memory.malloc_managed(8).ptr).type == 3
    assert runtime.pointerGetAttributes(cp.cuda.alloc_pinned_memory(8).ptr).type == 1
    assert runtime.pointerGetAttributes(np.empty(3).ctypes.data).type == 0


def test_frees_of_what_is_not_allocated(memory):
    assert status(runtime.free, memory(100) + 8) == INVALID_VALUE
    address = runtime.malloc(100)
    runtime.free(address)
    assert status(runtime.free, address) == INVALID_VALUE
    assert status(runtime.free, np.empty(3).ctypes.data) == INVALID_VALUE
    assert status(runtime.freeHost, memory(100)) == INVALID_VALUE


def test_copies_stay_in_their_allocations(memory):
    address, host = memory(1024), np.zeros(2048, np.uint8).ctypes.data
    to_device, to_host = runtime.memcpyHostToDevice, runtime.memcpyDeviceToHost
    assert status(runtime.memcpy, address + 8, host, 1024, to_device) == INVALID_VALUE
    assert status(runtime.memcpy, host, address + 8, 1024, to_host) == INVALID_VALUE
    assert status(runtime.memset, address + 8, 0, 1024) == INVALID_VALUE
    assert status(runtime.memset, host, 0, 8) == INVALID_VALUE


def test_copies_have_the_direction_that_they_name(memory):
    address, host = memory(64), np.zeros(64, np.uint8).ctypes.data
    for kind in (runtime.memcpyHostToDevice, runtime.memcpyDeviceToDevice):
        assert status(runtime.memcpy, host, address, 8, kind) == INVALID_VALUE
    for kind in (runtime.memcpyDeviceToHost, runtime.memcpyHostToHost):
        assert status(runtime.memcpy, address, host, 8, kind) == INVALID_VALUE
    runtime.memcpy(address, host, 8, runtime.memcpyDefault)


def test_copies_of_rows(memory):
    rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    address = memory(30)
    runtime.memset(address, 9, 30)
    runtime.memcpy2D(address, 10, rows.ctypes.data, 4, 3, 3, runtime.memcpyHostToDevice)
    expected = np.full((3, 10), 9)
    expected[:, :3] = rows[:, :3]
    assert (download(address, 30).reshape(3, 10) == expected).all()
    back = np.zeros((3, 3), np.uint8)
    runtime.memcpy2DAsync(back.ctypes.data, 3, address, 10, 3, 3, runtime.memcpyDeviceToHost, 0)
    assert (back == rows[:, :3]).all()
    too_wide = (address, 2, rows.ctypes.data, 4, 3, 3, runtime.memcpyHostToDevice)
    assert status(runtime.memcpy2D, *too_wide) == 12


def test_registered_memory():
    host = np.zeros(512)
    runtime.hostRegister(host.ctypes.data, host.nbytes, 0)
    assert status(runtime.hostRegister, host.ctypes.data, host.nbytes, 0) == 712
    assert runtime.pointerGetAttributes(host.ctypes.data).type == 1
    runtime.hostUnregister(host.ctypes.data)
    assert status(runtime.hostUnregister, host.ctypes.data) == 713


def test_memory_runs_out():
    free, total = runtime.memGetInfo()
    assert 0 < free <= total
    assert status(runtime.malloc, free + 1) == OUT_OF_MEMORY
    address = runtime.malloc(1 << 20)
    assert runtime.memGetInfo()[0] == free - (1 << 20)
    runtime.free(address)
    assert runtime.memGetInfo()[0] == free
    with pytest.raises(cp.cuda.memory.OutOfMemoryError):
        cp.empty(total)


def test_freed_memory_goes_back_to_the_system():
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    size = 60 << 20
    address = runtime.malloc(size)
    runtime.memset(address, 1, size)
    filled = resident()
    runtime.free(address)
    assert resident() < filled - size // 2


# ---- the stream-ordered allocator


def test_stream_ordered_memory():
    stream = cp.cuda.Stream(non_blocking=True)
    address = runtime.mallocAsync(1024, stream.ptr)
    runtime.memsetAsync(address, 5, 1024, stream.ptr)
    stream.synchronize()
    assert (download(address, 1024) == 5).all()
    runtime.freeAsync(address, stream.ptr)
    assert status(runtime.freeAsync, address, stream.ptr) == INVALID_VALUE


def test_only_stream_ordered_memory_is_freed_in_a_stream(memory):
    assert status(runtime.freeAsync, memory(64), 0) == INVALID_VALUE


def test_stream_ordered_memory_needs_the_order():
    """Another stream that does not wait for the allocation finds nothing there."""
    out, errors = processes.output("""
        a, b = cp.cuda.Stream(non_blocking=True), cp.cuda.Stream(non_blocking=True)
        with fakecuda.late():
            p = runtime.mallocAsync(1024, a.ptr)
            runtime.memsetAsync(p, 5, 1024, b.ptr)
            print(code_of(runtime.streamSynchronize, b.ptr))
    """)
    assert out == ["700"]
    assert "not allocated at this point of its stream" in errors


def test_pools_hold_freed_memory_until_a_wait():
    pool = runtime.deviceGetDefaultMemPool(0)
    used, reserved = (
        runtime.cudaMemPoolAttrUsedMemCurrent,
        runtime.cudaMemPoolAttrReservedMemCurrent,
    )
    runtime.deviceSynchronize()
    before = runtime.memPoolGetAttribute(pool, used)
    address = runtime.mallocAsync(1000, 0)
    assert runtime.memPoolGetAttribute(pool, used) == before + 1000
    runtime.freeAsync(address, 0)
    assert runtime.memPoolGetAttribute(pool, used) == before
    assert runtime.memPoolGetAttribute(pool, reserved) > before
    runtime.deviceSynchronize()
    assert runtime.memPoolGetAttribute(pool, reserved) == before


def test_allocations_are_counted():
    fakecuda.reset_counts()
    runtime.free(runtime.malloc(64))
    runtime.freeAsync(runtime.mallocAsync(64, 0), 0)
    counted = fakecuda.counts()
    assert counted["malloc"] == 1
    assert counted["free"] == 1
    assert counted["malloc in a stream"] == 1
    assert counted["free in a stream"] == 1
