"""Fourier transforms against their definition."""

import numpy as np
import pytest

import arraygrad as ag

RNG = np.random.default_rng(3)


def dft(a, n, axis, inverse, norm):
    """The sum of the definition, in extended precision where there is one."""
    a = np.moveaxis(np.asarray(a, dtype=np.clongdouble), axis, -1)
    a = np.concatenate([a, np.zeros((*a.shape[:-1], max(n - a.shape[-1], 0)))], -1)[..., :n]
    sign = 1 if inverse else -1
    k = np.arange(n)
    angle = 2 * np.pi * ((k[:, None] * k) % n) / n
    out = a @ (np.cos(angle) + sign * 1j * np.sin(angle))
    factor = {"ortho": n**-0.5, "backward": 1 / n if inverse else 1.0}
    factor["forward"] = 1.0 if inverse else 1 / n
    return np.moveaxis(out * factor[norm], -1, axis)


def near(found, expected, dtype):
    eps = 1e-5 if dtype in ("float32", "complex64") else 1e-13
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, atol=eps * 20, rtol=eps)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 1, 4, 5, 8])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_transforms(xp, n, axis, norm, dtype):
    a = (RNG.standard_normal((5, 6)) + 1j * RNG.standard_normal((5, 6))).astype(dtype)
    x, length = xp.asarray(a), n or a.shape[axis]
    for name, inverse in (("fft", False), ("ifft", True)):
        found = getattr(xp.fft, name)(x, n=n, axis=axis, norm=norm)
        assert found.dtype == dtype
        near(found, dft(a, length, axis, inverse, norm), dtype)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 3, 4, 7, 8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_real_transforms(xp, n, norm, dtype):
    a = RNG.standard_normal((3, 6)).astype(dtype)
    length = n or 6
    found = xp.fft.rfft(xp.asarray(a), n=n, norm=norm)
    assert found.dtype == {"float32": "complex64", "float64": "complex128"}[dtype]
    near(found, dft(a, length, -1, False, norm)[..., : length // 2 + 1], dtype)
    back = xp.fft.irfft(found, n=length, norm=norm)
    assert back.dtype == dtype
    fitted = np.concatenate([a, np.zeros((3, max(length - 6, 0)))], -1)[..., :length]
    near(back, fitted, dtype)
    signal = xp.fft.ihfft(xp.asarray(a), n=n, norm=norm)
    near(signal, dft(a, length, -1, True, norm)[..., : length // 2 + 1], dtype)
    again = xp.fft.hfft(signal, n=length, norm=norm)
    assert again.dtype == dtype
    near(again, fitted, dtype)
    if length % 2 == 0:
        near(xp.fft.irfft(found, norm=norm), fitted, dtype)


@pytest.mark.parametrize(
    ("s", "axes"), [(None, None), ((3, 5), (0, 1)), ((4,), (-1,)), (None, (2, 0)), ((2, 8), (1, 2))]
)
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_several_axes(xp, s, axes, norm):
    a = RNG.standard_normal((4, 3, 6))
    chosen = axes or range(3)
    sizes = s or [a.shape[i] for i in chosen]
    expected, inverted = a, a
    for size, axis in zip(sizes, chosen, strict=True):
        expected = dft(expected, size, axis, False, norm)
        inverted = dft(inverted, size, axis, True, norm)
    z = xp.asarray(a + 0j)
    near(xp.fft.fftn(z, s=s, axes=axes, norm=norm), expected, "float64")
    near(xp.fft.ifftn(z, s=s, axes=axes, norm=norm), inverted, "float64")
    half = [slice(None)] * 3
    half[list(chosen)[-1]] = slice(0, sizes[-1] // 2 + 1)
    found = xp.fft.rfftn(xp.asarray(a), s=s, axes=axes, norm=norm)
    near(found, expected[tuple(half)], "float64")
    back = xp.fft.irfftn(found, s=sizes, axes=tuple(chosen), norm=norm)
    cut = a
    for size, axis in zip(sizes, chosen, strict=True):
        widths = [(0, max(size - a.shape[i], 0)) if i == axis % 3 else (0, 0) for i in range(3)]
        cut = np.take(np.pad(cut, widths), range(size), axis)
    near(back, cut, "float64")


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_shifts(xp, same, n):
    for name in ("fftfreq", "rfftfreq"):
        same(getattr(xp.fft, name)(n, d=0.5), getattr(np.fft, name)(n, d=0.5))
        assert getattr(xp.fft, name)(n, dtype=xp.float32).dtype == xp.float32
    assert xp.fft.fftfreq(n).device == ag.default_device().device
    a = np.arange(2.0 * n).reshape(2, n)
    for axes in (None, 1, (0, 1)):
        shifted = xp.fft.fftshift(xp.asarray(a), axes=axes)
        same(shifted, np.fft.fftshift(a, axes=axes))
        same(xp.fft.ifftshift(shifted, axes=axes), a)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize(
    ("shape", "axis", "n"),
    [((4096,), -1, None), ((4097,), 0, 5000), ((4097,), 0, 3000), ((3, 30, 31), 1, 29),
     ((40, 64), 0, None), ((2048, 2), -1, 1), ((2048, 2), -1, None)],
)  # fmt: skip
def test_fft_of_many_real_numbers(shape, axis, n, norm, dtype, same):
    """There it is made of the real transform."""
    a = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    found = ag.fft.fft(ag.asarray(a), n=n, axis=axis, norm=norm)
    exact = np.fft.fft(a.astype("float64"), n=n, axis=axis, norm=norm)
    found, exact = (y / np.max(np.abs(exact)) for y in (found, exact))
    same(found, exact.astype(found.numpy().dtype), rtol=1e-13 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_lengths_without_axes_are_those_of_the_last(name):
    x = ag.reshape(ag.arange(24.0), (2, 3, 4))
    function = getattr(ag.fft, name)
    expected = function(x, s=(3, 5), axes=(-2, -1))
    assert ag.all(function(x, s=(3, 5)) == expected)
