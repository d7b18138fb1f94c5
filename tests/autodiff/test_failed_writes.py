"""A write that fails changes neither values nor gradients, and no later pass raises for it."""

import numpy as np
import pytest
from autodiff.support import SIZES, each_size, name_of, start

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad, no_grad, variable, vjp


def _index_error(t):
    t[t.shape[0]] = 1.0


def _wrong_shape(t):
    t[...] = xp.ones(t.shape[0] + 1)


def _wrong_kind(t):
    t[...] = 1j


def _wrong_operand(t):
    t += xp.ones(t.shape[0] + 1)


def _wrong_mask(t):
    t[xp.ones(t.shape[0] + 1, dtype=xp.bool)] = 0.0


def _wrong_integers(t):
    t[xp.asarray([0, t.shape[0]])] = 0.0


@each_size
@pytest.mark.parametrize(
    "fail",
    [_index_error, _wrong_shape, _wrong_kind, _wrong_operand, _wrong_mask, _wrong_integers],
    ids=name_of,
)
def test_a_write_that_fails_leaves_gradients_right(fail, n):
    for pair in ("base", "view", "import", "same", "recorded", "no_grad"):
        base = xp.asarray(start(n), copy=True)
        kept = written = base
        w = variable(xp.ones(n))
        expected = start(n)
        if pair == "base":
            kept = base[...]
        elif pair == "view":
            written = xp.reshape(base, (1, n))[0]
        elif pair == "import":
            written = xp.from_numpy(base.numpy())
        elif pair in ("recorded", "no_grad"):
            kept = written = w * base
            expected = 2 * start(n)  # w is 1
        y = xp.sum(w * kept)
        if pair == "no_grad":
            with autodiff.no_grad(), pytest.raises((IndexError, ValueError, TypeError)):
                fail(written)
        else:
            with pytest.raises((IndexError, ValueError, TypeError)):
                fail(written)
        y.backward()
        np.testing.assert_allclose(w.grad.numpy(), expected, rtol=1e-12)


@each_size
def test_a_recorded_value_that_does_not_fit_leaves_a_plain_tensor_plain(n):
    v = variable(xp.ones(n + 1))
    t = xp.ones(n)
    for index in (..., slice(None), n):
        with pytest.raises((IndexError, ValueError)):
            t[index] = v
    with pytest.raises(ValueError):
        t += v
    np.testing.assert_array_equal(t.numpy(), np.ones(n))


def test_a_write_to_read_only_memory_fails_and_leaves_gradients_right():
    for n in SIZES:
        a = start(n)
        a.flags.writeable = False
        kept, written = xp.from_numpy(a), xp.from_numpy(a)
        w = variable(xp.ones(n))
        y = xp.sum(w * kept)
        for value in (9.0, w * 2.0):
            with pytest.raises(ValueError, match="read-only"):
                written[...] = value
        y.backward()
        np.testing.assert_array_equal(w.grad.numpy(), a)


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


@each_size
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


@each_size
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
