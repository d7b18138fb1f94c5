"""Gradients of what array-API code computes, in reverse and forward mode, to any order.

Two styles over one engine: functions of functions (`grad`, `vjp`, `jvp`, ...) and a tape
(`variable`, ``loss.backward()``). See `docs/gradients.md`.
"""

from .. import _hints
from .._dispatch import writes
from . import rules
from ._check import check_grads
from ._custom import checkpoint, custom_jvp, custom_vjp
from ._debug import debug_nans
from ._functions import (
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
)
from ._rules import NotDifferentiableError
from ._tape import enable_grad, no_grad, variable
from ._traced import Variable

writes.on = True
_hints.install(__name__, _hints.JAX)

__all__ = [
    "NotDifferentiableError",
    "Variable",
    "check_grads",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "debug_nans",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "no_grad",
    "rules",
    "stop_gradient",
    "value_and_grad",
    "variable",
    "vjp",
]
