"""Leaves, their attributes and `backward`."""

from copy import deepcopy

import numpy as np
import pytest
from autodiff.support import ONE, close

import arraygrad
import arraygrad as xp
from arraygrad import Tensor, autodiff, nn
from arraygrad.autodiff import grad, jvp, no_grad, variable


def test_a_leafs_deep_copy_is_a_leaf():
    w = variable(arraygrad.asarray([1.0, 2.0]))
    arraygrad.sum(w * w).backward()
    kept, again, frozen = deepcopy((w, w, variable(ONE, requires_grad=False)))
    assert kept is again
    assert kept.is_leaf
    assert kept.requires_grad
    assert not frozen.requires_grad
    with no_grad():
        kept[...] = 5.0
    kept.grad[...] = 7.0
    assert w.detach().tolist() == [1.0, 2.0]
    assert w.grad.tolist() == [2.0, 4.0]
    assert not deepcopy(2 * w).is_leaf
    g = grad(lambda x: arraygrad.sum(deepcopy(x) * x))(arraygrad.asarray([3.0]))
    assert g.tolist() == [6.0]


def test_requires_grad_may_be_set():
    w = variable(ONE)
    w.requires_grad = False
    assert not w.requires_grad
    assert type(2 * w) is Tensor
    w.requires_grad = True
    assert (2 * w).requires_grad


def test_backward(xp):
    w, b = variable(xp.asarray([1.0, 2.0])), variable(xp.asarray(0.5))
    loss = xp.sum((w * 3 + b) ** 2)
    loss.backward()
    close(w.grad, 6 * (3 * np.array([1.0, 2.0]) + 0.5))
    close(b.grad, 2 * (3.5 + 6.5))
    (2 * xp.sum(b * w)).backward()  # accumulates
    close(b.grad, 2 * (3.5 + 6.5) + 6)
    w.grad = None
    assert w.grad is None


def test_attributes(xp):
    w = variable(xp.ones(2))
    assert (w.requires_grad, w.is_leaf, w.grad, w.grad_fn) == (True, True, None, None)
    y = xp.exp(w)[0] * 2
    assert y.requires_grad
    assert not y.is_leaf
    assert y.grad_fn.name == "multiply"
    (parent, index), (other, _) = y.grad_fn.next_functions
    assert (parent.name, index, other) == ("getitem", 0, None)
    assert parent.next_functions[0][0].name == "exp"
    assert parent.next_functions[0][0].next_functions[0][0].name == "leaf"
    assert y.grad is None
    first, second = xp.unstack(w)
    assert (second.grad_fn.name, (first * second).grad_fn.next_functions[1][1]) == ("unstack", 1)
    assert repr(w) == "Tensor([1., 1.], dtype=float64, requires_grad=True)"
    assert repr(w * 2) == "Tensor([2., 2.], dtype=float64, grad_fn=<multiply>)"
    assert xp.asarray(w) is w
    assert w.__array_namespace__() is arraygrad
    w.requires_grad_(False)
    assert not w.requires_grad
    assert type(w * 2) is Tensor
    assert w.requires_grad_().requires_grad


def test_graphs_of_a_leaf_that_is_switched_off_and_on(xp):
    w, v = variable(xp.asarray([1.0, 2.0])), variable(xp.asarray([3.0, 4.0]))
    w.register_hook(lambda g: 10 * g)
    loss = xp.sum(w * v)
    loss.backward(retain_graph=True)
    w.requires_grad_(False)
    loss.backward(retain_graph=True)
    close(w.grad, [30.0, 40.0])  # as it was
    close(v.grad, [2.0, 4.0])
    w.requires_grad_()
    loss.backward()
    close(w.grad, [60.0, 80.0])

    def f(x):
        half = x * x
        x.requires_grad_(False)
        return xp.sum(half * x * x.requires_grad_())

    close(grad(f)(xp.asarray([2.0])), [24.0])


def test_backward_of_tensors(xp):
    w = variable(xp.ones((2, 3)))
    y = xp.sum(w * 2, axis=1)
    y.backward(xp.asarray([1.0, 10.0]))
    close(w.grad, [[2.0] * 3, [20.0] * 3])
    z = variable(xp.asarray([1 + 2j, -1j]))
    xp.sum(xp.abs(z) ** 2).backward()
    close(z.grad, 2 * z.detach().numpy())


def test_training_in_place(xp):
    w = variable(xp.asarray([5.0, -3.0]))
    memory = w.detach()
    for _ in range(100):
        loss = xp.sum((w - 1.0) ** 2)
        w.grad = None
        loss.backward()
        with no_grad():
            w -= 0.2 * w.grad
    close(w.detach(), [1.0, 1.0], 1e-9)
    assert w.is_leaf
    close(memory, [1.0, 1.0], 1e-9)  # the very memory was written


def test_backward_of_a_constant_raises():
    w = xp.ones(3).requires_grad_()
    for constant in (xp.asarray(1.0), xp.sum(w.detach()), xp.sum(xp.ones(3))):
        with pytest.raises(RuntimeError, match="backward: nothing was recorded"):
            constant.backward()
    with autodiff.no_grad():
        loss = xp.sum(w)
    with pytest.raises(RuntimeError, match=r"nothing was recorded.*outside of no_grad"):
        loss.backward()


@pytest.mark.parametrize("transform", ["jvp", "grad"])
def test_backward_of_an_argument_says_that_it_belongs_to_the_function(transform):
    w = xp.asarray(2.0).requires_grad_()

    def f(x):
        (w * x).backward()
        return x

    x = xp.asarray(3.0)
    call = (lambda: jvp(f, (x,), (x,))) if transform == "jvp" else (lambda: grad(f)(x))
    words = "a tangent, since it is computed from an argument of jvp" if transform == "jvp" else (
        "belongs to a function that grad, vjp or their like differentiates"
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=words):
        call()
    assert w.grad is None


def test_backward_inside_of_jvp_of_what_has_no_tangent():
    w = xp.asarray(2.0).requires_grad_()

    def f(x):
        (w * w).backward()
        return x * w.grad

    out, tangent = jvp(f, (xp.asarray(3.0),), (xp.asarray(1.0),))
    assert (out, tangent) == (12.0, 4.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: xp.meshgrid(x)[0],
        lambda x: xp.unstack(xp.expand_dims(x, axis=0))[0],
        lambda x: xp.unique_all(x).values,
        nn.silu,
        lambda x: nn.layer_norm(x, 3),
    ],
)
def test_gradients_through_several_results_have_memory_of_their_own(function):
    x = xp.asarray([1.0, 2.0, 3.0]).requires_grad_()
    g = xp.asarray([4.0, 5.0, 6.0])
    y = function(x)
    y.backward(g, retain_graph=True)
    before = x.grad.tolist()
    x.grad += 1
    assert g.tolist() == [4.0, 5.0, 6.0]
    x.grad = None
    y.backward(g)
    assert x.grad.tolist() == before
