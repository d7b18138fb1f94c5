"""Checks for NaN: those that a later check implies are left out.

A gradient masks NaN that come from 0 times infinity. A program is recorded for the case that there
is none, and checks that. Most operations hand on a NaN of an operand to their result, so one check
of a result stands for those of all that it is made of.
"""

from __future__ import annotations

from typing import Any

from ..._device import get_device
from .._program import Call, Memory, Program, Value, values_in
from .._recorder import has_no_nan
from ._facts import Facts, unite, with_outputs

_cpu: Any = get_device("cpu")

#: Elementwise functions whose result is NaN where an operand is. (`pow` and `maximum` are not.)
_ELEMENTWISE = frozenset(
    """abs acos acosh add asin asinh atan atanh cos cosh divide exp expm1 log log10 log1p log2
    multiply negative positive reciprocal sin sinh sqrt square subtract tan tanh""".split()
)
_IN_PLACE = frozenset({"__iadd__", "__isub__", "__imul__", "__itruediv__"})
#: Operations whose result has all elements of the first operand, or a sum of them.
_WHOLE = frozenset(
    """T astype broadcast_to copy expand_dims flip matrix_transpose mean moveaxis permute_dims
    reshape squeeze sum""".split()
)


class _Check:
    """A check that a value has no NaN; it is needed if it stands for itself or others."""

    def __init__(self, value: Value, is_needed: bool) -> None:
        self.value, self.is_needed = value, is_needed


def merge_nan_checks(program: Program) -> Program:
    """The program with as few checks for NaN as possible."""
    checks = [c for c in program.calls if c.function is has_no_nan]
    if not checks:
        return program
    #: The values that have no NaN where another one has none, and the check of that one.
    covered: dict[int, tuple[Value, _Check]] = {}
    at_end = []
    acts = any(map(_acts, program.calls))
    if not acts:  # (A check afterwards could not undo it.)
        for v in program.outputs:
            if _is_real(v) and id(v) not in covered:
                at_end.append(_Check(v, False))
                _cover(v, at_end[-1], covered)
    kept = []
    for call in reversed(program.calls):
        if call.function is has_no_nan:
            x = call.args[0]
            if x.kind == "constant":
                continue
            found = covered.get(id(x))
            if found is not None:
                found[1].is_needed = True
                continue
            _cover(x, _Check(x, True), covered)
        elif call.name in _IN_PLACE:
            found = covered.get(id(call.args[0]))
            if found is not None:
                _cover(call.args[1], found[1], covered)
        elif call.is_repeated:
            if call.name not in ("guard", "check"):
                covered.clear()
        elif call.writes:
            memories = {v.memory for v in call.writes}
            for key in [k for k, (v, _) in covered.items() if v.memory in memories]:
                del covered[key]
        elif type(call.out) is Value and id(call.out) in covered:
            _, check = covered[id(call.out)]
            for x in _handed_on(call):
                _cover(x, check, covered)
        kept.append(call)
    kept.reverse()
    for end in at_end:
        if end.is_needed:
            call = Call("guard", has_no_nan, None, (end.value,), {"expected": True})
            call.is_repeated, call.line, call.errors = True, checks[0].line, program.ambient
            kept.append(call)
    program = Program(program.inputs, kept, program.outputs, program.ambient)
    if acts:
        return program
    return _without_searches(program, {key for key, (_, c) in covered.items() if c.is_needed})


def _without_searches(program: Program, covered: set[int]) -> Program:
    """The program without ``mask | (x != x)`` for arrays `x` that a check is made for anyway."""
    facts = Facts(program)
    searches: set[int] = set()
    new: dict[int, Value] = {}
    memories: dict[Memory, Memory] = {}
    for call in program.calls:
        call.rename(new)
        out = call.out
        if call.name == "not_equal":
            x, y = call.args
            if x is y and id(x) in covered and facts.is_constant(x):
                searches.add(id(out))
        elif call.name == "bitwise_or" and id(call.args[1]) in searches:
            mask = call.args[0]
            is_same = isinstance(mask, Value) and (mask.shape, mask.dtype) == (out.shape, out.dtype)
            if is_same and all(facts.is_constant(v) and facts.is_private(v) for v in (mask, out)):
                new[id(out)] = mask
                unite(out, mask, memories)
    return with_outputs(program, program.calls, new, memories)


def _cover(v: Any, check: _Check, covered: dict[int, tuple[Value, _Check]]) -> None:
    """Note that a check stands for that of another value, too."""
    if type(v) is Value and _is_real(v):
        have = covered.get(id(v))
        if have is None or not have[1].is_needed:
            covered[id(v)] = v, check


def _acts(call: Call) -> bool:
    """Return True if a call does something outside of the program."""
    if call.is_repeated:
        return call.name not in ("guard", "check")
    return any(v.memory.is_outer for v in call.writes)


def _is_real(v: Value) -> bool:
    return v.dtype is not None and v.dtype.kind == "f" and v.shape is not None and 0 not in v.shape


def _handed_on(call: Call) -> Any:
    """The operands of which a NaN makes one in the result."""
    if call.device is not _cpu:
        return ()
    if call.name in _ELEMENTWISE:
        return call.args
    if call.name in _WHOLE and set(call.kwargs) <= {"axis", "keepdims", "copy"}:
        return call.args[:1]
    if call.name == "scatter" and not values_in(call.args[1:]):
        return call.args[:1]
    return ()
