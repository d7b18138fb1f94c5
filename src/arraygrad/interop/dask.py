"""Support for dask.array of tensors, enabled by importing this module.

Dask then joins chunks that are tensors into tensors on every device. This module also registers a
Dask backend: ``d.to_backend("arraygrad")`` converts NumPy chunks to tensors, and inside
``dask.config.set({"array.backend": "arraygrad"})`` Dask's creation functions make arrays of
tensors.

Examples
--------
>>> import arraygrad as xp
>>> import arraygrad.interop.dask
>>> import dask.array as da
>>> d = da.ones((4, 6), chunks=(2, 3)).to_backend("arraygrad")
>>> (d * 2).sum(axis=0).compute()
Tensor([8., 8., 8., 8., 8., 8.], dtype=float64)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dask
import dask.array as da
from dask.array import backends
from dask.array import dispatch as _untyped

import arraygrad as xp

from . import _dask  # noqa: F401  (names)

__all__ = ["Backend"]

dispatch: Any = _untyped  # by the type of a chunk; Dask has no annotations


def _concatenate(arrays: Any, axis: int = 0) -> xp.Tensor:
    tensors = [x for x in arrays if isinstance(x, xp.Tensor)]
    device = tensors[0].device  # Dask makes some chunks itself, such as constants at the edges
    arrays = [x if isinstance(x, xp.Tensor) else xp.asarray(x, device=device) for x in arrays]
    return xp.concat(arrays, axis=axis)


def _take(x: xp.Tensor, indices: Any, axis: int = 0) -> xp.Tensor:
    return xp.take(x, xp.asarray(indices, device=x.device), axis=axis)


def _tensordot(x: xp.Tensor, y: xp.Tensor, axes: Any = 2) -> xp.Tensor:
    return xp.tensordot(x, y, axes=axes)


def _einsum(subscripts: str, *operands: xp.Tensor, **_: Any) -> xp.Tensor:
    return xp.einsum(subscripts, *operands)  # Dask passes NumPy's order and casting


def _numel(x: xp.Tensor, **kwargs: Any) -> xp.Tensor:
    """Number of elements of a reduction."""
    count = dispatch.numel_lookup.dispatch(object)
    return xp.asarray(count(x, **kwargs), device=x.device)


def _divide(x: Any, y: Any, dtype: Any = None) -> xp.Tensor:
    z = xp.divide(x, y)
    return z if dtype is None else xp.astype(z, xp.asarray(0, dtype=dtype).dtype, copy=False)


for _lookup, _function in (
    (dispatch.concatenate_lookup, _concatenate),
    (dispatch.take_lookup, _take),
    (dispatch.tensordot_lookup, _tensordot),
    (dispatch.einsum_lookup, _einsum),
    (dispatch.numel_lookup, _numel),
    (dispatch.divide_lookup, _divide),
    (dispatch.to_numpy_dispatch, xp.Tensor.numpy),
):
    _lookup.register(xp.Tensor, _function)


class Backend(backends.NumpyBackendEntrypoint):
    """Dask's NumPy backend, with each chunk converted to a tensor on the default device."""

    @classmethod
    def to_backend(cls, data: Any, **kwargs: Any) -> Any:
        """Convert the chunks of a Dask array to tensors."""
        if isinstance(data._meta, xp.Tensor):
            return data
        device = xp.asarray(0).device  # read it here, because a worker thread has its own default
        meta = xp.empty((0,) * data.ndim, dtype=data.dtype)
        return data.map_blocks(partial(xp.asarray, device=device), meta=meta, **kwargs)


def _creation(name: str) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        with dask.config.set({"array.backend": "numpy"}):
            made = getattr(da, name)(*args, **kwargs)
        return Backend.to_backend(made)

    return make


_backend = Backend()
for _name in ("arange", "empty", "full", "ones", "zeros"):  # all that Dask delegates
    setattr(_backend, _name, _creation(_name))
backends.array_creation_dispatch.register_backend("arraygrad", _backend)
