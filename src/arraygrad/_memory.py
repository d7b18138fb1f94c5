"""Memory: the tensors that share it, the saved tensors that refer to it, and its writes.

A tensor has a `Storage` once its memory is shared: when a view of it is made, when it is imported
from or exported to another library, and when a graph saves it. All tensors over the same memory
have the same storage. Views share that of their base; imported tensors are found by their address.

A graph saves data without a copy. The tensor that it saves is *frozen*: before the memory is
written, by whichever tensor, it gets a copy of its own. The storage refers to it weakly, so a
saved tensor that no graph needs any more is not copied.
"""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import Any
from weakref import ref

from . import _cpython
from ._array import Array, traced_like, wrap
from ._backends import _ndarray
from ._interrupts import uninterrupted
from ._modes import operation

#: Keys of references; they grow, so that the order is that in which tensors were made.
_keys = itertools.count()
#: Guards state that threads share, for moments. (Reentrant, for finalisers.)
_lock = threading.RLock()


class Storage:
    """Memory that tensors share.

    Traced tensors have one, too, if they are views of one another: writing to a traced tensor makes
    a new value, and its views have to be taken again.

    Attributes
    ----------
    version : int
        How often this package has written to it.
    external : bool
        Whether another library may see it.
    exported : bool
        Whether it got it from here, and may see all of it.
    recorded : bool
        Whether a recorded value has been written to external memory.
    guard : callable or None
        Called with a tensor before it is written; it may raise.
    """

    __slots__ = (
        "__weakref__", "_frozen", "_frozen_limit", "_tensors", "_tensors_limit", "exported",
        "external", "guard", "merged", "recorded", "version",
    )  # fmt: skip

    version: int
    external: bool
    exported: bool
    recorded: bool
    guard: Any
    merged: Storage | None  # into which this one went, as their memory overlaps
    _tensors: dict[int, Any]
    _tensors_limit: int
    _frozen: dict[int, Any]
    _frozen_limit: int

    def add(self, x: Array) -> None:
        """Note a tensor that the user may have."""
        tensors = self._tensors
        tensors[next(_keys)] = _cpython.weak_reference(x)
        if len(tensors) > self._tensors_limit:
            self._tensors_limit = _forget_dead(tensors)
        if self.merged is not None:  # meanwhile, by a finaliser or another thread
            self.merged.add(x)

    def freeze(self, x: Array) -> None:
        """Note a tensor that has to stay as it is."""
        x._view = INNER
        frozen = self._frozen
        frozen[next(_keys)] = _cpython.weak_reference(x)
        if len(frozen) > self._frozen_limit:
            self._frozen_limit = _forget_dead(frozen)
        if self.merged is not None:  # meanwhile, by a finaliser or another thread
            self.merged.freeze(x)

    def tensors(self) -> list[Any]:
        """The tensors that the user may have, in the order in which they were made."""
        found = []
        for link in self._tensors.copy().values():
            x = link()
            if x is None or x._view is INNER:
                continue
            memory = bottom(x)
            if memory._storage is not None and storage_of(memory) is self:
                found.append(x)
        return found

    def written(self) -> None:
        """Copy the frozen tensors; called before the memory is written."""
        self.version += 1
        frozen = self._frozen
        while frozen:
            for key, link in frozen.copy().items():
                _copy_frozen(link)
                frozen.pop(key, None)  # not before: without memory for the copy, it raises

    def merge(self, other: Storage) -> Storage:
        """The one storage that two external ones become whose memory overlaps."""
        if len(other._tensors) + len(other._frozen) > len(self._tensors) + len(self._frozen):
            self, other = other, self  # so that many merges cost no more than their sum
        other.merged = self
        self.exported = self.exported or other.exported
        self.recorded = self.recorded or other.recorded
        self.guard = self.guard or other.guard
        if other.version:  # (No view that was taken before a write may seem to be of now.)
            self.version += other.version + 1
        self._tensors.update(other._tensors)
        self._frozen.update(other._frozen)
        if len(self._tensors) > self._tensors_limit:
            self._tensors_limit = _forget_dead(self._tensors)
        if len(self._frozen) > self._frozen_limit:
            self._frozen_limit = _forget_dead(self._frozen)
        return self


def new_storage() -> Storage:
    """A storage of new memory."""
    storage = Storage.__new__(Storage)
    storage.version = 0
    storage.external = storage.exported = storage.recorded = False
    storage.guard = storage.merged = None
    storage._tensors = {}
    storage._frozen = {}
    storage._tensors_limit = storage._frozen_limit = 8
    return storage


def _forget_dead(links: dict[int, Any]) -> int:
    """Drop references to tensors that have died; return how many there may be until the next time.

    Each step is atomic: other threads, and finalisers that run meanwhile, may add to `links`.
    """
    for key, link in links.copy().items():
        if link() is None:
            links.pop(key, None)
    return 2 * len(links) + 8


def _copy_frozen(link: Any) -> None:
    """Copy the data of a frozen tensor, if a graph has it still."""
    x = link()
    if x is None or x._storage is None:
        return
    owner = x._saved() if type(x._saved) is ref else None
    if owner is not None and owner._saved is x:
        # If no graph has it any more, it dies here, and the copy is saved. (Where objects die
        # later, it only costs the copy.)
        owner._saved = x = None
        x = link()
        if x is None:
            return
    x._data = operation(x._device, "copy")(x._data)
    x._storage = x._saved = None


class View:
    """That a tensor is a view of another one, and how to take it again.

    Attributes
    ----------
    base : Array
        The tensor that it is a view of.
    name, args, kwargs
        The operation.
    index : int or None
        Which one of several results.
    version : int
        That of the storage when the view was taken. If it has changed since, and the tensors are
        traced, the view has to be taken again.
    """

    __slots__ = ("args", "base", "index", "kwargs", "name", "version")

    base: Any
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    index: int | None
    version: int


def new_view(
    base: Any,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    index: int | None,
    storage: Storage,
) -> View:
    """A `View` taken now; a function, because an ``__init__`` takes longer than all of it."""
    view = View.__new__(View)
    view.base = base
    view.name = name
    view.args = args
    view.kwargs = kwargs
    view.index = index
    view.version = storage.version
    return view


class Exposed:
    """That tensors of a lower level see the memory of a traced one, so that writes go there.

    Attributes
    ----------
    base : Array or None
        The tensor that was passed for this one, an argument; None: plain ones see its memory.
    level : Level or None
        That of the function whose argument it is.
    """

    __slots__ = ("base", "level")

    def __init__(self, base: Any, level: Any) -> None:
        self.base = base
        self.level = level


#: Seen by plain tensors, such as the argument that it was made of.
EXPOSED = Exposed(None, None)


class _Inner:
    __slots__ = ()


#: In the place of a view: the tensor is saved in a graph or wrapped by a traced one, so that no
#: user has it.
INNER = _Inner()


def storage_of(x: Array) -> Storage:
    """The storage of a tensor; made if there is none yet."""
    storage = x._storage
    if storage is None:
        storage = new_storage()
        storage.add(x)
        with _lock:  # (Nothing is allocated inside, so no finaliser runs.)
            if x._storage is None:
                x._storage = storage
            else:
                storage = x._storage
    if storage.merged is not None:
        storage = x._storage = _united(storage)
    return storage


def _united(storage: Storage) -> Storage:
    """The storage that one has become by merges."""
    while storage.merged is not None:
        storage = storage.merged
    return storage


def alias(x: Array) -> Any:
    """Another tensor over the memory of `x` that is not differentiated: plain, or a batch."""
    t = x
    while t._trace is not None:
        if t._trace.level.batched:
            return traced_like(alias(t._primal), t)
        t = t._primal
    out = wrap(type(x), x._data, x._device)
    out._storage = storage_of(t)
    return out


def shared_alias(x: Array) -> Any:
    """`alias` for a tensor that a user may have."""
    out = alias(x)
    memory = out if out._trace is None else bottom(out)
    storage = memory._storage
    storage.add(memory)
    return out


def inner_alias(x: Array) -> Any:
    """`alias` for a traced tensor to wrap."""
    out = alias(x)
    out._view = INNER
    return out


def bottom(x: Any) -> Any:
    """The plain tensor below all levels."""
    while x._trace is not None:
        x = x._primal
    return x


def save(x: Array) -> Any:
    """A tensor of the present data of a plain one, which no later write changes."""
    have = x._saved
    if isinstance(have, Array):
        saved = have
        if saved._data is x._data:
            return saved
    storage = storage_of(x)
    saved = wrap(type(x), x._data, x._device)
    saved._storage = storage
    storage.freeze(saved)
    if type(have) is not ref:
        x._saved = saved
        saved._saved = _cpython.weak_reference(x)
    return saved


def before_write(x: Array) -> None:
    """Prepare the memory of a plain tensor for a write."""
    if x._storage is not None:
        storage = storage_of(x)
        if storage.guard is not None:
            storage.guard(x)
        storage.written()


def link_view(x: Array, out: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Note that a plain result, or each of a tuple, is a view of a plain operand, if it is one."""
    if isinstance(out, tuple):
        for i, part in enumerate(out):
            _link(x, part, name, args, kwargs, i)
    else:
        _link(x, out, name, args, kwargs, None)


def _link(
    x: Array, out: Array, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], index: Any
) -> None:
    if out is x or not _ndarray.have_one_root(x._data, out._data, x._device.ops["root"]):
        return
    storage = storage_of(x)
    storage.add(out)
    out._storage = storage
    out._view = new_view(x, name, args, kwargs, index, storage)


# ---- memory that other libraries see

#: By the names of devices.
_external: dict[str, Ranges] = {}
#: Storages that have gone, at least, until their ranges are taken out.
_MIN_GONE = 64
_low, _high = itemgetter(0), itemgetter(1)


class Ranges:
    """The memory of a device that other libraries see: ranges of addresses with their storages.

    They are in order, and no two overlap.
    """

    __slots__ = ("_busy", "_entries", "_gone", "_waiting")

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Any]] = []  # with weak references to storages
        self._gone = 0
        self._waiting: list[tuple[int, int, Storage]] = []
        self._busy = False

    def find(self, low: int, high: int) -> Any:
        """The storage of a range that contains this one; None if there is none."""
        entries = self._entries
        i = bisect_right(entries, low, key=_low) - 1
        if self._waiting or i < 0 or entries[i][1] < high:
            return None
        storage = entries[i][2]()
        return None if storage is None else _united(storage)

    def note(self, low: int, high: int, storage: Storage) -> None:
        """Add a range. Storages of ranges that overlap it become one."""
        self._waiting.append((low, high, storage))
        if self._busy:  # a finaliser; the call that it has interrupted goes on with this one
            return
        try:
            self._busy = True
            while self._waiting:  # (what Ctrl-C interrupts waits for the next call)
                self._insert(*self._waiting[0])
                del self._waiting[0]
        finally:
            self._busy = False

    def _insert(self, low: int, high: int, storage: Storage) -> None:
        storage = _united(storage)  # (while it was waiting)
        entries = self._entries
        first, end = bisect_right(entries, low, key=_high), bisect_left(entries, high, key=_low)
        others = []
        for other_low, other_high, link in entries[first:end]:
            other = link()
            if other is not None:
                other = _united(other)
                low, high = min(low, other_low), max(high, other_high)
                if other is not storage and other not in others:
                    others.append(other)
        if not others:
            entries[first:end] = [(low, high, ref(storage, self._note_gone))]
            return
        with uninterrupted():  # tensors over the same memory would have two storages
            for other in others:
                storage = storage.merge(other)
            entries[first:end] = [(low, high, ref(storage, self._note_gone))]

    def _note_gone(self, _: object) -> None:
        """A storage has gone; take such ranges out once they are half of all.

        It happens at any time, so it waits for no other thread: then the next one is the occasion.
        """
        self._gone += 1
        if self._gone <= _MIN_GONE or 2 * self._gone <= len(self._entries):
            return
        if _lock.acquire(blocking=False):
            try:
                if not self._busy:
                    self._gone = 0
                    self._entries = [entry for entry in self._entries if entry[2]() is not None]
            finally:
                _lock.release()


def mark_external(x: Array, exported: bool = False, name: str = "asarray") -> None:
    """Note that another library may see the memory of a plain tensor.

    Tensors over overlapping memory get one storage, however they came by it. If `exported`, the
    other library may see all of the memory, not this view alone. An import of memory of a recorded
    tensor would lose its gradient, so the function `name` raises.
    """
    if x._storage is not None and storage_of(x).exported:
        return
    device = x._device
    data = x._data
    if exported:
        root = device.ops["root"](data)
        data = root if type(root) is device.array_type else data
    low, high = device.ops["bounds"](data)
    with _lock:
        ranges = _external.get(device._name)
        if ranges is None:
            ranges = _external.setdefault(device._name, Ranges())
        known = None
        if low != high and x._storage is None and not exported:
            known = ranges.find(low, high)
        if known is not None:  # what would become of a storage of its own, in less time
            x._storage = known
            known.add(x)
        else:
            storage = storage_of(x)
            storage.external = True
            if low != high:
                ranges.note(low, high, storage)
            if exported:  # (not before the others know the range)
                storage_of(x).exported = True
    if not exported and storage_of(x).recorded:
        for other in storage_of(x).tensors():
            trace = other._trace
            if other._view is EXPOSED and (trace.level.forward or not trace.is_leaf):
                other._trace.level.check_constant(other, name)
