"""Integrals and ordinary differential equations of `scipy.integrate`, with derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, NamedTuple

import arraygrad as xp

from .._backends.numpy.table import load_scipy
from .._dispatch import as_floating, check_tensor
from .._errors import TransferError, as_int, describe, in_own_name
from .._typing import Tensor
from ..autodiff import is_traced, no_grad, stop_gradient

__all__ = ["odeint", "simpson", "solve_ivp"]

_where: Any = xp.where


@in_own_name("scipy.integrate.simpson")
def simpson(
    y: Tensor, x: Tensor | None = None, *, dx: Tensor | float = 1.0, axis: int = -1
) -> Tensor:
    """Integral along an axis by Simpson's rule.

    Parameters
    ----------
    y : Tensor
        Values of the function, at any number of points.
    x : Tensor, optional
        Abscissae, of the shape of `y` or of shape (N,).
    dx : Tensor or float, optional
        Distance between abscissae if `x` is not given.
    axis : int, optional
        Axis to integrate along.

    Returns
    -------
    Tensor
        Has the shape of `y` without the axis.

    Raises
    ------
    TypeError
        If `y` or `x` is not a tensor.
    ValueError
        If the axis does not exist or has no elements, or the shape of `x` does not fit.

    Notes
    -----
    A parabola through three points integrates each pair of intervals. If the number of intervals is
    odd, the parabola through the last three points integrates the last one (Cartwright 2017).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import integrate
    >>> x = xp.asarray([0.0, 1.0, 2.0])
    >>> integrate.simpson(x**2)
    Tensor(2.66666667, dtype=float64)
    >>> autodiff.grad(lambda y: integrate.simpson(y))(x)
    Tensor([0.33333333, 1.33333333, 0.33333333], dtype=float64)
    """
    check_tensor("scipy.integrate.simpson", y)
    axis = as_int("scipy.integrate.simpson", "axis", axis)
    if not -y.ndim <= axis < y.ndim or not y.shape[axis]:
        raise ValueError(f"axis {axis} of a tensor of shape {y.shape} has no elements")
    y = xp.moveaxis(as_floating(y), axis, -1)
    n = y.shape[-1]
    if x is None:
        h = dx * xp.ones(n - 1, dtype=xp.real(y).dtype, device=y.device)
    else:
        check_tensor("scipy.integrate.simpson", x)
        x = x if x.ndim == 1 else xp.moveaxis(x, axis, -1)
        if x.shape[-1:] != (n,) or x.ndim not in (1, y.ndim):
            raise ValueError(f"expected {n} abscissae; got x of shape {x.shape}")
        h = xp.diff(as_floating(x))
    if n < 3:
        return xp.sum(h * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)
    last = n - 1 - (n - 1) % 2
    before, after = h[..., 0:last:2], h[..., 1:last:2]
    left, middle, right = y[..., 0:last:2], y[..., 1:last:2], y[..., 2 : last + 1 : 2]
    both = before + after
    parabolas = (
        (2 - _ratio(after, before)) * left
        + _ratio(both * both, before * after) * middle
        + (2 - _ratio(before, after)) * right
    )
    found = xp.sum(both / 6 * parabolas, axis=-1)
    if last == n - 1:
        return found
    before, after = h[..., -2], h[..., -1]
    both = before + after
    weights = (
        _ratio(after * (2 * after + 3 * before), 6 * both),
        _ratio(after * (after + 3 * before), 6 * before),
        -_ratio(after * after * after, 6 * before * both),
    )
    return found + sum(w * y[..., -1 - i] for i, w in enumerate(weights))


def _ratio(a: Any, b: Any) -> Any:
    """A / b, and 0 where b is 0, because the integral between equal abscissae is 0."""
    return _where(b == 0, 0.0, a / _where(b == 0, 1.0, b))


class OdeResult(NamedTuple):
    """Result of `solve_ivp`."""

    t: Tensor
    y: Tensor
    nfev: int
    status: int
    message: str
    success: bool


@in_own_name("scipy.integrate.solve_ivp")
def solve_ivp(
    fun: Callable[..., Tensor],
    t_span: tuple[float, float],
    y0: Tensor,
    method: str = "RK45",
    t_eval: Sequence[float] | Tensor | None = None,
    *,
    args: tuple[Any, ...] = (),
    **options: Any,
) -> OdeResult:
    """Solve an initial value problem y' = fun(t, y), y(t0) = y0.

    SciPy's solver chooses the steps. They are then repeated with tensors, and differentiated with
    the times fixed. So the gradient is that of the computed solution, to any order, with respect to
    `y0`, `args`, and tensors that `fun` uses from outside.

    Parameters
    ----------
    fun : callable
        Function ``fun(t, y, *args)`` that returns the derivative, a tensor of shape (M,); `t` is a
        float. It is called twice as often as by SciPy.
    t_span : tuple of float
        Start and end of the interval.
    y0 : Tensor
        Initial value of shape (M,), on the CPU. Integers and single precision are converted to
        float64 and double precision.
    method : {'RK45', 'RK23'}, optional
        Explicit Runge-Kutta method.
    t_eval : sequence of float or Tensor, optional
        Times at which the solution is interpolated, in the order of integration; by default the
        times of the steps.
    args : tuple, optional
        Further arguments of `fun`.
    **options : float
        Options of SciPy's solver: `rtol`, `atol`, `first_step`, `max_step`.

    Returns
    -------
    t : Tensor
        Times, of shape (N,).
    y : Tensor
        Solution at these times, of shape (M, N).
    nfev : int
        Number of calls of `fun` to choose the steps.
    status : int
        0 for success, -1 if a step failed.
    message : str
        Reason for the end of the integration.
    success : bool
        Whether the end was reached.

    Raises
    ------
    TypeError
        If `y0` or the result of `fun` is not a tensor, or an option is not supported.
    ValueError
        If `y0` does not have one axis, the method is unknown, or `t_eval` is not within `t_span`.
    TransferError
        If `y0` is on a GPU, because SciPy's solver runs on the CPU.

    Notes
    -----
    The methods are those of Dormand & Prince (1980) and of Bogacki & Shampine (1989). All steps are
    recorded, so the memory grows with their number. To reduce it, solve parts of the interval under
    `autodiff.checkpoint`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import integrate
    >>> def end(rate):
    ...     how = {"rtol": 1e-9, "atol": 1e-9}
    ...     return integrate.solve_ivp(lambda t, y: -rate * y, (0, 1), xp.ones(1), **how).y[0, -1]
    >>> autodiff.grad(end)(xp.asarray(2.0))  # -exp(-2)
    Tensor(-0.13533528, dtype=float64)
    """
    _check_start("scipy.integrate.solve_ivp", y0)
    if y0.ndim != 1:
        raise ValueError(f"y0 must have shape (M,); got {y0.shape}")
    if method not in ("RK45", "RK23"):
        raise ValueError(f"method must be 'RK45' or 'RK23'; got {method!r}")
    if unknown := set(options) - {"rtol", "atol", "first_step", "max_step"}:
        raise TypeError(f"options that are not supported: {', '.join(sorted(unknown))}")
    y0 = xp.astype(y0, xp.complex128 if y0.dtype.kind == "c" else xp.float64)

    steps = _steps("scipy.integrate.solve_ivp: fun", fun, t_span, y0, method, args, options)
    tableau = load_scipy(f"integrate.{method}")
    wanted = _wanted(t_eval, *map(float, t_span))
    times, values = _repeat(fun, args, y0, steps.t.tolist(), tableau, wanted)
    return OdeResult(
        xp.asarray(times, dtype=xp.float64),
        xp.stack(values, axis=1) if values else xp.zeros((*y0.shape, 0), dtype=y0.dtype),
        steps.nfev,
        steps.status,
        steps.message,
        steps.success,
    )


def _check_start(name: str, y0: Any) -> None:
    check_tensor(name, y0)
    if y0.device.type != "cpu":
        raise TransferError(
            f"{name}: the steps are chosen by SciPy on the CPU, but y0 is on "
            f'{y0.device}; write y0.to_device("cpu")'
        )


def _steps(name: str, fun: Any, t_span: Any, y0: Any, method: str, args: Any, options: Any) -> Any:
    """The solution by SciPy, which chooses the steps."""

    def numbers(t: Any, y: Any) -> Any:
        found = fun(float(t), xp.asarray(y), *args)
        check_tensor(name, found)
        if found.shape != y.shape:
            what = name.rpartition(": ")[2]
            raise ValueError(f"{what} must return shape {y.shape}; got {describe(found)}")
        return stop_gradient(found).numpy()

    solve = load_scipy("integrate.solve_ivp")
    with no_grad():
        return solve(numbers, t_span, stop_gradient(y0).numpy(), method, **options)


@in_own_name("scipy.integrate.odeint")
def odeint(
    func: Callable[..., Tensor],
    y0: Tensor,
    t: Tensor | Sequence[float],
    args: tuple[Any, ...] = (),
    *,
    rtol: float = 1.49012e-8,
    atol: float = 1.49012e-8,
    h0: float = 0.0,
    hmax: float = 0.0,
    tfirst: bool = False,
) -> Tensor:
    """Solve an initial value problem y' = func(y, t), y(t[0]) = y0, at given times.

    As of `solve_ivp`, the steps are SciPy's, and the gradient is that of the computed solution. It
    is with respect to `y0`, `t`, `args`, and tensors that `func` uses from outside.

    Parameters
    ----------
    func : callable
        ``func(y, t, *args)`` returns the derivative, a tensor of shape (M,); `t` is a float, and a
        0-d tensor where times are differentiated.
    y0 : Tensor
        Initial value of shape (M,) or (), on the CPU, converted to double precision.
    t : Tensor or sequence of float
        Times of shape (N,), in increasing or decreasing order, the first that of `y0`.
    args : tuple, optional
        Further arguments of `func`.
    rtol, atol : float, optional
        Relative and absolute tolerance.
    h0, hmax : float, optional
        First and longest step, chosen by the solver if 0.
    tfirst : bool, optional
        Whether `func` takes the time first.

    Returns
    -------
    Tensor
        The solution, of shape (N, M).

    Raises
    ------
    TypeError
        If `y0`, or what `func` returns, is not a tensor.
    ValueError
        If the times are not sorted, or the shapes do not fit.
    RuntimeError
        If the solver does not reach the last time.
    TransferError
        If `y0` is on a GPU.

    Notes
    -----
    The method is that of Dormand & Prince (1980), with its interpolation between the steps; SciPy's
    is LSODA, which needs fewer steps for stiff problems.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import integrate
    >>> def end(rate, t):
    ...     return integrate.odeint(lambda y, t: -rate * y, xp.ones(1), t)[-1, 0]
    >>> autodiff.grad(end, (0, 1))(xp.asarray(2.0), xp.asarray([0.0, 1.0]))
    (Tensor(-0.13533528, dtype=float64), Tensor([ 0.27067055, -0.27067055], dtype=float64))
    """
    name = "scipy.integrate.odeint"
    _check_start(name, y0)
    if y0.ndim > 1:
        raise ValueError(f"y0 must have shape (M,) or (); got {y0.shape}")
    if isinstance(t, Tensor):
        if t.ndim != 1:
            raise ValueError(f"t must have shape (N,); got {t.shape}")
        times = [float(p) for p in xp.unstack(stop_gradient(t))]
    else:
        times = [float(p) for p in t]
    points: list[Any] = times
    if isinstance(t, Tensor) and is_traced(t):
        points = list(xp.unstack(xp.astype(t, xp.float64, copy=False)))
    if not times:
        raise ValueError("t has no elements")
    gaps = [b - a for a, b in pairwise(times)]
    if not (all(gap >= 0 for gap in gaps) or all(gap <= 0 for gap in gaps)):
        raise ValueError(f"t must be in increasing or decreasing order; got {describe(t)}")
    dtype = xp.complex128 if y0.dtype.kind == "c" else xp.float64
    y0 = xp.reshape(xp.astype(y0, dtype, copy=False), (-1,))
    start, end = times[0], times[-1]
    if start == end:
        return xp.stack([y0] * len(times))
    fun = func if tfirst else lambda t, y, *args: func(y, t, *args)
    options: dict[str, Any] = {"rtol": rtol, "atol": atol}
    options |= {"first_step": h0} if h0 else {}
    options |= {"max_step": hmax} if hmax else {}
    steps = _steps(f"{name}: func", fun, (start, end), y0, "RK45", args, options)
    if not steps.success:
        raise RuntimeError(f"the solver stops at t={steps.t[-1]}: {steps.message}")

    def moved(s: float) -> Any:
        """A time between the first and the last one, which moves with them."""
        share = (s - start) / (end - start)
        shifts = [p - stop_gradient(p) for p in (points[0], points[-1])]
        return s + (1 - share) * shifts[0] + share * shifts[1]

    pairs = list(zip(times, points, strict=True))
    along = moved if points is not times else None
    tableau = load_scipy("integrate.RK45")
    _, values = _repeat(fun, args, y0, steps.t.tolist(), tableau, pairs, along)
    return xp.stack(values)


def _repeat(
    fun: Any,
    args: Any,
    y: Any,
    steps: list[float],
    method: Any,
    wanted: list[tuple[float, Any]] | None,
    moved: Callable[[float], Any] | None = None,
) -> tuple[list[float], list[Any]]:
    """Take the steps, and return the wanted times and the solution there.

    `wanted` are times, as floats and as what is differentiated; `moved` gives the latter of a step.
    """
    rows, last, nodes = method.A.tolist(), method.B.tolist(), method.C.tolist()
    times, values = ([steps[0]], [y]) if wanted is None else ([], [])
    forward = steps[-1] >= steps[0]
    moments = steps if moved is None else [moved(s) for s in steps]
    slope = fun(moments[0], y, *args)
    for step, (start, end) in zip(steps[1:], pairwise(moments), strict=True):
        h = end - start
        slopes = [slope]
        for row, node in zip(rows[1:], nodes[1:], strict=True):
            slopes.append(fun(start + node * h, y + h * _combined(row, slopes), *args))
        new = y + h * _combined(last, slopes)
        slopes.append(fun(end, new, *args))
        if wanted is None:
            times.append(step)
            values.append(new)
        while wanted and (wanted[0][0] <= step if forward else wanted[0][0] >= step):
            time, point = wanted.pop(0)
            times.append(time)
            share = (point - start) / h
            powers = [share]  # by products, which round alike for floats and tensors
            while len(powers) < method.P.shape[1]:
                powers.append(powers[-1] * share)
            weights = [_combined(row, powers) for row in method.P.tolist()]
            values.append(y + h * _combined(weights, slopes))
        y, slope = new, slopes[-1]
    return times, values


def _combined(weights: Any, slopes: list[Any]) -> Any:
    """Weighted sum of slopes; a slope with a number of 0 as its weight is left out."""
    terms = [
        w * k for w, k in zip(weights, slopes, strict=False) if isinstance(w, Tensor) or w != 0
    ]
    # (Python's `sum` would round floats in another way than tensors.)
    return reduce(add, terms) if terms else 0 * slopes[0]


def _wanted(t_eval: Any, start: float, end: float) -> list[tuple[float, Any]] | None:
    if t_eval is None:
        return None
    if isinstance(t_eval, Tensor):
        t_eval = [float(t) for t in xp.unstack(t_eval)]
    wanted = [float(t) for t in t_eval]
    sign = 1 if end >= start else -1
    gaps = [sign * (b - a) for a, b in pairwise(wanted)]
    outside = [t for t in wanted if not 0 <= sign * (t - start) <= sign * (end - start)]
    if outside or any(gap <= 0 for gap in gaps):
        raise ValueError(f"t_eval must be sorted and within t_span; got {describe(t_eval)}")
    return [(t, t) for t in wanted]
