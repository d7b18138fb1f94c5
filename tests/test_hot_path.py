"""What the hot path may cost that can be counted: Python frames, copies, imports."""

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import nn
from arraygrad.autodiff import checkpoint, grad, hessian, jvp

X = xp.asarray([1.0, 2.0, 3.0])
M = xp.eye(3)
MASK = X > 1

OPERATIONS = {
    "a + b": lambda: X + X,
    "a * 2": lambda: X * 2,
    "2 - a": lambda: 2 - X,
    "-a": lambda: -X,
    "a < b": lambda: X < X,
    "a @ b": lambda: M @ M,
    "sin": lambda: xp.sin(X),
    "sum": lambda: xp.sum(X),
    "max": lambda: xp.max(X, axis=0),
    "slice": lambda: X[1:],
    "reshape": lambda: xp.reshape(X, (3, 1)),
    "where": lambda: xp.where(MASK, X, 0.0),
    "matrix_transpose": lambda: xp.matrix_transpose(M),
}


PACKAGE = str(Path(xp.__file__).parent)


def frames(run):
    """The deepest stack of this package's Python frames below `run`; NumPy has its own."""
    depth = deepest = 0

    def count(frame, event, arg):
        nonlocal depth, deepest
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return
        if event == "call":
            depth += 1
            deepest = max(deepest, depth)
        elif event == "return":
            depth -= 1

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return deepest


@pytest.mark.parametrize("name", OPERATIONS)
def test_at_most_four_frames(name):
    assert frames(OPERATIONS[name]) <= 4


def test_frames_are_counted():
    assert frames(lambda: xp.sin(X)) >= 1  # (an operator has none where it is compiled)


def peak(run):
    """Most memory in use during `run`, above what was in use before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = run()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("outputs", "run"),
    [
        (1, lambda x, y: x + y),
        (1, lambda x, y: x * 2.0),
        (1, lambda x, y: x // y),
        (1, lambda x, y: x + xp.asarray([1.0], dtype=xp.float32)),
        (1, lambda x, y: xp.clip(x, 0.0, 1.0)),
        (0, lambda x, y: xp.sum(x)),
        (0, lambda x, y: x[::2]),
        (0, lambda x, y: xp.reshape(x, (1000, 100))),
        (0, lambda x, y: xp.permute_dims(xp.reshape(x, (1000, 100)), (1, 0))),
        (0, lambda x, y: xp.broadcast_to(x, (5, 100_000))),
        (0, lambda x, y: x.__iadd__(y)),
        (0, lambda x, y: xp.from_numpy(x.numpy())),
        (0, lambda x, y: xp.from_dlpack(x)),
        (0, lambda x, y: np.asarray(x)),
        (0, lambda x, y: xp.asarray(x)),
        (0, lambda x, y: xp.astype(x, xp.float64, copy=False)),
    ],
)
def test_no_hidden_copies(outputs, run):
    x, y = xp.ones(100_000), xp.ones(100_000)
    run(x, y)  # whatever is allocated once only
    used, _ = peak(lambda: run(x, y))
    assert used < (outputs + 0.05) * 800_000


def test_import_is_light():
    code = "import sys, arraygrad; print('cupy' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


LARGE = xp.asarray(np.linspace(0.5, 1.5, 300_000))


@pytest.mark.parametrize(
    "run",
    [
        lambda: xp.sqrt(LARGE),
        lambda: xp.hypot(LARGE, LARGE),
        lambda: (LARGE + LARGE) ** LARGE / 2,
        lambda: nn.softmax(xp.reshape(LARGE, (600, 500)), axis=1),
        lambda: xp.var(xp.reshape(LARGE, (600, 500)), axis=0),
        lambda: grad(lambda x: xp.sum(xp.sqrt(x) * xp.exp(x)))(LARGE),
        lambda: jvp(grad(lambda x: xp.sum(x**3)), (LARGE,), (LARGE,)),
        lambda: hessian(lambda x: xp.sum(x**3))(X),
        lambda: grad(checkpoint(lambda x: xp.sum(x * x)))(LARGE),
        lambda: grad(lambda x: xp.sum(xp.linalg.svd(x)[1]))(M + 1),
    ],
)
def test_nothing_waits_for_the_collector(run):
    """What refers to itself keeps its arrays until then."""
    run()
    gc.collect()
    gc.disable()
    try:
        run()
        assert not gc.collect()
    finally:
        gc.enable()
