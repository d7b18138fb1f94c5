"""Rules of the linear algebra functions of the main namespace."""

from __future__ import annotations

import math
from typing import Any

from ... import _dispatch
from ... import _linear_algebra as xp
from ..._backends import _ndarray
from ..._manipulation import expand_dims, permute_dims, reshape, squeeze
from ..._statistical import sum as _sum
from .._rules import conj
from .._transpose import define


def _adjoint(x: Any) -> Any:
    x = _dispatch.view("matrix_transpose", x)
    return conj(x) if _ndarray.kind(x._data) == "c" else x


def _matmul_left(g: Any, _out: Any, _x1: Any, x2: Any) -> Any:
    n2 = x2._data.ndim
    if n2 == 1:
        return expand_dims(g, -1) * conj(x2)
    if g._data.ndim < n2:  # x1 is a vector
        return squeeze(xp.matmul(expand_dims(g, -2), _adjoint(x2)), -2)
    return _dispatch.binary("matmul", g, _adjoint(x2))


def _matmul_right(g: Any, _out: Any, x1: Any, x2_like: Any) -> Any:
    n1 = x1._data.ndim
    if n1 == 1:
        if not g._data.ndim:
            return g * conj(x1)
        return expand_dims(conj(x1), -1) * expand_dims(g, -2)
    if g._data.ndim < n1:  # x2 is a vector
        if n1 == 2:
            return xp.matmul(g, conj(x1))
        return squeeze(xp.matmul(_adjoint(x1), expand_dims(g, -1)), -1)
    if n1 > 2 and len(x2_like.shape) == 2:  # one product for the whole stack, without its copies
        x1 = reshape(x1, (math.prod(x1.shape[:-1]), x1.shape[-1]))
        g = reshape(g, (math.prod(g.shape[:-1]), g.shape[-1]))
    return _dispatch.binary("matmul", _adjoint(x1), g)


define(
    "matmul",
    (_matmul_left, lambda t, _out, _x1, x2: xp.matmul(t, x2)),
    (_matmul_right, lambda t, _out, x1, _x2: xp.matmul(x1, t)),
)


def _pairs(axes: Any, ndim1: int, ndim2: int) -> tuple[list[int], list[int]]:
    """Axes of each operand that a tensordot sums over."""
    if isinstance(axes, int):
        return list(range(ndim1 - axes, ndim1)), list(range(axes))
    first, second = axes
    first = [first] if isinstance(first, int) else first
    second = [second] if isinstance(second, int) else second
    return [i % ndim1 for i in first], [i % ndim2 for i in second]


def _tensordot_left(g: Any, _out: Any, x1_like: Any, x2: Any, axes: Any) -> Any:
    first, second = _pairs(axes, x1_like.ndim, x2.ndim)
    free1 = [i for i in range(x1_like.ndim) if i not in first]
    free2 = [i for i in range(x2.ndim) if i not in second]
    found = xp.tensordot(g, conj(x2), axes=(list(range(len(free1), g.ndim)), free2))
    # Its axes are the free ones of x1, then the contracted ones of x2 in the order of x2.
    order = [*free1, *(first[second.index(i)] for i in sorted(second))]
    return permute_dims(found, tuple(order.index(i) for i in range(x1_like.ndim)))


def _tensordot_right(g: Any, _out: Any, x1: Any, x2_like: Any, axes: Any) -> Any:
    first, second = _pairs(axes, x1.ndim, x2_like.ndim)
    free1 = [i for i in range(x1.ndim) if i not in first]
    free2 = [i for i in range(x2_like.ndim) if i not in second]
    found = xp.tensordot(conj(x1), g, axes=(free1, list(range(len(free1)))))
    order = [*(second[first.index(i)] for i in sorted(first)), *free2]
    return permute_dims(found, tuple(order.index(i) for i in range(x2_like.ndim)))


define(
    "tensordot",
    (_tensordot_left, lambda t, _out, _x1, x2, axes: xp.tensordot(t, x2, axes=axes)),
    (_tensordot_right, lambda t, _out, x1, _x2, axes: xp.tensordot(x1, t, axes=axes)),
)


def _product(x1: Any, x2: Any, axis: int) -> Any:
    return _sum(x1 * x2, axis=axis)


define(
    "vecdot",  # sum(conj(x1) * x2)
    (
        lambda g, _out, _x1, x2, axis: expand_dims(conj(g), axis) * x2,
        lambda t, _out, _x1, x2, axis: _product(conj(t), x2, axis),
    ),
    (
        lambda g, _out, x1, _x2, axis: expand_dims(g, axis) * x1,
        lambda t, _out, x1, _x2, axis: _product(conj(x1), t, axis),
    ),
)
