"""Devices: what they are called, which backend serves them, and which one is the default."""

from __future__ import annotations

from contextvars import ContextVar, Token
from importlib import import_module
from types import ModuleType, TracebackType
from typing import Any, TypeAlias

from ._array import DeviceSlots

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
        Which one of its type.

    Raises
    ------
    TypeError
        If `name` is neither a string nor a Device.
    ValueError
        If there is no such device: an unknown name, or a CUDA device on a machine without it.
        The message says what is missing.

    Notes
    -----
    There is one object per device, so ``is`` compares as well as ``==`` does. A device equals,
    and hashes as, its canonical string, and may be written as that string wherever a `device`
    argument is taken.

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
        """The device of that name; always the same object."""
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
            raise ValueError(f"Device: no device is called {name!r}; known are {names}")
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
        self.ops = backend.operations(index)  # raises ValueError if the device is not there
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


#: Devices by canonical name. Only ever grows, by whole entries.
_known: dict[str, Device] = {}

DeviceLike: TypeAlias = Device | str | None

_default: ContextVar[Device] = ContextVar("arraygrad_default_device")


def get_device(device: DeviceLike) -> Device:
    """The device that a `device` argument means; None is the default device."""
    if device is None:
        return _default.get(_CPU)
    return device if type(device) is Device else Device(device)


def devices() -> tuple[Device, ...]:
    """Every device of this machine whose library is installed."""
    found: list[Device] = []
    for kind, module in _BACKENDS.items():
        try:
            count = import_module(module).count()
        except ImportError:  # no CuPy, so no CUDA devices that could be used
            continue
        found.extend(Device(kind if kind == "cpu" else f"{kind}:{i}") for i in range(count))
    return tuple(found)


def transfer(data: Any, source: Device, target: Device, stream: Any = None) -> Any:
    """The data of a tensor on `source`, copied to another device."""
    if source.type == "cpu":
        return target.ops["from_host"](data, stream)
    if target.type == "cpu":
        return source.ops["to_host"](data, stream)
    if source.type == target.type:
        return target.ops["from_peer"](data, stream)
    return target.ops["from_host"](source.ops["to_host"](data, stream), stream)


class default_device:
    """Set, or find out, the device on which new tensors are made.

    Parameters
    ----------
    device : Device, str or None, optional
        The new default. Without it nothing is set, and the `device` attribute of what comes
        back says which device is the default.

    Raises
    ------
    ValueError
        If there is no such device; the default is then as before.

    Notes
    -----
    The setting belongs to the current context (:mod:`contextvars`): other threads and other
    asyncio tasks keep theirs. As a context manager it restores the previous default at the end,
    also after an exception.

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

    __slots__ = ("_token", "device")

    def __init__(self, device: DeviceLike = None, /) -> None:
        self.device = get_device(device)
        self._token: Token[Device] | None = None
        if device is not None:
            self._token = _default.set(self.device)

    def __enter__(self) -> Device:
        return self.device

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _default.reset(self._token)
            self._token = None

    def __repr__(self) -> str:
        return f"default_device({str(self.device)!r})"


_CPU = Device("cpu")
