"""Donated arguments: their memory may be used again, and they must not be."""

import copy as copies
import pickle

import numpy as np
import pytest
from compile.support import X, Y, bits, copy, normal, programs

import arraygrad as xp
from arraygrad import autodiff
from arraygrad._compile import _text
from arraygrad._compile.passes import _steps

N = 20_000


def step(state, gradient, rate):
    return {"x": state["x"] - rate * gradient, "v": state["v"] * 0.9 + gradient}


def address(x):
    return x._data.__array_interface__["data"][0]


def test_results_are_those_without_donation_and_memory_is_used_again():
    donating, plain = xp.compile(step, donate_argnums=0), xp.compile(step)
    a = b = {"x": normal(N), "v": normal(N, seed=1)}
    a = {k: copy(x) for k, x in a.items()}
    for i in range(6):
        g = normal(N, seed=i)
        place = address(a["v"])
        a, b = donating(a, g, 0.1), plain(b, g, 0.1)
        assert bits({k: copy(x) for k, x in a.items()}) == bits(b)
        assert bits(g) == bits(normal(N, seed=i))
        assert (address(a["v"]) == place) is (i > 0)
    assert all(e.reuse is not None for e in programs(donating))
    assert all(e.reuse is None for e in programs(plain))


USES = {
    "add": lambda x: x + 1,
    "radd": lambda x: Y + x,
    "sum": lambda x: xp.sum(x),
    "iadd": lambda x: x.__iadd__(1),
    "getitem": lambda x: x[0],
    "setitem": lambda x: x.__setitem__(0, 1.0),
    "reshape": lambda x: xp.reshape(x, (5, 1)),
    "numpy": lambda x: x.numpy(),
    "array": lambda x: np.asarray(x),
    "dlpack": lambda x: np.from_dlpack(x),
    "bool": lambda x: bool(xp.all(x)),
    "tolist": lambda x: x.tolist(),
    "repr": lambda x: repr(x),
    "detach": lambda x: x.detach(),
    "requires_grad_": lambda x: x.requires_grad_(),
    "grad": lambda x: autodiff.grad(lambda x: xp.sum(x * x))(x),
    "jvp": lambda x: autodiff.jvp(lambda y: y * x, (Y,), (Y,)),
    "vmap": lambda x: xp.vmap(lambda x: x * 2)(x),
    "where": lambda x: xp.where(Y > 0, x, Y),
    "concat": lambda x: xp.concat([Y, x]),
    "einsum": lambda x: xp.einsum("i,i->", x, Y),
    "compile": lambda x: xp.compile(lambda x: x * 2)(x),
    "in no_grad": lambda x: autodiff.no_grad(lambda x: x * 2)(x),
    "copy": lambda x: copies.copy(x),
    "pickle": lambda x: pickle.dumps(x),
    "iteration": lambda x: list(x),
    "with a leaf": lambda x: copy(Y).requires_grad_() * x,
}


@pytest.mark.parametrize("name", USES)
def test_a_donated_tensor_that_is_used_again_raises(name):
    def consume(y, x):
        return x * 2 + y

    f = xp.compile(consume, donate_argnums=[1])
    for _ in range(3):
        x = copy(X)
        f(Y, x)
        assert x.shape == (5,)
        assert x.dtype == xp.float64
        with pytest.raises(RuntimeError, match=r"donated as argument 1 of .*consume"):
            USES[name](x)
        with pytest.raises(RuntimeError, match="donated as"):
            f(Y, x)


@pytest.mark.parametrize(
    "use",
    [
        lambda i: X[i],
        lambda i: X[i, None],
        lambda i: xp.take(X, i),
        lambda i: xp.take_along_axis(X, i),
        lambda i: xp.repeat(X, i),
        lambda i: X.__setitem__(i, 1.0),
        lambda i: X[int(i[0]) :],
    ],
)
def test_a_donated_index_that_is_used_again_raises(use):
    i = xp.asarray([0, 1, 1, 2, 0])
    xp.compile(lambda i: i * 2, donate_argnums=0)(i)
    before = bits(X)
    with pytest.raises(RuntimeError, match="donated as"):
        use(i)
    assert bits(X) == before


def test_memory_that_anything_else_refers_to_is_left(monkeypatch):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
    monkeypatch.setattr(_steps, "MAX_BYTES", 0)
    f = xp.compile(lambda x: xp.exp(x) * 2 - x, donate_argnums=0)
    want = bits(xp.exp(X) * 2 - X)
    f(copy(X))
    assert programs(f)[0].reuse is not None

    def shared():
        view = (x := copy(X))[1:]
        yield x, view, X[1:]
        array = X.numpy().copy()
        yield xp.from_numpy(array), xp.from_numpy(array), X
        exported = (x := copy(X)).numpy()
        yield x, xp.from_numpy(exported), X
        leaf = autodiff.variable(x := copy(X))
        yield x, leaf.detach(), X
        y = copy(Y).requires_grad_()
        loss = xp.sum(y * (x := copy(X)))
        yield x, (loss.backward, y), X

    for x, other, expected in shared():
        assert bits(f(x)) == want
        with pytest.raises(RuntimeError, match="donated"):
            x + 1
        if isinstance(other, tuple):
            backward, y = other
            backward()
            other = y.grad
        assert bits(other) == bits(xp.asarray(expected, copy=True))


def test_an_argument_that_is_returned_or_written(monkeypatch):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)

    def f(x, y):
        x += 1
        return x, x * y, x, x[1:]

    compiled = xp.compile(f, donate_argnums=(0, 1))
    for _ in range(3):
        x, y = copy(X), copy(Y)
        got = compiled(x, y)
        assert bits(got) == bits(f(copy(X), Y))
        assert got[0] is got[2]
        got[0][1] = 7.0
        assert float(got[3][0]) == 7.0
        for t in (x, y):
            with pytest.raises(RuntimeError, match="donated"):
                t + 1


@pytest.mark.parametrize("n", [5, N])
@pytest.mark.parametrize("donated", [0, (0, 1)])
def test_a_returned_argument_is_not_used_for_other_results(n, donated):
    compiled = xp.compile(lambda x, y: (x * 2 + 1, x), donate_argnums=donated)
    for same in (False, True):
        for _ in range(3):
            x = normal(n)
            got, back = compiled(x, x if same else normal(n, seed=1))
            assert bits(back) == bits(normal(n))
            assert bits(got) == bits(normal(n) * 2 + 1)


def test_a_tensor_that_the_function_reaches_from_outside(monkeypatch):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
    w = copy(Y)
    f = xp.compile(lambda x: (x * 2 + 1) * w, donate_argnums=0)
    for _ in range(2):
        assert bits(f(copy(X))) == bits((X * 2 + 1) * Y)
    assert bits(f(w)) == bits((Y * 2 + 1) * Y)
    with pytest.raises(RuntimeError, match="donated as argument 0"):
        f(copy(X))


def test_the_same_tensor_twice(monkeypatch):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
    f = xp.compile(lambda x, y: xp.exp(x) + xp.sin(y) * x, donate_argnums=0)
    for _ in range(3):
        x = copy(X)
        assert bits(f(x, x)) == bits(xp.exp(X) + xp.sin(X) * X)
    g = xp.compile(lambda x, y: xp.exp(x) + xp.sin(y) * x, donate_argnums=1)
    for _ in range(3):
        x = copy(X)
        assert bits(g(x, x)) == bits(xp.exp(X) + xp.sin(X) * X)


def test_a_call_that_raises_leaves_the_arguments_if_nothing_was_computed():
    f = xp.compile(lambda x, y: x @ y, donate_argnums=0)
    x = copy(X)
    with pytest.raises(ValueError, match="matmul"):
        f(x, normal(3))
    with pytest.raises(TypeError, match="asarray"):
        f(x, np.ones(5))
    assert bits(x) == bits(X)


def test_guards_look_at_the_argument_before_it_is_overwritten(monkeypatch):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)

    def f(x):
        y = x * 2
        return xp.sin(y) if y[0] > 0 else xp.cos(y)

    compiled = xp.compile(f, donate_argnums=0, on_value="guard")
    for x in (X, -X, X, -X, X):
        assert bits(compiled(copy(x))) == bits(f(x))


def test_nan_that_is_masked(monkeypatch):
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)

    def f(x):
        y = x * 1.0
        return autodiff.grad(lambda x: xp.sum(xp.where(x > 0, xp.sqrt(x), 0.0)))(y) * y

    compiled = xp.compile(f, donate_argnums=0)
    zero = xp.asarray([0.0, 1.0, -1.0, 0.0, 4.0])
    with np.errstate(all="ignore"):
        for x in (xp.abs(X), zero, X, zero, -zero, zero):
            assert bits(compiled(copy(x))) == bits(f(x))


def test_inside_of_other_transformations_donation_has_no_effect():
    f = xp.compile(lambda x: x * x * 2, donate_argnums=0)
    for _ in range(3):
        x = copy(X)
        assert bits(autodiff.grad(lambda x: xp.sum(f(x) * x))(x)) == bits(
            autodiff.grad(lambda x: xp.sum((x * x * 2) * x))(x)
        )
        assert bits(xp.vmap(f)(x)) == bits(x * x * 2)
        assert bits(xp.compile(lambda x: f(x) + x)(x)) == bits(x * x * 2 + x)
        assert bits(x) == bits(X)
        leaf = copy(X).requires_grad_()
        xp.sum(f(leaf)).backward()
        assert bits(leaf.grad) == bits(autodiff.grad(lambda x: xp.sum(x * x * 2))(X))


def test_positions_that_are_refused():
    with pytest.raises(TypeError, match="donate_argnums must be ints; got 'x'"):
        xp.compile(step, donate_argnums="x")
    with pytest.raises(ValueError, match="donate_argnums must not be negative; got -1"):
        xp.compile(step, donate_argnums=-1)
    with pytest.raises(ValueError, match="index 3, but step has only 3 positional arguments"):
        xp.compile(step, donate_argnums=(0, 3))
    with pytest.raises(ValueError, match="static and donated"):
        xp.compile(step, donate_argnums=(0, 2), static_argnums=2)
    f = xp.compile(lambda *xs: xs[0] * 2, donate_argnums=1)
    with pytest.raises(TypeError, match=r"argument 1 of .* must be passed by position"):
        f(copy(X))
    g = xp.compile(lambda x: x * 2, donate_argnums=0)
    with pytest.raises(TypeError, match="passed by position"):
        g(x=copy(X))


def test_methods_copies_and_numbers():
    class Scaled:
        k = 3.0

        @xp.compile(donate_argnums=(1, 2), static_argnums=3)
        def apply(self, x, n, kind):
            return x * self.k + n if kind == "add" else x

    s = Scaled()
    for _ in range(3):
        x = copy(X)
        assert bits(s.apply(x, 2.0, "add")) == bits(X * 3.0 + 2.0)
        with pytest.raises(RuntimeError, match=r"donated as argument 0 of .*apply"):
            x + 1
    f = copies.copy(xp.compile(step, donate_argnums=0))
    state = {"x": copy(X), "v": copy(X)}
    f(state, Y, 0.1)
    with pytest.raises(RuntimeError, match="donated"):
        state["v"] + 1
