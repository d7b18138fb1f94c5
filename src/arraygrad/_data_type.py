"""Data type functions of the standard."""

from __future__ import annotations

from . import _dtypes
from ._backends import numpy as _host
from ._device import get_device
from ._dispatch import call, check_tensor
from ._dtypes import FInfo, IInfo, dtype_of, python_dtype, required_dtype
from ._modes import is_strict
from ._standard import check_promotion
from ._typing import DeviceLike, DType, Scalar, Tensor


def astype(x: Tensor, dtype: DType, /, *, copy: bool = True, device: DeviceLike = None) -> Tensor:
    """Cast the elements to another dtype.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    dtype : dtype
        Target dtype.
    copy : bool, optional
        If False, return `x` itself when neither dtype nor device changes.
    device : Device or str, optional
        Device of the result; by default the device of `x`.

    Returns
    -------
    Tensor
        Has the shape of `x`; a copy unless `copy` is False.

    Raises
    ------
    TypeError
        If `dtype` is not a dtype of the namespace, or if `x` is complex and `dtype` is neither
        complex nor bool; use `real` first.
    ValueError
        If the device does not exist.

    Notes
    -----
    Floating-point numbers are rounded towards 0 when cast to integers; the result is undefined for
    values out of range, NaN and infinity. When cast to bool, every nonzero element is true.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.astype(xp.asarray([1.7, -1.7]), xp.int8)
    Tensor([ 1, -1], dtype=int8)
    """
    check_tensor("astype", x)
    dtype = required_dtype(dtype, "astype")
    if x.dtype.kind == "c" and dtype.kind in "iuf":
        raise TypeError(
            f"astype: {x.dtype} to {dtype} would lose the imaginary part; write xp.real(x) first"
        )
    if device is None or get_device(device, "astype") is x.device:
        if not copy and x.dtype == dtype:
            return x
        return call("astype", x, (dtype,), {"copy": copy})
    # Cast on the side where the data is smaller, so that less is transferred.
    if dtype.itemsize < x.dtype.itemsize:
        x = call("astype", x, (dtype,), {"copy": False})
    x = x.to_device(device)
    return x if x.dtype == dtype else call("astype", x, (dtype,), {"copy": False})


def can_cast(from_: DType | Tensor, to: DType, /) -> bool:
    """Return True if a dtype can be cast to another by promotion.

    Parameters
    ----------
    from_ : dtype or Tensor
        Source dtype, or a tensor of it.
    to : dtype
        Target dtype.

    Returns
    -------
    bool
        Result of the test.

    Raises
    ------
    TypeError
        If an argument is not a dtype of the standard.

    Notes
    -----
    Where the standard leaves this open the result is NumPy's: integers can be cast to a
    floating-point dtype that is wide enough, and 64-bit integers to float64, which rounds large
    ones.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.can_cast(xp.int32, xp.float64)
    True
    >>> xp.can_cast(xp.int64, xp.int32)
    False
    """
    return bool(_host.can_cast(dtype_of(from_, "can_cast"), required_dtype(to, "can_cast")))


def finfo(type: DType | Tensor, /) -> FInfo:
    """Limits of a floating-point dtype.

    Parameters
    ----------
    type : dtype or Tensor
        Dtype, or a tensor of it; for complex dtypes, the limits are those of the parts.

    Returns
    -------
    FInfo
        Object with the attributes bits, eps, max, min, smallest_normal (Python numbers) and dtype.

    Raises
    ------
    TypeError
        If `type` is not a floating-point dtype.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.finfo(xp.float32).eps == 2.0**-23
    True
    """
    dtype = dtype_of(type, "finfo")
    if dtype.kind not in "fc":
        raise TypeError(f"finfo: expected a floating-point dtype; got {dtype}")
    return _dtypes.float_limits(dtype)


def iinfo(type: DType | Tensor, /) -> IInfo:
    """Limits of an integer dtype.

    Parameters
    ----------
    type : dtype or Tensor
        Dtype, or a tensor of it.

    Returns
    -------
    IInfo
        Object with the attributes bits, max, min (Python ints) and dtype.

    Raises
    ------
    TypeError
        If `type` is not an integer dtype.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.iinfo(xp.int8).max
    127
    """
    dtype = dtype_of(type, "iinfo")
    if dtype.kind not in "iu":
        raise TypeError(f"iinfo: expected an integer dtype; got {dtype}")
    return _dtypes.integer_limits(dtype)


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """Return True if a dtype equals another or belongs to a kind.

    Parameters
    ----------
    dtype : dtype
        Dtype to test.
    kind : dtype, str or tuple of these
        A dtype, or one of 'bool', 'signed integer', 'unsigned integer', 'integral', 'real
        floating', 'complex floating' and 'numeric'; for a tuple, any of its members.

    Returns
    -------
    bool
        Result of the test.

    Raises
    ------
    ValueError
        If `kind` is unknown.
    TypeError
        If an argument is not a dtype of the standard.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isdtype(xp.float32, 'real floating')
    True
    >>> xp.isdtype(xp.int8, (xp.int16, 'bool'))
    False
    """
    dtype = required_dtype(dtype, "isdtype")
    for k in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(k, str) and k not in _dtypes.KINDS:
            known = ", ".join(repr(name) for name in _dtypes.KINDS)
            raise ValueError(f"isdtype: kind must be a dtype or one of {known}; got {k!r}")
        if (
            dtype in _dtypes.KINDS[k]
            if isinstance(k, str)
            else dtype == required_dtype(k, "isdtype")
        ):
            return True
    return False


def result_type(*arrays_and_dtypes: Tensor | Scalar | DType) -> DType:
    """Dtype to which dtypes, tensors and scalars promote.

    Parameters
    ----------
    *arrays_and_dtypes : Tensor, dtype or scalar
        Operands of the promotion; at least one.

    Returns
    -------
    dtype
        Common dtype. Where the standard leaves it open (integers with floating-point numbers, only
        scalars) it is NumPy's; for scalars alone it follows `default_dtype`.

    Raises
    ------
    ValueError
        If there is no argument, or in strict mode if all are scalars.
    TypeError
        If an argument is not a tensor, a dtype or a scalar.

    Notes
    -----
    Only the kind of a Python scalar counts, not its value.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.result_type(xp.int8, xp.uint8)
    dtype('int16')
    >>> xp.result_type(xp.float32, 1j)
    dtype('complex64')
    """
    scalars, dtypes = [], []
    for x in arrays_and_dtypes:
        if isinstance(x, Tensor) and not is_strict():  # strict mode refuses float16
            dtypes.append(x._data.dtype)
        elif isinstance(x, (bool, int, float, complex)):
            scalars.append(type(x)(1))  # only its kind counts, however large it is
        else:
            dtypes.append(dtype_of(x, "result_type"))
    if len(dtypes) == 1 and not scalars:
        return dtypes[0]
    if not dtypes and (is_strict() or not scalars):
        raise ValueError("result_type: expected at least one tensor or dtype")
    if is_strict():
        check_promotion("result_type", dtypes, scalars)
    default = None if dtypes else python_dtype(map(type, scalars))
    return default or _host.result_type(*dtypes, *scalars)
