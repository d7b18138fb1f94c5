"""Manipulation functions."""

from __future__ import annotations

from typing import Any

import cupy as cp

from ..scalars import python_scalar
from .reductions import min as smallest

__all__ = ["concat", "permute_dims", "repeat", "reshape", "stack"]

_Array = Any


def permute_dims(x: _Array, /, axes: tuple[int, ...]) -> _Array:
    """CuPy reverses the axes if `axes` is empty."""
    if len(axes) != x.ndim:
        raise ValueError(f"axes must name each of the {x.ndim} axes; got {axes}")
    return x.transpose(axes)


def reshape(x: _Array, /, shape: Any, *, copy: bool | None = None) -> _Array:
    """CuPy's method has the parameter `copy` only since version 14.1."""
    out = x.reshape(shape)
    if copy is None:
        return out
    is_view = out.data.mem is x.data.mem
    if copy:
        return out.copy() if is_view else out
    if not is_view and x.size:
        raise ValueError("the elements cannot be in that order without a copy")
    return out


#: CuPy joins up to this many arrays without an array of their addresses.
_MAX_WITHOUT_ADDRESSES = 8


def concat(arrays: Any, /, *, axis: int | None = 0) -> _Array:
    """CuPy uploads the addresses of many arrays, which a CUDA graph cannot capture."""
    if axis is not None and not arrays[0].ndim:
        raise ValueError("0-d arrays have no axis to join along")
    while _are_too_many(arrays):
        starts = range(0, len(arrays), _MAX_WITHOUT_ADDRESSES)
        arrays = [cp.concatenate(arrays[i : i + _MAX_WITHOUT_ADDRESSES], axis) for i in starts]
    return cp.concatenate(arrays, axis)


def stack(arrays: Any, /, *, axis: int = 0) -> _Array:
    """The same as `concat`."""
    if _are_too_many(arrays):
        return concat([cp.expand_dims(x, axis) for x in arrays], axis=axis)
    return cp.stack(arrays, axis)


def _are_too_many(arrays: Any) -> bool:
    return len(arrays) > _MAX_WITHOUT_ADDRESSES and cp.cuda.get_current_stream().is_capturing()


def repeat(x: _Array, repeats: Any, /, *, axis: int | None = None) -> _Array:
    """CuPy takes an array of repeats only since version 14.1.

    The shape of the result depends on the values of the array, so this waits for the GPU.
    """
    if type(repeats) is not cp.ndarray or repeats.size == 1:
        return x.repeat(python_scalar(repeats), axis)
    if axis is None:
        x, axis = x.ravel(), 0
    if repeats.shape != x.shape[axis : axis + 1 or None]:
        raise ValueError(f"repeats must be one per element of axis {axis} of {x.shape}")
    if repeats.size == 0:
        return x.copy()
    repeats = repeats.astype("int64", copy=False)
    ends = cp.cumsum(repeats)
    total, least = (int(n) for n in cp.stack([ends[-1], smallest(repeats)]).get())
    if least < 0:
        raise ValueError(f"repeats must not be negative; got {least}")
    return x.take(cp.searchsorted(ends, cp.arange(total), "right"), axis)
