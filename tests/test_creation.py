"""Creation functions, on every device."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import arraygrad as ag

DTYPES = list(ag.__array_namespace_info__().dtypes())


@pytest.mark.parametrize("dtype", [None, *DTYPES])
@pytest.mark.parametrize("shape", [0, 3, (), (2, 0), (2, 3)])
def test_filled(xp, same, shape, dtype):
    kwargs = {"dtype": dtype and getattr(xp, dtype)}
    for name in ("zeros", "ones"):
        same(getattr(xp, name)(shape, **kwargs), getattr(np, name)(shape, **kwargs))
    made = xp.empty(shape, **kwargs)
    assert made.shape == np.empty(shape).shape
    assert made.dtype == (dtype or "float64")
    same(xp.full(shape, 1, **kwargs), np.full(shape, 1, dtype=dtype or "int64"))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(True, "bool"), (2, "int64"), (2.0, "float64"), (2j, "complex128"), (-0.0, "float64")],
)
def test_full_infers(xp, value, dtype):
    x = xp.full((2,), value)
    assert x.dtype == dtype
    assert x.tolist() == [value, value]
    if value == 0:
        assert xp.signbit(x).tolist() == [True, True]
    assert xp.full_like(xp.ones(2, dtype=xp.complex64), 1).dtype == xp.complex64


@pytest.mark.parametrize("dtype", DTYPES)
def test_like(xp, dtype):
    x = xp.ones((2, 3), dtype=getattr(xp, dtype))
    for make in (
        xp.zeros_like,
        xp.ones_like,
        xp.empty_like,
        lambda x, **k: xp.full_like(x, 1, **k),
    ):
        for source in (x, x[0], x[0, 0], x[:0], x.T):
            made = make(source)
            assert (made.shape, made.dtype, made.device) == (source.shape, dtype, x.device)
        other = make(x, dtype=xp.float32, device="cpu")
        assert (other.shape, other.dtype, other.device) == ((2, 3), xp.float32, "cpu")
    assert xp.full_like(x, True).tolist() == xp.ones_like(x).tolist()
    assert not xp.any(xp.zeros_like(x))


def test_arange(device, same):
    finite = st.integers(-30, 30)

    @given(finite, finite, finite.filter(bool), st.booleans())
    def run(start, stop, step, real):
        scale = 0.5 if real else 1
        start, stop, step = start * scale, stop * scale, step * scale
        found = ag.arange(start, stop, step, device=device)
        same(found, np.arange(start, stop, step))
        same(ag.arange(stop, device=device), np.arange(stop))

    run()


@pytest.mark.parametrize("dtype", ["int8", "uint32", "float32", "float64"])
def test_arange_dtype(xp, same, dtype):
    same(xp.arange(1, 6, 2, dtype=getattr(xp, dtype)), np.arange(1, 6, 2, dtype=dtype))


@pytest.mark.parametrize("num", [0, 1, 2, 7])
@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("ends", [(0, 1), (-1.5, 2.5), (3, 3), (1j, 1 + 2j)])
def test_linspace(xp, same, num, endpoint, ends):
    same(
        xp.linspace(*ends, num, endpoint=endpoint),
        np.linspace(*ends, num, endpoint=endpoint),
        rtol=1e-15,
    )
    kind = xp.complex64 if isinstance(ends[0], complex) else xp.float32
    assert xp.linspace(*ends, num, dtype=kind).dtype == kind


@pytest.mark.parametrize("base", [10.0, 2, np.float64(0.5)])
def test_logspace(xp, same, base):
    for num, endpoint in ((0, True), (1, True), (5, False)):
        expected = np.logspace(-1, 2.5, num, base=base, endpoint=endpoint)
        same(xp.logspace(-1, 2.5, num, base=base, endpoint=endpoint), expected, rtol=1e-14)
    assert xp.logspace(0, 2, 3, base=base, dtype=xp.float32).dtype == xp.float32
    assert xp.logspace(0, 1j, 3, base=base).dtype == xp.complex128
    for wrong in ({"stop": "1"}, {"base": [2]}, {"num": 2.5}):
        with pytest.raises(TypeError):
            xp.logspace(0, wrong.pop("stop", 1), **{"num": 3, **wrong})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_diag(xp, same, dtype, n):
    a = np.ones(n, dtype=dtype)
    same(xp.diag(xp.asarray(a)), np.diag(a))
    matrix = np.ones((n, 4), dtype=dtype)
    same(xp.diag(xp.asarray(matrix)), np.diag(matrix))


def test_diag_of_others(xp, same):
    same(xp.diag(xp.asarray([np.nan, np.inf])), [[np.nan, 0], [0, np.inf]])
    for ndim in (0, 3):
        with pytest.raises(ValueError, match="diag: expected one or two axes"):
            xp.diag(xp.ones((1,) * ndim))
    with pytest.raises(TypeError, match="diag"):
        xp.diag([1, 2])


@pytest.mark.parametrize("sizes", [(3,), (2, 4), (4, 2), (0,), (0, 3)])
@pytest.mark.parametrize("k", [-5, -1, 0, 2, 9])
def test_eye_and_triangles(xp, same, sizes, k):
    same(xp.eye(*sizes, k=k), np.eye(*sizes, k=k))
    a = np.arange(24.0).reshape(2, 3, 4)
    same(xp.tril(xp.asarray(a), k=k), np.tril(a, k=k))
    same(xp.triu(xp.asarray(a), k=k), np.triu(a, k=k))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 2), (2, 0, 3)])
def test_triangles_of_dtypes(xp, same, shape, dtype):
    a = np.ones(shape, dtype=dtype)
    for k in (-1, 0, 1):
        same(xp.tril(xp.asarray(a), k=k), np.tril(a, k=k))
        same(xp.triu(xp.asarray(a), k=k), np.triu(a, k=k))
    same(xp.eye(*shape[:2], dtype=getattr(xp, dtype)), np.eye(*shape[:2], dtype=dtype))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sizes", [(3,), (0, 2), (2, 1, 3)])
def test_meshgrid_of_sizes(xp, same, sizes, indexing):
    arrays = [np.arange(n, dtype="int16") for n in sizes]
    found = xp.meshgrid(*map(xp.asarray, arrays), indexing=indexing)
    expected = np.meshgrid(*arrays, indexing=indexing)
    assert len(found) == len(sizes)
    for f, e in zip(found, expected, strict=True):
        same(f, e)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid(xp, same, indexing):
    arrays = [np.arange(3.0), np.arange(2.0), np.arange(4.0)]
    found = xp.meshgrid(*map(xp.asarray, arrays), indexing=indexing)
    assert type(found) is tuple
    for f, e in zip(found, np.meshgrid(*arrays, indexing=indexing), strict=True):
        same(f, e)
    assert xp.meshgrid() == ()


@pytest.mark.parametrize(
    "obj",
    [True, 3, 2.5, 1j, [1, 2], [1, 2.5], [[True], [False]], [[]], [1, 2j], (1, (2,))[:1], range(3)],
)
def test_asarray_of_python_objects(xp, same, obj):
    same(xp.asarray(obj), np.asarray(obj))


def test_asarray_of_tensors(xp, device):
    x = xp.asarray([1.0, 2.0])
    assert xp.asarray(x) is x
    assert xp.asarray(x, copy=False) is x
    copied = xp.asarray(x, copy=True)
    copied[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    assert xp.asarray(x, dtype=xp.float32).dtype == xp.float32
    nested = xp.asarray([[x[0], 2.0], [3, x[1]]])
    assert nested.tolist() == [[1.0, 2.0], [3.0, 2.0]]
    assert nested.device == xp.Device(device)
    assert xp.asarray([x, x], dtype=xp.int8).dtype == xp.int8
    assert xp.asarray([xp.asarray(1), xp.asarray(2.5)]).tolist() == [1.0, 2.5]
    assert xp.asarray([x, x], copy=True).shape == (2, 2)
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray([x, x], copy=False)
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray(x, dtype=xp.float32, copy=False)


@st.composite
def host_arrays(draw):
    """NumPy arrays of every dtype, 0-d and empty ones, some strided, reversed or transposed."""
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    a = draw(hnp.arrays(st.sampled_from(DTYPES), shapes))
    layout = draw(st.sampled_from(["plain", "transposed", "reversed", "strided", "swapped"]))
    if layout == "transposed":
        return a.T
    if layout in ("reversed", "strided") and a.ndim:
        return a[:: -1 if layout == "reversed" else 2]
    return a.astype(a.dtype.newbyteorder()) if layout == "swapped" else a


def test_asarray_of_numpy_arrays(xp, device, same):
    @given(host_arrays())
    def run(a):
        native = a.astype(a.dtype.newbyteorder("="))
        x = xp.asarray(a)
        assert x.device == xp.Device(device)
        same(x, native)
        copied = xp.asarray(a, copy=True)
        copied[...] = 0
        same(x, native)
        assert np.array_equal(a, native, equal_nan=a.dtype.kind in "fc")
        if a.size:  # (nested lists do not tell the sizes behind an empty axis)
            same(xp.asarray(a.tolist(), dtype=native.dtype), native)

    run()


def test_memory_of_numpy_arrays(xp, device):
    a = np.arange(3.0)
    x = xp.asarray(a)
    a[0] = 7.0
    if device == "cpu":
        assert x.tolist() == [7.0, 1.0, 2.0]
        assert xp.asarray(a, copy=False).numpy() is a
    else:
        assert x.tolist() == [0.0, 1.0, 2.0]
        with pytest.raises(ValueError, match="copy"):
            xp.asarray(a, copy=False)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(v, d) for v in (False, True, 0, 1, 1.0) for d in DTYPES]
    + [(1j, d) for d in DTYPES if d != "bool"],
)
def test_scalars_as_dtypes(xp, same, value, dtype):
    kind = np.dtype(dtype).kind
    for make in (
        lambda: xp.asarray(value, dtype=getattr(xp, dtype)),
        lambda: xp.asarray([value], dtype=getattr(xp, dtype))[0],
        lambda: xp.full((), value, dtype=getattr(xp, dtype)),
    ):
        if value == 1j and kind in "iuf":
            with pytest.raises(TypeError, match=r"imaginary|complex"):
                make()
        else:
            same(make(), np.asarray(value).astype(dtype))


@pytest.mark.parametrize(
    "scalar", [np.float32(1.5), np.int8(-3), np.bool_(True), np.complex64(1j), np.uint64(2**63)]
)
def test_numpy_scalars_keep_their_dtype(xp, same, scalar):
    same(xp.asarray(scalar), np.asarray(scalar))
    same(xp.asarray([scalar, scalar]), np.asarray([scalar, scalar]))
    same(xp.full(2, scalar), np.full(2, scalar))


def test_ends_of_the_integers(xp):
    assert xp.asarray([2**63]).dtype == xp.uint64
    assert xp.asarray([-(2**63), 2**63 - 1]).tolist() == [-(2**63), 2**63 - 1]
    assert xp.full(1, 2**64 - 1, dtype=xp.uint64).tolist() == [2**64 - 1]
    for make in (lambda: xp.asarray(2**64), lambda: xp.asarray(300, dtype=xp.int8)):
        with pytest.raises(OverflowError, match="asarray"):
            make()


def test_scalars_of_no_axes_as_numbers(xp, same):
    """Where a number is asked for, a tensor of no axes or a NumPy scalar is one."""
    for two in (xp.asarray(2), np.int64(2)):
        same(xp.arange(two), np.arange(2))
        same(xp.arange(0.0, two, 0.5), np.arange(0.0, 2, 0.5))
        same(xp.linspace(0, two, 3), np.linspace(0, 2, 3))
        same(xp.full(2, two), np.full(2, 2))
        same(xp.zeros((two, 1)), np.zeros((2, 1)))
        same(xp.eye(two), np.eye(2))


def test_default_dtypes(xp):
    assert xp.asarray(1).dtype == xp.int64
    assert xp.asarray(1.0).dtype == xp.float64
    assert xp.asarray(1j).dtype == xp.complex128
    assert xp.arange(3).dtype == xp.int64
    assert xp.linspace(0, 1, 3).dtype == xp.float64
    assert xp.eye(2).dtype == xp.float64
    info = xp.__array_namespace_info__()
    assert info.default_dtypes()["indexing"] == xp.argmax(xp.ones(3)).dtype
    assert set(info.dtypes(kind=("bool", "integral"))) == {
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    }  # fmt: skip


def test_arange_is_rounded_once():
    assert ag.arange(2**24, 2**24 + 8, dtype=ag.float32).tolist() == [
        2.0**24 + n for n in (0, 0, 2, 4, 4, 4, 6, 8)
    ]
    found = ag.arange(1e6, 1e6 + 1, 0.1, dtype=ag.float32)
    assert found.tolist() == np.float32(1e6 + np.arange(10) / 10).tolist()


def test_arange_up_to_the_ends_of_the_integers(xp):
    assert xp.arange(2**63 - 2, 2**63).tolist() == [2**63 - 2, 2**63 - 1]
    assert xp.arange(2**64 - 2, 2**64, dtype=xp.uint64).tolist() == [2**64 - 2, 2**64 - 1]
    assert xp.arange(3, -1, -1, dtype=xp.uint8).tolist() == [3, 2, 1, 0]
    assert xp.arange(-100, 100, 120, dtype=xp.int8).tolist() == [-100, 20]


def test_linspace_of_large_integers(xp):
    assert xp.linspace(0, 10**30, 3).tolist() == [0.0, 5e29, 1e30]


def test_asarray_of_integers_and_floats_beyond_64_bits(xp):
    assert xp.asarray([-1, 2**63, 0.5]).tolist() == [-1.0, 2.0**63, 0.5]
    assert xp.asarray([[2**64 - 1], [0]]).tolist() == [[2**64 - 1], [0]]
    with pytest.raises(OverflowError, match="asarray"):
        xp.asarray([[1, -1], [2**64 - 1, 0]])
    with pytest.raises(TypeError, match=r"asarray: .*object"):  # not that they were too large
        xp.asarray(np.asarray([1, 2], dtype=object))


# ---- linspace at the ends of the ranges


def test_linspace_does_not_overflow(xp, same):
    for low, high in ((-1e308, 1e308), (1.7e308, -1.7e308), (-1e308 - 1e308j, 1e308 + 1e308j)):
        for num in (3, 3000):
            found = xp.linspace(low, high, num).numpy()
            assert np.isfinite(found).all()
            assert found[0] == low
            assert found[-1] == high
            weights = np.linspace(0.0, 1.0, num)
            np.testing.assert_allclose(found / 1e308, (low / 1e308) * (1 - weights)
                                       + (high / 1e308) * weights, atol=1e-14)  # fmt: skip
    same(xp.linspace(-1e308, 1e308, 4, endpoint=False), [-1e308, -5e307, 0.0, 5e307])
    assert float(xp.linspace(-1e308, 1e308, 1)[0]) == -1e308


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_linspace_starts_at_its_start_if_the_end_is_infinite(xp):
    assert xp.linspace(1.0, math.inf, 3)[0] == 1.0
    assert xp.linspace(1.0, -math.inf, 3).tolist()[1:] == [-math.inf, -math.inf]


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 3, 10, 3000])
def test_linspace_of_integers_is_exact(xp, num, endpoint):
    for start, stop, dtype in (
        (0, 2**63 - 1, xp.int64), (-(2**63), 2**63 - 1, xp.int64), (2**63 - 1, -(2**63), xp.int64),
        (0, 2**64 - 1, xp.uint64), (2**64 - 1, 2**53, xp.uint64), (-128, 127, xp.int8),
        (127, -128, xp.int8), (0, 255, xp.uint8), (7, 7, xp.int16), (0.0, 9.0, xp.int32),
    ):  # fmt: skip
        gaps = max(num - endpoint, 1)
        expected = [int(start) + (k * (int(stop) - int(start))) // gaps for k in range(num)]
        found = xp.linspace(start, stop, num, dtype=dtype, endpoint=endpoint)
        assert found.dtype == dtype
        assert found.tolist() == expected
    found = xp.linspace(0.5, 9.5, num, dtype=xp.int64, endpoint=endpoint)
    assert found.tolist() == np.linspace(0.5, 9.5, num, dtype=np.int64, endpoint=endpoint).tolist()


def test_integer_linspace_may_end_beside_its_range(xp):
    assert xp.linspace(0, 256, 4, dtype=xp.uint8, endpoint=False).tolist() == [0, 64, 128, 192]
    assert xp.linspace(3, 300, 1, dtype=xp.uint8).tolist() == [3]


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 3, 3000])
def test_linspace_of_tensors_is_that_of_numbers(xp, num, endpoint):
    for start, stop in (
        (0.0, 1.0), (-1e308, 1e308), (3.0, 3.0), (5e-324, 1e-323), (math.inf, 1.0), (1.0, 2.0 + 1j),
    ):  # fmt: skip
        ends = (xp.asarray(x) for x in (start, stop))
        with np.errstate(invalid="ignore"):
            found = xp.linspace(*ends, num, endpoint=endpoint)
            expected = xp.linspace(start, stop, num, endpoint=endpoint)
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_linspace_of_recorded_ends(xp):
    a, b = (xp.asarray(x).requires_grad_() for x in (1.0, 3.0))
    for num in (3, 3000):
        found = xp.linspace(a, b, num)
        assert (found.detach() == xp.linspace(1.0, 3.0, num)).all()
        a.grad = b.grad = None
        xp.sum(found).backward()
        assert float(a.grad) == pytest.approx(num / 2)
        assert float(b.grad) == pytest.approx(num / 2)
    with pytest.raises(TypeError, match="linspace: the gradient would be lost"):
        xp.linspace(a, b, 3, dtype=xp.int64)
