"""Check of derivatives against finite differences, for custom rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _dispatch, _pytree
from .._creation import arange, asarray
from .._data_type import astype
from .._elementwise import abs as _abs
from .._elementwise import conj, real, sin
from .._errors import as_int, describe
from .._manipulation import reshape
from .._statistical import max as _max
from .._statistical import sum as _sum
from .._tensor import Tensor
from ..random import SameDraws
from ._transforms import jvp, vjp


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    *,
    modes: Sequence[str] = ("forward", "reverse"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Compare the derivatives of a function with finite differences.

    Parameters
    ----------
    f : callable
        Function that returns tensors in nested containers. Random numbers that it draws are the
        same in each run.
    args : tuple
        Positional arguments: tensors of a floating-point dtype, or containers of them.
    order : int, optional
        Highest order to check. Derivatives of order 2 are checked as first derivatives of the
        derivative.
    modes : sequence of {"forward", "reverse"}, optional
        Modes to check. For higher orders all combinations are checked.
    atol, rtol : float, optional
        Tolerances; by default 1e-5 times the order in float64 and 5e-2 in float32.
    eps : float, optional
        Step of the differences; by default 1e-5 in float64 and 1e-2 in float32.

    Raises
    ------
    AssertionError
        If a derivative differs from the finite differences. The message names it and the error.
    TypeError, ValueError
        If `modes` or `order` is invalid, or an argument has no floating-point dtype; see also `vjp`
        and `jvp`.

    Notes
    -----
    Directions and cotangents are fixed pseudo-random numbers, so that runs are reproducible.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> autodiff.check_grads(lambda x: xp.sum(xp.sin(x)), (xp.asarray([1.0, 2.0]),))
    """
    for mode in modes if isinstance(modes, (tuple, list, set, frozenset)) else (modes,):
        if mode not in ("forward", "reverse"):
            raise ValueError(f"check_grads: modes must be 'forward' and 'reverse'; got {mode!r}")
    order = as_int("check_grads", "order", order)
    if order < 1:
        raise ValueError(f"check_grads: order must be an int of at least 1; got {order!r}")
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"check_grads: args must be a tuple of arguments; got {describe(args)}")
    if not callable(f):
        raise TypeError(f"check_grads: expected a function; got {describe(f)}")
    leaves, structure = _pytree.flatten(tuple(args))
    leaves = [asarray(x) if isinstance(x, (float, complex)) else x for x in leaves]
    for x, path in zip(leaves, _pytree.paths(tuple(args)), strict=True):
        if not isinstance(x, Tensor) or x.dtype.kind not in "fc":
            raise TypeError(
                f"check_grads: args{path} must be a tensor of a floating-point dtype; got "
                f"{describe(x)}; pass arguments without a gradient inside the function: "
                "check_grads(lambda x: f(x, 3), (x,))"
            )
    draws = SameDraws()

    def repeated(*args: Any) -> Any:
        with draws.run():
            return f(*args)

    single = any(isinstance(x, Tensor) and x.dtype.itemsize < 8 * _width(x) for x in leaves)
    tolerances = (
        atol if atol is not None else 5e-2 if single else 1e-5 * order,
        rtol if rtol is not None else 5e-2 if single else 1e-5 * order,
    )
    step = eps if eps is not None else 1e-2 if single else 1e-5
    _check(
        repeated, _pytree.unflatten(structure, leaves), order, tuple(modes), tolerances, step, ""
    )


def _width(x: Tensor) -> int:
    return 2 if x.dtype.kind == "c" else 1


def _check(
    f: Any, args: Any, order: int, modes: Any, tolerances: Any, eps: float, path: str
) -> None:
    leaves, structure = _pytree.flatten(args)
    directions = [_irregular(x, k) for k, x in enumerate(leaves)]
    tangents = _pytree.unflatten(structure, directions)

    def moved(h: float) -> list[Any]:
        copies = [x + h * t for x, t in zip(leaves, directions, strict=True)]
        return _pytree.flatten(f(*_pytree.unflatten(structure, copies)))[0]

    def fresh() -> Any:  # because f may modify it
        return _pytree.unflatten(structure, [_dispatch.unary("copy", x) for x in leaves])

    numeric = [asarray((a - b) / (2 * eps)) for a, b in zip(moved(eps), moved(-eps), strict=True)]
    if "forward" in modes:
        exact = _pytree.flatten(jvp(f, fresh(), tangents)[1])[0]
        for a, b in zip(exact, numeric, strict=True):
            _compare(f"{path}forward mode", a, b, tolerances)
    if "reverse" in modes:
        out, pullback = vjp(f, *fresh())
        outs, out_structure = _pytree.flatten(out)
        weights = [_irregular(y, k + 7) for k, y in enumerate(outs)]
        pulled = _pytree.flatten(pullback(_pytree.unflatten(out_structure, weights)))[0]
        _compare(
            f"{path}reverse mode",
            sum(_inner(g, t) for g, t in zip(pulled, directions, strict=True)),
            sum(_inner(w, n) for w, n in zip(weights, numeric, strict=True)),
            tolerances,
        )
    if order < 2:
        return
    if "forward" in modes:

        def forward(*a: Any) -> Any:
            return jvp(f, a, tangents)[1]

        _check(forward, args, order - 1, modes, tolerances, eps, f"{path}forward mode, then ")
    if "reverse" in modes:

        def reverse(*a: Any) -> Any:
            out, pullback = vjp(f, *a)
            outs, out_structure = _pytree.flatten(out)
            weights = [_irregular(y, k + 7) for k, y in enumerate(outs)]
            return pullback(_pytree.unflatten(out_structure, weights))

        _check(reverse, args, order - 1, modes, tolerances, eps, f"{path}reverse mode, then ")


def _irregular(x: Any, k: int) -> Tensor:
    """Pseudo-random numbers between -1 and 1 with the shape of `x`."""

    def numbers(phase: float) -> Tensor:
        n = arange(x.size, dtype=None, device=x.device)
        return reshape(sin(12.9898 * n + 78.233 * (k + phase) + 1.0), x.shape)

    if x.dtype.kind == "c":
        return astype(numbers(0.0) + 1j * numbers(0.5), x.dtype)
    return astype(numbers(0.0), x.dtype)


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Real inner product, on the CPU: there may be others on other devices to add."""
    product = conj(a) * b if a.dtype.kind == "c" or b.dtype.kind == "c" else a * b
    return _sum(real(product) if product.dtype.kind == "c" else product).to_device("cpu")


def _compare(what: str, exact: Any, numeric: Any, tolerances: tuple[float, float]) -> None:
    if not exact.size:
        return
    atol, rtol = tolerances
    off = _abs(exact - numeric)
    if not bool(_max(off - rtol * _abs(numeric)) <= atol):
        raise AssertionError(
            f"check_grads: {what} differs from finite differences by up to {float(_max(off)):.3g}: "
            f"got {exact}, expected about {numeric}"
        )
