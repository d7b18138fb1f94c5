"""Softmax in single precision: fewer passes over the memory than by NumPy's functions.

That is for arrays whose rows, along the last axis, are one after the other in memory. Where the
package is compiled, `_formulas.softmax` makes each row while it is in a cache. Its steps are those
of this module, so that the bits are the same. The exponential is that of `formulas`; sums are those
of `norms`.
"""

from __future__ import annotations

import math
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from ..common import nn
from .error_state import quiet
from .fast_paths import PLAIN
from .formulas import fill
from .norms import sums_of_rows
from .parallel import MIN_SIZE_TO_SPLIT, run_on_pool

_Array = Any

#: Elements of the rows that one thread takes at a time.
_CHUNK = 1 << 16

_compiled: Any = None
if not PLAIN:
    with suppress(ImportError):
        _compiled = import_module("._formulas", __package__)


class Exponentials(nn.Exponentials):
    """Softmax of NumPy's arrays."""

    def softmax(self, x: _Array, /, *, axis: int) -> _Array:
        """Exponentials divided by their sum."""
        if not _has_rows(x, axis):
            return super().softmax(x, axis=axis)
        return _softmax(x, True)[0]

    def log_softmax(self, x: _Array, /, *, axis: int) -> _Array:
        """The logarithm of `softmax`."""
        if not _has_rows(x, axis):
            return super().log_softmax(x, axis=axis)
        y, _, sums = _softmax(x, False)
        y -= np.log(sums)
        return y

    def classes(self, x: _Array, target: _Array, /, *, axis: int) -> tuple[_Array, _Array]:
        """Minus `log_softmax` at the indices `target`, which have that axis, and the softmax."""
        if not _has_rows(x, axis):
            return super().classes(x, target, axis=axis)
        y, largest, sums = _softmax(x, True)
        with quiet():
            picked = self.settle(np.take_along_axis(x, target, axis) - largest, largest)
        return np.log(sums) - picked, y


def _has_rows(x: _Array, axis: int) -> bool:
    return bool(
        x.ndim
        and axis in (-1, x.ndim - 1)
        and x.dtype == np.float32
        and x.size
        and x.flags.c_contiguous
    )


def _softmax(x: _Array, is_softmax: bool) -> tuple[_Array, _Array, _Array]:
    """The softmax, or the differences from the largest element; that, and the exponentials' sum."""
    n, y = x.shape[-1], np.empty_like(x)
    rows = x.size // n
    largest, sums = np.empty((2, rows), x.dtype)
    flat = x.reshape(rows, n), y.reshape(rows, n), largest, sums

    fill_rows: Any = _rows if _compiled is None else _compiled.softmax

    def compute(part: slice) -> None:
        fill_rows(*[a[part] for a in flat], is_softmax)

    step = max(1, _CHUNK // n)
    parts = [slice(i, i + step) for i in range(0, rows, step)]
    if x.size < MIN_SIZE_TO_SPLIT or not run_on_pool(compute, parts, helps=True):
        compute(slice(None))
    kept = (*x.shape[:-1], 1)
    return y, largest.reshape(kept), sums.reshape(kept)


def _rows(x: _Array, y: _Array, largest: _Array, sums: _Array, is_softmax: bool) -> None:
    with quiet():
        largest[...] = m = np.fmax.reduce(x, axis=1, initial=-math.inf)
        np.subtract(x, m[:, None], out=y)
        is_infinite = np.isinf(m)
        if is_infinite.any():
            y[(x == m[:, None]) & is_infinite[:, None]] = 0
        e = y if is_softmax else np.empty_like(y)
        fill("exp_of_negative", y, e)
        sums[...] = sums_of_rows(e[None])
        if is_softmax:
            y /= sums[:, None]
