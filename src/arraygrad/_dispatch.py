"""Dispatch: every operation on tensors passes through a function of this module.

An operation is a name, its operands in the standard's order and its parameters. The backend of
the operands' device has a function of that name with the standard's own signature. `apply` takes
any operands. `unary`, `binary`, `call` and `reduction` are its fast paths for plain tensors of one
device; they contain no policy of their own.

A transformation, such as differentiation, attaches a trace to tensors. Where an operand has one,
the operation goes to ``trace.level.process(name, operands, args, kwargs)``, and its result
is the operation's result.

Modules that every operation passes through can be compiled (`hatch_build.py`). The .pxd file next
to such a module gives the types of its variables. A second name for a tensor (``t = x``) is the
one that is typed there, so that its slots are read directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _cpython
from ._array import Array, wrap
from ._backends import _ndarray
from ._device import Device
from ._dtypes import DEFAULTS
from ._errors import DeviceMismatchError, describe, explain
from ._memory import before_write, bottom, link_view
from ._modes import _mode, is_strict, operation
from ._standard import MUTATING, check

#: The scalars of the standard, by exact type; a subclass takes the general path.
SCALARS = frozenset({int, float, complex, bool})

#: Types of parameters that backends take as they are.
SIMPLE = SCALARS | {str, tuple, type(None)}

#: Prefixes of operations whose operands may be None. Elsewhere None is an error: NumPy would make
#: an object array or NaN of it, and most often somebody forgot to write `return`.
OPTIONAL = ("clip", "nn.", "special.zeta")

#: Operations that take their operands as one list.
LISTED = frozenset({"concat", "stack"})

_NONE: dict[str, Any] = {}


def unary(name: str, x: Any, floating: bool = False) -> Any:
    """``name(x)`` for one tensor and no parameters.

    With `floating`, ints and bools are computed as float64. (NumPy's answers for small ints are of
    half precision, a dtype that the standard lacks.)
    """
    if not isinstance(x, Array):
        return apply(name, (x,))
    t = x
    if t._trace is not None:
        if floating and _ndarray.kind(t._data) not in "fc":  # of a vmap
            return apply(name, (as_floating(x),))
        return t._trace.level.process(name, (x,), (), _NONE)
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        return apply(name, (as_floating(x) if floating else x,))
    device = t._device
    data = t._data
    if floating and _ndarray.kind(data) not in "fc":
        data = device.ops["astype"](data, DEFAULTS["real floating"])
    try:
        data = device.ops[name](data)
    except Exception as error:
        raise explain(error, name, (x,)) from error
    return wrap(type(x), data, device)


def binary(name: str, x1: Any, x2: Any, operator: bool = False, floating: bool = False) -> Any:
    """``name(x1, x2)`` for tensors and scalars.

    With `operator`, operands of a type that this package does not know give NotImplemented, so
    that Python asks them next. `floating` is as in `unary`.
    """
    if isinstance(x1, Array):
        t1 = x1
        device = t1._device
        trace = t1._trace
        a = t1._data
        if isinstance(x2, Array):
            t2 = x2
            if t2._device is not device:
                return _binary_general(name, x1, x2, operator)
            if trace is None:
                trace = t2._trace
            b = t2._data
        elif type(x2) in SCALARS:
            b = x2
        else:
            return _binary_general(name, x1, x2, operator)
    elif isinstance(x2, Array) and type(x1) in SCALARS:
        t1 = t2 = x2
        device = t2._device
        trace = t2._trace
        a = x1
        b = t2._data
    else:
        return _binary_general(name, x1, x2, operator)
    if trace is not None:
        if floating and _ndarray.kind(t1._data) not in "fc":  # of a vmap
            return apply(name, _both_floating(x1, x2))
        return trace.level.process(name, (x1, x2), (), _NONE)
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        if floating:
            x1, x2 = _both_floating(x1, x2)
        return apply(name, (x1, x2))
    if floating and _ndarray.kind(t1._data) not in "fc":
        x1, x2 = _both_floating(x1, x2)
        return binary(name, x1, x2)
    try:
        data = device.ops[name](a, b)
    except Exception as error:
        raise explain(error, name, (x1, x2)) from error
    return wrap(type(t1), data, device)


def _binary_general(name: str, x1: Any, x2: Any, operator: bool) -> Any:
    if operator:
        other = x2 if isinstance(x1, Array) else x1
        if not (isinstance(other, (Array, int, float, complex)) or is_foreign_array(other)):
            return NotImplemented
    return apply(name, (x1, x2))


def as_floating(x: Any) -> Any:
    """A tensor of ints or bools as one of float64; anything else as it is."""
    if isinstance(x, Array) and x._data.dtype.kind not in "fc" and not is_strict():
        return call("astype", x, (DEFAULTS["real floating"],))
    return x


def _both_floating(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two operands, as float64 if no tensor among them is of floating-point numbers."""
    if all(x._data.dtype.kind not in "fc" for x in (x1, x2) if isinstance(x, Array)):
        return as_floating(x1), as_floating(x2)
    return x1, x2


def inplace(name: str, x1: Any, x2: Any) -> Any:
    """``x1 <op>= x2``; returns `x1`, whose dtype and shape stay as they are."""
    t1 = x1
    if t1._trace is not None:
        return t1._trace.level.process(name, (x1, x2), (), _NONE)
    device = t1._device
    if isinstance(x2, Array):
        t2 = x2
        if t2._trace is not None or t2._device is not device:
            return apply(name, (x1, x2))
        b = t2._data
    elif type(x2) in SCALARS:
        b = x2
    else:
        return _binary_general(name, x1, x2, True)
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        return apply(name, (x1, x2))
    if t1._storage is not None:
        before_write(x1)
    try:
        device.ops[name](t1._data, b)
    except Exception as error:
        raise explain(error, name, (x1, x2)) from error
    return x1


def call(name: str, x: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] = _NONE) -> Any:
    """``name(x, *args, **kwargs)`` for one tensor and parameters that are not tensors."""
    if not isinstance(x, Array):
        return apply(name, (x,), args, kwargs)
    t = x
    if t._trace is not None:
        return t._trace.level.process(name, (x,), args, kwargs)
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        return apply(name, (x,), args, kwargs)
    device = t._device
    function = device.ops[name]
    try:
        data = function(t._data, *args, **kwargs) if kwargs else function(t._data, *args)
    except Exception as error:
        if kwargs and (again := _python_bools(kwargs, device)):
            return call(name, x, args, again)
        raise explain(error, name, (x, *args), kwargs) from error
    return wrap(type(x), data, device)


def view(name: str, x: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] = _NONE) -> Any:
    """`call` for an operation whose result is a view of `x` where the backend can make one."""
    mode = _cpython.current(_mode)
    if not isinstance(x, Array) or x._trace is not None or (mode is not None and mode.checks):
        out = call(name, x, args, kwargs)
        if x._trace is not None:
            return out
    else:  # (By a call of `call` it would be one frame more to the backend.)
        t = x
        device = t._device
        function = device.ops[name]
        try:
            data = function(t._data, *args, **kwargs) if kwargs else function(t._data, *args)
        except Exception as error:
            raise explain(error, name, (x, *args), kwargs) from error
        out = wrap(type(x), data, device)
    link_view(x, out, name, args, kwargs)
    return out


def reduction(name: str, x: Any, axis: Any, keepdims: bool) -> Any:
    """``name(x, axis=axis, keepdims=keepdims)``: written out, keywords cost half as much."""
    if not isinstance(x, Array):
        return apply(name, (x,), (), {"axis": axis, "keepdims": keepdims})
    t = x
    if t._trace is not None:
        kwargs = {"axis": axis, "keepdims": keepdims}
        return t._trace.level.process(name, (x,), (), kwargs)
    mode = _cpython.current(_mode)
    if mode is not None and mode.checks:
        return apply(name, (x,), (), {"axis": axis, "keepdims": keepdims})
    device = t._device
    try:
        data = device.ops[name](t._data, axis=axis, keepdims=keepdims)
    except Exception as error:
        if type(keepdims) is not bool and (again := _python_bools({"keepdims": keepdims}, device)):
            return reduction(name, x, axis, again["keepdims"])
        raise explain(error, name, (x,), {"axis": axis, "keepdims": keepdims}) from error
    return wrap(type(x), data, device)


def is_anywhere(condition: Any) -> bool:
    """Return True if a tensor of bools is True somewhere; in a batch, in any of the examples.

    For checks, which a GPU is waited for.
    """
    found = reduction("any", bottom(condition), None, False)
    return bool(found)  # (a recorder is told)


def _python_bools(kwargs: dict[str, Any], device: Device) -> dict[str, Any] | None:
    """Parameters with Python's bools for NumPy's, which its reductions refuse; None if without."""
    is_scalar = device.backend.is_host_scalar
    bools = {k: bool(x) for k, x in kwargs.items() if is_scalar(x) and x.dtype.kind == "b"}
    return kwargs | bools if bools else None


def sequence(name: str, arrays: Any, /, axis: int | None) -> Any:
    """``name(arrays, axis=axis)`` for an operation whose one operand is a list of tensors."""
    if not isinstance(arrays, (list, tuple)):
        try:
            arrays = list(arrays)
        except TypeError as error:
            got = describe(arrays)
            raise TypeError(f"{name}: expected a sequence of tensors; got {got}") from error
    return apply(name, tuple(arrays), (), {"axis": axis})


def create(cls: Any, name: str, device: Device, /, *args: Any, **kwargs: Any) -> Any:
    """``name(*args, **kwargs)`` for an operation that makes a tensor from none, on `device`."""
    try:
        return wrap(cls, operation(device, name)(*args, **kwargs), device)
    except Exception as error:
        raise explain(error, name, args, kwargs) from error


def create_like(x: Array, name: str, *args: Any, **kwargs: Any) -> Any:
    """A tensor of the class and on the device of another one."""
    device = x._device
    return wrap(type(x), operation(device, name)(*args, **kwargs), device)


def apply(
    name: str,
    operands: tuple[Any, ...],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] = _NONE,
) -> Any:
    """Any operation on any operands.

    Parameters
    ----------
    name : str
        The operation.
    operands : tuple
        Tensors, scalars and None, in the standard's order.
    args, kwargs : tuple, dict, optional
        The parameters. A keyword may also hold a tensor (``sorter=``, ``rtol=``).

    Raises
    ------
    TypeError
        For an operand that is neither a tensor nor a scalar, and if there is no tensor at all.
    DeviceMismatchError
        If the tensors are on different devices.
    """
    first: Any = None
    for group in (operands, kwargs.values()) if kwargs else (operands,):
        for x in group:
            if isinstance(x, Array):
                t = x
                if t._trace is not None:
                    return t._trace.level.process(name, operands, args, kwargs)
                if first is None:
                    first = x
    listed = name in LISTED
    if first is None or listed:
        _check_tensors(name, first, operands)
    device = first._device
    mode = _cpython.current(_mode)
    data = []
    for x in operands:
        if isinstance(x, Array):
            t = x
            if t._device is not device:
                raise device_mismatch(name, device, t._device)
            data.append(t._data)
        else:
            data.append(x if type(x) in SCALARS else _operand(name, x, device))
    if kwargs:
        kwargs = _keywords(name, kwargs, device)
    function = device.ops[name]
    if mode is not None and mode.checks:
        if mode.strict:
            check(name, operands, args, kwargs)
        if mode.nans is not None:
            function = mode.nans.checked(name, function, first)
        if mode.recorder is not None:
            function = mode.recorder.recorded(name, function, device, operands)
    if name in MUTATING:
        before_write(first)
    try:
        result = function(*([data] if listed else data), *args, **kwargs)
    except Exception as error:
        raise explain(error, name, (*operands, *args), kwargs) from error
    return first if name in MUTATING else wrap(type(first), result, device)


def _check_tensors(name: str, first: Any, operands: tuple[Any, ...]) -> None:
    """Raise if there is no tensor, or a scalar in a list of tensors."""
    if first is None or any(type(x) in SCALARS or x is None for x in operands):
        got = ", ".join(describe(x) for x in operands) or "nothing"
        raise TypeError(f"{name}: expected a Tensor; got {got}{conversion_hint(operands)}")


def device_mismatch(name: str, device: Device, other: Device) -> DeviceMismatchError:
    """The error for operands on two devices."""
    return DeviceMismatchError(
        f"{name}: operands are on devices {device} and {other}; "
        f'move one first, e.g. x.to_device("{device}")'
    )


def common_device(name: str, tensors: Sequence[Array]) -> Device:
    """The device that all tensors share.

    Raises
    ------
    DeviceMismatchError
        If they do not share one.
    """
    device = tensors[0]._device
    for x in tensors:
        if x._device is not device:
            raise device_mismatch(name, device, x._device)
    return device


def _operand(name: str, x: Any, device: Device) -> Any:
    """The backend's form of an operand that is not a tensor."""
    if x is None and name.startswith(OPTIONAL):
        return x
    # NumPy's float64 and complex128 scalars are Python floats and complexes, weakly typed as
    # the standard says of those; its other scalars have a dtype, which counts.
    if isinstance(x, int):
        return int(x)
    if isinstance(x, float):
        return float(x)
    if isinstance(x, complex):
        return complex(x)
    if device.backend.is_host_scalar(x):
        if is_strict():
            raise TypeError(
                f"{name}: a NumPy scalar is outside the standard; write x.item(), got {x!r}"
            )
        return device.ops["from_host"](device.backend.as_host(x))
    raise TypeError(
        f"{name}: expected a Tensor or a scalar; got {describe(x)}{conversion_hint((x,))}"
    )


def _keywords(name: str, kwargs: dict[str, Any], device: Device) -> dict[str, Any]:
    """The backend's form of parameters; most are so already."""
    for x in kwargs.values():
        if type(x) not in SIMPLE:
            return {k: _keyword(name, k, x, device) for k, x in kwargs.items()}
    return kwargs


def _keyword(name: str, keyword: str, x: Any, device: Device) -> Any:
    """The backend's form of a parameter, which may be a tensor, but no other library's array."""
    if isinstance(x, Array):
        if x._device is not device:
            raise device_mismatch(name, device, x._device)
        return x._data
    if device.backend.is_host_scalar(x):
        return x.item()
    if is_foreign_array(x):
        raise TypeError(f"{name}: {keyword} must not be {describe(x)}{conversion_hint((x,))}")
    return x


def is_foreign_array(x: Any) -> bool:
    """Return True if `x` is an array of another library."""
    return hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__")


def check_tensor(name: str, x: Any) -> None:
    """Raise if `x` is not a tensor, instead of an error for one of its attributes."""
    if not isinstance(x, Array):
        raise TypeError(f"{name}: expected a Tensor; got {describe(x)}{conversion_hint((x,))}")


def conversion_hint(operands: Sequence[Any]) -> str:
    """The call that makes a tensor of `x`, if there is one, as a hint."""
    others = [x for x in operands if not isinstance(x, Array)]
    if any(map(is_foreign_array, others)):
        return "; convert it first: arraygrad.asarray(a, device=x.device)"
    if any(isinstance(x, (int, float, complex, list, tuple)) for x in others):
        return "; numbers and lists become tensors by arraygrad.asarray(x)"
    return ""
