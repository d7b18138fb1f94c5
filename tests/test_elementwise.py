"""Elementwise functions against references in higher precision (mpmath), for every float dtype."""

import cmath
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arraygrad as xp

mpmath.mp.dps = 60
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

#: Function -> (reference, interval of arguments, bound in units of the last place).
REAL = {
    "acos": (mpmath.acos, (-1, 1), 4), "acosh": (mpmath.acosh, (1, 1e6), 4),
    "asin": (mpmath.asin, (-1, 1), 4), "asinh": (mpmath.asinh, (-1e6, 1e6), 4),
    "atan": (mpmath.atan, (-1e6, 1e6), 4), "atanh": (mpmath.atanh, (-0.999, 0.999), 4),
    "cos": (mpmath.cos, (-1e3, 1e3), 4), "cosh": (mpmath.cosh, (-80, 80), 4),
    "exp": (mpmath.exp, (-80, 80), 4), "expm1": (mpmath.expm1, (-80, 80), 4),
    "log": (mpmath.log, (1e-30, 1e30), 4), "log1p": (mpmath.log1p, (-0.999, 1e6), 4),
    "log2": (lambda x: mpmath.log(x, 2), (1e-30, 1e30), 4),
    "log10": (mpmath.log10, (1e-30, 1e30), 4),
    "reciprocal": (lambda x: 1 / x, (1e-30, 1e30), 1), "sin": (mpmath.sin, (-1e3, 1e3), 4),
    "sinh": (mpmath.sinh, (-80, 80), 4), "sqrt": (mpmath.sqrt, (0, 1e30), 1),
    "square": (lambda x: x * x, (-1e15, 1e15), 1), "tan": (mpmath.tan, (-1e3, 1e3), 4),
    "tanh": (mpmath.tanh, (-30, 30), 4),
}  # fmt: skip
BINARY = {
    "atan2": (mpmath.atan2, 4), "hypot": (mpmath.hypot, 4),
    "divide": (lambda a, b: a / b, 1), "add": (lambda a, b: a + b, 1),
    "multiply": (lambda a, b: a * b, 1), "subtract": (lambda a, b: a - b, 1),
    "logaddexp": (lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)), 4),
}  # fmt: skip
#: As `REAL`, for complex arguments whose parts are in the interval; the error is of the modulus.
COMPLEX = {
    "acos": (mpmath.acos, 50, 8), "acosh": (mpmath.acosh, 50, 8), "asin": (mpmath.asin, 50, 8),
    "asinh": (mpmath.asinh, 50, 8), "atan": (mpmath.atan, 50, 8),
    "atanh": (mpmath.atanh, 50, 8), "cos": (mpmath.cos, 50, 8), "cosh": (mpmath.cosh, 50, 8),
    "exp": (mpmath.exp, 50, 8), "expm1": (mpmath.expm1, 50, 8), "log": (mpmath.log, 50, 8),
    "log1p": (mpmath.log1p, 50, 8), "reciprocal": (lambda z: 1 / z, 50, 8),
    "sign": (mpmath.sign, 50, 8), "sin": (mpmath.sin, 50, 8), "sinh": (mpmath.sinh, 50, 8),
    "sqrt": (mpmath.sqrt, 50, 8), "square": (lambda z: z * z, 50, 8),
    "tan": (mpmath.tan, 50, 8), "tanh": (mpmath.tanh, 50, 8),
}  # fmt: skip
EPS = {"float32": 2.0**-23, "float64": 2.0**-52, "complex64": 2.0**-23, "complex128": 2.0**-52}


def numbers(dtype, low, high):
    width = 32 if dtype in ("float32", "complex64") else 64
    low, high = (float(np.float32(v)) for v in (low, high))
    return st.floats(low, high, width=width, allow_subnormal=False)


def close(found, exact, dtype, ulps, slack=0.0):
    """Within so many units of the last place of the exact value's modulus, plus `slack`."""
    tiny = 2.0**-126 if dtype in ("float32", "complex64") else 2.0**-1022
    scale = max(float(abs(exact)), tiny)
    error = float(abs(mpmath.mpmathify(found) - exact))
    assert error <= ulps * EPS[dtype] * scale + slack, (found, exact)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REAL)
def test_real(name, dtype):
    reference, (low, high), ulps = REAL[name]

    @given(numbers(dtype, low, high))
    def run(value):
        x = xp.asarray([value], dtype=getattr(xp, dtype))
        value = float(x[0])
        if (
            name in ("cos", "sin", "tan", "log", "log2", "log10", "acosh", "acos")
            and abs(reference(mpmath.mpf(value))) < 1e-3
        ):
            return  # next to a zero: the argument's own rounding decides
        close(float(getattr(xp, name)(x)[0]), reference(mpmath.mpf(value)), dtype, ulps)

    run()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    reference, ulps = BINARY[name]
    parts = numbers(dtype, 1e-3, 50)

    @given(parts, parts)
    def run(a, b):
        x, y = (xp.asarray([v], dtype=getattr(xp, dtype)) for v in (a, b))
        a, b = mpmath.mpf(float(x[0])), mpmath.mpf(float(y[0]))
        exact = reference(a, b)
        if name == "logaddexp" and abs(exact) < 1e-2:
            return
        close(float(getattr(xp, name)(x, y)[0]), exact, dtype, ulps)

    run()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex(name, dtype):
    reference, extent, ulps = COMPLEX[name]
    parts = numbers(dtype, -extent, extent)

    @given(parts, parts)
    def run(a, b):
        x = xp.asarray([complex(a, b)], dtype=getattr(xp, dtype))
        value = complex(x[0])
        if min(abs(value.imag), abs(value.real)) < 1e-20 or abs(value) < 1e-3:
            return  # branch cuts and zeros, where 60 digits do not do: the special values
        if abs(abs(value) - 1) < 1e-3 or abs(value + 1) < 1e-3:
            return
        exact = reference(mpmath.mpmathify(value))
        if name in ("tan", "cos", "sin") and abs(exact) < 1e-3:
            return
        close(complex(getattr(xp, name)(x)[0]), exact, dtype, ulps)

    run()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_log1p_part_by_part(dtype):
    """Also where |1 + z| is near 1, so that the real part cancels."""
    small = numbers(dtype, -1e-3, 1e-3)

    @given(small, small, st.booleans())
    def run(a, b, on_the_circle):
        if any(0 < abs(part) < 1e-12 for part in (a, b)):
            return  # 60 digits do not do for the reference
        if on_the_circle:  # real part of 1 + z about cos b
            a = -b * b / 2
        x = xp.asarray([complex(a, b)], dtype=getattr(xp, dtype))
        value = complex(x[0])
        found = complex(xp.log1p(x)[0])
        exact = mpmath.log1p(mpmath.mpmathify(value)) if value else mpmath.mpc(0)
        # The terms that cancel are known to twice the working precision, not better.
        twice = 16 * EPS[dtype] ** 2 * abs(value.real)
        close(found.real, mpmath.re(exact), dtype, 8, slack=twice)
        close(found.imag, mpmath.im(exact), dtype, 8)

    run()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_expm1_near_zero(dtype):
    small = numbers(dtype, -1e-3, 1e-3)

    @given(small, small)
    def run(a, b):
        x = xp.asarray([complex(a, b)], dtype=getattr(xp, dtype))
        value = complex(x[0])
        if abs(value) > 1e-30:  # below, 60 digits do not do for the reference
            close(complex(xp.expm1(x)[0]), mpmath.expm1(mpmath.mpmathify(value)), dtype, 8)

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


@given(st.integers(-128, 127), st.integers(-128, 127).filter(bool))
def test_integer_division(a, b):
    x, y = xp.asarray([a], dtype=xp.int8), xp.asarray([b], dtype=xp.int8)
    if (a, b) != (-128, -1):
        assert int((x // y)[0]) == a // b
    assert int((x % y)[0]) == a % b
    q = xp.asarray([a], dtype=xp.int64)
    q //= b
    assert int(q[0]) == a // b


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


def test_clip_leaves_its_bounds_alone():
    low = xp.asarray([-300, 300], dtype=xp.int16)
    assert xp.clip(xp.asarray([5, 5], dtype=xp.uint8), low).tolist() == [5, 255]
    assert low.tolist() == [-300, 300]
    x = xp.asarray([1.0, math.nan])
    assert xp.isnan(xp.clip(x, 0.0, 2.0)).tolist() == [False, True]
    assert xp.clip(x, None, None) is not x
