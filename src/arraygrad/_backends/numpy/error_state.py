"""NumPy's floating-point error state, switched off and on faster than by `np.errstate`."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

import numpy as np

errstate = np.errstate


class _ErrorState:
    """Fallback with the interface of a context variable, which calls `np.seterr`."""

    def set(self, state: dict[str, Any]) -> dict[str, Any]:
        """Set the state; returns the token for `reset`."""
        return dict(np.seterr(**state))

    def reset(self, token: dict[str, Any]) -> None:
        """Restore the state before `set`."""
        np.seterr(**token)


def _find_error_state() -> tuple[Any, Any]:
    """NumPy's own context variable, and its value for "ignore all".

    `np.errstate` makes a new value each time, which takes longer than most operations. NumPy does
    not publish its variable. So this function looks for the variable that `np.seterr` changes. If
    it finds none, `np.seterr` itself is used.
    """
    before, context = copy_context(), copy_context()
    context.run(np.seterr, all="ignore")
    changed = [(v, context[v]) for v in context if context[v] is not before.get(v)]
    return changed[0] if len(changed) == 1 else (_ErrorState(), {"all": "ignore"})


errors, ignored = _find_error_state()


class quiet:
    """A context without floating-point warnings."""

    __slots__ = ("_token",)
    _state = ignored

    def __enter__(self) -> None:
        self._token = errors.set(self._state)

    def __exit__(self, *_: object) -> None:
        errors.reset(self._token)


class buffered:
    """A context in which NumPy's functions have a buffer of some elements, a multiple of 16.

    Where an operand is broadcast, NumPy copies it into the buffer if that holds more than one row.
    With a buffer of one row the function takes half of the time.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> None:
        self._context = np.errstate()
        self._context.__enter__()
        np.setbufsize(self.size)

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)


def quiet_with_buffer(size: int) -> type[quiet]:
    """`quiet` for inside of `buffered`."""
    if isinstance(errors, _ErrorState):
        return quiet  # (NumPy leaves the buffer as it is)
    context = copy_context()
    context.run(np.seterr, all="ignore")
    context.run(np.setbufsize, size)
    return type("quiet", (quiet,), {"__slots__": (), "_state": context[errors]})
