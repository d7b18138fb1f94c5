"""What all of Dask asks of its data: a name made of the content, and the size in memory."""

from __future__ import annotations

from typing import Any

from dask import sizeof, tokenize

from .._tensor import Tensor

# Dask's dispatches by class, which have no types.
_names: Any = tokenize.normalize_token
_sizes: Any = sizeof.sizeof


def _name(x: Tensor) -> Any:
    if type(x) is not Tensor:  # recorded: equal values may have other histories
        return _names.dispatch(object)(x)
    # By the standard's order of elements: Dask's own way for arrays goes by that in memory, and
    # gives a matrix and its transpose one name if their memory is the same.
    return "arraygrad.Tensor", str(x.device), x.shape, _names(x.numpy().ravel())


_names.register(Tensor, _name)
_sizes.register(Tensor, lambda x: int(x.size) * int(x.dtype.itemsize))
