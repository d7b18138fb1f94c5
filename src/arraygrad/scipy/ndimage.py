"""Filters and interpolation of `scipy.ndimage`, with derivatives.

SciPy computes them on the CPU, and `cupyx.scipy.ndimage` on CUDA devices. A filter is a sum over
the neighbours of each element. First, the input is extended at its ends, depending on `mode`:

- ``'reflect'`` or ``'grid-mirror'``: d c b a | a b c d | d c b a
- ``'constant'`` or ``'grid-constant'``: by `cval`
- ``'nearest'``: a a a a | a b c d | d d d d
- ``'mirror'``: d c b | a b c d | c b a
- ``'wrap'`` or ``'grid-wrap'``: a b c d | a b c d | a b c d

The transpose of a filter sums backwards, and then adds the extension to the elements that it
repeats.

Images are interpolated by splines between the elements (`map_coordinates` and the functions built
on it). The sum of the elements near each point, times weights, is written with the namespace.
There, the modes without ``grid-`` extend the image between the centres of its first and last
elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import arraygrad as xp

from .._dispatch import apply, call, check_tensor, common_device
from .._errors import as_int, as_number, describe, in_own_name
from .._extras import padded
from .._typing import Tensor
from ..autodiff import stop_gradient, vjp
from ..autodiff.rules import define
from ._convolution import convolved

__all__ = [
    "affine_transform", "convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter",
    "gaussian_filter1d", "gaussian_gradient_magnitude", "gaussian_laplace", "laplace",
    "map_coordinates", "prewitt", "rotate", "shift", "sobel", "spline_filter", "spline_filter1d",
    "uniform_filter", "uniform_filter1d", "zoom",
]  # fmt: skip

#: The modes under the names of `arraygrad.pad`.
_PADS = {
    "reflect": "symmetric",
    "constant": "constant",
    "nearest": "edge",
    "mirror": "reflect",
    "wrap": "wrap",
}
_where: Any = xp.where

_SYNONYMS = {"grid-mirror": "reflect", "grid-constant": "constant", "grid-wrap": "wrap"}


def _per_axis(x: Any, name: str, value: Any, convert: Callable[..., Any]) -> tuple[Any, ...]:
    """Parameters of all axes, from one for all or a sequence."""
    each = value if isinstance(value, (tuple, list)) else (value,) * x.ndim
    if len(each) != x.ndim:
        raise ValueError(
            f"{name} must be one value or one for each of {x.ndim} axes; got {describe(value)}"
        )
    return tuple([convert("scipy.ndimage", name, v) for v in each])


def _mode(_function: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in _PADS | _SYNONYMS:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, _PADS))}; got {value!r}")
    return _SYNONYMS.get(value, value)


def _extended(x: Any, reach: Any, modes: Any) -> Any:
    for axis, (width, mode) in enumerate(zip(reach, modes, strict=True)):
        if any(width):
            widths = [(0, 0)] * x.ndim
            widths[axis] = width
            x = padded(x, widths, _PADS[mode])
    return x


def _to_input(g: Any, x: Any, reach: Any, modes: Any) -> Any:
    """The transpose of `_extended`: from the cotangent of the extended input to the input's."""
    zeros = xp.zeros(x.shape, dtype=x.dtype, device=x.device)
    return vjp(lambda x: _extended(x, reach, modes), zeros)[1](g)[0]


# ---- Gaussian filters


@in_own_name("scipy.ndimage.gaussian_filter")
def gaussian_filter(
    input: Tensor,
    sigma: float | Sequence[float],
    order: int | Sequence[int] = 0,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    radius: int | Sequence[int] | None = None,
) -> Tensor:
    """Convolve with a Gaussian, or with a derivative of it, along all axes.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    sigma : float or sequence of float
        Standard deviation, for all axes or for each; a number, without a derivative.
    order : int or sequence of int, optional
        Order of the derivative of the Gaussian.
    mode : str or sequence of str, optional
        How the input is extended at its ends: 'reflect', 'constant', 'nearest', 'mirror' or 'wrap'.
    cval : float, optional
        Value beyond the ends for the mode 'constant'.
    truncate : float, optional
        Radius at which the Gaussian is cut off, in standard deviations.
    radius : int or sequence of int, optional
        The same radius in elements; `truncate` is then ignored.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError
        If `input` is not a tensor, or a parameter not a number.
    ValueError
        If `mode` is unknown, or a sequence does not fit the axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.gaussian_filter(xp.asarray([0.0, 0.0, 1.0, 0.0, 0.0]), 1.0)
    Tensor([0.05842299, 0.24210528, 0.39894347, 0.24210528, 0.05842299], dtype=float64)
    """
    check_tensor("scipy.ndimage.gaussian_filter", input)
    how: dict[str, Any] = {
        "sigma": _per_axis(input, "sigma", sigma, as_number),
        "order": _per_axis(input, "order", order, as_int),
        "mode": _per_axis(input, "mode", mode, _mode),
        "cval": as_number("scipy.ndimage", "cval", cval),
        "truncate": as_number("scipy.ndimage", "truncate", truncate),
    }
    if radius is not None:
        how["radius"] = _per_axis(input, "radius", radius, as_int)
    return call("scipy.ndimage.gaussian_filter", input, (), how)


def gaussian_filter1d(
    input: Tensor,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    radius: int | None = None,
) -> Tensor:
    """Convolve with a Gaussian, or with a derivative of it, along one axis.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    sigma : float
        Standard deviation; a number, without a derivative.
    axis : int, optional
        Axis to filter along.
    order : int, optional
        Order of the derivative of the Gaussian.
    mode, cval, truncate, radius : optional
        See `gaussian_filter`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError
        As for `gaussian_filter`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.gaussian_filter1d(xp.asarray([[0.0, 1.0, 0.0]]), 0.5)
    Tensor([[0.10671464, 0.78657073, 0.10671464]], dtype=float64)
    """
    check_tensor("scipy.ndimage.gaussian_filter1d", input)
    sigmas = _along(input, axis, "gaussian_filter1d", sigma, 0.0)
    orders = _along(input, axis, "gaussian_filter1d", order, 0)
    run = in_own_name("scipy.ndimage.gaussian_filter1d")(gaussian_filter)
    return run(input, sigmas, orders, mode=mode, cval=cval, truncate=truncate, radius=radius)


def _along(x: Any, axis: int, name: str, value: Any, other: Any) -> list[Any]:
    axis = as_int(f"scipy.ndimage.{name}", "axis", axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"scipy.ndimage.{name}: axis {axis} does not exist in a tensor of shape {x.shape}"
        )
    return [value if i == axis % x.ndim else other for i in range(x.ndim)]


def _gaussian_reach(how: dict[str, Any]) -> list[tuple[int, int]]:
    sigmas, truncate = how["sigma"], how["truncate"]
    radii = how.get("radius") or [int(truncate * float(s) + 0.5) for s in sigmas]
    # (SciPy leaves an axis with a sigma of 0 as it is.)
    return [(r, r) if s > 1e-15 else (0, 0) for r, s in zip(radii, sigmas, strict=True)]


def _gaussian_vjp(g: Any, _out: Any, x_like: Any, **how: Any) -> Any:
    """The Gaussian is symmetric, and its odd derivatives are antisymmetric."""
    reach = _gaussian_reach(how)
    constant = {"mode": ("constant",) * g.ndim, "cval": 0.0}
    found = call("scipy.ndimage.gaussian_filter", padded(g, reach), (), how | constant)
    odd = sum(k for k, s in zip(how["order"], how["sigma"], strict=True) if s > 1e-15) % 2
    return _to_input(-found if odd else found, x_like, reach, how["mode"])


define(
    "scipy.ndimage.gaussian_filter",
    (
        _gaussian_vjp,
        lambda t, _out, _x, **how: call(
            "scipy.ndimage.gaussian_filter", t, (), how | {"cval": 0.0}
        ),
    ),
)

# ---- uniform filters


@in_own_name("scipy.ndimage.uniform_filter")
def uniform_filter(
    input: Tensor,
    size: int | Sequence[int] = 3,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
) -> Tensor:
    """Mean of the neighbours, along all axes.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    size : int or sequence of int, optional
        Number of neighbours, for all axes or for each.
    mode : str or sequence of str, optional
        How the input is extended at its ends: 'reflect', 'constant', 'nearest', 'mirror' or 'wrap'.
    cval : float, optional
        Value beyond the ends for the mode 'constant'.
    origin : int or sequence of int, optional
        By how many elements the neighbours are shifted to the left.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError
        If `input` is not a tensor, or a parameter not a number.
    ValueError
        If `mode` is unknown, or a sequence does not fit the axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.uniform_filter(xp.asarray([0.0, 3.0, 0.0, 0.0]))
    Tensor([1., 1., 1., 0.], dtype=float64)
    """
    check_tensor("scipy.ndimage.uniform_filter", input)
    how = {
        "size": _per_axis(input, "size", size, as_int),
        "mode": _per_axis(input, "mode", mode, _mode),
        "cval": as_number("scipy.ndimage", "cval", cval),
        "origin": _per_axis(input, "origin", origin, as_int),
    }
    return call("scipy.ndimage.uniform_filter", input, (), how)


def uniform_filter1d(
    input: Tensor,
    size: int,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
) -> Tensor:
    """Mean of the neighbours, along one axis.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    size : int
        Number of neighbours.
    axis : int, optional
        Axis to filter along.
    mode, cval, origin : optional
        See `uniform_filter`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError
        As for `uniform_filter`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.uniform_filter1d(xp.asarray([[0.0, 3.0, 0.0, 0.0]]), 3)
    Tensor([[1., 1., 1., 0.]], dtype=float64)
    """
    check_tensor("scipy.ndimage.uniform_filter1d", input)
    sizes = _along(input, axis, "uniform_filter1d", size, 1)
    origins = _along(input, axis, "uniform_filter1d", origin, 0)
    run = in_own_name("scipy.ndimage.uniform_filter1d")(uniform_filter)
    return run(input, sizes, mode=mode, cval=cval, origin=origins)


def _reach(sizes: Any, origins: Any) -> list[tuple[int, int]]:
    """Numbers of elements that a filter reads before and after each element."""
    return [(n // 2 + o, n - 1 - n // 2 - o) for n, o in zip(sizes, origins, strict=True)]


def _uniform_vjp(g: Any, _out: Any, x_like: Any, **how: Any) -> Any:
    reach = _reach(how["size"], how["origin"])
    backwards = tuple([after - n // 2 for (_, after), n in zip(reach, how["size"], strict=True)])
    constant = {"mode": ("constant",) * g.ndim, "cval": 0.0, "origin": backwards}
    found = call("scipy.ndimage.uniform_filter", padded(g, reach), (), how | constant)
    return _to_input(found, x_like, reach, how["mode"])


define(
    "scipy.ndimage.uniform_filter",
    (
        _uniform_vjp,
        lambda t, _out, _x, **how: call("scipy.ndimage.uniform_filter", t, (), how | {"cval": 0.0}),
    ),
)

# ---- any weights


@in_own_name("scipy.ndimage.correlate")
def correlate(
    input: Tensor,
    weights: Tensor,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
) -> Tensor:
    """Sum of the neighbours times weights.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    weights : Tensor
        Real weights, with as many axes as `input`.
    mode : str, optional
        How the input is extended at its ends: 'reflect', 'constant', 'nearest', 'mirror' or 'wrap'.
    cval : float, optional
        Value beyond the ends for the mode 'constant'.
    origin : int or sequence of int, optional
        By how many elements the neighbours are shifted to the left.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError
        If an operand is not a tensor, or the weights are complex.
    ValueError
        If `mode` is unknown, the weights are empty or do not have the axes of `input`.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> x, weights = xp.asarray([1.0, 2.0, 4.0]), xp.asarray([-1.0, 0.0, 1.0])
    >>> ndimage.correlate(x, weights, mode="nearest")
    Tensor([1., 3., 2.], dtype=float64)
    """
    name = "scipy.ndimage.correlate"
    for x in (input, weights):
        check_tensor(name, x)
    common_device(name, (input, weights))
    if weights.dtype.kind == "c":
        raise TypeError(f"weights must be real; got {describe(weights)}")
    if weights.ndim != input.ndim or not weights.size:
        raise ValueError(
            f"weights must have {input.ndim} axes and an element; got shape {weights.shape}"
        )
    how = {
        "mode": _mode(name, "mode", mode),
        "cval": as_number(name, "cval", cval),
        "origin": _per_axis(input, "origin", origin, as_int),
    }
    return apply("scipy.ndimage.correlate", (input, weights), (), how)


def convolve(
    input: Tensor,
    weights: Tensor,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
) -> Tensor:
    """Sum of the neighbours times weights in reverse order.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    weights : Tensor
        Real weights, with as many axes as `input`.
    mode, cval : optional
        See `correlate`.
    origin : int or sequence of int, optional
        By how many elements the neighbours are shifted to the right.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As for `correlate`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> x, weights = xp.asarray([1.0, 2.0, 4.0]), xp.asarray([1.0, 0.0, -1.0])
    >>> ndimage.convolve(x, weights, mode="nearest")
    Tensor([1., 3., 2.], dtype=float64)
    """
    name = "scipy.ndimage.convolve"
    for x in (input, weights):
        check_tensor(name, x)
    each = in_own_name(name)(_per_axis)(input, "origin", origin, as_int)
    even = [1 - n % 2 for n in weights.shape]
    origins = [-o - e for o, e in zip(each, even, strict=False)] or 0
    run = in_own_name(name)(correlate)
    return run(input, xp.flip(weights), mode=mode, cval=cval, origin=origins)


def correlate1d(
    input: Tensor,
    weights: Tensor,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
) -> Tensor:
    """Sum of the neighbours along an axis times weights.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    weights : Tensor
        Real weights of shape (N,).
    axis : int, optional
        Axis to filter along.
    mode, cval, origin : optional
        See `correlate`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As for `correlate`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.correlate1d(xp.asarray([[1.0, 2.0, 4.0]]), xp.asarray([1.0, 1.0, 1.0]))
    Tensor([[ 4.,  7., 10.]], dtype=float64)
    """
    return _one_axis("correlate1d", correlate, input, weights, axis, mode, cval, origin)


def convolve1d(
    input: Tensor,
    weights: Tensor,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
) -> Tensor:
    """Sum of the neighbours along an axis times weights in reverse order.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    weights : Tensor
        Real weights of shape (N,).
    axis : int, optional
        Axis to filter along.
    mode, cval, origin : optional
        See `convolve`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As for `correlate`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.convolve1d(xp.asarray([0.0, 1.0, 0.0, 0.0]), xp.asarray([1.0, 2.0, 3.0]))
    Tensor([1., 2., 3., 0.], dtype=float64)
    """
    return _one_axis("convolve1d", convolve, input, weights, axis, mode, cval, origin)


def _one_axis(
    name: str,
    function: Callable[..., Any],
    x: Any,
    weights: Any,
    axis: int,
    mode: str,
    cval: float,
    origin: int,
) -> Any:
    full = f"scipy.ndimage.{name}"
    for tensor in (x, weights):
        check_tensor(full, tensor)
    if weights.ndim != 1:
        raise ValueError(f"{full}: weights must have shape (N,); got {weights.shape}")
    shape = _along(x, axis, name, weights.shape[0], 1)
    origins = _along(x, axis, name, origin, 0)
    weights = xp.reshape(weights, tuple(shape))
    return in_own_name(full)(function)(x, weights, mode=mode, cval=cval, origin=origins)


def _correlate_to_input(
    g: Any, _out: Any, x_like: Any, weights: Any, *, mode: str, cval: float, origin: Any
) -> Any:
    reach = _reach(weights.shape, origin)
    found = convolved(g, weights, "full", "direct")
    return _to_input(found, x_like, reach, (mode,) * g.ndim)


def _correlate_to_weights(
    g: Any, _out: Any, x: Any, weights_like: Any, *, mode: str, cval: float, origin: Any
) -> Any:
    reach = _reach(weights_like.shape, origin)
    if _PADS[mode] == "constant":
        x = padded(x, reach, constant_values=cval)
    else:
        x = _extended(x, reach, (mode,) * x.ndim)
    flipped = xp.flip(g) if g.ndim else g
    if g.dtype.kind == "c":
        x = xp.conj(x)
    return convolved(x, flipped, "valid", "direct")


define(
    "scipy.ndimage.correlate",
    (
        _correlate_to_input,
        lambda t, _out, _x, weights, **how: apply(
            "scipy.ndimage.correlate", (t, weights), (), how | {"cval": 0.0}
        ),
    ),
    (
        _correlate_to_weights,
        lambda t, _out, x, _weights, **how: apply("scipy.ndimage.correlate", (x, t), (), how),
    ),
)

# ---- derivatives of images


@in_own_name("scipy.ndimage.sobel")
def sobel(
    input: Tensor, axis: int = -1, mode: str | Sequence[str] = "reflect", cval: float = 0.0
) -> Tensor:
    """Differences along an axis, smoothed by (1, 2, 1) along the others.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    axis : int, optional
        Axis of the differences.
    mode : str or sequence of str, optional
        How the input is extended at its ends: 'reflect', 'constant', 'nearest', 'mirror' or 'wrap'.
    cval : float, optional
        Value beyond the ends for the mode 'constant'.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError
        If `input` is not a tensor.
    ValueError
        If the axis does not exist, or a mode is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.sobel(xp.asarray([[0.0, 1.0, 4.0], [0.0, 1.0, 4.0]]))
    Tensor([[ 4., 16., 12.],
            [ 4., 16., 12.]], dtype=float64)
    """
    return _edges("sobel", input, axis, mode, cval, lambda t: 2 - xp.abs(t))


@in_own_name("scipy.ndimage.prewitt")
def prewitt(
    input: Tensor, axis: int = -1, mode: str | Sequence[str] = "reflect", cval: float = 0.0
) -> Tensor:
    """Differences along an axis, summed over three neighbours along the others.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    axis : int, optional
        Axis of the differences.
    mode, cval : optional
        As of `sobel`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError
        As `sobel` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.prewitt(xp.asarray([[0.0, 1.0, 4.0], [0.0, 1.0, 4.0]]))
    Tensor([[ 3., 12.,  9.],
            [ 3., 12.,  9.]], dtype=float64)
    """
    return _edges("prewitt", input, axis, mode, cval, xp.ones_like)


def _neighbours(x: Any) -> Any:
    """The numbers -1, 0 and 1, from which weights are computed where the input is."""
    dtype = xp.real(x).dtype if x.dtype.kind in "fc" else xp.float64
    return xp.arange(-1, 2, dtype=dtype, device=x.device)


def _edges(name: str, x: Any, axis: int, mode: Any, cval: float, smooth: Any) -> Any:
    check_tensor(f"scipy.ndimage.{name}", x)
    _along(x, axis, name, 1, 1)
    modes = _per_axis(x, "mode", mode, _mode)
    axis %= x.ndim
    t = _neighbours(x)
    found = correlate1d(x, t, axis, mode=modes[axis], cval=cval)
    for other in set(range(x.ndim)) - {axis}:
        found = correlate1d(found, smooth(t), other, mode=modes[other], cval=cval)
    return found


@in_own_name("scipy.ndimage.laplace")
def laplace(input: Tensor, mode: str | Sequence[str] = "reflect", cval: float = 0.0) -> Tensor:
    """Sum of the second differences along all axes.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype, with at least one axis.
    mode, cval : optional
        As of `sobel`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError
        As `sobel` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.laplace(xp.asarray([0.0, 0.0, 1.0, 0.0, 0.0]))
    Tensor([ 0.,  1., -2.,  1.,  0.], dtype=float64)
    """
    check_tensor("scipy.ndimage.laplace", input)
    modes = _per_axis(input, "mode", mode, _mode)
    weights = 3 * xp.abs(_neighbours(input)) - 2
    return _summed(
        input,
        lambda i: correlate1d(input, weights, i, mode=modes[i], cval=cval),
    )


def _summed(x: Any, each: Callable[[int], Any]) -> Any:
    if not x.ndim:
        raise ValueError("expected at least one axis; got a tensor of shape ()")
    terms = [each(i) for i in range(x.ndim)]
    return sum(terms[1:], terms[0])


@in_own_name("scipy.ndimage.gaussian_laplace")
def gaussian_laplace(
    input: Tensor,
    sigma: float | Sequence[float],
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
) -> Tensor:
    """Sum of the second derivatives of an image that a Gaussian smooths.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype, with at least one axis.
    sigma : float or sequence of float
        Standard deviation, for all axes or for each.
    mode, cval, truncate : optional
        As of `gaussian_filter`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError
        As `gaussian_filter` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.gaussian_laplace(xp.asarray([0.0, 0.0, 1.0, 0.0, 0.0]), 0.5)
    Tensor([ 0.0158319 ,  1.27740926, -3.1462829 ,  1.27740926,  0.0158319 ], dtype=float64)
    """
    check_tensor("scipy.ndimage.gaussian_laplace", input)
    how: Any = {"mode": mode, "cval": cval, "truncate": truncate}
    orders = [[2 * (i == j) for j in range(input.ndim)] for i in range(input.ndim)]
    return _summed(input, lambda i: gaussian_filter(input, sigma, orders[i], **how))


@in_own_name("scipy.ndimage.gaussian_gradient_magnitude")
def gaussian_gradient_magnitude(
    input: Tensor,
    sigma: float | Sequence[float],
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
) -> Tensor:
    """Length of the gradient of an image that a Gaussian smooths.

    Parameters
    ----------
    input : Tensor
        Input of any real dtype, with at least one axis.
    sigma : float or sequence of float
        Standard deviation, for all axes or for each.
    mode, cval, truncate : optional
        As of `gaussian_filter`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`. Where it is 0, so is its derivative.

    Raises
    ------
    TypeError, ValueError
        As `gaussian_filter` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.gaussian_gradient_magnitude(xp.asarray([0.0, 0.0, 1.0, 0.0, 0.0]), 0.5)
    Tensor([0.00211092, 0.42580309, 0.        , 0.42580309, 0.00211092], dtype=float64)
    """
    check_tensor("scipy.ndimage.gaussian_gradient_magnitude", input)
    how: Any = {"mode": mode, "cval": cval, "truncate": truncate}
    orders = [[int(i == j) for j in range(input.ndim)] for i in range(input.ndim)]
    squares = _summed(input, lambda i: gaussian_filter(input, sigma, orders[i], **how) ** 2)
    if squares.dtype.kind not in "fc":
        return _rounded(xp.trunc(xp.sqrt(xp.astype(squares, xp.float64))), input.dtype)
    zero = squares == 0
    return _where(zero, 0.0, xp.sqrt(_where(zero, 1.0, squares)))


# ---- interpolation by splines

#: Modes of interpolation -> how the spline's coefficients go on beyond the ends.
_SPLINE_MODES = {
    "constant": "mirror",
    "grid-constant": "mirror",
    "grid-mirror": "reflect",
    "grid-wrap": "grid-wrap",
    "mirror": "mirror",
    "nearest": "reflect",
    "reflect": "reflect",
    "wrap": "mirror",
}
#: By how many elements SciPy pads an image for modes of which it does not know the coefficients.
_PREPADDED = 12


def spline_filter1d(
    input: Tensor, order: int = 3, axis: int = -1, *, mode: str = "mirror"
) -> Tensor:
    """Coefficients of the spline through the elements, along one axis.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    order : int, optional
        Degree of the spline, from 0 to 5.
    axis : int, optional
        Axis to filter along.
    mode : str, optional
        As of `map_coordinates`.

    Returns
    -------
    Tensor
        Has the shape of `input` and double precision.

    Raises
    ------
    TypeError
        If `input` is not a tensor.
    ValueError
        If the axis does not exist, or the order or the mode is unknown.

    Notes
    -----
    The coefficients solve a linear system by recursive filters (Unser 1999).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.spline_filter1d(xp.asarray([1.0, 1.0, 1.0]))
    Tensor([1., 1., 1.], dtype=float64)
    """
    name = "scipy.ndimage.spline_filter1d"
    check_tensor(name, input)
    _along(input, axis, "spline_filter1d", 1, 1)
    order, mode = in_own_name(name)(_spline)(order, mode)
    return _coefficients(_in_double(input), order, [axis % input.ndim], mode)


def spline_filter(input: Tensor, order: int = 3, *, mode: str = "mirror") -> Tensor:
    """Coefficients of the spline through the elements, along all axes.

    Parameters
    ----------
    input : Tensor
        Input of any real or complex dtype.
    order : int, optional
        Degree of the spline, from 0 to 5.
    mode : str, optional
        As of `map_coordinates`.

    Returns
    -------
    Tensor
        Has the shape of `input` and double precision.

    Raises
    ------
    TypeError, ValueError
        As `spline_filter1d` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.spline_filter(xp.ones((2, 2)))
    Tensor([[1., 1.],
            [1., 1.]], dtype=float64)
    """
    check_tensor("scipy.ndimage.spline_filter", input)
    order, mode = in_own_name("scipy.ndimage.spline_filter")(_spline)(order, mode)
    return _coefficients(_in_double(input), order, range(input.ndim), mode)


def _in_double(x: Any) -> Any:
    return xp.astype(x, xp.complex128 if x.dtype.kind == "c" else xp.float64, copy=False)


def _spline(order: Any, mode: Any) -> tuple[int, str]:
    order = as_int("scipy.ndimage", "order", order)
    if not 0 <= order <= 5:
        raise ValueError(f"order must be from 0 to 5; got {order}")
    if not isinstance(mode, str) or mode not in _SPLINE_MODES:
        raise ValueError(
            f"mode must be one of {', '.join(map(repr, _SPLINE_MODES))}; got {describe(mode)}"
        )
    return order, mode


def _coefficients(x: Any, order: int, axes: Any, mode: str) -> Any:
    for axis in axes:
        if order > 1 and x.shape[axis] > 1 and x.size:
            how = {"order": order, "axis": axis, "mode": _SPLINE_MODES[mode]}
            x = call("scipy.ndimage.spline_filter1d", x, (), how)
    return x


def _spline_filter_vjp(g: Any, _out: Any, _x: Any, *, order: int, axis: int, mode: str) -> Any:
    """The transpose, by the same filter: its matrix is symmetric.

    For 'mirror', which repeats all but the ends, it is so if the ends count half. For 'reflect',
    the start of SciPy's recursion is not symmetric, by less than the rounding error at 32 elements.
    """
    run = "scipy.ndimage.spline_filter1d"
    how = {"order": order, "axis": axis, "mode": mode}
    n = g.shape[axis]
    if mode == "reflect" and n < 32:
        eye = xp.eye(n, dtype=g.dtype, device=g.device)
        matrix = call(run, eye, (), how | {"axis": 0})
        return xp.moveaxis(xp.matmul(xp.moveaxis(g, axis, -1), matrix), -1, axis)
    if mode != "mirror":
        return call(run, g, (), how)
    i = xp.arange(n, device=g.device)
    counts = _where(
        (i == 0) | (i == n - 1), 0.5, xp.ones(n, dtype=xp.real(g).dtype, device=g.device)
    )
    counts = xp.reshape(counts, tuple(n if i == axis else 1 for i in range(g.ndim)))
    return counts * call(run, g / counts, (), how)


define(
    "scipy.ndimage.spline_filter1d",
    (
        _spline_filter_vjp,
        lambda t, _out, _x, **how: call("scipy.ndimage.spline_filter1d", t, (), how),
    ),
)


@in_own_name("scipy.ndimage.map_coordinates")
def map_coordinates(
    input: Tensor,
    coordinates: Tensor,
    order: int = 3,
    *,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
) -> Tensor:
    """Interpolate an image at any places.

    Parameters
    ----------
    input : Tensor
        Image of any real or complex dtype.
    coordinates : Tensor
        Places, of shape (input.ndim, ...): row i has the indices along axis i.
    order : int, optional
        Degree of the spline, from 0 (the nearest element) to 5.
    mode : str, optional
        What is beyond the ends: 'constant' or 'grid-constant', 'nearest', 'mirror', 'reflect' or
        'grid-mirror', 'wrap', 'grid-wrap'.
    cval : float, optional
        Value beyond the ends for the modes 'constant' and 'grid-constant'.
    prefilter : bool, optional
        False if `input` are the coefficients that `spline_filter` returns.

    Returns
    -------
    Tensor
        Has the shape of `coordinates` without its first axis, and the dtype of `input`; ints are
        rounded. It is differentiable with respect to the image and the coordinates; splines of
        degree 0 and 1 have the derivative to the right of each element there.

    Raises
    ------
    TypeError
        If an operand is not a tensor, or the coordinates are complex.
    ValueError
        If the shapes do not fit, or `order` or `mode` is unknown.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The sum of ``order + 1`` coefficients along each axis times B-splines (Unser 1999), in double
    precision.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import ndimage
    >>> image = xp.asarray([[0.0, 1.0], [2.0, 3.0]])
    >>> place = xp.asarray([0.5, 0.25])
    >>> ndimage.map_coordinates(image, place, order=1)
    Tensor(1.25, dtype=float64)
    >>> autodiff.grad(lambda p: ndimage.map_coordinates(image, p, order=1))(place)
    Tensor([2., 1.], dtype=float64)
    """
    name = "scipy.ndimage.map_coordinates"
    for tensor in (input, coordinates):
        check_tensor(name, tensor)
    common_device(name, (input, coordinates))
    if coordinates.dtype.kind == "c":
        raise TypeError(f"coordinates must be real; got {describe(coordinates)}")
    if not input.ndim or coordinates.shape[:1] != (input.ndim,):
        raise ValueError(
            f"coordinates must have a row for each axis of the input, which has shape "
            f"{input.shape}; got shape {coordinates.shape}"
        )
    places = xp.unstack(xp.astype(coordinates, xp.float64, copy=False))
    return _interpolated(input, list(places), order, mode, cval, prefilter)


def _interpolated(
    x: Any, places: list[Any], order: int, mode: str, cval: float, prefilter: bool
) -> Any:
    """The image at places, which broadcast; an axis with None is left as it is.

    Of such an axis the result has the same one.
    """
    order, mode = _spline(order, mode)
    cval = as_number("scipy.ndimage", "cval", cval)
    dtype, device = x.dtype, x.device
    kept = [(n,) + (1,) * (x.ndim - 1 - i) for i, n in enumerate(x.shape)]
    out = xp.broadcast_shapes(
        *[shape if p is None else p.shape for p, shape in zip(places, kept, strict=True)]
    )
    if not math.prod(out):
        return xp.zeros(out, dtype=dtype, device=device) + 0 * xp.sum(x)
    if not x.size:
        raise ValueError(f"there is nothing to interpolate; got input of shape {x.shape}")
    x = _in_double(x)
    axes = [i for i, p in enumerate(places) if p is not None]
    if prefilter and order > 1:
        if mode in ("nearest", "grid-constant"):
            widths = [(_PREPADDED,) * 2 if i in axes else (0, 0) for i in range(x.ndim)]
            values = {"constant_values": cval} if mode == "grid-constant" else {}
            x = padded(x, widths, "edge" if mode == "nearest" else "constant", **values)
            places = [p if p is None else p + _PREPADDED for p in places]
        x = _coefficients(x, order, axes, mode)
    flat = xp.reshape(x, (-1,))
    beyond: Any = None  # where the whole result is the constant
    taps: list[list[tuple[Any, Any, Any]]] = []  # (offset, weight, whether inside) on each axis
    for i, place in enumerate(places):
        n, stride = x.shape[i], math.prod(x.shape[i + 1 :])
        if place is None:
            index = xp.reshape(xp.arange(n, device=device), kept[i])
            taps.append([(index * stride, 1.0, None)])
            continue
        if mode == "constant":
            outside = ~((place >= 0) & (place <= n - 1))
            beyond = outside if beyond is None else beyond | outside
            place = _where(outside, 0.0, place)
        else:
            place = _folded(place, n, mode, order)
        below = xp.floor(place + (0.0 if order % 2 else 0.5))
        weights = _b_splines(place + (0.0 if order % 2 else 0.5) - below, order)
        first = xp.astype(stop_gradient(below), xp.int64) - order // 2
        taps.append([])
        for k, weight in enumerate(weights):
            index = first + k
            inside = (index >= 0) & (index < n) if mode == "grid-constant" else None
            taps[-1].append((_index(index, n, mode) * stride, weight, inside))

    def summed(axis: int, offset: Any, inside: Any) -> Any:
        if axis == x.ndim:
            found = xp.reshape(xp.take(flat, xp.reshape(offset, (-1,)), axis=0), offset.shape)
            return found if inside is None else _where(inside, found, float(cval))
        total: Any = None
        for more, weight, within in taps[axis]:
            within = within if inside is None else inside if within is None else inside & within
            part = weight * summed(axis + 1, offset + more, within)
            total = part if total is None else total + part
        return total

    found = xp.broadcast_to(summed(0, xp.zeros((), dtype=xp.int64, device=device), None), out)
    if beyond is not None:
        found = _where(beyond, float(cval), found)
    return _rounded(found, dtype)


def _rounded(x: Any, dtype: Any) -> Any:
    """In a dtype; for ints the nearest one, and the one away from 0 of two."""
    if dtype.kind in "iu":
        x = xp.trunc(x + 0.5 * xp.sign(x))
    if dtype.kind == "u":
        x = xp.clip(x, 0.0, float(xp.iinfo(dtype).max))
    return xp.astype(x, dtype, copy=False)


def _b_splines(t: Any, order: int) -> list[Any]:
    """The B-splines that are not 0 in an interval, at 0 <= t < 1 of it, by their recursion."""
    values = [xp.ones_like(t)]
    for k in range(1, order + 1):
        left = [(t + (k - j)) * v for j, v in enumerate(values, 1)]
        right = [((j + 1) - t) * v for j, v in enumerate(values)]
        inner = [a + b for a, b in zip(left[:-1], right[1:], strict=True)]
        values = [v / k for v in (right[0], *inner, left[-1])]
    return values


def _folded(place: Any, n: int, mode: str, order: int) -> Any:
    """The place within the image, or less than 1 beyond its end, where the value is the same."""
    if mode in ("nearest", "grid-constant"):  # the coefficients go on; beyond them nothing changes
        return xp.clip(place, float(-1 - order), float(n + order))
    if n == 1:
        return 0.0 * place
    if mode == "grid-wrap":
        return xp.remainder(place, float(n))
    if mode == "wrap":  # with the last element at either end of the period
        period = float(n - 1)
        up = place + period * (xp.trunc(-place / period) + 1.0)
        down = place - period * xp.trunc(place / period)
        return _where(place < 0, up, _where(place > period, down, place))
    if mode == "mirror":
        folded = xp.remainder(place, 2.0 * (n - 1))
        back = (folded >= n) | ((place < 0) & (folded > n - 1))
        return _where(back, 2.0 * (n - 1) - folded, folded)
    folded = xp.remainder(place, 2.0 * n)
    return _where(folded >= n, 2.0 * n - 1.0 - folded, folded)


def _index(i: Any, n: int, mode: str) -> Any:
    """The index of the coefficient that goes on at `i` beyond the ends."""
    if mode in ("grid-constant", "nearest") or n == 1:
        return xp.clip(i, 0, n - 1)
    if mode == "grid-wrap":
        return xp.remainder(i, n)
    if _SPLINE_MODES[mode] == "mirror":
        i = xp.remainder(i, 2 * (n - 1))
        return _where(i < n, i, 2 * (n - 1) - i)
    i = xp.remainder(i, 2 * n)
    return _where(i < n, i, 2 * n - 1 - i)


def _grid(shape: Sequence[int], device: Any) -> list[Any]:
    """The indices along each axis of a result, which broadcast."""
    return [
        xp.reshape(
            xp.arange(n, dtype=xp.float64, device=device), (n,) + (1,) * (len(shape) - 1 - i)
        )
        for i, n in enumerate(shape)
    ]


def _numbers_per_axis(name: str, argument: str, x: Any, value: Any) -> list[Any]:
    """A number, or an element of a tensor, for each axis."""
    if not x.ndim:
        raise ValueError("expected at least one axis; got a tensor of shape ()")
    if not isinstance(value, Tensor):
        return list(_per_axis(x, argument, value, as_number))
    common_device(name, (x, value))
    if value.dtype.kind == "c" or value.shape not in ((), (x.ndim,)):
        raise ValueError(
            f"{argument} must be real and of shape () or ({x.ndim},); got {describe(value)}"
        )
    value = xp.astype(value, xp.float64, copy=False)
    return list(xp.unstack(xp.broadcast_to(value, (x.ndim,))))


@in_own_name("scipy.ndimage.shift")
def shift(
    input: Tensor,
    shift: float | Sequence[float] | Tensor,
    order: int = 3,
    *,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
) -> Tensor:
    """Shift an image by any distance.

    Parameters
    ----------
    input : Tensor
        Image of any real or complex dtype.
    shift : float, sequence of float, or Tensor
        The distance, for all axes or for each. A tensor, of shape () or (input.ndim,), is
        differentiated.
    order, mode, cval, prefilter : optional
        As of `map_coordinates`.

    Returns
    -------
    Tensor
        Has the shape and dtype of `input`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `map_coordinates` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.shift(xp.asarray([0.0, 1.0, 4.0]), 0.5, order=1)
    Tensor([0. , 0.5, 2.5], dtype=float64)
    """
    name = "scipy.ndimage.shift"
    check_tensor(name, input)
    by = _numbers_per_axis(name, "shift", input, shift)
    places = [p - s for p, s in zip(_grid(input.shape, input.device), by, strict=True)]
    return _interpolated(input, places, order, mode, cval, prefilter)


@in_own_name("scipy.ndimage.zoom")
def zoom(
    input: Tensor,
    zoom: float | Sequence[float],
    order: int = 3,
    *,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
    grid_mode: bool = False,
) -> Tensor:
    """Resize an image.

    Parameters
    ----------
    input : Tensor
        Image of any real or complex dtype.
    zoom : float or sequence of float
        Factor of the size, for all axes or for each.
    order, mode, cval, prefilter : optional
        As of `map_coordinates`.
    grid_mode : bool, optional
        Whether an image extends to the edges of its first and last pixels, not to their centres.

    Returns
    -------
    Tensor
        Has the dtype of `input`; its sizes are rounded.

    Raises
    ------
    TypeError
        If `input` is not a tensor, or a factor not a number.
    ValueError
        If the factors do not fit the axes, or `order` or `mode` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.zoom(xp.asarray([0.0, 1.0, 4.0]), 2, order=1)
    Tensor([0. , 0.4, 0.8, 1.6, 2.8, 4. ], dtype=float64)
    """
    check_tensor("scipy.ndimage.zoom", input)
    if not input.ndim:
        raise ValueError("expected at least one axis; got a tensor of shape ()")
    factors = _per_axis(input, "zoom", zoom, as_number)
    if min(factors) < 0:
        raise ValueError(f"zoom must not be negative; got {describe(zoom)}")
    if all(f == 1 for f in factors) and prefilter:
        _spline(order, mode)
        return xp.asarray(input, copy=True)
    shape = [round(n * f) for n, f in zip(input.shape, factors, strict=True)]
    places = []
    for place, n, m in zip(_grid(shape, input.device), input.shape, shape, strict=True):
        if grid_mode:
            places.append((place + 0.5) * (n / m if m else 1.0) - 0.5)
        else:
            places.append(place * ((n - 1) / (m - 1) if m != 1 else 1.0))
    return _interpolated(input, places, order, mode, cval, prefilter)


@in_own_name("scipy.ndimage.affine_transform")
def affine_transform(
    input: Tensor,
    matrix: Tensor,
    offset: float | Sequence[float] | Tensor = 0.0,
    output_shape: Sequence[int] | None = None,
    order: int = 3,
    *,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
) -> Tensor:
    """Move the places of an image by a linear map and an offset.

    Parameters
    ----------
    input : Tensor
        Image of any real or complex dtype.
    matrix : Tensor
        Maps the indices of the result to those of the image: of shape (n, n), or (n,) for a
        diagonal matrix, where n is the number of axes; with the offset as a further column, (n,
        n + 1), or in homogeneous coordinates, (n + 1, n + 1).
    offset : float, sequence of float, or Tensor, optional
        What is added, for all axes or for each.
    output_shape : sequence of int, optional
        Shape of the result. The default is that of `input`.
    order, mode, cval, prefilter : optional
        As of `map_coordinates`.

    Returns
    -------
    Tensor
        Has the dtype of `input`. It is differentiable with respect to the image, the matrix and an
        offset that is a tensor.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `map_coordinates` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> image, swap = xp.asarray([[0.0, 1.0], [2.0, 3.0]]), xp.asarray([[0.0, 1.0], [1.0, 0.0]])
    >>> ndimage.affine_transform(image, swap, order=1)
    Tensor([[0., 2.],
            [1., 3.]], dtype=float64)
    """
    name, n = "scipy.ndimage.affine_transform", input.ndim
    for tensor in (input, matrix):
        check_tensor(name, tensor)
    common_device(name, (input, matrix))
    shapes = ((n,), (n, n), (n, n + 1), (n + 1, n + 1))
    if matrix.dtype.kind == "c" or matrix.shape not in shapes:
        raise ValueError(
            f"matrix must be real and of shape {', '.join(map(str, shapes[:3]))} or {shapes[3]}; "
            f"got {describe(matrix)}"
        )
    matrix = xp.astype(matrix, xp.float64, copy=False)
    offsets = _numbers_per_axis(name, "offset", input, offset)
    shape = [
        as_int(name, "output_shape", m)
        for m in (input.shape if output_shape is None else output_shape)
    ]
    if matrix.ndim == 2 and matrix.shape[1] == n + 1:
        offsets, matrix = [matrix[i, n] for i in range(n)], matrix[:n, :n]
    if len(shape) != n:
        raise ValueError(f"output_shape must have {n} sizes; got {describe(output_shape)}")
    grid = _grid(shape, input.device)
    if matrix.ndim == 1:
        places = [p * matrix[i] + b for i, (p, b) in enumerate(zip(grid, offsets, strict=True))]
    else:
        rows = [[matrix[i, j] for j in range(n)] for i in range(n)]
        places = _mapped(grid, rows, offsets)
    return _interpolated(input, places, order, mode, cval, prefilter)


def _mapped(grid: list[Any], rows: list[list[Any]], offsets: list[Any]) -> list[Any]:
    """Sum over j of rows[i][j] times the indices on axis j, plus the offset."""
    places = []
    for row, offset in zip(rows, offsets, strict=True):
        place = offset
        for entry, indices in zip(row, grid, strict=True):
            place = place + indices * entry
        places.append(place)
    return places


@in_own_name("scipy.ndimage.rotate")
def rotate(
    input: Tensor,
    angle: float | Tensor,
    axes: tuple[int, int] = (1, 0),
    reshape: bool = True,
    order: int = 3,
    *,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
) -> Tensor:
    """Rotate an image in the plane of two axes.

    Parameters
    ----------
    input : Tensor
        Image of any real or complex dtype, with at least two axes.
    angle : float or Tensor
        Angle in degrees. A 0-d tensor is differentiated; its value is read on the host.
    axes : tuple of int, optional
        The two axes of the plane.
    reshape : bool, optional
        Whether the result is so large that it contains the whole image.
    order, mode, cval, prefilter : optional
        As of `map_coordinates`.

    Returns
    -------
    Tensor
        Has the dtype of `input`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `map_coordinates` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import ndimage
    >>> ndimage.rotate(xp.asarray([[0.0, 1.0], [2.0, 3.0]]), 90, order=1)
    Tensor([[1., 3.],
            [0., 2.]], dtype=float64)
    """
    name = "scipy.ndimage.rotate"
    check_tensor(name, input)
    first, second = (as_int(name, "axes", a) for a in axes)
    if input.ndim < 2 or not all(-input.ndim <= a < input.ndim for a in (first, second)):
        raise ValueError(f"axes {axes} do not exist in a tensor of shape {input.shape}")
    first, second = sorted((first % input.ndim, second % input.ndim))
    if first == second:
        raise ValueError(f"axes must be two; got {axes}")
    if isinstance(angle, Tensor):
        common_device(name, (input, angle))
        if angle.ndim or angle.dtype.kind == "c":
            raise ValueError(f"angle must be a real number or 0-d tensor; got {describe(angle)}")
        angle = xp.astype(angle, xp.float64, copy=False)
        value = float(stop_gradient(angle))
        c, s = _cosine_and_sine(angle, value, xp.cos, xp.sin)
    else:
        angle = value = as_number(name, "angle", angle)
        c, s = _cosine_and_sine(angle, value, math.cos, math.sin)
    values = _cosine_and_sine(value, value, math.cos, math.sin)
    shape = list(input.shape)
    if reshape:
        m, n = shape[first], shape[second]
        for axis, (a, b) in ((first, values), (second, (-values[1], values[0]))):
            corners = (0.0, b * n, a * m, a * m + b * n)
            shape[axis] = int(max(corners) - min(corners) + 0.5)
    plane = (first, second)
    centre = [(shape[a] - 1) / 2 for a in plane]
    rows = [[c, s], [-s, c]]
    offsets = [
        (input.shape[a] - 1) / 2 - (row[0] * centre[0] + row[1] * centre[1])
        for a, row in zip(plane, rows, strict=True)
    ]
    grid = _grid(shape, input.device)
    moved = _mapped([grid[a] for a in plane], rows, offsets)
    places = [moved[plane.index(i)] if i in plane else None for i in range(input.ndim)]
    return _interpolated(input, places, order, mode, cval, prefilter)


def _cosine_and_sine(
    angle: Any, value: float, cosine: Callable[..., Any], sine: Callable[..., Any]
) -> tuple[Any, Any]:
    """Of degrees; exact for multiples of 90, where places are to stay within the image."""
    quarters = round(value / 90)
    rest = (angle - 90 * quarters) * (math.pi / 180)
    c, s = cosine(rest), sine(rest)
    return ((c, s), (-s, c), (-c, -s), (s, -c))[quarters % 4]
