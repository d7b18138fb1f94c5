"""Activations with their derivatives, and the error function, computed block by block.

In single precision, they are those of `formulas`. In double precision, each needs many operations
of NumPy's: on blocks, all but the first find their operands in a cache. Several threads share the
blocks of a large array. A function fills the arrays that it is given; each element depends on the
same element of `x` only, so neither blocks nor layout change a result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..common.workspaces import axes_by_stride
from .error_state import quiet
from .fast_paths import PLAIN
from .formulas import FORMULAS, fill
from .parallel import MIN_SIZE_TO_SPLIT, run_on_pool

_Array = Any

#: Elements of a block: few enough for a cache, and enough to make NumPy's calls cheap beside them.
BLOCK_SIZE = 1 << 17
#: The least number of elements for which `clip` is called, which has more overhead than `maximum`.
MIN_SIZE_TO_CLIP = 1 << 14


def by_blocks(fill: Callable[..., None], x: _Array, n_results: int) -> list[_Array]:
    """Results of ``fill(x, *results)`` in the dtype and the order of axes of `x`."""
    order = axes_by_stride(x)
    if not x.transpose(order).flags.c_contiguous:
        x = np.copy(x, order="K")
        order = axes_by_stride(x)
    results = [np.empty_like(x) for _ in range(n_results)]
    flat = [a.transpose(order).reshape(-1) for a in (x, *results)]

    def compute(block: slice) -> None:
        with quiet():
            fill(*[a[block] for a in flat])

    blocks = [slice(i, i + BLOCK_SIZE) for i in range(0, x.size, BLOCK_SIZE)]
    if x.size < MIN_SIZE_TO_SPLIT or not run_on_pool(compute, blocks, helps=True):
        for block in blocks:
            compute(block)
    return results


def exp(x: _Array, /, out: _Array | None = None) -> _Array:
    """`numpy.exp`, of numbers that are not positive."""
    if x.dtype != np.float32:
        return np.exp(x, out=out)
    if out is None:
        return by_formula("exp_of_negative", x)[0]
    if x.flags.c_contiguous and out.flags.c_contiguous:
        fill("exp_of_negative", x, out)
    else:
        out[...] = by_formula("exp_of_negative", x)[0]
    return out


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
    if x.dtype == np.float32:
        return by_formula("relu", x)[0]
    y = x.clip(0, math.inf)  # three times as fast; but it keeps the sign of -0.0
    y += 0
    return y


# ---- the logistic function and what is made of it

#: The least argument for which exp(-x) is finite; below, the function is exp(x) to rounding.
_LOW = 1 - math.log(float(np.finfo(np.float64).max))


def _one_plus_exp(x: _Array, y: _Array) -> _Array | None:
    """Fill in 1 + exp(-x); return the mask of arguments for which that overflows, if any does."""
    np.negative(x, out=y)
    np.exp(y, out=y)
    y += 1
    return None if x.size and x.min() > _LOW else x < _LOW


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


def _gelu(ndtr: Callable[..., Any], x: _Array, y: _Array, slope: _Array | None = None) -> None:
    """By the distribution function of a library."""
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


# ---- the table


def operations(table: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The entries, some of which fall back on those of `table` in double precision."""
    erf, ndtr = table["special.erf"], table["special.ndtr"]

    def sigmoid(x: _Array, /) -> _Array:
        if x.dtype.kind == "c":
            raise TypeError("complex numbers are not supported")
        return value("sigmoid", _sigmoid, x)

    def erf_by_formula(x: _Array, /) -> _Array:
        return by_formula("erf", x)[0] if x.dtype == np.float32 else erf(x)

    entries: dict[str, Callable[..., Any]] = {"nn.sigmoid": sigmoid, "nn.relu": _relu}
    if not PLAIN:
        entries["special.erf"] = erf_by_formula
    for name, function in (
        ("gelu", partial(_gelu, ndtr)), ("gelu_tanh", _gelu_tanh), ("silu", _silu),
        ("softplus", _softplus),
    ):  # fmt: skip
        entries[f"nn.{name}"] = partial(value, name, function)
        entries[f"nn.{name}_and_slope"] = partial(_value_and_slope, f"{name}_and_slope", function)
    return entries


def by_formula(name: str, x: _Array) -> list[_Array]:
    """The results of a formula in single precision."""
    n_results = FORMULAS[name][1]
    if x.size >= MIN_SIZE_TO_SPLIT or not x.flags.c_contiguous:
        return by_blocks(partial(fill, name), x, n_results)
    results = [np.empty_like(x) for _ in range(n_results)]
    fill(name, x, *results)
    return results


def _results(name: str, function: Callable[..., None], x: _Array, n_results: int) -> list[_Array]:
    """Results in single precision by the formula of that name, in double precision by `function`.

    Half precision is computed in single precision.
    """
    if x.dtype == np.float32:
        return by_formula(name, x)
    if x.dtype.itemsize == 2:
        with quiet():
            return [y.astype(x.dtype) for y in by_formula(name, x.astype(np.float32))]
    return by_blocks(function, x, n_results)


def value(name: str, function: Callable[..., None], x: _Array, /) -> _Array:
    """The result of an activation."""
    return _results(name, function, x, 1)[0]


def _value_and_slope(name: str, function: Callable[..., None], x: _Array, /) -> tuple[_Array, ...]:
    return tuple(_results(name, function, x, 2))
