"""SciPy's minimisers."""

import tracemalloc

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn, optim

METHODS = "BFGS L-BFGS-B CG Newton-CG trust-ncg trust-krylov trust-constr TNC SLSQP".split()


def rosenbrock(p):
    x, y = p["x"], p["more"][0]
    return (1 - x) ** 2 + 100 * arraygrad.sum((y - x**2) ** 2)


@pytest.mark.parametrize("method", METHODS)
def test_minimize_by_every_method(method, xp):
    scipy = pytest.importorskip("scipy.optimize")
    x0 = {"x": xp.asarray(-1.2), "more": [xp.asarray([1.0, 0.5])]}
    options = {"maxfun" if method == "TNC" else "maxiter": 2000}
    found = optim.minimize(rosenbrock, x0, method=method, tol=1e-9, options=options)
    assert isinstance(found, scipy.OptimizeResult)
    assert found.x.keys() == x0.keys()
    assert found.x["x"].device is x0["x"].device
    np.testing.assert_allclose(found.x["x"].numpy(), 1.0, atol=1e-4)
    np.testing.assert_allclose(found.x["more"][0].numpy(), [1.0, 1.0], atol=1e-4)
    gradient = found.grad if method == "trust-constr" else found.jac
    assert gradient["more"][0].shape == (2,)
    assert float(x0["x"]) == -1.2


def test_minimize_takes_the_steps_that_scipy_takes_with_the_same_derivatives():
    scipy = pytest.importorskip("scipy.optimize")
    x0 = np.asarray([-1.2, 1.0, 0.3])
    for method in ("BFGS", "trust-ncg"):
        more = {"hess": scipy.rosen_hess} if method == "trust-ncg" else {}
        want = scipy.minimize(scipy.rosen, x0, method=method, jac=scipy.rosen_der, **more)

        def f(x):
            return arraygrad.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

        seen = []
        found = optim.minimize(f, arraygrad.asarray(x0), method=method, callback=seen.append)
        assert found.nit == want.nit == len(seen)
        np.testing.assert_allclose(found.x.numpy(), want.x, rtol=1e-6)
        assert isinstance(seen[0], arraygrad.Tensor)


def test_minimize_bounds_and_constraints(xp):
    pytest.importorskip("scipy")

    def f(p):
        return xp.sum((p[0] - 3.0) ** 2) + (p[1] - 1.0) ** 2

    x0 = (xp.zeros((2, 2)), xp.asarray(0.5))
    for method in ("L-BFGS-B", "TNC", "SLSQP", None):
        found = optim.minimize(f, x0, method=method, bounds=((xp.asarray(-1.0), -1.0), 2.0))
        np.testing.assert_allclose(found.x[0].numpy(), 2.0, atol=1e-6)
        np.testing.assert_allclose(found.x[1].numpy(), 1.0, atol=1e-6)
    found = optim.minimize(f, x0, bounds=(np.float32(-1), np.int64(2)))
    np.testing.assert_allclose(found.x[0].numpy(), 2.0, atol=1e-6)
    equal = {"type": "eq", "fun": lambda p: xp.sum(p[0], axis=0) + p[1]}
    above = {"type": "ineq", "fun": lambda p: p[1] - 2.0}
    found = optim.minimize(f, x0, constraints=[equal, above])
    assert found.success
    np.testing.assert_allclose(found.x[1].numpy(), 2.0, atol=1e-6)
    np.testing.assert_allclose(found.x[0].numpy(), -1.0, atol=1e-6)


def test_minimize_takes_scipys_bounds(xp):
    optimize = pytest.importorskip("scipy.optimize")
    for bounds, want in (
        (optimize.Bounds(ub=0.5), [0.5, 0.5]),
        (optimize.Bounds([-1.0, 2.0], [0.5, 3.0]), [0.5, 2.0]),
    ):
        found = optim.minimize(lambda x: xp.sum((x - 1) ** 2), xp.zeros(2), bounds=bounds)
        np.testing.assert_allclose(found.x.numpy(), want, atol=1e-6)
    found = optim.minimize(
        lambda p: (p["x"] - 1) ** 2, {"x": xp.asarray(0.0)}, bounds=optimize.Bounds(0, 0.5)
    )
    np.testing.assert_allclose(found.x["x"].numpy(), 0.5, atol=1e-6)


def chained_rosenbrock(x):
    return arraygrad.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_minimize_takes_scipys_constraints(method, xp):
    optimize = pytest.importorskip("scipy.optimize")
    start = np.asarray([0.5, 0.3, 0.2])
    plane = optimize.LinearConstraint([[1.0, 1.0, 1.0]], 1.0, 1.0)
    jac = {"jac": lambda z: np.diag([2 * z[0], 2 * z[1], 1.0])}
    if method == "trust-constr":
        jac["hess"] = lambda z, v: np.diag([2 * v[0], 2 * v[1], 0.0])
    limits = [-np.inf, 0.04, 0.1], [0.2, 0.5, 0.3]
    want = optimize.minimize(
        optimize.rosen, start, jac=optimize.rosen_der, method=method,
        hess=optimize.rosen_hess if method == "trust-constr" else None,
        constraints=[
            plane,
            optimize.NonlinearConstraint(lambda z: [z[0] ** 2, z[1] ** 2, z[2]], *limits, **jac),
        ],
    )  # fmt: skip
    curved = optimize.NonlinearConstraint(
        lambda p: xp.stack([p["first"] ** 2, p["rest"][0] ** 2, p["rest"][1]]),
        xp.asarray(limits[0]),
        limits[1],
    )
    found = optim.minimize(
        lambda p: chained_rosenbrock(xp.concat([p["first"][None], p["rest"]])),
        {"first": xp.asarray(start[0]), "rest": xp.asarray(start[1:])},
        method=method,
        constraints=[plane, curved],
    )
    x = [found.x["first"].numpy(), *found.x["rest"].numpy()]
    np.testing.assert_allclose(x, want.x, atol=1e-6)
    assert sum(x) == pytest.approx(1.0)
    assert abs(found.nit - want.nit) <= 2
    disk = optimize.NonlinearConstraint(lambda x: xp.stack([x**2, -x]), -xp.inf, 0.25)
    found = optim.minimize(lambda x: -xp.sum(x), xp.zeros(2), method=method, constraints=disk)
    np.testing.assert_allclose(found.x.numpy(), 0.5, atol=1e-3)


def test_minimize_stores_no_square_matrix_of_many_unknowns():
    optimize = pytest.importorskip("scipy.optimize")
    target = arraygrad.random.default_rng(0).standard_normal((64, 64))
    square = 8 * 4096**2

    def f(x):
        return arraygrad.sum((x - target) ** 2) + arraygrad.sum((x[1:, :] - x[:-1, :]) ** 2)

    mean = optimize.NonlinearConstraint(lambda x: arraygrad.mean(x) ** 3, 0.125, 0.125)
    dict_of_mean = {"type": "eq", "fun": lambda x: arraygrad.mean(x) - 0.5}
    for more in ({}, {"bounds": (-1.0, 1.0)}, {"constraints": mean}, {"constraints": dict_of_mean}):
        tracemalloc.start()
        found = optim.minimize(f, arraygrad.ones((64, 64)), **more, options={"maxiter": 8})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.nit > 1
        assert peak < square / 8, more
    found = optim.minimize(f, arraygrad.ones((64, 64)))
    assert found.success
    assert isinstance(found.hess_inv, optimize.LbfgsInvHessProduct)


def test_minimize_of_few_unknowns_is_dense(xp):
    pytest.importorskip("scipy")
    f = lambda x: xp.sum((x - 1) ** 2)
    assert optim.minimize(f, xp.zeros((10, 10))).hess_inv.shape == (100, 100)
    assert type(optim.minimize(f, xp.zeros(101)).hess_inv).__name__ == "LbfgsInvHessProduct"
    # A complex number is two unknowns.
    z = xp.zeros(51, dtype=xp.complex128)
    found = optim.minimize(lambda z: xp.sum(abs(z - 1) ** 2), z)
    assert type(found.hess_inv).__name__ == "LbfgsInvHessProduct"


@pytest.mark.parametrize("method", METHODS)
def test_minimize_calls_back_with_results_where_scipy_does(method):
    scipy = pytest.importorskip("scipy")
    before_1_17 = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 17)
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    x0 = [arraygrad.asarray([0.5, 0.0])]
    optim.minimize(lambda x: chained_rosenbrock(x[0]), x0, method=method, callback=callback)
    if method == "TNC" or (method == "SLSQP" and before_1_17):  # which pass x, as in SciPy
        assert seen[0][0].shape == (2,)
        return
    assert isinstance(seen[0], scipy.optimize.OptimizeResult)
    assert isinstance(seen[0].x[0], arraygrad.Tensor)


def test_errors_of_minimize_name_it_and_those_of_the_users_functions_do_not():
    optimize = pytest.importorskip("scipy.optimize")
    x0 = arraygrad.ones(3)
    f = chained_rosenbrock
    Linear, Nonlinear = optimize.LinearConstraint, optimize.NonlinearConstraint
    for call, match in (
        (lambda: optim.minimize(3, x0), "minimize: expected a function"),
        (lambda: optim.minimize(lambda x: x, x0), "minimize: the function must return a real"),
        (lambda: optim.minimize(f, x0, tol="a"), "minimize: "),
        (lambda: optim.minimize(f, x0, bounds=(1, 0)), "minimize: An upper bound is less"),
        (
            lambda: optim.minimize(f, x0, bounds=optimize.Bounds([0, 0], [1, 1])),
            r"minimize: a bound of shape \(2,\)",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Linear([[1.0, 1.0]], 0, 1)),
            "minimize: the matrix of a LinearConstraint needs 3 columns",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Nonlinear(f, 0, 1, jac=lambda x: x)),
            r"minimize: .* write NonlinearConstraint\(g, low, high\) without",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Nonlinear(lambda x: x, [0, 0], 1)),
            "minimize: .*broadcast",
        ),
        (
            lambda: optim.minimize(f, x0, constraints=Nonlinear(lambda x: 1.0, 0, 1)),
            "minimize: a constraint must return a tensor",
        ),
        (lambda: optim.minimize(f, x0, constraints=3), "minimize: a constraint must be"),
        (lambda: optim.minimize(lambda x: x @ arraygrad.ones(4), x0), "^matmul: "),
    ):
        with pytest.raises((TypeError, ValueError), match=match):
            call()


def test_minimize_other_leaves(xp):
    """float32, complex numbers, Python's floats, arguments, and a module."""
    pytest.importorskip("scipy")
    z0 = [xp.asarray([1.0 + 1.0j]), xp.ones(2, dtype=xp.float32), 0.5]
    target = xp.asarray([2.0 - 3.0j])

    def f(z, target):
        return xp.sum(abs(z[0] - target) ** 2) + xp.sum((z[1] + 1) ** 2) + z[2] ** 2

    for method in ("BFGS", "Newton-CG"):
        found = optim.minimize(f, z0, (target,), method=method, tol=1e-4)
        assert [x.dtype for x in found.x] == [xp.complex128, xp.float32, xp.float64]
        np.testing.assert_allclose(found.x[0].numpy(), target.numpy(), atol=1e-2)
        np.testing.assert_allclose(found.x[1].numpy(), [-1, -1], atol=1e-2)


def test_minimize_fits_a_module():
    pytest.importorskip("scipy")
    rng = arraygrad.random.default_rng(0)
    x = rng.standard_normal((30, 2))
    y = x @ arraygrad.asarray([[1.0], [-2.0]]) + 0.5
    model = nn.Linear(2, 1, rng=rng)
    found = optim.minimize(lambda m: arraygrad.mean((m(x) - y) ** 2), model)
    assert type(found.x) is nn.Linear
    assert found.x.weight.requires_grad
    np.testing.assert_allclose(found.x.weight.detach().numpy(), [[1.0, -2.0]], atol=1e-4)
    assert found.fun < 1e-8


def test_minimize_stops_when_told():
    pytest.importorskip("scipy")

    def stop(p):
        raise StopIteration

    x0 = {"x": arraygrad.asarray(-1.2), "more": [arraygrad.asarray([1.0, 0.5])]}
    found = optim.minimize(rosenbrock, x0, callback=stop)
    assert found.nit == 1
    assert not found.success


def test_what_minimize_refuses():
    pytest.importorskip("scipy")
    x0 = arraygrad.ones(2)

    def f(x):
        return arraygrad.sum(x**2)

    for options, match in (
        ({"method": "Nelder-Mead"}, "method must be one of"),
        ({"method": "BFGS", "bounds": (0, 1)}, "not support bounds"),
        (
            {"method": "BFGS", "constraints": {"type": "eq", "fun": f}},
            "not support constraints",
        ),
        ({"bounds": [0, 1]}, "bounds must be"),
        ({"bounds": [(0, 1), (0, None)]}, "must be one pair"),
        ({"bounds": ((0, 1), (0, None))}, "or like x0; got the bound"),
        ({"bounds": ({"x": 1.0}, None)}, "or like x0"),
        ({"constraints": {"type": "eq"}}, "a constraint must be"),
    ):
        with pytest.raises(ValueError, match=match):
            optim.minimize(f, x0, **options)
    for bad, match in (
        ({}, "x0 must hold at least one tensor"),
        (arraygrad.arange(3), r"x0 must hold .*; write xp.astype\(x, xp.float64\)"),
        (np.zeros(3), r"x0 must hold .*; write xp.asarray\(x\)"),
        ("x", "x0 must hold .*got 'x'"),
    ):
        with pytest.raises(TypeError, match=match):
            optim.minimize(f, bad)

    def outer(a):
        return optim.minimize(lambda x: arraygrad.sum((x - 1.0) ** 2), a).x[0]

    with pytest.raises(autodiff.NotDifferentiableError, match="minimize"):
        autodiff.grad(outer)(x0)
