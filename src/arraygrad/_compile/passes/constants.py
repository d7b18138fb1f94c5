"""Constant folding: what depends on nothing is computed once."""

from __future__ import annotations

from contextlib import nullcontext
from operator import attrgetter
from typing import Any

from .._program import Call, Memory, Program, Value, mapped
from ._facts import Facts, every_call, with_outputs

#: Larger arrays are made anew at each run, and freed.
MAX_BYTES = 1 << 20
#: Operations that have no operands, and whose results depend on their parameters alone.
_CREATION = frozenset("arange eye full linspace ones zeros".split())


def fold_constants(program: Program) -> Program:
    """The program with constants in the place of calls that have no other operands.

    Their memory must not be written, and neither a result of the program nor an optimiser may have
    it. The functions are called here, once.
    """
    facts = Facts(program)
    new: dict[int, Value] = {}
    folded: set[int] = set()
    #: Views have the memory of their base; it is a constant, too, then.
    memories: dict[Memory, Memory] = {}
    for call in every_call(program.calls):
        call.rename(new)
        operands = call.operands()
        if operands:
            if operands[0].kind != "constant" or not _are_constants(operands):
                continue
        elif call.name not in _CREATION:
            continue
        if call.writes or call.is_repeated or call.name == "mask" or call.name.startswith("random"):
            continue
        if not isinstance(call.out, Value):
            continue
        v = call.out
        if not facts.is_private(v) or v.memory in facts.written:
            continue
        data = _evaluate(call)
        if data is None:
            continue
        constant = Value("constant", memories.setdefault(v.memory, Memory()), data)
        constant.data = data
        new[id(v)] = constant
        folded.add(id(call))
    _drop(program.calls, folded)
    return with_outputs(program, program.calls, new)


def _are_constants(values: list[Value]) -> bool:
    return all(v.kind == "constant" for v in values)


def _drop(calls: list[Call], folded: set[int]) -> None:
    calls[:] = [c for c in calls if id(c) not in folded]
    for call in calls:
        if call.body:
            _drop(call.body, folded)


def _evaluate(call: Call) -> Any:
    """The result of a call of constants; None if it is large or raises."""
    device = call.device
    out: Value = call.out
    if out.shape is None or out.dtype is None:
        return None
    args, kwargs = mapped(attrgetter("data"), (call.args, call.kwargs))
    quiet = getattr(device.backend, "quiet", nullcontext)  # (CuPy does not warn)
    with quiet():
        try:
            data = call.function(*args, **kwargs)
        except Exception:
            return None
    if not isinstance(data, device.array_type):
        data = device.ops["from_scalar"](data)
    owner = device.ops["root"](data)
    size = getattr(owner, "nbytes", data.nbytes)
    return data if size <= MAX_BYTES else None
