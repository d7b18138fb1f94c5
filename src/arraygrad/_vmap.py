"""`vmap`: one example's code on a batch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, Never

from ._errors import describe
from ._hints import wrong_call


def vmap(
    f: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    chunk_size: int | None = None,
    randomness: Literal["error", "same", "different"] = "error",
    **other: Never,
) -> Callable[..., Any]:
    """Make a function that applies `f` to each example of a batch, to all of them at once.

    Inside of `f`, an argument has the shape of one example. Operations are performed on the whole
    batch.

    Parameters
    ----------
    f : callable
        Function of one example that returns tensors or numbers in nested containers.
    in_axes : int, None, or containers of them, optional
        For each positional argument the axis along which its tensors have the examples; None for
        an argument that all examples share. A tuple has an entry for each argument, and an entry
        may have the containers of the argument, or their outer ones. Negative axes count from the
        last.
    out_axes : int, None, or containers of them, optional
        Where results have the examples, in the containers of the result or their outer ones. None
        returns a result once that is the same for all examples.
    chunk_size : int, optional
        How many examples are computed at once, which bounds the memory. By default all of them.
    randomness : {"error", "same", "different"}, optional
        What random numbers are that `f` draws from a generator of `arraygrad.random`: not allowed,
        the same ones for all examples, or other ones for each.

    Returns
    -------
    callable
        Function of batches. Tensors in keyword arguments have the examples along their first axis.

    Raises
    ------
    TypeError
        If `f` is not a function, or an argument with an axis is not a tensor; where `f` reads the
        value of a tensor, such as in ``if x > 0``, or asks for a result whose shape depends on
        values, such as ``x[x > 0]``.
    ValueError
        If the arguments have different numbers of examples, an axis does not exist, `in_axes` or
        `out_axes` do not fit the containers, or `f` writes into a tensor from outside.
    RuntimeError
        If random numbers are drawn, unless `randomness` allows it.

    Notes
    -----
    It nests with itself and with the transforms of `autodiff` in any order:
    ``vmap(autodiff.grad(loss), in_axes=(None, 0, 0))`` gives the gradient for each example.

    Examples
    --------
    >>> import arraygrad as xp
    >>> x = xp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> xp.vmap(xp.sum)(x)
    Tensor([ 3.,  7., 11.], dtype=float64)
    >>> w = xp.asarray([10.0, 1.0])
    >>> xp.vmap(lambda w, x: w @ x, in_axes=(None, 0))(w, x)
    Tensor([12., 34., 56.], dtype=float64)
    """
    if other:
        raise wrong_call("vmap", locals())
    if not callable(f):
        raise TypeError(f"vmap: expected a function; got {describe(f)}")
    if randomness not in ("error", "same", "different"):
        raise ValueError(
            f"vmap: randomness must be 'error', 'same' or 'different'; got {randomness!r}"
        )
    if chunk_size is not None and (
        isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1
    ):
        raise ValueError(f"vmap: chunk_size must be a positive int; got {chunk_size!r}")
    # autodiff is imported when it is first asked for, as a backend is.
    over_batches = import_module("arraygrad.autodiff._vmap").over_batches
    return over_batches(f, in_axes, out_axes, chunk_size, randomness)
