"""Searching, sorting and set functions, on every device."""

import math
from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arraygrad as ag

A = np.asarray([[3, 1, 2, 1], [0, 5, 5, -2]])


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("descending", [False, True])
def test_sort_and_argsort(xp, same, dtype, axis, descending):
    a = A.astype(dtype)
    x = xp.asarray(a)
    order = np.argsort(-a if descending else a, axis=axis, kind="stable")
    same(xp.argsort(x, axis=axis, descending=descending), order)
    same(xp.sort(x, axis=axis, descending=descending), np.take_along_axis(a, order, axis))
    unstable = xp.sort(x, axis=axis, descending=descending, stable=False)
    same(unstable, np.take_along_axis(a, order, axis))


def test_sort_with_nan():
    x = ag.asarray([2.0, math.nan, 1.0])
    assert ag.argsort(x).tolist() == [2, 0, 1]
    assert ag.sort(x).tolist()[:2] == [1.0, 2.0]


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0]), max_size=12), st.booleans())
def test_signed_zeros_keep_their_order(values, descending):
    found = ag.sort(ag.asarray(values, dtype=ag.float64), descending=descending)
    expected = sorted(values, reverse=descending)  # Python's sort is stable, reversed too
    assert list(map(str, found.tolist())) == list(map(str, expected))


def test_arguments(xp, same):
    x = xp.asarray(A)
    for name in ("argmax", "argmin"):
        for kwargs in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
            same(getattr(xp, name)(x, **kwargs), getattr(np, name)(A, **kwargs))
    found = xp.nonzero(x)
    assert type(found) is tuple
    for f, e in zip(found, np.nonzero(A), strict=True):
        same(f, e)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(xp, same, side):
    a, v = np.asarray([1.0, 2.0, 2.0, 4.0]), np.asarray([[0.0, 2.0], [4.0, 9.0]])
    same(xp.searchsorted(xp.asarray(a), xp.asarray(v), side=side), np.searchsorted(a, v, side))
    same(xp.searchsorted(xp.asarray(a), 2.0, side=side), np.searchsorted(a, 2.0, side))
    order = np.asarray([3, 1, 0, 2])
    shuffled = np.empty(4)
    shuffled[order] = a
    found = xp.searchsorted(
        xp.asarray(shuffled), xp.asarray(v), side=side, sorter=xp.asarray(order)
    )
    same(found, np.searchsorted(a, v, side))


def test_searchsorted_for_a_scalar():
    """It is of the tensor's dtype."""
    x = ag.asarray([0.1, 0.2], dtype=ag.float32)
    assert [int(ag.searchsorted(x, 0.1, side=side)) for side in ("left", "right")] == [0, 1]
    assert int(ag.searchsorted(ag.asarray([1, 2]), 1.5)) == 1
    y = ag.asarray([-2.0, -2.0, 6.0, math.nan])
    assert int(ag.searchsorted(y, 2**64, side="right")) == 3
    assert int(ag.searchsorted(ag.asarray([1, 2], dtype=ag.uint8), 300)) == 2


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64"])
def test_sorters_of_other_dtypes(dtype):
    sorter = ag.asarray([2, 0, 1], dtype=dtype)
    found = ag.searchsorted(ag.asarray([2.0, 3.0, 1.0]), ag.asarray([2.5]), sorter=sorter)
    assert found.tolist() == [2]


def test_where(xp, same):
    c = np.asarray([True, False, True])
    x, y = np.asarray([1, 2, 3], dtype="int8"), np.asarray([[10], [20]], dtype="int16")
    condition = xp.asarray(c)
    same(xp.where(condition, xp.asarray(x), xp.asarray(y)), np.where(c, x, y))
    same(xp.where(condition, xp.asarray(x), 7), np.where(c, x, 7).astype("int8"))
    assert xp.where(condition, xp.ones(3, dtype=xp.float32), 0.5).dtype == xp.float32


@pytest.mark.parametrize(
    "dtype", "bool int8 uint16 int32 uint64 float32 float64 complex64 complex128".split()
)
def test_where_of_many_elements_gives_the_same_bits(xp, dtype):
    rng = np.random.default_rng(0)
    for shape in ((120, 90), (300_000,)):  # in one piece, and in several
        c = rng.random(shape) < 0.4
        size = np.dtype(dtype).itemsize
        x, y = (rng.integers(0, 2**8, (*shape, size), dtype=np.uint8) for _ in range(2))
        x, y = (a[..., 0] < 9 if dtype == "bool" else a.view(dtype)[..., 0] for a in (x, y))
        zero, one = (False, True) if dtype == "bool" else (0, 1)
        for a, b in ((x, y), (x, zero), (zero, x), (one, y), (x, x[..., :1]), (x[:1], y)):
            operands = [xp.asarray(v) if isinstance(v, np.ndarray) else v for v in (a, b)]
            expected = np.where(c, *(np.asarray(v, dtype=dtype) for v in (a, b)))
            found = xp.where(xp.asarray(c), *operands).numpy()
            assert found.dtype == expected.dtype
            assert found.tobytes() == expected.tobytes()  # NaNs and zeros with their signs
        if len(shape) == 2:
            operands = [xp.asarray(v).T for v in (c, x, y)]
            found = xp.where(*operands).numpy()
            assert found.tobytes() == np.where(c, x, y).T.tobytes()


def test_where_of_many_elements_promotes_and_refuses(xp, same):
    n = 10_000
    c = np.arange(n) % 3 == 0
    x = np.linspace(0.0, 1.0, n, dtype=np.float32)
    found = xp.where(xp.asarray(c), xp.asarray(x), xp.asarray(x.astype(np.float64)))
    assert found.dtype == xp.float64
    assert xp.where(xp.asarray(c), 1, xp.asarray(x)).dtype == xp.float32
    with pytest.raises(OverflowError):
        xp.where(xp.asarray(c), xp.ones(n, dtype=xp.int8), 300)
    same(xp.where(xp.asarray(c), xp.asarray(2.0), xp.asarray(3.0)), np.where(c, 2.0, 3.0))


@pytest.mark.parametrize("dtype", ["int16", "float64", "complex64", "bool"])
def test_unique(xp, same, dtype):
    a = A.astype(dtype)
    x = xp.asarray(a)
    values, indices, counts = np.unique(a, return_index=True, return_counts=True)
    every = xp.unique_all(x)
    assert every._fields == ("values", "indices", "inverse_indices", "counts")
    same(every.values, values)
    same(every.indices, indices)
    same(every.counts, counts)
    same(every.values[every.inverse_indices], a)
    same(xp.unique_values(x), values)
    same(xp.unique_counts(x).counts, counts)
    assert xp.unique_inverse(x).inverse_indices.shape == a.shape


def test_unique_of_nan(xp):
    x = xp.asarray([math.nan, 1.0, math.nan, -0.0, 0.0])
    assert xp.unique_values(x).shape == (4,)
    assert sorted(xp.unique_counts(x).counts.tolist()) == [1, 1, 1, 2]
    assert xp.unique_all(x).inverse_indices.shape == (5,)


@pytest.mark.parametrize("invert", [False, True])
def test_isin(xp, device, same, invert):
    if device.startswith("strict") and invert:
        pytest.skip("array_api_strict 2.6 ignores it")
    x, y = xp.asarray(A), xp.asarray([1, 5, 9])
    same(xp.isin(x, y, invert=invert), np.isin(A, [1, 5, 9], invert=invert))
    same(xp.isin(x, 5, invert=invert), np.isin(A, 5, invert=invert))
    same(xp.isin(5, y, invert=invert), np.isin(5, [1, 5, 9], invert=invert))
    if not device.startswith("strict"):  # which takes integers only
        assert xp.isin(nan := xp.asarray([math.nan]), nan, invert=invert).tolist() == [invert]


LOW = [-(2**63), -1, 0, 1, 2**62, 2**62 + 1, 2**62 + 2, 2**63 - 1]
HIGH = [0, 1, 2**62, 2**62 + 1, 2**62 + 2, 2**63 - 1, 2**63, 2**64 - 1]


@pytest.mark.parametrize("many", [1, 400])
def test_integers_of_mixed_signs_are_found_exactly(xp, device, many):
    if device.startswith("strict"):
        pytest.skip("array_api_strict searches as NumPy does; the standard leaves mixed signs open")
    for first, second, dtypes in (
        (LOW, HIGH, ("int64", "uint64")), (HIGH, LOW, ("uint64", "int64")),
        (HIGH, [-5, 3], ("uint64", "int8")), ([-5, 3], HIGH, ("int8", "uint64")),
    ):  # fmt: skip
        one, two = (getattr(xp, d) for d in dtypes)
        x1, x2 = xp.asarray(first, dtype=one), xp.asarray(second * many, dtype=two)
        for side, search in (("left", bisect_left), ("right", bisect_right)):
            expected = [search(first, v) for v in second] * many
            assert xp.searchsorted(x1, x2, side=side).tolist() == expected
            flipped = xp.flip(x1)
            order = xp.flip(xp.arange(x1.size))
            assert xp.searchsorted(flipped, x2, side=side, sorter=order).tolist() == expected
        for invert in (False, True):
            expected = [(v in first) != invert for v in second] * many
            assert xp.isin(x2, x1, invert=invert).tolist() == expected
