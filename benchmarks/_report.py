"""Options, tables and machine data of all benchmarks."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PEERS = ("numpy", "torch", "array-api-strict", "jax", "autograd")


def options(
    description: str | None,
    args: list[str] | None,
    more: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.Namespace:
    """The options of every benchmark, and those that `more` adds."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats, for a first look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    if more is not None:
        more(parser)
    return parser.parse_args(args)


def machine() -> dict[str, str]:
    """The processor and the versions."""
    from arraygrad import _dispatch

    return {
        "processor": _processor(),
        "python": platform.python_version(),
        **_versions(),
        "compiled": "no" if str(_dispatch.__file__).endswith(".py") else "yes",
    }


def _processor() -> str:
    name = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
            break
    return f"{name}, {os.cpu_count()} logical cores"


def _versions() -> dict[str, str]:
    found = {}
    for name in ("arraygrad", *PEERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, aligned to be readable as plain text."""
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        aligned = [cells[0].ljust(widths[0])]
        aligned += [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(aligned)} |"

    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join([line(header), f"| {' | '.join(rule)} |", *map(line, rows)])


def bar(met: bool, text: str) -> str:
    """One line that says whether a target is met."""
    return f"- {'met' if met else 'NOT MET'}: {text}"


def publish(title: str, text: str, figures: dict[str, Any], chosen: argparse.Namespace) -> None:
    """Print the text and write the files that the options name."""
    about = machine()
    print(text)
    if about["compiled"] == "no":
        print("\nThis installation is not compiled and therefore slower: see docs/install.md.")
    if chosen.json:
        content = {"machine": about, **figures}
        chosen.json.write_text(json.dumps(content, indent=1) + "\n")
    if chosen.markdown:
        said = ", ".join(f"{k} {v}" for k, v in about.items() if k != "processor")
        chosen.markdown.write_text(f"# {title}\n\n{about['processor']}; {said}\n\n{text}\n")
