"""The traces of differentiations: nodes of a graph, and tangents.

Each differentiation has a level; later ones have higher numbers. A traced tensor belongs to one
level and wraps a tensor of a lower level, or a plain one. Its trace is a `Node`, the operation that
returned it (reverse mode), or a `Tangent` (forward mode).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from weakref import ref

from .._array import Array, Level, Trace, wrap
from .._backends import _ndarray
from .._device import Device

#: Numbers of levels, in the order in which differentiations begin; 0 is that of the tape.
level_numbers = itertools.count(1)
#: Numbers of nodes, in the order in which they are recorded.
sequence_numbers = itertools.count(1)


class Node(Trace):
    """The record of an operation that returned a tensor, with the nodes of its operands.

    Attributes
    ----------
    name : str
        The operation; "leaf" for a leaf.
    next_functions : tuple of (Node or None, int)
        The nodes of the operands, in order; None for operands that are not recorded.
    """

    __slots__ = (
        "__weakref__", "device", "dtype", "hooks", "kwargs", "parents", "rule", "saved",
        "sequence_nr", "shape",
    )  # fmt: skip

    sequence_nr: int
    shape: Any
    dtype: Any
    device: Any
    rule: Any  # None: a leaf
    parents: tuple[Any, ...]
    saved: Any  # None: freed
    kwargs: dict[str, Any]
    hooks: Any

    @property
    def name(self) -> str:
        """The operation's name."""
        return "leaf" if self.rule is None else self.rule.name

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each operand its node, and its index among the outputs of that node."""
        found = []
        for parent in self.parents:
            if isinstance(parent, OutputNode):
                found.append((parent.parents[0], parent.index))
            else:
                found.append((parent, 0))
        return tuple(found)

    @property
    def requires_grad(self) -> bool:
        """True if operations on the tensor are recorded."""
        return self.level.number >= 0 and not self.level.closed

    @property
    def is_leaf(self) -> bool:
        """True if recording began with the tensor."""
        return self.rule is None

    @property
    def is_tape_leaf(self) -> bool:
        """True if the tensor is a leaf that the user made."""
        return False

    @property
    def grad(self) -> Any:
        """The gradient that was retained; None for others."""
        return None if self.hooks is None else self.hooks.grad

    @property
    def grad_fn(self) -> Any:
        """The node of the operation."""
        return None if self.rule is None else self

    @property
    def text(self) -> str:
        """The part of the tensor's repr about its gradient."""
        if self.rule is not None:
            return f", grad_fn=<{self.name}>"
        return ", requires_grad=True" if self.requires_grad else ""

    def register_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Call a function with the gradient whenever one is computed."""
        return Hook(self, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of a result."""
        if self.rule is not None:
            if self.hooks is None:
                self.hooks = Hooks()
            self.hooks.retains = True

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Leaf(Node):
    """The node of a tensor with which recording began."""

    __slots__ = ("_grad", "home")

    home: Any  # the level at which it records if it does

    @property
    def grad(self) -> Any:
        """The accumulated gradient."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        self._grad = value

    @property
    def is_tape_leaf(self) -> bool:
        """True if the user made it, False for an argument of a differentiated function."""
        return self.home.number <= 0


class OutputNode(Node):
    """The node of one of several results of an operation, whose own node is the parent."""

    __slots__ = ("index",)

    index: int

    @property
    def grad_fn(self) -> Any:
        """The node of the operation."""
        return self.parents[0]


class Hooks(dict[int, Callable[[Any], Any]]):
    """Functions to call with a gradient, and the gradient if it is to be retained."""

    retains = False
    grad: Any = None


class Hook:
    """A function that is called with a gradient; see `Tensor.register_hook`."""

    __slots__ = ("_key", "_node")

    def __init__(self, node: Node, hook: Callable[[Any], Any]) -> None:
        if not callable(hook):
            raise TypeError(f"register_hook: expected a function; got {hook!r}")
        if node.hooks is None:
            node.hooks = Hooks()
        self._node = ref(node)
        self._key = next(sequence_numbers)
        node.hooks[self._key] = hook

    def remove(self) -> None:
        """Call the function no more."""
        node = self._node()
        if node is not None and node.hooks is not None:
            node.hooks.pop(self._key, None)

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Tangent(Trace):
    """The trace of a tensor in forward mode: its tangent, None for zero."""

    __slots__ = ("value",)

    requires_grad = False
    is_leaf = True
    is_tape_leaf = False
    grad = None
    grad_fn = None
    text = ""

    def __init__(self, level: Any, value: Any) -> None:
        self.level = level
        self.value = value


class TensorSpec:
    """Shape, dtype and device of a tensor whose data is not saved."""

    __slots__ = ("device", "dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: Any, device: Device) -> None:
        self.shape = shape
        self.dtype = dtype
        self.device = device

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


def box(value: Array, trace: Trace, view: Any = None) -> Any:
    """A traced tensor over `value`."""
    out = wrap(type(value), value._data, value._device)
    out._trace = trace
    out._primal = value
    out._view = view
    return out


def unhidden(x: Any) -> Any:
    """A tensor without the levels that only rules use."""
    while x._trace is not None and x._trace.level.hidden:
        x = x._primal
    return x


def new_node(value: Array, level: Level, cls: type[Any] = Node) -> Any:
    """A node for `value`; the caller sets rule, parents, saved and kwargs."""
    data = value._data
    node = cls.__new__(cls)  # type: ignore[call-overload]  # (mypy takes it for a metaclass)
    node.level = level
    node.sequence_nr = next(sequence_numbers)
    node.shape = _ndarray.shape(data)
    node.dtype = _ndarray.dtype_of(data)
    node.device = value._device
    node.hooks = None
    return node


def new_leaf(value: Array, level: Any) -> Leaf:
    """The node of a tensor that recording begins with."""
    node = new_node(value, level, Leaf)
    node.rule = None
    node.parents = ()
    node.saved = ()
    node.kwargs = {}
    node.home = level
    node._grad = None
    return node


def output_node(value: Array, whole: Node, index: int) -> OutputNode:
    """The node of one of several results of the operation of `whole`."""
    node = new_node(value, whole.level, OutputNode)
    node.rule = whole.rule
    node.parents = (whole,)
    node.saved = ()
    node.kwargs = {}
    node.index = index
    return node
