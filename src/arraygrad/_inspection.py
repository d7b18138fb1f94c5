"""Inspection of the namespace: its capabilities, dtypes and devices."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Literal, overload

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


#: The packages whose versions matter for a result.
_PACKAGES = "numpy array-api-compat optree scipy cupy cupy-cuda12x cupy-cuda13x"


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dict"]) -> dict[str, Any]: ...
def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Print the versions, the devices and how the package was built, for bug reports.

    Parameters
    ----------
    mode : {"stdout", "dict"}, optional
        Whether to print the configuration or to return it.

    Returns
    -------
    dict or None
        With ``"dict"``, a dictionary of strings, numbers, lists and dictionaries:

        - ``"versions"``: the version of each package that is installed, and of Python;
        - ``"platform"``: the operating system, the processor, and whether the GIL is enabled;
        - ``"compiled"``: the names of the compiled modules, none if everything runs as Python;
        - ``"devices"``: for ``"cpu"`` the BLAS library of NumPy and the number of threads; for each
          GPU its name, its compute capability and the versions of CUDA. Without a GPU ``"cuda"``
          says what is missing;
        - ``"environment"``: the environment variables that arraygrad reads, if set.

        Otherwise None.

    Raises
    ------
    ValueError
        If `mode` is neither of them.

    Notes
    -----
    It imports CuPy if that is installed, in order to list the GPUs.

    Examples
    --------
    >>> import arraygrad as xp
    >>> config = xp.show_config(mode="dict")
    >>> config["versions"]["arraygrad"] == xp.__version__
    True
    >>> sorted(config["devices"]["cpu"])
    ['BLAS', 'threads']
    """
    if mode not in ("stdout", "dict"):
        raise ValueError(f"show_config: mode must be 'stdout' or 'dict'; got {mode!r}")
    devices = {str(device): device.backend.describe(device.index) for device in _device.devices()}
    if "cuda:0" not in devices:
        try:
            Device("cuda")
        except ValueError as error:
            devices["cuda"] = str(error).removeprefix("Device: ")
    config = {
        "versions": _versions(),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "GIL": getattr(sys, "_is_gil_enabled", lambda: True)(),
        },
        "compiled": _compiled_modules(),
        "devices": devices,
        "environment": {
            name: value
            for name, value in os.environ.items()
            if name.startswith("ARRAYGRAD_") or name in ("OMP_NUM_THREADS", "SCIPY_ARRAY_API")
        },
    }
    if mode == "dict":
        return config
    print("\n".join(_lines(config)))
    return None


def _versions() -> dict[str, str]:
    """The versions of the package, of Python and of the libraries that are installed."""
    from importlib.metadata import PackageNotFoundError, version  # takes long to import

    found = {"arraygrad": sys.modules["arraygrad"].__version__, "python": platform.python_version()}
    for name in _PACKAGES.split():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _compiled_modules() -> list[str]:
    """The names of the modules of the package that are extension modules."""
    root = Path(__file__).parent
    endings = tuple(EXTENSION_SUFFIXES)
    files = [path.relative_to(root) for path in root.rglob("*") if path.name.endswith(endings)]
    return sorted(".".join((*path.parts[:-1], path.name.partition(".")[0])) for path in files)


def _lines(config: dict[str, Any], indent: str = "") -> Iterator[str]:
    """The configuration as text, a line for each value."""
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list | dict):
            yield f"{indent}{key}: {', '.join(value) or 'none'}"
        else:
            yield f"{indent}{key}: {value}"
