"""Graphs: what a capture records, what it forbids, and what a replay does."""

import contextlib
import threading

import cupy as cp
import numpy as np
import processes
import pytest
from cupy.cuda import runtime
from statuses import status

INVALID_VALUE = 1
ILLEGAL_STATE = 401
UNSUPPORTED = 900
INVALIDATED = 901
MERGE = 902
UNMATCHED = 903
UNJOINED = 904
ISOLATION = 905
IMPLICIT = 906
CAPTURED_EVENT = 907
WRONG_THREAD = 908

GLOBAL = runtime.streamCaptureModeGlobal
THREAD_LOCAL = runtime.streamCaptureModeThreadLocal
RELAXED = runtime.streamCaptureModeRelaxed


@pytest.fixture
def stream():
    return cp.cuda.Stream(non_blocking=True)


@contextlib.contextmanager
def capturing(stream, mode=RELAXED, end=None):
    """Capture from a stream; the end gives this error, or a graph."""
    result = []
    stream.begin_capture(mode)
    try:
        with stream:
            yield result
    except BaseException:
        with contextlib.suppress(runtime.CUDARuntimeError):
            stream.end_capture()
        raise
    if end is None:
        result.append(stream.end_capture())
    else:
        assert status(stream.end_capture) == end
    assert not stream.is_capturing()
    stream.synchronize()


# ---- replays


def test_a_capture_runs_nothing_and_each_launch_runs_all(x, stream):
    y = cp.zeros(4)
    cp.cuda.Device().synchronize()
    with capturing(stream) as graph:
        cp.add(y, x, out=y)
        cp.add(y, 1, out=y)
    assert (y.get() == 0).all()
    for n in (1, 2, 3):
        graph[0].launch(stream)
        assert (y.get(stream=stream) == n * (np.arange(4.0) + 1)).all()


def test_arguments_are_those_of_the_capture(x, stream):
    kernel = cp.RawKernel(
        'extern "C" __global__ void fill(double* p, double v) { p[threadIdx.x] = v; }', "fill"
    )
    value = np.array(3.0)
    with capturing(stream) as graph:
        kernel((1,), (4,), (x, value[()]))
        value[...] = 5
    graph[0].launch(stream)
    assert (x.get(stream=stream) == 3).all()


def test_pinned_memory_is_read_by_each_launch(stream):
    memory = cp.cuda.alloc_pinned_memory(32)
    host = np.frombuffer(memory, np.float64, 4)
    y = cp.empty(4)
    with capturing(stream) as graph:
        runtime.memcpyAsync(y.data.ptr, memory.ptr, 32, runtime.memcpyHostToDevice, stream.ptr)
    for value in (1, 2):
        host[:] = value
        graph[0].launch(stream)
        assert (y.get(stream=stream) == value).all()


def test_memory_that_was_given_to_others_is_overwritten(x, stream):
    """A temporary of the capture goes back to the pool; the graph still writes there."""
    with cp.cuda.using_allocator(cp.cuda.MemoryPool().malloc):
        with capturing(stream) as graph:
            temporary = x + 1
            address = temporary.data.ptr
            del temporary
        with stream:
            other = cp.zeros(4)
        assert other.data.ptr == address
        graph[0].launch(stream)
        assert (other.get(stream=stream) == np.arange(4.0) + 1).all()


def test_a_graph_that_uses_freed_memory_is_a_fault():
    out, errors = processes.output("""
        stream = cp.cuda.Stream(non_blocking=True)
        pool = cp.cuda.MemoryPool()
        with cp.cuda.using_allocator(pool.malloc), stream:
            x = cp.arange(4.0)
            stream.synchronize()
            stream.begin_capture()
            y = x + 1
            graph = stream.end_capture()
            del y
            pool.free_all_blocks()
        graph.launch(stream)
        print(code_of(stream.synchronize))
    """)
    assert out == ["700"]
    assert "kernel 'cupy_add" in errors
    assert "freed allocation of 512 bytes" in errors


def test_fork_and_join(x, stream):
    other = cp.cuda.Stream(non_blocking=True)
    with capturing(stream) as graph:
        a = x + 1
        other.wait_event(stream.record())
        with other:
            b = a * 2
            assert other.is_capturing()
        c = a * 3
        stream.wait_event(other.record())
        d = b + c
    assert not other.is_capturing()
    graph[0].launch(stream)
    assert (d.get(stream=stream) == 5 * (np.arange(4.0) + 1)).all()


def test_a_graph_in_a_graph(x, stream):
    with capturing(stream) as inner:
        cp.add(x, 1, out=x)
    with capturing(stream) as outer:
        inner[0].launch(stream)
        inner[0].launch(stream)
    outer[0].launch(stream)
    assert (x.get(stream=stream) == np.arange(4.0) + 2).all()


def test_callbacks_are_recorded(stream):
    seen = []
    with capturing(stream) as graph:
        stream.launch_host_func(seen.append, 1)
    assert seen == []
    graph[0].launch(stream)
    graph[0].launch(stream)
    stream.synchronize()
    assert seen == [1, 1]


def test_dot(x, stream):
    with capturing(stream) as graph:
        y = cp.sin(x)
        y + 1
    text = graph[0].debug_dot_str()
    assert "cupy_sin" in text
    assert "->" in text


# ---- what makes a capture invalid


def test_waiting_for_the_stream(stream):
    with capturing(stream, end=INVALIDATED):
        assert status(stream.synchronize) == UNSUPPORTED


def test_asking_the_stream(stream):
    with capturing(stream, end=INVALIDATED):
        assert runtime.streamQuery(stream.ptr) == UNSUPPORTED


def test_waiting_for_the_device(stream):
    with capturing(stream, end=INVALIDATED):
        assert status(runtime.deviceSynchronize) == UNSUPPORTED


def test_nothing_is_recorded_after_that(x, stream):
    with capturing(stream, end=INVALIDATED):
        assert status(stream.synchronize) == UNSUPPORTED
        y = cp.empty(4)
        assert status(runtime.memsetAsync, y.data.ptr, 0, 32, stream.ptr) == INVALIDATED
        event = cp.cuda.Event()
        assert status(event.record, stream) == INVALIDATED
        with pytest.raises(RuntimeError, match="invalidated"):
            runtime.streamIsCapturing(stream.ptr)


def test_pageable_copies(x, stream):
    host = np.zeros(4).ctypes.data
    for args in [
        (x.data.ptr, host, 32, runtime.memcpyHostToDevice, stream.ptr),
        (host, x.data.ptr, 32, runtime.memcpyDeviceToHost, stream.ptr),
    ]:
        with capturing(stream, end=INVALIDATED):
            assert status(runtime.memcpyAsync, *args) == UNSUPPORTED


def test_the_null_stream_while_a_blocking_stream_is_captured(x):
    blocking = cp.cuda.Stream()
    with capturing(blocking, end=INVALIDATED):
        assert status(runtime.memsetAsync, x.data.ptr, 0, 32, 0) == IMPLICIT
    host = np.zeros(4).ctypes.data
    with capturing(blocking, end=INVALIDATED):
        assert status(runtime.memcpy, x.data.ptr, host, 32, runtime.memcpyHostToDevice) == IMPLICIT


def test_asking_the_null_stream_does_a_capture_no_harm():
    blocking = cp.cuda.Stream()
    with capturing(blocking):
        assert status(cp.cuda.Stream.null.is_capturing) == IMPLICIT


def test_the_null_stream_while_another_stream_is_captured(x, stream):
    with capturing(stream):
        runtime.memsetAsync(x.data.ptr, 0, 32, 0)
        assert not cp.cuda.Stream.null.is_capturing()
    assert (x.get() == 0).all()


def test_a_fork_that_is_not_joined(x, stream):
    other = cp.cuda.Stream(non_blocking=True)
    with capturing(stream, end=UNJOINED):
        other.wait_event(stream.record())
        with other:
            x + 1
    assert not other.is_capturing()


def test_work_after_the_join(x, stream):
    other = cp.cuda.Stream(non_blocking=True)
    with capturing(stream, end=UNJOINED):
        other.wait_event(stream.record())
        with other:
            x + 1
            stream.wait_event(other.record())
            x + 2


def test_the_end_in_another_stream(x, stream):
    other = cp.cuda.Stream(non_blocking=True)
    assert status(runtime.streamEndCapture, stream.ptr) == ILLEGAL_STATE
    with capturing(stream, end=INVALIDATED):
        assert status(runtime.streamEndCapture, other.ptr) == ILLEGAL_STATE
        other.wait_event(stream.record())
        assert status(runtime.streamEndCapture, other.ptr) == UNMATCHED


def test_two_captures_cannot_merge(stream):
    other = cp.cuda.Stream(non_blocking=True)
    with capturing(stream, end=INVALIDATED), capturing(other, end=INVALIDATED):
        assert status(stream.wait_event, other.record()) == MERGE


def test_events_from_outside(x, stream):
    event = cp.cuda.Stream(non_blocking=True).record()
    with capturing(stream, end=INVALIDATED):
        assert status(stream.wait_event, event) == ISOLATION


def test_events_from_inside(stream):
    with capturing(stream, end=INVALIDATED):
        event = stream.record()
        assert status(event.synchronize) == CAPTURED_EVENT
    assert runtime.eventQuery(event.ptr) == CAPTURED_EVENT
    assert status(cp.cuda.get_elapsed_time, event, event) == CAPTURED_EVENT
    event.record()
    event.synchronize()


def test_captures_do_not_begin_twice_nor_in_the_null_stream(stream):
    assert status(runtime.streamBeginCapture, 0, RELAXED) == UNSUPPORTED
    with capturing(stream):
        assert status(runtime.streamBeginCapture, stream.ptr, RELAXED) == ILLEGAL_STATE
    assert status(runtime.streamBeginCapture, stream.ptr, 7) == INVALID_VALUE


def test_the_null_stream_cannot_join(stream):
    with capturing(stream, end=INVALIDATED):
        assert status(cp.cuda.Stream.null.wait_event, stream.record()) == UNSUPPORTED


# ---- calls that are unsafe in a capture, by mode


def unsafe_calls():
    event = cp.cuda.Event()
    address = runtime.malloc(64)
    host = np.zeros(8)
    return {
        "malloc": lambda: runtime.free(runtime.malloc(64)),
        "managed": lambda: runtime.free(runtime.mallocManaged(64)),
        "pinned": lambda: runtime.freeHost(runtime.hostAlloc(64, 0)),
        "free": lambda: runtime.free(address),
        "memcpy": lambda: runtime.memcpy(address, host.ctypes.data, 64, runtime.memcpyHostToDevice),
        "memset": lambda: runtime.memset(address, 0, 64),
        "query": lambda: runtime.check_status(runtime.eventQuery(event.ptr)),
        "wait": event.synchronize,
    }


@pytest.mark.parametrize(
    "call", ["malloc", "managed", "pinned", "free", "memcpy", "memset", "query", "wait"]
)
@pytest.mark.parametrize("mode", [GLOBAL, THREAD_LOCAL, RELAXED])
def test_unsafe_calls(stream, mode, call):
    function = unsafe_calls()[call]
    if mode == RELAXED:
        with capturing(stream, mode):
            function()
    else:
        with capturing(stream, mode, end=INVALIDATED):
            assert status(function) == UNSUPPORTED


def in_another_thread(function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join()
    return result[0]


@pytest.mark.parametrize("mode", [GLOBAL, THREAD_LOCAL, RELAXED])
def test_unsafe_calls_of_another_thread(stream, mode):
    def allocate():
        try:
            runtime.free(runtime.malloc(64))
        except runtime.CUDARuntimeError as error:
            return error.status
        return 0

    if mode == GLOBAL:
        with capturing(stream, mode, end=INVALIDATED):
            assert in_another_thread(allocate) == UNSUPPORTED
    else:
        with capturing(stream, mode):
            assert in_another_thread(allocate) == 0


def test_the_end_in_another_thread(stream):
    def end():
        return status(runtime.streamEndCapture, stream.ptr)

    for mode in (GLOBAL, THREAD_LOCAL):
        with capturing(stream, mode, end=INVALIDATED):
            assert in_another_thread(end) == WRONG_THREAD
    stream.begin_capture(RELAXED)
    runtime.graphDestroy(in_another_thread(lambda: runtime.streamEndCapture(stream.ptr)))
    assert not stream.is_capturing()


# ---- memory of graphs


def test_stream_ordered_memory_belongs_to_the_graph(x, stream):
    kernel = cp.RawKernel(
        """
        extern "C" __global__ void add(double* out, const double* x, double y) {
          out[threadIdx.x] = x[threadIdx.x] + y;
        }""",
        "add",
    )
    y = cp.zeros(4)
    cp.cuda.Device().synchronize()
    with capturing(stream) as graph:
        temporary = runtime.mallocAsync(32, stream.ptr)
        kernel((1,), (4,), (np.uint64(temporary), x, 1.0))
        kernel((1,), (4,), (y, np.uint64(temporary), 1.0))
        runtime.freeAsync(temporary, stream.ptr)
    for _ in range(2):
        y.fill(0)
        graph[0].launch(stream)
        assert (y.get(stream=stream) == np.arange(4.0) + 2).all()


def test_a_graph_frees_only_its_own_memory(stream):
    address = runtime.mallocAsync(64, stream.ptr)
    with capturing(stream, end=INVALIDATED):
        assert status(runtime.freeAsync, address, stream.ptr) == INVALID_VALUE
    runtime.freeAsync(address, stream.ptr)
