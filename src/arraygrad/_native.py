"""What the innermost modules ask of objects most often.

Compiled modules have these functions in C, of `_native.pxd`, and nothing but these modules calls
them. There NumPy's arrays are read directly; any other library's answer as they do here.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

#: An object of one of our classes, whose slots the caller sets.
new = object.__new__

#: Of an array: its shape, its dtype, the dtype's kind, and the number of its elements.
shape, dtype, kind = attrgetter("shape"), attrgetter("dtype"), attrgetter("dtype.kind")
size = attrgetter("size")


def fits(data: Any, shape: tuple[int, ...], dtype: Any) -> bool:
    """Whether an array has this shape, and this very dtype object."""
    return data.shape == shape and data.dtype is dtype


def is_spare(x: Any) -> bool:
    """Whether a tensor is a large array of which nothing is left after the operator it is now in.

    That can be seen in compiled code only, and there on Linux: the interpreter's stack has the one
    reference to it, and the operator was not called from elsewhere.
    """
    return False
