"""What happens to an operation of which some operand is traced.

It is performed at the highest level among its operands: these are unwrapped, the operation is
performed on what they wrap (which is the same again, one level lower), and the result is
wrapped, with a node or with a tangent. So differentiations nest in any mix, each sees its own
derivatives only, and there is no state beside the tensors but whether recording is switched off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from .. import _dispatch, _native
from .._device import get_device
from .._dispatch import (
    OPTIONAL_SCALARS,
    apply,
    beside,
    binary,
    call,
    clock,
    keep,
    pair,
    sequence,
    ternary,
    unary,
    wrap,
)
from .._dispatch import SCALARS as _SCALARS
from .._errors import describe, explain
from .._standard import MUTATING
from .._strict import is_strict, strict
from .._tensor import Tensor
from ._rules import DATA, LIKE, RULES, NotDifferentiableError, Rule
from ._traced import (
    Dual,
    Leaf,
    Like,
    Node,
    Part,
    Tangent,
    Traced,
    Variable,
    View,
    _pause,
    is_off,
    joined,
    paused,
)

_new_like = tuple.__new__  # a named tuple's own takes a frame
_rule_of = RULES.get

# ---- traced tensors and their nodes


def traced(cls: type[Traced], value: Tensor, trace: Any, view: Any = None) -> Any:
    """A traced tensor over `value`."""
    out = _native.new(cls)
    out._data = value._data
    out._device = value._device
    out._value = value
    out._trace = trace
    out._view = view
    return out


def leaf(value: Tensor, level: int) -> Leaf:
    """The node of a tensor with which recording begins."""
    found = new = node(value, level, Leaf)
    new.rule = None
    new.parents = ()
    new.saved = ()
    found.grad = None
    return found


def node(value: Tensor, level: int, cls: Any = Node) -> Any:
    """A node for `value`; the caller sets rule, parents, saved and kwargs."""
    new = _native.new(cls)
    data = value._data
    new.level = level
    new.time = next(clock)
    new.shape = _native.shape(data)
    new.dtype = _native.dtype(data)
    new.hooks = None
    return new


def part(value: Tensor, whole: Node, index: int) -> Part:
    """The node of one of several results of an operation, whose own node is `whole`."""
    found = new = node(value, whole.level, Part)
    new.rule = whole.rule
    new.parents = (whole,)
    new.saved = ()
    found.index = index
    return found


# ---- operations


def transform(
    name: str, operands: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Perform an operation of which some operand is traced."""
    if name in MUTATING:
        return write(name, operands, args)
    rule = _rule_of(name)
    if rule is not None and rule.prepare is not None:
        result = rule.prepare(operands, args, kwargs)
        if result is not NotImplemented:
            return result
    pause = paused()
    level, cls = -1, None
    followed: list[Any] = []
    for x in operands:
        while isinstance(x, Traced):
            if x._view is not None:
                refresh(x)
            if isinstance(x, Dual) or not is_off(x, pause):
                if x._trace.level > level:
                    level, cls = x._trace.level, type(x)
                break
            outer, x = x, joined(x._value)
            if rule is None or rule.put is None:
                continue
            if isinstance(x, Traced):
                # It is followed itself, and a write to a view of it would not reach `outer`.
                x = snapshot(x)
                x._view = View(outer, "shared", (name,), {}, None, outer._trace)
            else:
                x = detached(outer)  # later writes to `outer` reach the view
        followed.append(x)
    if cls is None:
        return run(name, followed, args, kwargs)
    operands = tuple(followed)
    flags = [isinstance(x, Traced) and x._trace.level == level for x in operands]
    inner = [x._value if flag else x for x, flag in zip(operands, flags, strict=True)]
    if rule is None or rule.refused:
        raise _refusal(name, rule, inner, args, kwargs)
    if rule.scalar is not None and sum(isinstance(x, Tensor) for x in operands) == 1:
        rule = rule.scalar
    if issubclass(cls, Dual):
        return _push(rule, cls, operands, inner, flags, level, args, kwargs)
    return _record(rule, cls, operands, inner, flags, level, args, kwargs)


# ---- the same, short, for one or two traced operands of one level

_NONE: dict[str, Any] = {}
_NOTHING = (None, None, None)


def record_call(
    name: str, operands: tuple[Any], args: tuple[Any, ...] = (), kwargs: dict[str, Any] = _NONE
) -> Any:
    """`transform` for one variable, and parameters."""
    x = operands[0]
    value = x._value
    rule = _rule_of(name)
    parent = x._trace
    if (
        rule is None
        or not rule.vjps
        or rule.prepare is not None
        or type(x._view) is View
        or paused() is not None
        or parent.level < 0
    ):
        return apply(name, operands, args, kwargs)
    if name == "getitem":
        out = value[args[0]]
    elif type(value) is Tensor and not is_strict():
        t = value
        device = t._device
        try:  # as `call` does, which would be one more call
            data = device.ops[name](t._data, *args, **kwargs)
        except Exception as error:
            raise explain(error, name, (value, *args), kwargs) from error
        out = _dispatch.wrap(data, device)
    else:
        out = call(name, value, *args, **kwargs)
    if isinstance(out, tuple):  # several results
        return _record(rule, Variable, operands, [value], [True], parent.level, args, kwargs, out)
    t = out
    data = t._data
    if _native.kind(data) not in "fc":
        return out  # bools and ints have no derivative
    keep_out, keep_x = rule.wants[0]
    new = _native.new(Node)
    new.rule = rule
    new.parents = (parent,)
    new.saved = (
        (out if keep_out == DATA else _saved(out, LIKE)) if keep_out else None,
        (value if keep_x == DATA else _saved(value, LIKE)) if keep_x else None,
    )
    if args:
        if name in _WITH_KEYS and type(args[0]) not in _dispatch.PLAIN_KEYS:
            args = (_kept_key(args[0]), *args[1:])
        new.saved += args
    new.kwargs = kwargs
    new.level = parent.level
    new.time = next(clock)
    new.shape = _native.shape(data)
    new.dtype = _native.dtype(data)
    new.hooks = None
    device = t._device
    result = _native.new(Variable)
    result._data = data
    result._device = device
    result._value = out
    result._trace = new
    if rule.put is not None:
        root = device.ops["root"]
        t = value
        if root(data) is root(t._data):
            result._view = View(x, name, args, kwargs, None, parent)
            return result
    result._view = None
    return result


def record_binary(name: str, x1: Any, x2: Any, operator: bool) -> Any:
    """`transform` for two operands, at least one of them a variable."""
    rule = _rule_of(name)
    if rule is None or not rule.vjps or paused() is not None:
        return beside(name, x1, x2, operator)
    t1: Any
    t2: Any
    if type(x1) is Variable:
        t1 = x1
        node1 = t1._trace
        level = node1.level
        a = t1._value
        if rule.scalar is not None and type(x2) in _SCALARS:
            rule = rule.scalar
        if type(t1._view) is View:
            return beside(name, x1, x2, operator)
        if type(x2) is Variable:
            t2 = x2
            node2 = t2._trace
            b = t2._value
            if type(t2._view) is View or node2.level != level:
                return beside(name, x1, x2, operator)
            wants = rule.both
        elif type(x2) is Tensor or type(x2) in _SCALARS:
            node2 = None
            b = x2
            wants = rule.wants[0]
        else:
            return beside(name, x1, x2, operator)
    elif type(x1) is Tensor or type(x1) in _SCALARS:
        node1 = None
        a = x1
        t2 = x2
        node2 = t2._trace
        level = node2.level
        b = t2._value
        if rule.scalar is not None and type(x1) in _SCALARS:
            rule = rule.scalar
        if type(t2._view) is View:
            return beside(name, x1, x2, operator)
        wants = rule.wants[1]
    else:
        return beside(name, x1, x2, operator)
    if level < 0:
        return beside(name, x1, x2, operator)
    if type(a) is Tensor and type(b) is Tensor and not is_strict():
        t1, t2 = a, b
        device = t1._device
        if device is not t2._device:
            return apply(name, (x1, x2))  # which raises
        try:  # as `binary` does, which would be one more call
            data = device.ops[name](t1._data, t2._data)
        except Exception as error:
            raise explain(error, name, (x1, x2)) from error
        if type(data) is device.array_type:
            t = _native.new(Tensor)
            t._data = data
            t._device = device
            t._value = None
        else:
            t = wrap(data, device)
    else:
        t = _dispatch.binary(name, a, b)
    if x1 is x2 and name == "multiply":  # a square: one product in its gradient, not two
        rule, node2, b = RULES["pow"], None, 2
        wants = rule.wants[0]
    data = t._data
    keep_out, keep1, keep2 = wants
    new = _native.new(Node)
    new.rule = rule
    new.parents = (node1, node2)
    new.saved = (
        _NOTHING
        if not (keep_out or keep1 or keep2)
        else (
            (t if keep_out == DATA else _saved(t, LIKE)) if keep_out else None,
            (a if node1 is not None and keep1 == DATA else _saved(a, keep1)) if keep1 else None,
            (b if node2 is not None and keep2 == DATA else _saved(b, keep2)) if keep2 else None,
        )
    )
    new.kwargs = _NONE
    new.level = level
    new.time = next(clock)
    new.shape = _native.shape(data)
    new.dtype = _native.dtype(data)
    new.hooks = None
    result = _native.new(Variable)
    result._data = data
    result._device = t._device
    result._value = t
    result._trace = new
    result._view = None
    return result


def push_call(
    name: str, operands: tuple[Any], args: tuple[Any, ...] = (), kwargs: dict[str, Any] = _NONE
) -> Any:
    """`transform` for one dual tensor, and parameters."""
    x = operands[0]
    rule = _rule_of(name)
    level, t = x._trace
    if rule is None or not rule.jvps or rule.composed or x._view is not None or t is None:
        return apply(name, operands, args, kwargs)
    jvp = rule.jvps[0]
    if jvp is None or rule.put is not None or rule.prepare is not None:
        return apply(name, operands, args, kwargs)
    value = x._value
    out = call(name, value, *args, **kwargs)
    if isinstance(out, tuple) or out._data.dtype.kind not in "fc":
        return apply(name, operands, args, kwargs) if isinstance(out, tuple) else out
    with quiet():
        part = jvp(t, out, value, *args, **kwargs)
        if part is not None:
            part = fit(settle(part, t) if rule.elementwise else part, out)
    return traced(Dual, out, Tangent(level, part))


def push_binary(name: str, x1: Any, x2: Any, operator: bool) -> Any:
    """`transform` for two operands, at least one of them dual."""
    rule = _rule_of(name)
    if rule is None or not rule.jvps or rule.composed:
        return beside(name, x1, x2, operator)
    level = (x1 if type(x1) is Dual else x2)._trace.level
    inner, tangents = [], []
    for x in (x1, x2):
        if type(x) is Dual and x._view is None and x._trace.level == level:
            inner.append(x._value)
            tangents.append(x._trace.value)
        elif type(x) is Tensor or type(x) in _SCALARS:
            inner.append(x)
            tangents.append(None)
        else:
            return beside(name, x1, x2, operator)
    if rule.scalar is not None and (type(x1) in _SCALARS or type(x2) in _SCALARS):
        rule = rule.scalar
    a, b = inner
    out = binary(name, a, b)
    total = None
    with quiet():
        for t, jvp in zip(tangents, rule.jvps, strict=True):
            if t is None or jvp is None:
                continue
            part = jvp(t, out, a, b)
            if part is None:
                continue
            if rule.elementwise:
                part = settle(part, t)
            part = fit(part, out)
            total = part if total is None else total + part
    return traced(Dual, out, Tangent(level, total))


def _operator(name: str, reflected: bool) -> Any:
    short = _dispatch.SHORT_BINARY.get  # asked each time: `debug_nans` empties it
    if reflected:

        def operator(self: Variable, other: Any, /) -> Any:
            return short(Variable, beside)(name, other, self, True)
    else:

        def operator(self: Variable, other: Any, /) -> Any:
            return short(Variable, beside)(name, self, other, True)

    return operator


# The operators of arithmetic once more, without the call between: `binary` would only pass on.
for _name, _method in {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "pow": "pow",
    "matmul": "matmul",
}.items():  # fmt: skip
    setattr(Variable, f"__{_method}__", _operator(_name, False))
    setattr(Variable, f"__r{_method}__", _operator(_name, True))

_dispatch.SHORT_CALL[Variable] = record_call
_dispatch.SHORT_BINARY[Variable] = record_binary
_dispatch.SHORT_CALL[Dual] = push_call
_dispatch.SHORT_BINARY[Dual] = push_binary


def run(name: str, operands: Sequence[Any], args: tuple[Any, ...] = (), kwargs: Any = _NONE) -> Any:
    """An operation by its name, on tensors of any kind."""
    special = _SPECIAL.get(name)
    if special is not None:
        return special(operands, args, kwargs)
    if len(operands) == 1:
        if args or kwargs:
            return call(name, operands[0], *args, **kwargs)
        return unary(name, operands[0])
    if len(operands) == 2 and not args:
        return pair(name, *operands, **kwargs) if kwargs else binary(name, *operands)
    return apply(name, operands, args, kwargs)


def _where(operands: Any, _args: Any, _kwargs: Any) -> Any:
    return ternary("where", operands[0], operands[1], operands[2])


def _clip(operands: Any, _args: Any, _kwargs: Any) -> Any:
    return ternary("clip", operands[0], operands[1], operands[2], OPTIONAL_SCALARS)


#: Operations that another call performs than their number of operands tells.
_SPECIAL: dict[str, Any] = {
    "getitem": lambda operands, args, kwargs: operands[0][args[0]],
    "put": lambda operands, args, kwargs: put(operands[0], operands[1], args[0]),
    "scatter": lambda operands, args, kwargs: _dispatch.scatter(operands[0], *args),
    "tie": lambda operands, args, kwargs: tie(*operands),
    "shared": lambda _operands, args, _kwargs: _refuse_shared(None, None, *args),
    "to_device": lambda operands, args, kwargs: operands[0].to_device(*args, **kwargs),
    "where": _where,
    "clip": _clip,
    "concat": lambda operands, args, kwargs: sequence("concat", operands, **kwargs),
    "stack": lambda operands, args, kwargs: sequence("stack", operands, **kwargs),
    "broadcast_arrays": lambda operands, args, kwargs: apply("broadcast_arrays", operands),
    "meshgrid": lambda operands, args, kwargs: apply("meshgrid", operands, (), kwargs),
    # which take tensors as keywords
    "linalg.pinv": lambda operands, args, kwargs: apply("linalg.pinv", operands, (), kwargs),
    "searchsorted": lambda operands, args, kwargs: apply("searchsorted", operands, (), kwargs),
}


def _refuse_shared(_x: Any, _new: Any, name: str) -> Any:
    raise RuntimeError(
        f"{name}: the result shares its memory with an operand or another result, and one of them "
        "has been written; copy it first: xp.asarray(x, copy=True)"
    )


#: Of what a function gave that is not followed itself, such as one with a rule of its own.
RULES["shared"] = Rule("shared", [(None, None)], put=_refuse_shared)


def tie(x: Tensor, other: Tensor) -> Tensor:
    """`x`, which depends on `other` as far as anybody can tell, but with a derivative of 0."""
    if isinstance(x, Traced) or isinstance(other, Traced):
        return transform("tie", (x, other), (), {})
    return x


def updated(name: str, new: Any, value: Any) -> Any:
    """A tensor that nobody else has yet, after an in-place operation, which nobody need note."""
    if type(new) is Tensor:
        t = new
        device = t._device
        if type(value) is Tensor:
            v = value
            if v._device is device:
                device.ops[name](t._data, v._data)
                return new
        if type(value) in _SCALARS:
            device.ops[name](new._data, value)
            return new
    if name == "irtruediv":
        return value / new
    if name == "imul" and not (new.size == 1 and new.dtype.kind == "c"):
        return new * value  # (one complex product is rounded otherwise in place)
    return _dispatch.inplace(name, new, value)


def put(x: Tensor, value: Any, key: Any) -> Tensor:
    """`x` with `value` written where `key` selects: assignment as a function."""
    if isinstance(x, Traced) or isinstance(value, Traced):
        return transform("put", (x, value), (key,), {})
    out = unary("copy", x)
    out[key] = value
    return out


_WITH_KEYS = frozenset({"getitem", "put", "scatter"})


def _refusal(name: str, rule: Rule | None, inner: list[Any], args: Any, kwargs: Any) -> Exception:
    why = rule.refused if rule is not None else "it has no rule"
    got = ", ".join(describe(x) for x in inner)
    return NotDifferentiableError(
        f"{name}: not differentiable: {why}; got {got}. Write autodiff.stop_gradient(x) for an "
        "operand that counts as constant"
    )


def _saved(value: Any, want: int) -> Any:
    """What a node keeps of an operand."""
    if not want:
        return None
    if not isinstance(value, Tensor):
        return value
    if want == LIKE:
        t = value
        data = t._data
        return _new_like(Like, (_native.shape(data), _native.dtype(data), t._device))
    return snapshot(value)


def snapshot(x: Tensor) -> Tensor:
    """A tensor of the same state as `x`, which no write through `x` changes."""
    if isinstance(x, Traced):
        refresh(x)
        return traced(type(x), x._value, x._trace)
    data = x._data
    device = x._device
    if x._value is None and data.size <= _SMALL and device.ops["root"](data) is not data:
        # A view of something that may be written as a whole later on; copied, it does not
        # stand in the way. Not for others to keep too: the base may be written before.
        return unary("copy", x)
    return keep(x)


def _kept_key(key: Any) -> Any:
    """An index that no later write changes."""
    if isinstance(key, (tuple, list)):
        return type(key)([_kept_key(k) for k in key])
    return snapshot(key) if isinstance(key, Tensor) else key


_SMALL = 1024


def _record(
    rule: Rule,
    cls: type[Traced],
    operands: tuple[Any, ...],
    inner: list[Any],
    flags: list[bool],
    level: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    out: Any = None,
) -> Any:
    if out is None:
        out = run(rule.name, inner, args, kwargs)
    several = isinstance(out, (tuple, list))
    if several:
        if not out:
            return out
        if rule.split is not None:
            out = rule.split(out)
        new = node(out[0], level)
        new.shape = tuple([o._data.shape for o in out])
    else:
        if out._data.dtype.kind not in "fc":
            return out  # bools and ints have no derivative
        new = node(out, level)
    new.rule = rule
    new.parents = tuple([operands[i]._trace if f else None for i, f in enumerate(flags)])
    plan = rule.plan(tuple(flags))
    saved: list[Any] = [None]
    if plan[0]:
        if several:
            saved[0] = tuple([_saved(o, plan[0]) for o in out])
        else:
            saved[0] = out if plan[0] == DATA else _saved(out, LIKE)
    for value, flag, want in zip(inner, flags, plan[1:], strict=True):
        if not want:
            saved.append(None)
        elif flag and want == DATA:
            saved.append(value)  # what a traced operand wraps is never written
        else:
            saved.append(_saved(value, want))
    if args and type(args[0]) not in _dispatch.PLAIN_KEYS and rule.name in _WITH_KEYS:
        args = (_kept_key(args[0]), *args[1:])
    new.saved = (*saved, *args)
    new.kwargs = kwargs
    if not several:
        return _viewing(rule, traced(cls, out, new), operands, inner, args, kwargs, None)
    results = [
        _viewing(rule, traced(cls, o, part(o, new, i)), operands, inner, args, kwargs, i)
        if o._data.dtype.kind in "fc"
        else o
        for i, o in enumerate(out)
    ]
    return _like_tuple(out, results)


def _like_tuple(out: Any, parts: list[Any]) -> Any:
    make = getattr(type(out), "_make", type(out))
    return make(parts)


def _viewing(
    rule: Rule,
    result: Any,
    operands: tuple[Any, ...],
    inner: list[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    index: int | None,
) -> Any:
    """A result that notes whose view it is, if it is one."""
    if rule.put is not None:
        position = index if rule.listed and index is not None else 0
        x, y = operands[position], result._value
        root = y._device.ops["root"]
        if isinstance(x, Traced) and root(y._data) is root(x._data):
            if rule.listed:  # taken again without the others
                result._view = View(x, "broadcast_to", (y._data.shape,), {}, None, x._trace)
            else:
                result._view = View(x, rule.name, args, kwargs, index, x._trace)
    return result


def _push(
    rule: Rule,
    cls: type[Traced],
    operands: tuple[Any, ...],
    inner: list[Any],
    flags: list[bool],
    level: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    out = run(rule.name, inner, args, kwargs)
    several = isinstance(out, (tuple, list))
    if not several and out._data.dtype.kind not in "fc":
        return out
    tangents = [x._trace.value if flag else None for x, flag in zip(operands, flags, strict=True)]
    with quiet():
        if rule.rotate is not None and tangents[0] is not None:
            out, total = rule.rotate(tangents[0], out, inner[0], *args, **kwargs)
        else:
            total = _tangent(rule, out, several, tangents, inner, args, kwargs)
    if not several:
        result = traced(cls, out, Tangent(level, total))
        return _viewing(rule, result, operands, inner, args, kwargs, None)
    results = [
        _viewing(rule, traced(cls, o, Tangent(level, t)), operands, inner, args, kwargs, i)
        if o._data.dtype.kind in "fc"
        else o
        for i, (o, t) in enumerate(zip(out, total or [None] * len(out), strict=True))
    ]
    return _like_tuple(out, results)


def _tangent(
    rule: Rule,
    out: Any,
    several: bool,
    tangents: list[Tensor | None],
    inner: list[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """The tangent of the result, None for zero; a list of these for several results."""
    if all(t is None for t in tangents) or not rule.jvps:
        return None
    if rule.listed:
        filled = [zeros(x) if t is None else t for x, t in zip(inner, tangents, strict=True)]
        part = rule.jvps[0](filled, *args, **kwargs)  # type: ignore[misc]  # (it has that one)
        return [fit(p, o) for p, o in zip(part, out, strict=True)] if several else fit(part, out)
    total: Any = None
    for i, t in enumerate(tangents):
        if t is None:
            continue
        jvp = rule.jvps[i]
        if jvp is None:
            vjp = rule.vjps[i]
            if vjp is None:
                continue
            jvp = _backward.transposed_vjp(vjp, several)
        part = jvp(t, out, *inner, *args, **kwargs)
        if several:
            parts = [None if p is None else fit(p, o) for p, o in zip(part, out, strict=True)]
            total = parts if total is None else list(map(_sum, total, parts))
            continue
        if part is None:
            continue
        if rule.elementwise:
            part = settle(part, t)
        part = fit(part, out)
        total = part if total is None else total + part
    return total


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b


def zeros(x: Any) -> Tensor:
    """Zeros of the shape, dtype and device of a tensor or of its `Like`."""
    return _dispatch.create("zeros", x.device, x.shape, dtype=x.dtype)


def fit(t: Tensor, like: Any) -> Tensor:
    """A tangent broadcast and cast to a result's shape and dtype."""
    if t._data.shape != like.shape:
        t = _dispatch.call("broadcast_to", t, like.shape)
    if t._data.dtype is not like.dtype and t._data.dtype != like.dtype:
        t = _cast(t, like.dtype)
    return t


def _cast(g: Tensor, dtype: Any) -> Tensor:
    if g._data.dtype.kind == "c" and dtype.kind == "f":
        g = unary("real", g)
        if g._data.dtype == dtype:
            return g
    return _dispatch.call("astype", g, dtype)


def conform(g: Tensor, node: Any) -> Tensor:
    """A cotangent summed and cast to an operand's shape and dtype."""
    have, want = g._data.shape, node.shape
    if have != want and g._data.size == math.prod(want) and 0 not in have:
        g = _dispatch.call("reshape", g, want, copy=None)  # only axes of one element are too many
    elif have != want:
        extra = len(have) - len(want)
        axes = tuple(
            [i for i, n in enumerate(have) if i < extra or (want[i - extra] == 1 and n != 1)]
        )
        if extra == len(axes):
            g = _dispatch.reduction("sum", g, axes, False)
        else:
            g = _dispatch.reduction("sum", g, axes, True)
            if extra:
                g = _dispatch.call("reshape", g, want, copy=None)
    if g._data.dtype is not node.dtype and g._data.dtype != node.dtype:
        g = _cast(g, node.dtype)
    return g


_in_rules: ContextVar[bool] = ContextVar("arraygrad_in_rules", default=False)
_are_in_rules, _enter_rules, _leave_rules = _in_rules.get, _in_rules.set, _in_rules.reset
_numbers = get_device("cpu").backend  # which knows what to warn of
_set_errors, _reset_errors, _ignored = (
    _numbers.errors.set,
    _numbers.errors.reset,
    _numbers.ignored,
)


class quiet:
    """A context for rules: no floating-point warnings, no strict mode.

    Of the CPU, for whatever device; others do not warn. Inside of itself it does nothing.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = hush()

    def __exit__(self, *_: object) -> None:
        unhush(self._before)


def hush() -> Any:
    """Enter `quiet`; gives what `unhush` takes to leave it."""
    if _are_in_rules():
        return None
    inside = _enter_rules(True)
    context = strict(False) if is_strict() else None
    if context is not None:
        context.__enter__()
    return inside, _set_errors(_ignored), context


def unhush(before: Any) -> None:
    """Leave `quiet`."""
    if before is None:
        return
    inside, errors, context = before
    _reset_errors(errors)
    if context is not None:
        context.__exit__(None, None, None)
    _leave_rules(inside)


def settle(x: Tensor, weight: Tensor) -> Tensor:
    """`x` with 0 for its NaNs where `weight` is 0 or infinite: what 0 times infinity counts as."""
    device = x._device
    data = device.ops["settle"](x._data, weight._data)
    if data is x._data:
        return x  # without NaNs, of whatever level
    if type(x) is Tensor:
        return wrap(data, device)
    return binary("settle", x, weight)


# ---- views


def refresh(x: Traced) -> None:
    """Take a view again if its base has been written since."""
    view = x._view
    if type(view) is not View:
        return
    base = view.base
    refresh(base)
    if base._trace is view.seen:
        return
    token = _pause.set(None)  # the view was recorded, whether or not what reads it is
    try:
        become(x, take(base, view))
    finally:
        _pause.reset(token)


from . import _backward  # noqa: E402  (these build on this module, which passes on to them)
from ._backward import run_backward as run_backward  # noqa: E402
from ._writes import become, take, write  # noqa: E402
from ._writes import detached as detached  # noqa: E402
