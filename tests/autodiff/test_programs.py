"""Programs that Hypothesis writes: their values are those of outside, and the modes agree.

A program is a list of statements over a few tensors: functions, views, writes in place on bases and
through views, loops, checkpoints, differentiations inside. What it gives under differentiation is
compared bit for bit with what it gives outside, reverse mode with forward mode, and the second
derivatives of four ways with each other. Only writes that cannot be followed may raise.
"""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import arraygrad as xp
from arraygrad import Tensor, autodiff
from arraygrad.autodiff import grad, jvp, variable, vjp

# {t} is a new tensor, {x} and {y} are any, {s} is a number, {i} an index and {o} an operator.
STATEMENTS = """
{t} = xp.sin({x})
{t} = {x} * {y}
{t} = xp.where({x} > {s}, {x}, {y})
{t} = xp.sum({x}, axis=-1)
{t} = xp.sort({x}, axis=-1, descending=True)
{t} = {x} @ {y}
{t} = {x}[{i}]
{t} = {x}.T
{t} = xp.reshape({x}, (-1,))
{t} = xp.real({x})
{t} = xp.zeros_like({x})
{x} {o} {y}
{x} {o} {s}
{x}[{i}] = {y}
{x}[{i}] {o} {y}
{x}[{x} > {s}] {o} {s}
{x}[...] = {x}[::-1]
{x}[0], {x}[-1] = {x}[-1] * 1.0, {x}[0] * 1.0
for row in {x}: row {o} {s}
for k in range({x}.shape[0]): {x}[k] {o} {y}
xp.flip({x})[0] {o} {s}
xp.reshape({x}, (-1,))[0] {o} {s}
{t} = autodiff.checkpoint(lambda p: xp.tanh(p) * p)({x})
{t} = autodiff.checkpoint(lambda p, q: p * q + p)({x}, {y})
{t} = grad(lambda p: xp.sum(p * p * {y}))({x})
{t} = jvp(lambda p: p * xp.sin(p), ({x},), ({y},))[1]
{t} = xp.sum(autodiff.stop_gradient({x} * 1.0) * {y})
""".strip().splitlines()
NUMBERS = ["0.5", "-1.25", "2.0"]
INDICES = ["0", "-1", "1:", "::2", "::-1", "...", "None", "..., 0", "xp.asarray([0, -1])"]
OPERATORS = ["+=", "-=", "*="]
INPUTS = [np.asarray(a) for a in ([[0.7, -1.3, 2.1], [0.4, 1.6, -0.9]], [1.1, -0.6, 0.8], 0.3)]


@st.composite
def programs(draw):
    names, lines = ["a", "b", "c"], []
    for k in range(draw(st.integers(5, 20))):
        recent = st.sampled_from(names[-4:] + names)
        statement = draw(st.sampled_from(STATEMENTS)).format(
            t=f"t{k}",
            x=draw(recent),
            y=draw(recent),
            s=draw(st.sampled_from(NUMBERS)),
            i=draw(st.sampled_from(INDICES)),
            o=draw(st.sampled_from(OPERATORS)),
        )
        if _values([*lines, statement]) is not None:  # else of shapes that do not fit, or overflow
            lines.append(statement)
            if f"t{k} =" in statement:
                names.append(f"t{k}")
    return lines


def _function(lines):
    """All tensors that a program leaves, of its inputs."""
    body = "\n ".join(["a, b, c = a * 1.0, b + 0.0, c * 1.0", *lines, "return dict(locals())"])
    namespace = dict(globals())
    exec(f"def program(a, b, c):\n {body}", namespace)

    program = namespace["program"]
    return lambda *args: {k: x for k, x in program(*args).items() if isinstance(x, Tensor)}


def _inputs():
    return [xp.asarray(a, copy=True) for a in INPUTS]


def _values(lines):
    try:
        found = _function(lines)(*_inputs())
    except (TypeError, ValueError, IndexError):
        return None
    good = all(x.size < 40 and np.all(np.abs(x.numpy()) < 1e3) for x in found.values())
    return {name: x.numpy().copy() for name, x in found.items()} if good else None


def _as_outside(values, found):
    assert values.keys() == found.keys()
    for name, x in found.items():
        x = autodiff.stop_gradient(x).numpy()
        assert x.shape == values[name].shape
        np.testing.assert_array_equal(x, values[name], err_msg=name)


@settings(max_examples=250, derandomize=True)
@given(programs())
def test_programs(lines):
    values = _values(lines)
    program = _function(lines)
    rng = np.random.default_rng(0)
    w = {name: xp.asarray(rng.uniform(-1, 1, v.shape)) for name, v in values.items()}
    ts = [xp.asarray(rng.uniform(-1, 1, a.shape)) for a in INPUTS]

    def loss(*args):
        found = program(*args)
        terms = [xp.sum(xp.tanh(found[name]) * w[name]) for name in w]
        return sum(terms, xp.asarray(0.0)), found

    def along(gs):
        return sum((xp.sum(g * t) for g, t in zip(gs, ts, strict=True)), xp.asarray(0.0))

    def gradient(*args):
        return grad(lambda *xs: loss(*xs)[0], argnums=(0, 1, 2))(*args)

    try:
        _, pullback, found = vjp(loss, *_inputs(), has_aux=True)
        _as_outside(values, found)
        gs = pullback(xp.asarray(1.0))
        _, forward, found = jvp(loss, _inputs(), ts, has_aux=True)
        _as_outside(values, found)
        tape = [variable(x) for x in _inputs()]
        total, found = loss(*tape)
        _as_outside(values, found)
        total.backward()
        twice = jvp(gradient, _inputs(), ts)[1]
        others = [
            grad(lambda *xs: along(gradient(*xs)), argnums=(0, 1, 2))(*_inputs()),
            grad(lambda *xs: jvp(lambda *ys: loss(*ys)[0], xs, ts)[1], (0, 1, 2))(*_inputs()),
        ]
    except (RuntimeError, ValueError) as error:
        assert any(s in str(error) for s in ("copy it first", "outside that has changed"))  # noqa: PT017
        assume(False)
    size = 1 + max(float(xp.max(xp.abs(g))) for g in (*gs, *twice))
    np.testing.assert_allclose(float(along(gs)), float(forward), rtol=1e-9, atol=1e-10 * size)
    for g, v in zip(gs, tape, strict=True):
        g2 = np.zeros(v.shape) if v.grad is None else v.grad.numpy()
        np.testing.assert_allclose(g.numpy(), g2, rtol=1e-9, atol=1e-10 * size)
    for other in others:
        for g, g2 in zip(twice, other, strict=True):
            np.testing.assert_allclose(g.numpy(), g2.numpy(), rtol=1e-7, atol=1e-8 * size)
