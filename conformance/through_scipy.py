"""Checks the gradients of SciPy and scikit-learn functions on the calls of their own tests.

A call is differentiated with respect to each floating-point tensor among its arguments, and
compared with difference quotients.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import arraygrad

from .libraries import SCIPY, SKLEARN, Library, about, run_tests
from .official import Run, load, positive
from .report import REPORTS, SetupError, digest, path_of, place, table, write
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

#: For each function the verdicts on its arguments, with the test that made the call.
Found = dict[str, list[dict[str, Any]]]

#: The modules whose functions are checked, by the subpackage whose tests call them.
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
    "spatial": ("scipy.spatial.distance", "scipy.spatial.transform"),
    "special": ("scipy.special",),
    "stats": ("scipy.stats",),
    SKLEARN.module: (
        *("sklearn.metrics", "sklearn.metrics.pairwise", "sklearn.preprocessing"),
        *("sklearn.decomposition", "sklearn.linear_model", "sklearn.mixture"),
        *("sklearn.discriminant_analysis", "sklearn.naive_bayes", "sklearn.kernel_approximation"),
        *("sklearn.calibration", "sklearn.utils.extmath"),
    ),
}

#: The verdict on a function is the first of these that one of its calls has.
ORDER = (WRONG, RIGHT, BRANCH, UNCLEAR, RAISES, NO_TENSOR, CONSTANT, NONE)
#: Names of the columns.
COLUMNS = {
    RIGHT: "Right",
    BRANCH: "Special values",
    RAISES: "Raises",
    NO_TENSOR: "Not a tensor",
    CONSTANT: "Constant",
    WRONG: "Wrong",
    NONE: "Undetermined",
}
NAMES = {"arraygrad": "arraygrad", "torch": "PyTorch"}
OTHERS = {
    BRANCH: "Called only at special values",
    NO_TENSOR: "Return numbers or NumPy arrays",
    CONSTANT: "Constant, such as ranks and counts",
    NONE: "Undetermined",
}

ABOUT = """\
This page lists the functions of SciPy and scikit-learn that can be differentiated.
`python -m conformance gradients-through-scipy` writes it, on `{device}`, by running the
libraries' own tests. If a test calls a public function with floating-point tensors and the result
is floating-point, too, the function is differentiated at the same call with respect to each of
these arguments, in reverse and forward mode, and compared with difference quotients. The same
holds for the methods of scikit-learn's estimators, of interpolators and of rotations; *self*
stands for the tensors in the object. PyTorch is measured in the same way, in reverse mode."""

VERDICTS = """\
- *Right*: right with respect to at least one argument, and wrong with respect to none.
- *Special values*: the tests call the function only at values for which the code has a separate
  branch, such as `if a[0] == 1` or orthogonal matrices, and this branch neglects part of the
  dependence on them. The derivatives at neighbouring values are right.
- *Raises*: an error says that the gradient is not known or would be lost, mostly because the
  library calls compiled code on NumPy's memory, or reads a number with `float` and continues with
  it.
- *Not a tensor*: the results are Python numbers or NumPy arrays, which cannot be differentiated.
- *Constant*: the difference quotients and the gradient are zero.
- *Undetermined*: the tests call the function only at kinks or with non-finite values, or the
  results are random or not reproducible."""

PAGE = Path(__file__).parents[1] / "docs" / "differentiable-scipy.md"


def add_parser(subjects: Any) -> None:
    """Add ``gradients-through-scipy`` to the command line."""
    parser = subjects.add_parser(
        "gradients-through-scipy", help="gradients of SciPy functions", description=__doc__
    )
    add = parser.add_argument
    add("subpackages", nargs="*", metavar="SUBPACKAGE", help="run only these, without a report")
    add("--device", default="cpu", help="the device of the tensors (cpu)")
    add("--backend", choices=tuple(LIBRARIES), default="arraygrad", help="a library to compare")
    add("-n", "--workers", type=positive, metavar="N", help="processes (one per core; 1 on a GPU)")
    add("--report", type=Path, default=REPORTS, metavar="DIR", help="folder of the reports")
    add("--kept", type=Path, metavar="DIR",
        help="try one subpackage after the other and keep what each shows; a run that was ended "
        "goes on there")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the gradients, write the report, and return whether any is wrong."""
    where = place(args.device)
    path = path_of(args.report, "through-scipy", where)
    load(path)  # fail before the tests run, if the report is unreadable
    chosen = args.subpackages or list(MODULES)
    of_scipy = [name for name in chosen if name != SKLEARN.module]
    parts = [
        (library, argparse.Namespace(**vars(args) | {"subpackages": names}))
        for library, names in (
            *((SCIPY, names) for names in ([[n] for n in of_scipy] if args.kept else [of_scipy])),
            (SKLEARN, list(SKLEARN.subpackages) if SKLEARN.module in chosen else []),
        )
        if names
    ]
    result: Run = {}
    for library, part in parts:
        made = about(library, part)
        result = made | {"versions": result.get("versions", {}) | made["versions"]}
    print("Tests that count the calls of a function fail here: each is called more often.")
    found: Found = {}
    for library, part in parts:
        modules = [module for name in chosen for module in MODULES[name]]
        modules = [m for m in modules if m.startswith(library.module)]
        for name, entries in known_or_tried(library, part, modules).items():
            found.setdefault(name, []).extend(entries)
    result["functions"] = {name: summary(entries) for name, entries in sorted(found.items())}
    if not args.subpackages:
        runs = load(path) | {args.backend: result}
        runs = {name: runs[name] for name in LIBRARIES if name in runs}
        content = {"device": where, "runs": runs}
        write(path.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
        page = PAGE if (args.report, where) == (REPORTS, "cpu") else path.with_suffix(".md")
        write(page, markdown(where, runs))
        print(f"report: {path}.json; page: {page}")
    return say(result)


def say(result: Run) -> int:
    """Print what is wrong or unclear, and the counts."""
    for name, found in result["functions"].items():
        for trial in found["trials"]:
            print(
                f"{trial['verdict']}: {name}, {trial['argument']}: {trial['why']} ({trial['test']})"
            )
    counts = counted(result)
    print(", ".join(f"{count} {COLUMNS[verdict].lower()}" for verdict, count in counts.items()))
    return 1 if counts[WRONG] or not counts[RIGHT] else 0


def known_or_tried(library: Library, args: argparse.Namespace, modules: list[str]) -> Found:
    """The verdicts of an earlier run of the same sources, or else those of a new run."""
    if args.kept is None:
        return tried(library, args, modules)
    name = f"{args.backend}-{library.module}-{'-'.join(args.subpackages)}"
    path = path_of(args.kept, name, place(args.device)).with_suffix(".json")
    made_with = {"sources": digest(Path(arraygrad.__file__).parent), "modules": modules}
    made_with["versions"] = about(library, args)["versions"]
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["made with"] == made_with:
            found: Found = kept["found"]
            return found
    found = tried(library, args, modules)
    write(path, json.dumps({"made with": made_with, "found": found}))
    return found


def tried(library: Library, args: argparse.Namespace, modules: list[str]) -> Found:
    """Run the tests; return the verdicts on the arguments of each function."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {
            "ARRAYGRAD_CONFORMANCE_FOLDER": folder,
            "ARRAYGRAD_CONFORMANCE_MODULES": " ".join(modules),
        }
        # The tests of one file stay together, so that each run checks the same calls.
        options = ["-p", "conformance.through_scipy_plugin", "--dist", "loadfile", "--no-summary"]
        run_tests(library, args, options, variables)
        found: Found = {}
        for path in sorted(Path(folder).glob("found-*.json")):
            for name, entries in json.loads(path.read_text(encoding="utf-8")).items():
                found.setdefault(name, []).extend(entries)
    for problem in found.get(BROKEN, []):
        raise SetupError(f"{problem['test']} could not be tried; {problem['why']}")
    return {name: entries for name, entries in found.items() if entries}


def summary(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarise a function: the verdicts on each argument, and the reasons."""
    arguments: dict[str, dict[str, Any]] = {}
    trials: list[dict[str, str]] = []
    for entry in sorted(entries, key=lambda e: (e["test"], e["argument"])):
        verdict, why = entry["reverse"], entry.get("why", "")
        if entry.get("forward") == WRONG != verdict:
            verdict, why = WRONG, entry["forward_why"]
        own = arguments.setdefault(entry["argument"], {"verdicts": {}, "why": []})
        own["verdicts"][verdict] = own["verdicts"].get(verdict, 0) + 1
        if verdict in (RAISES, UNCLEAR) and reason(why) not in own["why"]:
            own["why"].append(reason(why))
        if verdict == RIGHT and entry.get("forward") in (RAISES, UNCLEAR):
            own["forward"] = reason(entry["forward_why"])
        seen = {(trial["argument"], trial["verdict"]) for trial in trials}
        if verdict in (WRONG, BRANCH, UNCLEAR) and (entry["argument"], verdict) not in seen:
            keys = ("argument", "test")
            trials.append({k: entry[k] for k in keys} | {"verdict": verdict, "why": why})
    all_ = {v for own in arguments.values() for v in own["verdicts"]}
    verdict = next(v for v in ORDER if v in all_)
    return {"verdict": verdict, "arguments": arguments, "trials": trials}


def reason(why: str) -> str:
    """An error, shortened for a table."""
    kind, _, text = why.partition(": ")
    name, _, text = text.partition(": ")
    text = re.split(r"[;.] ", text)[0]
    if text.startswith("the gradient would be lost"):
        return "NumPy or compiled code" if name == "__array__" else f"read by `{name}`"
    if match := re.match(r"not differentiable(?: (?:by|with respect to) \w+)?: (.*)", text):
        return match[1]
    return f"{kind}: {name}"


# ---- the page


def counted(result: Run, module: str = "") -> dict[str, int]:
    """The number of functions with each verdict, in one module or in all."""
    found = Counter(
        function["verdict"]
        for name, function in result["functions"].items()
        if module in ("", module_of(name))
    )
    found[RAISES] += found[UNCLEAR]
    return {verdict: found[verdict] for verdict in COLUMNS}


def module_of(name: str) -> str:
    """The public module of a function, or of a class with a method."""
    modules = [m for part in MODULES.values() for m in part if name.startswith(f"{m}.")]
    return max(modules, key=len, default=name.rpartition(".")[0])


def markdown(device: str, runs: dict[str, Run]) -> str:
    """The page on what can be differentiated."""
    ours = runs["arraygrad"]
    rows = [[NAMES[name], *counted(result).values()] for name, result in runs.items()]
    names = {name for result in runs.values() for name in result["functions"]}
    modules = sorted({module_of(name) for name in names})
    by_module = [
        [f"`{module}`", *(counted(result, module)[RIGHT] for result in runs.values())]
        for module in modules
    ]
    parts = [
        "# What can be differentiated",
        ABOUT.format(device=device),
        table(["Library", *COLUMNS.values()], rows),
        VERDICTS,
        "The number of right functions by module:",
        table(["Module", *(NAMES[name] for name in runs)], by_module),
    ]
    for module in modules:
        inside = {
            name.removeprefix(f"{module}."): function
            for name, function in ours["functions"].items()
            if module_of(name) == module
        }
        if inside:
            parts += [f"## {module}", *listing(module, inside)]
    return "\n\n".join(parts) + "\n"


def listing(module: str, functions: dict[str, Any]) -> list[str]:
    """A table of the right functions of a module, and lists of the others by reason."""
    rows, others = [], dict[str, list[str]]()
    for name, function in sorted(functions.items()):
        arguments = function["arguments"]
        if function["verdict"] in (RIGHT, WRONG):
            by = [f"`{a}`" for a, own in arguments.items() if RIGHT in own["verdicts"]]
            rows.append([f"`{module}.{name}`", ", ".join(by), "; ".join(notes(arguments))])
            continue
        whys = dict.fromkeys(why for own in arguments.values() for why in own["why"])
        title = {RAISES: f"Raise: {', '.join(whys)}", UNCLEAR: f"Raise: {', '.join(whys)}",
                 **OTHERS}[function["verdict"]]  # fmt: skip
        others.setdefault(title, []).append(f"`{name}`")
    parts = []
    if rows:
        parts.append(table(["Function", "With respect to", "Exceptions"], rows))
    if others:
        parts.append(
            "\n".join(f"- {title}: {', '.join(names)}" for title, names in sorted(others.items()))
        )
    return parts


def notes(arguments: dict[str, Any]) -> list[str]:
    """The exceptions of a function that can be differentiated."""
    found: dict[str, list[str]] = {}
    for name, own in arguments.items():
        verdicts = own["verdicts"]
        if RAISES in verdicts or UNCLEAR in verdicts:
            raises = "some calls raise" if RIGHT in verdicts else "raises"
            found.setdefault(f"{raises} ({', '.join(own['why'])})", []).append(name)
        if "forward" in own:
            found.setdefault(f"not in forward mode ({own['forward']})", []).append(name)
        for verdict, text in (
            (WRONG, "**wrong** in some calls" if RIGHT in verdicts else "**wrong**"),
            (BRANCH, "not at special values"),
            (NO_TENSOR, "not a tensor"),
        ):
            if verdict in verdicts:
                found.setdefault(text, []).append(name)
        if set(verdicts) <= {CONSTANT, NONE} and CONSTANT in verdicts:
            found.setdefault("constant", []).append(name)
    return [f"{', '.join(f'`{n}`' for n in names)}: {text}" for text, names in found.items()]
