"""Strict mode: what goes beyond the standard becomes an error that names the portable spelling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_strict: ContextVar[bool] = ContextVar("arraygrad_strict", default=False)
is_strict = _strict.get


@contextmanager
def strict(enabled: bool = True) -> Iterator[None]:
    """Accept only what the standard defines, inside a ``with`` block.

    Outside of it, where the standard leaves a case open, the answer is NumPy's: an int tensor
    plus a float one, the square root of ints, lists as indices, ``dtype=float``. Code that
    relies on such answers may fail with another array library. Inside, each of them raises and
    names the portable spelling, so a library's tests can run under it.

    Parameters
    ----------
    enabled : bool, optional
        False switches strict mode off again inside an outer strict block.

    Raises
    ------
    TypeError, IndexError, ValueError
        By the operations inside the block that the standard does not define.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.asarray([1, 2]) + 0.5
    Tensor([1.5, 2.5], dtype=float64)
    >>> with xp.strict():
    ...     xp.asarray([1, 2]) + 0.5
    Traceback (most recent call last):
    ...
    TypeError: add: float with int64 is outside the standard; write xp.astype(x, xp.float64) first
    """
    token = _strict.set(enabled)
    try:
        yield
    finally:
        _strict.reset(token)
