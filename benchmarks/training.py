"""Training steps of the same networks in arraygrad and in eager PyTorch.

Each library has its own process, because their thread pools would disturb each other, and they take
turns, batch by batch. Both must reach the same losses before they are timed. A figure is the median
of the means of the batches.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import numpy as np

from benchmarks._report import bar, options, publish, table
from benchmarks.gradients import Process, warm_up

OURS, TORCH = "ours", "PyTorch"


class Ours:
    """arraygrad."""

    def __init__(self, dtype: str, threads: int = 0) -> None:
        self.xp = importlib.import_module("arraygrad")
        self.nn = importlib.import_module("arraygrad.nn")
        self.optim = importlib.import_module("arraygrad.optim")
        self.autodiff = importlib.import_module("arraygrad.autodiff")
        self.cross_entropy = self.nn.cross_entropy
        self.dtype = dtype

    def array(self, x: Any) -> Any:
        """Tensor with its own memory."""
        return self.xp.from_numpy(np.copy(x))

    def parameter(self, x: Any) -> Any:
        """Leaf that requires grad."""
        return self.autodiff.variable(self.array(x))

    def cast(self, model: Any) -> Any:
        """The model with parameters of the dtype."""
        return model.astype(getattr(self.xp, self.dtype))


class Torch(Ours):
    """PyTorch."""

    def __init__(self, dtype: str, threads: int = 0) -> None:
        self.xp = torch = importlib.import_module("torch")
        self.nn, self.optim = torch.nn, torch.optim
        self.cross_entropy = torch.nn.functional.cross_entropy
        self.dtype = dtype
        if threads:
            torch.set_num_threads(threads)

    def parameter(self, x: Any) -> Any:
        """Leaf that requires grad."""
        return self.array(x).requires_grad_()

    def cast(self, model: Any) -> Any:
        """The model with parameters of the dtype."""
        return model.to(getattr(self.xp, self.dtype))


LIBRARIES = {OURS: ("arraygrad", Ours), TORCH: ("torch", Torch)}

Step = Callable[[], Any]


def _model(lib: Any, *layers: Any) -> Any:
    """A sequence of layers, with weights that depend only on their shapes."""
    model = lib.cast(lib.nn.Sequential(*layers))
    rng = np.random.default_rng(1)
    state = {}
    for name, x in model.state_dict().items():
        scale = float(np.prod(x.shape[1:])) ** -0.5
        state[name] = lib.array((rng.standard_normal(tuple(x.shape)) * scale).astype(lib.dtype))
    model.load_state_dict(state)
    return model


def _step(model: Any, optimiser: Any, loss_of: Callable[[Any], Any]) -> Step:
    def step() -> Any:
        loss = loss_of(model)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    return step


def _normal(lib: Any, *shape: int) -> Any:
    return lib.array(np.random.default_rng(0).standard_normal(shape).astype(lib.dtype))


def two_layers(lib: Any) -> Step:
    """64 samples, 1000 inputs, 100 hidden, 10 outputs; a sum of squares."""
    nn = lib.nn
    x, y = _normal(lib, 64, 1000), _normal(lib, 64, 10)
    layers = nn.Linear(1000, 100, bias=False), nn.ReLU(), nn.Linear(100, 10, bias=False)
    model = _model(lib, *layers)

    def loss_of(model: Any) -> Any:
        error = model(x) - y
        return lib.xp.sum(error * error)

    return _step(model, lib.optim.SGD(model.parameters(), lr=1e-5), loss_of)


def mlp(lib: Any) -> Step:
    """Four hidden layers of 256, batches of 256."""
    nn = lib.nn
    x = _normal(lib, 256, 784)
    labels = lib.array(np.random.default_rng(2).integers(0, 10, 256))
    layers = []
    for n, m in ((784, 256), (256, 256), (256, 256), (256, 256)):
        layers += [nn.Linear(n, m), nn.ReLU()]
    model = _model(lib, *layers, nn.Linear(256, 10))
    optimiser = lib.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    return _step(model, optimiser, lambda model: lib.cross_entropy(model(x), labels))


def classifier(lib: Any) -> Step:
    """Points in the plane in two clusters."""
    nn = lib.nn
    x = _normal(lib, 50, 2)
    labels = lib.array(np.random.default_rng(2).integers(0, 2, 50))
    model = _model(lib, nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
    optimiser = lib.optim.Adam(model.parameters(), lr=0.02)
    return _step(model, optimiser, lambda model: lib.cross_entropy(model(x), labels))


def convnet(lib: Any) -> Step:
    """The network of examples/digits_convnet.py, batches of 64."""
    nn = lib.nn
    x = _normal(lib, 64, 1, 8, 8)
    labels = lib.array(np.random.default_rng(2).integers(0, 10, 64))
    convolutions = [nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)]
    first, second = convolutions
    layers = [first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    model = _model(lib, *layers, nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))
    optimiser = lib.optim.Adam(model.parameters(), lr=3e-3)
    return _step(model, optimiser, lambda model: lib.cross_entropy(model(x), labels))


def adam(lib: Any) -> Step:
    """A step of Adam on 10⁶ parameters with a given gradient."""
    parameter = lib.parameter(np.zeros(10**6, dtype=lib.dtype))
    parameter.grad = _normal(lib, 10**6)
    optimiser = lib.optim.Adam([parameter], lr=1e-3)

    def step() -> Any:
        optimiser.step()
        return parameter[0]

    return step


#: What is timed, and how many times PyTorch's time it may take.
PROBLEMS = {
    "two-layer step": (two_layers, 1.0),
    "MLP": (mlp, 1.0),
    "convnet on digits": (convnet, 1.5),
    "Adam step, 10⁶": (adam, 1.0),
}


def losses(step: Step, count: int) -> list[float]:
    """The losses of a number of steps."""
    return [float(step().detach()) for _ in range(count)]


def serve(connection: Connection, who: str, threads: int) -> None:
    """Answer with losses for the name of a problem, and with a time for a number of steps."""
    lib = LIBRARIES[who][1]("float32", threads)
    step: Step | None = None
    while (asked := connection.recv()) is not None:
        if isinstance(asked, str):
            step = PROBLEMS[asked][0](lib)
            connection.send(losses(step, 10))
        else:
            assert step is not None, "the name of a problem comes first"
            warm_up(step)
            start = time.perf_counter()
            for _ in range(asked):
                step()
            connection.send((time.perf_counter() - start) / asked)


def measure(names: list[str], threads: int, quick: bool) -> dict[str, dict[str, float]]:
    """Milliseconds of a step by problem and library.

    Each library runs in several processes, because the memory layout of a process makes its steps
    faster or slower by up to a third.
    """
    starts, rounds, batch = (1, 5, 0.02) if quick else (5, 5, 0.1)
    times: dict[str, dict[str, list[float]]] = {p: {who: [] for who in names} for p in PROBLEMS}
    for _ in range(starts):
        processes = {who: Process(serve, who, threads) for who in names}
        for name, taken in times.items():
            found = {who: process.ask(name) for who, process in processes.items()}
            first = found[names[0]]
            for who, others in found.items():
                if not np.allclose(others, first, rtol=1e-3):
                    raise SystemExit(f"{name}: {names[0]} gives {first}, {who} gives {others}")
            once = {who: process.ask(3) for who, process in processes.items()}
            for _ in range(rounds):
                for who, process in processes.items():
                    taken[who].append(process.ask(max(1, int(batch / once[who]))))
                    time.sleep(0.08)  # until its idle threads no longer spin
        for process in processes.values():
            process.end()
    return {
        name: {who: median(batches) * 1e3 for who, batches in taken.items()}
        for name, taken in times.items()
    }


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(
        __doc__, args, lambda parser: parser.add_argument("--threads", type=int, default=2)
    )
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(chosen.threads)
    names = [who for who, (module, _) in LIBRARIES.items() if find_spec(module) is not None]
    if TORCH not in names:
        print(f"{TORCH}: not installed, left out", file=sys.stderr)
    times = measure(names, chosen.threads, chosen.quick)
    rows = [[name, *(f"{row[who]:.3f}" for who in names)] for name, row in times.items()]
    text = f"{chosen.threads} threads, float32\n\n" + table(["ms a step", *names], rows)
    if TORCH in names:
        said = []
        for name, (_, most) in PROBLEMS.items():
            ratio = times[name][OURS] / times[name][TORCH]
            said.append(bar(ratio <= most, f"{name}: {ratio:.2f} × PyTorch (at most {most:g})"))
        text += "\n\n" + "\n".join(said)
    rounded = {n: {w: round(t, 6) for w, t in row.items()} for n, row in times.items()}
    publish("Training", text, {"milliseconds": rounded}, chosen)


if __name__ == "__main__":
    main()
