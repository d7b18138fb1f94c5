"""Recording on and off: `no_grad`, `enable_grad`, and running checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, overload
from weakref import ref

from .._dispatch import check_tensor
from .._errors import describe
from .._memory import View, bottom, storage_of
from .._modes import Block, enter, get_mode, leave
from .._typing import P, R
from ._graph import Node, level_numbers


class GradMode:
    """One block in which recording is switched off or on.

    Attributes
    ----------
    level : int
        The number of the level up to which nothing is recorded, -1 for none; for a checkpoint, the
        one at which nothing is.
    captured : dict or None
        For a checkpoint that runs, the nodes of outer tensors that it met; for each the tensor and
        its state.
    """

    __slots__ = ("captured", "level")

    def __init__(self, level: int, captured: dict[Node, Any] | None = None) -> None:
        self.level = level
        self.captured = captured


def grad_modes() -> tuple[GradMode, ...]:
    """The blocks that are entered, the innermost first."""
    mode = get_mode()
    return () if mode is None else mode.grad


def recording_off(x: Any, mode: Any) -> bool:
    """Return True if a mode switches off the recording of operations on a recorded tensor."""
    level = x._trace.level
    if level.closed or level.number < 0:
        return True
    if mode is None:
        return False
    for grad in mode.grad:
        if grad.captured is None:
            return level.number <= grad.level
        if level.number == grad.level:
            if x._trace not in grad.captured:
                version = storage_of(bottom(x)).version
                grad.captured[x._trace] = x, (x._trace, version)
            return True
    return False


class _Unrecorded:
    """The link of a view that was taken in `no_grad` of a recorded tensor, its owner."""

    __slots__ = ("owner",)

    def __init__(self, owner: Any) -> None:
        self.owner = ref(owner)


def unrecorded(owner: Any, plain: Any) -> Any:
    """Mark a plain alias of a recorded tensor, of which `no_grad` takes a view."""
    plain._view = _Unrecorded(owner)
    plain._storage.guard = _check_unrecorded
    return plain


def _check_unrecorded(x: Any) -> None:
    """Raise before a view that was taken in `no_grad` is written where its owner is recorded."""
    root = x
    while type(root._view) is View:
        root = root._view.base
    owner = root._view.owner() if type(root._view) is _Unrecorded else None
    if owner is not None and owner._trace is not None and not recording_off(owner, get_mode()):
        raise RuntimeError(
            f"in-place operation: {describe(x)} is a view, taken inside of no_grad, of a tensor "
            "that requires grad here; a write would change its values and not its gradient: write "
            "inside of no_grad, take the view outside, or write x.detach() for a tensor that "
            "shares the memory"
        )


def is_traced(x: Any) -> bool:
    """Return True if operations on `x` are differentiated at present.

    Parameters
    ----------
    x : Tensor
        Of any kind.

    Returns
    -------
    bool
        True for a tensor that requires a gradient, unless inside of `no_grad`, and for arguments
        of a function that is differentiated and for results computed from them.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = xp.ones(2).requires_grad_()
    >>> autodiff.is_traced(2 * w), autodiff.is_traced(w.detach())
    (True, False)
    """
    check_tensor("is_traced", x)
    mode = get_mode()
    while x._trace is not None:
        level = x._trace.level
        if not (level.closed if level.forward else recording_off(x, mode)):
            return True
        x = x._primal
    return False


@overload
def no_grad(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def no_grad() -> Block: ...
def no_grad(function: Callable[..., Any] | None = None, /) -> Any:
    """Record nothing, as a context manager or as a decorator.

    A `grad` that is called inside still differentiates. Forward mode does not record, and goes
    on.

    Parameters
    ----------
    function : callable, optional
        To decorate: ``@autodiff.no_grad`` is ``@autodiff.no_grad()``. Functions, generators,
        coroutines and asynchronous generators can be decorated; a generator is in this mode while
        it runs, and its caller is not.

    Returns
    -------
    context manager or callable
        For ``with`` or ``@``; with `function`, that function.

    Notes
    -----
    A ``with`` block in a generator lasts, as other context variables do, until the generator has
    left it, also while the caller runs. Decorate the generator instead.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = xp.ones(2).requires_grad_()
    >>> with autodiff.no_grad():
    ...     w -= 0.5
    >>> w
    Tensor([0.5, 0.5], dtype=float64, requires_grad=True)
    """
    block = Block("grad", lambda: GradMode(next(level_numbers)))
    return block if function is None else _decorated("no_grad", block, function)


@overload
def enable_grad(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def enable_grad() -> Block: ...
def enable_grad(function: Callable[..., Any] | None = None, /) -> Any:
    """Record again inside of `no_grad`, as a context manager or as a decorator.

    Parameters
    ----------
    function : callable, optional
        To decorate: ``@autodiff.enable_grad`` is ``@autodiff.enable_grad()``.

    Returns
    -------
    context manager or callable
        For ``with`` or ``@``; with `function`, that function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = xp.ones(2).requires_grad_()
    >>> with autodiff.no_grad():
    ...     with autodiff.enable_grad():
    ...         y = 2 * w
    >>> y.requires_grad
    True
    """
    block = Block("grad", lambda: GradMode(-1))
    return block if function is None else _decorated("enable_grad", block, function)


@contextmanager
def checkpointing(level: int, captured: dict[Node, Any]) -> Iterator[None]:
    """Do not record at a level, but note the recorded tensors that are met."""
    setting = enter("grad", GradMode(level, captured))
    try:
        yield
    finally:
        leave(setting)


_custom_rule: ContextVar[tuple[int, int, int] | None] = ContextVar(
    "arraygrad_custom_rule", default=None
)
#: The function with a custom rule that runs: the number of its level, when it was called, and the
#: number of the first level that may begin inside of it.
custom_rule = _custom_rule.get


@contextmanager
def custom_rule_scope(level: int, start: int) -> Iterator[None]:
    """Refuse writes to tensors recorded earlier: the rule cannot account for them."""
    token = _custom_rule.set((level, start, next(level_numbers)))
    try:
        yield
    finally:
        _custom_rule.reset(token)


def _decorated(name: str, block: Block, function: Any) -> Any:
    if not callable(function):
        raise TypeError(f"{name}: expected a function; got {describe(function)}")
    return block(function)
