"""All benchmarks: ``python -m benchmarks [--quick] [--save]``.

With --save, the figures are written to benchmarks/results/, and a selection to docs/speed.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks._report import table

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "speed.md"
#: Those whose figures are in docs/speed.md, in the order of `summary`, and the others.
SUMMARISED = ("overhead", "large", "import_time", "gradients", "dropin", "distributed", "training")
BENCHMARKS = (*SUMMARISED, "vmap", "compile")
BEGIN, END = "<!-- speed:begin -->\n", "<!-- speed:end -->"
#: The operations in docs/speed.md: common ones, the cheapest and the most expensive.
SHOWN = (
    *("a + b", "sin", "clip", "a[0]", "a[mask]", "sum over an axis", "reshape", "concat"),
    "linalg.solve",
)
SHOWN_PEERS = ("ours", "torch", "strict")


def summary() -> str:
    """The summary of the saved figures in docs/speed.md."""
    overhead, large, imports, gradients, dropin, parallel, training = (
        json.loads((RESULTS / f"{name}.json").read_text()) for name in SUMMARISED
    )
    times = overhead["microseconds"]
    names = list(times[SHOWN[0]])
    rows = [[operation, *(f"{times[operation][n]:.2f}" for n in names)] for operation in SHOWN]
    ratios = [f"`{o}` {t['ours'] / t['numpy']:.2f}" for o, t in large["milliseconds"].items()]
    lines = [
        table(["µs, 3 elements", *names], rows),
        "",
        f"- The median overhead of {overhead['operations']} operations over NumPy is "
        f"{overhead['median added']:.2f} µs.",
    ]
    if "not slower than torch" in overhead:
        lines.append(
            f"- {overhead['not slower than torch']} of the {overhead['operations']} operations are "
            "no slower than in PyTorch."
        )
    lines += [
        f"- Time relative to NumPy on ten million elements: {'; '.join(ratios)}. The peak memory "
        f"of `a + b` is {large['peak memory']:.2f} × the size of its result.",
        f"- `import arraygrad` takes {imports['ratio']:.2f} × the time of importing only NumPy and "
        "array-api-compat.",
        f"- {_of_libraries(dropin['microseconds and ratios'])}",
        f"- Data-parallel training with two worker processes has {parallel['throughput']:.2f} × "
        "the throughput of one, if the gradient takes most of the time.",
        "",
        "Milliseconds for a gradient (the two-layer step includes the update of the weights):",
        "",
        _milliseconds(gradients["milliseconds"]),
        "",
        "Milliseconds for a training step:",
        "",
        _milliseconds(training["milliseconds"]),
        "",
        f"{overhead['machine']['processor']}; "
        + ", ".join(f"{k} {v}" for k, v in overhead["machine"].items() if k != "processor")
        + ".",
    ]
    return "\n".join(lines)


def _of_libraries(sizes: dict[str, dict[str, dict[str, float]]]) -> str:
    calls = len(next(iter(sizes.values())))
    said = []
    for size, rows in sizes.items():
        middle = {who: statistics.median(row[who] for row in rows.values()) for who in SHOWN_PEERS}
        ratios = ", ".join(f"{who} {ratio:.2f}" for who, ratio in middle.items())
        said.append(f"{ratios} with {int(size):,} elements")
    return (
        f"{calls} functions of SciPy and scikit-learn, median time relative to NumPy arrays: "
        f"{', and '.join(said)}."
    )


def _milliseconds(rows: dict[str, dict[str, float]]) -> str:
    names = list(dict.fromkeys(who for row in rows.values() for who in row))
    body = [[p, *(f"{row[n]:.2f}" if n in row else "" for n in names)] for p, row in rows.items()]
    return table(["ms", *names], body)


def main() -> None:
    """Run the benchmarks, each in its own process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, for a first look")
    parser.add_argument("--save", action="store_true", help="write results/ and docs/speed.md")
    chosen = parser.parse_args()
    for name in BENCHMARKS:
        args = ["--quick"] if chosen.quick else []
        if chosen.save:
            args += ["--json", f"{RESULTS / name}.json", "--markdown", f"{RESULTS / name}.md"]
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *args], check=True)
    if chosen.save:
        before, begin, rest = PAGE.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            raise SystemExit(f"{PAGE.name} lacks the lines {BEGIN.strip()} and {END}")
        PAGE.write_text(f"{before}{begin}{summary()}\n{end}{after}")


if __name__ == "__main__":
    main()
