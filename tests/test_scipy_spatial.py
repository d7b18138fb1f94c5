"""`arraygrad.scipy.spatial.distance`: SciPy's values, coincident points, errors.

The cases of `conformance/gradient_cases.py` show the derivatives.
"""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad
from arraygrad.scipy.spatial import distance

scipy_distance = pytest.importorskip("scipy.spatial.distance")

RNG = np.random.default_rng(4)
T = xp.asarray
METRICS = {
    "euclidean": {}, "sqeuclidean": {}, "seuclidean": {}, "mahalanobis": {}, "minkowski": {"p": 3},
    "cityblock": {}, "chebyshev": {}, "cosine": {}, "correlation": {}, "canberra": {},
    "braycurtis": {}, "jensenshannon": {},
}  # fmt: skip
#: Distances that are 0 between any equal vectors, also between vectors of zeros.
PROPER = set(METRICS) - {"cosine", "correlation", "braycurtis", "jensenshannon"}


def close(found, expected):
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("m", "n", "d"), [(3, 4, 2), (3000, 5, 3), (0, 4, 2), (5, 3, 1)])
def test_distances_are_scipys(metric, m, n, d, device):
    if d == 1 and metric in ("correlation", "jensenshannon"):
        d = 2  # of vectors of one element SciPy's are NaN
    a, b = RNG.uniform(0.1, 1, (m, d)), RNG.uniform(0.1, 1, (n, d))
    how = METRICS[metric]
    on = [T(z, device=device) for z in (a, b)]
    close(distance.cdist(*on, metric, **how), scipy_distance.cdist(a, b, metric, **how))
    a = a[:30]
    if m or metric not in ("mahalanobis", "seuclidean"):
        found = distance.pdist(on[0][:30, :], metric, **how)
        close(found, scipy_distance.pdist(a, metric, **how))
    if metric not in ("seuclidean", "mahalanobis", "jensenshannon"):
        w = RNG.uniform(0.5, 1, d)
        w[0] = 0.0 if metric == "chebyshev" else w[0]
        expected = scipy_distance.cdist(a, b, metric, w=w, **how)
        found = distance.cdist(on[0][:30, :], on[1], metric, w=T(w, device=device), **how)
        close(found, expected)


def test_variances_covariances_and_exponents(device):
    a, b, v = RNG.uniform(0.1, 1, (3, 2)), RNG.uniform(0.1, 1, (4, 2)), np.array([2.0, 3.0])
    on = lambda x: T(x, device=device)
    found = distance.cdist(on(a), on(b), "seuclidean", V=on(v))
    close(found, scipy_distance.cdist(a, b, "seuclidean", V=v))
    inverse = np.array([[2.0, 0.5], [0.5, 1.0]])
    found = distance.cdist(on(a), on(b), "mahalanobis", VI=on(inverse))
    close(found, scipy_distance.cdist(a, b, "mahalanobis", VI=inverse))
    for p in (0.5, 1, 1.5, 2, 7, float("inf")):
        found = distance.cdist(on(a), on(b), "minkowski", p=p)
        close(found, scipy_distance.cdist(a, b, "minkowski", p=p))


@pytest.mark.parametrize("metric", METRICS)
def test_coincident_points_have_finite_derivatives(metric):
    x = T(RNG.uniform(0.1, 1, (5, 3)))
    how = METRICS[metric]
    with_itself = lambda x: xp.sum(distance.cdist(x, x, metric, **how))
    assert xp.all(xp.isfinite(grad(with_itself)(x)))
    assert xp.all(xp.isfinite(autodiff.hessian(with_itself)(x)))
    _, t = autodiff.jvp(with_itself, (x,), (xp.ones_like(x),))
    assert xp.isfinite(t)
    if metric in PROPER - {"seuclidean", "mahalanobis"}:
        zeros = xp.zeros((2, 3))
        assert xp.all(distance.cdist(zeros, zeros, metric, **how) == 0)
        assert xp.all(grad(lambda x: xp.sum(distance.pdist(x, metric, **how)))(zeros) == 0)


def test_the_direction_of_a_distance_is_its_gradient():
    x, y = T([[3.0, 4.0]]), xp.zeros((1, 2))
    found = grad(lambda x: distance.cdist(x, y)[0, 0])(x)
    close(found, np.array([[0.6, 0.8]]))
    x.requires_grad_()
    distance.cdist(x, y)[0, 0].backward()
    close(x.grad, found.numpy())


@pytest.mark.parametrize("m", [0, 1, 2, 3, 80])
def test_squareform(m, device):
    v = RNG.standard_normal(m * (m - 1) // 2)
    found = distance.squareform(T(v, device=device))
    if m > 1:
        close(found, scipy_distance.squareform(v))
    close(distance.squareform(found), v)
    flags = distance.squareform(T(v > 0, device=device))
    assert flags.dtype == xp.bool
    assert xp.all(flags == flags.mT)


def test_precision_and_ints(device):
    a = RNG.uniform(0, 1, (3, 2))
    single = T(a.astype("float32"), device=device)
    assert distance.cdist(single, single).dtype == xp.float32
    assert distance.pdist(single, "minkowski", p=1.5).dtype == xp.float32
    ints = T([[0, 0], [3, 4]], device=device)
    close(distance.pdist(ints), np.array([5.0]))


def test_distances_work_in_strict_mode():
    x = T(RNG.uniform(0.1, 1, (5, 3)))
    with xp.strict():
        for metric, how in METRICS.items():
            assert distance.cdist(x, x[:2, :], metric, **how).shape == (5, 2)
            assert distance.squareform(distance.pdist(x, metric, **how)).shape == (5, 5)


X = xp.ones((3, 2))


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda: distance.cdist(X, X.numpy()), TypeError, r"cdist: expected a Tensor"),
        (lambda: distance.cdist(X, xp.ones((3, 3))), ValueError, r"cdist: XA and XB must have eq"),
        (lambda: distance.cdist(X, X[:, 0]), ValueError, r"cdist: XB must have shape \(M, D\)"),
        (lambda: distance.cdist(X, 1j * X), TypeError, r"cdist: XB must be real"),
        (lambda: distance.cdist(X, X, "hamming"), ValueError, r"cdist: metric must be one of 'eu"),
        (lambda: distance.pdist(X, len), ValueError, r"pdist: metric must be one of 'euclidean'"),
        (lambda: distance.pdist(X, "cosine", p=2), TypeError, r"'cosine' has no option p; its op"),
        (lambda: distance.pdist(X, w=X), ValueError, r"pdist: w must have shape \(2,\); got \(3"),
        (lambda: distance.pdist(X, "minkowski", p=0), ValueError, r"pdist: p must be positive"),
        (lambda: distance.pdist(X[:2, :], "mahalanobis"), ValueError, r"write VI=\.\.\."),
        (lambda: distance.squareform(X), ValueError, r"squareform: X must have shape"),
        (lambda: distance.squareform(xp.ones(4)), ValueError, r"squareform: X must have shape"),
    ],
)
def test_errors_name_the_function(attempt, error, match):
    with pytest.raises(error, match=rf"^scipy\.spatial\.distance\..*{match}"):
        attempt()
    with pytest.raises(xp.DeviceMismatchError, match=r"scipy\.spatial\.distance\.cdist"):
        distance.cdist(X, xp.ones((3, 2), device="strict:1"))
