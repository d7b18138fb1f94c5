"""Activations, as functions and as modules. Values and gradients are finite for large arguments."""

from __future__ import annotations

from typing import Never

from .. import _elementwise as xp
from .._dispatch import call
from .._errors import as_int, as_number
from .._hints import wrong_call
from .._searching import where
from .._typing import Tensor
from ._checks import as_real, check_real
from ._module import Module
from ._rules import log_softmax as _log_softmax
from ._rules import relu as _relu
from ._rules import sigmoid as _sigmoid


def relu(x: Tensor, *more: Never, **other: Never) -> Tensor:
    """Rectified linear unit, max(x, 0).

    Parameters
    ----------
    x : Tensor
        Real input of any shape.

    Returns
    -------
    Tensor
        Result with the shape of `x`. The derivative at 0 is 0.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.relu(xp.asarray([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float64)
    """
    if more or other:
        raise wrong_call("nn.relu", locals())
    check_real("relu", x)
    return _relu(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Leaky rectified linear unit: x for positive numbers, `negative_slope` · x for others.

    Parameters
    ----------
    x : Tensor
        Real input of any shape.
    negative_slope : float, optional
        Slope for negative numbers.

    Returns
    -------
    Tensor
        Result with the shape of `x`. The derivative at 0 is `negative_slope`, as in PyTorch.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.leaky_relu(xp.asarray([-1.0, 2.0]))
    Tensor([-0.01,  2.  ], dtype=float64)
    """
    x = as_real("leaky_relu", x)
    return where(x > 0, x, as_number("leaky_relu", "negative_slope", negative_slope) * x)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: x for positive numbers, `alpha` · (exp(x) - 1) for others.

    Parameters
    ----------
    x : Tensor
        Real input of any shape.
    alpha : float, optional
        Scale for negative numbers; the limit for large negative numbers is ``-alpha``.

    Returns
    -------
    Tensor
        Result with the shape of `x`. The derivative at 0 is `alpha`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter: Fast and accurate deep network learning by
    exponential linear units (ELUs). ICLR 2016.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.elu(xp.asarray([-1e4, -1.0, 2.0]))
    Tensor([-1.        , -0.63212056,  2.        ], dtype=float64)
    """
    x = as_real("elu", x)
    positive = x > 0
    below = xp.expm1(where(positive, 0.0, x))  # the exponential of large numbers would overflow
    return where(positive, x, as_number("elu", "alpha", alpha) * below)


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """Smooth approximation of `relu`: log(1 + exp(`beta` · x)) / `beta`.

    Parameters
    ----------
    x : Tensor
        Real input of any shape.
    beta : float, optional
        Sharpness of the bend at 0; positive.

    Returns
    -------
    Tensor
        Result with the shape of `x`. It is accurate for all numbers, so PyTorch's parameter
        `threshold` is not needed.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.
    ValueError
        If `beta` is not positive.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.softplus(xp.asarray([-1e4, 0.0, 1e4]))
    Tensor([0.00000000e+00, 6.93147181e-01, 1.00000000e+04], dtype=float64)
    """
    x, beta = as_real("softplus", x), as_number("softplus", "beta", beta)
    if not beta > 0:
        raise ValueError(f"softplus: beta must be positive; got {beta!r}")
    return call("nn.softplus", x) if beta == 1 else call("nn.softplus", beta * x) / beta


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent.

    Parameters
    ----------
    x : Tensor
        Input of any shape.

    Returns
    -------
    Tensor
        See `arraygrad.tanh`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.tanh(xp.asarray([0.0, 100.0]))
    Tensor([0., 1.], dtype=float64)
    """
    return xp.tanh(x)


def sigmoid(x: Tensor) -> Tensor:
    """Logistic function 1 / (1 + exp(-x)), also accurate for large negative numbers.

    Parameters
    ----------
    x : Tensor
        Real input of any shape.

    Returns
    -------
    Tensor
        Values from 0 to 1.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.sigmoid(xp.asarray([-1e4, 0.0, 1e4]))
    Tensor([0. , 0.5, 1. ], dtype=float64)
    """
    return _sigmoid(as_real("sigmoid", x))


def silu(x: Tensor) -> Tensor:
    """Sigmoid linear unit x · sigmoid(x), also known as swish.

    Parameters
    ----------
    x : Tensor
        Real input of any shape.

    Returns
    -------
    Tensor
        Result with the shape of `x`; 0 at minus infinity.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.

    References
    ----------
    S. Elfwing, E. Uchibe, K. Doya: Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning. Neural Networks 107 (2018).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.silu(xp.asarray([-1e4, 0.0, 1e4]))
    Tensor([   -0.,     0., 10000.], dtype=float64)
    """
    return call("nn.silu", as_real("silu", x))


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Gaussian error linear unit x · Φ(x), where Φ is the standard normal distribution function.

    Parameters
    ----------
    x : Tensor
        Real input of any shape.
    approximate : str, optional
        ``"none"``, or ``"tanh"`` for x · (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. ``"none"``
        requires SciPy on the CPU, except in single precision.

    Returns
    -------
    Tensor
        Result with the shape of `x`; 0 at minus infinity.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or is complex.
    ValueError
        If `approximate` is unknown.

    References
    ----------
    D. Hendrycks, K. Gimpel: Gaussian error linear units. arXiv:1606.08415.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.gelu(xp.asarray([-1e4, 0.0, 1.0]))
    Tensor([-0.        ,  0.        ,  0.84134475], dtype=float64)
    >>> nn.gelu(xp.asarray([1.0]), approximate="tanh")
    Tensor([0.84119199], dtype=float64)
    """
    x = as_real("gelu", x)
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}")
    return call("nn.gelu" if approximate == "none" else "nn.gelu_tanh", x)


def log_softmax(x: Tensor, axis: int = -1, *more: Never, **other: Never) -> Tensor:
    """Logarithm of `softmax`, accurate even where `softmax` underflows.

    Parameters
    ----------
    x : Tensor
        Real scores of any shape.
    axis : int, optional
        Axis to normalise over.

    Returns
    -------
    Tensor
        Log-probabilities with the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor or is complex, or `axis` is not an int.
    ValueError
        If the axis does not exist.

    Notes
    -----
    Infinite scores are treated as the limit of large ones; equal infinite scores as equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.log_softmax(xp.asarray([1e4, 0.0, -xp.inf]))
    Tensor([     0., -10000.,    -inf], dtype=float64)
    """
    if more or other:
        raise wrong_call("nn.log_softmax", locals())
    return _log_softmax(as_real("log_softmax", x), as_int("log_softmax", "axis", axis))


def softmax(x: Tensor, axis: int = -1, *more: Never, **other: Never) -> Tensor:
    """Softmax: exponentials divided by their sum.

    Parameters
    ----------
    x : Tensor
        Real scores of any shape.
    axis : int, optional
        Axis to normalise over.

    Returns
    -------
    Tensor
        Probabilities with the shape of `x`, which sum to 1 along the axis.

    Raises
    ------
    TypeError
        If `x` is not a tensor or is complex, or `axis` is not an int.
    ValueError
        If the axis does not exist.

    Notes
    -----
    Infinite scores are treated as the limit of large ones; equal infinite scores as equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.softmax(xp.asarray([1e4, 1e4, -1e4]))
    Tensor([0.5, 0.5, 0. ], dtype=float64)
    """
    if more or other:
        raise wrong_call("nn.softmax", locals())
    return call("nn.softmax", as_real("softmax", x), (), {"axis": as_int("softmax", "axis", axis)})


# ---- as modules


class ReLU(Module):
    """`relu` as a module.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.ReLU()(xp.asarray([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float64)
    """

    def __init__(self, **other: Never) -> None:
        if other:
            raise wrong_call("nn.ReLU", locals())

    def forward(self, x: Tensor) -> Tensor:
        """`relu` of `x`."""
        return relu(x)


class LeakyReLU(Module):
    """`leaky_relu` as a module.

    Parameters
    ----------
    negative_slope : float, optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.LeakyReLU(0.5)(xp.asarray([-1.0, 2.0]))
    Tensor([-0.5,  2. ], dtype=float64)
    """

    def __init__(self, negative_slope: float = 0.01, **other: Never) -> None:
        if other:
            raise wrong_call("nn.LeakyReLU", locals())
        self.negative_slope = as_number("LeakyReLU", "negative_slope", negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        """`leaky_relu` of `x`."""
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """`elu` as a module.

    Parameters
    ----------
    alpha : float, optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.ELU()(xp.asarray([-1e4, 2.0]))
    Tensor([-1.,  2.], dtype=float64)
    """

    def __init__(self, alpha: float = 1.0, **other: Never) -> None:
        if other:
            raise wrong_call("nn.ELU", locals())
        self.alpha = as_number("ELU", "alpha", alpha)

    def forward(self, x: Tensor) -> Tensor:
        """`elu` of `x`."""
        return elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"alpha={self.alpha}"


class Softplus(Module):
    """`softplus` as a module.

    Parameters
    ----------
    beta : float, optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Softplus()(xp.asarray([0.0]))
    Tensor([0.69314718], dtype=float64)
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = as_number("Softplus", "beta", beta)

    def forward(self, x: Tensor) -> Tensor:
        """`softplus` of `x`."""
        return softplus(x, self.beta)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"beta={self.beta}"


class GELU(Module):
    """`gelu` as a module.

    Parameters
    ----------
    approximate : str, optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.GELU("tanh")(xp.asarray([1.0]))
    Tensor([0.84119199], dtype=float64)
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """`gelu` of `x`."""
        return gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """`silu` as a module.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.SiLU()(xp.asarray([0.0]))
    Tensor([0.], dtype=float64)
    """

    def __init__(self, **other: Never) -> None:
        if other:
            raise wrong_call("nn.SiLU", locals())

    def forward(self, x: Tensor) -> Tensor:
        """`silu` of `x`."""
        return silu(x)


class Tanh(Module):
    """`tanh` as a module.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Tanh()(xp.asarray([0.0]))
    Tensor([0.], dtype=float64)
    """

    def forward(self, x: Tensor) -> Tensor:
        """`tanh` of `x`."""
        return tanh(x)


class Sigmoid(Module):
    """`sigmoid` as a module.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Sigmoid()(xp.asarray([0.0]))
    Tensor([0.5], dtype=float64)
    """

    def forward(self, x: Tensor) -> Tensor:
        """`sigmoid` of `x`."""
        return sigmoid(x)


class Softmax(Module):
    """`softmax` as a module.

    Parameters
    ----------
    axis : int, optional
        Axis to normalise over.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Softmax()(xp.asarray([3.0, 3.0]))
    Tensor([0.5, 0.5], dtype=float64)
    """

    def __init__(self, axis: int = -1, **other: Never) -> None:
        if other:
            raise wrong_call(f"nn.{type(self).__name__}", locals())
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """`softmax` of `x`."""
        return softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """`log_softmax` as a module.

    Parameters
    ----------
    axis : int, optional
        Axis to normalise over.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.LogSoftmax()(xp.asarray([3.0]))
    Tensor([0.], dtype=float64)
    """

    def __init__(self, axis: int = -1, **other: Never) -> None:
        if other:
            raise wrong_call(f"nn.{type(self).__name__}", locals())
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """`log_softmax` of `x`."""
        return log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Parameter of the module, for its text."""
        return f"axis={self.axis}"
