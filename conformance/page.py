"""Writes the documentation's page on conformance from the reports, and from nothing else."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .ecosystem import ABOUT as ECOSYSTEM
from .libraries import SCIPY, SKLEARN, Library
from .official import BACKENDS, EXAMPLES, OUTCOMES, REVISIONS, row
from .official import HEAD as RUN_HEAD
from .report import REPORTS, SetupError, table, write
from .through_scipy import COLUMNS, counted

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"

#: What the columns are called.
NAMES = {"arraygrad": "arraygrad", "numpy": "NumPy", "array_api_strict": "array-api-strict",
         "torch": "PyTorch"}  # fmt: skip

#: What the suites' reports are called.
TITLES = {
    "official": "the standard's suite",
    SCIPY.module: f"{SCIPY.title}'s tests",
    SKLEARN.module: f"{SKLEARN.title}'s tests",
}

Run = dict[str, Any]

ABOUT = """\
Written by `python -m conformance page` from the reports in `conformance/reports`; none of the
numbers is typed. A report is written by the run that it describes, and names the versions that took
part. No list of tests to skip or to expect to fail is given to any of these suites, ours or a
peer's: what is *skipped* or *expected to fail* (xfailed) is so by their own marks. The peers are
measured by the same commands."""

OFFICIAL = """\
The [official suite](https://github.com/data-apis/array-api-tests) of the
[standard](https://data-apis.org/array-api/2025.12/): revision {revision}, {examples} examples for
each test, always the same ones. NumPy and PyTorch are tested through array_api_compat, as libraries
use them."""

OTHERS = """\
More examples, drawn at random, and older revisions of the standard, on which the package's answers
are those of the newest:"""

LIBRARY = """\
The tests of {title} {version} that run on any array library, as they come with its wheel. *Failed*
includes errors, *skipped* what the library's own marks expect to fail."""

NEWEST = """\
The same with what a newer Python gets from the package index; SciPy has more such tests from one
version to the next, and the suite finds four special cases less in the standard's docstrings, which
newer Pythons keep without their indentation. (`python -m conformance scipy --report
conformance/reports/newest` writes such a report, with any Python that the package runs on.)"""

GRADIENTS = """\
Every function, attribute and operator of the standard, and every function of `arraygrad.special`,
is differentiated in reverse and in forward mode and to second order, and compared with differences
of what it computes: {cases} cases of {functions} functions. *Refused* is an error where a
derivative is not known, or on a GPU the function. The [table by function](gradient-coverage.md)
says how each is differentiated."""

THROUGH = """\
The public functions of SciPy and scikit-learn that their own tests call with floating-point tensors
and that give such, and the methods of some classes, are differentiated on these very calls and
compared with difference quotients; PyTorch in the same way. The
[table by function](differentiable-scipy.md) says which can be differentiated, by what, and what the
columns mean."""

CUDA = """\
The same suites with the tensors on a GPU. What SciPy and scikit-learn skip there they skip by their
own marks: functions that compute on the CPU alone, and what they know CuPy not to have, which
computes for us. One test of the standard's suite, `test_dunder_dlpack`, fails on every GPU: it asks
for the data on the CPU without a copy."""

#: Of both kinds of GPU: the heading, the text, and what stands there without any report.
GPUS = {
    "Emulated": (
        "On `fakecuda`, a software CUDA on which CuPy's own wheel runs on a CPU. It shows which "
        "functions of CUDA are called and how, and what they give; it cannot show a GPU's speed, "
        "its last digits, or what only its driver does.",
        "There is no report yet.",
    ),
    "On hardware": (
        "What `python -m conformance gpu` finds in ten minutes, and whole suites.",
        "There is no report yet: no machine that this was measured on has a GPU. On one, "
        "`python -m conformance gpu` makes a first report in ten minutes.",
    ),
}

COMMANDS = """\
```bash
python -m conformance official               # the standard's suite; --backend torch: a peer
python -m conformance scipy                  # SciPy's tests; --device cuda: on a GPU
python -m conformance sklearn                # scikit-learn's
python -m conformance libraries              # tests of libraries that take any array
python -m conformance gradients              # derivatives against differences
python -m conformance gradients-through-scipy  # those of SciPy's and scikit-learn's functions
python -m conformance gpu                    # on a GPU, what is worth most in ten minutes
python -m conformance page                   # this page from the reports
```

The reports are in `conformance/reports`; those of the suites are there to be read as well, with the
reason of everything that did not pass or was skipped."""


def add_parser(subjects: Any) -> None:
    """Add ``page`` to the command line."""
    parser = subjects.add_parser(
        "page", help="put all reports on a page of the documentation", description=__doc__
    )
    parser.add_argument("--report", type=Path, default=REPORTS, help="folder of the reports")
    parser.add_argument("--page", type=Path, default=PAGE, help="the file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    write(args.page, page(args.report))
    print(f"page: {args.page}")
    return 0


def page(reports: Path) -> str:
    """The whole page; subjects without reports are left out."""
    versions: dict[tuple[str, str], Run] = {}
    parts = [
        "# Conformance",
        ABOUT,
        *official(reports, versions),
        *library(SCIPY, reports, versions),
        *library(SKLEARN, reports, versions),
        *ecosystem(reports, versions),
        *newest(reports / "newest"),
        *gradients(reports, versions),
        *through_scipy(reports, versions),
        *cuda(reports, versions),
    ]
    if not versions:
        raise SetupError(f"{reports} has no reports; make them with python -m conformance official")
    made = [[*what, result["date"], described(result)] for what, result in versions.items()]
    parts += ["## What was measured", table(["Tests", "Of", "Date", "Versions"], made)]
    parts += ["## Measure it yourself", COMMANDS]
    return "\n\n".join(parts) + "\n"


def official(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """The official suite: ours on each device beside the peers, by chapter, and our other runs."""
    main = f"{REVISIONS[0]}, {EXAMPLES} examples, derandomised"
    columns: dict[str, Run] = {}
    others = []
    for path in [*on_cpu(reports, "official"), *peers(reports)]:
        report = read(path)
        name = NAMES[report["backend"]]
        where = f"{name}, `{report['device']}`"
        for key, result in report["runs"].items():
            if key == main:
                columns[where] = versions["the standard's suite", where] = result
            elif report["backend"] == "arraygrad":
                others.append([f"`{report['device']}`", *row(result)])
    if not columns:
        return []
    parts = [
        "## The array API standard",
        OFFICIAL.format(revision=REVISIONS[0], examples=EXAMPLES),
        outcomes(columns),
        "By chapter: how many passed, and how many did not.",
        by_part("Chapter", "chapters", columns),
    ]
    if others:
        head = ["Device", *RUN_HEAD]
        parts += [OTHERS, table(head, others)]
    return parts


def library(subject: Library, reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """A library's own tests, by subpackage."""
    columns: dict[str, Run] = {}
    version = ""
    for path in on_cpu(reports, subject.module):
        report = read(path)
        for backend, result in report["runs"].items():
            where = f"{NAMES.get(backend, backend)}, `{report['device']}`"
            columns[where] = versions[f"{subject.title}'s tests", where] = result
            version = version or result["versions"][subject.distribution]
    if not columns:
        return []
    return [
        f"## {subject.title}",
        LIBRARY.format(title=subject.title, version=version),
        subject.about,
        outcomes(columns),
        "By subpackage: how many passed, and how many did not.",
        by_part("Subpackage", "subpackages", columns),
    ]


def ecosystem(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """Tests of libraries that take arrays of any library."""
    columns: dict[str, Run] = {}
    for path in on_cpu(reports, "libraries"):
        report = read(path)
        for backend, result in report["runs"].items():
            where = f"{NAMES[backend]}, `{report['device']}`"
            columns[where] = versions["other libraries' tests", where] = result
    if not columns:
        return []
    parts = by_part("Library", "subpackages", columns)
    return ["## Other libraries", ECOSYSTEM, outcomes(columns), parts]


def newest(reports: Path) -> list[str]:
    """Our runs of all suites with newer versions of everything."""
    rows: list[list[object]] = []
    for subject, title in TITLES.items():
        for path in on_cpu(reports, subject):
            report = read(path)
            where = f"arraygrad, `{report['device']}`"
            for key, result in report["runs"].items():
                if key in NAMES and key != "arraygrad":
                    continue  # a peer's
                numbers = result["totals"].values()
                rows.append([title, where, *numbers, result["date"], described(result)])
    if not rows:
        return []
    head = ["Tests", "Of", *OUTCOMES.values(), "Date", "Versions"]
    return ["## With newer versions", NEWEST, table(head, rows)]


def gradients(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """The checks of derivatives."""
    paths = on_cpu(reports, "gradients")
    if not paths:
        return []
    report = read(paths[0])
    text = GRADIENTS.format(cases=report["cases"], functions=report["functions"])
    return ["## Gradients", text, *checks(paths, versions)]


def checks(paths: list[Path], versions: dict[tuple[str, str], Run]) -> list[str]:
    """A table of the checks of derivatives, if there are reports."""
    rows: list[list[object]] = []
    for path in paths:
        report = read(path)
        where = f"`{report['device']}`"
        versions["gradients", f"arraygrad, {where}"] = report
        for check, counts in report["checks"].items():
            rows.append([where, check.capitalize(), *counts.values()])
    return [table(["Device", "Check", "Right", "Refused", "Wrong"], rows)] if rows else []


def through_scipy(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """The gradients of other libraries' functions."""
    found = verdicts(on_cpu(reports, "through-scipy"), versions)
    return ["## Gradients through SciPy", THROUGH, *found] if found else []


def verdicts(paths: list[Path], versions: dict[tuple[str, str], Run]) -> list[str]:
    """A table of the verdicts on other libraries' functions, if there are reports."""
    rows: list[list[object]] = []
    for path in paths:
        report = read(path)
        for backend, result in report["runs"].items():
            where = f"{NAMES[backend]}, `{report['device']}`"
            versions["gradients through SciPy", where] = result
            rows.append([where, *counted(result).values()])
    return [table(["Of", *COLUMNS.values()], rows)] if rows else []


def cuda(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """All suites on GPUs: emulated and others apart."""
    if not any(on_gpu(reports, "*", emulated) for emulated in (True, False)):
        return []
    parts = ["## On CUDA", CUDA]
    for (title, (text, none)), emulated in zip(GPUS.items(), (True, False), strict=True):

        def found(subject: str, emulated: bool = emulated) -> list[Path]:
            return on_gpu(reports, subject, emulated)

        tables = [
            *suites(found, versions),
            *checks(found("gradients"), versions),
            *verdicts(found("through-scipy"), versions),
        ]
        parts += [f"### {title}", *([text, *tables] if tables else [none])]
    return parts


def suites(found: Callable[[str], list[Path]], versions: dict[tuple[str, str], Run]) -> list[str]:
    """A table of how the tests of all suites ended, ours first, if there are reports."""
    rows: list[list[object]] = []
    for path in found("gpu"):
        report = read(path)
        where = f"arraygrad, `{report['device']}`"
        versions["the first minutes", where] = report
        for step in report["steps"].values():
            if "totals" in step:
                title = step["title"] + ("" if step["state"] == "done" else ", not all")
                rows.append([title, where, *step["totals"].values()])
    for subject, title in TITLES.items():
        for path in found(subject):
            report = read(path)
            for key, result in report["runs"].items():
                peer = NAMES.get(key, NAMES["arraygrad"])
                where = f"{peer}, `{report['device']}`"
                tests = f"{title}, {key}" if subject == "official" else title
                versions[tests, where] = result
                rows.append([tests, where, *result["totals"].values()])
    return [table(["Tests", "Of", *OUTCOMES.values()], rows)] if rows else []


# --- reading and setting


def on_cpu(reports: Path, subject: str) -> list[Path]:
    """The report of a subject on the CPU, if there is one."""
    return [*reports.glob(f"{subject}-cpu.json")]


def on_gpu(reports: Path, subject: str, emulated: bool) -> list[Path]:
    """The reports of a subject on GPUs that are emulated, or that are not."""
    paths = sorted(reports.glob(f"{subject}-cuda*.json"))
    return [path for path in paths if read(path)["device"].endswith("emulated") == emulated]


def peers(reports: Path) -> list[Path]:
    """The peers' reports of the official suite."""
    return [path for name in BACKENDS for path in reports.glob(f"official-cpu-{name}.json")]


def read(path: Path) -> Run:
    """What a report says."""
    try:
        report: Run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SetupError(f"{path} is no report of this program; move it away") from None
    return report


def described(result: Run) -> str:
    """The versions that took part."""
    return ", ".join(f"{k} {v}" for k, v in result["versions"].items())


def outcomes(columns: dict[str, Run]) -> str:
    """How each run ended."""
    rows = [[where, *result["totals"].values()] for where, result in columns.items()]
    return table(["Of", *OUTCOMES.values()], rows)


def by_part(head: str, key: str, columns: dict[str, Run]) -> str:
    """A line for each chapter or subpackage, a column for each run."""
    parts: Iterable[str] = dict.fromkeys(p for result in columns.values() for p in result[key])
    rows = [[part, *(cell(result[key].get(part)) for result in columns.values())] for part in parts]
    return table([head, *columns], rows)


def cell(counts: dict[str, int] | None) -> str:
    """Counts of outcomes, in few words."""
    if counts is None:
        return "-"
    failed = counts["failed"] + counts["error"]
    return f"{counts['passed']}" + (f", {failed} failed" if failed else "")
