"""The standard's special cases, among them those that NumPy and CuPy get wrong."""

import itertools
import math
import warnings

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
    "abs": [(-0.0, 0.0), (-INF, INF)], "acos": [(1.0, 0.0), (2.0, NAN), (-INF, NAN)],
    "acosh": [(0.5, NAN), (1.0, 0.0), (INF, INF), (-INF, NAN)],
    "asin": [(-0.0, -0.0), (2.0, NAN), (-INF, NAN)],
    "asinh": [(-0.0, -0.0), (-INF, -INF), (INF, INF)],
    "atan": [(-0.0, -0.0), (INF, math.pi / 2), (-INF, -math.pi / 2)],
    "atanh": [(1.0, INF), (-1.0, -INF), (2.0, NAN), (-0.0, -0.0), (INF, NAN)],
    "ceil": [(-0.5, -0.0), (-0.0, -0.0), (INF, INF)], "cos": [(-0.0, 1.0), (INF, NAN)],
    "cosh": [(-0.0, 1.0), (INF, INF), (-INF, INF), (800.0, INF)],
    "exp": [(-INF, 0.0), (INF, INF), (-0.0, 1.0), (800.0, INF), (-800.0, 0.0)],
    "expm1": [(-0.0, -0.0), (-INF, -1.0), (INF, INF), (800.0, INF), (5e-324, 5e-324)],
    "floor": [(-0.0, -0.0), (0.5, 0.0), (-INF, -INF)],
    "log": [(0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0)],
    "log1p": [(-1.0, -INF), (-0.0, -0.0), (-2.0, NAN), (INF, INF), (5e-324, 5e-324)],
    "log2": [(-0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0), (5e-324, -1074.0)],
    "log10": [(-0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0)],
    "reciprocal": [(-0.0, -INF), (0.0, INF), (INF, 0.0), (-INF, -0.0)],
    "round": [(-0.5, -0.0), (0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-INF, -INF), (1e300, 1e300),
              (0.49999999999999994, 0.0), (4503599627370497.5, 4503599627370498.0)],
    "sign": [(0.0, 0.0), (-INF, -1.0), (5e-324, 1.0)],
    "sin": [(-0.0, -0.0), (INF, NAN)], "sinh": [(-0.0, -0.0), (-INF, -INF), (-800.0, -INF)],
    "sqrt": [(-0.0, -0.0), (-1.0, NAN), (INF, INF), (-INF, NAN)],
    "square": [(-0.0, 0.0), (-INF, INF), (1e200, INF), (1e-200, 0.0)],
    "tan": [(-0.0, -0.0), (-INF, NAN)], "tanh": [(-INF, -1.0), (-0.0, -0.0), (800.0, 1.0)],
    "trunc": [(-0.5, -0.0), (0.5, 0.0), (-INF, -INF)],
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real(xp, name):
    for value, expected in [*REAL[name], (NAN, NAN)]:
        same(float(getattr(xp, name)(xp.asarray([value]))[0]), expected)


# ---- complex functions: the standard's tables

PI = math.pi
ZERO, ANY, NONZERO, POSITIVE = (0.0, -0.0), (0.0, -0.0, 1.5, -2.5), (1.5, -2.5), (0.5, 3.0)
NO_SIGN, NO_SIGN_INF = {0.0}, {INF, -INF}  # where the standard leaves the sign open

#: Function -> rows of real parts, imaginary parts and the result's two parts.
TABLES = {
    "acos": [
        (ZERO, 0.0, PI / 2, -0.0), (ZERO, NAN, PI / 2, NAN), (ANY, INF, PI / 2, -INF),
        (NONZERO, NAN, NAN, NAN), (-INF, POSITIVE, PI, -INF), (INF, POSITIVE, 0.0, -INF),
        (-INF, INF, 3 * PI / 4, -INF), (INF, INF, PI / 4, -INF),
        ((INF, -INF), NAN, NAN, NO_SIGN_INF), (NAN, ANY, NAN, NAN), (NAN, INF, NAN, -INF),
        (NAN, NAN, NAN, NAN),
    ],
    "acosh": [
        (ZERO, 0.0, 0.0, PI / 2), (ANY, INF, INF, PI / 2), (NONZERO, NAN, NAN, NAN),
        (0.0, NAN, NAN, {PI / 2, -PI / 2}), (-INF, POSITIVE, INF, PI), (INF, POSITIVE, INF, 0.0),
        (-INF, INF, INF, 3 * PI / 4), (INF, INF, INF, PI / 4), ((INF, -INF), NAN, INF, NAN),
        (NAN, ANY, NAN, NAN), (NAN, INF, INF, NAN), (NAN, NAN, NAN, NAN),
    ],
    "asinh": [
        (0.0, 0.0, 0.0, 0.0), (POSITIVE, INF, INF, PI / 2), (ANY, NAN, NAN, NAN),
        (INF, POSITIVE, INF, 0.0), (INF, INF, INF, PI / 4), (NAN, 0.0, NAN, 0.0),
        (INF, NAN, INF, NAN), (NAN, NONZERO, NAN, NAN), (NAN, INF, NO_SIGN_INF, NAN),
        (NAN, NAN, NAN, NAN),
    ],
    "atanh": [
        (0.0, 0.0, 0.0, 0.0), (0.0, NAN, 0.0, NAN), (1.0, 0.0, INF, 0.0),
        (POSITIVE, INF, 0.0, PI / 2), (NONZERO, NAN, NAN, NAN), (INF, POSITIVE, 0.0, PI / 2),
        (INF, INF, 0.0, PI / 2), (INF, NAN, 0.0, NAN), (NAN, ANY, NAN, NAN),
        (NAN, INF, NO_SIGN, PI / 2), (NAN, NAN, NAN, NAN),
    ],
    "cosh": [
        (0.0, 0.0, 1.0, 0.0), (0.0, INF, NAN, NO_SIGN), (0.0, NAN, NAN, NO_SIGN),
        (NONZERO, INF, NAN, NAN), (NONZERO, NAN, NAN, NAN), (INF, 0.0, INF, 0.0),
        (INF, 0.5, INF, INF), (INF, 2.0, -INF, INF), (INF, INF, NO_SIGN_INF, NAN),
        (INF, NAN, INF, NAN), (NAN, ZERO, NAN, NO_SIGN), (NAN, NONZERO, NAN, NAN),
        (NAN, NAN, NAN, NAN),
    ],
    "exp": [
        (ZERO, 0.0, 1.0, 0.0), (ANY, INF, NAN, NAN), (ANY, NAN, NAN, NAN), (INF, 0.0, INF, 0.0),
        (-INF, 0.5, 0.0, 0.0), (-INF, 2.0, -0.0, 0.0), (INF, 0.5, INF, INF), (INF, 2.0, -INF, INF),
        (-INF, (INF, NAN), NO_SIGN, NO_SIGN), (INF, (INF, NAN), NO_SIGN_INF, NAN),
        (NAN, 0.0, NAN, 0.0), (NAN, (*NONZERO, INF, NAN), NAN, NAN),
    ],
    "expm1": [
        (ZERO, 0.0, 0.0, 0.0), (ANY, INF, NAN, NAN), (ANY, NAN, NAN, NAN), (INF, 0.0, INF, 0.0),
        (-INF, (0.5, 2.0), -1.0, 0.0), (INF, 0.5, INF, INF), (INF, 2.0, -INF, INF),
        (-INF, (INF, NAN), -1.0, NO_SIGN), (INF, (INF, NAN), NO_SIGN_INF, NAN),
        (NAN, 0.0, NAN, 0.0), (NAN, (*NONZERO, INF, NAN), NAN, NAN), (800.0, 0.0, INF, 0.0),
    ],
    "log": [
        (-0.0, 0.0, -INF, PI), (0.0, 0.0, -INF, 0.0), (ANY, INF, INF, PI / 2),
        (ANY, NAN, NAN, NAN), (-INF, POSITIVE, INF, PI), (INF, POSITIVE, INF, 0.0),
        (-INF, INF, INF, 3 * PI / 4), (INF, INF, INF, PI / 4), ((INF, -INF), NAN, INF, NAN),
        (NAN, ANY, NAN, NAN), (NAN, INF, INF, NAN), (NAN, NAN, NAN, NAN),
    ],
    "sinh": [
        (0.0, 0.0, 0.0, 0.0), (0.0, (INF, NAN), NO_SIGN, NAN), (POSITIVE, (INF, NAN), NAN, NAN),
        (INF, 0.0, INF, 0.0), (INF, 0.5, INF, INF), (INF, 2.0, -INF, INF),
        (INF, (INF, NAN), NO_SIGN_INF, NAN), (NAN, 0.0, NAN, 0.0), (NAN, NONZERO, NAN, NAN),
        (NAN, NAN, NAN, NAN),
    ],
    "sqrt": [
        (ZERO, 0.0, 0.0, 0.0), ((*ANY, INF, -INF, NAN), INF, INF, INF), (ANY, NAN, NAN, NAN),
        (-INF, POSITIVE, 0.0, INF), (INF, POSITIVE, INF, 0.0), (-INF, NAN, NAN, NO_SIGN_INF),
        (INF, NAN, INF, NAN), (NAN, (*ANY, NAN), NAN, NAN), (-4.0, 0.0, 0.0, 2.0),
    ],
    "tanh": [
        (0.0, 0.0, 0.0, 0.0), (NONZERO, (INF, NAN), NAN, NAN), (0.0, (INF, NAN), 0.0, NAN),
        (INF, (*POSITIVE, 2.0), 1.0, 0.0), (INF, (INF, NAN), 1.0, NO_SIGN), (NAN, 0.0, NAN, 0.0),
        (NAN, NONZERO, NAN, NAN), (NAN, NAN, NAN, NAN), (800.0, 1.0, 1.0, 0.0),
    ],
    "sign": [
        (ZERO, ZERO, NO_SIGN, NO_SIGN), (NAN, (*ANY, INF, NAN), NAN, NAN),
        ((*ANY, -INF), NAN, NAN, NAN),
    ],
    "abs": [
        ((INF, -INF), (*ANY, INF, NAN), INF, 0.0), ((*ANY, NAN), (INF, -INF), INF, 0.0),
        (ZERO, 2.5, 2.5, 0.0), (-2.5, ZERO, 2.5, 0.0), (NAN, (*ANY, NAN), NAN, 0.0),
        (ANY, NAN, NAN, 0.0),
    ],
}  # fmt: skip
#: log1p is as log, but for its pole.
TABLES["log1p"] = [row for row in TABLES["log"] if row[1:] != (0.0, -INF, PI)]
TABLES["log1p"] = [row for row in TABLES["log1p"] if row[:2] != (0.0, 0.0)]
TABLES["log1p"] += [(-1.0, 0.0, -INF, 0.0), (0.0, 0.0, 0.0, 0.0), (0.0, -0.0, 0.0, -0.0)]


def several(v):
    return v if isinstance(v, tuple) else (v,)


def turned(rows, result):
    """The table of f(z / i) or of i f(z / i), whose own functions are defined by those of z."""
    rows = [(a, b, *e) for x, y, *e in rows for a in several(x) for b in several(y)]
    negative = {True: lambda v: {-w for w in v}, False: lambda v: -v}
    for a, b, re, im in rows:
        yield (b, -a, im, negative[isinstance(re, set)](re)) if result else (b, -a, re, im)


TABLES["cos"] = [*turned(TABLES["cosh"], False)]
for plain, rotated in (("sinh", "sin"), ("asinh", "asin"), ("tanh", "tan"), ("atanh", "atan")):
    TABLES[rotated] = [*turned(TABLES[plain], True)]
#: Of the complex tables, what CuPy leaves to the C++ library is not ours to test there.
MENDED = ("acosh", "expm1", "log", "log1p", "sign", "sqrt", "tanh")


def fits(found, expected, exact=1e-14):
    """Whether a part is the expected one, or one of them, with the sign of zero if it counts."""
    if isinstance(expected, set):
        return any(found == e or abs(found - e) <= exact for e in expected)
    if math.isnan(expected):
        return math.isnan(found)
    if expected == 0 or math.isinf(expected):
        return found == expected and math.copysign(1, found) == math.copysign(1, expected)
    return abs(found - expected) <= exact * abs(expected)


def check_table(name, dtype="complex128"):
    function = getattr(arraygrad, name)
    for real, imag, *expected in TABLES[name]:
        for a, b in itertools.product(several(real), several(imag)):
            x = arraygrad.asarray([complex(a, b)], dtype=getattr(arraygrad, dtype))
            found = complex(function(x)[0])
            exact = 1e-14 if dtype == "complex128" else 1e-6
            assert fits(found.real, expected[0], exact), (complex(a, b), found, expected)
            assert fits(found.imag, expected[1], exact), (complex(a, b), found, expected)


@pytest.mark.parametrize("name", MENDED)
def test_complex(xp, name):
    check_table(name)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", TABLES)
def test_complex_on_the_cpu(name, dtype):
    check_table(name, dtype)


@pytest.mark.parametrize("name", ["log2", "log10"])
def test_other_logarithms_divide_by_a_real_number(xp, name):
    values = [0.0, -0.0, 1.0, -2.5, INF, -INF, NAN]
    z = np.asarray([complex(a, b) for a, b in itertools.product(values, values)])
    found, log = getattr(xp, name)(xp.asarray(z)).numpy(), xp.log(xp.asarray(z)).numpy()
    base = getattr(math, name)(math.e)
    np.testing.assert_allclose(found.real, log.real * base, rtol=1e-15)
    np.testing.assert_allclose(found.imag, log.imag * base, rtol=1e-15)


@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "sign", "sqrt", "log", "exp"])
def test_conjugates(xp, name):
    """f(conj z) = conj f(z), also at infinities and NaN."""
    conjugates(name)


@pytest.mark.parametrize("name", [n for n in TABLES if n != "abs"])
def test_conjugates_on_the_cpu(name):
    conjugates(name)


def conjugates(name):
    values = [0.0, 1.0, -0.5, INF, -INF, NAN]
    z = np.asarray([complex(a, b) for a, b in itertools.product(values, [0.0, 0.5, 3.0, INF])])
    function = getattr(arraygrad, name)
    upper = function(arraygrad.asarray(z)).numpy()
    lower = function(arraygrad.asarray(z.conj())).numpy()
    defined = ~np.isnan(upper.imag) & ~np.isnan(upper.real)
    np.testing.assert_allclose(lower[defined], upper.conj()[defined], rtol=1e-15)


@pytest.mark.parametrize("name", ["asin", "asinh", "atan", "atanh", "sin", "sinh", "tan", "tanh"])
def test_odd_functions(name):
    values = [0.0, 1.0, -0.5, INF, -INF]
    z = np.asarray([complex(a, b) for a, b in itertools.product(values, values)])
    function = getattr(arraygrad, name)
    one, other = function(arraygrad.asarray(z)).numpy(), function(arraygrad.asarray(-z)).numpy()
    defined = ~np.isnan(one.imag) & ~np.isnan(one.real)
    np.testing.assert_allclose(other[defined], -one[defined], rtol=1e-15)


# ---- real functions of two numbers


def quotient(a, b):
    if b == 0:
        return NAN if a == 0 or math.isnan(a) else math.copysign(INF, a) * math.copysign(1, b)
    return a / b


def rest(a, b):
    return NAN if b == 0 else a % b  # with the divisor's sign, and -1 % inf is inf


def log_of_sum(a, b):
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return NAN if math.isnan(a) or math.isnan(b) else max(a, b) + 0.0
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


#: Functions whose special cases are those of C's, which Python has.
PAIRS = {
    "atan2": math.atan2, "copysign": math.copysign, "divide": quotient, "hypot": math.hypot,
    "logaddexp": log_of_sum, "nextafter": math.nextafter, "remainder": rest,
    "maximum": lambda a, b: NAN if math.isnan(a + b) and a != -b else max(a, b),
    "minimum": lambda a, b: NAN if math.isnan(a + b) and a != -b else min(a, b),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(xp, name):
    values = [0.0, -0.0, 1.0, -1.0, 2.5, -7.0, INF, -INF, NAN]
    for a, b in itertools.product(values, values):
        if name in ("maximum", "minimum") and a == b == 0:
            continue  # either zero will do
        expected = PAIRS[name](a, b)
        x, y = xp.asarray([a]), xp.asarray([b])
        for found in (getattr(xp, name)(x, y), getattr(xp, name)(x, b), getattr(xp, name)(a, y)):
            f = float(found[0])
            assert f == pytest.approx(expected, rel=1e-15, nan_ok=True), (a, b)
            if expected == 0:
                assert math.copysign(1, f) == math.copysign(1, expected), (a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nextafter_steps_by_one(dtype):
    x = arraygrad.asarray([1.0, 0.0, -1.0, INF, 2.0], dtype=getattr(arraygrad, dtype))
    for to in (INF, -INF):
        y = arraygrad.full((5,), to, dtype=x.dtype)
        np.testing.assert_array_equal(
            arraygrad.nextafter(x, y).numpy(), np.nextafter(x.numpy(), y.numpy())
        )
    info = arraygrad.finfo(x.dtype)
    assert float(arraygrad.nextafter(x, x + 1)[0]) == 1 + info.eps
    zero = arraygrad.zeros(1, dtype=x.dtype)
    assert 0 < float(arraygrad.nextafter(zero, zero + 1)[0]) < info.smallest_normal


def test_signbit(xp):
    x = xp.asarray([0.0, -0.0, 1.0, -1.0, INF, -INF])
    assert xp.signbit(x).tolist() == [False, True, False, True, False, True]
    assert xp.signbit(xp.copysign(xp.full((1,), NAN), -1.0)).tolist() == [True]


def test_complex_division_by_zero_and_infinity():
    """Nothing finite comes of a division by zero, nothing but zero of one by infinity."""
    zero, one = arraygrad.zeros(1, dtype=arraygrad.complex128), arraygrad.ones(1)
    for numerator in (1 + 0j, 1 + 1j, -2j):
        found = complex((numerator / zero)[0])
        assert math.isinf(found.real) or math.isinf(found.imag)
    assert all(map(math.isnan, _parts(complex((zero / zero)[0]))))
    assert complex((one / arraygrad.asarray([complex(INF, 1.0)]))[0]) == 0
    assert all(map(math.isnan, _parts(complex((zero / arraygrad.asarray([complex(NAN, NAN)]))[0]))))


# ---- integers

INTEGERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()


@pytest.mark.parametrize("form", ["function", "operator", "in place", "scalar", "reflected"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_floor_divide_and_remainder(xp, dtype, form):
    """As Python's; the least integer over -1 wraps around."""
    info = np.iinfo(dtype)
    values = sorted({int(v) for v in (info.min, info.min + 1, -7, -3, -1, 0, 1, 2, 7, info.max)})
    values = [v for v in values if info.min <= v]
    kind = getattr(xp, dtype)
    for a, b in itertools.product(values, [v for v in values if v]):
        x, y = xp.asarray([a], dtype=kind), xp.asarray([b], dtype=kind)
        if form == "in place":
            quotients, rests = xp.asarray([a], dtype=kind), xp.asarray([a], dtype=kind)
            quotients //= y
            rests %= y
        else:
            left, right = (a if form == "reflected" else x), (b if form == "scalar" else y)
            if form == "function":
                quotients, rests = xp.floor_divide(left, right), xp.remainder(left, right)
            else:
                quotients, rests = left // right, left % right
        assert quotients.dtype == rests.dtype == kind
        wrapped = info.min if (a, b) == (info.min, -1) else a // b
        assert (int(quotients[0]), int(rests[0])) == (wrapped, a % b), (a, b)


@pytest.mark.parametrize("form", ["function", "operator", "in place"])
@pytest.mark.parametrize("dtype", "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split())
def test_shifts_by_more_than_the_width(xp, dtype, form):
    """As if the number had all of its digits: zero, or -1 of a negative number to the right."""
    info = np.iinfo(dtype)
    kind = getattr(xp, dtype)
    for a, n in itertools.product((info.min, 1, 5, info.max), (0, 1, info.bits - 1, info.bits, 70)):
        x, y = xp.asarray([a], dtype=kind), xp.asarray([n], dtype=kind)
        if form == "in place":
            left, right = xp.asarray(x, copy=True), xp.asarray(x, copy=True)
            left <<= y
            right >>= y
        elif form == "function":
            left, right = xp.bitwise_left_shift(x, y), xp.bitwise_right_shift(x, y)
        else:
            left, right = x << y, x >> y
        wrapped = np.asarray([(a << n) % 2**info.bits], f"u{info.bits // 8}").astype(dtype)
        assert (int(left[0]), int(right[0])) == (int(wrapped[0]), a >> n), (a, n)


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


@pytest.mark.parametrize(
    ("x1", "x2", "expected"), [(1e200, 1e200, 1.0), (0.0, math.inf, 0.0), (math.inf, 2.0, math.inf)]
)
def test_floor_divide_does_not_warn(x1, x2, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = arraygrad.asarray([x1, x1]) // arraygrad.asarray([x2, x2])
    assert found.tolist() == [expected, expected]


def test_floor_divide_of_infinity_by_a_huge_int():
    x = arraygrad.asarray([1.0, INF])
    assert (x // 10**30).tolist() == [0.0, INF]
    assert (10**30 // x).tolist() == [1e30, 0.0]


def test_floor_divide_warns_once():
    x = arraygrad.asarray([1.0, INF])
    with pytest.warns(RuntimeWarning) as caught:
        x // 0.0
    assert ["floor_divide" in str(w.message) for w in caught] == [True]
