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

    def __enter__(self) -> None:
        self._token = errors.set(ignored)

    def __exit__(self, *_: object) -> None:
        errors.reset(self._token)
