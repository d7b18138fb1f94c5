"""`arraygrad.scipy.stats`: SciPy's values, tails against mpmath, gradients at ends and kinks."""

import math

import numpy as np
import pytest

import arraygrad as xp
from arraygrad.autodiff import grad, jvp
from arraygrad.scipy import stats

scipy_stats = pytest.importorskip("scipy.stats")

T = xp.asarray
INF, NAN = math.inf, math.nan
SHAPES = {
    "gamma": (2.3,),
    "beta": (2.0, 3.5),
    "t": (4.5,),
    "chi2": (3.0,),
    "lognorm": (0.7,),
    "poisson": (3.3,),
    "binom": (7, 0.3),
    "bernoulli": (0.3,),
}
DISCRETE = ("poisson", "binom", "bernoulli")
POINTS = [-30.0, -3.0, -1.0, 0.0, 0.1, 0.3, 0.5, 0.9, 1.0, 1.5, 4.0, 30.0, -INF, NAN]
COUNTS = [-1.0, 0.0, 1.0, 2.0, 2.5, 3.0, 5.0, 7.0, 8.0]
PROBABILITIES = [0.0, 1e-10, 0.1, 0.5, 0.9, 1.0, -1.0, 2.0, NAN]
METHODS = [
    (name, method)
    for name in sorted(set(stats.__all__) - {"dirichlet", "multivariate_normal"})
    for method in (
        ["pmf", "logpmf"] if name in DISCRETE else ["pdf", "logpdf", "ppf", "isf"]
    ) + ["cdf", "sf", "logcdf", "logsf"]
]  # fmt: skip


@pytest.mark.parametrize(("name", "method"), METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_scipys(name, method, dtype, device):
    parameters = (*SHAPES.get(name, ()), 1 if name in DISCRETE else 0.2)
    scale = {} if name in DISCRETE else {"scale": 1.75}
    x = PROBABILITIES if method in ("ppf", "isf") else COUNTS if name in DISCRETE else POINTS
    x = np.array(x, dtype=dtype)
    parameters = [float(np.asarray(p, dtype=dtype)) for p in parameters]
    found = getattr(getattr(stats, name), method)(T(x, device=device), *parameters, **scale)
    with np.errstate(all="ignore"):
        expected = getattr(getattr(scipy_stats, name), method)(x.astype("f8"), *parameters, **scale)
    assert (found.dtype, found.device) == (dtype, xp.Device(device))
    rtol = 1e-4 if dtype == "float32" else 1e-9 if "log" in method or device == "cuda" else 1e-12
    atol = 1e-6 if dtype == "float32" else 0.0
    np.testing.assert_allclose(found.numpy(), expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("method", "parameters", "x", "value", "slope"),
    [  # by mpmath with 60 digits
        ("norm.logcdf", (), -40.0, -804.60844201375378817, 40.024968847207263723),
        ("gamma.logcdf", (50.0,), 1e-8, -1069.5118041591952262, 4999999999.0196077385),
        ("gamma.logcdf", (400.0,), 5.0, -1361.7129861900724724, 79.002525091923500648),
        ("gamma.logsf", (2.3,), 2000.0, -1990.2723663713108402, -0.99935032488624114843),
        ("gamma.logsf", (50.5,), 1500.0, -1284.4813130396441438, -0.96702271840621055839),
        ("gamma.logsf", (1000.0,), 4000.0, -1619.1775947741075541, -0.75033314844784625089),
        ("gamma.logsf", (0.5,), 800.0, -803.91529483319384286, -1.0006242211801815931),
        ("chi2.logsf", (4.6,), 4000.0, -1990.2723663713108402, -0.99935032488624114843 / 2),
        ("beta.logcdf", (50.0, 3.5), 1e-9, -1027.4984085996224315, 49999999997.549016491),
        ("beta.logcdf", (400.0, 2.0), 0.1, -915.14515923928537049, 3998.891966759002548),
        ("beta.logsf", (2.0, 400.0), 0.9, -915.14515923928537049, -3998.891966759002548),
        ("expon.logcdf", (), 1e-300, -690.77552789821371, 1e300),
        ("expon.logcdf", (), 50.0, -1.9287498479639178e-22, 1.9287498479639178e-22),
        ("laplace.logsf", (), 1000.0, -1000.6931471805599, -1.0),
        ("logistic.logcdf", (), -1000.0, -1000.0, 1.0),
        ("cauchy.sf", (), 1e20, 3.1830988618379067e-21, -3.1830988618379067e-41),
        ("lognorm.logsf", (0.1,), 1e3, -2391.0085275342620251, -0.69092023211268507534),
    ],
)
def test_tails_are_accurate_and_so_are_their_slopes(method, parameters, x, value, slope):
    name, _, method = method.partition(".")
    f = lambda x: getattr(getattr(stats, name), method)(x, *parameters)
    out, t = jvp(f, (T(x),), (T(1.0),))
    assert float(out) == pytest.approx(value, rel=1e-12)
    assert float(t) == pytest.approx(slope, rel=1e-9)
    assert float(grad(f)(T(x))) == pytest.approx(slope, rel=1e-9)


def test_invalid_parameters_give_nan_and_no_warning():
    x = T([0.5, 1.0])
    assert xp.all(xp.isnan(stats.norm.logpdf(x, 0.0, T([0.0, -1.0]))))
    assert xp.all(xp.isnan(stats.gamma.cdf(x, -1.0)))
    assert xp.all(xp.isnan(stats.binom.pmf(T([0.0, 1.0]), 2.5, 0.5)))
    found = stats.gamma.logpdf(x, T([2.0, -2.0]))
    assert [bool(y) for y in xp.isnan(found)] == [False, True]


def test_outside_of_the_support_gradients_are_zero():
    x = T([-1.0, 2.0])
    for name in ("expon", "uniform", "gamma", "chi2", "beta", "lognorm"):
        shapes = SHAPES.get(name, ())
        for method in ("logpdf", "pdf", "cdf", "logsf"):
            f = lambda x, loc: xp.sum(getattr(getattr(stats, name), method)(x, *shapes, loc)[0])
            assert all(float(xp.sum(g)) == 0.0 for g in grad(f, (0, 1))(x, T(0.0)))


def test_parameters_by_name_and_by_place_are_the_same():
    x, a, loc, scale = T([1.0, 2.0]), T(2.0), T(0.5), T([[1.5], [2.5]])
    expected = stats.gamma.logpdf(x, a, loc, scale)
    assert expected.shape == (2, 2)
    assert xp.all(stats.gamma.logpdf(x, scale=scale, loc=loc, a=a) == expected)
    assert xp.all(stats.gamma.logpdf(x, a, scale=scale, loc=loc) == expected)
    assert stats.norm.logpdf(1, T(0)).dtype == xp.float64
    assert stats.norm.logpdf(T(1.0, dtype=xp.float32), 0.5, 2).dtype == xp.float32


def test_the_maximum_of_a_likelihood_is_found():
    data = T(np.random.default_rng(3).gamma(2.0, 3.0, 3000))

    def loss(p):
        return -xp.mean(stats.gamma.logpdf(data, xp.exp(p[0]), 0, xp.exp(p[1])))

    a, _, scale = scipy_stats.gamma.fit(data.numpy(), floc=0)
    g = grad(loss)(T([math.log(a), math.log(scale)]))
    np.testing.assert_allclose(g.numpy(), 0.0, atol=1e-5)


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda: stats.norm.logpdf(0.5), TypeError, r"scipy\.stats\.norm\.logpdf: expected a Tens"),
        (
            lambda: stats.norm.pdf(T(0.5), 1, 2, 3),
            TypeError,
            r"scipy\.stats\.norm\.pdf: expected \(",
        ),
        (lambda: stats.gamma.cdf(T(0.5)), TypeError, r"\.cdf: expected \(x, a, loc=0, scale=1\)"),
        (lambda: stats.gamma.cdf(T(0.5), 1.0, a=2.0), TypeError, r"got \(x, 1\.0, a=2\.0\)"),
        (lambda: stats.poisson.pmf(T(1), 1.0, scale=2.0), TypeError, r"expected \(x, mu, loc=0\)"),
        (lambda: stats.norm.cdf(T(0.5), mean=1.0), TypeError, r"mean=1\.0"),
        (lambda: stats.norm.sf(T(0.5), "a"), TypeError, r"norm\.sf: expected a Tensor or a number"),
        (lambda: stats.norm.sf(T(0.5j)), TypeError, r"norm\.sf: expected real numbers"),
        (lambda: stats.norm.sf(np.ones(2), T(1.0)), TypeError, r"norm\.sf: .* convert it first"),
        (
            lambda: stats.norm.sf(T(0.5), T(1.0, device="strict:1")),
            xp.DeviceMismatchError,
            r"scipy\.stats\.norm\.sf",
        ),
    ],
)
def test_errors_name_the_method(attempt, error, match):
    with pytest.raises(error, match=match):
        attempt()


# ---- distributions of vectors


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 1, 3), (3000, 3), (0, 3)])
@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_multivariate_normal(method, shape, device):
    rng = np.random.default_rng(5)
    x, mean, root = rng.standard_normal(shape), rng.standard_normal(3), rng.standard_normal((3, 3))
    for cov in (root @ root.T + np.eye(3), np.array([0.5, 1.0, 2.0]), 0.7):
        on = [T(z, device=device) if isinstance(z, np.ndarray) else z for z in (x, mean, cov)]
        found = getattr(stats.multivariate_normal, method)(*on)
        matrix = np.diag(cov) if np.ndim(cov) == 1 else cov
        expected = np.zeros(shape[:-1])
        if x.size:
            expected = getattr(scipy_stats.multivariate_normal, method)(x, mean, matrix)
        np.testing.assert_allclose(found.numpy(), np.reshape(expected, shape[:-1]), rtol=1e-10)
    found = getattr(stats.multivariate_normal, method)(T(x, device=device))
    expected = np.prod(scipy_stats.norm.pdf(x), axis=-1)
    expected = expected if method == "pdf" else np.log(expected)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("d", [1, 3, 30])
def test_normal_vectors_of_a_subspace(d, device):
    rng = np.random.default_rng(5)
    root = rng.standard_normal((d, d))
    root[:, d // 2 :] *= 0 if d > 1 else 1
    cov, mean = root @ root.T, rng.standard_normal(d)
    x = mean + rng.standard_normal((40, d)) @ root.T
    x[1] += 1.0  # outside, if there is an outside
    normal = stats.multivariate_normal
    on = [T(z, device=device) for z in (x, mean, cov)]
    for method in ("logpdf", "pdf"):
        found = getattr(normal, method)(*on, allow_singular=True)
        expected = getattr(scipy_stats.multivariate_normal, method)(
            x, mean, cov, allow_singular=True
        )
        np.testing.assert_allclose(found.numpy(), np.reshape(expected, (40,)), rtol=1e-8)
    found = normal.entropy(*on[1:])
    expected = scipy_stats.multivariate_normal.entropy(mean, cov)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)
    for part in (2.5, np.arange(1.0, d + 1)):
        found = normal.entropy(on[1], T(part, device=device))
        expected = scipy_stats.multivariate_normal.entropy(mean, part)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("d", [2, 30])
@pytest.mark.parametrize("size", [1e-20, 1e-6, 1e6])
@pytest.mark.parametrize("condition", [1.0, 1e8])
def test_normal_vectors_of_tiny_variance_are_in_their_subspace(d, size, condition, device):
    """Where `cov` has full rank, there is nothing outside."""
    rng = np.random.default_rng(5)
    axes, _ = np.linalg.qr(rng.standard_normal((d, d)))
    spread = np.sqrt(size) * np.geomspace(1, condition**-0.5, d)
    cov, x = (axes * spread**2) @ axes.T, rng.standard_normal((40, d)) * spread @ axes.T
    logpdf = stats.multivariate_normal.logpdf
    on = T(x, device=device), None, T(cov, device=device)
    expected = scipy_stats.multivariate_normal.logpdf(x, None, cov, allow_singular=True)
    np.testing.assert_allclose(logpdf(*on, allow_singular=True).numpy(), expected, rtol=1e-6)
    spread[-1] = 0.0
    cov, x = (axes * spread**2) @ axes.T, rng.standard_normal((40, d)) * spread @ axes.T
    x[1] += np.sqrt(size)
    on = T(x, device=device), None, T(cov, device=device)
    found = logpdf(*on, allow_singular=True).numpy()
    np.testing.assert_array_equal(np.isfinite(found), np.arange(40) != 1)


def test_the_density_of_no_covariance_matrix_is_nan(device):
    normal = stats.multivariate_normal
    cov, x = T([[1.0, 2.0], [2.0, 1.0]], device=device), xp.zeros((3, 2), device=device)
    assert np.isnan(normal.logpdf(x, None, cov, allow_singular=True).numpy()).all()
    assert np.isnan(normal.entropy(None, cov).numpy())
    cov, x = T([[1.0, 1.0], [1.0, 1.0]], device=device), T([np.nan, 1.0], device=device)
    assert np.isnan(normal.logpdf(x, None, cov, allow_singular=True).numpy())


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_dirichlet(method, device):
    rng = np.random.default_rng(5)
    alpha = rng.uniform(0.5, 3, 4)
    for x in (rng.dirichlet(alpha, 3000).T, rng.dirichlet(alpha)):
        expected = getattr(scipy_stats.dirichlet, method)(x, alpha)
        for part in (x, x[:-1]):
            on = T(part, device=device), T(alpha, device=device)
            found = getattr(stats.dirichlet, method)(*on)
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_the_mean_and_the_covariance_of_data_have_no_gradient():
    x = T(np.random.default_rng(5).standard_normal((3000, 2)))
    mean = xp.mean(x, axis=0)
    cov = (x - mean).T @ (x - mean) / 3000
    f = lambda m, c: xp.sum(stats.multivariate_normal.logpdf(x, m, c))
    for g in grad(f, (0, 1))(mean, cov):
        np.testing.assert_allclose(g.numpy(), 0, atol=1e-9)


@pytest.mark.parametrize(
    ("attempt", "error", "match"),
    [
        (lambda d: d.logpdf(1.0, T([1.0])), ValueError, r"x must have shape \(\.\.\., D\)"),
        (lambda d: d.entropy(cov=2.0), TypeError, r"expected a Tensor; got 2\.0;"),
        (lambda d: d.logpdf(T([1.0, 2.0]), T([1.0])), ValueError, r"expected mean of shape \(2,\)"),
        (
            lambda d: d.pdf(T([1.0, 2.0]), cov=xp.ones(3)),
            ValueError,
            r"expected mean of shape",
        ),
        (lambda d: d.logpdf(np.ones(2)), TypeError, r"expected a Tensor or a number"),
        (lambda d: stats.dirichlet.pdf(T([0.5, 0.5]), xp.ones(4)), ValueError, r"expected x"),
    ],
)
def test_errors_of_distributions_of_vectors(attempt, error, match):
    with pytest.raises(error, match=rf"^scipy\.stats\.\w+\.(logpdf|pdf|entropy): {match}"):
        attempt(stats.multivariate_normal)
