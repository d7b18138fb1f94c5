"""Checkpointing: recompute intermediate results in the backward pass instead of saving them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any
from weakref import ref

from .. import _pytree
from .._errors import describe
from .._memory import bottom, save
from .._typing import P, R
from .._utility import all as _all
from ..random import SameDraws
from ._backward import backward
from ._custom import FlatCall, is_at, record_call, result_tensors
from ._grad_mode import checkpointing, enable_grad, grad_modes
from ._graph import Node, box, new_leaf, sequence_numbers
from ._levels import TAPE
from ._rules import Rule
from ._tangents import sum_to, user_context
from ._views import refresh, state_of

Function = Callable[..., Any]

_recomputing: ContextVar[bool] = ContextVar("arraygrad_recomputing", default=False)


def is_recomputing() -> bool:
    """Return True while a checkpoint recomputes its function for the backward pass.

    A function with side effects, such as running averages, must skip them then.

    Returns
    -------
    bool
        True during recomputation.

    Examples
    --------
    >>> from arraygrad import autodiff
    >>> autodiff.is_recomputing()
    False
    """
    return _recomputing.get()


@contextmanager
def run_again(level: Any) -> Iterator[None]:
    """A context in which a function is run again at a level, for a backward pass."""
    token = _recomputing.set(True)
    closed, level.closed = level.closed, False
    try:
        with user_context(), enable_grad():
            yield
    finally:
        level.closed = closed
        _recomputing.reset(token)


class _Boundary(frozenset[Node]):
    """Nodes where the backward pass over a recomputation stops; it must reach no other old node."""

    start: int

    def __contains__(self, node: Any) -> bool:
        return self.check(node)

    def check(self, node: Any) -> bool:
        """Return True if the pass must stop; raise at a node that the first run did not use."""
        if super().__contains__(node):
            return True
        if node.sequence_nr < self.start:
            raise RuntimeError(
                "checkpoint: a tensor that the function uses from its closure has changed since "
                "the first run; pass it as an argument"
            )
        return False


def _are_equal(now: Any, before: Any) -> bool:
    """Return True if a tensor still has its saved values, before it was written again.

    `Storage.written` separates the two before a write, which may then fail.
    """
    if now is None:
        return True  # gone: if there is another one in its place, `_Boundary` notices
    a, b = bottom(now), bottom(before)
    return bool(_all((a == b) | ((a != a) & (b != b))))


def checkpoint(f: Callable[P, R], /) -> Callable[P, R]:
    """Make a function save memory: it is recomputed in the backward pass.

    Only the arguments are saved, and no intermediate results. The function is run once more when
    its gradient is computed. Generators of `arraygrad.random` that it uses draw the same numbers
    then, and continue as after a single run.

    Parameters
    ----------
    f : callable
        Function that returns tensors in nested containers, the same ones at each run. It may use
        tensors from its closure, including recorded ones; they must not change until the backward
        pass, which raises RuntimeError if a recorded one has been written. Its side effects happen
        twice unless it checks `is_recomputing`, as `nn.batch_norm` does to update its running
        statistics once. Only the returned tensors have gradients.

    Returns
    -------
    callable
        Function with the same arguments and results.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> f = autodiff.checkpoint(lambda x: xp.sin(xp.exp(x)))
    >>> x = xp.asarray(0.5)
    >>> autodiff.grad(f)(x) == xp.exp(x) * xp.cos(xp.exp(x))
    Tensor(True, dtype=bool)
    """
    if not callable(f):
        raise TypeError(f"checkpoint: expected a function; got {describe(f)}")

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        call = FlatCall((args, kwargs))
        if call.level is not None and call.level.batched:
            return _over_batch(f, call)
        if call.forward or (call.level is None and grad_modes()):
            return f(*args, **kwargs)  # nothing is saved anyway
        captured: dict[Node, tuple[Any, Any]] = {}
        if call.level is None:
            call.level = TAPE  # the closure may contain leaves
        level = call.level
        saved = call.saved(call.inner)  # before the function can write to them
        inner_args, inner_kwargs = call.primal_args()
        draws = SameDraws()
        with checkpointing(level.number, captured), draws.run():
            out = f(*inner_args, **inner_kwargs)
        outs, structure = result_tensors("checkpoint", out)
        if not any(call.flags) and not captured:
            return out
        call.check_unwritten("checkpoint")
        for x, state in captured.values():
            if state_of(x) != state:
                raise RuntimeError(
                    f"checkpoint: the function writes to {describe(x)}, a tensor from outside; "
                    "copy it first: xp.asarray(x, copy=True)"
                )
        if any(o._trace is not None and o._trace.level.number > level.number for o in outs):
            with draws.run():
                return f(*args, **kwargs)  # the closure has tensors of a higher level
        call.check("checkpoint", outs)
        nodes = tuple(captured)
        count = len(saved)
        closure = [ref(x) for x, _ in captured.values()]
        saved += [save(bottom(x)) for x, _ in captured.values()]

        def joint_vjp(g: Any, _out: Any, *inner: Any) -> list[Any]:
            for link, x in zip(closure, inner[count:], strict=True):
                if bottom(x)._storage is None and not _are_equal(link(), x):
                    raise RuntimeError(
                        f"checkpoint: {describe(x)}, which the function uses from its closure, has "
                        "been written since the first run, for example by optimizer.step(); call "
                        "backward first, or pass it as an argument"
                    )
            again, leaves = [], []
            create = any(is_at(p, level) for p in g if p is not None)
            for x, flag in zip(inner[:count], call.flags, strict=True):
                if flag and is_at(x, level):
                    create = True  # the backward pass itself is recorded at the same level
                elif flag:
                    x = box(x, new_leaf(x, level))
                leaves.append(x._trace if flag else None)
                again.append(x)
            args, kwargs = _pytree.unflatten(call.structure, again)
            boundary = _Boundary([*(s for s in leaves if s is not None), *nodes])
            boundary.start = next(sequence_numbers)
            roots = []
            with run_again(level), draws.run():
                results, _ = result_tensors("checkpoint", f(*args, **kwargs))
                for y, p in zip(results, g, strict=True):
                    if y._trace is not None:
                        refresh(y)
                    if p is not None and is_at(y, level):
                        roots.append((y._trace, sum_to(p, y._trace)))
            with user_context():
                found = backward(roots, stops=boundary, create_graph=create)
            for leaf in found:
                boundary.check(leaf)
            # Several arguments may have the same node.
            return [None if s is None else found.pop(s, None) for s in (*leaves, *nodes)]

        constants = [x for x, flag in zip(call.leaves, call.flags, strict=True) if not flag]
        rule = Rule("checkpoint", joint_vjp=joint_vjp)
        results = record_call(rule, call, outs, saved, captured)
        call.inner = []  # must not outlive the saved tensors of the node
        return _pytree.unflatten(
            structure,
            [
                o if any(o is c for c in constants) else r
                for o, r in zip(outs, results, strict=True)
            ],
        )

    return run


def _over_batch(f: Function, call: FlatCall) -> Any:
    """A checkpoint of a function of a batch: one of a function that is one level lower."""
    level, flags, structure = call.level, call.flags, call.structure
    outside: Any = None

    def function(*leaves: Any) -> Any:
        nonlocal outside
        with level.running(*leaves):
            args, kwargs = _pytree.unflatten(structure, level.wrapped(leaves, flags))
            outs, outside = result_tensors("checkpoint", f(*args, **kwargs))
            return tuple([level.inner(x) for x in outs])

    outs = checkpoint(function)(*call.inner)
    return _pytree.unflatten(outside, [level.wrap(x) for x in outs])
