"""A network of two layers, trained four ways.

The four ways are NumPy and tensors with gradients written by hand, `backward`, and
`value_and_grad`. All start from the same weights and must reach the same losses. If there is a
GPU, the three ways with tensors also run there.

    python examples/two_layer_net.py [--steps 200]
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import arraygrad
from arraygrad import autodiff

SAMPLES, INPUTS, HIDDEN, OUTPUTS = 64, 1000, 100, 10
RATE = 1e-4


def data():
    """Inputs, targets, and the weights of both layers, as float32 NumPy arrays."""
    rng = np.random.default_rng(0)
    shapes = [(SAMPLES, INPUTS), (SAMPLES, OUTPUTS), (INPUTS, HIDDEN), (HIDDEN, OUTPUTS)]
    x, y, w1, w2 = (rng.standard_normal(s, dtype=np.float32) for s in shapes)
    return x, y, w1 / INPUTS**0.5, w2 / HIDDEN**0.5


def by_hand(xp, x, y, w1, w2, steps):
    """Train with gradients written by hand; `xp` is NumPy or arraygrad."""
    losses = []
    for _ in range(steps):
        hidden = x @ w1
        active = xp.maximum(hidden, 0.0)
        error = active @ w2 - y
        losses.append(float(xp.sum(error**2)))
        g = 2 * error
        g2 = active.T @ g
        g1 = x.T @ xp.where(hidden > 0, g @ w2.T, 0.0)
        w1 -= RATE * g1
        w2 -= RATE * g2
    return losses


def loss_of(w1, w2, x, y):
    """The loss that the two functions below differentiate."""
    return arraygrad.sum((arraygrad.maximum(x @ w1, 0.0) @ w2 - y) ** 2)


def with_backward(xp, x, y, w1, w2, steps):
    """Train with leaves that require grad, and `backward`."""
    w1, w2 = autodiff.variable(w1), autodiff.variable(w2)
    losses = []
    for _ in range(steps):
        loss = loss_of(w1, w2, x, y)
        loss.backward()
        losses.append(float(loss))
        with autodiff.no_grad():
            for w in (w1, w2):
                w -= RATE * w.grad
                w.grad = None
    return losses


def with_value_and_grad(xp, x, y, w1, w2, steps):
    """Train with a function that returns the loss and its gradients."""
    loss_and_gradients = autodiff.value_and_grad(loss_of, argnums=(0, 1))
    losses = []
    for _ in range(steps):
        loss, (g1, g2) = loss_and_gradients(w1, w2, x, y)
        losses.append(float(loss))
        w1 -= RATE * g1
        w2 -= RATE * g2
    return losses


def ways():
    """Name, training function, namespace, and a function that copies an array to the device."""
    yield "NumPy by hand", by_hand, np, np.copy
    for device in arraygrad.__array_namespace_info__().devices():

        def put(a, device=device):
            return arraygrad.asarray(a, device=device, copy=True)

        yield f"tensors by hand, {device}", by_hand, arraygrad, put
        yield f"backward, {device}", with_backward, arraygrad, put
        yield f"value_and_grad, {device}", with_value_and_grad, arraygrad, put


def main(arguments=None):
    """Train in all ways and compare; return the exit code."""
    parser = argparse.ArgumentParser(description="A network of two layers, trained four ways.")
    parser.add_argument("--steps", type=int, default=200)
    steps = parser.parse_args(arguments).steps
    print(f"{'way':<26} {'first loss':>12} {'last loss':>12} {'µs a step':>10}")
    expected = None
    for name, train, xp, put in ways():
        train(xp, *map(put, data()), 3)  # warm-up: imports and compiles
        start = time.perf_counter()
        losses = train(xp, *map(put, data()), steps)
        taken = (time.perf_counter() - start) / steps
        print(f"{name:<26} {losses[0]:>12.5f} {losses[-1]:>12.5f} {taken * 1e6:>10.0f}")
        expected = expected or losses
        # Equal up to rounding: the sums are in float32 and in different orders.
        np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-9 * losses[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
