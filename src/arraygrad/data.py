"""Batches of arrays, in order or shuffled, on any device."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Generic, Never, TypedDict, TypeVar, Unpack, overload

from . import _hints, _pytree
from ._creation import asarray
from ._device import Device, get_device
from ._errors import as_int, describe, in_own_name
from ._indexing import take
from ._typing import DeviceLike, Tensor
from .random import Generator, default_rng

_hints.install(__name__, _hints.DATA)

__all__ = ["DataLoader"]


Batch = TypeVar("Batch", covariant=True)

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
    """Iterate over arrays in batches along their first axis; one iteration is an epoch.

    Parameters
    ----------
    *arrays : Tensor, NumPy array, or containers of them
        Samples: arrays, or nested dicts, tuples, lists and dataclasses of arrays, whose first axes
        have the same length. NumPy arrays, including memory-mapped files, stay on the host, and
        only batches are read.
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
        If a leaf is not an array, or an argument has an invalid type.
    ValueError
        If the lengths of the first axes differ, an array has no axes, `batch_size` is less than 1,
        or `prefetch` is negative.
    ImportError
        If a progress bar is requested and tqdm is not installed.

    Notes
    -----
    A batch has the containers of the arrays; for several arguments it is a tuple. It is a copy, so
    writing to it does not change the samples.

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
        self._leaves, self._structure, self._size = _samples(arrays)
        self.batch_size = _check_int("batch_size", batch_size, 1)
        self.drop_last = drop_last
        self._device = None if device is None else get_device(device, "DataLoader")
        moves = any(self._device not in (None, x.device) for x in self._leaves)
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
        if self._seed is not None:
            rng = default_rng([self._seed, epoch], device=self._draws_on)
            order = rng.permutation(self._size)
            orders = {x.device: order.to_device(x.device) for x in self._leaves}

        def make(i: int) -> Any:
            part = slice(i * self.batch_size, min((i + 1) * self.batch_size, self._size))
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


_read = in_own_name("DataLoader")(asarray)


def _samples(arrays: tuple[Any, ...]) -> tuple[list[Tensor], Any, int]:
    """Flatten the samples; return the tensors, the structure and the number of samples."""
    if not arrays:
        raise TypeError("DataLoader: expected at least one array")
    tree = arrays[0] if len(arrays) == 1 else arrays
    leaves, structure = _pytree.flatten(tree)
    if not leaves:
        raise TypeError(f"DataLoader: expected at least one array; got {describe(tree)}")
    found: list[Tensor] = []
    for i, x in enumerate(leaves):
        if isinstance(x, Tensor):
            x._check_constant("DataLoader")
            found.append(x if x._trace is None else x.detach())
        elif isinstance(x, type):  # which has the attributes of its instances
            raise TypeError(f"DataLoader: expected arrays; got {describe(x)}")
        elif hasattr(x, "__array_interface__"):  # NumPy arrays share memory
            found.append(_read(x, device="cpu"))
        elif hasattr(x, "__dlpack__"):
            found.append(_read(x))
        else:
            path = _pytree.paths(tree)[i]
            raise TypeError(
                f"DataLoader: expected arrays; got {describe(x)}{path and f' in arrays{path}'}; "
                "write arraygrad.asarray(...) or stack(...) first, and options by keyword"
            )
        if not found[-1].ndim:
            raise ValueError("DataLoader: an array must have at least one axis")
    sizes = [x.shape[0] for x in found]
    if len(set(sizes)) > 1:
        paths = _pytree.paths(tree)
        said = ", ".join(f"{n} in arrays{path}" for n, path in zip(sizes, paths, strict=True))
        raise ValueError(f"DataLoader: the first axes must have the same length; got {said}")
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
