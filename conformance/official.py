"""Runs the official array API test suite, data-apis/array-api-tests, on `arraygrad`.

Every test of the suite counts. The suite gets no list of tests to skip or to expect to fail, and
such a list in its folder is an error.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten
from typing import Any

import arraygrad

from .report import REPORTS, SetupError, emulated, gpu, path_of, place, table, write

SUITE = "https://github.com/data-apis/array-api-tests"
SUITE_COMMIT = "55fcc60179efa2680ddd6cd926ddf17b83530e2b"
#: The standard itself: the suite reads signatures and special cases from it.
STANDARD = "https://github.com/data-apis/array-api"
STANDARD_COMMIT = "5f847a3858875c682ae901aa22b0413bf24be9da"
#: Of all files of the suite with the standard in it, as `digest` has it.
SUITE_SHA256 = "e247f7e4c374e70f11d17aa7c3e19b01dbda6efad68fe8b32f31aad6d809fec1"

REVISIONS = ("2025.12", "2024.12", "2023.12", "2022.12", "2021.12")
EXAMPLES = 100

#: The libraries that can be tested, and their namespaces.
BACKENDS = {
    "arraygrad": "arraygrad",
    "numpy": "array_api_compat.numpy",
    "array_api_strict": "array_api_strict",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "cupy": "array_api_compat.cupy",
}
#: What a peer is started with: without this, JAX has no 64-bit numbers.
PEER_ENVIRONMENT = {"jax": {"JAX_ENABLE_X64": "1"}}

#: The outcomes of a test, as pytest calls them, with the words of the reports.
OUTCOMES = {
    "passed": "Passed",
    "failed": "Failed",
    "skipped": "Skipped",
    "xfailed": "xfailed",
    "xpassed": "xpassed",
    "error": "Errors",
}
#: Chapters whose name is not in the name of their test file.
CHAPTERS = {
    "dlpack": "DLPack",
    "fft": "Fourier transforms",
    "has_names": "Names present",
    "linalg": "Linear algebra",
}

Run = dict[str, Any]


def add_parser(subjects: Any) -> None:
    """Add ``official`` to the command line."""
    parser = subjects.add_parser(
        "official", help="the official array API test suite", description=__doc__
    )
    add = parser.add_argument
    add("--device", default="cpu", help="the default device of the tests (cpu)")
    add("--backend", choices=BACKENDS, default="arraygrad", help="the library to test "
        "(arraygrad); others to compare: cupy with --device cuda, the rest on the CPU")  # fmt: skip
    add("--revision", choices=REVISIONS, default=REVISIONS[0], help="of the standard")
    add("--suite", type=Path, help="folder of the suite; else $ARRAYGRAD_ARRAY_API_TESTS, "
        "else a copy in the user's cache, which is cloned from GitHub when missing")  # fmt: skip
    add("--max-examples", type=positive, default=EXAMPLES, metavar="N", help="per test (100)")
    add("--seed", type=int, metavar="S", help="draw the examples with this seed; without it "
        "every run draws the same ones")  # fmt: skip
    add("--workers", type=positive, metavar="N", help="processes (one per core; 1 on a GPU)")
    add("--report", type=Path, default=REPORTS, metavar="DIR", help="folder of the reports")
    add("--compare", type=Path, metavar="DIR", help="folder of earlier reports on this device: "
        "succeed if only tests fail that failed there, too")  # fmt: skip
    parser.set_defaults(run=run)


def positive(text: str) -> int:
    """Positive int, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def run(args: argparse.Namespace) -> int:
    """Run the suite once, record the results, and say whether all of it passed."""
    peer = args.backend != "arraygrad"
    if peer and args.device != (home := "cuda" if args.backend == "cupy" else "cpu"):
        raise SetupError(f"{args.backend} is measured on {home} only; got {args.device}")
    where = place(args.device)
    path = path_of(args.report, "official", where)
    if peer:
        path = path.with_name(f"{path.name}-{args.backend}")
    load(path)  # fail before the tests run, if the report is unreadable
    earlier = load(args.compare / path.name) if args.compare else {}
    modules = ["pytest", "pytest_jsonreport", "xdist", "hypothesis", "ndindex"]
    modules += [args.backend] * peer
    if missing := [name for name in modules if importlib.util.find_spec(name) is None]:
        raise SetupError(f"{', '.join(missing)} missing; pip install 'arraygrad[test]'")
    suite = find_suite(args.suite, args.revision)
    result: Run = {
        "date": datetime.now(UTC).date().isoformat(),
        "revision": args.revision,
        "examples": args.max_examples,
        "seed": args.seed,
        "suite": commit(suite),
        "standard": commit(suite / "array-api"),
        "versions": versions(args.device) | peer_version(args.backend),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    for name, pin in (("suite", SUITE_COMMIT), ("standard", STANDARD_COMMIT)):
        if result[name] != pin:
            print(f"note: the {name} is at {result[name]}, not at the pinned {pin}", flush=True)
    result.update(summarise(run_tests(suite, args)))

    runs = load(path)
    runs[name_of(result)] = result
    runs = dict(sorted(runs.items(), key=lambda item: order(item[1])))
    content = {"backend": args.backend, "device": where, "runs": runs}
    write(path.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
    write(path.with_suffix(".md"), markdown(args.backend, where, runs))
    totals = result["totals"]
    print(f"report: {path}.md")
    if totals["xfailed"] or totals["xpassed"]:
        print(f"{totals['xfailed']} xfailed, {totals['xpassed']} xpassed: these count as failures")
    bad = totals["failed"] + totals["error"]
    print(f"{totals['passed']} passed, {bad} failed, {totals['skipped']} skipped")
    if args.compare is None:
        return 0 if conforms(totals) else 1
    new = new_failures(result, earlier)
    for test, why in new.items():
        print(f"did not fail before: {test}: {why}")
    return 0 if totals["passed"] and not new else 1


def new_failures(result: Run, earlier: dict[str, Run]) -> dict[str, str]:
    """The tests that did not pass, except those that did not pass in an earlier run."""
    known = {test for run in earlier.values() for test in not_passed(run)}
    return {test: why for test, why in not_passed(result).items() if test not in known}


def not_passed(result: Run) -> dict[str, str]:
    """Tests that neither passed nor were skipped, with the reasons."""
    kinds = ("failed", "error", "xfailed", "xpassed")
    return {test: why for kind in kinds for test, why in result[kind].items()}


def conforms(totals: dict[str, int]) -> bool:
    """True if some tests passed, and all others were skipped by the suite."""
    return totals["passed"] > 0 and totals["passed"] + totals["skipped"] == sum(totals.values())


# --- the suite


def find_suite(given: Path | None, revision: str) -> Path:
    """The folder of the suite, checked; cloned if none is given and the cache has none."""
    if given is None and (named := os.environ.get("ARRAYGRAD_ARRAY_API_TESTS")):
        given = Path(named)
    suite = given or cached_suite()
    stubs = "_" + revision.replace(".", "_")
    for part in ("array_api_tests", f"array-api/src/array_api_stubs/{stubs}"):
        if not (suite / part).is_dir():
            raise SetupError(
                f"{suite} is not a checkout of {SUITE} with its submodule: it has no {part}/. "
                f"These commands make one, where no folder is yet:\n{commands_text(suite)}"
            )
    for name in ("skips.txt", "xfails.txt"):
        if (suite / name).exists():
            raise SetupError(f"{suite / name} would excuse tests without a word; remove it")
    return suite.resolve()


def cached_suite() -> Path:
    """The pinned suite in the user's cache; cloned if it is missing, completely or not at all.

    Its files are compared with the pinned hash, because names and commit ids prove little.
    """
    suite = cache() / f"array-api-tests-{SUITE_COMMIT[:7]}"
    if suite.is_dir():
        return checked(suite, SUITE_SHA256)
    suite.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=suite.parent, prefix="clone-") as folder:
        clone = Path(folder, "suite")
        print(f"cloning {SUITE} into {suite}", flush=True)
        try:
            for command in clone_commands(clone):
                subprocess.run(command, check=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
        except (OSError, subprocess.CalledProcessError) as problem:
            raise SetupError(
                f"the suite could not be cloned ({problem}). Where git and GitHub can be reached, "
                f"run\n{commands_text(suite)}\nor put the suite elsewhere and name its folder "
                "with --suite or in ARRAYGRAD_ARRAY_API_TESTS"
            ) from None
        checked(clone, SUITE_SHA256).rename(suite)
    return suite


def cache() -> Path:
    """Folder for downloads."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arraygrad"


def checked(folder: Path, sha256: str) -> Path:
    """The folder, after checking its files against the pinned hash."""
    if (found := digest(folder)) != sha256:
        raise SetupError(
            f"{folder} has other files than were pinned: their hash is {found}, not {sha256}; "
            "remove the folder, and it is fetched again"
        )
    return folder


def digest(folder: Path) -> str:
    """Hash of the names and contents of all files in a folder, except those that tools create."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not {".git", "__pycache__"} & set(name.parts):
            found.update(f"{name.as_posix()} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def clone_commands(suite: Path) -> list[list[str]]:
    """The commands that put the pinned suite, with the standard in it, into a folder."""
    commands = []
    for url, pin, at in (
        (SUITE, SUITE_COMMIT, suite),
        (STANDARD, STANDARD_COMMIT, suite / "array-api"),
    ):
        commands.append(["git", "clone", "--no-checkout", "--filter=blob:none", url, str(at)])
        commands.append(["git", "-C", str(at), "checkout", "--quiet", "--detach", pin])
    return commands


def commands_text(suite: Path) -> str:
    """Text of these commands."""
    return "\n".join(f"  {shlex.join(command)}" for command in clone_commands(suite))


def commit(folder: Path) -> str:
    """The commit that is checked out in a folder, with a note on local changes; or 'unknown'."""

    def git(*command: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *command], capture_output=True, text=True, check=True
        ).stdout

    try:
        top, head = git("rev-parse", "--show-toplevel", "HEAD").splitlines()
        changed = git("status", "--porcelain")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return "unknown"
    if Path(top).resolve() != folder.resolve():  # a plain folder inside somebody's checkout
        return "unknown"
    return f"{head} with local changes" if changed else head


# --- the tests


def run_tests(suite: Path, args: argparse.Namespace) -> Run:
    """Report of pytest-json-report on one run of the suite."""
    options = pytest_options(args.max_examples, args.seed)
    with tempfile.TemporaryDirectory() as folder:
        return run_pytest(options, args, cwd=suite, env=environment(folder, args))


def pytest_options(examples: int, seed: int | None) -> list[str]:
    """Options of pytest for the suite, in its folder."""
    drawn = "--derandomize" if seed is None else f"--hypothesis-seed={seed}"
    return ["array_api_tests", "--disable-deadline", "--max-examples", str(examples), drawn]


def run_pytest(
    options: list[str],
    args: argparse.Namespace,
    cwd: str | Path,
    env: dict[str, str],
    python: str = sys.executable,
) -> Run:
    """Report of pytest-json-report on a run of pytest that ran all collected tests."""
    # Processes would share a GPU's memory; an emulated one is a CPU.
    alone = args.device.startswith("cuda") and not emulated(args.device)
    workers = args.workers or (1 if alone else os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.json")
        command = [
            *(python, "-m", "pytest", *options),
            *("-p", "no:cacheprovider", "--tb=short", "--disable-warnings"),
            *(["-n", str(workers)] if workers > 1 else []),
            *("--json-report", "--json-report-file", str(results)),
            *("--json-report-omit", "log", "streams", "keywords", "warnings"),
        ]
        code = subprocess.run(command, cwd=cwd, env=env).returncode
        if code not in (0, 1) or not results.exists():  # 0 and 1: pytest ran all there is
            raise SetupError(f"pytest ended early (exit code {code}); the report is as before")
        found: Run = json.loads(results.read_text(encoding="utf-8"))
    broken = [c["nodeid"] for c in found.get("collectors", []) if c["outcome"] == "failed"]
    if broken:  # with several workers pytest goes on without these files
        raise SetupError(f"{', '.join(broken)} could not be loaded; the report is as before")
    ran, summary = found["summary"]["total"], found["summary"]
    collected = summary["collected"] - summary.get("deselected", 0)
    if ran != collected:
        raise SetupError(f"only {ran} of {collected} tests were run; the report is as before")
    return found


def environment(scratch: str, args: argparse.Namespace) -> dict[str, str]:
    """Environment variables of the suite's process, without settings of the caller."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ARRAY_API_TESTS_", "PYTEST_"))}
    # The device is set as the suite is imported, in each worker, in the thread of the tests.
    module = f"exec('import arraygrad as xp; xp.default_device(\"{args.device}\")')"
    ours_elsewhere = args.backend == "arraygrad" and args.device != "cpu"
    env["ARRAY_API_TESTS_MODULE"] = module if ours_elsewhere else BACKENDS[args.backend]
    env |= PEER_ENVIRONMENT.get(args.backend, {})
    env["ARRAY_API_TESTS_VERSION"] = args.revision
    env["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch  # no examples from earlier runs
    here = str(Path(arraygrad.__file__).resolve().parents[1])  # the very package reported on
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [here, env.get("PYTHONPATH")]))
    return env


def versions(device: str) -> dict[str, str]:
    """Versions of everything that affects the results."""
    found = {"python": platform.python_version(), "arraygrad": arraygrad.__version__}
    found |= {name: version(name) for name in ("numpy", "array-api-compat", "hypothesis", "pytest")}
    if model := gpu(device):
        import cupy

        cuda = cupy.cuda.runtime.runtimeGetVersion()  # 12090 for 12.9
        found["cupy"] = cupy.__version__
        found["CUDA"] = f"{cuda // 1000}.{cuda % 1000 // 10}"
        found["GPU"] = model
    return found


def peer_version(backend: str) -> dict[str, str]:
    """Version of a library tested instead of arraygrad; `versions` has CuPy's."""
    return {} if backend in ("arraygrad", "cupy") else {backend: version(backend)}


def summarise(found: Run) -> Run:
    """Count the outcomes by chapter, and list the reason for each test that did not pass."""
    chapters: dict[str, Counter[str]] = {}
    others: dict[str, dict[str, str]] = {name: {} for name in OUTCOMES if name != "passed"}
    for test in found["tests"]:
        stem = Path(test["nodeid"].partition("::")[0]).stem.removeprefix("test_")
        chapter = CHAPTERS.get(stem, stem.replace("_", " ").capitalize())
        chapters.setdefault(chapter, Counter())[test["outcome"]] += 1
        if test["outcome"] != "passed":
            others[test["outcome"]][test["nodeid"]] = reason(test)
    totals = sum(chapters.values(), Counter[str]())
    return {
        "seconds": round(found["duration"]),
        "totals": {name: totals[name] for name in OUTCOMES},
        "chapters": {
            chapter: {name: counts[name] for name in OUTCOMES}
            for chapter, counts in sorted(chapters.items(), key=lambda item: item[0].casefold())
        },
        **{name: dict(sorted(tests.items())) for name, tests in others.items()},
    }


def reason(test: Run) -> str:
    """Reason why a test did not pass, in one line."""
    stages = [stage for stage in test.values() if isinstance(stage, dict) and "outcome" in stage]
    stage = next((stage for stage in stages if stage["outcome"] != "passed"), {})  # xpassed: none
    why: str = stage.get("longrepr", "").rpartition("\n")[2]
    if test["outcome"] == "skipped":  # the last line is (file, line, why)
        why = ast.literal_eval(why)[2].removeprefix("Skipped: ")
    elif "crash" in stage:
        why = stage["crash"]["message"]
    return shorten(why, 120)


# --- the reports


def load(report: Path) -> dict[str, Run]:
    """Recorded runs by name."""
    path = report.with_suffix(".json")
    try:
        runs: dict[str, Run] = json.loads(path.read_text(encoding="utf-8"))["runs"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError):
        raise SetupError(f"{path} is no report of this program; move it away") from None
    return runs


def name_of(result: Run) -> str:
    """Name of a run within its report."""
    return f"{result['revision']}, {result['examples']} examples, {drawn(result)}"


def drawn(result: Run) -> str:
    """Sampling of a run's examples."""
    return "derandomised" if result["seed"] is None else f"seed {result['seed']}"


def order(result: Run) -> tuple[object, ...]:
    """Sort key: the newest revision first, and within it the main run."""
    seed = result["seed"]
    return -float(result["revision"]), result["examples"], seed is not None, seed or 0


def row(result: Run) -> list[object]:
    """Row of a run in a summary table."""
    return [result["revision"], result["examples"], drawn(result), *result["totals"].values()]


HEAD = ["Revision", "Examples", "Sampling", *OUTCOMES.values()]


def markdown(backend: str, device: str, runs: dict[str, Run]) -> str:
    """Report of one device as Markdown."""
    peer = "" if backend == "arraygrad" else f": {BACKENDS[backend]}, for comparison"
    rows = [
        [*row(result), result["suite"][:7] + result["suite"][40:], result["date"]]
        for result in runs.values()
    ]
    parts = [
        f"# The official array API test suite on `{device}`{peer}",
        f"Written by `python -m conformance official`, which runs <{SUITE}> without a list of "
        "tests to skip or to expect to fail.",
        table([*HEAD, "Suite", "Date"], rows),
    ]
    for name, result in runs.items():
        main = name == f"{REVISIONS[0]}, {EXAMPLES} examples, derandomised"
        bad = not_passed(result)
        if main or bad:
            parts.append(f"## {name}")
        if main:
            parts += [setting(result), chapters_table(result)]
            parts += by_reason("Skipped by the suite itself", result["skipped"])
        parts += by_reason("Not passed", bad)
    return "\n\n".join(parts) + "\n"


def setting(result: Run) -> str:
    """Versions and platform of a run, as a list."""
    lines = []
    for name, pin in (("suite", SUITE_COMMIT), ("standard", STANDARD_COMMIT)):
        lines.append(f"{name} {result[name]}{'' if result[name] == pin else f' (pinned: {pin})'}")
    lines += [f"{name} {value}" for name, value in result["versions"].items()]
    lines += [result["platform"], result["date"]]
    return "\n".join(f"- {line}" for line in lines)


def chapters_table(result: Run) -> str:
    """A run's outcomes by chapter."""
    rows = [[chapter, *counts.values()] for chapter, counts in result["chapters"].items()]
    return table(["Chapter", *OUTCOMES.values()], [*rows, ["Total", *result["totals"].values()]])


def by_reason(title: str, tests: dict[str, str]) -> list[str]:
    """Paragraphs that list tests by reason."""
    parts = [f"### {title}"] if tests else []
    for why in sorted(set(tests.values())):
        code = why.replace("`", "'")  # as code, since it may hold <tags>
        parts.append(f"`{code}`:")
        parts.append("\n".join(f"- `{test}`" for test, other in tests.items() if other == why))
    return parts


def readme_summary(reports: Path) -> str:
    """One line for each run on each device, with links to the reports."""
    rows = []
    for path in sorted(reports.glob("official-*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if report["backend"] != "arraygrad":
            continue
        device = report["device"]
        link = f"[`{device}`](conformance/reports/{path.stem}.md)"
        rows += [[link, *row(result)] for result in load(path.with_suffix("")).values()]
    if not rows:
        raise SetupError(f"{reports} has no reports; make them with python -m conformance official")
    return table(["Device", *HEAD], rows)
