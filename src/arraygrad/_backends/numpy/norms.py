"""Normalisation in single precision: fewer passes over the memory than by NumPy's functions.

An array in memory has the axes (outer, rows, parts, run). The numbers of each row are scaled to
mean 0 and variance 1, whatever their outer index. The weights depend on the row modulo `groups`,
and on the part. So a layer norm has weights as parts and runs of one number, a group norm has
channels as parts and images as runs, and in a batch norm the rows are channels.

Where the package is compiled, `_norms` makes each function in one or two passes. Its steps are
those of the functions of this module, which are called elsewhere, so that the bits are the same.
Long sums are made in an order of our own: of 32 sums side by side, over at most 32 numbers each, in
single precision, and of these in double precision.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from ..common import nn
from ..common.workspaces import axes_by_stride
from .error_state import quiet
from .fast_paths import PLAIN

_Array = Any
#: (outer, rows, groups, parts, run)
_Form = tuple[int, int, int, int, int]

_SINGLE = np.dtype(np.float32)
_LANES, _CHUNK, _ROWS = 32, 1024, 64
#: The least length of many rows or runs, whose sums take as long as those of 32 numbers; how many
#: are many; and the most weights along a row.
_MIN_LENGTH, _MANY, _MAX_COLUMNS = 16, 256, 4096

_compiled: Any = None
if not PLAIN:
    with suppress(ImportError):
        _compiled = import_module("._norms", __package__)


@lru_cache(4096)
def form_of(
    shape: tuple[int, ...], strides: tuple[int, ...], axes: tuple[int, ...],
    params: tuple[int, ...],
) -> _Form | None:  # fmt: skip
    """How an array is normalised along axes, with weights of a shape; None if in another way."""
    ndim, size = len(shape), math.prod(shape)
    axes = tuple([a % ndim for a in axes])
    if len(params) > ndim or not size:
        return None
    params = (1,) * (ndim - len(params)) + params
    order = sorted([i for i in range(ndim) if shape[i] > 1], key=lambda i: -strides[i])
    step = 4
    for i in reversed(order):
        if strides[i] != step or params[i] not in (1, shape[i]):
            return None
        step *= shape[i]
    for kind in ([i for i in order if i not in axes], [i for i in order if params[i] > 1]):
        if kind != sorted(kind):
            return None
    tags = ["ap"[params[i] > 1] if i in axes else "kg"[params[i] > 1] for i in order]
    found = re.fullmatch("(a*?)(k*)(g*)(p*)(a*)", "".join(tags))
    if found is None:
        return None
    outer, kept, groups, parts, run = (
        math.prod([shape[i] for i in order[slice(*found.span(j))]]) for j in range(1, 6)
    )
    if parts * run < (2 if outer * kept * groups <= _MANY else _MIN_LENGTH):
        return None
    return outer, kept * groups, groups, parts, run


def sums_of_rows(x: _Array) -> _Array:
    """The sums along the last axis, in double precision; the second axis remains, of three."""
    lead, n = x.shape[:-1], x.shape[-1]
    parts = []
    full = n // _CHUNK * _CHUNK
    if full:
        parts.append(_folded(x[..., :full].reshape(*lead, -1, _CHUNK)))
    if full < n:
        parts.append(_folded(x[..., full:].reshape(*lead, 1, n - full)))
    sums = np.concatenate(parts, axis=-1).transpose(1, 0, 2)  # the row, the outer axis, the chunk
    wide = sums.reshape(sums.shape[0], -1).astype(np.float64)
    return np.add.accumulate(wide, axis=1)[:, -1]


def _folded(x: _Array) -> _Array:
    """The sums along the last axis in single precision."""
    n = x.shape[-1]
    s = np.zeros((*x.shape[:-1], _LANES), np.float32)
    full = n // _LANES * _LANES
    for i in range(0, full, _LANES):
        s += x[..., i : i + _LANES]
    s[..., : n - full] += x[..., full:]
    width = _LANES
    while width > 1:
        width //= 2
        s = s[..., :width] + s[..., width:]
    return s[..., 0]


def _columns(x: _Array) -> _Array:
    """The sums along the first of two axes, in double precision of sums of at most 64."""
    parts = [np.add.reduce(x[i : i + _ROWS], axis=0) for i in range(0, len(x), _ROWS)]
    return np.add.accumulate(np.stack(parts).astype(np.float64), axis=0)[-1] + 0.0


class Normalisation(nn.Normalisation):
    """Normalisation of NumPy's arrays."""

    def centre(self, x: _Array, /, *, axes: tuple[int, ...]) -> tuple[_Array, ...]:
        """The differences from the mean along some axes, the mean, and the variance."""
        form = form_of(x.shape, x.strides, axes, ()) if x.dtype == _SINGLE else None
        if form is None:
            return super().centre(x, axes=axes)
        outer, rows, _, _, run = form
        reduced = [a % x.ndim for a in axes]
        kept = tuple([1 if i in reduced else n for i, n in enumerate(x.shape)])
        if _compiled is not None:
            c, mean, variance = np.empty_like(x), np.empty(kept, x.dtype), np.empty(kept, x.dtype)
            _compiled.centre(form, x, c, mean, variance)
            return c, mean, variance
        count = float(outer * run)
        with quiet():
            mean = (sums_of_rows(_flat(x, (outer, rows, run))) / count).astype(np.float32)
            mean = mean.reshape(kept)
            c = x - mean
            flat = _flat(c, (outer, rows, run))
            return c, mean, (sums_of_rows(flat * flat) / count).astype(np.float32).reshape(kept)

    def scale(
        self, _x: Any, c: _Array, variance: _Array, weight: Any, bias: Any, /, *, eps: float
    ) -> _Array:
        """Numbers of this variance and mean 0, scaled to variance 1, times a weight plus a bias."""
        form = _form_for(c, variance, weight, bias)
        if form is None:
            return super().scale(_x, c, variance, weight, bias, eps=eps)
        if _compiled is not None:
            y = np.empty_like(c)
            _compiled.scale(form, c, variance, weight, bias, eps, y)
            return y
        with quiet():
            factor = 1 / np.sqrt(variance + eps)
            y = c * (factor if weight is None else factor * weight)
            if bias is not None:
                y += bias
        return y

    def scale_back(
        self, g: _Array, c: _Array, variance: _Array, weight: Any, /, *, eps: float
    ) -> tuple[_Array, ...]:
        """The cotangents of the input, the weight and the bias; only the first without a weight."""
        form = None
        if eps >= 1e-12 and g.dtype == _SINGLE:
            form = _form_for(c, variance, weight)
        if form is None or _has_short_runs(*form):
            return super().scale_back(g, c, variance, weight, eps=eps)
        if g.strides != c.strides:  # in another order
            g, given = np.empty_like(c), g
            g[...] = given
        with quiet():
            return _back(form, g, c, variance, weight, eps)


def _back(
    form: _Form, g: _Array, c: _Array, variance: _Array, weight: Any, eps: float
) -> tuple[_Array, ...]:
    if form[4] == 1 and weight is not None:
        return _rows_back(form, g, c, variance, weight, eps)
    factor = 1 / np.sqrt(variance + eps)
    outer, rows, groups, parts, run = form
    if _compiled is not None:
        products, totals = np.empty((2, rows, parts))
        _compiled.sums(form, g, c, products, totals)
    else:
        flat_g, flat_c = (_flat(a, (outer, rows * parts, run)) for a in (g, c))
        products, totals = (sums_of_rows(a).reshape(rows, parts) for a in (flat_g * flat_c, flat_g))
    factor = factor.reshape(rows, 1)
    wide = factor.astype(np.float64)
    k, of_params = factor, ()
    if weight is not None:
        w = weight.reshape(1, groups, parts)
        k = (factor.reshape(-1, groups, 1) * w).reshape(rows, parts)
        of_params = tuple(
            [
                p.reshape(-1, groups, parts).sum(axis=0).astype(np.float32).reshape(weight.shape)
                for p in (products * wide, totals)
            ]
        )
        products, totals = (
            (p.reshape(-1, groups, parts) * w).reshape(rows, parts) for p in (products, totals)
        )
    else:
        k = np.broadcast_to(k, (rows, parts)).copy()
    by = wide[:, 0] * (-1.0 / (outer * parts * run))
    of_c = (products.sum(axis=1) * by * wide[:, 0] * wide[:, 0]).astype(np.float32)
    rest = (totals.sum(axis=1) * by).astype(np.float32)
    y = np.empty_like(c)
    if _compiled is not None:
        _compiled.combine(form, g, c, k, of_c, rest, y)
    else:
        shape = outer, rows, parts, run
        flat_g, flat_c = _flat(g, shape), _flat(c, shape)
        change = flat_c * of_c.reshape(-1, 1, 1) + rest.reshape(-1, 1, 1)
        _flat(y, shape)[...] = flat_g * k.reshape(rows, parts, 1) + change
    return y, *of_params


def _rows_back(
    form: _Form, g: _Array, c: _Array, variance: _Array, weight: _Array, eps: float
) -> tuple[_Array, ...]:
    """`scale_back` with weights along the rows."""
    _, rows, _, parts, _ = form
    y = np.empty_like(c)
    if _compiled is not None:
        of_weight, of_bias = np.empty((2, parts))
        _compiled.rows_back(form, g, c, variance, weight, eps, y, of_weight, of_bias)
    else:
        shape = rows, parts
        flat_g, flat_c, w = _flat(g, shape), _flat(c, shape), weight.reshape(-1)
        factor = (1 / np.sqrt(variance + eps)).reshape(rows, 1)
        products = flat_g * flat_c
        of_weight, of_bias = _columns(products * factor), _columns(flat_g)
        product, total = (sums_of_rows((p * w).reshape(1, rows, parts)) for p in (products, flat_g))
        wide = factor[:, 0].astype(np.float64)
        by = wide * (-1.0 / parts)
        of_c = (product * by * wide * wide).astype(np.float32).reshape(rows, 1)
        rest = (total * by).astype(np.float32).reshape(rows, 1)
        _flat(y, shape)[...] = flat_g * (factor * w) + (flat_c * of_c + rest)
    params = [p.astype(np.float32).reshape(weight.shape) for p in (of_weight, of_bias)]
    return y, *params


def _has_short_runs(outer: int, rows: int, groups: int, parts: int, run: int) -> bool:
    """True where the sums for weights are those of too few numbers each."""
    if run == 1:
        return outer > 1 or groups > 1
    return run < _MIN_LENGTH and outer * rows * parts > _MANY


def _form_for(c: _Array, variance: _Array, *params: Any) -> _Form | None:
    """The form of centred numbers with these weights, all of one shape."""
    if c.dtype != _SINGLE or variance.dtype != _SINGLE:
        return None
    shape: tuple[int, ...] = ()
    for p in params:
        if p is not None:
            if p.dtype != _SINGLE or (shape and p.shape != shape):
                return None
            shape = p.shape
    found = _form_of_centred(c.shape, c.strides, variance.shape, shape)
    if found is None or not variance.flags.c_contiguous:
        return None
    for p in params:
        if p is not None and not p.flags.c_contiguous:
            return None
    return found


@lru_cache(4096)
def _form_of_centred(
    shape: tuple[int, ...], strides: tuple[int, ...], means: tuple[int, ...],
    params: tuple[int, ...],
) -> _Form | None:  # fmt: skip
    axes = tuple([i for i, n in enumerate(means) if n == 1])
    found = form_of(shape, strides, axes, params)
    if found is None or found[1] != math.prod(means):
        return None
    return None if found[4] == 1 and found[3] > _MAX_COLUMNS else found


def _flat(x: _Array, shape: tuple[int, ...]) -> _Array:
    """A view of an array in the order of memory."""
    return x.transpose(axes_by_stride(x)).reshape(shape)
