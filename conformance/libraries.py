"""Runs the tests that SciPy and scikit-learn ship in their wheels on `arraygrad` tensors.

No test file is changed or copied, and no test is excluded: tests are skipped or expected to fail
only by their own marks.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import arraygrad

from .official import OUTCOMES, Run, by_reason, load, positive, reason, run_pytest, versions
from .report import REPORTS, SetupError, path_of, place, table, write

BACKENDS = ("arraygrad", "array_api_strict", "torch")


@dataclass(frozen=True)
class Library:
    """A library, and its subpackages with tests on array API arrays."""

    module: str
    title: str
    distribution: str
    subpackages: tuple[str, ...]
    about: str


SCIPY = Library(
    "scipy",
    "SciPy",
    "scipy",
    tuple(
        "_lib cluster constants differentiate fft integrate interpolate linalg ndimage optimize "
        "signal spatial special stats".split()
    ),
    "The tests are those that use SciPy's `xp` fixture, including the slow ones. The runner "
    "patches two things: the fixture `devices`, which adds a list to the result of the standard's "
    "`devices()`, a tuple since 2025.12; and one test for lazy arrays only, where SciPy lists all "
    "eager libraries that it knows: the runner adds `arraygrad` to the list.",
)
SKLEARN = Library(
    "sklearn",
    "scikit-learn",
    "scikit-learn",
    tuple(
        "_loss decomposition linear_model metrics mixture model_selection preprocessing tests "
        "utils".split()
    ),
    "The tests are those that scikit-learn parametrises over array namespaces, devices and "
    "dtypes, and its estimator checks for array API input. Tests with inputs from two namespaces "
    "combine `arraygrad` with NumPy and, as scikit-learn does for PyTorch, with array-api-strict "
    "on the CPU and with CuPy on a GPU. For the other libraries, scikit-learn chooses the pairs.",
)


def add_parsers(subjects: Any) -> None:
    """Add ``scipy`` and ``sklearn`` to the command line."""
    for library in (SCIPY, SKLEARN):
        parser = subjects.add_parser(
            library.module, help=f"{library.title}'s own tests", description=__doc__
        )
        add = parser.add_argument
        add("subpackages", nargs="*", metavar="SUBPACKAGE", help="run only these, without a report")
        add("--device", default="cpu", help="the device of the tensors (cpu)")
        add("--backend", choices=BACKENDS, default=BACKENDS[0], help="another library, to compare")
        add("-n", "--workers", type=positive, metavar="N",
            help="processes (one per core; 1 on a GPU)")  # fmt: skip
        add("--report", type=Path, default=REPORTS, metavar="DIR", help="folder of the reports")
        parser.set_defaults(run=run, library=library)


def run(args: argparse.Namespace) -> int:
    """Run the tests once, record the results, and say whether any failed."""
    library: Library = args.library
    where = place(args.device)
    path = path_of(args.report, library.module, where)
    load(path)  # fail before the tests run, if the report is unreadable
    result = about(library, args)
    result |= summarise(run_tests(library, args))
    bad = result["failed"] | result["error"]
    if not args.subpackages:
        runs = load(path) | {args.backend: result}
        runs = {name: runs[name] for name in BACKENDS if name in runs}
        content = {"device": where, "runs": runs}
        write(path.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
        write(path.with_suffix(".md"), markdown(library, where, runs))
        print(f"report: {path}.md")
    for test, why in bad.items():
        print(f"not passed: {test}: {why}")
    totals = result["totals"]
    print(
        f"{totals['passed']} passed, {len(bad)} failed, {totals['skipped']} skipped, "
        f"{totals['xfailed']} expected to fail"
    )
    return 0 if totals["passed"] and not bad else 1


def about(library: Library, args: argparse.Namespace) -> Run:
    """The versions of a run, after checking that it can start."""
    if wrong := [name for name in args.subpackages if name not in library.subpackages]:
        raise SetupError(
            f"{library.title} has no array API tests in {', '.join(wrong)}; they are in "
            f"{', '.join(library.subpackages)}"
        )
    needed = [library.module, args.backend, "pytest", "pytest_jsonreport", "xdist", "hypothesis"]
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise SetupError(f"{', '.join(missing)} missing; pip install 'arraygrad[test]'")
    found = {library.distribution: version(library.distribution)}
    if args.backend != "arraygrad":
        found |= {args.backend: version(args.backend)}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": found | versions(args.device),
        "platform": f"{platform.system()} {platform.machine()}",
    }


# --- the tests


def run_tests(
    library: Library,
    args: argparse.Namespace,
    options: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> Run:
    """Run the tests once, with more `options` and `variables`; return pytest's JSON report."""
    names = args.subpackages or library.subpackages
    with tempfile.TemporaryDirectory() as folder:
        command = [*pytest_options(library, names, folder), *options]
        env = environment(args) | dict(variables or {})
        return run_pytest(command, args, cwd=folder, env=env)


def pytest_options(library: Library, subpackages: Sequence[str], folder: str) -> list[str]:
    """The options of pytest; the settings are written to a folder."""
    root = Path(str(distribution(library.distribution).locate_file("")))
    settings = Path(folder, "pytest.ini")
    settings.write_text("[pytest]\n")
    return [
        *(f"{root}/{library.module}/{name}" for name in subpackages),
        *("-c", str(settings), f"--rootdir={root}", f"--confcutdir={root}", "-q"),
        *("-p", f"conformance.{library.module}_plugin"),
    ]


def environment(args: argparse.Namespace) -> dict[str, str]:
    """The environment of the test process, without the settings of the caller."""
    steering = ("SCIPY_", "SKLEARN_", "PYTEST_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(steering)}
    env["SCIPY_ARRAY_API"] = "1"
    env["ARRAYGRAD_CONFORMANCE_DEVICE"] = args.device
    if args.backend != "arraygrad":  # SciPy sets it for every library that it knows and finds
        env["SCIPY_DEVICE"] = args.device
    env["ARRAYGRAD_CONFORMANCE_BACKEND"] = args.backend
    here = str(Path(arraygrad.__file__).resolve().parents[1])  # the very package reported on
    root = str(Path(__file__).resolve().parents[1])
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [here, root, env.get("PYTHONPATH")]))
    return env


def summarise(found: Run) -> Run:
    """Count the outcomes by subpackage, with the reason for each test that did not pass."""
    parts: dict[str, Counter[str]] = {}
    others: dict[str, dict[str, str]] = {name: {} for name in OUTCOMES if name != "passed"}
    for test in found["tests"]:
        part = test["nodeid"].split("/")[1]
        parts.setdefault(part, Counter())[test["outcome"]] += 1
        if test["outcome"] != "passed":
            others[test["outcome"]][test["nodeid"]] = reason(test)
    totals = sum(parts.values(), Counter[str]())
    return {
        "seconds": round(found["duration"]),
        "totals": {name: totals[name] for name in OUTCOMES},
        "subpackages": {
            part: {name: counts[name] for name in OUTCOMES}
            for part, counts in sorted(parts.items())
        },
        "failed": dict(sorted(others["failed"].items())),
        "error": dict(sorted(others["error"].items())),
        # There are thousands; the reasons say more than the names.
        "skipped": dict(Counter(others["skipped"].values()).most_common()),
        "xfailed": dict(Counter(others["xfailed"].values()).most_common()),
        "xpassed": dict(sorted(others["xpassed"].items())),
    }


# --- the reports


def markdown(library: Library, device: str, runs: dict[str, Run]) -> str:
    """Report of one device as Markdown."""
    parts = [
        f"# {library.title}'s own tests on `{device}`",
        f"Written by `python -m conformance {library.module}`, which runs the tests shipped in the "
        "installed wheel, from a separate folder and with pytest's default settings. It changes no "
        "test file, and gives no list of tests to skip or to expect to fail.",
        library.about,
        "Each cell shows the numbers of tests that passed / failed / were skipped / were expected "
        "to fail. Failed tests include errors. Tests are skipped or expected to fail by the "
        "library's own marks, some of which name the array libraries that it knows.",
    ]
    if runs:
        names = sorted({name for result in runs.values() for name in result["subpackages"]})
        rows = [
            [name, *(cell(result["subpackages"].get(name)) for result in runs.values())]
            for name in names
        ]
        rows.append(["Total", *(cell(result["totals"]) for result in runs.values())])
        parts.append(table(["Subpackage", *runs], rows))
    for name, result in runs.items():
        parts += [f"## {name}", setting(result)]
        parts += by_reason("Not passed", result["failed"] | result["error"])
        if result["xpassed"]:
            parts.append("### Passed although expected to fail")
            parts.append("\n".join(f"- `{test}`" for test in result["xpassed"]))
        if name == arraygrad.__name__:
            for outcome, title in (("skipped", "Skipped"), ("xfailed", "Expected to fail")):
                rows = [[count, code(why)] for why, count in result[outcome].items()]
                if rows:
                    head = ["Tests", "Reason given by the library"]
                    parts += [f"### {title}", table(head, rows)]
    return "\n\n".join(parts) + "\n"


def code(why: str) -> str:
    """A reason as code in a table, because it may contain Markdown."""
    return "`" + why.replace("`", "'").replace("|", "/") + "`"


def cell(counts: dict[str, int] | None) -> str:
    """Outcomes of one subpackage."""
    if counts is None:
        return "-"
    failed = counts["failed"] + counts["error"]
    passed = counts["passed"] + counts["xpassed"]
    return f"{passed} / {failed} / {counts['skipped']} / {counts['xfailed']}"


def setting(result: Run) -> str:
    """The versions and the platform of a run, as a list."""
    lines = [f"{name} {value}" for name, value in result["versions"].items()]
    lines += [result["platform"], result["date"], f"{result['seconds']} seconds"]
    return "\n".join(f"- {line}" for line in lines)
