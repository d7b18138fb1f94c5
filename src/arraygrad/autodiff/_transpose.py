"""Transposes of linear maps, by which the missing half of a rule follows from the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._array import Array
from .._dispatch import binary, call, create_like, reduction, unary, view
from .._keys import getitem
from .._memory import bottom
from .._modes import unrecorded
from ._backward import backward
from ._graph import box, new_leaf
from ._levels import ReverseLevel
from ._rules import RULES, Rule
from ._tangents import sum_to, zeros
from ._views import refresh, snapshot


def linear_transpose(
    function: Callable[..., Any], *at: Any, name: str = ""
) -> tuple[Any, Callable[..., list[Any]]]:
    """A function of tensors at a point, and the map of its cotangents to the arguments'.

    With `name`, the function is a part of a user's rule of that name: it raises if it is seen that
    the function is not linear.
    """
    level = ReverseLevel()
    variables = []
    for x in at:
        value = snapshot(x)
        variables.append(box(value, new_leaf(value, level)))
    leaves = [v._trace for v in variables]
    out = function(*variables)
    outs = out if isinstance(out, (tuple, list)) else (out,)
    traces = [_trace_at(o, level) for o in outs]
    level.closed = True
    if name and _may_be_nonlinear(outs, traces):
        with unrecorded():
            _check_linear(name, function, at, traces)

    def pull(*cotangents: Any) -> list[Any]:
        roots = [
            (trace, sum_to(g, trace))
            for trace, g in zip(traces, cotangents, strict=True)
            if g is not None and trace is not None
        ]
        found = backward(roots)
        return [found.get(leaf) for leaf in leaves]

    return out, pull


def _trace_at(x: Any, level: Any) -> Any:
    """The trace of a result at a level; None if it does not depend on the arguments."""
    if x is None or x._trace is None:
        return None
    refresh(x)
    return x._trace if x._trace is not None and x._trace.level is level else None


def _may_be_nonlinear(outs: Any, traces: Any) -> bool:
    """Return True if a derivative depends on the arguments, or a result or term is constant.

    Only such functions are tried with numbers, because reading these waits for a GPU.
    """
    stack = [trace for trace in traces if trace is not None]
    seen = set(stack)
    while stack:
        node = stack.pop()
        out, *operands = node.saved or (None,)
        if isinstance(out, (Array, tuple)):
            return True
        if node.name in ("add", "subtract") and None in node.parents:
            return True
        for parent, saved in zip(node.parents, operands, strict=False):
            if parent is not None and isinstance(saved, Array):
                return True
        new = {parent for parent in node.parents if parent is not None} - seen
        seen |= new
        stack.extend(new)
    return any(t is None and o is not None for t, o in zip(traces, outs, strict=True))


def _check_linear(name: str, function: Callable[..., Any], at: Any, traces: Any) -> None:
    """Raise unless -1024 times the arguments give -1024 times the results, which is exact.

    A result without a trace does not depend on the arguments, so it must be zero.
    """
    factor = -1024.0
    points = [_counted(x) for x in at]
    once, scaled = function(*points), function(*[binary("multiply", x, factor) for x in points])
    if not isinstance(once, (tuple, list)):
        once, scaled = (once,), (scaled,)
    for a, b, trace in zip(once, scaled, traces, strict=True):
        if a is None or b is None or not a.size:
            continue
        a, b = bottom(a), bottom(b)
        expected = binary("multiply", a, 0.0 if trace is None else factor)
        off = _largest(binary("subtract", b, expected))
        if bool(off > 1e-3 * _largest(b)):
            raise ValueError(
                f"{name}: the rule is not linear in the tangents (custom_jvp) or cotangents "
                "(custom_vjp), and the other mode, its transpose, does not exist; a derivative is "
                "linear: write t * derivative"
            )


def _counted(x: Any) -> Any:
    """The numbers from 1 to 8 again and again, in the shape of a tensor."""
    ones = create_like(x, "ones", (x.size // 8 + 1, 8), dtype=x.dtype)
    numbers = view("reshape", call("cumulative_sum", ones, (), {"axis": 1}), ((-1,),))
    return view("reshape", getitem(numbers, slice(0, x.size)), (x.shape,))


def _largest(x: Any) -> Any:
    return reduction("max", unary("abs", x), None, False)


def transposed_vjp(vjp: Callable[..., Any], several: bool, name: str = "") -> Callable[..., Any]:
    """The jvp that belongs to a vjp, which is linear: its transpose."""

    def jvp(t: Any, out: Any, *operands: Any, **kwargs: Any) -> Any:
        start = [zeros(o) for o in out] if several else [zeros(out)]

        def function(*g: Any) -> Any:
            return vjp(g if several else g[0], out, *operands, **kwargs)

        _, pull = linear_transpose(function, *start, name=name)
        found = pull(t)
        return found if several else found[0]

    return jvp


def transposed_jvp(jvp: Callable[..., Any], i: int) -> Callable[..., Any]:
    """The vjp that belongs to a jvp of operand `i`."""

    def vjp(g: Any, out: Any, *operands: Any, **kwargs: Any) -> Any:
        def function(t: Any) -> Any:
            return jvp(t, out, *operands, **kwargs)

        _, pull = linear_transpose(function, zeros(operands[i]))
        return pull(*g)[0] if isinstance(g, tuple) else pull(g)[0]

    return vjp


def _jvp_of(vjp: Callable[..., Any]) -> Callable[..., Any]:
    def jvp(t: Any, out: Any, *operands: Any, **kwargs: Any) -> Any:
        return transposed_vjp(vjp, isinstance(out, (tuple, list)))(t, out, *operands, **kwargs)

    return jvp


def define(name: str, *pairs: Any, **options: Any) -> None:
    """Give the rule of an operation: (vjp, jvp) for each operand.

    One of a pair may be None: it is completed by transposing the other, which is linear.

    Parameters
    ----------
    name : str
        The operation.
    *pairs : tuple of (callable or None, callable or None)
        For each operand.
    **options
        Further attributes of the rule.
    """
    rule = Rule(name, pairs, **options)
    for i, (vjp, jvp) in enumerate(pairs):
        if vjp is None and jvp is not None:
            rule.vjps[i] = rule.real_vjps[i] = transposed_jvp(jvp, i)
        elif jvp is None and vjp is not None:
            rule.jvps[i] = _jvp_of(vjp)
    RULES[name] = rule
