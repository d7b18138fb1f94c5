"""What several tests of nn use."""

from collections import namedtuple

import numpy as np

from arraygrad import autodiff, nn


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def smooth(xp, f, *arrays):
    autodiff.check_grads(f, tuple(map(xp.asarray, arrays)))


def complex_numbers(*shape, seed=0):
    return numbers(*shape, seed=seed) + 1j * numbers(*shape, seed=seed + 100)


Pair = namedtuple("Pair", "first second")


class Net(nn.Module):
    """Parameters in every kind of place."""

    def __init__(self, xp):
        rng = xp.random.default_rng(0)
        self.name = "net"
        self.layers = [nn.Linear(3, 4, rng=rng), {"norm": nn.LayerNorm(4)}]
        self.scale = autodiff.variable(xp.asarray(2.0))
        self.pair = Pair(autodiff.variable(xp.ones(4)), (xp.arange(4), "text"))
        self.body = nn.Sequential(nn.relu, nn.Linear(4, 2, bias=False, rng=rng))

    def forward(self, x):
        x = self.layers[1]["norm"](self.layers[0](x)) * self.pair.first
        return self.body(x) * self.scale
