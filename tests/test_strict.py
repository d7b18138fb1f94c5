"""Strict mode: the standard passes, all else raises and names the portable spelling."""

import threading

import numpy as np
import pytest

import arraygrad as xp

X = xp.asarray([1.0, 2.0, 3.0])
I = xp.asarray([1, 2, 3])
B = xp.asarray([False, True, True])
U = xp.asarray([1, 2, 3], dtype=xp.uint64)
Z = xp.asarray([1j, 2.0, 3.0])
M = xp.ones((2, 3))
H = xp.ones(3, dtype=xp.float16)

OUTSIDE = {
    "int + float tensor": (lambda: I + X, TypeError, r"xp\.astype\(x, xp\.float64\)"),
    "int + bool tensor": (lambda: I + B, TypeError, "numeric"),
    "int64 + uint64": (lambda: I + U, TypeError, "do not promote"),
    "int tensor + float": (lambda: I + 0.5, TypeError, r"xp\.astype\(x, xp\.float64\)"),
    "float - int tensor": (lambda: 0.5 - I, TypeError, r"xp\.astype"),
    "int tensor + complex": (lambda: I + 1j, TypeError, r"xp\.complex128"),
    "bool tensor + int": (lambda: B + 1, TypeError, "numeric"),
    "bool == int": (lambda: B == 1, TypeError, "outside the standard"),
    "float tensor, bool": (lambda: X + True, TypeError, "bool"),
    "sqrt of ints": (lambda: xp.sqrt(I), TypeError, r"xp\.astype\(x, xp\.float64\)"),
    "int / int": (lambda: I / I, TypeError, "divide"),
    "mean of ints": (lambda: xp.mean(I), TypeError, "mean"),
    "sum of bools": (lambda: xp.sum(B), TypeError, "numeric"),
    "max of complex": (lambda: xp.max(Z), TypeError, r"xp\.real"),
    "less with complex": (lambda: X < 1j, TypeError, "complex"),
    "fft of reals": (lambda: xp.fft.fft(X), TypeError, r"xp\.complex128"),
    "inv of ints": (lambda: xp.linalg.inv(xp.eye(2, dtype=xp.int64)), TypeError, "linalg.inv"),
    "logical_and of ints": (lambda: xp.logical_and(I, I), TypeError, "bool"),
    "where on ints": (lambda: xp.where(I, X, X), TypeError, "condition != 0"),
    "where of two kinds": (lambda: xp.where(B, X, I), TypeError, "promote"),
    "concat of two kinds": (lambda: xp.concat([X, I]), TypeError, "promote"),
    "result_type of two kinds": (lambda: xp.result_type(X, I), TypeError, "promote"),
    "result_type of float16": (lambda: xp.result_type(H), TypeError, "float16"),
    "result_type with scalar": (lambda: xp.result_type(I, 1.5), TypeError, "astype"),
    "dtype=float": (lambda: xp.zeros(2, dtype=float), TypeError, r"dtype=xp\.float64"),
    "dtype='float32'": (lambda: xp.zeros(2, dtype="float32"), TypeError, r"dtype=xp\.float32"),
    "astype int": (lambda: xp.astype(X, int), TypeError, r"dtype=xp\.int64"),
    "list index": (lambda: X[[0, 1]], IndexError, r"xp\.asarray"),
    "NumPy index": (lambda: X[np.asarray([0])], IndexError, r"xp\.asarray"),
    "too few indices": (lambda: M[0], IndexError, r"x\[i, \.\.\.\]"),
    "None alone": (lambda: X[None], IndexError, r"x\[i, \.\.\.\]"),
    "mask with an int": (lambda: M[0, B], IndexError, "only as the sole"),
    "array with slice": (lambda: M[I[:1] * 0, :], IndexError, "take"),
    "slice past the end": (lambda: X[1:7], IndexError, "min"),
    "slice before the start": (lambda: X[-9:2], IndexError, "slice"),
    "T of one axis": (lambda: X.T, ValueError, "mT"),
    "len": (lambda: len(X), TypeError, r"shape\[0\]"),
    "iteration over rows": (lambda: list(M), TypeError, "unstack"),
    "bool of a float": (lambda: bool(X[0]), TypeError, "any"),
    "bool of one element": (lambda: bool(B[:1]), TypeError, "any"),
    "NumPy scalar": (lambda: X * np.float32(2), TypeError, "item"),
    "float16 of data": (lambda: H + H, TypeError, "float16"),
    "float16 as dtype": (lambda: xp.zeros(2, dtype=xp.float16), TypeError, "float16"),
    "method view": (lambda: Z.view(float), TypeError, r"xp\.real"),
    "attribute real": (lambda: Z.real, TypeError, r"xp\.real"),
    "attribute imag": (lambda: Z.imag, TypeError, r"xp\.imag"),
    "method conj": (lambda: Z.conj(), TypeError, r"xp\.conj"),
    "transpose": (lambda: xp.transpose(M), TypeError, "permute_dims"),
    "logspace": (lambda: xp.logspace(0, 1, 2), TypeError, "linspace"),
    "diag": (lambda: xp.diag(X), TypeError, r"xp\.eye"),
}

INSIDE = {
    "int tensor + int": lambda: I + 1,
    "float tensor + int": lambda: X + 1,
    "float tensor + complex": lambda: X + 1j,
    "mixed floats": lambda: X + xp.asarray([1, 2, 3], dtype=xp.complex64),
    "mixed ints": lambda: I + xp.asarray([1, 2, 3], dtype=xp.uint8),
    "bools": lambda: B & True,
    "comparison": lambda: X == 1,
    "mask": lambda: X[B],
    "index array and int": lambda: M[I[:1], 0],
    "full index": lambda: M[0, :],
    "ellipsis and None": lambda: M[None, ..., 0],
    "slice to the end": lambda: X[1:3],
    "negative step": lambda: X[::-1],
    "negative step, ends given": lambda: X[2:-4:-1],
    "iteration over elements": lambda: list(X),
    "where scalar": lambda: xp.where(B, X, 0.0),
    "T of a matrix": lambda: M.T,
    "float of int": lambda: float(I[0]),
    "dtype object": lambda: xp.zeros(2, dtype=X.dtype),
    "np.float64 is a float": lambda: X * np.float64(2),
    "broadcast_arrays keeps dtypes": lambda: xp.broadcast_arrays(X, I),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_the_standard(case):
    run, error, words = OUTSIDE[case]
    run()  # without strict mode it has NumPy's answer
    with xp.strict(), pytest.raises(error, match=words):
        run()


@pytest.mark.parametrize("case", INSIDE)
def test_inside_the_standard(case):
    plain = INSIDE[case]()
    with xp.strict():
        strict = INSIDE[case]()
    assert repr(strict) == repr(plain)


@pytest.mark.parametrize(
    ("target", "value"),
    [(I, 1.5), (I, X), (xp.ones(3, dtype=xp.float32), X), (X, Z), (B, I)],
)
def test_writing_a_wider_dtype(target, value):
    before = repr(target)

    def assign():
        target[...] = value

    def add():
        nonlocal target
        target += value

    with xp.strict():
        for write in (assign, add):
            with pytest.raises(TypeError, match=r"^(__setitem__|__iadd__): "):
                write()
    assert repr(target) == before


def test_writing_a_narrower_dtype():
    x = xp.zeros(3)
    with xp.strict():
        x[...] = xp.ones(3, dtype=xp.float32)
        x += xp.ones(3, dtype=xp.float32)
        x *= 2
    assert x.tolist() == [4.0, 4.0, 4.0]


def test_lists_are_no_values():
    x = xp.zeros(2)
    with xp.strict(), pytest.raises(TypeError, match="asarray"):
        x[...] = [1.0, 2.0]


def test_scope():
    with xp.strict():
        with xp.strict(False):
            assert (I + 0.5).dtype == xp.float64
        with pytest.raises(TypeError):
            I + 0.5
    assert (I + 0.5).dtype == xp.float64
    with pytest.raises(ZeroDivisionError), xp.strict():
        raise ZeroDivisionError
    assert (I + 0.5).dtype == xp.float64


def test_other_threads_are_not_strict():
    found = []
    with xp.strict():
        thread = threading.Thread(target=lambda: found.append((I + 0.5).dtype))
        thread.start()
        thread.join()
    assert found == [xp.float64]
