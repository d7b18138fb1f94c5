"""Conversions between NumPy's arrays and other objects, indexing, and memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from .. import _ndarray

_Array = Any

# ---- helpers for all backends


def is_host_scalar(x: object) -> bool:
    """Return True if `x` is a NumPy scalar: data of one element, on the host."""
    return isinstance(x, np.generic)


def as_host(obj: Any, dtype: Any = None, copy: bool | None = None) -> _Array:
    """Convert `obj` to an ndarray (not a subclass) of native byte order.

    Raises
    ------
    TypeError
        If the dtype is not in the standard, or an element is masked.
    OverflowError
        If no integer dtype can hold an int.
    """
    if isinstance(obj, np.ndarray) and hasattr(obj, "mask"):
        raise TypeError("a masked array would lose its mask; fill it first: a.filled(value)")
    if dtype is not None:
        kind = getattr(getattr(obj, "dtype", dtype), "kind", "")
        if kind == "c" and dtype.kind in "iuf":
            raise TypeError(f"complex numbers as {dtype} would lose the imaginary part")
        if kind in ("S", "U") or _has_no_numbers(obj):
            raise TypeError(f"text and None cannot be converted to {dtype}")
    try:
        a = np.array(obj, dtype=dtype, copy=copy)
    except TypeError as error:
        if "complex" in str(error):
            raise TypeError(f"complex numbers as {dtype} would lose the imaginary part") from error
        raise
    if (
        dtype is None
        and a.dtype.char == "d"
        and type(obj) in (list, tuple)
        and not (obj and type(obj[0]) is float)  # the most frequent case, recognised early
        and _has_only_ints(obj)
    ):
        a = np.array(obj, dtype=np.uint64, copy=copy)  # some of them need uint64
    native = _NATIVE.get(a.dtype.kind + str(a.dtype.itemsize))
    if native is None:
        if a.dtype == object and any(
            isinstance(x, int) and not -(2**63) <= x < 2**64 for x in a.flat
        ):
            raise OverflowError("an integer is too large for int64 and uint64")
        raise TypeError(f"the elements have dtype {a.dtype}, which is not in the standard")
    if a.dtype is not native:
        # Another byte order needs a conversion; a C long long instead of a long only a label.
        if a.dtype == native:
            a = a.view(native)
        elif copy is False:
            raise ValueError(f"dtype {a.dtype} cannot be read without a copy")
        else:
            a = a.astype(native)
    return a


def is_native(obj: Any) -> bool:
    """Return True for an array that `as_host` returns as it is, without a dtype."""
    return type(obj) is _array_type and _NATIVE_DTYPES.get(obj.dtype) is obj.dtype


_PLAIN = {bool, int, float, complex}


def _has_no_numbers(obj: Any) -> bool:
    """Return True if nested sequences hold text or None, which NumPy would convert."""
    if isinstance(obj, (list, tuple)):
        return not _PLAIN.issuperset(map(type, obj)) and any(map(_has_no_numbers, obj))
    return obj is None or isinstance(obj, (str, bytes))


def _has_only_ints(obj: Any) -> bool:
    """Return True if nested sequences hold Python ints only, and at least one."""
    if isinstance(obj, (list, tuple)):
        return bool(obj) and all(map(_has_only_ints, obj))
    return isinstance(obj, int)


_NATIVE = {
    d.kind + str(d.itemsize): d
    for d in map(
        np.dtype,
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
        "float16 float32 float64 complex64 complex128".split(),
    )
}
_NATIVE_DTYPES = {dtype: dtype for dtype in _NATIVE.values()}
_array_type = np.ndarray  # (looked up in NumPy, it takes half of the time)


def to_text(data: _Array, prefix: str) -> str:
    """The elements as shown by `repr` and `str`, aligned after `prefix`."""
    return np.array2string(data, separator=", ", prefix=prefix)


# ---- between devices and libraries


def from_host(data: _Array, stream: Any = None) -> _Array:
    """Return the data unchanged: the host is the CPU."""
    return data


def to_host(data: _Array, stream: Any = None) -> _Array:
    """Return the data unchanged: the CPU is the host."""
    return data


def dlpack(
    data: _Array, *, stream: Any, max_version: Any, dl_device: Any, copy: bool | None
) -> Any:
    """Raise BufferError as the standard requires; versions of NumPy raise different errors."""
    try:
        return data.__dlpack__(
            stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
        )
    except (ValueError, RuntimeError) as error:
        raise BufferError(f"__dlpack__: {error}") from error


def from_dlpack(x: Any, copy: bool | None = None) -> _Array:
    """Import by NumPy, which cannot leave the choice of the device to the producer."""
    try:
        data = as_host(np.from_dlpack(x, copy=copy), copy=None)
    except RuntimeError as error:  # for a dtype that NumPy lacks
        raise BufferError(str(error)) from error
    # Some producers mark their copies, too, as read-only.
    return data.copy() if copy and not data.flags.writeable else data


# ---- indexing


def getitem(x: _Array, key: Any, /) -> _Array:
    """Index with a trailing ellipsis, or NumPy would return a scalar for a single element."""
    selected = x[key]
    if type(selected) is np.ndarray:
        return selected
    return x[(*key, ...) if type(key) is tuple else (key, ...)]


def setitem(x: _Array, value: Any, key: Any, /) -> None:
    """Assignment as a function."""
    x[key] = value


# ---- for gradients


def bounds(x: _Array) -> tuple[int, int]:
    """The range of addresses of an array's elements."""
    return _ndarray.bounds(x, byte_bounds)


def root(x: _Array) -> Any:
    """The object that owns an array's memory: the array itself unless it is a view."""
    base = x.base
    while base is not None:
        x, base = base, getattr(base, "base", None)
    return x


def irtruediv(x: _Array, y: Any) -> _Array:
    """Write ``y / x`` into `x`."""
    return np.divide(y, x, out=x)


def copy_apart(x: _Array) -> _Array:
    """A copy with the same strides, gaps included."""
    if not x.size:
        return x.copy()
    steps = [(n - 1) * s for n, s in zip(x.shape, x.strides, strict=True)]
    start = -sum(min(step, 0) for step in steps)
    memory = np.empty(start + sum(max(step, 0) for step in steps) + x.itemsize, dtype=np.uint8)
    out: _Array = np.ndarray(x.shape, x.dtype, memory, start, x.strides)
    out[...] = x
    return out


def scatter(x: _Array, key: Any, shape: tuple[int, ...]) -> _Array:
    """Zeros of `shape`, plus `x` at `key`; repeated indices add up.

    `np.add.at` is fast only for one axis, so other cases are reduced to that one where it pays.
    """
    out = np.zeros(shape, dtype=x.dtype)
    keys = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(k, np.ndarray) and k.dtype != bool for k in keys):
        out[key] = x
    elif not x.size:
        pass
    elif len(keys) == 1:
        _add_rows(out.reshape(shape[0], -1), keys[0].reshape(-1), x)
    elif 8 * x.size >= out.size:
        places = np.arange(out.size).reshape(shape)[key]
        np.add.at(out.reshape(-1), places.reshape(-1), x.reshape(-1))
    else:
        np.add.at(out, key, x)
    return out


def _add_rows(out: _Array, index: _Array, x: _Array) -> None:
    """Add rows to those of a matrix that an index selects, in the order of the index."""
    height, width = out.shape
    index = index.astype(np.intp)
    index[index < 0] += height
    x = x.reshape(index.size, width)
    repeats = int(np.bincount(index).max())
    if width < 64 or x.size < 8192 * repeats:  # (a round of the loop below costs about 10 µs)
        np.add.at(out.reshape(-1), np.add.outer(index * width, np.arange(width)).reshape(-1),
                  x.reshape(-1))  # fmt: skip
        return
    # All rows that are selected once, then those that are selected once more, and so on.
    order = np.argsort(index, kind="stable")
    index = index[order]
    is_first = np.ones(index.shape, dtype=bool)
    np.not_equal(index[1:], index[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=index.size)
    out[index[starts]] = x.take(order[starts], axis=0)
    for i in range(1, repeats):
        chosen = starts[counts > i] + i
        rows = index[chosen]
        part = out.take(rows, axis=0)
        part += x.take(order[chosen], axis=0)
        out[rows] = part
