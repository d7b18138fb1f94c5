"""A backend for tests, over array_api_strict and its extra devices.

It has no CPU: NumPy arrays, lists and arrays of another device are refused, and nothing leaves or
enters but through `from_host` and `to_host`. So what would fail on a GPU, because data slipped
past the dispatch or was moved behind the user's back, fails here too, on any machine.
"""

import operator
import warnings

import array_api_strict
import numpy as np
from array_api_strict._flags import set_array_api_strict_flags

from arraygrad._backends.numpy import as_host, index_dtype, is_host_scalar, to_text
from arraygrad._standard import KINDS, MUTATING

__all__ = ["array_type", "as_host", "count", "index_dtype", "is_host_scalar", "operations"]
__all__ += ["to_text"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    set_array_api_strict_flags(api_version="2025.12")

_CPU = array_api_strict.Device("CPU_DEVICE")
_DEVICES = tuple(map(array_api_strict.Device, ("device1", "device2")))
_STRICT = type(array_api_strict.asarray(0))

_TO_STRICT = {
    np.dtype(name): getattr(array_api_strict, name)
    for name in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 "
    "complex64 complex128".split()
}


_BOOL = array_api_strict.bool


class Array:
    """An array of array_api_strict whose dtype is NumPy's, as the package expects of a backend."""

    __slots__ = ("data",)

    def __init__(self, data):
        assert type(data) is _STRICT, f"foreign array: {type(data)}"
        assert data.device in _DEVICES, f"foreign device: {data.device}"
        self.data = data

    dtype = property(lambda self: next(n for n, s in _TO_STRICT.items() if s == self.data.dtype))
    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)

    def __dlpack_device__(self):
        return 12, _DEVICES.index(self.data.device)  # kDLExtDev


array_type = Array


def _inward(x):
    """What array_api_strict may see of an argument."""
    if isinstance(x, Array):
        return x.data
    if isinstance(x, np.dtype):
        return _TO_STRICT[x]
    if isinstance(x, (np.ndarray, np.generic)):
        raise AssertionError(f"data of the host reached the device: {x!r}")
    if isinstance(x, tuple):
        return tuple(map(_inward, x))
    if isinstance(x, list):
        return list(map(_inward, x))
    assert x is None or x is ... or isinstance(x, (bool, int, float, complex, str, slice)), x
    return x


def _outward(x):
    if type(x) is _STRICT:
        return Array(x)
    if isinstance(x, (tuple, list)):
        parts = map(_outward, x)
        return type(x)._make(parts) if hasattr(x, "_make") else tuple(parts)
    return x


def _promoted(name, operands):
    """Operands that the standard does not promote, as NumPy promotes them."""
    arrays = [x for x in operands if isinstance(x, Array)]
    scalars = [x for x in operands if type(x) in (bool, int, float, complex)]
    if name in ("where", "take", "take_along_axis", "repeat", "searchsorted") or not arrays:
        return operands
    dtype = np.result_type(*(x.dtype for x in arrays), *(type(x)(1) for x in scalars))
    kinds = KINDS.get(name, "biufc")
    if dtype.kind not in kinds and dtype.kind in "biu":
        dtype = np.dtype("int64" if "i" in kinds else "float64")
    strict = _TO_STRICT[dtype]
    cast = array_api_strict.astype
    return [
        Array(cast(x.data, strict)) if isinstance(x, Array) and x.dtype != dtype else x
        for x in operands
    ]


_ELEMENTWISE = frozenset(
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign "
    "divide equal floor_divide greater greater_equal hypot less less_equal logaddexp logical_and "
    "logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder subtract "
    "abs mean std var sum prod logical_not".split()
)


def _operation(name, function):
    def run(*args, **kwargs):
        if name in _ELEMENTWISE:
            args = _promoted(name, args)
        result = function(*map(_inward, args), **{k: _inward(v) for k, v in kwargs.items()})
        return _outward(result)

    return run


def _full_key(x, key):
    """The key with the ellipsis that the standard asks for where NumPy does not."""
    entries = key if isinstance(key, tuple) else (key,)
    boolean = any(type(k) is bool or str(getattr(k, "dtype", "")).endswith("bool") for k in entries)
    if boolean or any(k is ... for k in entries):
        return key
    return (*entries, ...) if sum(k is not None for k in entries) < x.ndim else key


def _getitem(x, key):
    return x[_full_key(x, key)]


def _setitem(x, value, key):
    key = _full_key(x, key)
    if isinstance(value, (bool, int)):
        kind = bool if x.dtype == _BOOL else int
        value = kind(value)
    elif type(value) is _STRICT and value.dtype != x.dtype:
        value = array_api_strict.astype(value, x.dtype)
    x[key] = value


def _in_place(name):
    apply = getattr(operator, name)

    def run(x, other):
        if name == "imatmul":  # array_api_strict makes a new array
            x[...] = x @ other
            return
        before = x
        x = apply(x, other)
        assert x is before

    return run


def _creation(function, device):
    def run(*args, **kwargs):
        return function(*args, **kwargs, device=device)

    return run


_CREATION = "arange empty eye full linspace ones zeros fft.fftfreq fft.rfftfreq".split()


def _to_host(data, stream=None):
    return np.array(data.data.to_device(_CPU))


def operations(index):
    """The functions, by name, for one of the extra devices."""
    if index >= len(_DEVICES):
        raise ValueError(f"there are {len(_DEVICES)} strict devices; got strict:{index}")
    device = _DEVICES[index]
    table = {}
    for prefix, module in (
        ("", array_api_strict),
        ("linalg.", array_api_strict.linalg),
        ("fft.", array_api_strict.fft),
    ):
        for name in dir(module):
            function = getattr(module, name)
            if name[0] != "_" and callable(function) and not isinstance(function, type):
                if prefix + name in _CREATION:
                    function = _creation(function, device)
                table[prefix + name] = _operation(prefix + name, function)
    for name in MUTATING - {"setitem"}:
        table[name] = _operation(name, _in_place(name))
    table["getitem"] = _operation("getitem", _getitem)
    table["setitem"] = _operation("setitem", _setitem)
    table["T"] = _operation("T", lambda x: array_api_strict.permute_dims(x, range(x.ndim)[::-1]))
    table["copy"] = _operation("copy", lambda x: array_api_strict.asarray(x, copy=True))
    table["item"] = lambda x: _to_host(x).item()

    def from_host(data, stream=None):
        assert type(data) is np.ndarray
        return Array(array_api_strict.asarray(data, device=device, copy=True))

    def from_peer(data, stream=None):
        return Array(data.data.to_device(device))

    def from_dlpack(x, copy):
        data = x._data
        return Array(array_api_strict.asarray(data.data, copy=True)) if copy else data

    def dlpack(data, *, stream, max_version, dl_device, copy):
        if dl_device is not None and tuple(map(int, dl_device)) == (1, 0) and copy is not False:
            return _to_host(data).__dlpack__(max_version=max_version)
        raise BufferError("__dlpack__: data of a strict device leaves it only by a copy")

    table.update(
        from_host=from_host,
        to_host=_to_host,
        from_peer=from_peer,
        from_dlpack=from_dlpack,
        dlpack=dlpack,
        array=None,
    )
    return table


def count():
    """The number of strict devices."""
    return len(_DEVICES)
