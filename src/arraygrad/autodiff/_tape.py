"""The style of a tape: variables that record, `backward`, and switching recording off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _dispatch
from .._errors import describe
from .._tensor import Tensor
from ._engine import leaf, traced
from ._traced import EXPOSED, Recording, Traced, Variable


def variable(t: Tensor, /, *, requires_grad: bool = True) -> Variable:
    """A tensor that records what is computed with it.

    Parameters
    ----------
    t : Tensor
        Of a floating-point dtype. The result shares its memory.
    requires_grad : bool, optional
        Whether it records; see `Variable.requires_grad_`.

    Returns
    -------
    Variable
        Of the same data, dtype and device. It is accepted wherever a tensor is.

    Raises
    ------
    TypeError
        If `t` is no tensor, not of a floating-point dtype, or takes part in a differentiation.

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
    if isinstance(t, Traced):
        raise TypeError(
            "variable: the tensor takes part in a differentiation already; "
            f"write x.detach() for one that does not; got {describe(t)}"
        )
    if t.dtype.kind not in "fc":
        raise TypeError(
            f"variable: only floating-point tensors have gradients; got {describe(t)}; "
            "write xp.astype(t, xp.float64) first"
        )
    value = _dispatch.wrap(t._data, t._device)
    return traced(Variable, value, leaf(value, 0 if requires_grad else -1), EXPOSED)


def no_grad(function: Callable[..., Any] | None = None, /) -> Any:
    """Record nothing, as a context manager or as a decorator.

    Only what is begun before is switched off: a `grad` called inside still differentiates.
    Forward mode is not recording, and goes on.

    Parameters
    ----------
    function : callable, optional
        To decorate: ``@autodiff.no_grad`` is ``@autodiff.no_grad()``.

    Returns
    -------
    Recording or callable
        For ``with`` or ``@``; with `function`, that function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = autodiff.variable(xp.ones(2))
    >>> with autodiff.no_grad():
    ...     w -= 0.5
    >>> w
    Variable([0.5, 0.5], dtype=float64)
    """
    return Recording(False) if function is None else Recording(False)(function)


def enable_grad(function: Callable[..., Any] | None = None, /) -> Any:
    """Record again inside of `no_grad`, as a context manager or as a decorator.

    Parameters
    ----------
    function : callable, optional
        To decorate: ``@autodiff.enable_grad`` is ``@autodiff.enable_grad()``.

    Returns
    -------
    Recording or callable
        For ``with`` or ``@``; with `function`, that function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = autodiff.variable(xp.ones(2))
    >>> with autodiff.no_grad():
    ...     with autodiff.enable_grad():
    ...         y = 2 * w
    >>> y.requires_grad
    True
    """
    return Recording(True) if function is None else Recording(True)(function)
