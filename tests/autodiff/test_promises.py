"""Never a silently wrong value, never a silently lost gradient: programs that broke the promise.

Most are checked by one rule: what a function gives under a differentiation is what it gives outside
of it, and its derivative is that of differences; or it raises, and says what to write.
"""

import asyncio
import contextlib
import threading

import numpy as np
import pytest
from autodiff.support import REFUSALS, each_size

import arraygrad as xp
from arraygrad import autodiff


def start(n):
    """Numbers to begin with, another tensor each time."""
    return xp.asarray(np.linspace(0.5, 2.0, n))


def by_grad(f, x, direction):
    value, gradient = autodiff.value_and_grad(f)(x)
    return value, xp.sum(gradient * direction)


def by_jvp(f, x, direction):
    return autodiff.jvp(f, (x,), (direction,))


def by_tape(f, x, direction):
    w = x.requires_grad_()
    value = f(1.0 * w)
    value.backward()
    return value.detach(), xp.sum(w.grad * direction)


def keeps_the_promise(f, n):
    """Compare `f` with itself under each differentiation, and with differences."""
    direction = xp.asarray(np.cos(np.arange(n)))
    step = 1e-6
    outside = f(start(n))
    slope = (f(start(n) + step * direction) - f(start(n) - step * direction)) / (2 * step)
    for derivative in (by_grad, by_jvp, by_tape):
        try:
            value, found = derivative(f, start(n), direction)
        except REFUSALS:
            continue
        assert value == outside, derivative.__name__
        assert xp.abs(found - slope) <= 1e-5 * (1 + xp.abs(slope)), derivative.__name__


# ---- what passes from an inner differentiation to an outer one


def a_view_of_the_argument_by_vjp(x):
    y = x * 1.0
    out, _ = autodiff.vjp(lambda z: z[:2], y)
    out[...] = x[:2] * 5.0
    return xp.sum(y)


def a_view_of_the_argument_by_jvp(x):
    y = x * 1.0
    out, _ = autodiff.jvp(lambda z: z[:2], (y,), (y,))
    out[...] = x[:2] * 5.0
    return xp.sum(y)


def a_view_of_the_argument_beside_the_value(x):
    y = x * 1.0
    _, view = autodiff.grad(lambda z: (xp.sum(z * z), z[:2]), has_aux=True)(y)
    view[...] = x[:2] * 5.0
    return xp.sum(y)


def the_argument_let_out(x):
    y, box = x * 1.0, []
    autodiff.grad(lambda z: (box.append(z), xp.sum(z * z))[1])(y)
    box[0][...] = x * 5.0
    return xp.sum(y)


def a_view_of_the_argument_let_out(x):
    y, box = x * 1.0, []
    autodiff.grad(lambda z: (box.append(z[:2]), xp.sum(z * z))[1])(y)
    box[0][...] = x[:2] * 5.0
    return xp.sum(y)


def the_argument_let_out_and_read(x):
    y, box = x * 1.0, []
    autodiff.grad(lambda z: (box.append(z), xp.sum(z * z))[1])(y)
    y[...] = x * 5.0
    return xp.sum(box[0])


def a_result_and_its_view(x):
    def both(z):
        y = z * 2.0
        return y, y[:2]

    (y, view), _ = autodiff.vjp(both, x)
    view[...] = x[:2] * 5.0
    return xp.sum(y)


def a_result_and_its_view_that_is_read(x):
    def both(z):
        y = z * 2.0
        return y, y[:2]

    (y, view), _ = autodiff.jvp(both, (x,), (x,))
    y[...] = 5.0 * x
    return xp.sum(view)


def a_result_twice(x):
    def twice(z):
        y = z * 2.0
        return y, y

    (y, same), _ = autodiff.vjp(twice, x)
    same[...] = x * 5.0
    return xp.sum(y)


def a_plain_argument_that_is_given_outer_values(x):
    t = xp.zeros_like(x.detach())

    def inner(z):
        z[...] = z + 2.0 * x
        return xp.sum(z * z)

    autodiff.grad(inner)(t)
    return xp.sum(t) + xp.sum(x)


def an_argument_written_by_both_its_names(x):
    def inner(z):
        x[...] = x * 2.0
        z[...] = z * 3.0
        return xp.sum(z)

    autodiff.grad(inner)(x)
    return xp.sum(x)


def external_memory_written_inside_and_outside(x):
    a = np.zeros(x.shape)
    b = xp.from_numpy(a)

    def inner(z):
        b[...] = z * 2.0
        return xp.sum(b)

    autodiff.grad(inner)(x)
    b[...] = x * 7.0
    a_now = xp.asarray(a, copy=True)
    return xp.sum(autodiff.stop_gradient(b) - a_now) + xp.sum(x)


def a_detached_tensor_of_one_let_out(x):
    box = []

    def inner(z):
        y = z * 2.0
        box.extend((y, y.detach()))
        return xp.sum(y)

    autodiff.grad(inner)(x)
    box[0][...] = 7.0
    return xp.sum(box[1]) + xp.sum(x)


def a_view_taken_and_written_inside_of_a_checkpoint(x):
    y, b = x * 1.0, xp.ones_like(x.detach())

    def inner(p):
        view = y[1:]
        view[...] = 5.0 * view
        return p * 1.0

    autodiff.checkpoint(inner)(b)
    return xp.sum(y)


def an_argument_of_a_checkpoint_with_a_tensor_of_an_inner_level(x):
    y = x * 1.0

    def inner(w):
        def steps(p):
            p += 1.0
            return p * w

        return xp.sum(autodiff.checkpoint(steps)(y))

    autodiff.grad(inner)(xp.ones_like(x.detach()))
    return xp.sum(y)


def memory_that_is_imported_again(x):
    a = np.zeros(x.shape)
    b = xp.from_numpy(a)
    b += x
    return xp.sum(xp.from_numpy(a[::-1])) + xp.sum(x)


PROGRAMS = [
    a_view_of_the_argument_by_vjp,
    a_view_of_the_argument_by_jvp,
    a_view_of_the_argument_beside_the_value,
    the_argument_let_out,
    a_view_of_the_argument_let_out,
    the_argument_let_out_and_read,
    a_result_and_its_view,
    a_result_and_its_view_that_is_read,
    a_result_twice,
    a_plain_argument_that_is_given_outer_values,
    an_argument_written_by_both_its_names,
    external_memory_written_inside_and_outside,
    a_detached_tensor_of_one_let_out,
    a_view_taken_and_written_inside_of_a_checkpoint,
    an_argument_of_a_checkpoint_with_a_tensor_of_an_inner_level,
    memory_that_is_imported_again,
]


@each_size
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_what_shares_memory_across_levels_keeps_values_and_gradients(program, n):
    keeps_the_promise(program, n)


@each_size
def test_a_pullback_let_out_keeps_what_it_saved_of_a_tensor_that_is_written_later(n):
    k, box = xp.full(n, 2.0), []

    def f(x):
        box.append(autodiff.vjp(lambda z: z * x, xp.ones(n))[1])
        return xp.sum(x)

    autodiff.grad(f)(k)
    for _ in range(2):
        (found,) = box[0](xp.ones(n))
        assert xp.all(found == 2.0)
        k[...] = 9.0


@each_size
def test_a_tensor_passed_for_two_arguments_and_written_gives_their_sum_or_raises(n):
    def f(a, b):
        a *= 2.0
        return xp.sum(a * b)

    t = xp.full(n, 3.0)
    try:
        first, second = autodiff.grad(f, (0, 1))(t, t)
    except REFUSALS:
        return
    assert xp.all(first + second == 24.0)  # 4 t**2


# ---- functions with rules of their own, checkpoints and hooks that write


@each_size
def test_a_hook_that_writes_changes_no_other_gradient(n):
    def hook(g):
        g *= 10.0

    for k in range(2):
        leaves = [xp.ones(n).requires_grad_() for _ in range(2)]
        leaves[k].register_hook(hook)
        try:
            xp.sum((leaves[0] + leaves[1]) * 2.0).backward()
        except REFUSALS:
            continue
        assert xp.all(leaves[1 - k].grad == 2.0)


@each_size
def test_a_hook_that_writes_leaves_the_given_gradient_as_it_is(n):
    def hook(g):
        g *= 10.0

    w, given = xp.ones(n).requires_grad_(), xp.ones(n)
    w.register_hook(hook)
    with contextlib.suppress(REFUSALS):
        (w + 1.0).backward(given)
    assert xp.all(given == 1.0)


@each_size
def test_a_rule_that_writes_to_its_cotangent_changes_no_other(n):
    @autodiff.custom_vjp
    def tripled(x):
        return x * 1.0

    def backward(_residuals, g):
        g *= 3.0
        return (g,)

    tripled.defvjp(lambda x: (x * 1.0, ()), backward)
    given = xp.full(n, 2.0)
    _, pull = autodiff.vjp(lambda a, b: b * 1.0 + tripled(a), xp.ones(n), xp.ones(n))
    try:
        first, second = pull(given)
    except REFUSALS:
        pass
    else:
        assert xp.all(first == 6.0)
        assert xp.all(second == 2.0)
    assert xp.all(given == 2.0)


@each_size
def test_a_rule_that_writes_to_its_residuals_gives_the_same_each_time(n):
    @autodiff.custom_vjp
    def f(x):
        return x * 1.0

    def backward(residuals, g):
        (x,) = residuals
        x *= 2.0
        return (g * x,)

    f.defvjp(lambda x: (x * 1.0, (x,)), backward)
    _, pull = autodiff.vjp(f, xp.ones(n))
    for _ in range(2):
        try:
            (found,) = pull(xp.ones(n))
        except REFUSALS:
            return
        assert xp.all(found == 2.0)


@each_size
def test_a_rule_that_writes_to_its_tangent_changes_no_other(n):
    @autodiff.custom_jvp
    def f(x):
        return x * 1.0

    @f.defjvp
    def _(primals, tangents):
        (x,), (t,) = primals, tangents
        t *= 3.0
        return f(x), t

    direction = xp.ones(n)
    try:
        _, tangent = autodiff.jvp(lambda x: f(x) + x, (xp.ones(n),), (direction,))
    except REFUSALS:
        pass
    else:
        assert xp.all(tangent == 4.0)
    assert xp.all(direction == 1.0)


@each_size
def test_a_rule_that_writes_to_its_primal_gives_the_same_each_time(n):
    @autodiff.custom_jvp
    def f(x):
        return x * 1.0

    @f.defjvp
    def _(primals, tangents):
        (x,), (t,) = primals, tangents
        out = x * 1.0
        x *= 3.0
        return out, t * x

    _, pull = autodiff.vjp(lambda x: f(x) + x, xp.ones(n))
    for _ in range(2):
        try:
            (found,) = pull(xp.ones(n))
        except REFUSALS:
            return
        assert xp.all(found == 4.0)


@each_size
@pytest.mark.parametrize("recorded", [False, True])
def test_a_checkpoint_that_writes_to_a_plain_argument_runs_again_from_the_old_values(recorded, n):
    def f(x, b):
        def inner(p, q):
            q += p if recorded else 1.0
            return p * q

        return xp.sum(autodiff.checkpoint(inner)(x, b))

    w = xp.full(n, 2.0).requires_grad_()
    try:
        f(w, xp.ones(n)).backward()
    except REFUSALS:
        return
    assert xp.all(w.grad == (5.0 if recorded else 2.0))


@each_size
def test_retained_gradients_have_memory_of_their_own(n):
    x = xp.ones(n).requires_grad_()
    y = xp.sin(x)
    z = y + xp.ones(n)
    y.retain_grad()
    z.retain_grad()
    xp.sum(z * z).backward()
    kept = xp.asarray(y.grad, copy=True)
    z.grad[...] = 0.0
    assert xp.all(y.grad == kept)


@each_size
def test_a_hook_on_a_view_of_what_has_been_written_is_called(n):
    w = xp.full(n, 2.0).requires_grad_()
    y = w * 1.0
    view = y[:2]
    y *= 3.0
    view.register_hook(lambda g: 10.0 * g)
    xp.sum(view * view).backward()
    assert xp.all(w.grad[:2] == 360.0)


# ---- writes that fail


@pytest.mark.parametrize("external", [False, True])
def test_a_write_that_a_view_cannot_follow_is_not_done_in_part(external):
    a = np.zeros(3)
    b = xp.from_numpy(a) if external else xp.zeros(3)
    as_ints, view = b.view(xp.int64), b[:2]
    with pytest.raises(REFUSALS):
        b[...] = xp.ones(3).requires_grad_()
    assert not b.requires_grad
    view[...] = 5.0
    assert b[0] == 5.0
    assert as_ints[2] == 0


# ---- contexts


def test_one_no_grad_object_serves_several_tasks():
    block, w, recorded = autodiff.no_grad(), xp.ones(2).requires_grad_(), []

    async def task(seconds):
        with block:
            await asyncio.sleep(seconds)
            recorded.append((2.0 * w).requires_grad)
        recorded.append((2.0 * w).requires_grad)

    async def tasks():
        await asyncio.gather(task(0.01), task(0.02))

    asyncio.run(tasks())
    assert recorded == [False, True, False, True]


def test_one_no_grad_object_serves_several_threads():
    block, w, recorded = autodiff.no_grad(), xp.ones(2).requires_grad_(), {}
    entered, both, left = threading.Event(), threading.Event(), threading.Event()

    def first():
        with block:
            entered.set()
            both.wait(10)
        recorded["first"] = (2.0 * w).requires_grad
        left.set()

    def second():
        entered.wait(10)
        with block:
            both.set()
            left.wait(10)
        recorded["second"] = (2.0 * w).requires_grad

    threads = [threading.Thread(target=f) for f in (first, second)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert recorded == {"first": True, "second": True}


# ---- equal eigenvalues


V = np.asarray([[1.0, 0.5, 0.2], [0.5, 2.0, 0.3], [0.2, 0.3, -1.0]])
CUBES = {
    "eigh": lambda x: xp.sum(xp.linalg.eigh((x + x.mT) * 0.5).eigenvalues ** 3),
    "eigvalsh": lambda x: xp.sum(xp.linalg.eigvalsh((x + x.mT) * 0.5) ** 3),
    "eig": lambda x: xp.real(xp.sum(xp.linalg.eig(x).eigenvalues ** 3)),
    "eigvals": lambda x: xp.real(xp.sum(xp.linalg.eigvals(x) ** 3)),
    "svd": lambda x: xp.sum(xp.linalg.svd(x).S ** 3),
    "svdvals": lambda x: xp.sum(xp.linalg.svdvals(x) ** 3),
}
SECOND = {
    "forward_over_forward": lambda f, x, v: autodiff.jvp(
        lambda x: autodiff.jvp(f, (x,), (v,))[1], (x,), (v,)
    )[1],
    "forward_over_reverse": lambda f, x, v: xp.sum(
        autodiff.jvp(autodiff.grad(f), (x,), (v,))[1] * v
    ),
    "reverse_over_forward": lambda f, x, v: xp.sum(
        autodiff.grad(lambda x: autodiff.jvp(f, (x,), (v,))[1])(x) * v
    ),
    "reverse_over_reverse": lambda f, x, v: xp.sum(autodiff.hvp(f, (x,), (v,)) * v),
}


@pytest.mark.parametrize("order", SECOND)
@pytest.mark.parametrize("name", CUBES)
def test_second_derivatives_at_equal_values_are_right_or_refused(name, order):
    x, v = xp.eye(3) * 2.0, xp.asarray(V)
    try:
        found = SECOND[order](CUBES[name], x, v)
    except autodiff.NotDifferentiableError:
        return
    assert abs(float(found) - 12.0 * float(xp.sum(v * v))) < 1e-8  # the sum is the trace of x**3


def test_the_transform_of_no_axes_is_a_copy():
    t, w = xp.asarray(2.0), xp.asarray(1.0).requires_grad_()
    z = w * t
    for transform in (xp.fft.fftn, xp.fft.ifftn):
        out = transform(t)
        out[...] = 9.0
    z.backward()
    assert w.grad == 2.0
