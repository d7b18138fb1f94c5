"""Operations of this package and their derivative rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import _dispatch
from .. import _elementwise as xp
from .._data_type import astype, finfo, result_type
from .._dispatch import apply, call
from .._indexing import take_along_axis
from .._linear_algebra import matmul, matrix_transpose
from .._manipulation import broadcast_to, expand_dims, reshape
from .._statistical import sum as total
from .._typing import Tensor
from ..autodiff.rules import add, conj, define, updated, weighted

# ---- activations


def relu(x: Tensor) -> Tensor:
    """Maximum of real numbers and 0."""
    return call("nn.relu", x)


def _relu(t: Any, out: Any, _x: Any) -> Any:
    return t * (out > 0)


define("nn.relu", (_relu, _relu), elementwise=True)


def sigmoid(x: Tensor) -> Tensor:
    """Logistic function 1 / (1 + exp(-x)) of floating-point numbers."""
    return call("nn.sigmoid", x)


def _sigmoid(t: Any, out: Any, _x: Any) -> Any:
    slope = updated("__imul__", 1 - out, out)
    return updated("__imul__", slope, t) if t.shape == out.shape else slope * t


define("nn.sigmoid", (_sigmoid, _sigmoid), elementwise=True)


def _with_slope(name: str, second: Callable[[Any], Any]) -> None:
    """Define the rule of an activation that can be computed together with its derivative.

    Where it is differentiated, it is: the two share most of their work. `second` is the second
    derivative.
    """
    pair = f"{name}_and_slope"

    def scale(t: Any, _out: Any, x: Any) -> Any:
        return weighted(t, call(pair, x)[1])

    def pull(gs: Any, out: Any, x: Any) -> Any:
        of_value, of_slope = gs
        found = None if of_value is None else weighted(of_value, out[1])
        return found if of_slope is None else add(found, weighted(of_slope, second(x)))

    def push(t: Any, out: Any, x: Any) -> Any:
        return weighted(t, out[1]), weighted(t, second(x))

    define(
        name, (scale, scale), prepare=lambda operands, _args, _kwargs: call(pair, operands[0])[0]
    )
    define(pair, (pull, push))


def _of_logistic(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1 - s)


def _finite(x: Any) -> Any:
    limits = finfo(x.dtype)
    return xp.clip(x, limits.min, limits.max)


def _of_gelu(x: Any) -> Any:
    z = xp.clip(x, -40.0, 40.0)
    return (2 - z * z) * xp.exp(z * z * -0.5) * (1 / math.sqrt(2 * math.pi))


def _of_gelu_tanh(x: Any) -> Any:
    z = xp.clip(x, -25.0, 25.0)
    a, b = math.sqrt(8 / math.pi), math.sqrt(8 / math.pi) * 0.044715
    s, u = sigmoid(z * (a + b * (z * z))), a + 3 * b * (z * z)
    return s * (1 - s) * (2 * u + z * (u * u * (1 - 2 * s) + 6 * b * z))


_with_slope("nn.gelu", _of_gelu)
_with_slope("nn.gelu_tanh", _of_gelu_tanh)
_with_slope("nn.silu", lambda x: _of_logistic(x) * (2 + _finite(x) * (1 - 2 * sigmoid(x))))
_with_slope("nn.softplus", _of_logistic)


def _softmax(t: Any, out: Any, _x: Any, axis: int) -> Any:
    if not t.ndim:
        return out * (t - t * out)
    return updated("__imul__", t - sum_of_products(t, out, (axis,)), out)


def _of_exp(t: Any, out: Any, _x: Any) -> Any:
    return weighted(t, out)


def _exp_of_negative(x: Any) -> Any:
    """Exponential of numbers that are not positive."""
    return call("nn.exp_of_negative", x)


define("nn.exp_of_negative", (_of_exp, _of_exp))


def log_softmax(x: Tensor, axis: int) -> Tensor:
    """Logarithm of softmax of floating-point numbers."""
    return call("nn.log_softmax", x, (), {"axis": axis})


def _log_softmax_vjp(g: Any, out: Any, _x: Any, axis: int) -> Any:
    if not g.ndim:
        return g - _exp_of_negative(out) * g
    part = updated("__imul__", _exp_of_negative(out), sum_of_products(g, None, (axis,), -1))
    return updated("__iadd__", part, g)


def _log_softmax_jvp(t: Any, out: Any, _x: Any, axis: int) -> Any:
    return t - total(_exp_of_negative(out) * t, axis=axis, keepdims=True)


define("nn.softmax", (_softmax, _softmax))
define("nn.log_softmax", (_log_softmax_vjp, _log_softmax_jvp))

# ---- losses


def loss_of_classes(scores: Tensor, target: Tensor, axis: int) -> Tensor:
    """Minus `log_softmax` at class indices, which have the axis, too, of one element."""
    loss: Tensor = apply("nn.classes", (scores, target), (), {"axis": axis})[0]
    return loss


def _classes_vjp(gs: Any, out: Any, _x: Any, target: Any, axis: int) -> Any:
    g, of_softmax = gs
    softmax = out[1]
    found = None if of_softmax is None else _softmax(of_softmax, softmax, None, axis)
    if g is None:
        return found
    return add(found, updated("__imul__", _less_one(softmax, target, axis), g))


def _classes_jvp(t: Any, out: Any, _x: Any, target: Any, axis: int) -> Any:
    of_softmax = _softmax(t, out[1], None, axis)
    return total(t * out[1], axis=axis, keepdims=True) - take_along_axis(
        t, target, axis=axis
    ), of_softmax


def _less_one(x: Any, target: Any, axis: int) -> Any:
    return apply("nn.less_one", (x, target), (), {"axis": axis})


define("nn.classes", (_classes_vjp, _classes_jvp), (None, None))
define("nn.less_one", (lambda g, *_, **__: g, lambda t, *_, **__: t), (None, None))


def neg_weighted_sum(score: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Negative weighted sum along an axis, in which a weight of 0 contributes 0."""
    return apply("nn.parts", (score, weights), (), {"axis": axis})


define(
    "nn.parts",
    (
        lambda g, _out, _score, weights, axis: -(expand_dims(g, axis=axis) * weights),
        lambda t, _out, _score, weights, axis: neg_weighted_sum(t, weights, axis),
    ),
    (
        lambda g, _out, score, _weights, axis: -(expand_dims(g, axis=axis) * score),
        lambda t, _out, score, _weights, axis: neg_weighted_sum(score, t, axis),
    ),
)


def bce_with_logits(x: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """-(positive · log σ(x) + negative · log σ(-x)), in which a weight of 0 contributes 0."""
    return apply("nn.binary", (x, positive, negative))


def _of_logit(t: Any, _out: Any, x: Any, positive: Any, negative: Any) -> Any:
    return t * (negative * sigmoid(x) - positive * sigmoid(-x))


def _of_positive(t: Any, _out: Any, x: Any, *_: Any) -> Any:
    return t * xp.logaddexp(-x, 0.0)


def _of_negative(t: Any, _out: Any, x: Any, *_: Any) -> Any:
    return t * xp.logaddexp(x, 0.0)


define(
    "nn.binary",
    (_of_logit, _of_logit),
    (_of_positive, _of_positive),
    (_of_negative, _of_negative),
    elementwise=True,
)

# ---- normalisation


def standardise(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, axes: tuple[int, ...], eps: float
) -> Any:
    """Standardise to mean 0 and variance 1 along axes; also return the mean and the variance.

    The result is multiplied by a weight and added to a bias, which broadcast to it.
    """
    c, average, variance = call("nn.centre", x, (), {"axes": axes})
    y = apply("nn.scale", (x, c, variance, weight, bias), (), {"eps": eps})
    if x.dtype.itemsize == 2:  # computed in single precision
        y = astype(y, result_type(*[p for p in (x, weight, bias) if p is not None]))
    return y, average, variance


def _centre_vjp(gs: Any, out: Any, _x: Any, axes: Any) -> Any:
    c, average, _ = out
    of_c, of_mean, of_variance = gs
    count = c.size // max(average.size, 1)
    found = None if of_c is None else of_c - sum_of_products(of_c, None, axes, 1 / max(count, 1))
    if of_mean is not None:
        found = add(found, broadcast_to(of_mean / count, c.shape))
    if of_variance is not None:
        found = add(found, c * (of_variance * (2 / count)))
    return found


def _centre_jvp(t: Any, out: Any, _x: Any, axes: Any) -> Any:
    c, average, _ = out
    scale = average.size / max(c.size, 1)
    of_mean = sum_of_products(t, None, axes, scale)
    return t - of_mean, of_mean, sum_of_products(t, c, axes, 2 * scale)


define("nn.centre", (_centre_vjp, _centre_jvp))


# ``scale(x, c, variance, weight, bias)``, where `c` and the variance are those of `x`: their part
# in the derivative is included in that of `x`, which needs fewer passes over the memory.


def _times(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


def _scale_vjp(
    g: Any, _out: Any, _x: Any, c: Any, variance: Any, weight: Any, _bias: Any, eps: float
) -> Any:
    of_x, *rest = apply("nn.scale_back", (g, c, variance, weight), (), {"eps": eps})
    return of_x, None, None, *(rest or (None, g))


def _slope(t: Any, c: Any, variance: Any, eps: float) -> Any:
    """The derivative of `scale` in `x` times a tangent, without the weight."""
    factor = 1 / xp.sqrt(variance + eps)
    axes = tuple([i for i, n in enumerate(variance.shape) if n == 1])
    scale = variance.size / max(c.size, 1)
    t = t - sum_of_products(t, None, axes, scale)
    return (t - c * (sum_of_products(t, c, axes, scale) * factor * factor)) * factor


define(
    "nn.scale",
    (
        None,
        lambda t, _out, _x, c, variance, weight, _bias, eps: _times(
            _slope(t, c, variance, eps), weight
        ),
    ),
    (None, None),
    (None, None),
    (None, lambda t, _out, _x, c, variance, _weight, _bias, eps: c / xp.sqrt(variance + eps) * t),
    (None, lambda t, *_, **__: t),
    joint_vjp=_scale_vjp,
)


def _scale_back(operands: Any, _args: Any, kwargs: Any) -> Any:
    """`scale_back` in operations that can be differentiated: its derivative is symmetric."""
    g, c, variance, weight = operands
    axes = tuple([i for i, n in enumerate(variance.shape) if n == 1])
    variance = sum_of_products(c, c, axes, variance.size / max(c.size, 1))
    of_x = _slope(_times(g, weight), c, variance, **kwargs)
    if weight is None:
        return (of_x,)
    extra = g.ndim - weight.ndim
    across = (*range(extra), *(i + extra for i, n in enumerate(weight.shape) if n == 1))
    of_weight = g * (c / xp.sqrt(variance + kwargs["eps"]))
    return of_x, *[reshape(total(p, axis=across), weight.shape) for p in (of_weight, g)]


define("nn.scale_back", prepare=_scale_back)


def sum_of_products(a: Tensor, b: Tensor | None, axes: tuple[int, ...], scale: float = 1) -> Tensor:
    """Sum of ``a * b`` along axes, which remain, times `scale`; without `b`, that of `a`."""
    return apply("nn.sum_of_products", (a, b), (), {"axes": axes, "scale": scale})


def _factor_of_sum(g: Any, _out: Any, a_like: Any, b: Any, axes: Any, scale: float) -> Any:
    return broadcast_to(g * scale, a_like.shape) if b is None else conj(b) * (g * scale)


define(
    "nn.sum_of_products",
    (
        _factor_of_sum,
        lambda t, _out, _a, b, axes, scale: sum_of_products(t, b, axes, scale),
    ),
    (
        lambda g, _out, a, _b, axes, scale: conj(a) * (g * scale),
        lambda t, _out, a, _b, axes, scale: sum_of_products(a, t, axes, scale),
    ),
)

# ---- product with the transpose of a weight. As an operation of its own, the gradient has the
# memory layout of the weight; by `matmul` with the transpose it would have the transposed layout.


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """Product of `x` and the transpose of `weight`."""
    return _dispatch.binary("nn.linear", x, weight)


def _linear_weight(g: Any, _out: Any, x: Any, weight_like: Any) -> Any:
    rows, columns = weight_like.shape
    return matmul(matrix_transpose(reshape(g, (-1, rows))), conj(reshape(x, (-1, columns))))


define(
    "nn.linear",
    (
        lambda g, _out, _x, weight: matmul(g, conj(weight)),
        lambda t, _out, _x, weight: linear(t, weight),
    ),
    (_linear_weight, lambda t, _out, x, _weight: linear(x, t)),
)

# ---- convolution, which is bilinear in the images and the weight. Its two transposes are bilinear
# too, and their transposes are again among the three operations. The transpose in one operand has
# the conjugate of the other.


def convolve(x: Any, weight: Any, bias: Any, **how: Any) -> Any:
    """Cross-correlation."""
    return apply("nn.convolve", (x, weight, bias), (), how)


def _to_weight(g: Any, x: Any, shape: Any, **how: Any) -> Any:
    return apply("nn.to_weight", (g, x), (), {"shape": shape, **how})


def to_images(g: Any, weight: Any, **how: Any) -> Any:
    """Transpose of `convolve` in the images."""
    return apply("nn.to_images", (g, weight), (), how)


define(
    "nn.convolve",
    (
        lambda g, _out, _x, weight, _bias, **how: to_images(g, conj(weight), **how),
        lambda t, _out, _x, weight, _bias, **how: convolve(t, weight, None, **how),
    ),
    (
        lambda g, _out, x, weight_like, _bias, **how: _to_weight(
            g, conj(x), weight_like.shape, **how
        ),
        lambda t, _out, x, _weight, _bias, **how: convolve(x, t, None, **how),
    ),
    (
        lambda g, _out, _x, _weight, _bias, **_: total(g, axis=(0, 2, 3)),
        lambda t, _out, _x, _weight, _bias, **_: reshape(t, (-1, 1, 1)),
    ),
)
define(
    "nn.to_weight",
    (
        lambda h, _out, _g, x, shape, **how: convolve(conj(x), h, None, **how),
        lambda t, _out, _g, x, **how: _to_weight(t, x, **how),
    ),
    (
        lambda h, _out, g, _x, shape, **how: to_images(conj(g), h, **how),
        lambda t, _out, g, _x, **how: _to_weight(g, t, **how),
    ),
)
define(
    "nn.to_images",
    (
        lambda h, _out, _g, weight, **how: convolve(h, conj(weight), None, **how),
        lambda t, _out, _g, weight, **how: to_images(t, weight, **how),
    ),
    (
        lambda h, _out, g, weight_like, **how: _to_weight(conj(g), h, weight_like.shape, **how),
        lambda t, _out, g, _weight, **how: to_images(g, t, **how),
    ),
)

# ---- pooling


def _at_largest(g: Any, x: Any, top: Any, **how: Any) -> Any:
    return apply("nn.at_largest", (g, x, top), (), how)


def _of_largest(y: Any, x: Any, top: Any, **how: Any) -> Any:
    return apply("nn.of_largest", (y, x, top), (), how)


_NONE = (None, None)  # the positions of the maxima do not depend on the images, except at ties
define(
    "nn.max_pool",
    (
        lambda g, out, x, **how: _at_largest(g, x, out, **how),
        lambda t, out, x, **how: _of_largest(t, x, out, **how),
    ),
)
define(
    "nn.at_largest",
    (
        lambda h, _out, _g, x, top, **how: _of_largest(h, x, top, **how),
        lambda t, _out, _g, x, top, **how: _at_largest(t, x, top, **how),
    ),
    _NONE,
    _NONE,
)
define(
    "nn.of_largest",
    (
        lambda h, _out, _y, x, top, **how: _at_largest(h, x, top, **how),
        lambda t, _out, _y, x, top, **how: _of_largest(t, x, top, **how),
    ),
    _NONE,
    _NONE,
)
define(
    "nn.window_sum",
    (
        lambda g, _out, _x, **how: call("nn.window_spread", g, (), how),
        lambda t, _out, _x, **how: call("nn.window_sum", t, (), how),
    ),
)
define(
    "nn.window_spread",
    (
        lambda h, _out, _g, **how: call("nn.window_sum", h, (), how),
        lambda t, _out, _g, **how: call("nn.window_spread", t, (), how),
    ),
)
