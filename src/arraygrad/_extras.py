"""Functions of NumPy that the standard lacks, under NumPy's names.

They are written with the standard's functions, so they run on every device and are differentiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Never

from ._creation import arange, asarray, full
from ._data_type import astype, result_type
from ._dispatch import as_floating, check_tensor, common_device
from ._elementwise import abs as _abs
from ._elementwise import clip, isnan, remainder
from ._errors import as_int, describe, in_own_name
from ._hints import wrong_call
from ._indexing import take
from ._manipulation import concat, expand_dims, moveaxis, reshape
from ._modes import is_strict
from ._searching import searchsorted, where
from ._sorting import sort
from ._statistical import sum as _sum
from ._tensor import Tensor
from ._typing import Real
from ._utility import all as _all
from ._utility import any as _any
from ._utility import diff
from .linalg import outer as _outer


def _outside(name: str, instead: str) -> None:
    if is_strict():
        raise TypeError(f"{name}: outside the standard; write {instead}")


def _axis(x: Tensor, axis: Any, name: str) -> int:
    axis = as_int(name, "axis", axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis {axis} does not exist in a tensor of shape {x.shape}")
    return axis % x.ndim


# ---- padding and splitting


@in_own_name("pad")
def pad(
    array: Tensor,
    pad_width: int | Sequence[Any],
    mode: str = "constant",
    *,
    constant_values: Tensor | Real = 0,
) -> Tensor:
    """Pad a tensor at its ends.

    Parameters
    ----------
    array : Tensor
        Input of any dtype.
    pad_width : int, (before, after), or a sequence of (before, after)
        Numbers of elements to add before and after each axis: one number for all, one pair for all
        axes, or a pair for each axis.
    mode : {'constant', 'edge', 'reflect', 'symmetric', 'wrap'}, optional
        Padding: a constant, the element at the edge, the reflection without or with the element
        at the edge, or the elements of the other end.
    constant_values : Tensor or scalar, optional
        The constant, a scalar or 0-d tensor.

    Returns
    -------
    Tensor
        Has the dtype of `array`.

    Raises
    ------
    TypeError
        If `array` is not a tensor, and in strict mode.
    ValueError
        If `pad_width` does not fit the axes or is negative, `mode` is unknown, or an axis without
        elements is padded in another mode than 'constant'.

    Examples
    --------
    >>> import arraygrad as xp
    >>> x = xp.asarray([1, 2, 3])
    >>> xp.pad(x, 1)
    Tensor([0, 1, 2, 3, 0], dtype=int64)
    >>> xp.pad(x, (2, 0), mode="reflect")
    Tensor([3, 2, 1, 2, 3], dtype=int64)
    """
    _outside("pad", "xp.concat")
    return padded(array, pad_width, mode, constant_values=constant_values)


def padded(
    array: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0
) -> Tensor:
    """`pad` for functions of this package, also in strict mode."""
    check_tensor("pad", array)
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(map(repr, _MODES))}; got {mode!r}")
    if isinstance(constant_values, Tensor):
        common_device("pad", (array, constant_values))
    x = array
    for axis, (before, after) in enumerate(_widths(pad_width, x.ndim)):
        if not before and not after:
            continue
        n = x.shape[axis]
        if mode == "constant":
            value = asarray(constant_values, dtype=x.dtype, device=x.device)
            parts = [x]
            for place, width in ((0, before), (len(parts) + 1, after)):
                shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
                zeros = full(shape, 0, dtype=x.dtype, device=x.device)
                parts.insert(place, zeros + value if x.dtype.kind != "b" else zeros | value)
            x = concat(parts, axis=axis)
        elif not n:
            raise ValueError(f"axis {axis} has no elements to pad with in mode {mode!r}")
        else:
            i = arange(-before, n + after, device=x.device)
            x = take(x, _MODES[mode](i, n), axis=axis)
    return x if x is not array else array[...]


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, (tuple, list)):
        rows: list[Any] = [w if isinstance(w, (tuple, list)) else None for w in pad_width]
        if None in rows:
            rows = [pad_width] if len(pad_width) == 2 else [[w, w] for w in pad_width[:1]]
    else:
        rows = [[pad_width, pad_width]]
    if len(rows) == 1:
        rows = rows * ndim
    widths = [[as_int("pad", "pad_width", w) for w in row] for row in rows]
    if len(widths) != ndim or any(len(w) != 2 or min(w) < 0 for w in widths):
        raise ValueError(
            f"pad: pad_width must be an int, (before, after), or a pair for each of {ndim} axes, "
            f"not negative; got {describe(pad_width)}"
        )
    return [(before, after) for before, after in widths]


def _reflected(i: Tensor, n: int) -> Tensor:
    period = max(2 * (n - 1), 1)
    i = remainder(i, period)
    return where(i < n, i, period - i)


def _symmetric(i: Tensor, n: int) -> Tensor:
    i = remainder(i, 2 * n)
    return where(i < n, i, 2 * n - 1 - i)


_MODES: dict[str, Any] = {
    "constant": None,
    "edge": lambda i, n: clip(i, 0, n - 1),
    "reflect": _reflected,
    "symmetric": _symmetric,
    "wrap": remainder,
}


@in_own_name("split")
def split(ary: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Split a tensor into parts along an axis.

    Parameters
    ----------
    ary : Tensor
        Input of any dtype.
    indices_or_sections : int or sequence of int
        The number of parts of equal size, or the indices at which to split.
    axis : int, optional
        Axis to split along.

    Returns
    -------
    list of Tensor
        Views of `ary`.

    Raises
    ------
    TypeError
        If `ary` is not a tensor, and in strict mode.
    ValueError
        If the axis does not exist, or cannot be divided into parts of equal size.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.split(xp.arange(4), 2)
    [Tensor([0, 1], dtype=int64), Tensor([2, 3], dtype=int64)]
    >>> [x.shape for x in xp.split(xp.arange(4), [1])]
    [(1,), (3,)]
    """
    _outside("split", "x[:n, ...] and x[n:, ...]")
    check_tensor("split", ary)
    axis = _axis(ary, axis, "split")
    n = ary.shape[axis]
    if isinstance(indices_or_sections, (tuple, list)):
        inner = [as_int("split", "an index", i) for i in indices_or_sections]
    else:
        count = as_int("split", "indices_or_sections", indices_or_sections)
        if count < 1 or n % count:
            raise ValueError(f"an axis of {n} elements cannot be split into {count} equal parts")
        inner = [n // count * i for i in range(1, count)]
    lead = (slice(None),) * axis
    ends = [0, *inner, n]
    return [
        ary[(*lead, slice(*slice(i, j).indices(n)[:2]), ...)]
        for i, j in zip(ends[:-1], [*inner, n], strict=True)
    ]


# ---- interpolation and integrals


@in_own_name("interp")
def interp(
    x: Tensor,
    xp: Tensor,
    fp: Tensor,
    left: Tensor | Real | None = None,
    right: Tensor | Real | None = None,
) -> Tensor:
    """Piecewise linear interpolation.

    Parameters
    ----------
    x : Tensor
        Where to evaluate.
    xp : Tensor
        Abscissae of the data, of shape (N,), increasing. This is not checked.
    fp : Tensor
        Values of the data, of shape (N,).
    left, right : Tensor or number, optional
        Results below and above the data; by default the first and the last value of `fp`.

    Returns
    -------
    Tensor
        Has the shape of `x`. It is differentiable with respect to all arguments; at an abscissa,
        the derivative is the one from the right.

    Raises
    ------
    TypeError
        If `x`, `xp` or `fp` is not a tensor, and in strict mode.
    ValueError
        If there is no data, or the shapes of the data do not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> data = xp.asarray([0.0, 1.0, 3.0]), xp.asarray([0.0, 2.0, 0.0])
    >>> xp.interp(xp.asarray([0.5, 2.0, 9.0]), *data)
    Tensor([1., 1., 0.], dtype=float64)
    >>> autodiff.grad(lambda x: xp.interp(x, *data))(xp.asarray(2.0))
    Tensor(-1., dtype=float64)
    """
    _outside("interp", "it with xp.searchsorted")
    for tensor in (x, xp, fp):
        check_tensor("interp", tensor)
    common_device("interp", (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"expected xp and fp of shape (N,); got shapes {xp.shape} and {fp.shape}")
    x, xp, fp = as_floating(x), as_floating(xp), as_floating(fp)
    shape = x.shape
    x = reshape(x, (-1,))
    below, above = x < xp[0], x > xp[-1]
    y = fp[-1] + 0 * x
    if xp.size > 1:
        i = clip(searchsorted(xp, x, side="right") - 1, 0, xp.size - 2)
        x0, y0 = take(xp, i, axis=0), take(fp, i, axis=0)
        x1, y1 = take(xp, i + 1, axis=0), take(fp, i + 1, axis=0)
        gap = x1 - x0
        slope = (y1 - y0) / where(gap == 0, 1.0, gap)
        inside = where(below | above, 0.0, x - x0)
        y = where(x == xp[-1], fp[-1] + slope * (x - x1), y0 + slope * inside)
    y = where(below, fp[0] if left is None else left, y)
    return reshape(where(above, fp[-1] if right is None else right, y), shape)


@in_own_name("trapezoid")
def trapezoid(
    y: Tensor, x: Tensor | None = None, dx: Tensor | Real = 1.0, axis: int = -1
) -> Tensor:
    """Integral along an axis by the trapezoidal rule.

    Parameters
    ----------
    y : Tensor
        Values of the function.
    x : Tensor, optional
        Abscissae, of the shape of `y` or of shape (N,).
    dx : Tensor or number, optional
        The distance between abscissae if `x` is not given.
    axis : int, optional
        Axis to integrate along.

    Returns
    -------
    Tensor
        Has the shape of `y` without the axis.

    Raises
    ------
    TypeError
        If `y` is not a tensor, and in strict mode.
    ValueError
        If the axis does not exist, or the shape of `x` does not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.trapezoid(xp.asarray([0.0, 1.0, 4.0]))
    Tensor(3., dtype=float64)
    """
    _outside("trapezoid", "xp.sum((y[1:] + y[:-1]) * xp.diff(x) / 2)")
    check_tensor("trapezoid", y)
    y = moveaxis(as_floating(y), _axis(y, axis, "trapezoid"), -1)
    if x is not None:
        check_tensor("trapezoid", x)
        x = as_floating(x)
        x = x if x.ndim == 1 else moveaxis(x, axis, -1)
        if x.shape[-1:] != y.shape[-1:]:
            raise ValueError(f"expected {y.shape[-1]} abscissae; got x of shape {x.shape}")
        dx = diff(x)
    return _sum(dx * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)


# ---- statistics, products and comparisons


@in_own_name("quantile")
def quantile(
    x: Tensor,
    q: Tensor | Real,
    /,
    *,
    axis: int | None = None,
    keepdims: bool = False,
    **other: Never,
) -> Tensor:
    """Quantiles by linear interpolation between the sorted elements.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype.
    q : Tensor or number
        Probabilities in [0, 1], of any shape.
    axis : int, optional
        Axis to reduce. By default all elements are sorted together.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has the shape of `q`, followed by that of `x` without the axis. NaN where an element is NaN.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If the axis does not exist, or there is no element.

    Notes
    -----
    This is definition 7 of Hyndman & Fan (1996), NumPy's default.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.quantile(xp.asarray([4.0, 1.0, 2.0]), xp.asarray([0.25, 0.5]))
    Tensor([1.5, 2. ], dtype=float64)
    """
    if other:
        raise wrong_call("quantile", locals())
    _outside("quantile", "it with xp.sort")
    check_tensor("quantile", x)
    shape = x.shape
    x = as_floating(x)
    if axis is None:
        x, kept = reshape(x, (-1,)), (1,) * len(shape)
    else:
        i = _axis(x, axis, "quantile")
        x, kept = moveaxis(x, i, -1), (*shape[:i], 1, *shape[i + 1 :])
    n = x.shape[-1]
    if not n:
        raise ValueError("there is no element")
    q = q if isinstance(q, Tensor) else asarray(q, dtype=x.dtype, device=x.device)
    place = as_floating(q) * (n - 1)
    low = clip(astype(place, arange(0).dtype), 0, max(n - 2, 0))
    fraction = reshape(place - astype(low, place.dtype), (*q.shape, *(1,) * (x.ndim - 1)))
    ordered = moveaxis(sort(x), -1, 0)
    at = [
        reshape(take(ordered, reshape(i, (-1,)), axis=0), (*q.shape, *ordered.shape[1:]))
        for i in (low, clip(low + 1, 0, n - 1))
    ]
    found = at[0] + fraction * (at[1] - at[0])
    found = where(_any(isnan(x), axis=-1), float("nan"), found)
    return reshape(found, (*q.shape, *kept)) if keepdims else found


@in_own_name("outer")
def outer(a: Tensor, b: Tensor, /) -> Tensor:
    """Outer product of the elements of two tensors.

    Parameters
    ----------
    a, b : Tensor
        Tensors of any shape, which are flattened.

    Returns
    -------
    Tensor
        Has shape (M, N), where M and N are the numbers of elements of `a` and `b`.

    Raises
    ------
    TypeError
        If an operand is not a tensor, and in strict mode.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.outer(xp.asarray([1, 2]), xp.asarray([3, 4]))
    Tensor([[3, 4],
            [6, 8]], dtype=int64)
    """
    _outside("outer", "xp.linalg.outer")
    for x in (a, b):
        check_tensor("outer", x)
    return _outer(reshape(a, (-1,)), reshape(b, (-1,)))


@in_own_name("kron")
def kron(a: Tensor, b: Tensor, /) -> Tensor:
    """Kronecker product.

    Parameters
    ----------
    a, b : Tensor
        Tensors. If one has fewer axes, axes of size 1 are prepended.

    Returns
    -------
    Tensor
        The sizes of its axes are the products of those of `a` and `b`.

    Raises
    ------
    TypeError
        If an operand is not a tensor, and in strict mode.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.kron(xp.asarray([1, 10]), xp.asarray([1, 2]))
    Tensor([ 1,  2, 10, 20], dtype=int64)
    """
    _outside("kron", "xp.reshape of a product")
    for x in (a, b):
        check_tensor("kron", x)
    common_device("kron", (a, b))
    ndim = max(a.ndim, b.ndim)
    a, b = (reshape(x, ((1,) * (ndim - x.ndim) + x.shape)) for x in (a, b))
    product = expand_dims(a, tuple(range(1, 2 * ndim, 2))) * expand_dims(
        b, tuple(range(0, 2 * ndim, 2))
    )
    return reshape(product, tuple(m * n for m, n in zip(a.shape, b.shape, strict=True)))


@in_own_name("allclose")
def allclose(
    a: Tensor,
    b: Tensor | Real,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Test whether two tensors are equal within a tolerance.

    Parameters
    ----------
    a, b : Tensor or number
        Operands with shapes that broadcast, one of them a tensor.
    rtol, atol : float, optional
        Relative and absolute tolerance.
    equal_nan : bool, optional
        Whether NaN equals NaN.

    Returns
    -------
    bool
        True if ``abs(a - b) <= atol + rtol * abs(b)`` for all elements. The host waits for a GPU.

    Raises
    ------
    TypeError
        If no operand is a tensor, and in strict mode.
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.allclose(xp.asarray([1.0, 2.0]), xp.asarray([1.0, 2.0 + 1e-9]))
    True
    """
    _outside("allclose", "xp.all(xp.abs(a - b) <= atol + rtol * xp.abs(b))")
    if not isinstance(a, Tensor):
        check_tensor("allclose", b)
    elif isinstance(b, Tensor):
        common_device("allclose", (a, b))
    first: Any = a if isinstance(a, Tensor) else b
    dtype = result_type(a, b, 1.0)
    x, y = (
        astype(z, dtype) if isinstance(z, Tensor) else asarray(z, dtype=dtype, device=first.device)
        for z in (a, b)
    )
    finite = _abs(y) < float("inf")
    close = _abs(where(finite, x - where(finite, y, 0.0), 0.0)) <= atol + rtol * _abs(
        where(finite, y, 0.0)
    )
    close = where(finite, close, x == y)
    if equal_nan:
        close = close | (isnan(x) & isnan(y))
    return bool(_all(close))
