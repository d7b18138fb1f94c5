"""Matrices of few diagonals: ``ab[upper + i - j, j]`` is the entry ``(i, j)``."""

from __future__ import annotations

from typing import Any

import arraygrad as xp

from .._dispatch import apply
from .._extras import padded
from ..autodiff.rules import conj, define


def solve(ab: Any, b: Any, lower: int, upper: int) -> Any:
    """The solution for right-hand sides of shape (N, M)."""
    how = {"lower": lower, "upper": upper}
    return apply("scipy.linalg.solve_banded", (ab, b), (), how)


def _shifted(x: Any, by: int) -> Any:
    """The rows moved down, or up if `by` is negative, with zeros behind them."""
    n = x.shape[0]
    down, up = min(max(by, 0), n), min(max(-by, 0), n)
    return padded(x[up : n - down, ...], [(down, up)] + [(0, 0)] * (x.ndim - 1))


def _transposed(ab: Any, lower: int, upper: int) -> Any:
    """The diagonals of the transpose, whose `lower` and `upper` are exchanged."""
    return xp.stack([_shifted(ab[i, :], i - upper) for i in range(lower + upper, -1, -1)])


def _diagonals(w: Any, x: Any, lower: int, upper: int) -> Any:
    """Those of the matrix of sums over k of w[i, k] conj(x[j, k])."""
    shifts = range(-upper, lower + 1)
    return xp.stack([xp.sum(_shifted(w, -s) * conj(x), axis=1) for s in shifts])


def product(ab: Any, x: Any, lower: int, upper: int) -> Any:
    """The matrix times vectors of shape (N, M)."""
    terms = [
        _shifted(xp.expand_dims(ab[i, :], axis=1) * x, i - upper) for i in range(lower + upper + 1)
    ]
    return sum(terms[1:], terms[0])


def _to_right(g: Any, _out: Any, ab: Any, _b: Any, *, lower: int, upper: int) -> Any:
    return solve(conj(_transposed(ab, lower, upper)), g, upper, lower)


define(
    "scipy.linalg.solve_banded",
    (
        lambda g, out, ab, b, **how: -_diagonals(_to_right(g, out, ab, b, **how), out, **how),
        lambda t, out, ab, _b, **how: -solve(ab, product(t, out, **how), **how),
    ),
    (_to_right, lambda t, _out, ab, _b, **how: solve(ab, t, **how)),
)
