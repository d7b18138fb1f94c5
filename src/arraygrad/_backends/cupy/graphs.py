"""CUDA graphs: the kernels of one run of a function, which one call launches again."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import cupy as cp

from .conversions import bounds
from .devices import on_device
from .streams import is_capturing

_Array = Any

#: True while a graph is captured whose results must have the bits of plain runs.
needs_same_bits: ContextVar[bool] = ContextVar("arraygrad_needs_same_bits", default=False)

#: Kernels may read several elements at once, depending on the address modulo a power of two, and
#: then add up in another order. CUDA's own allocations are aligned to this many bytes.
_ALIGNMENT = 256


#: Pools of graphs that are gone, and their GPUs. To free memory may end a capture of the user's, so
#: the pools wait until it is over.
_unused: list[tuple[Any, Any]] = []


class _Place:
    """Room for an array with the shape, the strides and the alignment of a given one."""

    def __init__(self, x: _Array) -> None:
        low, high = bounds(x)
        self._shape, self._dtype, self._strides = x.shape, x.dtype, x.strides
        #: The number of bytes from the lowest address to the highest, and where the lowest is,
        #: relative to the first element.
        self.size, self._low = high - low, low - x.data.ptr
        self._shift = low % _ALIGNMENT

    def new(self) -> _Array:
        """An array in new memory."""
        memory = cp.cuda.alloc(self._shift + self.size) + (self._shift - self._low)
        return cp.ndarray(self._shape, self._dtype, memory, self._strides)

    def fits(self, x: _Array) -> bool:
        """Return True if an array differs only in its address and its elements."""
        return (
            x.shape == self._shape
            and x.strides == self._strides
            and (x.data.ptr + self._low) % _ALIGNMENT == self._shift
        )

    def copy(self, x: _Array, out: _Array, stream: Any) -> None:
        """Copy the memory of an array to that of another one."""
        cp.cuda.runtime.memcpyAsync(
            out.data.ptr + self._low,
            x.data.ptr + self._low,
            self.size,
            cp.cuda.runtime.memcpyDeviceToDevice,
            stream.ptr,
        )


def _free_unused() -> None:
    while _unused:
        device, pool = _unused.pop()
        with device:
            pool.free_all_blocks()  # (CuPy does not when the pool itself goes.)


class _Graph:
    """The graph of a function, and the memory that it uses by address; see `captured`."""

    def __init__(
        self,
        pool: Any,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        inputs: Sequence[int],
        outputs: Sequence[int],
    ) -> None:
        self._done = cp.cuda.Event(disable_timing=True)
        stream = cp.cuda.Stream(non_blocking=True)
        given = list(arguments)
        places = {i: _Place(arguments[i]) for i in inputs}
        token = needs_same_bits.set(True)
        try:
            with cp.cuda.using_allocator(pool.malloc), stream:
                for i, place in places.items():
                    given[i] = place.new()
                try:
                    stream.begin_capture()
                    results = function(*given)
                except BaseException:
                    with suppress(RuntimeError):  # it may be invalid, or may not have begun
                        stream.end_capture()
                    raise
                self._graph = stream.end_capture()
        finally:
            needs_same_bits.reset(token)
        self._inputs = [(i, place, given[i]) for i, place in places.items() if place.size]
        self._outputs = [(_Place(results[i]), results[i]) for i in outputs]
        self._kept: Any = given, results, function
        self._pool, self._device = pool, cp.cuda.Device()

    def __del__(self) -> None:
        if sys.is_finalizing() or not hasattr(self, "_pool"):
            return
        del self._graph, self._inputs, self._outputs, self._kept
        _unused.append((self._device, self._pool))
        if not is_capturing():
            _free_unused()

    def launch(self, arguments: Sequence[Any]) -> list[_Array] | None:
        """Launch it on the current stream, after copies of the arguments; return the results.

        The host does not wait. None if the arguments do not fit, or while the current stream is
        captured itself.
        """
        if not all(place.fits(arguments[i]) for i, place, _ in self._inputs):
            return None
        stream = cp.cuda.get_current_stream()
        if stream.is_capturing():
            return None
        outs = [place.new() for place, _ in self._outputs]
        stream.wait_event(self._done)  # of the launch before, which may be on another stream
        try:
            for i, place, own in self._inputs:
                place.copy(arguments[i], own, stream)
            self._graph.launch(stream)
            for (place, own), out in zip(self._outputs, outs, strict=True):
                if place.size:
                    place.copy(own, out, stream)
        finally:  # (The next launch waits for this one even if the host has been interrupted.)
            self._done.record(stream)
        return outs


def captured(
    index: int,
    function: Callable[..., Any],
    arguments: Sequence[Any],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> Callable[[Sequence[Any]], list[_Array] | None] | None:
    """Capture a function of arrays of GPU number `index` as a graph, without running it.

    A graph reads and writes the addresses of its capture. So arguments are copied into memory of
    its own, and results out of it. Temporaries come from a memory pool that lives as long as the
    graph: otherwise other arrays would get their memory.

    Parameters
    ----------
    index : int
        The GPU.
    function : callable
        Returns arrays, and does nothing but launch kernels. It must have run before, because a
        kernel cannot be compiled during a capture.
    arguments : sequence
        Its arguments. Those whose numbers are not in `inputs` are used where they are.
    inputs : sequence of int
        The numbers of the arrays that are copied at each launch.
    outputs : sequence of int
        The numbers of the results that are returned; none of them is an argument.

    Returns
    -------
    callable or None
        Takes all arguments, launches the graph on the current stream, and returns the results, or
        None if it cannot be launched for these arguments, or on this stream. None instead of the
        callable while the current stream is captured.

    Raises
    ------
    RuntimeError, and others
        If the function waits for the GPU, copies from or to the host, or calls cuBLAS, cuSOLVER or
        cuRAND.
    """

    def capture() -> Any:
        if cp.cuda.get_current_stream().is_capturing():
            return None
        _free_unused()
        pool = cp.cuda.MemoryPool()
        try:
            graph = _Graph(pool, function, arguments, inputs, outputs)
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)  # which have arrays of the pool
            pool.free_all_blocks()
            raise
        return on_device(graph.launch, index)

    return on_device(capture, index)()
