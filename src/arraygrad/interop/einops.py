"""Support for tensors in einops, enabled by importing this module.

(The functions of `einops.array_api` accept tensors without it, but do not include einsum.)

Examples
--------
>>> import arraygrad as xp
>>> import arraygrad.interop.einops
>>> from einops import einsum, rearrange
>>> x = xp.reshape(xp.arange(6.0), (2, 3))
>>> rearrange(x, "a b -> b a").shape
(3, 2)
>>> einsum(x, x, "a b, c b -> a c")
Tensor([[ 5., 14.],
        [14., 50.]], dtype=float64)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einops._backends import AbstractBackend

import arraygrad as xp

__all__ = ["Backend"]


class Backend(AbstractBackend):
    """The einops backend; einops finds subclasses of its own class."""

    framework_name = "arraygrad"

    def is_appropriate_type(self, tensor: object) -> bool:
        """Return True for tensors."""
        return isinstance(tensor, xp.Tensor)

    def from_numpy(self, x: Any) -> xp.Tensor:
        """Convert from a NumPy array."""
        return xp.asarray(x)

    def to_numpy(self, x: xp.Tensor) -> Any:
        """Convert to a NumPy array; a traced tensor raises."""
        return x.numpy()

    def arange(self, start: int, stop: int) -> xp.Tensor:
        """Return a range of integers."""
        return xp.arange(start, stop)

    def reshape(self, x: xp.Tensor, shape: Sequence[int]) -> xp.Tensor:
        """Reshape a tensor."""
        return xp.reshape(x, tuple(shape))

    def transpose(self, x: xp.Tensor, axes: Sequence[int]) -> xp.Tensor:
        """Permute the axes."""
        return xp.permute_dims(x, tuple(axes))

    def reduce(self, x: xp.Tensor, operation: str, axes: tuple[int, ...]) -> xp.Tensor:
        """Reduce axes."""
        return getattr(xp, operation)(x, axis=axes)

    def stack_on_zeroth_dimension(self, tensors: list[xp.Tensor]) -> xp.Tensor:
        """Stack a list of tensors."""
        return xp.stack(tensors)

    def add_axes(self, x: xp.Tensor, n_axes: int, pos2len: dict[int, int]) -> xp.Tensor:
        """Repeat along new axes, as a view where einops' default would copy."""
        for position in sorted(pos2len):
            x = xp.expand_dims(x, axis=position)
        return xp.broadcast_to(x, tuple(pos2len.get(i, n) for i, n in enumerate(x.shape)))

    def concat(self, tensors: list[xp.Tensor], axis: int) -> xp.Tensor:
        """Concatenate tensors."""
        return xp.concat(tensors, axis=axis)

    def is_float_type(self, x: xp.Tensor) -> bool:
        """Return True if einops may compute a mean."""
        return bool(xp.isdtype(x.dtype, ("real floating", "complex floating")))

    def einsum(self, pattern: str, *tensors: xp.Tensor) -> xp.Tensor:
        """Einstein summation."""
        return xp.einsum(pattern, *tensors)
