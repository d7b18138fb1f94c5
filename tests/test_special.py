"""Special functions: values and dtypes are SciPy's, SciPy finds them, derivatives hold far out."""

import inspect
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, special
from arraygrad._backends.common.special import ELEMENTWISE
from arraygrad._backends.numpy.table import scipy_special as load_scipy_special
from arraygrad.autodiff import NotDifferentiableError, grad, jvp
from conformance.gradient_cases import _SPECIAL

scipy_special = pytest.importorskip("scipy.special")

T = xp.asarray
INF, NAN = float("inf"), float("nan")
#: Elementwise functions -> operands, of which intervals stand for what is drawn.
OPERANDS = {
    name: [x for x in operands if x != "c"]
    for name, operands in _SPECIAL.items()
    if name not in ("digamma", "jn")
} | {"zetac": [(2, 5)]}


def drawn(name, dtype, *shape):
    """Operands: arrays where intervals are, else the numbers."""
    rng = np.random.default_rng(len(name))
    return [
        rng.uniform(*x, shape).astype(dtype) if isinstance(x, tuple) else x for x in OPERANDS[name]
    ]


def on(device, operands):
    return [T(x, device=device) if isinstance(x, np.ndarray) else x for x in operands]


# ---- what there is


def test_all_that_scipy_offers_to_arrays_is_here():
    from scipy.special import _support_alternative_backends as offered

    assert set(offered.__all__) <= set(special.__all__)
    assert set(ELEMENTWISE) == set(OPERANDS)
    names = set(special.__all__) - {"digamma", "jn", "multigammaln", "logsumexp", "softmax"}
    assert names - {"log_softmax"} == set(ELEMENTWISE)


def test_scipy_is_imported_when_first_needed():
    code = """if True:
        import sys
        import arraygrad
        arraygrad.special.erf
        import arraygrad.autodiff
        assert "scipy" not in sys.modules
        arraygrad.special.erf(arraygrad.asarray([0.5]))
        assert "scipy" in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_scipy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ImportError, match=r'pip install "arraygrad\[scipy\]"'):
        load_scipy_special("erf")


# ---- values and dtypes


@pytest.mark.parametrize("name", OPERANDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_scipys(name, dtype, device, same):
    operands = drawn(name, dtype, 2, 3)
    function = inspect.unwrap(getattr(scipy_special, name))
    expected = function(*[x.astype("f8") if hasattr(x, "astype") else x for x in operands])
    tensors = on(device, operands)
    try:
        found = getattr(special, name)(*tensors)
    except xp.TransferError:
        assert device == "cuda"
        assert name in ("hyp1f1", "ndtri_exp", "spence", "jv", "yv", "iv", "ive", "kv", "kve")
        return
    assert found.device == xp.Device(device)
    assert found.dtype == dtype  # a Python scalar has no say
    tolerance = (1e-5 if dtype == "float32" else 1e-12) * (10 if device == "cuda" else 1)
    same(found, expected, rtol=tolerance, dtype=False)


@pytest.mark.parametrize("name", OPERANDS)
def test_scipy_finds_them(name):
    if not hasattr(scipy_special, name) or name not in scipy_special.__all__:
        pytest.fail(name)
    from scipy.special import _support_alternative_backends as offered

    operands = drawn(name, "float64", 3)
    tensors = on("strict:1", operands)  # which would raise if data left for NumPy
    if name in offered.__all__ and isinstance(tensors[0], xp.Tensor):
        found = getattr(scipy_special, name)(*tensors)
        assert found.device == xp.Device("strict:1")
        function = inspect.unwrap(getattr(scipy_special, name))
        np.testing.assert_array_equal(found.numpy(), function(*operands))


@pytest.mark.parametrize("dtype", [xp.int8, xp.int64, xp.uint8, xp.bool])
def test_integers_and_bools_are_read_as_float64(dtype):
    x = T([1, 1], dtype=dtype)
    assert special.erf(x).dtype == xp.float64
    assert special.xlogy(x, x).dtype == xp.float64
    assert special.betainc(x, x, x).dtype == xp.float64
    assert special.logsumexp(x).dtype == special.softmax(x).dtype == xp.float64
    np.testing.assert_array_equal(special.bdtr(x, 3, x).numpy(), [0.0, 0.0])


def test_operands_broadcast():
    a, x = T([[1.0], [2.0]]), T([0.5, 1.0, 2.0])
    assert special.gammainc(a, x).shape == (2, 3)
    assert special.betainc(a, 2.0, x / 4).shape == (2, 3)
    with pytest.raises(ValueError, match=r"special\.beta"):
        special.beta(T([1.0, 2.0]), x)
    with pytest.raises(xp.DeviceMismatchError):
        special.beta(a, T(1.0, device="strict:1"))


def test_mistakes_name_the_function():
    with pytest.raises(TypeError, match=r"special\.erf: expected a Tensor"):
        special.erf(0.5)
    with pytest.raises(TypeError, match=r"special\.betainc: expected a Tensor"):
        special.betainc(1.0, 2.0, 0.5)
    with pytest.raises(TypeError, match=r"special\.gammaln"):
        special.gammaln(T([1j]))
    with pytest.raises(ValueError, match=r"special\.softmax"):
        special.softmax(T([1.0]), axis=1)
    for d in (0, 1.5):
        with pytest.raises(ValueError, match="multigammaln: d must"):
            special.multigammaln(T([2.0]), d)


def test_multigammaln():
    a = np.asarray([2.0, 3.5])
    expected = scipy_special.multigammaln(a, 3)
    np.testing.assert_allclose(special.multigammaln(T(a), 3).numpy(), expected, rtol=1e-14)
    assert special.multigammaln(T(a, dtype=xp.float32), 3).dtype == xp.float32
    assert xp.isnan(special.multigammaln(T(1.0), 3))


def test_zeta_of_one_argument_is_riemanns():
    assert float(special.zeta(T(-1.0))) == pytest.approx(-1 / 12)
    assert xp.isnan(special.zeta(T(-1.0), 1.0))
    assert special.zeta(T(2.0, dtype=xp.float32)).dtype == xp.float32


# ---- sums of exponentials

ROWS = [[0.0, 1.0, -2.0], [1e3, 1e3, -1e3], [0.0, -40.0, -50.0], [-INF, 0.0, 1.0],
        [-INF, -INF, -INF], [INF, 0.0, -INF], [NAN, 0.0, 1.0]]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(dtype, axis, keepdims, device, same):
    for rows in (ROWS[:1], ROWS[:3], ROWS[3:4], ROWS[4:5], ROWS[5:6], ROWS[:6], ROWS):
        a = np.asarray(rows, dtype=dtype)
        with np.errstate(all="ignore"):
            expected = scipy_special.logsumexp(a, axis=axis, keepdims=keepdims)
        found = special.logsumexp(T(a, device=device), axis=axis, keepdims=keepdims)
        same(found, expected, rtol=2e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("kind", ["f8", "c16"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_logsumexp_with_weights(kind, axis, device, same):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, 4)) * (1 if kind == "f8" else 1 + 1j)
    b = rng.standard_normal((3, 4))
    b[0, 1], a[0, 1] = 0, INF  # which counts as nothing
    sides = T(a, device=device), T(b, device=device)
    expected = scipy_special.logsumexp(a, axis=axis, b=b, return_sign=True)
    for x, y in zip(special.logsumexp(sides[0], axis, sides[1], return_sign=True), expected,
                    strict=True):  # fmt: skip
        same(x, y, rtol=1e-12)
    with np.errstate(all="ignore"):
        expected = scipy_special.logsumexp(a, axis=axis, b=b)
    found = special.logsumexp(sides[0], axis=axis, b=sides[1])
    same(found, expected, rtol=1e-12)
    out, sign = special.logsumexp(sides[0][1:, ...], return_sign=True)
    assert (out.ndim, sign.ndim) == (0, 0)


def test_sums_of_nothing():
    assert float(special.logsumexp(xp.zeros(0))) == -INF
    out, sign = special.logsumexp(xp.zeros((2, 0)), axis=1, b=xp.zeros((2, 0)), return_sign=True)
    assert out.numpy().tolist() == [-INF, -INF]
    assert sign.numpy().tolist() == [0.0, 0.0]
    assert special.softmax(xp.zeros((0, 2)), axis=0).shape == (0, 2)
    assert special.log_softmax(xp.zeros((2, 0)), axis=1).shape == (2, 0)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_softmax(axis, device, same):
    a = np.asarray(ROWS[:4])
    sides = T(a, device=device)
    same(special.softmax(sides, axis=axis), scipy_special.softmax(a, axis=axis), rtol=1e-14)
    with np.errstate(all="ignore"):
        expected = scipy_special.log_softmax(a, axis=axis)
    same(special.log_softmax(sides, axis=axis), expected, rtol=1e-14)


def test_what_is_infinite_has_no_nan_in_its_gradient():
    for row in ROWS[3:6]:
        g = grad(special.logsumexp)(T(row))
        assert not xp.any(xp.isnan(g)), row
    g = grad(special.logsumexp)(T([-INF, 0.0, 0.0]))
    np.testing.assert_allclose(g.numpy(), [0.0, 0.5, 0.5])
    g = grad(lambda x: special.softmax(x)[1])(T([-INF, 0.0, 0.0]))
    np.testing.assert_allclose(g.numpy(), [0.0, 0.25, -0.25])
    g = grad(lambda x: special.log_softmax(x)[1])(T([-INF, 0.0, 0.0]))
    np.testing.assert_allclose(g.numpy(), [0.0, 0.5, -0.5])
    g = grad(lambda b: special.logsumexp(T([INF, 0.0]), b=b))(T([0.0, 1.0]))
    np.testing.assert_allclose(g.numpy()[1], 1.0)
    for f in (special.gammainc, special.gammaincc, special.chdtr, special.chdtrc):
        assert grad(lambda x, f=f: f(T(INF), x))(T(1.0)) == 0


def test_a_weight_of_zero_has_derivatives():
    """The product with it is zero, but not the product's derivative in it."""
    a, b = T([0.5, -0.3, 0.8]), T([0.0, 0.4, 0.7])
    for return_sign in (False, True):

        def f(a, b, return_sign=return_sign):
            out = special.logsumexp(a, b=b, return_sign=return_sign)
            return out[0] if return_sign else out

        autodiff.check_grads(f, (a, b))
        assert grad(lambda a, b, f=f: grad(f, argnums=1)(a, b)[0])(a, b)[0] > 0.5
    g = grad(lambda a, b: grad(special.logsumexp, argnums=0)(a, b=b)[1], argnums=1)
    assert not xp.any(xp.isnan(g(T([INF, 0.0, 1.0]), T([0.0, 1.0, 1.0]))[1:]))


# ---- complex numbers

#: Functions with complex derivatives.
COMPLEX = {
    "erf", "erfc", "erfcx", "exp1", "expi", "log_ndtr", "ndtr", "sinc", "spence",
    "xlog1py", "xlogy",
}  # fmt: skip
Z = [0.7 + 0.4j, -0.6 + 1.1j, 1.3 - 0.2j]


def complex_operands(name):
    """Each operand of a function complex in turn, and all of them."""
    n = 1 if name == "digamma" else len(OPERANDS[name])
    real = [np.asarray([0.7, 1.4, 0.3]) + i for i in range(n)]
    for which in [{i} for i in range(n)] + [set(range(n))]:
        yield [T(np.asarray(Z) + i if i in which else x) for i, x in enumerate(real)]


@pytest.mark.parametrize("name", sorted({*OPERANDS, "digamma"}))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # SciPy's, outside of what is defined
def test_complex_numbers_are_right_or_refused(name):
    """Values are SciPy's, derivatives those of complex differences, or each is refused by name."""
    function, theirs = getattr(special, name), load_scipy_special(name)
    refusals = []
    for operands in complex_operands(name):
        try:
            found = function(*operands)
        except TypeError as error:
            refusals.append(str(error).split(":")[0])
            continue
        np.testing.assert_allclose(found.numpy(), theirs(*[x.numpy() for x in operands]))
        try:
            autodiff.check_grads(function, tuple(operands))
        except NotDifferentiableError as error:
            refusals.append(str(error).split(":")[0].replace("psi", name))
    assert set(refusals) <= {f"special.{name}"}
    if name in COMPLEX:
        assert len(refusals) < len(list(complex_operands(name)))


def test_sums_of_complex_exponentials():
    a, b = T([Z, Z[::-1]]), T([[0.7 - 0.4j, 0.6 + 1.1j, 1.3 - 0.2j], [0.1j, 0.2, 0.3 + 1j]])
    for f in (special.softmax, special.log_softmax, special.logsumexp):
        autodiff.check_grads(lambda x, f=f: f(x, axis=1), (a,))
    for x, weights in ((a, b), (a, xp.abs(b)), (xp.abs(a), b)):
        for sign in (False, True):
            autodiff.check_grads(
                lambda x, w, sign=sign: special.logsumexp(x, axis=1, b=w, return_sign=sign),
                (x, weights),
            )


# ---- derivatives far out and near what is special, by mpmath


def normal_hazard(x):
    return mp.npdf(x) / mp.ncdf(x)


def numeric(f):
    return lambda x: mp.diff(f, x), lambda x: mp.diff(f, x, 2)


#: function -> its first and second derivative, and where
FAR = {
    "erf": (
        lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
        lambda x: -4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x),
        [0, 1e-10, 1, 5, 26, 1e10, -1e200],
    ),
    "erfcx": (*numeric(lambda x: mp.exp(x * x) * mp.erfc(x)), [-5, 0, 1e-8, 1, 4, 6, 9.9, 11, 50]),
    "ndtr": (mp.npdf, lambda x: -x * mp.npdf(x), [-38, -10, 0, 10, 1e5]),
    "log_ndtr": (
        normal_hazard,
        lambda x: -normal_hazard(x) * (x + normal_hazard(x)),
        [-1e3, -100, -40, -14.2, -5, -1, 0, 3, 8],
    ),
    "expit": (
        lambda x: 1 / (2 + mp.exp(x) + mp.exp(-x)),
        lambda x: (mp.exp(-x) - 1) * mp.exp(-x) / (1 + mp.exp(-x)) ** 3,
        [-600, -50, -1, 0, 1, 30],
    ),
    "log_expit": (
        lambda x: 1 / (1 + mp.exp(x)),
        lambda x: -1 / (2 + mp.exp(x) + mp.exp(-x)),
        [-600, -50, -1, 0, 1, 50, 600],
    ),
    "logit": (
        lambda x: 1 / (x * (1 - x)),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
        [1e-100, 1e-18, 0.3, 0.9375],
    ),
    "entr": (lambda x: -mp.log(x) - 1, lambda x: -1 / x, [1e-300, 0.5, 1e10]),
    "exprel": (
        *numeric(lambda x: mp.expm1(x) / x), [1e-6, 0.5, 0.999, 1.001, -1e3, -1.001, -0.5, 10]
    ),
    "sinc": (*numeric(lambda x: mp.sinc(mp.pi * x)), [1e-6, 1e-3, 0.3, 0.32, 1, 5]),
    "j1": (*numeric(lambda x: mp.besselj(1, x)), [1e-8, 0.5, 0.99, 1.01, 10]),
    "i1": (*numeric(lambda x: mp.besseli(1, x)), [1e-8, 0.5, 0.99, 1.01, 10]),
    "i1e": (*numeric(lambda x: mp.besseli(1, x) * mp.exp(-x)), [1e-8, 0.5, 0.99, 1.01, 10]),
    "k1": (*numeric(lambda x: mp.besselk(1, x)), [1e-8, 0.5, 10]),
    "ellipk": (*numeric(mp.ellipk), [-1e5, -1, -0.11, -0.09, 1e-8, 0.09, 0.11, 0.5, 0.99]),
    "ellipe": (*numeric(mp.ellipe), [-1e5, -1, -0.11, -0.09, 1e-8, 0.09, 0.11, 0.5, 0.99]),
    "ellipkm1": (
        *numeric(lambda p: mp.ellipk(1 - p)), [1e-10, 0.05, 0.09, 0.11, 0.5, 0.89, 0.91, 1.01, 3]
    ),
    "spence": (*numeric(lambda z: mp.polylog(2, 1 - z)), [0.01, 0.5, 0.89, 0.91, 1.05, 1.2]),
    "rgamma": (*numeric(mp.rgamma), [-20, -3, -2.001, -1, 0, 0.4, 0.6, 5, 30]),
    "gamma": (*numeric(mp.gamma), [-8.5, -2.001, 0.4, 0.6, 5, 30]),
    "psi": (lambda x: mp.psi(1, x), lambda x: mp.psi(2, x), [-1e6 - 0.25, -3.5, 1e-10, 0.4, 5]),
    "cbrt": (
        lambda x: 1 / (3 * mp.cbrt(x) ** 2), lambda x: -2 / (9 * mp.cbrt(x) ** 5), [1e-20, 1, 1e20]
    ),
    "stdtr": (
        lambda x: 3 / (8 * (1 + x * x / 4) ** mp.mpf("2.5")),
        lambda x: -15 * x / (32 * (1 + x * x / 4) ** mp.mpf("3.5")),
        [-1e20, -1e3, 0, 1],
    ),
    "gammainc": (
        lambda x: x ** mp.mpf("1.5") * mp.exp(-x) / mp.gamma(2.5),
        lambda x: mp.sqrt(x) * (1.5 - x) * mp.exp(-x) / mp.gamma(2.5),
        [1e-50, 1e-5, 1, 50, 600],
    ),
    "betainc": (
        lambda x: 12 * x * (1 - x) ** 2, lambda x: 12 * (1 - x) * (1 - 3 * x), [0, 1e-200, 0.5, 1]
    ),
}  # fmt: skip
FIXED = {"stdtr": (4.0,), "gammainc": (2.5,), "betainc": (2.0, 3.0)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FAR)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_derivatives_far_out(name, dtype):
    first, second, at = FAR[name]
    exact = np.asarray([p for p in at if dtype == "float64" or p == 0 or 1e-12 < abs(p) < 1e6])
    x = T(exact.astype(dtype))
    f = lambda x: getattr(special, name)(*FIXED.get(name, ()), x)
    slope = lambda x: jvp(f, (x,), (xp.ones_like(x),))[1]
    g = grad(lambda x: xp.sum(f(x)))(x)
    np.testing.assert_array_equal(slope(x).numpy(), g.numpy())
    h = grad(lambda x: xp.sum(slope(x)))(x)
    info = np.finfo(dtype)
    with mp.workdps(50):
        for derivative, found, tolerance in ((first, g, 2e3), (second, h, 2e4)):
            expected = [float(mp.re(derivative(mp.mpf(float(p))))) for p in x.numpy()]
            assert found.dtype == dtype
            np.testing.assert_allclose(
                found.numpy().astype("f8"), expected, rtol=tolerance * info.eps, atol=info.tiny
            )


#: Second derivatives where the first is 0, or where a power of 0 is at stake.
@pytest.mark.parametrize(
    ("name", "fixed", "at", "expected"),
    [
        ("betainc", (2.0, 3.0), [0.0, 1.0], [12.0, 0.0]),
        ("betainc", (3.0, 2.0), [0.0, 1.0], [0.0, -12.0]),
        ("betainc", (1.0, 1.0), [0.0, 1.0], [0.0, 0.0]),
        ("gammainc", (2.0,), [0.0], [1.0]),
        ("gammainc", (1.0,), [0.0], [-1.0]),
        ("chdtr", (4.0,), [0.0], [0.25]),
        ("fdtr", (4.0, 2.0), [0.0], [8.0]),
        ("gdtr", (2.0, 2.0), [0.0], [4.0]),
        ("bdtr", (1, 3), [0.0, 1.0], [-6.0, 6.0]),
        ("pdtr", (1,), [0.0], [-1.0]),
        ("rgamma", (), [-2.0, 0.0], [-3.6911373403938, 1.1544313298030657]),
        ("sinc", (), [0.0], [-(np.pi**2) / 3]),
        ("j1", (), [0.0], [0.0]),
        ("lpmv", (0, 3.0), [-1.0, 1.0], [-15.0, 15.0]),
        ("spence", (), [1.0], [0.5]),
        ("ellipk", (), [0.0], [np.pi * 9 / 64]),
        ("boxcox1p", (), [0.0, 1e-20], [2.0, 2.0]),
    ],
)
def test_second_derivatives_at_edges(name, fixed, at, expected):
    f = lambda x: getattr(special, name)(*fixed, x)
    if name == "boxcox1p":
        f = lambda x: special.boxcox1p(x - 1, 2.0) * 2
    x = T(at)
    once = lambda x: jvp(f, (x,), (xp.ones_like(x),))[1]
    np.testing.assert_allclose(grad(lambda x: xp.sum(once(x)))(x).numpy(), expected, atol=1e-14)
    twice = jvp(lambda x: grad(lambda x: xp.sum(f(x)))(x), (x,), (xp.ones_like(x),))[1]
    np.testing.assert_allclose(twice.numpy(), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "at"), [("binom", (3.0, 5.0)), ("poch", (-1.0, 3.0)), ("beta", (-2.5, 0.5))]
)
def test_second_derivatives_at_poles(name, at):
    f = getattr(special, name)
    first, second = map(T, at)
    slope = lambda x: grad(f)(x, second)
    found, h = float(grad(slope)(first)), 1e-4
    expected = (float(slope(first + h)) - float(slope(first - h))) / (2 * h)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


QUANTILES = {
    "erfinv": ((), lambda y: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(y) ** 2), [0.5, 1 - 2**-50]),
    "ndtri": ((), lambda y: 1 / mp.npdf(mp.sqrt(2) * mp.erfinv(2 * y - 1)), [1e-40, 0.1, 0.5]),
    "ndtri_exp": ((), lambda y: None, []),
    "gammaincinv": ((1.0,), lambda y: 1 / (1 - y), [1e-300, 0.5, 0.9999]),
    "gammainccinv": ((1.0,), lambda y: -1 / y, [1e-300, 0.5]),
    "betaincinv": ((1.0, 2.0), lambda y: 1 / (2 * mp.sqrt(1 - y)), [1e-300, 0.5]),
    "chdtri": ((2.0,), lambda y: -2 / y, [1e-300, 0.5]),
    "stdtrit": ((1.0,), lambda y: mp.pi / mp.sin(mp.pi * y) ** 2, [1e-100, 0.3]),
}


@pytest.mark.parametrize("name", [n for n in QUANTILES if n != "ndtri_exp"])
def test_derivatives_of_quantiles(name):
    fixed, derivative, at = QUANTILES[name]
    g = grad(lambda y: xp.sum(getattr(special, name)(*fixed, y)))(T(at))
    with mp.workdps(400):
        expected = [float(derivative(mp.mpf(p))) for p in at]
    np.testing.assert_allclose(g.numpy(), expected, rtol=1e-10)


def test_the_quantile_of_a_tiny_probability_has_a_derivative():
    """Of log_ndtr the inverse: the product of the slopes is 1."""
    y = T([-1e10, -1e5, -100.0, -1.0, -1e-10])
    x = special.ndtri_exp(y)
    slope = grad(lambda y: xp.sum(special.ndtri_exp(y)))(y)
    other = grad(lambda x: xp.sum(special.log_ndtr(x)))(x)
    np.testing.assert_allclose((slope * other).numpy(), 1.0, rtol=1e-9)


#: function, operands -> gradients there
AT_EDGES = [
    ("xlogy", (0.0, 0.0), (0.0, 0.0)),
    ("xlogy", (0.0, -1.0), (0.0, 0.0)),
    ("xlogy", (0.0, 2.0), (np.log(2.0), 0.0)),
    ("xlog1py", (0.0, -1.0), (0.0, 0.0)),
    ("rel_entr", (0.0, 0.0), (0.0, 0.0)),
    ("kl_div", (0.0, 0.0), (0.0, 0.0)),
    ("kl_div", (0.0, 2.0), (-INF, 1.0)),
    ("kl_div", (1e300, 1e-300), (np.log(1e300) * 2, -INF)),
    ("entr", (0.0,), (INF,)),
    ("rgamma", (-2.0,), (2.0,)),
    ("binom", (3.0, 5.0), (-0.05, 0.05)),
    ("poch", (0.0, 2.0), (1.0, 0.0)),
    ("poch", (-3.0, 2.0), (-5.0, 0.0)),
    ("beta", (-2.5, 0.5), (special.gamma(T(-2.5)).item() * np.sqrt(np.pi) * 2.0,) * 2),
    ("boxcox", (0.0, 2.0), (0.0, 0.25)),
    ("boxcox1p", (-1.0, 0.5), (INF, 4.0)),
    ("inv_boxcox", (-2.0, 0.5), (0.0, 0.0)),
    ("huber", (1.0, 0.0), (0.0, 0.0)),
    ("pseudo_huber", (0.0, 0.0), (0.0, 0.0)),
    ("pseudo_huber", (1e-200, 1.0), (1.0, 1e-200)),
    ("i0e", (0.0,), (0.0,)),
    ("exprel", (0.0,), (0.5,)),
    ("sinc", (0.0,), (0.0,)),
    ("j1", (0.0,), (0.5,)),
    ("ellipk", (0.0,), (np.pi / 8,)),
    ("ellipkm1", (1e-200,), (-5e199,)),
    ("spence", (1.0,), (-1.0,)),
    ("erfinv", (1.0,), (INF,)),
    ("logit", (0.0,), (INF,)),
    ("psi", (-1e10 - 0.5,), (np.pi**2,)),
    ("gammaln", (INF,), (INF,)),
]


@pytest.mark.parametrize(("name", "at", "expected"), AT_EDGES)
def test_derivatives_at_edges(name, at, expected):
    operands = tuple(map(T, at))
    found = grad(getattr(special, name), tuple(range(len(at))))(*operands)
    np.testing.assert_allclose([float(g) for g in found], expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("name", "x"), [("boxcox", 0.0), ("boxcox1p", -1.0)])
@pytest.mark.parametrize(
    ("lmbda", "expected"),  # x^(λ-1) log x and, by x alone, (λ-1) x^(λ-2), as x goes to 0
    [(1.0, (0.0, -INF)), (1.5, (INF, 0.0)), (2.0, (1.0, 0.0)), (3.0, (0.0, 0.0))],
)
def test_second_derivatives_of_boxcox_at_0(name, x, lmbda, expected):
    f, at = getattr(special, name), (T(x), T(lmbda))
    by_x, mixed = grad(grad(f), (0, 1))(*at)
    assert (by_x.item(), mixed.item()) == expected
    assert grad(grad(f, 1))(*at).item() == expected[1]
    assert jvp(grad(f), at, (T(0.0), T(1.0)))[1].item() == expected[1]


@pytest.mark.parametrize(
    ("name", "fixed", "at", "expected"),
    [
        ("gammainc", (1.0,), [0.0, INF], [1.0, 0.0]),
        ("gammaincc", (2.0,), [0.0, INF], [0.0, 0.0]),
        ("betainc", (1.0, 3.0), [0.0, 1.0], [3.0, 0.0]),
        ("chdtrc", (2.0,), [-1.0, 0.0, INF], [0.0, -0.5, 0.0]),
        ("fdtr", (2.0, 4.0), [0.0, INF], [1.0, 0.0]),
        ("stdtr", (INF,), [0.0, INF], [1 / np.sqrt(2 * np.pi), 0.0]),
        ("bdtr", (5, 5), [0.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
        ("bdtr", (0, 1), [0.0, 0.5, 1.0], [-1.0, -1.0, -1.0]),
        ("pdtr", (0.7,), [0.0, INF], [-1.0, 0.0]),
        ("expn", (2,), [0.0, 1.0], [-INF, -0.21938393439552029]),
        ("jv", (0,), [0.0, 1.0], [0.0, -0.44005058574493352]),
        ("jv", (1,), [0.0], [0.5]),
        ("jv", (0.5,), [0.0], [INF]),
        ("yv", (0,), [0.0], [INF]),
        ("yv", (1,), [0.0, 1.0], [INF, 0.86946978551596612]),
        ("iv", (1,), [-1.0, 0.0], [0.70090677375952735, 0.5]),
        ("ive", (0,), [0.0, 1000.0], [0.0, -6.3101989626271155e-06]),
        ("kv", (0.5,), [0.0, 1.0], [-INF, -0.69160275678094184]),
        ("kve", (0,), [0.0, 1000.0], [-INF, -1.9809212205992335e-05]),
        ("lpmv", (0, 3.0), [-1.0, 1.0], [6.0, 6.0]),
        ("lpmv", (1, 2.0), [1.0], [INF]),
        ("lpmv", (2, 2.0), [-1.0, 0.5, 1.0], [6.0, -3.0, -6.0]),
        ("lpmv", (3, 3.0), [-1.0, 1.0], [0.0, 0.0]),
    ],
)
def test_derivatives_at_the_ends(name, fixed, at, expected):
    g = grad(lambda x: xp.sum(getattr(special, name)(*fixed, x)))(T(at))
    np.testing.assert_allclose(g.numpy(), expected, rtol=1e-9)


def test_the_slope_of_hypergeometric_functions_is_one():
    for x in (-30.0, 0.0, 3.0):
        g = grad(lambda x: special.hyp1f1(0.5, 1.5, x))(T(x))
        assert float(g) == pytest.approx(float(mp.hyp1f1(1.5, 2.5, x)) / 3, rel=1e-10)


# ---- what has no derivative


@pytest.mark.parametrize("name", OPERANDS)
def test_operands_have_a_derivative_or_raise(name):
    """By each operand alone: a number, or an error that names the function and the operand."""
    numbers = [np.mean(x) if isinstance(x, tuple) else x for x in OPERANDS[name]]
    names = list(inspect.signature(getattr(special, name)).parameters)
    for i, number in enumerate(numbers):
        if name.startswith("bdt") and i == 1:
            continue  # SciPy warns of numbers of trials that are no integers
        f = lambda x, i=i: getattr(special, name)(*numbers[:i], x, *numbers[i + 1 :])
        rounded = i == 0 and name in ("bdtr", "bdtrc", "bdtri", "pdtr", "pdtrc")
        if rounded or (isinstance(OPERANDS[name][i], tuple) and name != "zetac"):
            assert xp.isfinite(grad(f)(T(float(number))))
            continue
        which = "" if name == "zetac" else f" with respect to {names[i]}:"
        for attempt in (grad(f), lambda x, f=f: jvp(f, (x,), (x,))):
            with pytest.raises(
                NotDifferentiableError, match=rf"special\.{name}: not differentiable{which}"
            ):
                attempt(T(float(number)))


def test_a_refused_operand_may_be_traced_if_nothing_asks_for_its_gradient():
    a, x = T(2.0), T(1.0)
    stopped = grad(lambda a: special.gammainc(autodiff.stop_gradient(a), a))(a)
    assert float(stopped) == pytest.approx(2 * np.exp(-2))
    unused = grad(lambda a: (special.gammainc(a, 1.0), a * a)[1])(a)
    assert float(unused) == 4.0
    mixed = grad(lambda a: grad(lambda x: special.gammainc(a, x))(x))(a)  # x exp(-x) as x^(a-1)
    assert float(mixed) == pytest.approx(-np.exp(-1) * float(special.psi(a)))


def test_complex_numbers():
    z = T([0.5 + 0.3j, 1.5 - 0.7j, 2.0 + 1.0j])
    for name in ("gamma", "loggamma", "rgamma"):
        autodiff.check_grads(getattr(special, name), (z,), order=1)
    gradient = lambda z: autodiff.vjp(special.gamma, z)[1](xp.ones_like(z))[0]
    for f in (special.psi, gradient):
        _, pullback = autodiff.vjp(f, z)
        with pytest.raises(NotDifferentiableError, match="psi: not differentiable for complex"):
            pullback(z)


def test_the_scaled_bessel_function_of_complex_numbers_has_no_complex_derivative():
    z = T([0.5 + 0.3j])
    assert special.ive(1, z).dtype == xp.complex128
    with pytest.raises(NotDifferentiableError, match=r"special\.ive: .* write special\.iv"):
        autodiff.jvp(lambda z: special.ive(1, z), (z,), (z,))


def test_numbers_of_trials_may_be_floating_point_ones():
    k, n, p = (xp.asarray([float(x)]) for x in (1, 3, 0.5))
    assert special.bdtr(1, n, 0.5).tolist() == special.bdtr(1, 3, p).tolist() == [0.5]
    assert special.bdtr(k, xp.astype(n, xp.float32), 0.5).dtype == xp.float64
    assert special.bdtrc(1, xp.asarray([[3.0], [1.0]]), p).shape == (2, 1)


def test_huge_orders_do_not_hang():
    """The libraries' recurrences take one step for each order."""
    n, x = 2**62, 1e308
    assert np.isnan(float(special.yn(xp.asarray(n), x)))
    orders = xp.asarray([n, -n, n + 1, -(2**24) - 1, -(2**63)])
    assert special.yn(orders, 1.0).tolist() == [-np.inf, -np.inf, -np.inf, np.inf, -np.inf]
    assert special.yn(n, xp.asarray([0.0, 1e18, -1.0, np.nan])).tolist()[:2] == [-np.inf] * 2
    assert np.isnan(special.yn(n, xp.asarray([-1.0, np.nan])).tolist()).all()
    assert special.lpmv(n, 3.0, xp.asarray([0.5])).tolist() == [0.0]
    assert np.isnan(special.lpmv(2, n, xp.asarray([0.5])).tolist()).all()
    assert np.isnan(special.lpmv(n, 2.5, xp.asarray([1.0])).tolist()).all()
    assert special.hyp1f1(1, 2.5, xp.asarray([n, -n])).tolist()[0] == np.inf
    assert special.hyp1f1(2, 1, xp.asarray([-n])).tolist() == [0.0]
    assert np.isnan(special.hyp1f1(n, 1.0, xp.asarray([-1.0])).tolist()).all()
    with pytest.raises(ValueError, match=r"special\.multigammaln: d must be"):
        special.multigammaln(xp.asarray(1.0), n)


@pytest.mark.filterwarnings("ignore:floating point number truncated")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ["int8", "int64", "float32", "float64"])
def test_integer_orders_beside_floats(dtype, order):
    n = np.arange(-5, 6).astype(order)[:, None]
    x = np.asarray([0.0, 0.5, 1.0, 3.0, 100.0, 1e5, np.inf, np.nan, -1.0], dtype=dtype)
    for name, operands in (
        ("yn", (n, x)), ("expn", (abs(n), x)), ("lpmv", (n, abs(n), np.tanh(x))),
        ("hyp1f1", (n, abs(n) + 1, x[:5])), ("pdtr", (abs(n), x)),
    ):  # fmt: skip
        found = getattr(special, name)(*map(xp.asarray, operands))
        wide = np.result_type(*operands)
        expected = getattr(scipy_special, name)(*[a.astype(wide) for a in operands])
        rtol, atol = (2e-6, 1e-37) if wide == "float32" else (1e-13, 0)
        np.testing.assert_allclose(found.numpy(), expected, rtol=rtol, atol=atol)
    for name, operands in (("yn", (2, x)), ("lpmv", (1, 2, np.tanh(x))), ("hyp1f1", (1, 2, x))):
        plain = [xp.asarray(a) if isinstance(a, np.ndarray) else a for a in operands]
        assert getattr(special, name)(*plain).dtype == dtype
