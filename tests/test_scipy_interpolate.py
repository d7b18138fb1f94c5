"""`arraygrad.scipy.interpolate`: SciPy's values, exactness, errors, large inputs.

The cases of `conformance/gradient_cases.py` show the derivatives.
"""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad
from arraygrad.scipy import interpolate

scipy_interpolate = pytest.importorskip("scipy.interpolate")

RNG = np.random.default_rng(6)
T = xp.asarray
CONDITIONS = {
    "not-a-knot": "not-a-knot",
    "natural": "natural",
    "clamped": "clamped",
    "periodic": "periodic",
    "mixed": ("natural", "not-a-knot"),
    "given": ((1, 0.5), (2, -0.3)),
}


def close(found, expected, tolerance=1e-9):
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=tolerance)


def data(n, shape=(), kind="f"):
    x = np.cumsum(RNG.uniform(0.5, 1.5, n))
    y = RNG.standard_normal((n, *shape))
    y = y + 1j * RNG.standard_normal((n, *shape)) if kind == "c" else y
    return x, y, RNG.uniform(x[0] - 1, x[-1] + 1, (3, 4))


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 3000])
@pytest.mark.parametrize(("shape", "kind"), [((), "f"), ((2,), "c"), ((2, 3), "f")])
def test_cubic_splines_are_scipys(name, n, shape, kind, device):
    x, y, q = data(n, shape, kind)
    if name == "periodic":
        y[-1] = y[0]
    bc = CONDITIONS[name]
    found = interpolate.CubicSpline(T(x, device=device), T(y, device=device), bc_type=bc)
    if name == "given":
        bc = tuple((order, np.full(shape, value)) for order, value in bc)
    spline = scipy_interpolate.CubicSpline(x, y, bc_type=bc)
    on = T(q, device=device)
    for nu in (0, 1, 2, 3, 4):
        close(found(on, nu), spline(q, nu))
    close(found.derivative(2)(on), spline.derivative(2)(q))
    close(found(on, 0, False), spline(q, 0, False))
    for how in (True, False, "periodic", None):
        for a, b in ((x[0] + 0.1, x[-1] - 0.2), (x[-1] + 3.0, x[0] - 8.0)):
            expected = np.asarray(spline.integrate(a, b, how))
            close(found.integrate(a, b, how), expected, 1e-7)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_axis_is_replaced_by_those_of_the_places(axis, device):
    x, _, q = data(5)
    y = np.moveaxis(RNG.standard_normal((5, 2, 3)), 0, axis)
    for name in ("CubicSpline", "PchipInterpolator", "make_interp_spline"):
        make, scipys = (getattr(m, name) for m in (interpolate, scipy_interpolate))
        found = make(T(x, device=device), T(y, device=device), axis=axis)
        close(found(T(q, device=device)), scipys(x, y, axis=axis)(q))
        close(found(T(q[0, 0], device=device)), scipys(x, y, axis=axis)(q[0, 0]))
        a, b = T(q[0, :2], device=device), T(q[1, :2], device=device)
        assert found.integrate(a, b).shape == found(a).shape


@pytest.mark.parametrize("n", [2, 3, 4, 3000])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_pchip_is_scipys(n, shape, device):
    x, y, q = data(n, shape)
    y[: n // 2] = np.round(y[: n // 2])  # with flat pieces
    found = interpolate.PchipInterpolator(T(x, device=device), T(y, device=device))
    expected = scipy_interpolate.PchipInterpolator(x, y)
    for nu in (0, 1, 2):
        close(found(T(q, device=device), nu), expected(q, nu))
    slopes = expected(x, 1)
    hermite = interpolate.CubicHermiteSpline(*(T(z, device=device) for z in (x, y, slopes)))
    close(hermite(T(q, device=device)), expected(q))


def test_pchip_of_flat_data_has_a_finite_gradient():
    x = T([0.0, 1.0, 2.0, 3.0])
    f = lambda y: xp.sum(interpolate.PchipInterpolator(x, y)(T([0.5, 1.5])))
    for y in (xp.zeros(4), T([0.0, 0.0, 1.0, 1.0])):
        assert xp.all(xp.isfinite(grad(f)(y)))
        assert xp.all(xp.isfinite(autodiff.hessian(f)(y)))


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("bc", [None, "natural", "clamped", "periodic"])
@pytest.mark.parametrize("n", [3, 4, 6, 9, 14, 3000])
@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_interpolating_b_splines_are_scipys(k, bc, n, shape, device):
    x, y, q = data(n, shape)
    if bc == "periodic":
        y[-1] = y[0]
    try:
        spline = scipy_interpolate.make_interp_spline(x, y, k, bc_type=bc)
    except ValueError:
        with pytest.raises(ValueError, match=r"^scipy\.interpolate\.make_interp_spline: "):
            interpolate.make_interp_spline(T(x), T(y), k, bc_type=bc)
        return
    found = interpolate.make_interp_spline(T(x, device=device), T(y, device=device), k, bc_type=bc)
    close(found.t, spline.t)
    on = T(q, device=device)
    for nu in range(min(k, 2) + 1):
        close(found(on, nu), spline(q, nu), 1e-7 * 30**nu)
    close(found(on, 0, False), spline(q, 0, False), 1e-7)
    if k:
        close(found.derivative()(on), spline.derivative()(q), 1e-5)
        for how in (True, False, "periodic", None):
            for a, b in ((x[0] + 0.1, x[-1] - 0.2), (x[-1] + 0.3, x[0] - 0.4)):
                expected = np.asarray(spline.integrate(a, b, how))
                close(found.integrate(a, b, how), expected.reshape(shape), 1e-6)


def test_given_derivatives_and_knots(device):
    x, y, q = data(6)
    bc = ([(1, 0.5), (2, -1.0)], [(2, 0.3)])
    on = [T(z, device=device) for z in (x, y, q)]
    expected = scipy_interpolate.make_interp_spline(
        x, y, 4, np.r_[(x[0],) * 5, x[1:-1], (x[-1],) * 5], bc
    )
    found = interpolate.make_interp_spline(*on[:2], 4, T(expected.t, device=device), bc)
    close(found(on[2]), expected(q))
    close(found.c, expected.c)


def test_splines_of_complex_numbers_are_those_of_their_parts(device):
    x, y, q = data(9, (2,), "c")
    y[-1] = y[0]
    on = lambda a: T(a, device=device)
    for bc in ("not-a-knot", "periodic"):
        whole, re, im = (
            interpolate.make_interp_spline(on(x), on(z), bc_type=bc)(on(q))
            for z in (y, y.real, y.imag)
        )
        close(whole, re.numpy() + 1j * im.numpy())


def test_a_b_spline_with_repeated_knots(device):
    t = np.array([0.0, 0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 3])
    c = RNG.standard_normal((8, 2))
    found = interpolate.BSpline(T(t, device=device), T(c, device=device), 3)
    expected = scipy_interpolate.BSpline(t, c, 3)
    q = np.linspace(0, 2.9, 30)
    for nu in (0, 1, 2, 3, 4):
        close(found(T(q, device=device), nu), expected(q, nu))
    close(found.antiderivative()(T(q, device=device)), expected.antiderivative()(q))
    close(found.integrate(0.3, 2.7), np.asarray(expected.integrate(0.3, 2.7)))


@pytest.mark.parametrize("method", ["linear", "nearest"])
@pytest.mark.parametrize("fill", [float("nan"), None, 3.0])
def test_grids(method, fill, device):
    x, y = np.cumsum(RNG.uniform(0.5, 1, 4)), np.array([1.5, 2.5, 4.0, 4.5, 5.0])
    values, q = RNG.standard_normal((4, 5, 2)), RNG.uniform(-1, 6, (3, 300, 2))
    on = lambda a: T(a, device=device)
    found = interpolate.RegularGridInterpolator((on(x), on(y)), on(values), method, False, fill)
    expected = scipy_interpolate.RegularGridInterpolator((x, y), values, method, False, fill)
    close(found(on(q)), expected(q))
    close(found(on(q[0, 0])), expected(q[0, 0]))
    close(found((on(q[0, :, 0]), on(q[0, :, 1]))), expected((q[0, :, 0], q[0, :, 1])))
    one = interpolate.RegularGridInterpolator((on(x),), on(values), method, False, fill)
    expected = scipy_interpolate.RegularGridInterpolator((x,), values, method, False, fill)
    close(one(on(q[0, :, 0])), expected(q[0, :, 0]))


def test_large_splines_have_right_gradients():
    x, y, _ = data(3000)
    q, w = T(RNG.uniform(x[0], x[-1], 3000)), T(RNG.standard_normal(3000))
    for make in (interpolate.CubicSpline, interpolate.make_interp_spline):
        f = lambda y: xp.sum(w * make(T(x), y)(q))
        found = grad(f)(T(y))
        assert float(xp.sum(found * T(y))) == pytest.approx(float(f(T(y))), rel=1e-9)  # linear
        g = lambda q: xp.sum(w * make(T(x), T(y))(q))
        close(grad(g)(q), (w * make(T(x), T(y))(q, 1)).numpy())


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_precision_and_ints(dtype, device):
    x = T([0.0, 1.0, 2.0, 3.0], dtype="float32" if dtype == "float32" else None, device=device)
    y = T([0, 1, 1, 0], dtype=dtype, device=device)
    expected = "float32" if dtype == "float32" else "float64"
    for make in (
        interpolate.CubicSpline,
        interpolate.PchipInterpolator,
        interpolate.make_interp_spline,
    ):
        found = make(x, y)(1.5)
        assert found.dtype.name == expected
        assert float(found) == pytest.approx(1.125 if "Pchip" not in make.__name__ else 1.0)


def test_no_values_and_no_places():
    x = T([0.0, 1.0, 2.0, 3.0])
    for make in (
        interpolate.CubicSpline,
        interpolate.PchipInterpolator,
        interpolate.make_interp_spline,
    ):
        assert make(x, xp.zeros((4, 0)))(T([0.5, 1.0])).shape == (2, 0)
        assert make(x, x)(xp.zeros((0, 2))).shape == (0, 2)
        assert grad(lambda y, make=make: xp.sum(make(x, y)(xp.zeros(0))))(x).shape == (4,)


def test_splines_work_in_strict_mode_and_on_the_tape():
    x = T([0.0, 1.0, 2.0, 4.0, 5.0])
    y = T([0.5, 1.0, 2.0, 4.0, 0.5]).requires_grad_()
    with xp.strict():
        total = interpolate.CubicSpline(x, y, bc_type="natural").integrate(0.5, 3.0)
        for bc in (None, "periodic"):
            total = total + interpolate.make_interp_spline(x, y, bc_type=bc)(T([0.5]), 1)[0]
        total = total + interpolate.PchipInterpolator(x, y)(T([0.5]))[0]
        total = total + interpolate.RegularGridInterpolator((x,), y)(T([[0.5]]))[0]
    total.backward()
    assert y.grad.shape == (5,)
    assert xp.all(xp.isfinite(y.grad))


X, FALLING = T([0.0, 1.0, 2.0, 3.0]), T([0.0, 2.0, 1.0, 3.0])


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda: interpolate.CubicSpline(X.numpy(), X), TypeError, r"CubicSpline: expected a Ten"),
        (lambda: interpolate.CubicSpline(X, X[:2]), ValueError, r"CubicSpline: y must have 4 val"),
        (lambda: interpolate.CubicSpline(X, X, 1), ValueError, r"CubicSpline: axis 1 does not"),
        (lambda: interpolate.CubicSpline(FALLING, X), ValueError, r"x must be strictly increasing"),
        (lambda: interpolate.CubicSpline(X[:1], X[:1]), ValueError, r"at least two points; got 1"),
        (lambda: interpolate.CubicSpline(1j * X, X), ValueError, r"x must be real"),
        (lambda: interpolate.CubicSpline(X, X, bc_type="a"), ValueError, r"bc_type must be 'not-"),
        (
            lambda: interpolate.CubicSpline(X, X, bc_type=((3, 0.0), "natural")),
            ValueError,
            r"CubicSpline: bc_type must be .* with order 1 or 2; got \(3, 0\.0\)",
        ),
        (
            lambda: interpolate.CubicSpline(X, X, bc_type="periodic"),
            ValueError,
            r"CubicSpline: the first and the last value of a periodic spline must be equal",
        ),
        (
            lambda: interpolate.CubicSpline(X, X, bc_type=("periodic", "natural")),
            ValueError,
            r"'periodic' at both ends or at none",
        ),
        (lambda: interpolate.CubicSpline(X, X)(X, -1), ValueError, r"nu must not be negative"),
        (lambda: interpolate.CubicSpline(X, X)(1j * X), TypeError, r"CubicSpline: x must be real"),
        (lambda: interpolate.CubicSpline(X, X, extrapolate="a"), ValueError, r"extrapolate must"),
        (lambda: interpolate.PchipInterpolator(X, 1j * X), TypeError, r"y must be real"),
        (lambda: interpolate.PPoly(X, X), ValueError, r"PPoly: expected c of shape \(k, m"),
        (lambda: interpolate.BSpline(X, X, 3), ValueError, r"BSpline: t must .* at least 8 knots"),
        (lambda: interpolate.BSpline(X, X[:1], 0), ValueError, r"c must have at least 3 coef"),
        (lambda: interpolate.BSpline(FALLING, X, 0), ValueError, r"BSpline: t must be sorted"),
        (lambda: interpolate.BSpline(X, X, 1).derivative(2), ValueError, r"at most the degree, 1"),
        (lambda: interpolate.make_interp_spline(X, X, 5), ValueError, r"needs at least 6 points"),
        (
            lambda: interpolate.make_interp_spline(X, X, 3, X),
            ValueError,
            r"make_interp_spline: 4 points and 0 conditions need 8 knots; got 4",
        ),
        (
            lambda: interpolate.make_interp_spline(X, X, 1, T([0.0, 0.0, 0.1, 0.2, 3.0, 3.0])),
            ValueError,
            r"make_interp_spline: the knots do not fit the abscissae",
        ),
        (
            lambda: interpolate.make_interp_spline(X, X, bc_type=([(4, 0.0)], None)),
            ValueError,
            r"make_interp_spline: orders in bc_type must be from 0 to 3; got 4",
        ),
        (
            lambda: interpolate.RegularGridInterpolator((X,), X)(T([[9.0]])),
            ValueError,
            r"RegularGridInterpolator: a place is outside of the grid; write bounds_error=False",
        ),
        (
            lambda: interpolate.RegularGridInterpolator((X, X), X),
            ValueError,
            r"RegularGridInterpolator: expected values with an axis for each of the points",
        ),
        (
            lambda: interpolate.RegularGridInterpolator((X,), X, "cubic"),
            ValueError,
            r"method must be 'linear' or 'nearest'; got 'cubic'",
        ),
        (
            lambda: interpolate.RegularGridInterpolator((X,), X)(xp.ones((2, 3))),
            ValueError,
            r"xi must have shape \(\.\.\., 1\); got \(2, 3\)",
        ),
    ],
)
def test_errors_name_the_function(attempt, error, match):
    with pytest.raises(error, match=rf"^scipy\.interpolate\..*{match}"):
        attempt()


def test_devices_are_not_mixed():
    y = T([0.0, 1.0, 2.0, 3.0], device="strict:1")
    with pytest.raises(xp.DeviceMismatchError, match=r"scipy\.interpolate\.CubicSpline"):
        interpolate.CubicSpline(X, y)
    with pytest.raises(xp.DeviceMismatchError, match=r"scipy\.interpolate\.CubicSpline"):
        interpolate.CubicSpline(X, X)(y)
