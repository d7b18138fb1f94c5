"""Views of recorded tensors: they follow writes, and writes to them are of their base."""

import numpy as np
import pytest
from autodiff.support import each_size

import arraygrad
import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import enable_grad, grad, jacobian, jvp, no_grad, vjp


def test_a_view_of_several_is_taken_again(xp):
    def f(x):
        x = x * 2.0
        _, wide = xp.broadcast_arrays(xp.ones((2, 3)), x)
        x[0] = 5.0 * x[1]
        return xp.sum(wide * wide)

    x = xp.asarray([1.0, 2.0, 3.0])
    for g in (grad(f)(x), jacobian(f, mode="forward")(x)):
        np.testing.assert_allclose(g.numpy(), [0.0, 2 * 8 * 2 * 26.0, 48.0])


def test_all_views_of_a_plain_tensor_follow(xp):
    v = xp.asarray([1.0, 2.0, 3.0])

    def rows(v):
        out = xp.zeros((2, 3))
        for row in out:
            row[...] = v
        return xp.sum(out)

    def kept_view(v):
        out = xp.zeros((2, 3))
        row = out[0]
        out[1] = v
        row += 2 * v
        return xp.sum(out) + xp.sum(row)

    def transposed(v):
        out = xp.zeros((3, 3))
        out.T[0] = v
        return xp.sum(out[:, 0] * v)

    def same_view(v):
        out = xp.zeros(6)
        part = out[:3]
        same = xp.real(part)
        part += v
        return xp.sum(same) + xp.sum(part)

    for f, expected in ((rows, 2), (kept_view, 5), (transposed, 2 * v), (same_view, 2)):
        if f is not rows and "strict" in str(v.device):
            continue  # which gives copies there
        for transform in (grad, lambda f: lambda v: jacobian(f, mode="forward")(v)):
            np.testing.assert_array_equal(transform(f)(v).numpy(), (expected + xp.zeros(3)).numpy())


def test_read_only_views_stay_read_only(xp):
    def f(x):
        y = xp.broadcast_to(x * 1.0, (2, 3))
        y[0, 0] = 1.0
        return xp.sum(y)

    with pytest.raises(ValueError, match="read-only"):
        grad(f)(xp.ones(3))


def test_read_only_memory_stays_read_only():
    def repeated(x):
        y = arraygrad.broadcast_to(arraygrad.zeros(3), (2, 3))
        y[0] = x
        return arraygrad.sum(y)

    def imaginary(x):
        y = arraygrad.imag(x * 1.0)  # of real numbers: nothing to write to
        y[0] = x[1]
        return arraygrad.sum(y)

    for f in (repeated, imaginary):
        for transform in (f, grad(f), lambda x, f=f: jvp(f, (x,), (x,))):
            with pytest.raises(ValueError, match="read-only"):
                transform(arraygrad.ones(3))


def test_a_view_that_is_read_without_record_stays_recorded(xp):
    def f(x):
        y = x * 1.0
        view = y[1:]
        y *= 2.0
        with no_grad():
            assert view.shape == (2,)
            double = 2 * view
        y *= 3.0
        z = autodiff.checkpoint(lambda p: p * xp.sum(view))(x)
        return xp.sum(view * double) + xp.sum(z)

    x = xp.asarray([1.0, 2.0, 3.0])
    out, g = autodiff.value_and_grad(f)(x)
    assert float(out) == float(f(x))
    np.testing.assert_allclose(g.numpy(), [30.0, 30.0 + 36 + 48, 30.0 + 36 + 72])


def test_a_view_without_record_sees_later_writes(xp):
    if "strict" in str(xp.ones(1).device):
        pytest.skip("array_api_strict gives copies of some views")

    def f(x):
        y = x * 2.0
        with no_grad():
            view, other = y[1:], y.mT[0]
        z = view * y[1:] + other[0]
        y += 1.0
        y[0, 0] = 7.0
        return xp.sum(y * y) + xp.sum(z) + xp.sum(view * view) + xp.sum(other)

    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    out, g = autodiff.value_and_grad(f)(x)
    assert float(out) == float(f(x))
    # 2 y y' of the first sum, and of the second the values of the view
    np.testing.assert_allclose(g.numpy(), [[0.0, 20.0], [28.0 + 12.0, 36.0 + 16.0]])


def test_the_real_part_of_real_numbers_is_written(xp):
    def f(x):
        y = x * 1.0
        if xp.real(y).device == "cpu":
            xp.real(y)[0] = x[1] ** 2
        return xp.sum(y * y)

    x = xp.asarray([1.0, 2.0])
    out, g = autodiff.value_and_grad(f)(x)
    assert (out.dtype, float(out)) == (xp.float64, float(f(x)))
    np.testing.assert_allclose(g.numpy(), [0.0, 36.0] if float(out) == 20 else [2.0, 4.0])


def test_parts_of_complex_numbers_are_written_exactly(xp):
    if "strict" in str(xp.ones(1).device):
        pytest.skip("array_api_strict gives copies of parts")

    def f(x):
        z = xp.zeros(3, dtype=xp.complex128) + x
        z[...] = xp.asarray([complex(-0.0, np.inf), complex(-np.inf, -0.0), 1 - 2j])
        xp.real(z)[:2] = -0.0 * x
        xp.imag(z)[2] = -np.inf * x
        return z

    one = xp.asarray(1.0)
    for out in (vjp(f, one)[0], jvp(f, (one,), (one,))[0]):
        assert out.numpy().tobytes() == f(one).numpy().tobytes()


VIEWS = {
    "a slice": lambda x: x[:2],
    "an element": lambda x: x[0],
    "a view of a view": lambda x: xp.reshape(x, (3, -1))[0, :],
    "a transpose": lambda x: xp.flip(x),
    "one of several": lambda x: xp.unstack(x)[0],
    "a broadcast axis": lambda x: xp.expand_dims(x, axis=0),
}


WRITES = {
    "by an operator": lambda v: v.__imul__(10.0),
    "by an index": lambda v: v.__setitem__(..., 7.0),
    "of a tensor": lambda v: v.__iadd__(xp.ones_like(v)),
    "to a view of it": lambda v: xp.reshape(v, (-1,)).__setitem__(0, 7.0),
    "by shuffling": lambda v: xp.random.default_rng(0).shuffle(xp.reshape(v, (-1,))),
}


@each_size
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_outside_of_no_grad_raises(view, write, n):
    w = xp.ones(n).requires_grad_()
    for x in (w, 2 * w):
        values = xp.asarray(x.detach(), copy=True)
        with no_grad():
            v = VIEWS[view](x)
        with pytest.raises(
            RuntimeError, match="taken inside of no_grad, of a tensor that requires grad"
        ):
            WRITES[write](v)
        assert xp.all(x == values)
        xp.sum(x**2).backward()

    def f(x):
        y = 2 * x
        with no_grad():
            v = VIEWS[view](y)
        WRITES[write](v)
        return xp.sum(y**2)

    with pytest.raises(RuntimeError, match="taken inside of no_grad"):
        grad(f)(xp.ones(n))
    f(xp.ones(n))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_meant_is_possible(view, write):
    """Inside of no_grad, through a detached tensor, and after the tensor has gone."""
    w = xp.ones(3).requires_grad_()
    with no_grad():
        WRITES[write](VIEWS[view](w))
    WRITES[write](VIEWS[view](w.detach()))
    with no_grad():
        v = VIEWS[view](w)
        with enable_grad(), pytest.raises(RuntimeError, match="taken inside of no_grad"):
            WRITES[write](v)
        WRITES[write](v)
    with no_grad():
        v = VIEWS[view](2 * w)
    WRITES[write](v)
    w.requires_grad_(False)
    with no_grad():
        v = VIEWS[view](w)
    WRITES[write](v)


def test_what_such_a_view_shows_follows_its_tensor():
    w = xp.ones(3).requires_grad_()
    with no_grad():
        v = w[:2]
        w *= 5
    np.testing.assert_array_equal(v.numpy(), [5.0, 5.0])
    y = 2 * w
    with no_grad():
        v = y[:2]
    y[0] = 3.0
    np.testing.assert_array_equal(v.numpy(), [3.0, 10.0])
    xp.sum(y**2).backward()
    np.testing.assert_array_equal(w.grad.numpy(), [0.0, 40.0, 40.0])
