"""The array object: operators, conversions, text, copies and pickles, on every device."""

import copy
import math
import operator
import pickle
import weakref

import numpy as np
import pytest

import arraygrad
from arraygrad import Tensor

DTYPES = list(arraygrad.__array_namespace_info__().dtypes())
BINARY = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod, "pow": operator.pow,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge,
    "and": operator.and_, "or": operator.or_, "xor": operator.xor,
    "lshift": operator.lshift, "rshift": operator.rshift,
}  # fmt: skip
BITS = ("and", "or", "xor", "lshift", "rshift")
IN_PLACE = [name for name in BINARY if hasattr(operator, f"i{name}")]
A, B = np.asarray([[7, 2, 3], [4, 1, 6]]), np.asarray([[1, 2, 2], [3, 1, 4]])


def operands(name, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b" and name not in ("and", "or", "xor", "eq", "ne"):
        pytest.skip("not defined for bools")
    if dtype.kind in "fc" and name in BITS:
        pytest.skip("defined for integers")
    if dtype.kind == "c" and name in ("floordiv", "mod", "lt", "le", "gt", "ge"):
        pytest.skip("not defined for complex numbers")
    if dtype.kind == "u" and name == "sub":
        return np.maximum(A, B).astype(dtype), np.minimum(A, B).astype(dtype)
    return A.astype(dtype), B.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary_operators(xp, same, name, dtype):
    a, b = operands(name, dtype)
    found = BINARY[name](xp.asarray(a), xp.asarray(b))
    same(found, BINARY[name](a, b), rtol=1e-6)
    same(BINARY[name](xp.asarray(a), xp.asarray(b[0])), BINARY[name](a, b[0]), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32", "complex128"])
@pytest.mark.parametrize("name", BINARY)
def test_python_scalars(xp, same, name, dtype):
    a, _ = operands(name, dtype)
    kind = np.dtype(dtype).kind
    scalars = {"b": [True], "i": [2], "u": [2], "f": [2, 2.5], "c": [2, 2.5, 1 + 1j]}[kind]
    for scalar in scalars:
        same(BINARY[name](xp.asarray(a), scalar), BINARY[name](a, scalar), rtol=1e-6)
        if name != "sub" or kind != "u":
            same(BINARY[name](scalar, xp.asarray(a)), BINARY[name](scalar, a), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "complex64", "bool"])
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_operators(xp, same, name, dtype):
    a, b = operands(name, dtype)
    if name == "truediv" and np.dtype(dtype).kind in "bi":
        pytest.skip("the result has another dtype")
    apply = getattr(operator, f"i{name}")
    for other in (b, b[0], 1 if dtype != "bool" else True):
        x = xp.asarray(a, copy=True)
        alias, expected = x, BINARY[name](a, other).astype(dtype)
        x = apply(x, other if np.isscalar(other) else xp.asarray(other))
        assert x is alias
        same(x, expected, rtol=1e-6)


def test_matmul(xp, same):
    a, b = np.asarray([[1.0, 2.0], [3.0, 4.0]]), np.asarray([[0.0, 1.0], [1.0, 1.0]])
    same(xp.asarray(a) @ xp.asarray(b), a @ b)
    x = xp.asarray(a, copy=True)
    x @= xp.asarray(b)
    same(x, a @ b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_unary_operators(xp, same, dtype):
    a = A.astype(dtype)
    x = xp.asarray(a)
    if a.dtype.kind in "biu":
        same(~x, ~a)
    if a.dtype.kind != "b":
        same(-x, -a)
        same(+x, a)
        same(abs(x), abs(a))


@pytest.mark.parametrize("mixed", [("int64", "float32"), ("bool", "int8"), ("uint8", "float64")])
def test_mixed_kinds_are_numpys(xp, same, mixed):
    a, b = A.astype(mixed[0]), B.astype(mixed[1])
    same(xp.asarray(a) + xp.asarray(b), a + b)
    same(xp.asarray(b) * xp.asarray(a), b * a)
    same(xp.asarray([1, 2]) + 0.5, np.asarray([1.5, 2.5]))
    same(xp.asarray([True]) + 1, np.asarray([2]))
    same(xp.asarray([1, 2]) / xp.asarray([2, 2]), np.asarray([0.5, 1.0]))


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (1, 2, 3)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_attributes(xp, device, shape, dtype):
    x = xp.ones(shape, dtype=getattr(xp, dtype))
    assert x.dtype == getattr(xp, dtype)
    assert x.dtype == np.dtype(dtype)
    assert hash(x.dtype) == hash(np.dtype(dtype))
    assert x.shape == shape
    assert type(x.shape) is tuple
    assert x.ndim == len(shape)
    assert x.size == math.prod(shape)
    assert x.device == xp.Device(device)
    assert x.T.shape == shape[::-1]
    assert x.__array_namespace__() is arraygrad
    assert x.__array_namespace__(api_version="2023.12") is arraygrad
    if len(shape) >= 2:
        assert x.mT.shape == (*shape[:-2], shape[-1], shape[-2])


def test_conversions_to_python(xp):
    assert bool(xp.asarray(True)) is True
    assert bool(xp.asarray(0.0)) is False
    assert bool(xp.asarray([2])) is True
    assert int(xp.asarray(3.7)) == 3
    assert float(xp.asarray(3)) == 3.0
    assert complex(xp.asarray(3.0)) == 3.0
    assert complex(xp.asarray(1j)) == 1j
    assert operator.index(xp.asarray(2)) == 2
    assert [10, 20, 30][xp.asarray(1)] == 20
    assert xp.asarray([[5]]).item() == 5
    assert xp.asarray([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert xp.asarray(1.5).tolist() == 1.5
    assert math.isinf(float(xp.asarray(math.inf)))
    assert len(xp.zeros((3, 2))) == 3


def test_iteration(xp):
    rows = list(xp.asarray([[1, 2], [3, 4]]))
    assert all(isinstance(r, Tensor) for r in rows)
    assert [r.tolist() for r in rows] == [[1, 2], [3, 4]]
    assert [float(v) for v in xp.asarray([1.0, 2.0])] == [1.0, 2.0]
    assert list(xp.zeros((0, 2))) == []
    a, b = xp.asarray([1.0, 2.0])
    assert float(a + b) == 3.0


def test_repr(device):
    x = arraygrad.asarray([1.0, 2.5], device=device)
    here = "" if device == "cpu" else f", device='{x.device}'"
    assert repr(x) == f"Tensor([1. , 2.5], dtype=float64{here})"
    with arraygrad.default_device(device):
        assert repr(x) == "Tensor([1. , 2.5], dtype=float64)"
        assert repr(arraygrad.asarray(True)) == "Tensor(True, dtype=bool)"
        assert repr(arraygrad.zeros((0, 2))) == "Tensor([], shape=(0, 2), dtype=float64)"
        assert repr(arraygrad.asarray([[1], [2]])) == "Tensor([[1],\n        [2]], dtype=int64)"
        assert str(x) == "[1. , 2.5]"
        assert "..." in repr(arraygrad.zeros(5000))
    assert f"{x[1]:.3f}" == "2.500"
    assert f"{x}" == str(x)
    assert f"{arraygrad.asarray(7, device=device):>3}" == "  7"


def test_equality_and_hash(xp):
    x = xp.asarray([1.0])
    assert (x == None) is False  # noqa: E711
    assert (x != "1") is True
    with pytest.raises(TypeError, match="unhashable"):
        {x}


def test_views(xp, device):
    """Basic indexing gives views, single elements included."""
    if device.startswith("strict"):
        pytest.skip("array_api_strict copies single elements")
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    v = x[0]
    v += 10.0
    w = x[1, 1]
    w *= 0.0
    t = x.T
    t[0, 1] = 7.0
    assert x.tolist() == [[11.0, 12.0], [7.0, 0.0]]
    for row in x:
        row += 1.0
    assert x.tolist() == [[12.0, 13.0], [8.0, 1.0]]
    picked = x[xp.asarray([0])]
    picked += 1.0
    assert x.tolist() == [[12.0, 13.0], [8.0, 1.0]]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(xp, device, same, protocol):
    x = xp.asarray(A.astype("float32"))
    y = pickle.loads(pickle.dumps(x, protocol=protocol))
    same(y, A.astype("float32"))
    assert y.device is x.device
    with arraygrad.map_location("cpu"):
        assert pickle.loads(pickle.dumps(x, protocol=protocol)).device == "cpu"
    assert pickle.loads(pickle.dumps(x.device, protocol=protocol)) is x.device


def test_pickle_out_of_band():
    x = arraygrad.arange(1000.0)
    buffers = []
    data = pickle.dumps(x, protocol=5, buffer_callback=buffers.append)
    assert len(data) < 500
    assert len(buffers) == 1
    assert pickle.loads(data, buffers=buffers).tolist() == x.tolist()


def test_pickle_from_a_device_that_is_not_here():
    data = pickle.dumps(arraygrad.ones(2)).replace(b"\x03cpu", b"\x03gpu")
    with pytest.raises(ValueError, match=r"'gpu'.*map_location"):
        pickle.loads(data)
    with arraygrad.map_location("cpu"):
        assert pickle.loads(data).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
def test_copies_are_independent(xp, copier):
    x = xp.asarray([1.0, 2.0])
    y = copier(x)
    y[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    assert y.device is x.device
    nested = copy.deepcopy({"a": [x]})
    assert nested["a"][0] is not x


def test_weak_references_and_slots(xp):
    x = xp.ones(2)
    alive = weakref.ref(x)
    del x
    assert alive() is None
    with pytest.raises(AttributeError):
        xp.ones(2).anything = 1


def test_numpy_conversion(xp, device):
    x = xp.asarray([1.0, 2.0])
    assert type(x.numpy()) is np.ndarray
    assert x.numpy().tolist() == [1.0, 2.0]
    if device == "cpu":
        assert np.asarray(x).tolist() == [1.0, 2.0]
        assert np.shares_memory(np.asarray(x), x.numpy())
    else:
        for convert in (np.asarray, np.sin, lambda t: np.ones(2) * np.asarray(t), np.sum):
            with pytest.raises(arraygrad.TransferError, match=r"x\.numpy\(\)"):
                convert(x)


def test_arrays_of_numpy_do_not_slip_in(xp):
    x, a = xp.ones(2), np.ones(2)
    for mix in (
        lambda: x + a,
        lambda: a + x,
        lambda: xp.concat([x, a]),
        lambda: xp.where(x > 0, a, x),
        lambda: xp.maximum(a, x),
        lambda: x.__setitem__(0, a),
        lambda: x.__iadd__(a),
        lambda: xp.sum(a),
        lambda: xp.take(x, np.asarray([0])),
        lambda: xp.searchsorted(x, x, sorter=np.asarray([0, 1])),
    ):
        with pytest.raises(TypeError):
            mix()
    assert x.tolist() == [1.0, 1.0]
