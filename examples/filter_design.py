"""A digital filter, designed with the gradient of its frequency response.

Three second-order sections should pass low frequencies and stop high ones. The loss is the largest
deviation, smoothed by a norm of high order. A section is stable if its poles are inside the unit
circle, so `tanh` maps the unknowns to stable coefficients. SciPy's `sosfreqz` checks the result.
For comparison, SciPy's elliptic filter is drawn, which is optimal in theory.

    python examples/filter_design.py [--sections 3] [--device cpu] [--picture filter_design.png]
"""

from __future__ import annotations

import argparse
import sys

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from scipy import signal

import arraygrad as xp
from arraygrad import optim

PASS, STOP = 0.4, 0.5  # the ends of the bands, as fractions of half of the sampling rate
RIPPLE, LEAK = 0.02, 0.002  # deviations in the two bands that weigh the same


def sections(unknowns):
    """The coefficients b1, a1 and a2 of stable sections; b0 and b2 are 1.

    The roots of ``z**2 + a1 * z + a2`` are inside the unit circle if ``|a2| < 1`` and
    ``|a1| < 1 + a2``.
    """
    a2 = xp.tanh(unknowns["a2"])
    a1 = (1 + a2) * xp.tanh(unknowns["a1"])
    b1 = 2 * xp.tanh(unknowns["b1"])  # the zeros of ``z**2 + b1 * z + 1`` are on the circle
    return b1, a1, a2


def response(unknowns, frequencies):
    """The magnitudes of the filter's response."""
    z = xp.exp(-1j * xp.pi * frequencies)[:, None]
    b1, a1, a2 = sections(unknowns)
    each = (1 + b1 * z + z**2) / (1 + a1 * z + a2 * z**2)
    return xp.exp(unknowns["gain"]) * xp.abs(xp.prod(each, axis=1))


def main(argv=None):
    """Design, check and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sections", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="filter_design.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    passed, stopped = xp.linspace(0.0, PASS, 200), xp.linspace(STOP, 1.0, 200)

    def worst(unknowns, power):
        """Largest weighted deviation, approximated by a norm of high order."""
        low = (response(unknowns, passed) - 1) / RIPPLE
        high = response(unknowns, stopped) / LEAK
        off = xp.abs(xp.concat([low, high]))
        top = xp.max(off)
        return top * xp.mean((off / top) ** power) ** (1 / power)

    # Start with the poles at frequencies in the pass band and the zeros in the stop band.
    part = (xp.arange(args.sections) + 0.5) / args.sections
    poles, zeros = xp.pi * PASS * part, xp.pi * (STOP + (1 - STOP) * part)
    radius = xp.asarray(0.7)
    unknowns = {
        "gain": xp.asarray(0.0),
        "b1": xp.atanh(-xp.cos(zeros)),
        "a1": xp.atanh(-2 * radius * xp.cos(poles) / (1 + radius**2)),
        "a2": xp.atanh(radius**2 * xp.ones_like(part)),
    }
    unknowns["gain"] = -xp.log(response(unknowns, passed)[0])
    steps = 0
    for power in (2, 4, 8, 16, 32, 64):
        fit = optim.minimize(worst, unknowns, (power,), method="BFGS", options={"maxiter": 400})
        unknowns, steps = fit.x, steps + fit.nit

    b1, a1, a2 = (x.to_device("cpu").numpy() for x in sections(unknowns))
    one = np.ones_like(b1)
    sos = np.stack([one, b1, one, one, a1, a2], axis=1)
    sos[0, :3] *= float(xp.exp(unknowns["gain"]))
    frequencies, h = signal.freqz_sos(sos, 2000)
    frequencies /= np.pi
    ours = np.abs(h)
    ripple = np.max(np.abs(ours[frequencies <= PASS] - 1))
    stop = -20 * np.log10(np.max(ours[frequencies >= STOP]))
    print(f"{args.sections} sections, {steps} steps")
    print(f"ripple {ripple:.4f}, stop band -{stop:.1f} dB")
    poles = np.max(np.abs(signal.sos2zpk(sos)[1]))
    print(f"largest pole {poles:.4f}")

    decibels = 20 * np.log10(1 + ripple) - 20 * np.log10(1 - ripple)
    ideal = signal.ellip(2 * args.sections, decibels, stop, PASS, output="sos")
    _, best = signal.freqz_sos(ideal, 2000)
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for values, label in ((ours, "by gradient"), (np.abs(best), "elliptic, of the same ripple")):
        axes.plot(frequencies, 20 * np.log10(np.maximum(values, 1e-6)), label=label)
    axes.axvspan(PASS, STOP, alpha=0.15)
    axes.set(xlabel="frequency / (half of the sampling rate)", ylabel="dB", ylim=(-90, 5))
    axes.legend()
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if poles < 1 and stop > 25 else 1


if __name__ == "__main__":
    sys.exit(main())
