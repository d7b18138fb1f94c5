"""Sums and products in another order, where `compile` may: fewer operations, other rounding.

Numbers that follow each other are put together, as in ``x * 2 * 3``, a division by a number becomes
the product with its inverse, and a sum over a large array is one of the sums of its rows, which can
be part of a run in blocks.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..._device import get_device
from .._program import NOTHING, Call, Memory, Program, Value
from ._facts import Facts
from .blocks import is_large
from .rows import is_c_contiguous

_cpu: Any = get_device("cpu")

_PRODUCTS = {"multiply", "divide", "__truediv__"}
_SUMS = {"add", "subtract"}
#: Reductions of all elements that are those of the reductions of equally long rows.
_REDUCTIONS = {"sum", "mean"}


class _Step(NamedTuple):
    """A call that computes ``x * c`` or ``x + c``, by its name."""

    name: str
    x: Value
    c: float


def regroup(program: Program) -> Program:
    """The program with its sums and products in another order."""
    facts = Facts(program)
    steps: dict[int, _Step] = {}
    calls: list[Call] = []
    for call in program.calls:
        if not isinstance(call.out, Value) or call.writes or call.is_repeated:
            calls.append(call)
        elif call.name in _REDUCTIONS and _has_rows(call):
            calls += _by_rows(call)
        else:
            step = _step_of(call, facts)
            if step is not None:
                before = steps.get(id(step.x))
                if before is not None and before.name == step.name:
                    c = before.c * step.c if step.name == "multiply" else before.c + step.c
                    if _is_harmless(step.name, c, call.out.dtype):
                        step = _Step(step.name, before.x, c)
                if facts.is_constant(call.out):
                    steps[id(call.out)] = step
                call.name, call.function = step.name, call.device.ops[step.name]
                call.with_arguments((step.x, step.c))
            calls.append(call)
    return Program(program.inputs, calls, program.outputs, program.ambient)


def _step_of(call: Call, facts: Facts) -> _Step | None:
    """What a call is a step of; None for other calls, and for numbers that could overflow."""
    if call.name not in _PRODUCTS | _SUMS or len(call.args) != 2 or call.kwargs:
        return None
    x, c = call.args
    if call.name in ("multiply", "add") and isinstance(c, Value):
        x, c = c, x
    if not isinstance(x, Value) or type(c) not in (int, float):
        return None
    v = call.out
    if v.shape != x.shape or v.dtype != x.dtype or v.dtype is None or v.dtype.kind != "f":
        return None
    if not facts.is_constant(x):
        return None
    name = "multiply" if call.name in _PRODUCTS else "add"
    if not _is_harmless(name, c, v.dtype):
        return None
    if call.name in ("divide", "__truediv__"):
        c = 1 / c
    # (As a float, because -0.0 leaves the sign of every zero, and 0 does not.)
    return _Step(name, x, -float(c) if call.name == "subtract" else c)


def _is_harmless(name: str, c: Any, dtype: Any) -> bool:
    """Return True for a number that is far from overflow and, as a factor, from 0."""
    limit = 1e3 if dtype.itemsize < 4 else 1e30
    return abs(c) < limit and (name == "add" or abs(c) > 1 / limit)


def _has_rows(call: Call) -> bool:
    """Return True for a reduction of all elements of a large array with rows."""
    if len(call.args) != 1 or not isinstance(call.args[0], Value) or call.device is not _cpu:
        return False
    x, out = call.args[0], call.out
    return (
        set(call.kwargs) <= {"axis", "keepdims"}
        and call.kwargs.get("axis") is None
        and out.shape == ()
        and out.dtype == x.dtype
        and x.dtype.char in "fd"
        and len(x.shape) > 1
        and 1 < x.shape[0] < math.prod(x.shape)
        and is_large(math.prod(x.shape))
        and is_c_contiguous(x)
    )


def _by_rows(call: Call) -> list[Call]:
    """A reduction as one of the rows, and one of their results."""
    x = call.args[0]
    function = call.device.ops[call.name]
    axes = tuple(range(1, len(x.shape)))
    first = Call(call.name, function, call.device, (x,), {"axis": axes})
    first.out = rows = Value("result", Memory())
    rows.shape, rows.dtype, rows.strides = x.shape[:1], x.dtype, (x.dtype.itemsize,)
    second = Call(call.name, function, call.device, (rows,), NOTHING)
    second.out = call.out
    for new in (first, second):
        new.errors, new.line, new.region = call.errors, call.line, call.region
    return [first, second]
