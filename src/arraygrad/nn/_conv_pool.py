"""Convolution and pooling: functions of windows that slide over the last axes of the input."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from .._backends.common.nn import Image, Windows
from .._creation import full
from .._dispatch import call, check_tensor
from .._errors import describe
from .._manipulation import expand_dims, reshape, squeeze, stack
from .._statistical import mean
from .._typing import Tensor
from ._checks import as_floating, as_pair, as_single, check_real, check_shape
from ._rules import convolve, to_images

One = int | tuple[int]
Two = int | tuple[int, int]


def _padding(name: str, padding: Any, kernel: Image, stride: Image, dilation: Image) -> Any:
    if padding == "valid":
        padding = 0
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"{name}: padding='same' requires stride 1; got {stride}")
        both = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple(n // 2 for n in both), tuple(n - n // 2 for n in both)
    pads = as_pair(name, "padding", padding, 0)
    return pads, pads


def _batch(name: str, x: Any) -> tuple[Tensor, bool]:
    """Images with a batch axis, and True if `x` is a single image without that axis."""
    check_tensor(name, x)
    if x.ndim == 3:
        return expand_dims(x, axis=0), True
    if x.ndim != 4:
        raise ValueError(
            f"{name}: images must have shape (n, channels, h, w) or (channels, h, w); got {x.shape}"
        )
    return x, False


def _windows_on(
    name: str, x: Tensor, kernel: Image, stride: Any, padding: Any, dilation: Any
) -> Windows:
    stride, dilation = as_pair(name, "stride", stride, 1), as_pair(name, "dilation", dilation, 1)
    before, after = _padding(name, padding, kernel, stride, dilation)
    size: Any = x.shape[2:]
    w = Windows(size, kernel, stride, before, after, dilation)
    if min(w.counts) < 1:
        raise ValueError(
            f"{name}: kernel {kernel} with dilation {dilation} does not fit into images of "
            f"size {w.size} with padding {padding!r}"
        )
    return w


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Two = 1,
    padding: Two | str = 0,
    dilation: Two = 1,
    groups: int = 1,
) -> Tensor:
    """Two-dimensional convolution of images (as a cross-correlation).

    Parameters
    ----------
    x : Tensor
        Images of shape (n, channels, height, width), or one of shape (channels, height, width).
    weight : Tensor
        Kernels of shape (out channels, channels / groups, height, width).
    bias : Tensor, optional
        Vector of shape (out channels,) to add to the channels of the result.
    stride, dilation : int or tuple of two, optional
        Steps between windows, and between points of a window.
    padding : int, tuple of two, ``"same"`` or ``"valid"``, optional
        Number of zeros to add on both sides of each axis.
    groups : int, optional
        Number of groups of channels; each group has its own kernels.

    Returns
    -------
    Tensor
        Images of shape (n, out channels, height, width), without the first axis if `x` has none.
        The dtypes of `x`, `weight` and `bias` are promoted.

    Raises
    ------
    TypeError
        If `x`, `weight` or `bias` is not a tensor.
    ValueError
        If the shapes do not fit together, or the kernel does not fit into the images.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> x = xp.reshape(xp.arange(9.0), (1, 1, 3, 3))
    >>> nn.conv2d(x, xp.ones((1, 1, 2, 2)))
    Tensor([[[[ 8., 12.],
              [20., 24.]]]], dtype=float64)
    """
    x, single = _batch("conv2d", x)
    check_tensor("conv2d: weight", weight)
    if weight.ndim != 4:
        raise ValueError(
            f"conv2d: weight must have shape (out, in / groups, h, w); got {describe(weight)}"
        )
    kernel: Any = weight.shape[2:]
    w = _windows_on("conv2d", x, kernel, stride, padding, dilation)
    _check_channels("conv2d", x, weight, bias, groups)
    y = convolve(x, weight, bias, groups=int(groups), windows=w)
    return squeeze(y, axis=0) if single else y


def _check_channels(name: str, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    out, inside = weight.shape[:2]
    whole = (type(groups) is int or isinstance(groups, Integral)) and groups >= 1
    if not whole or out % groups or x.shape[1] != inside * groups:
        raise ValueError(
            f"{name}: weight must have shape (out, in / groups, ...), out divisible by groups; "
            f"got an input of {x.shape[1]} channels, weight of shape {weight.shape}, "
            f"groups={groups}"
        )
    check_shape(name, "bias", bias, (out,))


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: One = 1,
    padding: One | str = 0,
    dilation: One = 1,
    groups: int = 1,
) -> Tensor:
    """One-dimensional convolution of signals (as a cross-correlation).

    Parameters
    ----------
    x : Tensor
        Signals of shape (n, channels, length), or one of shape (channels, length).
    weight : Tensor
        Kernels of shape (out channels, channels / groups, length).
    bias : Tensor, optional
        Vector of shape (out channels,) to add to the channels of the result.
    stride, dilation : int, optional
        Steps between windows, and between points of a window.
    padding : int, ``"same"`` or ``"valid"``, optional
        Number of zeros to add on both sides.
    groups : int, optional
        Number of groups of channels; each group has its own kernels.

    Returns
    -------
    Tensor
        Signals of shape (n, out channels, length), without the first axis if `x` has none. The
        dtypes of `x`, `weight` and `bias` are promoted.

    Raises
    ------
    TypeError
        If `x`, `weight` or `bias` is not a tensor.
    ValueError
        If the shapes do not fit together, or the kernel does not fit into the signals.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.conv1d(xp.asarray([[[1.0, 2.0, 4.0, 8.0]]]), xp.asarray([[[-1.0, 1.0]]]))
    Tensor([[[1., 2., 4.]]], dtype=float64)
    """
    check_tensor("conv1d", x)
    check_tensor("conv1d: weight", weight)
    single = x.ndim == 2
    if x.ndim not in (2, 3):
        raise ValueError(
            f"conv1d: x must have shape (n, channels, length) or (channels, length); got {x.shape}"
        )
    if weight.ndim != 3:
        raise ValueError(
            f"conv1d: weight must have shape (out, in / groups, length); got {describe(weight)}"
        )
    x = expand_dims(x, axis=(0, -1) if single else -1)  # a signal is an image of width 1
    _check_channels("conv1d", x, weight, bias, groups)
    stride = as_single("conv1d", "stride", stride, 1)
    dilation = as_single("conv1d", "dilation", dilation, 1)
    length, size = x.shape[2], weight.shape[-1]
    if padding == "same":
        if stride != 1:
            raise ValueError(f"conv1d: padding='same' requires stride 1; got {stride}")
        spread = dilation * (size - 1)
        before, after = spread // 2, spread - spread // 2
    else:
        before = after = 0 if padding == "valid" else as_single("conv1d", "padding", padding, 0)
    w = Windows((length, 1), (size, 1), (stride, 1), (before, 0), (after, 0), (dilation, 1))
    if size < 1 or w.counts[0] < 1:
        raise ValueError(
            f"conv1d: kernel {size} with dilation {dilation} does not fit into signals of "
            f"length {length} with padding {padding!r}"
        )
    y = convolve(x, expand_dims(weight, axis=-1), bias, groups=int(groups), windows=w)
    return squeeze(y, axis=(0, -1) if single else -1)


def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Two = 1,
    padding: Two = 0,
    output_padding: Two = 0,
    groups: int = 1,
    dilation: Two = 1,
) -> Tensor:
    """Two-dimensional transposed convolution: the transpose of `conv2d` as a linear map.

    Parameters
    ----------
    x : Tensor
        Images of shape (n, channels, height, width), or one of shape (channels, height, width).
    weight : Tensor
        Kernels of shape (channels, out channels / groups, height, width).
    bias : Tensor, optional
        Vector of shape (out channels,) to add to the channels of the result.
    stride, padding, dilation : int or tuple of two, optional
        Parameters of the convolution that is transposed: `stride` is the step between pixels of the
        result, and `padding` is the number of pixels that are cut off on both sides.
    output_padding : int or tuple of two, optional
        Number of rows and columns to add at the end; less than `stride`. A convolution with a
        stride maps images of several sizes to the same size; this parameter chooses one of them.
    groups : int, optional
        Number of groups of channels; each group has its own kernels.

    Returns
    -------
    Tensor
        Images of shape (n, out channels, height, width), without the first axis if `x` has none.
        The dtypes of `x`, `weight` and `bias` are promoted.

    Raises
    ------
    TypeError
        If `x`, `weight` or `bias` is not a tensor.
    ValueError
        If the shapes do not fit together, `output_padding` is not less than `stride`, or the result
        would be empty.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> x = xp.asarray([[[[1.0, 2.0]]]])
    >>> nn.conv_transpose2d(x, xp.ones((1, 1, 2, 2)), stride=2)
    Tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]], dtype=float64)
    """
    name = "conv_transpose2d"
    x, single = _batch(name, x)
    check_tensor(f"{name}: weight", weight)
    whole = (type(groups) is int or isinstance(groups, Integral)) and groups >= 1
    if weight.ndim != 4 or not whole or weight.shape[0] % groups or x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"{name}: weight must have shape (in, out / groups, h, w), in divisible by groups; "
            f"got images of {x.shape[1]} channels, weight of shape {weight.shape}, groups={groups}"
        )
    out = weight.shape[1] * int(groups)
    check_shape(name, "bias", bias, (out,))
    steps = as_pair(name, "stride", stride, 1)
    margins = as_pair(name, "padding", padding, 0)
    spacing = as_pair(name, "dilation", dilation, 1)
    extra = as_pair(name, "output_padding", output_padding, 0)
    if any(e >= s for e, s in zip(extra, steps, strict=True)):
        raise ValueError(
            f"{name}: output_padding must be less than stride; got {output_padding!r} and "
            f"{stride!r}"
        )
    kernel: Any = weight.shape[2:]
    height, width = (
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            x.shape[2:], steps, margins, spacing, kernel, extra, strict=True
        )
    )
    if height < 1 or width < 1 or 0 in kernel:
        raise ValueError(
            f"{name}: the result would be empty for images of size {x.shape[2:]} with kernel "
            f"{kernel} and padding {padding!r}"
        )
    w = Windows((height, width), kernel, steps, margins, margins, spacing)
    y = to_images(x, weight, groups=int(groups), windows=w)
    if bias is not None:
        y = y + reshape(bias, (-1, 1, 1))
    return squeeze(y, axis=0) if single else y


def max_pool2d(
    x: Tensor, kernel_size: Two, stride: Two | None = None, padding: Two = 0, dilation: Two = 1
) -> Tensor:
    """Maximum over each window.

    Parameters
    ----------
    x : Tensor
        Real images of shape (n, channels, height, width), or one of shape (channels, height,
        width).
    kernel_size : int or tuple of two
        Size of a window.
    stride : int or tuple of two, optional
        Step between windows; by default their size.
    padding : int or tuple of two, optional
        Number of minus infinities to add on both sides of each axis; at most half a window.
    dilation : int or tuple of two, optional
        Step between points of a window.

    Returns
    -------
    Tensor
        Images of shape (n, channels, height, width), without the first axis if `x` has none.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.
    ValueError
        If a window does not fit into the images.

    Notes
    -----
    Among equal numbers, the first receives the whole gradient, as in PyTorch.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.max_pool2d(xp.reshape(xp.arange(16.0), (1, 1, 4, 4)), 2)
    Tensor([[[[ 5.,  7.],
              [13., 15.]]]], dtype=float64)
    """
    check_real("max_pool2d", x)
    x, single = _batch("max_pool2d", x)
    w = _pooling("max_pool2d", x, kernel_size, stride, padding, dilation)
    y = call("nn.max_pool", x, (), {"windows": w})
    return squeeze(y, axis=0) if single else y


def avg_pool2d(
    x: Tensor,
    kernel_size: Two,
    stride: Two | None = None,
    padding: Two = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """Mean over each window.

    Parameters
    ----------
    x : Tensor
        Images of shape (n, channels, height, width), or one of shape (channels, height, width).
        Integers and bools are converted to float64.
    kernel_size : int or tuple of two
        Size of a window.
    stride : int or tuple of two, optional
        Step between windows; by default their size.
    padding : int or tuple of two, optional
        Number of zeros to add on both sides of each axis; at most half a window.
    count_include_pad : bool, optional
        Whether these zeros are included in the mean.

    Returns
    -------
    Tensor
        Images of shape (n, channels, height, width), without the first axis if `x` has none.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If a window does not fit into the images.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.avg_pool2d(xp.reshape(xp.arange(16.0), (1, 1, 4, 4)), 2)
    Tensor([[[[ 2.5,  4.5],
              [10.5, 12.5]]]], dtype=float64)
    """
    x, single = _batch("avg_pool2d", x)
    x = as_floating(x)
    w = _pooling("avg_pool2d", x, kernel_size, stride, padding, 1)
    counts: Any = w.kernel[0] * w.kernel[1]
    if not count_include_pad and w.padded != w.size:
        ones = full((1, 1, *w.size), 1.0, dtype=x.dtype, device=x.device)
        counts = call("nn.window_sum", ones, (), {"windows": w})
    y = call("nn.window_sum", x, (), {"windows": w}) / counts
    return squeeze(y, axis=0) if single else y


def adaptive_avg_pool2d(x: Tensor, output_size: int | tuple[int | None, int | None]) -> Tensor:
    """Mean over a fixed number of windows, which divide images of any size.

    Parameters
    ----------
    x : Tensor
        Images of shape (n, channels, height, width), or one of shape (channels, height, width).
        Integers and bools are converted to float64.
    output_size : int or tuple of two
        Height and width of the result; None for the size of `x`. Neighbouring windows share pixels
        if a size is not a multiple of the new size.

    Returns
    -------
    Tensor
        Images of shape (n, channels, height, width), without the first axis if `x` has none.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `output_size` is not positive, or the images have no pixels.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.adaptive_avg_pool2d(xp.reshape(xp.arange(12.0), (1, 1, 3, 4)), (1, 2))
    Tensor([[[[4.5, 6.5]]]], dtype=float64)
    """
    name = "adaptive_avg_pool2d"
    x, single = _batch(name, x)
    x = as_floating(x)
    n, channels, height, width = x.shape
    sizes: Any = output_size
    if isinstance(sizes, (tuple, list)) and len(sizes) == 2:
        sizes = tuple(b if a is None else a for a, b in zip(sizes, (height, width), strict=True))
    rows, columns = as_pair(name, "output_size", sizes, 1)
    if not height or not width:
        raise ValueError(f"{name}: images must have pixels; got shape {x.shape}")
    if height % rows == 0 and width % columns == 0:
        blocks = (n, channels, rows, height // rows, columns, width // columns)
        y = mean(reshape(x, blocks), axis=(3, 5))
    else:
        y = _means(_means(x, rows, -2), columns, -1)
    return squeeze(y, axis=0) if single else y


def _means(x: Tensor, count: int, axis: int) -> Tensor:
    """Means over a number of windows along one of the last two axes."""
    size = x.shape[axis]
    parts = [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
    rest = (slice(None),) * (-1 - axis)
    return stack([mean(x[(..., part, *rest)], axis=axis) for part in parts], axis=axis)


def _pooling(
    name: str, x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> Windows:
    kernel = as_pair(name, "kernel_size", kernel_size, 1)
    w = _windows_on(name, x, kernel, kernel if stride is None else stride, padding, dilation)
    if any(2 * p > k for p, k in zip(w.before, kernel, strict=True)):
        raise ValueError(
            f"{name}: padding must be at most half of the kernel {kernel}; got {padding!r}"
        )
    return w
