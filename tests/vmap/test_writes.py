"""Indexing and writes inside of vmap."""

import gc

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, vmap

RNG = np.random.default_rng(1)


def numbers(*shape):
    return RNG.standard_normal(shape)


def close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)


def check(f, *args, axes=0):
    """Compare a batch with single calls: values, and gradients of the first argument."""
    xp = arraygrad
    axes = (axes,) * len(args) if axes == 0 else axes

    def example(i):
        return [a if axis is None else a[i] for a, axis in zip(args, axes, strict=True)]

    size = next(a.shape[0] for a, axis in zip(args, axes, strict=True) if axis == 0)
    close(vmap(f, axes)(*args), xp.stack([f(*example(i)) for i in range(size)]))
    g = autodiff.grad(lambda *a: xp.sum(f(*a) ** 2))
    close(vmap(g, axes)(*args), xp.stack([g(*example(i)) for i in range(size)]))
    total = lambda *a: xp.sum(vmap(f, axes)(*a) ** 2)
    one = lambda *a: sum(
        xp.sum(f(*[b if axis is None else b[i] for b, axis in zip(a, axes, strict=True)]) ** 2)
        for i in range(size)
    )
    close(autodiff.grad(total)(*args), autodiff.grad(one)(*args))


KEYS = {
    "one": lambda i, j: i,
    "one of an axis": lambda i, j: (slice(None), i),
    "several": lambda i, j: j,
    "pairs": lambda i, j: (j, j),
    "apart": lambda i, j: (j, slice(None), j),
    "apart by None": lambda i, j: (j, None, j),
    "with int": lambda i, j: (0, slice(1, None), j),
    "after an ellipsis": lambda i, j: (..., j),
    "rows and columns": lambda i, j: (arraygrad.reshape(j, (-1, 1)), j),
    "after a step": lambda i, j: (slice(None, None, 2), j, slice(None, None, -1)),
    "0-d and several": lambda i, j: (i, j),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("shared", [False, True], ids=["batched", "shared"])
def test_each_example_has_its_own_index(xp, key, shared):
    x = xp.asarray(numbers(4, 3, 3)) if shared else xp.asarray(numbers(5, 4, 3, 3))
    i, j = xp.asarray([0, 1, 2, 0, -1]), xp.asarray([[0, 2], [1, 1], [2, 0], [0, 0], [-1, 1]])
    axes = (None, 0, 0) if shared else (0, 0, 0)
    check(lambda x, i, j: x[key(i, j)], x, i, j, axes=axes)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("kind", ["batched", "shared", "number"])
def test_each_example_writes_at_its_own_index(xp, key, kind):
    x = xp.asarray(numbers(5, 4, 3, 3))
    i, j = xp.asarray([0, 1, 2, 0, -1]), xp.asarray([[0, 2], [1, 0], [2, 0], [0, 1], [-1, 1]])
    value = xp.asarray(numbers(5) if kind == "batched" else 2.5)

    def f(x, i, j, value):
        y = x * 2
        y[key(i, j)] = 1.5 if kind == "number" else value
        y[key(i, j)] *= 3
        return y

    check(f, x, i, j, value, axes=(0, 0, 0, 0 if kind == "batched" else None))


def test_masks_that_are_the_same_for_all_examples(xp):
    x, mask = xp.asarray(numbers(5, 4, 3)), xp.asarray([True, False, True, True])
    check(lambda x: x[mask], x)
    check(lambda x: x[mask, 1:], x)

    def f(x):
        y = xp.asarray(x, copy=True)
        y[mask] = y[mask] * 2
        return y

    check(f, x)


def test_a_mask_of_each_example_chooses_where_a_number_is_written(xp):
    x = xp.asarray(numbers(5, 4, 3))

    def f(x):
        y = x * 1
        y[y > 0] = 0.5
        y[y[:, 0] < 0] = xp.sum(x)
        return y

    check(f, x)
    with pytest.raises(TypeError, match=r"write xp\.where"):
        vmap(lambda x: x[x > 0])(x)


def test_writes_reach_all_views(xp):
    def f(x):
        y = x * 1
        row, turned = y[0], xp.matrix_transpose(y)
        row += 1
        turned[1, :] = 5.0
        flat = xp.reshape(y, (-1,))
        flat[:2] *= 2
        y -= x[:1]
        return xp.concat([xp.reshape(y, (-1,)), row, xp.reshape(turned, (-1,)), flat])

    check(f, xp.asarray(numbers(4, 3, 2)))


def test_batched_values_are_written_into_tensors_made_inside(xp):
    def f(x):
        y = xp.zeros(4)
        row = y[1:]
        y[0] = x[0]
        row[:2] = x[:2]
        z = xp.ones((2, 2))
        z += x[:2]
        return xp.concat([y, row, xp.reshape(z, (-1,))])

    check(f, xp.asarray(numbers(4, 3)))


def test_batched_values_are_written_into_recorded_tensors_made_inside(xp):
    def f(w, x):
        y = w * 2
        view = y[::2]
        view += x
        return xp.sum(y**2) + xp.sum(view)

    w, x = xp.asarray(numbers(4)), xp.asarray(numbers(3, 2))
    found = autodiff.grad(lambda w: xp.sum(vmap(f, (None, 0))(w, x)))(w)
    close(found, autodiff.grad(lambda w: sum(f(w, x[i]) for i in range(3)))(w))


def test_a_write_into_a_tensor_from_outside_raises_and_leaves_it(xp, same):
    outside = xp.zeros(2)
    view = outside[1:]

    def f(x):
        outside[0] = x[0]
        return x

    with pytest.raises(ValueError, match="make the tensor inside"):
        vmap(f)(xp.ones((3, 2)))
    same(outside, [0.0, 0.0])
    view += 1
    same(outside, [0.0, 1.0])
    assert not outside.requires_grad
    argument = xp.zeros(2)

    def g(x, shared):
        shared += x
        return x

    with pytest.raises(ValueError, match="make the tensor inside"):
        vmap(g, (0, None))(xp.ones((3, 2)), argument)
    same(argument, [0.0, 0.0])
    memory = np.zeros(2)
    if outside.device.type == "cpu" and type(outside._data) is np.ndarray:
        external = arraygrad.from_numpy(memory)

        def h(x):
            external[0] = x[0]
            return x

        with pytest.raises(ValueError, match="all examples share"):
            vmap(h)(xp.ones((3, 2)))
        assert not memory.any()


@pytest.mark.parametrize("mode", ["grad", "jvp"])
def test_a_recorded_write_into_a_tensor_from_outside_raises_and_leaves_it(xp, same, mode):
    outside = xp.zeros(2)
    row = outside[:1]

    def f(x):
        outside[0] = x[0] * 2
        return xp.sum(outside * x)

    call = autodiff.grad(f) if mode == "grad" else lambda x: autodiff.jvp(f, (x,), (x,))[1]
    with pytest.raises(ValueError, match="make the tensor inside"):
        vmap(call)(xp.ones((3, 2)))
    same(outside, [0.0, 0.0])
    row += 1
    same(outside, [1.0, 0.0])

    def g(x):
        inside = xp.zeros(2)
        part = inside[1:]
        part += x[:1] * 2
        inside[0] = x[1]
        return xp.sum(inside * x)

    check(g, xp.asarray(numbers(3, 2)))


def test_a_tensor_made_inside_may_be_in_a_cycle(xp, same):
    def f(x):
        y = xp.zeros(2)
        cycle = {"y": y}
        cycle["self"] = cycle
        y += x
        return y * 2

    gc.disable()
    try:
        same(vmap(f)(xp.ones((3, 2))), np.full((3, 2), 2.0))
    finally:
        gc.enable()


def test_writes_to_an_argument_reach_the_tensor_that_was_passed(xp, same):
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])

    def f(row):
        row *= 10
        return xp.sum(row)

    same(vmap(f, 1)(x), [40.0, 60.0])
    same(x, [[10.0, 20.0], [30.0, 40.0]])


def test_what_a_graph_has_saved_is_not_written(xp):
    def f(w, x):
        y = x * 1
        z = w * y
        y *= 100
        return xp.sum(z * y)

    w, x = xp.asarray(numbers(2)), xp.asarray(numbers(3, 2))
    found = vmap(autodiff.grad(f), (None, 0))(w, x)
    close(found, xp.stack([autodiff.grad(f)(w, x[i]) for i in range(3)]))


def test_an_argument_sees_writes_to_the_tensor_that_was_passed(xp):
    def outer(x):
        y = x * 1

        def f(z):
            y[0] = 5.0
            return xp.sum(z**2)

        return autodiff.grad(f)(y), y

    x = xp.asarray(numbers(3, 2))
    found = vmap(outer)(x)
    for k in range(2):
        close(found[k], xp.stack([outer(x[i])[k] for i in range(3)]))


def test_residuals_and_cotangents_of_rules_may_be_written(xp):
    @autodiff.custom_vjp
    def f(x):
        return x * x

    def backward(residuals, g):
        (x,) = residuals
        x *= 2
        g *= x
        return (g,)

    f.defvjp(lambda x: (x * x, (x,)), backward)
    x, c = xp.asarray(numbers(3, 2)), xp.asarray(numbers(3, 2))

    def twice(x, c):
        _, pull = autodiff.vjp(f, x)
        return pull(c)[0] + pull(c)[0], c, x

    found = vmap(twice)(x, c)
    close(found[0], 4 * x * c)
    close(found[1], c)
    close(found[2], x)
