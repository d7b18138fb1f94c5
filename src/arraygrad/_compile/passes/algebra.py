"""Algebra that keeps every bit: products by one, double negation, transposes that undo another."""

from __future__ import annotations

import math
from typing import Any

from .._program import Call, Memory, Program, Value
from .._recorder import has_no_nan
from ._facts import Facts, every_call, unite, with_outputs


def simplify(program: Program) -> Program:
    """The program without operations that change nothing, and masks that have nothing to mask."""
    facts = Facts(program)
    ones = {
        id(call.out)
        for call in every_call(program.calls)
        if call.name == "ones" and isinstance(call.out, Value) and facts.is_constant(call.out)
    }
    _drop_products_by_one(program.calls, ones)
    made: dict[int, Call] = {}
    new: dict[int, Value] = {}
    memories: dict[Memory, Memory] = {}
    idle: set[int] = set()
    for call in every_call(program.calls):
        call.rename(new)
        if call.function is has_no_nan:
            if call.otherwise and _masks_nothing(call.args[0], call.otherwise[0], made):
                idle.add(id(call))
            continue
        if call.name == "mask":
            if _masks_nothing(call.condition, call.args[0], made):
                for v, other in zip(call.out, call.otherwise, strict=True):
                    if _may_be(v, other, facts):
                        new[id(v)] = other
                        unite(v, other, memories)
            continue
        if isinstance(call.out, Value) and not call.writes and not call.is_repeated:
            if facts.is_constant(call.out):  # (not what a later write makes of it)
                made[id(call.out)] = call
            same = _same_as(call, made, ones) if call.name in _SIMPLE else None
            if same is not None and _may_be(call.out, same, facts):
                new[id(call.out)] = same
                unite(call.out, same, memories)
    calls = [call for call in program.calls if id(call) not in idle]
    return with_outputs(program, calls, new, memories)


def _drop_products_by_one(calls: list[Call], ones: set[int]) -> None:
    """Leave out ``x *= 1``."""
    calls[:] = [
        call
        for call in calls
        if not (
            call.name == "__imul__"
            and call.args[0].dtype.kind in "iuf"
            and _is_one(call.args[1], ones)
            and not call.args[0].memory.is_outer
        )
    ]
    for call in calls:
        if call.body:
            _drop_products_by_one(call.body, ones)


def _may_be(v: Value, same: Value, facts: Facts) -> bool:
    """Return True if a value can be another one, which is equal and perhaps other memory."""
    if v.memory is same.memory:  # a view: nobody sees which array object it is
        return v.memory not in facts.results
    return (
        facts.is_constant(v)
        and facts.is_constant(same)
        and facts.is_private(v)
        and (facts.is_private(same) or not v.memory.is_outer)
    )


#: Operations whose result may equal an operand.
_SIMPLE = frozenset(
    """T astype broadcast_to conj copy divide matrix_transpose multiply negative permute_dims
    reshape subtract __truediv__""".split()
)


def _same_as(call: Call, made: dict[int, Call], ones: set[int]) -> Value | None:
    """The operand that a result equals, bit for bit."""
    name, args, out = call.name, call.args, call.out
    x = args[0] if args and isinstance(args[0], Value) else None
    if name == "multiply" and len(args) == 2:
        for a, b in (args, args[::-1]):
            if isinstance(a, Value) and _is_one(b, ones) and _is_alike(a, out):
                return a if out.dtype.kind in "iuf" else None
    elif name in ("divide", "__truediv__") and x is not None and len(args) == 2:
        if _is_alike(x, out) and _is_one(args[1], ones) and out.dtype.kind == "f":
            return x
    elif name == "subtract" and x is not None and len(args) == 2:
        b = args[1]
        is_zero = type(b) in (int, float) and repr(float(b)) == "0.0"
        if is_zero and _is_alike(x, out) and out.dtype.kind in "iuf":
            return x
    elif x is not None and name == "negative":
        inner = made.get(id(x))
        if inner is not None and inner.name == "negative" and isinstance(inner.args[0], Value):
            y = inner.args[0]
            return y if out.dtype.kind in "fiu" and _is_alike(y, out) else None
    elif x is not None and name in ("T", "matrix_transpose"):
        inner = made.get(id(x))
        if inner is not None and inner.name == name and isinstance(inner.args[0], Value):
            return inner.args[0]
    elif x is not None and name == "permute_dims":
        inner = made.get(id(x))
        if inner is not None and inner.name == name and not call.kwargs and not inner.kwargs:
            first, second = inner.args[1:], call.args[1:]
            if len(first) == len(second) == 1 and isinstance(inner.args[0], Value):
                axes = [first[0][i] for i in second[0]]
                if [a % len(axes) for a in axes] == list(range(len(axes))):
                    return inner.args[0]
    elif x is not None and name == "conj" and out.dtype.kind in "iuf" and _is_alike(x, out):
        return x
    elif x is not None and name in ("astype", "copy", "reshape", "broadcast_to"):
        return x if _is_alike(x, out) and x.kind != "constant" else None
    return None


def _is_alike(x: Value, out: Value) -> bool:
    return x.shape == out.shape and x.dtype == out.dtype and x.strides == out.strides


def _is_one(x: Any, ones: set[int]) -> bool:
    """Return True for the number one, and for an array of ones."""
    if type(x) in (int, float):
        return bool(x == 1)
    if isinstance(x, Value) and id(x) in ones:
        return True
    if isinstance(x, Value) and x.kind == "constant":
        return bool((x.data == 1).all()) if hasattr(x.data, "all") else False
    return False


def _masks_nothing(x: Any, weight: Any, made: dict[int, Call]) -> bool:
    """Return True if no NaN of the array can come from a weight of 0 or infinity."""
    if not isinstance(weight, Value) or x is None:
        return False
    if weight.kind == "constant":
        data = weight.data
        return bool(((data != 0) & (abs(data) < math.inf)).all())
    while True:
        if x is weight:
            return True
        call = made.get(id(x))
        if call is None or call.writes:
            return False
        args = call.args
        if call.name == "negative" or (
            call.name in ("multiply", "divide") and len(args) == 2 and _is_finite(args[1], x.dtype)
        ):
            x = args[0]
        elif call.name == "multiply" and len(args) == 2 and _is_finite(args[0], x.dtype):
            x = args[1]
        else:
            return False
        if not isinstance(x, Value) or x.dtype is None or x.dtype.kind != "f":
            return False


def _is_finite(x: Any, dtype: Any) -> bool:
    """Return True for a number that is finite and not 0 in this precision, and for a constant."""
    if type(x) in (int, float):
        limit = 1e4 if dtype.itemsize < 4 else 1e30
        return bool(1 / limit < abs(x) < limit)
    if isinstance(x, Value) and x.kind == "constant" and x.dtype is not None:
        if x.dtype.kind != "f" or x.dtype.itemsize < 4:
            return False
        size = abs(x.data)
        return bool(((size > 1e-30) & (size < 1e30)).all())
    return False
