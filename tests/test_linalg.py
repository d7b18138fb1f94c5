"""Linear algebra: residuals within backward-error bounds, shapes, batches, degenerate cases."""

import math

import numpy as np
import pytest

import arraygrad as ag

RNG = np.random.default_rng(7)
EPS = {"float32": 2.0**-23, "float64": 2.0**-52, "complex64": 2.0**-23, "complex128": 2.0**-52}
BATCHES = [(), (3,), (2, 0), (2, 1)]


def matrices(batch, rows, cols, dtype):
    a = RNG.standard_normal((*batch, rows, cols))
    if "complex" in dtype:
        a = a + 1j * RNG.standard_normal(a.shape)
    return a.astype(dtype)


def small(residual, scale, dtype, factor=200.0):
    """Whether a residual is rounding: below factor * eps * scale."""
    r = np.abs(residual.numpy() if isinstance(residual, ag.Tensor) else residual)
    assert r.size == 0 or float(r.max()) <= factor * EPS[dtype] * max(float(scale), 1.0)


def hermitian(t):
    return ag.conj(t.mT)


@pytest.fixture(params=list(EPS))
def dtype(request):
    return request.param


@pytest.mark.parametrize("batch", BATCHES)
def test_solve_and_inv(xp, batch, dtype):
    a = matrices(batch, 4, 4, dtype) + 4 * np.eye(4, dtype=dtype)
    b = matrices(batch, 4, 2, dtype)
    x, y = xp.asarray(a), xp.asarray(b)
    solved = xp.linalg.solve(x, y)
    assert solved.shape == (*batch, 4, 2)
    assert solved.dtype == dtype
    small(x @ solved - y, 50, dtype)
    small(x @ xp.linalg.inv(x) - xp.eye(4, dtype=x.dtype), 50, dtype)
    vector = xp.asarray(matrices((), 4, 1, dtype)[:, 0])
    found = xp.linalg.solve(x, vector)
    assert found.shape == (*batch, 4)


def test_solve_reads_one_axis_as_a_vector(xp):
    """A stack of two axes is a matrix, even where NumPy 1 took it for vectors."""
    a = xp.asarray(np.stack([np.eye(2), 2 * np.eye(2)]))
    assert xp.linalg.solve(a, xp.ones((2, 2))).shape == (2, 2, 2)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_svd_qr_pinv(xp, batch, shape, dtype):
    x = xp.asarray(matrices(batch, *shape, dtype))
    k = min(shape)
    for full in (False, True):
        U, S, Vh = xp.linalg.svd(x, full_matrices=full)
        assert U.shape == (*batch, shape[0], shape[0] if full else k)
        assert Vh.shape == (*batch, shape[1] if full else k, shape[1])
        small((U[..., :k] * S[..., None, :]) @ Vh[..., :k, :] - x, 20, dtype)
        small(hermitian(U) @ U - xp.eye(U.shape[-1], dtype=x.dtype), 5, dtype)
    assert S.dtype == np.dtype(dtype).type(0).real.dtype
    small(xp.linalg.svdvals(x) - S, 20, dtype)
    for mode, q in (("reduced", k), ("complete", shape[0])):
        Q, R = xp.linalg.qr(x, mode=mode)
        assert Q.shape == (*batch, shape[0], q)
        small(Q @ R - x, 20, dtype)
        small(R - xp.triu(R), 0, dtype)
    p = xp.linalg.pinv(x)
    small(x @ p @ x - x, 100, dtype)
    small(hermitian(x @ p) - x @ p, 100, dtype)


@pytest.mark.parametrize("batch", BATCHES)
def test_eigen(xp, batch, dtype):
    a = matrices(batch, 4, 4, dtype)
    x = xp.asarray(a + np.conj(np.swapaxes(a, -1, -2)))
    values, vectors = xp.linalg.eigh(x)
    assert values.dtype == np.dtype(dtype).type(0).real.dtype
    small(x @ vectors - vectors * values[..., None, :], 50, dtype)
    small(hermitian(vectors) @ vectors - xp.eye(4, dtype=x.dtype), 5, dtype)
    assert bool(xp.all(values[..., 1:] >= values[..., :-1]))
    small(xp.linalg.eigvalsh(x) - values, 50, dtype)
    g = xp.asarray(a)
    values, vectors = xp.linalg.eig(g)
    kind = xp.complex64 if EPS[dtype] > 1e-10 else xp.complex128
    assert values.dtype == vectors.dtype == kind
    small(xp.astype(g, kind) @ vectors - vectors * values[..., None, :], 50, dtype)
    total = xp.sum(xp.linalg.eigvals(g), axis=-1)
    small(total - xp.astype(xp.linalg.trace(g), kind), 50, dtype)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("batch", BATCHES)
def test_cholesky(xp, batch, upper, dtype):
    a = matrices(batch, 3, 3, dtype)
    x = xp.asarray(a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(3, dtype=dtype))
    factor = xp.linalg.cholesky(x, upper=upper)
    product = hermitian(factor) @ factor if upper else factor @ hermitian(factor)
    small(product - x, 50, dtype)
    small(factor - (xp.triu(factor) if upper else xp.tril(factor)), 0, dtype)


def test_determinants(xp, dtype):
    a = matrices((5,), 3, 3, dtype)
    x = xp.asarray(a)
    det = xp.linalg.det(x)
    sign, logabs = xp.linalg.slogdet(x)
    small(sign * xp.astype(xp.exp(logabs), x.dtype) - det, 50, dtype)
    expected = [np.sum(r[0] * np.cross(r[1], r[2])) for r in a.astype("complex128")]
    small(det.numpy() - np.asarray(expected), 50, dtype)
    assert float(xp.abs(xp.linalg.det(xp.ones((2, 2), dtype=x.dtype)))) == 0
    assert float(xp.linalg.slogdet(xp.zeros((2, 2), dtype=x.dtype)).logabsdet) == -math.inf
    assert complex(xp.linalg.det(xp.zeros((0, 0), dtype=x.dtype))) == 1


def test_powers_and_ranks(xp, device, same):
    a = np.asarray([[2.0, 1.0], [1.0, 1.0]])
    x = xp.asarray(a)
    for n in (-3, -1, 0, 1, 2, 5):
        same(xp.linalg.matrix_power(x, n), np.linalg.matrix_power(a, n), rtol=1e-12)
    first = xp.linalg.matrix_power(x, 1)
    first[0, 0] = 9.0
    if not device.startswith("strict"):  # array_api_strict gives the argument itself
        assert float(x[0, 0]) == 2.0
    stack = xp.asarray(np.stack([np.eye(3), np.ones((3, 3)), np.zeros((3, 3))]))
    assert xp.linalg.matrix_rank(stack).tolist() == [3, 1, 0]
    nearly = xp.asarray(np.diag([1.0, 1e-3]))
    assert int(xp.linalg.matrix_rank(nearly, rtol=1e-2)) == 1
    assert int(xp.linalg.matrix_rank(nearly, rtol=1e-4)) == 2


@pytest.mark.parametrize("ord", [2, 1, 0, 3, 0.5, -1, -2, math.inf, -math.inf])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norms(xp, same, ord, axis, keepdims):
    a = RNG.standard_normal((2, 3, 4))
    axes = tuple(range(3)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if ord == 0:
        expected = np.sum(a != 0, axis=axes, keepdims=keepdims).astype("float64")
    elif math.isinf(ord):
        expected = (np.max if ord > 0 else np.min)(np.abs(a), axis=axes, keepdims=keepdims)
    else:
        expected = np.sum(np.abs(a) ** ord, axis=axes, keepdims=keepdims) ** (1 / ord)
    found = xp.linalg.vector_norm(xp.asarray(a), axis=axis, keepdims=keepdims, ord=ord)
    same(found, expected, rtol=1e-12)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_matrix_norms(xp, same, ord, keepdims):
    a = RNG.standard_normal((2, 3, 4))
    found = xp.linalg.matrix_norm(xp.asarray(a), ord=ord, keepdims=keepdims)
    same(found, np.linalg.norm(a, ord=ord, axis=(-2, -1), keepdims=keepdims), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_stays_nan(dtype):
    a = np.stack([np.eye(2), [[math.nan, 1.0], [1.0, 1.0]]]).astype(dtype)
    x = ag.asarray(a)
    for name in ("det", "eigvalsh"):
        found = ag.abs(getattr(ag.linalg, name)(x))
        assert bool(ag.any(ag.isnan(found[1, ...])))
        assert not bool(ag.any(ag.isnan(found[0, ...])))
    sign, logabs = ag.linalg.slogdet(x)
    assert ag.isnan(sign).tolist() == ag.isnan(logabs).tolist() == [False, True]
    assert bool(ag.all(ag.isnan(ag.linalg.eigh(x[1, ...]).eigenvectors)))
    assert math.isnan(abs(complex(ag.linalg.det(x[1, ...]))))


def test_degenerate():
    assert int(ag.linalg.matrix_rank(ag.zeros((0, 3)))) == 0
    assert ag.linalg.matrix_rank(ag.zeros((5, 2, 0))).tolist() == [0] * 5
    assert ag.linalg.pinv(ag.asarray([[2, 0], [0, 4]])).tolist() == [[0.5, 0.0], [0.0, 0.25]]
    for wrong in (
        lambda: ag.linalg.qr(ag.ones((2, 2)), mode="r"),
        lambda: ag.tensordot(ag.ones(2), ag.ones(2), axes=-1),
        lambda: ag.tensordot(ag.ones(2), ag.ones(2), axes=3),
        lambda: ag.linalg.cross(ag.ones(3), ag.ones(3), axis=-2),
        lambda: ag.fft.fft(ag.ones(3), axis=1),
    ):
        with pytest.raises(ValueError, match=r"qr|tensordot|cross|fft"):
            wrong()


def test_products(xp, same):
    a, b = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((4, 5))
    x, y = xp.asarray(a), xp.asarray(b)
    same(x @ y, a @ b, rtol=1e-13)
    same(xp.matmul(x, y[:, 0]), a @ b[:, 0], rtol=1e-13)
    same(xp.tensordot(x, y, axes=1), np.tensordot(a, b, 1), rtol=1e-13)
    same(xp.tensordot(x, x, axes=((0, 2), (0, 2))), np.tensordot(a, a, ((0, 2), (0, 2))), 1e-12)
    z = a + 1j
    same(xp.vecdot(xp.asarray(z), xp.asarray(z)), np.sum(z.conj() * z, axis=-1), rtol=1e-13)
    same(xp.linalg.outer(x[0, 0, :], y[:, 0]), np.outer(a[0, 0], b[:, 0]), rtol=1e-15)
    same(xp.linalg.cross(x[..., :3], x[..., 1:]), np.cross(a[..., :3], a[..., 1:]), rtol=1e-13)
    same(xp.linalg.trace(x, offset=1), np.trace(a, 1, -2, -1), rtol=1e-14)
    same(xp.linalg.diagonal(x, offset=-1), np.diagonal(a, -1, -2, -1))
    assert xp.linalg.trace(xp.ones((2, 2), dtype=xp.int8)).dtype == xp.int64
    assert xp.linalg.trace(xp.ones((2, 2)), dtype=xp.float32).dtype == xp.float32
    same(xp.matrix_transpose(x), np.swapaxes(a, -1, -2))
