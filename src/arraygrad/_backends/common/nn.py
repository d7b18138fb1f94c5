"""Functions of neural networks, written once for NumPy and CuPy.

Each would need many operations of the namespace, and a small layer would spend its time in calls.
`xp` is the library.

Convolutions and pooling are sums over windows that slide over the last two axes of images.
Internally, the batch is the last axis of images: then neighbours in memory are treated alike, in
long runs even if the images are small. Both libraries preserve an array's order of axes in memory,
so the result of a layer has the order that the next layer uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

_Array = Any
Image = tuple[int, int]


class Windows(NamedTuple):
    """The positions of windows on an image."""

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
    def counts(self) -> Image:
        """The number of windows along each axis."""
        return _counts(self)

    @property
    def inner(self) -> Any:
        """The index of the image within its margins, batch last."""
        (a, b), (h, w) = self.before, self.size
        return slice(None), slice(a, a + h), slice(b, b + w)

    @property
    def disjoint(self) -> bool:
        """True if no two windows share a point."""
        (k, m), (s, t) = self.kernel, self.stride
        return self.dilation == (1, 1) and k <= s and m <= t

    @property
    def mirrored(self) -> Windows | None:
        """The windows on an array of `counts` by which `to_images` is a convolution.

        None if the windows have a stride, or if a margin is wider than they are.
        """
        spread = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        before, after = (
            (spread[0] - margin[0], spread[1] - margin[1]) for margin in (self.before, self.after)
        )
        if self.stride != (1, 1) or min(*before, *after) < 0:
            return None
        return Windows(self.counts, self.kernel, (1, 1), before, after, self.dilation)

    def places(self, first: int = 0, end: int | None = None) -> list[tuple[int, int, Any]]:
        """For each point of a window: its row and column, and its index in the images.

        The index selects the point of all windows, or of those in the rows from `first` to `end`.
        """
        return _places(self, first, self.counts[0] if end is None else end)


@lru_cache(1024)
def _counts(w: Windows) -> Image:
    ends = zip(w.padded, w.kernel, w.stride, w.dilation, strict=True)
    rows, columns = ((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in ends)
    return rows, columns


@lru_cache(1024)
def _places(w: Windows, first: int, end: int) -> list[tuple[int, int, Any]]:
    rows, columns = (
        [slice(i * d + s * a, i * d + s * (b - 1) + 1, s) for i in range(k)]
        for k, d, s, (a, b) in zip(
            w.kernel, w.dilation, w.stride, ((first, end), (0, w.counts[1])), strict=True
        )
    )
    return [(i, j, (slice(None), r, c)) for i, r in enumerate(rows) for j, c in enumerate(columns)]


# ---- activations, each alone and with its derivative


class _Activations:
    """Activations by the functions of a library, whose distribution function is `ndtr`."""

    def __init__(self, xp: Any, where: Any, ndtr: Callable[..., Any]) -> None:
        self.xp, self.where, self.ndtr = xp, where, ndtr

    def relu(self, x: _Array, /) -> _Array:
        """Maximum of real numbers and 0."""
        return self.xp.maximum(x, 0)

    def sigmoid(self, x: _Array, /) -> _Array:
        """1 / (1 + exp(-x)), computed from an exponential that does not overflow."""
        if x.dtype.kind == "c":
            raise TypeError("complex numbers are not supported")
        small = self.xp.exp(-self.xp.abs(x))
        top = self.where(x < 0, small, x.dtype.type(1))
        small += 1
        return top / small

    def _finite(self, x: _Array) -> _Array:
        limits = self.xp.finfo(x.dtype)
        return self.xp.clip(x, limits.min, limits.max)

    def _gated(self, x: _Array, gate: _Array) -> _Array:
        """The product with a gate that vanishes at minus infinity; 0 there."""
        return self.xp.maximum(x, self.xp.finfo(x.dtype).min) * gate

    def silu(self, x: _Array, /) -> _Array:
        """The product of x and `sigmoid`."""
        return self._gated(x, self.sigmoid(x))

    def silu_and_slope(self, x: _Array, /) -> tuple[_Array, _Array]:
        """The same, and its derivative."""
        s = self.sigmoid(x)
        return self._gated(x, s), s + self._finite(x) * s * (1 - s)

    def gelu(self, x: _Array, /) -> _Array:
        """The product of x and the standard normal distribution function."""
        if x.dtype.itemsize == 2:  # which `ndtr` converts
            return self.gelu(x.astype("float32")).astype(x.dtype)
        return self._gated(x, self.ndtr(x))

    def gelu_and_slope(self, x: _Array, /) -> tuple[_Array, _Array]:
        """The same, and its derivative."""
        if x.dtype.itemsize == 2:
            y, slope = self.gelu_and_slope(x.astype("float32"))
            return y.astype(x.dtype), slope.astype(x.dtype)
        cdf, z = self.ndtr(x), self.xp.clip(x, -40, 40)
        density = self.xp.exp(-z * z / 2) * (1 / math.sqrt(2 * math.pi))
        return self._gated(x, cdf), cdf + z * density

    def _tanh_gate(self, x: _Array) -> tuple[_Array, _Array]:
        """The gate of `gelu_tanh`, and the derivative of its logit."""
        z = self.xp.clip(x, -25, 25)  # beyond, the gate is 0 or 1
        a, b = math.sqrt(8 / math.pi), math.sqrt(8 / math.pi) * 0.044715
        # (1 + tanh(u)) / 2 is sigmoid(2 u), which is accurate where it is small.
        return self.sigmoid(z * (a + b * z * z)), a + 3 * b * z * z

    def gelu_tanh(self, x: _Array, /) -> _Array:
        """The approximation of `gelu` by tanh."""
        return self._gated(x, self._tanh_gate(x)[0])

    def gelu_tanh_and_slope(self, x: _Array, /) -> tuple[_Array, _Array]:
        """The same, and its derivative."""
        s, slope = self._tanh_gate(x)
        return self._gated(x, s), s + self._finite(x) * s * (1 - s) * slope

    def softplus(self, x: _Array, /) -> _Array:
        """log(1 + exp(x))."""
        return self.xp.logaddexp(x, x.dtype.type(0))

    def softplus_and_slope(self, x: _Array, /) -> tuple[_Array, _Array]:
        """The same, and its derivative."""
        return self.softplus(x), self.sigmoid(x)


def activations(xp: Any, where: Any, ndtr: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The entries of a table for activations."""
    owner = _Activations(xp, where, ndtr)
    names = "gelu gelu_tanh silu softplus".split()
    names += [f"{name}_and_slope" for name in names]
    return {f"nn.{name}": getattr(owner, name) for name in ("relu", "sigmoid", *names)}


# ---- exponentials


class Exponentials:
    """Softmax, its logarithm, and losses by it."""

    def __init__(self, xp: Any, settle: Any, quiet: Any, sum_of_products: Any, exp: Any) -> None:
        self.xp, self.settle, self.quiet = xp, settle, quiet
        self.sum_of_products, self.exp = sum_of_products, exp

    def shifted(self, x: _Array, axis: int) -> _Array:
        """The differences from the largest element: 0 for itself, even if it is infinite."""
        if not x.size:
            return x - x.sum(axis=axis, keepdims=True)  # (a maximum of nothing raises)
        m = x.max(axis=axis, keepdims=True)
        with self.quiet():
            return self.settle(x - m, m)

    def _sum(self, x: _Array, axis: int) -> _Array:
        if not x.ndim:
            return x
        return self.sum_of_products(x, None, axes=(axis,), scale=1)

    def softmax(self, x: _Array, /, *, axis: int) -> _Array:
        """Exponentials divided by their sum."""
        y = self.shifted(x, axis)
        e = self.exp(y, out=y) if y.ndim else self.exp(y)
        e /= self._sum(e, axis)
        return e

    def log_softmax(self, x: _Array, /, *, axis: int) -> _Array:
        """The logarithm of `softmax`."""
        y = self.shifted(x, axis)
        if y.size:
            y -= self.xp.log(self._sum(self.exp(y), axis))
        return y

    def classes(self, x: _Array, target: _Array, /, *, axis: int) -> tuple[_Array, _Array]:
        """Minus `log_softmax` at the indices `target`, which have that axis, and the softmax."""
        y = self.shifted(x, axis)
        picked = self.xp.take_along_axis(y, target, axis)
        e = self.exp(y, out=y)
        total = self._sum(e, axis)
        loss = self.xp.log(total) - picked
        e /= total
        return loss, e

    def less_one(self, x: _Array, target: _Array, /, *, axis: int) -> _Array:
        """The elements, less 1 at the indices `target`, which have that axis."""
        y = x.copy()
        picked = self.xp.take_along_axis(x, target, axis)
        self.xp.put_along_axis(y, target, picked - 1, axis)
        return y

    def parts(self, score: _Array, parts: _Array, /, *, axis: int) -> _Array:
        """Minus the sum of products. A part of 0 contributes 0."""
        with self.quiet():
            return 0 - self.settle(parts * score, parts).sum(axis=axis)


def binary(xp: Any, where: Any, x: _Array, positive: _Array, negative: _Array, /) -> _Array:
    """-(positive · log σ(x) + negative · log σ(-x)). A weight of 0 contributes 0."""
    zero = x.dtype.type(0)
    tail = xp.log1p(xp.exp(-xp.abs(x)))
    up = where(positive == 0, zero, xp.maximum(-x, zero))
    down = where(negative == 0, zero, xp.maximum(x, zero))
    return (positive + negative) * tail + positive * up + negative * down


def _updated(xp: Any, name: str, x: _Array, y: _Array) -> _Array:
    """A function's values, in the memory of `x` if they have its dtype."""
    fits = x.dtype == y.dtype or x.dtype == xp.result_type(x, y)
    return getattr(xp, name)(x, y, out=x) if fits else getattr(xp, name)(x, y)


class Normalisation:
    """Scaling to mean 0 and variance 1 along some axes, then by a weight, plus a bias.

    Half precision is computed in single precision, because its squares would overflow.
    """

    def __init__(self, xp: Any, sum_of_products: Any, outer: Any) -> None:
        self.xp, self.sum_of_products, self.outer = xp, sum_of_products, outer

    def centre(self, x: _Array, /, *, axes: tuple[int, ...]) -> tuple[_Array, ...]:
        """The differences from the mean along some axes, the mean, and the variance."""
        if x.dtype.itemsize == 2:
            x = x.astype(self.xp.float32)
        scale = 1 / (math.prod(x.shape[a] for a in axes) or 1)
        mean = self.sum_of_products(x, None, axes=axes, scale=scale)
        c = x - mean
        return c, mean, self.sum_of_products(c, c, axes=axes, scale=scale)

    def _scaled(self, x: _Array, factor: _Array, weight: Any) -> _Array:
        both = factor if weight is None else self.outer(factor, weight)
        return _updated(self.xp, "multiply", both, x) if both.shape == x.shape else x * both

    def scale(
        self, _x: Any, c: _Array, variance: _Array, weight: Any, bias: Any, /, *, eps: float
    ) -> _Array:
        """Numbers of this variance and mean 0, scaled to variance 1, times a weight plus a bias.

        The first operand, the input of `centre`, is that to which the derivative belongs.
        """
        y = self._scaled(c, 1 / self.xp.sqrt(variance + eps), weight)
        return y if bias is None else _updated(self.xp, "add", y, bias)

    def scale_back(
        self, g: _Array, c: _Array, variance: _Array, weight: Any, /, *, eps: float
    ) -> tuple[_Array, ...]:
        """The cotangents of the input, the weight and the bias; only the first without a weight."""
        if g.dtype.itemsize == 2:
            g = g.astype(self.xp.float32)
        if g.strides != c.strides:  # in another order: read once, and not in each pass
            g, given = self.xp.empty_like(c, dtype=g.dtype), g
            g[...] = given
        factor, dot = 1 / self.xp.sqrt(variance + eps), self._dot
        rest = factor  # by which `c` is still to be scaled
        if eps < 1e-12:  # then its cube may overflow; a larger `eps` saves this pass
            c, rest = c * factor, self.xp.ones_like(factor)
        shape = (1,) * c.ndim
        if weight is not None:
            shape = shape[weight.ndim :] + weight.shape
        along, across = (
            tuple([i for i, n in enumerate(lengths) if n == 1])
            for lengths in (variance.shape, shape)
        )
        # First the sums along those axes on which neither the variance nor the weight depends.
        both = tuple([i for i in along if i in across])
        product, total = (dot(g, c, both), dot(g, None, both)) if both else (g * c, g)
        of_params: tuple[_Array, ...] = ()
        if weight is not None:
            of_params = dot(product, rest, across), dot(total, None, across)
            product, total = (dot(p, weight.reshape(shape), along) for p in (product, total))
        scale = factor * (-variance.size / max(c.size, 1))
        change = c * (product * scale * rest * rest)
        change += total * scale
        of_x = _updated(self.xp, "add", self._scaled(g, factor, weight), change)
        return of_x, *[p.reshape(weight.shape) for p in of_params]

    def _dot(self, a: _Array, b: Any, axes: tuple[int, ...]) -> _Array:
        """The sum of ``a * b`` along axes, which remain; `b` broadcasts, or is None for 1."""
        xp = self.xp
        if b is None or (b.shape == a.shape and a.size > 1 << 12):
            return self.sum_of_products(a, b, axes=axes, scale=1)
        if a.ndim == 2 and len(axes) == 1 and b.shape[axes[0]] == a.shape[axes[0]] == b.size:
            return xp.expand_dims(xp.matmul(a if axes[0] else a.T, b.reshape(-1)), axes[0])
        return (a * b).sum(axis=axes, keepdims=True)


def linear(xp: Any, x: _Array, weight: _Array, /) -> _Array:
    """The product with the transpose of a matrix, as one product for all vectors."""
    if x.ndim <= 2:
        return xp.matmul(x, weight.T)
    y = xp.matmul(x.reshape(-1, x.shape[-1]), weight.T)
    return y.reshape(*x.shape[:-1], weight.shape[0])


def _add(view: _Array, x: _Array) -> None:
    """Add in place. ``out[place] += x`` would write the sum twice: into the view, then into out."""
    view += x


# ---- images: (n, channels, h, w) for callers, batch last inside


def _with_margins(xp: Any, x: _Array, w: Windows, fill: Any = 0) -> _Array:
    x = x.transpose(1, 2, 3, 0)
    if w.padded == w.size:
        return x
    out = xp.full((x.shape[0], *w.padded, x.shape[3]), fill, dtype=x.dtype)
    out[w.inner] = x
    return out


def _without_margins(x: _Array, w: Windows) -> _Array:
    return (x if w.padded == w.size else x[w.inner]).transpose(3, 0, 1, 2)


# ---- convolution, as a product of matrices


def _parts(shape: tuple[int, ...], most: int) -> Iterator[tuple[Any, int]]:
    """Indices that divide an array into parts of at most `most` neighbours, and their sizes."""
    first, *rest = shape
    inner = math.prod(rest)
    if inner <= most or not rest:
        step = max(1, most // max(inner, 1))
        for i in range(0, first, step):
            yield (slice(i, i + step),), min(step, first - i) * inner
    else:
        for i in range(first):
            for index, size in _parts(tuple(rest), most):
                yield (slice(i, i + 1), *index), size


def _columns(
    xp: Any, x: _Array, w: Windows, groups: int, most: Callable[[int], int]
) -> Iterator[tuple[slice, _Array]]:
    """The windows as the columns of a matrix, a matrix for each group; a part at a time.

    With each part comes the slice of the windows that it has. All parts use the same memory.
    """
    (c, h, v, n), rows = x.strides, x.shape[0] * math.prod(w.kernel)
    windows = xp.lib.stride_tricks.as_strided(
        x,
        (x.shape[0], *w.kernel, *w.counts, x.shape[3]),
        (c, h * w.dilation[0], v * w.dilation[1], h * w.stride[0], v * w.stride[1], n),
    )
    memory, start = None, 0
    for index, size in _parts(windows.shape[3:], most(rows * x.dtype.itemsize)):
        part = windows[(slice(None),) * 3 + index]
        if memory is None:
            memory = xp.empty(part.size, dtype=x.dtype)
        out = memory[: part.size].reshape(part.shape)
        out[...] = part
        yield slice(start, start + size), out.reshape(groups, rows // groups, size)
        start += size


def _by_group(weight: _Array, groups: int) -> _Array:
    return weight.reshape(groups, weight.shape[0] // groups, math.prod(weight.shape[1:]))


class _Convolutions:
    def __init__(self, xp: Any, max_bytes: int, max_columns: float) -> None:
        self.xp, self.max_bytes, self.max_columns = xp, max_bytes, max_columns

    def most(self, column_bytes: int) -> int:
        """The number of columns that a matrix may have."""
        return int(min(self.max_columns, max(self.max_bytes // max(column_bytes, 1), 64)))

    def convolve(
        self, x: _Array, weight: _Array, bias: Any, /, *, groups: int, windows: Windows
    ) -> _Array:
        """Cross-correlation plus a number for each channel."""
        xp, w = self.xp, windows
        x = _with_margins(xp, x, w)
        channels, n = weight.shape[0], x.shape[3]
        matrix, dtype = _by_group(weight, groups), xp.result_type(x, weight)
        out = xp.empty((groups, channels // groups, math.prod(w.counts) * n), dtype=dtype)
        for part, columns in _columns(xp, x, w, groups, self.most):
            xp.matmul(matrix, columns, out=out[..., part])
        out = out.reshape(channels, *w.counts, n)
        if bias is not None:
            bias = bias[:, None, None, None]
            if bias.dtype == out.dtype or xp.result_type(out, bias) == out.dtype:
                out += bias
            else:
                out = out + bias
        return out.transpose(3, 0, 1, 2)

    def to_weight(
        self,
        g: _Array,
        x: _Array,
        /,
        *,
        shape: tuple[int, ...],
        groups: int,
        windows: Windows,
    ) -> _Array:
        """The transpose with respect to the weight."""
        xp, w = self.xp, windows
        x, g = _with_margins(xp, x, w), g.transpose(1, 2, 3, 0)
        g = g.reshape(groups, shape[0] // groups, -1)
        dtype, out = xp.result_type(x, g), None
        for part, columns in _columns(xp, x, w, groups, self.most):
            # (OpenBLAS is faster with the larger matrix first.)
            y = xp.matmul(columns, g[..., part].transpose(0, 2, 1))
            if dtype.itemsize == 2:  # so that the sum of many parts is rounded once
                y = y.astype(xp.float32)
            out = y if out is None else out + y
        if out is None:
            return xp.zeros(shape, dtype=x.dtype)
        out = xp.ascontiguousarray(out.transpose(0, 2, 1)).reshape(shape)
        return out.astype(dtype, copy=False)

    def to_images(self, g: _Array, weight: _Array, /, *, groups: int, windows: Windows) -> _Array:
        """The transpose with respect to the images."""
        xp, w = self.xp, windows
        mirrored = w.mirrored
        # Reading the windows on `g` takes a quarter of the time of adding to those on the images.
        if mirrored is not None and weight.shape[0] <= 4 * weight.shape[1] * groups:
            out_channels, in_channels = weight.shape[0] // groups, weight.shape[1]
            swapped = weight.reshape(groups, out_channels, in_channels, *w.kernel)
            swapped = swapped.transpose(0, 2, 1, 3, 4)[..., ::-1, ::-1]
            swapped = swapped.reshape(groups * in_channels, out_channels, *w.kernel)
            return self.convolve(g, swapped, None, groups=groups, windows=mirrored)
        g = g.transpose(1, 2, 3, 0)
        channels, n = weight.shape[1] * groups, g.shape[3]
        out = xp.zeros((channels, *w.padded, n), dtype=xp.result_type(g, weight))
        matrix = _by_group(weight, groups).transpose(0, 2, 1)
        step = max(1, self.most(matrix.shape[1] * groups * out.itemsize) // max(w.counts[1] * n, 1))
        for first in range(0, w.counts[0], step):
            end = min(first + step, w.counts[0])
            part = g[:, first:end].reshape(groups, weight.shape[0] // groups, -1)
            y = xp.matmul(matrix, part).reshape(channels, *w.kernel, end - first, w.counts[1], n)
            for i, j, place in w.places(first, end):
                _add(out[place], y[:, i, j])
        return _without_margins(out, w)


# ---- pooling


def _lowest(xp: Any, x: _Array) -> Any:
    if x.dtype.kind == "b":
        return False
    return -math.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min


def max_pool(xp: Any, x: _Array, /, *, windows: Windows) -> _Array:
    """The largest element of each window."""
    x = _with_margins(xp, x, windows, _lowest(xp, x))
    (_, _, first), *others = windows.places()
    out = x[first].copy()
    for _, _, place in others:
        xp.maximum(out, x[place], out=out)
    return out.transpose(3, 0, 1, 2)


def _hits(xp: Any, x: _Array, top: _Array, w: Windows) -> Any:
    """For each point of a window: its index, and the mask of windows with their maximum there."""
    x = _with_margins(xp, x, w, _lowest(xp, x))
    top = top.transpose(1, 2, 3, 0)
    left = None
    for _, _, place in w.places():
        hit = x[place] == top
        if left is None:
            left = ~hit
        else:
            hit &= left
            left ^= hit
        yield place, hit


def at_largest(
    xp: Any, where: Any, g: _Array, x: _Array, top: _Array, /, *, windows: Windows
) -> _Array:
    """The transpose of `of_largest`: one number per window, added where its maximum is."""
    w = windows
    g = xp.ascontiguousarray(g.transpose(1, 2, 3, 0))  # read for each place
    out = xp.zeros((g.shape[0], *w.padded, g.shape[3]), dtype=g.dtype)
    for place, hit in _hits(xp, x, top, w):
        part = where(hit, g, g.dtype.type(0))
        if w.disjoint:
            out[place] = part
        else:
            _add(out[place], part)
    return _without_margins(out, w)


def of_largest(
    xp: Any, where: Any, y: _Array, x: _Array, top: _Array, /, *, windows: Windows
) -> _Array:
    """The elements of the images `y` where the windows on `x` have their maximum."""
    y = _with_margins(xp, y, windows)
    out: Any = 0
    for place, hit in _hits(xp, x, top, windows):
        out = out + where(hit, y[place], y.dtype.type(0))
    return out.transpose(3, 0, 1, 2)


def window_sum(xp: Any, x: _Array, /, *, windows: Windows) -> _Array:
    """The sum over each window."""
    x = _with_margins(xp, x, windows)
    (_, _, first), *others = windows.places()
    out = x[first].copy()
    for _, _, place in others:
        out += x[place]
    return out.transpose(3, 0, 1, 2)


def window_spread(xp: Any, g: _Array, /, *, windows: Windows) -> _Array:
    """The transpose of `window_sum`: one number per window, added at all of its points."""
    g = g.transpose(1, 2, 3, 0)
    out = xp.zeros((g.shape[0], *windows.padded, g.shape[3]), dtype=g.dtype)
    for _, _, place in windows.places():
        _add(out[place], g)
    return _without_margins(out, windows)


def operations(
    xp: Any,
    where: Any,
    settle: Any,
    quiet: Any,
    sum_of_products: Any,
    max_bytes: int,
    max_columns: float = math.inf,
    outer: Any = None,
    exp: Any = None,
    normalisation: Any = None,
    exponentials: Any = None,
) -> dict[str, Callable[..., Any]]:
    """The entries of a table, except for activations.

    A convolution makes matrices of at most `max_bytes` and `max_columns` at a time. On a CPU they
    should stay in a cache; a GPU needs much to do at once.
    """
    table: dict[str, Callable[..., Any]] = {
        function.__name__: partial(function, xp)
        for function in (linear, max_pool, window_sum, window_spread)
    }
    table["sum_of_products"] = sum_of_products
    table["exp_of_negative"] = exp or xp.exp
    for function in (binary, at_largest, of_largest):
        table[function.__name__] = partial(function, xp, where)
    for owner, names in (
        (
            (exponentials or Exponentials)(xp, settle, quiet, sum_of_products, exp or xp.exp),
            "softmax log_softmax classes less_one parts",
        ),
        (
            (normalisation or Normalisation)(xp, sum_of_products, outer or xp.multiply),
            "centre scale scale_back",
        ),
        (_Convolutions(xp, max_bytes, max_columns), "convolve to_weight to_images"),
    ):
        table.update({name: getattr(owner, name) for name in names.split()})
    return {f"nn.{name}": function for name, function in table.items()}
