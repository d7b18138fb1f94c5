"""Steps of training that are captured as a CUDA graph and launched again, as docs/waits.md says."""

import contextlib

import numpy as np
import pytest
from backends.emulated import needs_emulation

import arraygrad as xp
from arraygrad import linalg, nn, optim

STEPS = 20
WARM_UP = 3


class Captured:
    """A step as a graph: `step` is run a few times, then captured, and launched by a call.

    Parameters
    ----------
    step : callable
        Launches work on the GPU and does nothing else.
    private : bool, optional
        Whether what the graph uses for the time of a step comes from a pool of its own.
    """

    def __init__(self, step, private=True):
        import cupy

        self.step = step  # whose tensors the graph uses
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self.pool = cupy.cuda.MemoryPool() if private else cupy.get_default_memory_pool()
        cupy.cuda.Device().synchronize()
        with self.stream, cupy.cuda.using_allocator(self.pool.malloc):
            for _ in range(WARM_UP):
                step()
            self.stream.begin_capture()
            step()
            self.graph = self.stream.end_capture()

    def __call__(self):
        self.graph.launch(self.stream)

    def wait(self):
        self.stream.synchronize()


def two_layers():
    """A net on vectors and its data."""
    rng = xp.random.default_rng(1, device="cuda")
    with xp.default_device("cuda"):
        model = nn.Sequential(nn.Linear(5, 8, rng=rng), nn.GELU(), nn.Linear(8, 3, rng=rng))
        x = rng.standard_normal((16, 5))
    return model, x, rng.integers(0, 3, 16)


def convnet():
    """A net on images and its data."""
    rng = xp.random.default_rng(2, device="cuda")
    with xp.default_device("cuda"):
        model = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, bias=False, rng=rng),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(36, 3, rng=rng),
        )
        x = rng.standard_normal((8, 2, 6, 6))
    return model, x, rng.integers(0, 3, 8)


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, capturable=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01, capturable=True),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.9),
}


def training(make, optimizer):
    """A model, the loss of its last step, and a step of its training."""
    model, x, target = make()
    optimizer = OPTIMIZERS[optimizer](model.parameters())
    last = xp.zeros((), dtype=x.dtype, device="cuda")

    def step():
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), target)
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        last[...] = loss.detach()

    return model, last, step


def state(model, last):
    """All numbers of a model, on the host, and its last loss."""
    return {**{k: v.numpy() for k, v in model.state_dict().items()}, "loss": last.numpy()}


def check_same(found, expected):
    for name, x in expected.items():
        np.testing.assert_allclose(found[name], x, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.cuda
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("make", [two_layers, convnet])
def test_a_launched_step_is_an_eager_one(make, optimizer):
    model, last, step = training(make, optimizer)
    for _ in range(WARM_UP + STEPS):
        step()
    eager = state(model, last)

    model, last, step = training(make, optimizer)
    launch = Captured(step)
    for _ in range(STEPS):
        launch()
    launch.wait()
    check_same(state(model, last), eager)


@pytest.mark.cuda
def test_random_numbers_go_on_from_launch_to_launch():
    rng, same = (xp.random.default_rng(4, device="cuda") for _ in range(2))
    last = xp.zeros(5, device="cuda")

    def step():
        last[...] = rng.random(5)

    launch = Captured(step)
    for _ in range(WARM_UP):
        same.random(5)
    for _ in range(3):
        launch()
        launch.wait()
        np.testing.assert_array_equal(last.numpy(), same.random(5).numpy())


def other_work_survives(private):
    """Whether what is made between launches keeps its values."""
    _, _, step = training(two_layers, "SGD")
    launch = Captured(step, private)
    with launch.stream:  # which has its own part of CuPy's ordinary pool
        made = [xp.full((n,), 7.0, device="cuda") for n in (1, 5, 50, 100, 500, 1000) * 4]
    launch()
    launch.wait()
    return all(bool(xp.all(x == 7.0)) for x in made)


@pytest.mark.cuda
def test_a_graph_has_its_memory_to_itself():
    assert other_work_survives(private=True)


@needs_emulation
def test_without_a_pool_of_its_own_it_would_not():
    """So it is the pool that does it. (On a GPU this depends on what was freed before.)"""
    assert not other_work_survives(private=False)


@pytest.mark.cuda
@pytest.mark.parametrize("kind", [optim.Adam, optim.AdamW])
def test_steps_that_are_counted_on_the_gpu(kind):
    """They are those that the host counts, and can be saved and go on in either way."""

    def trained(first, then):
        p = xp.asarray([1.0, -2.0, 3.0], device="cuda")
        optimizer = kind([p], lr=0.1, capturable=first)
        for _ in range(5):
            optimizer.step([p * p])
        other = kind([p], lr=0.1, capturable=then)
        other.load_state_dict({**optimizer.state_dict(), "groups.0.capturable": xp.asarray(then)})
        for _ in range(5):
            other.step([p * p])
        assert int(other.state_dict()["state.0.step"]) == 10
        return p.numpy()

    expected = trained(False, False)
    for capturable in (True, False):
        np.testing.assert_allclose(trained(True, capturable), expected, rtol=1e-12)
    np.testing.assert_allclose(trained(False, True), expected, rtol=1e-12)


PRODUCTS = {
    "matrices": ((3, 4), (4, 5)),
    "vectors": ((4,), (4,)),
    "matrix, vector": ((3, 4), (4,)),
    "vector, matrix": ((4,), (4, 5)),
    "stacks": ((2, 1, 3, 4), (3, 4, 5)),
    "of nothing": ((3, 0), (0, 5)),
}


def captured_value(function):
    """What a function gives when it is launched as a graph."""
    kept = []
    launch = Captured(lambda: kept.append(function()))
    launch()
    launch.wait()
    return kept[-1].numpy()


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("label", PRODUCTS)
def test_products_in_a_graph(label, dtype):
    """CuPy refuses to call cuBLAS there, so they are computed otherwise."""
    rng = np.random.default_rng(0)
    a, b = (
        xp.asarray((rng.standard_normal(s) + 1j * rng.standard_normal(s)), device="cuda")
        for s in PRODUCTS[label]
    )
    if "complex" not in dtype:
        a, b = xp.real(a), xp.imag(b)
    a, b = (xp.astype(x, getattr(xp, dtype)) for x in (a, b))
    for function in (xp.matmul, *([xp.vecdot] if label == "vectors" else [])):
        found, expected = captured_value(lambda f=function: f(a, b)), function(a, b)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.cuda
@pytest.mark.parametrize("axes", [0, 1, 2, ([0, 2], [1, 0]), ([-1], [0]), ([], [])])
def test_tensordot_in_a_graph(axes):
    rng = np.random.default_rng(0)
    a, b = (xp.asarray(rng.standard_normal(s), device="cuda") for s in ((2, 2, 2), (2, 2, 2)))
    found = captured_value(lambda: xp.tensordot(a, b, axes=axes))
    np.testing.assert_allclose(found, xp.tensordot(a, b, axes=axes).numpy(), rtol=1e-12)


@pytest.mark.cuda
def test_products_of_other_dtypes_in_a_graph():
    a = xp.ones((2, 3), dtype=xp.float32, device="cuda")
    b = xp.ones((3, 2), dtype=xp.complex128, device="cuda")
    assert captured_value(lambda: a @ b).dtype == np.complex128
    n = xp.ones((2, 3), dtype=xp.int8, device="cuda")
    np.testing.assert_array_equal(captured_value(lambda: n @ n.T), np.full((2, 2), 3, np.int8))


@pytest.mark.cuda
def test_what_waits_cannot_be_captured():
    import cupy

    x = xp.ones((3, 3), device="cuda")
    stream = cupy.cuda.Stream(non_blocking=True)
    for forbidden in (lambda: x[x > 0], lambda: float(x[0, 0]), lambda: linalg.inv(x)):
        forbidden()
        cupy.cuda.Device().synchronize()
        with stream:
            stream.begin_capture()
            try:
                with pytest.raises(Exception, match="captur"):
                    forbidden()
            finally:
                with contextlib.suppress(cupy.cuda.runtime.CUDARuntimeError):
                    stream.end_capture()  # an error, where the capture has been spoilt
