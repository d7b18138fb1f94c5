"""Creation functions of the standard, and conversions from other libraries' arrays."""

from __future__ import annotations

import math
from typing import Any, Literal, Never

from . import _dtypes
from ._array import wrap
from ._backends import numpy as _host
from ._data_type import astype
from ._device import Device, get_device
from ._dispatch import (
    SCALARS,
    apply,
    call,
    check_tensor,
    common_device,
    create,
    device_mismatch,
    view,
)
from ._dtypes import as_dtype, default_dtype, get_defaults, python_dtype, scalar_dtype
from ._elementwise import pow
from ._errors import as_int, describe, explain, in_own_name
from ._hints import wrong_call
from ._memory import mark_external
from ._modes import get_recorder, is_strict
from ._searching import where
from ._sequences import holds_tensor, host_data, may_share_memory, stack_nested
from ._typing import DeviceLike, DType, Real, Scalar, Shape, Tensor

_cpu = Device("cpu")


def asarray(
    obj: Any,
    /,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    copy: bool | None = None,
    **other: Never,
) -> Tensor:
    """Convert an object to a tensor.

    Parameters
    ----------
    obj : Tensor, scalar, nested sequence, array or buffer
        Python scalars, and nested lists or tuples of them and of tensors; tensors; NumPy arrays;
        objects with DLPack, such as arrays of other libraries; objects with Python's buffer
        protocol, such as bytearray, memoryview and array.array.
    dtype : dtype, optional
        Dtype of the result. By default it is inferred: for Python scalars the highest kind among
        bool, int64 (uint64 for ints that only it can hold), and the floating-point and complex
        dtypes that `default_dtype` sets, at first float64 and complex128; else the dtype of `obj`.
    device : Device or str, optional
        Device of the result. By default tensors and DLPack objects of other libraries stay on their
        device, a sequence that holds tensors goes to the device of the first one, and everything
        else, including NumPy arrays, to the default device.
    copy : bool, optional
        True always copies. False never copies and raises if a copy is needed. None copies only if
        needed.

    Returns
    -------
    Tensor
        Has the shape of the data. A tensor that needs no change is returned unchanged. An array or
        buffer shares its memory with the result (read-only if it is), unless a copy is needed.

    Raises
    ------
    TypeError
        If elements have a dtype that the namespace lacks (text, objects), are masked, or are
        complex while `dtype` is real.
    ValueError
        If a nested sequence is ragged, `copy` is False and a copy is needed, or the device does not
        exist.
    OverflowError
        If a Python int does not fit the dtype.
    BufferError
        If data exported by DLPack is on an inaccessible device.

    Notes
    -----
    Sequences are always copied. A sequence that holds tensors is stacked, and its dtypes are
    promoted; a Python scalar counts with its default dtype. NumPy arrays of non-native byte order
    are converted.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.asarray([[1, 2], [3, 4]])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    >>> xp.asarray([True, 2.5])
    Tensor([1. , 2.5], dtype=float64)
    >>> x = xp.asarray([1.0, 2.0])
    >>> xp.asarray([x, x], dtype=xp.float32)
    Tensor([[1., 2.],
            [1., 2.]], dtype=float32)
    """
    if more or other:
        raise wrong_call("asarray", locals())
    if isinstance(obj, Tensor):
        # Fast path: libraries call `asarray` on tensors all the time.
        if device is None and not copy and (dtype is None or dtype is obj._data.dtype):
            return obj
        return _convert(obj, as_dtype(dtype, "asarray"), device, copy)
    if dtype is None and device is None and copy is None and _host.is_native(obj):
        # Fast path: SciPy passes NumPy arrays to each call of a user's function.
        target = get_device(None)
        if target is _cpu and get_recorder() is None:
            x = wrap(Tensor, obj, target)
            mark_external(x)
            return x
    dtype = as_dtype(dtype, "asarray")
    if (
        type(obj) not in SCALARS
        and type(obj) is not _host.array_type
        and hasattr(obj, "__dlpack_device__")
    ):
        kind = obj.__dlpack_device__()[0]
        # NumPy arrays are converted by NumPy, which supports more of them (byte orders, for
        # example).
        if not (int(kind) == 1 and hasattr(obj, "__array_interface__")):
            return _convert(
                from_dlpack(obj, copy=False if copy is False else None), dtype, device, copy
            )
    if isinstance(obj, (list, tuple)) and holds_tensor(obj):
        if copy is False:
            raise ValueError("asarray: a sequence must be copied; got copy=False")

        def read(x: Any, device: DeviceLike) -> Tensor:
            return asarray(x, dtype=dtype, device=device)

        stacked = stack_nested("asarray", obj, device, read)
        return _convert(stacked, dtype, device, None)
    if dtype is None and get_defaults() is not _dtypes.DEFAULTS:
        dtype = _default_for(obj)
    target = get_device(device, "asarray")
    if copy is False and target.type != "cpu":
        raise ValueError(f"asarray: host data cannot be on {target} without a copy; got copy=False")
    try:
        data = host_data(target, obj, dtype, copy)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise explain(error, "asarray", (obj,)) from error
    x = wrap(Tensor, data, target)
    return x if copy else _imported(x, obj)


def _default_for(obj: Any) -> DType | None:
    """Dtype of Python's floating-point numbers, also in sequences; None for anything else."""
    types: set[type] = set()
    dtypes: set[DType] = set()
    nested = [obj]
    while nested:
        x = nested.pop()
        if isinstance(x, (list, tuple)):
            found = set(map(type, x))
            if found <= SCALARS:  # most often
                types |= found
            else:
                nested += x
        elif type(x) in SCALARS:
            types.add(type(x))
        elif hasattr(x, "dtype"):
            dtypes.add(x.dtype)
        else:
            return None  # NumPy reads or refuses it
    dtype = python_dtype(types or {float})
    return None if dtype is None or (dtypes and not types) else _host.result_type(dtype, *dtypes)


def _imported(x: Tensor, obj: Any, name: str = "asarray") -> Tensor:
    """Tensor over another library's data, which may be shared."""
    on_host = x._device.type == "cpu"  # elsewhere, data of the host is copied
    if on_host and may_share_memory(x._data, obj, x._device):
        mark_external(x, name=name)
    return x


def _convert(x: Tensor, dtype: DType, device: DeviceLike, copy: bool | None) -> Tensor:
    """Tensor in another dtype or on another device; `x` itself if nothing changes."""
    target = x.device if device is None else get_device(device, "asarray")
    same = target is x.device and (dtype is None or dtype == x.dtype)
    if same:
        return call("copy", x) if copy else x
    if copy is False:
        raise ValueError(
            f"asarray: {describe(x)} on {x.device} cannot become "
            f"{dtype or x.dtype} on {target} without a copy; got copy=False"
        )
    if dtype is not None:
        _check_real("asarray", x, dtype)
    return astype(x, x.dtype if dtype is None else dtype, copy=False, device=target)


def from_numpy(a: Any, /) -> Tensor:
    """Make a CPU tensor that shares memory with a NumPy array.

    Parameters
    ----------
    a : numpy.ndarray
        Array of a dtype of the standard and native byte order. A read-only array makes a read-only
        tensor.

    Returns
    -------
    Tensor
        Has the shape and dtype of `a`.

    Raises
    ------
    TypeError
        If `a` is not an ndarray, is masked, or has a dtype that the standard lacks.
    ValueError
        If the byte order is not native; `asarray` converts it.

    Examples
    --------
    >>> import arraygrad as xp
    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> x = xp.from_numpy(a)
    >>> x[0] = 1.0
    >>> a
    array([1., 0.])
    """
    cpu = get_device("cpu")
    if not isinstance(a, cpu.array_type):
        raise TypeError(f"from_numpy: expected a numpy.ndarray; got {describe(a)}")
    try:
        x = wrap(Tensor, host_data(cpu, a, None, False), cpu)
    except (TypeError, ValueError) as error:
        raise explain(error, "from_numpy", (a,)) from error
    return _imported(x, a, "from_numpy")


def from_dlpack(x: Any, /, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """Make a tensor from another library's array by DLPack.

    Parameters
    ----------
    x : object with __dlpack__ and __dlpack_device__
        The array, on the CPU or a CUDA device.
    device : Device or str, optional
        Device of the result; by default the data stays on its device.
    copy : bool, optional
        True always copies. False never copies and raises if a copy is needed. None copies only if
        needed.

    Returns
    -------
    Tensor
        Has the shape and dtype of `x`. It is always a new object and shares memory with `x` unless
        a copy is needed.

    Raises
    ------
    TypeError
        If `x` does not support DLPack.
    BufferError
        If the data is on an inaccessible device, `x` refuses to export it, or `copy` is False and a
        copy is needed (as it always is to another device).
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> import numpy as np
    >>> xp.from_dlpack(np.arange(3))
    Tensor([0, 1, 2], dtype=int64)
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise TypeError(
            f"from_dlpack: expected an object with __dlpack__ and __dlpack_device__; "
            f"got {describe(x)}"
        )
    kind, index = x.__dlpack_device__()
    name = {1: "cpu", 2: f"cuda:{index}", 3: "cpu", 13: f"cuda:{index}"}.get(int(kind))
    if name is None and isinstance(x, Tensor):
        name = str(x.device)  # a test backend, whose devices DLPack does not know
    if name is None:
        raise BufferError(f"from_dlpack: data on DLPack device type {int(kind)} is not accessible")
    source = Device(name)
    target = source if device is None else get_device(device, "from_dlpack")
    if target is not source and copy is False:
        raise BufferError(f"from_dlpack: {source} to {target} needs a copy; got copy=False")
    if isinstance(x, Tensor) and x._trace is None and target is source and not copy:
        return x[...]  # a view that differentiation can trace
    try:
        recorder = get_recorder()
        if recorder is not None:
            recorder.enter("from_dlpack")
        data = source.ops["from_dlpack"](x, copy if target is source else None)
    except (TypeError, ValueError, BufferError, RuntimeError) as error:
        raise explain(error, "from_dlpack", (x,)) from error
    found = wrap(Tensor, data, source)
    if not copy:
        mark_external(found, name="from_dlpack")
    return found.to_device(target)


def _shape(shape: Any, function: str) -> tuple[int, ...]:
    """Convert a shape argument to a tuple of non-negative ints."""
    if type(shape) is int and shape >= 0:
        return (shape,)
    if type(shape) is tuple and not shape:
        return shape
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    try:
        result = tuple([n.__index__() for n in sizes])
    except (AttributeError, TypeError):
        raise TypeError(
            f"{function}: shape must be an int or a tuple of ints; got {describe(shape)}"
        ) from None
    if any(n < 0 for n in result):
        raise ValueError(f"{function}: shape must not be negative; got {shape!r}")
    return result


def arange(
    start: Real,
    /,
    stop: Real | None = None,
    step: Real = 1,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Evenly spaced numbers in the half-open interval from `start` to `stop`.

    Parameters
    ----------
    start : int or float
        First number. If `stop` is not given, this is the end and the first number is 0.
    stop : int or float, optional
        End of the interval, exclusive.
    step : int or float, optional
        Distance between numbers; not 0.
    dtype : dtype, optional
        Dtype of the result; by default int64 if all arguments are integers, else as set by
        `default_dtype`.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        One-dimensional tensor of ceil((stop - start) / step) elements; empty if that is negative.

    Raises
    ------
    TypeError
        If an argument is not a number, or `dtype` is not one of the standard's.
    ValueError
        If `step` is 0, the length is not finite, or the device does not exist.
    OverflowError
        If a number does not fit an integer dtype.

    Notes
    -----
    With a fractional `step`, rounding decides whether a number next to `stop` is included. An
    integer `dtype` truncates the first two numbers; their difference is then the step.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.arange(4)
    Tensor([0, 1, 2, 3], dtype=int64)
    >>> xp.arange(1, 0, -0.25)
    Tensor([1.  , 0.75, 0.5 , 0.25], dtype=float64)
    """
    if more or other:
        raise wrong_call("arange", locals())
    if stop is None:
        start, stop = 0, start
    whole = type(start) is type(stop) is type(step) is int  # most often
    if not whole:
        for name, value in (("start", start), ("stop", stop), ("step", step)):
            _check_scalar("arange", name, value, "biuf")
        start, stop, step = map(_plain, (start, stop, step))
        whole = all(scalar_dtype(v).kind in "biu" for v in (start, stop, step))
    if not step:
        raise ValueError("arange: step must not be 0")
    if dtype is None:
        dtype = get_defaults()["integral" if whole else "real floating"]
    dtype = as_dtype(dtype, "arange")
    if dtype.kind in "iu" and not (whole and 0 <= start <= 127 >= stop >= 0):  # or it wraps around
        try:
            _check_range(start, stop, step, dtype)
        except (OverflowError, ValueError) as error:
            raise explain(error, "arange", (start, stop, step)) from error
    return create(Tensor, "arange", get_device(device, "arange"), start, stop, step, dtype=dtype)


def _check_range(start: Any, stop: Any, step: Any, dtype: DType) -> None:
    """Raise if a number of an integer range does not fit."""
    limits = _dtypes.integer_limits(dtype)
    first = int(start)
    count = math.ceil((stop - start) / step) if isinstance(stop - start + step, float) else len(
        range(start, stop, step)
    )  # fmt: skip
    last = first + (count - 1) * (int(start + step) - first)
    for n in (first, last) if count > 0 else ():
        if not limits.min <= n <= limits.max:
            raise OverflowError(f"{n} does not fit {dtype}")


def _check_real(function: str, value: Any, dtype: DType) -> None:
    if isinstance(value, (int, float)) or dtype.kind not in "iuf":
        return
    if scalar_dtype(value).kind == "c":
        raise TypeError(
            f"{function}: {describe(value)} as {dtype} would lose the imaginary part; "
            "write xp.real(x) first"
        )


def _plain(value: Any) -> Any:
    """Python scalar of a NumPy scalar, which would wrap around or be rounded in arithmetic."""
    return value.item() if hasattr(value, "item") else value


def _check_scalar(function: str, name: str, value: Any, kinds: str) -> None:
    if type(value) in (int, float):  # most often
        return
    numeric = isinstance(value, (int, float)) or ("c" in kinds and isinstance(value, complex))
    # A 0-d tensor or a NumPy scalar is accepted; it converts to its value.
    if isinstance(value, Tensor):
        value._check_constant(function)
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if not numeric and (getattr(value, "shape", None) != () or kind not in (*kinds,)):
        raise TypeError(f"{function}: {name} must be a number; got {describe(value)}")


def empty(
    shape: Shape,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Uninitialized tensor.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the result.
    dtype : dtype, optional
        Dtype of the result; by default as set by `default_dtype`, at first float64.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        Has the given shape and dtype.

    Raises
    ------
    TypeError
        If `shape` is not an int or a tuple of ints, or `dtype` is not one of the standard's.
    ValueError
        If a size is negative, or the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.empty((2, 0)).shape
    (2, 0)
    """
    if more or other:
        raise wrong_call("empty", locals())
    return _filled("empty", shape, dtype, device)


def zeros(
    shape: Shape,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Tensor of zeros.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the result.
    dtype : dtype, optional
        Dtype of the result; by default as set by `default_dtype`, at first float64.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        Has the given shape and dtype.

    Raises
    ------
    TypeError
        If `shape` is not an int or a tuple of ints, or `dtype` is not one of the standard's.
    ValueError
        If a size is negative, or the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.zeros((2, 2), dtype=xp.int8)
    Tensor([[0, 0],
            [0, 0]], dtype=int8)
    """
    if more or other:
        raise wrong_call("zeros", locals())
    return _filled("zeros", shape, dtype, device)


def ones(
    shape: Shape,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Tensor of ones.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the result.
    dtype : dtype, optional
        Dtype of the result; by default as set by `default_dtype`, at first float64.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        Has the given shape and dtype.

    Raises
    ------
    TypeError
        If `shape` is not an int or a tuple of ints, or `dtype` is not one of the standard's.
    ValueError
        If a size is negative, or the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.ones((2, 2), dtype=xp.int8)
    Tensor([[1, 1],
            [1, 1]], dtype=int8)
    """
    if more or other:
        raise wrong_call("ones", locals())
    return _filled("ones", shape, dtype, device)


def _filled(name: str, shape: Shape, dtype: DType | None, device: DeviceLike) -> Tensor:
    target = get_device(device, name)
    dtype = get_defaults()["real floating"] if dtype is None else as_dtype(dtype, name)
    return create(Tensor, name, target, _shape(shape, name), dtype=dtype)


def full(
    shape: Shape,
    fill_value: Scalar,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Tensor filled with one value.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the result.
    fill_value : scalar
        Fill value; 0-d tensors are accepted.
    dtype : dtype, optional
        Dtype of the result; by default that of a tensor `fill_value`, or the dtype that `asarray`
        infers from a scalar.
    device : Device or str, optional
        Device of the result; by default the device of `fill_value` if it is a tensor, else the
        default device.

    Returns
    -------
    Tensor
        Has the given shape and dtype.

    Raises
    ------
    TypeError
        If `fill_value` is not a number, or `dtype` is not one of the standard's.
    ValueError
        If a size is negative, `fill_value` has axes or is NaN for an integer dtype, or the device
        does not exist.
    OverflowError
        If a number does not fit an integer dtype.

    Notes
    -----
    For an integer dtype, fractions are truncated, as by `astype`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.full((2,), 7)
    Tensor([7, 7], dtype=int64)
    >>> xp.full((2,), 7, dtype=xp.float32)
    Tensor([7., 7.], dtype=float32)
    """
    if more or other:
        raise wrong_call("full", locals())
    if isinstance(fill_value, Tensor):
        if fill_value.ndim:
            raise ValueError(f"full: fill_value must be a scalar; got {describe(fill_value)}")
        dtype = fill_value.dtype if dtype is None else as_dtype(dtype, "full")
        _check_real("full", fill_value, dtype)
        place = fill_value.device if device is None else get_device(device, "full")
        if place is not fill_value.device:
            raise device_mismatch("full", place, fill_value.device)
        filled = empty(_shape(shape, "full"), dtype=dtype, device=place)
        filled[...] = fill_value
        return filled
    _check_scalar("full", "fill_value", fill_value, "biufc")
    dtype = scalar_dtype(fill_value) if dtype is None else as_dtype(dtype, "full")
    _check_real("full", fill_value, dtype)
    target, fill_value = get_device(device, "full"), _plain(fill_value)
    if dtype.kind in "iu" and type(fill_value) is not int:  # which the libraries would wrap around
        try:
            fill_value = target.backend.as_host(fill_value, dtype).item()
        except (OverflowError, ValueError) as error:
            raise explain(error, "full", (fill_value,), {"dtype": dtype}) from error
    return create(Tensor, "full", target, _shape(shape, "full"), fill_value, dtype=dtype)


def _like(
    function: str, x: Any, dtype: DType | None, device: DeviceLike
) -> tuple[tuple[int, ...], DType, DeviceLike]:
    check_tensor(function, x)
    dtype = x.dtype if dtype is None else as_dtype(dtype, function)
    return x.shape, dtype, x.device if device is None else get_device(device, function)


def empty_like(
    x: Tensor,
    /,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Uninitialized tensor with the shape of another.

    Parameters
    ----------
    x : Tensor
        Tensor whose shape is used, and by default also its dtype and device.
    dtype : dtype, optional
        Dtype of the result; by default that of `x`.
    device : Device or str, optional
        Device of the result; by default the device of `x`.

    Returns
    -------
    Tensor
        Has the shape of `x`; never a view of it.

    Raises
    ------
    TypeError
        If `dtype` is not one of the standard's.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.empty_like(xp.asarray([1, 2])).dtype
    dtype('int64')
    """
    if more or other:
        raise wrong_call("empty_like", locals())
    shape, dtype, device = _like("empty_like", x, dtype, device)
    return empty(shape, dtype=dtype, device=device)


def zeros_like(
    x: Tensor,
    /,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Tensor of zeros with the shape of another.

    Parameters
    ----------
    x : Tensor
        Tensor whose shape is used, and by default also its dtype and device.
    dtype : dtype, optional
        Dtype of the result; by default that of `x`.
    device : Device or str, optional
        Device of the result; by default the device of `x`.

    Returns
    -------
    Tensor
        Has the shape of `x`; never a view of it.

    Raises
    ------
    TypeError
        If `dtype` is not one of the standard's.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.zeros_like(xp.asarray([1, 2]))
    Tensor([0, 0], dtype=int64)
    """
    if more or other:
        raise wrong_call("zeros_like", locals())
    shape, dtype, device = _like("zeros_like", x, dtype, device)
    return zeros(shape, dtype=dtype, device=device)


def ones_like(
    x: Tensor,
    /,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Tensor of ones with the shape of another.

    Parameters
    ----------
    x : Tensor
        Tensor whose shape is used, and by default also its dtype and device.
    dtype : dtype, optional
        Dtype of the result; by default that of `x`.
    device : Device or str, optional
        Device of the result; by default the device of `x`.

    Returns
    -------
    Tensor
        Has the shape of `x`; never a view of it.

    Raises
    ------
    TypeError
        If `dtype` is not one of the standard's.
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.ones_like(xp.asarray([1, 2]))
    Tensor([1, 1], dtype=int64)
    """
    if more or other:
        raise wrong_call("ones_like", locals())
    shape, dtype, device = _like("ones_like", x, dtype, device)
    return ones(shape, dtype=dtype, device=device)


@in_own_name("full_like")
def full_like(
    x: Tensor,
    /,
    fill_value: Scalar,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Tensor filled with one value, with the shape of another.

    Parameters
    ----------
    x : Tensor
        Tensor whose shape is used, and by default also its dtype and device.
    fill_value : scalar
        Fill value; 0-d tensors are accepted.
    dtype : dtype, optional
        Dtype of the result; by default that of `x`.
    device : Device or str, optional
        Device of the result; by default the device of `x`.

    Returns
    -------
    Tensor
        Has the shape of `x`.

    Raises
    ------
    TypeError
        If `fill_value` is not a number, or `dtype` is not one of the standard's.
    ValueError
        If `fill_value` has axes, or the device does not exist.
    OverflowError
        If a number does not fit an integer dtype.

    Notes
    -----
    The dtype is that of `x` for any value. See also `full`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.full_like(xp.asarray([1.0, 2.0]), 7)
    Tensor([7., 7.], dtype=float64)
    """
    if more or other:
        raise wrong_call("full_like", locals())
    shape, dtype, device = _like("full_like", x, dtype, device)
    return full(shape, fill_value, dtype=dtype, device=device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *more: Never,
    k: int = 0,
    dtype: DType | None = None,
    device: DeviceLike = None,
    **other: Never,
) -> Tensor:
    """Matrix with ones on a diagonal and zeros elsewhere.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_cols : int, optional
        Number of columns; by default `n_rows`.
    k : int, optional
        Index of the diagonal: 0 is the main diagonal, positive values are above it. Outside the
        matrix the result is all zeros.
    dtype : dtype, optional
        Dtype of the result; by default as set by `default_dtype`, at first float64.
    device : Device or str, optional
        Device of the result; by default the default device.

    Returns
    -------
    Tensor
        Has shape (n_rows, n_cols) and the given dtype.

    Raises
    ------
    TypeError
        If a size or `k` is not an int, or `dtype` is not one of the standard's.
    ValueError
        If a size is negative, or the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.eye(2, 3, k=1)
    Tensor([[0., 1., 0.],
            [0., 0., 1.]], dtype=float64)
    """
    if more or other:
        raise wrong_call("eye", locals())
    target = get_device(device, "eye")
    dtype = get_defaults()["real floating"] if dtype is None else as_dtype(dtype, "eye")
    rows, cols = _shape((n_rows, n_rows if n_cols is None else n_cols), "eye")
    k = as_int("eye", "k", k)
    return create(Tensor, "eye", target, rows, cols, k=k, dtype=dtype)


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *more: Never,
    dtype: DType | None = None,
    device: DeviceLike = None,
    endpoint: bool = True,
    **other: Never,
) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`.

    Parameters
    ----------
    start, stop : scalar
        Ends of the interval; 0-d tensors are accepted, and are differentiated.
    num : int
        Number of elements, not negative; if 1, the result has only `start`.
    dtype : dtype, optional
        Dtype of the result; by default as set by `default_dtype`: at first float64, or
        complex128 if an end is complex.
    device : Device or str, optional
        Device of the result; by default that of the ends, if one is a tensor, else the
        default device.
    endpoint : bool, optional
        If False, exclude `stop`: the result has the first `num` of ``num + 1`` numbers that end at
        `stop`.

    Returns
    -------
    Tensor
        One-dimensional tensor of `num` elements of the given dtype.

    Raises
    ------
    TypeError
        If an end is not a number, `num` is not an int, or `dtype` is not one of the standard's.
    ValueError
        If `num` is negative, or the device does not exist.
    DeviceMismatchError
        If the ends are tensors on different devices.
    OverflowError
        If an int is too large for float64, or a number does not fit an integer `dtype`.

    Notes
    -----
    For an integer `dtype`, the numbers are rounded down: exactly if both ends are whole numbers,
    otherwise after computing in float64. They have no gradient.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linspace(0, 1, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float64)
    >>> xp.linspace(0, 1, 4, endpoint=False)
    Tensor([0.  , 0.25, 0.5 , 0.75], dtype=float64)
    """
    if more or other:
        raise wrong_call("linspace", locals())
    traced = False
    for name, value in (("start", start), ("stop", stop)):
        if isinstance(value, Tensor) and not value.ndim and value._trace is not None:
            traced = True
        else:
            _check_scalar("linspace", name, value, "biufc")
    num = as_int("linspace", "num", num)
    if num < 0:
        raise ValueError(f"linspace: num must not be negative; got {num}")
    if dtype is None:
        complex_ends = any(scalar_dtype(v).kind == "c" for v in (start, stop))
        dtype = get_defaults()["complex floating" if complex_ends else "real floating"]
    dtype = as_dtype(dtype, "linspace")
    if traced and dtype.kind not in "fc":
        for x in (start, stop):
            _check_scalar("linspace", "an end", x, "biufc")  # raises: the gradient would be lost
    _check_real("linspace", start, dtype)
    _check_real("linspace", stop, dtype)
    tensors: list[Any] = [v for v in (start, stop) if isinstance(v, Tensor)]
    target = get_device(device, "linspace")
    if tensors:
        shared = common_device("linspace", tensors)
        target = shared if device is None else target
    if tensors and dtype.kind in "fc":
        with default_dtype(_dtypes.ALL["float64"]):  # exact
            ends = asarray(start, device=target), asarray(stop, device=target)
        return apply("linspace", ends, (num,), {"dtype": dtype, "endpoint": bool(endpoint)})
    start, stop = _plain(start), _plain(stop)
    try:
        if dtype.kind in "iu":
            return _whole_numbers(start, stop, num, dtype, target, bool(endpoint))
        # (The libraries treat ints beyond 64 bits as objects.)
        numbers = [float(v) if type(v) is int else v for v in (start, stop)]
    except (OverflowError, ValueError) as error:
        raise explain(error, "linspace", (start, stop)) from error
    return create(Tensor, "linspace", target, *numbers, num, dtype=dtype, endpoint=bool(endpoint))


def _whole_numbers(
    start: Any, stop: Any, num: int, dtype: DType, device: Device, endpoint: bool
) -> Tensor:
    """`linspace` rounded down to integers: exactly so if the ends are whole numbers."""
    gaps = max(num - endpoint, 1)
    is_whole = start == math.floor(start) and stop == math.floor(stop)
    if is_whole:
        start, stop = int(start), int(stop)
        step, rest = divmod(stop - start, gaps)
        last = start + (num - 1) * step + (num - 1) * rest // gaps
    else:
        last = math.floor(stop if endpoint else start + (num - 1) * ((stop - start) / gaps))
    limits = _dtypes.integer_limits(dtype)
    for n in (math.floor(start), last) if num > 1 else (math.floor(start),) * num:
        if not limits.min <= n <= limits.max:
            raise OverflowError(f"{n} does not fit {dtype}")
    if not is_whole:
        return create(Tensor, "linspace", device, start, stop, num, dtype=dtype, endpoint=endpoint)
    i = arange(num, device=device)
    # The steps may leave int64, where they are taken modulo 2**64; the sums do not.
    return astype(i * _modular(step) + i * rest // gaps + _modular(start), dtype, copy=False)


def _modular(n: int) -> int:
    """The number of int64 that equals `n` modulo 2**64."""
    return (n + 2**63) % 2**64 - 2**63


@in_own_name("logspace")
def logspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    base: float = 10.0,
    dtype: DType | None = None,
    device: DeviceLike = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` numbers from ``base**start`` to ``base**stop`` with a constant ratio.

    Not in the standard.

    Parameters
    ----------
    start, stop : scalar
        Exponents of the ends.
    num : int
        Number of elements, not negative; if 1, the result has only ``base**start``.
    base : scalar, optional
        Base of the powers.
    dtype, device, endpoint : optional
        See `linspace`.

    Returns
    -------
    Tensor
        One-dimensional tensor of `num` elements of the given dtype.

    Raises
    ------
    TypeError
        If an end or `base` is not a number, `num` is not an int, or `dtype` is not one of the
        namespace; under `strict()` always.
    ValueError
        If `num` is negative, or the device does not exist.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.logspace(0, 2, 3)
    Tensor([  1.,  10., 100.], dtype=float64)
    """
    if is_strict():
        raise TypeError(
            "logspace: outside the standard; write xp.pow(base, xp.linspace(start, stop, num))"
        )
    _check_scalar("logspace", "base", base, "biufc")
    with default_dtype(_dtypes.ALL["float64"]):  # which is rounded once, at the end
        found = pow(base, linspace(start, stop, num, device=device, endpoint=endpoint))
    if dtype is None:
        dtype = get_defaults()["complex floating" if found.dtype.kind == "c" else "real floating"]
    return _convert(found, as_dtype(dtype, "logspace"), None, None)


def meshgrid(
    *arrays: Tensor, indexing: Literal["xy", "ij"] = "xy", **other: Never
) -> tuple[Tensor, ...]:
    """Coordinate matrices of a grid, from the coordinates along its axes.

    Parameters
    ----------
    *arrays : Tensor
        One-dimensional tensors of any dtypes.
    indexing : {'xy', 'ij'}, optional
        'ij': the first tensor varies along the first axis. 'xy': the first two axes are exchanged.

    Returns
    -------
    tuple of Tensor
        One copy for each of `arrays`, with its dtype and with one axis for each of `arrays`: shape
        (N1, N2, ...), or (N2, N1, ...) for 'xy'.

    Raises
    ------
    TypeError
        If an argument is neither a tensor nor a scalar.
    ValueError
        If `indexing` is neither 'xy' nor 'ij'.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.meshgrid(xp.asarray([1, 2]), xp.asarray([3, 4]), indexing='ij')
    (Tensor([[1, 1],
            [2, 2]], dtype=int64), Tensor([[3, 4],
            [3, 4]], dtype=int64))
    """
    if other:
        raise wrong_call("meshgrid", locals())
    if not arrays:
        return ()
    return tuple(apply("meshgrid", arrays, (), {"indexing": indexing}))


def tril(x: Tensor, /, *more: Never, k: int = 0, **other: Never) -> Tensor:
    """Lower triangle of matrices, with zeros elsewhere.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N).
    k : int, optional
        Elements above the k-th diagonal become zero; positive ones are above the main one.

    Returns
    -------
    Tensor
        Copy with the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tril(xp.asarray([[1, 2], [3, 4]]))
    Tensor([[1, 0],
            [3, 4]], dtype=int64)
    """
    if more or other:
        raise wrong_call("tril", locals())
    return _triangle("tril", x, k)


def triu(x: Tensor, /, *more: Never, k: int = 0, **other: Never) -> Tensor:
    """Upper triangle of matrices, with zeros elsewhere.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N).
    k : int, optional
        Elements below the k-th diagonal become zero; positive ones are above the main one.

    Returns
    -------
    Tensor
        Copy with the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.triu(xp.asarray([[1, 2], [3, 4]]))
    Tensor([[1, 2],
            [0, 4]], dtype=int64)
    """
    if more or other:
        raise wrong_call("triu", locals())
    return _triangle("triu", x, k)


def _triangle(name: str, x: Tensor, k: int) -> Tensor:
    if isinstance(x, Tensor) and x.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes; got shape {x.shape}")
    return call(name, x, (), {"k": as_int(name, "k", k)})


def diag(x: Tensor, /) -> Tensor:
    """Diagonal matrix of a vector, or diagonal of a matrix.

    Not in the standard.

    Parameters
    ----------
    x : Tensor
        Tensor with one or two axes.

    Returns
    -------
    Tensor
        For one axis, a new square matrix with `x` on its diagonal and zeros elsewhere. For two
        axes, the diagonal as returned by `linalg.diagonal`.

    Raises
    ------
    TypeError
        If `x` is not a tensor; under `strict()` always.
    ValueError
        If `x` has another number of axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.diag(xp.asarray([1, 2]))
    Tensor([[1, 0],
            [0, 2]], dtype=int64)
    """
    check_tensor("diag", x)
    if is_strict():
        raise TypeError("diag: outside the standard; write xp.where(xp.eye(n, dtype=bool), x, 0)")
    if x.ndim == 2:
        return view("linalg.diagonal", x, (), {"offset": 0})
    if x.ndim != 1:
        raise ValueError(f"diag: expected one or two axes; got shape {x.shape}")
    on = eye(x.size, dtype=_dtypes.ALL["bool"], device=x.device)
    return where(on, x, zeros((), dtype=x.dtype, device=x.device))
