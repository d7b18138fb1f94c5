"""Reductions over the other axes than the first, in runs of blocks of rows."""

import itertools
from contextlib import suppress

import numpy as np
import optree
import pytest
from compile import support
from compile.support import bits, normal, programs
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import arraygrad as xp
from arraygrad import autodiff
from arraygrad._compile import _text
from arraygrad._compile.passes import blocks
from arraygrad._device import get_device

REDUCTIONS = ["all", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod",
              "std", "sum", "var"]  # fmt: skip
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 128, 129, 130, 257, 513, 1000,
           1025, 4097, 8191, 8193, 20_000]  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    """Blocks of a few elements, of arrays of any size."""
    monkeypatch.setattr(blocks, "MIN_BYTES", 0)
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 12)
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)


def check(f, *calls):
    """Compare the program, which the second call runs."""
    return support.check(f, *calls, *calls)


def left(compiled):
    """The names of the calls that are left."""
    return [c.name for e in programs(compiled) for c in e.program.calls]


def strange(x, rng):
    """An array with NaN, infinities, zeros and large numbers in it."""
    x = x * 10.0 ** rng.integers(-8, 8, x.shape).astype(x.dtype)
    for value in (np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0):
        x[rng.random(x.shape) < 0.02] = value
    return x


def same(tree):
    """The bytes of all tensors; the sign of a NaN depends on where NumPy's loops come to it."""
    leaves = optree.tree_leaves(tree, namespace="arraygrad")
    return bits([xp.where(xp.isnan(x), xp.nan, x) if x.dtype.kind == "f" else x for x in leaves])


# ---- what NumPy does


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_numpys_reductions_of_some_rows_are_those_of_all(name, dtype):
    rng = np.random.default_rng(len(name))
    reduce = get_device("cpu").ops[name]
    one_axis = name in ("argmax", "argmin")
    shapes = [(n, m) for n, m in itertools.product(LENGTHS, LENGTHS) if n * m <= 1 << 17]
    shapes = [shapes[i] for i in rng.permutation(len(shapes))[:60]]
    shapes += [tuple(int(n) for n in rng.choice(LENGTHS[:20], 3)) for _ in range(40)]
    for shape in shapes:
        if np.prod(shape) > 1 << 18:
            continue
        x = rng.standard_normal(shape).astype(dtype)
        for axis, data in itertools.product((-1, (1, 2), 1)[: 3 * len(shape) - 5], range(2)):
            if one_axis and axis == (1, 2):
                continue
            x = strange(x, rng) if data else x
            start = int(rng.integers(shape[0]))
            rows = slice(start, start + int(rng.integers(1, shape[0] + 1)))
            with np.errstate(all="ignore"):
                whole = reduce(x, axis=axis, keepdims=True)[rows]
                for part in (x[rows], x[rows].copy()):
                    assert reduce(part, axis=axis, keepdims=True).tobytes() == whole.tobytes()


# ---- programs


def softmax_loss(x, target):
    x = x - xp.max(x, axis=1, keepdims=True)
    e = xp.exp(x)
    return -xp.mean(xp.sum(target * (x - xp.log(xp.sum(e, axis=1))[:, None]), axis=1))


def normalised(x, scale):
    x = x - xp.mean(x, axis=-1, keepdims=True)
    return x / xp.sqrt(xp.var(x, axis=-1, keepdims=True) + 1e-5) * scale


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
@pytest.mark.parametrize("shape", [(1, 5), (7, 1), (1, 1), (64, 5), (5, 64)])
def test_a_softmax_and_its_gradient(shape, dtype, small):
    x, target = normal(*shape, dtype=dtype), normal(*shape, seed=1, dtype=dtype) ** 2
    with np.errstate(all="ignore"):
        check(autodiff.value_and_grad(softmax_loss), (x, target), (target, x))


def test_only_the_sum_over_all_rows_is_outside_of_the_run(small):
    x, target = normal(64, 10), normal(64, 10, seed=1)
    names = left(check(softmax_loss, (x, target)))
    # (Where the package is compiled, the mean and what is made of it are loops.)
    assert names in (["blocks", "mean", "negative"], ["blocks", "loops"])
    names = left(check(autodiff.grad(softmax_loss), (x, target), (target, x)))
    assert set(names) <= {"blocks", "guard"}
    assert left(check(normalised, (x, normal(10)))) == ["blocks"]
    assert left(check(normalised, (normal(4, 8, 5, seed=2), normal(5)))) == ["blocks"]


def test_arrays_without_elements(small):
    f = lambda x: xp.sum(xp.exp(x) * xp.sum(x * 2, axis=1, keepdims=True), axis=1)
    for shape in ((0, 3), (3, 0), (0, 0)):
        check(f, (normal(*shape),))
        check(autodiff.grad(lambda x: xp.sum(f(x))), (normal(*shape),))


def test_large_arrays_by_all_threads():
    x, target = normal(500, 1100), normal(500, 1100, seed=1) ** 2
    compiled = check(autodiff.value_and_grad(softmax_loss), (x, target), (target, x))
    assert "blocks" in left(compiled)
    x = normal(3, 700, 333, dtype=xp.float32)
    check(autodiff.grad(lambda x: xp.sum(normalised(x, 2.0) ** 3)), (x,), (x * 2,))
    wide = normal(40, 30_000, seed=2)
    check(autodiff.grad(lambda x: xp.sum(normalised(x, 2.0) ** 3)), (wide,), (wide * 2,))


def test_rows_that_are_too_long_are_reduced_outside(small, monkeypatch):
    monkeypatch.setattr(blocks, "MAX_WIDTH", 8)
    f = lambda x: xp.sum(xp.exp(x) * 2, axis=1)
    assert left(check(f, (normal(3, 9),))) == ["blocks", "sum"]
    assert left(check(f, (normal(3, 8),))) == ["blocks"]


@pytest.mark.parametrize("axis", [None, 0, (0, 1), -2])
def test_sums_over_the_first_axis_are_outside_of_a_run(axis, small):
    assert left(check(lambda x: xp.sum(x * 2 + 1, axis=axis), (normal(40, 30),))) == [
        "blocks", "sum",
    ]  # fmt: skip


def test_sums_that_are_converted_or_of_other_orders_are_outside_of_a_run(small):
    x = normal(300, 30, dtype=xp.float32)
    f = lambda x: xp.sum(x * 2 + 1, axis=1, dtype=xp.float64)
    check(f, (x,))
    check(lambda x: xp.sum(xp.exp(x) > 1, axis=1), (x,))
    check(lambda x: xp.sum(xp.exp(x.T), axis=1) * 2, (x,))
    check(lambda x: xp.sum(x.T, axis=1) + xp.mean(x.T, axis=1), (x,))
    check(lambda x: xp.sum(x, axis=1) + xp.mean(x, axis=1), (x.T,))


def test_a_vector_that_is_a_row_and_a_number_for_each_row(small):
    def f(x, v):
        y = xp.exp(x) + v
        total = xp.sum(y, axis=1) + v
        return y * total, xp.sum(y * total[:, None], axis=1), total

    check(f, (normal(20, 20), normal(20, seed=1)))


def test_results_that_are_views_of_one_another_stay_so(small):
    def f(x):
        total = xp.sum(xp.exp(x), axis=1)
        column = total[:, None]
        return total, column, x / column

    compiled = check(f, (normal(20, 6),))
    total, column, _ = compiled(normal(20, 6))
    total[3] = 7.0
    assert float(column[3, 0]) == 7.0


def test_shapes_change_inside_of_a_run(small):
    def f(x):
        y = xp.reshape(xp.tanh(x), (12, 2, 3))
        z = xp.sum(y * xp.max(y, axis=2, keepdims=True), axis=2)
        parts = y[:, 1:, :-1] * 2 + xp.expand_dims(z, axis=-1)
        return xp.reshape(parts, (12, 4)), xp.squeeze(
            xp.mean(y, axis=(1, 2), keepdims=True), axis=1
        )

    check(f, (normal(12, 6),))
    check(autodiff.grad(lambda x: sum(xp.sum(y * y) for y in f(x))), (normal(12, 6),))


def test_counts_and_masks_of_rows(small):
    def f(x):
        largest = xp.max(x, axis=1, keepdims=True)
        return xp.where(
            x == largest, x / xp.count_nonzero(x == largest, axis=1, keepdims=True), 0.0
        )

    x = xp.round(normal(20, 6) * 2)
    assert left(check(f, (x,))) == ["blocks"]
    check(autodiff.grad(lambda x: xp.sum(xp.max(x, axis=1) ** 2)), (x,), (x * 2,))


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64])
def test_backward_strides_are_outside_of_a_run(dtype, small):
    """NumPy's loops round some functions otherwise for these, and not for rows of them."""
    x, column = normal(60, 40, dtype=dtype), normal(60, 1, seed=1, dtype=dtype)
    f = lambda x, y: (xp.exp(x) * 2, xp.atan2(y, x), xp.expm1(x * 1) + 1)
    for view in (np.s_[:, ::-1], np.s_[::-1], np.s_[::-1, ::-1], np.s_[::-1, :1]):
        check(lambda x, y, view=view: f(x[view], y), (x, column))
        own, column_of_view = xp.asarray(x, copy=True)[view], column
        compiled = xp.compile(f)
        for _ in range(2):
            assert bits(compiled(own, column_of_view)) == bits(f(own, column_of_view))
    g = lambda x: xp.exp(xp.tanh(x)[:, ::-1]) + 1
    assert "exp" in left(check(g, (x,)))


@pytest.mark.parametrize("size", [12, 1 << 15])
def test_an_error_in_a_block_names_the_operation_and_the_whole_array(size, small, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_SIZE", size)
    f = lambda x, y: xp.sum(xp.log(xp.exp(x) * 2 / y + y), axis=1)
    x, y = normal(60, 4), normal(4, seed=1) ** 2 + 1
    with np.errstate(all="raise"):
        compiled = xp.compile(f)
        compiled(x, y)
        assert left(compiled) == ["blocks"]
        x[55, 3] = 1000.0
        y[2] = 0.0
        for _ in range(2):
            with pytest.raises(FloatingPointError) as want:
                f(x[:50, :], y)
            with pytest.raises(FloatingPointError) as got:
                compiled(xp.where(x > 900, 0.0, x), y)
            assert str(got.value) == str(want.value).replace("50", "60")
            with pytest.raises(FloatingPointError, match=r"exp: overflow.*shape=\(60, 4\)"):
                compiled(x, xp.ones(4))


def test_a_nan_in_a_later_block_is_found(small):
    def f(x):
        return xp.sum(xp.sqrt(xp.sum(x * x, axis=1)))  # 0 / 0 in the gradient

    slope = autodiff.grad(f)
    compiled = xp.compile(slope)
    x = normal(50, 3)
    assert bits(compiled(x)) == bits(slope(x))
    x[40, :] = 0.0
    with np.errstate(all="ignore"):
        for _ in range(2):
            assert bits(compiled(x)) == bits(slope(x))
    assert bool(xp.all(compiled(x)[40, :] == 0))


def test_settled_arrays_have_the_strides_of_others(small):
    """The sum of one depends on the order in which it lies in memory."""
    settle = get_device("cpu").ops["settle"]
    orders = [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)]
    for first, second in itertools.product(orders, orders):
        x, weight = (np.ones(60).reshape([(3, 4, 5)[i] for i in p]) for p in (first, second))
        x, weight = x.transpose(np.argsort(first)), weight.transpose(np.argsort(second))
        assert settle(x, weight) is x
        x[2, 1, 3], weight[2, 1, 3] = np.nan, 0
        got = settle(x, weight)
        assert got.strides == x.strides
        assert got[2, 1, 3] == 0
        assert got.sum() == 59

    slope = autodiff.grad(lambda x, w: xp.sum(xp.tanh(xp.log(x * w))), argnums=(0, 1))
    x, w = (normal(5, 40) ** 2).T, normal(5, seed=1) ** 2
    with_zero = xp.asarray(x, copy=True)
    with_zero[30, 3] = 0.0
    compiled = xp.compile(slope)
    with np.errstate(all="ignore"):
        for other in (with_zero, x, with_zero, x):
            assert bits(compiled(other, w)) == bits(slope(other, w))


def test_a_nan_is_searched_for_once(small):
    """The gradient of a maximum need not look for NaN where the result is checked for them."""
    f = lambda x: xp.sum(xp.exp(x - xp.max(x)) * x)
    compiled = check(autodiff.grad(f), (normal(9, 5),))
    (entry,) = programs(compiled)
    assert "not_equal" not in [call.name for call in entry.plain.calls]
    x = normal(9, 5, seed=3)
    x[4, 2] = np.nan
    with np.errstate(all="ignore"):
        assert bits(compiled(x)) == bits(autodiff.grad(f)(x))
        only = autodiff.grad(lambda x: xp.max(x) * 2)
        check(only, (x,), (normal(9, 5),))


def test_blocks_divide_arrays_of_any_shape():
    for lead, width in itertools.product(
        [(1,), (5,), (1000,), (3, 4), (1, 50), (50, 1), (7, 5, 3), (0,), (4, 0)], (1, 3, 40)
    ):
        for size in (1, 10, 64, 5000):
            counts = np.zeros(lead, dtype=int)
            for block in blocks._split(lead, width * counts.size, size):
                counts[block] += 1
                assert counts[block].size
            assert (counts == 1).all()


# ---- programs that Hypothesis writes

SHAPES = [(1, 4), (4, 1), (1, 1), (6, 3), (3, 6), (5, 5), (0, 3), (13, 7), (4, 2, 3), (1, 3, 2),
          (3, 1, 5), (2, 3, 1), (3, 3, 3), (11, 2, 2)]  # fmt: skip
UNARY = ["exp", "tanh", "sin", "abs", "square", "negative", "sqrt", "log1p"]
OTHERS = ["where", "reduce", "reduce", "column", "flat", "part", "first"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum"]


@st.composite
def row_programs(draw):
    """A shape, a dtype, and lines of (operation, operands, details)."""
    shape = draw(st.sampled_from(SHAPES))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    lines = draw(
        st.lists(
            st.tuples(
                st.sampled_from([*UNARY, *BINARY, *OTHERS]),
                st.integers(0, 99),
                st.integers(0, 99),
                st.integers(0, 99),
            ),
            min_size=2,
            max_size=10,
        )
    )
    return shape, dtype, lines, draw(st.integers(0, 2**16)), draw(st.booleans())


def perform(line, values):
    """The result of a line."""
    name, i, j, k = line
    x, y = values[i % len(values)], values[j % len(values)]
    if name in UNARY:
        return getattr(xp, name)(x)
    if name in BINARY:
        return getattr(xp, name)(x, y)
    if name == "where":
        return xp.where(x > y, x, 0.5)
    if name == "reduce":
        axes = [-1, 0, tuple(range(1, x.ndim)), 1, None, x.ndim - 1, -1, -1]
        reduce = ["sum", "max", "mean", "min", "prod", "var"][k % 6]
        return getattr(xp, reduce)(x, axis=axes[j % 8], keepdims=i % 3 > 0)
    if name == "flat":
        return xp.reshape(x, (x.shape[0], -1))
    keys = {"column": np.s_[:, None], "part": (np.s_[:, 1:], np.s_[..., ::-1])[k % 2]}
    return x[keys.get(name, np.s_[:, 0])]


def possible(lines, values):
    """The lines that raise nothing."""
    values, found = [*values], []
    for line in lines:
        with suppress(ValueError, IndexError):
            values.append(perform(line, values))
            found.append(line)
    return found


@settings(max_examples=120, derandomize=True, phases=[Phase.generate], deadline=None)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:Degrees of freedom")
@given(row_programs(), st.integers(1, 20))
def test_random_programs_of_rows(program, size):
    shape, dtype, lines, seed, is_strange = program
    rng = np.random.default_rng(seed)

    def inputs():
        found = [rng.standard_normal(s).astype(dtype) for s in (shape, shape, shape[-1:])]
        found.append(rng.standard_normal((shape[0], *[1] * (len(shape) - 1))).astype(dtype))
        return [xp.asarray(strange(x, rng) if is_strange else x) for x in found]

    with np.errstate(all="ignore"):
        lines = possible(lines, inputs())

    def values(*args):
        found = [*args]
        for line in lines:
            found.append(perform(line, found))
        return found[len(args) :]

    def loss(*args):
        return sum((xp.sum(xp.tanh(x)) for x in values(*args)), xp.asarray(0.0))

    forms = [values, autodiff.grad(loss, argnums=(0, 1, 2, 3))]
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(blocks, "MIN_BYTES", 0)
        patch.setattr(blocks, "MIN_CALLS", 1)
        patch.setattr(blocks, "BLOCK_SIZE", size)
        patch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
        for form in forms:
            compiled = xp.compile(form)
            for args in (inputs(), inputs()):
                want = same(form(*args))
                assert same(compiled(*args)) == want
                assert same(compiled(*args)) == want
