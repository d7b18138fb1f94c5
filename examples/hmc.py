"""Samples of a distribution by Hamiltonian Monte Carlo, whose moves follow the gradient.

The posterior of a logistic regression on two noisy moons has no simple form. Each sample moves like
a ball on its surface, by a few leapfrog steps, and the Metropolis rule accepts or rejects the move.
Each chain is an entry of one array, so one gradient moves a hundred chains at once. Draws the
decision boundary of each chain's last sample, the mean, and the data.

    python examples/hmc.py [--moves 200] [--device cpu] [--picture hmc.png]
"""

from __future__ import annotations

import argparse
import sys

import matplotlib as mpl
from matplotlib import pyplot as plt

import arraygrad as xp
from arraygrad import autodiff

CHAINS = 100


def moons(rng, n):
    """Noisy points on two half circles, and the half circle of each point."""
    angle = xp.pi * rng.uniform(size=n)
    label = xp.astype(xp.arange(n) % 2, xp.float64)
    x = xp.where(label > 0, 1 - xp.cos(angle), xp.cos(angle))
    y = xp.where(label > 0, 0.5 - xp.sin(angle), xp.sin(angle))
    return xp.stack([x, y], axis=1) + 0.2 * rng.standard_normal((n, 2)), label


def features(points):
    """Cubic polynomials of two coordinates."""
    x, y = points[..., 0], points[..., 1]
    return xp.stack([xp.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3],
                    axis=-1)  # fmt: skip


def energy(weights, inputs, labels):
    """Minus the log posterior of each chain: the likelihood, and a normal prior of width 3."""
    z = weights @ inputs.mT
    likelihood = xp.sum(labels * z - xp.logaddexp(xp.zeros_like(z), z), axis=1)
    return xp.sum(weights**2, axis=1) / 18 - likelihood


def move(rng, weights, of, step, leaps):
    """One move of all chains: Neal (2011), MCMC Using Hamiltonian Dynamics, figure 2."""
    momentum = rng.standard_normal(weights.shape)
    start, slope = of(weights)
    before = start + 0.5 * xp.sum(momentum**2, axis=1)
    new = weights
    for _ in range(leaps):
        momentum = momentum - 0.5 * step * slope
        new = new + step * momentum
        end, slope = of(new)
        momentum = momentum - 0.5 * step * slope
    after = end + 0.5 * xp.sum(momentum**2, axis=1)
    accepted = xp.log(rng.uniform(size=CHAINS)) < before - after
    return xp.where(accepted[:, None], new, weights), accepted


def main(argv=None):
    """Sample and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moves", type=int, default=200, help="of each chain; half of them settle")
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="hmc.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    rng = xp.random.default_rng(1)
    points, labels = moons(rng, 200)
    inputs = features(points)

    def total(weights):
        energies = energy(weights, inputs, labels)
        return xp.sum(energies), energies  # chains do not depend on each other

    def of(weights):
        (_, energies), slope = autodiff.value_and_grad(total, has_aux=True)(weights)
        return energies, slope

    weights = 0.1 * rng.standard_normal((CHAINS, inputs.shape[1]))
    kept, share = [], 0.0
    for i in range(args.moves):
        step = 0.04 + 0.1 * (i % 8) / 7  # short ones free chains that are stuck
        weights, accepted = move(rng, weights, of, step, leaps=15)
        if i >= args.moves // 2:
            kept.append(weights)
            share += float(xp.mean(xp.astype(accepted, xp.float64)))
    samples = xp.stack(kept)  # (moves, chains, weights)
    share /= len(kept)

    # Gelman and Rubin's statistic: near 1 if chains that started apart agree.
    means = xp.mean(samples, axis=0)
    within = xp.mean(xp.var(samples, axis=0, correction=1), axis=0)
    ratio = xp.sqrt((len(kept) - 1) / len(kept) + xp.var(means, axis=0, correction=1) / within)
    worst = float(xp.max(ratio))
    print(f"{samples.shape[0] * CHAINS} samples, {share:.0%} of the moves accepted")
    print(f"chains agree: ratio of spreads {worst:.3f}")

    grid = xp.linspace(-1.7, 2.7, 120)
    across, up = xp.meshgrid(grid, grid, indexing="xy")
    places = features(xp.stack([across, up], axis=-1))
    chance = xp.mean(1 / (1 + xp.exp(-places @ weights.mT)), axis=-1)
    across, up, chance, points, labels = (
        x.to_device("cpu").numpy() for x in (across, up, chance, points, labels)
    )
    figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
    filled = axes.contourf(across, up, chance, levels=20, cmap="RdBu_r", alpha=0.8)
    for i in range(0, CHAINS, 5):
        boundary = (places @ weights[i, :]).to_device("cpu").numpy()
        axes.contour(across, up, boundary, levels=[0.0], colors="k", linewidths=0.4)
    axes.scatter(points[:, 0], points[:, 1], c=labels, cmap="gray", edgecolors="k", s=25)
    axes.set(title="boundaries of 20 samples, and the mean probability", xticks=[], yticks=[])
    figure.colorbar(filled)
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if worst < 1.2 and share > 0.5 else 1


if __name__ == "__main__":
    sys.exit(main())
