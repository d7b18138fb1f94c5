"""`arraygrad.scipy.integrate`: SciPy's values, exact derivatives, errors."""

import math

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad, jvp
from arraygrad.scipy import integrate

scipy_integrate = pytest.importorskip("scipy.integrate")

RNG = np.random.default_rng(2)
T = xp.asarray


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 3000, 3001])
def test_simpson(n, device):
    y, x = RNG.standard_normal((2, n)), np.sort(RNG.uniform(0, 1, n))
    on = lambda a: T(a, device=device)
    close = lambda found, expected: np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)
    close(integrate.simpson(on(y)), scipy_integrate.simpson(y))
    close(integrate.simpson(on(y), dx=0.3), scipy_integrate.simpson(y, dx=0.3))
    close(integrate.simpson(on(y), on(x)), scipy_integrate.simpson(y, x))
    close(integrate.simpson(on(y.T), on(y.T), axis=0), scipy_integrate.simpson(y.T, y.T, axis=0))


def test_simpson_between_equal_abscissae():
    x, y = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0]), RNG.standard_normal(6)
    found = integrate.simpson(T(y), T(x))
    np.testing.assert_allclose(float(found), scipy_integrate.simpson(y, x), rtol=1e-12)
    assert xp.all(xp.isfinite(grad(lambda x: integrate.simpson(T(y), x))(T(x))))


def lotka_volterra(t, y, a, b):
    prey, predators = y[0], y[1]
    return xp.stack([a * prey - b * prey * predators, b * prey * predators - 0.5 * predators])


def in_numpy(t, y, a, b):
    return np.stack([a * y[0] - b * y[0] * y[1], b * y[0] * y[1] - 0.5 * y[1]])


@pytest.mark.parametrize("method", ["RK45", "RK23"])
@pytest.mark.parametrize("span", [(0.0, 4.0), (4.0, 0.0)])
@pytest.mark.parametrize("t_eval", [None, [0.0, 0.1, 1.0, 3.9, 4.0]])
def test_solutions_are_scipys(method, span, t_eval):
    if t_eval and span[0] > span[1]:
        t_eval = t_eval[::-1]
    y0, args = np.array([1.0, 0.7]), (0.8, 0.6)
    expected = scipy_integrate.solve_ivp(in_numpy, span, y0, method, t_eval, args=args)
    found = integrate.solve_ivp(lotka_volterra, span, T(y0), method, t_eval, args=args)
    np.testing.assert_array_equal(found.t.numpy(), expected.t)
    np.testing.assert_allclose(found.y.numpy(), expected.y, rtol=1e-13)
    assert (found.nfev, found.success) == (expected.nfev, True)


def test_derivatives_with_respect_to_all_that_matters():
    def f(y0, a, b):  # b comes from outside
        fun = lambda t, y, a: lotka_volterra(t, y, a, b)
        return integrate.solve_ivp(
            fun, (0, 2), y0, t_eval=[0.5, 2.0], args=(a,), rtol=1e-12, atol=1e-13
        ).y

    autodiff.check_grads(f, (T([1.0, 0.7]), T(0.8), T(0.6)))


def test_the_gradient_of_decay_is_exact():
    def end(rate, y0):
        solution = integrate.solve_ivp(lambda t, y: -rate * y, (0, 1), y0, rtol=1e-10, atol=1e-12)
        return solution.y[0, -1]

    operands = T(2.0), T([3.0])
    by_rate, by_y0 = grad(end, (0, 1))(*operands)
    assert float(by_rate) == pytest.approx(-3 * math.exp(-2), rel=1e-8)
    assert float(by_y0[0]) == pytest.approx(math.exp(-2), rel=1e-8)
    second = grad(grad(end))(*operands)
    assert float(second) == pytest.approx(3 * math.exp(-2), rel=1e-7)
    _, t = jvp(lambda r: end(r, operands[1]), (operands[0],), (T(1.0),))
    assert float(t) == pytest.approx(float(by_rate), rel=1e-12)


def test_the_tape_records_the_steps():
    rate = T(2.0)
    rate.requires_grad_()
    y = integrate.solve_ivp(lambda t, y: -rate * y, (0, 1), T([3.0]), rtol=1e-9).y
    y[0, -1].backward()
    assert float(rate.grad) == pytest.approx(-3 * math.exp(-2), rel=1e-6)


def test_complex_solutions_and_single_precision():
    found = integrate.solve_ivp(
        lambda t, y: 1j * y, (0, math.pi), T([1 + 0j]), rtol=1e-9, atol=1e-9
    )
    assert complex(found.y[0, -1]) == pytest.approx(-1.0, abs=1e-7)
    found = integrate.solve_ivp(lambda t, y: -y, (0, 1), T([1], dtype=xp.float32))
    assert found.y.dtype == xp.float64


def test_a_failed_step_is_said():
    found = integrate.solve_ivp(lambda t, y: y * y, (0, 2), T([1.0]))
    assert (found.success, found.status) == (False, -1)
    assert "step size" in found.message


def test_what_is_between_the_steps_of_a_failed_solution_is_left_out():
    found = integrate.solve_ivp(lambda t, y: y * y, (0, 2), T([1.0]), t_eval=[0.5, 1.5])
    assert found.t.shape == (1,)
    assert found.y.shape == (1, 1)


@pytest.mark.parametrize("t", [[0.0, 0.5, 1, 3], [3.0, 1.0, 0.0], [0, 0, 1, 1], [2.0], [1, 1]])
@pytest.mark.parametrize("tfirst", [False, True])
def test_odeint_is_scipys(t, tfirst):
    def fun(y, t, a):
        return xp.stack([y[1], -a * y[0] + 0.1 * t])

    def in_numpy(y, t, a):
        return [y[1], -a * y[0] + 0.1 * t]

    first = lambda f: (lambda t, y, a: f(y, t, a)) if tfirst else f
    found = integrate.odeint(first(fun), T([1.0, 0.2]), t, (2.0,), tfirst=tfirst)
    expected = np.array([[1.0, 0.2]] * len(t))
    if t[0] != t[-1]:
        expected = scipy_integrate.odeint(first(in_numpy), [1.0, 0.2], t, (2.0,), tfirst=tfirst)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-6)
    again = integrate.odeint(first(fun), T([1.0, 0.2]), T(t), (2.0,), tfirst=tfirst)
    np.testing.assert_array_equal(found.numpy(), again.numpy())


@pytest.mark.parametrize("t", [[0.1, 0.5, 1.7], [1.1, 0.5, -1.7]])
def test_odeint_is_differentiated_with_respect_to_times_too(t):
    def f(y0, t, a):
        fun = lambda y, t: xp.stack([y[1], -a * y[0] + 0.1 * t])
        return integrate.odeint(fun, y0, t, rtol=1e-12, atol=1e-12)

    at = (T([1.0, 0.2]), T(t), T(2.0))
    autodiff.check_grads(f, at)
    np.testing.assert_array_equal(f(*at).numpy(), jvp(f, at, at)[0].numpy())


def test_odeint_on_the_tape_with_many_times():
    t = xp.linspace(0.0, 3.0, 3000).requires_grad_()
    y = integrate.odeint(lambda y, t: -2 * y, xp.ones(()), t)
    assert y.shape == (3000, 1)
    y[-1, 0].backward()
    slope = -2 * math.exp(-6)
    assert float(t.grad[-1]) == pytest.approx(slope, rel=1e-5)
    assert float(t.grad[0]) == pytest.approx(-slope, rel=1e-5)
    assert xp.all(t.grad[1:-1] == 0)


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda f: integrate.odeint(f, np.ones(1), [0, 1]), TypeError, "expected a Tensor"),
        (lambda f: integrate.odeint(f, xp.ones((1, 1)), [0, 1]), ValueError, "y0 must have shape"),
        (lambda f: integrate.odeint(f, xp.ones(1), []), ValueError, "t has no elements"),
        (lambda f: integrate.odeint(f, xp.ones(1), xp.ones((1, 1))), ValueError, r"t must have sh"),
        (lambda f: integrate.odeint(f, xp.ones(1), [0, 2, 1]), ValueError, "or decreasing order"),
        (lambda f: integrate.odeint(lambda y, t: 1.0, xp.ones(1), [0, 1]), TypeError, "func: exp"),
        (
            lambda f: integrate.odeint(lambda y, t: y[0], xp.ones(1), [0, 1]),
            ValueError,
            r"func must return shape \(1,\); got",
        ),
        (
            lambda f: integrate.odeint(lambda y, t: y * y, xp.ones(1), [0, 2]),
            RuntimeError,
            r"the solver stops at t=1\.0000\d+: Required step size",
        ),
    ],
)
def test_errors_of_odeint_name_it(attempt, error, match):
    with pytest.raises(error, match=rf"^scipy\.integrate\.odeint.*{match}"):
        attempt(lambda y, t: -y)


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda f: integrate.solve_ivp(f, (0, 1), np.ones(1)), TypeError, "expected a Tensor"),
        (lambda f: integrate.solve_ivp(f, (0, 1), xp.ones((1, 1))), ValueError, "y0 must have"),
        (lambda f: integrate.solve_ivp(f, (0, 1), xp.ones(1), "LSODA"), ValueError, "'RK45' or"),
        (
            lambda f: integrate.solve_ivp(f, (0, 1), xp.ones(1), events=f),
            TypeError,
            "supported: events",
        ),
        (lambda f: integrate.solve_ivp(f, (0, 1), xp.ones(1), t_eval=[2]), ValueError, "t_eval"),
        (lambda f: integrate.solve_ivp(f, (0, 1), xp.ones(1), t_eval=[1, 0]), ValueError, "sorted"),
        (
            lambda f: integrate.solve_ivp(lambda t, y: 1.0, (0, 1), xp.ones(1)),
            TypeError,
            "fun: exp",
        ),
        (
            lambda f: integrate.solve_ivp(lambda t, y: y[0], (0, 1), xp.ones(1)),
            ValueError,
            "fun must",
        ),
    ],
)
def test_errors_name_the_function(attempt, error, match):
    with pytest.raises(error, match=rf"^scipy\.integrate\.solve_ivp.*{match}"):
        attempt(lambda t, y: -y)
    with pytest.raises(ValueError, match=r"^scipy\.integrate\.simpson: expected 3 abscissae"):
        integrate.simpson(xp.ones(3), xp.ones(2))
    with pytest.raises(ValueError, match=r"^scipy\.integrate\.simpson: axis 1"):
        integrate.simpson(xp.ones(3), axis=1)


@pytest.mark.cuda
def test_solutions_on_a_gpu_say_what_to_write():
    with pytest.raises(xp.TransferError, match=r"write y0\.to_device\(\"cpu\"\)"):
        integrate.solve_ivp(lambda t, y: -y, (0, 1), xp.ones(1, device="cuda"))
    with pytest.raises(xp.TransferError, match=r"^scipy\.integrate\.odeint.*y0\.to_device"):
        integrate.odeint(lambda y, t: -y, xp.ones(1, device="cuda"), [0, 1])
