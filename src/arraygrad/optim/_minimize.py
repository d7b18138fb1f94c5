"""SciPy's minimisers with gradients by `autodiff`, on containers of tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

from .. import _pytree
from .._creation import asarray
from .._data_type import astype
from .._dtypes import ALL, default_dtype
from .._elementwise import imag, real
from .._errors import describe
from .._manipulation import broadcast_to, concat, reshape
from .._tensor import Tensor
from ..autodiff import hvp, is_traced, jacobian, value_and_grad, variable

_PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov", "trust-constr")
_METHODS = ("bfgs", "l-bfgs-b", "cg", "tnc", "slsqp", *_PRODUCTS)
_BOUNDED = ("l-bfgs-b", "tnc", "slsqp", "trust-constr")
_CONSTRAINED = ("slsqp", "trust-constr")
_HOST = ALL["float64"]


def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    method: str | None = None,
    *,
    bounds: Any = None,
    constraints: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    tol: float | None = None,
    callback: Callable[[Any], None] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Minimise a function with one of SciPy's methods and gradients by `autodiff`.

    Parameters
    ----------
    f : callable
        Function ``f(x, *args)`` that returns a real scalar.
    x0 : Tensor or containers of them
        Initial guess: floating-point tensors on any devices, in nested dicts, lists, tuples,
        dataclasses or a module.
    args : tuple, optional
        Further constant arguments of `f`.
    method : str, optional
        BFGS, L-BFGS-B, CG, TNC, SLSQP; Newton-CG, trust-ncg, trust-krylov or trust-constr, which
        also use products with the Hessian. By default SLSQP with constraints, L-BFGS-B with bounds,
        else BFGS.
    bounds : tuple or scipy.optimize.Bounds, optional
        Pair ``(low, high)``. Each is None, a number, or has the structure of `x0` with shapes that
        broadcast to those of `x0`.
    constraints : dict or sequence of dict, optional
        ``{"type": "eq", "fun": g}`` requires ``g(x) == 0``, ``"ineq"`` requires ``g(x) >= 0``. `g`
        returns a tensor of any shape; its derivatives are computed too.
    tol : float, optional
        Tolerance, which each method interprets in its own way.
    callback : callable, optional
        Function called with `x` after each iteration. It may raise StopIteration to stop.
    options : dict, optional
        SciPy's options of the method, such as ``maxiter``.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's result, in which `x` and the gradient (`jac`; `grad` for trust-constr) have the
        structure of `x0`. Other vectors and matrices are indexed by the elements of the leaves in
        order, where the imaginary part of a complex leaf follows its real part.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    TypeError
        If a leaf of `x0` is not a floating-point tensor; see also `autodiff.value_and_grad`.
    ValueError
        If `method` is unknown, or does not support the bounds or constraints.

    Notes
    -----
    SciPy computes on the host in float64, so each evaluation transfers the parameters, the value
    and the gradient. `f` itself runs on the devices and in the dtypes of the leaves. In float32, a
    tolerance below about ``tol=1e-4`` is not reachable.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> def misfit(p):
    ...     return (p["a"] - 3.0) ** 2 + xp.sum((p["b"] + p["a"]) ** 2)
    >>> found = optim.minimize(misfit, {"a": xp.asarray(0.0), "b": xp.zeros(2)})
    >>> found.success, bool(xp.all(xp.abs(found.x["b"] + 3.0) < 1e-4))
    (True, True)
    """
    try:
        from scipy import optimize
    except ImportError as error:
        raise ImportError(
            f'minimize: needs SciPy: pip install "arraygrad[scipy]" ({error})'
        ) from error
    if not callable(f):
        raise TypeError(f"minimize: expected a function; got {describe(f)}")
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"minimize: args must be a tuple of arguments; got {describe(args)}")
    if not isinstance(constraints, (Mapping, list, tuple)):
        raise TypeError(
            f"minimize: constraints must be a dict or a list of dicts; got {describe(constraints)}"
        )
    constraints = [constraints] if isinstance(constraints, Mapping) else list(constraints)
    if isinstance(bounds, optimize.Bounds):  # Bounds converts numbers to arrays of one element
        bounds = tuple(b.item() if b.size == 1 else b for b in (bounds.lb, bounds.ub))
    name = _method(method, bounds, constraints)
    flat = _Flat(x0)
    both = value_and_grad(f)

    def value_and_gradient(z: Any) -> tuple[float, Any]:
        value, g = both(flat.unflatten(z), *args)
        return float(value), flat.vector(g)

    def product(z: Any, direction: Any) -> Any:
        return flat.vector(
            hvp(lambda x: f(x, *args), (flat.unflatten(z),), (flat.unflatten(direction),))
        )

    def after(z: Any) -> None:
        assert callback is not None
        callback(flat.result(z))

    found = optimize.minimize(
        value_and_gradient,
        flat.vector(x0),
        method=name,
        jac=True,
        hessp=product if name in _PRODUCTS else None,
        bounds=None if bounds is None else flat.bounds(bounds),
        constraints=[_constraint(c, flat) for c in constraints],
        tol=tol,
        callback=None if callback is None else _one_argument(after, name),
        options=None if options is None else dict(options),
    )
    found.x = flat.result(found.x)
    gradient = "grad" if name == "trust-constr" else "jac"  # its jac is that of the constraints
    found[gradient] = flat.unflatten(found[gradient])
    return found


def _method(method: str | None, bounds: Any, constraints: Sequence[Any]) -> str:
    if method is None:
        method = "slsqp" if constraints else "bfgs" if bounds is None else "l-bfgs-b"
    name = method.lower() if isinstance(method, str) else method
    if name not in _METHODS:
        raise ValueError(f"minimize: method must be one of {', '.join(_METHODS)}; got {method!r}")
    for what, given, able in (
        ("bounds", bounds is not None, _BOUNDED),
        ("constraints", bool(constraints), _CONSTRAINED),
    ):
        if given and name not in able:
            raise ValueError(
                f"minimize: {method} does not support {what}; use one of {', '.join(able)}"
            )
    return name


def _one_argument(after: Callable[[Any], None], name: str) -> Callable[..., None]:
    """The callback with the signature that the method expects."""
    if name == "trust-constr":
        return lambda z, state: after(z)
    return after


def _constraint(c: Any, flat: _Flat) -> dict[str, Any]:
    if not isinstance(c, Mapping) or set(c) != {"type", "fun"} or c["type"] not in ("eq", "ineq"):
        raise ValueError(
            'minimize: a constraint must be {"type": "eq" or "ineq", "fun": g}; got ' + describe(c)
        )
    g = c["fun"]

    def value(z: Any) -> Any:
        return _on_host(reshape(g(flat.unflatten(z)), (-1,))).numpy()

    def derivative(z: Any) -> Any:
        def rows(x: Any) -> Tensor:
            return reshape(g(x), (-1,))

        parts = _pytree.flatten(jacobian(rows)(flat.unflatten(z)))[0]
        return concat([_on_host(reshape(p, (p.shape[0], -1))) for p in parts], axis=1).numpy()

    return {"type": c["type"], "fun": value, "jac": derivative}


class _Flat:
    """Conversion between containers of tensors and one float64 vector on the host."""

    def __init__(self, x0: Any) -> None:
        leaves, self.structure = _pytree.flatten(x0)
        self.leaves: list[Tensor] = []
        self.variable = []
        for x in leaves:
            if isinstance(x, (float, complex)):
                x = asarray(x)
            if not isinstance(x, Tensor) or x.dtype.kind not in "fc":
                advice = "astype(x, xp.float64)" if isinstance(x, Tensor) else "asarray(x)"
                raise TypeError(
                    "minimize: x0 must hold tensors of floating-point dtypes; got "
                    f"{describe(x)}; write xp.{advice} first"
                )
            of_tape = x._trace is not None and x._trace.level.number <= 0
            self.variable.append(of_tape and not x._trace.level.forward)
            if x._trace is not None:
                if not self.variable[-1] and is_traced(x):
                    x._check_constant("minimize")  # raises: SciPy's steps are not differentiated
                x = x.detach()
            self.leaves.append(x)
        if not self.leaves:
            raise TypeError(f"minimize: x0 must hold at least one tensor; got {describe(x0)}")

    def vector(self, tree: Any) -> Any:
        """Concatenate the leaves to a vector."""
        parts = []
        for x in _pytree.flatten(tree)[0]:
            x = reshape(x.detach() if isinstance(x, Tensor) else asarray(x), (-1,))
            parts += (
                [_on_host(real(x)), _on_host(imag(x))] if x.dtype.kind == "c" else [_on_host(x)]
            )
        return concat(parts).numpy()

    def unflatten(self, z: Any) -> Any:
        """Unflatten a vector to the containers."""
        return _pytree.unflatten(self.structure, self._parts(z))

    def result(self, z: Any) -> Any:
        """Unflatten a vector, with variables where `x0` has variables."""
        parts = [
            variable(x) if v else x for x, v in zip(self._parts(z), self.variable, strict=True)
        ]
        return _pytree.unflatten(self.structure, parts)

    def _parts(self, z: Any) -> list[Tensor]:
        host = asarray(z, dtype=_HOST, device="cpu", copy=True)  # SciPy reuses its vectors
        parts, start = [], 0
        for x in self.leaves:
            part = host[start : start + x.size]
            start += x.size
            if x.dtype.kind == "c":
                part = part + 1j * host[start : start + x.size]
                start += x.size
            part = astype(reshape(part, x.shape), x.dtype, copy=False)
            parts.append(part.to_device(x.device))
        return parts

    def bounds(self, bounds: Any) -> list[tuple[float, float]]:
        """Bounds of each element of the vector."""
        if not isinstance(bounds, tuple) or len(bounds) != 2:
            raise ValueError(
                "minimize: bounds must be (low, high), each None, a number or like x0, and not a "
                f"pair for each element; got {describe(bounds)}"
            )
        if any(x.dtype.kind == "c" for x in self.leaves):
            raise ValueError("minimize: bounds of complex numbers are not supported")
        low, high = map(self._bound, bounds, (-float("inf"), float("inf")))
        return list(zip(low, high, strict=True))

    def _bound(self, bound: Any, none: float) -> Any:
        if bound is None or isinstance(bound, Real):
            value = none if bound is None else float(bound)
            return [value] * sum(x.size for x in self.leaves)
        leaves, structure = _pytree.flatten(bound)
        if structure != self.structure:
            raise ValueError(
                "minimize: bounds must be (low, high), each None, a number or like x0; "
                f"got the bound {describe(bound)}"
            )
        with default_dtype(_HOST):
            parts = [
                reshape(broadcast_to(_on_host(asarray(b)), x.shape), (-1,))
                for b, x in zip(leaves, self.leaves, strict=True)
            ]
        return concat(parts).tolist()


def _on_host(x: Tensor) -> Tensor:
    return astype(x.to_device("cpu"), _HOST, copy=False)
