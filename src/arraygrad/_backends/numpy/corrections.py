"""Corrections of functions that deviate from the standard in NumPy. Each docstring says how.

In all other cases, each calls NumPy's method or ufunc.
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat.numpy import linalg as _linalg

from .. import _ndarray
from ..common import sorting
from .conversions import as_host
from .error_state import quiet
from .fast_paths import MIN_SIZE_FOR_BITS, choose
from .parallel import parallel_elementwise

_Array = Any

# ---- questions that several functions ask about arrays


def _all_true(mask: _Array) -> bool:
    """Return True if a mask is all true."""
    # A search for a byte takes a fifth of a small reduction's time.
    return b"\0" not in mask.tobytes() if mask.size < 4096 else bool(mask.all())


def _all_finite(x: Any) -> bool:
    """Return True if all elements are finite; it may return False if their sum overflows."""
    if not isinstance(x, np.ndarray):
        return isinstance(x, int) or math.isfinite(x)
    if x.size <= 16:
        return cmath.isfinite(sum(x.ravel().tolist()))
    if x.size < 4096:
        return _all_true(np.isfinite(x))
    with quiet():  # one pass and no temporary
        return bool(np.isfinite(np.add.reduce(x, axis=None)))


# ---- elementwise


def floor_divide(x1: Any, x2: Any, /, out: _Array | None = None) -> _Array:
    """floor(x1 / x2), also for infinite operands, for which NumPy computes it from the remainder.

    In the standard, infinity // finite is infinite, and finite // infinity is a zero.
    """
    if _all_finite(x1) and _all_finite(x2):
        return np.floor_divide(x1, x2, out=out)
    x1, x2 = (float(x) if type(x) is int else x for x in (x1, x2))  # beyond 64 bits, objects
    with np.errstate(invalid="ignore"):
        quotient = np.floor_divide(x1, x2)
    with quiet():  # NumPy has warned already
        infinite = np.isinf(x1) ^ np.isinf(x2)
        quotient = np.where(infinite, np.trunc(np.divide(x1, x2)), quotient)
    return quotient if out is None else np.positive(quotient, out=out)


def ifloordiv(x1: _Array, x2: Any, /) -> None:
    """In place, with the same special cases."""
    floor_divide(x1, x2, out=x1)


def pow(x1: Any, x2: Any, /) -> _Array:
    """For a broadcast exponent 0.5, NumPy takes the square root, which differs at -0 and -inf."""
    # (The operator, unlike np.power, multiplies for an exponent of 2.)
    is_cheap = type(x2) in _REAL and x2 in _CHEAP_EXPONENTS
    y = x1**x2 if is_cheap else _power(x1, x2)
    if _is_root_of_many(x2, y) and y.dtype.kind == "f":
        is_root = np.equal(x2, 0.5)
        y = np.where(is_root & np.equal(x1, 0), 0.0, y)
        y = np.where(is_root & np.equal(x1, -np.inf), np.inf, y)
    return y


_power = parallel_elementwise(operator.pow)
_REAL = frozenset({int, float})
_CHEAP_EXPONENTS = frozenset({-1, 0, 0.5, 1, 2})


def ipow(x1: _Array, x2: Any, /) -> None:
    """In place, with the same special cases."""
    if _is_root_of_many(x2, x1):
        np.positive(pow(x1, x2), out=x1)  # (which casts as `**=` does)
    else:
        x1 **= x2


def _is_root_of_many(x2: Any, y: _Array) -> bool:
    """Return True if NumPy may take square roots for this exponent of the result `y`."""
    if not isinstance(x2, np.ndarray):
        return type(x2) is float and x2 == 0.5
    if x2.dtype.kind != "f" or (x2.shape == y.shape and x2.size != 1 and 0 not in x2.strides):
        return False
    return bool((x2 == 0.5).any())


def logaddexp(x1: Any, x2: Any, /) -> _Array:
    """NumPy warns if the difference of the operands overflows, even if the result does not."""
    with np.errstate(over="ignore"):
        return np.logaddexp(x1, x2)


def expm1(x: _Array, /) -> _Array:
    """Complex: NumPy returns NaN for infinite real parts, where exp is right (1 is negligible)."""
    y = np.expm1(x)
    if x.dtype.kind == "c":
        y = np.asarray(y)
        y.real += 0.0  # the standard wants +0 of -0
        fixed = ~np.isfinite(y)
        if fixed.any():
            with quiet():
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
    """Complex: corrected as `tanh`, because tan(z) = -1j * tanh(1j * z)."""
    y = np.tan(x)
    if x.dtype.kind == "c" and not _all_finite(x):
        y = np.asarray(y)
        zero = np.isinf(x.imag) & np.isfinite(x.real)
        y.real[zero] = np.copysign(0.0, x.real[zero])
    return y


def sign(x: _Array, /) -> _Array:
    """Complex: NumPy misses infinity / NaN, and its moduli overflow or underflow."""
    if x.dtype.kind != "c":
        return np.sign(x)
    size = np.abs(x)
    small, _, largest = _RANGES[size.dtype]
    good = (size >= small) & (size <= largest)
    if _all_true(good):
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
    with quiet():
        xx, xx_low = _exact_square(x)
        yy, yy_low = _exact_square(y)
        s1, e1 = _exact_sum(2 * x, xx)
        s2, e2 = _exact_sum(s1, yy)
        s = s2 + (e1 + e2 + xx_low + yy_low)
        # Closer to 0, 1 + s cancels; farther out, the squares overflow. log is accurate in both.
        far = ~((s > -0.5) & (s < 32))
        out = np.zeros_like(z)
        np.log(1 + z, where=far, out=out)
        out.real = np.where(far, out.real, np.log1p(np.where(far, 0, s)) / 2)
        # 1 + z preserves an imaginary -0 with some compilers only; atan2 always does.
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
    """NumPy rounds bools to half precision, which the standard lacks."""
    return np.round(x) if x.dtype.kind != "b" else x.astype(np.float64)


def clip(x: _Array, /, min: Any = None, max: Any = None) -> _Array:
    """array_api_compat writes into the caller's bounds, wraps those out of range, and is slow."""
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
    """Bound of `clip` as an integer of the dtype; if out of range, the end of the range."""
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
    """NumPy converts None to an array to prepend."""
    ends = {"prepend": prepend, "append": append}
    return np.diff(x, n, axis, **{k: v for k, v in ends.items() if v is not None})


def where(condition: _Array, x1: Any, x2: Any, /) -> _Array:
    """NumPy wraps around a Python int that does not fit the other operand's dtype."""
    if type(x1) is int and isinstance(x2, np.ndarray) and x2.dtype.kind in "iu":
        x1 = np.asarray(x1, dtype=x2.dtype)
    elif type(x2) is int and isinstance(x1, np.ndarray) and x1.dtype.kind in "iu":
        x2 = np.asarray(x2, dtype=x1.dtype)
    if condition.size < MIN_SIZE_FOR_BITS:
        return np.where(condition, x1, x2)
    return _where(condition, x1, x2)


_where = choose("where")

# ---- sorting, searching, counting


def repeat(x: _Array, repeats: Any, /, *, axis: int | None = None) -> _Array:
    """NumPy refuses repetitions of dtype uint64."""
    if isinstance(repeats, np.ndarray) and repeats.dtype.kind == "u":
        repeats = repeats.astype(np.int64)
    return np.repeat(x, repeats, axis)


def searchsorted(x1: _Array, x2: Any, /, *, side: Any = "left", sorter: Any = None) -> _Array:
    """NumPy refuses a sorter of dtype uint64, and promotes with a scalar."""
    if type(x2) is float or (type(x2) is int and x1.dtype.kind == "f"):
        x2 = np.asarray(x2, dtype=np.result_type(x1, 0.0))
    x1, x2 = as_host(x1), as_host(x2)
    if isinstance(sorter, np.ndarray) and sorter.dtype == np.uint64:
        sorter = sorter.astype(np.int64)
    return sorting.searchsorted(np, np.searchsorted, x1, x2, side, sorter)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> _Array:
    """Exact for mixed integers."""
    return sorting.isin(np, np.isin, as_host(x1), as_host(x2), invert=invert)


def sort(x: _Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> _Array:
    """NumPy has no descending order. Flip before and after, so that ties keep their order."""
    kind: Any = "stable" if stable else None
    if descending:
        return np.flip(np.sort(np.flip(x, axis), axis, kind=kind), axis)
    return np.sort(x, axis, kind=kind)


# ---- sums and norms


def mean(x: _Array, /, *, axis: Any = None, keepdims: bool = False) -> _Array:
    """Sum divided by the number of elements, as in NumPy.

    NumPy's sum accepts axis 0 or -1 for an array without axes, but its mean does not. Its mean is
    written in Python, and takes twice as long as the sum for few elements.
    """
    if not 0 < x.size < 1 << 24 or x.dtype.char not in "fdD":
        # It warns of no elements, converts integers, and divides in higher precision: half
        # precision, single complex, and by counts that single precision does not hold.
        return x.mean(axis=axis if x.ndim else _of_no_axes(axis), keepdims=keepdims)
    reduce: Any = np.add.reduce
    total = reduce(x, axis=axis, keepdims=keepdims)
    return total / (x.size // total.size)


def _of_no_axes(axis: Any) -> Any:
    """`axis` for an array without axes: None if it is 0 or -1."""
    return None if axis in (0, -1) else axis


def var(
    x: _Array, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> _Array:
    """NaN where NumPy divides by 0 or less; half precision is summed in single precision.

    An array without axes has axis 0 or -1, as in `mean`.
    """
    axis = axis if x.ndim else _of_no_axes(axis)
    if x.dtype.char == "e":
        wide = var(x.astype(np.float32), axis=axis, correction=correction, keepdims=keepdims)
        return wide.astype(x.dtype)
    if correction and x.size:
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        count = math.prod(x.shape[i] for i in axes if -x.ndim <= i < x.ndim)
        if count <= correction:
            return x.var(axis=axis, keepdims=keepdims) * math.nan
    return x.var(axis=axis, ddof=correction, keepdims=keepdims)


def std(
    x: _Array, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> _Array:
    """Square root of `var`; of scaled elements where the variance overflows or underflows."""
    if x.dtype.char == "e":
        wide = std(x.astype(np.float32), axis=axis, correction=correction, keepdims=keepdims)
        return wide.astype(x.dtype)
    with quiet():
        out = np.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))
    small, _, largest = _RANGES[out.dtype]
    good = (out >= math.sqrt(small)) & (out <= largest)
    if _all_true(good) or not x.size:
        return out
    axis = axis if x.ndim else _of_no_axes(axis)
    scale = _scale(np.abs(x), axis, np.max)
    again = np.sqrt(var(x / scale, axis=axis, correction=correction, keepdims=True)) * scale
    return np.where(good, out, again.reshape(out.shape))


def vector_norm(
    x: _Array, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> _Array:
    """Replace norms whose sum of powers overflows or underflows by those of scaled elements."""
    if ord in (0, 1) or math.isinf(ord):
        return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
    with quiet():  # overflow is corrected below
        norm = np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
    return _norm_in_range(norm, x, axis, ord)


def matrix_norm(x: _Array, /, *, keepdims: bool = False, ord: Any = "fro") -> _Array:
    """As `vector_norm`, for the Frobenius norm."""
    with quiet():
        norm = _linalg.matrix_norm(x, keepdims=keepdims, ord=ord)
    return _norm_in_range(norm, x, (-2, -1), 2) if ord in ("fro", None) else norm


def _norm_in_range(norm: _Array, x: _Array, axis: Any, ord: float) -> _Array:
    """Norms, recomputed with scaled elements where the sum of powers is inaccurate."""
    if not x.size:
        return norm
    small, smallest, largest = _RANGES[norm.dtype]
    edge = small ** (1 / ord)
    low, high = (edge, largest) if ord > 0 else (smallest, edge)
    good = (low <= norm) & (norm <= high)
    if _all_true(good):
        return norm
    size = np.abs(x)
    scale = _scale(size, axis, np.max if ord > 0 else np.min)
    with quiet():
        scaled = np.linalg.vector_norm(size / scale, axis=axis, keepdims=True, ord=ord)
    return np.where(good, norm, (scaled * scale).reshape(norm.shape))


def _scale(size: _Array, axis: Any, extreme: Callable[..., Any]) -> _Array:
    """Largest or smallest absolute values, as divisors: 1 in place of 0, NaN and infinity."""
    scale = extreme(size, axis=axis, keepdims=True)
    return np.where((scale > 0) & np.isfinite(scale), scale, 1)


#: Dtype -> the least sum that lost no digits to underflow, the least and largest number.
_RANGES = {
    np.dtype(d): tuple(map(float, (i.smallest_normal / i.eps, i.smallest_normal, i.max)))
    for d, i in ((d, np.finfo(d)) for d in ("float16", "float32", "float64"))
}


# ---- linear algebra


def matrix_power(x: _Array, n: int, /) -> _Array:
    """Copy the first power: NumPy returns the argument itself."""
    y = np.linalg.matrix_power(x, n)
    return y.copy() if y is x else y


def matrix_rank(x: _Array, /, *, rtol: Any = None) -> _Array:
    """array_api_compat takes the maximum of no values, and its tolerance may overflow."""
    if x.ndim > 1 and 0 in x.shape[-2:]:
        return np.zeros(x.shape[:-2], dtype=np.int64)
    if rtol is None and x.ndim > 1 and x.dtype.kind in "fc":
        rtol = max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)
    return _linalg.matrix_rank(x, rtol=rtol)


def with_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """LAPACK's pivoting and symmetric eigensolvers lose NaN; return NaN for such a matrix."""

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

    run.made_by = with_nan, function  # type: ignore[attr-defined]  # (for exported programs)
    return run


# ---- creation and shapes


def arange(start: Any, stop: Any, step: Any, *, dtype: Any) -> _Array:
    """NumPy's step is the difference of the first two numbers, rounded to the dtype."""
    if dtype.char not in "efF" or (
        type(start) is type(stop) is type(step) is int and abs(start) + abs(stop) + abs(step) < 2048
    ):
        return np.arange(start, stop, step, dtype=dtype)
    wide = np.result_type(dtype, np.float64)
    return np.arange(start, stop, step, dtype=wide).astype(dtype)


def unstack(x: _Array, /, *, axis: int = 0) -> tuple[_Array, ...]:
    """Views along an axis, also of single elements."""
    if not x.ndim:
        raise ValueError("the tensor has no axis to unstack")
    if axis:
        x = np.moveaxis(x, axis, 0)
    return tuple([x[i, ...] for i in range(x.shape[0])])


# ---- for gradients


def settle(x: _Array, weight: _Array) -> _Array:
    """Replace NaN in `x` by 0 where `weight` is 0 or infinite: 0 times infinity, for gradients.

    NaN is rare, and one pass over `x` shows that there is none. So does a smaller weight.
    """
    size = x.size
    if 16 * weight.size < size and np.all(np.isfinite(weight) & (weight != 0)):
        return x
    if _ndarray.kind(x) == "c" or (size > 10_000 and not x.flags.c_contiguous) or not size:
        with quiet():
            witness = np.add.reduce(x, axis=None)
    else:
        witness = x.item(x.argmax())  # a NaN counts as the largest
    if witness == witness:
        return x
    is_indeterminate = np.isnan(x) & ((weight == 0) | np.isinf(weight))
    settled = np.array(x)  # (with the strides of `x`, whatever those of the weight are)
    np.copyto(settled, 0, where=is_indeterminate)
    return settled


def is_settled(x: _Array, weight: _Array) -> bool:
    """Return True if `settle` has nothing to do."""
    return settle(x, weight) is x


def settle_weight(weight: _Array, slope: _Array) -> _Array:
    """`weight` for `settle`, with 1 where it is infinite and the product with `slope` is NaN."""
    return np.where(np.isinf(weight) & np.isnan(slope), 1, weight).astype(weight.dtype, copy=False)


def with_complex_result(function: Callable[..., _Array]) -> Callable[..., _Array]:
    """Transform along several axes; without axes, NumPy returns its argument."""

    def transform(
        x: _Array, /, *, s: Any = None, axes: Any = None, norm: str = "backward"
    ) -> _Array:
        out = function(x, s, axes, norm)
        if out is not x and out.dtype.kind == "c":
            return out
        return out.astype(np.complex64 if x.dtype in ("f4", "c8") else np.complex128)

    transform.made_by = with_complex_result, function  # type: ignore[attr-defined]
    return transform
