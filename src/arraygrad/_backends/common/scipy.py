"""Operations computed by functions of SciPy, or on CUDA by functions of cupyx.scipy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

from .special import load_on_first_use

#: Functions of a square matrix.
MATRIX_FUNCTIONS = "expm logm sqrtm sinm cosm tanm sinhm coshm tanhm".split()

#: Functions by their names below `scipy`.
NAMES = [
    *(f"linalg.{name}" for name in MATRIX_FUNCTIONS),
    *"linalg.solve_triangular linalg.solve_sylvester linalg.lstsq linalg.solve_banded".split(),
    *"signal.lfilter signal.convolve".split(),
    *"ndimage.gaussian_filter ndimage.uniform_filter ndimage.correlate".split(),
    "ndimage.spline_filter1d",
]


def operations(load: Callable[[str], Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The entries of a table: a library's functions, from `load(name)`."""
    table = {f"scipy.{name}": load_on_first_use(load, name) for name in NAMES}
    table["scipy.linalg.cho_solve"] = partial(_cho_solve, table["scipy.linalg.solve_triangular"])
    table["scipy.linalg.lstsq"] = partial(_without_rank, table["scipy.linalg.lstsq"])
    table["scipy.linalg.solve_banded"] = partial(_banded, table["scipy.linalg.solve_banded"])
    table["scipy.linalg.logm"] = partial(_in_double, table["scipy.linalg.logm"])
    spline = table["scipy.ndimage.spline_filter1d"]
    table["scipy.ndimage.spline_filter1d"] = lambda x, **how: spline(x, output=x.dtype, **how)
    lfilter = table["scipy.signal.lfilter"]
    table["scipy.signal.lfilter"] = lambda b, a, x, zi: lfilter(b, a, x, -1, zi)
    return table


def _cho_solve(solve: Callable[..., Any], c: Any, b: Any, /, *, lower: bool, **how: bool) -> Any:
    """Solution by a Cholesky factor and its adjoint."""
    return solve(c, b, trans=(0, 2) if lower else (2, 0), lower=lower, unit_diagonal=False, **how)


#: The most rows of triangular matrices that `substituted` solves.
_SMALL = 32


def substituted(
    a: Any, b: Any, ways: tuple[int, ...], /, *, lower: bool, unit_diagonal: bool
) -> Any:
    """Solutions of many small triangular systems, column by column for all of them at once.

    `ways` are the values of SciPy's `trans` for systems that are solved one after the other. SciPy
    takes one matrix after the other, which for small ones is mostly calls. Returns None for a few
    matrices or large ones.
    """
    n, k = b.shape[-2:]
    stack = a.shape[:-2]
    if a.shape[-2:] != (n, n) or b.shape[:-2] != stack or not 0 < n <= min(_SMALL, prod(stack)):
        return None
    # Neighbours in memory are entries of different systems at the same place.
    a, x = a.reshape(-1, n, n).transpose(1, 2, 0), b.reshape(-1, n, k).transpose(1, 2, 0).copy()
    for trans in ways:
        m = a.transpose(1, 0, 2) if trans else a
        m = m.conj() if trans == 2 else m
        forwards = lower != bool(trans)
        for j in range(n) if forwards else range(n - 1, -1, -1):
            rest = slice(j + 1, n) if forwards else slice(0, j)
            if not unit_diagonal:
                x[j] /= m[j, j]
            x[rest] -= m[rest, j, None] * x[j]
    return x.transpose(2, 0, 1).copy().reshape(b.shape)


def _in_double(function: Callable[..., Any], x: Any) -> Any:
    """Compute in double precision; SciPy's logm warns about every result in single precision."""
    if x.dtype.itemsize > 4 * (1 + (x.dtype.kind == "c")):
        return function(x)
    found = function(x.astype("c16" if x.dtype.kind == "c" else "f8"))
    return found.astype("c8" if found.dtype.kind == "c" else "f4")


def _banded(solve: Callable[..., Any], ab: Any, b: Any, *, lower: int, upper: int) -> Any:
    """Without SciPy's check for infinities and NaN."""
    return solve((lower, upper), ab, b, check_finite=False)


def _without_rank(lstsq: Callable[..., Any], a: Any, b: Any, *, cond: float) -> tuple[Any, Any]:
    """Solution and singular values; the other results of `lstsq` follow from these."""
    x, _, _, s = lstsq(a, b, cond=cond)
    return x, s
