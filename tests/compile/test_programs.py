"""A compiled function gives what the function itself gives, bit for bit."""

import gc
import weakref

import numpy as np
import pytest
from compile.support import M, X, Y, bits, check, copy, normal, programs

import arraygrad as xp
from arraygrad import autodiff, nn, optim

# ---- functions of tensors


@pytest.mark.parametrize("n", [3, 3000])
def test_a_function_and_its_gradients(n):
    def f(x, y):
        return xp.sum(xp.exp(-x * x) * xp.sin(y) / (1 + xp.abs(y)))

    a, b, c, d = (normal(n, seed=i) for i in range(4))
    check(f, (a, b), (c, d), (a, b))
    check(autodiff.grad(f, (0, 1)), (a, b), (c, d))
    check(autodiff.value_and_grad(f), (a, b), (c, d))
    check(lambda x, y: autodiff.jvp(f, (x, y), (y, x)), (a, b), (c, d))
    check(lambda x, y: autodiff.hvp(lambda x: f(x, y), (x,), (y,)), (a, b), (c, d))


def test_a_tensor_of_no_axes_and_an_empty_one():
    def f(x):
        return xp.sum(x * 2) + 1, -x

    check(f, (xp.asarray(1.5),), (xp.asarray(-0.0),), (xp.zeros(0),), (xp.zeros((0, 3)),))


def test_integers_and_masks():
    def f(i, x):
        return xp.where(i > 2, x[i], 0.0), i // 2, i % 3, ~(i > 1)

    check(f, (xp.asarray([0, 1, 4]), X), (xp.asarray([3, 3, 2]), Y))


def test_containers_in_and_out():
    def f(tree, *, scale):
        return {"a": tree["x"] * scale, "b": (tree["l"][0], 3, None, "text")}

    compiled = xp.compile(f)
    for scale in (2.0, 3.0, 2.0):
        tree = {"x": X, "l": [Y]}
        assert bits(compiled(tree, scale=scale)) == bits(f(tree, scale=scale))
        assert compiled(tree, scale=scale)["b"][0] is Y
    assert len(programs(compiled)) == 2  # one for each number


def test_numbers_of_other_types_and_signs_have_programs_of_their_own():
    compiled = check(lambda x, n: x * n, (X, 1), (X, 1.0), (X, True), (X, 0.0), (X, -0.0))
    assert len(programs(compiled)) == 5
    integers = xp.asarray([1, 2])
    assert compiled(integers, 1).dtype == xp.int64
    assert compiled(integers, 1.0).dtype == xp.float64


def test_dtypes_shapes_and_strides_have_programs_of_their_own():
    def f(x):
        y = xp.reshape(x, (-1,))
        y = xp.asarray(y, copy=True)
        y[0] = 7
        return y + 1

    check(f, (M,), (M.T,), (xp.astype(M, xp.float32),), (M[:, ::2],), (M[:2],), (M,))


def test_in_place_writes_and_views():
    def f(x):
        y = x * 1
        v = y[1:3]
        v += 10
        y[0] = v[1]
        y[::2] *= 2
        z = xp.reshape(y, (5, 1))
        z[4] = -1
        return y, v, z

    check(f, (X,), (Y,))


def test_a_negative_that_is_written_is_another_value():
    def f(x):
        y = -x
        y *= x
        y += 1
        return -y, xp.sum(y)

    check(f, (X,), (Y,))


def test_gradients_of_in_place_code():
    def f(x):
        y = xp.zeros(5)
        for i in range(5):
            y[i] = x[i] * i
            if i:
                y[i] += y[i - 1]
        return xp.sum(y * y)

    check(autodiff.value_and_grad(f), (X,), (Y,))


def test_nan_in_a_gradient_is_masked_as_outside():
    def f(x):
        return xp.sum(xp.where(x > 0, xp.sqrt(x) * xp.log(x), 0.0)) + xp.sum(xp.sqrt(xp.abs(x)))

    zero = xp.asarray([0.0, 1.0, -1.0, np.inf, np.nan])
    compiled = xp.compile(autodiff.grad(f))
    with np.errstate(all="ignore"):
        for x in (X, zero, Y, zero, -zero):
            assert bits(compiled(x)) == bits(autodiff.grad(f)(x))
    for order in range(2):
        g = f
        for _ in range(order + 1):
            g = (lambda h: lambda x: xp.sum(autodiff.grad(h)(x)))(g)
        with np.errstate(all="ignore"):
            check(g, (X,), (zero,), (Y,))


def test_floating_point_warnings_are_those_of_the_function():
    compiled = xp.compile(lambda x: xp.log(x) + 1)
    compiled(xp.ones(3))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        compiled(xp.zeros(3))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        compiled(xp.zeros(3))
    quiet = xp.compile(autodiff.grad(lambda x: xp.sum(xp.sqrt(x))))
    quiet(xp.ones(3))
    quiet(xp.zeros(3))  # a rule divides by zero; warnings are errors here


def test_an_error_state_inside_is_that_of_the_program():
    def f(x):
        with np.errstate(divide="ignore"):
            y = xp.log(x)
        return y + 1

    compiled = xp.compile(f)
    compiled(xp.ones(3))
    compiled(xp.zeros(3))


# ---- arguments and results that share memory


def test_a_write_to_an_argument_is_a_write():
    def f(x):
        x += 1
        x[0] = 5
        return xp.sum(x)

    check(f, (X,), (Y,), (X,))


def test_a_result_that_is_an_argument_is_the_same_tensor():
    compiled = xp.compile(lambda x, y: (x, y + 1, x))
    for _ in range(3):
        a, _b, c = compiled(X, Y)
        assert a is X
        assert c is X


def test_a_result_that_is_a_view_shares_memory():
    compiled = xp.compile(lambda x: (x[1:], x * 2))
    for _ in range(2):
        x = copy(X)
        v, _ = compiled(x)
        v[0] = 100
        assert float(x[1]) == 100
        y = copy(X)
        v, _ = compiled(y)
        y[1] = 50
        assert float(v[0]) == 50


def test_two_results_that_are_views_of_one_another():
    def f(x):
        y = x * 2
        return y, y[1:], y

    compiled = xp.compile(f)
    for _ in range(2):
        y, v, z = compiled(X)
        assert z is y
        v[0] = 7
        assert float(y[1]) == 7


def test_a_saved_tensor_is_not_changed_by_a_compiled_write():
    def step(x):
        x *= 2

    compiled = xp.compile(step)
    compiled(copy(X))
    w = copy(X).requires_grad_()
    loss = xp.sum(w * w)
    with autodiff.no_grad():
        compiled(w)
        compiled(w)
    loss.backward()
    assert bits(w.grad) == bits(2 * X)


def test_the_same_tensor_twice_and_overlapping_arguments():
    def f(x, y):
        x += y
        return y * 2

    compiled = xp.compile(f)
    for make in (
        lambda: (copy(X), copy(Y)),
        lambda: (lambda x: (x, x))(copy(X)),
        lambda: (lambda x: (x[:4], x[1:]))(copy(X)),
        lambda: (copy(X), copy(Y)),
    ):
        own, other = make(), make()
        assert bits(compiled(*own)) == bits(f(*other))
        assert bits(own) == bits(other)


def test_an_argument_that_is_also_used_from_outside():
    w = copy(X)

    def f(x):
        x += 1
        return x * w

    compiled = xp.compile(f)
    for arg in (w, copy(Y), w, copy(Y)):
        before = copy(w)
        got = compiled(arg)
        want = (arg) * w
        assert bits(got) == bits(want)
        w[...] = before


def test_results_are_new_at_each_call():
    compiled = xp.compile(lambda x: (xp.zeros(3), xp.asarray([1.0, 2.0]), x + 1))
    first = compiled(X)
    for y in first:
        y += 5
    again = compiled(X)
    assert bits(again[:2]) == bits((xp.zeros(3), xp.asarray([1.0, 2.0])))


# ---- tensors from outside


def test_a_write_to_a_tensor_from_outside_is_seen():
    w = copy(X)
    compiled = xp.compile(lambda x: x * w)
    compiled(Y)
    w[...] = 3
    assert bits(compiled(Y)) == bits(Y * 3)


def test_a_tensor_from_outside_is_written():
    total = xp.zeros(5)

    def f(x):
        nonlocal_total = total
        nonlocal_total += x
        return xp.sum(total)

    compiled = xp.compile(f)
    for i in range(1, 4):
        compiled(X)
        assert bits(total) == bits(check_sum(i))


def check_sum(n):
    total = xp.zeros(5)
    for _ in range(n):
        total += X
    return total


def test_another_tensor_in_a_variable_is_seen():
    w = X

    def f(x):
        return x * w

    compiled = xp.compile(f)
    assert bits(compiled(Y)) == bits(Y * X)
    w = Y
    assert bits(compiled(Y)) == bits(Y * Y)
    w = 2.0
    assert bits(compiled(Y)) == bits(Y * 2.0)


def test_attributes_and_elements_that_have_changed_are_seen():
    class Model:
        def __init__(self):
            self.scale = 2.0
            self.layers = [X, Y]
            self.named = {"w": X}

    model = Model()

    def f(x):
        return sum((w * model.scale for w in model.layers), x) + model.named["w"]

    compiled = xp.compile(f)
    for change in (
        lambda: None,
        lambda: setattr(model, "scale", 3.0),
        lambda: model.layers.append(X),
        lambda: model.named.update(w=Y),
        lambda: model.layers.__setitem__(0, Y),
    ):
        change()
        for _ in range(2):
            assert bits(compiled(X)) == bits(f(X))


def test_numpy_memory_from_outside_is_read_at_each_call():
    a = np.ones(3)
    compiled = xp.compile(lambda x: x + xp.asarray(a) + xp.asarray(a, copy=True))
    x = xp.zeros(3)
    assert float(compiled(x)[0]) == 2
    a[0] = 5
    assert float(compiled(x)[0]) == 10


def test_a_result_that_is_a_tensor_from_outside():
    compiled = xp.compile(lambda x: (X, X[1:]))
    for _ in range(2):
        a, b = compiled(Y)
        assert a is X
        assert np.shares_memory(b.numpy(), X.numpy())


# ---- random numbers


def test_random_numbers_are_drawn_again():
    def draws(compile):
        rng = xp.random.default_rng(0)

        def f(x):
            return x + rng.normal(size=5), rng.permutation(4), rng.integers(0, 10, size=3)

        g = xp.compile(f) if compile else f
        return [bits(g(X)) for _ in range(4)]

    assert draws(True) == draws(False)


def test_a_generator_made_inside_begins_anew():
    def f(x):
        rng = xp.random.default_rng(3)
        return rng.normal(size=5) * x + rng.normal(size=5)

    check(f, (X,), (Y,), (X,))


def test_a_generator_as_argument():
    def f(rng, x):
        return rng.normal(size=5) * x

    compiled = xp.compile(f)
    a, b = xp.random.default_rng(1), xp.random.default_rng(1)
    for _ in range(3):
        assert bits(compiled(a, X)) == bits(f(b, X))


def test_a_generator_whose_state_is_set_between_calls():
    rng = xp.random.default_rng(0)
    compiled = xp.compile(lambda x: x + rng.normal(size=5))
    saved = rng.state
    first = bits(compiled(X))
    second = bits(compiled(X))
    rng.state = saved
    assert bits(compiled(X)) == first
    assert bits(compiled(X)) == second


def test_dropout_under_a_checkpoint():
    def make():
        rng = xp.random.default_rng(0)

        def block(x):
            return xp.sum(nn.dropout(x * x, 0.5, rng=rng) * x)

        return autodiff.grad(lambda x: autodiff.checkpoint(block)(x))

    eager, compiled = make(), xp.compile(make())
    for _ in range(3):
        assert bits(compiled(M)) == bits(eager(M))


# ---- modes and other transformations


def test_modes_have_programs_of_their_own():
    compiled = xp.compile(lambda x: x + 1)
    i = xp.asarray([1, 2])
    compiled(i)
    f = xp.compile(lambda x: x + 1.5)
    f(i)
    with xp.strict(), pytest.raises(TypeError, match="outside the standard"):
        f(i)
    zeros = xp.compile(lambda: xp.zeros(2))
    assert zeros().dtype == xp.float64
    with xp.default_dtype(xp.float32):
        assert zeros().dtype == xp.float32
    assert zeros().dtype == xp.float64


def test_nan_is_found_as_outside():
    f = xp.compile(lambda x: xp.log(x))
    f(X * X)
    with np.errstate(all="ignore"):
        f(-X * X)
        with autodiff.debug_nans(), pytest.raises(FloatingPointError):
            f(-X * X)


def test_custom_rules_and_stop_gradient():
    @autodiff.custom_vjp
    def clipped(x):
        return x * 1

    clipped.defvjp(lambda x: (x * 1, x), lambda x, g: (xp.clip(g, -0.1, 0.1) * x,))

    def f(x):
        return xp.sum(clipped(x) * x + autodiff.stop_gradient(x) * x)

    check(autodiff.grad(f), (X,), (Y,))


def test_compiled_functions_in_one_another():
    inner = xp.compile(lambda x: xp.sin(x) * 2)
    outer = xp.compile(lambda x: inner(x) + inner(x + 1))
    for x in (X, Y, X):
        assert bits(outer(x)) == bits(xp.sin(x) * 2 + xp.sin(x + 1) * 2)
    assert not programs(inner)
    assert len(programs(outer)) == 1


def test_gradients_of_a_compiled_function():
    f = xp.compile(lambda x: xp.sum(xp.sin(x) * x))
    plain = lambda x: xp.sum(xp.sin(x) * x)
    f(X)
    for _ in range(3):
        assert bits(autodiff.grad(f)(X)) == bits(autodiff.grad(plain)(X))
        assert bits(autodiff.jvp(f, (X,), (Y,))) == bits(autodiff.jvp(plain, (X,), (Y,)))
        h = autodiff.hvp(plain, (X,), (Y,))
        assert bits(autodiff.hvp(f, (X,), (Y,))) == bits(h)
    w = copy(X).requires_grad_()
    for i in range(1, 4):
        f(w).backward()
        assert bits(w.grad) == bits(sum_of(autodiff.grad(plain)(X), i))


def sum_of(g, n):
    total = copy(g)
    for _ in range(n - 1):
        total += g
    return total


def test_recording_that_is_switched_on_later_is_seen():
    w = copy(X)
    f = xp.compile(lambda x: xp.sum(w * x))
    assert not f(Y).requires_grad
    w.requires_grad_()
    y = f(Y)
    assert y.requires_grad
    y.backward()
    assert bits(w.grad) == bits(Y)
    w.requires_grad_(False)
    assert not f(Y).requires_grad


# ---- training


def make_training(optimizer, schedule=False):
    rng = xp.random.default_rng(0)
    net = nn.Sequential(
        nn.Linear(5, 8, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=rng),
        nn.Linear(8, 2, rng=rng),
    )  # fmt: skip
    opt = optimizer(net.parameters())
    plan = optim.StepLR(opt, 2) if schedule else None

    def step(x, y):
        opt.zero_grad()
        loss = xp.mean((net(x) - y) ** 2)
        loss.backward()
        opt.step()
        if plan is not None:
            plan.step()
        return loss.detach()

    return net, step


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", [False, True])
def test_training_steps(name, schedule):
    x, y = normal(16, 5, seed=3), normal(16, 2, seed=4)
    histories = []
    for compile in (False, True):
        net, step = make_training(OPTIMIZERS[name], schedule)
        step = xp.compile(step) if compile else step
        losses = [bits(step(x + i * 0.01, y)) for i in range(6)]
        histories.append((losses, bits(net.state_dict()), bits([p.grad for p in net.parameters()])))
    assert histories[0] == histories[1]


def test_gradients_that_are_not_reset_add_up():
    histories = []
    for compile in (False, True):
        w = copy(X).requires_grad_()

        def step(x):
            loss = xp.sum(w * x * w)
            loss.backward()
            return w.grad * 1

        step = xp.compile(step) if compile else step
        histories.append([bits(step(Y)) for _ in range(4)])
    assert histories[0] == histories[1]


def test_an_update_by_hand():
    histories = []
    for compile in (False, True):
        w = copy(X).requires_grad_()

        def step(x):
            nonlocal w
            loss = xp.sum((w - x) ** 2)
            w.grad = None
            loss.backward()
            with autodiff.no_grad():
                w -= 0.1 * w.grad
            return loss.detach()

        step = xp.compile(step) if compile else step
        histories.append(([bits(step(Y)) for _ in range(4)], bits(w.detach())))
    assert histories[0] == histories[1]


def test_a_module_in_another_state_has_another_program():
    net = nn.Sequential(nn.Linear(5, 3, rng=xp.random.default_rng(0)), nn.Dropout(0.5))
    f = xp.compile(autodiff.no_grad(lambda x: net(x)))
    f(M)
    net.eval()
    assert bits(f(M)) == bits(f(M)) == bits(net[0](M).detach())


def test_calls_that_differ_from_the_last_one():
    """The next call is compared with the last one before its program is looked for."""

    @xp.compile
    def f(x, y):
        return x * 2 + y, xp.asarray(0.5) * xp.sum(x)

    x, y = copy(X), copy(Y)
    single = xp.astype(x, xp.float32), xp.astype(y, xp.float32)
    rows = xp.stack([x, y])
    columns = xp.asarray(np.asfortranarray(rows.numpy())), rows
    several = [(x, y), (x, x), (y, x), single, columns, columns[::-1], (x[::2], y[::2]), (x, 1.5)]

    def check(args):
        for _ in range(3):
            for out, expected in zip(f(*args), f.__wrapped__(*args), strict=True):
                assert out.dtype == expected.dtype
                assert bits(out) == bits(expected)

    for first in several:
        for second in several:
            check(first)
            check(second)
    count = len(programs(f))
    assert count == len(several) - 1  # (Two are alike.)
    with xp.default_dtype("float32"):
        check((x, y))
    assert len(programs(f)) == count + 1
    check((x, y))
    with pytest.raises(TypeError, match="y"):
        f(x)
    assert xp.all(f(y=x, x=y)[0] == y * 2 + x)
    slope = autodiff.grad(lambda x: xp.sum(f(x, y)[0]))
    assert xp.all(slope(x) == 2)


def test_what_is_known_of_a_run_is_freed_when_it_ends():
    freed = []

    @xp.compile
    def f(x):
        y = xp.sin(x)
        weakref.finalize(y._data, freed.append, "y")
        return xp.sum(y * y)

    gc.collect()
    gc.disable()
    try:
        f(X)
        assert freed == ["y"]
    finally:
        gc.enable()
