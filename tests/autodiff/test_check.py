"""check_grads finds wrong derivatives."""

import numpy as np
import pytest

import arraygrad
import arraygrad as xp
from arraygrad.autodiff import check_grads, custom_jvp, stop_gradient


def test_check_grads():
    x = arraygrad.asarray([0.5, 1.5])
    check_grads(lambda x: {"a": arraygrad.sin(x), "b": arraygrad.prod(x)}, (x,), order=3)
    check_grads(arraygrad.exp, (arraygrad.asarray([0.5j, 1.0]),))
    check_grads(arraygrad.exp, (arraygrad.asarray([0.5], dtype=arraygrad.float32),), order=1)
    wrong = custom_jvp(lambda x: x * x)
    wrong.defjvp(lambda primals, tangents: (wrong(*primals), 3 * primals[0] * tangents[0]))
    for modes in (("forward",), ("reverse",)):
        with pytest.raises(AssertionError, match=f"{modes[0]} mode"):
            check_grads(wrong, (x,), modes=modes)
    second = custom_jvp(lambda x: x * x)
    second.defjvp(
        lambda primals, tangents: (second(*primals), 2 * stop_gradient(primals[0]) * tangents[0])
    )
    check_grads(second, (x,), order=1)
    with pytest.raises(AssertionError, match="then"):
        check_grads(second, (x,), order=2)


def test_check_grads_of_functions_of_and_to_several_devices():
    x, y = arraygrad.asarray([0.5, 1.5]), arraygrad.asarray([0.5, 1.0], device="strict:1")

    def f(x, y):
        return x**2 * arraygrad.sin(y).to_device("cpu"), y * x.to_device("strict:1")

    check_grads(f, (x, y))
    wrong = custom_jvp(lambda y: y * y)
    wrong.defjvp(lambda primals, tangents: (wrong(*primals), 3 * primals[0] * tangents[0]))
    for modes in (("forward",), ("reverse",)):
        with pytest.raises(AssertionError, match=f"{modes[0]} mode"):
            check_grads(lambda x, y: (x, wrong(y)), (x, y), modes=modes)


@pytest.mark.parametrize("x", [3, xp.asarray(3), xp.asarray([True]), "3", np.ones(2)])
@pytest.mark.parametrize("modes", [("forward",), ("reverse",)])
def test_check_grads_says_which_argument_has_no_gradient(x, modes):
    for args, path in (((xp.asarray(2.0), x), r"\[1\]"), (({"n": x},), r"\[0\]\['n'\]")):
        with pytest.raises(TypeError, match=f"check_grads: args{path} must be a tensor of a float"):
            check_grads(lambda *args: xp.asarray(1.0), args, modes=modes)


def test_check_grads_of_constants_and_of_functions_that_draw():
    x = xp.asarray([0.5, 1.5])
    check_grads(lambda x: 1.0, (x,))
    check_grads(lambda x: (xp.sum(x**2), 2.0), (x,))
    rng = xp.random.default_rng(0)
    check_grads(lambda x: xp.sum(x**2 * rng.random(2)), (x,))
