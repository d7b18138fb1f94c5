"""A blurred, noisy photograph, sharpened by minimising a penalised misfit.

The blur is a convolution by FFT. The unknowns are all pixels, and the penalty is their total
variation, smoothed at zero. L-BFGS needs the gradient with respect to 30,000 pixels, which costs
little more than the misfit itself. Prints the errors before and after, and draws the photographs.

    python examples/deblur.py [--steps 150] [--device cpu] [--picture deblur.png]
"""

from __future__ import annotations

import argparse
import sys

import matplotlib as mpl
import numpy as np
from matplotlib import cbook
from matplotlib import pyplot as plt

import arraygrad as xp
from arraygrad import optim

NOISE = 0.01  # its standard deviation


def photograph():
    """Matplotlib's sample photograph in grey, of 200 x 168 pixels between 0 and 1."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        colours = plt.imread(file)[: 3 * 200, : 3 * 168] / 255.0
    grey = colours @ np.asarray([0.299, 0.587, 0.114])  # the luma of ITU-R BT.601
    return xp.asarray(np.mean(np.reshape(grey, (200, 3, 168, 3)), axis=(1, 3)))


def blurring(shape, width):
    """Function that blurs images of a shape with a Gaussian, with periodic edges."""
    rows, columns = (xp.fft.fftfreq(n) for n in shape)
    columns = columns[: shape[1] // 2 + 1]
    squares = rows[:, None] ** 2 + xp.abs(columns) ** 2
    response = xp.exp(-2 * (xp.pi * width) ** 2 * squares)  # the transform of the Gaussian
    return lambda image: xp.fft.irfftn(response * xp.fft.rfftn(image), s=shape, axes=(0, 1))


def total_variation(image, softness=1e-2):
    """Sum of the lengths of the image's gradients, smoothed at zero."""
    down = xp.diff(image, axis=0)[:, 1:]
    right = xp.diff(image, axis=1)[1:, :]
    return xp.sum(xp.sqrt(down**2 + right**2 + softness**2))


def psnr(image, truth):
    """The peak signal-to-noise ratio, in decibels."""
    return -10 * float(xp.log10(xp.mean((image - truth) ** 2)))


def main(argv=None):
    """Sharpen and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=150, help="of the minimisation, at most")
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="deblur.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    truth = photograph()
    blur = blurring(truth.shape, width=1.5)
    rng = xp.random.default_rng(0)
    seen = blur(truth) + NOISE * rng.standard_normal(truth.shape)

    def loss(image):
        misfit = 0.5 * xp.sum((blur(image) - seen) ** 2) / NOISE**2
        return misfit + 20.0 * total_variation(image)

    found = optim.minimize(loss, seen, method="L-BFGS-B", options={"maxiter": args.steps})
    before, after = psnr(seen, truth), psnr(found.x, truth)
    print(f"{truth.size} unknowns, {found.nit} steps")
    print(f"signal to noise {before:.1f} dB -> {after:.1f} dB")

    figure, axes = plt.subplots(1, 3, figsize=(9, 4), layout="constrained")
    titles = ("the truth", f"seen: {before:.1f} dB", f"found: {after:.1f} dB")
    for ax, image, title in zip(axes, (truth, seen, found.x), titles, strict=True):
        ax.imshow(image.to_device("cpu").numpy(), cmap="gray", vmin=0, vmax=1)
        ax.set(title=title, xticks=[], yticks=[])
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if after > before else 1


if __name__ == "__main__":
    sys.exit(main())
