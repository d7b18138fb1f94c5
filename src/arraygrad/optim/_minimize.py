"""SciPy's minimisers with gradients by `autodiff`, on containers of tensors."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any

from .. import _pytree
from .._creation import asarray
from .._data_type import astype
from .._dtypes import ALL, default_dtype
from .._elementwise import imag, real
from .._errors import describe, with_message
from .._linear_algebra import vecdot
from .._manipulation import broadcast_to, concat, reshape
from .._tensor import Tensor
from ..autodiff import hvp, is_traced, jacobian, value_and_grad, variable

_PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov", "trust-constr")
_METHODS = ("bfgs", "l-bfgs-b", "cg", "tnc", "slsqp", *_PRODUCTS)
_BOUNDED = ("l-bfgs-b", "tnc", "slsqp", "trust-constr")
_CONSTRAINED = ("slsqp", "trust-constr")
#: Up to this number of unknowns, dense methods are the default. With 100 unknowns a step of SciPy's
#: BFGS takes 1 ms in addition to the evaluation of the function, with 200 it takes 25 ms.
_FEW = 100
_HOST = ALL["float64"]


def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    method: str | None = None,
    *,
    bounds: Any = None,
    constraints: Any = (),
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
        also use products with the Hessian. The default depends on the number of elements of `x0`,
        because BFGS and SLSQP store and multiply matrices of that size. Up to 100 elements, it is
        BFGS, or SLSQP with constraints; beyond that, L-BFGS-B, or trust-constr with constraints.
        With bounds but no constraints, it is always L-BFGS-B.
    bounds : tuple or scipy.optimize.Bounds, optional
        Pair ``(low, high)``. Each is None, a number, or has the structure of `x0` with shapes that
        broadcast to those of `x0`.
    constraints : dict, scipy.optimize constraint, or sequence of these, optional
        ``{"type": "eq", "fun": g}`` requires ``g(x) == 0``, ``"ineq"`` requires ``g(x) >= 0``, and
        ``NonlinearConstraint(g, low, high)`` requires ``low <= g(x) <= high``. `g` returns a tensor
        of any shape; its Jacobian and products with its Hessian are computed by `autodiff`.
        ``LinearConstraint(A, low, high)`` has one column for each element of the leaves in order.
    tol : float, optional
        Tolerance, which each method interprets in its own way.
    callback : callable, optional
        Function called with `x` after each iteration. If its only parameter is named
        ``intermediate_result``, it is called with an ``OptimizeResult``, except by TNC and, before
        SciPy 1.17, by SLSQP. It may raise StopIteration to stop.
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
        If `method` is unknown or does not support the bounds or constraints, if these do not match
        `x0`, or if a constraint has derivatives of its own.

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

    With a constraint of SciPy:

    >>> from scipy.optimize import NonlinearConstraint
    >>> disk = NonlinearConstraint(lambda x: xp.sum(x**2), -xp.inf, 2.0)
    >>> found = optim.minimize(lambda x: -xp.sum(x), xp.zeros(2), constraints=disk)
    >>> found.success, bool(xp.all(xp.abs(found.x - 1.0) < 1e-4))
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
    one = isinstance(constraints, Mapping) or not isinstance(constraints, Sequence)
    constraints = [constraints] if one else list(constraints)
    if isinstance(bounds, optimize.Bounds):  # Bounds converts numbers to arrays of one element
        bounds = tuple(b.item() if b.size == 1 else b for b in (bounds.lb, bounds.ub))
    flat = _Flat(x0)
    name = _method(method, bounds, constraints, flat)
    with _in_own_name():
        both = value_and_grad(f)

    def value_and_gradient(z: Any) -> tuple[float, Any]:
        value, g = both(flat.unflatten(z), *args)
        return float(value), flat.vector(g)

    def product(z: Any, direction: Any) -> Any:
        return flat.product(lambda x: f(x, *args), z, direction)

    with _in_own_name():
        found = optimize.minimize(
            value_and_gradient,
            flat.vector(x0),
            method=name,
            jac=True,
            hessp=product if name in _PRODUCTS else None,
            bounds=None if bounds is None else flat.bounds(bounds),
            constraints=[_constraint(c, name, flat) for c in constraints],
            tol=tol,
            callback=None if callback is None else _callback(callback, flat),
            options=None if options is None else dict(options),
        )
    found.x = flat.result(found.x)
    gradient = "grad" if name == "trust-constr" else "jac"  # its jac is that of the constraints
    found[gradient] = flat.unflatten(found[gradient])
    return found


@contextmanager
def _in_own_name() -> Iterator[None]:
    """Begin the errors of SciPy and of the transformations with the name of this function.

    Errors of the user's functions are not changed.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        raised_in = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
        text = str(error)
        ours = re.match(r"(value_and_grad|jacobian|hvp): ", text)
        if ours is None and raised_in.partition(".")[0] not in ("numpy", "scipy"):
            raise
        text = text[ours.end() :] if ours else text
        raise with_message(error, f"minimize: {text}") from error


def _method(method: str | None, bounds: Any, constraints: Sequence[Any], flat: _Flat) -> str:
    if method is None:
        few = flat.unknowns <= _FEW
        if constraints:
            method = "slsqp" if few else "trust-constr"
        else:
            method = "bfgs" if few and bounds is None else "l-bfgs-b"
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


def _callback(callback: Callable[..., Any], flat: _Flat) -> Callable[..., Any]:
    """The callback with the signature that the method expects."""

    def after(z: Any, state: Any = None) -> Any:
        return callback(flat.result(z))

    def after_result(intermediate_result: Any) -> Any:
        if not hasattr(intermediate_result, "x"):  # it is x: TNC, and SLSQP before SciPy 1.17
            return after(intermediate_result)
        given = type(intermediate_result)(intermediate_result)
        given.x = flat.result(given.x)
        return callback(intermediate_result=given)

    try:
        parameters = set(inspect.signature(callback).parameters)
    except ValueError:  # a function written in C has none
        return after
    return after_result if parameters == {"intermediate_result"} else after


def _constraint(c: Any, method: str, flat: _Flat) -> Any:
    """A constraint of SciPy's for vectors, with derivatives by `autodiff`."""
    from scipy import optimize
    from scipy.sparse.linalg import LinearOperator

    if isinstance(c, optimize.LinearConstraint):
        if c.A.shape[-1] != flat.unknowns:
            raise ValueError(
                f"minimize: the matrix of a LinearConstraint needs {flat.unknowns} columns, one "
                f"for each element of x0; got {c.A.shape[-1]}"
            )
        return c
    if isinstance(c, optimize.NonlinearConstraint):
        if callable(c.jac) or callable(c.hess):
            raise ValueError(
                "minimize: the derivatives of a constraint are computed; write "
                "NonlinearConstraint(g, low, high) without jac and hess"
            )
        g, limits = c.fun, (_limit(c.lb), _limit(c.ub))
        keep_feasible = c.keep_feasible
    elif isinstance(c, Mapping) and set(c) == {"type", "fun"} and c["type"] in ("eq", "ineq"):
        g, limits = c["fun"], (0.0, 0.0 if c["type"] == "eq" else float("inf"))
        keep_feasible = False
    else:
        raise ValueError(
            'minimize: a constraint must be {"type": "eq" or "ineq", "fun": g}, or a '
            f"LinearConstraint or NonlinearConstraint of SciPy; got {describe(c)}"
        )

    def rows(x: Any) -> Tensor:
        out = g(x)
        if not isinstance(out, Tensor):
            raise TypeError(f"minimize: a constraint must return a tensor; got {describe(out)}")
        return reshape(out, (-1,))

    def value(z: Any) -> Any:
        return _on_host(rows(flat.unflatten(z))).numpy()

    def derivative(z: Any) -> Any:
        of: Callable[..., Any] = jacobian(rows)
        return flat.columns(of(flat.unflatten(z)))

    def hessian(z: Any, weights: Any) -> Any:
        def weighted(x: Any) -> Tensor:
            out = rows(x)
            return vecdot(asarray(weights, dtype=out.dtype, device=out.device), out)

        n = flat.unknowns
        return LinearOperator((n, n), matvec=lambda p: flat.product(weighted, z, p), dtype=float)

    if method == "slsqp":  # it uses no second derivatives
        if isinstance(c, Mapping):
            return {"type": c["type"], "fun": value, "jac": derivative}
        return optimize.NonlinearConstraint(value, *limits, derivative, keep_feasible=keep_feasible)
    return optimize.NonlinearConstraint(value, *limits, derivative, hessian, keep_feasible)


def _limit(x: Any) -> Any:
    """A limit of a constraint, as a number or a vector."""
    limit = _on_host(asarray(x))
    return reshape(limit, (-1,)).numpy() if limit.ndim else float(limit)


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

    @property
    def unknowns(self) -> int:
        """The number of elements of the vector."""
        return sum(x.size * (1 + (x.dtype.kind == "c")) for x in self.leaves)

    def product(self, f: Callable[..., Any], z: Any, direction: Any) -> Any:
        """The product of the Hessian of `f` with a vector."""
        direction = self.unflatten(reshape(asarray(direction), (-1,)))
        return self.vector(hvp(f, (self.unflatten(z),), (direction,)))

    def columns(self, tree: Any) -> Any:
        """A Jacobian as a matrix."""
        parts = _pytree.flatten(tree)[0]
        return concat([_on_host(reshape(p, (p.shape[0], -1))) for p in parts], axis=1).numpy()

    def unflatten(self, z: Any) -> Any:
        """Unflatten a vector to the containers."""
        return _pytree.unflatten(self.structure, self._parts(z))

    def result(self, z: Any) -> Any:
        """Unflatten a vector; leaves that require grad in `x0` do so in the result."""
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
                "minimize: bounds must be one pair (low, high), each None, a number or like x0; "
                f"got {describe(bounds)}"
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
        parts = []
        with default_dtype(_HOST):
            bounds_of_leaves = [_on_host(asarray(b)) for b in leaves]
        for b, x in zip(bounds_of_leaves, self.leaves, strict=True):
            try:
                parts.append(reshape(broadcast_to(b, x.shape), (-1,)))
            except ValueError as error:
                raise ValueError(
                    f"minimize: a bound of shape {b.shape} does not broadcast to that of a tensor "
                    f"of x0, {x.shape}"
                ) from error
        return concat(parts).tolist()


def _on_host(x: Tensor) -> Tensor:
    return astype(x.to_device("cpu"), _HOST, copy=False)
