"""Tensors that take part in a differentiation, the nodes they record, and whether they do.

A differentiation has a level, a number that grows with each one begun. A traced tensor belongs
to one level and wraps the tensor below it, which may be plain or traced at a lower level. It is
a `Variable`, with a node that tells how it came about, or a `Dual`, with a tangent. What happens
to them is in `_engine`, `_writes` (in place) and `_backward`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from types import FrameType
from typing import Any, NamedTuple
from weakref import ref

from .._device import Device
from .._dispatch import clock
from .._errors import describe
from .._tensor import Tensor
from ._rules import NotDifferentiableError, Rule

#: Levels, in the order in which differentiations begin. 0 is that of `variable`.
levels = itertools.count(1)


# ---- whether operations are recorded


class Pause(NamedTuple):
    """One `no_grad` or `enable_grad` that has been entered, or a checkpoint that runs."""

    level: int  # up to which nothing is recorded; of a checkpoint, at which
    frame: FrameType | None  # of the generator that entered, if it was one
    captured: dict[Node, Any] | None  # of a checkpoint: what it met
    outer: Pause | None


_new_pause = tuple.__new__  # a named tuple's own takes a frame
_pause: ContextVar[Pause | None] = ContextVar("arraygrad_recording", default=None)
paused = _pause.get


def is_off(x: Traced, pause: Pause | None) -> bool:
    """Whether operations on a variable are not recorded."""
    level = x._trace.level
    if level < 0:
        return True
    while pause is not None:
        # A generator that stopped inside a `with no_grad()` has switched it off for itself
        # alone; while it waits its frame has no caller.
        if pause.frame is not None and pause.frame.f_back is None:
            pass
        elif pause.captured is None:
            return level <= pause.level
        elif level == pause.level:
            pause.captured[x._trace] = x
            return True
        pause = pause.outer
    return False


class Recording:
    """Context manager and decorator that switches recording off or on."""

    __slots__ = ("_entered", "_on")

    def __init__(self, on: bool) -> None:
        self._on = on
        self._entered: list[Pause] = []

    def __enter__(self) -> None:
        frame: FrameType | None = sys._getframe(1)
        if frame is not None and not frame.f_code.co_flags & 0x220:  # (async) generators
            frame = None
        level = -1 if self._on else next(levels)
        pause = _new_pause(Pause, (level, frame, None, paused()))
        self._entered.append(pause)
        _pause.set(pause)

    def __exit__(self, *_: object) -> None:
        pause, last = self._entered.pop(), paused()
        _pause.set(pause.outer if last is pause else without(last, pause))

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps
        from inspect import isgeneratorfunction

        on = self._on
        if isgeneratorfunction(function):

            @wraps(function)
            def generate(*args: Any, **kwargs: Any) -> Any:
                steps = function(*args, **kwargs)
                send, value = steps.send, None
                while True:
                    with Recording(on):
                        try:
                            item = send(value)
                        except StopIteration as stop:
                            return stop.value
                    try:
                        send, value = steps.send, (yield item)
                    except GeneratorExit:
                        with Recording(on):
                            steps.close()
                        raise
                    except BaseException as error:
                        send, value = steps.throw, error

            return generate

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with Recording(on):
                return function(*args, **kwargs)

        return run


def without(stack: Pause | None, pause: Pause) -> Pause | None:
    """The stack less one entry, which is the last unless generators were left half-way."""
    if stack is None or stack is pause:
        return pause.outer if stack is pause else None
    return stack._replace(outer=without(stack.outer, pause))


# ---- nodes and traced tensors


class Node:
    """How a recorded tensor came about: the operation, and the nodes of its operands.

    Attributes
    ----------
    name : str
        The operation; "variable" for a tensor that recording began with.
    next_functions : tuple of (Node or None, int)
        The nodes of the operands, in order; None for operands that are not recorded.
    """

    __slots__ = (
        "__weakref__", "dtype", "hooks", "kwargs", "level", "parents", "rule", "saved", "shape",
        "time",
    )  # fmt: skip

    level: int
    time: int
    shape: tuple[int, ...]
    dtype: Any
    rule: Rule | None  # None: a leaf
    parents: tuple[Node | None, ...]
    saved: tuple[Any, ...] | None  # None: freed
    kwargs: dict[str, Any]
    hooks: Hooks | None

    @property
    def name(self) -> str:
        """The operation's name."""
        return "variable" if self.rule is None else self.rule.name

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes of the operands and which of their outputs each operand was."""
        found = []
        for parent in self.parents:
            if isinstance(parent, Part):
                found.append((parent.parents[0], parent.index))
            else:
                found.append((parent, 0))
        return tuple(found)

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Leaf(Node):
    """The node of a tensor that recording began with."""

    __slots__ = ("grad",)

    grad: Tensor | None


class Part(Node):
    """The node of one of several results of an operation, whose own node is the parent."""

    __slots__ = ("index",)

    index: int


class Hooks(dict[int, Callable[[Tensor], "Tensor | None"]]):
    """Functions to call with a gradient, and after them that gradient if it is to be kept."""

    retains = False
    grad: Tensor | None = None


class Like(NamedTuple):
    """What a rule may know of a tensor without its data being kept."""

    shape: tuple[int, ...]
    dtype: Any
    device: Device

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for n in self.shape:
            size *= n
        return size


class Tangent(NamedTuple):
    """What a `Dual` carries: the tangent, None for zero."""

    level: int
    value: Tensor | None


class View(NamedTuple):
    """That a traced tensor is a view of another: what to do again when that has been written."""

    base: Traced
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    which: int | None  # of several results
    seen: Any  # the base's trace when the view was taken


class Exposed(NamedTuple):
    """That others than this traced tensor see its memory, so that writes have to go there.

    `base` is the traced tensor of a lower level that is the same to its user; None: plain ones.
    """

    base: Tensor | None


#: To plain tensors, such as the argument that it was made of.
EXPOSED = Exposed(None)


class Traced(Tensor):
    """A tensor that takes part in a differentiation."""

    __slots__ = ()

    def _transform(
        self,
        name: str,
        operands: tuple[Any, ...],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        return _engine.transform(name, operands, args, kwargs)

    def _raw(self, name: str, operation: str) -> Any:
        if name == "item" or not flows(self):  # item() reads one value, on purpose
            return self._device.ops[operation]
        instead = "functions of arraygrad instead of NumPy's (xp.exp(x)), or "
        raise NotDifferentiableError(
            f"{name}: the gradient would be lost, as what reads the data is not differentiated; "
            f"write {instead if name == '__array__' else ''}x.detach() or "
            "autodiff.stop_gradient(x) if that is meant"
        )

    def _scalar(self, name: str, allowed: str) -> Any:
        """Libraries read numbers by float() and go on computing with these."""
        value = super()._scalar(name, allowed)
        if name in ("__float__", "__complex__") and flows(self):
            raise NotDifferentiableError(
                f"{name}: the gradient would be lost, as what is computed with Python's numbers is "
                "not differentiated; write functions of arraygrad instead of those of math (xp.sqrt"
                "(x)), comparisons as they are (x > 0), x.item() for the number on purpose, or "
                "autodiff.stop_gradient(x)"
            )
        return value

    def detach(self) -> Tensor:
        """The same data without a trace.

        Returns
        -------
        Tensor
            Plain; it shares the memory, so that it sees later writes.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> v = autodiff.variable(xp.ones(2))
        >>> (2 * v).detach()
        Tensor([2., 2.], dtype=float64)
        """
        return _engine.detached(self)


class Dual(Traced):
    """A tensor with a tangent, as forward mode makes them."""

    __slots__ = ()


class Split(Dual):
    """Equal values that are parted by infinitely little, inside of recorded tensors.

    The gradient of what is computed from equal eigenvalues and their vectors is a limit, 0 / 0
    at the values themselves. With a tangent that parts them, numerator and denominator are
    followed in one direction, and their tangents have the quotient sought (de l'Hopital).
    Only the rule that made it looks at it; it ends where the gradient is handed out.
    """

    __slots__ = ()


def split(values: Tensor, direction: Tensor) -> Any:
    """Values that are parted in a direction of their own."""
    return _engine.traced(Split, values, Tangent(next(levels), direction))


def limits(x: Any, values: Any) -> tuple[Any, Any]:
    """`x` itself, and its tangent as `values` part; None for zero."""
    if type(x) is Split and type(values) is Split and x._trace.level == values._trace.level:
        return x._value, x._trace.value
    return x, None


def joined(x: Any) -> Any:
    """`x` itself, where values that were parted are one again."""
    while type(x) is Split:
        x = x._value
    return x


class Variable(Traced):
    """A tensor that records the operations it takes part in.

    Made by `variable`, by every operation on one, and inside of the functions that `grad` and
    its like differentiate. It is accepted wherever a `Tensor` is.

    Notes
    -----
    `numpy`, ``np.asarray`` and the other conversions to foreign arrays raise, and so do
    ``float(v)`` and ``complex(v)``, as what is computed with these is not recorded; `detach`
    first, or write ``v.item()`` for the number. ``bool(v)``, ``int(v)`` and formatting read the
    value. Where no gradient can flow any more, as under `no_grad` or after `backward`, all are
    allowed.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> w = autodiff.variable(xp.asarray([1.0, 2.0]))
    >>> loss = xp.sum(w**2)
    >>> loss.backward()
    >>> w.grad
    Tensor([2., 4.], dtype=float64)
    """

    __slots__ = ()

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded; of a leaf it may be set."""
        return self._trace.level >= 0

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True, /) -> Variable:
        """Switch recording of this leaf on or off, in place.

        Parameters
        ----------
        requires_grad : bool, optional
            Whether operations on the tensor are to be recorded from now on.

        Returns
        -------
        Variable
            The tensor itself.

        Raises
        ------
        RuntimeError
            For a tensor that an operation gave; `detach` makes one that is not recorded.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> w = autodiff.variable(xp.ones(2))
        >>> (2 * w.requires_grad_(False))
        Tensor([2., 2.], dtype=float64)
        """
        if not self.is_leaf:
            raise RuntimeError(
                f"requires_grad_: only a leaf can change; this is the result of "
                f"{self._trace.name}; write x.detach() for a tensor that is not recorded"
            )
        if requires_grad != self.requires_grad:
            self._trace.level = ~self._trace.level  # negative: off
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether recording began with this tensor: no operation gave it."""
        return self._trace.rule is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated; None before, and of other than leaves.

        Of the tensor's shape, dtype and device. It may be set, e.g. to None before a new pass.
        """
        trace = self._trace
        if trace.rule is None:
            return trace.grad
        return None if trace.hooks is None else trace.hooks.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (
            not isinstance(value, Tensor)
            or value.shape != self.shape
            or value.dtype != self.dtype
            or value.device is not self.device
        ):
            raise TypeError(
                f"grad: expected None or a tensor of shape {self.shape} and dtype {self.dtype} "
                f"on {self.device}; got {describe(value)}"
            )
        trace = self._trace
        if trace.rule is not None:
            raise AttributeError("grad: only that of a leaf can be set; this one is a result")
        trace.grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that gave this tensor; None for a leaf."""
        trace = self._trace
        if trace.rule is None:
            return None
        return trace.parents[0] if isinstance(trace, Part) else trace

    def backward(
        self,
        gradient: Tensor | None = None,
        *,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this tensor to the `grad` of the leaves it depends on.

        Parameters
        ----------
        gradient : Tensor, optional
            The cotangent of this tensor, of its shape. May be left out for one element: 1.
        retain_graph : bool, optional
            Keep the graph for another pass. Without it, what the operations kept is freed as
            the pass goes. By default the value of `create_graph`.
        create_graph : bool, optional
            Record the pass itself, for derivatives of the gradients.

        Raises
        ------
        ValueError
            Without `gradient`, if there is more than one element or it is complex.
        RuntimeError
            If nothing was recorded, if the graph has been freed, or if a tensor that an
            operation kept has been overwritten since.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> x = autodiff.variable(xp.asarray(3.0))
        >>> (x * x).backward()
        >>> x.grad
        Tensor(6., dtype=float64)
        """
        _engine.run_backward(self, gradient, retain_graph, create_graph)

    def __deepcopy__(self, memo: dict[int, Any], /) -> Tensor:
        """Of a leaf of the tape another leaf, as a copied optimiser needs it; else recorded."""
        if not self.is_leaf or self._trace.level > 0:
            return super().__deepcopy__(memo)
        from ._tape import variable

        new = variable(deepcopy(self.detach(), memo), requires_grad=self.requires_grad)
        new.grad = deepcopy(self.grad, memo)
        return new

    def register_hook(self, hook: Callable[[Tensor], Tensor | None], /) -> Hook:
        """Call a function with this tensor's gradient whenever one is computed.

        Parameters
        ----------
        hook : callable
            Takes the gradient, before it is added to `grad` or passed on. Gives another one to
            replace it, or None.

        Returns
        -------
        Hook
            Has a method `remove`.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> x = autodiff.variable(xp.asarray(3.0))
        >>> hook = x.register_hook(lambda g: 10 * g)
        >>> (x * x).backward()
        >>> x.grad
        Tensor(60., dtype=float64)
        >>> hook.remove()
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: this tensor does not record (requires_grad=False)")
        return Hook(self._trace, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in `grad` though no leaf.

        After an operation in place it is that of the tensor's new value.

        Raises
        ------
        RuntimeError
            If the tensor does not record.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> x = autodiff.variable(xp.asarray(3.0))
        >>> y = x * x
        >>> y.retain_grad()
        >>> (2 * y).backward()
        >>> y.grad
        Tensor(2., dtype=float64)
        """
        if not self.requires_grad:
            raise RuntimeError("retain_grad: this tensor does not record (requires_grad=False)")
        if self.is_leaf:
            return
        node = self._trace
        if node.hooks is None:
            node.hooks = Hooks()
        node.hooks.retains = True


class Hook:
    """A function that is called with a gradient; see `Variable.register_hook`."""

    __slots__ = ("_key", "_node")

    def __init__(self, node: Node, hook: Callable[[Tensor], Tensor | None]) -> None:
        if not callable(hook):
            raise TypeError(f"register_hook: expected a function; got {hook!r}")
        if node.hooks is None:
            node.hooks = Hooks()
        self._node = ref(node)
        self._key = next(clock)
        node.hooks[self._key] = hook

    def remove(self) -> None:
        """Call the function no more."""
        node = self._node()
        if node is not None and node.hooks is not None:
            node.hooks.pop(self._key, None)


@contextmanager
def checkpointing(level: int, captured: dict[Node, Any]) -> Iterator[None]:
    """Do not record at `level`, but note the recorded tensors that are met."""
    pause = Pause(level, None, captured, paused())
    _pause.set(pause)
    try:
        yield
    finally:
        _pause.set(without(paused(), pause))


_in_rule: ContextVar[tuple[int, int, int] | None] = ContextVar("arraygrad_in_rule", default=None)
#: Of the function with a rule of its own that runs: the level and the time of its call, and the
#: first level that may begin inside of it.
in_rule = _in_rule.get


@contextmanager
def following_rule(level: int, start: int) -> Iterator[None]:
    """Refuse writes to what was recorded before: the rule knows nothing of them."""
    token = _in_rule.set((level, start, next(levels)))
    try:
        yield
    finally:
        _in_rule.reset(token)


def active(x: Tensor) -> bool:
    """Whether operations on `x`, or on what it wraps, are followed at present."""
    while isinstance(x, Traced):
        if isinstance(x, Dual) or not is_off(x, paused()):
            return True
        x = x._value
    return False


def flows(x: Tensor) -> bool:
    """Whether a gradient can still pass through `x`, so that reading its data would lose it."""
    pause = paused()
    while isinstance(x, Traced):
        _engine.refresh(x)
        if isinstance(x, Dual):
            if x._trace.value is not None:
                return True
        elif not is_off(x, pause) and _reaches_leaf(x._trace):
            return True
        x = x._value
    return False


def _reaches_leaf(start: Node) -> bool:
    """Whether a way back to a leaf is left: not freed by `backward`, nor piecewise constant."""
    stack, seen = [start], {start}
    while stack:
        node = stack.pop()
        rule = node.rule
        if rule is None:
            return True
        if node.saved is not None and (rule.vjps or rule.whole is not None):
            new = {parent for parent in node.parents if parent is not None} - seen
            seen |= new
            stack.extend(new)
    return False


from . import _engine  # noqa: E402  (the engine makes the tensors that call it)
