"""The slots of a tensor, and the interface between tensors and transformations.

`Tensor` adds the operators and the methods to the slots. Where this module is compiled, its classes
are extension classes, whose slots compiled code reads directly.
"""

from __future__ import annotations

from typing import Any


class DeviceSlots:
    """The attributes of a `Device`.

    Attributes
    ----------
    ops : dict
        The backend's function for each operation, by name.
    array_type : type
        The class of the backend's arrays.
    """

    __slots__ = ("_name", "array_type", "backend", "index", "ops", "type")

    _name: str
    array_type: Any
    backend: Any
    index: int
    ops: dict[str, Any]
    type: str


class Level:
    """A running transformation, which decides how operations on its tensors are performed.

    Attributes
    ----------
    number : int
        Nested transformations have higher numbers.
    closed : bool
        True once the transformed function has returned. Remaining tensors of the level are then
        constants, and are unwrapped when they are next used.
    """

    __slots__ = ("closed", "number")

    closed: bool
    number: int

    #: True if its traces are tangents.
    forward = False
    #: True if it is of use to rules only: results are unwrapped from it where they are handed out.
    hidden = False

    def process(
        self, name: str, operands: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Perform an operation in which a tensor of this level takes part."""
        raise NotImplementedError


class Trace:
    """The record that a transformation attaches to a tensor.

    Attributes
    ----------
    level : Level
        The transformation.
    """

    __slots__ = ("level",)

    level: Level


class Array:
    """The slots of a tensor.

    Attributes
    ----------
    _data : object
        The backend's array.
    _device : DeviceSlots
        Where that is.
    _trace : Trace or None
        The record of a transformation: a node of a graph, or a tangent. A tensor without a
        trace is plain.
    _primal : Array or None
        Of a tensor with a trace, the tensor that the transformation wraps.
    _storage : Storage or None
        The memory that the tensor shares with others, if it does; see `_memory`.
    _saved : Array, weakref or None
        Tensor that graphs save instead of this one as long as the data is unchanged; in the saved
        tensor, a reference to this one.
    _view : View, Exposed or None
        How the tensor came to share memory; see `_memory`.
    """

    __slots__ = (
        "__weakref__", "_data", "_device", "_primal", "_saved", "_storage", "_trace", "_view",
    )  # fmt: skip

    _data: Any
    _device: Any
    _trace: Any
    _primal: Any
    _storage: Any
    _saved: Any
    _view: Any

    def __init__(self, *_: Any, **__: Any) -> None:
        """Not for use; says which function to use."""
        raise TypeError("Tensor: the class cannot be called; write arraygrad.asarray(...)")


def wrap(cls: type[Any], data: Any, device: DeviceSlots) -> Any:
    """The results of a backend's function as tensors on `device`."""
    if type(data) is not device.array_type:
        if isinstance(data, tuple):
            parts = [wrap(cls, x, device) for x in data]
            make = getattr(type(data), "_make", tuple)  # named tuples keep their names
            return make(parts)
        data = device.ops["from_scalar"](data)  # NumPy returns a scalar where no axes are left
    out = cls.__new__(cls)  # type: ignore[call-overload]  # (mypy takes it for a metaclass)
    out._data = data
    out._device = device
    out._trace = out._primal = out._storage = out._saved = out._view = None
    return out
