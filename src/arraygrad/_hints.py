"""What to write for names that NumPy or JAX has, in the AttributeErrors of modules without them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NoReturn

_NUMPY = """
    absolute:abs amax:max amin:min arccos:acos arccosh:acosh arcsin:asin arcsinh:asinh arctan:atan
    arctan2:atan2 arctanh:atanh around:round array:asarray bitwise_not:bitwise_invert
    concatenate:concat conjugate:conj cross:linalg.cross cumprod:cumulative_prod
    cumsum:cumulative_sum diagonal:linalg.diagonal dot:matmul fabs:abs grad:autodiff.grad
    hstack:concat inner:vecdot invert:bitwise_invert left_shift:bitwise_left_shift mod:remainder
    outer:linalg.outer power:pow ravel:reshape right_shift:bitwise_right_shift
    swapaxes:permute_dims trace:linalg.trace true_divide:divide unique:unique_values vdot:vecdot
    vstack:concat"""
_EXTRA = "cov isclose kron nan_to_num pad setdiff1d sinc union1d"
NUMPY = {old: f"arraygrad.{new}" for old, new in (pair.split(":") for pair in _NUMPY.split())}
NUMPY |= {name: f"array_api_extra.{name}" for name in _EXTRA.split()}

LINALG = {
    "norm": "arraygrad.linalg.vector_norm or arraygrad.linalg.matrix_norm",
}

JAX = {
    "jacfwd": 'autodiff.jacobian(f, mode="forward")',
    "jacrev": 'autodiff.jacobian(f, mode="reverse")',
    "remat": "autodiff.checkpoint",
    "jit": "the function as it is: there is no compiler",
    "vmap": "batched code: the functions take stacks",
}


def install(module: str, hints: Mapping[str, str]) -> None:
    """Give a module the errors, unseen by type checkers: it would have every name for them."""

    def __getattr__(name: str) -> NoReturn:
        hint = f"; write {hints[name]}" if name in hints else ""
        raise AttributeError(
            f"module {module!r} has no attribute {name!r}{hint}", name=name, obj=found
        )

    found = sys.modules[module]
    vars(found)["__getattr__"] = __getattr__
