"""`arraygrad.scipy.signal` and `arraygrad.scipy.ndimage`: SciPy's values, errors, large inputs.

The cases of `conformance/gradient_cases.py` show the derivatives.
"""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad
from arraygrad.scipy import ndimage, signal

scipy_signal = pytest.importorskip("scipy.signal")
scipy_ndimage = pytest.importorskip("scipy.ndimage")

RNG = np.random.default_rng(9)
T = xp.asarray
MODES = "reflect constant nearest mirror wrap grid-mirror grid-wrap grid-constant".split()


def numbers(dtype, *shape):
    a = RNG.standard_normal(shape)
    return (a + 1j * RNG.standard_normal(shape) if "complex" in dtype else a).astype(dtype)


@pytest.fixture(params=["float32", "float64", "complex64", "complex128"])
def dtype(request):
    return request.param


def close(found, expected, device, exact=False):
    """Bit for bit on the CPU where it is SciPy's function."""
    assert found.device == xp.Device(device)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if exact and device != "cuda":
        np.testing.assert_array_equal(found.numpy(), expected)
    else:
        tolerance = 1e-4 if found.dtype.name in ("float32", "complex64") else 1e-11
        np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("m", "n"), [(3, 3), (2, 4), (4, 2), (3, 1), (1, 3), (1, 1)])
@pytest.mark.parametrize(("shape", "axis"), [((3000,), -1), ((2, 3), -1), ((6, 2), 0), ((1,), 0)])
def test_lfilter(m, n, shape, axis, dtype, device):
    b, a, x = numbers(dtype, m), numbers(dtype, n) * np.float32(0.2), numbers(dtype, *shape)
    a[0] = 1.5
    tensors = [T(y, device=device) for y in (b, a, x)]
    real = "complex" not in dtype  # SciPy divides complex numbers in another way
    close(signal.lfilter(*tensors, axis), scipy_signal.lfilter(b, a, x, axis), device, real)
    state = [*shape]
    state[axis] = max(m, n) - 1
    for sizes in (state, [1 if i != axis % x.ndim else s for i, s in enumerate(state)]):
        zi = numbers(dtype, *sizes)
        found = signal.lfilter(*tensors, axis, T(zi, device=device))
        for y, expected in zip(found, scipy_signal.lfilter(b, a, x, axis, zi), strict=True):
            close(y, expected, device, real)


def test_sosfilt(device):
    sos = scipy_signal.butter(5, 0.3, output="sos")
    for shape, axis in (((3, 300), -1), ((300, 2), 0)):
        x = numbers("float64", *shape)
        zi = numbers("float64", len(sos), *(2 if i == axis % 2 else n for i, n in enumerate(shape)))
        tensors = T(sos, device=device), T(x, device=device)
        close(signal.sosfilt(*tensors, axis), scipy_signal.sosfilt(sos, x, axis), device)
        found = signal.sosfilt(*tensors, axis, T(zi, device=device))
        for y, expected in zip(found, scipy_signal.sosfilt(sos, x, axis, zi), strict=True):
            close(y, expected, device)


@pytest.mark.parametrize("padtype", ["odd", "even", "constant", None])
def test_filtfilt(padtype, device):
    b, a = scipy_signal.butter(4, 0.2)
    x = numbers("float64", 3, 100)
    found = signal.filtfilt(*(T(y, device=device) for y in (b, a, x)), padtype=padtype)
    close(found, scipy_signal.filtfilt(b, a, x, padtype=padtype), device)
    found = signal.filtfilt(T(b), T(a), T(x.T), 0, padtype, 5)
    close(found, scipy_signal.filtfilt(b, a, x.T, 0, padtype, 5), "cpu")
    close(signal.lfilter_zi(T(b), T(a)), scipy_signal.lfilter_zi(b, a), "cpu")


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    ("m", "n"), [((5,), (3,)), ((3,), (5,)), ((4, 5), (2, 3)), ((2, 2), (3, 3)), ((), ())]
)
def test_convolutions(mode, m, n, dtype, device):
    x, h = numbers(dtype, *m), numbers(dtype, *n)
    tensors = T(x, device=device), T(h, device=device)
    for method in ("auto", "direct", "fft"):
        expected = scipy_signal.convolve(x, h, mode, method)
        close(signal.convolve(*tensors, mode, method), expected, device, exact=True)
        expected = scipy_signal.correlate(x, h, mode, method)
        close(signal.correlate(*tensors, mode, method), expected, device)
    for boundary in ("fill", "wrap", "symm") if len(m) == 2 else ():
        for value in (0, 2.5):
            expected = scipy_signal.convolve2d(x, h, mode, boundary, value)
            close(signal.convolve2d(*tensors, mode, boundary, value), expected, device)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(4, 5), (2,), (3, 1, 2)])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_filters_of_images(mode, shape, dtype, device):
    x, how = numbers(dtype, *shape), {"mode": mode, "cval": 1.5}
    y = T(x, device=device)
    for sigma, order in ((1.0, 0), (1.2, 1), (2.5, 0)):
        expected = scipy_ndimage.gaussian_filter(x, sigma, order, **how)
        close(ndimage.gaussian_filter(y, sigma, order, **how), expected, device, exact=True)
    for size, origin in ((3, 0), (4, 1), (3, -1)):
        expected = scipy_ndimage.uniform_filter(x, size, origin=origin, **how)
        found = ndimage.uniform_filter(y, size, origin=origin, **how)
        close(found, expected, device, exact=True)
        w = numbers("float64", *(size,) * len(shape)).astype(x.real.dtype)
        for name in ("correlate", "convolve"):
            origin = 0 if size == 4 else origin
            expected = getattr(scipy_ndimage, name)(x, w, origin=origin, **how)
            found = getattr(ndimage, name)(y, T(w, device=device), origin=origin, **how)
            close(found, expected, device, exact=True)


def test_filters_along_one_axis(device):
    x, w = numbers("float64", 4, 5), numbers("float64", 4)
    y, v = T(x, device=device), T(w, device=device)
    for axis in (0, 1, -1):
        for name in ("correlate1d", "convolve1d"):
            expected = getattr(scipy_ndimage, name)(x, w, axis, origin=-1)
            close(getattr(ndimage, name)(y, v, axis, origin=-1), expected, device)
        expected = scipy_ndimage.gaussian_filter1d(x, 1.1, axis, 1)
        close(ndimage.gaussian_filter1d(y, 1.1, axis, 1), expected, device, exact=True)
        expected = scipy_ndimage.uniform_filter1d(x, 4, axis, origin=1)
        close(ndimage.uniform_filter1d(y, 4, axis, origin=1), expected, device, exact=True)


def test_integers_stay_integers():
    x = RNG.integers(0, 99, (4, 5))
    close(ndimage.gaussian_filter(T(x), 1.0), scipy_ndimage.gaussian_filter(x, 1.0), "cpu", True)
    close(ndimage.uniform_filter(T(x)), scipy_ndimage.uniform_filter(x), "cpu", True)
    close(signal.convolve(T(x), T(x)), scipy_signal.convolve(x, x), "cpu", True)


def test_a_large_image_and_a_long_signal_have_right_gradients():
    x, w = T(numbers("float64", 300, 200)), T(numbers("float64", 300, 200))
    f = lambda x: xp.sum(w * ndimage.gaussian_filter(x, 3.0, mode="mirror"))
    assert float(xp.sum(grad(f)(x) * x)) == pytest.approx(float(f(x)), rel=1e-11)  # it is linear
    s, v = T(numbers("float64", 3000)), T(numbers("float64", 3000))
    b, a = map(T, scipy_signal.butter(2, 0.5))
    f = lambda x: xp.sum(v * signal.lfilter(b, a, x))
    assert float(xp.sum(grad(f)(s) * s)) == pytest.approx(float(f(s)), rel=1e-11)
    autodiff.check_grads(lambda b, a: signal.lfilter(b, a, s), (b, a), order=1)


def test_the_tape_records_filters():
    x = T(numbers("float64", 8))
    x.requires_grad_()
    loss = xp.sum(ndimage.gaussian_filter(x, 1.0) ** 2) + xp.sum(signal.convolve(x, T([1.0, 2.0])))
    loss.backward()
    expected = grad(
        lambda x: (
            xp.sum(ndimage.gaussian_filter(x, 1.0) ** 2) + xp.sum(signal.convolve(x, T([1.0, 2.0])))
        )
    )(x.detach())
    assert xp.all(x.grad == expected)


X = xp.ones((3, 3))


@pytest.mark.parametrize(
    ("attempt", "match"),
    [
        (lambda: signal.lfilter(X, X[0, :], X), r"scipy\.signal\.lfilter: b must have shape"),
        (
            lambda: signal.lfilter(X[0, :], X[0, :], X, 2),
            r"signal\.lfilter: axis 2 does not",
        ),
        (lambda: signal.lfilter(X[0, :], X[0, :], X, zi=X), r"lfilter: zi must have 2 elements"),
        (lambda: signal.sosfilt(X, X), r"scipy\.signal\.sosfilt: sos must have shape \(S, 6\)"),
        (lambda: signal.filtfilt(X[0, :], X[0, :], X), r"scipy\.signal\.filtfilt: the signal must"),
        (lambda: signal.convolve(X, X[0, :]), r"scipy\.signal\.convolve: operands must have"),
        (lambda: signal.convolve(X, X, "some"), r"scipy\.signal\.convolve: .*mode"),
        (lambda: signal.convolve2d(X, X[0, :]), r"scipy\.signal\.convolve2d: expected two matri"),
        (lambda: signal.convolve2d(X, X, boundary="a"), r"convolve2d: boundary must be"),
        (lambda: ndimage.gaussian_filter(X, (1, 2, 3)), r"ndimage\.gaussian_filter: sigma must"),
        (lambda: ndimage.gaussian_filter(X, 1, mode="a"), r"gaussian_filter: mode must be one of"),
        (lambda: ndimage.gaussian_filter1d(X, 1, 2), r"gaussian_filter1d: axis 2 does not exist"),
        (lambda: ndimage.correlate(X, X[0, :]), r"scipy\.ndimage\.correlate: weights must have 2"),
        (lambda: ndimage.convolve(X, X[0, :]), r"scipy\.ndimage\.convolve: weights must have 2"),
        (lambda: ndimage.convolve1d(X, X), r"scipy\.ndimage\.convolve1d: weights must have shape"),
    ],
)
def test_errors_name_the_function(attempt, match):
    with pytest.raises(ValueError, match=match):
        attempt()
    with pytest.raises(TypeError, match=r"scipy\.ndimage\.convolve: expected a Tensor"):
        ndimage.convolve(X, np.ones((3, 3)))
    with pytest.raises(TypeError, match=r"scipy\.ndimage\.gaussian_filter: sigma must be a number"):
        ndimage.gaussian_filter(X, "a")
    with pytest.raises(TypeError, match=r"scipy\.ndimage\.correlate: weights must be real"):
        ndimage.correlate(X, 1j * X)


def test_filters_work_in_strict_mode():
    x = T([1.0, 2.0, 3.0, 4.0])
    with xp.strict():
        assert signal.filtfilt(x[:2], x[2:], x, padlen=2).shape == (4,)
        assert signal.convolve2d(X, X, boundary="symm").shape == (5, 5)
        assert grad(lambda x: xp.sum(ndimage.gaussian_filter(x, 1.0)))(x).shape == (4,)
