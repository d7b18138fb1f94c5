"""What a function uses from outside: whether it is still what it was when it was recorded."""

from __future__ import annotations

import sysconfig
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from .._tensor import Tensor

#: Containers with more elements are not looked into.
MAX_LENGTH = 1000
#: How many objects are compared at each call.
MAX_OBJECTS = 10_000
_MISSING = object()
#: Where code is whose global variables stay as they are: Python's own, and installed packages.
_INSTALLED = tuple({sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")})
#: Libraries whose objects are not looked into.
_LIBRARIES = frozenset("arraygrad numpy scipy optree array_api_compat cupy builtins".split())
_PLAIN = (str, bytes, int, float, complex, bool, type(None), type, ModuleType, BuiltinFunctionType)


class Watch:
    """The variables, attributes and elements that a function can reach, and what they were.

    Closures, global variables by their names, bound objects, attributes and containers are
    followed. Global variables of installed packages are not, nor is what code computes (``getattr``
    of a name that it makes).

    Attributes
    ----------
    too_many : bool
        True if the function reaches more than `MAX_OBJECTS`.
    """

    def __init__(self, function: Any) -> None:
        self._cells: list[tuple[Any, Any]] = []
        self._items: list[tuple[dict[str, Any], str, Any]] = []
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._tensors: list[tuple[Any, Any, Any, Any]] = []
        self._seen: set[int] = set()
        self._keep: list[Any] = []
        pending = [function]
        while pending and len(self._keep) <= MAX_OBJECTS:
            pending.extend(self._visit(pending.pop()))
        self.too_many = bool(pending)

    def has(self, x: Any) -> bool:
        """Return True if the function reaches an object."""
        return id(x) in self._seen

    def is_unchanged(self) -> bool:
        """Return True if everything is as it was."""
        for cell, x in self._cells:
            if _contents(cell) is not x:
                return False
        for variables, name, x in self._items:
            if variables.get(name, _MISSING) is not x:
                return False
        for tensor, trace, level, hooks in self._tensors:
            if tensor._trace is not trace:
                return False
            if trace is not None and (trace.level is not level or _hooks(trace) != hooks):
                return False
        for have, was in self._dicts:
            if len(have) != len(was):
                return False
            for k, x in was.items():
                if have.get(k, _MISSING) is not x:
                    return False
        for elements, before in self._lists:
            if len(elements) != len(before):
                return False
            for x, y in zip(elements, before, strict=True):
                if x is not y:
                    return False
        return True

    def _visit(self, x: Any) -> list[Any]:
        """Note what an object refers to; returns what to visit next."""
        if isinstance(x, _PLAIN) or id(x) in self._seen:
            return []
        self._seen.add(id(x))
        self._keep.append(x)
        if isinstance(x, Tensor):
            trace = x._trace
            level = None if trace is None else trace.level
            self._tensors.append((x, trace, level, _hooks(trace)))
            return []
        if isinstance(x, FunctionType):
            return self._visit_function(x)
        if isinstance(x, MethodType):
            return [x.__self__, x.__func__]
        if isinstance(x, dict):
            if len(x) <= MAX_LENGTH:
                self._dicts.append((x, dict(x)))
                return list(x.values())
            return []
        if isinstance(x, list):
            if len(x) <= MAX_LENGTH:
                self._lists.append((x, list(x)))
                return list(x)
            return []
        if isinstance(x, (tuple, set, frozenset)):
            return list(x) if len(x) <= MAX_LENGTH else []
        if getattr(type(x), "_is_called_again", False):
            return []
        if type(x).__module__.startswith("arraygrad._compile"):
            return [x._function] if hasattr(x, "_function") else []
        found: list[Any] = []
        for name in ("func", "args", "keywords", "__wrapped__", "_function"):
            if name in ("__wrapped__", "_function") or type(x).__name__ == "partial":
                part = getattr(x, name, None) if not isinstance(x, type) else None
                if part is not None:
                    found.append(part)
        variables = getattr(x, "__dict__", None)
        if isinstance(variables, dict) and type(x).__module__.partition(".")[0] not in (
            _LIBRARIES - {"arraygrad"}
        ):
            self._dicts.append((variables, dict(variables)))
            found += variables.values()
            methods = (getattr(type(x), name, None) for name in ("__call__", "forward"))
            found += [f for f in methods if isinstance(f, FunctionType)]
        return found

    def _visit_function(self, f: FunctionType) -> list[Any]:
        found: list[Any] = []
        for cell in f.__closure__ or ():
            x = _contents(cell)
            self._cells.append((cell, x))
            found.append(x)
        found += f.__defaults__ or ()
        found += (f.__kwdefaults__ or {}).values()
        module = (f.__module__ or "").partition(".")[0]
        if module in _LIBRARIES or f.__code__.co_filename.startswith(_INSTALLED):
            return found
        for name in _names(f.__code__):
            if name in f.__globals__:
                x = f.__globals__[name]
                self._items.append((f.__globals__, name, x))
                found.append(x)
        return found


def _hooks(trace: Any) -> Any:
    """The functions that are called with the gradient of a leaf."""
    hooks = getattr(trace, "hooks", None)
    return None if not hooks else tuple(hooks.items())


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return _MISSING


def _names(code: CodeType) -> set[str]:
    """The names of a function's global variables, and of those of the functions in it."""
    names = set(code.co_names)
    for x in code.co_consts:
        if isinstance(x, CodeType):
            names |= _names(x)
    return names
