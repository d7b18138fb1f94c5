"""CUDA streams: objects for other libraries' streams, and order between two streams."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cupy as cp


class _Pointer:
    """A stream given by its address, with the object that owns it."""

    def __init__(self, address: int, owner: Any = None) -> None:
        self.address, self.owner = address, owner

    def __cuda_stream__(self) -> tuple[int, int]:
        """CUDA's stream protocol: its version and the address."""
        return 0, self.address


def as_stream(stream: Any) -> Any:
    """CuPy's object for a stream of CuPy or of another library, or for DLPack's integer.

    Raises
    ------
    TypeError
        If it is not a stream.
    ValueError
        If it belongs to a GPU that is not current, or is an integer without a meaning.
    """
    if isinstance(stream, cp.cuda.Stream | cp.cuda.ExternalStream):
        current = cp.cuda.runtime.getDevice()
        if stream.device_id not in (-1, current):
            raise ValueError(f"the stream is of GPU {stream.device_id}, the copy of GPU {current}")
        return stream
    if hasattr(stream, "__cuda_stream__"):
        return cp.cuda.Stream.from_external(stream)
    address = getattr(stream, "cuda_stream", None)  # PyTorch's
    if isinstance(address, int):
        return cp.cuda.Stream.from_external(_Pointer(address, stream))
    if isinstance(stream, bool) or not hasattr(stream, "__index__"):
        raise TypeError(
            "stream must be an int or an object with __cuda_stream__, such as a cupy.cuda.Stream; "
            f"got {stream!r}"
        )
    address = operator.index(stream)
    if address <= 0:
        raise ValueError(f"stream must be 1, 2 or the address of a CUDA stream; got {address}")
    if address in (1, 2):
        return cp.cuda.Stream.null if address == 1 else cp.cuda.Stream.ptds
    return cp.cuda.Stream.from_external(_Pointer(address))


def is_capturing() -> bool:
    """Return True while the current stream is captured as a graph, and computes nothing."""
    try:
        return bool(cp.cuda.get_current_stream().is_capturing())
    except RuntimeError:  # a capture that has failed, or one that forbids the default stream
        return True


def wait() -> None:
    """Wait until the current stream has done its work."""
    cp.cuda.get_current_stream().synchronize()


def record_event(stream: Any) -> Any:
    """Event that completes when the work queued so far on the stream is done."""
    return stream.record(cp.cuda.Event(disable_timing=True))


@contextmanager
def in_order_on(stream: Any) -> Iterator[None]:
    """Context in which `stream` is current, in order with the previously current stream.

    Work in the context starts after all work queued on the outer stream, which continues after the
    work in the context. The host does not wait. None is the outer stream itself.
    """
    if stream is None:
        yield
        return
    outer, inner = cp.cuda.get_current_stream(), as_stream(stream)
    inner.wait_event(record_event(outer))
    with inner:
        yield
    outer.wait_event(record_event(inner))
