"""Large arrays computed by several threads, in chunks.

NumPy computes an elementwise function on one core, and lets other threads run meanwhile. This
module splits functions that take longer per element than the memory access. Sums, products and
similar functions are limited by memory, so more threads gain nothing.

The threads take tasks from a queue. A signal handler or a finaliser can interrupt the main thread
anywhere, and use a large array itself. Therefore nothing here holds a lock (`queue.SimpleQueue` is
documented to be reentrant), and a call inside of another call is computed by one thread. The same
holds for calls outside of the main thread, because such a program is parallel already; for calls in
a forked process, because the threads are not copied; and for calls when no thread can be started.
The threads are daemons, so that the interpreter can exit at any time.
"""

from __future__ import annotations

import operator
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np

from .. import _ndarray
from ..common.workspaces import add_memory, axes_by_stride, workspaces_like
from .fast_paths import PLAIN

#: The least number of elements that is split: waking the threads takes tens of microseconds.
MIN_SIZE_TO_SPLIT = 1 << 18

#: Bytes of the result in one chunk. Chunks are small, since a core that is busy with something
#: else delays its last chunk. They are a multiple of the block size of NumPy's loops, so that the
#: rounding of an element does not depend on the chunk.
CHUNK_BYTES = 1 << 19

#: Bytes of each array in one block of a fused update, at most. The next operation finds a block
#: in the cache, and the arithmetic takes much longer than NumPy's overhead per call.
BLOCK_BYTES = 1 << 21


def _default_num_threads() -> int:
    """``OMP_NUM_THREADS``, or else the number of cores that this process may use."""
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # one number per level
    if told.isdecimal() and int(told):
        return int(told)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


_num_threads = _default_num_threads()


def get_num_threads() -> int:
    """Return the number of threads that compute large arrays on the CPU.

    Returns
    -------
    int
        Number set by `set_num_threads`. By default ``OMP_NUM_THREADS`` if that is set, otherwise
        the number of cores that the process may use. 1 in a forked process and with
        ``ARRAYGRAD_PLAIN=1``.

    See Also
    --------
    set_num_threads

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.get_num_threads() >= 1
    True
    """
    return 1 if PLAIN else _num_threads


def set_num_threads(n: int, /) -> None:
    """Set the number of threads that compute large arrays on the CPU.

    Parameters
    ----------
    n : int
        Number of threads, 1 or more. With 1, the calling thread computes alone.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1.

    See Also
    --------
    get_num_threads

    Notes
    -----
    The setting applies to the whole process. It affects elementwise functions such as ``exp`` on
    contiguous arrays of 262144 elements or more, and updates of optimisers, if they are called in
    the main thread. Matrix products and SciPy's functions use threads of their own libraries, which
    you can set with ``OMP_NUM_THREADS`` and threadpoolctl.

    Examples
    --------
    >>> import arraygrad as xp
    >>> before = xp.get_num_threads()
    >>> xp.set_num_threads(1)
    >>> xp.get_num_threads()
    1
    >>> xp.set_num_threads(before)
    """
    global _num_threads
    if isinstance(n, bool):
        raise TypeError("set_num_threads: expected an int, got a bool")
    try:
        number = operator.index(n)
    except TypeError:
        raise TypeError(f"set_num_threads: expected an int, got {type(n).__name__}") from None
    if number < 1:
        raise ValueError(f"set_num_threads: there must be 1 thread or more, got {number}")
    _num_threads = number


# ---- the pool


class _Job:
    """State that the threads share for a call that is split into chunks."""

    __slots__ = ("chunks", "compute", "done", "forked", "outcomes", "total")

    def __init__(self, compute: Callable[[slice], None], chunks: Sequence[slice]) -> None:
        self.compute: Any = compute
        self.chunks = deque(enumerate(chunks))
        self.total = len(chunks)
        #: For each chunk that has been computed, its index and the error that it raised.
        self.outcomes: list[tuple[int, BaseException | None]] = []
        #: Wakes the main thread.
        self.done: SimpleQueue[None] = SimpleQueue()
        self.forked = False


_job: _Job | None = None  # the call that is now being computed
_tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
_started = 0  # threads that take tasks


def _serve(tasks: SimpleQueue[Callable[[], None]]) -> None:
    """Run tasks forever. While the thread waits, it holds no reference to a task."""
    while True:
        tasks.get()()


def _work(job: _Job) -> None:
    """Compute chunks of a job until none is left.

    When this thread records an outcome, it no longer refers to any array, because the caller may
    look at the reference counts of its arrays next.
    """
    while True:
        try:
            index, chunk = job.chunks.popleft()
        except IndexError:
            return
        try:
            job.compute(chunk)
        except BaseException as error:  # raised by the caller
            job.outcomes.append((index, error))
        else:
            job.outcomes.append((index, None))
        if len(job.outcomes) == job.total:
            job.done.put(None)


def _start_threads(number: int) -> int:
    """Start threads until there are `number`; return how many of these there are."""
    global _started
    while _started < number:
        thread = threading.Thread(target=_serve, args=(_tasks,), name="arraygrad", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # a limit of the system, or the interpreter is about to exit
            break
        _started += 1
    return min(_started, number)


def can_split() -> bool:
    """Return True if other threads may compute for this one."""
    return (
        get_num_threads() > 1
        and _job is None
        and not sys.is_finalizing()
        and threading.get_ident() == threading.main_thread().ident
    )


def run_on_pool(compute: Callable[[slice], None], chunks: Sequence[slice], helps: bool) -> bool:
    """Call a function for all chunks in several threads; return False if they cannot help.

    With `helps`, the caller is one of the threads, and an interrupt, such as KeyboardInterrupt by
    Ctrl-C, leaves some chunks undone. Otherwise, the caller only waits, and raises the interrupt
    after all chunks are done. An error in a chunk does not stop the others; the error of the first
    failed chunk is raised.
    """
    global _job
    threads = min(get_num_threads(), len(chunks))
    if threads < 2 or not can_split():
        return False
    job, handed = _Job(compute, chunks), 0
    interrupt: BaseException | None = None
    try:
        _job = job
        workers = _start_threads(threads - helps)
        if workers + helps < 2:
            return False
        while len(job.outcomes) < job.total:
            try:
                while handed < workers:
                    # NumPy's error state is a context variable.
                    _tasks.put(partial(copy_context().run, _work, job))
                    handed += 1
                if helps:
                    _work(job)
                if len(job.outcomes) < job.total:
                    job.done.get()
            except BaseException as error:  # of a signal handler
                if helps:
                    raise
                interrupt = error if interrupt is None else interrupt
            if job.forked and len(job.outcomes) < job.total:
                raise RuntimeError("the process was forked during this call, which cannot continue")
        failed = [outcome for outcome in job.outcomes if outcome[1] is not None]
    finally:
        _job = job.compute = None
        job.chunks.clear()
        job.outcomes.clear()
    if interrupt is None and failed:
        interrupt = min(failed, key=operator.itemgetter(0))[1]
    if interrupt is not None:
        try:
            raise interrupt
        finally:
            del interrupt, failed  # which refer to this frame
    return True


def _after_fork_in_child() -> None:
    """Compute alone from now on: the threads have not been copied.

    If the fork happened while the main thread waited for them, it is woken and raises.
    """
    global _job, _num_threads, _started, _tasks
    job, _job = _job, None
    _num_threads, _started, _tasks = 1, 0, SimpleQueue()
    if job is not None:
        job.forked = True
        job.done.put(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


# ---- elementwise functions

_array_type = np.ndarray  # (the lookup in NumPy takes a tenth of a small operation)


def parallel_unary(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """Elementwise function of one floating-point array, by all threads if the array is large."""
    if PLAIN:
        return function

    def run(x: Any, /) -> Any:
        return function(x) if _ndarray.size(x) < MIN_SIZE_TO_SPLIT else run_chunked(function, x)

    run.unsplit = function  # type: ignore[attr-defined]  # (programs of few elements call it)
    return run


def parallel_elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Elementwise function of several operands, by all threads if they are large."""
    if PLAIN:
        return function

    def run(*operands: Any) -> Any:
        for x in operands:
            if type(x) is _array_type and _ndarray.size(x) >= MIN_SIZE_TO_SPLIT:
                return run_chunked(function, *operands)
        return function(*operands)

    run.unsplit = function  # type: ignore[attr-defined]
    return run


def run_chunked(function: Callable[..., Any], *operands: Any) -> Any:
    """Call an elementwise function, in chunks if all arrays are contiguous and have one shape.

    Scalars and arrays without axes are allowed, too. In all other cases one thread computes alone.
    (Functions along an axis, such as softmax, were not twice as fast with two threads.)
    """
    arrays = [x for x in operands if type(x) is _array_type and x.ndim]
    shape = arrays[0].shape
    if not can_split() or not all(
        x.shape == shape and x.flags.c_contiguous and x.dtype.kind in "fc" for x in arrays
    ):
        return function(*operands)
    is_sliced = [type(x) is _array_type and x.ndim > 0 for x in operands]
    flat = [x.reshape(-1) if s else x for x, s in zip(operands, is_sliced, strict=True)]
    dtype = function(*_slice(flat, is_sliced, slice(0))).dtype
    out = np.empty(shape, dtype=dtype)
    flat_out = out.reshape(-1)

    def compute(chunk: slice) -> None:
        if isinstance(function, np.ufunc):
            function(*_slice(flat, is_sliced, chunk), out=flat_out[chunk])
        else:
            flat_out[chunk] = function(*_slice(flat, is_sliced, chunk))

    step = CHUNK_BYTES // dtype.itemsize
    chunks = [slice(i, i + step) for i in range(0, out.size, step)]
    return out if run_on_pool(compute, chunks, helps=True) else function(*operands)


def _slice(operands: Sequence[Any], is_sliced: Sequence[bool], chunk: slice) -> list[Any]:
    """Operands with arrays replaced by one chunk of them.

    (As a compiled closure it would form a reference cycle, and keep the operands until the next
    garbage collection.)
    """
    return [x[chunk] if s else x for x, s in zip(operands, is_sliced, strict=True)]


# ---- updates in place


def fused_update(
    update_fn: Callable[..., Any],
    arrays: Sequence[Any],
    n_workspaces: int,
    memory: list[Any] | None = None,
    /,
) -> None:
    """Run an elementwise function of several operations block by block, in the cache.

    `update_fn` gets `store`, the arrays, and `n_workspaces` workspaces like the first array. All
    arrays have one shape. The function may use in-place operators and ``store(out, name,
    *operands)``. `memory` is the memory of the workspaces, allocated by `reserve_workspaces`.
    """
    first = arrays[0]
    if memory is None:
        reserve_workspaces(memory := [], arrays, n_workspaces)
    if _fits(first):
        update_fn(store, *arrays, *workspaces_like(first, memory[:n_workspaces]))
        return
    arrays, step = _in_rows(arrays)
    rows = arrays[0].shape[0]
    free = [memory[i * n_workspaces :][:n_workspaces] for i in range(get_num_threads())]
    buffers: dict[int, list[Any]] = {}  # by thread

    def compute(block: slice) -> None:
        parts = [a[block] for a in arrays]
        thread = threading.get_ident()
        if thread not in buffers:
            # (After an interrupt while the first threads start, there may be one too many.)
            more = memory[:n_workspaces]
            buffers[thread] = free.pop() if free else [np.empty_like(m) for m in more]
        update_fn(store, *parts, *workspaces_like(parts[0], buffers[thread]))

    blocks = [slice(i, i + step) for i in range(0, rows, step)]
    if not run_on_pool(compute, blocks, helps=False):  # no parameter is updated in part
        for block in blocks:
            compute(block)


def reserve_workspaces(memory: list[Any], arrays: Sequence[Any], n_workspaces: int, /) -> None:
    """Add the memory of workspaces that `fused_update` needs for these arrays."""
    first = arrays[0]
    if _fits(first):
        add_memory(np, memory, n_workspaces, first.nbytes)
    else:
        (rows, *_), step = _in_rows(arrays)
        add_memory(np, memory, n_workspaces * get_num_threads(), rows[:step].nbytes)


def _in_rows(arrays: Sequence[Any]) -> tuple[list[Any], int]:
    """Arrays with the axis of largest stride first, if possible as one axis; and rows per block.

    Blocks have one size, and each thread gets equally many. Few blocks mean less waiting for
    Python's lock between operations.
    """
    first = arrays[0]
    order = axes_by_stride(first)
    arrays = [a.transpose(order) for a in arrays]
    if all(a.flags.c_contiguous for a in arrays):
        arrays = [a.reshape(-1) for a in arrays]
    threads = get_num_threads()
    return arrays, -(-arrays[0].shape[0] // (threads * -(-first.nbytes // (threads * BLOCK_BYTES))))


def _fits(a: Any) -> bool:
    """True if an array is updated as a whole."""
    return PLAIN or a.nbytes <= BLOCK_BYTES // 2 or not a.ndim


def store(out: Any, name: str, *operands: Any) -> None:
    """Write a function's values into an array."""
    getattr(np, name)(*operands, out=out)


def broadcasts_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Return True if an array of one shape can be broadcast to the other shape."""
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(n in (1, m) for n, m in pairs)
