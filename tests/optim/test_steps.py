"""Steps of optimisers: gradients in the right containers; all parameters move, or none does."""

import dataclasses
import signal
import threading
import warnings
from typing import NamedTuple

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, nn, optim
from arraygrad._backends.numpy import parallel

OPTIMIZERS = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop]


def tensors():
    return xp.asarray(1.0), xp.asarray(2.0)


class Pair(NamedTuple):
    w: object
    b: object


@dataclasses.dataclass
class Layer:
    w: object
    b: object


A, B = xp.asarray(10.0), xp.asarray(20.0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_gradients_in_another_container_are_refused(optimizer):
    """Their order would be another one: that of a dict is the order of its keys."""
    w, b = tensors()
    for params, wrong in (
        ({"w": w, "b": b}, [(A, B), [A, B], {"w": A, "c": B}, {"w": [A], "b": B}, Pair(A, B)]),
        ([w, b], [{"w": A, "b": B}, [[A], B], Pair(A, B), [[A, B]]]),
        (Layer(w, b), [(A, B), {"w": A, "b": B}]),
        ((w, {"b": b}), [(A, B), ({"b": A}, B)]),
        (
            [{"params": {"w": w}}, {"params": {"b": b}}],
            [[A, B], {"w": A, "b": B}, {"b": B, "w": A}],
        ),
        (nn.Linear(1, 2, bias=False), [(xp.ones((2, 1)),)]),
    ):
        for grads in wrong:
            with pytest.raises(ValueError, match=r"step: the gradients must have the containers"):
                optimizer(params).step(grads)
    assert (w, b) == (1.0, 2.0)


def test_gradients_in_the_same_container_are_taken():
    for params, grads in (
        (lambda w, b: {"w": w, "b": b}, {"b": B, "w": A}),
        (lambda w, b: [w, b], [A, B]),
        (lambda w, b: [w, b], (A, B)),
        (lambda w, b: (w, b), [A, B]),
        (lambda w, b: iter([w, b]), iter([A, B])),
        (lambda w, b: {"w": w, "b": b}.values(), [A, B]),
        (lambda w, b: Pair(w, b), Pair(A, B)),
        (lambda w, b: Layer(w, b), Layer(A, B)),
        (lambda w, b: [{"params": w}, {"params": [b], "lr": 1.0}], [A, B]),
        (lambda w, b: [{"params": w}, {"params": [b]}], [A, [B]]),
        (lambda w, b: [{"params": {"w": w}}, {"params": [b]}], [{"w": A}, (B,)]),
    ):
        w, b = tensors()
        optim.SGD(params(w, b), lr=1.0).step(grads)
        assert (w, b) == (-9.0, -18.0)
    w, _ = tensors()
    optim.SGD(w, lr=1.0).step(A)
    assert w == -9.0


# ---- all parameters move, or none does


def snapshot(optimizer):
    """Parameters, and the state of the optimiser, as arrays."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    state = {k: v.numpy().copy() for k, v in optimizer.state_dict().items()}
    return [p.detach().numpy().copy() for p in params], state


def assert_equal(a, b):
    assert a[1].keys() == b[1].keys()
    for x, y in [*zip(a[0], b[0], strict=True), *((a[1][k], b[1][k]) for k in a[1])]:
        np.testing.assert_array_equal(x, y)


def parameters(n):
    return [xp.linspace(0.5, 1.5, n), xp.linspace(1.0, 2.0, n), xp.linspace(0.1, 0.2, n)]


OPTIONS = [
    (optim.SGD, {"momentum": 0.9}),
    (optim.Adam, {"amsgrad": True}),
    (optim.AdamW, {}),
    (optim.RMSprop, {"momentum": 0.9, "centered": True}),
]


@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize(("cls", "options"), OPTIONS)
@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_error_undoes_a_step(cls, options, steps, at, n):
    optimizer = cls(parameters(n), lr=1e100, **options)
    for _ in range(steps):
        optimizer.step([xp.ones(n)] * 3)
    before = snapshot(optimizer)
    bad = [xp.ones(n) for _ in range(3)]
    bad[at][n // 2] = 1e300
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        optimizer.step(bad)
    assert_equal(snapshot(optimizer), before)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            optimizer.step(bad)
    assert_equal(snapshot(optimizer), before)
    if cls is optim.Adam:
        bad[at][n // 2] = float("inf")  # inf / inf
        with autodiff.debug_nans(), pytest.raises(FloatingPointError):
            optimizer.step(bad)
        assert_equal(snapshot(optimizer), before)


@pytest.mark.parametrize(("cls", "options"), OPTIONS)
def test_options_and_parameters_are_checked_before_anything_moves(cls, options):
    read_only = np.ones(3)
    read_only.flags.writeable = False
    first = xp.ones(3)
    optimizer = cls([first, xp.asarray(read_only, copy=False)], **options)
    with pytest.raises(ValueError, match="read-only"):
        optimizer.step([xp.ones(3)] * 2)
    second = xp.ones(3)
    optimizer = cls([{"params": first}, {"params": second}], **options)
    optimizer.param_groups[1]["lr"] = "0.1"
    with pytest.raises(TypeError, match="lr must be a number"):
        optimizer.step([xp.ones(3)] * 2)
    assert xp.all(first == 1)
    assert optimizer.state == [{}, {}]


@pytest.mark.parametrize(("cls", "options"), OPTIONS)
def test_an_interrupt_takes_effect_after_the_step(cls, options, monkeypatch, request):
    expected, optimizer = (cls(parameters(3), **options) for _ in range(2))
    expected.step([xp.ones(3)] * 3)
    update, handler = optimizer._update, signal.default_int_handler
    before = signal.signal(signal.SIGINT, handler)  # background processes may ignore it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def interrupted(*args):
        signal.raise_signal(signal.SIGINT)
        plan = update(*args)
        signal.raise_signal(signal.SIGINT)
        return plan

    monkeypatch.setattr(optimizer, "_update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step([xp.ones(3)] * 3)
    assert signal.getsignal(signal.SIGINT) is handler
    assert_equal(snapshot(optimizer), snapshot(expected))


def test_steps_in_threads_leave_the_interrupt_alone():
    handler = signal.getsignal(signal.SIGINT)
    w = xp.ones(3)
    thread = threading.Thread(target=lambda: optim.SGD([w], lr=1.0).step([xp.ones(3)]))
    thread.start()
    thread.join()
    assert not xp.any(w)
    assert signal.getsignal(signal.SIGINT) is handler


# ---- memory that runs out


class Failing:
    """Raises MemoryError at the k-th of all calls of some functions, and counts them."""

    def __init__(self, monkeypatch, k):
        self.k, self.calls = k, 0
        ops = xp.Device("cpu").ops
        for name in ("zeros", "copy", "empty", "reserve", "astype", "reshape"):
            monkeypatch.setitem(ops, name, self.failing(ops[name]))
        for name in ("empty", "empty_like"):
            monkeypatch.setattr(np, name, self.failing(getattr(np, name)))

    def failing(self, function):
        def run(*args, **kwargs):
            self.calls += 1
            if self.calls == self.k:
                raise MemoryError("Unable to allocate")
            return function(*args, **kwargs)

        return run


VARIANTS = [
    *OPTIONS,
    (optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (optim.SGD, {"maximize": True}),
    (optim.AdamW, {"amsgrad": True, "maximize": True}),
    (optim.RMSprop, {"weight_decay": 0.1}),
]


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize(("cls", "options"), VARIANTS)
def test_memory_that_runs_out_moves_nothing(cls, options, n, dtype, monkeypatch):
    """Whichever allocation fails, in a first and a second step, also with a graph that is alive."""
    monkeypatch.setattr(parallel, "BLOCK_BYTES", 8192)  # more than one block

    def make(steps):
        tensors = [autodiff.variable(xp.astype(x, dtype)) for x in parameters(n)]
        tensors.append(autodiff.variable(xp.astype(xp.reshape(parameters(4)[0], (2, 2)).mT, dtype)))
        optimizer = cls(tensors, lr=0.1, **options)
        for p in tensors:
            p.grad = xp.ones(p.shape, dtype=p.dtype)
        for _ in range(steps):
            optimizer.step()
        graphs = [xp.exp(p) * p for p in tensors]  # they save what the step writes
        return optimizer, graphs

    for steps in (0, 1):
        expected, _ = make(steps + 1)
        after, k, failed = snapshot(expected), 1, True
        while failed:
            optimizer, graphs = make(steps)
            before = snapshot(optimizer)
            with monkeypatch.context() as patch, warnings.catch_warnings():
                warnings.resetwarnings()  # with errors among them, a step copies everything
                failing = Failing(patch, k)
                try:
                    optimizer.step()
                except MemoryError:
                    failed = True
                else:
                    failed = failing.calls >= k
            assert_equal(snapshot(optimizer), before if failed else after)
            if failed:  # and it can be repeated
                optimizer.step()
                assert_equal(snapshot(optimizer), after)
            k += 1
        assert k > (4 if options.get("maximize") else 5)
        del graphs
