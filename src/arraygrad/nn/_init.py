"""Parameter initialisation that preserves the variance of activations or gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .._creation import _shape
from .._data_type import astype
from .._dtypes import as_dtype, float16, float32
from .._errors import as_number, describe, in_own_name
from .._typing import DeviceLike, DType, Shape, Tensor
from ..random import Generator, default_rng


def drawn(draw: Callable[..., Tensor], *args: Any, dtype: DType | None) -> Tensor:
    """Random numbers of any real dtype; those of float16 are drawn in float32 and rounded."""
    if as_dtype(dtype, "dtype") == float16:
        return astype(draw(*args, dtype=float32), float16)
    return draw(*args, dtype=dtype)


def _fans(function: str, shape: Any) -> tuple[int, int]:
    """Fan in and fan out of a weight."""
    sizes = _shape(shape, function)
    if len(sizes) < 2:
        raise ValueError(f"{function}: shape must be (out, in, ...); got {shape!r}")
    window = math.prod(sizes[2:])
    return sizes[1] * window, sizes[0] * window


def _fan(function: str, shape: Any, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{function}: mode must be 'fan_in' or 'fan_out'; got {mode!r}")
    return _fans(function, shape)[mode == "fan_out"]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Recommended gain for a nonlinearity.

    Parameters
    ----------
    nonlinearity : str
        ``"linear"``, ``"conv2d"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"`` or
        ``"selu"``.
    param : float, optional
        Slope of ``"leaky_relu"`` for negative numbers; by default 0.01.

    Returns
    -------
    float
        Gain, with PyTorch's values.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from arraygrad import nn
    >>> round(nn.calculate_gain("relu"), 6)
    1.414214
    """
    names = [*_GAINS, "leaky_relu"]
    if nonlinearity not in names:
        raise ValueError(
            f"calculate_gain: nonlinearity must be one of {', '.join(names)}; "
            f"got {describe(nonlinearity)}"
        )
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else as_number("calculate_gain", "param", param)
        return math.sqrt(2 / (1 + slope**2))
    return _GAINS[nonlinearity]


_GAINS = {
    "linear": 1.0, "conv2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2),
    "selu": 0.75,
}  # fmt: skip


@in_own_name("xavier_uniform")
def xavier_uniform(
    shape: Shape,
    gain: float = 1.0,
    *,
    rng: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Uniform random numbers with variance 2 gain² / (fan in + fan out).

    Parameters
    ----------
    shape : tuple of int
        Shape (out, in, ...); further axes are the window of a convolution.
    gain : float, optional
        Scaling factor; see `calculate_gain`.
    rng : Generator, optional
        Generator of the numbers; by default a new one.
    dtype, device : optional
        Dtype and device of the result; by default `default_dtype` and the generator's device.

    Returns
    -------
    Tensor
        Initial values; call `requires_grad_` to make a parameter of them.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes.

    References
    ----------
    X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural
    networks. AISTATS 2010.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> w = nn.xavier_uniform((20, 40), rng=xp.random.default_rng(0))
    >>> bool(xp.all(xp.abs(w) <= (6 / 60) ** 0.5))
    True
    """
    fans = sum(_fans("xavier_uniform", shape))
    bound = as_number("xavier_uniform", "gain", gain) * math.sqrt(6 / fans) if fans else 0.0
    return drawn(default_rng(rng, device=device).uniform, -bound, bound, shape, dtype=dtype)


@in_own_name("xavier_normal")
def xavier_normal(
    shape: Shape,
    gain: float = 1.0,
    *,
    rng: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Normal random numbers with variance 2 gain² / (fan in + fan out).

    Parameters
    ----------
    shape : tuple of int
        Shape (out, in, ...); further axes are the window of a convolution.
    gain : float, optional
        Scaling factor; see `calculate_gain`.
    rng : Generator, optional
        Generator of the numbers; by default a new one.
    dtype, device : optional
        Dtype and device of the result; by default `default_dtype` and the generator's device.

    Returns
    -------
    Tensor
        Initial values; call `requires_grad_` to make a parameter of them.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes.

    References
    ----------
    X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural
    networks. AISTATS 2010.

    Examples
    --------
    >>> from arraygrad import nn
    >>> nn.xavier_normal((20, 40)).shape
    (20, 40)
    """
    fans = sum(_fans("xavier_normal", shape))
    std = as_number("xavier_normal", "gain", gain) * math.sqrt(2 / fans) if fans else 0.0
    return drawn(default_rng(rng, device=device).normal, 0.0, std, shape, dtype=dtype)


@in_own_name("kaiming_uniform")
def kaiming_uniform(
    shape: Shape,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Uniform random numbers with variance gain² / fan.

    Parameters
    ----------
    shape : tuple of int
        Shape (out, in, ...); further axes are the window of a convolution.
    a : float, optional
        Slope of ``"leaky_relu"`` for negative numbers.
    mode : str, optional
        ``"fan_in"`` preserves the variance of activations, ``"fan_out"`` that of gradients.
    nonlinearity : str, optional
        Nonlinearity for the gain; see `calculate_gain`.
    rng : Generator, optional
        Generator of the numbers; by default a new one.
    dtype, device : optional
        Dtype and device of the result; by default `default_dtype` and the generator's device.

    Returns
    -------
    Tensor
        Initial values; call `requires_grad_` to make a parameter of them.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes, or `mode` or `nonlinearity` is unknown.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification. ICCV 2015.

    Examples
    --------
    >>> from arraygrad import nn
    >>> nn.kaiming_uniform((8, 3, 5, 5), nonlinearity="relu").shape
    (8, 3, 5, 5)
    """
    fan = _fan("kaiming_uniform", shape, mode)
    bound = (
        calculate_gain(nonlinearity, as_number("kaiming_uniform", "a", a)) * math.sqrt(3 / fan)
        if fan
        else 0.0
    )
    return drawn(default_rng(rng, device=device).uniform, -bound, bound, shape, dtype=dtype)


@in_own_name("kaiming_normal")
def kaiming_normal(
    shape: Shape,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Normal random numbers with variance gain² / fan.

    Parameters
    ----------
    shape : tuple of int
        Shape (out, in, ...); further axes are the window of a convolution.
    a : float, optional
        Slope of ``"leaky_relu"`` for negative numbers.
    mode : str, optional
        ``"fan_in"`` preserves the variance of activations, ``"fan_out"`` that of gradients.
    nonlinearity : str, optional
        Nonlinearity for the gain; see `calculate_gain`.
    rng : Generator, optional
        Generator of the numbers; by default a new one.
    dtype, device : optional
        Dtype and device of the result; by default `default_dtype` and the generator's device.

    Returns
    -------
    Tensor
        Initial values; call `requires_grad_` to make a parameter of them.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes, or `mode` or `nonlinearity` is unknown.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification. ICCV 2015.

    Examples
    --------
    >>> from arraygrad import nn
    >>> nn.kaiming_normal((8, 3, 5, 5), mode="fan_out").shape
    (8, 3, 5, 5)
    """
    fan = _fan("kaiming_normal", shape, mode)
    std = (
        calculate_gain(nonlinearity, as_number("kaiming_normal", "a", a)) / math.sqrt(fan)
        if fan
        else 0.0
    )
    return drawn(default_rng(rng, device=device).normal, 0.0, std, shape, dtype=dtype)
