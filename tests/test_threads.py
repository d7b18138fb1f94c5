"""Large arrays in parts: the same values as in one piece, the same warnings and errors."""

import operator
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import arraygrad as xp
from arraygrad._backends import _threads
from arraygrad._backends.numpy import _COSTLY, _COSTLY_OF_TWO

SIZE = _threads.LARGE + 12_346  # even, and a multiple of 5


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    monkeypatch.setattr(_threads, "_CORES", 2)
    monkeypatch.setattr(_threads, "_pool", None)


def close(found, whole, name=""):
    """Up to what NumPy's functions differ by where their loops begin and end."""
    found, whole = np.asarray(found), np.asarray(whole)
    rtol = 4 * np.finfo(whole.dtype).eps
    np.testing.assert_allclose(found, whole, rtol, err_msg=name, strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("name", _COSTLY.split())
def test_same_values(name, dtype):
    rng = np.random.default_rng(1)
    a = rng.uniform(0.1, 0.9, SIZE) + (1.0 if name == "acosh" else 0.0)
    a = (a + 1j * rng.uniform(0.1, 0.9, SIZE) if dtype[0] == "c" else a).astype(dtype)
    whole = np.concatenate([getattr(xp, name)(xp.asarray(p)).numpy() for p in np.split(a, 5)])
    x = xp.reshape(xp.asarray(a), (5, -1))
    found = getattr(xp, name)(x).numpy()
    assert found.shape == x.shape
    assert found.dtype == a.dtype
    close(found.reshape(-1), whole)
    assert _threads._pool is not None
    # Of other memory layouts, in one piece.
    np.testing.assert_array_equal(getattr(xp, name)(x.T).numpy(), getattr(xp, name)(x.T).numpy())


def test_warnings_and_errors():
    x = xp.asarray(np.linspace(-1.0, 1.0, SIZE))
    with pytest.warns(RuntimeWarning, match="invalid value"):
        xp.log(x)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(xp.log(x).numpy()).any()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        xp.log(x)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        xp.log(-x)  # in the other part
    with np.errstate(all="ignore"):
        xp.log(x)


def test_other_threads_compute_alone():
    x, found = xp.ones(SIZE), []
    t = threading.Thread(target=lambda: found.append(xp.exp(x)))
    t.start()
    t.join()
    assert _threads._pool is None
    np.testing.assert_array_equal(found[0].numpy(), np.exp(np.ones(SIZE)))


def test_number_of_cores(monkeypatch):
    for told, cores in (("1", 1), ("3", 3), ("", None), ("0", None), ("4,2", None)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert _threads._cores() == (cores or _threads._cores())
        assert _threads._cores() >= 1
    monkeypatch.setattr(_threads, "_CORES", 1)
    xp.exp(xp.ones(SIZE))
    assert _threads._pool is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_has_threads_of_its_own():
    code = (
        "import os, arraygrad as xp\n"
        "from arraygrad._backends import _threads\n"
        "_threads._CORES = 2\n"
        f"x = xp.ones({SIZE})\n"
        "xp.exp(x)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if float(xp.exp(x)[0]) > 2.7 else 1)\n"
        "raise SystemExit(os.waitpid(child, 0)[1])\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


ROWS = _threads.LARGE // 10 + 7
BOTH = {
    "alike": lambda a: (a, a[::-1].copy()),
    "number": lambda a: (a, 3),
    "number first": lambda a: (1.5, a),
    "no axes": lambda a: (a[0, 0], a),
    "a row": lambda a: (a, a[0]),
    "a row first": lambda a: (a[:1], a),
    "a column": lambda a: (a, a[:, :1].copy()),
    "one row": lambda a: (a.reshape(1, -1), a.reshape(1, -1)),
    "of another layout": lambda a: (a, np.asfortranarray(a[::-1])),
    "wider": lambda a: (a, a.astype("float64")),
    "integers": lambda a: (a, np.arange(1, 11, dtype="int8")),
}
IN_ONE_PIECE = {
    "of another layout first": lambda a: (np.asfortranarray(a), a),
    "stacked": lambda a: (a, a[None]),
    "stacks": lambda a: (a[None], np.stack([a[0], a[1]])[:, None]),
    "few rows": lambda a: (a.reshape(2, -1), a.reshape(2, -1)[:1]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [*BOTH, *IN_ONE_PIECE])
def test_same_values_of_two_operands(case, dtype, monkeypatch):
    a = np.random.default_rng(2).uniform(0.5, 2.0, (ROWS, 10)).astype(dtype)
    ours = [
        xp.asarray(x) if isinstance(x, (np.ndarray, np.generic)) else x
        for x in (BOTH | IN_ONE_PIECE)[case](a)
    ]
    names = [*_COSTLY_OF_TWO.split(), "pow", "special.xlogy"]
    if case == "integers":
        names = ["floor_divide", "pow", "remainder"]
    for name in names:
        function = operator.attrgetter(name)(xp)
        monkeypatch.setattr(_threads, "_CORES", 1)
        whole = function(*ours)
        monkeypatch.setattr(_threads, "_CORES", 2)
        found = function(*ours)
        close(found, whole, name)
    assert (_threads._pool is None) == (case in IN_ONE_PIECE)


@pytest.mark.parametrize("exponent", [2, 0.5, -1, 3, 2.5])
def test_same_values_of_powers(exponent):
    a = np.linspace(-1.0, 1.0, 10 * ROWS)
    a[::1000] = -0.0
    a[1::1000] = -np.inf
    with np.errstate(all="ignore"):
        whole = np.concatenate([(xp.asarray(p) ** exponent).numpy() for p in np.split(a, 10)])
        found = (xp.asarray(a) ** exponent).numpy()
    close(found, whole)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(whole))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_same_values_along_an_axis(name, axis):
    x = xp.asarray(np.random.default_rng(3).standard_normal((ROWS, 10)))
    function = getattr(xp.special, name)
    found = function(x, axis=axis)
    assert (_threads._pool is None) == (axis in (0, None))
    if axis in (1, -1):
        close(
            found, np.concatenate([function(xp.asarray(p), axis=1) for p in np.split(x, [9, 99])])
        )
    total = xp.sum(found if name == "softmax" else xp.exp(found), axis=axis)
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["erf", "gammaln", "ndtr", "gammasgn", "expit"])
def test_same_values_of_special_functions(name):
    a = np.linspace(-3.1, 5.2, 10 * ROWS)
    function = getattr(xp.special, name)
    whole = np.concatenate([function(xp.asarray(p)).numpy() for p in np.split(a, 10)])
    close(function(xp.asarray(a)), whole)
    assert _threads._pool is not None


def test_sizes_that_do_not_fit_say_so():
    x = xp.ones((ROWS, 10))
    for y in (xp.ones(9), xp.ones((ROWS - 1, 10)), xp.ones((2, 1, 9))):
        with pytest.raises(ValueError, match=r"hypot: .*broadcast"):
            xp.hypot(x, y)
