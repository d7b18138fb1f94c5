"""Programs as modules that need NumPy alone."""

from __future__ import annotations

import ast
import builtins
import inspect
import operator
import sys
import textwrap
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

from .. import _pytree
from .._device import get_device
from ._program import Call, values_in
from ._text import Text, library_name
from .passes._facts import every_call

_cpu: Any = get_device("cpu")
_np: Any = _cpu.backend.namespace

#: What stands in a module for those of our functions that only save time, or suit this package.
_INSTEAD = {
    "parallel_elementwise": "def parallel_elementwise(function):\n    return function\n",
    "parallel_unary": "def parallel_unary(function):\n    return function\n",
    "choose": 'def choose(name):\n    return {"where": np.where}[name]\n',
    "argsort": (
        "def argsort(x, axis=-1, descending=False, stable=True):\n"
        '    kind = "stable" if stable else None\n'
        "    if not descending:\n"
        "        return np.argsort(x, axis=axis, kind=kind)\n"
        "    order = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind=kind), axis)\n"
        "    return x.shape[axis] - 1 - order\n"
    ),
    "quiet": (
        "class quiet:\n"
        '    """A context without floating-point warnings."""\n\n'
        "    def __enter__(self):\n"
        '        self._state = np.errstate(all="ignore")\n'
        "        self._state.__enter__()\n\n"
        "    def __exit__(self, *error):\n"
        "        self._state.__exit__(*error)\n"
    ),
}


def _is_single(call: Call) -> bool:
    """Return True if all numbers of a call are of at most single precision."""
    values = [*call.operands(), *call.results()]
    return all(v.dtype is not None and v.dtype.itemsize <= 4 for v in values)


class Module:
    """The text of a module with a program, and the arrays that it refers to."""

    def __init__(self, text: Text, name: str, structure: Any, makers: list[Any]) -> None:
        self.arrays: dict[str, Any] = {}
        self._imports = {"from __future__ import annotations": None, "import numpy as np": None}
        self._parts: list[str] = []
        #: What the names of the module stand for.
        self._taken: dict[str, Any] = {name: self}
        #: What definitions are called here, by their modules and their names there.
        self._names: dict[tuple[str, str], str] = {}
        self._check(text)
        program = text.program
        n = len(program.inputs)
        for key, value in zip(text.arguments[n:], text.outer, strict=True):
            self.arrays[key] = value.data
        lines = []
        #: The program's function that is being written, if it gets numbers of at most single
        #: precision only: then it may contain functions of SciPy's, which it does not call.
        self._may_load: Any = None
        wide = {id(c.function) for c in every_call(program.calls) if not _is_single(c)}
        for key, x in text.names.items():
            self._may_load = x if id(x) not in wide else None
            if isinstance(x, _np.ndarray):
                self.arrays[key] = x
            elif key == "Differs":
                self._parts.append(
                    'class Differs(ValueError):\n    """The program is right for other values."""\n'
                )
            elif key not in ("np",):
                lines.append((key, self._expression(x, key)))
        names = [f"{key} = {x}" for key, x in lines if key != x]
        head = f"def {name}({', '.join(text.arguments[:n])}):"
        body = [*text.lines[:-1], f"return {self._result(text, structure, makers)}"]
        function = "\n".join([head, *(f"    {line}" for line in body)]) + "\n"
        constants = []
        if self.arrays:
            self._imports["from pathlib import Path"] = None
            constants = ['with np.load(Path(__file__).with_suffix(".npz")) as _constants:']
            constants += [f"    {key} = {_with_strides(key, x)}" for key, x in self.arrays.items()]
        self._needs_math(function)
        parts = ["\n".join(self._imports), *self._parts, "\n".join(names), "\n".join(constants)]
        self.text = "\n\n".join(p.strip("\n") for p in [*parts, function] if p.strip()) + "\n"

    def _needs_math(self, function: str) -> None:
        names = {n.id for n in ast.walk(ast.parse(function)) if isinstance(n, ast.Name)}
        wanted = [x for x in ("inf", "nan") if x in names]
        if wanted:
            self._imports[f"from math import {', '.join(wanted)}"] = None

    def _check(self, text: Text) -> None:
        for call in text.program.calls:
            if call.is_repeated and call.name not in ("guard", "check"):
                raise TypeError(
                    f"export: the program calls {call.name}, which needs arraygrad; export the "
                    "function that computes the gradient"
                )
            if call.device is not None and call.device.type != "cpu":
                raise TypeError(f"export: the program computes on {call.device}, not on the CPU")
            for v in values_in((call.args, call.kwargs)):
                if v.kind == "outer" and v.dtype is None:
                    raise TypeError(
                        "export: the program draws from a random generator from outside; make it "
                        "inside of the function, or pass the numbers as an argument"
                    )
            if any(v.kind == "outer" for v in call.writes):
                raise TypeError("export: the program writes to a tensor from outside; pass it")

    def _result(self, text: Text, structure: Any, makers: list[Any]) -> str:
        """The results in their containers."""
        names = [text.leaf(m, makers) for m in makers]
        return _literal_tree(_pytree.unflatten(structure, [_Name(x) for x in names]))

    # ---- helpers

    def _expression(self, x: Any, name: str) -> str:
        """An expression for an object; what it needs is added to the module."""
        if x is None or isinstance(x, (bool, int, float, complex, str, bytes)):
            return repr(x)
        if isinstance(x, (tuple, list)) and type(x) in (tuple, list):
            inner = ", ".join(self._expression(y, name) for y in x)
            return f"({inner},)" if isinstance(x, tuple) else f"[{inner}]"
        if isinstance(x, ModuleType):
            if (
                x.__name__.partition(".")[0] != "numpy"
                and x.__name__ not in sys.stdlib_module_names
            ):
                raise TypeError(f"export: the program needs {x.__name__}, not NumPy alone")
            if x is _np:
                return "np"
            self._imports[f"import {x.__name__}"] = None
            return x.__name__
        known = library_name(x)
        if known is not None:
            return known
        own_name: str = getattr(x, "__name__", "")
        if getattr(_np.random.Generator, own_name, None) is x:
            return f"np.random.Generator.{own_name}"
        if isinstance(x, _np.dtype):
            return f"np.dtype({x.name!r})"
        if isinstance(x, type) and issubclass(x, _np.generic):
            return f"np.{x.__name__}"
        if isinstance(x, partial):
            self._imports["from functools import partial"] = None
            parts = [self._expression(x.func, name)]
            parts += [self._expression(y, name) for y in x.args]
            parts += [f"{k}={self._expression(y, name)}" for k, y in x.keywords.items()]
            return f"partial({', '.join(parts)})"
        if isinstance(x, type) and getattr(builtins, own_name, None) is x:
            return own_name
        if getattr(operator, own_name, None) is x:
            self._imports["import operator"] = None
            return f"operator.{own_name}"
        wrapped = getattr(x, "unsplit", None)
        if wrapped is not None:
            return self._expression(wrapped, name)
        made_by = getattr(x, "made_by", None)
        if made_by is not None and made_by[0].__name__ == "load_on_first_use":
            # SciPy's function, which formulas of ours in single precision do not call.
            top = self._may_load
            if top is None or x in (top, getattr(top, "unsplit", None)):
                raise TypeError(
                    f"export: the program calls SciPy's {made_by[2]}, which is not NumPy's"
                )
        if made_by is not None:
            factory, *args = (self._expression(y, name) for y in made_by)
            return f"{factory}({', '.join(args)})"
        if type(x).__module__ == "operator":
            self._imports["import operator"] = None
            return repr(x)
        if isinstance(x, MethodType) and type(x.__self__).__module__.startswith("arraygrad."):
            return f"{self._instance(x.__self__)}.{x.__name__}"
        root = (getattr(x, "__module__", None) or "").partition(".")[0]
        if root == "array_api_compat" and own_name == "argsort":
            return self._instead("argsort")
        if root == "array_api_compat":
            same = getattr(_np, own_name, None) or getattr(_np.linalg, own_name, None)
            if same is not None and library_name(same):
                return str(library_name(same))
        if root == "arraygrad" and hasattr(x, "__qualname__"):
            if isinstance(x, FunctionType) and "<locals>" in x.__qualname__:
                return self._closure(x, name)
            if "<locals>" in x.__qualname__:
                raise TypeError(
                    f"export: {x.__qualname__} is compiled, and its source cannot be told from "
                    "it; install arraygrad with ARRAYGRAD_COMPILE=0"
                )
            return self._definition(sys.modules[x.__module__], own_name)
        raise TypeError(
            f"export: the program calls {getattr(x, '__qualname__', x)!s}, which is not NumPy's"
        )

    def _instead(self, name: str) -> str:
        if name not in self._taken:
            self._taken[name] = None
            self._parts.append(_INSTEAD[name])
        return name

    def run(self, name: str, arrays: Sequence[Any]) -> Any:
        """Run the module here, without its file."""
        lines = [x for x in self.text.splitlines() if "_constants" not in x]
        space = {"__name__": name, **self.arrays}
        exec(compile("\n".join(lines), f"<{name}>", "exec"), space)
        return space[name](*arrays)

    def _instance(self, x: Any) -> str:
        """The name of an object of one of our classes, with its attributes."""
        for key, known in self._taken.items():
            if known is x:
                return key
        cls = self._definition(sys.modules[type(x).__module__], type(x).__name__)
        key = f"{cls.lower()}_{len(self._taken)}"
        self._taken[key] = x
        lines = [f"{key} = object.__new__({cls})"]
        lines += [f"{key}.{k} = {self._expression(y, k)}" for k, y in vars(x).items()]
        self._parts.append("\n".join(lines) + "\n")
        return key

    def _closure(self, f: Any, name: str) -> str:
        """The name of a function that was made inside of another one."""
        key = f"{name}_{len(self._taken)}" if name in self._taken else name
        if f in self._taken.values():
            return next(k for k, x in self._taken.items() if x is f)
        self._taken[key] = f
        source = textwrap.dedent(inspect.getsource(f))
        cells = {
            k: c.cell_contents
            for k, c in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        }
        lines = [f"{k} = {self._expression(x, k)}" for k, x in cells.items() if x is not f]
        lines = [x for x in lines if x.partition(" = ")[0] != x.partition(" = ")[2]]
        source = self._with_names(source, sys.modules[f.__module__], without=cells)
        body = "\n".join([*lines, "", source.strip("\n"), "", f"return {f.__name__}"])
        maker = f"_make_{key}"
        self._parts.append(
            f"def {maker}():\n{textwrap.indent(body, '    ')}\n\n\n{key} = {maker}()\n"
        )
        return key

    def _with_names(self, source: str, module: ModuleType, own: str = "", without: Any = ()) -> str:
        """The source of a definition, with the names that it and what it uses have here."""
        tree = ast.parse(source)
        names = [k for k in [*_names(tree), own] if k and k not in without]
        new = {k: self._definition(module, k, optional=True) for k in names}
        return _renamed(source, tree, {k: x for k, x in new.items() if k != x})

    def _definition(self, module: ModuleType, name: str, optional: bool = False) -> str:
        """Add a definition of one of our modules, and what it uses; returns its name here."""
        key = module.__name__, name
        if key in self._names:
            return self._names[key]
        if name in _INSTEAD:
            return self._instead(name)
        node, source = _top_level(module).get(name, (None, ""))
        if node is None:
            if optional:
                return name
            raise TypeError(f"export: {module.__name__}.{name} has no source")
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._names[key] = self._imported(module, node, name)
            return self._names[key]
        x = getattr(module, name, None)
        if name in self._taken and self._taken[name] is x:
            return name
        new = self._free(name)
        self._names[key], self._taken[new] = new, x
        self._parts.append(self._with_names(source, module, name) + "\n")
        return new

    def _free(self, name: str) -> str:
        """A name that no definition of another module has."""
        while name in self._taken:
            name += "_"
        return name

    def _imported(self, module: ModuleType, node: Any, name: str) -> str:
        if isinstance(node, ast.Import):
            alias = next(a for a in node.names if (a.asname or a.name) == name)
            line = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            self._imports[line] = None
            return name
        if node.module == "__future__":
            return name
        if node.level == 0:
            alias = next(a for a in node.names if (a.asname or a.name) == name)
            if node.module.partition(".")[0] == "array_api_compat":
                if name in self._taken:
                    return name
                self._taken[name] = None
                self._parts.append(f"{name} = np.{alias.name}\n")
                return name
            line = f"from {node.module} import {alias.name}"
            self._imports[line + (f" as {alias.asname}" if alias.asname else "")] = None
            return name
        package = module.__name__.rpartition(".")[0] if not hasattr(module, "__path__") else (
            module.__name__
        )  # fmt: skip
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        alias = next(a for a in node.names if (a.asname or a.name) == name)
        home = f"{package}.{node.module}" if node.module else package
        source = sys.modules.get(f"{home}.{alias.name}")
        if source is not None:  # a module of ours
            return self._namespace(source, name)
        return self._definition(sys.modules[home], alias.name)

    def _namespace(self, module: ModuleType, name: str) -> str:
        """A module of ours, as a class with its functions."""
        known = next((k for k, x in self._taken.items() if x is module), None)
        if known is not None:
            return known
        name = self._free(name)
        self._taken[name] = module
        found = {k: v for k, v in _top_level(module).items() if isinstance(v[0], ast.FunctionDef)}
        inner = Module.__new__(Module)
        inner.arrays, inner._imports = self.arrays, self._imports
        inner._parts, inner._taken, inner._names = [], {}, {}
        for function in found:
            inner._definition(module, function)
        maker = f"_{name.strip('_')}_functions"
        body = "\n".join(inner._parts) + "\nreturn SimpleNamespace(**locals())"
        self._imports["from types import SimpleNamespace"] = None
        self._parts.append(
            f"def {maker}():\n{textwrap.indent(body, '    ')}\n\n\n{name} = {maker}()\n"
        )
        return name


def _with_strides(key: str, x: Any) -> str:
    """A loaded array with the strides of `x`, as sums in another order would be rounded otherwise.

    (A file keeps the order of axes that is Fortran's, but none of the strides that are 0.)
    """
    loaded = f'_constants["{key}"]'
    repeated = [n > 1 and not stride for n, stride in zip(x.shape, x.strides, strict=True)]
    if not x.size or not any(repeated):
        return loaded
    parts = ", ".join(":1" if again else ":" for again in repeated)
    return f"np.broadcast_to({loaded}[{parts}].copy(), {x.shape})"


def _names(tree: Any) -> list[str]:
    """The names that code uses, without those of annotations, each once."""
    found: dict[str, None] = {}
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            found[node.id] = None
        for field, x in ast.iter_fields(node):
            if field not in ("annotation", "returns"):
                pending += [
                    y for y in (x if isinstance(x, list) else [x]) if isinstance(y, ast.AST)
                ]
    return list(found)


def _renamed(source: str, tree: Any, new: dict[str, str]) -> str:
    """The source with other names for what it does not call so itself."""
    new = dict(new)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            new.pop(node.arg, None)
    lines = source.encode().split(b"\n")  # columns count bytes
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in new:
            found.append((node.lineno, node.col_offset, node.id))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in new:
            column = lines[node.lineno - 1].index(node.name.encode(), node.col_offset + 4)
            found.append((node.lineno, column, node.name))
    for number, column, name in sorted(found, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + new[name].encode() + line[column + len(name) :]
    return b"\n".join(lines).decode()


_sources: dict[str, dict[str, tuple[Any, str]]] = {}


def _top_level(module: ModuleType) -> dict[str, tuple[Any, str]]:
    """The definitions of a module by name, with their sources."""
    have = _sources.get(module.__name__)
    if have is not None:
        return have
    file = Path(module.__file__ or "")
    while file.suffix and file.suffix != ".py":
        file = file.with_suffix("")
    file = file.with_suffix(".py")
    text = file.read_text()
    lines = text.splitlines()
    found: dict[str, tuple[Any, str]] = {}
    for node in ast.parse(text).body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        source = "\n".join(lines[start - 1 : node.end_lineno])
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node, source
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        found[name.id] = node, source
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node, source
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                found[alias.asname or alias.name] = node, source
    _sources[module.__name__] = found
    return found


class _Name(str):
    """A name in the place of a result."""


def _literal_tree(x: Any) -> str:
    if isinstance(x, _Name):
        return str(x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return f"({', '.join(map(_literal_tree, x))},)"
    if isinstance(x, tuple):
        return f"({', '.join(map(_literal_tree, x))}{',' if len(x) == 1 else ''})"
    if isinstance(x, list):
        return f"[{', '.join(map(_literal_tree, x))}]"
    if isinstance(x, dict):
        return f"{{{', '.join(f'{k!r}: {_literal_tree(y)}' for k, y in x.items())}}}"
    if x is None:
        return "None"
    leaves, _ = _pytree.flatten(x)
    return f"({', '.join(map(_literal_tree, leaves))},)"
