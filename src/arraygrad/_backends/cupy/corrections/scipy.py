"""SciPy's functions that CuPy has, with SciPy's arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
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
            "CuPy lacks this function; compute it on the CPU: "
            f'arraygrad.scipy.{name}(x.to_device("cpu")).to_device(x.device)'
        ) from None


@cache
def _cupyx(name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    with warnings.catch_warnings():
        # (cupyx.scipy.signal uses features that cupyx.jit calls experimental in a warning.)
        warnings.simplefilter("ignore", FutureWarning)
        found: Callable[..., Any] = getattr(import_module(f"cupyx.scipy.{module}"), function)
    return found


def _solve_triangular(a: Any, b: Any, *, check_finite: bool, **how: Any) -> Any:
    """Without SciPy's check for infinities and NaN, for which the host would wait."""
    return _cupyx("linalg.solve_triangular")(a, b, **how)


def _expm(a: Any, /) -> Any:
    """CuPy takes one matrix at a time."""
    expm = _cupyx("linalg.expm")
    if a.ndim == 2:
        return expm(a)
    return cp.stack([expm(x) for x in a.reshape(-1, *a.shape[-2:])]).reshape(a.shape)


def _lfilter(b: Any, a: Any, x: Any, axis: int, zi: Any, /) -> tuple[Any, Any]:
    """CuPy defines the state differently. This computes u = b * x + zi, then solves a * y = u."""
    lfilter, one = _cupyx("signal.lfilter"), cp.ones_like(a[:1])
    n, order = x.shape[-1], zi.shape[-1]
    zeros = cp.zeros_like(zi)
    u = lfilter(b, one, cp.concatenate([x, zeros], axis=-1))
    u[..., :order] += zi
    y = lfilter(one, a, u[..., :n])
    rest = lfilter(a, one, cp.concatenate([y, zeros], axis=-1))
    return y, u[..., n:] - rest[..., n:]


def _convolve(x: Any, h: Any, /, *, mode: str, method: str) -> Any:
    """CuPy chooses a method for one axis only."""
    if method == "auto" and x.ndim != 1:
        small = min(x.size, h.size) <= 512 or x.dtype.kind not in "fc"
        method = "direct" if small else "fft"
    return _cupyx("signal.convolve")(x, h, mode, method)


_CORRECTED: dict[str, Callable[..., Any]] = {
    "linalg.expm": _expm,
    "linalg.solve_triangular": _solve_triangular,
    "signal.convolve": _convolve,
    "signal.lfilter": _lfilter,
}
