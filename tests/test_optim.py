"""Optimisers against PyTorch's and against their formulas written out; schedules; minimisers."""

import gc
import json
import math
import tracemalloc
import warnings

import numpy as np
import pytest

import arraygrad
from arraygrad import DeviceMismatchError, autodiff, nn, optim
from arraygrad._backends.numpy import parallel
from arraygrad.data import DataLoader

START = [
    np.asarray([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]]),
    np.asarray(0.8),
    np.asarray([1.0, -2.0]),
]


def loss_of(ps):
    """Not convex, and written so that tensors, PyTorch's and NumPy's arrays all take it."""
    a, b, c = ps
    return ((a**3 - b * a) ** 2).sum() * 0.1 + ((c**2 - b) ** 2).sum() * 0.05


CASES = {
    "sgd": ("SGD", {"lr": 0.01}),
    "momentum": ("SGD", {"lr": 0.005, "momentum": 0.9}),
    "dampening": ("SGD", {"lr": 0.01, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.02}),
    "nesterov": ("SGD", {"lr": 0.003, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    "sgd-up": ("SGD", {"lr": 1e-4, "momentum": 0.5, "maximize": True}),
    "sgd-up-decay": ("SGD", {"lr": 1e-4, "weight_decay": 0.1, "maximize": True}),
    "adam": ("Adam", {"lr": 0.05}),
    "adam-options": ("Adam", {"lr": 0.05, "betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    "amsgrad": ("Adam", {"lr": 0.05, "amsgrad": True}),
    "adam-up": ("Adam", {"lr": 1e-3, "weight_decay": 0.1, "maximize": True}),
    "adamw": ("AdamW", {"lr": 0.05}),
    "adamw-options": ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}),
    "rmsprop": ("RMSprop", {"lr": 1e-3}),
    "rmsprop-options": ("RMSprop", {"lr": 5e-3, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    "rmsprop-momentum": ("RMSprop", {"lr": 1e-3, "momentum": 0.8, "maximize": True}),
    "rmsprop-centered": ("RMSprop", {"lr": 1e-3, "momentum": 0.8, "centered": True}),
    "rmsprop-variance": ("RMSprop", {"lr": 1e-3, "centered": True, "weight_decay": 0.1}),
}


def trained(optimizer, ps, steps=100):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(ps).backward()
        optimizer.step()


def variables(xp, start=START, dtype=None):
    return [autodiff.variable(xp.asarray(w, dtype=dtype, copy=True)) for w in start]


@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_agree_with_pytorch(case):
    torch = pytest.importorskip("torch")
    name, options = CASES[case]
    ours = variables(arraygrad)
    theirs = [torch.tensor(w, requires_grad=True) for w in START]
    trained(getattr(optim, name)(ours, **options), ours)
    trained(getattr(torch.optim, name)(theirs, **options), theirs)
    for a, b, w in zip(ours, theirs, START, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-13, atol=1e-14)
        assert np.abs(a.detach().numpy() - w).max() > 1e-3


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adams_betas_may_change_between_steps(amsgrad):
    torch = pytest.importorskip("torch")
    ours = variables(arraygrad)
    theirs = [torch.tensor(w, requires_grad=True) for w in START]
    a = optim.Adam(ours, lr=0.05, amsgrad=amsgrad)
    b = torch.optim.Adam(theirs, lr=0.05, amsgrad=amsgrad)
    for n in range(30):
        betas = (0.8 + 0.19 * (n % 7) / 7, 0.9 + 0.09 * (n % 5) / 5)
        a.param_groups[0]["betas"] = b.param_groups[0]["betas"] = betas
        trained(a, ours, 1)
        trained(b, theirs, 1)
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-13, atol=1e-14)


def test_defaults_are_pytorchs():
    torch = pytest.importorskip("torch")
    for name in ("SGD", "Adam", "AdamW", "RMSprop"):
        ours = getattr(optim, name)([arraygrad.ones(2)]).param_groups[0]
        theirs = getattr(torch.optim, name)([torch.ones(2)]).param_groups[0]
        assert {k: v for k, v in ours.items() if k != "params"}.items() <= theirs.items()


def sgd_step(p, g, kept, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=0):
    g = (-g if maximize else g) + weight_decay * p
    if momentum:
        b = kept.get("b")
        b = kept["b"] = g if b is None else momentum * b + (1 - dampening) * g
        g = g + momentum * b if nesterov else b
    return p - lr * g


def adam_step(
    p, g, kept, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=0, maximize=0, apart=0
):
    g = -g if maximize else g
    if apart:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    n = kept["n"] = kept.get("n", 0) + 1
    m = kept["m"] = betas[0] * kept.get("m", 0) + (1 - betas[0]) * g
    v = kept["v"] = betas[1] * kept.get("v", 0) + (1 - betas[1]) * g * g
    if amsgrad:
        v = kept["top"] = np.maximum(kept.get("top", 0), v)
    m, v = m / (1 - betas[0] ** n), v / (1 - betas[1] ** n)
    return p - lr * m / (np.sqrt(v) + eps)


def rmsprop_step(
    p, g, kept, lr, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=0, maximize=0
):
    g = (-g if maximize else g) + weight_decay * p
    v = kept["v"] = alpha * kept.get("v", 0) + (1 - alpha) * g * g
    if centered:
        m = kept["m"] = alpha * kept.get("m", 0) + (1 - alpha) * g
        v = v - m * m
    step = g / (np.sqrt(v) + eps)
    if momentum:
        step = kept["b"] = momentum * kept.get("b", 0) + step
    return p - lr * step


STEPS = {"SGD": sgd_step, "Adam": adam_step, "AdamW": adam_step, "RMSprop": rmsprop_step}


@pytest.mark.parametrize("case", CASES)
def test_the_formulas_on_every_device(case, xp):
    name, options = CASES[case]
    rule = STEPS[name]
    if name == "AdamW":
        options = {"weight_decay": 0.01, **options}
        apart = {"apart": 1}
    else:
        apart = {}
    ps = variables(xp)
    want, kept = [w.copy() for w in START], [{} for _ in START]
    optimizer = getattr(optim, name)(ps, **options)
    for _ in range(10):
        optimizer.zero_grad()
        loss_of(ps).backward()
        grads = [p.grad.numpy() for p in ps]
        optimizer.step()
        want = [
            rule(w, g, k, **options, **apart) for w, g, k in zip(want, grads, kept, strict=True)
        ]
    for p, w in zip(ps, want, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), w, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes(dtype):
    """Complex numbers are pairs of real ones."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    shape = (3, 2)
    w, g = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(2))
    w, g = ((x if np.dtype(dtype).kind == "c" else x.real).astype(dtype) for x in (w, g))
    for name in ("SGD", "Adam", "RMSprop"):
        ours = autodiff.variable(arraygrad.asarray(w, copy=True))
        theirs = torch.tensor(w, requires_grad=True)
        ours.grad, theirs.grad = arraygrad.asarray(g, copy=True), torch.tensor(g)
        a, b = getattr(optim, name)([ours], lr=0.1), getattr(torch.optim, name)([theirs], lr=0.1)
        for _ in range(5):
            a.step()
            b.step()
        assert ours.dtype == dtype
        close = 1e-5 if np.dtype(dtype).itemsize // (1 + (np.dtype(dtype).kind == "c")) == 4 else 0
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), rtol=close or 1e-14
        )


STRIDED = {
    "transposed": lambda z: z.T,
    "every second": lambda z: z[::2, ::2],
    "a column": lambda z: z[:, 1],
    "reversed": lambda z: z[::-1, :],
}


@pytest.mark.parametrize("layout", STRIDED)
@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
        ("Adam", {"amsgrad": True}),
        ("RMSprop", {"momentum": 0.5, "centered": True}),
    ],
)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_complex_parameters_of_every_layout(xp, layout, n, name, options):
    """They are updated as their contiguous copies are, and what lies between them is not."""
    rng = np.random.default_rng(0)
    whole = rng.standard_normal((n, 4)) + 1j * rng.standard_normal((n, 4))
    base = xp.asarray(whole, copy=True)
    p = STRIDED[layout](base)
    ours = getattr(optim, name)([p], lr=0.1, **options)
    flat = xp.asarray(STRIDED[layout](whole).copy())
    others = getattr(optim, name)([flat], lr=0.1, **options)
    for i in range(4):
        g = rng.standard_normal(p.shape) + 1j * rng.standard_normal(p.shape)
        ours.step([xp.asarray(g)])
        others.step([xp.asarray(g, copy=True)])
        if i == 1:  # a loaded state may have another layout
            ours.load_state_dict(others.state_dict())
    np.testing.assert_allclose(p.numpy(), flat.numpy(), rtol=1e-12)
    STRIDED[layout](whole)[...] = flat.numpy()
    np.testing.assert_allclose(base.numpy(), whole, rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64])
def test_options_may_be_numpys_numbers(kind):
    """They count as Python's, whose dtype is that of the parameters."""
    rate = kind(1) if kind is np.int64 else kind(0.3)
    python = rate.item()
    part = 0.5 if kind is np.int64 else kind(0.3)
    for name, options in (
        ("SGD", {"lr": rate, "momentum": rate, "dampening": rate, "weight_decay": rate}),
        ("Adam", {"lr": rate, "betas": (part, part), "eps": rate, "weight_decay": rate}),
        ("RMSprop", {"lr": rate, "alpha": part, "eps": rate, "momentum": rate}),
    ):
        plain = {k: (0.5 if x == 0.5 else python) for k, x in options.items()}
        if name == "Adam":
            plain["betas"] = (plain["lr"], plain["lr"]) if kind is not np.int64 else (0.5, 0.5)
        for dtype in ("float32", "float64"):
            p, q = (arraygrad.asarray([1.0, -2.0], dtype=dtype) for _ in range(2))
            g = arraygrad.asarray([0.3, 0.7], dtype=dtype)
            one, other = getattr(optim, name)([p], **options), getattr(optim, name)([q], **plain)
            assert one.param_groups[0] == {**other.param_groups[0], "params": [p]}
            assert repr(one) == repr(other)
            for _ in range(3):
                one.step([g])
                other.step([g])
            np.testing.assert_array_equal(p.numpy(), q.numpy())


# ---- large parameters, in blocks and by several threads


def layouts():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((700, 901))
    return {
        "flat": (a.ravel(), a.ravel()[::-1].copy()),
        "both by columns": (np.asfortranarray(a), np.asfortranarray(a[::-1])),
        "mixed": (a, np.asfortranarray(a[::-1])),
        "part": (rng.standard_normal((700, 1802))[:, ::2], a),
        "one row": (a.reshape(1, -1), rng.standard_normal((a.size, 1)).T),
    }


Job = parallel._Job


@pytest.mark.parametrize("layout", layouts())
@pytest.mark.parametrize("cores", [1, 2, 5])
def test_large_parameters_of_every_layout(layout, cores, monkeypatch):
    monkeypatch.setattr(parallel, "_num_threads", cores)
    jobs = []
    monkeypatch.setattr(parallel, "_Job", lambda *args: jobs.append(Job(*args)) or jobs[-1])
    w, g = layouts()[layout]
    for name, rule in (("Adam", adam_step), ("SGD", sgd_step)):
        data, kept, want = w.copy(order="K"), {}, w
        p = arraygrad.asarray(data, copy=False)
        optimizer = getattr(optim, name)([p], lr=0.1, weight_decay=0.1)
        for _ in range(3):
            optimizer.step([arraygrad.asarray(g)])
            want = rule(want, g, kept, lr=0.1, weight_decay=0.1)
        np.testing.assert_allclose(data, want, rtol=1e-12, atol=1e-13)
    assert len(jobs) == (0 if cores == 1 else 6)


def test_an_error_in_a_block_is_raised(monkeypatch):
    monkeypatch.setattr(parallel, "BLOCK_BYTES", 64)

    def rule(into, a):
        if a[0] == 32:
            raise ZeroDivisionError
        a += 1.0

    with pytest.raises(ZeroDivisionError):
        parallel.fused_update(rule, [np.arange(100.0)], 0)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_a_step_allocates_no_more_than_a_few_blocks(name):
    p = autodiff.variable(arraygrad.zeros(2_000_000))
    p.grad = arraygrad.ones(2_000_000)
    options = {"momentum": 0.9} if name == "SGD" else {}
    optimizer = getattr(optim, name)([p], weight_decay=0.1, **options)
    optimizer.step()
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.resetwarnings()  # (warnings that are errors undo a step, which takes copies)
            for _ in range(3):
                optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = 8 * 2_000_000
    assert peak < min(size, 2 * (parallel.BLOCK_BYTES + 100_000) * parallel.get_num_threads())


def test_no_array_is_left_after_a_step_without_the_garbage_collector():
    p = {"w": arraygrad.ones((300, 200)), "b": arraygrad.asarray(1.0)}
    x = arraygrad.linspace(-1, 1, 200)
    optimizer = optim.Adam(p)

    def run(steps):
        for _ in range(steps):
            _, g = autodiff.value_and_grad(lambda p: arraygrad.sum((p["w"] @ x + p["b"]) ** 2))(p)
            optim.clip_grad_norm_(g, 1.0)
            optimizer.step(g)

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        run(100)
        before, _ = tracemalloc.get_traced_memory()
        run(400)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after - before < 8 * 300 * 200


# ---- parameters, groups and gradients


def test_groups_have_their_own_options():
    a, b, c = (autodiff.variable(arraygrad.ones(2)) for _ in range(3))
    optimizer = optim.SGD([{"params": [a]}, {"params": iter([b]), "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": c, "lr": 0.0})
    for p in (a, b, c):
        p.grad = arraygrad.ones(2)
    optimizer.step()
    assert [p[0].item() for p in (a, b, c)] == [0.9, 0.5, 1.0]
    optimizer.param_groups[2]["lr"] = 1.0
    optimizer.step()
    assert c[0].item() == 0.0
    assert "lr=0.5" in repr(optimizer)


def test_variables_without_a_gradient_are_left_alone():
    a, b = variables(arraygrad, START[:2])
    optimizer = optim.Adam([a, b])
    a.grad = arraygrad.ones((2, 3))
    optimizer.step()
    assert b.item() == 0.8
    assert optimizer.state[1] == {}
    b.grad = arraygrad.asarray(1.0)
    optimizer.step()
    assert [s["step"] for s in optimizer.state] == [2, 1]


def test_zero_grad():
    (p,) = variables(arraygrad, START[:1])
    optimizer = optim.SGD([p])
    p.grad = arraygrad.ones((2, 3))
    optimizer.zero_grad(set_to_none=False)
    assert float(arraygrad.sum(p.grad)) == 0.0
    optimizer.zero_grad()
    assert p.grad is None


def test_gradients_of_containers(xp):
    p = {"w": xp.ones((2, 2)), "more": (xp.asarray(1.0), [xp.zeros(3)])}

    def loss(p):
        return (
            xp.sum((p["w"] - 2) ** 2) + (p["more"][0] - 3) ** 2 + xp.sum(p["more"][1][0] + 1) ** 2
        )

    before = p["w"]
    optimizer = optim.Adam(p, lr=0.1)
    for _ in range(300):
        _, g = autodiff.value_and_grad(loss)(p)
        optimizer.step(g)
    assert p["w"] is before
    assert float(loss(p)) < 1e-6


def test_both_styles_train_a_module_alike():
    rng = arraygrad.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 1, rng=rng))
    other = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    other.load_state_dict(model.state_dict())
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))

    def loss(model):
        return arraygrad.mean((model(x) - y) ** 2)

    tape, functional = optim.Adam(model.parameters(), lr=0.01), optim.Adam(other, lr=0.01)
    first = loss(model).item()
    for _ in range(50):
        tape.zero_grad()
        loss(model).backward()
        tape.step()
        functional.step(autodiff.grad(loss)(other))
    assert loss(model).item() < first
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)


def test_a_graph_does_not_see_the_values_after_a_step():
    (p,) = variables(arraygrad, START[2:])
    loss = arraygrad.sum(p**3)
    p.grad = arraygrad.ones(2)
    optim.SGD([p], lr=1.0).step()
    p.grad = None
    loss.backward()
    assert p.grad.tolist() == (3 * START[2] ** 2).tolist()


def test_what_is_wrong_with_parameters():
    w = autodiff.variable(arraygrad.ones(2))
    for bad, error, match in (
        ([], ValueError, "at least one parameter"),
        ([w, w], ValueError, "twice"),
        ([2 * w], ValueError, "result of an operation"),
        ([arraygrad.arange(3)], TypeError, "floating-point"),
        ([1.0], TypeError, "floating-point"),
        ([{"params": [w], "momentun": 1}], TypeError, "unknown option 'momentun'"),
        ([{"params": []}], ValueError, "at least one parameter"),
    ):
        with pytest.raises(error, match=match):
            optim.SGD(bad)
    with pytest.raises(TypeError, match="with 'params'"):
        optim.SGD([w]).add_param_group([w])
    for options, error, match in (
        ({"lr": -1}, ValueError, "lr must be at least 0"),
        ({"lr": "fast"}, TypeError, "lr must be a number"),
        ({"lr": float("nan")}, ValueError, "lr"),
        ({"betas": (0.9, 1.0)}, ValueError, "betas"),
        ({"betas": 0.9}, TypeError, "betas must be two numbers"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay"),
    ):
        with pytest.raises(error, match=match):
            optim.Adam([w], **options)
    with pytest.raises(ValueError, match="nesterov requires"):
        optim.SGD([w], nesterov=True)


def test_what_is_wrong_with_gradients():
    w = arraygrad.ones(2)
    optimizer = optim.SGD([w, arraygrad.ones(3)])
    good = arraygrad.ones(3)
    for bad, error, match in (
        (None, TypeError, "a plain tensor has no grad"),
        ([good], ValueError, "gradients for 2 parameters; got 1"),
        ([good, good], ValueError, "gradient 0 must have shape"),
        ([arraygrad.ones(2, dtype=np.float32), good], TypeError, "of dtype float64"),
        ([1.0, good], TypeError, "gradient 0"),
        ([arraygrad.ones(2, device="strict:1"), good], DeviceMismatchError, "strict:1"),
    ):
        with pytest.raises(error, match=match):
            optimizer.step(bad)
    assert float(arraygrad.sum(w)) == 2.0


def test_a_parameter_that_cannot_be_written():
    a = np.zeros(3)
    a.flags.writeable = False
    with pytest.raises(ValueError, match=r"step: .*read-only"):
        optim.SGD([arraygrad.asarray(a, copy=False)]).step([arraygrad.ones(3)])


def test_a_step_is_not_differentiated():
    def after_one_step(lr):
        w = arraygrad.ones(2)
        optim.SGD([w]).step([w * lr])
        return arraygrad.sum(w)

    with pytest.raises(autodiff.NotDifferentiableError, match="not differentiated"):
        autodiff.grad(after_one_step)(arraygrad.asarray(0.1))
    w = arraygrad.ones(2)
    optim.SGD([w], lr=1.0).step([autodiff.stop_gradient(w)])
    assert float(w[0]) == 0.0


# ---- state


@pytest.mark.parametrize("case", CASES)
def test_a_restored_optimizer_goes_on_the_same(case, xp, tmp_path):
    if xp.default_device().device == "cpu":
        pytest.importorskip("safetensors")
    name, options = CASES[case]
    ps = variables(xp)
    optimizer = getattr(optim, name)(
        [{"params": ps[:1], "lr": 0.002}, {"params": ps[1:]}], **options
    )
    trained(optimizer, ps, 5)
    saved = optimizer.state_dict()
    if xp.default_device().device == "cpu":
        nn.save(saved, tmp_path / "o.safetensors")
        saved = nn.load(tmp_path / "o.safetensors")
    values = [p.detach().numpy().copy() for p in ps]
    trained(optimizer, ps, 5)

    again = [autodiff.variable(xp.asarray(v)) for v in values]
    other = getattr(optim, name)([{"params": again[:1]}, {"params": again[1:]}], lr=77.0)
    other.load_state_dict(saved)
    trained(other, again, 5)
    for a, b in zip(ps, again, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_a_state_is_a_copy_and_goes_to_the_parameters_device():
    p = [arraygrad.ones(2)]
    optimizer = optim.Adam(p)
    optimizer.step([arraygrad.ones(2)])
    saved = optimizer.state_dict()
    optimizer.step([arraygrad.ones(2)])
    assert saved["state.0.step"].item() == 1
    assert float(saved["state.0.sum"][0]) == 1
    there = arraygrad.ones(2, device="strict:1", dtype=np.float32)
    other = optim.Adam([there])
    other.load_state_dict(saved)
    assert other.state[0]["sum"].device == "strict:1"
    assert other.state[0]["sum"].dtype == np.float32


def test_a_closure_is_no_gradient():
    w = autodiff.variable(arraygrad.ones(2))
    with pytest.raises(TypeError, match="call a closure first"):
        optim.SGD([w], lr=0.1).step(lambda: arraygrad.sum(w))


def test_a_state_that_does_not_fit_changes_nothing():
    p = [arraygrad.ones(2), arraygrad.ones(3)]
    optimizer = optim.Adam(p, lr=0.5)
    optimizer.step([arraygrad.ones(2), arraygrad.ones(3)])
    before = optimizer.state_dict()
    fits = {k: v + 1 if k.endswith("step") else v for k, v in before.items()}
    for change, match in (
        ({"state.1.sum": arraygrad.ones(4)}, "state.1.sum must be a tensor of shape"),
        ({"state.1.sum": None}, "state.1.sum is missing"),
        ({"state.2.sum": arraygrad.ones(4)}, "state.2.sum does not belong to Adam"),
        ({"groups.0.lr": None}, "groups.0.lr is missing"),
        ({"groups.0.lr": arraygrad.asarray(-1.0)}, "lr must be"),
        ({"groups.0.lr": arraygrad.ones(2)}, "lr must be"),
        ({"groups.0.params": arraygrad.asarray(3)}, "2 parameters"),
        ({"groups.1.lr": arraygrad.asarray(1.0)}, "groups.1.lr does not belong to"),
        ({"groups.0.momentum": arraygrad.asarray(1.0)}, "groups.0.momentum does not belong"),
        ({"state.0.step": arraygrad.asarray(1.5)}, "state.0.step"),
    ):
        state = {k: v for k, v in {**fits, **change}.items() if v is not None}
        with pytest.raises(ValueError, match=match):
            optimizer.load_state_dict(state)
        after = optimizer.state_dict()
        assert all(bool(arraygrad.all(after[k] == before[k])) for k in before)
    for bad in ([1], {"groups.0.lr": 0.1}):
        with pytest.raises(TypeError, match="load_state_dict"):
            optimizer.load_state_dict(bad)
    optimizer.load_state_dict(fits)
    assert optimizer.state[0]["step"] == 2


def test_interrupted_training_ends_with_the_same_weights(tmp_path):
    pytest.importorskip("safetensors")
    rng = arraygrad.random.default_rng(5)
    x, y = rng.standard_normal((50, 3)), rng.standard_normal((50, 1))

    def make():
        rng = arraygrad.random.default_rng(6)
        model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 1, rng=rng))
        optimizer = optim.AdamW(model.parameters(), lr=0.05)
        schedule = optim.CosineAnnealingLR(optimizer, T_max=20)
        return model, optimizer, schedule, DataLoader(x, y, batch_size=8, shuffle=rng)

    def train(model, optimizer, schedule, loader, stop=None):
        for _ in range(loader.epoch, 3):
            for a, b in loader:
                optimizer.zero_grad()
                nn.mse(model(a), b).backward()
                optimizer.step()
                schedule.step()
                if schedule.last_epoch == stop:
                    return
        assert schedule.last_epoch == 21

    whole, parts, rest = make(), make(), make()
    train(*whole)
    for stop in (10, 14):  # in the middle of an epoch and at its end
        train(*parts, stop=stop)
        for i in (0, 1):
            nn.save(parts[i].state_dict(), tmp_path / f"{i}")
        numbers = json.dumps([parts[i].state_dict() for i in (2, 3)])
        parts = make()
        for i in (0, 1):
            parts[i].load_state_dict(nn.load(tmp_path / f"{i}"))
        for i, state in zip((2, 3), json.loads(numbers), strict=True):
            parts[i].load_state_dict(state)
    train(*parts)
    for a, b, c in zip(*(made[0].parameters() for made in (whole, parts, rest)), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
        assert np.any(a.detach().numpy() != c.detach().numpy())


# ---- clipping


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_clipping_by_norm(norm_type, xp):
    torch = pytest.importorskip("torch")
    if norm_type == 3.0 and str(xp.default_device().device).startswith("strict"):
        norm_type = 1.0  # array_api_strict's own norms are what is measured elsewhere
    for most in (0.5, 100.0):
        ours = variables(xp)
        theirs = [torch.tensor(w, requires_grad=True) for w in START]
        loss_of(ours).backward()
        loss_of(theirs).backward()
        a = optim.clip_grad_norm_(iter(ours), most, norm_type)
        b = torch.nn.utils.clip_grad_norm_(theirs, most, norm_type)
        assert float(a) == pytest.approx(float(b), rel=1e-12)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_clipping_by_value_and_of_containers(xp):
    p = variables(xp, START[2:])
    p[0].grad = xp.asarray([5.0, -0.25])
    optim.clip_grad_value_(p, 0.5)
    np.testing.assert_array_equal(p[0].grad.numpy(), [0.5, -0.25])
    g = {"a": xp.asarray([3.0, 0.0]), "b": (xp.asarray(4.0),)}
    assert float(optim.clip_grad_norm_(g, 10.0)) == 5.0
    np.testing.assert_array_equal(g["a"].numpy(), [3.0, 0.0])
    optim.clip_grad_norm_(g, 2.5)
    np.testing.assert_allclose(g["a"].numpy(), [1.5, 0.0], rtol=1e-6)
    assert float(optim.clip_grad_norm_([], 1.0)) == 0.0


def test_clipping_refuses():
    g = [arraygrad.asarray([1.0, math.inf])]
    with pytest.raises(ValueError, match="norm of the gradients is inf"):
        optim.clip_grad_norm_(g, 1.0, error_if_nonfinite=True)
    assert float(g[0][0]) == 1.0
    for clip in (optim.clip_grad_norm_, optim.clip_grad_value_):
        for limit in (-1, math.nan):
            with pytest.raises(ValueError, match=f"must not be negative or NaN; got {limit}"):
                clip(g, limit)
        for limit in (None, "1", 1j, arraygrad.ones(2), True):
            with pytest.raises(TypeError, match=f"^{clip.__name__}: .* must be a number; got"):
                clip(g, limit)
        with pytest.raises(TypeError, match="expected floating-point parameters or gradients"):
            clip([arraygrad.asarray([1])], 1.0)
    with pytest.raises(TypeError, match="expected floating-point parameters"):
        optim.clip_grad_value_([1.0], 1.0)


def test_clipping_complex_gradients():
    g = {"a": arraygrad.asarray([3.0]), "b": arraygrad.asarray([3j, 4.0])}
    with pytest.raises(TypeError, match=r"clip_grad_value_: complex .*got .*complex128"):
        optim.clip_grad_value_(g, 1.0)
    assert g["a"].tolist() == [3.0]  # nothing has been written
    assert float(optim.clip_grad_norm_(g["b"], np.float32(2.5), np.int64(2))) == 5.0
    np.testing.assert_allclose(g["b"].numpy(), [1.5j, 2.0], rtol=1e-6)


# ---- schedules

SCHEDULES = {
    "StepLR": ({"step_size": 3}, {"step_size": 3, "gamma": 0.5}),
    "MultiStepLR": ({"milestones": [2, 5, 5]}, {"milestones": [1], "gamma": 0.3}),
    "ExponentialLR": ({"gamma": 0.9},),
    "LinearLR": ({}, {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 7}),
    "CosineAnnealingLR": ({"T_max": 10}, {"T_max": 6, "eta_min": 0.01}),
    "LambdaLR": ({"lr_lambda": lambda n: 1 / (1 + n)}, {"lr_lambda": [lambda n: n, lambda n: 2]}),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_agree_with_pytorchs(name):
    torch = pytest.importorskip("torch")
    for options in SCHEDULES[name]:
        ours = optim.SGD([{"params": arraygrad.ones(1)}, {"params": arraygrad.ones(1), "lr": 0.5}])
        theirs = torch.optim.SGD([{"params": torch.ones(1)}, {"params": torch.ones(1), "lr": 0.5}])
        a = getattr(optim, name)(ours, **options)
        b = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
        for _ in range(9):
            assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-12, abs=1e-15)
            assert [g["lr"] for g in ours.param_groups] == a.get_last_lr()
            ours.step([arraygrad.ones(1)] * 2)
            theirs.step()
            a.step()
            b.step()


def test_schedules_in_sequence_agree_with_pytorchs():
    torch = pytest.importorskip("torch")
    found = []
    for module, make, one in (
        (optim, optim.SGD, arraygrad.ones(1)),
        (torch.optim.lr_scheduler, torch.optim.SGD, torch.ones(1)),
    ):
        optimizer = make([one], lr=1.0)
        parts = [
            module.LinearLR(optimizer, start_factor=0.1, total_iters=4),
            module.CosineAnnealingLR(optimizer, T_max=6),
            module.ExponentialLR(optimizer, gamma=0.5),
        ]
        schedule = module.SequentialLR(optimizer, parts, milestones=[4, 8])
        rates = []
        for _ in range(12):
            rates += schedule.get_last_lr()
            optimizer.step(*([[arraygrad.ones(1)]] if module is optim else []))
            schedule.step()
        found.append(rates)
    assert found[0] == pytest.approx(found[1], rel=1e-12, abs=1e-15)


PLATEAU = {
    "factor": 0.5, "patience": 1, "cooldown": 2, "min_lr": 0.1, "threshold": 0.01,
}  # fmt: skip
METRICS = (3.0, 2.0, 2.0, 2.0, 1.995, 2.5, 1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("first", [[], [math.inf], [-math.inf], [math.nan]])
@pytest.mark.parametrize("eps", [1e-8, 0.2])
def test_plateaus_agree_with_pytorchs(mode, threshold_mode, first, eps):
    torch = pytest.importorskip("torch")
    options = {**PLATEAU, "mode": mode, "threshold_mode": threshold_mode, "eps": eps}
    a = optim.ReduceLROnPlateau(optim.SGD([arraygrad.ones(1)], lr=1.0), **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(
        torch.optim.SGD([torch.ones(1)], lr=1.0), **options
    )
    for x in (*first, *METRICS):
        a.step(x * autodiff.variable(arraygrad.asarray(1.0)))  # a loss before its backward
        b.step(x)
        assert a.get_last_lr() == pytest.approx(b.get_last_lr())
        assert (a.best, a.num_bad_epochs) == (b.best, b.num_bad_epochs)
    assert a.get_last_lr()[0] <= 0.5


def test_plateaus_that_count_small_and_infinite_changes():
    """Written out as PyTorch's are."""

    def rates(metrics, **options):
        schedule = optim.ReduceLROnPlateau(
            optim.SGD([arraygrad.ones(1)], lr=1.0), **{"factor": 0.5, "patience": 0, **options}
        )
        found = []
        for x in metrics:
            schedule.step(x)
            found += schedule.get_last_lr()
        return found

    # A first infinite or NaN loss is no improvement.
    assert rates([math.inf, 1.0, 0.5]) == [0.5, 0.5, 0.5]
    assert rates([math.nan, 1.0]) == [0.5, 0.5]
    assert rates([-math.inf, 1.0, 2.0], mode="max") == [0.5, 0.5, 0.5]
    assert rates([1.0, 0.5]) == [1.0, 1.0]
    # Thresholds of a tenth of the best value, or of a tenth.
    assert rates([10.0, 9.5], threshold=0.1) == [1.0, 0.5]
    assert rates([10.0, 9.5], threshold=0.1, threshold_mode="abs") == [1.0, 1.0]
    assert rates([10.0, 10.5], threshold=0.1, mode="max") == [1.0, 0.5]
    assert rates([10.0, 10.5], threshold=0.1, threshold_mode="abs", mode="max") == [1.0, 1.0]
    # Changes up to eps are ignored, for good.
    assert rates([1.0] * 5, eps=0.2) == [1.0, 0.5, 0.25, 0.25, 0.25]
    assert rates([1.0] * 4, eps=0.5) == [1.0, 1.0, 1.0, 1.0]
    assert rates([1.0] * 4, min_lr=0.4) == [1.0, 0.5, 0.4, 0.4]
    assert rates([1.0] * 3, min_lr=2.0) == [1.0, 1.0, 1.0]
    for metric in (np.float32(1), np.asarray(1.0), arraygrad.ones(1), arraygrad.asarray(1)):
        assert rates([metric, metric]) == [1.0, 0.5]
    for metric in (None, "1", 1j, arraygrad.asarray(1j)):
        with pytest.raises(TypeError, match=r"^ReduceLROnPlateau.step: metrics must be a number"):
            rates([metric])
    with pytest.raises(ValueError, match="threshold_mode must be 'rel' or 'abs'; got 'max'"):
        rates([], threshold_mode="max")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_schedules_of_numpys_numbers(kind):
    third, two = kind(0.3), np.int64(2)
    p = float(third)

    def rates(make):
        schedule = make(optim.SGD([arraygrad.ones(1)], lr=1.0))
        found = []
        for _ in range(5):
            schedule.step(*([1.0] if isinstance(schedule, optim.ReduceLROnPlateau) else []))
            found += schedule.get_last_lr()
        return found

    for one, other in (
        (lambda o: optim.StepLR(o, two, third), lambda o: optim.StepLR(o, 2, p)),
        (lambda o: optim.MultiStepLR(o, [two], third), lambda o: optim.MultiStepLR(o, [2], p)),
        (lambda o: optim.ExponentialLR(o, third), lambda o: optim.ExponentialLR(o, p)),
        (
            lambda o: optim.LinearLR(o, third, third, two),
            lambda o: optim.LinearLR(o, p, p, 2),
        ),
        (
            lambda o: optim.CosineAnnealingLR(o, two, third),
            lambda o: optim.CosineAnnealingLR(o, 2, p),
        ),
        (lambda o: optim.LambdaLR(o, lambda n: third), lambda o: optim.LambdaLR(o, lambda n: p)),
        (
            lambda o: optim.ReduceLROnPlateau(
                o, factor=third, patience=np.int64(0), threshold=third, min_lr=third, eps=third
            ),
            lambda o: optim.ReduceLROnPlateau(
                o, factor=p, patience=0, threshold=p, min_lr=p, eps=p
            ),
        ),
    ):
        found = rates(one)
        assert found == rates(other)
        assert {type(x) for x in found} == {float}


def test_schedules_go_on_from_their_state():
    for name, choices in SCHEDULES.items():
        options = choices[0]
        one, other = (
            getattr(optim, name)(optim.SGD([arraygrad.ones(1)], lr=lr), **options)
            for lr in (0.2, 9.0)
        )
        for _ in range(4):
            one.step()
        other.optimizer.load_state_dict(one.optimizer.state_dict())
        other.load_state_dict(one.state_dict())
        for _ in range(3):
            one.step()
            other.step()
            assert one.optimizer.param_groups[0]["lr"] == other.optimizer.param_groups[0]["lr"]


def test_what_schedules_refuse():
    optimizer = optim.SGD([arraygrad.ones(1)], lr=1.0)
    first = optim.StepLR(optimizer, 1)
    optim.ExponentialLR(optimizer, 0.5).step()
    with pytest.raises(RuntimeError, match="combine schedules use SequentialLR"):
        first.step()
    with pytest.raises(ValueError, match="load_state_dict"):
        first.load_state_dict({"last_epoch": 1})
    with pytest.raises(ValueError, match="groups of parameters; got 2"):
        first.load_state_dict({"last_epoch": 1, "base_lrs": [1, 2]})
    with pytest.raises(TypeError, match="lr_lambda must be a function or a list of functions"):
        optim.LambdaLR(optimizer, 3)
    with pytest.raises(TypeError, match="expected an optimiser"):
        optim.StepLR([], 1)
    for make in (
        lambda: optim.StepLR(optimizer, 0),
        lambda: optim.CosineAnnealingLR(optimizer, 1.5),
        lambda: optim.LinearLR(optimizer, start_factor=0.0),
        lambda: optim.ReduceLROnPlateau(optimizer, "least"),
        lambda: optim.ReduceLROnPlateau(optimizer, factor=1.0),
        lambda: optim.LambdaLR(optimizer, [abs, abs]),
        lambda: optim.SequentialLR(optimizer, [first, first], [5, 3]),
    ):
        with pytest.raises(ValueError):
            make()
    for given in (None, "1", [1], 1j, arraygrad.ones(2), True):
        for make in (
            lambda a: optim.StepLR(optimizer, 1, a),
            lambda a: optim.MultiStepLR(optimizer, [1], a),
            lambda a: optim.MultiStepLR(optimizer, 1.0 if a is None else [a]),
            lambda a: optim.ExponentialLR(optimizer, a),
            lambda a: optim.LinearLR(optimizer, a),
            lambda a: optim.LinearLR(optimizer, 0.5, a),
            lambda a: optim.CosineAnnealingLR(optimizer, 2, a),
            lambda a: optim.LambdaLR(optim.SGD([arraygrad.ones(1)]), lambda n: [a]),
            lambda a: optim.SequentialLR(optimizer, [first, first], [a]),
            lambda a: optim.SequentialLR(optimizer, a, [1]),
            *(
                lambda a, name=name: optim.ReduceLROnPlateau(optimizer, **{name: a})
                for name in ("factor", "patience", "threshold", "cooldown", "min_lr", "eps")
            ),
        ):
            with pytest.raises(TypeError, match=r"^\w+LR\w*: .* must b.*; got|to this optimiser"):
                make(given)
    with pytest.raises(TypeError, match="to this optimiser"):
        optim.SequentialLR(optim.SGD([arraygrad.ones(1)]), [first], [])


# ---- SciPy's minimisers

METHODS = "BFGS L-BFGS-B CG Newton-CG trust-ncg trust-krylov trust-constr TNC SLSQP".split()


def rosenbrock(p):
    x, y = p["x"], p["more"][0]
    return (1 - x) ** 2 + 100 * arraygrad.sum((y - x**2) ** 2)


@pytest.mark.parametrize("method", METHODS)
def test_minimize_by_every_method(method, xp):
    scipy = pytest.importorskip("scipy.optimize")
    x0 = {"x": xp.asarray(-1.2), "more": [xp.asarray([1.0, 0.5])]}
    options = {"maxfun" if method == "TNC" else "maxiter": 2000}
    found = optim.minimize(rosenbrock, x0, method=method, tol=1e-9, options=options)
    assert isinstance(found, scipy.OptimizeResult)
    assert found.x.keys() == x0.keys()
    assert found.x["x"].device is x0["x"].device
    np.testing.assert_allclose(found.x["x"].numpy(), 1.0, atol=1e-4)
    np.testing.assert_allclose(found.x["more"][0].numpy(), [1.0, 1.0], atol=1e-4)
    gradient = found.grad if method == "trust-constr" else found.jac
    assert gradient["more"][0].shape == (2,)
    assert float(x0["x"]) == -1.2


def test_minimize_takes_the_steps_that_scipy_takes_with_the_same_derivatives():
    scipy = pytest.importorskip("scipy.optimize")
    x0 = np.asarray([-1.2, 1.0, 0.3])
    for method in ("BFGS", "trust-ncg"):
        more = {"hess": scipy.rosen_hess} if method == "trust-ncg" else {}
        want = scipy.minimize(scipy.rosen, x0, method=method, jac=scipy.rosen_der, **more)

        def f(x):
            return arraygrad.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

        seen = []
        found = optim.minimize(f, arraygrad.asarray(x0), method=method, callback=seen.append)
        assert found.nit == want.nit == len(seen)
        np.testing.assert_allclose(found.x.numpy(), want.x, rtol=1e-6)
        assert isinstance(seen[0], arraygrad.Tensor)


def test_minimize_bounds_and_constraints(xp):
    pytest.importorskip("scipy")

    def f(p):
        return xp.sum((p[0] - 3.0) ** 2) + (p[1] - 1.0) ** 2

    x0 = (xp.zeros((2, 2)), xp.asarray(0.5))
    for method in ("L-BFGS-B", "TNC", "SLSQP", None):
        found = optim.minimize(f, x0, method=method, bounds=((xp.asarray(-1.0), -1.0), 2.0))
        np.testing.assert_allclose(found.x[0].numpy(), 2.0, atol=1e-6)
        np.testing.assert_allclose(found.x[1].numpy(), 1.0, atol=1e-6)
    found = optim.minimize(f, x0, bounds=(np.float32(-1), np.int64(2)))
    np.testing.assert_allclose(found.x[0].numpy(), 2.0, atol=1e-6)
    equal = {"type": "eq", "fun": lambda p: xp.sum(p[0], axis=0) + p[1]}
    above = {"type": "ineq", "fun": lambda p: p[1] - 2.0}
    found = optim.minimize(f, x0, constraints=[equal, above])
    assert found.success
    np.testing.assert_allclose(found.x[1].numpy(), 2.0, atol=1e-6)
    np.testing.assert_allclose(found.x[0].numpy(), -1.0, atol=1e-6)


def test_minimize_takes_scipys_bounds(xp):
    optimize = pytest.importorskip("scipy.optimize")
    for bounds, want in (
        (optimize.Bounds(ub=0.5), [0.5, 0.5]),
        (optimize.Bounds([-1.0, 2.0], [0.5, 3.0]), [0.5, 2.0]),
    ):
        found = optim.minimize(lambda x: xp.sum((x - 1) ** 2), xp.zeros(2), bounds=bounds)
        np.testing.assert_allclose(found.x.numpy(), want, atol=1e-6)
    found = optim.minimize(
        lambda p: (p["x"] - 1) ** 2, {"x": xp.asarray(0.0)}, bounds=optimize.Bounds(0, 0.5)
    )
    np.testing.assert_allclose(found.x["x"].numpy(), 0.5, atol=1e-6)


def chained_rosenbrock(x):
    return arraygrad.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_minimize_takes_scipys_constraints(method, xp):
    optimize = pytest.importorskip("scipy.optimize")
    start = np.asarray([0.5, 0.3, 0.2])
    plane = optimize.LinearConstraint([[1.0, 1.0, 1.0]], 1.0, 1.0)
    jac = {"jac": lambda z: np.diag([2 * z[0], 2 * z[1], 1.0])}
    if method == "trust-constr":
        jac["hess"] = lambda z, v: np.diag([2 * v[0], 2 * v[1], 0.0])
    limits = [-np.inf, 0.04, 0.1], [0.2, 0.5, 0.3]
    want = optimize.minimize(
        optimize.rosen, start, jac=optimize.rosen_der, method=method,
        hess=optimize.rosen_hess if method == "trust-constr" else None,
        constraints=[
            plane,
            optimize.NonlinearConstraint(lambda z: [z[0] ** 2, z[1] ** 2, z[2]], *limits, **jac),
        ],
    )  # fmt: skip
    curved = optimize.NonlinearConstraint(
        lambda p: xp.stack([p["first"] ** 2, p["rest"][0] ** 2, p["rest"][1]]),
        xp.asarray(limits[0]),
        limits[1],
    )
    found = optim.minimize(
        lambda p: chained_rosenbrock(xp.concat([p["first"][None], p["rest"]])),
        {"first": xp.asarray(start[0]), "rest": xp.asarray(start[1:])},
        method=method,
        constraints=[plane, curved],
    )
    x = [found.x["first"].numpy(), *found.x["rest"].numpy()]
    np.testing.assert_allclose(x, want.x, atol=1e-6)
    assert sum(x) == pytest.approx(1.0)
    assert abs(found.nit - want.nit) <= 2
    disk = optimize.NonlinearConstraint(lambda x: xp.stack([x**2, -x]), -xp.inf, 0.25)
    found = optim.minimize(lambda x: -xp.sum(x), xp.zeros(2), method=method, constraints=disk)
    np.testing.assert_allclose(found.x.numpy(), 0.5, atol=1e-3)


def test_minimize_stores_no_square_matrix_of_many_unknowns():
    optimize = pytest.importorskip("scipy.optimize")
    target = arraygrad.random.default_rng(0).standard_normal((64, 64))
    square = 8 * 4096**2

    def f(x):
        return arraygrad.sum((x - target) ** 2) + arraygrad.sum((x[1:, :] - x[:-1, :]) ** 2)

    mean = optimize.NonlinearConstraint(lambda x: arraygrad.mean(x) ** 3, 0.125, 0.125)
    dict_of_mean = {"type": "eq", "fun": lambda x: arraygrad.mean(x) - 0.5}
    for more in ({}, {"bounds": (-1.0, 1.0)}, {"constraints": mean}, {"constraints": dict_of_mean}):
        tracemalloc.start()
        found = optim.minimize(f, arraygrad.ones((64, 64)), **more, options={"maxiter": 8})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.nit > 1
        assert peak < square / 8, more
    found = optim.minimize(f, arraygrad.ones((64, 64)))
    assert found.success
    assert isinstance(found.hess_inv, optimize.LbfgsInvHessProduct)


def test_minimize_of_few_unknowns_is_dense(xp):
    pytest.importorskip("scipy")
    f = lambda x: xp.sum((x - 1) ** 2)
    assert optim.minimize(f, xp.zeros((10, 10))).hess_inv.shape == (100, 100)
    assert type(optim.minimize(f, xp.zeros(101)).hess_inv).__name__ == "LbfgsInvHessProduct"
    # A complex number is two unknowns.
    z = xp.zeros(51, dtype=xp.complex128)
    found = optim.minimize(lambda z: xp.sum(abs(z - 1) ** 2), z)
    assert type(found.hess_inv).__name__ == "LbfgsInvHessProduct"


@pytest.mark.parametrize("method", METHODS)
def test_minimize_calls_back_with_results_where_scipy_does(method):
    optimize = pytest.importorskip("scipy.optimize")
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    x0 = [arraygrad.asarray([0.5, 0.0])]
    optim.minimize(lambda x: chained_rosenbrock(x[0]), x0, method=method, callback=callback)
    if method == "TNC":  # which passes x, as in SciPy
        assert seen[0][0].shape == (2,)
        return
    assert isinstance(seen[0], optimize.OptimizeResult)
    assert isinstance(seen[0].x[0], arraygrad.Tensor)


def test_errors_of_minimize_name_it_and_those_of_the_users_functions_do_not():
    optimize = pytest.importorskip("scipy.optimize")
    x0 = arraygrad.ones(3)
    f = chained_rosenbrock
    Linear, Nonlinear = optimize.LinearConstraint, optimize.NonlinearConstraint
    for call, match in (
        (lambda: optim.minimize(3, x0), "minimize: expected a function"),
        (lambda: optim.minimize(lambda x: x, x0), "minimize: the function must return a real"),
        (lambda: optim.minimize(f, x0, tol="a"), "minimize: "),
        (lambda: optim.minimize(f, x0, bounds=(1, 0)), "minimize: An upper bound is less"),
        (
            lambda: optim.minimize(f, x0, bounds=optimize.Bounds([0, 0], [1, 1])),
            r"minimize: a bound of shape \(2,\)",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Linear([[1.0, 1.0]], 0, 1)),
            "minimize: the matrix of a LinearConstraint needs 3 columns",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Nonlinear(f, 0, 1, jac=lambda x: x)),
            r"minimize: .* write NonlinearConstraint\(g, low, high\) without",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Nonlinear(lambda x: x, [0, 0], 1)),
            "minimize: .*broadcast",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Nonlinear(lambda x: 1.0, 0, 1)),
            "minimize: a constraint must return a tensor",
        ),
        (lambda: optim.minimize(f, x0, constraints=3), "minimize: a constraint must be"),
        (lambda: optim.minimize(lambda x: x @ arraygrad.ones(4), x0), "^matmul: "),
    ):
        with pytest.raises((TypeError, ValueError), match=match):
            call()


def test_minimize_other_leaves(xp):
    """float32, complex numbers, Python's floats, arguments, and a module."""
    pytest.importorskip("scipy")
    z0 = [xp.asarray([1.0 + 1.0j]), xp.ones(2, dtype=xp.float32), 0.5]
    target = xp.asarray([2.0 - 3.0j])

    def f(z, target):
        return xp.sum(abs(z[0] - target) ** 2) + xp.sum((z[1] + 1) ** 2) + z[2] ** 2

    for method in ("BFGS", "Newton-CG"):
        found = optim.minimize(f, z0, (target,), method=method, tol=1e-4)
        assert [x.dtype for x in found.x] == [xp.complex128, xp.float32, xp.float64]
        np.testing.assert_allclose(found.x[0].numpy(), target.numpy(), atol=1e-2)
        np.testing.assert_allclose(found.x[1].numpy(), [-1, -1], atol=1e-2)


def test_minimize_fits_a_module():
    pytest.importorskip("scipy")
    rng = arraygrad.random.default_rng(0)
    x = rng.standard_normal((30, 2))
    y = x @ arraygrad.asarray([[1.0], [-2.0]]) + 0.5
    model = nn.Linear(2, 1, rng=rng)
    found = optim.minimize(lambda m: arraygrad.mean((m(x) - y) ** 2), model)
    assert type(found.x) is nn.Linear
    assert found.x.weight.requires_grad
    np.testing.assert_allclose(found.x.weight.detach().numpy(), [[1.0, -2.0]], atol=1e-4)
    assert found.fun < 1e-8


def test_minimize_stops_when_told():
    pytest.importorskip("scipy")

    def stop(p):
        raise StopIteration

    x0 = {"x": arraygrad.asarray(-1.2), "more": [arraygrad.asarray([1.0, 0.5])]}
    found = optim.minimize(rosenbrock, x0, callback=stop)
    assert found.nit == 1
    assert not found.success


def test_what_minimize_refuses():
    pytest.importorskip("scipy")
    x0 = arraygrad.ones(2)

    def f(x):
        return arraygrad.sum(x**2)

    for options, match in (
        ({"method": "Nelder-Mead"}, "method must be one of"),
        ({"method": "BFGS", "bounds": (0, 1)}, "not support bounds"),
        (
            {"method": "BFGS", "constraints": {"type": "eq", "fun": f}},
            "not support constraints",
        ),
        ({"bounds": [0, 1]}, "bounds must be"),
        ({"bounds": [(0, 1), (0, None)]}, "not a pair for each element"),
        ({"bounds": ((0, 1), (0, None))}, "or like x0; got the bound"),
        ({"bounds": ({"x": 1.0}, None)}, "or like x0"),
        ({"constraints": {"type": "eq"}}, "a constraint must be"),
    ):
        with pytest.raises(ValueError, match=match):
            optim.minimize(f, x0, **options)
    for bad, match in (
        ({}, "x0 must hold at least one tensor"),
        (arraygrad.arange(3), r"x0 must hold .*; write xp.astype\(x, xp.float64\)"),
        (np.zeros(3), r"x0 must hold .*; write xp.asarray\(x\)"),
        ("x", "x0 must hold .*got 'x'"),
    ):
        with pytest.raises(TypeError, match=match):
            optim.minimize(f, bad)

    def outer(a):
        return optim.minimize(lambda x: arraygrad.sum((x - 1.0) ** 2), a).x[0]

    with pytest.raises(autodiff.NotDifferentiableError, match="minimize"):
        autodiff.grad(outer)(x0)
