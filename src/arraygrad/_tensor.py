"""The array object of the standard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any, Never

from . import _callers, _device, _dispatch, _keys, _numpy_protocols
from ._array import wrap
from ._device import Device, DeviceLike
from ._dtypes import accumulator, required_dtype
from ._errors import DeviceMismatchError, TransferError, describe, explain, in_own_name
from ._hints import METHODS, Elsewhere, wrong_call
from ._memory import bottom, mark_external, shared_alias
from ._modes import Override, get_mode, get_recorder, is_strict
from ._operators import Operators

if TYPE_CHECKING:
    import numpy as np

    from ._dtypes import DType
    from .autodiff._graph import Hook, Node

#: SciPy's and scikit-learn's tables of functions that take arrays of the standard.
_SCIPY_ON_GPUS = (
    "docs.scipy.org/doc/scipy/dev/api-dev/array_api.html (for scikit-learn, "
    "scikit-learn.org/stable/modules/array_api.html)"
)
_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


class Tensor(Operators):
    """A multi-dimensional array on a device.

    Creation functions (`asarray`, `zeros`, `arange`, ...) and operations make tensors; the class
    cannot be called. A tensor has the attributes, methods and operators of the array API standard,
    plus conversions to and from NumPy.

    Notes
    -----
    Indexing with integers and slices returns a view of the same data, also for single elements
    (``v = x[0]; v += 1`` changes ``x`` on every device). Indexing with arrays returns a copy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> x @ x.mT
    Tensor([[ 5., 11.],
            [11., 25.]], dtype=float64)
    >>> x[x > 2]
    Tensor([3., 4.], dtype=float64)
    """

    __slots__ = ()

    # NumPy's arrays and scalars leave `a + tensor` to the tensor. (There is no __array_ufunc__, so
    # NumPy computes np.abs(tensor): it converts the tensor and wraps the result.)
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]  # (so Python is told that it has none)

    # ---- attributes

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the elements, one of the namespace's dtypes."""
        return self._data.dtype

    @property
    def device(self) -> Device:
        """Device on which the data lives."""
        return self._device

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def T(self) -> Tensor:
        """Transpose: a view with the order of the axes reversed.

        The standard defines it for two axes only; `mT` transposes stacks of matrices.
        """
        return _dispatch.view("T", self)

    @property
    def mT(self) -> Tensor:
        """Transpose of the last two axes, a view.

        Raises
        ------
        ValueError
            With fewer than two axes.
        """
        return _dispatch.view("matrix_transpose", self)

    # ---- the standard's protocol methods

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """The namespace of this tensor: the module `arraygrad`.

        Raises
        ------
        ValueError
            If there is no such version of the standard.
        """
        if api_version is not None and api_version not in _API_VERSIONS:
            raise ValueError(
                f"__array_namespace__: api_version must be one of {', '.join(_API_VERSIONS)}; "
                f"got {api_version!r}"
            )
        return sys.modules[__package__]

    def to_device(self, device: DeviceLike, /, *, stream: Any = None) -> Tensor:
        """The same data on another device.

        Parameters
        ----------
        device : Device or str
            Target device. If the tensor is there already, it is returned unchanged.
        stream : int or object with ``__cuda_stream__``, optional
            CUDA stream on which to copy: a stream of CuPy, PyTorch or another library, 1 (legacy
            default stream), 2 (default stream of the thread) or an address. It belongs to the
            target GPU or, for a copy to the host, to the source GPU. The copy starts after the
            work already queued on CuPy's current stream, and work queued there later starts after
            the copy. None is the current stream.

        Raises
        ------
        TypeError
            If `stream` is not a stream.
        ValueError
            If the device does not exist, a stream is given but neither device is a CUDA device,
            or the stream belongs to another GPU.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.ones(3)
        >>> x.to_device("cpu") is x
        True
        """
        if device is None:
            raise TypeError("to_device: device must be a Device or a string; got None")
        target = _device.get_device(device, "to_device")
        if stream is not None and target.type == self._device.type == "cpu":
            raise ValueError("to_device: stream must be None on the CPU")
        if target is self._device:
            return self
        if self._trace is not None:
            return self._trace.level.process("to_device", (self,), (target,), {"stream": stream})
        try:
            data = _transfer(self, target, stream)
        except Exception as error:
            raise explain(error, "to_device", (self, str(target)), {"stream": stream}) from error
        return wrap(type(self), data, target)

    def __dlpack__(
        self,
        /,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """DLPack capsule of the data; it is not copied unless requested.

        Parameters
        ----------
        stream : int or object with ``__cuda_stream__``, optional
            The consumer's CUDA stream, which waits for CuPy's current stream; -1 for no
            synchronisation. None on the CPU.
        max_version : tuple of int, optional
            Newest DLPack version that the consumer supports. Read-only data needs (1, 0).
        dl_device : tuple, optional
            (type, index) of the target device. For a tensor on CUDA, (1, 0) copies to the host.
        copy : bool, optional
            True always copies. False raises BufferError if a copy is needed.

        Raises
        ------
        BufferError
            If the data cannot be exported in the requested way.
        """
        return self._device.ops["dlpack"](
            self._exported("__dlpack__"),
            stream=stream,
            max_version=max_version,
            dl_device=dl_device,
            copy=copy,
        )

    def __dlpack_device__(self, /) -> tuple[Any, int]:
        """(DLPack device type, index): (1, 0) on the CPU, (2, N) on ``cuda:N``."""
        return self._data.__dlpack_device__()

    # ---- conversions

    def numpy(self) -> np.ndarray[Any, Any]:
        """The data as a NumPy array.

        Returns
        -------
        numpy.ndarray
            Has the shape and dtype of the tensor. It shares the memory of a tensor on the CPU, and
            is a copy of a tensor on CUDA.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.arange(3).numpy()
        array([0, 1, 2])
        """
        return self._device.ops["to_host"](self._exported("numpy"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """NumPy's protocol for conversion to an array, for tensors on the CPU.

        Raises
        ------
        TransferError
            If the tensor is on another device; `numpy` copies.
        """
        data = self._exported("__array__")
        if self._device.type != "cpu":
            to_cpu = 'write x.numpy() or x.to_device("cpu")'
            why = _callers.reason(
                f"NumPy reads only the CPU's memory; {to_cpu}",
                f"{_SCIPY_ON_GPUS} lists what runs on GPUs; {to_cpu}",
            )
            raise TransferError(f"__array__: the tensor is on {self._device}, and {why}")
        return self._device.ops["array"](data, dtype=dtype, copy=copy)

    def __array_wrap__(
        self, array: Any, context: Any = None, return_scalar: bool = False, /
    ) -> Any:
        """NumPy's protocol for ufuncs, also of SciPy and numba: they return tensors for tensors."""
        return _numpy_protocols.wrap_result(array, context)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any, /) -> Any:
        """NumPy's protocol for its other functions.

        Most convert tensors and return arrays. Those that Dask calls on its chunks return tensors.
        A few only use methods of tensors: they work on every device, and are differentiated.
        """
        return _numpy_protocols.call(func, types, args, kwargs, self._device)

    def __arrow_array__(self, type: Any = None) -> Any:
        """PyArrow's protocol, for tensors on the CPU."""
        return import_module("pyarrow").array(self.__array__(), type=type)

    def __buffer__(self, flags: int, /) -> memoryview:
        """Python's buffer protocol, for tensors on the CPU (from Python 3.12 on)."""
        return memoryview(self.__array__())

    def item(self) -> Any:
        """The only element as a Python scalar.

        Raises
        ------
        ValueError
            If there is not exactly one element.

        Notes
        -----
        The number is a constant under differentiation.
        """
        if self.size != 1:
            raise ValueError(f"item: expected one element; got shape {self.shape}")
        return self._device.ops["item"](self._current("item"))

    def tolist(self) -> Any:
        """The elements as Python scalars in nested lists."""
        self._check_constant("tolist")
        return self._device.ops["to_host"](self._current("tolist")).tolist()

    # ---- gradients: `autodiff` keeps its records in the trace

    @property
    def requires_grad(self) -> bool:
        """True if operations on this tensor are recorded. It can be set for a leaf."""
        trace = self._fresh_trace()
        return trace is not None and trace.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True, /) -> Tensor:
        """Set whether operations on this tensor are recorded, in place.

        Parameters
        ----------
        requires_grad : bool, optional
            True makes the tensor a leaf that requires grad; False stops the recording.

        Returns
        -------
        Tensor
            The tensor itself.

        Raises
        ------
        TypeError
            If the dtype is not a floating-point dtype.
        RuntimeError
            If the tensor is the result of a recorded operation; use `detach`.

        Examples
        --------
        >>> import arraygrad as xp
        >>> w = xp.ones(2).requires_grad_()
        >>> xp.sum(w**2).backward()
        >>> w.grad
        Tensor([2., 2.], dtype=float64)
        """
        # autodiff is imported when it is first asked for, as a backend is.
        import_module("arraygrad.autodiff").set_requires_grad(self, requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """True unless a recorded operation returned this tensor."""
        trace = self._fresh_trace()
        return trace is None or trace.is_leaf

    @property
    def _is_parameter(self) -> bool:
        """True for a leaf that the user made, also after ``requires_grad_(False)``."""
        return self._trace is not None and self._trace.is_tape_leaf

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated; None before.

        It has the tensor's shape, dtype and device. It may be set for a leaf, for example to None
        before a new backward pass. Other tensors have it only after `retain_grad`.
        """
        trace = self._fresh_trace()
        recorder = None if trace is None else get_recorder()
        if recorder is not None:
            recorder.read_grad(self)
        return None if trace is None else trace.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (
            not isinstance(value, Tensor) or value.shape != self.shape or value.dtype != self.dtype
        ):
            raise TypeError(
                f"grad: expected None or a tensor of shape {self.shape} and dtype {self.dtype}; "
                f"got {describe(value)}"
            )
        if value is not None and value.device is not self.device:
            raise DeviceMismatchError(
                f"grad: the gradient is on {value.device} and the tensor on {self.device}; "
                f'write x.grad = g.to_device("{self.device}")'
            )
        self._fresh_trace()
        if self._trace is None or not self._trace.is_leaf:
            if value is None and self._trace is None:
                return
            raise AttributeError(
                "grad: it can be set only for a leaf that requires grad; "
                "write x.requires_grad_() first"
            )
        recorder = get_recorder()
        if recorder is not None and recorder.write_grad(self, value):
            return
        self._trace.grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that returned this tensor; None if none was recorded."""
        trace = self._fresh_trace()
        return None if trace is None else trace.grad_fn

    def backward(
        self,
        gradient: Tensor | None = None,
        *,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this tensor to the `grad` of the leaves that it depends on.

        Parameters
        ----------
        gradient : Tensor, optional
            Cotangent of this tensor, with its shape. For a tensor of one element it defaults to 1.
        retain_graph : bool, optional
            Keep the graph for another backward pass. Otherwise saved tensors are freed during the
            pass. By default equal to `create_graph`.
        create_graph : bool, optional
            Record the backward pass itself, for derivatives of the gradients.

        Raises
        ------
        ValueError
            If `gradient` is missing and the tensor is complex or does not have exactly one element.
        RuntimeError
            If nothing was recorded, or if the graph has been freed.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.asarray(3.0).requires_grad_()
        >>> (x * x).backward()
        >>> x.grad
        Tensor(6., dtype=float64)
        """
        if self._trace is None:
            raise RuntimeError(
                f"backward: nothing was recorded; got {describe(self)}; compute it from a tensor "
                "that requires grad (x.requires_grad_()), outside of no_grad()"
            )
        self._trace.level.backward(self, gradient, retain_graph, create_graph)

    def detach(self) -> Tensor:
        """Tensor over the same data that does not require grad.

        Returns
        -------
        Tensor
            Shares the memory, so a write to one of the two changes the other.

        Examples
        --------
        >>> import arraygrad as xp
        >>> w = xp.asarray([1.0, 2.0]).requires_grad_()
        >>> (2 * w).detach()
        Tensor([2., 4.], dtype=float64)
        """
        if self._trace is None:
            return shared_alias(self)  # this one may become recorded by a write
        return self._trace.level.detach(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None], /) -> Hook:
        """Call a function with this tensor's gradient whenever one is computed.

        Parameters
        ----------
        hook : callable
            Receives the gradient before it is added to `grad` or propagated. Returns a new gradient
            to replace it, or None.

        Returns
        -------
        Hook
            Its method `remove` removes the function. As a context manager, it does so on exit.

        Raises
        ------
        RuntimeError
            If the tensor does not require grad.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.asarray(3.0).requires_grad_()
        >>> hook = x.register_hook(lambda g: 10 * g)
        >>> (x * x).backward()
        >>> x.grad
        Tensor(60., dtype=float64)
        >>> hook.remove()
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: this tensor does not require grad")
        return self._trace.register_hook(hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in `grad`, although it is not a leaf.

        After an in-place operation, it is the gradient of the tensor's new value.

        Raises
        ------
        RuntimeError
            If the tensor does not require grad.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.asarray(3.0).requires_grad_()
        >>> y = x * x
        >>> y.retain_grad()
        >>> (2 * y).backward()
        >>> y.grad
        Tensor(2., dtype=float64)
        """
        if not self.requires_grad:
            raise RuntimeError("retain_grad: this tensor does not require grad")
        self._trace.retain_grad()

    # ---- methods that are not in the standard, but that libraries call: np.sum(x) is x.sum(...)

    def sum(
        self,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        **other: Never,
    ) -> Tensor:
        """The function `sum`; `out` must be None."""
        if other:
            raise wrong_call("sum", {**locals(), "x": self})
        return _reduce("sum", self, out, axis=axis, keepdims=keepdims, dtype=dtype)

    def prod(
        self,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        **other: Never,
    ) -> Tensor:
        """The function `prod`; `out` must be None."""
        if other:
            raise wrong_call("prod", {**locals(), "x": self})
        return _reduce("prod", self, out, axis=axis, keepdims=keepdims, dtype=dtype)

    def mean(
        self,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        **other: Never,
    ) -> Tensor:
        """The function `mean`, computed in `dtype` if one is given; `out` must be None."""
        if other:
            raise wrong_call("mean", {**locals(), "x": self})
        x = self if dtype is None else self.astype(accumulator(dtype, self, "mean"))
        return _reduce("mean", x, out, axis=axis, keepdims=keepdims)

    def max(
        self, axis: Any = None, out: None = None, keepdims: bool = False, **other: Never
    ) -> Tensor:
        """The function `max`; `out` must be None."""
        if other:
            raise wrong_call("max", {**locals(), "x": self})
        return _reduce("max", self, out, axis=axis, keepdims=keepdims)

    def min(
        self, axis: Any = None, out: None = None, keepdims: bool = False, **other: Never
    ) -> Tensor:
        """The function `min`; `out` must be None."""
        if other:
            raise wrong_call("min", {**locals(), "x": self})
        return _reduce("min", self, out, axis=axis, keepdims=keepdims)

    def any(
        self, axis: Any = None, out: None = None, keepdims: bool = False, **other: Never
    ) -> Tensor:
        """The function `any`; `out` must be None."""
        if other:
            raise wrong_call("any", {**locals(), "x": self})
        return _reduce("any", self, out, axis=axis, keepdims=keepdims)

    def all(
        self, axis: Any = None, out: None = None, keepdims: bool = False, **other: Never
    ) -> Tensor:
        """The function `all`; `out` must be None."""
        if other:
            raise wrong_call("all", {**locals(), "x": self})
        return _reduce("all", self, out, axis=axis, keepdims=keepdims)

    def astype(self, dtype: DType, copy: bool = True) -> Tensor:
        """The function `astype`."""
        return _function("astype")(self, dtype, copy=copy)

    def reshape(self, *shape: Any, copy: bool | None = None) -> Tensor:
        """The function `reshape`; the sizes are one tuple or separate arguments."""
        if len(shape) == 1 and not isinstance(shape[0], int):
            (shape,) = shape
        elif not shape:
            raise TypeError(
                "reshape: the shape is missing; write x.reshape(-1) for one axis, or x.reshape(()) "
                "for none"
            )
        return _function("reshape")(self, shape, copy=copy)

    def ravel(self) -> Tensor:
        """The function `reshape` to one axis, in row-major order."""
        return _function("reshape")(self, (-1,))

    def squeeze(self, axis: Any = None) -> Tensor:
        """The function `squeeze`; by default for all axes of size 1."""
        if axis is None:
            axis = tuple(i for i, n in enumerate(self.shape) if n == 1)
        return _function("squeeze")(self, axis)

    @in_own_name("transpose")
    def transpose(self, *axes: Any) -> Tensor:
        """The function `permute_dims`; the axes are one tuple or separate arguments.

        By default, the order is reversed. In PyTorch, two numbers exchange two axes; if they would
        not do so here, they raise.
        """
        if axes in ((), (None,)):
            axes = tuple(range(self.ndim))[::-1]
        elif len(axes) == 2 and (self.ndim != 2 or axes in _IN_ORDER):
            raise ValueError(
                f"transpose: the arguments are all axes in their new order; got {axes} for shape "
                f"{self.shape}; write x.mT to exchange the last two, or xp.permute_dims(x, axes)"
            )
        elif len(axes) == 1 and not isinstance(axes[0], int):
            (axes,) = axes
        return _function("permute_dims")(self, axes)

    def conj(self) -> Tensor:
        """The function `conj`."""
        return _function("conj")(self)

    @property
    def real(self) -> Tensor:
        """The function `real`."""
        return _function("real")(self)

    @property
    def imag(self) -> Tensor:
        """The function `imag`."""
        return _function("imag")(self)

    def view(self, dtype: DType = None, *more: Never, **other: Never) -> Tensor:
        """View of the memory as another dtype, as in NumPy; not in the standard.

        Parameters
        ----------
        dtype : dtype
            If its size differs, the size of the last axis changes: viewed as real numbers, complex
            numbers are twice as many.

        Returns
        -------
        Tensor
            A view.

        Raises
        ------
        TypeError
            If `dtype` is not a dtype; under `strict()`; and under differentiation if `dtype` is not
            that of the tensor, because a write to the view could not be differentiated.
        ValueError
            If the memory cannot be divided into elements of `dtype`.
        """
        if more or other or isinstance(dtype, (int, tuple, list)):
            shape = other.get("size", dtype if isinstance(dtype, (tuple, list)) else (dtype, *more))
            raise TypeError(
                f"view: dtype must be a dtype; for another shape, write xp.reshape(x, {shape})"
            )
        if is_strict():
            raise TypeError("view: outside the standard; write xp.real(x) and xp.imag(x)")
        dtype = required_dtype(dtype, "view")
        return self[...] if dtype == self.dtype else _dispatch.view("view", self, (dtype,))

    # ---- conversions under PyTorch's names: libraries write x.detach().cpu().numpy()

    def cpu(self) -> Tensor:
        """The same data on the CPU: ``to_device("cpu")``."""
        return self.to("cpu")

    @in_own_name("cuda")
    def cuda(self, device: Any = None, non_blocking: bool = False) -> Tensor:
        """The same data on a CUDA device, given by name or number: ``to_device("cuda")``."""
        if device is None:
            device = "cuda"
        elif hasattr(device, "__index__"):
            device = f"cuda:{device}"
        if not str(device).startswith("cuda"):
            raise ValueError(f"cuda: expected a CUDA device; got {device}")
        return self.to(device)

    def to(
        self,
        *target: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
        copy: bool = False,
    ) -> Tensor:
        """The same data on another device, in another dtype, or both.

        Parameters
        ----------
        *target : Device, str, dtype or Tensor
            A device, a dtype, a device and a dtype, or a tensor that has both.
        device : Device or str, optional
            Target device, as a keyword.
        dtype : dtype, optional
            Target dtype, as a keyword.
        non_blocking : bool, optional
            Ignored.
        copy : bool, optional
            Copy even if neither changes.

        Returns
        -------
        Tensor
            The tensor itself if neither device nor dtype changes, unless `copy` is True.

        Raises
        ------
        TypeError
            If an argument is neither a device nor a dtype, if there are two of a kind, and under
            `strict()`.
        ValueError
            If the device does not exist.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.ones(2)
        >>> x.to(xp.float32)
        Tensor([1., 1.], dtype=float32)
        >>> x.to("cpu") is x
        True
        """
        if is_strict():
            raise TypeError(
                "to: outside the standard; write x.to_device(device) or xp.astype(x, dtype)"
            )
        devices, dtypes = [device], [dtype]
        for x in target:
            if isinstance(x, Tensor):
                devices.append(x.device)
                dtypes.append(x.dtype)
            else:
                (devices if isinstance(x, (str, Device)) else dtypes).append(x)
        devices = [x for x in devices if x is not None]
        dtypes = [x for x in dtypes if x is not None]
        if len(devices) > 1 or len(dtypes) > 1:
            raise TypeError(f"to: expected one device and one dtype; got {target}")
        x = self
        for dtype in dtypes:
            x = x.astype(required_dtype(dtype, "to"), copy=False)
        for device in devices:
            x = x.to_device(device)
        return x.__copy__() if copy and x is self else x

    def _fresh_trace(self) -> Any:
        """The trace, updated if this is a view whose base has been written."""
        if self._trace is not None:
            self._trace.level.refresh(self)
        return self._trace

    def _current(self, name: str) -> Any:
        """The data, brought up to date if this is a view whose base has been written.

        The function `name` reads the values. It raises where each example of a batch has its own,
        and while a program is recorded, which would be that of these values only.
        """
        if self._fresh_trace() is not None:
            self._trace.level.check_value(self, name)
        recorder = get_recorder()
        if recorder is not None:
            recorder.read(name, self._data)
        return self._data

    def _check_constant(self, name: str) -> None:
        """Raise if a gradient would be lost by reading the data; `name` is the function."""
        if self._trace is not None:
            self._trace.level.check_value(self, name)
            self._trace.level.check_constant(self, name)

    def _exported(self, name: str) -> Any:
        """The data for another library, which shares its memory from now on.

        `name` is the exporting function, for the error that a gradient would be lost.
        """
        self._check_constant(name)
        recorder = get_recorder()
        if recorder is not None:
            recorder.leave(name)
        plain = self if self._trace is None else self.detach()
        mark_external(plain, exported=True)
        return plain._data

    def _scalar(self, name: str, allowed: str) -> Any:
        if self._fresh_trace() is not None:
            self._trace.level.check_value(self, name)
        if self._data.ndim:
            raise TypeError(f"{name}: only a 0-d tensor can be converted; got shape {self.shape}")
        if self._data.dtype.kind not in allowed:
            raise TypeError(f"{name}: a {self.dtype} tensor cannot be converted")
        if self._fresh_trace() is not None and name in ("__float__", "__complex__"):
            self._trace.level.check_number(self, name)
        return self._device.ops["item"](self._current(name))

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise TypeError(
                f"__bool__: the truth of {self.size} elements is ambiguous (shape {self.shape}); "
                "write xp.any(x) or xp.all(x)"
            )
        if is_strict() and (self.ndim or self.dtype.kind != "b"):
            raise TypeError(
                "__bool__: outside the standard unless x is a 0-d bool; write bool(xp.any(x))"
            )
        return bool(self._device.ops["item"](self._current("__bool__")))

    def __int__(self) -> int:
        return int(self._scalar("__int__", "biuf"))

    def __float__(self) -> float:
        # (Most often, there is nothing to look up.)
        if self._trace is None and not self._data.ndim and get_mode() is None:
            x = self._device.ops["item"](self._data)
            if type(x) is float:
                return x
        return float(self._scalar("__float__", "biuf"))

    def __complex__(self) -> complex:
        return complex(self._scalar("__complex__", "biufc"))

    def __index__(self) -> int:
        return int(self._scalar("__index__", "iu"))

    def __len__(self) -> int:
        if is_strict():
            raise TypeError("len() of a tensor is outside the standard; write x.shape[0]")
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        ndim = self._data.ndim
        if not ndim:
            raise TypeError("iteration over a 0-d tensor")
        if ndim > 1 and is_strict():  # over one axis, indexing with ints is iteration enough
            raise TypeError(
                "iterating over several axes is outside the standard; write xp.unstack(x)"
            )
        return self._elements()

    def _elements(self) -> Iterator[Tensor]:
        """A generator, so that np.iterable, which SciPy calls, makes no element."""
        yield from _dispatch.view("unstack", self)

    # ---- text

    def _text(self, prefix: str) -> str:
        self._shown_trace()
        data = bottom(self)._data  # of a batch, all examples
        recorder = get_recorder()
        if recorder is not None:
            recorder.read("__repr__", data)
        return self._device.backend.to_text(self._device.ops["to_host"](data), prefix)

    def _shown_trace(self) -> Any:
        trace = self._trace
        if trace is not None and trace.level.batched and trace.level.closed:
            return trace  # of a vmap that has returned: a debugger shows it, too
        return self._fresh_trace()

    def __repr__(self) -> str:
        name = "Tensor"
        shape = f", shape={self.shape}" if not self.size else ""
        here = self._device is _device.get_device(None)
        device = "" if here else f", device='{self._device}'"
        trace = "" if self._shown_trace() is None else self._trace.text
        return f"{name}({self._text(f'{name}(')}{shape}, dtype={self.dtype.name}{device}{trace})"

    def __str__(self) -> str:
        return self._text("")

    def __format__(self, spec: str) -> str:
        if not self.ndim:
            return format(self._device.ops["item"](self._current("__format__")), spec)
        if spec:
            raise TypeError(
                f"__format__: only a 0-d tensor can be formatted with {spec!r}; "
                f"got shape {self.shape}"
            )
        return str(self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.item(), ndigits)

    # ---- copies and pickles

    def __copy__(self) -> Tensor:
        return _dispatch.unary("copy", self)

    def __deepcopy__(self, memo: dict[int, Any], /) -> Tensor:
        """Copy; a leaf becomes another leaf with a copy of its gradient, as optimisers need it."""
        if self._trace is not None and self._trace.is_tape_leaf:
            new = _dispatch.unary("copy", self.detach()).requires_grad_(self.requires_grad)
            if self.grad is not None:
                new.grad = deepcopy(self.grad, memo)
            return new
        return _dispatch.unary("copy", self)

    def __reduce__(self) -> tuple[Any, ...]:
        data = self._device.ops["to_host"](self._exported("__reduce__"))
        return _unpickle, (data, str(self._device))

    def __sizeof__(self) -> int:  # Dask's workers count their memory by it
        return super().__sizeof__() + int(self.size) * int(self.dtype.itemsize)

    def __dir__(self) -> list[str]:
        own = type(self)
        return [n for n in super().__dir__() if n not in METHODS or hasattr(own, n)]

    # ---- indexing

    def __getitem__(self, key: Any, /) -> Tensor:
        """The elements that `key` selects.

        Parameters
        ----------
        key : int, slice, Ellipsis, None, Tensor, or a tuple of these
            Index tensors have an integer or boolean dtype. Lists, ranges and, on the CPU, NumPy
            arrays are converted to such tensors.

        Raises
        ------
        IndexError
            If an index is out of bounds, there are too many, or one has another type.
        DeviceMismatchError
            If an index tensor is on another device.
        """
        return _keys.getitem(self, key)

    def __setitem__(self, key: Any, value: Any, /) -> None:
        """Write `value`, broadcast and cast to the tensor's dtype, to the elements of `key`.

        Parameters
        ----------
        key : int, slice, Ellipsis, None, Tensor, or a tuple of these
            As in indexing.
        value : Tensor or scalar
            Lists are converted to tensors.

        Raises
        ------
        IndexError
            As in indexing.
        TypeError
            If `value` is an array of another library, or is complex and the tensor is not.
        ValueError
            If the shapes do not broadcast, the data is read-only, or NaN is written into integers.
        OverflowError
            If a Python number does not fit an integer dtype. (Tensors are cast by `astype`.)
        DeviceMismatchError
            If an index or `value` is on another device.
        """
        _keys.setitem(self, key, value)


def _transfer(x: Any, target: Device, stream: Any) -> Any:
    """The data of a plain tensor on another device."""
    source = x._device
    recorder = get_recorder()
    if recorder is None:
        return _device.transfer(x._data, source, target, stream)

    def to_device(data: Any) -> Any:
        return _device.transfer(data, source, target, stream)

    return recorder.recorded("to_device", to_device, target)(x._data)


#: The axes of a matrix as they are.
_IN_ORDER = ((0, 1), (-2, -1), (0, -1), (-2, 1))


def _function(name: str) -> Any:
    """The function of the namespace with the name of a method."""
    if is_strict():
        raise TypeError(f"{name}: a method is outside the standard; write xp.{name}(x, ...)")
    return getattr(sys.modules[__package__], name)


def _reduce(name: str, x: Tensor, out: None, **kwargs: Any) -> Any:
    if out is not None:
        raise wrong_call(name, {"x": x, **kwargs, "other": {"out": out}})
    return _function(name)(x, **kwargs)


#: Device for unpickled tensors; None for their original device.
_map_location: ContextVar[Device | None] = ContextVar("arraygrad_map_location", default=None)


def map_location(device: DeviceLike, /) -> Override:
    """Unpickle tensors to `device` instead of their original device.

    Parameters
    ----------
    device : Device or str
        Device for tensors that are unpickled inside the ``with`` block or the decorated function.

    Returns
    -------
    context manager
        For ``with``; also a decorator.

    Raises
    ------
    ValueError
        If the device does not exist.

    Examples
    --------
    >>> import pickle
    >>> import arraygrad as xp
    >>> saved = pickle.dumps(xp.ones(2))
    >>> with xp.map_location("cpu"):
    ...     pickle.loads(saved)
    Tensor([1., 1.], dtype=float64)
    """
    target = _device.get_device(device, "map_location")
    return Override(_map_location, target)


def _unpickle(data: Any, device: str) -> Tensor:
    target = _map_location.get()
    if target is None:
        try:
            target = Device(device)
        except ValueError as error:
            raise ValueError(
                f"unpickling a tensor saved on {device}: {error}. To load it elsewhere: "
                'with arraygrad.map_location("cpu"): ...'
            ) from error
    return wrap(Tensor, target.ops["from_host"](data), target)


for _name in METHODS:
    setattr(Tensor, _name, Elsewhere(_name))
