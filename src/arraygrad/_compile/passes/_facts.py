"""What passes ask about the memory of a program."""

from __future__ import annotations

from typing import Any

from ..._device import get_device
from .._program import Call, Memory, Program, Value

_backend: Any = get_device("cpu").backend


class Facts:
    """Which memory is written, and which one the results have.

    Attributes
    ----------
    written : set of Memory
        What calls write to, or may write to: an optimiser to all that is outer.
    results : dict of Memory
        How many results have it.
    """

    def __init__(self, program: Program) -> None:
        self.written: set[Memory] = set()
        self.results: dict[Memory, int] = {}
        self._outer_is_written = False
        for call in every_call(program.calls):
            if call.writes:
                self.written.update([v.memory for v in call.writes])
            if call.is_repeated and call.name not in ("guard", "check"):
                self._outer_is_written = True
        for v in program.outputs:
            self.results[v.memory] = self.results.get(v.memory, 0) + 1

    def is_constant(self, v: Value) -> bool:
        """Return True if nothing writes to the memory of a value while the program runs."""
        memory = v.memory
        return memory not in self.written and not (memory.is_outer and self._outer_is_written)

    def is_private(self, v: Value) -> bool:
        """Return True if nothing outside of the program sees the memory, then or later."""
        return not v.memory.is_outer and v.memory not in self.results


def every_call(calls: list[Call]) -> list[Call]:
    """All calls, and those in masks; the same list if there are none of these."""
    if not [call for call in calls if call.body]:
        return calls
    found = []
    for call in calls:
        found.append(call)
        if call.body:
            found += every_call(call.body)
    return found


def with_outputs(
    program: Program,
    calls: list[Call],
    new: dict[int, Value],
    memories: dict[Memory, Memory] | None = None,
) -> Program:
    """A program of other calls, with other values in the place of some results.

    `memories` are those of values that others have taken the place of: their views have the memory
    of the others now.
    """
    outputs = [new.get(id(v), v) for v in program.outputs]
    if memories:
        for call in every_call(calls):  # (Only results can be views of others.)
            for v in call.results():
                while v.memory in memories:
                    v.memory = memories[v.memory]
    return Program(program.inputs, calls, outputs, program.ambient)


def unite(v: Value, same: Value, memories: dict[Memory, Memory]) -> None:
    """Note that the views of a value are those of another one, which takes its place."""
    old, new = v.memory, same.memory
    while old in memories:
        old = memories[old]
    while new in memories:
        new = memories[new]
    if old is not new:
        memories[old] = new


def key_of(x: Any) -> Any:
    """A hashable form of arguments without values in them; raises TypeError if there is none."""
    if isinstance(x, (tuple, list)):
        return (type(x), *map(key_of, x))
    if isinstance(x, dict):
        return tuple((k, key_of(y)) for k, y in x.items())
    if isinstance(x, slice):
        return (slice, key_of(x.start), key_of(x.stop), key_of(x.step))
    if isinstance(x, (float, complex)):
        return type(x), repr(x)
    if x is None or isinstance(x, (bool, int, str, bytes)):
        return type(x), x
    return id(x)


def settings_of(state: Any) -> dict[str, str]:
    """What NumPy does about each kind of floating-point error in a state."""
    token = _backend.errors.set(state)
    try:
        found: dict[str, str] = _backend.namespace.geterr()
    finally:
        _backend.errors.reset(token)
    return found
