"""Traced tensors as names for values: views of one another, and memory that others see.

A write to a traced tensor does not overwrite anything. It makes a new value, and the tensor stands
for that from then on (`rebind`). Views of it are taken again when they are next used (`refresh`).
"""

from __future__ import annotations

from typing import Any

from .._array import Array, traced_like
from .._dispatch import apply, binary, reduction, unary, view
from .._errors import describe
from .._keys import getitem, level_of_key, setitem
from .._memory import (
    EXPOSED,
    INNER,
    Exposed,
    View,
    alias,
    bottom,
    inner_alias,
    new_storage,
    new_view,
    save,
    shared_alias,
    storage_of,
)
from .._modes import _mode, without_settings
from ._graph import box, box_like
from ._rules import RULES, Rule


def perform(
    rule: Rule, operands: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Perform an operation that has a rule, one level lower than it was called."""
    if rule.call is not None:
        return rule.call(operands, args, kwargs)
    name = rule.name
    n = len(operands)
    if n == 1 and not rule.variadic:
        x = operands[0]
        if rule.put is not None:
            return view(name, x, args, kwargs)
        if not args and len(kwargs) == 2 and "axis" in kwargs and "keepdims" in kwargs:
            return reduction(name, x, kwargs["axis"], kwargs["keepdims"])
        if not args and not kwargs:
            return unary(name, x)
    elif n == 2 and not args and not kwargs:
        return binary(name, operands[0], operands[1])
    return apply(name, operands, args, kwargs)


def put(x: Any, value: Any, key: Any) -> Any:
    """`x` with `value` written where `key` selects: assignment as a function."""
    level = level_of_key(key)
    for t in (x, value):
        trace = getattr(t, "_trace", None)
        if level is None and trace is not None:
            level = trace.level
    if level is not None:
        return level.process("put", (x, value), (key,), {})
    out = unary("copy", x)
    setitem(out, key, value)
    return out


def tie(x: Any, other: Any) -> Any:
    """`x` with a dependency on `other` whose derivative is 0.

    So a result that happens to be constant still belongs to the differentiations of `other`.
    """
    for t in (x, other):
        if t._trace is not None:
            return t._trace.level.process("tie", (x, other), (), {})
    return x


def _refuse_shared(_x: Any, _new: Any, name: str) -> Any:
    raise RuntimeError(
        f"{name}: the result shares its memory with an operand or another result, and one of them "
        "has been written; copy it first: xp.asarray(x, copy=True)"
    )


#: The rule of results of opaque functions that share memory with an operand.
RULES["shared"] = Rule(
    "shared",
    [(None, None)],
    call=lambda _operands, args, _kwargs: _refuse_shared(None, None, *args),
    put=_refuse_shared,
)


def refresh(x: Any) -> None:
    """Bring a traced tensor up to date.

    A view is taken again if its base has been written. A tensor of a differentiation that has
    returned is unwrapped.
    """
    link = x._view
    if type(link) is View and x._trace is not None:
        if x._storage.version != link.version or x._trace.level.closed:
            _refresh_chain(x)
    elif x._trace is not None and x._trace.level.closed:
        _unwrap(x)


def _refresh_chain(x: Any) -> None:
    chain = []
    while type(x._view) is View and x._trace is not None:
        chain.append(x)
        x = x._view.base
    # (The view was recorded, even if its reader is not.)
    token = _mode.set(without_settings(_mode.get()))
    try:
        for tensor in reversed(chain):
            if tensor._storage.version != tensor._view.version or (
                tensor._trace is not None and tensor._trace.level.closed
            ):
                rebind(tensor, take(tensor._view))
    finally:
        _mode.reset(token)


def _unwrap(x: Any) -> None:
    """Remove the closed levels of a tensor."""
    while x._trace is not None and x._trace.level.closed:
        if x._trace.level.batched:
            raise RuntimeError(
                "vmap: a tensor of a call that has returned is used, which stands for one example; "
                "return it from the function"
            )
        primal, link = x._primal, x._view
        is_exposed = type(link) is Exposed
        if is_exposed and link.level is x._trace.level:
            # An argument: outside of the function it is the tensor that was passed.
            refresh(link.base)
            token = _mode.set(without_settings(_mode.get()))
            try:
                rebind(x, getitem(link.base, ...))
            finally:
                _mode.reset(token)
            return
        x._trace = primal._trace
        x._primal = primal._primal
        x._data = primal._data
        x._view = link if is_exposed and primal._trace is not None else None
        if x._trace is None:
            # Graphs may still hold the primal, and this tensor can be written from now on, unless
            # a graph has saved it.
            storage = storage_of(primal)
            if not is_exposed:
                storage.freeze(primal)
            x._storage = storage
            if link is INNER:
                storage.freeze(x)
            else:
                storage.add(x)
        elif type(primal._view) is View:
            x._view = primal._view
            x._storage = primal._storage


def check_argument(name: str, x: Any) -> None:
    """Raise if an argument has been written through the tensor that was passed for it."""
    link = x._view
    base = link.base
    trace = x._trace
    if base is None or trace is None or trace.level is not link.level:
        return
    if base._trace is not None:
        refresh(base)
    if x._primal._trace is not base._trace:
        raise RuntimeError(
            f"{name}: the function writes to {describe(base)}, which is also its argument, without "
            "going through that; copy it first: xp.asarray(x, copy=True)"
        )


def take(link: View, base: Any = None) -> Any:
    """A view of its base, or of another tensor, taken again."""
    base = link.base if base is None else base
    result = perform(RULES[link.name], (base,), link.args, link.kwargs)
    if link.index is not None:
        result = result[link.index]
    if type(result._view) is not View and result._trace is not None:  # a copy this time
        note_view(result, base, link.name, link.args, link.kwargs, link.index)
    return result


def note_view(
    result: Any, base: Any, name: str, args: Any, kwargs: dict[str, Any], index: int | None
) -> None:
    """Note that a traced result is a view of a traced operand."""
    storage = base._storage
    if storage is None:
        storage = new_storage()
        base._storage = storage
    result._storage = storage
    result._view = new_view(base, name, args, kwargs, index, storage)


def rebind(x: Any, new: Any) -> None:
    """Let the object `x` stand for the tensor `new` from now on."""
    hooks = getattr(x._trace, "hooks", None)
    x._data = new._data
    x._device = new._device
    x._trace = new._trace
    x._primal = new._primal
    x._view = new._view
    x._saved = None
    if new._storage is not None or type(new._view) is View:
        x._storage = new._storage
        if x._trace is None:
            x._storage.add(x)
    elif x._trace is None:
        x._storage = None
    if hooks is not None and hooks.retains and getattr(x._trace, "hooks", 0) is None:
        x.retain_grad()


def root_of(x: Any) -> Any:
    """The tensor of which `x` is a direct or indirect view; `x` itself if it is not a view."""
    while type(x._view) is View:
        x = x._view.base
    return x


def snapshot(x: Any) -> Any:
    """A tensor of the present values of `x`, which no later write changes."""
    if x._trace is not None:
        refresh(x)
    chain = []
    shared = False
    while x._trace is not None:
        chain.append(x)
        shared = shared or x._trace.level.batched  # whose memory is written
        x = x._primal
    if x._storage is not None or shared or not chain:
        x = save(x)
    for tensor in reversed(chain):
        x = box_like(x, tensor, INNER)
    return x


def protect(x: Any) -> Any:
    """A tensor for the user's code, which may write to it without changing anything else."""
    if x._trace is not None:
        if x._trace.level.batched:
            return traced_like(protect(x._primal), x)
        out = box(x._primal, x._trace, x._view if type(x._view) is View else None)
        out._storage = x._storage
        return out
    out = alias(x)
    out._storage.freeze(out)  # so that a write copies it first
    return out


def state_of(x: Any) -> Any:
    """A value that changes when a tensor is written; None for other objects."""
    if not isinstance(x, Array):
        return None
    return x._trace, storage_of(bottom(x)).version


def make_writable(x: Any) -> None:
    """Prepare the memory of a traced tensor for a write: saved tensors get a copy."""
    primal = bottom(x)
    storage = storage_of(primal)
    storage.freeze(primal)
    chain = []
    while x._trace is not None:
        chain.append(x)
        x = x._primal
    value = inner_alias(primal)
    for tensor in reversed(chain[1:]):
        value = box_like(value, tensor, tensor._view)
        value._storage = tensor._storage
    chain[0]._primal = value


def expose(x: Any) -> None:
    """Note that plain tensors see the memory of a traced one: writes go there."""
    root = root_of(x)
    if root._trace is not None and root._view is None:
        make_writable(root)
        root._view = EXPOSED
        storage_of(bottom(root)).add(root)


def detach(x: Any) -> Any:
    """The data of a traced tensor as a plain one; each of the two sees writes to the other."""
    refresh(x)
    if x._trace is not None:
        expose(x)
    return shared_alias(x)
