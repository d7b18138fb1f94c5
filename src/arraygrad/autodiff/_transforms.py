"""Function transforms: gradients, Jacobian products and Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from itertools import islice
from operator import index
from typing import Any, Concatenate, Literal, overload

from .. import _dispatch, _pytree
from .._creation import asarray, eye
from .._dtypes import NUMBERS
from .._elementwise import conj
from .._errors import UnbatchableError, describe
from .._manipulation import concat, moveaxis, reshape, stack
from .._modes import get_mode
from .._typing import A, Aux, P, R, Tensor
from ..random import SameDraws
from ._backward import backward
from ._batching import BatchLevel
from ._levels import ForwardLevel, ReverseLevel
from ._pullback import (
    DiffArgs,
    TracedCall,
    as_input,
    check_arguments,
    enter_level,
    gradients,
    is_at,
    lowered,
    outputs_of,
    split_aux,
    unit_cotangent,
)
from ._rules import NotDifferentiableError
from ._tangents import fit, sum_to, zeros
from ._views import tie

Function = Callable[..., Any]


def _numbers(name: str, argnums: int | Sequence[int]) -> tuple[int, ...]:
    several: Any = (argnums,) if _is_single(argnums) else argnums
    try:
        numbers = tuple(map(index, several))
    except TypeError:
        numbers = ()
    if not numbers:
        raise TypeError(f"{name}: argnums must be an int or a sequence of ints; got {argnums!r}")
    return numbers


def _is_single(argnums: Any) -> bool:
    return not isinstance(argnums, (tuple, list, range))


def _check_function(name: str, f: Any) -> None:
    if not callable(f):
        hint = f"; write {name}(f)(x), or loss.backward()" if isinstance(f, Tensor) else ""
        raise TypeError(f"{name}: expected a function; got {describe(f)}{hint}")


# ---- gradients


@overload
def value_and_grad(
    f: Callable[Concatenate[A, P], Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, P], tuple[Tensor, A]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[A, P], tuple[Any, Aux]],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[True],
) -> Callable[Concatenate[A, P], tuple[tuple[Tensor, Aux], A]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: int | Sequence[int], *, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...
def value_and_grad(
    f: Function, argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Function:
    """Make a function that returns the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Function that returns a real scalar, as a tensor or a Python number; with `has_aux`, a tuple
        of that and anything else.
    argnums : int or sequence of int, optional
        Indices of the positional arguments to differentiate with respect to. Each is a tensor or a
        Python float, or nested dicts, lists, tuples and dataclasses of these. Dataclass fields with
        ``dataclasses.field(metadata={"static": True})`` are constant.
    has_aux : bool, optional
        Whether `f` returns a second result, which is not differentiated.

    Returns
    -------
    callable
        Function of the same arguments that returns ``(value, gradient)``, or with `has_aux`
        ``((value, aux), gradient)``. The gradient has the containers, shapes, dtypes and devices of
        the argument; for several `argnums` it is a tuple of gradients. For complex arguments it is
        the direction of steepest ascent, dL/d re + i dL/d im.

    Raises
    ------
    TypeError
        If a differentiated argument or the result does not have a floating-point dtype.
    ValueError
        If the result is not a real scalar, or two `argnums` are the same argument.
    NotDifferentiableError
        If `f` uses an operation without a derivative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> def loss(p):
    ...     return xp.sum((p["w"] * 2 + p["b"]) ** 2)
    >>> value, g = autodiff.value_and_grad(loss)({"w": xp.ones(2), "b": xp.asarray(1.0)})
    >>> float(value), g["w"], g["b"]
    (18.0, Tensor([12., 12.], dtype=float64), Tensor(12., dtype=float64))
    """
    return _value_and_grad("value_and_grad", f, argnums, has_aux)


def _value_and_grad(
    name: str, f: Function, argnums: int | Sequence[int], has_aux: bool
) -> Function:
    _check_function(name, f)
    numbers = _numbers(name, argnums)
    single = _is_single(argnums)

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        result, grads = gradients(name, f, numbers, args, kwargs, has_aux)
        return result, grads[0] if single else grads

    return run


@overload
def grad(
    f: Callable[Concatenate[A, P], Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, P], A]: ...
@overload
def grad(
    f: Callable[Concatenate[A, P], tuple[Any, Aux]],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[True],
) -> Callable[Concatenate[A, P], tuple[A, Aux]]: ...
@overload
def grad(
    f: Callable[P, Any], argnums: int | Sequence[int], *, has_aux: bool = False
) -> Callable[P, Any]: ...
def grad(f: Function, argnums: int | Sequence[int] = 0, *, has_aux: bool = False) -> Function:
    """Make a function that returns the gradient of `f`.

    Parameters
    ----------
    f : callable
        Function that returns a real scalar; with `has_aux`, a tuple of that and anything else.
    argnums : int or sequence of int, optional
        Indices of the positional arguments to differentiate with respect to; see `value_and_grad`.
    has_aux : bool, optional
        Whether `f` returns a second result, which is not differentiated.

    Returns
    -------
    callable
        Function of the same arguments that returns the gradient, or with `has_aux` ``(gradient,
        aux)``; see `value_and_grad`.

    Raises
    ------
    TypeError, ValueError, NotDifferentiableError
        See `value_and_grad`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> autodiff.grad(lambda x: xp.sum(x**3))(xp.asarray([1.0, 2.0]))
    Tensor([ 3., 12.], dtype=float64)
    >>> second = autodiff.grad(autodiff.grad(lambda x: x**3))
    >>> second(xp.asarray(2.0))
    Tensor(12., dtype=float64)
    """
    both = _value_and_grad("grad", f, argnums, has_aux)

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return run


# ---- Jacobian products


@overload
def vjp(
    f: Callable[..., R], /, *primals: Any, has_aux: Literal[False] = False
) -> tuple[R, Callable[[R], tuple[Any, ...]]]: ...
@overload
def vjp(
    f: Callable[..., tuple[R, Aux]], /, *primals: Any, has_aux: Literal[True]
) -> tuple[R, Callable[[R], tuple[Any, ...]], Aux]: ...
def vjp(f: Function, /, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return the value of `f` and its pullback (vector-Jacobian product).

    Parameters
    ----------
    f : callable
        Function that returns tensors in nested containers; with `has_aux`, a tuple of these and
        anything else.
    *primals : Tensor or containers of them
        Positional arguments of `f`, at which to differentiate.
    has_aux : bool, optional
        Whether `f` returns a second result, which is not differentiated.

    Returns
    -------
    out : Tensor or containers of them
        Value ``f(*primals)``. Python numbers become tensors.
    pullback : callable
        Function that takes a cotangent in the containers of `out` and returns a tuple of
        cotangents, one for each primal. It may be called several times. The cotangent of an
        integer result has no effect. None stands for zeros.
    aux : object
        Second result of `f`; only with `has_aux`.

    Raises
    ------
    TypeError, ValueError, NotDifferentiableError
        See `value_and_grad`; also raised by the pullback if the cotangent does not match `out`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> out, pullback = autodiff.vjp(xp.sin, xp.asarray([0.0, 1.0]))
    >>> pullback(xp.asarray([1.0, 0.0]))
    (Tensor([1., 0.], dtype=float64),)
    """
    _check_function("vjp", f)
    inputs = DiffArgs("vjp", primals, range(len(primals)))
    recorded = TracedCall("vjp", f, inputs, {}, has_aux, integers=True)

    def pullback(cotangent: Any, /) -> tuple[Any, ...]:
        leaves = _like_outputs("vjp", cotangent, recorded.structure, recorded.outputs, "cotangent")
        return inputs.unflatten(recorded.pull(leaves))

    if has_aux:
        return recorded.value(), pullback, recorded.aux
    return recorded.value(), pullback


def _like_outputs(
    name: str, tree: Any, structure: Any, likes: Sequence[Any], what: str
) -> list[Tensor | None]:
    """Flatten a tree; its leaves must match in structure, shape, kind and device, or be None."""
    leaves = _pytree.flatten_like(tree, structure)
    if leaves is None:
        raise ValueError(
            f"{name}: the {what} must have the structure {structure}; got "
            f"{_pytree.flatten(tree)[1]}"
        )
    checked: list[Tensor | None] = []
    for x, like in zip(leaves, likes, strict=True):
        if x is None:
            checked.append(None)
            continue
        is_number = isinstance(x, NUMBERS)
        if is_number and not isinstance(like, Tensor):
            like = as_input(name, 0, like, str)
        if is_number:
            x = asarray(x, dtype=like.dtype, device=like.device)
        if (
            not isinstance(x, Tensor)
            or x.shape != like.shape
            or (x.dtype.kind == "c" and like.dtype.kind != "c")
        ):
            raise ValueError(f"{name}: the {what} must match {describe(like)}; got {describe(x)}")
        _dispatch.common_device(name, (x, like))
        checked.append(x if x.dtype == like.dtype else fit(x, like))
    return checked


@overload
def jvp(
    f: Callable[..., R],
    /,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    has_aux: Literal[False] = False,
) -> tuple[R, R]: ...
@overload
def jvp(
    f: Callable[..., tuple[R, Aux]],
    /,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    has_aux: Literal[True],
) -> tuple[R, R, Aux]: ...
def jvp(
    f: Function, /, primals: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return the value of `f` and its directional derivative, in forward mode.

    Parameters
    ----------
    f : callable
        Function that returns tensors in nested containers; with `has_aux`, a tuple of these and
        anything else.
    primals : tuple
        Positional arguments: tensors or containers of them.
    tangents : tuple
        Direction, in the same containers and with the same shapes. None stands for zeros.
    has_aux : bool, optional
        Whether `f` returns a second result, which is not differentiated.

    Returns
    -------
    out : Tensor or containers of them
        Value ``f(*primals)``. Python numbers become tensors.
    tangent_out : Tensor or containers of them
        Directional derivative, in the containers of `out`. That of an integer result is zeros.
    aux : object
        Second result of `f`; only with `has_aux`.

    Raises
    ------
    TypeError, ValueError, NotDifferentiableError
        See `value_and_grad`; also raised if the tangents do not match the primals.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> autodiff.jvp(xp.sin, (xp.asarray(0.0),), (xp.asarray(2.0),))
    (Tensor(0., dtype=float64), Tensor(2., dtype=float64))
    """
    _check_function("jvp", f)
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            "jvp: primals and tangents must be tuples of arguments; got "
            f"{describe(primals)}, {describe(tangents)}"
        )
    inputs = DiffArgs("jvp", primals, range(len(primals)))
    if len(tangents) != len(primals):
        raise ValueError(
            f"jvp: expected {len(primals)} tangents, one for each primal; got {len(tangents)}"
        )
    structure = _pytree.flatten(tuple(primals))[1]
    directions = _like_outputs("jvp", tuple(tangents), structure, inputs.leaves, "tangents")
    return _jvp("jvp", f, inputs, directions, has_aux, integers=True)


def _jvp(
    name: str,
    f: Function,
    inputs: DiffArgs,
    directions: Sequence[Tensor | None],
    has_aux: bool = False,
    kwargs: Any = None,
    integers: bool = False,
) -> tuple[Any, ...]:
    level = ForwardLevel()
    duals = [enter_level(x, level, t) for x, t in zip(inputs.leaves, directions, strict=True)]
    try:
        out, aux = split_aux(name, f(*inputs.with_leaves(duals), **(kwargs or {})), has_aux)
        outputs, structure = outputs_of(name, out, inputs, integers)
        mode = get_mode()
        if mode is not None and mode.nans is not None:
            mode.nans.check_results(name, outputs, inputs.args, directions)
        traces: list[Any] = [x._trace if is_at(x, level) else None for x in outputs]
        check_arguments(name, duals)
        values = [lowered(x, level) for x in outputs]
        aux = _pytree.tree_map(lambda x: lowered(x, level), aux) if has_aux else None
    finally:
        level.closed = True
    outer = [x for x in inputs.leaves if x._trace is not None]
    tangents = []
    for x, trace in zip(values, traces, strict=True):
        # (Copy: the tangent may share memory with an argument.)
        none = trace is None or trace.value is None
        t = zeros(x) if none else _dispatch.unary("copy", trace.value)
        for y in outer:  # a constant derivative still belongs to the outer trace
            t = tie(t, y)
        tangents.append(t)
    value = _pytree.unflatten(structure, values)
    tangent = _pytree.unflatten(structure, tangents)
    return (value, tangent, aux) if has_aux else (value, tangent)


@overload
def linearize(
    f: Callable[..., R], /, *primals: Any, has_aux: Literal[False] = False
) -> tuple[R, Callable[..., R]]: ...
@overload
def linearize(
    f: Callable[..., tuple[R, Aux]], /, *primals: Any, has_aux: Literal[True]
) -> tuple[R, Callable[..., R], Aux]: ...
def linearize(f: Function, /, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return the value of `f` and its derivative as a linear function.

    Unlike with `jvp`, `f` is run only once for any number of directions.

    Parameters
    ----------
    f : callable
        Function that returns tensors in nested containers.
    *primals : Tensor or containers of them
        Positional arguments of `f`, at which to differentiate.
    has_aux : bool, optional
        Whether `f` returns a second result, which is not differentiated.

    Returns
    -------
    out : Tensor or containers of them
        Value ``f(*primals)``.
    derivative : callable
        Function that takes a tangent for each primal and returns the tangent of `out`.
    aux : object
        Second result of `f`; only with `has_aux`.

    Raises
    ------
    TypeError, ValueError, NotDifferentiableError
        See `jvp`.

    Notes
    -----
    The derivative and the pullback of `vjp` are linear, and each is the transpose of the other. The
    pullback is recorded once, and its transpose is the derivative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> out, derivative = autodiff.linearize(lambda x: x**2, xp.asarray(3.0))
    >>> derivative(xp.asarray(1.0)), derivative(xp.asarray(2.0))
    (Tensor(6., dtype=float64), Tensor(12., dtype=float64))
    """
    _check_function("linearize", f)
    inputs = DiffArgs("linearize", primals, range(len(primals)))
    recorded = TracedCall("linearize", f, inputs, {}, has_aux, integers=True)
    level = ReverseLevel()
    starts = [enter_level(zeros(x), level) for x in recorded.outputs]
    pulled = recorded.pull(starts)
    traces = [y._trace if is_at(y, level) else None for y in pulled]
    leaves_of_starts = [s._trace for s in starts]
    level.closed = True
    structure = _pytree.flatten(primals)[1]

    def derivative(*tangents: Any) -> Any:
        leaves = _like_outputs("linearize", tangents, structure, inputs.leaves, "tangents")
        roots = [
            (trace, sum_to(t, trace))
            for trace, t in zip(traces, leaves, strict=True)
            if trace is not None and t is not None
        ]
        found = backward(roots, unshare=True)
        parts = [found.get(leaf) for leaf in leaves_of_starts]
        return _pytree.unflatten(
            recorded.structure,
            [zeros(x) if t is None else t for t, x in zip(parts, recorded.outputs, strict=True)],
        )

    value = recorded.value()
    return (value, derivative, recorded.aux) if has_aux else (value, derivative)


# ---- Jacobians


@overload
def jacobian(
    f: Callable[Concatenate[Tensor, P], Tensor],
    argnums: Literal[0] = 0,
    *,
    mode: str | None = None,
    holomorphic: bool = False,
    has_aux: Literal[False] = False,
    chunk_size: int | None = None,
) -> Callable[Concatenate[Tensor, P], Tensor]: ...
@overload
def jacobian(
    f: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    *,
    mode: str | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[P, Any]: ...
def jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    mode: str | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Function:
    """Make a function that computes the Jacobian of `f`.

    Parameters
    ----------
    f : callable
        Function that returns tensors in nested containers.
    argnums : int or sequence of int, optional
        Indices of the positional arguments to differentiate with respect to.
    mode : {"forward", "reverse"}, optional
        Forward mode needs one pass for each element of the arguments, reverse mode one for each
        element of the result. By default the mode with fewer passes is used.
    holomorphic : bool, optional
        Whether `f` is holomorphic in its complex arguments, which are not allowed otherwise. The
        result is then the complex derivative.
    has_aux : bool, optional
        Whether `f` returns a second result, `aux`, which is not differentiated. That of the first
        run is returned.
    chunk_size : int, optional
        Number of passes that are performed at once, by `vmap`; it bounds the memory. By default
        many, unless intermediate results are large. A function that does not allow a batch is
        differentiated by one pass after the other.

    Returns
    -------
    callable
        Function of the same arguments that returns tensors of shape ``out.shape + argument.shape``,
        in the containers of the result and, nested in these, of the argument; with `has_aux`,
        ``(derivatives, aux)``.

    Raises
    ------
    TypeError
        If an argument is complex and `holomorphic` is False; see also `value_and_grad`.
    ValueError
        If `mode` is unknown; see also `value_and_grad`.
    NotDifferentiableError
        If `f` uses an operation without a derivative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> autodiff.jacobian(lambda x: x**2)(xp.asarray([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]], dtype=float64)
    """
    return _jacobian("jacobian", f, argnums, mode, holomorphic, has_aux, chunk_size)


def _jacobian(
    name: str,
    f: Function,
    argnums: int | Sequence[int],
    mode: str | None,
    holomorphic: bool,
    has_aux: bool,
    chunk_size: int | None,
) -> Function:
    _check_function(name, f)
    if chunk_size is not None and (
        isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1
    ):
        raise ValueError(f"{name}: chunk_size must be a positive int; got {chunk_size!r}")
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"{name}: mode must be 'forward', 'reverse' or None; got {mode!r}")
    numbers = _numbers(name, argnums)
    single = _is_single(argnums)

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        draws = SameDraws()

        def function(*args: Any, **kwargs: Any) -> Any:
            with draws.run():
                return f(*args, **kwargs)

        inputs = DiffArgs(name, args, numbers)
        for x in inputs.leaves:
            if x.dtype.kind == "c" and name == "hessian":
                raise TypeError(
                    "hessian: arguments must be real; write the function in terms of real and "
                    f"imaginary parts, or use hvp; got {describe(x)}"
                )
            if x.dtype.kind == "c" and not holomorphic:
                raise TypeError(
                    f"{name}: complex arguments require a holomorphic function; write "
                    f"holomorphic=True if it is, or use vjp or jvp; got {describe(x)}"
                )
        columns = sum(x.size for x in inputs.leaves)
        structure, rows = None, None
        if mode == "forward":
            structure, table, aux = _forward(name, function, inputs, kwargs, has_aux, chunk_size)
        else:
            # Only a second run would read the result of a write to an argument.
            spare = _copied((inputs.args, inputs.leaves, kwargs)) if mode is None else None
            recorded = TracedCall(name, function, inputs, kwargs, has_aux)
            structure, aux = recorded.structure, recorded.aux
            rows = sum(x.size * (1 + (x.dtype.kind == "c")) for x in recorded.outputs)
            if mode == "reverse" or rows <= columns:
                table = _reverse(recorded, holomorphic, chunk_size)
            else:
                assert spare is not None
                inputs.args, inputs.leaves, kwargs = spare
                del recorded
                structure, table, _ = _forward(name, function, inputs, kwargs, has_aux, chunk_size)
        parts = []
        for row in table:
            restored = inputs.unflatten(row)
            parts.append(restored[0] if single else restored)
        found = _pytree.unflatten(structure, parts)
        return (found, aux) if has_aux else found

    return run


def _copied(tree: Any) -> Any:
    """Copies of all tensors, for another run of a function that may write to its arguments."""
    return _pytree.tree_map(
        lambda x: _dispatch.unary("copy", x) if isinstance(x, Tensor) else x, tree
    )


def _forward(
    name: str,
    f: Function,
    inputs: DiffArgs,
    kwargs: Any,
    has_aux: bool,
    chunk_size: int | None,
) -> tuple[Any, list[list[Tensor]], Any]:
    """One pass for each element of the inputs, many at a time."""
    leaves, args = inputs.leaves, inputs.args
    spare = _copied((args, leaves, kwargs))
    structure: Any = None
    aux: Any = None
    likes: list[Tensor] = []
    is_first = True

    def run(i: int, direction: Tensor) -> list[Tensor]:
        nonlocal aux, is_first, kwargs, likes, structure
        if not is_first:  # in the first run `f` writes to its own arguments
            inputs.args, inputs.leaves, kwargs = _copied(spare)
        is_first = False
        directions: list[Tensor | None] = [None] * len(leaves)
        directions[i] = direction
        value, tangent, *rest = _jvp(name, f, inputs, directions, has_aux, kwargs)
        if structure is None and has_aux:
            (aux,) = rest
        likes = _pytree.flatten(value)[0]
        found, structure = _pytree.flatten(tangent)
        return found

    columns = [over_basis(x, partial(run, i), chunk_size) for i, x in enumerate(leaves)]
    inputs.args, inputs.leaves = args, leaves
    if structure is None:  # no elements at all
        out, aux = split_aux(name, f(*inputs.with_leaves(leaves), **kwargs), has_aux)
        likes, structure = outputs_of(name, out, inputs)
    table = []
    for k, like in enumerate(likes):
        row = []
        for x, column in zip(leaves, columns, strict=True):
            shape = (*like.shape, *x.shape)
            row.append(
                reshape(moveaxis(column[k], 0, -1), shape)
                if column
                else _dispatch.create_like(like, "zeros", shape, dtype=like.dtype)
            )
        table.append(row)
    return structure, table, aux


def _reverse(recorded: TracedCall, holomorphic: bool, chunk_size: int | None) -> list[list[Tensor]]:
    """Jacobian with one backward pass for each element of the outputs, many at a time."""
    leaves = recorded.inputs.leaves
    table = []
    for k, like in enumerate(recorded.outputs):

        def run(unit: Tensor, k: int = k, like: Tensor = like) -> list[Tensor]:
            cotangents: list[Tensor | None] = [None] * len(recorded.outputs)
            cotangents[k] = unit
            found = recorded.pull(cotangents)
            if like.dtype.kind != "c":
                return found
            if holomorphic:
                return [conj(g) for g in found]
            cotangents[k] = unit * 1j
            imaginary = recorded.pull(cotangents)
            return [re + 1j * im for re, im in zip(found, imaginary, strict=True)]

        rows = over_basis(like, run, chunk_size)
        table.append(
            [
                reshape(rows[i], (*like.shape, *x.shape))
                if rows
                else _dispatch.create_like(x, "zeros", (*like.shape, *x.shape), dtype=x.dtype)
                for i, x in enumerate(leaves)
            ]
        )
    return table


#: By default a batch of directions is as large as one intermediate result with this many elements.
_ELEMENTS = 2**23
#: The number of directions in the first batch, from which those are known.
_FIRST = 128


def over_basis(
    x: Tensor, function: Callable[[Tensor], list[Tensor]], chunk_size: int | None
) -> list[Tensor]:
    """Results of a function of each unit tensor of the shape of `x`, stacked; [] without any.

    They are computed in batches, or one after the other if the function refuses a batch.
    """
    parts: list[list[Tensor]] = []
    start, count = 0, chunk_size or _FIRST
    while start < x.size and count > 1:
        count = min(count, x.size - start)
        level = BatchLevel(count)
        try:
            basis = eye(count, x.size, k=start, dtype=x.dtype, device=x.device)
            found = function(level.wrap(reshape(basis, (count, *x.shape))))
            parts.append([level.inner(g) for g in found])
        except UnbatchableError:
            break
        finally:
            level.finish()
        start += count
        if chunk_size is None:
            count = max(1, _ELEMENTS // max(level.largest, 1))
    if start < x.size:
        each = [function(unit) for unit in islice(units(x), start, None)]
        parts.append([stack(list(p)) for p in zip(*each, strict=True)])
    if len(parts) < 2:
        return parts[0] if parts else []
    return [concat(p, axis=0) for p in zip(*parts, strict=True)]


def units(x: Tensor) -> Any:
    """Standard basis of the shape of a tensor: one element is 1, the others are 0."""
    for i in range(x.size):
        unit = _dispatch.create_like(x, "zeros", (x.size,), dtype=x.dtype)
        unit[i] = 1
        yield reshape(unit, x.shape)


@overload
def hessian(
    f: Callable[Concatenate[Tensor, P], Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
    chunk_size: int | None = None,
) -> Callable[Concatenate[Tensor, P], Tensor]: ...
@overload
def hessian(
    f: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[P, Any]: ...
def hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Function:
    """Make a function that computes the Hessian of `f`.

    Parameters
    ----------
    f : callable
        Function that returns a real scalar.
    argnums : int or sequence of int, optional
        Indices of the real positional arguments to differentiate with respect to.
    has_aux : bool, optional
        Whether `f` returns a second result, `aux`, which is not differentiated. That of the first
        run is returned.
    chunk_size : int, optional
        Number of passes that are performed at once, by `vmap`; it bounds the memory. By default
        many, unless intermediate results are large. A function that does not allow a batch is
        differentiated by one pass after the other.

    Returns
    -------
    callable
        Function of the same arguments that returns tensors of shape ``argument.shape +
        argument.shape``, in the containers of the argument, nested twice; with `has_aux`,
        ``(derivatives, aux)``.

    Raises
    ------
    TypeError, ValueError, NotDifferentiableError
        See `jacobian`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> autodiff.hessian(lambda x: x[0] ** 2 * x[1])(xp.asarray([1.0, 2.0]))
    Tensor([[4., 2.],
            [2., 0.]], dtype=float64)
    """
    first = _value_and_grad("hessian", f, argnums, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = first(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return _jacobian("hessian", gradient, argnums, "forward", False, has_aux, chunk_size)


@overload
def hvp(f: Function, /, primals: tuple[A], tangents: tuple[A]) -> A: ...
@overload
def hvp(f: Function, /, primals: Sequence[Any], tangents: Sequence[Any]) -> Any: ...
def hvp(f: Function, /, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the Hessian-vector product of `f` with a direction.

    The gradient is itself recorded, and its product with the direction is differentiated. The
    Hessian matrix is never formed.

    Parameters
    ----------
    f : callable
        Function that returns a real scalar.
    primals : tuple
        Positional arguments: tensors or containers of them.
    tangents : tuple
        Direction, in the same containers and with the same shapes.

    Returns
    -------
    Tensor, containers of them, or a tuple of such
        Product in the containers of the primal; for several primals a tuple.

    Raises
    ------
    TypeError, ValueError, NotDifferentiableError
        See `value_and_grad` and `jvp`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> x, v = xp.asarray([1.0, 2.0]), xp.asarray([1.0, 0.0])
    >>> autodiff.hvp(lambda x: xp.sum(x**3), (x,), (v,))
    Tensor([6., 0.], dtype=float64)
    """
    _check_function("hvp", f)
    if not isinstance(primals, (tuple, list)):
        raise TypeError(f"hvp: primals must be a tuple of arguments; got {describe(primals)}")
    inputs = DiffArgs("hvp", primals, range(len(primals)))
    structure = _pytree.flatten(tuple(primals))[1]
    directions = _like_outputs("hvp", tuple(tangents), structure, inputs.leaves, "tangents")
    recorded = TracedCall("hvp", f, inputs, {}, False)
    cotangent = unit_cotangent("hvp", recorded.value())
    (node,) = recorded.nodes
    recorded.level.closed = False  # record the backward pass, too
    try:
        first = {} if node is None else backward([(node, cotangent)], create_graph=True)
        roots = []
        for leaf, t in zip(recorded.leaves, directions, strict=True):
            g: Any = first.get(leaf)
            if t is not None and is_at(g, recorded.level):
                roots.append((g._trace, sum_to(t, g._trace)))
    finally:
        recorded.level.closed = True
    del first
    products = inputs.unflatten(recorded.collect(backward(roots, free=True, unshare=True)))
    return products[0] if len(primals) == 1 else products


def stop_gradient(tree: R, /) -> R:
    """Return the same values as constants.

    Parameters
    ----------
    tree : Tensor or containers of them
        Values; leaves that are not tensors are returned unchanged.

    Returns
    -------
    Tensor or containers of them
        Plain tensors that share the memory.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> autodiff.grad(lambda x: x * autodiff.stop_gradient(x))(xp.asarray(3.0))
    Tensor(3., dtype=float64)
    """
    return _pytree.tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


__all__ = [
    "NotDifferentiableError",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
