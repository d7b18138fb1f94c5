"""The style of a tape: variables that record, `backward`, and switching recording off."""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any

from .. import _dispatch
from .._errors import describe
from .._tensor import Tensor
from . import _debug
from ._backward import backward
from ._engine import conform, quiet, refresh
from ._traced import Exposed, Recording, Split, Traced, Variable, joined, leaf, traced


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
    return traced(Variable, value, leaf(value, 0 if requires_grad else -1), Exposed(None))


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


def run_backward(
    x: Variable, gradient: Tensor | None, retain_graph: bool | None, create_graph: bool
) -> None:
    """See `Variable.backward`."""
    if x._view is not None:
        refresh(x)
    node = x._trace
    if node.level:
        raise RuntimeError(
            "backward: this tensor does not record (requires_grad=False)"
            if node.level < 0
            else "backward: this tensor belongs to a function that grad, vjp or their like "
            "differentiates; backward is for what is computed from autodiff.variable(...)"
        )
    if gradient is None:
        if x._data.size != 1 or node.dtype.kind != "f":
            raise ValueError(
                "backward: only a real tensor of one element has a gradient by itself; got "
                f"{describe(x)}; write backward(gradient) with a tensor of its shape"
            )
        root = _dispatch.create("ones", x._device, node.shape, dtype=node.dtype)
    elif (
        not isinstance(gradient, Tensor)
        or gradient.shape != x.shape
        or (gradient.dtype.kind == "c" and node.dtype.kind == "f")
    ):
        raise ValueError(
            f"backward: gradient must be a tensor like {describe(x)}; got {describe(gradient)}"
        )
    else:
        _dispatch.common_device("backward", (x, gradient))
        if isinstance(gradient, Traced) and not create_graph:
            gradient = gradient.detach()
        root = conform(gradient, node)
    if _debug.entered:
        _debug.check_results("backward", x)
    retain = create_graph if retain_graph is None else retain_graph
    found = backward([(node, root)], free=not retain, create_graph=create_graph)
    del root, gradient
    for leaf_node in list(found):
        if leaf_node.level >= 0:  # not switched off since it was recorded
            accumulate(leaf_node, found)


def accumulate(node: Any, found: dict[Any, Tensor]) -> None:
    """Add what was found for a leaf to its gradient."""
    g: Any = own(found, node)
    have = node.grad
    if have is None:
        node.grad = g
        return
    with quiet():
        if type(have) is Tensor and type(g) is Tensor and have._device is g._device:
            _dispatch.inplace("iadd", have, g)
        else:
            node.grad = have + g


def own(found: dict[Any, Tensor], node: Any) -> Tensor | None:
    """Take a gradient out of those found, in memory of its own: to write to it changes no other."""
    g: Any = found.pop(node, None)
    if type(g) is Split:
        g = joined(g)
    if type(g) is Tensor:
        seen = getrefcount(g) > _dispatch.ALONE or not _dispatch.owns(g)
    else:
        seen = g is not None and (g._view is not None or getrefcount(g) > _dispatch.ALONE)
    return _dispatch.unary("copy", g) if seen else g
