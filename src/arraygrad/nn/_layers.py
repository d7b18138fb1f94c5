"""Layers: modules with PyTorch's parameters, parameter shapes and initial distributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, Never, TypeVar

from .. import _elementwise as xp
from .._creation import _shape, full, ones, zeros
from .._data_type import astype
from .._dispatch import check_tensor
from .._errors import as_int, as_number, describe, in_own_name
from .._hints import wrong_call
from .._indexing import take
from .._manipulation import expand_dims, reshape
from .._memory import bottom
from .._searching import where
from .._statistical import max as largest
from .._statistical import min as smallest
from .._typing import DeviceLike, DType, Tensor
from ..autodiff import is_recomputing, no_grad, stop_gradient, variable
from ..random import Generator, default_rng
from . import _rules
from ._checks import as_pair, as_real, as_single, check_shape, warn_of_promotion
from ._conv_pool import (
    One,
    Two,
    adaptive_avg_pool2d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose2d,
    max_pool2d,
)
from ._init import drawn
from ._module import Module
from ._rules import standardise

_T = TypeVar("_T")

# ---- functions


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Affine map: product with the transpose of a matrix, plus a vector.

    Parameters
    ----------
    x : Tensor
        Input of shape (..., in).
    weight : Tensor
        Matrix of shape (out, in).
    bias : Tensor, optional
        Vector of shape (out,).

    Returns
    -------
    Tensor
        Has shape (..., out). The dtypes of `x`, `weight` and `bias` are promoted.

    Raises
    ------
    TypeError
        If `x`, `weight` or `bias` is not a tensor.
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.linear(xp.ones((1, 3)), xp.ones((2, 3)), xp.asarray([0.0, 1.0]))
    Tensor([[3., 4.]], dtype=float64)
    """
    check_tensor("linear", x)
    check_tensor("linear: weight", weight)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: the last axis of x must have the size of the last axis of weight; got x of "
            f"shape {x.shape} and weight of shape {weight.shape}"
        )
    check_shape("linear", "bias", bias, weight.shape[:1])
    y = _rules.linear(x, weight)
    return y if bias is None else y + bias


def embedding(ids: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Look up rows of a matrix by their indices.

    Parameters
    ----------
    ids : Tensor
        Indices of rows, of an integer dtype and any shape.
    weight : Tensor
        Matrix of shape (rows, features).
    padding_idx : int, optional
        Index of a row that gets no gradient; a negative one counts from the end.

    Returns
    -------
    Tensor
        Has shape (..., features).

    Raises
    ------
    TypeError
        If `ids` is not a tensor of an integer dtype, or `weight` is not a tensor.
    IndexError
        If an index is negative or too large. (On the CPU; a GPU wraps around, because the host
        would have to wait to check.)
    ValueError
        If `weight` is not a matrix, or has no row `padding_idx`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.embedding(xp.asarray([[1, 1, 0]]), xp.asarray([[0.0, 1.0], [2.0, 3.0]]))
    Tensor([[[2., 3.],
             [2., 3.],
             [0., 1.]]], dtype=float64)
    """
    if not isinstance(ids, Tensor) or ids.dtype.kind not in "iu":
        raise TypeError(f"embedding: ids must be a Tensor of an integer dtype; got {describe(ids)}")
    check_tensor("embedding: weight", weight)
    if weight.ndim != 2:
        raise ValueError(
            f"embedding: weight must have shape (rows, features); got {describe(weight)}"
        )
    rows, features = weight.shape
    padding_idx = _padding_row("embedding", padding_idx, rows)
    known = ids.device.type == "cpu"  # where checking is cheap
    if known and ids.dtype.kind == "i" and ids.size:
        lowest = int(smallest(bottom(ids)))
        if lowest < 0:
            raise IndexError(f"embedding: ids must be from 0 to {rows - 1}; got {lowest}")
    try:
        out = take(weight, reshape(ids, (-1,)), axis=0)
    except IndexError as error:
        got = int(largest(bottom(ids)))
        raise IndexError(f"embedding: ids must be from 0 to {rows - 1}; got {got}") from error
    out = reshape(out, (*ids.shape, features))
    if padding_idx is None:
        return out
    padding = ids == padding_idx
    if not known and ids.dtype.kind == "i":
        padding = padding | (ids == padding_idx - rows)
    return where(expand_dims(padding, axis=-1), stop_gradient(out), out)


def _padding_row(name: str, i: int | None, rows: int) -> int | None:
    """Index of the padding row, counted from the start."""
    if i is None:
        return None
    i = as_int(name, "padding_idx", i)
    if not -rows <= i < rows:
        raise ValueError(f"{name}: padding_idx must be an index of one of {rows} rows; got {i}")
    return i % rows


def layer_norm(
    x: Tensor,
    normalized_shape: int | tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer normalization: standardise each sample to mean 0 and variance 1.

    Parameters
    ----------
    x : Tensor
        Real input of shape ``(..., *normalized_shape)``.
    normalized_shape : int or tuple of int
        Shape of the last axes of `x`, over which mean and variance are computed.
    weight, bias : Tensor, optional
        Factors and terms to apply afterwards, of shape `normalized_shape`.
    eps : float, optional
        Number added to the variance.

    Returns
    -------
    Tensor
        Has the shape of `x`. The dtypes of `x`, `weight` and `bias` are promoted.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or `x` is complex.
    ValueError
        If the last axes, `weight` or `bias` have another shape.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton: Layer normalization. arXiv:1607.06450.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.layer_norm(xp.asarray([[1.0, 3.0], [20.0, 20.0]]), 2, eps=0.0 + 1e-12)
    Tensor([[-1.,  1.],
            [ 0.,  0.]], dtype=float64)
    """
    x = as_real("layer_norm", x)
    shape = _shape(normalized_shape, "layer_norm")
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(f"layer_norm: the last axes of x must be {shape}; got shape {x.shape}")
    check_shape("layer_norm", "weight", weight, shape)
    check_shape("layer_norm", "bias", bias, shape)
    eps = as_number("layer_norm", "eps", eps)
    if x.ndim == 2 and len(shape) == 1:
        return standardise(x, weight, bias, (1,), eps)[0]
    rows = reshape(x, (math.prod(x.shape[: x.ndim - len(shape)]), math.prod(shape)))
    weight, bias = (p if p is None else reshape(p, (-1,)) for p in (weight, bias))
    return reshape(standardise(rows, weight, bias, (1,), eps)[0], x.shape)


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalization: standardise each channel to mean 0 and variance 1.

    Parameters
    ----------
    x : Tensor
        Real input of shape (n, channels, ...).
    running_mean, running_var : Tensor or None
        Running statistics of shape (channels,). With `training` they are updated in place;
        otherwise they are used to standardise.
    weight, bias : Tensor, optional
        Factors and terms of shape (channels,) to apply afterwards.
    training : bool, optional
        Whether to use the mean and variance of the batch.
    momentum : float, optional
        Weight of the batch in the update of the running statistics.
    eps : float, optional
        Number added to the variance.

    Returns
    -------
    Tensor
        Has the shape of `x`. The dtypes of `x`, `weight`, `bias` and, without `training`,
        the running statistics are promoted.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or `x` is complex.
    ValueError
        If there is no axis of channels, an argument has another shape, there is only one number per
        channel in training, or the running statistics are missing in evaluation.

    References
    ----------
    S. Ioffe, C. Szegedy: Batch normalization: accelerating deep network training by reducing
    internal covariate shift. ICML 2015.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> m, v = xp.zeros(1), xp.ones(1)
    >>> x = xp.asarray([[1.0], [3.0]])
    >>> nn.batch_norm(x, m, v, training=True, eps=1e-12)
    Tensor([[-1.],
            [ 1.]], dtype=float64)
    >>> m, v
    (Tensor([0.2], dtype=float64), Tensor([1.1], dtype=float64))
    """
    x = as_real("batch_norm", x)
    if x.ndim < 2:
        raise ValueError(f"batch_norm: x must have shape (n, channels, ...); got {x.shape}")
    for argument, given in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        check_shape("batch_norm", argument, given, x.shape[1:2])
    eps = as_number("batch_norm", "eps", eps)
    if not isinstance(momentum, Tensor):  # `BatchNorm2d` computes one, so that nothing waits
        momentum = as_number("batch_norm", "momentum", momentum)
    along = (1, x.shape[1], *(1,) * (x.ndim - 2))
    weight, bias = (p if p is None else reshape(p, along) for p in (weight, bias))
    if training:
        count = x.size // x.shape[1] if x.shape[1] else 0
        if count < 2:
            raise ValueError(
                f"batch_norm: training needs more than one value per channel; got {x.shape}"
            )
        y, average, variance = standardise(x, weight, bias, (0, *range(2, x.ndim)), eps)
        for running, new in (
            (running_mean, average),
            (running_var, stop_gradient(variance) * (count / (count - 1))),
        ):
            if running is not None and not is_recomputing():
                with no_grad():
                    new = reshape(stop_gradient(new), running.shape)
                    if running.dtype.itemsize < new.dtype.itemsize:  # of float16
                        new = astype(new, running.dtype)
                    if new._trace is not None:  # of a vmap: one write, which raises or not
                        running[...] = running * (1 - momentum) + momentum * new
                        continue
                    running *= 1 - momentum
                    running += momentum * new
    elif running_mean is None or running_var is None:
        raise ValueError("batch_norm: running_mean and running_var must be given if training=False")
    else:
        factor = 1 / xp.sqrt(reshape(running_var, along) + eps)
        y = (x - reshape(running_mean, along)) * (factor if weight is None else factor * weight)
        y = y if bias is None else y + bias
    return y


def _check_shared(name: str, x: Any, running: Any) -> None:
    """Raise if examples of a vmap would change averages that they share."""
    levels = []
    while running._trace is not None:
        levels.append(running._trace.level)
        running = running._primal
    while x._trace is not None:
        if x._trace.level.batched and x._trace.level not in levels:
            raise ValueError(
                f"{name}: inside of vmap the examples share the running averages, and each would "
                "change them; call eval() of the module first, or the module outside of vmap"
            )
        x = x._primal


def group_norm(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Group normalization: standardise groups of channels of each sample.

    Parameters
    ----------
    x : Tensor
        Real input of shape (n, channels, ...).
    num_groups : int
        Number of groups of consecutive channels, which divides the number of channels. Each group
        has its own mean and variance.
    weight, bias : Tensor, optional
        Factors and terms of shape (channels,) to apply afterwards.
    eps : float, optional
        Number added to the variance.

    Returns
    -------
    Tensor
        Has the shape of `x`. The dtypes of `x`, `weight` and `bias` are promoted.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or `x` is complex.
    ValueError
        If there is no axis of channels, the groups do not divide the channels, or `weight` or
        `bias` has another shape.

    References
    ----------
    Y. Wu, K. He: Group normalization. ECCV 2018.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.group_norm(xp.asarray([[1.0, 3.0, 20.0, 60.0]]), 2, eps=1e-12)
    Tensor([[-1.,  1., -1.,  1.]], dtype=float64)
    """
    x = as_real("group_norm", x)
    groups = as_int("group_norm", "num_groups", num_groups)
    if x.ndim < 2 or groups < 1 or x.shape[1] % groups:
        raise ValueError(
            f"group_norm: x must have shape (n, channels, ...), channels divisible by num_groups; "
            f"got shape {x.shape} and {groups} groups"
        )
    check_shape("group_norm", "weight", weight, x.shape[1:2])
    check_shape("group_norm", "bias", bias, x.shape[1:2])
    eps = as_number("group_norm", "eps", eps)
    along = (groups, x.shape[1] // groups)
    grouped = reshape(x, (x.shape[0], *along, math.prod(x.shape[2:])))
    weight, bias = (p if p is None else reshape(p, (*along, 1)) for p in (weight, bias))
    return reshape(standardise(grouped, weight, bias, (2, 3), eps)[0], x.shape)


@in_own_name("dropout")
def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, rng: Generator | None = None
) -> Tensor:
    """Set random elements to zero and scale up the others.

    Parameters
    ----------
    x : Tensor
        Input of any shape.
    p : float, optional
        Probability of a zero.
    training : bool, optional
        If False, `x` is returned unchanged.
    rng : Generator, optional
        Random generator; by default a new one.

    Returns
    -------
    Tensor
        Masked and rescaled tensor.

    Raises
    ------
    ValueError
        If `p` is not in [0, 1].

    Notes
    -----
    A function under `autodiff.checkpoint` draws the same numbers when it is recomputed.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: Dropout: a simple way
    to prevent neural networks from overfitting. JMLR 15 (2014).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.dropout(xp.ones(6), 0.5, rng=xp.random.default_rng(0))
    Tensor([2., 2., 2., 0., 0., 0.], dtype=float64)
    """
    check_tensor("dropout", x)
    p = _probability("dropout", p)
    if not training or p == 0:
        return x
    rng = default_rng(rng, device=x.device)
    retained = rng.random(x.shape, dtype="float32") >= p
    return where(retained, x * (1 / (1 - p)) if p < 1 else x, 0.0)


def _probability(name: str, p: Any) -> float:
    p = as_number(name, "p", p)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must be in [0, 1]; got {p!r}")
    return p


# ---- modules


def _uniform(shape: tuple[int, ...], fan_in: int, rng: Generator, dtype: DType | None) -> Any:
    """Initial parameter as in PyTorch: uniform between ±1 / √(fan in)."""
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    return variable(drawn(rng.uniform, -bound, bound, shape, dtype=dtype))


class Linear(Module):
    """Linear layer: `linear` with a weight matrix and a bias vector.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis of the input and the output.
    bias : bool, optional
        Whether to add a bias vector.
    rng : Generator, optional
        Generator of the initial values; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape (out_features, in_features) and (out_features,), initialised in this
        order with uniform numbers between ±1 / √in_features. `bias` may be None.
    in_features, out_features : int
        The arguments.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.Linear(3, 2, rng=xp.random.default_rng(0))
    >>> layer(xp.ones((5, 3))).shape
    (5, 2)
    """

    @in_own_name("Linear")
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        rng = default_rng(rng, device=device)
        shape = _shape((out_features, in_features), "Linear")
        self.out_features, self.in_features = shape
        self.weight: Any = _uniform(shape, in_features, rng, dtype)
        self.bias: Any = _uniform(shape[:1], in_features, rng, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """`linear` of `x`."""
        warn_of_promotion("Linear", x, self.weight)
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def _groups(name: str, groups: Any, in_channels: int, out_channels: int) -> int:
    """Number of groups, which must divide the channels."""
    whole = isinstance(groups, Integral) and int(groups) >= 1
    if not whole or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{name}: in_channels and out_channels must be multiples of groups; got "
            f"{in_channels}, {out_channels} and {groups}"
        )
    return int(groups)


class Conv2d(Module):
    """Convolution layer for images: `conv2d` with kernels and a bias.

    Parameters
    ----------
    in_channels, out_channels : int
        Numbers of channels of the input and the output.
    kernel_size : int or tuple of two
        Size of the window.
    stride, padding, dilation, groups : optional
        See the function.
    bias : bool, optional
        Whether to add a bias to each channel.
    rng : Generator, optional
        Generator of the initial values; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape ``(out_channels, in_channels / groups, *kernel_size)`` and
        (out_channels,), initialised in this order with uniform numbers between ±1 / √fan, where fan
        is the size of one kernel. `bias` may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.Conv2d(3, 8, 3, padding=1, rng=xp.random.default_rng(0))
    >>> layer(xp.ones((5, 3, 12, 12))).shape
    (5, 8, 12, 12)
    """

    @in_own_name("Conv2d")
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Two,
        stride: Two = 1,
        padding: Two | str = 0,
        dilation: Two = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        out_channels, in_channels = _shape((out_channels, in_channels), "Conv2d")
        groups = _groups("Conv2d", groups, in_channels, out_channels)
        rng = default_rng(rng, device=device)
        window = as_pair("Conv2d", "kernel_size", kernel_size, 1)
        shape = (out_channels, in_channels // groups, *window)
        fan_in = math.prod(shape[1:])
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, window
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight: Any = _uniform(shape, fan_in, rng, dtype)
        self.bias: Any = _uniform((out_channels,), fan_in, rng, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """`conv2d` of `x`."""
        warn_of_promotion("Conv2d", x, self.weight)
        return conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding!r}, dilation={self.dilation}, "
            f"groups={self.groups}, bias={self.bias is not None}"
        )


class Conv1d(Module):
    """Convolution layer for signals: `conv1d` with kernels and a bias.

    Parameters
    ----------
    in_channels, out_channels : int
        Numbers of channels of the input and the output.
    kernel_size : int
        Length of the window.
    stride, padding, dilation, groups : optional
        See the function.
    bias : bool, optional
        Whether to add a bias to each channel.
    rng : Generator, optional
        Generator of the initial values; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape (out_channels, in_channels / groups, kernel_size) and (out_channels,),
        initialised in this order with uniform numbers between ±1 / √fan, where fan is the size of
        one kernel. `bias` may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.Conv1d(3, 8, 5, padding="same", rng=xp.random.default_rng(0))
    >>> layer(xp.ones((4, 3, 20))).shape
    (4, 8, 20)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: One,
        stride: One = 1,
        padding: One | str = 0,
        dilation: One = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        out_channels, in_channels = _shape((out_channels, in_channels), "Conv1d")
        groups = _groups("Conv1d", groups, in_channels, out_channels)
        rng = default_rng(rng, device=device)
        size = as_single("Conv1d", "kernel_size", kernel_size, 1)
        shape = (out_channels, in_channels // groups, size)
        fan_in = math.prod(shape[1:])
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, size
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight: Any = _uniform(shape, fan_in, rng, dtype)
        self.bias: Any = _uniform((out_channels,), fan_in, rng, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """`conv1d` of `x`."""
        warn_of_promotion("Conv1d", x, self.weight)
        return conv1d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding!r}, dilation={self.dilation}, "
            f"groups={self.groups}, bias={self.bias is not None}"
        )


class ConvTranspose2d(Module):
    """Transposed convolution layer for images: `conv_transpose2d` with kernels and a bias.

    Parameters
    ----------
    in_channels, out_channels : int
        Numbers of channels of the input and the output.
    kernel_size : int or tuple of two
        Size of the window.
    stride, padding, output_padding, groups, dilation : optional
        See the function.
    bias : bool, optional
        Whether to add a bias to each channel.
    rng : Generator, optional
        Generator of the initial values; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape ``(in_channels, out_channels / groups, *kernel_size)`` and
        (out_channels,), initialised in this order with uniform numbers between ±1 / √fan, where fan
        is the size of ``weight[0]``. `bias` may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1, rng=xp.random.default_rng(0))
    >>> layer(xp.ones((5, 8, 6, 6))).shape
    (5, 3, 12, 12)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Two,
        stride: Two = 1,
        padding: Two = 0,
        output_padding: Two = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Two = 1,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        name = "ConvTranspose2d"
        out_channels, in_channels = _shape((out_channels, in_channels), name)
        groups = _groups(name, groups, in_channels, out_channels)
        rng = default_rng(rng, device=device)
        window = as_pair(name, "kernel_size", kernel_size, 1)
        shape = (in_channels, out_channels // groups, *window)
        fan_in = math.prod(shape[1:])
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, window
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        self.groups, self.dilation = groups, dilation
        self.weight: Any = _uniform(shape, fan_in, rng, dtype)
        self.bias: Any = _uniform((out_channels,), fan_in, rng, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """`conv_transpose2d` of `x`."""
        warn_of_promotion("ConvTranspose2d", x, self.weight)
        return conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, output_padding={self.output_padding}, "
            f"dilation={self.dilation}, groups={self.groups}, bias={self.bias is not None}"
        )


class MaxPool2d(Module):
    """`max_pool2d` as a module.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.MaxPool2d(2)(xp.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    def __init__(
        self, kernel_size: Two, stride: Two | None = None, padding: Two = 0, dilation: Two = 1
    ) -> None:
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.dilation = padding, dilation

    def forward(self, x: Tensor) -> Tensor:
        """`max_pool2d` of `x`."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        """Parameters of the module, for its text."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}"
        )


class AvgPool2d(Module):
    """`avg_pool2d` as a module.

    Parameters
    ----------
    kernel_size, stride, padding, count_include_pad : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.AvgPool2d(2)(xp.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    def __init__(
        self,
        kernel_size: Two,
        stride: Two | None = None,
        padding: Two = 0,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.count_include_pad = padding, count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        """`avg_pool2d` of `x`."""
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.count_include_pad)

    def extra_repr(self) -> str:
        """Parameters of the module, for its text."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """`adaptive_avg_pool2d` as a module.

    Parameters
    ----------
    output_size : int or tuple of two
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.AdaptiveAvgPool2d(1)(xp.ones((5, 3, 7, 9))).shape
    (5, 3, 1, 1)
    """

    def __init__(self, output_size: int | tuple[int | None, int | None]) -> None:
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """`adaptive_avg_pool2d` of `x`."""
        return adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"output_size={self.output_size}"


class Embedding(Module):
    """Embedding layer: a vector for each index, looked up by `embedding`.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Number of vectors, and their size.
    padding_idx : int, optional
        Index of a vector that is zero and is not trained.
    rng : Generator, optional
        Generator of the initial values; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight : Tensor
        Parameter of shape (num_embeddings, embedding_dim), initialised with standard normal
        numbers.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Embedding(10, 4)(xp.asarray([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    @in_own_name("Embedding")
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        shape = _shape((num_embeddings, embedding_dim), "Embedding")
        padding_idx = _padding_row("Embedding", padding_idx, shape[0])
        rng = default_rng(rng, device=device)
        weight = drawn(rng.standard_normal, shape, dtype=dtype)
        if padding_idx is not None:
            weight[padding_idx, :] = 0.0
        self.num_embeddings, self.embedding_dim = shape
        self.padding_idx = padding_idx
        self.weight: Any = variable(weight)

    def forward(self, ids: Tensor) -> Tensor:
        """`embedding` of `ids`."""
        return embedding(ids, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class LayerNorm(Module):
    """Layer normalization: `layer_norm` with learnable factors and terms.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Shape of the last axes of the input.
    eps : float, optional
        Number added to the variance.
    elementwise_affine, bias : bool, optional
        Whether there are learnable factors and terms, and, if so, whether there are terms.
    device, dtype : optional
        Device and dtype of the parameters; by default the default device and dtype.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape `normalized_shape`, initialised to 1 and 0. They may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.LayerNorm(4)(xp.ones((2, 4)))
    Tensor([[0., 0., 0., 0.],
            [0., 0., 0., 0.]], dtype=float64, grad_fn=<nn.scale>)
    """

    @in_own_name("LayerNorm")
    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        self.normalized_shape, self.eps = _shape(normalized_shape, "LayerNorm"), eps
        self.weight: Any = None
        self.bias: Any = None
        if elementwise_affine:
            self.weight = variable(ones(self.normalized_shape, dtype=dtype, device=device))
        if elementwise_affine and bias:
            self.bias = variable(zeros(self.normalized_shape, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        """`layer_norm` of `x`."""
        warn_of_promotion("LayerNorm", x, self.weight)
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Parameters of the module, for its text."""
        return f"{self.normalized_shape}, eps={self.eps}"


class GroupNorm(Module):
    """Group normalization: `group_norm` with learnable factors and terms.

    Parameters
    ----------
    num_groups, num_channels : int
        Number of groups, and of channels of the input.
    eps : float, optional
        Number added to the variance.
    affine : bool, optional
        Whether there are learnable factors and terms.
    device, dtype : optional
        Device and dtype of the parameters; by default the default device and dtype.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape (num_channels,), initialised to 1 and 0. They may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.GroupNorm(2, 6)(xp.ones((2, 6, 4, 4))).shape
    (2, 6, 4, 4)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        num_groups, num_channels = _shape((num_groups, num_channels), "GroupNorm")
        if not num_groups or num_channels % num_groups:
            raise ValueError(
                "GroupNorm: num_channels must be a multiple of num_groups; got "
                f"{num_channels} and {num_groups}"
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight: Any = None
        self.bias: Any = None
        if affine:
            self.weight = variable(ones(num_channels, dtype=dtype, device=device))
            self.bias = variable(zeros(num_channels, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        """`group_norm` of `x`."""
        warn_of_promotion("GroupNorm", x, self.weight)
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Parameters of the module, for its text."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class BatchNorm(Module):
    """Base class of batch normalization layers, which differ in the shapes that they accept."""

    _shapes: tuple[str, ...]  # names of the axes after that of the channels

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        name = self._name()
        (num_features,) = _shape((num_features,), name)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight: Any = None
        self.bias: Any = None
        self.running_mean: Any = None
        self.running_var: Any = None
        self.num_batches_tracked: Any = None
        make_ones, make_zeros = in_own_name(name)(ones), in_own_name(name)(zeros)
        if affine:
            self.weight = variable(make_ones(num_features, dtype=dtype, device=device))
            self.bias = variable(make_zeros(num_features, dtype=dtype, device=device))
        if track_running_stats:
            self.running_mean = make_zeros(num_features, dtype=dtype, device=device)
            self.running_var = make_ones(num_features, dtype=dtype, device=device)
            self.num_batches_tracked = full((), 0, device=device)

    @classmethod
    def _name(cls) -> str:
        return next(c.__name__ for c in cls.__mro__ if "_shapes" in vars(c))

    def forward(self, x: Tensor) -> Tensor:
        """`batch_norm` of `x`."""
        name = self._name()
        check_tensor(name, x)
        axes = [2 + names.count(",") for names in self._shapes]
        if x.ndim not in axes or x.shape[1] != self.num_features:
            shapes = " or ".join(f"(n, {self.num_features}{names})" for names in self._shapes)
            raise ValueError(f"{name}: the input must have shape {shapes}; got {x.shape}")
        warn_of_promotion(name, x, self.weight)
        tracked = self.running_mean is not None
        momentum: Any = 0.0 if self.momentum is None else self.momentum
        if self.training and tracked:
            _check_shared(name, x, self.running_mean)
            if not is_recomputing():
                self.num_batches_tracked += 1
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked
        return batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not tracked,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """Parameters of the module, for its text."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(BatchNorm):
    """Batch normalization of features or sequences, of shape (n, channels) or (n, channels, l).

    Parameters
    ----------
    num_features : int
        Number of channels of the input.
    eps : float, optional
        Number added to the variance.
    momentum : float or None, optional
        Weight of a batch in the update of the running statistics. None averages over all batches
        with equal weights.
    affine : bool, optional
        Whether there are learnable factors and terms.
    track_running_stats : bool, optional
        Whether to track a running mean and variance, for `eval`.
    device, dtype : optional
        Device and dtype of the parameters; by default the default device and dtype.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape (num_features,), initialised to 1 and 0. They may be None.
    running_mean, running_var, num_batches_tracked : Tensor
        Buffers, initialised to 0, 1 and 0. They may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.BatchNorm1d(3)
    >>> layer(xp.asarray([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).shape
    (2, 3)
    >>> layer.running_mean
    Tensor([0.2, 0.2, 0.2], dtype=float64)
    """

    _shapes = ("", ", l")


class BatchNorm2d(BatchNorm):
    """Batch normalization of images, of shape (n, channels, h, w).

    Parameters
    ----------
    num_features : int
        Number of channels of the input.
    eps : float, optional
        Number added to the variance.
    momentum : float or None, optional
        Weight of a batch in the update of the running statistics. None averages over all batches
        with equal weights.
    affine : bool, optional
        Whether there are learnable factors and terms.
    track_running_stats : bool, optional
        Whether to track a running mean and variance, for `eval`.
    device, dtype : optional
        Device and dtype of the parameters; by default the default device and dtype.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape (num_features,), initialised to 1 and 0. They may be None.
    running_mean, running_var, num_batches_tracked : Tensor
        Buffers, initialised to 0, 1 and 0. They may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.BatchNorm2d(3)
    >>> layer(xp.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    >>> layer.running_mean
    Tensor([0.1, 0.1, 0.1], dtype=float64)
    """

    _shapes = (", h, w",)


class BatchNorm3d(BatchNorm):
    """Batch normalization of volumes, of shape (n, channels, d, h, w).

    Parameters
    ----------
    num_features : int
        Number of channels of the input.
    eps : float, optional
        Number added to the variance.
    momentum : float or None, optional
        Weight of a batch in the update of the running statistics. None averages over all batches
        with equal weights.
    affine : bool, optional
        Whether there are learnable factors and terms.
    track_running_stats : bool, optional
        Whether to track a running mean and variance, for `eval`.
    device, dtype : optional
        Device and dtype of the parameters; by default the default device and dtype.

    Attributes
    ----------
    weight, bias : Tensor
        Parameters of shape (num_features,), initialised to 1 and 0. They may be None.
    running_mean, running_var, num_batches_tracked : Tensor
        Buffers, initialised to 0, 1 and 0. They may be None.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.BatchNorm3d(3)
    >>> layer(xp.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 4, 4, 4)
    """

    _shapes = (", d, h, w",)


class Dropout(Module):
    """Dropout layer: `dropout`, active only in training.

    Parameters
    ----------
    p : float, optional
        Probability of a zero.
    rng : Generator, optional
        Random generator; by default a new one.
    device : optional
        Device of a new generator; by default the default device.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> layer = nn.Dropout(0.5, rng=xp.random.default_rng(0))
    >>> layer(xp.ones(4))
    Tensor([2., 2., 2., 0.], dtype=float64)
    >>> layer.eval()(xp.ones(4))
    Tensor([1., 1., 1., 1.], dtype=float64)
    """

    @in_own_name("Dropout")
    def __init__(
        self,
        p: float = 0.5,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        **other: Never,
    ) -> None:
        if other:
            raise wrong_call("nn.Dropout", locals())
        self.p, self.rng = _probability("Dropout", p), default_rng(rng, device=device)

    def forward(self, x: Tensor) -> Tensor:
        """`dropout` of `x`."""
        if not self.training:
            return x
        return dropout(x, self.p, rng=self.rng)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"p={self.p}"


class Identity(Module):
    """Module that returns its argument, as a placeholder.

    Parameters
    ----------
    *args, **kwargs : object
        Ignored, so that it can replace any module.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    >>> model[1] = nn.Identity()  # the features before the last layer
    >>> model(xp.ones((5, 4))).shape
    (5, 8)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def forward(self, x: _T) -> _T:
        """`x` itself."""
        return x


class Flatten(Module):
    """Flatten a range of axes into one.

    Parameters
    ----------
    start_axis, end_axis : int, optional
        First and last axis of the range.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Flatten()(xp.ones((5, 3, 4, 4))).shape
    (5, 48)
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        self.start_axis = as_int("Flatten", "start_axis", start_axis)
        self.end_axis = as_int("Flatten", "end_axis", end_axis)

    def forward(self, x: Tensor) -> Tensor:
        """`x`, reshaped."""
        check_tensor("Flatten", x)
        first, last = self.start_axis, self.end_axis
        ndim = max(x.ndim, 1)  # a tensor without axes becomes a vector
        if not (-ndim <= first < ndim and -ndim <= last < ndim):
            raise ValueError(f"Flatten: axes {first} to {last} do not exist; got shape {x.shape}")
        first, last = first % ndim, last % ndim
        if first > last:
            raise ValueError(
                f"Flatten: start_axis must not come after end_axis; got axes {first} and {last} of "
                f"shape {x.shape}"
            )
        size = math.prod(x.shape[first : last + 1])
        return reshape(x, (*x.shape[:first], size, *x.shape[last + 1 :]))

    def extra_repr(self) -> str:
        """Axes of the range, for the text."""
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Sequential(Module):
    """Chain of modules or functions.

    Parameters
    ----------
    *layers : Module or callable
        Layers; each is called with the result of the previous one.

    Notes
    -----
    ``model[i]`` is a layer, and can be assigned; ``model[a:b]`` is a `Sequential` of these layers,
    renumbered from 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.relu, nn.Linear(8, 2))
    >>> model
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (2): Linear(in_features=8, out_features=2, bias=True)
    )
    >>> model(xp.ones((5, 4))).shape
    (5, 2)
    >>> model[2] = nn.Linear(8, 3)  # another last layer
    >>> model(xp.ones((5, 4))).shape
    (5, 3)
    >>> model[:-1](xp.ones((5, 4))).shape  # without it
    (5, 8)
    """

    def __init__(self, *layers: Module | Callable[..., Any]) -> None:
        for i, layer in enumerate(layers):
            self._set(str(i), layer)  # so that names are "0.weight", as in PyTorch

    def _set(self, name: str, layer: Any) -> None:
        if not callable(layer):
            raise TypeError(f"Sequential: expected modules or functions; got {describe(layer)}")
        vars(self)[name] = layer

    def forward(self, x: Tensor) -> Tensor:
        """Result of the last layer."""
        for layer in self:
            x = layer(x)
        return x

    def append(self, layer: Module | Callable[..., Any]) -> Sequential:
        """Add a layer at the end.

        Parameters
        ----------
        layer : Module or callable
            Layer to add.

        Returns
        -------
        Sequential
            This module.
        """
        self._set(str(len(self)), layer)
        return self

    def __iter__(self) -> Iterator[Any]:
        return (layer for name, layer in vars(self).items() if name.isdecimal())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, i: int | slice) -> Any:
        found = list(self)[i]
        return Sequential(*found) if isinstance(i, slice) else found

    def __setitem__(self, i: int, layer: Module | Callable[..., Any]) -> None:
        self._set([name for name in vars(self) if name.isdecimal()][i], layer)
