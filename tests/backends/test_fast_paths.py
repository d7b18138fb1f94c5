"""The CPU's fast paths: NumPy's results bit for bit, its warnings and its errors."""

import inspect
import itertools
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import arraygrad as xp
from arraygrad._backends.numpy import fast_paths
from arraygrad._backends.numpy.fast_paths import TABLE
from benchmarks.fast_paths import CASES

SIZES = [3, fast_paths.MIN_SIZE_FOR_BITS, 2**17 + 1]
DTYPES = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64
    float16 float32 float64 complex64 complex128""".split()
rng = np.random.default_rng(0)


def draw(dtype, shape):
    """Random bits of a dtype: every NaN, infinity, zero and subnormal number occurs."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    bits = rng.integers(0, 256, (*shape, dtype.itemsize), dtype=np.uint8)
    x = bits.view(dtype)[..., 0].copy()
    if dtype.kind in "fc":
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).tiny, np.finfo(dtype).max]
        x.reshape(-1)[: len(special)] = special[: x.size]
        rng.shuffle(x.reshape(-1))
    return x


def outcome(function, *operands):
    """What a call returns or raises, and what it warns of, in two error states."""
    found = []
    for state in ("warn", "raise"):
        with np.errstate(all=state), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                y = function(*operands)
                steps = [step for step, n in zip(y.strides, y.shape, strict=True) if n > 1]
                layout = (type(y), y.dtype, y.shape, steps, y.flags.writeable, y.tobytes())
            except Exception as error:
                layout = (type(error), str(error))
        found.append((layout, [(w.category, str(w.message)) for w in caught]))
    return found


def where_cases():
    for dtype, size in itertools.product(DTYPES, SIZES):
        mask = rng.random(size) < 0.5
        x, y, zero = draw(dtype, (size,)), draw(dtype, (size,)), np.zeros((), dtype)
        yield from ((mask, *pair) for pair in ((x, y), (x, zero), (zero, y), (zero, y[1])))
        yield mask, x, -zero if dtype[0] in "fc" else zero
    n = SIZES[1]
    mask = (rng.random(n) < 0.5).reshape(128, -1)
    x, y = (draw("float32", mask.shape) for _ in range(2))
    wide = draw("float32", (128, 2 * mask.shape[1]))
    yield from (
        (mask, x, y),
        (mask.T, x.T, y.T),
        (mask, x, np.asfortranarray(y)),
        (mask, wide[:, ::2], y),
        (mask, x, y[0]),
        (mask, x[:, :1], y),
        (mask, x[None], y),
        (mask[0], x, y),
        (mask, x, 1),
        (mask, 2.5, y),
        (mask, x, draw("float16", mask.shape)),
        (mask, draw("int32", mask.shape), draw("float16", mask.shape)),
        (mask, 1, 300),
        (mask, draw("int8", mask.shape), draw("uint8", mask.shape)),
        (mask.astype("int64"), x, y),
        (mask, x[:1, :7], y),
    )


def unique_cases():
    for dtype, n in itertools.product(DTYPES, (0, 3, 5000)):
        yield (draw(dtype, (n,)),)
        if dtype[0] in "iu":
            yield (rng.integers(0, 9, (n, 2)).astype(dtype),)
            yield (np.full(n, np.iinfo(dtype).max, dtype),)
    yield (np.arange(20, dtype="int32").reshape(4, 5)[::-2, ::2],)
    yield (np.asarray(3),)


def moveaxis_cases():
    x = draw("float32", (2, 3, 4))
    for source, destination in itertools.product(range(-4, 4), repeat=2):
        yield x, source, destination
        yield x, (source,), (destination,)
    yield from (
        (x, (0, 1), (2, 0)),
        (x, (0,), (1, 2)),
        (x, (0, 0), (1, 2)),
        (x, 0.0, 1),
        (x, 0, []),
    )


def broadcast_cases():
    for x in (draw("float32", ()), draw("int8", (1,)), draw("float64", (3,)), draw("bool", (2, 3))):
        for shape in ((), (1,), (3,), (2, 3), [2, 3], (0,), (2, 0), (4, 2, 3), (3, 2), (-1,)):
            yield x, shape


def count_cases():
    for dtype, shape in itertools.product(DTYPES, ((), (3,), (0, 2), (2, 3, 4))):
        x = draw(dtype, shape)
        for axis, keepdims in itertools.product((None, 0, -1, (0, 1), 5), (False, True)):
            yield x, axis, keepdims
        yield (x,)


COMPARED = {
    "where": where_cases,
    "unique_values": unique_cases,
    "moveaxis": moveaxis_cases,
    "broadcast_to": broadcast_cases,
    "count_nonzero": count_cases,
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_bit_for_bit(name):
    path = TABLE[name]
    for operands in COMPARED[name]():
        about = [(x.dtype, x.shape) if isinstance(x, np.ndarray) else x for x in operands]
        found, expected = (outcome(f, *operands) for f in (path.function, path.replaces))
        if name == "unique_values" and operands[0].dtype.kind == "c":
            continue  # the order of equal complex numbers with NaN is not defined
        assert found == expected, about


def test_the_table_is_complete():
    public = {
        name
        for name, value in vars(fast_paths).items()
        if inspect.isroutine(value) and value.__module__ == fast_paths.__name__ and name[0] != "_"
    }
    assert public == {*TABLE, "choose", "sorted_unique"}
    assert set(TABLE) == set(COMPARED) == set(CASES)
    for name, path in TABLE.items():
        assert path.gain, name
        assert path.upstream, name
        assert fast_paths.choose(name) is path.function
    assert "NumPy 2" in fast_paths.MEASURED


@pytest.mark.parametrize("size", SIZES)
def test_where_in_the_namespace(size):
    mask = rng.random(size) < 0.5
    x, y = (draw("float32", (size,)) for _ in range(2))
    found = xp.where(xp.asarray(mask), xp.asarray(x), xp.asarray(y)).numpy()
    assert found.tobytes() == np.where(mask, x, y).tobytes()


# ---- ARRAYGRAD_PLAIN


PROGRAM = """
import numpy as np, threading
import arraygrad as xp
from arraygrad import optim
from arraygrad._backends.numpy import fast_paths
ops = xp.Device("cpu").ops
print(ops["exp"] is np.exp, ops["moveaxis"] is np.moveaxis, xp.get_num_threads())
xp.set_num_threads(3)
x = xp.ones(2**20)
xp.exp(x), optim.Adam([x], lr=0.1).step([x])
print(threading.active_count(), xp.get_num_threads())
called = []
numpys = np.where
np.where = lambda *args: called.append(0) or numpys(*args)
xp.where(x > 0, xp.asarray(1.0, dtype=xp.float32), xp.asarray(0.0, dtype=xp.float32))
print(len(called))
"""


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("1", "True True 1 1 1"),
        ("0", "False False 2 4 3"),
        ("", "False False 2 4 3"),
    ],
)
def test_arraygrad_plain(plain, expected):
    environment = os.environ | {"ARRAYGRAD_PLAIN": plain, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(
        command, env=environment, timeout=60, check=True, capture_output=True, text=True
    )
    *words, called = done.stdout.split()
    assert " ".join(words) == expected
    assert called == "0" if plain != "1" else called in ("0", "1")
