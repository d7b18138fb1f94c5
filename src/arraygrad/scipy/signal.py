"""Filters and convolutions of `scipy.signal`, with derivatives.

They are linear in the signal, and differentiable with respect to the coefficients, too. SciPy
computes them on the CPU, and `cupyx.scipy.signal` on CUDA devices.
"""

from __future__ import annotations

from typing import Any

import arraygrad as xp

from .._dispatch import apply, as_floating, check_tensor, common_device
from .._errors import as_int, in_own_name
from .._extras import padded
from .._typing import Tensor
from ..autodiff.rules import conj, define

__all__ = ["convolve", "convolve2d", "correlate", "filtfilt", "lfilter", "lfilter_zi", "sosfilt"]


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
    return _convolved(in1, in2, mode, method)


def _convolved(x: Any, h: Any, mode: str, method: str) -> Any:
    return apply("scipy.signal.convolve", (x, h), (), {"mode": mode, "method": method})


def _reversed(x: Any) -> Any:
    return conj(xp.flip(x)) if x.ndim else conj(x)


def _whole(g: Any, x: Any, h: Any, mode: str) -> Any:
    """Cotangent of the full convolution, from the cotangent of the part that was returned."""
    widths = []
    for size, m, n in zip(g.shape, x.shape, h.shape, strict=True):
        start = {"full": 0, "same": (n - 1) // 2, "valid": min(m, n) - 1}[mode]
        widths.append((start, m + n - 1 - start - size))
    return padded(g, widths) if widths else g


def _to_first(g: Any, _out: Any, x_like: Any, h: Any, *, mode: str, method: str) -> Any:
    return _convolved(_whole(g, x_like, h, mode), _reversed(h), "valid", method)


def _to_second(g: Any, _out: Any, x: Any, h_like: Any, *, mode: str, method: str) -> Any:
    return _convolved(_whole(g, x, h_like, mode), _reversed(x), "valid", method)


define(
    "scipy.signal.convolve",
    (_to_first, lambda t, _out, _x, h, *, mode, method: _convolved(t, h, mode, method)),
    (_to_second, lambda t, _out, x, _h, *, mode, method: _convolved(x, t, mode, method)),
)


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
    return convolve(in1, _reversed(in2), mode, method)


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
