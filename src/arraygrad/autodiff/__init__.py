"""Automatic differentiation of array-API code, in reverse and forward mode, to any order.

There are two styles over one engine: function transforms (`grad`, `vjp`, `jvp`, ...) and tensors
that require grad (``x.requires_grad_()``, ``loss.backward()``). See `docs/gradients.md`.
"""

from .. import _hints
from . import _inplace as _inplace  # the rules of in-place operations
from . import rules
from ._check import check_grads
from ._checkpoint import checkpoint, is_recomputing
from ._custom import custom_jvp, custom_vjp
from ._debug_nans import debug_nans
from ._grad_mode import enable_grad, is_traced, no_grad
from ._rules import NotDifferentiableError
from ._tape import set_requires_grad as set_requires_grad  # for Tensor.requires_grad_
from ._tape import variable
from ._transforms import (
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

_hints.install(__name__, _hints.JAX | _hints.AUTOGRAD)

__all__ = [
    "NotDifferentiableError",
    "check_grads",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "debug_nans",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "is_recomputing",
    "is_traced",
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
