"""Creation functions of the standard, and conversions from other libraries' arrays."""

from __future__ import annotations

from typing import Any, Literal

from . import _dtypes
from ._device import Device, get_device
from ._dispatch import SCALARS, apply, call, create, wrap
from ._dtypes import as_dtype
from ._errors import describe, explain
from ._typing import DeviceLike, DType, Real, Scalar, Shape, Tensor


def asarray(
    obj: Any,
    /,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    copy: bool | None = None,
) -> Tensor:
    """TODO"""
    dtype = as_dtype(dtype, "asarray")
    if isinstance(obj, Tensor):
        return _convert(obj, dtype, device, copy)
    if type(obj) not in SCALARS and hasattr(obj, "__dlpack_device__"):
        kind = obj.__dlpack_device__()[0]
        # NumPy's arrays come by way of NumPy, which reads more of them (byte orders, say).
        if not (int(kind) == 1 and hasattr(obj, "__array_interface__")):
            return _convert(from_dlpack(obj), dtype, device, copy)
    if isinstance(obj, (list, tuple)) and _holds_tensor(obj):
        if copy is False:
            raise ValueError("asarray: a sequence cannot be read without a copy; got copy=False")
        return _convert(_stack(obj, dtype, device), dtype, device, None)
    target = get_device(device)
    if copy is False and target.type != "cpu":
        raise ValueError(f"asarray: host data cannot be on {target} without a copy")
    try:
        data = target.backend.as_host(obj, dtype, copy)
    except (TypeError, ValueError, OverflowError) as error:
        raise explain(error, "asarray", (obj,)) from error
    return wrap(target.ops["from_host"](data), target)


def _convert(x: Tensor, dtype: DType, device: DeviceLike, copy: bool | None) -> Tensor:
    """A tensor as another dtype or on another device; itself if nothing changes."""
    target = x.device if device is None else get_device(device)
    same = target is x.device and (dtype is None or dtype == x.dtype)
    if same:
        return call("copy", x) if copy else x
    if copy is False:
        raise ValueError(
            f"asarray: {describe(x)} on {x.device} cannot become "
            f"{dtype or x.dtype} on {target} without a copy; got copy=False"
        )
    from ._data_type import astype

    return astype(x, x.dtype if dtype is None else dtype, copy=False, device=target)


def _holds_tensor(obj: Any) -> bool:
    if isinstance(obj, Tensor):
        return True
    return isinstance(obj, (list, tuple)) and any(_holds_tensor(x) for x in obj)


def _stack(obj: Any, dtype: DType, device: DeviceLike) -> Tensor:
    """Nested sequences that hold tensors, stacked; so they stay on their device and in a trace."""
    from ._manipulation import stack

    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, (list, tuple)):
        if device is None:
            device = _first_device(obj)
        parts = [_stack(x, dtype, device) for x in obj]
        if any(p.shape != parts[0].shape for p in parts):
            shapes = ", ".join(str(p.shape) for p in parts)
            raise ValueError(f"asarray: the elements of a sequence differ in shape: {shapes}")
        from ._data_type import result_type

        common = result_type(*(p.dtype for p in parts))
        return stack([_convert(p, common, device, None) for p in parts])
    return asarray(obj, device=device)


def _first_device(obj: Any) -> Device | None:
    if isinstance(obj, Tensor):
        return obj.device
    if isinstance(obj, (list, tuple)):
        for x in obj:
            found = _first_device(x)
            if found is not None:
                return found
    return None


def from_numpy(a: Any, /) -> Tensor:
    """TODO"""
    cpu = get_device("cpu")
    if not isinstance(a, cpu.array_type):
        raise TypeError(f"from_numpy: expected a numpy.ndarray; got {describe(a)}")
    try:
        return wrap(cpu.backend.as_host(a, None, False), cpu)
    except (TypeError, ValueError) as error:
        raise explain(error, "from_numpy", (a,)) from error


def from_dlpack(x: Any, /, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """TODO"""
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise TypeError(
            f"from_dlpack: expected an object with __dlpack__ and __dlpack_device__; "
            f"got {describe(x)}"
        )
    kind, index = x.__dlpack_device__()
    name = {1: "cpu", 2: f"cuda:{index}", 3: "cpu", 13: f"cuda:{index}"}.get(int(kind))
    if name is None and isinstance(x, Tensor):
        name = str(x.device)  # a backend of the tests, whose devices DLPack does not know
    if name is None:
        raise BufferError(f"from_dlpack: data on DLPack device type {int(kind)} is out of reach")
    source = Device(name)
    target = source if device is None else get_device(device)
    if target is not source and copy is False:
        raise BufferError(f"from_dlpack: {source} to {target} needs a copy; got copy=False")
    try:
        data = source.ops["from_dlpack"](x, copy if target is source else None)
    except (TypeError, ValueError, BufferError, RuntimeError) as error:
        raise explain(error, "from_dlpack", (x,)) from error
    return wrap(data, source).to_device(target)


def _shape(shape: Any, function: str) -> tuple[int, ...]:
    """A shape argument as a tuple of non-negative ints."""
    if type(shape) is int and shape >= 0:
        return (shape,)
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    try:
        result = tuple([n.__index__() for n in sizes])
    except AttributeError:
        raise TypeError(
            f"{function}: shape must be an int or a tuple of ints; got {shape!r}"
        ) from None
    if any(n < 0 for n in result):
        raise ValueError(f"{function}: shape must not be negative; got {shape!r}")
    return result


def arange(
    start: Real,
    /,
    stop: Real | None = None,
    step: Real = 1,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """TODO"""
    if stop is None:
        start, stop = 0, start
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        _check_scalar("arange", name, value, "biuf")
    if not step:
        raise ValueError("arange: step must not be 0")
    if dtype is None:
        whole = all(_scalar_dtype(v).kind in "biu" for v in (start, stop, step))
        dtype = _dtypes.DEFAULTS["integral" if whole else "real floating"]
    dtype = as_dtype(dtype, "arange")
    return create("arange", get_device(device), start, stop, step, dtype=dtype)


def _scalar_dtype(value: Any) -> DType:
    """The default dtype for a Python scalar; a tensor or NumPy scalar keeps its own."""
    if isinstance(value, bool):
        return _dtypes.ALL["bool"]
    if isinstance(value, int):
        return _dtypes.DEFAULTS["integral"]
    if isinstance(value, float):
        return _dtypes.DEFAULTS["real floating"]
    if isinstance(value, complex):
        return _dtypes.DEFAULTS["complex floating"]
    return value.dtype


def _check_scalar(function: str, name: str, value: Any, kinds: str) -> None:
    numeric = isinstance(value, (int, float)) or ("c" in kinds and isinstance(value, complex))
    # A tensor or NumPy scalar of no axes is as good as its value, which it converts to.
    if not numeric and getattr(value, "shape", None) != ():
        raise TypeError(f"{function}: {name} must be a number; got {describe(value)}")


def empty(shape: Shape, *, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """TODO"""
    return _filled("empty", shape, dtype, device)


def zeros(shape: Shape, *, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """TODO"""
    return _filled("zeros", shape, dtype, device)


def ones(shape: Shape, *, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """TODO"""
    return _filled("ones", shape, dtype, device)


def _filled(name: str, shape: Shape, dtype: DType | None, device: DeviceLike) -> Tensor:
    target = get_device(device)
    dtype = _dtypes.DEFAULTS["real floating"] if dtype is None else as_dtype(dtype, name)
    return create(name, target, _shape(shape, name), dtype=dtype)


def full(
    shape: Shape,
    fill_value: Scalar,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """TODO"""
    if isinstance(fill_value, Tensor):
        if fill_value.ndim:
            raise ValueError(f"full: fill_value must be a scalar; got {describe(fill_value)}")
        filled = empty(shape, dtype=dtype or fill_value.dtype, device=device or fill_value.device)
        filled[...] = fill_value
        return filled
    _check_scalar("full", "fill_value", fill_value, "biufc")
    dtype = _scalar_dtype(fill_value) if dtype is None else as_dtype(dtype, "full")
    return create("full", get_device(device), _shape(shape, "full"), fill_value, dtype=dtype)


def empty_like(x: Tensor, /, *, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """TODO"""
    return empty(x.shape, dtype=x.dtype if dtype is None else dtype, device=device or x.device)


def zeros_like(x: Tensor, /, *, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """TODO"""
    return zeros(x.shape, dtype=x.dtype if dtype is None else dtype, device=device or x.device)


def ones_like(x: Tensor, /, *, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """TODO"""
    return ones(x.shape, dtype=x.dtype if dtype is None else dtype, device=device or x.device)


def full_like(
    x: Tensor,
    /,
    fill_value: Scalar,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """TODO"""
    dtype = x.dtype if dtype is None else dtype
    return full(x.shape, fill_value, dtype=dtype, device=device or x.device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """TODO"""
    target = get_device(device)
    dtype = _dtypes.DEFAULTS["real floating"] if dtype is None else as_dtype(dtype, "eye")
    rows, cols = _shape((n_rows, n_rows if n_cols is None else n_cols), "eye")
    return create("eye", target, rows, cols, k=k, dtype=dtype)


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    endpoint: bool = True,
) -> Tensor:
    """TODO"""
    for name, value in (("start", start), ("stop", stop)):
        _check_scalar("linspace", name, value, "biufc")
    (num,) = _shape(num, "linspace")
    if dtype is None:
        complex_ends = isinstance(start, complex) or isinstance(stop, complex)
        dtype = _dtypes.DEFAULTS["complex floating" if complex_ends else "real floating"]
    dtype = as_dtype(dtype, "linspace")
    return create("linspace", get_device(device), start, stop, num, dtype=dtype, endpoint=endpoint)


def meshgrid(*arrays: Tensor, indexing: Literal["xy", "ij"] = "xy") -> tuple[Tensor, ...]:
    """TODO"""
    if not arrays:
        return ()
    return tuple(apply("meshgrid", arrays, (), {"indexing": indexing}))


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """TODO"""
    return call("tril", x, k=k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """TODO"""
    return call("triu", x, k=k)
