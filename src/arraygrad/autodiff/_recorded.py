"""One recorded run of a function: what goes in, what comes out, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _dispatch, _pytree
from .._creation import asarray
from .._errors import describe
from .._tensor import Tensor
from . import _backward, _debug, _engine
from ._backward import backward
from ._engine import conform, refresh, snapshot, tie, zeros
from ._traced import EXPOSED, Dual, Exposed, Tangent, Traced, Variable, joined, levels

Function = Callable[..., Any]


class Inputs:
    """Arguments of a function, of which those to differentiate by are taken apart."""

    def __init__(self, name: str, args: Sequence[Any], numbers: Sequence[int]) -> None:
        self.name = name
        self.args = list(args)
        self.numbers = numbers
        self.leaves: list[Tensor] = []
        self.structures = []
        for i in numbers:
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
                if type(x) is not Tensor or x._data.dtype.kind not in "fc":
                    # (B023: the path is asked for at once, if at all)
                    x = as_input(name, i, x, lambda: _pytree.paths(args[i])[k])  # noqa: B023
                self.leaves.append(x)

    def replaced(self, leaves: Sequence[Any]) -> list[Any]:
        """The arguments with other leaves."""
        args = list(self.args)
        parts = self.restored(leaves)
        for k, i in enumerate(self.numbers):
            args[i] = parts[k]
        return args

    def restored(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """Leaves in the containers of the arguments."""
        return _pytree.unflatten_each(self.structures, leaves)


def as_input(name: str, i: int, x: Any, path: Callable[[], str]) -> Tensor:
    if isinstance(x, Tensor) and x.dtype.kind in "fc":
        return x
    if isinstance(x, (float, complex)):
        return asarray(x)
    where = path()
    if isinstance(x, Tensor):
        hint = "; write xp.astype(x, xp.float64) first"
    elif hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__"):
        hint = "; write arraygrad.asarray(x, dtype=...) first"
    elif where:
        hint = "; what is not differentiated by goes into another argument"
    elif isinstance(x, int):
        hint = "; write arraygrad.asarray(x, dtype=...) first"
    else:
        hint = "; containers of tensors are dicts, lists, tuples and dataclasses"
    raise TypeError(
        f"{name}: argument {i}{where} must be a tensor of a floating-point dtype; "
        f"got {describe(x)}{hint}"
    )


def entered(x: Tensor, level: int, tangent: Tensor | None = None, dual: bool = False) -> Any:
    """An input of a differentiated function, traced."""
    if isinstance(x, Traced):
        value, view = snapshot(x), Exposed(x)
    else:
        value, view = _dispatch.wrap(x._data, x._device), EXPOSED
    if dual:
        return _engine.traced(Dual, value, Tangent(level, tangent), view)
    return _engine.traced(Variable, value, _engine.leaf(value, level), view)


def check_arguments(name: str, starts: Sequence[Any]) -> None:
    """Raise if an argument has been written by way of the tensor that was given for it.

    Outside, the two are one; here the argument did not see the write.
    """
    for x in starts:
        base: Any = None if x._view is EXPOSED else x._view.base
        if base is None:
            continue
        refresh(base)
        if x._value._trace is not base._trace:
            raise RuntimeError(
                f"{name}: the function writes to {describe(base)}, which is its argument, too, but "
                "not by way of that; copy it first: xp.asarray(x, copy=True)"
            )


def is_at(x: Any, level: int) -> bool:
    """Whether `x` is traced at `level`; a view is brought up to date."""
    if not isinstance(x, Traced):
        return False
    t = x  # of a class that the .pxd file knows
    if t._view is not None:
        refresh(x)
    return bool(t._trace.level == level)


def lowered(x: Any, level: int) -> Any:
    """What a result is below the level."""
    if not is_at(x, level):
        return x
    if type(x._view) is Exposed and x._view.base is not None:
        return x._view.base
    return joined(x._value)


def split_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"{name}: with has_aux the function gives a tuple (result, aux); got {describe(result)}"
        )
    return result


def outputs_of(name: str, out: Any) -> tuple[list[Tensor], Any]:
    leaves, structure = _pytree.flatten(out)
    if not leaves:
        raise TypeError(f"{name}: the function gave no tensor; got {describe(out)}")
    for x in leaves:
        if not isinstance(x, Tensor) or x._data.dtype.kind not in "fc":
            raise TypeError(
                f"{name}: the function must give tensors of a floating-point dtype; "
                f"got {describe(x)}"
            )
    return leaves, structure


def traces_of(name: str, outputs: Sequence[Any], level: int) -> list[Any]:
    """The outputs' traces; None for those that do not depend on the input, as some must."""
    traces = [x._trace if is_at(x, level) else None for x in outputs]
    if traces.count(None) == len(traces):
        raise ValueError(
            f"{name}: the output does not depend on the input to differentiate by; got "
            f"{', '.join(describe(x) for x in outputs)}"
        )
    return traces


class Recorded:
    """One recorded run of a function: its result, and the map of cotangents back."""

    def __init__(self, name: str, f: Function, inputs: Inputs, kwargs: Any, has_aux: bool) -> None:
        self.name = name
        self.level = level = next(levels)
        self.inputs = inputs
        variables = [entered(x, level) for x in inputs.leaves]
        self.starts = [v._trace for v in variables]
        out, aux = split_aux(name, f(*inputs.replaced(variables), **kwargs), has_aux)
        check_arguments(name, variables)
        outputs, self.structure = outputs_of(name, out)
        if _debug.entered:
            _debug.check_results(name, outputs, inputs.args)
        self.nodes = traces_of(name, outputs, level)
        self.aux = _pytree.tree_map(lambda x: lowered(x, level), aux) if has_aux else None
        self.likes = [lowered(x, level) for x in outputs]

    def value(self) -> Any:
        """The result."""
        return _pytree.unflatten(self.structure, self.likes)

    def pull(self, cotangents: Sequence[Tensor | None], free: bool = False) -> list[Tensor]:
        """Cotangents of the inputs from those of the outputs."""
        roots = [
            (node, conform(g, node))
            for node, g in zip(self.nodes, cotangents)  # noqa: B905  (strict=True costs most of it)
            if node is not None and g is not None
        ]
        return self.taken(backward(roots, free=free))

    def taken(self, found: dict[Any, Tensor]) -> list[Tensor]:
        """What was found for the inputs; zeros for those without."""
        result = []
        for start, x in zip(self.starts, self.inputs.leaves):  # noqa: B905  (as above)
            g = _backward.own(found, start)
            g = zeros(x) if g is None else g
            result.append(tie(g, x) if isinstance(x, Traced) else g)
        return result


def gradients(
    name: str, f: Function, numbers: Sequence[int], args: Any, kwargs: Any, has_aux: bool
) -> tuple[Any, tuple[Any, ...]]:
    """The value of `f`, with `has_aux` its tuple, and the gradients by the arguments numbered."""
    inputs = Inputs(name, args, numbers)
    recorded = Recorded(name, f, inputs, kwargs, has_aux)
    value = recorded.value()
    grads = inputs.restored(recorded.pull([one(name, value)], True))
    return (value, recorded.aux) if has_aux else value, grads


def one(name: str, value: Any) -> Tensor:
    """The cotangent of a function's value with which its gradient begins."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: the function must give one tensor; got {describe(value)}")
    data = value._data
    if data.size != 1 or data.dtype.kind != "f":
        raise ValueError(
            f"{name}: the function must give a real tensor of one element; got "
            f"{describe(value)}; vjp and jacobian are for others"
        )
    return _dispatch.ones_like(value)
