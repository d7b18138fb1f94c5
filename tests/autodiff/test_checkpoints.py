"""Functions that are run again: the same random numbers, and no values that have changed."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import Tensor, autodiff, nn, optim
from arraygrad.autodiff import checkpoint, custom_jvp, custom_vjp, grad, jacobian, jvp, vjp

SIZES = [3, 3000]


def close(tensor, expected):
    assert isinstance(tensor, Tensor)
    expected = expected.numpy() if isinstance(expected, Tensor) else expected
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-12)


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


@pytest.mark.parametrize("n", SIZES)
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


@pytest.mark.parametrize("n", SIZES)
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
