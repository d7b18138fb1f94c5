"""Fourier transform extension of the standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from ._device import get_device
from ._dispatch import call, create
from ._dtypes import as_dtype
from ._typing import DeviceLike, DType, Tensor

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip

Norm: TypeAlias = Literal["backward", "ortho", "forward"]


def _real_dtype(dtype: DType, function: str) -> DType:
    dtype = as_dtype(dtype, function)
    if dtype is not None and dtype.kind != "f":
        raise TypeError(f"{function}: dtype must be float32 or float64; got {dtype}")
    return dtype


def fft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """TODO"""
    return call("fft.fft", x, n=n, axis=axis, norm=norm)


def hfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """TODO"""
    return call("fft.hfft", x, n=n, axis=axis, norm=norm)


def ifft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """TODO"""
    return call("fft.ifft", x, n=n, axis=axis, norm=norm)


def ihfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """TODO"""
    return call("fft.ihfft", x, n=n, axis=axis, norm=norm)


def irfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """TODO"""
    return call("fft.irfft", x, n=n, axis=axis, norm=norm)


def rfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """TODO"""
    return call("fft.rfft", x, n=n, axis=axis, norm=norm)


def fftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """TODO"""
    return call("fft.fftn", x, s=s, axes=axes, norm=norm)


def ifftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """TODO"""
    return call("fft.ifftn", x, s=s, axes=axes, norm=norm)


def irfftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """TODO"""
    return call("fft.irfftn", x, s=s, axes=axes, norm=norm)


def rfftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """TODO"""
    return call("fft.rfftn", x, s=s, axes=axes, norm=norm)


def fftfreq(
    n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: DeviceLike = None
) -> Tensor:
    """TODO"""
    dtype = _real_dtype(dtype, "fftfreq")
    return create("fft.fftfreq", get_device(device), n, d=d, dtype=dtype)


def rfftfreq(
    n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: DeviceLike = None
) -> Tensor:
    """TODO"""
    dtype = _real_dtype(dtype, "rfftfreq")
    return create("fft.rfftfreq", get_device(device), n, d=d, dtype=dtype)


def fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """TODO"""
    return call("fft.fftshift", x, axes=axes)


def ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """TODO"""
    return call("fft.ifftshift", x, axes=axes)
