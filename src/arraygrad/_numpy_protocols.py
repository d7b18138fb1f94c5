"""NumPy's functions on tensors: the protocols `__array_wrap__` and `__array_function__`."""

from __future__ import annotations

import sys
from typing import Any

from ._array import Array
from ._device import Device, get_device

#: NumPy's functions with the same signature here.
_SAME = frozenset(["broadcast_to", "stack", "where"])
#: NumPy's functions that only need methods and attributes of a tensor.
_BY_METHODS = frozenset(
    """all amax amin any common_type flip imag iscomplexobj isreal isrealobj max mean min ndim
    moveaxis permute_dims prod real reshape result_type rollaxis shape size squeeze sum transpose
    unstack""".split()
)
#: NumPy's functions that return tensors, for Dask and xarray. (Others, such as `unique` in
#: scikit-learn, return arrays: code written for NumPy continues with them.)
_OF_CHUNKS = frozenset(
    """argmax argmin argsort array asanyarray asarray atleast_2d broadcast_to clip concatenate
    cumprod cumsum digitize einsum empty_like expand_dims full_like isin median nanargmax
    nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar
    ones_like outer partition qr repeat round sliding_window_view sort stack std svd take
    tensordot tile var vstack where zeros_like""".split()
)


def wrap_result(array: Any, context: Any) -> Any:
    """Convert the result of a ufunc to a tensor."""
    if context is not None and any(hasattr(x, "mask") for x in context[1]):
        raise ValueError(  # after a TypeError, NumPy would try another signature
            f"{context[0].__name__}: a masked array would lose its mask in an operation with a "
            "tensor; fill it first: a.filled(value)"
        )
    return _from_numpy(array)


def call(func: Any, types: Any, args: Any, kwargs: Any, device: Device) -> Any:
    """Call one of NumPy's functions with tensors, one of which is on `device`."""
    ndarray = get_device("cpu").array_type
    if not all(issubclass(t, (Array, ndarray)) for t in types):
        return NotImplemented
    if func.__name__ in _SAME and all(issubclass(t, Array) for t in types):
        return getattr(_namespace(), func.__name__)(*args, **kwargs)
    if func.__name__ in _BY_METHODS:
        return ndarray.__array_function__(ndarray(()), func, (), args, kwargs)
    if func.__name__ == "empty_like" and "shape" in kwargs and type(kwargs.get("dtype")) is list:
        # Dask's argmax tries this, and has a fallback. (Its unique calls it without a shape. Its
        # fallback returns less, so that call is left to NumPy.)
        raise TypeError(f"empty_like: tensors have no structured dtypes; got {kwargs['dtype']}")
    found = func(*_to_numpy(args), **_to_numpy(kwargs))
    if func.__name__ not in _OF_CHUNKS:
        return found
    made: Any = _from_numpy(found)
    # (`like=` may be a tensor on a GPU, which is not converted.)
    is_tensor = isinstance(made, Array)
    return made.to_device(device) if is_tensor else made


def _namespace() -> Any:
    """The namespace. It is above this module, and imported by the time there are tensors."""
    return sys.modules[__package__]


def _to_numpy(x: Any) -> Any:
    """Replace tensors by NumPy arrays in an argument."""
    if isinstance(x, Array):
        tensor: Any = x
        return tensor.__array__()
    if isinstance(x, dict):
        return {key: _to_numpy(value) for key, value in x.items()}
    return type(x)(map(_to_numpy, x)) if type(x) in (tuple, list) else x


def _from_numpy(x: Any) -> Any:
    """Replace NumPy's arrays and scalars by tensors in a result.

    Arrays whose dtype is not in the standard stay unchanged.
    """
    if isinstance(x, (tuple, list)):
        make = getattr(type(x), "_make", type(x))  # named tuples keep their names
        return make([_from_numpy(y) for y in x])
    if not hasattr(x, "__array_interface__"):
        return x
    try:
        return _namespace().asarray(x, device="cpu")
    except TypeError:
        return x
