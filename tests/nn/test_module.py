"""Modules: what they hold, as containers, copied and moved."""

import copy
import inspect
import math
import pickle
import subprocess
import sys
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from nn.support import Net

import arraygrad
from arraygrad import DeviceMismatchError, autodiff, nn, optim

NAMES = [
    "layers.0.weight", "layers.0.bias", "layers.1.norm.weight", "layers.1.norm.bias", "scale",
    "pair.0", "body.1.weight",
]  # fmt: skip


class Tied(nn.Module):
    """One parameter and one module in two places, and a circle."""

    def __init__(self, xp):
        self.a = autodiff.variable(xp.asarray([1.0, 2.0]))
        self.b = self.a
        self.one = nn.Linear(2, 2, rng=xp.random.default_rng(0))
        self.two = self.one
        self.me = self

    def forward(self, x):
        return self.two(self.one(x * self.a)) * self.b


def loss_of(xp):
    x = xp.asarray(np.random.default_rng(1).standard_normal((5, 3)))
    return lambda model: xp.sum(model(x[:, : 3 if isinstance(model, Net) else 2]) ** 2)


def test_what_a_module_holds(xp):
    net = Net(xp)
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert list(net.parameters())[4] is net.scale
    assert [name for name, _ in net.named_buffers()] == ["pair.1.0"]
    assert next(iter(net.buffers())) is net.pair.second[0]
    names = ["", "layers.0", "layers.1.norm", "body", "body.1"]
    assert [name for name, _ in net.named_modules()] == names
    assert list(net.modules())[3] is net.body
    assert [len(net.body), net.body[1]] == [2, list(net.body)[1]]
    tied = Tied(xp)
    assert [name for name, _ in tied.named_parameters()] == ["a", "one.weight", "one.bias"]
    assert len(list(tied.modules())) == 2
    with pytest.raises(NotImplementedError, match="Module: define forward"):
        nn.Module()(1)


@pytest.mark.parametrize("make", [OrderedDict, lambda d: defaultdict(list, d)])
def test_every_kind_of_dict_is_looked_into(xp, same, make):
    class Heads(nn.Module):
        def __init__(self):
            rng = xp.random.default_rng(0)
            self.heads = make({"b": nn.Linear(3, 1, rng=rng), "a": nn.Linear(3, 2, rng=rng)})
            self.words = make({"none": "of them a tensor"})

        def forward(self, x):
            return xp.concat([head(x) for head in self.heads.values()], axis=1)

    net = Heads()
    names = ["heads.b.weight", "heads.b.bias", "heads.a.weight", "heads.a.bias"]
    assert [name for name, _ in net.named_parameters()] == names
    xp.sum(net(xp.ones((5, 3))) ** 2).backward()
    with autodiff.no_grad():
        g = autodiff.grad(lambda net: xp.sum(net(xp.ones((5, 3))) ** 2))(net)
    for p, q in zip(net.parameters(), g.parameters(), strict=True):
        same(q, p.grad.numpy())
    half = copy.deepcopy(net).astype(xp.float32)
    for other in (g, half):
        assert type(other.heads) is type(net.heads)
        assert list(other.heads) == ["b", "a"]
        assert other.words == net.words
    assert {p.dtype for p in half.parameters()} == {np.dtype("float32")}
    assert {p.dtype for p in net.parameters()} == {np.dtype("float64")}


def test_a_function_of_all_modules_has_inner_ones_first(xp):
    net, seen = Net(xp), []
    assert net.apply(seen.append) is net
    first, norm, body = net.layers[0], net.layers[1]["norm"], net.body
    assert [id(m) for m in seen] == [id(m) for m in (first, norm, body[1], body, net)]
    tied, seen = Tied(xp), []  # each once, also if it is in a circle
    tied.apply(seen.append)
    assert [id(m) for m in seen] == [id(tied.one), id(tied)]


def test_a_function_of_modules_may_change_them(xp):
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)))

    def replace(module):
        if isinstance(module, nn.Sequential):
            module[0] = nn.ReLU()

    model.apply(replace)
    assert isinstance(model[0], nn.ReLU)
    assert isinstance(model[1][0], nn.ReLU)


def test_layers_in_sequence_by_number(xp, same):
    rng = xp.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.relu, nn.Linear(4, 2, rng=rng))
    assert (net[-1].in_features, net[-1].out_features) == (4, 2)
    x = xp.ones((5, 3))
    part = net[1:]
    assert type(part) is nn.Sequential
    assert [name for name, _ in part.named_parameters()] == ["1.weight", "1.bias"]
    same(part(net[0](x)).detach(), net(x).detach().numpy())
    for i in (0, -2):
        net[i] = new = nn.Linear(3, 3, rng=rng) if i == 0 else nn.tanh
        assert net[i] is new
    net[2] = nn.Linear(3, 1, rng=rng)
    assert [p.shape for p in net.parameters()] == [(3, 3), (3,), (1, 3), (1,)]
    assert net(x).shape == (5, 1)
    with pytest.raises(IndexError):
        net[3] = nn.ReLU()
    with pytest.raises(TypeError, match="Sequential: expected modules or functions; got 3"):
        net[0] = 3


def test_training_and_evaluation(xp):
    net = Net(xp)
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())
    net.requires_grad_(False)
    assert not net(xp.ones((1, 3))).requires_grad or not net(xp.ones((1, 3))).requires_grad
    net.requires_grad_()
    loss_of(xp)(net).backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("cls", [Net, Tied])
def test_a_gradient_is_a_module(xp, same, cls):
    net, loss = cls(xp), loss_of(xp)
    loss(net).backward()
    with autodiff.no_grad():
        value, g = autodiff.value_and_grad(loss)(net)
    assert type(value) is arraygrad.Tensor
    assert type(g) is cls
    names = [name for name, _ in net.named_parameters()]
    assert [name for name, _ in g.named_parameters()] == names
    for p, q in zip(net.parameters(), g.parameters(), strict=True):
        assert type(q) is arraygrad.Tensor
        same(q, p.grad.numpy(), rtol=1e-12)
    if cls is Tied:
        assert g.a is g.b
        assert g.one is g.two
        assert g.me is g
    else:
        assert g.name == "net"
        assert g.pair.second[0] is net.pair.second[0]
        assert g.body[0] is nn.relu
    assert list(net.parameters()) == [p for p in net.parameters() if p.is_leaf]


def test_containers_of_modules_and_more_derivatives(xp, same):
    net, loss = Tied(xp).requires_grad_(False), loss_of(xp)
    plain = autodiff.grad(loss)(net)
    value, tangent = autodiff.jvp(loss, (net,), (plain,))
    inner = sum(float(xp.sum(q * q)) for q in plain.parameters())
    assert float(tangent) == pytest.approx(inner, rel=1e-12)
    product = autodiff.hvp(loss, (net,), (plain,))
    step = 1e-5

    def moved(sign):
        other = copy.deepcopy(net)
        for p, d in zip(other.parameters(), plain.parameters(), strict=True):
            p += sign * step * d
        return autodiff.grad(loss)(other)

    ends = zip(moved(1).parameters(), moved(-1).parameters(), strict=True)
    for q, (a, b) in zip(product.parameters(), ends, strict=True):
        same(q, ((a - b) / (2 * step)).numpy(), rtol=1e-5)
    g = autodiff.grad(lambda d: loss(d["net"]) * d["factor"])({"net": net, "factor": 2.0})
    same(g["net"].a, 2 * plain.a.numpy(), rtol=1e-14)
    assert float(g["factor"]) == pytest.approx(float(value), rel=1e-14)
    with pytest.raises(ValueError, match="structure"):
        autodiff.jvp(loss, (net,), (copy.deepcopy(plain).eval(),))


def test_buffers_are_shared_with_the_copy(xp, same):
    net = nn.Sequential(nn.BatchNorm2d(2), nn.Flatten())
    x = xp.asarray(np.random.default_rng(0).standard_normal((4, 2, 3, 3)))

    def loss(net):
        return xp.mean(net(x) ** 2)

    other = copy.deepcopy(net)
    with autodiff.no_grad():
        autodiff.grad(loss)(net)
    loss(other).backward()
    for a, b in zip(net.buffers(), other.buffers(), strict=True):
        assert type(a) is type(b) is arraygrad.Tensor
        same(a, b.numpy())
    same(net[0].running_mean, 0.1 * x.numpy().mean((0, 2, 3)), rtol=1e-13)
    same(net[0].num_batches_tracked, 1)
    net.eval()
    net(x)
    same(net[0].num_batches_tracked, 1)


# ---- states


def test_states(xp, same):
    a, b = Net(xp), Net(xp)
    state = a.state_dict()
    assert list(state) == [*NAMES[:6], "pair.1.0", NAMES[6]]
    assert all(type(x) is arraygrad.Tensor for x in state.values())
    with autodiff.no_grad():
        for p in b.parameters():
            p += 1.0
    kept = list(b.parameters())
    assert b.load_state_dict(state) == ([], [])
    for p, q, r in zip(a.parameters(), b.parameters(), kept, strict=True):
        assert q is r
        assert q.is_leaf
        same(q.detach(), p.detach().numpy())
    with autodiff.no_grad():
        a.scale *= 3.0
    same(state["scale"], 6.0)  # of the same memory
    same(b.scale.detach(), 2.0)


def test_a_state_that_does_not_fit_changes_nothing(xp, same):
    net = Net(xp)
    good = {name: xp.zeros(x.shape, dtype=x.dtype) for name, x in net.state_dict().items()}
    before = {name: x.numpy().copy() for name, x in net.state_dict().items()}
    other = "cpu" if xp.default_device().device != "cpu" else "strict:0"
    bad = [
        ({k: x for k, x in good.items() if k != "scale"}, ValueError, "Net: missing scale"),
        (good | {"more": good["scale"]}, ValueError, "unexpected more"),
        (good | {"pair.0": xp.ones(5)}, ValueError, r"pair.0 of shape \(5,\) instead of \(4,\)"),
        (good | {"body.1.weight": np.ones((2, 4))}, TypeError, "body.1.weight: .*write .*asarray"),
        (good | {"scale": xp.asarray(1j)}, TypeError, "scale .*complex128 would lose"),
        (good | {"scale": xp.zeros((), device=other)}, DeviceMismatchError, f"scale .*{other}"),
    ]
    for state, error, message in bad:
        with pytest.raises(error, match=message):
            net.load_state_dict(state)
        for name, x in net.state_dict().items():
            same(x, before[name])
    several = {"more": good["scale"], "pair.0": xp.ones(5)}
    with pytest.raises(
        ValueError, match=r"missing layers.0.weight, .*; unexpected more; mismatched pair"
    ):
        net.load_state_dict(several)
    found = net.load_state_dict({"scale": good["scale"], "more": good["scale"]}, strict=False)
    assert found.unexpected_keys == ["more"]
    assert found.missing_keys == [n for n in good if n != "scale"]
    same(net.scale.detach(), 0.0)
    with pytest.raises(TypeError, match=r"float32.*float64 would lose precision"):
        Net(xp).astype(xp.float32).load_state_dict(good)
    Net(xp).load_state_dict({k: Net(xp).astype(xp.float32).state_dict()[k] for k in good})


# ---- copies, devices, dtypes


@pytest.mark.parametrize("cls", [Net, Tied])
def test_copies_and_pickles(xp, same, cls):
    net = cls(xp).eval()
    next(net.parameters()).requires_grad_(False)
    loss = loss_of(xp)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert type(other) is cls
        assert not other.training
        same(loss(other).detach(), loss(net).detach().numpy())
        pairs = list(zip(net.parameters(), other.parameters(), strict=True))
        assert len(pairs) == len(list(net.parameters()))
        for p, q in pairs:
            assert q.is_leaf
            assert q.is_leaf
            assert q.requires_grad == p.requires_grad
        with autodiff.no_grad():
            for q in other.parameters():
                q += 1.0
        assert not np.array_equal(loss(other).detach().numpy(), loss(net).detach().numpy())
        if cls is Tied:
            assert other.a is other.b
            assert other.one is other.two
    g = autodiff.grad(loss)(net.requires_grad_(False))
    again = pickle.loads(pickle.dumps(g))
    assert [n for n, _ in again.named_parameters()] == [n for n, _ in g.named_parameters()]
    for p, q in zip(g.parameters(), again.parameters(), strict=True):
        same(q, p.numpy())


@pytest.mark.parametrize("record", [False, True])
def test_copies_in_a_differentiated_function_keep_the_gradient(xp, same, record):
    net = Net(xp).requires_grad_(record)
    loss = loss_of(xp)
    g = autodiff.grad(loss)(net)
    for copied in (copy.copy, copy.deepcopy):
        h = autodiff.grad(lambda net: loss(copied(net)))(net)
        for p, q in zip(g.parameters(), h.parameters(), strict=True):
            same(autodiff.stop_gradient(q), autodiff.stop_gradient(p).numpy())
    with pytest.raises(autodiff.NotDifferentiableError, match="detach"):
        autodiff.grad(lambda net: (pickle.dumps(net), loss(net))[1])(net)
    if record:  # a gradient that is recorded, too
        with pytest.raises(autodiff.NotDifferentiableError, match="detach"):
            pickle.dumps(g)
        xp.sum(copy.deepcopy(g).scale).backward()
        assert net.scale.grad is not None


def test_what_is_copied_together_stays_together(xp):
    net = Net(xp)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    other, its, part, scale = copy.deepcopy((net, optimizer, net.body, net.scale))
    assert part is other.body
    assert scale is other.scale
    before = [p.detach().numpy().copy() for p in (net.scale, other.scale)]
    loss_of(xp)(other).backward()
    its.step()
    assert net.scale.item() == before[0]
    assert other.scale.item() != before[1]


def test_a_parameter_does_not_become_a_buffer_by_accident():
    layer = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="weight is a parameter"):
        layer.weight = arraygrad.zeros((1, 2))
    layer.weight = autodiff.variable(arraygrad.zeros((1, 2)))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    layer.bias = None
    layer.state = layer(arraygrad.ones(2))  # a result, which may be forgotten again
    layer.state = arraygrad.zeros(1)
    del layer.weight
    layer.weight = arraygrad.ones((1, 2))
    assert {name for name, _ in layer.named_buffers()} == {"weight", "state"}


def test_an_optimiser_that_is_copied_first_goes_along():
    model = nn.Linear(2, 1)
    optimizer, again = copy.deepcopy((optim.SGD(model.parameters(), lr=0.1), model))
    before = again.weight.detach().tolist()
    arraygrad.sum(again(arraygrad.ones((3, 2)))).backward()
    optimizer.step()
    assert again.weight.detach().tolist() != before


def test_a_shallow_copy_shares_the_parameters(xp):
    net = Net(xp)
    other = copy.copy(net)
    other.name = "other"
    assert net.name == "net"
    assert other.scale is net.scale
    loss_of(xp)(other).backward()
    assert net.scale.grad is not None


def test_to_another_device(same):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten())
    x = arraygrad.ones((2, 1, 4, 4))
    expected = model.eval()(x).detach().numpy()
    arraygrad.sum(model(x)).backward()
    before = model[0].weight.grad.numpy()
    kept = model[0].weight
    assert model.to_device("cpu")[0].weight is kept
    assert model.to_device("strict:1") is model
    for t in [*model.parameters(), *model.buffers(), model[0].weight.grad]:
        assert t.device == "strict:1"
    assert all(p.is_leaf and p.requires_grad for p in model.parameters())
    same(model[0].weight.grad, before)
    y = x.to_device("strict:1")
    same(model(y).detach(), expected, rtol=1e-14)
    model.train()(y)
    assert model[2].rng.device == "strict:1"
    with pytest.raises(ValueError, match="unknown device 'tpu'"):
        model.to_device("tpu")
    with pytest.raises(TypeError, match="to_device: device"):
        model.to_device(None)
    tied = Tied(arraygrad).to_device("strict:1")
    assert tied.a is tied.b
    assert tied.a.device == tied.two.weight.device == "strict:1"


def test_to_another_dtype(xp):
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)).astype(xp.float32)
    assert {p.dtype.name for p in model.parameters()} == {"float32"}
    assert model(xp.ones((2, 3), dtype=xp.float32)).dtype == xp.float32
    norm = nn.BatchNorm2d(2).astype(xp.float32)
    assert [b.dtype.name for b in norm.buffers()] == ["float32", "float32", "int64"]
    norm(xp.ones((2, 2, 1, 1), dtype=xp.float32))
    assert norm.running_mean.dtype == xp.float32
    with pytest.raises(TypeError, match=r"astype: dtype .*int64"):
        model.astype("int64")


# ---- layers


def test_text():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))
    assert repr(model).splitlines() == [
        "Sequential(",
        "  (0): Linear(in_features=2, out_features=3, bias=True)",
        "  (1): Sequential(",
        "    (0): ReLU()",
        "  )",
        ")",
    ]


def test_text_of_second_derivatives(xp):
    """In which a module stands for each parameter."""
    rng = xp.random.default_rng(0)
    for layer, x in (
        (nn.Linear(2, 1, rng=rng), xp.ones((3, 2))),
        (nn.Conv2d(1, 1, 2, rng=rng), xp.ones((1, 1, 3, 3))),
        (nn.Embedding(2, 2, rng=rng), xp.asarray([0])),
    ):
        h = autodiff.hessian(lambda layer: xp.sum(layer(x) ** 2))(layer)
        head, *rest = repr(h).splitlines()
        assert head == repr(layer).removesuffix(")")
        assert rest[0].strip() == f"(weight): {layer!r}"


def test_every_name_is_documented():
    for name in nn.__all__:
        doc = inspect.getdoc(getattr(nn, name))
        assert doc.splitlines()[0].endswith("."), name
        if name != "LoadResult":
            assert "\nExamples\n--------\n>>> " in doc, name
            parameters = inspect.signature(getattr(nn, name)).parameters.values()
            if any(p.annotation != "Never" for p in parameters) and name != "Module":
                assert "\nParameters\n----------\n" in doc, name


def test_the_package_does_not_import_it():
    code = "import sys, arraygrad; assert not any('arraygrad.nn' in m for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_memory_is_flat_over_many_steps():
    import gc
    import tracemalloc

    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    x, y = arraygrad.ones((3, 4)), arraygrad.asarray([0, 1, 1])

    def step():
        loss = nn.cross_entropy(model(x), y)
        loss.backward()
        with autodiff.no_grad():
            g = autodiff.grad(lambda m: nn.cross_entropy(m(x), y))(model)
            for p, q in zip(model.parameters(), g.parameters(), strict=True):
                p -= 0.01 * (p.grad + q)
                p.grad = None
        return float(loss)

    first = step()
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        for _ in range(1000):  # until Python's own stores of free objects are full
            step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            last = step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < 5_000
    assert last < first
    assert math.isfinite(last)
