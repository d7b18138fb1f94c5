"""A model made of SciPy functions, fitted by differentiating through them.

The probability of a right answer grows with the strength of a signal, from guessing upwards along a
normal distribution function. The model uses `scipy.special.ndtr`, and the likelihood uses
`scipy.special.xlogy`; neither knows arraygrad. Newton's method uses the gradient and the Hessian of
the likelihood. Prints the parameters with their standard errors, and draws the curve.

    python examples/fit_scipy_model.py [--trials 400] [--device cpu] [--picture fit_scipy_model.png]
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is imported

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from scipy import special

import arraygrad as xp
from arraygrad import autodiff

NAMES = ("threshold", "width", "guessing")
TRUE = (2.0, 0.8, 0.25)


def curve(p, strength):
    """The probability of a right answer; `p` is threshold, log of width, logit of guessing."""
    guessing = special.expit(p[2])
    return guessing + (1 - guessing) * special.ndtr((strength - p[0]) / xp.exp(p[1]))


def loss(p, strength, right, trials):
    """The negative binomial log likelihood, without the terms that do not depend on `p`."""
    q = curve(p, strength)
    return -xp.sum(special.xlogy(right, q) + special.xlogy(trials - right, 1 - q))


def fit(p, data, steps=50):
    """Newton's method, halving steps that lead uphill; returns the parameters and the Hessian."""
    of = autodiff.value_and_grad(loss)
    for _ in range(steps):
        value, gradient = of(p, *data)
        hessian = autodiff.hessian(loss)(p, *data)
        print(f"loss {float(value):10.4f}   gradient {float(xp.max(xp.abs(gradient))):.1e}")
        if xp.max(xp.abs(gradient)) < 1e-8 * value:
            return p, hessian
        values, vectors = xp.linalg.eigh(hessian)  # descend even where the loss is concave
        step = -vectors @ ((vectors.mT @ gradient) / xp.maximum(xp.abs(values), 1e-3))
        while not loss(p + step, *data) <= value:
            step = step / 2
        p = p + step
    raise RuntimeError(f"no minimum after {steps} steps")


def natural(p):
    """The parameters in the order and scale of NAMES."""
    return xp.stack([p[0], xp.exp(p[1]), special.expit(p[2])])


def main(argv=None):
    """Fit and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=400, help="at each of 13 strengths")
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="fit_scipy_model.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    strength = xp.linspace(-1.0, 5.0, 13)
    true = xp.asarray([TRUE[0], np.log(TRUE[1]), np.log(TRUE[2] / (1 - TRUE[2]))])
    chances = curve(true, strength).numpy()
    answers = np.random.default_rng(0).binomial(args.trials, chances)
    right = xp.asarray(answers, dtype=xp.float64)

    p, hessian = fit(xp.asarray([0.0, 0.0, -1.0]), (strength, right, args.trials))
    change = autodiff.jacobian(natural)(p)
    covariance = change @ xp.linalg.inv(hessian) @ change.mT
    found, error = natural(p), xp.sqrt(xp.linalg.diagonal(covariance))

    print(f"\n{'':<10} {'true':>7} {'found':>7} {'error':>7}")
    for name, true_value, value, e in zip(NAMES, TRUE, found, error, strict=True):
        print(f"{name:<10} {true_value:>7.3f} {float(value):>7.3f} {float(e):>7.3f}")

    at = xp.linspace(-1.0, 5.0, 200)
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(strength.numpy(), (right / args.trials).numpy(), "ko", label="answers")
    axes.plot(at.numpy(), curve(p, at).numpy(), label="fitted")
    axes.plot(at.numpy(), curve(true, at).numpy(), "--", label="true")
    axes.set(xlabel="strength of the signal", ylabel="share of right answers")
    axes.legend()
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    off = xp.abs(found - xp.asarray(TRUE)) / error
    return 0 if xp.all(off < 4) else 1


if __name__ == "__main__":
    sys.exit(main())
