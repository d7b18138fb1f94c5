"""An ordinary differential equation fitted to historical data through its solver.

The Hudson's Bay Company counted the pelts of hares and lynxes from 1900 to 1920. The equations of
Lotka and Volterra predict these numbers; a Runge-Kutta method, in a plain loop, solves them.
The gradient of the misfit is propagated back through all steps to the rates and the first numbers.

    python examples/predator_prey.py [--steps 8] [--device cpu] [--picture predator_prey.png]
"""

from __future__ import annotations

import argparse
import sys

import matplotlib as mpl
from matplotlib import pyplot as plt

import arraygrad as xp
from arraygrad import optim

#: Thousands of pelts of hares and of lynxes, 1900 to 1920: Hewitt (1921), The Conservation of the
#: Wild Life of Canada.
PELTS = (
    (30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1, 40.3, 57.0, 76.6, 52.3,
     19.5, 11.2, 7.6, 14.6, 16.2, 24.7),
    (4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4, 8.0, 12.3, 19.5, 45.7,
     51.1, 29.7, 15.8, 9.7, 10.1, 8.6),
)  # fmt: skip
NAMES = ("births of hares", "hares eaten", "deaths of lynxes", "lynxes fed")


def change(numbers, rates):
    """The derivatives of the numbers of hares and lynxes in time: Lotka and Volterra."""
    hares, lynxes = numbers[0], numbers[1]
    return xp.stack(
        [(rates[0] - rates[1] * lynxes) * hares, (rates[3] * hares - rates[2]) * lynxes]
    )


def solve(logs, years, steps):
    """The numbers at all steps of the years, by the classical method of Runge and Kutta."""
    rates, numbers = xp.exp(logs[:4]), xp.exp(logs[4:])
    h = 1 / steps
    found = [numbers]
    for _ in range((years - 1) * steps):
        k1 = change(numbers, rates)
        k2 = change(numbers + 0.5 * h * k1, rates)
        k3 = change(numbers + 0.5 * h * k2, rates)
        k4 = change(numbers + h * k3, rates)
        numbers = numbers + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        found.append(numbers)
    return xp.stack(found, axis=1)


def main(argv=None):
    """Fit and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=8, help="of the solver, in a year")
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="predator_prey.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    pelts = xp.asarray(PELTS)
    years = pelts.shape[1]

    def loss(logs):
        found = solve(logs, years, args.steps)[:, :: args.steps]  # once a year
        return xp.mean((xp.log(found) - xp.log(pelts)) ** 2)

    # Rates and first numbers are positive: their logarithms are the unknowns.
    start = xp.log(xp.asarray([0.6, 0.03, 0.8, 0.02, *(series[0] for series in PELTS)]))
    fit = optim.minimize(loss, start, method="BFGS")
    rates = xp.exp(fit.x[:4])
    for name, rate in zip(NAMES, rates, strict=True):
        print(f"{name:<17} {float(rate):.4f} a year")
    print(f"misfit {float(loss(start)):.3f} -> {fit.fun:.3f}, {fit.nit} steps, "
          f"{fit.nfev} solutions of {4 * args.steps * (years - 1)} stages")  # fmt: skip

    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    numbers = solve(fit.x, years, args.steps)
    at = 1900 + xp.arange(numbers.shape[1]) / args.steps
    for name, colour, seen, found in zip(
        ("hares", "lynxes"), ("C0", "C1"), pelts, numbers, strict=True
    ):
        axes.plot(range(1900, 1921), seen.tolist(), "o", color=colour, label=f"{name}, counted")
        axes.plot(at.tolist(), found.tolist(), color=colour, label=f"{name}, fitted")
    axes.set(ylabel="thousands of pelts", xticks=range(1900, 1921, 5))
    axes.legend()
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if fit.fun < 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
