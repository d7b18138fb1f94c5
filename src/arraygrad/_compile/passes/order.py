"""Order: large results are made when they are first needed, so that fewer are there at a time."""

from __future__ import annotations

import math

from .._program import Call, Memory, Program, Value

#: Bytes of a result that is made later.
MIN_BYTES = 1 << 13


def make_late(program: Program) -> Program:
    """The program with calls moved to before the first use of their results, to save memory.

    A call stays where it is if an operand that is as large would have to be there for longer.
    """
    calls = program.calls
    if not any(_size(v) >= MIN_BYTES for call in calls for v in call.results()):
        return program
    first: dict[int, int] = {}
    ends: dict[Memory, int] = {}
    writes: list[tuple[int, Memory]] = []
    acts: list[int] = []
    for i, call in enumerate(calls):
        for v in call.operands():
            first.setdefault(id(v), i)
            ends[v.memory] = i
        for v in call.results():
            ends[v.memory] = i
        writes += [(i, v.memory) for v in call.writes]
        # (A call that raises has to do so before anything outside is written.)
        acts_outside = any(v.memory.is_outer for v in call.writes)
        if acts_outside or (call.is_repeated and call.name not in ("guard", "check")):
            acts.append(i)
    for v in program.outputs:
        ends[v.memory] = len(calls)
    moved: dict[int, list[Call]] = {}
    kept: set[int] = set()
    for i, call in enumerate(calls):
        target = _target(i, call, calls, first, ends)
        if target is None or any(i < k < target for k in acts):
            continue
        memories = {v.memory for v in (*call.operands(), *call.results())}
        if any(i < k < target and m in memories for k, m in writes):
            continue
        moved.setdefault(target, []).append(call)
        kept.add(id(call))
    if not moved:
        return program
    ordered: list[Call] = []
    for i, call in enumerate(calls):
        ordered += moved.get(i, ())
        if id(call) not in kept:
            ordered.append(call)
    return Program(program.inputs, ordered, program.outputs, program.ambient)


def _target(
    i: int, call: Call, calls: list[Call], first: dict[int, int], ends: dict[Memory, int]
) -> int | None:
    """The number of the call before which a call is made better; None if it stays."""
    out = call.out
    if not isinstance(out, Value) or call.writes or call.is_repeated or call.condition is not None:
        return None
    if _size(out) < MIN_BYTES or call.name.startswith("random"):
        return None
    target = first.get(id(out))
    if target is None or target <= i + 1 or calls[target].errors is not call.errors:
        return None
    if out.memory.is_outer or any(v.memory is out.memory for v in call.operands()):  # a view
        return None
    longer = {v.memory: _size(v) for v in call.operands() if ends[v.memory] < target}
    return target if sum(longer.values()) < _size(out) else None


def _size(v: Value) -> int:
    if v.shape is None or v.dtype is None:
        return 0
    return math.prod(v.shape) * int(v.dtype.itemsize)
