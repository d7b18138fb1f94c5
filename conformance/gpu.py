"""Runs the most important checks on a GPU within a given time.

Each step is a process with a time limit. Results are logged as they are found, so a run that is
stopped loses nothing, and the next call continues it. The report and its page are made from the log
of all steps, which has one line of JSON for each test or figure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import arraygrad

from . import gpu_setup, libraries, official
from .gpu_report import bad, missing, page, report
from .report import REPORTS, SetupError, digest, emulated, path_of, place, write

ROOT = Path(__file__).parents[1]
#: A line of the log.
Record = dict[str, Any]
#: Arguments, working directory and environment variables of a process.
Command = tuple[list[str], Path, dict[str, str]]

#: Examples for each test of the official suite.
EXAMPLES = 30
SUBPACKAGES = ("fft", "linalg", "special", "stats")
#: More processes gain little, because each has its own CUDA context.
WORKERS = 8
#: A step is not started with fewer seconds left.
LEAST = 10


@dataclass(frozen=True)
class Step:
    """A process that writes to the log; its limit is for a run of ten minutes."""

    name: str
    title: str
    seconds: int
    command: Callable[[argparse.Namespace, str], Command]


def add_parser(subjects: Any) -> None:
    """Add ``gpu`` to the command line."""
    parser = subjects.add_parser(
        "gpu", help="tests, suites and benchmarks on a GPU in ten minutes", description=__doc__
    )
    add = parser.add_argument
    add("steps", nargs="*", metavar="STEP", help=f"only these of {', '.join(STEPS)}")
    add("--minutes", type=float, default=10.0, help="time limit of the whole run (10)")
    add("--device", default="cuda", help="the GPU (cuda)")
    add("--report", type=Path, default=REPORTS, metavar="DIR", help="folder of log and report")
    add("--fresh", action="store_true", help="start from the beginning, and ignore the log")
    add("-n", "--workers", type=official.positive, metavar="N", help="processes (at most 8)")
    add("--suite", type=Path, help="folder of the official suite, as for official")
    gpu_setup.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the remaining steps within the time; return 0 if all are done without failures."""
    began = time.monotonic()
    if unknown := set(args.steps) - set(STEPS):
        raise SetupError(f"there is no step {', '.join(sorted(unknown))}; {', '.join(STEPS)} are")
    if not args.device.startswith("cuda"):
        raise SetupError(f"{args.device} is no GPU")
    where = place(args.device)
    path = path_of(args.report, "gpu", where)
    log = args.log = path.with_suffix(".jsonl").resolve()
    if args.fresh:
        log.unlink(missing_ok=True)
    begin(log, about(args.device))
    output = path.with_suffix(".txt")
    print(f"log: {log}; what the steps print: {output}", flush=True)

    def left() -> float:
        return 60 * args.minutes - (time.monotonic() - began)

    chosen = [STEPS[name] for name in STEPS if name in args.steps or not args.steps]
    for again in (False, True):  # the second time, the first steps get the rest
        for step in chosen:
            state = states(read(log)).get(step.name, "")
            if state == "done" or (again and state != "stopped") or left() < LEAST:
                continue
            limit = left() if again else min(left(), step.seconds * args.minutes / 10)
            print(f"{step.title}: at most {limit:.0f} s", flush=True)
            take(step, args, output, limit)
            publish(path, where, read(log))
    found = publish(path, where, read(log))
    print(f"report: {path}.md")
    ended = [well(step, found["steps"].get(step.name)) for step in chosen]
    return 0 if all(ended) else 1


def well(step: Step, found: Record | None) -> bool:
    """Print how a step ended; return whether it is done without failures."""
    if found is None:
        print(f"{step.title}: not begun")
        return False
    failures = [*bad(found), *missing(found)]
    passed = found.get("totals", {}).get("passed", 0)
    print(f"{step.title}: {found['state']}, {passed} passed, {len(failures)} failed")
    return found["state"] == "done" and not failures


def publish(path: Path, where: str, records: list[Record]) -> Record:
    """Write the report and its page."""
    found = report(where, records, {step.name: step.title for step in STEPS.values()})
    expected = path_of(REPORTS, "gpu", "cuda, emulated").with_suffix(".json")
    baseline = None
    if "emulated" not in where and expected.exists():
        baseline = json.loads(expected.read_text(encoding="utf-8"))
    write(path.with_suffix(".json"), json.dumps(found, indent=1) + "\n")
    write(path.with_suffix(".md"), page(found, baseline))
    return found


# --- the log


def read(log: Path) -> list[Record]:
    """Read all records. A line may be incomplete if a run was stopped."""
    records = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def append(log: Path, record: Record) -> None:
    """Add a line. It begins with a newline, because the last line may be incomplete."""
    with open(log, "a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(record))


def begin(log: Path, made_with: Record) -> None:
    """Start the log, or check that it belongs to these sources, versions and GPU."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists():
        append(log, {"about": made_with, "date": datetime.now(UTC).date().isoformat()})
        return
    records = read(log)
    if not records or records[0].get("about") != made_with:
        raise SetupError(
            f"{log} is of other sources, versions or another GPU; --fresh begins anew, "
            "--report DIR leaves it as it is"
        )


def about(device: str) -> Record:
    """Everything that the results depend on."""
    sources = digest(Path(arraygrad.__file__).parent, ROOT / "tests")
    versions = official.versions(device)
    for name in ("scipy", "scikit-learn", "torch"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    from cupy.cuda import runtime

    index = arraygrad.Device(device).index
    memory = runtime.getDeviceProperties(index)["totalGlobalMem"] / 2**30
    major, minor = (runtime.getDeviceProperties(index)[k] for k in ("major", "minor"))
    versions |= {
        "driver": f"{runtime.driverGetVersion()}",
        "compute capability": f"{major}.{minor}",
        "memory": f"{memory:.0f} GiB",
        "compiled": "no" if str(arraygrad._dispatch.__file__).endswith(".py") else "yes",
    }
    cores = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return {"sources": sources, "versions": versions, "platform": cores}


def states(records: list[Record]) -> dict[str, str]:
    """How the last run of each step ended."""
    return {record["step"]: record["end"] for record in records if "end" in record}


# --- the steps


def take(step: Step, args: argparse.Namespace, output: Path, limit: float) -> None:
    """Run one step until it ends or its time is over."""
    began, log = time.monotonic(), args.log
    with tempfile.TemporaryDirectory() as scratch, open(output, "ab") as out:
        try:
            argv, folder, env = step.command(args, scratch)
        except SetupError as problem:
            append(log, {"step": step.name, "end": f"not begun: {problem}", "seconds": 0})
            return
        before = [r["test"] for r in read(log) if r.get("step") == step.name and "test" in r]
        names = Path(scratch, "before.json")
        names.write_text(json.dumps(before), encoding="utf-8")
        env["ARRAYGRAD_OUTCOMES"] = str(log)
        env["ARRAYGRAD_OUTCOMES_BEFORE"] = str(names)
        env["ARRAYGRAD_OUTCOMES_STEP"] = step.name
        out.write(f"\n==== {step.title}: {' '.join(argv)}\n".encode())
        out.flush()
        with started(argv, folder, env, out) as process:
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                end = "stopped"
            else:  # pytest's 1: some failed, 5: there was nothing left
                well = (0, 1, 5) if "pytest" in argv else (0,)
                end = "done" if code in well else f"ended with code {code}"
    seconds = round(time.monotonic() - began, 1)
    append(log, {"step": step.name, "end": end, "seconds": seconds})


@contextmanager
def started(argv: list[str], folder: Path, env: dict[str, str], out: Any) -> Iterator[Any]:
    """Start a process in its own group, and kill the group in the end."""
    # (Not in its own session: killing the session of the command must end the step, too.)
    process = subprocess.Popen(
        argv, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, process_group=0
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def pytest_command(args: argparse.Namespace, *options: str) -> list[str]:
    """A run of pytest that writes to the log; a crash is a failure of the test."""
    most = os.cpu_count() or 1
    workers = args.workers or (most if emulated(args.device) else min(most, WORKERS))
    return [
        *(sys.executable, "-m", "pytest", *options, "-q", "-n", str(workers), "--tb=short"),
        *("-p", "conformance.outcomes_plugin", "-p", "no:cacheprovider", "--disable-warnings"),
    ]


def environment(args: argparse.Namespace) -> dict[str, str]:
    """The variables of a step's process."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    env["ARRAYGRAD_CONFORMANCE_DEVICE"] = args.device
    here = str(Path(arraygrad.__file__).resolve().parents[1])  # the very package reported on
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [here, str(ROOT), env.get("PYTHONPATH")]))
    return env


def of_ours(args: argparse.Namespace, scratch: str) -> Command:
    """The CUDA tests of arraygrad."""
    return pytest_command(args, "-m", "cuda", "tests"), ROOT, environment(args)


def of_the_suite(args: argparse.Namespace, scratch: str) -> Command:
    """The official suite, with few examples."""
    suite = official.find_suite(args.suite, official.REVISIONS[0])
    known = argparse.Namespace(
        device=args.device, backend="arraygrad", revision=official.REVISIONS[0]
    )
    env = environment(args) | official.environment(scratch, known)
    env["PYTHONPATH"] = environment(args)["PYTHONPATH"]
    return pytest_command(args, *official.pytest_options(EXAMPLES, None)), suite, env


def of_gradients(args: argparse.Namespace, scratch: str) -> Command:
    """All cases of the gradient suite, on both devices."""
    path = Path(__file__).with_name("gradient_tests.py")
    return pytest_command(args, str(path)), ROOT, environment(args)


def of_scipy(args: argparse.Namespace, scratch: str) -> Command:
    """A part of SciPy's tests."""
    known = argparse.Namespace(device=args.device, backend="arraygrad")
    options = libraries.pytest_options(libraries.SCIPY, SUBPACKAGES, scratch)
    return pytest_command(args, *options), Path(scratch), libraries.environment(known)


def of_benchmarks(args: argparse.Namespace, scratch: str) -> Command:
    """The benchmarks, which run alone."""
    quick = ["--quick"] if emulated(args.device) else []
    command = [sys.executable, "-m", "benchmarks.cuda", "--log", str(args.log), *quick]
    return command, ROOT, environment(args)


STEPS = {
    step.name: step
    for step in (
        Step("tests", "Our tests of CUDA", 210, of_ours),
        Step("official", f"The standard's suite, {EXAMPLES} examples", 110, of_the_suite),
        Step("gradients", "Gradients on both devices", 100, of_gradients),
        Step("scipy", f"SciPy's tests of {', '.join(SUBPACKAGES)}", 80, of_scipy),
        Step("benchmarks", "Benchmarks", 80, of_benchmarks),
    )
}
