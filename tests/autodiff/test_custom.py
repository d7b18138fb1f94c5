"""Functions with rules of their own: both modes, what the rules return, and writes."""

import numpy as np
import pytest
from autodiff.support import ONE, close, each_size

import arraygrad
import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import (
    check_grads,
    checkpoint,
    custom_jvp,
    custom_vjp,
    grad,
    jvp,
    variable,
    vjp,
)


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


def _with_a_rule(function):
    f = autodiff.custom_vjp(function)
    f.defvjp(lambda *xs: (function(*xs), xs), lambda xs, g: tuple(g for _ in xs))
    return f


def test_a_function_with_a_rule_writes_its_own_recorded_tensors_only():
    outside = variable(xp.ones(3)) * 2.0

    def writes_outside(x):
        nonlocal outside
        outside += 1.0
        return x * 1.0

    def writes_its_own(x):
        own = variable(xp.ones(3)) * 2.0
        own += 1.0
        own[0] = 5.0
        assert own.detach().tolist() == [5.0, 3.0, 3.0]
        return x * 1.0

    x = xp.ones(3)
    with pytest.raises(RuntimeError, match="copy"):
        grad(lambda x: xp.sum(_with_a_rule(writes_outside)(x)))(x)
    assert outside.detach().tolist() == [2.0, 2.0, 2.0]
    found = grad(lambda x: xp.sum(_with_a_rule(writes_its_own)(x)))(x)
    np.testing.assert_array_equal(found.numpy(), np.ones(3))


def test_what_rules_of_ones_own_keep_is_not_written(xp):
    @autodiff.custom_vjp
    def f(x, y):
        return x * y

    f.defvjp(lambda x, y: (x * y, (x, y)), lambda r, g: (g * r[1], g * r[0]))

    @autodiff.custom_jvp
    def h(x, y):
        return x * y

    h.defjvp(lambda p, t: (p[0] * p[1], t[0] * p[1] + p[0] * t[1]))
    x, y = xp.asarray([2.0, 3.0]), xp.asarray([4.0, 5.0])
    for function in (f, h):

        def plain(x, function=function):
            c = y * 1.0
            z = function(x, c)
            c += 1.0
            return xp.sum(z) + 0 * xp.sum(c)

        np.testing.assert_array_equal(grad(plain)(x).numpy(), y.numpy())

        def of_another(c, function=function):
            c = c * 1.0

            def inner(x):
                z = function(x, c)
                c[...] = 0.0
                return xp.sum(z)

            return xp.sum(grad(inner)(x) ** 2)

        np.testing.assert_array_equal(grad(of_another)(y).numpy(), (2 * y).numpy())


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
@each_size
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
@each_size
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


def test_residuals_are_views_as_they_are_when_the_rule_returns():
    f = custom_vjp(lambda x: x * x)

    def forward(x):
        y = x * 1.0
        view = y[:]
        y[...] = x * 3.0
        return x * x, view

    f.defvjp(forward, lambda view, g: (g * view * 2.0 / 3.0,))
    x = xp.asarray([3.0, 4.0])
    slope = grad(lambda x: xp.sum(f(x)))
    close(slope(x), [6.0, 8.0])
    value, tangent = jvp(slope, (x,), (xp.ones(2),))
    close(value, [6.0, 8.0])
    close(tangent, [2.0, 2.0])
