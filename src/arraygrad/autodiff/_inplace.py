"""Operations in place, under differentiation: the values as outside, and the right gradients.

Nothing that a graph has saved is overwritten. A write to a traced tensor makes a new value, and the
object stands for it from then on. Tensors that share its memory follow:

- A view writes into its base, and is taken again. So are other views of the base, when they are
  next used.
- A plain tensor into which a traced value is written becomes traced, and so do its base and the
  views of that. If a tensor shares the memory in a way that this package does not know, the write
  raises.
- Memory that others see (an argument of a differentiated function, a detached tensor, an array of
  another library) is written, too. Tensors that graphs have saved over it get a copy before.
"""

from __future__ import annotations

import operator
from typing import Any

from .._array import Array
from .._dispatch import apply, inplace, unary
from .._errors import describe
from .._keys import setitem
from .._memory import EXPOSED, Exposed, View, alias, bottom, inner_alias, new_storage, storage_of
from .._modes import get_mode, operation
from .._standard import MUTATING
from ._grad_mode import custom_rule, grad_modes, is_traced, recording_off
from ._graph import batches_of, box_like, has_hidden_axis
from ._rules import RULES, Rule
from ._tangents import cast
from ._views import (
    check_argument,
    make_writable,
    put,
    rebind,
    refresh,
    root_of,
    take,
)

#: In-place operators that have a derivative, as functions that return a new tensor.
_FUNCTIONS = {
    f"__i{short}__": getattr(operator, short)
    for short in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
}


def write(name: str, operands: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
    """Perform an in-place operation with a traced operand; return the first operand."""
    x, value = operands
    if x._trace is not None:
        refresh(x)
    if isinstance(value, Array) and value._trace is not None:
        refresh(value)
    if x._data.dtype.kind not in "fc" or not (
        is_traced(x) or (isinstance(value, Array) and is_traced(value))
    ):
        return _write_unrecorded(name, x, value, args)
    if not getattr(getattr(x._data, "flags", None), "writeable", True):
        raise ValueError(f"{name}: assignment destination is read-only; got {describe(x)}")
    if x._trace is not None:
        _check_custom_rule(name, x)
        if not x._trace.level.forward and recording_off(x, get_mode()):
            _check_checkpoint(name, x)
            if x._trace.level.number < 0:
                raise RuntimeError(
                    f"{name}: a recorded value is written into a leaf whose recording is switched "
                    f"off; write x.detach() for the value; got {describe(x)}"
                )
            raise RuntimeError(
                f"{name}: inside of no_grad a tensor is written that takes part in another "
                f"differentiation, too; copy it first: xp.asarray(x, copy=True); got {describe(x)}"
            )
    if isinstance(value, Array):
        for level in batches_of(value):
            if x._trace is None or x._trace.level.number < level.number:
                level.adopt(name, x)
    if args:
        new = put(x, value, args[0])
    else:
        function = _FUNCTIONS.get(name)
        if function is None:
            return NotImplemented  # of integers only; the value is not one
        new = function(x, value)
        if not isinstance(new, Array):
            return new  # NotImplemented
        if new._data.shape != x._data.shape:
            raise ValueError(
                f"{name}: the result has shape {new._data.shape}, which does not fit; "
                f"got {describe(x)}, {describe(value)}"
            )
        if new._data.dtype != x._data.dtype:
            if new._data.dtype.kind != x._data.dtype.kind:
                raise TypeError(
                    f"{name}: a {new._data.dtype} result does not fit into a {x._data.dtype} "
                    f"tensor; got {describe(x)}, {describe(value)}"
                )
            new = cast(new, x._data.dtype)
        if name == "__imul__" and x._data.size == 1 and x._data.dtype.kind == "c":
            _round_in_place(new, x, value)
    _assign(name, x, new)
    return x


for _name in MUTATING:
    RULES[_name] = Rule(_name, handler=write)


def _round_in_place(new: Any, x: Any, value: Any) -> None:
    """Round a product as in place: NumPy does so differently for one complex number."""
    product = unary("copy", alias(x))
    inplace("__imul__", product, alias(value) if isinstance(value, Array) else value)
    setitem(alias(new), ..., product)


def _write_unrecorded(name: str, x: Any, value: Any, args: tuple[Any, ...]) -> Any:
    """A write that is not recorded: to ints, and inside of `no_grad`."""
    if isinstance(value, Array) and value._trace is not None:
        value = alias(value)
    target = x
    if x._trace is not None:
        _check_checkpoint(name, x)
        root = root_of(x)
        if type(root._view) is not Exposed:  # a graph may have saved the old values
            make_writable(root)
        target = alias(x)
    if args:
        setitem(target, args[0], value)
        return x
    result = apply(name, (target, value))
    return x if result is target else result


def _check_checkpoint(name: str, x: Any) -> None:
    """Raise inside of a checkpoint: it runs again, and would write twice."""
    for grad in grad_modes():
        if grad.captured is not None and x._trace in grad.captured:
            raise RuntimeError(
                f"{name}: a checkpoint cannot write to a tensor from outside; copy it first: "
                f"xp.asarray(x, copy=True); got {describe(x)}"
            )


def _check_custom_rule(name: str, x: Any) -> None:
    """Raise inside of a function with a custom rule, which knows of no such write."""
    scope = custom_rule()
    if scope is None:
        return
    level, start, end = scope
    trace = x._trace
    if level <= trace.level.number < end or (not trace.level.forward and trace.sequence_nr < start):
        raise RuntimeError(
            f"{name}: a function with a rule of its own writes to a tensor from outside, and the "
            f"gradient would be lost; copy it first: xp.asarray(x, copy=True); got {describe(x)}"
        )


def _assign(name: str, x: Any, new: Any, writer: Any = None) -> None:
    """Let `x`, and all tensors that share its memory, stand for a new value.

    `writer` is the argument of a function through which it is written, if it is.
    """
    chain = []
    while type(x._view) is View:
        link = x._view
        rule = RULES.get(link.name)
        if rule is None or rule.put is None:
            raise RuntimeError(
                f"{name}: a write to the result of {link.name} cannot be followed; got "
                f"{describe(x)}; write to the tensor that it is a view of"
            )
        index = () if link.index is None else (link.index,)
        new = rule.put(link.base, new, *index, *link.args, **link.kwargs)
        chain.append(x)
        x = link.base
    if x._trace is None:
        _assign_plain(name, x, new, writer)
    elif x._trace.is_tape_leaf and x._trace.level.number == 0:
        raise RuntimeError(
            f"{name}: a leaf tensor that requires grad cannot be modified in place; write inside "
            f"autodiff.no_grad(), or modify a copy; got {describe(x)}"
        )
    elif type(x._view) is Exposed:
        _write_through(name, x, new)
    else:
        storage = x._storage
        _match_strides(new, x)
        _replace(x, new)
        x._storage = storage
    if chain:
        x._storage.version += 1
        for tensor in reversed(chain):
            rebind(tensor, take(tensor._view))
    elif x._storage is not None:
        x._storage.version += 1


def _replace(x: Any, new: Any) -> None:
    """`rebind` for the tensor that others are views of; it is not one itself."""
    if type(new._view) is View:
        # (The value happens to be a view of something else, which it does not follow.)
        new = box_like(new._primal, new)
    rebind(x, new)
    x._view = None


def _assign_plain(name: str, x: Any, new: Any, writer: Any) -> None:
    """Make a plain tensor traced, and the views of it."""
    if x._storage is None:
        _match_strides(new, x)
        _replace(x, new)
        return
    storage = storage_of(x)
    views = [t for t in storage.tensors() if t is not x and t is not writer]
    found = {id(x)}
    for tensor in views:
        if not _is_view_of(tensor, found):
            raise ValueError(
                f"{name}: {describe(x)} shares its memory with another tensor, which would see "
                "the values without their gradient; copy it first: xp.asarray(x, copy=True), or "
                "write into the whole tensor: x[i] = value"
            )
        rule = RULES.get(tensor._view.name)
        if rule is None or rule.put is None:
            raise ValueError(
                f"{name}: {describe(tensor)}, the result of {tensor._view.name}, shares its memory "
                "and cannot follow the write; copy it first: xp.asarray(x, copy=True)"
            )
    if storage.external:
        storage.recorded = True
        setitem(alias(x), ..., alias(new))
        primal = _over(new._primal, x)
        x._trace, x._primal, x._view, x._saved = new._trace, primal, EXPOSED, None
    else:
        _match_strides(new, x)
        _replace(x, new)
    x._storage = new_storage()
    for tensor in views:
        rebind(tensor, take(tensor._view))


def _is_view_of(x: Any, found: set[int]) -> bool:
    """Return True if `x` is a direct or indirect view of a tensor.

    `found` has the ids of that tensor and of its views so far, all of them alive; so each step of
    a chain of views is taken once, however many of its tensors are asked for.
    """
    chain = []
    while id(x) not in found:
        if type(x._view) is not View:
            return False
        chain.append(id(x))
        x = x._view.base
    found.update(chain)
    return True


def _write_through(name: str, x: Any, new: Any) -> None:
    """Write to memory that plain tensors or other libraries see."""
    base = x._view.base
    at_level = new._trace.level is x._view.level
    if base is not None:
        check_argument(name, x)
        if base._trace is not None and not at_level:
            raise RuntimeError(
                f"{name}: {describe(x)} is an argument of a differentiated function, and a value "
                "of another differentiation is written into it; copy it first: "
                "xp.asarray(x, copy=True)"
            )
    memory = bottom(x)
    found = {id(x)}
    for other in storage_of(memory).tensors():
        traced = other._trace is not None and not other._trace.level.closed
        if traced and not _is_view_of(other, found) and other is not base:
            raise RuntimeError(
                f"{name}: {describe(x)} shares its memory with another traced tensor, which would "
                "see the values without their gradient; copy it first: xp.asarray(x, copy=True)"
            )
    if base is not None and at_level:
        if base._trace is None and new._primal._trace is not None:
            _assign(name, base, new._primal, x)
        else:
            setitem(base, ..., new._primal)
        x._primal = box_like(base._primal, base) if base._trace is not None else inner_alias(base)
        x._data = x._primal._data
    else:
        setitem(alias(x), ..., alias(new))
        x._primal = _over(new._primal, x)
    x._trace = new._trace


def _over(value: Any, x: Any) -> Any:
    """A value as tensors of its levels over the memory of `x`, in which it has been written."""
    chain = []
    while value._trace is not None:
        chain.append(value)
        value = value._primal
    out = inner_alias(bottom(x))
    for tensor in reversed(chain):
        out = box_like(out, tensor)
    return out


def _match_strides(new: Any, x: Any) -> None:
    """Give `new` the memory layout of `x`, so that a reshape copies the same cases as before."""
    strides = getattr(x._data, "strides", None)
    if strides is None or new._data.strides == strides or has_hidden_axis(new):
        return
    device = x._device
    back = tuple(i for i, s in enumerate(strides) if s < 0)
    data = operation(device, "flip")(x._data, axis=back) if back else x._data
    data = operation(device, "copy")(data)
    data = operation(device, "flip")(data, axis=back) if back else data
    if data.strides != strides:
        return  # with gaps: a view of other memory
    operation(device, "__setitem__")(data, new._data, ...)
    while True:
        new._data = data
        if new._trace is None:
            return
        new = new._primal
