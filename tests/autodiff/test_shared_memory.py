"""Shared memory under differentiation: the right values and gradients, or an error.

Tensors share memory in many ways: as views, by DLPack, by Python's buffers, by NumPy, by torch.
Whatever the way, a gradient is that of the values at the time of the forward pass, or an error is
raised; a write is seen by all that share the memory, or an error is raised.
"""

import array
import ctypes
import gc
import itertools
import mmap
import signal
import sys
import tracemalloc

import numpy as np
import pytest
from autodiff.support import REFUSALS, check_refusal, each_size, name_of, right_or_refused, start

import arraygrad
import arraygrad as xp
from arraygrad import _memory, autodiff
from arraygrad.autodiff import grad, jvp, linearize, variable, vjp

# ---- ways to share memory: each gives two tensors, and a function that reads what they show


def _two_of_dlpack(n):
    a = start(n)
    return xp.from_dlpack(a), xp.from_dlpack(a), a


def _numpy_and_dlpack(n):
    a = start(n)
    return xp.from_numpy(a), xp.from_dlpack(a), a


def _two_of_numpy(n):
    a = start(n)
    return xp.from_numpy(a), xp.asarray(a), a


def _numpy_views(n):
    a = start(n)
    return xp.from_numpy(a.view()), xp.from_numpy(a.reshape(1, n)[0]), a


def _bytearrays(n):
    b = bytearray(start(n).tobytes())
    return (
        xp.asarray(memoryview(b).cast("d")),
        xp.asarray(memoryview(b).cast("d")),
        np.frombuffer(b),
    )


def _array_array(n):
    a = array.array("d", start(n))
    return xp.asarray(a), xp.asarray(a), np.frombuffer(a)


def _mapped_memory(n):
    m = mmap.mmap(-1, 8 * n)
    m[:] = start(n).tobytes()
    return xp.asarray(memoryview(m).cast("d")), xp.from_numpy(np.frombuffer(m)), np.frombuffer(m)


def _memoryviews(n):
    a = start(n)
    return xp.asarray(memoryview(a)), xp.asarray(memoryview(a)), a


def _memoryview_and_numpy(n):
    a = start(n)
    return xp.asarray(memoryview(a)), xp.from_numpy(a), a


def _frombuffer(n):
    b = bytearray(start(n).tobytes())
    return xp.from_numpy(np.frombuffer(b)), xp.from_numpy(np.frombuffer(b)), np.frombuffer(b)


def _c_memory(n):
    c = (ctypes.c_double * n)(*start(n))
    return xp.asarray(memoryview(c).cast("B").cast("d")), xp.from_numpy(np.frombuffer(c)), c


class _Column:
    """Gives its array to NumPy, as xarray's do."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


def _two_of_a_column(n):
    a = _Column(start(n).copy())
    return xp.asarray(a), xp.asarray(a), a.values


def _column_and_numpy(n):
    a = _Column(start(n).copy())
    return xp.asarray(a), xp.from_numpy(a.values), a.values


def _torch_by_dlpack(n):
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(start(n))
    return xp.from_dlpack(t), xp.from_dlpack(t), t.numpy()


def _torch_by_numpy(n):
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(start(n)).clone()
    return xp.from_numpy(t.numpy()), xp.from_numpy(t.numpy()), t.numpy()


def _torch_by_both(n):
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(start(n)).clone()
    return xp.from_dlpack(t), xp.from_numpy(t.numpy()), t.numpy()


def _ours_by_numpy(n):
    t = xp.asarray(start(n), copy=True)
    return t, xp.from_numpy(t.numpy()), t.numpy()


def _ours_by_dlpack(n):
    t = xp.asarray(start(n), copy=True)
    return t, xp.from_dlpack(np.from_dlpack(t)), t.numpy()


def _ours_by_our_dlpack(n):
    t = xp.asarray(start(n), copy=True)
    return t, xp.from_dlpack(t), t.numpy()


def _ours_by_memoryview(n):
    t = xp.asarray(start(n), copy=True)
    return t, xp.asarray(memoryview(t.numpy())), t.numpy()


def _ours_by_torch(n):
    torch = pytest.importorskip("torch")
    t = xp.asarray(start(n), copy=True)
    return t, xp.from_dlpack(torch.from_dlpack(t)), t.numpy()


def _detached(n):
    t = xp.asarray(start(n), copy=True)
    return t, t.detach(), t.numpy()


def _views_of_ours(n):
    t = xp.asarray(start(n), copy=True)
    return t[...], xp.reshape(t, (1, n))[0], t.numpy()


def _a_view_and_its_base_by_numpy(n):
    t = xp.asarray(start(n), copy=True)
    a = t.numpy()
    return xp.from_numpy(a[::-1])[::-1], xp.permute_dims(xp.reshape(t, (n, 1)), (1, 0))[0], a


# The same memory, but not at the same places of both tensors.


def _overlapping_slices(n):
    a = start(n + 1)
    return xp.from_numpy(a[1:]), xp.from_numpy(a[:-1]), a


def _overlapping_slices_by_dlpack(n):
    a = start(n + 1)
    return xp.from_dlpack(a[1:]), xp.from_dlpack(a[:-1]), a


def _overlapping_in_one_number(n):
    a = start(2 * n - 1)
    return xp.from_numpy(a[: n + 0]), xp.from_numpy(a[n - 1 :]), a


def _backwards(n):
    a = start(n)
    return xp.from_numpy(a), xp.from_numpy(a[::-1]), a


def _one_within_another(n):
    a = start(3 * n)
    return xp.from_numpy(a[n : 2 * n]), xp.from_numpy(a), a


def _with_gaps(n):
    a = start(2 * n)
    return xp.from_numpy(a[::2]), xp.from_dlpack(a)[:n], a


def _parts_of_complex_numbers(n):
    a = start(2 * n)
    return xp.from_numpy(a[::2]), xp.real(xp.from_numpy(a.view(np.complex128))), a


def _overlapping_views_of_ours(n):
    t = xp.asarray(start(n + 1), copy=True)
    return t[1:], xp.from_numpy(t.numpy()[:-1]), t.numpy()


SAME = [
    _two_of_dlpack,
    _numpy_and_dlpack,
    _two_of_numpy,
    _numpy_views,
    _two_of_a_column,
    _column_and_numpy,
    _bytearrays,
    _array_array,
    _mapped_memory,
    _memoryviews,
    _memoryview_and_numpy,
    _frombuffer,
    _c_memory,
    _torch_by_dlpack,
    _torch_by_numpy,
    _torch_by_both,
    _ours_by_numpy,
    _ours_by_dlpack,
    _ours_by_our_dlpack,
    _ours_by_memoryview,
    _ours_by_torch,
    _detached,
    _views_of_ours,
    _a_view_and_its_base_by_numpy,
]


OVERLAPPING = [
    _overlapping_slices,
    _overlapping_slices_by_dlpack,
    _overlapping_in_one_number,
    _backwards,
    _one_within_another,
    _with_gaps,
    _parts_of_complex_numbers,
    _overlapping_views_of_ours,
]


each_direction = pytest.mark.parametrize("direction", ["there", "back"])


each_sharing = pytest.mark.parametrize("sharing", SAME + OVERLAPPING, ids=name_of)


def _pair(sharing, n, direction):
    first, second, buffer = sharing(n)
    return (first, second, buffer) if direction == "there" else (second, first, buffer)


def _write_all(t):
    t[...] = 9.0


def _write_by_operator(t):
    t *= 3.0


def _write_one(t):
    t[0] = 9.0
    t[-1] = 7.0


def _write_by_a_view(t):
    t[::-1][...] = 9.0


def _write_by_a_mask(t):
    t[t > 0.0] = 9.0


def _write_by_integers(t):
    t[xp.asarray([0, t.shape[0] - 1])] = 9.0


def _write_without_record(t):
    with autodiff.no_grad():
        t += 5.0


WRITES = [
    _write_all,
    _write_by_operator,
    _write_one,
    _write_by_a_view,
    _write_by_a_mask,
    _write_by_integers,
    _write_without_record,
]


# ---- a plain write to what a graph keeps


@each_size
@each_direction
@each_sharing
def test_a_write_through_another_tensor_gives_no_wrong_gradient(sharing, direction, n):
    for write in WRITES:
        kept, written, buffer = _pair(sharing, n, direction)
        w = variable(xp.ones(kept.shape))
        before = kept.numpy().copy()
        y = xp.sum(w * kept)
        write(written)
        shown = np.frombuffer(buffer)
        assert np.isin(written.numpy(), shown).all(), write.__name__
        assert np.isin(kept.numpy(), shown).all(), write.__name__

        def found(y=y, w=w):
            y.backward()
            return w.grad

        right_or_refused(found, before)


@each_size
@each_direction
@each_sharing
def test_a_write_inside_of_a_function_gives_no_wrong_gradient(sharing, direction, n):
    before = _pair(sharing, n, direction)[0].numpy().copy()

    def f(w):
        kept, written, _ = _pair(sharing, n, direction)
        y = xp.sum(w * kept)
        written[...] = 9.0
        return y + 0.0 * xp.sum(written)

    one = xp.ones(before.shape)
    right_or_refused(lambda: grad(f)(one), before)
    t = jvp(f, (one,), (one,))[1]  # keeps nothing
    np.testing.assert_allclose(float(t), before.sum())


@each_size
@each_direction
@each_sharing
def test_a_write_between_the_passes_gives_no_wrong_gradient(sharing, direction, n):
    for forward in (vjp, linearize):
        kept, written, _ = _pair(sharing, n, direction)
        before = kept.numpy().copy()
        w = xp.ones(kept.shape)
        _, later = forward(lambda w, kept=kept: xp.sum(w * kept * kept), w)
        written[...] = 9.0
        if forward is vjp:
            right_or_refused(lambda later=later: later(xp.asarray(1.0))[0], before**2)
        else:
            right_or_refused(lambda later=later, w=w: later(w), np.sum(before**2))


@each_size
@each_direction
@each_sharing
def test_a_variable_over_shared_memory_gives_no_wrong_gradient(sharing, direction, n):
    kept, written, _ = _pair(sharing, n, direction)
    before = kept.numpy().copy()
    w = variable(kept)
    y = xp.sum(w * w * w)
    written[...] = 9.0

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, 3 * before**2)


@each_size
@each_direction
@each_sharing
def test_a_checkpoint_is_not_run_again_with_other_values(sharing, direction, n):
    """Of arguments; tensors that the function finds elsewhere must not change, as is documented."""
    kept, written, _ = _pair(sharing, n, direction)
    before = kept.numpy().copy()
    w = variable(xp.ones(kept.shape))
    y = xp.sum(autodiff.checkpoint(lambda w, k: w * k)(w, kept))
    written[...] = 9.0

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, before)


@each_size
@each_direction
@pytest.mark.parametrize("kind", ["integers", "mask", "where"])
def test_indices_and_masks_that_are_written_give_no_wrong_gradient(kind, direction, n):
    if kind == "integers":
        a = np.roll(np.arange(n), 1)
        pair = xp.from_numpy(a), xp.from_dlpack(a)
    else:
        a = np.arange(n) < 2 * n // 3  # turned round, it has as many
        pair = xp.from_numpy(a), xp.asarray(memoryview(a.view(np.uint8)).cast("B").cast("?"))
    kept, written = pair if direction == "there" else pair[::-1]
    weights = xp.linspace(1.0, 2.0, n)
    w = variable(xp.ones(n))
    if kind == "where":
        y, expected = xp.sum(xp.where(kept, w * weights, 0.0)), weights.numpy() * a * 1.0
    elif kind == "mask":
        found = w[kept]
        y, expected = xp.sum(found * weights[: found.shape[0]]), np.zeros(n)
        expected[a] = weights.numpy()[: found.shape[0]]
    else:
        y, expected = xp.sum(w[kept] * weights), np.zeros(n)
        expected[a] = weights.numpy()
    written[...] = xp.asarray(written[::-1], copy=True)

    def gradient():
        y.backward()
        return w.grad

    right_or_refused(gradient, expected)


@each_size
def test_integers_over_the_memory_of_floats_give_no_wrong_gradient(n):
    a = start(n)
    kept, written = xp.from_numpy(a), xp.from_numpy(a.view(np.int64))
    before = a.copy()
    w = variable(xp.ones(n))
    y = xp.sum(w * kept)
    written[...] = 0
    assert not a.any()

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, before)


@each_size
def test_a_third_tensor_imported_later_is_known_too(n):
    a = start(n)
    kept = xp.from_dlpack(a)
    w = variable(xp.ones(n))
    y = xp.sum(w * kept)
    before = a.copy()
    xp.from_dlpack(a)[...] = 9.0  # gone at once
    assert a[0] == 9.0

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, before)


@each_size
def test_memory_is_known_when_the_tensor_that_was_kept_is_gone(n):
    a = start(n)
    w = variable(xp.ones(n))
    y = xp.sum(w * xp.from_dlpack(a))
    before = a.copy()
    gc.collect()
    written = xp.from_numpy(a)
    written += 1.0

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, before)


@each_size
def test_several_passes_with_writes_between_give_no_wrong_gradient(n):
    a = start(n)
    before = a.copy()
    kept, written = xp.from_numpy(a), xp.from_dlpack(a)
    w = variable(xp.ones(n))
    y = xp.sum(w * kept)
    y.backward(retain_graph=True)
    np.testing.assert_array_equal(w.grad.numpy(), before)
    written[...] = 9.0
    w.grad = None

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, before)
    w.grad = None  # and what is recorded from now on is right, and does not raise
    xp.sum(w * kept).backward()
    np.testing.assert_array_equal(w.grad.numpy(), np.full(n, 9.0))


@each_size
def test_a_write_before_the_forward_pass_is_no_harm(n):
    for sharing in SAME:
        try:
            kept, written, _ = sharing(n)
        except pytest.skip.Exception:
            continue
        w = variable(xp.ones(n))
        written[...] = 9.0
        y = xp.sum(w * kept)
        y.backward()
        np.testing.assert_array_equal(w.grad.numpy(), np.full(n, 9.0))


# ---- a recorded value is written into shared memory


MODES = ["tape", "grad", "vjp", "jvp", "linearize"]


def _derivative(mode, f, x):
    """The derivative of the sum of what `f` gives, in the direction of ones."""
    one = xp.ones(x.shape)
    total = lambda x: xp.sum(f(x))
    if mode == "tape":
        v = variable(x)
        total(v).backward()
        return float(xp.sum(v.grad))
    if mode == "grad":
        return float(xp.sum(grad(total)(x)))
    if mode == "vjp":
        return float(xp.sum(vjp(total, x)[1](xp.asarray(1.0))[0]))
    if mode == "jvp":
        return float(jvp(total, (x,), (one,))[1])
    return float(linearize(total, x)[1](one))


@each_size
@each_direction
@each_sharing
@pytest.mark.parametrize("mode", MODES)
def test_a_recorded_value_written_into_shared_memory_is_not_lost(mode, sharing, direction, n):
    def expected(values):  # of 2 v, at v = 3, read through the other tensor
        t = _pair(sharing, n, direction)
        t[0][...] = values
        return t[1].numpy()

    size = _pair(sharing, n, direction)[0].shape
    slope = np.sum(expected(7.0) ** 2) - np.sum(expected(5.0) ** 2)  # of a quadratic form
    for write in ("all", "operator", "parts"):
        written, other, buffer = _pair(sharing, n, direction)
        shown = np.frombuffer(buffer)
        before = shown.copy()

        def f(v, written=written, other=other, write=write):
            if write == "all":
                written[...] = 2.0 * v
            elif write == "operator":
                written *= 0.0
                written += 2.0 * v
            else:
                for k in {*range(min(n, size[0])), size[0] - 1} if n < 10 else [slice(None)]:
                    written[k] = 2.0 * v[k]
            return other * other + v  # v, so that there is a gradient in any case

        try:
            found = _derivative(mode, f, xp.full(size, 3.0))
        except REFUSALS as error:
            check_refusal(error)
            if write != "operator":  # of which the first half is plain
                np.testing.assert_array_equal(shown, before)  # nothing is half done
            continue
        np.testing.assert_allclose(found, slope + size[0], rtol=1e-12)
        assert np.count_nonzero(shown == 6.0) == np.count_nonzero(expected(6.0) == 6.0) or (
            sharing in OVERLAPPING
        )
        assert (shown == 6.0).any()


@each_size
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sharing", SAME, ids=name_of)
def test_a_buffer_sees_a_recorded_value_or_it_raises(mode, sharing, n):
    for k in (..., 0, slice(1, None)):
        written, other, buffer = sharing(n)
        del other
        shown = np.frombuffer(buffer)
        before = shown.copy()

        def f(v, written=written, k=k):
            written[k] = 2.0 * v[k]
            return written + v

        try:
            found = _derivative(mode, f, xp.full((n,), 3.0))
        except REFUSALS as error:
            check_refusal(error)
            np.testing.assert_array_equal(shown, before)
            continue
        before[k] = 6.0
        np.testing.assert_array_equal(shown, before)
        assert found == 2.0 * before[k].size + n


# ---- what does not overlap


def _halves(n):
    a = start(2 * n)
    return [
        (xp.from_numpy(a[:n]), xp.from_numpy(a[n:])),
        (xp.from_dlpack(a[:n]), xp.asarray(a[n:])),
    ]


def _halves_of_a_bytearray(n):
    b = bytearray(start(2 * n).tobytes())
    m = memoryview(b).cast("d")
    return [
        (xp.asarray(m[:n]), xp.asarray(m[n:])),
        (xp.from_numpy(np.frombuffer(b, count=n)), xp.from_numpy(np.frombuffer(b, offset=8 * n))),
    ]


def _halves_of_mapped_memory(n):
    m = mmap.mmap(-1, 16 * n)
    m[:] = start(2 * n).tobytes()
    m = memoryview(m).cast("d")
    return [(xp.asarray(m[:n]), xp.asarray(m[n:]))]


def _rows_of_numpy(n):
    a = start(2 * n).reshape(2, n)
    return [(xp.from_numpy(a[0]), xp.from_numpy(a[1]))]


def _own_tensors(n):
    return [(xp.asarray(start(n), copy=True), xp.asarray(start(n), copy=True))]


@each_size
@each_direction
@pytest.mark.parametrize(
    "parts",
    [_halves, _halves_of_a_bytearray, _halves_of_mapped_memory, _rows_of_numpy, _own_tensors],
    ids=name_of,
)
def test_memory_that_does_not_overlap_is_written_freely(parts, direction, n):
    for pair in parts(n):
        kept, written = pair if direction == "there" else pair[::-1]
        before = kept.numpy().copy()
        w = variable(xp.ones(n))
        y = xp.sum(w * kept)
        for write in WRITES:
            write(written)
        y.backward()
        np.testing.assert_array_equal(w.grad.numpy(), before)
        np.testing.assert_array_equal(kept.numpy(), before)


def _every_other(n):
    a = start(2 * n)
    return xp.from_numpy(a[::2]), xp.from_numpy(a[1::2])


def _columns(n):
    a = start(2 * n).reshape(n, 2)
    return xp.from_numpy(a[:, 0]), xp.from_numpy(a[:, 1])


def _parts_of_one(n):
    z = xp.zeros(n, dtype=xp.complex128)
    return xp.real(z), xp.imag(z)


def _rows_of_ours(n):
    x = xp.ones((2, n))
    return x[0], x[1]


def _halves_of_ours(n):
    x = xp.ones(2 * n)
    return x[:n], x[n:]


@each_size
@each_direction
@pytest.mark.parametrize(
    "parts",
    [_every_other, _columns, _parts_of_one, _rows_of_ours, _halves_of_ours],
    ids=name_of,
)
def test_memory_that_is_interleaved_or_of_one_tensor_gives_no_wrong_gradient(parts, direction, n):
    pair = parts(n)
    kept, written = pair if direction == "there" else pair[::-1]
    before = kept.numpy().copy()
    w = variable(xp.ones(n))
    y = xp.sum(w * kept)
    written[...] = 9.0
    np.testing.assert_array_equal(kept.numpy(), before)

    def found():
        y.backward()
        return w.grad

    right_or_refused(found, before)


@each_size
def test_rows_of_a_plain_tensor_kept_and_written_in_turn_give_no_wrong_gradient(n):
    x = xp.ones((4, n))
    w = variable(xp.ones(n))
    total = xp.zeros(n)
    for k in range(4):
        x[k] = float(k)
        total = total + w * x[k]

    def found():
        xp.sum(total).backward()
        return w.grad

    right_or_refused(found, np.full(n, 6.0))


@each_size
def test_memory_that_is_used_again_is_not_taken_for_the_old(n):
    for _ in range(50):
        written = xp.ones(n)
        written[...] = 9.0
        del written
        kept = xp.ones(n)
        w = variable(xp.ones(n))
        y = xp.sum(w * kept)
        other = xp.from_numpy(np.ones(n))
        other += 1.0
        del other
        y.backward()
        np.testing.assert_array_equal(w.grad.numpy(), np.ones(n))


@each_size
def test_a_buffer_that_is_used_again_is_not_taken_for_the_old(n):
    b = bytearray(8 * n)
    for k in range(1, 30):
        t = xp.from_numpy(np.frombuffer(b))
        t[...] = float(k)
        w = variable(xp.ones(n))
        y = xp.sum(w * t)
        del t
        y.backward()
        np.testing.assert_array_equal(w.grad.numpy(), np.full(n, float(k)))


@pytest.mark.parametrize("take", [arraygrad.from_numpy, arraygrad.from_dlpack, arraygrad.asarray])
def test_memory_shared_with_numpy_is_written(take):
    """NumPy's array sees the values, outside and under differentiation."""

    def f(v):
        out = take(a)
        out[0] = v * v
        return arraygrad.sum(out)

    for order in (grad, lambda f: grad(lambda v: grad(f)(v) * v)):
        a = np.zeros(3)
        order(f)(arraygrad.asarray(3.0))
        assert a.tolist() == [9.0, 0.0, 0.0]
    a = np.zeros(3)
    assert float(grad(f)(arraygrad.asarray(3.0))) == 6.0
    assert float(grad(grad(f))(arraygrad.asarray(3.0))) == 2.0


def test_memory_shared_by_dlpack(xp):
    def f(v):
        out = xp.zeros(2)
        xp.from_dlpack(out)[...] = v
        return xp.sum(out * v)

    v = xp.asarray([1.0, 2.0])
    np.testing.assert_allclose(grad(f)(v).numpy(), [2.0, 4.0])
    np.testing.assert_allclose(float(jvp(f, (v,), (v,))[1]), 10.0)


def test_two_tensors_over_memory_of_another_library():
    xp = arraygrad
    theirs = np.zeros(2)

    def f(v):
        one, other = xp.from_dlpack(theirs), xp.from_numpy(theirs)
        one[...] = v
        return arraygrad.sum(one * other)

    with pytest.raises(ValueError, match="shares its memory"):
        grad(f)(arraygrad.asarray([1.0, 2.0]))


def test_saved_values_written_through_another_tensor(xp):
    c = xp.asarray(np.linspace(0, 1, 5000))
    view = xp.reshape(c, (2, 2500))

    def f(x):
        y = x * c
        view[0] = 7.0
        return xp.sum(y)

    np.testing.assert_array_equal(grad(f)(xp.ones(5000)).numpy(), np.linspace(0, 1, 5000))


@pytest.mark.parametrize("size", [3, 3000])
def test_kept_values_are_written_by_way_of_views(xp, size):
    def part(x):
        c = xp.ones(size)
        y = x * c
        c[1:] += 1.0
        z = x * c
        c[1:][0] *= 5.0
        return xp.sum(y) + xp.sum(z) + 0 * xp.sum(c)

    expected = np.full(size, 3.0)
    expected[0] = 2.0
    np.testing.assert_array_equal(grad(part)(xp.ones(size)).numpy(), expected)

    def other(x):
        c = xp.ones(size)
        y = x * c
        shared = xp.reshape(c, (size, 1))
        shared += 1.0
        c += 1.0
        return xp.sum(y)

    np.testing.assert_array_equal(grad(other)(xp.ones(size)).numpy(), np.ones(size))


def test_what_was_kept_of_what_was_kept_is_not_written(xp):
    """A checkpoint keeps a plain tensor, of which its function kept something itself."""

    def f(x):
        z = autodiff.checkpoint(lambda p: grad(lambda q: q * q * p)(p))(x)
        x -= 0.5
        return z

    _, derivative = autodiff.linearize(f, xp.asarray(0.7))
    np.testing.assert_allclose(derivative(xp.asarray(1.0)).item(), 2.8)


def test_saved_data_is_copied_once_it_is_written(xp):
    """And only then, once for all graphs that saved it."""
    x = xp.ones(3)
    saved = arraygrad._memory.save(x)
    assert saved._data is x._data
    assert arraygrad._memory.save(x) is saved
    x += 1.0
    assert saved._data is not x._data
    assert saved.tolist() == [1.0, 1.0, 1.0]
    later = arraygrad._memory.save(x)
    assert later is not saved
    assert later.tolist() == [2.0, 2.0, 2.0]


@each_size
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_three_imports_each_one_that_overlaps_is_known(order, n):
    a = np.ones(6 * n)
    parts = [slice(0, 4 * n), slice(3 * n, 6 * n), slice(0, n)]  # the last overlaps the first alone
    imported = {i: xp.from_numpy(a[parts[i]]) for i in order}
    w = variable(xp.ones(4 * n))
    loss = xp.sum(w * imported[0])
    imported[2][...] = 7.0
    imported[1][...] = 5.0
    loss.backward()
    assert xp.all(w.grad == 1.0)
    assert imported[0].tolist() == [7.0] * n + [1.0] * (2 * n) + [5.0] * n


@each_size
@each_direction
def test_recorded_values_are_written_into_adjacent_memory(direction, n):
    a = np.ones(2 * n)
    parts = [a[:n], a[n:]]
    x, y = map(xp.from_numpy, parts if direction == "there" else parts[::-1])
    w = variable(xp.full(n, 2.0))
    y[...] = w
    x[...] = w * 3.0
    xp.sum(x * y).backward()
    assert xp.all(w.grad == 12.0)


def test_a_write_copies_nothing_once_no_graph_has_it():
    x, w = xp.ones(100_000), variable(xp.ones(100_000))
    xp.sum(w * x).backward()  # which frees the graph
    tracemalloc.start()
    try:
        x += 1.0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 80_000


@pytest.mark.parametrize("part", [slice(None), slice(1, 2), slice(0, 0)], ids=str)
def test_imports_of_the_same_array_leave_nothing_behind(part):
    """A program that imports one array in each of its steps, while a tensor over it lives."""
    a = np.arange(3.0)
    kept = xp.asarray(a)

    def imports(n):
        for _ in range(n):
            xp.asarray(a[part])
            xp.asarray(a)
            xp.from_dlpack(a)

    imports(100)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        imports(1000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000
    assert kept[0] == 0


@pytest.mark.parametrize("way", [xp.asarray, xp.from_dlpack])
def test_an_import_makes_no_view_be_taken_again(way):
    x = xp.arange(3.0)
    view = x[1:]
    a = x.numpy()
    others = [way(a) for _ in range(3)]
    assert _memory.storage_of(x).version == view._view.version
    others[0][1] = 7.0
    assert view[0] == 7.0
    assert _memory.storage_of(x).version > view._view.version


def test_memory_that_a_finaliser_imports_meanwhile_is_known():
    """Python runs finalisers at any time: here, when two addresses are compared."""
    ranges = _memory.Ranges()
    storages = [_memory.new_storage() for _ in range(3)]

    class Address(int):
        compared = False

        def __lt__(self, other):
            if not Address.compared:
                Address.compared = True
                assert ranges.find(0, 8) is None  # (not while the ranges are changed)
                ranges.note(4, 20, storages[1])
            return int(self) < other

    ranges.note(0, 8, storages[0])
    ranges.note(Address(16), 24, storages[2])
    assert len({ranges.find(i, i + 1) for i in (0, 10, 22)}) == 1
    assert ranges.find(23, 25) is None


def test_a_storage_that_is_merged_while_its_range_waits_is_known_by_the_other():
    ranges = _memory.Ranges()
    x = xp.ones(3)
    waiting = [_memory.new_storage()]
    many = _memory.new_storage()
    many.add(x)  # so that it takes the other one in

    class Address(int):
        compared = False

        def __lt__(self, other):
            if not Address.compared:
                Address.compared = True
                ranges.note(20, 28, waiting[0])
            return int(self) < other

    ranges.note(0, 8, waiting[0])
    ranges.note(Address(4), 12, many)
    assert waiting.pop().merged is many
    assert ranges.find(20, 28) is ranges.find(0, 12) is many
    ranges.note(6, 22, many)
    assert ranges.find(0, 28) is many


def test_a_tensor_that_is_saved_while_storages_are_merged_is_copied_by_a_write():
    one, other = _memory.new_storage(), _memory.new_storage()
    one.merge(other)
    x = xp.ones(3)
    saved = xp.ones(3)
    x._storage = saved._storage = other  # as another thread has found it before
    before = saved._data
    other.freeze(saved)
    _memory.before_write(x)
    assert saved._data is not before


def test_a_write_that_had_no_memory_for_a_copy_can_be_repeated(monkeypatch):
    x, w = xp.ones(3), variable(xp.ones(3))
    y = xp.sum(x * w)
    with monkeypatch.context() as patch:

        def copy(_):
            raise MemoryError

        patch.setitem(x._device.ops, "copy", copy)
        with pytest.raises(MemoryError):
            x += 1.0
    assert xp.all(x == 1.0)
    x += 1.0
    y.backward()
    assert xp.all(w.grad == 1.0)


def _tensors_of_one_array():
    a = np.arange(30.0)
    return xp.from_numpy(a[:10]), xp.from_numpy(a[20:]), a


def _between(x, y, a):
    xp.from_numpy(a[5:25])


def _exported(x, y, a):
    x.numpy()


def _written(x, y, a):
    b = xp.from_numpy(a)
    b += 0.0


@pytest.mark.parametrize("interrupted", [_between, _exported, _written])
def test_ctrl_c_while_memory_becomes_known_changes_no_gradient(request, interrupted):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def interrupt_at(step, x, y, a):
        """Interrupt the function at a step; return False if it has fewer."""
        steps = itertools.count()

        def profiler(_frame, event, _):
            # (Python looks for signals where a function begins, and after functions in C.)
            if event in ("call", "c_return") and next(steps) == step:
                signal.raise_signal(signal.SIGINT)

        before = sys.getprofile()
        sys.setprofile(profiler)
        try:
            interrupted(x, y, a)
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(before)
        return next(steps) > step

    for step in itertools.count():
        x, y, a = _tensors_of_one_array()
        w = variable(xp.ones(10))
        loss = xp.sum(x * w) + xp.sum(y * w)
        is_done = not interrupt_at(step, x, y, a)
        z = xp.from_numpy(x.numpy())
        z += 1.0
        z = xp.from_numpy(a[8:])
        z += 1.0
        loss.backward()
        assert xp.all(w.grad == 20.0 + 2.0 * xp.arange(10.0)), step
        if is_done:
            break
