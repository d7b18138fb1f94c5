"""`arraygrad.scipy.linalg`: SciPy's values, its errors, and derivatives where they need a word.

The cases of `conformance/gradient_cases.py` show the other derivatives.
"""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import NotDifferentiableError, grad, jvp
from arraygrad.scipy import linalg

scipy_linalg = pytest.importorskip("scipy.linalg")

RNG = np.random.default_rng(5)
T = xp.asarray
MATRIX_FUNCTIONS = "expm logm sqrtm sinm cosm tanm sinhm coshm tanhm".split()
CUPY_LACKS = ("logm", "sqrtm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm")


def numbers(dtype, *shape):
    a = RNG.standard_normal(shape)
    return (a + 1j * RNG.standard_normal(shape) if "complex" in dtype else a).astype(dtype)


def dominant(dtype, n, *stack):
    return numbers(dtype, *stack, n, n) + (4 * np.eye(n)).astype(dtype)


@pytest.fixture(params=["float32", "float64", "complex64", "complex128"])
def dtype(request):
    return request.param


def exact(found, expected, device):
    """Bit for bit on the CPU, where it is SciPy's function; and the tensor's device."""
    assert found.device == xp.Device(device)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if device == "cuda":
        single = found.dtype.name in ("float32", "complex64")
        np.testing.assert_allclose(found.numpy(), expected, rtol=2e-4 if single else 1e-11)
    else:
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("name", MATRIX_FUNCTIONS)
@pytest.mark.parametrize("stack", [(), (2, 3)])
def test_matrix_functions_are_scipys(name, stack, dtype, device):
    a = dominant(dtype, 3, *stack) / 3
    x = T(a, device=device)
    if device == "cuda" and name in CUPY_LACKS:
        with pytest.raises(xp.TransferError, match=rf"arraygrad\.scipy\.linalg\.{name}\(x\.to_dev"):
            getattr(linalg, name)(x)
        return
    # (SciPy's logm is inaccurate in single precision, and warns of it.)
    wide = "c16" if "complex" in dtype else "f8"
    expected = getattr(scipy_linalg, name)(a.astype(wide) if name == "logm" else a)
    expected = expected.astype(dtype)
    exact(getattr(linalg, name)(x), expected, device)


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_systems_are_scipys(trans, lower, unit, dtype, device):
    a, how = dominant(dtype, 3), {"trans": trans, "lower": lower, "unit_diagonal": unit}
    for b in (numbers(dtype, 3), numbers(dtype, 3, 2), numbers(dtype, 2, 3, 1)):
        expected = scipy_linalg.solve_triangular(a, b, **how)
        found = linalg.solve_triangular(T(a, device=device), T(b, device=device), **how)
        exact(found, expected, device)


@pytest.mark.parametrize("lower", [False, True])
def test_cholesky_factors_solve(lower, dtype, device):
    a = dominant(dtype, 200) / 8 + np.eye(200, dtype=dtype) * 2
    a = a @ a.conj().T
    for b in (numbers(dtype, 200), numbers(dtype, 200, 2)):
        factor = linalg.cho_factor(T(a, device=device), lower)
        assert factor[1] is lower
        found = linalg.cho_solve(factor, T(b, device=device))
        expected = scipy_linalg.cho_solve(scipy_linalg.cho_factor(a, lower), b)
        single = dtype in ("float32", "complex64")
        np.testing.assert_allclose(
            found.numpy(), expected, rtol=0, atol=(1e-3 if single else 1e-11) * abs(expected).max()
        )
    found = linalg.cholesky(T(a, device=device), lower).numpy()
    np.testing.assert_allclose(found, scipy_linalg.cholesky(a, lower), rtol=0, atol=1e-2)


def test_a_stack_of_factors_solves_for_one_vector():
    c, b = dominant("float64", 3, 2), numbers("float64", 3)
    found = linalg.cho_solve((T(c), True), T(b))
    for i in range(2):
        np.testing.assert_allclose(found[i].numpy(), scipy_linalg.cho_solve((c[i], True), b))


def test_sylvester_equations_are_scipys(dtype):
    a, b, q = dominant(dtype, 3), dominant(dtype, 2), numbers(dtype, 3, 2)
    exact(linalg.solve_sylvester(T(a), T(b), T(q)), scipy_linalg.solve_sylvester(a, b, q), "cpu")
    qs = numbers(dtype, 2, 3, 2)
    found = linalg.solve_sylvester(T(a), T(b), T(qs))
    exact(found, scipy_linalg.solve_sylvester(a, b, qs), "cpu")


@pytest.mark.parametrize("widths", [(1, 1), (0, 3), (2, 0), (0, 0), (4, 5)])
@pytest.mark.parametrize("n", [3, 3000])
def test_banded_systems_are_scipys(widths, n, dtype, device):
    if n == 3000 and device != "cpu":
        n = 300  # all entries are stored there
    ab = numbers(dtype, sum(widths) + 1, n)
    ab[widths[1]] += 2 * sum(widths) + 2
    atol = 1e-5 if np.finfo(dtype).eps > 1e-10 else 1e-13
    for b in (numbers(dtype, n), numbers(dtype, n, 2)):
        found = linalg.solve_banded(widths, T(ab, device=device), T(b, device=device))
        assert (found.shape, found.dtype, found.device) == (b.shape, dtype, xp.Device(device))
        expected = scipy_linalg.solve_banded(widths, ab, b)
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=atol)


def test_rows_of_a_banded_matrix_are_exchanged(device):
    ab = np.asarray([[0.0, 1.0, 1.0], [0.0, 0.0, 2.0], [1.0, 1.0, 0.0]])  # 0 on the diagonal
    b = np.asarray([1.0, 2.0, 3.0])
    found = linalg.solve_banded((1, 1), T(ab, device=device), T(b, device=device))
    np.testing.assert_allclose(found.numpy(), scipy_linalg.solve_banded((1, 1), ab, b), rtol=1e-14)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
def test_least_squares_are_scipys(shape, dtype):
    a = numbers(dtype, *shape)
    for b in (numbers(dtype, shape[0]), numbers(dtype, shape[0], 2)):
        found, expected = linalg.lstsq(T(a), T(b)), scipy_linalg.lstsq(a, b)
        exact(found.x, expected[0], "cpu")
        exact(found.s, expected[3], "cpu")
        assert found.rank == expected[2]
        assert found.residues.shape == np.shape(expected[1])
        rtol = 1e-3 if dtype in ("float32", "complex64") else 1e-10
        np.testing.assert_allclose(found.residues.numpy(), expected[1], rtol=rtol)


def test_the_rank_follows_cond():
    a = np.diag([1.0, 1e-3, 1e-9])
    for cond, rank in ((None, 3), (1e-6, 2), (0.1, 1)):
        found = linalg.lstsq(T(a), T([1.0, 1.0, 1.0]), cond)
        assert found.rank == rank == scipy_linalg.lstsq(a, np.ones(3), cond)[2]
        g = grad(lambda b, c=cond: xp.sum(linalg.lstsq(T(a), b, c).x))(T([1.0, 1.0, 1.0]))
        np.testing.assert_allclose(g.numpy(), np.linalg.pinv(a, rcond=cond or 1e-16).sum(0))


def test_the_other_triangle_has_no_gradient():
    a, b = T(dominant("float64", 3)), T(numbers("float64", 3))
    g = grad(lambda a: xp.sum(linalg.solve_triangular(a, b, lower=True)))(a)
    assert not xp.any(xp.triu(g, k=1))
    assert np.all(g.numpy()[np.tril_indices(3)] != 0)
    g = grad(lambda a: xp.sum(linalg.solve_triangular(a, b, unit_diagonal=True)))(a)
    assert not xp.any(xp.tril(g))


def test_one_integer_matrix_and_a_complex_side_promote():
    a = T([[2, 1], [0, 4]])
    found = linalg.solve_triangular(a, T([1j, 2.0]))
    assert found.dtype == xp.complex128
    assert linalg.expm(a).dtype == xp.float64


def test_a_logarithm_on_its_cut_has_a_value_but_no_derivative():
    a = T([[1.0, 2.0], [3.0, -4.0]])
    assert linalg.logm(a).dtype == xp.complex128
    for attempt in (
        lambda: grad(lambda a: xp.sum(xp.real(linalg.logm(a))))(a),
        lambda: jvp(linalg.logm, (a,), (a,)),
    ):
        with pytest.raises(NotDifferentiableError, match=r"scipy\.linalg\.logm: .* branch cut"):
            attempt()


def test_the_gradient_of_a_large_exponential_is_right():
    a = T(numbers("float64", 40, 40) / 4)
    w = T(numbers("float64", 40, 40))
    g = grad(lambda a: xp.sum(w * linalg.expm(a)))(a)
    expected = scipy_linalg.expm_frechet(a.numpy().T, w.numpy(), compute_expm=False)
    np.testing.assert_allclose(g.numpy(), expected, rtol=1e-9, atol=1e-9 * abs(expected).max())


def test_least_squares_agree_with_the_normal_equations_in_second_order():
    a, b = T(numbers("float64", 30, 3)), T(numbers("float64", 30))
    autodiff.check_grads(lambda a, b: linalg.lstsq(a, b)[:2], (a, b))


@pytest.mark.parametrize(
    ("attempt", "match"),
    [
        (lambda: linalg.expm(xp.ones((2, 3))), r"scipy\.linalg\.expm: .* square"),
        (lambda: linalg.expm(xp.ones(3)), r"scipy\.linalg\.expm: .* got shape \(3,\)"),
        (lambda: linalg.solve_triangular(xp.ones((2, 2)), xp.ones(3)), "solve_triangular"),
        (lambda: linalg.solve_triangular(xp.ones((2, 2)), xp.ones(2), trans=3), "trans must be"),
        (lambda: linalg.solve_triangular(xp.zeros((2, 2)), xp.ones(2)), "solve_triangular: sing"),
        (lambda: linalg.solve_triangular(xp.ones((2, 2)) * xp.nan, xp.ones(2)), "must not contain"),
        (lambda: linalg.cho_factor(-xp.eye(2)), r"scipy\.linalg\.cho"),
        (lambda: linalg.cho_solve((xp.eye(2), True), xp.ones(3)), r"scipy\.linalg\.cho_solve: "),
        (lambda: linalg.solve_sylvester(xp.eye(2), xp.eye(3), xp.eye(2)), "q of shape"),
        (lambda: linalg.solve_banded((1, 1), xp.eye(2), xp.ones(2)), r"\(l \+ u \+ 1, M\); got"),
        (lambda: linalg.solve_banded((-1, 2), xp.eye(2), xp.ones(2)), r"l_and_u \(-1, 2\)"),
        (lambda: linalg.solve_banded(1, xp.eye(2), xp.ones(2)), "solve_banded: .* two numbers"),
        (lambda: linalg.solve_banded((1, 0), xp.eye(2), xp.ones(3)), "needs b of shape"),
        (lambda: linalg.solve_banded((1, 0), xp.zeros((2, 2)), xp.ones(2)), "solve_banded: sing"),
        (lambda: linalg.solve_banded((0, 0), xp.ones((1, 2)), xp.ones(2) * xp.nan), "must not con"),
        (lambda: linalg.lstsq(xp.eye(2), xp.ones(3)), r"scipy\.linalg\.lstsq: expected shapes"),
    ],
)
def test_errors_name_the_function(attempt, match):
    with pytest.raises(ValueError, match=match):
        attempt()
    with pytest.raises(TypeError, match=r"scipy\.linalg\.expm: expected a Tensor"):
        linalg.expm(np.eye(2))
    with pytest.raises(xp.DeviceMismatchError, match=r"scipy\.linalg\.solve_triangular"):
        linalg.solve_triangular(xp.eye(2), xp.ones(2, device="strict:1"))
