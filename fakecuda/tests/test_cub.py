"""CUB's reductions, scans and histograms against NumPy, and the same without CUB."""

import warnings

import cupy as cp
import numpy as np
import pytest
from cupy._core import _accelerator
from samples import SCALARS, SIZES, assert_close, assert_same, in_double, numbers

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
TYPES = ("bool", *INTEGERS, "float16", *SCALARS)


@pytest.fixture(params=["cub", "block", "none"], autouse=True)
def accelerator(request):
    """Run a test with CUB's device functions, with its functions for blocks, and without both."""
    routines = _accelerator.get_routine_accelerators()
    reductions = _accelerator.get_reduction_accelerators()
    _accelerator.set_routine_accelerators(["cub"] if request.param == "cub" else [])
    _accelerator.set_reduction_accelerators(["cub"] if request.param == "block" else [])
    yield request.param
    _accelerator.set_routine_accelerators(routines)
    _accelerator.set_reduction_accelerators(reductions)


def sums(a):
    return in_double(a) if a.dtype.kind in "fc" else a


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", SIZES)
def test_sums_and_products(dtype, n):
    a = numbers((3, n), dtype)
    gpu = cp.asarray(a)
    for axis in (None, 0, 1, (0, 1)):
        assert_close(gpu.sum(axis), sums(a).sum(axis), 100)
    small = numbers((3, n), dtype) / 2 if a.dtype.kind in "fc" else a % 3
    small = small.astype(dtype)
    for axis in (None, 0, 1):
        assert_close(cp.asarray(small).prod(axis), sums(small).prod(axis), 200)


@pytest.mark.parametrize("dtype", TYPES)
def test_extremes(dtype):
    for n in SIZES[1:]:
        a = numbers((3, n), dtype)
        gpu = cp.asarray(a)
        for axis in (None, 0, 1, (0, 1)):
            assert_same(gpu.min(axis), a.min(axis))
            assert_same(gpu.max(axis), a.max(axis))
        for axis in (None, 0, 1):
            assert_same(gpu.argmin(axis), a.argmin(axis))
            assert_same(gpu.argmax(axis), a.argmax(axis))


def test_extremes_of_nothing():
    for name in ("min", "max", "argmin", "argmax"):
        with pytest.raises(ValueError, match="zero-size"):
            getattr(cp.empty((0,)), name)()


def test_sums_of_nothing():
    assert_same(cp.empty((0, 3), "float32").sum(0), np.zeros(3, "float32"))
    assert_same(cp.empty((3, 0), "int64").prod(1), np.ones(3, "int64"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_extremes_of_special_values(dtype):
    rows = np.array(
        [
            [1, np.nan, 2, np.nan],
            [np.nan, 1, 2, 3],
            [np.inf, np.inf, np.inf, np.inf],
            [-np.inf, -np.inf, -np.inf, -np.inf],
            [np.nan, np.nan, np.nan, np.nan],
            [2, 5, 2, 5],
        ],
        dtype,
    )
    gpu = cp.asarray(rows)
    assert_same(gpu.max(1), rows.max(1))
    assert_same(gpu.min(1), rows.min(1))
    for actual, row in zip(gpu, rows, strict=True):
        assert_same(actual.max(), row.max())
        assert_same(actual.min(), row.min())
        assert_same(actual.argmax(), row.argmax())
        assert_same(actual.argmin(), row.argmin())


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_extremes_of_complex_numbers(dtype):
    """The real part counts first; NaN in any part is chosen."""
    rows = np.array([[1 + 2j, 1 + 3j, 0 + 9j], [3, 3 - 1j, 2], [1, complex(0, np.nan), 5]], dtype)
    gpu = cp.asarray(rows)
    assert_same(gpu.max(1), rows.max(1))
    assert_same(gpu.min(1), rows.min(1))
    for actual, row in zip(gpu, rows, strict=True):
        assert_same(actual.max(), row.max())
        assert_same(actual.argmin(), row.argmin())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sum_begins_at_zero(dtype):
    """The sum of negative zeros is 0.0 in CuPy, -0.0 in NumPy."""
    assert_same(cp.full(3, -0.0, dtype).sum(), np.zeros((), dtype))


def test_sums_of_special_values():
    a = np.array([1.0, np.inf, 2.0])
    assert float(cp.asarray(a).sum()) == np.inf
    assert np.isnan(float(cp.asarray([np.inf, -np.inf]).sum()))
    assert np.isnan(float(cp.asarray([1, np.nan]).prod()))


@pytest.mark.parametrize("order", "CF")
def test_layouts(order):
    a = numbers((4, 5, 6), "float64")
    gpu = cp.array(a, order=order)
    for view in (lambda x: x, lambda x: x.transpose(2, 0, 1), lambda x: x[::-1, ::2, 1:]):
        for axis in (None, 0, 1, 2, (0, 1), (1, 2), (0, 2), (0, 1, 2)):
            assert_close(view(gpu).sum(axis), view(a).sum(axis))
            assert_same(view(gpu).max(axis, keepdims=True), view(a).max(axis, keepdims=True))


@pytest.mark.parametrize("n", [255, 256, 257, 5000])
def test_more_than_a_block(n):
    a = numbers((2, n), "float64")
    gpu = cp.asarray(a)
    assert_close(gpu.sum(), a.sum(), 1000)
    assert_close(gpu.sum(1), a.sum(1), 1000)
    assert_same(gpu.min(1), a.min(1))
    assert_same(gpu.argmax(), a.argmax())
    assert_same((gpu > 2).any(1), (a > 2).any(1))
    assert_close(gpu.std(), a.std(), 1000)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [0, 1, 33, 600])
def test_scans(dtype, n):
    a = (numbers(n, dtype) / 8).astype(dtype) if np.dtype(dtype).kind in "fc" else numbers(n, dtype)
    assert_close(cp.asarray(a).cumsum(), sums(a).cumsum(), 1000)
    assert_close(cp.asarray(a).cumprod(), sums(a).cumprod(), 1000)
    b = np.stack([a, a])
    assert_close(cp.asarray(b).cumsum(1), sums(b).cumsum(1), 1000)


def test_scan_begins_with_the_first_number(accelerator):
    """With CUB; CuPy's own kernel begins at zero."""
    first = np.array([-0.0 if accelerator == "cub" else 0.0])
    assert_same(cp.asarray([-0.0, 1.0]).cumsum()[:1], first)


@pytest.mark.parametrize("dtype", [t for t in TYPES if np.dtype(t).kind != "c"])
def test_histograms(dtype):
    a = numbers(1000, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # both convert bools
        expected, expected_edges = np.histogram(a, bins=7)
        counts, edges = cp.histogram(cp.asarray(a), bins=7)
    if dtype == "float16":  # CuPy has edges in half precision
        assert int(counts.sum()) == 1000
        return
    assert_same(counts, expected)
    assert_close(edges, expected_edges)


def test_histogram_of_special_values(accelerator):
    """NaN is not counted by CUB, but by CuPy's own kernel."""
    edges = np.array([0.0, 1.0, 2.0])
    a = np.array(
        [np.nan if accelerator == "cub" else 3.0, np.inf, -np.inf, -0.0, 0.0, 1.0, 2.0, 2.5, -1.0]
    )
    assert_same(cp.histogram(cp.asarray(a), cp.asarray(edges))[0], np.histogram(a, edges)[0])


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_bincount(dtype):
    a = abs(numbers(1000, dtype)) if np.dtype(dtype).kind == "i" else numbers(1000, dtype)
    wide = a.astype("int64")
    assert_same(cp.bincount(cp.asarray(a)), np.bincount(wide))
    assert_same(cp.bincount(cp.asarray(a), minlength=77), np.bincount(wide, minlength=77))


def test_reductions_can_be_captured():
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        a, out = cp.zeros(100), cp.zeros(())
        a.sum(out=out)
        stream.begin_capture()
        a.sum(out=out)
        graph = stream.end_capture()
        a[:] = 1
        graph.launch(stream)
        assert float(out) == 100
