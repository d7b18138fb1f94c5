"""Functions with rules of their own, and functions that are run again instead of remembered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import update_wrapper, wraps
from numbers import Number
from typing import Any

from .. import _pytree
from .._dispatch import clock, writes
from .._errors import describe
from .._tensor import Tensor
from ._backward import backward, bottom, linear, transposed_vjp
from ._debug import no_rule, seen
from ._engine import conform, fit, leaf, node, part, quiet, refresh, snapshot, traced, zeros
from ._rules import NotDifferentiableError, Rule
from ._traced import (
    Dual,
    Node,
    Recording,
    Tangent,
    Traced,
    Variable,
    View,
    checkpointing,
    following_rule,
    is_off,
    paused,
)

Function = Callable[..., Any]


class _Call:
    """A call whose tensors are taken out of their containers, and the level to perform it at."""

    def __init__(self, args: Any) -> None:
        self.leaves, self.structure = _pytree.flatten(args)
        self.level = -1
        for x in self.leaves:
            if isinstance(x, Traced):
                refresh(x)
                if x._trace.level > self.level and (isinstance(x, Dual) or not is_off(x, paused())):
                    self.level = x._trace.level
        self.flags = [isinstance(x, Traced) and x._trace.level == self.level for x in self.leaves]
        self.inner = [x._value if f else x for x, f in zip(self.leaves, self.flags, strict=True)]
        self.forward = any(
            isinstance(x, Dual) for x, f in zip(self.leaves, self.flags, strict=True) if f
        )
        self.start = next(clock)
        self.before = [getattr(x, "_trace", None) for x in self.inner]

    def check(self, name: str, outs: list[Any]) -> None:
        """Raise if the function did what could not be followed."""
        for x, flag, before in zip(self.inner, self.flags, self.before, strict=True):
            if flag and (
                getattr(x, "_trace", None) is not before
                or (writes.last > self.start and writes.since(bottom(x), self.start))
            ):
                raise RuntimeError(
                    f"{name}: the function writes to its argument {describe(x)}, which cannot be "
                    "followed here; copy it first: xp.asarray(x, copy=True)"
                )
        if any(isinstance(o, Traced) and o._trace.level >= self.level for o in outs):
            raise NotDifferentiableError(
                f"{name}: the gradient by a tensor that the function takes from outside would be "
                "lost; make it an argument, or write autodiff.stop_gradient(x) if it is constant"
            )

    def kept(self, leaves: list[Any]) -> list[Any]:
        """What a node keeps of the arguments or of residuals: no later write changes it."""
        own = {id(x) for x, flag in zip(self.inner, self.flags, strict=True) if flag}
        return [snapshot(x) if isinstance(x, Tensor) and id(x) not in own else x for x in leaves]

    def below(self) -> Any:
        """The arguments one level lower."""
        return _pytree.unflatten(self.structure, self.inner)

    def tangents(self) -> Any:
        """The tangents of the arguments, in their containers; zeros for what has none."""
        found = []
        for x, inner, flag in zip(self.leaves, self.inner, self.flags, strict=True):
            t = x._trace.value if flag and self.forward else None
            floating = isinstance(inner, Tensor) and inner.dtype.kind in "fc"
            found.append(t if t is not None else zeros(inner) if floating else None)
        return found


def _record(
    rule: Rule,
    call: _Call,
    outs: list[Any],
    kept: list[Any],
    captured: dict[Node, Any] | None = None,
) -> list[Any]:
    """Recorded tensors over `outs`, with one node for all."""
    whole = node(outs[0], call.level)
    whole.rule = rule
    whole.shape = tuple(o.shape for o in outs)
    flags = zip(call.leaves, call.flags, strict=True)
    whole.parents = (*(x._trace if f else None for x, f in flags), *(captured or ()))
    whole.saved = (None, *kept)
    whole.kwargs = {}
    results = [
        traced(Variable, o, part(o, whole, i)) if o.dtype.kind in "fc" else o
        for i, o in enumerate(outs)
    ]
    seen(rule.name, call.leaves, results)
    _note_views(rule.name, call, outs, results, captured)
    # The rule knows the call. An argument that is written later on comes to depend on the node.
    call.leaves, call.inner, call.before = [], kept, []
    return results


def _push(name: str, call: _Call, outs: list[Any], tangents: list[Any]) -> list[Any]:
    results = [
        traced(Dual, o, Tangent(call.level, None if t is None else fit(t, o)))
        if o.dtype.kind in "fc"
        else o
        for o, t in zip(outs, tangents, strict=True)
    ]
    seen(name, call.leaves, results)
    _note_views(name, call, outs, results)
    return results


def _note_views(
    name: str,
    call: _Call,
    outs: list[Any],
    results: list[Any],
    captured: dict[Node, Any] | None = None,
) -> None:
    """Make writes known to each other where results share memory with arguments or results."""
    others = [(y, x) for y, x in zip(call.inner, call.leaves, strict=True) if isinstance(x, Traced)]
    others += [(x._value, x) for x in (captured or {}).values()]
    for out, result in zip(outs, results, strict=True):
        if not isinstance(result, Traced):
            continue
        root = out._device.ops["root"]
        for y, x in others:
            if y is out:
                result._view = View(x, "getitem", (...,), {}, None, x._trace)
                break
            if root(y._data) is root(out._data):
                result._view = View(x, "shared", (name,), {}, None, x._trace)
        others.append((out, result))


def _tensors(name: str, tree: Any) -> tuple[list[Tensor], Any]:
    leaves, structure = _pytree.flatten(tree)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: expected tensors as results; got {describe(x)}")
    return leaves, structure


def _bound(f: Function, args: Any, kwargs: dict[str, Any], constants: Any) -> tuple[Any, ...]:
    """All arguments by position."""
    last = max(constants, default=-1)
    if not kwargs and len(args) > last:
        return tuple(args)
    bound = inspect.signature(f).bind(*args, **kwargs)
    bound.apply_defaults()
    name = getattr(f, "__name__", f)
    if bound.kwargs:
        raise TypeError(
            f"{name}: keyword-only arguments are not supported here; got {', '.join(bound.kwargs)}"
        )
    if len(bound.args) <= last:
        raise TypeError(
            f"{name}: nondiff_argnums names argument {last}, counted from 0; got "
            f"{len(bound.args)} arguments"
        )
    return bound.args


class _Custom:
    """What both kinds of functions with rules of their own share."""

    _rule: Any = None
    _how: str  # to give the rule

    def __init__(self, fun: Function, nondiff_argnums: int | Sequence[int] = ()) -> None:
        if not callable(fun):
            raise TypeError(f"{type(self).__name__}: expected a function; got {describe(fun)}")
        update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums: tuple[int, ...] = (
            (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
        )
        wrong = [i for i in self.nondiff_argnums if not isinstance(i, int) or i < 0]
        if wrong or len(set(self.nondiff_argnums)) < len(self.nondiff_argnums):
            raise ValueError(
                f"{type(self).__name__}: nondiff_argnums must be different positions, counted "
                f"from 0; got {nondiff_argnums!r}"
            )
        self.name = getattr(fun, "__name__", type(self).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Perform the function."""
        args = _bound(self.fun, args, kwargs, self.nondiff_argnums)
        constants = [args[i] for i in self.nondiff_argnums]
        call = _Call(tuple(x for i, x in enumerate(args) if i not in self.nondiff_argnums))
        if call.level < 0:
            return self.fun(*args)
        if self._rule is None:
            raise AttributeError(f"{self.name}: no rule yet; write {self._how.format(self.name)}")
        return self._perform(constants, call)

    def _perform(self, constants: list[Any], call: _Call) -> Any:
        """The function by its rule, of which each kind has its own form."""
        raise NotImplementedError

    def _put_together(self, constants: list[Any], others: Any) -> list[Any]:
        """The inverse: all arguments by position."""
        args = list(others)
        for i, x in sorted(zip(self.nondiff_argnums, constants, strict=True), key=lambda p: p[0]):
            args.insert(i, x)
        return args


# ---- custom_vjp


class custom_vjp(_Custom):
    """A function with a reverse-mode rule of its own.

    Parameters
    ----------
    fun : callable
        The function, of tensors or containers of them.
    nondiff_argnums : int or sequence of int, optional
        Positions, counted from 0, of arguments that are no tensors to differentiate by; the rule
        gets them first.

    Raises
    ------
    TypeError
        If `fun` is no function. At a call: if a position is that of no argument, if an argument
        is keyword-only, and if the rule does not give what it should.
    ValueError
        If a position is negative or there twice.
    AttributeError
        At a call that is differentiated, if no rule has been given.

    Notes
    -----
    Forward mode transposes the rule, which has to be linear in the cotangent for that. Both
    parts of the rule are differentiated themselves for higher derivatives.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> @autodiff.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> def forward(x):
    ...     return x, ()
    >>> def backward(residuals, g):
    ...     return (xp.clip(g, -1.0, 1.0),)
    >>> clipped.defvjp(forward, backward)
    >>> autodiff.grad(lambda x: 10 * clipped(x))(xp.asarray(3.0))
    Tensor(1., dtype=float64)
    """

    _how = "{}.defvjp(...)"

    def defvjp(self, forward: Function, backward: Function, /) -> None:
        """Give the rule.

        Parameters
        ----------
        forward : callable
            ``forward(*args)`` gives ``(out, residuals)``: the function's result and whatever
            the second part needs.
        backward : callable
            ``backward(*nondiff, residuals, g)`` takes the cotangent of the result, in its
            containers, and gives a tuple: for each differentiable argument its cotangent, in
            the argument's containers, or None for zero.
        """
        self._rule = forward, backward

    def _perform(self, constants: list[Any], call: _Call) -> Any:
        forward, backwards = self._rule
        below = call.below()
        with following_rule(call.level, call.start):
            given = forward(*self._put_together(constants, below))
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(
                f"{self.name}: the first part of the rule must give a pair, (out, residuals); got "
                f"{describe(given)}"
            )
        out, residuals = given
        outs, structure = _tensors(self.name, out)
        call.check(self.name, outs)
        leaves, residual = _pytree.flatten(residuals)
        kept = [*call.kept(call.inner), *call.kept(leaves)]
        n = len(call.inner)
        below = _pytree.unflatten(call.structure, kept[:n])

        def whole(g: Any, _out: Any, *saved: Any) -> list[Any]:
            filled = [zeros(o) if p is None else p for p, o in zip(g, outs, strict=True)]
            inner, residuals = saved[:n], _pytree.unflatten(residual, saved[n:])
            if any(isinstance(x, Traced) and x._trace.level == call.level for x in inner):
                # The pass itself is recorded, at the same level: so is what it depends on.
                again = _pytree.unflatten(call.structure, inner)
                with Recording(True):
                    _, residuals = forward(*self._put_together(constants, again))
            given = backwards(*constants, residuals, _pytree.unflatten(structure, filled))
            return _match(self.name, given, below)

        if not call.forward:
            rule = Rule(self.name, whole=whole)
            return _pytree.unflatten(structure, _record(rule, call, outs, kept))
        totals: list[Any] = [None] * len(outs)
        with quiet():
            for k, t in enumerate(call.tangents()):
                if t is None or not call.flags[k]:
                    continue
                found = transposed_vjp(lambda g, *_, k=k: whole(g, None, *kept)[k], True)(t, outs)
                totals = [b if a is None else a if b is None else a + b
                          for a, b in zip(totals, found, strict=True)]  # fmt: skip
        return _pytree.unflatten(structure, _push(self.name, call, outs, totals))


def _match(name: str, given: Any, arguments: Any) -> list[Any]:
    """The leaves of a rule's cotangents, one for each leaf of the arguments."""
    if not isinstance(given, tuple) or len(given) != len(arguments):
        hint = "; write return (g,)" if len(arguments) == 1 and isinstance(given, Tensor) else ""
        raise TypeError(
            f"{name}: the rule must give a tuple of {len(arguments)} cotangents, one for each "
            f"argument; got {describe(given)}{hint}"
        )
    found: list[Any] = []
    for x, g in zip(arguments, given, strict=True):
        leaves, structure = _pytree.flatten(x)
        if g is None:
            found += [None] * len(leaves)
            continue
        parts, other = _pytree.flatten(g)
        if other != structure:
            raise ValueError(
                f"{name}: a cotangent must have the structure {structure}; got {other}"
            )
        for y, p in zip(leaves, parts, strict=True):
            if isinstance(y, Tensor) and (not isinstance(p, Tensor) or p.shape != y.shape):
                raise ValueError(
                    f"{name}: the cotangent of {describe(y)} must have its shape; got {describe(p)}"
                )
        found += parts
    return found


# ---- custom_jvp


def _still(x: Any) -> Any:
    """The tangent of what has none: zero; of what is neither a tensor nor a number, itself."""
    if isinstance(x, Tensor):
        return zeros(x)
    return 0.0 if isinstance(x, Number) else x


def _tangents(name: str, given: Any, outs: list[Any], structure: Any) -> list[Any]:
    """The leaves of a rule's tangents, one for each result."""
    leaves, found = _pytree.flatten(given)
    if found != structure:
        raise ValueError(f"{name}: the tangent must have the structure {structure}; got {found}")
    tangents = []
    for t, o in zip(leaves, outs, strict=True):
        if isinstance(t, Number) and o.dtype.kind in "fc":
            t = zeros(o) + t  # of arguments that are numbers alone
        elif not isinstance(t, Tensor) and o.dtype.kind in "fc":
            raise TypeError(
                f"{name}: the tangent of {describe(o)} must be a tensor; got {describe(t)}"
            )
        tangents.append(t)
    return tangents


class custom_jvp(_Custom):
    """A function with a forward-mode rule of its own.

    Parameters
    ----------
    fun : callable
        The function, of tensors or containers of them.
    nondiff_argnums : int or sequence of int, optional
        Positions, counted from 0, of arguments that are no tensors to differentiate by; the rule
        gets them first.

    Raises
    ------
    TypeError
        If `fun` is no function. At a call: if a position is that of no argument, if an argument
        is keyword-only, and if the rule does not give what it should.
    ValueError
        If a position is negative or there twice.
    AttributeError
        At a call that is differentiated, if no rule has been given.

    Notes
    -----
    Reverse mode transposes the rule, which has to be linear in the tangents for that.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> @autodiff.custom_jvp
    ... def log1pexp(x):
    ...     return xp.logaddexp(x, 0.0)
    >>> @log1pexp.defjvp
    ... def log1pexp_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), t / (1 + xp.exp(-x))
    >>> autodiff.grad(log1pexp)(xp.asarray(0.0))
    Tensor(0.5, dtype=float64)
    """

    _how = "@{}.defjvp"

    def defjvp(self, jvp: Function, /) -> Function:
        """Give the rule; also as a decorator.

        Parameters
        ----------
        jvp : callable
            ``jvp(*nondiff, primals, tangents)`` takes tuples of the differentiable arguments
            and of their tangents (zeros for those that have none) and gives ``(out,
            tangent_out)``.

        Returns
        -------
        callable
            The rule itself.
        """
        self._rule = jvp
        return jvp

    def defjvps(self, *jvps: Function | None) -> None:
        """Give the rule in parts, one for each argument.

        Parameters
        ----------
        *jvps : callable or None
            ``jvp(t, out, *args)`` takes the tangent of its argument, the function's result and
            all arguments, and gives the tangent of the result; these are added up. None stands
            for zero.

        Raises
        ------
        TypeError
            If there are `nondiff_argnums`: `defjvp` is for these. At a call: if there are more
            arguments than rules, or fewer.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> @autodiff.custom_jvp
        ... def scaled(x, factor):
        ...     return x * factor
        >>> scaled.defjvps(lambda t, out, x, factor: t * factor, None)
        >>> autodiff.grad(scaled, argnums=(0, 1))(xp.asarray(2.0), xp.asarray(3.0))
        (Tensor(3., dtype=float64), Tensor(0., dtype=float64))
        """
        if self.nondiff_argnums:
            raise TypeError(f"{self.name}: defjvps takes no nondiff_argnums; write defjvp")
        for jvp in jvps:
            if jvp is not None and not callable(jvp):
                raise TypeError(f"defjvps: expected functions or None; got {describe(jvp)}")

        def rule(primals: Any, tangents: Any) -> tuple[Any, Any]:
            if len(primals) != len(jvps):
                raise TypeError(
                    f"{self.name}: defjvps must have one rule for each argument; got {len(jvps)} "
                    f"for {len(primals)}"
                )
            out = self(*primals)
            outs, structure = _tensors(self.name, out)
            totals: list[Any] = [zeros(o) for o in outs]
            for t, jvp in zip(tangents, jvps, strict=True):
                if jvp is not None:
                    parts = _tangents(self.name, jvp(t, out, *primals), outs, structure)
                    totals = [
                        a + b if o.dtype.kind in "fc" else a
                        for a, b, o in zip(totals, parts, outs, strict=True)
                    ]
            return out, _pytree.unflatten(structure, totals)

        self._rule = rule

    def _perform(self, constants: list[Any], call: _Call) -> Any:
        rule = self._rule
        below = call.below()

        def run(tangents: list[Any], below: Any = below) -> tuple[Any, Any]:
            filled = [
                _still(x) if t is None else t for t, x in zip(tangents, call.inner, strict=True)
            ]
            result = rule(*constants, below, _pytree.unflatten(call.structure, filled))
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(
                    f"{self.name}: the rule must give (out, tangent_out); got {describe(result)}"
                )
            return result

        if call.forward:
            with following_rule(call.level, call.start):
                out, tangent = run(call.tangents())
            outs, structure = _tensors(self.name, out)
            call.check(self.name, outs)
            tangents = _tangents(self.name, tangent, outs, structure)
            return _pytree.unflatten(structure, _push(self.name, call, outs, tangents))
        with following_rule(call.level, call.start):
            outs, structure = _tensors(self.name, self(*self._put_together(constants, below)))
        call.check(self.name, outs)
        kept = call.kept(call.inner)
        basis = call.tangents()
        places = [i for i, f in enumerate(call.flags) if f]

        def whole(g: Any, _out: Any, *inner: Any) -> list[Any]:
            again = _pytree.unflatten(call.structure, inner)  # recorded, if the pass itself is

            def function(*ts: Tensor) -> Any:
                tangents = list(basis)
                for i, t in zip(places, ts, strict=True):
                    tangents[i] = t
                return _tangents(self.name, run(tangents, again)[1], outs, structure)

            _, pull = linear(function, *[zeros(call.inner[i]) for i in places])
            found: list[Any] = [None] * len(inner)
            for i, p in zip(places, pull(*g), strict=True):
                found[i] = p
            return found

        return _pytree.unflatten(structure, _record(Rule(self.name, whole=whole), call, outs, kept))


# ---- checkpoint

_repeats: ContextVar[bool] = ContextVar("arraygrad_repeats", default=False)
#: Whether a checkpoint runs its function again, which is to leave nothing behind a second time.
repeats = _repeats.get


@contextmanager
def _repeating() -> Iterator[None]:
    token = _repeats.set(True)
    try:
        with Recording(True), no_rule():
            yield
    finally:
        _repeats.reset(token)


class _Stops(frozenset[Node]):
    """Where the pass over a second run ends; nothing else that is older has a part in it."""

    start: int

    def __contains__(self, node: Any) -> bool:
        return self.check(node)

    def check(self, node: Any) -> bool:
        """Whether to stop; raises at what the first run has not met."""
        if super().__contains__(node):
            return True
        if node.time < self.start:
            raise RuntimeError(
                "checkpoint: the function takes a tensor from outside that has changed since it "
                "was run first; make it an argument"
            )
        return False


def checkpoint(f: Function, /) -> Function:
    """The same function, of which the pass backward remembers the arguments only.

    What happens inside of `f` is not kept; it is run once more when its gradient is needed.
    Memory for time.

    Parameters
    ----------
    f : callable
        Gives tensors in nested containers, the same ones each time it is run. It may use
        tensors that are not among its arguments, recorded ones, too; they must not change until
        the pass backward. What it does beside that it does twice, but for `nn.batch_norm`, which
        updates its running mean and variance once; and what it leaves elsewhere than in its results
        has no gradient.

    Returns
    -------
    callable
        Of the same arguments and results.

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
        call = _Call((args, kwargs))
        if call.forward or (call.level < 0 and paused() is not None):
            return f(*args, **kwargs)  # nothing is kept anyway
        captured: dict[Node, Any] = {}
        if call.level < 0:
            call.level = 0  # there may be variables inside
        level = call.level
        inner_args, inner_kwargs = call.below()
        with checkpointing(level, captured):
            out = f(*inner_args, **inner_kwargs)
        outs, structure = _tensors("checkpoint", out)
        if not any(call.flags) and not captured:
            return out
        if any(isinstance(o, Traced) and o._trace.level > level for o in outs):
            return f(*args, **kwargs)  # by what it takes from outside: not to be kept at that level
        call.check("checkpoint", outs)
        kept = call.kept(call.inner)
        nodes = tuple(captured)

        def whole(g: Any, _out: Any, *inner: Any) -> list[Any]:
            again, starts = [], []
            create = False
            for x, flag in zip(inner, call.flags, strict=True):
                if flag and isinstance(x, Traced) and x._trace.level == level:
                    create = True  # the pass itself is recorded, at the same level
                elif flag:
                    x = traced(Variable, x, leaf(x, level))
                starts.append(x._trace if flag else None)
                again.append(x)
            args, kwargs = _pytree.unflatten(call.structure, again)
            start = next(clock)
            with _repeating():
                results, _ = _tensors("checkpoint", f(*args, **kwargs))
            create = create or any(
                isinstance(p, Traced) and p._trace.level == level for p in g if p is not None
            )
            roots = []
            for y, p in zip(results, g, strict=True):
                if p is not None and isinstance(y, Traced):
                    refresh(y)
                    if y._trace.level == level:
                        roots.append((y._trace, conform(p, y._trace)))
            stops = _Stops([*(s for s in starts if s is not None), *nodes])
            stops.start = start
            with no_rule():
                found = backward(roots, stops=stops, create_graph=create)
            for leaf_node in found:
                stops.check(leaf_node)
            # One node may be that of several arguments.
            return [None if s is None else found.pop(s, None) for s in (*starts, *nodes)]

        constants = [x for x, flag in zip(call.leaves, call.flags, strict=True) if not flag]
        results = _record(Rule("checkpoint", whole=whole), call, outs, kept, captured)
        call.inner = []  # not to outlive what the node keeps
        return _pytree.unflatten(
            structure,
            [
                o if any(o is c for c in constants) else r
                for o, r in zip(outs, results, strict=True)
            ],
        )

    return run


__all__ = ["checkpoint", "custom_jvp", "custom_vjp"]
