"""Values that leave an inner differentiation by a side effect keep their derivatives."""

import numpy as np
import pytest
from autodiff.support import REFUSALS, each_size

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad, jacobian, jvp, linearize, variable, vjp

INNER = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: autodiff.value_and_grad(f)(x),
    "vjp": lambda f, x: vjp(f, x)[1](xp.asarray(1.0)),
    "vjp_without_a_pass": lambda f, x: vjp(f, x),
    "jvp": lambda f, x: jvp(f, (x,), (xp.asarray(1.0),)),
    "linearize": lambda f, x: linearize(f, x)[1](xp.asarray(1.0)),
    "linearize_without_a_pass": lambda f, x: linearize(f, x),
    "reverse_jacobian": lambda f, x: jacobian(f, mode="reverse")(x),
    "forward_jacobian": lambda f, x: jacobian(f, mode="forward")(x),
    "hessian": lambda f, x: autodiff.hessian(f)(x),
    "hvp": lambda f, x: autodiff.hvp(f, (x,), (xp.asarray(1.0),)),
    "twice": lambda f, x: grad(lambda s: grad(f)(s))(x),
}


def _tape(f, x):
    v = variable(x)
    f(v).backward()
    return v.grad


OUTER = {
    "grad": lambda f, x: grad(f)(x),
    "tape": _tape,
    "vjp": lambda f, x: vjp(f, x)[1](xp.asarray(1.0))[0],
    "jvp": lambda f, x: jvp(f, (x,), (xp.asarray(1.0),))[1],
    "linearize": lambda f, x: linearize(f, x)[1](xp.asarray(1.0)),
    "reverse_jacobian": lambda f, x: jacobian(f, mode="reverse")(x),
    "forward_jacobian": lambda f, x: jacobian(f, mode="forward")(x),
}


def _effects(transform):
    """Functions that let a value out of an inner one, each with its derivatives at 2."""

    def written(x):
        y = xp.zeros(1)
        transform(lambda s: (y.__setitem__(0, s), s * s)[1], x)
        return y[0] + x

    def written_whole(x):
        y = xp.zeros(())
        transform(lambda s: (y.__setitem__(..., s * s), s * s)[1], x)
        return y * x  # x**3

    def added(x):
        y = xp.ones(2)

        def g(s):
            nonlocal y
            y += s
            return s * s

        transform(g, x)
        return y[0] * y[1]  # (1 + c x)**2, where the function has run c times

    def in_a_list(x):
        kept = []
        transform(lambda s: (kept.append(s * 3.0), s * s)[1], x)
        return kept[0] + x

    def in_a_view(x):
        y = xp.zeros((2, 2))
        row = y[1]
        transform(lambda s: (row.__setitem__(0, s * s * s), s * s)[1], x)
        return xp.sum(y) + x

    return {
        "written": (written, 2.0, 0.0),
        "written_whole": (written_whole, 12.0, 12.0),
        "in_a_list": (in_a_list, 4.0, 0.0),
        "in_a_view": (in_a_view, 13.0, 12.0),
        "added": (added, None, None),
    }


def _number(x):
    return float(x.numpy())  # also: it is not traced


each_effect = pytest.mark.parametrize(
    "effect", ["written", "written_whole", "in_a_list", "in_a_view", "added"]
)


def _check_effect(transform, effect):
    f, first, second = _effects(transform)[effect]
    if effect == "added":  # how often a transformation runs its function is its own affair
        c = (f(xp.asarray(2.0)).item() ** 0.5 - 1) / 2
        first, second = 2 * c * (1 + 2 * c), 2 * c * c
    for outer, transform in OUTER.items():
        x = xp.asarray(2.0)
        try:
            found = transform(f, x)
        except REFUSALS:
            pass
        else:
            assert _number(found) == first, outer
        if outer == "tape":
            continue  # is for the outermost
        for name in ("grad", "jvp", "forward_jacobian"):
            try:
                found = OUTER[name](lambda x, t=transform: t(f, x), xp.asarray(2.0))
            except REFUSALS:
                pass
            else:
                assert _number(found) == second, (name, outer)


@each_effect
@pytest.mark.parametrize("inner", INNER)
def test_a_value_let_out_of_an_inner_function_keeps_its_derivative(effect, inner):
    _check_effect(INNER[inner], effect)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", [None, *OUTER])
def test_nothing_outside_stays_traced_when_differentiation_is_over(outer, inner):
    whole, part, kept = xp.zeros(()), xp.zeros(3), []
    view = part[1:]

    def g(s):
        kept.append(s * 2.0)
        whole[...] = s * 3.0
        part[0] = s * 4.0
        return s * s

    def f(x):
        INNER[inner](g, x)
        return x * x

    x = xp.asarray(2.0)
    try:
        if outer is None:
            f(x)
        else:
            OUTER[outer](f, x)
    except REFUSALS:
        done = False
    else:
        done = True
    if done:  # (On the tape, they depend on x.)
        assert _number(whole.detach()) == 6.0
        np.testing.assert_array_equal(part.detach().numpy(), [8.0, 0.0, 0.0])
    tape = outer == "tape"
    for t in (whole, part, view, *kept):
        assert not getattr(t, "requires_grad", False) or tape
        if not tape:
            assert type(t) is type(xp.zeros(1))
            t.numpy()
            t += 1.0  # and it is written as any
    if not tape:
        np.testing.assert_array_equal(view.numpy(), part.numpy()[1:])


@pytest.mark.parametrize("outer", ["grad", "vjp", "jvp", "linearize", "forward_jacobian"])
def test_what_a_function_lets_out_is_plain_afterwards(outer):
    kept, buffer = [], xp.zeros(2)

    def f(x):
        kept.append(x)
        kept.append(x * x)
        buffer[0] = x * x * x
        kept.append(buffer[0])
        return x * 5.0

    assert _number(OUTER[outer](f, xp.asarray(2.0))) == 5.0
    assert [_number(k) for k in kept] == [2.0, 4.0, 8.0]
    np.testing.assert_array_equal(buffer.numpy(), [8.0, 0.0])
    np.testing.assert_array_equal(
        grad(lambda v: xp.sum(v * buffer))(xp.ones(2)).numpy(), [8.0, 0.0]
    )


@each_size
def test_a_view_let_out_of_a_function_follows_a_recorded_write_to_the_argument(n):
    x, w, out = xp.ones(n), autodiff.variable(xp.full(n, 2.0)), []
    autodiff.grad(lambda t: (out.append(t[:2]), xp.sum(t * t))[1])(x)
    assert out[0].tolist() == [1.0, 1.0]  # now a view of `x`
    x[...] = w * 3.0
    assert out[0].detach().tolist() == [6.0, 6.0]
    xp.sum(out[0]).backward()
    assert w.grad[:3].tolist() == [3.0, 3.0, 0.0]


@each_size
def test_a_view_and_its_base_that_are_let_out_of_an_inner_function_stay_together(n):
    def f(x):
        out = []
        grad(lambda t: (out.append(t * x), out.append(out[0][:2]), xp.sum(t * t))[2])(x)
        base, view = out
        copy = view * 1.0
        base[...] = x * 5.0
        return xp.sum(view) + xp.sum(copy)

    x = xp.linspace(1.0, 2.0, n)
    assert float(f(x)) == float(xp.sum(5.0 * x[:2] + x[:2] ** 2))
    expected = xp.zeros(n)
    expected[:2] = 5.0 + 2.0 * x[:2]
    assert xp.all(grad(f)(x) == expected)
    assert xp.all(jvp(f, (x,), (x,))[1] == xp.sum(x[:2] * expected[:2]))


def test_a_tensor_let_out_leaves_the_mode_in_which_it_is_read():
    x, out = xp.ones(3), []
    grad(lambda t: (out.append(t), xp.sum(t * t))[1])(x)
    with xp.strict():
        assert (out[0] + 1.0).tolist() == [2.0] * 3
        with pytest.raises(TypeError, match="outside the standard"):
            xp.asarray([1]) + 0.5


@each_size
def test_an_inner_function_writes_outer_values_into_its_argument(n):
    def f(x):
        b = xp.ones(n)

        def inner(t):
            t[0] = x[0] * t[1]
            return xp.sum(t * t)

        g = grad(inner)(b)  # 0, 2 x² + 2, 2, 2, ...
        return g[1] ** 2 + b[0]

    x = xp.full(n, 2.0)
    assert float(f(x)) == 102.0
    assert grad(f)(x)[:2].tolist() == [161.0, 0.0]
    assert float(jvp(f, (x,), (x,))[1]) == 322.0


@each_size
def test_an_argument_that_is_written_shows_its_values(n):
    shown = []

    def inner(t):
        t[0] = t[1] * 5.0
        shown.append(str(t[:2]))
        shown.append(str(t)[:7])
        return xp.sum(t * t)

    grad(lambda x: xp.sum(grad(inner)(x * 1.0)))(xp.ones(n))
    assert shown == ["[5., 1.]", "[5., 1."]


@each_size
def test_a_value_of_a_third_differentiation_is_not_written_into_an_argument(n):
    def f(x):
        def inner(t):
            grad(lambda s: (t.__setitem__(0, s[0] * 1.0), xp.sum(s * s))[1])(xp.ones(2))
            return xp.sum(t * t)

        return xp.sum(grad(inner)(x * 1.0))

    with pytest.raises(RuntimeError, match="is an argument of a differentiated function"):
        grad(f)(xp.full(n, 2.0))
