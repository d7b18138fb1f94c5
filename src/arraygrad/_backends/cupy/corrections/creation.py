"""Creation functions."""

from __future__ import annotations

import math
from typing import Any

import cupy as cp
import numpy as np

from ...common.creation import linspace as in_range
from ..scalars import python_scalar

__all__ = ["arange", "full", "full_like", "linspace"]

_Array = Any

# CuPy does not choose a kernel by the type of a scalar, so there is a kernel for each.
_arange = {
    dtype: cp.ElementwiseKernel(
        f"{dtype} start, {dtype} step", "T out", "out = start + i * step", "arraygrad_arange"
    )
    for dtype in ("uint64", "float64")
}
_linspace = {
    dtype: cp.ElementwiseKernel(
        f"{dtype} start, {dtype} step, {dtype} stop, int64 last, float64 scale",
        "T out",
        f"out = i == last ? T(stop) : T(start + {ctype}(i / scale) * step)",
        "arraygrad_linspace",
    )
    for dtype, ctype in (("float64", "double"), ("complex128", "complex<double>"))
}


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None) -> _Array:
    """CuPy casts `step` to the dtype, so unsigned ranges cannot fall, and a step of 0.5 becomes 0.

    As in NumPy, an integer range starts at int(start) and its step is
    int(start + step) - int(start).
    """
    if stop is None:
        start, stop = 0, start
    start, stop, step = python_scalar(start), python_scalar(stop), python_scalar(step)
    all_ints = all(isinstance(v, int) for v in (start, stop, step))
    out_dtype = np.dtype(("int64" if all_ints else "float64") if dtype is None else dtype)
    size = -((start - stop) // step) if all_ints else math.ceil((stop - start) / step)
    if out_dtype.kind == "b" and size > 2:
        raise TypeError(f"a range of bools has at most two elements; it would have {size}")
    out = cp.empty(size if size > 0 else 0, out_dtype)
    if out_dtype.kind in "iu":
        first = int(start)
        delta = int(start + step) - first
        modular = np.uint64(first % 2**64), np.uint64(delta % 2**64)
        _arange["uint64"](*modular, out)
    else:
        _arange["float64"](float(start), float(step), out)
    return out


def full(shape: Any, fill_value: Any, *, dtype: Any = None) -> _Array:
    """CuPy refuses ints beyond 64 bits, even for an array of floats."""
    if type(fill_value) is int and dtype is not None and np.dtype(dtype).kind in "fc":
        fill_value = float(fill_value)
    return cp.full(shape, fill_value, dtype)


def full_like(x: _Array, /, fill_value: Any, *, dtype: Any = None) -> _Array:
    """The same as `full`."""
    return full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, endpoint: bool = True
) -> _Array:
    """CuPy accepts no complex ends."""
    if isinstance(start, cp.ndarray) and isinstance(stop, cp.ndarray):
        return _linspace_of_arrays(start, stop, num, dtype=dtype, endpoint=endpoint)
    return in_range(_linspace_of_floats, start, stop, num, dtype=dtype, endpoint=endpoint)


def _linspace_of_arrays(
    start: _Array, stop: _Array, /, num: int, *, dtype: Any, endpoint: bool
) -> _Array:
    """`linspace` between ends that stay on the GPU."""
    work_dtype = np.dtype("complex128" if "c" in (start.dtype.kind, stop.dtype.kind) else "float64")
    if work_dtype.kind == "c" and np.dtype(dtype).kind != "c":
        raise TypeError(f"dtype {dtype} does not hold complex numbers")
    start, stop = start.astype(work_dtype), stop.astype(work_dtype)
    overflows = ~cp.isfinite(stop - start) & cp.isfinite(start) & cp.isfinite(stop)
    factor = cp.where(overflows, 2.0, 1.0)
    low, high = start / factor, stop / factor
    intervals = float((num - 1 if endpoint else num) or 1)
    step = (high - low) / intervals
    scale = cp.where(step == 0, intervals, 1.0)
    step = cp.where(step == 0, high - low, step)
    out = cp.empty(num, dtype)
    last = num - 1 if endpoint and num > 1 else -1
    _linspace[work_dtype.name](low, step, high, last, scale, out)
    out *= factor
    out[:1] = start  # to which infinity times 0 may have been added
    return out


def _linspace_of_floats(
    start: Any, stop: Any, /, num: int, *, dtype: Any, endpoint: bool
) -> _Array:
    work_dtype = "complex128" if isinstance(start + stop, complex) else "float64"
    out_dtype = np.dtype(work_dtype if dtype is None else dtype)
    if work_dtype == "complex128" and out_dtype.kind != "c":
        raise TypeError(f"dtype {out_dtype} does not hold complex numbers")
    intervals = num - 1 if endpoint else num
    step, scale = (stop - start) / (intervals or 1), 1.0
    if not step:  # the step of a very short interval underflows
        step, scale = stop - start, float(intervals or 1)
    out = cp.empty(num, work_dtype if out_dtype.kind in "biu" else out_dtype)
    last = num - 1 if endpoint and num > 1 else -1
    _linspace[work_dtype](start, step, stop, last, scale, out)
    return out if out.dtype == out_dtype else cp.floor(out).astype(out_dtype)
