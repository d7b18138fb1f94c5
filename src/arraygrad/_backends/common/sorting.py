"""Searching among integers of mixed signs, which both libraries compare as float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LARGEST = 2**63 - 1  # of int64


def _is_mixed(x1: Any, x2: Any) -> bool:
    """Return True if one dtype is uint64 and the other one has a sign."""
    dtypes = [getattr(x, "dtype", None) for x in (x1, x2)]
    return "uint64" in dtypes and any(d is not None and d.kind == "i" for d in dtypes)


def searchsorted(
    xp: Any, function: Callable[..., Any], x1: Any, x2: Any, side: str, sorter: Any
) -> Any:
    """Call a library's function, exact for integers of mixed signs."""
    if not _is_mixed(x1, x2):
        return function(x1, x2, side, sorter)
    is_outside = x2 < 0 if x1.dtype.kind == "u" else x2 > _LARGEST
    inside = xp.where(is_outside, xp.zeros_like(x2), x2).astype(
        "uint64" if x1.dtype.kind == "u" else "int64"
    )
    end = 0 if x1.dtype.kind == "u" else x1.size
    return xp.where(is_outside, end, function(x1, inside, side, sorter))


def isin(
    xp: Any, function: Callable[..., Any], x1: Any, x2: Any, /, *, invert: bool = False
) -> Any:
    """Call a library's function, exact for integers of mixed signs."""
    if not _is_mixed(x1, x2):
        return function(x1, x2, invert=invert)
    found = function(x1.astype("uint64"), x2.astype("uint64")) & (x1 >= 0) & (x1 <= _LARGEST)
    return xp.logical_xor(found, bool(invert))
