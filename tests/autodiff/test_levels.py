"""Differentiations inside of one another, and conversions that leave one."""

import math
import threading

import numpy as np
import pytest
from autodiff.support import ONE, close

import arraygrad
from arraygrad.autodiff import (
    NotDifferentiableError,
    checkpoint,
    grad,
    hessian,
    hvp,
    jvp,
    no_grad,
    stop_gradient,
    variable,
)


@pytest.mark.parametrize("order", ["rr", "fr", "rf", "ff", "rrr", "frf", "ffr", "rfr"])
def test_modes_nest(xp, order):
    modes = {
        "r": lambda f: grad(f),
        "f": lambda f: lambda x: jvp(f, (x,), (xp.ones_like(x),))[1],
    }
    f = lambda x: xp.sin(x) * x**4
    for mode in order:
        f = modes[mode](f)
    x = 0.7
    s, c = np.sin(x), np.cos(x)
    second = -s * x**4 + 8 * c * x**3 + 12 * s * x**2
    third = -c * x**4 - 12 * s * x**3 + 36 * c * x**2 + 24 * s * x
    close(f(xp.asarray(x)), second if len(order) == 2 else third)


def test_no_perturbation_confusion(xp):
    """The classic: d/dx (x * d/dy (x + y)) is 1, not 2 (Siskind and Pearlmutter, 2005)."""
    one = xp.asarray(1.0)
    for inner in (grad, lambda f: lambda y: jvp(f, (y,), (one,))[1]):
        for outer in (grad, lambda f: lambda y: jvp(f, (y,), (one,))[1]):
            f = lambda x, inner=inner: x * inner(lambda y: x + y)(one)
            assert float(outer(f)(one)) == 1.0
            f = lambda x, inner=inner: inner(lambda y: x * y * y)(x)
            assert float(outer(f)(one)) == 4.0


def test_a_tape_inside_of_a_function_and_around(xp):
    w = variable(xp.asarray(3.0))
    g = grad(lambda x: x * x * w)(xp.asarray(2.0))  # recorded as a function of w
    g.backward()
    assert float(w.grad) == 4.0
    x = variable(xp.asarray(2.0))
    y = jvp(lambda t: t * t * x, (xp.asarray(5.0),), (xp.asarray(1.0),))[1]
    y.backward()
    assert float(x.grad) == 10.0


def test_data_does_not_leave_unseen():
    def lost(read):
        def f(x):
            return arraygrad.asarray(read(x)) * 1.0

        return f

    for read in (
        np.asarray,
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        np.sin,
        lambda x: np.from_dlpack(x),
        lambda x: memoryview(x.__buffer__(0)),
    ):
        with pytest.raises(TypeError, match="stop_gradient"):
            grad(lost(read))(ONE)
        with pytest.raises(TypeError, match="detach"):
            read(variable(ONE))
    for make in (
        lambda x: arraygrad.arange(x, 5.0),
        lambda x: arraygrad.linspace(0.0, x, 3, dtype=arraygrad.int64),
    ):
        with pytest.raises(TypeError, match="stop_gradient"):
            grad(lambda x, make=make: arraygrad.sum(make(x)))(ONE)
    v = 2 * variable(ONE)
    assert v.detach().numpy() == 2.0
    with no_grad():
        assert v.numpy() == 2.0


NUMBERS = [float, complex, math.sqrt, lambda x: math.log(x, 2), np.float64, lambda x: np.full(2, x)]


@pytest.mark.parametrize("read", NUMBERS)
def test_numbers_do_not_leave_unseen(read):
    def f(x):
        read(x)
        return x * x

    for differentiate in (
        grad,
        hessian,
        lambda f: lambda x: jvp(f, (x,), (x,)),
        lambda f: lambda x: hvp(f, (x,), (x,)),
        lambda f: grad(lambda x: grad(lambda y: y * f(x))(x)),  # of the outer one, in the inner
        lambda f: grad(lambda x: jvp(lambda y: y * f(x), (x,), (x,))[1]),
        lambda f: lambda x: jvp(lambda z: grad(lambda y: y * f(z))(z), (x,), (x,)),
        lambda f: grad(checkpoint(f)),
    ):
        with pytest.raises(NotDifferentiableError, match="the gradient would be lost"):
            differentiate(f)(ONE)
    for v in (variable(ONE), 2 * variable(ONE)):
        with pytest.raises(NotDifferentiableError, match="the gradient would be lost"):
            read(v)


def test_the_error_of_a_number_says_what_to_write():
    for words in (r"^__float__: ", r"xp.sqrt\(x\)", r"x > 0", r"x.item\(\)", r"stop_gradient\(x\)"):
        with pytest.raises(NotDifferentiableError, match=words):
            math.sqrt(variable(ONE))
    with pytest.raises(NotDifferentiableError, match=r"^__complex__: "):
        complex(variable(arraygrad.asarray(1j)))
    with pytest.raises(TypeError, match="only a 0-d tensor"):
        float(variable(arraygrad.ones(1)))
    with pytest.raises(TypeError, match="complex128 tensor cannot be converted"):
        float(variable(arraygrad.asarray(1j)))


def test_numbers_are_read_on_purpose_or_where_no_gradient_is_lost():
    def f(x):
        assert (x.item(), int(x), bool(x)) == (1.0, 1, True)
        assert (f"{x:.1f}", str(x), "(1.," in repr(x)) == ("1.0", "1.", True)
        assert float(stop_gradient(x)) == float(x > 0) == float(arraygrad.floor(x)) == 1.0
        assert max(x, 0.5) is x
        return 3 * x

    f(variable(ONE))
    assert float(grad(f)(ONE)) == float(grad(grad(lambda x: x * f(x)))(ONE)) - 3 == 3.0
    assert float(jvp(f, (ONE,), (ONE,))[1]) == 3.0

    v = variable(2 * ONE)
    with no_grad():
        assert float(v) == float(v * v) - 2 == complex(v) == 2.0
        with pytest.raises(NotDifferentiableError):
            grad(lambda x: x * float(x))(ONE)  # which is begun inside
    assert float(variable(ONE, requires_grad=False)) == float(v.detach()) - 1 == 1.0


def test_numbers_of_what_backward_has_freed():
    def read(x):
        with pytest.raises(NotDifferentiableError):
            float(x)

    v = variable(2 * ONE)
    loss = v * v
    loss.backward(retain_graph=True)
    read(loss)
    loss.backward()
    assert float(loss) == math.sqrt(loss) ** 2 == np.asarray(loss) == 4.0
    assert float(3 * loss) == 12.0  # nothing flows from here either
    read(loss * v)
    read(v)
    # one of several results
    a, b = arraygrad.unstack(v * arraygrad.asarray([1.0, 2.0]))
    read(a)
    (a * b).backward()
    assert (float(a), float(b)) == (2.0, 4.0)
    # a graph of the gradient itself
    v.grad = None
    loss = v**3
    loss.backward(create_graph=True)
    read(loss)
    read(v.grad)

    # freed at one level, and followed at another
    def outer(x):
        w = variable(2 * ONE)
        loss = w * stop_gradient(x)
        read(loss * arraygrad.floor(x))
        loss.backward()
        assert float(loss * arraygrad.floor(x)) == 2.0
        read(loss * x)
        return x * x

    assert float(grad(outer)(ONE)) == 2.0


def test_strict_mode(xp):
    x = xp.asarray([1.0, 2.0])

    def f(x):
        y = xp.asarray(x, copy=True)
        y[0] *= 2.0
        y **= 2.0
        return xp.sum(xp.maximum(y, 1.5) * xp.linalg.vector_norm(x))

    expected = grad(f)(x).numpy()
    with xp.strict():
        close(grad(f)(x), expected)
        hvp(f, (x,), (x,))
        with pytest.raises(TypeError, match="outside the standard"):
            grad(lambda x: xp.sum(x + True))(x)


def test_devices_do_not_mix():
    x = arraygrad.ones(2, device="strict:1")
    for f in (lambda v: v * x, lambda v: x / v, lambda v: arraygrad.concat([v, x])):
        with pytest.raises(arraygrad.DeviceMismatchError):
            f(variable(arraygrad.ones(2)))
        with pytest.raises(arraygrad.DeviceMismatchError):
            jvp(f, (arraygrad.ones(2),), (arraygrad.ones(2),))


def test_threads_differentiate_at_once():
    results = [None] * 8

    def work(k):
        x = arraygrad.asarray(float(k))
        for _ in range(50):
            results[k] = float(grad(lambda x: grad(lambda y: y**3 * x)(x))(x))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [9.0 * k**2 for k in range(8)]


def test_what_a_function_has_let_out_becomes_a_variable():
    box = []
    grad(lambda x: (box.append(x * 2.0), arraygrad.sum(x))[1])(arraygrad.ones(3))
    w = variable(box[0])
    arraygrad.sum(w * w).backward()
    assert arraygrad.all(w.grad == 4.0)
