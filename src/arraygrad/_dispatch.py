"""The one door: every operation on tensors passes through a function of this module.

An operation is a name, its operands in the standard's order and its parameters. The backend of
the operands' device has a function of that name with the standard's own signature. `unary`,
`binary`, `call` and `sequence` are that door for operations of common forms on plain tensors of
one device, kept as short as Python allows; whatever else arrives (a transformation's tensor,
another device, a NumPy scalar, strict mode, a mistake) they pass on to `apply`.

A transformation, such as differentiation, is a subclass of `Tensor` that defines
`_transform(name, operands, args, kwargs)`. It is handed every operation that one of its tensors
takes part in, and its result is the operation's result.

This module and others that are in the way of every operation can be compiled (`hatch_build.py`).
Then the file of the same name that ends in .pxd says what the variables of a function are. Where
a tensor gets a second name (``t = x``), that is the one by which its slots are read directly.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from sys import getrefcount
from types import EllipsisType
from typing import Any

from . import _native, _operators
from ._backends.numpy.parallel import broadcasts_to
from ._device import Device, get_device
from ._dtypes import DEFAULTS
from ._errors import DeviceMismatchError, TransferError, describe, explain
from ._standard import MUTATING, check
from ._strict import is_strict
from ._tensor import Tensor


def _alone() -> int:
    x = object()
    return getrefcount(x)


#: What getrefcount says of what one variable holds: 2 with the argument, which Python 3.14 borrows.
ALONE = _alone()

#: Numbers that grow: when an operation was recorded, when memory was written.
clock = itertools.count(1)


class Writes:
    """When which memory was last written in place, for graphs that keep data by reference.

    Off until a transformation that keeps data is imported: `on`. Memory is known by the id of
    the object that owns it. An id may pass to a new object, but not while a graph keeps the old
    one, so a write that is younger than the record concerned the memory that it keeps; but for
    the copies that `part` makes.
    """

    __slots__ = ("last", "on", "when")

    def __init__(self) -> None:
        self.on = False
        self.last = 0
        self.when: dict[int, int] = {}

    def note_bases(self, x: Tensor) -> None:
        """What `note_write` does, for what `x` is a view of, where indexing made it."""
        link = getattr(x, "_view", None)
        while type(link) is tuple:
            base = link[0]()
            if type(base) is not Tensor:
                return
            kept = base._value
            if kept is not None:
                if getrefcount(kept) > ALONE + 1:  # the slot
                    self.part(kept)
                base._value = None
            link = getattr(base, "_view", None)

    def part(self, kept: Tensor) -> None:
        """Give what a graph keeps memory of its own, which nobody writes from now on."""
        inner = kept._value  # if it has been an operand itself
        if inner is not None:
            if getrefcount(inner) > ALONE + 1:  # the slot
                self.part(inner)
            kept._value = None
        ops = kept._device.ops
        when = self.when
        written = when.get(id(ops["root"](kept._data)))
        kept._data = ops["copy"](kept._data)
        copy = id(ops["root"](kept._data))
        when.pop(copy, None)  # of an object that had the id before
        if written is not None:  # through another tensor, perhaps too late for this copy
            when[copy] = written

    def since(self, x: Tensor, when: int) -> bool:
        """Whether the memory of `x` was written after `when`."""
        return self.when.get(id(x._device.ops["root"](x._data)), 0) > when


#: The one there is.
writes = Writes()


def note_write(x: Tensor) -> None:
    """Before a write to `x`: what graphs keep of its present data gets a copy of its own."""
    kept = x._value
    if kept is not None:
        if getrefcount(kept) > ALONE + 1:  # the slot
            writes.part(kept)
        x._value = None
    data = x._data
    device = x._device
    root = device.ops["root"](data)
    if root is not data:
        writes.note_bases(x)
    writes.last = writes.when[id(root)] = next(clock)


def keep(x: Tensor) -> Tensor:
    """A tensor of the same data, which stays as it is when `x` is written (see `Writes`)."""
    kept = x._value
    if kept is None:
        kept = x._value = wrap(x._data, x._device)
    return kept


#: What owns memory that another library has lent, and still has: by NumPy, and by CuPy.
LENT = frozenset({"PyCapsule", "DLPackMemory", "UnownedMemory"})


def is_shared(x: Tensor, views: int = 0) -> bool:
    """Whether others than `x`, what graphs keep of it and so many `views` have its memory."""
    data = x._data
    root = x._device.ops["root"](data)
    kept = x._value is not None
    if root is data:  # two variables and the slot refer to it
        return getrefcount(data) > ALONE + 2 + views + kept
    if type(root).__name__ in LENT:
        return True
    return getrefcount(data) > ALONE + 1 + kept or getrefcount(root) > ALONE + 1 + views


def owns(x: Tensor) -> bool:
    """Whether `x` has memory of its own, which others than what graphs keep of it do not have."""
    device = x._device
    data = x._data
    return (
        getrefcount(data) <= ALONE + 1 + (x._value is not None)  # the slot
        and device.ops["root"](data) is data
    )


#: The scalars of the standard, by exact type; a subclass goes the long way.
SCALARS = frozenset({int, float, complex, bool})
OPTIONAL_SCALARS = SCALARS | {type(None)}

#: Operations, by how their names begin, that take None for an operand which is left out. In others
#: NumPy makes objects or NaN of it, where most often somebody forgot to write `return`.
OPTIONAL = ("clip", "nn.", "special.zeta")


#: Index entries that every backend takes as they are.
PLAIN_KEYS = frozenset({int, slice, EllipsisType, type(None)})


def wrap(data: Any, device: Device) -> Any:
    """What a backend's function gave back, as tensors on `device`."""
    if type(data) is device.array_type:
        out = _native.new(Tensor)
        out._data = data
        out._device = device
        out._value = None
        return out
    if isinstance(data, tuple):
        parts = [wrap(x, device) for x in data]
        make = getattr(type(data), "_make", tuple)  # named tuples keep their names
        return make(parts)
    out = _native.new(Tensor)
    out._data = device.ops["from_scalar"](data)  # NumPy gives a scalar where no axes are left
    out._device = device
    out._value = None
    return out


#: Short forms of `call`, `binary` and `inplace` for tensors of a transformation, by their class.
#: What they leave out they pass on to `apply`, `beside` and `apply_operator`.
SHORT_CALL: dict[type, Any] = {}
SHORT_BINARY: dict[type, Any] = {}
SHORT_INPLACE: dict[type, Any] = {}
_short_call, _short_binary, _short_inplace = SHORT_CALL.get, SHORT_BINARY.get, SHORT_INPLACE.get


def unary(name: str, x: Tensor) -> Any:
    """``name(x)`` for one tensor and no parameters."""
    if type(x) is not Tensor or is_strict():
        return _short_call(type(x), apply)(name, (x,))
    t = x
    device = t._device
    try:
        data = device.ops[name](t._data)
    except Exception as error:
        raise explain(error, name, (x,)) from error
    if type(data) is device.array_type:
        out = _native.new(Tensor)
        out._data = data
        out._device = device
        out._value = None
        return out
    return wrap(data, device)


def binary(name: str, x1: Any, x2: Any, operator: bool = False) -> Any:
    """``name(x1, x2)`` for tensors and scalars.

    With `operator`, operands of a type that this package does not know give NotImplemented, so
    that Python asks them next.
    """
    if type(x1) is Tensor:
        t1 = x1
        device = t1._device
        a = t1._data
        if type(x2) is Tensor:
            t2 = x2
            if t2._device is not device:
                return beside(name, x1, x2, operator)
            b = t2._data
        elif type(x2) in SCALARS:
            b = x2
        else:
            return (_short_binary(type(x2)) or beside)(name, x1, x2, operator)
    elif type(x2) is Tensor and type(x1) in SCALARS:
        t2 = x2
        device = t2._device
        a = x1
        b = t2._data
    else:
        short = _short_binary(type(x1)) or _short_binary(type(x2)) or beside
        return short(name, x1, x2, operator)
    if is_strict():
        return apply(name, (x1, x2))
    try:
        data = device.ops[name](a, b)
    except Exception as error:
        raise explain(error, name, (x1, x2)) from error
    if type(data) is device.array_type:
        out = _native.new(Tensor)
        out._data = data
        out._device = device
        out._value = None
        return out
    return wrap(data, device)


def arithmetic(name: str, x1: Any, x2: Any) -> Any:
    """`binary` for an operator; the memory of a large operand that nobody has takes the result.

    So in ``(a + b) * c / 2`` only the sum gets new memory. (See `_native.is_spare`.)
    """
    if type(x1) is Tensor and _native.is_spare(x1) and _may_replace(x1, x2):
        return _replace(name, x1, x2)
    if (
        type(x2) is Tensor
        and _native.is_spare(x2)
        and (name == "add" or name == "multiply")
        and _may_replace(x2, x1)
    ):
        return _replace(name, x2, x1)
    return binary(name, x1, x2, True)


def _may_replace(x: Tensor, other: Any) -> bool:
    """Whether a result of `x` and `other` has the shape and the dtype of `x`."""
    data = x._data
    if data.dtype.kind not in "fc" or is_strict():
        return False
    if type(other) is not Tensor:
        return type(other) is float or type(other) is int
    return (
        other._device is x._device
        and other._data.dtype == data.dtype
        and broadcasts_to(other._data.shape, data.shape)
    )


def _replace(name: str, x: Tensor, other: Any) -> Tensor:
    ops = x._device.ops
    operand = other._data if type(other) is Tensor else other
    try:
        ops[_IN_PLACE[name]](x._data, operand)
    except Exception as error:
        raise explain(error, name, (x, other)) from error
    return x


_IN_PLACE = {
    "add": "iadd",
    "divide": "itruediv",
    "multiply": "imul",
    "pow": "ipow",
    "subtract": "isub",
}


def beside(name: str, x1: Any, x2: Any, operator: bool) -> Any:
    """`binary` on operands of any kind."""
    return apply_operator(name, x1, x2) if operator else apply(name, (x1, x2))


def floating(name: str, x: Tensor) -> Any:
    """`unary` for a function of floating-point numbers: of ints and bools, that of float64 ones.

    (NumPy's answers for small ints are of half precision, a dtype that the standard lacks.)
    Written out once more because the functions that it serves may take a frame themselves.
    """
    if type(x) is not Tensor or x._data.dtype.kind not in "fc" or is_strict():
        short = _short_call(type(x))  # what is differentiated is of floating-point numbers
        return unary(name, as_floating(x)) if short is None else short(name, (x,))
    t = x
    device = t._device
    try:
        data = device.ops[name](t._data)
    except Exception as error:
        raise explain(error, name, (x,)) from error
    if type(data) is device.array_type:
        out = _native.new(Tensor)
        out._data = data
        out._device = device
        out._value = None
        return out
    return wrap(data, device)


def as_floating(x: Any) -> Any:
    """A tensor of ints or bools as one of float64; anything else as it is."""
    if type(x) is Tensor and x._data.dtype.kind not in "fc" and not is_strict():
        return call("astype", x, DEFAULTS["real floating"])
    return x


def binary_floating(name: str, x1: Any, x2: Any) -> Any:
    """`binary` for such a function."""
    if type(x1) is Tensor and x1._data.dtype.kind in "fc":  # most often
        return binary(name, x1, x2)
    tensors = [x for x in (x1, x2) if isinstance(x, Tensor)]
    if all(x._data.dtype.kind not in "fc" for x in tensors):
        x1, x2 = as_floating(x1), as_floating(x2)
    return binary(name, x1, x2)


def inplace(name: str, x1: Tensor, x2: Any) -> Any:
    """``x1 <op>= x2``; gives `x1` back, whose dtype and shape stay what they are."""
    t1 = x1
    device = t1._device
    if type(x1) is not Tensor:
        return _short_inplace(type(x1), apply_operator)(name, x1, x2)
    if type(x2) is Tensor:
        t2 = x2
        if t2._device is not device:
            return apply_operator(name, x1, x2)
        b = t2._data
    elif type(x2) in SCALARS:
        b = x2
    else:
        return apply_operator(name, x1, x2)
    if is_strict():
        check(name, (x1, x2), (), {})
    if writes.on:
        note_write(x1)
    try:
        device.ops[name](t1._data, b)
    except Exception as error:
        raise explain(error, name, (x1, x2)) from error
    return x1


def pair(name: str, x1: Any, x2: Any, /, **kwargs: Any) -> Any:
    """``name(x1, x2, **kwargs)`` for two tensors and parameters that are no tensors."""
    if (
        type(x1) is not Tensor
        or type(x2) is not Tensor
        or x1._device is not x2._device
        or is_strict()
    ):
        return apply(name, (x1, x2), (), kwargs)
    device = x1._device
    try:
        data = device.ops[name](x1._data, x2._data, **kwargs)
    except Exception as error:
        raise explain(error, name, (x1, x2), kwargs) from error
    return wrap(data, device)


def ternary(name: str, x1: Tensor, x2: Any, x3: Any, scalars: frozenset[type] = SCALARS) -> Any:
    """``name(x1, x2, x3)`` for a tensor and two tensors or scalars."""
    if type(x1) is not Tensor or is_strict():
        return apply(name, (x1, x2, x3))
    device = x1._device
    if type(x2) is Tensor and x2._device is device:
        b = x2._data
    elif type(x2) in scalars:
        b = x2
    else:
        return apply(name, (x1, x2, x3))
    if type(x3) is Tensor and x3._device is device:
        c = x3._data
    elif type(x3) in scalars:
        c = x3
    else:
        return apply(name, (x1, x2, x3))
    try:
        return wrap(device.ops[name](x1._data, b, c), device)
    except Exception as error:
        raise explain(error, name, (x1, x2, x3)) from error


def call(name: str, x: Tensor, /, *args: Any, **kwargs: Any) -> Any:
    """``name(x, *args, **kwargs)`` for one tensor and parameters that are no tensors."""
    if type(x) is not Tensor or is_strict():
        return _short_call(type(x), apply)(name, (x,), args, kwargs)
    device = x._device
    try:
        data = device.ops[name](x._data, *args, **kwargs)
    except Exception as error:
        raise explain(error, name, (x, *args), kwargs) from error
    if type(data) is device.array_type:
        out = _native.new(Tensor)
        out._data = data
        out._device = device
        out._value = None
        return out
    return wrap(data, device)


def reduction(name: str, x: Tensor, axis: Any, keepdims: bool) -> Any:
    """``name(x, axis=axis, keepdims=keepdims)``: keywords written out cost half of passed on."""
    if type(x) is not Tensor or is_strict():
        kwargs = {"axis": axis, "keepdims": keepdims}
        return _short_call(type(x), apply)(name, (x,), (), kwargs)
    t = x
    device = t._device
    try:
        data = device.ops[name](t._data, axis=axis, keepdims=keepdims)
    except Exception as error:
        raise explain(error, name, (x,), {"axis": axis, "keepdims": keepdims}) from error
    out = _native.new(Tensor)
    out._data = data if type(data) is device.array_type else device.ops["from_scalar"](data)
    out._device = device
    out._value = None
    return out


def sequence(name: str, arrays: Sequence[Tensor], /, axis: int | None) -> Any:
    """``name(arrays, axis=axis)`` for an operation whose one operand is a list of tensors."""
    if not isinstance(arrays, (list, tuple)):
        try:
            arrays = list(arrays)
        except TypeError as error:
            got = describe(arrays)
            raise TypeError(f"{name}: expected a sequence of tensors; got {got}") from error
    device = arrays[0]._device if arrays and type(arrays[0]) is Tensor else None
    data = [x._data for x in arrays if type(x) is Tensor and x._device is device]
    if device is None or len(data) != len(arrays) or is_strict():
        return apply(name, arrays, (), {"axis": axis}, listed=True)
    try:
        return wrap(device.ops[name](data, axis=axis), device)
    except Exception as error:
        raise explain(error, name, arrays, {"axis": axis}) from error


def create(name: str, device: Device, /, *args: Any, **kwargs: Any) -> Tensor:
    """``name(*args, **kwargs)`` for an operation that makes a tensor from none, on `device`."""
    try:
        return wrap(device.ops[name](*args, **kwargs), device)
    except Exception as error:
        raise explain(error, name, args, kwargs) from error


def ones_like(x: Tensor) -> Tensor:
    """What a gradient begins with, the short way to it."""
    data = x._data
    device = x._device
    return wrap(device.ops["ones"](data.shape, dtype=data.dtype), device)


def apply(
    name: str,
    operands: Sequence[Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    listed: bool = False,
) -> Any:
    """Any operation on any operands: the whole of what the short forms above leave out.

    Parameters
    ----------
    name : str
        The operation.
    operands : sequence
        Tensors, scalars and None, in the standard's order.
    args, kwargs : tuple, dict, optional
        The parameters. A keyword may also hold a tensor (``sorter=``, ``rtol=``).
    listed : bool, optional
        Hand the operands to the backend as one list.

    Raises
    ------
    TypeError
        For an operand that is neither a tensor nor a scalar, and if there is no tensor at all.
    DeviceMismatchError
        If the tensors are on different devices.
    """
    kwargs = kwargs or {}
    for x in operands:
        if type(x) is not Tensor and isinstance(x, Tensor):
            return x._transform(name, tuple(operands), args, kwargs)
    tensors = [x for x in (*operands, *kwargs.values()) if isinstance(x, Tensor)]
    if not tensors or (listed and any(type(x) in OPTIONAL_SCALARS for x in operands)):
        got = ", ".join(describe(x) for x in operands) or "nothing"
        raise TypeError(f"{name}: expected a Tensor; got {got}{_advice(operands)}")
    for x in tensors:
        if type(x) is not Tensor:
            return x._transform(name, tuple(operands), args, kwargs)
    device = common_device(name, tensors)
    if is_strict():
        check(name, operands, args, kwargs)
    if writes.on and name in MUTATING:
        note_write(tensors[0])
    data = [_operand(name, x, device) for x in operands]
    kwargs = {k: _keyword(name, k, x, device) for k, x in kwargs.items()}
    try:
        result = device.ops[name](*([data] if listed else data), *args, **kwargs)
    except Exception as error:
        raise explain(error, name, (*operands, *args), kwargs) from error
    return operands[0] if name in MUTATING else wrap(result, device)


def scatter(x: Tensor, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` to which `x` has been added where `key` selects, as often as it does."""
    if type(x) is not Tensor:
        return x._transform("scatter", (x,), (key, shape), {})
    device = x._device
    return wrap(device.ops["scatter"](x._data, key_data("scatter", key, device), shape), device)


def common_device(name: str, tensors: Sequence[Tensor]) -> Device:
    """The device that all tensors share.

    Raises
    ------
    DeviceMismatchError
        If they do not share one.
    """
    device = tensors[0]._device
    for x in tensors:
        if x._device is not device:
            raise DeviceMismatchError(
                f"{name}: operands are on devices {device} and {x._device}; "
                f'move one first, e.g. x.to_device("{device}")'
            )
    return device


def apply_operator(name: str, x1: Any, x2: Any) -> Any:
    other = x2 if isinstance(x1, Tensor) else x1
    if isinstance(other, (Tensor, int, float, complex)) or _is_foreign_array(other):
        return apply(name, (x1, x2))
    return NotImplemented


def _operand(name: str, x: Any, device: Device) -> Any:
    """The backend's form of one operand."""
    if isinstance(x, Tensor):
        return x._data
    if type(x) in SCALARS or (x is None and name.startswith(OPTIONAL)):
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
    raise TypeError(f"{name}: expected a Tensor or a scalar; got {describe(x)}{_advice((x,))}")


def _keyword(name: str, keyword: str, x: Any, device: Device) -> Any:
    """The backend's form of a parameter, which may be a tensor, but no other library's array."""
    if isinstance(x, Tensor):
        return x._data
    if device.backend.is_host_scalar(x):
        return x.item()
    if _is_foreign_array(x):
        raise TypeError(f"{name}: {keyword} must not be {describe(x)}{_advice((x,))}")
    return x


def _is_foreign_array(x: Any) -> bool:
    return hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__")


def check_tensor(name: str, x: Any) -> None:
    """Raise if `x` is no tensor, where else an attribute of it would be missing."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: expected a Tensor; got {describe(x)}{_advice((x,))}")


def _advice(operands: Sequence[Any]) -> str:
    """What to write instead, of what can be made a tensor."""
    others = [x for x in operands if not isinstance(x, Tensor)]
    if any(map(_is_foreign_array, others)):
        return "; convert it first: arraygrad.asarray(a, device=x.device)"
    if any(isinstance(x, (int, float, complex, list, tuple)) for x in others):
        return "; numbers and lists become tensors by arraygrad.asarray(x)"
    return ""


def has_arrays(key: Any) -> bool:
    """Whether an index, as the backend takes it, gives a copy and not a view."""
    if type(key) is tuple:
        return any(type(k) not in PLAIN_KEYS for k in key)
    return type(key) not in PLAIN_KEYS


def key_data(name: str, key: Any, device: Device) -> Any:
    """An index as the backend takes it: tensors become its arrays, lists are made into such.

    Raises
    ------
    DeviceMismatchError
        For an index tensor on another device than the indexed one.
    TransferError
        For a NumPy array as index of a tensor that is not on the CPU.
    IndexError
        For anything that cannot be an index.
    """
    if type(key) in PLAIN_KEYS:
        return key
    if isinstance(key, tuple):
        return tuple([k if type(k) in PLAIN_KEYS else key_data(name, k, device) for k in key])
    if isinstance(key, Tensor):
        if key._device is not device:
            raise DeviceMismatchError(
                f"{name}: the index is on device {key._device}, the tensor on {device}; "
                f'move the index first: i.to_device("{device}")'
            )
        if key.dtype.kind not in "biu":
            raise IndexError(
                f"{name}: an index array must be of integer or boolean dtype; got {key.dtype}"
            )
        return key._data
    if isinstance(key, int):
        return key
    if device.backend.is_host_scalar(key):
        return key.item()
    if is_strict() and (isinstance(key, (list, range)) or _is_foreign_array(key)):
        raise IndexError(
            f"{name}: the standard has no index of type {type(key).__name__}; "
            "write x[xp.asarray(i)]"
        )
    if isinstance(key, (list, range)):
        return key_data(name, _list_index(list(key), device), device)
    if _is_foreign_array(key):
        if device is not get_device("cpu"):
            raise TransferError(
                f"{name}: a NumPy array cannot index a tensor on {device}; "
                f'move it first: arraygrad.asarray(i, device="{device}")'
            )
        try:
            key = wrap(device.backend.as_host(key), device)
        except TypeError as error:
            raise IndexError(f"{name}: {error}; got {describe(key)}") from error
        return key_data(name, key, device)
    if hasattr(key, "__index__"):
        return key.__index__()
    raise IndexError(
        f"{name}: an index is an integer, a slice, ..., None, an integer or boolean tensor or list "
        f"of such, or a tuple of these; got {describe(key)}"
    )


def counted(key: Any, x: Tensor) -> Any:
    """An index of `x` with positions in the place of masks, for which a GPU is waited for.

    For what is differentiated: its rules index with it again, and then do not wait again. An index
    that does not fit is left as it is, for the error that it raises.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if not all(type(k) in PLAIN_KEYS or isinstance(k, Tensor) for k in keys):
        return key
    axis = 0
    found: list[Any] = []
    for i, k in enumerate(keys):
        if isinstance(k, Tensor) and k.ndim and k.dtype.kind == "b":
            if k.shape != x.shape[axis : axis + k.ndim]:
                return key
            found.extend(unary("nonzero", k))
        else:
            found.append(k)
        axis = x.ndim - sum(map(_axes, keys[i + 1 :])) if k is Ellipsis else axis + _axes(k)
    return tuple(found)


def _axes(key: Any) -> int:
    """How many axes of a tensor an entry of its index is for."""
    if key is None or key is Ellipsis:
        return 0
    return key.ndim if isinstance(key, Tensor) and key.dtype.kind == "b" else 1


def _list_index(key: list[Any], device: Device) -> Tensor:
    from ._creation import asarray, device_of

    if not key:  # NumPy's reading: no indices
        return asarray(key, dtype=device.backend.index_dtype, device=device)
    return asarray(key, device=device_of(key) or device)  # tensors are not moved unasked


_operators.unary, _operators.binary, _operators.inplace = unary, binary, inplace
_operators.arithmetic = arithmetic
