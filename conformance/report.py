"""What every subject's report needs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

#: Where the reports are kept.
REPORTS = Path(__file__).parent / "reports"


class SetupError(Exception):
    """Nothing can be said about conformance; the message says what to do."""


def write(path: Path, text: str) -> None:
    """Put `text` into the file at once: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; a column is set as numbers if it has one in the first row."""
    head, rows = list(head), [list(row) for row in rows]
    line = ["---:" if isinstance(cell, int) else "---" for cell in rows[0]]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in [head, line, *rows])
