"""SciPy and scikit-learn functions on tensors, compared with NumPy arrays and other libraries.

All libraries, including NumPy, run the array API code path of SciPy and scikit-learn, so the
benchmark compares the cost of their namespaces. The libraries take turns call by call, in random
order; a ratio is the median of the ratios of all turns.
"""

from __future__ import annotations

import importlib
import os
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # SciPy reads it when it is imported

import numpy as np
import scipy.cluster.vq
import scipy.fft
import scipy.integrate
import scipy.optimize
import scipy.signal
import scipy.special
import scipy.stats
import sklearn
import sklearn.decomposition
import sklearn.linear_model
import sklearn.metrics
import sklearn.preprocessing

from benchmarks._report import bar, options, publish, table

#: Numbers of elements, and how many turns are timed.
SIZES = {10**3: (400, 40), 10**6: (30, 6)}
COLUMNS = 10

Arrays = dict[str, Any]

#: call -> of `x`, positive `p`, `y` like x, a table `t` of as many elements, its targets `s`
CALLS: dict[str, Callable[[Arrays], Any]] = {
    "scipy.special.logsumexp": lambda a: scipy.special.logsumexp(a["x"]),
    "scipy.special.softmax": lambda a: scipy.special.softmax(a["x"]),
    "scipy.stats.zscore": lambda a: scipy.stats.zscore(a["x"]),
    "scipy.stats.kurtosis": lambda a: scipy.stats.kurtosis(a["x"]),
    "scipy.stats.gmean": lambda a: scipy.stats.gmean(a["p"]),
    "scipy.signal.fftconvolve": lambda a: scipy.signal.fftconvolve(a["x"], a["y"], mode="same"),
    "scipy.integrate.trapezoid": lambda a: scipy.integrate.trapezoid(a["y"], a["x"]),
    "scipy.optimize.rosen": lambda a: scipy.optimize.rosen(a["x"]),
    "scipy.cluster.vq.whiten": lambda a: scipy.cluster.vq.whiten(a["t"]),
    "StandardScaler": lambda a: sklearn.preprocessing.StandardScaler().fit_transform(a["t"]),
    "PCA": lambda a: (
        sklearn.decomposition.PCA(2, svd_solver="covariance_eigh").fit(a["t"]).explained_variance_
    ),
    "r2_score": lambda a: sklearn.metrics.r2_score(a["x"], a["y"]),
}


def data(size: int) -> Arrays:
    """NumPy's operands."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(size)
    return {
        "x": x,
        "y": x + rng.standard_normal(size),
        "p": np.abs(x) + 0.5,
        "t": x.reshape(-1, COLUMNS),
    }


def libraries() -> dict[str, Callable[[Any], Any]]:
    """The conversions from NumPy of the installed libraries, NumPy and arraygrad first."""
    found: dict[str, Callable[[Any], Any]] = {"numpy": lambda a: a}
    for name, module in (("ours", "arraygrad"), ("strict", "array_api_strict"), ("torch", "torch")):
        try:
            found[name] = importlib.import_module(module).asarray
        except ImportError:
            print(f"{name}: not installed, left out", file=sys.stderr)
    return found


def same(results: dict[str, Any]) -> bool:
    """Whether all results agree with NumPy's."""
    expected = np.asarray(results["numpy"])
    return all(np.allclose(np.asarray(r), expected, rtol=1e-6) for r in results.values())


def measure(size: int, turns: int) -> dict[str, dict[str, float]]:
    """Microseconds on NumPy's arrays, and the others' ratios to it, by call."""
    operands = {
        who: {k: take(a) for k, a in data(size).items()} for who, take in libraries().items()
    }
    found: dict[str, dict[str, float]] = {}
    for call, function in CALLS.items():
        if not same({who: function(arrays) for who, arrays in operands.items()}):
            raise AssertionError(f"{call}: the libraries' results differ")
        shuffle = random.Random(0).shuffle
        order, taken = list(operands), {who: [] for who in operands}
        for _ in range(turns):
            for who in order:
                arrays = operands[who]
                start = time.perf_counter()
                function(arrays)
                taken[who].append(time.perf_counter() - start)
            shuffle(order)
        row = {"numpy": statistics.median(taken["numpy"]) * 1e6}
        for who, times in taken.items():
            if who != "numpy":
                ratios = [t / n for t, n in zip(times, taken["numpy"], strict=True)]
                row[who] = statistics.median(ratios)
        found[call] = row
    return found


def report(found: dict[int, dict[str, dict[str, float]]]) -> str:
    """A table for each size, and the targets."""
    parts = []
    for size, rows in found.items():
        names = list(next(iter(rows.values())))
        head = [f"{size:,} elements", "numpy, µs", *(f"{n} / numpy" for n in names[1:])]
        body = [
            [call, f"{row['numpy']:.0f}", *(f"{row[n]:.2f}" for n in names[1:])]
            for call, row in rows.items()
        ]
        parts += [table(head, body), ""]
    large, small = found[max(found)], found[min(found)]
    slow = [f"{call} {row['ours']:.2f}" for call, row in large.items() if row["ours"] > 1.1]
    text = "at most 1.1 × NumPy on a million elements"
    parts.append(bar(not slow, f"{text}; exceptions: {', '.join(slow) or 'none'}"))
    for peer in ("strict", "torch"):
        if peer in next(iter(small.values())):
            beaten = [call for call, row in small.items() if row["ours"] >= row[peer]]
            text = f"below {peer} on a thousand elements"
            parts.append(bar(not beaten, f"{text}; exceptions: {', '.join(beaten) or 'none'}"))
    return "\n".join(parts)


def main(args: list[str] | None = None) -> None:
    """Measure, print and write."""
    chosen = options(__doc__, args)
    warnings.simplefilter("ignore")  # some of the functions', of some of the libraries
    with sklearn.config_context(array_api_dispatch=True):
        found = {n: measure(n, turns[chosen.quick]) for n, turns in SIZES.items()}
    rounded = {
        str(n): {c: {k: round(v, 6) for k, v in row.items()} for c, row in rows.items()}
        for n, rows in found.items()
    }
    title = "SciPy and scikit-learn on our tensors"
    publish(title, report(found), {"microseconds and ratios": rounded}, chosen)


if __name__ == "__main__":
    main()
