"""Helpers of rules and engine: shapes and dtypes of tangents and cotangents, NaN, warnings."""

from __future__ import annotations

import math
import operator
from typing import Any

from .. import _cpython, _dispatch
from .._array import Array, wrap
from .._backends import _ndarray
from .._device import get_device
from .._dispatch import SCALARS, binary, call, create_like, inplace
from .._memory import alias, bottom
from .._modes import Mode, _mode, operation
from ._graph import has_hidden_axis

_host = get_device("cpu").backend  # which knows which warnings are due
_set_errors, _reset_errors, _ignored = _host.errors.set, _host.errors.reset, _host.ignored
_get_errors = _host.errors.get
_set_mode, _reset_mode = _mode.set, _mode.reset


class rule_context:
    """A context for rules: no floating-point warnings, and none of the modes that check.

    The warnings are the CPU's, for whatever device; others do not warn.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = enter_rules()

    def __exit__(self, *_: object) -> None:
        leave_rules(self._before)


def enter_rules() -> Any:
    """Enter `rule_context`; return the argument for `leave_rules`."""
    mode = _cpython.current(_mode)
    token = None
    if mode is not None and mode.checks:
        token = _set_mode(_RuleMode(mode))
    if _get_errors(None) is _ignored:
        return None if token is None else (None, token)
    return _set_errors(_ignored), token


def leave_rules(before: Any) -> None:
    """Leave `rule_context`."""
    if before is None:
        return
    errors, token = before
    if errors is not None:
        _reset_errors(errors)
    if token is not None:
        _reset_mode(token)


class _RuleMode(Mode):
    """The mode inside of rules, which remembers the one outside for the user's code."""

    __slots__ = ("suspended",)

    def __init__(self, suspended: Mode) -> None:
        super().__init__(None, None)
        self.grad = suspended.grad
        self.recorder = suspended.recorder
        self.checks = self.recorder is not None
        self.suspended: Mode = suspended
        if isinstance(suspended, _RuleMode):
            self.suspended = suspended.suspended


class user_context:
    """A context for the user's code that a backward pass runs: it is checked as elsewhere."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        mode = _cpython.current(_mode)
        suspended = mode.suspended if isinstance(mode, _RuleMode) else None
        self._token = None if suspended is None else _set_mode(suspended)

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _reset_mode(self._token)


def zeros(x: Any) -> Any:
    """Zeros of the shape, dtype and device of a tensor."""
    return create_like(x, "zeros", x._data.shape, dtype=x._data.dtype)


def ones(x: Any) -> Any:
    """Ones of the shape, dtype and device of a tensor."""
    return create_like(x, "ones", x._data.shape, dtype=x._data.dtype)


def fit(t: Any, like: Any) -> Any:
    """A tangent broadcast and cast to a result's shape and dtype."""
    if t._data.shape != like.shape:
        t = _dispatch.view("broadcast_to", t, (like.shape,))
    if t._data.dtype != like.dtype:
        t = cast(t, like.dtype)
    return t


def cast(g: Any, dtype: Any) -> Any:
    """A tensor in another dtype; of a complex one that becomes real, the real part."""
    if g._data.dtype.kind == "c" and dtype.kind == "f":
        g = _dispatch.view("real", g)
        if g._data.dtype == dtype:
            return g
    return call("astype", g, (dtype,))


def sum_to(g: Any, node: Any) -> Any:
    """A cotangent summed over broadcast axes and cast to an operand's shape and dtype."""
    have, want = _ndarray.shape(g._data), node.shape
    if have != want:
        extra = len(have) - len(want)
        if extra > 0 and have[extra:] == want:
            g = _dispatch.reduction("sum", g, tuple(range(extra)), False)
        elif g._data.size == math.prod(want):
            # Only axes of one element are too many.
            g = _dispatch.view("reshape", g, (want,), {"copy": None})
        else:
            axes = tuple([i for i, n in enumerate(have) if i < extra or want[i - extra] != n])
            g = _dispatch.reduction("sum", g, axes, True)
            if extra:
                g = _dispatch.view("reshape", g, (want,), {"copy": None})
    if g._data.dtype != node.dtype:
        g = cast(g, node.dtype)
    return g


def mask_indeterminate(x: Any, weight: Any, scale: Any, operands: Any, kwargs: Any) -> Any:
    """`x` with 0 for NaNs where `weight` is 0 or infinite: 0 times infinity counts as 0.

    `x` is ``scale(weight, *operands, **kwargs)``. It stays NaN where the weight is infinite and the
    derivative, by which the scale multiplies, is NaN itself, except on a GPU.
    """
    if x._device.type == "cuda":
        # To look for NaNs takes a wait, and to compute each derivative twice costs too much for so
        # rare a case. So a derivative of NaN counts as 0, too.
        return binary("settle", x, weight)
    mode = _cpython.current(_mode)
    recorder = None if mode is None else mode.recorder
    if x._trace is not None and (has_hidden_axis(x) or has_hidden_axis(weight)):
        # (A program is right with and without NaNs.)
        if recorder is None:
            data = bottom(x)._data
            if x._device.ops["settle"](data, data) is data:
                return x  # without NaNs in all examples
        slope = alias(scale(ones(weight), *operands, **kwargs))
        return binary("settle", x, binary("settle_weight", alias(weight), slope))
    # A program looks for NaNs itself. Where another level follows, it is right for either case.
    masking = None
    if recorder is not None and (x._trace is None or not recorder.can_guard()):
        masking = recorder
    if masking is not None:
        if masking.assume_no_nan(x._data, weight._data):
            return x
        masking.begin_mask(x._data, weight._data)
    else:
        nothing = x._device.ops["settle"](x._data, weight._data) is x._data
        if recorder is not None:
            recorder.guard_nan(x._data, weight._data, nothing)
        if nothing:
            return x  # without NaNs, of whatever level
    slope = bottom(scale(ones(weight), *operands, **kwargs))
    settled = operation(x._device, "settle_weight")(weight._data, slope._data)
    if masking is not None:
        masking.end_mask()
    return binary("settle", x, wrap(type(weight), settled, weight._device))


def weighted(t: Any, slope: Any) -> Any:
    """``t * slope``, and 0 where `t` is 0, also if the slope is not finite; for sums of these."""
    product = binary("multiply", t, slope)
    return mask_indeterminate(product, t, operator.mul, (slope,), {})


#: The functions of `updated` that write nothing.
_FUNCTIONS = {"__iadd__": "add", "__imul__": "multiply", "__itruediv__": "divide"}


def updated(name: str, new: Any, value: Any) -> Any:
    """A tensor that nothing else refers to yet, after an in-place operation."""
    n = new
    if n._trace is None:
        if isinstance(value, Array):
            v = value
            if v._trace is None and v._device is n._device:
                operation(n._device, name)(n._data, v._data)
                return new
        elif type(value) in SCALARS:
            operation(n._device, name)(n._data, value)
            return new
    if name == "irtruediv":
        return value / new
    if name == "__imul__" and not (new.size == 1 and new._data.dtype.kind == "c"):
        return new * value  # (one complex product is rounded otherwise in place)
    if n._trace is None and isinstance(value, Array) and has_hidden_axis(value):
        return binary(_FUNCTIONS[name], new, value)
    return inplace(name, new, value)


def add(a: Any, b: Any) -> Any:
    """The sum of two terms, either of which may be None for zero."""
    return b if a is None else a if b is None else binary("add", a, b)
