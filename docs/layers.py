"""Draw the layers of the package from its imports: ``python docs/layers.py > docs/layers.svg``.

An arrow means that a module of one group imports a module of another. The imports are parsed from
the sources with `ast`; nothing is imported. Arrows implied by others are left out. An import that
points up the list of groups is an error, and so is a module that is in no group.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parents[1] / "src" / "arraygrad"


class Group(NamedTuple):
    """Modules that form one box of the picture."""

    title: str
    text: str
    columns: tuple[int, int]  # of four: the first, and the one after the last
    modules: str  # a package stands for its modules that are in no other group


#: From the top to the bottom.
GROUPS = [
    Group(
        "Training and SciPy",
        "nn, optim, data, distributed, scipy",
        (0, 4),
        "nn optim data distributed scipy",
    ),
    Group(
        "Compiled programs",
        "recorder, passes, source, export",
        (0, 4),
        """_compile._compiled _compile._recorder _compile._program _compile._text _compile._export
        _compile._calls _compile._watch _compile._derivatives _compile._donation _compile._graph
        _compile.passes""",
    ),
    Group(
        "Differentiation",
        "grad, vjp, jvp, ...; backward; checkpoint; custom rules; vmap",
        (0, 3),
        "autodiff",
    ),
    Group("Other libraries", "interop", (3, 4), "interop"),
    Group("Derivative rules", "autodiff/rules, one module per chapter", (0, 3), "autodiff.rules"),
    Group(
        "Engine",
        "graph, levels, views, in-place, backward",
        (0, 2),
        """autodiff._graph autodiff._levels autodiff._views autodiff._inplace autodiff._backward
        autodiff._tangents autodiff._transpose autodiff._rules autodiff._grad_mode
        autodiff._batching""",
    ),
    Group(
        "Namespace",
        "chapters, linalg, fft, special, random",
        (2, 4),
        """arraygrad _compile _creation _data_type _einsum _elementwise _extras _indexing
        _inspection _linear_algebra _manipulation _nan _searching _set _sorting _statistical
        _utility fft linalg random special _vmap""",
    ),
    Group(
        "Tensor",
        "attributes, operators, conversions, indexing, containers of tensors",
        (0, 4),
        "_tensor _operators _keys _sequences _numpy_protocols _pytree _typing",
    ),
    Group(
        "Dispatch and memory",
        "operations by name; which tensors share memory",
        (0, 4),
        "_dispatch _memory",
    ),
    Group(
        "Foundations",
        "devices, dtypes, modes, the standard's tables, hints",
        (0, 4),
        "_device _dtypes _cpython _modes _standard _constants _hints _callers _interrupts",
    ),
    Group("Backends", "the only modules that import NumPy and CuPy", (0, 4), "_backends"),
    Group(
        "Slots and errors",
        "the slots of a tensor, the interface of transformations, exceptions",
        (0, 4),
        "_array _errors",
    ),
]

WIDTH, BOX_HEIGHT, GAP, MARGIN = 760, 54, 30, 10


def modules() -> dict[str, Path]:
    """The modules of the package and their files; the package itself is `arraygrad`."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "arraygrad"] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Modules of the package that a module imports anywhere in its text, except for types."""
    package = path.parent.relative_to(SOURCE).parts
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    for_types = {
        inner
        for node in nodes
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes:
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                base = ["arraygrad", *package[: len(package) - node.level + 1], *base]
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for first, *rest in names:
            if first == "arraygrad":
                target = ".".join(rest)
                yield target if target in known else ".".join(rest[:-1]) or "arraygrad"


def group_of(name: str) -> int:
    """The number of a module's group."""
    numbers = {m: i for i, group in enumerate(GROUPS) for m in group.modules.split()}
    while name not in numbers:
        name, dot, _ = name.rpartition(".")
        if not dot:
            raise SystemExit(f"layers.py: put the module {name or _} into one of GROUPS")
    return numbers[name]


def arrows() -> set[tuple[int, int]]:
    """Pairs of groups in which one imports the other, without implied pairs."""
    known = modules()
    found = set()
    for name, path in known.items():
        upper = group_of(name)
        for target in imports(name, path, known):
            lower = group_of(target)
            if lower < upper:
                raise SystemExit(f"layers.py: {name} imports {target}, which is above it")
            if lower > upper:
                found.add((upper, lower))
    below = {i: {b for a, b in found if a == i} for i in range(len(GROUPS))}
    for i in reversed(range(len(GROUPS))):
        below[i] |= {c for b in below[i] for c in below[b]}
    return {(a, b) for a, b in found if not any(b in below[m] for m in below[a])}


def picture() -> str:
    """The picture, as SVG."""
    edges = arrows()
    row = [0] * len(GROUPS)
    for upper, lower in sorted(edges):
        row[lower] = max(row[lower], row[upper] + 1)
    column = (WIDTH - 2 * MARGIN + GAP) / 4
    left = [MARGIN + column * group.columns[0] for group in GROUPS]
    right = [MARGIN + column * group.columns[1] - GAP for group in GROUPS]
    top = [MARGIN + (BOX_HEIGHT + GAP) * r for r in row]
    height = max(top) + BOX_HEIGHT + MARGIN
    lines = []
    for a, b in sorted(edges):
        x = (max(left[a], left[b]) + min(right[a], right[b])) / 2
        lines.append(
            f'<path d="M{x:.0f} {top[a] + BOX_HEIGHT}V{top[b] - 1}" stroke="#555" '
            'stroke-width="1.5" marker-end="url(#head)"/>'
        )
    for group, x, end, y in zip(GROUPS, left, right, top, strict=True):
        middle = (x + end) / 2
        lines.append(
            f'<rect x="{x:.0f}" y="{y}" width="{end - x:.0f}" height="{BOX_HEIGHT}" rx="6" '
            'fill="#eef3fa" stroke="#4a6fa5"/>\n'
            f'<text x="{middle:.0f}" y="{y + 23}" font-weight="bold">{escape(group.title)}</text>\n'
            f'<text x="{middle:.0f}" y="{y + 42}" font-size="13">{escape(group.text)}</text>'
        )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="15" text-anchor="middle" fill="#222">',
            "<title>The layers of arraygrad; arrows are imports</title>",
            '<marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
            '<path d="M0 0L9 4L0 8z" fill="#555"/></marker>',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *lines,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(picture())
