"""Finding and checking the program of a call: what compiled functions do at each call.

All of it takes as long as a few small operations, so hatch_build.py compiles this module.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MappingProxyType
from typing import Any

from .. import _pytree
from .._array import wrap
from .._backends import _ndarray
from .._device import _default, get_device
from .._dtypes import get_defaults
from .._memory import before_write, bottom
from .._tensor import Tensor
from ._program import Differs, MeetsNaN

MISSING = object()
#: Returns the default device; its argument where none is set.
_get_default: Any = _default.get


class Uses:
    """What a function uses from outside, and what that was; see `Watch`."""

    def __init__(self) -> None:
        self._functions: list[tuple[FunctionType, Any, Any, Any]] = []
        self._cells: list[tuple[Any, Any]] = []
        self._items: list[tuple[dict[str, Any], str, Any]] = []
        self._dicts: list[tuple[Any, dict[Any, Any], list[Any]]] = []
        self._lists: list[tuple[Any, list[Any]]] = []
        self._sets: list[tuple[Any, set[int]]] = []
        self._slots: list[tuple[Any, Any, Any]] = []
        self._arrays: list[tuple[Any, Any]] = []
        self._tensors: list[tuple[Any, Any, Any, Any]] = []

    def is_unchanged(self) -> bool:
        """Return True if everything is as it was."""
        for f, code, defaults, named in self._functions:
            if (
                f.__code__ is not code
                or f.__defaults__ is not defaults
                or f.__kwdefaults__ is not named
            ):
                return False
        for cell, x in self._cells:
            try:
                if cell.cell_contents is not x:
                    return False
            except ValueError:  # empty
                if x is not MISSING:
                    return False
        for variables, name, x in self._items:
            if variables.get(name, MISSING) is not x:
                return False
        for tensor, trace, level, hooks in self._tensors:
            if tensor._trace is not trace:
                return False
            if trace is not None and (trace.level is not level or hooks_of(trace) != hooks):
                return False
        for have, was, order in self._dicts:
            is_plain = type(have) is dict or type(have) is MappingProxyType
            if is_plain and not have and not was:  # (that of most functions)
                continue
            if list(have) != order:
                return False
            if is_plain:  # whose values are in the order of the keys
                # (Another thread may change it meanwhile.)
                for x, y in zip(list(have.values()), was.values(), strict=False):
                    if x is not y:
                        return False
                continue
            for k, x in was.items():
                if have.get(k, MISSING) is not x:
                    return False
        for several, ids in self._sets:
            if set(map(id, several)) != ids:
                return False
        for owner, slot, x in self._slots:
            if slot_of(owner, slot) is not x:
                return False
        for array, was in self._arrays:
            if bytes_of(array) != was:
                return False
        for elements, before in self._lists:
            if len(elements) != len(before):
                return False
            for x, y in zip(elements, before, strict=True):
                if x is not y:
                    return False
        return True


def slot_of(x: Any, slot: Any) -> Any:
    """What a slot has; `MISSING` if that is nothing."""
    try:
        return slot.__get__(x)
    except AttributeError:
        return MISSING


def bytes_of(x: Any) -> Any:
    """What an array of NumPy's is compared by."""
    return x.shape, x.dtype, x.tobytes()


def hooks_of(trace: Any) -> Any:
    """The functions that are called with the gradient of a leaf."""
    hooks = getattr(trace, "hooks", None)
    return None if not hooks else tuple(hooks.items())


class Checked:
    """A program with what has to be as it was, so that it can be run.

    Attributes
    ----------
    watch : Watch
        What the function uses from outside.
    grads : list of tuple
        Leaves from outside, and whether they had no gradient.
    outer : list of tuple
        For each array from outside its tensor or None, the array, and what returns it.
    overlaps : list of tuple
        Pairs of arrays, and whether they overlap. The program writes to one of the two.
    written_inputs, written_outer : list
        The positions of arguments, and the tensors from outside, that are written.
    run : callable or None
        The program's function, once it is prepared.
    reuse : callable or None
        Returns the function that uses the memory of donated arguments, if there is one.
    assumes, acts : bool
        Whether it checks that there is no NaN, and whether it does something outside.
    new : list of tuple or None
        For results that are new memory, their positions and devices; None if some are not.
    outputs, structure : list of Output, object
        How the leaves of the results are made, and their containers.
    runs : int
        How often it was run.
    """

    def __init__(self, watch: Uses, grads: list[Any], outputs: list[Any], structure: Any) -> None:
        self.watch, self.grads, self.outputs, self.structure = watch, grads, outputs, structure
        self.outer: list[Any] = []
        self.overlaps: list[Any] = []
        self.written_inputs: list[int] = []
        self.written_outer: list[Any] = []
        self.run: Any = None
        self.reuse: Callable[[list[Any]], Any] | None = None
        self.assumes = self.acts = False
        self.new: Any = None
        self.runs = 0

    def arrays(self, tensors: list[Any]) -> list[Any] | None:
        """The program's arguments; None if it does not fit any more."""
        for node, is_none in self.grads:
            if (node.grad is None) is not is_none:
                return None
        if not self.watch.is_unchanged():
            return None
        if self.run is None and not self.prepare():
            return None
        arrays = [t._data for t in tensors]
        for tensor, data, source in self.outer:
            if tensor is None:
                arrays.append(source())
            elif tensor._data is not data or tensor._trace is not None:
                return None
            else:
                arrays.append(data)
        for i, j, overlap in self.overlaps:
            if overlap_of(arrays[i], arrays[j]) is not overlap:
                return None
        return arrays

    def prepare(self) -> bool:
        """Get everything but `watch` and `grads`; return False if that is not possible."""
        raise NotImplementedError

    def __call__(self, tensors: list[Any], arrays: list[Any]) -> Any:
        """Run the program."""
        for i in self.written_inputs:
            before_write(bottom(tensors[i]))
        for x in self.written_outer:
            before_write(x)
        try:
            run = self.run if self.reuse is None else self.reuse(tensors)
            found = run(*arrays)
        except Differs:
            raise
        except Exception as error:
            if self.assumes and not self.acts:  # perhaps because of a NaN that should be masked
                raise MeetsNaN from error
            raise self._explained(error) from error
        made: list[Any] = []
        if self.new is None:
            for make in self.outputs:
                made.append(make.make(tensors, found, made))
        else:
            for i, device in self.new:
                made.append(wrap(Tensor, found[i], device))
        return _pytree.unflatten(self.structure, made)

    def _explained(self, error: Exception) -> Exception:
        """The error as the operation raises it outside of a program."""
        return error


class Known:
    """The programs for the tensors of one call, outside of all modes.

    To compare the next arguments with these takes a fraction of the time of making the key by
    which programs are found.
    """

    def __init__(self, entries: list[Any], tensors: list[Any], key: Any, careful: set[Any]) -> None:
        self._entries, self._key, self._careful = entries, key, careful
        self._forms = [(t._data.shape, t._data.dtype, t._data.strides, t._device) for t in tensors]
        self._device, self._defaults = _get_default(None), get_defaults()

    def call(self, args: tuple[Any, ...]) -> Any:
        """Run the program that fits; return `MISSING` if there is none."""
        tensors = self._tensors(args)
        if tensors is None:
            return MISSING
        return run_first(self._entries, tensors, self._key, self._careful)

    def _tensors(self, args: tuple[Any, ...]) -> list[Any] | None:
        """The arguments as a list, if they are like those; none may stand twice."""
        n = len(self._forms)
        if len(args) != n:
            return None
        if n > 1 and (args[0] is args[1] if n == 2 else len(set(map(id, args))) < n):
            return None
        tensors = []
        for x, form in zip(args, self._forms, strict=True):
            if type(x) is not Tensor:
                return None
            t: Any = x
            shape, dtype, strides, device = form
            if t._trace is not None or t._device is not device:
                return None
            data = t._data
            if not _ndarray.matches(data, shape, dtype) or data.strides != strides:
                return None
            tensors.append(t)
        if _get_default(None) is not self._device or get_defaults() is not self._defaults:
            return None
        return tensors


def run_first(entries: list[Any], tensors: list[Any], key: Any, careful: set[Any]) -> Any:
    """Run the first program that fits; return `MISSING` if none does.

    Signatures of which a program has met a NaN are added to `careful`.
    """
    for entry in entries:
        if not isinstance(entry, Checked):
            return MISSING
        arrays = entry.arrays(tensors)
        if arrays is None:
            continue
        try:
            out = entry(tensors, arrays)
        except MeetsNaN:
            careful.add(key)
            continue
        except Differs:
            continue
        entry.runs += 1
        return out
    return MISSING


_cpu: Any = get_device("cpu")


def overlap_of(x: Any, y: Any) -> bool:
    """Return True if the ranges of two arrays' memory overlap."""
    if type(x) is not type(y):
        return False
    bounds = (_cpu if isinstance(x, _cpu.array_type) else get_device("cuda")).ops["bounds"]
    (low, high), (start, end) = bounds(x), bounds(y)
    return bool(low < end and start < high)
