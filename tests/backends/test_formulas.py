"""Formulas: the same bits by NumPy's functions and as compiled, and their written form in C."""

from pathlib import Path

import numpy as np
import pytest

from arraygrad._backends.numpy import activations, c_code, exponentials, formulas, table

OPS = table.make_table()
rng = np.random.default_rng(0)
needs_compiler = pytest.mark.skipif(not formulas._compiled, reason="formulas are not compiled")
SIZES = [0, 1, 3, 17, 3000, 300000]


def bits(x):
    """The bits of numbers; a NaN is a NaN, whatever its bits."""
    found = x.view({2: np.int16, 4: np.int32, 8: np.int64}[x.dtype.itemsize])
    return np.where(np.isnan(x), -1, found)


def numbers(size):
    x = (10 * rng.standard_normal(size)).astype("f4")
    x[::7] *= np.float32(1e-3)
    return x


def both(monkeypatch, function):
    """What a function returns with compiled formulas and without."""
    found = function()
    with monkeypatch.context() as without:
        without.setattr(formulas, "_compiled", {})
        expected = function()
    return found, expected


def test_the_written_form_is_that_of_the_formulas():
    package = Path(__file__).parents[2] / "src" / "arraygrad"
    file = package / "_backends" / "numpy" / "_formulas.h"
    assert file.read_text() == c_code.header()


def test_steps_that_have_no_form_in_c_are_refused():
    code = c_code._Code()
    x = c_code._Symbol(code, "float", "x")
    for step in (lambda: np.sin(x), lambda: x % 2, lambda: np.maximum(x, np.nan)):
        with pytest.raises(TypeError, match="has no form in C"):
            step()
    for step in (lambda: np.add.reduce(x), lambda: np.sort(x), lambda: np.add(x, 1, dtype="f4")):
        with pytest.raises(TypeError):
            step()


@needs_compiler
def test_all_formulas_are_compiled():
    assert set(formulas._compiled) == set(formulas.FORMULAS)


@needs_compiler
@pytest.mark.parametrize("name", formulas.FORMULAS)
def test_both_forms_have_the_same_bits_for_all_numbers(name, monkeypatch):
    # Every 1021st number of single precision, and all that are near the ends.
    x = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32).view("f4")
    special = np.asarray([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3e38, -3e38], "f4")
    x = np.concatenate([x, special])
    if name == "exp_of_negative":
        x = -np.abs(x)
    count = formulas.FORMULAS[name][1]

    def run():
        results = [np.empty_like(x) for _ in range(count)]
        formulas.fill(name, x, *results)
        return results

    for y, z in zip(*both(monkeypatch, run), strict=True):
        np.testing.assert_array_equal(bits(y), bits(z))


def layouts(size):
    x = numbers(2 * size)
    yield x[:size]
    yield x[::2]
    yield x[::-1]
    yield x.reshape(2, -1).T
    if size % 3 == 0:
        yield x.reshape(2, 3, -1).transpose(2, 0, 1)[::-1]
    if size == 1:
        yield x[:1].reshape(())


@needs_compiler
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_both_forms_have_the_same_bits_for_all_arrays(dtype, size, monkeypatch):
    kinds = ("gelu", "relu", "si", "so")
    names = [f"nn.{name}" for name in formulas.FORMULAS if name.startswith(kinds)]
    for x in layouts(size):
        x = x.astype(dtype)
        for name in names:
            found, expected = both(monkeypatch, lambda name=name, x=x: OPS[name](x))
            if not isinstance(found, tuple):
                found, expected = (found,), (expected,)
            for y, z in zip(found, expected, strict=True):
                assert y.dtype == z.dtype == x.dtype
                assert y.shape == z.shape == x.shape
                assert y.strides == z.strides
                np.testing.assert_array_equal(bits(y), bits(z))


@needs_compiler
def test_compiled_formulas_refuse_other_arrays():
    function = formulas._compiled["gelu"]
    x = numbers(6)
    for bad in (
        (x,),
        (x, x[:5].copy()),
        (x.astype("f8"), x.copy()),
        (x[::2], x[:3].copy()),
        (x.astype(">f4"), x.copy()),
        (x, None),
        (x, x.tolist()),
    ):
        with pytest.raises((TypeError, ValueError)):
            function(*bad)
    frozen = x.copy()
    frozen.flags.writeable = False
    with pytest.raises(TypeError):
        function(x, frozen)


def test_blocks_change_nothing(monkeypatch):
    x = numbers(3000)
    expected = activations.by_formula("gelu_and_slope", x)
    monkeypatch.setattr(formulas, "_compiled", {})
    monkeypatch.setattr(formulas, "BLOCK_SIZE", 7)
    for y, z in zip(activations.by_formula("gelu_and_slope", x), expected, strict=True):
        np.testing.assert_array_equal(bits(y), bits(z))


# ---- rows

ROWS = [
    (1,),
    (5,),
    (1, 1),
    (3, 4),
    (2, 3, 4),
    (1000, 7),
    (100, 33),
    (3, 1024),
    (2, 1025),
    (300, 1000),
]


def rows(shape, kind):
    x = rng.standard_normal(shape).astype("f4") * np.float32(10)
    if kind == "infinite":
        x.flat[::3] = np.inf
        x[x < -10] = -np.inf
    elif kind == "minus infinity":
        x[...] = -np.inf
        x.flat[0] = 1
    elif kind == "NaN":
        x.flat[-1] = np.nan
    return x


@needs_compiler
@pytest.mark.parametrize("shape", [*ROWS, (2, 100_003)], ids=str)
@pytest.mark.parametrize("kind", ["finite", "infinite", "minus infinity", "NaN"])
def test_both_forms_of_softmax_have_the_same_bits(kind, shape, monkeypatch):
    x = rows(shape, kind)
    for is_softmax in (True, False):
        found = exponentials._softmax(x, is_softmax)
        with monkeypatch.context() as without:
            without.setattr(exponentials, "_compiled", None)
            without.setattr(formulas, "_compiled", {})
            expected = exponentials._softmax(x, is_softmax)
        for y, z in zip(found, expected, strict=True):
            np.testing.assert_array_equal(bits(y), bits(z))


@pytest.mark.parametrize("shape", ROWS, ids=str)
@pytest.mark.parametrize("kind", ["finite", "infinite", "minus infinity", "NaN"])
@pytest.mark.parametrize("threads", [1, 2])
def test_softmax_of_rows_is_that_of_double_precision(kind, shape, threads, monkeypatch):
    x = rows(shape, kind)
    wide = x.astype("f8")
    monkeypatch.setattr(exponentials, "_CHUNK", 1 << 12)
    monkeypatch.setattr(exponentials, "MIN_SIZE_TO_SPLIT", 1 << 13 if threads > 1 else 1 << 60)
    for name, atol in (("nn.softmax", 1e-38), ("nn.log_softmax", 2e-6)):
        found = OPS[name](x, axis=-1)
        np.testing.assert_allclose(found, OPS[name](wide, axis=-1), rtol=1e-5, atol=atol)
        np.testing.assert_array_equal(bits(found), bits(OPS[name](x, axis=x.ndim - 1)))
    target = rng.integers(0, shape[-1], (*shape[:-1], 1))
    for y, z in zip(
        OPS["nn.classes"](x, target, axis=-1), OPS["nn.classes"](wide, target, axis=-1), strict=True
    ):
        np.testing.assert_allclose(y, z, rtol=1e-5, atol=2e-6)


def test_softmax_of_other_layouts_is_that_of_rows():
    x = rows((40, 30), "finite")
    expected = OPS["nn.softmax"](x, axis=-1)
    for y, axis in ((x.T.copy(), 0), (x.T, 0), (np.asfortranarray(x), 1)):
        found = OPS["nn.softmax"](y, axis=axis)
        np.testing.assert_allclose(found if axis else found.T, expected, rtol=1e-6)


@needs_compiler
def test_compiled_rows_refuse_other_arrays():
    x, y, largest = numbers(6), numbers(6), numbers(2)
    for bad in (
        (x.astype("f8"), y, largest, largest, True),
        (x, y[:4], largest, largest, True),
        (x, y[::2], largest, largest, True),
        (x, y, largest[:1], largest, True),
        (x[:5], y[:5], largest, largest, True),
    ):
        with pytest.raises((TypeError, ValueError)):
            exponentials._compiled.softmax(*bad)
