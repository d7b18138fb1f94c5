"""A lens of two glasses, designed with the gradient of a ray tracer.

A single lens bends blue light more than red light, so its focus has a coloured rim. Plain array
code traces rays of three colours through the spherical surfaces of a doublet by Snell's law. The
unknowns are the curvatures of the three surfaces, and the loss is the size of the spot in which the
rays meet. Prints the sizes of the spots, and draws the rays and the spots before and after.

    python examples/achromat.py [--rays 15] [--device cpu] [--picture achromat.png]
"""

from __future__ import annotations

import argparse
import sys

import matplotlib as mpl
from matplotlib import pyplot as plt

import arraygrad as xp
from arraygrad import optim

COLOURS = {"C": 0.6563, "d": 0.5876, "F": 0.4861}  # Fraunhofer's lines, in micrometres
#: Sellmeier's coefficients of Schott's glasses N-BK7 and N-SF5, from their data sheets.
CROWN = ((1.03961212, 0.231792344, 1.01046945), (0.00600069867, 0.0200179144, 103.560653))
FLINT = ((1.52481889, 0.187085527, 1.42729015), (0.011254756, 0.0588995392, 129.141675))
THICKNESS = (6.0, 3.0)  # of the two lenses, in millimetres
APERTURE, FOCUS = 12.5, 100.0  # the radius of the lens and the distance of the screen behind it


def index(glass, wavelength):
    """The refractive index by Sellmeier's equation."""
    square = wavelength**2
    return xp.sqrt(1 + sum(b * square / (square - c) for b, c in zip(*glass, strict=True)))


def refract(y, slope, curvature, before, after):
    """Point where a ray meets a spherical surface, and its direction behind, by Snell's law.

    `y` is the height of the ray at the vertex of the surface, and `slope` the sine of its angle to
    the axis.
    """
    cosine = xp.sqrt(1 - slope**2)
    # The distance to the surface: the smaller root of a quadratic equation, without cancellation.
    b = cosine - curvature * y * slope
    way = curvature * y**2 / (b + xp.sqrt(b**2 - (curvature * y) ** 2))
    y = y + way * slope
    sine = curvature * y  # of the angle of the normal to the axis
    normal = xp.sqrt(1 - sine**2)
    across = slope * normal + cosine * sine  # the sine of the angle of incidence
    bent = across * before / after
    slope = bent * normal - xp.sqrt(1 - bent**2) * sine
    return y, slope, way * cosine


def trace(curvatures, heights, wavelengths):
    """The points of rays at the surfaces and at the screen, as lists of z and of y."""
    y, slope = xp.broadcast_arrays(heights[None, :], xp.zeros((wavelengths.shape[0], 1)))
    air = xp.ones_like(wavelengths)[:, None]
    crown, flint = index(CROWN, wavelengths)[:, None], index(FLINT, wavelengths)[:, None]
    media = (air, crown, flint, air)
    z, vertex = xp.zeros_like(y), 0.0
    zs, ys = [z - 20.0], [y]
    for i in range(3):
        y = y + slope / xp.sqrt(1 - slope**2) * (vertex - z)  # to the plane of the vertex
        y, slope, depth = refract(y, slope, curvatures[i], media[i], media[i + 1])
        z = vertex + depth
        zs.append(z)
        ys.append(y)
        vertex += (*THICKNESS, FOCUS)[i]
    zs.append(xp.full_like(z, vertex))
    ys.append(y + slope / xp.sqrt(1 - slope**2) * (vertex - z))
    return zs, ys


def main(argv=None):
    """Design and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rays", type=int, default=15, help="of each colour")
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="achromat.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    wavelengths = xp.asarray(list(COLOURS.values()))
    heights = xp.linspace(-APERTURE, APERTURE, args.rays)

    def loss(hundredths):
        """The mean square of the rays' heights at the screen, in square millimetres."""
        return xp.mean(trace(hundredths / 100, heights, wavelengths)[1][-1] ** 2)

    start = xp.asarray([1.0, -1.0, -0.8])  # hundredths of 1/mm
    fit = optim.minimize(loss, start, method="BFGS", options={"gtol": 1e-9})
    spots = [1000 * float(xp.sqrt(loss(c))) for c in (start, fit.x)]
    radii = ", ".join(f"{100 / float(c):.1f}" for c in fit.x)
    print(f"spot {spots[0]:.0f} -> {spots[1]:.1f} micrometres (root mean square)")
    print(f"radii of the surfaces: {radii} mm, in {fit.nit} steps")

    figure, axes = plt.subplots(2, 2, figsize=(9, 5), layout="constrained", width_ratios=(3, 1))
    for (wide, near), curvatures, title in zip(
        axes, (start, fit.x), ("start", "designed"), strict=True
    ):
        zs, ys = trace(curvatures / 100, heights, wavelengths)
        z = xp.stack(xp.broadcast_arrays(*zs)).to_device("cpu").numpy()
        y = xp.stack(xp.broadcast_arrays(*ys)).to_device("cpu").numpy()
        for i, colour in enumerate(("tab:red", "tab:green", "tab:blue")):
            wide.plot(z[:, i, :], y[:, i, :], color=colour, linewidth=0.6)
            near.plot(1000 * y[-1, i, :], y[0, i, :], ".-", color=colour)
        wide.set(title=title, ylabel="mm")
        near.set(ylabel="height of the ray, mm")
    axes[1, 0].set(xlabel="mm")
    axes[1, 1].set(xlabel="on the screen, µm")
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if spots[1] < 30 else 1


if __name__ == "__main__":
    sys.exit(main())
