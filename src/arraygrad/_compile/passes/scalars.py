"""Numbers: arrays without axes stay NumPy's scalars, which cost a fifth of an array to compute.

Their sums, products, quotients and comparisons are those of arrays, bit for bit, and so are their
warnings. Other operations get an array made of the scalar.
"""

from __future__ import annotations

import math
from typing import Any

from ..._device import get_device
from .._program import Call, Memory, Program, Value, replaced
from ._facts import Facts, with_outputs
from .blocks import is_large

_cpu: Any = get_device("cpu")
_has_loops = _cpu.backend.loops is not None
_IN_PLACE = {
    "__iadd__": "add", "__isub__": "subtract", "__imul__": "multiply", "__itruediv__": "divide",
    "irtruediv": "divide",
}  # fmt: skip
_KINDS = "fd"  # single and double precision


def is_number(v: Value) -> bool:
    """Return True for an array of the CPU without axes, of single or double precision."""
    return v.shape == () and v.dtype is not None and v.dtype.char in _KINDS


def replace_in_place(program: Program) -> Program:
    """The program with sums in the place of ``x += y``, for numbers, large arrays and loops.

    Numbers can be scalars then, and the sums part of a run, whatever made `x`. (Where they are not,
    `_text` writes the sum into the memory of the operand.)
    """
    new: dict[int, Value] = {}
    _replace(program.calls, program.inputs, new, {})
    return with_outputs(program, program.calls, new)


def _replace(
    calls: list[Call], inputs: list[Value], new: dict[int, Value], first: dict[int, int]
) -> None:
    """Replace calls, and note in `first` which value of the program a sum is the latest of."""
    #: The values of each memory that these calls have made so far.
    made: dict[Memory, set[int]] = {}
    for v in inputs:
        made.setdefault(v.memory, set()).add(id(v))
    for call in calls:
        call.rename(new)
        if call.body:
            _replace(call.body, [], new, first)
            call.out = replaced(call.out, new)
        name = _IN_PLACE.get(call.name)
        if name is None:
            for v in call.results():
                made.setdefault(v.memory, set()).add(id(v))
            continue
        x, y = call.args
        if x.memory.is_outer or made.get(x.memory) != {id(x)}:
            continue
        # (On a GPU the sum can be part of a kernel, and in a run of loops it needs no memory of its
        # own.)
        on_gpu = call.device.type == "cuda"
        in_loops = _has_loops and x.dtype is not None and x.dtype.char in _KINDS
        if not (on_gpu or in_loops or is_number(x) or _is_large(x)):
            continue
        if isinstance(y, Value) and not (y.dtype == x.dtype and _follows(y, x)):
            continue
        if not isinstance(y, Value) and type(y) not in (int, float):
            continue
        out = Value("result", x.memory)
        out.shape, out.dtype, out.strides = x.shape, x.dtype, x.strides
        out.is_scalar = not (x.shape or on_gpu)
        call.with_arguments((y, x) if call.name == "irtruediv" else (x, y))
        call.function = call.device.ops[name]
        call.name, call.writes, call.out = name, (), out
        made[x.memory] = {id(out)}
        first[id(out)] = first.get(id(x), id(x))
        new[first[id(out)]] = out


def _follows(y: Value, x: Value) -> bool:
    """Return True if a new array of the two has the shape and the strides of `x`."""
    if y.shape is None or x.shape is None or len(y.shape) > len(x.shape):
        return False
    offset = len(x.shape) - len(y.shape)
    return all(
        n == 1 or (n == x.shape[offset + i] and s in (0, x.strides[offset + i]))
        for i, (n, s) in enumerate(zip(y.shape, y.strides or (), strict=True))
    )


def _is_large(x: Value) -> bool:
    """Return True for an array whose operations can be part of a run."""
    return (
        x.dtype is not None
        and x.shape is not None
        and x.dtype.char in _KINDS
        and is_large(math.prod(x.shape))
    )


def scalars_of(program: Program) -> set[int]:
    """The ids of values that may be scalars in the program."""
    facts = Facts(program)
    found: set[int] = set()

    def is_free(v: Value) -> bool:
        return (
            is_number(v)
            and facts.is_constant(v)
            and not v.memory.is_outer
            and facts.results.get(v.memory, 0) < 2
        )

    def visit(calls: list[Call]) -> None:
        for call in calls:
            if call.device is not _cpu:
                continue
            if call.name == "mask":
                for v, other in zip(call.out, call.otherwise, strict=True):
                    if id(other) in found and is_free(v):
                        found.add(id(v))
                visit(call.body)
            elif isinstance(call.out, Value) and call.out.is_scalar and is_free(call.out):
                found.add(id(call.out))

    visit(program.calls)
    return found
