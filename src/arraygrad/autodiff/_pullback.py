"""One traced call of a user's function: its arguments, its results, and the map of cotangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _pytree
from .._creation import asarray
from .._data_type import finfo, result_type
from .._dtypes import INEXACT
from .._errors import describe
from .._memory import INNER, Exposed, View, alias, shared_alias, storage_of
from .._modes import get_mode
from .._tensor import Tensor
from ._backward import backward
from ._graph import Tangent, box, new_leaf, unhidden
from ._levels import ReverseLevel
from ._tangents import ones, sum_to, zeros
from ._views import check_argument, refresh, snapshot, take, tie

Function = Callable[..., Any]


class DiffArgs:
    """The arguments of a function, and the leaves of those it is differentiated with respect to."""

    def __init__(self, name: str, args: Sequence[Any], argnums: Sequence[int]) -> None:
        self.args = list(args)
        self.argnums = argnums
        # (Not `i`, which a closure below refers to: Python 3.13.0 to 3.13.2 crash if a debugger
        # reads the variables while a comprehension binds such a name, gh-128396 of CPython.)
        positions = [n % len(args) if args else n for n in argnums]
        if len(set(positions)) < len(positions):
            raise ValueError(f"{name}: argnums must be different positions; got {tuple(argnums)}")
        self.leaves: list[Tensor] = []
        self.structures = []
        for i in argnums:
            if not -len(args) <= i < len(args):
                raise ValueError(
                    f"{name}: argnums {i} is out of range: the function is called with "
                    f"{len(args)} positional arguments"
                )
            leaves, structure = _pytree.flatten(args[i])
            if not leaves:
                raise TypeError(f"{name}: argument {i} holds no tensor; got {describe(args[i])}")
            self.structures.append(structure)
            for k, x in enumerate(leaves):
                if not isinstance(x, Tensor) or x._data.dtype.kind not in "fc":
                    # (B023: the path is asked for at once, if at all)
                    x = as_input(name, i, x, lambda: _pytree.paths(args[i])[k])  # noqa: B023
                self.leaves.append(x)

    def with_leaves(self, leaves: Sequence[Any]) -> list[Any]:
        """The arguments with other leaves."""
        args = list(self.args)
        parts = self.unflatten(leaves)
        for k, i in enumerate(self.argnums):
            args[i] = parts[k]
        return args

    def unflatten(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """Leaves in the containers of the arguments."""
        return _pytree.unflatten_each(self.structures, leaves)


def as_input(name: str, i: int, x: Any, path: Callable[[], str]) -> Tensor:
    if isinstance(x, Tensor) and x.dtype.kind in "fc":
        return x
    if isinstance(x, INEXACT):
        return asarray(x)
    where = path()
    if isinstance(x, Tensor):
        hint = "; write xp.astype(x, xp.float64) first"
    elif hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__"):
        hint = "; write arraygrad.asarray(x, dtype=...) first"
    elif where:
        hint = "; pass data that is not differentiated in another argument"
    elif isinstance(x, int):
        hint = "; write arraygrad.asarray(x, dtype=...) first"
    else:
        hint = "; containers of tensors are dicts, lists, tuples and dataclasses"
    raise TypeError(
        f"{name}: argument {i}{where} must be a tensor of a floating-point dtype; "
        f"got {describe(x)}{hint}"
    )


def enter_level(x: Any, level: Any, tangent: Any = None) -> Any:
    """An argument of a differentiated function, traced."""
    if x._trace is not None:
        refresh(x)
    # (Plain memory is shared: a write to the tensor that was passed is one to the argument.)
    plain = x._trace is None or (x._trace.level.batched and x._primal._trace is None)
    value = alias(x) if plain else snapshot(x)
    view = Exposed.__new__(Exposed)  # (as in new_view)
    view.base, view.level = x, level
    trace = Tangent(level, tangent) if level.forward else new_leaf(value, level)
    out = box(value, trace, view)
    if x._trace is None:
        storage = storage_of(value)
        storage.add(out)
    return out


def check_arguments(name: str, arguments: Sequence[Any]) -> None:
    """Raise if an argument has been written through the tensor that was passed for it.

    Outside, the two are one; here the argument did not see the write.
    """
    for x in arguments:
        t = x
        refresh(t)
        if type(t._view) is Exposed:
            check_argument(name, t)


def is_at(x: Any, level: Any) -> bool:
    """Return True if `x` is traced at a level, after bringing it up to date."""
    if not isinstance(x, Tensor):
        return False
    t = x
    if t._trace is None:
        return False
    refresh(t)
    trace = t._trace
    return trace is not None and trace.level is level


def lowered(x: Any, level: Any) -> Any:
    """A result without the level, as it is handed to the caller."""
    if not is_at(x, level):
        return x
    links = []
    root = t = x
    while type(root._view) is View and root._view.name != "shared":
        links.append(root._view)
        root = root._view.base
    if type(root._view) is Exposed and root._view.base is not None:
        if root._view.level is not level:
            return x  # an argument of an outer function, or a view of one; unwrapped when used
        # An argument, or a view of one: outside it is the tensor that was passed, or a view of it.
        out = root._view.base
        for link in reversed(links):
            out = take(link, out)
        return out
    primal = t._primal if t._primal._trace is None else unhidden(t._primal)
    if primal._trace is not None:
        # (Itself: other results may be views of it.)
        if primal._view is INNER:
            primal._view = None
        return primal
    # The graph may have saved it, and the caller may write to its result.
    storage = storage_of(primal)
    storage.freeze(primal)
    return shared_alias(primal)


def split_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"{name}: with has_aux the function must return a tuple (result, aux); "
            f"got {describe(result)}"
        )
    return result


def outputs_of(
    name: str, out: Any, inputs: DiffArgs, integers: bool = False
) -> tuple[list[Tensor], Any]:
    """The leaves of a function's result as tensors: numbers get the dtype of the argument."""
    leaves, structure = _pytree.flatten(out)
    if not leaves:
        raise TypeError(f"{name}: the function must return a tensor; got {describe(out)}")
    kinds = "fciub" if integers else "fc"
    for i, x in enumerate(leaves):
        if isinstance(x, (int, float, complex)) and not isinstance(x, bool):
            like = inputs.leaves[0]
            dtype = result_type(finfo(like.dtype).dtype, x)
            leaves[i] = asarray(x, dtype=dtype, device=like.device)
        elif not isinstance(x, Tensor) or x._data.dtype.kind not in kinds:
            raise TypeError(
                f"{name}: the function must return tensors of a floating-point dtype; "
                f"got {describe(x)}"
            )
    return leaves, structure


class TracedCall:
    """One recorded call of a function: its result, and the map of cotangents back."""

    def __init__(
        self,
        name: str,
        f: Function,
        inputs: DiffArgs,
        kwargs: Any,
        has_aux: bool,
        integers: bool = False,
    ) -> None:
        self.level = level = ReverseLevel()
        self.inputs = inputs
        variables = [enter_level(x, level) for x in inputs.leaves]
        self.leaves = [v._trace for v in variables]
        try:
            out, aux = split_aux(name, f(*inputs.with_leaves(variables), **kwargs), has_aux)
            check_arguments(name, variables)
            outputs, self.structure = outputs_of(name, out, inputs, integers)
            mode = get_mode()
            if mode is not None and mode.nans is not None:
                mode.nans.check_results(name, outputs, inputs.args)
            self.nodes = [x._trace if is_at(x, level) else None for x in outputs]
            self.aux = _pytree.tree_map(lambda x: lowered(x, level), aux) if has_aux else None
            self.outputs = [lowered(x, level) for x in outputs]
        finally:
            level.closed = True

    def value(self) -> Any:
        """The result."""
        return _pytree.unflatten(self.structure, self.outputs)

    def pull(self, cotangents: Sequence[Tensor | None], free: bool = False) -> list[Tensor]:
        """Cotangents of the arguments from those of the results."""
        roots = [
            (node, sum_to(g, node))
            for node, g in zip(self.nodes, cotangents)  # noqa: B905  (strict=True costs most of it)
            if node is not None and g is not None
        ]
        return self.collect(backward(roots, free=free, unshare=True))

    def collect(self, found: dict[Any, Tensor]) -> list[Tensor]:
        """The cotangents of the arguments; zeros for those that the result does not depend on."""
        result = []
        for leaf, x in zip(self.leaves, self.inputs.leaves):  # noqa: B905  (as above)
            t = x
            g = found.pop(leaf, None)
            g = zeros(t) if g is None else g
            result.append(tie(g, t) if t._trace is not None else g)
        return result


def gradients(
    name: str, f: Function, argnums: Sequence[int], args: Any, kwargs: Any, has_aux: bool
) -> tuple[Any, tuple[Any, ...]]:
    """The value of `f`, with `has_aux` its tuple, and the gradients."""
    inputs = DiffArgs(name, args, argnums)
    traced = TracedCall(name, f, inputs, kwargs, has_aux)
    value = traced.value()
    grads = inputs.unflatten(traced.pull([unit_cotangent(name, value)], True))
    return (value, traced.aux) if has_aux else value, grads


def unit_cotangent(name: str, value: Any) -> Tensor:
    """The cotangent of a function's value with which its gradient begins."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: the function must return one tensor; got {describe(value)}")
    t = value
    data = t._data
    if data.size != 1 or data.dtype.kind != "f":
        raise ValueError(
            f"{name}: the function must return a real tensor of one element; got "
            f"{describe(value)}; use autodiff.vjp or autodiff.jacobian for other outputs"
        )
    return ones(t)
