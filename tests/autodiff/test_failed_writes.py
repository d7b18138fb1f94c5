"""A write that fails changes neither values nor gradients, and no later pass raises for it."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad.autodiff import grad, no_grad, vjp

#: Writes that fail, given a recorded leaf `w` and the tensor to write.
WRITES = {
    "a shape that does not fit": lambda w, x: x.__setitem__(..., xp.ones(7)),
    "an index out of range": lambda w, x: x.__setitem__(3000, 1.0),
    "an index out of range, recorded": lambda w, x: x.__setitem__(3000, w[0]),
    "a recorded shape that does not fit": lambda w, x: x.__setitem__(slice(0, 2), w),
    "a complex value": lambda w, x: x.__setitem__(0, 1j),
    "text": lambda w, x: x.__setitem__(0, "a"),
    "an operator": lambda w, x: x.__iadd__(xp.ones(7)),
    "an operator, recorded": lambda w, x: x.__imul__(xp.concat([w, w])),
    "a view": lambda w, x: x[:2].__setitem__(5, w[0]),
    "inside of no_grad": lambda w, x: no_grad(lambda: x.__setitem__(3000, 1.0))(),
}
ERRORS = (IndexError, RuntimeError, TypeError, ValueError)


@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("what", ["a result", "a view", "a constant", "a leaf"])
def test_a_failed_write_leaves_the_tape_as_it_is(name, what, n):
    def gradient(write):
        w = xp.linspace(0.5, 1.5, n).requires_grad_()
        constant = xp.linspace(1.0, 2.0, n)
        y = w * constant
        z, v = y**2, y[1:]
        x = {"a result": y, "a view": v, "a constant": constant, "a leaf": w}[what]
        if write is not None:
            with pytest.raises(ERRORS):
                write(w, x)
        loss = xp.sum(z) + xp.sum(y**3) + xp.sum(v * constant[1:])
        loss.backward()
        return w.grad.numpy(), y.detach().numpy()

    for found, expected in zip(gradient(WRITES[name]), gradient(None), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", [3, 3000])
@pytest.mark.parametrize("name", WRITES)
def test_a_failed_write_leaves_a_function_as_it_is(name, n):
    def f(x):
        y = x * 2
        for target in (x, y, y[1:]):
            with pytest.raises(ERRORS):
                WRITES[name](x, target)
        return xp.sum(y * x)

    x = xp.linspace(0.5, 1.5, n)
    np.testing.assert_array_equal(grad(f)(x).numpy(), 4 * np.linspace(0.5, 1.5, n))
    _, pullback = vjp(lambda x: x**2, x)
    with pytest.raises(ERRORS):
        WRITES[name](x, x)
    np.testing.assert_array_equal(pullback(xp.ones(n))[0].numpy(), 2 * np.linspace(0.5, 1.5, n))
