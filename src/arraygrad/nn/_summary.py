"""Tables of the layers of a model."""

from __future__ import annotations

from functools import partial
from typing import Any

from .. import _pytree
from .._errors import describe
from .._typing import Tensor
from ..autodiff import no_grad
from ._module import Module, _flatten, _is_parameter, _items, _unflatten


class _Text(str):
    """Text that an interactive session shows as it is printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def summary(model: Module, *example_inputs: Any) -> str:
    """Table of the layers of a model, with the shapes of their results and their parameters.

    Parameters
    ----------
    model : Module
        Model.
    *example_inputs : Tensor or other objects
        Arguments of a call of the model, which is made to find the shapes. Without them the table
        has no shapes.

    Returns
    -------
    str
        Table with a row for each module: its name, its class, the shape of its last result, and the
        number of its own parameters. A parameter that is used twice is counted once.

    Raises
    ------
    TypeError
        If `model` is not a module.

    Notes
    -----
    The call runs in evaluation mode, without recording, and leaves the mode of the model as it is.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> nn.summary(model, xp.ones((5, 4)))
    name  class       shape   parameters
          Sequential  (5, 2)           0
    0     Linear      (5, 8)          40
    1     ReLU        (5, 8)           0
    2     Linear      (5, 2)          18
    58 parameters, 58 of them trainable: 464 bytes
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a module; got {describe(model)}")
    leaves, structure, _ = _flatten(model)
    copy = _unflatten(structure, leaves)  # with the same tensors, and modes and hooks of its own
    shapes: dict[int, str] = {}
    if example_inputs:
        copy.eval()
        for module in copy.modules():
            module.register_forward_hook(partial(_note, shapes))
        with no_grad():
            copy(*example_inputs)
    table = [["name", "class", "shape", "parameters"]]
    seen: dict[int, Any] = {}
    for name, module in copy.named_modules():
        new = {
            id(x): x
            for path, x in _items(module)
            if isinstance(x, Tensor) and _is_parameter(module, path, x) and id(x) not in seen
        }
        seen |= new
        count = sum(x.size for x in new.values())
        table.append([name, type(module).__name__, shapes.get(id(module), ""), f"{count:,}"])
    if not example_inputs:
        table = [[*row[:2], row[3]] for row in table]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])]) for row in table
    ]
    parameters = list(seen.values())
    total = sum(x.size for x in parameters)
    trainable = sum(x.size for x in parameters if x.requires_grad)
    size = sum(x.size * x.dtype.itemsize for x in parameters)
    lines.append(f"{total:,} parameters, {trainable:,} of them trainable: {size:,} bytes")
    return _Text("\n".join(lines))


def _note(shapes: dict[int, str], module: Module, _args: Any, out: Any) -> None:
    shapes[id(module)] = str(_pytree.tree_map(lambda x: getattr(x, "shape", x), out))
