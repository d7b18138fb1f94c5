"""Overhead of one operation on three elements: NumPy, arraygrad, PyTorch, array-api-strict, JAX.

The loop over three float64 elements takes almost no time, so the overhead is measured. Every
library runs the same operation with its own functions, on one thread. The libraries take turns
batch by batch, so that other load on the machine slows all of them equally. A figure is the median
over the batches of a round; the best round counts.
"""

from __future__ import annotations

import importlib
import statistics
import sys
from collections.abc import Callable
from timeit import Timer
from typing import Any, NamedTuple

from benchmarks._report import bar, options, publish, table

#: operation -> (statement, what PyTorch writes, what JAX writes); None: the same.
Spelling = tuple[str, str | None, str | None]
OPERATIONS: dict[str, Spelling] = {
    # creation, data types
    "zeros": ("xp.zeros(3)", None, None),
    "asarray of a list": ("xp.asarray([1.0, 2.0, 3.0])", None, None),
    "astype": ("xp.astype(a, xp.float32)", "a.to(xp.float32)", None),
    # operators and elementwise functions
    "a + b": ("a + b", None, None),
    "a - b": ("a - b", None, None),
    "a * 2": ("a * 2.0", None, None),
    "2 * a": ("2.0 * a", None, None),
    "a / b": ("a / b", None, None),
    "a // b": ("a // b", None, None),
    "a ** 2": ("a ** 2.0", None, None),
    "a < b": ("a < b", None, None),
    "a == b": ("a == b", None, None),
    "-a": ("-a", None, None),
    "a += b": ("c += b", None, None),
    "abs": ("xp.abs(a)", None, None),
    "add": ("xp.add(a, b)", None, None),
    "sin": ("xp.sin(a)", None, None),
    "exp": ("xp.exp(a)", None, None),
    "sqrt": ("xp.sqrt(a)", None, None),
    "maximum": ("xp.maximum(a, b)", None, None),
    "isfinite": ("xp.isfinite(a)", None, None),
    "clip": ("xp.clip(a, 1.5, 2.5)", None, None),
    # indexing
    "a[1:]": ("a[1:]", None, None),
    "a[0]": ("a[0]", None, None),
    "m[0, ...]": ("m[0, ...]", None, None),
    "a[mask]": ("a[mask]", None, None),
    "a[1:] = 1": ("c[1:] = 1.0", None, "c = c.at[1:].set(1.0)"),
    "take": ("xp.take(a, i, axis=0)", "xp.index_select(a, 0, i)", None),
    # linear algebra, fft
    "m @ m": ("m @ m", None, None),
    "linalg.solve": ("xp.linalg.solve(m, a)", None, None),
    "linalg.inv": ("xp.linalg.inv(m)", None, None),
    "fft.fft": ("xp.fft.fft(z)", None, None),
    # manipulation
    "reshape": ("xp.reshape(a, (3, 1))", None, None),
    "permute_dims": ("xp.permute_dims(m, (1, 0))", "xp.permute(m, (1, 0))", None),
    "expand_dims": ("xp.expand_dims(a, axis=0)", "xp.unsqueeze(a, 0)", None),
    "concat": ("xp.concat([a, b])", None, None),
    "stack": ("xp.stack([a, b])", None, None),
    # searching, sorting, sets
    "argmax": ("xp.argmax(a)", None, None),
    "where": ("xp.where(mask, a, b)", None, None),
    "sort": ("xp.sort(a)", None, None),
    "unique_values": ("xp.unique_values(a)", "xp.unique(a)", None),
    # statistics, utilities
    "sum": ("xp.sum(a)", None, None),
    "sum over an axis": ("xp.sum(m, axis=0)", "xp.sum(m, dim=0)", None),
    "mean": ("xp.mean(a)", None, None),
    "max": ("xp.max(a)", None, None),
    "std": ("xp.std(a)", None, None),
    "cumulative_sum": ("xp.cumulative_sum(a)", "xp.cumsum(a, 0)", None),
    "all": ("xp.all(mask)", None, None),
    # leaving the library
    "float": ("float(s)", None, None),
}

SETUP = """
a = xp.asarray([1.0, 2.0, 3.0], dtype=xp.float64)
b = xp.asarray([3.0, 2.0, 1.0], dtype=xp.float64)
c = xp.asarray([1.0, 2.0, 3.0], dtype=xp.float64)
m = xp.asarray([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]], dtype=xp.float64)
z = xp.asarray([1.0 + 1.0j, 2.0 + 0.0j, 3.0 - 1.0j], dtype=xp.complex128)
s = xp.asarray(1.5, dtype=xp.float64)
i = xp.asarray([2, 0, 1], dtype=xp.int64)
mask = xp.asarray([True, False, True])
"""


class Library(NamedTuple):
    """A library to compare."""

    name: str
    namespace: Any
    column: int  # of a Spelling


def _configure_torch(torch: Any) -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)


def _configure_jax(_: Any) -> None:
    importlib.import_module("jax").config.update("jax_enable_x64", True)


def libraries() -> list[Library]:
    """The installed libraries, NumPy and arraygrad first."""
    peers: list[tuple[str, str, int, Callable[[Any], None] | None]] = [
        ("numpy", "numpy", 0, None),
        ("ours", "arraygrad", 0, None),
        ("torch", "torch", 1, _configure_torch),
        ("strict", "array_api_strict", 0, None),
        ("jax", "jax.numpy", 2, _configure_jax),
    ]
    found = []
    for name, module, column, configure in peers:
        try:
            namespace = importlib.import_module(module)
        except ImportError:
            print(f"{name}: not installed, left out", file=sys.stderr)
            continue
        if configure is not None:
            configure(namespace)
        found.append(Library(name, namespace, column))
    return found


def timers(library: Library) -> dict[str, Timer]:
    """One timer for each operation, in the library's spelling."""
    return {
        name: Timer(spelling[library.column] or spelling[0], SETUP, globals={"xp": library[1]})
        for name, spelling in OPERATIONS.items()
    }


def _batch_size(timer: Timer, seconds: float) -> int:
    timer.timeit(3)  # the first calls compile, import and fill caches
    number = 10
    while (taken := timer.timeit(number)) < seconds / 4:
        number *= 4
    return max(1, round(number * seconds / taken))


def measure(quick: bool) -> tuple[list[str], dict[str, dict[str, float]]]:
    """The libraries' names, and microseconds by operation and library."""
    rounds, batches, seconds = (1, 7, 1e-3) if quick else (5, 15, 2e-3)
    compared = [(library.name, timers(library)) for library in libraries()]
    sizes = {
        (operation, name): _batch_size(timer[operation], seconds)
        for operation in OPERATIONS
        for name, timer in compared
    }
    best: dict[str, dict[str, float]] = {operation: {} for operation in OPERATIONS}
    for _ in range(rounds):
        for operation, row in best.items():
            taken: dict[str, list[float]] = {name: [] for name, _ in compared}
            for _ in range(batches):
                for name, timer in compared:
                    number = sizes[operation, name]
                    taken[name].append(timer[operation].timeit(number) / number * 1e6)
            for name, times in taken.items():
                row[name] = min(statistics.median(times), row.get(name, float("inf")))
    return [name for name, _ in compared], best


def report(names: list[str], times: dict[str, dict[str, float]]) -> tuple[str, dict[str, Any]]:
    """The table with the targets, and the figures."""
    header = ["operation, µs", "numpy", "ours", "difference", *names[2:]]
    rows = []
    for operation, row in times.items():
        cells = [
            row["numpy"],
            row["ours"],
            row["ours"] - row["numpy"],
            *(row[n] for n in names[2:]),
        ]
        rows.append([operation, *(f"{x:.2f}" for x in cells)])
    added = statistics.median(row["ours"] - row["numpy"] for row in times.values())
    figures: dict[str, Any] = {"operations": len(times), "median added": round(added, 6)}
    bars = [
        bar(
            added <= 1.0,
            f"the median operation costs {added:.2f} µs more than NumPy's (at most 1.00)",
        )
    ]
    if "torch" in names:
        slower = [f"`{o}`" for o, row in times.items() if row["ours"] > row["torch"]]
        faster = len(times) - len(slower)
        figures["not slower than torch"] = faster
        bars.append(
            bar(
                faster >= 20,
                f"{faster} of {len(times)} operations cost no more than PyTorch's (at least 20)"
                f"; those that do: {', '.join(slower) or 'none'}",
            )
        )
    figures["microseconds"] = {o: {n: round(t, 6) for n, t in r.items()} for o, r in times.items()}
    return "\n".join([table(header, rows), "", *bars]), figures


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(__doc__, args)
    text, figures = report(*measure(chosen.quick))
    publish("Overhead of one operation on three elements", text, figures, chosen)


if __name__ == "__main__":
    main()
