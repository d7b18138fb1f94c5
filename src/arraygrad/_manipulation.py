"""Manipulation functions of the standard."""

from __future__ import annotations

from collections.abc import Sequence

from ._backends.numpy import broadcast_shapes as _broadcast_shapes
from ._dispatch import apply, call, sequence
from ._errors import explain
from ._typing import Axis, Tensor


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """TODO"""
    return tuple(apply("broadcast_arrays", arrays))


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """TODO"""
    try:
        return _broadcast_shapes(*shapes)
    except (TypeError, ValueError) as error:
        raise explain(error, "broadcast_shapes", shapes) from error


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """TODO"""
    return call("broadcast_to", x, shape)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """TODO"""
    return sequence("concat", arrays, axis=axis)


def expand_dims(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """TODO"""
    return call("expand_dims", x, axis)


def flip(x: Tensor, /, *, axis: Axis = None) -> Tensor:
    """TODO"""
    return call("flip", x, axis=axis)


def moveaxis(
    x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
) -> Tensor:
    """TODO"""
    return call("moveaxis", x, source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """TODO"""
    return call("permute_dims", x, axes)


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """TODO"""
    return apply("repeat", (x, repeats), (), {"axis": axis})


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """TODO"""
    return call("reshape", x, shape, copy=copy)


def roll(x: Tensor, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> Tensor:
    """TODO"""
    return call("roll", x, shift, axis=axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """TODO"""
    return call("squeeze", x, axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """TODO"""
    return sequence("stack", arrays, axis=axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """TODO"""
    return call("tile", x, repetitions)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """TODO"""
    return call("unstack", x, axis=axis)
