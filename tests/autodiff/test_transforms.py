"""grad, vjp, jvp, jacobian and the like: containers, constants, integer results, bad input."""

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest
from autodiff.support import ONE, close, each_size

import arraygrad
import arraygrad as xp
from arraygrad import Tensor, autodiff
from arraygrad.autodiff import (
    check_grads,
    checkpoint,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    variable,
    vjp,
)


def test_grad(xp):
    x = xp.asarray([1.0, 2.0])
    g = grad(lambda x: xp.sum(x**3))(x)
    assert type(g) is Tensor
    close(g, [3.0, 12.0])
    assert g.dtype == x.dtype
    assert g.device is x.device


def test_grad_of_python_floats():
    assert float(grad(lambda x: x * x)(3.0)) == 6.0
    assert complex(grad(lambda z: arraygrad.abs(z) ** 2)(1 + 2j)) == 2 + 4j


def test_argnums_and_aux(xp):
    x, y = xp.asarray(2.0), xp.asarray(3.0)

    def f(x, y, power=2):
        return x**power * y, {"sum": x + y, "text": "kept"}

    (value, aux), (gx, gy) = value_and_grad(f, (0, 1), has_aux=True)(x, y)
    assert (float(value), float(gx), float(gy)) == (12.0, 12.0, 4.0)
    assert type(aux["sum"]) is Tensor
    assert float(aux["sum"]) == 5.0
    assert aux["text"] == "kept"
    g, aux = grad(f, -1, has_aux=True)(x, y, power=3)
    assert float(g) == 8.0
    assert grad(f, 1, has_aux=True).__name__ == "f"


class Pair(NamedTuple):
    a: object
    b: object


@dataclasses.dataclass(frozen=True)
class Layer:
    weight: object
    bias: object = None


@dataclasses.dataclass
class Net:
    layers: list
    scale: object

    def __post_init__(self):
        self.scale = self.scale * 1.0  # which taking apart and putting together must not repeat


@dataclasses.dataclass(frozen=True)
class Named:
    name: str = dataclasses.field(metadata={"static": True})
    weight: object
    power: int = dataclasses.field(default=2, metadata={"static": True})


def test_static_fields_of_dataclasses_are_left_alone(xp):
    p = Named("first", xp.asarray(3.0), 3)
    value, g = value_and_grad(lambda p: p.weight**p.power)(p)
    assert (float(value), float(g.weight)) == (27.0, 27.0)
    assert (g.name, g.power) == ("first", 3)
    pullback = vjp(lambda p: dataclasses.replace(p, weight=p.weight**2), p)[1]
    assert float(pullback(g)[0].weight) == 162.0
    with pytest.raises(ValueError, match="structure"):
        pullback(dataclasses.replace(g, power=4))


def test_containers(xp):
    one = xp.asarray(1.0)
    p = {"n": Net([Layer(2 * one), Layer(3 * one, 4 * one)], 5 * one), "t": (Pair(one, [one]),)}

    def f(p):
        n = p["n"]
        first, second = n.layers
        return (first.weight * second.weight + second.bias) * n.scale * p["t"][0].b[0]

    value, g = value_and_grad(f)(p)
    assert float(value) == 50.0
    assert isinstance(g["n"], Net)
    assert [float(g["n"].layers[0].weight), float(g["n"].layers[1].bias)] == [15.0, 5.0]
    assert g["n"].layers[0].bias is None
    assert isinstance(g["t"][0], Pair)
    assert float(g["t"][0].a) == 0.0  # not used
    assert float(g["t"][0].b[0]) == 50.0
    pullback = vjp(lambda p: {"y": f(p), "z": [p["n"].scale]}, p)[1]
    (h,) = pullback({"y": one, "z": [10 * one]})
    assert float(h["n"].scale) == 20.0
    tangents = arraygrad._pytree.tree_map(xp.ones_like, p)
    assert float(jvp(f, (p,), (tangents,))[1]) == 15 + 10 + 5 + 10 + 50


def test_linearize(xp):
    calls = []

    def f(x, y):
        calls.append(1)
        return xp.sin(x) * y, xp.sum(x)

    x, y = xp.asarray([1.0, 2.0]), xp.asarray([3.0, 4.0])
    out, derivative = linearize(f, x, y)
    for tx, ty in (([1.0, 0.0], [0.0, 0.0]), ([0.5, 1.0], [2.0, -1.0])):
        t = xp.asarray(tx), xp.asarray(ty)
        expected = jvp(f, (x, y), t)[1]
        for a, b in zip(derivative(*t), expected, strict=True):
            close(a, b.numpy())
    assert len(calls) == 3
    close(out[0], np.sin([1.0, 2.0]) * [3.0, 4.0])


def test_linearize_hands_an_auxiliary_result_on(xp):
    x = xp.asarray([1.0, 2.0])
    out, derivative, aux = linearize(lambda x: (x**2, {"twice": 2 * x}), x, has_aux=True)
    close(out, [1.0, 4.0])
    close(derivative(xp.ones(2)), [2.0, 4.0])
    assert type(aux["twice"]) is Tensor
    close(aux["twice"], [2.0, 4.0])


def test_linearize_differentiates(xp):
    x = xp.asarray(0.5)
    g = grad(lambda x: linearize(xp.sin, x)[1](xp.asarray(2.0)))(x)
    close(g, -2 * np.sin(0.5))


def test_jacobian(xp):
    x = xp.asarray([1.0, 2.0, 3.0])

    def f(x):
        return {"a": x[:2] * x[1:], "b": xp.sum(x**2)}

    for mode in ("forward", "reverse", None):
        found = jacobian(f, mode=mode)(x)
        close(found["a"], [[2.0, 1.0, 0.0], [0.0, 3.0, 2.0]])
        close(found["b"], [2.0, 4.0, 6.0])
    many = jacobian(lambda x, y: xp.linalg.outer(x, y), (0, 1))(x, 2 * x)
    assert [j.shape for j in many] == [(3, 3, 3), (3, 3, 3)]
    assert jacobian(lambda x: x, mode="forward")(xp.zeros(0)).shape == (0, 0)
    assert jacobian(lambda x: x * xp.ones(2), mode="reverse")(xp.asarray(1.0)).shape == (2,)


@pytest.mark.parametrize("shape", [(2,), (7,), (0,)])  # more results, more arguments, none
def test_jacobian_and_hessian_hand_an_auxiliary_result_on(shape, xp, same):
    x = xp.full(shape, 3.0)

    def f(x):
        return xp.ones(4) * xp.sum(x**2), {"twice": 2 * x, "name": "f", "shape": x.shape}

    def loss(x):
        out, aux = f(x)
        return xp.sum(out), aux

    for mode in (None, "forward", "reverse"):
        found, aux = jacobian(f, mode=mode, has_aux=True)(x)
        same(found, np.full((4, *shape), 6.0))
        assert (aux["name"], aux["shape"]) == ("f", shape)
        assert type(aux["twice"]) is xp.Tensor
        same(aux["twice"], np.full(shape, 6.0))
    (found,), aux = hessian(loss, (0,), has_aux=True)(x)
    same(found[0], 8.0 * np.eye(*shape))
    assert type(aux["twice"]) is xp.Tensor
    with pytest.raises(TypeError, match="jacobian: with has_aux the function must return a tuple"):
        jacobian(lambda x: x, has_aux=True)(x)


def test_jacobian_runs_the_function_as_often_as_its_mode_needs():
    for sizes, mode, expected in (((5, 2), None, 1), ((2, 9), None, 1 + 1), ((5, 2), "forward", 1)):
        calls = []

        def f(x, sizes=sizes, calls=calls):
            calls.append(1)
            return arraygrad.ones((sizes[1], sizes[0])) @ x

        jacobian(f, mode=mode)(arraygrad.ones(sizes[0]))
        assert len(calls) == expected


def test_complex_jacobians():
    z = arraygrad.asarray([1 + 2j, 0.5 - 1j])
    for mode in ("forward", "reverse"):
        found = jacobian(lambda z: z**3, holomorphic=True, mode=mode)(z)
        close(found, np.diag(3 * z.numpy() ** 2))
        # real to complex needs no promise
        found = jacobian(lambda x: arraygrad.exp(1j * x), mode=mode)(arraygrad.asarray([0.3]))
        close(found, [[1j * np.exp(0.3j)]])
    with pytest.raises(TypeError, match="holomorphic=True"):
        jacobian(lambda z: z)(z)


def test_hessian_and_hvp(xp):
    a = xp.asarray([[2.0, 1.0], [0.5, 3.0]])
    x = xp.asarray([1.0, -2.0])

    def f(x):
        return xp.sum(x * (a @ x))

    close(hessian(f)(x), [[4.0, 1.5], [1.5, 6.0]])
    close(hvp(f, (x,), (xp.asarray([1.0, 2.0]),)), [7.0, 13.5])
    both = hvp(lambda x, y: xp.sum(x * y * y), (x, x), (xp.ones(2), xp.ones(2)))
    close(both[0], 2 * x.numpy())
    close(both[1], 4 * x.numpy())
    close(hessian(lambda x: xp.sum(3 * x))(x), np.zeros((2, 2)))  # linear: zero, no complaint
    table = hessian(lambda p: p["a"] * p["b"] ** 2)({"a": x[0], "b": x[1]})
    assert float(table["a"]["b"]) == -4.0
    assert float(table["b"]["b"]) == 2.0


def test_stop_gradient(xp):
    x = xp.asarray([1.0, 2.0])
    close(grad(lambda x: xp.sum(stop_gradient(x) * x))(x), [1.0, 2.0])
    assert stop_gradient({"a": x, "b": "text"})["b"] == "text"
    close(grad(lambda x: grad(lambda y: xp.sum(stop_gradient(y) * y * x))(x)[0])(x), [1.0, 0.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: grad(lambda x: x)(arraygrad.ones(2)), ValueError, "autodiff.jacobian for"),
        (lambda: grad(lambda x: x * 1j)(ONE), ValueError, "real tensor"),
        (lambda: grad(lambda x: "3.0")(ONE), TypeError, "must return tensors"),
        (lambda: grad(lambda x: True)(ONE), TypeError, "must return tensors"),
        (lambda: grad(lambda x: x > 0)(ONE), TypeError, "floating-point"),
        (lambda: grad(lambda x: x)(arraygrad.asarray(1)), TypeError, "argument 0.*astype"),
        (lambda: grad(lambda x: x)(1), TypeError, "argument 0"),
        (lambda: grad(lambda x: x["a"])({"a": ONE, "b": [1]}), TypeError, r"\['b'\]\[0\]"),
        (lambda: grad(lambda x: x)(np.ones(())), TypeError, "argument 0.*ndarray.*asarray"),
        (lambda: grad(lambda x: x, 1)(ONE), ValueError, "argnums 1 is out of range"),
        (lambda: grad(lambda x: x, "x")(ONE), TypeError, "argnums"),
        (lambda: grad(lambda x: x, ())(ONE), TypeError, "argnums"),
        (lambda: grad(lambda x: x)({}), TypeError, "holds no tensor"),
        (
            lambda: grad(lambda x: x["a"])({"a": ONE, "b": 3}),
            TypeError,
            r"argument 0\['b'\] must .*; pass data that is not differentiated in another argument",
        ),
        (lambda: grad(lambda x: x)(np.ones(2)), TypeError, "write arraygrad.asarray"),
        (lambda: grad(lambda x: x)(3), TypeError, "write arraygrad.asarray"),
        (lambda: grad(lambda x: x)(object()), TypeError, "containers of tensors are"),
        (lambda: grad(5), TypeError, "expected a function"),
        (lambda: grad(ONE, ONE), TypeError, r"grad\(f\)\(x\)"),
        (lambda: setattr(2 * variable(ONE), "requires_grad", False), RuntimeError, "only a leaf"),
        (lambda: grad(lambda x: (x, x))(ONE), TypeError, "one tensor"),
        (lambda: grad(lambda x: x, has_aux=True)(ONE), TypeError, "has_aux"),
        (
            lambda: grad(lambda x: arraygrad.nextafter(x, 1.0))(ONE),
            TypeError,
            "nextafter: not diff",
        ),
        (lambda: vjp(arraygrad.sin, ONE)[1](arraygrad.ones(2)), ValueError, "cotangent"),
        (lambda: vjp(arraygrad.sin, ONE)[1]([ONE]), ValueError, "structure"),
        (lambda: vjp(arraygrad.sin, ONE)[1](arraygrad.asarray(1j)), ValueError, "cotangent"),
        (lambda: jvp(arraygrad.sin, ONE, ONE), TypeError, "tuples"),
        (lambda: jvp(arraygrad.sin, (ONE,), ()), ValueError, r"1 tangents.*got 0"),
        (lambda: jvp(arraygrad.sin, (ONE,), (arraygrad.ones(2),)), ValueError, "tangents"),
        (lambda: jacobian(arraygrad.sin, mode="sideways"), ValueError, "mode"),
        (lambda: hessian(arraygrad.abs)(1j), TypeError, "hessian: arguments must be real.*hvp"),
        (lambda: hvp(arraygrad.sin, ONE, ONE), TypeError, "tuple"),
        (lambda: variable(1.0), TypeError, "expected a Tensor"),
        (lambda: variable(arraygrad.asarray(1)), TypeError, "floating-point"),
        (lambda: variable(variable(ONE)), TypeError, "detach"),
        (lambda: variable(arraygrad.ones(2)).backward(), ValueError, "one element"),
        (lambda: variable(ONE).backward(arraygrad.ones(2)), ValueError, "gradient must be"),
        (lambda: variable(ONE).backward(1.0), ValueError, "gradient must be"),
        (
            lambda: variable(ONE, requires_grad=False).backward(),
            RuntimeError,
            "does not require grad",
        ),
        (lambda: (2 * variable(ONE)).requires_grad_(False), RuntimeError, "only a leaf"),
        (lambda: setattr(variable(ONE), "grad", arraygrad.ones(2)), TypeError, "grad: expected"),
        (lambda: variable(ONE).register_hook(3), TypeError, "expected a function"),
        (lambda: check_grads(arraygrad.sin, ONE), TypeError, "tuple"),
        (lambda: check_grads(arraygrad.sin, (ONE,), modes=("up",)), ValueError, "modes"),
        (lambda: check_grads(arraygrad.sin, (ONE,), order=0), ValueError, "at least 1; got 0"),
        (lambda: grad(arraygrad.sin, argnums=1.0), TypeError, "argnums must be an int"),
        (lambda: checkpoint(3), TypeError, "expected a function"),
        (lambda: custom_vjp(3), TypeError, "expected a function"),
        (lambda: custom_vjp(nondiff_argnums=(0,)), TypeError, "custom_vjp: .*@functools.partial"),
        (lambda: custom_vjp(lambda x: x, nondiff_argnums=-1), ValueError, "distinct nonnegative"),
        (
            lambda: custom_jvp(lambda x: x, nondiff_argnums=(1, 1)),
            ValueError,
            "distinct nonnegative",
        ),
        (lambda: custom_jvp(lambda x: x, nondiff_argnums=2)(ONE), TypeError, "has the index 2"),
        (lambda: custom_jvp(lambda x: x).defjvps(3), TypeError, "functions or None"),
        (lambda: custom_jvp(lambda x, n: x, nondiff_argnums=1).defjvps(None), TypeError, "defjvp"),
        (lambda: grad(custom_jvp(lambda x: x))(ONE), AttributeError, "no derivative rule"),
        (lambda: grad(custom_vjp(lambda x: x))(ONE), AttributeError, "no derivative rule"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


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


@each_size
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


@pytest.mark.parametrize("f", [lambda x: x + xp.ones(2), lambda x: xp.stack([x, xp.ones(2)])])
def test_a_tangent_has_the_dtype_of_the_result(f):
    x = xp.ones(2, dtype=xp.float32)
    value, tangent = jvp(f, (x,), (x,))
    assert value.dtype == tangent.dtype == xp.float64
    assert value.shape == tangent.shape


def test_a_constant_gradient_of_a_recorded_tensor_is_recorded():
    w = variable(xp.asarray([1.0, 2.0]))
    g = grad(lambda x: xp.sum(3.0 * x))(w)
    assert g.requires_grad
    xp.sum(g).backward()  # (which raises for what is not recorded)
    assert w.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("protocol", ["__array_interface__", "__dlpack__"])
def test_an_array_of_another_library_is_to_be_converted_first(protocol):
    array = type("Array", (), {protocol: None})()
    with pytest.raises(TypeError, match=r"argument 0 .*write arraygrad.asarray\(x, dtype=...\)"):
        grad(xp.sin)(array)
