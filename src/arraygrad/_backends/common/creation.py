"""Creation functions that both libraries lack."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any


def linspace(
    function: Callable[..., Any],
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any,
    endpoint: bool = True,
) -> Any:
    """Call a library's `linspace` so that the difference of the ends may overflow."""
    # (Arrays and NumPy's scalars would determine the precision.)
    start, stop = (x.item() if hasattr(x, "item") else x for x in (start, stop))
    if cmath.isfinite(stop - start):
        return function(start, stop, num, dtype=dtype, endpoint=endpoint)
    if cmath.isfinite(start) and cmath.isfinite(stop):
        return 2 * function(start / 2, stop / 2, num, dtype=dtype, endpoint=endpoint)
    found = function(start, stop, num, dtype=dtype, endpoint=endpoint)
    found[:1] = start  # infinity times 0 has been added
    return found
