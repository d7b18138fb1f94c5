"""cuSOLVER's dense functions against NumPy."""

import cupy as cp
import cupyx
import cupyx.cusolver
import cupyx.lapack
import numpy as np
import pytest
from cupy_backends.cuda.libs import cusolver as library
from samples import (
    SCALARS,
    SIZES,
    adjoint,
    assert_close,
    assert_same,
    in_double,
    invertible,
    numbers,
    positive_definite,
)

BATCHES = [(), (3,), (2, 0)]
SHAPES = [(0, 3), (3, 0), (1, 1), (2, 3), (3, 2), (31, 32), (32, 32), (33, 32), (32, 33), (100, 3)]


def tolerance(*sizes):
    """Units of the last place for an algorithm that works through a matrix."""
    return 20 + 10 * max(sizes)


@pytest.fixture(autouse=True)
def every_info_is_checked():
    """CuPy looks at `info` and raises, which it does not do by default."""
    with cupyx.errstate(linalg="raise"):
        yield


# ---- Cholesky


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", SIZES)
def test_cholesky(dtype, n):
    for batch in BATCHES:
        a = positive_definite(n, dtype, batch)
        result = cp.linalg.cholesky(cp.asarray(a))
        assert_close(result, np.linalg.cholesky(in_double(a)), tolerance(n))


def test_cholesky_takes_one_triangle():
    a = positive_definite(5, "float64")
    a[np.triu_indices(5, 1)] = np.nan
    expected = np.linalg.cholesky(a)
    assert_close(cp.linalg.cholesky(cp.asarray(a)), expected)
    assert_close(cp.linalg.cholesky(cp.asarray(a[None])), expected[None])


def test_indefinite_matrices():
    for a in (-np.eye(3), np.full((3, 3), np.nan), np.stack([np.eye(3), -np.eye(3)])):
        with pytest.raises(np.linalg.LinAlgError):
            cp.linalg.cholesky(cp.asarray(a))


@pytest.mark.parametrize("dtype", SCALARS)
def test_batched_factorization_destroys_the_other_triangle(dtype):
    a = cp.asarray(positive_definite(3, dtype))
    kept = a.copy()
    addresses, info = cp.asarray([a.data.ptr], dtype=cp.uintp), cp.zeros(1, cp.int32)
    factorize = getattr(library, np.dtype(dtype).char.translate(TYPE_LETTERS) + "potrfBatched")
    handle = cp.cuda.device.get_cusolver_handle()
    factorize(handle, 1, 3, addresses.data.ptr, 3, info.data.ptr, 1)
    assert_close(cp.tril(a), np.linalg.cholesky(kept.get()))
    assert not (cp.triu(a, 1) == cp.triu(kept, 1))[0, 1:].any()


#: NumPy's letters of types to LAPACK's
TYPE_LETTERS = str.maketrans("fdFD", "sdcz")


@pytest.mark.parametrize("dtype", SCALARS)
def test_positive_definite_systems(dtype):
    a, b = positive_definite(5, dtype), numbers((5, 3), dtype)
    result = cupyx.lapack.posv(cp.asarray(a), cp.asarray(b))
    assert_close(result, np.linalg.solve(in_double(a), b), 100)
    result = cupyx.lapack.posv(cp.asarray(a[None]), cp.asarray(b[None, :, 0]))
    assert_close(result, np.linalg.solve(in_double(a), b[:, 0])[None], 100)


# ---- LU


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", SIZES)
def test_solve_and_inverse(dtype, n):
    a, b = invertible(n, dtype), numbers((n, 3), dtype)
    ga, gb = cp.asarray(a), cp.asarray(b)
    assert_close(cp.linalg.solve(ga, gb), np.linalg.solve(in_double(a), b), tolerance(n))
    assert_close(
        cp.linalg.solve(ga, gb[:, 0]), np.linalg.solve(in_double(a), b[:, 0]), tolerance(n)
    )
    assert_close(cp.linalg.inv(ga.T), np.linalg.inv(in_double(a.T)), tolerance(n))


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", [1, 2, 33, 300])  # the last one is not done by cuBLAS
def test_determinants(dtype, n):
    a = invertible(n, dtype)
    sign, log = cp.linalg.slogdet(cp.asarray(a))
    expected_sign, expected_log = np.linalg.slogdet(in_double(a))
    assert_close(sign, expected_sign, tolerance(n))
    assert_close(log, expected_log, tolerance(n))


def test_singular_matrices():
    with pytest.raises(np.linalg.LinAlgError):
        cp.linalg.inv(cp.zeros((3, 3)))
    with pytest.raises(np.linalg.LinAlgError):
        cp.linalg.solve(cp.ones((3, 3)), cp.ones(3))


@pytest.mark.parametrize("dtype", SCALARS)
def test_general_systems(dtype):
    a, b = invertible(5, dtype), numbers((5, 3), dtype)
    expected = np.linalg.solve(in_double(a), b)
    ga, gb = cp.asarray(a), cp.asarray(b)
    cupyx.lapack.gesv(cp.array(a, order="F"), solution := cp.array(b, order="F"))
    assert_close(solution, expected, 100)
    assert_close(cupyx.cusolver.gesv(ga, gb), expected, 100)
    assert_same(ga, a)
    assert_same(gb, b)


# ---- QR


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", ["reduced", "complete", "r", "raw"])
def test_qr(dtype, shape, mode):
    for batch in BATCHES[:2]:
        a = numbers((*batch, *shape), dtype)
        result = cp.linalg.qr(cp.asarray(a), mode)
        expected = np.linalg.qr(in_double(a), mode)
        if mode == "r":
            result, expected = (result,), (expected,)
        for actual, wanted in zip(result, expected, strict=True):
            assert_close(actual, wanted, tolerance(*shape))


@pytest.mark.parametrize("dtype", SCALARS)
def test_least_squares(dtype):
    a, b = numbers((7, 3), dtype), numbers((7, 2), dtype, 1)
    expected = np.linalg.lstsq(in_double(a), b)[0]
    ga, gb = cp.asarray(a), cp.asarray(b)
    assert_close(cp.linalg.lstsq(ga, gb)[0], expected, 100)
    assert_close(cupyx.lapack.gels(ga, gb), expected, 100)
    assert_close(cupyx.cusolver.gels(ga, gb), expected, 100)
    assert_close(cupyx.lapack.gels(ga.T, gb[:3]), np.linalg.lstsq(in_double(a.T), b[:3])[0], 100)
    assert_same(ga, a)


# ---- singular values


def assert_svd(a, result, full, units):
    u, s, vh = result
    assert_close(s, np.linalg.svd(in_double(a), compute_uv=False), units)
    m, n = a.shape[-2:]
    k = min(m, n)
    assert u.shape[-2:] == (m, m if full else k)
    assert vh.shape[-2:] == (n if full else k, n)
    assert_close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, units)
    identity = np.zeros((*u.shape[:-2], u.shape[-1], u.shape[-1])) + np.eye(u.shape[-1])
    assert_close(adjoint(u) @ u, identity, units)
    identity = np.zeros((*vh.shape[:-2], vh.shape[-2], vh.shape[-2])) + np.eye(vh.shape[-2])
    assert_close(vh @ adjoint(vh), identity, units)


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("full", [False, True])
def test_svd(dtype, shape, full):
    for batch in BATCHES:
        a = numbers((*batch, *shape), dtype)
        result = cp.linalg.svd(cp.asarray(a), full_matrices=full)
        assert_svd(a, result, full, tolerance(*shape))
        values = cp.linalg.svd(cp.asarray(a), compute_uv=False)
        assert_close(values, np.linalg.svd(in_double(a), compute_uv=False), tolerance(*shape))


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 5, 3), (2, 3, 5)], ids=str)
@pytest.mark.parametrize("full", [False, True])
def test_jacobi_svd_gives_v_itself(dtype, shape, full):
    a = numbers(shape, dtype)
    u, s, v = cupyx.cusolver.gesvdj(cp.asarray(a), full_matrices=full)
    assert_svd(a, (u, s, adjoint(v)), full, tolerance(5))


@pytest.mark.parametrize("dtype", SCALARS)
def test_approximate_svd_gives_v_itself(dtype):
    a = numbers((2, 5, 3), dtype)
    u, s, v = cupyx.cusolver.gesvda(cp.asarray(a))
    assert_svd(a, (u, s, adjoint(v)), False, tolerance(5))


@pytest.mark.parametrize("dtype", SCALARS)
def test_what_uses_svd(dtype):
    a = numbers((5, 3), dtype)
    ga = cp.asarray(a)
    assert_close(cp.linalg.pinv(ga), np.linalg.pinv(in_double(a)), 100)
    assert int(cp.linalg.matrix_rank(ga @ ga.T)) == 3
    assert_close(cp.linalg.norm(ga, 2), np.linalg.norm(in_double(a), 2), 100)


# ---- eigenvalues


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", SIZES)
def test_eigh(dtype, n):
    for batch in BATCHES:
        a = numbers((*batch, n, n), dtype)
        a = a + adjoint(a)
        w, v = cp.linalg.eigh(cp.asarray(a))
        expected = np.linalg.eigvalsh(in_double(a))
        assert_close(w, expected, tolerance(n))
        assert_close(v * w[..., None, :] @ adjoint(v), a, tolerance(n))
        assert_close(cp.linalg.eigvalsh(cp.asarray(a)), expected, tolerance(n))


@pytest.mark.parametrize("triangle", "LU")
def test_eigh_takes_one_triangle(triangle):
    a = numbers((2, 4, 4), "complex128")
    for b in (a, a[0]):
        result = cp.linalg.eigvalsh(cp.asarray(b), UPLO=triangle)
        assert_close(result, np.linalg.eigvalsh(b, UPLO=triangle), 100)
        w, v = cupyx.cusolver.syevj(cp.asarray(b), UPLO=triangle)
        assert_close(w, np.linalg.eigvalsh(b, UPLO=triangle), 100)
        assert_close(cp.linalg.norm(v, axis=-2), np.ones(b.shape[:-1]), 100)


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("n", [1, 2, 3, 33])
def test_eig(dtype, n):
    for batch in BATCHES[:2]:
        a = numbers((*batch, n, n), dtype)
        w, v = cp.linalg.eig(cp.asarray(a))
        assert w.dtype == v.dtype == np.result_type(dtype, "complex64")
        assert_close(cp.asarray(a).astype(v.dtype) @ v, (v * w[..., None, :]).get(), 100 * n)
        assert_close(cp.linalg.norm(v, axis=-2), np.ones((*batch, n)), 100)
        expected = np.sort_complex(np.linalg.eigvals(in_double(a)))
        actual = np.sort_complex(cp.linalg.eigvals(cp.asarray(a)).get().astype(complex))
        difference = np.abs(actual[..., :, None] - expected[..., None, :]).min(-1)
        assert difference.max() < 1000 * n * np.finfo(dtype).eps


def test_eigenvectors_of_a_real_matrix_are_packed_in_pairs():
    """For w and its conjugate: the real part, then the imaginary part. W may be real, too."""
    a = np.array([[0.0, -2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    handle, parameters = cp.cuda.device.get_cusolver_handle(), library.createParams()
    real = cp.cuda.runtime.CUDA_R_64F
    ga, v, w = cp.array(a, order="F"), cp.zeros((3, 3), order="F"), cp.zeros(6)
    info = cp.full(1, 99, cp.int32)
    arguments = (
        handle, parameters, 0, 1, 3, real, ga.data.ptr, 3, real, w.data.ptr,
        real, 0, 3, real, v.data.ptr, 3, real,
    )  # fmt: skip
    on_device, on_host = library.xgeev_bufferSize(*arguments)
    device_work, host_work = cp.empty(on_device, cp.int8), np.empty(on_host, np.int8)
    library.xgeev(
        *arguments, device_work.data.ptr, on_device, host_work.ctypes.data, on_host, info.data.ptr
    )
    library.destroyParams(parameters)
    values = w[:3].get() + 1j * w[3:].get()
    np.testing.assert_allclose(values, [2j, -2j, 5])
    first = v[:, 0].get() + 1j * v[:, 1].get()
    np.testing.assert_allclose(a @ first, 2j * first)
    assert int(info[0]) == 0


# ---- arguments, limits, workspaces


def refuses(match="CUSOLVER_STATUS_INVALID_VALUE"):
    return pytest.raises(library.CUSOLVERError, match=match)


def test_gesvd_takes_no_wide_matrices():
    handle = cp.cuda.device.get_cusolver_handle()
    assert library.dgesvd_bufferSize(handle, 4, 3) > 0
    with refuses():
        library.dgesvd_bufferSize(handle, 3, 4)


def _gesvdj_batched(n):
    handle, parameters = cp.cuda.device.get_cusolver_handle(), library.createGesvdjInfo()
    try:
        return library.dgesvdjBatched_bufferSize(
            handle, 1, n, n, 0, n, 0, 0, n, 0, n, parameters, 2
        )
    finally:
        library.destroyGesvdjInfo(parameters)


def test_batched_gesvdj_takes_32_rows_and_columns():
    assert _gesvdj_batched(32) > 0
    with refuses():
        _gesvdj_batched(33)


def test_batched_potrs_takes_one_right_hand_side():
    handle = cp.cuda.device.get_cusolver_handle()
    a, b, info = cp.eye(2), cp.ones((2, 2)), cp.zeros(1, cp.int32)
    pa, pb = (cp.asarray([x.data.ptr], dtype=cp.uintp) for x in (a, b))
    for columns in (1, 2):
        arguments = handle, 0, 2, columns, pa.data.ptr, 2, pb.data.ptr, 2, info.data.ptr, 1
        if columns == 1:
            library.dpotrsBatched(*arguments)
        else:
            with refuses():
                library.dpotrsBatched(*arguments)


def _potrf(n=2, lda=2, missing=0, handle=None):
    handle = cp.cuda.device.get_cusolver_handle() if handle is None else handle
    a, info = cp.eye(8), cp.zeros(1, cp.int32)
    size = library.dpotrf_bufferSize(cp.cuda.device.get_cusolver_handle(), 0, 2, a.data.ptr, 2)
    work = cp.zeros(size)
    library.dpotrf(handle, 0, n, a.data.ptr, lda, work.data.ptr, size - missing, info.data.ptr)
    return work


@pytest.mark.parametrize("arguments", [{"n": -1}, {"lda": 1}, {"missing": 1}], ids=str)
def test_wrong_arguments(arguments):
    _potrf()
    with refuses():
        _potrf(**arguments)


def test_short_workspaces_are_explained(capfd):
    with refuses():
        _potrf(missing=1)
    assert "potrf was given a workspace of" in capfd.readouterr().err


def test_workspaces_are_spoiled():
    assert (_potrf() != 0).all()


def test_handles():
    own = library.create()
    _potrf(handle=own)
    library.destroy(own)
    for handle in (own, 0):
        with refuses("CUSOLVER_STATUS_NOT_INITIALIZED"):
            library.destroy(handle)
        with refuses("CUSOLVER_STATUS_NOT_INITIALIZED"):
            library.dgesvd_bufferSize(handle, 3, 3)


def test_info_is_lapacks():
    handle = cp.cuda.device.get_cusolver_handle()
    a, info = cp.diag(cp.asarray([1.0, -1.0])), cp.zeros(1, cp.int32)
    size = library.dpotrf_bufferSize(handle, 0, 2, a.data.ptr, 2)
    work = cp.empty(size)
    library.dpotrf(handle, 0, 2, a.data.ptr, 2, work.data.ptr, size, info.data.ptr)
    assert int(info[0]) == 2


def test_cupy_refuses_it_in_captures():
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        cp.linalg.cholesky(cp.eye(3))
        handle = cp.cuda.device.get_cusolver_handle()
        stream.begin_capture()
        with pytest.raises(NotImplementedError, match="cuSOLVER"):
            library.setStream(handle, stream.ptr)
        stream.end_capture()
