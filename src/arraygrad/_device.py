"""Devices: their names, their backends, and the default device."""

from __future__ import annotations

from contextvars import ContextVar
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

from ._array import DeviceSlots
from ._modes import Default

#: Device type -> module of the backend that serves it. It is imported when first named.
_BACKENDS: dict[str, str] = {
    "cpu": "arraygrad._backends.numpy",
    "cuda": "arraygrad._backends.cupy",
}


class Device(DeviceSlots):
    """A place where the data of tensors lives.

    Parameters
    ----------
    name : str or Device
        ``"cpu"``, ``"cuda"`` (the same as ``"cuda:0"``) or ``"cuda:N"``.

    Attributes
    ----------
    type : str
        ``"cpu"`` or ``"cuda"``.
    index : int
        Index among the devices of its type.

    Raises
    ------
    TypeError
        If `name` is neither a string nor a Device.
    ValueError
        If the name is unknown, or this machine has no such CUDA device. The message says what is
        missing.

    Notes
    -----
    There is one object per device, so ``is`` and ``==`` are equivalent. A device is equal to its
    canonical string and has the same hash, and the string is accepted wherever a `device` argument
    is.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.Device("cpu")
    Device('cpu')
    >>> xp.zeros(2, device="cpu").device == "cpu"
    True
    """

    __slots__ = ()

    def __new__(cls, name: str | Device, /) -> Device:
        """Return the device of that name, which is always the same object."""
        if isinstance(name, Device):
            return name
        if not isinstance(name, str):
            raise TypeError(
                f"Device: expected a name such as 'cpu' or 'cuda:0', or a Device; got {name!r}"
            )
        known = _known.get(name)
        if known is not None:
            return known
        kind, colon, digits = name.partition(":")
        if kind not in _BACKENDS or (colon and not digits.isdecimal()):
            names = ", ".join(repr(n) for n in ("cpu", "cuda", "cuda:N"))
            raise ValueError(f"Device: unknown device {name!r}; expected one of {names}")
        index = int(digits) if colon else 0
        canonical = kind if kind == "cpu" and not index else f"{kind}:{index}"
        if canonical in _known:
            return _known[canonical]
        try:
            backend: ModuleType = import_module(_BACKENDS[kind])
        except ImportError as error:
            if kind == "cpu":
                raise
            raise ValueError(f"Device: there is no {name!r}: {error}") from error
        self = super().__new__(cls)
        self.type, self.index, self._name = kind, index, canonical
        self.backend = backend
        self.ops = backend.operations(index)  # raises ValueError if the device does not exist
        self.array_type = backend.array_type
        return _known.setdefault(canonical, self)  # two threads may race to be first

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"Device({self._name!r})"

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and other == self._name)

    def __hash__(self) -> int:
        return hash(self._name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Device, (self._name,)


#: Devices by canonical name. Entries are only ever added, atomically.
_known: dict[str, Device] = {}

DeviceLike: TypeAlias = Device | str | None

_default: ContextVar[Device] = ContextVar("arraygrad_default_device")


def get_device(device: DeviceLike, function: str = "Device") -> Device:
    """Device of a `device` argument; None means the default device.

    Raises
    ------
    TypeError, ValueError
        As for `Device`; the message begins with the name of the public function.
    """
    if device is None:
        return _default.get(_CPU)
    if type(device) is Device:
        return device
    try:
        return Device(device)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{function}: {str(error).removeprefix('Device: ')}") from error


def devices() -> tuple[Device, ...]:
    """Devices of this machine whose library is installed."""
    found: list[Device] = []
    for kind, module in _BACKENDS.items():
        try:
            count = import_module(module).count()
        except ImportError:  # no CuPy, so no usable CUDA devices
            continue
        found.extend(Device(kind if kind == "cpu" else f"{kind}:{i}") for i in range(count))
    return tuple(found)


def transfer(data: Any, source: Device, target: Device, stream: Any = None) -> Any:
    """Copy the data of a tensor from `source` to another device."""
    if source.type == "cpu":
        return target.ops["from_host"](data, stream)
    if target.type == "cpu":
        return source.ops["to_host"](data, stream)
    if source.type == target.type:
        return target.ops["from_peer"](data, stream)
    return target.ops["from_host"](source.ops["to_host"](data, stream), stream)


class default_device(Default):
    """Set or query the device on which new tensors are made.

    The call sets the device, and a ``with`` block restores the previous one at its end. As a
    decorator it sets the device only while the function, generator or coroutine runs.

    Parameters
    ----------
    device : Device, str or None, optional
        New default. Without it, nothing is set, and the `device` attribute of the returned object
        is the current default.

    Raises
    ------
    ValueError
        If the device does not exist; the default is then unchanged.

    Notes
    -----
    The setting belongs to the current context (:mod:`contextvars`): other threads and asyncio tasks
    are not affected. As a context manager it restores the previous default on exit, also after an
    exception.

    Examples
    --------
    >>> import arraygrad as xp
    >>> with xp.default_device("cpu"):
    ...     x = xp.ones(2)
    >>> x.device
    Device('cpu')
    >>> xp.default_device().device
    Device('cpu')
    """

    def __init__(self, device: DeviceLike = None, /) -> None:
        self.device = get_device(device, "default_device")
        super().__init__(_default, self.device, device is not None)

    def __enter__(self) -> Device:
        return self.device

    def _again(self) -> default_device:
        return default_device(self.device)

    def __repr__(self) -> str:
        return f"default_device({str(self.device)!r})"


_CPU = Device("cpu")
