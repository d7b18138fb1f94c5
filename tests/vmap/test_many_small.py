"""Many small matrices of a batch, which kernels of their own take all at once."""

import warnings

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, vmap
from arraygrad.scipy import linalg

RNG = np.random.default_rng(5)
DTYPES = ["float32", "float64", "complex64", "complex128"]
#: Around the limits from which the kernels compute: rows, and matrices.
SIZES = [(0, 3), (3, 3), (8, 500), (9, 500), (2, 5000), (33, 40)]


def numbers(dtype, *shape):
    x = RNG.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * RNG.standard_normal(shape)
    return x.astype(dtype)


def definite(dtype, n, count):
    a = numbers(dtype, count, n, n)
    return a @ a.conj().transpose(0, 2, 1) + (2 + n) * np.eye(n, dtype=dtype)


def triangular(dtype, n, count):
    return numbers(dtype, count, n, n) + (2 + n) * np.eye(n, dtype=dtype)


def compare(f, *args):
    """A batch has the values of single calls; some of the examples are compared."""
    found = vmap(f)(*args)
    step = -(-args[0].shape[0] // 3)
    expected = arraygrad.stack([f(*[a[i] for a in args]) for i in range(0, found.shape[0], step)])
    assert found.dtype == expected.dtype
    assert found[::step].shape == expected.shape
    rtol = 2e-4 if found.dtype.itemsize // (1 + (found.dtype.kind == "c")) == 4 else 1e-11
    np.testing.assert_allclose(found[::step].numpy(), expected.numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize(("n", "count"), SIZES)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_factors(dtype, n, count, upper):
    a = arraygrad.asarray(definite(dtype, n, count))
    compare(lambda a: arraygrad.linalg.cholesky(a, upper=upper), a)
    # Only one triangle is read.
    a = a + (arraygrad.tril(a, k=-1) if upper else arraygrad.triu(a, k=1))
    compare(lambda a: arraygrad.linalg.cholesky(a, upper=upper), a)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize(("n", "count"), SIZES)
@pytest.mark.parametrize("trans", [0, 1, 2])
def test_triangular_systems(dtype, n, count, trans):
    a, b = (arraygrad.asarray(x) for x in (triangular(dtype, n, count), numbers(dtype, count, n)))
    c = arraygrad.asarray(numbers(dtype, count, n, 2))
    for lower, unit in ((False, False), (True, False), (True, True)):
        f = lambda a, b: linalg.solve_triangular(a, b, trans, lower, unit)
        scale = 1 / (n + 3) if unit else 1
        compare(f, a * scale, b)
        compare(f, a * scale, c)
    compare(lambda b: linalg.solve_triangular(a[0], b, trans), c)
    compare(lambda a: linalg.solve_triangular(a, c[0], trans), a)


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
@pytest.mark.parametrize(("n", "count"), SIZES)
@pytest.mark.parametrize("lower", [False, True])
def test_systems_with_cholesky_factors(dtype, n, count, lower):
    a, b = (arraygrad.asarray(x) for x in (triangular(dtype, n, count), numbers(dtype, count, n)))
    c = arraygrad.asarray(numbers(dtype, count, n, 2))
    f = lambda a, b: linalg.cho_solve((a, lower), b)
    compare(f, a, b)
    compare(f, a, c)
    compare(lambda b: f(a[0], b), c)
    compare(lambda a: f(a, c[0]), a)


@pytest.mark.parametrize("n", [3, 33])
def test_their_derivatives(n):
    a = arraygrad.asarray(definite("float64", n, 500 if n == 3 else 40))
    b = arraygrad.asarray(numbers("float64", len(a), n))

    def solved(a, b):
        return linalg.cho_solve(linalg.cho_factor(a, lower=True), b)

    def loss(a, b):
        return arraygrad.sum(solved(a, b) ** 2)

    for i in (0, 1):
        compare(autodiff.grad(loss, i), a, b)
        around = autodiff.grad(lambda a, b: arraygrad.sum(vmap(loss)(a, b)), i)(a, b)
        compare_with = arraygrad.stack([autodiff.grad(loss, i)(a[k], b[k]) for k in range(20)])
        np.testing.assert_allclose(around[:20].numpy(), compare_with.numpy(), rtol=1e-8, atol=1e-12)
    compare(lambda a, b: autodiff.jvp(solved, (a, b), (a, b))[1], a, b)
    stacks = arraygrad.reshape(a[:40], (4, 10, n, n)), arraygrad.reshape(b[:40], (4, 10, n))
    found = vmap(vmap(solved))(*stacks)
    np.testing.assert_allclose(
        arraygrad.reshape(found, (40, n)).numpy(), vmap(solved)(a[:40], b[:40]).numpy(), rtol=1e-10
    )


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_one_matrix_of_many_that_is_not_positive_definite(place, value):
    a = definite("float64", 3, 500)
    a[321] = np.eye(3)
    a[321, place, place] = value
    x = arraygrad.asarray(a)
    for upper in (False, True):
        f = lambda a, upper=upper: arraygrad.linalg.cholesky(a, upper=upper)
        if np.isnan(value):  # (LAPACK may raise, or return NaN)
            try:
                f(x[321])
            except ValueError:
                pass
            else:
                assert np.isnan(vmap(f)(x)[321].numpy()).any()
                continue
        with pytest.raises(ValueError, match=r"linalg\.cholesky.*not positive definite"):
            vmap(f)(x)


@pytest.mark.parametrize("place", [0, 2])
def test_one_system_of_many_that_is_singular(place):
    a = triangular("float64", 3, 500)
    a[321, place, place] = 0
    x, b = arraygrad.asarray(a), arraygrad.ones((500, 3))
    for f in (
        linalg.solve_triangular,
        lambda a, b: linalg.solve_triangular(a, b, trans=1, check_finite=False),
        lambda a, b: linalg.cho_solve((a, True), b),
    ):
        with pytest.raises(ValueError, match="singular"):
            f(x[321], b[321])
        with pytest.raises(ValueError, match="singular"):
            vmap(f)(x, b)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_system_of_many_that_is_not_finite(value):
    a, b = triangular("float64", 3, 500), np.ones((500, 3))
    for place in ((1, 1), (0, 2), (2, 0)):
        broken = a.copy()
        broken[321][place] = value
        x, y = arraygrad.asarray(broken), arraygrad.asarray(b)
        for f in (linalg.solve_triangular, lambda a, b: linalg.cho_solve((a, True), b)):
            with pytest.raises(ValueError, match="must not contain infs or NaNs"):
                vmap(f)(x, y)
        f = lambda a, b: linalg.solve_triangular(a, b, check_finite=False)
        found = vmap(f)(x, y).numpy()
        np.testing.assert_allclose(found[321], f(x[321], y[321]).numpy(), rtol=1e-12)
        np.testing.assert_allclose(found[320], f(x[320], y[320]).numpy(), rtol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3, 2), (300, 40, 30), (2, 300, 200)])
@pytest.mark.parametrize("dtype", [*DTYPES, "int64"])
def test_outer_products(shape, dtype):
    count, m, n = shape
    x = arraygrad.asarray((3 * numbers("float64", count, m)).astype(dtype))
    y = arraygrad.asarray((3 * numbers("float64", count, n)).astype(dtype))
    expected = x.numpy()[:, :, None] * y.numpy()[:, None]
    for f in (
        lambda x, y: arraygrad.linalg.outer(x, y),
        lambda x, y: x[:, None] * y,
        lambda x, y: y * x[:, None],
        lambda x, y: x[:, None] @ y[None],
    ):
        np.testing.assert_array_equal(vmap(f)(x, y).numpy(), expected)
        np.testing.assert_array_equal(vmap(f, (0, None))(x, y[0])[1].numpy(), f(x[1], y[0]).numpy())
        np.testing.assert_array_equal(vmap(f, (None, 0))(x[0], y)[1].numpy(), f(x[0], y[1]).numpy())
    if dtype != "int64":
        g = lambda w, x: autodiff.grad(lambda w: arraygrad.sum(arraygrad.real(w @ x) ** 2))(w)
        w = arraygrad.asarray(numbers(dtype, m, n))
        found = vmap(g, (None, 0))(w, y)
        rtol = 1e-3 if dtype in ("float32", "complex64") else 1e-10
        np.testing.assert_allclose(found[1].numpy(), g(w, y[1]).numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("value", [1e300, np.inf, np.nan])
def test_outer_products_that_are_not_finite_warn_as_products_do(value):
    x, y = np.ones((300, 40)), np.ones((300, 30))
    x[200, 3], y[200, 2], y[200, 5] = value, value, 0
    with warnings.catch_warnings(record=True) as expected:
        warnings.simplefilter("always")
        product = x[:, :, None] * y[:, None]
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        outer = vmap(arraygrad.linalg.outer)(arraygrad.asarray(x), arraygrad.asarray(y))
    np.testing.assert_array_equal(outer.numpy(), product)
    assert [w.category for w in found] == [w.category for w in expected]


@pytest.mark.parametrize("count", [3, 3000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("zero", [0.0, "tiny"])
def test_outer_products_have_the_signs_of_zeros(count, dtype, zero):
    """Also those of products that are too small."""
    zero = np.finfo(dtype).tiny if zero == "tiny" else zero
    x, y = np.ones((count, 4), dtype), np.ones((count, 5), dtype)
    x[:, ::2], y[:, 1::2], y[:, 2] = -zero, -zero, -1
    expected = np.signbit(x[:, :, None] * y[:, None])
    x, y = arraygrad.asarray(x), arraygrad.asarray(y)
    for f in (
        arraygrad.linalg.outer,
        lambda x, y: x[:, None] * y,
        lambda x, y: y[None] * x[:, None],
    ):
        np.testing.assert_array_equal(np.signbit(vmap(f)(x, y).numpy()), expected)


def test_errors_of_batches_name_the_functions():
    x, y = arraygrad.full((3000, 4), np.inf), arraygrad.zeros((3000, 5))
    for f, name in (
        (lambda x, y: x[:, None] * y, "multiply"),
        (lambda x, y: x[:, None] @ y[None], "matmul"),
    ):
        with autodiff.debug_nans(), pytest.raises(FloatingPointError, match=f"^{name}: the result"):
            vmap(f)(x, y)
    with pytest.raises(np.linalg.LinAlgError, match=r"^linalg\.cholesky: "):
        vmap(arraygrad.linalg.cholesky)(arraygrad.zeros((3000, 2, 2)))


def test_no_systems_at_all():
    a, b = arraygrad.ones((0, 3, 3)), arraygrad.ones((0, 3), dtype=arraygrad.complex64)
    for f in (linalg.solve_triangular, lambda a, b: linalg.cho_solve((a, True), b)):
        found = vmap(f)(a, b)
        assert found.shape == (0, 3)
        assert found.dtype == arraygrad.complex128
        assert vmap(f, (0, None))(a, arraygrad.ones((3, 2))).shape == (0, 3, 2)
        assert vmap(f, (None, 0))(arraygrad.eye(3), b).shape == (0, 3)
        g = autodiff.grad(lambda a, b, f=f: arraygrad.sum(arraygrad.abs(f(a, b)) ** 2))
        assert vmap(g)(a, b).shape == (0, 3, 3)


def test_compiled_batches_raise_where_a_matrix_is_not_positive_definite():
    a, b = arraygrad.asarray(definite("float64", 3, 500)), arraygrad.ones((500, 3))
    f = vmap(lambda a, b: linalg.cho_solve(linalg.cho_factor(a, lower=True), b))
    compiled = arraygrad.compile(f)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(a, b).numpy(), f(a, b).numpy())
    with pytest.raises(ValueError, match=r"linalg\.cholesky.*not positive definite"):
        compiled(-a, b)
    np.testing.assert_array_equal(compiled(a, b).numpy(), f(a, b).numpy())
