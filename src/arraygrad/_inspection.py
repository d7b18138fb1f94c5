"""Inspection of the namespace: what it can do, which dtypes and devices it has."""

from __future__ import annotations

from typing import Any

from . import _device, _dtypes
from ._device import Device, DeviceLike, get_device


class Info:
    """What ``__array_namespace_info__()`` gives; see its methods.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.__array_namespace_info__().default_device()
    Device('cpu')
    """

    __slots__ = ()

    def capabilities(self) -> dict[str, Any]:
        """What the namespace supports of what the standard leaves optional.

        Returns
        -------
        dict
            ``"boolean indexing"`` and ``"data-dependent shapes"`` : True; ``"max dimensions"`` :
            the largest number of axes.
        """
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": 64,
        }

    def default_device(self) -> Device:
        """The device on which the creation functions make tensors."""
        return get_device(None)

    def default_dtypes(self, *, device: DeviceLike = None) -> dict[str, Any]:
        """The default dtypes, the same on every device.

        Returns
        -------
        dict
            Dtypes of ``"real floating"``, ``"complex floating"``, ``"integral"`` and
            ``"indexing"``.

        Raises
        ------
        ValueError
            If there is no such device.
        """
        get_device(device)
        return dict(_dtypes.DEFAULTS)

    def dtypes(
        self, *, device: DeviceLike = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """The dtypes that a device has, the same on every device.

        Parameters
        ----------
        device : Device or str, optional
            The device asked about.
        kind : str or tuple of str, optional
            Only dtypes of these kinds, named as for `isdtype`.

        Returns
        -------
        dict
            Name -> dtype.

        Raises
        ------
        ValueError
            If there is no such device or kind.
        """
        get_device(device)
        if kind is None:
            return dict(_dtypes.ALL)
        wanted: set[Any] = set()
        for k in kind if isinstance(kind, tuple) else (kind,):
            if k not in _dtypes.KINDS:
                known = ", ".join(repr(name) for name in _dtypes.KINDS)
                raise ValueError(f"dtypes: kind must be one of {known}; got {k!r}")
            wanted.update(_dtypes.KINDS[k])
        return {name: dtype for name, dtype in _dtypes.ALL.items() if dtype in wanted}

    def devices(self) -> tuple[Device, ...]:
        """The devices of this machine: the CPU, then the CUDA devices, if any."""
        return _device.devices()


def __array_namespace_info__() -> Info:
    """Inspection of this namespace.

    Returns
    -------
    Info
        Has the methods `capabilities`, `default_device`, `default_dtypes`, `dtypes` and
        `devices`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.__array_namespace_info__().capabilities()["boolean indexing"]
    True
    """
    return Info()
