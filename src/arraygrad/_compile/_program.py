"""A recorded program: calls of the backend's functions on values, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Differs(Exception):
    """A value that the program was recorded for is another one."""


class MeetsNaN(Differs):
    """There is a NaN where the program was recorded without one."""


class Value:
    """An array of a program, or another object that its calls pass on (a random generator).

    Attributes
    ----------
    kind : str
        "input", an argument; "outer", an array that the function uses from outside, by reference;
        "constant"; "result", of a call.
    memory : Memory
        What it shares with others.
    shape, dtype, strides : tuple, dtype, tuple or None
        Of an array. Passes keep the strides, because the order of a sum depends on them.
    is_scalar : bool
        True if the backend's function returned a scalar, of which an array was made.
    data : object
        Of a constant, the array. Of an outer one, the array when it was recorded.
    source : callable or None
        Of an outer one, what returns the array at each call.
    """

    __slots__ = (
        "data", "dtype", "is_scalar", "kind", "memory", "name", "shape", "source", "strides",
    )  # fmt: skip

    def __init__(self, kind: str, memory: Memory, array: Any = None) -> None:
        self.kind = kind
        self.memory = memory
        self.shape: Any = getattr(array, "shape", None)
        self.dtype: Any = getattr(array, "dtype", None)
        self.strides: Any = getattr(array, "strides", None)
        self.is_scalar = False
        self.data: Any = None
        self.source: Callable[[], Any] | None = None
        self.name = ""


class Memory:
    """Memory that values share.

    Attributes
    ----------
    is_outer : bool
        True if something outside of the program sees it: the memory of an argument or of an outer
        array, or what the function has handed to an optimiser.
    is_imported : bool
        True for memory of another library that the function itself imports.
    is_written : bool
        True if a call writes to it.
    is_small : bool
        True if the recorder may keep its arrays alive.
    """

    __slots__ = ("is_imported", "is_outer", "is_small", "is_written")

    def __init__(self, is_outer: bool = False) -> None:
        self.is_outer = is_outer
        self.is_imported = False
        self.is_written = False
        self.is_small = False


#: Keyword arguments of most calls.
NOTHING: dict[str, Any] = {}


class Call:
    """A call of a function.

    Attributes
    ----------
    name : str
        The operation.
    function : callable
        The backend's function of it, or one of this package.
    device : Device or None
        Where it computes.
    args, kwargs : tuple, dict
        Its arguments, with values in the place of arrays.
    out : Value, tuple or None
        Its results.
    writes : tuple of Value
        The arguments that it writes to.
    is_repeated : bool
        True if it does more than compute and write: it has to be called whenever the program runs.
    errors : object
        The state of floating-point errors that it was called in.
    line : (str, int) or None
        The line of the user's code.
    is_apart : bool
        True if its operands do not share memory; NumPy computes the product of a matrix with its
        own transpose in another way than that with a copy.
    region : object or None
        What stands for the checkpoint in whose forward pass it is.
    condition : Value or None
        Of a mask, the array that is looked at: the calls in `body` are made only if it has a NaN.
        The results are otherwise the values in `otherwise`. Of a check for NaN, `otherwise` is the
        weight by which they could be masked, which the check does not need.
    """

    __slots__ = (
        "_found", "args", "body", "condition", "device", "errors", "function", "is_apart",
        "is_repeated", "kwargs", "line", "name", "otherwise", "out", "region", "writes",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        device: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.name = name
        self.function = function
        self.device = device
        self.args = args
        self.kwargs = kwargs
        self.out: Any = None
        self.writes: tuple[Value, ...] = ()
        self.is_repeated = False
        self.is_apart = False
        self.errors: Any = None
        self.line: tuple[str, int] | None = None
        self.region: Any = None
        self.condition: Value | None = None
        self.body: Any = ()  # or a list
        self.otherwise: tuple[Value, ...] = ()
        self._found: Any = None

    def with_arguments(self, args: tuple[Any, ...]) -> None:
        """Set the arguments."""
        self.args, self._found = args, None

    def rename(self, new: dict[int, Value]) -> None:
        """Put other values in the place of some of its operands."""
        if not new:
            return
        if self.otherwise:
            self.otherwise = replaced(self.otherwise, new)
        for v in self._own_operands():
            if id(v) in new:
                self.with_arguments(
                    tuple(
                        [
                            new.get(id(x), x) if type(x) is Value else replaced(x, new)
                            for x in self.args
                        ]
                    )
                )
                if self.kwargs:
                    self.kwargs = replaced(self.kwargs, new)
                if self.writes:
                    self.writes = replaced(self.writes, new)
                break
        if self.condition is not None:
            self.condition = new.get(id(self.condition), self.condition)
            for call in self.body:
                call.rename(new)

    def results(self) -> tuple[Value, ...]:
        """Its results, in order."""
        out = self.out
        if type(out) is Value:
            return (out,)
        return () if out is None else tuple(values_in(out))

    def operands(self) -> list[Value]:
        """The values that it reads, also those that the calls in its body do."""
        found: list[Value] = self._own_operands()
        if self.condition is not None:
            found = [*found]
            inner: set[int] = set()
            for call in self.body:
                found += call.operands()
                inner.update([id(v) for v in call.results()])
            found = [v for v in found if id(v) not in inner]
            found += [self.condition, *self.args, *self.otherwise]
        return found

    def _own_operands(self) -> list[Value]:
        if self._found is not None:
            known: list[Value] = self._found
            return known
        self._found = found = []
        for x in self.args:
            if type(x) is Value:
                found.append(x)
            elif type(x) in _CONTAINERS:
                found += values_in(x)
        for x in self.kwargs.values():
            if type(x) is Value or type(x) in _CONTAINERS:
                found += values_in(x)
        return found


_CONTAINERS = (tuple, list, dict)


class Program:
    """Calls, and what goes in and comes out.

    Attributes
    ----------
    inputs : list of Value
        One for each tensor in the arguments.
    calls : list of Call
        In order.
    outputs : list of Value
        One for each tensor in the results.
    ambient : object
        The state of floating-point errors around the function.
    """

    def __init__(
        self, inputs: list[Value], calls: list[Call], outputs: list[Value], ambient: Any
    ) -> None:
        self.inputs = inputs
        self.calls = calls
        self.outputs = outputs
        self.ambient = ambient

    def outer(self) -> list[Value]:
        """The arrays from outside that calls and results refer to, each once, in order."""
        found: dict[int, Value] = {}
        for call in self.calls:
            for v in call.operands():
                if v.kind == "outer":
                    found[id(v)] = v
        found.update({id(v): v for v in self.outputs if v.kind == "outer"})
        return list(found.values())


def values_in(tree: Any) -> list[Value]:
    """The values in arguments or results, in order."""
    if isinstance(tree, Value):
        return [tree]
    found: list[Value] = []
    if isinstance(tree, (tuple, list)):
        for x in tree:
            found += values_in(x)
    elif isinstance(tree, dict):
        for x in tree.values():
            found += values_in(x)
    return found


def mapped(function: Callable[[Value], Any], tree: Any) -> Any:
    """Arguments or results, with what a function makes of each value."""
    if isinstance(tree, Value):
        return function(tree)
    if isinstance(tree, (tuple, list)):
        parts = [mapped(function, x) for x in tree]
        make = getattr(type(tree), "_make", type(tree))
        return make(parts)
    if isinstance(tree, dict):
        return {k: mapped(function, x) for k, x in tree.items()}
    return tree


def replaced(tree: Any, new: dict[int, Value]) -> Any:
    """Arguments with other values in the place of some, which are found by their ids."""
    return mapped(lambda v: new.get(id(v), v), tree)


def copied_value(v: Value, memories: dict[Memory, Memory]) -> Value:
    """The same value; `memories` has the new memory of each old one."""
    out = Value(v.kind, memories.setdefault(v.memory, Memory()))
    out.shape, out.dtype, out.strides, out.is_scalar = v.shape, v.dtype, v.strides, v.is_scalar
    out.data = v.data
    return out


def copied_call(call: Call, copies: dict[int, Value], memories: dict[Memory, Memory]) -> Call:
    """A call of the copies of its values, which are made for its results."""
    for v in call.results():
        if id(v) not in copies:
            copies[id(v)] = copied_value(v, memories)
    body = [copied_call(c, copies, memories) for c in call.body]
    args, kwargs = replaced(call.args, copies), replaced(call.kwargs, copies)
    new = Call(call.name, call.function, call.device, args, kwargs)
    new.out, new.writes = replaced(call.out, copies), replaced(call.writes, copies)
    new.is_repeated, new.is_apart = call.is_repeated, call.is_apart
    new.errors, new.line = call.errors, call.line
    new.condition = copies[id(call.condition)] if call.condition is not None else None
    new.body, new.otherwise = body, replaced(call.otherwise, copies)
    return new
