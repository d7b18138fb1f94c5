"""cuFFT against NumPy."""

import cupy as cp
import numpy as np
import pytest
from cupy.cuda import cufft
from samples import assert_close, numbers

#: Primes, powers, and 67 and 1009, which are done as convolutions
LENGTHS = [1, 2, 3, 4, 7, 8, 31, 32, 33, 61, 64, 67, 100, 134, 360, 1009, 1024]
UNITS = 20


def assert_transform(name, a, *args, **kwargs):
    wide = a.astype(np.promote_types(a.dtype, "float64"))
    expected = getattr(np.fft, name)(wide, *args, **kwargs)
    assert_close(getattr(cp.fft, name)(cp.asarray(a), *args, **kwargs), expected, UNITS)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("n", LENGTHS)
def test_complex_lines(dtype, n):
    a = numbers((3, n), dtype)
    assert_transform("fft", a)
    assert_transform("ifft", a)
    assert_transform("hfft", a, n=max(1, 2 * n - 1))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("n", LENGTHS)
def test_real_lines(dtype, n):
    a = numbers((3, n), dtype)
    half = np.fft.rfft(a.astype("float64")).astype("complex64" if dtype != "float64" else complex)
    expected = np.fft.rfft(a.astype("float64"))
    assert_close(cp.fft.rfft(cp.asarray(a)), expected, UNITS)
    assert_close(cp.fft.irfft(cp.asarray(half), n), np.fft.irfft(half.astype(complex), n), UNITS)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool"])
def test_other_types_are_real_numbers(dtype):
    assert_transform("fft", numbers((2, 7), dtype))
    assert_transform("rfft", numbers((2, 7), dtype))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5), (2, 2, 3, 4), (1, 1), (67, 2)], ids=str)
def test_several_axes(dtype, shape):
    a = numbers(shape, dtype)
    assert_transform("fftn", a)
    assert_transform("ifftn", a)
    assert_transform("fft2", a)
    assert_transform("fftn", a, axes=(0,))
    assert_transform("fftn", a, axes=(-1, 0))
    assert_transform("fftn", a, s=(2, 5), axes=(0, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5), (2, 2, 3, 4), (5, 1)], ids=str)
def test_several_axes_of_real_numbers(dtype, shape):
    a = numbers(shape, dtype)
    assert_transform("rfftn", a)
    assert_transform("rfft2", a)
    half = cp.fft.rfftn(cp.asarray(a))
    assert_close(cp.fft.irfftn(half, s=shape, axes=range(len(shape))), a, UNITS)


@pytest.mark.parametrize("n", [6, 7])
@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (0, 1, 2)], ids=str)
def test_input_that_is_no_real_signals_transform(n, axes):
    """The imaginary parts of the first and the middle number count for nothing."""
    a = numbers((4, 5, 6), "complex128")
    s = (4, 5, 6)[: len(axes) - 1] + (n,)
    assert_transform("irfftn", a, s=s, axes=axes)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_memory_layouts(axis, dtype):
    a = numbers((6, 4, 8), dtype)
    layouts = (
        lambda x: x.transpose(2, 0, 1),
        lambda x: x[::2, ::-1, 1:],
        lambda x: np.asfortranarray(x) if isinstance(x, np.ndarray) else cp.asfortranarray(x),
    )
    for layout in layouts:
        gpu, cpu = layout(cp.asarray(a)), layout(a)
        wide = cpu.astype(np.promote_types(dtype, "float64"))
        assert_close(cp.fft.fft(gpu, axis=axis), np.fft.fft(wide, axis=axis), UNITS)
        assert_close(cp.fft.fftn(gpu, axes=(axis,)), np.fft.fftn(wide, axes=(axis,)), UNITS)
        assert_close(cp.fft.fftn(gpu), np.fft.fftn(wide), UNITS)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_norms(norm):
    assert_transform("fft", numbers((3, 5), "complex128"), norm=norm)
    assert_transform("irfft", numbers((3, 5), "complex128"), norm=norm)
    assert_transform("rfft", numbers((3, 5), "float64"), norm=norm)


@pytest.mark.parametrize("n", [3, 5, 9])
def test_cut_and_padded(n):
    assert_transform("fft", numbers((2, 5), "complex128"), n=n)
    assert_transform("rfft", numbers((2, 5), "float64"), n=n)
    assert_transform("irfft", numbers((2, 5), "complex128"), n=n)


def test_special_values():
    a = np.array([[1.0, np.nan, 2.0], [1.0, 2.0, 3.0]])
    result = cp.fft.fft(cp.asarray(a))
    assert cp.isnan(result[0]).all()
    assert_close(result[1], np.fft.fft(a[1]), UNITS)


def test_long_prime_is_fast_and_exact():
    """A sum of n terms for each of n numbers would take minutes."""
    n = 100_003
    a = cp.ones(n, complex)
    result = cp.fft.fft(a)
    assert abs(result[0] - n) < 1e-9
    assert abs(result[1:]).max() < 1e-9


def test_plans():
    a = numbers((3, 4, 6), "complex128")
    gpu = cp.asarray(a)
    with cufft.PlanNd((4, 6), (4, 6), 1, 24, (4, 6), 1, 24, cufft.CUFFT_Z2Z, 3, "C", 1, None):
        assert_close(cp.fft.fftn(gpu, axes=(1, 2)), np.fft.fftn(a, axes=(1, 2)), UNITS)
    with cufft.Plan1d(6, cufft.CUFFT_Z2Z, 12):
        assert_close(cp.fft.fft(gpu), np.fft.fft(a), UNITS)


def test_embedded_signals():
    """Signals of 3 by 2 in arrays of 4 by 5, every second number of them, 50 apart."""
    a = cp.asarray(numbers(120, "complex128"))
    out = cp.zeros(120, complex)
    plan = cufft.PlanNd((3, 2), (4, 5), 2, 50, (4, 5), 2, 50, cufft.CUFFT_Z2Z, 2, "C", 1, None)
    plan.fft(a, out, cufft.CUFFT_FORWARD)
    for start in (0, 50):
        signal = a[start : start + 40 : 2].reshape(4, 5)[:3, :2].get()
        result = out[start : start + 40 : 2].reshape(4, 5)
        assert_close(result[:3, :2], np.fft.fft2(signal), UNITS)
        assert not result[3:].any()
        assert not result[:, 2:].any()


def test_transforms_in_place():
    a = numbers((3, 8), "complex128")
    gpu = cp.asarray(a)
    cufft.Plan1d(8, cufft.CUFFT_Z2Z, 3).fft(gpu, gpu, cufft.CUFFT_FORWARD)
    assert_close(gpu, np.fft.fft(a), UNITS)


def test_transforms_to_real_numbers_overwrite_their_input():
    a = cp.ones(5, complex)
    kept, out = a.copy(), cp.empty(8)
    cufft.Plan1d(8, cufft.CUFFT_Z2D, 1).fft(a, out, cufft.CUFFT_INVERSE)
    assert_close(out, 8 * np.fft.irfft(np.ones(5)), UNITS)
    assert (a != kept).all()
    assert_close(cp.fft.irfft(kept), np.fft.irfft(np.ones(5)), UNITS)
    assert (kept == 1).all()


def test_work_area_is_spoiled():
    plan = cufft.Plan1d(8, cufft.CUFFT_Z2Z, 1)
    area = cp.ndarray(plan.work_area.mem.size, cp.uint8, plan.work_area)
    area[:] = 0
    a = cp.ones(8, complex)
    plan.fft(a, a, cufft.CUFFT_FORWARD)
    assert int((area != 0).sum()) >= 8


@pytest.mark.parametrize("n", [0, -3])
def test_sizes_below_one(n):
    with pytest.raises(cufft.CuFFTError, match="CUFFT_INVALID_SIZE"):
        cufft.Plan1d(n, cufft.CUFFT_Z2Z, 1)


def test_other_wrong_arguments():
    with pytest.raises(cufft.CuFFTError, match="CUFFT_INVALID_TYPE"):
        cufft.Plan1d(8, 1234, 1)
    with pytest.raises(cufft.CuFFTError, match="CUFFT_INVALID_VALUE"):
        cufft.PlanNd((2,) * 4, (2,) * 4, 1, 16, (2,) * 4, 1, 16, cufft.CUFFT_Z2Z, 1, "C", 0, None)
    plan, a = cufft.Plan1d(8, cufft.CUFFT_Z2Z, 1), cp.ones(8, complex)
    with pytest.raises(cufft.CuFFTError, match="CUFFT_INVALID_VALUE"):
        plan.fft(a, a, 0)
    with pytest.raises(cufft.CuFFTError, match="CUFFT_INVALID_PLAN"):
        cufft.execC2C(plan.handle, a.data.ptr, a.data.ptr, cufft.CUFFT_FORWARD)
    with pytest.raises(cufft.CuFFTError, match="CUFFT_INVALID_PLAN"):
        cufft.execZ2Z(10**9, a.data.ptr, a.data.ptr, cufft.CUFFT_FORWARD)


def test_transforms_can_be_captured():
    plan, stream = cufft.Plan1d(8, cufft.CUFFT_Z2Z, 1), cp.cuda.Stream(non_blocking=True)
    with stream:
        a, out = cp.zeros(8, complex), cp.zeros(8, complex)
        stream.begin_capture()
        plan.fft(a, out, cufft.CUFFT_FORWARD)
        graph = stream.end_capture()
        a[:] = 1
        graph.launch(stream)
        assert_close(out, np.fft.fft(np.ones(8)), UNITS)
