"""Dead code: calls that nothing needs are dropped."""

from __future__ import annotations

from .._program import Call, Memory, Program, Value, values_in


def drop_dead_code(program: Program) -> Program:
    """The program without the calls that neither a result nor anything outside depends on.

    A call that writes is needed if its memory is seen from outside, or by a call after it.
    """
    values = {id(v) for v in program.outputs}
    memories = {v.memory for v in program.outputs}
    return Program(
        program.inputs,
        _needed(program.calls, values, memories),
        program.outputs,
        program.ambient,
    )


def _needed(calls: list[Call], values: set[int], memories: set[Memory]) -> list[Call]:
    kept = []
    for call in reversed(calls):
        if not (
            call.is_repeated
            or _are_needed(call, values)
            or (call.name in _MAY_RAISE and _may_raise(call))
            or (call.writes and _are_seen(call.writes, memories))
        ):
            continue
        if call.condition is not None:
            _trim_mask(call, values)
        kept.append(call)
        for v in call.operands():  # (What it writes to is among them.)
            values.add(id(v))
            memories.add(v.memory)
    return kept[::-1]


def _are_needed(call: Call, values: set[int]) -> bool:
    out = call.out
    if type(out) is Value:
        return id(out) in values
    return not values.isdisjoint([id(v) for v in call.results()])


def _are_seen(writes: tuple[Value, ...], memories: set[Memory]) -> bool:
    return bool([v for v in writes if v.memory.is_outer or v.memory in memories])


def _may_raise(call: Call) -> bool:
    """Return True for calls that raise for some values, as the function would."""
    if call.name in _OF_INDICES:
        return bool(values_in((call.args[1:], call.kwargs)))
    if call.name == "__setitem__":  # (of an array, a value and the index)
        return bool(values_in(call.args[2:]))
    if call.name == "pow":  # of integers, whose exponent must not be negative
        return any(v.dtype is not None and v.dtype.kind in "iu" for v in call.results()) and bool(
            values_in(call.args[1:])
        )
    return call.name in _RAISING


_OF_INDICES = frozenset({"getitem", "take", "take_along_axis"})
_RAISING = frozenset(
    f"linalg.{name}"
    for name in """cholesky eig eigh eigvals eigvalsh inv matrix_power matrix_rank pinv solve svd
    svdvals""".split()
)


#: Operations that raise for some values, some of them only with certain operands.
_MAY_RAISE = _OF_INDICES | _RAISING | {"__setitem__", "pow"}


def _trim_mask(mask: Call, values: set[int]) -> None:
    """Drop what a mask computes beside what is needed of its results."""
    pairs = [p for p in zip(mask.out, mask.otherwise, strict=True) if id(p[0]) in values]
    mask.out = tuple(out for out, _ in pairs)
    mask.otherwise = tuple(other for _, other in pairs)
    mask.body = _needed(mask.body, {id(v) for v in mask.out}, {v.memory for v in mask.out})
