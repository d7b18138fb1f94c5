"""Shared parts of all reports."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import arraygrad

#: The folder of the reports.
REPORTS = Path(__file__).parent / "reports"


class SetupError(Exception):
    """The suite cannot run; the message says what to do."""


#: Part of the name of an emulated GPU; see the folder of this name.
EMULATION = "fakecuda"


def place(device: str) -> str:
    """The name of a device in reports, which marks emulated GPUs."""
    return f"{device}, emulated" if emulated(device) else device


def emulated(device: str) -> bool:
    """Whether this is an emulated GPU."""
    return EMULATION in gpu(device)


def gpu(device: str) -> str:
    """The model of a GPU, or an empty string for other devices."""
    try:
        found = arraygrad.Device(device)
    except (ImportError, ValueError) as problem:
        raise SetupError(problem) from None
    if found.type != "cuda":
        return ""
    from cupy.cuda import runtime

    model: bytes = runtime.getDeviceProperties(found.index)["name"]
    return model.decode()


def path_of(folder: Path, subject: str, place: str) -> Path:
    """The path of the report of a subject, without the suffix."""
    return folder / f"{subject}-{re.sub(r'[^a-z0-9]+', '-', place)}"


def digest(*folders: Path) -> str:
    """Hash of the current Python sources in these folders."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def write(path: Path, text: str) -> None:
    """Replace the file atomically: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; a column is right-aligned if its first cell is an int."""
    head, rows = list(head), [list(row) for row in rows]
    line = ["---:" if isinstance(cell, int) else "---" for cell in rows[0]]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in [head, line, *rows])
