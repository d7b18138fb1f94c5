"""What several tests of optimisers use."""

import numpy as np

from arraygrad import autodiff

START = [
    np.asarray([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]]),
    np.asarray(0.8),
    np.asarray([1.0, -2.0]),
]


def loss_of(ps):
    """Not convex, and written so that tensors, PyTorch's and NumPy's arrays all take it."""
    a, b, c = ps
    return ((a**3 - b * a) ** 2).sum() * 0.1 + ((c**2 - b) ** 2).sum() * 0.05


def variables(xp, start=START, dtype=None):
    return [autodiff.variable(xp.asarray(w, dtype=dtype, copy=True)) for w in start]
