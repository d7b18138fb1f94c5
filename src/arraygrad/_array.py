"""The slots of a tensor. `Tensor` adds the operators and the methods to them."""

from __future__ import annotations

from typing import Any

from ._device import Device


class Array:
    """What a tensor consists of.

    Attributes
    ----------
    _data : object
        The backend's array.
    _device : Device
        Where that is.
    _trace : object or None
        What a transformation has attached: a node of a graph, or a tangent. A tensor without is
        plain. It has a `level`, which performs the operations that the tensor takes part in.
    _primal : Array or None
        Of a tensor with a trace, the tensor that the transformation wraps.
    _storage : Storage or None
        The memory that the tensor shares with others, if it does; see `_memory`.
    _saved : weakref or None
        The tensor that was last saved for a backward pass in the place of this one.
    _view : View, Exposed or None
        How the tensor came to share memory; see `_memory`.
    """

    __slots__ = (
        "__weakref__", "_data", "_device", "_primal", "_saved", "_storage", "_trace", "_view",
    )  # fmt: skip

    _data: Any
    _device: Device
    _trace: Any
    _primal: Any
    _storage: Any
    _saved: Any
    _view: Any

    def __init__(self, *_: Any, **__: Any) -> None:
        """Not for use; says which function to use."""
        raise TypeError("Tensor: not made by calling the class; use arraygrad.asarray(...)")


def wrap(cls: Any, data: Any, device: Device) -> Any:
    """What a backend's function returned, as tensors on `device`."""
    if type(data) is not device.array_type:
        if isinstance(data, tuple):
            parts = [wrap(cls, x, device) for x in data]
            make = getattr(type(data), "_make", tuple)  # named tuples keep their names
            return make(parts)
        data = device.ops["from_scalar"](data)  # NumPy returns a scalar where no axes are left
    out = cls.__new__(cls)
    out._data = data
    out._device = device
    out._trace = out._primal = out._storage = out._saved = out._view = None
    return out
