"""The array object of the standard."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import ref

from . import _device, _dispatch
from ._device import Device, DeviceLike
from ._dtypes import required_dtype
from ._errors import TransferError, explain
from ._hints import METHODS, Elsewhere
from ._operators import Operators
from ._standard import check
from ._strict import is_strict

_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


class Tensor(Operators):
    """A multi-dimensional array on a device.

    Made by the creation functions (`asarray`, `zeros`, `arange`, ...) and by every operation;
    not by calling the class. It has the attributes, methods and operators of the array API
    standard, plus conversions to and from NumPy.

    Notes
    -----
    Indexing with integers and slices gives a view on the same data, also for single elements
    (``v = x[0]; v += 1`` changes ``x`` on every device). Indexing with arrays gives a copy.

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

    __slots__ = ("__weakref__", "_data", "_device", "_trace", "_value", "_view")

    _data: Any
    _device: Device
    # For transformations. They are slots of this class, not of its subclasses, because writing
    # a traced value into a plain tensor makes it a traced one: its class changes.
    # `_value`: the tensor below a traced one; of a plain tensor, what stands for its present
    # data in a recorded graph, or None (see `_dispatch.keep`). `_trace`, `_view`: not set
    # on plain tensors.
    _value: Any
    _trace: Any
    _view: Any

    # NumPy's arrays and scalars leave `a + tensor` to the tensor. (Without __array_ufunc__, so
    # that np.abs(tensor) still converts.)
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]  # (so Python is told that it has none)

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        """Not for use; says which function to use."""
        raise TypeError("Tensor: not made by calling the class; use arraygrad.asarray(...)")

    def _transform(
        self,
        name: str,
        operands: tuple[Any, ...],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Perform an operation in which this tensor takes part; transformations define it."""
        raise NotImplementedError

    # ---- attributes

    @property
    def dtype(self) -> Any:
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
        return _dispatch.unary("T", self)

    @property
    def mT(self) -> Tensor:
        """Transpose of the last two axes, a view.

        Raises
        ------
        ValueError
            With fewer than two axes.
        """
        return _dispatch.unary("matrix_transpose", self)

    # ---- the standard's protocol methods

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """The namespace that works on this tensor: the module `arraygrad`.

        Raises
        ------
        ValueError
            For a version of the standard that does not exist.
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
            Where to; the tensor itself is given back if it is there already.
        stream : int or object with ``__cuda_stream__``, optional
            CUDA stream on which to copy: a stream of CuPy, PyTorch or another library, 1 (the
            legacy default), 2 (the default of the thread) or an address; one of the GPU that is
            copied to or, to the host, from. The copy comes after what CuPy's current stream has
            been given before, and before what it is given next. None is the current one.

        Raises
        ------
        TypeError
            If `stream` is not a stream.
        ValueError
            If there is no such device, if a stream is given and no CUDA device takes part, or if
            it is of another GPU.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.ones(3)
        >>> x.to_device("cpu") is x
        True
        """
        if device is None:
            raise TypeError("to_device: device must be a Device or a string; got None")
        target = Device(device)
        if stream is not None and target.type == self._device.type == "cpu":
            raise ValueError("to_device: stream must be None on the CPU")
        if target is self._device:
            return self
        if type(self) is not Tensor:
            return self._transform("to_device", (self,), (target,), {"stream": stream})
        try:
            data = _device.transfer(self._data, self._device, target, stream)
        except Exception as error:
            raise explain(error, "to_device", (self, str(target)), {"stream": stream}) from error
        return _dispatch.wrap(data, target)

    def __dlpack__(
        self,
        /,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule of the data, without a copy unless one is asked for.

        Parameters
        ----------
        stream : int or object with ``__cuda_stream__``, optional
            The consumer's CUDA stream, which then reads in order with CuPy's current one; -1
            asks for no order. None on the CPU.
        max_version : tuple of int, optional
            The newest DLPack version that the consumer reads. Read-only data needs (1, 0).
        dl_device : tuple, optional
            (type, index) of the device wanted. From CUDA, (1, 0) copies to the host.
        copy : bool, optional
            True: always copy. False: raise BufferError where a copy is needed.

        Raises
        ------
        BufferError
            Where the data cannot be exported as asked.
        """
        return self._raw("__dlpack__", "dlpack")(
            self._data,
            stream=stream,
            max_version=max_version,
            dl_device=dl_device,
            copy=copy,
        )

    def __dlpack_device__(self, /) -> tuple[Any, int]:
        """(DLPack device type, index): (1, 0) on the CPU, (2, N) on ``cuda:N``."""
        return self._data.__dlpack_device__()

    # ---- conversions

    def numpy(self) -> Any:
        """The data as a NumPy array.

        Returns
        -------
        numpy.ndarray
            Of the same shape and dtype. On the CPU it shares the tensor's memory; from CUDA it
            is a copy.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.arange(3).numpy()
        array([0, 1, 2])
        """
        return self._raw("numpy", "to_host")(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """NumPy's conversion protocol, for tensors on the CPU.

        Raises
        ------
        TransferError
            From another device: `numpy` is the call that copies.
        """
        convert = self._raw("__array__", "array")
        if self._device.type != "cpu":
            raise TransferError(
                f"__array__: the tensor is on {self._device}, and NumPy reads only the CPU's "
                'memory; write x.numpy() or x.to_device("cpu")'
            )
        return convert(self._data, dtype=dtype, copy=copy)

    def __buffer__(self, flags: int, /) -> memoryview:
        """Python's buffer protocol, for tensors on the CPU (from Python 3.12 on)."""
        return memoryview(self.__array__())

    def item(self) -> Any:
        """The one element as a Python scalar.

        Raises
        ------
        ValueError
            If there is not exactly one element.

        Notes
        -----
        Of a tensor that takes part in a differentiation, the number is a constant.
        """
        if self.size != 1:
            raise ValueError(f"item: expected one element; got shape {self.shape}")
        return self._raw("item", "item")(self._data)

    def tolist(self) -> Any:
        """The elements as Python scalars in nested lists."""
        return self.numpy().tolist()

    # ---- what tensors that take part in a differentiation have more of

    def detach(self) -> Tensor:
        """The same data without what was recorded, if anything was.

        Returns
        -------
        Tensor
            Plain; it shares the memory.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> w = autodiff.variable(xp.asarray([1.0, 2.0]))
        >>> def plotted(x):  # with recording or without
        ...     return x.detach().numpy()
        >>> plotted(2 * w)
        array([2., 4.])
        >>> with autodiff.no_grad():
        ...     plotted(2 * w)
        array([2., 4.])
        """
        return _dispatch.wrap(self._data, self._device)  # itself may become recorded by a write

    @property
    def backward(self) -> Any:
        """A method of `autodiff.Variable`; where nothing was recorded, an error that says so."""
        raise AttributeError(
            f"backward: nothing was recorded; got a plain Tensor of shape {self.shape}. Compute it "
            "from variables, autodiff.variable(x), that require a gradient, outside of no_grad()"
        )

    # ---- methods that the standard does not have, and libraries call: np.sum(x) is x.sum(...)

    def sum(
        self, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False
    ) -> Tensor:
        """The function `sum`; `out` must be None."""
        return _reduce("sum", self, out, axis=axis, keepdims=keepdims, dtype=dtype)

    def prod(
        self, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False
    ) -> Tensor:
        """The function `prod`; `out` must be None."""
        return _reduce("prod", self, out, axis=axis, keepdims=keepdims, dtype=dtype)

    def mean(
        self, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False
    ) -> Tensor:
        """The function `mean`, in another dtype if one is given; `out` must be None."""
        x = self if dtype is None else self.astype(dtype)
        return _reduce("mean", x, out, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        """The function `max`; `out` must be None."""
        return _reduce("max", self, out, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        """The function `min`; `out` must be None."""
        return _reduce("min", self, out, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        """The function `any`; `out` must be None."""
        return _reduce("any", self, out, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        """The function `all`; `out` must be None."""
        return _reduce("all", self, out, axis=axis, keepdims=keepdims)

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """The function `astype`."""
        return _function("astype")(self, dtype, copy=copy)

    def reshape(self, *shape: Any, copy: bool | None = None) -> Tensor:
        """The function `reshape`; the sizes are one tuple, or one argument each."""
        if len(shape) == 1 and not isinstance(shape[0], int):
            (shape,) = shape
        return _function("reshape")(self, shape, copy=copy)

    def transpose(self, *axes: Any) -> Tensor:
        """The function `permute_dims`, of one tuple or one argument each; of none, reversed."""
        if axes in ((), (None,)):
            axes = tuple(range(self.ndim))[::-1]
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

    def view(self, dtype: Any, /) -> Tensor:
        """The same memory read as another dtype, as NumPy does; not in the standard.

        Parameters
        ----------
        dtype : dtype
            Of another size, the last axis changes its own: complex numbers as real ones are twice
            as many.

        Returns
        -------
        Tensor
            A view.

        Raises
        ------
        TypeError
            For what is no dtype, under `strict()`, and under differentiation, where a write into
            the view could not be followed, unless it is the dtype that the tensor has.
        ValueError
            If the memory does not divide into elements of that dtype.
        """
        if is_strict():
            raise TypeError("view: outside the standard; write xp.real(x) and xp.imag(x)")
        if isinstance(dtype, (int, tuple, list)):
            raise TypeError(
                f"view: dtype must be a dtype; got {dtype!r}; another shape is xp.reshape(x, shape)"
            )
        dtype = required_dtype(dtype, "view")
        return self[...] if dtype == self.dtype else _dispatch.call("view", self, dtype)

    def _raw(self, name: str, operation: str) -> Any:
        """The backend's function that lets data out; a transformation may refuse, naming `name`."""
        return self._device.ops[operation]

    def _scalar(self, name: str, allowed: str) -> Any:
        data = self._data
        if data.ndim:
            raise TypeError(f"{name}: only a tensor of no axes converts; got shape {self.shape}")
        if data.dtype.kind not in allowed:
            raise TypeError(f"{name}: a {self.dtype} tensor does not convert")
        return self._device.ops["item"](data)

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise TypeError(
                f"__bool__: the truth of {self.size} elements is ambiguous (shape {self.shape}); "
                "write xp.any(x) or xp.all(x)"
            )
        if is_strict() and (self.ndim or self.dtype.kind != "b"):
            raise TypeError(
                "__bool__: outside the standard but for 0-d bool; write bool(xp.any(x))"
            )
        return bool(self._device.ops["item"](self._data))

    def __int__(self) -> int:
        return int(self._scalar("__int__", "biuf"))

    def __float__(self) -> float:
        if type(self) is Tensor and not self._data.ndim:  # most often, and not traced
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
            raise TypeError("len() of a tensor of no axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        ndim = self._data.ndim
        if not ndim:
            raise TypeError("iteration over a tensor of no axes")
        if ndim > 1 and is_strict():  # over one axis, indexing with ints is iteration enough
            raise TypeError(
                "iterating over several axes is outside the standard; write xp.unstack(x)"
            )
        return self._elements()

    def _elements(self) -> Iterator[Tensor]:
        """Made when the first is asked for: np.iterable, which SciPy calls, asks for none."""
        yield from _dispatch.call("unstack", self)

    # ---- text

    def _text(self, prefix: str) -> str:
        return self._device.backend.to_text(self._device.ops["to_host"](self._data), prefix)

    def __repr__(self) -> str:
        name = type(self).__name__
        shape = f", shape={self.shape}" if not self.size else ""
        here = self._device is _device.get_device(None)
        device = "" if here else f", device='{self._device}'"
        return f"{name}({self._text(f'{name}(')}{shape}, dtype={self.dtype.name}{device})"

    def __str__(self) -> str:
        return self._text("")

    def __format__(self, spec: str) -> str:
        if not self.ndim:
            return format(self._device.ops["item"](self._data), spec)
        if spec:
            raise TypeError(
                f"__format__: a format such as {spec!r} is for tensors of no axes; "
                f"got shape {self.shape}"
            )
        return str(self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.item(), ndigits)

    # ---- copies and pickles

    def __copy__(self) -> Tensor:
        return _dispatch.unary("copy", self)

    def __deepcopy__(self, memo: dict[int, Any], /) -> Tensor:
        return _dispatch.unary("copy", self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (
            self._raw("__reduce__", "to_host")(self._data),
            str(self._device),
        )

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
            Index tensors are of integer or boolean dtype. Lists, ranges, and on the CPU NumPy
            arrays are read as such tensors.

        Raises
        ------
        IndexError
            Out of bounds, too many indices, or a key of another kind.
        DeviceMismatchError
            If an index tensor is on another device.
        """
        device = self._device
        if type(self) is not Tensor:
            if type(key) not in _dispatch.PLAIN_KEYS and device.type == "cuda":
                key = _dispatch.counted(key, self)
            return _dispatch.SHORT_CALL.get(type(self), _dispatch.apply)("getitem", (self,), (key,))
        if type(key) not in _dispatch.PLAIN_KEYS:
            key = _dispatch.key_data("__getitem__", key, device)
        if is_strict():
            return _dispatch.apply("getitem", (self,), (key,))
        try:
            out = _dispatch.wrap(device.ops["getitem"](self._data, key), device)
        except Exception as error:
            raise explain(error, "__getitem__", (self, key)) from error
        if _dispatch.writes.on and not _dispatch.has_arrays(key):
            out._view = (ref(self), key)  # written into, it makes its base traced too
        return out

    def __setitem__(self, key: Any, value: Any, /) -> None:
        """Write `value`, broadcast and cast to the tensor's dtype, where `key` selects.

        Parameters
        ----------
        key : int, slice, Ellipsis, None, Tensor, or a tuple of these
            As in indexing.
        value : Tensor or scalar
            A list is read as a tensor.

        Raises
        ------
        IndexError
            As in indexing.
        TypeError
            If `value` is complex and the tensor is not, or is another library's array.
        ValueError
            If the shapes do not broadcast or the data is read-only.
        DeviceMismatchError
            If an index or `value` is on another device.
        """
        if isinstance(value, (list, tuple)):
            if is_strict():
                raise TypeError(
                    "__setitem__: a list is outside the standard; write xp.asarray(...)"
                )
            from ._creation import asarray, device_of

            value = asarray(value, device=device_of(value) or self._device)
        if self.dtype.kind != "c" and (
            isinstance(value, complex) or (isinstance(value, Tensor) and value.dtype.kind == "c")
        ):
            raise TypeError(
                f"__setitem__: a complex value does not fit into a {self.dtype} tensor; "
                "write xp.real(value)"
            )
        traced = isinstance(value, Tensor) and type(value) is not Tensor
        if type(self) is Tensor and not traced:
            key = _dispatch.key_data("__setitem__", key, self._device)
            if type(value) is Tensor and value._device is self._device:
                data = value._data
            elif type(value) in _dispatch.SCALARS:
                data = value
            else:
                _dispatch.apply("setitem", (self, value), (key,))
                return
            if is_strict():
                check("setitem", (self, value), (key,), {})
            if _dispatch.writes.on:
                _dispatch.note_write(self)
            try:
                self._device.ops["setitem"](self._data, data, key)
            except Exception as error:
                raise explain(error, "__setitem__", (self, key, value)) from error
            return
        _dispatch.apply("setitem", (self, value), (key,))


def _function(name: str) -> Any:
    """A function of the namespace, for the method of its name."""
    if is_strict():
        raise TypeError(f"{name}: a method is outside the standard; write xp.{name}(x, ...)")
    return getattr(sys.modules[__package__], name)


def _reduce(name: str, x: Tensor, out: None, **kwargs: Any) -> Any:
    if out is not None:
        raise TypeError(f"{name}: out must be None; write y[...] = xp.{name}(x)")
    return _function(name)(x, **kwargs)


#: Where tensors are put when unpickled; None: where they were.
_map_location: ContextVar[Device | None] = ContextVar("arraygrad_map_location", default=None)


@contextmanager
def map_location(device: DeviceLike, /) -> Iterator[None]:
    """Unpickle tensors onto `device`, wherever they were when pickled.

    Parameters
    ----------
    device : Device or str
        Where the tensors unpickled inside the ``with`` block go.

    Raises
    ------
    ValueError
        If there is no such device.

    Examples
    --------
    >>> import pickle
    >>> import arraygrad as xp
    >>> saved = pickle.dumps(xp.ones(2))
    >>> with xp.map_location("cpu"):
    ...     pickle.loads(saved)
    Tensor([1., 1.], dtype=float64)
    """
    token = _map_location.set(_device.get_device(device))
    try:
        yield
    finally:
        _map_location.reset(token)


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
    return _dispatch.wrap(target.ops["from_host"](data), target)


for _name in METHODS:
    setattr(Tensor, _name, Elsewhere(_name))
