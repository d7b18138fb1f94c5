"""Data parallelism: gradients of a batch that is distributed over Dask workers.

`shard` splits a batch into shards and sends them to the workers once; with `from_map`, the workers
load them. `value_and_grad` then computes the value and the gradient of each shard where it is, and
adds them up.
Workers are the threads of this process, or the processes of a :class:`distributed.Client`. See
`docs/distributed.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial, wraps
from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any

import dask
from dask import sizeof as _sizes
from dask import threaded
from dask.base import compute as _untyped_compute
from dask.delayed import delayed as _untyped_delayed
from distributed.protocol import pickle as _untyped_pickle
from distributed.protocol.serialize import (
    dask_deserialize,
    dask_serialize,
    pickle_dumps,
    pickle_loads,
)

from . import _pytree, autodiff
from ._device import DeviceLike, default_device, get_device
from ._dtypes import default_dtype
from ._errors import describe, in_own_name
from ._modes import get_mode
from ._tensor import Tensor
from .interop import _dask  # noqa: F401  (Dask names tensors by their content)

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Shards", "from_map", "shard", "value_and_grad"]

Function = Callable[..., Any]

# Dask has no type annotations.
_sizeof: Any = _sizes.sizeof
_compute: Any = _untyped_compute
_delayed: Any = _untyped_delayed
pickle: Any = _untyped_pickle
_writers: Any = dask_serialize
_readers: Any = dask_deserialize
_to_frames: Any = pickle_dumps


class _Box:
    """An argument or result of a task. Dask would search a plain container for other tasks."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __sizeof__(self) -> int:
        return sum(map(_sizeof, _pytree.flatten(self.content)[0]))


# Results reach the client through the scheduler, which limits its connections to pickle protocol 4,
# and that copies all elements. A box is always pickled by protocol 5.
_writers.register(_Box, lambda box: _to_frames(box.content))
_readers.register(_Box, lambda header, frames: _Box(pickle_loads(header, frames)))


class Shards:
    """A batch in shards, each held by one worker; made by `shard` and `from_map`.

    Notes
    -----
    Workers hold the shards until the object is deleted. If a worker is lost, Dask makes its shards
    again: those of `shard` from a copy that the scheduler holds, those of `from_map` by calling the
    function again.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import distributed
    >>> batch = distributed.shard(xp.arange(10.0), 4)
    >>> len(batch)
    4
    """

    __slots__ = ("_client", "_parts")

    def __init__(self, parts: Sequence[Any], client: Client | None) -> None:
        self._parts = parts  # boxes; with a client, futures of boxes
        self._client = client

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        place = "this process" if self._client is None else self._client
        return f"<Shards: {len(self)} shards in {place}>"


@in_own_name("shard")
def shard(x: Any, n: int, /, *, client: Client | None = None, device: DeviceLike = None) -> Shards:
    """Split a batch along its first axis, and send the shards to the workers.

    Parameters
    ----------
    x : Tensor or containers of them
        Batch, with the samples along the first axis of each tensor, equally many in all.
    n : int
        Number of shards. They are in order, and their sizes differ by at most one. Rounding errors
        of the results depend on this number, but not on the number of workers. With several shards
        per worker, faster workers compute more of them.
    client : distributed.Client, optional
        Client whose workers receive the shards. Without a client, the shards stay in this process,
        as views of `x`.
    device : Device or str, optional
        Device of the shards on the workers; by default that of `x`.

    Returns
    -------
    Shards
        Argument for a function made by `value_and_grad`.

    Raises
    ------
    TypeError
        If `n` is not an int.
    ValueError
        If the tensors in `x` differ in the number of samples, or have fewer than `n`.
    NotDifferentiableError
        If a tensor requires grad.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import distributed
    >>> x, y = xp.ones((6, 2)), xp.zeros(6)
    >>> distributed.shard((x, y), 3)
    <Shards: 3 shards in this process>
    """
    leaves, structure = _pytree.flatten(x)
    leaves = [_plain("shard", leaf) for leaf in leaves]
    samples = _samples("shard", leaves)
    if not isinstance(n, int):
        raise TypeError(f"shard: n must be an int; got {describe(n)}")
    if not 1 <= n <= samples:
        raise ValueError(f"shard: n must be from 1 to the number of samples, {samples}; got {n}")
    size, more = divmod(samples, n)
    starts = [i * size + min(i, more) for i in range(n + 1)]
    parts = [
        _pytree.unflatten(structure, [leaf[slice(*bounds)] for leaf in leaves])
        for bounds in pairwise(starts)
    ]
    return from_map(_identity, parts, client=client, device=device)


def from_map(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    /,
    *,
    client: Client | None = None,
    device: DeviceLike = None,
) -> Shards:
    """Let the workers make the shards of a batch: shard i is ``function(items[i])``.

    Parameters
    ----------
    function : callable
        Returns a tensor, or containers of tensors, with the samples along the first axis. It must
        return equal results for equal items: it is called again if a worker is lost.
    items : iterable
        Arguments of the function, such as file names.
    client : distributed.Client, optional
        Client whose workers make and hold the shards. Without a client, threads of this process
        make them.
    device : Device or str, optional
        Device of the shards on the workers; by default the one on which `function` makes them.

    Returns
    -------
    Shards
        Argument for a function made by `value_and_grad`.

    Raises
    ------
    ValueError
        If there are no items.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import distributed
    >>> distributed.from_map(lambda seed: xp.random.default_rng(seed).random(100), range(8))
    <Shards: 8 shards in this process>
    """
    _check_function("from_map", function)
    try:
        items = iter(items)
    except TypeError as error:
        raise TypeError(f"from_map: items must be iterable; got {describe(items)}") from error
    if client is None:
        device = None if device is None else get_device(device, "from_map")
    elif not hasattr(client, "scheduler_info"):
        raise TypeError(f"from_map: client must be a distributed.Client; got {describe(client)}")
    boxes = [_Box((function, item, device)) for item in items]
    if not boxes:
        raise ValueError("from_map: there are no items")
    if client is None:
        tasks = [_task(None, _make, box) for box in boxes]
        parts = _compute(*tasks, scheduler=threaded.get)
    else:
        # Only a preference: if that worker is lost, another one makes the shard.
        workers = cycle(sorted(client.scheduler_info(n_workers=-1)["workers"]) or [None])
        with _LARGE_GRAPHS():
            parts = [
                client.submit(
                    _make, box, workers=worker, allow_other_workers=worker is not None, pure=False
                )
                for box, worker in zip(boxes, workers, strict=False)
            ]
    return Shards(parts, client)


def value_and_grad(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    reduce: str = "mean",
    device: DeviceLike = None,
) -> Function:
    """Make a function that computes the value and the gradient of `f` for a batch in shards.

    Parameters
    ----------
    f : callable
        As for `autodiff.value_and_grad`. It is called with one shard of the batch at a time.
    argnums : int or sequence of int, optional
        Positions of the arguments to differentiate with respect to. They must not be shards.
    has_aux : bool, optional
        Whether `f` returns a second result, which is not differentiated.
    reduce : {"mean", "sum"}, optional
        Whether `f` returns a mean or a sum over the samples of its shard. The mean over all samples
        is the mean of the shards' values, weighted by their numbers of samples.
    device : Device or str, optional
        Device of the workers, and their default device. Arguments that are not shards are moved
        there. Each gradient is returned on the device of its argument.

    Returns
    -------
    callable
        Function with the arguments of `f`. At least one argument is a `Shards`, and `f` receives
        one shard of it; the others are sent to every worker in each call. It returns ``(value,
        gradient)`` for the whole batch, like `autodiff.value_and_grad`. With `has_aux`, it returns
        ``((value, aux), gradient)``, where aux lists the second results of the shards, in order.

    Raises
    ------
    TypeError
        If no argument is a `Shards`; otherwise as for `autodiff.value_and_grad`.
    ValueError
        If `reduce` is unknown, or the arguments in shards differ in the number of shards or
        samples, or in their client.
    NotDifferentiableError
        If an argument is the result of a recorded operation, or is being differentiated, because
        operations on workers are not recorded. Leaves that require grad are sent by value.

    Notes
    -----
    Workers add the gradients of neighbouring shards in pairs, then these sums in pairs. The last
    two sums are added in this process. So the order of the additions, and every bit of the result,
    depends only on the number of shards, and not on which worker finishes first. If a worker is
    lost, Dask repeats its tasks elsewhere, and each shard still counts once. Errors of `f` are
    raised in this process.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import distributed
    >>> def loss(w, x, y):
    ...     return xp.mean((x @ w - y) ** 2)
    >>> x, y = xp.reshape(xp.arange(12.0), (6, 2)), xp.ones(6)
    >>> step = distributed.value_and_grad(loss)
    >>> value, gradient = step(xp.ones(2), distributed.shard(x, 3), distributed.shard(y, 3))
    >>> float(value), gradient
    (146.66666666666666, Tensor([146.66666667, 166.66666667], dtype=float64))
    """
    _check_function("value_and_grad", f)
    numbers = tuple(argnums) if isinstance(argnums, (tuple, list, range)) else (argnums,)
    if not numbers or not all(isinstance(i, int) for i in numbers):
        raise TypeError(
            f"value_and_grad: argnums must be an int or a sequence of ints; got {argnums!r}"
        )
    if reduce not in ("mean", "sum"):
        raise ValueError(f'value_and_grad: reduce must be "mean" or "sum"; got {reduce!r}')
    single = isinstance(argnums, int)

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        places, by = _places(args, kwargs, numbers)
        batches = [args[i] for i in places]
        client = _client(batches)
        whole = [
            None if i in places else _plain_tree("value_and_grad", x, i in by)
            for i, x in enumerate(args)
        ]
        named = _plain_tree("value_and_grad", kwargs)

        # The arguments are a task, which Dask repeats if they are lost with a worker.
        sent = _task(client, _identity, _Box((whole, named)))
        mode = get_mode()
        nans = mode is not None and mode.nans is not None
        how = f, argnums, has_aux, reduce, device, default_dtype().dtype, places, nans
        # Pickled once for all shards, and here, so that an error names the object's own reason.
        packed = _Box(how) if client is None else pickle.dumps(how)
        rows = zip(*(batch._parts for batch in batches), strict=True)
        sums = [_task(client, _gradient, packed, sent, *parts) for parts in rows]
        while len(sums) > 2:
            pairs = [_task(client, _add, *ab) for ab in zip(sums[::2], sums[1::2], strict=False)]
            sums = pairs + sums[2 * len(pairs) :]
        with _LARGE_GRAPHS():
            boxes = _compute(*sums, scheduler=client or threaded.get)
        # The last two are added here, to save sending one to the worker of the other.
        box = _add(*boxes) if len(boxes) > 1 else boxes[0]

        leaves, weight, aux = box.content
        if reduce == "mean":
            leaves = [x / weight for x in leaves]
        value, gradients = leaves[0], leaves[1:]
        found = []
        for i in by:
            own, structure = _pytree.flatten(args[i])
            found.append(_pytree.unflatten(structure, gradients[: len(own)]))
            del gradients[: len(own)]
        return (value, aux) if has_aux else value, found[0] if single else tuple(found)

    return run


# ---- tasks run by workers


def _identity(x: Any) -> Any:
    return x


def _make(box: _Box) -> _Box:
    """One shard of a batch."""
    function, item, device = box.content
    part = function(item)
    return _Box(part if device is None else _moved(part, device))


def _gradient(how: Any, sent: _Box, *parts: _Box) -> _Box:
    """Value and gradient of one shard of the batch."""
    how = pickle.loads(how) if isinstance(how, bytes) else how.content
    f, argnums, has_aux, reduce, device, dtype, places, nans = how
    args, kwargs = list(sent.content[0]), sent.content[1]
    for i, box in zip(places, parts, strict=True):
        args[i] = box.content
    samples = {_samples("value_and_grad", _pytree.flatten(box.content)[0]) for box in parts}
    if len(samples) > 1:
        raise ValueError(
            "value_and_grad: all arguments in shards must have equally many samples in each shard; "
            f"got {' and '.join(map(str, sorted(samples)))}"
        )

    def there(*args: Any) -> Any:
        if device is None:
            return f(*args, **kwargs)
        with default_device(device):
            moved = [x if i in places else _moved(x, device) for i, x in enumerate(args)]
            return f(*moved, **_moved(kwargs, device))

    with default_dtype(dtype), autodiff.debug_nans() if nans else nullcontext():
        both: Callable[..., Any] = autodiff.value_and_grad(there, argnums, has_aux=has_aux)
        value, gradient = both(*args)
    value, aux = value if has_aux else (value, None)
    leaves = [value, *_pytree.flatten(gradient)[0]]
    weight = samples.pop()
    if reduce == "mean":
        leaves = [x * weight for x in leaves]
    return _Box((leaves, weight, [aux]))


def _add(a: _Box, b: _Box) -> _Box:
    """Add two sums without changing them, because Dask may repeat the task."""
    (xs, v, auxs), (ys, w, more) = a.content, b.content
    return _Box(([x + y for x, y in zip(xs, ys, strict=True)], v + w, auxs + more))


def _moved(tree: Any, device: DeviceLike) -> Any:
    def move(x: Any) -> Any:
        return x if device is None or not isinstance(x, Tensor) else x.to_device(device)

    return _pytree.tree_map(move, tree)


# ---- helpers of the caller


def _task(client: Client | None, function: Callable[..., Any], *args: Any) -> Any:
    """Make a task with a unique name; hashing the arguments would be slow."""
    if client is None:  # the threads use the caller's context variables, such as default_device
        function = partial(copy_context().run, function)
    return _delayed(function, pure=False)(*args)


#: Dask warns about graphs that contain data. These must, so that any task can be repeated.
_LARGE_GRAPHS = partial(
    dask.config.set, {"distributed.admin.large-graph-warning-threshold": "1 PB"}
)


def _places(
    args: Sequence[Any], kwargs: dict[str, Any], numbers: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Numbers of the arguments in shards, and of those to differentiate with respect to."""
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"value_and_grad: argnums {i} is out of range: the function is called with "
                f"{len(args)} positional arguments"
            )
    by = [i % len(args) for i in numbers]
    places = [i for i, x in enumerate(args) if isinstance(x, Shards)]
    if not places or any(isinstance(x, Shards) for x in kwargs.values()):
        raise TypeError(
            "value_and_grad: the batch must be a positional argument made by shard or from_map; "
            f"got {', '.join(map(describe, (*args, *kwargs.values())))}"
        )
    if set(by) & set(places):
        raise TypeError("value_and_grad: argnums must not name an argument in shards")
    return places, by


def _client(batches: Sequence[Shards]) -> Client | None:
    """The client whose workers hold the batches."""
    if len({len(batch) for batch in batches}) > 1:
        raise ValueError(
            "value_and_grad: all arguments in shards must have equally many shards; got "
            f"{' and '.join(str(len(batch)) for batch in batches)}"
        )
    if len({id(batch._client) for batch in batches}) > 1:
        raise ValueError("value_and_grad: all arguments in shards must belong to one client")
    return batches[0]._client


def _check_function(name: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(f"{name}: expected a function; got {describe(f)}")


def _samples(name: str, leaves: Sequence[Any]) -> int:
    """The length of the first axis."""
    lengths = {x.shape[0] if isinstance(x, Tensor) and x.ndim else None for x in leaves}
    length = lengths.pop() if len(lengths) == 1 else None
    if length is None:
        raise ValueError(
            f"{name}: the tensors of a batch must have equally many samples along the first axis; "
            f"got {', '.join(map(describe, leaves)) or 'none'}"
        )
    return length


def _plain_tree(name: str, tree: Any, leaf: bool = False) -> Any:
    """Detach leaves of an argument; a tensor with a gradient to lose raises."""
    leaves, structure = _pytree.flatten(tree)
    if not any(isinstance(x, Tensor) and x._trace is not None for x in leaves):
        return tree
    return _pytree.unflatten(structure, [_plain(name, x, leaf) for x in leaves])


def _plain(name: str, x: Any, leaf: bool = False) -> Any:
    if not isinstance(x, Tensor) or x._trace is None:
        return x
    given = leaf and x._is_parameter
    if autodiff.is_traced(x) and not given:
        raise autodiff.NotDifferentiableError(
            f"{name}: operations of workers are not recorded, so the gradient with respect to "
            f"{describe(x)} would be lost; write x.detach() or autodiff.stop_gradient(x) if that "
            "is intended"
        )
    return x.detach()
