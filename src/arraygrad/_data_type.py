"""Data type functions of the standard."""

from __future__ import annotations

from . import _dtypes
from ._backends import numpy as _host
from ._device import get_device
from ._dispatch import call
from ._dtypes import FInfo, IInfo, as_dtype, dtype_of
from ._standard import check_promotion
from ._strict import is_strict
from ._typing import DeviceLike, DType, Scalar, Tensor


def astype(x: Tensor, dtype: DType, /, *, copy: bool = True, device: DeviceLike = None) -> Tensor:
    """TODO"""
    dtype = as_dtype(dtype, "astype")
    if x.dtype.kind == "c" and dtype.kind in "iuf":
        raise TypeError(
            f"astype: {x.dtype} to {dtype} would lose the imaginary part; write xp.real(x) first"
        )
    if device is None or get_device(device) is x.device:
        if not copy and x.dtype == dtype:
            return x
        return call("astype", x, dtype, copy=copy)
    # Cast where the data is the smaller, so that less of it moves.
    if dtype.itemsize < x.dtype.itemsize:
        x = call("astype", x, dtype, copy=False)
    x = x.to_device(device)
    return x if x.dtype == dtype else call("astype", x, dtype, copy=False)


def can_cast(from_: DType | Tensor, to: DType, /) -> bool:
    """TODO"""
    return bool(_host.can_cast(dtype_of(from_, "can_cast"), as_dtype(to, "can_cast")))


def finfo(type: DType | Tensor, /) -> FInfo:
    """TODO"""
    dtype = dtype_of(type, "finfo")
    if dtype.kind not in "fc":
        raise TypeError(f"finfo: expected a floating-point dtype; got {dtype}")
    return _dtypes.float_limits(dtype)


def iinfo(type: DType | Tensor, /) -> IInfo:
    """TODO"""
    dtype = dtype_of(type, "iinfo")
    if dtype.kind not in "iu":
        raise TypeError(f"iinfo: expected an integer dtype; got {dtype}")
    return _dtypes.integer_limits(dtype)


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """TODO"""
    dtype = as_dtype(dtype, "isdtype")
    for k in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(k, str) and k not in _dtypes.KINDS:
            known = ", ".join(repr(name) for name in _dtypes.KINDS)
            raise ValueError(f"isdtype: kind must be a dtype or one of {known}; got {k!r}")
        if dtype in _dtypes.KINDS[k] if isinstance(k, str) else dtype == as_dtype(k, "isdtype"):
            return True
    return False


def result_type(*arrays_and_dtypes: Tensor | Scalar | DType) -> DType:
    """TODO"""
    scalars, dtypes = [], []
    for x in arrays_and_dtypes:
        if isinstance(x, (bool, int, float, complex)):
            scalars.append(type(x)(1))  # only its kind counts, however large it is
        else:
            dtypes.append(dtype_of(x, "result_type"))
    if not dtypes:
        raise TypeError("result_type: expected at least one tensor or dtype")
    if is_strict():
        check_promotion("result_type", dtypes, scalars)
    return _host.result_type(*dtypes, *scalars)
