"""The backward pass over a graph."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from .. import _cpython
from .._array import Array
from .._backends import _ndarray
from .._dispatch import binary, common_device, create, inplace, unary
from .._errors import describe
from .._memory import bottom
from .._modes import _mode, operation
from .._tensor import Tensor
from ._graph import Node, OutputNode, below_batches, box, output_node, unhidden
from ._rules import PASS_ON, UNREACHED, Rule, identity
from ._tangents import (
    enter_rules,
    leave_rules,
    mask_indeterminate,
    ones,
    sum_to,
    user_context,
)
from ._views import protect, refresh

_NOWHERE: frozenset[Node] = frozenset()


def backward(
    roots: Sequence[tuple[Node, Any]],
    stops: frozenset[Node] = _NOWHERE,
    free: bool = False,
    create_graph: bool = False,
    unshare: bool = False,
) -> dict[Node, Any]:
    """Cotangents of the leaves (and of `stops`) from those of `roots`.

    Parameters
    ----------
    roots : sequence of (Node, Tensor)
        Cotangents, of the shapes and dtypes of their nodes.
    stops : frozenset of Node
        Nodes at which the pass stops.
    free : bool
        Free the saved tensors of a node as soon as they have been used.
    create_graph : bool
        Record the pass itself, at the level of the graph.
    unshare : bool
        For the tape: return cotangents in memory of their own, which callers may write to, and
        zeros for leaves that the roots do not depend on, although they are in the graph (`floor`).
    """
    grads: dict[Node, Any] = {}
    sums: set[Node] = set()  # nodes whose cotangent was added up here, in memory of its own
    shared: set[Node] = set()  # leaves whose cotangent may share its memory
    zero: set[Node] = set()  # nodes that have no cotangent so far
    pending: list[tuple[int, Node]] = []  # a heap: nodes recorded last come first
    for node, root in roots:
        have = grads.get(node)
        if have is None:
            grads[node] = root
            shared.add(node)
            heappush(pending, (-node.sequence_nr, node))
        else:
            grads[node] = binary("add", have, root)
    found: dict[Node, Any] = {}
    mode = _cpython.current(_mode)
    check = None if mode is None or mode.nans is None else mode.nans.backward(roots)
    before = enter_rules()
    try:
        while pending:
            node = heappop(pending)[1]
            g: Any = grads.pop(node, None)
            if zero and node in zero:
                zero.discard(node)
                if g is None:
                    g = _zero_cotangent(node, grads, zero, pending, free)
            if g is None:  # the node has been passed already
                continue
            if node.hooks is not None:
                g = _apply_hooks(node, g)
                shared.add(node)
            rule = node.rule
            if rule is None or (stops and node in stops):
                have = found.get(node)  # (A node in between is passed several times.)
                found[node] = g if have is None else binary("add", have, g)
                continue
            if type(node) is OutputNode:
                _collect_output(grads, pending, node, g)
                continue
            saved = node.saved
            if saved is None:
                raise RuntimeError(
                    f"backward: the tensors that {rule.name} saved have been freed by an earlier "
                    "backward pass; write backward(retain_graph=True) there"
                )
            if create_graph:
                saved = _saved_as_traced(node)
            if check is not None:
                vjps = check.cotangents(rule, node, g, saved, _cotangents)
            elif rule.composed or type(g) is list:
                vjps = _cotangents(rule, node, g, saved)
            else:
                vjps = None
                t = g
                functions = rule.vjps if _ndarray.kind(t._data) == "c" else rule.real_vjps
            kwargs = node.kwargs
            for i, above in enumerate(node.parents):
                if above is None:
                    continue
                parent = above
                if vjps is not None:
                    gx = vjps[i]
                    if gx is None or gx is UNREACHED:
                        if unshare and gx is None:
                            _expect_zero(parent, grads, zero, pending)
                        continue
                else:
                    vjp = functions[i]
                    if vjp is None:
                        if unshare:
                            _expect_zero(parent, grads, zero, pending)
                        continue
                    if vjp is identity:
                        gx = g
                    else:
                        gx = vjp(g, *saved, **kwargs) if kwargs else vjp(g, *saved)
                        if gx is None:
                            if unshare:
                                _expect_zero(parent, grads, zero, pending)
                            continue
                        if rule.elementwise and gx is not g:
                            gx = mask_indeterminate(gx, g, vjp, saved, kwargs)
                t = gx
                if not _ndarray.matches(t._data, parent.shape, parent.dtype):
                    gx = sum_to(gx, parent)
                have = grads.get(parent)
                if have is None:
                    grads[parent] = gx
                    heappush(pending, (-parent.sequence_nr, parent))
                    if unshare and parent.rule is None and _may_share(gx, g, saved, rule):
                        shared.add(parent)
                elif parent in sums and gx._trace is None and have._trace is None:
                    add = operation(have._device, "__iadd__") if mode is not None else (
                        have._device.ops["__iadd__"]
                    )  # fmt: skip
                    add(have._data, gx._data)
                else:
                    grads[parent] = total = binary("add", have, gx)
                    if total._trace is None:
                        sums.add(parent)
                        shared.discard(parent)
            if free and rule is not PASS_ON:
                node.saved = None
    finally:
        leave_rules(before)
    if check is not None:
        check.check_found(found)
    if unshare:
        for node, g in found.items():
            g = unhidden(g)
            found[node] = unary("copy", g) if node in shared else g
    return found


def _expect_zero(node: Node, grads: dict[Node, Any], zero: set[Node], pending: list[Any]) -> None:
    """Note a node whose cotangent is zero unless another operation adds to it."""
    if node not in grads and node not in zero:
        zero.add(node)
        heappush(pending, (-node.sequence_nr, node))


def _zero_cotangent(
    node: Node, grads: dict[Node, Any], zero: set[Node], pending: list[Any], free: bool
) -> Any:
    """Zeros for a leaf or for hooks; of other nodes, pass on to the operands without computing."""
    if node.rule is None or node.hooks is not None:
        return create(Tensor, "zeros", node.device, node.shape, dtype=node.dtype)
    for parent in node.parents:
        if parent is not None:
            _expect_zero(parent, grads, zero, pending)
    if free and type(node) is not OutputNode and node.rule is not PASS_ON:
        node.saved = None
    return None


def _may_share(gx: Any, g: Any, saved: Any, rule: Rule) -> bool:
    """Return True if a rule may have returned memory of its arguments.

    Rules return new memory, or views of their arguments; custom ones may return anything.
    """
    if rule.joint_vjp is not None:
        return True
    t = gx
    if t._trace is not None:
        t = below_batches(t)
    if t._trace is not None or t._storage is not None:
        return True
    device = t._device
    root = device.ops["root"]
    arguments = [g, *saved]
    for several in (g, saved[0]):  # of an operation with several results
        if isinstance(several, (list, tuple)):
            arguments += several
    for x in arguments:
        if isinstance(x, Array):
            other = x
            if other._trace is not None:
                other = bottom(other)
            if other._device is device and _ndarray.have_one_root(t._data, other._data, root):
                return True
    return False


def _collect_output(grads: dict[Node, Any], pending: list[Any], node: Any, g: Any) -> None:
    """Put the cotangent of one of several results where the operation's node finds it."""
    whole = node.parents[0]
    parts = grads.get(whole)
    if parts is None:
        parts = grads[whole] = [None] * len(whole.shape)
        heappush(pending, (-whole.sequence_nr, whole))
    have = parts[node.index]  # of another such node, made when the pass was recorded
    parts[node.index] = g if have is None else binary("add", have, g)


def _cotangents(rule: Rule, node: Node, g: Any, saved: tuple[Any, ...]) -> Any:
    """Cotangents of the operands, by a rule of any form."""
    if isinstance(g, list):
        g = tuple(g)
    if rule.joint_vjp is not None:
        found = rule.joint_vjp(g, *saved, **node.kwargs)
    elif not rule.vjps:  # piecewise constant
        return [None] * len(node.parents)
    elif rule.variadic:
        vjp = rule.vjps[0]
        assert vjp is not None
        found = vjp(g, saved[1 : 1 + len(node.parents)], *saved[1 + len(node.parents) :],
                    **node.kwargs)  # fmt: skip
    else:
        found = [
            None if parent is None or vjp is None else vjp(g, *saved, **node.kwargs)
            for parent, vjp in zip(node.parents, rule.vjps, strict=False)
        ]
    if rule.elementwise:
        found = [
            x if x is None or x is g else mask_indeterminate(x, g, vjp, saved, node.kwargs)
            for x, vjp in zip(found, rule.vjps, strict=False)
        ]
    return found


def _apply_hooks(node: Node, g: Any) -> Any:
    hooks = node.hooks
    for hook in list(hooks.values()):
        with user_context():
            changed = hook(protect(g))
        if changed is not None:
            if not isinstance(changed, Array) or changed._data.shape != g._data.shape:
                raise ValueError(
                    f"register_hook: a hook returns a gradient of shape {g._data.shape} or None; "
                    f"got {describe(changed)}"
                )
            if changed._data.dtype.kind == "c" and node.dtype.kind != "c":
                raise TypeError(
                    f"register_hook: {getattr(hook, '__qualname__', hook)} returned a complex "
                    f"gradient of a real tensor; write xp.real(g); got {describe(changed)}"
                )
            g = sum_to(changed, node)
    if hooks.retains:
        hooks.grad = unary("copy", g) if hooks.grad is None else hooks.grad + g
    return g


def _saved_as_traced(node: Node) -> tuple[Any, ...]:
    """The saved tensors of a node, recorded at the node's own level."""
    out, *rest = node.saved
    if type(out) is tuple:  # several results
        out = tuple(
            box(o, output_node(o, node, i)) if o._data.dtype.kind in "fc" else o
            for i, o in enumerate(out)
        )
    elif isinstance(out, Array):
        out = box(out, node)
    parents = itertools.chain(node.parents, itertools.repeat(None))
    return (
        out,
        *(
            box(x, parent) if parent is not None and isinstance(x, Array) else x
            for x, parent in zip(rest, parents, strict=False)
        ),
    )


# ---- the tape


def run_backward(x: Any, gradient: Any, retain_graph: bool | None, create_graph: bool) -> None:
    """See `Tensor.backward`."""
    refresh(x)
    node = x._trace
    if node is None or node.level.forward or node.level.number:
        raise RuntimeError(
            "backward: this tensor has a tangent, since it is computed from an argument of jvp; "
            "write autodiff.grad inside of it, or backward of autodiff.stop_gradient(x)"
            if node is not None and node.level.forward
            else "backward: this tensor belongs to a function that grad, vjp or their like "
            "differentiates; backward is for results computed from x.requires_grad_()"
            if node is not None and node.level.number > 0
            else "backward: this tensor does not require grad; write x.requires_grad_() before "
            "computing with x"
        )
    if gradient is None:
        if x._data.size != 1 or node.dtype.kind != "f":
            raise ValueError(
                "backward: only a real tensor of one element has a gradient by itself; got "
                f"{describe(x)}; write backward(gradient) with a tensor of its shape"
            )
        root = ones(x)
    elif (
        not isinstance(gradient, Array)
        or gradient._data.shape != x._data.shape
        or (gradient._data.dtype.kind == "c" and node.dtype.kind == "f")
    ):
        raise ValueError(
            f"backward: gradient must be a tensor like {describe(x)}; got {describe(gradient)}"
        )
    else:
        common_device("backward", (x, gradient))
        if gradient._trace is not None and not create_graph:
            gradient = gradient._trace.level.detach(gradient)
        root = sum_to(gradient, node)
    mode = _cpython.current(_mode)
    if mode is not None and mode.nans is not None:
        mode.nans.check_results("backward", x)
    retain = create_graph if retain_graph is None else retain_graph
    found = backward([(node, root)], _NOWHERE, not retain, create_graph, unshare=True)
    del root, gradient
    recorder = None if mode is None else mode.recorder
    before = enter_rules()
    try:
        leaf: Any
        for leaf, g in found.items():
            if leaf.level.number < 0:
                continue  # switched off since it was recorded
            if recorder is None or not recorder.accumulate(leaf, g, _accumulate):
                _accumulate(leaf, g)
    finally:
        leave_rules(before)


def _accumulate(leaf: Any, g: Any) -> None:
    """Add to the gradient of a leaf."""
    have = leaf.grad
    if have is None:
        leaf.grad = g
    elif have._trace is None and g._trace is None and have._device is g._device:
        inplace("__iadd__", have, g)
    else:
        leaf.grad = binary("add", have, g)
