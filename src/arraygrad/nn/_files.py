"""Tensors in files, by safetensors: nothing in such a file is run when it is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._creation import asarray
from .._device import get_device
from .._errors import describe
from .._typing import DeviceLike, Tensor
from ..autodiff import stop_gradient


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(f'needs safetensors: pip install "arraygrad[nn]" ({error})') from error
    return safetensors


def save(tensors: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write tensors into a file, which is complete or not there.

    Parameters
    ----------
    tensors : dict
        By name, such as `Module.state_dict` gives.
    path : str or path
        The file. One that is there is replaced.

    Raises
    ------
    TypeError
        For a name that is no string, a value that is no tensor, or complex128 numbers, which the
        format lacks.
    OSError
        If it cannot be written.
    ImportError
        Without safetensors, which the extra ``nn`` brings.

    Examples
    --------
    >>> import tempfile, os
    >>> from arraygrad import nn
    >>> model = nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     nn.save(model.state_dict(), path)
    ...     nn.Linear(3, 2).load_state_dict(nn.load(path))
    LoadResult(missing_keys=[], unexpected_keys=[])
    """
    if not isinstance(tensors, Mapping):
        raise TypeError(
            f"save: expected a dict of tensors, such as model.state_dict(); got {describe(tensors)}"
        )
    arrays = {}
    for name, x in tensors.items():
        if not isinstance(name, str) or not isinstance(x, Tensor):
            raise TypeError(f"save: expected tensors by name; got {name!r}: {describe(x)}")
        if x.dtype == "complex128":
            raise TypeError(
                f"save: {name}: the format lacks complex128; write xp.real(x) and xp.imag(x)"
            )
        arrays[name] = stop_gradient(x).numpy().copy(order="C")
    temporary = f"{os.fspath(path)}.tmp"
    library = _safetensors()
    try:
        library.numpy.save_file(arrays, temporary)
        os.replace(temporary, path)
    except library.SafetensorError as error:
        raise OSError(f"save: {os.fspath(path)} cannot be written: {error}") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load(path: str | os.PathLike[str], *, device: DeviceLike = None) -> dict[str, Tensor]:
    """Read tensors from a file.

    Parameters
    ----------
    path : str or path
        A file that `save`, or another program that writes the format, has made.
    device : Device or str, optional
        Where to put them; None is the default device.

    Returns
    -------
    dict
        The tensors by name.

    Raises
    ------
    ValueError
        If the file is not complete or of another format.
    TypeError
        If it has numbers of a dtype that the standard lacks.
    FileNotFoundError
        If there is no such file.
    ImportError
        Without safetensors, which the extra ``nn`` brings.

    Examples
    --------
    >>> import tempfile, os
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "x.safetensors")
    ...     nn.save({"x": xp.arange(3)}, path)
    ...     nn.load(path)
    {'x': Tensor([0, 1, 2], dtype=int64)}
    """
    library = _safetensors()
    device = get_device(device)
    try:
        arrays = library.numpy.load_file(path)
        return {name: asarray(a, device=device) for name, a in arrays.items()}
    except library.SafetensorError as error:
        raise ValueError(
            f"load: {os.fspath(path)} is no whole safetensors file: {error}"
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise TypeError(
            f"load: {os.fspath(path)} has a dtype that is not known: {error}"
        ) from error
