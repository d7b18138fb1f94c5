"""Kinks, ties, branches not taken and extremes: one documented subgradient, and never NaN."""

import math
import warnings

import numpy as np
import pytest
from autodiff.support import each_size
from mpmath import mp, mpf

import arraygrad as xp
from arraygrad.autodiff import grad, hvp, jvp, variable

pytestmark = pytest.mark.filterwarnings("error")
INF = math.inf
total = xp.sum


def ignoring(f):
    """The function, without the warnings that it gives outside of differentiation as well."""

    def run(*args):
        with np.errstate(all="ignore"):
            return f(*args)

    return run


#: function of tensors, arguments, gradients
CASES = {
    "hypot(0, 0)": (xp.hypot, [0.0, 0.0], [0.0, 0.0]),
    "atan2(0, 0)": (xp.atan2, [0.0, 0.0], [0.0, 0.0]),
    "abs(0)": (xp.abs, [0.0], [0.0]),
    "abs of complex 0": (lambda z: total(xp.abs(z)), [[0j, 3 + 4j]], [[0j, 0.6 + 0.8j]]),
    "sign of complex 0": (
        lambda z: total(xp.real(xp.sign(z))),
        [[0j, 3 + 4j]],
        [[0j, 0.128 - 0.096j]],
    ),
    "vector_norm(0)": (xp.linalg.vector_norm, [[0.0, 0.0]], [[0.0, 0.0]]),
    "vector_norm(0), ord=1": (
        lambda x: xp.linalg.vector_norm(x, ord=1), [[0.0, 2.0]], [[0.0, 1.0]]
    ),
    "vector_norm(0), ord=3": (
        lambda x: xp.linalg.vector_norm(x, ord=3), [[0.0, 0.0]], [[0.0, 0.0]]
    ),
    "vector_norm, ord=inf, ties": (
        lambda x: xp.linalg.vector_norm(x, ord=INF), [[-2.0, 2.0, 1.0]], [[-0.5, 0.5, 0.0]]
    ),
    "matrix_norm(0)": (xp.linalg.matrix_norm, [[[0.0, 0.0]]], [[[0.0, 0.0]]]),
    "std of a constant": (xp.std, [[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]]),
    "var of one": (xp.var, [[2.0]], [[0.0]]),
    "maximum, equal": (xp.maximum, [1.0, 1.0], [0.5, 0.5]),
    "minimum, equal": (xp.minimum, [1.0, 1.0], [0.5, 0.5]),
    "max, ties": (xp.max, [[2.0, 1.0, 2.0]], [[0.5, 0.0, 0.5]]),
    "min, ties": (xp.min, [[1.0, 1.0, 1.0, 2.0]], [[1 / 3, 1 / 3, 1 / 3, 0.0]]),
    "maximum with a scalar, equal": (lambda x: xp.maximum(x, 1.0), [1.0], [0.0]),
    "minimum with a scalar, equal": (lambda x: xp.minimum(1.0, x), [1.0], [0.0]),
    "clip, at its ends": (
        lambda x: total(xp.clip(x, 0.0, 1.0)), [[0.0, 0.5, 1.0, 2.0]], [[0.0, 1.0, 0.0, 0.0]]
    ),
    "clip, at ends that are tensors": (
        lambda x, low, high: total(xp.clip(x, low, high)),
        [[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]],
        [[0.5, 0.5], [0.5, 0.0], [0.0, 0.5]],
    ),
    "clip, ends that cross": (
        lambda x, low, high: total(xp.clip(x, low, high)),
        [[0.0], [2.0], [1.0]],
        [[0.0], [0.0], [1.0]],
    ),
    "x**0 at 0": (lambda x: total(x**0.0), [[0.0, 2.0]], [[0.0, 0.0]]),
    "x**1 at 0": (lambda x: total(x**1.0), [[0.0, 2.0]], [[1.0, 1.0]]),
    "x**2 at 0": (lambda x: total(x**2.0), [[0.0, 2.0]], [[0.0, 4.0]]),
    "pow(0, 0)": (xp.pow, [0.0, 0.0], [0.0, 0.0]),
    "pow(0, y)": (lambda x, y: total(x**y), [[0.0, 0.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 0.0]]),
    "0**y": (lambda y: total(0.0**y), [[1.0, 2.5]], [[0.0, 0.0]]),
    "pow(negative, whole)": (xp.pow, [-2.0, 3.0], [12.0, 0.0]),
    "prod, one zero": (xp.prod, [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
    "prod, two zeros": (xp.prod, [[0.0, 2.0, 0.0]], [[0.0, 0.0, 0.0]]),
    "logaddexp(-inf, -inf)": (
        lambda a, b: xp.exp(xp.logaddexp(a, b)) + xp.logaddexp(a, b),
        [-INF, -INF],
        [0.5, 0.5],
    ),
    "logaddexp(inf, 0)": (xp.logaddexp, [INF, 0.0], [1.0, 0.0]),
    "logaddexp(-inf, 0)": (xp.logaddexp, [-INF, 0.0], [0.0, 1.0]),
    "copysign(0, -1)": (lambda x: xp.copysign(x, -1.0), [0.0], [0.0]),
    "sort, ties": (lambda x: xp.sort(x)[0], [[1.0, 1.0]], [[1.0, 0.0]]),
    "sqrt of a square at 0": (lambda x: total(xp.sqrt(x * x)), [[0.0, -2.0]], [[0.0, -1.0]]),
    "norm by hand at 0": (lambda x: xp.sqrt(total(x**2)), [[0.0, 0.0]], [[0.0, 0.0]]),
    "sqrt of nothing": (lambda x: xp.sqrt(x * 0.0), [1.0], [0.0]),
    "where, sqrt(0)": (
        lambda x: total(xp.where(x > 0, xp.sqrt(x), 0.0)), [[0.0, 4.0]], [[0.0, 0.25]]
    ),
    "where, sqrt(-1)": (
        lambda x: total(xp.where(x > 0, xp.sqrt(x), 0.0)), [[-1.0, 4.0]], [[0.0, 0.25]]
    ),
    "where, log": (
        lambda x: total(xp.where(x > 0, xp.log(x), x)), [[-1.0, 0.0, 2.0]], [[1.0, 1.0, 0.5]]
    ),
    "where, x / x": (
        lambda x: total(xp.where(x != 0, x / x, 0.0)), [[0.0, 2.0]], [[0.0, 0.0]]
    ),
    "where, sin(x) / x": (
        lambda x: total(xp.where(x != 0, xp.sin(x) / x, 1.0)),
        [[0.0, math.pi]],
        [[0.0, -1 / math.pi]],
    ),
    "where, exp overflows": (
        lambda x: total(xp.where(x < 100, xp.exp(x), x)), [[0.0, 1e4]], [[1.0, 1.0]]
    ),
    "where, x exp(x) overflows": (
        lambda x: total(xp.where(x < 100, x * xp.exp(x), 0.0)), [[0.0, 1e4]], [[1.0, 0.0]]
    ),
    "where, pow": (
        lambda x: total(xp.where(x > 0, x**0.5, 0.0)), [[-1.0, 0.0, 4.0]], [[0.0, 0.0, 0.25]]
    ),
    "where, atanh": (
        lambda x: total(xp.where(xp.abs(x) < 1, xp.atanh(x), 0.0)),
        [[1.0, 2.0, 0.0]],
        [[0.0, 0.0, 1.0]],
    ),
    "mask, sqrt(0)": (
        lambda x: total(xp.sqrt(x)[x > 0]), [[0.0, 4.0]], [[0.0, 0.25]]
    ),
    "maximum, sqrt(0)": (lambda x: total(xp.maximum(xp.sqrt(x), 1.0)), [[0.0, 4.0]], [[0, 0.25]]),
    "assignment, log": (
        lambda x: _masked(xp.log(x), x <= 0), [[0.0, -1.0, 2.0]], [[0.0, 0.0, 0.5]]
    ),
    "complex where, log": (
        lambda z: total(xp.real(xp.where(xp.abs(z) > 0, xp.log(z), 0.0))),
        [[0j, 2 + 0j]],
        [[0j, 0.5 + 0j]],
    ),
}  # fmt: skip


def _masked(y, mask):
    y[mask] = 0.0
    return total(y)


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    f, arguments, expected = CASES[case]
    args = [xp.asarray(a) for a in arguments]
    numbers = tuple(range(len(args)))
    f = ignoring(f)
    assert np.isfinite(float(f(*args))) or "inf" in case
    for g, e in zip(grad(f, numbers)(*args), expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e, rtol=1e-14, atol=1e-300)
    variables = [variable(a) for a in args]
    f(*variables).backward()
    for v, e in zip(variables, expected, strict=True):
        np.testing.assert_allclose(v.grad.numpy(), e, rtol=1e-14, atol=1e-300)
    # Forward mode in each direction by itself is the same number.
    for k, e in enumerate(expected):
        for index in np.ndindex(np.shape(e)):
            directions = [np.zeros_like(np.asarray(a)) for a in arguments]
            directions[k][index] = 1.0
            t = jvp(f, tuple(args), tuple(xp.asarray(d) for d in directions))[1]
            np.testing.assert_allclose(t.numpy(), np.real(np.asarray(e)[index]), rtol=1e-14)
    # Second derivatives, where they exist, are numbers as well.
    h = hvp(f, tuple(args), tuple(xp.ones_like(a) for a in args))
    for t in h if isinstance(h, tuple) else (h,):
        assert not np.isnan(t.numpy()).any()


def test_second_order_of_prod_with_zeros():
    x = np.asarray([0.0, 2.0, 0.0, 3.0])
    expected = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            if i != j:
                expected[i, j] = np.prod(np.delete(x, [i, j]))
    from arraygrad.autodiff import hessian, jacobian

    np.testing.assert_array_equal(hessian(xp.prod)(xp.asarray(x)).numpy(), expected)
    third = jacobian(hessian(xp.prod))(xp.asarray(x)).numpy()
    assert third[0, 1, 2] == 3.0
    assert third[0, 2, 3] == 2.0
    f = lambda x: xp.sum(xp.cumulative_prod(x) * xp.asarray([1.0, 2.0, 3.0, 4.0]))
    second = hessian(f)(xp.asarray(x)).numpy()
    assert second[0, 1] == 2.0
    assert second[0, 2] == 2 * 3 + 4 * 2 * 3


def test_spread_of_complex_numbers():
    """Outside of the standard, but there is a value."""
    x = xp.asarray([1 + 2j, 0.5 - 1j, 0.3 + 0.2j])
    t = xp.asarray([1.0, 1j, -0.5])
    for f in (xp.var, xp.std):
        g = xp.sum(xp.real(xp.conj(grad(f)(x)) * t))
        found = jvp(f, (x,), (t,))[1]
        h = 1e-5
        np.testing.assert_allclose(found.item(), g.item(), rtol=1e-12)
        numeric = (f(x + h * t) - f(x - h * t)).item() / (2 * h)
        np.testing.assert_allclose(found.item(), numeric, rtol=1e-8)


@pytest.mark.parametrize("function", ["cumulative_sum", "cumulative_prod"])
@pytest.mark.parametrize("initial", [False, True])
def test_running_ones_of_one_number(function, initial):
    def f(x):
        y = getattr(xp, function)(x, axis=0, include_initial=initial)
        return xp.sum(y * y)

    for g in (grad(f)(xp.asarray(3.0)), jvp(f, (xp.asarray(3.0),), (xp.asarray(1.0),))[1]):
        assert g.shape == ()
        assert g.item() == 6.0


# ---- gradients against many digits, at extremes

with mp.workdps(60):
    PRECISE = {
        "expm1": [-40.0, -1e-20, 1e-20, 5.0],
        "log1p": [-0.999999, 1e-20, 1e200],
        "asinh": [1e200, -1e-200, 3.0],
        "acosh": [1 + 1e-12, 1e200],
        "atanh": [1 - 1e-12, 1e-200],
        "asin": [1 - 1e-12, 1e-200],
        "acos": [-1 + 1e-12, 0.5],
        "atan": [1e150, -1e-200, 1.0],
        "sqrt": [1e-300, 1e300],
        "log": [1e-300, 1e300],
        "log2": [1e-300, 3.0],
        "log10": [1e300, 3.0],
        "tan": [1.5, 1e-200],
        "sinh": [-700.0, 1e-200],
        "cosh": [700.0, 1e-200],
        "exp": [-700.0, 700.0],
        "sin": [1e5, 1e-200],
        "cos": [1e5, 1e-200],
        "reciprocal": [1e-150, -1e150],
    }
REFERENCE = {
    "expm1": mp.exp,
    "log1p": lambda x: 1 / (1 + x),
    "asinh": lambda x: 1 / mp.sqrt(1 + x * x),
    "acosh": lambda x: 1 / mp.sqrt(x * x - 1),
    "atanh": lambda x: 1 / (1 - x * x),
    "asin": lambda x: 1 / mp.sqrt(1 - x * x),
    "acos": lambda x: -1 / mp.sqrt(1 - x * x),
    "atan": lambda x: 1 / (1 + x * x),
    "sqrt": lambda x: 1 / (2 * mp.sqrt(x)),
    "log": lambda x: 1 / x,
    "log2": lambda x: 1 / (x * mp.log(2)),
    "log10": lambda x: 1 / (x * mp.log(10)),
    "tan": lambda x: 1 / mp.cos(x) ** 2,
    "sinh": mp.cosh,
    "cosh": mp.sinh,
    "exp": mp.exp,
    "sin": mp.cos,
    "cos": lambda x: -mp.sin(x),
    "reciprocal": lambda x: -1 / (x * x),
}


@pytest.mark.parametrize("name", PRECISE)
def test_precision(name):
    x = xp.asarray(PRECISE[name])
    g = grad(lambda x: total(getattr(xp, name)(x)))(x)
    with mp.workdps(60):
        for found, at in zip(g.tolist(), PRECISE[name], strict=True):
            exact = REFERENCE[name](mpf(at))
            assert abs(mpf(found) - exact) <= 1e-14 * abs(exact), (name, at)


@pytest.mark.parametrize("f", [xp.std, xp.var])
def test_precision_of_numbers_that_differ_by_little(f):
    x = 0.1165 + 1e-8 * np.sin(np.arange(16))
    move = 0.3 + 1e-8 * np.cos(np.arange(16) ** 2)  # most of it moves all alike
    with mp.workdps(40):
        a, b = [mpf(v) for v in x], [mpf(v) for v in move]
        exact = sum((v - sum(a) / 16) * (w - sum(b) / 16) for v, w in zip(a, b, strict=True)) / 8
        if f is xp.std:
            exact /= 2 * mp.sqrt(sum((v - sum(a) / 16) ** 2 for v in a) / 16)
        exact = float(exact)
    g, t = xp.asarray(x), xp.asarray(move)
    assert float(grad(f)(g) @ t) == pytest.approx(exact, rel=1e-6, abs=0)
    assert float(jvp(f, (g,), (t,))[1]) == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (xp.hypot, (1e300, 1e300)),
        (xp.hypot, (1e-300, 2e-300)),
        (lambda a, b: xp.atan2(a, b) * 1e200, (1e200, 3e200)),
        (lambda a, b: xp.atan2(a, b) * 1e-200, (1e-200, 3e-200)),
        (xp.logaddexp, (800.0, 799.0)),
        (xp.logaddexp, (-800.0, -801.0)),
        (lambda a, b: xp.linalg.vector_norm(xp.stack([a, b])), (1e300, 1e300)),
        (lambda a, b: xp.linalg.vector_norm(xp.stack([a, b])), (1e-300, 1e-300)),
    ],
)
def test_no_overflow(f, args):
    """Scaled down (or up), the functions have the same gradients: they are homogeneous."""
    small = {1e300: 1e-300, 1e-300: 1e300, 1e200: 1e-200, 1e-200: 1e200}.get(args[0])
    found = [float(g) for g in grad(f, (0, 1))(*args)]
    assert np.all(np.isfinite(found))
    if small is None:  # logaddexp: moved
        expected = [float(g) for g in grad(f, (0, 1))(1.0, 0.0)]
    else:
        scaled = lambda a, b: f(a / small, b / small) * small
        expected = [float(g) for g in grad(scaled, (0, 1))(*(a * small for a in args))]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_gradients_have_the_dtype_of_their_argument(device):
    with xp.default_device(device):
        for dtype in (xp.float32, xp.float64, xp.complex64, xp.complex128):
            x = xp.asarray([1.0, 2.0], dtype=dtype)
            y = xp.asarray([1.0, 2.0], dtype=xp.float64)
            gx, gy = grad(lambda x, y: xp.sum(xp.abs(xp.exp(x) * y + x * 2)), (0, 1))(x, y)
            assert (gx.dtype, gy.dtype) == (dtype, xp.float64)
            assert gx.device == gy.device == xp.Device(device)
            t = jvp(lambda x: x * 3, (x,), (x,))[1]
            assert t.dtype == dtype


def test_gradients_return_to_their_device():
    for other in ("strict:1", "strict:0"):
        x = xp.asarray([1.0, 2.0])
        out, g = xp.autodiff.value_and_grad(lambda x, to=other: xp.sum((x * 2).to_device(to) ** 2))(
            x
        )
        assert (out.device, g.device) == (xp.Device(other), xp.Device("cpu"))
        np.testing.assert_array_equal(g.numpy(), [8.0, 16.0])
        y = xp.asarray([1.0, 2.0], device=other)
        g = grad(lambda y, x=x: xp.sum(y.to_device("cpu") * x))(y)
        assert g.device == xp.Device(other)


def test_reductions_of_no_axes_take_an_axis():
    # NumPy allows 0 and -1 there.
    x = xp.asarray(0.7)
    for f in (xp.sum, xp.mean, xp.prod, xp.max):
        for axis in (0, -1):
            assert grad(lambda x, f=f, axis=axis: 3 * f(x, axis=axis))(x) == 3.0
    assert grad(lambda x: xp.var(x, axis=-1))(x) == grad(lambda x: xp.std(x, axis=0))(x) == 0.0


def test_tensors_of_no_axes_are_repeated_and_taken_along_one():
    # NumPy allows 0 and -1 there, too.
    x, weights = xp.asarray(0.7), xp.asarray([1.0, 2.0, 4.0])
    several = xp.asarray([0, 0, 0])
    for axis in (0, -1, None):
        for n in (3, xp.asarray([3])):
            g = grad(lambda x, n=n, k=axis: xp.sum(weights * xp.repeat(x, n, axis=k)))(x)
            assert g == 7.0
    for axis in (0, -1):
        assert grad(lambda x, k=axis: xp.sum(weights * xp.take(x, several, axis=k)))(x) == 7.0
        assert grad(lambda x, k=axis: xp.sum(xp.cumulative_prod(x, axis=k)))(x) == 1.0


def test_the_gradient_of_what_is_reduced_to_a_constant_is_there():
    """Zeros, or of no elements, and not None: the tensor has been used."""
    for f in (
        xp.prod, xp.sum, xp.mean, xp.var, xp.std, xp.cumulative_prod, xp.nanprod, xp.diff,
        lambda x: xp.prod(xp.reshape(x, (3, 0)), axis=1),
        lambda x: xp.prod(xp.reshape(x, (3, 0)), axis=0),
    ):  # fmt: skip
        x = variable(xp.zeros(0))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of means of nothing
            total(f(x)).backward()
            assert grad(lambda x, f=f: total(f(x)))(xp.zeros(0)).shape == (0,)
        assert x.grad is not None
        assert (x.grad.shape, x.grad.dtype) == ((0,), xp.float64)
    x = variable(xp.ones(1))
    total(xp.diff(x)).backward()
    assert x.grad.tolist() == [0.0]


@each_size
@pytest.mark.parametrize("size", [1e200, 1e-200, 1e308, 1e-300])
def test_norms_and_spreads_at_extremes_are_finite_and_without_warnings(size, n):
    """(Warnings are errors here.)"""
    a = np.cos(np.arange(float(n)))
    x = xp.asarray(a * size)
    for ord in (1.5, 2, 3, 10, -1, -2, -3):
        norm = lambda x, ord=ord: xp.linalg.vector_norm(x, ord=ord)
        expected = float(norm(xp.asarray(a)))
        if math.isfinite(expected * size):
            assert float(norm(x)) / size == pytest.approx(expected, rel=1e-12)
            assert jvp(norm, (x,), (xp.asarray(a),))[1].item() == pytest.approx(expected, rel=1e-9)
            slope = grad(norm)(xp.asarray(a)).numpy()
            np.testing.assert_allclose(grad(norm)(x).numpy(), slope, rtol=1e-9, atol=1e-15)
    for spread in (xp.std, lambda x: xp.std(x, correction=1)):
        expected = float(spread(xp.asarray(a)))
        if size < 1e300:
            assert float(spread(x)) / size == pytest.approx(expected, rel=1e-9)
            slope = grad(spread)(xp.asarray(a)).numpy()
            np.testing.assert_allclose(grad(spread)(x).numpy(), slope, rtol=1e-9, atol=1e-12)


def test_finite_results_have_no_overflow_warnings():
    low, high = xp.asarray([-1e308]), xp.asarray([1e308])
    assert xp.logaddexp(low, high).tolist() == xp.logaddexp(high, low).tolist() == [1e308]
    assert int(xp.linalg.matrix_rank(xp.asarray([[1e308, 0.0], [0.0, 1e308]]))) == 2
    assert float(xp.std(xp.asarray([1e30, 3e30], dtype=xp.float32))) == pytest.approx(1e30)
