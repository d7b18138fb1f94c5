"""Rules of statistical functions."""

from __future__ import annotations

import math
from typing import Any

from ... import _statistical as xp
from ..._creation import ones
from ..._dispatch import view
from ..._manipulation import broadcast_to, concat, flip, permute_dims, reshape
from ..._searching import count_nonzero, where
from .._rules import conj
from .._tangents import weighted
from .._transpose import define


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Nonnegative axes of a reduction."""
    if axis is None or not ndim:  # for 0-d arrays NumPy also accepts axes 0 and -1
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(i + ndim if i < 0 else i for i in axes)


def restored(g: Any, ndim: int, axis: Any, keepdims: bool) -> Any:
    """Result of a reduction with the reduced axes restored with size 1."""
    if keepdims or not ndim or not g.ndim:
        return g  # already broadcasts
    axes = axes_of(axis, ndim)
    rest = iter(g.shape)
    return reshape(g, tuple([1 if i in axes else next(rest) for i in range(ndim)]))


def spread(g: Any, x_like: Any, axis: Any, keepdims: bool) -> Any:
    """Broadcast the result of a reduction to the shape of its operand."""
    if g._data.shape:
        g = restored(g, x_like.ndim, axis, keepdims)
    return view("broadcast_to", g, (x_like.shape,))


def _count(x: Any, axis: Any) -> int:
    return math.prod(x.shape[i] for i in axes_of(axis, x.ndim))


# ---- sums

define(
    "sum",
    (
        lambda g, _out, x_like, *, axis, keepdims, dtype=None: spread(g, x_like, axis, keepdims),
        lambda t, *_, axis, keepdims, dtype=None: xp.sum(
            t, axis=axis, keepdims=keepdims, dtype=dtype
        ),
    ),
)
define(
    "mean",
    (
        lambda g, _out, x_like, *, axis, keepdims: spread(
            g / _count(x_like, axis) if x_like.size else g, x_like, axis, keepdims
        ),
        lambda t, *_, axis, keepdims: xp.mean(t, axis=axis, keepdims=keepdims),
    ),
)


def _centred(x: Any, axis: Any) -> Any:
    x = x - xp.mean(x, axis=axis, keepdims=True)
    # Center twice: the rounding error of the mean matters if the numbers differ little.
    return x - xp.mean(x, axis=axis, keepdims=True)


def _var_vjp(g: Any, _out: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    if not x.size:
        return x  # whose gradient has no elements either
    g = restored(g, x.ndim, axis, keepdims) * 2 / (_count(x, axis) - correction)
    return g * _centred(x, axis)


def _var_jvp(t: Any, _out: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    if not x.size:
        return None
    total = xp.sum(conj(_centred(x, axis)) * t, axis=axis, keepdims=keepdims)
    return total / ((_count(x, axis) - correction) / 2)


define("var", (_var_vjp, _var_jvp))


def _length(out: Any) -> Any:
    """Standard deviation as a divisor: 0 is replaced by 1, because the numerator is 0 too."""
    return where(out == 0, 1.0, out)


def _std_vjp(g: Any, out: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    if not x.size:
        return x  # whose gradient has no elements either
    g = restored(g / _length(out), x.ndim, axis, keepdims)
    return g / (_count(x, axis) - correction) * _centred(x, axis)


def _std_jvp(t: Any, out: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    if not x.size:
        return None
    total = xp.sum(conj(_centred(x, axis)) * t, axis=axis, keepdims=keepdims)
    return total / (_count(x, axis) - correction) / _length(out)


define("std", (_std_vjp, _std_jvp))

# ---- maximum and minimum: equal elements share the gradient


def _found(out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Mask of the extreme elements; NaNs if there are any."""
    return (x == restored(out, x.ndim, axis, keepdims)) | (x != x)


def _extreme_vjp(g: Any, out: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
    found = _found(out, x, axis, keepdims)
    g = restored(g, x.ndim, axis, keepdims)
    return where(found, g / _number(found, axis, True), 0.0)


def _extreme_jvp(t: Any, out: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
    found = _found(out, x, axis, keepdims)
    total = xp.sum(where(found, t, 0.0), axis=axis, keepdims=keepdims)
    return total / _number(found, axis, keepdims)


def _number(found: Any, axis: Any, keepdims: bool) -> Any:
    return count_nonzero(found, axis=axis, keepdims=keepdims)


define("max", (_extreme_vjp, _extreme_jvp))
define("min", (_extreme_vjp, _extreme_jvp))

# ---- cumulative sums and products


def _axis_of(axis: int | None, ndim: int) -> int:
    return 0 if axis is None else axis + ndim if axis < 0 else axis


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _sum_back(g: Any, axis: int) -> Any:
    return flip(xp.cumulative_sum(flip(g, axis=axis), axis=axis), axis=axis)


def _cumulative_sum_vjp(
    g: Any, _out: Any, x_like: Any, *, axis: Any, dtype: Any, include_initial: bool
) -> Any:
    axis = _axis_of(axis, x_like.ndim)
    return _sum_back(_part(g, axis, 1, None) if include_initial else g, axis)


define(
    "cumulative_sum",
    (
        _cumulative_sum_vjp,
        lambda t, *_, axis, dtype, include_initial: xp.cumulative_sum(
            t, axis=axis, dtype=dtype, include_initial=include_initial
        ),
    ),
)


def _shifted(x: Any, axis: int, first: float) -> Any:
    """Shift `x` by one position along an axis, starting with `first`."""
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    start = broadcast_to(first * ones((), dtype=x.dtype, device=x.device), shape)
    return concat([start, _part(x, axis, None, -1)], axis=axis)


def recurrence(a: Any, b: Any, axis: int) -> Any:
    """Solve ``s[i] = a[i] * s[i - 1] + b[i]`` along an axis, with ``s[-1] = 0``.

    Computed as a parallel scan by doubling (Hillis and Steele, 1986), in log2(n) steps. It uses
    only products and sums, so derivatives of any order are correct at zeros too.
    """
    step, n = 1, b.shape[axis]
    while step < n:
        head_a, head_b = _part(a, axis, None, step), _part(b, axis, None, step)
        tail = _part(a, axis, step, None)
        carried = weighted(_part(b, axis, None, -step), tail)
        b = concat([head_b, carried + _part(b, axis, step, None)], axis=axis)
        a = concat([head_a, tail * _part(a, axis, None, -step)], axis=axis)
        step *= 2
    return b


def _cumulative_prod_jvp(
    t: Any, out: Any, x: Any, *, axis: Any, dtype: Any, include_initial: bool
) -> Any:
    axis = _axis_of(axis, x.ndim)
    before = _part(out, axis, None, -1) if include_initial else _shifted(out, axis, 1.0)
    s = recurrence(x, weighted(t, before), axis)
    if not include_initial:
        return s
    return concat([0 * _part(out, axis, None, 1), s], axis=axis)


def _cumulative_prod_vjp(
    g: Any, out: Any, x: Any, *, axis: Any, dtype: Any, include_initial: bool
) -> Any:
    x = x if x.ndim else reshape(x, (1,))  # like the result for a 0-d tensor
    axis = _axis_of(axis, x.ndim)
    if include_initial:
        before, g = _part(out, axis, None, -1), _part(g, axis, 1, None)
    else:
        before = _shifted(out, axis, 1.0)
    coefficients = _shifted(flip(x, axis=axis), axis, 0.0)
    s = flip(recurrence(conj(coefficients), flip(g, axis=axis), axis), axis=axis)
    return weighted(s, conj(before))


define("cumulative_prod", (_cumulative_prod_vjp, _cumulative_prod_jvp))


def _others(x: Any, axis: Any) -> Any:
    """Product of all other elements, for each element."""
    axes = axes_of(axis, x.ndim)
    if not axes:
        return ones((), dtype=x.dtype, device=x.device)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    order = (*rest, *axes)
    moved = permute_dims(x, order)
    flat = reshape(moved, (*moved.shape[: len(rest)], _count(x, axis)))
    last = flat.ndim - 1
    left = xp.cumulative_prod(_shifted(flat, last, 1.0), axis=-1)
    right = flip(xp.cumulative_prod(_shifted(flip(flat, axis=-1), last, 1.0), axis=-1), axis=-1)
    back = [0] * x.ndim
    for i, k in enumerate(order):
        back[k] = i
    return permute_dims(reshape(left * right, moved.shape), tuple(back))


def _prod_vjp(g: Any, _out: Any, x: Any, *, axis: Any, keepdims: bool, dtype: Any = None) -> Any:
    if not x.size:
        return x  # whose gradient has no elements either
    return restored(g, x.ndim, axis, keepdims) * conj(_others(x, axis))


def _prod_jvp(t: Any, _out: Any, x: Any, *, axis: Any, keepdims: bool, dtype: Any = None) -> Any:
    if not x.size:
        return None
    return xp.sum(weighted(t, _others(x, axis)), axis=axis, keepdims=keepdims)


define("prod", (_prod_vjp, _prod_jvp))
