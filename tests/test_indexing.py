"""Indexing and assignment by every kind of index, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import arraygrad as ag

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@st.composite
def arrays_and_keys(draw, advanced):
    shape = draw(SHAPES)
    a = np.arange(float(np.prod(shape))).reshape(shape)
    if not advanced:
        return a, draw(hnp.basic_indices(shape, allow_newaxis=True))
    kind = draw(st.sampled_from(["mask", "partial mask", "integers"]))
    if kind == "integers":
        if 0 in shape or not shape:
            shape = (2, 3)
            a = np.arange(6.0).reshape(shape)
        indices = hnp.integer_array_indices(
            shape, result_shape=hnp.array_shapes(min_dims=0, max_dims=2, max_side=3)
        )
        return a, draw(indices)
    if kind == "partial mask" and a.ndim:
        shape = shape[: draw(st.integers(1, a.ndim))]
    return a, draw(hnp.arrays(bool, shape))


def ours(key, device):
    """The key with tensors for NumPy's arrays."""
    if isinstance(key, tuple):
        return tuple(ours(k, device) for k in key)
    return ag.asarray(key, device=device) if isinstance(key, np.ndarray) else key


def check(found, expected):
    assert isinstance(found, ag.Tensor)
    assert found.shape == np.shape(expected)
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("advanced", [False, True])
def test_get(device, advanced):
    @given(arrays_and_keys(advanced))
    def run(case):
        a, key = case
        check(ag.asarray(a, device=device)[ours(key, device)], a[key])

    run()


@pytest.mark.parametrize("advanced", [False, True])
def test_set(device, advanced):
    @given(arrays_and_keys(advanced), st.booleans())
    def run(case, scalar):
        a, key = case
        x = ag.asarray(a, device=device, copy=True)
        target = a[key]
        if np.unique(np.arange(a.size).reshape(a.shape)[key]).size != np.size(target):
            return  # which of several values stays is not defined
        value = -1.0 if scalar else -1.0 - np.arange(float(np.size(target))).reshape(target.shape)
        x[ours(key, device)] = value if scalar else ag.asarray(value, device=device)
        a[key] = value
        check(x, a)

    run()


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
    """Lists on every device; NumPy arrays on the CPU."""
    x = xp.asarray([10.0, 20.0, 30.0])
    assert x[[0, 2]].tolist() == [10.0, 30.0]
    assert x[[True, False, True]].tolist() == [10.0, 30.0]
    assert x[[]].shape == (0,)
    assert x[np.int64(1)].tolist() == 20.0
    if device == "cpu":
        assert x[np.asarray([2])].tolist() == [30.0]
        assert x[np.asarray([True, False, False])].tolist() == [10.0]
        assert xp.ones((2, 3))[:, [0, 1]].shape == (2, 2)
    else:
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


def test_take(xp, same):
    a = np.arange(12.0).reshape(3, 4)
    x, i = xp.asarray(a), np.asarray([2, 0])
    for axis in (0, 1, -1):
        same(xp.take(x, xp.asarray(i), axis=axis), np.take(a, i, axis=axis))
    same(xp.take(x[0, ...], xp.asarray(i)), a[0][i])
    order = np.argsort(-a, axis=1)
    same(xp.take_along_axis(x, xp.asarray(order), axis=1), np.take_along_axis(a, order, 1))
    same(xp.take_along_axis(x, xp.asarray(order)), np.take_along_axis(a, order, -1))
