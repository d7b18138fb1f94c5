"""What rules of functions return is checked, in the same way in both modes."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import Tensor
from arraygrad.autodiff import check_grads, custom_jvp, custom_vjp, grad, jvp, vjp

SIZES = [3, 3000]


def close(tensor, expected):
    assert isinstance(tensor, Tensor)
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12)


def with_tangent(make):
    f = custom_jvp(lambda x: x * x)
    f.defjvp(lambda primals, tangents: (f(*primals), make(*primals, *tangents)))
    return f


def with_part(make):
    f = custom_jvp(lambda x: x * x)
    f.defjvps(lambda t, out, x: make(x, t))
    return f


def with_cotangent(make):
    f = custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (x * x, x), lambda x, g: (make(x, g),))
    return f


MAKERS = [with_tangent, with_part, with_cotangent]


def modes(f, x):
    """The derivative in each mode, as calls."""
    return [
        lambda: jvp(f, (x,), (xp.ones_like(x),))[1],
        lambda: vjp(f, x)[1](xp.ones_like(x))[0],
        lambda: grad(lambda x: xp.sum(f(x)))(x),
        lambda: jvp(grad(lambda x: xp.sum(f(x))), (x,), (x,))[0],
    ]


WRONG = {
    "one axis too many": (
        (lambda x, t: xp.expand_dims(2 * x * t, axis=0)), ValueError, "its shape.*reshape"
    ),
    "a sum": (lambda x, t: xp.sum(x * t), ValueError, "its shape.*broadcast_to"),
    "two elements": (lambda x, t: xp.ones(2, dtype=x.dtype), ValueError, "its shape"),
    "imaginary": (lambda x, t: 2j * x * t, TypeError, r"its dtype.*xp\.real"),
    "another precision": (
        lambda x, t: xp.astype(x * t, xp.float64 if x.dtype == xp.float32 else xp.float32),
        TypeError,
        r"its dtype.*xp\.astype\(t, xp\.float",
    ),
    "a number": (lambda x, t: 2.0, TypeError, "must be a tensor; got 2.0"),
    "a list": (lambda x, t: [2 * x * t], ValueError, "structure"),
    "text": (lambda x, t: "x", TypeError, "must be a tensor; got 'x'"),
}  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
@pytest.mark.parametrize("n", SIZES)
def test_a_rule_must_return_the_shape_and_dtype_in_both_modes(make, name, dtype, n):
    derivative, error, words = WRONG[name]
    x = xp.linspace(0.5, 1.5, n, dtype=dtype)
    for mode in modes(make(derivative), x):
        with pytest.raises(error, match=words):
            mode()


@pytest.mark.parametrize("make", MAKERS)
def test_a_rule_of_a_single_number_must_return_the_shape(make):
    x = xp.asarray(3.0)
    for mode in modes(make(lambda x, t: xp.reshape(2 * x * t, (1,))), x):
        with pytest.raises(ValueError, match="its shape"):
            mode()


NONLINEAR = {
    "a square": lambda x, t: t * t,
    "a square of the direction": lambda x, t: x * t**2,
    "the absolute value": lambda x, t: xp.abs(t),
    "the sine": lambda x, t: xp.sin(t),
    "a clipped one": lambda x, t: xp.clip(t, -1.0, 1.0),
    "a constant": lambda x, t: 2 * x,
    "a constant term": lambda x, t: 2 * x * t + 1.0,
    "a constant that is subtracted": lambda x, t: x - 2 * x * t,
    "a constant term in place": lambda x, t: increased(2 * x * t),
    "a constant that is built of the tangent": lambda x, t: xp.ones_like(t),
    "what has been cut off": lambda x, t: 2 * x * t.detach(),
}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", NONLINEAR)
@pytest.mark.parametrize("n", SIZES)
def test_a_rule_that_is_not_linear_has_no_transpose(make, name, n):
    f = make(NONLINEAR[name])
    x = xp.linspace(0.5, 1.5, n)
    forward, *reverse = modes(f, x)
    with pytest.raises(ValueError, match="rule is not linear"):
        (forward if make is with_cotangent else reverse[0])()
    with pytest.raises(ValueError, match="rule is not linear"):
        (forward if make is with_cotangent else reverse[1])()


LINEAR = {
    "plainly": lambda x, t: 2 * x * t,
    "by a function with a rule": lambda x, t: with_tangent(lambda x, t: 2 * x * t)(x) / x * 2 * t,
    "by a matrix": lambda x, t: xp.matmul(2 * xp.eye(3), x * t),
    "by the solution of a system": lambda x, t: xp.linalg.solve(xp.eye(3) * 0.5, x * t),
    "by a transform": lambda x, t: xp.real(xp.fft.ifft(xp.fft.fft(2 * x * t))),
    "by a mask": lambda x, t: xp.where(x < 9, 2 * x * t, t),
    "in place": lambda x, t: doubled(x * t),
    "by sums": lambda x, t: xp.concat([2 * (x * t)[:1], 2 * (x * t)[1:]]),
    "by zeros": lambda x, t: 2 * x * t + xp.zeros_like(x),
}  # fmt: skip


def increased(t):
    t += 1.0
    return t


def doubled(t):
    t *= 2
    return t


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", LINEAR)
def test_a_rule_that_is_linear_serves_both_modes(make, name):
    f = make(LINEAR[name])
    x = xp.asarray([0.5, -1.0, 1.5])
    for mode in modes(f, x):
        close(mode(), 2 * x.numpy())


def test_a_rule_that_is_linear_at_tiny_and_infinite_derivatives():
    for factor in (1e-300, 5e-324, 1e306, float("inf"), float("nan"), 0.0):
        f = with_tangent(lambda x, t, factor=factor: xp.asarray(factor) * t * xp.ones_like(t))
        expected = np.full(3, factor)
        np.testing.assert_array_equal(grad(lambda x, f=f: xp.sum(f(x)))(xp.ones(3)), expected)


# ---- what is left out


def test_default_arguments_are_filled_in():
    @custom_jvp
    def scaled(x, factor=3.0, power=1):
        return factor * x**power

    @scaled.defjvp
    def _(primals, tangents):
        x, factor, power = primals
        return scaled(*primals), factor * power * x ** (power - 1) * tangents[0]

    @lambda f: custom_vjp(f, nondiff_argnums=(1, 2))
    def again(x, factor=3.0, power=1, *rest):
        return factor * x**power

    again.defvjp(
        lambda x, factor, power: (factor * x**power, x),
        lambda factor, power, x, g: (g * factor * power * x ** (power - 1),),
    )
    x = xp.asarray(2.0)
    for f in (scaled, again):
        for mode in modes(f, x):
            assert mode() == 3.0
        assert f(x) == 6.0
        for call in (
            lambda x, f=f: f(x, power=2),
            lambda x, f=f: f(x, 3.0, 2),
            lambda x, f=f: f(power=2, x=x),
        ):
            assert grad(call)(x) == jvp(call, (x,), (xp.asarray(1.0),))[1] == 12.0


def test_keyword_only_arguments_of_rules_have_their_defaults():
    @custom_jvp
    def f(x, *, power=2):
        return x**power

    f.defjvp(lambda primals, tangents: (f(*primals), 2 * primals[0] * tangents[0]))
    assert grad(f)(xp.asarray(3.0)) == 6.0
    with pytest.raises(TypeError, match="keyword-only arguments are not supported here; got power"):
        f(xp.asarray(3.0), power=3)


@pytest.mark.parametrize("b", [None, [None, None], (None,)])
def test_none_stands_for_the_cotangents_of_a_part_of_a_container(b):
    @custom_vjp
    def f(p):
        return p["w"] * 2 + p["b"][0]

    f.defvjp(lambda p: (f(p), None), lambda _, g: ({"w": 2 * g, "b": b},))
    p = {"w": xp.ones(3), "b": [xp.ones(3), xp.ones(3)]}
    if isinstance(b, tuple):
        with pytest.raises(ValueError, match="f: the cotangent must have the structure"):
            grad(lambda p: xp.sum(f(p)))(p)
        return
    g = grad(lambda p: xp.sum(f(p)))(p)
    close(g["w"], np.full(3, 2.0))
    assert not xp.any(g["b"][0])
    close(jvp(f, (p,), ({"w": xp.ones(3), "b": None},))[1], np.full(3, 2.0))


def test_none_stands_for_the_tangents_of_a_part_of_a_container():
    @custom_jvp
    def f(x):
        return {"a": x * x, "b": (x + 1, xp.argmax(x))}

    f.defjvp(lambda primals, ts: (f(*primals), {"a": 2 * primals[0] * ts[0], "b": None}))
    x = xp.asarray([1.0, 2.0, 3.0])
    tangent = jvp(f, (x,), (xp.ones(3),))[1]
    close(tangent["a"], [2.0, 4.0, 6.0])
    assert not xp.any(tangent["b"][0])
    assert tangent["b"][1] == 0
    close(grad(lambda x: xp.sum(f(x)["a"]) + xp.sum(f(x)["b"][0]))(x), [2.0, 4.0, 6.0])
    nothing = with_tangent(lambda x, t: None)
    for mode in modes(nothing, x):
        assert not xp.any(mode())


def test_derivatives_that_pass_the_checks_are_right_to_second_order():
    @custom_vjp
    def f(p):
        return p["x"] ** 3 * p["y"], xp.sum(p["x"])

    f.defvjp(
        lambda p: (f(p), p),
        lambda p, g: ({"x": g[0] * 3 * p["x"] ** 2 * p["y"] + g[1], "y": g[0] * p["x"] ** 3},),
    )
    check_grads(f, ({"x": xp.asarray([0.5, 1.5]), "y": xp.asarray([1.0, 2.0])},))
