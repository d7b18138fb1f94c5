"""Gradient clipping."""

from __future__ import annotations

from typing import Any

from .. import _pytree
from .._constants import inf
from .._creation import asarray
from .._elementwise import clip, isfinite, minimum
from .._errors import as_number, describe
from .._manipulation import reshape, stack
from .._statistical import max as largest
from .._tensor import Tensor
from ..linalg import vector_norm


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale the gradients in place so that their total norm does not exceed a limit.

    Parameters
    ----------
    parameters : iterable or containers of Tensor
        Parameters whose `grad` is clipped, if there is one. Plain tensors are taken as the
        gradients themselves, as returned by `autodiff.grad`.
    max_norm : float
        Maximum norm of all gradients as one vector.
    norm_type : float, optional
        Order of the norm, or infinity for the largest element.
    error_if_nonfinite : bool, optional
        Whether to raise if the norm is infinite or NaN. (The host then waits for a GPU.)

    Returns
    -------
    Tensor
        Total norm before clipping.

    Raises
    ------
    TypeError
        If a leaf is not a floating-point tensor.
    ValueError
        If `max_norm` is negative, or with `error_if_nonfinite` if the norm is not finite. Nothing
        has been written then.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> g = [xp.asarray([3.0]), xp.asarray([4.0])]
    >>> optim.clip_grad_norm_(g, 1.0)
    Tensor(5., dtype=float64)
    >>> round(float(g[0][0]), 5), round(float(g[1][0]), 5)
    (0.6, 0.8)
    """
    max_norm = _limit("clip_grad_norm_", "max_norm", max_norm)
    norm_type = as_number("clip_grad_norm_", "norm_type", norm_type)
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return asarray(0.0)
    device = grads[0].device
    norms = [vector_norm(reshape(g, (-1,)), ord=norm_type).to_device(device) for g in grads]
    together = stack(norms)
    total = largest(together) if norm_type == inf else vector_norm(together, ord=norm_type)
    if error_if_nonfinite and not isfinite(total):
        raise ValueError(
            f"clip_grad_norm_: the norm of the gradients is {total.item()}, which cannot be clipped"
        )
    factor = minimum(max_norm / (total + 1e-6), 1.0)
    for g in grads:
        g *= factor.to_device(g.device)
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Clip each element of the gradients, in place.

    Parameters
    ----------
    parameters : iterable or containers of Tensor
        Parameters or gradients; see `clip_grad_norm_`.
    clip_value : float
        Elements are clipped to the interval from ``-clip_value`` to ``clip_value``.

    Raises
    ------
    TypeError
        If a leaf is not a floating-point tensor, or a gradient is complex. Nothing has been written
        then.
    ValueError
        If `clip_value` is negative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> g = xp.asarray([3.0, -0.5, -4.0])
    >>> optim.clip_grad_value_(g, 1.0)
    >>> g
    Tensor([ 1. , -0.5, -1. ], dtype=float64)
    """
    limit = _limit("clip_grad_value_", "clip_value", clip_value)
    grads = _gradients("clip_grad_value_", parameters)
    for g in grads:
        if g.dtype.kind == "c":
            raise TypeError(
                "clip_grad_value_: complex numbers have no order; write clip_grad_norm_, or pass "
                f"xp.real(g) and xp.imag(g); got {describe(g)}"
            )
    for g in grads:
        g[...] = clip(g, -limit, limit)


def _limit(name: str, parameter: str, limit: float) -> float:
    limit = as_number(name, parameter, limit)
    if not limit >= 0:
        raise ValueError(f"{name}: {parameter} must not be negative or NaN; got {limit!r}")
    return limit


def _gradients(name: str, parameters: Any) -> list[Tensor]:
    """Gradients as plain tensors."""
    if hasattr(parameters, "__next__"):
        parameters = list(parameters)
    found = []
    for p in _pytree.flatten(parameters)[0]:
        if not isinstance(p, Tensor) or p.dtype.kind not in "fc":
            raise TypeError(
                f"{name}: expected floating-point parameters or gradients; got {describe(p)}"
            )
        if p._trace is not None:
            if not p._is_parameter:
                p._check_constant(name)
            g = p.grad
            if g is not None:
                found.append(g if g._trace is None else g.detach())
        else:
            found.append(p)
    return found
