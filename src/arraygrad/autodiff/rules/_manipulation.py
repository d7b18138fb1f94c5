"""Rules of manipulation functions and of other functions that only move elements.

All are linear. Rules of views also define how to write through the view.
"""

from __future__ import annotations

from typing import Any

from ... import _manipulation as xp
from ..._creation import arange, meshgrid, tril, triu, zeros
from ..._dispatch import view
from ..._dtypes import bool as bool_
from ..._indexing import take
from ..._keys import getitem, scatter
from ..._searching import where
from ..._statistical import sum as _sum
from ..._tensor import Tensor
from .._rules import identity
from .._tangents import zeros as zeros_like
from .._transpose import define
from .._views import put


def _reshaped(g: Any, _out: Any, x_like: Any, *_: Any, **__: Any) -> Any:
    return xp.reshape(g, x_like.shape)


def _reshape_put(x: Any, new: Any, *_: Any, **__: Any) -> Any:
    return xp.reshape(new, x.shape)


def _whole_put(_x: Any, new: Any, *_: Any, **__: Any) -> Any:
    return new


def _read_only(x: Any, *_: Any, **__: Any) -> Any:
    raise ValueError("assignment destination is read-only: the result of broadcasting")


def _size(axis: int, ndim: int) -> int:
    return axis + ndim if axis < 0 else axis


# ---- other shapes

define(
    "reshape",
    (_reshaped, lambda t, _out, _x, shape, copy=None: xp.reshape(t, shape, copy=copy)),
    put=_reshape_put,
)
define(
    "expand_dims",
    (_reshaped, lambda t, _out, _x, axis: xp.expand_dims(t, axis)),
    put=_reshape_put,
)
define("squeeze", (_reshaped, lambda t, _out, _x, axis: xp.squeeze(t, axis)), put=_reshape_put)
define(
    "broadcast_to",
    (identity, lambda t, _out, _x, shape: xp.broadcast_to(t, shape)),
    put=_read_only,
)


def _meshgrid_vjp(g: Any, specs: Any, indexing: Any) -> Any:
    cotangents: list[Any] = []
    for i, (part, spec) in enumerate(zip(g, specs, strict=True)):
        if part is None:
            cotangents.append(None)
            continue
        own = 1 - i if indexing == "xy" and i < 2 <= len(specs) else i
        others = tuple(k for k in range(part.ndim) if k != own)
        cotangents.append(xp.reshape(_sum(part, axis=others), spec.shape))
    return cotangents


def _meshgrid_jvp(tangents: Any, indexing: Any) -> Any:
    return meshgrid(*tangents, indexing=indexing)


define("meshgrid", (_meshgrid_vjp, _meshgrid_jvp), variadic=True)

# ---- another order


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    inverse = [0] * len(axes)
    for i, axis in enumerate(axes):
        inverse[axis] = i
    return tuple(inverse)


def _permute_back(g: Any, _out: Any, _x: Any, axes: Any) -> Any:
    return xp.permute_dims(g, _inverse(axes))


define(
    "permute_dims",
    (_permute_back, lambda t, _out, _x, axes: xp.permute_dims(t, axes)),
    put=lambda x, new, axes: xp.permute_dims(new, _inverse(axes)),
)
define(
    "moveaxis",
    (
        lambda g, _out, _x, source, destination: xp.moveaxis(g, destination, source),
        lambda t, _out, _x, source, destination: xp.moveaxis(t, source, destination),
    ),
    put=lambda x, new, source, destination: xp.moveaxis(new, destination, source),
)
for _name in ("T", "matrix_transpose"):
    define(
        _name,
        (
            lambda g, *_, _name=_name: view(_name, g),
            lambda t, *_, _name=_name: view(_name, t),
        ),
        put=lambda x, new, _name=_name: view(_name, new),
    )
define(
    "flip",
    (
        lambda g, *_, axis: xp.flip(g, axis=axis),
        lambda t, *_, axis: xp.flip(t, axis=axis),
    ),
    put=lambda x, new, axis: xp.flip(new, axis=axis),
)


def _roll_back(g: Any, _out: Any, _x: Any, shift: Any, axis: Any) -> Any:
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return xp.roll(g, back, axis=axis)


define("roll", (_roll_back, lambda t, _out, _x, shift, axis: xp.roll(t, shift, axis=axis)))

# ---- joining and splitting


def _concat_vjp(g: Any, specs: Any, axis: Any) -> Any:
    cotangents, start = [], 0
    before = () if axis is None else (slice(None),) * _size(axis, g.ndim)
    for spec in specs:
        stop = start + (spec.size if axis is None else spec.shape[axis])
        part = g[(*before, slice(start, stop))]
        cotangents.append(xp.reshape(part, spec.shape) if axis is None else part)
        start = stop
    return cotangents


define(
    "concat", (_concat_vjp, lambda tangents, axis: xp.concat(tangents, axis=axis)), variadic=True
)


def _stack_vjp(g: Any, specs: Any, axis: int) -> Any:
    return xp.unstack(g, axis=axis)


define("stack", (_stack_vjp, lambda tangents, axis: xp.stack(tangents, axis=axis)), variadic=True)


def _unstack_vjp(g: Any, _out: Any, x_like: Any, axis: int = 0) -> Any:
    axis = _size(axis, x_like.ndim)
    shape = x_like.shape[:axis] + x_like.shape[axis + 1 :]
    some = next(p for p in g if p is not None)
    none = zeros(shape, dtype=some.dtype, device=x_like.device)
    return xp.stack([none if p is None else p for p in g], axis=axis)


def _unstack_put(x: Any, new: Any, i: int, axis: int = 0) -> Any:
    return put(x, new, (slice(None),) * _size(axis, x.ndim) + (i,))


define(
    "unstack",
    (_unstack_vjp, lambda t, _out, _x, axis=0: xp.unstack(t, axis=axis)),
    put=_unstack_put,
)

# ---- repeating


def _tile_vjp(g: Any, _out: Any, x_like: Any, repetitions: Any) -> Any:
    ndim = max(len(repetitions), x_like.ndim)
    shape = (1,) * (ndim - x_like.ndim) + x_like.shape
    times = (1,) * (ndim - len(repetitions)) + tuple(repetitions)
    pairs = [k for pair in zip(times, shape, strict=True) for k in pair]
    return xp.reshape(
        _sum(xp.reshape(g, tuple(pairs)), axis=tuple(range(0, 2 * ndim, 2))), x_like.shape
    )


define("tile", (_tile_vjp, lambda t, _out, _x, repetitions: xp.tile(t, repetitions)))


def _repeat_vjp(g: Any, _out: Any, x_like: Any, repeats: Any, axis: Any) -> Any:
    shape = x_like.shape if axis is not None and x_like.ndim else (x_like.size,)
    axis = _size(axis or 0, len(shape))
    g = xp.reshape(g, (*shape[:axis], shape[axis], repeats, *shape[axis + 1 :]))
    return xp.reshape(_sum(g, axis=axis + 1), x_like.shape)


def _repeat_prepare(operands: Any, args: Any, kwargs: Any) -> Any:
    """If `repeats` is a tensor, rewrite as `take`, so that the host waits for a GPU only once."""
    x, repeats = operands
    if not isinstance(repeats, Tensor):
        return NotImplemented
    axis = kwargs["axis"]
    if axis is None or not x.ndim:
        x, axis = xp.reshape(x, (-1,)), 0
    places = xp.repeat(arange(x.shape[axis], device=x.device), repeats)
    return take(x, places, axis=axis)


define(
    "repeat",
    (_repeat_vjp, lambda t, _out, _x, repeats, axis: xp.repeat(t, repeats, axis=axis)),
    (None, None),
    prepare=_repeat_prepare,
)

# ---- the same values


define("copy", (identity, identity))
define("astype", (lambda g, *_, **__: g, lambda t, *_, **__: t), put=_whole_put)
define(
    "to_device",
    (
        lambda g, _out, x_like, *_, **__: g.to_device(x_like.device),
        lambda t, _out, _x, device, stream=None: t.to_device(device, stream=stream),
    ),
    call=lambda operands, args, kwargs: operands[0].to_device(*args, **kwargs),
)
define("tril", (lambda g, *_, k: tril(g, k=k), lambda t, *_, k: tril(t, k=k)))
define("triu", (lambda g, *_, k: triu(g, k=k), lambda t, *_, k: triu(t, k=k)))

# ---- indexing

define(
    "getitem",
    (
        lambda g, _out, x_like, key: scatter(g, key, x_like.shape),
        lambda t, _out, _x, key: t[key],
    ),
    call=lambda operands, args, _kwargs: getitem(operands[0], args[0]),
    put=put,
)
define(
    "scatter",
    (
        lambda g, _out, _x, key, _shape: g[key],
        lambda t, _out, _x, key, shape: scatter(t, key, shape),
    ),
    call=lambda operands, args, _kwargs: scatter(operands[0], *args),
)


def _last_write(g: Any, _out: Any, _x: Any, value_like: Any, key: Any) -> Any:
    """Gradient of an assigned value; if an element is written twice, only the last write counts."""
    if not value_like.shape and getattr(key, "dtype", None) == bool_:
        mask = xp.reshape(key, key.shape + (1,) * (g.ndim - key.ndim))
        return where(mask, g, 0.0)  # the value is a scalar: nothing to mask
    chosen = g[key]
    keys = key if isinstance(key, tuple) else (key,)
    if any(
        isinstance(k, (list, tuple)) or getattr(k, "dtype", None) not in (None, bool_) for k in keys
    ):
        numbers = xp.reshape(arange(chosen.size, device=g.device), chosen.shape)
        last = put(zeros(g.shape, dtype=numbers.dtype, device=g.device), numbers, key)
        chosen = where(last[key] == numbers, chosen, 0.0)
    return chosen


define(
    "put",
    (
        lambda g, _out, _x, _value, key: put(g, 0, key),
        lambda t, _out, _x, _value, key: put(t, 0, key),
    ),
    (_last_write, lambda t, out, _x, _value, key: put(zeros_like(out), t, key)),
    call=lambda operands, args, _kwargs: put(*operands, *args),
)
