"""Indexing: conversion of indices for the backends, and the operations with an index."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

from . import _cpython
from ._array import Array, wrap
from ._device import Device, get_device
from ._dispatch import (
    SCALARS,
    _operand,
    device_mismatch,
    is_foreign_array,
    unary,
)
from ._errors import DeviceMismatchError, TransferError, describe, explain
from ._memory import before_write, link_view, storage_of
from ._modes import _mode, is_strict, operation
from ._sequences import from_sequence, host_data
from ._standard import check

#: Index entries that every backend takes as they are; an index of these alone gives a view.
BASIC = frozenset({int, slice, EllipsisType, type(None)})


def is_basic(key: Any) -> bool:
    """Return True if an index selects a view, not a copy (NumPy's basic indexing)."""
    if type(key) is not tuple:
        return type(key) in BASIC
    for k in key:  # noqa: SIM110  (Cython takes no generator in such a function)
        if type(k) not in BASIC:
            return False
    return True


def getitem(x: Any, key: Any) -> Any:
    """``x[key]``."""
    if x._trace is not None:
        level = x._trace.level
        if type(key) not in BASIC:
            level = level_of_key(key) or level
            if x._device.type == "cuda":
                key = counted(key, x)
        return level.process("getitem", (x,), (key,), {})
    device = x._device
    if type(key) not in BASIC:
        try:
            data_key = key_data("__getitem__", key, x)
        except BatchedKeyError as found:
            return found.level.process("getitem", (x,), (key,), {})
        key = data_key
    function = device.ops["getitem"]
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        if mode.strict:
            check("getitem", (x,), (key,), {})
        if mode.nans is not None:
            function = mode.nans.checked("getitem", function, x)
        if mode.recorder is not None:
            function = mode.recorder.recorded("getitem", function, device, (x,))
    try:
        out = wrap(type(x), function(x._data, key), device)
    except Exception as error:
        raise explain(error, "__getitem__", (x, key)) from error
    if is_basic(key):
        link_view(x, out, "getitem", (key,), {})
    return out


def setitem(x: Any, key: Any, value: Any) -> None:
    """``x[key] = value``; the value is broadcast and cast to the dtype of `x`."""
    if isinstance(value, (list, tuple)):
        if is_strict():
            raise TypeError("__setitem__: a list is outside the standard; write xp.asarray(...)")
        value = from_sequence("__setitem__", value, x, x._data.dtype)
    elif (
        not (isinstance(value, Array) or type(value) in SCALARS or is_strict())
        and x._device.backend.is_host_scalar(value)
    ):  # fmt: skip
        value = value.item()  # which raises, and does not wrap around
    if x._data.dtype.kind != "c" and (
        isinstance(value, complex) or (isinstance(value, Array) and value._data.dtype.kind == "c")
    ):
        raise TypeError(
            f"__setitem__: a complex value does not fit into a {x._data.dtype} tensor; "
            "write xp.real(value)"
        )
    for part in (x, value):
        if isinstance(part, Array):
            t = part
            if t._trace is not None:
                t._trace.level.process("__setitem__", (x, value), (key,), {})
                return
    device = x._device
    try:
        data_key = key_data("__setitem__", key, x)
    except BatchedKeyError as found:
        found.level.process("__setitem__", (x, value), (key,), {})
        return
    key = data_key
    if isinstance(value, Array):
        t = value
        if t._device is not device:
            raise device_mismatch("__setitem__", device, t._device)
        data = t._data
        shared = t._storage is not None and x._storage is not None
        if shared and storage_of(t) is storage_of(x):
            # (NumPy would read elements just written, CuPy any.)
            data = operation(device, "copy")(data)
    else:
        data = value if type(value) in SCALARS else _operand("__setitem__", value, device)
    function = device.ops["__setitem__"]
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        if mode.strict:
            check("__setitem__", (x, value), (key,), {})
        if mode.nans is not None:
            function = mode.nans.checked("__setitem__", function, x)
        if mode.recorder is not None:
            function = mode.recorder.recorded("__setitem__", function, device, (x, value))
    before_write(x)
    try:
        function(x._data, data, key)
    except Exception as error:
        raise explain(error, "__setitem__", (x, key, value)) from error


def scatter(x: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, plus `x` at `key`; repeated indices add up."""
    level = level_of_key(key)
    if level is None and x._trace is not None:
        level = x._trace.level
    if level is not None:
        return level.process("scatter", (x,), (key, shape), {})
    device = x._device
    data = operation(device, "scatter")(x._data, key_data("scatter", key, x), shape)
    return wrap(type(x), data, device)


class BatchedKeyError(Exception):
    """An index differs between the examples of a batch. Raised and caught in this module."""

    def __init__(self, level: Any) -> None:
        self.level = level


def level_of_key(key: Any) -> Any:
    """The level of the first index tensor with a trace, a hidden axis; None without one."""
    if type(key) in BASIC:
        return None
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, Array) and k._trace is not None and k._data.dtype.kind in "biu":
            k._trace.level.refresh(k)
            if k._trace is not None:
                return k._trace.level
    return None


def key_data(name: str, key: Any, x: Array) -> Any:
    """Convert an index of `x` for the backend: tensors to its arrays, and lists to tensors first.

    Raises
    ------
    DeviceMismatchError
        If an index tensor is on another device than `x`.
    TransferError
        If an index is a NumPy array and `x` is not on the CPU.
    IndexError
        If an index has another type.
    """
    if type(key) in BASIC:
        return key
    if isinstance(key, tuple):
        return tuple([k if type(k) in BASIC else key_data(name, k, x) for k in key])
    device = x._device
    if isinstance(key, Array):
        if key._trace is not None and (level := level_of_key(key)) is not None:
            raise BatchedKeyError(level)
        return _array_index(name, key, device)
    if isinstance(key, int):
        return key
    if device.backend.is_host_scalar(key):
        return key.item()
    if is_strict() and (isinstance(key, (list, range)) or is_foreign_array(key)):
        raise IndexError(
            f"{name}: the standard has no index of type {type(key).__name__}; "
            "write x[xp.asarray(i)]"
        )
    if isinstance(key, (list, range)):
        # (NumPy reads an empty list as no indices.)
        dtype = None if key else device.backend.index_dtype
        return _array_index(name, from_sequence(name, list(key), x, dtype), device)
    if is_foreign_array(key):
        if device is not get_device("cpu"):
            raise TransferError(
                f"{name}: a NumPy array cannot index a tensor on {device}; "
                f'move it first: arraygrad.asarray(i, device="{device}")'
            )
        try:
            key = wrap(type(x), host_data(device, key, None, None), device)
        except TypeError as error:
            raise IndexError(f"{name}: {error}; got {describe(key)}") from error
        return _array_index(name, key, device)
    if hasattr(key, "__index__") and not isinstance(key, type):
        return key.__index__()
    raise IndexError(
        f"{name}: an index is an integer, a slice, ..., None, an integer or boolean tensor or list "
        f"of such, or a tuple of these; got {describe(key)}"
    )


def _array_index(name: str, key: Array, device: Device) -> Any:
    if key._device is not device:
        raise DeviceMismatchError(
            f"{name}: the index is on device {key._device}, the tensor on {device}; "
            f'move the index first: i.to_device("{device}")'
        )
    if key._data.dtype.kind not in "biu":
        raise IndexError(
            f"{name}: an index array must be of integer or boolean dtype; got {key._data.dtype}"
        )
    return key._data


def counted(key: Any, x: Any) -> Any:
    """Index of `x` with positions instead of masks; the host waits for a GPU.

    For traced tensors: their rules index again, and need not wait again. An invalid index is
    returned unchanged, so that indexing raises its error.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if not all(type(k) in BASIC or isinstance(k, Array) for k in keys):
        return key
    axis = 0
    found: list[Any] = []
    for i, k in enumerate(keys):
        if isinstance(k, Array) and k._data.ndim and k._data.dtype.kind == "b":
            if k._data.shape != x.shape[axis : axis + k._data.ndim]:
                return key
            found.extend(unary("nonzero", k))
        else:
            found.append(k)
        axis = x.ndim - sum(map(_axes, keys[i + 1 :])) if k is Ellipsis else axis + _axes(k)
    return tuple(found)


def _axes(key: Any) -> int:
    """Number of axes of a tensor that an entry of an index consumes."""
    if key is None or key is Ellipsis:
        return 0
    if isinstance(key, Array) and key._data.dtype.kind == "b":
        return int(key._data.ndim)
    return 1
