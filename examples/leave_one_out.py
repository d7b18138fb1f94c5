"""A Gaussian process that is fitted by leaving out one point after the other.

The code predicts one point from all others, by a Cholesky factor of their covariance. `vmap` runs
it for all points at once, and the gradient of the whole goes through it. The predictions are
compared with a closed form. Prints the fitted parameters, and draws the points with what the others
say of them.

    python examples/leave_one_out.py [--samples 60] [--device cpu] [--picture leave_one_out.png]
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

START = {"amplitude": 1.0, "length": 1.0, "noise": 0.5}


def kernel(a, b, p):
    """The covariances of the function values at `a` and `b`: a squared exponential."""
    distance = (a[:, None] - b[None, :]) / p["length"]
    return p["amplitude"] ** 2 * xp.exp(-0.5 * distance**2)


def covariance(x, p):
    """The covariances of the data at `x`."""
    return kernel(x, x, p) + p["noise"] ** 2 * xp.eye(x.size, device=x.device)


def left_out(i, x, y, p):
    """The mean and variance of the point number `i`, from all other points."""
    others = xp.arange(x.size - 1, device=x.device)
    others = others + xp.astype(others >= i, others.dtype)
    lower = xp.linalg.cholesky(covariance(x[others], p))
    across = xp.linalg.solve(lower, kernel(x[others], xp.reshape(x[i], (1,)), p)[:, 0])
    mean = across @ xp.linalg.solve(lower, y[others])
    return mean, p["amplitude"] ** 2 + p["noise"] ** 2 - across @ across


def predictions(x, y, p):
    """The means and variances of all points, each from all others."""
    points = xp.arange(x.size, device=x.device)
    return xp.vmap(left_out, (0, None, None, None))(points, x, y, p)


def loss(logs, x, y):
    """The negative log probability of the points: Rasmussen and Williams (2006), eq. 5.11."""
    p = {name: xp.exp(value) for name, value in logs.items()}
    mean, variance = predictions(x, y, p)
    return 0.5 * xp.sum(xp.log(2 * math.pi * variance) + (y - mean) ** 2 / variance)


def closed_form(x, y, p):
    """The means without leaving anything out: Rasmussen and Williams, eq. 5.12."""
    inverse = xp.linalg.inv(covariance(x, p))
    return y - inverse @ y / xp.linalg.diagonal(inverse)


def draw_data(samples):
    """Points, and noisy values of a function of which two are wrong."""
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0.0, 10.0, samples))
    y = np.sin(x) + 0.5 * np.cos(2.3 * x) + 0.15 * rng.standard_normal(samples)
    y[[samples // 4, 2 * samples // 3]] += 1.2, -1.4
    return xp.asarray(x), xp.asarray(y)


def picture(path, p, x, y):
    """Draw the points, and the intervals in which the others expect them."""
    mean, variance = (t.numpy() for t in predictions(x, y, p))
    x, y, width = x.numpy(), y.numpy(), 3 * np.sqrt(variance)
    outside = np.abs(y - mean) > width
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.errorbar(x, mean, width, fmt="none", ecolor="C0", alpha=0.5,
                  label="what the others say: three standard deviations")  # fmt: skip
    axes.plot(x[~outside], y[~outside], "k.", label="points")
    axes.plot(x[outside], y[outside], "ro", label="points that the others do not expect")
    axes.set(xlabel="x", ylabel="y", title="Gaussian process, each point left out once")
    figure.legend(loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=120)


def main(argv=None):
    """Fit, compare and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="leave_one_out.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    x, y = draw_data(args.samples)
    start = {name: xp.asarray(math.log(value)) for name, value in START.items()}
    found = optim.minimize(lambda logs: loss(logs, x, y), start, method="BFGS")
    p = {name: xp.exp(value) for name, value in found.x.items()}

    print(f"{'':<12} {'start':>8} {'found':>8}")
    for name, value in START.items():
        print(f"{name:<12} {value:>8.3f} {float(p[name]):>8.3f}")
    print(f"minus log probability {float(loss(start, x, y)):.3f} -> {found.fun:.3f}, "
          f"{found.nit} steps")  # fmt: skip
    off = float(xp.max(xp.abs(predictions(x, y, p)[0] - closed_form(x, y, p))))
    print(f"largest difference from the closed form: {off:.0e}")
    picture(args.picture, p, x, y)
    print(f"picture: {args.picture}")
    return 0 if found.success and off < 1e-8 else 1


if __name__ == "__main__":
    sys.exit(main())
