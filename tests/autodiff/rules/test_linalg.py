"""Rules of linalg: both modes and second order against differences, edges against their truth."""

import math

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff

la = xp.linalg


@pytest.fixture(autouse=True)
def _seed():
    np.random.seed(5)


def _numbers(shape, kind="f"):
    x = np.random.standard_normal(shape)
    return x + 1j * np.random.standard_normal(shape) if kind == "c" else np.asarray(x)


def _tensors(out):
    return list(out) if isinstance(out, tuple) else [out]


def _dot(a, b):
    return sum(np.sum((np.conj(x.numpy()) * y.numpy()).real) for x, y in zip(a, b, strict=True))


def _close(found, expected, tol):
    for a, b in zip(_tensors(found), _tensors(expected), strict=True):
        a, b = a.numpy(), b.numpy()
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=tol * max(1.0, np.abs(b).max(initial=0.0)))


def _slope(f, args, tangents, h=5e-5):
    """Central differences of the fourth order."""

    def at(k):
        return _tensors(f(*[x + k * h * t for x, t in zip(args, tangents, strict=True)]))

    return tuple(
        (8 * (b - c) - (a - d)) / (12 * h)
        for a, b, c, d in zip(at(2), at(1), at(-1), at(-2), strict=True)
    )


def _random_like(tensors):
    return [xp.asarray(_numbers(x.shape, x.dtype.kind)) for x in tensors]


def check(f, *args, tangents=None, second=True, tol=1e-8):
    """First and second derivatives of `f`, in both modes, against differences."""
    args = [xp.asarray(a) if isinstance(a, np.ndarray) else a for a in args]
    ts = _random_like(args) if tangents is None else [xp.asarray(t) for t in tangents]
    _compare(f, args, ts, tol)
    if second:
        g = _random_like(_tensors(f(*args)))

        def gradient(*args):
            out, pullback = autodiff.vjp(f, *args)
            return pullback(tuple(g) if isinstance(out, tuple) else g[0])

        _compare(gradient, args, ts, 10 * tol)


def _compare(f, args, ts, tol):
    out, forward = autodiff.jvp(f, tuple(args), tuple(ts))
    _close(out, f(*args), 1e-12)
    _close(forward, _slope(f, args, ts), tol)
    out, pullback = autodiff.vjp(f, *args)
    g = _random_like(_tensors(out))
    back = pullback(tuple(g) if isinstance(out, tuple) else g[0])
    a, b = _dot(g, _tensors(forward)), _dot(back, ts)
    assert abs(a - b) <= 1e-10 * max(1.0, abs(a), abs(b)), (a, b)
    for x, gx in zip(args, back, strict=True):
        assert (gx.shape, gx.dtype, gx.device) == (x.shape, x.dtype, x.device)


def _h(x):
    return xp.conj(xp.matrix_transpose(x))


def _hermitian(x):
    return 0.5 * (x + _h(x))


def _positive(x):
    return x @ _h(x) + xp.eye(x.shape[-1], dtype=x.dtype, device=x.device)


KINDS = pytest.mark.parametrize("kind", ["f", "c"])


@KINDS
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (2, 3, 3), (0, 2, 2), (2, 0, 0)])
def test_cholesky(shape, upper, kind):
    check(lambda x: la.cholesky(_positive(x), upper=upper), _numbers(shape, kind))


@KINDS
@pytest.mark.parametrize("upper", [False, True])
def test_gradient_is_hermitian(kind, upper):
    x = _positive(xp.asarray(_numbers((3, 3), kind)))
    for f in (
        lambda x: la.cholesky(x, upper=upper),
        la.eigvalsh,
        lambda x: xp.abs(la.eigh(x).eigenvectors),
    ):
        out, pullback = autodiff.vjp(f, x)
        (g,) = pullback(_random_like([out])[0])
        _close(g, _h(g), 1e-14)
        t = _random_like([x])[0]
        _close(autodiff.jvp(f, (x,), (t,))[1], autodiff.jvp(f, (x,), (_hermitian(t),))[1], 1e-13)


@KINDS
@pytest.mark.parametrize(
    ("shape1", "shape2", "axis"),
    [((3,), (3,), -1), ((2, 3), (4, 1, 3), -1), ((3, 4), (3, 4), 0), ((3, 1), (2, 3, 4), -2)],
)
def test_cross(shape1, shape2, axis, kind):
    a, b = _numbers(shape1, kind), _numbers(shape2, kind)
    check(lambda x, y: la.cross(x, y, axis=axis), a, b)


@KINDS
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 7])
def test_det(n, kind):
    check(la.det, _numbers((2, n, n), kind))


def _cofactors(x):
    n = x.shape[-1]
    return np.array(
        [
            [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(n)]
            for i in range(n)
        ]
    )


@KINDS
@pytest.mark.parametrize("corank", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_det_at_singular_matrices(n, corank, kind):
    rank = max(n - corank, 0)
    x = _numbers((n, rank), kind) @ _numbers((rank, n), kind)
    out, pullback = autodiff.vjp(la.det, xp.asarray(x))
    (g,) = pullback(xp.ones_like(out))
    np.testing.assert_allclose(g.numpy(), np.conj(_cofactors(x)), atol=1e-10)
    check(la.det, x)
    check(la.det, np.zeros((n, n)) + (0 if kind == "f" else 0j))
    exact = np.diag([0.0] * min(corank, n) + [2.0] * rank)
    check(la.det, exact + (0 if kind == "f" else 0j))


def test_det_to_third_order():
    x = xp.asarray(np.diag([1.0, 2.0, 3.0, 0.0, 0.0, 0.0]))
    t = xp.asarray(_numbers((6, 6)))

    def slope(f):
        return lambda x: autodiff.jvp(f, (x,), (t,))[1]

    found = slope(slope(slope(la.det)))(x)
    expected = 6 * 6 * np.linalg.det(t.numpy()[3:, 3:])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("offset", [0, 1, -1, 3, -2, 5, -5])
@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 3)])
@KINDS
def test_diagonal_and_trace(shape, offset, kind):
    x = _numbers(shape, kind)
    check(lambda x: la.diagonal(x, offset=offset), x)
    check(lambda x: la.trace(x, offset=offset), x)


def test_trace_in_another_dtype():
    x = xp.asarray(_numbers((3, 3)), dtype=xp.float32)
    g = autodiff.grad(lambda x: la.trace(x, dtype=xp.float64))(x)
    assert g.dtype == xp.float32
    np.testing.assert_array_equal(g.numpy(), np.eye(3))


def test_diagonal_is_a_view():
    def f(x):
        y = x * 1.0
        d = la.diagonal(y, offset=1)
        y[0, 1] = 5.0 * x[2, 2]
        return xp.sum(d * d)

    x = xp.asarray(_numbers((3, 3)))
    g = autodiff.grad(f)(x).numpy()
    expected = np.zeros((3, 3))
    expected[2, 2], expected[1, 2] = 50 * x.numpy()[2, 2], 2 * x.numpy()[1, 2]
    np.testing.assert_allclose(g, expected)


@KINDS
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 4, 4), (2, 0, 0)])
def test_eig(shape, kind):
    x = _numbers(shape, kind)
    n = shape[-1]

    def invariant(x):
        w, v = la.eig(x)
        return xp.sum(w**2), xp.abs(v[..., 0, :]), (v * xp.exp(w)[..., None, :]) @ la.inv(v)

    if n:
        check(invariant, x, tol=1e-7)
    check(la.eigvals, x, tol=1e-7)
    check(lambda x: la.eig(x).eigenvalues, x, tol=1e-7)


def test_eigvals_in_whatever_order():
    x = _numbers((30, 30))
    g = autodiff.grad(lambda x: xp.sum(xp.real(la.eigvals(x) ** 3)))(xp.asarray(x))
    np.testing.assert_allclose(g.numpy(), 3 * (x @ x).T, rtol=1e-9, atol=1e-9)


@KINDS
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (2, 3, 3), (2, 0, 0)])
def test_eigh(shape, kind):
    x = _numbers(shape, kind)

    def invariant(x):
        w, v = la.eigh(_hermitian(x))
        return w, xp.abs(v), (v * xp.exp(w)[..., None, :]) @ _h(v)

    check(invariant, x)
    check(lambda x: la.eigvalsh(_hermitian(x)), x)
    check(lambda x: la.eigh(_hermitian(x)).eigenvalues, x)


def _unitary(n, kind):
    return np.linalg.qr(_numbers((n, n), kind))[0]


@KINDS
def test_eigh_with_equal_eigenvalues(kind):
    for u in (_unitary(5, kind), np.eye(5) + (0j if kind == "c" else 0)):
        x = u @ np.diag([1.0, 1.0, 2.0, 2.0, 2.0]) @ np.conj(u.T)

        def invariant(x):
            w, v = la.eigh(_hermitian(x))
            v1, v2 = v[:, :2], v[:, 2:]
            return (
                xp.sum(w[:2]), xp.sum(w**3), xp.prod(w), v1 @ _h(v1), v2 @ _h(v2),
                xp.sum(w[2:] ** 2) * (v1 @ _h(v1)),
            )  # fmt: skip

        check(invariant, x, second=False)
        check(lambda x: xp.sum(la.eigvalsh(_hermitian(x)) ** 3), x, second=False)
        # Of sums over equal ones, second derivatives hold too.
        check(lambda x: xp.sum(la.eigvalsh(_hermitian(x))[:2]), x)


@KINDS
@pytest.mark.parametrize("values", [(1, 1, 1, 1), (1, 1, 2, 2), (1, 2, 2, 5), (0, 0, 3, 3)])
@pytest.mark.parametrize("h", [lambda w: w, xp.exp, lambda w: w**3], ids=["w", "exp", "w**3"])
def test_matrix_functions_at_equal_eigenvalues(kind, values, h):
    """V h(w) V^H depends on no choice of vectors, but its gradient is 0 / 0 in each pair."""
    u = _unitary(4, kind)
    for x in (u @ np.diag(values).astype(float) @ np.conj(u.T), np.diag(values) + 0 * u):

        def f(x):
            w, v = la.eigh(_hermitian(x))
            return (v * h(w)) @ _h(v)

        check(f, x, second=False)
        v = autodiff.variable(xp.asarray(x))
        weight = xp.asarray(_numbers((4, 4), kind))
        loss = lambda x, weight=weight: xp.sum(xp.abs(f(x) - weight) ** 2)
        loss(v).backward()
        np.testing.assert_array_equal(v.grad.numpy(), autodiff.grad(loss)(v.detach()).numpy())
        assert type(v.grad) is xp.Tensor
        out = autodiff.vjp(f, v.detach())[0]
        assert type(out) is xp.Tensor
        np.testing.assert_array_equal(out.numpy(), f(v.detach()).numpy())


@KINDS
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(4, 4), (5, 4), (4, 6)])
@pytest.mark.parametrize(
    "values", [(2, 2, 2, 2), (3, 2, 2, 1), (3, 3, 0, 0), (2, 1, 1, 0), (0, 0, 0, 0)]
)
def test_matrix_functions_at_equal_and_zero_singular_values(kind, full, shape, values):
    middle = np.zeros(shape)
    middle[range(4), range(4)] = values
    x = _unitary(shape[0], kind) @ middle @ _unitary(shape[1], kind)
    for h in (lambda s: s, lambda s: s**3, xp.sinh):

        def f(x, h=h):
            u, s, vh = la.svd(x, full_matrices=full)
            return (u[:, :4] * h(s)) @ vh[:4, :]

        check(f, x, second=False)


def test_second_derivatives_at_equal_values_are_refused():
    def function(x):
        w, v = la.eigh(x)
        return xp.sum((v * xp.exp(w)) @ v.mT)

    def singular(x):
        u, s, vh = la.svd(x)
        return xp.sum((u * s**3) @ vh)

    x = xp.eye(3)
    for f in (
        function,
        singular,
        lambda x: xp.sum(la.eigvalsh(x) ** 2),
        lambda x: xp.sum(la.svdvals(x) ** 2),
    ):
        second = (
            lambda f: autodiff.grad(lambda x: xp.sum(autodiff.grad(f)(x) ** 2))(x),
            lambda f: autodiff.hvp(f, (x,), (xp.ones((3, 3)),)),
        )
        for derivative in second:
            with pytest.raises(autodiff.NotDifferentiableError, match="second derivatives"):
                derivative(f)
    w = autodiff.variable(x)
    with pytest.raises(autodiff.NotDifferentiableError, match="second derivatives"):
        function(w).backward(create_graph=True)


@KINDS
def test_eig_with_equal_eigenvalues(kind):
    p = _numbers((4, 4), kind)
    x = p @ np.diag([1.0, 1.0, 2.0, 3.0]) @ np.linalg.inv(p)

    def projector(x):
        w, v = la.eig(x)
        one = xp.astype(xp.abs(w - 1) < 0.1, v.dtype)
        return xp.sum(one * w), (v * one) @ la.inv(v)

    check(projector, x, second=False, tol=1e-7)
    check(lambda x: xp.sum(la.eigvals(x) ** 3), x, second=False, tol=1e-7)


def test_kinks_of_eigenvalues_are_shared():
    g = autodiff.grad(lambda x: la.eigvalsh(x)[-1])(xp.eye(4))
    np.testing.assert_allclose(g.numpy(), np.eye(4) / 4, atol=1e-15)
    g = autodiff.grad(lambda x: xp.real(la.eigvals(x)[-1]))(xp.eye(4))
    np.testing.assert_allclose(g.numpy(), np.eye(4) / 4, atol=1e-15)
    g = autodiff.grad(lambda x: la.svdvals(x)[0])(xp.eye(4))
    np.testing.assert_allclose(g.numpy(), np.eye(4) / 4, atol=1e-15)


@KINDS
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 4, 4), (2, 0, 0)])
def test_inv_and_slogdet(shape, kind):
    x = _numbers(shape, kind)
    check(la.inv, x)
    check(lambda x: la.slogdet(x).logabsdet, x)
    check(lambda x: tuple(la.slogdet(x)), x)
    if kind == "c":
        check(lambda x: la.slogdet(x).sign, x)


def test_slogdet_of_singular_matrices_not_taken():
    x = np.stack([np.zeros((2, 2)), np.diag([2.0, 4.0])])

    def f(x):
        sign, log = la.slogdet(x)
        return xp.sum(xp.where(sign > 0, log, 0.0))

    g = autodiff.grad(f)(xp.asarray(x)).numpy()
    np.testing.assert_allclose(g, [np.zeros((2, 2)), np.diag([0.5, 0.25])])


@KINDS
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_matrix_norm(ord, keepdims, kind):
    for shape in ((3, 4), (2, 4, 3)):
        check(lambda x: la.matrix_norm(x, ord=ord, keepdims=keepdims), _numbers(shape, kind))


@KINDS
@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_matrix_norm_at_zero(ord, kind):
    x = xp.zeros((3, 2), dtype=xp.complex128 if kind == "c" else xp.float64)
    f = autodiff.grad(lambda x: la.matrix_norm(x, ord=ord))
    np.testing.assert_array_equal(f(x).numpy(), 0.0)
    _, t = autodiff.jvp(f, (x,), (xp.ones_like(x),))
    assert np.all(np.isfinite(t.numpy()))


@KINDS
def test_matrix_norm_at_ties(kind):
    grad = autodiff.grad
    one = xp.eye(3, dtype=xp.complex128 if kind == "c" else xp.float64)
    for ord in (2, -2, 1, -1, math.inf, -math.inf):
        g = grad(lambda x, ord=ord: la.matrix_norm(x, ord=ord))(one).numpy()
        np.testing.assert_allclose(g, np.eye(3) / 3, atol=1e-15)
    check(lambda x: la.matrix_norm(x, ord="nuc"), _unitary(4, kind))
    u, v = _unitary(4, kind)[:, :2], _unitary(3, kind)[:, :2]
    g = grad(lambda x: la.matrix_norm(x, ord="nuc"))(xp.asarray(u @ np.conj(v.T))).numpy()
    np.testing.assert_allclose(g, u @ np.conj(v.T), atol=1e-14)


@KINDS
@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 5])
def test_matrix_power(n, kind):
    check(lambda x: la.matrix_power(x, n), _numbers((2, 3, 3), kind) / 2 + np.eye(3))


def test_matrix_rank_is_constant():
    x = xp.asarray(_numbers((3, 3)))

    def f(x):
        return xp.sum(x) * xp.astype(la.matrix_rank(x), xp.float64)

    np.testing.assert_array_equal(autodiff.grad(f)(x).numpy(), 3.0)


@KINDS
def test_outer(kind):
    check(la.outer, _numbers(3, kind), _numbers(2, kind))


def test_outer_of_two_kinds():
    check(la.outer, _numbers(3), _numbers(2, "c"))


@KINDS
@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (2, 3, 2), (1, 3)])
def test_pinv(shape, kind):
    check(la.pinv, _numbers(shape, kind))


@KINDS
@pytest.mark.parametrize(("m", "n", "r"), [(4, 3, 2), (3, 4, 1), (4, 4, 2)])
def test_pinv_of_lower_rank(m, n, r, kind):
    a, b = _numbers((m, r), kind), _numbers((r, n), kind)
    rtol = xp.asarray(1e-10)
    check(lambda a, b: la.pinv(a @ b), a, b, tol=1e-7)
    check(lambda a, b: la.pinv(a @ b, rtol=rtol), a, b, tol=1e-7)


@KINDS
@pytest.mark.parametrize(("m", "n"), [(4, 3), (3, 5), (3, 3)])
def test_pinv_that_cuts_off(m, n, kind):
    u, v = _unitary(m, kind)[:, :3], _unitary(n, kind)[:, :3]
    x = u @ np.diag([3.0, 1.0, 0.6]) @ np.conj(v.T)
    check(lambda x: la.pinv(x, rtol=0.25), x)
    check(lambda x: la.pinv(x, rtol=xp.asarray(0.5)), x)
    check(lambda x: la.pinv(x, rtol=xp.asarray([0.25, 0.5])), np.stack([x, 2 * x]))


def test_rtol_that_depends_on_the_variable():
    def f(x):
        rtol = 1e-9 * xp.abs(x[0, 0])
        return xp.sum(la.pinv(x, rtol=rtol)) * xp.astype(la.matrix_rank(x, rtol=rtol), x.dtype)

    check(f, _numbers((3, 2)))


@KINDS
@pytest.mark.parametrize("mode", ["reduced", "complete"])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3), (2, 2, 4), (4, 1), (2, 0, 0)])
def test_qr(shape, mode, kind):
    x = _numbers(shape, kind)
    k = min(shape[-2:])

    def invariant(x):
        q, r = la.qr(x, mode=mode)
        first, others = q[..., :k], q[..., k:]
        return (
            _h(r) @ r, first @ _h(first), others @ _h(others), q @ r, xp.abs(r), xp.abs(first),
        )  # fmt: skip

    check(invariant, x)
    check(lambda x: la.qr(x, mode=mode).R, x)
    check(lambda x: la.qr(x, mode=mode).Q[..., :k], x)


@KINDS
@pytest.mark.parametrize(
    ("shape1", "shape2"),
    [((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (4, 1, 3, 2)),
     ((4, 1, 3, 3), (2, 3, 2)), ((1, 1), (1,)), ((3, 3), (3, 0)), ((2, 3, 3), (3, 3))],
)  # fmt: skip
def test_solve(shape1, shape2, kind):
    check(la.solve, _numbers(shape1, kind), _numbers(shape2, kind))


def test_solve_of_two_kinds():
    check(la.solve, _numbers((3, 3)), _numbers((3, 2), "c"))
    check(la.solve, _numbers((3, 3), "c"), _numbers(3))
    check(lambda b: la.solve(xp.eye(3) * 2, b), _numbers(3))


@KINDS
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    "shape", [(1, 1), (3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 3, 4), (5, 2), (2, 0, 0), (3, 0)]
)
def test_svd(shape, full, kind):
    x = _numbers(shape, kind)
    k = min(shape[-2:])

    def invariant(x):
        u, s, vh = la.svd(x, full_matrices=full)
        u1, u2, vh1, vh2 = u[..., :k], u[..., k:], vh[..., :k, :], vh[..., k:, :]
        return (
            s, xp.abs(u1), xp.abs(vh1), u1 @ vh1, (u1 * xp.exp(s)[..., None, :]) @ vh1,
            u2 @ _h(u2), _h(vh2) @ vh2,
        )  # fmt: skip

    check(invariant, x)
    check(la.svdvals, x)
    check(lambda x: la.svd(x, full_matrices=full).S, x)


@KINDS
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("m", "n"), [(4, 4), (6, 4), (4, 6)])
def test_svd_with_equal_and_zero_singular_values(m, n, full, kind):
    u, v = _unitary(m, kind)[:, :4], _unitary(n, kind)[:, :4]
    polar = 1.5

    def invariant(x):
        u, s, vh = la.svd(x, full_matrices=full)
        u1, vh1 = u[:, :2], vh[:2, :]
        return xp.sum(s[:2]), xp.sum(s**2), u1 @ _h(u1), _h(vh1) @ vh1, u1 @ vh1 * polar

    check(invariant, u @ np.diag([3.0, 3.0, 1.0, 0.5]) @ np.conj(v.T), second=False)
    check(lambda x: xp.sum(la.svdvals(x)), u @ np.diag([3.0, 3.0, 1.0, 1.0]) @ np.conj(v.T))
    check(
        lambda x: (lambda u, s, vh: u[:, :4] @ vh[:4, :])(*la.svd(x, full_matrices=full)),
        u @ np.diag([3.0, 3.0, 3.0, 1.0]) @ np.conj(v.T),
        second=False,
    )
    # With zeros.
    check(invariant, u @ np.diag([3.0, 3.0, 0.0, 0.0]) @ np.conj(v.T), second=False)
    check(lambda x: xp.sum(la.svdvals(x)[:2]), u @ np.diag([3.0, 1.0, 0.0, 0.0]) @ np.conj(v.T))


ORDS = [0, 0.5, 1, 1.5, 2, 3, 4.5, -1, -2.5, math.inf, -math.inf]


@KINDS
@pytest.mark.parametrize("ord", ORDS)
def test_vector_norm(ord, kind):
    x = _numbers((2, 3, 4), kind)
    for axis in (None, 1, -1, (0, 2), (2, 1)):
        for keepdims in (False, True):
            check(
                lambda x, axis=axis, keepdims=keepdims: la.vector_norm(
                    x, axis=axis, keepdims=keepdims, ord=ord
                ),
                x,
                second=axis in (None, (0, 2)),
                tol=1e-7,
            )
    check(
        lambda x: la.vector_norm(x, ord=ord), np.asarray(x[0, 0, 0]) if kind == "f" else x[0, 0, :1]
    )


@pytest.mark.filterwarnings("ignore:divide by zero")  # NumPy's, of 0 to a negative power
@KINDS
@pytest.mark.parametrize("ord", ORDS)
def test_vector_norm_at_zero(ord, kind):
    f = autodiff.grad(lambda x: xp.sum(la.vector_norm(x, axis=-1, ord=ord)))
    dtype = xp.complex128 if kind == "c" else xp.float64
    zero = xp.zeros((2, 3), dtype=dtype)
    np.testing.assert_array_equal(f(zero).numpy(), 0.0)
    for x in (zero, xp.asarray([[0.0, 3.0, 4.0], [1.0, 0.0, 0.0]], dtype=dtype)):
        assert np.all(np.isfinite(f(x).numpy()))
        _, t = autodiff.jvp(f, (x,), (xp.ones_like(x),))
        assert np.all(np.isfinite(t.numpy()))


def test_vector_norm_shares_ties():
    grad = autodiff.grad
    x = xp.asarray([2.0, -2.0, 1.0, -1.0])
    g = grad(lambda x: la.vector_norm(x, ord=math.inf))(x).numpy()
    np.testing.assert_array_equal(g, [0.5, -0.5, 0, 0])
    g = grad(lambda x: la.vector_norm(x, ord=-math.inf))(x).numpy()
    np.testing.assert_array_equal(g, [0, 0, 0.5, -0.5])


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 2, 2)])
@pytest.mark.parametrize("ord", [0, 1, 2, 3, math.inf])
def test_norms_of_nothing(shape, ord):
    x = xp.zeros(shape)
    assert autodiff.grad(lambda x: la.vector_norm(x, ord=ord))(x).shape == shape
    check(lambda x: la.matrix_norm(x, ord=ord if ord in (1, 2, math.inf) else "fro"), x)


@pytest.mark.filterwarnings("ignore:overflow")  # of the first, unscaled sum
@pytest.mark.parametrize("ord", [0.5, 1, 2, 3, -1, math.inf])
@pytest.mark.parametrize("size", [1e-290, 1e-200, 1e200, 1e300])
def test_norms_of_large_and_tiny_elements(ord, size):
    x = np.asarray([1.0, -2.0, 3.0])
    f = autodiff.grad(lambda x: la.vector_norm(x, ord=ord))
    expected = f(xp.asarray(x)).numpy()
    np.testing.assert_allclose(f(xp.asarray(size * x)).numpy(), expected, rtol=1e-13)
    f = autodiff.grad(la.matrix_norm)
    x = np.asarray([[1.0, -2.0], [3.0, 4.0]])
    expected = f(xp.asarray(x)).numpy()
    np.testing.assert_allclose(f(xp.asarray(size * x)).numpy(), expected, rtol=1e-13)


FUNCTIONS = {
    "cholesky": lambda x: la.cholesky(_positive(x)),
    "cross": lambda x: la.cross(x, x[:, ::-1]),
    "det": la.det,
    "diagonal": la.diagonal,
    "eig": lambda x: xp.abs(la.eig(x).eigenvectors),
    "eigh": lambda x: xp.abs(la.eigh(x).eigenvectors),
    "eigvals": la.eigvals,
    "eigvalsh": la.eigvalsh,
    "inv": la.inv,
    "nuc": lambda x: la.matrix_norm(x, ord="nuc"),
    "matrix_power": lambda x: la.matrix_power(x, 3),
    "outer": lambda x: la.outer(x[0, :], x[1, :]),
    "pinv": la.pinv,
    "qr": lambda x: xp.abs(la.qr(x, mode="complete").Q),
    "slogdet": lambda x: la.slogdet(x).logabsdet,
    "solve": lambda x: la.solve(x, x[:, 0]),
    "svd": lambda x: xp.abs(la.svd(x).U),
    "svdvals": la.svdvals,
    "trace": la.trace,
    "vector_norm": lambda x: la.vector_norm(x, axis=0, ord=3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["f", "c"])
def test_single_precision_and_devices(name, kind, device):
    f = FUNCTIONS[name]
    x = np.random.default_rng(5).standard_normal((3, 3)) + np.diag([1.0, 2.0, 3.0])
    if kind == "c":
        x = x + 1j * np.random.default_rng(6).standard_normal((3, 3))
    double = xp.asarray(x)
    single = xp.asarray(x, dtype=xp.complex64 if kind == "c" else xp.float32, device=device)

    def gradient(x):
        out, pullback = autodiff.vjp(f, x)
        return pullback(xp.ones_like(out))[0]

    def product(x):
        return autodiff.jvp(gradient, (x,), (xp.ones_like(x),))[1]

    for derivative in (gradient, product):
        found, expected = derivative(single), derivative(double).numpy()
        assert (found.dtype, found.device) == (single.dtype, single.device)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=2e-3 * scale + 1e-5)


def _of_eigh(x):
    w, v = la.eigh(_hermitian(x))
    return (v * xp.exp(w)[..., None, :]) @ _h(v)


def _of_svd(x):
    u, s, vh = la.svd(x, full_matrices=False)
    return (u * xp.sinh(s)[..., None, :]) @ vh


EQUAL = {
    "identity": (_of_eigh, np.eye(3)),
    "stack": (_of_eigh, np.stack([np.diag([1.0, 1.0, 2.0]), np.diag([1.0, 2.0, 3.0])])),
    "no stack": (_of_eigh, np.zeros((0, 3, 3))),
    "no matrix": (_of_eigh, np.zeros((2, 0, 0))),
    "singular": (_of_svd, np.diag([2.0, 2.0, 0.0])),
    "tall": (_of_svd, np.stack([np.eye(4, 3), np.zeros((4, 3))])),
    "wide": (_of_svd, np.eye(2, 4)),
    "empty": (_of_svd, np.zeros((2, 0, 3))),
}


@KINDS
@pytest.mark.parametrize("name", EQUAL)
def test_equal_values_on_devices(name, kind, device):
    """Both modes, where the vectors are not determined; the numbers are the CPU's."""
    f, x = EQUAL[name]
    t, g = _numbers(x.shape, kind), _numbers(x.shape, kind)
    x = x + 0j if kind == "c" else x

    def on(device):
        x0, t0, g0 = (xp.asarray(a, device=device) for a in (x, t, g))
        out, tangent = autodiff.jvp(f, (x0,), (t0,))
        same, pullback = autodiff.vjp(f, x0)
        return out, tangent, same, pullback(g0)[0]

    for found, expected in zip(on(device), on("cpu"), strict=True):
        assert found.device == xp.Device(device)
        _close(found, expected, 1e-10)


@pytest.mark.parametrize("name", ["eig", "eigh", "qr", "slogdet", "svd"])
def test_several_results_keep_their_names(name, device):
    """In both modes: what is recorded, and what has a tangent."""
    f, x = getattr(la, name), xp.asarray([[2.0, 1.0], [1.0, 3.0]], device=device)
    fields = f(x)._fields
    seen = []

    def note(x):
        out = f(x)
        seen.append(out._fields)
        return out[1]

    autodiff.vjp(note, x)
    autodiff.jvp(note, (x,), (x,))
    assert seen == [fields, fields]
