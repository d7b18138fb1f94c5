"""Tries the gradients of SciPy's functions, on the calls that SciPy's own tests make.

A call is differentiated by each tensor of floating-point numbers among its arguments, and compared
with difference quotients.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from .libraries import SCIPY, Library, about, run_tests
from .official import Run, load, positive
from .report import REPORTS, SetupError, write
from .through_scipy_measure import (
    BRANCH,
    BROKEN,
    CONSTANT,
    LIBRARIES,
    NO_TENSOR,
    NONE,
    RAISES,
    RIGHT,
    UNCLEAR,
    WRONG,
)

#: The modules whose functions are tried, by the subpackage whose tests call them.
MODULES = {
    "_lib": (),
    "cluster": ("scipy.cluster.vq", "scipy.cluster.hierarchy"),
    "constants": ("scipy.constants",),
    "differentiate": ("scipy.differentiate",),
    "fft": ("scipy.fft",),
    "integrate": ("scipy.integrate",),
    "interpolate": ("scipy.interpolate",),
    "linalg": ("scipy.linalg",),
    "ndimage": ("scipy.ndimage",),
    "optimize": ("scipy.optimize", "scipy.optimize.elementwise"),
    "signal": ("scipy.signal", "scipy.signal.windows"),
    "spatial": ("scipy.spatial.distance",),
    "special": ("scipy.special",),
    "stats": ("scipy.stats",),
}

PAGE = Path(__file__).parents[1] / "docs" / "differentiable-scipy.md"


def add_parser(subjects: Any) -> None:
    """Add ``gradients-through-scipy`` to the command line."""
    parser = subjects.add_parser(
        "gradients-through-scipy", help="gradients of SciPy's functions", description=__doc__
    )
    add = parser.add_argument
    add("subpackages", nargs="*", metavar="SUBPACKAGE", help="only these; nothing is recorded")
    add("--device", default="cpu", help="where the tensors are (cpu)")
    add("--backend", choices=tuple(LIBRARIES), default="arraygrad", help="a peer, to compare")
    add("-n", "--workers", type=positive, metavar="N", help="processes (one per core)")
    add("--report", type=Path, default=REPORTS, metavar="DIR", help="folder of the reports")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Try the gradients, record what was found, and say whether any is wrong."""
    stem = args.report / f"through-scipy-{args.device.replace(':', '-')}"
    load(stem)  # an unreadable report should be known before the tests run, not after
    result = about(SCIPY, args)
    found = tried(SCIPY, args)
    result["functions"] = {name: summary(entries) for name, entries in sorted(found.items())}
    if not args.subpackages:
        runs = load(stem) | {args.backend: result}
        runs = {name: runs[name] for name in LIBRARIES if name in runs}
        content = {"device": args.device, "runs": runs}
        write(stem.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
        print(f"report: {stem}.json")
    return say(result)


def say(result: Run) -> int:
    """Print what is wrong or unclear, and the counts."""
    counts = dict.fromkeys((RIGHT, BRANCH, RAISES, NO_TENSOR, CONSTANT, WRONG, NONE), 0)
    for name, found in result["functions"].items():
        counts[found["verdict"]] += 1
        for trial in found["trials"]:
            print(
                f"{trial['verdict']}: {name}, {trial['argument']}: {trial['why']} ({trial['test']})"
            )
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 1 if counts[WRONG] or not counts[RIGHT] else 0


def tried(library: Library, args: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """What was found by running the tests: for each function the verdicts on its arguments."""
    chosen = [m for name in (args.subpackages or MODULES) for m in MODULES[name]]
    with tempfile.TemporaryDirectory() as folder:
        variables = {
            "ARRAYGRAD_CONFORMANCE_FOLDER": folder,
            "ARRAYGRAD_CONFORMANCE_MODULES": " ".join(chosen),
        }
        # The tests of one file stay together, so that the same calls are tried each time.
        options = ["-p", "conformance.through_scipy_plugin", "--dist", "loadfile", "--no-summary"]
        run_tests(library, args, options, variables)
        found: dict[str, list[dict[str, Any]]] = {}
        for path in sorted(Path(folder).glob("found-*.json")):
            for name, entries in json.loads(path.read_text(encoding="utf-8")).items():
                found.setdefault(name, []).extend(entries)
    for problem in found.get(BROKEN, []):
        raise SetupError(f"{problem['test']} could not be tried; {problem['why']}")
    return {name: sorted(entries, key=lambda e: (e["test"], e["argument"]))
            for name, entries in found.items() if entries}  # fmt: skip


def summary(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """What is known of a function: the verdict on each argument, why it raises, what is wrong."""
    arguments: dict[str, dict[str, Any]] = {}
    trials = []
    for entry in entries:
        verdict = WRONG if entry.get("forward") == WRONG else entry["reverse"]
        own = arguments.setdefault(entry["argument"], {"verdicts": {}, "why": []})
        own["verdicts"][verdict] = own["verdicts"].get(verdict, 0) + 1
        why = entry.get("forward_why" if entry["reverse"] != verdict else "why", "")
        if verdict in (RAISES, UNCLEAR) and why not in own["why"]:
            own["why"].append(why)
        forward = entry.get("forward") in (RAISES, UNCLEAR) and verdict == RIGHT
        if verdict in (WRONG, BRANCH, UNCLEAR) or forward:
            kind = f"forward {entry['forward']}" if forward else verdict
            why = entry.get("forward_why", "") if forward else why
            trials.append(
                {"verdict": kind, "argument": entry["argument"], "why": why, "test": entry["test"]}
            )
    order = (WRONG, RIGHT, BRANCH, RAISES, NO_TENSOR, CONSTANT, NONE)
    all_ = {RAISES if v == UNCLEAR else v for own in arguments.values() for v in own["verdicts"]}
    return {
        "verdict": next(v for v in order if v in all_),
        "arguments": arguments,
        "trials": trials,
    }
