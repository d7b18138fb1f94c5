"""Large arrays in parts, one for each core, for functions that cost much per element.

NumPy uses one core for its elementwise functions, and lets others run meanwhile.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

#: Elements from which on parts are worth the tens of microseconds that handing them out takes.
LARGE = 1 << 18


def _cores() -> int:
    """As many as other libraries are told to use, or as there are."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told):
        return int(told)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


_CORES = _cores()
_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # its threads do not live on in the child


def in_parts(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """An elementwise function of one floating-point array, which cuts up large ones."""

    def run(x: Any, /) -> Any:
        if x.size < LARGE or _CORES == 1:
            return function(x)
        return _run_in_parts(function, x)

    return run


def _run_in_parts(function: Callable[..., Any], x: Any) -> Any:
    global _pool
    # Other threads than the first are somebody's parallel program already.
    alone = threading.current_thread() is threading.main_thread()
    if not alone or not x.flags.c_contiguous or x.dtype.kind not in "fc":
        return function(x)
    if _pool is None:
        _pool = ThreadPoolExecutor(_CORES - 1, thread_name_prefix="arraygrad")
    flat, out = x.reshape(-1), np.empty(x.size, dtype=x.dtype)
    step = (-(-x.size // _CORES) + 63) & ~63
    parts = [slice(i, i + step) for i in range(0, x.size, step)]

    def compute(part: slice) -> None:
        if isinstance(function, np.ufunc):
            function(flat[part], out=out[part])
        else:
            out[part] = function(flat[part])

    # NumPy's error state is a context variable.
    tasks = [_pool.submit(contextvars.copy_context().run, compute, p) for p in parts[1:]]
    try:
        compute(parts[0])
    finally:
        errors = [t.exception() for t in tasks]
    for error in errors:
        if error is not None:
            raise error
    return out.reshape(x.shape)
