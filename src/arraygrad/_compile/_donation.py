"""Donated arguments: tensors whose memory a program may use again, and that are used up."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, NoReturn

from .. import _pytree
from .._array import Level, Trace, wrap
from .._modes import get_recorder
from .._tensor import Tensor
from .._typing import P, R
from ._compiled import Compiled, Entry, Ready
from ._text import Text

#: By their ids, the tensors that the running call consumes, and what they are.
_donated: ContextVar[dict[int, tuple[Any, str]] | None] = ContextVar(
    "arraygrad_donated", default=None
)


class Donating(Compiled[P, R]):
    """A compiled function that consumes some of its arguments.

    Donation has no effect on tensors that take part in a differentiation or a batch, nor inside of
    another compiled function.
    """

    def __init__(
        self,
        function: Callable[P, R],
        static_argnums: tuple[int, ...],
        static_argnames: tuple[str, ...],
        guards: bool,
        graphs: bool,
        reassociate: bool,
        donate_argnums: tuple[int, ...],
    ) -> None:
        super().__init__(function, static_argnums, static_argnames, guards, graphs, reassociate)
        self._donate_argnums = donate_argnums
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):  # some functions written in C have none
            return
        if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
            for i in donate_argnums:
                if i >= count:
                    raise ValueError(
                        f"compile: donate_argnums has the index {i}, but {self._name} has only "
                        f"{count} positional arguments"
                    )

    def _options(self, bound: int = 0) -> tuple[Any, ...]:
        donated = tuple([i - bound for i in self._donate_argnums if i >= bound])
        return (*super()._options(bound), donated)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, and consume the donated arguments."""
        if get_recorder() is not None:
            return super().__call__(*args, **kwargs)
        tensors: dict[int, tuple[Any, str]] = {}
        for i in self._donate_argnums:
            if i >= len(args):
                raise TypeError(
                    f"compile: argument {i} of {self._name} is in donate_argnums and must be "
                    f"passed by position; got {len(args)} positional arguments"
                )
            for x in _pytree.flatten(args[i])[0]:
                if type(x) is Tensor and x._fresh_trace() is None:
                    tensors[id(x)] = x, f"argument {i} of {self._name}"
        token = _donated.set(tensors)
        try:
            out = super().__call__(*args, **kwargs)
        finally:
            _donated.reset(token)
        moved: dict[int, Any] = {}
        leaves, structure = _pytree.flatten(out)
        for i, x in enumerate(leaves):
            if id(x) in tensors and x._trace is None:
                if id(x) not in moved:
                    moved[id(x)] = _moved(x)
                leaves[i] = moved[id(x)]
        for x, place in tensors.values():
            consume(x, place)
        return _pytree.unflatten(structure, leaves) if moved else out

    def _recorded(
        self, tensors: list[Any], structure: Any, static: Any, careful: bool
    ) -> tuple[Entry, Any]:
        # A program that stops at a NaN may have written to a donated argument.
        return super()._recorded(tensors, structure, static, careful=True)

    def _entry(self, *args: Any) -> Entry:
        entry = super()._entry(*args)
        if isinstance(entry, Ready):
            donated = _donated.get() or {}
            places = [i for i, x in enumerate(args[-1]) if id(x) in donated]
            entry.make_reuse = partial(_reuse, places)
        return entry


def _reuse(places: list[int], entry: Ready) -> Callable[[list[Any]], Any] | None:
    """What chooses the function that uses the memory of donated arguments; None if there is none.

    A result is written into the memory of an argument that nothing needs any more, as it is into
    that of intermediate results. That takes memory that nothing else refers to.
    """
    program = entry._program
    if any(call.name == "guard" for call in entry._plain.calls):
        return None  # (another program may have to begin with the same arguments)
    # Arguments that are results themselves are no outputs of the program, but needed all the same.
    kept = {program.inputs[out.x].memory for out in entry.outputs if out.kind == "input"}
    places = [i for i in places if program.inputs[i].memory not in kept]
    text = Text(program, fast=True, donated={id(program.inputs[i]) for i in places})
    reused = [i for i in places if any(v is program.inputs[i] for v in text.donors())]
    if not reused:
        return None
    function = text.function()
    outside = {id(tensor) for tensor in entry.outer_tensors()}

    def choose(tensors: list[Any]) -> Any:
        donated = _donated.get() or {}
        found = [tensors[i] for i in reused]
        if not all(_is_alone(x) and id(x) not in outside for x in found):
            return entry.run
        for x in found:
            consume(*donated[id(x)])
        return function

    return choose


def _is_alone(x: Any) -> bool:
    """Return True if nothing but a plain tensor refers to its memory, as far as can be known."""
    return x._trace is None and x._storage is None and x._device.ops["root"](x._data) is x._data


def _moved(x: Any) -> Any:
    """Another tensor in the place of a plain one that is going to be consumed."""
    out = wrap(Tensor, x._data, x._device)
    out._storage, out._view = x._storage, x._view
    if out._storage is not None:
        out._storage.add(out)
    return out


def consume(x: Any, place: str) -> None:
    """Let a plain tensor raise at its next use. It has its shape and its dtype still."""
    if x._trace is not None:
        return
    ops = x._device.ops
    empty = ops["broadcast_to"](ops["zeros"]((), dtype=x._data.dtype), x._data.shape)
    primal = wrap(Tensor, empty, x._device)
    x._data, x._primal = empty, primal
    x._storage = x._saved = x._view = None
    x._trace = Consumed(place)


class _Nowhere(Level):
    """The level of a consumed tensor: it refuses everything."""

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.number = 2**62  # operations with others come here
        self.closed = False
        self.place = place

    def process(self, name: str, *_: Any) -> NoReturn:
        """Raise for an operation."""
        self._refuse(f"{name}: ")

    def check_value(self, _x: Any, name: str) -> NoReturn:
        """Raise where values are read."""
        self._refuse(f"{name}: ")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse

    def _refuse(self, name: Any = "", *_: Any) -> NoReturn:
        raise RuntimeError(
            f"{name if isinstance(name, str) else ''}the tensor has been donated as {self.place} "
            "(donate_argnums of compile) and must not be used again; use the result, or donate a "
            "copy: xp.asarray(x, copy=True)"
        )


class Consumed(Trace):
    """The trace of a consumed tensor."""

    __slots__ = ()

    requires_grad = is_leaf = is_tape_leaf = False
    grad = grad_fn = hooks = None
    text = ", donated"

    def __init__(self, place: str) -> None:
        self.level = _Nowhere(place)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.level, name)()
