"""Whether CUDA agrees with the CPU: in numbers, dtypes and shapes, or in the kind of an error."""

import builtins
import warnings

import numpy as np

import arraygrad as xp

DTYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128"
).split()


def values(dtype, shape=(3, 4)):
    """Numbers of a dtype, small enough for the narrowest one; negative ones where it has such."""
    n = int(np.prod(shape))
    x = np.arange(n) % 7 - (0 if dtype[0] in "bu" else 3)
    if dtype[0] == "b":
        x = x % 3 == 1
    if dtype[0] == "f":
        x = x / 4 + 0.125
    if dtype[0] == "c":
        x = x / 4 + 0.125 + 1j * (np.arange(n) % 5 - 2) / 4
    return np.asarray(x).astype(dtype).reshape(shape)


def _outcome(function, arrays, device):
    tensors = [xp.asarray(a, device=device, copy=True) for a in arrays]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # only the CPU warns
            return function(*tensors)
    except Exception as error:
        return error


def _kind(error):
    """The first of the built-in classes of an exception."""
    return next(c for c in type(error).__mro__ if c.__module__ == builtins.__name__)


def difference(function, *arrays, rtol=1e-12, atol=1e-12):
    """How CUDA differs from the CPU, in words; nothing if it does not."""
    want, got = (_outcome(function, arrays, device) for device in ("cpu", "cuda"))
    return _difference(want, got, rtol, atol)


def _difference(want, got, rtol, atol):
    if isinstance(want, Exception) or isinstance(got, Exception):
        both = isinstance(want, Exception) and isinstance(got, Exception)
        if both and _kind(want) is _kind(got):
            return ""
        return f"CPU {_short(want)}, CUDA {_short(got)}"
    if isinstance(want, (tuple, list)):
        if len(want) != len(got):
            return f"CPU {len(want)} results, CUDA {len(got)}"
        parts = (_difference(w, g, rtol, atol) for w, g in zip(want, got, strict=True))
        return "; ".join(filter(None, parts))
    if not isinstance(want, xp.Tensor):
        return "" if type(want) is type(got) and want == got else f"CPU {want}, CUDA {got}"
    if got.device.type != "cuda":
        return f"the result is on {got.device}"
    if (want.dtype, want.shape) != (got.dtype, got.shape):
        return f"CPU {_short(want)}, CUDA {_short(got)}"
    a, b = want.numpy(), got.numpy()
    scale = 1e7 if a.dtype.name in ("float32", "complex64") else 1
    try:
        np.testing.assert_allclose(b, a, rtol=rtol * scale, atol=atol * scale)
    except AssertionError:
        return f"CPU {a.ravel()[:6]}, CUDA {b.ravel()[:6]}"
    return ""


def _short(outcome):
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {str(outcome)[:70]}"
    if isinstance(outcome, xp.Tensor):
        return f"{outcome.dtype} of {outcome.shape}"
    return str(outcome)


class Differences:
    """Collects what differs, so that a test shows all of it."""

    def __init__(self):
        self.found = []

    def add(self, case, function, *arrays, **tolerances):
        """Compare `function` of `arrays` on both devices."""
        words = difference(function, *arrays, **tolerances)
        if words:
            self.found.append(f"{case}: {words}")

    def check(self):
        """Fail if anything differed."""
        assert not self.found, "\n".join(["", *self.found])
