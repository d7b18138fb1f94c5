"""Dask's processes send tensors as frames of memory, once this module has been imported.

Without it they are pickled. What is sent is the memory itself where that is contiguous, without a
copy, and the receiver's tensor is the memory that arrived. From a GPU the data goes through the
host's memory, and back to the device of the same name.

A worker needs no import of this module to read the frames: it imports `arraygrad` to know what they
are, and that is enough. Tensors that record operations are not sent; `detach` them.

Examples
--------
>>> import arraygrad as xp
>>> import arraygrad.interop.distributed
>>> from distributed.protocol import deserialize, serialize
>>> header, frames = serialize(xp.arange(3.0))
>>> frames[0].nbytes
24
>>> deserialize(header, frames)
Tensor([0., 1., 2.], dtype=float64)
"""

from __future__ import annotations

from typing import Any

from distributed.protocol.serialize import dask_deserialize, dask_serialize

from .._device import Device
from .._tensor import Tensor, _unpickle
from . import _dask  # noqa: F401  (names and sizes)

__all__: list[str] = []

# Dask's dispatches by class, which have no types.
_writers: Any = dask_serialize
_readers: Any = dask_deserialize


def _to_frames(x: Tensor) -> tuple[dict[str, Any], list[Any]]:
    header, frames = _writers(x._raw("sending by Dask", "to_host")(x._data))
    return {"device": str(x.device), "array": header}, frames


def _from_frames(header: dict[str, Any], frames: list[Any]) -> Tensor:
    read = _readers.dispatch(Device("cpu").array_type)
    return _unpickle(read(header["array"], frames), header["device"])


_writers.register(Tensor, _to_frames)
_readers.register(Tensor, _from_frames)
