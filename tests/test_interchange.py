"""Data in and out: DLPack, the buffer protocol, NumPy, PyTorch, JAX and the compat libraries."""

import array
import gc
import sys
import weakref

import array_api_compat
import array_api_extra as xpx
import numpy as np
import pytest
from array_api_strict import asarray as strict_asarray

import arraygrad as xp

DTYPES = [xp.bool, xp.int8, xp.int64, xp.uint16, xp.float32, xp.float64, xp.complex64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3)])
def test_dlpack_with_numpy(dtype, shape):
    x = xp.ones(shape, dtype=dtype)
    a = np.from_dlpack(x)
    assert a.dtype == dtype
    assert a.shape == shape
    back = xp.from_dlpack(a)
    assert back.dtype == dtype
    assert back.shape == shape
    if x.size:
        x[...] = 0
        assert not a.any()
        assert not xp.any(back)


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_dlpack_with_the_peers(library):
    peer = pytest.importorskip(library)
    theirs = peer.ones(3)  # float32 in both
    x = xp.from_dlpack(theirs)
    assert x.dtype == xp.float32
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert xp.asarray(theirs).tolist() == [1.0, 1.0, 1.0]
    mine = xp.asarray([1.0, 2.0], dtype=xp.float32)
    assert peer.from_dlpack(mine).tolist() == [1.0, 2.0]


def test_torch_memory_is_shared_both_ways():
    torch = pytest.importorskip("torch")
    theirs = torch.zeros(3, dtype=torch.float64)
    x = xp.asarray(theirs)
    x[0] = 1.0
    assert theirs.tolist() == [1.0, 0.0, 0.0]
    theirs[1] = 2.0
    assert x.tolist() == [1.0, 2.0, 0.0]
    assert torch.from_dlpack(x).data_ptr() == theirs.data_ptr()


def test_jax_memory_is_read_only():
    jnp = pytest.importorskip("jax.numpy")
    x = xp.from_dlpack(jnp.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        x += 1.0


def test_other_array_api_libraries():
    assert xp.from_dlpack(strict_asarray([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_dlpack_keywords():
    x = xp.arange(4)
    assert np.shares_memory(np.from_dlpack(x, copy=False), x.numpy())
    assert not np.shares_memory(np.from_dlpack(x, copy=True), x.numpy())
    assert x.__dlpack_device__() == (1, 0)
    x.__dlpack__(max_version=(1, 0), dl_device=(1, 0))
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError):
        x.__dlpack__(stream=1)
    assert xp.from_dlpack(x, copy=False).numpy().base is not None
    y = xp.from_dlpack(x, copy=True)
    y[0] = 9
    assert x.tolist() == [0, 1, 2, 3]


def test_read_only_data_stays_read_only():
    a = np.arange(3.0)
    a.flags.writeable = False
    for x in (xp.from_numpy(a), xp.asarray(a), xp.from_dlpack(a)):
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 1.0
        with pytest.raises(BufferError):
            x.__dlpack__()  # the old protocol cannot say "read-only"
        assert not np.from_dlpack(x).flags.writeable
        assert not np.asarray(x).flags.writeable
    y = xp.asarray(a, copy=True)
    y[0] = 1.0


def test_from_dlpack_refuses():
    with pytest.raises(TypeError, match=r"from_dlpack.*__dlpack__"):
        xp.from_dlpack([1, 2])
    with pytest.raises(BufferError, match=r"from_dlpack"):
        xp.from_dlpack(np.ones(2, dtype=np.longdouble))


def test_lifetime():
    """Memory lives as long as anybody looks at it."""
    a = np.arange(1000.0)
    alive = weakref.ref(a)
    x = xp.from_dlpack(np.from_dlpack(xp.from_numpy(a)))
    total = float(xp.sum(x))
    del a
    gc.collect()
    assert alive() is not None
    assert float(xp.sum(x)) == total
    del x
    gc.collect()
    assert alive() is None


def test_numpy_is_zero_copy():
    a = np.arange(6.0).reshape(2, 3)[:, ::-1]
    x = xp.from_numpy(a)
    assert x.numpy() is a
    assert np.shares_memory(np.asarray(x), a)
    assert np.asarray(x, copy=False) is not None
    assert not np.shares_memory(np.array(x, copy=True), a)
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float32, copy=False)


@pytest.mark.parametrize("order", [">", "<"])
def test_byte_orders(order):
    a = np.arange(3, dtype=order + "f8")
    x = xp.asarray(a)
    assert x.dtype == xp.float64
    assert x.dtype.isnative
    assert x.tolist() == [0.0, 1.0, 2.0]
    if not a.dtype.isnative:
        with pytest.raises(ValueError, match=r"from_numpy.*copy"):
            xp.from_numpy(a)


def test_long_long_is_int64():
    x = xp.from_numpy(np.arange(3, dtype=np.longlong))
    assert x.dtype is xp.arange(3).dtype


@pytest.mark.parametrize(
    ("obj", "dtype"),
    [
        (array.array("d", [1.0, 2.0]), xp.float64),
        (array.array("i", [1, 2]), xp.int32),
        (bytearray(b"ab"), xp.uint8),
        (memoryview(b"ab"), xp.uint8),
        (memoryview(np.ones((2, 2), dtype=np.complex64)), xp.complex64),
        (memoryview(np.ones(4)[::2]), xp.float64),
        (memoryview(bytearray()), xp.uint8),
    ],
)
def test_buffers_in(obj, dtype):
    x = xp.asarray(obj)
    assert x.dtype == dtype
    assert x.tolist() == np.asarray(obj).tolist()


def test_buffers_share_memory():
    buffer = bytearray(b"abc")
    x = xp.asarray(buffer, copy=False)
    x[0] = 122
    assert buffer == b"zbc"
    xp.asarray(buffer, copy=True)[0] = 0
    assert buffer == b"zbc"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is of Python 3.12")
def test_buffer_out():
    x = xp.arange(3)
    view = memoryview(x)
    x[0] = 7
    assert view.tolist() == [7, 1, 2]


def test_arrow_reads_tensors():
    pa = pytest.importorskip("pyarrow")
    x = xp.asarray([1, 2], dtype=xp.int16)
    assert pa.array(x) == pa.array([1, 2], type=pa.int16())
    assert pa.array(x, type=pa.float32()).type == pa.float32()
    assert pa.table({"x": x})["x"].to_pylist() == [1, 2]
    with pytest.raises(TypeError, match="detach"):
        pa.array(xp.ones(2).requires_grad_())


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "@", "==", "<", "!="])
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.object_])
def test_mixing_with_ndarray_raises(op, dtype):
    a, x = np.ones(3, dtype=dtype), xp.ones(3)
    for expression in (f"a {op} x", f"x {op} a"):
        with pytest.raises(TypeError, match=r"asarray"):
            eval(expression, {"a": a, "x": x})


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "==", "<", "!="])
def test_numpy_scalars_are_scalars(op):
    x = xp.asarray([1.0, 2.0], dtype=xp.float32)
    for scalar in (np.float64(3), np.float32(3)):
        for expression in (f"s {op} x", f"x {op} s"):
            result = eval(expression, {"s": scalar, "x": x})
            assert isinstance(result, xp.Tensor)
            expected = eval(expression, {"s": 3.0, "x": np.asarray([1, 2], dtype=np.float32)})
            assert result.dtype == expected.dtype
            np.testing.assert_array_equal(result.numpy(), expected)


def test_array_api_compat():
    x = xp.asarray([1.0, 2.0])
    assert array_api_compat.array_namespace(x) is xp
    assert array_api_compat.array_namespace(x, 1.0, None) is xp
    assert array_api_compat.device(x) == xp.Device("cpu")
    assert array_api_compat.to_device(x, "cpu") is x
    assert array_api_compat.size(x) == 2
    assert array_api_compat.is_array_api_obj(x)
    assert array_api_compat.is_writeable_array(x)
    assert not array_api_compat.is_lazy_array(x)
    with pytest.raises(TypeError, match="Multiple"):
        array_api_compat.array_namespace(x, np.ones(2))


EXTRA = {
    "atleast_nd": lambda m: xpx.atleast_nd(m.asarray(1.0), ndim=2),
    "cov": lambda m: xpx.cov(m.asarray([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]])),
    "create_diagonal": lambda m: xpx.create_diagonal(m.asarray([1.0, 2.0])),
    "kron": lambda m: xpx.kron(m.asarray([1.0, 2.0]), m.asarray([[1.0], [3.0]])),
    "nunique": lambda m: xpx.nunique(m.asarray([1, 1, 2])),
    "pad": lambda m: xpx.pad(m.asarray([1.0, 2.0]), 1),
    "setdiff1d": lambda m: xpx.setdiff1d(m.asarray([1, 2, 3]), m.asarray([2])),
    "sinc": lambda m: xpx.sinc(m.asarray([0.0, 0.5])),
    "at set": lambda m: xpx.at(m.asarray([1.0, 2.0]))[0].set(7.0),
    "at add mask": lambda m: xpx.at(y := m.asarray([1.0, 2.0]))[y > 1].add(1.0),
    "apply_where": lambda m: xpx.apply_where(
        (y := m.asarray([1.0, 0.0])) > 0, y, lambda z: 1 / z, fill_value=0.0
    ),
    "isclose": lambda m: xpx.isclose(m.asarray([1.0]), m.asarray([1.0 + 1e-12])),
    "one_hot": lambda m: xpx.one_hot(m.asarray([1, 0]), 3),
    "partition": lambda m: m.sort(xpx.partition(m.asarray([3.0, 1.0, 2.0]), 1)),
    "default_dtype": lambda m: m.zeros(1, dtype=xpx.default_dtype(m)),
    "lazy_apply": lambda m: xpx.lazy_apply(
        np.cumsum, m.asarray([1.0, 2.0]), shape=(2,), as_numpy=True
    ),
}


@pytest.mark.parametrize("name", EXTRA)
def test_array_api_extra(name):
    result = EXTRA[name](xp)
    assert isinstance(result, xp.Tensor)
    expected = np.asarray(EXTRA[name](np))
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result.numpy(), expected)


def test_a_dtype_that_dlpack_has_and_the_standard_lacks():
    torch = pytest.importorskip("torch")
    with pytest.raises(BufferError, match=r"from_dlpack: .*torch.Tensor"):
        xp.from_dlpack(torch.ones(2, dtype=torch.bfloat16))


def test_copies_may_be_written():
    jnp = pytest.importorskip("jax.numpy")
    theirs = jnp.ones(3)
    for x in (xp.from_dlpack(theirs, copy=True), xp.asarray(theirs, copy=True)):
        x[0] = 5.0
        assert (x.tolist(), theirs.tolist()) == ([5.0, 1.0, 1.0], [1.0, 1.0, 1.0])
