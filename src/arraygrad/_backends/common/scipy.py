"""Operations that are functions of SciPy, and on CUDA those of the same name in cupyx.scipy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .special import load_on_first_use

#: Functions of a square matrix.
MATRIX_FUNCTIONS = "expm logm sqrtm sinm cosm tanm sinhm coshm tanhm".split()

#: Functions by their names below `scipy`.
NAMES = [
    *(f"linalg.{name}" for name in MATRIX_FUNCTIONS),
    *"linalg.solve_triangular linalg.solve_sylvester linalg.lstsq".split(),
    *"signal.lfilter signal.convolve".split(),
    *"ndimage.gaussian_filter ndimage.uniform_filter ndimage.correlate".split(),
]


def operations(load: Callable[[str], Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The entries of a table: a library's functions, from `load(name)`."""
    table = {f"scipy.{name}": load_on_first_use(load, name) for name in NAMES}
    table["scipy.linalg.lstsq"] = partial(_without_rank, table["scipy.linalg.lstsq"])
    table["scipy.linalg.logm"] = partial(_in_double, table["scipy.linalg.logm"])
    table["scipy.linalg.substituted"] = substituted
    lfilter = table["scipy.signal.lfilter"]
    table["scipy.signal.lfilter"] = lambda b, a, x, zi: lfilter(b, a, x, -1, zi)
    return table


def substituted(a: Any, b: Any, /, *, lower: bool, unit_diagonal: bool) -> Any:
    """Solutions of many small triangular systems, column by column for all of them at once.

    SciPy solves one after the other, which for small ones is mostly calls.
    """
    n, x = a.shape[-1], b.copy()
    for j in range(n) if lower else range(n - 1, -1, -1):
        rest = slice(j + 1, n) if lower else slice(0, j)
        if not unit_diagonal:
            x[:, j] /= a[:, j, j, None]
        x[:, rest] -= a[:, rest, j, None] * x[:, j, None]
    return x


def _in_double(function: Callable[..., Any], x: Any) -> Any:
    """SciPy's logm warns of every result of single precision, which has not more digits."""
    if x.dtype.itemsize > 4 * (1 + (x.dtype.kind == "c")):
        return function(x)
    found = function(x.astype("c16" if x.dtype.kind == "c" else "f8"))
    return found.astype("c8" if found.dtype.kind == "c" else "f4")


def _without_rank(lstsq: Callable[..., Any], a: Any, b: Any, *, cond: float) -> tuple[Any, Any]:
    """The solution and the singular values; the rest of `lstsq` follows from these."""
    x, _, _, s = lstsq(a, b, cond=cond)
    return x, s
