"""The CUDA backend: its table and its errors anywhere, its results where there is a GPU."""

import inspect
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import _device, _memory, autodiff, fft, linalg, nn, optim, special
from arraygrad._backends import numpy as host
from arraygrad._standard import MUTATING

try:
    from arraygrad._backends import cupy as backend
    from arraygrad._backends.cupy.table import CORRECTIONS, make_table
except ImportError:
    backend = None

N_GPUS = backend.count() if backend else 0

needs_cupy = pytest.mark.skipif(backend is None, reason="CuPy is not installed")


def cuda(test):
    """Mark a test that runs on a GPU."""
    return pytest.mark.cuda(pytest.mark.skipif(not N_GPUS, reason="no CUDA device")(test))


PROTOCOL = (
    "getitem T copy from_host to_host from_peer from_scalar from_dlpack dlpack item".split()
    + sorted(MUTATING)
)


def public():
    """Every operation on tensors: name in the table -> the public function."""
    about_dtypes = {"can_cast", "finfo", "iinfo", "isdtype", "result_type", "broadcast_shapes"}
    modules = {"": xp, "linalg.": linalg, "fft.": fft}
    return {
        prefix + name: getattr(module, name)
        for prefix, module in modules.items()
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
        if prefix + name in host.operations(0) and name not in about_dtypes
    }


# ---- errors, on any machine


WITHOUT_CUPY = """
import sys
sys.modules["cupy"] = None
import arraygrad as xp
for name in ("cuda", "cuda:0", "cuda:3"):
    for make in (xp.Device, xp.default_device, lambda d: xp.zeros(1, device=d)):
        try:
            make(name)
        except ValueError as error:
            assert "arraygrad[cuda13x]" in str(error), error
            assert "arraygrad[cuda12x]" in str(error), error
        else:
            raise AssertionError(name)
assert xp.__array_namespace_info__().devices() == ("cpu",)
assert xp.zeros(1).device == "cpu"
"""


def test_without_cupy_the_error_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", WITHOUT_CUPY], capture_output=True, text=True)
    assert not done.returncode, done.stderr


@pytest.mark.skipif(N_GPUS > 0, reason="there is a CUDA device")
def test_without_a_gpu_the_error_says_what_is_missing():
    missing = "finds no GPU" if backend else r"pip install .arraygrad\[cuda13x\]"
    with pytest.raises(ValueError, match=missing):
        xp.Device("cuda")
    assert not [d for d in _device.devices() if d.type == "cuda"]


@cuda
def test_an_index_too_large_says_how_many_there_are():
    with pytest.raises(ValueError, match=rf"no cuda:{N_GPUS}; this machine has {N_GPUS}"):
        xp.Device(f"cuda:{N_GPUS}")


# ---- the table, wherever CuPy is installed


@needs_cupy
def test_every_operation_is_in_the_table():
    functions = make_table()
    assert not [name for name in (*public(), *PROTOCOL) if name not in functions]
    assert all(callable(function) for function in functions.values())


@needs_cupy
@pytest.mark.parametrize("name", sorted(public()))
def test_signatures_take_the_parameters_of_the_standard(name):
    function = make_table()[name]
    parameters = inspect.signature(public()[name]).parameters.values()
    parameters = [p for p in parameters if p.name != "device"]
    if not inspect.isfunction(getattr(function, "func", function)):
        if hasattr(function, "nin") and hasattr(function, "types"):  # a ufunc
            assert function.nin == len(parameters)
            return
        # A reduction has no signature to ask for; it takes these.
        assert {p.name for p in parameters} <= {"x", "axis", "keepdims", "x1", "x2"}
        return
    by_position = [1 for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = {p.name: 1 for p in parameters if p.kind is p.KEYWORD_ONLY}
    inspect.signature(function).bind(*by_position, **keywords)


@needs_cupy
def test_corrections_say_why():
    names = [(module, name) for module in CORRECTIONS for name in module.__all__]
    assert len(names) > 60
    assert not [name for module, name in names if not getattr(module, name).__doc__]


# ---- results, against the CPU's

SPECIAL = [0.0, 1.0, 0.5, math.inf, 1e300, 1e-300, 3.0]
SPECIAL = [s * v for v in SPECIAL for s in (1, -1)] + [math.nan]
PAIRS = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
GRID = np.array([complex(a, b) for a, b in itertools.product(SPECIAL, SPECIAL)])

UNARY = (
    "abs acos acosh asin asinh atan atanh ceil conj cos cosh exp expm1 floor imag isfinite isinf "
    "isnan log log10 log1p log2 negative positive real reciprocal round sign signbit sin sinh sqrt "
    "square tan tanh trunc"
).split()
BINARY = (
    "add atan2 copysign divide equal floor_divide greater greater_equal hypot less less_equal "
    "logaddexp maximum minimum multiply nextafter not_equal pow remainder subtract"
).split()
INPLACE = {
    "add": "__iadd__",
    "subtract": "__isub__",
    "multiply": "__imul__",
    "divide": "__itruediv__",
    "floor_divide": "__ifloordiv__",
    "remainder": "__imod__",
    "pow": "__ipow__",
}


def same(got, want, rtol=1e-12, zeros=True, atol=0.0):
    """Assert that a tensor on the GPU is the one on the CPU, NaN and signs of zeros included."""
    if isinstance(want, tuple):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            same(g, w, rtol, zeros, atol)
        return
    assert got.device == "cuda:0"
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    got, want = got.numpy(), want.numpy()
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)
    if zeros and want.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))


def both(function, *arrays, **options):
    """Assert that `function` gives the same on both devices."""
    on = [[xp.asarray(a, device=d) for a in arrays] for d in ("cuda", "cpu")]
    with np.errstate(all="ignore"):
        got, want = (function(*tensors) for tensors in on)
    same(got, want, **options)


@cuda
@pytest.mark.parametrize("name", UNARY)
def test_unary_functions_of_special_values(name):
    both(getattr(xp, name), np.array(SPECIAL))
    narrow = [v for v in SPECIAL if not 0 < abs(v) < 1e-30 and not 1e30 < abs(v) < math.inf]
    both(getattr(xp, name), np.array(narrow, dtype=np.float32), rtol=2e-6)


@cuda
@pytest.mark.parametrize("name", [n for n in UNARY if n not in "ceil floor trunc signbit".split()])
def test_unary_functions_of_complex_numbers(name):
    """Where the result is finite; the standard's tables say the rest, the official suite tests."""
    on_cpu, on_gpu = xp.asarray(GRID), xp.asarray(GRID, device="cuda")
    with np.errstate(all="ignore"):
        want, got = (getattr(xp, name)(z).numpy() for z in (on_cpu, on_gpu))
    assert got.dtype == want.dtype
    finite = np.isfinite(want) & np.isfinite(GRID)
    np.testing.assert_allclose(got[finite], want[finite], rtol=1e-12, atol=1e-300)


#: Functions of which neither the standard nor NumPy says which of two zeros they give.
EITHER_ZERO = ("maximum", "minimum")


@cuda
@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_of_special_values(name):
    both(getattr(xp, name), *PAIRS, zeros=name not in EITHER_ZERO)


@cuda
@pytest.mark.parametrize("name", INPLACE)
def test_operators_in_place(name):
    def inplace(x1, x2):
        out = xp.asarray(x1, copy=True)
        assert getattr(out, INPLACE[name])(x2) is out
        return out

    both(inplace, *PAIRS)


@cuda
@pytest.mark.parametrize("scalar", SPECIAL)
def test_python_scalars(scalar):
    """They count as arrays of their value, which is what the CPU is given here."""
    x, value = np.array(SPECIAL), np.full(len(SPECIAL), scalar)
    on_gpu, a, b = xp.asarray(x, device="cuda"), xp.asarray(x), xp.asarray(value)
    with np.errstate(all="ignore"):
        for name in BINARY:
            function, zeros = getattr(xp, name), name not in EITHER_ZERO
            same(function(on_gpu, scalar), function(a, b), zeros=zeros)
            same(function(scalar, on_gpu), function(b, a), zeros=zeros)


@cuda
@pytest.mark.parametrize("dtype", "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split())
def test_integers(dtype):
    limits = np.iinfo(dtype)
    values = [0, 1, 2, 3, 7, limits.max, limits.max - 1]
    values += [] if limits.min == 0 else [-1, -2, -7, limits.min + 1]
    a, b = np.array(list(itertools.product(values, values)), dtype=dtype).T
    for name in ("add", "subtract", "multiply", "floor_divide", "remainder", "less", "maximum"):
        nonzero = b != 0
        both(getattr(xp, name), a[nonzero], b[nonzero])
    both(xp.sign, a)
    both(lambda x: xp.clip(x, 1, 5), a)
    both(lambda x: xp.clip(x, -(10**30), 10**30), a)
    both(lambda x, y: xp.clip(x, y, None), a, np.array(-5, dtype=np.int16))
    both(lambda x, y: xp.clip(x, None, y), a, np.array(2**40, dtype=np.uint64))


@cuda
def test_complex_division():
    small = GRID[np.isfinite(GRID)]
    x1, x2 = np.array(list(itertools.product(small, small))).T
    nonzero = x2 != 0
    both(xp.divide, x1[nonzero], x2[nonzero], rtol=1e-14)
    one, zero = xp.ones(1, dtype=xp.complex128, device="cuda"), xp.zeros(1, device="cuda")
    assert math.isinf(xp.real(one / zero).item())


@cuda
def test_log1p_keeps_small_real_parts():
    z = np.array([1e-20 + 1e-12j, -1e-10 + 1e-5j, -2 + 1e-8j, -0.5 + 0.5j, 1e-300j])
    both(xp.log1p, z, rtol=1e-15)


@cuda
@pytest.mark.parametrize("name", ["expi", "exprel"])
def test_special_functions_of_infinity_and_nan(name):
    x = [math.inf, -math.inf, math.nan, 0.0, 1.0, -2.0, 50.0]
    for dtype, rtol in (("float64", 1e-13), ("float32", 1e-5)):
        both(getattr(xp.special, name), np.array(x, dtype=dtype), rtol=rtol)


@cuda
@pytest.mark.parametrize("name", ["i0e", "i1e", "k0e", "k1e"])
def test_scaled_bessel_functions_do_not_overflow(name):
    far = [0.5, 3.0, 29.9, 30.0, 30.1, 88.0, 100.0, 720.0, 1e5, 1e300, math.inf, math.nan]
    for dtype, rtol in (("float64", 1e-13), ("float32", 1e-5)):
        with np.errstate(over="ignore"):
            x = np.array([*far, *(-v for v in far)], dtype=dtype)
        both(getattr(xp.special, name), x, rtol=rtol)


@cuda
def test_negative_zero_is_written():
    def write(x):
        x[1:3] = -0.0
        x[0] = -0.0
        x[xp.asarray([4, 5], device=x.device)] = -0.0
        return x

    both(write, np.ones(7))
    both(lambda x: xp.full_like(x, -0.0), np.ones(3))
    both(lambda x: xp.where(x > 1, x, -0.0), np.ones(3))
    assert math.copysign(1, xp.full((), -0.0, device="cuda").item()) < 0


@cuda
@pytest.mark.parametrize("shape", [(), (1,), (2, 1)])
def test_negative_zero_comes_from_the_host(shape):
    for dtype in (xp.float32, xp.float64, xp.complex64, xp.complex128):
        here = xp.full(shape, -0.0, dtype=dtype)
        x = xp.asarray(here.tolist(), dtype=dtype, device="cuda")
        for there in (x, here.to_device("cuda"), xp.asarray(here.numpy(), device="cuda")):
            assert xp.all(xp.signbit(xp.real(there)))
            assert (there.shape, there.dtype) == (shape, dtype)


@cuda
def test_a_value_where_a_mask_selects():
    def write(x, mask, value):
        x[mask] = value
        return x

    for dtype in ("bool", "int8", "float32", "complex64"):
        x = np.arange(12).reshape(3, 4).astype(dtype)
        for mask in (x.real > 5, x[:, 0].real > 3, np.array(True), np.array(False)):
            for value in (0, 1.5, True):
                both(lambda x, m, v=value: write(x, m, v), x, mask)
                both(lambda x, m, v=value: write(x.T, m.T, v), x[:, :3], x[:, :3].real > 5)
            both(write, x, mask, np.array(7.5))
    square = np.arange(10_000).reshape(100, 100) % 7 > 2
    x = xp.asarray(square, device="cuda")
    assert (write(x, x.T, False).numpy() == square & ~square.T).all()
    both(lambda x: write(x, x > 3, x[0]), np.arange(5.0))
    with pytest.raises(IndexError):
        write(xp.ones((2, 3), device="cuda"), xp.ones((3, 2), dtype=xp.bool, device="cuda"), 0.0)


@cuda
def test_overlapping_parts():
    def shift(x):
        x[1:] = x[:-1]
        return x

    def swap(x):
        x[::-1] = x
        return x

    both(shift, np.arange(100_000.0))
    both(swap, np.arange(100_001.0))


@cuda
@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("size", [1, 7, 100_003])
def test_extremes(name, size):
    rng = np.random.default_rng(size)
    reduce = getattr(xp, name)
    for fill in (math.inf, -math.inf, math.nan, 0.0):
        both(reduce, np.full(size, fill))
        both(reduce, np.full((3, size), fill, dtype=np.float32))
    x = rng.standard_normal((4, size))
    x[1, size // 2 :] = math.nan
    x[2, size // 3] = math.inf
    for axis in (None, 0, 1, -1):
        for keepdims in (False, True):
            both(lambda a, k=(axis, keepdims): reduce(a, axis=k[0], keepdims=k[1]), x)
            both(lambda a, k=(axis, keepdims): reduce(a.T, axis=k[0], keepdims=k[1]), x)
    both(reduce, rng.integers(-9, 9, (5, size)))
    with pytest.raises(ValueError, match=name):
        reduce(xp.zeros((0,), device="cuda"))


@cuda
def test_reductions_give_tensors_of_the_standards_dtypes():
    for name in "sum prod mean std var all any".split():
        for x in (np.ones((3, 4)), np.ones((3, 4), dtype=np.float32)):
            for axis in (None, 0, (0, 1), -1):
                both(lambda a, k=(name, axis): getattr(xp, k[0])(a, axis=k[1]), x, rtol=1e-6)
    for dtype in ("int8", "uint8", "bool", "uint32"):
        both(xp.sum, np.ones(300, dtype=dtype))
        both(xp.count_nonzero, np.ones((2, 3), dtype=dtype))
    both(lambda a: xp.std(a, axis=0, correction=0.5), np.arange(12.0).reshape(3, 4))
    both(lambda a: xp.count_nonzero(a, axis=1, keepdims=True), np.eye(3))


@cuda
def test_cumulative_and_diff():
    x = np.arange(1.0, 13.0).reshape(3, 4)
    for name in ("cumulative_sum", "cumulative_prod"):
        for axis in (0, 1, -1):
            for initial in (False, True):
                both(
                    lambda a, k=(name, axis, initial): getattr(xp, k[0])(
                        a, axis=k[1], include_initial=k[2]
                    ),
                    x,
                )
        both(getattr(xp, name), np.arange(1, 5, dtype=np.int8))
    both(xp.diff, x)
    both(lambda a, b: xp.diff(a, axis=0, n=2, prepend=b, append=b), x, x[:1])


@cuda
def test_creation():
    def on(device):
        return (
            xp.arange(5, 0, -1, dtype=xp.uint8, device=device),
            xp.arange(0, 3, 0.5, dtype=xp.int64, device=device),
            xp.arange(2**63, 2**63 + 3, dtype=xp.uint64, device=device),
            xp.arange(-5, 5, 2, dtype=xp.complex64, device=device),
            xp.arange(0.1, 2, 0.3, device=device),
            xp.arange(3, 0, device=device),
            xp.linspace(0, 1, 7, device=device),
            xp.linspace(0, 1, 7, endpoint=False, dtype=xp.float32, device=device),
            xp.linspace(0, 1 + 2j, 5, device=device),
            xp.linspace(-3, 9, 5, dtype=xp.int32, device=device),
            xp.linspace(2, 3, 1, device=device),
            xp.linspace(2, 3, 0, device=device),
            xp.linspace(0, 5e-324, 3, device=device),
            xp.eye(3, 4, k=1, device=device),
            xp.full((2, 2), 1j, device=device),
        )

    same(on("cuda"), on("cpu"), rtol=1e-6)


@cuda
def test_sets_and_searching():
    x = np.array([3.0, math.nan, 1.0, math.nan, 3.0, -0.0, 0.0]).reshape(7, 1)
    for name in ("unique_counts", "unique_inverse", "unique_values"):
        both(getattr(xp, name), x, zeros=False)
    ints = np.array([[3, 1], [2, 3]])
    both(xp.unique_all, ints)
    both(xp.isin, ints, np.array([3, 5]))
    both(lambda a: xp.isin(a, 3, invert=True), ints)
    mixed = np.array([-1, 1, 2], dtype=np.int32), np.array([1, 2**32 - 1], dtype=np.uint32)
    both(xp.isin, *mixed)
    both(xp.searchsorted, *mixed)
    ordered = np.array([1.0, 2.0, 2.0, 4.0])
    for side in ("left", "right"):
        both(lambda a, b, s=side: xp.searchsorted(a, b, side=s), ordered, ordered)
        both(lambda a, s=side: xp.searchsorted(a, 2.0, side=s), ordered)
    both(lambda a, i: xp.searchsorted(a, a, sorter=i), np.array([3, 1, 2]), np.array([1, 2, 0]))
    both(xp.nonzero, ints > 1)
    for descending in (False, True):
        both(lambda a, d=descending: xp.argsort(a, axis=0, descending=d), x)
        both(lambda a, d=descending: xp.sort(a, axis=0, descending=d), x, zeros=False)


@cuda
def test_manipulation():
    x = np.arange(24.0).reshape(2, 3, 4)
    both(lambda a: xp.permute_dims(a, (-1, 0, 1)), x)
    both(lambda a: xp.expand_dims(a, axis=(0, -1)), x)
    both(lambda a: xp.reshape(a, (4, -1), copy=True), x)
    both(lambda a: xp.unstack(a, axis=1), x)
    both(lambda a: xp.repeat(a, 2, axis=1), x)
    both(lambda a, n: xp.repeat(a, n, axis=-1), x, np.array([0, 2, 1, 3]))
    both(lambda a, n: xp.repeat(a, n), x, np.array([2]))
    both(lambda a: tuple(xp.meshgrid(a, a[:2], indexing="ij")), np.arange(3.0))
    both(lambda a: tuple(xp.broadcast_arrays(a, a[:1])), x)
    both(lambda a, i: xp.take(a, i, axis=1), x, np.array([2, 0, -1]))
    both(lambda a, i: xp.take_along_axis(a, i, axis=-1), x, np.zeros((2, 3, 1), dtype=np.int64))
    both(lambda a: xp.roll(a, (1, -1), axis=(0, 2)), x)
    both(lambda a: xp.tril(a, k=-1), x)
    both(lambda a: a[1, :, 1], x)
    both(lambda a: a[a > 5], x)
    both(lambda a, i: a[i, 0, 1], x, np.array([1, 0]))
    with pytest.raises(ValueError, match="repeat"):
        xp.repeat(xp.ones(2, device="cuda"), xp.asarray([1, -1], device="cuda"))


@cuda
def test_clip_keeps_the_dtype():
    x = np.array([*SPECIAL])
    for low, high in ((-1, 1), (None, 0.5), (-0.5, None), (None, None), (2, 1), (math.nan, 1)):
        both(lambda a, k=(low, high): xp.clip(a, *k), x, zeros=False)
    both(xp.clip, x, x[::-1], np.ones(1), zeros=False)
    narrow = x[(np.abs(x) < 1e30) | np.isinf(x)].astype(np.float32)
    both(lambda a: xp.clip(a, -1, 1), narrow, zeros=False)


@cuda
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_linear_algebra(dtype):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, 4, 4))
    a = (a + 1j * rng.standard_normal((3, 4, 4)) if "complex" in dtype else a).astype(dtype)
    h = a @ a.conj().swapaxes(-1, -2) + 4 * np.eye(4, dtype=dtype)
    wide = a[:, :3]
    rtol = 1e-3 if dtype in ("float32", "complex64") else 1e-9
    for x in (h, h[0]):
        for name in ("cholesky", "det", "slogdet", "inv", "eigvalsh", "trace", "matrix_rank"):
            both(getattr(linalg, name), x, rtol=rtol)
        both(lambda m: linalg.cholesky(m, upper=True), x, rtol=rtol)
        for n in (0, 1, 3, -2):
            both(lambda m, n=n: linalg.matrix_power(m, n), x, rtol=rtol)
        both(linalg.solve, x, x + 1, rtol=rtol)
        both(lambda m: linalg.solve(m[..., :0, :0], m[..., :0, :2]), x)
        for order in (1, -1, 2, -2, math.inf, -math.inf, "fro", "nuc"):
            both(lambda m, o=order: linalg.matrix_norm(m, ord=o, keepdims=True), x, rtol=rtol)
        for order in (0, 1, 2, 3, -1, 0.5, math.inf, -math.inf):
            for axis in (None, 0, (0, -1)):
                both(
                    lambda m, k=(order, axis): linalg.vector_norm(m, ord=k[0], axis=k[1]),
                    x,
                    rtol=rtol,
                )
    # Of zeros off the diagonal either device computes what rounding leaves.
    both(linalg.solve, h[0], h, rtol=rtol, atol=rtol, zeros=False)
    both(linalg.solve, h, h[0], rtol=rtol, atol=rtol, zeros=False)
    both(linalg.solve, h, h[0, 0], rtol=rtol, atol=rtol, zeros=False)
    both(linalg.svdvals, wide, rtol=rtol)
    for x in (wide, wide[0]):
        both(linalg.pinv, x, rtol=10 * rtol)
        both(lambda m: linalg.pinv(m, rtol=xp.asarray(0.9, device=m.device)), x, rtol=10 * rtol)
        for full in (False, True):
            u, s, vh = linalg.svd(xp.asarray(x, device="cuda"), full_matrices=full)
            back = u[..., :3] * xp.astype(s, u.dtype)[..., None, :] @ vh[..., :3, :]
            np.testing.assert_allclose(back.numpy(), x, rtol=0, atol=rtol)
        for mode in ("reduced", "complete"):
            q, r = linalg.qr(xp.asarray(x, device="cuda"), mode=mode)
            np.testing.assert_allclose((q @ r).numpy(), x, rtol=0, atol=rtol)
    for x in (a, a[0]):
        w, v = linalg.eig(xp.asarray(x, device="cuda"))
        assert w.dtype.kind == "c"
        left = xp.asarray(x, device="cuda", dtype=v.dtype) @ v
        np.testing.assert_allclose(left.numpy(), (v * w[..., None, :]).numpy(), atol=10 * rtol)
    values, vectors = linalg.eigh(xp.asarray(h, device="cuda"))
    back = vectors * xp.astype(values, vectors.dtype)[..., None, :]
    back = back @ xp.conj(vectors).mT
    np.testing.assert_allclose(back.numpy(), h, rtol=rtol, atol=10 * rtol)
    assert linalg.eigvals(xp.zeros((0, 2, 2), device="cuda")).dtype == xp.complex128


@cuda
def test_products():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 5, 3)), rng.standard_normal((5, 3))
    both(xp.vecdot, a + 1j, b - 1j, rtol=1e-9)
    both(lambda x, y: xp.vecdot(x, y, axis=-2), a, b, rtol=1e-9)
    both(linalg.cross, a, b, rtol=1e-9)
    both(linalg.outer, a[0, 0], b[:, 0], rtol=1e-9)
    both(lambda x, y: xp.tensordot(x, y, axes=([1, -1], [0, 1])), a, b, rtol=1e-9)
    both(lambda x, y: xp.tensordot(x, y, axes=0), a, b, rtol=1e-9)
    both(xp.matmul, a, b.T, rtol=1e-9)

    def inplace(x, y):
        view = x
        x @= y
        assert view is x
        return x

    both(inplace, a, rng.standard_normal((3, 3)), rtol=1e-9)
    with pytest.raises(ValueError, match="outer"):
        linalg.outer(xp.ones((2, 2), device="cuda"), xp.ones(2, device="cuda"))


@cuda
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_fourier_transforms(dtype):
    x = np.random.default_rng(2).standard_normal((3, 4, 6)).astype(dtype)
    rtol = 1e-4 if dtype in ("float32", "complex64") else 1e-9
    both(fft.fftshift, x)
    both(lambda a: fft.ifftshift(a, axes=(0, -1)), x)
    names = ["fft", "ifft", "irfft", "hfft"] if x.dtype.kind == "c" else ["rfft", "ihfft"]
    for name in names:
        for n, axis, norm in ((None, -1, "backward"), (5, 0, "ortho"), (2, 1, "forward")):
            both(
                lambda a, k=(name, n, axis, norm): getattr(fft, k[0])(
                    a, n=k[1], axis=k[2], norm=k[3]
                ),
                x,
                rtol=rtol,
                zeros=False,
            )
    for name in ["fftn", "ifftn", "irfftn"] if x.dtype.kind == "c" else ["rfftn"]:
        for s, axes in (
            (None, None),
            (None, (1, 0)),
            ((3, 4, 6), (1, 2, 0)),
            ((5, -1), (0, 2)),
            ((2,), (-2,)),
        ):
            both(
                lambda a, k=(name, s, axes): getattr(fft, k[0])(a, s=k[1], axes=k[2]),
                x,
                rtol=rtol,
                zeros=False,
            )


@cuda
def test_what_cupy_lacks_of_special_functions():
    z = xp.asarray([0.5 + 0.5j], device="cuda")
    for name in ("erf", "exp1", "ndtr"):
        with pytest.raises(TypeError, match=name):
            getattr(special, name)(z)
    with pytest.raises(TypeError, match="yn"):
        special.yn(1, z)
    t = xp.asarray([-math.inf, -1.0, 3.0, math.inf], dtype=xp.float32, device="cuda")
    assert special.stdtr(3.0, t).dtype == xp.float32


@cuda
def test_dlpack():
    x = xp.asarray([1.0, 2.0, 3.0], device="cuda")
    shared = xp.from_dlpack(x)
    shared[0] = 5.0
    assert x[0] == 5.0
    copied = xp.from_dlpack(x, copy=True)
    copied[0] = 7.0
    assert x[0] == 5.0
    here = xp.from_dlpack(x, device="cpu")
    assert here.device == "cpu"
    assert here.tolist() == [5.0, 2.0, 3.0]
    assert x.__dlpack_device__() == (2, 0)
    x.__dlpack__(copy=True)
    x.__dlpack__(dl_device=(1, 0), max_version=(1, 0))
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(1, 0), copy=False)
    with pytest.raises(BufferError):
        xp.from_dlpack(x, device="cpu", copy=False)


@cuda
def test_lent_memory_is_known_to_be_shared():
    import cupy

    lent = xp.from_dlpack(cupy.arange(5.0))
    memory = cupy.cuda.UnownedMemory(lent._data.data.ptr, 40, lent)
    pointer = cupy.cuda.MemoryPointer(memory, 0)
    unowned = xp.from_dlpack(cupy.ndarray((5,), "float64", pointer))
    storage = _memory.storage_of(lent)
    assert storage.external
    for x in (lent[1:], unowned):
        assert _memory.storage_of(x) is storage
    for x in (xp.ones(2, device="cuda"), xp.from_dlpack(lent, copy=True)):
        assert not _memory.storage_of(x).external


@cuda
def test_streams():
    import cupy

    stream = cupy.cuda.Stream(non_blocking=True)
    x = xp.arange(1_000_000, device="cpu")
    for s in (stream, stream.ptr, 1, 2):
        y = x.to_device("cuda", stream=s)
        cupy.cuda.Device().synchronize()
        back = y.to_device("cpu", stream=s)
        assert bool(xp.all(back == x))
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cuda", stream=0)


@cuda
def test_a_step_of_training_can_be_captured_as_a_graph():
    """Which fails if anything waits for the GPU or copies to it. (CuPy captures no cuBLAS.)"""
    import cupy

    rng = np.random.default_rng(3)
    x = xp.asarray(rng.standard_normal((4, 5)), device="cuda")
    classes = xp.asarray(rng.integers(0, 5, 4), device="cuda")
    weights = [autodiff.variable(xp.ones(5, device="cuda")) for _ in range(10)]
    optimizers = [kind(weights, lr=0.01) for kind in (optim.SGD, optim.Adam, optim.RMSprop)]

    def step():
        y = x
        for w in weights:
            y = nn.gelu(nn.layer_norm(y * w, (5,)))
            y = nn.dropout(y, 0.1, rng=generator) + xp.max(y, axis=0)
        nn.cross_entropy(y[:, ::-1], classes).backward()
        optim.clip_grad_norm_(weights, 1.0)
        for w in weights:
            w.grad[w.grad < -10] = 0.0
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)

    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.Device().synchronize()
    with stream:
        generator = xp.random.default_rng(0, device="cuda")
        for _ in range(3):  # compiles kernels
            step()
        stream.begin_capture()
        step()
        graph = stream.end_capture()
        stream.synchronize()
        before = [w.detach().numpy() for w in weights]
        graph.launch(stream)
        stream.synchronize()
        after = [w.detach().numpy() for w in weights]
    for a, b in zip(after, before, strict=True):
        assert np.isfinite(a).all()
        assert (a != b).any()


@cuda
@pytest.mark.parametrize("name", ["concat", "stack"])
def test_many_arrays_are_joined_in_a_graph_as_outside(name):
    import cupy

    arrays = [xp.asarray(np.arange(4.0).reshape(2, 2) + i, device="cuda") for i in range(70)]
    arrays[-1] = xp.astype(arrays[-1], xp.complex64)
    join = getattr(xp, name)
    axes = (0, 1, -1) + ((None,) if name == "concat" else (2,))
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.Device().synchronize()
    for axis in axes:
        want = join(arrays, axis=axis)
        cupy.cuda.Device().synchronize()
        with stream:
            join(arrays, axis=axis)
            stream.begin_capture()
            try:
                got = join(arrays, axis=axis)
            finally:
                graph = stream.end_capture()
            graph.launch(stream)
            stream.synchronize()
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got.numpy(), want.numpy())
