"""Tensors and checkpoints in safetensors files. Reading such a file runs no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from numbers import Integral, Real
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


#: Key of the metadata that has the structure of a checkpoint: its JSON, in which a tensor is
#: {"tensor": name}, a dict {"dict": {...}}, and a tuple {"tuple": [...]}.
_KEY = "arraygrad"


def _packed(x: Any, path: tuple[Any, ...], tensors: dict[str, Tensor]) -> Any:
    """JSON of a part of a checkpoint; collects its tensors by name."""
    if isinstance(x, Tensor):
        name = ".".join(map(str, path))
        while name in tensors:  # names with dots may be joined to the same
            name += "_"
        tensors[name] = x
        return {"tensor": name}
    if x is None or isinstance(x, (bool, str)):
        return x
    if isinstance(x, Integral):
        return int(x)
    if isinstance(x, Real):
        return float(x)
    if isinstance(x, Mapping):
        return {"dict": _packed_dict(x, path, tensors)}
    if type(x) in (list, tuple):
        parts = [_packed(y, (*path, i), tensors) for i, y in enumerate(x)]
        return parts if type(x) is list else {"tuple": parts}
    raise TypeError(
        f"save: expected a Tensor for each name, or a number, a string, None, or a dict, list or "
        f"tuple of these; got {path[-1]!r}: {describe(x)}"
    )


def _packed_dict(
    x: Mapping[Any, Any], path: tuple[Any, ...], tensors: dict[str, Tensor]
) -> dict[str, Any]:
    for name, y in x.items():
        if not isinstance(name, str):
            raise TypeError(f"save: expected a string for each name; got {name!r}: {describe(y)}")
    return {name: _packed(y, (*path, name), tensors) for name, y in x.items()}


def _unpacked(x: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Inverse of `_packed`."""
    if isinstance(x, list):
        return [_unpacked(y, tensors) for y in x]
    if not isinstance(x, dict):
        return x
    ((kind, inside),) = x.items()
    if kind == "tensor":
        return tensors[inside]
    if kind == "dict":
        return {key: _unpacked(y, tensors) for key, y in inside.items()}
    if kind == "tuple":
        return tuple(_unpacked(y, tensors) for y in inside)
    raise ValueError(f"unknown kind {kind!r}")


def save(tensors: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write tensors or a checkpoint to a file, atomically.

    Parameters
    ----------
    tensors : dict
        Tensors by name, as returned by `Module.state_dict`. Or a checkpoint: a dict of tensors,
        numbers, strings, None, and dicts, lists and tuples of these, such as the states of a model,
        an optimiser, a schedule and a generator.
    path : str or path
        Path of the file. An existing file is replaced, also if the path is a link to it. No other
        file is changed.

    Raises
    ------
    TypeError
        If a name is not a string, a value is of another type, or a tensor has dtype complex128,
        which the format lacks.
    ValueError
        If a name is ``"__metadata__"``, which the format reserves, or is not valid text.
    OSError
        If the file cannot be written.
    ImportError
        If safetensors, which the extra ``nn`` installs, is missing.

    Notes
    -----
    The file has the safetensors format, which other libraries can read. Names of tensors in nested
    dicts are joined by dots. Everything else is JSON in the file's metadata, under ``"arraygrad"``.

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
    path = _path("save", path)
    found: dict[str, Tensor] = {}
    structure = _packed_dict(tensors, (), found)
    arrays = {}
    for name, x in found.items():
        if name == "__metadata__" or any("\ud800" <= c <= "\udfff" for c in name):
            raise ValueError(f"save: the format does not have the name {name!r}; choose another")
        if x.dtype == "complex128":
            raise TypeError(
                f"save: {name}: the format lacks complex128; write xp.real(x) and xp.imag(x)"
            )
        arrays[name] = stop_gradient(x).numpy().copy(order="C")
    metadata = None
    if any(not isinstance(x, Tensor) for x in tensors.values()):
        metadata = {_KEY: json.dumps(structure)}
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), f".{uuid4().hex}.tmp")
    library = _safetensors()
    try:
        library.numpy.save_file(arrays, temporary, metadata)
        os.replace(temporary, target)
    except (OSError, library.SafetensorError) as error:
        kind = type(error) if isinstance(error, OSError) else OSError
        raise kind(f"save: {path} cannot be written: {error}") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load(path: str | os.PathLike[str], *, device: DeviceLike = None) -> dict[str, Any]:
    """Read the tensors or the checkpoint that `save` has written to a file.

    Parameters
    ----------
    path : str or path
        Path of a file in the safetensors format.
    device : Device or str, optional
        Device of the tensors; by default the default device.

    Returns
    -------
    dict
        Tensors by name, or the nested dict of a checkpoint.

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "checkpoint.safetensors")
    ...     nn.save({"model": {"x": xp.arange(3)}, "epoch": 5, "best": 0.25}, path)
    ...     nn.load(path)
    {'model': {'x': Tensor([0, 1, 2], dtype=int64)}, 'epoch': 5, 'best': 0.25}
    """
    library = _safetensors()
    path, device = _path("load", path), get_device(device, "load")
    try:
        arrays = library.numpy.load_file(path)
        tensors = {name: asarray(a, device=device) for name, a in arrays.items()}
        with library.safe_open(path, framework="numpy") as file:
            structure = (file.metadata() or {}).get(_KEY)
    except (library.SafetensorError, ValueError) as error:  # NumPy's: a shape that it lacks
        raise ValueError(f"load: {path} is not a complete safetensors file: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise TypeError(f"load: {path} has an unknown dtype: {error}") from error
    except OSError as error:
        raise type(error)(f"load: {path} cannot be read: {error}") from error
    if structure is None:
        return tensors
    try:
        return {name: _unpacked(x, tensors) for name, x in json.loads(structure).items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"load: the metadata of {path} do not describe a checkpoint") from error
