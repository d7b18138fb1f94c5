"""A first classifier: two clusters of points, and the boundary between them during training.

A network of two layers learns which of two interleaved half-moons a point belongs to. Prints loss
and accuracy, and draws the boundary at four times during the training.

    python examples/classifier.py [--epochs 60] [--device cpu] [--picture classifier.png]
"""

from __future__ import annotations

import argparse
import sys

import matplotlib as mpl
from matplotlib import pyplot as plt
from sklearn.datasets import make_moons
from tqdm import tqdm

import arraygrad as xp
from arraygrad import autodiff, data, nn, optim


def points(samples, seed):
    """Points in the plane, and the cluster of each point."""
    x, y = make_moons(samples, noise=0.15, random_state=seed)
    return xp.asarray(x), xp.asarray(y)


def accuracy(model, x, y):
    """Fraction of points that are assigned to the right cluster."""
    with autodiff.no_grad():
        return float(xp.mean(xp.astype(xp.argmax(model(x), axis=1) == y, xp.float64)))


def draw(axes, model, x, y, title):
    """Draw the probability of the second cluster in the plane, and the points."""
    with autodiff.no_grad():
        across, up = xp.linspace(-1.5, 2.5, 80), xp.linspace(-1.0, 1.5, 60)
        grid = xp.stack(xp.meshgrid(across, up), axis=-1)
        likely = nn.softmax(model(grid))[..., 1]
    axes.contourf(across.numpy(), up.numpy(), likely.numpy(), levels=20, cmap="RdBu", alpha=0.7)
    axes.contour(across.numpy(), up.numpy(), likely.numpy(), levels=[0.5], colors="k")
    axes.scatter(*x.mT.numpy(), c=y.numpy(), cmap="RdBu", edgecolors="k", s=15)
    axes.set(title=title, xticks=[], yticks=[])


def main(argv=None):
    """Train and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--device", default="cpu", help="where to compute, such as cuda:0")
    parser.add_argument("--picture", default="classifier.png")
    args = parser.parse_args(argv)
    mpl.use("agg")
    xp.default_device(args.device)

    rng = xp.random.default_rng(0)
    x, y = points(400, seed=0)
    model = nn.Sequential(nn.Linear(2, 32, rng=rng), nn.Tanh(), nn.Linear(32, 2, rng=rng))
    optimiser = optim.Adam(model.parameters(), lr=0.02)
    batches = data.DataLoader(x, y, batch_size=50, shuffle=rng)

    moments = sorted({0, args.epochs // 8, args.epochs // 3, args.epochs})
    figure, panels = plt.subplots(1, len(moments), figsize=(12, 3), layout="constrained")
    for epoch in tqdm(range(args.epochs + 1), desc="epochs", disable=None):
        if epoch in moments:
            loss = nn.cross_entropy(model(x), y).item()
            title = f"epoch {epoch}: loss {loss:.3f}"
            print(f"{title}, accuracy {accuracy(model, x, y):.3f}")
            draw(panels[moments.index(epoch)], model, x, y, title)
        for some, labels in batches:
            loss = nn.cross_entropy(model(some), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    figure.savefig(args.picture, dpi=120)
    found = accuracy(model, *points(1000, seed=1))
    print(f"accuracy on 1,000 new points: {found:.3f}")
    print(f"picture: {args.picture}")
    return 0 if found > 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
