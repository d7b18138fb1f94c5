"""Checkpoints: the same gradients and random numbers, less memory, and no changed values."""

import gc
import weakref

import numpy as np
import pytest
from autodiff.support import SIZES, close, each_size

import arraygrad
import arraygrad as xp
from arraygrad import Tensor, autodiff, nn, optim
from arraygrad.autodiff import (
    NotDifferentiableError,
    checkpoint,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    jacobian,
    jvp,
    no_grad,
    stop_gradient,
    value_and_grad,
    variable,
    vjp,
)


def test_checkpoint(xp):
    calls = []
    w = xp.asarray([0.5, 0.25])

    def body(x, scale=1.0):
        calls.append(1)
        return xp.tanh(w * x) * scale, xp.sum(x)

    def plain(x):
        a, b = body(x, scale=2.0)
        return xp.sum(a) * b

    def saved(x):
        a, b = checkpoint(body)(x, scale=2.0)
        return xp.sum(a) * b

    x = xp.asarray([1.0, 2.0])
    for transform in (grad, hessian, lambda f: lambda x: jvp(f, (x,), (x,))[1],
                      lambda f: grad(lambda x: xp.sum(grad(f)(x) ** 2))):  # fmt: skip
        close(transform(saved)(x), transform(plain)(x).numpy())
    calls.clear()
    grad(saved)(x)
    assert len(calls) == 2


def test_checkpoint_of_variables_that_are_no_arguments(xp):
    w, b = variable(xp.asarray([1.0, 2.0])), variable(xp.asarray(0.5))

    def layer(x):
        return xp.tanh(w * x + b)

    def run(layer, create_graph):
        w.grad = b.grad = None
        x = variable(xp.asarray([0.3, -0.2]))
        xp.sum(layer(layer(x)) ** 2).backward(create_graph=create_graph)
        return [stop_gradient(t.grad).numpy() for t in (w, b, x) if t.grad is not None]

    for create_graph in (False, True):
        for a, b_ in zip(
            run(layer, create_graph), run(checkpoint(layer), create_graph), strict=True
        ):
            np.testing.assert_allclose(a, b_, rtol=1e-12)
    constant = run(lambda x: checkpoint(lambda: w * 1.0)() * x, False)  # nothing but captured
    np.testing.assert_allclose(constant[0], run(lambda x: w * x, False)[0])
    with no_grad():
        assert type(checkpoint(layer)(xp.ones(2))) is Tensor


def test_checkpoint_keeps_only_the_arguments():
    def deep(x):
        for _ in range(20):
            x = arraygrad.sin(x)
        return x

    def nodes(y):
        seen, stack = set(), [y._trace]
        while stack:
            node = stack.pop()
            if node is not None and node not in seen:
                seen.add(node)
                stack.extend(node.parents)
        return len(seen)

    x = variable(arraygrad.ones(3))
    assert nodes(deep(x)) == 21
    assert nodes(checkpoint(deep)(x)) == 3


def test_checkpoint_of_a_tensor_that_is_there_twice(xp):
    def f(x, checkpoint=checkpoint):
        first = checkpoint(lambda p, q: xp.tanh(p) * q)(x, x)
        return xp.sum(first * checkpoint(lambda p: xp.tanh(p) * x)(x))

    x = xp.asarray([0.7, -0.3])
    v = variable(x)
    f(v).backward(create_graph=True)
    g, v.grad = v.grad, None
    close(g.detach(), grad(lambda x: f(x, lambda f: f))(x).numpy())
    xp.sum(g).backward()
    close(v.grad, hessian(lambda x: f(x, lambda f: f))(x).numpy().sum(axis=0))


def test_checkpoint_below_what_it_takes_from_outside(xp):
    v = variable(xp.asarray([2.0, 3.0]))
    f = checkpoint(lambda p, w: checkpoint(lambda q: q * w)(p))
    w = xp.asarray([4.0, 5.0])
    close(grad(lambda w: xp.sum(f(v, w)))(w).detach(), [2, 3])
    close(jvp(lambda w: xp.sum(f(v, w)), (w,), (w,))[1].detach(), 23)
    # the tensor from outside is of a higher level, and wraps one that is followed, too

    def inner(x):
        u = xp.sin(x)
        return checkpoint(lambda p: xp.tanh(p) * u)(x) ** 2

    x = xp.asarray(0.7)
    t, u, d = np.tanh(0.7), np.sin(0.7), np.cos(0.7)
    s = 1 - t * t
    product, first = t * u, s * u + t * d
    second = -2 * t * s * u + 2 * s * d - t * u
    expected = 2 * first**2 + 2 * product * second
    close(jvp(grad(inner), (x,), (xp.asarray(1.0),))[1], expected)
    close(grad(grad(inner))(x), expected)


def test_what_checkpoint_and_rules_cannot_follow(xp):
    def product(w):
        return lambda p: p * w

    def vjp_of(f):
        f = custom_vjp(f)
        f.defvjp(lambda x: (f.fun(x), x), lambda x, g: (g * x,))
        return f

    def jvp_of(f):
        f = custom_jvp(f)
        f.defjvp(lambda p, t: (f.fun(*p), f.fun(t[0] * p[0])))
        return f

    def written(x):
        x *= 2.0
        return x * x

    v = xp.asarray([2.0, 3.0])
    for rule in (vjp_of, jvp_of):
        with pytest.raises(NotDifferentiableError, match="uses from its closure would be lost"):
            grad(lambda x, w, rule=rule: xp.sum(rule(product(w))(x)), (0, 1))(v, v)
        with pytest.raises(NotDifferentiableError, match="uses from its closure would be lost"):
            grad(lambda x, rule=rule: xp.sum(rule(product(x))(x)))(v)
    for rule in (checkpoint, vjp_of, jvp_of):
        with pytest.raises(RuntimeError, match=r"writes to its argument.*copy=True"):
            grad(lambda x, rule=rule: xp.sum(rule(written)(x * 1.0)))(v)
        with pytest.raises(RuntimeError, match=r"writes to its argument.*copy=True"):
            hessian(lambda x, rule=rule: xp.sum(rule(written)(x * 1.0)))(v)

        def part_is_written(x, rule=rule):
            x = x * 1.0
            y = rule(lambda p: p[:1])(x)
            y *= 3.0
            return xp.sum(x)

        def whole_is_written(x, rule=rule):
            x = x * 1.0
            y = rule(lambda p: p[:1])(x)
            x *= 3.0
            return xp.sum(y)

        for f in (part_is_written, whole_is_written):
            for mode in (grad, lambda f: lambda v: jvp(f, (v,), (v,))):
                if rule is not checkpoint or mode is grad:  # which is the function itself
                    with pytest.raises(RuntimeError, match=r"shares its memory.*been written"):
                        mode(f)(v)

    def two_results(x):
        y, z = checkpoint(lambda x: (y := x * 2, y[:1]))(x)
        z += 1.0
        return xp.sum(y)

    with pytest.raises(RuntimeError, match=r"another result.*been written"):
        grad(two_results)(v)

    def same_object(x):  # as outside
        x = x * 1.0
        y = checkpoint(lambda p: p)(x)
        y *= 3.0
        x += 1.0
        return xp.sum(x * y)

    value, g = value_and_grad(same_object)(v)
    assert float(value) == float(same_object(v)) == 149
    close(g, [42, 60])

    def constants(x, y):  # these as well, of another level or of none
        c = xp.ones(2)
        z, d, e = checkpoint(lambda x, y, c: (x * y, y, c))(x, y, c)
        y *= 3.0
        c += 1.0
        return xp.sum(z * d * e)

    close(grad(constants)(v, xp.asarray([1.0, 2.0])), [6, 24])
    outer = grad(lambda y: grad(lambda x: constants(x, y * 1.0))(xp.asarray([1.0, 1.0]))[1])
    close(outer(xp.asarray([1.0, 2.0])), [0, 24])

    def part_of_a_constant(x, y):
        z = checkpoint(lambda x, y: (x * y, y[:1]))(x, y)[1]
        y *= 3.0
        return xp.sum(x * z)

    with pytest.raises(RuntimeError, match=r"shares its memory.*been written"):
        grad(lambda y: xp.sum(grad(lambda x: part_of_a_constant(x, y * 1.0))(v)))(v)

    def from_outside(x):
        y = x * 1.0

        def f(p):
            y[...] += p
            return p * 2

        return xp.sum(checkpoint(f)(x)) + xp.sum(y)

    with pytest.raises(RuntimeError, match="cannot write to a tensor from outside"):
        grad(from_outside)(v)

    def other_later(x):
        y = x * 2
        z = checkpoint(lambda p: p * y)(x)
        y = z
        return xp.sum(y)

    def written_later(x):
        y = x * 2
        z = checkpoint(lambda p: p * y)(x)
        y += 1.0
        return xp.sum(z)

    for f in (other_later, written_later):
        with pytest.raises(RuntimeError, match="has changed since the first run"):
            grad(f)(v)


def test_arguments_that_are_written_later_make_no_cycle():
    by_vjp = custom_vjp(lambda x: x * x)
    by_vjp.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))
    by_jvp = custom_jvp(lambda x: x * x)
    by_jvp.defjvp(lambda p, t: (p[0] * p[0], 2 * p[0] * t[0]))
    gone = []
    for f in (checkpoint(lambda x: x * x), by_vjp, by_jvp):

        def loss(x, f=f):
            y = x * 1.0
            z = f(y)
            weakref.finalize(z.grad_fn, gone.append, f)
            y += arraygrad.sum(z)
            return arraygrad.sum(y * y)

        gc.disable()
        try:
            grad(loss)(arraygrad.ones(2))
            assert gone.pop() is f
        finally:
            gc.enable()


#: Ways to use a generator; each result is random.
DRAWS = {
    "random": lambda rng, x: x * rng.random(x.shape),
    "normal": lambda rng, x: rng.normal(x, 1.0) * x,
    "integers": lambda rng, x: x * xp.astype(rng.integers(100, size=x.shape), xp.float64),
    "permutation": lambda rng, x: x * xp.astype(rng.permutation(x.size), xp.float64),
    "choice": lambda rng, x: x * xp.take(x, rng.choice(x.size, size=x.shape)),
    "shuffle": lambda rng, x: x * shuffled(rng, x.size, x.device),
    "several": lambda rng, x: x * rng.random(x.shape) + x**2 * rng.standard_normal(x.shape),
    "dropout": lambda rng, x: nn.dropout(x, 0.5, rng=rng) * x,
    "spawned": lambda rng, x: x * rng.spawn(2)[1].random(x.shape),
    "a copy": lambda rng, x: x * copied(rng).random(x.shape),
    "a state that is set": lambda rng, x: x * rewound(rng, x.shape),
}


def shuffled(rng, n, device):
    order = xp.arange(float(n), device=device)
    rng.shuffle(order)
    return order


def copied(rng):
    other = xp.random.default_rng(7, device=rng.device)
    other.state = rng.state
    rng.random(2)
    return other


def rewound(rng, shape):
    state = rng.state
    first = rng.random(shape)
    rng.state = state
    return first + rng.random(shape) + rng.random(shape)


@each_size
@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("where", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_a_checkpoint_draws_the_same_numbers_again(name, n, where):
    draw = DRAWS[name]
    x = xp.linspace(0.5, 1.5, n, device=where)

    def results(wrap):
        rng = xp.random.default_rng(3, device=where)
        rng.random(1, dtype=xp.float32)
        f = wrap(lambda x: xp.sum(draw(rng, x)))
        value, g = autodiff.value_and_grad(f)(x)
        w = xp.asarray(x, copy=True).requires_grad_()
        loss = f(w) + f(w)
        between = rng.random(4)
        loss.backward()
        return value, g, w.grad, between, rng.random(4), *(c.random(2) for c in rng.spawn(2))

    for a, b in zip(results(checkpoint), results(lambda f: f), strict=True):
        close(a, b)


def test_a_checkpoint_in_a_checkpoint_draws_the_same_numbers_again():
    x = xp.linspace(0.5, 1.5, 3)

    def gradients(wrap):
        rng, other = xp.random.default_rng(3), xp.random.default_rng(4)
        inner = wrap(lambda x: x * rng.random(3) * other.random(3))

        def outer(x):
            y = inner(x * rng.random(3))
            g = grad(lambda x: xp.sum(inner(x) ** 2))(x)
            return xp.sum(y * inner(y) * other.random(3)) + xp.sum(g * rng.random(3))

        g = grad(wrap(outer))(x)
        return g, grad(lambda x: xp.sum(grad(wrap(outer))(x) ** 2))(x), rng.random(3)

    for a, b in zip(gradients(checkpoint), gradients(lambda f: f), strict=True):
        close(a, b)


def test_a_pullback_inside_of_a_checkpoint_leaves_its_generators_alone():
    x = xp.linspace(0.5, 1.5, 3)

    def gradient(wrap):
        rng = xp.random.default_rng(3)
        _, pullback = vjp(wrap(lambda x: x * rng.random(3)), x)
        rng.random(7)
        return grad(wrap(lambda x: xp.sum(pullback(x)[0] * x * rng.random(3))))(x)

    close(gradient(checkpoint), gradient(lambda f: f))


def test_a_pullback_of_a_checkpoint_draws_the_same_numbers_each_time():
    rng = xp.random.default_rng(3)
    out, pullback = vjp(checkpoint(lambda x: x * rng.random(3)), xp.ones(3))
    for _ in range(3):
        close(pullback(xp.ones(3))[0], out)
        rng.random(5)


def test_random_numbers_of_a_checkpoint_around_tensors_of_a_higher_level():
    x = xp.linspace(0.5, 1.5, 3)

    def gradient(wrap):
        rng = xp.random.default_rng(3)

        def f(x):
            return jvp(wrap(lambda y: x * y * rng.random(3)), (x,), (x,))[1] * rng.random(3)

        return grad(lambda x: xp.sum(f(x)))(x), rng.random(3)

    for a, b in zip(gradient(checkpoint), gradient(lambda f: f), strict=True):
        close(a, b)


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
@pytest.mark.parametrize("transform", ["jacobian", "hessian"])
def test_a_jacobian_of_a_function_that_draws_is_that_of_one_function(transform, mode):
    rng, again = xp.random.default_rng(3), xp.random.default_rng(3)
    x = xp.linspace(0.5, 1.5, 3)
    factor = again.random((9, 3))
    if transform == "jacobian":
        found = jacobian(lambda x: xp.matmul(rng.random((9, 3)), x**2), mode=mode)(x)
        close(found, factor * 2 * x)
    else:
        found = autodiff.hessian(lambda x: xp.sum(xp.matmul(rng.random((9, 3)), x**3)))(x)
        close(found, xp.eye(3) * 6 * x * xp.sum(factor, axis=0))
    assert rng.random() == again.random()


def test_the_rules_of_a_function_that_draws_see_the_numbers_of_its_value():
    rng = xp.random.default_rng(3)

    @custom_jvp
    def noisy(x):
        return x**2 * rng.random(3)

    @noisy.defjvp
    def _(primals, tangents):
        out = noisy(*primals)
        return out, 2 * out / primals[0] * tangents[0]

    @custom_vjp
    def noisy_too(x):
        return x**2 * rng.random(3)

    def forward(x):
        noise = rng.random(3)
        return x**2 * noise, (x, noise)

    noisy_too.defvjp(forward, lambda saved, g: (2 * saved[0] * saved[1] * g,))
    x = xp.asarray([1.0, 2.0, 3.0])
    for f in (noisy, noisy_too):
        out, pullback = vjp(f, x)
        close(pullback(xp.ones(3))[0], 2 * out / x)
        value, tangent = jvp(lambda x, f=f: vjp(f, x)[1](xp.ones(3))[0], (x,), (x,))
        close(tangent, value)
        w = xp.asarray(x, copy=True).requires_grad_()
        y = f(w)
        first = autodiff.grad(lambda w, f=f: xp.sum(f(w)))(w)
        assert not xp.any(first.detach() == 2 * y.detach() / x)
        xp.sum(y).backward(create_graph=True)
        close(w.grad.detach(), 2 * y.detach() / x)


# ---- what has changed meanwhile


def writes(w):
    with autodiff.no_grad():
        w *= 2


WRITES = {
    "an optimizer's step": lambda w: optim.SGD([w], lr=1.0).step([xp.ones(w.shape)]),
    "no_grad": writes,
    "a view": lambda w: writes(w[0]),
    "detach": lambda w: w.detach().__setitem__(0, 5.0),
}


@each_size
@pytest.mark.parametrize("name", WRITES)
def test_a_checkpoint_says_that_its_closure_has_been_written(name, n):
    w = xp.linspace(0.5, 1.5, n).requires_grad_()
    f = checkpoint(lambda x: xp.sum((w * x) ** 2))
    loss = f(xp.ones(n))
    WRITES[name](w)
    with pytest.raises(RuntimeError, match=r"closure, has been written.*optimizer\.step"):
        loss.backward()


def test_a_write_that_fails_leaves_a_checkpoint_as_it_is():
    for n in SIZES:
        w = xp.linspace(0.5, 1.5, n).requires_grad_()
        w[1].detach()[...] = float("nan")
        f = checkpoint(lambda x, w=w: xp.sum((w * x)[2:] ** 2))
        loss = f(xp.ones(n))
        with autodiff.no_grad(), pytest.raises(IndexError):
            w[n] = 0.0
        with autodiff.no_grad(), pytest.raises(ValueError, match="broadcast"):
            w += xp.ones(n + 1)
        loss.backward()
        close(w.grad[2:], 2 * w.detach()[2:])


@pytest.mark.parametrize("name", WRITES)
def test_a_checkpoint_has_the_old_values_of_its_arguments(name):
    w = xp.linspace(0.5, 1.5, 3).requires_grad_()
    expected = 2 * xp.asarray(w.detach(), copy=True)
    loss = checkpoint(lambda w: xp.sum(w**2))(w)
    WRITES[name](w)
    loss.backward()
    close(w.grad, expected)


def test_a_step_after_backward_copies_nothing_that_a_checkpoint_has_seen():
    w = xp.ones(3).requires_grad_()
    seen = w.detach().numpy()
    f = checkpoint(lambda x: xp.sum((w * x) ** 2))
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = f(xp.ones(3))
        loss.backward()
        node = loss.grad_fn
        assert node.saved is None
        optimizer.step()
        assert seen[0] == w.detach()[0]
