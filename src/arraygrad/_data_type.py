"""Data type functions of the standard."""

from __future__ import annotations

from . import _dtypes
from ._backends import numpy as _host
from ._device import get_device
from ._dispatch import call, check_tensor
from ._dtypes import FInfo, IInfo, dtype_of, required_dtype
from ._modes import is_strict
from ._standard import check_promotion
from ._typing import DeviceLike, DType, Scalar, Tensor


def astype(x: Tensor, dtype: DType, /, *, copy: bool = True, device: DeviceLike = None) -> Tensor:
    """The elements in another dtype.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    dtype : dtype
        The dtype wanted.
    copy : bool, optional
        False gives `x` itself where neither dtype nor device changes.
    device : Device or str, optional
        Where to put the result; None is the device of `x`.

    Returns
    -------
    Tensor
        Of the shape of `x`; a copy but for `copy`.

    Raises
    ------
    TypeError
        If `dtype` is none of the standard's, or if it is of integers or real numbers and `x` is
        complex; take `real` first.
    ValueError
        If the device does not exist.

    Notes
    -----
    Floating-point numbers are rounded towards 0 for integers; what does not fit, NaN and infinity
    included, is undefined. As bool, all but 0 is true.

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
    """Whether a dtype can be cast to another by promotion.

    Parameters
    ----------
    from_ : dtype or Tensor
        From; of a tensor its dtype counts.
    to : dtype
        To.

    Returns
    -------
    bool
        The answer.

    Raises
    ------
    TypeError
        If an argument is no dtype of the standard.

    Notes
    -----
    Where the standard says nothing the answer is NumPy's: integers go to a floating-point dtype
    that is wide enough, and of 64 bits to float64, which rounds large ones.

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
        Which, or a tensor of it; of complex dtypes, the limits of the parts.

    Returns
    -------
    FInfo
        With the attributes bits, eps, max, min, smallest_normal (Python numbers) and dtype.

    Raises
    ------
    TypeError
        If it is no floating-point dtype.

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
        Which, or a tensor of it.

    Returns
    -------
    IInfo
        With the attributes bits, max, min (Python ints) and dtype.

    Raises
    ------
    TypeError
        If it is no integer dtype.

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
    """Whether a dtype is another, or of a kind.

    Parameters
    ----------
    dtype : dtype
        The dtype asked about.
    kind : dtype, str or tuple of these
        A dtype, or one of 'bool', 'signed integer', 'unsigned integer', 'integral', 'real
        floating', 'complex floating' and 'numeric'; of a tuple, any.

    Returns
    -------
    bool
        The answer.

    Raises
    ------
    ValueError
        If there is no such kind.
    TypeError
        If an argument is no dtype of the standard.

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
    """The dtype to which dtypes, tensors and scalars promote.

    Parameters
    ----------
    *arrays_and_dtypes : Tensor, dtype or scalar
        At least one.

    Returns
    -------
    dtype
        The common dtype. Where the standard leaves it open (integers with floating-point numbers,
        scalars alone) it is NumPy's.

    Raises
    ------
    ValueError
        If there is no argument, and in strict mode if there are scalars only.
    TypeError
        If an argument is none of these.

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
        if isinstance(x, Tensor) and not is_strict():  # which refuses float16
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
    return _host.result_type(*dtypes, *scalars)
