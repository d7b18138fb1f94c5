"""`compile`: programs of the backend's own calls, recorded while a function runs.

``_recorder`` records one run, ``_program`` is what it makes, ``_text`` writes it as Python, and
``_compiled`` finds the program for the arguments of a call. ``_derivatives`` does so where the
results are differentiated outside, and ``_graph`` launches programs of a GPU as CUDA graphs. Each
pass has a module of its own.
They are imported when a function is first compiled.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from operator import index
from typing import TYPE_CHECKING, Any, Literal, overload

from .._errors import describe
from .._typing import P, R

if TYPE_CHECKING:
    from ._compiled import Compiled


@overload
def compile(
    f: Callable[P, R],
    /,
    *,
    static_argnums: int | Sequence[int] = ...,
    static_argnames: str | Sequence[str] = ...,
    donate_argnums: int | Sequence[int] = ...,
    on_value: Literal["error", "guard"] = ...,
    cuda_graph: bool = ...,
    reassociate: bool = ...,
) -> Compiled[P, R]: ...
@overload
def compile(
    f: None = None,
    /,
    *,
    static_argnums: int | Sequence[int] = ...,
    static_argnames: str | Sequence[str] = ...,
    donate_argnums: int | Sequence[int] = ...,
    on_value: Literal["error", "guard"] = ...,
    cuda_graph: bool = ...,
    reassociate: bool = ...,
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...
def compile(
    f: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
    on_value: Literal["error", "guard"] = "error",
    cuda_graph: bool = True,
    reassociate: bool = False,
) -> Any:
    """Make a function that runs as a recorded program of NumPy's or CuPy's calls.

    This is experimental: the rules may change, and a program does not see all that Python does; the
    limits are in ``docs/compile.md``.

    The first call runs `f` and records each call of the backend, those of gradients, optimisers
    and writes included. Later calls with the same kinds of arguments run the recorded calls alone,
    without Python's work on tensors, dispatch and graphs. The results are the same, bit for bit,
    unless `reassociate` is True.

    Parameters
    ----------
    f : callable
        Function of tensors, numbers and containers of these, which returns such. It may use tensors
        from outside: they are read, and written, at each call.
    static_argnums : int or sequence of int, optional
        Positions of arguments of any other hashable type; there is a program for each value.
    static_argnames : str or sequence of str, optional
        Names of such arguments that are passed by keyword.
    donate_argnums : int or sequence of int, optional
        Positions of arguments whose tensors are consumed: the program may write results into their
        memory, and using them again raises RuntimeError. Memory that anything else refers to, such
        as a view, another library or a graph, is left as it is. Donation has no effect on tensors
        that require a gradient or are being differentiated, and inside of another transformation.
    on_value : {"error", "guard"}, optional
        What to do where `f` reads values of a tensor, for example by ``if x > 0`` or ``float(x)``,
        since the program is right for these values only. "error" raises. With "guard" the program
        checks the values, and another one is recorded where they differ.
    cuda_graph : bool, optional
        Whether programs on a GPU are captured as CUDA graphs, where that is possible and saves
        time. A graph holds the memory of its temporaries as long as the program lives.
    reassociate : bool, optional
        Whether programs may compute sums and products in another order, which changes results in
        the last places: numbers are put together, as in ``x * 2 * 3``, divisions by numbers become
        products, and large arrays are summed row by row, which makes a sum part of a run in blocks.

    Returns
    -------
    Compiled
        Function with the signature of `f`. Its methods `source`, `explain` and `export` show the
        program, tell what it does, and write it to a file that needs NumPy alone. Without `f`, a
        decorator.

    Raises
    ------
    TypeError
        If `f` is not a function, or `cuda_graph` or `reassociate` not a bool. At a call, if an
        argument is neither a tensor nor a number nor static, if a static one is not hashable, if
        `f` returns something else, and at the first call if `f` does what a program cannot repeat:
        it reads values, hands data to other libraries, makes an optimiser or changes attributes of
        modules.
    ValueError
        If `on_value` is another word, a position is negative, or one of `donate_argnums` does not
        exist or is static.

    Notes
    -----
    There is a program for each combination of shapes, dtypes, devices, strides, containers, numbers
    and modes. Python's numbers are constants of a program, and other Python code, such as
    `print`, runs only when `f` is recorded. Optimisers and learning rate schedules are called at
    each call, and random generators draw new numbers.

    Variables, attributes and list elements that `f` can reach are compared with what they were; if
    one has changed, `f` is recorded again. If `f` changes one itself, it is called as it is.

    Where the results are differentiated outside, by `grad`, `vjp`, `jvp` or `backward`, there is a
    program for the forward pass and one for the backward pass. Inside of `debug_nans`, `vmap`,
    other differentiations and other compiled functions, `f` is called as it is.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> def loss(w, x):
    ...     return xp.sum(xp.tanh(x @ w) ** 2)
    >>> step = xp.compile(autodiff.grad(loss))
    >>> w, x = xp.asarray([0.5, -1.0]), xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> step(w, x)
    Tensor([-0.48455022, -0.86415536], dtype=float64)
    >>> bool(xp.all(step(w + 1, x) == autodiff.grad(loss)(w + 1, x)))
    True
    """
    if f is None:

        def decorate(function: Callable[..., Any]) -> Any:
            return compile(
                function,
                static_argnums=static_argnums,
                static_argnames=static_argnames,
                donate_argnums=donate_argnums,
                on_value=on_value,
                cuda_graph=cuda_graph,
                reassociate=reassociate,
            )

        return decorate
    if not callable(f) or isinstance(f, type):
        raise TypeError(f"compile: expected a function; got {describe(f)}")
    if (
        inspect.isgeneratorfunction(f)
        or inspect.iscoroutinefunction(f)
        or inspect.isasyncgenfunction(f)
    ):
        raise TypeError(
            "compile: generators and coroutines cannot be compiled; compile the functions that "
            f"they call; got {describe(f)}"
        )
    if on_value not in ("error", "guard"):
        raise ValueError(f"compile: on_value must be 'error' or 'guard'; got {on_value!r}")
    for name, x in (("cuda_graph", cuda_graph), ("reassociate", reassociate)):
        if not isinstance(x, bool):
            raise TypeError(f"compile: {name} must be True or False; got {describe(x)}")
    positions = _positions("static_argnums", static_argnums)
    donated = _positions("donate_argnums", donate_argnums)
    if {*positions} & {*donated}:
        raise ValueError(
            f"compile: an argument cannot be static and donated; got static_argnums={positions} "
            f"and donate_argnums={donated}"
        )
    several = isinstance(static_argnames, (tuple, list, set, frozenset))
    names = tuple(static_argnames) if several else (static_argnames,)
    if not all(isinstance(x, str) for x in names):
        raise TypeError(
            f"compile: static_argnames must be strings; got {describe(static_argnames)}"
        )
    # (They build on `autodiff`, which is imported when it is first asked for.)
    options = positions, names, on_value == "guard", cuda_graph, reassociate
    if donated:
        return import_module(f"{__name__}._donation").Donating(f, *options, donated)
    return import_module(f"{__name__}._compiled").Compiled(f, *options)


def _positions(name: str, given: Any) -> tuple[int, ...]:
    several = given if isinstance(given, (tuple, list, range)) else (given,)
    try:
        positions = tuple(map(index, several))
    except TypeError as error:
        raise TypeError(f"compile: {name} must be ints; got {describe(given)}") from error
    if any(i < 0 for i in positions):
        raise ValueError(f"compile: {name} must not be negative; got {given!r}")
    return positions


__all__ = ["compile"]
