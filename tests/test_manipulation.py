"""Manipulation functions against NumPy, on every device."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import arraygrad as ag

DTYPES = list(ag.__array_namespace_info__().dtypes())
A = np.arange(24).reshape(2, 3, 4)
CALLS = {
    "concat": lambda m, x: m.concat([x, x], axis=1),
    "concat flat": lambda m, x: m.concat([x, x[0, ...]], axis=None),
    "expand_dims": lambda m, x: m.expand_dims(x, axis=-2),
    "expand_dims first": lambda m, x: m.expand_dims(x, axis=0),
    "expand_dims tuple": lambda m, x: m.expand_dims(x, axis=(0, -1)),
    "flip": lambda m, x: m.flip(x),
    "flip axis": lambda m, x: m.flip(x, axis=-1),
    "flip axes": lambda m, x: m.flip(x, axis=(0, 2)),
    "moveaxis": lambda m, x: m.moveaxis(x, 0, -1),
    "moveaxis tuple": lambda m, x: m.moveaxis(x, (0, 1), (-1, 0)),
    "permute_dims": lambda m, x: m.permute_dims(x, (2, 0, 1)),
    "permute_dims negative": lambda m, x: m.permute_dims(x, (-1, 0, -2)),
    "transpose": lambda m, x: m.transpose(x),
    "transpose, axes": lambda m, x: m.transpose(x, (2, 0, 1)),
    "repeat": lambda m, x: m.repeat(x, 2, axis=1),
    "repeat flat": lambda m, x: m.repeat(x, 3),
    "repeat each": lambda m, x: m.repeat(x, m.asarray([0, 2, 1]), axis=1),
    "reshape": lambda m, x: m.reshape(x, (4, 6)),
    "reshape unknown": lambda m, x: m.reshape(x, (3, -1)),
    "reshape copy": lambda m, x: m.reshape(x, (24,), copy=True),
    "roll": lambda m, x: m.roll(x, 5),
    "roll axis": lambda m, x: m.roll(x, -1, axis=1),
    "roll axes": lambda m, x: m.roll(x, (1, 2), axis=(0, 2)),
    "squeeze": lambda m, x: m.squeeze(x[:1, :, :1], axis=(0, 2)),
    "stack": lambda m, x: m.stack([x, x]),
    "stack inside": lambda m, x: m.stack([x, x], axis=1),
    "stack last": lambda m, x: m.stack([x, x], axis=-1),
    "tile": lambda m, x: m.tile(x, (2, 1, 3)),
    "tile short": lambda m, x: m.tile(x, (2,)),
    "tile long": lambda m, x: m.tile(x, (2, 1, 1, 1)),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (5, 2, 3, 4)),
    "broadcast_arrays": lambda m, x: m.broadcast_arrays(x, x[:, :1, :1])[1],
    "unstack": lambda m, x: m.unstack(x)[1],
    "unstack axis": lambda m, x: m.unstack(x, axis=-1)[2],
    "unstack one": lambda m, x: m.unstack(x[0, 0, :])[2],
}


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32", "complex128"])
@pytest.mark.parametrize("name", CALLS)
def test_against_numpy(xp, same, name, dtype):
    a = A.astype(dtype)
    same(CALLS[name](xp, xp.asarray(a)), CALLS[name](np, a))


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3)])
def test_empty(xp, same, shape):
    a = np.zeros(shape)
    x = xp.asarray(a)
    same(xp.flip(x), a)
    same(xp.concat([x, x]), np.concatenate([a, a]))
    same(xp.reshape(x, (0, 7)), np.zeros((0, 7)))
    same(xp.repeat(x, 2), np.repeat(a, 2))
    assert len(xp.unstack(x)) == shape[0]


def test_views_and_copies(xp):
    for name in ("expand_dims", "permute_dims", "moveaxis", "reshape", "unstack", "unstack one"):
        x = xp.asarray(A, copy=True)
        CALLS[name](xp, x)[...] = -1
        assert bool(xp.any(x == -1)), name
    x = xp.asarray(A, copy=True)
    for name in ("concat", "stack", "repeat", "reshape copy", "roll", "tile"):
        CALLS[name](xp, x)[...] = -1
    assert not bool(xp.any(x == -1))


def test_promotion(xp):
    mixed = [xp.ones(2, dtype=xp.int8), xp.ones(2, dtype=xp.uint8)]
    assert xp.concat(mixed).dtype == xp.int16
    assert xp.stack(mixed).dtype == xp.int16
    assert [t.dtype for t in xp.broadcast_arrays(*mixed)] == [xp.int8, xp.uint8]


def test_broadcast_shapes(xp):
    assert xp.broadcast_shapes((2, 1), (3,), ()) == (2, 3)
    assert xp.broadcast_shapes((0, 1), (5,)) == (0, 5)


def test_broadcast_shapes_against_numpy():
    @given(hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_dims=3))
    def run(shapes):
        found = ag.broadcast_shapes(*shapes.input_shapes)
        assert found == shapes.result_shape
        assert type(found) is tuple

    run()


# ---- properties: any shape, 0-d and empty ones too, any dtype, any axis


@st.composite
def arrays(draw, min_dims=0):
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=0, max_side=3))
    dtype = draw(st.sampled_from(DTYPES))
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


def axes_of(ndim):
    return st.integers(-ndim, ndim - 1)


def some_axes(ndim):
    """None, one axis, or a tuple of different ones, some of them counted from the end."""
    if not ndim:
        return st.none() | st.just(())
    tuples = st.lists(axes_of(ndim), unique_by=lambda i: i % ndim).map(tuple)
    return st.none() | axes_of(ndim) | tuples


@st.composite
def flips(draw):
    a = draw(arrays())
    axis = draw(some_axes(a.ndim))
    return a, lambda m, x: m.flip(x, axis=axis)


@st.composite
def rolls(draw):
    a = draw(arrays())
    axis = draw(some_axes(a.ndim).filter(lambda i: i != ()))
    shift = draw(st.integers(-7, 7))
    if isinstance(axis, tuple):
        shift = tuple(shift + i for i in range(len(axis)))
    return a, lambda m, x: m.roll(x, shift, axis=axis)


@st.composite
def expansions(draw):
    a = draw(arrays())
    axis = draw(axes_of(a.ndim + 1))
    return a, lambda m, x: m.expand_dims(x, axis=axis)


@st.composite
def squeezes(draw):
    a = draw(arrays())
    ones = [i for i, n in enumerate(a.shape) if n == 1]
    axis = tuple(draw(st.sets(st.sampled_from(ones)))) if ones else ()
    axis = tuple(i - a.ndim if draw(st.booleans()) else i for i in axis)
    return a, lambda m, x: m.squeeze(x, axis=axis)


@st.composite
def permutations(draw):
    a = draw(arrays())
    axes = draw(st.permutations(range(a.ndim)))
    axes = tuple(i - a.ndim if draw(st.booleans()) else i for i in axes)
    return a, lambda m, x: m.permute_dims(x, axes)


@st.composite
def moves(draw):
    a = draw(arrays(min_dims=1))
    tuples = st.lists(axes_of(a.ndim), unique_by=lambda i: i % a.ndim, min_size=1)
    source = draw(tuples)
    target = draw(st.permutations(range(a.ndim)))[: len(source)]
    return a, lambda m, x: m.moveaxis(x, tuple(source), tuple(target))


@st.composite
def reshapes(draw):
    a = draw(arrays())
    shape = draw(st.permutations((*a.shape, 1, 1)))
    if a.size and draw(st.booleans()):
        shape[draw(st.integers(0, len(shape) - 1))] = -1
    copy = draw(st.sampled_from([None, True]))
    return a, lambda m, x: m.reshape(x, tuple(shape), copy=copy)


@st.composite
def repeats(draw):
    a = draw(arrays())
    axis = draw(axes_of(a.ndim) | st.none()) if a.ndim else None
    count = draw(st.integers(0, 3))
    return a, lambda m, x: m.repeat(x, count, axis=axis)


@st.composite
def tiles(draw):
    a = draw(arrays())
    counts = draw(st.lists(st.integers(0, 2), max_size=4).map(tuple))
    return a, lambda m, x: m.tile(x, counts)


@st.composite
def stacks(draw):
    a = draw(arrays())
    axis, n = draw(axes_of(a.ndim + 1)), draw(st.integers(1, 3))
    return a, lambda m, x: m.stack([x] * n, axis=axis)


@st.composite
def concats(draw):
    a = draw(arrays(min_dims=1))
    axis = draw(axes_of(a.ndim) | st.none())
    return a, lambda m, x: m.concat([x, m.flip(x), x], axis=axis)


@st.composite
def unstacks(draw):
    a = draw(arrays(min_dims=1).filter(lambda a: a.shape[0]))
    axis = draw(axes_of(a.ndim).filter(lambda i: a.shape[i]))
    return a, lambda m, x: m.unstack(x, axis=axis)[-1]


@st.composite
def broadcasts(draw):
    a = draw(arrays())
    front = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    shape = tuple(draw(st.integers(0, 3)) if n == 1 else n for n in a.shape)
    return a, lambda m, x: m.broadcast_to(x, (*front, *shape))


FAMILIES = [flips, rolls, expansions, squeezes, permutations, moves, reshapes, repeats, tiles]
FAMILIES += [stacks, concats, unstacks, broadcasts]


@pytest.mark.parametrize("family", FAMILIES)
def test_properties(xp, same, family):
    @given(family())
    def run(case):
        a, call = case
        x = xp.asarray(a)
        same(call(xp, x), call(np, a))
        same(x, a)  # the argument is as it was

    run()


@pytest.mark.parametrize(
    "call",
    [
        lambda x, i: ag.flip(x, axis=i),
        lambda x, i: ag.roll(x, 1, axis=i),
        lambda x, i: ag.expand_dims(x, axis=i + (1 if i > 0 else -1)),
        lambda x, i: ag.squeeze(x, axis=i),
        lambda x, i: ag.moveaxis(x, i, 0),
        lambda x, i: ag.moveaxis(x, 0, i),
        lambda x, i: ag.permute_dims(x, (0, i)),
        lambda x, i: ag.repeat(x, 2, axis=i),
        lambda x, i: ag.stack([x, x], axis=i + (1 if i > 0 else -1)),
        lambda x, i: ag.concat([x, x], axis=i),
        lambda x, i: ag.unstack(x, axis=i),
    ],
)
@pytest.mark.parametrize("axis", [2, -3, 7])
def test_axes_that_are_not_there(xp, call, axis):
    with pytest.raises(ValueError, match=r"axis|axes"):
        call(xp.ones((2, 3)), axis)


def test_broadcast_arrays_are_read_only_where_elements_repeat():
    x, y = ag.zeros(3), ag.zeros((2, 3))
    a, b = ag.broadcast_arrays(x, y)
    with pytest.raises(ValueError, match="read-only"):
        a += 1
    b += 1
    assert y.tolist() == [[1.0] * 3] * 2
    assert ag.broadcast_arrays(*[x] * 99, y)[0].shape == (2, 3)


@pytest.mark.parametrize("size", [1, 1001])
def test_dtypes_promote_together_not_one_after_the_other(size):
    parts = [ag.ones(size, dtype=d) for d in (ag.uint16, ag.int8, ag.float32)]
    assert {ag.stack(parts, axis=a).dtype for a in (0, 1)} == {ag.concat(parts).dtype}


def test_broadcast_to_takes_an_int(xp, same):
    for n in (3, np.int64(3)):
        same(xp.broadcast_to(xp.asarray(2.0), n), np.full(3, 2.0))
        v = xp.asarray([2.0]).requires_grad_()
        xp.sum(xp.broadcast_to(v, n)).backward()
        same(v.grad, [3.0])
    with pytest.raises(ValueError, match="broadcast_to"):
        xp.broadcast_to(xp.ones(2), 3)
