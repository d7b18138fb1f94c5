"""Recurrent layers against loops of NumPy."""

import copy
import itertools

import numpy as np
import pytest
from nn.support import numbers

import arraygrad
from arraygrad import autodiff, nn


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(name, x, h, c):
    """From the maps of the input and of the state."""
    if name == "LSTM":
        i, f, g, o = np.split(x + h[0], 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(x, 3, -1), np.split(h[0], 3, -1)
    z = sigmoid(x_z + h_z)
    return (1 - z) * np.tanh(x_n + sigmoid(x_r + h_r) * h_n) + z * h[1], None


def looped(layer, x, h, c):
    """All layers and directions of one sequence, of shape (length, size)."""
    name, state = type(layer).__name__, {k: p.numpy() for k, p in layer.state_dict().items()}
    directions = ("", "_reverse") if layer.bidirectional else ("",)
    ends = []
    for level in range(layer.num_layers):
        both = []
        for direction in directions:
            w, u, a, b = (
                state.get(f"{part}_l{level}{direction}", 0.0)
                for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            now, cell, out = h[len(ends)], c[len(ends)], {}
            times = range(len(x))
            for t in reversed(times) if direction else times:
                now, cell = step(name, w @ x[t] + a, (u @ now + b, now), cell)
                out[t] = now
            both.append([out[t] for t in times])
            ends.append((now, cell))
        x = np.concatenate(both, -1)
    return x, ends


CASES = list(itertools.product(("LSTM", "GRU"), (1, 2), (False, True), (False, True)))


@pytest.mark.parametrize(("name", "num_layers", "batch_first", "bidirectional"), CASES)
def test_recurrent_layers(xp, same, name, num_layers, batch_first, bidirectional):
    layer = getattr(nn, name)(
        3, 4, num_layers, num_layers == 1, batch_first, bidirectional=bidirectional,
        rng=xp.random.default_rng(0),
    )  # fmt: skip
    rows = num_layers * (1 + bidirectional)
    x, h, c = numbers(5, 6, 3), numbers(rows, 5, 4, seed=1), numbers(rows, 5, 4, seed=2)
    for start in (False, True):
        if not start:
            h0, c0 = 0 * h, 0 * c
            hx = None
        else:
            h0, c0 = h, c
            hx = (xp.asarray(h), xp.asarray(c)) if name == "LSTM" else xp.asarray(h)
        expected = [looped(layer, x[i], h0[:, i], c0[:, i]) for i in range(5)]
        given = xp.asarray(x if batch_first else x.swapaxes(0, 1))
        with autodiff.no_grad():
            y, last = layer(given, hx)
        outputs = np.stack([y for y, _ in expected])
        same(y, outputs if batch_first else outputs.swapaxes(0, 1), rtol=1e-13)
        for k, found in enumerate(last if name == "LSTM" else (last,)):
            same(found, np.stack([[e[k] for e in ends] for _, ends in expected], 1), rtol=1e-13)
    with autodiff.no_grad():
        y, _ = layer(xp.asarray(x[0]))  # without a batch
    same(y, looped(layer, x[0], 0 * h[:, 0], 0 * c[:, 0])[0], rtol=1e-13)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_gradients_of_recurrent_layers(xp, same, name):
    layer = getattr(nn, name)(2, 3, 2, bidirectional=True, rng=xp.random.default_rng(0))
    x = xp.asarray(numbers(4, 2, 2))
    states = [xp.asarray(numbers(4, 2, 3, seed=i)) for i in range(2 if name == "LSTM" else 1)]

    def run(x, *states):
        y, last = layer(x, states if name == "LSTM" else states[0])
        return y, last

    with autodiff.no_grad():
        autodiff.check_grads(run, (x, *states), order=1)

    def loss(layer):
        return xp.sum(layer(x)[0] ** 2)

    loss(layer).backward()
    with autodiff.no_grad():
        found = autodiff.grad(loss)(layer)
    assert len(list(found.parameters())) == 16
    for p, g in zip(layer.parameters(), found.parameters(), strict=True):
        same(g, p.grad.numpy(), rtol=1e-13)
        assert float(xp.max(xp.abs(g))) > 0


def test_a_long_sequence(xp, same):
    layer = nn.GRU(1, 2, rng=xp.random.default_rng(0))
    x = numbers(3000, 1)
    y, h = layer(xp.asarray(x))
    expected, _ = looped(layer, x, np.zeros((1, 2)), [None])
    same(y.detach(), expected, rtol=1e-12)
    same(h.detach(), expected[-1:], rtol=1e-12)
    xp.sum(h).backward()
    assert float(xp.max(xp.abs(layer.weight_hh_l0.grad))) > 0


def test_dropout_between_layers(xp, same):
    x = xp.asarray(numbers(4, 2, 3))
    layer = nn.LSTM(3, 4, 2, dropout=0.5, rng=xp.random.default_rng(0))
    first, second = (layer(x)[0].detach().numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    layer.eval()
    same(layer(x)[0].detach(), layer(x)[0].detach().numpy())
    one = nn.LSTM(3, 4, dropout=0.5, rng=xp.random.default_rng(0))  # nothing is between
    same(one(x)[0].detach(), one(x)[0].detach().numpy())
    text = "LSTM(3, 4, num_layers=2, dropout=0.5)"
    assert repr(layer) == text
    assert repr(nn.GRU(3, 4, bidirectional=True)) == "GRU(3, 4, bidirectional=True)"


def test_recurrent_layers_of_other_dtypes(xp):
    layer = nn.LSTM(3, 4, dtype=xp.float32)
    x = xp.ones((2, 1, 3), dtype=xp.float32)
    y, (h, c) = layer(x)
    assert y.dtype == h.dtype == c.dtype == xp.float32
    with pytest.warns(UserWarning, match="LSTM: an input of dtype float64 and weights of dtype"):
        assert layer(xp.ones((2, 1, 3)))[0].dtype == xp.float64


def test_what_recurrent_layers_refuse():
    lstm, gru, x = nn.LSTM(3, 4), nn.GRU(3, 4, batch_first=True), arraygrad.ones((5, 2, 3))
    h = arraygrad.zeros((1, 2, 4))
    for call, error, message in (
        (lambda: lstm(arraygrad.ones((5, 2, 4))), ValueError, r"LSTM: .*\(length, n, 3\)"),
        (lambda: gru(arraygrad.ones(3)), ValueError, r"GRU: x must have shape \(n, length, 3\) or"),
        (lambda: lstm(x, h), TypeError, "LSTM: hx must be a tuple of two tensors; got Tensor"),
        (lambda: lstm(x, (h, h[0, ...])), ValueError, r"LSTM: hx .*\(1, 2, 4\); got Tensor"),
        (lambda: gru(x, h), ValueError, r"GRU: hx must have shape \(1, 5, 4\)"),
        (lambda: lstm(x[:0, ...]), ValueError, "LSTM: a sequence must have at least one step"),
        (lambda: nn.LSTM(3, 0), ValueError, "LSTM: hidden_size and num_layers .*got 0 and 1"),
        (lambda: nn.GRU(3.0, 4), TypeError, r"GRU: .*3\.0"),
        (lambda: nn.GRU(3, 4, dropout=2), ValueError, "GRU: p must be in"),
        (lambda: lstm(1j * x), TypeError, "LSTM: .*real"),
    ):
        with pytest.raises(error, match=message):
            call()


LAYERS = {"LSTM": nn.LSTM(2, 4), "GRU": nn.GRU(2, 4)}


def _layer(name):
    """All results of one direction, as a function of its input, parameters and initial states."""

    def run(x, w_x, w_h, b_x, b_h, *states):
        layer = copy.copy(LAYERS[name])
        vars(layer).update(weight_ih_l0=w_x, weight_hh_l0=w_h, bias_ih_l0=b_x, bias_hh_l0=b_h)
        y, last = layer(x, states if name == "LSTM" else states[0])
        return y, *(last if name == "LSTM" else [last])

    return run


def _operands(xp, name, length, n, size, hidden):
    gates, states = (4, 2) if name == "LSTM" else (3, 1)
    rows = gates * hidden
    shapes = (length, n, size), (rows, size), (rows, hidden), (rows,), (rows,)
    shapes += ((1, n, hidden),) * states
    return [xp.asarray(numbers(*s, seed=i)) for i, s in enumerate(shapes)]


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_all_steps_to_third_order(name):
    autodiff.check_grads(_layer(name), tuple(_operands(arraygrad, name, 2, 1, 2, 4)), order=3)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("mode", ["tape", "vjp", "jvp", "compiled", "vmap"])
def test_derivatives_of_all_steps_are_those_of_each(name, mode):
    xp, same = arraygrad, np.testing.assert_allclose
    function, operands = _layer(name), _operands(xp, name, 5, 3, 2, 4)
    weights = [xp.asarray(numbers(*y.shape, seed=9)) for y in function(*operands)]

    def step(x, maps, h, c=None):
        if name == "LSTM":
            i, f, g, o = xp.split(x + maps, 4, axis=1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * nn.tanh(g)
            return nn.sigmoid(o) * nn.tanh(c), c
        (x_r, x_z, x_n), (h_r, h_z, h_n) = xp.split(x, 3, axis=1), xp.split(maps, 3, axis=1)
        z = nn.sigmoid(x_z + h_z)
        return ((1 - z) * nn.tanh(x_n + nn.sigmoid(x_r + h_r) * h_n) + z * h,)

    def steps(x, w_x, w_h, b_x, b_h, *state):
        state, states = [h[0, ...] for h in state], []
        for t in xp.unstack(x):
            state = step(nn.linear(t, w_x, b_x), nn.linear(state[0], w_h, b_h), *state)
            states.append(state[0])
        return xp.stack(states), *[xp.expand_dims(h, axis=0) for h in state]

    def loss(function):
        return lambda *a: sum(
            (xp.sum(y * w) for y, w in zip(function(*a), weights, strict=True)), xp.asarray(0.0)
        )

    everything = tuple(range(len(operands)))
    expected = autodiff.grad(loss(steps), argnums=everything)(*operands)
    if mode == "jvp":
        tangents = tuple(xp.asarray(numbers(*x.shape, seed=20)) for x in operands)
        found = autodiff.jvp(loss(function), tuple(operands), tangents)[1]
        parts = [xp.sum(g * t) for g, t in zip(expected, tangents, strict=True)]
        same(found.numpy(), sum(parts[1:], parts[0]).numpy(), rtol=1e-12)
        return
    if mode == "tape":
        leaves = [x.detach().requires_grad_() for x in operands]
        loss(function)(*leaves).backward()
        found = [x.grad for x in leaves]
    elif mode == "vmap":  # over the input alone, then over everything
        gradient = autodiff.grad(loss(function), argnums=everything)
        batch = [xp.stack([x, 2 * x]) for x in operands]
        of_inputs = xp.vmap(gradient, (0, *[None] * (len(operands) - 1)))(batch[0], *operands[1:])
        of_all = xp.vmap(gradient)(*batch)
        doubled = autodiff.grad(loss(steps), argnums=everything)(*[2 * x for x in operands])
        for a, b, g, h in zip(of_inputs, of_all, expected, doubled, strict=True):
            same(a[0, ...].numpy(), g.numpy(), rtol=1e-11)
            same(b.numpy(), np.stack([g.numpy(), h.numpy()]), rtol=1e-11)
        return
    else:
        gradient = autodiff.grad(loss(function), argnums=everything)
        if mode == "compiled":
            gradient = arraygrad.compile(gradient)
            gradient(*operands)
        found = gradient(*operands)
    for a, b in zip(found, expected, strict=True):
        same(a.numpy(), b.numpy(), rtol=1e-12)
