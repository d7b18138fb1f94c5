"""Optimisers against PyTorch's and against their formulas written out."""

import gc
import json
import tracemalloc
import warnings

import numpy as np
import pytest
from optim.support import START, loss_of, variables

import arraygrad
from arraygrad import DeviceMismatchError, autodiff, nn, optim
from arraygrad._backends.numpy import parallel
from arraygrad.data import DataLoader

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
