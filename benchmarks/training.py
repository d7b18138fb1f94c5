"""Training steps and single layers in arraygrad and in eager PyTorch.

The training steps run on several threads, the single layers on one thread of each library: once the
result alone, and once with the gradients of the input and of all parameters. Each library has its
own process, because their thread pools would disturb each other, and they take turns, batch by
batch. Both must reach the same losses or results before they are timed. A figure is the median of
the means of the batches; on one thread, of processor time.
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
#: What is timed of a layer.
RESULT, GRADIENT = "result", "with gradients"


class Ours:
    """arraygrad."""

    def __init__(self, dtype: str, threads: int = 0) -> None:
        self.xp = importlib.import_module("arraygrad")
        self.nn = importlib.import_module("arraygrad.nn")
        self.optim = importlib.import_module("arraygrad.optim")
        self.autodiff = importlib.import_module("arraygrad.autodiff")
        self.functional = self.nn
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
        self.functional = importlib.import_module("torch.nn.functional")
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
Function = Callable[..., Any]


def _model(lib: Any, *layers: Any) -> Any:
    """A sequence of layers, with weights that depend only on their shapes."""
    model = lib.cast(lib.nn.Sequential(*layers))
    rng = np.random.default_rng(1)
    state = dict(model.state_dict())
    for name, x in model.named_parameters():
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
    return _step(model, optimiser, lambda model: lib.functional.cross_entropy(model(x), labels))


def classifier(lib: Any) -> Step:
    """Points in the plane in two clusters."""
    nn = lib.nn
    x = _normal(lib, 50, 2)
    labels = lib.array(np.random.default_rng(2).integers(0, 2, 50))
    model = _model(lib, nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
    optimiser = lib.optim.Adam(model.parameters(), lr=0.02)
    return _step(model, optimiser, lambda model: lib.functional.cross_entropy(model(x), labels))


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
    return _step(model, optimiser, lambda model: lib.functional.cross_entropy(model(x), labels))


def adam(lib: Any) -> Step:
    """A step of Adam on 10⁶ parameters with a given gradient."""
    parameter = lib.parameter(np.zeros(10**6, dtype=lib.dtype))
    parameter.grad = _normal(lib, 10**6)
    optimiser = lib.optim.Adam([parameter], lr=1e-3)

    def step() -> Any:
        optimiser.step()
        return parameter[0]

    return step


# ---- single layers, each a function of arrays that both libraries call alike


def _index(*shape: int) -> Any:
    return np.random.default_rng(4).integers(0, 512, shape)


def _residual(lib: Any) -> tuple[Function, list[Any]]:
    """A block of a ResNet: two convolutions with batch normalization around a shortcut."""
    nn = lib.nn
    first, second = (nn.Conv2d(32, 32, 3, padding=1, bias=False) for _ in range(2))
    norms = nn.BatchNorm2d(32), nn.BatchNorm2d(32)
    model = _model(lib, first, norms[0], nn.ReLU(), second, norms[1])
    return lambda x: lib.functional.relu(model(x) + x), list(model.parameters())


def _lstm(lib: Any) -> tuple[Function, list[Any]]:
    layer = _model(lib, lib.nn.LSTM(64, 128))
    return lambda x: layer(x)[0], list(layer.parameters())


def _by_list(lib: Any) -> Function:
    index = _index(512).tolist()
    return lambda x: x[index]


def _embedding(lib: Any) -> Function:
    ids = lib.array(_index(32, 16))
    return lambda weight: lib.functional.embedding(ids, weight)


def _cross_entropy(lib: Any) -> Function:
    labels = lib.array(_index(512))
    return lambda x: lib.functional.cross_entropy(x, labels)


_SQUARE, _CHANNELS = (512, 512), ((16, 32, 16, 16), (32,), (32,))

#: For each layer: a function, made for a library (or a pair with the parameters that it holds),
#: and the shapes of its arguments.
LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[tuple[int, ...], ...]]] = {
    "GELU": (lambda lib: lib.functional.gelu, (_SQUARE,)),
    "GELU, tanh": (
        lambda lib: lambda x: lib.functional.gelu(x, approximate="tanh"),
        (_SQUARE,),
    ),
    "erf": (lambda lib: lib.xp.special.erf, (_SQUARE,)),
    "SiLU": (lambda lib: lib.functional.silu, (_SQUARE,)),
    "sigmoid": (lambda lib: lib.functional.sigmoid, (_SQUARE,)),
    "tanh": (lambda lib: lib.xp.tanh, (_SQUARE,)),
    "ReLU": (lambda lib: lib.functional.relu, (_SQUARE,)),
    "softplus": (lambda lib: lib.functional.softplus, (_SQUARE,)),
    "softmax": (lambda lib: lambda x: lib.functional.softmax(x, -1), (_SQUARE,)),
    "log_softmax": (lambda lib: lambda x: lib.functional.log_softmax(x, -1), (_SQUARE,)),
    "cross entropy": (_cross_entropy, (_SQUARE,)),
    "x[list]": (_by_list, (_SQUARE,)),
    "embedding": (_embedding, (_SQUARE,)),
    "LayerNorm": (
        lambda lib: lambda x, *affine: lib.functional.layer_norm(x, (512,), *affine),
        (_SQUARE, (512,), (512,)),
    ),
    "BatchNorm2d": (
        lambda lib: lambda x, *affine: lib.functional.batch_norm(x, None, None, *affine, True),
        _CHANNELS,
    ),
    "GroupNorm": (
        lambda lib: lambda x, *affine: lib.functional.group_norm(x, 8, *affine),
        _CHANNELS,
    ),
    "ResNet block": (_residual, (_CHANNELS[0],)),
    "Conv1d": (
        lambda lib: lambda *args: lib.functional.conv1d(*args, padding=1),
        ((16, 32, 256), (64, 32, 3), (64,)),
    ),
    "Conv2d": (
        lambda lib: lambda *args: lib.functional.conv2d(*args, padding=1),
        ((16, 16, 32, 32), (32, 16, 3, 3), (32,)),
    ),
    "LSTM, 16 steps": (_lstm, ((16, 32, 64),)),
    "attention": (lambda lib: lib.functional.scaled_dot_product_attention, ((4, 8, 64, 32),) * 3),
}

#: How many times PyTorch's time a layer may take.
MOST = 1.3


def layer(lib: Any, name: str, with_gradient: bool) -> tuple[Step, Callable[[], list[float]]]:
    """What is timed, and the numbers by which the libraries are compared."""
    make, shapes = LAYERS[name]
    made = make(lib)
    function, parameters = made if isinstance(made, tuple) else (made, [])
    rng = np.random.default_rng(3)
    make_array = lib.parameter if with_gradient else lib.array
    args = [make_array(rng.standard_normal(shape).astype(lib.dtype)) for shape in shapes]
    weights = lib.array(rng.standard_normal(tuple(function(*args).shape)).astype(lib.dtype))
    sources = [*args, *parameters]

    def step() -> Any:
        if not with_gradient:
            return function(*args)
        for x in sources:
            x.grad = None
        y = function(*args)
        y.backward(weights)
        return y

    def numbers() -> list[float]:
        found = [step() * weights, *(x.grad for x in sources if with_gradient)]
        return [float(lib.xp.sum(x * x).detach()) for x in found]

    return step, numbers


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
    """Answer with losses or results for a name, and with a time for a number of steps."""
    lib = LIBRARIES[who][1]("float32", threads)
    step: Step | None = None
    while (asked := connection.recv()) is not None:
        if isinstance(asked, str) and asked in PROBLEMS:
            step = PROBLEMS[asked][0](lib)
            connection.send(losses(step, 10))
        elif isinstance(asked, str):
            name, _, kind = asked.rpartition(": ")
            step, numbers = layer(lib, name, kind == GRADIENT)
            connection.send(numbers())
        else:
            assert step is not None, "the name of a problem comes first"
            warm_up(step)
            # One thread's own time is not lengthened by other processes on the machine.
            clock = time.process_time if threads == 1 else time.perf_counter
            start = clock()
            for _ in range(asked):
                step()
            connection.send((clock() - start) / asked)


def measure(
    problems: list[str], names: list[str], threads: int, starts: int, batch: float
) -> dict[str, dict[str, float]]:
    """Milliseconds of a step by problem and library.

    Each library runs in several processes, because the memory layout of a process makes its steps
    faster or slower by up to a third.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)  # for the processes
    times: dict[str, dict[str, list[float]]] = {p: {who: [] for who in names} for p in problems}
    for _ in range(starts):
        processes = {who: Process(serve, who, threads) for who in names}
        for name, taken in times.items():
            found = {who: process.ask(name) for who, process in processes.items()}
            first = found[names[0]]
            for who, others in found.items():
                if not np.allclose(others, first, rtol=1e-3):
                    raise SystemExit(f"{name}: {names[0]} gives {first}, {who} gives {others}")
            once = {who: process.ask(3) for who, process in processes.items()}
            for _ in range(5):
                for who, process in processes.items():
                    taken[who].append(process.ask(max(1, int(batch / once[who]))))
                    if threads > 1:
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
    names = [who for who, (module, _) in LIBRARIES.items() if find_spec(module) is not None]
    if TORCH not in names:
        print(f"{TORCH}: not installed, left out", file=sys.stderr)
    starts, batch = (1, 0.02) if chosen.quick else (5, 0.1)
    times = measure(list(PROBLEMS), names, chosen.threads, starts, batch)
    kinds = [f"{name}: {kind}" for name in LAYERS for kind in (RESULT, GRADIENT)]
    alone = measure(kinds, names, 1, min(starts, 3), batch / 2)
    text = f"{chosen.threads} threads, float32\n\n{_table(times, names)}"
    if TORCH in names:
        said = []
        for name, (_, most) in PROBLEMS.items():
            ratio = times[name][OURS] / times[name][TORCH]
            said.append(bar(ratio <= most, f"{name}: {ratio:.2f} × PyTorch (at most {most:g})"))
        text += "\n\n" + "\n".join(said)
    text += f"\n\nOne thread, float32; the ratio should be at most {MOST:g}\n\n"
    text += _table(alone, names)
    publish(
        "Training",
        text,
        {"milliseconds": _rounded(times), "one thread, milliseconds": _rounded(alone)},
        chosen,
    )


def _table(times: dict[str, dict[str, float]], names: list[str]) -> str:
    """The times, and the ratios to PyTorch's."""
    rows = []
    for name, row in times.items():
        ratio = [f"{row[OURS] / row[TORCH]:.2f}"] if TORCH in names else []
        rows.append([name, *(f"{row[who]:.3f}" for who in names), *ratio])
    return table(["ms a step", *names, *(["ratio"] if TORCH in names else [])], rows)


def _rounded(times: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {n: {w: round(t, 6) for w, t in row.items()} for n, row in times.items()}


if __name__ == "__main__":
    main()
