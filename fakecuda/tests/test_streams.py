"""Streams and events: what is in order with what, and what late streams show."""

import time

import cupy as cp
import numpy as np
import pytest
from cupy.cuda import runtime
from statuses import status

import fakecuda

INVALID_HANDLE = 400
NOT_READY = 600


def pinned(n):
    """An array in pinned memory."""
    memory = cp.cuda.alloc_pinned_memory(8 * n)
    array = np.frombuffer(memory, np.float64, n)
    array[:] = -1
    return array


@pytest.fixture
def y():
    """Zeros on the GPU, already there."""
    array = cp.zeros(4)
    cp.cuda.Device().synchronize()
    return array


@pytest.fixture
def streams():
    return cp.cuda.Stream(non_blocking=True), cp.cuda.Stream(non_blocking=True)


NEW = np.arange(4.0) + 1


# ---- late streams


def test_a_download_without_a_wait_has_the_old_data(x, streams):
    out = pinned(4)
    with fakecuda.late(), streams[0]:
        (x + 1).get(out=out, blocking=False)
        assert (out == -1).all()
        streams[0].synchronize()
        assert (out == NEW).all()


def test_streams_run_at_once_otherwise(x, streams):
    out = pinned(4)
    with streams[0]:
        (x + 1).get(out=out, blocking=False)
    assert (out == NEW).all()


def test_streams_that_are_not_ordered(x, y, streams):
    a, b = streams
    with fakecuda.late():
        with a:
            cp.add(x, 1, out=y)
        with b:
            z = y + 0
        assert (z.get(stream=b) == 0).all()


def test_streams_that_an_event_orders(x, y, streams):
    a, b = streams
    with fakecuda.late():
        with a:
            cp.add(x, 1, out=y)
        b.wait_event(a.record())
        with b:
            z = y + 0
        assert (z.get(stream=b) == NEW).all()


def test_an_event_orders_only_what_came_before_it(x, y, streams):
    a, b = streams
    with fakecuda.late():
        event = a.record()
        with a:
            cp.add(x, 1, out=y)
        b.wait_event(event)
        with b:
            z = y + 0
        assert (z.get(stream=b) == 0).all()


def test_an_event_that_was_never_recorded_orders_nothing(streams):
    with fakecuda.late():
        streams[0].wait_event(cp.cuda.Event())
        streams[0].synchronize()


@pytest.mark.parametrize("first", ["null", "other"])
@pytest.mark.parametrize("non_blocking", [False, True])
def test_the_null_stream_is_ordered_with_blocking_streams(x, first, non_blocking):
    other = cp.cuda.Stream(non_blocking=non_blocking)
    writer, reader = cp.cuda.Stream.null, other
    if first == "other":
        writer, reader = reader, writer
    y = cp.zeros(4)
    z = cp.zeros(4)
    cp.cuda.Device().synchronize()
    with fakecuda.late():
        with writer:
            cp.add(x, 1, out=y)
        with reader:
            cp.add(y, 0, out=z)
        expected = 0 if non_blocking else NEW
        assert (z.get(stream=reader) == expected).all()


def test_the_stream_of_a_thread_blocks(x, y):
    own = cp.cuda.Stream.ptds
    with fakecuda.late():
        with own:
            cp.add(x, 1, out=y)
        assert runtime.streamQuery(cp.cuda.Stream(non_blocking=True).ptr) == 0
        z = y + 0
        assert (z.get() == NEW).all()


def test_synchronising_the_null_stream_waits_for_blocking_streams(x):
    blocking, out = cp.cuda.Stream(), pinned(4)
    with fakecuda.late():
        with blocking:
            (x + 1).get(out=out, blocking=False)
        cp.cuda.Stream.null.synchronize()
        assert (out == NEW).all()


def test_the_host_may_change_what_it_has_uploaded():
    """Pageable memory is staged when the copy is submitted; pinned memory is read later."""
    pageable, page_locked = np.arange(4.0), pinned(4)
    page_locked[:] = np.arange(4.0)
    a, b = cp.empty(4), cp.empty(4)
    stream = cp.cuda.Stream(non_blocking=True)
    with fakecuda.late():
        a.set(pageable, stream=stream)
        b.set(page_locked, stream=stream)
        pageable[:] = page_locked[:] = 7
        stream.synchronize()
    assert (a.get() == np.arange(4.0)).all()
    assert (b.get() == 7).all()


def test_a_download_to_pageable_memory_waits(x, streams):
    with fakecuda.late(), streams[0]:
        out = np.empty(4)
        y = x + 1
        fakecuda.reset_counts()
        runtime.memcpyAsync(
            out.ctypes.data, y.data.ptr, 32, runtime.memcpyDeviceToHost, streams[0].ptr
        )
        assert (out == NEW).all()
    assert fakecuda.counts()["sync by copy to pageable memory"] == 1


def test_what_is_pending_runs_when_streams_are_no_longer_late(x, streams):
    out = pinned(4)
    with fakecuda.late(), streams[0]:
        (x + 1).get(out=out, blocking=False)
    assert (out == NEW).all()


def test_the_work_of_a_destroyed_stream_runs(x):
    out = pinned(4)
    y = x + 1
    cp.cuda.Device().synchronize()
    with fakecuda.late():
        handle = runtime.streamCreateWithFlags(runtime.streamNonBlocking)
        runtime.memcpyAsync(out.ctypes.data, y.data.ptr, 32, runtime.memcpyDeviceToHost, handle)
        runtime.streamDestroy(handle)
        assert (out == -1).all()
        assert status(runtime.streamSynchronize, handle) == INVALID_HANDLE
        cp.cuda.Device().synchronize()
        assert (out == NEW).all()


def test_a_free_waits_for_the_device(x, streams):
    out = pinned(4)
    address = runtime.malloc(8)
    with fakecuda.late(), streams[0]:
        (x + 1).get(out=out, blocking=False)
        runtime.free(address)
        assert (out == NEW).all()


def test_memory_that_another_stream_overwrites_too_early(streams):
    a, b = streams
    with a:
        y = cp.zeros(4)
    a.synchronize()
    with fakecuda.late():
        with a:
            z = y + 1
        runtime.memsetAsync(y.data.ptr, 0xFF, 32, b.ptr)
        b.synchronize()
        assert np.isnan(z.get(stream=a)).all()


# ---- questions


def test_queries(x, streams):
    stream = streams[0]
    with fakecuda.late(), stream:
        event = cp.cuda.Event()
        assert event.done
        assert stream.done
        x + 1
        event.record(stream)
        assert not event.done
        assert not stream.done
        stream.synchronize()
        assert event.done
        assert stream.done


def test_loops_that_poll_come_to_an_end(x, streams):
    with fakecuda.late(), streams[0]:
        x + 1
        x + 2
        event = streams[0].record()
        polls = 0
        while not event.done:
            polls += 1
            assert polls < 100
        assert polls > 1


def test_waiting_for_an_event_runs_no_more_than_that(x, streams):
    first, second = pinned(4), pinned(4)
    with fakecuda.late(), streams[0]:
        y = x + 1
        y.get(out=first, blocking=False)
        event = streams[0].record()
        y.get(out=second, blocking=False)
        event.synchronize()
        assert (first == NEW).all()
        assert (second == -1).all()


def test_the_time_between_events():
    start, end = cp.cuda.Event(), cp.cuda.Event()
    start.record()
    time.sleep(0.01)
    end.record()
    end.synchronize()
    assert cp.cuda.get_elapsed_time(start, end) >= 10
    assert status(cp.cuda.get_elapsed_time, start, cp.cuda.Event()) == INVALID_HANDLE
    untimed = cp.cuda.Event(disable_timing=True)
    untimed.record()
    assert status(cp.cuda.get_elapsed_time, start, untimed) == INVALID_HANDLE
    with fakecuda.late():
        end.record()
        assert status(cp.cuda.get_elapsed_time, start, end) == NOT_READY


def test_callbacks_run_in_order(x, streams):
    seen = []
    out = pinned(4)
    with fakecuda.late(), streams[0]:
        (x + 1).get(out=out, blocking=False)
        streams[0].launch_host_func(lambda _: seen.append(out.copy()), None)
        assert seen == []
        streams[0].synchronize()
    assert (seen[0] == NEW).all()


def test_unknown_handles():
    assert status(runtime.streamSynchronize, 12345) == INVALID_HANDLE
    assert status(runtime.eventRecord, 12345, 0) == INVALID_HANDLE
    assert status(runtime.streamDestroy, 0) == INVALID_HANDLE


def test_streams_know_their_flags_and_priorities():
    stream = cp.cuda.Stream(non_blocking=True, priority=-2)
    assert runtime.streamGetFlags(stream.ptr) == runtime.streamNonBlocking
    assert stream.priority == -2
    assert cp.cuda.Stream(priority=-100).priority == -5
    assert cp.cuda.Stream(priority=3).priority == 0


def test_what_is_counted(x):
    event = cp.cuda.Event()
    out = pinned(4)
    fakecuda.reset_counts()
    x.get(out=out, blocking=False)
    event.record()
    event.synchronize()
    cp.cuda.Stream.null.synchronize()
    cp.cuda.Device().synchronize()
    x.data.copy_from_host(out.ctypes.data, 32)
    x.data.memset(0, 32)
    assert fakecuda.counts() == {
        "copy to host": 1,
        "record": 1,
        "sync of event": 1,
        "sync of stream": 1,
        "sync of device": 1,
        "copy to device": 1,
        "sync by memcpy": 1,
        "memset": 1,
    }
