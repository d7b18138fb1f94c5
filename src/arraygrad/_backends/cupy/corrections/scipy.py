"""SciPy's functions that CuPy has, with SciPy's arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import cupy as cp

from ...._errors import TransferError
from ...common.scipy import substituted

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


def _solve_triangular(
    a: Any,
    b: Any,
    *,
    trans: int | tuple[int, ...],
    check_finite: bool,
    substitute: bool = False,
    **how: bool,
) -> Any:
    """Without SciPy's check for infinities and NaN, for which the host would wait."""
    ways = trans if isinstance(trans, tuple) else (trans,)
    if substitute and (found := substituted(a, b, ways, **how)) is not None:
        return found
    for way in ways:
        b = _cupyx("linalg.solve_triangular")(a, b, trans=way, **how)
    return b


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


def _solve_banded(widths: tuple[int, int], ab: Any, b: Any, check_finite: bool) -> Any:
    """By parallel cyclic reduction of blocks, in log2(n) steps; CuPy has no such function.

    There is no exchange of blocks, which the matrices of splines do not need: their principal
    minors are not 0, because they are diagonally dominant or totally positive.
    """
    lower, upper = widths
    k, n = max(lower, upper, 1), ab.shape[1]
    m = -(-n // k)
    rows = cp.arange(m * k).reshape(m, k, 1)
    dtype = cp.result_type(ab, b)
    blocks = []  # the entries left of, on and right of the blocks on the diagonal
    for shift in (-k, 0, k):
        columns = (cp.arange(m * k).reshape(m, 1, k)) + shift
        diagonal = upper + rows - columns
        inside = (diagonal >= 0) & (diagonal <= lower + upper) & (columns >= 0)
        inside &= (columns < n) & (rows < n)
        found = ab[cp.clip(diagonal, 0, lower + upper), cp.clip(columns, 0, n - 1)].astype(dtype)
        blocks.append(cp.where(inside, found, cp.zeros((), dtype)))
    left, middle, right = blocks
    middle = middle + ((rows == columns - k) & (rows >= n))  # equations of 1 fill the last block
    x = cp.zeros((m * k, b.shape[1]), dtype)
    x[:n] = b
    x = x.reshape(m, k, -1)
    step = 1
    while step < m:
        inverse = cp.linalg.inv(middle)
        before = [_moved(inverse @ y, step) for y in (left, right, x)]
        after = [_moved(inverse @ y, -step) for y in (left, right, x)]
        middle = middle - left @ before[1] - right @ after[0]
        x = x - left @ before[2] - right @ after[2]
        left, right = -(left @ before[0]), -(right @ after[1])
        step *= 2
    return (cp.linalg.inv(middle) @ x).reshape(m * k, -1)[:n]


def _moved(x: Any, by: int) -> Any:
    """The blocks moved by some places, with zeros behind them."""
    out = cp.zeros_like(x)
    if by > 0:
        out[by:] = x[:-by]
    else:
        out[:by] = x[-by:]
    return out


_CORRECTED: dict[str, Callable[..., Any]] = {
    "linalg.expm": _expm,
    "linalg.solve_banded": _solve_banded,
    "linalg.solve_triangular": _solve_triangular,
    "signal.convolve": _convolve,
    "signal.lfilter": _lfilter,
}
