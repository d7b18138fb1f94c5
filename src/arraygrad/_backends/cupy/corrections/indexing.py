"""Indexing, assignment and the transpose of indexing."""

from __future__ import annotations

import math
from typing import Any

import cupy as cp

from ..scalars import fit_int, scalar_array

__all__ = ["getitem", "scatter", "setitem"]

_Array = Any

_put = cp.ElementwiseKernel("T value, bool here", "T out", "if (here) out = value", "arraygrad_put")


def getitem(x: _Array, key: Any, /) -> _Array:
    """Indexing as a function."""
    return x[key]


def setitem(x: _Array, value: Any, key: Any, /) -> None:
    """CuPy writes +0.0 for -0.0, and ignores overlap when it copies within an array.

    To write one value to a mask, it first counts the elements, which waits for the GPU.
    """
    if type(value) is cp.ndarray:
        if value.data.mem is x.data.mem:
            if _same_view(x[key], value):
                return  # x[key] += ... has written it already
            value = value.copy()
    elif x.dtype.kind in "fc" and not value and _is_negative_zero(value):
        value = scalar_array(value, x.dtype)
    elif type(value) is int and not 0 <= value < 128:
        value = True if x.dtype.kind == "b" else fit_int(value, x.dtype)
    if _is_mask(key, x) and not getattr(value, "ndim", 0):
        if type(value) is cp.ndarray:
            value = value.astype(x.dtype, copy=False)
        else:
            value = x.dtype.type(value)
        if key.data.mem is x.data.mem:
            key = key.copy()
        _put(value, key.reshape(key.shape + (1,) * (x.ndim - key.ndim)), x)
    else:
        x[key] = value


def _is_mask(key: Any, x: _Array) -> bool:
    return type(key) is cp.ndarray and key.dtype == bool and key.shape == x.shape[: key.ndim]


def _same_view(a: _Array, b: _Array) -> bool:
    return (a.data.ptr, a.shape, a.strides, a.dtype) == (b.data.ptr, b.shape, b.strides, b.dtype)


def _is_negative_zero(value: Any) -> bool:
    z = complex(value)
    return math.copysign(1, z.real) < 0 or math.copysign(1, z.imag) < 0


def scatter(x: _Array, key: Any, shape: tuple[int, ...]) -> _Array:
    """Zeros of `shape`, plus `x` at `key`; repeated indices add up."""
    out = cp.zeros(shape, dtype=x.dtype)
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, cp.ndarray) and k.dtype != bool for k in keys):
        if x.dtype.kind == "c":  # CuPy's add.at does not support complex numbers
            cp.add.at(out.real, key, x.real)
            cp.add.at(out.imag, key, x.imag)
        else:
            cp.add.at(out, key, x)
    else:
        out[key] = x
    return out
