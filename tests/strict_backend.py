"""A backend for tests, over array_api_strict and its extra devices.

It has no CPU: NumPy arrays, lists and arrays of another device are refused, and nothing leaves or
enters but through `from_host` and `to_host`. So what would fail on a GPU, because data slipped
past the dispatch or was moved behind the user's back, fails here too, on any machine.
"""

import math
import operator
import warnings

import array_api_strict as xps
import numpy as np
from array_api_strict._flags import set_array_api_strict_flags
from numpy.lib.array_utils import byte_bounds

from arraygrad import Tensor
from arraygrad._backends.common import random as backend_random
from arraygrad._backends.numpy import as_host, index_dtype, is_host_scalar, to_text
from arraygrad._backends.numpy import operations as host_operations
from arraygrad._standard import KINDS, MUTATING

__all__ = ["array_type", "as_host", "count", "describe", "index_dtype", "is_host_scalar"]
__all__ += ["operations", "to_text"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    set_array_api_strict_flags(api_version="2025.12")

_CPU = xps.Device("CPU_DEVICE")
_DEVICES = tuple(map(xps.Device, ("device1", "device2")))
_STRICT = type(xps.asarray(0))

_TO_STRICT = {
    np.dtype(name): getattr(xps, name)
    for name in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 "
    "complex64 complex128".split()
}


class Array:
    """An array of array_api_strict whose dtype is NumPy's, as the package expects of a backend."""

    __slots__ = ("data",)
    __array_ufunc__ = None

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

    def __array__(self, dtype=None, copy=None):  # without it, NumPy makes an array of one object
        raise AssertionError("NumPy reads the data of a device")


array_type = Array


def _inward(x, device):
    """What array_api_strict may see of an argument."""
    if isinstance(x, Array):
        assert x.data.device == device, f"an array on {x.data.device} reached {device}"
        return x.data
    if isinstance(x, np.dtype):
        return _TO_STRICT[x]
    if isinstance(x, tuple):
        return tuple(_inward(y, device) for y in x)
    if isinstance(x, list):
        # Several arrays, or sizes or axes; array_api_strict itself refuses those as an array.
        assert {type(y) for y in x} in ({Array}, {int}, set()), f"a list is no array: {x!r}"
        return [_inward(y, device) for y in x]
    if isinstance(x, np.generic) or (isinstance(x, Tensor) and not x.ndim):
        return x.item()  # as a parameter (an axis, an end of linspace) no more than its value
    assert x is None or x is ... or isinstance(x, _PLAIN), f"foreign data reached {device}: {x!r}"
    return x


_PLAIN = (bool, int, float, complex, str, slice)


def _outward(x):
    if type(x) is _STRICT:
        return Array(x)
    if isinstance(x, (tuple, list)):
        return tuple(map(_outward, x))  # without names, as CuPy's are
    return x


# ---- promotion where the standard has none: NumPy's


def _promoted(name, operands):
    """Operands that the standard does not promote, as NumPy promotes them."""
    arrays = [x for x in operands if isinstance(x, Array)]
    scalars = [x for x in operands if type(x) in (bool, int, float, complex)]
    if not arrays:
        return operands
    dtype = np.result_type(*(x.dtype for x in arrays), *(type(x)(1) for x in scalars))
    kinds = KINDS.get(name, "biufc")
    if dtype.kind not in kinds and dtype.kind in "biu":
        dtype = np.dtype("int64" if "i" in kinds else "float64")
    strict = _TO_STRICT[dtype]
    return [
        Array(_astype(x.data, strict)) if isinstance(x, Array) and x.dtype != dtype else x
        for x in operands
    ]


_PROMOTING = frozenset(
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign "
    "divide equal floor_divide greater greater_equal hypot less less_equal logaddexp logical_and "
    "logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder subtract "
    "abs mean std var sum prod logical_not".split()
)


#: Of bools alone, in which the standard has no arithmetic, NumPy's gives bools.
_OF_BOOLS = {
    "add": xps.logical_or,
    "maximum": xps.logical_or,
    "minimum": xps.logical_and,
    "multiply": xps.logical_and,
}


def _is_bool(x):
    return type(x) is bool or (isinstance(x, Array) and x.dtype.kind == "b")


def _operation(name, function, device):
    def run(*args, **kwargs):
        if name in _OF_BOOLS and all(map(_is_bool, args)):
            return _outward(_OF_BOOLS[name](*(_inward(x, device) for x in args)))
        if name in _PROMOTING:
            args = _promoted(name, args)
        elif name in ("concat", "stack"):
            args = (list(_promoted(name, args[0])), *args[1:])
        elif name == "where":
            args = (args[0], *_promoted(name, args[1:]))
        args = [_inward(x, device) for x in args]
        return _outward(function(*args, **{k: _inward(v, device) for k, v in kwargs.items()}))

    return run


def _astype(x, dtype, /, *, copy=True):
    if dtype == xps.bool and xps.isdtype(x.dtype, "complex floating"):
        return x != 0  # array_api_strict does not cast complex numbers to bool
    return xps.astype(x, dtype, copy=copy)


# ---- indexing: array_api_strict reads less than NumPy, and copies single elements


def _entries(x, key):
    """The key as a basic one (slices, ints, new axes) and the index arrays for axes of its result.

    And whether these stand together in the key, which is where their axes then go. A boolean
    array stands for the indices of its true elements; the ints beside an array count as arrays
    too, as they do in NumPy.
    """
    key = key if isinstance(key, tuple) else (key,)
    key = [xps.asarray(k, device=x.device) if type(k) is bool else k for k in key]
    if sum(k is ... for k in key) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    arrays_in_key = any(type(k) is _STRICT for k in key)
    used = sum(
        k.ndim if type(k) is _STRICT and k.dtype == xps.bool else k is not None and k is not ...
        for k in key
    )
    if used > x.ndim:
        raise IndexError(f"too many indices: {used} for {x.ndim} axes")
    if not any(k is ... for k in key):
        key.append(...)
    places = [i for i, k in enumerate(key) if not (k is None or k is ... or isinstance(k, slice))]
    together = not places or places[-1] - places[0] + 1 == len(places)
    basic, arrays, axis = [], {}, 0

    def select(index):
        arrays[len(basic)] = index
        basic.append(slice(None))

    for k in key:
        if k is None:
            basic.append(None)
        elif k is ...:
            basic += [slice(None)] * (x.ndim - used)
            axis += x.ndim - used
        elif isinstance(k, slice):  # array_api_strict wants its ends inside of the axis
            r = range(*k.indices(x.shape[axis]))
            basic.append(slice(r.start, r.stop if r.stop >= 0 else None, r.step) if r else _NONE)
            axis += 1
        elif type(k) is _STRICT and k.dtype == xps.bool and k.ndim:
            if k.shape != x.shape[axis : axis + k.ndim]:
                raise IndexError(f"a boolean index of shape {k.shape} for {x.shape}")
            for index in xps.nonzero(k):
                select(index)
            axis += k.ndim
        elif type(k) is _STRICT and k.dtype == xps.bool:  # one or none of a new axis
            select(xps.nonzero(xps.reshape(k, (1,)))[0])
            basic[-1] = None
        elif arrays_in_key:
            select(_wrapped(k, x.shape[axis], x.device))
            axis += 1
        else:
            basic.append(k)
            axis += 1
    return (*basic, ...), arrays, together


_NONE = slice(0, 0)


def _wrapped(index, n, device):
    """Indices of an axis of n elements, none negative."""
    index = xps.astype(xps.asarray(index, device=device), xps.int64)
    if _to_host(Array(xps.any((index < -n) | (index >= n)))):
        raise IndexError(f"index is out of bounds for an axis of {n} elements")
    return xps.where(index < 0, index + n, index)


def _getitem(x, key):
    basic, arrays, together = _entries(x, key)
    x = x[basic]
    if not arrays:
        return x
    indices = xps.broadcast_arrays(*arrays.values())
    axes, shape = [*arrays], indices[0].shape
    others = [i for i in range(x.ndim) if i not in arrays]
    flat = xps.zeros(shape, dtype=xps.int64, device=x.device)
    for axis, index in zip(axes, indices, strict=True):
        flat = flat * x.shape[axis] + index
    rest = tuple(x.shape[i] for i in others)
    count = math.prod(x.shape[i] for i in axes)
    x = xps.reshape(xps.permute_dims(x, (*axes, *others)), (count, *rest))
    x = xps.take(x, xps.reshape(flat, (-1,)), axis=0)
    x = xps.reshape(x, (*shape, *rest))
    first = axes[0] if together else 0
    order = [*range(len(shape), x.ndim)]
    order[first:first] = range(len(shape))
    return xps.permute_dims(x, tuple(order))


def _setitem(x, value, key):
    if type(value) is _STRICT:
        value = _astype(value, x.dtype)
    else:
        scalar = np.asarray(value, dtype=Array(x).dtype)  # which refuses 300 as int8
        value = xps.asarray(scalar, device=x.device)
    basic, arrays, _ = _entries(x, key)
    if not arrays:
        x[basic][...] = value
        return
    numbers = xps.reshape(xps.arange(x.size, device=x.device), x.shape)
    targets = _getitem(numbers, key)
    value = xps.reshape(xps.broadcast_to(value, targets.shape), (-1,))
    if not value.size:
        return
    # There is no assignment to several indices: each element looks for itself among the targets.
    found = xps.reshape(numbers, (-1, 1)) == xps.reshape(targets, (1, -1))
    sources = xps.argmax(xps.astype(found, xps.int8), axis=1)
    new = xps.where(xps.any(found, axis=1), xps.take(value, sources, axis=0), xps.reshape(x, (-1,)))
    x[...] = xps.reshape(new, x.shape)


def _root(x):
    """The object that owns the memory."""
    held = x.data._array
    return held if held.base is None else held.base


def _settle(x, weight):
    none = xps.isnan(x) & ((weight == 0) | xps.isinf(weight))
    return xps.where(none, xps.zeros_like(x), x)


def _settle_weight(weight, slope):
    return xps.where(xps.isinf(weight) & xps.isnan(slope), xps.ones_like(weight), weight)


def _scatter(x, key, shape):
    out = xps.zeros(shape, dtype=x.dtype, device=x.device)
    places = xps.reshape(xps.arange(out.size, device=x.device), shape)
    places = xps.reshape(_getitem(places, key), (-1,))
    x = xps.reshape(x, (-1,))
    for i in range(x.size):
        out[np.unravel_index(int(places[i]), shape)] += x[i]
    return out


def _in_place(name):
    apply = getattr(operator, name)
    plain = getattr(operator, {"iand": "and_", "ior": "or_"}.get(name, name[1:]))

    def run(x, other):
        mixed = type(other) is _STRICT and other.dtype != x.dtype
        if name == "imatmul" or mixed:  # of which array_api_strict makes a new array, or nothing
            a, b = (y.data for y in _promoted(name, (Array(x), Array(other))))
            result = Array(plain(a, b))
            if result.shape != x.shape:
                raise ValueError(f"{name}: shape {result.shape} does not fit {x.shape}")
            if not np.can_cast(result.dtype, Array(x).dtype, "same_kind"):
                raise TypeError(f"{name}: cannot cast {result.dtype} to {Array(x).dtype}")
            x[...] = _astype(result.data, x.dtype)
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


def _through_host(function, device):
    """A function that array_api_strict lacks: the CPU's, of copies."""

    def run(*args, **kwargs):
        assert all(isinstance(x, Array) or x is None or type(x) in _PLAIN for x in args)
        assert all(x.data.device == device for x in args if isinstance(x, Array))
        found = function(*[_to_host(x) if isinstance(x, Array) else x for x in args], **kwargs)
        parts = found if isinstance(found, tuple) else (found,)
        arrays = [Array(xps.asarray(np.asarray(y), device=device, copy=True)) for y in parts]
        return tuple(arrays) if isinstance(found, tuple) else arrays[0]

    return run


def _drawn(function, device):
    """A draw from the CPU's generator, put on the device."""

    def run(rng, *args):
        args = [_to_host(x) if isinstance(x, Array) else x for x in args]
        return Array(xps.asarray(np.asarray(function(rng, *args)), device=device, copy=True))

    return run


def _to_host(data, stream=None):
    assert type(data) is Array
    return np.array(data.data.to_device(_CPU))


def operations(index):
    """The functions, by name, for one of the extra devices."""
    if index >= len(_DEVICES):
        raise ValueError(f"there are {len(_DEVICES)} strict devices; got strict:{index}")
    device = _DEVICES[index]
    table = {}

    def define(name, function):
        table[name] = _operation(name, function, device)

    for prefix, module in (("", xps), ("linalg.", xps.linalg), ("fft.", xps.fft)):
        for name in dir(module):
            function = getattr(module, name)
            if name[0] != "_" and callable(function) and not isinstance(function, type):
                if prefix + name in _CREATION:
                    function = _creation(function, device)
                define(prefix + name, function)
    for name in MUTATING - {"__setitem__"}:
        define(name, _in_place(name.strip("_")))
    define("getitem", _getitem)
    define("__setitem__", _setitem)
    define("astype", _astype)
    define("T", lambda x: xps.permute_dims(x, range(x.ndim)[::-1]))
    define("copy", lambda x: xps.asarray(x, copy=True))
    define("scatter", _scatter)
    define("irtruediv", lambda x, y: x.__setitem__(..., y / x))
    table["root"] = _root
    table["bounds"] = lambda x: byte_bounds(x.data._array)
    define("settle", _settle)
    define("settle_weight", _settle_weight)
    for name, function in host_operations(0).items():
        if name.startswith(("special.", "nn.", "scipy.")):
            table[name] = _through_host(function, device)
    for name, function in backend_random.operations().items():
        plain = name.rpartition(".")[2] in ("default_rng", "state", "restore", "copy", "spawn")
        table[name] = function if plain else _drawn(function, device)
    table["item"] = lambda x: _to_host(x).item()

    def from_host(data, stream=None):
        assert type(data) is np.ndarray
        return Array(xps.asarray(data, device=device, copy=True))

    def linspace(start, stop, num, *, dtype, endpoint):
        ends = (_to_host(x).item() if isinstance(x, Array) else x for x in (start, stop))
        return from_host(host_operations(0)["linspace"](*ends, num, dtype=dtype, endpoint=endpoint))

    def from_peer(data, stream=None):
        assert type(data) is Array
        return Array(data.data.to_device(device))

    def from_dlpack(x, copy):
        data = x._data
        return Array(xps.asarray(data.data, copy=True)) if copy else data

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
        linspace=linspace,
        array=None,
    )
    return table


def count():
    """The number of strict devices."""
    return len(_DEVICES)


def describe(index):
    """What `show_config` says of a strict device."""
    return {"library": f"array_api_strict {xps.__version__}"}
