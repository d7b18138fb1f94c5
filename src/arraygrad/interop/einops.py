"""einops' own functions take tensors, once this module has been imported.

(The functions of `einops.array_api` do so without it, but there is no einsum among them.)

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

import math
from collections.abc import Sequence
from typing import Any

from einops._backends import AbstractBackend

import arraygrad as xp

__all__ = ["Backend"]


class Backend(AbstractBackend):
    """What einops asks of an array library; it looks for the subclasses of its own class."""

    framework_name = "arraygrad"

    def is_appropriate_type(self, tensor: object) -> bool:
        """Whether it is ours."""
        return isinstance(tensor, xp.Tensor)

    def from_numpy(self, x: Any) -> xp.Tensor:
        """From a NumPy array."""
        return xp.asarray(x)

    def to_numpy(self, x: xp.Tensor) -> Any:
        """To one; a tensor with a gradient raises."""
        return x.numpy()

    def arange(self, start: int, stop: int) -> xp.Tensor:
        """Integers."""
        return xp.arange(start, stop)

    def reshape(self, x: xp.Tensor, shape: Sequence[int]) -> xp.Tensor:
        """Another shape."""
        return xp.reshape(x, tuple(shape))

    def transpose(self, x: xp.Tensor, axes: Sequence[int]) -> xp.Tensor:
        """Another order of the axes."""
        return xp.permute_dims(x, tuple(axes))

    def reduce(self, x: xp.Tensor, operation: str, axes: tuple[int, ...]) -> xp.Tensor:
        """Fewer axes."""
        return getattr(xp, operation)(x, axis=axes)

    def stack_on_zeroth_dimension(self, tensors: list[xp.Tensor]) -> xp.Tensor:
        """What a list of tensors stands for."""
        return xp.stack(tensors)

    def add_axes(self, x: xp.Tensor, n_axes: int, pos2len: dict[int, int]) -> xp.Tensor:
        """Repeat along new axes; a view does, where einops' own form would copy."""
        for position in sorted(pos2len):
            x = xp.expand_dims(x, axis=position)
        return xp.broadcast_to(x, tuple(pos2len.get(i, n) for i, n in enumerate(x.shape)))

    def concat(self, tensors: list[xp.Tensor], axis: int) -> xp.Tensor:
        """One after the other."""
        return xp.concat(tensors, axis=axis)

    def is_float_type(self, x: xp.Tensor) -> bool:
        """Whether einops may take a mean."""
        return bool(xp.isdtype(x.dtype, ("real floating", "complex floating")))

    def einsum(self, pattern: str, *tensors: xp.Tensor) -> xp.Tensor:
        """Sums of products of named axes, two operands at a time from the left."""
        inputs, _, output = pattern.partition("->")
        names = [_axes(term, x.ndim) for term, x in zip(inputs.split(","), tensors, strict=True)]
        terms = [_diagonal(x, axes) for x, axes in zip(tensors, names, strict=True)]
        dots = max(sum(isinstance(a, int) for a in axes) for _, axes in terms)
        wanted = _axes(output, len(output.replace("...", "")) + dots)
        x, axes = terms[0]
        for i, (y, others) in enumerate(terms[1:], 2):
            later = {a for _, rest in terms[i:] for a in rest}
            x, axes = _product(x, axes, y, others, later.union(wanted))
        x, axes = _summed(x, axes, set(wanted))
        return xp.permute_dims(x, tuple(axes.index(a) for a in wanted))


#: The name of an axis: a letter, or for those of an ellipsis a negative number.
_Axis = str | int


def _axes(term: str, ndim: int) -> list[_Axis]:
    before, dots, after = term.partition("...")
    more = ndim - len(before) - len(after)
    if more < 0 or (more and not dots):
        raise ValueError(f"einsum: {term!r} does not name {ndim} axes")
    return [*before, *range(-more, 0), *after]  # those of ellipses line up at the right


def _diagonal(x: xp.Tensor, axes: list[_Axis]) -> tuple[xp.Tensor, list[_Axis]]:
    """Without repeated names."""
    for a in dict.fromkeys(axes):
        while axes.count(a) > 1:
            i = axes.index(a)
            j = axes.index(a, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ValueError(f"einsum: axis {a!r} has the sizes {x.shape[i]} and {x.shape[j]}")
            x = xp.linalg.diagonal(xp.moveaxis(x, (i, j), (-2, -1)))
            axes = [b for k, b in enumerate(axes) if k not in (i, j)] + [a]
    return x, axes


def _summed(x: xp.Tensor, axes: list[_Axis], keep: set[_Axis]) -> tuple[xp.Tensor, list[_Axis]]:
    """Over all axes but those to keep."""
    gone = tuple(i for i, a in enumerate(axes) if a not in keep)
    if gone:
        x = xp.sum(x, axis=gone, dtype=x.dtype)
    return x, [a for a in axes if a in keep]


def _product(
    x: xp.Tensor, a: list[_Axis], y: xp.Tensor, b: list[_Axis], keep: set[_Axis]
) -> tuple[xp.Tensor, list[_Axis]]:
    """Of two terms, summed over the axes that both have and nobody needs any more."""
    x, a = _summed(x, a, keep.union(b))
    y, b = _summed(y, b, keep.union(a))
    batch = [n for n in a if n in b and n in keep]
    inner = [n for n in a if n in b and n not in keep]
    left, right = [n for n in a if n not in b], [n for n in b if n not in a]
    sizes = [x.shape[a.index(n)] for n in left] + [y.shape[b.index(n)] for n in right]
    x, y = _matrices(x, a, batch, left, inner), _matrices(y, b, batch, inner, right)
    z = xp.matmul(x, y) if inner else x * y
    return xp.reshape(z, (*z.shape[:-2], *sizes)), [*batch, *left, *right]


def _matrices(x: xp.Tensor, axes: list[_Axis], *groups: list[_Axis]) -> xp.Tensor:
    """As stacks of matrices: the first group of axes stays, two others are joined each."""
    batch, rows, columns = ([axes.index(n) for n in group] for group in groups)
    shape = [x.shape[i] for i in batch]
    shape += [math.prod(x.shape[i] for i in group) for group in (rows, columns)]
    return xp.reshape(xp.permute_dims(x, (*batch, *rows, *columns)), tuple(shape))
