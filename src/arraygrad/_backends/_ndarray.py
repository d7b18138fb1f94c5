"""Kind and size of an array, for the hot path.

Compiled code reads NumPy's arrays by NumPy's C API (`_ndarray.pxd`), and arrays of other libraries
in the same way as here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def kind(x: Any) -> str:
    """The kind of an array's dtype, in NumPy's letters."""
    return x.dtype.kind


def size(x: Any) -> int:
    """The number of elements of an array."""
    return x.size


def have_one_root(x: Any, y: Any, root: Callable[[Any], Any]) -> bool:
    """Return True if one object owns the memory of two arrays; `root` is the backend's function."""
    return root(x) is root(y)


def bounds(x: Any, otherwise: Callable[[Any], tuple[int, int]]) -> tuple[int, int]:
    """The range of addresses of an array's elements; `otherwise` finds it for other arrays."""
    return otherwise(x)


def shape(x: Any) -> tuple[int, ...]:
    """The shape of an array."""
    return x.shape


def dtype_of(x: Any) -> Any:
    """The dtype of an array."""
    return x.dtype


def matches(x: Any, shape: tuple[int, ...], dtype: Any) -> bool:
    """Return True if an array has this shape and this dtype object."""
    return x.dtype is dtype and x.shape == shape
