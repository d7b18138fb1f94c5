"""What the tape gives for tensors that are in the graph and that the loss does not depend on."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff


@autodiff.custom_vjp
def unused(x, y):
    return x * 2.0 + y


unused.defvjp(lambda x, y: (x * 2.0 + y, None), lambda _, g: (None, g))

STEPS = {
    "floor": lambda xp, x: xp.floor(x),
    "ceil": lambda xp, x: xp.ceil(x),
    "round": lambda xp, x: xp.round(x),
    "trunc": lambda xp, x: xp.trunc(x),
    "sign": lambda xp, x: xp.sign(x),
    "floor_divide": lambda xp, x: x // 0.5,
    "floor of a product": lambda xp, x: xp.floor(x * 3.0) * 2.0,
    "floor of a chain": lambda xp, x: xp.floor(xp.sin(xp.exp(xp.reshape(x, (-1, 1))))),
    "floor of a view": lambda xp, x: xp.floor(x[::2]),
    "parts of a floor": lambda xp, x: xp.concat(xp.unstack(xp.floor(x)[None])),
    "floor of parts": lambda xp, x: xp.floor(xp.unstack(xp.stack([x, x]))[1]),
    "floor in place": lambda xp, x: put_floor(xp, x),
    "checkpoint": lambda xp, x: autodiff.checkpoint(xp.floor)(x),
    "custom_vjp": lambda xp, x: unused(x, 1.0),
}


def put_floor(xp, x):
    y = xp.zeros(x.shape)
    y[...] = xp.floor(x)
    return y


@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize("name", STEPS)
def test_backward_gives_the_zeros_of_grad(xp, name, n):
    data = xp.linspace(-2.25, 3.0, n)

    def loss(x):
        return xp.sum(STEPS[name](xp, x))

    x = xp.asarray(data, copy=True).requires_grad_()
    loss(x).backward()
    expected = autodiff.grad(loss)(data)
    assert not bool(xp.any(expected != 0))
    assert x.grad.shape == (n,)
    assert x.grad.dtype == x.dtype
    assert x.grad.device == x.device
    assert bool(xp.all(x.grad == 0))
    x.grad += 1.0  # memory of its own
    loss(x).backward()
    assert bool(xp.all(x.grad == 1))


def test_gradients_by_other_ways_are_unchanged(xp, same):
    x = xp.asarray([1.5, -2.5]).requires_grad_()
    for loss in (
        lambda: xp.sum(xp.floor(x) * x),
        lambda: xp.sum(x * xp.floor(x)),
        lambda: xp.sum(xp.floor(xp.floor(x) * 1.0) + xp.floor(x) * x),
    ):
        x.grad = None
        loss().backward()
        same(x.grad, [1.0, -3.0])
    y = x * 2.0
    (xp.sum(xp.round(y)) + xp.sum(y**2)).backward()
    same(x.grad, [1.0 + 12.0, -3.0 - 20.0])


def test_zeros_do_not_meet_infinities(xp, same):
    w = xp.asarray([[xp.inf, 1.0], [xp.nan, 0.0]]).requires_grad_()
    x = xp.asarray([1.0, 2.0]).requires_grad_()
    xp.sum(xp.floor(w @ x)).backward()
    same(x.grad, [0.0, 0.0])
    same(w.grad, [[0.0, 0.0], [0.0, 0.0]])


def test_hooks_are_called_with_zeros(xp, same):
    x = xp.asarray([1.5, 2.5]).requires_grad_()
    y = x * 2.0
    y.retain_grad()
    seen = []
    x.register_hook(seen.append)
    y.register_hook(lambda g: g + 1.0)
    xp.sum(xp.floor(y * 3.0)).backward()
    same(y.grad, [1.0, 1.0])  # what a hook returns goes on
    same(x.grad, [2.0, 2.0])
    assert [g.tolist() for g in seen] == [[2.0, 2.0]]


def test_a_graph_through_floor_is_freed(xp):
    x = xp.asarray([1.5, 2.5]).requires_grad_()
    y = xp.exp(x)
    loss = xp.sum(xp.floor(y))
    loss.backward()
    with pytest.raises(RuntimeError, match="freed"):
        xp.sum(y).backward()
    y = xp.exp(x)
    loss = xp.sum(xp.floor(y))
    loss.backward(retain_graph=True)
    xp.sum(y).backward()
    assert x.grad.tolist() == y.tolist()


def test_of_a_second_order(xp, same):
    x = xp.asarray(1.5).requires_grad_()
    (x**2 + xp.floor(x)).backward(create_graph=True)
    g, x.grad = x.grad, None
    same(g.detach(), 3.0)
    g.backward()
    same(x.grad, 2.0)
    x.grad = None
    xp.floor(x).backward(create_graph=True)
    same(x.grad, 0.0)


def test_zeros_of_moved_tensors_are_on_their_own_devices():
    there = arraygrad.ones(3, device="strict:1").requires_grad_()
    here = arraygrad.ones(3).requires_grad_()
    moved = there.to_device("cpu")
    arraygrad.sum(arraygrad.floor(moved * here)).backward()
    assert (str(there.grad.device), str(here.grad.device)) == ("strict:1", "cpu")
    assert there.grad.tolist() == here.grad.tolist() == [0.0, 0.0, 0.0]


def test_complex_parameters_have_complex_zeros(xp):
    z = xp.asarray([1.0 + 2.0j]).requires_grad_()
    xp.sum(xp.floor(xp.real(z))).backward()
    assert z.grad.dtype == np.dtype("complex128")
    assert z.grad.tolist() == [0j]


def test_what_is_not_in_the_graph_has_no_gradient(xp):
    """As in PyTorch: comparisons give bools, which are not recorded."""
    x, other = xp.asarray([1.5, -2.5]).requires_grad_(), xp.ones(2).requires_grad_()
    xp.sum(other * xp.astype(x > 0, other.dtype)).backward()
    assert x.grad is None
    assert other.grad.tolist() == [1.0, 0.0]
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        xp.sum(xp.astype(x > 0, other.dtype)).backward()
