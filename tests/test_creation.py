"""Creation functions, on every device."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    for make in (xp.zeros_like, xp.ones_like, xp.empty_like):
        assert make(x).dtype == dtype
        assert make(x).shape == (2, 3)
        assert make(x, dtype=xp.float32).dtype == xp.float32


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


@pytest.mark.parametrize("sizes", [(3,), (2, 4), (4, 2), (0,), (0, 3)])
@pytest.mark.parametrize("k", [-5, -1, 0, 2, 9])
def test_eye_and_triangles(xp, same, sizes, k):
    same(xp.eye(*sizes, k=k), np.eye(*sizes, k=k))
    a = np.arange(24.0).reshape(2, 3, 4)
    same(xp.tril(xp.asarray(a), k=k), np.tril(a, k=k))
    same(xp.triu(xp.asarray(a), k=k), np.triu(a, k=k))


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
