"""Support for NumPy constants in expressions of opt_einsum, enabled by importing this module.

The constants become tensors on the default device when an expression is first called with tensors.
(Tensors alone need no import.)

Examples
--------
>>> import numpy as np
>>> import arraygrad as xp
>>> import arraygrad.interop.opt_einsum
>>> from opt_einsum import contract_expression
>>> double = contract_expression("a,->a", (2,), np.asarray(2.0), constants=[1])
>>> double(xp.asarray([1.0, 2.0]))
Tensor([2., 4.], dtype=float64)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opt_einsum.backends import dispatch

import arraygrad as xp


def _evaluate_constants(arrays: Sequence[Any], expression: Any) -> Any:
    """Contract the constant operands; the others are None."""
    tensors = [None if x is None else xp.asarray(x) for x in arrays]
    return expression(*tensors, backend="arraygrad", evaluate_constants=True)


dispatch.EVAL_CONSTS_BACKENDS["arraygrad"] = _evaluate_constants
