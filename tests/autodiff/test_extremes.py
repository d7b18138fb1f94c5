"""Derivatives at extreme arguments, where a simple formula overflows, underflows or cancels.

The expected values were computed by mpmath with 400 digits.
"""

import math

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import nn
from arraygrad.autodiff import grad, jvp, vjp

INF, NAN = math.inf, math.nan
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request):
    with xp.default_device(request.param):
        yield request.param


def function(name):
    prefix, _, rest = name.rpartition(".")
    return getattr(xp.special if prefix else xp, rest)


def derivatives(f, operands, i):
    """The derivative in operand i in both modes, for three elements, and of one without axes."""
    for shape in ((3,), ()):
        tensors = [xp.full(shape, x) for x in operands]

        def partial(x, tensors=tensors):
            return f(*tensors[:i], x, *tensors[i + 1 :])

        one = xp.ones(shape)
        yield vjp(partial, tensors[i])[1](one)[0]
        yield jvp(partial, (tensors[i],), (one,))[1]


def close(found, expected, rtol=1e-10):
    found = xp.asarray(found, copy=True).to_device("cpu").numpy()
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=rtol, atol=0)


#: (function, number of the operand, operands, derivative)
ELEMENTWISE = [
    ("log10", 0, (1.7e308,), 2.554673422960305e-309),
    ("log2", 0, (1e-308,), 1.4426950408889635e308),
    ("hypot", 0, (INF, 1.0), 1.0),
    ("hypot", 1, (INF, 1.0), 0.0),
    ("hypot", 0, (3.0, -INF), 0.0),
    ("hypot", 1, (3.0, -INF), -1.0),
    ("pow", 0, (5e-324, 0.0), 0.0),
    ("pow", 0, (1e-300, 0.0), 0.0),
    ("special.beta", 0, (0.5, 1e-30), -4.934802200544679),
    ("special.beta", 1, (3.0, 1e15), -5.999999999999976e-60),
    ("special.beta", 0, (1e30, 3.0), -5.9999999999999995e-120),
    ("special.beta", 0, (-0.5, -1e-30), -8.934802200544679),
    ("special.betaln", 0, (2.0, 1e-300), -6.449340668482265e-301),
    ("special.betaln", 0, (1e15, 3.0), -2.999999999999997e-15),
    ("special.betaln", 1, (3.0, 1e300), -2.9999999999999996e-300),
    ("special.betaln", 0, (INF, 2.0), 0.0),
    ("special.binom", 0, (0.0, 1e-160), 1.6449340668482265e-160),
    ("special.binom", 0, (1e150, 1e-160), 1e-310),
    ("special.binom", 1, (1e30, 1e30), -69.6547684547229),
    ("special.binom", 1, (0.0, 1e-30), -3.289868133696453e-30),
    ("special.poch", 0, (1e15, 1.0), 1.0),
    ("special.poch", 0, (1e-30, -2.0), 0.75),
    ("special.poch", 1, (1e-30, -2.0), -4.999999999986239e29),
    ("special.poch", 0, (0.5, 1e-160), 4.934802200544679e-160),
    ("special.gammainc", 1, (1e4, 1e4), 0.003989389558962826),
    ("special.gammainc", 1, (1e15, 1e15), 1.2615662610100799e-08),
    ("special.gammaincc", 1, (1e300, 1e300), -3.9894228040143264e-151),
    ("special.gammainc", 1, (1e30, 1e30), 3.989422804014327e-16),
    ("special.pdtr", 1, (1e15, 1e15), -1.2615662610100799e-08),
    ("special.pdtrc", 1, (1e30, 1e30), 3.989422804014327e-16),
    ("special.chdtr", 1, (1e15, 1e15), 8.920620580763854e-09),
    ("special.betainc", 2, (2.0, 1e300, 1e-30), 0.0),
    ("special.betainc", 2, (1.0, 1e4, 1e-30), 1e4),
    ("special.betainc", 2, (1e4, 1e4, 0.5), 112.8365062444084),
    ("special.betaincc", 2, (10.0, 1e4, 0.001), -1251.7207316782565),
    ("special.bdtr", 2, (0.0, 1e4, 1e-300), -1e4),
    ("special.nbdtr", 2, (0.5, 1e4, 0.9999999999999999), 0.011889852300832771),
    ("special.fdtr", 2, (1e30, 0.5, 1e30), 6.1674257134751e-39),
    ("special.fdtr", 2, (1e30, 1e-30, 0.5), 1e-30),
    ("special.fdtr", 2, (1e4, 1e4, 1.0), 19.946615348455385),
    ("special.fdtr", 2, (2.0, 1e30, 1e-300), 1.0),
    ("special.gdtr", 0, (1e-300, 0.5, 1e-300), 0.5641895835477563),
    ("special.gdtr", 2, (0.5, 0.5, 1e-300), 3.9894228040143267e149),
    ("special.gdtr", 2, (1.0, 1e30, 1e30), 3.989422804014327e-16),
    ("special.stdtr", 1, (0.5, 1e200), 1.6035048770711147e-301),
    ("special.stdtr", 1, (1e-160, 1e150), 5e-311),
    ("special.zeta", 1, (INF, 1e15), 0.0),
    ("special.boxcox1p", 0, (1e-30, 1e30), 2.7182818284590455),
    ("special.inv_boxcox", 0, (0.5, 1e30), 1.9999999999999998e-30),
    ("special.inv_boxcox", 1, (0.5, 1e15), -3.2845629214351853e-29),
    ("special.inv_boxcox1p", 0, (0.5, 1e300), 2e-300),
    ("special.pseudo_huber", 1, (1e-160, INF), 1e-160),
    ("special.pseudo_huber", 1, (1e30, 1e-300), 1e-300),
    ("special.pseudo_huber", 1, (3.0, -INF), -3.0),
    ("special.pseudo_huber", 0, (1e-200, 1e200), 1e200),
    ("special.pseudo_huber", 0, (1e10, 0.001), 2.5e-43),
    ("special.pseudo_huber", 0, (2.0, INF), INF),
    ("special.exprel", 0, (720.0,), INF),
    ("special.i1", 0, (-720.0,), INF),
    ("special.ellipkm1", 0, (0.0,), -INF),
    ("special.expi", 0, (713.0,), 6.29326568891291e306),
    ("special.sinc", 0, (1e16,), 1e-16),
    ("special.sinc", 0, (1e4,), 0.0001),
    ("special.kl_div", 0, (1e-300, 1e15), -725.3143042931243),
    ("special.rel_entr", 0, (1e-300, 1e15), -724.3143042931243),
    ("special.ellipe", 0, (-1.7e308,), -3.8348249442368524e-155),
    ("special.yn", 1, (1.0, 1e-150), 6.366197723675813e299),
    ("special.i0e", 0, (1e4,), -1.9947862106984187e-07),
    ("special.i0e", 0, (-1e4,), 1.9947862106984187e-07),
    ("special.i1e", 0, (1e4,), -1.9944869852852436e-07),
    ("special.k0e", 0, (1e4,), -6.266335712204455e-07),
    ("special.k1e", 0, (1e4,), -6.267275639066051e-07),
]


@pytest.mark.parametrize("case", ELEMENTWISE, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_elementwise(device, case):
    name, i, operands, expected = case
    for found in derivatives(function(name), operands, i):
        close(found, expected)


def test_a_product_that_overflows_inside_of_a_finite_function():
    """1 + λy does; CuPy's value is infinite there."""
    for found in derivatives(xp.special.inv_boxcox, (1e300, 1e30), 1):
        close(found, -7.588530806880351e-58)


@pytest.mark.parametrize("x", [1e4, 1e20, 1e300])
def test_scaled_bessel_functions_far_out(device, x):
    for name, scale in [
        ("i0e", -0.19947114020071635),
        ("i1e", -0.19947114020071635),
        ("k0e", -0.6266570686577501),
        ("k1e", -0.6266570686577501),
    ]:
        for found in derivatives(function(f"special.{name}"), (x,), 0):
            close(found, scale * x**-1.5, rtol=2e-4 if x == 1e4 else 1e-12)


def test_inverses_of_distribution_functions_of_large_parameters(device):
    """The reciprocal of the density, √(2π a) for the median of a gamma distribution."""
    if device == "cpu":  # CuPy's inverse does not find the median
        close(grad(lambda y: xp.special.gammaincinv(1e15, y))(xp.asarray(0.5)), 79266545.9, 1e-8)
    close(grad(lambda y: xp.special.betaincinv(1e4, 1e4, y))(xp.asarray(0.5)), 0.0088623800, 1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_parameter_of_zero_and_infinite_values_in_either_precision(device, dtype):
    for f, x, expected in [
        (lambda x: xp.hypot(x, xp.ones_like(x)), INF, 1.0),
        (lambda x: xp.hypot(xp.full_like(x, INF), x), 1.0, 0.0),
        (lambda x: xp.pow(x, 0.0), 1e-45, 0.0),
        (lambda x: xp.pow(x, xp.zeros_like(x)), 1e-45, 0.0),
        (lambda x: xp.special.pseudo_huber(2.0, x), -INF, -2.0),
    ]:
        x = xp.full(3, x, dtype=getattr(xp, dtype))
        assert xp.all(vjp(f, x)[1](xp.ones_like(x))[0] == expected)
        assert xp.all(jvp(f, (x,), (xp.ones_like(x),))[1] == expected)


def test_second_derivatives(device):
    second = lambda f, x: grad(grad(f))(xp.asarray(x))
    close(second(lambda r: xp.special.pseudo_huber(2.0, r), 0.0), 1.0)
    close(second(lambda r: xp.special.pseudo_huber(2.0, r), 2.0), 0.35355339059327373)
    close(second(lambda r: xp.special.pseudo_huber(2.0, r), 1e200), 8e-600)
    close(second(lambda x: xp.special.gammainc(1e15, x), 1e15), -1.26156626101007e-23, 1e-6)
    close(second(lambda x: xp.special.i0e(x), 1e20), 2.9920671030107455e-51)
    close(second(lambda x: xp.special.logsumexp(xp.stack([x, x + 1e-300])), 1e300), 0.0)


# ---- complex numbers

HUGE = [1e200, 1e300, 1.2e200 + 1e300j, -1e250j, -1e300 + 1e300j]


@pytest.mark.parametrize("z", HUGE, ids=str)
def test_inverse_functions_of_huge_complex_numbers(device, z):
    """Derivatives fall like 1/z or 1/z², which underflows."""
    z = complex(z)
    first = 1 / z
    for f, expected in [
        (xp.atan, 0.0), (xp.atanh, 0.0), (xp.log, first), (xp.log10, first / math.log(10)),
        (xp.log2, first / math.log(2)), (xp.log1p, first),
    ]:  # fmt: skip
        for found in derivatives(f, (z,), 0):
            found = found if found.ndim else xp.reshape(found, (1,))
            value = complex(found[0])
            value = (
                value if abs(value - expected) < abs(value - np.conj(expected)) else np.conj(value)
            )
            assert abs(value - expected) <= 1e-12 * abs(expected) + 1e-300
    for f in (xp.asin, xp.acos, xp.asinh, xp.acosh):
        for found in derivatives(f, (z,), 0):
            close(xp.abs(found), abs(first), 1e-12)


def test_an_infinite_derivative_of_a_complex_number_is_a_real_infinity(device):
    for f, z in [
        (xp.sqrt, 0j), (lambda z: z**0.25, 0j), (xp.asin, 1 + 0j), (xp.asin, -1 + 0j),
        (xp.acosh, 1 + 0j), (xp.asinh, 1j),
    ]:  # fmt: skip
        for found in derivatives(f, (z,), 0):
            assert xp.all(xp.real(found) == INF)
            assert xp.all(xp.imag(found) == 0)
    z = xp.zeros(3, dtype=xp.complex128)
    assert not xp.any(jvp(xp.sqrt, (z,), (z,))[1])


# ---- reductions


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-300, 1e307, 1.0])
@pytest.mark.parametrize("name", ["std", "nanstd", "vector_norm", "vector_norm 3", "fro"])
def test_lengths(device, name, scale):
    f, value, slope = {
        "std": (xp.std, 1.0, [-0.5, 0.5]),
        "nanstd": (xp.nanstd, 1.0, [-0.5, 0.5]),
        "vector_norm": (xp.linalg.vector_norm, 10**0.5, [10**-0.5, 3 * 10**-0.5]),
        "vector_norm 3": (
            lambda x: xp.linalg.vector_norm(x, ord=3),
            28 ** (1 / 3),
            [28 ** (-2 / 3), 9 * 28 ** (-2 / 3)],
        ),
        "fro": (
            lambda x: xp.linalg.matrix_norm(x[None, :]), 10**0.5, [10**-0.5, 3 * 10**-0.5]
        ),
    }[name]  # fmt: skip
    x = xp.asarray([1.0, 3.0]) * scale
    close(f(x), value * scale, 1e-14)
    close(grad(f)(x), slope, 1e-14)
    close(jvp(f, (x,), (xp.asarray([1.0, 0.0]),))[1], slope[0], 1e-14)
    many = xp.broadcast_to(xp.asarray([1.0, 3.0]) * scale, (1500, 2))
    if "std" in name and scale < 1e300:  # (else the mean overflows)
        close(f(many), scale, 1e-13)
        close(f(many, axis=1), scale, 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_lengths_in_other_dtypes(device, dtype):
    single = dtype in ("float32", "complex64")
    for scale in (1e30, 1e-30) if single else (1e200, 1e-200):
        x = xp.asarray(np.asarray([1.0, 3.0]) * scale, dtype=getattr(xp, dtype))
        for f, value, slope in [
            (xp.std, 1.0, [-0.5, 0.5]),
            (xp.nanstd, 1.0, [-0.5, 0.5]),
            (xp.linalg.vector_norm, 10**0.5, [10**-0.5, 3 * 10**-0.5]),
        ]:
            close(f(x), value * scale, 1e-6)
            close(xp.real(grad(f)(x)), slope, 1e-6)


def test_norms_at_infinity(device):
    x = xp.asarray([1.0, -INF, 2.0])
    for order in (2, 3):
        assert grad(lambda x, o=order: xp.linalg.vector_norm(x, ord=o))(x).tolist() == [0, -1, 0]
    assert grad(lambda x: xp.linalg.vector_norm(x, ord=-1))(x).tolist() == pytest.approx(
        [4 / 9, 0, 1 / 9]
    )
    assert xp.linalg.vector_norm(x) == INF
    assert xp.isnan(xp.linalg.vector_norm(xp.asarray([INF, NAN])))


def test_nanstd_of_nothing_and_of_one(device):
    assert xp.isnan(xp.nanstd(xp.asarray([NAN, NAN])))
    assert xp.isnan(xp.nanstd(xp.asarray([1.0, NAN]), ddof=1))
    assert xp.nanstd(xp.asarray([1.0, NAN])) == 0
    assert grad(xp.nanstd)(xp.asarray([1.0, NAN, 1.0])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("top", [1e16, 1e300, INF])
def test_equal_huge_elements_share_the_gradient_of_logsumexp(device, top):
    """The logarithm of their number is lost beside them."""
    for n in (2, 3000):
        x = xp.full(n, top)
        close(grad(xp.special.logsumexp)(x), 1 / n)
        close(jvp(xp.special.logsumexp, (x,), (xp.ones(n),))[1], 1.0)
    x = xp.asarray([top, -top, top])
    close(grad(xp.special.logsumexp)(x), [0.5, 0.0, 0.5])
    if top < INF:
        b = xp.asarray([1.0, 5.0, 3.0])
        close(grad(lambda x: xp.special.logsumexp(x, b=b))(x), [0.25, 0.0, 0.75])
    close(grad(lambda x: xp.logaddexp(x[0], x[2]))(x), [0.5, 0.0, 0.5])


def test_losses_and_activations_far_out(device):
    x = xp.asarray([-INF, -1e300, -800.0, -5e-324, 0.0, 5e-324, 800.0, 1e300, INF])
    half = [0.5, 0.5, 0.5]
    for f, expected in [
        (nn.gelu, [0, 0, 0, *half, 1, 1, 1]),
        (lambda x: nn.gelu(x, "tanh"), [0, 0, 0, *half, 1, 1, 1]),
        (nn.silu, [0, 0, 0, *half, 1, 1, 1]),
        (nn.relu, [0, 0, 0, 0, 0, 1, 1, 1, 1]),
        (xp.special.log_expit, [1, 1, 1, *half, 0, 0, 0]),
        (xp.special.expit, [0, 0, 0, 0.25, 0.25, 0.25, 0, 0, 0]),
        (
            lambda x: nn.binary_cross_entropy_with_logits(x, xp.ones_like(x), reduction="none"),
            [-1, -1, -1, -0.5, -0.5, -0.5, 0, 0, 0],
        ),
    ]:
        # (exp(-800) is not 0 but underflows)
        np.testing.assert_allclose(
            vjp(f, x)[1](xp.ones_like(x))[0].to_device("cpu").numpy(), expected, 1e-15, 1e-300
        )
        np.testing.assert_allclose(
            jvp(f, (x,), (xp.ones_like(x),))[1].to_device("cpu").numpy(), expected, 1e-15, 1e-300
        )


# ---- matrices: f(s A) = s^d f(A), so its derivative is s^(d-1) times that at A

A = np.asarray([[2.0, -1.0, 0.5], [0.3, 1.5, -0.7], [1.0, 0.2, -1.2]])
S = A @ A.T + np.eye(3)
MATRICES = {
    "inv": (xp.linalg.inv, A, -1),
    "pinv": (xp.linalg.pinv, A[:, :2], -1),
    "pinv of a wide one": (xp.linalg.pinv, A[:2], -1),
    "slogdet": (lambda x: xp.linalg.slogdet(x)[1], A, 0),
    "cholesky": (xp.linalg.cholesky, S, 0.5),
    "cholesky, upper": (lambda x: xp.linalg.cholesky(x, upper=True), S, 0.5),
    "solve": (lambda x: xp.linalg.solve(x, xp.ones((3, 1))), A, -1),
    "eigh": (lambda x: xp.linalg.eigh(x)[1] ** 2, S, 0),
    "eigvalsh": (xp.linalg.eigvalsh, S, 1),
    "svd": (lambda x: xp.linalg.svd(x, full_matrices=False)[0] ** 2, A[:, :2], 0),
    "svd, full": (lambda x: xp.linalg.svd(x)[2] ** 2, A[:2], 0),
    "svdvals": (xp.linalg.svdvals, A, 1),
    "qr, q": (lambda x: xp.linalg.qr(x)[0], A[:, :2], 0),
    "qr, r": (lambda x: xp.linalg.qr(x)[1], A, 1),
    "qr of a wide one": (lambda x: xp.linalg.qr(x)[1], A[:2], 1),
}


def scaled(x, exponent):
    """`x` times a power of two, which is exact, in steps that do not overflow."""
    half = exponent // 2
    return x * 2.0**half * 2.0 ** (exponent - half)


@pytest.mark.parametrize("exponent", [-1000, -660, 660, 1000])
@pytest.mark.parametrize("name", MATRICES)
def test_matrices_of_tiny_and_of_huge_elements(device, name, exponent):
    """Cotangents and tangents are such that the result is of the size of 1."""
    f, a, degree = MATRICES[name]
    shift = int(-exponent * (degree - 1))
    if abs(shift) > 1000:
        shift = 1000 if shift > 0 else -1000
    rest = int(exponent * (degree - 1)) + shift
    if abs(rest) > 960:
        return  # the derivative itself is out of range
    x = xp.asarray(a)
    out, pullback = vjp(f, x)
    g = xp.reshape(xp.cos(xp.arange(float(out.size))), out.shape)
    expected = scaled(pullback(g)[0], rest)
    t = xp.reshape(xp.sin(1 + xp.arange(float(x.size))), x.shape)
    tangent = scaled(jvp(f, (x,), (t,))[1], rest)
    big = scaled(x, exponent)
    found = vjp(f, big)[1](scaled(g, shift))[0]
    size = float(xp.max(xp.abs(expected)))
    assert float(xp.max(xp.abs(found - expected))) <= 1e-9 * size
    found = jvp(f, (big,), (scaled(t, shift),))[1]
    assert float(xp.max(xp.abs(found - tangent))) <= 1e-9 * float(xp.max(xp.abs(tangent)))
