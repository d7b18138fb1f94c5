"""Equal values that differ by an infinitesimal perturbation, inside of recorded tensors.

The gradient of what is computed from equal eigenvalues and their vectors is a limit, 0 / 0 at the
values themselves. With a tangent by which they differ, numerator and denominator are followed in
one direction, and their tangents have the quotient sought (de l'Hopital). Only the rule that
perturbed the values looks at the tangent; it is dropped where the gradient is handed out.
"""

from __future__ import annotations

from typing import Any

from .._graph import Tangent, box
from .._levels import ForwardLevel


class PerturbedLevel(ForwardLevel):
    """The level of one perturbation."""

    __slots__ = ()

    hidden = True


def perturb(values: Any, direction: Any) -> Any:
    """Values with a perturbation of their own."""
    return box(values, Tangent(PerturbedLevel(), direction))


def is_perturbed(x: Any) -> bool:
    """Whether `x` has a perturbation."""
    return getattr(x, "_trace", None) is not None and x._trace.level.hidden


def value_and_slope(x: Any, values: Any) -> tuple[Any, Any]:
    """`x` itself, and its tangent in the direction in which `values` differ; None for zero."""
    if is_perturbed(x) and is_perturbed(values) and x._trace.level is values._trace.level:
        return x._primal, x._trace.value
    return x, None
