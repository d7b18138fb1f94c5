"""A user's program. It runs, and strict type checkers accept it: `test_types` checks both.

Each `assert_type` is checked by the type checkers; when the program runs it does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

import numpy as np

import arraygrad as xp
from arraygrad import Tensor, autodiff, nn, optim
from arraygrad.data import DataLoader, random_split


@dataclass
class Line:
    slope: Tensor
    offset: Tensor


def predict(line: Line, x: Tensor) -> Tensor:
    return line.slope * x + line.offset


def loss(line: Line, x: Tensor, y: Tensor) -> Tensor:
    return xp.mean((predict(line, x) - y) ** 2)


def fit(x: Tensor, y: Tensor, steps: int = 500) -> Line:
    line = Line(xp.asarray(0.0), xp.asarray(0.0))
    for _ in range(steps):
        value, gradient = autodiff.value_and_grad(loss)(line, x, y)
        assert_type(value, Tensor)
        assert_type(gradient, Line)
        line = Line(line.slope - 0.5 * gradient.slope, line.offset - 0.5 * gradient.offset)
    return line


class Net(nn.Module):
    def __init__(self, width: int) -> None:
        self.first = nn.Linear(2, width)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.first(x))


def train(net: Net, data: DataLoader[tuple[Tensor, Tensor]]) -> float:
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    total = 0.0
    for x, y in data:
        assert_type(x, Tensor)
        optimizer.zero_grad()
        out = net(x)
        assert_type(out, Tensor)
        error = nn.mse(out, y)
        error.backward()
        optimizer.step()
        total += float(error)
    return total


@autodiff.custom_vjp
def double(x: Tensor) -> Tensor:
    return 2 * x


def double_forward(x: Tensor) -> tuple[Tensor, None]:
    return 2 * x, None


def double_backward(_saved: None, g: Tensor) -> tuple[Tensor]:
    return (2 * g,)


double.defvjp(double_forward, double_backward)


@autodiff.no_grad()
def rounded(x: Tensor, unit: float) -> Tensor:
    return unit * xp.round(x / unit)


def cubes(x: Tensor) -> Tensor:
    return xp.sum(x**3)


def norm_and_count(x: Tensor) -> tuple[Tensor, int]:
    return xp.sum(x * x), x.size


def main() -> None:
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    assert_type(x @ x + 1, Tensor)
    assert_type(2 - x, Tensor)
    assert_type(-x, Tensor)
    assert_type(x == 1, Tensor)
    assert_type(x[0], Tensor)
    assert_type(x.mT, Tensor)
    assert_type(x.dtype, np.dtype[Any])
    assert_type(x.numpy(), np.ndarray[Any, Any])
    assert_type(xp.linalg.eigh(x).eigenvalues, Tensor)
    x += 1
    x -= 1

    values = xp.linspace(0.0, 1.0, 20)
    line = fit(values, 3 * values + 1)
    assert_type(autodiff.grad(cubes)(values), Tensor)
    assert_type(autodiff.hessian(cubes)(values), Tensor)
    assert_type(autodiff.grad(norm_and_count, has_aux=True)(x), tuple[Tensor, int])
    assert_type(autodiff.jvp(xp.sin, (x,), (x,)), tuple[Tensor, Tensor])
    assert_type(autodiff.jacobian(double)(values), Tensor)
    assert_type(autodiff.hvp(cubes, (values,), (values,)), Tensor)
    assert_type(autodiff.checkpoint(predict)(line, values), Tensor)
    assert_type(autodiff.stop_gradient(line), Line)
    out, pullback = autodiff.vjp(double, values)
    assert_type(out, Tensor)
    pullback(out)
    assert_type(rounded(values, 0.1), Tensor)

    pairs = [([0.0, 1.0], 0), ([2.0, 3.0], 1)]
    for a, b in DataLoader(pairs, batch_size=2):
        assert_type(a, Tensor)
        assert_type(b, Tensor)
    parts = random_split((values, -values), [0.5, 0.5])
    assert_type(parts, list[tuple[Tensor, Tensor]])
    assert_type(random_split(values, [15, 5]), list[Tensor])
    assert_type(random_split(pairs, [1, 1])[0][0], tuple[list[float], int])

    lstm = nn.LSTM(2, 3)
    y, (h, c) = lstm(xp.ones((4, 1, 2)))
    assert_type((y, h, c), tuple[Tensor, Tensor, Tensor])

    rng = xp.random.default_rng(0)
    points = rng.standard_normal((64, 2))
    target = xp.sum(points, axis=1, keepdims=True)
    net = Net(8)
    before = train(net, DataLoader(points, target, batch_size=16))
    loader = DataLoader(points, target, batch_size=16, shuffle=rng)
    after = [train(net, loader) for _ in range(5)][-1]
    print(f"slope {float(line.slope):.1f}, error {before:.2f} -> {after:.2f}")


if __name__ == "__main__":
    main()
