"""CuPy on CUDA devices: array_api_compat's namespace, and where it differs from what we promise.

Each function below says why it stands there: a case of the standard that CuPy gets wrong or
lacks, or a cost per call that a shorter way avoids. The kernels are CuPy's own kind of ufunc and
reduction, so they promote, broadcast and take Python scalars as CuPy's do.

What holds for all of CuPy and is not mended, because it would need the host to wait for the GPU:
an index out of bounds wraps around, and the routines of `linalg` do not look at cuSOLVER's
verdict, so a singular or indefinite matrix gives meaningless numbers or NaN where NumPy raises.
``with cupyx.errstate(linalg="raise")`` makes CuPy look. Subnormal float32 numbers are zeros.
The order in which a reduction combines its elements is the GPU's, so a product of a zero and of
elements that overflow together may be 0 or NaN. A negative exponent in an array of integers gives
0 or garbage where NumPy raises; a Python int raises here, too.

One difference is NumPy's: where there are no axes, it reads axis 0 or -1 as none, CuPy raises.
"""

from __future__ import annotations

import builtins
import math
import operator
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

try:
    import cupy as cp

    if int(cp.__version__.partition(".")[0]) < 14:
        raise ImportError(f"found CuPy {cp.__version__}")
    from array_api_compat import cupy as _compat
    from array_api_compat.cupy import fft as _fft
    from array_api_compat.cupy import linalg as _linalg
except ImportError as error:
    raise ImportError(
        'CUDA devices need CuPy 14 or newer: pip install "arraygrad[cuda13x]" for CUDA 13, '
        f'"arraygrad[cuda12x]" for CUDA 12 ({error})'
    ) from error

try:  # CuPy does not promise these
    from cupy._core import create_reduction_func, create_ufunc
    from cupy._core.dlpack import DLPackMemory
except ImportError as error:
    raise ImportError(
        f"CuPy {cp.__version__} lacks what this version of arraygrad builds kernels with; install "
        f'a newer arraygrad, or "cupy-cuda13x[ctk]<15" ({error})'
    ) from error

from .._errors import TransferError
from .common import nn as _nn
from .common import random as _random
from .common import special as _special
from .numpy import as_host, index_dtype, is_host_scalar, root, to_text

__all__ = [
    "array_type",
    "as_host",
    "count",
    "index_dtype",
    "is_host_scalar",
    "operations",
    "to_text",
]

array_type = cp.ndarray

_Array = Any


# ---- conversions


class _Pointer:
    """A stream that is known by its address, and what owns it."""

    def __init__(self, address: int, owner: Any = None) -> None:
        self.address, self.owner = address, owner

    def __cuda_stream__(self) -> tuple[int, int]:
        """CUDA's stream protocol: its version and the address."""
        return 0, self.address


def _stream(stream: Any) -> Any:
    """CuPy's object for a stream: for CuPy's own, another library's or DLPack's integer for one.

    Raises
    ------
    TypeError
        If it is not a stream.
    ValueError
        If it is of another GPU than the current one, or an integer that stands for no stream.
    """
    if isinstance(stream, cp.cuda.Stream | cp.cuda.ExternalStream):
        here = cp.cuda.runtime.getDevice()
        if stream.device_id not in (-1, here):
            raise ValueError(f"the stream is of GPU {stream.device_id}, the copy of GPU {here}")
        return stream
    if hasattr(stream, "__cuda_stream__"):
        return cp.cuda.Stream.from_external(stream)
    address = getattr(stream, "cuda_stream", None)  # PyTorch's
    if isinstance(address, int):
        return cp.cuda.Stream.from_external(_Pointer(address, stream))
    if isinstance(stream, bool) or not hasattr(stream, "__index__"):
        raise TypeError(
            "stream must be an int or an object with __cuda_stream__, such as a cupy.cuda.Stream; "
            f"got {stream!r}"
        )
    address = operator.index(stream)
    if address <= 0:
        raise ValueError(f"stream must be 1, 2 or the address of a CUDA stream; got {address}")
    if address in (1, 2):
        return cp.cuda.Stream.null if address == 1 else cp.cuda.Stream.ptds
    return cp.cuda.Stream.from_external(_Pointer(address))


def _mark(stream: Any) -> Any:
    """An event for what the stream has been given up to now."""
    return stream.record(cp.cuda.Event(disable_timing=True))


@contextmanager
def _on(stream: Any) -> Iterator[None]:
    """A context in which `stream` is current, in order with the stream that was.

    It runs after what that one has been given before, and before what it is given afterwards; the
    host does not wait. None is that one itself.
    """
    if stream is None:
        yield
        return
    outer, inner = cp.cuda.get_current_stream(), _stream(stream)
    inner.wait_event(_mark(outer))
    with inner:
        yield
    outer.wait_event(_mark(inner))


def from_host(data: _Array, stream: Any = None) -> _Array:
    """Onto the GPU that is current; the host's array may be written as soon as this is back.

    The memory is the current stream's: that of another stream's pool would be given away again
    without regard to what the current one still reads. Without axes, CuPy makes +0.0 of -0.0.
    """
    if not data.ndim:
        if stream is not None:
            _stream(stream)
        return _scalar(data[()], data.dtype)
    if stream is None:
        return _upload(data)
    memory = cp.cuda.alloc(data.nbytes)
    with _on(stream), cp.cuda.using_allocator(lambda size: memory):
        return _upload(data)


#: Whether CuPy takes host memory for the GPU's own, where the hardware lets it.
_UNIFIED = os.environ.get("CUPY_ENABLE_UMP", "0") != "0"


def _upload(data: _Array) -> _Array:
    pinned = cp.cuda.runtime.pointerGetAttributes(data.ctypes.data).type == _PINNED
    if not (pinned or _UNIFIED):
        return cp.asarray(data)  # by a pinned copy, which the GPU reads when it comes to it
    out = cp.empty(data.shape, data.dtype)
    out.set(data)
    cp.cuda.get_current_stream().synchronize()
    return out


_PINNED = cp.cuda.runtime.memoryTypeHost


def to_host(data: _Array, stream: Any = None) -> _Array:
    """A NumPy array, when the copy is done."""
    with _on(stream):
        found = data.get()
    return found.copy() if _UNIFIED else found


def from_peer(data: _Array, stream: Any = None) -> _Array:
    """From another GPU. CuPy lets neither GPU wait for the other; here both do, not the host."""
    with data.device:
        data = cp.asarray(data, order="C")  # (ascontiguousarray would give one of no axes one)
        ready = _mark(cp.cuda.get_current_stream())
    out = cp.empty(data.shape, data.dtype)
    with _on(stream):
        copying = cp.cuda.get_current_stream()
        copying.wait_event(ready)
        out.data.copy_from_device_async(data.data, data.nbytes)
        done = _mark(copying)
    with data.device:
        cp.cuda.get_current_stream().wait_event(done)
    return out


def from_dlpack(x: Any, copy: bool | None = None) -> _Array:
    """CuPy takes dtypes that are not the standard's, and leaves `copy` to the producer."""
    data = cp.from_dlpack(x)
    as_host(np.empty(0, data.dtype))  # raises TypeError
    return data.copy() if copy else data


def dlpack(
    data: _Array, *, stream: Any, max_version: Any, dl_device: Any, copy: bool | None
) -> Any:
    """CuPy lacks ``copy=True`` on the GPU, and a copy=False to the host is a ValueError there."""
    if dl_device is not None and tuple(dl_device) == data.__dlpack_device__():
        dl_device = None
    if dl_device is None:
        if copy:
            data = data.copy()
        copy = None
    elif copy is False:
        raise BufferError(f"data on {data.device} reaches DLPack device {dl_device} only by a copy")
    if stream is not None and stream != -1:  # which asks for no order
        stream = _stream(stream).ptr or 1
    return data.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def view(x: _Array, dtype: Any, /) -> _Array:
    """The same memory as another dtype."""
    return x.view(dtype)


def item(data: _Array) -> Any:
    """The one element as a Python scalar; waits for the GPU."""
    return data.item()


# ---- scalars


_fill = cp.ElementwiseKernel("T value", "T out", "out = value", "arraygrad_fill")


def _scalar(value: Any, dtype: Any) -> _Array:
    """A scalar as an array of no axes: the launch of a kernel, not a copy from the host."""
    out = cp.empty((), dtype)
    _fill(out.dtype.type(value), out)
    return out


def _as_arrays(x1: Any, x2: Any) -> list[_Array]:
    """Two arrays, or one and a Python scalar, as arrays of their common dtype."""
    dtype = np.result_type(getattr(x1, "dtype", x1), getattr(x2, "dtype", x2))
    return [
        x.astype(dtype, copy=False) if type(x) is array_type else _scalar(x, dtype)
        for x in (x1, x2)
    ]


def _fitting(value: int, dtype: Any) -> Any:
    """A Python int as an operand of arrays of a dtype.

    CuPy wraps it around where the dtype does not hold it, and takes none beyond 64 bits.

    Raises
    ------
    OverflowError
        If the dtype is an integer one and does not hold it.
    """
    if dtype.kind in "fc":
        return value if -(2**63) <= value < 2**63 else float(value)
    if not _holds(dtype, value):
        raise OverflowError(f"Python integer {value} out of bounds for {dtype}")
    return value if value < 2**63 else np.uint64(value)  # CuPy 14.0 takes a C long


def _holds(dtype: Any, value: int) -> bool:
    info = np.iinfo("int64" if dtype.kind == "b" else dtype)
    return int(info.min) <= value <= int(info.max)


def _of_two(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two operands, with Python ints as NumPy takes them."""
    compare = getattr(operator, _COMPARISONS.get(name, ""), None)
    own = _SCALAR_DTYPES.get(name)

    def run(x1: Any, x2: Any, /) -> Any:
        # (Such ints as all dtypes hold are most often what there is.)
        if type(x2) is int and not 0 <= x2 < 128:
            dtype = x1.dtype
            if compare is not None and dtype.kind in "iu" and not _holds(dtype, x2):
                return cp.full(x1.shape, compare(0, x2))
            x2 = _fitting(x2, own or dtype)
        elif type(x1) is int and not 0 <= x1 < 128:
            dtype = x2.dtype
            if compare is not None and dtype.kind in "iu" and not _holds(dtype, x1):
                return cp.full(x2.shape, compare(x1, 0))
            x1 = _fitting(x1, own or dtype)
        return function(x1, x2)

    return run


#: Where NumPy reads a Python int as another dtype than the other operand's.
_SCALAR_DTYPES: dict[str, Any] = dict.fromkeys(("divide", "itruediv"), np.dtype("float64"))
_SCALAR_DTYPES |= dict.fromkeys(("logical_and", "logical_or", "logical_xor"), np.dtype("int64"))

#: Comparisons -> the operators. Of an integer that the other's dtype lacks, all are alike.
_COMPARISONS = {
    "equal": "eq",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "not_equal": "ne",
}
_BINARY = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign "
    "divide floor_divide hypot iadd iand ifloordiv ilshift imod imul ior ipow irshift isub "
    "itruediv ixor logaddexp logical_and logical_or logical_xor maximum minimum multiply nextafter "
    "pow remainder subtract"
).split()


def _number(value: Any) -> Any:
    """A Python scalar; of a tensor or NumPy scalar, its value."""
    return value.item() if hasattr(value, "item") else value


# ---- indexing


def getitem(x: _Array, key: Any, /) -> _Array:
    """Indexing as a function."""
    return x[key]


_put = cp.ElementwiseKernel("T value, bool here", "T out", "if (here) out = value", "arraygrad_put")


def setitem(x: _Array, value: Any, key: Any, /) -> None:
    """CuPy writes +0.0 for -0.0, and copies within one array as if parts could not overlap.

    Where a mask selects, it counts, which waits for the GPU, also to write a single value.
    """
    if type(value) is array_type:
        if value.data.mem is x.data.mem:
            if _layout(x[key]) == _layout(value):
                return  # x[key] += ... has written it already
            value = value.copy()
    elif x.dtype.kind in "fc" and not value and _is_negative_zero(value):
        value = _scalar(value, x.dtype)
    elif type(value) is int and not 0 <= value < 128:
        value = True if x.dtype.kind == "b" else _fitting(value, x.dtype)
    if _is_mask(key, x) and not getattr(value, "ndim", 0):
        if type(value) is array_type:
            value = value.astype(x.dtype, copy=False)
        else:
            value = x.dtype.type(value)
        if key.data.mem is x.data.mem:
            key = key.copy()
        _put(value, key.reshape(key.shape + (1,) * (x.ndim - key.ndim)), x)
    else:
        x[key] = value


def _is_mask(key: Any, x: _Array) -> bool:
    return type(key) is array_type and key.dtype == bool and key.shape == x.shape[: key.ndim]


def _layout(x: _Array) -> tuple[Any, ...]:
    return x.data.ptr, x.shape, x.strides, x.dtype


def _is_negative_zero(value: Any) -> bool:
    z = complex(value)
    return math.copysign(1, z.real) < 0 or math.copysign(1, z.imag) < 0


# ---- creation

# A scalar's type does not choose a kernel's, so there is one for each.
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
    """CuPy casts `step` to the dtype: no falling ranges of unsigned ints, zeros for ints by 0.5.

    As in NumPy, a range of ints starts at int(start) and goes by int(start + step) - int(start).
    """
    if stop is None:
        start, stop = 0, start
    start, stop, step = _number(start), _number(stop), _number(step)
    whole = all(isinstance(v, int) for v in (start, stop, step))
    out_dtype = np.dtype(("int64" if whole else "float64") if dtype is None else dtype)
    size = -((start - stop) // step) if whole else math.ceil((stop - start) / step)
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
    """CuPy takes no int beyond 64 bits, of which floats are made, too."""
    if type(fill_value) is int and dtype is not None and np.dtype(dtype).kind in "fc":
        fill_value = float(fill_value)
    return cp.full(shape, fill_value, dtype)


def full_like(x: _Array, /, fill_value: Any, *, dtype: Any = None) -> _Array:
    """As `full`."""
    return full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype)


def where(condition: _Array, x1: Any, x2: Any, /) -> _Array:
    """As `full`."""
    if type(x1) is int and type(x2) is array_type and x2.dtype.kind in "fc":
        x1 = float(x1)
    elif type(x2) is int and type(x1) is array_type and x1.dtype.kind in "fc":
        x2 = float(x2)
    return cp.where(condition, x1, x2)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, endpoint: bool = True
) -> _Array:
    """CuPy knows no complex ends."""
    start, stop = _number(start), _number(stop)
    work = "complex128" if isinstance(start + stop, complex) else "float64"
    out_dtype = np.dtype(work if dtype is None else dtype)
    if work == "complex128" and out_dtype.kind != "c":
        raise TypeError(f"dtype {out_dtype} does not hold complex numbers")
    parts = num - 1 if endpoint else num
    step, scale = (stop - start) / (parts or 1), 1.0
    if not step:  # the step of a very short interval underflows
        step, scale = stop - start, float(parts or 1)
    out = cp.empty(num, work if out_dtype.kind in "biu" else out_dtype)
    last = num - 1 if endpoint and num > 1 else -1
    _linspace[work](start, step, stop, last, scale, out)
    return out if out.dtype == out_dtype else cp.floor(out).astype(out_dtype)


# ---- elementwise: special cases

_PREAMBLE = r"""
namespace arraygrad {

// -- integers; C++ leaves undefined the least one over -1, and shifts that are negative or too long

template <typename T> __device__ bool is_minus_one(T y) { return T(-1) < T(0) && y == T(-1); }

template <typename T> __device__ T int_floor_divide(T x, T y) {
  if (y == 0) return 0;
  if (is_minus_one(y)) return T(0ull - static_cast<unsigned long long>(x));
  T quotient = x / y;
  return quotient - (x % y != 0 && (x < 0) != (y < 0));
}

template <typename T> __device__ T int_remainder(T x, T y) {
  if (y == 0 || is_minus_one(y)) return 0;
  T rest = x % y;
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

template <typename T> __device__ bool is_within(T shift) {
  return static_cast<unsigned long long>(shift) < 8 * sizeof(T);
}

template <typename T> __device__ T left_shift(T x, T shift) {
  return is_within(shift) ? T(x << shift) : T(0);
}

template <typename T> __device__ T right_shift(T x, T shift) {
  return is_within(shift) ? T(x >> shift) : x < 0 ? T(-1) : T(0);
}

// -- real

template <typename T> __device__ T floor_divide(T x, T y) {
  if (y == 0) return x / y;
  if (isinf(x) != isinf(y)) return trunc(x / y);
  T rest = fmod(x, y);
  T quotient = (x - rest) / y;
  if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
  if (quotient == 0) return copysign(T(0), x / y);
  T rounded = floor(quotient);
  return quotient - rounded > T(0.5) ? rounded + 1 : rounded;
}

template <typename T> __device__ T remainder(T x, T y) {
  T rest = fmod(x, y);
  if (rest == 0) return copysign(T(0), y);
  return (rest < 0) != (y < 0) ? rest + y : rest;
}

__device__ inline int bits(float x) { return __float_as_int(x); }
__device__ inline long long bits(double x) { return __double_as_longlong(x); }
__device__ inline float from_bits(int x) { return __int_as_float(x); }
__device__ inline double from_bits(long long x) { return __longlong_as_double(x); }

template <typename T> __device__ T nextafter(T x, T y) {
  if (isnan(x) || isnan(y)) return x + y;
  // Integers in the order of the floats: both zeros are 0, negative numbers count down.
  const auto lowest = bits(T(-0.0));
  auto from = bits(x), to = bits(y);
  if (from < 0) from = lowest - from;
  if (to < 0) to = lowest - to;
  if (from == to) return y;
  from += from < to ? 1 : -1;
  if (from == 0) return copysign(T(0), x);
  return from_bits(from < 0 ? lowest - from : from);
}

// -- complex

template <typename T> __device__ complex<T> divide(const complex<T>& x, const complex<T>& y) {
  const T a = x.real(), b = x.imag(), c = y.real(), d = y.imag();
  if (c == 0 && d == 0) return complex<T>(a / fabs(c), b / fabs(c));
  if (fabs(c) >= fabs(d)) {
    const T ratio = d / c, scale = 1 / (c + d * ratio);
    return complex<T>((a + b * ratio) * scale, (b - a * ratio) * scale);
  }
  const T ratio = c / d, scale = 1 / (d + c * ratio);
  return complex<T>((a * ratio + b) * scale, (b * ratio - a) * scale);
}

template <typename T> __device__ complex<T> sign(const complex<T>& z) {
  T x = z.real(), y = z.imag();
  if (isnan(x) || isnan(y)) return complex<T>(x + y, x + y);
  if (isinf(x) && isinf(y)) return complex<T>(x - x, x - x);
  if (isinf(x)) return complex<T>(copysign(T(1), x), 0);
  if (isinf(y)) return complex<T>(0, copysign(T(1), y));
  const T larger = fmax(fabs(x), fabs(y));
  if (larger == 0) return complex<T>(0, 0);
  x /= larger;
  y /= larger;
  const T length = hypot(x, y);
  return complex<T>(x / length, y / length);
}

template <typename T> __device__ complex<T> complex_log(const complex<T>& z) {
  const T x = z.real(), y = z.imag();
  if (isinf(x) || isinf(y)) return complex<T>(isinf(x) ? fabs(x) : fabs(y), atan2(y, x));
  return log(z);
}

template <typename T> __device__ complex<T> scaled_log(const complex<T>& z, T scale) {
  const complex<T> w = complex_log(z);
  return complex<T>(w.real() * scale, w.imag() * scale);
}

__device__ inline float rounded_product(float x, float y) { return __fmul_rn(x, y); }
__device__ inline double rounded_product(double x, double y) { return __dmul_rn(x, y); }

template <typename T> __device__ T square(T x, T& lost) {
  const T result = rounded_product(x, x);
  lost = fma(x, x, -result);
  return result;
}

template <typename T> __device__ T sum(T x, T y, T& lost) {
  const T result = x + y, t = result - x;
  lost = (x - (result - t)) + (y - t);
  return result;
}

template <typename T> __device__ complex<T> complex_log1p(const complex<T>& z) {
  const T x = z.real(), y = z.imag(), angle = atan2(y, 1 + x);
  // Far out nothing cancels, and the squares would overflow; NaN goes this way too.
  if (!(fabs(x) < 4 && fabs(y) < 4))
    return complex<T>(complex_log(complex<T>(1 + x, y)).real(), angle);
  T xx_lost, yy_lost, first_lost, second_lost;
  const T xx = square(x, xx_lost), yy = square(y, yy_lost);
  const T first = sum(2 * x, xx, first_lost);
  const T second = sum(first, yy, second_lost);
  const T s = second + (first_lost + second_lost + xx_lost + yy_lost);
  // Farther in 1 + s cancels; 1 + x is exact there.
  if (!(s > T(-0.5))) return complex<T>(complex_log(complex<T>(1 + x, y)).real(), angle);
  return complex<T>(log1p(s) / 2, angle);
}

template <typename T> __device__ complex<T> complex_expm1(const complex<T>& z) {
  const T x = z.real(), y = z.imag();
  const complex<T> w = exp(z);
  const T half = sin(y / 2);
  const T near = expm1(x) * cos(y) - 2 * half * half;
  return complex<T>((isfinite(near) ? near : w.real() - 1) + T(0), w.imag());
}

template <typename T> __device__ complex<T> complex_acosh(const complex<T>& z) {
  if (z.real() == 0 && isnan(z.imag())) return complex<T>(z.imag(), T(M_PI / 2));
  return acosh(z);
}

template <typename T> __device__ complex<T> complex_tanh(const complex<T>& z) {
  const T x = z.real(), y = z.imag();
  if (isinf(x)) return complex<T>(copysign(T(1), x), copysign(T(0), y));
  if (x == 0 && !isfinite(y)) return complex<T>(x, y - y);
  return tanh(z);
}

}  // namespace arraygrad
"""

_INTEGERS = "b B h H i I l L q Q".split()


def _ufunc(name: str, doc: str, *loops: Any) -> Any:
    return create_ufunc(f"arraygrad_{name}", loops, preamble=_PREAMBLE, doc=doc)


def _loops(expression: str, *types: str) -> list[tuple[str, str]]:
    return [(t, f"out0 = {expression}") for t in types]


def _unary(name: str, expression: str, doc: str) -> Any:
    """A function of real and complex numbers, mended for the complex ones."""
    real = _loops(f"{name}(in0)", "f->f", "d->d")
    return _ufunc(name, doc, *real, *_loops(f"arraygrad::{expression}", "F->F", "D->D"))


def _logical(name: str, expression: str) -> Any:
    """A function of truth values; CuPy has none of complex numbers."""
    types = [f"{t}->?" for t in "? b B h H i I l L q Q f d F D".split()]
    if "in1" in expression:
        types = [t[0] + t for t in types]
    return _ufunc(name, "CuPy has none of complex numbers.", *_loops(expression, *types))


_UFUNCS = {
    **{
        name: _ufunc(
            name,
            "CuPy's has loops for complex numbers, too, which do not compile.",
            *_loops(f"{name}(in0, in1)", "ff->f", "dd->d"),
        )
        for name in ("atan2", "copysign", "hypot")
    },
    "logical_and": _logical("logical_and", "in0 != in0_type(0) && in1 != in1_type(0)"),
    "logical_not": _logical("logical_not", "in0 == in0_type(0)"),
    "logical_or": _logical("logical_or", "in0 != in0_type(0) || in1 != in1_type(0)"),
    "logical_xor": _logical("logical_xor", "(in0 != in0_type(0)) != (in1 != in1_type(0))"),
    "floor_divide": _ufunc(
        "floor_divide",
        "CuPy takes floor(x1 / x2), which rounds 1 / 0.1 up; the standard's infinities as is.",
        *_loops("arraygrad::int_floor_divide(in0, in1)", *(f"{t}{t}->{t}" for t in _INTEGERS)),
        *_loops("arraygrad::floor_divide(in0, in1)", "ff->f", "dd->d"),
    ),
    "remainder": _ufunc(
        "remainder",
        "CuPy's x1 - floor(x1 / x2) * x2 is NaN for an infinite x2, inexact, and signs no zeros.",
        *_loops("arraygrad::int_remainder(in0, in1)", *(f"{t}{t}->{t}" for t in _INTEGERS)),
        *_loops("arraygrad::remainder(in0, in1)", "ff->f", "dd->d"),
    ),
    **{
        f"bitwise_{name}": _ufunc(
            name,
            "CuPy's depends on the hardware where a shift is negative or as long as the dtype.",
            *_loops(f"arraygrad::{name}(in0, in1)", *(f"{t}{t}->{t}" for t in _INTEGERS)),
        )
        for name in ("left_shift", "right_shift")
    },
    "nextafter": _ufunc(
        "nextafter",
        "From zero to zero it is the second, and float32 steps through its subnormals.",
        *_loops("arraygrad::nextafter(in0, in1)", "ff->f", "dd->d"),
    ),
    "divide": _ufunc(
        "divide",
        "Complex: CuPy's overflows for large divisors and is NaN for a zero one (Smith, 1962).",
        *_loops("double(in0) / double(in1)", "qq->d", "qQ->d", "Qq->d", "QQ->d"),
        *_loops("in0 / in1", "ff->f", "dd->d"),
        *_loops("arraygrad::divide(in0, in1)", "FF->F", "DD->D"),
    ),
    "reciprocal": _ufunc(
        "reciprocal",
        "Complex: by the same division.",
        *_loops("in0 == 0 ? 0 : 1 / in0", *(f"{t}->{t}" for t in _INTEGERS)),
        *_loops("1 / in0", "f->f", "d->d"),
        *_loops("arraygrad::divide(in0_type(1), in0)", "F->F", "D->D"),
    ),
    "sign": _ufunc(
        "sign",
        "Complex: the division by abs overflows; array_api_compat's NaNs wait for the GPU.",
        *_loops("(in0 > 0) - (in0 < 0)", *(f"{t}->{t}" for t in _INTEGERS)),
        *_loops("in0 > 0 ? 1 : in0 < 0 ? -1 : in0 - in0", "f->f", "d->d"),
        *_loops("arraygrad::sign(in0)", "F->F", "D->D"),
    ),
    "log": _unary(
        "log", "complex_log(in0)", "Complex: an infinite component beats a NaN in the other."
    ),
    "log2": _unary(
        "log2",
        "scaled_log(in0, in0_type::value_type(1.4426950408889634))",
        "Complex: as log; CuPy divides by a complex number, which turns infinities into NaN.",
    ),
    "log10": _unary(
        "log10",
        "scaled_log(in0, in0_type::value_type(0.4342944819032518))",
        "Complex: as log.",
    ),
    "log1p": _unary(
        "log1p",
        "complex_log1p(in0)",
        "Complex: CuPy takes log(1 + x). Here log1p(2x + x² + y²) / 2, the sum free of errors "
        "(Knuth, TAOCP vol. 2, 4.2.2), as its terms may cancel.",
    ),
    "expm1": _unary(
        "expm1",
        "complex_expm1(in0)",
        "Complex: CuPy takes exp(x) - 1, which loses a small real part.",
    ),
    "acosh": _unary(
        "acosh", "complex_acosh(in0)", "Complex: of 0 + NaN j the imaginary part is ±π/2."
    ),
    "tanh": _unary(
        "tanh",
        "complex_tanh(in0)",
        "Complex: NaN at 0 + inf j and 0 + NaN j is imaginary only; far out the imaginary part "
        "is a zero of the argument's sign.",
    ),
}


def sign(x: _Array, /) -> _Array:
    """CuPy reads bools as small integers."""
    if x.dtype.kind == "b":
        raise TypeError("a bool has no sign")
    return _UFUNCS["sign"](x)


def pow(x1: Any, x2: Any, /) -> _Array:
    """An integer to a negative power is 0 or garbage in CuPy.

    Negative exponents in an array are, here, too: to find them would wait for the GPU.
    """
    if type(x2) is int:
        if x2 == 2 and x1.dtype.kind == "b":
            return cp.square(x1)  # of NumPy's dtype
        _check_power(x1, x2)
    return cp.power(x1, x2)


def ipow(x1: _Array, x2: Any, /) -> None:
    """As `pow`."""
    if type(x2) is int and x1.dtype.kind != "b":  # of which CuPy says that it cannot be
        _check_power(x1, x2)
    x1 **= x2


def _check_power(x: _Array, n: int) -> None:
    if n < 0 and x.size and x.dtype.kind in "biu":
        raise ValueError("Integers to negative integer powers are not allowed.")


def clip(x: _Array, /, min: Any = None, max: Any = None) -> _Array:
    """CuPy's promotes the dtype and ignores NaN bounds; array_api_compat's waits for the GPU."""
    y = x
    if min is not None:
        y = cp.maximum(y, _bound(min, x.dtype))
    if max is not None:
        y = cp.minimum(y, _bound(max, x.dtype))
    return x.copy() if y is x else y.astype(x.dtype, copy=False)


def _bound(bound: Any, dtype: Any) -> Any:
    """A bound of `clip` as an integer of the dtype; out of its range, the end of that range."""
    if dtype.kind not in "iu":
        return bound
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    if isinstance(bound, (int, float)) and bound == bound:
        return low if bound < low else high if bound > high else int(bound)
    if type(bound) is array_type and bound.dtype.kind in "iu" and bound.dtype != dtype:
        own = np.iinfo(bound.dtype)
        low, high = sorted((low, high, int(own.min), int(own.max)))[1:3]
        return cp.minimum(cp.maximum(bound, low), high).astype(dtype)
    return bound


def round(x: _Array, /) -> _Array:
    """CuPy gives bools as half-precision numbers, which the standard lacks."""
    return x.round() if x.dtype.kind != "b" else x.astype("float64")


# ---- in place


def itruediv(x1: _Array, x2: Any, /) -> None:
    """In place, with `divide`'s special cases."""
    _UFUNCS["divide"](x1, x2, x1)


def ifloordiv(x1: _Array, x2: Any, /) -> None:
    """In place, with `floor_divide`'s special cases."""
    _UFUNCS["floor_divide"](x1, x2, x1)


def imod(x1: _Array, x2: Any, /) -> None:
    """In place, with `remainder`'s special cases."""
    _UFUNCS["remainder"](x1, x2, x1)


def ilshift(x1: _Array, x2: Any, /) -> None:
    """In place, with the same meaning of long shifts."""
    _UFUNCS["bitwise_left_shift"](x1, x2, x1)


def irshift(x1: _Array, x2: Any, /) -> None:
    """In place, with the same meaning of long shifts."""
    _UFUNCS["bitwise_right_shift"](x1, x2, x1)


def imatmul(x1: _Array, x2: _Array, /) -> None:
    """CuPy's operator makes a new array."""
    result = matmul(x1, x2)
    if result.shape != x1.shape:
        raise ValueError(f"a product of shape {result.shape} does not fit into {x1.shape}")
    cp.copyto(x1, result)


# ---- reductions

_EXTREME = r"""
template <typename T> struct Extreme {
  T value;
  IndexT index;
  __device__ Extreme() : index(-1) {}
  __device__ Extreme(T v, IndexT i) : value(v), index(i) {}
};

template <bool largest, typename T>
__device__ Extreme<T> extreme(const Extreme<T>& a, const Extreme<T>& b) {
  if (a.index < 0) return b;
  if (b.index < 0) return a;
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  const bool a_first = a.index < b.index;
  bool take_a;
  if (a_nan || b_nan) take_a = a_nan && (!b_nan || a_first);
  else if (a.value == b.value) take_a = a_first;
  else take_a = largest ? a.value > b.value : a.value < b.value;
  return take_a ? a : b;
}
"""


def _extreme(name: str, largest: str, result: str) -> Any:
    """A reduction to the first of the extreme elements; a NaN is more extreme than all others.

    CuPy hands these to CUB, which for complex numbers and positions starts from a finite number,
    so that an array of infinities has a finite extreme or none, and which of several NaNs is the
    first one is left to luck.
    """
    types = "? b B h H i I l L q Q f d F D".split()
    index = result == "index"
    return create_reduction_func(
        f"arraygrad_{name}",
        tuple(f"{t}->{index_dtype.char if index else t}" for t in types),
        (
            "Extreme<type_in0_raw>(in0, _J)",
            f"extreme<{largest}>(a, b)",
            f"out0 = a.{result}",
            "Extreme<type_in0_raw>",
        ),
        None,
        _EXTREME,
        sort_reduce_axis=not index,
    )


_max, _min = _extreme("max", "true", "value"), _extreme("min", "false", "value")
_argmax, _argmin = _extreme("argmax", "true", "index"), _extreme("argmin", "false", "index")


def _check_extreme(x: _Array, axis: Any) -> None:
    """Raise where NumPy does: CuPy gives no elements if there are no places for them."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if not math.prod(x.shape[a] for a in axes):
        raise ValueError("there is no extreme element where there are no elements")


def max(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> _Array:
    """CuPy's is CUB's (see `_extreme`)."""
    if not x.size:
        _check_extreme(x, axis)
    return _max(x, axis=axis, keepdims=keepdims)


def min(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> _Array:
    """As `max`."""
    if not x.size:
        _check_extreme(x, axis)
    return _min(x, axis=axis, keepdims=keepdims)


def argmax(x: _Array, /, *, axis: int | None = None, keepdims: bool = False) -> _Array:
    """As `max`; and CuPy takes several axes."""
    axis = None if axis is None else operator.index(axis)
    if not x.size:
        _check_extreme(x, axis)
    return _argmax(x, axis=axis, keepdims=keepdims)


def argmin(x: _Array, /, *, axis: int | None = None, keepdims: bool = False) -> _Array:
    """As `argmax`."""
    axis = None if axis is None else operator.index(axis)
    if not x.size:
        _check_extreme(x, axis)
    return _argmin(x, axis=axis, keepdims=keepdims)


def std(x: _Array, /, *, axis: Any = None, correction: Any = 0.0, keepdims: bool = False) -> _Array:
    """The method skips array_api_compat's layers; it has an IndexError for a wrong axis."""
    axis = None if axis is None else normalize_axis_tuple(axis, x.ndim)
    return x.std(axis=axis, ddof=correction, keepdims=keepdims)


def var(x: _Array, /, *, axis: Any = None, correction: Any = 0.0, keepdims: bool = False) -> _Array:
    """As `std`."""
    axis = None if axis is None else normalize_axis_tuple(axis, x.ndim)
    return x.var(axis=axis, ddof=correction, keepdims=keepdims)


def _cumulative(
    function: Callable[..., _Array],
    initial: int,
    x: _Array,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
) -> _Array:
    """CuPy 14.0 has neither the name nor the initial element."""
    if axis is None:
        if x.ndim > 1:
            raise ValueError(f"axis must be given for {x.ndim} axes")
        axis = 0
    out = function(cp.atleast_1d(x), axis, dtype)
    if include_initial:
        shape = [*out.shape]
        shape[axis] = 1
        out = cp.concatenate([cp.full(shape, initial, out.dtype), out], axis)
    return out


def searchsorted(
    x1: _Array, x2: Any, /, *, side: str = "left", sorter: _Array | None = None
) -> _Array:
    """CuPy compares mixed dtypes as C++ does (-1 > 1u), and copies scalars from the host."""
    x1, x2 = _as_arrays(x1, x2)
    return cp.searchsorted(x1, x2, side, sorter)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> _Array:
    """CuPy compares mixed dtypes as C++ does, and takes no scalars."""
    x1, x2 = _as_arrays(x1, x2)
    return cp.isin(x1, x2, invert=invert)


def unique_all(x: _Array, /) -> tuple[_Array, _Array, _Array, _Array]:
    """CuPy waits three times to find out how many there are."""
    flat = x.ravel()
    order = flat.argsort()
    ordered = flat[order]
    first, starts = _first_of_each(ordered)
    inverse = cp.empty_like(order)
    inverse[order] = cp.cumsum(first) - 1
    values, counts = ordered[starts], _lengths(starts, x.size)
    return values, order[starts], inverse.reshape(x.shape), counts


def unique_counts(x: _Array, /) -> tuple[_Array, _Array]:
    """CuPy waits twice."""
    ordered = cp.sort(x.ravel())
    _, starts = _first_of_each(ordered)
    return ordered[starts], _lengths(starts, x.size)


def _first_of_each(ordered: _Array) -> tuple[_Array, _Array]:
    """Which elements differ from the one before, and where they are: waits for the GPU."""
    first = cp.ones(ordered.shape, dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return first, cp.nonzero(first)[0]


def _lengths(starts: _Array, end: int) -> _Array:
    """How far it is from each start to the next one, from the last one to `end`."""
    out = cp.empty_like(starts)
    out[:-1] = starts[1:] - starts[:-1]
    out[-1:] = end - starts[-1:]
    return out


# ---- manipulation


def permute_dims(x: _Array, /, axes: tuple[int, ...]) -> _Array:
    """The method; `axes` must name every axis."""
    if len(axes) != x.ndim:
        raise ValueError(f"axes must name each of the {x.ndim} axes; got {axes}")
    return x.transpose(axes)


def reshape(x: _Array, /, shape: Any, *, copy: bool | None = None) -> _Array:
    """The method, which knows `copy` from CuPy 14.1 on."""
    out = x.reshape(shape)
    if copy is None:
        return out
    shares = out.data.mem is x.data.mem
    if copy:
        return out.copy() if shares else out
    if not shares and x.size:
        raise ValueError("the elements cannot be in that order without a copy")
    return out


def astype(x: _Array, dtype: Any, /, *, copy: bool = True) -> _Array:
    """The method itself."""
    return x.astype(dtype, copy=copy)


#: How many arrays CuPy joins without their addresses in an array of its own.
_AT_ONCE = 8


def concat(arrays: Any, /, *, axis: int | None = 0) -> _Array:
    """CuPy copies the addresses of many arrays from the host, which no CUDA graph can capture."""
    if axis is not None and not arrays[0].ndim:
        raise ValueError("arrays of no axes have none to join along")
    while _are_too_many(arrays):
        parts = range(0, len(arrays), _AT_ONCE)
        arrays = [cp.concatenate(arrays[i : i + _AT_ONCE], axis) for i in parts]
    return cp.concatenate(arrays, axis)


def stack(arrays: Any, /, *, axis: int = 0) -> _Array:
    """As `concat`."""
    if _are_too_many(arrays):
        return concat([cp.expand_dims(x, axis) for x in arrays], axis=axis)
    return cp.stack(arrays, axis)


def _are_too_many(arrays: Any) -> bool:
    return len(arrays) > _AT_ONCE and cp.cuda.get_current_stream().is_capturing()


def unstack(x: _Array, /, *, axis: int = 0) -> tuple[_Array, ...]:
    """CuPy lacks it."""
    if not x.ndim:
        raise ValueError("the tensor has no axis to unstack")
    x = cp.moveaxis(x, axis, 0)
    return tuple([x[i] for i in range(x.shape[0])])


def repeat(x: _Array, repeats: Any, /, *, axis: int | None = None) -> _Array:
    """An array of repeats is new in CuPy 14.1. The shape is in its values: waits for the GPU."""
    if type(repeats) is not array_type or repeats.size == 1:
        return x.repeat(_number(repeats), axis)
    if axis is None:
        x, axis = x.ravel(), 0
    if repeats.shape != x.shape[axis : axis + 1 or None]:
        raise ValueError(f"repeats must be one per element of axis {axis} of {x.shape}")
    if repeats.size == 0:
        return x.copy()
    repeats = repeats.astype("int64", copy=False)
    ends = cp.cumsum(repeats)
    total, least = (int(n) for n in cp.stack([ends[-1], _min(repeats)]).get())
    if least < 0:
        raise ValueError(f"repeats must not be negative; got {least}")
    return x.take(cp.searchsorted(ends, cp.arange(total), "right"), axis)


def take(x: _Array, indices: _Array, /, *, axis: int | None = None) -> _Array:
    """The method."""
    return x.take(indices, axis)


def matrix_transpose(x: _Array, /) -> _Array:
    """CuPy 14.0 lacks it."""
    if x.ndim < 2:
        raise ValueError(f"a matrix has at least two axes; got {x.ndim}")
    return x.swapaxes(-1, -2)


def sort(x: _Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> _Array:
    """CuPy sorts stably. Flipped on both sides, equal elements keep their order descending, too."""
    if not x.size:
        return x.copy()  # CuPy 14.0 divides by its size
    return cp.flip(cp.sort(cp.flip(x, axis), axis), axis) if descending else cp.sort(x, axis)


def argsort(
    x: _Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> _Array:
    """As `sort`; CuPy lacks the descending order."""
    if not descending:
        return x.argsort(axis)
    return x.shape[axis] - 1 - cp.flip(cp.flip(x, axis).argsort(axis), axis)


# ---- products

_product = cp.ReductionKernel(
    "T x, T y", "T out", "x * y", "a + b", "out = a", "0", "arraygrad_product"
)


def matmul(x1: _Array, x2: _Array, /) -> _Array:
    """CuPy calls no cuBLAS while a graph is captured; there the products are summed up."""
    try:
        return cp.matmul(x1, x2)
    except NotImplementedError:
        return _captured_matmul(x1, x2)


def _captured_matmul(x1: _Array, x2: _Array) -> _Array:
    dtype = np.result_type(x1.dtype, x2.dtype)
    x1, x2 = x1.astype(dtype, copy=False), x2.astype(dtype, copy=False)
    rows = x1[None] if x1.ndim == 1 else x1
    columns = x2[:, None] if x2.ndim == 1 else x2
    out = _product(rows[..., None], columns[..., None, :, :], axis=-2)
    if x1.ndim == 1:
        out = out[..., 0, :]
    return out[..., 0] if x2.ndim == 1 else out


def tensordot(x1: _Array, x2: _Array, /, *, axes: Any = 2) -> _Array:
    """CuPy takes empty lists of axes for some axes; in a captured graph as `matmul`."""
    if not isinstance(axes, int):
        first, second = axes
        axes = (tuple(first), tuple(second))
    try:
        return cp.tensordot(x1, x2, axes)
    except NotImplementedError:
        return _captured_tensordot(x1, x2, axes)


def _captured_tensordot(x1: _Array, x2: _Array, axes: Any) -> _Array:
    if isinstance(axes, int):
        axes = tuple(range(x1.ndim - axes, x1.ndim)), tuple(range(axes))
    first, second = ([a % x.ndim for a in own] for x, own in zip((x1, x2), axes, strict=True))
    left = [a for a in range(x1.ndim) if a not in first]
    right = [a for a in range(x2.ndim) if a not in second]
    m, k, n = (
        math.prod(x.shape[a] for a in own) for x, own in ((x1, left), (x1, first), (x2, right))
    )
    out = _captured_matmul(
        x1.transpose(left + first).reshape(m, k), x2.transpose(second + right).reshape(k, n)
    )
    return out.reshape([x1.shape[a] for a in left] + [x2.shape[a] for a in right])


def vecdot(x1: _Array, x2: _Array, /, *, axis: int = -1) -> _Array:
    """CuPy lacks it."""
    x1 = cp.moveaxis(x1, axis, -1)
    if x1.dtype.kind == "c":  # (bools are numbers to CuPy's conj)
        x1 = cp.conj(x1)
    return matmul(x1[..., None, :], cp.moveaxis(x2, axis, -1)[..., None])[..., 0, 0]


# ---- linear algebra

_SUM_OF_SQUARES = create_reduction_func(
    "arraygrad_norm",
    (
        *("f->f", "d->d"),
        ("F->f", ("in0.real() * in0.real() + in0.imag() * in0.imag()", None, None, None)),
        ("D->d", ("in0.real() * in0.real() + in0.imag() * in0.imag()", None, None, None)),
    ),
    ("in0 * in0", "a + b", "out0 = sqrt(a)", None),
    0,
)


def _floating(x: _Array) -> _Array:
    return x if x.dtype.kind in "fc" else x.astype("float64")


def vector_norm(
    x: _Array, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> _Array:
    """CuPy norms at most one axis, or two as a matrix."""
    x = _floating(x)
    if ord == 2:
        return _SUM_OF_SQUARES(x, axis=axis, keepdims=keepdims)
    if ord == 0:
        return cp.sum(x != 0, axis=axis, dtype=x.real.dtype, keepdims=keepdims)
    size = cp.abs(x)
    if abs(ord) == math.inf and (size.size or ord < 0):
        return (max if ord > 0 else min)(size, axis=axis, keepdims=keepdims)
    if ord == 1 or ord == math.inf:  # the largest of none is their sum, 0
        return cp.sum(size, axis=axis, keepdims=keepdims)
    return cp.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def matrix_norm(x: _Array, /, *, keepdims: bool = False, ord: Any = "fro") -> _Array:
    """CuPy's maxima and minima are CUB's, wrong for infinities."""
    x = _floating(_stack(x))
    if ord in ("fro", None):
        return _SUM_OF_SQUARES(x, axis=(-2, -1), keepdims=keepdims)
    if not x.size and ord in ("nuc", 1, 2, math.inf):
        return cp.sum(cp.abs(x), axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        values = cp.linalg.svd(x, compute_uv=False)
        out = cp.sum(values, axis=-1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    elif ord in (1, -1, math.inf, -math.inf):
        sums = cp.sum(cp.abs(x), axis=-2 if abs(ord) == 1 else -1)
        out = (max if ord > 0 else min)(sums, axis=-1)
    else:
        raise ValueError(f"ord must be 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc'; got {ord!r}")
    return out[..., None, None] if keepdims else out


def _singular_values_to_keep(values: _Array, shape: tuple[int, ...], rtol: Any) -> _Array:
    if rtol is None:
        rtol = builtins.max(shape[-2:]) * float(np.finfo(values.dtype).eps)
    elif type(rtol) is array_type:
        rtol = rtol[..., None]
    return values > values[..., :1] * rtol  # the first is the largest


def matrix_rank(x: _Array, /, *, rtol: Any = None) -> _Array:
    """CuPy's tolerance is absolute, and its maximum has no value for empty matrices."""
    values = cp.linalg.svd(_stack(x), compute_uv=False)
    return cp.count_nonzero(_singular_values_to_keep(values, x.shape, rtol), axis=-1)


def pinv(x: _Array, /, *, rtol: Any = None) -> _Array:
    """CuPy has another default tolerance, and its maximum is CUB's."""
    u, values, vh = cp.linalg.svd(_stack(x), full_matrices=False)
    keep = _singular_values_to_keep(values, x.shape, rtol)
    inverse = cp.where(keep, 1 / values, values.dtype.type(0))
    return cp.matmul(vh.swapaxes(-1, -2).conj() * inverse[..., None, :], u.swapaxes(-1, -2).conj())


def _stack(x: _Array) -> _Array:
    if x.ndim < 2:
        raise ValueError(f"a matrix has at least two axes; got {x.ndim}")
    return x


def cholesky(x: _Array, /, *, upper: bool = False) -> _Array:
    """CuPy knows no `upper`. A matrix that is not positive definite raises no error."""
    lower = cp.linalg.cholesky(x)
    return lower.swapaxes(-1, -2).conj() if upper else lower


def solve(x1: _Array, x2: _Array, /) -> _Array:
    """CuPy does not broadcast the stacks. A singular matrix raises no error."""
    vector = x2.ndim == 1
    if vector:
        x2 = x2[:, None]
    if x1.ndim < 2 or x1.shape[-1] != x1.shape[-2] or x2.shape[-2:-1] != x1.shape[-1:]:
        raise ValueError(f"shapes {x1.shape} and {x2.shape} are no system of equations")
    stack = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x2 = cp.broadcast_to(x2, stack + x2.shape[-2:])
    if x2.size:
        out = cp.linalg.solve(cp.broadcast_to(x1, stack + x1.shape[-2:]), x2)
    else:
        dtypes = [x.dtype if x.dtype.kind in "fc" else np.dtype("float64") for x in (x1, x2)]
        out = cp.empty(x2.shape, np.result_type(*dtypes))
    return out[..., 0] if vector else out


def eig(x: _Array, /) -> tuple[_Array, _Array]:
    """Of an empty stack, CuPy gives real arrays for real matrices."""
    if x.size:
        return cp.linalg.eig(x)
    if _stack(x).shape[-1] != x.shape[-2]:
        raise ValueError(f"expected square matrices; got shape {x.shape}")
    dtype = np.result_type(x.dtype, np.complex64)
    return cp.empty(x.shape[:-1], dtype), cp.empty(x.shape, dtype)


def eigvals(x: _Array, /) -> _Array:
    """Of an empty stack, CuPy gives a real array for real matrices."""
    return cp.linalg.eigvals(x) if x.size else eig(x)[0]


def matrix_power(x: _Array, n: int, /) -> _Array:
    """The first power is no view."""
    return cp.linalg.matrix_power(x, n) if n != 1 else x.copy()


def cross(x1: _Array, x2: _Array, /, *, axis: int = -1) -> _Array:
    """CuPy's function for the standard does not broadcast; its older one takes two components."""
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(f"axis {axis} must have size 3; got shapes {x1.shape} and {x2.shape}")
    return cp.cross(x1, x2, axis=axis)


def outer(x1: _Array, x2: _Array, /) -> _Array:
    """CuPy flattens."""
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"expected vectors; got shapes {x1.shape} and {x2.shape}")
    return cp.multiply(x1[:, None], x2)


def svdvals(x: _Array, /) -> _Array:
    """CuPy has it as a parameter of svd."""
    return cp.linalg.svd(x, compute_uv=False)


# ---- Fourier transforms


def _checked_size(n: int) -> int:
    if n < 1:
        raise ValueError(f"a transform of {n} points")
    return n


def _check_real(name: str, x: _Array) -> None:
    if name in _OF_REAL and x.dtype.kind == "c":
        raise TypeError("it transforms real numbers, not complex ones")


_OF_REAL = frozenset({"rfft", "rfftn", "ihfft"})
_TO_REAL = frozenset({"irfft", "irfftn", "hfft"})


def _of_one_axis(name: str) -> Callable[..., _Array]:
    function = getattr(cp.fft, name)

    def transform(
        x: _Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward"
    ) -> _Array:
        """CuPy knows no wrong axis or size (but cuFFT), and drops imaginary parts."""
        axis = normalize_axis_index(axis, x.ndim)
        if n is None:
            n = x.shape[axis]
            n = 2 * (n - 1) if name in _TO_REAL else n
        _checked_size(n)
        _check_real(name, x)
        return function(x, n, axis, norm)

    return transform


def _of_some_axes(name: str) -> Callable[..., _Array]:
    function = getattr(cp.fft, name)

    def transform(
        x: _Array, /, *, s: Any = None, axes: Any = None, norm: str = "backward"
    ) -> _Array:
        """CuPy knows no -1 in `s`, no axis twice, and no stack of none."""
        if axes is None:
            axes = range(-(x.ndim if s is None else len(s)), 0)
        axes = normalize_axis_tuple(axes, x.ndim, allow_duplicate=True)
        if s is None:
            sizes = [x.shape[a] for a in axes]
            if name in _TO_REAL and sizes:
                sizes[-1] = 2 * (sizes[-1] - 1)
        else:
            sizes = [x.shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True)]
        for n in sizes:
            _checked_size(n)
        _check_real(name, x)
        if x.size and len({*axes}) == len(axes):
            return function(x, sizes, axes, norm)  # (a list: CuPy passes over some tuples)
        if not axes and name in (*_OF_REAL, *_TO_REAL):
            raise ValueError("there is no axis to transform")
        return _one_after_another(name, x, sizes, axes, norm)

    return transform


def _one_after_another(
    name: str, x: _Array, sizes: list[int], axes: tuple[int, ...], norm: str
) -> _Array:
    """A transform of several axes by those of one, in NumPy's order."""
    rest = list(zip(sizes, axes, strict=True))
    real = rest.pop() if name in (*_OF_REAL, *_TO_REAL) else None
    plain = cp.fft.ifft if name.startswith("i") else cp.fft.fft
    if name == "irfftn":
        rest.reverse()
    if real and name == "rfftn":
        x = cp.fft.rfft(x, *real, norm)
    for n, axis in reversed(rest):
        x = plain(x, n, axis, norm)
    return cp.fft.irfft(x, *real, norm) if real and name == "irfftn" else x


# ---- special functions: those that CuPy lacks, by those that it has


def _betaincc(a: Any, b: Any, x: Any, /) -> _Array:
    """By symmetry. Digits of a small result are lost where 1 - x is rounded."""
    return _cupyx("betainc")(b, a, 1 - x)


def _betainccinv(a: Any, b: Any, y: Any, /) -> _Array:
    """By symmetry."""
    return 1 - _cupyx("betaincinv")(b, a, y)


def _ellipe(m: Any, /) -> _Array:
    """The incomplete integral up to a right angle."""
    return _cupyx("ellipeinc")(cp.asarray(math.pi / 2, dtype=m.dtype), m)


def _stdtr(df: Any, t: Any, /) -> _Array:
    """By the incomplete beta function, of whichever argument is not near 1."""
    s = t * t
    central = 0.5 + cp.copysign(_cupyx("betainc")(0.5, df / 2, s / (df + s)) / 2, t)
    tail = _cupyx("betainc")(df / 2, 0.5, df / (df + s)) / 2
    y = cp.where(s < df, central, cp.where(t < 0, tail, 1 - tail))
    y = cp.where(cp.isinf(t), (t > 0).astype(y.dtype), y)
    return cp.where(cp.isinf(df), _cupyx("ndtr")(t), y)


def _stdtrit(df: Any, p: Any, /) -> _Array:
    """By the inverse of the same."""
    inverse = _cupyx("betaincinv")
    middle = inverse(0.5, df / 2, cp.abs(1 - 2 * p))
    tail = inverse(df / 2, 0.5, 2 * cp.minimum(p, 1 - p))
    s = cp.where(cp.abs(p - 0.5) < 0.25, middle / (1 - middle), (1 - tail) / tail)
    t = cp.copysign(cp.sqrt(df * s), p - 0.5)
    return cp.where(cp.isinf(df), _cupyx("ndtri")(p), t)


def _yn(n: Any, x: Any, /) -> _Array:
    """CuPy has it in double precision alone."""
    dtype = cp.result_type(n, x)
    if dtype.kind == "c":
        raise TypeError("complex numbers are not supported")
    return _cupyx("yn")(n.astype("f8"), x.astype("f8")).astype(dtype, copy=False)


_bessel_tail = cp.ElementwiseKernel(
    "T x, float64 mu, float64 sign",
    "T out",
    """
    double term = 1, sum = 1;
    for (int k = 1; k <= 15; ++k) {
      term *= sign * (mu - (2 * k - 1) * (2 * k - 1)) / (8.0 * k * x);
      sum += term;
    }
    out = sum / sqrt(double(x));
    """,
    "arraygrad_bessel_tail",
)


def _scaled_bessel(name: str) -> Callable[..., _Array]:
    order, first = int(name[1]), name[0] == "i"
    scale = math.sqrt(0.5 / math.pi if first else math.pi / 2)

    def scaled(x: Any, /) -> _Array:
        """CuPy's is a product of infinity and 0 far out; there by the series of DLMF 10.40."""
        size = cp.abs(x) if first else x
        tail = _bessel_tail(size, 4.0 * order, -1.0 if first else 1.0) * scale
        if name == "i1e":
            tail = cp.copysign(tail, x)
        return cp.where(size < 30, _cupyx(name)(x), tail)

    return scaled


def _below_infinity(name: str) -> Callable[..., _Array]:
    def whole(x: Any, /) -> _Array:
        """CuPy's expi and exprel are NaN for infinity, and exprel is 1 for NaN."""
        return cp.where(x < math.inf, _cupyx(name)(x), x)

    return whole


def _zeta(x: Any, q: Any, /) -> _Array:
    """CuPy has no function of one argument, but zetac."""
    return 1 + _cupyx("zetac")(x) if q is None else _cupyx("zeta")(x, q)


_SPECIAL: dict[str, Callable[..., Any]] = {
    "betaincc": _betaincc,
    "betainccinv": _betainccinv,
    "ellipe": _ellipe,
    "stdtr": _stdtr,
    "stdtrit": _stdtrit,
    "yn": _yn,
    "zeta": _zeta,
    **{name: _below_infinity(name) for name in ("expi", "exprel")},
    **{name: _scaled_bessel(name) for name in ("i0e", "i1e", "k0e", "k1e")},
}


def _cupyx(name: str) -> Any:
    import cupyx.scipy.special

    return getattr(cupyx.scipy.special, name)


def _special_function(name: str) -> Callable[..., Any]:
    """The function that CuPy has by that name, or what stands for it."""
    try:
        return partial(_special.of_arrays, cp, _SPECIAL.get(name) or _cupyx(name))
    except AttributeError:
        raise TransferError(
            "CuPy lacks it, so it cannot be computed on a GPU; on the CPU it can: "
            f'arraygrad.special.{name}(x.to_device("cpu")).to_device(x.device)'
        ) from None


# ---- random numbers

_PHILOX = r"""
namespace arraygrad {

// Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011): four words
// for each place, attempt and key of three words.
struct Words {
  unsigned int w[4];
  __device__ unsigned long long pair(int i) const {
    return static_cast<unsigned long long>(w[i + 1]) << 32 | w[i];
  }
};

__device__ inline Words philox(unsigned long long place, unsigned int attempt, unsigned int k0,
                               unsigned int k1, unsigned int k2) {
  unsigned int c0 = static_cast<unsigned int>(place);
  unsigned int c1 = static_cast<unsigned int>(place >> 32);
  unsigned int c2 = attempt, c3 = k2;
  for (int round = 0; round < 10; ++round) {
    const unsigned long long a = 0xD2511F53ull * c0, b = 0xCD9E8D57ull * c2;
    c0 = static_cast<unsigned int>(b >> 32) ^ c1 ^ k0;
    c1 = static_cast<unsigned int>(b);
    c2 = static_cast<unsigned int>(a >> 32) ^ c3 ^ k1;
    c3 = static_cast<unsigned int>(a);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return Words{{c0, c1, c2, c3}};
}

// From 0, to 1 exclusive.
__device__ inline void uniform(const Words& x, float& out) { out = (x.w[0] >> 8) * 0x1p-24f; }
__device__ inline void uniform(const Words& x, double& out) { out = (x.pair(0) >> 11) * 0x1p-53; }

// From 0 exclusive, to 1.
__device__ inline void positive(const Words& x, float& out) { out = (x.w[0] + 0.5f) * 0x1p-32f; }
__device__ inline void positive(const Words& x, double& out) {
  out = ((x.pair(0) >> 11) + 0.5) * 0x1p-53;
}

__device__ inline void angle(const Words& x, float& out) {
  out = x.w[2] * (6.2831853071795865f * 0x1p-32f);
}
__device__ inline void angle(const Words& x, double& out) {
  out = (x.pair(2) >> 11) * (6.283185307179586 * 0x1p-53);
}

template <typename T> __device__ T random(const Words& x) {
  T u;
  uniform(x, u);
  return u;
}

template <typename T> __device__ T standard_exponential(const Words& x) {
  T u;
  positive(x, u);
  return T(0) - log(u);
}

// Box and Muller, 1958.
template <typename T> __device__ T standard_normal(const Words& x) {
  T u, turn;
  positive(x, u);
  angle(x, turn);
  return sqrt(T(-2) * log(u)) * cos(turn);
}

}  // namespace arraygrad
"""

_KEY = "raw uint64 position, uint32 k0, uint32 k1, uint32 k2"
_floats = {
    name: cp.ElementwiseKernel(
        _KEY,
        "T out",
        f"out = arraygrad::{name}<T>(arraygrad::philox(position[0] + i, 0, k0, k1, k2))",
        f"arraygrad_{name}",
        preamble=_PHILOX,
    )
    for name in ("random", "standard_exponential", "standard_normal")
}
_ints = cp.ElementwiseKernel(
    f"{_KEY}, uint64 mask, uint64 span, uint64 low",
    "T out",
    """
    unsigned int attempt = 0;
    unsigned long long x;
    do {
      x = arraygrad::philox(position[0] + i, attempt++, k0, k1, k2).pair(0) & mask;
    } while (x > span);
    out = T(x + low);
    """,
    "arraygrad_integers",
    preamble=_PHILOX,
)


class _Generator:
    """A key of 96 bits, and on the GPU, where a captured graph counts, too, the next place.

    CuPy's generators have states for all threads of a GPU (8 MiB for 2**17), which it fills from
    32 bits of a seed. Here each number is a function of the key and its place, so there is nothing
    to fill, and the GPU has no say in the numbers.
    """

    def __init__(self, seed_seq: Any, position: int = 0) -> None:
        self.seed_seq = seed_seq
        self.key = tuple(seed_seq.generate_state(3, np.uint32))
        self.position = cp.full(1, np.uint64(position))

    def draw(self, kernel: Any, size: Any, dtype: Any, *parameters: Any) -> _Array:
        """An array of new numbers."""
        out = cp.empty(size, dtype)
        kernel(self.position, *self.key, *parameters, out)
        self.position += out.size
        return out


def _default_rng(seed: Any) -> _Generator:
    return _Generator(
        seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    )


_PHILOX_NAME = "Philox4x32"


def _rng_state(rng: _Generator) -> dict[str, Any]:
    position = int(rng.position.get()[0])
    seed = _random.seed_state(rng)
    return {"bit_generator": _PHILOX_NAME, "position": position, "seed_seq": seed}


def _restored_rng(state: dict[str, Any]) -> _Generator:
    if state["bit_generator"] != _PHILOX_NAME:
        raise ValueError(f"a state of {state['bit_generator']}")
    return _Generator(_random.seed_sequence(state["seed_seq"]), state["position"])


def _spawn(rng: _Generator, n: int) -> list[_Generator]:
    return [_Generator(child) for child in rng.seed_seq.spawn(n)]


def _drawn(name: str) -> Callable[..., _Array]:
    return lambda rng, size, dtype: rng.draw(_floats[name], size, dtype)


def _integers(
    rng: _Generator, low: int, last: int, size: Any, dtype: Any, endpoint: bool = True
) -> _Array:
    """Of as many bits as are needed; again where they are too large."""
    span = last - low
    mask = 2 ** span.bit_length() - 1
    return rng.draw(_ints, size, dtype, np.uint64(mask), np.uint64(span), np.uint64(low % 2**64))


def _permutation(rng: _Generator, n: int) -> _Array:
    """The order of random keys, so many that two are hardly ever equal."""
    return cp.argsort(_integers(rng, 0, 2**64 - 1, n, "uint64"))


def _choice(rng: _Generator, n: int, count: int, replace: bool, p: Any, shuffle: bool) -> _Array:
    if p is None and replace:
        return _integers(rng, 0, builtins.max(n - 1, 0), count, "int64")
    if p is None:
        return _permutation(rng, n)[:count]
    if replace:
        cumulative = cp.cumsum(p)
        u = rng.draw(_floats["random"], count, "float64") * cumulative[-1]
        return cp.minimum(cp.searchsorted(cumulative, u, side="right"), n - 1)
    # Which of n exponential clocks of rates p ring first (Efraimidis and Spirakis, 2006). A clock
    # of rate 0 never does.
    times = rng.draw(_floats["standard_exponential"], n, "float64") / p
    return cp.argsort(cp.where(p > 0, times, cp.inf))[:count]


_RANDOM: dict[str, Callable[..., Any]] = {
    "random.default_rng": _default_rng,
    "random.state": _rng_state,
    "random.restore": _restored_rng,
    "random.spawn": _spawn,
    "random.integers": _integers,
    "random.permutation": _permutation,
    "random.choice": _choice,
    **{f"random.{name}": _drawn(name) for name in _floats},
}


# ---- the table

#: Where CuPy's own function is the standard's, array_api_compat's wrapper would only cost time.
_OWN = (
    "empty eye ones zeros unique_inverse unique_values "
    "linalg.eigh linalg.qr linalg.slogdet linalg.svd fft.fftshift fft.ifftshift"
).split()

_OPERATORS = "iadd isub imul iand ior ixor".split()


#: Functions above that are of an extension.
_PREFIXES = dict.fromkeys(
    "vector_norm matrix_norm matrix_rank pinv cholesky solve eig eigvals matrix_power cross "
    "outer svdvals".split(),
    "linalg.",
)


def _table() -> dict[str, Callable[..., Any]]:
    table: dict[str, Callable[..., Any]] = {}
    for prefix, module in (("", _compat), ("linalg.", _linalg), ("fft.", _fft)):
        for name in dir(module):
            found = getattr(module, name)
            if callable(found) and not isinstance(found, type) and name[0] != "_":
                table[prefix + name] = found
    table.update({name: operator.attrgetter(name)(cp) for name in _OWN})
    table.update({name: getattr(operator, name) for name in _OPERATORS})
    for name, found in globals().items():
        if name[0] != "_" and callable(found) and getattr(found, "__module__", "") == __name__:
            table[_PREFIXES.get(name, "") + name] = found
    table.update({name: found for name, found in _UFUNCS.items() if name != "sign"})
    for name in (*_BINARY, *_COMPARISONS):
        table[name] = _of_two(name, table[name])
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        table[f"fft.{name}"] = _of_one_axis(name)
    for name in ("fftn", "ifftn", "rfftn", "irfftn"):
        table[f"fft.{name}"] = _of_some_axes(name)
    for name in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
        table[f"linalg.{name}"] = table[name]
    table.update(
        {
            "cumulative_sum": partial(_cumulative, cp.cumsum, 0),
            "cumulative_prod": partial(_cumulative, cp.cumprod, 1),
            "T": cp.transpose,
            "copy": cp.copy,
            "root": _root,
            "scatter": scatter,
            "settle": settle,
            "from_scalar": cp.asarray,
        }
    )
    table.update(_special.operations(cp, _special_function))
    table.update(_RANDOM)
    namespace = SimpleNamespace(**{**vars(cp), "matmul": matmul})
    table.update(_nn.operations(namespace, cp.where, settle, nullcontext, 2**28))
    return table


_LENT = (cp.cuda.UnownedMemory, DLPackMemory)


def _root(x: _Array) -> Any:
    """As NumPy's; of memory that another library has lent, CuPy's object for it."""
    owner = root(x)
    memory = owner.data.mem
    return memory if type(memory) in _LENT else owner


def irtruediv(x: _Array, y: Any) -> _Array:
    """Put ``y / x`` in the place of `x`."""
    return _UFUNCS["divide"](y, x, x)


def scatter(x: _Array, key: Any, shape: tuple[int, ...]) -> _Array:
    """Zeros of `shape` to which `x` has been added where `key` selects, repeatedly if it does."""
    out = cp.zeros(shape, dtype=x.dtype)
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, cp.ndarray) and k.dtype != bool for k in keys):
        if x.dtype.kind == "c":  # of which CuPy adds none so
            cp.add.at(out.real, key, x.real)
            cp.add.at(out.imag, key, x.imag)
        else:
            cp.add.at(out, key, x)
    else:
        out[key] = x
    return out


def settle(x: _Array, weight: _Array) -> _Array:
    """As NumPy's; without looking for NaNs first, which would wait for the GPU."""
    none = cp.isnan(x) & ((weight == 0) | cp.isinf(weight))
    return cp.where(none, cp.zeros((), x.dtype), x)


def sweep(rule: Callable[..., Any], arrays: list[_Array], scratch: int) -> None:
    """As NumPy's, on whole arrays: a GPU gains nothing by blocks."""
    rule(_into, *arrays, *[cp.empty_like(arrays[0]) for _ in range(scratch)])


def _into(out: _Array, name: str, *operands: Any) -> None:
    getattr(cp, name)(*operands, out=out)


def _on_device(function: Callable[..., Any], index: int) -> Callable[..., Any]:
    """The function, with GPU number `index` current while it runs."""
    current, device = cp.cuda.runtime.getDevice, cp.cuda.Device

    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            if current() == index:
                return function(*args, **kwargs)
            with device(index):
                return function(*args, **kwargs)
        except (ImportError, RuntimeError) as error:
            if advice := _advice(error):
                raise RuntimeError(f"{str(error).rstrip('.')}; {advice}") from error
            raise

    return guarded


def _advice(error: Exception) -> str:
    """What to install, if a part of CUDA is missing or old."""
    extra = f"cupy-cuda{cp.cuda.runtime.runtimeGetVersion() // 1000}x[ctk]"
    kind, text = type(error).__name__, str(error)
    if (
        isinstance(error, ImportError)
        or kind == "DynamicLibNotFoundError"
        or "CUDA headers" in text
    ):
        return (
            "CuPy needs CUDA's headers and libraries, which the driver does not bring: "
            f'pip install "{extra}"'
        )
    if "geev" in text:
        return f'eigenvalues need CUDA 12.6.2 or newer, by its cuSOLVER: pip install "{extra}"'
    return ""


def count() -> int:
    """The number of GPUs; 0 without a driver."""
    try:
        return cp.cuda.runtime.getDeviceCount()
    except cp.cuda.runtime.CUDARuntimeError:
        return 0


def operations(index: int) -> dict[str, Callable[..., Any]]:
    """The functions, by name, for GPU number `index`.

    Raises
    ------
    ValueError
        If there is no such GPU.
    """
    found = count()
    if index < found:
        return {name: _on_device(function, index) for name, function in _table().items()}
    if found:
        there = "cuda:0" if found == 1 else f"cuda:0 to cuda:{found - 1}"
        raise ValueError(f"there is no cuda:{index}; this machine has {found} ({there})")
    try:
        cp.cuda.runtime.getDeviceCount()
        reason = "no GPU"
    except cp.cuda.runtime.CUDARuntimeError as error:
        reason = str(error)
    raise ValueError(
        f"there is no cuda:{index}: CuPy {cp.__version__} is installed, but finds no GPU that it "
        f"can use ({reason}); nvidia-smi says whether a driver is"
    )
