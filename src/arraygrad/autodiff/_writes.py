"""Writes in place under differentiation: the values as outside, and the right gradients.

What nodes keep is never overwritten. A write to a traced tensor makes a new one, of which the
old object becomes the name (`become`): it takes over value and trace. What else shows the same
memory outside of a differentiation is followed:

- a view of a traced tensor knows its base. Written, it writes its base; and it takes itself
  again when its base has been written (`refresh`);
- a plain tensor into which a traced value is written becomes traced itself. If it is a view
  that indexing gave, so does its base; if anything else shares its memory, the write raises;
- an argument of a differentiated function, and a tensor with `detach`-ed relatives, is seen by
  plain tensors. The write goes to the very memory, and what nodes kept of it gets a copy.
"""

from __future__ import annotations

import operator
from sys import getrefcount
from typing import Any

from .. import _dispatch
from .._dispatch import ALONE, SCALARS, writes
from .._errors import describe
from .._tensor import Tensor
from ._engine import _cast, put, refresh, run, snapshot
from ._rules import RULES
from ._traced import EXPOSED, Dual, Exposed, Traced, Variable, View, active, in_rule, is_off, paused

#: In-place operators, as functions that give a new tensor.
_FUNCTIONS = {
    f"i{short}": getattr(operator, short)
    for short in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
}


def write(name: str, operands: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
    """Perform an in-place operation of which some operand is traced; gives the first back."""
    x, value = operands
    if x.dtype.kind not in "fc" or not (active(x) or (isinstance(value, Tensor) and active(value))):
        return _write_plain(name, x, value, args)
    if not getattr(getattr(x._data, "flags", None), "writeable", True):
        raise ValueError(f"{name}: assignment destination is read-only; got {describe(x)}")
    if isinstance(x, Traced):
        refresh(x)
        _check_rule(name, x)
        if not isinstance(x, Dual) and is_off(x, paused()):
            _check_checkpoint(name, x)
            raise RuntimeError(
                f"{name}: inside of no_grad a tensor is written that takes part in another "
                f"differentiation, too; copy it first: xp.asarray(x, copy=True); got {describe(x)}"
            )
    if args:
        new = put(x, value, args[0])
    else:
        new = _FUNCTIONS[name](x, value)
        if not isinstance(new, Tensor):
            return new  # NotImplemented
        if new.shape != x.shape:
            raise ValueError(
                f"{name}: the result has shape {new.shape}, which does not fit; "
                f"got {describe(x)}, {describe(value)}"
            )
        if new.dtype != x.dtype:
            if new.dtype.kind != x.dtype.kind:
                raise TypeError(
                    f"{name}: a {new.dtype} result does not fit into a {x.dtype} tensor; "
                    f"got {describe(x)}, {describe(value)}"
                )
            new = _cast(new, x.dtype)
        if name == "imul" and x.size == 1 and x.dtype.kind == "c":
            _round_in_place(new, x, value)
    _assign(name, x, new)
    return x


def _round_in_place(new: Tensor, x: Tensor, value: Any) -> None:
    """Give a product the rounding that it has in place: NumPy's differs for one complex number."""
    product = _dispatch.unary("copy", _dispatch.wrap(x._data, x._device))
    if isinstance(value, Tensor):
        value = _dispatch.wrap(value._data, value._device)
    product *= value
    _dispatch.wrap(new._data, new._device)[...] = product


def write_variable(name: str, x: Any, value: Any) -> Any:
    """`write` for the most frequent case: a variable inside of `no_grad`, a step of training."""
    kept, view, pause = x._value, x._view, paused()
    if (
        type(kept) is not Tensor
        or view.__class__ is View
        or not (type(value) is Tensor or type(value) in SCALARS)
        or not is_off(x, pause)
        or (pause is not None and pause.captured is not None)
    ):
        return _dispatch.apply_operator(name, x, value)
    if getrefcount(kept) > ALONE + 1:  # the slot
        _unshare(x)
    _dispatch.inplace(name, x._value, value)
    return x


_dispatch.SHORT_INPLACE[Variable] = write_variable


def _write_plain(name: str, x: Tensor, value: Any, args: tuple[Any, ...]) -> Any:
    """The write without record: ints, and inside of `no_grad`."""
    if isinstance(value, Traced):
        refresh(value)
        value = _dispatch.wrap(value._data, value._device)
    target = x
    if isinstance(x, Traced):
        refresh(x)
        _check_checkpoint(name, x)
        _unshare(x)
        target = _dispatch.wrap(x._data, x._device)
    result = _dispatch.apply(name, (target, value), args) if not args else None
    if args:
        target[args[0]] = value
    return x if result is target else result


def _check_checkpoint(name: str, x: Traced) -> None:
    """Raise inside of a checkpoint that will run again, and records what it writes by then."""
    pause = paused()
    while pause is not None:
        if pause.captured is not None and x._trace in pause.captured:
            raise RuntimeError(
                f"{name}: a checkpoint cannot write to a tensor from outside; copy it first: "
                f"xp.asarray(x, copy=True); got {describe(x)}"
            )
        pause = pause.outer


def _check_rule(name: str, x: Traced) -> None:
    """Raise inside of a function with a rule of its own, which knows of no such write."""
    rule = in_rule()
    if rule is None:
        return
    level, start, end = rule
    if level <= x._trace.level < end or (isinstance(x, Variable) and x._trace.time < start):
        raise RuntimeError(
            f"{name}: a function with a rule of its own writes to a tensor from outside, and the "
            f"gradient would be lost; copy it first: xp.asarray(x, copy=True); got {describe(x)}"
        )


def _unshare(x: Traced) -> None:
    """Before the memory of `x` is written: what nodes keep of it gets a copy of its own."""
    kept = x._value
    if isinstance(kept, Traced):
        _unshare(kept)
    elif getrefcount(kept) > ALONE + 1:  # the slot
        writes.part(kept)
        x._value = _dispatch.wrap(x._data, x._device)


def _assign(name: str, x: Tensor, new: Tensor, views: int = 0) -> None:
    """Make `x`, and what shares its memory, be `new`."""
    if not isinstance(x, Traced):
        _assign_plain(name, x, new, views)
        return
    view = x._view
    if isinstance(view, View):
        base = view.base
        rule = RULES[view.name]
        index = () if view.which is None else (view.which,)
        assert rule.put is not None
        _assign(name, base, rule.put(base, new, *index, *view.args, **view.kwargs))
        become(x, take(base, view))
        return
    if type(x) is Variable and x._trace.rule is None and x._trace.level == 0:
        raise RuntimeError(
            f"{name}: a variable itself cannot be written while it records, as its gradient would "
            f"have no place; copy it first, or write it inside of no_grad(); got {describe(x)}"
        )
    if view is None:
        _lay_out(new, x)
        become(x, new)
        x._view = None
        return
    _assign_exposed(name, x, new, view)


def _assign_plain(name: str, x: Tensor, new: Tensor, views: int) -> None:
    link = getattr(x, "_view", None)
    if link is not None:
        base, key = link[0](), link[1]
        data = x._data
        # None but this variable, its slot and what is kept of it refer to the view itself.
        alone = getrefcount(data) <= ALONE + 1 + (x._value is not None)
        del data
        if base is not None and alone:
            _assign(name, base, put(base, new, key), views + 1)
            become(x, base[key])
            return
    if _dispatch.is_shared(x, views):
        raise ValueError(
            f"{name}: {describe(x)} shares its memory with another array, which would see the "
            "values without their gradient; copy it first: xp.asarray(x, copy=True), or write "
            "into the whole tensor: x[i] = value"
        )
    _lay_out(new, x)
    become(x, new)
    x._view = None


def _assign_exposed(name: str, x: Traced, new: Any, view: Exposed) -> None:
    """Write through to the memory, which others see."""
    value = new._value if type(new) is type(x) and new._trace.level == x._trace.level else None
    if value is None or (view.base is None and isinstance(value, Traced)):
        raise RuntimeError(
            f"{name}: {describe(x)} is an argument of a differentiated function, or has been "
            "detached, and a value of another differentiation is written into it; copy it "
            "first: xp.asarray(x, copy=True)"
        )
    if view.base is not None:
        view.base[...] = value
        x._value = snapshot(view.base)
        x._data = x._value._data
    else:
        _unshare(x)
        _dispatch.wrap(x._data, x._device)[...] = value
        x._value = _dispatch.wrap(x._data, x._device)
    x._trace = new._trace


def _lay_out(new: Any, x: Tensor) -> None:
    """Give `new` the layout in memory of `x`: by that, `reshape` gives a view of it or a copy."""
    strides = getattr(x._data, "strides", None)
    if strides is None or new._data.strides == strides:
        return
    ops = x._device.ops
    back = tuple(i for i, s in enumerate(strides) if s < 0)
    data = ops["flip"](x._data, axis=back) if back else x._data
    data = ops["copy"](data)
    data = ops["flip"](data, axis=back) if back else data
    if data.strides != strides:
        return  # with gaps: of memory of another
    ops["setitem"](data, new._data, ...)
    while True:
        new._data = data
        if not isinstance(new, Traced):
            return
        new = new._value


def become(x: Tensor, new: Any) -> None:
    """Let the object `x` stand for the tensor `new` from now on."""
    hooks = x._trace.hooks if type(x) is Variable else None
    x.__class__ = type(new)
    x._data = new._data
    x._device = new._device
    x._value = new._value
    if isinstance(new, Traced):
        x._trace = new._trace
        x._view = new._view
    if hooks is not None and hooks.retains and type(x) is Variable:
        hooks.retains = False
        x.retain_grad()


def take(base: Tensor, view: View) -> Tensor:
    """A view of `base`, taken again."""
    result = run(view.name, (base,), view.args, view.kwargs)
    if view.which is not None:
        result = result[view.which]
    if isinstance(result, Traced) and result._view is None:  # a copy this time
        result._view = view._replace(seen=base._trace)
    return result


def detached(x: Tensor) -> Tensor:
    """The data of `x` as a plain tensor, which sees later writes to `x`."""
    if not isinstance(x, Traced):
        return x.detach()
    root: Any = x
    if type(x._view) is View:
        refresh(x)
        while isinstance(root._view, View):
            root = root._view.base
    if root._view is None:
        root._view = EXPOSED
    return _dispatch.wrap(x._data, x._device)
