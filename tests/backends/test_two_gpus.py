"""Two GPUs: copies between them, what must not be mixed, and all that runs on the second one.

With one emulated GPU the tests run in a process that has two.
"""

import contextlib
import doctest
import inspect
import operator
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from backends.emulated import counted, late, needs_emulation

import arraygrad as xp
from arraygrad import autodiff, distributed, nn, optim
from conformance.gradient_cases import CASES
from conformance.gradients import Trial

FIRST, SECOND = "cuda:0", "cuda:1"


def two_gpus(test):
    """Mark a test that needs two."""
    return pytest.mark.cuda(pytest.mark.two_gpus(test))


@needs_emulation
@pytest.mark.parametrize("peer_access", ["1", "0"])
def test_with_two_emulated_gpus(peer_access):
    """All tests that need two GPUs, though this process may have one."""
    folder = Path(__file__).parent
    # Without access to each other's memory, copies are what is different.
    chosen = [] if peer_access == "1" else ["-k", "copies or copy or stream or batch"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "two_gpus", *chosen, folder]
    environment = {**os.environ, "FAKECUDA_DEVICES": "2", "FAKECUDA_PEER": peer_access}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stdout
    assert "skipped" not in done.stdout


def devices(tensors):
    """Where tensors say that they are, which is where their memory is."""
    for x in tensors:
        assert x.device.index == x._data.device.id
    return {str(x.device) for x in tensors}


# ---- copies


DTYPES = [getattr(xp, name) for name in "bool int8 uint64 float32 float64 complex128".split()]


@two_gpus
@pytest.mark.parametrize("source", [FIRST, SECOND])
@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_from_one_to_the_other(source, dtype):
    target = SECOND if source == FIRST else FIRST
    x = xp.astype(xp.reshape(xp.arange(-3, 21, device=source), (2, 3, 4)), dtype)
    for view in (x, x.T, x[:, ::-1, 1:], x[0, 0, 0], x[:0], xp.broadcast_to(x[0, 0, 0], (3, 2))):
        y = view.to_device(target)
        assert devices([y]) == {target}
        assert (y.shape, y.dtype) == (view.shape, view.dtype)
        np.testing.assert_array_equal(y.numpy(), view.numpy())
        back = (y.to_device(source), xp.asarray(y, device=source))
        for z in back:
            assert z.device == source
            np.testing.assert_array_equal(z.numpy(), view.numpy())
    y = x.to_device(target)
    x[...] = 0
    assert bool(xp.any(y != 0))


@two_gpus
@needs_emulation
def test_the_host_does_not_wait_for_copies():
    x = xp.ones(1000, device=FIRST)
    assert counted(lambda: (x * 2).to_device(SECOND).to_device(FIRST)) == "none"


@two_gpus
def test_copies_on_a_stream():
    import cupy

    x = xp.arange(100_000.0, device=FIRST)
    with cupy.cuda.Device(1):
        stream = cupy.cuda.Stream(non_blocking=True)
    for _ in range(3):
        y = (x * 2).to_device(SECOND, stream=stream)
        stream.synchronize()
        np.testing.assert_array_equal(y.numpy(), 2 * x.numpy())


@contextlib.contextmanager
def own_streams():
    """Make a stream that waits for no other current on each GPU."""
    import cupy

    streams = []
    for i in range(2):
        with cupy.cuda.Device(i):
            streams.append(cupy.cuda.Stream(non_blocking=True))
            streams[-1].use()
    try:
        yield
    finally:
        for i, stream in enumerate(streams):
            with cupy.cuda.Device(i):
                stream.synchronize()
                cupy.cuda.Stream.null.use()


@two_gpus
@needs_emulation
@pytest.mark.parametrize("streams", [contextlib.nullcontext, own_streams])
@pytest.mark.parametrize("source", [FIRST, SECOND])
def test_copies_are_in_order(source, streams):
    """Each GPU waits for the other, before the copy and after it, though neither runs yet."""
    target = SECOND if source == FIRST else FIRST
    with streams(), late():
        for start in (1.0, 2.0, 3.0):
            x = start * xp.ones(1000, device=source)
            y = x.to_device(target)
            x[...] = 0.0
            z = (y + 1).to_device(source)
            del y
            taken = xp.zeros(1000, device=target)  # the memory of y
            assert set(z.tolist()) == {start + 1}
            assert set(taken.tolist()) == {0.0}


@two_gpus
def test_gradients_pass_from_one_to_the_other():
    x = xp.asarray([1.0, 2.0, 3.0], device=FIRST)
    g = autodiff.grad(lambda x: xp.sum(xp.exp(x.to_device(SECOND)).to_device(FIRST) * x))(x)
    assert g.device == FIRST
    np.testing.assert_allclose(g.numpy(), np.exp(x.numpy()) * (1 + x.numpy()))
    _, t = autodiff.jvp(lambda x: x.to_device(SECOND) ** 2, (x,), (x,))
    assert t.device == SECOND
    np.testing.assert_allclose(t.numpy(), 2 * x.numpy() ** 2)


@two_gpus
@pytest.mark.parametrize("device", [FIRST, SECOND])
def test_a_compiled_function_has_a_graph_for_the_gpu_of_its_arguments(device):
    def f(x):
        for _ in range(4):
            x = xp.sin(x) / xp.sum(x * x)
        return x

    compiled = xp.compile(f)
    for i in range(5):
        x = xp.random.default_rng(i).normal(size=5).to_device(device)
        y = compiled(x)
        assert devices([y]) == {device}
        np.testing.assert_array_equal(y.numpy(), f(x).numpy())
    assert "launched 3 times" in compiled.explain()


@two_gpus
def test_a_compiled_function_of_two_gpus_has_no_graph():
    def f(x):
        for _ in range(4):
            x = xp.sin(x) / xp.sum(x * x)
        return x + xp.sum(x.to_device(SECOND) * 2).to_device(FIRST)

    compiled = xp.compile(f)
    x = xp.asarray([1.0, 2.0, 3.0], device=FIRST)
    for _ in range(4):
        np.testing.assert_array_equal(compiled(x).numpy(), f(x).numpy())
    assert "no CUDA graph" in compiled.explain()


# ---- what must not be mixed


@two_gpus
@pytest.mark.parametrize(
    "function",
    sorted(
        {c.function for c in CASES if len(c.builders) > 1}
        - {"scipy.integrate.odeint", "scipy.integrate.solve_ivp"}  # they take those on the CPU
    ),
)
def test_operands_on_two_gpus_raise(function):
    for case in CASES:
        if case.function != function or len(case.builders) < 2:
            continue
        inputs = case.inputs(FIRST)
        for i in range(len(inputs)):
            mixed = [x.to_device(SECOND) if k == i else x for k, x in enumerate(inputs)]
            with pytest.raises(xp.DeviceMismatchError):
                case.outputs(*mixed)
            with pytest.raises(xp.DeviceMismatchError):
                autodiff.vjp(case.call, *mixed)


def of_two_tensors():
    """The public functions of operands x1 and x2, and the operators in place."""
    found = {
        name: getattr(xp, name)
        for name in xp.__all__
        if inspect.isfunction(getattr(xp, name))
        and list(inspect.signature(getattr(xp, name)).parameters)[:2] == ["x1", "x2"]
    }
    names = "iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift"
    return found | {name: getattr(operator, name) for name in names.split()}


@two_gpus
@pytest.mark.parametrize("name", of_two_tensors())
def test_two_operands_on_two_gpus_raise(name):
    x = xp.ones((2, 2), dtype=xp.int64, device=FIRST)
    for dtype in (xp.int64, xp.float64):
        a, b = xp.astype(x, dtype), xp.astype(x, dtype).to_device(SECOND)
        for operands in ((a, b), (b, a)):
            with pytest.raises(xp.DeviceMismatchError):
                of_two_tensors()[name](*operands)


@two_gpus
def test_an_index_on_another_gpu_raises():
    x, i = xp.ones(3, device=FIRST), xp.asarray([0, 1], device=SECOND)
    mask = x.to_device(SECOND) > 0
    for use in (lambda: x[i], lambda: x[[i[0]]], lambda: x[mask], lambda: xp.take(x, i)):
        with pytest.raises(xp.DeviceMismatchError):
            use()
    for write in (lambda: x.__setitem__(i, 1.0), lambda: x.__setitem__(slice(2), [i[0], i[1]])):
        with pytest.raises(xp.DeviceMismatchError):
            write()


# ---- all on the second one, while the first one is current


@two_gpus
@pytest.mark.parametrize("function", sorted({c.function for c in CASES}))
def test_gradients_on_the_second_are_those_on_the_first(function):
    import cupy

    for case in CASES:
        if case.function != function:
            continue
        found = []
        for device in (FIRST, SECOND):
            try:
                trial = Trial(case, device)
            except TypeError:  # CuPy lacks some, or for complex numbers, and says so
                assert function.startswith(("special.", "scipy."))
                continue
            values, gradients = trial.pulled
            _, tangents = trial.pushed
            results = [*values, *gradients, *tangents]
            assert devices(results) <= {device}
            found.append([x.numpy().tobytes() for x in results])
            assert cupy.cuda.Device().id == 0
        assert not found or found[0] == found[1], case.name


@two_gpus
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop])
def test_training_on_the_second_is_that_on_the_first(kind):
    def trained(device):
        rng = xp.random.default_rng(0, device=device)
        with xp.default_device(device):
            model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 2, rng=rng))
        x, target = rng.standard_normal((8, 3)), rng.integers(0, 2, 8)
        optimizer = kind(model.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            nn.cross_entropy(model(x), target).backward()
            optim.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        state = {**model.state_dict(), **optimizer.state_dict()}
        kept = [x for s in optimizer.state for x in s.values() if isinstance(x, xp.Tensor)]
        gradients = [p.grad for p in model.parameters()]
        assert devices([*model.state_dict().values(), *kept, *gradients]) == {device}
        return {name: x.numpy().tobytes() for name, x in state.items()}

    assert trained(SECOND) == trained(FIRST)


@two_gpus
def test_random_numbers_on_the_second_are_those_on_the_first():
    def drawn(device):
        rng = xp.random.default_rng(5, device=device)
        made = [
            rng.random(5),
            rng.standard_normal((2, 3), dtype=xp.float32),
            rng.integers(-5, 5, 7),
            rng.permutation(6),
            rng.choice(9, 4, replace=False),
            rng.choice(3, 4, p=xp.asarray([0.2, 0.3, 0.5], device=device)),
            rng.spawn(2)[1].random(3),
        ]
        assert devices(made) == {device}
        again = pickle.loads(pickle.dumps(rng))
        assert again.device == device
        made += [rng.random(3), again.random(3)]
        assert made[-1].tolist() == made[-2].tolist()
        return [x.tolist() for x in made]

    assert drawn(SECOND) == drawn(FIRST)
    with pytest.raises(ValueError, match="generator"):
        xp.random.default_rng(xp.random.default_rng(0, device=FIRST), device=SECOND)


@two_gpus
def test_pickles_and_where_they_are_read():
    x = xp.asarray([1.0, -0.0, 3.0], device=SECOND)
    data = pickle.dumps({"x": x, "device": xp.Device(SECOND)})
    for where in (SECOND, FIRST, "cpu"):
        with xp.map_location(where):
            found = pickle.loads(data)
        assert found["x"].device == where
        assert found["x"].numpy().tobytes() == x.numpy().tobytes()
    assert pickle.loads(data)["x"].device == SECOND


@two_gpus
def test_files_of_parameters(tmp_path):
    rng = xp.random.default_rng(0, device=SECOND)
    with xp.default_device(SECOND):
        model = nn.Linear(3, 2, rng=rng)
    nn.save(model.state_dict(), tmp_path / "model")
    for where in (FIRST, SECOND):
        found = nn.load(tmp_path / "model", device=where)
        assert devices(found.values()) == {where}
        for name, x in model.state_dict().items():
            assert found[name].tolist() == x.tolist()


@two_gpus
def test_gradients_on_two_gpus_are_clipped_together():
    gradients = [xp.full(2, 3.0, device=device) for device in (FIRST, SECOND)]
    assert float(optim.clip_grad_norm_(gradients, 1.0)) == pytest.approx(6.0)
    assert [g.device for g in gradients] == [FIRST, SECOND]
    for g in gradients:
        np.testing.assert_allclose(g.numpy(), 0.5, rtol=1e-5)


# ---- data parallelism


@two_gpus
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_a_batch_in_parts_on_two_gpus(reduce):
    """Each part is computed where it lies; gradients come back to the parameters."""
    rng = np.random.default_rng(0)
    x, y = (xp.asarray(rng.standard_normal(s), device=FIRST) for s in ((10, 3), (10,)))
    w = {"w": xp.asarray(rng.standard_normal(3), device=FIRST), "b": xp.asarray(0.5, device=FIRST)}

    def loss(w, batch):
        x, y = batch
        w, b = (w[name].to_device(x.device) for name in ("w", "b"))
        error = (xp.tanh(x @ w + b) - y) ** 2
        return getattr(xp, reduce)(error).to_device(FIRST)

    def part(i):
        device = (FIRST, SECOND)[i % 2]
        rows = slice(3 * i, 3 * i + 3)
        return x[rows].to_device(device), y[rows].to_device(device)

    batch = distributed.from_map(part, range(4))
    value, gradient = distributed.value_and_grad(loss, reduce=reduce)(w, batch)
    expected = autodiff.value_and_grad(loss)(w, (x, y))
    np.testing.assert_allclose(value.numpy(), expected[0].numpy(), rtol=1e-12)
    for name, g in expected[1].items():
        assert gradient[name].device == FIRST
        np.testing.assert_allclose(gradient[name].numpy(), g.numpy(), rtol=1e-12)


@two_gpus
@pytest.mark.parametrize("device", [FIRST, SECOND])
def test_a_batch_whose_workers_use_one_gpu(device):
    """The parameters are moved there, and their gradients come back."""
    x = xp.reshape(xp.linspace(-1.0, 1.0, 24), (8, 3))
    w = xp.ones(3)
    step = distributed.value_and_grad(lambda w, x: xp.mean((x @ w) ** 2), device=device)
    value, gradient = step(w, distributed.shard(x, 4, device=device))
    expected = autodiff.value_and_grad(lambda w: xp.mean((x @ w) ** 2))(w)
    assert gradient.device == "cpu"
    np.testing.assert_allclose(value.to_device("cpu"), expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12)


PAGE = Path(__file__).parents[2] / "docs" / "distributed.md"


@two_gpus
def test_the_page_on_data_parallelism_on_the_second():
    """In threads and in processes, with all tensors on that GPU."""
    page = re.sub("^```.*$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = page.partition("## Determinism")[0]
    snippets = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report = []
    with xp.default_device(SECOND):
        runner.run(snippets, out=report.append, clear_globs=False)
    assert runner.summarize(verbose=False).attempted > 15
    assert not report, "".join(report)
    found = [snippets.globs[name] for name in ("x", "y", "value", "whole")]
    found += [*snippets.globs["params"].values(), *snippets.globs["gradient"].values()]
    assert devices(found) == {SECOND}


@two_gpus
def test_what_the_page_on_data_parallelism_shows_of_gpus():
    section = PAGE.read_text(encoding="utf-8").partition("## GPUs")[2].partition("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    rng = np.random.default_rng(0)
    x, y = xp.asarray(rng.standard_normal((1000, 3))), xp.asarray(rng.standard_normal(1000))
    params = {"w": xp.ones(3), "b": xp.asarray(0.0)}

    def loss(params, x, y):
        return xp.mean((xp.tanh(x @ params["w"]) + params["b"] - y) ** 2)

    def f(params, part):
        return loss(params, *part)

    names = {"client": None, "distributed": distributed, "loss": loss, "f": f}
    names |= {"x": x, "y": y, "params": params}
    exec(code, names)
    expected, gradient = autodiff.value_and_grad(loss)(params, x, y)
    for found in (names["step"](params, names["batch"]), (names["value"], names["gradient"])):
        np.testing.assert_allclose(found[0].to_device("cpu"), expected, rtol=1e-12)
        for name, g in gradient.items():
            assert found[1][name].device == "cpu"
            np.testing.assert_allclose(found[1][name], g, rtol=1e-12)
    parts = distributed.from_map(names["part"], range(4))
    places = distributed.value_and_grad(lambda w, part: (xp.sum(w), part[0].device), has_aux=True)(
        params["w"], parts
    )[0][1]
    assert places == [FIRST, SECOND, FIRST, SECOND]
