"""Elementwise functions in single precision, each as one formula for all numbers.

A formula is a function of arrays that has neither branches nor loops: it calls NumPy's functions,
whose results are rounded correctly, so that the result is the same wherever and however often it is
computed. `c_code` writes a formula in C, and `_formulas` has the compiled ones, which make one pass
over the memory with all steps in registers. Where these are missing, `fill` calls the formula block
by block, and the results are the same to the last bit.

Minimax coefficients are our own, from fits with 40 digits (`numpy.linalg.lstsq`, with Lawson's
weights). The exponential is our own, too, because NumPy's differs from one processor to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from .error_state import quiet
from .fast_paths import PLAIN

_Array = Any

#: Elements of a block, where NumPy makes the steps: they find their operands in a cache.
BLOCK_SIZE = 1 << 15


def _polynomial(x: _Array, *coefficients: float) -> _Array:
    """A polynomial, highest power first: Horner's scheme, of the even and of the odd powers.

    A processor works on both at a time.
    """
    square = x * x
    y = _horner(square, *coefficients[-2::-2][::-1]) * x
    return y + _horner(square, *coefficients[::-2][::-1])


def _horner(x: _Array, first: float, *rest: float) -> _Array:
    y: _Array = first
    for i, c in enumerate(rest):
        y = x + c if not i and first == 1 else y * x + c
    return y


# ---- the exponential

#: log(2) in two parts. The first has so few bits that its product with an exponent is exact.
_LOG2 = 355 / 512, math.log(2) - 355 / 512
#: A number with the unit 1 in the last place: adding it rounds to integers. Its last eight bits,
#: and those of the sum, are 151 more than the integer, which is the exponent of 2**24 times it.
_ROUND = 1.5 * 2**23 + 151
#: (exp(r) - 1 - r) / r² for r up to log(2) / 2: the relative error of exp is 3e-9.
_EXP = 0.0013814558, 0.008368736, 0.04166839, 0.16666521, 0.49999994
#: The exponential of smaller numbers is 0.
_LEAST = -104.5


def _exp(x: _Array, rest: _Array | None = None) -> _Array:
    """The exponential of ``x + rest`` between `_LEAST` and 0."""
    t = x * (1 / math.log(2)) + _ROUND
    n = t - _ROUND
    r = x - n * _LOG2[0]
    r = r - n * _LOG2[1]
    if rest is not None:
        r = r + rest
    p = _polynomial(r, *_EXP) * (r * r) + r + 1.0
    scale = (t.view(np.int32) << 23).view(np.float32)
    return p * scale * 2.0**-24


def relu(x: _Array) -> tuple[_Array, ...]:
    """The maximum of x and 0, which has no sign."""
    return (np.maximum(x, 0.0) + 0.0,)


# ---- the logistic function and what is made of it


def exp_of_negative(x: _Array) -> tuple[_Array, ...]:
    """The exponential of numbers that are not positive."""
    return (_exp(np.maximum(x, _LEAST)),)


def _falling(x: _Array) -> _Array:
    """exp(-abs(x))."""
    return _exp(np.maximum(-np.abs(x), _LEAST))


def _logistic(x: _Array, falling: _Array) -> tuple[_Array, _Array]:
    """1 / (1 + exp(-x)), given exp(-abs(x)), and 1 less this."""
    large = 1.0 / (falling + 1.0)
    small = falling * large
    return np.where(x < 0, small, large), np.where(x < 0, large, small)


def sigmoid(x: _Array) -> tuple[_Array, ...]:
    """1 / (1 + exp(-x))."""
    return _logistic(x, _falling(x))[:1]


def silu(x: _Array, slope: bool = False) -> tuple[_Array, ...]:
    """The product of x and the logistic function."""
    s, rest = _logistic(x, _falling(x))
    z = np.maximum(x, _LEAST)
    y = z * s
    if not slope:
        return (y,)
    z = np.minimum(z, -_LEAST)  # (infinity times 0 would be NaN)
    return y, z * s * rest + s


def gelu_tanh(x: _Array, slope: bool = False) -> tuple[_Array, ...]:
    """The product of x and (1 + tanh(u)) / 2, which is the logistic function of 2 u."""
    a, b = math.sqrt(8 / math.pi), math.sqrt(8 / math.pi) * 0.044715
    low = np.maximum(x, -25.0)  # beyond, the factor is 0 or 1
    z = np.minimum(low, 25.0)
    square = z * z
    u = (square * b + a) * z
    s, rest = _logistic(u, _falling(u))
    y = low * s
    if not slope:
        return (y,)
    return y, z * s * rest * (square * (3 * b) + a) + s


#: (atanh(s) / s - 1) / s² as a polynomial in s², for s up to 1 / 3. The relative error is 5e-9.
_ATANH = 0.14012259, 0.13999565, 0.2001085, 0.33333206


def softplus(x: _Array, slope: bool = False) -> tuple[_Array, ...]:
    """log(1 + exp(x)), which is max(x, 0) + 2 atanh(e / (e + 2)) for e = exp(-abs(x))."""
    e = _falling(x)
    q = e / (e + 2.0)
    square = q * q
    q = q + q
    y = np.maximum(x, 0.0) + (_polynomial(square, *_ATANH) * (q * square) + q)
    return (y, _logistic(x, e)[0]) if slope else (y,)


# ---- the normal distribution function

#: (1 - Φ(z)) exp(z²/2) for z from 0 to 14.6: the coefficients of numerator and denominator. The
#: relative error is 6e-9.
_TAIL = (0.39894682, 3.9358323, 17.741047, 42.421131, 48.371071), (
    1.0, 9.8662853, 45.455841, 116.39288, 162.03137, 96.742142)  # fmt: skip
#: Beyond, the density is 0.
_FAR = 14.45


def gelu(x: _Array, slope: bool = False) -> tuple[_Array, ...]:
    """The product of x and the normal distribution function."""
    negative = x < 0
    z = np.minimum(np.abs(x), _FAR)
    # Rounding z² would show in the exponential: split it into an exact square and the rest.
    short = (z.view(np.int32) & -4096).view(np.float32)
    bell = _exp(short * short * -0.5, (short - z) * (short + z) * 0.5)
    tail = _polynomial(z, *_TAIL[0]) / _polynomial(z, *_TAIL[1]) * bell
    y = np.where(negative, -0.0, x) - z * tail
    if not slope:
        return (y,)
    rest = tail - z * bell * (1 / math.sqrt(2 * math.pi))
    return y, np.where(negative, rest, 1.0 - rest)


#: atanh(erf(x)) / x as a polynomial in x²: the error of erf is below 1 unit for all x.
_ERF = (1.41853873e-07, -5.66849571e-06, 8.76373873e-05, -0.000619784624, -0.000191831099,
        0.102769056, 1.12837927)  # fmt: skip
#: (tanh(p) / p - 1) / p² as a polynomial in p², for p up to 0.6. The relative error is 3e-9.
_TANH = -0.0059058457, 0.020805366, -0.053786676, 0.13331959, -0.33333299


def erf(x: _Array) -> tuple[_Array, ...]:
    """The error function, as the tanh of a polynomial."""
    z = np.minimum(np.maximum(x, -4.0), 4.0)  # beyond, the function is 1
    p = _horner(z * z, *_ERF) * z
    square = p * p
    near = _horner(square, *_TANH) * (p * square) + p
    a = np.abs(p)
    e = _exp(np.maximum(a * -2.0, _LEAST))
    far = (1.0 - e) / (e + 1.0)
    return (np.where(a < 0.6, near, np.where(x < 0, -far, far)),)


#: Each formula with its number of results. (In one expression, which exported programs copy.)
FORMULAS: dict[str, tuple[Callable[..., tuple[_Array, ...]], int]] = {
    "erf": (erf, 1),
    "exp_of_negative": (exp_of_negative, 1),
    "relu": (relu, 1),
    "sigmoid": (sigmoid, 1),
    "gelu": (gelu, 1),
    "gelu_and_slope": (partial(gelu, slope=True), 2),
    "gelu_tanh": (gelu_tanh, 1),
    "gelu_tanh_and_slope": (partial(gelu_tanh, slope=True), 2),
    "silu": (silu, 1),
    "silu_and_slope": (partial(silu, slope=True), 2),
    "softplus": (softplus, 1),
    "softplus_and_slope": (partial(softplus, slope=True), 2),
}

_compiled: dict[str, Callable[..., None]] = {}
if not PLAIN:
    with suppress(ImportError):
        _compiled = import_module("._formulas", __package__).functions()


def fill(name: str, x: _Array, *results: _Array) -> None:
    """Fill in the results of a formula; all arrays are contiguous and have one shape."""
    function = _compiled.get(name)
    if function is not None:
        function(x, *results)
        return
    formula, _ = FORMULAS[name]
    flat = [a.reshape(-1) for a in (x, *results)]
    with quiet():
        for i in range(0, x.size, BLOCK_SIZE):
            part, *outs = [a[i : i + BLOCK_SIZE] for a in flat]
            for out, y in zip(outs, formula(part), strict=True):
                out[...] = y
