"""Writes in place under differentiation: outside's values, the right gradients, or an error."""

import weakref

import numpy as np
import pytest
from autodiff.support import close

import arraygrad
import arraygrad as xp
from arraygrad import Tensor, autodiff
from arraygrad.autodiff import grad, hessian, jacobian, jvp, no_grad, variable, vjp


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


@pytest.mark.parametrize(
    "turn",
    [
        lambda x: x[::-1],
        lambda x: x[:, ::-1],
        lambda x: x[::-1, ::-1],
        lambda x: x.mT,
        lambda x: x.mT[::-1],
        lambda x: xp.permute_dims(x, (1, 0))[:, ::-1],
        lambda x: x[:, ::2],
        lambda x: xp.sort(x, axis=-1, descending=True),  # NumPy's, read backwards
        lambda x: xp.sort(x, axis=0, descending=True).mT,
    ],
)
def test_a_written_tensor_keeps_its_layout(turn):
    """Whether `reshape` gives a view or a copy afterwards is as outside."""

    def f(v):
        x = turn(xp.zeros((2, 3))) + turn(xp.zeros((2, 3)))
        x += turn(v)
        flat = xp.reshape(x, (-1,))
        flat[1] = 7.0 * v[0, 0]
        back = xp.reshape(turn(v * 1.0), (-1,))
        turn(x)[0] *= 2.0
        back[0] += xp.sum(x)
        y = turn(v * 1.0)
        y += 1.0
        xp.reshape(y, (-1,))[1] *= 3.0
        return xp.concat([xp.reshape(x, (-1,)), flat, back, xp.reshape(y, (-1,))])

    v = xp.reshape(xp.linspace(1.0, 2.0, 6), (2, 3))
    outside = f(v).numpy()
    out, pullback = vjp(f, v)
    np.testing.assert_array_equal(out.numpy(), outside)
    (g,) = pullback(xp.ones(out.shape))
    np.testing.assert_array_equal(jvp(f, (v,), (v,))[0].numpy(), outside)
    slope = (f(v + v).numpy() - f(v - v).numpy()).sum() / 2
    np.testing.assert_allclose(float(xp.sum(g * v)), slope, rtol=1e-12)


V = np.asarray([0.7, -1.3, 2.1])


MASK = np.asarray([True, False, True])


def _operators(xp, v):
    x = v * 2.0
    x += v
    x -= 0.5
    x *= v
    x /= 3.0
    x **= 2
    x %= 1.7
    x //= 0.25
    x += v * v
    return x


def _matmul(xp, v):
    x = xp.stack([v, v * v, v + 1])
    x @= x.T
    return x


def _assignments(xp, v):
    x = v * 1.0
    x[0] = v[1] * v[2]
    x[1:] = x[:-1] + v[0]
    x[-1] += x[0]
    x[...] *= v
    x[None, :, None] = 2 * x[None, :, None]
    return x


def _masks(xp, v):
    x = v * v
    mask = xp.asarray(MASK)
    x[mask] *= 2
    x[~mask] = v[1]
    x[x > 1] -= 0.5
    return x


def _integer_arrays(xp, v):
    if "strict" in str(v.device):
        pytest.skip("array_api_strict has no assignment to integer arrays for this")
    x = xp.zeros(5)
    x[xp.asarray([3, 1, 3])] = v  # the last of equal ones stays
    x[xp.asarray([0, 1])] += v[:2]
    return x * x


def _recurrence(xp, v):
    out = xp.zeros(6)
    out[0] = 1.0
    for i in range(1, 6):
        out[i] = out[i - 1] * v[i % 3] + out[i - 1] ** 2
    return out


def _accumulate(xp, v):
    out = xp.zeros((2, 3))
    for i in range(2):
        out[i] += v * (i + 1)
        out[i, 1:] -= v[0]
    return out * v


def _views(xp, v):
    x = xp.stack([v, v * v])
    row = x[1]
    row *= v  # x sees it
    column = x[:, 2]
    column[...] = row[0]  # row sees it
    flat = xp.reshape(x, (-1,))
    flat += 1.0
    x.T[0] *= 3.0
    xp.flip(x, axis=1)[0, 0] = v[1]
    xp.permute_dims(x, (1, 0))[1, 1] += row[0]
    xp.squeeze(x[:1], axis=0)[1:2] -= 2.0
    xp.expand_dims(x, axis=0)[0, 1, 1] *= v[0]
    xp.moveaxis(x, 0, 1)[0, 0] += flat[3]
    return x + row + flat[:3] + column[0]


def _views_of_views(xp, v):
    x = xp.reshape(xp.concat([v, v * v, v + 1, v - 1]), (3, 4))
    a = x[1:]
    b = a[:, ::2]
    c = b[0]
    c *= v[1]
    a[1] = 5 * v[0]
    b += 1.0
    return xp.sum(a) * xp.sum(b) * c + x[1, :2]


def _layouts(xp, v):
    if "strict" in str(v.device):
        pytest.skip("array_api_strict does not tell how its arrays lie in memory")
    x = xp.stack([v, v * v])
    first = xp.reshape(x, (3, 2))
    xp.flip(x, axis=0)[0] *= 3.0
    first[0] = v[:2]  # x sees it
    flat = xp.reshape(x, (6,))
    flat[1:3] *= v[0]  # and this
    y = xp.permute_dims(x * 1.0, (1, 0))
    y += xp.ones((3, 2))
    copy = xp.reshape(y, (6,))
    copy *= 2.0  # y does not
    back = xp.sort(v * v, descending=True)
    back[0] += 1.0
    xp.reshape(back, (3, 1))[0] *= v[0]  # a copy or a view, as NumPy has it
    z = xp.zeros((3, 2))
    z.T[0] = 3.0
    z += y
    xp.reshape(z, (6,))[3] *= v[1]
    return x * back + y.T + xp.reshape(copy, (2, 3)) + xp.reshape(z, (2, 3))


def _rows(xp, v):
    x = xp.stack([v, 2 * v])
    for row in x:
        row *= v
    first, second = xp.unstack(x)
    first += second
    return x


def _plain_view_becomes_traced(xp, v):
    out = xp.zeros((2, 3))
    row = out[1]
    row += v
    row[0] = v[1] ** 2
    return out + row


def _same_object(xp, v):
    x = v * 1.0
    y = xp.asarray(x)
    z = xp.astype(x, x.dtype, copy=False)
    y += 1.0
    z[0] *= 3.0
    return x * y + z


def _kept_values(xp, v):
    """What earlier operations need for their gradients is written afterwards."""
    x = xp.exp(v)
    y = x * x
    x += 1.0
    z = x * y
    x[0] = 0.0
    y *= x
    return z + y + x


def _work_buffer(xp, v):
    buffer = xp.zeros(3)
    total = v
    for k in range(3):
        buffer[...] = float(k)
        buffer[k] = 5.0
        total = total * buffer + v
    return total


def _index_that_changes(xp, v):
    i = xp.asarray([0, 1])
    y = v[i] * v[1:]
    i += 1
    return y + v[i]


def _base_is_written(xp, v):
    base = xp.asarray([1.0, 2.0, 3.0, 4.0])
    view, large = base[:3], xp.zeros(3000)
    part = large[:3]
    y = v * view + v * part
    base[...] = 5.0
    z = v * view
    view += 1.0
    return y * z + v * base[1:] + v * view


def _conditional(xp, v):
    x = v * 1.0
    for k in range(3):
        if x[k] > 0:
            x[k] = xp.sqrt(x[k])
        else:
            x[k] = -x[k] * v[0]
    return x


def _complex_parts(xp, v):
    z = v + 1j * v * v
    if "strict" in str(v.device):
        pytest.skip("array_api_strict gives copies of parts")
    xp.real(z)[...] = v * 3
    part = xp.imag(z)
    part *= v
    return xp.real(z * z) + part


PROGRAMS = [f for name, f in list(globals().items()) if name[0] == "_" and name[1] != "_"]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__[1:])
@pytest.mark.filterwarnings("error")
def test_programs(device, f):
    def run(v):
        with arraygrad.default_device(device):
            return f(arraygrad, v)

    with arraygrad.default_device(device):
        v = arraygrad.asarray(V)
        plain = run(v).numpy()
        out, pullback = vjp(run, v)
        assert type(out) is Tensor
        assert out.numpy().tobytes() == plain.tobytes()
        t = arraygrad.asarray([0.3, 0.9, -0.4])
        out, forward = jvp(run, (v,), (t,))
        assert out.numpy().tobytes() == plain.tobytes()
        h = 1e-6
        numeric = (run(v + h * t).numpy() - run(v - h * t).numpy()) / (2 * h)
        np.testing.assert_allclose(forward.numpy(), numeric, rtol=2e-8, atol=2e-8)
        w = arraygrad.reshape(arraygrad.asarray(np.linspace(-1, 1, plain.size)), plain.shape)
        (g,) = pullback(w)
        left, right = np.sum(w.numpy() * forward.numpy()), np.sum(g.numpy() * t.numpy())
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)
        assert v.numpy().tobytes() == V.tobytes()

        def loss(v):
            y = run(v)
            return arraygrad.sum(w * y * y)

        reverse_twice = jacobian(grad(loss), mode="reverse")(v).numpy()
        np.testing.assert_allclose(hessian(loss)(v).numpy(), reverse_twice, rtol=1e-9, atol=1e-9)
        g1, g0 = grad(loss)(v + h * t).numpy(), grad(loss)(v - h * t).numpy()
        np.testing.assert_allclose(
            reverse_twice @ t.numpy(), (g1 - g0) / (2 * h), rtol=1e-6, atol=1e-6
        )
        tape = variable(v)
        loss(tape).backward()
        np.testing.assert_allclose(tape.grad.numpy(), grad(loss)(v).numpy(), rtol=1e-12)


def test_an_argument_that_is_written(xp):
    def f(x):
        y = x * x
        x += 1.0
        x[0] *= 3.0
        return xp.sum(x * y)

    outside = xp.asarray([1.0, 2.0])
    expected = f(outside)
    for transform in (
        lambda x: grad(f)(x),
        lambda x: jacobian(f, mode="forward")(x),
        lambda x: jacobian(f)(x),
        lambda x: vjp(f, x)[1](xp.asarray(1.0))[0],
    ):
        x = xp.asarray([1.0, 2.0])
        np.testing.assert_allclose(transform(x).numpy(), [15.0, 16.0])
        assert x.numpy().tobytes() == outside.numpy().tobytes()  # once, as outside
    x = xp.asarray([1.0, 2.0])
    second = hessian(f)(x).numpy()
    np.testing.assert_allclose(second, [[24.0, 0.0], [0.0, 14.0]])
    assert x.numpy().tobytes() == outside.numpy().tobytes()
    x = xp.asarray([1.0, 2.0])
    assert float(jvp(f, (x,), (xp.ones(2),))[0]) == float(expected)
    assert x.numpy().tobytes() == outside.numpy().tobytes()


def test_an_argument_of_an_inner_function_that_is_written(xp):
    def inner(y):
        y *= 2.0
        return xp.sum(y * y)

    def outer(x):
        x = x * 1.0
        g = grad(inner)(x)  # 8 x, and x is doubled
        return xp.sum(g * x)  # 16 x^2

    np.testing.assert_allclose(grad(outer)(xp.asarray([1.0, 3.0])).numpy(), [32.0, 96.0])
    t = jvp(outer, (xp.asarray([1.0, 3.0]),), (xp.ones(2),))[1]
    np.testing.assert_allclose(float(t), 128.0)


def test_an_argument_that_is_written_by_another_way_raises(xp):
    def outer(x, transform):
        x = x * 1.0

        def inner(y):
            x[...] = x * 0.5  # outside, y is x
            return xp.sum(y * y)

        return xp.sum(transform(inner, x))

    one = xp.asarray([1.0, 3.0])
    for transform in (
        lambda f, x: grad(f)(x),
        lambda f, x: jvp(f, (x,), (x,))[1],
        lambda f, x: jacobian(f)(x),
    ):
        for through in (grad(outer), lambda x, t: jvp(lambda x: outer(x, t), (x,), (x,))):
            with pytest.raises(RuntimeError, match=r"is also its argument.*copy it first"):
                through(one, transform)


def test_tangents_and_cotangents_are_written_alone(xp):
    x = xp.asarray([1.0, 2.0])

    def forward(direction):
        direction = direction * 1.0
        first, second, third = jvp(lambda x: (x + 1, x - 1, x[:1]), (x,), (direction,))[1]
        first *= 3.0
        third *= 5.0
        return xp.sum(direction * direction) + xp.sum(second * second)

    def back(direction):
        direction = direction * 1.0
        (first,) = vjp(lambda x: x + 1, x)[1](direction)
        first *= 3.0
        return 2 * xp.sum(direction * direction)

    for f in (forward, back):
        assert float(f(x)) == 10.0
        np.testing.assert_allclose(grad(f)(x).numpy(), [4.0, 8.0])
        value, tangent = jvp(f, (x,), (x,))
        assert (float(value), float(tangent)) == (10.0, 20.0)


def test_detached_tensors_see_writes(xp):
    def f(x):
        y = x * 1.0
        seen = autodiff.stop_gradient(y)
        y += 1.0
        return xp.sum(y * seen)

    x = xp.asarray([1.0, 2.0])
    np.testing.assert_allclose(grad(f)(x).numpy(), [2.0, 3.0])


def test_what_was_detached_before_is_not_recorded(xp):
    w = xp.asarray([1.0, 2.0])
    for detach in (Tensor.detach, autodiff.stop_gradient):

        def f(w, detach=detach):
            state = xp.zeros(2)
            before = detach(state)
            state[...] = w
            return xp.sum(state * before)

        assert float(f(w)) == 5.0
        for transform in (grad, lambda f: lambda w: jvp(f, (w,), (w,))):
            with pytest.raises(ValueError, match=r"shares its memory.*copy"):
                transform(f)(w)


def test_errors_of_writes(xp):
    v = xp.asarray([1.0, 2.0])
    for write, error in (
        (lambda x: x.__iadd__(xp.ones((2, 2))), ValueError),
        (lambda x: x.__iadd__(1j), TypeError),
        (lambda x: x.__setitem__(0, 1j), TypeError),
        (lambda x: x.__setitem__(5, 1.0), IndexError),
        (lambda x: x.__setitem__(slice(None), xp.ones(3)), ValueError),
    ):
        kept = []

        def f(x, write=write, kept=kept):
            x = x * 1.0
            kept.append(x)
            write(x)
            return xp.sum(x)

        with pytest.raises(error):
            grad(f)(v)
        assert autodiff.stop_gradient(kept[0]).numpy().tolist() == [1.0, 2.0]  # as it was
    whole = xp.asarray([1, 2])
    with pytest.raises(TypeError):
        grad(lambda x: whole.__iadd__(x[0]))(v)
    assert whole.numpy().tolist() == [1, 2]


def test_single_precision_stays(xp):
    def f(v):
        x = xp.astype(v, xp.float32) * 1.5
        x += v  # float64 into float32
        x[0] = v[1]
        return xp.sum(x * x)

    v = xp.asarray([1.0, 2.0])
    out, g = autodiff.value_and_grad(f)(v)
    assert (out.dtype, g.dtype) == (xp.float32, xp.float64)
    np.testing.assert_allclose(g.numpy(), [0.0, 2 * 5.0 * 2.5 + 2 * 2.0])


def test_writes_without_record(xp):
    w = variable(xp.asarray([1.0, 2.0]))
    y = w * 3.0
    with no_grad():
        y += 1.0
        y[0] = xp.sum(w)
    assert autodiff.stop_gradient(y).numpy().tolist() == [3.0, 7.0]
    xp.sum(y * y).backward()
    np.testing.assert_allclose(w.grad.numpy(), [18.0, 42.0])


def test_writes_without_record_to_what_is_followed_elsewhere_raise(xp):
    def whole(x):
        y = x * 3.0
        with no_grad():
            y += 1.0
        return xp.sum(y * y)

    def view(x):
        y = x * 3.0
        with no_grad():
            part = y[1:]
            part += 1.0
        return xp.sum(y * y)

    x = xp.asarray([1.0, 2.0, 3.0])
    np.testing.assert_allclose(grad(whole)(x).numpy(), [24.0, 42.0, 60.0])
    for f in (whole, view):
        with pytest.raises(RuntimeError, match="copy it first"):
            jvp(grad(f), (x,), (x,))
    twice = grad(lambda x: xp.sum(grad(whole)(x)))(x)  # neither is recorded inside
    np.testing.assert_allclose(twice.numpy(), [18.0, 18.0, 18.0])


def test_functions_with_rules_of_their_own_do_not_write_outside(xp):
    def run(x, wrap):
        seen = x * 1.0

        def f(p):
            local = xp.zeros(2)
            local[0] = p[0]
            local += p
            seen[...] = p  # of which no rule knows
            return local

        return xp.sum(wrap(f)(x)) + xp.sum(seen)

    def reverse(f):
        f = autodiff.custom_vjp(f)
        f.defvjp(lambda p: (f.fun(p), ()), lambda _, g: (2 * g,))
        return f

    def forward(f):
        f = autodiff.custom_jvp(f)
        f.defjvp(lambda primals, tangents: (f(*primals), 2 * tangents[0]))
        return f

    x = xp.asarray([1.0, 2.0])
    for wrap in (reverse, forward):
        for through in (grad(run), lambda x, w: jvp(lambda x: run(x, w), (x,), (x,))):
            assert float(run(x, wrap)) == 7.0
            with pytest.raises(RuntimeError, match="rule of its own writes to a tensor from outs"):
                through(x, wrap)
            # and nothing is left of it
            np.testing.assert_allclose(grad(lambda x: xp.sum(_operators(xp, x) ** 0))(x).numpy(), 0)


def test_a_written_tensor_does_not_hold_what_a_graph_had_saved_of_it():
    x, w = arraygrad.ones(3000), variable(arraygrad.ones(3000))
    loss = arraygrad.sum(w * x)
    data = weakref.ref(x._data)
    x[...] = w
    assert data() is not None  # the graph has it
    loss.backward()
    del loss
    assert data() is None


def test_a_recorded_product_in_place_of_one_complex_number_is_rounded_as_a_plain_one():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(200, 1)) + 1j * rng.normal(size=(200, 1)) for _ in range(2))
    for i in range(200):
        plain, recorded = xp.asarray(a[i], copy=True), variable(xp.asarray(a[i])) * 1.0
        plain *= xp.asarray(b[i])
        recorded *= xp.asarray(b[i])
        assert recorded.detach().tolist() == plain.tolist()
