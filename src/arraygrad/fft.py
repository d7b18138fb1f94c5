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


def _last_axes(s: Sequence[int] | None, axes: Sequence[int] | None) -> Sequence[int] | None:
    """As many as there are lengths; NumPy will no longer count them by itself."""
    return tuple(range(-len(s), 0)) if axes is None and isinstance(s, (tuple, list)) else axes


def _real_dtype(dtype: DType, function: str) -> DType:
    dtype = as_dtype(dtype, function)
    if dtype is not None and dtype.kind != "f":
        raise TypeError(f"{function}: dtype must be float32 or float64; got {dtype}")
    return dtype


def fft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Discrete Fourier transform along one axis.

    Parameters
    ----------
    x : Tensor
        Complex; integers and real numbers are read as such.
    n : int, optional
        Length: longer axes are cut, shorter ones filled with zeros. None is the size of the axis.
    axis : int, optional
        Along which.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex, of the precision of `x`: y[k] = Σ x[j] exp(-2πi jk/n).

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fft(xp.asarray([1.0, 0.0, 0.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j], dtype=complex128)
    """
    return call("fft.fft", x, n=n, axis=axis, norm=norm)


def hfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Discrete Fourier transform of a conjugate-symmetric signal, which is real.

    Parameters
    ----------
    x : Tensor
        Complex; the first n // 2 + 1 elements.
    n : int, optional
        Length of the result; None is 2 (m - 1) of m elements.
    axis : int, optional
        Along which.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Real.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.hfft(xp.asarray([1.0, 1.0, 1.0]))
    Tensor([4., 0., 0., 0.], dtype=float64)
    """
    return call("fft.hfft", x, n=n, axis=axis, norm=norm)


def ifft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Inverse of `fft`.

    Parameters
    ----------
    x : Tensor
        Complex; integers and real numbers are read as such.
    n : int, optional
        Length: longer axes are cut, shorter ones filled with zeros. None is the size of the axis.
    axis : int, optional
        Along which.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex, of the precision of `x`: y[j] = Σ x[k] exp(2πi jk/n) / n.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.ifft(xp.asarray([1.0, 1.0, 1.0, 1.0]))
    Tensor([1.+0.j, 0.+0.j, 0.+0.j, 0.+0.j], dtype=complex128)
    """
    return call("fft.ifft", x, n=n, axis=axis, norm=norm)


def ihfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Inverse of `hfft`.

    Parameters
    ----------
    x : Tensor
        Real.
    n : int, optional
        Length: longer axes are cut, shorter ones filled with zeros. None is the size of the axis.
    axis : int, optional
        Along which.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex, with n // 2 + 1 elements along the axis.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.
    TypeError
        If `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.real(xp.fft.ihfft(xp.asarray([4.0, 0.0, 0.0, 0.0])))
    Tensor([1., 1., 1.], dtype=float64)
    """
    return call("fft.ihfft", x, n=n, axis=axis, norm=norm)


def irfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Inverse of `rfft`.

    Parameters
    ----------
    x : Tensor
        Complex; the first n // 2 + 1 coefficients.
    n : int, optional
        Length of the result; None is 2 (m - 1) of m coefficients. An odd length must be said.
    axis : int, optional
        Along which.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Real.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.irfft(xp.asarray([1.0, 1.0, 1.0]))
    Tensor([1., 0., 0., 0.], dtype=float64)
    """
    return call("fft.irfft", x, n=n, axis=axis, norm=norm)


def rfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Discrete Fourier transform of real numbers, without its redundant half.

    Parameters
    ----------
    x : Tensor
        Real.
    n : int, optional
        Length: longer axes are cut, shorter ones filled with zeros. None is the size of the axis.
    axis : int, optional
        Along which.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex, with n // 2 + 1 elements along the axis; the others are their conjugates.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.
    TypeError
        If `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.rfft(xp.asarray([1.0, 0.0, 0.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex128)
    """
    return call("fft.rfft", x, n=n, axis=axis, norm=norm)


def fftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Discrete Fourier transform along several axes.

    Parameters
    ----------
    x : Tensor
        Complex; integers and real numbers are read as such.
    s : sequence of int, optional
        Lengths, for the last axes if `axes` is not given; cut or filled as for one axis. None: the
        sizes of the axes; so is -1 in the place of one.
    axes : sequence of int, optional
        Along which. None: as many of the last as there are lengths, or all.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex, of the precision of `x`.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fftn(xp.ones((2, 2)))[0, 0]
    Tensor(4.+0.j, dtype=complex128)
    """
    axes = _last_axes(s, axes)
    return call("fft.fftn", x, s=s, axes=axes, norm=norm)


def ifftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Inverse of `fftn`.

    Parameters
    ----------
    x : Tensor
        Complex; integers and real numbers are read as such.
    s : sequence of int, optional
        Lengths, for the last axes if `axes` is not given; cut or filled as for one axis. None: the
        sizes of the axes; so is -1 in the place of one.
    axes : sequence of int, optional
        Along which. None: as many of the last as there are lengths, or all.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex, of the precision of `x`.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.ifftn(xp.ones((2, 2)))[0, 0]
    Tensor(1.+0.j, dtype=complex128)
    """
    axes = _last_axes(s, axes)
    return call("fft.ifftn", x, s=s, axes=axes, norm=norm)


def irfftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Inverse of `rfftn`.

    Parameters
    ----------
    x : Tensor
        Complex; along the last of the axes the first n // 2 + 1 coefficients.
    s : sequence of int, optional
        Lengths of the result; None: the sizes of the axes, and 2 (m - 1) of the last.
    axes : sequence of int, optional
        Along which. None: as many of the last as there are lengths, or all.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Real.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.irfftn(xp.ones((2, 3))).shape
    (2, 4)
    """
    axes = _last_axes(s, axes)
    return call("fft.irfftn", x, s=s, axes=axes, norm=norm)


def rfftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Discrete Fourier transform of real numbers along several axes.

    Parameters
    ----------
    x : Tensor
        Real.
    s : sequence of int, optional
        Lengths, for the last axes if `axes` is not given; cut or filled as for one axis. None: the
        sizes of the axes; so is -1 in the place of one.
    axes : sequence of int, optional
        Along which. None: as many of the last as there are lengths, or all.
    norm : {'backward', 'ortho', 'forward'}, optional
        Where the factor 1/n is: in the inverse transform, as 1/√n in both, or in the forward one.

    Returns
    -------
    Tensor
        Complex; the last of the axes has n // 2 + 1 elements.

    Raises
    ------
    ValueError
        If the length is not positive, the axis does not exist or there is no such `norm`.
    TypeError
        If `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.rfftn(xp.ones((2, 4))).shape
    (2, 3)
    """
    axes = _last_axes(s, axes)
    return call("fft.rfftn", x, s=s, axes=axes, norm=norm)


def fftfreq(
    n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: DeviceLike = None
) -> Tensor:
    """Frequencies that belong to the elements of `fft`.

    Parameters
    ----------
    n : int
        Length of the transform.
    d : float, optional
        Distance of the samples, in seconds say.
    dtype : dtype, optional
        float32 or float64; None is float64.
    device : Device or str, optional
        Where to make it; None is the default device.

    Returns
    -------
    Tensor
        In cycles per unit of `d`; the negative ones come last.

    Raises
    ------
    TypeError
        If `dtype` is not a real floating-point one.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.fftfreq(4)
    Tensor([ 0.  ,  0.25, -0.5 , -0.25], dtype=float64)
    """
    dtype = _real_dtype(dtype, "fftfreq")
    return create(Tensor, "fft.fftfreq", get_device(device), n, d=d, dtype=dtype)


def rfftfreq(
    n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: DeviceLike = None
) -> Tensor:
    """Frequencies that belong to the elements of `rfft`.

    Parameters
    ----------
    n : int
        Length of the transform.
    d : float, optional
        Distance of the samples, in seconds say.
    dtype : dtype, optional
        float32 or float64; None is float64.
    device : Device or str, optional
        Where to make it; None is the default device.

    Returns
    -------
    Tensor
        In cycles per unit of `d`; none is negative.

    Raises
    ------
    TypeError
        If `dtype` is not a real floating-point one.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.fft.rfftfreq(4)
    Tensor([0.  , 0.25, 0.5 ], dtype=float64)
    """
    dtype = _real_dtype(dtype, "rfftfreq")
    return create(Tensor, "fft.rfftfreq", get_device(device), n, d=d, dtype=dtype)


def fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Frequency 0 moved to the middle.

    Parameters
    ----------
    x : Tensor
        Of any dtype.
    axes : int or sequence of int, optional
        Along which; None for all.

    Returns
    -------
    Tensor
        A copy of the shape of `x`.

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
    return call("fft.fftshift", x, axes=axes)


def ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Inverse of `fftshift`.

    Parameters
    ----------
    x : Tensor
        Of any dtype.
    axes : int or sequence of int, optional
        Along which; None for all.

    Returns
    -------
    Tensor
        A copy of the shape of `x`.

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
    return call("fft.ifftshift", x, axes=axes)
