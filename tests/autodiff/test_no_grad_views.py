"""Views that are taken inside of no_grad: written outside, they would change values alone."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad.autodiff import enable_grad, grad, no_grad

VIEWS = {
    "a slice": lambda x: x[:2],
    "an element": lambda x: x[0],
    "a view of a view": lambda x: xp.reshape(x, (3, -1))[0, :],
    "a transpose": lambda x: xp.flip(x),
    "one of several": lambda x: xp.unstack(x)[0],
    "a broadcast axis": lambda x: xp.expand_dims(x, axis=0),
}
WRITES = {
    "by an operator": lambda v: v.__imul__(10.0),
    "by an index": lambda v: v.__setitem__(..., 7.0),
    "of a tensor": lambda v: v.__iadd__(xp.ones_like(v)),
    "to a view of it": lambda v: xp.reshape(v, (-1,)).__setitem__(0, 7.0),
    "by shuffling": lambda v: xp.random.default_rng(0).shuffle(xp.reshape(v, (-1,))),
}


@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_outside_of_no_grad_raises(view, write, n):
    w = xp.ones(n).requires_grad_()
    for x in (w, 2 * w):
        values = xp.asarray(x.detach(), copy=True)
        with no_grad():
            v = VIEWS[view](x)
        with pytest.raises(
            RuntimeError, match="taken inside of no_grad, of a tensor that is recor"
        ):
            WRITES[write](v)
        assert xp.all(x == values)
        xp.sum(x**2).backward()

    def f(x):
        y = 2 * x
        with no_grad():
            v = VIEWS[view](y)
        WRITES[write](v)
        return xp.sum(y**2)

    with pytest.raises(RuntimeError, match="taken inside of no_grad"):
        grad(f)(xp.ones(n))
    f(xp.ones(n))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_meant_is_possible(view, write):
    """Inside of no_grad, through a detached tensor, and after the tensor has gone."""
    w = xp.ones(3).requires_grad_()
    with no_grad():
        WRITES[write](VIEWS[view](w))
    WRITES[write](VIEWS[view](w.detach()))
    with no_grad():
        v = VIEWS[view](w)
        with enable_grad(), pytest.raises(RuntimeError, match="taken inside of no_grad"):
            WRITES[write](v)
        WRITES[write](v)
    with no_grad():
        v = VIEWS[view](2 * w)
    WRITES[write](v)
    w.requires_grad_(False)
    with no_grad():
        v = VIEWS[view](w)
    WRITES[write](v)


def test_what_such_a_view_shows_follows_its_tensor():
    w = xp.ones(3).requires_grad_()
    with no_grad():
        v = w[:2]
        w *= 5
    np.testing.assert_array_equal(v.numpy(), [5.0, 5.0])
    y = 2 * w
    with no_grad():
        v = y[:2]
    y[0] = 3.0
    np.testing.assert_array_equal(v.numpy(), [3.0, 10.0])
    xp.sum(y**2).backward()
    np.testing.assert_array_equal(w.grad.numpy(), [0.0, 40.0, 40.0])
