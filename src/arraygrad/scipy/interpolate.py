"""Splines and interpolation on grids of `scipy.interpolate`, with derivatives.

They are written with the namespace, so they are differentiable with respect to the data, the
abscissae and the places of evaluation. Banded systems of equations are solved by SciPy on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import arraygrad as xp

from .._dispatch import as_floating, check_tensor, common_device, is_anywhere
from .._errors import as_int, describe, in_own_name
from .._typing import Tensor
from ..autodiff import stop_gradient
from . import _banded as banded

__all__ = [
    "BSpline", "CubicHermiteSpline", "CubicSpline", "PPoly", "PchipInterpolator",
    "RegularGridInterpolator", "make_interp_spline",
]  # fmt: skip

_where: Any = xp.where

# ---- what all splines have in common


def _increasing(name: str, argument: str, x: Any, *, strictly: bool = True) -> None:
    """Raise unless a tensor on the CPU is increasing; for one on a GPU the host would wait."""
    if x.device.type == "cpu" and x.size > 1:
        gaps = xp.diff(stop_gradient(x))
        if is_anywhere(~(gaps > 0 if strictly else gaps >= 0)):
            how = "strictly increasing" if strictly else "sorted"
            raise ValueError(f"{name}: {argument} must be {how}")


def _data(name: str, x: Any, y: Any, axis: Any, *more: Any) -> tuple[Any, ...]:
    """Abscissae, values with their axis in front, and the axis, of one floating-point precision."""
    for tensor in (x, y, *more):
        check_tensor(name, tensor)
    common_device(name, (x, y, *more))
    axis = as_int(name, "axis", axis)
    if not -y.ndim <= axis < y.ndim:
        raise ValueError(f"axis {axis} does not exist in a tensor of shape {y.shape}")
    axis %= y.ndim
    if x.dtype.kind == "c" or x.ndim != 1:
        raise ValueError(f"x must be real and of shape (N,); got {describe(x)}")
    if y.shape[axis] != x.size:
        raise ValueError(f"y must have {x.size} values along axis {axis}; got shape {y.shape}")
    for tensor in more:
        if tensor.shape != y.shape:
            raise ValueError(f"dydx must have the shape of y, {y.shape}; got {tensor.shape}")
    dtype = xp.result_type(x, y, *more)
    dtype = dtype if dtype.kind in "fc" else xp.float64
    real = xp.real(xp.zeros((), dtype=dtype, device="cpu")).dtype
    x = xp.astype(x, real, copy=False)
    _increasing(name, "x", x)
    values = [xp.moveaxis(xp.astype(v, dtype, copy=False), axis, 0) for v in (y, *more)]
    return x, values[0], axis, *values[1:]


def _column(v: Any, like: Any) -> Any:
    """A vector along the first axis of a tensor."""
    return xp.reshape(v, (-1,) + (1,) * (like.ndim - 1))


class _Spline:
    """What `PPoly` and `BSpline` share: places of evaluation, and integrals."""

    extrapolate: bool | str
    axis: int

    def _ends(self) -> tuple[Any, Any]:
        raise NotImplementedError

    def _evaluate(self, x: Any, nu: int) -> Any:
        """Values at a vector of places, along the first axis."""
        raise NotImplementedError

    def antiderivative(self, nu: int = 1) -> Any:
        raise NotImplementedError

    def _name(self) -> str:
        return f"scipy.interpolate.{type(self).__name__}"

    def _place(self, x: Any) -> Any:
        start, _ = self._ends()
        if not isinstance(x, Tensor):
            return xp.asarray(x, dtype=start.dtype, device=start.device)
        common_device(self._name(), (x, start))
        if x.dtype.kind == "c":
            raise TypeError(f"{self._name()}: x must be real; got {describe(x)}")
        return xp.astype(x, start.dtype, copy=False) if x.dtype.kind != "f" else x

    def _how(self, extrapolate: Any) -> bool | str:
        how = self.extrapolate if extrapolate is None else extrapolate
        if how not in (True, False, "periodic"):
            raise ValueError(
                f"{self._name()}: extrapolate must be True, False or 'periodic'; "
                f"got {describe(extrapolate)}"
            )
        return how if how == "periodic" else bool(how)

    def __call__(
        self, x: Tensor | float, nu: int = 0, extrapolate: bool | str | None = None
    ) -> Tensor:
        """Evaluate the spline, or its derivative of order `nu`.

        Parameters
        ----------
        x : Tensor or float
            Places, of any shape.
        nu : int, optional
            Order of the derivative.
        extrapolate : {True, False, 'periodic', None}, optional
            Whether the first and last polynomials go on beyond the ends; False gives NaN there.
            None stands for the spline's own choice.

        Returns
        -------
        Tensor
            The axis of interpolation is replaced by those of `x`.
        """
        nu = as_int(self._name(), "nu", nu)
        if nu < 0:
            raise ValueError(f"{self._name()}: nu must not be negative; got {nu}")
        place, how = self._place(x), self._how(extrapolate)
        shape, (start, end) = place.shape, self._ends()
        place = xp.reshape(place, (-1,))
        if how == "periodic":
            place = start + xp.remainder(place - start, end - start)
        found = self._evaluate(place, nu)
        if not how:
            outside = _column(~((place >= start) & (place <= end)), found)
            found = _where(outside, float("nan"), found)
        found = xp.reshape(found, (*shape, *found.shape[1:]))
        axes = tuple(range(len(shape)))
        return xp.moveaxis(found, axes, tuple(i + self.axis for i in axes)) if axes else found

    def integrate(
        self, a: Tensor | float, b: Tensor | float, extrapolate: bool | str | None = None
    ) -> Tensor:
        """Integral between two limits.

        Parameters
        ----------
        a, b : Tensor or float
            Lower and upper limit, which broadcast.
        extrapolate : {True, False, 'periodic', None}, optional
            As of a call. Without extrapolation, the integral beyond the ends is NaN for a `PPoly`,
            and a `BSpline` is 0 there.

        Returns
        -------
        Tensor
            The axis of interpolation is replaced by those of the limits.
        """
        limits = [self._place(a), self._place(b)]
        how, integral = self._how(extrapolate), self.antiderivative()
        start, end = self._ends()
        if how == "periodic":
            period = end - start
            total = integral(end, 0, True) - integral(start, 0, True)
            turns = [xp.floor((x - start) / period) for x in limits]
            lower, upper = (
                integral(x - n * period, 0, True) for x, n in zip(limits, turns, strict=True)
            )
            whole = turns[1] - turns[0]
            whole = xp.reshape(whole, (*whole.shape, *(1,) * total.ndim)) * total
            axes = tuple(range(whole.ndim - total.ndim))
            return upper - lower + xp.moveaxis(whole, axes, tuple(i + self.axis for i in axes))
        if not how and isinstance(self, BSpline):
            limits, how = [xp.clip(x, start, end) for x in limits], True
        lower, upper = (integral(x, 0, how) for x in limits)
        return upper - lower


# ---- piecewise polynomials


class PPoly(_Spline):
    """Polynomials between breakpoints.

    Parameters
    ----------
    c : Tensor
        Coefficients of shape (k, m, ...), those of the highest power first: between x[i] and
        x[i + 1] the value is the sum over j of ``c[j, i] * (x - x[i])**(k - 1 - j)``.
    x : Tensor
        Breakpoints of shape (m + 1,), increasing. This is checked on the CPU only.
    extrapolate : {True, False, 'periodic'}, optional
        Whether the first and last polynomials go on beyond the ends; False gives NaN there.
    axis : int, optional
        The axis of the values that is that of interpolation.

    Raises
    ------
    TypeError
        If `c` or `x` is not a tensor.
    ValueError
        If the shapes do not fit, or `x` is not increasing.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import interpolate
    >>> square = interpolate.PPoly(xp.asarray([[1.0], [0.0], [0.0]]), xp.asarray([0.0, 2.0]))
    >>> square(xp.asarray([1.0, 3.0]))
    Tensor([1., 9.], dtype=float64)
    >>> square(1.0, 1), square.integrate(0.0, 1.0)
    (Tensor(2., dtype=float64), Tensor(0.33333333, dtype=float64))
    """

    def __init__(self, c: Tensor, x: Tensor, extrapolate: bool | str = True, axis: int = 0) -> None:
        name = "scipy.interpolate.PPoly"
        for tensor in (c, x):
            check_tensor(name, tensor)
        common_device(name, (c, x))
        if x.ndim != 1 or c.ndim < 2 or not c.shape[0] or c.shape[1] != x.size - 1 or x.size < 2:
            raise ValueError(
                f"{name}: expected c of shape (k, m, ...) and x of shape (m + 1,); "
                f"got shapes {c.shape} and {x.shape}"
            )
        _increasing(name, "x", x)
        self._set(as_floating(c), as_floating(x), extrapolate, as_int(name, "axis", axis))

    def _set(self, c: Any, x: Any, extrapolate: Any, axis: int) -> PPoly:
        self.c, self.x, self.axis = c, x, axis
        self.extrapolate = extrapolate
        self.extrapolate = self._how(None)
        return self

    def _like(self, c: Any, extrapolate: Any) -> PPoly:
        return PPoly.__new__(PPoly)._set(c, self.x, extrapolate, self.axis)

    def _ends(self) -> tuple[Any, Any]:
        return self.x[0], self.x[-1]

    def _evaluate(self, x: Any, nu: int) -> Any:
        c = self._powers(nu)
        i = xp.clip(xp.searchsorted(self.x, x, side="right") - 1, 0, self.x.size - 2)
        places = x - xp.take(self.x, i, axis=0)
        found = xp.take(c[0, ...], i, axis=0)
        places = _column(places, found)
        for k in range(1, c.shape[0]):
            found = found * places + xp.take(c[k, ...], i, axis=0)
        return found if c.shape[0] > 1 else found + 0 * places

    def _powers(self, nu: int) -> Any:
        """The coefficients of the derivative."""
        k = self.c.shape[0]
        if not nu:
            return self.c
        if nu >= k:
            return xp.zeros_like(self.c[:1, ...])
        c = self.c[: k - nu, ...]
        powers = xp.arange(k - 1, nu - 1, -1, dtype=xp.real(c).dtype, device=c.device)
        for i in range(nu):
            c = c * _column(powers - i, c)
        return c

    def derivative(self, nu: int = 1) -> PPoly:
        """The derivative.

        Parameters
        ----------
        nu : int, optional
            Its order; a negative one is that of an antiderivative.

        Returns
        -------
        PPoly
        """
        nu = as_int(self._name(), "nu", nu)
        return (
            self.antiderivative(-nu) if nu < 0 else self._like(self._powers(nu), self.extrapolate)
        )

    def antiderivative(self, nu: int = 1) -> PPoly:
        """The antiderivative that is 0 at the first breakpoint.

        Parameters
        ----------
        nu : int, optional
            Its order; a negative one is that of a derivative.

        Returns
        -------
        PPoly
            Does not extrapolate if this one is periodic.
        """
        nu = as_int(self._name(), "nu", nu)
        if nu <= 0:
            return self.derivative(-nu)
        c, widths = self.c, xp.diff(self.x)
        for _ in range(nu):
            k = c.shape[0]
            powers = xp.arange(k, 0, -1, dtype=xp.real(c).dtype, device=c.device)
            c = c / _column(powers, c)
            gaps = _column(widths, c[0, ...])
            rise = c[0, ...]
            for j in range(1, k):
                rise = rise * gaps + c[j, ...]
            totals = xp.cumulative_sum(rise * gaps, axis=0)
            levels = xp.concat([xp.zeros_like(totals[:1, ...]), totals[:-1, ...]])
            c = xp.concat([c, xp.expand_dims(levels, axis=0)])
        return self._like(c, False if self.extrapolate == "periodic" else self.extrapolate)


def _hermite(x: Any, y: Any, slopes: Any) -> Any:
    """Coefficients of the cubic polynomials with given values and slopes."""
    h = _column(xp.diff(x), y)
    slope = xp.diff(y, axis=0) / h
    before, after = slopes[:-1, ...], slopes[1:, ...]
    bend = (before + after - 2 * slope) / h
    return xp.stack([bend / h, (slope - before) / h - bend, before, y[:-1, ...]])


class CubicHermiteSpline(PPoly):
    """Cubic polynomials between points with given values and slopes.

    Parameters
    ----------
    x : Tensor
        Abscissae of shape (N,), increasing, at least two. This is checked on the CPU only.
    y, dydx : Tensor
        Values and slopes, with N elements along the axis.
    axis : int, optional
        Axis of interpolation.
    extrapolate : {True, False, 'periodic', None}, optional
        As of `PPoly`. None stands for True.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `PPoly` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import interpolate
    >>> x = xp.asarray([0.0, 1.0])
    >>> interpolate.CubicHermiteSpline(x, x, xp.zeros(2))(0.5)
    Tensor(0.5, dtype=float64)
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        dydx: Tensor,
        axis: int = 0,
        extrapolate: bool | str | None = None,
    ) -> None:
        x, y, axis, slopes = _points("CubicHermiteSpline", x, y, axis, dydx)
        self._set(_hermite(x, y, slopes), x, True if extrapolate is None else extrapolate, axis)


def _points(name: str, x: Any, y: Any, axis: Any, *more: Any) -> tuple[Any, ...]:
    """The data of a spline through at least two points."""
    found = in_own_name(f"scipy.interpolate.{name}")(_data)(
        f"scipy.interpolate.{name}", x, y, axis, *more
    )
    if found[0].size < 2:
        raise ValueError(f"scipy.interpolate.{name}: expected at least two points; got {x.size}")
    return found


class PchipInterpolator(PPoly):
    """Cubic interpolation that is monotonic where the data are (PCHIP).

    Parameters
    ----------
    x : Tensor
        Abscissae of shape (N,), increasing, at least two. This is checked on the CPU only.
    y : Tensor
        Real values, with N elements along the axis.
    axis : int, optional
        Axis of interpolation.
    extrapolate : {True, False, 'periodic', None}, optional
        As of `PPoly`. None stands for True.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `PPoly` does.

    Notes
    -----
    The slopes are weighted harmonic means of those of the neighbouring lines, and 0 at an extremum
    of the data (Fritsch & Butland 1984). Where two neighbouring lines have the slope 0, so has the
    spline, and its derivative with respect to the data there is that of a constant slope.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import interpolate
    >>> x, y = xp.asarray([0.0, 1.0, 2.0, 3.0]), xp.asarray([0.0, 0.0, 1.0, 1.0])
    >>> interpolate.PchipInterpolator(x, y)(xp.asarray([0.5, 1.5, 2.5]))
    Tensor([0. , 0.5, 1. ], dtype=float64)
    """

    def __init__(
        self, x: Tensor, y: Tensor, axis: int = 0, extrapolate: bool | str | None = None
    ) -> None:
        x, y, axis = _points("PchipInterpolator", x, y, axis)
        if y.dtype.kind == "c":
            raise TypeError(
                f"scipy.interpolate.PchipInterpolator: y must be real; got {describe(y)}"
            )
        slopes = _monotonic_slopes(x, y)
        self._set(_hermite(x, y, slopes), x, True if extrapolate is None else extrapolate, axis)


def _monotonic_slopes(x: Any, y: Any) -> Any:
    h = _column(xp.diff(x), y)
    slope = xp.diff(y, axis=0) / h
    if x.size == 2:
        return xp.concat([slope, slope])
    before, after = slope[:-1, ...], slope[1:, ...]
    w1, w2 = 2 * h[1:, ...] + h[:-1, ...], h[1:, ...] + 2 * h[:-1, ...]
    flat = xp.sign(before) * xp.sign(after) <= 0
    mean = w1 / _where(flat, 1.0, before) + w2 / _where(flat, 1.0, after)
    inner = _where(flat, 0.0, (w1 + w2) / _where(flat, 1.0, mean))
    n = slope.shape[0]
    first, last = (
        _end_slope(*(z[i : i + 1, ...] for z in (h, slope) for i in at))
        for at in ((0, 1), (n - 1, n - 2))
    )
    return xp.concat([first, inner, last])


def _end_slope(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """From three points, cut so that the spline stays monotonic (Moler 2004, 3.6)."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (xp.sign(m0) != xp.sign(m1)) & (xp.abs(d) > 3.0 * xp.abs(m0))
    return _where(xp.sign(d) != xp.sign(m0), 0.0, _where(steep, 3.0 * m0, d))


class CubicSpline(PPoly):
    """Cubic spline through points, twice continuously differentiable.

    Parameters
    ----------
    x : Tensor
        Abscissae of shape (N,), increasing, at least two. This is checked on the CPU only.
    y : Tensor
        Values, with N elements along the axis.
    axis : int, optional
        Axis of interpolation.
    bc_type : str or pair, optional
        What holds at the ends: 'not-a-knot' (the first two and the last two polynomials are the
        same), 'natural' (the second derivative is 0), 'clamped' (the first is 0), 'periodic', or
        one for each end. There ``(order, value)`` gives a first or second derivative; a value that
        is a tensor is differentiated.
    extrapolate : {True, False, 'periodic', None}, optional
        As of `PPoly`. None stands for 'periodic' if `bc_type` is, and else for True.

    Raises
    ------
    TypeError
        If `x` or `y` is not a tensor.
    ValueError
        If the shapes do not fit, `bc_type` is unknown, or, on the CPU, `x` is not increasing or
        the data of a periodic spline differ at the ends.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The slopes at the points solve a tridiagonal system (de Boor 1978, IV).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import interpolate
    >>> x = xp.asarray([0.0, 1.0, 2.0, 3.0])
    >>> spline = interpolate.CubicSpline(x, x**3)
    >>> spline(xp.asarray([0.5, 4.0]))
    Tensor([ 0.125, 64.   ], dtype=float64)
    >>> spline(2.0, 1), spline.integrate(0.0, 2.0)
    (Tensor(12., dtype=float64), Tensor(4., dtype=float64))
    >>> autodiff.grad(lambda y: interpolate.CubicSpline(x, y, bc_type="natural")(0.5))(x**3)
    Tensor([ 0.4  ,  0.725, -0.15 ,  0.025], dtype=float64)
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        axis: int = 0,
        bc_type: str | Sequence[Any] = "not-a-knot",
        extrapolate: bool | str | None = None,
    ) -> None:
        x, y, axis = _points("CubicSpline", x, y, axis)
        slopes = in_own_name("scipy.interpolate.CubicSpline")(_smooth_slopes)(x, y, bc_type)
        if extrapolate is None:
            extrapolate = "periodic" if bc_type == "periodic" else True
        self._set(_hermite(x, y, slopes), x, extrapolate, axis)


def _conditions(bc_type: Any, y: Any) -> list[Any]:
    """For each end 'not-a-knot', 'periodic', or the order and the value of a derivative."""
    both = [bc_type] * 2 if isinstance(bc_type, str) else bc_type
    if not isinstance(both, (tuple, list)) or len(both) != 2:
        raise ValueError(f"bc_type must be a str or a pair; got {describe(bc_type)}")
    named = {"natural": (2, 0.0), "clamped": (1, 0.0)}
    found: list[Any] = []
    for end in both:
        if isinstance(end, str) and end in ("not-a-knot", "periodic", *named):
            end = named.get(end, end)
        elif not isinstance(end, (tuple, list)) or len(end) != 2 or end[0] not in (1, 2):
            raise ValueError(
                "bc_type must be 'not-a-knot', 'natural', 'clamped', 'periodic' or (order, value) "
                f"with order 1 or 2; got {describe(end)}"
            )
        if isinstance(end, (tuple, list)):
            value = end[1]
            if isinstance(value, Tensor):
                common_device("scipy.interpolate", (y, value))
            else:
                value = xp.asarray(value, dtype=y.dtype, device=y.device)
            end = (end[0], xp.expand_dims(xp.broadcast_to(value, y.shape[1:]), axis=0))
        found.append(end)
    if found.count("periodic") == 1:
        raise ValueError("bc_type must be 'periodic' at both ends or at none")
    return found


def _same_ends(y: Any) -> None:
    if y.device.type == "cpu" and y.size:
        gap = xp.abs(stop_gradient(y[0, ...] - y[-1, ...]))
        if is_anywhere(~(gap <= 1e-15 * (1 + xp.abs(stop_gradient(y[-1, ...]))))):
            raise ValueError("the first and the last value of a periodic spline must be equal")


def _smooth_slopes(x: Any, y: Any, bc_type: Any) -> Any:
    """The slopes for which the second derivative is continuous."""
    start, end = _conditions(bc_type, y)
    if start == "periodic":
        _same_ends(y)
    if not y.size:
        return y
    n, dx = x.size, xp.diff(x)
    h = _column(dx, y)
    slope = xp.diff(y, axis=0) / h
    if n == 2:
        start, end = (
            (1, slope) if isinstance(c, str) else c  # a line, or a constant
            for c in (start, end)
        )
    if (
        n == 3 and isinstance(start, str) and isinstance(end, str) and start != "periodic"
    ):  # one condition: a parabola
        second = (slope[1:, ...] - slope[:1, ...]) / (h[:1, ...] + h[1:, ...])
        first = slope[:1, ...] - second * h[:1, ...]
        return xp.concat(
            [first, slope[:1, ...] + second * h[:1, ...], slope[1:, ...] + second * h[1:, ...]]
        )
    if n == 3 and start == "periodic":
        mean = xp.sum(slope / h, axis=0, keepdims=True) / xp.sum(1 / h, axis=0, keepdims=True)
        return xp.concat([mean] * 3)
    inner = 3 * (h[1:, ...] * slope[:-1, ...] + h[:-1, ...] * slope[1:, ...])
    middle, above, below = 2 * (dx[:-1] + dx[1:]), dx[:-1], dx[1:]
    if start == "periodic":
        seam = 3 * (h[:1, ...] * slope[-1:, ...] + h[-1:, ...] * slope[:1, ...])
        return _cyclic(dx, middle, xp.concat([seam, inner]))
    zero, one = xp.zeros_like(dx[:1]), xp.ones_like(dx[:1])
    corners, sides, values = [], [], []
    for condition, i, j, sign in ((start, 0, 1, 1.0), (end, -1, -2, -1.0)):
        if condition == "not-a-knot":
            both = dx[i] + dx[j]
            corners.append(xp.reshape(dx[j], (1,)))
            sides.append(xp.reshape(both, (1,)))
            near, far = xp.expand_dims(slope[i, ...], axis=0), xp.expand_dims(slope[j, ...], axis=0)
            values.append(((dx[i] + 2 * both) * dx[j] * near + dx[i] ** 2 * far) / both)
        elif condition[0] == 1:
            corners.append(one)
            sides.append(zero)
            values.append(condition[1])
        else:
            corners.append(2 * xp.reshape(dx[i], (1,)))
            sides.append(xp.reshape(dx[i], (1,)))
            rise = xp.expand_dims(slope[i, ...], axis=0) * dx[i]
            values.append(3 * rise - sign * 0.5 * condition[1] * dx[i] ** 2)
    ab = xp.stack(
        [
            xp.concat([zero, sides[0], above]),
            xp.concat([corners[0], middle, corners[1]]),
            xp.concat([below, sides[1], zero]),
        ]
    )
    right = xp.concat([values[0], inner, values[1]])
    found = banded.solve(ab, xp.reshape(right, (n, -1)), 1, 1)
    return xp.reshape(found, right.shape)


def _cyclic(dx: Any, middle: Any, right: Any) -> Any:
    """The periodic slopes: the last unknown is eliminated, so that the rest is tridiagonal."""
    zero, wide = xp.zeros_like(dx[:1]), 2 * xp.reshape(dx[-1] + dx[0], (1,))
    n = right.shape[0] - 1
    diagonal = xp.concat([wide, middle])
    upper = xp.concat([dx[-1:], dx[: n - 1]])
    lower = dx[1 : n + 1]
    ab = xp.stack(
        [
            xp.concat([zero, upper[: n - 1]]),
            diagonal[:n],
            xp.concat([lower[: n - 1], zero]),
        ]
    )
    edge = xp.concat([-dx[:1], xp.zeros(n - 2, dtype=dx.dtype, device=dx.device), -upper[n - 1 :]])
    columns = xp.reshape(right, (n + 1, -1))
    sides = xp.concat(
        [columns[:n, :], xp.astype(xp.expand_dims(edge, axis=1), columns.dtype, copy=False)], axis=1
    )
    found = banded.solve(ab, sides, 1, 1)
    s1, s2 = found[:, :-1], found[:, -1:]
    # the last equation, of the coefficients dx[n], 2 (dx[n - 1] + dx[n]) and dx[n - 1]
    a, b = dx[n - 1], dx[n]
    last = (columns[n:, :] - a * s1[:1, :] - b * s1[-1:, :]) / (
        diagonal[n] + a * s2[:1, :] + b * s2[-1:, :]
    )
    first = s1 + last * s2
    return xp.reshape(xp.concat([first, last, first[:1, :]]), (n + 2, *right.shape[1:]))


# ---- B-splines


def _interval(t: Any, k: int, x: Any) -> Any:
    """The index of the knot before each place, within the base interval.

    The last interval may be empty: if the last knot is repeated too often.
    """
    last: Any = t.size - k - 2
    if k:
        last = xp.clip(xp.searchsorted(t, t[last + 1 : last + 2], side="left") - 1, k, last)
    return xp.clip(xp.searchsorted(t, x, side="right") - 1, k, last)


def _de_boor(d: list[Any], knot: Callable[[int], Any], x: Any, nu: int) -> Any:
    """The value at `x` from the k + 1 coefficients of its interval (de Boor 1978, X).

    ``knot(m)`` are the knots m after the one before `x`.
    """
    k = len(d) - 1
    for p in range(k, k - nu, -1):  # the coefficients of the derivative
        d = [p * (d[j] - d[j - 1]) / (knot(j) - knot(j - p)) for j in range(1, p + 1)]
    k -= nu
    for r in range(1, k + 1):
        d = [
            d[j - r]
            + (d[j - r + 1] - d[j - r]) * ((x - knot(j - k)) / (knot(j + 1 - r) - knot(j - k)))
            for j in range(r, k + 1)
        ]
    return d[0]


class BSpline(_Spline):
    """A spline as a sum of B-splines.

    Parameters
    ----------
    t : Tensor
        Knots of shape (n + k + 1,), sorted. This is checked on the CPU only.
    c : Tensor
        Coefficients, with at least n elements along the axis; further ones are ignored.
    k : int
        Degree.
    extrapolate : {True, False, 'periodic'}, optional
        Whether the first and last polynomials go on beyond the base interval, from t[k] to t[n];
        False gives NaN there.
    axis : int, optional
        Axis of interpolation.

    Raises
    ------
    TypeError
        If `t` or `c` is not a tensor.
    ValueError
        If the shapes do not fit, or the knots are not sorted.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Evaluated by de Boor's recursion (de Boor 1978, X).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import interpolate
    >>> knots = xp.asarray([0.0, 0.0, 1.0, 2.0, 2.0])
    >>> hat = interpolate.BSpline(knots, xp.asarray([0.0, 1.0, 0.0]), 1)
    >>> hat(xp.asarray([0.5, 1.0, 1.5]))
    Tensor([0.5, 1. , 0.5], dtype=float64)
    >>> hat.integrate(0.0, 2.0)
    Tensor(1., dtype=float64)
    """

    def __init__(
        self, t: Tensor, c: Tensor, k: int, extrapolate: bool | str = True, axis: int = 0
    ) -> None:
        name = "scipy.interpolate.BSpline"
        for tensor in (t, c):
            check_tensor(name, tensor)
        common_device(name, (t, c))
        k, axis = as_int(name, "k", k), as_int(name, "axis", axis)
        if k < 0:
            raise ValueError(f"{name}: k must not be negative; got {k}")
        if t.ndim != 1 or t.dtype.kind == "c" or t.size < 2 * k + 2:
            raise ValueError(
                f"{name}: t must be real and have at least {2 * k + 2} knots; got {describe(t)}"
            )
        if not -c.ndim <= axis < c.ndim or c.shape[axis] < t.size - k - 1:
            raise ValueError(
                f"{name}: c must have at least {t.size - k - 1} coefficients along axis {axis}; "
                f"got shape {c.shape}"
            )
        _increasing(name, "t", t, strictly=False)
        axis %= c.ndim
        self._set(as_floating(t), xp.moveaxis(as_floating(c), axis, 0), k, extrapolate, axis)

    def _set(self, t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> BSpline:
        self.t, self.c, self.k, self.axis = t, c, k, axis
        self.extrapolate = extrapolate
        self.extrapolate = self._how(None)
        return self

    def _like(self, t: Any, c: Any, k: int, extrapolate: Any) -> BSpline:
        return BSpline.__new__(BSpline)._set(t, c, k, extrapolate, self.axis)

    @property
    def tck(self) -> tuple[Tensor, Tensor, int]:
        """Knots, coefficients and degree."""
        return self.t, self.c, self.k

    def _ends(self) -> tuple[Any, Any]:
        return self.t[self.k], self.t[self.t.size - self.k - 1]

    def _evaluate(self, x: Any, nu: int) -> Any:
        t, c, k = self.tck
        i = _interval(t, k, x)
        d = [xp.take(c, i - k + j, axis=0) for j in range(k + 1)]
        if nu > k:
            return 0 * d[0]
        found = _de_boor(
            d, lambda m: _column(xp.take(t, i + m, axis=0), d[0]), _column(x, d[0]), nu
        )
        return found if nu < k else found + _column(0 * x, d[0])

    def derivative(self, nu: int = 1) -> BSpline:
        """The derivative.

        Parameters
        ----------
        nu : int, optional
            Its order, at most the degree; a negative one is that of an antiderivative.

        Returns
        -------
        BSpline
        """
        nu = as_int("scipy.interpolate.BSpline", "nu", nu)
        if nu < 0:
            return self.antiderivative(-nu)
        t, c, k = self.tck
        if nu > k:
            raise ValueError(
                f"scipy.interpolate.BSpline: nu must be at most the degree, {k}; got {nu}"
            )
        for _ in range(nu):
            n = t.size - k - 1
            gap = _column(t[k + 1 : -1] - t[1:n], c)
            step = c[1:n, ...] - c[: n - 1, ...]
            c = _where(gap == 0, 0.0, k * step / _where(gap == 0, 1.0, gap))
            t, k = t[1:-1], k - 1
        return self._like(t, c, k, self.extrapolate)

    def antiderivative(self, nu: int = 1) -> BSpline:
        """The antiderivative that is 0 at the first knot.

        Parameters
        ----------
        nu : int, optional
            Its order; a negative one is that of a derivative.

        Returns
        -------
        BSpline
            Does not extrapolate if this one is periodic.
        """
        nu = as_int("scipy.interpolate.BSpline", "nu", nu)
        if nu <= 0:
            return self.derivative(-nu)
        t, c, k = self.tck
        for _ in range(nu):
            n = t.size - k - 1
            steps = c[:n, ...] * _column(t[k + 1 :] - t[:n], c) / (k + 1)
            c = xp.concat([xp.zeros_like(steps[:1, ...]), xp.cumulative_sum(steps, axis=0)])
            t, k = xp.concat([t[:1], t, t[-1:]]), k + 1
        return self._like(t, c, k, False if self.extrapolate == "periodic" else self.extrapolate)


@in_own_name("scipy.interpolate.make_interp_spline")
def make_interp_spline(
    x: Tensor,
    y: Tensor,
    k: int = 3,
    t: Tensor | None = None,
    bc_type: str | Sequence[Any] | None = None,
    axis: int = 0,
) -> BSpline:
    """B-spline of any degree through points.

    Parameters
    ----------
    x : Tensor
        Abscissae of shape (N,), increasing. This is checked on the CPU only.
    y : Tensor
        Values, with N elements along the axis.
    k : int, optional
        Degree.
    t : Tensor, optional
        Knots. The default follows from `x` and `bc_type`, and is differentiated, too.
    bc_type : str or pair, optional
        What holds at the ends: 'not-a-knot' or None, 'natural', 'clamped', 'periodic', or for each
        end a list of pairs ``(order, value)`` of derivatives, 'natural', 'clamped' or None.
    axis : int, optional
        Axis of interpolation.

    Returns
    -------
    BSpline
        Differentiable with respect to `x`, `y`, `t` and values of derivatives.

    Raises
    ------
    TypeError
        If `x`, `y` or `t` is not a tensor.
    ValueError
        If the shapes or the number of conditions do not fit, or, on the CPU, `x` is not increasing
        or the data of a periodic spline differ at the ends.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The coefficients solve a banded system (de Boor 1978, XIII).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import interpolate
    >>> x = xp.asarray([0.0, 1.0, 2.0, 3.0])
    >>> spline = interpolate.make_interp_spline(x, x**3)
    >>> spline(0.5), spline(2.0, 1)
    (Tensor(0.125, dtype=float64), Tensor(12., dtype=float64))
    """
    name = "scipy.interpolate.make_interp_spline"
    x, y, axis = _data(name, x, y, axis)
    k, n = as_int(name, "k", k), x.size
    if k < 0:
        raise ValueError(f"k must not be negative; got {k}")
    periodic = bc_type == "periodic"
    plain = bc_type is None or bc_type in ("not-a-knot", "periodic")
    if periodic:
        _same_ends(y)
    if k <= 1 and t is None:
        if not plain:
            raise ValueError(f"a spline of degree {k} takes no conditions; got bc_type={bc_type!r}")
        if n < 1 + k:
            raise ValueError(f"expected at least {1 + k} points; got {n}")
        t = _with_ends(x, k, x, 1)
        return _made(t, y, k, True, axis)
    if periodic:
        if t is not None:
            raise ValueError("the knots of a periodic spline follow from x; got t")
        if n < 2:
            raise ValueError(f"expected at least two points; got {n}")
        return _periodic_spline(x, y, k, axis)
    least = k + 1 if plain and t is None else 2
    if n < least:
        raise ValueError(f"a spline of degree {k} needs at least {least} points; got {n}")
    left, right = _end_conditions(bc_type, plain, y, k)
    if t is None:
        t = _default_knots(x, k) if plain else _with_ends(x, k, x, k)
    else:
        check_tensor(name, t)
        common_device(name, (x, t))
        if t.ndim != 1:
            raise ValueError(f"t must have shape (M,); got {t.shape}")
        t = xp.astype(t, x.dtype, copy=False)
        _increasing(name, "t", t, strictly=False)
    total = t.size - k - 1
    if total != n + len(left) + len(right):
        raise ValueError(
            f"{n} points and {len(left) + len(right)} conditions need "
            f"{n + len(left) + len(right) + k + 1} knots; got {t.size}"
        )
    if not y.size:
        return _made(
            t, xp.zeros((total, *y.shape[1:]), dtype=y.dtype, device=y.device), k, True, axis
        )
    ab = xp.zeros((2 * k + 1, total), dtype=x.dtype, device=x.device)
    # Conditions are next to the values at the ends, which come first and last; so the largest
    # entries are on the diagonal, and the system can be solved without an exchange of rows.
    parts = [(x[:1], 0, 0), (x[1:-1], 0, 1 + len(left)), (x[-1:], 0, total - 1)]
    parts += [(x[:1], order, 1 + i) for i, (order, _) in enumerate(left)]
    parts += [(x[-1:], order, total - 1 - len(right) + i) for i, (order, _) in enumerate(right)]
    for places, order, row in parts:
        i = _interval(t, k, places)
        rows = xp.arange(row, row + places.size, device=x.device)
        fits = (i >= rows) & (i <= rows + k)  # else the matrix is singular (Schoenberg & Whitney)
        if x.device.type == "cpu" and is_anywhere(~fits):
            raise ValueError("the knots do not fit the abscissae, so that no spline is unique")
        for j, value in enumerate(_basis(t, k, places, i, order)):
            column = i - k + j
            diagonal = xp.clip(k + rows - column, 0, 2 * k)
            ab[diagonal, column] = _where(fits, value, float("nan"))
    given = [[xp.expand_dims(v, axis=0) for _, v in side] for side in (left, right)]
    sides = xp.concat([y[:1, ...], *given[0], y[1:-1, ...], *given[1], y[-1:, ...]])
    found = banded.solve(ab, xp.reshape(sides, (total, -1)), k, k)
    return _made(t, xp.reshape(found, sides.shape), k, True, axis)


def _made(t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> BSpline:
    return BSpline.__new__(BSpline)._set(t, c, k, extrapolate, axis)


def _basis(t: Any, k: int, x: Any, i: Any, nu: int = 0) -> list[Any]:
    """The k + 1 B-splines that are not 0 at each place, or their derivatives."""
    eye = xp.eye(k + 1, dtype=x.dtype, device=x.device)
    d = [xp.broadcast_to(eye[j, :], (x.size, k + 1)) for j in range(k + 1)]
    values = _de_boor(
        d,
        lambda m: xp.expand_dims(xp.take(t, i + m, axis=0), axis=1),
        xp.expand_dims(x, axis=1),
        nu,
    )
    return list(xp.unstack(values, axis=1))


def _default_knots(x: Any, k: int) -> Any:
    """Those of a spline that is 'not-a-knot' at its ends (de Boor 1978, XIII)."""
    if k % 2:
        inner = x[(k + 1) // 2 : x.size - (k + 1) // 2]
    else:
        middle = (x[1:] + x[:-1]) / 2
        inner = middle[k // 2 : middle.size - k // 2]
    return _with_ends(x, k + 1, inner, k + 1)


def _with_ends(x: Any, before: int, knots: Any, after: int) -> Any:
    """Knots with copies of the ends of `x` around them."""
    ends = [xp.broadcast_to(e, (m,)) for e, m in ((x[:1], before), (x[-1:], after))]
    return xp.concat([ends[0], knots, ends[1]])


def _end_conditions(bc_type: Any, plain: bool, y: Any, k: int) -> list[list[tuple[int, Any]]]:
    """For each end the orders and the values of derivatives."""
    both = [None, None] if plain else [bc_type] * 2 if isinstance(bc_type, str) else bc_type
    if not isinstance(both, (tuple, list)) or len(both) != 2:
        raise ValueError(f"bc_type must be a str or a pair; got {describe(bc_type)}")
    named: dict[Any, Any] = {"natural": [(2, 0.0)], "clamped": [(1, 0.0)], None: []}
    sides = []
    for end in both:
        if isinstance(end, str) and end not in named:
            raise ValueError(
                "bc_type must be 'not-a-knot', 'natural', 'clamped', 'periodic' or a pair of lists "
                f"of (order, value); got {describe(bc_type)}"
            )
        side = []
        for pair in named[end] if end is None or isinstance(end, str) else end:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ValueError(f"bc_type must have pairs (order, value); got {describe(pair)}")
            order = as_int("scipy.interpolate.make_interp_spline", "the order in bc_type", pair[0])
            if not 0 <= order <= k:
                raise ValueError(f"orders in bc_type must be from 0 to {k}; got {order}")
            value = pair[1]
            if isinstance(value, Tensor):
                common_device("scipy.interpolate.make_interp_spline", (y, value))
                value = xp.astype(value, y.dtype, copy=False)
            else:
                value = xp.asarray(value, dtype=y.dtype, device=y.device)
            side.append((order, xp.broadcast_to(value, y.shape[1:])))
        sides.append(side)
    return sides


def _periodic_spline(x: Any, y: Any, k: int, axis: int) -> BSpline:
    """The coefficients repeat after m = N - 1, so the matrix is banded but for its corners.

    The last k unknowns are eliminated, so that the rest is banded.
    """
    m, device = x.size - 1, x.device
    if k % 2 == 0:
        middle = (x[1:] + x[:-1]) / 2
        x_knots = xp.concat([x[:1], middle[:-1], x[-1:]]) if m > 1 else x
    else:
        x_knots = x
    gaps = xp.diff(x_knots)
    around = xp.arange(k, device=device)
    after = xp.cumulative_sum(xp.take(gaps, around % m, axis=0))
    before = xp.cumulative_sum(xp.take(gaps, m - 1 - around % m, axis=0))
    t = xp.concat([xp.flip(x_knots[0] - before), x_knots, x_knots[-1] + after])
    shift = k // 2  # so that the largest entries are on the diagonal
    r = xp.arange(m, device=device)
    values = _basis(t, k, x[:-1], r + k)
    right = xp.reshape(y[:-1, ...], (m, -1))
    if not right.size:
        return _made(
            t, xp.zeros((m + k, *y.shape[1:]), dtype=y.dtype, device=device), k, "periodic", axis
        )
    if m <= 2 * k + 1:
        matrix = xp.zeros((m, m), dtype=x.dtype, device=device)
        for j, value in enumerate(values):
            matrix[r, (r + j - shift) % m] += value
        found = xp.linalg.solve(xp.astype(matrix, right.dtype, copy=False), right)
    else:
        q = m - k
        ab = xp.zeros((k + 1, q), dtype=x.dtype, device=device)
        corner = xp.zeros((q, k), dtype=x.dtype, device=device)  # rows of the rest, last unknowns
        bottom = xp.zeros((k, m), dtype=x.dtype, device=device)  # the last rows
        lower, upper = shift, k - shift
        for j, value in enumerate(values):
            step = j - shift
            first, last = max(0, -step), min(q, q - step)
            ab[upper - step, first + step : last + step] = value[first:last]
            outer = r[:first] if step < 0 else r[last:q]
            corner[outer, (outer + step) % m - q] = value[:first] if step < 0 else value[last:q]
            bottom[r[q:] - q, (r[q:] + step) % m] = value[q:]
        sides = xp.concat([right[:q, :], xp.astype(corner, right.dtype, copy=False)], axis=1)
        solved = banded.solve(ab, sides, lower, upper)
        y1, z = solved[:, : right.shape[1]], solved[:, right.shape[1] :]
        bottom = xp.astype(bottom, right.dtype, copy=False)
        end = xp.linalg.solve(bottom[:, q:] - bottom[:, :q] @ z, right[q:, :] - bottom[:, :q] @ y1)
        found = xp.concat([y1 - z @ end, end])
    c = xp.take(found, (xp.arange(m + k, device=device) - shift) % m, axis=0)
    return _made(t, xp.reshape(c, (m + k, *y.shape[1:])), k, "periodic", axis)


# ---- grids


class RegularGridInterpolator:
    """Interpolation on a rectangular grid, of any number of axes.

    Parameters
    ----------
    points : tuple of Tensor
        The coordinates along each axis, increasing. This is checked on the CPU only.
    values : Tensor
        Values on the grid; further axes are kept.
    method : {'linear', 'nearest'}, optional
        Products of linear interpolations, or the value at the nearest point.
    bounds_error : bool, optional
        Whether places outside of the grid raise. On a GPU the host waits to find out.
    fill_value : float or None, optional
        The value there if they do not. None extrapolates.

    Raises
    ------
    TypeError
        If `points` or `values` are not tensors.
    ValueError
        If the shapes do not fit, or the method is unknown.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy import interpolate
    >>> x, y = xp.asarray([0.0, 1.0, 3.0]), xp.asarray([0.0, 2.0])
    >>> product = interpolate.RegularGridInterpolator((x, y), xp.linalg.outer(x, y))
    >>> product(xp.asarray([[2.0, 1.0], [0.5, 2.0]]))
    Tensor([2., 1.], dtype=float64)
    >>> autodiff.grad(lambda p: product(p)[0])(xp.asarray([2.0, 1.0]))
    Tensor([1., 2.], dtype=float64)
    """

    def __init__(
        self,
        points: Sequence[Tensor],
        values: Tensor,
        method: str = "linear",
        bounds_error: bool = True,
        fill_value: float | None = float("nan"),
    ) -> None:
        name = "scipy.interpolate.RegularGridInterpolator"
        for tensor in (*points, values):
            check_tensor(name, tensor)
        common_device(name, (*points, values))
        sizes = values.shape[: len(points)]
        if len(sizes) != len(points) or any(
            p.shape != (n,) or not n for p, n in zip(points, sizes, strict=True)
        ):
            raise ValueError(
                f"{name}: expected values with an axis for each of the points, which have shapes "
                f"{', '.join(str(p.shape) for p in points)}; got shape {values.shape}"
            )
        for i, p in enumerate(points):
            _increasing(name, f"points[{i}]", p)
        self.grid = tuple(as_floating(p) for p in points)
        self.values = as_floating(values)
        self.method = self._checked(method)
        self.bounds_error, self.fill_value = bounds_error, fill_value

    @staticmethod
    def _checked(method: str) -> str:
        if method not in ("linear", "nearest"):
            raise ValueError(
                "scipy.interpolate.RegularGridInterpolator: method must be 'linear' or 'nearest'; "
                f"got {describe(method)}"
            )
        return method

    def __call__(self, xi: Tensor | Sequence[Tensor], method: str | None = None) -> Tensor:
        """Interpolate.

        Parameters
        ----------
        xi : Tensor or sequence of Tensor
            Places, of shape (..., ndim), or the coordinates along each axis, which broadcast. A
            vector is one place, or many on a grid of one axis.
        method : {'linear', 'nearest'}, optional
            Instead of that of the interpolator.

        Returns
        -------
        Tensor
            Has the shape of `xi` without its last axis, and the further axes of the values.
        """
        name, ndim = "scipy.interpolate.RegularGridInterpolator", len(self.grid)
        method = self.method if method is None else self._checked(method)
        if isinstance(xi, (tuple, list)):
            xi = xp.stack(xp.broadcast_arrays(*xi), axis=-1)
        check_tensor(name, xi)
        assert isinstance(xi, Tensor)
        common_device(name, (xi, self.values))
        if xi.ndim == 1 and not xi.size % ndim:
            xi = xp.reshape(xi, (-1, ndim))
        if xi.ndim < 1 or xi.shape[-1] != ndim:
            raise ValueError(f"{name}: xi must have shape (..., {ndim}); got {xi.shape}")
        shape, rest = xi.shape[:-1], self.values.shape[ndim:]
        places = xp.unstack(xp.reshape(as_floating(xi), (-1, ndim)), axis=1)
        flat = xp.reshape(self.values, (math.prod(self.values.shape[:ndim]), *rest))
        outside = xp.zeros(places[0].shape, dtype=xp.bool, device=xi.device)
        sides = []  # on each axis the index and the weight of the point below and above
        for axis, (p, x) in enumerate(zip(self.grid, places, strict=True)):
            stride, n = math.prod(self.values.shape[axis + 1 : ndim]), p.size
            outside = outside | ~((x >= p[0]) & (x <= p[-1]))
            i = xp.clip(xp.searchsorted(p, x, side="right") - 1, 0, max(n - 2, 0))
            j = xp.clip(i + 1, 0, n - 1)
            low, high = xp.take(p, i, axis=0), xp.take(p, j, axis=0)
            part = (x - low) / (high - low) if n > 1 else 0 * x
            if method == "nearest":
                part = xp.astype(part > 0.5, part.dtype)
            sides.append(((i * stride, 1 - part), (j * stride, part)))
        if self.bounds_error and is_anywhere(outside):
            raise ValueError(
                f"{name}: a place is outside of the grid; write bounds_error=False to get "
                "fill_value there"
            )
        total: Any = None
        for corner in product(*sides):
            index, weight = corner[0]
            for more, factor in corner[1:]:
                index, weight = index + more, weight * factor
            term = xp.take(flat, index, axis=0)
            term = term * _column(weight, term)
            total = term if total is None else total + term
        if self.fill_value is not None:
            total = _where(_column(outside, total), self.fill_value, total)
        return xp.reshape(total, (*shape, *rest))
