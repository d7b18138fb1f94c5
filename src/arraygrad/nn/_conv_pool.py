"""Convolution and pooling: functions of windows that slide over the last two axes of images."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from .._backends.common.nn import Image, Windows
from .._creation import full
from .._dispatch import call, check_tensor
from .._errors import describe
from .._manipulation import expand_dims, squeeze
from .._typing import Tensor
from ._checks import as_floating, as_pair, check_real, check_shape
from ._rules import convolve

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
    """Images with an axis for the batch, and whether `x` is a single one without that axis."""
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
        Number of groups of channels, each of which has its own kernels.

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
    out, inside = weight.shape[:2]
    whole = (type(groups) is int or isinstance(groups, Integral)) and groups >= 1
    if not whole or out % groups or x.shape[1] != inside * groups:
        raise ValueError(
            f"conv2d: weight must have shape (out, in / groups, h, w), out divisible by groups; "
            f"got images of {x.shape[1]} channels, weight of shape {weight.shape}, groups={groups}"
        )
    check_shape("conv2d", "bias", bias, (out,))
    y = convolve(x, weight, bias, groups=int(groups), windows=w)
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
    Among equal numbers the first receives all of the gradient, as in PyTorch.

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
