"""Kernels: runs of elementwise calls on a GPU are one kernel that is generated for them.

Each call of a run would be a launch that reads its operands from memory and writes its result
there. A reduction at the end of a run is a part of it where that is faster and has the same bits:

- `max`, `min`, `any` and `all` do not depend on the order of the elements.
- CuPy's own kernel for sums adds in an order that depends on shapes and strides alone, and is the
  same for a generated kernel. But CuPy leaves sums along contiguous axes to CUB, which has another
  order, so only sums along the first axes are part of a run.
"""

from __future__ import annotations

import math
from typing import Any

from .._program import Call, Program, Value
from ._facts import Facts
from .blocks import next_run
from .rows import is_c_contiguous

#: Calls of a run, at least, and what a kernel can take.
MIN_CALLS = 2
MAX_CALLS = 100
MAX_ARRAYS = 40
#: Elements of one block of a reduction, at most. For more, CuPy's two kernels are faster, as the
#: first one, or CUB, computes on all of the GPU.
MAX_REDUCED = 1 << 12


def run_as_kernels(program: Program) -> Program:
    """The program with kernels in the place of runs of elementwise calls on a GPU."""
    if not any(call.device is not None and call.device.type == "cuda" for call in program.calls):
        return program
    facts = Facts(program)
    calls: list[Call] = []
    rest = program.calls
    while rest:
        before, run, after = next_run(rest, facts, _shape_of, 1)
        calls += before
        if run:
            run, after = _fitting(run, after)
            end = _end(run, after, program)
            if end is not None:
                after = [call for call in after if call is not end]
            if end is not None or len(run) >= MIN_CALLS:
                run = [_as_call(run, end, after, program)]
            calls += run
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


def _end(run: list[Call], after: list[Call], program: Program) -> Call | None:
    """The reduction that alone needs the results of a run, and can be a part of it; or None."""
    made = {id(v) for call in run for v in call.results()}
    users = [call for call in after if any(id(v) in made for v in call.operands())]
    if len(users) != 1 or any(id(v) in made for v in program.outputs):
        return None
    [call], x = users, run[-1].out
    if len(call.args) != 1 or call.args[0] is not x or call.writes or call.is_repeated:
        return None
    if call.device is not run[0].device or call.device.ops.get(call.name) is not call.function:
        return None
    if not set(call.kwargs) <= {"axis", "keepdims"} or not isinstance(call.out, Value):
        return None
    if not call.device.backend.can_reduce(call.name, str(x.dtype)):
        return None
    if 0 in x.shape:
        return None
    axis = call.kwargs.get("axis")
    axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    reduced = math.prod(x.shape[a] for a in axes)
    blocks = math.prod(call.out.shape) // max(32, 512 // reduced) + 1
    if math.prod(x.shape) > blocks * MAX_REDUCED:
        return None
    return call if call.name != "sum" or _adds_alike(run, x.shape, axes) else None


def _adds_alike(run: list[Call], shape: Any, axes: Any) -> bool:
    """Return True if a kernel for the run and its sum adds as CuPy's kernel for the sum does.

    That is so for sums along the first axes of a C-contiguous array that is not Fortran-contiguous,
    too, if all arrays that the kernel reads are such arrays.
    """
    rest = shape[len(axes) :]
    if sorted(a % len(shape) for a in axes) != [*range(len(axes))] or math.prod(rest) == 1:
        return False
    if math.prod(shape) == math.prod(rest):
        return False
    return all(
        tuple(v.shape) == tuple(shape) and is_c_contiguous(v)
        for call in run
        for v in call.operands()
    )


def _as_call(run: list[Call], end: Call | None, after: list[Call], program: Program) -> Call:
    """A run, with a reduction at its end or without, as one call."""
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
    if end is not None:
        outputs = [end.out]
        axis, keepdims = end.kwargs.get("axis"), end.kwargs.get("keepdims", False)
        kernel = device.backend.reducing_kernel(
            device.index, dtypes, steps, end.name, axis, keepdims
        )
    else:
        places_of = [numbers[id(v)] for v in outputs]
        kernel = device.backend.kernel(device.index, dtypes, steps, places_of)
    call = Call("kernel", kernel, device, tuple(operands), {})
    call.line, call.errors = run[0].line, program.ambient
    call.out = tuple(outputs) if len(outputs) > 1 else outputs[0]
    return call
