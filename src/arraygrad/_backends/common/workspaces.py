"""Memory for the workspaces of updates, allocated before any update runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def add_memory(xp: Any, memory: list[Any], count: int, nbytes: int) -> None:
    """Ensure that the first `count` arrays of a list have at least `nbytes` bytes."""
    for i in range(count):
        if i == len(memory):
            memory.append(xp.empty(nbytes, dtype="uint8"))
        elif memory[i].nbytes < nbytes:
            memory[i] = xp.empty(nbytes, dtype="uint8")


def axes_by_stride(a: Any) -> list[int]:
    """The axes of an array in the order of memory: those of neighbours are last."""
    return sorted(range(a.ndim), key=lambda axis: -abs(a.strides[axis]))


def workspaces_like(a: Any, memory: Sequence[Any]) -> list[Any]:
    """Arrays of the shape, dtype and order of axes of `a`, one in each array of `memory`."""
    if a.flags.c_contiguous:
        return [m[: a.nbytes].view(a.dtype).reshape(a.shape) for m in memory]
    order = axes_by_stride(a)
    shape = [a.shape[axis] for axis in order]
    back = sorted(range(a.ndim), key=order.__getitem__)
    nbytes = math.prod(shape) * a.dtype.itemsize
    return [m[:nbytes].view(a.dtype).reshape(shape).transpose(back) for m in memory]
