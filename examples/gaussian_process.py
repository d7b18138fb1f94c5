"""A Gaussian process whose kernel parameters are fitted by the gradient of the marginal likelihood.

The likelihood uses only functions of the standard: a Cholesky factor, a solve and the logarithm of
a diagonal. SciPy's optimiser maximises it with the gradient through all of them. Prints the fitted
parameters next to the true ones, and draws the prediction.

    python examples/gaussian_process.py [--samples 60] [--device cpu]
        [--picture gaussian_process.png]
"""

from __future__ import annotations

import argparse
import math
import sys

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

import arraygrad as xp
from arraygrad import optim

TRUE = {"amplitude": 1.5, "length": 0.7, "noise": 0.2}


def kernel(a, b, p):
    """The covariances of the function values at `a` and `b`: a squared exponential."""
    distance = (a[:, None] - b[None, :]) / p["length"]
    return p["amplitude"] ** 2 * xp.exp(-0.5 * distance**2)


def factor(p, x):
    """The Cholesky factor of the covariance of the data."""
    return xp.linalg.cholesky(kernel(x, x, p) + p["noise"] ** 2 * xp.eye(x.size, device=x.device))


def loss(logs, x, y):
    """The negative log marginal likelihood: Rasmussen and Williams (2006), eq. 2.30."""
    p = {name: xp.exp(value) for name, value in logs.items()}
    lower = factor(p, x)
    z = xp.linalg.solve(lower, y)
    log_det = xp.sum(xp.log(xp.linalg.diagonal(lower)))
    return 0.5 * xp.sum(z * z) + log_det + 0.5 * x.size * math.log(2 * math.pi)


def predict(p, x, y, at):
    """The mean and standard deviation of the function at new points: eqs. 2.25 and 2.26."""
    lower = factor(p, x)
    across = xp.linalg.solve(lower, kernel(x, at, p))
    mean = across.mT @ xp.linalg.solve(lower, y)
    return mean, xp.sqrt(p["amplitude"] ** 2 - xp.sum(across**2, axis=0))


def draw_data(samples):
    """Points, and noisy values of a function drawn from the process."""
    rng = np.random.default_rng(4)
    x = xp.asarray(np.sort(rng.uniform(0.0, 10.0, samples)))
    p = {name: xp.asarray(value) for name, value in TRUE.items()}
    return x, factor(p, x) @ xp.asarray(rng.standard_normal(samples))


def picture(path, p, x, y):
    """Draw the data and the prediction."""
    at = xp.linspace(-1.0, 11.0, 300)
    mean, deviation = predict(p, x, y, at)
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.fill_between(
        at.numpy(), (mean - 2 * deviation).numpy(), (mean + 2 * deviation).numpy(), alpha=0.2
    )
    axes.plot(at.numpy(), mean.numpy(), label="mean, and two standard deviations")
    axes.plot(x.numpy(), y.numpy(), "k.", label="data")
    axes.set(xlabel="x", ylabel="y", title="Gaussian process, fitted by gradient")
    axes.legend()
    figure.savefig(path, dpi=120)


def main(argv=None):
    """Fit and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="gaussian_process.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    x, y = draw_data(args.samples)
    start = {name: xp.asarray(0.0) for name in TRUE}
    found = optim.minimize(lambda logs: loss(logs, x, y), start, method="BFGS")
    p = {name: xp.exp(value) for name, value in found.x.items()}

    print(f"{'':<12} {'true':>8} {'found':>8}")
    for name, true in TRUE.items():
        print(f"{name:<12} {true:>8.3f} {float(p[name]):>8.3f}")
    print(f"minus log likelihood {float(loss(start, x, y)):.3f} -> {found.fun:.3f}, "
          f"{found.nit} steps")  # fmt: skip
    picture(args.picture, p, x, y)
    print(f"picture: {args.picture}")
    return 0 if found.success else 1


if __name__ == "__main__":
    sys.exit(main())
