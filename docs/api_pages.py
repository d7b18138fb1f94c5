"""Writes the pages of the API reference, one for each chapter of the standard and each module.

They are generated from the package itself, so they contain every public name. Sphinx inserts the
docstrings.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

import arraygrad as xp

#: Titles of the chapters whose module name does not make a title.
TITLES = {
    "_tensor": "Array object",
    "_device": "Devices",
    "_errors": "Errors",
    "_modes": "Strict mode",
    "_compile": "Compiled programs",
    "parallel": "Threads",
    "_constants": "Constants",
    "_dtypes": "Data types",
    "_elementwise": "Element-wise functions",
    "_einsum": "Einstein summation",
    "_extras": "Functions of NumPy",
    "_nan": "Reductions without NaN, and the median",
    "_inspection": "Inspection",
}
#: The chapters that come first; the others follow in alphabetical order.
FIRST = ("_tensor", "_device", "_dtypes", "_constants")

#: The folder into which Sphinx puts a page for each name.
GENERATED = "generated"

KINDS = {
    "b": "boolean",
    "i": "signed integer",
    "u": "unsigned integer",
    "f": "floating-point number",
    "c": "complex floating-point number",
}
CONSTANTS = {
    "e": "Euler's number.",
    "inf": "Infinity, a floating-point number.",
    "nan": "Not a number, a floating-point number.",
    "newaxis": "An index that inserts an axis of size 1; an alias of None.",
    "pi": "The ratio of a circle's circumference to its diameter.",
    "__version__": "The version of the package.",
    "__array_api_version__": "The revision of the standard.",
}


def chapters() -> dict[str, list[str]]:
    """The names of the namespace by the module of their chapter."""
    found: dict[str, list[str]] = {}
    for name in xp.__all__:
        value = getattr(xp, name)
        if isinstance(value, ModuleType):
            continue
        if name in CONSTANTS:
            chapter = "_constants"
        elif isinstance(value, type) and issubclass(value, np.generic):
            chapter = "_dtypes"
        else:
            chapter = value.__module__.rpartition(".")[2]
        found.setdefault(chapter, []).append(name)
    order = [*FIRST, *sorted(set(found) - set(FIRST))]
    return {chapter: found[chapter] for chapter in order}


def modules() -> dict[str, ModuleType]:
    """The public modules of the package.

    Modules without public names, and those that cannot be imported, are left out.
    """
    found = {}
    for module in pkgutil.iter_modules(xp.__path__):
        if module.name.startswith("_"):
            continue
        full = f"{xp.__name__}.{module.name}"
        try:
            imported = import_module(full)
        except ImportError as problem:
            print(f"docs: no page on {full}: {problem}")
        else:
            if hasattr(imported, "__all__"):
                found[module.name] = imported
                parts = {name: getattr(imported, name) for name in imported.__all__}
                if all(isinstance(part, ModuleType) for part in parts.values()):
                    found |= {f"{module.name}.{name}": part for name, part in parts.items()}
    return found


def public_names() -> set[str]:
    """The full names of everything in the reference."""
    places = {f"{xp.__name__}.{name}": module for name, module in modules().items()}
    found = set(places)
    for prefix, module in {xp.__name__: xp, **places}.items():
        found |= {f"{prefix}.{name}" for name in module.__all__}
    members = [name for name in dir(xp.Tensor) if not name.startswith("_")]
    members = [name for name in members if hasattr(xp.Tensor, name)]  # without hints
    return found | {f"{xp.__name__}.Tensor.{name}" for name in members}


def title(chapter: str) -> str:
    """The title of a chapter."""
    return TITLES.get(chapter, chapter.strip("_").replace("_", " ").capitalize() + " functions")


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    pages = {
        chapter.strip("_"): chapter_page(chapter, names) for chapter, names in chapters().items()
    }
    first = list(pages)
    pages |= {name: module_page(name, module) for name, module in modules().items()}
    pages["index"] = "\n".join([
        *heading("API reference"),
        "The namespace ``arraygrad``, imported as ``xp``, has the names of the `array API standard",
        f"<https://data-apis.org/array-api/{xp.__array_api_version__}/>`__ and a few more.",
        "",
        *listed("The namespace", {c.strip("_"): some(names) for c, names in chapters().items()}),
        *listed("Modules", {name: line_of(module) for name, module in modules().items()}),
        *toctree("The namespace", first),
        *toctree("Modules", list(pages)[len(first) :]),
    ])  # fmt: skip
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # else it is not new
            path.write_text(text, encoding="utf-8")
    names = public_names()
    for path in folder.rglob("*.rst"):
        if path.stem not in (names if path.parent.name == GENERATED else pages):  # of an older tree
            path.unlink()


def chapter_page(chapter: str, names: list[str]) -> str:
    """The page of one chapter."""
    lines = [*heading(title(chapter)), ".. currentmodule:: arraygrad", ""]
    if chapter == "_constants":
        for name in names:
            lines += [f".. py:data:: {name}", f"   :value: {getattr(xp, name)!r}", ""]
            lines += [f"   {CONSTANTS[name]}", ""]
    elif chapter == "_dtypes":
        lines += [
            "The data types are NumPy's scalar classes, on every device. They compare equal to the",
            "dtypes of tensors, and other libraries accept them.",
            "",
        ]
        scalars = [name for name in names if issubclass(getattr(xp, name), np.generic)]
        for name in scalars:
            dtype = np.dtype(getattr(xp, name))
            bits = f", {8 * dtype.itemsize} bits" if dtype.kind != "b" else ""
            lines += [f".. py:data:: {name}", "", f"   {KINDS[dtype.kind].capitalize()}{bits}.", ""]
        lines += autosummary([name for name in names if name not in scalars])
    elif chapter == "_tensor":
        lines += [
            ".. autoclass:: Tensor",
            "   :members:",
            f"   :special-members: {described()}",
            "",
        ]
        lines += [
            "   Operators are equivalent to functions of the namespace: ``x + y`` is",
            "   ``xp.add(x, y)``, and ``x @ y`` is ``xp.matmul(x, y)``. In-place operators such as",
            "   ``x += y`` modify ``x``.",
            "",
        ]
        lines += autosummary([name for name in names if name != "Tensor"])
    else:
        lines += autosummary(names)
    return "\n".join(lines)


def described() -> str:
    """The special methods of tensors that have a docstring."""
    return ", ".join(
        name
        for name, value in vars(xp.Tensor).items()
        if name.startswith("__")
        and inspect.isfunction(value)
        and value.__doc__
        and name != "__new__"
    )


def module_page(name: str, module: ModuleType) -> str:
    """The page of one module."""
    names = [n for n in module.__all__ if not isinstance(getattr(module, n), ModuleType)]
    full = f"{xp.__name__}.{name}"
    return "\n".join([
        *heading(full),
        f".. automodule:: {full}",
        "   :no-members:",
        "",
        f".. currentmodule:: {full}",
        "",
        *autosummary(names),
    ])  # fmt: skip


def heading(text: str) -> list[str]:
    """A title."""
    return [text, "=" * len(text), ""]


def listed(caption: str, pages: dict[str, str]) -> list[str]:
    """A table of pages, with a line about each."""
    lines = [caption, "-" * len(caption), "", ".. list-table::", "   :widths: 30 70", ""]
    for page, line in pages.items():
        lines += [f"   * - :doc:`{page}`", f"     - {line}"]
    return [*lines, ""]


def some(names: list[str], most: int = 8) -> str:
    """The first names of a chapter, as links."""
    shown = [f":obj:`~{xp.__name__}.{name}`" for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if names[most:] else "")


def line_of(module: ModuleType) -> str:
    """The first sentence of a module's docstring."""
    return inspect.getdoc(module).partition("\n\n")[0].replace("\n", " ")


def toctree(caption: str, pages: list[str]) -> list[str]:
    """Pages for the navigation beside the text."""
    lines = [".. toctree::", "   :hidden:", "   :maxdepth: 1", f"   :caption: {caption}", ""]
    return [*lines, *(f"   {page}" for page in pages), ""]


def autosummary(names: list[str]) -> list[str]:
    """A table of names, each with its own page."""
    if not names:
        return []
    lines = [".. autosummary::", f"   :toctree: {GENERATED}", "   :nosignatures:", ""]
    return [*lines, *(f"   {name}" for name in names), ""]
