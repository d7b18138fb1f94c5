"""Writes the documentation's page on conformance from the reports."""

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

#: Names of the libraries in the tables.
NAMES = {"arraygrad": "arraygrad", "numpy": "NumPy", "array_api_strict": "array-api-strict",
         "torch": "PyTorch", "jax": "JAX", "cupy": "CuPy"}  # fmt: skip

#: Titles of the suites in the tables.
TITLES = {
    "official": "the standard's suite",
    SCIPY.module: f"{SCIPY.title}'s tests",
    SKLEARN.module: f"{SKLEARN.title}'s tests",
}

Run = dict[str, Any]

ABOUT = """\
`python -m conformance page` writes this page from the reports in `conformance/reports`. Each
report is written by the run that it describes, and states the versions that were used. No suite
is given a list of tests to skip or to expect to fail, neither for arraygrad nor for other
libraries: tests are *skipped* or *expected to fail* (xfailed) only by their own marks. Other
libraries are measured with the same commands."""

OFFICIAL = """\
The [official test suite](https://github.com/data-apis/array-api-tests) of the
[standard](https://data-apis.org/array-api/2025.12/), revision {revision}, with {examples}
examples for each test, the same ones in every run. NumPy, PyTorch and, on CUDA, CuPy
are tested through array_api_compat, as libraries use them; JAX through its own namespace,
`jax.numpy`, with 64-bit numbers."""

OTHERS = """\
Further runs have more examples, drawn at random, or use older revisions of the standard. (The
package always follows the newest revision.)"""

LIBRARY = """\
The tests of {title} {version}, from its wheel, that run on any array library."""

NEWEST = """\
The same suites with a newer Python and the newest versions from the package index. SciPy gains
such tests with each version. The official suite finds four special cases fewer in the docstrings
of the standard, because newer Pythons remove their indentation.
(`python -m conformance scipy --report conformance/reports/newest` writes such a report, with any
supported Python.)"""

GRADIENTS = """\
Every function, attribute and operator of the standard, and every function of `arraygrad.special`
and `arraygrad.scipy`, is differentiated in reverse and forward mode and to second order, and
compared with finite differences: {cases} cases of {functions} functions. *Refused* means that an
error is raised because the derivative is not known or, on a GPU, because CuPy lacks the function.
The [coverage
table](gradient-coverage.md) shows how each function is differentiated."""

THROUGH = """\
The tests of SciPy and scikit-learn call public functions, and methods of some classes, with
floating-point tensors. If the result is a floating-point tensor, too, it is differentiated at the
same call and compared with difference quotients. PyTorch is measured in the same way. The [list
of functions](differentiable-scipy.md) shows which ones can be differentiated with respect to
which arguments, and explains the columns."""

CUDA = """\
The same suites with tensors on a GPU. The tests that SciPy and scikit-learn skip there by their
own marks are those of functions that compute only on the CPU, and those of functions that CuPy is
known to lack, even if arraygrad has them. One test of the official suite, `test_dunder_dlpack`,
fails on every GPU, because it requests the data on the CPU without a copy."""

#: For both kinds of GPU: the heading, the text, and the text if there is no report.
GPUS = {
    "Emulated": (
        "CuPy's own wheel runs on `fakecuda`, which emulates CUDA on a CPU. This tests which "
        "functions of CUDA are called, how, and with which results. It cannot test the speed of a "
        "GPU, the last digits of its results, or the behaviour of its driver.",
        "No report yet.",
    ),
    "On hardware": (
        "The results of `python -m conformance gpu`, which takes ten minutes, and whole suites.",
        "No report yet, because none of the test machines has a GPU. On a machine with a GPU, "
        "`python -m conformance gpu` makes a first report in ten minutes.",
    ),
}

COMMANDS = """\
```bash
python -m conformance official               # the official suite; --backend jax: on JAX
python -m conformance scipy                  # SciPy's tests; --device cuda: on a GPU
python -m conformance sklearn                # scikit-learn's tests
python -m conformance libraries              # tests of libraries that take any array
python -m conformance gradients              # derivatives against finite differences
python -m conformance gradients-through-scipy  # derivatives of SciPy's and scikit-learn's functions
python -m conformance gpu                    # the most important checks on a GPU, in ten minutes
python -m conformance page                   # write this page from the reports
```

The reports are in `conformance/reports`. Those of the suites also exist as Markdown, with the
reason for every test that was skipped or did not pass."""


def add_parser(subjects: Any) -> None:
    """Add ``page`` to the command line."""
    parser = subjects.add_parser(
        "page", help="write the documentation page of all reports", description=__doc__
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
    parts += ["## Dates and versions", table(["Tests", "Library", "Date", "Versions"], made)]
    parts += ["## Measure it yourself", COMMANDS]
    return "\n\n".join(parts) + "\n"


def official(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """The official suite by chapter, for arraygrad and other libraries, and further runs."""
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
        "The numbers of passed and, if any, failed tests by chapter:",
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
        "The numbers of passed and, if any, failed tests (including errors) by subpackage:",
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
    """Runs of all suites with newer versions of the requirements."""
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
    head = ["Tests", "Library", *OUTCOMES.values(), "Date", "Versions"]
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
    return [table(["Library", *COLUMNS.values()], rows)] if rows else []


def cuda(reports: Path, versions: dict[tuple[str, str], Run]) -> list[str]:
    """All suites on emulated and on real GPUs."""
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
    """Table of the outcomes of all suites, arraygrad first, if there are reports."""
    rows: list[list[object]] = []
    for path in found("gpu"):
        report = read(path)
        where = f"arraygrad, `{report['device']}`"
        versions["the ten-minute GPU check", where] = report
        for step in report["steps"].values():
            if "totals" in step:
                title = step["title"] + ("" if step["state"] == "done" else ", incomplete")
                rows.append([title, where, *step["totals"].values()])
    for subject, title in TITLES.items():
        for path in found(subject):
            report = read(path)
            for key, result in report["runs"].items():
                peer = NAMES.get(key, NAMES[report.get("backend", "arraygrad")])
                where = f"{peer}, `{report['device']}`"
                tests = f"{title}, {key}" if subject == "official" else title
                versions[tests, where] = result
                rows.append([tests, where, *result["totals"].values()])
    return [table(["Tests", "Library", *OUTCOMES.values()], rows)] if rows else []


# --- reading and setting


def on_cpu(reports: Path, subject: str) -> list[Path]:
    """The report of a subject on the CPU, if there is one."""
    return [*reports.glob(f"{subject}-cpu.json")]


def on_gpu(reports: Path, subject: str, emulated: bool) -> list[Path]:
    """The reports of a subject on emulated or on real GPUs."""
    paths = sorted(reports.glob(f"{subject}-cuda*.json"))
    return [path for path in paths if read(path)["device"].endswith("emulated") == emulated]


def peers(reports: Path) -> list[Path]:
    """The peers' reports of the official suite."""
    return [path for name in BACKENDS for path in reports.glob(f"official-cpu-{name}.json")]


def read(path: Path) -> Run:
    """Read a report."""
    try:
        report: Run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SetupError(f"{path} is no report of this program; move it away") from None
    return report


def described(result: Run) -> str:
    """The versions that were used."""
    return ", ".join(f"{k} {v}" for k, v in result["versions"].items())


def outcomes(columns: dict[str, Run]) -> str:
    """Outcomes of each run."""
    rows = [[where, *result["totals"].values()] for where, result in columns.items()]
    return table(["Library", *OUTCOMES.values()], rows)


def by_part(head: str, key: str, columns: dict[str, Run]) -> str:
    """A table with a row for each chapter or subpackage and a column for each run."""
    parts: Iterable[str] = dict.fromkeys(p for result in columns.values() for p in result[key])
    rows = [[part, *(cell(result[key].get(part)) for result in columns.values())] for part in parts]
    return table([head, *columns], rows)


def cell(counts: dict[str, int] | None) -> str:
    """A cell of the table: the numbers of passed and failed tests."""
    if counts is None:
        return "-"
    failed = counts["failed"] + counts["error"]
    return f"{counts['passed']}" + (f", {failed} failed" if failed else "")
