"""Devices: what they say about themselves, and two of them."""

import cupy as cp
import processes
import pytest
from cupy.cuda import runtime

INVALID_DEVICE = "101"
INVALID_HANDLE = "400"
ILLEGAL_ADDRESS = "700"

KERNEL = """
copy = cp.RawKernel(
    'extern "C" __global__ void copy(double* to, const double* from)'
    '{ to[threadIdx.x] = from[threadIdx.x]; }', "copy")
with cp.cuda.Device(1):
    far = cp.arange(4.0)
near = cp.zeros(4)
runtime.deviceSynchronize()

"""


def two(code, **environment):
    return processes.output(KERNEL + code, FAKECUDA_DEVICES="2", **environment)


def test_the_name_says_that_it_is_emulated():
    properties = runtime.getDeviceProperties(0)
    assert properties["name"] == b"fakecuda (a CPU that emulates a GPU)"
    assert cp.cuda.Device().compute_capability == "90"
    assert (properties["major"], properties["minor"]) == (9, 0)


def test_settings():
    out, _ = processes.output(
        """
        print(cp.cuda.Device().compute_capability)
        print(cp.cuda.Device().mem_info[1])
        print(runtime.getDeviceCount())
        """,
        FAKECUDA_ARCH="80",
        FAKECUDA_GIB="0.5",
        FAKECUDA_DEVICES="3",
    )
    assert out == ["80", str(1 << 29), "3"]


def test_no_device():
    out, _ = processes.output(
        """
        print(code_of(runtime.getDeviceCount))
        print(code_of(runtime.malloc, 8))
        print(cp.is_available())
        """,
        FAKECUDA_DEVICES="0",
    )
    assert out[0] == "100"
    assert out[1] != "0"
    assert out[2] == "False"


def test_devices_that_do_not_exist():
    for function in (runtime.setDevice, runtime.getDeviceProperties, runtime.deviceGetPCIBusId):
        with pytest.raises(runtime.CUDARuntimeError) as caught:
            function(17)
        assert caught.value.status == 101


def test_bus_ids():
    assert runtime.deviceGetByPCIBusId(runtime.deviceGetPCIBusId(0)) == 0
    assert cp.cuda.Device.from_pci_bus_id("0000:00:00.0").id == 0


@pytest.mark.parametrize(
    ("listed", "buses"),
    [("2,0", ["02", "00"]), ("1", ["01"]), ("1,7,0", ["01"]), ("", []), ("0,0", []), ("-1", [])],
)
def test_a_process_has_the_devices_that_are_visible(listed, buses):
    """The variable is read when a device is first asked for, which may be long after the start."""
    out, _ = processes.output(
        f"""
        import os
        os.environ["CUDA_VISIBLE_DEVICES"] = "{listed}"
        try:
            count = runtime.getDeviceCount()
        except runtime.CUDARuntimeError as error:
            count = 0
            print(error.status)
        ids = [runtime.deviceGetPCIBusId(i) for i in range(count)]
        assert [runtime.deviceGetByPCIBusId(i) for i in ids] == list(range(count))
        print(*ids)
        print(code_of(runtime.setDevice, count))
        """,
        FAKECUDA_DEVICES="3",
    )
    expected = [f"0000:{bus}:00.0" for bus in buses]
    assert out == [*(expected or ["100"]), "101"]


def test_copies_need_no_peer_access():
    out, _ = two("""
runtime.memcpyPeer(near.data.ptr, 0, far.data.ptr, 1, 32)
print(int(near.sum()))
runtime.memcpy(near.data.ptr, far.data.ptr + 8, 24, runtime.memcpyDefault)
print(int(near.sum()))
print(code_of(runtime.memcpyPeer, near.data.ptr, 0, far.data.ptr, 7, 32))
""")
    assert out == ["6", "9", INVALID_DEVICE]


def test_kernels_need_peer_access():
    out, errors = two("""
copy((1,), (4,), (near, far))
print(code_of(runtime.deviceSynchronize))
runtime.setDevice(1)
print(code_of(runtime.deviceSynchronize))
""")
    assert out == [ILLEGAL_ADDRESS, "0"]  # the other device has no error
    assert "kernel 'copy', block (0, 0, 0), thread (0, 0, 0)" in errors
    assert "on device 1)" in errors


def test_peer_access():
    out, _ = two("""
print(runtime.deviceCanAccessPeer(0, 1), runtime.deviceCanAccessPeer(0, 0))
print(code_of(runtime.deviceDisablePeerAccess, 1))
print(code_of(runtime.deviceEnablePeerAccess, 0))
runtime.deviceEnablePeerAccess(1)
print(code_of(runtime.deviceEnablePeerAccess, 1))
copy((1,), (4,), (near, far))
print(int(near.sum()))
runtime.deviceDisablePeerAccess(1)
copy((1,), (4,), (near, far))
print(code_of(runtime.deviceSynchronize))
""")
    assert out == ["1", "0", "705", INVALID_DEVICE, "704", "6", ILLEGAL_ADDRESS]


def test_peer_access_is_in_one_direction():
    out, _ = two("""
runtime.deviceEnablePeerAccess(1)
with cp.cuda.Device(1):
    other = cp.RawKernel(copy.code, "copy")
    other((1,), (4,), (far, near))
    print(code_of(runtime.deviceSynchronize))
""")
    assert out == [ILLEGAL_ADDRESS]


def test_devices_without_peer_access():
    out, _ = two(
        """
print(runtime.deviceCanAccessPeer(0, 1))
print(code_of(runtime.deviceEnablePeerAccess, 1))
near[...] = cp.asarray(far)
print(int(near.sum()))
""",
        FAKECUDA_PEER="0",
    )
    assert out == ["0", "217", "6"]


def test_arrays_of_two_devices():
    out, _ = two("""
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore", cp._util.PerformanceWarning)
    print(int((near + far).sum()))   # CuPy asks for access between them
with cp.cuda.Device(1):
    print((far + 1).device.id)
print(cp.asarray(far).device.id)
""")
    assert out == ["6", "1", "0"]


def test_streams_belong_to_a_device():
    out, _ = two("""
with cp.cuda.Device(1):
    stream = cp.cuda.Stream(non_blocking=True)
    event = cp.cuda.Event()
print(code_of(lambda: copy((1,), (1,), (near, near), stream=stream)))
print(code_of(runtime.eventRecord, event.ptr, 0))
runtime.memsetAsync(near.data.ptr, 0, 8, stream.ptr)   # copies and fills may
stream.wait_event(cp.cuda.Stream.null.record())
print(cp.cuda.driver.streamGetCtx(stream.ptr) != cp.cuda.driver.ctxGetCurrent())
""")
    assert out[1:] == [INVALID_HANDLE, "True"]
    assert out[0] == INVALID_HANDLE


def test_waiting_for_one_device():
    out, _ = two("""
with cp.cuda.Device(1):
    stream = cp.cuda.Stream(non_blocking=True)
memory = cp.cuda.alloc_pinned_memory(32)
host = np.frombuffer(memory, np.float64, 4)
host[:] = -1
with fakecuda.late():
    runtime.memcpyAsync(memory.ptr, far.data.ptr, 32, runtime.memcpyDeviceToHost, stream.ptr)
    runtime.deviceSynchronize()
    print(int(host.sum()))
    with cp.cuda.Device(1):
        runtime.deviceSynchronize()
    print(int(host.sum()))
""")
    assert out == ["-4", "6"]


def test_memory_is_counted_by_device():
    out, _ = two("""
before = [cp.cuda.Device(i).mem_info[0] for i in (0, 1)]
with cp.cuda.Device(1):
    address = runtime.malloc(1 << 20)
after = [cp.cuda.Device(i).mem_info[0] for i in (0, 1)]
print(before[0] - after[0], before[1] - after[1])
print(runtime.pointerGetAttributes(address).device)
""")
    assert out == ["0", str(1 << 20), "1"]


def test_threads_have_their_own_current_device():
    out, _ = two("""
import threading
runtime.setDevice(1)
thread = threading.Thread(target=lambda: print(runtime.getDevice()))
thread.start()
thread.join()
print(runtime.getDevice())
""")
    assert out == ["0", "1"]
