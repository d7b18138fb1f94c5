"""Gradients by `backward` and by `grad`, compared with HIPS autograd, PyTorch and JAX.

All libraries run the same functions on the same number of cores, and must agree before they are
timed. Each has its own process, because their thread pools would disturb each other, and they
take turns, batch by batch. A figure is the median of the means of the batches. The garbage
collector stays on, as in ordinary programs.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks._report import bar, options, publish, table

OURS_BACKWARD, OURS_GRAD, HIPS, TORCH = "ours, backward", "ours, grad", "HIPS autograd", "PyTorch"
BY_HAND = "NumPy by hand"
STEPS, HIDDEN = 200, 16  # of the loop
#: How often a step of the loop calls the library, counted in `gru`; two more calls end it.
OPERATIONS = 26 * STEPS + 2
RATE = 1e-6


# ---- the functions to differentiate: function(lib, constants, *params)


def two_layers(lib: Any, constants: Any, w1: Any, w2: Any) -> Any:
    x, y = constants
    error = lib.relu(x @ w1) @ w2 - y
    return lib.xp.sum(error * error)


def two_layers_data(rng: Any) -> tuple[list[Any], list[Any]]:
    return _normal(rng, "float32", (64, 1000), (64, 10)), _normal(
        rng, "float32", (1000, 100), (100, 10)
    )


def chain(lib: Any, _: Any, v: Any) -> Any:
    xp = lib.xp
    e = xp.exp(v - xp.max(v))
    return xp.sum(xp.tanh(e) * xp.sin(v) + xp.log1p(e))


def chain_data(rng: Any) -> tuple[list[Any], list[Any]]:
    return [], _normal(rng, "float64", (10**6,))


def mlp(lib: Any, constants: Any, *params: Any) -> Any:
    x, labels = constants
    *hidden, (w, b) = zip(params[::2], params[1::2], strict=True)
    for weight, bias in hidden:
        x = lib.relu(x @ weight + bias)
    return -lib.xp.sum(labels * lib.log_softmax(x @ w + b)) / x.shape[0]


def mlp_data(rng: Any, samples: int = 256) -> tuple[list[Any], list[Any]]:
    sizes = [784, 256, 256, 256, 256, 10]
    (x,) = _normal(rng, "float32", (samples, sizes[0]))
    labels = (rng.integers(0, 10, samples)[:, None] == range(10)).astype("float32")
    params = []
    for n, m in itertools.pairwise(sizes):
        w, b = _normal(rng, "float32", (n, m), (m,))
        params += [w * (2 / n) ** 0.5, b * 0]
    return [x, labels], [p.astype("float32") for p in params]


def gru(lib: Any, constants: Any, *params: Any) -> Any:
    xp = lib.xp
    wz, uz, bz, wr, ur, br, wn, un, bn = params
    start, *inputs = constants

    def step(h: Any, x: Any) -> Any:
        z = 1 / (1 + xp.exp(-(x @ wz + h @ uz + bz)))  # 8 operations
        r = 1 / (1 + xp.exp(-(x @ wr + h @ ur + br)))  # 8
        n = xp.tanh(x @ wn + (r * h) @ un + bn)  # 6
        return (1 - z) * n + z * h  # 4

    h = lib.loop(step, start, inputs)
    return xp.sum(h * h)


def gru_data(rng: Any) -> tuple[list[Any], list[Any]]:
    shapes = [(HIDDEN, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN,)] * 3
    states = _normal(rng, "float64", *[(1, HIDDEN)] * (STEPS + 1))
    return states, [p / HIDDEN**0.5 for p in _normal(rng, "float64", *shapes)]


def rosenbrock(lib: Any, _: Any, x: Any) -> Any:
    a, b = x[:-1], x[1:]
    return lib.xp.sum(100 * (b - a**2) ** 2 + (1 - a) ** 2)


def rosenbrock_data(rng: Any) -> tuple[list[Any], list[Any]]:
    return [], _normal(rng, "float64", (1000,))


def cholesky(lib: Any, constants: Any, b: Any) -> Any:
    weights, identity = constants
    return lib.xp.sum(weights * lib.xp.linalg.cholesky(b @ b.T + identity))


def svd(lib: Any, constants: Any, b: Any) -> Any:
    xp = lib.xp
    u, s, vh = xp.linalg.svd(b, full_matrices=False)
    return xp.sum(constants[0] * ((u * xp.tanh(s)) @ vh))  # does not depend on the vectors' signs


def matrix_data(rng: Any) -> tuple[list[Any], list[Any]]:
    import numpy as np

    weights, b = _normal(rng, "float64", (200, 200), (200, 200))
    return [weights, 200.0 * np.eye(200)], [b]


def _normal(rng: Any, dtype: str, *shapes: tuple[int, ...]) -> list[Any]:
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


# ---- how


class Problem(NamedTuple):
    """A function, what is computed from it, and its data."""

    function: Callable[..., Any]
    data: Callable[[Any], tuple[list[Any], list[Any]]]  # rng -> constants, params
    kind: str = "gradient"
    tolerance: float = 1e-9  # of the results, in their largest element

    def phases(self, lib: Any) -> list[Callable[[Any], Any]]:
        """The phases of `lib`; see `_differentiators`."""
        import numpy as np

        rng = np.random.default_rng(0)
        constants, params = self.data(rng)
        if self.kind == "step":
            return lib.step(self.function, constants, params, RATE)
        if self.kind == "hvp":
            return lib.hvp(self.function, constants, params, *_normal(rng, "float64", (1000,)))
        # In two phases, if there are, where forward and backward are to be told apart.
        phases = lib.halves(self.function, constants, params) if self.kind == "halves" else []
        return phases or lib.gradient(self.function, constants, params)


PROBLEMS = {
    "two-layer step": Problem(two_layers, two_layers_data, "step", 1e-4),
    "chain, 10⁶": Problem(chain, chain_data),
    "MLP": Problem(mlp, mlp_data, tolerance=1e-4),
    "loop of 200": Problem(gru, gru_data, "halves"),
    "Hessian × vector": Problem(rosenbrock, rosenbrock_data, "hvp"),
    "cholesky": Problem(cholesky, matrix_data),
    "svd": Problem(svd, matrix_data, tolerance=1e-6),
}
#: Those whose peak memory is looked at: large enough for the arrays to be what there is to see.
MEMORY = {
    "chain, 10⁶": PROBLEMS["chain, 10⁶"],
    "MLP, batches of 1024": Problem(mlp, partial(mlp_data, samples=1024)),
}
FORWARD, BACKWARD = "loop, forward", "loop, backward"


Phases = list[Callable[[Any], Any]]


def run(phases: Phases) -> list[Any]:
    """Run all phases and return the result of the last."""
    result: Any = None
    for phase in phases:
        result = phase(result)
    return result


def timed(phases: Phases, number: int) -> list[float]:
    """Mean seconds of each phase over a number of runs, including the freeing of the results."""
    seconds = [0.0] * len(phases)
    for _ in range(number):
        result: Any = None
        for i, phase in enumerate(phases):
            start = time.perf_counter()
            result = phase(result)
            if i == len(phases) - 1:
                result = None
            seconds[i] += time.perf_counter() - start
    return [s / number for s in seconds]


# ---- what runs in the processes


def library(who: str, threads: int) -> Any:
    """The library of that name."""
    from benchmarks._differentiators import LIBRARIES

    return LIBRARIES[who][1](threads)


def serve(connection: Connection, who: str, threads: int) -> None:
    """Answer with results for the name of a problem, and with times for a number of runs."""
    import numpy as np

    lib = library(who, threads)
    phases: Phases = []
    while (asked := connection.recv()) is not None:
        if isinstance(asked, str):
            phases = PROBLEMS[asked].phases(lib)
            connection.send([np.asarray(x) for x in run(phases)])
            gc.collect()
            gc.freeze()  # the collector skips all objects that exist by now
        else:
            warm_up(partial(timed, phases, 1))
            connection.send(timed(phases, asked))


def warm_up(step: Callable[[], Any], seconds: float = 0.05) -> None:
    """Run until clocks, caches and the placement of threads are in a steady state."""
    end = time.perf_counter() + seconds
    step()
    while time.perf_counter() < end:
        step()


def send_peak(connection: Connection, who: str, threads: int, name: str) -> None:
    """Send the additional peak memory of one gradient in bytes, in this fresh process."""
    lib, problem = library(who, threads), MEMORY[name]
    run(problem.phases(lib))  # the buffers that libraries make once, such as those of products
    phases = problem.phases(lib)
    gc.collect()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # give free memory back, so that its use counts
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _status("VmRSS")
    result = run(phases)
    connection.send(_status("VmHWM") - before)
    del result


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


# ---- what asks them


class Process:
    """A fresh process that runs one of the functions above."""

    def __init__(self, function: Callable[..., None], *args: Any) -> None:
        context = get_context("spawn")
        self.connection, there = context.Pipe()
        self._process = context.Process(target=function, args=(there, *args), daemon=True)
        self._process.start()
        there.close()  # so that its end is noticed

    def ask(self, what: str | int) -> Any:
        """Send a request and return the answer."""
        self.connection.send(what)
        return self.connection.recv()

    def end(self) -> None:
        """End the process and wait for it."""
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(None)
        self._process.join()


def check(name: str, results: dict[str, list[Any]]) -> None:
    """Raise unless all results agree."""
    import numpy as np

    first, *others = results
    for who in others:
        for a, b in zip(results[first], results[who], strict=True):
            off = float(np.max(np.abs(a - b)) / np.max(np.abs(a)))
            if a.shape != b.shape or a.dtype != b.dtype or not off <= PROBLEMS[name].tolerance:
                raise SystemExit(
                    f"{name}: {first} gives {a.dtype} {a.shape}, {who} {b.dtype} {b.shape}, and "
                    f"they differ by {off:.1e}"
                )


def measure(names: Sequence[str], threads: int, quick: bool) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each phase by problem and library."""
    rounds, batch = (5, 0.02) if quick else (15, 0.1)
    processes = {who: Process(serve, who, threads) for who in names}
    times: dict[str, dict[str, list[float]]] = {}
    for name, problem in PROBLEMS.items():
        found = {w: p for w, p in processes.items() if w != BY_HAND or problem.kind == "step"}
        check(name, {who: process.ask(name) for who, process in found.items()})
        once = {who: sum(process.ask(1)) for who, process in found.items()}
        taken: dict[str, list[list[float]]] = {who: [] for who in found}
        for turn in range(rounds):
            for who, process in found.items():
                if once[who] > 5 * batch and turn % 5:
                    continue  # the slow ones, not as often
                taken[who].append(process.ask(max(1, int(batch / once[who]))))
                time.sleep(0.08)  # until its idle threads no longer spin
        times[name] = {
            who: [median(phase) * 1e3 for phase in zip(*batches, strict=True)]
            for who, batches in taken.items()
        }
    for process in processes.values():
        process.end()
    return times


def peaks(names: Sequence[str], threads: int, quick: bool) -> dict[str, dict[str, float]]:
    """MB of peak memory by problem and library; empty if the system does not report it."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        print("peak memory: this system does not tell, left out", file=sys.stderr)
        return {}
    # Arrays from this size on in memory of their own, which goes back when they are freed.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"
    found: dict[str, dict[str, float]] = {}
    for name in MEMORY:
        found[name] = {}
        for who in names:
            figures = []
            for _ in range(1 if quick else 3):
                process = Process(send_peak, who, threads, name)
                figures.append(process.connection.recv())
                process.end()
            found[name][who] = median(figures) / 1e6
    return found


# ---- report


def report(
    times: dict[str, dict[str, list[float]]], memory: dict[str, dict[str, float]]
) -> tuple[str, dict[str, Any]]:
    """The tables with the targets, and their figures."""
    names = list(dict.fromkeys(who for row in times.values() for who in row))
    rows = {name: {who: sum(t) for who, t in row.items()} for name, row in times.items()}
    per_operation: dict[str, dict[str, float]] = {}
    for i, name in enumerate((FORWARD, BACKWARD)):
        loop = times["loop of 200"]
        per_operation[name] = {
            who: t[i] * 1e3 / OPERATIONS for who, t in loop.items() if len(t) == 2
        }
    per_operation["loop, both"] = {
        who: t * 1e3 / OPERATIONS for who, t in rows["loop of 200"].items()
    }

    def lines(title: str, figures: dict[str, dict[str, float]], digits: int) -> str:
        body = [
            [name, *(f"{row[n]:.{digits}f}" if n in row else "" for n in names)]
            for name, row in figures.items()
        ]
        return table([title, *names], body)

    ratios = {n: {w: t / row[OURS_BACKWARD] for w, t in row.items()} for n, row in rows.items()}
    parts = [
        lines("ms", rows, 3),
        lines("relative to backward", ratios, 2),
        lines("µs per operation", per_operation, 2),
    ]
    if memory:
        parts.append(lines("peak memory, MB", memory, 1))
    parts.append("\n".join(bars(rows, per_operation, memory)))
    figures = {"milliseconds": rows, "microseconds an operation": per_operation, "peak MB": memory}
    return "\n\n".join(parts), _rounded(figures)


def bars(
    rows: dict[str, dict[str, float]],
    per_operation: dict[str, dict[str, float]],
    memory: dict[str, dict[str, float]],
) -> list[str]:
    """Which targets are met. The slower of our two styles counts, unless a target names one."""
    ours = (OURS_BACKWARD, OURS_GRAD)
    step = rows["two-layer step"]
    slower = max(step[o] for o in ours)
    by_hand = slower / step[BY_HAND]
    said = [bar(by_hand <= 1.15, f"two-layer step: {by_hand:.2f} × NumPy by hand (at most 1.15)")]
    if TORCH in step:
        ratio = slower / step[TORCH]
        said.append(bar(ratio <= 1, f"two-layer step: {ratio:.2f} × PyTorch (at most 1)"))
        cost = per_operation["loop, both"]
        mine, theirs = cost[OURS_BACKWARD], cost[TORCH]
        text = f"an operation of the loop: {mine:.2f} µs with backward, PyTorch {theirs:.2f}"
        said.append(bar(mine <= theirs, f"{text} (at most as much)"))
    if HIPS in step:
        times = {name: row[HIPS] / max(row[o] for o in ours) for name, row in rows.items()}
        shown = ", ".join(f"{name} {ratio:.2f}" for name, ratio in times.items())
        text = f"faster than HIPS autograd: {shown} times (each at least 1.50)"
        said.append(bar(min(times.values()) >= 1.5, text))
    for name, row in memory.items():
        if TORCH in row:
            ratio = max(row[o] for o in ours) / row[TORCH]
            text = f"{name}: peak memory {ratio:.2f} × PyTorch's (at most 1.10)"
            said.append(bar(ratio <= 1.1, text))
    return said


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {name: {who: round(x, 6) for who, x in row.items()} for name, row in group.items()}
        for key, group in figures.items()
    }


def installed() -> list[str]:
    """The names of the installed libraries."""
    from benchmarks._differentiators import LIBRARIES

    found = []
    for who, (module, _) in LIBRARIES.items():
        if find_spec(module) is None:
            print(f"{who}: not installed, left out", file=sys.stderr)
        else:
            found.append(who)
    return found


def _use(threads: int) -> None:
    """Restrict this process to so many cores, before any library counts them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)


def _more_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=2, help="cores for all of them; 2")


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(__doc__, args, _more_options)
    _use(chosen.threads)
    names = installed()
    times = measure(names, chosen.threads, chosen.quick)
    peers = [n for n in names if n != BY_HAND]
    text, figures = report(times, peaks(peers, chosen.threads, chosen.quick))
    text = f"{chosen.threads} threads\n\n{text}"
    publish("Gradients", text, {"threads": chosen.threads, **figures}, chosen)


if __name__ == "__main__":
    main()
