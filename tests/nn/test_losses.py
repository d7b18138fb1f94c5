"""Losses: values, derivatives, classes that are ignored, empty batches."""

import math
import warnings

import numpy as np
import pytest
from nn.support import numbers, smooth

import arraygrad
from arraygrad import autodiff, nn


def test_the_square_of_a_complex_error_is_that_of_its_size(xp, same):
    z = xp.asarray([3 + 4j, 1j])
    same(nn.mse(z, 0 * z, "none"), [25.0, 1.0])
    same(autodiff.grad(nn.mse)(z, 0 * z), [3 + 4j, 1j])
    same(nn.mse(xp.asarray([complex(math.inf, 0), 0]), 0 * z), math.inf)


def test_squared_absolute_and_huber_errors(xp, same):
    x, y = numbers(3, 4), numbers(3, 4, seed=1)
    d = np.abs(x - y)
    losses = {
        nn.mse: d * d,
        nn.l1: d,
        nn.huber: np.where(d < 1, d * d / 2, d - 0.5),
        lambda *a: nn.huber(*a, delta=0.3): np.where(d < 0.3, d * d / 2, 0.3 * (d - 0.15)),
    }
    a, b = xp.asarray(x), xp.asarray(y)
    for f, expected in losses.items():
        same(f(a, b, "none"), expected, rtol=1e-14)
        same(f(a, b, "sum"), expected.sum(), rtol=1e-14)
        same(f(a, b), expected.mean(), rtol=1e-14)
        smooth(xp, f, x, y)
    far = xp.asarray([math.inf, -1e300])
    same(autodiff.grad(lambda x: nn.huber(x, xp.zeros(2), "sum"))(far), [1.0, -1.0])
    same(autodiff.grad(lambda x: nn.l1(x, xp.zeros(2), "sum"))(xp.zeros(2)), [0.0, 0.0])


def test_binary_cross_entropy(xp, same):
    x, y = numbers(3, 4), np.random.default_rng(1).random((3, 4))
    w, p = np.random.default_rng(2).random(4), np.random.default_rng(3).random((3, 1))
    s = 1 / (1 + np.exp(-x))
    f = nn.binary_cross_entropy_with_logits
    a, b = xp.asarray(x), xp.asarray(y)
    same(f(a, b, reduction="none"), -(y * np.log(s) + (1 - y) * np.log(1 - s)), rtol=1e-13)
    weighted = -w * (p * y * np.log(s) + (1 - y) * np.log(1 - s))
    same(f(a, b, xp.asarray(w), pos_weight=xp.asarray(p)), weighted.mean(), rtol=1e-13)
    smooth(xp, f, x, y)
    same(autodiff.grad(lambda x: f(x, xp.asarray([0.5, 1.0])))(xp.zeros(2)), [0.0, -0.25])


def test_binary_cross_entropy_far_out(xp, same):
    x = xp.asarray([-math.inf, -1e4, 1e4, math.inf, 1e4, -1e4, math.inf])
    y = xp.asarray([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    f = nn.binary_cross_entropy_with_logits
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(f(x, y, reduction="none"), [0.0, 0.0, 0.0, 0.0, 1e4, 1e4, math.inf])
        same(autodiff.grad(lambda x: f(x, y, reduction="sum"))(x), [0.0, 0, 0, 0, 1, -1, 1])


def test_binary_cross_entropy_of_probabilities(xp, same):
    x, y = 0.05 + 0.9 * np.random.default_rng(0).random((2, 3, 4))
    w = np.random.default_rng(2).random(4)
    f = nn.binary_cross_entropy
    a, b = xp.asarray(x), xp.asarray(y)
    losses = -(y * np.log(x) + (1 - y) * np.log(1 - x))
    same(f(a, b, reduction="none"), losses, rtol=1e-13)
    same(f(a, b, xp.asarray(w)), (w * losses).mean(), rtol=1e-13)
    smooth(xp, f, x, y)
    logits = xp.log(a) - xp.log1p(-a)
    same(f(a, b), nn.binary_cross_entropy_with_logits(logits, b).numpy(), rtol=1e-13)
    ends = xp.asarray([0.0, 0.0, 1.0, 1.0, 1e-50]), xp.asarray([0.0, 1.0, 0.0, 1.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(f(*ends, reduction="none"), [0.0, 100.0, 100.0, 0.0, 100.0])
        g = autodiff.grad(lambda x: f(x, ends[1], reduction="sum"))(ends[0])
        same(g, [1.0, 0.0, 0.0, -1.0, 0.0])
    for wrong in (-0.5, 1.5, math.inf):
        if xp.default_device().device == "cpu":
            with pytest.raises(ValueError, match=r"binary_cross_entropy: input .*with_logits"):
                f(xp.asarray([wrong]), xp.ones(1))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                assert math.isnan(float(f(xp.asarray([wrong]), xp.asarray([0.5]))))


def test_divergence_of_distributions(xp, same):
    q, p = np.random.default_rng(0).random((2, 3, 4))
    a, b = xp.asarray(np.log(q)), xp.asarray(p)
    losses = p * (np.log(p) - np.log(q))
    same(nn.kl_div(a, b, "none"), losses, rtol=1e-13)
    same(nn.kl_div(a, b), losses.mean(), rtol=1e-13)
    same(nn.kl_div(a, b, "batchmean"), losses.sum() / 3, rtol=1e-13)
    same(nn.kl_div(a, xp.log(b), "sum", log_target=True), losses.sum(), rtol=1e-13)
    smooth(xp, nn.kl_div, np.log(q), p)
    smooth(xp, lambda x, y: nn.kl_div(x, y, log_target=True), np.log(q), np.log(p))
    far = xp.asarray([-math.inf, -math.inf, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(nn.kl_div(far, xp.asarray([0.0, 0.5, 1.0]), "none"), [0.0, math.inf, 0.0])
        none = xp.asarray([-math.inf, 0.0, 0.0])
        same(nn.kl_div(far, none, "none", log_target=True), [0.0, math.inf, 0.0])
        g = autodiff.grad(lambda x: nn.kl_div(x, xp.asarray([0.0, 0.0, 1.0]), "sum"))(far)
        same(g, [0.0, 0.0, -1.0])
    with pytest.raises(ValueError, match="kl_div: 'batchmean' requires an axis"):
        nn.kl_div(xp.asarray(0.0), xp.asarray(1.0), "batchmean")
    with pytest.raises(ValueError, match="kl_div: reduction must be one of"):
        nn.kl_div(a, b, "average")


def test_negative_log_likelihood(xp, same):
    x, target = numbers(5, 3), np.asarray([0, 2, 1, 1, 0])
    weight = np.asarray([1.0, 0.5, 2.0])
    logs, t = nn.log_softmax(xp.asarray(x)), xp.asarray(target)
    for options in ({}, {"weight": xp.asarray(weight)}, {"ignore_index": 1}):
        for reduction in ("none", "sum", "mean"):
            how = {**options, "reduction": reduction}
            expected = nn.cross_entropy(xp.asarray(x), t, **how).numpy()
            same(nn.nll(logs, t, **how), expected, rtol=1e-14)
    same(nn.nll(xp.asarray(x), t), -x[np.arange(5), target].mean(), rtol=1e-14)
    smooth(xp, lambda x: nn.nll(x, t, xp.asarray(weight)), x)
    with pytest.raises(TypeError, match=r"nll: target must be class indices; got Tensor"):
        nn.nll(logs, xp.ones((5, 3)))
    with pytest.raises(ValueError, match=r"nll: .*without axis 1; got"):
        nn.nll(logs, t[:3])


def written_out(x, parts, weight, smoothing):
    """Losses of rows of scores, by the definition."""
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    parts = (1 - smoothing) * parts + smoothing / x.shape[1]
    return -(weight * parts * logs).sum(1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy(xp, same, smoothing, weighted):
    x, target = numbers(5, 3), np.asarray([0, 2, 1, 1, 0])
    weight = np.asarray([1.0, 0.5, 2.0]) if weighted else np.ones(3)
    kwargs = {"label_smoothing": smoothing, "weight": xp.asarray(weight) if weighted else None}
    losses = written_out(x, np.eye(3)[target], weight, smoothing)
    a, t = xp.asarray(x), xp.asarray(target)
    same(nn.cross_entropy(a, t, reduction="none", **kwargs), losses, rtol=1e-13)
    same(nn.cross_entropy(a, t, reduction="sum", **kwargs), losses.sum(), rtol=1e-13)
    same(nn.cross_entropy(a, t, **kwargs), losses.sum() / weight[target].sum(), rtol=1e-13)
    smooth(xp, lambda x: nn.cross_entropy(x, t, **kwargs), x)
    same(nn.cross_entropy(a[1, :], t[1], reduction="none", **kwargs), losses[1], rtol=1e-13)

    for number, kept in ((7, np.asarray([True, False, True, True, False])), (1, target != 1)):
        ignored = xp.asarray(np.where(kept, target, number))
        options = {"ignore_index": number, **kwargs}
        found = nn.cross_entropy(a, ignored, reduction="none", **options)
        same(found, np.where(kept, losses, 0), rtol=1e-13)
        found = nn.cross_entropy(a, ignored, **options)
        same(found, losses[kept].sum() / weight[target[kept]].sum(), rtol=1e-13)

    parts = np.random.default_rng(4).random((5, 3))
    losses = written_out(x, parts, weight, smoothing)
    same(nn.cross_entropy(a, xp.asarray(parts), **kwargs), losses.mean(), rtol=1e-13)
    smooth(xp, lambda x, p: nn.cross_entropy(x, p, **kwargs), x, parts)

    image = numbers(2, 3, 2, 2)
    where = np.random.default_rng(5).integers(0, 3, (2, 2, 2))
    rows = np.moveaxis(image, 1, -1).reshape(-1, 3)
    losses = written_out(rows, np.eye(3)[where.reshape(-1)], weight, smoothing)
    found = nn.cross_entropy(xp.asarray(image), xp.asarray(where), reduction="none", **kwargs)
    same(found, losses.reshape(2, 2, 2), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "int64"])
def test_classes_beyond_the_dtype_of_their_indices(xp, same, dtype):
    scores, target = numbers(3, 300), np.asarray([5, 0, 127])
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    indices = xp.asarray(target, dtype=dtype)
    same(nn.cross_entropy(xp.asarray(scores), indices, reduction="none"),
         -logs[np.arange(3), target], rtol=1e-12)  # fmt: skip
    ignored = nn.cross_entropy(xp.asarray(scores), indices, ignore_index=127)
    same(ignored, -logs[np.arange(2), target[:2]].mean(), rtol=1e-12)


def test_a_negative_index_to_ignore_is_no_large_class():
    scores = arraygrad.ones((2, 3))
    huge = arraygrad.asarray([0, 2**64 - 100], dtype=arraygrad.uint64)  # -100 as an int64
    with pytest.raises(ValueError, match=r"cross_entropy: target .*out of range"):
        nn.cross_entropy(scores, huge)


def test_the_mean_of_an_empty_batch_is_not_a_number(xp):
    none, scores = xp.ones(0), xp.ones((0, 3))
    for loss in (
        lambda r: nn.mse(none, none, r),
        lambda r: nn.l1(none, none, r),
        lambda r: nn.huber(none, none, r),
        lambda r: nn.binary_cross_entropy_with_logits(none, none, reduction=r),
        lambda r: nn.cross_entropy(scores, scores, reduction=r),
        lambda r: nn.cross_entropy(scores, xp.ones(0, dtype=xp.int64), reduction=r),
        lambda r: nn.cross_entropy(
            xp.ones((2, 3)), xp.asarray([1, 1]), ignore_index=1, reduction=r
        ),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # as the mean of nothing warns
            assert math.isnan(float(loss("mean")))
        assert float(loss("sum")) == 0.0


def test_a_class_without_part_adds_nothing(xp, same):
    x = xp.asarray([[-math.inf, 0.0], [0.0, math.inf]])
    for target in (xp.asarray([1, 1]), xp.asarray([[0.0, 1.0], [0.0, 1.0]])):
        same(nn.cross_entropy(x, target), 0.0)
        same(autodiff.grad(lambda x: nn.cross_entropy(x, target))(x), np.zeros((2, 2)))
    same(nn.cross_entropy(x, xp.asarray([1, 0])), math.inf)


def test_a_class_that_is_none(xp):
    for wrong in (-1, 2, 7):
        target = xp.asarray([0, wrong])
        if xp.default_device().device == "cpu":
            with pytest.raises(
                ValueError, match="cross_entropy: target must be class indices from 0 to 1"
            ):
                nn.cross_entropy(xp.zeros((2, 2)), target)
        else:
            loss = nn.cross_entropy(xp.zeros((2, 2)), target, reduction="none")
            assert [math.isnan(v) for v in loss.tolist()] == [False, True]
