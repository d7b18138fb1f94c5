"""Filters, convolutions and spectra of `scipy.signal`, with derivatives.

Filters and convolutions are linear in the signal, and differentiable with respect to the
coefficients, too. SciPy computes them on the CPU, and `cupyx.scipy.signal` on CUDA devices. Spectra
are written with the namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import arraygrad as xp

from .._backends.numpy.table import load_scipy
from .._dispatch import apply, as_floating, check_tensor, common_device
from .._errors import as_int, as_number, describe, in_own_name, warn
from .._extras import padded
from .._typing import Tensor
from ..autodiff.rules import conj, define
from ._convolution import convolved, reversed_conj
from .ndimage import convolve1d

__all__ = [
    "convolve", "convolve2d", "correlate", "csd", "detrend", "filtfilt", "lfilter", "lfilter_zi",
    "periodogram", "savgol_filter", "sosfilt", "welch",
]  # fmt: skip


def _checked(name: str, *tensors: Any) -> list[Any]:
    """Convert tensors on one device to their promoted dtype."""
    for x in tensors:
        check_tensor(name, x)
    common_device(name, tensors)
    dtype = xp.result_type(*tensors)
    return [xp.astype(x, dtype, copy=False) for x in tensors]


# ---- recursive filters


@in_own_name("scipy.signal.lfilter")
def lfilter(b: Tensor, a: Tensor, x: Tensor, axis: int = -1, zi: Tensor | None = None) -> Any:
    """Filter a signal along an axis by a rational transfer function.

    Parameters
    ----------
    b, a : Tensor
        Coefficients of the numerator and the denominator, of shapes (M,) and (N,). Both are divided
        by ``a[0]``.
    x : Tensor
        Signal.
    axis : int, optional
        Axis to filter along.
    zi : Tensor, optional
        Initial state, with the shape of `x` but ``max(M, N) - 1`` elements along the axis; sizes of
        1 are broadcast. By default, the state is zero.

    Returns
    -------
    y : Tensor
        The filtered signal, of the shape of `x`.
    zf : Tensor
        Final state, if `zi` is given.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    ValueError
        If the coefficients do not have exactly one axis, or the shape of `zi` does not fit.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The filter is a[0] y[n] + ... + a[N-1] y[n-N+1] = b[0] x[n] + ... + b[M-1] x[n-M+1] (Oppenheim &
    Schafer 2010, 6.1). Its transpose is the filter that runs backwards in time.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> b, a = xp.asarray([0.5]), xp.asarray([1.0, -0.5])
    >>> signal.lfilter(b, a, xp.asarray([1.0, 1.0, 1.0]))
    Tensor([0.5  , 0.75 , 0.875], dtype=float64)
    """
    tensors = [b, a, x] if zi is None else [b, a, x, zi]
    b, a, x, *rest = map(as_floating, _checked("scipy.signal.lfilter", *tensors))
    for name, c in (("b", b), ("a", a)):
        if c.ndim != 1 or not c.size:
            raise ValueError(f"{name} must have shape (N,) with N > 0; got shape {c.shape}")
    axis = _axis(x, axis)
    x = xp.moveaxis(x, axis, -1)
    order = max(a.size, b.size) - 1
    state_shape = (*x.shape[:-1], order)
    if zi is None:
        state = xp.zeros(state_shape, dtype=x.dtype, device=x.device)
    else:
        (state,) = rest
        if state.ndim != x.ndim:
            raise ValueError(f"zi must have {x.ndim} axes; got shape {state.shape}")
        state = xp.moveaxis(state, axis, -1)
        if state.shape[-1] != order:
            raise ValueError(f"zi must have {order} elements along the axis; got {state.shape[-1]}")
        state = xp.broadcast_to(state, state_shape)
    if x.size:
        y, final = _filtered(b / a[0], a / a[0], x, state)
    else:
        y, final = x, state
    y = xp.moveaxis(y, -1, axis)
    return y if zi is None else (y, xp.moveaxis(final, -1, axis))


def _axis(x: Any, axis: Any) -> int:
    axis = as_int("scipy.signal", "axis", axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis {axis} does not exist in a tensor of shape {x.shape}")
    return axis % x.ndim


def _filtered(b: Any, a: Any, x: Any, zi: Any) -> Any:
    """Filter along the last axis, with a[0] = 1; also the final state."""
    return apply("scipy.signal.lfilter", (b, a, x, zi))


# The rule. With u = b * x + zi of length N + K, where * is convolution and K the length of the
# state, the result solves a * y = u up to N; the final state is what remains of u - a * y.


def _zeros(like: Any, n: int) -> Any:
    return xp.zeros((*like.shape[:-1], n), dtype=like.dtype, device=like.device)


def _to_forcing(g: Any, a: Any, x: Any, order: int) -> Any:
    """Cotangent of u: the filter 1/a backwards in time, from the cotangent of the state on."""
    g_y, g_state = g
    g_y = _zeros(x, x.shape[-1]) if g_y is None else g_y
    g_state = _zeros(x, order) if g_state is None else g_state
    n = a.shape[0] - 1
    later = padded(conj(a), (0, n))
    rows = [later[i + 1 : i + 1 + n] for i in range(n)]
    start = g_state[..., :n]
    if n:
        start = -(start @ xp.matrix_transpose(xp.stack(rows)))
    backwards, _ = _filtered(xp.ones_like(a[:1]), conj(a), xp.flip(g_y, axis=-1), start)
    return xp.concat([xp.flip(backwards, axis=-1), g_state], axis=-1)


def _to_signal(g: Any, _out: Any, b: Any, a: Any, x: Any, zi: Any) -> Any:
    w = xp.flip(_to_forcing(g, a, x, zi.shape[-1]), axis=-1)
    found, _ = _filtered(conj(b), xp.ones_like(b[:1]), w, _zeros(w, b.shape[0] - 1))
    return xp.flip(found, axis=-1)[..., : x.shape[-1]]


def _to_coefficients(w: Any, x: Any, count: int) -> Any:
    n = x.shape[-1]
    return xp.stack([xp.sum(conj(x) * w[..., k : k + n]) for k in range(count)])


def _to_numerator(g: Any, _out: Any, b: Any, a: Any, x: Any, zi: Any) -> Any:
    return _to_coefficients(_to_forcing(g, a, x, zi.shape[-1]), x, b.shape[0])


def _to_denominator(g: Any, out: Any, _b: Any, a: Any, x: Any, zi: Any) -> Any:
    return -_to_coefficients(_to_forcing(g, a, x, zi.shape[-1]), out[0], a.shape[0])


def _along_denominator(t: Any, out: Any, _b: Any, a: Any, _x: Any, zi: Any) -> Any:
    n = a.shape[0] - 1
    change, final = _filtered(-t, a, out[0], _zeros(zi, n))
    return change, xp.concat([final, _zeros(zi, zi.shape[-1] - n)], axis=-1)


define(
    "scipy.signal.lfilter",
    (_to_numerator, lambda t, _out, b, a, x, zi: _filtered(t, a, x, xp.zeros_like(zi))),
    (_to_denominator, _along_denominator),
    (_to_signal, lambda t, _out, b, a, x, zi: _filtered(b, a, t, xp.zeros_like(zi))),
    (
        lambda g, _out, b, a, x, zi: _to_forcing(g, a, x, zi.shape[-1])[..., : zi.shape[-1]],
        lambda t, _out, b, a, x, zi: _filtered(b, a, xp.zeros_like(x), t),
    ),
)


@in_own_name("scipy.signal.sosfilt")
def sosfilt(sos: Tensor, x: Tensor, axis: int = -1, zi: Tensor | None = None) -> Any:
    """Filter a signal along an axis by a cascade of second-order sections.

    Parameters
    ----------
    sos : Tensor
        Sections of shape (S, 6): three coefficients of the numerator and three of the denominator,
        as `scipy.signal.butter` with ``output="sos"`` returns them.
    x : Tensor
        Signal.
    axis : int, optional
        Axis to filter along.
    zi : Tensor, optional
        Initial states: S times the shape of `x`, with 2 elements along the axis. By default, the
        states are zero.

    Returns
    -------
    y : Tensor
        The filtered signal, of the shape of `x`.
    zf : Tensor
        Final states, if `zi` is given.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    ValueError
        If the shapes do not fit.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> sos = xp.asarray([[0.5, 0.0, 0.0, 1.0, -0.5, 0.0]])
    >>> signal.sosfilt(sos, xp.asarray([1.0, 1.0, 1.0]))
    Tensor([0.5  , 0.75 , 0.875], dtype=float64)
    """
    check_tensor("scipy.signal.sosfilt", sos)
    if sos.ndim != 2 or sos.shape[1] != 6:
        raise ValueError(f"sos must have shape (S, 6); got {sos.shape}")
    if zi is not None:
        check_tensor("scipy.signal.sosfilt", zi)
        if zi.shape[:1] != sos.shape[:1]:
            raise ValueError(f"zi must have {sos.shape[0]} states; got shape {zi.shape}")
    final = []
    for i in range(sos.shape[0]):
        b, a = sos[i, :3], sos[i, 3:]
        if zi is None:
            x = lfilter(b, a, x, axis)
        else:
            x, state = lfilter(b, a, x, axis, zi[i, ...])
            final.append(state)
    return x if zi is None else (x, xp.stack(final))


@in_own_name("scipy.signal.lfilter_zi")
def lfilter_zi(b: Tensor, a: Tensor) -> Tensor:
    """State of a filter that a constant signal of 1 does not change.

    Parameters
    ----------
    b, a : Tensor
        Coefficients of the numerator and the denominator, of shapes (M,) and (N,).

    Returns
    -------
    Tensor
        Has shape (max(M, N) - 1,).

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Solves (I - A) z = B for the state matrix A and the input vector B (Oppenheim & Schafer 2010).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> signal.lfilter_zi(xp.asarray([0.5]), xp.asarray([1.0, -0.5]))
    Tensor([0.5], dtype=float64)
    """
    b, a = map(as_floating, _checked("scipy.signal.lfilter_zi", b, a))
    n = max(a.size, b.size)
    b, a = (padded(c / a[0], (0, n - c.size)) for c in (b, a))
    # z[i] = z[i + 1] + b[i + 1] - a[i + 1] (b[0] + z[0])
    eye = xp.eye(n - 1, dtype=a.dtype, device=a.device)
    shift = xp.eye(n - 1, k=1, dtype=a.dtype, device=a.device)
    matrix = eye - shift + a[1:, None] * eye[:1, :]
    return xp.linalg.solve(matrix, b[1:] - a[1:] * b[0])


@in_own_name("scipy.signal.filtfilt")
def filtfilt(
    b: Tensor,
    a: Tensor,
    x: Tensor,
    axis: int = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
) -> Tensor:
    """Filter a signal forwards and backwards, without a delay.

    Parameters
    ----------
    b, a : Tensor
        Coefficients of the numerator and the denominator, of shapes (M,) and (N,).
    x : Tensor
        Signal.
    axis : int, optional
        Axis to filter along.
    padtype : {'odd', 'even', 'constant', None}, optional
        Extension of the signal at its ends: point-symmetric, symmetric, by its last value, or none.
    padlen : int, optional
        Number of elements to extend it by; by default ``3 * max(M, N)``.

    Returns
    -------
    Tensor
        Has the shape of `x`.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    ValueError
        If the signal is not longer than `padlen`, or `padtype` is unknown.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The initial states are those of `lfilter_zi` (Gustafsson's method is not available).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> b, a = xp.asarray([0.5, 0.5]), xp.asarray([1.0])
    >>> signal.filtfilt(b, a, xp.asarray([0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]))
    Tensor([0., 0., 1., 2., 1., 0., 0., 0.], dtype=float64)
    """
    b, a, x = map(as_floating, _checked("scipy.signal.filtfilt", b, a, x))
    if padtype not in ("odd", "even", "constant", None):
        raise ValueError(f"padtype must be 'odd', 'even', 'constant' or None; got {padtype!r}")
    axis = _axis(x, axis)
    x = xp.moveaxis(x, axis, -1)
    n = 0 if padtype is None else 3 * max(a.size, b.size) if padlen is None else padlen
    if x.shape[-1] <= n:
        raise ValueError(f"the signal must be longer than padlen, {n}; got {x.shape[-1]}")
    if n:
        extended = _extend(x, n, "edge" if padtype == "constant" else "reflect")
        if padtype == "odd":
            ends = _extend(x, n, "edge")
            inner = _extend(xp.ones_like(x), n, "constant")
            extended = xp.where(inner == 1, extended, 2 * ends - extended)
        x = extended
    zi = lfilter_zi(b, a)
    for _ in range(2):
        x, _final = lfilter(b, a, x, zi=zi * x[..., :1])
        x = xp.flip(x, axis=-1)
    return xp.moveaxis(x[..., n : x.shape[-1] - n], -1, axis)


def _extend(x: Any, n: int, mode: str) -> Any:
    return padded(x, [(0, 0)] * (x.ndim - 1) + [(n, n)], mode=mode)


# ---- convolutions


@in_own_name("scipy.signal.convolve")
def convolve(in1: Tensor, in2: Tensor, mode: str = "full", method: str = "auto") -> Tensor:
    """Convolution over all axes.

    Parameters
    ----------
    in1, in2 : Tensor
        Operands with the same number of axes.
    mode : {'full', 'valid', 'same'}, optional
        Result: the full convolution, the part without zero padding, or the centre, with the shape
        of `in1`.
    method : {'auto', 'direct', 'fft'}, optional
        Sums of products ('direct'), Fourier transforms ('fft'), or the one that is estimated to be
        faster ('auto').

    Returns
    -------
    Tensor
        Has the promoted dtype.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    ValueError
        If the numbers of axes differ, `mode` or `method` is unknown, or for 'valid' neither operand
        is at least as large as the other along every axis.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> signal.convolve(xp.asarray([1.0, 2.0, 3.0]), xp.asarray([1.0, 1.0]))
    Tensor([1., 3., 5., 3.], dtype=float64)
    """
    in1, in2 = _checked("scipy.signal.convolve", in1, in2)
    if in1.ndim != in2.ndim:
        raise ValueError(
            f"operands must have the same number of axes; got shapes {in1.shape} and {in2.shape}"
        )
    return convolved(in1, in2, mode, method)


@in_own_name("scipy.signal.correlate")
def correlate(in1: Tensor, in2: Tensor, mode: str = "full", method: str = "auto") -> Tensor:
    """Cross-correlation over all axes: the convolution with ``conj(flip(in2))``.

    Parameters
    ----------
    in1, in2 : Tensor
        Operands with the same number of axes.
    mode : {'full', 'valid', 'same'}, optional
        See `convolve`.
    method : {'auto', 'direct', 'fft'}, optional
        See `convolve`.

    Returns
    -------
    Tensor
        Has the promoted dtype.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As for `convolve`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> signal.correlate(xp.asarray([1.0, 2.0, 3.0]), xp.asarray([0.0, 1.0]), mode="valid")
    Tensor([2., 3.], dtype=float64)
    """
    check_tensor("scipy.signal.correlate", in2)
    return convolve(in1, reversed_conj(in2), mode, method)


@in_own_name("scipy.signal.convolve2d")
def convolve2d(
    in1: Tensor,
    in2: Tensor,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: Tensor | float = 0,
) -> Tensor:
    """Convolution of two matrices, with a choice of boundary conditions.

    Parameters
    ----------
    in1, in2 : Tensor
        Matrices.
    mode : {'full', 'valid', 'same'}, optional
        Result: the full convolution, the part without padding, or the centre, with the shape of
        `in1`.
    boundary : {'fill', 'wrap', 'symm'}, optional
        Whether `in1` is extended by a constant, periodically or symmetrically.
    fillvalue : Tensor or scalar, optional
        The constant.

    Returns
    -------
    Tensor
        Has the promoted dtype.

    Raises
    ------
    TypeError
        If an argument is not a tensor.
    ValueError
        If the operands are not matrices, `mode` or `boundary` is unknown, or for 'valid' neither
        operand is at least as large as the other along both axes.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> x, ones = xp.asarray([[1.0, 2.0], [3.0, 4.0]]), xp.ones((2, 2))
    >>> signal.convolve2d(x, ones, mode="same", boundary="symm")
    Tensor([[ 4.,  6.],
            [ 8., 10.]], dtype=float64)
    """
    in1, in2 = _checked("scipy.signal.convolve2d", in1, in2)
    if in1.ndim != 2 or in2.ndim != 2:
        raise ValueError(f"expected two matrices; got shapes {in1.shape} and {in2.shape}")
    if boundary not in _BOUNDARIES:
        raise ValueError(f"boundary must be 'fill', 'wrap' or 'symm'; got {boundary!r}")
    fill = boundary == "fill" and not isinstance(fillvalue, Tensor) and fillvalue == 0
    if fill or mode not in ("full", "same"):
        return convolve(in1, in2, mode, "direct")
    (m, k), n = in1.shape, in2.shape
    widths = [(w - 1, w - 1) for w in n]
    how = {"constant_values": fillvalue} if boundary == "fill" else {}
    found = convolve(padded(in1, widths, _BOUNDARIES[boundary], **how), in2, "valid", "direct")
    if mode == "full":
        return found
    i, j = ((w - 1) // 2 for w in n)
    return found[i : i + m, j : j + k]


_BOUNDARIES = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


# ---- smoothing and trends


@in_own_name("scipy.signal.savgol_filter")
def savgol_filter(
    x: Tensor,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: Tensor | float = 1.0,
    axis: int = -1,
    mode: str = "interp",
    cval: float = 0.0,
) -> Tensor:
    """Smooth a signal by polynomials fitted to the neighbours of each sample.

    Parameters
    ----------
    x : Tensor
        Signal. Ints are converted to float64.
    window_length : int
        Number of neighbours.
    polyorder : int
        Degree of the polynomials, less than `window_length`.
    deriv : int, optional
        Order of the derivative of the polynomial that is returned.
    delta : Tensor or float, optional
        Distance between samples, for derivatives.
    axis : int, optional
        Axis to filter along.
    mode : {'interp', 'mirror', 'constant', 'nearest', 'wrap'}, optional
        'interp' evaluates the polynomial of the first or last `window_length` samples near the
        ends. The others extend the signal as `scipy.ndimage` does.
    cval : float, optional
        Value beyond the ends for the mode 'constant'.

    Returns
    -------
    Tensor
        Has the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `polyorder` or `mode` does not fit, or the signal is shorter than the window for
        'interp'.

    Notes
    -----
    The filter is linear; its weights are those of a least-squares fit (Savitzky & Golay 1964).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> signal.savgol_filter(xp.asarray([0.0, 1.0, 5.0, 9.0, 16.0]), 3, 1)
    Tensor([-0.5,  2. ,  5. , 10. , 15.5], dtype=float64)
    """
    name = "scipy.signal.savgol_filter"
    check_tensor(name, x)
    x = as_floating(x)
    axis = _axis(x, axis)
    n, order, deriv = (
        as_int(name, *pair)
        for pair in (("window_length", window_length), ("polyorder", polyorder), ("deriv", deriv))
    )
    if not 0 <= order < n:
        raise ValueError(f"polyorder must be less than window_length, {n}; got {order}")
    if deriv < 0:
        raise ValueError(f"deriv must not be negative; got {deriv}")
    if mode not in ("interp", "mirror", "constant", "nearest", "wrap"):
        raise ValueError(
            f"mode must be 'interp', 'mirror', 'constant', 'nearest' or 'wrap'; got {mode!r}"
        )
    if mode == "interp" and n > x.shape[axis]:
        raise ValueError(
            f"window_length must be at most the size of the axis, {x.shape[axis]}, for the mode "
            f"'interp'; got {n}"
        )
    half, middle = n // 2, (n - 1) / 2
    # (for windows of even length the polynomial is evaluated between the two central samples)
    weights = _as_weights(_fitted(n, order, deriv, [middle])[0, :], x)
    weights = xp.flip(weights)
    edges = {"mode": "constant"} if mode == "interp" else {"mode": mode, "cval": cval}
    y = convolve1d(x, weights, axis, **edges) if x.size else x
    if mode == "interp" and half:
        x, y = xp.moveaxis(x, axis, -1), xp.moveaxis(y, axis, -1)
        first = _as_weights(_fitted(n, order, deriv, list(range(half))), x)
        last = _as_weights(_fitted(n, order, deriv, list(range(n - half, n))), x)
        start, end = (
            xp.matmul(part, xp.matrix_transpose(fit))
            for part, fit in ((x[..., :n], first), (x[..., -n:], last))
        )
        y = xp.concat([start, y[..., half:-half], end], axis=-1)
        y = xp.moveaxis(y, -1, axis)
    return y / delta**deriv if deriv else y


def _fitted(n: int, order: int, deriv: int, at: list[Any]) -> Any:
    """Rows of weights, by which n samples give the derivative of the fitted polynomial at places.

    The places are scaled to [-1, 1], where the powers are well apart.
    """
    middle, scale = (n - 1) / 2, max((n - 1) / 2, 1.0)
    powers = xp.arange(order + 1, dtype=xp.float64, device="cpu")
    places = (xp.arange(n, dtype=xp.float64, device="cpu") - middle) / scale
    fit = xp.linalg.pinv(xp.expand_dims(places, axis=1) ** powers)
    if deriv > order:
        return xp.zeros((len(at), n), dtype=xp.float64, device="cpu")
    rows = [
        [
            prod(range(k - deriv + 1, k + 1)) * ((place - middle) / scale) ** (k - deriv)
            if k >= deriv
            else 0.0
            for k in range(order + 1)
        ]
        for place in at
    ]
    return xp.asarray(rows, dtype=xp.float64, device="cpu") @ fit / scale**deriv


def _as_weights(weights: Any, x: Any) -> Any:
    return xp.astype(weights, xp.real(x).dtype).to_device(x.device)


@in_own_name("scipy.signal.detrend")
def detrend(
    data: Tensor, axis: int = -1, type: str = "linear", bp: int | Sequence[int] = 0
) -> Tensor:
    """Subtract the mean, or the straight line that fits best, from a signal.

    Parameters
    ----------
    data : Tensor
        Signal. Ints are converted to float64.
    axis : int, optional
        Axis along which the trend is.
    type : {'linear', 'constant'}, optional
        A line or the mean.
    bp : int or sequence of int, optional
        Breakpoints: a line is fitted to each part between two of them.

    Returns
    -------
    Tensor
        Has the shape of `data`.

    Raises
    ------
    TypeError
        If `data` is not a tensor.
    ValueError
        If the axis does not exist, the type is unknown, or a breakpoint is not within the axis.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> signal.detrend(xp.asarray([1.0, 3.0, 2.0]))
    Tensor([-0.5,  1. , -0.5], dtype=float64)
    """
    check_tensor("scipy.signal.detrend", data)
    if type not in ("linear", "l", "constant", "c"):
        raise ValueError(f"type must be 'linear' or 'constant'; got {describe(type)}")
    x = as_floating(data)
    axis = _axis(x, axis)
    x = xp.moveaxis(x, axis, -1)
    n = x.shape[-1]
    if type in ("constant", "c"):
        found = x - xp.mean(x, axis=-1, keepdims=True) if n else x
        return xp.moveaxis(found, -1, axis)
    points = bp if isinstance(bp, (tuple, list)) else [bp]
    inner = {as_int("scipy.signal.detrend", "bp", b) for b in points}
    if any(not 0 <= b <= n for b in inner):
        raise ValueError(f"breakpoints must be within the axis of {n} elements; got {bp}")
    ends = sorted(inner | {0, n})
    parts = [_without_line(x[..., i:j]) for i, j in pairwise(ends)]
    return xp.moveaxis(xp.concat(parts, axis=-1) if parts else x, -1, axis)


def _without_line(x: Any) -> Any:
    n = x.shape[-1]
    t = xp.arange(n, dtype=xp.real(x).dtype, device=x.device) - (n - 1) / 2
    x = x - xp.mean(x, axis=-1, keepdims=True)
    squares = n * (n * n - 1) / 12  # sum of t * t
    return x - xp.sum(x * t, axis=-1, keepdims=True) * t / squares if n > 1 else x


# ---- spectra


@in_own_name("scipy.signal.csd")
def csd(
    x: Tensor,
    y: Tensor,
    fs: float = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: str | bool | Callable[[Tensor], Tensor] = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Tensor, Tensor]:
    """Cross power spectral density of two signals by Welch's method.

    Parameters
    ----------
    x, y : Tensor
        Signals. The shorter one is padded by zeros; the other axes broadcast.
    fs : float, optional
        Sampling frequency.
    window : str, float, tuple or Tensor, optional
        The window: a tensor of shape (nperseg,), or what `scipy.signal.get_window` takes.
    nperseg : int, optional
        Length of the segments. The default is 256, or the length of the window.
    noverlap : int, optional
        How much they overlap. The default is half of their length.
    nfft : int, optional
        Length to which segments are padded by zeros for the Fourier transform.
    detrend : {'constant', 'linear', False} or callable, optional
        What is subtracted from each segment: its mean, a line, or nothing. A function takes
        segments on the last axis.
    return_onesided : bool, optional
        For real signals, whether only frequencies that are not negative are returned.
    scaling : {'density', 'spectrum'}, optional
        Density (units**2 / Hz) or power (units**2).
    axis : int, optional
        Axis of time.
    average : {'mean', 'median'}, optional
        How segments are averaged.

    Returns
    -------
    f : Tensor
        Frequencies.
    Pxy : Tensor
        The cross spectrum, complex, with frequencies on `axis`.

    Raises
    ------
    TypeError
        If a signal is not a tensor.
    ValueError
        If the lengths do not fit, or an option is unknown.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The average of conj(X) Y over segments, where X and Y are Fourier transforms of segments times
    the window (Welch 1967).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> x = xp.asarray([0.0, 1.0, 0.0, -1.0])
    >>> f, Pxy = signal.csd(x, 2 * x, window="boxcar", nperseg=4)
    >>> f
    Tensor([0.  , 0.25, 0.5 ], dtype=float64)
    >>> Pxy
    Tensor([0.+0.j, 4.+0.j, 0.+0.j], dtype=complex128)
    """
    x, y = map(as_floating, _checked("scipy.signal.csd", x, y))
    how = (window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average)
    return _spectrum("scipy.signal.csd", x, y, fs, *how)


@in_own_name("scipy.signal.welch")
def welch(
    x: Tensor,
    fs: float = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: str | bool | Callable[[Tensor], Tensor] = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Tensor, Tensor]:
    """Power spectral density of a signal by Welch's method.

    Parameters
    ----------
    x : Tensor
        Signal.
    fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average : optional
        As of `csd`.

    Returns
    -------
    f : Tensor
        Frequencies.
    Pxx : Tensor
        The spectrum, real, with frequencies on `axis`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `csd` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import signal
    >>> x = xp.asarray([0.0, 1.0, 0.0, -1.0])
    >>> def power(x):
    ...     return signal.welch(x, window="boxcar", nperseg=4)[1]
    >>> power(x)
    Tensor([0., 2., 0.], dtype=float64)
    >>> autodiff.grad(lambda x: power(x)[1])(x)
    Tensor([ 0.,  2.,  0., -2.], dtype=float64)
    """
    check_tensor("scipy.signal.welch", x)
    x = as_floating(x)
    how = (window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average)
    return _spectrum("scipy.signal.welch", x, None, fs, *how)


@in_own_name("scipy.signal.periodogram")
def periodogram(
    x: Tensor,
    fs: float = 1.0,
    window: Any = "boxcar",
    nfft: int | None = None,
    detrend: str | bool | Callable[[Tensor], Tensor] = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
) -> tuple[Tensor, Tensor]:
    """Power spectral density of a signal by one Fourier transform.

    Parameters
    ----------
    x : Tensor
        Signal.
    nfft : int, optional
        Length of the Fourier transform: the signal is cut, or padded by zeros.
    fs, window, detrend, return_onesided, scaling, axis : optional
        As of `csd`.

    Returns
    -------
    f : Tensor
        Frequencies.
    Pxx : Tensor
        The spectrum, real, with frequencies on `axis`.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `csd` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import signal
    >>> f, power = signal.periodogram(xp.asarray([0.0, 1.0, 0.0, -1.0]))
    >>> power
    Tensor([0., 2., 0.], dtype=float64)
    """
    name = "scipy.signal.periodogram"
    check_tensor(name, x)
    x = as_floating(x)
    axis = _axis(x, axis)
    n = x.shape[axis]
    if nfft is not None:
        nfft = as_int(name, "nfft", nfft)
        if nfft < 1:
            raise ValueError(f"nfft must be positive; got {nfft}")
        if nfft < n:
            x, n = xp.moveaxis(xp.moveaxis(x, axis, -1)[..., :nfft], -1, axis), nfft
    window = "boxcar" if window is None else window
    how = (window, n, 0, nfft, detrend, return_onesided, scaling, axis, "mean")
    return _spectrum(name, x, None, fs, *how)


def _spectrum(
    name: str, x: Any, y: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any,
    detrended: Any, onesided: bool, scaling: Any, axis: Any, average: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """The average over segments of conj(X) Y; of the square of abs(X) if `y` is None."""
    fs = as_number(name, "fs", fs)
    axis = as_int(name, "axis", axis)
    if scaling not in ("density", "spectrum"):
        raise ValueError(f"scaling must be 'density' or 'spectrum'; got {describe(scaling)}")
    if average not in ("mean", "median"):
        raise ValueError(f"average must be 'mean' or 'median'; got {describe(average)}")
    x = xp.moveaxis(x, _axis(x, axis), -1)
    if y is not None:  # which may have more or fewer axes
        y = xp.moveaxis(y, _axis(y, axis), -1)
        longer = max(x.shape[-1], y.shape[-1])
        x, y = (padded(z, [(0, 0)] * (z.ndim - 1) + [(0, longer - z.shape[-1])]) for z in (x, y))
    n = x.shape[-1]
    if not n:
        raise ValueError("the signal has no samples")
    window, nperseg = _window(name, window, nperseg, n, x)
    nfft = nperseg if nfft is None else as_int(name, "nfft", nfft)
    noverlap = nperseg // 2 if noverlap is None else as_int(name, "noverlap", noverlap)
    if nfft < nperseg:
        raise ValueError(f"nfft must be at least nperseg, {nperseg}; got {nfft}")
    if not 0 <= noverlap < nperseg:
        raise ValueError(f"noverlap must be less than nperseg, {nperseg}; got {noverlap}")
    onesided = onesided and x.dtype.kind != "c" and (y is None or y.dtype.kind != "c")
    step = nperseg - noverlap
    starts = xp.arange(0, n - nperseg + 1, step, device=x.device)
    places = xp.expand_dims(starts, axis=1) + xp.arange(nperseg, device=x.device)

    def transformed(z: Any) -> Any:
        parts = xp.reshape(
            xp.take(z, xp.reshape(places, (-1,)), axis=-1), (*z.shape[:-1], *places.shape)
        )
        if callable(detrended):
            parts = detrended(parts)
        elif detrended is not False:
            parts = detrend(parts, -1, detrended)
        parts = padded(parts * window, [(0, 0)] * (parts.ndim - 1) + [(0, nfft - nperseg)])
        if onesided:
            return xp.fft.rfft(parts)
        return xp.fft.fft(xp.astype(parts, xp.result_type(parts, xp.complex64), copy=False))

    first = transformed(x)
    if y is None:
        power = xp.real(first) ** 2 + xp.imag(first) ** 2
    else:
        power = xp.conj(first) * transformed(y)
    scale = fs * xp.sum(window * window) if scaling == "density" else xp.sum(window) ** 2
    power = power / scale
    if onesided:  # both halves of the spectrum, but for frequencies that are their own negative
        k = xp.arange(power.shape[-1], device=x.device)
        power = power * (2 - xp.astype((k == 0) | (2 * k == nfft), xp.real(x).dtype))
    power = xp.moveaxis(power, -2, -1)
    if average == "mean":
        found = xp.mean(power, axis=-1)
    else:
        found = _median(power) / _median_bias(power.shape[-1])
    frequencies = (xp.fft.rfftfreq if onesided else xp.fft.fftfreq)(
        nfft, d=1 / fs, dtype=xp.float64, device=x.device
    )
    return frequencies, xp.moveaxis(found, -1, axis)


def _window(name: str, window: Any, nperseg: Any, n: int, x: Any) -> tuple[Any, int]:
    """The window as a tensor, and its length."""
    real = xp.real(x).dtype
    if isinstance(window, Tensor):
        common_device(name, (x, window))
        if window.ndim != 1 or window.size != (nperseg or window.size) or not window.size:
            raise ValueError(f"window must have shape ({nperseg or 'N'},); got {window.shape}")
        if window.size > n:
            raise ValueError(f"window must have at most {n} samples; got {window.size}")
        return xp.astype(window, real, copy=False), window.size
    length = 256 if nperseg is None else as_int(name, "nperseg", nperseg)
    if length < 1:
        raise ValueError(f"nperseg must be positive; got {length}")
    if length > n:
        if nperseg is not None:
            warn(f"{name}: nperseg is reduced from {length} to the length of the signal, {n}")
        length = n
    values = load_scipy("signal.get_window")(window, length)
    return xp.asarray(values, dtype=real, device=x.device), length


def _median(power: Any) -> Any:
    if power.dtype.kind == "c":  # as SciPy: of each part
        return _median(xp.real(power)) + 1j * _median(xp.imag(power))
    n, ordered = power.shape[-1], xp.sort(power, axis=-1)
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2


def _median_bias(n: int) -> float:
    """The median of n squares of normal numbers, divided by their mean (Allen et al. 2012)."""
    return 1 + sum(1 / (k + 1) - 1 / k for k in range(2, n, 2))
