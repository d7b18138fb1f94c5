"""cuBLAS against NumPy."""

import cupy as cp
import cupy.cublas
import numpy as np
import pytest
from cupy_backends.cuda.libs import cublas as library
from samples import (
    SCALARS,
    SIZES,
    adjoint,
    assert_close,
    assert_same,
    in_double,
    invertible,
    numbers,
)

# ---- products of matrices


@pytest.mark.parametrize("dtype", ["float16", *SCALARS])
@pytest.mark.parametrize("n", SIZES)
def test_matmul_of_all_layouts(dtype, n):
    a, b = numbers((n, n + 2), dtype, 1), numbers((n + 2, 3), dtype, 2)
    expected = in_double(a) @ in_double(b)
    layouts = (
        lambda x: x,
        lambda x: cp.asfortranarray(x),
        lambda x: cp.repeat(x, 2, axis=0)[::2],
        lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    )
    for left in layouts:
        for right in layouts[:2]:
            assert_close(left(cp.asarray(a)) @ right(cp.asarray(b)), expected, units=n + 20)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64"])
def test_matmul_of_integers(dtype):
    a, b = numbers((33, 31), dtype, 1), numbers((31, 3), dtype, 2)
    assert_same(cp.asarray(a) @ cp.asarray(b), a @ b)


@pytest.mark.parametrize("dtype", ["float16", *SCALARS])
def test_matmul_of_stacks(dtype):
    a, b = numbers((2, 1, 5, 33), dtype, 1), numbers((3, 33, 2), dtype, 2)
    expected = in_double(a) @ in_double(b)
    assert_close(cp.asarray(a) @ cp.asarray(b), expected, units=60)
    assert_close(cp.asarray(a[0]) @ cp.asarray(b[:1]), expected[0, :1], units=60)


def test_empty_sum_is_zero():
    a, b = cp.empty((3, 0)), cp.empty((0, 2))
    assert_same(a @ b, np.zeros((3, 2)))


@pytest.mark.parametrize("dtype", SCALARS)
def test_result_is_not_read(dtype):
    """Where beta is zero, NaN in the memory of the result has no effect."""
    a = cp.asarray(numbers((5, 5), dtype))
    out = cp.full((5, 5), np.nan, dtype)
    cupy.cublas.gemm("N", "N", a, a, out=out, alpha=1.0, beta=0.0)
    assert_close(out, a.get() @ a.get())
    cupy.cublas.syrk("N", a, out=(out := cp.full((5, 5), np.nan, dtype, order="F")))
    assert_close(cp.triu(out), np.triu(a.get() @ a.get().T))


def test_special_values():
    a = np.array([[np.nan, 1.0], [np.inf, 1.0], [0.0, -0.0]])
    b = np.array([[1.0, 0.0], [2.0, -1.0]])
    with np.errstate(invalid="ignore"):
        expected = a @ b
    np.testing.assert_array_equal(cp.asnumpy(cp.asarray(a) @ cp.asarray(b)), expected)


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("transa", "NTH")
@pytest.mark.parametrize("transb", "NTH")
def test_gemm(dtype, transa, transb):
    operation = {"N": lambda x: x, "T": lambda x: x.T, "H": adjoint}
    a, b, c = (numbers((4, 4), dtype, seed) for seed in range(3))
    expected = 2 * operation[transa](a) @ operation[transb](b) + 3 * c
    out = cp.array(c, order="F")
    cupy.cublas.gemm(transa, transb, cp.asarray(a), cp.asarray(b), out=out, alpha=2.0, beta=3.0)
    assert_close(out, expected, units=40)


# ---- vectors


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", [0, 1, 33])
def test_vectors(dtype, n):
    x, y = numbers(n, dtype, 1), numbers(n, dtype, 2)
    gx, gy = cp.asarray(x), cp.asarray(y)
    assert_close(cupy.cublas.nrm2(gx), np.linalg.norm(x))
    assert_close(cupy.cublas.asum(gx), np.sum(np.abs(x.real) + np.abs(x.imag)))
    cupy.cublas.scal(2.5, scaled := gx.copy())
    assert_close(scaled, 2.5 * x)
    cupy.cublas.axpy(-1.5, gx, total := gy.copy())
    assert_close(total, y - 1.5 * x)
    if np.dtype(dtype).kind == "f":
        assert_close(cupy.cublas.dot(gx, gy), np.dot(x, y))
    else:
        assert_close(cupy.cublas.dotu(gx, gy), np.dot(x, y))
        assert_close(cupy.cublas.dotc(gx, gy), np.vdot(x, y))


@pytest.mark.parametrize("dtype", SCALARS)
def test_places_are_counted_from_one(dtype):
    x = np.array([2, -1, 4, 4, 1, -5, 5], dtype)
    gx = cp.asarray(x)
    assert int(cupy.cublas.iamax(gx)) == 6
    assert int(cupy.cublas.iamin(gx)) == 2
    assert int(cupy.cublas.iamax(gx[:0])) == 0


def test_size_of_complex_numbers_is_the_sum_of_parts():
    x = cp.asarray([3 + 3j, 5 + 0j])  # absolute values 4.2 and 5
    assert int(cupy.cublas.iamax(x)) == 1


@pytest.mark.parametrize("dtype", SCALARS)
def test_matrix_and_vectors(dtype):
    a, x, y = numbers((4, 3), dtype), numbers(3, dtype, 1), numbers(4, dtype, 2)
    ga, gx, gy = cp.asarray(a, order="F"), cp.asarray(x), cp.asarray(y)
    cupy.cublas.gemv("N", 2.0, ga, gx, 3.0, out := gy.copy())
    assert_close(out, 2 * a @ x + 3 * y)
    cupy.cublas.gemv("H", 2.0, ga, gy, 0.0, out := cp.full_like(gx, np.nan))
    assert_close(out, 2 * adjoint(a) @ y)
    if np.dtype(dtype).kind == "f":
        cupy.cublas.ger(2.0, gy, gx, out := ga.copy(order="F"))
        assert_close(out, a + 2 * np.outer(y, x))
        return
    cupy.cublas.geru(2.0, gy, gx, out := ga.copy(order="F"))
    assert_close(out, a + 2 * np.outer(y, x))
    cupy.cublas.gerc(2.0, gy, gx, out := ga.copy(order="F"))
    assert_close(out, a + 2 * np.outer(y, x.conj()))


@pytest.mark.parametrize("dtype", SCALARS)
def test_sums_and_diagonals(dtype):
    a, b, d = numbers((4, 3), dtype), numbers((3, 4), dtype, 1), numbers(4, dtype, 2)
    out = cupy.cublas.geam("N", "H", 2.0, cp.asarray(a, order="F"), 0.5, cp.asarray(b, order="F"))
    assert_close(out, 2 * a + 0.5 * adjoint(b))
    assert_close(cupy.cublas.dgmm("L", cp.asarray(a), cp.asarray(d)), d[:, None] * a)
    assert_close(cupy.cublas.dgmm("R", cp.asarray(a), cp.asarray(d[:3])), a * d[:3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bands_and_packed_triangles(dtype):
    diagonals = numbers((2, 5), dtype)
    full = np.diag(diagonals[0]) + np.diag(diagonals[1, :4], -1) + np.diag(diagonals[1, :4], 1)
    x = numbers(5, dtype, 1)
    out = cp.full(5, np.nan, dtype)
    cupy.cublas.sbmv(1, 1.0, cp.asarray(diagonals, order="F"), cp.asarray(x), 0.0, out, lower=True)
    assert_close(out, full @ x)
    triangle = np.asfortranarray(np.tril(numbers((4, 4), dtype)))
    handle = cp.cuda.device.get_cublas_handle()
    kind = "s" if dtype == "float32" else "d"
    packed, back = cp.zeros(10, dtype), cp.zeros((4, 4), dtype, order="F")
    a = cp.asarray(triangle)
    lower = library.CUBLAS_FILL_MODE_LOWER
    getattr(library, kind + "trttp")(handle, lower, 4, a.data.ptr, 4, packed.data.ptr)
    np.testing.assert_array_equal(cp.asnumpy(packed), triangle.T[np.triu_indices(4)])
    getattr(library, kind + "tpttr")(handle, lower, 4, packed.data.ptr, back.data.ptr, 4)
    np.testing.assert_array_equal(cp.asnumpy(back), triangle)


# ---- many small factorizations


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", [1, 2, 33])
def test_stacks_are_inverted_and_solved(dtype, n):
    a, b = invertible(n, dtype, (3,)), numbers((3, n, 2), dtype, 1)
    ga = cp.asarray(a)
    assert_close(cp.linalg.inv(ga), np.linalg.inv(a))
    assert_close(cp.linalg.solve(ga, cp.asarray(b)), np.linalg.solve(a, b))
    expected = np.linalg.det(in_double(a))
    np.testing.assert_allclose(cp.linalg.det(ga).get(), expected, rtol=n * 20 * np.finfo(dtype).eps)


def _lu(a, pivots):
    """The packed factors of one matrix, in place, and the library's `info`."""
    handle = cp.cuda.device.get_cublas_handle()
    n = len(a)
    addresses = cp.asarray([a.data.ptr], dtype=cp.uintp)
    info = cp.full(1, 99, cp.int32)
    where = pivots.data.ptr if pivots is not None else 0
    library.dgetrfBatched(handle, n, addresses.data.ptr, n, where, info.data.ptr, 1)
    return int(info[0])


def test_lu_without_pivots():
    a = np.array([[0.01, 1.0], [1.0, 1.0]])
    factors = cp.array(a, order="F")
    assert _lu(factors, None) == 0
    assert_close(factors, [[0.01, 1.0], [100.0, -99.0]])
    assert _lu(cp.array([[0.0, 1.0], [1.0, 0.0]], order="F"), None) == 1
    pivots = cp.zeros(2, cp.int32)
    assert _lu(cp.array([[0.0, 1.0], [1.0, 0.0]], order="F"), pivots) == 0
    assert pivots.tolist() == [2, 2]


def test_info_of_singular_matrix():
    assert _lu(cp.ones((3, 3), order="F"), cp.zeros(3, cp.int32)) == 2


# ---- arguments


def _gemm(handle, m=2, n=2, k=2, lda=2, ldb=2, ldc=2, transa=0):
    """A call of dgemm on matrices that are large enough for all that is valid here."""
    one, a = np.ones(1), cp.zeros((8, 8))
    pointer = a.data.ptr
    factor = one.ctypes.data
    library.dgemm(
        handle, transa, 0, m, n, k, factor, pointer, lda, pointer, ldb, factor, pointer, ldc
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"m": -1},
        {"n": -1},
        {"k": -1},
        {"lda": 1},
        {"ldb": 1},
        {"ldc": 1},
        {"transa": 7},
        {"k": 3, "transa": 1, "ldb": 3},
        {"m": 0, "lda": 0},
    ],
    ids=str,
)
def test_wrong_arguments(arguments):
    handle = cp.cuda.device.get_cublas_handle()
    _gemm(handle)
    with pytest.raises(library.CUBLASError, match="CUBLAS_STATUS_INVALID_VALUE"):
        _gemm(handle, **arguments)


def test_handles():
    own = library.create()
    _gemm(own)
    library.destroy(own)
    for handle in (own, 0):
        with pytest.raises(library.CUBLASError, match="CUBLAS_STATUS_NOT_INITIALIZED"):
            library.setPointerMode(handle, 0)
        with pytest.raises(library.CUBLASError, match="CUBLAS_STATUS_NOT_INITIALIZED"):
            library.destroy(handle)


def test_scalars_on_the_device():
    """They are read when the stream comes to them, those on the host at once."""
    handle = cp.cuda.device.get_cublas_handle()
    x, factor = cp.ones(3), cp.full(1, 2.0)
    mode = library.getPointerMode(handle)
    library.setPointerMode(handle, library.CUBLAS_POINTER_MODE_DEVICE)
    try:
        library.dscal(handle, 3, factor.data.ptr, x.data.ptr, 1)
    finally:
        library.setPointerMode(handle, mode)
    assert x.tolist() == [2, 2, 2]


def test_mixed_types_are_not_supported():
    handle = cp.cuda.device.get_cublas_handle()
    a, one = cp.zeros((2, 2)), np.ones(1)
    arguments = (a.data.ptr, cp.cuda.runtime.CUDA_R_64F, 2)
    with pytest.raises(library.CUBLASError, match="CUBLAS_STATUS_NOT_SUPPORTED"):
        library.gemmEx(
            handle, 0, 0, 2, 2, 2, one.ctypes.data, *arguments, *arguments, one.ctypes.data,
            a.data.ptr, cp.cuda.runtime.CUDA_R_32F, 2, library.CUBLAS_COMPUTE_64F, -1,
        )  # fmt: skip


def test_cupy_refuses_it_in_captures():
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        a = cp.ones((3, 3))
        a @ a
        stream.begin_capture()
        with pytest.raises(NotImplementedError, match="cuBLAS"):
            a @ a
        stream.end_capture()
