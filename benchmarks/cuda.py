"""Times on a GPU: one operation, steps of training, compiled functions, products, transfers.

CuPy and PyTorch are measured, too, if they are installed. The libraries take turns; a figure is
the median of the batches. The benchmark waits for the GPU only at the end of a batch, so the time
of an operation on three elements is the time on the host. With ``--log FILE``, each figure is added
to the file as soon as it is known, and figures in the file are not measured again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cupy
import numpy as np

import arraygrad
from benchmarks import compile as compiled
from benchmarks import training
from benchmarks.overhead import OPERATIONS, SETUP

#: Runs something so many times.
Loop = Callable[[int], None]
Loops = dict[str, Callable[[], Loop]]

OVERHEAD = (
    *("a + b", "a * 2", "a ** 2", "a < b", "-a", "a += b", "sin", "exp", "maximum", "clip"),
    *("a[1:]", "a[0]", "take", "m @ m", "linalg.solve", "fft.fft", "reshape", "expand_dims"),
    *("concat", "stack", "argmax", "where", "sort", "sum", "sum over an axis", "mean", "std"),
)


class Sizes:
    """The sizes of the large operands."""

    def __init__(self, quick: bool) -> None:
        self.side = 256 if quick else 8192
        self.elements = 2**12 if quick else 2**26
        self.batches, self.seconds = (3, 2e-3) if quick else (9, 1e-2)
        # An emulation takes seconds for a product in a graph, which cuBLAS does not compute there.
        last = ("classifier", training.classifier) if quick else ("MLP", training.mlp)
        self.networks = ("two layers", training.two_layers), last
        # (An emulation takes long to compile the kernels of the other functions.)
        self.functions = (compiled.hessian_vector,)
        if not quick:
            self.functions += compiled.rk4, compiled.loop


# ---- libraries


def has_torch() -> bool:
    """Whether PyTorch and a GPU are available."""
    if find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def torch_on_gpu() -> Any:
    """PyTorch, which makes its tensors on the GPU."""
    import torch

    torch.set_default_device("cuda")
    return torch


def wait() -> None:
    """Wait until all queued work on the GPU is done."""
    cupy.cuda.Device().synchronize()


# ---- measuring


def repeated(function: Callable[[], Any]) -> Loop:
    """The function, many times."""

    def loop(number: int) -> None:
        for _ in range(number):
            function()

    return loop


def measure(loops: Loops, sizes: Sizes) -> dict[str, Any]:
    """Seconds per call for each library, or the error if it cannot be measured."""
    found: dict[str, Any] = {}
    ready: dict[str, tuple[Loop, int]] = {}
    for name, make in loops.items():
        try:
            loop = make()
            timed(loop, 3)  # compiles kernels, fills memory pools
            number = 1
            while (taken := timed(loop, number)) < sizes.seconds / 4 and number < 10_000:
                number *= 4
            ready[name] = loop, max(1, round(number * sizes.seconds / taken))
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"[:200]
    batches: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(sizes.batches):
        for name, (loop, number) in ready.items():
            batches[name].append(timed(loop, number) / number)
    medians = {name: statistics.median(times) for name, times in batches.items()}
    return {name: found.get(name, medians.get(name)) for name in loops}


def timed(loop: Loop, number: int) -> float:
    """Seconds for a number of calls, including the wait for the last."""
    wait()
    began = time.perf_counter()
    loop(number)
    wait()
    return time.perf_counter() - began


# ---- the cases: figure, row, loops, and the conversion from seconds to a figure

Case = tuple[str, str, Loops, Callable[[float], float]]


def cases(sizes: Sizes) -> Iterator[Case]:
    """All cases, the most informative first."""
    yield from overhead()
    yield from steps(sizes.networks)
    yield from programs(sizes.functions)
    yield from products(sizes.side)
    yield chain(sizes.elements)
    yield from transfers(sizes.elements)


def overhead() -> Iterator[Case]:
    """One operation on three elements."""

    def spelled(namespace: Callable[[], Any], statement: str) -> Callable[[], Loop]:
        def make() -> Loop:
            names: dict[str, Any] = {"xp": namespace()}
            body = f"def loop(number):\n    for _ in range(number):\n        {statement}"
            exec(SETUP + body.replace("c += b", "global c; c += b"), names)
            loop: Loop = names["loop"]
            return loop

        return make

    for name in OVERHEAD:
        ours, torchs, _ = OPERATIONS[name]
        loops = {"ours": spelled(lambda: arraygrad, ours), "CuPy": spelled(lambda: cupy, ours)}
        if has_torch():
            loops["PyTorch"] = spelled(torch_on_gpu, torchs or ours)
        yield "Operation, µs", name, loops, lambda seconds: 1e6 * seconds


class Ours(training.Ours):
    """arraygrad on the GPU."""

    def array(self, x: Any) -> Any:
        """Tensor with its own memory."""
        return self.xp.asarray(x, device="cuda", copy=True)


class Torch(training.Torch):
    """PyTorch on the GPU."""

    def array(self, x: Any) -> Any:
        """Tensor with its own memory."""
        return torch_on_gpu().from_numpy(np.copy(x)).to("cuda")


def captured(step: Callable[[], Any]) -> Loop:
    """The step captured as a CUDA graph with its own memory pool."""
    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    wait()
    with stream, cupy.cuda.using_allocator(pool.malloc):
        for _ in range(3):
            step()
        stream.begin_capture()
        try:
            step()
        finally:
            graph = stream.end_capture()
    kept = pool, step  # the graph uses their memory
    return repeated(lambda: graph.launch(stream) if kept else None)


def steps(networks: Iterable[tuple[str, Callable[[Any], training.Step]]]) -> Iterator[Case]:
    """Steps of training, eager and as a graph."""
    for name, step in networks:
        loops: Loops = {
            "ours": lambda step=step: repeated(step(Ours("float32"))),
            "ours, as a graph": lambda step=step: captured(step(Ours("float32"))),
        }
        if has_torch():
            loops["PyTorch"] = lambda step=step: repeated(step(Torch("float32")))
        yield "Step of training, ms", name, loops, lambda seconds: 1e3 * seconds


class Eager(compiled.Ours):
    """Functions of arraygrad on the GPU, as they are."""

    def array(self, x: Any) -> Any:
        """A tensor."""
        return self.xp.asarray(np.array(x), device="cuda")


class Compiled(Eager):
    """Compiled functions, with or without CUDA graphs."""

    def __init__(self, cuda_graph: bool) -> None:
        super().__init__()
        self._cuda_graph = cuda_graph

    def compile(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is timed."""
        out: Callable[..., Any] = self.xp.compile(f, cuda_graph=self._cuda_graph)
        return out


def programs(functions: Iterable[Callable[[Any], Any]]) -> Iterator[Case]:
    """Functions of many small operations: eager, compiled, and as a graph."""

    def made(function: Callable[[Any], Any], lib: Any) -> Loop:
        f, arguments = function(lib)
        tensors = [lib.array(x) for x in arguments]
        return repeated(lambda: f(*tensors))

    for function in functions:
        loops: Loops = {
            "ours": lambda f=function: made(f, Eager()),
            "compiled": lambda f=function: made(f, Compiled(False)),
            "compiled, as a graph": lambda f=function: made(f, Compiled(True)),
        }
        row = (function.__doc__ or "").rstrip(".")
        yield "Compiled function, µs", row, loops, lambda seconds: 1e6 * seconds


def everywhere(x: Any) -> dict[str, Callable[[], tuple[Any, Any]]]:
    """The namespace of each library, and an array of these numbers."""
    found: dict[str, Callable[[], tuple[Any, Any]]] = {
        "ours": lambda: (arraygrad, arraygrad.asarray(x, device="cuda")),
        "CuPy": lambda: (cupy, cupy.asarray(x)),
    }
    if has_torch():
        found["PyTorch"] = lambda: (torch_on_gpu(), torch_on_gpu().from_numpy(x).to("cuda"))
    return found


def products(side: int) -> Iterator[Case]:
    """Square matrices."""
    for dtype in ("float32", "float64"):
        x = np.random.default_rng(0).random((side, side), dtype=dtype)

        def product(make: Callable[[], tuple[Any, Any]]) -> Loop:
            _, a = make()
            return repeated(lambda: a @ a)

        loops: Loops = {
            name: lambda make=make: product(make) for name, make in everywhere(x).items()
        }
        row = f"{dtype}, {side} × {side}"
        yield "Matrix product, TFLOP/s", row, loops, lambda seconds: 2 * side**3 / seconds / 1e12


def chain(elements: int) -> Case:
    """Eight elementwise operations, which read one array and write one."""

    def formula(xp: Any, x: Any) -> Any:
        return xp.exp(-x * x) * xp.sin(x) + xp.sqrt(xp.abs(x))

    def eager(make: Callable[[], tuple[Any, Any]]) -> Loop:
        xp, x = make()
        return repeated(lambda: formula(xp, x))

    def fused() -> Loop:
        def in_one(x: Any) -> Any:
            return formula(cupy, x)

        function, x = cupy.fuse(in_one), cupy.asarray(numbers)
        return repeated(lambda: function(x))

    numbers = np.random.default_rng(0).standard_normal(elements).astype("float32")
    loops: Loops = {
        name: lambda make=make: eager(make) for name, make in everywhere(numbers).items()
    }
    loops["CuPy, fused"] = fused
    row = f"float32, {elements:,} elements"
    return "Chain of operations, GB/s", row, loops, lambda seconds: 8 * elements / seconds / 1e9


def transfers(elements: int) -> Iterator[Case]:
    """Transfers between the host and the GPU, with pinned and pageable memory."""
    import cupyx

    plain, pinned = np.ones(elements, "float32"), cupyx.empty_pinned(elements, "float32")
    pinned[...] = plain

    def there(name: str, source: Any) -> Loop:
        if name == "ours":
            tensor = arraygrad.from_numpy(source)
            return repeated(lambda: tensor.to_device("cuda"))
        if name == "CuPy":
            return repeated(lambda: cupy.asarray(source))
        on_cpu = torch_on_gpu().from_numpy(source)
        return repeated(lambda: on_cpu.to("cuda"))

    for row, source in (("to the GPU", plain), ("to the GPU, pinned", pinned)):
        loops: Loops = {
            name: lambda name=name, source=source: there(name, source) for name in everywhere(plain)
        }
        yield "Transfer, GB/s", row, loops, lambda seconds: 4 * elements / seconds / 1e9

    def back(make: Callable[[], tuple[Any, Any]], method: str) -> Loop:
        _, x = make()
        return repeated(getattr(x, method))

    methods = {"ours": "numpy", "CuPy": "get", "PyTorch": "cpu"}
    loops = {
        name: lambda name=name, make=make: back(make, methods[name])
        for name, make in everywhere(plain).items()
    }
    yield "Transfer, GB/s", "to the host", loops, lambda seconds: 4 * elements / seconds / 1e9


# ---- the command


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small arrays, fewer repeats")
    parser.add_argument("--log", type=Path, metavar="FILE", help="add the figures there")
    chosen = parser.parse_args(args)
    before = set()
    if chosen.log and chosen.log.exists():
        for line in chosen.log.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # of a run that was ended
            before.add((record.get("figure"), record.get("of")))
    arraygrad.default_device("cuda")
    sizes = Sizes(chosen.quick)
    for figure, row, loops, of_seconds in cases(sizes):
        if (figure, row) in before:
            continue
        values = {
            name: found if isinstance(found, str) else float(f"{of_seconds(found):.4g}")
            for name, found in measure(loops, sizes).items()
        }
        print(f"{figure}: {row}: {values}", flush=True)
        if chosen.log:
            record = {"step": "benchmarks", "figure": figure, "of": row, "values": values}
            with open(chosen.log, "a", encoding="utf-8") as log:
                log.write("\n" + json.dumps(record))


if __name__ == "__main__":
    main()
