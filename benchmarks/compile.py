"""Compare compiled functions with the same code run eagerly by arraygrad, PyTorch and JAX.

The code of a case is the same for all libraries: Python loops over small operations, as one writes
them. Each case and library has a process of its own, which is stopped after a minute: JAX compiles
long loops for minutes. The first call is timed alone; later ones are medians.

``python -m benchmarks.compile`` runs all cases. Arguments choose some by their names.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from benchmarks._report import bar, options, publish, table

OURS, COMPILED, TORCH, JAX, JIT = "ours", "ours, compiled", "PyTorch", "JAX", "JAX, jit"
LIMIT = 60  # seconds for one case of one library


class Ours:
    """arraygrad, as it is."""

    def __init__(self) -> None:
        self.xp = importlib.import_module("arraygrad")
        self.autodiff = importlib.import_module("arraygrad.autodiff")

    def array(self, x: Any) -> Any:
        """A tensor."""
        return self.xp.asarray(np.array(x))

    def value_and_grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the value and the gradient by the first argument."""
        return self.autodiff.value_and_grad(f)

    def hvp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the product of the Hessian with a direction."""
        return lambda x, v: self.autodiff.hvp(f, (x,), (v,))

    def compile(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is timed."""
        return f

    def wait(self, out: Any) -> None:
        """Wait for a result."""


class Compiled(Ours):
    """arraygrad's `compile`."""

    def compile(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is timed."""
        return self.xp.compile(f)


class Torch(Ours):
    """PyTorch."""

    def __init__(self) -> None:
        self.xp = self.torch = importlib.import_module("torch")

    def array(self, x: Any) -> Any:
        """A tensor."""
        return self.torch.from_numpy(np.array(x))

    def value_and_grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the value and the gradient by the first argument."""

        def run(x: Any, *rest: Any) -> Any:
            x = x.detach().requires_grad_()
            y = f(x, *rest)
            return y.detach(), self.torch.autograd.grad(y, x)[0]

        return run

    def hvp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the product of the Hessian with a direction."""
        return lambda x, v: self.torch.autograd.functional.hvp(f, x, v)[1]


class Jax(Ours):
    """JAX, without jit."""

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_enable_x64", True)
        self.xp = importlib.import_module("jax.numpy")

    def array(self, x: Any) -> Any:
        """An array."""
        return self.xp.asarray(x)

    def value_and_grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the value and the gradient by the first argument."""
        return self.jax.value_and_grad(f)

    def hvp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the product of the Hessian with a direction."""
        return lambda x, v: self.jax.jvp(self.jax.grad(f), (x,), (v,))[1]

    def wait(self, out: Any) -> None:
        """Wait for a result."""
        self.jax.block_until_ready(out)


class Jit(Jax):
    """JAX with jit."""

    def compile(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is timed."""
        return self.jax.jit(f)


LIBRARIES: dict[str, tuple[str, type[Ours]]] = {
    OURS: ("arraygrad", Ours),
    COMPILED: ("arraygrad", Compiled),
    TORCH: ("torch", Torch),
    JAX: ("jax", Jax),
    JIT: ("jax", Jit),
}

# ---- the cases: function(lib) gives the function to compile and its arguments


def _numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def rk4(lib: Any) -> Any:
    """50 steps of a damped pendulum by Runge and Kutta's method, and the gradient."""
    xp = lib.xp

    def slope(x: Any, v: Any) -> Any:
        return -xp.sin(x) - 0.1 * v

    def energy(x: Any, v: Any) -> Any:
        h = 0.05
        for _ in range(50):
            x1, v1 = v, slope(x, v)
            x2, v2 = v + h / 2 * v1, slope(x + h / 2 * x1, v + h / 2 * v1)
            x3, v3 = v + h / 2 * v2, slope(x + h / 2 * x2, v + h / 2 * v2)
            x4, v4 = v + h * v3, slope(x + h * x3, v + h * v3)
            x = x + h / 6 * (x1 + 2 * x2 + 2 * x3 + x4)
            v = v + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        return xp.sum(v * v / 2 - xp.cos(x))

    return lib.value_and_grad(energy), (_numbers(10), _numbers(10, seed=1))


def kalman(lib: Any) -> Any:
    """100 steps of a Kalman filter with four states, and the gradient by the transition."""
    xp = lib.xp
    observe = lib.array(_numbers(2, 4, seed=3))
    noise, other = lib.array(0.1 * np.eye(4)), lib.array(0.5 * np.eye(2))
    data = [lib.array(x) for x in _numbers(100, 2, seed=4)]

    def misfit(transition: Any) -> Any:
        mean, cov, total = lib.array(np.zeros(4)), lib.array(np.eye(4)), 0.0
        for y in data:
            mean = transition @ mean
            cov = transition @ cov @ transition.T + noise
            error = y - observe @ mean
            spread = observe @ cov @ observe.T + other
            gain = xp.linalg.solve(spread, observe @ cov).T
            mean = mean + gain @ error
            cov = cov - gain @ observe @ cov
            total = total + xp.sum(error * xp.linalg.solve(spread, error[:, None])[:, 0])
        return total

    return lib.value_and_grad(misfit), (0.9 * np.eye(4) + 0.01 * _numbers(4, 4),)


def loop(lib: Any) -> Any:
    """200 steps on ten elements, and the gradient."""
    xp = lib.xp

    def f(x: Any) -> Any:
        y = x
        for _ in range(200):
            y = xp.tanh(y * 1.01 + x * 0.1)
        return xp.sum(y)

    return lib.value_and_grad(f), (_numbers(10),)


def rosenbrock(x: Any) -> Any:
    """Rosenbrock's function."""
    a, b = x[:-1], x[1:]
    return (100 * (b - a * a) ** 2 + (1 - a) ** 2).sum()


def hessian_vector(lib: Any) -> Any:
    """A product with the Hessian of Rosenbrock's function of 1000 variables."""
    return lib.hvp(rosenbrock), (_numbers(1000), _numbers(1000, seed=1))


def logistic(lib: Any) -> Any:
    """Logistic regression of 2000 samples with 50 features, and the gradient."""
    xp = lib.xp
    x = lib.array(_numbers(2000, 50))
    y = lib.array(np.sign(_numbers(2000, seed=1)))

    def loss(w: Any) -> Any:
        return xp.mean(xp.log1p(xp.exp(-y * (x @ w))))

    return lib.value_and_grad(loss), (0.1 * _numbers(50, seed=2),)


def leapfrog(lib: Any) -> Any:
    """20 steps of Hamiltonian Monte Carlo in 20 dimensions."""
    xp = lib.xp
    precision = lib.array(np.eye(20) + 0.1 * np.ones((20, 20)))

    def energy(q: Any) -> Any:
        return 0.5 * xp.sum(q * (precision @ q)) + xp.sum(xp.log1p(q * q))

    slope = lib.value_and_grad(energy)

    def trajectory(q: Any, p: Any) -> Any:
        p = p - 0.05 * slope(q)[1]
        for _ in range(20):
            q = q + 0.1 * p
            p = p - 0.1 * slope(q)[1]
        return q, p

    return trajectory, (_numbers(20), _numbers(20, seed=1))


def chain(lib: Any, n: int = 10**6) -> Any:
    """A chain of elementwise functions of a million elements, and the gradient."""
    xp = lib.xp

    def f(x: Any) -> Any:
        e = xp.exp(-x * x)
        return xp.sum(xp.tanh(e) * xp.sin(x) + xp.sqrt(1 + e) / (2 + x * x))

    return lib.value_and_grad(f), (_numbers(n),)


def long_chain(lib: Any) -> Any:
    """The same of ten million elements."""
    return chain(lib, 10**7)


def softmax(lib: Any) -> Any:
    """Softmax cross-entropy of 256 samples and 1000 classes, and the gradient."""
    xp = lib.xp
    target = lib.array(np.eye(1000)[np.random.default_rng(0).integers(0, 1000, 256)])

    def loss(x: Any) -> Any:
        x = x - x.max()
        return -xp.sum(target * (x - xp.log(xp.exp(x).sum(1))[:, None])) / 256

    return lib.value_and_grad(loss), (_numbers(256, 1000),)


def adam(lib: Any) -> Any:
    """A step of a network of 64 samples with Adam, written out."""
    xp = lib.xp
    x, y = lib.array(_numbers(64, 20)), lib.array(_numbers(64, 1, seed=1))

    def loss(w: Any) -> Any:
        first, second = w[:640].reshape((20, 32)), w[640:672].reshape((32, 1))
        error = xp.tanh(x @ first) @ second - y
        return xp.mean(error * error)

    slope = lib.value_and_grad(loss)

    def step(w: Any, m: Any, v: Any) -> Any:
        value, g = slope(w)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        return value, w - 0.01 * m / (xp.sqrt(v) + 1e-8), m, v

    return step, (0.1 * _numbers(672), np.zeros(672), np.zeros(672))


CASES = {
    f.__name__.replace("_", " "): f
    for f in (
        rk4, kalman, loop, hessian_vector, logistic, adam, leapfrog, chain, long_chain, softmax,
    )
}  # fmt: skip


def measure(case: str, who: str, quick: bool) -> dict[str, float]:
    """Milliseconds of the first and of later calls, in this process."""
    lib = LIBRARIES[who][1]()
    f, args = CASES[case](lib)
    tensors = [lib.array(x) for x in args]
    run = lib.compile(f)
    began = time.perf_counter()
    lib.wait(run(*tensors))
    first = time.perf_counter() - began
    times: list[float] = []
    end = time.perf_counter() + (0.5 if quick else 3)
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        lib.wait(run(*tensors))
        times.append(time.perf_counter() - began)
    return {"first": 1e3 * first, "later": 1e3 * median(times)}


def _apart(case: str, who: str, quick: bool) -> dict[str, float]:
    """The same in another process; nothing if it takes too long or fails."""
    command = [sys.executable, "-m", "benchmarks.compile", "--one", case, who]
    try:
        done = subprocess.run(
            [*command, *(["--quick"] if quick else [])],
            capture_output=True, text=True, timeout=LIMIT, check=True,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return {}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(args: list[str] | None = None) -> None:
    """Run the cases."""

    def more(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("cases", nargs="*", help="cases by their names; all by default")
        parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)

    chosen = options(__doc__, args, more)
    if chosen.one:
        print(json.dumps(measure(*chosen.one, chosen.quick)))
        return
    names = [who for who, (module, _) in LIBRARIES.items() if find_spec(module)]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for case in chosen.cases or CASES:
        found[case] = {who: _apart(case, who, chosen.quick) for who in names}
        print(f"{case}: {found[case]}", file=sys.stderr, flush=True)
    parts = []
    for which, title in (("later", "Milliseconds of a later call"), ("first", "of the first call")):
        rows = [
            [case, *(f"{row[who][which]:.3g}" if row[who] else "-" for who in names)]
            for case, row in found.items()
        ]
        parts += [f"{title}:", "", table(["ms", *names], rows), ""]
    small = [r for c, r in found.items() if "chain" not in c and r[OURS] and r[COMPILED]]
    ratios = [row[OURS]["later"] / row[COMPILED]["later"] for row in small]
    firsts = [row[COMPILED]["first"] / row[OURS]["later"] for row in small]
    if ratios:
        parts.append(bar(min(ratios) >= 4, f"later calls {min(ratios):.1f} times as fast or more"))
        parts.append(bar(max(firsts) <= 15, f"a first call takes {max(firsts):.0f} calls at most"))
    publish("Compiled functions", "\n".join(parts), {"milliseconds": found}, chosen)


if __name__ == "__main__":
    main()
