"""Dtypes of the standard, their kinds and limits, and the dtype arguments of functions.

The dtype of a tensor is a ``numpy.dtype`` on every device: CuPy shares NumPy's dtypes, and
comparing or hashing them is fast.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from ._backends import numpy as _host
from ._modes import Default, is_strict

DType: TypeAlias = Any  # numpy.dtype; only the backends import NumPy

# The namespace's dtypes are NumPy's scalar classes, as in NumPy's and CuPy's own namespaces. They
# equal the numpy.dtype that a tensor's `dtype` is; inside the package only the latter are used.
bool = _host.namespace.bool
int8 = _host.namespace.int8
int16 = _host.namespace.int16
int32 = _host.namespace.int32
int64 = _host.namespace.int64
uint8 = _host.namespace.uint8
uint16 = _host.namespace.uint16
uint32 = _host.namespace.uint32
uint64 = _host.namespace.uint64
float16 = _host.namespace.float16
float32 = _host.namespace.float32
float64 = _host.namespace.float64
complex64 = _host.namespace.complex64
complex128 = _host.namespace.complex128

#: Kinds of `isdtype` and `__array_namespace_info__().dtypes`.
KINDS: dict[str, tuple[DType, ...]] = {
    "bool": tuple(map(_host.dtype, (bool,))),
    "signed integer": tuple(map(_host.dtype, (int8, int16, int32, int64))),
    "unsigned integer": tuple(map(_host.dtype, (uint8, uint16, uint32, uint64))),
    "real floating": tuple(map(_host.dtype, (float32, float64))),
    "complex floating": tuple(map(_host.dtype, (complex64, complex128))),
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]

ALL: dict[str, DType] = {d.name: d for d in KINDS["bool"] + KINDS["numeric"]}

#: Beyond the standard: data may have half precision, but nothing is promoted to it.
HALF: DType = _host.dtype(float16)
KINDS["real floating"] += (HALF,)
KINDS["numeric"] += (HALF,)

#: Default dtypes, the same on every device and platform, by the kind of a Python scalar, unless
#: `default_dtype` sets others. Python's numbers are exact in these.
DEFAULTS: dict[str, DType] = {
    "real floating": ALL["float64"],
    "complex floating": ALL["complex128"],
    "integral": ALL["int64"],
    "indexing": ALL["int64"],
}
_BY_REAL: dict[DType, dict[str, DType]] = {
    ALL["float64"]: DEFAULTS,
    ALL["float32"]: DEFAULTS
    | {"real floating": ALL["float32"], "complex floating": ALL["complex64"]},
}
_defaults: ContextVar[dict[str, DType]] = ContextVar("arraygrad_default_dtypes", default=DEFAULTS)
get_defaults = _defaults.get

#: Python's and NumPy's scalars that may be differentiated by, and all that are numbers.
INEXACT = (float, complex, _host.namespace.inexact)
NUMBERS = (int, float, complex, _host.namespace.number)

#: `dtype` arguments that need no further check: the dtypes and their classes.
_CANONICAL: dict[Any, DType] = {d: d for d in ALL.values()} | {d.type: d for d in ALL.values()}
#: Python's types as dtypes, read as in NumPy; an error under `strict()`.
_PYTHON_TYPES: dict[Any, DType] = {
    builtins.bool: ALL["bool"],
    int: ALL["int64"],
    float: ALL["float64"],
    complex: ALL["complex128"],
}


def as_dtype(dtype: Any, function: str) -> DType:
    """Dtype of the standard that `dtype` names; None is returned as None.

    Raises
    ------
    TypeError
        If it names no such dtype, or under `strict()` if it is not itself a dtype of the namespace.
    """
    if dtype is None:
        return None
    try:
        return _CANONICAL[dtype]
    except (KeyError, TypeError):
        return _spelled_dtype(dtype, function)


def required_dtype(dtype: Any, function: str) -> DType:
    """Dtype of the standard that `dtype` names, which must not be None.

    Raises
    ------
    TypeError
        If it names no such dtype.
    """
    found = as_dtype(dtype, function)
    if found is None:
        raise TypeError(f"{function}: dtype must be given; got None")
    return found


def accumulator(dtype: Any, x: Any, function: str) -> DType:
    """Dtype of the computation of a reduction; it must not be real for complex elements.

    Raises
    ------
    TypeError
        If it is not one of the standard's, or would lose the imaginary part.
    """
    found = as_dtype(dtype, function)
    kind = getattr(getattr(x, "dtype", None), "kind", "")  # not of a tensor: the operation raises
    if found is not None and found.kind != "c" and kind == "c":
        raise TypeError(f"{function}: {x.dtype} as {found} would lose the imaginary part")
    return found


def _spelled_dtype(dtype: Any, function: str) -> DType:
    try:
        if isinstance(getattr(dtype, "dtype", None), _host.dtype):  # NumPy takes that of data
            raise TypeError
        found = _PYTHON_TYPES.get(dtype) or (ALL | {"float16": HALF}).get(_host.dtype(dtype).name)
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise TypeError(f"{function}: dtype must be one of {', '.join(ALL)}; got {dtype!r}")
    if is_strict():
        if found is HALF:
            raise TypeError(f"{function}: float16 is outside the standard; write float32")
        raise TypeError(
            f"{function}: dtype={dtype!r} is outside the standard; write dtype=xp.{found.name}"
        )
    return found


def dtype_of(x: Any, function: str) -> DType:
    """Dtype of a tensor, or the dtype itself."""
    found = getattr(x, "dtype", None)  # for the classes it is a descriptor
    return required_dtype(found if type(found) in _DTYPE_TYPES else x, function)


class default_dtype(Default):
    """Set or query the default floating-point dtype of new tensors.

    Parameters
    ----------
    dtype : dtype or str, optional
        New default, float32 or float64. The complex default becomes complex64 or complex128
        accordingly. Without it, nothing is set, and the `dtype` attribute of the returned object is
        the current default, initially float64.

    Raises
    ------
    TypeError
        If `dtype` is another dtype; the default is then unchanged.

    Notes
    -----
    The default is the dtype of creation functions, of `asarray` for Python's floats and complex
    numbers, of ``random.Generator`` and of the parameters of ``nn``'s layers. Data that has a dtype
    keeps it: NumPy's arrays and scalars, files, buffers. Promotion is not affected: a Python float
    takes the dtype of the other operand, and integers are converted to float64.

    The setting belongs to the current context (:mod:`contextvars`): other threads and asyncio tasks
    are not affected. As a context manager it restores the previous default on exit, also after an
    exception.

    Examples
    --------
    >>> import arraygrad as xp
    >>> with xp.default_dtype(xp.float32):
    ...     x = xp.ones(2)
    ...     z = xp.asarray(1j)
    >>> x.dtype, z.dtype
    (dtype('float32'), dtype('complex64'))
    >>> xp.default_dtype().dtype
    dtype('float64')
    """

    def __init__(self, dtype: DType | str | None = None, /) -> None:
        found = None
        if dtype is not None:
            with suppress(TypeError):  # unhashable
                found = _BY_REAL.get(_CANONICAL.get(dtype) or ALL.get(dtype))
            if found is None:
                raise TypeError(f"default_dtype: dtype must be float32 or float64; got {dtype!r}")
        super().__init__(_defaults, found, dtype is not None)
        self.dtype: DType = get_defaults()["real floating"]

    def __enter__(self) -> DType:
        return self.dtype

    def _again(self) -> default_dtype:
        return default_dtype(self.dtype)

    def __repr__(self) -> str:
        return f"default_dtype({self.dtype.name!r})"


def python_dtype(types: Iterable[type]) -> DType | None:
    """Default dtype for Python numbers of these types; None if all are ints or bools."""
    found = set(types)
    kind = "complex floating" if complex in found else "real floating" if float in found else ""
    return get_defaults().get(kind)


def scalar_dtype(value: Any) -> DType:
    """Dtype of a scalar: the default of its kind for a Python number, else its own dtype."""
    if hasattr(value, "dtype"):
        return value.dtype
    if isinstance(value, builtins.bool):
        return ALL["bool"]
    kind = "integral" if isinstance(value, int) else "real floating"
    return get_defaults()[kind if isinstance(value, (int, float)) else "complex floating"]


_DTYPE_TYPES = frozenset(map(type, [*ALL.values(), HALF]))


@dataclass(frozen=True, slots=True)
class FInfo:
    """Machine limits of a floating-point dtype, as Python floats."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True, slots=True)
class IInfo:
    """Machine limits of an integer dtype, as Python ints."""

    bits: int
    max: int
    min: int
    dtype: DType


@cache
def float_limits(dtype: DType) -> FInfo:
    i = _host.finfo(dtype)
    real = float32 if dtype == complex64 else float64 if dtype == complex128 else dtype.type
    return FInfo(
        int(i.bits),
        float(i.eps),
        float(i.max),
        float(i.min),
        float(i.smallest_normal),
        real,
    )


@cache
def integer_limits(dtype: DType) -> IInfo:
    i = _host.iinfo(dtype)
    return IInfo(int(i.bits), int(i.max), int(i.min), dtype)
