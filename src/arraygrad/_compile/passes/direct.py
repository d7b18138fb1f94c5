"""Direct calls: NumPy's own function where ours would only call it, as shapes and dtypes tell."""

from __future__ import annotations

import math
from typing import Any

from ..._device import get_device
from .._program import Program, Value
from ._facts import every_call

_cpu: Any = get_device("cpu")
_np: Any = _cpu.backend.namespace
_parallel: Any = _cpu.backend.parallel
_fast_paths: Any = _cpu.backend.fast_paths

#: Corrections of complex numbers alone.
_OF_COMPLEX = frozenset("expm1 log1p sign tan tanh".split())
#: Operations that have a shorter way, beside those that may be split between threads.
_NAMES = _OF_COMPLEX | {"linalg.solve", "where"}


def call_directly(program: Program) -> Program:
    """The program with shorter ways to the same function."""
    for call in every_call(program.calls):
        if call.device is not _cpu or call.kwargs or call.is_repeated:
            continue
        function = call.function
        inner = getattr(function, "unsplit", None)
        if inner is None and call.name not in _NAMES:
            continue
        arrays = [v for v in call.args if isinstance(v, Value) and v.shape is not None]
        sizes = [math.prod(v.shape) for v in arrays]
        few = not sizes or max(sizes) < _parallel.MIN_SIZE_TO_SPLIT
        if inner is not None and few and call.device.ops.get(call.name) is function:
            function = inner
        kinds = {v.dtype.kind for v in arrays}
        if few and call.name in _OF_COMPLEX and kinds and not kinds & {"c", "b"}:
            module = getattr(function, "__module__", "")
            if module and module.startswith("arraygrad."):
                function = getattr(_np, call.name)
        if call.name == "where" and len(call.args) == 3:
            condition, *rest = call.args
            has_int = any(type(x) is int for x in rest)
            if (
                isinstance(condition, Value)
                and math.prod(condition.shape) < _fast_paths.MIN_SIZE_FOR_BITS
                and not has_int
            ):
                function = _np.where
        if call.name == "linalg.solve" and {len(v.shape) for v in arrays} <= {1, 2}:
            function = _np.linalg.solve  # (array-api-compat's differs for stacks alone)
        call.function = function
    return program
