"""Large arrays in parts, by all cores: functions that cost much per element, and updates in place.

NumPy uses one core for its elementwise functions, and lets others run meanwhile.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from .. import _native

#: Elements from which on parts are worth the tens of microseconds that handing them out takes,
#: and rows that are too few to be handed out.
LARGE, FEW = 1 << 18, 64

#: Bytes of an array that are handed out at a time: few, as a core that is busy elsewhere holds up
#: its last part alone.
PART = 1 << 19

#: Bytes of each array that an update in place works on at a time, at most: so few that the next
#: operation finds them in the cache, so many that NumPy's time per call does not count, nor that
#: threads wait for Python's lock between calls.
BLOCK = 1 << 21


def _cores() -> int:
    """As many as other libraries are told to use, or as there are."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told):
        return int(told)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


_CORES = _cores()
_ndarray = np.ndarray  # (to find it in NumPy takes a tenth of a small operation)
_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # its threads do not live on in the child


def in_parts(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """An elementwise function of one floating-point array, which cuts up large ones."""

    def run(x: Any, /) -> Any:
        return function(x) if _native.size(x) < LARGE else _run_in_parts(function, x)

    return run


def all_in_parts(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for several arrays, numbers among them."""

    def run(*operands: Any) -> Any:
        for x in operands:
            if type(x) is _ndarray and _native.size(x) >= LARGE:
                return _run_in_parts(function, *operands)
        return function(*operands)

    return run


def rows_in_parts(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function along an axis, which keeps the shape."""

    def run(x: Any, /, *, axis: int | None = None) -> Any:
        if x.size < LARGE or axis is None or not axis % x.ndim:
            return function(x, axis=axis)
        return _run_in_parts(partial(function, axis=axis), x, flat=False)

    return run


def _run_in_parts(function: Callable[..., Any], *operands: Any, flat: bool = True) -> Any:
    arrays = [x for x in operands if type(x) is _ndarray]
    large = max(arrays, key=lambda x: (x.size, x.ndim))
    shape = large.shape
    if not _alone() or large.dtype.kind not in "fc" or not large.flags.c_contiguous:
        return function(*operands)
    flat = flat and all(x.shape == shape and x.flags.c_contiguous for x in arrays if x.ndim)
    if not flat and (shape[0] < FEW or not all(goes_along(x.shape, shape) for x in arrays)):
        return function(*operands)
    if flat:
        operands = tuple(x.reshape(-1) if type(x) is _ndarray and x.ndim else x for x in operands)
    ndim = 1 if flat else len(shape)
    cut = [type(x) is _ndarray and x.ndim == ndim and x.shape[0] > 1 for x in operands]
    first = function(*_part(operands, cut, slice(1)))
    out = np.empty(shape, dtype=first.dtype)
    into = out.reshape(-1) if flat else out

    def compute(part: slice) -> None:
        if isinstance(function, np.ufunc):
            function(*_part(operands, cut, part), out=into[part])
        else:
            into[part] = function(*_part(operands, cut, part))

    _share(compute, len(into), max(1, len(into) * PART // out.nbytes))
    return out


def _part(operands: Sequence[Any], cut: Sequence[bool], part: slice) -> list[Any]:
    """The same part of all that are cut up.

    (Inside of its caller, compiled, it would refer to itself, and so keep the operands until the
    collector comes.)
    """
    return [x[part] if c else x for x, c in zip(operands, cut, strict=True)]


def goes_along(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of one shape is broadcast to another one, which stays as it is."""
    pairs = zip(reversed(shape), reversed(whole), strict=False)
    return len(shape) <= len(whole) and all(n in (1, m) for n, m in pairs)


def sweep(rule: Callable[..., Any], arrays: Sequence[Any], scratch: int) -> None:
    """Run an elementwise function that writes in place, block by block.

    `rule` gets `into`, the arrays, and as many more like the first, for its own use. All have one
    shape; it may use operators and ``into(out, name, *operands)``.
    """
    first = arrays[0]
    if first.nbytes <= BLOCK // 2 or not first.ndim:
        rule(into, *arrays, *[np.empty_like(first) for _ in range(scratch)])
        return
    order = sorted(range(first.ndim), key=lambda axis: -abs(first.strides[axis]))
    arrays = [a.transpose(order) for a in arrays]
    if all(a.flags.c_contiguous for a in arrays):
        arrays = [a.reshape(-1) for a in arrays]
    rows = arrays[0].shape[0]
    # Equal blocks, and as many for each core: the fewer, the less do threads wait for each other.
    step = -(-rows // (_CORES * -(-first.nbytes // (_CORES * BLOCK))))

    spare: dict[int, list[Any]] = {}  # by thread

    def compute(part: slice) -> None:
        blocks = [a[part] for a in arrays]
        mine = spare.get(threading.get_ident())
        if mine is None:
            mine = [np.empty_like(blocks[0]) for _ in range(scratch)]
            spare[threading.get_ident()] = mine
        n = blocks[0].shape[0]
        rule(into, *blocks, *[x[:n] for x in mine])

    _share(compute, rows, step)


def into(out: Any, name: str, *operands: Any) -> None:
    """Put a function's values into an array."""
    getattr(np, name)(*operands, out=out)


def _alone() -> bool:
    """Whether other cores are ours: other threads are somebody's parallel program already."""
    return _CORES > 1 and threading.current_thread() is threading.main_thread()


def _share(compute: Callable[[slice], None], size: int, step: int) -> None:
    """Call a function for all parts of a range, by all cores, each taking the next that is left."""
    global _pool
    parts = deque(slice(i, i + step) for i in range(0, size, step))

    def work() -> None:
        while parts:
            try:
                part = parts.popleft()
            except IndexError:  # another thread was faster
                return
            compute(part)

    tasks = []
    if len(parts) > 1 and _alone():
        if _pool is None:
            _pool = ThreadPoolExecutor(_CORES - 1, thread_name_prefix="arraygrad")
        # NumPy's error state is a context variable.
        tasks = [
            _pool.submit(contextvars.copy_context().run, work)
            for _ in range(min(_CORES, len(parts)) - 1)
        ]
    try:
        work()
    finally:  # of tasks that no core had time to begin, nothing is left to do
        errors = [t.exception() for t in tasks if not t.cancel()]
    for error in errors:
        if error is not None:
            raise error
