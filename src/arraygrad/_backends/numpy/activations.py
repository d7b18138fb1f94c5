"""Activations with their derivatives, and the error function, computed block by block.

Each needs many operations of NumPy's. On blocks, all but the first find their operands in a cache,
and several threads share the blocks of a large array. A function fills the arrays that it is given;
each element depends on the same element of `x` only, so neither blocks nor layout change a result.

Minimax coefficients are our own, from fits with 40 digits (`numpy.linalg.lstsq`, with Lawson's
weights). Errors are in units in the last place, measured against mpmath on all of single precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.introspect import opt_func_info

from .error_state import quiet
from .fast_paths import PLAIN
from .parallel import MIN_SIZE_TO_SPLIT, run_on_pool

_Array = Any

#: True if NumPy has vector instructions for `exp2` and `expm1` in single precision, not only for
#: `exp`. Then these take half and three quarters of the time of `exp`, otherwise much longer.
_targets = opt_func_info("^exp2$", "float32").get("exp2", {}).get("ff", {})
FAST = not PLAIN and not _targets.get("current", "baseline").startswith("baseline")

#: Elements of a block: few enough for a cache, and enough to make NumPy's calls cheap beside them.
BLOCK_SIZE = 1 << 17
#: The least number of elements for which `clip` is called, which has more overhead than `maximum`.
MIN_SIZE_TO_CLIP = 1 << 14


def by_blocks(fill: Callable[..., None], x: _Array, n_results: int) -> list[_Array]:
    """Results of ``fill(x, *results)`` in the dtype and the order of axes of `x`.

    Half precision is computed in single precision.
    """
    if x.dtype.itemsize == 2:
        wide = by_blocks(fill, x.astype(np.float32), n_results)
        with quiet():
            return [y.astype(x.dtype) for y in wide]
    if not x.flags.c_contiguous:
        x = np.copy(x, order="K")
    results = [np.empty_like(x) for _ in range(n_results)]
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    flat = [a.transpose(order).reshape(-1) for a in (x, *results)]

    def compute(block: slice) -> None:
        with quiet():
            fill(*[a[block] for a in flat])

    blocks = [slice(i, i + BLOCK_SIZE) for i in range(0, x.size, BLOCK_SIZE)]
    if x.size < MIN_SIZE_TO_SPLIT or not run_on_pool(compute, blocks, helps=True):
        for block in blocks:
            compute(block)
    return results


def exp(x: _Array, /, out: _Array | None = None, scale: float = 1) -> _Array:
    """`numpy.exp`, of `x` times `scale`; in single precision to half a unit of `x`.

    That takes half the time. The relative error is that of rounding x / log(2). It suits arguments
    that are rounded anyway, such as differences, but not those for which each unit of a small
    result counts.
    """
    if not FAST or x.dtype != np.float32 or not x.ndim:
        return np.exp(x if scale == 1 else x * scale, out=out)
    with quiet():  # next to the least number, the product overflows; its power is 0 as it should
        y = np.multiply(x, scale / math.log(2), out=out)
        return np.exp2(y, out=y)


def _polynomial(x: _Array, *coefficients: float) -> _Array:
    """Horner's scheme, highest power first."""
    first, second, *rest = coefficients
    if first == 1:
        y = x + second
    else:
        y = x * first
        y += second
    for c in rest:
        y *= x
        y += c
    return y


def _relu(x: _Array, /) -> _Array:
    if x.size < MIN_SIZE_TO_CLIP or x.dtype.kind != "f":
        return np.maximum(x, 0)
    y = x.clip(0, math.inf)  # three times as fast; but it keeps the sign of -0.0
    y += 0
    return y


# ---- the logistic function and what is made of it

#: The arguments for which exp(-x) is finite; below, the function is exp(x) to rounding.
_LOW = {np.dtype(d): 1 - math.log(float(np.finfo(d).max)) for d in ("float32", "float64")}


def _one_plus_exp(x: _Array, y: _Array) -> _Array | None:
    """Fill in 1 + exp(-x); return the mask of arguments for which that overflows, if any does."""
    np.negative(x, out=y)
    if FAST and x.dtype == np.float32:
        np.expm1(y, out=y)
        y += 2
    else:
        np.exp(y, out=y)
        y += 1
    low: _Array | None = None if x.size and x.min() > _LOW[x.dtype] else x < _LOW[x.dtype]
    return low


def _sigmoid(x: _Array, y: _Array) -> _Array | None:
    """Fill in 1 / (1 + exp(-x)); return the mask of arguments for which exp(-x) overflows."""
    low = _one_plus_exp(x, y)
    np.divide(1, y, out=y)
    if low is not None:
        y[low] = np.exp(x[low])
    return low


def _gate(x: _Array, gate: _Array, low: _Array | None, y: _Array) -> None:
    """Fill in the product with a gate that is tiny where `low` is true; 0 at minus infinity."""
    np.multiply(x, gate, out=y)
    if low is not None:
        y[low] = np.maximum(x[low], np.finfo(x.dtype).min) * gate[low]


def _add_falling(x: _Array, y: _Array, slope: _Array, gate: _Array) -> None:
    """Finish the derivative of a product with a gate: add ``y * slope``, but 1 at infinity."""
    slope *= y
    slope += gate
    if x.size and not y.max() < math.inf:
        slope[x == math.inf] = 1


def _silu(x: _Array, y: _Array, slope: _Array | None = None) -> None:
    low = _one_plus_exp(x, y)
    s = None if slope is None else 1 / y
    np.divide(x, y, out=y)
    if low is not None:
        gate = np.exp(x[low])
        y[low] = np.maximum(x[low], np.finfo(x.dtype).min) * gate
        if s is not None:
            s[low] = gate
    if s is not None:
        np.subtract(1, s, out=slope)
        _add_falling(x, y, slope, s)


def _gelu_tanh(x: _Array, y: _Array, slope: _Array | None = None) -> None:
    # (1 + tanh(u)) / 2 is sigmoid(2 u), which is accurate where it is small.
    a, b = math.sqrt(8 / math.pi), math.sqrt(8 / math.pi) * 0.044715
    z = np.clip(x, -25, 25)  # beyond, the factor is 0 or 1
    square = z * z
    u = _polynomial(square, b, a)
    u *= z
    s = z
    _gate(x, s, _sigmoid(u, s), y)
    if slope is not None:
        np.subtract(1, s, out=slope)
        square *= 3 * b
        square += a
        slope *= square
        _add_falling(x, y, slope, s)


def _softplus(x: _Array, y: _Array, slope: _Array | None = None) -> None:
    np.abs(x, out=y)
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    y += np.clip(x, 0, math.inf)  # (which is faster than `maximum`)
    if slope is not None:
        _sigmoid(x, slope)


# ---- the normal distribution function and what is made of it

#: (1 - Φ(z)) exp(z²/2) for z from 0 to 3: the coefficients of numerator and denominator.
#: The relative error is below 1.7e-7.
_TAIL = (-0.00109845472, 0.417117954, 2.19904871, 5.56944542), (
    1.0, 5.86432843, 13.2857482, 11.138889)  # fmt: skip
#: The same for z from 3 to 13.6. (Beyond, 1 - Φ(z) is 0 in single precision.)
_FAR_TAIL = (0.398964214, 1.07080906, 1.61020497), (1.0, 2.68651715, 4.99387971, 3.07711198)
_FAR = 3.0
#: For smaller numbers, `gelu` may be subnormal.
_TINY = 1e-30


def _ratio(z: _Array, top: Sequence[float], bottom: Sequence[float]) -> _Array:
    y = _polynomial(z, *top)
    y /= _polynomial(z, *bottom)
    return y


def _gelu_of_ndtr(
    ndtr: Callable[..., Any], x: _Array, y: _Array, slope: _Array | None = None
) -> None:
    """In double precision, by the distribution function of a library."""
    z = np.maximum(x, np.finfo(x.dtype).min)
    cdf = ndtr(x)
    np.multiply(z, cdf, out=y)
    if slope is not None:
        np.clip(z, -40, 40, out=z)
        np.multiply(z, z, out=slope)
        slope *= -0.5
        np.exp(slope, out=slope)
        slope *= z
        slope *= 1 / math.sqrt(2 * math.pi)
        slope += cdf


def _gelu(x: _Array, y: _Array, slope: _Array | None = None) -> None:
    """In single precision: max(x, 0) - z (1 - Φ(z)) for z = abs(x)."""
    z = np.abs(x)
    is_bounded = z.max() < 30
    if not is_bounded:
        np.clip(z, 0, 30, out=z)  # infinity times 0 would be NaN
    tail, square = _ratio(z, *_TAIL), z * z
    bell = exp(square, scale=-0.5)
    far = np.flatnonzero(z > _FAR)
    if far.size:  # there, rounding z² would show: split it into an exact square and the rest
        distant = z[far]
        short = (distant.view(np.int32) & -4096).view(np.float32)
        rest = (short - distant) * (short + distant)
        bell[far] = np.exp(short * short * np.float32(-0.5)) * np.exp(rest * np.float32(0.5))
        tail[far] = _ratio(distant, *_FAR_TAIL)
    tail *= bell
    tail *= z
    np.subtract(np.clip(x, 0, math.inf), tail, out=y)
    if slope is not None:  # Φ(x) + x φ(x) = (y + x² φ(x)) / x
        np.multiply(square, bell, out=slope)
        slope *= 1 / math.sqrt(2 * math.pi)
        slope += y
        slope /= x
        if not z.min() > _TINY:
            slope[z <= _TINY] = 0.5
        if not is_bounded:
            slope[x == math.inf] = 1


#: atanh(erf(x)) / x as a polynomial in x²: the error of erf is below 1 unit for all x.
_ERF = (1.41853873e-07, -5.66849571e-06, 8.76373873e-05, -0.000619784624, -0.000191831099,
        0.102769056, 1.12837927)  # fmt: skip


def _erf(x: _Array, y: _Array) -> None:
    """In single precision, by NumPy's fast tanh."""
    p = _polynomial(x * x, *_ERF)
    p *= x
    np.tanh(p, out=y)


# ---- the table


def operations(table: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The entries, some of which fall back on those of `table` in double precision."""
    erf, ndtr = table["special.erf"], table["special.ndtr"]

    def gelu(x: _Array, *results: _Array) -> None:
        if x.dtype == np.float32:
            _gelu(x, *results)
        else:
            _gelu_of_ndtr(ndtr, x, *results)

    def sigmoid(x: _Array, /) -> _Array:
        if x.dtype.kind == "c":
            raise TypeError("complex numbers are not supported")
        return by_blocks(_sigmoid, x, 1)[0]

    def erf_by_blocks(x: _Array, /) -> _Array:
        return by_blocks(_erf, x, 1)[0] if x.dtype == np.float32 else erf(x)

    entries: dict[str, Callable[..., Any]] = {"nn.sigmoid": sigmoid, "nn.relu": _relu}
    if not PLAIN:
        entries["special.erf"] = erf_by_blocks
    for name, fill in (
        ("nn.gelu", gelu), ("nn.gelu_tanh", _gelu_tanh), ("nn.silu", _silu),
        ("nn.softplus", _softplus),
    ):  # fmt: skip
        entries[name] = partial(_value, fill)
        entries[f"{name}_and_slope"] = partial(_value_and_slope, fill)
    return entries


def _value(fill: Callable[..., None], x: _Array, /) -> _Array:
    return by_blocks(fill, x, 1)[0]


def _value_and_slope(fill: Callable[..., None], x: _Array, /) -> tuple[_Array, ...]:
    return tuple(by_blocks(fill, x, 2))
