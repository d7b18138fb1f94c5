"""Elementwise functions against references in higher precision (mpmath), for every float dtype."""

import cmath
import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arraygrad as xp

mpmath.mp.prec = 2300  # 1 + the least float64 has more than a thousand bits, twice that its square
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

#: Function -> (reference, interval of ordinary arguments).
REAL = {
    "acos": (mpmath.acos, (-1, 1)), "acosh": (mpmath.acosh, (1, 1e6)),
    "asin": (mpmath.asin, (-1, 1)), "asinh": (mpmath.asinh, (-1e6, 1e6)),
    "atan": (mpmath.atan, (-1e6, 1e6)), "atanh": (mpmath.atanh, (-0.999, 0.999)),
    "cos": (mpmath.cos, (-1e3, 1e3)), "cosh": (mpmath.cosh, (-80, 80)),
    "exp": (mpmath.exp, (-80, 80)), "expm1": (lambda x: mpmath.exp(x) - 1, (-80, 80)),
    "log": (mpmath.log, (1e-30, 1e30)), "log1p": (lambda x: mpmath.log(1 + x), (-0.999, 1e6)),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), (1e-30, 1e30)),
    "log10": (lambda x: mpmath.log(x) / mpmath.log(10), (1e-30, 1e30)),
    "reciprocal": (lambda x: 1 / x, (1e-30, 1e30)), "sin": (mpmath.sin, (-1e3, 1e3)),
    "sinh": (mpmath.sinh, (-80, 80)), "sqrt": (mpmath.sqrt, (0, 1e30)),
    "square": (lambda x: x * x, (-1e15, 1e15)), "tan": (mpmath.tan, (-1e3, 1e3)),
    "tanh": (mpmath.tanh, (-30, 30)),
}  # fmt: skip
BINARY = {
    "add": lambda a, b: a + b, "atan2": mpmath.atan2, "divide": lambda a, b: a / b,
    "hypot": mpmath.hypot, "multiply": lambda a, b: a * b, "subtract": lambda a, b: a - b,
}  # fmt: skip
#: Complex functions; the error is of the modulus.
COMPLEX = {name: reference for name, (reference, _) in REAL.items()}
COMPLEX |= {"abs": abs, "sign": lambda z: z / abs(z)}

#: What IEEE 754 rounds correctly.
CORRECT = ("add", "divide", "multiply", "reciprocal", "sqrt", "square", "subtract")
EPS = {"float32": 2.0**-23, "float64": 2.0**-52, "complex64": 2.0**-23, "complex128": 2.0**-52}
LARGEST = {"float32": 2.0**128 - 2.0**104, "float64": math.ldexp(2 - 2.0**-52, 1023)}
PART = {"float32": "float32", "float64": "float64", "complex64": "float32", "complex128": "float64"}
TINY = {"float32": 2.0**-126, "float64": 2.0**-1022}


def bound(name, dtype):
    """In units of the last place; NumPy's vectorised functions promise 4."""
    return 0.501 if "float" in dtype and name in CORRECT else 4


def numbers(dtype, low, high):
    width = 32 if PART[dtype] == "float32" else 64
    low, high = (float(np.float32(v)) for v in (low, high))
    return st.floats(low, high, width=width, allow_subnormal=False)


def close(found, exact, dtype, ulps, slack=0.0):
    """Within so many units of the last place of the exact value's modulus; infinite beyond."""
    part = PART[dtype]
    found, exact = mpmath.mpmathify(found), mpmath.mpmathify(exact)
    bound = ulps * EPS[dtype] * max(abs(exact), TINY[part]) + slack
    for f, e in ((mpmath.re(found), mpmath.re(exact)), (mpmath.im(found), mpmath.im(exact))):
        if abs(f) == mpmath.inf:
            assert f * e > 0, (found, exact)
            assert abs(e) + bound > LARGEST[part], (found, exact)
        else:
            assert abs(f - e) <= bound, (found, exact)


def lift(z):
    """An mpmath number, complex only for complex ones."""
    return mpmath.mpc(z) if isinstance(z, complex) else mpmath.mpf(z)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REAL)
def test_real(name, dtype):
    reference, (low, high) = REAL[name]

    @given(numbers(dtype, low, high))
    def run(value):
        x = xp.asarray([value], dtype=getattr(xp, dtype))
        found = float(getattr(xp, name)(x)[0])
        close(found, reference(lift(float(x[0]))), dtype, bound(name, dtype))

    run()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    parts = numbers(dtype, 1e-3, 50) | numbers(dtype, -50, -1e-3)

    @given(parts, parts)
    def run(a, b):
        x, y = (xp.asarray([v], dtype=getattr(xp, dtype)) for v in (a, b))
        exact = BINARY[name](lift(float(x[0])), lift(float(y[0])))
        close(float(getattr(xp, name)(x, y)[0]), exact, dtype, bound(name, dtype))

    run()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logaddexp(dtype):
    """The larger operand and what is added to it may cancel; each is known to rounding.

    What is added is an exponential of the operands' difference, which is rounded.
    """
    parts = numbers(dtype, -50, 50)

    @given(parts, parts)
    def run(a, b):
        x, y = (xp.asarray([v], dtype=getattr(xp, dtype)) for v in (a, b))
        exact = mpmath.log(mpmath.exp(lift(float(x[0]))) + mpmath.exp(lift(float(y[0]))))
        less = abs(float(x[0]) - float(y[0]))
        slack = EPS[dtype] * (4 * min(1, abs(max(a, b))) + less * math.exp(-less))
        close(float(xp.logaddexp(x, y)[0]), exact, dtype, 4, slack)

    run()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex(name, dtype):
    parts = numbers(dtype, -50, 50).filter(bool)  # on the axes, the sign of zero decides

    @given(parts, parts)
    def run(a, b):
        x = xp.asarray([complex(a, b)], dtype=getattr(xp, dtype))
        exact = COMPLEX[name](lift(complex(x[0])))
        close(complex(getattr(xp, name)(x)[0]), exact, dtype, bound(name, dtype))

    run()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ["divide", "multiply"])
def test_complex_binary(name, dtype):
    parts = numbers(dtype, -50, 50)

    @given(parts, parts, parts, parts)
    def run(a, b, c, d):
        x, y = (xp.asarray([z], dtype=getattr(xp, dtype)) for z in (complex(a, b), complex(c, d)))
        if name == "multiply" or abs(complex(c, d)) > 1e-30:
            exact = BINARY[name](lift(complex(x[0])), lift(complex(y[0])))
            close(complex(getattr(xp, name)(x, y)[0]), exact, dtype, bound(name, dtype))

    run()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_pow(dtype):
    """Of complex numbers, the logarithm's error is magnified by the exponent."""
    parts = numbers(dtype, 0.01, 8)

    @given(parts, parts, numbers(dtype, -8, 8), numbers(dtype, -4, 4))
    def run(a, b, c, d):
        base, exponent = (complex(a, b), complex(c, d)) if "complex" in dtype else (a, c)
        x, y = (xp.asarray([v], dtype=getattr(xp, dtype)) for v in (base, exponent))
        log = mpmath.log(lift(x[0].numpy().item())) * lift(y[0].numpy().item())
        ulps = 4 * (1 + float(abs(log))) if "complex" in dtype else 4
        close(xp.pow(x, y)[0].numpy().item(), mpmath.exp(log), dtype, ulps)

    run()


# ---- extremes


def magnitudes(dtype):
    """From the subnormal numbers to the largest, dense where functions overflow or change form."""
    part = PART[dtype]
    eps, tiny, largest = EPS[dtype], TINY[part], LARGEST[part]
    end = math.log(largest)
    values = [tiny * eps * 4, tiny, math.sqrt(tiny), eps / 4, eps, math.sqrt(eps), 1e-3, 0.5]
    values += [1 - eps / 2, 1, 1 + eps, 1.5, math.pi, 22, end / 2, end * (1 - 1e-3), end + 0.3]
    values += [1 / eps, math.sqrt(largest) / 2, largest / 8, largest]
    return [float(np.dtype(part).type(v)) for v in values]


#: The part of the argument that is an exponent: far out, mpmath's own would be too large.
GROWING = {
    "exp": 0, "expm1": 0, "cosh": 0, "sinh": 0, "tanh": 0, "cos": 1, "sin": 1, "tan": 1
}  # fmt: skip


def in_range(name, z, dtype):
    if name in GROWING and abs((z.real, z.imag)[GROWING[name]]) > 1e5:
        return False
    # NumPy's quotient of complex numbers adds such parts, its product subtracts their squares.
    limits = {"reciprocal": LARGEST[PART[dtype]] / 4, "square": math.sqrt(LARGEST[PART[dtype]]) / 2}
    return max(abs(z.real), abs(z.imag)) <= limits.get(name, math.inf) or "float" in dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REAL)
def test_real_at_extremes(name, dtype):
    values = [s * m for m in magnitudes(dtype) for s in (1, -1)]
    values = [v for v in values if in_range(name, v, dtype)]
    found = getattr(xp, name)(xp.asarray(values, dtype=getattr(xp, dtype))).tolist()
    for v, f in zip(values, found, strict=True):
        exact = REAL[name][0](lift(v))
        if isinstance(exact, mpmath.mpc):
            assert math.isnan(f), (name, v)
        else:
            close(f, exact, dtype, bound(name, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_binary_at_extremes(name, dtype):
    values = [s * m for m in magnitudes(dtype) for s in (1, -1)]
    a, b = np.asarray([*itertools.product(values, values)], dtype=dtype).T
    found = getattr(xp, name)(xp.asarray(a), xp.asarray(b)).tolist()
    for v, w, f in zip(a.tolist(), b.tolist(), found, strict=True):
        close(f, BINARY[name](lift(v), lift(w)), dtype, bound(name, dtype))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_at_extremes(name, dtype):
    parts = magnitudes(dtype)
    values = [complex(s * a, b) for a in parts for b in parts for s in (1, -1)]
    values = [z for z in values if in_range(name, z, dtype)]
    found = getattr(xp, name)(xp.asarray(values, dtype=getattr(xp, dtype))).tolist()
    for z, f in zip(values, found, strict=True):
        close(f, COMPLEX[name](lift(z)), dtype, bound(name, dtype))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ["divide", "multiply"])
def test_complex_binary_at_extremes(name, dtype):
    """Products and the divisor's squares would leave the range; the quotients must not."""
    largest, tiny = LARGEST[PART[dtype]], TINY[PART[dtype]]
    parts = [0.0, math.sqrt(tiny), EPS[dtype], 1.0, -3.0, math.sqrt(largest) / 2]
    if name == "divide":
        parts += [8 * tiny, largest / 4]
    values = [z for z in itertools.starmap(complex, itertools.product(parts, parts)) if z]
    a, b = np.asarray([*itertools.product(values, values)], dtype=dtype).T
    found = getattr(xp, name)(xp.asarray(a), xp.asarray(b)).tolist()
    for v, w, f in zip(a.tolist(), b.tolist(), found, strict=True):
        close(f, BINARY[name](lift(v), lift(w)), dtype, bound(name, dtype))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", [n for n in COMPLEX if n not in ("abs", "sign", "square")])
def test_signs_of_zeros_choose_the_side_of_a_cut(name, dtype):
    """On an axis a function is its limit from the side that the zero's sign names."""
    offset = mpmath.mpf(2) ** -1100  # a zero to floats, and still large to the references
    for value, sign in itertools.product([1e-3, 0.5, 1.5, 3.0, 7.0], [1, -1]):
        value = float(np.dtype(PART[dtype]).type(value)) * sign
        for zero in (0.0, -0.0):
            side = math.copysign(1, zero) * offset
            for z, near in (
                (complex(value, zero), mpmath.mpc(value, side)),
                (complex(zero, value), mpmath.mpc(side, value)),
            ):
                exact = COMPLEX[name](near)
                found = complex(getattr(xp, name)(xp.asarray([z], dtype=getattr(xp, dtype)))[0])
                close(found, exact, dtype, bound(name, dtype))
                for f, e in ((found.real, exact.real), (found.imag, exact.imag)):
                    if f == 0:
                        assert math.copysign(1, f) * e > 0, (z, found, exact)


# ---- cancellation


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_log1p_part_by_part(dtype):
    """Also where |1 + z| is near 1, so that the real part cancels."""
    small = numbers(dtype, -1e-3, 1e-3)

    @given(small, small, st.booleans())
    def run(a, b, on_the_circle):
        if on_the_circle:  # real part of 1 + z about cos b
            a = -b * b / 2
        x = xp.asarray([complex(a, b)], dtype=getattr(xp, dtype))
        value = complex(x[0])
        found = complex(xp.log1p(x)[0])
        exact = mpmath.log(1 + lift(value))
        # The terms that cancel are known to twice the working precision, not better.
        twice = 16 * EPS[dtype] ** 2 * abs(value.real)
        close(found.real, exact.real, dtype, 4, slack=twice)
        close(found.imag, exact.imag, dtype, 4)

    run()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_log1p_around_its_pole_and_the_circle(dtype):
    """All around -1, from next to it to where the real part changes sign and beyond."""
    radii = [EPS[dtype], 1e-3, 0.3, 0.7, 0.72, 0.999, 1.0, 1.001, 2.0, 5.7, 100.0]
    for radius, angle in itertools.product(radii, [1e-6, 0.4, 1.0, 1.57, 2.0, 3.0, -0.4, -3.1]):
        x = xp.asarray([cmath.rect(radius, angle) - 1], dtype=getattr(xp, dtype))
        found, exact = complex(xp.log1p(x)[0]), mpmath.log(1 + lift(complex(x[0])))
        close(found.real, exact.real, dtype, 4, slack=16 * EPS[dtype] ** 2)
        close(found.imag, exact.imag, dtype, 4)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_expm1_part_by_part(dtype):
    """The real part is expm1(x) cos(y) - 2 sin(y / 2)², two terms that are known to rounding."""
    small = numbers(dtype, -1, 1)

    @given(small, small, st.sampled_from([1.0, 1e-3, 1e-6]))
    def run(a, b, scale):
        x = xp.asarray([complex(a * scale, b * scale)], dtype=getattr(xp, dtype))
        value = complex(x[0])
        found, exact = complex(xp.expm1(x)[0]), mpmath.exp(lift(value)) - 1
        terms = abs(math.expm1(value.real)) + value.imag**2
        close(found.real, exact.real, dtype, 4, slack=4 * EPS[dtype] * terms)
        close(found.imag, exact.imag, dtype, 4)

    run()


def test_extremes():
    big = 1e308
    assert complex(xp.sign(xp.asarray([complex(big, big)]))[0]) == pytest.approx(
        complex(math.sqrt(0.5), math.sqrt(0.5))
    )
    assert float(xp.abs(xp.asarray([complex(big, 0)]))[0]) == big
    assert float(xp.hypot(xp.asarray([big]), 1.0)[0]) == big
    assert complex(xp.expm1(xp.asarray([800 + 0j]))[0]) == complex(math.inf, 0.0)
    assert complex(xp.log1p(xp.asarray([complex(big, big)]))[0]) == pytest.approx(
        cmath.log(complex(big, big))
    )
    assert float(xp.logaddexp(xp.asarray([1e4]), 1e4)[0]) == pytest.approx(1e4 + math.log(2))
    assert float(xp.expm1(xp.asarray([1e-300]))[0]) == 1e-300
    assert float(xp.log1p(xp.asarray([1e-300]))[0]) == 1e-300
    assert complex(xp.tanh(xp.asarray([complex(1000, 1)]))[0]) == 1.0


@given(
    st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda v: abs(v) > 1e-6),
    st.floats(-1e3, 1e3, allow_subnormal=False).filter(lambda v: abs(v) > 1e-3),
)
def test_floor_division_is_pythons(a, b):
    """On finite numbers it pairs with the remainder, as in Python and NumPy."""
    x = xp.asarray([a])
    assert float((x // b)[0]) == a // b
    assert float((x % b)[0]) == a % b
    assert float((a // xp.asarray([b]))[0]) == a // b


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint64", "bool"])
@pytest.mark.parametrize("name", [n for n in REAL if n != "square"])
def test_integers_are_read_as_float64(name, dtype):
    x = xp.asarray([1, 0, 1], dtype=getattr(xp, dtype))
    found = getattr(xp, name)(x)
    expected = getattr(xp, name)(xp.asarray([1.0, 0.0, 1.0]))
    assert found.dtype == xp.float64
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_arithmetic_of_bools_gives_bools(device):
    x, y = (xp.asarray(v, device=device) for v in ([True, True, False], [True, False, False]))
    for found, expected in (
        (x + y, x | y),
        (xp.maximum(x, y), x | y),
        (x * y, x & y),
        (xp.minimum(x, True), x),
    ):
        assert found.dtype == xp.bool
        assert found.tolist() == expected.tolist()
    assert (x + 1).dtype == xp.int64


@given(
    st.lists(st.integers(0, 255), min_size=1, max_size=5),
    st.one_of(st.none(), st.integers(-400, 400)),
    st.one_of(st.none(), st.integers(-400, 400)),
)
def test_clip_at_the_ends_of_a_range(values, low, high):
    found = xp.clip(xp.asarray(values, dtype=xp.uint8), low, high)
    assert found.dtype == xp.uint8
    for v, f in zip(values, found.tolist(), strict=True):
        v = max(v, min(max(low, 0), 255)) if low is not None else v
        v = min(v, min(max(high, 0), 255)) if high is not None else v
        assert f == v


def test_clip_between_floats_beyond_the_range_of_integers():
    x = xp.asarray([-100, 100], dtype=xp.int8)
    assert xp.clip(x, -math.inf, 1000.0).tolist() == [-100, 100]
    assert xp.clip(x, 1000.0, None).tolist() == [127, 127]
    assert xp.clip(xp.asarray([2**63 - 1]), -1e300, 1e300).tolist() == [2**63 - 1]
    assert xp.clip(xp.asarray([2**62 + 1]), 0.5, None).tolist() == [2**62 + 1]


def test_clip_leaves_its_bounds_alone():
    low = xp.asarray([-300, 300], dtype=xp.int16)
    assert xp.clip(xp.asarray([5, 5], dtype=xp.uint8), low).tolist() == [5, 255]
    assert low.tolist() == [-300, 300]
    x = xp.asarray([1.0, math.nan])
    assert xp.isnan(xp.clip(x, 0.0, 2.0)).tolist() == [False, True]
    assert xp.clip(x, None, None) is not x


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_many_elements_beside_a_scalar(xp, name, dtype):
    a = np.random.default_rng(0).integers(-3, 4, (70, 80)).astype(dtype)
    special = [0, 2] if dtype == "int32" else [0, 2, -0.0, math.nan, math.inf, -1e30]
    if dtype != "int32":
        a[0, :5] = [math.nan, math.inf, -math.inf, -0.0, 0.0]
    for scalar in special:
        expected = getattr(np, name)(a, scalar)
        for operands in ((xp.asarray(a), scalar), (xp.asarray(a.T).T, scalar)):
            found = getattr(xp, name)(*operands).numpy()
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logaddexp_of_many(dtype):
    # By another way than that of few.
    a = np.random.default_rng(0).standard_normal((2, 4000)).astype(dtype) * 30
    odd = np.array([math.inf, -math.inf, math.nan, 0.0, -0.0, 1e-30, -1e30], dtype=dtype)
    a[:, :49] = np.stack([np.repeat(odd, 7), np.tile(odd, 7)])
    exact = np.logaddexp(*a.astype(np.longdouble))
    found = xp.logaddexp(*map(xp.asarray, a)).numpy()
    assert found.dtype == dtype
    np.testing.assert_allclose(found, exact, rtol=2 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
    np.testing.assert_array_equal(found[:49], np.logaddexp(*a[:, :49]).astype(dtype))
    np.testing.assert_array_equal(
        xp.logaddexp(xp.asarray(a), 1.0), xp.logaddexp(1.0, xp.asarray(a))
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [3, 4, 3.0])
def test_small_powers(n, dtype):
    limits = np.finfo(dtype)
    a = np.random.default_rng(0).standard_normal(1000).astype(dtype)
    a[:9] = 0.0, -0.0, math.inf, -math.inf, math.nan, limits.tiny, limits.max, 1.0, -2.0
    with np.errstate(all="ignore"):
        exact, x = a.astype(np.longdouble) ** n, xp.asarray(a, copy=True)
        found = (x**n).numpy()
        np.testing.assert_allclose(found, exact.astype(dtype), rtol=2 * limits.eps)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(exact))
        x **= n
    np.testing.assert_array_equal(x, found)
    assert (xp.asarray(2.0) ** n).shape == ()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32", "complex64"])
def test_unique_values_of_many(dtype):
    a = np.random.default_rng(0).integers(-50, 50, (40, 50)).astype(dtype)
    np.testing.assert_array_equal(xp.unique_values(xp.asarray(a)), np.unique(a))
    assert xp.unique_values(xp.asarray(a[:0])).shape == (0,)


def test_unique_values_of_nan_and_zeros():
    found = xp.unique_values(xp.asarray([math.nan, 0.0, math.nan, -0.0, 0.0, -1.0]))
    np.testing.assert_array_equal(found, [-1.0, 0.0, math.nan, math.nan])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "divisor", [2.0, -2, 0.25, 2.0**90, -(2.0**-90), 2**70, 3.0, 1e-300, 2**1000]
)
def test_division_of_many_by_a_number(dtype, divisor):
    """To the last bit NumPy's, from the least number to the largest."""
    bits = np.random.default_rng(0).integers(0, 2**63, 5000, dtype=np.uint64)
    with np.errstate(all="ignore"):
        a = np.concat([bits.view(dtype), [0.0, -0.0, np.inf, -np.inf, np.nan]], dtype=dtype)
        if dtype == "float32":
            divisor = float(np.float32(divisor))
        found, expected = (xp.asarray(a) / divisor).numpy(), a / divisor
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
