"""Attention: values, masks, gradients."""

import numpy as np
import pytest
from nn.support import numbers, smooth

import arraygrad
from arraygrad import autodiff, nn


def attended(q, k, v, seen=None, added=0.0, scale=None):
    """Attention by its definition, row by row; 0 for a query that sees nothing."""
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale) + added
    weights = np.exp(scores) * (True if seen is None else seen)
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total) @ v, weights / np.where(total == 0, 1, total)


MASKS = {
    "none": None,
    "bools": np.arange(20).reshape(4, 5) % 3 > 0,
    "one for each key": np.arange(5) % 2 > 0,
    "a query that sees nothing": np.arange(4)[:, None] * np.ones(5) > 1,
    "numbers": numbers(2, 4, 5, seed=4),
    "infinities": np.where(np.arange(20).reshape(4, 5) % 3 > 0, 0.5, -np.inf),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("causal", [False, True])
def test_attention_of_dot_products(xp, same, name, causal):
    q, k, v = numbers(2, 4, 3), numbers(2, 5, 3, seed=1), numbers(2, 5, 6, seed=2)
    given = MASKS[name]
    mask = None if given is None else xp.asarray(given)
    seen, added = np.ones((4, 5), dtype=bool), 0.0
    if given is not None:
        seen, added = (given, 0.0) if given.dtype == bool else (seen, given)
    if causal:
        seen = seen & np.tri(4, 5, dtype=bool)

    def f(q, k, v):
        return nn.scaled_dot_product_attention(q, k, v, mask, is_causal=causal)

    same(f(*map(xp.asarray, (q, k, v))), attended(q, k, v, seen, added)[0], rtol=1e-13)
    smooth(xp, f, q, k, v)
    if given is not None and given.dtype != bool and np.isfinite(given).all():
        smooth(
            xp,
            lambda m: nn.scaled_dot_product_attention(*map(xp.asarray, (q, k, v)), m),
            given,
        )


def test_attention_to_many_keys(xp, same):
    q, k, v = numbers(3, 4), 30 * numbers(3000, 4, seed=1), numbers(3000, 2, seed=2)
    found = nn.scaled_dot_product_attention(*map(xp.asarray, (q, k, v)), scale=0.1)
    same(found, attended(q, k, v, scale=0.1)[0], rtol=1e-12)
    x = xp.asarray(numbers(4, 3), dtype=xp.float32)
    assert nn.scaled_dot_product_attention(x, x, x, is_causal=True).dtype == xp.float32
    ones = xp.ones((2, 3))
    rng = xp.random.default_rng
    dropped = nn.scaled_dot_product_attention(ones, ones, ones, dropout_p=0.5, rng=rng(0))
    again = nn.scaled_dot_product_attention(ones, ones, ones, dropout_p=0.5, rng=rng(0))
    same(dropped, again.numpy())
    assert set(dropped.numpy().ravel()) <= {0.0, 1.0, 2.0}


def test_what_attention_refuses(xp):
    x, f = xp.ones((2, 3)), nn.scaled_dot_product_attention
    for args, message in (
        ((x, x[:, :2], x), r"query, key and value must have shapes .*got \(2, 3\), \(2, 2\)"),
        ((x, x, x[:1, :]), "query, key and value must have shapes"),
        ((x[0, :], x, x), "query, key and value must have shapes"),
        ((x, x, x, xp.ones(3) > 0), r"attn_mask must broadcast to \(2, 2\); got Tensor"),
    ):
        with pytest.raises(ValueError, match=f"scaled_dot_product_attention: {message}"):
            f(*args)
    with pytest.raises(
        TypeError, match=r"scaled_dot_product_attention: expected a Tensor; got \[\[1"
    ):
        f(x, x, [[1.0]])


def heads_apart(layer, q, k, v, seen, added=0.0):
    """Multi-head attention of one sample, head by head."""
    e, h = layer.embed_dim, layer.num_heads
    state = {name: x.numpy() for name, x in layer.state_dict().items()}
    maps = state["in_proj_weight"].reshape(3, e, e)
    biases = state["in_proj_bias"].reshape(3, e)
    q, k, v = (x @ w.T + b for x, w, b in zip((q, k, v), maps, biases, strict=True))
    parts = [slice(i * e // h, (i + 1) * e // h) for i in range(h)]
    found = [attended(q[:, p], k[:, p], v[:, p], seen, added) for p in parts]
    y = np.concatenate([y for y, _ in found], -1)
    y = y @ state["out_proj.weight"].T + state["out_proj.bias"]
    return y, np.stack([w for _, w in found])


@pytest.mark.parametrize("batch_first", [False, True])
def test_multihead_attention(xp, same, batch_first):
    layer = nn.MultiheadAttention(6, 3, batch_first=batch_first, rng=xp.random.default_rng(0))
    with autodiff.no_grad():
        layer.in_proj_bias[...] = xp.asarray(numbers(18))
    q, k, v = numbers(2, 4, 6), numbers(2, 5, 6, seed=1), numbers(2, 5, 6, seed=2)
    hidden = np.arange(20).reshape(4, 5) % 4 == 3
    padding = np.asarray([[False] * 5, [False, False, True, True, True]])
    expected = [
        heads_apart(layer, *(x[i] for x in (q, k, v)), ~hidden & ~padding[i]) for i in range(2)
    ]
    axes = (0, 1, 2) if batch_first else (1, 0, 2)
    a = tuple(xp.asarray(x.transpose(axes)) for x in (q, k, v))
    masks = {"attn_mask": xp.asarray(hidden), "key_padding_mask": xp.asarray(padding)}
    with autodiff.no_grad():
        y, weights = layer(*a, **masks)
        same(y, np.stack([y for y, _ in expected]).transpose(axes), rtol=1e-13)
        same(weights, np.stack([w.mean(0) for _, w in expected]), rtol=1e-13)
        _, weights = layer(*a, **masks, average_attn_weights=False)
        same(weights, np.stack([w for _, w in expected]), rtol=1e-13)
        # Bools and numbers together, and one sequence without a batch.
        numbers_too = {**masks, "attn_mask": xp.asarray(np.where(hidden, -np.inf, 0.25))}
        same(layer(*a, **numbers_too, need_weights=False)[0], y.numpy(), rtol=1e-13)
        one = [xp.asarray(x[1]) for x in (q, k, v)]
        y, weights = layer(*one, xp.asarray(padding[1]), attn_mask=masks["attn_mask"])
        same(y, expected[1][0], rtol=1e-13)
        same(weights, expected[1][1].mean(0), rtol=1e-13)
        y, weights = layer(one[0], one[0], one[0], is_causal=True)
        causal = np.tri(4, dtype=bool)
        same(y, heads_apart(layer, q[1], q[1], q[1], causal)[0], rtol=1e-13)
    autodiff.check_grads(lambda *a: layer(*a, **masks)[0], a, order=1)


def test_multihead_attention_trains_in_both_styles(xp, same):
    for options in ({}, {"kdim": 3, "vdim": 4}, {"bias": False}):
        layer = nn.MultiheadAttention(6, 2, **options, rng=xp.random.default_rng(0))
        q = xp.asarray(numbers(4, 2, 6))
        k, v = (xp.asarray(numbers(5, 2, n, seed=n)) for n in (layer.kdim, layer.vdim))

        def loss(layer, q=q, k=k, v=v):
            return xp.sum(layer(q, k, v)[0] ** 2)

        loss(layer).backward()
        with autodiff.no_grad():
            found = autodiff.grad(loss)(layer)
        for p, g in zip(layer.parameters(), found.parameters(), strict=True):
            same(g, p.grad.numpy(), rtol=1e-13)
            assert float(xp.max(xp.abs(g))) > 0
    layer = nn.MultiheadAttention(6, 2, dropout=0.5, rng=xp.random.default_rng(0))
    assert bool(xp.any(layer(q, q, q)[0] != layer(q, q, q)[0]))
    layer.eval()
    same(layer(q, q, q)[0].detach(), layer(q, q, q)[0].detach().numpy())
    assert repr(layer) == (
        "MultiheadAttention(6, 2, batch_first=False\n  (out_proj): "
        "Linear(in_features=6, out_features=6, bias=True)\n)"
    )


def test_what_multihead_attention_refuses():
    layer, x = nn.MultiheadAttention(4, 2), arraygrad.ones((5, 3, 4))
    for call, message in (
        (lambda: nn.MultiheadAttention(5, 2), "embed_dim must be a multiple .*got 5 and 2"),
        (
            lambda: layer(x, x, x[1:, ...]),
            "query, key and value must have the same n, key and value the same length",
        ),
        (lambda: layer(x, x[:, 1:, :], x[:, 1:, :]), "query, key and value must have the same n"),
        (
            lambda: layer(x[0, 0, :], x, x),
            r"query, key and value must have shape \(length, n, size\)",
        ),
        (lambda: layer(x, x, x, x[0, ...] > 0), r"key_padding_mask must have shape \(3, 5\)"),
        (lambda: layer(x, x, x, attn_mask=x > 0), r"attn_mask must have shape \(5, 5\) or"),
    ):
        with pytest.raises(ValueError, match=f"MultiheadAttention: {message}"):
            call()
