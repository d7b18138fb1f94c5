"""Modules: what they hold, as containers, in files, copied and moved."""

import copy
import importlib.util
import inspect
import json
import math
import os
import pickle
import subprocess
import sys
import warnings
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import arraygrad
from arraygrad import DeviceMismatchError, autodiff, nn, optim

Pair = namedtuple("Pair", "first second")


class Net(nn.Module):
    """Parameters in every kind of place."""

    def __init__(self, xp):
        rng = xp.random.default_rng(0)
        self.name = "net"
        self.layers = [nn.Linear(3, 4, rng=rng), {"norm": nn.LayerNorm(4)}]
        self.scale = autodiff.variable(xp.asarray(2.0))
        self.pair = Pair(autodiff.variable(xp.ones(4)), (xp.arange(4), "text"))
        self.body = nn.Sequential(nn.relu, nn.Linear(4, 2, bias=False, rng=rng))

    def forward(self, x):
        x = self.layers[1]["norm"](self.layers[0](x)) * self.pair.first
        return self.body(x) * self.scale


NAMES = [
    "layers.0.weight", "layers.0.bias", "layers.1.norm.weight", "layers.1.norm.bias", "scale",
    "pair.first", "body.1.weight",
]  # fmt: skip
NAMES[5] = "pair.0"


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


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_checkpoint_updates_running_statistics_once(xp, same, momentum):
    x = xp.asarray(np.random.default_rng(0).standard_normal((2, 2, 3, 3)))

    def run(wrapped):
        layer = nn.BatchNorm2d(2, momentum=momentum)
        body = wrapped(lambda x: xp.tanh(wrapped(layer)(x)))
        for i in range(3):
            xp.sum(body(x * (i + 1))).backward()
        return [layer.running_mean, layer.running_var, layer.num_batches_tracked, layer.weight.grad]

    for found, expected in zip(run(autodiff.checkpoint), run(lambda f: f), strict=True):
        same(found, expected.numpy(), rtol=1e-14)


def test_running_statistics_that_are_means_of_all_batches(xp, same):
    layer = nn.BatchNorm2d(1, momentum=None)
    x = xp.asarray(np.random.default_rng(0).standard_normal((3, 4, 1, 2, 2)))
    for i in range(3):
        layer(x[i, ...])
    same(layer.running_mean, [x.numpy().mean()], rtol=1e-13)
    assert layer.eval()(arraygrad.ones((1, 1, 2, 2))).shape == (1, 1, 2, 2)
    none = nn.BatchNorm2d(1, affine=False, track_running_stats=False).eval()
    assert list(none.state_dict()) == []
    same(none(x[0, ...]), nn.batch_norm(x[0, ...], None, None, training=True).numpy())


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


def test_files(xp, same, tmp_path):
    path = tmp_path / "net.safetensors"
    net = Net(xp)
    state = net.state_dict() | {
        "transposed": xp.reshape(xp.arange(6), (2, 3)).T,
        "bools": xp.asarray([True, False]),
        "half": xp.zeros((0, 2), dtype=xp.uint8),
        "complex": xp.asarray([1j], dtype=xp.complex64),
        "variable": autodiff.variable(xp.ones(2)),
    }
    nn.save(state, path)
    nn.save(state, str(path))  # again, over it
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    loaded = nn.load(path)
    assert loaded.keys() == state.keys()
    for name, x in state.items():
        assert loaded[name].device is x.device
        same(loaded[name], autodiff.stop_gradient(x).numpy())
    other = Net(xp)
    other.load_state_dict({k: loaded[k] for k in net.state_dict()})
    x = xp.ones((2, 3))
    same(other(x).detach(), net(x).detach().numpy())
    loaded["scale"] += 1.0  # memory of its own, and writable
    from safetensors.numpy import load_file

    np.testing.assert_array_equal(load_file(path)["transposed"], [[0, 3], [1, 4], [2, 5]])
    assert nn.load(path, device="cpu")["scale"].device == "cpu"


def test_files_that_are_not_whole(tmp_path):
    path = tmp_path / "net.safetensors"
    nn.save(nn.Linear(20, 30).state_dict(), path)
    data = path.read_bytes()
    for part in (b"", data[:4], data[:40], data[: len(data) // 2], data[:-1], b"x" * 200,
                 data + b"more", data[:8] + b"[" + data[9:]):  # fmt: skip
        path.write_bytes(part)
        with pytest.raises(ValueError, match=r"load: .*net.safetensors is not a complete"):
            nn.load(path)
    header = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(TypeError, match=r"load: .*dtype"):
        nn.load(path)
    if importlib.util.find_spec("ml_dtypes"):  # with which NumPy knows it, unlike the standard
        importlib.import_module("ml_dtypes")
        with pytest.raises(TypeError, match=r"load: .*dtype"):
            nn.load(path)
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none")


def test_every_malformed_header_names_the_file(tmp_path):
    path = tmp_path / "net.safetensors"
    headers = [
        {"x": {"dtype": "F64", "shape": shape, "data_offsets": [0, size]}}
        for shape, size in (
            ([0, 2**63], 0),
            ([2**40, 0, 2**40], 0),
            ([1] * 70, 8),
            ([2**62, 2**62], 8),
            ([-1], 8),
            ([2], 8),
        )
    ]
    tensor = headers[0]["x"]
    for header in (*headers, {"x": {}}, {"__metadata__": tensor}, [], None, {"x": 1}):
        data = json.dumps(header).encode()
        path.write_bytes(len(data).to_bytes(8, "little") + data + b"\0" * 8)
        with pytest.raises(ValueError, match=r"load: .*net\.safetensors"):
            nn.load(path)
    for dtype in ("F8_E4M3", "BF16"):
        data = json.dumps({"x": {"dtype": dtype, "shape": [0], "data_offsets": [0, 0]}}).encode()
        path.write_bytes(len(data).to_bytes(8, "little") + data)
        with pytest.raises((TypeError, ValueError), match=r"load: .*net\.safetensors"):
            nn.load(path)
    with pytest.raises(OSError, match=r"load: .*cannot be read"):
        nn.load(tmp_path)
    for function in (nn.load, lambda path: nn.save({"x": arraygrad.ones(1)}, path)):
        with pytest.raises(TypeError, match="path must be a string or path; got 3"):
            function(3)


def test_saving_leaves_other_files_alone(tmp_path):
    x = {"x": arraygrad.ones(2)}
    for name in ("model.tmp", ".tmp", "model.safetensors.tmp"):
        (tmp_path / name).write_text("mine")
    for path in (tmp_path / "model", tmp_path / "model.safetensors", os.fsencode(tmp_path / "b")):
        nn.save(x, path)
        assert nn.load(path)["x"].tolist() == [1.0, 1.0]
    with pytest.raises(OSError, match=r"save: .*cannot be written"):
        nn.save(x, tmp_path)
    for name in ("model.tmp", ".tmp", "model.safetensors.tmp"):
        assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 6
    (tmp_path / "link").symlink_to(tmp_path / "model")
    nn.save({"y": arraygrad.zeros(1)}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert list(nn.load(tmp_path / "model")) == ["y"]
    nn.save(x, tmp_path / ("n" * 255))  # as long as a name may be


@pytest.mark.parametrize("name", ["__metadata__", "a\ud800"])
def test_a_name_that_no_file_can_hold(tmp_path, name):
    with pytest.raises(ValueError, match="save: the format does not have the name"):
        nn.save({name: arraygrad.ones(1)}, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_loading_to_no_device_blames_the_device(tmp_path):
    nn.save({"x": arraygrad.ones(2)}, tmp_path / "x.safetensors")
    with pytest.raises(TypeError, match="load: expected a name"):
        nn.load(tmp_path / "x.safetensors", device=5)


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.safetensors"
    x = arraygrad.ones(2)
    nn.save({"x": x}, path)
    before = path.read_bytes()
    for bad, message in (
        ({1: x}, "save: expected a Tensor for each name; got 1"),
        (nn.Linear(1, 1), "save: .*state_dict.*; got Linear"),
        ({"x": [1.0]}, "save: .*'x': \\[1.0\\]"),
        ({"x": arraygrad.ones(1, dtype="complex128")}, "save: x: .*complex128"),
    ):
        with pytest.raises(TypeError, match=message):
            nn.save(bad, path)
    with pytest.raises(OSError, match="no folder"):
        nn.save({"x": x}, tmp_path / "no folder" / "x")
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


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


PROMOTING = {
    "Linear": (lambda **kw: nn.Linear(3, 2, **kw), (4, 3)),
    "Conv2d": (lambda **kw: nn.Conv2d(3, 2, 1, **kw), (1, 3, 2, 2)),
    "LayerNorm": (lambda **kw: nn.LayerNorm(3, **kw), (4, 3)),
    "BatchNorm1d": (lambda **kw: nn.BatchNorm1d(3, **kw), (4, 3)),
    "BatchNorm2d": (lambda **kw: nn.BatchNorm2d(3, **kw), (4, 3, 2, 2)),
    "BatchNorm3d": (lambda **kw: nn.BatchNorm3d(3, **kw), (4, 3, 2, 2, 2)),
}


@pytest.mark.parametrize("name", PROMOTING)
def test_a_layer_says_once_that_it_promotes(xp, name):
    make, shape = PROMOTING[name]
    for weights, data, wide in (
        ("float64", "float32", True),
        ("float32", "float64", True),
        ("float64", "float64", False),
        ("float32", "float32", False),
        ("float64", "int64", False),
    ):
        model, x = nn.Sequential(make(dtype=weights)), xp.ones(shape, dtype=data)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("default")
            for _ in range(3):
                y = model(x)
        assert len(found) == wide, (weights, data)
        assert y.dtype == ("float64" if wide else weights)
        for warning in found:
            assert warning.filename == __file__
            text = f"{name}: an input of dtype {data} and weights of dtype {weights} are computed"
            assert str(warning.message).startswith(text)
    if name in ("Linear", "Conv2d"):
        make()(xp.ones(shape, dtype=xp.complex64))  # complex numbers are another matter
    nn.linear(xp.ones((1, 3)), xp.ones((2, 3), dtype=xp.float32))  # functions promote in silence


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

IMAGES = (2, 4, 6, 6)
LAYERS = {
    "Linear": (lambda kw: nn.Linear(6, 3, **kw), IMAGES, "in_features=6, out_features=3"),
    "Conv2d": (
        lambda kw: nn.Conv2d(4, 6, (3, 2), 2, 1, 1, 2, **kw), IMAGES, "4, 6, kernel_size=(3, 2)"
    ),
    "MaxPool2d": (lambda kw: nn.MaxPool2d(3, 2, 1), IMAGES, "kernel_size=3, stride=2"),
    "AvgPool2d": (lambda kw: nn.AvgPool2d(2), IMAGES, "kernel_size=2, stride=None"),
    "LayerNorm": (lambda kw: nn.LayerNorm((6, 6)), IMAGES, "(6, 6), eps=1e-05"),
    "BatchNorm1d": (lambda kw: nn.BatchNorm1d(4), (2, 4), "4, eps=1e-05, momentum=0.1"),
    "BatchNorm2d": (lambda kw: nn.BatchNorm2d(4), IMAGES, "4, eps=1e-05, momentum=0.1"),
    "BatchNorm3d": (lambda kw: nn.BatchNorm3d(4), (2, 4, 2, 2, 2), "4, eps=1e-05, momentum=0.1"),
    "Dropout": (lambda kw: nn.Dropout(0.5, **kw), IMAGES, "p=0.5"),
    "Flatten": (lambda kw: nn.Flatten(), IMAGES, "start_axis=1, end_axis=-1"),
    "ReLU": (lambda kw: nn.ReLU(), IMAGES, ""),
    "GELU": (lambda kw: nn.GELU(), IMAGES, "approximate='none'"),
    "SiLU": (lambda kw: nn.SiLU(), IMAGES, ""),
    "Tanh": (lambda kw: nn.Tanh(), IMAGES, ""),
    "Sigmoid": (lambda kw: nn.Sigmoid(), IMAGES, ""),
    "Softmax": (lambda kw: nn.Softmax(1), IMAGES, "axis=1"),
    "LogSoftmax": (lambda kw: nn.LogSoftmax(), IMAGES, "axis=-1"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_train_in_both_styles(xp, same, name):
    make, shape, text = LAYERS[name]
    layer = make({"rng": xp.random.default_rng(1)})
    assert repr(layer).startswith(f"{name}({text}")
    data = np.random.default_rng(0).standard_normal(shape)
    x = xp.asarray(data)
    rng = getattr(layer, "rng", None)
    state = None if rng is None else rng.state

    def loss(x, layer):
        if rng is not None:
            layer.rng.state = state
        y = layer(x)
        assert y.shape == layer(x).shape
        return xp.sum(y**2) + xp.sum(y[..., 0])

    v = autodiff.variable(x)
    loss(v, layer).backward()
    if list(layer.parameters()):
        with autodiff.no_grad():
            by_x, by_layer = autodiff.grad(loss, argnums=(0, 1))(x, layer)
        for p, q in zip(layer.parameters(), by_layer.parameters(), strict=True):
            same(q, p.grad.numpy(), rtol=1e-13)
    else:
        by_x = autodiff.grad(loss)(x, layer)
    same(by_x, v.grad.numpy(), rtol=1e-13)
    with autodiff.no_grad():
        assert type(layer(v)) is arraygrad.Tensor


def test_initial_distributions(xp, same):
    kw = {"rng": xp.random.default_rng(0)}
    for layer, fan in ((nn.Linear(400, 300, **kw), 400), (nn.Conv2d(64, 128, 3, **kw), 576)):
        for p in (layer.weight, layer.bias):
            values = p.detach().numpy()
            assert np.abs(values).max() <= fan**-0.5
            assert values.std() == pytest.approx((3 * fan) ** -0.5, rel=0.1)
    assert nn.Conv2d(4, 6, (3, 2), groups=2).weight.shape == (6, 2, 3, 2)
    table = nn.Embedding(300, 100, padding_idx=3, **kw)
    values = table.weight.detach().numpy()
    assert np.abs(values[3]).max() == 0
    assert values.std() == pytest.approx(1, rel=0.02)
    assert repr(table) == "Embedding(300, 100, padding_idx=3)"
    xp.sum(table(xp.asarray([3, 4])) ** 2).backward()
    assert table.weight.grad.numpy()[3].tolist() == [0.0] * 100
    a, b = (nn.Linear(3, 2, rng=xp.random.default_rng(5)) for _ in range(2))
    same(a.weight.detach(), b.weight.detach().numpy())
    assert nn.Linear(3, 2, dtype=xp.float32, device="cpu").weight.device == "cpu"
    assert nn.Linear(3, 2, dtype=xp.float32).bias.dtype == xp.float32
    assert nn.Linear(3, 2, bias=False).bias is None


def test_losses_as_modules(xp, same):
    x, y = xp.asarray([[0.5, -2.0]]), xp.asarray([[0.0, 1.0]])
    weight = xp.asarray([1.0, 3.0])
    c = xp.asarray([1])
    for module, value in (
        (nn.MSELoss("sum"), nn.mse(x, y, "sum")),
        (nn.L1Loss(), nn.l1(x, y)),
        (nn.HuberLoss("none", 0.5), nn.huber(x, y, "none", 0.5)),
        (
            nn.BCEWithLogitsLoss(weight, "sum", 2 * weight),
            nn.binary_cross_entropy_with_logits(x, y, weight, "sum", 2 * weight),
        ),
    ):
        same(module(x, y), value.numpy())
    loss = nn.CrossEntropyLoss(weight, label_smoothing=0.1)
    same(loss(x, c), nn.cross_entropy(x, c, weight, label_smoothing=0.1).numpy())
    assert list(loss.state_dict()) == ["weight"]
    assert repr(nn.MSELoss("sum")) == "MSELoss(reduction='sum')"


def test_dropout_in_evaluation_and_when_moved(xp, same):
    layer = nn.Dropout(0.5, rng=xp.random.default_rng(0))
    x = xp.ones(100)
    first, second = layer(x), layer(x)
    assert not np.array_equal(first.numpy(), second.numpy())
    again = pickle.loads(pickle.dumps(nn.Dropout(0.5, rng=xp.random.default_rng(0))))
    same(again(x), first.numpy())
    assert layer.eval()(x) is x


def test_flattening_a_number_gives_a_vector(xp, same):
    same(nn.Flatten(0)(xp.asarray(3.0)), [3.0])
    assert nn.Flatten(1, 1)(xp.ones((2, 3, 4))).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="Flatten: axes 1 to -1 do not exist"):
        nn.Flatten()(xp.asarray(3.0))


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


BAD = {
    "a layer that is none": (lambda: nn.Sequential(nn.ReLU(), 3), TypeError, "Sequential: .*3"),
    "a size that is no int": (
        lambda: nn.Linear(100 / 4, 3), TypeError, r"Linear: shape .*got \(3, 25.0\)"
    ),
    "a size below 0": (lambda: nn.Linear(-1, 3), ValueError, r"Linear: shape .*got \(3, -1\)"),
    "an embedding's size": (lambda: nn.Embedding(3.0, 2), TypeError, r"Embedding: .*\(3.0, 2\)"),
    "a tensor as shape": (
        lambda: nn.kaiming_uniform(arraygrad.ones((2, 3))),
        TypeError,
        r"kaiming_uniform: shape must be .*got Tensor\(shape=\(2, 3\)",
    ),
    "groups": (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "Conv2d: .*got 3, 4 and 2"),
    "kernel": (lambda: nn.Conv2d(3, 4, 0), ValueError, "Conv2d: kernel_size .*0"),
    "padding_idx": (lambda: nn.Embedding(3, 4, 5), ValueError, "Embedding: padding_idx .*5"),
    "p": (lambda: nn.Dropout(-1), ValueError, "Dropout: p .*-1"),
    "channels": (
        lambda: nn.BatchNorm2d(3)(arraygrad.ones(IMAGES)),
        ValueError,
        r"BatchNorm2d: .*\(n, 3, h, w\)",
    ),
    "features": (lambda: nn.Linear(3, 2)(arraygrad.ones((1, 4))), ValueError, "linear: .*(1, 4)"),
    "axes": (lambda: nn.Flatten(2)(arraygrad.ones((1, 4))), ValueError, "Flatten: .*2 to -1"),
    "axes in reverse": (
        lambda: nn.Flatten(2, 1)(arraygrad.ones(IMAGES)), ValueError, "Flatten: .*2 and 1"
    ),
    "the last axis before the first": (
        lambda: nn.Flatten(-1, 0)(arraygrad.ones((1, 4))), ValueError, "Flatten: .*1 and 0"
    ),
    "an index before the first": (
        lambda: nn.Embedding(3, 2)(arraygrad.asarray([-1])), IndexError, "embedding: ids .*got -1"
    ),
    "groups that are no int": (lambda: nn.Conv2d(4, 4, 3, groups=2.0), ValueError, "Conv2d: .*2.0"),
    "channels that are no int": (lambda: nn.Conv2d(4.0, 4, 3), TypeError, "Conv2d: .*4.0"),
    "a state that is no dict": (
        lambda: nn.Linear(3, 2).load_state_dict(None), TypeError, "load_state_dict: .*got None"
    ),
    "devices": (
        lambda: nn.Linear(3, 2, rng=arraygrad.random.default_rng(0), device="strict:0"),
        ValueError,
        "generator is on cpu",
    ),
    "input elsewhere": (
        lambda: nn.Linear(3, 2)(arraygrad.ones((1, 3), device="strict:0")),
        DeviceMismatchError,
        "linear",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()


def test_every_name_is_documented():
    for name in nn.__all__:
        doc = inspect.getdoc(getattr(nn, name))
        assert doc.splitlines()[0].endswith("."), name
        if name != "LoadResult":
            assert "\nExamples\n--------\n>>> " in doc, name
            parameters = inspect.signature(getattr(nn, name)).parameters
            if parameters and name != "Module":
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
        for _ in range(600):  # until Python's own stores of free objects are full
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
