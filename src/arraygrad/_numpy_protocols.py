"""NumPy's functions on tensors: the protocols `__array_wrap__` and `__array_function__`."""

from __future__ import annotations

import sys
from typing import Any

from ._array import Array
from ._device import Device, get_device

#: NumPy's functions that are called as ours are.
_SAME = frozenset(["broadcast_to", "stack", "where"])
#: NumPy's functions that need methods and attributes of a tensor only.
_BY_METHODS = frozenset(
    """all amax amin any common_type flip imag iscomplexobj isreal isrealobj max mean min ndim
    moveaxis permute_dims prod real reshape result_type rollaxis shape size squeeze sum transpose
    unstack""".split()
)
#: NumPy's functions that give tensors, for Dask and xarray. (Code for NumPy that is given tensors
#: goes on with arrays after others, such as `unique` in scikit-learn.)
_OF_CHUNKS = frozenset(
    """argmax argmin argsort array asanyarray asarray atleast_2d broadcast_to clip concatenate
    cumprod cumsum digitize einsum empty_like expand_dims full_like isin median nanargmax
    nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar
    ones_like outer partition qr repeat round sliding_window_view sort stack std svd take
    tensordot tile var vstack where zeros_like""".split()
)


def wrap_result(array: Any, context: Any) -> Any:
    """The result of a ufunc as a tensor."""
    if context is not None and any(hasattr(x, "mask") for x in context[1]):
        raise ValueError(  # of a TypeError, NumPy would try another signature
            f"{context[0].__name__}: a masked array would lose its mask beside a tensor; "
            "fill it first: a.filled(value)"
        )
    return _from_numpy(array)


def call(func: Any, types: Any, args: Any, kwargs: Any, device: Device) -> Any:
    """The result of one of NumPy's functions that is called with tensors, one on `device`."""
    ndarray = get_device("cpu").array_type
    if not all(issubclass(t, (Array, ndarray)) for t in types):
        return NotImplemented
    if func.__name__ in _SAME and all(issubclass(t, Array) for t in types):
        return getattr(_namespace(), func.__name__)(*args, **kwargs)
    if func.__name__ in _BY_METHODS:
        return ndarray.__array_function__(ndarray(()), func, (), args, kwargs)
    if func.__name__ == "empty_like" and "shape" in kwargs and type(kwargs.get("dtype")) is list:
        # Dask's argmax asks by that, and does without. (Its unique asks without a shape. It would
        # give less if it had to do without, and is left to NumPy.)
        raise TypeError(f"empty_like: tensors have no structured dtypes; got {kwargs['dtype']}")
    found = func(*_to_numpy(args), **_to_numpy(kwargs))
    if func.__name__ not in _OF_CHUNKS:
        return found
    made: Any = _from_numpy(found)
    # (`like=` may be a tensor on a GPU, which is not converted.)
    is_tensor = isinstance(made, Array)
    return made.to_device(device) if is_tensor else made


def _namespace() -> Any:
    """The namespace, which is above this module and is there once there are tensors."""
    return sys.modules[__package__]


def _to_numpy(x: Any) -> Any:
    """An argument of NumPy's functions with NumPy arrays in the place of tensors."""
    if isinstance(x, Array):
        tensor: Any = x
        return tensor.__array__()
    if isinstance(x, dict):
        return {key: _to_numpy(value) for key, value in x.items()}
    return type(x)(map(_to_numpy, x)) if type(x) in (tuple, list) else x


def _from_numpy(x: Any) -> Any:
    """A result of NumPy's functions with tensors in the place of arrays and NumPy's scalars.

    Those of dtypes that the standard lacks stay as they are.
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
