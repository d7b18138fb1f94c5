"""Programs that are launched as CUDA graphs.

The first run of a program compiles its kernels. Before the second one it is captured as a graph,
and from then on one call launches all kernels. What cannot be captured, or would compute something
else then, runs as it is: `Graphed.reason` says why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .._device import get_device
from ._program import Call, Memory, Program, Value

#: How often a program is captured, at most, because what it uses from outside has moved.
MAX_CAPTURES = 4
#: Bytes that are copied to and from a graph, at most, for each launch that it saves: on a GPU, they
#: take less time to copy than the host takes for a launch.
MAX_COPIED = 1 << 20
#: Bytes of the arrays that a call makes, at most, on average. Kernels for larger ones take longer
#: than their launch, and a graph would hold that memory.
MAX_MADE = 1 << 22

_host_array: Any = get_device("cpu").array_type
#: What a random generator draws by kernels alone.
_DRAWS = frozenset(
    f"random.{name}"
    for name in "random standard_normal standard_exponential integers permutation choice".split()
)
_SHIFTS = ("fft.fftshift", "fft.ifftshift")


class Graphed:
    """A program of a GPU, which runs as a CUDA graph if that is possible.

    Attributes
    ----------
    reason : str
        Why there is no graph; empty if there is one, or will be.
    launches : int
        How often the graph has been launched.
    """

    def __init__(self, program: Program, run: Callable[..., Any], device: Any) -> None:
        self._run, self._device = run, device
        n = len(program.inputs)
        used = {id(v) for call in program.calls for v in call.operands()}
        places = {id(v): i for i, v in enumerate([*program.inputs, *program.outer()])}
        self._inputs = [i for i, v in enumerate(program.inputs) if id(v) in used]
        #: The results that are new arrays, each once.
        new = {id(v): i for i, v in enumerate(program.outputs) if id(v) not in places}
        self._outputs = [*new.values()]
        #: Where each result is, among the arguments or after them.
        last = len(places)
        places |= {key: last + i for i, key in enumerate(new)}
        self._results = [places[id(v)] for v in program.outputs]
        self._first_outer = n
        self.calls = sum(map(_launches, program.calls))
        self.reason = _reason(program, device) or self._is_no_gain(program)
        self.launches = 0
        self._is_warm = False
        self._captures = 0
        self._launch: Any = None
        self._outer: tuple[Any, ...] = ()
        self._lock = threading.Lock()

    def _is_no_gain(self, program: Program) -> str:
        """The reason if a graph would not be faster."""
        saved = self.calls - len(self._inputs) - len(self._outputs) - 1
        if saved <= 0:
            return "it would save no launches"
        copied = [program.inputs[i] for i in self._inputs]
        copied += [program.outputs[i] for i in self._outputs]
        made = [v for call in program.calls if _launches(call) for v in call.results()]
        if sum(map(_extent, copied)) > saved * MAX_COPIED:
            return "its arguments and results are large"
        return "its arrays are large" if sum(map(_extent, made)) > self.calls * MAX_MADE else ""

    def summary(self) -> str:
        """A few words about it."""
        if self.reason:
            return f"no CUDA graph: {self.reason}"
        return f"a CUDA graph of {self.calls} calls, launched {self.launches} times"

    def __call__(self, *arrays: Any) -> Any:
        """Run the program."""
        # (The memory of a graph is for one thread at a time; another one does not wait for it.)
        if self._is_warm and not self.reason and self._lock.acquire(blocking=False):
            try:
                made = self._launched(arrays)
            finally:
                self._lock.release()
            if made is not None:
                found = (*arrays, *made)
                return [found[i] for i in self._results]
        out = self._run(*arrays)
        self._is_warm = True
        return out

    def _launched(self, arrays: tuple[Any, ...]) -> Any:
        """The new arrays among the results; None if the program has to run as it is."""
        outer = arrays[self._first_outer :]
        if self._launch is None or any(x is not y for x, y in zip(outer, self._outer, strict=True)):
            self._capture(arrays)
            if self._launch is None:
                return None
        made = self._launch(arrays)
        self.launches += made is not None
        return made

    def _capture(self, arrays: tuple[Any, ...]) -> None:
        device = self._device
        self._launch = None
        self._outer = arrays[self._first_outer :]
        if self._captures == MAX_CAPTURES:
            self.reason = f"arrays that it uses from outside have moved {MAX_CAPTURES} times"
        elif not all(_is_of(device, x) for x in arrays if hasattr(x, "dtype")):
            self.reason = "it uses arrays of other devices"
        else:
            try:
                self._launch = device.backend.captured(
                    device.index, self._run, arrays, self._inputs, self._outputs
                )
                self._captures += self._launch is not None
            except Exception as error:
                first = str(error).partition("\n")[0]
                self.reason = f"the capture failed: {type(error).__name__}: {first}"
        if self._launch is None:
            self._outer = ()


def graphed(program: Program, run: Callable[..., Any]) -> Graphed | None:
    """A program with what makes a graph of it; None if it does not use a GPU."""
    for call in program.calls:
        if call.device is not None and call.device.type == "cuda":
            return Graphed(program, run, call.device)
    return None


def is_captured(calls: list[Call]) -> bool:
    """Return True if calls have been captured by the user, and not computed.

    They must not become a program, because its constants would not be computed either.
    """
    return any(device.ops["is_capturing"]() for device in _gpus(calls))


def wait_for_constants(program: Program) -> None:
    """Wait until constants on a GPU are computed, because other streams will read them, too."""
    for device in _gpus(program.calls):
        if any(v.kind == "constant" for call in program.calls for v in call.operands()):
            device.ops["wait"]()


def _gpus(calls: list[Call]) -> set[Any]:
    return {call.device for call in calls if call.device is not None and call.device.type == "cuda"}


def _is_of(device: Any, x: Any) -> bool:
    return isinstance(x, device.array_type) and x.device.id == device.index


def _launches(call: Call) -> bool:
    """Return True for a call that does more than take views."""
    before = {v.memory for v in call.operands()}
    results = call.results()
    return not results or any(v.memory not in before for v in results)


def _extent(v: Value) -> int:
    """The bytes from the first to the last element of an array."""
    if v.shape is None or v.dtype is None or 0 in v.shape:
        return 0
    steps = v.strides if v.strides is not None else [0] * len(v.shape)
    return int(v.dtype.itemsize) + sum(
        (n - 1) * abs(step) for n, step in zip(v.shape, steps, strict=True)
    )


def _reason(program: Program, device: Any) -> str:
    """Why a program cannot be a graph, as far as that is known without a capture."""
    for call in program.calls:
        if call.name in ("guard", "mask", "check"):
            return "it reads values"
        if call.is_repeated:
            return f"it calls Python in each run ({call.name})"
        if call.device is not device:
            return f"it uses {call.device} and {device}"
        if call.name.startswith(("fft.", "scipy.")) and call.name not in _SHIFTS:
            return f"{call.name} may use memory of a plan, or numbers of the host"
        if call.name.startswith("random.") and not (
            call.name in _DRAWS and call.args[0].kind == "outer"
        ):
            return f"it makes random generators ({call.name})"
        for v in call.operands():
            if isinstance(v.data, _host_array):
                return "it copies from the host"
    return _shared(program)


def _shared(program: Program) -> str:
    """The reason if arguments and results are not memory of their own."""
    inputs = {v.memory for v in program.inputs}
    for call in program.calls:
        for v in call.writes:
            if v.memory in inputs:
                return "it writes to its arguments, or to what shares memory with them"
    seen: set[Memory] = set()
    for v in {id(v): v for v in program.outputs}.values():
        if v.kind in ("input", "outer"):
            continue
        if v.kind != "result" or v.memory.is_outer or v.memory in seen:
            return "its results share memory"
        seen.add(v.memory)
    return ""
