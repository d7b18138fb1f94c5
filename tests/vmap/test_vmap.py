"""vmap: axes, containers, chunks, and its place among the other transforms."""

import dataclasses
import re

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn, vmap

RNG = np.random.default_rng(0)
SIZES = [3, 300]


def numbers(*shape):
    return RNG.standard_normal(shape)


def close(found, expected, rtol=1e-12):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=rtol, atol=rtol)


def stacked(f, *args):
    return arraygrad.stack([f(*parts) for parts in zip(*map(arraygrad.unstack, args), strict=True)])


# ---- axes and containers


def test_the_shape_is_that_of_one_example(xp):
    seen = []

    def f(x):
        seen.append((x.shape, x.ndim, x.size, len(x), x.dtype, x.device, xp.zeros_like(x).shape))
        return sum(x)  # over its elements

    out = vmap(f)(xp.ones((5, 2)))
    assert seen == [((2,), 1, 2, 2, xp.float64, out.device, (2,))]
    assert out.shape == (5,)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_the_examples_are_along_any_axis(xp, same, axis):
    a = numbers(2, 3, 4)
    moved = np.moveaxis(a, axis, 0)
    f = lambda x: xp.cumulative_sum(x, axis=0) @ xp.ones(x.shape[1])
    expected = np.cumsum(moved, axis=1) @ np.ones(moved.shape[2])
    same(vmap(f, axis)(xp.asarray(a)), expected, 1e-12)
    same(vmap(f, axis, -1)(xp.asarray(a)), expected.T, 1e-12)
    same(vmap(f, axis, 1)(xp.asarray(a)), expected.T, 1e-12)


def test_arguments_and_results_are_containers(xp, same):
    @dataclasses.dataclass
    class Point:
        x: object
        y: object
        name: str = dataclasses.field(default="p", metadata={"static": True})

    def f(p, others, scale=None):
        assert p.name == "q"
        assert others["none"] is None
        return {"sum": p.x + p.y, "rest": [others["a"][0] * 2, (p.x if scale is None else scale)]}

    p = Point(xp.arange(3.0), xp.ones((2, 3)), "q")
    others = {"a": [xp.asarray([5.0, 6.0]), xp.zeros(3)], "none": None}
    axes = (Point(0, 1, "q"), {"a": None, "none": None})
    found = vmap(f, axes, {"sum": 1, "rest": [None, 0]})(p, others)
    same(found["sum"], (np.arange(3.0)[:, None] + np.ones((3, 2))).T)
    same(found["rest"][0], [10.0, 12.0])
    same(found["rest"][1], np.arange(3.0))
    named = vmap(f, axes, {"sum": 1, "rest": [None, 0]})(p, others, scale=xp.ones((3, 4)))
    assert named["rest"][1].shape == (3, 4)


def test_results_that_do_not_depend_on_the_example(xp, same):
    x = xp.ones((3, 2))
    same(vmap(lambda x: 1.5)(x), [1.5] * 3)
    same(vmap(lambda x: xp.arange(2), out_axes=1)(x), [[0, 0, 0], [1, 1, 1]])
    same(vmap(lambda x: xp.arange(2), out_axes=None)(x), [0, 1])
    with pytest.raises(ValueError, match="out_axes is None for a result that depends"):
        vmap(lambda x: x, out_axes=None)(x)


def test_results_have_memory_of_their_own(xp):
    x = xp.ones((3, 2))
    out = vmap(lambda x: x)(x)
    out += 1
    view = vmap(lambda x: x[1:])(x)
    view += 1
    assert float(xp.sum(x)) == 6.0


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda x: vmap(3), TypeError, "expected a function"),
        (lambda x: vmap(abs, "a")(x), TypeError, "ints and None"),
        (lambda x: vmap(abs, True)(x), TypeError, "ints and None"),
        (lambda x: vmap(abs, (0, 0))(x), ValueError, "2 entries for 1 positional"),
        (lambda x: vmap(abs, None)(x), ValueError, "at least one argument"),
        (lambda x: vmap(abs, 2)(x), ValueError, "axis 2 of in_axes does not exist"),
        (lambda x: vmap(abs, 0, 5)(x), ValueError, "axis 5 of out_axes does not exist"),
        (lambda x: vmap(abs, ({"a": 0},))(x), ValueError, "containers of the arguments"),
        (lambda x: vmap(abs, 0, (0, 0))(x), ValueError, "containers of the result"),
        (lambda x: vmap(max)(x, 3), TypeError, "not a tensor; write None"),
        (lambda x: vmap(max)(x, x.T), ValueError, "different numbers of examples"),
        (lambda x: vmap(lambda x: "a")(x), TypeError, "must return tensors or numbers"),
        (lambda x: vmap(abs, chunk_size=0), ValueError, "chunk_size must be a positive int"),
        (lambda x: vmap(abs, randomness="some"), ValueError, "randomness must be"),
    ],
)
def test_wrong_arguments_raise(call, error, match):
    with pytest.raises(error, match=match):
        call(arraygrad.ones((3, 2)))


@pytest.mark.parametrize(
    ("other", "write"),
    [
        ({"in_dims": (None, 0)}, "in_axes=(None, 0)"),
        ({"out_dims": 1}, "out_axes=1"),
        ({"in_dims": 1, "chunk_size": 2}, "in_axes=1"),
        ({"axis_size": 3}, "xp.arange(n)"),
        ({"axis_name": "i"}, "outside of it"),
        ({"unknown": 1}, "optional parameters: in_axes, out_axes, chunk_size, randomness"),
    ],
)
def test_parameters_of_other_libraries_raise_and_say_what_to_write(other, write):
    with pytest.raises(TypeError, match=f"vmap: there is no parameter.*{re.escape(write)}"):
        vmap(abs, **other)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 5, 7, 100])
def test_chunks_give_the_same(xp, chunk_size):
    x = xp.asarray(numbers(7, 4))
    sizes = []

    def f(x, y):
        sizes.append(1)
        return xp.tanh(x) @ y, y

    whole = vmap(f, (0, None), (0, None))(x, x[0])
    sizes.clear()
    found = vmap(f, (0, None), (0, None), chunk_size=chunk_size)(x, x[0])
    close(found[0], whole[0])
    close(found[1], whole[1])
    assert len(sizes) == -(-7 // chunk_size)


def test_no_examples(xp):
    x = xp.ones((0, 3))
    assert vmap(lambda x: xp.exp(x) @ xp.ones((3, 2)))(x).shape == (0, 2)
    assert vmap(autodiff.grad(lambda x: xp.sum(x**2)))(x).shape == (0, 3)


# ---- nesting


@pytest.mark.parametrize("n", SIZES)
def test_gradients_of_each_example(xp, n):
    x, w = xp.asarray(numbers(n, 4)), xp.asarray(numbers(4))
    f = lambda w, x: xp.sum(xp.sin(w * x)) ** 2
    found = vmap(autodiff.grad(f), (None, 0))(w, x)
    close(found, stacked(lambda x: autodiff.grad(f)(w, x), x))
    values, found = vmap(autodiff.value_and_grad(f), (None, 0))(w, x)
    close(values, stacked(lambda x: f(w, x), x))


@pytest.mark.parametrize("order", ["rv", "vr", "fv", "vf", "rvr", "vrf", "rvf", "frv", "vfr", "vvr",
                                   "rvrv"])  # fmt: skip
def test_transforms_nest_in_any_order(xp, order):
    x = xp.asarray(numbers(*[2 + i for i in range(order.count("v"))], 3))
    single = lambda x: xp.sum(xp.sin(x) * x**3)

    def expected(f, order):
        for step in reversed(order):
            f = {
                "v": lambda f: lambda x: xp.stack([f(y) for y in xp.unstack(x)]),
                "r": lambda f: autodiff.grad(lambda x: xp.sum(f(x))),
                "f": lambda f: lambda x: autodiff.jvp(f, (x,), (xp.cos(x),))[1],
            }[step](f)
        return f

    def found(f, order):
        for step in reversed(order):
            f = {
                "v": vmap,
                "r": lambda f: autodiff.grad(lambda x: xp.sum(f(x))),
                "f": lambda f: lambda x: autodiff.jvp(f, (x,), (xp.cos(x),))[1],
            }[step](f)
        return f

    close(found(single, order)(x), expected(single, order)(x))


def test_levels_are_not_confused(xp, same):
    x, y = xp.arange(2.0), xp.arange(3.0)
    same(vmap(lambda a: vmap(lambda b: a * 10 + b)(y))(x), [[0.0, 1, 2], [10, 11, 12]])
    same(vmap(lambda a: vmap(lambda b: b, out_axes=0)(y) + a)(x), [[0.0, 1, 2], [1, 2, 3]])
    # the classic of differentiation, in a batch
    one = xp.asarray(1.0)
    f = lambda x: x * autodiff.grad(lambda y: x + y)(one)
    same(vmap(autodiff.grad(f))(x), [1.0, 1.0])


def test_the_tape_around_a_batch(xp, same):
    w = xp.asarray([1.0, 2.0]).requires_grad_()
    x = xp.asarray([[1.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    xp.sum(vmap(lambda x: xp.sum(w * x) ** 2)(x)).backward()
    same(w.grad, 2 * (x.numpy() @ [1.0, 2.0]) @ x.numpy())
    with pytest.raises(RuntimeError, match=r"write autodiff\.grad"):
        vmap(lambda x: xp.sum(w * x).backward() or 0.0)(x)
    with pytest.raises(RuntimeError, match="requires_grad_"):
        vmap(lambda x: x.requires_grad_())(x)


def test_stop_gradient_and_no_grad_inside(xp, same):
    x = xp.asarray([1.0, 2.0, 3.0])
    same(vmap(autodiff.grad(lambda x: x * autodiff.stop_gradient(x)))(x), [1.0, 2.0, 3.0])
    same(vmap(autodiff.grad(lambda x: x * x.detach()))(x), [1.0, 2.0, 3.0])

    def f(x):
        with autodiff.no_grad():
            y = x * 2
        return xp.sum(vmap(lambda a, b: a * b)(x, y))

    tape = xp.asarray([1.0, 2.0, 3.0]).requires_grad_()
    f(tape).backward()
    same(tape.grad, [2.0, 4.0, 6.0])
    same(vmap(lambda x: autodiff.grad(lambda w: w * autodiff.stop_gradient(w * x))(x))(x),
         [1.0, 4.0, 9.0])  # fmt: skip


def test_modes_hold_inside(xp):
    x = xp.ones((3, 2))
    with arraygrad.strict(), pytest.raises(TypeError, match="outside the standard"):
        vmap(lambda x: x.sum())(x)
    with arraygrad.strict():
        assert vmap(lambda x: xp.sum(x[1:, ...] if x.ndim > 1 else x[1:]))(x).shape == (3,)
        i = xp.asarray([0, 1, 0])
        assert vmap(lambda x, i: x[i])(x, i).shape == (3,)
    with autodiff.debug_nans(), pytest.raises(ArithmeticError):
        vmap(lambda x: xp.log(x - 2))(x)


def test_an_unused_tensor_of_a_call_that_has_returned_raises(xp):
    kept = []
    vmap(lambda x: kept.append(x) or x)(xp.ones(3))
    with pytest.raises(RuntimeError, match="has returned"):
        kept[0] + 1
    # A debugger shows it, with all examples.
    assert repr(kept[0]) == "Tensor([1., 1., 1.], dtype=float64, vmap)"
    assert str(kept[0]) == "[1., 1., 1.]"


def test_library_code_that_checks_shapes_runs(xp, same):
    def normalised(x):
        if x.ndim != 1:
            raise ValueError("vectors only")
        n = x.shape[0]
        mean = xp.sum(x) / n
        return (x - mean) / xp.sqrt(xp.sum((x - mean) ** 2) / (n - 1))

    a = numbers(4, 5)
    found = vmap(normalised)(xp.asarray(a))
    same(found, (a - a.mean(1, keepdims=True)) / a.std(1, ddof=1, keepdims=True), 1e-12)


def test_wrong_calls_raise_as_for_one_example(xp):
    x = xp.ones((2, 2))
    for call in (
        lambda x: xp.matrix_transpose(x),
        lambda x: xp.linalg.cholesky(x),
        lambda x: xp.sum(x, axis=1),
        lambda x: x[0, 0],
        lambda x: xp.expand_dims(x, axis=3),
        lambda x: xp.reshape(x, (3,)),
        lambda x: xp.broadcast_to(x, (3,)),
        lambda x: x @ xp.ones(3),
        lambda x: xp.concat([x, xp.ones((1, 1))], axis=0),
        lambda x: xp.fft.fft(xp.astype(x, xp.complex128), axis=1),
        lambda x: xp.permute_dims(x, (1, 0)),
    ):
        with pytest.raises((ValueError, IndexError)):
            call(x[0])
        with pytest.raises((ValueError, IndexError)):
            vmap(call)(x)


# ---- products are as fast as they can be


def test_the_gradient_of_a_layer_for_each_example(xp):
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    x, y = xp.asarray(numbers(6, 4), dtype=xp.float32), xp.asarray([0, 1, 2, 0, 1, 2])
    params = {k: p.detach() for k, p in model.state_dict().items()}

    def loss(p, x, y):
        h = xp.tanh(p["0.weight"] @ x + p["0.bias"])
        logits = p["2.weight"] @ h + p["2.bias"]
        return nn.cross_entropy(xp.reshape(logits, (1, 3)), xp.reshape(y, (1,)))

    found = vmap(autodiff.grad(loss), (None, 0, 0))(params, x, y)
    for i in range(6):
        single = autodiff.grad(loss)(params, x[i], y[i])
        for k in params:
            close(found[k][i], single[k], 1e-5)


@pytest.mark.parametrize("groups", [1, 2])
def test_an_ensemble_of_convolutions(xp, groups):
    x = xp.asarray(numbers(3, 2, 4, 6, 5))
    w, b = xp.asarray(numbers(3, 6, 4 // groups, 3, 2)), xp.asarray(numbers(3, 6))
    f = lambda x, w, b: nn.conv2d(x, w, b, stride=(1, 2), padding=1, groups=groups)
    for axes in ((0, 0, 0), (None, 0, 0), (0, None, None), (0, 0, None)):
        args = [a if axis == 0 else a[0] for a, axis in zip((x, w, b), axes, strict=True)]
        single = lambda i, args=args, axes=axes: [
            a[i] if axis == 0 else a for a, axis in zip(args, axes, strict=True)
        ]
        expected = xp.stack([f(*single(i)) for i in range(3)])
        close(vmap(f, axes)(*args), expected)
        g = autodiff.grad(lambda *a: xp.sum(f(*a) ** 2), (0, 1, 2))
        found = vmap(g, axes)(*args)
        for k, part in enumerate(found):
            close(part, xp.stack([g(*single(i))[k] for i in range(3)]))


def test_pooling_attention_and_embeddings(xp):
    images = xp.asarray(numbers(3, 2, 2, 6, 6))
    for f in (
        lambda x: nn.max_pool2d(x, 2),
        lambda x: nn.avg_pool2d(x, 2),
        lambda x: nn.softmax(x, axis=-1),
        lambda x: nn.layer_norm(x, 6),
        lambda x: autodiff.grad(lambda x: xp.sum(nn.max_pool2d(x, 3, stride=2) ** 2))(x),
    ):
        close(vmap(f)(images), stacked(f, images))
    q = xp.asarray(numbers(3, 2, 4, 5))
    f = lambda q: nn.scaled_dot_product_attention(q, q, q)
    close(vmap(f)(q), stacked(f, q))
    ids, table = xp.asarray([[0, 3], [1, 1]]), xp.asarray(numbers(4, 2))
    close(vmap(lambda i: nn.embedding(i, table))(ids), nn.embedding(ids, table))
    if ids.device.type == "cpu":
        with pytest.raises(IndexError, match="ids must be from 0 to 3"):
            vmap(lambda i: nn.embedding(i, table))(ids - 1)


COMPOSED = {
    "einsum": lambda x, v: arraygrad.einsum("ij,j->i", x, v),
    "einsum, diagonal": lambda x, v: arraygrad.einsum("ii->i", x[:4, :4]),
    "median": lambda x, v: arraygrad.median(x, axis=0),
    "quantile": lambda x, v: arraygrad.quantile(x, 0.3, axis=1),
    "pad": lambda x, v: arraygrad.pad(x, 1),
    "split": lambda x, v: arraygrad.split(x, 2)[1],
    "kron": lambda x, v: arraygrad.kron(x, v[None]),
    "outer": lambda x, v: arraygrad.outer(v, x[0]),
    "trapezoid": lambda x, v: arraygrad.trapezoid(x),
    "interp": lambda x, v: arraygrad.interp(v, arraygrad.arange(4.0), x[:, 0]),
    "nanmean": lambda x, v: arraygrad.nanmean(arraygrad.where(x > 0, x, arraygrad.nan), axis=1),
    "nanargmax": lambda x, v: arraygrad.nanargmax(x, axis=0),
    "list": lambda x, v: arraygrad.asarray([v[0], x[0, 0] * 2]),
    "full": lambda x, v: arraygrad.full((2,), v[0]),
    "methods": lambda x, v: x.mT.reshape(-1).sum() + x.astype(arraygrad.float32).max(),
    "recurrence": lambda x, v: arraygrad.stack([arraygrad.sum(v[: i + 1]) ** i for i in range(4)]),
    "a pullback": lambda x, v: autodiff.vjp(lambda v: x @ arraygrad.sin(v), v)[1](x[:, 0])[0],
    "a derivative": lambda x, v: autodiff.linearize(lambda v: x @ arraygrad.sin(v), v)[1](v),
    "hvp": lambda x, v: autodiff.hvp(lambda v: arraygrad.sum((x @ v) ** 3), (v,), (v,)),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_functions_made_of_others(name):
    xp, f = arraygrad, COMPOSED[name]
    x, v = xp.asarray(numbers(3, 4, 5)), xp.asarray(numbers(3, 5))
    close(vmap(f)(x, v), stacked(f, x, v))
    close(vmap(f, (0, None))(x, v[0]), xp.stack([f(x[i], v[0]) for i in range(3)]))


def test_a_derivative_is_applied_to_a_basis(xp):
    x = xp.asarray(numbers(4))
    f = lambda x: xp.sin(x) * xp.sum(x)
    _, derivative = autodiff.linearize(f, x)
    _, pullback = autodiff.vjp(f, x)
    expected = autodiff.jacobian(f)(x)
    close(vmap(derivative)(xp.eye(4)), expected.T)
    close(vmap(pullback)(xp.eye(4))[0], expected)
