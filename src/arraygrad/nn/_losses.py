"""Losses, as functions and as modules. Gradients are finite for extreme predictions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import _elementwise as xp
from .._creation import arange
from .._data_type import astype
from .._dispatch import common_device, is_anywhere
from .._dtypes import DEFAULTS
from .._errors import as_int, as_number, describe
from .._manipulation import expand_dims, reshape, squeeze
from .._modes import get_recorder
from .._searching import where
from .._statistical import mean
from .._statistical import sum as total
from .._typing import Tensor
from .._utility import any as any_of
from ._checks import as_floating, check_broadcasts, check_real, check_shape
from ._module import Module
from ._rules import bce_with_logits, log_softmax, loss_of_classes, neg_weighted_sum

REDUCTIONS = ("mean", "sum", "none")


def _reduced(name: str, loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return total(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"{name}: reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}")


def _pair(name: str, input: Any, target: Any) -> None:
    """Raise if shapes or devices differ; broadcasting a column against a row is a mistake."""
    for word, x in (("input", input), ("target", target)):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: {word} must be a Tensor; got {describe(x)}")
    if input.shape != target.shape:
        raise ValueError(
            f"{name}: input and target must have the same shape; "
            f"got {input.shape} and {target.shape}"
        )
    _check_devices(name, input, target)


def _check_devices(name: str, *tensors: Tensor | float | None) -> None:
    """Raise if tensors are on different devices."""
    common_device(name, [x for x in tensors if isinstance(x, Tensor)])


def _difference(name: str, input: Any, target: Any) -> Tensor:
    """Floating-point difference; differences of small ints would wrap around."""
    _pair(name, input, target)
    if input.dtype.kind not in "fc" and target.dtype.kind not in "fc":
        input, target = as_floating(input), as_floating(target)
    return input - target


def mse(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared error.

    Parameters
    ----------
    input, target : Tensor
        Predictions and their targets, of the same shape.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    TypeError
        If `input` or `target` is not a tensor.
    ValueError
        If the shapes differ, or `reduction` is unknown.

    Notes
    -----
    The absolute value of a complex error is squared. Integers and bools are converted to float64.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.mse(xp.asarray([1.0, 2.0]), xp.asarray([1.0, 5.0]))
    Tensor(4.5, dtype=float64)
    """
    r = _difference("mse", input, target)
    if r.dtype.kind == "c":
        squares = xp.square(xp.real(r)) + xp.square(xp.imag(r))
    else:
        squares = xp.square(r)
    return _reduced("mse", squares, reduction)


def l1(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error.

    Parameters
    ----------
    input, target : Tensor
        Predictions and their targets, of the same shape.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    TypeError
        If `input` or `target` is not a tensor.
    ValueError
        If the shapes differ, or `reduction` is unknown.

    Notes
    -----
    Integers and bools are converted to float64.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.l1(xp.asarray([1.0, 2.0]), xp.asarray([1.0, 5.0]))
    Tensor(1.5, dtype=float64)
    """
    return _reduced("l1", xp.abs(_difference("l1", input, target)), reduction)


def huber(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Huber loss: half the squared error up to `delta`, linear beyond it.

    Parameters
    ----------
    input, target : Tensor
        Predictions and their targets, of the same shape.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses.
    delta : float, optional
        Error at which the loss becomes linear; positive.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    TypeError
        If `input` or `target` is not a tensor.
    ValueError
        If the shapes differ, `delta` is not positive, or `reduction` is unknown.

    Notes
    -----
    Integers and bools are converted to float64.

    References
    ----------
    P. J. Huber: Robust estimation of a location parameter. Annals of Mathematical Statistics 35
    (1964).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.huber(xp.asarray([1.0, 2.0]), xp.asarray([1.5, 5.0]), reduction="none")
    Tensor([0.125, 2.5  ], dtype=float64)
    """
    r = xp.abs(_difference("huber", input, target))
    delta = as_number("huber", "delta", delta)
    if not delta > 0:
        raise ValueError(f"huber: delta must be positive; got {delta!r}")
    c = xp.minimum(r, delta)
    return _reduced("huber", c * (r - 0.5 * c), reduction)


def _check_factor(name: str, argument: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raise unless an optional factor is None, a number, or broadcasts to a shape."""
    if x is None or isinstance(x, (int, float)):
        return
    check_real(f"{name}: {argument}", x)
    check_broadcasts(name, argument, x, shape)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross entropy of logits.

    Parameters
    ----------
    input : Tensor
        Real logits; `sigmoid` maps them to probabilities.
    target : Tensor
        Target probabilities, usually 0 and 1, with the shape of `input`.
    weight : Tensor, optional
        Factors of the losses, with a shape that broadcasts to that of `input`.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses.
    pos_weight : Tensor, optional
        Factors of the target, with a shape that broadcasts to that of `input`.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN. Integers and bools
        in `input` are converted to float64, in `target` to the dtype of `input`.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or is complex.
    ValueError
        If the shapes do not fit, or `reduction` is unknown.

    Notes
    -----
    The loss of a correct infinite logit is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> logits, target = xp.asarray([1e4, -1e4, 0.0]), xp.asarray([1.0, 1.0, 0.5])
    >>> nn.binary_cross_entropy_with_logits(logits, target, reduction="none")
    Tensor([0.00000000e+00, 1.00000000e+04, 6.93147181e-01], dtype=float64)
    """
    name = "binary_cross_entropy_with_logits"
    _pair(name, input, target)
    check_real(name, input, "input")
    check_real(name, target, "target")
    _check_factor(name, "weight", weight, input.shape)
    _check_factor(name, "pos_weight", pos_weight, input.shape)
    _check_devices(name, input, weight, pos_weight)
    input = as_floating(input)
    if target.dtype.kind != "f":  # 0 and 1 are exact in the dtype of the logits
        target = astype(target, input.dtype)
    positive = target if pos_weight is None else target * pos_weight
    loss = bce_with_logits(input, positive, 1 - target)
    if weight is not None:
        loss = loss * weight
    return _reduced(name, loss, reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """Binary cross entropy of probabilities.

    Parameters
    ----------
    input : Tensor
        Probabilities, for example from `sigmoid`.
    target : Tensor
        Target probabilities, usually 0 and 1, with the shape of `input`.
    weight : Tensor, optional
        Factors of the losses, with a shape that broadcasts to that of `input`.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN. Integers and bools
        in `input` are converted to float64, in `target` to the dtype of `input`.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or is complex.
    ValueError
        If the shapes do not fit, `reduction` is unknown, or, on the CPU, `input` is not from 0 to
        1. (On other devices the loss is then NaN, because the host would have to wait to check.)

    Notes
    -----
    `binary_cross_entropy_with_logits` is more accurate: here the gradient is lost if `sigmoid`
    rounds to 0 or 1. Logarithms below -100 are replaced by -100, as in PyTorch, so that losses are
    finite. The derivative of such a logarithm is 0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> p, target = xp.asarray([0.5, 1.0, 0.0]), xp.asarray([1.0, 1.0, 1.0])
    >>> nn.binary_cross_entropy(p, target, reduction="none")
    Tensor([  0.69314718,   0.        , 100.        ], dtype=float64)
    """
    name = "binary_cross_entropy"
    _pair(name, input, target)
    check_real(name, input, "input")
    check_real(name, target, "target")
    _check_factor(name, "weight", weight, input.shape)
    _check_devices(name, input, weight)
    input = as_floating(input)
    if target.dtype.kind != "f":
        target = astype(target, input.dtype)
    outside = (input < 0) | (input > 1)
    if input.device.type == "cpu" and is_anywhere(outside):  # where checking is cheap
        raise ValueError(
            f"{name}: input must be probabilities from 0 to 1; got others in {describe(input)}; "
            "write binary_cross_entropy_with_logits for logits"
        )
    # 0 and 1 are replaced before the logarithm, which would warn of its infinity.
    none, all_ = (input >= 0) & (input < _LEAST), input == 1
    log = where(none, -100.0, xp.log(where(none, 1.0, input)))
    log_of_rest = where(all_, -100.0, xp.log1p(-where(all_, 0.0, input)))
    loss = 0 - (target * log + (1 - target) * log_of_rest)
    if weight is not None:
        loss = loss * weight
    return _reduced(name, loss, reduction)


#: Probabilities below this have logarithms below -100.
_LEAST = math.exp(-100)


def kl_div(
    input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """Kullback-Leibler divergence of a distribution from its target.

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities, for example from `log_softmax`.
    target : Tensor
        Target probabilities, with the shape of `input`.
    reduction : str, optional
        ``"mean"``, ``"sum"``, ``"batchmean"``, which divides the sum by the length of the first
        axis, or ``"none"`` for elementwise losses. Only ``"batchmean"`` and ``"sum"`` are
        divergences of whole distributions.
    log_target : bool, optional
        Whether `target` contains logarithms of probabilities, too.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``: ``target * (log(target) - input)``, which is 0
        where `target` is 0. Integers and bools are converted to float64.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or is complex.
    ValueError
        If the shapes differ, `reduction` is unknown, or ``"batchmean"`` is requested for tensors
        without axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> p, target = xp.asarray([[0.5, 0.5]]), xp.asarray([[0.0, 1.0]])
    >>> nn.kl_div(xp.log(p), target, reduction="batchmean")
    Tensor(0.69314718, dtype=float64)
    """
    _pair("kl_div", input, target)
    check_real("kl_div", input, "input")
    check_real("kl_div", target, "target")
    input, target = as_floating(input), as_floating(target)
    if log_target:
        weight, log = xp.exp(target), target
        zero = target == -math.inf
    else:
        zero = target == 0
        weight, log = target, xp.log(where(zero, 1.0, target))
    difference = where(zero, 0.0, log) - where(zero, 0.0, input)
    loss = weight * difference
    if reduction != "batchmean":
        return _reduced("kl_div", loss, reduction)
    if not loss.ndim:
        raise ValueError(
            f"kl_div: 'batchmean' requires an axis for the batch; got {describe(input)}"
        )
    return total(loss) / loss.shape[0]


def nll(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of classes, from logarithms of probabilities.

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities, for example from `log_softmax`, of shape (classes,),
        (n, classes) or (n, classes, ...).
    target : Tensor
        Class indices of an integer dtype, with the shape of `input` without the axis of classes.
    weight : Tensor, optional
        Factor for each class, of shape (classes,).
    ignore_index : int, optional
        Class index whose samples are ignored.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses. With `weight`, the mean is the
        weighted mean.

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit, `reduction` is unknown, or, on the CPU, a class index is out of
        range. (On other devices the loss is then NaN.)
    TypeError
        If `input`, `target` or `weight` is not a tensor or is complex, or if `target` does not have
        an integer dtype.

    Notes
    -----
    `cross_entropy` takes unnormalised scores instead.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> logs = xp.log(xp.asarray([[0.5, 0.5], [0.25, 0.75]]))
    >>> nn.nll(logs, xp.asarray([0, 0]), reduction="none")
    Tensor([0.69314718, 1.38629436], dtype=float64)
    """
    check_real("nll", target, "target")
    if target.dtype.kind not in "iu":
        raise TypeError(f"nll: target must be class indices; got {describe(target)}")
    return _of_classes("nll", input, target, weight, ignore_index, reduction, 0.0)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of classes, from unnormalised scores (logits).

    Parameters
    ----------
    input : Tensor
        Real scores of shape (classes,), (n, classes) or (n, classes, ...); `softmax` maps them to
        probabilities.
    target : Tensor
        Class indices of an integer dtype, with the shape of `input` without the axis of classes; or
        probabilities with the shape of `input`.
    weight : Tensor, optional
        Factor for each class, of shape (classes,).
    ignore_index : int, optional
        Class index whose samples are ignored.
    reduction : str, optional
        ``"mean"``, ``"sum"``, or ``"none"`` for elementwise losses. With `weight` and class
        indices, the mean is the weighted mean.
    label_smoothing : float, optional
        Fraction of the target that is distributed evenly among all classes, in [0, 1].

    Returns
    -------
    Tensor
        0-d tensor, unless `reduction` is ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit, a parameter is out of range, or, on the CPU, a class index is out
        of range. (On other devices the loss is then NaN, because the host would have to wait to
        check.)
    TypeError
        If `input`, `target` or `weight` is not a tensor or is complex, or if `target` has dtype
        bool.

    Notes
    -----
    A class with target probability 0 contributes 0 for any score.

    References
    ----------
    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna: Rethinking the Inception architecture
    for computer vision. CVPR 2016 (on smoothed labels).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> scores = xp.asarray([[1e4, 0.0], [0.0, 0.0]])
    >>> nn.cross_entropy(scores, xp.asarray([0, 1]), reduction="none")
    Tensor([0.        , 0.69314718], dtype=float64)
    """
    label_smoothing = as_number("cross_entropy", "label_smoothing", label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: label_smoothing must be in [0, 1]; got {label_smoothing!r}"
        )
    return _of_classes(
        "cross_entropy", input, target, weight, ignore_index, reduction, label_smoothing, True
    )


def _of_classes(
    name: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
    normalise: bool = False,
) -> Tensor:
    """Cross entropy of log-probabilities, or of scores, which are normalised first."""
    check_real(name, input, "input")
    check_real(name, target, "target")
    if not input.ndim:
        raise ValueError(f"{name}: input must have an axis for the classes; got {describe(input)}")
    input = as_floating(input)
    axis = 1 if input.ndim > 1 else 0
    classes = input.shape[axis]
    along = (1,) * axis + (classes,) + (1,) * (input.ndim - axis - 1)
    check_shape(name, "weight", weight, (classes,))
    _check_devices(name, input, target, weight)
    if weight is not None:
        check_real(name, weight, "weight")
        weight = reshape(weight, along)
    rows = (*input.shape[:axis], *input.shape[axis + 1 :])
    if target.shape == input.shape and target.dtype.kind == "f":
        divisor: Any = math.prod(rows)
        parts, shared = target, None
    elif target.shape == rows and target.dtype.kind in "iu":
        ignored = as_int(name, "ignore_index", ignore_index)
        is_simple = normalise and weight is None and not smoothing and input.size
        if is_simple and input.device.type == "cpu":
            return _of_indices(name, input, target, axis, ignored, reduction)
        parts, shared, divisor = _one_hot(name, input, target, axis, along, ignored)
    elif target.dtype.kind == "b":
        raise TypeError(
            f"{name}: target must be class indices or probabilities; got {describe(target)}"
        )
    else:
        raise ValueError(
            f"{name}: target must be class indices with the shape of input without axis {axis}"
            f"{', or probabilities with its shape' * normalise}; got {describe(input)} and "
            f"{describe(target)}"
        )
    if weight is not None and target.dtype.kind != "f":
        divisor = total(parts * weight)
    if smoothing:
        even = smoothing / max(classes, 1)
        parts = (1 - smoothing) * parts + (even if shared is None else even * shared)
    if weight is not None:
        parts = parts * weight
    loss = neg_weighted_sum(log_softmax(input, axis) if normalise else input, parts, axis)
    if reduction == "mean":
        return total(loss) / divisor
    return _reduced(name, loss, reduction)


def _of_indices(
    name: str, input: Tensor, target: Tensor, axis: int, ignored: int, reduction: str
) -> Tensor:
    """Cross entropy of scores and class indices, which are checked, so on the CPU only."""
    target = _wide(target)
    count: Any = target.size
    counted = _counted(name, target, input.shape[axis], ignored)
    if counted is not None:
        count = total(astype(counted, input.dtype))
        target = where(counted, target, 0)
    loss = squeeze(loss_of_classes(input, expand_dims(target, axis=axis), axis), axis=axis)
    if counted is not None:
        loss = where(counted, loss, 0.0)
    if reduction == "mean":
        return total(loss) / count
    return _reduced(name, loss, reduction)


def _wide(target: Tensor) -> Tensor:
    """Class indices in a dtype that has room for the number of classes."""
    return astype(target, DEFAULTS["integral"]) if target.dtype.itemsize < 8 else target


def _counted(name: str, target: Tensor, classes: int, ignored: int) -> Tensor | None:
    """Check class indices on the CPU; return which of them count, None if all do."""
    within = (target >= 0) & (target < classes)
    counted = within & (target != ignored) if 0 <= ignored < classes else within
    recorder = get_recorder()
    # (A program must be right for other targets, too.)
    if recorder is None and not is_anywhere(~counted):
        return None

    def check(unknown: Tensor) -> None:
        if is_anywhere(unknown):
            raise ValueError(
                f"{name}: target must be class indices from 0 to {classes - 1}, or "
                f"ignore_index={ignored}; got indices out of range"
            )

    unknown = ~(within | (target == ignored))
    if recorder is None:
        check(unknown)
    else:
        recorder.check(check, unknown)
    return counted


def _one_hot(
    name: str, input: Tensor, target: Tensor, axis: int, along: tuple[int, ...], ignored: int
) -> tuple[Tensor, Any, Any]:
    """One-hot targets, the mask of the samples to smooth, and the divisor of the mean."""
    target = _wide(target)
    classes = reshape(arange(along[axis], dtype=target.dtype, device=target.device), along)
    target = expand_dims(target, axis=axis)
    found = target == classes
    if 0 <= ignored < along[axis]:  # ignore_index may be a valid class index
        found = found & (target != ignored)
    parts = astype(found, input.dtype)
    if target.device.type == "cpu":  # where checking is cheap
        counted = _counted(name, target, along[axis], ignored)
        if counted is None:
            return parts, None, target.size
        valid = counted
    else:
        valid = target != ignored
        parts = where(valid & ~any_of(found, axis=axis, keepdims=True), math.nan, parts)
    shared = astype(valid, input.dtype)
    return parts, shared, total(shared)


# ---- as modules


class _Loss(Module):
    """Loss function of predictions and targets, with its parameters."""

    _function: Callable[..., Tensor]

    def __init__(self, **parameters: Any) -> None:
        self.__dict__.update(parameters)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compute the loss."""
        parameters = {k: x for k, x in vars(self).items() if k not in _OURS}
        return type(self)._function(input, target, **parameters)

    def extra_repr(self) -> str:
        """Parameters that are not tensors, for the text."""
        own = ((k, x) for k, x in vars(self).items() if k not in _OURS)
        return ", ".join(f"{k}={x!r}" for k, x in own if not isinstance(x, Tensor))


_OURS = ("training", "_param_flags", "_forward_hooks")


class MSELoss(_Loss):
    """`mse` as a module.

    Parameters
    ----------
    reduction : str, optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.MSELoss()(xp.asarray([1.0]), xp.asarray([3.0]))
    Tensor(4., dtype=float64)
    """

    _function = staticmethod(mse)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(_Loss):
    """`l1` as a module.

    Parameters
    ----------
    reduction : str, optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.L1Loss()(xp.asarray([1.0]), xp.asarray([3.0]))
    Tensor(2., dtype=float64)
    """

    _function = staticmethod(l1)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class HuberLoss(_Loss):
    """`huber` as a module.

    Parameters
    ----------
    reduction, delta : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.HuberLoss(delta=0.5)(xp.asarray([1.0]), xp.asarray([3.0]))
    Tensor(0.875, dtype=float64)
    """

    _function = staticmethod(huber)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class BCEWithLogitsLoss(_Loss):
    """`binary_cross_entropy_with_logits` as a module.

    Parameters
    ----------
    weight, reduction, pos_weight : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.BCEWithLogitsLoss()(xp.asarray([0.0]), xp.asarray([1.0]))
    Tensor(0.69314718, dtype=float64)
    """

    _function = staticmethod(binary_cross_entropy_with_logits)

    def __init__(
        self,
        weight: Tensor | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)


class BCELoss(_Loss):
    """`binary_cross_entropy` as a module.

    Parameters
    ----------
    weight, reduction : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.BCELoss()(xp.asarray([0.5]), xp.asarray([1.0]))
    Tensor(0.69314718, dtype=float64)
    """

    _function = staticmethod(binary_cross_entropy)

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class KLDivLoss(_Loss):
    """`kl_div` as a module.

    Parameters
    ----------
    reduction, log_target : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.KLDivLoss("batchmean")(xp.log(xp.asarray([[0.5, 0.5]])), xp.asarray([[0.0, 1.0]]))
    Tensor(0.69314718, dtype=float64)
    """

    _function = staticmethod(kl_div)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)


class NLLLoss(_Loss):
    """`nll` as a module.

    Parameters
    ----------
    weight, ignore_index, reduction : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.NLLLoss()(xp.log(xp.asarray([[0.5, 0.5]])), xp.asarray([0]))
    Tensor(0.69314718, dtype=float64)
    """

    _function = staticmethod(nll)

    def __init__(
        self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class CrossEntropyLoss(_Loss):
    """`cross_entropy` as a module.

    Parameters
    ----------
    weight, ignore_index, reduction, label_smoothing : optional
        See the function.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> nn.CrossEntropyLoss()(xp.asarray([[1.0, 1.0]]), xp.asarray([0]))
    Tensor(0.69314718, dtype=float64)
    """

    _function = staticmethod(cross_entropy)

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )
