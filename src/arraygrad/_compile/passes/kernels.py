"""Kernels: runs of elementwise calls on a GPU are one kernel that is generated for them.

Each call of a run would be a launch that reads its operands from memory and writes its result
there. Sums are not part of a run: their rounding depends on the order of all elements.
"""

from __future__ import annotations

from typing import Any

from .._program import Call, Program, Value
from ._facts import Facts
from .blocks import next_run
from .rows import is_c_contiguous

#: Calls of a run, at least, and what a kernel can take.
MIN_CALLS = 2
MAX_CALLS = 100
MAX_ARRAYS = 40


def run_as_kernels(program: Program) -> Program:
    """The program with kernels in the place of runs of elementwise calls on a GPU."""
    if not any(call.device is not None and call.device.type == "cuda" for call in program.calls):
        return program
    facts = Facts(program)
    calls: list[Call] = []
    rest = program.calls
    while rest:
        before, run, after = next_run(rest, facts, _shape_of, MIN_CALLS)
        calls += before
        if run:
            run, after = _fitting(run, after)
            calls.append(_as_call(run, after, program))
        rest = after
    return Program(program.inputs, calls, program.outputs, program.ambient)


def _fitting(run: list[Call], after: list[Call]) -> tuple[list[Call], list[Call]]:
    """The beginning of a run that one kernel can take; the rest goes on as it was."""
    arrays: set[int] = set()
    for i, call in enumerate(run):
        arrays.update(id(v) for v in (*call.operands(), *call.results()))
        if i >= MIN_CALLS and (i >= MAX_CALLS or len(arrays) > MAX_ARRAYS):
            return run[:i], [*run[i:], *after]
    return run, after


def _shape_of(call: Call, facts: Facts) -> Any:
    """The shape of the arrays of a call that may take part in a run, and their device."""
    if call.device is None or call.device.type != "cuda" or call.body or not _step(call):
        return None
    v = call.out
    if v.memory in facts.written or v.memory.is_outer or not is_c_contiguous(v):
        return None
    return call.device, tuple(v.shape)


def _dtypes(call: Call) -> list[str] | None:
    """The dtypes of the operands, with Python's numbers as the others; None for other operands."""
    arrays = {str(x.dtype) for x in call.args if isinstance(x, Value)} - {"bool"}
    found = []
    for x in call.args:
        if isinstance(x, Value):
            if x.shape is None or x.dtype is None:
                return None
            found.append(str(x.dtype))
        elif type(x) in (int, float) and len(arrays) == 1 and abs(x) < 2**53:
            found.extend(arrays)
        else:
            return None
    return found


def _step(call: Call) -> Any:
    """The call as a part of a kernel; None if it cannot be one."""
    if call.writes or call.is_repeated or call.kwargs or not isinstance(call.out, Value):
        return None
    if call.out.dtype is None or call.device.ops.get(call.name) is not call.function:
        return None
    dtypes = _dtypes(call)
    step = None if dtypes is None else call.device.backend.step(call.name, call.function, dtypes)
    return step if step is not None and step.dtype == str(call.out.dtype) else None


def _as_call(run: list[Call], after: list[Call], program: Program) -> Call:
    """A run as one call."""
    made = {id(v): v for call in run for v in call.results()}
    needed = {id(v) for call in after for v in call.operands()}
    needed |= {id(v) for v in program.outputs}
    outputs = [v for key, v in made.items() if key in needed]
    operands: list[Any] = []
    dtypes: list[str] = []
    places: dict[Any, int] = {}

    def place(x: Any, dtype: str) -> int:
        """The number of an input."""
        key = id(x) if isinstance(x, Value) else (dtype, repr(x))
        if key not in places:
            places[key] = len(operands)
            operands.append(x)
            dtypes.append(dtype)
        return places[key]

    parts = [(_step(call), _dtypes(call) or []) for call in run]
    for call, (_, kinds) in zip(run, parts, strict=True):
        for x, dtype in zip(call.args, kinds, strict=True):
            if not (isinstance(x, Value) and id(x) in made):
                place(x, dtype)
    numbers = {key: len(operands) + i for i, key in enumerate(made)}
    steps = [
        (step, [numbers[id(x)] if id(x) in numbers else place(x, d)
                for x, d in zip(call.args, kinds, strict=True)])
        for call, (step, kinds) in zip(run, parts, strict=True)
    ]  # fmt: skip
    device = run[0].device
    kernel = device.backend.kernel(device.index, dtypes, steps, [numbers[id(v)] for v in outputs])
    call = Call("kernel", kernel, device, tuple(operands), {})
    call.line, call.errors = run[0].line, program.ambient
    call.out = tuple(outputs) if len(outputs) > 1 else outputs[0]
    return call
