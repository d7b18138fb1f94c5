"""`vmap`: arguments are split into examples, and results put together, around a `BatchLevel`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from .. import _pytree
from .._creation import asarray
from .._dispatch import unary
from .._dtypes import NUMBERS
from .._errors import describe
from .._keys import getitem
from .._manipulation import concat
from .._typing import Tensor
from ..random import SameDraws, drawing
from ._batching import BatchLevel, moved, repeated

Function = Callable[..., Any]


def over_batches(
    f: Function, in_axes: Any, out_axes: Any, chunk_size: int | None, randomness: str
) -> Function:
    """See `arraygrad.vmap`."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    for what, axes in (("in_axes", in_axes), ("out_axes", out_axes)):
        for x in _pytree.flatten_with_none(axes)[0]:
            if x is not None and (isinstance(x, bool) or not isinstance(x, int)):
                raise TypeError(f"vmap: {what} must have ints and None; got {describe(x)}")

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(
                f"vmap: in_axes has {len(in_axes)} entries for {len(args)} positional arguments"
            )
        leaves, structure = _pytree.flatten_with_none((args, kwargs))
        axes = _input_axes(in_axes, args, kwargs, leaves)
        size = _size(leaves, axes)
        batches = [
            x if axis is None else moved(x, axis % x.ndim, 0)
            for x, axis in zip(leaves, axes, strict=True)
        ]
        if chunk_size is None or chunk_size >= size:
            outs, structure = _run(f, batches, axes, structure, size, randomness)
            return _finished(outs, structure, out_axes, size)
        draws = SameDraws()
        parts, found = [], structure
        for start in range(0, size, chunk_size):
            chunk = slice(start, start + chunk_size)
            part = [
                x if axis is None else getitem(x, chunk)
                for x, axis in zip(batches, axes, strict=True)
            ]
            count = min(chunk_size, size - start)
            if randomness == "same":
                with draws.run():
                    outs, found = _run(f, part, axes, structure, count, randomness)
            else:
                outs, found = _run(f, part, axes, structure, count, randomness)
            parts.append(outs)
        joined = [_joined(list(p)) for p in zip(*parts, strict=True)]
        return _finished(joined, found, out_axes, size)

    return run


def _input_axes(in_axes: Any, args: Any, kwargs: Any, leaves: list[Any]) -> list[int | None]:
    """For each leaf of the arguments the axis of the examples, or None."""
    axes = _pytree.broadcast_prefix(in_axes, args)
    if axes is None:
        raise ValueError(
            f"vmap: in_axes must have the containers of the arguments, or outer ones; got {in_axes}"
        )
    named = leaves[len(axes) :]
    axes = [*axes, *(0 if isinstance(x, Tensor) else None for x in named)]
    for i, (x, axis) in enumerate(zip(leaves, axes, strict=True)):
        if axis is None or x is None:
            axes[i] = None
            continue
        if not isinstance(x, Tensor):
            raise TypeError(
                f"vmap: in_axes has the axis {axis} for {describe(x)}, which is not a tensor; "
                "write None for what all examples share"
            )
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(f"vmap: axis {axis} of in_axes does not exist; got {describe(x)}")
    return axes


def _size(leaves: Sequence[Any], axes: Sequence[int | None]) -> int:
    sizes = {x.shape[a]: x for x, a in zip(leaves, axes, strict=True) if a is not None}
    if not sizes:
        raise ValueError("vmap: at least one argument must have an axis of examples; got in_axes "
                         "of None alone, or no tensor")  # fmt: skip
    if len(sizes) > 1:
        got = ", ".join(f"{n} in {describe(x)}" for n, x in sizes.items())
        raise ValueError(f"vmap: arguments have different numbers of examples: {got}")
    return next(iter(sizes))


def _run(
    f: Function, leaves: Sequence[Any], axes: Sequence[Any], structure: Any, size: int, how: str
) -> tuple[list[Any], Any]:
    """One call of the function. Of each result: the tensor, and whether it has the hidden axis."""
    level = BatchLevel(size, how)
    failed = True
    try:
        with drawing(level):
            args, kwargs = _pytree.unflatten(
                structure,
                [
                    x if axis is None else level.wrap(x)
                    for x, axis in zip(leaves, axes, strict=True)
                ],
            )
            out = f(*args, **kwargs)
            del args, kwargs
        results, found = _pytree.flatten(out)
        del out
        like = next(x for x, axis in zip(leaves, axes, strict=True) if axis is not None)
        for i, x in enumerate(results):
            if isinstance(x, NUMBERS):
                x = asarray(x, device=like.device)
            elif not isinstance(x, Tensor):
                raise TypeError(
                    f"vmap: the function must return tensors or numbers; got {describe(x)}"
                )
            is_batched = level.is_at(x)
            value = x._primal if is_batched else x
            if is_batched and (value._view is not None or any(value is y for y in leaves)):
                value = unary("copy", value)  # its memory is that of an argument
            results[i] = value, is_batched
            del x
        failed = False
    finally:
        level.finish(failed)
    return results, found


def _joined(parts: list[Any]) -> Any:
    if any(flag for _, flag in parts):
        return concat([x for x, _ in parts], axis=0), True
    return parts[0]


def _finished(outs: Sequence[Any], structure: Any, out_axes: Any, size: int) -> Any:
    """The results, with the examples where `out_axes` says."""
    out = _pytree.unflatten(structure, [x for x, _ in outs])
    axes = _pytree.broadcast_prefix(out_axes, out, none_is_leaf=False)
    if axes is None or len(axes) != len(outs):
        raise ValueError(
            f"vmap: out_axes must have the containers of the result, or outer ones; got {out_axes}"
        )
    results = []
    for (x, is_batched), axis in zip(outs, axes, strict=True):
        if axis is None:
            if is_batched:
                raise ValueError(
                    "vmap: out_axes is None for a result that depends on the example; got "
                    f"{describe(x)}"
                )
            results.append(x)
            continue
        x = x if is_batched else unary("copy", repeated(x, size))
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(f"vmap: axis {axis} of out_axes does not exist; got {describe(x)}")
        results.append(moved(x, 0, axis % x.ndim))
    return _pytree.unflatten(structure, results)
