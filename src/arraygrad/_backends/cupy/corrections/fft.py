"""The fft extension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

__all__ = [
    "fft",
    "fftn",
    "hfft",
    "ifft",
    "ifftn",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftn",
]

_Array = Any

_FROM_REAL = frozenset({"rfft", "rfftn", "ihfft"})
_TO_REAL = frozenset({"irfft", "irfftn", "hfft"})


def _check(name: str, x: _Array, sizes: list[int]) -> None:
    for n in sizes:
        if n < 1:
            raise ValueError(f"a transform of {n} points")
    if name in _FROM_REAL and x.dtype.kind == "c":
        raise TypeError("it transforms real numbers, not complex ones")


def _default_sizes(name: str, x: _Array, axes: tuple[int, ...]) -> list[int]:
    sizes = [x.shape[a] for a in axes]
    if name in _TO_REAL and sizes:
        sizes[-1] = 2 * (sizes[-1] - 1)
    return sizes


def _along_one_axis(name: str) -> Callable[..., _Array]:
    function = getattr(cp.fft, name)

    def transform(
        x: _Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward"
    ) -> _Array:
        """CuPy leaves a wrong axis or size to cuFFT, and drops imaginary parts."""
        axis = normalize_axis_index(axis, x.ndim)
        if n is None:
            (n,) = _default_sizes(name, x, (axis,))
        _check(name, x, [n])
        return function(x, n, axis, norm)

    return transform


def _along_axes(name: str) -> Callable[..., _Array]:
    function = getattr(cp.fft, name)

    def transform(
        x: _Array, /, *, s: Any = None, axes: Any = None, norm: str = "backward"
    ) -> _Array:
        """CuPy takes no -1 in `s`, no axis twice, and no empty array."""
        if axes is None:
            axes = range(-(x.ndim if s is None else len(s)), 0)
        axes = normalize_axis_tuple(axes, x.ndim, allow_duplicate=True)
        if s is None:
            sizes = _default_sizes(name, x, axes)
        else:
            sizes = [x.shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True)]
        _check(name, x, sizes)
        if not axes and name in (*_FROM_REAL, *_TO_REAL):
            raise ValueError("there is no axis to transform")
        if not axes:
            return x.astype("complex64" if x.dtype in ("f4", "c8") else "complex128")
        if x.size and len({*axes}) == len(axes):
            return function(x, sizes, axes, norm)  # (a list: CuPy ignores some tuples)
        return _axis_by_axis(name, x, sizes, axes, norm)

    return transform


def _axis_by_axis(
    name: str, x: _Array, sizes: list[int], axes: tuple[int, ...], norm: str
) -> _Array:
    """Transform along several axes, one after the other, in NumPy's order."""
    complex_axes = list(zip(sizes, axes, strict=True))
    real_axis = complex_axes.pop() if name in (*_FROM_REAL, *_TO_REAL) else None
    complex_transform = cp.fft.ifft if name.startswith("i") else cp.fft.fft
    if name == "irfftn":
        complex_axes.reverse()
    if real_axis and name == "rfftn":
        x = cp.fft.rfft(x, *real_axis, norm)
    for n, axis in reversed(complex_axes):
        x = complex_transform(x, n, axis, norm)
    return cp.fft.irfft(x, *real_axis, norm) if real_axis and name == "irfftn" else x


fft, ifft = _along_one_axis("fft"), _along_one_axis("ifft")
rfft, irfft = _along_one_axis("rfft"), _along_one_axis("irfft")
hfft, ihfft = _along_one_axis("hfft"), _along_one_axis("ihfft")
fftn, ifftn = _along_axes("fftn"), _along_axes("ifftn")
rfftn, irfftn = _along_axes("rfftn"), _along_axes("irfftn")
