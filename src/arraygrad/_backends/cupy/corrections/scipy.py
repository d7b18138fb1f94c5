"""SciPy's functions that CuPy has, with SciPy's arguments."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import cupy as cp

from ...._errors import TransferError

__all__ = ["load"]


def load(name: str) -> Callable[..., Any]:
    """CuPy's function of that name, such as ``linalg.expm``."""
    if name in _CORRECTED:
        return _CORRECTED[name]
    try:
        return _cupyx(name)
    except AttributeError:
        raise TransferError(
            "CuPy lacks it, so it cannot be computed on a GPU; on the CPU it can: "
            f'arraygrad.scipy.{name}(x.to_device("cpu")).to_device(x.device)'
        ) from None


def _cupyx(name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    found: Callable[..., Any] = getattr(import_module(f"cupyx.scipy.{module}"), function)
    return found


def _solve_triangular(a: Any, b: Any, *, check_finite: bool, **how: Any) -> Any:
    """Without SciPy's check for infinities and NaN, for which the host would wait."""
    return _cupyx("linalg.solve_triangular")(a, b, **how)


def _expm(a: Any, /) -> Any:
    """CuPy's takes one matrix at a time."""
    expm = _cupyx("linalg.expm")
    if a.ndim == 2:
        return expm(a)
    return cp.stack([expm(x) for x in a.reshape(-1, *a.shape[-2:])]).reshape(a.shape)


_CORRECTED: dict[str, Callable[..., Any]] = {
    "linalg.expm": _expm,
    "linalg.solve_triangular": _solve_triangular,
}
