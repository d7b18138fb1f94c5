"""The array object: operators, conversions, text, copies and pickles, on every device."""

import copy
import math
import operator
import pickle
import sys
import weakref

import numpy as np
import pytest

import arraygrad
from arraygrad import Tensor, autodiff

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


def test_in_place_keeps_dtype_and_shape(xp, same):
    """A wider operand of the same kind, or a kind below, is taken; what would lose is not."""
    x = xp.asarray([1.0, 2.0], dtype=xp.float32)
    x += xp.asarray([1.0, 2.0])
    x *= xp.asarray([2, 3])
    x -= xp.asarray(True) * 1
    same(x, np.asarray([3.0, 11.0], dtype="float32"))
    i = xp.asarray([1, 2], dtype=xp.int8)
    i += xp.asarray([1, 1], dtype=xp.int64)
    same(i, np.asarray([2, 3], dtype="int8"))
    for target, other in (
        (i, xp.asarray([0.5, 0.5])),
        (i, 0.5),
        (i, 1j),
        (x, 1j),
        (x, xp.asarray([1j, 1j])),
        (xp.asarray([True, False]), 1),
    ):
        before = target.tolist()
        with pytest.raises(TypeError):
            target += other
        assert target.tolist() == before
    for wide in (xp.ones((2, 2)), xp.ones(3), xp.ones((1, 2))):
        with pytest.raises(ValueError):
            x *= wide
    same(x, np.asarray([3.0, 11.0], dtype="float32"))


def test_in_place_with_itself(xp):
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    x += x.T
    assert x.tolist() == [[2.0, 5.0], [5.0, 8.0]]
    x *= x
    assert x.tolist() == [[4.0, 25.0], [25.0, 64.0]]
    x -= x[0]
    assert x.tolist() == [[0.0, 0.0], [21.0, 39.0]]


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


def test_a_plain_tensor_is_detached_and_has_no_way_back(xp):
    x = xp.ones(2)
    assert x.detach().tolist() == [1.0, 1.0]
    w = autodiff.variable(x)
    with autodiff.no_grad():
        assert (2 * w).detach().tolist() == [2.0, 2.0]  # as outside
        loss = xp.sum(2 * w)
    assert (loss.requires_grad, loss.is_leaf, loss.grad, loss.grad_fn) == (False, True, None, None)
    with pytest.raises(RuntimeError, match=r"backward: nothing was recorded; .*no_grad\(\)"):
        loss.backward()


def test_conversions_that_raise(xp):
    pair, none = xp.asarray([1.0, 2.0]), xp.zeros((0, 3))
    for convert in (int, float, complex, operator.index, bool):
        for x in (pair, none):
            with pytest.raises(TypeError, match="shape"):
                convert(x)
    for convert in (int, float, complex, operator.index):
        with pytest.raises(TypeError, match=r"\(1,\)"):
            convert(xp.asarray([1]))
    for convert in (int, float, operator.index):
        with pytest.raises(TypeError, match="complex128"):
            convert(xp.asarray(1j))
    for value in (1.0, True):
        with pytest.raises(TypeError, match="__index__"):
            operator.index(xp.asarray(value))
    for x in (pair, none):
        with pytest.raises(ValueError, match="item"):
            x.item()
    with pytest.raises(OverflowError):
        int(xp.asarray(math.inf))
    with pytest.raises(ValueError, match="NaN"):
        int(xp.asarray(math.nan))
    for needs_axes in (len, iter, list):
        with pytest.raises(TypeError, match="0-d tensor"):
            needs_axes(xp.asarray(1.0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_values_are_exact(xp, dtype):
    info = np.iinfo(dtype) if "int" in dtype else None
    values = [info.min, info.max] if info else [0, 1]
    x = xp.asarray(values, dtype=getattr(xp, dtype))
    assert x.tolist() == values
    kind = {"b": bool, "i": int, "u": int, "f": float, "c": complex}[x.dtype.kind]
    assert type(x[1].item()) is kind
    assert x[1].item() == values[1]
    assert bool(x[1]) is True
    if info:
        assert [int(v) for v in x] == [operator.index(v) for v in x] == values


def test_iteration_gives_views(xp):
    x = xp.zeros((2, 2))
    for row in x:
        for element in row:
            element += 1.0
    assert x.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert 1.0 in x[0]
    assert 2.0 not in x[0]


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


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (2, 3), (2, 1, 2), (2000,)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_text_is_numpys(device, shape, dtype):
    a = np.ones(shape, dtype=dtype)
    x = arraygrad.asarray(a, device=device)
    assert str(x) == np.array2string(a, separator=", ")
    text = np.array2string(a, separator=", ", prefix="Tensor(")
    size = f", shape={shape}" if not a.size else ""
    here = "" if device == "cpu" else f", device='{x.device}'"
    assert repr(x) == f"Tensor({text}{size}, dtype={dtype}{here})"
    if shape:
        assert format(x) == str(x)
        with pytest.raises(TypeError, match=r"__format__: .*'\.1f'"):
            format(x, ".1f")
    else:
        assert format(x, ">8") == format(a.item(), ">8")


def test_print_options_are_numpys(xp):
    with np.printoptions(precision=2, suppress=True):
        assert str(xp.asarray([1.0, 2.123456])) == "[1.  , 2.12]"


def test_equality_and_hash(xp):
    x = xp.asarray([1.0])
    assert (x == None) is False  # noqa: E711
    assert (x != "1") is True
    with pytest.raises(TypeError, match="unhashable"):
        {x}


def test_views(xp):
    """Basic indexing gives views, single elements included."""
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
    for chosen in ([0], [True, False]):
        picked = x[xp.asarray(chosen)]
        picked += 1.0
    assert x.tolist() == [[12.0, 13.0], [8.0, 1.0]]
    for view in (x[...], x.mT, x[::-1, None], xp.reshape(x, (4,)), x[:, 1:][0]):
        before = x.tolist()
        view -= 1.0
        assert x.tolist() != before
    x[1][0] = 0.5
    assert float(x[1, 0]) == 0.5


def test_parts_as_attributes(xp, same):
    z = xp.asarray([1 + 2j, 3.0])
    same(z.real, [1.0, 3.0])
    same(z.imag, [2.0, 0.0])
    same(xp.asarray([1, 2]).real, [1, 2])
    same(z.conj(), [1 - 2j, 3.0])


def test_view_of_another_dtype():
    a = np.asarray([[1 + 2j, 3.0], [0.0, 4j]])
    x = arraygrad.asarray(a)
    parts = x.view(dtype=float)
    assert parts.dtype == arraygrad.float64
    assert parts.tolist() == a.view(float).tolist()
    parts[0, 1] = -2.0
    assert x[0, 0] == 1 - 2j  # the same memory
    assert parts.view(complex).tolist() == x.tolist()
    same = x.view(arraygrad.complex128)
    same[0, 0] = 0
    assert x[0, 0] == 0
    with pytest.raises(ValueError, match="view"):
        arraygrad.ones((2, 3)).view(complex)
    for wrong in (None, "S3"):
        with pytest.raises(TypeError, match="view: dtype must be"):
            x.view(wrong)
    for shape in (-1, (2, 2)):
        with pytest.raises(TypeError, match=r"view: .*reshape\("):
            x.view(shape)


def test_views_under_differentiation():
    """Only a view of the same dtype can be followed; another raises, and nothing is lost."""
    x = arraygrad.asarray([1.0, 2.0])
    assert autodiff.grad(lambda x: (x.view(float) ** 2).sum())(x).tolist() == [2.0, 4.0]
    with pytest.raises(autodiff.NotDifferentiableError, match="view"):
        autodiff.grad(lambda x: arraygrad.real(x.view(complex)).sum())(x)

    def write(x):
        y = arraygrad.zeros(2)
        y.view(complex)[0] = x[0] + 1j * x[1]
        return (y * y).sum()

    with pytest.raises((ValueError, TypeError, RuntimeError)):
        autodiff.grad(write)(x)


def test_round(xp):
    assert round(xp.asarray(2.468), 2) == 2.47
    assert round(xp.asarray(2.5)) == 2
    assert type(round(xp.asarray(2.5))) is int
    with pytest.raises(ValueError, match="one element"):
        round(xp.ones(2))


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
    y = pickle.loads(data, buffers=buffers)
    assert y.tolist() == x.tolist()
    assert np.shares_memory(y.numpy(), x.numpy())


def test_pickle_from_a_device_that_is_not_here():
    data = pickle.dumps(arraygrad.ones(2)).replace(b"\x03cpu", b"\x03gpu")
    with pytest.raises(ValueError, match=r"'gpu'.*map_location"):
        pickle.loads(data)
    with arraygrad.map_location("cpu"):
        assert pickle.loads(data).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_pickle_layouts(xp, device, same, dtype):
    a = A.astype(dtype)
    x = xp.asarray(a)
    for y, expected in (
        (x.T, a.T),
        (x[::-1, 1:], a[::-1, 1:]),
        (x[0, 0], a[0, 0]),
        (x[:0], a[:0]),
        (xp.broadcast_to(x, (2, *a.shape)), np.broadcast_to(a, (2, *a.shape))),
    ):
        back = pickle.loads(pickle.dumps(y, protocol=5))
        same(back, expected)
        assert back.device == arraygrad.Device(device)
        back[...] = 0  # data of its own, to be written
    same(x, a)


@pytest.mark.parametrize("target", ["cpu", "strict:0", "strict:1"])
def test_map_location(xp, device, target):
    data = pickle.dumps({"a": xp.ones(2), "b": xp.arange(3)})
    with arraygrad.map_location(target):
        with arraygrad.map_location("strict:0"):
            assert pickle.loads(data)["a"].device == "strict:0"
        moved = pickle.loads(data)
        assert {x.device for x in moved.values()} == {target}
        assert moved["b"].tolist() == [0, 1, 2]
    with pytest.raises(ZeroDivisionError), arraygrad.map_location(target):
        1 / 0
    assert pickle.loads(data)["a"].device == arraygrad.Device(device)
    with (
        pytest.raises(ValueError, match="'nowhere'"),
        arraygrad.map_location("nowhere"),
    ):
        pass


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
def test_copies_are_independent(xp, copier):
    x = xp.asarray([1.0, 2.0])
    y = copier(x)
    y[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    assert y.device is x.device
    nested = copy.deepcopy({"a": [x]})
    assert nested["a"][0] is not x


def test_copies_of_views_and_read_only_data(xp, device):
    x = xp.asarray(A, copy=True)
    for copier in (copy.copy, copy.deepcopy):
        y = copier(x[::-1, 1:])
        y[...] = 0
        z = copier(x[0, 0])
        z += 100
    assert x.tolist() == A.tolist()
    if device == "cpu":
        frozen = A.copy()
        frozen.flags.writeable = False
        y = copy.copy(xp.from_numpy(frozen))
        y[0, 0] = 100
        assert frozen.tolist() == A.tolist()


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
    x.numpy()[0] = 5.0
    assert x.tolist() == ([5.0, 2.0] if device == "cpu" else [1.0, 2.0])


READERS = {
    "asarray": np.asarray,
    "array": np.array,
    "a ufunc": np.sin,
    "a reduction": np.var,
    "a function": lambda t: np.concatenate([np.ones(2), t]),
    "a list": lambda t: np.asarray([t, t]),
    "a list of elements": lambda t: np.asarray(list(t)),
    "into an array": lambda t: np.copyto(np.zeros(2), t),
    "assignment": lambda t: np.zeros(2).__setitem__(..., t),
    "testing": lambda t: np.testing.assert_array_equal(t, [1.0, 2.0]),
}


@pytest.mark.parametrize("name", READERS)
def test_numpy_reads_tensors_on_the_cpu_only(xp, device, name):
    x, read = xp.asarray([1.0, 2.0]), READERS[name]
    if device == "cpu":
        expected = read(x.numpy())
        np.testing.assert_array_equal(read(x), expected)
    else:
        with pytest.raises(arraygrad.TransferError, match=r"x\.numpy\(\)"):
            read(x)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is of Python 3.12")
def test_buffers_are_of_the_cpu_only(xp, device):
    x = xp.asarray([1.0, 2.0])
    if device == "cpu":
        assert memoryview(x).tolist() == [1.0, 2.0]
    else:
        with pytest.raises(arraygrad.TransferError, match=r"x\.numpy\(\)"):
            memoryview(x)


def test_from_numpy_is_on_the_cpu(xp):
    a = np.arange(3.0)
    x = xp.from_numpy(a)
    assert x.device == "cpu"
    x[0] = 7.0
    assert a[0] == 7.0
    a.flags.writeable = False
    frozen = xp.from_numpy(a)
    for write in (lambda: frozen.__setitem__(0, 1.0), lambda: frozen.__iadd__(1.0)):
        with pytest.raises(ValueError, match="read-only"):
            write()
    assert a[0] == 7.0


@pytest.mark.parametrize("dtype", ["float64", "int64", "object"])
@pytest.mark.parametrize("name", [*BINARY, "matmul"])
def test_ndarray_operands_raise(xp, name, dtype):
    """Never an array of objects, nor a result on the host."""
    operation = BINARY.get(name, operator.matmul)
    x, a = xp.ones(2, dtype=xp.int64), np.ones(2, dtype=dtype)
    for left, right in ((x, a), (a, x), (x[0], a), (a, x[0])):
        with pytest.raises(TypeError, match=r"arraygrad\.asarray"):
            operation(left, right)
    in_place = getattr(operator, f"i{name}", operation)  # (comparisons have none)
    for left, right in ((x, a), (a, x)):
        with pytest.raises(TypeError, match=r"arraygrad\.asarray"):
            in_place(left, right)
    assert x.tolist() == [1, 1]
    assert a.tolist() == [1, 1]


NUMPY_SCALARS = [np.bool_(True), np.int8(2), np.uint16(2), np.int64(2), np.float32(2)]
NUMPY_SCALARS += [np.float64(2.5), np.complex64(2), np.complex128(2 + 1j)]


@pytest.mark.parametrize("scalar", NUMPY_SCALARS, ids=lambda s: s.dtype.name)
@pytest.mark.parametrize("dtype", ["int32", "float32", "complex64"])
@pytest.mark.parametrize("name", BINARY)
def test_numpy_scalars(xp, same, name, dtype, scalar):
    """They are operands on either side; float64 and complex128 are Python's, weakly typed."""
    a, _ = operands(name, dtype)
    weak = scalar.item() if isinstance(scalar, (float, complex)) else scalar
    kinds = {a.dtype.kind, scalar.dtype.kind}
    if name in BITS and kinds & set("fc"):
        with pytest.raises(TypeError):
            BINARY[name](xp.asarray(a), scalar)
        return
    if "c" in kinds and name in ("floordiv", "mod", "lt", "le", "gt", "ge"):
        return  # the standard defines none of them
    same(BINARY[name](xp.asarray(a), scalar), BINARY[name](a, weak), rtol=1e-6)
    same(BINARY[name](scalar, xp.asarray(a)), BINARY[name](weak, a), rtol=1e-6)


def test_numpy_scalars_in_strict_mode(xp):
    x = xp.ones(2, dtype=xp.float32)
    with xp.strict():
        for mix in (lambda: x + np.float32(1), lambda: np.int8(1) * x):
            with pytest.raises(TypeError, match=r"x\.item\(\)"):
                mix()


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
