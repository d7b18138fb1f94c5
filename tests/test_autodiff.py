"""Both styles of differentiation: what they give, what they refuse, what they leave behind."""

import asyncio
import dataclasses
import gc
import math
import sys
import threading
import weakref
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pytest

import arraygrad
from arraygrad import Tensor, _modes, strict
from arraygrad.autodiff import (
    NotDifferentiableError,
    check_grads,
    checkpoint,
    custom_jvp,
    custom_vjp,
    enable_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    no_grad,
    stop_gradient,
    value_and_grad,
    variable,
    vjp,
)


def close(tensor, expected, rtol=1e-12):
    assert isinstance(tensor, Tensor)
    np.testing.assert_allclose(tensor.numpy(), np.asarray(expected), rtol=rtol, atol=rtol)


# ---- functions of functions


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


def test_vjp_may_be_pulled_again_and_in_any_thread(xp):
    out, pullback = vjp(lambda x, y: (x * y, xp.sum(x)), xp.ones(2), 3 * xp.ones(2))
    units, one = xp.ones(2), xp.asarray(1.0)
    found = []

    def pull(k):
        found.append(pullback((k * units, one)))

    threads = [threading.Thread(target=pull, args=(float(k),)) for k in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(float(g[0][0]) for g in found) == [1.0, 4.0, 7.0, 10.0, 13.0]
    close(out[0], [3.0, 3.0])


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
    for sizes, mode, expected in (((5, 2), None, 1), ((2, 9), None, 1 + 2), ((5, 2), "forward", 5)):
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


ONE = arraygrad.asarray(1.0)


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
            r"argument 0\['b'\] must .*; what is not differentiated by goes into another argument",
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
        (lambda: variable(ONE, requires_grad=False).backward(), RuntimeError, "does not record"),
        (lambda: (2 * variable(ONE)).requires_grad_(False), RuntimeError, "only a leaf"),
        (lambda: setattr(variable(ONE), "grad", arraygrad.ones(2)), TypeError, "grad: expected"),
        (lambda: variable(ONE).register_hook(3), TypeError, "expected a function"),
        (lambda: check_grads(arraygrad.sin, ONE), TypeError, "tuple"),
        (lambda: check_grads(arraygrad.sin, (ONE,), modes=("up",)), ValueError, "modes"),
        (lambda: check_grads(arraygrad.sin, (ONE,), order=0), ValueError, "at least 1; got 0"),
        (lambda: grad(arraygrad.sin, argnums=1.0), TypeError, "argnums must be an int"),
        (lambda: checkpoint(3), TypeError, "expected a function"),
        (lambda: custom_vjp(3), TypeError, "expected a function"),
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
    with pytest.raises(TypeError, match="only a tensor of no axes"):
        float(variable(arraygrad.ones(1)))
    with pytest.raises(TypeError, match="complex128 tensor does not convert"):
        float(variable(arraygrad.asarray(1j)))


@pytest.mark.parametrize("switch", [no_grad, enable_grad])
def test_recording_is_switched_with_and_without_parentheses(switch):
    @switch
    def bare(x):
        return 2 * x

    @switch()
    def called(x):
        return 2 * x

    w = variable(ONE)
    assert bare(w).requires_grad == called(w).requires_grad == (switch != no_grad)
    assert bare.__name__ == "bare"


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


# ---- the tape


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
    assert parent.next_functions[0][0].next_functions[0][0].name == "variable"
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


def test_the_graph_is_freed(xp):
    w = variable(xp.asarray(2.0))
    y = w**3
    y.backward(retain_graph=True)
    y.backward()
    assert float(w.grad) == 24.0
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()
    assert float(w.grad) == 24.0


def test_create_graph(xp):
    w = variable(xp.asarray(2.0))
    (w**4).backward(create_graph=True)
    first, w.grad = w.grad, None
    first.backward(create_graph=True)
    second, w.grad = w.grad, None
    second.backward()
    assert (first.item(), second.item(), float(w.grad)) == (32.0, 48.0, 48.0)


def test_gradients_are_memory_of_their_own(xp):
    a, b = variable(xp.ones(3)), variable(xp.ones(3))
    xp.sum(a + b).backward()
    a.grad *= 5.0
    close(b.grad, np.ones(3))
    a.grad[0] = 7.0
    close(a.grad, [7.0, 5.0, 5.0])
    given = xp.asarray([1.0, 2.0, 3.0])
    a.grad = b.grad = None
    (a + b).backward(given)
    a.grad *= 5.0
    close(b.grad, [1.0, 2.0, 3.0])
    close(given, [1.0, 2.0, 3.0])
    first, second = vjp(lambda x, y: x + y, xp.ones(3), xp.ones(3))[1](given)
    first += 1.0
    close(second, given.numpy())
    g = grad(lambda x, y: xp.sum(x + y), (0, 1))(xp.ones(3), xp.ones(3))
    g[0][...] = 2.0
    close(g[1], np.ones(3))


def test_the_gradient_that_is_retained_is_that_of_the_last_value(xp):
    for write in (lambda y: y.__imul__(3.0), lambda y: y.__setitem__(..., 3 * y)):
        x = variable(xp.asarray([1.0, 2.0]))
        y = 2 * x
        y.retain_grad()
        before = 5 * y
        write(y)
        y.register_hook(lambda g: 10 * g)  # comes before, whenever it is added
        xp.sum(y + before).backward()
        close(y.grad, [10.0, 10.0])
        close(x.grad, [70.0, 70.0])
    # ... of views, too, written by way of what they are views of
    x = variable(xp.asarray([1.0, 2.0]))
    y = 2 * x
    part = y[:1]
    part.retain_grad()
    y *= 3.0
    xp.sum(part * part).backward()
    close(part.grad, [12.0])
    close(x.grad, [72.0, 0.0])
    with pytest.raises(RuntimeError, match="retain_grad"):
        variable(xp.ones(2), requires_grad=False).retain_grad()


def test_hooks(xp):
    seen = []
    w = variable(xp.asarray([1.0, 2.0]))
    hook = w.register_hook(lambda g: seen.append(g) or 2 * g)
    y = w * w
    y.register_hook(lambda g: seen.append("y"))
    y.retain_grad()
    xp.sum(3 * y).backward()
    assert seen[0] == "y"
    close(seen[1], [6.0, 12.0])
    close(w.grad, [12.0, 24.0])
    close(y.grad, [3.0, 3.0])
    hook.remove()
    hook.remove()
    w.grad = None
    xp.sum(w).backward()
    close(w.grad, [1.0, 1.0])
    w.register_hook(lambda g: xp.ones(5))
    with pytest.raises(ValueError, match="register_hook"):
        xp.sum(w).backward()


def test_a_complex_gradient_of_a_real_tensor_by_a_hook_is_refused(xp, same):
    def turned(g):
        return g * 1j

    for on_leaf in (True, False):
        w = variable(xp.asarray([1.0, 2.0]))
        y = w * 3.0
        (w if on_leaf else y).register_hook(turned)
        with pytest.raises(TypeError, match=r"register_hook: .*turned returned a complex gradient"):
            xp.sum(y).backward()
        assert w.grad is None
    z = variable(xp.asarray([1.0 + 1.0j]))
    z.register_hook(turned)
    xp.sum(xp.real(z)).backward()
    same(z.grad, [1j])


def test_a_hook_is_removed_at_the_end_of_a_block(xp):
    w = variable(xp.asarray([1.0, 2.0]))
    with w.register_hook(lambda g: 10 * g) as hook:
        xp.sum(w).backward()
        close(w.grad, [10.0, 10.0])
    w.grad = None
    xp.sum(w).backward()
    close(w.grad, [1.0, 1.0])
    hook.remove()  # once more does nothing
    with pytest.raises(KeyError), w.register_hook(lambda g: 10 * g):
        raise KeyError
    w.grad = None
    xp.sum(w).backward()
    close(w.grad, [1.0, 1.0])


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


def test_what_was_kept_survives_a_step(xp):
    w = variable(xp.asarray([2.0]))
    loss = xp.sum(w * w)
    with no_grad():
        w += 1.0
    loss.backward()
    close(w.grad, [4.0])


def test_variables_are_not_written_while_they_record(xp):
    w = variable(xp.ones(3))
    for write in (
        lambda: w.__iadd__(1.0),
        lambda: w.__setitem__(0, 1.0),
        lambda: w[1:].__imul__(2),
    ):
        with pytest.raises(RuntimeError, match="no_grad"):
            write()
    close(w.detach(), np.ones(3))


# ---- recording, and what is left behind


def recording():
    return (2 * variable(ONE)).requires_grad


def test_no_grad_leaves_what_is_below():
    """What a variable wraps is followed at its own level, also beside others of that level."""

    def f(a):
        def inner(x):
            with no_grad():
                y = x * a  # no derivative by x, but a tangent
            return arraygrad.sum(x * y)

        return grad(inner)(a)  # a^2

    x = arraygrad.asarray([2.0, 3.0])
    close(jvp(f, (x,), (arraygrad.ones(2),))[1], [4, 6])
    close(grad(lambda a: arraygrad.sum(f(a) + 0 * a))(x), [0, 0])  # begun before, too


def test_no_grad_and_enable_grad():
    assert recording()
    with no_grad():
        assert not recording()
        with enable_grad():
            assert recording()
        assert not recording()
        # only what had begun is switched off
        assert float(grad(lambda x: x * x)(ONE)) == 2.0
        assert float(jvp(lambda x: x * x, (ONE,), (ONE,))[1]) == 2.0
    assert recording()

    @no_grad()
    def f():
        """Docs."""
        return recording()

    assert (f(), f.__doc__, recording()) == (False, "Docs.", True)

    def half(x):
        with no_grad():
            y = x * x
        return x * y

    assert float(grad(half)(2 * ONE)) == 4.0
    assert float(grad(lambda x: grad(half)(x) * x)(2 * ONE)) == 4.0  # off for both


def test_state_after_errors():
    def fails(x):
        with no_grad():
            raise KeyError(x.shape)

    for run in (fails, grad(fails), lambda x: jvp(fails, (x,), (x,)), hessian(fails)):
        with pytest.raises(KeyError):
            run(ONE)
        assert recording()
    w = variable(ONE)
    w.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (w * w).backward()
    assert recording()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        arraygrad.exp(arraygrad.asarray(1e5))  # errstate is as before, too


def test_generators_left_half_way():
    def steps():
        with no_grad():
            yield recording()
            yield recording()

    g = steps()
    assert next(g) is False
    assert not recording()  # the block lasts until the generator leaves it
    with enable_grad():
        g.close()
        assert recording()
    assert recording()

    @no_grad()
    def decorated():
        try:
            received = yield recording()
            yield (recording(), received)
        except KeyError:
            yield ("caught", recording())

    d = decorated()
    assert next(d) is False
    assert recording()
    assert d.send(5) == (False, 5)
    assert d.throw(KeyError()) == ("caught", False)
    d.close()
    left = steps()
    next(left)
    del left
    assert recording()

    async def coroutine():
        before = recording()
        await asyncio.sleep(0)
        return before, recording()

    async def many():
        found = []
        task = asyncio.ensure_future(no_grad(coroutine)())
        for _ in range(3):
            found.append(recording())
            await asyncio.sleep(0)
        return found, await task

    assert asyncio.run(many()) == ([True] * 3, (False, False))

    @no_grad
    async def steps_of_another_kind():
        yield recording()
        await asyncio.sleep(0)
        yield recording()

    async def consume():
        return [(x, recording()) async for x in steps_of_another_kind()]

    assert asyncio.run(consume()) == [(False, True)] * 2


def test_blocks_may_be_left_in_any_order():
    first, second, third = no_grad(), strict(), enable_grad()
    first.__enter__()
    second.__enter__()
    third.__enter__()
    assert recording()
    first.__exit__(None, None, None)
    assert recording()
    third.__exit__(None, None, None)
    assert recording()
    with pytest.raises(TypeError, match="outside the standard"):
        ONE.sum()
    second.__exit__(None, None, None)
    ONE.sum()
    assert _modes.get_mode() is None


def test_threads_and_tasks_have_their_own_state():
    found = {}

    def work():
        found["thread"] = recording()

    with no_grad():
        t = threading.Thread(target=work)
        t.start()
        t.join()
    assert found["thread"]

    async def pausing(event):
        with no_grad():
            event.set()
            await asyncio.sleep(0)
            return recording()

    async def main():
        event = asyncio.Event()
        task = asyncio.ensure_future(pausing(event))
        await event.wait()
        return recording(), await task

    assert asyncio.run(main()) == (True, False)
    assert recording()


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


def test_a_long_chain():
    """100,000 operations, without recursion: forward, backward, and when freed."""
    limit = sys.getrecursionlimit()
    x = variable(ONE)
    y = x
    for _ in range(100_000):
        y = y + 1e-9
    y.backward()
    assert float(x.grad) == 1.0
    del y
    assert limit == sys.getrecursionlimit()

    def chain(x):
        for _ in range(20_000):
            x = x * 1.00001
        return x

    factor = 1.00001**20_000
    close(grad(chain)(ONE), factor, 1e-9)
    close(jvp(chain, (ONE,), (ONE,))[1], factor, 1e-9)


def test_graphs_are_freed_without_the_garbage_collector():
    def step(w, x):
        y = arraygrad.tanh(w @ x)
        y = arraygrad.concat([y[:2] * 2, y[2:]])
        y[0] += 1.0
        u, s = arraygrad.unstack(arraygrad.stack([y, y * y]))
        loss = arraygrad.sum(u * s) + arraygrad.linalg.vector_norm(w)
        loss.backward()
        g = grad(lambda w: arraygrad.sum(checkpoint(arraygrad.exp)(w) * w))(w.detach())
        h = hvp(lambda w: arraygrad.sum(w**3), (w.detach(),), (w.detach(),))
        with no_grad():
            w -= 1e-3 * w.grad + 1e-6 * (g + h)
        w.grad = None

    w, x = variable(arraygrad.ones((4, 4))), arraygrad.ones(4)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            step(w, x)
        before = len(gc.get_objects())
        for _ in range(300):
            step(w, x)
        after = len(gc.get_objects())
    finally:
        gc.enable()
    assert after - before < 150  # the test runner's own threads make some; a leak makes 300


# ---- checkpoint and rules of one's own


def test_checkpoint(xp):
    calls = []
    w = xp.asarray([0.5, 0.25])

    def body(x, scale=1.0):
        calls.append(1)
        return xp.tanh(w * x) * scale, xp.sum(x)

    def plain(x):
        a, b = body(x, scale=2.0)
        return xp.sum(a) * b

    def saved(x):
        a, b = checkpoint(body)(x, scale=2.0)
        return xp.sum(a) * b

    x = xp.asarray([1.0, 2.0])
    for transform in (grad, hessian, lambda f: lambda x: jvp(f, (x,), (x,))[1],
                      lambda f: grad(lambda x: xp.sum(grad(f)(x) ** 2))):  # fmt: skip
        close(transform(saved)(x), transform(plain)(x).numpy())
    calls.clear()
    grad(saved)(x)
    assert len(calls) == 2


def test_checkpoint_of_variables_that_are_no_arguments(xp):
    w, b = variable(xp.asarray([1.0, 2.0])), variable(xp.asarray(0.5))

    def layer(x):
        return xp.tanh(w * x + b)

    def run(layer, create_graph):
        w.grad = b.grad = None
        x = variable(xp.asarray([0.3, -0.2]))
        xp.sum(layer(layer(x)) ** 2).backward(create_graph=create_graph)
        return [stop_gradient(t.grad).numpy() for t in (w, b, x) if t.grad is not None]

    for create_graph in (False, True):
        for a, b_ in zip(
            run(layer, create_graph), run(checkpoint(layer), create_graph), strict=True
        ):
            np.testing.assert_allclose(a, b_, rtol=1e-12)
    constant = run(lambda x: checkpoint(lambda: w * 1.0)() * x, False)  # nothing but captured
    np.testing.assert_allclose(constant[0], run(lambda x: w * x, False)[0])
    with no_grad():
        assert type(checkpoint(layer)(xp.ones(2))) is Tensor


def test_checkpoint_keeps_only_the_arguments():
    def deep(x):
        for _ in range(20):
            x = arraygrad.sin(x)
        return x

    def nodes(y):
        seen, stack = set(), [y._trace]
        while stack:
            node = stack.pop()
            if node is not None and node not in seen:
                seen.add(node)
                stack.extend(node.parents)
        return len(seen)

    x = variable(arraygrad.ones(3))
    assert nodes(deep(x)) == 21
    assert nodes(checkpoint(deep)(x)) == 3


def test_checkpoint_of_a_tensor_that_is_there_twice(xp):
    def f(x, checkpoint=checkpoint):
        first = checkpoint(lambda p, q: xp.tanh(p) * q)(x, x)
        return xp.sum(first * checkpoint(lambda p: xp.tanh(p) * x)(x))

    x = xp.asarray([0.7, -0.3])
    v = variable(x)
    f(v).backward(create_graph=True)
    g, v.grad = v.grad, None
    close(g.detach(), grad(lambda x: f(x, lambda f: f))(x).numpy())
    xp.sum(g).backward()
    close(v.grad, hessian(lambda x: f(x, lambda f: f))(x).numpy().sum(axis=0))


def test_checkpoint_below_what_it_takes_from_outside(xp):
    v = variable(xp.asarray([2.0, 3.0]))
    f = checkpoint(lambda p, w: checkpoint(lambda q: q * w)(p))
    w = xp.asarray([4.0, 5.0])
    close(grad(lambda w: xp.sum(f(v, w)))(w).detach(), [2, 3])
    close(jvp(lambda w: xp.sum(f(v, w)), (w,), (w,))[1].detach(), 23)
    # the tensor from outside is of a higher level, and wraps one that is followed, too

    def inner(x):
        u = xp.sin(x)
        return checkpoint(lambda p: xp.tanh(p) * u)(x) ** 2

    x = xp.asarray(0.7)
    t, u, d = np.tanh(0.7), np.sin(0.7), np.cos(0.7)
    s = 1 - t * t
    product, first = t * u, s * u + t * d
    second = -2 * t * s * u + 2 * s * d - t * u
    expected = 2 * first**2 + 2 * product * second
    close(jvp(grad(inner), (x,), (xp.asarray(1.0),))[1], expected)
    close(grad(grad(inner))(x), expected)


def test_what_checkpoint_and_rules_cannot_follow(xp):
    def product(w):
        return lambda p: p * w

    def vjp_of(f):
        f = custom_vjp(f)
        f.defvjp(lambda x: (f.fun(x), x), lambda x, g: (g * x,))
        return f

    def jvp_of(f):
        f = custom_jvp(f)
        f.defjvp(lambda p, t: (f.fun(*p), f.fun(t[0] * p[0])))
        return f

    def written(x):
        x *= 2.0
        return x * x

    v = xp.asarray([2.0, 3.0])
    for rule in (vjp_of, jvp_of):
        with pytest.raises(NotDifferentiableError, match="uses from its closure would be lost"):
            grad(lambda x, w, rule=rule: xp.sum(rule(product(w))(x)), (0, 1))(v, v)
        with pytest.raises(NotDifferentiableError, match="uses from its closure would be lost"):
            grad(lambda x, rule=rule: xp.sum(rule(product(x))(x)))(v)
    for rule in (checkpoint, vjp_of, jvp_of):
        with pytest.raises(RuntimeError, match=r"writes to its argument.*copy=True"):
            grad(lambda x, rule=rule: xp.sum(rule(written)(x * 1.0)))(v)
        with pytest.raises(RuntimeError, match=r"writes to its argument.*copy=True"):
            hessian(lambda x, rule=rule: xp.sum(rule(written)(x * 1.0)))(v)

        def part_is_written(x, rule=rule):
            x = x * 1.0
            y = rule(lambda p: p[:1])(x)
            y *= 3.0
            return xp.sum(x)

        def whole_is_written(x, rule=rule):
            x = x * 1.0
            y = rule(lambda p: p[:1])(x)
            x *= 3.0
            return xp.sum(y)

        for f in (part_is_written, whole_is_written):
            for mode in (grad, lambda f: lambda v: jvp(f, (v,), (v,))):
                if rule is not checkpoint or mode is grad:  # which is the function itself
                    with pytest.raises(RuntimeError, match=r"shares its memory.*been written"):
                        mode(f)(v)

    def two_results(x):
        y, z = checkpoint(lambda x: (y := x * 2, y[:1]))(x)
        z += 1.0
        return xp.sum(y)

    with pytest.raises(RuntimeError, match=r"another result.*been written"):
        grad(two_results)(v)

    def same_object(x):  # as outside
        x = x * 1.0
        y = checkpoint(lambda p: p)(x)
        y *= 3.0
        x += 1.0
        return xp.sum(x * y)

    value, g = value_and_grad(same_object)(v)
    assert float(value) == float(same_object(v)) == 149
    close(g, [42, 60])

    def constants(x, y):  # these as well, of another level or of none
        c = xp.ones(2)
        z, d, e = checkpoint(lambda x, y, c: (x * y, y, c))(x, y, c)
        y *= 3.0
        c += 1.0
        return xp.sum(z * d * e)

    close(grad(constants)(v, xp.asarray([1.0, 2.0])), [6, 24])
    outer = grad(lambda y: grad(lambda x: constants(x, y * 1.0))(xp.asarray([1.0, 1.0]))[1])
    close(outer(xp.asarray([1.0, 2.0])), [0, 24])

    def part_of_a_constant(x, y):
        z = checkpoint(lambda x, y: (x * y, y[:1]))(x, y)[1]
        y *= 3.0
        return xp.sum(x * z)

    with pytest.raises(RuntimeError, match=r"shares its memory.*been written"):
        grad(lambda y: xp.sum(grad(lambda x: part_of_a_constant(x, y * 1.0))(v)))(v)

    def from_outside(x):
        y = x * 1.0

        def f(p):
            y[...] += p
            return p * 2

        return xp.sum(checkpoint(f)(x)) + xp.sum(y)

    with pytest.raises(RuntimeError, match="cannot write to a tensor from outside"):
        grad(from_outside)(v)

    def other_later(x):
        y = x * 2
        z = checkpoint(lambda p: p * y)(x)
        y = z
        return xp.sum(y)

    def written_later(x):
        y = x * 2
        z = checkpoint(lambda p: p * y)(x)
        y += 1.0
        return xp.sum(z)

    for f in (other_later, written_later):
        with pytest.raises(RuntimeError, match="has changed since the first run"):
            grad(f)(v)


def test_arguments_that_are_written_later_make_no_cycle():
    by_vjp = custom_vjp(lambda x: x * x)
    by_vjp.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))
    by_jvp = custom_jvp(lambda x: x * x)
    by_jvp.defjvp(lambda p, t: (p[0] * p[0], 2 * p[0] * t[0]))
    gone = []
    for f in (checkpoint(lambda x: x * x), by_vjp, by_jvp):

        def loss(x, f=f):
            y = x * 1.0
            z = f(y)
            weakref.finalize(z.grad_fn, gone.append, f)
            y += arraygrad.sum(z)
            return arraygrad.sum(y * y)

        gc.disable()
        try:
            grad(loss)(arraygrad.ones(2))
            assert gone.pop() is f
        finally:
            gc.enable()


def test_custom_vjp(xp):
    @custom_vjp
    def f(x, p):
        return {"y": x * p["a"]}

    f.defvjp(
        lambda x, p: (f(x, p), (x, p["a"])),
        lambda saved, g: (10 * g["y"] * saved[1], {"a": xp.sum(g["y"] * saved[0])}),
    )
    x, p = xp.asarray([1.0, 2.0]), {"a": xp.asarray(3.0)}
    gx, gp = grad(lambda x, p: xp.sum(f(x, p=p)["y"]), (0, 1))(x, p)
    close(gx, [30.0, 30.0])
    close(gp["a"], 3.0)
    # forward mode and higher orders come from the same rule
    close(jvp(lambda x: f(x, p)["y"], (x,), (xp.ones(2),))[1], [30.0, 30.0])
    close(grad(lambda a: xp.sum(grad(lambda x: xp.sum(f(x, {"a": a})["y"]))(x)))(p["a"]), 20.0)
    assert float(f(x, p)["y"][1]) == 6.0
    w = variable(x)
    xp.sum(f(w, p)["y"]).backward()
    close(w.grad, [30.0, 30.0])


def test_custom_rules_in_a_pass_that_is_recorded(xp):
    @custom_vjp
    def pulled(x):
        return x**3

    pulled.defvjp(lambda x: (pulled(x), x), lambda x, g: (3 * x * x * g,))

    @custom_jvp
    def pushed(x):
        return x**3

    pushed.defjvp(lambda p, t: (pushed(p[0]), 3 * p[0] ** 2 * t[0]))

    for f in (pulled, pushed, checkpoint(lambda x: x**3)):
        x = variable(xp.asarray(2.0))
        g = f(x) * x  # of which the derivatives are 4 x**3, 12 x**2 and 24 x
        for expected in (32.0, 48.0, 48.0):
            g.backward(create_graph=True)
            g, x.grad = x.grad, None
            assert g.item() == expected


def test_custom_jvp(xp):
    @custom_jvp
    def f(x, y):
        return x * y, y

    @f.defjvp
    def _(primals, tangents):
        (x, y), (tx, ty) = primals, tangents
        return f(x, y), (100 * tx * y + x * ty, ty)

    x, y = xp.asarray(2.0), xp.asarray(3.0)
    assert [float(t) for t in jvp(f, (x, y), (x, y))[1]] == [100 * 6 + 6, 3.0]
    assert [float(g) for g in grad(lambda x, y: f(x, y)[0] + f(x, y)[1], (0, 1))(x, y)] == [300, 3]
    assert float(grad(lambda y: grad(lambda x: f(x, y)[0])(x))(y)) == 100.0


def test_custom_jvp_in_parts(xp):
    @custom_jvp
    def f(x, y, n):
        return {"a": xp.sin(x) * y, "b": x * n}

    f.defjvps(
        lambda t, out, x, y, n: {"a": 10 * t * xp.cos(x) * y, "b": t * n},
        lambda t, out, x, y, n: {"a": t * out["a"] / y, "b": 0 * t},
        None,
    )
    x, y = xp.asarray(0.3), xp.asarray(2.0)
    gx, gy = grad(lambda x, y: f(x, y, 3.0)["a"], (0, 1))(x, y)
    close(gx, 20 * np.cos(0.3))
    close(gy, np.sin(0.3))
    for second in (2.0, y):  # a number, and a tensor that is constant, stay where they are
        out, t = jvp(lambda x, y=second: f(x, y, 3), (x,), (x,))
        close(out["b"], 0.9)
        close(t["a"], 6 * np.cos(0.3))
        close(t["b"], 0.9)
    close(grad(grad(lambda x: f(x, y, 3)["a"]))(x), -20 * np.sin(0.3))
    f.defjvps(None, None)
    with pytest.raises(TypeError, match="one rule for each argument; got 2 rules for 3"):
        grad(lambda x: f(x, y, 3)["a"])(x)


def test_the_tangent_of_a_number_in_a_rule_is_zero(xp):
    @custom_jvp
    def hypotenuse(x, y):
        return xp.hypot(x, xp.asarray(y, dtype=xp.float64))

    @hypotenuse.defjvp
    def _(primals, tangents):
        (x, y), (tx, ty) = primals, tangents
        r = hypotenuse(x, y)
        return r, (x * tx + y * ty) / r

    x, one = xp.asarray(3.0), xp.asarray(1.0)
    for y in (4.0, 4, xp.asarray(4), xp.asarray(4.0)):
        close(jvp(lambda x, y=y: hypotenuse(x, y), (x,), (one,))[1], 0.6)
        close(grad(lambda x, y=y: hypotenuse(x, y))(x), 0.6)


def test_custom_rules_with_constants():
    @lambda f: custom_vjp(f, nondiff_argnums=(0, 2))
    def power(n, x, name="x"):
        return x**n

    power.defvjp(
        lambda n, x, name: (x**n, (x, name)),
        lambda n, name, saved, g: (g * n * saved[0] ** (n - 1),),
    )
    assert float(grad(lambda x: power(3, x))(2 * ONE)) == 12.0

    @lambda f: custom_jvp(f, nondiff_argnums=0)
    def again(n, x):
        return x**n

    again.defjvp(lambda n, primals, tangents: (again(n, *primals), 7 * tangents[0]))
    assert float(grad(lambda x: again(3, x))(2 * ONE)) == 7.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda saved, g: g, r"tuple of 1 .* write return \(g,\)"),
        (lambda saved, g: (g, g), "tuple of 1"),
        (lambda saved, g: (arraygrad.ones(2),), "must have its shape"),
        (lambda saved, g: ([g],), "structure"),
    ],
)
def test_wrong_custom_rules(given, words):
    f = custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (x * x, None), given)
    with pytest.raises((TypeError, ValueError), match=words):
        grad(f)(ONE)


def test_custom_rules_that_give_too_little():
    f = custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: x * x, lambda saved, g: (g,))
    with pytest.raises(TypeError, match=r"pair \(out, residuals\); got Tensor"):
        grad(f)(ONE)
    h = custom_jvp(lambda x: x * x)
    h.defjvp(lambda primals, tangents: (h(*primals), 0.0))  # a number will do
    assert float(jvp(h, (ONE,), (ONE,))[1]) == float(grad(h)(ONE)) == 0.0
    h.defjvp(lambda primals, tangents: (h(*primals), "0"))
    for mode in (lambda: jvp(h, (ONE,), (ONE,)), lambda: grad(h)(ONE)):
        with pytest.raises(TypeError, match="must be a tensor; got '0'"):
            mode()


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


def test_a_decorated_generator_that_is_closed_ends_in_its_mode():
    found = []

    @no_grad()
    def steps():
        try:
            yield
        finally:
            found.append(recording())

    with enable_grad():
        g = steps()
        next(g)
        g.close()
    assert found == [False]


def test_what_a_function_has_let_out_becomes_a_variable():
    box = []
    grad(lambda x: (box.append(x * 2.0), arraygrad.sum(x))[1])(arraygrad.ones(3))
    w = variable(box[0])
    arraygrad.sum(w * w).backward()
    assert arraygrad.all(w.grad == 4.0)


def test_a_constant_that_a_rule_returns_is_not_the_gradient_itself():
    constant = arraygrad.full(3, 5.0)
    f = custom_vjp(lambda x: x * 5.0)
    f.defvjp(lambda x: (x * 5.0, ()), lambda _residuals, _g: (constant,))
    w = variable(arraygrad.ones(3))
    for _ in range(2):
        arraygrad.sum(f(w)).backward()
    w.grad *= 2.0
    (cotangent,) = vjp(f, arraygrad.ones(3))[1](arraygrad.ones(3))
    cotangent *= 2.0
    assert arraygrad.all(constant == 5.0)


def test_an_operation_without_a_rule_is_refused_by_name():
    def f(x):
        return arraygrad.sum(arraygrad.astype(x.view(arraygrad.int64), arraygrad.float64))

    for differentiate in (grad(f), lambda x: jvp(f, (x,), (x,)), lambda x: f(variable(x))):
        with pytest.raises(NotDifferentiableError, match=r"view: .* no rule"):
            differentiate(arraygrad.ones(3))
