"""Convolution and its rule, which `signal` and `ndimage` share."""

from __future__ import annotations

from typing import Any

import arraygrad as xp

from .._dispatch import apply
from .._extras import padded
from ..autodiff.rules import conj, define


def convolved(x: Any, h: Any, mode: str, method: str) -> Any:
    return apply("scipy.signal.convolve", (x, h), (), {"mode": mode, "method": method})


def reversed_conj(x: Any) -> Any:
    return conj(xp.flip(x)) if x.ndim else conj(x)


def _whole(g: Any, x: Any, h: Any, mode: str) -> Any:
    """The cotangent of the whole convolution, from that of the part that was returned."""
    widths = []
    for size, m, n in zip(g.shape, x.shape, h.shape, strict=True):
        start = {"full": 0, "same": (n - 1) // 2, "valid": min(m, n) - 1}[mode]
        widths.append((start, m + n - 1 - start - size))
    return padded(g, widths) if widths else g


def _to_first(g: Any, _out: Any, x_like: Any, h: Any, *, mode: str, method: str) -> Any:
    return convolved(_whole(g, x_like, h, mode), reversed_conj(h), "valid", method)


def _to_second(g: Any, _out: Any, x: Any, h_like: Any, *, mode: str, method: str) -> Any:
    return convolved(_whole(g, x, h_like, mode), reversed_conj(x), "valid", method)


define(
    "scipy.signal.convolve",
    (_to_first, lambda t, _out, _x, h, *, mode, method: convolved(t, h, mode, method)),
    (_to_second, lambda t, _out, x, _h, *, mode, method: convolved(x, t, mode, method)),
)
