"""Time of ``import arraygrad``, compared with importing only its dependencies.

Each import runs in a fresh process, which measures itself; the two take turns. CuPy, which takes
seconds to import, must not be imported until a CUDA device is named.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks._report import bar, options, publish, table

IMPORTS = {
    "numpy, array_api_compat.numpy": "import numpy, array_api_compat.numpy",
    "arraygrad": "import arraygrad",
}

_TIMED = """
import time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""

# Counts the attempts, so that it also says something where CuPy is not installed.
_WATCHED = """
import sys

class Watch:
    tried = 0

    def find_spec(self, name, path=None, target=None):
        self.tried += name == "cupy"

sys.meta_path.insert(0, watch := Watch())
import arraygrad
print(watch.tried)
"""


def _child(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(__doc__, args)
    taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for turn in range(6 if chosen.quick else 31):
        for name, statement in IMPORTS.items():
            seconds = float(_child(_TIMED.format(statement=statement)))
            if turn:  # the first fills the caches of bytecode and disk
                taken[name].append(seconds * 1e3)
    cupy = int(_child(_WATCHED)) > 0
    times = {name: statistics.median(t) for name, t in taken.items()}
    ratio = times["arraygrad"] / times["numpy, array_api_compat.numpy"]
    rows = [[name, f"{t:.1f}"] for name, t in times.items()]
    bars = [
        bar(ratio <= 1.3, f"ratio {ratio:.2f} (at most 1.30)"),
        bar(not cupy, "CuPy is not imported"),
    ]
    text = "\n".join([table(["import, ms", "median"], rows), "", *bars])
    milliseconds = {name: round(t, 6) for name, t in times.items()}
    figures = {"ratio": round(ratio, 6), "cupy imported": cupy, "milliseconds": milliseconds}
    publish("Time of the import", text, figures, chosen)


if __name__ == "__main__":
    main()
