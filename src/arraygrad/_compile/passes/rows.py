"""Rows: calls that compute each row alone, so that blocks of rows give the same bits.

The first axes of such a call are those of its operands, and what stands behind them, a row, depends
on no other row. That holds for elementwise functions and, because NumPy adds up the elements of a
contiguous row in the same order whichever rows are around it, for reductions over the other axes.
It does not hold for reductions over the first axis or over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ..._device import get_device
from .._program import Call, Value

_cpu: Any = get_device("cpu")
_np: Any = _cpu.backend.namespace

_KINDS = "fd?"  # single and double precision, and bools
_KINDS_OF_OPERANDS = "fd?lq"  # and counts
#: Functions that correct NumPy's for complex numbers alone.
_OF_COMPLEX = frozenset("expm1 log1p sign tan tanh".split())
#: Reductions that may convert the elements; NumPy adds them up in parts of its buffer then.
_SUMS = frozenset("mean prod std sum var".split())
_REDUCTIONS = _SUMS | frozenset("all any argmax argmin count_nonzero max min".split())
_VIEWS = frozenset("broadcast_to expand_dims getitem reshape squeeze".split())


class Rows(NamedTuple):
    """What a call is on blocks of rows.

    Attributes
    ----------
    lead : tuple of int
        The lengths of the first axes, along which nothing depends on anything else.
    size : int
        The number of elements of the result or, if that is larger, of an operand.
    operands : list of (Value, int)
        The arrays that it reads, and how many axes of the result they lack in front.
    is_view : bool
        True if the result may be a view of the operand.
    on_block : callable
        Returns the function of a block with its arguments and keyword arguments, for the number of
        first axes that the block is of.
    """

    lead: tuple[int, ...]
    size: int
    operands: list[tuple[Value, int]]
    is_view: bool
    on_block: Callable[[int], tuple[Any, tuple[Any, ...], dict[str, Any]]]


def rows_of(call: Call) -> Rows | None:
    """What a call is on blocks of rows; None if it cannot be made on blocks."""
    if call.device is not _cpu or call.writes or call.is_repeated:
        return None
    if call.name == "mask":
        return _of_mask(call)
    if not isinstance(call.out, Value) or not call.out.shape or call.out.dtype is None:
        return None
    if call.name in _REDUCTIONS:
        return _of_reduction(call)
    if call.name in _VIEWS or call.name == "scatter":
        return _of_view(call)
    shape = tuple(call.out.shape)
    if not _is_elementwise(call, shape) or not is_c_contiguous(call.out):
        return None
    made: Any = elementwise_function(call), call.args, {}
    return Rows(shape, math.prod(shape), _operands(call, shape), False, lambda _: made)


def _of_mask(call: Call) -> Rows | None:
    shape: Any = call.condition.shape if call.condition is not None else None
    if not shape or call.kwargs or not all(_is_elementwise(c, shape) for c in call.body):
        return None
    if not all(_fits(v, shape) and is_c_contiguous(v) for v in call.out):
        return None
    shape = tuple(shape)
    made: Any = call.function, call.args, {}
    return Rows(shape, math.prod(shape), _operands(call, shape), False, lambda _: made)


def _of_reduction(call: Call) -> Rows | None:
    x, kwargs = call.args[0], call.kwargs
    if len(call.args) > 1 or not set(kwargs) <= {"axis", "keepdims", "correction"}:
        return None
    if not _is_array(x) or not is_c_contiguous(x) or not _is_own(call):
        return None
    axis = kwargs.get("axis")
    axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
    first = min((a % len(x.shape) for a in axes), default=0)
    if not first or (call.name in _SUMS and call.out.dtype != x.dtype):
        return None
    if call.out.dtype.char not in _KINDS_OF_OPERANDS:
        return None
    made = call.function, call.args, kwargs
    return Rows(tuple(x.shape[:first]), math.prod(x.shape), [(x, 0)], False, lambda _: made)


def _of_view(call: Call) -> Rows | None:
    x, shape = call.args[0], tuple(call.out.shape)
    if not _is_array(x) or not _is_own(call):
        return None
    function: Any = _reshaped
    lead = tuple(x.shape[: _common(x.shape, shape)])
    if call.name == "broadcast_to":
        function = _broadcast if len(x.shape) == len(shape) else None
    elif call.name in ("getitem", "scatter"):
        key = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
        if all(k is None or k is ... or _is_whole(k) for k in key):  # (it adds or drops axes)
            function = _reshaped if call.name == "getitem" else _copied
        elif call.name == "getitem" and all(map(_is_basic, key)):
            lead = lead[: next(i for i, k in enumerate(key) if not _is_whole(k))]
            made = call.function, call.args, call.kwargs
            return Rows(lead, math.prod(x.shape), [(x, 0)], True, lambda _: made)
        else:
            function = None
    if function is None:
        return None

    def on_block(k: int) -> Any:
        return partial(function, k=k, rest=shape[k:]), (x,), {}

    return Rows(lead, math.prod(shape), [(x, 0)], function is not _copied, on_block)


def on_block(call: Call, k: int) -> Any:
    """The function of a call on blocks of `k` first axes, its arguments and keyword arguments."""
    rows = rows_of(call)
    if rows is None:  # (of a mask, where no result needs to be contiguous)
        return elementwise_function(call), call.args, {}
    return rows.on_block(k)


def common_lead(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The first axes that two shapes have in common."""
    return first[: _common(first, second)]


def is_c_contiguous(v: Value) -> bool:
    """Return True for an array in C order, without gaps."""
    step = v.dtype.itemsize
    for n, s in zip(reversed(v.shape or ()), reversed(v.strides or ()), strict=True):
        if n > 1 and s != step:
            return False
        step *= n
    return True


def elementwise_function(call: Call) -> Any:
    """The function of an elementwise call on a block; None if it is not elementwise."""
    function = getattr(call.function, "unsplit", call.function)
    if isinstance(function, _np.ufunc):
        return function if function.signature is None else None  # (`matmul` has one)
    if call.name in _OF_COMPLEX:
        return getattr(_np, call.name)
    if call.name == "where":
        # (A Python int beside floating-point numbers is one.)
        return _np.where if call.out.dtype.kind == "f" else None
    if call.name == "pow":
        return function if isinstance(call.args[0], Value) and type(call.args[1]) in (int, float) \
            else None  # fmt: skip
    return function if call.name in ("settle", "settle_weight") else None


# ---- functions of blocks: `k` is the number of first axes, `rest` the shape behind them


def _reshaped(x: Any, k: int, rest: tuple[int, ...]) -> Any:
    return x.reshape(x.shape[:k] + rest)


def _copied(x: Any, k: int, rest: tuple[int, ...]) -> Any:
    return x.reshape(x.shape[:k] + rest).copy()


def _broadcast(x: Any, k: int, rest: tuple[int, ...]) -> Any:
    shape = x.shape[:k] + rest
    if not x.flags.c_contiguous:
        return _np.broadcast_to(x, shape)
    strides = [s if n == m else 0 for n, m, s in zip(x.shape, shape, x.strides, strict=True)]
    return _np.ndarray(shape, x.dtype, x, 0, strides)  # (in a tenth of the time)


# ---- what calls are made of


def _is_elementwise(call: Call, shape: Any) -> bool:
    if call.device is not _cpu or call.writes or call.is_repeated or call.kwargs:
        return False
    if not _fits(call.out, shape):
        return False
    for x in call.args:
        if isinstance(x, Value):
            if x.shape is None or x.dtype is None or x.dtype.char not in _KINDS_OF_OPERANDS:
                return False
            if len(x.shape) > len(shape):
                return False
            if x.strides is not None and min(x.strides, default=0) < 0:
                return False  # (NumPy's loops may round it otherwise, depending on the whole array)
        elif type(x) not in (int, float, bool):
            return False
    return elementwise_function(call) is not None


def _fits(v: Any, shape: Any) -> bool:
    return (
        isinstance(v, Value) and v.dtype is not None and v.shape == shape and v.dtype.char in _KINDS
    )


def _operands(call: Call, shape: tuple[int, ...]) -> list[tuple[Value, int]]:
    return [(v, len(shape) - len(v.shape)) for v in call.operands() if v.shape]


def _is_array(x: Any) -> bool:
    """Return True for an array with axes and elements."""
    if not isinstance(x, Value) or not x.shape or x.dtype is None or 0 in x.shape:
        return False
    return x.dtype.char in _KINDS_OF_OPERANDS


def _is_own(call: Call) -> bool:
    """Return True if the function is the backend's of that name."""
    return call.device.ops.get(call.name) is call.function


def _is_whole(k: Any) -> bool:
    return type(k) is slice and k == slice(None)


def _is_basic(k: Any) -> bool:
    if type(k) is slice:
        return all(x is None or type(x) is int for x in (k.start, k.stop, k.step))
    return k is None or k is ... or type(k) is int


def _common(first: Any, second: Any) -> int:
    """How many of the first axes two shapes have in common."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (n, m) in enumerate(pairs) if n != m), min(len(first), len(second)))
