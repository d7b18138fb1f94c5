"""The CPU's fast paths, each next to the NumPy function that it replaces.

A fast path that is less than three times as fast in its best case, or much slower in others, should
be removed from `arraygrad._backends.numpy.fast_paths`. The results are compared before the timing.
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from arraygrad._backends.numpy.fast_paths import TABLE
from benchmarks._report import options, publish, table

Case = tuple[str, tuple[Any, ...]]
SIZES = (100, 10_000, 100_000, 1_000_000, 4_000_000)
rng = np.random.default_rng(0)


def _where() -> Iterator[Case]:
    for dtype in ("bool", "int16", "float32", "float64"):
        for n in SIZES:
            x, y = (rng.integers(0, 100, n).astype(dtype) for _ in range(2))
            zero = np.zeros((), dtype)
            # Several masks in turn: the processor would learn a short one by heart.
            masks = [rng.random(n) < 0.5 for _ in range(max(1, 10**6 // n))]
            halves = [np.arange(n) < n // 2]
            for label, conditions, other in (
                ("random mask", masks, y),
                ("random mask, 0", masks, zero),
                ("two halves", halves, y),
            ):
                for condition in conditions[:1] if n < 10_000 else conditions[:4]:
                    yield f"{n} {dtype}, {label}", (condition, x, other)


def _unique_values() -> Iterator[Case]:
    for dtype in ("int8", "int32", "int64"):
        for n in SIZES[:4]:
            for distinct in (10, 10**6):
                x = rng.integers(0, min(distinct, np.iinfo(dtype).max), n).astype(dtype)
                yield f"{n} {dtype}, at most {distinct} different", (x,)


def _shapes(*args: Any) -> Callable[[], Iterator[Case]]:
    return lambda: iter([("(3, 4)", (np.ones((3, 4)), *args))])


def _broadcast_to() -> Iterator[Case]:
    yield "() to (3, 4)", (np.ones(()), (3, 4))
    yield "(3, 4) to (3, 4)", (np.ones((3, 4)), (3, 4))
    yield "(4,) to (3, 4)", (np.ones(4), (3, 4))


def _count_nonzero() -> Iterator[Case]:
    for dtype in ("bool", "float64"):
        for n in SIZES[:4]:
            yield f"{n} {dtype}, all with keepdims", (rng.random(n).astype(dtype), None, True)
    yield "100 bool, all", (rng.random(100) < 0.5,)
    yield "(10, 10) bool, one axis", (rng.random((10, 10)) < 0.5, 1)


CASES: dict[str, Callable[[], Iterator[Case]]] = {
    "where": _where,
    "unique_values": _unique_values,
    "moveaxis": _shapes(0, 1),
    "broadcast_to": _broadcast_to,
    "count_nonzero": _count_nonzero,
}


def _seconds(
    functions: tuple[Callable[..., Any], ...], cases: list[tuple[Any, ...]], rounds: int
) -> list[float]:
    """The median time of a call for each function; they take turns."""
    runs = [lambda f=f: [f(*args) for args in cases] for f in functions]
    once = min(timeit.timeit(run, number=1) for run in runs)
    number = max(1, int(2e-3 / once))
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for taken, run in zip(times, runs, strict=True):
            taken.append(timeit.timeit(run, number=number) / number / len(cases))
    return [statistics.median(taken) for taken in times]


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(
        __doc__, args, lambda p: p.add_argument("operations", nargs="*", default=TABLE)
    )
    rows, gains = [], {}
    for name in chosen.operations:
        path = TABLE[name]
        groups: dict[str, list[tuple[Any, ...]]] = {}
        for label, operands in CASES[name]():
            groups.setdefault(label, []).append(operands)
        for label, cases in groups.items():
            for operands in cases:
                np.testing.assert_array_equal(path.function(*operands), path.replaces(*operands))
            ours, numpys = _seconds(
                (path.function, path.replaces), cases, 5 if chosen.quick else 21
            )
            gains[f"{name}, {label}"] = numpys / ours
            rows.append(
                [name, label, f"{numpys * 1e6:.2f}", f"{ours * 1e6:.2f}", f"{numpys / ours:.1f}"]
            )
    text = table(["operation", "case", "NumPy, µs", "fast path, µs", "gain"], rows)
    publish("Fast paths of the CPU", text, {"gain": gains}, chosen)


if __name__ == "__main__":
    main()
