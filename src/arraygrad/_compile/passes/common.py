"""Common subexpressions: what has been computed is not computed again."""

from __future__ import annotations

from typing import Any

from ..._device import get_device
from .._program import Call, Memory, Program, Value
from ._facts import Facts, key_of, unite, with_outputs

_cpu: Any = get_device("cpu")
_copy_apart: Any = _cpu.backend.conversions.copy_apart
#: Operations that give something else each time.
_NEVER = frozenset({"empty", "guard", "check", "mask"})


def merge_common(program: Program) -> Program:
    """The program without calls that repeat an earlier one on the same values.

    The results of the two must not be written, and must not both be results of the program. What a
    checkpoint computes again stays: it was chosen to save memory.
    """
    facts = Facts(program)
    versions: dict[Memory, int] = {}
    epoch = 0
    known: dict[Any, Call] = {}
    new: dict[int, Value] = {}
    memories: dict[Memory, Memory] = {}
    kept = []
    for call in program.calls:
        call.rename(new)
        for v in call.writes:
            versions[v.memory] = versions.get(v.memory, 0) + 1
        if call.is_repeated:
            epoch += call.name not in ("guard", "check")
            kept.append(call)
            continue
        key = None
        if not call.writes and call.name not in _NEVER:
            key = _key(call, versions, epoch)
        if key is None:
            kept.append(call)
            continue
        have = known.get(key)
        if have is None or not _can_merge(call, have, facts, program.ambient):
            known.setdefault(key, call)
            kept.append(call)
            continue
        for v, same in zip(call.results(), have.results(), strict=True):
            new[id(v)] = same
            unite(v, same, memories)
            if v.memory in facts.results:
                facts.results[same.memory] = facts.results.get(same.memory, 0) + 1
    return with_outputs(program, kept, new, memories)


def keep_apart(program: Program) -> Program:
    """The program with copies of the operands that would share memory with another one only now.

    A product of a matrix with its own transpose is rounded otherwise than that with a copy.
    """
    kept = []
    for call in program.calls:
        if call.is_apart and call.device is _cpu:
            seen: set[Memory] = set()
            args = []
            for x in call.args:
                if isinstance(x, Value) and x.memory in seen:
                    copy = Call("apart", _copy_apart, _cpu, (x,), {})
                    copy.line, copy.errors, copy.region = call.line, call.errors, call.region
                    copy.out = Value("result", Memory())
                    out = copy.out
                    out.shape, out.dtype, out.strides = x.shape, x.dtype, x.strides
                    kept.append(copy)
                    x = out
                elif isinstance(x, Value):
                    seen.add(x.memory)
                args.append(x)
            call.with_arguments(tuple(args))
        kept.append(call)
    return Program(program.inputs, kept, program.outputs, program.ambient)


def _can_merge(call: Call, have: Call, facts: Facts, ambient: Any) -> bool:
    if call.region is not have.region:
        return False
    if call.errors is not have.errors and have.errors is not ambient:
        return False  # the other one does not warn
    for v, same in zip(call.results(), have.results(), strict=True):
        for x in (v, same):
            if not facts.is_constant(x):
                return False
        if v.memory in facts.results and same.memory in facts.results:
            return False
    return True


def _key(call: Call, versions: dict[Memory, int], epoch: int) -> Any:
    """What a call is told by; ids of values stand before small numbers, which no ids are."""
    parts: list[Any] = [id(call.function), call.name]
    for x in call.args:
        if type(x) is Value:
            v = x
            parts.append(id(v))
            parts.append(versions.get(v.memory, 0))
            parts.append(epoch if v.memory.is_outer else 0)
        else:
            parts.append(_part(x, versions, epoch))
    if call.kwargs:
        parts.append(_part(call.kwargs, versions, epoch))
    return tuple(parts)


def _part(x: Any, versions: dict[Memory, int], epoch: int) -> Any:
    """The same of an argument."""
    if isinstance(x, Value):
        return "value", id(x), versions.get(x.memory, 0), epoch if x.memory.is_outer else 0
    if isinstance(x, (tuple, list)):
        return (type(x), *[_part(y, versions, epoch) for y in x])
    if isinstance(x, dict):
        return tuple([(k, _part(y, versions, epoch)) for k, y in x.items()])
    return key_of(x)
