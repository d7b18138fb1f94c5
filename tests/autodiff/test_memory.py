"""Shared memory under differentiation: the right values and gradients, or an error.

Tensors share memory in many ways: as views, by DLPack, by Python's buffers, by NumPy, by torch.
Whatever the way, a gradient is that of the values at the time of the forward pass, or an error is
raised; a write is seen by all that share the memory, or an error is raised.
"""

import array
import ctypes
import gc
import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import grad, jacobian, jvp, linearize, variable, vjp

SIZES = [3, 3000]  # small views may be copied, large ones are not
REFUSALS = (RuntimeError, ValueError, autodiff.NotDifferentiableError)


def _refuse(error):
    """Check that an error is about memory, and says so."""
    assert re.search(r"copy|overwrit|shares|shared|writ", str(error)), repr(error)


def _right_or_refused(find, expected):
    """Check that a gradient is right, or that finding it raises."""
    try:
        found = find()
    except REFUSALS as error:
        _refuse(error)
        return False
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    return True


# ---- ways to share memory: each gives two tensors, and a function that reads what they show


def _start(n):
    return np.linspace(1.0, 2.0, n)


def _two_of_dlpack(n):
    a = _start(n)
    return xp.from_dlpack(a), xp.from_dlpack(a), a


def _numpy_and_dlpack(n):
    a = _start(n)
    return xp.from_numpy(a), xp.from_dlpack(a), a


def _two_of_numpy(n):
    a = _start(n)
    return xp.from_numpy(a), xp.asarray(a), a


def _numpy_views(n):
    a = _start(n)
    return xp.from_numpy(a.view()), xp.from_numpy(a.reshape(1, n)[0]), a


def _bytearrays(n):
    b = bytearray(_start(n).tobytes())
    return (
        xp.asarray(memoryview(b).cast("d")),
        xp.asarray(memoryview(b).cast("d")),
        np.frombuffer(b),
    )


def _array_array(n):
    a = array.array("d", _start(n))
    return xp.asarray(a), xp.asarray(a), np.frombuffer(a)


def _mapped_memory(n):
    m = mmap.mmap(-1, 8 * n)
    m[:] = _start(n).tobytes()
    return xp.asarray(memoryview(m).cast("d")), xp.from_numpy(np.frombuffer(m)), np.frombuffer(m)


def _memoryviews(n):
    a = _start(n)
    return xp.asarray(memoryview(a)), xp.asarray(memoryview(a)), a


def _memoryview_and_numpy(n):
    a = _start(n)
    return xp.asarray(memoryview(a)), xp.from_numpy(a), a


def _frombuffer(n):
    b = bytearray(_start(n).tobytes())
    return xp.from_numpy(np.frombuffer(b)), xp.from_numpy(np.frombuffer(b)), np.frombuffer(b)


def _c_memory(n):
    c = (ctypes.c_double * n)(*_start(n))
    return xp.asarray(memoryview(c).cast("B").cast("d")), xp.from_numpy(np.frombuffer(c)), c


def _torch_by_dlpack(n):
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(_start(n))
    return xp.from_dlpack(t), xp.from_dlpack(t), t.numpy()


def _torch_by_numpy(n):
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(_start(n)).clone()
    return xp.from_numpy(t.numpy()), xp.from_numpy(t.numpy()), t.numpy()


def _torch_by_both(n):
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(_start(n)).clone()
    return xp.from_dlpack(t), xp.from_numpy(t.numpy()), t.numpy()


def _ours_by_numpy(n):
    t = xp.asarray(_start(n), copy=True)
    return t, xp.from_numpy(t.numpy()), t.numpy()


def _ours_by_dlpack(n):
    t = xp.asarray(_start(n), copy=True)
    return t, xp.from_dlpack(np.from_dlpack(t)), t.numpy()


def _ours_by_our_dlpack(n):
    t = xp.asarray(_start(n), copy=True)
    return t, xp.from_dlpack(t), t.numpy()


def _ours_by_memoryview(n):
    t = xp.asarray(_start(n), copy=True)
    return t, xp.asarray(memoryview(t.numpy())), t.numpy()


def _ours_by_torch(n):
    torch = pytest.importorskip("torch")
    t = xp.asarray(_start(n), copy=True)
    return t, xp.from_dlpack(torch.from_dlpack(t)), t.numpy()


def _detached(n):
    t = xp.asarray(_start(n), copy=True)
    return t, t.detach(), t.numpy()


def _views_of_ours(n):
    t = xp.asarray(_start(n), copy=True)
    return t[...], xp.reshape(t, (1, n))[0], t.numpy()


def _a_view_and_its_base_by_numpy(n):
    t = xp.asarray(_start(n), copy=True)
    a = t.numpy()
    return xp.from_numpy(a[::-1])[::-1], xp.permute_dims(xp.reshape(t, (n, 1)), (1, 0))[0], a


# The same memory, but not at the same places of both tensors.


def _overlapping_slices(n):
    a = _start(n + 1)
    return xp.from_numpy(a[1:]), xp.from_numpy(a[:-1]), a


def _overlapping_slices_by_dlpack(n):
    a = _start(n + 1)
    return xp.from_dlpack(a[1:]), xp.from_dlpack(a[:-1]), a


def _overlapping_in_one_number(n):
    a = _start(2 * n - 1)
    return xp.from_numpy(a[: n + 0]), xp.from_numpy(a[n - 1 :]), a


def _backwards(n):
    a = _start(n)
    return xp.from_numpy(a), xp.from_numpy(a[::-1]), a


def _one_within_another(n):
    a = _start(3 * n)
    return xp.from_numpy(a[n : 2 * n]), xp.from_numpy(a), a


def _with_gaps(n):
    a = _start(2 * n)
    return xp.from_numpy(a[::2]), xp.from_dlpack(a)[:n], a


def _parts_of_complex_numbers(n):
    a = _start(2 * n)
    return xp.from_numpy(a[::2]), xp.real(xp.from_numpy(a.view(np.complex128))), a


def _overlapping_views_of_ours(n):
    t = xp.asarray(_start(n + 1), copy=True)
    return t[1:], xp.from_numpy(t.numpy()[:-1]), t.numpy()


SAME = [
    _two_of_dlpack,
    _numpy_and_dlpack,
    _two_of_numpy,
    _numpy_views,
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


def _name(f):
    return f.__name__.strip("_")


each_size = pytest.mark.parametrize("n", SIZES)
each_direction = pytest.mark.parametrize("direction", ["there", "back"])
each_sharing = pytest.mark.parametrize("sharing", SAME + OVERLAPPING, ids=_name)


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

        _right_or_refused(found, before)


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
    _right_or_refused(lambda: grad(f)(one), before)
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
            _right_or_refused(lambda later=later: later(xp.asarray(1.0))[0], before**2)
        else:
            _right_or_refused(lambda later=later, w=w: later(w), np.sum(before**2))


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

    _right_or_refused(found, 3 * before**2)


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

    _right_or_refused(found, before)


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

    _right_or_refused(gradient, expected)


@each_size
def test_integers_over_the_memory_of_floats_give_no_wrong_gradient(n):
    a = _start(n)
    kept, written = xp.from_numpy(a), xp.from_numpy(a.view(np.int64))
    before = a.copy()
    w = variable(xp.ones(n))
    y = xp.sum(w * kept)
    written[...] = 0
    assert not a.any()

    def found():
        y.backward()
        return w.grad

    _right_or_refused(found, before)


@each_size
def test_a_third_tensor_imported_later_is_known_too(n):
    a = _start(n)
    kept = xp.from_dlpack(a)
    w = variable(xp.ones(n))
    y = xp.sum(w * kept)
    before = a.copy()
    xp.from_dlpack(a)[...] = 9.0  # gone at once
    assert a[0] == 9.0

    def found():
        y.backward()
        return w.grad

    _right_or_refused(found, before)


@each_size
def test_memory_is_known_when_the_tensor_that_was_kept_is_gone(n):
    a = _start(n)
    w = variable(xp.ones(n))
    y = xp.sum(w * xp.from_dlpack(a))
    before = a.copy()
    gc.collect()
    written = xp.from_numpy(a)
    written += 1.0

    def found():
        y.backward()
        return w.grad

    _right_or_refused(found, before)


@each_size
def test_several_passes_with_writes_between_give_no_wrong_gradient(n):
    a = _start(n)
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

    _right_or_refused(found, before)
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
            _refuse(error)
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
@pytest.mark.parametrize("sharing", SAME, ids=_name)
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
            _refuse(error)
            np.testing.assert_array_equal(shown, before)
            continue
        before[k] = 6.0
        np.testing.assert_array_equal(shown, before)
        assert found == 2.0 * before[k].size + n


# ---- what does not overlap


def _halves(n):
    a = _start(2 * n)
    return [
        (xp.from_numpy(a[:n]), xp.from_numpy(a[n:])),
        (xp.from_dlpack(a[:n]), xp.asarray(a[n:])),
    ]


def _halves_of_a_bytearray(n):
    b = bytearray(_start(2 * n).tobytes())
    m = memoryview(b).cast("d")
    return [
        (xp.asarray(m[:n]), xp.asarray(m[n:])),
        (xp.from_numpy(np.frombuffer(b, count=n)), xp.from_numpy(np.frombuffer(b, offset=8 * n))),
    ]


def _halves_of_mapped_memory(n):
    m = mmap.mmap(-1, 16 * n)
    m[:] = _start(2 * n).tobytes()
    m = memoryview(m).cast("d")
    return [(xp.asarray(m[:n]), xp.asarray(m[n:]))]


def _rows_of_numpy(n):
    a = _start(2 * n).reshape(2, n)
    return [(xp.from_numpy(a[0]), xp.from_numpy(a[1]))]


def _own_tensors(n):
    return [(xp.asarray(_start(n), copy=True), xp.asarray(_start(n), copy=True))]


@each_size
@each_direction
@pytest.mark.parametrize(
    "parts",
    [_halves, _halves_of_a_bytearray, _halves_of_mapped_memory, _rows_of_numpy, _own_tensors],
    ids=_name,
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
    a = _start(2 * n)
    return xp.from_numpy(a[::2]), xp.from_numpy(a[1::2])


def _columns(n):
    a = _start(2 * n).reshape(n, 2)
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
    ids=_name,
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

    _right_or_refused(found, before)


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

    _right_or_refused(found, np.full(n, 6.0))


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


# ---- depth and cost

SOURCES = str(Path(xp.__file__).parent.parent)


HEAD = "import arraygrad as xp\nfrom arraygrad import autodiff\nimport numpy as np\n"


def _run(program, head=HEAD, timeout=120):
    """What a program of its own prints."""
    path = os.pathsep.join(p for p in (SOURCES, os.environ.get("PYTHONPATH")) if p)
    done = subprocess.run(
        [sys.executable, "-c", head + program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stderr[-2000:]}"
    return done.stdout


# Each checks itself. A write that is not followed may raise, and says why.
DEEP = {
    "a_write_to_the_last_of_many_plain_views": """
b = z = xp.zeros(3)
keep = [z]
w = autodiff.variable(xp.asarray(1.0))
for _ in range(N):
    z = z[...]
    keep.append(z)
try:
    z[0] = w
except ValueError as error:
    assert "copy" in str(error), error
else:
    xp.sum(b).backward()
    assert float(w.grad) == 1.0
""",
    "a_plain_write_to_the_last_of_many_views": """
b = z = xp.zeros(3)
keep = [z]
for _ in range(N):
    z = z[...]
    keep.append(z)
z[0] = 5.0
assert b[0] == 5.0 and keep[N // 2][0] == 5.0
w = autodiff.variable(xp.ones(3))
y = xp.sum(w * b)
y.backward()
assert float(w.grad[0]) == 5.0
""",
    "views_of_a_recorded_tensor": """
v = autodiff.variable(xp.ones(3))
w = v * 2.0
for _ in range(N):
    w = w[...]
xp.sum(w).backward()
assert v.grad.tolist() == [2.0, 2.0, 2.0]
""",
    "views_of_a_variable": """
w = v = autodiff.variable(xp.ones(3))
for _ in range(N):
    w = w[...]
xp.sum(w).backward()
assert v.grad.tolist() == [1.0, 1.0, 1.0]
""",
    "a_write_to_the_last_of_many_recorded_views": """
v = autodiff.variable(xp.ones(3))
first = w = v * 2.0
for _ in range(N):
    w = w[...]
w[0] = 3.0 * v[1]
xp.sum(first).backward()
assert v.grad.tolist() == [0.0, 5.0, 2.0]
""",
    "a_write_to_the_first_of_many_recorded_views": """
v = autodiff.variable(xp.ones(3))
first = w = v * 2.0
keep = [w]
for _ in range(N):
    w = xp.reshape(w, (3,))
    keep.append(w)
first *= 3.0
xp.sum(w).backward()
assert v.grad.tolist() == [6.0, 6.0, 6.0]
""",
    "arithmetic": """
v = autodiff.variable(xp.ones(3))
w = v
for _ in range(N):
    w = w * 1.0
xp.sum(w).backward()
assert v.grad.tolist() == [1.0, 1.0, 1.0]
""",
    "writes": """
v = autodiff.variable(xp.ones(3))
w = v * 1.0
for _ in range(N // 2):
    w *= 1.0
    w[0] = v[0]
xp.sum(w).backward()
assert v.grad.tolist() == [1.0, 1.0, 1.0]
""",
    "forward_mode": """
def f(w):
    first = w = w * 1.0
    for _ in range(N):
        w = w[...]
    w[0] = 3.0 * w[1]
    return first
out, t = autodiff.jvp(f, (xp.ones(3),), (xp.ones(3),))
assert t.tolist() == [3.0, 1.0, 1.0]
""",
    "graphs_that_are_dropped": """
v = autodiff.variable(xp.ones(3))
w = v * 1.0
for _ in range(N):
    w = (w * 1.0)[...]
del w
z = xp.zeros(3)
for _ in range(N):
    z = z[...]
del z
""",
    "a_function_of_many_views": """
def f(x):
    y = x * 1.0
    for _ in range(N):
        y = xp.permute_dims(y, (0,))
    return xp.sum(y * y)
assert autodiff.grad(f)(xp.ones(3)).tolist() == [2.0, 2.0, 2.0]
""",
    "checkpoints": """
step = autodiff.checkpoint(lambda x: x + 1.0)
def f(x):
    for _ in range(N // 4):
        x = step(x)
    return x
assert autodiff.grad(f)(xp.asarray(1.0)) == 1.0
""",
    "joined_again_and_again": """
def f(x):
    for _ in range(N):
        x = xp.concat([x, x])[1:]
    return xp.stack([x, x])[0, 0]
assert autodiff.grad(f)(xp.ones(1)).tolist() == [1.0]
""",
    "sums_with_detached_ones": """
def f(x):
    y = x
    for _ in range(N):
        y = autodiff.stop_gradient(y.detach()) + x
    return y
assert autodiff.grad(f)(xp.asarray(1.0)) == 1.0
""",
    "sums_in_place": """
v = autodiff.variable(xp.asarray(1.0))
y = v * 2.0
for _ in range(N):
    y += 1.0
y.backward()
assert v.grad == 2.0
""",
    "branches": """
def f(x):
    for _ in range(N):
        x = xp.where(x > 0, x, 1.0)
    return x
assert autodiff.grad(f)(xp.asarray(1.0)) == 1.0
assert autodiff.jvp(f, (xp.asarray(1.0),), (xp.asarray(1.0),))[1] == 1.0
""",
    "views_of_detached_tensors": """
v = autodiff.variable(xp.ones(3))
y = w = v * 2.0
for _ in range(N):
    w = w.detach()
y += 1.0
assert w.tolist() == [3.0, 3.0, 3.0]
xp.sum(y * w).backward()
assert v.grad.tolist() == [6.0, 6.0, 6.0]
""",
    "imports": """
import gc
t = first = xp.ones(3)
keep = [t]
for _ in range(N):
    t = xp.from_numpy(t.numpy())
    keep.append(t)
w = autodiff.variable(xp.ones(3))
y = xp.sum(w * first)
t[...] = 9.0
try:
    y.backward()
except RuntimeError as error:
    assert "overwrit" in str(error), error
else:
    assert w.grad.tolist() == [1.0, 1.0, 1.0]
""",
}


@pytest.mark.parametrize("program", DEEP, ids=str)
def test_deep_programs_run(program):
    _run(f"N = 20000\n{DEEP[program]}")


def test_a_hundred_thousand_views_of_a_recorded_tensor():
    for program in ("views_of_a_recorded_tensor", "views_of_a_variable"):
        _run(f"N = 100000\n{DEEP[program]}")


@pytest.mark.parametrize("program", DEEP, ids=str)
def test_deep_programs_run_in_a_thread_with_a_small_stack(program):
    body = "".join(f"        {line}\n" for line in DEEP[program].splitlines())
    _run(
        "import threading\nN = 20000\nerrors = []\n"
        f"def program():\n    try:\n{body}"
        "    except BaseException as error:\n        errors.append(repr(error))\n"
        "threading.stack_size(256 * 1024)\n"
        "t = threading.Thread(target=program)\nt.start()\nt.join()\n"
        "assert not errors, errors\n"
    )


def test_taking_the_rest_again_and_again_runs_in_a_thread_with_a_small_stack():
    _run("""
import threading
found = []
def f(x):
    rest, total = x, 0.0
    while rest.shape[0] > 1:
        total = total + rest[0]
        rest = rest[1:]
    return total
threading.stack_size(256 * 1024)
t = threading.Thread(target=lambda: found.append(autodiff.grad(f)(xp.ones(4000))))
t.start()
t.join()
assert found[0].tolist() == [1.0] * 3999 + [0.0]
""")


TIMED = {  # a small n, a program
    "views_of_a_recorded_tensor": (1000, DEEP["views_of_a_recorded_tensor"]),
    "a_write_to_the_last_of_many_recorded_views": (
        1000,
        DEEP["a_write_to_the_last_of_many_recorded_views"],
    ),
    "a_plain_write_to_the_last_of_many_views": (
        4000,
        DEEP["a_plain_write_to_the_last_of_many_views"],
    ),
    "writes": (1000, DEEP["writes"]),
    "imports": (1000, DEEP["imports"]),
    "many_tensors_over_one_buffer": (
        1000,
        """
a = np.ones(N)
w = autodiff.variable(xp.ones(1))
parts = [xp.from_numpy(a[k:k + 1]) for k in range(N)]
y = xp.zeros(1)
for p in parts:
    y = y + w * p
for p in parts[1:]:
    p += 0.0
parts[0] += 0.0
try:
    xp.sum(y).backward()
except RuntimeError as error:
    assert "overwrit" in str(error), error
""",
    ),
    "taking_the_rest": (
        500,
        """
def f(x):
    rest, total = x, 0.0
    while rest.shape[0] > 1:
        total = total + rest[0]
        rest = rest[1:]
    return total
assert autodiff.grad(f)(xp.ones(N)).tolist() == [1.0] * (N - 1) + [0.0]
""",
    ),
    "filling_a_buffer": (
        500,
        """
v = autodiff.variable(xp.ones(1))
out = xp.zeros(N)
for k in range(N):
    out[k] = v[0]
xp.sum(out).backward()
assert v.grad.tolist() == [float(N)]
""",
    ),
    "rows_kept_and_written": (
        500,
        """
w = autodiff.variable(xp.ones(2))
x = xp.zeros((N, 2))
y = xp.zeros(2)
for k in range(N):
    x[k] = 1.0
    y = y + w * x[k]
xp.sum(y).backward()
assert w.grad.tolist() == [float(N)] * 2
""",
    ),
    "concat": (
        1000,
        """
vs = [autodiff.variable(xp.ones(1)) for _ in range(N)]
xp.sum(xp.concat(vs) * 2.0).backward()
assert all(v.grad.tolist() == [2.0] for v in vs)
""",
    ),
    "stack": (
        1000,
        """
vs = [autodiff.variable(xp.ones(2)) for _ in range(N)]
xp.sum(xp.stack(vs) * 2.0).backward()
assert all(v.grad.tolist() == [2.0, 2.0] for v in vs)
""",
    ),
    "a_recorded_write_to_the_base_of_a_chain_of_views": (
        1000,
        """
b = z = xp.zeros(3)
keep = []
for _ in range(N):
    z = z[...]
    keep.append(z)
v = autodiff.variable(xp.ones(3))
b[0] = v[0] * 2.0
xp.sum(keep[-1]).backward()
assert v.grad.tolist() == [2.0, 0.0, 0.0]
""",
    ),
    "stack_of_what_is_recorded": (
        1000,
        """
v = autodiff.variable(xp.ones(2))
xp.sum(xp.stack([v * 2.0 for _ in range(N)])).backward()
assert v.grad.tolist() == [2.0 * N] * 2
""",
    ),
    "unstack": (
        1000,
        """
v = autodiff.variable(xp.ones((N, 2)))
total = 0.0
for row in xp.unstack(v):
    total = total + row
xp.sum(total).backward()
assert bool(xp.all(v.grad == 1.0))
""",
    ),
}


@pytest.mark.parametrize("program", TIMED, ids=str)
def test_cost_is_linear(program):
    n, body = TIMED[program]
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    small, large = map(
        float,
        _run(
            # Without the garbage collector, whose passes grow with all that is alive.
            f"import gc, time\ngc.disable()\ndef run(N):\n{lines}"
            f"times = {{{n}: [], {4 * n}: []}}\nrun({n})\n"
            "for _ in range(3):\n"
            "    for n, found in times.items():\n"
            "        gc.collect()\n"
            "        start = time.process_time()\n"
            "        run(n)\n"
            "        found.append(time.process_time() - start)\n"
            "print(*(min(found) for found in times.values()))\n"
        ).split(),
    )
    assert large < 10 * small, f"{n}: {small:.3f} s, {4 * n}: {large:.3f} s"


CHAINS = [
    "a_function_of_many_views",
    "a_write_to_the_last_of_many_recorded_views",
    "checkpoints",
    "joined_again_and_again",
    "sums_with_detached_ones",
    "sums_in_place",
    "branches",
    "writes",
]


@pytest.mark.parametrize("program", CHAINS)
def test_the_number_of_calls_is_linear(program):
    """Of Python's and C's functions. It counts the steps without the clock."""
    lines = "".join(f"    {line}\n" for line in DEEP[program].splitlines())
    counts = _run(
        f"import sys\ndef run(N):\n{lines}"
        "def note(frame, event, arg):\n"
        "    global calls\n"
        "    calls += event in ('call', 'c_call')\n"
        "run(1000)\n"
        "for n in (1000, 10000):\n"
        "    calls = 0\n"
        "    sys.setprofile(note)\n"
        "    run(n)\n"
        "    sys.setprofile(None)\n"
        "    print(calls)\n"
    )
    small, large = map(int, counts.split())
    assert small > 1000
    assert large < 10.5 * small, counts


# ---- what else refers to a tensor does not matter


def _fill(v):
    out = xp.zeros(3)
    out[0] = v[0] * v[1]
    return xp.sum(out) + 0.0 * v[2]


def _fill_all(v):
    buffer = xp.zeros(3)
    buffer[...] = v * 2.0
    return xp.sum(buffer * buffer)


def _fill_by_operator(v):
    buffer = xp.ones(3)
    buffer *= v
    return xp.sum(buffer * v)


def _fill_a_view(v):
    out = xp.zeros((2, 3))
    out[1][...] = v
    out[0, :2] += v[1:]
    return xp.sum(out * out)


def _write_what_is_kept(v):
    c = xp.ones(3)
    y = v * c
    c += 1.0
    z = v * c
    c[0] = 7.0
    return xp.sum(y * z * c)


def _write_an_alias(v):
    out = xp.zeros(3)
    alias = xp.reshape(out, (3, 1))
    out += v
    return xp.sum(alias * alias) + xp.sum(out)


def _write_a_kept_row(v):
    out = xp.zeros((2, 3))
    row = out[0]
    out[0] = v
    return xp.sum(row * row) + xp.sum(out)


ORDINARY = [_fill, _fill_all, _fill_by_operator, _fill_a_view, _write_what_is_kept]
ALIASES = [_write_an_alias, _write_a_kept_row]


def _slope(f, x):
    """The gradient by differences, of what is a polynomial of low degree."""
    h = 0.5
    eye = h * np.eye(3)
    at = lambda step: float(f(xp.asarray(x + step)))
    return [
        (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * h) for e in eye
    ]  # exact to degree 4


def _check_programs():
    x = np.asarray([0.5, 1.5, 2.0])
    for f in ORDINARY:
        expected = _slope(f, x)
        for found in (grad(f)(xp.asarray(x)), jacobian(f, mode="forward")(xp.asarray(x))):
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)
        v = variable(xp.asarray(x, copy=True))
        f(v).backward()
        np.testing.assert_allclose(v.grad.numpy(), expected, rtol=1e-9)
    for f in ALIASES:
        expected = _slope(f, x)
        _right_or_refused(lambda f=f: grad(f)(xp.asarray(x)), expected)
        _right_or_refused(lambda f=f: jacobian(f, mode="forward")(xp.asarray(x)), expected)


def _check_in(tracer):
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        _check_programs()
    finally:
        sys.settrace(before)


def test_programs_run_as_they_are():
    _check_programs()


def test_programs_run_under_a_tracer_that_reads_the_variables():
    kept = []

    def tracer(frame, event, arg):
        frame.f_locals
        return tracer

    def keeper(frame, event, arg):
        kept.append(dict(frame.f_locals))
        del kept[:-1000]
        return keeper

    _check_in(tracer)
    _check_in(keeper)


def test_programs_run_where_a_tracer_read_the_variables_at_import():
    _run(
        f"import sys\nsys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "def tracer(frame, event, arg):\n"
        "    if 'arraygrad' in frame.f_code.co_filename or 'test_memory' in "
        "frame.f_code.co_filename:\n"
        "        frame.f_locals\n"
        "        return tracer\n"
        "sys.settrace(tracer)\n"
        "import test_memory\n"
        "test_memory._check_programs()\n"
        "sys.settrace(None)\n"
        "test_memory._check_programs()\n",
        head="",
    )


def _fail(out):
    other = xp.ones(4)
    return out + other


def test_programs_run_beside_an_exception_that_is_kept():
    out, kept = xp.zeros(3), []
    for x in (out, out[1:]):
        try:
            _fail(x)
        except ValueError as error:
            kept.append(error)
    assert len(kept) == 2

    def f(v):
        out[0] = v
        return xp.sum(out * out)

    assert float(grad(f)(xp.asarray(2.0))) == 4.0
    _check_programs()
    inside = []

    def g(v):
        buffer = xp.zeros(3)
        try:
            _fail(buffer)
        except ValueError as error:
            inside.append(error)
        buffer[...] = v
        return xp.sum(buffer * buffer)

    np.testing.assert_array_equal(grad(g)(xp.ones(3)).numpy(), [2.0, 2.0, 2.0])
    assert len(inside) == 1


def test_programs_run_beside_the_last_traceback(monkeypatch):
    out = xp.zeros(3)
    try:
        _fail(out)
    except ValueError as error:
        for name, value in (
            ("last_type", type(error)),
            ("last_value", error),
            ("last_exc", error),
            ("last_traceback", error.__traceback__),
        ):
            monkeypatch.setattr(sys, name, value, raising=False)

    def f(v):
        out[0] = v
        return xp.sum(out * out)

    assert float(grad(f)(xp.asarray(2.0))) == 4.0
    _check_programs()


def test_other_references_to_a_tensor_do_not_matter():
    def f(v):
        out = xp.zeros(3)
        same, everything = out, [out, {"out": out}]
        held = locals()
        frame = sys._getframe()
        frame.f_locals
        out[1:] = v[1:]
        same *= 2.0
        out += v
        assert everything[0] is out
        assert held["out"] is out
        return xp.sum(out * same)

    x = xp.asarray([1.0, 2.0, 3.0])  # (v0, 3 v1, 3 v2)
    np.testing.assert_array_equal(grad(f)(x).numpy(), [2.0, 36.0, 54.0])


# ---- a write that fails leaves everything as it was


def _index_error(t):
    t[t.shape[0]] = 1.0


def _wrong_shape(t):
    t[...] = xp.ones(t.shape[0] + 1)


def _wrong_kind(t):
    t[...] = 1j


def _wrong_operand(t):
    t += xp.ones(t.shape[0] + 1)


def _wrong_mask(t):
    t[xp.ones(t.shape[0] + 1, dtype=xp.bool)] = 0.0


def _wrong_integers(t):
    t[xp.asarray([0, t.shape[0]])] = 0.0


@each_size
@pytest.mark.parametrize(
    "fail",
    [_index_error, _wrong_shape, _wrong_kind, _wrong_operand, _wrong_mask, _wrong_integers],
    ids=_name,
)
def test_a_write_that_fails_leaves_gradients_right(fail, n):
    for pair in ("base", "view", "import", "same", "recorded", "no_grad"):
        base = xp.asarray(_start(n), copy=True)
        kept = written = base
        w = variable(xp.ones(n))
        expected = _start(n)
        if pair == "base":
            kept = base[...]
        elif pair == "view":
            written = xp.reshape(base, (1, n))[0]
        elif pair == "import":
            written = xp.from_numpy(base.numpy())
        elif pair in ("recorded", "no_grad"):
            kept = written = w * base
            expected = 2 * _start(n)  # w is 1
        y = xp.sum(w * kept)
        if pair == "no_grad":
            with autodiff.no_grad(), pytest.raises((IndexError, ValueError, TypeError)):
                fail(written)
        else:
            with pytest.raises((IndexError, ValueError, TypeError)):
                fail(written)
        y.backward()
        np.testing.assert_allclose(w.grad.numpy(), expected, rtol=1e-12)


@each_size
def test_a_recorded_value_that_does_not_fit_leaves_a_plain_tensor_plain(n):
    v = variable(xp.ones(n + 1))
    t = xp.ones(n)
    for index in (..., slice(None), n):
        with pytest.raises((IndexError, ValueError)):
            t[index] = v
    with pytest.raises(ValueError):
        t += v
    np.testing.assert_array_equal(t.numpy(), np.ones(n))


def test_a_write_to_read_only_memory_fails_and_leaves_gradients_right():
    for n in SIZES:
        a = _start(n)
        a.flags.writeable = False
        kept, written = xp.from_numpy(a), xp.from_numpy(a)
        w = variable(xp.ones(n))
        y = xp.sum(w * kept)
        for value in (9.0, w * 2.0):
            with pytest.raises(ValueError, match="read-only"):
                written[...] = value
        y.backward()
        np.testing.assert_array_equal(w.grad.numpy(), a)


# ---- what is noted of memory goes with it

GROWTH = {
    "written": """
def work(m):
    ts = [xp.zeros(3) for _ in range(m)]
    for t in ts:
        t[0] = 1.0
""",
    "written_one_by_one": """
def work(m):
    for _ in range(m):
        t = xp.zeros(3)
        t += 1.0
""",
    "views_written": """
def work(m):
    ts = [xp.zeros(3) for _ in range(m)]
    vs = [xp.reshape(t, (3, 1))[1:] for t in ts]
    for v in vs:
        v[...] = 1.0
""",
    "views_of_one_tensor_that_stays": """
stays = xp.zeros(3)
def work(m):
    vs = [stays[1:] for _ in range(m)]
    for v in vs:
        v += 1.0
""",
    "imported": """
stays = np.zeros(2 * 2000)
def work(m):
    ts = [xp.from_numpy(stays[2 * k : 2 * k + 2]) for k in range(m)]
    for t in ts:
        t += 1.0
    us = [xp.from_dlpack(np.zeros(3)) for _ in range(m)]
    for t in us:
        t += 1.0
""",
    "kept_by_a_graph": """
w = autodiff.variable(xp.ones(3))
def work(m):
    ts = [xp.ones(3) for _ in range(m)]
    ys = [w * t for t in ts]
    for t in ts:
        t += 1.0
    for y in ys[:10]:
        xp.sum(y).backward()
""",
    "recorded_values_written": """
w = autodiff.variable(xp.ones(3))
def work(m):
    ts = [xp.zeros(3) for _ in range(m)]
    for t in ts:
        t[0] = w[0]
    xp.sum(ts[0]).backward()
""",
    "detached": """
w = autodiff.variable(xp.ones(3))
stays = w * 2.0
def work(m):
    ds = [stays.detach() for _ in range(m)]
    with autodiff.no_grad():
        for d in ds:
            d += 0.0
""",
}


@pytest.mark.parametrize("program", GROWTH, ids=str)
def test_what_is_noted_of_memory_goes_with_it(program):
    grown = _run(
        f"import gc, tracemalloc\n{GROWTH[program]}\n"
        "work(2000)\nwork(2000)\ngc.collect()\ntracemalloc.start()\nwork(1000)\ngc.collect()\n"
        "before = tracemalloc.get_traced_memory()[0]\n"
        "for _ in range(50): work(1000)\ngc.collect()\n"
        "print(tracemalloc.get_traced_memory()[0] - before)\n"
    )
    assert int(grown) < 100_000


def test_tensors_are_freed_at_once():
    _run("""
import gc, weakref
gc.disable()
gone = []
class Note:
    def __init__(self, x):
        weakref.finalize(x, gone.append, 1)
def run():
    a = np.ones(3000)
    Note(a)
    t, u = xp.from_numpy(a), xp.from_dlpack(a)
    w = autodiff.variable(xp.ones(3000))
    y = xp.sum(w * t[...])
    del a, t, u
    assert not gone
    del y
run()
assert gone, "memory stays when all that shares it has gone"
""")


# ---- effects of an inner function on what is outside

INNER = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: autodiff.value_and_grad(f)(x),
    "vjp": lambda f, x: vjp(f, x)[1](xp.asarray(1.0)),
    "vjp_without_a_pass": lambda f, x: vjp(f, x),
    "jvp": lambda f, x: jvp(f, (x,), (xp.asarray(1.0),)),
    "linearize": lambda f, x: linearize(f, x)[1](xp.asarray(1.0)),
    "linearize_without_a_pass": lambda f, x: linearize(f, x),
    "reverse_jacobian": lambda f, x: jacobian(f, mode="reverse")(x),
    "forward_jacobian": lambda f, x: jacobian(f, mode="forward")(x),
    "hessian": lambda f, x: autodiff.hessian(f)(x),
    "hvp": lambda f, x: autodiff.hvp(f, (x,), (xp.asarray(1.0),)),
    "twice": lambda f, x: grad(lambda s: grad(f)(s))(x),
}


def _tape(f, x):
    v = variable(x)
    f(v).backward()
    return v.grad


OUTER = {
    "grad": lambda f, x: grad(f)(x),
    "tape": _tape,
    "vjp": lambda f, x: vjp(f, x)[1](xp.asarray(1.0))[0],
    "jvp": lambda f, x: jvp(f, (x,), (xp.asarray(1.0),))[1],
    "linearize": lambda f, x: linearize(f, x)[1](xp.asarray(1.0)),
    "reverse_jacobian": lambda f, x: jacobian(f, mode="reverse")(x),
    "forward_jacobian": lambda f, x: jacobian(f, mode="forward")(x),
}


def _effects(transform):
    """Functions that let a value out of an inner one, each with its derivatives at 2."""

    def written(x):
        y = xp.zeros(1)
        transform(lambda s: (y.__setitem__(0, s), s * s)[1], x)
        return y[0] + x

    def written_whole(x):
        y = xp.zeros(())
        transform(lambda s: (y.__setitem__(..., s * s), s * s)[1], x)
        return y * x  # x**3

    def added(x):
        y = xp.ones(2)

        def g(s):
            nonlocal y
            y += s
            return s * s

        transform(g, x)
        return y[0] * y[1]  # (1 + c x)**2, where the function has run c times

    def in_a_list(x):
        kept = []
        transform(lambda s: (kept.append(s * 3.0), s * s)[1], x)
        return kept[0] + x

    def in_a_view(x):
        y = xp.zeros((2, 2))
        row = y[1]
        transform(lambda s: (row.__setitem__(0, s * s * s), s * s)[1], x)
        return xp.sum(y) + x

    return {
        "written": (written, 2.0, 0.0),
        "written_whole": (written_whole, 12.0, 12.0),
        "in_a_list": (in_a_list, 4.0, 0.0),
        "in_a_view": (in_a_view, 13.0, 12.0),
        "added": (added, None, None),
    }


def _number(x):
    return float(x.numpy())  # also: it is not traced


each_effect = pytest.mark.parametrize(
    "effect", ["written", "written_whole", "in_a_list", "in_a_view", "added"]
)


def _check_effect(transform, effect):
    f, first, second = _effects(transform)[effect]
    if effect == "added":  # how often a transformation runs its function is its own affair
        c = (f(xp.asarray(2.0)).item() ** 0.5 - 1) / 2
        first, second = 2 * c * (1 + 2 * c), 2 * c * c
    for outer, transform in OUTER.items():
        x = xp.asarray(2.0)
        try:
            found = transform(f, x)
        except REFUSALS:
            pass
        else:
            assert _number(found) == first, outer
        if outer == "tape":
            continue  # is for the outermost
        for name in ("grad", "jvp", "forward_jacobian"):
            try:
                found = OUTER[name](lambda x, t=transform: t(f, x), xp.asarray(2.0))
            except REFUSALS:
                pass
            else:
                assert _number(found) == second, (name, outer)


@each_effect
@pytest.mark.parametrize("inner", INNER)
def test_a_value_let_out_of_an_inner_function_keeps_its_derivative(effect, inner):
    _check_effect(INNER[inner], effect)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", [None, *OUTER])
def test_nothing_outside_stays_traced_when_differentiation_is_over(outer, inner):
    whole, part, kept = xp.zeros(()), xp.zeros(3), []
    view = part[1:]

    def g(s):
        kept.append(s * 2.0)
        whole[...] = s * 3.0
        part[0] = s * 4.0
        return s * s

    def f(x):
        INNER[inner](g, x)
        return x * x

    x = xp.asarray(2.0)
    try:
        if outer is None:
            f(x)
        else:
            OUTER[outer](f, x)
    except REFUSALS:
        done = False
    else:
        done = True
    if done:  # (On the tape, they depend on x.)
        assert _number(whole.detach()) == 6.0
        np.testing.assert_array_equal(part.detach().numpy(), [8.0, 0.0, 0.0])
    tape = outer == "tape"
    for t in (whole, part, view, *kept):
        assert not getattr(t, "requires_grad", False) or tape
        if not tape:
            assert type(t) is type(xp.zeros(1))
            t.numpy()
            t += 1.0  # and it is written as any
    if not tape:
        np.testing.assert_array_equal(view.numpy(), part.numpy()[1:])


@pytest.mark.parametrize("outer", ["grad", "vjp", "jvp", "linearize", "forward_jacobian"])
def test_what_a_function_lets_out_is_plain_afterwards(outer):
    kept, buffer = [], xp.zeros(2)

    def f(x):
        kept.append(x)
        kept.append(x * x)
        buffer[0] = x * x * x
        kept.append(buffer[0])
        return x * 5.0

    assert _number(OUTER[outer](f, xp.asarray(2.0))) == 5.0
    assert [_number(k) for k in kept] == [2.0, 4.0, 8.0]
    np.testing.assert_array_equal(buffer.numpy(), [8.0, 0.0])
    np.testing.assert_array_equal(
        grad(lambda v: xp.sum(v * buffer))(xp.ones(2)).numpy(), [8.0, 0.0]
    )


# ---- corners of functions with rules of their own, layouts, hooks


def _with_a_rule(function):
    f = autodiff.custom_vjp(function)
    f.defvjp(lambda *xs: (function(*xs), xs), lambda xs, g: tuple(g for _ in xs))
    return f


def test_a_function_with_a_rule_writes_its_own_recorded_tensors_only():
    outside = variable(xp.ones(3)) * 2.0

    def writes_outside(x):
        nonlocal outside
        outside += 1.0
        return x * 1.0

    def writes_its_own(x):
        own = variable(xp.ones(3)) * 2.0
        own += 1.0
        own[0] = 5.0
        assert own.detach().tolist() == [5.0, 3.0, 3.0]
        return x * 1.0

    x = xp.ones(3)
    with pytest.raises(RuntimeError, match="copy"):
        grad(lambda x: xp.sum(_with_a_rule(writes_outside)(x)))(x)
    assert outside.detach().tolist() == [2.0, 2.0, 2.0]
    found = grad(lambda x: xp.sum(_with_a_rule(writes_its_own)(x)))(x)
    np.testing.assert_array_equal(found.numpy(), np.ones(3))


@pytest.mark.parametrize(
    "turn",
    [
        lambda x: x[::-1],
        lambda x: x[:, ::-1],
        lambda x: x[::-1, ::-1],
        lambda x: x.mT,
        lambda x: x.mT[::-1],
        lambda x: xp.permute_dims(x, (1, 0))[:, ::-1],
        lambda x: x[:, ::2],
        lambda x: xp.sort(x, axis=-1, descending=True),  # NumPy's, read backwards
        lambda x: xp.sort(x, axis=0, descending=True).mT,
    ],
)
def test_a_written_tensor_keeps_its_layout(turn):
    """Whether `reshape` gives a view or a copy afterwards is as outside."""

    def f(v):
        x = turn(xp.zeros((2, 3))) + turn(xp.zeros((2, 3)))
        x += turn(v)
        flat = xp.reshape(x, (-1,))
        flat[1] = 7.0 * v[0, 0]
        back = xp.reshape(turn(v * 1.0), (-1,))
        turn(x)[0] *= 2.0
        back[0] += xp.sum(x)
        y = turn(v * 1.0)
        y += 1.0
        xp.reshape(y, (-1,))[1] *= 3.0
        return xp.concat([xp.reshape(x, (-1,)), flat, back, xp.reshape(y, (-1,))])

    v = xp.reshape(xp.linspace(1.0, 2.0, 6), (2, 3))
    outside = f(v).numpy()
    out, pullback = vjp(f, v)
    np.testing.assert_array_equal(out.numpy(), outside)
    (g,) = pullback(xp.ones(out.shape))
    np.testing.assert_array_equal(jvp(f, (v,), (v,))[0].numpy(), outside)
    slope = (f(v + v).numpy() - f(v - v).numpy()).sum() / 2
    np.testing.assert_allclose(float(xp.sum(g * v)), slope, rtol=1e-12)


def test_retained_gradients_add_up_over_passes():
    w = variable(xp.asarray([1.0, 2.0]))
    y = w * w
    y.retain_grad()
    z = xp.sum(y * 3.0)
    z.backward(retain_graph=True)
    z.backward()
    np.testing.assert_array_equal(y.grad.numpy(), [6.0, 6.0])
    np.testing.assert_array_equal(w.grad.numpy(), [12.0, 24.0])


def test_what_a_hook_gives_has_the_dtype_of_its_variable():
    w = variable(xp.ones(2, dtype=xp.float32))
    w.register_hook(lambda g: xp.astype(g, xp.float64) * 2.0)
    y = w * w
    y.register_hook(lambda g: xp.astype(g, xp.float64) * 3.0)
    xp.sum(y).backward()
    assert w.grad.dtype == xp.float32
    np.testing.assert_array_equal(w.grad.numpy(), [12.0, 12.0])


@each_size
def test_a_gradient_has_memory_of_its_own(n):
    w, u = variable(xp.ones(n)), variable(xp.ones(n))
    y = xp.sum(w + u)
    y.backward(retain_graph=True)
    with autodiff.no_grad():
        w.grad += 5.0
    np.testing.assert_array_equal(u.grad.numpy(), np.ones(n))
    y.backward()
    np.testing.assert_array_equal(w.grad.numpy(), np.full(n, 7.0))
    np.testing.assert_array_equal(u.grad.numpy(), np.full(n, 2.0))
    cotangent = xp.ones(n)
    w.grad = None
    (w * 1.0).backward(cotangent)
    w.grad[...] = 9.0
    np.testing.assert_array_equal(cotangent.numpy(), np.ones(n))
    cotangent[...] = 3.0
    np.testing.assert_array_equal(w.grad.numpy(), np.full(n, 9.0))
