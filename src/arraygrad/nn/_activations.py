"""Activations: functions, and modules of them. All are finite, with finite gradients, far out."""

from __future__ import annotations

import math

from .. import _elementwise as xp
from .._data_type import finfo
from .._dispatch import as_floating, call, check_tensor
from .._typing import Tensor
from ..special import ndtr
from ._module import Module
from ._rules import log_softmax as _log_softmax
from ._rules import sigmoid as _sigmoid


def relu(x: Tensor) -> Tensor:
    """What is positive, else 0.

    Parameters
    ----------
    x : Tensor
        The argument.

    Returns
    -------
    Tensor
        ``max(x, 0)``; the derivative at 0 is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.relu(xp.asarray([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float64)
    """
    return xp.maximum(x, 0)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent.

    Parameters
    ----------
    x : Tensor
        The argument.

    Returns
    -------
    Tensor
        As `arraygrad.tanh`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.tanh(xp.asarray([0.0, 100.0]))
    Tensor([0., 1.], dtype=float64)
    """
    return xp.tanh(x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), with all digits also where it is small.

    Parameters
    ----------
    x : Tensor
        The argument.

    Returns
    -------
    Tensor
        From 0 to 1.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.sigmoid(xp.asarray([-1e4, 0.0, 1e4]))
    Tensor([0. , 0.5, 1. ], dtype=float64)
    """
    return _sigmoid(as_floating(x))


def silu(x: Tensor) -> Tensor:
    """The function x · sigmoid(x), also known as swish.

    Parameters
    ----------
    x : Tensor
        The argument.

    Returns
    -------
    Tensor
        0 at minus infinity.

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
    return call("nn.silu", as_floating(x))


def _above(x: Tensor) -> Tensor:
    """The least finite number for minus infinity, so that a factor of 0 makes it 0."""
    return xp.maximum(x, finfo(x.dtype).min)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """The function x · Φ(x), of the normal distribution's Φ.

    Parameters
    ----------
    x : Tensor
        The argument.
    approximate : str, optional
        ``"none"``, or ``"tanh"`` for x · (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. The former
        needs SciPy on the CPU.

    Returns
    -------
    Tensor
        0 at minus infinity.

    Raises
    ------
    ValueError
        For another `approximate`.

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
    check_tensor("gelu", x)
    x = as_floating(x)
    if approximate == "none":
        return _above(x) * ndtr(x)
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}")
    z = xp.clip(x, -25.0, 25.0)  # where the factor is 0 or 1 already, and the cube does no harm
    # (1 + tanh(u)) / 2 is sigmoid(2 u), which keeps its digits where it is small.
    return _above(x) * _sigmoid(math.sqrt(8 / math.pi) * z * (1 + 0.044715 * (z * z)))


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Logarithm of `softmax`, also where that underflows.

    Parameters
    ----------
    x : Tensor
        The scores.
    axis : int, optional
        What to sum over.

    Returns
    -------
    Tensor
        Not positive.

    Notes
    -----
    Infinite scores count as the limit of large ones, equal ones among them as equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.log_softmax(xp.asarray([1e4, 0.0, -xp.inf]))
    Tensor([     0., -10000.,    -inf], dtype=float64)
    """
    return _log_softmax(as_floating(x), axis)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Exponentials divided by their sum.

    Parameters
    ----------
    x : Tensor
        The scores.
    axis : int, optional
        What to sum over.

    Returns
    -------
    Tensor
        Of sum 1.

    Notes
    -----
    Infinite scores count as the limit of large ones, equal ones among them as equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.softmax(xp.asarray([1e4, 1e4, -1e4]))
    Tensor([0.5, 0.5, 0. ], dtype=float64)
    """
    return call("nn.softmax", as_floating(x), axis=axis)


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

    def forward(self, x: Tensor) -> Tensor:
        """`relu` of `x`."""
        return relu(x)


class GELU(Module):
    """`gelu` as a module.

    Parameters
    ----------
    approximate : str, optional
        As of the function.

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
        """The parameter."""
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
        What to sum over.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.Softmax()(xp.asarray([3.0, 3.0]))
    Tensor([0.5, 0.5], dtype=float64)
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """`softmax` of `x`."""
        return softmax(x, self.axis)

    def extra_repr(self) -> str:
        """The parameter."""
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """`log_softmax` as a module.

    Parameters
    ----------
    axis : int, optional
        What to sum over.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.LogSoftmax()(xp.asarray([3.0]))
    Tensor([0.], dtype=float64)
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """`log_softmax` of `x`."""
        return log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        """The parameter."""
        return f"axis={self.axis}"
