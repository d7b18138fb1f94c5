"""Compare compiled functions with the same code run eagerly by arraygrad, PyTorch and JAX.

The code of a case is the same for all libraries: Python loops over small operations, as one writes
them. Where it is short, it is also written by hand for NumPy, with the gradient. Each case and
library has processes of its own, and the figures are their medians: five, or one where the first
call takes a second or more, and with --quick. A process is stopped after a minute of processor
time: JAX compiles long loops for minutes. Another function is compiled before, so that the time of
the first call is not that of imports. The time of later calls is that of the fastest, because other
work on the machine slows the others. Peak memory is that of a later call, as `tracemalloc` sees it:
NumPy's arrays and Python's objects, not the arguments.

``python -m benchmarks.compile`` runs all cases. Arguments choose some by their names.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks._report import bar, options, publish, table

OURS, COMPILED, NUMPY = "ours", "ours, compiled", "NumPy by hand"
TORCH, TORCH_COMPILE, JAX, JIT = "PyTorch", "torch.compile", "JAX", "JAX, jit"
LIMIT = 60  # seconds of processor time for one case of one library
PROCESSES = 5
LONG = 1000  # milliseconds of a first call that is measured in one process


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

    def numpy(self, x: Any) -> Any:
        """A NumPy array of a tensor."""
        return np.asarray(x)

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


class TorchCompile(Torch):
    """PyTorch's `torch.compile`, which needs a C++ compiler."""

    def value_and_grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the value and the gradient by the first argument."""
        both = self.torch.func.grad_and_value(f)
        return lambda *args: both(*args)[::-1]

    def hvp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function that gives the product of the Hessian with a direction."""
        func = self.torch.func
        return lambda x, v: func.jvp(func.grad(f), (x,), (v,))[1]

    def compile(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is timed."""
        compiled: Callable[..., Any] = self.torch.compile(f)
        return compiled


class ByHand:
    """NumPy, for the cases of `BY_HAND`."""

    def array(self, x: Any) -> Any:
        """An array."""
        return np.array(x)

    def wait(self, out: Any) -> None:
        """Wait for a result."""


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


LIBRARIES: dict[str, tuple[str, type[Any]]] = {
    OURS: ("arraygrad", Ours),
    COMPILED: ("arraygrad", Compiled),
    NUMPY: ("numpy", ByHand),
    TORCH: ("torch", Torch),
    TORCH_COMPILE: ("torch", TorchCompile),
    JAX: ("jax", Jax),
    JIT: ("jax", Jit),
}

# ---- the cases: function(lib) gives the function to time and its arguments


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

    return lib.compile(lib.value_and_grad(energy)), (_numbers(10), _numbers(10, seed=1))


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

    return lib.compile(lib.value_and_grad(misfit)), (0.9 * np.eye(4) + 0.01 * _numbers(4, 4),)


def loop(lib: Any) -> Any:
    """200 steps on ten elements, and the gradient."""
    xp = lib.xp

    def f(x: Any) -> Any:
        y = x
        for _ in range(200):
            y = xp.tanh(y * 1.01 + x * 0.1)
        return xp.sum(y)

    return lib.compile(lib.value_and_grad(f)), (_numbers(10),)


def rosenbrock(x: Any) -> Any:
    """Rosenbrock's function."""
    a, b = x[:-1], x[1:]
    return (100 * (b - a * a) ** 2 + (1 - a) ** 2).sum()


def hessian_vector(lib: Any) -> Any:
    """A product with the Hessian of Rosenbrock's function of 1000 variables."""
    return lib.compile(lib.hvp(rosenbrock)), (_numbers(1000), _numbers(1000, seed=1))


def logistic(lib: Any) -> Any:
    """Logistic regression of 2000 samples with 50 features, and the gradient."""
    xp = lib.xp
    x = lib.array(_numbers(2000, 50))
    y = lib.array(np.sign(_numbers(2000, seed=1)))

    def loss(w: Any) -> Any:
        return xp.mean(xp.log1p(xp.exp(-y * (x @ w))))

    return lib.compile(lib.value_and_grad(loss)), (0.1 * _numbers(50, seed=2),)


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

    return lib.compile(trajectory), (_numbers(20), _numbers(20, seed=1))


def chain(lib: Any, n: int = 10**6) -> Any:
    """A chain of elementwise functions of a million elements, and the gradient."""
    xp = lib.xp

    def f(x: Any) -> Any:
        e = xp.exp(-x * x)
        return xp.sum(xp.tanh(e) * xp.sin(x) + xp.sqrt(1 + e) / (2 + x * x))

    return lib.compile(lib.value_and_grad(f)), (_numbers(n),)


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

    return lib.compile(lib.value_and_grad(loss)), (_numbers(256, 1000),)


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

    return lib.compile(step), (0.1 * _numbers(672), np.zeros(672), np.zeros(672))


def lbfgs(lib: Any) -> Any:
    """A minimum of Rosenbrock's function of 100 variables by SciPy's L-BFGS."""
    importlib.import_module("scipy.optimize")  # (which takes longer than the first call)
    run = lib.compile(lib.value_and_grad(rosenbrock))

    def both(x: Any) -> Any:
        value, gradient = run(lib.array(x))
        return float(value), lib.numpy(gradient)

    return lambda x: _minimum(both, x), (np.full(100, -1.0),)


def _minimum(both: Callable[..., Any], x: Any) -> Any:
    from scipy.optimize import minimize

    return minimize(both, np.asarray(x), jac=True, method="L-BFGS-B", options={"maxiter": 40}).x


CASES = {
    f.__name__.replace("_", " "): f
    for f in (
        rk4, kalman, loop, hessian_vector, logistic, lbfgs, adam, leapfrog, chain, long_chain,
        softmax,
    )
}  # fmt: skip
#: Whose time is that of large arrays, not of small operations.
LARGE = ("chain", "long chain", "softmax", "logistic")

# ---- the same by hand, with the gradient


def _loop_by_hand(x: Any) -> Any:
    values = [x]
    for _ in range(200):
        values.append(np.tanh(values[-1] * 1.01 + x * 0.1))
    slope, gradient = np.ones_like(x), np.zeros_like(x)
    for y in reversed(values[1:]):
        slope = slope * (1 - y * y)
        gradient += 0.1 * slope
        slope = slope * 1.01
    return np.sum(values[-1]), gradient + slope


def _hessian_vector_by_hand(x: Any, v: Any) -> Any:
    a, b = x[:-1], x[1:]
    out = np.zeros_like(x)
    out[:-1] = (1200 * a * a - 400 * b + 2) * v[:-1] - 400 * a * v[1:]
    out[1:] += 200 * v[1:] - 400 * a * v[:-1]
    return out


def _rosenbrock_by_hand(x: Any) -> Any:
    a, b = x[:-1], x[1:]
    error = b - a * a
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * a * error - 2 * (1 - a)
    gradient[1:] += 200 * error
    return float((100 * error**2 + (1 - a) ** 2).sum()), gradient


def _logistic_by_hand(lib: Any) -> Any:
    x, y = _numbers(2000, 50), np.sign(_numbers(2000, seed=1))

    def both(w: Any) -> Any:
        e = np.exp(-y * (x @ w))
        return np.mean(np.log1p(e)), (e / (1 + e) * -y / 2000) @ x

    return both, (0.1 * _numbers(50, seed=2),)


def _leapfrog_by_hand(lib: Any) -> Any:
    precision = np.eye(20) + 0.1 * np.ones((20, 20))

    def slope(q: Any) -> Any:
        return precision @ q + 2 * q / (1 + q * q)  # (the matrix is symmetric)

    def trajectory(q: Any, p: Any) -> Any:
        p = p - 0.05 * slope(q)
        for _ in range(20):
            q = q + 0.1 * p
            p = p - 0.1 * slope(q)
        return q, p

    return trajectory, (_numbers(20), _numbers(20, seed=1))


def _chain_by_hand(x: Any) -> Any:
    e = np.exp(-x * x)
    t, s, r, d = np.tanh(e), np.sin(x), np.sqrt(1 + e), 2 + x * x
    slope = (1 - t * t) * s + 0.5 / (r * d)
    return np.sum(t * s + r / d), t * np.cos(x) - 2 * x * (slope * e + r / (d * d))


def _softmax_by_hand(lib: Any) -> Any:
    target = np.eye(1000)[np.random.default_rng(0).integers(0, 1000, 256)]

    def both(x: Any) -> Any:
        x = x - x.max()
        e = np.exp(x)
        total = e.sum(1, keepdims=True)
        return -np.sum(target * (x - np.log(total))) / 256, (e / total - target) / 256

    return both, (_numbers(256, 1000),)


BY_HAND: dict[str, Callable[[Any], Any]] = {
    "loop": lambda lib: (_loop_by_hand, (_numbers(10),)),
    "hessian vector": lambda lib: (
        _hessian_vector_by_hand,
        (_numbers(1000), _numbers(1000, seed=1)),
    ),
    "logistic": _logistic_by_hand,
    "lbfgs": lambda lib: (lambda x: _minimum(_rosenbrock_by_hand, x), (np.full(100, -1.0),)),
    "leapfrog": _leapfrog_by_hand,
    "chain": lambda lib: (_chain_by_hand, (_numbers(10**6),)),
    "long chain": lambda lib: (_chain_by_hand, (_numbers(10**7),)),
    "softmax": _softmax_by_hand,
}

# ---- measuring


def _warm_up(lib: Any) -> None:
    """Import what the first call of any function imports."""
    f = lib.compile(lib.value_and_grad(lambda x: (x * x).sum()))
    lib.wait(f(lib.array(np.ones(3))))


def measure(case: str, who: str, quick: bool) -> dict[str, float]:
    """Milliseconds of the first, second and later calls, and peak memory, in this process."""
    with suppress(ImportError):  # Windows has no limits
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    lib = LIBRARIES[who][1]()
    if who == NUMPY:
        run, args = BY_HAND[case](lib)
    else:
        _warm_up(lib)
        run, args = CASES[case](lib)
    tensors = [lib.array(x) for x in args]
    began = time.perf_counter()
    lib.wait(run(*tensors))
    found = {"first": 1e3 * (time.perf_counter() - began)}
    began = time.perf_counter()
    lib.wait(run(*tensors))
    found["second"] = 1e3 * (time.perf_counter() - began)
    times: list[float] = []
    end = time.perf_counter() + (0.2 if quick else 1)
    while time.perf_counter() < end or len(times) < 5:
        began = time.perf_counter()
        lib.wait(run(*tensors))
        times.append(time.perf_counter() - began)
    found["later"] = 1e3 * min(times)
    if who in (OURS, COMPILED, NUMPY):
        tracemalloc.start()
        run(*tensors)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run(*tensors)
        found["memory"] = (tracemalloc.get_traced_memory()[1] - before) / 1e6
        tracemalloc.stop()
    return found


def _apart(case: str, who: str, quick: bool) -> dict[str, float]:
    """The same in other processes, medians of several; nothing if one takes too long or fails."""
    if who == NUMPY and case not in BY_HAND:
        return {}
    command = [sys.executable, "-m", "benchmarks.compile", "--one", case, who]
    runs: list[dict[str, float]] = []
    for _ in range(1 if quick else PROCESSES):
        try:
            done = subprocess.run(
                [*command, *(["--quick"] if quick else [])],
                capture_output=True, text=True, timeout=20 * LIMIT, check=True,
            )  # fmt: skip
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            return {}
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        if runs[-1]["first"] >= LONG:
            break
    return {name: statistics.median([run[name] for run in runs]) for name in runs[0]}


def _bars(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """What is aimed at, and whether it is reached."""
    said = []
    both = {c: r for c, r in found.items() if r.get(OURS) and r.get(COMPILED)}
    faster = {c: r[OURS]["later"] / r[COMPILED]["later"] for c, r in both.items()}
    small = {c: x for c, x in faster.items() if c not in LARGE}
    if small:
        case = min(small, key=small.__getitem__)
        text = f"small operations: {small[case]:.1f} times as fast or more ({case}; at least 4)"
        said.append(bar(small[case] >= 4, text))
    for case in ("chain", "long chain"):
        if case in faster:
            text = f"{case}: {faster[case]:.1f} times as fast (at least 1.8)"
            said.append(bar(faster[case] >= 1.8, text))
            if found[case].get(TORCH):
                ratio = found[case][TORCH]["later"] / found[case][COMPILED]["later"]
                said.append(bar(ratio > 1, f"{case}: {ratio:.1f} times as fast as PyTorch"))
    jitted = [c for c in both if JIT in found[c]]
    if jitted:  # (a case that JAX does not finish counts as slower)
        later = [found[c][JIT].get("later", float("inf")) for c in jitted]
        won = sum(found[c][COMPILED]["later"] < x for c, x in zip(jitted, later, strict=True))
        said.append(bar(2 * won >= len(jitted), f"faster than JAX's jit in {won} of {len(jitted)}"))
    if both:
        firsts = {c: r[COMPILED]["first"] / r[OURS]["later"] for c, r in both.items()}
        case = max(firsts, key=firsts.__getitem__)
        text = f"a first call takes {firsts[case]:.0f} calls or less ({case}; at most 15)"
        said.append(bar(firsts[case] <= 15, text))
        seconds = {c: r[COMPILED]["second"] / r[OURS]["later"] for c, r in both.items()}
        case = max(seconds, key=seconds.__getitem__)
        said.append(f"- a second call takes {seconds[case]:.0f} calls or less ({case})")
        sizes = {c: r[COMPILED]["memory"] / r[OURS]["memory"] for c, r in both.items()}
        case = max(sizes, key=sizes.__getitem__)
        text = f"peak memory {sizes[case]:.2f} of that of the eager run or less ({case})"
        said.append(bar(sizes[case] <= 1, text))
        if "adam" in sizes:
            said.append(bar(sizes["adam"] <= 2 / 3, f"adam: peak memory {sizes['adam']:.2f}"))
    return said


def _report(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """The figures as tables."""
    parts = []
    for which, title in (
        ("later", "Milliseconds of a later call"),
        ("first", "Milliseconds of the first call"),
        ("second", "Milliseconds of the second call, for which we prepare the program"),
        ("memory", "Peak memory of a later call, in MB"),
    ):
        shown = [
            who for who in LIBRARIES if any(which in row.get(who, ()) for row in found.values())
        ]
        rows = [
            [
                case,
                *(f"{row[who][which]:.3g}" if which in row.get(who, ()) else "-" for who in shown),
            ]
            for case, row in found.items()
        ]
        parts += [f"{title}:", "", table(["case", *shown], rows), ""]
    return "\n".join(parts + _bars(found))


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
    publish("Compiled functions", _report(found), {"milliseconds": found}, chosen)


if __name__ == "__main__":
    main()
