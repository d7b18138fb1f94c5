"""Tables of models, and hooks, which find the shapes."""

import copy
import gc
import pickle
import weakref

import pytest
from nn.support import Net

from arraygrad import autodiff, nn


def test_a_table_of_shapes_and_counts(xp):
    net = Net(xp)
    net.layers[0].weight.requires_grad_(False)
    before = [x.detach().tolist() for x in net.parameters()]
    found = nn.summary(net, xp.ones((5, 3)))
    assert found.splitlines() == [
        "name           class       shape   parameters",
        "               Net         (5, 2)           5",
        "layers.0       Linear      (5, 4)          16",
        "layers.1.norm  LayerNorm   (5, 4)           8",
        "body           Sequential  (5, 2)           0",
        "body.1         Linear      (5, 2)           8",
        "37 parameters, 25 of them trainable: 296 bytes",
    ]
    assert repr(found) == str(found)
    assert net.training
    assert [x.detach().tolist() for x in net.parameters()] == before
    assert net._forward_hooks is None
    assert nn.summary(nn.Linear(2, 3)).splitlines() == [
        "name  class   parameters", "      Linear           9",
        "9 parameters, 9 of them trainable: 72 bytes",
    ]  # fmt: skip


def test_a_table_of_several_results_shared_weights_and_statistics(xp):
    lstm, norm = nn.LSTM(2, 3), nn.BatchNorm1d(3)
    text = nn.summary(lstm, xp.ones((4, 5, 2)))
    assert "((4, 5, 3), ((1, 5, 3), (1, 5, 3)))" in text
    one = nn.Linear(3, 3)
    text = nn.summary(nn.Sequential(one, norm, nn.Dropout(), one, nn.Linear(3, 1)), xp.ones((4, 3)))
    assert "22 parameters" in text
    assert norm.running_mean.tolist() == [0.0] * 3
    with pytest.raises(TypeError, match=r"summary: expected a module; got \[\]"):
        nn.summary([])


def test_hooks_see_and_replace_results(xp, same):
    model = nn.Sequential(nn.Linear(2, 3, rng=xp.random.default_rng(0)), nn.ReLU())
    x, seen = xp.ones((4, 2)), []

    def double(module, args, out):
        seen.append((module, args, out.shape))
        return 2 * out

    plain = model(x).detach().numpy()
    first = model.register_forward_hook(double)
    second = model.register_forward_hook(lambda module, args, out: None)
    third = model.register_forward_hook(double)
    same(model(x).detach(), 4 * plain)
    assert [m is model and args[0] is x and shape == (4, 3) for m, args, shape in seen] == [
        True
    ] * 2
    first.remove()
    first.remove()  # once more is nothing
    same(model(x).detach(), 2 * plain)
    third.remove()
    second.remove()
    same(model(x).detach(), plain)
    assert "_forward_hooks" not in vars(model)
    with pytest.raises(TypeError, match="register_forward_hook: expected a function; got 3"):
        model.register_forward_hook(3)


def triple(module, args, out):
    return 3 * out


def test_hooks_of_copies(xp, same):
    model = nn.Linear(2, 3, rng=xp.random.default_rng(0))
    x = xp.ones((4, 2))
    plain = model(x).detach().numpy()
    names = list(model.state_dict())
    handle = model.register_forward_hook(triple)
    assert list(model.state_dict()) == names
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        same(other(x).detach(), 3 * plain)
    shallow = copy.copy(model)
    shallow.register_forward_hook(triple)
    same(model(x).detach(), 3 * plain)
    same(shallow(x).detach(), 9 * plain, rtol=1e-15)
    with autodiff.no_grad():
        g = autodiff.grad(lambda model: xp.sum(model(x)))(model)
    same(g.bias, [12.0] * 3)
    handle.remove()
    same(model(x).detach(), plain)
    hooked = nn.ReLU()
    hooked.register_forward_hook(nn.Linear(1, 1))  # a module as a hook is not a submodule
    assert list(hooked.parameters()) == []
    loss = nn.MSELoss()
    with loss.register_forward_hook(triple):
        same(loss(x, 0 * x), 3.0)
    same(loss(x, 0 * x), 1.0)


def test_a_handle_holds_its_module_weakly(xp):
    model = nn.Linear(2, 3)
    handle = model.register_forward_hook(triple)
    found = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert found() is None
    finally:
        gc.enable()
    handle.remove()
