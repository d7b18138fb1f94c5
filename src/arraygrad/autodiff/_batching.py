"""Levels of batches: an operation on one example, performed on all of them at once.

A batched tensor wraps a tensor with one axis more, the first, which is hidden: shape and dtype are
those of one example. Operations are performed by the rules in `rules/_batching`, one level lower,
where derivatives and outer batches take their turn. Where there is no rule, a loop over the
examples performs them.

A batched tensor is a name for the tensor that it wraps: views of one wrap views of the other, and a
write goes to its memory.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import ref

from .. import _cpython
from .._array import Array, Level, Trace, traced_like, wrap
from .._dispatch import apply, unary, view
from .._errors import UnbatchableError, describe
from .._keys import getitem
from .._memory import View, shared_alias, storage_of
from .._modes import Mode, _mode
from .._standard import MUTATING, check
from ..random import drawing
from ._graph import level_numbers
from ._levels import KEYED, note_batch, transform
from ._rules import BATCHING, RULES, Rule
from ._views import detach, note_view, perform, rebind, refresh, take

Function = Callable[..., Any]


class Batched(Trace):
    """The trace of a batched tensor. It takes part in no differentiation itself."""

    __slots__ = ()

    requires_grad = False
    is_leaf = True
    is_tape_leaf = False
    grad = None
    grad_fn = None
    value = None
    text = ", vmap"


class Call:
    """An operation on a batch, for the rule that performs it.

    Attributes
    ----------
    name : str
        The operation.
    operands : list
        Tensors of one level lower, and scalars. Batched ones have the hidden axis first.
    batched : list of bool
        Which of the operands are batched.
    args, kwargs : tuple, dict
        The parameters.
    size : int
        The number of examples.
    """

    __slots__ = ("args", "batched", "kwargs", "name", "operands", "size", "words")

    def __init__(
        self, name: str, operands: list[Any], batched: list[bool], args: Any, kwargs: Any, size: int
    ) -> None:
        self.name = name
        self.operands = operands
        self.batched = batched
        self.args = args
        self.kwargs = kwargs
        self.size = size
        #: The parameters that are batched, by keyword.
        self.words: frozenset[str] = frozenset()

    def ndim(self, i: int = 0) -> int:
        """The number of axes of an operand, of one example; 0 for a scalar."""
        x = self.operands[i]
        return x._data.ndim - self.batched[i] if isinstance(x, Array) else 0

    def shape(self, i: int = 0) -> tuple[int, ...]:
        """The shape of an operand, of one example."""
        x = self.operands[i]
        return x._data.shape[self.batched[i] :] if isinstance(x, Array) else ()

    def aligned(self, ndim: int | None = None) -> list[Any]:
        """The operands, with axes of size 1 so that those of examples broadcast."""
        if ndim is None:
            ndim = max(map(self.ndim, range(len(self.operands))))
        return [
            expanded(x, ndim) if flag else x
            for x, flag in zip(self.operands, self.batched, strict=True)
        ]

    def full(self, i: int = 0) -> Any:
        """An operand with the hidden axis, by broadcasting if it has none."""
        x = self.operands[i]
        return x if self.batched[i] else repeated(x, self.size)

    def perform(self, operands: Any = None, args: Any = None, kwargs: Any = None) -> Any:
        """The operation on other operands or with other parameters, one level lower."""
        return performed(
            self.name,
            self.operands if operands is None else operands,
            self.args if args is None else args,
            self.kwargs if kwargs is None else kwargs,
        )

    def example(self, i: int) -> Any:
        """The operation on one example."""
        operands = [
            getitem(x, (i, ...)) if flag else x
            for x, flag in zip(self.operands, self.batched, strict=True)
        ]
        kwargs = {k: getitem(x, (i, ...)) if k in self.words else x for k, x in self.kwargs.items()}
        args = self.args
        if self.name in KEYED:
            args = (key_of_example(args[0], i), *args[1:])
        return performed(self.name, operands, args, kwargs)

    def loop(self) -> Any:
        """The operation on one example after the other."""
        if not self.size:
            raise UnbatchableError(f"{self.name}: inside of vmap not for a batch of no examples")
        results = [self.example(i) for i in range(self.size)]
        first = results[0]
        if not isinstance(first, (tuple, list)):
            return stacked(results)
        parts = [stacked(list(p)) for p in zip(*results, strict=True)]
        return getattr(type(first), "_make", type(first))(parts)

    def check(self) -> None:
        """Raise the operation's own error, if it fails for the first example."""
        if self.size:
            self.example(0)

    def explain(self, least: int, i: int = 0) -> None:
        """Raise the operation's own error for an operand with too few axes."""
        if self.ndim(i) < least:
            self.example(0)
            raise ValueError(
                f"{self.name}: expected at least {least} axes; got shape {self.shape(i)}"
            )

    def axis(self, axis: int, ndim: int | None = None) -> int:
        """An axis of an example as one of the batch."""
        n = self.ndim() if ndim is None else ndim
        if not -n <= axis < n:
            self.example(0)
            raise ValueError(f"{self.name}: axis {axis} does not exist for {n} axes")
        return axis % n + 1

    def axes(self, axes: Any, ndim: int | None = None) -> Any:
        """An axis, several of them, or None for all, of an example as those of the batch."""
        n = self.ndim() if ndim is None else ndim
        if axes is None:
            return tuple(range(1, n + 1))
        if isinstance(axes, (tuple, list)):
            return tuple([self.axis(a, n) for a in axes])
        return self.axis(axes, n)


def performed(name: str, operands: Any, args: Any, kwargs: Any) -> Any:
    """An operation by its name, one level lower."""
    return perform(RULES.get(name) or Rule(name), tuple(operands), args, kwargs)


class Unbatched:
    """A result without the hidden axis."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def expanded(x: Any, ndim: int) -> Any:
    """A tensor with the hidden axis whose examples get axes of size 1 in front, to `ndim`."""
    missing = ndim + 1 - x._data.ndim
    if missing <= 0:
        return x
    shape = x._data.shape
    return view("reshape", x, ((shape[0], *(1,) * missing, *shape[1:]),), {"copy": None})


def repeated(x: Any, size: int) -> Any:
    """A tensor without the hidden axis, broadcast to a batch of `size`."""
    return view("broadcast_to", x, ((size, *x._data.shape),))


def moved(x: Any, source: int, destination: int) -> Any:
    """A tensor with one axis moved."""
    return x if source == destination else view("moveaxis", x, (source, destination))


def stacked(parts: list[Any]) -> Any:
    """Examples, stacked along the hidden axis."""
    return apply("stack", tuple(parts), (), {"axis": 0})


class BatchLevel(Level):
    """A running vmap.

    Attributes
    ----------
    size : int
        The number of examples.
    largest : int
        The most elements that an example of a tensor has had.
    randomness : {"error", "same", "different"}
        What random numbers are, drawn inside.
    adopted : list
        Tensors without the hidden axis into which batched values were written, and as they were
        before.
    """

    __slots__ = ("adopted", "largest", "randomness", "size")

    forward = True
    batched = True

    def __init__(self, size: int, randomness: str = "error") -> None:
        self.number = next(level_numbers)
        self.closed = False
        self.size = size
        self.randomness = randomness
        self.adopted: list[tuple[Any, Any]] = []
        self.largest = 0
        note_batch()

    def wrap(self, value: Any) -> Any:
        """A tensor with the hidden axis first, as one example each."""
        device = value._device
        data = value._data
        if data.shape[0] != self.size:
            raise AssertionError(f"vmap: {data.shape[0]} examples in a batch of {self.size}")
        if self.size:
            first = device.ops["getitem"](data, (0, ...))
            if first.size > self.largest:
                self.largest = first.size
        else:
            first = device.ops["empty"](data.shape[1:], dtype=data.dtype)
        out = wrap(type(value), first, device)
        trace = Batched.__new__(Batched)
        trace.level = self
        out._trace = trace
        out._primal = value
        return out

    def inner(self, x: Any) -> Any:
        """A tensor of this level, or of none, with the hidden axis first and not hidden."""
        if x._trace is not None:
            refresh(x)
            if x._trace is not None and x._trace.level is self:
                return x._primal
        return repeated(x, self.size)

    def is_at(self, x: Any) -> bool:
        """Return True if a tensor is of this level."""
        if not isinstance(x, Array) or x._trace is None:
            return False
        refresh(x)
        return x._trace is not None and x._trace.level is self

    @contextmanager
    def running(self, *leaves: Any) -> Iterator[None]:
        """Run a user's function inside, also if that is again, after the call has returned.

        `leaves` are the tensors that it is called with, one level lower. Where they belong to a
        level that has begun since, this one counts as inside of it.
        """
        closed, number = self.closed, self.number
        levels = [x._trace.level.number for x in leaves
                  if isinstance(x, Array) and x._trace is not None]  # fmt: skip
        if max(levels, default=0) > number:
            self.number = next(level_numbers)
        self.closed = False
        try:
            if closed:
                with drawing(self):
                    yield
            else:
                yield
        finally:
            self.number = number
            if closed:
                self.finish()

    def wrapped(self, leaves: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
        """Leaves of arguments, of which some have the hidden axis first."""
        return [self.wrap(x) if flag else x for x, flag in zip(leaves, flags, strict=True)]

    # ---- operations

    def process(self, name: str, operands: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
        """Perform an operation in which a tensor of this level takes part."""
        if (
            self.closed
            or name in _SPECIAL
            or _cpython.current(_mode) is not None
            or (kwargs and not _plain_parameters(kwargs))
        ):
            return transform(name, operands, args, kwargs)
        inner, flags = [], []
        for x in operands:
            flag = False
            if isinstance(x, Array) and x._trace is not None:
                if type(x._view) is View:
                    refresh(x)
                if x._trace is None or x._trace.level is not self:
                    return transform(name, operands, args, kwargs)
                flag = True
                x = x._primal
            inner.append(x)
            flags.append(flag)
        return self.perform(Call(name, inner, flags, args, kwargs, self.size), operands)

    def apply(self, name: str, operands: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
        """Perform an operation of which this is the highest level; in full generality."""
        mode = _cpython.current(_mode)
        if mode is not None and mode.strict:
            check(name, operands, args, kwargs)
            token = _mode.set(_unstrict(mode))
            try:
                return self.apply(name, operands, args, kwargs)
            finally:
                _mode.reset(token)
        if name in MUTATING:
            return self._write(name, operands, args)
        inner, flags = self._lowered(operands)
        words = []
        if kwargs:
            kwargs = dict(kwargs)
            for k, x in kwargs.items():
                (kwargs[k],), (flag,) = self._lowered((x,))
                if flag:
                    words.append(k)
        call = Call(name, inner, flags, args, kwargs, self.size)
        call.words = frozenset(words)
        return self.perform(call, operands)

    def perform(self, call: Call, operands: tuple[Any, ...]) -> Any:
        """Perform an operation by its rule, and wrap the results."""
        if call.name in KEYED:
            args = call.args
            call.args = (self.lowered_key(args[0]), *args[1:])
        rule = BATCHING.get(call.name)
        if call.words and (rule is None or call.name not in _KEYWORDS):
            out = call.loop()
        else:
            out = NotImplemented if rule is None else rule(call)
            if out is NotImplemented:
                out = call.loop()
        if type(out) is Unbatched:
            return out.value
        rule_of = RULES.get(call.name)
        if rule_of is None or rule_of.put is None:
            if not isinstance(out, (tuple, list)):
                return self.wrap(out)
            return getattr(type(out), "_make", type(out))([self.wrap(o) for o in out])
        base = call.operands[0] if call.batched[0] else None
        if not isinstance(out, (tuple, list)):
            return self._view_of(out, base, call, operands, None)
        return type(out)([self._view_of(o, base, call, operands, i) for i, o in enumerate(out)])

    def _view_of(
        self, out: Any, base: Any, call: Call, operands: tuple[Any, ...], index: int | None
    ) -> Any:
        """A result, which is noted as a view of the operand if it is one a level lower."""
        if out is base:  # (a write to the result is one to the operand, and the other way round)
            return self.wrap(out)
        result = self.wrap(out)
        link = out._view
        while type(link) is View:
            if link.base is base:
                args = operands[0], call.name, call.args, call.kwargs, index
                if call.name in KEYED:
                    args = operands[0], call.name, (_outer_key(call.args[0]),), {}, index
                note_view(result, *args)
                break
            link = link.base._view
        return result

    def _lowered(self, operands: Sequence[Any]) -> tuple[list[Any], list[bool]]:
        """Operands one level lower, and which of them have the hidden axis."""
        inner, flags = [], []
        for x in operands:
            while isinstance(x, Array) and x._trace is not None:
                refresh(x)
                if x._trace is None or x._trace.level.number <= self.number:
                    break
                x = x._primal  # not recorded at present
            flag = isinstance(x, Array) and x._trace is not None and x._trace.level is self
            inner.append(x._primal if flag else x)
            flags.append(flag)
        return inner, flags

    def lowered_key(self, key: Any) -> Any:
        """An index whose tensors of this level are replaced by `BatchedIndex`."""
        if isinstance(key, tuple):
            return tuple([self.lowered_key(k) for k in key])
        if isinstance(key, Array) and key._trace is not None:
            (inner,), (flag,) = self._lowered((key,))
            return BatchedIndex(inner, self) if flag else inner
        return key

    # ---- writes

    def _write(self, name: str, operands: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
        x, value = operands
        (target, value), (flag, is_batched) = self._lowered(operands)
        if not flag:
            self.adopt(name, x)
            target = x._primal
        key = self.lowered_key(args[0]) if args else None
        call = Call(name, [target, value], [True, is_batched], (key,), {}, self.size)
        BATCHING["__setitem__" if args else "__iadd__"](call)
        return x

    def adopt(self, name: str, x: Any) -> None:
        """Give a tensor, into which a batched value is written, the hidden axis.

        One that was made inside of the function is gone when that has returned; for any other,
        `finish` raises.
        """
        why = (
            f"{name}: inside of vmap, a value of which each example has its own is written into "
            f"{describe(x)}, which all examples share; make the tensor that is written inside of "
            "the function, x = xp.asarray(x, copy=True), and return it"
        )
        root, views = x, []
        while type(root._view) is View:
            root = root._view.base
        if root._trace is not None:
            if x._trace is None or root._view is not None:  # an argument, or a leaf of the tape
                raise ValueError(why)
        elif root._storage is not None:
            storage = storage_of(root)
            views = [t for t in storage.tensors() if t is not root]
            if storage.external or any(type(t._view) is not View for t in views):
                raise ValueError(why)
        self.adopted += [(ref(t), _slots_of(t)) for t in (root, *views)]
        before = wrap(type(root), root._data, root._device)
        before._trace, before._primal = root._trace, root._primal
        rebind(root, self.wrap(unary("copy", repeated(before, self.size))))
        root._view = None
        if before._trace is None:
            root._storage = None
            for t in views:  # in the order in which they were made
                rebind(t, take(t._view))
        elif root._storage is not None:
            root._storage.version += 1  # so that views are taken again
            refresh(x)

    def finish(self, failed: bool = False) -> None:
        """Close the level. Raise if a tensor from outside has been given the hidden axis."""
        self.closed = True
        adopted, self.adopted = _alive(self.adopted), []
        for _ in range(2):
            if adopted:
                gc.collect()  # what is alive in cycles is not outside
                adopted = _alive(adopted)
        alive = [(x, slots) for link, slots in adopted if (x := link()) is not None]
        for x, slots in alive:
            x._data, x._trace, x._primal, x._storage, x._view = slots
            x._saved = None
            if x._trace is not None and x._storage is not None:
                x._storage.version += 1
        if alive and not failed:
            raise ValueError(
                f"vmap: the function writes values, of which each example has its own, into "
                f"{describe(alive[0][0])}, a tensor from outside; make the tensor inside, and "
                "return it"
            )

    # ---- reads

    def check_value(self, x: Any, name: str) -> None:
        """Raise: each example has a value of its own."""
        raise UnbatchableError(f"{name}: {_REMEDIES.get(name, _REMEDY)}; got {describe(x)}")

    def check_constant(self, x: Any, name: str) -> None:
        """Raise: each example has a value of its own."""
        self.check_value(x, name)

    check_number = check_constant

    def refresh(self, x: Any) -> None:
        """Bring a tensor of this level up to date."""
        refresh(x)

    def detach(self, x: Any) -> Any:
        """The same batch, not differentiated."""
        refresh(x)
        inner = x._primal
        return traced_like(detach(inner) if inner._trace is not None else shared_alias(inner), x)

    def backward(self, x: Any, *_: Any) -> None:
        """Refuse: the tape is outside of the batch."""
        raise RuntimeError(
            "backward: inside of vmap a tensor stands for one example each; write autodiff.grad "
            f"there, or call backward outside of it; got {describe(x)}"
        )


class BatchedIndex:
    """An index tensor that differs between examples.

    Attributes
    ----------
    value : Array
        One level lower, with the hidden axis first.
    """

    __slots__ = ("level", "value")

    def __init__(self, value: Any, level: BatchLevel) -> None:
        self.value = value
        self.level = level


def _alive(adopted: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The entries whose tensors are alive; views, which refer to their bases, come last."""
    found = []
    while adopted:
        entry = adopted.pop()
        if entry[0]() is not None:
            found.append(entry)
        entry = None  # type: ignore[assignment]  # (may be the last reference to a base)
    return found[::-1]


def _slots_of(x: Any) -> tuple[Any, ...]:
    """What a write may change of a tensor."""
    return x._data, x._trace, x._primal, x._storage, x._view


def _outer_key(key: Any) -> Any:
    """The inverse of `lowered_key`."""
    if isinstance(key, tuple):
        return tuple([_outer_key(k) for k in key])
    return key.level.wrap(key.value) if type(key) is BatchedIndex else key


def key_of_example(key: Any, i: int) -> Any:
    """The index of one example."""
    if isinstance(key, tuple):
        return tuple([key_of_example(k, i) for k in key])
    return getitem(key.value, (i, ...)) if type(key) is BatchedIndex else key


#: Operations that take the general path.
_SPECIAL = MUTATING | KEYED
#: Operations whose rules take batched parameters.
_KEYWORDS = frozenset({"linalg.matrix_rank", "linalg.pinv", "searchsorted", "diff"})

_REMEDY = (
    "inside of vmap a tensor stands for one example each, and this reads the value of all; write "
    "functions of arraygrad instead (xp.sqrt(x)), or call it outside"
)
_REMEDIES = {
    "__bool__": "inside of vmap each example has its own truth value, and Python's if, while, and, "
    "or and not take one; write xp.where(condition, a, b), xp.logical_and(a, b)",
    "__index__": "inside of vmap each example has its own value, and a Python int is one; write "
    "x[i] or xp.take(x, i) with the tensor i as an index; sizes must be the same for all examples",
    "__array__": "inside of vmap NumPy would see all examples at once; write functions of "
    "arraygrad instead of NumPy's (xp.exp(x))",
}


def _plain_parameters(kwargs: dict[str, Any]) -> bool:
    return not any(isinstance(x, Array) for x in kwargs.values())


def _unstrict(mode: Mode) -> Mode:
    """A mode that checks what another one does, without what the standard leaves out."""
    found = Mode(None, mode)
    found.strict = False
    found.checks = found.nans is not None
    return found
