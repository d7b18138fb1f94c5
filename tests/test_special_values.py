"""The standard's special cases, among them those that NumPy and CuPy get wrong."""

import itertools
import math

import numpy as np
import pytest

import arraygrad

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
INF, NAN = math.inf, math.nan


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def xp(request):
    with arraygrad.default_device(request.param):
        yield arraygrad


def same(found, expected):
    """Equal, NaN with NaN, and with the same sign of zero."""
    for f, e in zip(_parts(found), _parts(expected), strict=True):
        assert f == e or (math.isnan(f) and math.isnan(e)), (found, expected)
        if e == 0:
            assert math.copysign(1, f) == math.copysign(1, e), (found, expected)


def _parts(v):
    return (v.real, v.imag) if isinstance(v, complex) else (v,)


REAL = {
    "abs": [(-0.0, 0.0), (-INF, INF)], "acos": [(1.0, 0.0), (2.0, NAN)],
    "acosh": [(0.5, NAN), (1.0, 0.0), (INF, INF)], "asin": [(-0.0, -0.0), (2.0, NAN)],
    "asinh": [(-0.0, -0.0), (-INF, -INF)],
    "atan": [(-0.0, -0.0), (INF, math.pi / 2)], "atanh": [(1.0, INF), (-1.0, -INF), (2.0, NAN)],
    "ceil": [(-0.5, -0.0), (-0.0, -0.0), (INF, INF)], "cos": [(-0.0, 1.0), (INF, NAN)],
    "exp": [(-INF, 0.0), (INF, INF), (-0.0, 1.0)], "expm1": [(-0.0, -0.0), (-INF, -1.0)],
    "floor": [(-0.0, -0.0), (0.5, 0.0)], "log": [(0.0, -INF), (-0.0, -INF), (-1.0, NAN)],
    "log1p": [(-1.0, -INF), (-0.0, -0.0), (-2.0, NAN)], "round": [(-0.5, -0.0), (2.5, 2.0)],
    "sign": [(0.0, 0.0), (NAN, NAN), (-INF, -1.0)], "sin": [(-0.0, -0.0), (INF, NAN)],
    "sqrt": [(-0.0, -0.0), (-1.0, NAN), (INF, INF)], "tanh": [(-INF, -1.0), (-0.0, -0.0)],
    "trunc": [(-0.5, -0.0), (0.5, 0.0)], "reciprocal": [(-0.0, -INF), (INF, 0.0)],
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real(xp, name):
    for value, expected in REAL[name]:
        same(float(getattr(xp, name)(xp.asarray([value]))[0]), expected)


COMPLEX = {
    "expm1": [
        (complex(INF, 0.0), complex(INF, 0.0)), (complex(-INF, INF), -1 + 0j),
        (complex(-INF, NAN), -1 + 0j), (complex(INF, INF), complex(INF, NAN)),
        (complex(INF, NAN), complex(INF, NAN)), (complex(NAN, 0.0), complex(NAN, 0.0)),
        (complex(-0.0, 0.0), 0j), (complex(0.0, -0.0), complex(0.0, -0.0)),
        (complex(1.0, INF), complex(NAN, NAN)), (complex(800.0, 0.0), complex(INF, 0.0)),
    ],
    "tanh": [
        (complex(INF, 2.0), 1 + 0j), (complex(INF, -2.0), complex(1.0, -0.0)),
        (complex(-INF, 2.0), -1 + 0j), (complex(0.0, INF), complex(0.0, NAN)),
        (complex(NAN, 0.0), complex(NAN, 0.0)), (complex(1.0, INF), complex(NAN, NAN)),
    ],
    "sign": [(0j, 0j), (complex(3.0, 4.0) * 1e300, 0.6 + 0.8j), (complex(NAN, 1.0),) * 1
             + (complex(NAN, NAN),), (complex(-INF, NAN), complex(NAN, NAN))],
    "sqrt": [
        (complex(1.0, INF), complex(INF, INF)), (complex(-INF, 1.0), complex(0.0, INF)),
        (complex(INF, 1.0), complex(INF, 0.0)), (complex(-4.0, 0.0), 2j),
        (complex(-4.0, -0.0), complex(0.0, -2.0)), (complex(NAN, INF), complex(INF, INF)),
    ],
    "acosh": [
        (complex(0.0, 0.0), complex(0.0, math.pi / 2)), (complex(INF, 1.0), complex(INF, 0.0)),
        (complex(-INF, 1.0), complex(INF, math.pi)), (complex(NAN, 1.0), complex(NAN, NAN)),
    ],
    "log": [
        (complex(-0.0, 0.0), complex(-INF, math.pi)), (complex(0.0, 0.0), complex(-INF, 0.0)),
        (complex(INF, NAN), complex(INF, NAN)), (complex(NAN, INF), complex(INF, NAN)),
        (complex(-1.0, -0.0), complex(0.0, -math.pi)),
    ],
    "log1p": [
        (complex(-1.0, 0.0), complex(-INF, 0.0)), (complex(INF, 1.0), complex(INF, 0.0)),
        (complex(-INF, 1.0), complex(INF, math.pi)), (complex(NAN, INF), complex(INF, NAN)),
        (complex(1.0, INF), complex(INF, math.pi / 2)), (complex(0.0, -0.0), complex(0.0, -0.0)),
        (complex(-INF, INF), complex(INF, 3 * math.pi / 4)), (complex(1.0, NAN), complex(NAN, NAN)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLEX)
def test_complex(xp, name):
    for value, expected in COMPLEX[name]:
        found = complex(getattr(xp, name)(xp.asarray([value]))[0])
        for f, e in zip(_parts(found), _parts(complex(expected)), strict=True):
            same(round(f, 12) if math.isfinite(f) else f, round(e, 12) if math.isfinite(e) else e)


@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "sign", "sqrt", "log", "exp"])
def test_conjugates(xp, name):
    """f(conj z) = conj f(z), also at infinities and NaN."""
    values = [0.0, 1.0, -0.5, INF, -INF, NAN]
    z = np.asarray([complex(a, b) for a, b in itertools.product(values, [0.0, 0.5, 3.0, INF])])
    function = getattr(xp, name)
    upper = function(xp.asarray(z)).numpy()
    lower = function(xp.asarray(z.conj())).numpy()
    defined = ~np.isnan(upper.imag) & ~np.isnan(upper.real)
    np.testing.assert_array_equal(lower[defined], upper.conj()[defined])


def floor_of_quotient(a, b):
    """The standard's preferred values of floor_divide where an operand is special."""
    if math.isnan(a) or math.isnan(b) or (math.isinf(a) and math.isinf(b)) or a == b == 0:
        return NAN
    if b == 0:
        return math.copysign(INF, a) * math.copysign(1, b)
    if math.isinf(a):
        return math.copysign(INF, a) * math.copysign(1, b)
    if math.isinf(b) or a == 0:
        return math.copysign(0.0, a) * math.copysign(1, b)
    return float(a // b)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -7.0, INF, -INF, NAN]


@pytest.mark.parametrize("form", ["function", "operator", "in place", "scalar", "reflected"])
def test_floor_divide(xp, form):
    for a, b in itertools.product(SPECIAL, SPECIAL):
        x, y = xp.asarray([a, 1.0]), xp.asarray([b, 1.0])
        if form == "in place":
            x //= y
            found = x
        else:
            found = {
                "function": lambda x=x, y=y: xp.floor_divide(x, y),
                "operator": lambda x=x, y=y: x // y,
                "scalar": lambda x=x, b=b: x // b,
                "reflected": lambda y=y, a=a: a // y,
            }[form]()
        same(float(found[0]), floor_of_quotient(a, b))


def test_pow(xp):
    for base, exponent, expected in [
        (-0.0, 0.5, 0.0), (-INF, 0.5, INF), (4.0, 0.5, 2.0), (-4.0, 0.5, NAN), (NAN, 0.0, 1.0),
        (1.0, NAN, 1.0), (-0.0, -1.0, -INF), (-0.0, -2.0, INF), (-0.0, 3.0, -0.0),
        (-INF, 3.0, -INF), (-INF, 2.0, INF), (0.5, INF, 0.0), (2.0, INF, INF), (-1.0, INF, 1.0),
    ]:  # fmt: skip
        x, y = xp.asarray([base, base]), xp.asarray([exponent, exponent])
        z = xp.asarray(x, copy=True)
        z **= exponent
        for found in (x**y, x**exponent, xp.pow(x, y[0]), base ** y[:1], z, x[:1] ** y[:1]):
            same(float(found[0]), expected)


def test_signed_zeros(xp):
    for a, b in itertools.product([0.0, -0.0], [0.0, -0.0]):
        x, y = xp.asarray([a]), xp.asarray([b])
        same(float((x + y)[0]), a + b)
        same(float((x - y)[0]), a - b)
        same(float((x * y)[0]), a * b)
        same(float(xp.atan2(x, y)[0]), math.atan2(a, b))
        same(float(xp.copysign(x, y)[0]), math.copysign(a, b))
        same(float(xp.nextafter(x, y)[0]), b)
    for a, b in itertools.product([0.0, -0.0], [2.0, -2.0]):
        same(float((xp.asarray([a]) / b)[0]), a / b)
        same(float((xp.asarray([a]) % b)[0]), math.copysign(0.0, b))
        same(float((xp.asarray([b]) / xp.asarray([a]))[0]), b * math.copysign(INF, a))
    x = xp.zeros(2)
    x[0] = -0.0
    assert xp.signbit(x).tolist() == [True, False]
    assert xp.signbit(xp.full((2,), -0.0)).tolist() == [True, True]


def test_extrema_with_nan_and_infinities(xp):
    x = xp.asarray([[1.0, NAN, 3.0], [-INF, 5.0, INF]])
    for name in ("max", "min"):
        assert math.isnan(float(getattr(xp, name)(x)))
        rows = getattr(xp, name)(x, axis=1)
        assert math.isnan(float(rows[0]))
        assert float(rows[1]) == (INF if name == "max" else -INF)
        assert int(getattr(xp, f"arg{name}")(x)) == 1
        only = xp.asarray([-INF, -INF] if name == "max" else [INF, INF])
        assert math.isinf(float(getattr(xp, name)(only)))
        assert int(getattr(xp, f"arg{name}")(only)) == 0
    for name in ("maximum", "minimum"):
        for a, b in ((NAN, 1.0), (1.0, NAN)):
            assert math.isnan(float(getattr(xp, name)(xp.asarray([a]), b)[0]))


def test_logaddexp_and_hypot(xp):
    same(float(xp.logaddexp(xp.asarray([-INF]), -INF)[0]), -INF)
    same(float(xp.logaddexp(xp.asarray([INF]), -INF)[0]), INF)
    same(float(xp.hypot(xp.asarray([INF]), NAN)[0]), INF)
    same(float(xp.hypot(xp.asarray([-0.0]), -0.0)[0]), 0.0)


def test_finite_numbers_do_not_warn():
    x = arraygrad.asarray([7.0, -7.0])
    with np.errstate(all="raise"):
        assert (x // 2.0).tolist() == [3.0, -4.0]
        assert (arraygrad.asarray([INF]) // 2.0).tolist() == [INF]
        arraygrad.log1p(arraygrad.asarray([1e-20 + 1j, 5.0]))
        arraygrad.expm1(arraygrad.asarray([1e-20 + 1j, 5.0]))
        arraygrad.tanh(arraygrad.asarray([1e-20 + 1j, 5.0]))
