"""Functions with bitwise the same results as NumPy's that take a third of the time or less.

`TABLE` lists each with the function that it replaces, the measured speedup, and the change to NumPy
that would make it superfluous. A function belongs here only if it is three times as fast in a
frequent case, and changes neither the rounding nor the warnings nor the effect of `numpy.errstate`.
The tests compare each with NumPy's. ``python -m benchmarks.fast_paths`` measures them again,
because a newer NumPy may make some of them superfluous.

``ARRAYGRAD_PLAIN=1`` in the environment turns all of them off, and the threads of `parallel`, too.
If that corrects a wrong result, the error is in this package.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_Array = Any

#: True if NumPy's own functions are used everywhere, by one thread.
PLAIN = os.environ.get("ARRAYGRAD_PLAIN", "") not in ("", "0")

#: The least number of elements for which `where` uses bits: it takes several calls.
MIN_SIZE_FOR_BITS = 1 << 14
#: Elements of one block, which stays in the cache for three passes.
BLOCK_SIZE_FOR_BITS = 1 << 16


class FastPath(NamedTuple):
    """A faster replacement of a NumPy function."""

    function: Callable[..., Any]
    #: NumPy's function with the same signature.
    replaces: Callable[..., Any]
    #: The gain in speed, for the best operands and for the worst.
    gain: str
    #: The change to NumPy that would make it superfluous.
    upstream: str


def where(condition: _Array, x1: _Array, x2: _Array, /) -> _Array:
    """`numpy.where`; for elements of up to 4 bytes, by arithmetic on their bits.

    NumPy's loop has a branch for each element. If the processor cannot predict it, as for the mask
    of a ReLU, the branch takes ten times as long as the copy.
    """
    if condition.size < MIN_SIZE_FOR_BITS or condition.dtype != bool:
        return np.where(condition, x1, x2)
    dtype = np.result_type(x1, x2)
    if dtype.itemsize > 4:
        return np.where(condition, x1, x2)
    x1, x2 = np.asarray(x1, dtype=dtype), np.asarray(x2, dtype=dtype)
    for x in (condition, x1, x2):
        if not x.flags.c_contiguous or (x.ndim and x.shape != condition.shape):
            return np.where(condition, x1, x2)
    bits = np.dtype(f"u{dtype.itemsize}")
    a, b, mask = x1.view(bits).reshape(-1), x2.view(bits).reshape(-1), condition.reshape(-1)
    out = np.empty(mask.shape, dtype=bits)
    is_zero = b.size == 1 and b[0] == 0
    for start in range(0, out.size, BLOCK_SIZE_FOR_BITS):
        block = slice(start, start + BLOCK_SIZE_FOR_BITS)
        x, y, m, o = a[block] if x1.ndim else a, b[block] if x2.ndim else b, mask[block], out[block]
        if is_zero:
            np.multiply(x, m, out=o)
        else:
            np.bitwise_xor(x, y, out=o)
            np.multiply(o, m, out=o)
            np.bitwise_xor(o, y, out=o)
    return out.view(dtype).reshape(condition.shape)


def sorted_unique(x: _Array, /) -> _Array:
    """The unique elements, in order."""
    return np.unique(x, equal_nan=False)


def unique_values(x: _Array, /) -> _Array:
    """`numpy.unique`; for larger integers, by sorting, where NumPy uses a hash table."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 4:
        return sorted_unique(x)
    x = np.sort(x, axis=None)
    is_first = np.ones(x.shape, dtype=bool)
    np.not_equal(x[1:], x[:-1], out=is_first[1:])
    return x[is_first]


def moveaxis(x: _Array, source: Any, destination: Any, /) -> _Array:
    """`numpy.moveaxis`; for one axis, by the method `transpose`."""
    ndim = x.ndim
    if type(source) is type(destination) is tuple and len(source) == len(destination) == 1:
        (source,), (destination,) = source, destination
    if type(source) is not int or type(destination) is not int:
        return np.moveaxis(x, source, destination)
    if not (-ndim <= source < ndim and -ndim <= destination < ndim):
        return np.moveaxis(x, source, destination)  # raises the error
    axes = [*range(ndim)]
    axes.insert(destination if destination >= 0 else destination + ndim, axes.pop(source))
    return x.transpose(axes)


def broadcast_to(x: _Array, /, shape: Any) -> _Array:
    """`numpy.broadcast_to`; faster for arrays without axes, or with the target shape.

    Gradients of sums are such arrays. NumPy builds an iterator to find the strides.
    """
    shape = tuple(shape)
    if shape == x.shape:
        view = x.view()
    elif x.ndim:
        return np.broadcast_to(x, shape)
    else:
        for n in shape:
            if n < 1:
                return np.broadcast_to(x, shape)
        view = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    view.setflags(False)  # not writeable
    return view


def count_nonzero(x: _Array, /, axis: Any = None, keepdims: bool = False) -> _Array:
    """`numpy.count_nonzero`; for all elements with `keepdims`, by the count without it.

    NumPy converts the elements to integers, and adds these up.
    """
    if axis is None and keepdims:
        return np.full((1,) * x.ndim, np.count_nonzero(x))
    return _numpys_count_nonzero(x, axis=axis, keepdims=keepdims)


def _numpys_count_nonzero(x: _Array, /, axis: Any = None, keepdims: bool = False) -> _Array:
    return np.asarray(np.count_nonzero(x, axis=axis, keepdims=keepdims))  # (or an int)


def _numpys_broadcast_to(x: _Array, /, shape: Any) -> _Array:
    return np.broadcast_to(x, tuple(shape))


#: The conditions of the measurements. Other processors and versions of NumPy differ.
MEASURED = "NumPy 2.4.6, Python 3.11, AMD EPYC (Zen 4), medians, one thread"

#: Operation -> its fast path.
TABLE: dict[str, FastPath] = {
    "where": FastPath(
        where,
        np.where,
        "4 to 50 for a random mask of 100 000 elements or more; 0.4 to 5 for a mask of two halves",
        "a loop without branches, by the processor's blend instructions",
    ),
    "unique_values": FastPath(
        unique_values,
        sorted_unique,
        "4 to 12 for 10 000 or more integers, most of them different; 0.7 for ten different ones",
        "sort integers, as before NumPy 2.3, or size the hash table by a sample",
    ),
    "moveaxis": FastPath(
        moveaxis,
        np.moveaxis,
        "3.6, or 2 µs of each call",
        "no lists for a single axis",
    ),
    "broadcast_to": FastPath(
        broadcast_to,
        _numpys_broadcast_to,
        "3.0 for no axes, 5.5 for the same shape, or 2 µs of each call; 1 for other shapes",
        "the strides without numpy.nditer",
    ),
    "count_nonzero": FastPath(
        count_nonzero,
        _numpys_count_nonzero,
        "5 to 25 for 10 000 or more elements with keepdims and no axis, 2 for few; 1 for others",
        "no conversion to integers for one count",
    ),
}


def choose(name: str) -> Callable[..., Any]:
    """The fast path of an operation; with ``ARRAYGRAD_PLAIN=1``, the function that it replaces."""
    return TABLE[name].replaces if PLAIN else TABLE[name].function
