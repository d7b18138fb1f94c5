"""Writes the summary of the reports into the README."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import official
from .report import REPORTS, SetupError, write

BEGIN, END = "<!-- conformance:begin -->", "<!-- conformance:end -->"


def add_parser(subjects: Any) -> None:
    """Add ``readme`` to the command line."""
    parser = subjects.add_parser("readme", help="write the summary of the reports into the README")
    parser.add_argument("--report", type=Path, default=REPORTS, help="folder of the reports")
    parser.add_argument(
        "--readme", type=Path, default=Path("README.md"), help="the file (README.md)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replace the text between the two markers."""
    try:
        text = args.readme.read_text(encoding="utf-8")
    except OSError as problem:
        raise SetupError(f"cannot read the README: {problem}") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SetupError(f"{args.readme} lacks the lines {BEGIN} and {END}, in this order")
    summary = official.readme_summary(args.report)
    write(args.readme, f"{before}{begin}\n{summary}\n{end}{after}")
    return 0
