"""Conversions between CuPy arrays and data on the host, on other GPUs or of other libraries."""

from __future__ import annotations

import os
from typing import Any

import cupy as cp
import numpy as np

from ..numpy import as_host
from ..numpy import root as _base_array
from .private import DLPackMemory
from .scalars import scalar_array
from .streams import as_stream, in_order_on, record_event

__all__ = [
    "bounds",
    "dlpack",
    "from_dlpack",
    "from_host",
    "from_peer",
    "item",
    "root",
    "to_host",
    "view",
]

_Array = Any

#: True if CuPy takes host memory for the GPU's own, which some hardware allows.
_UNIFIED_MEMORY = os.environ.get("CUPY_ENABLE_UMP", "0") != "0"


def from_host(data: _Array, stream: Any = None) -> _Array:
    """Copy to the current GPU. You may write to the host array as soon as this returns.

    The memory comes from the pool of the current stream, because the pool of another stream could
    reuse it while the current stream still reads it. A kernel fills an array without axes, because
    CuPy would turn -0.0 into +0.0.
    """
    if not data.ndim:
        if stream is not None:
            as_stream(stream)  # raises if it is not one
        return scalar_array(data[()], data.dtype)
    if stream is None:
        return _upload(data)
    memory = cp.cuda.alloc(data.nbytes)
    with in_order_on(stream), cp.cuda.using_allocator(lambda size: memory):
        return _upload(data)


def _upload(data: _Array) -> _Array:
    memory_type = cp.cuda.runtime.pointerGetAttributes(data.ctypes.data).type
    if memory_type != cp.cuda.runtime.memoryTypeHost and not _UNIFIED_MEMORY:
        return cp.asarray(data)  # through a pinned copy, so the GPU can read it later
    # The GPU would read the caller's memory directly, so wait until it has.
    out = cp.empty(data.shape, data.dtype)
    out.set(data)
    cp.cuda.get_current_stream().synchronize()
    return out


def to_host(data: _Array, stream: Any = None) -> _Array:
    """Copy to a NumPy array; waits for the GPU."""
    with in_order_on(stream):
        out = data.get()
    return out.copy() if _UNIFIED_MEMORY else out


def from_peer(data: _Array, stream: Any = None) -> _Array:
    """Copy from another GPU. CuPy does not order the two GPUs; here each waits for the other."""
    with data.device:
        data = cp.asarray(data, order="C")  # (ascontiguousarray would add an axis to a scalar)
        ready = record_event(cp.cuda.get_current_stream())
    out = cp.empty(data.shape, data.dtype)
    with in_order_on(stream):
        copying = cp.cuda.get_current_stream()
        copying.wait_event(ready)
        out.data.copy_from_device_async(data.data, data.nbytes)
        done = record_event(copying)
    with data.device:
        cp.cuda.get_current_stream().wait_event(done)
    return out


def from_dlpack(x: Any, copy: bool | None = None) -> _Array:
    """CuPy accepts dtypes outside the standard, and passes `copy` on to the producer."""
    data = cp.from_dlpack(x)
    as_host(np.empty(0, data.dtype))  # raises TypeError for such a dtype
    return data.copy() if copy else data


def dlpack(
    data: _Array, *, stream: Any, max_version: Any, dl_device: Any, copy: bool | None
) -> Any:
    """CuPy lacks ``copy=True`` on the GPU, and raises ValueError for ``copy=False`` to the host."""
    if dl_device is not None and tuple(dl_device) == data.__dlpack_device__():
        dl_device = None
    if dl_device is None:
        if copy:
            data = data.copy()
        copy = None
    elif copy is False:
        raise BufferError(f"a copy is needed from {data.device} to DLPack device {dl_device}")
    if stream is not None and stream != -1:  # -1 asks for no order
        stream = as_stream(stream).ptr or 1
    return data.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def view(x: _Array, dtype: Any, /) -> _Array:
    """View of the memory as another dtype."""
    return x.view(dtype)


def item(data: _Array) -> Any:
    """The only element as a Python scalar; waits for the GPU."""
    return data.item()


_EXTERNAL_MEMORY = (cp.cuda.UnownedMemory, DLPackMemory)


def root(x: _Array) -> Any:
    """The object that owns an array's memory: the base array.

    For memory of another library, this is CuPy's object for that memory.
    """
    base = _base_array(x)
    memory = base.data.mem
    return memory if type(memory) in _EXTERNAL_MEMORY else base


def bounds(x: _Array) -> tuple[int, int]:
    """The range of addresses of an array's elements."""
    low = high = x.data.ptr
    if not x.size:
        return low, low
    for n, stride in zip(x.shape, x.strides, strict=True):
        low, high = low + min(0, (n - 1) * stride), high + max(0, (n - 1) * stride)
    return low, high + x.itemsize
