"""Levels of differentiation: how an operation on traced tensors is performed.

An operation is performed at the highest level among its operands. The operands are unwrapped, the
operation is performed one level lower in the same way, and the result is wrapped with a node or a
tangent. So differentiations nest in any order and each follows its own derivatives only. Apart from
the modes, all state is in the tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _callers, _cpython
from .._array import Array, Level
from .._backends import _ndarray
from .._dispatch import binary
from .._errors import describe
from .._memory import INNER, View, save
from .._modes import _mode
from .._standard import MUTATING
from ._backward import run_backward
from ._grad_mode import recording_off, unrecorded
from ._graph import (
    Node,
    Tangent,
    TensorSpec,
    box,
    level_numbers,
    new_node,
    output_node,
    unhidden,
)
from ._rules import RULES, SAVE_SPEC, NotDifferentiableError, Rule
from ._tangents import add, fit, mask_indeterminate, rule_context, zeros
from ._views import detach, note_view, perform, refresh, snapshot

#: Operations whose first parameter is an index.
KEYED = frozenset({"__setitem__", "getitem", "put", "scatter"})
_TABLE = "docs/differentiable-scipy.md lists the functions that can be differentiated"


def transform(name: str, operands: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
    """Perform an operation with a traced operand."""
    if _batches:
        batch = _batch_of(name, operands, args, kwargs)
        if batch is not None:
            return batch.apply(name, operands, args, kwargs)
    rule = RULES.get(name)
    mode = _cpython.current(_mode)
    if rule is not None:
        if rule.handler is not None:
            return rule.handler(name, operands, args)
        everything = (*operands, *kwargs.values())
        if rule.prepare is not None and any(_level_of(x, mode) is not None for x in everything):
            result = rule.prepare(operands, args, kwargs)
            if result is not NotImplemented:
                return result
    if kwargs:
        kwargs = {k: _constant(name, k, x) for k, x in kwargs.items()}
    level: Any = None
    unwrapped = []
    for x in operands:
        while isinstance(x, Array) and x._trace is not None:
            refresh(x)
            trace = x._trace
            if trace is None:
                break
            if trace.level.forward or not recording_off(x, mode):
                if level is None or trace.level.number > level.number:
                    level = trace.level
                break
            x = _primal_of_unrecorded(x, name, rule)
        unwrapped.append(x)
    if level is None:
        operands = tuple(unwrapped)
        return perform(rule or Rule(name), operands, args, kwargs)
    traces = tuple([_trace_of(x) for x in unwrapped])
    traces = tuple([t if t is not None and t.level is level else None for t in traces])
    inner = tuple([_untraced(x, trace) for x, trace in zip(unwrapped, traces, strict=True)])
    if rule is None or rule.refused:
        raise _refusal(name, rule, inner)
    result = level.perform(rule, tuple(unwrapped), inner, traces, args, kwargs)
    if mode is not None and mode.nans is not None:
        results = result if isinstance(result, (tuple, list)) else (result,)
        mode.nans.check_traced(name, operands, results)
    return result


#: Not empty once a batch has been made; until then, nothing looks for hidden axes.
_batches: list[bool] = []


def note_batch() -> None:
    """Note that there are tensors with hidden axes from now on."""
    if not _batches:
        _batches.append(True)


def _batch_of(name: str, operands: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
    """The highest level in an operation if it is that of a batch; None otherwise."""
    mode = _cpython.current(_mode)
    others = [*kwargs.values()]
    if args and name in KEYED:
        others += args[0] if isinstance(args[0], tuple) else args[:1]
    if name in MUTATING and isinstance(operands[0], Array):
        # Inside of `no_grad`, the write goes to the memory of a recorded tensor.
        x = operands[0]
        refresh(x)
        if x._trace is not None and not x._trace.level.forward and recording_off(x, mode):
            return None
    top: Any = None
    for x in (*operands, *others):
        level = _level_of(x, mode)
        if level is not None and (top is None or level.number > top.number):
            top = level
    return top if top is not None and top.batched else None


def _level_of(x: Any, mode: Any) -> Any:
    """The highest level at which operations on `x` are followed at present; None without one."""
    while isinstance(x, Array) and x._trace is not None:
        refresh(x)
        trace = x._trace
        if trace is None:
            break
        if trace.level.forward or not recording_off(x, mode):
            return trace.level
        x = x._primal
    return None


def _trace_of(x: Any) -> Any:
    return x._trace if isinstance(x, Array) else None


def _constant(name: str, keyword: str, x: Any) -> Any:
    """A parameter, which is not differentiated."""
    mode = _cpython.current(_mode)
    while isinstance(x, Array) and x._trace is not None:
        refresh(x)
        if x._trace is None or x._trace.level.batched:
            break
        if x._trace.level.forward or not recording_off(x, mode):
            raise NotDifferentiableError(
                f"{name}: not differentiable with respect to {keyword}; got {describe(x)}. Write "
                "autodiff.stop_gradient(x) if it counts as constant"
            )
        x = x._primal
    return x


def _primal_of_unrecorded(x: Any, name: str, rule: Rule | None) -> Any:
    """Unwrap a tensor whose operations are not recorded at present."""
    primal = unhidden(x._primal)
    if rule is None or rule.put is None:
        return primal
    if primal._trace is not None:
        # It is followed itself, and a write to a view of it would not reach `x`.
        primal = snapshot(primal)
        note_view(primal, x, "shared", (name,), {}, None)
        return primal
    return unrecorded(x, detach(x))  # later writes to `x` reach the view


def _refusal(name: str, rule: Rule | None, inner: Sequence[Any]) -> Exception:
    why = rule.refused if rule is not None else "it has no rule"
    got = ", ".join(describe(x) for x in inner)
    return NotDifferentiableError(
        f"{name}: not differentiable: {why}; got {got}. Write autodiff.stop_gradient(x) for an "
        "operand that counts as constant"
    )


class Differentiation(Level):
    """The base class of both modes."""

    __slots__ = ()

    def __init__(self, number: int | None = None) -> None:
        self.number = next(level_numbers) if number is None else number
        self.closed = False

    def process(self, name: str, operands: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
        """Perform an operation that a tensor of this level takes part in."""
        rule = RULES.get(name)
        if (
            rule is None
            or rule.prepare is not None
            or rule.handler is not None
            or rule.refused
            or self.number < 0
            or self.closed
            or _cpython.current(_mode) is not None
        ):
            return transform(name, operands, args, kwargs)
        if kwargs:
            for x in kwargs.values():
                if isinstance(x, Array):
                    return transform(name, operands, args, kwargs)
        n = len(operands)
        if n == 1:
            x = operands[0]
            trace = _trace_at(self, x)
            if trace is NotImplemented:
                return transform(name, operands, args, kwargs)
            return self.perform(rule, operands, (_untraced(x, trace),), (trace,), args, kwargs)
        if n == 2:
            x, y = operands
            trace, other = _trace_at(self, x), _trace_at(self, y)
            if trace is NotImplemented or other is NotImplemented:
                return transform(name, operands, args, kwargs)
            inner = (_untraced(x, trace), _untraced(y, other))
            return self.perform(rule, operands, inner, (trace, other), args, kwargs)
        traces = tuple([_trace_at(self, x) for x in operands])
        if NotImplemented in traces:
            return transform(name, operands, args, kwargs)
        inner = tuple([_untraced(x, trace) for x, trace in zip(operands, traces, strict=True)])
        return self.perform(rule, operands, inner, traces, args, kwargs)

    def perform(
        self, rule: Rule, operands: Any, inner: Any, traces: Any, args: Any, kwargs: Any
    ) -> Any:
        """Perform an operation on the unwrapped operands, and wrap the result."""
        raise NotImplementedError

    def refresh(self, x: Any) -> None:
        """Bring a tensor of this level up to date."""
        refresh(x)

    def detach(self, x: Any) -> Any:
        """The data as a plain tensor."""
        return detach(x)

    def check_constant(self, x: Any, name: str) -> None:
        """Raise if a gradient would be lost by reading the data."""
        if gradient_flows(x):
            write = "x.detach() or autodiff.stop_gradient(x) if that is meant"
            reads = "this call reads the values; write "
            why = reads + write
            if name == "__array__":
                why = f"{reads}functions of arraygrad instead of NumPy's (xp.exp(x)), or {write}"
                why = _callers.reason(why, f"{_TABLE}; write {write}")
            raise NotDifferentiableError(f"{name}: the gradient would be lost, because {why}")

    def check_number(self, x: Any, name: str) -> None:
        """Raise if a gradient would be lost: libraries continue with float(x)."""
        if gradient_flows(x):
            why = _callers.reason(
                "a Python number has none; write functions of arraygrad instead of those "
                "of math (xp.sqrt(x)), comparisons as they are (x > 0), x.item() for the number on "
                "purpose, or autodiff.stop_gradient(x)",
                f"{_TABLE}; write x.detach() or autodiff.stop_gradient(x) if that is meant",
            )
            raise NotDifferentiableError(f"{name}: the gradient would be lost, because {why}")

    def backward(self, x: Any, gradient: Any, retain_graph: Any, create_graph: bool) -> None:
        """See `Tensor.backward`."""
        run_backward(x, gradient, retain_graph, create_graph)


def _trace_at(level: Level, x: Any) -> Any:
    """The trace of an operand at a level; None without one, NotImplemented for another level."""
    if not isinstance(x, Array):
        return None
    t = x
    if t._trace is None:
        return None
    if type(t._view) is View:
        refresh(t)
    trace = t._trace
    return trace if trace is not None and trace.level is level else NotImplemented


def _untraced(x: Any, trace: Any) -> Any:
    """An operand without its trace at the level of the operation, if it has one there."""
    if trace is None:
        return x
    t = x
    return t._primal


def gradient_flows(x: Any) -> bool:
    """Return True if reading the data of `x` would lose a gradient."""
    mode = _cpython.current(_mode)
    while x._trace is not None:
        refresh(x)
        trace = x._trace
        if trace is None:
            break
        if trace.level.forward:
            if trace.value is not None:
                return True
        elif not recording_off(x, mode) and _reaches_leaf(trace):
            return True
        x = x._primal
    return False


def _reaches_leaf(start: Node) -> bool:
    """Return True if a path to a leaf is left, neither freed nor piecewise constant."""
    stack, seen = [start], {start}
    while stack:
        node = stack.pop()
        rule = node.rule
        if rule is None:
            return True
        if node.saved is not None and (rule.vjps or rule.joint_vjp is not None):
            new = {parent for parent in node.parents if parent is not None} - seen
            seen |= new
            stack.extend(new)
    return False


def _one_tensor(inner: Any) -> bool:
    """Return True for one tensor among Python scalars."""
    n = 0
    for x in inner:
        n += isinstance(x, Array)
    return n == 1


class ReverseLevel(Differentiation):
    """A differentiation that records a graph."""

    __slots__ = ()

    def perform(
        self, rule: Rule, operands: Any, inner: Any, traces: Any, args: Any, kwargs: Any
    ) -> Any:
        """Perform an operation and record it."""
        if len(inner) > 1:
            if rule.scalar is not None and _one_tensor(inner):
                rule = rule.scalar
            elif operands[0] is operands[1] and rule.name == "multiply":
                # A square: one product in its gradient, not two.
                rule, inner, traces = RULES["pow"], (inner[0], 2), (traces[0], None)
                out = binary("multiply", inner[0], inner[0])
                return self.record(rule, out, operands, inner, traces, args, kwargs)
        out = perform(rule, inner, args, kwargs)
        return self.record(rule, out, operands, inner, traces, args, kwargs)

    def record(
        self, rule: Rule, out: Any, operands: Any, inner: Any, traces: Any, args: Any, kwargs: Any
    ) -> Any:
        """A result with a node that says how it came about."""
        several = isinstance(out, (tuple, list))
        if several:
            if not out:
                return out
            if rule.perturb is not None:
                out = rule.perturb(out)
            node = new_node(out[0], self)
            node.shape = tuple([o._data.shape for o in out])
        else:
            value = out
            node = new_node(value, self)
            if _ndarray.kind(value._data) not in "fc":
                return out  # bools and ints have no derivative
        node.rule = rule
        node.parents = traces
        node.kwargs = kwargs
        n = len(inner)
        if rule.composed or n > 2:
            plan = rule.plan(tuple([t is not None for t in traces]))
        elif n == 1:
            plan = rule.saves[0]
        else:
            first, second = traces
            plan = rule.saves[1] if first is None else rule.saves_all if second is not None else (
                rule.saves[0]
            )  # fmt: skip
        want = plan[0]
        if not want:
            saved = None
        elif several:
            saved = tuple([_save(o, want, True) for o in out])
        else:
            saved = _save(out, want, True)
        if n == 1:
            node.saved = (saved, _save(inner[0], plan[1], True))
        elif n == 2:
            first, second = traces
            node.saved = (
                saved,
                _save(inner[0], plan[1], first is not None),
                _save(inner[1], plan[2], second is not None),
            )
        else:
            node.saved = (
                saved,
                *[_save(inner[i], plan[i + 1], traces[i] is not None) for i in range(n)],
            )
        if args:
            node.saved += (_save_key(args[0]), *args[1:]) if rule.call is not None else args
        if not several:
            result = box(out, node)
            if rule.put is not None:
                _note_if_view(rule, result, operands[0], inner[0], args, kwargs, None)
            return result
        results = []
        for i, o in enumerate(out):
            if o._data.dtype.kind not in "fc":
                results.append(o)
                continue
            result = box(o, output_node(o, node, i))
            if rule.put is not None:
                _note_if_view(rule, result, operands[0], inner[0], args, kwargs, i)
            results.append(result)
        return getattr(type(out), "_make", type(out))(results)


def _note_if_view(
    rule: Rule, result: Any, operand: Any, inner: Any, args: Any, kwargs: Any, index: int | None
) -> None:
    """Note that a result is a view of its operand, if that holds one level lower."""
    link = result._primal._view
    if type(link) is View and link.base is inner:
        note_view(result, operand, rule.name, args, kwargs, index)
        if result._primal._trace is None:
            result._primal._view = INNER


def _save(value: Any, want: int, is_primal: bool) -> Any:
    """The part of an operand that a node saves."""
    if not want:
        return None
    if not isinstance(value, Array):
        return value
    x = value
    if want == SAVE_SPEC:
        spec = TensorSpec.__new__(TensorSpec)  # (__init__ takes longer than all of this)
        spec.shape = _ndarray.shape(x._data)
        spec.dtype = _ndarray.dtype_of(x._data)
        spec.device = x._device
        return spec
    if is_primal and x._trace is None and x._storage is None:
        return value  # nothing else has its memory
    return save(value) if x._trace is None else snapshot(value)


def _save_key(key: Any) -> Any:
    """An index that no later write changes."""
    if isinstance(key, (tuple, list)):
        return type(key)([_save_key(k) for k in key])
    return snapshot(key) if isinstance(key, Array) else key


class ForwardLevel(Differentiation):
    """A differentiation that propagates tangents."""

    __slots__ = ()

    forward = True

    def perform(
        self, rule: Rule, operands: Any, inner: Any, traces: Any, args: Any, kwargs: Any
    ) -> Any:
        """Perform an operation and propagate the tangents of its operands."""
        if rule.scalar is not None and _one_tensor(inner):
            rule = rule.scalar
        out = perform(rule, inner, args, kwargs)
        several = isinstance(out, (tuple, list))
        if not several and out._data.dtype.kind not in "fc":
            return out
        tangents = [None if t is None else t.value for t in traces]
        with rule_context():
            if rule.rotate is not None and tangents[0] is not None:
                out, total = rule.rotate(tangents[0], out, inner[0], *args, **kwargs)
            else:
                total = _tangent(rule, out, several, tangents, inner, args, kwargs)
        if not several:
            result = box(out, Tangent(self, total))
            if rule.put is not None:
                _note_if_view(rule, result, operands[0], inner[0], args, kwargs, None)
            return result
        results = []
        for i, (o, t) in enumerate(zip(out, total or [None] * len(out), strict=True)):
            if o._data.dtype.kind not in "fc":
                results.append(o)
                continue
            result = box(o, Tangent(self, t))
            if rule.put is not None:
                _note_if_view(rule, result, operands[0], inner[0], args, kwargs, i)
            results.append(result)
        return getattr(type(out), "_make", type(out))(results)


def _tangent(
    rule: Rule, out: Any, several: bool, tangents: Any, inner: Any, args: Any, kwargs: Any
) -> Any:
    """The tangent of the result, None for zero; a list of these for several results."""
    if all(t is None for t in tangents) or not rule.jvps:
        return None
    if rule.variadic:
        filled = [zeros(x) if t is None else t for x, t in zip(inner, tangents, strict=True)]
        term = rule.jvps[0](filled, *args, **kwargs)  # type: ignore[misc]  # (it has that one)
        return [fit(p, o) for p, o in zip(term, out, strict=True)] if several else fit(term, out)
    total: Any = None
    for t, jvp in zip(tangents, rule.jvps, strict=True):
        if t is None or jvp is None:
            continue
        term = jvp(t, out, *inner, *args, **kwargs)
        if several:
            terms = [None if p is None else fit(p, o) for p, o in zip(term, out, strict=True)]
            total = terms if total is None else list(map(add, total, terms))
        elif term is not None:
            if rule.elementwise:
                term = mask_indeterminate(term, t, jvp, (out, *inner, *args), kwargs)
            total = add(total, fit(term, out))
    return total


#: The level of the tape, and that of leaves whose recording is switched off.
TAPE = ReverseLevel(0)
TAPE_OFF = ReverseLevel(-1)
