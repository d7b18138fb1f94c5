"""Tensors in safetensors files, which contain no code that is run when they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

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


def _path(function: str, path: Any) -> str:
    try:
        return os.fsdecode(path)
    except TypeError as error:
        raise TypeError(f"{function}: path must be a string or path; got {path!r}") from error


def save(tensors: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write tensors to a file atomically.

    Parameters
    ----------
    tensors : dict
        Tensors by name, as returned by `Module.state_dict`.
    path : str or path
        Path of the file. An existing file is replaced, also where the path is a link to it. Other
        files are left alone.

    Raises
    ------
    TypeError
        If a name is not a string, a value is not a tensor, or a tensor has dtype complex128, which
        the format lacks.
    ValueError
        If a name is ``"__metadata__"``, which the format reserves, or is not valid text.
    OSError
        If the file cannot be written.
    ImportError
        If safetensors, which the extra ``nn`` installs, is missing.

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
    path, arrays = _path("save", path), {}
    for name, x in tensors.items():
        if not isinstance(name, str) or not isinstance(x, Tensor):
            raise TypeError(f"save: expected a Tensor for each name; got {name!r}: {describe(x)}")
        if name == "__metadata__" or any("\ud800" <= c <= "\udfff" for c in name):
            raise ValueError(f"save: the format does not have the name {name!r}; choose another")
        if x.dtype == "complex128":
            raise TypeError(
                f"save: {name}: the format lacks complex128; write xp.real(x) and xp.imag(x)"
            )
        arrays[name] = stop_gradient(x).numpy().copy(order="C")
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), f".{uuid4().hex}.tmp")
    library = _safetensors()
    try:
        library.numpy.save_file(arrays, temporary)
        os.replace(temporary, target)
    except (OSError, library.SafetensorError) as error:
        kind = type(error) if isinstance(error, OSError) else OSError
        raise kind(f"save: {path} cannot be written: {error}") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load(path: str | os.PathLike[str], *, device: DeviceLike = None) -> dict[str, Tensor]:
    """Read tensors from a file.

    Parameters
    ----------
    path : str or path
        Path of a file in the safetensors format.
    device : Device or str, optional
        Device of the tensors; by default the default device.

    Returns
    -------
    dict
        Tensors by name.

    Raises
    ------
    ValueError
        If the file is incomplete or has another format.
    TypeError
        If the file has a dtype that the standard lacks.
    OSError
        If the file does not exist or cannot be read.
    ImportError
        If safetensors, which the extra ``nn`` installs, is missing.

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
    path, device = _path("load", path), get_device(device, "load")
    try:
        arrays = library.numpy.load_file(path)
        return {name: asarray(a, device=device) for name, a in arrays.items()}
    except (library.SafetensorError, ValueError) as error:  # NumPy's: a shape that it lacks
        raise ValueError(f"load: {path} is not a complete safetensors file: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise TypeError(f"load: {path} has an unknown dtype: {error}") from error
    except OSError as error:
        raise type(error)(f"load: {path} cannot be read: {error}") from error
