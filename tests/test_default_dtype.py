"""The default dtype: what follows it, what keeps its own, and where the setting ends."""

import array
import asyncio
import contextvars
import threading

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn, optim

SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")
COMPLEX = {SINGLE: np.dtype("complex64"), DOUBLE: np.dtype("complex128")}

REAL = {
    "arange": lambda xp: xp.arange(0.0, 3.0),
    "arange of a float step": lambda xp: xp.arange(0, 3, 0.5),
    "empty": lambda xp: xp.empty(3),
    "eye": lambda xp: xp.eye(3),
    "full": lambda xp: xp.full(3, 0.5),
    "linspace": lambda xp: xp.linspace(0, 1, 3),
    "linspace from a tensor": lambda xp: xp.linspace(xp.asarray(0), 1, 3),
    "logspace": lambda xp: xp.logspace(0, 1, 3),
    "ones": lambda xp: xp.ones(3),
    "zeros": lambda xp: xp.zeros((2, 0)),
    "fftfreq": lambda xp: xp.fft.fftfreq(4),
    "rfftfreq": lambda xp: xp.fft.rfftfreq(4, d=0.1),
    "asarray of a float": lambda xp: xp.asarray(0.1),
    "asarray of nothing": lambda xp: xp.asarray([[], []]),
    "asarray of floats": lambda xp: xp.asarray([[0.1, True], (2, 3)]),
    "asarray of a tensor and a float": lambda xp: xp.asarray([xp.asarray(0.1), 1.5]),
    "asarray of many floats": lambda xp: xp.asarray([0.1] * 3000),
}  # fmt: skip
DRAWS = {
    "random": lambda rng: rng.random(3),
    "standard_normal": lambda rng: rng.standard_normal((2, 3)),
    "standard_exponential": lambda rng: rng.standard_exponential(),
    "normal": lambda rng: rng.normal(1.0, 2.0, 3),
    "uniform": lambda rng: rng.uniform(-1.0, 1.0, 3),
    "exponential": lambda rng: rng.exponential(2.0, 3),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_creation_functions_follow_the_default(xp, name, dtype):
    with xp.default_dtype(dtype):
        found = REAL[name](xp)
    assert found.dtype == dtype
    assert found.device == xp.default_device().device
    if name != "empty":  # each value is rounded once, from float64
        expected = REAL[name](xp)
        assert bool(xp.all(found == xp.astype(expected, found.dtype)))


@pytest.mark.parametrize("name", DRAWS)
def test_random_numbers_follow_the_default(xp, name):
    with xp.default_dtype("float32"):
        assert DRAWS[name](xp.random.default_rng(0)).dtype == "float32"
    assert DRAWS[name](xp.random.default_rng(0)).dtype == "float64"


def test_random_numbers_follow_their_parameters_first(xp):
    wide, narrow = xp.ones(2), xp.ones(2, dtype=xp.float32)
    for default in (SINGLE, DOUBLE):
        with xp.default_dtype(default):
            rng = xp.random.default_rng(0)
            assert rng.normal(wide).dtype == rng.uniform(0.0, wide).dtype == "float64"
            assert rng.normal(narrow).dtype == rng.exponential(narrow).dtype == "float32"
            assert rng.random(2, dtype=xp.float64).dtype == "float64"
            tenths = rng.choice(10, size=3, p=[0.1] * 10)  # probabilities are not rounded
            assert tenths.dtype == "int64"


def test_complex_numbers_follow_the_default(xp):
    for dtype in (SINGLE, DOUBLE):
        with xp.default_dtype(dtype):
            for x in (
                xp.asarray(1j),
                xp.asarray([1, 2.5, 1j]),
                xp.full(2, 1j),
                xp.linspace(0, 1j, 3),
                xp.logspace(0, 1j, 3),
            ):
                assert x.dtype == COMPLEX[dtype]


def test_data_that_has_a_dtype_keeps_it(xp):
    with xp.default_dtype("float32"):
        for obj in (
            np.ones(2),
            np.float64(1),
            [np.float64(1), np.float64(2)],
            [np.float64(1), 0.5],
            xp.ones(2, dtype=xp.float64),
            [xp.ones((), dtype=xp.float64), 0.5],
            array.array("d", [1.0]),
        ):
            assert xp.asarray(obj).dtype == "float64", obj
        assert xp.full(2, np.float64(0.5)).dtype == "float64"
        assert xp.zeros_like(xp.ones(2, dtype=xp.float64)).dtype == "float64"
        assert xp.asarray([1, True]).dtype == xp.arange(3).dtype == xp.full(2, 7).dtype == "int64"
        assert xp.asarray([2**63]).dtype == "uint64"
        assert xp.asarray(True).dtype == "bool"
        assert xp.asarray([0.1], dtype=xp.float64)[0] == 0.1
        with pytest.raises(TypeError):
            xp.asarray([0.5, "text"])


def test_promotion_does_not_depend_on_the_default(xp):
    whole, half, wide = xp.asarray([1, 2]), xp.ones(2, dtype=xp.float32), xp.ones(2)
    with xp.default_dtype("float32"):
        assert (half * 0.5).dtype == "float32"
        assert (wide * 0.5).dtype == (whole * 0.5).dtype == xp.sin(whole).dtype == "float64"
        assert xp.result_type(xp.int64, 1.0) == "float64"
        assert xp.result_type(1, 1.0) == "float32"
        assert xp.result_type(1.0, 1j) == "complex64"
    assert xp.result_type(1, 1.0) == "float64"


def test_where_of_two_scalars_follows_the_default():
    for condition in (arraygrad.asarray([True, False]), arraygrad.ones(3000) > 0):
        with arraygrad.default_dtype("float32"):
            assert arraygrad.where(condition, 1.5, 0).dtype == SINGLE
            assert arraygrad.where(condition, 1j, 0.5).dtype == "complex64"
            assert arraygrad.where(condition, 1, True).dtype == "int64"
            assert arraygrad.where(condition, np.float64(1), 0.5).dtype == DOUBLE
            g = autodiff.grad(lambda x, c=condition: arraygrad.sum(x * arraygrad.where(c, 2.0, 0)))
            assert g(1.0).dtype == SINGLE
        assert arraygrad.where(condition, 1.5, 0).dtype == DOUBLE


def test_the_inspection_reports_the_default():
    info = arraygrad.__array_namespace_info__()
    with arraygrad.default_dtype("float32"):
        found = info.default_dtypes()
        assert found["real floating"] == "float32"
        assert found["complex floating"] == "complex64"
        assert found["integral"] == found["indexing"] == "int64"
        assert info.default_dtypes(device="cpu") == found
    assert info.default_dtypes()["real floating"] == DOUBLE
    assert info.default_dtypes()["complex floating"] == "complex128"


def test_the_setting_begins_with_the_call_and_ends_with_the_block():
    for wanted in ("float32", arraygrad.float32, SINGLE):
        with arraygrad.default_dtype(wanted) as dtype:
            assert dtype == arraygrad.default_dtype().dtype == SINGLE
            with arraygrad.default_dtype("float64"):
                assert arraygrad.ones(1).dtype == DOUBLE
            assert arraygrad.ones(1).dtype == SINGLE
        assert arraygrad.ones(1).dtype == DOUBLE
    setting = arraygrad.default_dtype("float32")
    try:
        assert repr(setting) == "default_dtype('float32')"
        with arraygrad.default_dtype(None):  # asks, and sets nothing
            assert arraygrad.ones(1).dtype == SINGLE
        assert arraygrad.ones(1).dtype == SINGLE
    finally:
        setting.__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError), arraygrad.default_dtype("float32"):
        raise ZeroDivisionError
    assert arraygrad.default_dtype().dtype == DOUBLE


@pytest.mark.parametrize("dtype", ["float16", "int64", "complex64", "single", float, 32, []])
def test_other_defaults_are_refused(dtype):
    with pytest.raises(TypeError, match="default_dtype: dtype must be float32 or float64; got"):
        arraygrad.default_dtype(dtype)
    assert arraygrad.ones(1).dtype == DOUBLE


def test_strict_mode_has_the_default_too():
    with arraygrad.strict(), arraygrad.default_dtype("float32"):
        x = arraygrad.linspace(0, 1, 3)
        assert (x * 0.5 + arraygrad.asarray([1.0, 2.0, 3.0])).dtype == SINGLE
        assert arraygrad.asarray(1j).dtype == "complex64"


def test_each_thread_and_task_has_its_own_default():
    async def task(dtype):
        with arraygrad.default_dtype(dtype):
            await asyncio.sleep(0)
            found = arraygrad.ones(1).dtype
            await asyncio.sleep(0)
            return found

    async def main():
        return await asyncio.gather(*map(task, [SINGLE, DOUBLE] * 4))

    assert asyncio.run(main()) == [SINGLE, DOUBLE] * 4
    found = []
    with arraygrad.default_dtype("float32"):
        run = contextvars.Context().run
        thread = threading.Thread(target=lambda: found.append(run(arraygrad.ones, 1).dtype))
        thread.start()
        thread.join()
    assert found == [DOUBLE]


def test_under_differentiation(xp):
    def f(x):
        t = xp.linspace(0.0, 1.0, 3) * x + xp.asarray([0.5, 1.5, 2.5]) ** 2.0
        return xp.sum(t * xp.ones(3)) + xp.sum(xp.asarray([x, 0.25]))

    for dtype in (SINGLE, DOUBLE):
        with xp.default_dtype(dtype):
            g = autodiff.grad(f)(2.0)  # Python's floats become tensors
            assert (g.dtype, float(g)) == (dtype, 2.5)
            y, t = autodiff.jvp(f, (2.0,), (1.0,))
            assert y.dtype == t.dtype == dtype
            x = xp.asarray(2.0).requires_grad_()
            f(x).backward()
            assert (x.grad.dtype, float(x.grad)) == (dtype, 2.5)
            end = autodiff.grad(lambda e: xp.sum(xp.linspace(0.0, e, 3)))(xp.asarray(2.0))
            assert (end.dtype, float(end)) == (dtype, 1.5)


def test_linspace_from_a_tensor_rounds_its_ends_once(xp):
    wide = xp.linspace(xp.asarray(0.0), 0.1, 2, dtype=xp.float64)
    with xp.default_dtype("float32"):
        found = xp.linspace(xp.asarray(0.0), 0.1, 2, dtype=xp.float64)
        powers = xp.logspace(0.1, 0.1, 1, dtype=xp.float64)
    assert float(found[1]) == float(wide[1]) == 0.1
    assert float(powers[0]) == float(xp.logspace(0.1, 0.1, 1)[0])


def test_layers_follow_the_default(xp):
    with xp.default_dtype("float32"):
        rng = xp.random.default_rng(0)
        layers = [
            nn.Linear(3, 2, rng=rng),
            nn.Conv2d(1, 2, 3, rng=rng),
            nn.Embedding(4, 2, rng=rng),
            nn.LayerNorm(3),
            nn.BatchNorm2d(2),
        ]
        made = [nn.xavier_normal((2, 3), rng=rng), nn.kaiming_uniform((2, 3), rng=rng)]
    for layer in layers:
        assert {x.dtype for x in layer.state_dict().values()} <= {SINGLE, np.dtype("int64")}
        assert all(p.dtype == SINGLE for p in layer.parameters())
    assert all(x.dtype == SINGLE for x in made)


def test_training_in_the_default_dtype_stays_in_it(xp):
    with xp.default_dtype("float32"):
        rng = xp.random.default_rng(0)
        model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 1, rng=rng))
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        x = rng.standard_normal((8, 3))
        for _ in range(3):
            loss = nn.mse(model(x), xp.ones((8, 1)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss.dtype == SINGLE
        assert all(p.dtype == p.grad.dtype == SINGLE for p in model.parameters())
        state = optimizer.state_dict()
        assert float(state["groups.0.lr"]) == 0.1  # options of the optimiser are not rounded
    assert {v.dtype for k, v in state.items() if k.endswith("sum")} == {SINGLE}
