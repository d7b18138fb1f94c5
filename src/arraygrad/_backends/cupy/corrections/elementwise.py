"""Elementwise functions and in-place operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp
import numpy as np

from ...common.workspaces import add_memory, workspaces_like
from ..kernels import (
    INTEGERS,
    binary_integer_loops,
    logical,
    loops,
    real_or_complex,
    ufunc,
)

__all__ = [
    "acosh",
    "atan2",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "clip",
    "copysign",
    "divide",
    "expm1",
    "floor_divide",
    "hypot",
    "ifloordiv",
    "ilshift",
    "imod",
    "ipow",
    "irshift",
    "irtruediv",
    "itruediv",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "nextafter",
    "pow",
    "reciprocal",
    "remainder",
    "reserve",
    "round",
    "settle",
    "sign",
    "sweep",
    "tanh",
    "where",
]

_Array = Any


# ---- ufuncs of our own


def _real_binary(name: str) -> Any:
    return ufunc(
        name,
        "CuPy's also has loops for complex numbers, which do not compile.",
        *loops(f"{name}(in0, in1)", "ff->f", "dd->d"),
    )


def _shift(name: str) -> Any:
    return ufunc(
        name,
        "CuPy's depends on the hardware if a shift is negative or as long as the dtype.",
        *binary_integer_loops(f"arraygrad::{name}(in0, in1)"),
    )


atan2, copysign, hypot = _real_binary("atan2"), _real_binary("copysign"), _real_binary("hypot")
logical_and = logical("logical_and", "in0 != in0_type(0) && in1 != in1_type(0)")
logical_not = logical("logical_not", "in0 == in0_type(0)")
logical_or = logical("logical_or", "in0 != in0_type(0) || in1 != in1_type(0)")
logical_xor = logical("logical_xor", "(in0 != in0_type(0)) != (in1 != in1_type(0))")
bitwise_left_shift, bitwise_right_shift = _shift("left_shift"), _shift("right_shift")
floor_divide = ufunc(
    "floor_divide",
    "CuPy's is floor(x1 / x2), which rounds 1 / 0.1 up. The standard's infinities are kept.",
    *binary_integer_loops("arraygrad::int_floor_divide(in0, in1)"),
    *loops("arraygrad::floor_divide(in0, in1)", "ff->f", "dd->d"),
)
remainder = ufunc(
    "remainder",
    "CuPy's x1 - floor(x1 / x2) * x2 is NaN for an infinite x2, inexact, and loses signs of zeros.",
    *binary_integer_loops("arraygrad::int_remainder(in0, in1)"),
    *loops("arraygrad::remainder(in0, in1)", "ff->f", "dd->d"),
)
nextafter = ufunc(
    "nextafter",
    "Between two zeros the result is the second, and float32 steps through its subnormals.",
    *loops("arraygrad::nextafter(in0, in1)", "ff->f", "dd->d"),
)
divide = ufunc(
    "divide",
    "Complex: CuPy's overflows for large divisors and is NaN for a zero divisor (Smith, 1962).",
    *loops("double(in0) / double(in1)", "qq->d", "qQ->d", "Qq->d", "QQ->d"),
    *loops("in0 / in1", "ff->f", "dd->d"),
    *loops("arraygrad::divide(in0, in1)", "FF->F", "DD->D"),
)
reciprocal = ufunc(
    "reciprocal",
    "Complex: the same division.",
    *loops("in0 == 0 ? 0 : 1 / in0", *(f"{t}->{t}" for t in INTEGERS)),
    *loops("1 / in0", "f->f", "d->d"),
    *loops("arraygrad::divide(in0_type(1), in0)", "F->F", "D->D"),
)
_sign = ufunc(
    "sign",
    "Complex: division by abs overflows. Real: array_api_compat's test for NaN waits for the GPU.",
    *loops("(in0 > 0) - (in0 < 0)", *(f"{t}->{t}" for t in INTEGERS)),
    *loops("in0 > 0 ? 1 : in0 < 0 ? -1 : in0 - in0", "f->f", "d->d"),
    *loops("arraygrad::sign(in0)", "F->F", "D->D"),
)
log = real_or_complex(
    "log",
    "complex_log(in0)",
    "Complex: an infinite component counts, also if the other one is NaN.",
)
log2 = real_or_complex(
    "log2",
    "scaled_log(in0, in0_type::value_type(1.4426950408889634))",
    "Complex: as log. CuPy divides by a complex number, which turns infinities into NaN.",
)
log10 = real_or_complex(
    "log10", "scaled_log(in0, in0_type::value_type(0.4342944819032518))", "Complex: as log."
)
log1p = real_or_complex(
    "log1p",
    "complex_log1p(in0)",
    "Complex: CuPy takes log(1 + x). Here it is log1p(2x + x² + y²) / 2. That sum may cancel, so "
    "it is computed without rounding errors (Knuth, TAOCP vol. 2, 4.2.2).",
)
expm1 = real_or_complex(
    "expm1",
    "complex_expm1(in0)",
    "Complex: CuPy takes exp(x) - 1, which loses a small real part.",
)
acosh = real_or_complex(
    "acosh", "complex_acosh(in0)", "Complex: the imaginary part of acosh(0 + NaN j) is ±π/2."
)
tanh = real_or_complex(
    "tanh",
    "complex_tanh(in0)",
    "Complex: at 0 + inf j and 0 + NaN j only the imaginary part is NaN. Where the real part is "
    "infinite, the imaginary part is a zero with the argument's sign.",
)


# ---- functions


def sign(x: _Array, /) -> _Array:
    """CuPy reads bools as small integers."""
    if x.dtype.kind == "b":
        raise TypeError("a bool has no sign")
    return _sign(x)


def pow(x1: Any, x2: Any, /) -> _Array:
    """An integer to a negative power is 0 or garbage in CuPy.

    This raises for a Python int, but not for an array of exponents, because the search for negative
    ones would wait for the GPU.
    """
    if type(x2) is int:
        if x2 == 2 and x1.dtype.kind == "b":
            return cp.square(x1)  # has NumPy's dtype
        _check_power(x1, x2)
    return cp.power(x1, x2)


def ipow(x1: _Array, x2: Any, /) -> None:
    """The same as `pow`."""
    if type(x2) is int and x1.dtype.kind != "b":  # CuPy raises for bools
        _check_power(x1, x2)
    x1 **= x2


def _check_power(x: _Array, n: int) -> None:
    if n < 0 and x.size and x.dtype.kind in "biu":
        raise ValueError("Integers to negative integer powers are not allowed.")


def clip(x: _Array, /, min: Any = None, max: Any = None) -> _Array:
    """CuPy promotes the dtype and ignores NaN bounds; array_api_compat waits for the GPU."""
    y = x
    if min is not None:
        y = cp.maximum(y, _bound(min, x.dtype))
    if max is not None:
        y = cp.minimum(y, _bound(max, x.dtype))
    return x.copy() if y is x else y.astype(x.dtype, copy=False)


def _bound(bound: Any, dtype: Any) -> Any:
    """Bound of `clip`; for an integer dtype, an integer in its range."""
    if dtype.kind not in "iu":
        return bound
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    if isinstance(bound, (int, float)) and bound == bound:
        return low if bound < low else high if bound > high else int(bound)
    if type(bound) is cp.ndarray and bound.dtype.kind in "iu" and bound.dtype != dtype:
        own = np.iinfo(bound.dtype)
        low, high = sorted((low, high, int(own.min), int(own.max)))[1:3]
        return cp.minimum(cp.maximum(bound, low), high).astype(dtype)
    return bound


def round(x: _Array, /) -> _Array:
    """CuPy rounds bools to half-precision numbers, which the standard lacks."""
    return x.round() if x.dtype.kind != "b" else x.astype("float64")


def where(condition: _Array, x1: Any, x2: Any, /) -> _Array:
    """CuPy refuses ints beyond 64 bits, even together with an array of floats."""
    if type(x1) is int and type(x2) is cp.ndarray and x2.dtype.kind in "fc":
        x1 = float(x1)
    elif type(x2) is int and type(x1) is cp.ndarray and x1.dtype.kind in "fc":
        x2 = float(x2)
    return cp.where(condition, x1, x2)


# ---- in place


def _in_place(function: Any) -> Callable[[_Array, Any], None]:
    def run(x1: _Array, x2: Any, /) -> None:
        """CuPy's in-place operator would need the same corrections."""
        function(x1, x2, x1)

    return run


itruediv, ifloordiv, imod = _in_place(divide), _in_place(floor_divide), _in_place(remainder)
ilshift, irshift = _in_place(bitwise_left_shift), _in_place(bitwise_right_shift)


def irtruediv(x: _Array, y: Any) -> _Array:
    """Write ``y / x`` into `x`."""
    return divide(y, x, x)


# ---- for gradients and optimisers


def settle(x: _Array, weight: _Array) -> _Array:
    """Replace NaN in `x` by 0 where `weight` is 0 or infinite.

    NumPy's backend first looks for a NaN, which would wait for the GPU.
    """
    if x.dtype.kind == weight.dtype.kind == "f":
        return _settle(x, weight)
    indeterminate = cp.isnan(x) & ((weight == 0) | cp.isinf(weight))
    return cp.where(indeterminate, cp.zeros((), x.dtype), x)


_settle = cp.ElementwiseKernel(
    "T x, W weight",
    "T out",
    "out = isnan(x) && (weight == W(0) || isinf(weight)) ? T(0) : x",
    "arraygrad_settle",
)


def sweep(
    update: Callable[..., Any], arrays: list[_Array], n_workspaces: int, memory: list[_Array]
) -> None:
    """Run an elementwise update on whole arrays; blocks would not help on a GPU."""
    update(_store, *arrays, *workspaces_like(arrays[0], memory[:n_workspaces]))


def reserve(memory: list[_Array], arrays: list[_Array], n_workspaces: int) -> None:
    """Add the memory of workspaces that `sweep` needs for these arrays."""
    add_memory(cp, memory, n_workspaces, arrays[0].nbytes)


def _store(out: _Array, name: str, *operands: Any) -> None:
    getattr(cp, name)(*operands, out=out)
