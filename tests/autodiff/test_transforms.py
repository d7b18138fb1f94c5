"""Transforms of functions: constants, integer results, None for zeros, repeated arguments."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import Tensor, autodiff
from arraygrad.autodiff import (
    check_grads,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

SIZES = [3, 3000]


def close(tensor, expected):
    assert isinstance(tensor, Tensor)
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12)


# ---- constants

CONSTANTS = {
    "a Python float": lambda x: 2.5,
    "a Python int": lambda x: 2,
    "a plain tensor": lambda x: xp.asarray(2.5, dtype=x.dtype),
    "what is computed from constants": lambda x: xp.sum(xp.ones(5, dtype=x.dtype)),
    "a piecewise constant function": lambda x: xp.sum(xp.floor(x)),
    "stop_gradient": lambda x: xp.sum(autodiff.stop_gradient(x) ** 2),
    "an empty sum": lambda x: xp.sum(x[:0]),
}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_the_gradient_of_a_constant_is_zero(name, dtype, n):
    f = CONSTANTS[name]
    x = xp.linspace(0.1, 0.9, n, dtype=dtype)
    value, g = value_and_grad(f)(x)
    assert isinstance(value, Tensor)
    assert value.dtype == dtype
    assert value == f(x)
    zeros = [g, grad(f)(x), jacobian(f)(x), vjp(f, x)[1](xp.ones((), dtype=dtype))[0]]
    zeros += [jacobian(f, mode="reverse")(x), hvp(f, (x,), (x,))]
    for z in zeros:
        assert (z.shape, z.dtype) == (x.shape, x.dtype)
        assert not xp.any(z)
    out, tangent = jvp(f, (x,), (x,))
    assert (out, tangent, tangent.dtype) == (value, 0, dtype)
    assert linearize(f, x)[1](x) == 0
    if n == 3:
        assert not xp.any(hessian(f)(x))
        assert not xp.any(jacobian(f, mode="forward")(x))


@pytest.mark.parametrize("x", [-1.5, 1.5])
def test_a_function_may_return_a_python_number_on_one_branch(x):
    def f(x):
        return 0.0 if x < 0 else x * x

    x = xp.asarray(x)
    expected = 0.0 if x < 0 else 2 * x
    assert grad(f)(x) == expected
    assert grad(grad(f))(x) == (0.0 if x < 0 else 2.0)
    assert jvp(f, (x,), (xp.asarray(1.0),))[1] == expected
    assert jvp(grad(f), (x,), (xp.asarray(1.0),))[1] == (0.0 if x < 0 else 2.0)
    assert grad(lambda x: jvp(f, (x,), (xp.asarray(1.0),))[1])(x) == (0.0 if x < 0 else 2.0)


def test_constants_of_complex_arguments_are_real():
    z = xp.asarray([1j, 2.0])
    value, g = value_and_grad(lambda z: 1.0)(z)
    assert (value.dtype, g.dtype) == (xp.float64, xp.complex128)
    assert vjp(lambda z: 1j, z)[0].dtype == xp.complex128


def test_constants_in_containers():
    x = xp.asarray([1.0, 2.0])
    out, pullback = vjp(lambda x: {"loss": xp.sum(x), "steps": 3.0}, x)
    assert out["steps"] == 3
    close(pullback({"loss": xp.asarray(2.0), "steps": xp.asarray(5.0)})[0], [2.0, 2.0])
    tangent = jvp(lambda x: {"loss": xp.sum(x), "steps": 3.0}, (x,), (x,))[1]
    assert (tangent["loss"], tangent["steps"]) == (3.0, 0.0)


def test_constants_belong_to_an_outer_differentiation():
    x = xp.asarray(2.0)
    assert grad(lambda x: grad(lambda y: x)(x) + x**2)(x) == 4.0
    assert grad(lambda x: grad(lambda y: 1.0)(x))(x) == 0.0
    w = xp.asarray(2.0).requires_grad_()
    value, g = value_and_grad(lambda x: w * w)(x)
    assert g == 0.0
    value.backward()
    assert w.grad == 4.0


def test_backward_of_a_constant_raises():
    w = xp.ones(3).requires_grad_()
    for constant in (xp.asarray(1.0), xp.sum(w.detach()), xp.sum(xp.ones(3))):
        with pytest.raises(RuntimeError, match="backward: nothing was recorded"):
            constant.backward()
    with autodiff.no_grad():
        loss = xp.sum(w)
    with pytest.raises(RuntimeError, match=r"nothing was recorded.*outside of no_grad"):
        loss.backward()


# ---- integers as results


def test_integer_results_of_vjp_and_jvp_have_zero_derivatives():
    def f(x):
        return xp.max(x), xp.argmax(x), x > 1.5

    x = xp.asarray([1.0, 3.0, 2.0])
    out, pullback = vjp(f, x)
    assert (out[0], out[1]) == (3.0, 1)
    for index in (None, xp.asarray(0), xp.asarray(7)):
        close(pullback((xp.asarray(2.0), index, xp.ones(3, dtype=xp.bool)))[0], [0.0, 2.0, 0.0])
    for out, tangent in (jvp(f, (x,), (x,)), linearize(f, x)):
        if not isinstance(tangent, tuple):
            tangent = tangent(x)
        assert tangent[0] == 3.0
        for t, y in zip(tangent[1:], out[1:], strict=True):
            assert (t.shape, t.dtype) == (y.shape, y.dtype)
            assert not xp.any(t)
    close(grad(lambda x: jvp(f, (x,), (x,))[1][0])(x), [0.0, 1.0, 0.0])


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian])
def test_an_integer_result_has_no_gradient(transform):
    for f in (xp.argmax, lambda x: True, lambda x: x[0] > 0):
        with pytest.raises(TypeError, match=f"{transform.__name__}: .* floating-point dtype"):
            transform(f)(xp.ones(3))


# ---- parts that are None


def test_none_stands_for_a_zero_tangent_or_cotangent():
    x = {"w": xp.asarray([1.0, 2.0]), "b": [xp.asarray(3.0), xp.asarray(4.0)]}

    def f(x):
        return {"y": x["w"] * x["b"][0], "z": (x["b"][1], xp.sum(x["w"]))}

    one, two = xp.asarray(1.0), xp.ones(2)
    _, pullback = vjp(f, x)
    for z in (None, (None, None)):
        (g,) = pullback({"y": two, "z": z})
        close(g["w"], [3.0, 3.0])
        assert (g["b"][0], g["b"][1]) == (3.0, 0.0)
    for b in (None, [None, None]):
        for _, tangent in (jvp(f, (x,), ({"w": two, "b": b},)), linearize(f, x)):
            if callable(tangent):
                tangent = tangent({"w": two, "b": b})
            close(tangent["y"], [3.0, 3.0])
            assert (tangent["z"][0], tangent["z"][1]) == (0.0, 2.0)
    product = hvp(lambda x: xp.sum(f(x)["y"]), (x,), ({"w": None, "b": [one, None]},))
    close(product["w"], [1.0, 1.0])
    assert product["b"] == [0.0, 0.0]
    for wrong in ({"y": two}, {"y": two, "z": one}, {"y": two, "z": (one,)}, (two, None)):
        with pytest.raises(ValueError, match="vjp: the cotangent must have the structure"):
            pullback(wrong)


# ---- argnums


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian])
@pytest.mark.parametrize("argnums", [(0, 0), (0, -2), [1, -1], (0, 1, -1)])
def test_argnums_that_name_an_argument_twice_are_refused(transform, argnums):
    x, y = xp.asarray(2.0), xp.asarray(3.0)
    with pytest.raises(ValueError, match=f"{transform.__name__}: argnums must be different"):
        transform(lambda x, y: x * y, argnums=argnums)(x, y)


# ---- the tape inside of a function


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


# ---- check_grads


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
