"""Batches of arrays or data sets, in order or shuffled, on any device."""

from __future__ import annotations

import contextvars
import math
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from queue import Empty, Queue
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Never,
    Protocol,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from . import _hints, _pytree
from ._creation import asarray
from ._device import Device, get_device
from ._errors import as_int, as_number, describe, in_own_name
from ._indexing import take
from ._manipulation import stack
from ._typing import DeviceLike, Tensor
from .random import Generator, default_rng

_hints.install(__name__, _hints.DATA)

__all__ = ["DataLoader", "Dataset", "Subset", "random_split"]


Batch = TypeVar("Batch", covariant=True)
Sample = TypeVar("Sample", covariant=True)


Tree = TypeVar("Tree", bound="tuple[Any, ...] | dict[Any, Any]")


class Dataset(Protocol[Sample]):
    """Data set that produces samples one by one: an object with ``__len__`` and ``__getitem__``.

    Data sets need not inherit from it.

    Examples
    --------
    >>> from arraygrad.data import DataLoader, Dataset
    >>> class Squares(Dataset[tuple[int, int]]):
    ...     def __len__(self):
    ...         return 5
    ...     def __getitem__(self, i):
    ...         return i, i * i
    >>> [y.tolist() for _, y in DataLoader(Squares(), batch_size=3)]
    [[0, 1, 4], [9, 16]]
    """

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, i: int, /) -> Sample:
        """Sample at an index."""
        ...


if TYPE_CHECKING:
    import numpy as np

    Samples = Tensor | np.ndarray[Any, Any]

    class Options(TypedDict, total=False):
        batch_size: int
        shuffle: bool | Generator
        drop_last: bool
        device: DeviceLike
        prefetch: int | None
        progress: bool | str


class DataLoader(Generic[Batch]):
    """Iterate over samples in batches; one iteration is an epoch.

    Parameters
    ----------
    *arrays : Tensor, NumPy array, data set, or containers of arrays
        Samples: arrays, or nested dicts, tuples, lists and dataclasses of arrays, whose first axes
        have the same length. NumPy arrays, including memory-mapped files, stay on the host, and
        only batches are read. A data frame, for example of pandas, is a dict of its columns.

        Or one data set: an object with ``__len__`` and ``__getitem__``, whose samples are arrays,
        numbers, or containers of them, such as a list of pairs. Corresponding arrays and numbers
        of the samples are stacked.
    batch_size : int, optional
        Number of samples per batch; the last batch may have fewer.
    shuffle : bool or Generator, optional
        Whether to shuffle the samples, in a new order for each epoch. A generator of
        `arraygrad.random` provides the seed, so that runs are reproducible, and the device on which
        orders are drawn.
    drop_last : bool, optional
        Whether to drop a last batch with fewer samples.
    device : Device or str, optional
        Device of the batches; by default that of each array. NumPy arrays are on the CPU.
    prefetch : int, optional
        Number of batches that a background thread prepares and moves ahead. By default 2 if data
        must be moved between devices, else 0, which uses no thread.
    progress : bool or str, optional
        Whether to show a progress bar with tqdm, which the extra ``progress`` installs. A string is
        its title.

    Attributes
    ----------
    epoch : int
        Current or next epoch.

    Raises
    ------
    TypeError
        If a leaf is not an array, or an argument has an invalid type. If a sample is not made of
        arrays and numbers, this is raised when its batch is made.
    ValueError
        If the lengths of the first axes differ, an array has no axes, `batch_size` is less than 1,
        or `prefetch` is negative. If samples have different containers or shapes, this is raised
        when their batch is made.
    ImportError
        If a progress bar is requested and tqdm is not installed.

    Notes
    -----
    A batch has the structure of the arrays, or of the samples; for several arguments it is a tuple.
    It is a copy, so writing to it does not change the samples.

    A list is a container if one of its elements is an array with axes, and otherwise a data set.

    Leaving the loop early ends the epoch: the next loop starts a new one. Only after
    `load_state_dict` does it continue at the saved position.

    The background thread moves batches on CuPy's default stream. Work on a stream made with
    ``non_blocking=True`` does not wait for it, so use ``prefetch=0`` there.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.data import DataLoader
    >>> x, y = xp.arange(5), xp.arange(5) * 10
    >>> for a, b in DataLoader(x, y, batch_size=2):
    ...     print(a.tolist(), b.tolist())
    [0, 1] [0, 10]
    [2, 3] [20, 30]
    [4] [40]
    >>> pairs = [(xp.asarray([1.0, 2.0]), 0), (xp.asarray([3.0, 4.0]), 1)]
    >>> next(iter(DataLoader(pairs, batch_size=2)))
    (Tensor([[1., 2.],
            [3., 4.]], dtype=float64), Tensor([0, 1], dtype=int64))
    >>> loader = DataLoader({"x": x}, batch_size=5, shuffle=xp.random.default_rng(0))
    >>> [batch["x"].tolist() for _ in range(2) for batch in loader]
    [[3, 1, 4, 0, 2], [4, 3, 2, 1, 0]]
    """

    @overload
    def __init__(self: DataLoader[Tensor], x: Samples, /, **options: Unpack[Options]) -> None: ...
    @overload
    def __init__(
        self: DataLoader[tuple[Tensor, Tensor]],
        x: Samples,
        y: Samples,
        /,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[Any], x: tuple[Any, ...], /, **options: Unpack[Options]
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[tuple[Tensor, Tensor]],
        x: Dataset[tuple[Any, Any]],
        /,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(self: DataLoader[Any], *arrays: Any, **options: Unpack[Options]) -> None: ...
    def __init__(
        self,
        *arrays: Any,
        batch_size: int = 1,
        shuffle: bool | Generator = False,
        drop_last: bool = False,
        device: DeviceLike = None,
        prefetch: int | None = None,
        progress: bool | str = False,
        **other: Never,
    ) -> None:
        if other:
            raise _hints.wrong_call("data.DataLoader", locals())
        self._dataset: Any = None
        self._leaves: list[Tensor] = []
        if len(arrays) == 1 and _is_dataset(arrays[0]):
            self._dataset = arrays[0]
            self._size = len(self._dataset)
        else:
            self._leaves, self._structure, self._size = _samples("DataLoader", arrays)
        self.batch_size = _check_int("batch_size", batch_size, 1)
        self.drop_last = drop_last
        self._device = None if device is None else get_device(device, "DataLoader")
        places = {x.device for x in self._leaves} or {Device("cpu")}
        moves = any(self._device not in (None, place) for place in places)
        self._prefetch = 2 * moves if prefetch is None else _check_int("prefetch", prefetch, 0)
        self._title = progress
        self._bar = _tqdm() if progress else None
        self._seed: int | None = None
        if isinstance(shuffle, Generator) or shuffle is True:
            generator = default_rng(device="cpu") if shuffle is True else shuffle
            self._draws_on = generator.device
            self._seed = int(generator.integers(2**63 - 1))
        elif shuffle is not False:
            raise TypeError(
                "DataLoader: shuffle must be a bool or a generator of arraygrad.random; "
                f"got {describe(shuffle)}"
            )
        self.epoch = 0
        self._position = 0  # number of batches of this epoch returned so far
        self._resumed = False
        self._latest: object = None  # the loop to which epoch and position belong

    def __len__(self) -> int:
        """Number of batches per epoch."""
        rest = 0 if self.drop_last else self.batch_size - 1
        return (self._size + rest) // self.batch_size

    def __repr__(self) -> str:
        return f"DataLoader({self._size} samples, batch_size={self.batch_size})"

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the loop, for `load_state_dict`: a dict of ints and None.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad.data import DataLoader
        >>> make = lambda: DataLoader(xp.arange(6), batch_size=2, shuffle=True)
        >>> one, other = make(), make()
        >>> batches = iter(one)
        >>> first = next(batches)
        >>> other.load_state_dict(one.state_dict())
        >>> [a.tolist() for a in other] == [a.tolist() for a in batches]
        True
        """
        return {
            "epoch": self.epoch,
            "position": self._position,
            "seed": self._seed,
            "samples": self._size,
            "batch_size": self.batch_size,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Make the next loop continue after the batch at which `state_dict` was called.

        Parameters
        ----------
        state_dict : dict
            State of a loader with the same number of samples and batch size.

        Raises
        ------
        TypeError, ValueError
            If the state does not fit; nothing has been changed then.
        """
        own = self.state_dict()
        if not isinstance(state_dict, Mapping) or set(state_dict) != set(own):
            raise ValueError(
                f"load_state_dict: expected a dict of {', '.join(own)}; got {describe(state_dict)}"
            )
        for key in ("samples", "batch_size"):
            if state_dict[key] != own[key]:
                raise ValueError(
                    f"load_state_dict: {key} is {state_dict[key]!r} in the state, not {own[key]}"
                )
        if (state_dict["seed"] is None) != (self._seed is None):
            raise ValueError("load_state_dict: only one of the state and this loader is shuffled")
        epoch = _check_int("epoch", state_dict["epoch"], 0)
        position = _check_int("position", state_dict["position"], 0)
        if position > len(self):
            raise ValueError(
                f"load_state_dict: position {position} is out of range for {len(self)} batches"
            )
        seed = state_dict["seed"]
        self._seed = None if seed is None else _check_int("seed", seed, 0)
        self.epoch, self._position, self._resumed = epoch, position, True
        self._latest = None

    # ---- loops

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the batches of an epoch."""
        if self._position and not self._resumed:
            self.epoch += 1
            self._position = 0
        self._resumed = False
        self._latest = loop = object()
        return self._loop(loop, self.epoch, self._position)

    def _loop(self, loop: object, epoch: int, start: int) -> Iterator[Batch]:
        make = self._batch_factory(epoch)
        numbers = range(start, len(self))
        batches = (
            _prefetched(make, numbers, self._prefetch) if self._prefetch else map(make, numbers)
        )
        bar = None
        try:
            if self._bar is not None:
                title = self._title if isinstance(self._title, str) else f"epoch {epoch}"
                bar = self._bar(total=len(self), initial=start, desc=title, unit="batch")
            for i, batch in zip(numbers, batches, strict=True):
                if self._latest is loop:
                    self._position = i + 1
                yield batch
                if bar is not None:
                    bar.update()
        finally:
            if bar is not None:
                bar.close()
            if hasattr(batches, "close"):  # ends the thread
                batches.close()
        if self._latest is loop:
            self.epoch, self._position = epoch + 1, 0

    def _batch_factory(self, epoch: int) -> Callable[[int], Any]:
        """Make the function that returns a batch by its index."""
        orders: dict[Device, Tensor] = {}
        indices: Sequence[int] = range(self._size)
        if self._seed is not None:
            rng = default_rng([self._seed, epoch], device=self._draws_on)
            order = rng.permutation(self._size)
            orders = {x.device: order.to_device(x.device) for x in self._leaves}
            if self._dataset is not None:
                indices = cast("list[int]", order.tolist())

        def make(i: int) -> Any:
            part = slice(i * self.batch_size, min((i + 1) * self.batch_size, self._size))
            if self._dataset is not None:
                return _stacked([(j, self._dataset[j]) for j in indices[part]], self._device)
            found = []
            for x in self._leaves:
                target = self._device or x.device
                if orders:
                    y = take(x, orders[x.device][part], axis=0)
                else:
                    y = x[part, ...]
                    y = asarray(y, copy=True) if target is x.device else y
                found.append(y.to_device(target))
            return _pytree.unflatten(self._structure, found)

        return make


def _is_array(x: Any) -> bool:
    """True for an array with axes, or a data frame."""
    return bool(getattr(x, "shape", ())) or _is_frame(x)


def _is_frame(x: Any) -> bool:
    """True for a data frame of pandas or a similar library."""
    return hasattr(x, "columns") and hasattr(x, "to_numpy")


def _is_dataset(x: Any) -> bool:
    """True if samples are made one by one."""
    if isinstance(x, list):
        return bool(x) and not any(map(_is_array, x))
    if isinstance(x, (Tensor, str, bytes, type, tuple, Mapping)):
        return False
    if any(hasattr(x, name) for name in ("__array_interface__", "__dlpack__", "to_numpy")):
        return False
    return hasattr(x, "__len__") and hasattr(x, "__getitem__")


def _columns(x: Any) -> Any:
    """Replace data frames by dicts of their columns, which are NumPy arrays."""
    if _is_frame(x):
        return {name: x[name].to_numpy() for name in x.columns}
    if hasattr(x, "to_numpy") and not isinstance(x, Tensor):
        return x.to_numpy()
    return x


def _stacked(samples: list[tuple[int, Any]], device: Device | None) -> Any:
    """Stack samples of a data set, given with their indices, to a batch."""
    _, first = samples[0]
    leaves, structure = _pytree.flatten(first)
    rows = [leaves]
    for i, sample in samples[1:]:
        other, found = _pytree.flatten(sample)
        if found != structure:
            raise ValueError(
                f"DataLoader: samples must have the same containers; got {describe(first)} at "
                f"index {samples[0][0]} and {describe(sample)} at {i}"
            )
        rows.append(other)
    batch = [_stack_leaf(column, samples) for column in zip(*rows, strict=True)]
    return _pytree.unflatten(
        structure, [x if device is None else x.to_device(device) for x in batch]
    )


def _stack_leaf(leaves: tuple[Any, ...], samples: list[tuple[int, Any]]) -> Tensor:
    if all(isinstance(x, (int, float, complex)) for x in leaves):  # a dtype for all of them
        return asarray(list(leaves), device="cpu")
    tensors = []
    for (i, sample), x in zip(samples, leaves, strict=True):
        if isinstance(x, Tensor):
            x._check_constant("DataLoader")
            tensors.append(x.detach())
        elif isinstance(x, (int, float, complex)) or hasattr(x, "__array_interface__"):
            tensors.append(asarray(x, device="cpu"))
        elif hasattr(x, "__dlpack__"):
            tensors.append(asarray(x))
        else:
            raise TypeError(
                f"DataLoader: expected samples of arrays and numbers; got {describe(sample)} at "
                f"index {i}"
            )
        if tensors[-1].shape != tensors[0].shape:
            raise ValueError(
                "DataLoader: arrays of samples must have the same shape; got "
                f"{tensors[0].shape} at index {samples[0][0]} and {tensors[-1].shape} at {i}"
            )
    return stack(tensors)


class Subset(Generic[Sample]):
    """Some samples of a data set.

    Parameters
    ----------
    dataset : object
        Data set with ``__len__`` and ``__getitem__``.
    indices : sequence of int
        Indices of the samples.

    Attributes
    ----------
    dataset, indices : object
        The arguments.

    Raises
    ------
    TypeError
        If `dataset` is not a data set, or an index is not an int.

    Examples
    --------
    >>> from arraygrad.data import Subset
    >>> squares = [0, 1, 4, 9, 16]
    >>> list(Subset(squares, [3, 1]))
    [9, 1]
    """

    def __init__(self, dataset: Dataset[Sample], indices: Sequence[int]) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"Subset: dataset must have __len__ and __getitem__; got {describe(dataset)}"
            )
        if not isinstance(indices, Sequence):
            raise TypeError(f"Subset: indices must be a list of ints; got {describe(indices)}")
        self.dataset = dataset
        self.indices = [as_int("Subset", "an index", i) for i in indices]

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def __getitem__(self, i: int, /) -> Sample:
        """Sample at an index of the subset."""
        return self.dataset[self.indices[i]]

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {len(self.dataset)} samples)"


@overload
def random_split(  # type: ignore[overload-overlap]  # (arrays are data sets, too)
    dataset: Samples, lengths: Sequence[float], *, rng: Generator | None = None
) -> list[Tensor]: ...
@overload
def random_split(
    dataset: Tree, lengths: Sequence[float], *, rng: Generator | None = None
) -> list[Tree]: ...
@overload
def random_split(
    dataset: Dataset[Sample], lengths: Sequence[float], *, rng: Generator | None = None
) -> list[Subset[Sample]]: ...
def random_split(
    dataset: Any, lengths: Sequence[float], *, rng: Generator | None = None
) -> list[Any]:
    """Divide samples randomly into parts, such as those for training and validation.

    Parameters
    ----------
    dataset : Tensor, NumPy array, containers of arrays, or data set
        Samples, as for `DataLoader`; several arrays in a tuple.
    lengths : sequence of int or float
        Numbers of samples of the parts, which add up to the number of samples; or fractions, which
        add up to 1. Fractions are rounded down, and the remaining samples go to the first parts.
    rng : Generator, optional
        Generator of the order; by default a new one.

    Returns
    -------
    list
        One part for each length: containers of copied arrays, or a `Subset` of a data set.

    Raises
    ------
    TypeError, ValueError
        If the samples are invalid, or the lengths do not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.data import random_split
    >>> x, y = xp.arange(10), xp.arange(10) * 10
    >>> rng = xp.random.default_rng(0)
    >>> (x_train, y_train), (x_test, y_test) = random_split((x, y), [0.8, 0.2], rng=rng)
    >>> x_test, y_test
    (Tensor([8, 1], dtype=int64), Tensor([80, 10], dtype=int64))
    """
    name = "random_split"
    leaves: list[Tensor] = []
    if _is_dataset(dataset):
        size = len(dataset)
    else:
        leaves, structure, size = _samples(name, (dataset,))
    ends = [0]
    for n in _lengths(name, lengths, size):
        ends.append(ends[-1] + n)
    order = default_rng(rng).permutation(size)
    parts = [order[a:b] for a, b in pairwise(ends)]
    if not leaves:
        return [Subset(dataset, cast("list[int]", part.tolist())) for part in parts]
    return [
        _pytree.unflatten(structure, [take(x, part.to_device(x.device), axis=0) for x in leaves])
        for part in parts
    ]


def _lengths(name: str, lengths: Any, size: int) -> list[int]:
    """Numbers of samples of the parts."""
    if not isinstance(lengths, (list, tuple)):
        raise TypeError(f"{name}: lengths must be a list of numbers; got {describe(lengths)}")
    numbers = [as_number(name, "a length", n) for n in lengths]
    if all(isinstance(n, int) and n >= 0 for n in numbers) and sum(numbers) == size:
        return [int(n) for n in numbers]
    if not all(0 <= n <= 1 for n in numbers) or not math.isclose(sum(numbers), 1):
        raise ValueError(
            f"{name}: lengths must be fractions with the sum 1, or ints with the sum {size}; "
            f"got {lengths!r}"
        )
    found = [math.floor(n * size) for n in numbers]
    for i in range(size - sum(found)):
        found[i % len(found)] += 1
    return found


def _samples(name: str, arrays: tuple[Any, ...]) -> tuple[list[Tensor], Any, int]:
    """Flatten the samples; return the tensors, the structure and the number of samples."""
    if not arrays:
        raise TypeError(f"{name}: expected at least one array")
    tree = _pytree.tree_map(_columns, arrays[0] if len(arrays) == 1 else arrays)
    leaves, structure = _pytree.flatten(tree)
    if not leaves:
        raise TypeError(f"{name}: expected at least one array; got {describe(tree)}")
    found: list[Tensor] = []
    read = in_own_name(name)(asarray)
    for i, x in enumerate(leaves):
        if isinstance(x, Tensor):
            x._check_constant(name)
            found.append(x if x._trace is None else x.detach())
        elif isinstance(x, type):  # which has the attributes of its instances
            raise TypeError(f"{name}: expected arrays; got {describe(x)}")
        elif hasattr(x, "__array_interface__"):  # NumPy arrays share memory
            found.append(read(x, device="cpu"))
        elif hasattr(x, "__dlpack__"):
            found.append(read(x))
        else:
            path = _pytree.paths(tree)[i]
            raise TypeError(
                f"{name}: expected arrays; got {describe(x)}{path and f' in arrays{path}'}; "
                "write arraygrad.asarray(...) or stack(...) first, and options by keyword"
            )
        if not found[-1].ndim:
            raise ValueError(f"{name}: an array must have at least one axis")
    sizes = [x.shape[0] for x in found]
    if len(set(sizes)) > 1:
        paths = _pytree.paths(tree)
        said = ", ".join(f"{n} in arrays{path}" for n, path in zip(sizes, paths, strict=True))
        raise ValueError(f"{name}: the first axes must have the same length; got {said}")
    return found, structure, sizes[0]


def _check_int(name: str, value: Any, least: int) -> int:
    number = as_int("DataLoader", name, value)
    if number < least:
        raise ValueError(f"DataLoader: {name} must be at least {least}; got {number}")
    return number


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            f'DataLoader: a progress bar needs tqdm: pip install "arraygrad[progress]" ({error})'
        ) from error
    return tqdm


def _prefetched(function: Callable[[int], Any], numbers: Iterable[int], size: int) -> Iterator[Any]:
    """Prefetch values of a function: a thread computes up to `size` of them ahead.

    The thread ends with the generator, also if that is closed early. It puts at most one value into
    the queue after the stop signal, so emptying the queue unblocks it.
    """
    ready: Queue[tuple[Any, BaseException | None]] = Queue(size)
    stop = threading.Event()

    def work() -> None:
        try:
            for i in numbers:
                if stop.is_set():
                    return
                ready.put((function(i), None))
        except BaseException as error:
            if not stop.is_set():
                ready.put((None, error))

    # Run in the context of the loop, with its default device and strict mode.
    run = contextvars.copy_context().run
    thread = threading.Thread(target=run, args=(work,), name="arraygrad-data", daemon=True)
    thread.start()
    try:
        for _ in numbers:
            value, error = ready.get()
            if error is not None:
                try:
                    raise error
                finally:
                    del error  # its traceback holds this frame
            yield value
    finally:
        stop.set()
        try:
            while True:
                ready.get_nowait()
        except Empty:
            pass
        if not sys.is_finalizing():  # at shutdown threads no longer run
            thread.join()
