"""The pass backward over what has been recorded, and the transposes of linear maps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

from .. import _dispatch, _native
from .._dispatch import ALONE, writes
from .._errors import describe
from .._tensor import Tensor
from . import _debug, _engine
from ._engine import conform, leaf, part, quiet, refresh, settle, snapshot, traced, zeros
from ._rules import Rule, same
from ._traced import Node, Part, Split, Traced, Variable, joined, levels


def transposed_vjp(vjp: Callable[..., Any], several: bool) -> Callable[..., Any]:
    """The jvp that belongs to a vjp, which is linear: its transpose."""

    def jvp(t: Tensor, out: Any, *operands: Any, **kwargs: Any) -> Any:
        start = [zeros(o) for o in out] if several else zeros(out)

        def function(*g: Tensor) -> Any:
            return vjp(g if several else g[0], out, *operands, **kwargs)

        _, pull = linear(function, *(start if several else [start]))
        found = pull(t)
        return found if several else found[0]

    return jvp


def transposed_jvp(jvp: Callable[..., Any], i: int) -> Callable[..., Any]:
    """The vjp that belongs to a jvp of operand `i`."""

    def vjp(g: Any, out: Any, *operands: Any, **kwargs: Any) -> Any:
        def function(t: Tensor) -> Any:
            return jvp(t, out, *operands, **kwargs)

        _, pull = linear(function, zeros(operands[i]))
        return pull(*g)[0] if isinstance(g, tuple) else pull(g)[0]

    return vjp


def linear(function: Callable[..., Any], *at: Tensor) -> tuple[Any, Callable[..., Any]]:
    """A function of tensors at a point, and the map of its cotangents to the arguments'."""
    level = next(levels)
    variables = [traced(Variable, snapshot(x), leaf(x, level)) for x in at]
    out = function(*variables)
    outs = out if isinstance(out, (tuple, list)) else (out,)

    def pull(*cotangents: Tensor | None) -> list[Tensor | None]:
        roots = [
            (o._trace, conform(g, o._trace))
            for o, g in zip(outs, cotangents, strict=True)
            if g is not None and belongs(o, level)
        ]
        found = backward(roots)
        return [found.get(v._trace) for v in variables]

    return out, pull


def belongs(x: Any, level: int) -> bool:
    """Whether `x` is traced at `level`; with `x` a view, it is brought up to date."""
    if not isinstance(x, Traced):
        return False
    refresh(x)
    return x._trace.level == level


_NOWHERE: frozenset[Node] = frozenset()


def backward(
    roots: Sequence[tuple[Node, Tensor]],
    stops: frozenset[Node] = _NOWHERE,
    free: bool = False,
    create_graph: bool = False,
) -> dict[Node, Tensor]:
    """Cotangents of the leaves (and of `stops`) from those of `roots`.

    Parameters
    ----------
    roots : sequence of (Node, Tensor)
        Cotangents that conform to their nodes.
    stops : frozenset of Node
        Where not to go further.
    free : bool
        Drop what nodes keep as soon as it has been used.
    create_graph : bool
        Record what is done, at the level of the graph itself.
    """
    grads: dict[Node, Any] = {}
    sums: set[Node] = set()  # those whose cotangent was added up here: nobody else has it
    pending: list[tuple[int, Node]] = []  # a heap: what was recorded last is gone back over first
    for node, root in roots:
        have = grads.get(node)
        if have is None:
            grads[node] = root
            heappush(pending, (-node.time, node))
        else:
            grads[node] = have + root
    found: dict[Node, Tensor] = {}
    checks = _debug.checks(roots) if _debug.entered else None
    careful = create_graph or checks is not None
    before = _engine.hush()
    try:
        while pending:
            node = heappop(pending)[1]
            g: Any = grads.pop(node)
            if node.hooks is not None:
                g = _hooked(node, g)
            rule = node.rule
            if rule is None or (stops and node in stops):
                found[node] = g
                continue
            if type(node) is Part:
                _collect(grads, pending, node, g)
                continue
            saved = node.saved
            if saved is None:
                raise RuntimeError(
                    f"backward: what {rule.name} kept has been freed by an earlier pass; "
                    "write backward(retain_graph=True) in that one"
                )
            if writes.last > node.time:
                _check_unwritten(node)
            if careful:
                if create_graph:
                    saved = _revived(node)
                if checks is not None:
                    rule = checks.rule(rule, node, _cotangents)
            composed = rule.composed or type(g) is list
            if composed:
                vjps: Any = _pulled(rule, node, g, saved)
            else:
                t = g
                vjps = rule.vjps if _native.kind(t._data) == "c" else rule.real_vjps
            kwargs = node.kwargs
            elementwise = rule.elementwise
            for i, above in enumerate(node.parents):  # (zip takes three times as long)
                if above is None or (vjp := vjps[i]) is None:
                    continue
                parent = above
                if composed:
                    gx = vjp
                elif vjp is same:
                    gx = g
                else:
                    gx = vjp(g, *saved, **kwargs) if kwargs else vjp(g, *saved)
                    if gx is None:
                        continue
                if elementwise and gx is not g:
                    gx = _engine.settle(gx, g)
                t = gx
                if not _native.fits(t._data, parent.shape, parent.dtype):
                    gx = _engine.conform(gx, parent)
                have = grads.get(parent)
                if have is None:
                    grads[parent] = gx
                    heappush(pending, (-parent.time, parent))
                elif type(gx) is Tensor and (
                    parent in sums
                    or (
                        type(have) is Tensor
                        and getrefcount(have) == ALONE + 1  # in grads
                        and _dispatch.owns(have)
                    )
                ):
                    have._device.ops["iadd"](have._data, gx._data)
                    sums.add(parent)
                else:
                    grads[parent] = total = have + gx
                    if type(total) is Tensor:
                        sums.add(parent)
                    else:
                        sums.discard(parent)
            if free:
                node.saved = None
    finally:
        _engine.unhush(before)
    if checks is not None:
        checks.found(found)
    return found


def _collect(grads: dict[Node, Any], pending: list[Any], node: Part, g: Any) -> None:
    """Put the cotangent of one of several results where the operation's node finds it."""
    whole: Any = node.parents[0]
    parts = grads.get(whole)
    if parts is None:
        parts = grads[whole] = [None] * len(whole.shape)
        heappush(pending, (-whole.time, whole))
    have = parts[node.index]  # of another such node, made when the pass was recorded (`_revived`)
    parts[node.index] = g if have is None else have + g


def _pulled(rule: Rule, node: Node, g: Any, saved: tuple[Any, ...]) -> Any:
    """Cotangents of the operands, for rules of other forms than one vjp for each."""
    if isinstance(g, list):
        g = tuple(g)
    if rule.whole is not None:
        return rule.whole(g, *saved, **node.kwargs)
    found: list[Any] = []
    for i, parent in enumerate(node.parents):
        if parent is None or not rule.vjps:  # (piecewise constant)
            found.append(None)
        elif rule.listed:
            vjp = rule.vjps[0]
            assert vjp is not None
            found.append(vjp(g, i, saved[1:], **node.kwargs))
        else:
            vjp, jvp = rule.vjps[i], rule.jvps[i]
            if vjp is None and jvp is not None:
                vjp = transposed_jvp(jvp, i)
            found.append(None if vjp is None else vjp(g, *saved, **node.kwargs))
    return found


def _cotangents(rule: Rule, node: Node, g: Any, saved: tuple[Any, ...]) -> list[Any]:
    """Cotangents of the operands by a rule of any form, as the pass computes them step by step."""
    if rule.composed or isinstance(g, tuple):
        found = _pulled(rule, node, g, saved)
    else:
        found = [
            None if parent is None or vjp is None else vjp(g, *saved, **node.kwargs)
            for parent, vjp in zip(node.parents, rule.vjps, strict=False)
        ]
    if rule.elementwise:
        found = [x if x is None or x is g else settle(x, g) for x in found]
    return list(found)


def _hooked(node: Node, g: Any) -> Any:
    hooks = node.hooks
    assert hooks is not None
    for hook in list(hooks.values()):
        changed = hook(g)
        if changed is not None:
            if not isinstance(changed, Tensor) or changed.shape != g.shape:
                raise ValueError(
                    f"register_hook: a hook gives a gradient of shape {g.shape} or None; "
                    f"got {describe(changed)}"
                )
            g = conform(changed, node)
    if hooks.retains:
        hooks.grad = g if hooks.grad is None else hooks.grad + g
    return g


def _check_unwritten(node: Node) -> None:
    """Raise if something that a node keeps has been overwritten since."""
    stack = list(node.saved or ())
    while stack:
        x = stack.pop()
        if isinstance(x, (tuple, list)):
            stack.extend(x)
        elif isinstance(x, Tensor) and writes.since(bottom(x), node.time):
            raise RuntimeError(
                f"backward: {describe(x)}, which {node.name} kept for its gradient, has been "
                "overwritten in place through another tensor that shares its memory; copy it "
                "first: xp.asarray(x, copy=True)"
            )


def bottom(x: Tensor) -> Tensor:
    """The plain tensor below all levels."""
    while isinstance(x, Traced):
        x = x._value
    return x


def _revived(node: Node) -> tuple[Any, ...]:
    """What a node keeps, as tensors that are recorded at the node's own level."""
    assert node.saved is not None
    out, *rest = node.saved
    if type(out) is tuple:  # of several results, not what is `Like` one
        out = tuple(traced(Variable, o, part(o, node, i)) for i, o in enumerate(out))
    elif isinstance(out, Tensor):
        out = traced(Variable, out, node)
    parents = itertools.chain(node.parents, itertools.repeat(None))
    return (
        out,
        *(
            traced(Variable, x, parent) if parent is not None and isinstance(x, Tensor) else x
            for x, parent in zip(rest, parents, strict=False)
        ),
    )


# ---- the tape


def run_backward(
    x: Variable, gradient: Tensor | None, retain_graph: bool | None, create_graph: bool
) -> None:
    """See `Variable.backward`."""
    if x._view is not None:
        refresh(x)
    node = x._trace
    if node.level:
        raise RuntimeError(
            "backward: this tensor does not record (requires_grad=False)"
            if node.level < 0
            else "backward: this tensor belongs to a function that grad, vjp or their like "
            "differentiates; backward is for what is computed from autodiff.variable(...)"
        )
    if gradient is None:
        if x._data.size != 1 or node.dtype.kind != "f":
            raise ValueError(
                "backward: only a real tensor of one element has a gradient by itself; got "
                f"{describe(x)}; write backward(gradient) with a tensor of its shape"
            )
        root = _dispatch.ones_like(x)
    elif (
        not isinstance(gradient, Tensor)
        or gradient.shape != x.shape
        or (gradient.dtype.kind == "c" and node.dtype.kind == "f")
    ):
        raise ValueError(
            f"backward: gradient must be a tensor like {describe(x)}; got {describe(gradient)}"
        )
    else:
        _dispatch.common_device("backward", (x, gradient))
        if isinstance(gradient, Traced) and not create_graph:
            gradient = gradient.detach()
        root = conform(gradient, node)
    if _debug.entered:
        _debug.check_results("backward", x)
    retain = create_graph if retain_graph is None else retain_graph
    found = backward([(node, root)], _NOWHERE, not retain, create_graph)
    del root, gradient
    for leaf_node in list(found):
        if leaf_node.level >= 0:  # not switched off since it was recorded
            accumulate(leaf_node, found)


def accumulate(node: Any, found: dict[Any, Tensor]) -> None:
    """Add what was found for a leaf to its gradient."""
    g: Any = own(found, node)
    have = node.grad
    if have is None:
        node.grad = g
        return
    with quiet():
        if type(have) is Tensor and type(g) is Tensor and have._device is g._device:
            _dispatch.inplace("iadd", have, g)
        else:
            node.grad = have + g


def own(found: dict[Any, Tensor], node: Any) -> Tensor | None:
    """Take a gradient out of those found, in memory of its own: to write to it changes no other."""
    g: Any = found.pop(node, None)
    if type(g) is Split:
        g = joined(g)
    if type(g) is Tensor:
        seen = getrefcount(g) > ALONE or not _dispatch.owns(g)
    else:
        seen = g is not None and (g._view is not None or getrefcount(g) > ALONE)
    return _dispatch.unary("copy", g) if seen else g
