"""vmap of functions with rules of their own, and of checkpoints; Jacobians by vmap."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, vmap

RNG = np.random.default_rng(2)
X, W = RNG.standard_normal((3, 2)), RNG.standard_normal(3)


def close(found, expected):
    found, expected = (autodiff_leaves(t) for t in (found, expected))
    for x, y in zip(found, expected, strict=True):
        assert x.shape == y.shape
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-11, atol=1e-12)


def autodiff_leaves(tree):
    return arraygrad._pytree.flatten(tree)[0]


def plain(x, w):
    return arraygrad.sin(x) * w, {"total": arraygrad.sum(x)}


def by_vjp():
    f = autodiff.custom_vjp(plain)

    def backward(residuals, g):
        x, w, two = residuals
        assert two == 2
        one, total = g[0], g[1]["total"]
        return one * arraygrad.cos(x) * w + total, arraygrad.sum(one * arraygrad.sin(x))

    f.defvjp(lambda x, w: (plain(x, w), (x, w, 2)), backward)
    return f


def by_jvp():
    f = autodiff.custom_jvp(plain)

    @f.defjvp
    def rule(primals, tangents):
        (x, w), (tx, tw) = primals, tangents
        change = arraygrad.cos(x) * w * tx + arraygrad.sin(x) * tw
        return plain(x, w), (change, {"total": arraygrad.sum(tx)})

    return f


def by_batching_rule():
    f = by_vjp()

    @f.defvmap
    def rule(size, batched, x, w):
        assert (size, batched) == (3, (True, w.ndim == 1))
        w = arraygrad.reshape(w, (-1, 1))
        out = arraygrad.sin(x) * w, {"total": arraygrad.sum(x, axis=1)}
        return out, (True, {"total": True})

    return f


FUNCTIONS = {
    "custom_vjp": by_vjp, "custom_jvp": by_jvp, "checkpoint": lambda: autodiff.checkpoint(plain),
    "defvmap": by_batching_rule,
}  # fmt: skip


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_rule_is_batched_at_every_order(xp, name, shared):
    x, w = xp.asarray(X), xp.asarray(W[0] if shared else W)
    axes = (0, None if shared else 0)

    def number(f):
        def g(x, w):
            out, rest = f(x, w)
            return xp.sum(out**2) + xp.exp(rest["total"] / 10)

        return g

    total = lambda f: lambda x, w: xp.sum(vmap(number(f), axes)(x, w))
    uses = [
        lambda f: vmap(f, axes)(x, w),
        lambda f: vmap(autodiff.grad(number(f), (0, 1)), axes)(x, w),
        lambda f: autodiff.grad(total(f), (0, 1))(x, w),
        lambda f: autodiff.jvp(total(f), (x, w), (x + 1, 2 * w)),
        lambda f: vmap(lambda x, w: autodiff.jvp(number(f), (x, w), (x + 1, 2 * w)), axes)(x, w),
        lambda f: autodiff.grad(lambda x, w: xp.sum(autodiff.grad(total(f))(x, w) ** 2))(x, w),
        lambda f: vmap(autodiff.hessian(number(f)), axes)(x, w),
    ]
    if name != "defvmap":
        uses.append(lambda f: vmap(vmap(f, axes), (0, None))(xp.stack([x, x + 1]), w))
    f = FUNCTIONS[name]()
    for use in uses:
        close(use(f), use(plain))


def test_batching_rules_are_checked(xp):
    f = autodiff.custom_jvp(lambda x: x)
    with pytest.raises(TypeError, match="defvmap: expected a function"):
        f.defvmap(3)
    f.defvmap(lambda size, batched, x: x)
    with pytest.raises(TypeError, match="must return"):
        vmap(f)(xp.ones(3))
    f.defvmap(lambda size, batched, x: (x[:2], True))
    with pytest.raises(ValueError, match="3 examples along its first axis"):
        vmap(f)(xp.ones(3))
    f.defvmap(lambda size, batched, x: (x, (True, True)))
    with pytest.raises(ValueError, match="out_batched must have the containers"):
        vmap(f)(xp.ones(3))


def test_a_checkpoint_around_and_inside_of_a_batch(xp):
    x, w = xp.asarray(X), xp.asarray(W)
    rng = xp.random.default_rng(0)
    runs = []

    def f(x):
        runs.append(autodiff.is_recomputing())
        return xp.tanh(x) * rng.random(2)

    def gradient(f):
        return autodiff.grad(lambda x: xp.sum(vmap(f, randomness="different")(x) ** 2))(x)

    before = rng.state
    found = gradient(autodiff.checkpoint(f))
    assert runs == [False, True]
    rng.state = before
    close(found, gradient(f))
    around = autodiff.checkpoint(lambda x: vmap(lambda x, w: xp.sin(x) * w)(x, w))
    close(
        autodiff.grad(lambda x: xp.sum(around(x)))(x),
        autodiff.grad(lambda x: xp.sum(xp.sin(x) * w[:, None]))(x),
    )


# ---- Jacobians


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("chunk_size", [None, 1, 2, 7])
def test_jacobians_do_not_depend_on_chunks(xp, mode, chunk_size):
    x = xp.asarray(RNG.standard_normal(7))
    f = lambda x: {"a": xp.sin(x[:6]) * x[1:], "b": xp.sum(x**2)}
    found = autodiff.jacobian(f, mode=mode, chunk_size=chunk_size)(x)
    c, s, x = np.cos(x.numpy()), np.sin(x.numpy()), x.numpy()
    expected = np.zeros((6, 7))
    for i in range(6):
        expected[i, i], expected[i, i + 1] = c[i] * x[i + 1], s[i]
    np.testing.assert_allclose(found["a"].numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(found["b"].numpy(), 2 * x, rtol=1e-12)
    h = autodiff.hessian(lambda x: xp.sum(x**3), chunk_size=chunk_size)(xp.asarray(x))
    np.testing.assert_allclose(h.numpy(), np.diag(6 * x), rtol=1e-12)


def test_the_number_of_runs_is_bounded_by_chunks(xp):
    for chunk_size, expected in ((None, 1), (7, 1), (3, 3), (1, 7)):
        runs = []

        def f(x, runs=runs):
            runs.append(1)
            return xp.sin(x)

        autodiff.jacobian(f, mode="forward", chunk_size=chunk_size)(xp.ones(7))
        assert len(runs) == expected
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="chunk_size must be a positive int"):
            autodiff.jacobian(lambda x: x, chunk_size=wrong)
    with pytest.raises(ValueError, match="hessian: chunk_size"):
        autodiff.hessian(lambda x: x, chunk_size=0)


def test_later_batches_are_small_where_results_are_large(xp, monkeypatch):
    from arraygrad.autodiff import _transforms

    sizes = []
    level = _transforms.BatchLevel

    def noted(size):
        sizes.append(size)
        return level(size)

    monkeypatch.setattr(_transforms, "BatchLevel", noted)
    monkeypatch.setattr(_transforms, "_ELEMENTS", 50 * 50 * 4)
    monkeypatch.setattr(_transforms, "_FIRST", 8)
    f = lambda x: xp.sum(xp.sin(x[:, None] * x), axis=0)
    x = xp.asarray(RNG.standard_normal(50))
    found = autodiff.jacobian(f, mode="forward")(x)
    assert sizes[0] == 8
    assert set(sizes[1:-1]) == {4}
    close(found, autodiff.jacobian(f, mode="reverse")(x))


def test_a_rule_that_reads_values_is_performed_one_by_one(xp):
    @autodiff.custom_vjp
    def f(x):
        return x * 2

    def backward(_, g):
        return (g * (2 if bool(xp.any(g != 0)) else 0),)

    f.defvjp(lambda x: (f(x), ()), backward)
    close(autodiff.jacobian(f, mode="reverse")(xp.ones(3)), 2 * xp.eye(3))


def test_jacobians_of_functions_that_write_to_their_arguments(xp):
    def f(x):
        x *= x
        return x

    for mode in ("forward", "reverse"):
        for chunk_size in (None, 2):
            found = autodiff.jacobian(f, mode=mode, chunk_size=chunk_size)(xp.asarray([1.0, 2, 3]))
            close(found, xp.asarray(np.diag([2.0, 4.0, 6.0])))


def test_jacobians_nest_with_batches(xp):
    x = xp.asarray(RNG.standard_normal((4, 3)))
    f = lambda x: xp.tanh(x) * xp.sum(x)
    expected = xp.stack([autodiff.jacobian(f)(x[i]) for i in range(4)])
    close(vmap(autodiff.jacobian(f))(x), expected)
    g = lambda x: xp.sum(autodiff.jacobian(f)(x) ** 2)
    close(vmap(autodiff.grad(g))(x), xp.stack([autodiff.grad(g)(x[i]) for i in range(4)]))
