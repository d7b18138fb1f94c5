"""Compare the times of two versions: ``python -m benchmarks.compare BEFORE ... -- AFTER ...``.

The files are those that ``python -m benchmarks.overhead --json FILE`` writes, several of each
version. A time is divided by NumPy's in the same run, so that another load of the machine cancels,
and the best run counts.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from benchmarks._report import table

#: Smaller changes are noise on a shared machine.
NOTABLE = 0.1


def relative(files: list[str]) -> dict[str, float]:
    """The time of each operation, relative to NumPy's."""
    runs = [json.loads(Path(file).read_text())["microseconds"] for file in files]
    common = set.intersection(*(set(run) for run in runs))
    return {
        operation: min(run[operation]["ours"] / run[operation]["numpy"] for run in runs)
        for operation in runs[0]
        if operation in common
    }


def comparison(before: dict[str, float], after: dict[str, float]) -> str:
    """A Markdown text: the median, and the operations that changed by more than `NOTABLE`."""
    ratios = {name: after[name] / before[name] for name in before if name in after}
    rows = [
        [f"`{name}`", f"{before[name]:.2f}", f"{after[name]:.2f}", f"{ratio:.2f}"]
        for name, ratio in sorted(ratios.items(), key=lambda item: -item[1])
        if abs(ratio - 1) > NOTABLE
    ]
    median = statistics.median(ratios.values())
    text = f"The median operation takes {median:.2f} × the time before ({len(ratios)} operations)."
    if not rows:
        return f"{text}\n\nNo operation changed by more than {NOTABLE:.0%}."
    return f"{text}\n\n{table(['time relative to NumPy', 'before', 'after', 'ratio'], rows)}"


def main(args: list[str]) -> None:
    """Print the comparison."""
    if args.count("--") != 1 or args[0] == "--" or args[-1] == "--":
        sys.exit("usage: python -m benchmarks.compare BEFORE ... -- AFTER ...")
    middle = args.index("--")
    print(comparison(relative(args[:middle]), relative(args[middle + 1 :])))


if __name__ == "__main__":
    main(sys.argv[1:])
