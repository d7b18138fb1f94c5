"""Inspection of the namespace: its capabilities, dtypes and devices."""

from __future__ import annotations

from typing import Any

from . import _device, _dtypes
from ._device import Device, DeviceLike, get_device


class Info:
    """Result of ``__array_namespace_info__()``; see its methods.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.__array_namespace_info__().default_device()
    Device('cpu')
    """

    __slots__ = ()

    def capabilities(self) -> dict[str, Any]:
        """Optional features of the standard that the namespace supports.

        Returns
        -------
        dict
            ``"boolean indexing"`` and ``"data-dependent shapes"`` are True; ``"max dimensions"`` is
            the largest number of axes.
        """
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": 64,
        }

    def default_device(self) -> Device:
        """Device on which the creation functions make tensors."""
        return get_device(None)

    def default_dtypes(self, *, device: DeviceLike = None) -> dict[str, Any]:
        """Default dtypes, which are the same on every device and follow `default_dtype`.

        Returns
        -------
        dict
            Default dtypes of ``"real floating"``, ``"complex floating"``, ``"integral"`` and
            ``"indexing"``.

        Raises
        ------
        ValueError
            If the device does not exist.
        """
        get_device(device, "default_dtypes")
        return dict(_dtypes.get_defaults())

    def dtypes(
        self, *, device: DeviceLike = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """Dtypes of a device, which are the same on every device.

        Parameters
        ----------
        device : Device or str, optional
            Device to query.
        kind : str or tuple of str, optional
            Kinds of dtypes to return, named as for `isdtype`; by default all.

        Returns
        -------
        dict
            Dtypes by name.

        Raises
        ------
        ValueError
            If the device or the kind does not exist.
        """
        get_device(device, "dtypes")
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
        """Devices of this machine: the CPU, then the CUDA devices, if any."""
        return _device.devices()


def __array_namespace_info__() -> Info:
    """Inspection of this namespace.

    Returns
    -------
    Info
        Object with the methods `capabilities`, `default_device`, `default_dtypes`, `dtypes` and
        `devices`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.__array_namespace_info__().capabilities()["boolean indexing"]
    True
    """
    return Info()
