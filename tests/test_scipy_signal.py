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


# ---- smoothing and spectra


@pytest.mark.parametrize(("shape", "axis"), [((3,), -1), ((3000,), 0), ((9, 2), 0), ((2, 8), 1)])
def test_trends(shape, axis, dtype, device):
    x = numbers(dtype, *shape)
    for how in ({}, {"type": "constant"}, {"bp": [1, 2]}):
        found = signal.detrend(T(x, device=device), axis, **how)
        close(found, scipy_signal.detrend(x, axis, **how), device)


@pytest.mark.parametrize("mode", ["interp", "mirror", "constant", "nearest", "wrap"])
@pytest.mark.parametrize(("window", "order"), [(3, 1), (3, 2), (2, 1), (1, 0), (7, 3), (8, 3)])
@pytest.mark.parametrize(("shape", "axis"), [((8,), -1), ((3000,), 0), ((9, 2), 0)])
def test_savgol_filter(mode, window, order, shape, axis, device):
    x = numbers("float64", *shape)
    for deriv in (0, 1, order + 1):
        how = (window, order, deriv, 0.7, axis, mode, 1.5)
        found = signal.savgol_filter(T(x, device=device), *how)
        close(found, scipy_signal.savgol_filter(x, *how), device)
    single = x.astype("float32")
    found = signal.savgol_filter(T(single, device=device), window, order, axis=axis, mode=mode)
    close(found, scipy_signal.savgol_filter(single, window, order, axis=axis, mode=mode), device)


SPECTRA = [
    {"nperseg": 3},
    {"nperseg": 3, "noverlap": 2, "nfft": 8, "detrend": "linear"},
    {"nperseg": 2, "detrend": False, "scaling": "spectrum", "fs": 5.0},
    {"nperseg": 2, "noverlap": 0, "average": "median"},
    {"nperseg": 3, "return_onesided": False, "window": ("kaiser", 2.0)},
]


@pytest.mark.parametrize("how", SPECTRA)
@pytest.mark.parametrize(("shape", "axis"), [((3,), -1), ((3000,), 0), ((9, 2), 0), ((2, 8), 1)])
def test_spectra(how, shape, axis, dtype, device):
    x, y = numbers(dtype, *shape), numbers(dtype, *shape)
    on = lambda a: T(a, device=device)
    for found, expected in (
        (signal.welch(on(x), axis=axis, **how), scipy_signal.welch(x, axis=axis, **how)),
        (signal.csd(on(x), on(y), axis=axis, **how), scipy_signal.csd(x, y, axis=axis, **how)),
    ):
        for a, b in zip(found, expected, strict=True):
            close(a, b, device)
    for nfft in (None, 2, 5, shape[axis] + 3):
        found = signal.periodogram(on(x), axis=axis, nfft=nfft)
        for a, b in zip(found, scipy_signal.periodogram(x, axis=axis, nfft=nfft), strict=True):
            close(a, b, device)


def test_defaults_windows_and_lengths_of_spectra(device):
    x, y, w = numbers("float64", 600), numbers("float64", 500), RNG.uniform(1, 2, 64)
    several = numbers("float64", 2, 600)
    on = lambda a: T(a, device=device)
    for found, expected in (
        (signal.welch(on(x)), scipy_signal.welch(x)),
        (signal.welch(on(x), window=on(w)), scipy_signal.welch(x, window=w)),
        (signal.csd(on(x), on(y)), scipy_signal.csd(x, y)),
        (signal.csd(on(x), on(several)), scipy_signal.csd(x, several)),
    ):
        for a, b in zip(found, expected, strict=True):
            close(a, b, device)
    with pytest.warns(UserWarning, match=r"nperseg is reduced from 9 to the length .*, 3"):
        assert signal.welch(on(x[:3]), nperseg=9)[0].shape == (2,)
    twice = signal.welch(on(x), detrend=lambda part: 2 * part)[1]
    np.testing.assert_allclose(
        twice.numpy(), 4 * scipy_signal.welch(x, detrend=False)[1], rtol=1e-11
    )


def test_a_long_signal_has_the_gradient_of_its_power():
    x = T(numbers("float64", 3000))
    power = lambda x: xp.sum(signal.welch(x, detrend=False)[1])
    assert float(xp.sum(grad(power)(x) * x)) == pytest.approx(2 * float(power(x)), rel=1e-11)


# ---- interpolated images

INTERPOLATED = "constant grid-constant nearest mirror reflect grid-mirror wrap grid-wrap".split()


@pytest.mark.parametrize("mode", INTERPOLATED)
@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(5, 6), (3, 1, 4)])
def test_interpolated_images(mode, order, shape, device):
    x, how = numbers("float64", *shape), {"mode": mode, "order": order, "cval": 1.5}
    y, n = T(x, device=device), len(shape)
    places = RNG.uniform(-15, 20, (n, 4, 10))
    matrix = np.eye(n) + 0.2 * RNG.standard_normal((n, n))
    calls = [
        ("map_coordinates", (places,), {}),
        ("map_coordinates", (places,), {"prefilter": False}),
        ("shift", (0.37,), {}),
        ("zoom", (1.7,), {}),
        ("zoom", (0.6,), {"grid_mode": True}),
        ("affine_transform", (matrix, 0.3), {"output_shape": tuple(m + 1 for m in shape)}),
        ("affine_transform", (np.diag(matrix), 0.3), {}),
    ]
    if n > 1:
        calls += [("rotate", (angle,), {}) for angle in (17.0, 90, -130)]
        calls += [("rotate", (-33.0,), {"reshape": False, "axes": (-1, 0)})]
    for name, args, more in calls:
        if mode in ("constant", "wrap") and "grid_mode" in more:
            continue  # SciPy warns
        expected = getattr(scipy_ndimage, name)(x, *args, **how, **more)
        tensors = [T(a, device=device) if isinstance(a, np.ndarray) else a for a in args]
        found = getattr(ndimage, name)(y, *tensors, **how, **more)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape), name
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mode", INTERPOLATED)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128", "int64", "uint8"])
def test_interpolation_keeps_dtypes(mode, dtype, device):
    x = 50 * numbers("float64", 5, 6) + 60
    x = (x + 9j if "complex" in dtype else np.clip(x, 0, 200)).astype(dtype)
    places = RNG.uniform(-8, 9, (2, 300))
    for order in (1, 3):
        how = {"order": order, "mode": mode, "cval": 2.0}
        found = ndimage.map_coordinates(T(x, device=device), T(places, device=device), **how)
        expected = scipy_ndimage.map_coordinates(x, places, **how)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["constant", "nearest", "mirror", "reflect", "grid-wrap"])
@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (3000,), (4, 5)])
def test_spline_coefficients(mode, shape, device):
    for kind in ("float64", "float32", "complex128"):
        x = numbers(kind, *shape)
        scipys = "complex128" if "complex" in kind else "float64"
        for order in (2, 3, 5):
            how = {"order": order, "mode": mode}
            found = ndimage.spline_filter(T(x, device=device), **how)
            close(found, scipy_ndimage.spline_filter(x, output=scipys, **how), device)
            found = ndimage.spline_filter1d(T(x, device=device), axis=0, **how)
            close(found, scipy_ndimage.spline_filter1d(x, axis=0, output=scipys, **how), device)


@pytest.mark.parametrize("mode", ["mirror", "reflect", "grid-wrap"])
@pytest.mark.parametrize("n", [2, 3, 31, 32, 300])
def test_spline_coefficients_have_exact_gradients(mode, n):
    x, w = T(numbers("float64", n)), T(numbers("float64", n))
    for order in (2, 3, 4, 5):
        f = lambda x, k=order: ndimage.spline_filter1d(x, k, mode=mode)
        _, t = autodiff.jvp(f, (x,), (w,))
        (g,) = autodiff.vjp(f, x)[1](w)
        assert float(xp.vecdot(g, w)) == pytest.approx(float(xp.vecdot(t, w)), rel=1e-12)


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "mirror", "wrap"])
@pytest.mark.parametrize("shape", [(3,), (4, 5), (300, 2)])
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_derivatives_of_images(mode, shape, dtype, device):
    x, how = numbers("complex128", *shape), {"mode": mode, "cval": 2.0}
    x = (9 * x.real if dtype == "int64" else x if dtype == "complex128" else x.real).astype(dtype)
    y = T(x, device=device)
    calls = [("sobel", (0,)), ("prewitt", (-1,)), ("laplace", ()), ("gaussian_laplace", (0.8,))]
    calls += [("gaussian_gradient_magnitude", (0.8,))] if dtype != "complex128" else []
    for name, args in calls:
        run = {k: v for k, v in how.items() if name.startswith("gaussian")}
        expected = getattr(scipy_ndimage, name)(x, *args, **(run or how))
        close(getattr(ndimage, name)(y, *args, **(run or how)), expected, device)


def test_the_length_of_no_gradient_has_derivative_0():
    f = lambda x: xp.sum(ndimage.gaussian_gradient_magnitude(x, 1.0))
    assert xp.all(grad(f)(xp.ones((5, 5))) == 0)


def test_places_are_differentiated_on_the_tape_and_angles_found():
    image = ndimage.gaussian_filter(T(numbers("float64", 40, 40)), 2.0)
    angle = T(10.0).requires_grad_()
    loss = xp.sum((ndimage.rotate(image, angle, reshape=False, mode="nearest") - image) ** 2)
    loss.backward()
    assert float(angle.grad) > 0
    f = lambda a: xp.sum((ndimage.rotate(image, a, reshape=False, mode="nearest") - image) ** 2)
    assert float(angle.grad) == pytest.approx(float(f(T(10.001)) - f(T(9.999))) / 0.002, rel=1e-6)


def test_nothing_is_interpolated():
    x = xp.ones((3, 4))
    assert ndimage.map_coordinates(x, xp.zeros((2, 0, 5))).shape == (0, 5)
    assert ndimage.zoom(x, 0.0).shape == (0, 0)
    assert grad(lambda x: xp.sum(ndimage.map_coordinates(x, xp.zeros((2, 0)))))(x).shape == (3, 4)
    with pytest.raises(ValueError, match=r"map_coordinates: there is nothing to interpolate"):
        ndimage.map_coordinates(xp.ones((0, 4)), xp.zeros((2, 3)))


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
        (lambda: signal.detrend(X, 2), r"scipy\.signal\.detrend: axis 2 does not exist"),
        (lambda: signal.detrend(X, type="a"), r"detrend: type must be 'linear' or 'constant'; got"),
        (lambda: signal.detrend(X, bp=4), r"detrend: breakpoints must be within the axis of 3"),
        (lambda: signal.savgol_filter(X, 3, 3), r"savgol_filter: polyorder must be less than win"),
        (lambda: signal.savgol_filter(X, 5, 3), r"savgol_filter: window_length must be at most"),
        (lambda: signal.savgol_filter(X, 3, 1, mode="a"), r"savgol_filter: mode must be 'interp'"),
        (lambda: signal.savgol_filter(X, 3, 1, -1), r"savgol_filter: deriv must not be negative"),
        (lambda: signal.welch(X[:0, :], axis=0), r"scipy\.signal\.welch: the signal has no samp"),
        (lambda: signal.welch(X, nperseg=0), r"scipy\.signal\.welch: nperseg must be positive"),
        (lambda: signal.welch(X, nperseg=2, nfft=1), r"welch: nfft must be at least nperseg, 2"),
        (lambda: signal.welch(X, nperseg=2, noverlap=2), r"welch: noverlap must be less than"),
        (lambda: signal.welch(X, scaling="a"), r"welch: scaling must be 'density' or 'spectrum'"),
        (lambda: signal.welch(X, average="a"), r"welch: average must be 'mean' or 'median'"),
        (lambda: signal.welch(X, window=X), r"welch: window must have shape \(N,\); got \(3, 3"),
        (lambda: signal.csd(X, X, axis=2), r"scipy\.signal\.csd: axis 2 does not exist"),
        (lambda: signal.periodogram(X, nfft=0), r"signal\.periodogram: nfft must be positive"),
        (lambda: ndimage.sobel(X, 2), r"scipy\.ndimage\.sobel: axis 2 does not exist"),
        (lambda: ndimage.laplace(X[0, 0]), r"ndimage\.laplace: expected at least one axis"),
        (lambda: ndimage.map_coordinates(X, X[0, :]), r"coordinates must have a row for each axis"),
        (lambda: ndimage.map_coordinates(X, X[:2, :], 6), r"order must be from 0 to 5; got 6"),
        (lambda: ndimage.map_coordinates(X, X[:2, :], mode="a"), r"mode must be one of 'constant'"),
        (lambda: ndimage.shift(X, (1, 2, 3)), r"ndimage\.shift: shift must be one value or one"),
        (lambda: ndimage.shift(X, X), r"ndimage\.shift: shift must be real and of shape"),
        (lambda: ndimage.zoom(X, -1), r"ndimage\.zoom: zoom must not be negative; got -1"),
        (lambda: ndimage.affine_transform(X, X[:1, :]), r"affine_transform: matrix must be real"),
        (lambda: ndimage.rotate(X[0, :], 1), r"ndimage\.rotate: axes \(1, 0\) do not exist in"),
        (lambda: ndimage.rotate(X, 1, (0, 0)), r"ndimage\.rotate: axes must be two; got \(0, 0"),
        (lambda: ndimage.rotate(X, X), r"ndimage\.rotate: angle must be a real number or 0-d"),
        (lambda: ndimage.spline_filter(X, 9), r"ndimage\.spline_filter: order must be from 0"),
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
    with pytest.raises(TypeError, match=r"^scipy\.ndimage\.map_coordinates: coordinates must be"):
        ndimage.map_coordinates(X, 1j * X)
    with pytest.raises(TypeError, match=r"^scipy\.signal\.welch: expected a Tensor"):
        signal.welch(np.ones(3))
    with pytest.raises(xp.DeviceMismatchError, match=r"scipy\.ndimage\.map_coordinates"):
        ndimage.map_coordinates(X, xp.ones((2, 3), device="strict:1"))


def test_filters_work_in_strict_mode():
    x = T([1.0, 2.0, 3.0, 4.0])
    with xp.strict():
        assert signal.filtfilt(x[:2], x[2:], x, padlen=2).shape == (4,)
        assert signal.convolve2d(X, X, boundary="symm").shape == (5, 5)
        assert grad(lambda x: xp.sum(ndimage.gaussian_filter(x, 1.0)))(x).shape == (4,)
        assert signal.detrend(signal.savgol_filter(x, 3, 1)).shape == (4,)
        assert signal.csd(x, x, nperseg=2, average="median")[1].shape == (2,)
        assert signal.welch(x, nperseg=2)[1].shape == (2,)
        for mode in INTERPOLATED:
            assert ndimage.rotate(X, T(30.0), mode=mode, reshape=False).shape == (3, 3)
            assert ndimage.zoom(X, 2, mode=mode).shape == (6, 6)
        assert ndimage.gaussian_gradient_magnitude(ndimage.sobel(X), 1.0).shape == (3, 3)
