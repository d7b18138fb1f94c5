"""Thrust's sorts against NumPy."""

import cupy as cp
import numpy as np
import pytest
from samples import SCALARS, SIZES, assert_same, numbers

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
TYPES = ("bool", *INTEGERS, "float16", *SCALARS)


def with_special_values(a):
    """Ties, infinities, zeros of both signs and NaN, in all parts of complex numbers."""
    a = a.copy()
    kind = a.dtype.kind
    if kind not in "fc":
        return a
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1.0]
    if kind == "c":
        special += [complex(1, np.nan), complex(np.nan, 1), complex(np.nan, 0), complex(2, np.nan)]
    a.ravel()[: a.size // 2] = np.resize(special, a.size // 2)
    return np.random.default_rng(5).permutation(a.ravel()).reshape(a.shape)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", SIZES)
def test_sort(dtype, n):
    a = with_special_values(numbers(n, dtype))
    assert_same(cp.sort(cp.asarray(a)), np.sort(a, kind="stable"))
    a = with_special_values(numbers((3, n), dtype))
    assert_same(cp.sort(cp.asarray(a)), np.sort(a, kind="stable"))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", SIZES)
def test_argsort_is_stable(dtype, n):
    a = with_special_values(numbers(n, dtype))
    gpu = cp.asarray(a)
    assert_same(cp.argsort(gpu), np.argsort(a, kind="stable"))
    assert_same(gpu, a)
    a = with_special_values(numbers((3, n), dtype))
    assert_same(cp.argsort(cp.asarray(a)), np.argsort(a, kind="stable"))


@pytest.mark.parametrize("axis", [0, 1, 2, None])
def test_axes_and_layouts(axis):
    a = with_special_values(numbers((4, 5, 6), "float32"))
    for view in (lambda x: x, lambda x: x.transpose(2, 0, 1), lambda x: x[::-1, ::2, 1:]):
        gpu, cpu = view(cp.asarray(a)), view(a)
        assert_same(cp.sort(gpu, axis=axis), np.sort(cpu, axis=axis, kind="stable"))
        assert_same(cp.argsort(gpu, axis=axis), np.argsort(cpu, axis=axis, kind="stable"))


def test_sort_in_place():
    a = numbers((3, 33), "float64")
    gpu = cp.asarray(a)
    gpu.sort(axis=0)
    assert_same(gpu, np.sort(a, axis=0))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [0, 1, 33])
def test_lexsort(dtype, n):
    keys = with_special_values(numbers((3, n), dtype))
    keys[2] = np.sort(keys[2])[n // 3] if n else keys[2]  # ties in the most important key
    assert_same(cp.lexsort(cp.asarray(keys)), np.lexsort(keys))


@pytest.mark.parametrize("dtype", TYPES)
def test_partition(dtype):
    a = numbers((3, 33), dtype)
    result = cp.partition(cp.asarray(a), 7).get()
    assert (result[:, 7] == np.sort(a)[:, 7]).all()
    np.testing.assert_array_equal(np.sort(result), np.sort(a))
    assert (result[:, :7] <= result[:, 7:8]).all()
    indices = cp.argpartition(cp.asarray(a), 7).get()
    assert (np.take_along_axis(a, indices, 1)[:, 7] == np.sort(a)[:, 7]).all()


@pytest.mark.parametrize("dtype", ["int32", "float64", "complex64"])
def test_what_uses_sorts(dtype):
    a = numbers(100, dtype).round()
    gpu = cp.asarray(a)
    for actual, wanted in zip(
        cp.unique(gpu, return_index=True, return_inverse=True, return_counts=True),
        np.unique(a, return_index=True, return_inverse=True, return_counts=True),
        strict=True,
    ):
        np.testing.assert_array_equal(actual.get(), wanted)
    if dtype != "complex64":
        assert float(cp.median(gpu)) == np.median(a)


def test_sorts_run_when_their_stream_does():
    """They are work of the current stream, and can be captured."""
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        a = cp.asarray([3.0, 1.0, 2.0])
        cp.sort(a)
        stream.begin_capture()
        a.sort()
        graph = stream.end_capture()
        assert a.tolist() == [3, 1, 2]
        graph.launch(stream)
        assert a.tolist() == [1, 2, 3]
