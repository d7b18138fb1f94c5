"""Loops: runs of calls on small arrays become one call, which runs NumPy's own loops in a row.

NumPy's call of an elementwise function takes most of a microsecond, whatever it computes. Where the
package is compiled, `Loops` has the loops of all calls of a run, and the places of their operands.
What cannot be said in loops, and results that the user's code may write to, stay calls, between one
run and the next.

A run has the calls in their order, writes included, so nothing is moved before or after anything
else. Where a floating-point error is to be told, or arrays are not as they were, the same calls are
made by NumPy's functions.
"""

from __future__ import annotations

import math
from typing import Any

from ..._device import get_device
from .._program import (
    NOTHING,
    Call,
    MeetsNaN,
    Memory,
    Program,
    Value,
    copied_call,
    copied_value,
)
from .._recorder import has_no_nan
from ._steps import VIEWS, Steps, c_strides, strides_of
from .rows import elementwise_function

_cpu: Any = get_device("cpu")
_np: Any = _cpu.backend.namespace
_native: Any = _cpu.backend.loops

#: Calls of a run, at least: fewer take no longer as calls of NumPy's.
MIN_CALLS = 2
#: Bytes of each array in one block: some of them fit in the cache next to a core.
BLOCK_BYTES = 1 << 14


class Run:
    """A run of calls as one function.

    Attributes
    ----------
    program : Program
        The calls.
    loops : Loops
        The function.
    is_silent : bool
        True if it does the same in every state of floating-point errors.
    """

    def __init__(self, program: Program, write: Any, loops: Any, is_silent: bool) -> None:
        self.program, self.loops, self.is_silent = program, loops, is_silent
        self._write, self._text = write, None
        loops.fallback, loops.nan_error = self._by_calls, MeetsNaN

    @property
    def text(self) -> Any:
        """The calls' text, which tells which call has raised an error."""
        if self._text is None:
            self._text = self._write(_apart(self.program))
        return self._text

    def _by_calls(self, *operands: Any) -> Any:
        text = self.text
        if not hasattr(text, "run"):
            text.run = text.function()
        return [_np.asarray(x) for x in text.run(*operands)]

    def __call__(self, *operands: Any) -> Any:
        """Compute the results of the run."""
        return self.loops(*operands)


def _apart(program: Program) -> Program:
    """The program with values of its own, whose inputs are inputs."""
    copies: dict[int, Value] = {}
    memories: dict[Memory, Memory] = {}
    for v in program.inputs:
        copies[id(v)] = copied_value(v, memories)
        copies[id(v)].kind = "input"
        copies[id(v)].is_scalar = False
        copies[id(v)].memory.is_outer = True
    for call in program.calls:
        for v in call.operands():
            if v.kind == "constant" and id(v) not in copies:
                copies[id(v)] = copied_value(v, memories)
    calls = [copied_call(c, copies, memories) for c in program.calls]
    outputs = [copies[id(v)] for v in program.outputs]
    return Program([copies[id(v)] for v in program.inputs], calls, outputs, program.ambient)


def run_as_loops(program: Program, write: Any) -> Program:
    """The program with runs of calls on small arrays in the place of these, if that is compiled.

    `write` makes the text of a program.
    """
    if _native is None:
        return program
    uses: dict[int, int] = {}
    for i, call in enumerate(program.calls):
        for v in call.operands():
            uses[id(v)] = i
    for v in program.outputs:
        uses[id(v)] = len(program.calls)
    calls: list[Call] = []
    run = Steps(program.ambient)
    for i, call in enumerate(program.calls):
        if run.take(call):
            continue
        if run.calls:
            calls += _finished(run, i, uses, write)
            run = Steps(program.ambient)
        calls.append(call)
    if run.calls:
        calls += _finished(run, len(program.calls), uses, write)
    return Program(program.inputs, calls, program.outputs, program.ambient)


def _finished(run: Steps, index: int, uses: dict[int, int], write: Any) -> list[Call]:
    """The calls of a run, most often one; `uses` has the last call that needs each value."""
    if len(run.calls) - len(run.views) < MIN_CALLS:
        return run.calls
    outputs: list[Value] = []
    needed: set[int] = set()
    later: list[Call] = []
    for call in reversed(run.calls):
        for v in call.results():
            is_needed = uses.get(id(v), -1) >= index or id(v) in needed
            if not is_needed and not v.memory.is_outer:
                continue
            if id(call) in run.views and call.name != "mask":
                needed.update([id(x) for x in call.operands()])
                later.append(call)
            else:
                outputs.append(v)
    outputs.reverse()
    later.reverse()
    if not outputs and not run.checks():
        return later
    # (Without a NaN, results of a mask are other values, which may be results, too.)
    own: list[Value] = []
    numbers: dict[int, int] = {}
    same: list[int] = []
    for v in outputs:
        place = run.place_of_whole(v)
        if place is None:
            return run.calls
        if place >= 0 and place not in numbers:
            numbers[place] = len(own)
            own.append(v)
        same.append(numbers.get(place, place))
    program = Program(run.inputs, run.calls, outputs, run.ambient)
    forms = [(v.shape, v.strides, v.dtype) for v in run.inputs]
    made = [(v.shape, strides_of(v), v.dtype) for v in own]
    loops = run.loops(own, forms, made)
    if same != [*range(len(own))]:
        loops.same = same
    function = Run(program, write, loops, run.is_silent())
    call = Call("loops", function, _cpu, tuple(run.inputs), NOTHING)
    call.line, call.errors, call.out = run.calls[0].line, run.ambient, tuple(outputs)
    return [call, *later]


def loops_of_blocks(
    calls: list[Call], inputs: list[Value], outputs: list[Value], lead: tuple[int, ...],
    missing: list[int], ambient: Any, onto: list[int] | None = None,
) -> Any:  # fmt: skip
    """Calls on large arrays as `Loops` on blocks, with the number of rows in each block.

    None if they are not all loops.

    Parameters
    ----------
    calls : list of Call
        Calls that compute each row alone.
    inputs, outputs : list of Value
        What they are given, and what is needed of their results.
    lead : tuple of int
        The first axes of all results; what stands behind them is a row.
    missing : list of int
        For each input how many of these axes it lacks.
    ambient : object
        The state of floating-point errors around the program.
    onto : list of int, optional
        For each output the input whose memory it takes; -1 for new memory.
    """
    if _native is None or any(0 in v.shape for c in calls for v in c.results()):
        return None
    k, rows = len(lead), math.prod(lead)
    width = max(math.prod(v.shape[k:]) * v.dtype.itemsize for c in calls for v in c.results())
    together = 64 // math.gcd(64, width)  # (a multiple of what NumPy's loops take at a time)
    size = max(1, BLOCK_BYTES // width)
    if together * width <= 2 * BLOCK_BYTES:
        size += -size % together
    size = min(size, rows)
    steps: list[Any] = [_row_step(v, j, lead) for v, j in zip(inputs, missing, strict=True)]
    if None in steps:
        return None
    advance = [size * step for step in steps]
    advance += [size * math.prod(v.shape[k:]) * v.dtype.itemsize for v in outputs]
    forms = [(v.shape, v.strides, v.dtype) for v in inputs]
    made = [(v.shape, None, v.dtype) for v in outputs]

    def on_rows(n: int, count: int) -> Any:
        run = Steps(ambient, in_blocks=True)
        copies: dict[int, Value] = {}
        memories: dict[Memory, Memory] = {}
        for v, step, j in zip(inputs, steps, missing, strict=True):
            copies[id(v)] = x = copied_value(v, memories)
            x.kind = "input"
            if v.shape and j < k:
                x.shape = (n if v.shape[:k] == lead else 1, *v.shape[k:])
                x.strides = (step, *v.strides[k:])
            if not run.note_input(x):
                return None
        #: (All at once: the values in them are known by their ids, so they have to stay.)
        parts = [_on_rows(call, k, n) for call in calls]
        for call, on_n in zip(calls, parts, strict=True):
            for v in call.results():
                copies[id(v)] = x = copied_value(v, memories)
                x.shape = (n, *v.shape[k:])
                x.strides = c_strides(x.shape, x.dtype.itemsize)
            for part in on_n:
                if not run.take(copied_call(part, copies, memories)):
                    return None
        found = [copies[id(v)] for v in outputs]
        return run.loops(found, forms, made, count, advance, onto=onto)

    loops = on_rows(size, rows // size)
    if loops is not None and rows % size:
        loops.tail = on_rows(rows % size, 1)
    return None if loops is None or (rows % size and loops.tail is None) else (loops, size)


def _row_step(v: Value, missing: int, lead: tuple[int, ...]) -> int | None:
    """How many bytes two rows of an array are apart; None if it has no constant step."""
    k = len(lead)
    if v.shape is None or v.strides is None:
        return None
    if missing >= k or not v.shape or (v.shape[:k] == (1,) * k and lead != (1,) * k):
        return 0
    if missing or v.shape[:k] != lead:
        return None
    for i in range(k - 1):
        if v.strides[i] != v.strides[i + 1] * lead[i + 1]:
            return None
    step: int = v.strides[k - 1]
    return step


def _on_rows(call: Call, k: int, n: int) -> list[Call]:
    """A call as it is on `n` rows, of arrays that have one axis in the place of the first `k`."""
    if call.function is has_no_nan:
        return [call]
    new = Call(call.name, call.function, call.device, call.args, call.kwargs)
    new.out, new.errors, new.line = call.out, call.errors, call.line
    if call.condition is not None:
        new.condition, new.otherwise = call.condition, call.otherwise
        return [new]
    if call.name in VIEWS or call.name == "scatter":
        key = call.args[1] if len(call.args) > 1 else ()
        shape = (n, *call.out.shape[k:])
        if call.name == "broadcast_to":
            new.function = _np.broadcast_to
            new.with_arguments((call.args[0], shape))
        elif (
            call.name == "getitem"
            and call.out.memory is call.args[0].memory
            and not all(
                x is None or x is ... or (type(x) is slice and x == slice(None))
                for x in as_key(key)
            )
        ):
            new.with_arguments((call.args[0], as_key(key)[k - 1 :]))
        else:
            new.name, new.function = "reshape", _np.reshape
            new.with_arguments((call.args[0], shape))
            new.kwargs = NOTHING
            if call.name == "scatter":  # a copy, whose reshaping is a view
                view = copied_value(call.out, {})
                view.memory, view.shape = call.args[0].memory, shape
                new.out = view
                copy = Call("copy", _cpu.ops["copy"], call.device, (view,), NOTHING)
                copy.out, copy.errors = call.out, call.errors
                return [new, copy]
        return [new]
    axis = call.kwargs.get("axis")
    if axis is not None:
        ndim = len(call.args[0].shape)
        axes = axis if isinstance(axis, tuple) else (axis,)
        new.kwargs = {**call.kwargs, "axis": tuple([a % ndim - k + 1 for a in axes])}
    elif not call.kwargs:
        function = elementwise_function(call)
        if function is not None:
            new.function = function
    return [new]


def as_key(key: Any) -> tuple[Any, ...]:
    """An index as a tuple."""
    return key if isinstance(key, tuple) else (key,)
