"""Filters of `scipy.ndimage`, with derivatives.

SciPy computes them on the CPU, and `cupyx.scipy.ndimage` on CUDA devices. A filter is a sum over
the neighbours of each element. First, the input is extended at its ends, depending on `mode`:

- ``'reflect'`` or ``'grid-mirror'``: d c b a | a b c d | d c b a
- ``'constant'`` or ``'grid-constant'``: by `cval`
- ``'nearest'``: a a a a | a b c d | d d d d
- ``'mirror'``: d c b | a b c d | c b a
- ``'wrap'`` or ``'grid-wrap'``: a b c d | a b c d | a b c d

The transpose of a filter sums backwards, and then adds the extension to the elements that it
repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import arraygrad as xp

from .._dispatch import apply, call, check_tensor, common_device
from .._errors import as_int, as_number, describe, in_own_name
from .._extras import padded
from .._typing import Tensor
from ..autodiff import vjp
from ..autodiff.rules import define
from .signal import _convolved

__all__ = [
    "convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d",
    "uniform_filter", "uniform_filter1d",
]  # fmt: skip

#: The modes under the names of `arraygrad.pad`.
_PADS = {
    "reflect": "symmetric",
    "constant": "constant",
    "nearest": "edge",
    "mirror": "reflect",
    "wrap": "wrap",
}
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
    found = _convolved(g, weights, "full", "direct")
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
    return _convolved(x, flipped, "valid", "direct")


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
