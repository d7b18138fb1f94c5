"""Rules of the fft extension. All are linear: the jvp is the function, the vjp its adjoint.

A transform first truncates or pads its operand; its adjoint does that last. The adjoint of a scaled
transform is the opposite transform with the scale on the same side, so "backward" and "forward" are
swapped (see the standard on `norm`).
"""

from __future__ import annotations

from typing import Any

from ... import fft
from ..._creation import ones, zeros
from ..._manipulation import concat, reshape
from .._rules import conj
from .._transpose import define
from .._views import put

_ADJOINT: dict[str, Any] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _resized(g: Any, shape: tuple[int, ...]) -> Any:
    """Truncate or pad with zeros at the end of each axis."""
    for axis, n in enumerate(shape):
        have = g.shape[axis]
        if have > n:
            g = g[(slice(None),) * axis + (slice(n),)]
        elif have < n:
            more = (*g.shape[:axis], n - have, *g.shape[axis + 1 :])
            g = concat([g, zeros(more, dtype=g.dtype, device=g.device)], axis=axis)
    return g


def _weights(g: Any, n: int, axis: int, inner: float) -> Any:
    """Multiply `g` by `inner`, except at the self-conjugate frequencies of a real transform."""
    count = n // 2 + 1
    w = ones((count,), dtype=g.dtype, device=g.device)
    stop = count - 1 if n % 2 == 0 else count
    if stop > 1:
        w = put(w, inner, slice(1, stop))
    return g * reshape(w, (count,) + (1,) * (g.ndim - 1 - axis % g.ndim))


def _axes(x: Any, s: Any, axes: Any) -> tuple[int, ...]:
    if axes is not None:
        return tuple(a % x.ndim for a in axes)
    return tuple(range(0 if s is None else x.ndim - len(s), x.ndim))


def _complex(name: str, inverse: str) -> None:
    """Define the rules of fft and ifft, along one axis or several."""
    back, backs = getattr(fft, inverse), getattr(fft, inverse + "n")
    forth, forths = getattr(fft, name), getattr(fft, name + "n")

    def vjp(g: Any, _out: Any, x_like: Any, *, n: Any, axis: int, norm: Any) -> Any:
        return _resized(back(g, axis=axis, norm=_ADJOINT[norm]), x_like.shape)

    def jvp(t: Any, *_: Any, **how: Any) -> Any:
        return forth(_as_complex(t), **how)

    def vjps(g: Any, _out: Any, x_like: Any, *, s: Any, axes: Any, norm: Any) -> Any:
        over = _axes(x_like, s, axes)
        if not over:
            return g
        return _resized(backs(g, axes=over, norm=_ADJOINT[norm]), x_like.shape)

    def jvps(t: Any, *_: Any, **how: Any) -> Any:
        return forths(_as_complex(t), **how)

    define(f"fft.{name}", (vjp, jvp))
    define(f"fft.{name}n", (vjps, jvps))


def _as_complex(t: Any) -> Any:
    return t if t.dtype.kind == "c" else t + 0j


_complex("fft", "ifft")
_complex("ifft", "fft")

# ---- transforms of real numbers: a coefficient stands for itself and its conjugate


def _rfft_adjoint(g: Any, x_like: Any, n: int, axis: int, norm: Any) -> Any:
    real = fft.irfft(_weights(g, n, axis, 0.5), n=n, axis=axis, norm=_ADJOINT[norm])
    return _resized(real, x_like.shape)


def _irfft_adjoint(g: Any, x_like: Any, n: int, axis: int, norm: Any) -> Any:
    half = fft.rfft(g, n=n, axis=axis, norm=_ADJOINT[norm])
    return _resized(_weights(half, n, axis, 2.0), x_like.shape)


def _length(x: Any, n: int | None, axis: int) -> int:
    return x.shape[axis] if n is None else n


define(
    "fft.rfft",
    (
        lambda g, _out, x_like, *, n, axis, norm: _rfft_adjoint(
            g, x_like, _length(x_like, n, axis), axis, norm
        ),
        lambda t, *_, **how: fft.rfft(t, **how),
    ),
)
define(
    "fft.irfft",
    (
        lambda g, _out, x_like, *, n, axis, norm: _irfft_adjoint(
            g, x_like, g.shape[axis], axis, norm
        ),
        lambda t, *_, **how: fft.irfft(_as_complex(t), **how),
    ),
)
define(
    "fft.hfft",  # irfft of the conjugate, scaled on the other side
    (
        lambda g, _out, x_like, *, n, axis, norm: conj(
            _irfft_adjoint(g, x_like, g.shape[axis], axis, _ADJOINT[norm])
        ),
        lambda t, *_, **how: fft.hfft(_as_complex(t), **how),
    ),
)
define(
    "fft.ihfft",  # the conjugate of rfft, scaled on the other side
    (
        lambda g, _out, x_like, *, n, axis, norm: _rfft_adjoint(
            conj(g), x_like, _length(x_like, n, axis), axis, _ADJOINT[norm]
        ),
        lambda t, *_, **how: fft.ihfft(t, **how),
    ),
)


def _rfftn_vjp(g: Any, _out: Any, x_like: Any, *, s: Any, axes: Any, norm: Any) -> Any:
    *others, last = _axes(x_like, s, axes)
    n = x_like.shape[last] if s is None else s[-1]
    if others:
        g = fft.ifftn(g, axes=others, norm=_ADJOINT[norm])
    return _rfft_adjoint(g, x_like, n, last, norm)


def _irfftn_vjp(g: Any, _out: Any, x_like: Any, *, s: Any, axes: Any, norm: Any) -> Any:
    *others, last = _axes(x_like, s, axes)
    n = g.shape[last]
    half = _weights(fft.rfft(g, n=n, axis=last, norm=_ADJOINT[norm]), n, last, 2.0)
    if others:
        half = fft.fftn(half, axes=others, norm=_ADJOINT[norm])
    return _resized(half, x_like.shape)


define("fft.rfftn", (_rfftn_vjp, lambda t, *_, **how: fft.rfftn(t, **how)))
define("fft.irfftn", (_irfftn_vjp, lambda t, *_, **how: fft.irfftn(_as_complex(t), **how)))
define(
    "fft.fftshift",
    (
        lambda g, *_, axes: fft.ifftshift(g, axes=axes),
        lambda t, *_, axes: fft.fftshift(t, axes=axes),
    ),
)
define(
    "fft.ifftshift",
    (
        lambda g, *_, axes: fft.fftshift(g, axes=axes),
        lambda t, *_, axes: fft.ifftshift(t, axes=axes),
    ),
)
