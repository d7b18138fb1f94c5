"""Runs the tests of array-agnostic libraries with `arraygrad`.

The libraries are installed in pinned versions into an environment in the user's cache. No test file
is changed or copied, and no test is excluded: tests are skipped or expected to fail only by their
own marks, or as the report says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .libraries import cell, environment, setting, summarise
from .official import Run, by_reason, cache, load, positive, run_pytest
from .report import REPORTS, SetupError, path_of, table, write

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Suite:
    """The tests of one library, from its wheel or from the source distribution with this hash."""

    version: str
    tests: tuple[str, ...]
    sha256: str = ""


SUITES = {
    "array-api-compat": Suite(
        "1.16.0", ("tests",), "c8117cb4d6c7aacaec38c2705f72509e342c20b1a716a04cb5397a611f122d51"
    ),
    "array-api-extra": Suite(
        "0.11.5",
        ("tests/main",),
        "1f0de7dde3326a7157a63ddbcfab7409b38248f0685e5a0670bd9044a54fcac0",
    ),
    "autoray": Suite(
        "0.11.0", ("tests",), "ef9c23d8307f2e5030d10dd222d304401450157172a6fcc6f7456b6e82681bf4"
    ),
    "quimb": Suite("1.16.0", ("quimb_tests.py",)),
    "scikit-bio": Suite("0.7.4", ("skbio/stats/composition", "skbio/stats/distance")),
}
#: What their tests and ours need besides.
OTHERS = """
    array-api-strict==2.6.1 matplotlib==3.11.2 networkx numba==0.68.1 numpy==2.4.6 optree pandas
    scipy==1.17.1 hypothesis pytest pytest-json-report pytest-xdist
""".split()

ABOUT = """\
array-api-compat, array-api-extra and autoray are run by the tests of their source distributions,
scikit-bio by those of its wheel that take any array, in `stats.composition` and `stats.distance`.
`arraygrad` is put on each library's list of array libraries, and the tests with it are run. Of
quimb there are programs here, `conformance/quimb_tests.py`, which compare tensors with NumPy's
arrays. Two kinds of tests are skipped: of array-api-compat, what needs a function such as
`is_torch_array` for each library, and of array-api-extra, what array-api-strict is skipped in
because it is given the implementation in functions of the standard, as we are."""


def add_parser(subjects: Any) -> None:
    """Add ``libraries`` to the command line."""
    parser = subjects.add_parser(
        "libraries", help=f"tests of {', '.join(SUITES)}", description=__doc__
    )
    add = parser.add_argument
    add("libraries", nargs="*", metavar="LIBRARY", help="only these; nothing is recorded")
    add("-n", "--workers", type=positive, metavar="N", help="processes (one per core)")
    add("--report", type=Path, default=REPORTS, metavar="DIR", help="folder of the reports")
    parser.set_defaults(run=run, device="cpu", backend="arraygrad")


def run(args: argparse.Namespace) -> int:
    """Run the tests once, record the results, and say whether any failed."""
    if wrong := set(args.libraries) - set(SUITES):
        raise SetupError(f"there are no tests of {', '.join(wrong)}; of {', '.join(SUITES)} are")
    path = path_of(args.report, "libraries", args.device)
    load(path)  # an unreadable report should be known before the tests run, not after
    folder = installed()
    found: Run = {"duration": 0.0, "tests": []}
    for name in args.libraries or SUITES:
        print(f"{name} {SUITES[name].version}", flush=True)
        one = run_suite(name, folder, args)
        found["duration"] += one["duration"]
        for test in one["tests"]:
            outcome = test["outcome"].removeprefix("subtests ")
            node = f"conformance/{name}/{test['nodeid']}"
            found["tests"].append(test | {"outcome": outcome, "nodeid": node})
    result = about(folder) | summarise(found)
    bad = result["failed"] | result["error"]
    if not args.libraries:
        runs = {args.backend: result}
        content = {"device": args.device, "runs": runs}
        write(path.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
        write(path.with_suffix(".md"), markdown(result))
        print(f"report: {path}.md")
    for test, why in bad.items():
        print(f"not passed: {test}: {why}")
    print(f"{result['totals']['passed']} passed, {len(bad)} failed")
    return 0 if result["totals"]["passed"] and not bad else 1


# --- the environment


def installed() -> Path:
    """The environment with the sources; created if it is missing, completely or not at all."""
    mark = hashlib.sha256(repr((SUITES, OTHERS)).encode()).hexdigest()[:7]
    folder = cache() / f"libraries-{mark}-{sys.implementation.cache_tag}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="libraries-") as scratch:
        new = Path(scratch, "new")
        print(f"installing {', '.join(SUITES)} into {folder}", flush=True)
        venv.create(new, with_pip=True)
        pip = [str(python_of(new)), "-m", "pip"]
        pins = [f"{name}=={suite.version}" for name, suite in SUITES.items()]
        pip_run([*pip, "install", "-q", *pins, *OTHERS])
        for name, suite in SUITES.items():
            if suite.sha256:
                fetch(pip, name, suite, new / "sources")
        new.rename(folder)
    return folder


def fetch(pip: list[str], name: str, suite: Suite, to: Path) -> None:
    """Unpack a source distribution; pip compares its hash with the pinned one."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "wanted.txt")
        wanted.write_text(f"{name}=={suite.version} --hash=sha256:{suite.sha256}\n")
        source = ["download", "-q", "--no-deps", f"--no-binary={name}", "-d", scratch]
        pip_run([*pip, *source, "-r", str(wanted)])
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(to, filter="data")


def pip_run(command: list[str]) -> None:
    """Run pip, which must succeed."""
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as problem:
        raise SetupError(f"the libraries could not be installed: {problem}") from None


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def about(folder: Path) -> Run:
    """Versions and platform of a run."""
    import arraygrad

    command = [str(python_of(folder)), "-m", "pip", "list", "--format=json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    names = [*SUITES, "cotengra", "numpy", "scipy", "numba", "optree", "pytest", "hypothesis"]
    found = {each["name"]: each["version"] for each in listed if each["name"] in names}
    versions = {"python": platform.python_version(), "arraygrad": arraygrad.__version__}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": found | versions,
        "platform": f"{platform.system()} {platform.machine()}",
    }


# --- the tests


def run_suite(name: str, folder: Path, args: argparse.Namespace) -> Run:
    """Report of pytest-json-report on the tests of one library."""
    suite = SUITES[name]
    with tempfile.TemporaryDirectory() as scratch:
        if suite.sha256:
            root = folder / "sources" / f"{name.replace('-', '_')}-{suite.version}"
            options = [*suite.tests, "-o", "addopts="]
        else:
            site = sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})
            root = HERE if name == "quimb" else Path(site)
            settings = Path(scratch, "pytest.ini")
            settings.write_text("[pytest]\n")
            tests = [f"{root}/{part}" for part in suite.tests]
            options = [*tests, "-c", str(settings), f"--rootdir={root}", f"--confcutdir={root}"]
        env = environment(args) | {
            "ARRAYGRAD_CONFORMANCE_LIBRARY": name,
            "PYTHONDONTWRITEBYTECODE": "1",  # the sources stay as they are
            "SKBIO_ARRAY_BACKEND": "all",
        }
        env.pop("SKBIO_DEVICE", None)
        options += ["-q", "-p", "conformance.ecosystem_plugin"]
        cwd = root if suite.sha256 else scratch
        return run_pytest(options, args, cwd=cwd, env=env, python=str(python_of(folder)))


# --- the report


def markdown(result: Run) -> str:
    """The report, for people to read."""
    rows = [[name, cell(counts)] for name, counts in result["subpackages"].items()]
    rows.append(["Total", cell(result["totals"])])
    parts = [
        "# Tests of other libraries on `cpu`",
        "Written by `python -m conformance libraries`.",
        ABOUT,
        "A cell is passed / failed / skipped / expected to fail; errors count as failed.",
        table(["Library", "arraygrad"], rows),
        setting(result),
        *by_reason("Not passed", result["failed"] | result["error"]),
    ]
    for outcome, title in (("skipped", "Skipped"), ("xfailed", "Expected to fail")):
        rows = [[count, f"`{why}`"] for why, count in result[outcome].items()]
        if rows:
            parts += [f"## {title}", table(["Tests", "Reason"], rows)]
    return "\n\n".join(parts) + "\n"
