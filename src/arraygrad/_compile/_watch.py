"""What a function uses from outside: whether it is still what it was when it was recorded."""

from __future__ import annotations

import builtins
import site
import sys
import sysconfig
from array import array
from collections import deque
from collections.abc import ItemsView, KeysView, ValuesView
from contextvars import ContextVar
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)  # fmt: skip
from typing import Any
from weakref import ref

from .._device import get_device
from .._tensor import Tensor
from ._calls import MISSING, Uses, bytes_of, hooks_of, slot_of

#: Functions that reach containers with more elements are called as they are.
MAX_LENGTH = 1000
#: Bytes of NumPy's arrays that are compared at each call; for larger ones, too.
MAX_BYTES = 10_000
#: How many modules of one chain, as in `package.part.name`, are followed.
MAX_DEPTH = 4
#: How many objects are compared at each call.
MAX_OBJECTS = 10_000
#: Where code is whose global variables stay as they are: Python's own, installed packages, and
#: this package, wherever it is (a wrapper of ours has the module of the function that it wraps).
_INSTALLED = tuple(
    {sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {site.getusersitepackages(), str(Path(__file__).parents[1])}
)
#: Libraries whose objects are not looked into.
_LIBRARIES = frozenset("arraygrad numpy scipy optree array_api_compat cupy builtins".split())
_PLAIN = (str, bytes, int, float, complex, bool, type(None), BuiltinFunctionType)
#: Objects that change unseen.
_OPAQUE = (bytearray, memoryview, array, ref, ContextVar, KeysView, ValuesView, ItemsView)
_HostArray: Any = get_device("cpu").array_type


class Watch(Uses):
    """The variables, attributes and elements that a function can reach, and what they were.

    Closures, global variables by their names, attributes of modules and classes, bound objects,
    attributes and containers are followed. Global variables of installed packages are not, nor is
    what code computes (``getattr`` of a name that it makes).

    Parameters
    ----------
    *starts : object
        The function, and arguments that count by their identity.

    Attributes
    ----------
    problem : str
        Why the function cannot be followed; empty if it can.
    """

    def __init__(self, *starts: Any) -> None:
        super().__init__()
        self.problem = ""
        self._seen: set[int] = set()
        self._classes: set[int] = set()
        self._keep: list[Any] = []
        pending = list(starts)
        while pending and not self.problem:
            pending.extend(self._visit(pending.pop()))
            if len(self._keep) > MAX_OBJECTS:
                self.problem = f"it reaches more than {MAX_OBJECTS} objects; pass some as arguments"

    def has(self, x: Any) -> bool:
        """Return True if the function reaches an object."""
        return id(x) in self._seen

    def has_trace(self, trace: Any) -> bool:
        """Return True if the function reaches a tensor with a trace."""
        return trace is not None and any(x is trace for _, x, _, _ in self._tensors)

    def _visit(self, x: Any) -> list[Any]:
        """Note what an object refers to; returns what to visit next."""
        if isinstance(x, _PLAIN) or id(x) in self._seen:
            return []
        self._seen.add(id(x))
        self._keep.append(x)
        if isinstance(x, Tensor):
            trace = x._trace
            level = None if trace is None else trace.level
            self._tensors.append((x, trace, level, hooks_of(trace)))
            return []
        if isinstance(x, FunctionType):
            return self._visit_function(x)
        if isinstance(x, MethodType):
            return [x.__self__, x.__func__]
        if isinstance(x, ModuleType):  # no code says what is used of it
            if _is_users(x.__name__):
                self.problem = f"it reaches the module {x.__name__} by an object"
            return []
        if isinstance(x, type):
            return self._visit_class(x)
        if isinstance(x, _HostArray):
            if x.nbytes > MAX_BYTES or x.dtype.hasobject:
                self.problem = "it reaches a large NumPy array; make it a tensor, or an argument"
            else:
                self._arrays.append((x, bytes_of(x)))
            return []
        if hasattr(type(x), "__next__"):
            self.problem = f"it reaches an iterator, which runs once ({type(x).__name__})"
            return []
        kind = type(x)
        if kind.__name__ == "cython_function_or_method":  # written in C, perhaps a decorator's
            return [getattr(x, "__wrapped__", None)]
        if isinstance(x, _OPAQUE):
            self.problem = f"it reaches a {kind.__name__}, which cannot be compared"
            return []
        found: list[Any] = []
        if isinstance(x, (dict, MappingProxyType, list, deque, tuple, set, frozenset)):
            if len(x) > MAX_LENGTH:
                self.problem = f"it reaches a {kind.__name__} of more than {MAX_LENGTH} elements"
                return []
            found += x
            if isinstance(x, (dict, MappingProxyType)):
                self._note_dict(x)
                found += x.values()
            elif isinstance(x, (list, deque)):
                self._lists.append((x, list(x)))
            elif isinstance(x, set):
                self._keep += x
                self._sets.append((x, set(map(id, x))))
            if kind.__module__ in ("builtins", "collections"):
                return found
        if kind.__module__.startswith("arraygrad._compile"):
            return [x._function] if hasattr(x, "_function") else []
        if kind.__module__.startswith("arraygrad.") and getattr(kind, "_is_called_again", False):
            return []
        for name in ("__wrapped__", "_function"):
            part = getattr(x, name, None)
            if part is not None:
                found.append(part)
        if kind.__module__ == "functools" or isinstance(x, property):
            names = ("func", "args", "keywords", "fget", "fset")
            found += [getattr(x, name) for name in names if hasattr(x, name)]
        found += self._visit_class(kind)
        if kind.__module__.partition(".")[0] not in _LIBRARIES - {"arraygrad"}:
            variables = getattr(x, "__dict__", None)
            if isinstance(variables, dict):
                self._note_dict(variables)
                found += variables.values()
                methods = (getattr(kind, name, None) for name in ("__call__", "forward"))
                found += [f for f in methods if isinstance(f, FunctionType)]
            for cls in kind.__mro__:
                for slot in vars(cls).values() if _is_users(cls.__module__) else ():
                    if isinstance(slot, MemberDescriptorType):
                        y = slot_of(x, slot)
                        self._slots.append((x, slot, y))
                        found.append(y)
        return found

    def _note_dict(self, x: Any) -> None:
        self._dicts.append((x, dict(x), list(x)))

    def _visit_class(self, x: type) -> list[Any]:
        """Note the attributes of a class, and of those that it inherits from."""
        found: list[Any] = []
        meta: Any = type(x)
        for cls in (*x.__mro__, *meta.__mro__):
            if id(cls) not in self._classes and _is_users(cls.__module__):
                self._classes.add(id(cls))
                self._keep.append(cls)
                self._note_dict(cls.__dict__)
                found += cls.__dict__.values()
        return found

    def _visit_module(
        self, module: ModuleType, names: set[str], seen: tuple[ModuleType, ...] = ()
    ) -> list[Any]:
        """Note the attributes of a module that code names."""
        found: list[Any] = []
        if module in seen or len(seen) > MAX_DEPTH or not _is_users(module.__name__):
            return found
        variables = vars(module)
        for name in names:
            if name in variables:
                x = variables[name]
                self._items.append((variables, name, x))
                if isinstance(x, ModuleType):
                    found += self._visit_module(x, names, (*seen, module))
                else:
                    found.append(x)
        return found

    def _visit_function(self, f: FunctionType) -> list[Any]:
        found: list[Any] = []
        for cell in f.__closure__ or ():
            x = _contents(cell)
            self._cells.append((cell, x))
            if isinstance(x, ModuleType):
                found += self._visit_module(x, _names(f.__code__))
            else:
                found.append(x)
        found += f.__defaults__ or ()
        found += (f.__kwdefaults__ or {}).values()
        found.append(getattr(f, "__wrapped__", None))
        # (Its module, also where `functools.wraps` gave it the name of another.)
        module = str(f.__globals__.get("__name__", "")).partition(".")[0]
        if module in _LIBRARIES or f.__code__.co_filename.startswith(_INSTALLED):
            return found
        self._functions.append((f, f.__code__, f.__defaults__, f.__kwdefaults__))
        self._note_dict(f.__dict__)
        found += f.__dict__.values()
        names = _names(f.__code__)
        if "globals" in names:
            self.problem = "its code calls globals()"
        for name in names:
            if name in f.__globals__:
                x = f.__globals__[name]
                self._items.append((f.__globals__, name, x))
                if not isinstance(x, ModuleType):
                    found.append(x)
            else:  # perhaps Python's own, or imported inside
                x = sys.modules.get(name)
                if hasattr(builtins, name):
                    self._items.append((f.__globals__, name, MISSING))
            if isinstance(x, ModuleType):
                found += self._visit_module(x, names)
        return found


def _is_users(name: Any) -> bool:
    """Return True for modules that are neither Python's own nor installed."""
    if not isinstance(name, str) or name.partition(".")[0] in _LIBRARIES:
        return False
    if name == "__main__":
        return True
    if name.partition(".")[0] in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return not (isinstance(file, str) and file.startswith(_INSTALLED))


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return MISSING


def _names(code: CodeType) -> set[str]:
    """The names of a function's global variables, and of those of the functions in it."""
    names = set(code.co_names)
    for x in code.co_consts:
        if isinstance(x, CodeType):
            names |= _names(x)
    return names
