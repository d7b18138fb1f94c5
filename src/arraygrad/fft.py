"""Fourier transform extension of the standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Never, TypeAlias

from . import _hints
from ._device import get_device
from ._dispatch import call, create
from ._dtypes import as_dtype, get_defaults
from ._errors import as_int, describe
from ._hints import wrong_call
from ._typing import DeviceLike, DType, Tensor

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip

_hints.install(__name__, _hints.FFT)

Norm: TypeAlias = Literal["backward", "ortho", "forward"]


def _last_axes(s: Sequence[int] | None, axes: Sequence[int] | None) -> Sequence[int] | None:
    """The last ``len(s)`` axes, because NumPy deprecates the default for `axes`."""
    return tuple(range(-len(s), 0)) if axes is None and isinstance(s, (tuple, list)) else axes


def _real_dtype(dtype: DType, function: str) -> DType:
    dtype = get_defaults()["real floating"] if dtype is None else as_dtype(dtype, function)
    if dtype.kind != "f":
        raise TypeError(f"{function}: dtype must be float32 or float64; got {dtype}")
    return dtype


def fft(
    x: Tensor,
    /,
    *more: Never,
    n: int | None = None,
    axis: int = -1,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Discrete Fourier transform along one axis.

    Parameters
    ----------
    x : Tensor
        Input, converted to a complex dtype.
    n : int, optional
        Length of the transform. A longer axis is truncated, a shorter one is padded with zeros. By
        default the size of the axis.
    axis : int, optional
        Axis to operate along.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex coefficients of the precision of `x`: y[k] = Σ x[j] exp(-2πi jk/n).

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fft(xp.asarray([1.0, 0.0, 0.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j], dtype=complex128)
    """
    if more or other:
        raise wrong_call("fft.fft", locals())
    return call("fft.fft", x, (), {"n": n, "axis": axis, "norm": norm})


def hfft(
    x: Tensor,
    /,
    *more: Never,
    n: int | None = None,
    axis: int = -1,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Discrete Fourier transform of a conjugate-symmetric signal; the result is real.

    Parameters
    ----------
    x : Tensor
        Complex input: the first n // 2 + 1 elements of the signal.
    n : int, optional
        Length of the result; by default 2 (m - 1) for m elements.
    axis : int, optional
        Axis to operate along.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Real result.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.hfft(xp.asarray([1.0, 1.0, 1.0]))
    Tensor([4., 0., 0., 0.], dtype=float64)
    """
    if more or other:
        raise wrong_call("fft.hfft", locals())
    return call("fft.hfft", x, (), {"n": n, "axis": axis, "norm": norm})


def ifft(
    x: Tensor,
    /,
    *more: Never,
    n: int | None = None,
    axis: int = -1,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Inverse of `fft`.

    Parameters
    ----------
    x : Tensor
        Input, converted to a complex dtype.
    n : int, optional
        Length of the transform. A longer axis is truncated, a shorter one is padded with zeros. By
        default the size of the axis.
    axis : int, optional
        Axis to operate along.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex signal of the precision of `x`: y[j] = Σ x[k] exp(2πi jk/n) / n.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.ifft(xp.asarray([1.0, 1.0, 1.0, 1.0]))
    Tensor([1.+0.j, 0.+0.j, 0.+0.j, 0.+0.j], dtype=complex128)
    """
    if more or other:
        raise wrong_call("fft.ifft", locals())
    return call("fft.ifft", x, (), {"n": n, "axis": axis, "norm": norm})


def ihfft(
    x: Tensor,
    /,
    *more: Never,
    n: int | None = None,
    axis: int = -1,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Inverse of `hfft`.

    Parameters
    ----------
    x : Tensor
        Real input.
    n : int, optional
        Length of the transform. A longer axis is truncated, a shorter one is padded with zeros. By
        default the size of the axis.
    axis : int, optional
        Axis to operate along.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex result with n // 2 + 1 elements along the axis.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.
    TypeError
        If `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.real(xp.fft.ihfft(xp.asarray([4.0, 0.0, 0.0, 0.0])))
    Tensor([1., 1., 1.], dtype=float64)
    """
    if more or other:
        raise wrong_call("fft.ihfft", locals())
    return call("fft.ihfft", x, (), {"n": n, "axis": axis, "norm": norm})


def irfft(
    x: Tensor,
    /,
    *more: Never,
    n: int | None = None,
    axis: int = -1,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Inverse of `rfft`.

    Parameters
    ----------
    x : Tensor
        Complex input: the first n // 2 + 1 coefficients.
    n : int, optional
        Length of the result; by default 2 (m - 1) for m coefficients. An odd length must be given.
    axis : int, optional
        Axis to operate along.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Real result.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.irfft(xp.asarray([1.0, 1.0, 1.0]))
    Tensor([1., 0., 0., 0.], dtype=float64)
    """
    if more or other:
        raise wrong_call("fft.irfft", locals())
    return call("fft.irfft", x, (), {"n": n, "axis": axis, "norm": norm})


def rfft(
    x: Tensor,
    /,
    *more: Never,
    n: int | None = None,
    axis: int = -1,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Discrete Fourier transform of a real signal, without the redundant half.

    Parameters
    ----------
    x : Tensor
        Real input.
    n : int, optional
        Length of the transform. A longer axis is truncated, a shorter one is padded with zeros. By
        default the size of the axis.
    axis : int, optional
        Axis to operate along.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex coefficients, n // 2 + 1 along the axis; the others are their conjugates.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.
    TypeError
        If `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.rfft(xp.asarray([1.0, 0.0, 0.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex128)
    """
    if more or other:
        raise wrong_call("fft.rfft", locals())
    return call("fft.rfft", x, (), {"n": n, "axis": axis, "norm": norm})


def fftn(
    x: Tensor,
    /,
    *more: Never,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Discrete Fourier transform along several axes.

    Parameters
    ----------
    x : Tensor
        Input, converted to a complex dtype.
    s : sequence of int, optional
        Lengths along the axes; axes are truncated or padded as in `fft`. By default the sizes of
        the axes; -1 stands for the size of an axis.
    axes : sequence of int, optional
        Axes to transform. By default the last ``len(s)`` axes, or all axes if `s` is not given.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex result of the precision of `x`.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fftn(xp.ones((2, 2)))[0, 0]
    Tensor(4.+0.j, dtype=complex128)
    """
    if more or other:
        raise wrong_call("fft.fftn", locals())
    axes = _last_axes(s, axes)
    return call("fft.fftn", x, (), {"s": s, "axes": axes, "norm": norm})


def ifftn(
    x: Tensor,
    /,
    *more: Never,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Inverse of `fftn`.

    Parameters
    ----------
    x : Tensor
        Input, converted to a complex dtype.
    s : sequence of int, optional
        Lengths along the axes; axes are truncated or padded as in `fft`. By default the sizes of
        the axes; -1 stands for the size of an axis.
    axes : sequence of int, optional
        Axes to transform. By default the last ``len(s)`` axes, or all axes if `s` is not given.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex result of the precision of `x`.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.ifftn(xp.ones((2, 2)))[0, 0]
    Tensor(1.+0.j, dtype=complex128)
    """
    if more or other:
        raise wrong_call("fft.ifftn", locals())
    axes = _last_axes(s, axes)
    return call("fft.ifftn", x, (), {"s": s, "axes": axes, "norm": norm})


def irfftn(
    x: Tensor,
    /,
    *more: Never,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Inverse of `rfftn`.

    Parameters
    ----------
    x : Tensor
        Complex input: along the last of the axes, the first n // 2 + 1 coefficients.
    s : sequence of int, optional
        Lengths of the result; by default the sizes of the axes, and 2 (m - 1) for the last.
    axes : sequence of int, optional
        Axes to transform. By default the last ``len(s)`` axes, or all axes if `s` is not given.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Real result.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.irfftn(xp.ones((2, 3))).shape
    (2, 4)
    """
    if more or other:
        raise wrong_call("fft.irfftn", locals())
    axes = _last_axes(s, axes)
    return call("fft.irfftn", x, (), {"s": s, "axes": axes, "norm": norm})


def rfftn(
    x: Tensor,
    /,
    *more: Never,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
    **other: Never,
) -> Tensor:
    """Discrete Fourier transform of a real signal along several axes.

    Parameters
    ----------
    x : Tensor
        Real input.
    s : sequence of int, optional
        Lengths along the axes; axes are truncated or padded as in `fft`. By default the sizes of
        the axes; -1 stands for the size of an axis.
    axes : sequence of int, optional
        Axes to transform. By default the last ``len(s)`` axes, or all axes if `s` is not given.
    norm : {'backward', 'ortho', 'forward'}, optional
        Normalization: a factor 1/n in the inverse transform, 1/√n in both, or 1/n in the forward
        transform.

    Returns
    -------
    Tensor
        Complex result; the last of the axes has n // 2 + 1 elements.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or `norm` is unknown.
    TypeError
        If `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.rfftn(xp.ones((2, 4))).shape
    (2, 3)
    """
    if more or other:
        raise wrong_call("fft.rfftn", locals())
    axes = _last_axes(s, axes)
    return call("fft.rfftn", x, (), {"s": s, "axes": axes, "norm": norm})


def fftfreq(
    n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: DeviceLike = None
) -> Tensor:
    """Frequencies of the coefficients of `fft`.

    Parameters
    ----------
    n : int
        Length of the transform.
    d : float, optional
        Sample spacing.
    dtype : dtype, optional
        float32 or float64; by default as set by `default_dtype`, at first float64.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        Frequencies in cycles per unit of `d`; the negative ones are last.

    Raises
    ------
    TypeError
        If `dtype` is not a real floating-point dtype.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fftfreq(4)
    Tensor([ 0.  ,  0.25, -0.5 , -0.25], dtype=float64)
    """
    dtype = _real_dtype(dtype, "fftfreq")
    return _frequencies("fft.fftfreq", n, d, dtype, device)


def rfftfreq(
    n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: DeviceLike = None
) -> Tensor:
    """Frequencies of the coefficients of `rfft`.

    Parameters
    ----------
    n : int
        Length of the transform.
    d : float, optional
        Sample spacing.
    dtype : dtype, optional
        float32 or float64; by default as set by `default_dtype`, at first float64.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        Nonnegative frequencies in cycles per unit of `d`.

    Raises
    ------
    TypeError
        If `dtype` is not a real floating-point dtype.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.rfftfreq(4)
    Tensor([0.  , 0.25, 0.5 ], dtype=float64)
    """
    dtype = _real_dtype(dtype, "rfftfreq")
    return _frequencies("fft.rfftfreq", n, d, dtype, device)


def _frequencies(name: str, n: int, d: float, dtype: DType, device: DeviceLike) -> Tensor:
    n = as_int(name, "n", n)
    if hasattr(d, "item"):  # a NumPy scalar, of whose precision the result would be
        if getattr(d, "shape", ()):
            raise TypeError(f"{name}: d must be a number; got {describe(d)}")
        d = d.item()
    return create(Tensor, name, get_device(device, name), n, d=d, dtype=dtype)


def fftshift(
    x: Tensor, /, *more: Never, axes: int | Sequence[int] | None = None, **other: Never
) -> Tensor:
    """Shift frequency 0 to the middle.

    Parameters
    ----------
    x : Tensor
        Input of any dtype.
    axes : int or sequence of int, optional
        Axes to shift; by default all.

    Returns
    -------
    Tensor
        Copy with the shape of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fftshift(xp.fft.fftfreq(4))
    Tensor([-0.5 , -0.25,  0.  ,  0.25], dtype=float64)
    """
    if more or other:
        raise wrong_call("fft.fftshift", locals())
    return call("fft.fftshift", x, (), {"axes": axes})


def ifftshift(
    x: Tensor, /, *more: Never, axes: int | Sequence[int] | None = None, **other: Never
) -> Tensor:
    """Inverse of `fftshift`.

    Parameters
    ----------
    x : Tensor
        Input of any dtype.
    axes : int or sequence of int, optional
        Axes to shift; by default all.

    Returns
    -------
    Tensor
        Copy with the shape of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.ifftshift(xp.fft.fftshift(xp.arange(5)))
    Tensor([0, 1, 2, 3, 4], dtype=int64)
    """
    if more or other:
        raise wrong_call("fft.ifftshift", locals())
    return call("fft.ifftshift", x, (), {"axes": axes})
