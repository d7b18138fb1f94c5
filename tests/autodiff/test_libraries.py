"""Gradients through libraries that know nothing of us: SciPy and array-api-extra, unmodified."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad.autodiff import NotDifferentiableError, grad, jvp, value_and_grad

scipy = pytest.importorskip("scipy")
xpx = pytest.importorskip("array_api_extra")

import scipy.cluster.vq as vq
import scipy.differentiate as differentiate
import scipy.fft as fft
import scipy.integrate as integrate
import scipy.optimize as optimize
import scipy.optimize.elementwise as elementwise
import scipy.signal as signal
import scipy.special as special
import scipy.stats as stats
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.filterwarnings("ignore")

_rng = np.random.default_rng(0)
X, Y, M = _rng.standard_normal(8), _rng.standard_normal(8), _rng.standard_normal((6, 3))
P = np.abs(X) + 0.5
T = xp.asarray

#: function, where to differentiate it
CASES = {
    "special.logsumexp": (special.logsumexp, X),
    "special.softmax": (special.softmax, X),
    "special.log_softmax": (special.log_softmax, X),
    "special.xlogy": (lambda x: special.xlogy(x, x), P),
    "special.rel_entr": (lambda x: special.rel_entr(x, x * x), P),
    "special.ndtr": (special.ndtr, X),
    "special.log_ndtr": (lambda x: special.log_ndtr(10 * x), X),
    "special.betainc": (lambda x: special.betainc(2.0, 3.0, special.expit(x)), X),
    "special.gammaln": (special.gammaln, P),
    "special.stdtr": (lambda x: special.stdtr(5.0, x), X),
    "stats.pearsonr": (lambda x: stats.pearsonr(x, T(Y)).statistic, X),
    "stats.pearsonr, p": (lambda x: stats.pearsonr(x, T(Y)).pvalue, X),
    "stats.ttest_ind": (lambda x: stats.ttest_ind(x, T(Y)).pvalue, X),
    "stats.zscore": (stats.zscore, X),
    "stats.skew": (stats.skew, X),
    "stats.kurtosis": (stats.kurtosis, X),
    "stats.moment": (lambda x: stats.moment(x, order=3), X),
    "stats.gmean": (stats.gmean, P),
    "stats.hmean": (stats.hmean, P),
    "stats.pmean": (lambda x: stats.pmean(x, 3), P),
    "stats.variation": (stats.variation, P),
    "stats.sem": (stats.sem, X),
    "stats.describe": (lambda x: stats.describe(x).variance, X),
    "stats.kstat": (lambda x: stats.kstat(x, 3), X),
    "stats.gzscore": (stats.gzscore, P),
    "stats.tmean": (lambda x: stats.tmean(x, (-1, 1)), X),
    "stats.circmean": (stats.circmean, X),
    "stats.circvar": (stats.circvar, X),
    "stats.directional_stats": (lambda x: stats.directional_stats(x).mean_direction, M),
    "fft.fft": (fft.fft, X),
    "fft.rfft": (fft.rfft, X),
    "fft.hfft": (fft.hfft, X),
    "fft.fftn": (fft.fftn, M),
    "fft.fht": (lambda x: fft.fht(x, 0.1, 0.5), X),
    "signal.hilbert": (signal.hilbert, X),
    "signal.fftconvolve": (lambda x: signal.fftconvolve(x, T(Y)), X),
    "signal.correlate": (lambda x: signal.correlate(x, T(Y), method="fft"), X),
    "signal.oaconvolve": (lambda x: signal.oaconvolve(x, T(Y[:3])), X),
    "signal.resample": (lambda x: signal.resample(x, 5), X),
    "signal.freqz": (lambda x: signal.freqz(x, worN=T(np.linspace(0.1, 3, 5)))[1], X),
    "integrate.trapezoid": (lambda x: integrate.trapezoid(x * x, x), X),
    "integrate.tanhsinh": (
        lambda x: integrate.tanhsinh(
            lambda t, c: xp.exp(-c * t * t), 0.0 * x, 1 + 0.0 * x, args=(x,)
        ).integral,
        P,
    ),
    "differentiate.derivative": (
        lambda x: differentiate.derivative(lambda t: xp.sin(t) * t, x).df, X
    ),
    "differentiate.jacobian": (lambda x: differentiate.jacobian(lambda t: t**2, x).df, X[:3]),
    "optimize.rosen": (optimize.rosen, X),
    "optimize.rosen_der": (optimize.rosen_der, X),
    "optimize.elementwise.find_minimum": (
        lambda x: elementwise.find_minimum(
            lambda t, c: (t - c) ** 2 + c**3, (x - 2, x + 0.3, x + 4), args=(x,)
        ).f_x,
        P,
    ),
    "cluster.vq.whiten": (vq.whiten, M),
    "xpx.cov": (lambda x: xpx.cov(x.T), M),
    "xpx.kron": (lambda x: xpx.kron(x, x), X[:3]),
    "xpx.at, set": (lambda x: xpx.at(x * 2, slice(0, 2)).set(x[3]), X),
    "xpx.at, multiply": (lambda x: xpx.at(x * 2)[x > 0].multiply(x[0]), X),
    "xpx.create_diagonal": (xpx.create_diagonal, X),
    "xpx.pad": (lambda x: xpx.pad(x, 2), X),
    "xpx.sinc": (xpx.sinc, X),
    "xpx.apply_where": (lambda x: xpx.apply_where(x > 0, (x,), xp.sqrt, lambda a: -a), X),
    "xpx.nan_to_num": (xpx.nan_to_num, X),
    "xpx.setdiff1d": (lambda x: xpx.setdiff1d(x, x[:2]), X),
}  # fmt: skip

if tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 17):  # before, these are NumPy's alone
    CASES |= {
        "stats.trim_mean": (lambda x: stats.trim_mean(x, 0.2), X),
        "stats.lmoment": (lambda x: stats.lmoment(x, order=2), X),
        "integrate.cumulative_trapezoid": (lambda x: integrate.cumulative_trapezoid(x * x), X),
        "Rotation.from_rotvec, apply": (lambda x: Rotation.from_rotvec(x).apply(T(M[0])), M[1]),
        "Rotation.from_quat, as_matrix": (lambda x: Rotation.from_quat(x).as_matrix(), X[:4]),
        "Rotation.from_euler, as_quat": (lambda x: Rotation.from_euler("xyz", x).as_quat(), M[1]),
        "Rotation, product": (
            lambda x: (Rotation.from_rotvec(x) * Rotation.from_rotvec(2 * x)).as_rotvec(), M[1]
        ),
        "Rotation.magnitude": (lambda x: Rotation.from_rotvec(x).magnitude(), M[1]),
    }  # fmt: skip


def _weighted(y):
    w = T(np.linspace(1.0, 2.0, y.size).reshape(y.shape))
    return xp.sum(w * xp.real(y) + xp.imag(y) if y.dtype.kind == "c" else w * y)


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    function, at = CASES[case]
    f = lambda x: _weighted(function(x))
    x, h = T(at), 1e-6
    value, g = value_and_grad(f)(x)
    assert float(value) == float(f(x))
    numeric = np.zeros(at.shape)
    for i in np.ndindex(at.shape):
        step = np.zeros(at.shape)
        step[i] = h
        numeric[i] = (float(f(T(at + step))) - float(f(T(at - step)))) / (2 * h)
    scale = max(1.0, np.max(np.abs(numeric)))
    np.testing.assert_allclose(g.numpy(), numeric, rtol=0, atol=2e-6 * scale)
    t = T(np.cos(np.arange(at.size)).reshape(at.shape))
    forward = float(jvp(f, (x,), (t,))[1])
    np.testing.assert_allclose(forward, np.sum(g.numpy() * t.numpy()), rtol=0, atol=1e-9 * scale)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: fft.dct(x),
        lambda x: signal.savgol_filter(x, 5, 2),
        lambda x: vq.vq(T(M), xp.reshape(x[:6], (2, 3)))[1],
        lambda x: xpx.lazy_apply(lambda a: np.sin(a), x, as_numpy=True),
    ],
)
def test_compiled_routines_raise(f):
    """Where a library leaves for NumPy, the gradient would be zero; it is an error."""
    with pytest.raises(TypeError, match="gradient would be lost"):
        grad(lambda x: xp.sum(f(x)))(T(X))


def test_what_is_refused_raises_when_it_is_used():
    """The degrees of freedom of Welch's test depend on the data; the statistic needs none."""
    welch = lambda x: stats.ttest_ind(x, T(Y), equal_var=False)
    expected = grad(lambda x: (xp.mean(x) - np.mean(Y)) / xp.sqrt(
        xp.var(x, correction=1) / 8 + np.var(Y, ddof=1) / 8))(T(X))  # fmt: skip
    found = grad(lambda x: welch(x).statistic)(T(X))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)
    with pytest.raises(NotDifferentiableError, match="with respect to df"):
        grad(lambda x: welch(x).pvalue)(T(X))
