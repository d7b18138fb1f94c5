"""Set functions of the standard."""

from __future__ import annotations

from typing import NamedTuple

from ._dispatch import pair, unary
from ._typing import Tensor


class UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def isin(x1: Tensor | int, x2: Tensor | int, /, *, invert: bool = False) -> Tensor:
    """TODO"""
    return pair("isin", x1, x2, invert=invert)


def unique_all(x: Tensor, /) -> UniqueAllResult:
    """TODO"""
    return UniqueAllResult(*unary("unique_all", x))


def unique_counts(x: Tensor, /) -> UniqueCountsResult:
    """TODO"""
    return UniqueCountsResult(*unary("unique_counts", x))


def unique_inverse(x: Tensor, /) -> UniqueInverseResult:
    """TODO"""
    return UniqueInverseResult(*unary("unique_inverse", x))


def unique_values(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("unique_values", x)
