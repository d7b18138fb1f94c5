"""Nested Python sequences that hold tensors, read as one tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._array import Array, wrap
from ._backends import numpy as _host
from ._device import Device
from ._dispatch import call, common_device, sequence
from ._errors import explain
from ._modes import get_recorder


def holds_tensor(obj: Any) -> bool:
    """Return True if nested sequences hold a tensor."""
    if isinstance(obj, Array):
        return True
    return isinstance(obj, (list, tuple)) and any(map(holds_tensor, obj))


def device_of(obj: Any) -> Device | None:
    """The device of the first tensor in nested sequences."""
    if isinstance(obj, Array):
        return obj._device
    if isinstance(obj, (list, tuple)):
        for x in obj:
            found = device_of(x)
            if found is not None:
                return found
    return None


def host_data(target: Any, obj: Any, dtype: Any, copy: bool | None) -> Any:
    """Data of the host as an array of a device."""
    recorder = get_recorder()
    if recorder is None:
        return target.ops["from_host"](target.backend.as_host(obj, dtype, copy))
    return recorder.imported(target, obj, dtype, copy)


def may_share_memory(data: Any, obj: Any, device: Any) -> bool:
    """Return True if an array, made of an object without `copy=True`, may have its memory."""
    if data is obj or device.ops["root"](data) is not data:
        return True
    # An object may give the same array at each call. (Where there is an interface, NumPy asks for
    # that instead, and the array refers to the object.)
    return hasattr(obj, "__array__") and not hasattr(obj, "__array_interface__")


def stack_nested(name: str, obj: Any, device: Any, read: Callable[..., Any]) -> Any:
    """Stack nested sequences, so that tensors stay on their device and keep their trace.

    `read(obj, device)` converts everything that neither is nor contains a tensor.
    """
    if isinstance(obj, Array):
        return obj  # on whichever device: a mixture is refused
    if not isinstance(obj, (list, tuple)):
        return read(obj, device)
    device = device or device_of(obj)
    parts = [stack_nested(name, x, device, read) for x in obj]
    if any(p.shape != parts[0].shape for p in parts):
        shapes = ", ".join(str(p.shape) for p in parts)
        raise ValueError(f"{name}: the elements of a sequence differ in shape: {shapes}")
    common_device(name, parts)
    common = _host.result_type(*[p._data.dtype for p in parts])
    return sequence(
        "stack",
        [
            p if p._data.dtype == common else call("astype", p, (common,), {"copy": False})
            for p in parts
        ],
        axis=0,
    )


def from_sequence(name: str, obj: Any, like: Array, dtype: Any = None) -> Any:
    """Tensor of a list, on the device of the tensors in it, or else of `like`."""

    def read(x: Any, device: Any) -> Any:
        target = device or like._device
        try:
            data = host_data(target, x, dtype, None)
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise explain(error, name, (x,)) from error
        return wrap(type(like), data, target)

    return stack_nested(name, obj, None, read) if holds_tensor(obj) else read(obj, None)
