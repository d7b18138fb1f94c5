"""Code written for NumPy, SciPy and scikit-learn, run on arraygrad tensors.

There are four computations: a function in this file that takes the namespace from its argument, two
SciPy functions, and a scikit-learn estimator. None of them knows arraygrad. Each runs on NumPy
arrays and on tensors, on a GPU if there is one. The results for tensors must be tensors on the same
device with the same numbers. Prints a table; the exit code is 1 if any line is not ok.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is imported

import numpy as np
import scipy
import sklearn
from array_api_compat import array_namespace
from sklearn.decomposition import PCA

import arraygrad as xp


def whiten(x):
    """Transform samples in rows to be uncorrelated with unit variance."""
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=0)
    factor = xp.linalg.cholesky(centred.mT @ centred / (x.shape[0] - 1))
    return xp.linalg.solve(factor, centred.mT).mT


def principal_components(x):
    """Project the samples onto the plane of largest variance."""
    return PCA(n_components=2, svd_solver="covariance_eigh").fit_transform(x)


COMPUTATIONS = {
    "whiten": (whiten, "this file"),
    "stats.zscore": (scipy.stats.zscore, "SciPy"),
    "special.logsumexp": (lambda x: scipy.special.logsumexp(x, axis=1), "SciPy"),
    "decomposition.PCA": (principal_components, "scikit-learn"),
}


def best_device():
    """The first GPU or, without one, the CPU."""
    devices = xp.__array_namespace_info__().devices()
    return next((d for d in devices if d.type == "cuda"), devices[0])


def compare(function, samples, device):
    """The result type for tensors, the difference from NumPy's result, and whether both are ok."""
    expected = function(samples)
    result = function(xp.asarray(samples, device=device))
    kind = f"{type(result).__module__.partition('.')[0]}.{type(result).__name__}"
    if not isinstance(result, xp.Tensor) or result.device != device:
        return kind, float("nan"), False
    difference = float(np.max(np.abs(result.numpy() - expected)))
    return kind, difference, difference <= 1e-10 * float(np.max(np.abs(expected)))


def main():
    """Run all computations; return the exit code."""
    device = best_device()
    mixing = np.random.default_rng(0).standard_normal((5, 5))
    samples = np.random.default_rng(1).standard_normal((1000, 5)) @ mixing
    line = "{:<18} {:<13} {:<7} {:<17} {:>14}  {}"
    print(line.format("name", "library", "device", "result type", "max difference", "ok"))
    failures = 0
    with sklearn.config_context(array_api_dispatch=True):
        for name, (function, library) in COMPUTATIONS.items():
            kind, difference, ok = compare(function, samples, device)
            shown = f"{difference:.1e}"
            print(line.format(name, library, str(device), kind, shown, "yes" if ok else "NO"))
            failures += not ok
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
