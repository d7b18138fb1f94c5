"""Bad input: each gets the error of the right class, naming the function and what it got."""

import importlib
import operator
import re
import subprocess
import sys

import numpy as np
import pytest

import arraygrad as xp
import arraygrad.autodiff
import arraygrad.nn
from arraygrad import _hints, _standard, autodiff
from conformance import fuzz

X = xp.asarray([1.0, 2.0, 3.0])
I = xp.asarray([1, 2, 3])
B = xp.asarray([True, False, True])
Z = xp.asarray([1j, 2.0])
M = xp.ones((2, 3))
N = np.ones(3)

TABLE = {
    # wrong kinds of operands
    "a string": (lambda: xp.add(X, "a"), TypeError, "add: .*'a'"),
    "None": (lambda: X + None, TypeError, "unsupported operand"),
    "None as a value": (lambda: X.__setitem__(0, None), TypeError, "__setitem__: .*got None"),
    "None to where": (lambda: xp.where(B, X, None), TypeError, "where: .*got None"),
    "None to logical_and": (lambda: xp.logical_and(B, None), TypeError, "logical_and: .*None"),
    "None among tensors": (lambda: xp.broadcast_arrays(X, None), TypeError, "broadcast_.*None"),
    "a list": (lambda: xp.sin([1.0]), TypeError, r"sin: .*\[1\.0\]; .* by arraygrad.asarray\(x\)"),
    "astype of an array": (lambda: xp.astype(N, xp.int8), TypeError, "astype: .*convert it first"),
    "einsum of an array": (lambda: xp.einsum("i", N), TypeError, "einsum: .*convert it first"),
    "nanmean of a list": (lambda: xp.nanmean([1.0]), TypeError, "nanmean: .*arraygrad.asarray"),
    "zeros_like of a list": (lambda: xp.zeros_like([1]), TypeError, "zeros_like: .*asarray"),
    "a number": (lambda: xp.exp(0.5j), TypeError, "exp: .* by arraygrad.asarray"),
    "NumPy's name": (lambda: xp.concatenate, AttributeError, "'concatenate'; .*arraygrad.concat$"),
    "NumPy's norm": (lambda: xp.linalg.norm, AttributeError, "'norm'; .*vector_norm"),
    "PyTorch's name": (
        lambda: xp.cat,
        AttributeError,
        "has no attribute 'cat'; write arraygrad.concat",
    ),
    "JAX's name": (lambda: xp.autodiff.jacfwd, AttributeError, "jacobian.*forward"),
    "a name of nobody": (lambda: xp.concatenated, AttributeError, "'concatenated'$"),
    "no tensor at all": (lambda: xp.add(1, 2), TypeError, "add: .*Tensor; got 1, 2"),
    "an object": (lambda: xp.add(X, object()), TypeError, "add"),
    "None in a list": (lambda: xp.asarray([1, None]), TypeError, "asarray: .*object"),
    "a dict": (lambda: xp.asarray({"a": 1}), TypeError, "asarray"),
    "text": (lambda: xp.asarray("abc"), TypeError, "asarray: .*<U3"),
    "bytes": (lambda: xp.asarray(b"abc"), TypeError, "asarray: .*S3"),
    "dates": (lambda: xp.asarray(np.array(["2020-01-01"], "M8[D]")), TypeError, "datetime64"),
    "records": (lambda: xp.asarray(np.zeros(2, dtype="i4,f4")), TypeError, "asarray"),
    "ragged lists": (lambda: xp.asarray([[1, 2], [3]]), ValueError, "asarray: .*inhomogeneous"),
    "ragged tensors": (lambda: xp.asarray([X, X[:2]]), ValueError, r"asarray: .*\(3,\), \(2,\)"),
    "masked array": (lambda: xp.asarray(np.ma.masked_equal([1, 2], 1)), TypeError, "mask"),
    "long double": (lambda: xp.asarray(N.astype("g")), TypeError, "asarray: .*float128|longdouble"),
    "calling Tensor": (lambda: xp.Tensor([1]), TypeError, "Tensor: .*asarray"),
    "an operand too many": (lambda: xp.add(X, X, X), TypeError, "add"),
    "tensor as axis": (lambda: xp.sum(X, axis=X), TypeError, "sum"),
    "float axis": (lambda: xp.sum(X, axis=0.5), TypeError, "sum: .*axis=0.5"),
    # foreign arrays
    "ndarray on the right": (lambda: X + N, TypeError, "add: .*ndarray.*asarray"),
    "ndarray on the left": (lambda: N * X, TypeError, "multiply: .*ndarray.*asarray"),
    "ndarray compared": (lambda: N < X, TypeError, "greater|less"),
    "ndarray to a function": (lambda: xp.sum(N), TypeError, "sum: .*ndarray.*asarray"),
    "ndarray in a list": (lambda: xp.concat([X, N]), TypeError, "concat: .*ndarray.*asarray"),
    "ndarray as a value": (lambda: X.__setitem__(0, N), TypeError, "ndarray.*asarray"),
    "ndarray to where": (lambda: xp.where(B, X, N), TypeError, "where: .*ndarray.*asarray"),
    "take from a list": (lambda: xp.take([1], I), TypeError, r"take: .*\[1\]"),
    "take by bools": (lambda: xp.take(X, B), TypeError, "take: indices .*bool"),
    "take by floats": (lambda: xp.take(X, X), TypeError, "take: indices .*float64"),
    "sort of a list": (lambda: xp.sort([2, 1]), TypeError, r"sort: .*\[2, 1\]"),
    "argsort of None": (lambda: xp.argsort(None), TypeError, "argsort: .*None"),
    "cumulative_sum of a list": (
        lambda: xp.cumulative_sum([1], dtype=xp.float32),
        TypeError,
        r"cumulative_sum: expected a Tensor; got \[1\]",
    ),
    "concat of a number": (lambda: xp.concat(5), TypeError, "concat: .*sequence.*got 5"),
    "stack of None": (lambda: xp.stack(None), TypeError, "stack: .*sequence.*got None"),
    "a bool as condition": (lambda: xp.where(True, X, X), TypeError, "where: .*instead of True"),
    "finfo of None": (lambda: xp.finfo(None), TypeError, "finfo: .*None"),
    "result_type of None": (lambda: xp.result_type(None), TypeError, "result_type: .*None"),
    "can_cast to None": (lambda: xp.can_cast(xp.int8, None), TypeError, "can_cast: .*None"),
    "isdtype of None": (lambda: xp.isdtype(None, "bool"), TypeError, "isdtype: .*None"),
    "fractional roll": (lambda: xp.roll(X, 1.5), TypeError, "roll: shift .*1.5"),
    "fractional repeat": (lambda: xp.repeat(X, 1.5), TypeError, "repeat: .*1.5"),
    "einsum of a number": (lambda: xp.einsum(5, X), TypeError, "einsum: subscripts .*5"),
    "einsum of signs": (lambda: xp.einsum("i$->i", M), ValueError, r"einsum: .*'i\$'"),
    "multigammaln of text": (
        lambda: xp.special.multigammaln(X, "a"),
        ValueError,
        "multigammaln: d must be .*'a'",
    ),
    "num is a tuple": (lambda: xp.linspace(0, 1, (3, 4)), TypeError, r"linspace: num .*\(3, 4\)"),
    "num is a float": (lambda: xp.linspace(0, 1, 2.0), TypeError, "linspace: num .*2.0"),
    # dtypes
    "unknown dtype": (lambda: xp.zeros(2, dtype="S2"), TypeError, "zeros: dtype .*'S2'"),
    "dtype=str": (lambda: xp.astype(X, str), TypeError, "astype: dtype .*str"),
    "dtype=object": (lambda: xp.sum(X, dtype=object), TypeError, "sum: dtype .*object"),
    "dtype is a tensor": (lambda: xp.ones(2, dtype=X), TypeError, "ones: dtype"),
    "complex to real": (lambda: xp.astype(Z, xp.float64), TypeError, "astype: .*imaginary"),
    "complex into real": (lambda: X.__setitem__(0, 1j), TypeError, "__setitem__: .*complex"),
    "float into int, in place": (lambda: I.__iadd__(0.5), TypeError, "^__iadd__: "),
    "complex NumPy data as real": (
        lambda: xp.asarray(np.asarray([1j]), dtype=xp.float64),
        TypeError,
        "imaginary",
    ),
    "full of complex as real": (
        lambda: xp.full(2, 1j, dtype=xp.float64),
        TypeError,
        "full: .*imag",
    ),
    "complex linspace as real": (
        lambda: xp.linspace(0, 1j, 3, dtype=xp.float32),
        TypeError,
        "linspace: .*imaginary",
    ),
    "sum of complex as real": (lambda: xp.sum(Z, dtype=xp.float64), TypeError, "sum: .*imaginary"),
    "float axis of a traced one": (
        lambda: xp.sum(X, axis=xp.ones(2).requires_grad_()),
        TypeError,
        "sum: ",
    ),
    "bits of recorded floats": (
        lambda: operator.iand(2 * xp.ones(3).requires_grad_(), I),
        TypeError,
        "bitwise_and: not defined for these dtypes",
    ),
    "repeated by recorded floats": (
        lambda: xp.repeat(X, xp.ones(3).requires_grad_()),
        TypeError,
        "repeat: repeats must be",
    ),
    "NaN as int": (lambda: xp.full(2, xp.nan, dtype=xp.int64), ValueError, "full: .*NaN"),
    "infinity as int": (lambda: xp.full_like(I, xp.inf), OverflowError, "full_like: .*infinity"),
    "300.0 as uint8": (lambda: xp.full(2, 300.0, dtype=xp.uint8), OverflowError, "full: .*300"),
    "NumPy's 300 as int8": (
        lambda: xp.zeros(1, dtype=xp.int8).__setitem__(0, np.float32(300)),
        OverflowError,
        "__setitem__: .*300",
    ),
    "300 in a list written into int8": (
        lambda: xp.zeros(3, dtype=xp.int8).__setitem__(..., [1, 2, 300]),
        OverflowError,
        "__setitem__: .*300",
    ),
    "300 beside a tensor as int8": (
        lambda: xp.asarray([I[0], 300], dtype=xp.int8),
        OverflowError,
        "asarray: .*300",
    ),
    "NaN in a list written into ints": (
        lambda: I.__setitem__(..., [1, xp.nan, 2]),
        ValueError,
        "__setitem__: .*NaN",
    ),
    "complex in a list written into floats": (
        lambda: X.__setitem__(..., [1, 1j, 2]),
        TypeError,
        "__setitem__: .*imaginary",
    ),
    "text as numbers": (lambda: xp.asarray(["1"], dtype=xp.float64), TypeError, "asarray: text"),
    "an array of text as numbers": (
        lambda: xp.asarray(np.asarray(["1"]), dtype=xp.int64),
        TypeError,
        "asarray: text",
    ),
    "None as NaN": (lambda: xp.asarray([[None]], dtype=xp.float64), TypeError, "asarray: .*None"),
    "None in a list written": (lambda: X.__setitem__(..., [1, None, 2]), TypeError, "None"),
    "linspace beyond int8": (
        lambda: xp.linspace(0, 300, 4, dtype=xp.int8),
        OverflowError,
        "linspace: 300 does not fit int8",
    ),
    "linspace to NaN as ints": (
        lambda: xp.linspace(0, xp.nan, 4, dtype=xp.int64),
        ValueError,
        "linspace: .*NaN",
    ),
    "arange of floats beyond int8": (
        lambda: xp.arange(0.0, 300.0, 100.0, dtype=xp.int8),
        OverflowError,
        "arange: 200 does not fit int8",
    ),
    "a value as dtype": (lambda: xp.ones(2, dtype=np.float64(0.5)), TypeError, "ones: dtype"),
    "PyTorch's transpose": (lambda: M.transpose(0, 1), ValueError, r"transpose: .*x\.mT"),
    "PyTorch's transpose from the end": (
        lambda: M.transpose(-2, -1),
        ValueError,
        r"transpose: .*permute_dims\(x",
    ),
    "PyTorch's transpose of three axes": (
        lambda: xp.ones((2, 3, 4)).transpose(1, 2),
        ValueError,
        r"transpose: .*x\.mT",
    ),
    "tensordot of too many axes": (lambda: xp.tensordot(X, X, axes=2**62), ValueError, "tensordot"),
    "check_grads of ints": (
        lambda: autodiff.check_grads(xp.sum, (I,)),
        TypeError,
        r"check_grads: args\[0\] must be a tensor of a floating-point dtype",
    ),
    "where out of range": (
        lambda: xp.where(B, xp.ones(3, dtype=xp.int8), 300),
        OverflowError,
        "where: .*300",
    ),
    "like a list": (lambda: xp.zeros_like([1]), TypeError, r"zeros_like: .*\[1\]"),
    "astype of a list": (lambda: xp.astype([1], xp.int8), TypeError, "astype: expected a Tensor"),
    "bits of floats": (lambda: ~X, TypeError, "bitwise_invert: .*float64"),
    "shift of floats": (lambda: X << 1, TypeError, "bitwise_left_shift: .*float64"),
    "negative of bools": (lambda: -B, TypeError, "negative: .*bool"),
    "bools subtracted": (lambda: B - B, TypeError, "subtract: .*bool"),
    "clip to a complex end": (lambda: xp.clip(X, 0, 1j), TypeError, "clip: .*1j"),
    "clip to a complex tensor": (lambda: xp.clip(X, Z[0], None), TypeError, "clip: .*complex128"),
    "floor of complex": (lambda: xp.floor(Z), TypeError, "floor: .*complex128"),
    "atan2 of complex": (lambda: xp.atan2(Z, Z), TypeError, "atan2: .*complex128"),
    "kind unknown": (lambda: xp.isdtype(xp.int8, "int"), ValueError, "isdtype: kind .*'int'"),
    "finfo of ints": (lambda: xp.finfo(xp.int8), TypeError, "finfo: .*int8"),
    "iinfo of floats": (lambda: xp.iinfo(X), TypeError, "iinfo: .*float64"),
    "result_type of nothing": (lambda: xp.result_type(), ValueError, "result_type"),
    "fftfreq of ints": (lambda: xp.fft.fftfreq(4, dtype=xp.int64), TypeError, "fftfreq: dtype"),
    # numbers out of range
    "huge int": (lambda: xp.asarray(2**64), OverflowError, "asarray: .*18446744073709551616"),
    "huge int in a list": (lambda: xp.asarray([1, -(2**70)]), OverflowError, "asarray"),
    "huge int as operand": (lambda: I + 2**70, OverflowError, "add: .*1180591620717411303424"),
    "int8 + 300": (lambda: xp.ones(1, dtype=xp.int8) + 300, OverflowError, "add: .*300.*int8"),
    "-1 as uint8": (lambda: xp.asarray([-1], dtype=xp.uint8), OverflowError, "asarray: .*-1"),
    "full of a huge int": (lambda: xp.full(2, 2**70), OverflowError, "full"),
    "arange of huge ints": (lambda: xp.arange(2**70, 2**70 + 2), OverflowError, "arange"),
    "linspace to a huge int": (lambda: xp.linspace(0, 10**400, 3), OverflowError, "linspace"),
    "arange beyond int64": (lambda: xp.arange(2**63 - 2, 2**63 + 1), OverflowError, "arange: 922"),
    "arange beyond int8": (
        lambda: xp.arange(0, 300, 100, dtype=xp.int8),
        OverflowError,
        "arange: 200 does not fit int8",
    ),
    "ints without a dtype": (
        lambda: xp.asarray([-1, 2**63]),
        OverflowError,
        "asarray: .*-1.*uint64",
    ),
    "int to a negative power": (lambda: I**-1, ValueError, "pow: .*negative"),
    # shapes
    "negative size": (lambda: xp.zeros(-1), ValueError, "zeros: shape .*-1"),
    "negative size in a tuple": (lambda: xp.ones((2, -3)), ValueError, r"ones: shape .*\(2, -3\)"),
    "float size": (lambda: xp.empty(2.5), TypeError, "empty: shape .*2.5"),
    "text as size": (lambda: xp.zeros("3"), TypeError, "zeros: shape .*'3'"),
    "absurd size": (lambda: xp.zeros(10**30), ValueError, "zeros"),
    "more than memory": (lambda: xp.zeros(10**16), (MemoryError, ValueError), "zeros"),
    "too many axes": (lambda: xp.zeros((1,) * 65), ValueError, "zeros"),
    "negative eye": (lambda: xp.eye(-2), ValueError, "eye"),
    "negative num": (lambda: xp.linspace(0, 1, -1), ValueError, "linspace: .*-1"),
    "shapes do not broadcast": (lambda: X + xp.ones(2), ValueError, r"add: .*\(3,\).*\(2,\)"),
    "in place, wider": (lambda: X.__iadd__(xp.ones((2, 3))), ValueError, "^__iadd__: "),
    "value does not fit": (lambda: X.__setitem__(..., xp.ones(2)), ValueError, "broadcast"),
    "reshape": (lambda: xp.reshape(X, (2, 2)), ValueError, r"reshape: .*\(2, ?2\)"),
    "two unknowns": (lambda: xp.reshape(X, (-1, -1)), ValueError, "reshape"),
    "broadcast_to": (lambda: xp.broadcast_to(X, (2, 2)), ValueError, "broadcast_to"),
    "broadcast_shapes": (lambda: xp.broadcast_shapes((2,), (3,)), ValueError, "broadcast_shapes"),
    "concat": (lambda: xp.concat([M, X]), ValueError, "concat"),
    "concat of nothing": (lambda: xp.concat([]), (TypeError, ValueError), "concat"),
    "stack": (lambda: xp.stack([X, X[:2]]), ValueError, "stack"),
    "stack a number": (lambda: xp.stack([X[0], 1.0]), TypeError, "stack: expected a Tensor"),
    "concat a number": (
        lambda: xp.concat([X, 1.0]),
        TypeError,
        "concat: expected a Tensor.*numbers and lists",
    ),
    "matmul": (lambda: M @ M, ValueError, r"matmul: .*\(2, 3\)"),
    "matmul of scalars": (lambda: M @ 2, (TypeError, ValueError), "matmul"),
    "solve not square": (lambda: xp.linalg.solve(M, X), ValueError, "linalg.solve"),
    "inv of a vector": (lambda: xp.linalg.inv(X), ValueError, "linalg.inv"),
    "singular": (lambda: xp.linalg.inv(xp.zeros((2, 2))), ValueError, "linalg.inv: .*[Ss]ingular"),
    "not definite": (lambda: xp.linalg.cholesky(-xp.eye(2)), ValueError, "linalg.cholesky"),
    "max of nothing": (lambda: xp.max(X[:0]), ValueError, "max"),
    "argmin of nothing": (lambda: xp.argmin(X[:0]), ValueError, "argmin"),
    "fft of length 0": (lambda: xp.fft.fft(X, n=0), ValueError, "fft.fft"),
    "fftfreq of none": (lambda: xp.fft.fftfreq(0), ValueError, "fft.fftfreq: .*got 0"),
    "tril of one axis": (lambda: xp.tril(X), ValueError, r"tril: .*\(3,\)"),
    "triu of no axes": (lambda: xp.triu(X[0]), ValueError, r"triu: .*\(\)"),
    "median of nothing": (lambda: xp.median(X[:0]), ValueError, "^median: .*at least one element"),
    "in place, an axis more": (
        lambda: M.__ifloordiv__(xp.full((1, 2, 3), xp.inf)),
        ValueError,
        "^__ifloordiv__: ",
    ),
    "fft norm": (lambda: xp.fft.fft(X, norm="no"), ValueError, "fft.fft: .*no"),
    # axes
    "axis": (lambda: xp.sum(X, axis=1), ValueError, "sum: axis 1"),
    "negative axis": (lambda: xp.mean(M, axis=-3), ValueError, "mean: axis -3"),
    "axis twice": (lambda: xp.sum(M, axis=(0, 0)), ValueError, "sum"),
    "sort": (lambda: xp.sort(X, axis=2), ValueError, "sort: axis 2"),
    "expand_dims": (lambda: xp.expand_dims(X, axis=3), ValueError, "expand_dims: axis 3"),
    "squeeze": (lambda: xp.squeeze(M, axis=0), ValueError, "squeeze"),
    "permute_dims": (lambda: xp.permute_dims(M, (0, 0)), ValueError, "permute_dims"),
    "permute too few": (lambda: xp.permute_dims(M, (0,)), ValueError, "permute_dims"),
    "moveaxis": (lambda: xp.moveaxis(M, 0, 5), ValueError, "moveaxis"),
    "flip": (lambda: xp.flip(X, axis=1), ValueError, "flip: axis 1"),
    "unstack of no axes": (lambda: xp.unstack(X[0]), ValueError, "unstack"),
    "nonzero of no axes": (lambda: xp.nonzero(X[0]), ValueError, "nonzero"),
    "mT of one axis": (lambda: X.mT, ValueError, "matrix_transpose"),
    "cumulative_sum": (lambda: xp.cumulative_sum(M), ValueError, "cumulative_sum: .*axis"),
    # indices
    "out of bounds": (lambda: X[3], IndexError, "3 is out of bounds"),
    "too many": (lambda: X[0, 0], IndexError, "too many indices"),
    "two ellipses": (lambda: M[..., ...], IndexError, "ellipsis"),
    "float index": (lambda: X[1.5], IndexError, "1.5"),
    "text index": (lambda: X["a"], IndexError, "'a'"),
    "array of text as index": (lambda: X[np.asarray(["a"])], IndexError, "__getitem__: .*<U1"),
    "float tensor index": (lambda: I[X], IndexError, "float64"),
    "mask of another shape": (lambda: M[B], IndexError, "boolean"),
    "step 0": (lambda: X[::0], ValueError, "step"),
    "take out of bounds": (lambda: xp.take(X, I + 5), IndexError, "take"),
    "take without an axis": (lambda: xp.take(M, I - 1), ValueError, "take: axis"),
    "argsort of no axes": (lambda: xp.argsort(X[0]), ValueError, "argsort"),
    "take of a list": (lambda: xp.take(X, [0]), TypeError, r"take: .*\[0\]"),
    "repeat negative": (lambda: xp.repeat(X, -1), ValueError, "repeat"),
    # devices
    "unknown device": (lambda: xp.zeros(2, device="tpu"), ValueError, "'tpu'.*'cpu'"),
    "device not a name": (lambda: xp.zeros(2, device=3), TypeError, "zeros: expected a name .*3"),
    "device index": (lambda: xp.Device("cuda:x"), ValueError, "'cuda:x'"),
    "second cpu": (lambda: xp.Device("cpu:1"), ValueError, "cpu:1"),
    "to nowhere": (lambda: X.to_device(None), TypeError, "to_device: .*None"),
    "stream on the CPU": (lambda: X.to_device("cpu", stream=1), ValueError, "stream"),
    "api version": (lambda: X.__array_namespace__(api_version="1"), ValueError, "'1'"),
    # conversions
    "float of many": (lambda: float(X), TypeError, r"__float__: .*\(3,\)"),
    "bool of many": (lambda: bool(X), TypeError, "ambiguous"),
    "index of a float": (lambda: range(3)[X[0]], TypeError, "__index__: .*float64"),
    "float of complex": (lambda: float(Z[0]), TypeError, "__float__: .*complex128"),
    "item of many": (lambda: X.item(), ValueError, r"item: .*\(3,\)"),
    "len of no axes": (lambda: len(X[0]), TypeError, "len"),
    "iteration over no axes": (lambda: list(X[0]), TypeError, "iteration"),
    "format of many": (lambda: f"{X:.2f}", TypeError, r"__format__: .*\.2f"),
    "hash": (lambda: hash(X), TypeError, "unhashable"),
    "attribute": (lambda: setattr(X, "colour", 1), AttributeError, "colour"),
    # copies that were forbidden
    "list, copy=False": (lambda: xp.asarray([1], copy=False), ValueError, "asarray: .*copy"),
    "cast, copy=False": (
        lambda: xp.asarray(X, dtype=xp.float32, copy=False),
        ValueError,
        "asarray: .*copy=False",
    ),
    "reshape, copy=False": (
        lambda: xp.reshape(M.mT, (6,), copy=False),
        ValueError,
        "reshape",
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_bad_input(case):
    run, error, words = TABLE[case]
    before = [repr(t) for t in (X, I, B, Z, M)]
    with pytest.raises(error, match=words):
        run()
    assert [repr(t) for t in (X, I, B, Z, M)] == before  # nothing half-written


@pytest.mark.parametrize("part", [*fuzz.PARTS])
def test_odd_arguments_raise_errors_that_name_the_function(part):
    """Some thousand calls; ``python -m conformance fuzz`` makes more."""
    calls, errors, faults = fuzz.fuzz(20, part=part)
    assert errors > calls / 5
    assert faults == {}


def test_the_fuzz_tells_bad_errors():
    for error, wrong in (
        (KeyError("iand"), "class KeyError"),
        (RecursionError("add: deep"), "class RecursionError"),
        (TypeError("empty: no"), "does not name the function"),
        (TypeError("add: ufunc 'add' did not"), "speaks of 'ufunc'"),
        (OverflowError("add: Python int too large to convert to C long"), "speaks of 'to C long'"),
        (TypeError("add: expected a Tensor"), None),
        (TypeError("add() missing 1 required positional argument: 'x2'"), None),
    ):
        assert fuzz.fault("add", error) == wrong


@pytest.mark.parametrize("name", sorted(_standard.MUTATING - {"__setitem__"}))
def test_errors_of_in_place_operators_name_the_operator(name):
    x = xp.asarray([1, 2, 3]) if _standard.KINDS[name] in ("iu", "biu") else xp.ones(3)
    others = [
        (xp.ones((2, 3, 3), dtype=x.dtype), ValueError),
        (np.ones(3), TypeError),
        (xp.ones(3, dtype=x.dtype, device="strict:1"), xp.DeviceMismatchError),
    ]
    for other, error in others:
        with pytest.raises(error, match=f"^{name}: "):
            getattr(x, name)(other)
    if x.dtype.kind == "f":
        leaf = xp.ones((3, 3)).requires_grad_()
        with pytest.raises(RuntimeError, match=f"^{name}: a leaf"):
            getattr(leaf, name)(leaf)
        with xp.strict(), pytest.raises(TypeError, match=f"^{name}: "):
            getattr(x, name)(xp.asarray([1, 2, 3]))


def test_errors_of_full_of_a_tensor_name_full():
    there = xp.ones((), device="strict:1")
    for error, call in (
        (xp.DeviceMismatchError, lambda: xp.full(2, there, device="cpu")),
        (xp.DeviceMismatchError, lambda: xp.full_like(X, there)),
        (TypeError, lambda: xp.full(2, xp.asarray(1j), dtype=xp.float32)),
    ):
        with pytest.raises(error, match=r"^full(_like)?: "):
            call()


def test_the_names_that_errors_give_are_there():
    for part in set(_hints.PARTS) - {"distributed"}:  # which needs Dask
        importlib.import_module(f"arraygrad.{part}")
    for module, hints in ((xp, _hints.NUMPY | _hints.PYTORCH), (xp.linalg, _hints.LINALG)):
        for old, new in hints.items():
            assert not hasattr(module, old)
            for name in new.split(" or "):
                package, _, path = name.partition(".")
                operator.attrgetter(path)(pytest.importorskip(package))
    for owner, hints in (
        (xp.autodiff, _hints.JAX),
        (xp.autodiff, _hints.AUTOGRAD),
        (xp, _hints.JAX),
        (xp, _hints.NAMES),
        (xp.linalg, _hints.LINALG_CODE),
        (xp.random, _hints.RANDOM),
        (xp.random.default_rng(0), _hints.GENERATOR),
        (xp.nn, _hints.NN),
        (xp.nn.ReLU(), _hints.MODULE),
        (xp.optim, _hints.OPTIM),
        (xp.optim.SGD([xp.ones(2)], lr=0.1), _hints.OPTIMIZER),
        (xp.data, _hints.DATA),
    ):
        for name, hint in hints.items():
            with pytest.raises(AttributeError, match=re.escape(f"{name!r}; write {hint}")):
                getattr(owner, name)
    assert callable(eval("lambda f: " + _hints.JAX["jacfwd"], vars(xp))(xp.sin))


def test_a_part_that_was_not_imported_says_so():
    code = "import arraygrad as xp; xp.nn"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "has no attribute 'nn'; write from arraygrad import nn" in found.stderr


def test_what_is_written_for_methods_that_tensors_lack(tmp_path):
    given = {
        "xp": xp, "arraygrad": xp, "y": xp.ones((2, 2)), "mask": xp.ones((2, 2)) > 0, "value": 2.0,
        "axes": (1, 0), "shape": (3, 2, 2), "low": 0.0, "high": 1.0, "dtype": xp.float32, "n": 3,
        "times": (2, 1), "indices": xp.asarray([[0, 0], [0, 0]]), "places": xp.asarray([0]),
        "values": [1.0], "rng": xp.random.default_rng(0), "device": "cpu", "i": 0, "j": 1,
        "path": tmp_path / "x",
    }  # fmt: skip
    for name, hint in _hints.METHODS.items():
        tensors = [xp.ones((2, 2))]
        if "grad" not in name:
            tensors.append(xp.autodiff.variable(tensors[0]))
        for x in tensors:
            assert not hasattr(x, name)
            assert name not in dir(x)
            with pytest.raises(AttributeError, match=f"'{type(x).__name__}' .* '{name}'; write"):
                getattr(x, name)
        for way in re.split(", or ", re.split("(?<! ): ", hint)[0]):
            if "cuda" not in way:
                x = xp.ones({"squeeze": (1, 2), "resize": (3, 4)}.get(name, (2, 2)))
                exec(way, given | {"x": x})
    assert "T" in dir(xp.ones(2))
    assert "grad" in dir(xp.autodiff.variable(xp.ones(2)))


def test_arrays_of_other_libraries_are_called_by_their_library():
    other = pytest.importorskip("array_api_strict").ones(3)
    with pytest.raises(TypeError, match=r"add: .*got array_api_strict\.Array\(shape=\(3,\)"):
        X + other


def test_odd_buffers():
    """Unusual layouts are no errors; they read as what they are."""
    a = np.arange(24.0).reshape(2, 3, 4)
    for view in (a[:, ::-1, ::2], a.T, np.broadcast_to(a[0, 0], (3, 4)), a[:0], a[0, 0, 0]):
        x = xp.asarray(view)
        assert x.shape == view.shape
        assert x.tolist() == view.tolist()
        assert xp.sum(x * 2).tolist() == view.sum() * 2
    swapped = xp.asarray(a.astype(">f4"))
    assert swapped.dtype == xp.float32
    assert (swapped + 1).tolist() == (a + 1).tolist()


def test_overlapping_memory():
    """An in-place operation on overlapping views reads before it writes."""
    x = xp.arange(5.0)
    x[1:] += x[:-1]
    assert x.tolist() == [0.0, 1.0, 3.0, 5.0, 7.0]
    x[1:] = x[:-1]
    assert x.tolist() == [0.0, 0.0, 1.0, 3.0, 5.0]


@pytest.mark.parametrize("n", [3, 40])
def test_an_overlapping_write_writes_the_values_from_before(device, n):
    """What is recorded is the same as what is written."""
    a = np.arange(float(n * n)).reshape(n, n)
    column, row = a[:, 2].copy(), a[1].copy()

    def by_row(x):
        x[1] = x[:, 2]
        return x

    def by_column(x):
        x[:, 2] = x[1]
        return x

    def reversed_rows(x):
        x[...] = x[::-1]
        return x

    def by_mask(x):
        x[x[0, :] >= 0] = x.T
        return x

    for write in (by_row, by_column, reversed_rows, by_mask):
        plain = write(xp.asarray(a, device=device, copy=True))
        recorded = write(1 * xp.asarray(a, device=device).requires_grad_())
        assert (plain == recorded.detach()).all()
    with xp.default_device(device):
        assert (by_row(xp.asarray(a, copy=True))[1].numpy() == column).all()
        assert (by_column(xp.asarray(a, copy=True))[:, 2].numpy() == row).all()
    shared = a.copy()  # seen by two tensors, of which neither is a view of the other
    x, y = xp.from_numpy(shared[1]), xp.from_numpy(shared[:, 2])
    x[...] = y
    assert (shared[1] == column).all()


def test_a_view_of_a_view_takes_a_recorded_value_in_place():
    v = xp.asarray([2.0, 3.0]).requires_grad_()

    def twice_indexed(v):
        b = xp.ones((2, 4))
        b[1][1:3] += v
        return b

    def once_indexed(v):
        b = xp.ones((2, 4))
        b[1, 1:3] += v
        return b

    for f in (twice_indexed, once_indexed):
        assert f(v).detach().tolist() == [[1, 1, 1, 1], [1, 3, 4, 1]]
        weights = xp.reshape(xp.arange(8.0), (2, 4))
        assert autodiff.grad(lambda v, f=f: xp.sum(f(v) * weights))(v.detach()).tolist() == [5, 6]
        out, tangent = autodiff.jvp(f, (v.detach(),), (xp.ones(2),))
        assert (out.tolist()[1], tangent.tolist()[1]) == ([1, 3, 4, 1], [0, 1, 1, 0])
        v.grad = None
        xp.sum(f(v) * weights).backward()
        assert v.grad.tolist() == [5, 6]


def test_tensors_on_two_devices_in_a_list():
    with pytest.raises(xp.DeviceMismatchError, match="strict:1"):
        xp.asarray([X, xp.ones(3, device="strict:1")])
    moved = xp.asarray([X, X], device="strict:1")
    assert moved.device == "strict:1"
