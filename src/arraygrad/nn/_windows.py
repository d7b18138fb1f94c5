"""Convolutions and pooling: sums over windows that slide over the last two axes of images.

Inside, images have the batch as the last axis. So what is next to each other in memory is treated
alike, in long runs, also of small images; and as NumPy keeps an array's order of axes in memory,
what one layer gives is as the next one wants it.

Each function that is linear in the images has its transpose beside it, and each is the other's
rule; so there are derivatives of any order.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .. import _elementwise as xp
from .._creation import empty, full, zeros
from .._data_type import astype, iinfo, result_type
from .._errors import describe
from .._linear_algebra import matmul
from .._manipulation import permute_dims, reshape
from .._searching import where
from .._statistical import sum as total
from .._typing import Tensor
from ..autodiff import custom_vjp, stop_gradient
from ..autodiff._traced import Traced

Two = int | tuple[int, int]
Image = tuple[int, int]


class Windows(NamedTuple):
    """Where the windows on an image of some size are."""

    size: Image
    kernel: Image
    stride: Image
    before: Image
    after: Image
    dilation: Image

    @property
    def padded(self) -> Image:
        """The size of the image with its margins."""
        (h, w), (a, b), (c, d) = self.size, self.before, self.after
        return h + a + c, w + b + d

    @property
    def number(self) -> Image:
        """The number of windows."""
        return tuple(  # type: ignore[return-value]
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(self.padded, self.kernel, self.stride, self.dilation, strict=True)
        )

    @property
    def inner(self) -> Any:
        """The image inside of its margins."""
        return tuple(slice(a, a + n) for a, n in zip(self.before, self.size, strict=True))

    @property
    def apart(self) -> bool:
        """Whether no two windows share a point."""
        return self.dilation == (1, 1) and all(
            k <= s for k, s in zip(self.kernel, self.stride, strict=True)
        )

    def places(self, first: int = 0, end: int | None = None) -> list[tuple[int, int, Any]]:
        """For each point of a window: that point, and where it is in the images, of all windows.

        Or of the windows of some rows.
        """
        ranges = (first, self.number[0] if end is None else end), (0, self.number[1])
        rows, columns = (
            [slice(i * d + s * a, i * d + s * (b - 1) + 1, s) for i in range(k)]
            for k, d, s, (a, b) in zip(self.kernel, self.dilation, self.stride, ranges, strict=True)
        )
        return [
            (i, j, (slice(None), r, c)) for i, r in enumerate(rows) for j, c in enumerate(columns)
        ]


def two(function: str, name: str, x: Any, least: int) -> Image:
    """A number or a pair of numbers as a pair."""
    pair = (x, x) if isinstance(x, int) else x
    if (
        not isinstance(pair, (tuple, list))
        or len(pair) != 2
        or not all(isinstance(n, int) and n >= least for n in pair)
    ):
        raise ValueError(
            f"{function}: {name} must be an int from {least} on, or two of them; got {x!r}"
        )
    return tuple(pair)


def _padding(name: str, padding: Any, kernel: Image, stride: Image, dilation: Image) -> Any:
    if padding == "valid":
        padding = 0
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"{name}: padding='same' is for stride 1; got {stride}")
        both = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple(n // 2 for n in both), tuple(n - n // 2 for n in both)
    pads = two(name, "padding", padding, 0)
    return pads, pads


def _windows_on(
    name: str, x: Any, kernel: Image, stride: Any, padding: Any, dilation: Any
) -> Windows:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: expected a Tensor; got {describe(x)}")
    if x.ndim != 4:
        raise ValueError(f"{name}: images must be of shape (n, channels, h, w); got {x.shape}")
    stride, dilation = two(name, "stride", stride, 1), two(name, "dilation", dilation, 1)
    before, after = _padding(name, padding, kernel, stride, dilation)
    w = Windows(x.shape[2:], kernel, stride, before, after, dilation)  # type: ignore[arg-type]
    if min(w.number) < 1:
        raise ValueError(
            f"{name}: a kernel of {kernel}, dilation {dilation}, does not fit into images of "
            f"{w.size} with padding {padding!r}"
        )
    return w


# ---- between (n, channels, h, w) and the order inside


def _batch_last(x: Tensor) -> Tensor:
    return permute_dims(x, (1, 2, 3, 0))


def _batch_first(x: Tensor) -> Tensor:
    return permute_dims(x, (3, 0, 1, 2))


def _with_margins(x: Tensor, w: Windows, fill: float = 0.0) -> Tensor:
    """Images, batch last, with their margins."""
    if w.padded == w.size:
        return x
    shape = (x.shape[0], *w.padded, x.shape[3])
    if fill:
        out = full(shape, fill, dtype=x.dtype, device=x.device)
    else:
        out = zeros(shape, dtype=x.dtype, device=x.device)
    out[(slice(None), *w.inner)] = x
    return out


def _without_margins(x: Tensor, w: Windows) -> Tensor:
    return x if w.padded == w.size else x[(slice(None), *w.inner)]


# ---- convolution


#: How many bytes of columns to make at a time. What stays in a cache is fast on a CPU; a GPU wants
#: to have much to do at once.
_MOST = {"cpu": 2**20}


def _parts(x: Tensor, w: Windows) -> list[tuple[int, int]]:
    """The rows of windows to take at a time."""
    row = x.shape[0] * w.kernel[0] * w.kernel[1] * w.number[1] * x.shape[3] * x.dtype.itemsize
    step = max(1, _MOST.get(x.device.type, 2**28) // max(row, 1))
    return [(i, min(i + step, w.number[0])) for i in range(0, w.number[0], step)]


def _columns(x: Tensor, w: Windows, rows: tuple[int, int]) -> Tensor:
    """The windows of some rows, as the columns of a matrix: (channels, kernel, windows, n)."""
    count = rows[1] - rows[0]
    shape = (x.shape[0], *w.kernel, count, w.number[1], x.shape[3])
    out = empty(shape, dtype=x.dtype, device=x.device)
    for i, j, place in w.places(*rows):
        out[:, i, j] = x[place]
    return out


def _matrix(columns: Tensor, groups: int) -> Tensor:
    length = math.prod(columns.shape[:3]) // groups
    return reshape(columns, (groups, length, math.prod(columns.shape[3:])))


def _by_group(weight: Tensor, groups: int) -> Tensor:
    out = weight.shape[0] // groups
    return reshape(weight, (groups, out, math.prod(weight.shape[1:])))


def _convolve(x: Tensor, weight: Tensor, bias: Any, groups: int, w: Windows) -> Tensor:
    x = _with_margins(_batch_last(x), w)
    matrix = _by_group(weight, groups)
    channels, n = weight.shape[0], x.shape[3]
    out = empty((channels, *w.number, n), dtype=x.dtype, device=x.device)
    if bias is not None:
        bias = reshape(bias, (groups, channels // groups, 1))
    for rows in _parts(x, w):
        y = matmul(matrix, _matrix(_columns(x, w, rows), groups))
        if bias is not None:
            y += bias
        out[:, rows[0] : rows[1]] = reshape(y, (channels, rows[1] - rows[0], w.number[1], n))
    return _batch_first(out)


def _to_weight(g: Tensor, x: Tensor, shape: tuple[int, ...], groups: int, w: Windows) -> Tensor:
    """The transpose by the weight."""
    x, g = _with_margins(_batch_last(x), w), _batch_last(g)
    out: Any = None
    for rows in _parts(x, w):
        part = reshape(g[:, rows[0] : rows[1]], (groups, shape[0] // groups, -1))
        y = matmul(part, _matrix(_columns(x, w, rows), groups).mT)
        if out is None:
            out = y
        else:
            out += y
    return reshape(out, shape)


def _to_images(g: Tensor, weight: Tensor, groups: int, w: Windows) -> Tensor:
    """The transpose by the images."""
    g = _batch_last(g)
    matrix = _by_group(weight, groups).mT
    channels, n = weight.shape[1] * groups, g.shape[3]
    out = zeros((channels, *w.padded, n), dtype=g.dtype, device=g.device)
    for rows in _parts(out, w):
        count = rows[1] - rows[0]
        part = reshape(g[:, rows[0] : rows[1]], (groups, weight.shape[0] // groups, -1))
        y = reshape(matmul(matrix, part), (channels, *w.kernel, count, w.number[1], n))
        for i, j, place in w.places(*rows):
            out[place] += y[:, i, j]
    return _batch_first(_without_margins(out, w))


# A convolution is linear in the images and in the weight. Its transposes are so in what they are
# given, too, and the transposes of these are among the three.

_of_both = custom_vjp(_convolve, nondiff_argnums=(3, 4))
_of_weight = custom_vjp(_convolve, nondiff_argnums=(0, 3, 4))
_weight = custom_vjp(_to_weight, nondiff_argnums=(2, 3, 4))
_images = custom_vjp(_to_images, nondiff_argnums=(2, 3))


def _of_both_forward(x: Tensor, weight: Tensor, bias: Any, groups: int, w: Windows) -> Any:
    return _of_both(x, weight, bias, groups, w), (x, weight, bias)


def _of_both_backward(groups: int, w: Windows, residuals: Any, g: Tensor) -> Any:
    x, weight, bias = residuals
    return (
        _images(g, weight, groups, w),
        _weight(g, x, weight.shape, groups, w),
        None if bias is None else total(g, axis=(0, 2, 3)),
    )


def _of_weight_forward(x: Tensor, weight: Tensor, bias: Any, groups: int, w: Windows) -> Any:
    return _of_weight(x, weight, bias, groups, w), (weight.shape, bias)


def _of_weight_backward(x: Tensor, groups: int, w: Windows, residuals: Any, g: Tensor) -> Any:
    """Images that are data need no gradient, which costs as much as the rest."""
    shape, bias = residuals
    return (
        _weight(g, x, shape, groups, w),
        None if bias is None else total(g, axis=(0, 2, 3)),
    )


def _weight_forward(g: Tensor, x: Tensor, shape: Any, groups: int, w: Windows) -> Any:
    return _weight(g, x, shape, groups, w), (g, x)


def _weight_backward(_shape: Any, groups: int, w: Windows, residuals: Any, h: Tensor) -> Any:
    g, x = residuals
    return _of_both(x, h, None, groups, w), _images(g, h, groups, w)


def _images_forward(g: Tensor, weight: Tensor, groups: int, w: Windows) -> Any:
    return _images(g, weight, groups, w), (g, weight)


def _images_backward(groups: int, w: Windows, residuals: Any, h: Tensor) -> Any:
    g, weight = residuals
    return _of_both(h, weight, None, groups, w), _weight(g, h, weight.shape, groups, w)


_of_both.defvjp(_of_both_forward, _of_both_backward)
_of_weight.defvjp(_of_weight_forward, _of_weight_backward)
_weight.defvjp(_weight_forward, _weight_backward)
_images.defvjp(_images_forward, _images_backward)


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Two = 1,
    padding: Two | str = 0,
    dilation: Two = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of images with kernels, which networks call a convolution.

    Parameters
    ----------
    x : Tensor
        Images, of shape (n, channels, height, width).
    weight : Tensor
        Kernels, of shape (out channels, channels / groups, height, width).
    bias : Tensor, optional
        A number to add for each channel that comes out.
    stride, dilation : int or tuple of two, optional
        Steps between windows, and between points of a window.
    padding : int, tuple of two, ``"same"`` or ``"valid"``, optional
        Zeros on both sides of each axis.
    groups : int, optional
        Parts into which the channels are divided, each with kernels of its own.

    Returns
    -------
    Tensor
        Of shape (n, out channels, height, width).

    Raises
    ------
    ValueError
        If shapes do not belong together or the kernel does not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> x = xp.reshape(xp.arange(9.0), (1, 1, 3, 3))
    >>> nn.conv2d(x, xp.ones((1, 1, 2, 2)))
    Tensor([[[[ 8., 12.],
              [20., 24.]]]], dtype=float64)
    """
    if not isinstance(weight, Tensor) or weight.ndim != 4:
        raise ValueError(
            f"conv2d: weight must be of shape (out, in / groups, h, w); got {describe(weight)}"
        )
    kernel = weight.shape[2:]
    w = _windows_on("conv2d", x, kernel, stride, padding, dilation)  # type: ignore[arg-type]
    out, inside = weight.shape[:2]
    if groups < 1 or out % groups or x.shape[1] != inside * groups:
        raise ValueError(
            f"conv2d: weight must be of shape (out, in / groups, h, w), out a multiple of groups; "
            f"got images of {x.shape[1]} channels, weight of shape {weight.shape}, groups={groups}"
        )
    if bias is not None and bias.shape != (out,):
        raise ValueError(f"conv2d: bias must be of shape ({out},); got {describe(bias)}")
    weight = astype(weight, result_type(x.dtype, weight.dtype), copy=False)
    x = astype(x, weight.dtype, copy=False)
    if isinstance(x, Traced):
        return _of_both(x, weight, bias, groups, w)
    return _of_weight(x, weight, bias, groups, w)


# ---- pooling


def _picked_of(x: Tensor, hits: Any, w: Windows) -> Tensor:
    x = _with_margins(_batch_last(x), w)
    out: Any = None
    for k, (_, _, place) in enumerate(w.places()):
        part = x[place] if hits is None else where(hits[k], x[place], 0.0)
        out = part if out is None else out + part
    return _batch_first(out if w.kernel != (1, 1) or hits is not None else xp.positive(out))


def _spread_of(y: Tensor, hits: Any, w: Windows) -> Tensor:
    y = _batch_last(y)
    out = zeros((y.shape[0], *w.padded, y.shape[3]), dtype=y.dtype, device=y.device)
    for k, (_, _, place) in enumerate(w.places()):
        part = y if hits is None else where(hits[k], y, 0.0)
        if w.apart:
            out[place] = part
        else:
            out[place] += part
    return _batch_first(_without_margins(out, w))


#: Sums over those points of each window that are hit (None: all); and numbers for windows put
#: where these points came from.
_picked = custom_vjp(_picked_of, nondiff_argnums=(1, 2))
_spread = custom_vjp(_spread_of, nondiff_argnums=(1, 2))
_picked.defvjp(
    lambda x, hits, w: (_picked(x, hits, w), None), lambda hits, w, _, g: (_spread(g, hits, w),)
)
_spread.defvjp(
    lambda y, hits, w: (_spread(y, hits, w), None), lambda hits, w, _, g: (_picked(g, hits, w),)
)


def _lowest(x: Tensor) -> float:
    return -float("inf") if x.dtype.kind == "f" else iinfo(x.dtype).min


def _largest_of(x: Tensor, w: Windows) -> Tensor:
    x = _with_margins(_batch_last(x), w, _lowest(x))
    out: Any = None
    for _, _, place in w.places():
        out = x[place] if out is None else xp.maximum(out, x[place])
    return _batch_first(out if w.kernel != (1, 1) else xp.positive(out))


def _hits(x: Tensor, y: Tensor, w: Windows) -> list[Tensor]:
    """For each point of the windows, where it is the first that is the largest."""
    x, y = _with_margins(_batch_last(x), w, _lowest(x)), _batch_last(y)
    found: list[Tensor] = []
    left: Any = None
    for _, _, place in w.places():
        hit = x[place] == y
        if left is None:
            left = ~hit
        else:
            hit = hit & left
            left = left & ~hit
        found.append(hit)
    return found


def _largest_forward(x: Tensor, w: Windows) -> Any:
    y = _largest(x, w)
    return y, (stop_gradient(x), stop_gradient(y))


def _largest_backward(w: Windows, residuals: Any, g: Tensor) -> Any:
    x, y = residuals
    return (_spread(g, _hits(x, y, w), w),)


_largest = custom_vjp(_largest_of, nondiff_argnums=(1,))
_largest.defvjp(_largest_forward, _largest_backward)


def max_pool2d(
    x: Tensor, kernel_size: Two, stride: Two | None = None, padding: Two = 0, dilation: Two = 1
) -> Tensor:
    """The largest number of each window.

    Parameters
    ----------
    x : Tensor
        Images, of shape (n, channels, height, width).
    kernel_size : int or tuple of two
        The size of a window.
    stride : int or tuple of two, optional
        The step between windows; None is their size.
    padding : int or tuple of two, optional
        What is added on both sides of each axis, of minus infinity; at most half a window.
    dilation : int or tuple of two, optional
        The step between points of a window.

    Returns
    -------
    Tensor
        Of shape (n, channels, height, width).

    Raises
    ------
    ValueError
        If a window does not fit.

    Notes
    -----
    Of equal numbers the first has all of the gradient, as in PyTorch.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.max_pool2d(xp.reshape(xp.arange(16.0), (1, 1, 4, 4)), 2)
    Tensor([[[[ 5.,  7.],
              [13., 15.]]]], dtype=float64)
    """
    w = _pooling("max_pool2d", x, kernel_size, stride, padding, dilation)
    return _largest(x, w)


def avg_pool2d(
    x: Tensor,
    kernel_size: Two,
    stride: Two | None = None,
    padding: Two = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window.

    Parameters
    ----------
    x : Tensor
        Images, of shape (n, channels, height, width).
    kernel_size : int or tuple of two
        The size of a window.
    stride : int or tuple of two, optional
        The step between windows; None is their size.
    padding : int or tuple of two, optional
        Zeros on both sides of each axis; at most half a window.
    count_include_pad : bool, optional
        Whether these zeros count in the mean.

    Returns
    -------
    Tensor
        Of shape (n, channels, height, width).

    Raises
    ------
    ValueError
        If a window does not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.avg_pool2d(xp.reshape(xp.arange(16.0), (1, 1, 4, 4)), 2)
    Tensor([[[[ 2.5,  4.5],
              [10.5, 12.5]]]], dtype=float64)
    """
    w = _pooling("avg_pool2d", x, kernel_size, stride, padding, 1)
    sums = _picked(x, None, w)
    if count_include_pad or w.padded == w.size:
        return sums / (w.kernel[0] * w.kernel[1])
    ones = full((1, 1, *w.size), 1.0, dtype=x.dtype, device=x.device)
    return sums / _picked_of(ones, None, w)


def _pooling(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> Windows:
    kernel = two(name, "kernel_size", kernel_size, 1)
    w = _windows_on(name, x, kernel, kernel if stride is None else stride, padding, dilation)
    if any(2 * p > k for p, k in zip(w.before, kernel, strict=True)):
        raise ValueError(
            f"{name}: padding must be at most half of the kernel {kernel}; got {padding!r}"
        )
    return w
