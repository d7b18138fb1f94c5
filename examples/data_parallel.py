"""A classifier trained by two processes and by one: the same losses and weights up to rounding.

A network of three layers learns to separate two spirals of points. In every step, each process
computes the gradient for its half of the points, and Dask adds them. Prints the progress and a
comparison, and saves a picture of both loss curves and of the regions that the network has learnt.
With ``--device cuda``, each process has its own GPU if there are two.

    python examples/data_parallel.py [--steps 300] [--samples 2048] [--device cpu]
        [--picture data_parallel.png]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from logging import WARNING

import matplotlib as mpl
import numpy as np
from dask.distributed import Client, Nanny, Scheduler, SpecCluster

import arraygrad as xp
from arraygrad import autodiff, distributed, optim

HIDDEN = 64


def spirals(samples):
    """Points, and the spiral of each point: -1 or 1."""
    rng = xp.random.default_rng(0)
    side = xp.where(xp.arange(samples) % 2 == 0, -1.0, 1.0)
    turn = 3 * xp.pi * xp.sqrt(rng.random(samples))
    x = xp.stack([turn * xp.cos(turn), turn * xp.sin(turn)], axis=1) * side[:, None] / 10
    return x + 0.02 * rng.standard_normal(x.shape), side


def initial():
    """The initial weights."""
    rng = xp.random.default_rng(1)

    def layer(inputs, outputs):
        return {
            "w": rng.standard_normal((inputs, outputs)) * (1 / inputs) ** 0.5,
            "b": rng.standard_normal((outputs,)),
        }

    return [layer(2, HIDDEN), layer(HIDDEN, HIDDEN), layer(HIDDEN, 1)]


def network(layers, x):
    """A score, which should be positive for the points of one spiral and negative for the other."""
    *hidden, last = layers
    for layer in hidden:
        x = xp.tanh(x @ layer["w"] + layer["b"])
    return (x @ last["w"] + last["b"])[:, 0]


def loss(layers, x, side):
    """The mean logistic loss."""
    return xp.mean(xp.logaddexp(xp.asarray(0.0), -side * network(layers, x)))


def two_processes():
    """Dask workers on this machine, of one thread each; NumPy in them has one, too."""
    count = sum(d.type == "cuda" for d in xp.__array_namespace_info__().devices())
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(count)))).split(",")
    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}  # hidden from others
    scheduler = {"cls": Scheduler, "options": options}
    workers = {}
    for i in range(2):
        env = {"CUDA_VISIBLE_DEVICES": gpus[i % len(gpus)]}  # there it is "cuda"
        options = {"host": "127.0.0.1", "nthreads": 1, "env": env, "silence_logs": WARNING}
        workers[i] = {"cls": Nanny, "options": options}
    return SpecCluster(workers, scheduler, silence_logs=WARNING)


def train(name, loss_and_gradient, x, side, steps):
    """Gradient descent with momentum; returns losses, weights and seconds per step."""
    layers = initial()
    optimizer = optim.SGD(layers, lr=0.3, momentum=0.9)
    losses = []
    start = time.perf_counter()
    for step in range(steps):
        value, gradient = loss_and_gradient(layers, x, side)
        losses.append(float(value))
        optimizer.step(gradient)
        if (step + 1) % max(1, steps // 5) == 0:
            print(f"{name:<16} step {step + 1:>5} of {steps}: loss {value:.6f}", flush=True)
    return losses, layers, (time.perf_counter() - start) / steps


def draw(path, losses, layers, x, side):
    """Draw both loss curves, and the regions into which the network divides the plane."""
    mpl.use("agg")  # files only
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for (name, curve), style in zip(losses.items(), ("-", "--"), strict=True):
        left.plot(curve, style, label=name)
    left.set(xlabel="step", ylabel="loss", yscale="log", title="The same losses")
    left.legend()
    line = xp.linspace(-1.1, 1.1, 200)
    across, up = xp.meshgrid(line, line)
    plane = network(layers, xp.stack([xp.reshape(across, -1), xp.reshape(up, -1)], axis=1))
    side, x = side.numpy(), x.numpy()
    shown = np.reshape(plane.numpy(), across.shape)
    right.contourf(line.numpy(), line.numpy(), shown > 0, levels=1, cmap="coolwarm", alpha=0.4)
    right.scatter(x[:, 0], x[:, 1], c=side, s=3, cmap="coolwarm")
    right.set(title="What the network has learnt", aspect="equal")
    figure.savefig(path, dpi=100)


def main(arguments=None):
    """Train in both ways and compare; return the exit code."""
    parser = argparse.ArgumentParser(description="Train with two processes, and with one.")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--picture", default="data_parallel.png")
    chosen = parser.parse_args(arguments)
    xp.default_device(chosen.device)

    x, side = spirals(chosen.samples)
    with two_processes() as cluster, Client(cluster) as client:
        shards = (distributed.shard(a, 2, client=client) for a in (x, side))
        loss_and_gradient = distributed.value_and_grad(loss, device=chosen.device)
        two = train("two processes", loss_and_gradient, *shards, chosen.steps)
    one = train("one process", autodiff.value_and_grad(loss), x, side, chosen.steps)

    print(f"\n{'way':<16} {'first loss':>12} {'last loss':>12} {'ms a step':>10}")
    ways = {"two processes": two, "one process": one}
    for name, (losses, _, seconds) in ways.items():
        print(f"{name:<16} {losses[0]:>12.6f} {losses[-1]:>12.6f} {seconds * 1e3:>10.1f}")
    differences = [
        float(xp.max(xp.abs(a[key] - b[key])))
        for a, b in zip(one[1], two[1], strict=True)
        for key in a
    ]
    right = float(xp.mean(xp.astype(network(two[1], x) * side > 0, xp.float64)))
    print(
        f"largest difference of a weight: {max(differences):.1e}; {right:.1%} of the points right"
    )
    draw(chosen.picture, {name: way[0] for name, way in ways.items()}, two[1], x, side)
    print(f"picture: {chosen.picture}")
    np.testing.assert_allclose(two[0], one[0], rtol=1e-6)  # rounding grows with the steps
    return 0


if __name__ == "__main__":  # the workers import this file
    sys.exit(main())
