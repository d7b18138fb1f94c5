"""Code for one example on a batch: `vmap`, compared with a loop, PyTorch's `torch.func` and JAX.

All libraries compute the same on one core, and must agree before they are timed. They take turns in
one process. A turn is ten calls; the first two are not counted, because the caches hold the data
and the code of the library before. A figure is the median of the others. JAX is measured with
`jit`, whose compilation is not counted. Libraries that are not installed are left out.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # before NumPy is imported
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[_name] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.scipy import linalg as scipy_linalg
from benchmarks._report import bar, options, publish, table

OURS, LOOP, TORCH, JAX = "ours", "ours, a loop", "PyTorch", "JAX, compiled"
Function = Callable[[], Any]
#: For each library, a function without arguments.
Contest = dict[str, Function]

RNG = np.random.default_rng(0)


def _normal(*shape: int) -> Any:
    return RNG.standard_normal(shape)


# ---- the contests


def per_example_gradients(torch: Any, jax: Any) -> Contest:
    """Gradients of the loss of a network for each of 256 examples."""
    x, y = _normal(256, 64), np.eye(10)[RNG.integers(0, 10, 256)]
    parameters = [0.1 * _normal(128, 64), np.zeros(128), 0.1 * _normal(10, 128), np.zeros(10)]

    def loss(lib: Any) -> Callable[..., Any]:
        def function(p: Any, x: Any, y: Any) -> Any:
            z = p[2] @ lib.tanh(p[0] @ x + p[1]) + p[3]
            return lib.log(lib.sum(lib.exp(z))) - lib.sum(y * z)

        return function

    def ours() -> Any:
        return xp.vmap(autodiff.grad(loss(xp)), (None, 0, 0))(ps, a, b)

    def loop() -> Any:
        g = autodiff.grad(loss(xp))
        rows = [g(ps, a[i], b[i]) for i in range(256)]
        return [xp.stack([row[k] for row in rows]) for k in range(4)]

    ps, a, b = [xp.asarray(p) for p in parameters], xp.asarray(x), xp.asarray(y)
    found: Contest = {OURS: ours, LOOP: loop}
    if torch:
        f = torch.func.vmap(torch.func.grad(loss(torch)), (None, 0, 0))
        args = [torch.tensor(p) for p in parameters], torch.tensor(x), torch.tensor(y)
        found[TORCH] = lambda: f(*args)
    if jax:
        g = jax.jit(jax.vmap(jax.grad(loss(jax.numpy)), (None, 0, 0)))
        found[JAX] = lambda: jax.block_until_ready(g(parameters, x, y))
    return found


def jacobian(torch: Any, jax: Any) -> Contest:
    """The Jacobian of a map from 100 to 100 numbers."""
    m, v = 0.1 * _normal(100, 100), _normal(100)

    def function(lib: Any, m: Any) -> Callable[[Any], Any]:
        return lambda x: lib.tanh(m @ x) * lib.sin(x)

    f, x = function(xp, xp.asarray(m)), xp.asarray(v)
    found: Contest = {
        OURS: lambda: autodiff.jacobian(f)(x),
        LOOP: lambda: autodiff.jacobian(f, chunk_size=1)(x),
    }
    if torch:
        g, t = function(torch, torch.tensor(m)), torch.tensor(v)
        found[TORCH] = lambda: torch.func.jacrev(g)(t)
    if jax:
        h = jax.jit(jax.jacrev(function(jax.numpy, m)))
        found[JAX] = lambda: jax.block_until_ready(h(v))
    return found


def hessian(torch: Any, jax: Any) -> Contest:
    """The Hessian of a logistic regression with 50 parameters."""
    data, target, w = _normal(500, 50), (_normal(500) > 0) * 1.0, 0.1 * _normal(50)

    def loss(lib: Any, data: Any, target: Any) -> Callable[[Any], Any]:
        def function(w: Any) -> Any:
            z = data @ w
            return lib.sum(lib.log1p(lib.exp(z)) - target * z) + 0.5 * lib.sum(w * w)

        return function

    f, x = loss(xp, xp.asarray(data), xp.asarray(target)), xp.asarray(w)
    found: Contest = {
        OURS: lambda: autodiff.hessian(f)(x),
        LOOP: lambda: autodiff.hessian(f, chunk_size=1)(x),
    }
    if torch:
        g, t = loss(torch, torch.tensor(data), torch.tensor(target)), torch.tensor(w)
        found[TORCH] = lambda: torch.func.hessian(g)(t)
    if jax:
        h = jax.jit(jax.hessian(loss(jax.numpy, data, target)))
        found[JAX] = lambda: jax.block_until_ready(h(w))
    return found


def solves(torch: Any, jax: Any) -> Contest:
    """Thousand small systems of equations, each by a Cholesky factor."""
    a = _normal(1000, 8, 8)
    a, b = a @ a.transpose(0, 2, 1) + 8 * np.eye(8), _normal(1000, 8)
    s, r = xp.asarray(a), xp.asarray(b)

    def solve(a: Any, b: Any) -> Any:
        return scipy_linalg.cho_solve(scipy_linalg.cho_factor(a, lower=True), b)

    found: Contest = {
        OURS: lambda: xp.vmap(solve)(s, r),
        LOOP: lambda: xp.stack([solve(s[i], r[i]) for i in range(1000)]),
    }
    if torch:

        def with_torch(a: Any, b: Any) -> Any:
            return torch.cholesky_solve(b[:, None], torch.linalg.cholesky(a))[:, 0]

        f, args = torch.func.vmap(with_torch), (torch.tensor(a), torch.tensor(b))
        found[TORCH] = lambda: f(*args)
    if jax:
        linalg = import_module("jax.scipy.linalg")
        g = jax.jit(jax.vmap(lambda a, b: linalg.cho_solve(linalg.cho_factor(a, lower=True), b)))
        found[JAX] = lambda: jax.block_until_ready(g(a, b))
    return found


CONTESTS: dict[str, Callable[[Any, Any], Contest]] = {
    "gradients of 256 examples": per_example_gradients,
    "Jacobian, 100 x 100": jacobian,
    "Hessian, 50 parameters": hessian,
    "1,000 Cholesky solves": solves,
}

# ---- the measurement


def _arrays(found: Any) -> list[Any]:
    parts = found if isinstance(found, (list, tuple)) else [found]
    return [np.asarray(p) for p in parts]


def measured(contest: Contest, repeats: int) -> dict[str, float]:
    """Medians in milliseconds; the libraries take turns."""
    expected = _arrays(contest[OURS]())
    for name, function in contest.items():
        for x, y in zip(_arrays(function()), expected, strict=True):
            if not np.allclose(x, y, rtol=1e-8, atol=1e-8):
                raise SystemExit(f"vmap: {name} computes something else")
    times: dict[str, list[float]] = {name: [] for name in contest}
    for _ in range(repeats):
        for name, function in contest.items():
            for _ in range(2):
                function()
            for _ in range(8):
                start = time.perf_counter()
                function()
                times[name].append(time.perf_counter() - start)
    return {name: 1e3 * median(found) for name, found in times.items()}


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen: argparse.Namespace = options(__doc__, args)
    torch = jax = None
    if find_spec("torch"):
        torch = import_module("torch")
        torch.set_num_threads(1)
    if find_spec("jax"):
        jax = import_module("jax")
        jax.config.update("jax_enable_x64", True)
    repeats = 2 if chosen.quick else 15
    results = {name: measured(make(torch, jax), repeats) for name, make in CONTESTS.items()}
    names = list(next(iter(results.values())))
    others = [n for n in names if n != OURS]
    rows = []
    for what, found in results.items():
        figures = [found[n] for n in names] + [found[n] / found[OURS] for n in others]
        rows.append([what, *(f"{x:.2f}" for x in figures)])
    lines = [table(["ms", *names, *(f"{n}, times ours" for n in others)], rows), ""]
    gains = [found[LOOP] / found[OURS] for found in results.values()]
    lines.append(bar(min(gains) >= 10, f"at least {min(gains):.0f} times as fast as the loop"))
    if torch:
        ratios = [found[OURS] / found[TORCH] for found in results.values()]
        lines.append(bar(max(ratios) <= 1, f"at most {max(ratios):.2f} of PyTorch's time"))
    publish("vmap", "\n".join(lines), {"milliseconds": results}, chosen)


if __name__ == "__main__":
    main()
