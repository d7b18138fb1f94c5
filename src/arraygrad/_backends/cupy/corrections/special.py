"""Special functions that CuPy lacks or gets wrong, computed from others."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import cupy as cp

from ...._errors import TransferError
from ...common.special import of_arrays

__all__ = ["load"]

_Array = Any


def _cupyx(name: str) -> Any:
    special: Any = import_module("cupyx.scipy.special")  # on first use: it takes long
    return getattr(special, name)


def load(name: str) -> Callable[..., Any]:
    """The special function of that name: CuPy's, or the correction."""
    try:
        return partial(of_arrays, cp, _CORRECTED.get(name) or _cupyx(name))
    except AttributeError:
        raise TransferError(
            "CuPy lacks this function; compute it on the CPU: "
            f'arraygrad.special.{name}(x.to_device("cpu")).to_device(x.device)'
        ) from None


def _betaincc(a: Any, b: Any, x: Any, /) -> _Array:
    """CuPy lacks it. By symmetry; a small result loses digits where 1 - x is rounded."""
    return _cupyx("betainc")(b, a, 1 - x)


def _betainccinv(a: Any, b: Any, y: Any, /) -> _Array:
    """CuPy lacks it. By symmetry."""
    return 1 - _cupyx("betaincinv")(b, a, y)


def _ellipe(m: Any, /) -> _Array:
    """CuPy lacks it. Computed as the incomplete integral up to π/2."""
    return _cupyx("ellipeinc")(cp.asarray(math.pi / 2, dtype=m.dtype), m)


def _stdtr(df: Any, t: Any, /) -> _Array:
    """CuPy lacks it. Computed from `betainc` with the argument that is not close to 1."""
    s = t * t
    central = 0.5 + cp.copysign(_cupyx("betainc")(0.5, df / 2, s / (df + s)) / 2, t)
    tail = _cupyx("betainc")(df / 2, 0.5, df / (df + s)) / 2
    y = cp.where(s < df, central, cp.where(t < 0, tail, 1 - tail))
    y = cp.where(cp.isinf(t), (t > 0).astype(y.dtype), y)
    return cp.where(cp.isinf(df), _cupyx("ndtr")(t), y)


def _stdtrit(df: Any, p: Any, /) -> _Array:
    """CuPy lacks it. Computed from the inverse of the incomplete beta function."""
    inverse = _cupyx("betaincinv")
    middle = inverse(0.5, df / 2, cp.abs(1 - 2 * p))
    tail = inverse(df / 2, 0.5, 2 * cp.minimum(p, 1 - p))
    s = cp.where(cp.abs(p - 0.5) < 0.25, middle / (1 - middle), (1 - tail) / tail)
    t = cp.copysign(cp.sqrt(df * s), p - 0.5)
    return cp.where(cp.isinf(df), _cupyx("ndtri")(p), t)


def _yn(n: Any, x: Any, /) -> _Array:
    """CuPy has it in double precision only."""
    dtype = cp.result_type(n, x)
    if dtype.kind == "c":
        raise TypeError("complex numbers are not supported")
    return _cupyx("yn")(n.astype("f8"), x.astype("f8")).astype(dtype, copy=False)


_bessel_tail = cp.ElementwiseKernel(
    "T x, float64 mu, float64 sign",
    "T out",
    """
    double term = 1, sum = 1;
    for (int k = 1; k <= 15; ++k) {
      term *= sign * (mu - (2 * k - 1) * (2 * k - 1)) / (8.0 * k * x);
      sum += term;
    }
    out = sum / sqrt(double(x));
    """,
    "arraygrad_bessel_tail",
)


def _scaled_bessel(name: str) -> Callable[..., _Array]:
    order, first_kind = int(name[1]), name[0] == "i"
    scale = math.sqrt(0.5 / math.pi if first_kind else math.pi / 2)

    def scaled(x: Any, /) -> _Array:
        """CuPy computes infinity times 0 for large arguments; use the series of DLMF 10.40."""
        size = cp.abs(x) if first_kind else x
        tail = _bessel_tail(size, 4.0 * order, -1.0 if first_kind else 1.0) * scale
        if name == "i1e":
            tail = cp.copysign(tail, x)
        return cp.where(size < 30, _cupyx(name)(x), tail)

    return scaled


def _unchanged_at_infinity(name: str) -> Callable[..., _Array]:
    def corrected(x: Any, /) -> _Array:
        """CuPy's expi and exprel are NaN at infinity, and its exprel is 1 at NaN; correct both."""
        return cp.where(x < math.inf, _cupyx(name)(x), x)

    return corrected


def _zeta(x: Any, q: Any, /) -> _Array:
    """CuPy has no zeta function of one argument, but `zetac`."""
    return 1 + _cupyx("zetac")(x) if q is None else _cupyx("zeta")(x, q)


_CORRECTED: dict[str, Callable[..., Any]] = {
    "betaincc": _betaincc,
    "betainccinv": _betainccinv,
    "ellipe": _ellipe,
    "stdtr": _stdtr,
    "stdtrit": _stdtrit,
    "yn": _yn,
    "zeta": _zeta,
    **{name: _unchanged_at_infinity(name) for name in ("expi", "exprel")},
    **{name: _scaled_bessel(name) for name in ("i0e", "i1e", "k0e", "k1e")},
}
