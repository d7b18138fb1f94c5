"""NumPy on the CPU: array_api_compat's namespace, and where it differs from what we promise.

Each function below says why it stands there: a case of the standard that NumPy gets wrong, or a
cost per call that a shorter way to the same C code avoids.
"""

from __future__ import annotations

import cmath
import inspect
import math
import operator
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from array_api_compat import numpy as _compat
from array_api_compat.numpy import fft as _fft
from array_api_compat.numpy import linalg as _linalg

from .. import _native
from ._threads import all_in_parts, in_parts, rows_in_parts, sweep
from .common import nn as _nn
from .common import random as _random
from .common import special as _special

namespace = np
array_type = np.ndarray
index_dtype = np.dtype("int64")
dtype = np.dtype
finfo = np.finfo
iinfo = np.iinfo
can_cast = np.can_cast
result_type = np.result_type
broadcast_shapes = np.broadcast_shapes

_Array = Any

# glibc returns memory to the system when the large arrays of a step are freed, and the next step
# waits for its pages again, often as long as for the arithmetic. Once an array of this size has
# been freed it keeps that much instead (M_MMAP_THRESHOLD in mallopt(3)). It is never written to.
with suppress(MemoryError):
    np.empty(2**25 - 2**13, dtype=np.uint8)


def _error_state() -> tuple[ContextVar[Any], Any]:
    """The context variable by which NumPy knows of what to warn, and its value for nothing.

    np.errstate makes a new value each time, which takes longer than most operations.
    """
    before, context = copy_context(), copy_context()
    context.run(np.seterr, all="ignore")
    ((variable, value),) = [(v, context[v]) for v in context if context[v] is not before.get(v)]
    return variable, value


errors, ignored = _error_state()
errstate = np.errstate


class quiet:
    """A context in which floating-point arithmetic warns of nothing."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = errors.set(ignored)

    def __exit__(self, *_: object) -> None:
        errors.reset(self._token)


# ---- what other modules need of NumPy, on every device


def is_host_scalar(x: object) -> bool:
    """Whether `x` is a NumPy scalar: data of one element, on the host."""
    return isinstance(x, np.generic)


def as_host(obj: Any, dtype: Any = None, copy: bool | None = None) -> _Array:
    """`obj` as a NumPy array of native byte order and exactly the class ndarray.

    Raises
    ------
    TypeError
        If its elements are not of a dtype of the standard, or some are masked.
    OverflowError
        If it is an int that no integer dtype holds.
    """
    if isinstance(obj, np.ndarray) and hasattr(obj, "mask"):
        raise TypeError("a masked array would lose its mask; fill it first: a.filled(value)")
    if dtype is not None and getattr(obj, "dtype", dtype).kind == "c" and dtype.kind in "iuf":
        raise TypeError(f"complex numbers as {dtype} would lose the imaginary part")
    a = np.array(obj, dtype=dtype, copy=copy)
    if (
        dtype is None
        and a.dtype.char == "d"
        and type(obj) in (list, tuple)
        and not (obj and type(obj[0]) is float)  # as most often
        and _of_ints(obj)
    ):
        a = np.array(obj, dtype=np.uint64, copy=copy)  # which some of them need
    native = _NATIVE.get(a.dtype.kind + str(a.dtype.itemsize))
    if native is None:
        if a.dtype == object and any(
            isinstance(x, int) and not -(2**63) <= x < 2**64 for x in a.flat
        ):
            raise OverflowError("an integer is too large for int64 and uint64")
        raise TypeError(f"Unsupported dtype {a.dtype} of the elements: it is not in the standard")
    if a.dtype is not native:
        # Another byte order needs a conversion; a C long long in place of a long only a label.
        if a.dtype == native:
            a = a.view(native)
        elif copy is False:
            raise ValueError(f"dtype {a.dtype} cannot be read without a copy")
        else:
            a = a.astype(native)
    return a


def _of_ints(obj: Any) -> bool:
    """Whether all elements of nested sequences are Python's ints, and there are any."""
    if isinstance(obj, (list, tuple)):
        return bool(obj) and all(map(_of_ints, obj))
    return isinstance(obj, int)


_NATIVE = {
    d.kind + str(d.itemsize): d
    for d in map(
        np.dtype,
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
        "float16 float32 float64 complex64 complex128".split(),
    )
}


def to_text(data: _Array, prefix: str) -> str:
    """The elements as `repr` and `str` show them, aligned behind `prefix`."""
    return np.array2string(data, separator=", ", prefix=prefix)


# ---- conversions


def from_host(data: _Array, stream: Any = None) -> _Array:
    """The host's data is the CPU's."""
    return data


def to_host(data: _Array, stream: Any = None) -> _Array:
    """The CPU's data is the host's."""
    return data


def dlpack(
    data: _Array, *, stream: Any, max_version: Any, dl_device: Any, copy: bool | None
) -> Any:
    """NumPy's versions differ in what they raise where the standard asks for BufferError."""
    try:
        return data.__dlpack__(
            stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
        )
    except (ValueError, RuntimeError) as error:
        raise BufferError(f"__dlpack__: {error}") from error


def from_dlpack(x: Any, copy: bool | None = None) -> _Array:
    """NumPy's importer; it has no way to leave the device to the producer."""
    try:
        data = as_host(np.from_dlpack(x, copy=copy), copy=None)
    except RuntimeError as error:  # of a dtype that NumPy lacks
        raise BufferError(str(error)) from error
    # Some producers say of their copies, too, that nobody may write them.
    return data.copy() if copy and not data.flags.writeable else data


def view(x: _Array, dtype: Any, /) -> _Array:
    """The same memory as another dtype."""
    return x.view(dtype)


def item(data: _Array) -> Any:
    """The one element as a Python scalar."""
    return data.item()


# ---- indexing


def getitem(x: _Array, key: Any, /) -> _Array:
    """NumPy gives a scalar, a copy, for a single element; a trailing ellipsis makes it a view."""
    found = x[key]
    if type(found) is np.ndarray:
        return found
    return x[(*key, ...) if type(key) is tuple else (key, ...)]


def setitem(x: _Array, value: Any, key: Any, /) -> None:
    """Assignment as a function."""
    x[key] = value


# ---- elementwise: special cases


def _all_finite(x: Any) -> bool:
    """Whether no element is infinite or NaN; a false alarm is possible, as a sum may overflow."""
    if not isinstance(x, np.ndarray):
        return isinstance(x, int) or math.isfinite(x)
    if x.size <= 16:
        return cmath.isfinite(sum(x.ravel().tolist()))
    if x.size < 4096:  # a search for a byte is several times faster than a reduction to bool
        return b"\0" not in np.isfinite(x).tobytes()
    with np.errstate(all="ignore"):  # one pass and no temporary
        return bool(np.isfinite(np.add.reduce(x, axis=None)))


def matmul(x1: Any, x2: Any, /) -> _Array:
    """For small results the method: half of the time, but it fills its result with zeros first."""
    try:
        a, b = _native.shape(x1), _native.shape(x2)
        small = len(a) <= 2 and len(b) <= 2 and a[0] * b[-1] <= 4096
    except (AttributeError, IndexError):  # a scalar, of which NumPy says what is wrong
        small = False
    return x1.dot(x2) if small else np.matmul(x1, x2)


def floor_divide(x1: Any, x2: Any, /, out: _Array | None = None) -> _Array:
    """floor(x1 / x2) also where an operand is infinite, which NumPy pairs with the remainder.

    The standard: infinity // finite is infinite, finite // infinity is a zero.
    """
    if _all_finite(x1) and _all_finite(x2):
        return np.floor_divide(x1, x2, out=out)
    x1, x2 = (float(x) if type(x) is int else x for x in (x1, x2))  # beyond 64 bits, objects
    with np.errstate(invalid="ignore"):
        quotient = np.floor_divide(x1, x2)
    with quiet():  # what there is to warn of, that was warned of
        infinite = np.isinf(x1) ^ np.isinf(x2)
        quotient = np.where(infinite, np.trunc(np.divide(x1, x2)), quotient)
    return quotient if out is None else np.positive(quotient, out=out)


def ifloordiv(x1: _Array, x2: Any, /) -> None:
    """In place, with the same special cases."""
    floor_divide(x1, x2, out=x1)


def divide(x1: Any, x2: Any, /) -> _Array:
    """By a power of two the product with its inverse, which is the same in half of the time."""
    return _multiply(x1, 1 / x2) if _by_product(x1, x2) else _divide(x1, x2)


def itruediv(x1: _Array, x2: Any, /) -> None:
    """The same in place."""
    if _by_product(x1, x2):
        _multiply(x1, 1 / x2, x1)
    else:
        x1 /= x2


def _by_product(x1: Any, x2: Any) -> bool:
    return (
        (type(x2) is float or type(x2) is int)  # (`in _REAL` takes longer)
        and _native.size(x1) >= _HALVED
        and x1.dtype.char in "fd"
        and 1e-30 < abs(x2) < 1e30
        and abs(math.frexp(x2)[0]) == 0.5
    )


# (To find it in NumPy takes a fifth of a small division.)
_multiply, _divide = np.multiply, np.divide
#: Elements from which on to look at the divisor is worth it.
_HALVED = 4096


def pow(x1: Any, x2: Any, /) -> _Array:
    """NumPy takes the square root where one exponent 0.5 serves many bases: -0 and -inf differ."""
    if type(x2) not in _REAL:
        y = _power(x1, x2)
    elif x2 in _PRODUCTS and x1.dtype.char in "fd":
        return _product(x1, x2)
    else:  # (of an exponent such as 2 the operator takes two thirds of np.power's time)
        y = x1**x2 if x2 in _CHEAP_POWERS else _power(x1, x2)
    if _one_root_for_many(x2, y) and y.dtype.kind == "f":
        root = np.equal(x2, 0.5)
        y = np.where(root & np.equal(x1, 0), 0.0, y)
        y = np.where(root & np.equal(x1, -np.inf), np.inf, y)
    return y


_power = all_in_parts(operator.pow)
_CHEAP_POWERS = frozenset({-1, 0, 0.5, 1, 2})
_PRODUCTS = frozenset({3, 4})


def _product(x: _Array, n: float) -> _Array:
    """The third or fourth power; np.power takes up to a hundred times as long."""
    y = np.asarray(x * x)
    return np.multiply(y, x if n == 3 else y, out=y)


def ipow(x1: _Array, x2: Any, /) -> None:
    """In place, with the same special cases."""
    if _one_root_for_many(x2, x1) or (type(x2) in _REAL and x2 in _PRODUCTS):
        np.positive(pow(x1, x2), out=x1)  # (which casts as `**=` does)
    else:
        x1 **= x2


def _one_root_for_many(x2: Any, y: _Array) -> bool:
    if not isinstance(x2, np.ndarray):
        return type(x2) is float and x2 == 0.5
    if x2.dtype.kind != "f" or (x2.shape == y.shape and x2.size != 1 and 0 not in x2.strides):
        return False
    return bool((x2 == 0.5).any())


def logaddexp(x1: Any, x2: Any, /) -> _Array:
    """For many elements by functions that compute several at a time, which NumPy's does not."""
    many = sum(x.size for x in (x1, x2) if isinstance(x, np.ndarray)) >= 1024
    if not many or np.result_type(x1, x2).char not in "fd":
        return np.logaddexp(x1, x2)
    with quiet():  # of infinity less infinity
        less = np.subtract(x1, x2)
        if np.isnan(less.item(less.argmax())):
            np.copyto(less, 0, where=np.equal(x1, x2))
        np.negative(np.abs(less, out=less), out=less)
        np.log1p(np.exp(less, out=less), out=less)
        less += np.maximum(x1, x2)
    return less


def expm1(x: _Array, /) -> _Array:
    """Complex: NumPy has NaN for infinite real parts; exp is right there, and 1 is nothing."""
    y = np.expm1(x)
    if x.dtype.kind == "c":
        y = np.asarray(y)
        y.real += 0.0  # the standard wants +0 of -0
        fixed = ~np.isfinite(y)
        if fixed.any():
            with np.errstate(all="ignore"):
                y = np.where(fixed, np.exp(x) - 1, y)
    return y


def tanh(x: _Array, /) -> _Array:
    """Complex: at an infinite real part the imaginary part is a zero of the argument's sign."""
    y = np.tanh(x)
    if x.dtype.kind == "c" and not _all_finite(x):
        y = np.asarray(y)
        zero = np.isinf(x.real) & np.isfinite(x.imag)
        y.imag[zero] = np.copysign(0.0, x.imag[zero])
    return y


def tan(x: _Array, /) -> _Array:
    """Complex: the same a quarter turn on, tan(z) being -1j * tanh(1j * z)."""
    y = np.tan(x)
    if x.dtype.kind == "c" and not _all_finite(x):
        y = np.asarray(y)
        zero = np.isinf(x.imag) & np.isfinite(x.real)
        y.real[zero] = np.copysign(0.0, x.real[zero])
    return y


def sign(x: _Array, /) -> _Array:
    """Complex: NumPy misses NaN by infinity, and divides by moduli that overflow or underflow."""
    if x.dtype.kind != "c":
        return np.sign(x)
    size = np.abs(x)
    small, _, largest = _RANGES[size.dtype]
    good = (size >= small) & (size <= largest)
    if b"\0" not in good.tobytes():
        return np.sign(x)
    x = x.copy()
    for part in (x.real, x.imag):
        np.multiply(part, np.where(size > 1, 0.25, 2.0**100), out=part, where=~good)
    return np.where(np.isnan(x), x.dtype.type(complex(np.nan, np.nan)), np.sign(x))


def log1p(x: _Array, /) -> _Array:
    """Complex: NumPy takes log(abs(1 + x)), which loses all digits of a small real part."""
    if x.dtype.kind != "c":
        return np.log1p(x)
    return _complex_log1p(x)


def _complex_log1p(z: _Array) -> _Array:
    """log(1 + z), each part to rounding, for complex z.

    Where 1 + z is near the unit circle, the real part is log1p(s) / 2 with s = 2x + x² + y²,
    formed with error-free products and sums (Dekker, 1971; Knuth, TAOCP vol. 2, 4.2.2) because
    its terms may cancel.
    """
    x, y = z.real, z.imag
    with np.errstate(all="ignore"):
        xx, xx_low = _exact_square(x)
        yy, yy_low = _exact_square(y)
        s1, e1 = _exact_sum(2 * x, xx)
        s2, e2 = _exact_sum(s1, yy)
        s = s2 + (e1 + e2 + xx_low + yy_low)
        # Farther in 1 + s cancels, farther out the squares overflow; log is good at both.
        far = ~((s > -0.5) & (s < 32))
        out = np.zeros_like(z)
        np.log(1 + z, where=far, out=out)
        out.real = np.where(far, out.real, np.log1p(np.where(far, 0, s)) / 2)
        # 1 + z turns an imaginary -0 into itself only in some compilers' hands; atan2 keeps it.
        out.imag = np.arctan2(y, 1 + x)
    return out


def _exact_sum(a: _Array, b: _Array) -> tuple[_Array, _Array]:
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _exact_square(a: _Array) -> tuple[_Array, _Array]:
    split = 134217729.0 if a.dtype.itemsize == 8 else 4097.0  # 2**27 + 1, 2**12 + 1
    t = a * a.dtype.type(split)
    high = t - (t - a)
    low = a - high
    p = a * a
    return p, ((high * high - p) + 2 * high * low) + low * low


def round(x: _Array, /) -> _Array:
    """NumPy gives bools as half-precision numbers, which the standard lacks."""
    return np.round(x) if x.dtype.kind != "b" else x.astype(np.float64)


def clip(x: _Array, /, min: Any = None, max: Any = None) -> _Array:
    """array_api_compat's writes into the caller's bounds, wraps those out of range, and is slow."""
    if min is None and max is None:
        return x.copy()
    if x.dtype.kind in "iu":
        min, max = _bound(min, x.dtype), _bound(max, x.dtype)
    y = x.clip(min, max)
    if y.dtype is x.dtype or y.dtype == x.dtype:
        return y
    with np.errstate(over="ignore"):  # a bound beyond the range is infinite
        return y.astype(x.dtype)


def _bound(bound: Any, dtype: Any) -> Any:
    """A bound of `clip` as an integer of the dtype; out of its range, the end of that range."""
    if bound is None:
        return bound
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    if isinstance(bound, (int, float)) and bound == bound:
        return low if bound < low else high if bound > high else int(bound)
    if isinstance(bound, np.ndarray) and bound.dtype.kind in "iu" and bound.dtype != dtype:
        own = np.iinfo(bound.dtype)
        low, high = sorted((low, high, int(own.min), int(own.max)))[1:3]
        return np.clip(bound, low, high).astype(dtype)
    return bound


def diff(
    x: _Array, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None
) -> _Array:
    """NumPy takes None for an array to prepend."""
    ends = {"prepend": prepend, "append": append}
    return np.diff(x, n, axis, **{k: v for k, v in ends.items() if v is not None})


def where(condition: _Array, x1: Any, x2: Any, /) -> _Array:
    """NumPy wraps a Python int that is out of the range of the other operand's dtype."""
    if type(x1) is int and isinstance(x2, np.ndarray) and x2.dtype.kind in "iu":
        x1 = np.asarray(x1, dtype=x2.dtype)
    elif type(x2) is int and isinstance(x1, np.ndarray) and x1.dtype.kind in "iu":
        x2 = np.asarray(x2, dtype=x1.dtype)
    if condition.size >= _MANY and condition.dtype == bool:
        dtype = np.result_type(x1, x2)
        x1, x2 = np.asarray(x1, dtype=dtype), np.asarray(x2, dtype=dtype)
        if dtype.itemsize <= 8 and {x1.shape, x2.shape} <= {(), condition.shape}:
            return _choose(condition, x1, x2)
    return np.where(condition, x1, x2)


def _with_rows(ufunc: Any) -> Callable[..., Any]:
    """Beside a scalar, NumPy's maximum and minimum take twice as long as beside a row of it."""

    def run(x1: Any, x2: Any, /) -> _Array:
        if type(x2) in _REAL and x1.size >= 6144 and x1.shape[-1] >= 64 and x1.dtype.kind == "f":
            row = np.empty(x1.shape[-1:], dtype=x1.dtype)
            row.fill(x2)  # (np.full takes three times as long)
            x2 = row
        return ufunc(x1, x2)

    return run


_REAL = frozenset({int, float})

#: Elements from which on `_choose` is worth its calls.
_MANY = 1 << 13


def _choose(condition: _Array, x1: _Array, x2: _Array) -> _Array:
    """`where` by arithmetic on bits; operands are of the same dtype and shape, or 0-d.

    NumPy's jumps from element to element, and where the processor cannot guess the way, that
    takes up to ten times as long.
    """
    bits = np.dtype(f"u{x1.itemsize}")
    a, b = x1.view(bits), x2.view(bits)
    out = np.empty_like(condition, dtype=bits)
    or_zero = not b.ndim and b == 0

    def rule(_into: Any, out: _Array, condition: _Array, *parts: _Array) -> None:
        x, y = (parts[0] if a.ndim else a), (parts[-1] if b.ndim else b)
        if or_zero:
            np.multiply(x, condition, out=out)
        else:
            np.bitwise_xor(x, y, out=out)
            out *= condition
            out ^= y

    sweep(rule, [out, condition, *(x for x in (a, b) if x.ndim)], 0)
    return out.view(x1.dtype)


def repeat(x: _Array, repeats: Any, /, *, axis: int | None = None) -> _Array:
    """NumPy refuses numbers of repetitions of dtype uint64."""
    if isinstance(repeats, np.ndarray) and repeats.dtype.kind == "u":
        repeats = repeats.astype(np.int64)
    return np.repeat(x, repeats, axis)


def searchsorted(x1: _Array, x2: Any, /, *, side: Any = "left", sorter: Any = None) -> _Array:
    """NumPy refuses a sorter of dtype uint64, and gives a scalar a say in the dtype."""
    if type(x2) is float or (type(x2) is int and x1.dtype.kind == "f"):
        x2 = np.asarray(x2, dtype=np.result_type(x1, 0.0))
    if isinstance(sorter, np.ndarray) and sorter.dtype == np.uint64:
        sorter = sorter.astype(np.int64)
    return np.searchsorted(x1, x2, side, sorter)


def vector_norm(
    x: _Array, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> _Array:
    """Where NumPy's sum of powers leaves the range of the dtype, that of scaled elements."""
    if ord == 2 and x.dtype.kind in "fc":  # as NumPy, without its layers of Python
        with quiet():  # of what leaves the range, which is mended below
            squares = x * x if x.dtype.kind == "f" else x.real * x.real + x.imag * x.imag
            norm = np.sqrt(_sum(squares, axis=axis, keepdims=keepdims))
    else:
        norm = np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
        if ord in (0, 1) or math.isinf(ord):
            return norm
    return _norm_in_range(norm, x, axis, ord)


def matrix_norm(x: _Array, /, *, keepdims: bool = False, ord: Any = "fro") -> _Array:
    """As `vector_norm`, for the Frobenius norm."""
    with quiet():
        norm = _linalg.matrix_norm(x, keepdims=keepdims, ord=ord)
    return _norm_in_range(norm, x, (-2, -1), 2) if ord in ("fro", None) else norm


def _norm_in_range(norm: _Array, x: _Array, axis: Any, ord: float) -> _Array:
    """The norms, again with scaled elements where the sum of powers was not to be trusted."""
    if not x.size:
        return norm
    small, smallest, largest = _RANGES[norm.dtype]
    edge = small ** (1 / ord)
    low, high = (edge, largest) if ord > 0 else (smallest, edge)
    good = (low <= norm) & (norm <= high)
    if b"\0" not in good.tobytes():
        return norm
    size = np.abs(x)
    scale = (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=True)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1)
    with np.errstate(all="ignore"):
        again = np.linalg.vector_norm(size / scale, axis=axis, keepdims=True, ord=ord) * scale
    return np.where(good, norm, again.reshape(norm.shape))


#: Dtype -> the least sum that lost no digits to underflow, the least and largest number.
_RANGES = {
    np.dtype(d): tuple(map(float, (i.smallest_normal / i.eps, i.smallest_normal, i.max)))
    for d, i in ((d, np.finfo(d)) for d in ("float16", "float32", "float64"))
}


def matrix_power(x: _Array, n: int, /) -> _Array:
    """To the first power, NumPy gives the argument itself."""
    y = np.linalg.matrix_power(x, n)
    return y.copy() if y is x else y


def matrix_rank(x: _Array, /, *, rtol: Any = None) -> _Array:
    """array_api_compat looks for the largest singular value also where there is none."""
    if x.ndim > 1 and 0 in x.shape[-2:]:
        return np.zeros(x.shape[:-2], dtype=np.int64)
    return _linalg.matrix_rank(x, rtol=rtol)


def _with_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """LAPACK's pivoting and its symmetric eigensolvers lose NaN; a matrix with one gives NaN."""

    def run(x: _Array, /) -> Any:
        y: Any = function(x)
        if _all_finite(x):
            return y
        bad = np.isnan(x).any(axis=(-2, -1))
        parts = [np.array(part) for part in (y if isinstance(y, tuple) else (y,))]
        for part in parts:
            part[bad] = np.nan
        return (
            y._replace(**dict(zip(y._fields, parts, strict=True))) if len(parts) > 1 else parts[0]
        )

    return run


# ---- shorter ways to the same C code (NumPy's own spend more in Python than a small tensor takes)


_add: Any = np.add.reduce  # whose stubs do not take keepdims of type bool

#: Elements from which on there are faster sums than NumPy's: in several sums, and in one.
_LARGE, _LARGE_AS_ONE = 2**14, 2**17
#: How many elements are added in one go.
_ROW = 1024


def _sum(x: _Array, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> _Array:
    """NumPy's sum; a large one is taken apart, as NumPy is slow to add short rows, or few columns.

    What is added up in one go stays short, so that it loses no more digits than by pairs.
    """
    size = _native.size(x)
    if (
        size < _LARGE
        or (axis is None and size < _LARGE_AS_ONE)
        or x.dtype.char not in "fd"
        or not (dtype is None or dtype == x.dtype)
        or not x.flags.forc
    ):
        return _add(x, axis=axis, dtype=dtype, keepdims=keepdims)
    ndim, shape = x.ndim, x.shape
    given = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = {i % ndim for i in given if type(i) is int and -ndim <= i < ndim}
    if not axes or len(axes) < len(given):
        return _add(x, axis=axis, keepdims=keepdims)  # which says what is wrong
    if not x.flags.c_contiguous:
        return _sum(x.T, axis=tuple([ndim - 1 - i for i in axes]), keepdims=keepdims).T
    out = _summed(x, axes | {i for i, n in enumerate(shape) if n == 1})
    left = [1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes]
    return out.reshape(left)


def _summed(x: _Array, axes: set[int]) -> _Array:
    """The sum of a contiguous array over some axes, which are left out."""
    shape = x.shape
    first, last = 0, len(shape)
    while first in axes:
        first += 1
    while last - 1 in axes:
        last -= 1
    if last < len(shape):
        out = _of_rows(x.reshape(-1, math.prod(shape[last:]))).reshape(shape[:last])
        rest = tuple([i for i in axes if i < last])
        return _sum(out, axis=rest) if rest else out
    if first == len(axes):
        return _of_columns(x.reshape(math.prod(shape[:first]), -1))
    return _add(x, axis=tuple(axes))


def _of_rows(x: _Array) -> _Array:
    """The sum of each row: by einsum, which adds by vectors and spends little on a row."""
    m, n = x.shape
    if m < 256 and x.size < _LARGE_AS_ONE:
        return _add(x, axis=1)
    if n <= _ROW:
        return np.einsum("ij->i", x)
    if m == 1:
        k = n // (_ROW // 2)
        end = k * (_ROW // 2)
        return _of_rows(_of_rows(x[:, :end].reshape(k, -1)).reshape(1, k)) + _add(
            x[:, end:], axis=1
        )
    least = -(-n // _ROW)
    for k in range(least, min(least + 64, n // 64)):  # (of a prime length none is found)
        if not n % k:  # parts of one length, as others are read twice
            return _of_rows(_of_rows(x.reshape(m * k, -1)).reshape(m, k))
    return _add(x, axis=1)


def _of_columns(x: _Array) -> _Array:
    """The sum of each column: of a row that is many of theirs, as NumPy is fast with long ones."""
    m, n = x.shape
    k = _ROW // n
    if m < 256 or k < 4:
        return _add(x, axis=0)
    end = m // k * k
    out = _add(_add(x[:end].reshape(-1, k * n), axis=0).reshape(k, n), axis=0)
    return out if m == end else out + _add(x[end:], axis=0)


def mean(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> _Array:
    """Sum and divide."""
    if x.dtype.char not in "fdFD":  # half precision, too, is summed in a wider one
        return x.mean(axis=axis, keepdims=keepdims)
    total = _sum(x, axis=axis, keepdims=keepdims)
    return total / (x.size // total.size) if total.size else total


def var(
    x: _Array, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> _Array:
    """NumPy's two passes; NaN where it divides by 0 or less."""
    if x.dtype.kind in "biu":
        x = x.astype(np.float64)
    if x.dtype.char == "e":
        wide = var(x.astype(np.float32), axis=axis, correction=correction, keepdims=keepdims)
        return wide.astype(x.dtype)
    if x.dtype.kind != "f" or not x.size:
        return x.var(axis=axis, ddof=correction, keepdims=keepdims)  # with its warnings
    if axis is None and not keepdims and x.ndim:  # the same with scalars, which are faster
        count = x.size
        deviation = x - _sum(x) / count
    else:
        total = _sum(x, axis=axis, keepdims=True)
        count = x.size // total.size
        deviation = np.asarray(x - total / count)
    np.multiply(deviation, deviation, out=deviation)
    squares = _sum(deviation, axis=axis, keepdims=keepdims)
    return squares / (count - correction if count > correction else np.nan)


def std(
    x: _Array, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> _Array:
    """The root of `var`."""
    square = var(x, axis=axis, correction=correction, keepdims=keepdims)
    if isinstance(square, np.ndarray):
        return np.sqrt(square)
    return type(square)(math.sqrt(square))  # rounded once more, for float32, it is the same number


def argmax(x: _Array, /, *, axis: int | None = None, keepdims: bool = False) -> _Array:
    """The method skips np.argmax's dispatch."""
    return x.argmax(axis=axis, keepdims=keepdims)


def argmin(x: _Array, /, *, axis: int | None = None, keepdims: bool = False) -> _Array:
    """The method skips np.argmin's dispatch."""
    return x.argmin(axis=axis, keepdims=keepdims)


def reshape(x: _Array, /, shape: Any, *, copy: bool | None = None) -> _Array:
    """The method skips np.reshape's dispatch."""
    return x.reshape(shape) if copy is None else x.reshape(shape, copy=copy)


def permute_dims(x: _Array, /, axes: tuple[int, ...]) -> _Array:
    """The method skips np.transpose's dispatch."""
    return x.transpose(axes)


def moveaxis(x: _Array, source: Any, destination: Any, /) -> _Array:
    """One axis: a transposition."""
    ndim = x.ndim
    if type(source) is type(destination) is tuple and len(source) == len(destination) == 1:
        (source,), (destination,) = source, destination
    if type(source) is not int or type(destination) is not int:
        return np.moveaxis(x, source, destination)
    if not (-ndim <= source < ndim and -ndim <= destination < ndim):
        return np.moveaxis(x, source, destination)  # which says what is wrong
    axes = [*range(ndim)]
    axes.insert(destination if destination >= 0 else destination + ndim, axes.pop(source))
    return x.transpose(axes)


def astype(x: _Array, dtype: Any, /, *, copy: bool = True) -> _Array:
    """The method itself."""
    return x.astype(dtype, copy=copy)


def expand_dims(x: _Array, /, axis: Any) -> _Array:
    """One axis: an insertion into the shape."""
    ndim = x.ndim + 1
    if type(axis) is not int or not -ndim <= axis < ndim:
        return np.expand_dims(x, axis)
    shape = [*x.shape]
    shape.insert(axis if axis >= 0 else axis + ndim, 1)
    return x.reshape(shape)


def ones(shape: Any, *, dtype: Any = None) -> _Array:
    """Without the layers of Python of NumPy's."""
    out = np.empty(shape, dtype=dtype)
    out.fill(1)
    return out


def arange(start: Any, stop: Any, step: Any, *, dtype: Any) -> _Array:
    """NumPy adds up the difference of the first two numbers, which it rounds to the dtype first."""
    if dtype.char not in "efF" or (
        type(start) is type(stop) is type(step) is int and abs(start) + abs(stop) + abs(step) < 2048
    ):
        return np.arange(start, stop, step, dtype=dtype)
    wide = np.result_type(dtype, np.float64)
    return np.arange(start, stop, step, dtype=wide).astype(dtype)


def broadcast_to(x: _Array, /, shape: Any) -> _Array:
    """The view, made without the iterator by which NumPy finds its strides."""
    shape, have = tuple(shape), x.shape
    if shape == have:
        view = x.view()
    elif not have and 0 not in shape:  # most often, from a loss
        view = array_type(shape, x.dtype, x, 0, (0,) * len(shape))
    else:
        added = len(shape) - len(have)
        if added < 0 or not x.flags.c_contiguous or 0 in shape:
            return np.broadcast_to(x, shape)
        strides = [0] * added
        for n, wanted, stride in zip(have, shape[added:], x.strides, strict=True):
            if n != wanted and n != 1:
                return np.broadcast_to(x, shape)  # which says what is wrong
            strides.append(stride if n == wanted else 0)
        view = array_type(shape, x.dtype, x, 0, strides)
    view.setflags(False)  # (by the attribute it takes twice as long)
    return view


def broadcast_arrays(*arrays: _Array) -> tuple[_Array, ...]:
    """NumPy's may be written into, with a warning: one element stands in many places."""
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    return tuple([x.view() if x.shape == shape else broadcast_to(x, shape) for x in arrays])


def stack(arrays: Any, /, *, axis: int = 0) -> _Array:
    """Concatenation along a new axis; np.stack checks the shapes once more."""
    first = arrays[0]
    shape, dtype = first.shape, first.dtype
    if axis == 0 and first.size <= 1000:
        for x in arrays:
            if x.shape != shape or x.dtype is not dtype:
                break
        else:  # takes half of the time, but more for large ones in Fortran order
            return np.array(arrays)
    return np.concatenate([expand_dims(x, axis) for x in arrays], axis)


def unstack(x: _Array, /, *, axis: int = 0) -> tuple[_Array, ...]:
    """Views along an axis, also of single elements."""
    if not x.ndim:
        raise ValueError("the tensor has no axis to unstack")
    if axis:
        x = np.moveaxis(x, axis, 0)
    return tuple([x[i, ...] for i in range(x.shape[0])])


def unique_values(x: _Array, /) -> _Array:
    """By sorting: np.unique's hash table of integers takes up to forty times as long."""
    kind: Any = "stable" if x.dtype.itemsize <= 2 else None  # by digits, for small integers
    x = np.sort(x, axis=None, kind=kind)
    new = np.ones(x.shape, dtype=bool)
    np.not_equal(x[1:], x[:-1], out=new[1:])  # (no NaN equals another)
    return x[new]


def take(x: _Array, indices: _Array, /, *, axis: int | None = None) -> _Array:
    """The method skips np.take's dispatch."""
    return x.take(indices, axis)


def sort(x: _Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> _Array:
    """By NumPy's fast sort: but for signed zeros, the values cannot tell whether it was stable."""
    if stable and x.dtype.kind in "fc" and _has_negative_zero(x):
        if descending:  # flipped on both sides, equal elements keep their order
            return np.flip(np.sort(np.flip(x, axis), axis, kind="stable"), axis)
        return np.sort(x, axis, kind="stable")
    y = x.copy()
    y.sort(axis)
    return np.flip(y, axis) if descending else y


def _has_negative_zero(x: _Array) -> bool:
    zeros = x[x == 0]
    return bool(zeros.size and (np.signbit(zeros.real) | np.signbit(zeros.imag)).any())


def cumulative_sum(
    x: _Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> _Array:
    """np.cumulative_sum builds on two layers of Python."""
    if include_initial or x.ndim != 1:
        return np.cumulative_sum(x, axis=axis, dtype=dtype, include_initial=include_initial)
    if x.dtype.kind in "fc":  # (of others it widens no dtype)
        return np.add.accumulate(x, 0 if axis is None else axis, dtype)
    return x.cumsum(axis, dtype)


def _fft_of_any(
    x: _Array, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward"
) -> _Array:
    """Of real data, the real transform and its mirror: NumPy's takes up to six times as long."""
    if x.dtype.kind != "f" or x.size < 2048:
        return np.fft.fft(x, n, axis, norm)
    half = np.fft.rfft(x, n, axis, norm)
    n = x.shape[axis] if n is None else n
    shape = [*half.shape]
    shape[axis], known = n, shape[axis]
    out = np.empty(shape, dtype=half.dtype)
    to, of = out.swapaxes(axis, -1), half.swapaxes(axis, -1)
    to[..., :known] = of
    rest = of[..., n - known : 0 : -1]
    to.real[..., known:] = rest.real
    np.subtract(0.0, rest.imag, out=to.imag[..., known:])  # a zero stays positive
    return out


# ---- the table

#: Where NumPy's own function is the standard's, array_api_compat's wrapper would only cost time.
_OWN = (
    "empty eye full linspace ones zeros cumulative_prod matmul tensordot vecdot unique_all "
    "unique_counts unique_inverse linalg.cholesky linalg.cross linalg.diagonal linalg.eigh "
    "linalg.outer linalg.qr linalg.svd linalg.svdvals linalg.tensordot linalg.trace "
    "fft.fftn fft.hfft fft.ifft fft.ifftn fft.ihfft fft.irfft "
    "fft.irfftn fft.rfft fft.rfftn fft.fftshift fft.ifftshift"
).split()

_OPERATORS = "iadd isub imul imod imatmul iand ior ixor ilshift irshift".split()


def _counting(name: str, reduce: Callable[..., Any]) -> Callable[..., Any]:
    """Whether any or all are true: to count those of bools takes a third of a reduction's time."""

    def run(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None and not keepdims:
            if not x.ndim:
                return bool(x)
            if x.dtype.char == "?":
                count = np.count_nonzero(x)
                return count == x.size if name == "all" else count != 0
        return reduce(x, axis, None, None, keepdims)

    return run


def _pointing(find: Callable[..., Any], reduce: Callable[..., Any]) -> Callable[..., Any]:
    """The largest or smallest, of few by its position, which takes a third of a reduction's time.

    NaNs come first there, too.
    """

    def run(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None and not keepdims and 0 < x.size <= 10_000:
            flat = x if x.ndim == 1 else x.reshape(-1)
            return flat[find(flat)]
        return reduce(x, axis, None, None, keepdims)

    return run


#: Functions that cost more per element than memory does.
_COSTLY = """
    acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 reciprocal sign sin
    sinh sqrt tan tanh"""
_COSTLY_OF_TWO = "atan2 copysign floor_divide hypot logaddexp nextafter remainder"


def _table() -> dict[str, Callable[..., Any]]:
    table: dict[str, Callable[..., Any]] = {}
    for prefix, module in (("", _compat), ("linalg.", _linalg), ("fft.", _fft)):
        for name in dir(module):
            found = getattr(module, name)
            if callable(found) and not isinstance(found, type) and name[0] != "_":
                table[prefix + name] = found
    table.update({name: operator.attrgetter(name)(np) for name in _OWN})
    for name in ("linalg.det", "linalg.slogdet", "linalg.eigh", "linalg.eigvalsh"):
        table[name] = _with_nan(operator.attrgetter(name)(np))
    table.update({name: getattr(operator, name) for name in _OPERATORS})
    table.update(
        (name, found)
        for name, found in globals().items()
        if callable(found) and getattr(found, "__module__", None) == __name__ and name[0] != "_"
    )
    table.update(
        {
            # The ufuncs' reductions take axis, dtype and keepdims as the standard has them.
            # (Without an axis they reduce the first; the dispatch always gives one.)
            "sum": _sum,
            "prod": np.multiply.reduce,
            "max": _pointing(np.ndarray.argmax, np.maximum.reduce),
            "min": _pointing(np.ndarray.argmin, np.minimum.reduce),
            "all": _counting("all", np.logical_and.reduce),
            "any": _counting("any", np.logical_or.reduce),
            "concat": np.concatenate,
            "fft.fft": _fft_of_any,
            "linalg.matrix_power": matrix_power,
            "linalg.matrix_rank": matrix_rank,
            "linalg.vector_norm": vector_norm,
            "linalg.matrix_norm": matrix_norm,
            "T": np.transpose,
            # (It raises for fewer than two axes, as the function does.)
            "matrix_transpose": operator.attrgetter("mT"),
            "copy": np.copy,
            "root": root,
            "scatter": scatter,
            "settle": settle,
            "sweep": sweep,
            "from_scalar": np.asarray,
            "array": np.array,
        }
    )
    table.update({name: in_parts(table[name]) for name in _COSTLY.split()})
    table.update({name: all_in_parts(table[name]) for name in _COSTLY_OF_TWO.split()})
    table.update({name: _with_rows(getattr(np, name)) for name in ("maximum", "minimum")})
    table.update(_special.operations(np, _scipy_special, quiet))
    table.update(_random.operations())
    table.update(_nn.operations(np, where, settle, quiet, 2**22))
    table.update({name: in_parts(table[name]) for name in ("nn.sigmoid", "nn.silu")})
    for name in ("softmax", "log_softmax"):
        for prefix in ("nn.", "special."):
            table[prefix + name] = rows_in_parts(table[prefix + name])
    table["special.expit"] = table["nn.sigmoid"]
    return table


def _scipy_special(name: str) -> Callable[..., Any]:
    """SciPy's own function: its public ones first look for the namespace, which is NumPy's."""
    try:
        special: Any = import_module("scipy.special")
    except ImportError as error:
        raise ImportError(
            f'needs SciPy on the CPU: pip install "arraygrad[scipy]" ({error})'
        ) from error
    found: Any = inspect.unwrap(getattr(special, name))
    if name in ("bdtr", "bdtrc", "bdtri"):
        return partial(_of_trials, found)
    if getattr(found, "nin", 2) > 1:
        found = partial(_special.of_arrays, np, found)
    return all_in_parts(found)


def _of_trials(function: Callable[..., Any], k: Any, n: Any, x: Any) -> _Array:
    """SciPy warns of numbers of trials that are floating-point ones, also if they are whole."""
    if not np.all(np.mod(n, 1) == 0):
        return function(k, n, x)
    whole = np.asarray(n).astype(np.int64)
    return np.asarray(function(k, whole, x)).astype(np.result_type(k, x, n), copy=False)


def root(x: _Array) -> Any:
    """The object that owns an array's memory: the array itself unless it is a view."""
    base = x.base
    while base is not None:
        x, base = base, getattr(base, "base", None)
    return x


def irtruediv(x: _Array, y: Any) -> _Array:
    """Put ``y / x`` in the place of `x`."""
    return np.divide(y, x, out=x)


def scatter(x: _Array, key: Any, shape: tuple[int, ...]) -> _Array:
    """Zeros of `shape` to which `x` has been added where `key` selects, repeatedly if it does."""
    out = np.zeros(shape, dtype=x.dtype)
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, np.ndarray) and k.dtype != bool for k in keys):
        np.add.at(out, key, x)
    else:
        out[key] = x
    return out


def settle(x: _Array, weight: _Array) -> _Array:
    """`x` with 0 for its NaNs where `weight` is 0 or infinite: 0 times infinity, for gradients.

    Hardly ever is there a NaN, which one pass over `x` tells.
    """
    size = x.size
    if _native.kind(x) == "c" or (size > 10_000 and not x.flags.c_contiguous) or not size:
        witness = np.add.reduce(x, axis=None)
    else:
        witness = x.item(x.argmax())  # a NaN counts as the largest; the cheapest way to ask
    if witness == witness:
        return x
    none = np.isnan(x) & ((weight == 0) | np.isinf(weight))
    return np.where(none, 0, x).astype(x.dtype, copy=False)


_operations = _table()


def operations(index: int) -> dict[str, Callable[..., Any]]:
    """The functions, by name, for the one CPU."""
    if index:
        raise ValueError(f"there is one CPU device, cpu; got cpu:{index}")
    return _operations


def count() -> int:
    """The number of CPU devices."""
    return 1
