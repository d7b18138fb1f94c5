"""Functions with custom rules."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import update_wrapper
from numbers import Number
from operator import index
from typing import Any, Generic

from .. import _pytree
from .._dispatch import common_device, reduction
from .._errors import describe
from .._modes import get_mode
from .._typing import F, P, R, Tensor
from ..random import SameDraws
from ._grad_mode import custom_rule_scope, enable_grad, recording_off
from ._graph import Node, Tangent, box, new_node, output_node, sequence_numbers
from ._rules import NotDifferentiableError, Rule
from ._tangents import add, rule_context, zeros
from ._transpose import linear_transpose, transposed_vjp
from ._views import note_view, protect, refresh, snapshot, state_of

Function = Callable[..., Any]


class FlatCall:
    """Call with flattened arguments, and the highest level of its traced arguments."""

    def __init__(self, args: Any) -> None:
        self.leaves, self.structure = _pytree.flatten(args)
        self.level: Any = None
        mode = get_mode()
        for x in self.leaves:
            if isinstance(x, Tensor) and x._trace is not None:
                refresh(x)
                trace = x._trace
                if trace is None:
                    continue
                is_traced = trace.level.forward or not recording_off(x, mode)
                if is_traced and (self.level is None or trace.level.number > self.level.number):
                    self.level = trace.level
        self.flags = [is_at(x, self.level) for x in self.leaves]
        self.inner = [x._primal if f else x for x, f in zip(self.leaves, self.flags, strict=True)]
        self.forward = self.level is not None and self.level.forward
        self.started_at = next(sequence_numbers)
        self.states = [state_of(x) for x in self.inner]

    def check_unwritten(self, name: str) -> None:
        """Raise if the function has written to its arguments."""
        for x, flag, before in zip(self.inner, self.flags, self.states, strict=True):
            if flag and state_of(x) != before:
                raise RuntimeError(
                    f"{name}: the function writes to its argument {describe(x)}, which cannot be "
                    "recorded here; write xp.asarray(x, copy=True) first"
                )

    def check(self, name: str, outs: list[Any]) -> None:
        """Raise if the function did something that its rule cannot account for."""
        self.check_unwritten(name)
        number = -1 if self.level is None else self.level.number
        if any(o._trace is not None and o._trace.level.number >= number for o in outs):
            raise NotDifferentiableError(
                f"{name}: the gradient with respect to a tensor that the function uses from its "
                "closure would be lost; pass it as an argument, or write "
                "autodiff.stop_gradient(x) if it is constant"
            )

    def saved(self, leaves: list[Any]) -> list[Any]:
        """Save arguments or residuals for a node, protected from later writes."""
        return [snapshot(x) if isinstance(x, Tensor) else x for x in leaves]

    def example_args(self) -> Any:
        """Arguments of a batch, for their shapes."""
        return _pytree.unflatten(self.structure, self.leaves)

    def primal_args(self) -> Any:
        """Arguments as primals, one level lower."""
        return _pytree.unflatten(self.structure, self.inner)

    def tangents(self) -> Any:
        """Tangents of the leaves of the arguments; zeros for untraced floating-point leaves."""
        found = []
        for x, inner, flag in zip(self.leaves, self.inner, self.flags, strict=True):
            t = x._trace.value if flag and self.forward else None
            floating = isinstance(inner, Tensor) and inner.dtype.kind in "fc"
            found.append(t if t is not None else zeros(inner) if floating else None)
        return found


def is_at(x: Any, level: Any) -> bool:
    """Return True if `x` is traced at a level."""
    return isinstance(x, Tensor) and x._trace is not None and x._trace.level is level


def record_call(
    rule: Rule,
    call: FlatCall,
    outs: list[Any],
    saved: list[Any],
    captured: dict[Node, Any] | None = None,
) -> list[Any]:
    """Box `outs` as recorded tensors with one common node."""
    node = new_node(outs[0], call.level)
    node.rule = rule
    node.shape = tuple(o.shape for o in outs)
    flags = zip(call.leaves, call.flags, strict=True)
    node.parents = (*(x._trace if f else None for x, f in flags), *(captured or ()))
    node.saved = (None, *saved)
    node.kwargs = {}
    results = [
        box(o, output_node(o, node, i)) if o.dtype.kind in "fc" else o for i, o in enumerate(outs)
    ]
    _finish(rule.name, call, outs, results, captured)
    # The rule refers to the call. An argument that is written later depends on the node, so drop
    # the references.
    call.leaves, call.inner, call.states = [], saved, []
    return results


def _push(name: str, call: FlatCall, outs: list[Any], tangents: list[Any]) -> list[Any]:
    results = [
        box(o, Tangent(call.level, t)) if o.dtype.kind in "fc" else o
        for o, t in zip(outs, tangents, strict=True)
    ]
    _finish(name, call, outs, results)
    return results


def _finish(
    name: str,
    call: FlatCall,
    outs: list[Any],
    results: list[Any],
    captured: dict[Node, Any] | None = None,
) -> None:
    """Check for NaN, and register results that alias arguments or one another."""
    mode = get_mode()
    if mode is not None and mode.nans is not None:
        mode.nans.check_traced(name, call.leaves, results)
    others = [
        (y, x)
        for y, x in zip(call.inner, call.leaves, strict=True)
        if isinstance(x, Tensor) and x._trace is not None
    ]
    others += [(x._primal, x) for x, _ in (captured or {}).values()]
    for out, result in zip(outs, results, strict=True):
        if result._trace is None:
            continue
        root = out._device.ops["root"]
        for y, x in others:
            if y is out:
                note_view(result, x, "getitem", (...,), {}, None)
                break
            if root(y._data) is root(out._data):
                note_view(result, x, "shared", (name,), {}, None)
        others.append((out, result))


def result_tensors(name: str, tree: Any) -> tuple[list[Tensor], Any]:
    leaves, structure = _pytree.flatten(tree)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: the function must return tensors; got {describe(x)}")
    return leaves, structure


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


#: What the functions of a rule return.
_VJP_PAIR = "forward must return a pair (out, residuals)"
_JVP_PAIR = "the rule must return (out, tangent_out)"


#: The default of a function that has to be given.
_NOTHING: Any = object()


class _CustomRule(Generic[P, R]):
    """Base class of functions with custom rules."""

    fun: Callable[..., Any]
    _rule: Any = None
    _batching: Any = None
    _hint: str  # how to define the rule

    def __init__(
        self, fun: Callable[P, R] = _NOTHING, nondiff_argnums: int | Sequence[int] = ()
    ) -> None:
        if fun is _NOTHING:
            name = type(self).__name__
            raise TypeError(
                f"{name}: expected a function first; as a decorator with parameters, write "
                f"@functools.partial(autodiff.{name}, nondiff_argnums=...)"
            )
        if not callable(fun):
            raise TypeError(f"{type(self).__name__}: expected a function; got {describe(fun)}")
        update_wrapper(self, fun)
        self.fun = fun
        several: Any = nondiff_argnums
        if not isinstance(nondiff_argnums, (tuple, list, range)):
            several = (nondiff_argnums,)
        try:
            numbers = tuple(map(index, several))
        except TypeError:
            numbers = (-1,)
        self.nondiff_argnums: tuple[int, ...] = numbers
        if any(i < 0 for i in numbers) or len(set(numbers)) < len(numbers):
            raise ValueError(
                f"{type(self).__name__}: nondiff_argnums must be distinct nonnegative indices; "
                f"got {nondiff_argnums!r}"
            )
        self.name = getattr(fun, "__name__", type(self).__name__)
        try:
            self._signature = inspect.signature(fun)
        except ValueError:  # some functions written in C have none
            self._signature = inspect.signature(lambda *args, **kwargs: None)
        kinds = [p.kind for p in self._signature.parameters.values()]
        self._n_positional = sum(k in _POSITIONAL for k in kinds)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position, also those that have their defaults."""
        if kwargs or len(args) < self._n_positional:
            try:
                bound = self._signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.name}: {error}") from error
            bound.apply_defaults()
            unsupported = [k for k in kwargs if k in bound.kwargs]
            if unsupported:
                raise TypeError(
                    f"{self.name}: keyword-only arguments are not supported here; got "
                    f"{', '.join(unsupported)}"
                )
            args = bound.args
        last = max(self.nondiff_argnums, default=-1)
        if len(args) <= last:
            raise TypeError(
                f"{self.name}: nondiff_argnums has the index {last}, but the call has only "
                f"{len(args)} arguments"
            )
        return args

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, with its rule if an argument is traced."""
        return self._call(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        args = self._bind(args, kwargs)
        constants = [args[i] for i in self.nondiff_argnums]
        call = FlatCall(tuple(x for i, x in enumerate(args) if i not in self.nondiff_argnums))
        if call.level is None:
            return self.fun(*args)
        if call.level.batched and self._batching is not None:
            return self._batch_by_rule(constants, call)
        if self._rule is None:
            raise AttributeError(
                f"{self.name}: no derivative rule is defined; write {self._hint.format(self.name)}"
            )
        return self._perform_batch(constants, call) if call.level.batched else (
            self._perform(constants, call)
        )  # fmt: skip

    def _perform(self, constants: list[Any], call: FlatCall) -> Any:
        """Evaluate the function by its rule."""
        raise NotImplementedError

    def defvmap(self, rule: F, /) -> F:
        """Define how the function is applied to a batch; also usable as a decorator.

        Without it, `vmap` batches the function, and the functions of its derivative rule.

        Parameters
        ----------
        rule : callable
            ``rule(size, batched, *args)`` takes the number of examples, and in the containers of
            the arguments (without those of `nondiff_argnums`) whether a tensor is batched; it has
            the examples along its first axis then. It returns ``(out, out_batched)``, the result
            and, for each of its tensors, whether it is batched. The rule is differentiated as it is
            written.

        Returns
        -------
        callable
            The function `rule` itself.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff
        >>> @autodiff.custom_vjp
        ... def centred(x):
        ...     return x - xp.mean(x)
        >>> @centred.defvmap
        ... def centred_batch(size, batched, x):
        ...     return x - xp.mean(x, axis=1, keepdims=True), True
        >>> xp.vmap(centred)(xp.asarray([[1.0, 3.0], [2.0, 6.0]]))
        Tensor([[-1.,  1.],
                [-2.,  2.]], dtype=float64)
        """
        if not callable(rule):
            raise TypeError(f"defvmap: expected a function; got {describe(rule)}")
        self._batching = rule
        return rule

    def _batch_by_rule(self, constants: list[Any], call: FlatCall) -> Any:
        """Apply the function to a batch by the rule for that."""
        level = call.level
        flags = _pytree.unflatten(call.structure, call.flags)
        args = self._merge_args(constants, call.primal_args())
        given = self._batching(level.size, flags, *args)
        self._check_pair(given, "the rule for batches must return (out, out_batched)")
        outs, structure = result_tensors(self.name, given[0])
        found = _pytree.broadcast_prefix(given[1], given[0], none_is_leaf=False)
        if found is None or len(found) != len(outs):
            raise ValueError(
                f"{self.name}: out_batched must have the containers of the result {structure}; got "
                f"{given[1]}"
            )
        for x, flag in zip(outs, found, strict=True):
            if flag and (not x.ndim or x.shape[0] != level.size):
                raise ValueError(
                    f"{self.name}: a batched result must have {level.size} examples along its "
                    f"first axis; got {describe(x)}"
                )
        return _pytree.unflatten(structure, level.wrapped(outs, found))

    def _perform_batch(self, constants: list[Any], call: FlatCall) -> Any:
        """Apply the function to a batch: another one with a rule, one level lower.

        Its arguments are the leaves of the arguments.
        """
        level, flags = call.level, call.flags
        structures: dict[str, Any] = {}

        def arguments(leaves: Any) -> list[Any]:
            args = _pytree.unflatten(call.structure, level.wrapped(leaves, flags))
            return self._merge_args(constants, args)

        def results(out: Any) -> tuple[Any, ...]:
            outs, structures["out"] = result_tensors(self.name, out)
            return tuple([level.inner(x) for x in outs])

        def fun(*leaves: Any) -> Any:
            with level.running(*leaves):
                return results(self.fun(*arguments(leaves)))

        fun.__name__ = self.name
        make: Any = type(self)
        lower = make(fun)
        lower._rule = self._batched_rule(constants, call, structures, arguments, results)
        outs = lower(*call.inner)
        return _pytree.unflatten(structures["out"], [level.wrap(x) for x in outs])

    def _batched_rule(self, constants: list[Any], call: FlatCall, *helpers: Any) -> Any:
        """The rule of `_perform_batch`."""
        raise NotImplementedError

    def _check_pair(self, given: Any, expected: str) -> None:
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(f"{self.name}: {expected}; got {describe(given)}")

    def _merge_args(self, constants: list[Any], others: Any) -> list[Any]:
        """Merge non-differentiable and other arguments by position."""
        args = list(others)
        for i, x in sorted(zip(self.nondiff_argnums, constants, strict=True), key=lambda p: p[0]):
            args.insert(i, x)
        return args


# ---- custom_vjp


class custom_vjp(_CustomRule[P, R]):
    """Function with a custom reverse-mode rule.

    Parameters
    ----------
    fun : callable
        Function of tensors or containers of them.
    nondiff_argnums : int or sequence of int, optional
        Indices of non-differentiable arguments. The rule receives them first.

    Raises
    ------
    TypeError
        If `fun` is not a function. At a call, if an index is out of range, an argument is
        keyword-only, or the rule returns an invalid result.
    ValueError
        If an index is negative or occurs twice. At a call, if the rule returns other containers or
        shapes, or is seen not to be linear where its transpose is needed.
    AttributeError
        At a differentiated call, if no rule is defined.

    Notes
    -----
    Forward mode transposes the rule, which must therefore be linear in the cotangent. For higher
    derivatives, both parts of the rule are differentiated.

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

    _hint = "{}.defvjp(...)"

    def defvjp(self, forward: Function, backward: Function, /) -> None:
        """Define the rule.

        Parameters
        ----------
        forward : callable
            ``forward(*args)`` returns ``(out, residuals)``: the result of the function and the data
            that `backward` needs.
        backward : callable
            ``backward(*nondiff, residuals, g)`` takes the cotangent of the result, in its
            containers. It returns a tuple with the cotangent of each differentiable argument, in
            the containers, shapes and dtypes of the argument, or None for zero.
        """
        self._rule = forward, backward

    def _perform(self, constants: list[Any], call: FlatCall) -> Any:
        forward, backwards = self._rule
        below = call.primal_args()
        draws = SameDraws()
        with custom_rule_scope(call.level.number, call.started_at), draws.run():
            given = forward(*self._merge_args(constants, below))
        self._check_pair(given, _VJP_PAIR)
        out, residuals = given
        outs, structure = result_tensors(self.name, out)
        call.check(self.name, outs)
        leaves, residual = _pytree.flatten(residuals)
        saved = [*call.saved(call.inner), *call.saved(leaves)]
        n = len(call.inner)
        below = _pytree.unflatten(call.structure, saved[:n])

        def joint_vjp(g: Any, _out: Any, *saved: Any) -> list[Any]:
            filled = [zeros(o) if p is None else protect(p) for p, o in zip(g, outs, strict=True)]
            saved = tuple([protect(x) if isinstance(x, Tensor) else x for x in saved])
            inner, residuals = saved[:n], _pytree.unflatten(residual, saved[n:])
            if any(is_at(x, call.level) for x in inner):
                # The backward pass itself is recorded at the same level, so recompute the residuals
                # as traced tensors.
                again = _pytree.unflatten(call.structure, inner)
                with enable_grad(), draws.run():
                    _, residuals = forward(*self._merge_args(constants, again))
            given = backwards(*constants, residuals, _pytree.unflatten(structure, filled))
            return _match(self.name, given, below)

        if not call.forward:
            rule = Rule(self.name, joint_vjp=joint_vjp)
            return _pytree.unflatten(structure, record_call(rule, call, outs, saved))
        totals: list[Any] = [None] * len(outs)
        with rule_context():
            for k, t in enumerate(call.tangents()):
                if t is None or not call.flags[k]:
                    continue
                transposed = transposed_vjp(
                    lambda g, *_, k=k: joint_vjp(g, None, *saved)[k], True, self.name
                )
                found = transposed(t, outs)
                totals = list(map(add, totals, found))
        return _pytree.unflatten(structure, _push(self.name, call, outs, totals))

    def _batched_rule(self, constants: list[Any], call: FlatCall, *helpers: Any) -> Any:
        structures, arguments, results = helpers
        forwards, backwards = self._rule
        level = call.level

        def forward(*leaves: Any) -> Any:
            with level.running(*leaves):
                given = forwards(*arguments(leaves))
                self._check_pair(given, _VJP_PAIR)
                residuals, structures["residuals"] = _pytree.flatten(given[1])
                structures["batched"] = flags = [level.is_at(x) for x in residuals]
                inner = [x._primal if flag else x for x, flag in zip(residuals, flags, strict=True)]
                return results(given[0]), inner

        def backward(residuals: Any, g: Any) -> tuple[Any, ...]:
            with level.running(*residuals, *g):
                residuals = level.wrapped(residuals, structures["batched"])
                given = backwards(
                    *constants,
                    _pytree.unflatten(structures["residuals"], residuals),
                    _pytree.unflatten(structures["out"], [level.wrap(x) for x in g]),
                )
                found = _match(self.name, given, call.example_args())
                return tuple([
                    None if x is None else level.inner(x) if flag
                    else reduction("sum", level.inner(x), 0, False)
                    for x, flag in zip(found, call.flags, strict=True)
                ])  # fmt: skip

        return forward, backward


def _match(name: str, given: Any, arguments: Any) -> list[Any]:
    """Flatten the cotangents of a rule, one for each leaf of the arguments; None for zero."""
    if not isinstance(given, tuple) or len(given) != len(arguments):
        hint = "; write return (g,)" if len(arguments) == 1 and isinstance(given, Tensor) else ""
        raise TypeError(
            f"{name}: backward must return a tuple of {len(arguments)} cotangents, one for each "
            f"argument; got {describe(given)}{hint}"
        )
    found: list[Any] = []
    for x, g in zip(arguments, given, strict=True):
        leaves, structure = _pytree.flatten(x)
        found += _derivatives(name, "cotangent", g, leaves, structure)
    return found


def _derivatives(name: str, what: str, given: Any, likes: list[Any], structure: Any) -> list[Any]:
    """Flatten the tangents or cotangents of a rule, one for each tensor; None for zero."""
    leaves = _pytree.flatten_like(given, structure)
    if leaves is None:
        raise ValueError(
            f"{name}: the {what} must have the structure {structure}; got "
            f"{_pytree.flatten(given)[1]}"
        )
    return [_derivative(name, what, t, x) for t, x in zip(leaves, likes, strict=True)]


def _derivative(name: str, what: str, t: Any, like: Any) -> Any:
    """A tangent or cotangent, which must have the shape, dtype and device of a tensor."""
    if t is None or not isinstance(like, Tensor) or like.dtype.kind not in "fc":
        return None
    if isinstance(t, (int, float, complex)) and (t == 0 or not like.shape):
        t = zeros(like) + t  # all arguments may be Python numbers
    if not isinstance(t, Tensor):
        raise TypeError(
            f"{name}: the {what} of {describe(like)} must be a tensor; got {describe(t)}"
        )
    if t.shape != like.shape:
        raise ValueError(
            f"{name}: the {what} of {describe(like)} must have its shape; got {describe(t)}; write "
            f"xp.broadcast_to or xp.reshape for shape {like.shape}"
        )
    if t.dtype != like.dtype:
        cast = "xp.real(t)" if t.dtype.kind == "c" else f"xp.astype(t, xp.{like.dtype})"
        raise TypeError(
            f"{name}: the {what} of {describe(like)} must have its dtype; got {describe(t)}; write "
            f"{cast} for that"
        )
    common_device(name, (t, like))
    return t


# ---- custom_jvp


def _zero_tangent(x: Any) -> Any:
    """Zero tangent of a tensor or number; other arguments are returned unchanged."""
    if isinstance(x, Tensor):
        return zeros(x)
    return 0.0 if isinstance(x, Number) else x


class custom_jvp(_CustomRule[P, R]):
    """Function with a custom forward-mode rule.

    Parameters
    ----------
    fun : callable
        Function of tensors or containers of them.
    nondiff_argnums : int or sequence of int, optional
        Indices of non-differentiable arguments. The rule receives them first.

    Raises
    ------
    TypeError
        If `fun` is not a function. At a call, if an index is out of range, an argument is
        keyword-only, or the rule returns an invalid result.
    ValueError
        If an index is negative or occurs twice. At a call, if the rule returns other containers or
        shapes, or is seen not to be linear where its transpose is needed.
    AttributeError
        At a differentiated call, if no rule is defined.

    Notes
    -----
    Reverse mode transposes the rule, which must therefore be linear in the tangents.

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

    _hint = "@{}.defjvp"

    def defjvp(self, jvp: F, /) -> F:
        """Define the rule; also usable as a decorator.

        Parameters
        ----------
        jvp : callable
            ``jvp(*nondiff, primals, tangents)`` takes tuples of the differentiable arguments and of
            their tangents (zeros for untraced arguments) and returns ``(out, tangent_out)``. The
            tangent has the containers, shapes and dtypes of `out`, or is None for zero.

        Returns
        -------
        callable
            The function `jvp` itself.
        """
        self._rule = jvp
        return jvp

    def defjvps(self, *jvps: Function | None) -> None:
        """Define the rule by one function for each argument.

        Parameters
        ----------
        *jvps : callable or None
            ``jvp(t, out, *args)`` takes the tangent of its argument, the result of the function and
            all arguments. It returns the tangent of the result; these are summed. None stands for
            zero.

        Raises
        ------
        TypeError
            If there are `nondiff_argnums`; use `defjvp` for these. At a call, if the numbers of
            arguments and rules differ.

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
            raise TypeError(f"{self.name}: defjvps does not support nondiff_argnums; write defjvp")
        for jvp in jvps:
            if jvp is not None and not callable(jvp):
                raise TypeError(f"defjvps: expected functions or None; got {describe(jvp)}")

        def rule(primals: Any, tangents: Any) -> tuple[Any, Any]:
            if len(primals) != len(jvps):
                raise TypeError(
                    f"{self.name}: defjvps must define one rule for each argument; got "
                    f"{len(jvps)} rules for {len(primals)} arguments"
                )
            out = self._call(*primals)
            outs, structure = result_tensors(self.name, out)
            totals: list[Any] = [None] * len(outs)
            for t, jvp in zip(tangents, jvps, strict=True):
                if jvp is not None:
                    given = jvp(t, out, *primals)
                    parts = _derivatives(self.name, "tangent", given, outs, structure)
                    totals = list(map(add, totals, parts))
            return out, _pytree.unflatten(structure, totals)

        self._rule = rule

    def _perform(self, constants: list[Any], call: FlatCall) -> Any:
        jvp = self._rule
        below = call.primal_args()

        def run(tangents: list[Any], below: Any = below) -> tuple[Any, Any]:
            filled = [
                _zero_tangent(x) if t is None else protect(t)
                for t, x in zip(tangents, call.inner, strict=True)
            ]
            result = jvp(*constants, below, _pytree.unflatten(call.structure, filled))
            self._check_pair(result, _JVP_PAIR)
            return result

        if call.forward:
            with custom_rule_scope(call.level.number, call.started_at):
                out, tangent = run(call.tangents())
            outs, structure = result_tensors(self.name, out)
            call.check(self.name, outs)
            tangents = _derivatives(self.name, "tangent", tangent, outs, structure)
            return _pytree.unflatten(structure, _push(self.name, call, outs, tangents))
        draws = SameDraws()
        with custom_rule_scope(call.level.number, call.started_at), draws.run():
            outs, structure = result_tensors(
                self.name, self._call(*self._merge_args(constants, below))
            )
        call.check(self.name, outs)
        saved = call.saved(call.inner)
        basis = call.tangents()
        places = [i for i, f in enumerate(call.flags) if f]

        def joint_vjp(g: Any, _out: Any, *inner: Any) -> list[Any]:
            again = _pytree.unflatten(  # recorded, if the pass itself is
                call.structure, [protect(x) if isinstance(x, Tensor) else x for x in inner]
            )

            def function(*ts: Tensor) -> Any:
                tangents = list(basis)
                for i, t in zip(places, ts, strict=True):
                    tangents[i] = t
                with draws.run():
                    given = run(tangents, again)[1]
                return _derivatives(self.name, "tangent", given, outs, structure)

            starts = [zeros(call.inner[i]) for i in places]
            _, pull = linear_transpose(function, *starts, name=self.name)
            found: list[Any] = [None] * len(inner)
            for i, p in zip(places, pull(*g), strict=True):
                found[i] = p
            return found

        rule = Rule(self.name, joint_vjp=joint_vjp)
        return _pytree.unflatten(structure, record_call(rule, call, outs, saved))

    def _batched_rule(self, constants: list[Any], call: FlatCall, *helpers: Any) -> Any:
        _, arguments, results = helpers
        level = call.level

        def jvp(primals: Any, tangents: Any) -> Any:
            with level.running(*primals, *tangents):
                args = [x for i, x in enumerate(arguments(primals))
                        if i not in self.nondiff_argnums]  # fmt: skip
                directions = level.wrapped(tangents, call.flags)
                given = self._rule(
                    *constants, tuple(args), _pytree.unflatten(call.structure, directions)
                )
                self._check_pair(given, _JVP_PAIR)
                outs, structure = result_tensors(self.name, given[0])
                parts = _derivatives(self.name, "tangent", given[1], outs, structure)
                return results(given[0]), tuple(
                    [None if t is None else level.inner(t) for t in parts]
                )

        return jvp


__all__ = ["custom_jvp", "custom_vjp"]
