"""Leaves: tensors that recording begins with."""

from __future__ import annotations

from typing import Any

from .._errors import describe
from .._memory import EXPOSED, inner_alias, shared_alias, storage_of
from .._tensor import Tensor
from ._graph import new_leaf
from ._levels import TAPE, TAPE_OFF
from ._views import refresh


def variable(t: Tensor, /, *, requires_grad: bool = True) -> Tensor:
    """Return a tensor over the memory of another one that records operations on it.

    ``t.requires_grad_()`` does the same to the tensor itself.

    Parameters
    ----------
    t : Tensor
        Of a floating-point dtype. The result shares its memory.
    requires_grad : bool, optional
        Whether it records; see `Tensor.requires_grad_`.

    Returns
    -------
    Tensor
        A leaf of the same data, dtype and device.

    Raises
    ------
    TypeError
        If `t` is not a tensor, not of a floating-point dtype, or takes part in a differentiation.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = autodiff.variable(xp.asarray([1.0, 2.0]))
    >>> loss = xp.sum(xp.exp(w) * w)
    >>> loss.backward()
    >>> bool(xp.all(w.grad == xp.exp(w) * (w + 1)))
    True
    """
    if not isinstance(t, Tensor):
        raise TypeError(
            f"variable: expected a Tensor; got {describe(t)}; write arraygrad.asarray(...) first"
        )
    if t._trace is not None:
        refresh(t)
    if t._trace is not None:
        raise TypeError(
            "variable: the tensor takes part in a differentiation already; "
            f"write x.detach() for one that does not; got {describe(t)}"
        )
    _check_dtype("variable", t)
    return _become_leaf(shared_alias(t), requires_grad)


def set_requires_grad(t: Tensor, requires_grad: bool) -> None:
    """See `Tensor.requires_grad_`."""
    if t._trace is not None:
        refresh(t)
    trace = t._trace
    if trace is None:
        if requires_grad:
            _check_dtype("requires_grad_", t)
            storage_of(t)
            _become_leaf(t, True)
        return
    if not trace.is_leaf or trace.level.forward:
        raise RuntimeError(
            "requires_grad_: only a leaf can change; this is "
            + (f"the result of {trace.name}" if not trace.level.forward else "a dual tensor")
            + "; write x.detach() for a tensor that is not recorded"
        )
    trace.level = trace.home if requires_grad else TAPE_OFF


def _check_dtype(name: str, t: Tensor) -> None:
    if t.dtype.kind not in "fc":
        raise TypeError(
            f"{name}: only floating-point tensors have gradients; got {describe(t)}; "
            "write xp.astype(t, xp.float64) first"
        )


def _become_leaf(t: Any, requires_grad: bool) -> Any:
    value = inner_alias(t)
    t._trace = leaf = new_leaf(value, TAPE)
    if not requires_grad:
        leaf.level = TAPE_OFF
    t._primal = value
    t._storage = None
    t._view = EXPOSED
    t._saved = None
    return t
