"""Indexing and assignment by every kind of index, against NumPy."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import arraygrad as ag
from arraygrad import autodiff

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


DTYPES = st.sampled_from(list(ag.__array_namespace_info__().dtypes()))


def numbered(shape, dtype="float64"):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


@st.composite
def basic(draw):
    shape = draw(SHAPES)
    return numbered(shape, draw(DTYPES)), draw(hnp.basic_indices(shape, allow_newaxis=True))


@st.composite
def integers(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    result = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
    dtype = draw(st.sampled_from(["int8", "int64", "uint16"]))
    indices = draw(hnp.integer_array_indices(shape, result_shape=result, dtype=np.dtype(dtype)))
    return numbered(shape, draw(DTYPES)), indices


@st.composite
def masks(draw):
    a = numbered(draw(SHAPES), draw(DTYPES))
    axes = draw(st.integers(0, a.ndim))
    return a, draw(hnp.arrays(bool, a.shape[:axes]))


@st.composite
def mixtures(draw):
    """Ints, slices beyond the ends, lists, index arrays and a mask, with ... and new axes."""
    a = numbered(draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)), draw(DTYPES))
    common = draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=3))
    key, masked = [], False
    for n in a.shape:
        kind = draw(st.sampled_from(["int", "slice", "array", "list", "mask"]))
        ends = st.none() | st.integers(-n - 3, n + 3)
        if kind == "int":
            key.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            key.append(slice(draw(ends), draw(ends), draw(st.sampled_from([None, 1, 2, -1, -3]))))
        elif kind == "mask" and not masked:
            masked = True
            true = draw(st.integers(0, n - 1))  # one element, which broadcasts with the others
            key.append(np.arange(n) == true)
        else:
            index = draw(hnp.arrays("int64", common, elements=st.integers(-n, n - 1)))
            key.append(index.tolist() if kind == "list" else index)
    first = draw(st.integers(0, a.ndim))
    key[first : draw(st.integers(first, a.ndim))] = draw(st.sampled_from([[...], [..., None]]))
    if key[-1] is ... and draw(st.booleans()):
        key.pop()
    if draw(st.booleans()):
        key.insert(draw(st.integers(0, len(key))), draw(st.sampled_from([None, True])))
    return a, tuple(key)


KEYS = {"basic": basic(), "integers": integers(), "masks": masks(), "mixtures": mixtures()}


def ours(key, device):
    """The key with tensors for NumPy's arrays."""
    if isinstance(key, tuple):
        return tuple(ours(k, device) for k in key)
    return ag.asarray(key, device=device) if isinstance(key, np.ndarray) else key


@pytest.mark.parametrize("kind", KEYS)
def test_get(device, same, kind):
    @given(KEYS[kind])
    def run(case):
        a, key = case
        same(ag.asarray(a, device=device)[ours(key, device)], a[key])

    run()


def test_where_the_axes_of_index_arrays_go(xp, same):
    a = numbered((2, 1, 3, 4))
    x, i = xp.asarray(a), np.asarray([0, 1, 1])
    t = xp.asarray(i)
    same(x[:, 0, t], a[:, 0, i])  # together: where they stand
    same(x[:, 0, :, t], a[:, 0, :, i])  # apart: in front
    same(x[:, [0], ..., 0, t], a[:, [0], ..., 0, i])  # also when ... stands for nothing


@pytest.mark.parametrize("kind", KEYS)
def test_set(device, same, kind):
    @given(KEYS[kind], st.sampled_from(["scalar", "element", "broadcast", "all"]))
    def run(case, form):
        a, key = case
        chosen = numbered(a.shape)[key]
        assume(np.unique(chosen).size == chosen.size)  # which of several stays is not defined
        shape = {"all": chosen.shape, "broadcast": chosen.shape[1:]}.get(form, ())
        value = (numbered(shape, "float64") % 5 + 2).astype(a.dtype)
        x = ag.asarray(a, device=device, copy=True)
        x[ours(key, device)] = (
            value.item() if form == "scalar" else ag.asarray(value, device=device)
        )
        a[key] = value
        same(x, a)

    run()


@pytest.mark.parametrize("kind", ["basic", "integers", "mixtures"])
def test_what_numpy_refuses(device, kind):
    """The key of one array with another one: out of bounds, or too many axes, as in NumPy."""
    if device == "cuda" and kind != "basic":
        pytest.skip("a GPU does not wait to look at the values of indices")

    @given(KEYS[kind], hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    def run(case, shape):
        key, a = case[1], numbered(shape)
        x = ag.asarray(a, device=device, copy=True)
        try:
            expected = a[key]
        except IndexError:
            with pytest.raises(IndexError, match="__getitem__"):
                x[ours(key, device)]
            with pytest.raises(IndexError, match="__setitem__"):
                x[ours(key, device)] = -1.0
            assert x.tolist() == a.tolist()
        else:
            assert x[ours(key, device)].tolist() == expected.tolist()

    run()


@given(basic())
def test_basic_indices_give_views(case):
    a, key = case
    x = ag.asarray(a, copy=True)
    view = x[key]
    assert np.shares_memory(view.numpy(), x.numpy()) or not view.size
    view[...] = 1
    a[key] = 1
    assert x.tolist() == a.tolist()


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint16", "int64"])
def test_index_dtypes(xp, dtype):
    x = xp.asarray([10.0, 20.0, 30.0])
    i = xp.asarray([2, 0], dtype=getattr(xp, dtype))
    assert x[i].tolist() == [30.0, 10.0]
    assert x[i[0]].tolist() == 30.0
    assert x[xp.asarray(1, dtype=i.dtype) :].tolist() == [20.0, 30.0]


def test_zero_dimensional_masks(xp):
    x = xp.asarray([1.0, 2.0])
    assert x[xp.asarray(True)].shape == (1, 2)
    assert x[xp.asarray(False)].shape == (0, 2)
    assert x[True].shape == (1, 2)


def test_numpys_further_indices(xp, device):
    """Lists and ranges on every device; NumPy arrays on the CPU."""
    x = xp.asarray([10.0, 20.0, 30.0])
    assert x[[0, 2]].tolist() == [10.0, 30.0]
    assert x[[True, False, True]].tolist() == [10.0, 30.0]
    assert x[[]].shape == (0,)
    assert x[np.int64(1)].tolist() == 20.0
    assert xp.ones((2, 3))[:, [0, 1]].shape == (2, 2)
    assert x[range(2)].tolist() == [10.0, 20.0]
    assert xp.eye(3)[range(3), xp.asarray([0, 2, 2])].tolist() == [1.0, 0.0, 1.0]
    assert x[range(0)].shape == (0,)
    x[[2, 0]] = [31.0, 11.0]
    x[np.int8(1)] = np.float32(21.0)
    assert x.tolist() == [11.0, 21.0, 31.0]
    if device == "cpu":
        assert x[np.asarray([2])].tolist() == [31.0]
        assert x[np.asarray([True, False, False])].tolist() == [11.0]
    else:
        with pytest.raises(ag.TransferError, match="asarray"):
            x[np.asarray([2])] = 1.0
        with pytest.raises(ag.TransferError, match="asarray"):
            x[np.asarray([2])]


def test_values_of_other_kinds(xp):
    x = xp.zeros(3)
    x[0] = True
    x[1] = 2
    x[2] = xp.asarray(3, dtype=xp.int8)
    assert x.tolist() == [1.0, 2.0, 3.0]
    x[...] = [4.0, 5.0, 6.0]
    assert x.tolist() == [4.0, 5.0, 6.0]
    z = xp.zeros(2, dtype=xp.complex64)
    z[0] = 1j
    z[1] = x[0]
    assert z.tolist() == [1j, 4.0]
    i = xp.zeros(2, dtype=xp.int32)
    i[0] = xp.asarray(7, dtype=xp.int64)
    assert i.dtype == xp.int32
    assert i.tolist() == [7, 0]


def test_broadcast_values(xp):
    x = xp.zeros((2, 3))
    x[:, 1:] = xp.asarray([1.0, 2.0])
    x[1, ...] = 5.0
    x[x == 5.0] = -1.0
    assert x.tolist() == [[0.0, 1.0, 2.0], [-1.0, -1.0, -1.0]]


@pytest.mark.parametrize("value", [math.inf, math.nan, -1.5, 2.7])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_special_values_are_written(xp, same, value, dtype):
    x, a = xp.zeros(3, dtype=getattr(xp, dtype)), np.zeros(3, dtype=dtype)
    x[1:] = a[1:] = value
    same(x, a)


def test_values_that_do_not_fit(xp):
    x = xp.asarray([1, 2, 3], dtype=xp.int8)
    for value, error in (
        (1j, TypeError),
        (xp.asarray(1j), TypeError),
        (300, OverflowError),
        (math.inf, OverflowError),
        (math.nan, ValueError),
        ("a", TypeError),
        (None, TypeError),
        (np.ones(3), TypeError),
        (xp.ones((2, 3)), ValueError),
        (xp.ones(2), ValueError),
    ):
        with pytest.raises(error):
            x[...] = value
        assert x.tolist() == [1, 2, 3]


def test_take(xp, same):
    a = np.arange(12.0).reshape(3, 4)
    x, i = xp.asarray(a), np.asarray([2, 0])
    for axis in (0, 1, -1):
        same(xp.take(x, xp.asarray(i), axis=axis), np.take(a, i, axis=axis))
    same(xp.take(x[0, ...], xp.asarray(i)), a[0][i])
    order = np.argsort(-a, axis=1)
    same(xp.take_along_axis(x, xp.asarray(order), axis=1), np.take_along_axis(a, order, 1))
    same(xp.take_along_axis(x, xp.asarray(order)), np.take_along_axis(a, order, -1))


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("key_dtype", ["int8", "int64", "uint8"])
@pytest.mark.parametrize("shape", [(90,), (90, 3), (90, 4, 100), (3000, 64)])
def test_gradients_of_repeated_indices_add_up(xp, dtype, key_dtype, shape):
    rng = np.random.default_rng(0)
    small = xp.zeros(1).device.type == "strict"  # which adds up in a loop
    if small:
        shape = tuple(min(n, 9) for n in shape)
    rows = shape[0]
    low = -rows if key_dtype[0] == "i" else 0
    keys = [
        rng.integers(max(low, -128), min(rows, 127), size).astype(key_dtype)
        for size in ((), 0, 3, 40 if small else 400, (2, 3) if small else (20, 30))
    ]
    keys += [
        np.full(30 if small else 3000, 7, key_dtype),
        np.arange(min(rows, 127)).astype(key_dtype),
    ]
    for i in keys:
        places = [i]
        if len(shape) > 1:
            places += [(slice(None, 2), i % shape[1]), (i, i % shape[1]), (i, None, slice(1, 2))]
        for key in places:
            x = xp.zeros(shape, dtype=getattr(xp, dtype))
            part = np.zeros(shape)[key]
            g = rng.integers(-9, 9, part.shape).astype(dtype)
            expected = np.zeros(shape, dtype)
            np.add.at(expected, key, g)
            turned = tuple(xp.asarray(k) if isinstance(k, np.ndarray) else k for k in key) if (
                isinstance(key, tuple)) else xp.asarray(key)  # fmt: skip
            for layout in "CF":
                _, pull = autodiff.vjp(lambda x, k=turned: x[k], x)
                found = pull(xp.asarray(np.asarray(g, order=layout)))[0]
                assert found.dtype == dtype
                np.testing.assert_array_equal(found.numpy(), expected)
