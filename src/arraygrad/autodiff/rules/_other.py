"""Rules of searching, sorting, set and utility functions and of `take`."""

from __future__ import annotations

from typing import Any

from ..._creation import arange, linspace, zeros
from ..._indexing import take, take_along_axis
from ..._keys import scatter
from ..._manipulation import concat, reshape
from ..._searching import where
from ..._set import unique_all
from ..._sorting import argsort
from ..._statistical import sum as _sum
from ..._utility import diff
from .._rules import zero
from .._transpose import define

# ---- creation, from recorded ends


def _weights(num: int, dtype: Any, endpoint: bool, like: Any) -> Any:
    return linspace(0.0, 1.0, num, dtype=dtype, device=like.device, endpoint=endpoint)


define(
    "linspace",
    (
        lambda g, _out, _x, _y, num, *, dtype, endpoint: _sum(
            g * (1 - _weights(num, dtype, endpoint, g))
        ),
        lambda t, _out, _x, _y, num, *, dtype, endpoint: (
            t * (1 - _weights(num, dtype, endpoint, t))
        ),
    ),
    (
        lambda g, _out, _x, _y, num, *, dtype, endpoint: _sum(
            g * _weights(num, dtype, endpoint, g)
        ),
        lambda t, _out, _x, _y, num, *, dtype, endpoint: t * _weights(num, dtype, endpoint, t),
    ),
)

# ---- searching

define(
    "where",
    (None, None),
    (
        lambda g, _out, c, *_: where(c, g, 0.0),
        lambda t, _out, c, *_: where(c, t, 0.0),
    ),
    (
        lambda g, _out, c, *_: where(c, 0.0, g),
        lambda t, _out, c, *_: where(c, 0.0, t),
    ),
)
zero("argmax argmin argsort count_nonzero nonzero searchsorted isin all any")

# ---- sorting: along the stable permutation, also where elements are equal


def _sort_vjp(g: Any, _out: Any, x: Any, axis: int, descending: bool, stable: bool) -> Any:
    order = argsort(x, axis=axis, descending=descending, stable=stable)
    return take_along_axis(g, argsort(order, axis=axis), axis=axis)


def _sort_jvp(t: Any, _out: Any, x: Any, axis: int, descending: bool, stable: bool) -> Any:
    order = argsort(x, axis=axis, descending=descending, stable=stable)
    return take_along_axis(t, order, axis=axis)


define("sort", (_sort_vjp, _sort_jvp))

# ---- taking


def _take_vjp(g: Any, _out: Any, x_like: Any, indices: Any, axis: int | None) -> Any:
    if not x_like.ndim:
        return _sum(g)  # there is only one element to take
    axis = 0 if axis is None else axis % x_like.ndim
    return scatter(g, (slice(None),) * axis + (indices,), x_like.shape)


define(
    "take",
    (_take_vjp, lambda t, _out, _x, indices, axis: take(t, indices, axis=axis)),
    (None, None),
)


def _take_along_vjp(g: Any, _out: Any, x_like: Any, indices: Any, axis: int) -> Any:
    axis %= x_like.ndim
    key: list[Any] = []
    for i, n in enumerate(g.shape):
        # Broadcast axes of the indices or of x are summed.
        places = arange(n if x_like.shape[i] != 1 or i == axis else 1, device=g.device)
        key.append(reshape(places, (1,) * i + (-1,) + (1,) * (g.ndim - i - 1)))
    key[axis] = indices
    if any(x_like.shape[i] == 1 != g.shape[i] for i in range(g.ndim) if i != axis):
        key = [k % x_like.shape[i] if i != axis else k for i, k in enumerate(key)]
    return scatter(g, tuple(key), x_like.shape)


define(
    "take_along_axis",
    (
        _take_along_vjp,
        lambda t, _out, _x, indices, axis: take_along_axis(t, indices, axis=axis),
    ),
    (None, None),
)

# ---- sets: a value is its first occurrence


def _first(x: Any) -> Any:
    return unique_all(x).indices


def _put_back(g: Any, places: Any, x_like: Any) -> Any:
    return reshape(scatter(g, (places,), (x_like.size,)), x_like.shape)


def _unique_vjp(g: Any, _out: Any, x: Any) -> Any:
    g = g[0] if isinstance(g, tuple) else g
    return None if g is None else _put_back(g, _first(x), x)


def _unique_all_vjp(g: Any, out: Any, x_like: Any) -> Any:
    return None if g[0] is None else _put_back(g[0], out[1], x_like)


def _taken(t: Any, places: Any) -> Any:
    return take(reshape(t, (-1,)), places)


define("unique_values", (_unique_vjp, lambda t, _out, x: _taken(t, _first(x))))
define(
    "unique_all",
    (_unique_all_vjp, lambda t, out, _x: (_taken(t, out[1]), None, None, None)),
)
for _name in ("unique_counts", "unique_inverse"):
    define(_name, (_unique_vjp, lambda t, _out, x: (_taken(t, _first(x)), None)))

# ---- differences


def _diff_vjp(g: Any, _out: Any, x_like: Any, *, axis: int, n: int, **_: Any) -> Any:
    axis %= x_like.ndim
    if not g.size:
        return zeros(x_like.shape, dtype=x_like.dtype, device=x_like.device)
    for _step in range(n):
        none = 0 * g[(slice(None),) * axis + (slice(0, 1),)]
        g = concat([none, g], axis=axis) - concat([g, none], axis=axis)
    return g


def _diff_prepare(operands: Any, args: Any, kwargs: Any) -> Any:
    """Rewrite with `prepend` and `append`, which may be traced, joined to `x` first."""
    parts = [kwargs.get("prepend"), operands[0], kwargs.get("append")]
    parts = [p for p in parts if p is not None]
    if len(parts) == 1:
        return NotImplemented
    axis = kwargs["axis"]
    return diff(concat(parts, axis=axis), axis=axis, n=kwargs["n"])


define(
    "diff",
    (_diff_vjp, lambda t, *_, axis, n, **__: diff(t, axis=axis, n=n)),
    prepare=_diff_prepare,
)
