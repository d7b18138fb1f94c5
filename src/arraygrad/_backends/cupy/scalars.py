"""Python scalars as operands of CuPy's functions: dtypes, and ints that do not fit."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import cupy as cp
import numpy as np

from .devices import ufunc_of

_Array = Any

_fill = cp.ElementwiseKernel("T value", "T out", "out = value", "arraygrad_fill")


def scalar_array(value: Any, dtype: Any) -> _Array:
    """Array without axes that contains `value`, filled by a kernel, without a copy."""
    out = cp.empty((), dtype)
    _fill(out.dtype.type(value), out)
    return out


def as_arrays(x1: Any, x2: Any) -> list[_Array]:
    """Two arrays, or an array and a Python scalar, as arrays of their common dtype."""
    dtype = np.result_type(getattr(x1, "dtype", x1), getattr(x2, "dtype", x2))
    return [
        x.astype(dtype, copy=False) if type(x) is cp.ndarray else scalar_array(x, dtype)
        for x in (x1, x2)
    ]


def python_scalar(value: Any) -> Any:
    """Convert a 0-d array or a NumPy scalar to a Python scalar."""
    return value.item() if hasattr(value, "item") else value


def fit_int(value: int, dtype: Any) -> Any:
    """Convert a Python int to an operand for arrays of a dtype.

    CuPy wraps it around if the dtype cannot hold it, and refuses ints beyond 64 bits.

    Raises
    ------
    OverflowError
        If the dtype is an integer dtype and cannot hold it.
    """
    if dtype.kind in "fc":
        return value if -(2**63) <= value < 2**63 else float(value)
    if not _can_hold(dtype, value):
        raise OverflowError(f"Python integer {value} out of bounds for {dtype}")
    return value if value < 2**63 else np.uint64(value)  # CuPy 14.0 takes a C long


def _can_hold(dtype: Any, value: int) -> bool:
    info = np.iinfo("int64" if dtype.kind == "b" else dtype)
    return int(info.min) <= value <= int(info.max)


#: Comparisons -> Python's operators.
COMPARISONS = {
    "equal": operator.eq,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "not_equal": operator.ne,
}
#: The functions of two operands that take a Python int for one of them.
BINARY = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign "
    "divide floor_divide hypot iadd iand ifloordiv ilshift imod imul ior ipow irshift isub "
    "itruediv ixor logaddexp logical_and logical_or logical_xor maximum minimum multiply nextafter "
    "pow remainder subtract"
).split()
#: Functions for which NumPy reads a Python int as this dtype, not as the other operand's.
_INT_DTYPES: dict[str, Any] = dict.fromkeys(("divide", "itruediv"), np.dtype("float64"))
_INT_DTYPES |= dict.fromkeys(("logical_and", "logical_or", "logical_xor"), np.dtype("int64"))


def with_python_ints(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of two operands treat Python ints as NumPy does."""
    compare = COMPARISONS.get(name)
    fixed_dtype = _INT_DTYPES.get(name)

    def run(x1: Any, x2: Any, /) -> Any:
        # An int outside the range of an integer dtype compares alike with all of its numbers.
        if type(x2) is int and not 0 <= x2 < 128:
            dtype = x1.dtype
            if compare is not None and dtype.kind in "iu" and not _can_hold(dtype, x2):
                return cp.full(x1.shape, compare(0, x2))
            x2 = fit_int(x2, fixed_dtype or dtype)
        elif type(x1) is int and not 0 <= x1 < 128:
            dtype = x2.dtype
            if compare is not None and dtype.kind in "iu" and not _can_hold(dtype, x1):
                return cp.full(x2.shape, compare(x1, 0))
            x1 = fit_int(x1, fixed_dtype or dtype)
        return function(x1, x2)

    # (mypy does not support attributes of functions.)
    run.ufunc = ufunc_of(function)  # type: ignore[attr-defined]
    return run
