"""Degenerate (equal) values with an infinitesimal perturbation, for gradients as limits.

The gradient of a function of equal eigenvalues and their vectors is a limit; the formula itself is
0 / 0. If the values have different tangents, the tangents of numerator and denominator have the
required quotient (l'Hôpital's rule). Only the rule that perturbed the values reads the tangent,
which is dropped when the gradient is returned.
"""

from __future__ import annotations

from typing import Any

from .._graph import Tangent, box
from .._levels import ForwardLevel


class PerturbedLevel(ForwardLevel):
    """Level of one perturbation."""

    __slots__ = ()

    hidden = True


def perturb(values: Any, direction: Any) -> Any:
    """Box values with a new perturbation."""
    return box(values, Tangent(PerturbedLevel(), direction))


def is_perturbed(x: Any) -> bool:
    """Return True if `x` has a perturbation."""
    return getattr(x, "_trace", None) is not None and x._trace.level.hidden


def value_and_slope(x: Any, values: Any) -> tuple[Any, Any]:
    """`x` and its tangent in the direction of the perturbation of `values`; None for zero."""
    if is_perturbed(x) and is_perturbed(values) and x._trace.level is values._trace.level:
        return x._primal, x._trace.value
    return x, None
