"""Time on ten million elements relative to NumPy, and the peak memory of an addition.

At this size, only the loops over the elements should matter. The two libraries take turns, each
first as often as second; the ratio is that of the medians.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import arraygrad
from benchmarks._report import options, publish, table

SIZE = 10**7
SIDE = 2000

#: operation -> the function of (namespace, operands) that performs it
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda xp, v: v["a"] + v["b"],
    "a + b, float32 and float64": lambda xp, v: v["single"] + v["b"],
    "a // b": lambda xp, v: v["a"] // v["b"],
    "sin": lambda xp, v: xp.sin(v["a"]),
    "sum": lambda xp, v: xp.sum(v["a"]),
    "mean": lambda xp, v: xp.mean(v["a"]),
    "std": lambda xp, v: xp.std(v["a"]),
    "a[mask]": lambda xp, v: v["a"][v["mask"]],
    "sort": lambda xp, v: xp.sort(v["a"]),
    "sort, stable=False": lambda xp, v: xp.sort(v["a"], stable=False),
    f"matmul {SIDE} × {SIDE}": lambda xp, v: v["m"] @ v["m"],
}


def operands() -> dict[str, Any]:
    """NumPy's operands; ours share their memory."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal(SIZE)
    return {
        "a": a,
        "b": rng.uniform(1.0, 2.0, SIZE),
        "single": a.astype(np.float32),
        "mask": a > 0,
        "m": rng.standard_normal((SIDE, SIDE)),
    }


def _seconds(function: Callable[[Any, Any], Any], xp: Any, values: dict[str, Any]) -> float:
    start = time.perf_counter()
    result = function(xp, values)
    taken = time.perf_counter() - start
    del result  # its memory goes back to the system outside the measurement
    return taken


def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds by operation and library."""
    theirs = operands()
    ours = {name: arraygrad.from_numpy(x) for name, x in theirs.items()}
    sides = [("numpy", np, theirs), ("ours", arraygrad, ours)]
    found: dict[str, dict[str, float]] = {}
    for operation, function in OPERATIONS.items():
        taken: dict[str, list[float]] = {"numpy": [], "ours": []}
        for _, xp, values in sides:
            _seconds(function, xp, values)
        for _ in range(repeats):
            for name, xp, values in sides:
                taken[name].append(_seconds(function, xp, values))
            sides.reverse()
        found[operation] = {name: statistics.median(t) * 1e3 for name, t in taken.items()}
    return found


def peak_memory() -> float:
    """Peak memory of ``a + b``, in sizes of its result."""
    a, b = arraygrad.ones(SIZE), arraygrad.ones(SIZE)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = a + b
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return peak / (result.size * result.dtype.itemsize)


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(__doc__, args)
    # Whole turns of both orders: an even number of repeats.
    times = measure(2 if chosen.quick else 10)
    rows = [
        [name, f"{t['numpy']:.1f}", f"{t['ours']:.1f}", f"{t['ours'] / t['numpy']:.2f}"]
        for name, t in times.items()
    ]
    peak = peak_memory()
    text = table(["operation, ms", "numpy", "ours", "ratio"], rows)
    text += f"\n\n- peak memory of `a + b`: {peak:.2f} × its result"
    figures = {
        "peak memory": round(peak, 6),
        "milliseconds": {o: {n: round(x, 6) for n, x in t.items()} for o, t in times.items()},
    }
    publish(f"Time on {SIZE:,} elements", text, figures, chosen)


if __name__ == "__main__":
    main()
