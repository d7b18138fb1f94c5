"""Data parallelism: two worker processes compared with one, and the overhead of a step.

Every worker and its NumPy use one thread. One worker and two workers compute the same two shards of
the same batch, and take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from dask.distributed import Client, LocalCluster

import arraygrad as xp
from arraygrad import autodiff, distributed
from benchmarks._report import bar, options, publish, table

PARTS = 2
#: Samples and width: one where computing takes most of the time, one where it takes none.
SIZES = {"compute-bound": (16384, 384), "nothing to compute": (PARTS, 4)}


def _loss(params: Any, x: Any, y: Any) -> Any:
    return xp.mean((xp.maximum(x @ params[0], 0.0) @ params[1] - y) ** 2)


def _data(samples: int, width: int) -> tuple[Any, Any, Any]:
    rng = xp.random.default_rng(0)
    params = [rng.standard_normal((width, width)) * width**-0.5 for _ in range(2)]
    x, y = (rng.standard_normal((samples, width)) for _ in range(2))
    return params, x, y


def _steps(clients: dict[str, Client | None], size: str) -> dict[str, Callable[[], Any]]:
    """A step of each way."""
    params, x, y = _data(*SIZES[size])
    gradient = distributed.value_and_grad(_loss)

    def step(client: Client | None) -> Callable[[], Any]:
        shards = [distributed.shard(a, PARTS, client=client) for a in (x, y)]
        return lambda: gradient(params, *shards)

    steps = {name: step(client) for name, client in clients.items()}
    return steps | {"whole batch": lambda: autodiff.value_and_grad(_loss)(params, x, y)}


def _largest_difference(found: Any, expected: Any) -> float:
    """The largest difference of value and gradients, relative to the largest element of each."""
    pairs = zip((found[0], *found[1]), (expected[0], *expected[1]), strict=True)
    return max(float(xp.max(xp.abs(a - b)) / xp.max(xp.abs(b))) for a, b in pairs)


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(__doc__, args)
    times: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        clients: dict[str, Client | None] = {}
        for name, n in (("one worker", 1), ("two workers", 2)):
            cluster = LocalCluster(
                n_workers=n, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            )
            clients[name] = stack.enter_context(Client(stack.enter_context(cluster)))
        clients["threads"] = None
        for size in SIZES:
            steps = _steps(clients, size)
            results = {name: step() for name, step in steps.items()}  # the first calls load
            if size == "compute-bound":
                expected = results["whole batch"]
                difference = max(_largest_difference(r, expected) for r in results.values())
            taken: dict[str, list[float]] = {name: [] for name in steps}
            for _ in range(5 if chosen.quick else 25):
                for name, step in steps.items():
                    start = time.perf_counter()
                    step()
                    taken[name].append((time.perf_counter() - start) * 1e3)
            times[size] = {name: statistics.median(t) for name, t in taken.items()}
    ratio = times["compute-bound"]["one worker"] / times["compute-bound"]["two workers"]
    names = list(times["compute-bound"])
    rows = [[size, *(f"{t[name]:.1f}" for name in names)] for size, t in times.items()]
    bars = [
        bar(ratio >= 1.6, f"two workers have {ratio:.2f} × the throughput of one (at least 1.6)"),
        bar(difference <= 1e-12, f"gradients differ by {difference:.1e} (at most 1e-12)"),
    ]
    text = "\n".join([table(["a step, ms", *names], rows), "", *bars])
    figures = {
        "throughput": round(ratio, 6),
        "difference": difference,
        "milliseconds": {s: {n: round(t, 6) for n, t in row.items()} for s, row in times.items()},
    }
    publish("Data parallelism", text, figures, chosen)


if __name__ == "__main__":  # the workers import this file
    main()
