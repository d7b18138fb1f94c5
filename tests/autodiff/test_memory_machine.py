"""Random programs over shared memory, beside a model of memory in which nothing is shared.

A machine writes a program line by line: tensors, views of them, imports and exports, writes in
place, detached tensors, code without record, passes backward. The model has numbered cells, each
with a value and its derivatives along one direction for each leaf; a tensor is an array of cell
numbers. So the values and the gradients of each tensor are known after each line, whatever it
shares with others. A line may raise where a write cannot be followed; what differs is a fault, and
the shortest program that shows it is printed. At the end, each program is run again as a function
that is differentiated in both modes.

What is taken as agreed: a write inside of no_grad, or through a detached tensor, changes values and
leaves derivatives as they are; in forward mode, no_grad has no effect.

In the suite it writes a few programs, the same each time. More, and others each time:

    python tests/autodiff/test_memory_machine.py --steps 100000

or ARRAYGRAD_MACHINE_STEPS=100000 for pytest. `--without foreign,detach` leaves rules out.
"""

import argparse
import array
import collections
import os
import re
import sys
import time

import numpy as np
from hypothesis import HealthCheck, Verbosity, assume, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

import arraygrad as xp
from arraygrad import autodiff

LEAVES = 3
REFUSALS = (RuntimeError, ValueError, autodiff.NotDifferentiableError)
ABOUT = re.compile(r"copy|overwrit|shar|freed|read-only|no_grad|variable|gradient|outside|writ")
LIMIT = 50.0  # larger values are avoided

SHRINKING = 30.0  # seconds to look for a shorter program that fails

counts: collections.Counter = collections.Counter()
failures: list = []  # (when, program)
without: set = set()


class Skip(Exception):
    """A line that does not fit the program so far."""


def data(number, shape):
    """Numbers of a shape, the same for the same `number`."""
    return np.random.default_rng(number).uniform(-1.0, 1.5, shape).round(3)


# ---- the model


class Family:
    """The tensors that have their derivatives in common: one and its views."""

    def __init__(self, kind, traced=False):
        self.kind = kind  # own, leaf or detached
        self.traced = traced
        self.foreign = False  # another library has the memory, too
        self.tensors = 1


class Cells:
    """A tensor of the model: where its values and its derivatives are.

    Both are arrays of cell numbers with the layout in memory that the data have. Those of a complex
    tensor are complex: the bits of the parts are the numbers of two cells.
    """

    def __init__(self, values, slots, family, writeable=True):
        self.values, self.slots, self.family = values, slots, family
        self.writeable = writeable
        self.shape, self.is_complex = values.shape, values.dtype.kind == "c"

    def take(self, f, writeable=None):
        """A view, or a copy where NumPy would give one: then None."""
        values = f(self.values)
        if not np.shares_memory(values, self.values) and values.size:
            return None
        self.family.tensors += 1
        w = self.writeable if writeable is None else writeable
        return Cells(values, f(self.slots), self.family, w)

    def numbers(self):
        """The numbers of all cells of the values."""
        return np.concatenate([p.ravel() for p in parts(self.values)])


def parts(cells):
    if cells.dtype.kind != "c":
        return [cells]
    return [cells.real.view(np.int64), cells.imag.view(np.int64)]


class Model:
    """Memory: a value and derivatives for each number, and the tensors by their names."""

    def __init__(self, own_leaves, forward=False):
        self.own_leaves = own_leaves  # leaves have memory of their own
        self.forward = forward  # in forward mode, no_grad has no effect
        self.used = 0
        self.value = np.zeros(1000)
        self.slope = np.zeros((1000, LEAVES))
        self.tensors = {}
        self.foreign = {}
        self.leaves = []  # names
        self.start = []  # what they are at first
        self.directions = []

    def fresh(self, layout, is_complex=None):
        """Numbers of new cells, in the layout of an array."""
        if is_complex is None:
            is_complex = layout.dtype.kind == "c"
        size = layout.size * (1 + is_complex)
        while self.used + size > len(self.value):
            self.value = np.concatenate([self.value, np.zeros_like(self.value)])
            self.slope = np.concatenate([self.slope, np.zeros_like(self.slope)])
        cells = np.empty_like(layout, dtype=np.complex128 if is_complex else np.int64)
        for p in parts(cells):
            p[...] = np.arange(self.used, self.used + p.size).reshape(p.shape)
            self.used += p.size
        return cells

    def read(self, t):
        """The value and the derivatives of a tensor."""
        value = [self.value[p] for p in parts(t.values)]
        slope = [self.slope[p] for p in parts(t.slots)]
        if t.is_complex:
            return value[0] + 1j * value[1], slope[0] + 1j * slope[1]
        return value[0], slope[0]

    def new(self, name, layout, value, slope, traced, kind="own"):
        cells = self.fresh(layout, np.iscomplexobj(value))
        t = Cells(cells, cells, Family(kind, traced))
        self.store(t.values, self.value, value)
        if slope is not None:
            self.store(t.slots, self.slope, slope)
        self.tensors[name] = t
        return t

    @staticmethod
    def store(cells, memory, what):
        """Write to cells; what is real has an imaginary part of zero."""
        both = [np.real(what), np.imag(what)]
        for p, w in zip(parts(cells), both, strict=False):
            flat = np.broadcast_to(w, p.shape + memory.shape[1:])
            memory[p.ravel()] = flat.reshape(p.size, *memory.shape[1:])

    def others(self, t):
        """The families that share memory with a tensor."""
        mine = t.numbers()
        found = {}
        for o in self.tensors.values():
            if o.family is not t.family and np.isin(o.numbers(), mine, kind="table").any():
                found[id(o.family)] = o.family
        return list(found.values())


def traced(m, *names):
    return any(m.tensors[n].family.traced for n in names if n in m.tensors)


def small(value):
    if value.size > 20000 or not np.all(np.abs(value) < LIMIT):
        raise Skip
    return value


# ---- what lines there are: text, and what it does to the numbers of the cells

VIEWS = {  # by the least number of axes
    0: [
        ("{x}[...]", lambda a: a[...]),
        ("xp.expand_dims({x}, axis=0)", lambda a: a[None]),
        ("{x}[None, ...]", lambda a: a[None]),
        ("xp.reshape({x}, (-1,))", lambda a: a.reshape(-1)),
        ("xp.reshape({x}, (1, -1))", lambda a: a.reshape(1, -1)),
        ("xp.flip({x})", lambda a: np.flip(a)),
        ("xp.broadcast_to({x}, (2, *{x}.shape))", lambda a: np.broadcast_to(a, (2, *a.shape))),
        ("xp.squeeze(xp.expand_dims({x}, axis=-1), axis=-1)", lambda a: a[...]),
        ("xp.asarray({x})", lambda a: a),
    ],
    1: [
        ("{x}[0]", lambda a: a[0, ...]),
        ("{x}[-1]", lambda a: a[-1, ...]),
        ("{x}[1:]", lambda a: a[1:]),
        ("{x}[:-1]", lambda a: a[:-1]),
        ("{x}[::-1]", lambda a: a[::-1]),
        ("{x}[::2]", lambda a: a[::2]),
        ("{x}[::-2]", lambda a: a[::-2]),
        ("{x}[..., 0]", lambda a: a[..., 0]),
        ("{x}[..., ::-1]", lambda a: a[..., ::-1]),
        ("{x}[..., 1:]", lambda a: a[..., 1:]),
        ("xp.flip({x}, axis=-1)", lambda a: np.flip(a, axis=-1)),
        ("xp.unstack({x}[:2])[0]", lambda a: a[0, ...]),
        ("xp.unstack({x}[-2:])[-1]", lambda a: a[-1, ...]),
    ],
    2: [
        ("{x}.mT", lambda a: np.swapaxes(a, -1, -2)),
        ("xp.matrix_transpose({x})", lambda a: np.swapaxes(a, -1, -2)),
        ("{x}[:, 1:]", lambda a: a[:, 1:]),
        ("{x}[:, -1]", lambda a: a[:, -1, ...]),
        ("xp.moveaxis({x}, 0, -1)", lambda a: np.moveaxis(a, 0, -1)),
        ("xp.reshape({x}, {x}.shape[::-1])", lambda a: a.reshape(a.shape[::-1])),
    ],
}
KEYS = {
    0: [("...", lambda a: a[...])],
    1: [
        ("0", lambda a: a[0, ...]),
        ("-1", lambda a: a[-1, ...]),
        ("1:", lambda a: a[1:]),
        ("::2", lambda a: a[::2]),
        ("::-1", lambda a: a[::-1]),
        ("..., 0", lambda a: a[..., 0]),
        ("..., 1:", lambda a: a[..., 1:]),
        ("xp.asarray([0, -1])", lambda a: a[[0, -1]]),
        ("xp.asarray([-1])", lambda a: a[[-1]]),
    ],
    2: [(":, 0", lambda a: a[:, 0, ...]), ("-1, 1:", lambda a: a[-1, 1:])],
}


def each(derivative):
    """The derivative of a function of each element, where it has an axis for the directions."""
    return lambda v, d: derivative(v[..., None], d)


# A function, its derivative times a direction, the layout of its result.
UNARY = [
    ("xp.sin({x})", np.sin, each(lambda v, d: np.cos(v) * d), np.negative),
    ("-{x}", np.negative, each(lambda v, d: -d), np.negative),
    ("xp.square({x})", np.square, each(lambda v, d: 2 * v * d), np.negative),
    ("{x} * 0.5", lambda v: v * 0.5, each(lambda v, d: 0.5 * d), np.negative),
    ("1.5 - {x}", lambda v: 1.5 - v, each(lambda v, d: -d), np.negative),
    ("{x} * {x}", lambda v: v * v, each(lambda v, d: 2 * v * d), np.negative),
    ("xp.tanh({x})", np.tanh, each(lambda v, d: d / np.cosh(v) ** 2), np.negative),
    ("xp.conj({x} * 1j)", lambda v: np.conj(v * 1j), each(lambda v, d: np.conj(d * 1j)), None),
    (
        "xp.exp({x} * 0.5)",
        lambda v: np.exp(v / 2),
        each(lambda v, d: np.exp(v / 2) * d / 2),
        np.negative,
    ),
    ("xp.asarray({x}, copy=True)", np.copy, lambda v, d: d, np.copy),
    ("xp.sum({x})", np.sum, lambda v, d: d.sum(axis=tuple(range(v.ndim))), np.sum),
    (
        "xp.sum({x}, axis=-1)",
        lambda v: v.sum(axis=-1),
        lambda v, d: d.sum(axis=v.ndim - 1),
        lambda a: a.sum(axis=-1),
    ),
    (
        "xp.where({x} > 0.2, {x}, 0.0)",
        lambda v: np.where(v > 0.2, v, 0.0),
        each(lambda v, d: np.where(v > 0.2, d, 0.0)),
        np.negative,
    ),
    (
        "{x}[xp.asarray([-1, 0, 0])]",
        lambda v: v[[-1, 0, 0]],
        lambda v, d: d[[-1, 0, 0]],
        lambda a: a[[-1, 0, 0]],
    ),
    (
        "{x}[{x} > 0.1]",
        lambda v: v[v > 0.1],
        lambda v, d: d[v > 0.1],
        None,
    ),
    (
        "autodiff.checkpoint(lambda p: p * xp.sin(p))({x})",
        lambda v: v * np.sin(v),
        each(lambda v, d: (np.sin(v) + v * np.cos(v)) * d),
        np.negative,
    ),
    (
        "autodiff.grad(lambda p: xp.sum(xp.sin(p) * p))({x})",
        lambda v: np.sin(v) + v * np.cos(v),
        each(lambda v, d: (2 * np.cos(v) - v * np.sin(v)) * d),
        None,
    ),
]
BINARY = [
    ("{x} + {y}", np.add, lambda a, b, da, db: da + db),
    ("{x} - {y}", np.subtract, lambda a, b, da, db: da - db),
    ("{x} * {y}", np.multiply, lambda a, b, da, db: a * db + b * da),
    ("{x} + 1j * {y}", lambda a, b: a + 1j * b, lambda a, b, da, db: da + 1j * db),
    (
        "autodiff.checkpoint(lambda p, q: p * q + p)({x}, {y})",
        lambda a, b: a * b + a,
        lambda a, b, da, db: a * db + b * da + da,
    ),
    (
        "autodiff.jvp(lambda p: p * p * {y}, ({x},), ({x},))[1]",
        lambda a, b: 2 * a * a * b,
        lambda a, b, da, db: 4 * a * b * da + 2 * a * a * db,
    ),
    (
        "autodiff.vjp(lambda p: p * p * {y}, {x})[1]({y})[0]",
        lambda a, b: 2 * a * b * b,
        lambda a, b, da, db: 2 * b * b * da + 4 * a * b * db,
    ),
    (
        "xp.stack([{x}, {y}])",
        lambda a, b: np.stack([a, b]),
        lambda a, b, da, db: np.stack([da, db]),
    ),
    (
        "xp.concat([{x}, {y}])",
        lambda a, b: np.concatenate([a, b]),
        lambda a, b, da, db: np.concatenate([da, db]),
    ),
]
OPERATORS = {
    "=": (lambda a, b: b, lambda a, b, da, db: db),
    "+=": (lambda a, b: a + b, lambda a, b, da, db: da + db),
    "-=": (lambda a, b: a - b, lambda a, b, da, db: da - db),
    "*=": (lambda a, b: a * b, lambda a, b, da, db: a * db + b * da),
}
IMPORTS = {
    "numpy": ["xp.from_numpy({n})", "xp.from_dlpack({n})", "xp.asarray({n})"],
    "array": [
        "xp.asarray({n})",
        "xp.from_numpy(np.frombuffer({n}))",
        "xp.asarray(memoryview({n}))",
    ],
    "bytes": ['xp.asarray(memoryview({n}).cast("d"))', "xp.from_numpy(np.frombuffer({n}))"],
}
EXPORTS = ["{x}.numpy()", "np.asarray({x})", "np.from_dlpack({x})"]
FOREIGN_VIEWS = [
    ("{n}[1:]", lambda a: a[1:]),
    ("{n}[:-1]", lambda a: a[:-1]),
    ("{n}[::-1]", lambda a: a[::-1]),
    ("{n}[::2]", lambda a: a[::2]),
    ("{n}.T", lambda a: a.T),
    ("{n}.reshape(-1)", lambda a: a.reshape(-1)),
]


def by_axes(table, t):
    return [e for axes, entries in table.items() if axes <= len(t.shape) for e in entries]


def fits(value, shape):
    try:
        return np.broadcast_shapes(value, shape) == shape
    except ValueError:
        return False


# ---- the machine

number = st.integers(0, 2**16)


class Machine(RuleBasedStateMachine):
    """Writes a program, and compares each tensor with the model."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self.log = []  # (line, plan) of what can be run again in a function
        self.made = 0

    @initialize(tape=st.booleans(), large=st.booleans(), look=st.booleans(), first=number)
    def begin(self, tape, large, look, first):
        """Whether it runs on a tape; else it is run plainly, and differentiated at the end."""
        assume(not failures or time.monotonic() < failures[0][0] + SHRINKING)
        self.tape, self.look = tape, look
        self.n = 1500 if large else 3
        self.model = Model(own_leaves=not tape)
        self.names = {"xp": xp, "np": np, "autodiff": autodiff, "array": array, "data": data}
        self.gradients = []
        self.murky = False
        counts["programs"] += 1
        self.make(first, 0)
        self.leaf(0)
        self.make(first + 1, 1)

    # -- lines

    def fail(self, what):
        program = "\n".join(["", *self.lines, f"# {what}"])
        failures.append((time.monotonic(), program))
        raise AssertionError(program)

    def run(self, line, plan, *, may_raise=False, must_raise=False, log=True):
        """Run a line, and then its plan: what it does to the model. Tell whether it ran."""
        commit = plan(self.model)
        counts["steps"] += 1
        self.lines.append(line)
        try:
            exec(line, self.names)
        except REFUSALS as error:
            if not (may_raise or must_raise) or not ABOUT.search(str(error)):
                self.fail(f"{type(error).__name__}: {error}")
            counts["refused"] += 1
            self.lines[-1] += f"  # raises {type(error).__name__}"
            self.check()
            return False
        except Exception as error:
            self.fail(f"{type(error).__name__}: {error}")
        if must_raise:
            self.fail("must raise: a gradient is lost, or memory is read-only")
        commit()
        if log:
            self.log.append((line, plan))
        if self.look:
            self.check()
        return True

    def name(self, letter="t"):
        self.made += 1
        return f"{letter}{self.made}"

    def pick(self, k, names=None):
        names = list(self.model.tensors if names is None else names)
        if not names:
            raise Skip
        return names[-1 - k % len(names)]

    def values(self, name):
        x = self.names[name]
        with autodiff.no_grad():
            return np.array(x.tolist()).reshape(x.shape)

    def check(self):
        """Compare the values of all."""
        m = self.model
        for name, t in m.tensors.items():
            expected, slope = m.read(t)
            found = self.values(name)
            if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-10):
                self.fail(f"{name} is {found.tolist()}, should be {expected.tolist()}"[:400])
            lost = self.tape and slope.any()
            if lost and not getattr(self.names[name], "requires_grad", False):
                self.fail(f"{name} has lost its gradient")
        for name, (t, _) in m.foreign.items():
            found = np.frombuffer(self.names[name]) if name[0] == "b" else self.names[name]
            expected = m.read(t)[0]
            if not np.allclose(found, expected, rtol=1e-10):
                self.fail(f"{name} is {np.asarray(found).tolist()}, not {expected.tolist()}"[:400])

    def check_gradients(self):
        for name, direction, expected in zip(
            self.model.leaves, self.model.directions, self.gradients, strict=True
        ):
            g = self.names[name].grad
            found = 0.0 if g is None else float(np.sum(g.numpy() * direction))
            if not np.isclose(found, expected, rtol=1e-8, atol=1e-8):
                self.fail(f"{name}.grad along its direction is {found}, should be {expected}")

    # -- rules

    @rule(k=number, kind=st.integers(0, 5))
    def make(self, k, kind):
        n = self.n
        shape = [(n,), (2, n), (n, 2), (n,), (2, 2), ()][kind]
        how = k % 4
        value = data(k, shape)
        line = f"xp.asarray(data({k}, {shape}), copy=True)"
        if how == 3 and kind != 0:
            value = value + 1j * data(k + 1, shape)
            line = f"xp.asarray(data({k}, {shape}) + 1j * data({k + 1}, {shape}), copy=True)"
        elif how == 2:
            value, line = np.zeros(shape), f"xp.zeros({shape})"
        name = self.name()
        self.run(
            f"{name} = {line}", lambda m: lambda: m.new(name, value, value, None, traced=False)
        )

    @rule(k=number)
    def leaf(self, k):
        m, i = self.model, len(self.model.leaves)
        if i == LEAVES:
            return
        plain = [x for x, t in m.tensors.items() if not t.family.traced and t.family.kind == "own"]
        try:
            x = self.pick(k, [x for x in plain if not m.tensors[x].is_complex])
        except Skip:
            return
        name = self.name("v")
        start = m.read(m.tensors[x])[0].copy()
        direction = np.random.default_rng(i).uniform(0.5, 1.5, start.shape)

        def plan(m):
            def commit():
                t = m.tensors[x]
                if m.own_leaves:
                    slots = m.fresh(np.empty(start.shape))
                    new = Cells(slots, slots, Family("leaf", True))
                    m.store(new.values, m.value, start)
                else:
                    new = Cells(t.values, m.fresh(t.slots), Family("leaf", True), t.writeable)
                slope = np.zeros((*start.shape, LEAVES))
                slope[..., i] = direction
                m.store(new.slots, m.slope, slope)
                m.tensors[name] = new
                m.leaves.append(name)
                m.start.append(start)
                m.directions.append(direction)

            return commit

        line = f"{name} = autodiff.variable({x})"
        if not self.tape:
            self.names["leaves"] = [*self.names.get("leaves", []), xp.asarray(start, copy=True)]
            line = f"{name} = leaves[{i}]"
        self.gradients.append(0.0)
        if not self.run(line, plan, log=False):
            raise AssertionError
        self.log.append((f"{name} = leaves[{i}]", plan))

    @rule(k=number, kind=number)
    def view(self, k, kind):
        self._view(k, kind)

    def _view(self, k, kind, recording=True):
        x = self.pick(k)
        t = self.model.tensors[x]
        table = by_axes(VIEWS, t)
        if t.is_complex:
            table = [
                ("xp.real({x})", lambda a: a.real.view(np.int64)),
                ("xp.imag({x})", lambda a: a.imag.view(np.int64)),
                *table,
            ]
        text, f = table[kind % len(table)]
        if not recording and text == "xp.asarray({x})":
            return  # the tensor itself
        if 0 in t.shape or f(t.values).size == 0 or len(t.shape) > 3:
            return
        name = self.name()
        line = f"{name} = {text.format(x=x)}"

        def plan(m):
            t = m.tensors[x]
            small(f(t.values))

            def commit():
                if not (recording or m.forward):
                    slots = m.fresh(t.slots)
                    m.store(slots, m.slope, 0.0)
                    source = Cells(t.values, slots, Family("detached"), t.writeable)
                    t.family.tensors += 1
                else:
                    source = t
                new = source.take(f, False if "broadcast_to" in text else None)
                if new is None:
                    value, slope = m.read(source)
                    slope = np.moveaxis(slope, -1, 0)
                    slope = np.stack([f_of(f, d, text) for d in slope], axis=-1)
                    m.new(name, f(t.values), f_of(f, value, text), slope, source.family.traced)
                else:
                    m.tensors[name] = new

            return commit

        try:
            if recording:
                self.run(line, plan)
            else:
                self.run(f"with autodiff.no_grad(): {line}", plan)
        except Skip:
            return

    @rule(k=number, kind=number)
    def view_without_record(self, k, kind):
        recorded = [x for x, t in self.model.tensors.items() if t.family.traced]
        if "detach" in without or not recorded:
            return
        x = self.pick(k, recorded)
        at = list(reversed(self.model.tensors)).index(x)
        if self.tape and not getattr(self.names[x], "requires_grad", False):
            return
        self._view(at, kind, recording=False)

    @rule(k=number, kind=number, recording=st.sampled_from([True, True, True, False]))
    def unary(self, k, kind, recording):
        x = self.pick(k)
        t = self.model.tensors[x]
        text, f, derivative, layout = UNARY[kind % len(UNARY)]
        if t.is_complex and (">" in text or "grad" in text or "tanh" in text):
            return
        if not t.shape and ("[" in text or "axis" in text):
            return
        if 0 in t.shape:
            return
        name = self.name()

        def plan(m):
            t = m.tensors[x]
            v, d = m.read(t)
            value = small(np.asarray(f(v)))
            slope = derivative(v, d)
            a = np.asarray(value if layout is None else layout(t.values))
            on = recording or m.forward
            return lambda: m.new(name, a, value, slope if on else None, t.family.traced and on)

        line = f"{name} = {text.format(x=x)}"
        try:
            self.run(line if recording else f"with autodiff.no_grad(): {line}", plan)
        except Skip:
            return

    @rule(k=number, j=number, kind=number)
    def binary(self, k, j, kind):
        x, y = self.pick(k), self.pick(j)
        text, f, derivative = BINARY[kind % len(BINARY)]
        m = self.model
        a, b = m.tensors[x], m.tensors[y]
        if 0 in (*a.shape, *b.shape):
            return
        joins = "stack" in text or "concat" in text
        if joins and (a.shape != b.shape or a.is_complex != b.is_complex or not a.shape):
            return
        if "autodiff" in text and (a.shape != b.shape or a.is_complex or b.is_complex):
            return
        if "1j" in text and (a.is_complex or b.is_complex):
            return
        try:
            np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            return
        name = self.name()

        def plan(m):
            a, b = m.tensors[x], m.tensors[y]
            (v, dv), (w, dw) = m.read(a), m.read(b)
            value = small(np.asarray(f(v, w)))
            rank = max(v.ndim, w.ndim)
            if joins:
                slope = derivative(v, w, dv, dw)
                layout = f(a.values, b.values)
            else:
                dv = dv.reshape((1,) * (rank - v.ndim) + dv.shape)
                dw = dw.reshape((1,) * (rank - w.ndim) + dw.shape)
                slope = derivative(v[..., None], w[..., None], dv, dw)
                slope = np.broadcast_to(slope, (*value.shape, LEAVES))
                layout = np.asarray(a.values + b.values)
            return lambda: m.new(name, layout, value, slope, traced(m, x, y))

        try:
            self.run(f"{name} = {text.format(x=x, y=y)}", plan)
        except Skip:
            return

    @rule(
        k=number,
        j=st.one_of(st.sampled_from([0.25, -0.5, 2.0]), number),
        key=number,
        operator=st.sampled_from(list(OPERATORS)),
        recording=st.sampled_from([True, True, True, False]),
    )
    def write(self, k, j, key, operator, recording):
        x = self.pick(k)
        m = self.model
        t = m.tensors[x]
        if 0 in t.shape:
            return
        keys = by_axes(KEYS, t)
        whole = key % 3 == 0 and operator != "="
        if whole:
            text, f = None, lambda a: a
        elif key % 11 == 10 and not t.is_complex:
            threshold = (key % 5) / 5
            text, f = f"{x} > {threshold}", None
        else:
            text, f = keys[key // 3 % len(keys)]
        if f is not None and f(t.values).size == 0:
            return
        y = None if isinstance(j, float) else self.pick(j)
        if y is not None:
            b = m.tensors[y]
            if f is None:
                return
            if (b.is_complex and not t.is_complex) or not fits(b.shape, f(t.values).shape):
                return
            if 0 in b.shape:
                return
        target = x if whole else f"{x}[{text}]"
        line = f"{target} {operator} {j if y is None else y}"
        if not recording:
            line = f"with autodiff.no_grad(): {line}"
        combine, derivative = OPERATORS[operator]

        def plan(m):
            t = m.tensors[x]
            inside = f or (lambda a: a[m.read(t)[0] > threshold])
            part = Cells(inside(t.values), inside(t.slots), t.family)
            if f is None:
                part.shape = part.values.shape
            v, d = m.read(part)
            w, dw = (np.asarray(j), np.zeros(LEAVES)) if y is None else m.read(m.tensors[y])
            w = w.copy()
            value = small(np.asarray(combine(v, w)))
            if y is not None:
                dw = np.broadcast_to(
                    dw.reshape((1,) * (v.ndim - w.ndim) + dw.shape), (*v.shape, LEAVES)
                )
            slope = derivative(v[..., None], w[..., None], d, dw)
            slope = np.broadcast_to(slope, (*v.shape, LEAVES)).copy()
            value = np.broadcast_to(value, v.shape).copy()
            on = recording or m.forward
            gains = on and y is not None and m.tensors[y].family.traced

            def commit():
                m.store(part.values, m.value, value)
                if on:
                    m.store(part.slots, m.slope, slope)
                    t.family.traced |= gains
                    if t.family.foreign and gains:
                        for name, (o, _) in list(m.foreign.items()):
                            if np.isin(o.numbers(), t.numbers()).any():
                                del m.foreign[name]

            return commit

        others = m.others(t)
        gains = recording and y is not None and m.tensors[y].family.traced
        family = t.family
        must = not t.writeable
        if recording and family.kind == "leaf" and self.tape:
            must = True
        if gains and (
            (family.kind == "detached" and others) or any(o.kind == "leaf" for o in others)
        ):
            must = True
        if must and not self.tape and t.writeable:
            return  # means nothing outside of a differentiation
        simple = family.kind == "own" and not others and not family.foreign
        followed = simple and recording and (family.traced or not gains)
        may = self.tape and not followed
        try:
            if self.run(line, plan, may_raise=may, must_raise=must):
                shared = family.tensors > 1 or others or family.foreign
                self.murky |= bool(not recording or (shared and not (simple and family.traced)))
        except Skip:
            return

    @rule(
        k=number,
        j=number,
        i=number,
        key=number,
        product=st.booleans(),
        operator=st.sampled_from(list(OPERATORS)),
        back=st.booleans(),
    )
    def keep_and_write(self, k, j, i, key, product, operator, back):
        """Write to what an operation has kept, by way of any that shares the memory."""
        m = self.model
        recorded = [x for x, t in m.tensors.items() if t.family.traced]
        if not recorded:
            return
        x = self.pick(k)
        y = self.pick(j, recorded)
        before = self.made
        if product:
            self.binary(self.place(x), self.place(y), 2)
        elif x in recorded:
            self.unary(self.place(x), key % len(UNARY), True)
        if self.made == before or x not in m.tensors:
            return
        result = list(m.tensors)[-1]
        mine = m.tensors[x].numbers()
        same = [o for o, t in m.tensors.items() if np.isin(t.numbers(), mine).any()]
        self.write(self.place(self.pick(i, same)), 0.25, key, operator, True)
        if back and self.tape and getattr(self.names[result], "requires_grad", False):
            at = [o for o in m.tensors if getattr(self.names[o], "requires_grad", False)]
            self.backward(len(at) - 1 - at.index(result), 0, 0, True)

    def place(self, name):
        """The number by which `pick` gives a tensor."""
        names = list(self.model.tensors)
        return len(names) - 1 - names.index(name)

    @rule(k=number, how=st.booleans())
    def detach(self, k, how):
        m = self.model
        recorded = [x for x, t in m.tensors.items() if t.family.traced]
        if "detach" in without or not recorded:
            return
        x = self.pick(k, recorded)
        if self.tape and not getattr(self.names[x], "requires_grad", False):
            return
        name = self.name()

        def plan(m):
            def commit():
                t = m.tensors[x]
                slots = m.fresh(t.slots)
                m.store(slots, m.slope, 0.0)
                m.tensors[name] = Cells(t.values, slots, Family("detached"), t.writeable)

            return commit

        text = f"{x}.detach()" if how else f"autodiff.stop_gradient({x})"
        self.run(f"{name} = {text}", plan)

    @rule(k=number, kind=st.sampled_from(["numpy", "numpy2", "array", "bytes"]))
    def foreign(self, k, kind):
        if "foreign" in without:
            return
        n = self.n
        shape = (2, n) if kind == "numpy2" else (n,)
        value = data(k, shape)
        name = self.name({"bytes": "b", "array": "a"}.get(kind, "n"))
        text = f"data({k}, {shape})"
        if kind == "array":
            text = f"array.array('d', {text})"
        elif kind == "bytes":
            text = f"bytearray({text}.tobytes())"

        def plan(m):
            def commit():
                cells = m.fresh(value)
                family = Family("own")
                family.foreign = True
                t = Cells(cells, cells, family)
                m.store(cells, m.value, value)
                m.foreign[name] = (t, kind.rstrip("2"))

            return commit

        self.run(f"{name} = {text}", plan)
        self.bring(0, k)
        self.bring(0, k + 1)

    @rule(k=number, how=number)
    def bring(self, k, how):
        m = self.model
        if not m.foreign:
            return
        n = self.pick(k, m.foreign)
        kind = m.foreign[n][1]
        text = IMPORTS[kind][how % len(IMPORTS[kind])].format(n=n)
        name = self.name()

        def plan(m):
            if n not in m.foreign:
                raise Skip
            return lambda: m.tensors.__setitem__(name, m.foreign[n][0].take(lambda a: a))

        try:
            self.run(f"{name} = {text}", plan)
        except Skip:
            return

    @rule(k=number, how=number)
    def foreign_view(self, k, how):
        m = self.model
        names = [n for n, (_, kind) in m.foreign.items() if kind == "numpy"]
        if not names:
            return
        n = self.pick(k, names)
        text, f = FOREIGN_VIEWS[how % len(FOREIGN_VIEWS)]
        t = m.foreign[n][0]
        if not t.shape or not np.shares_memory(f(t.values), t.values):
            return
        name = self.name("n")

        def plan(m):
            if n not in m.foreign:
                raise Skip
            return lambda: m.foreign.__setitem__(name, (m.foreign[n][0].take(f), "numpy"))

        self.run(f"{name} = {text.format(n=n)}", plan)
        self.bring(0, how)

    @rule(k=number, how=number)
    def export(self, k, how):
        if "foreign" in without:
            return
        m = self.model
        plain = [x for x, t in m.tensors.items() if not t.family.traced and t.writeable]
        x = self.pick(k, plain) if plain else None
        if x is None or getattr(self.names[x], "requires_grad", False):
            return
        name = self.name("n")
        text = EXPORTS[how % len(EXPORTS)].format(x=x)

        def plan(m):
            t = m.tensors[x]
            if t.family.traced:
                raise Skip

            def commit():
                t.family.foreign = True
                m.foreign[name] = (t.take(lambda a: a), "numpy")

            return commit

        self.run(f"{name} = {text}", plan)
        self.bring(0, how // 3)

    @rule(k=number)
    def drop(self, k):
        m = self.model
        names = [x for x in [*m.tensors, *m.foreign] if x not in m.leaves]
        if len(names) < 3:
            return
        name = self.pick(k, names)

        def plan(m):
            def commit():
                m.tensors.pop(name, None)
                m.foreign.pop(name, None)

            return commit

        self.run(f"del {name}", plan)

    @rule(k=number, j=number, kind=st.integers(0, 2), retain=st.booleans())
    def backward(self, k, j, kind, retain):
        m = self.model
        if not self.tape:
            return
        recorded = [x for x in m.tensors if getattr(self.names[x], "requires_grad", False)]
        if not recorded:
            return
        x, y = self.pick(k, recorded), self.pick(j, recorded)
        (v, d), (_, e) = m.read(m.tensors[x]), m.read(m.tensors[y])
        rest = f"retain_graph={retain}"
        if kind == 0:
            line = f"{x}.backward(xp.full({x}.shape, 0.5, dtype={x}.dtype), {rest})"
            slope = 0.5 * d.reshape(-1, LEAVES).sum(axis=0).real
        elif kind == 1:
            line = f"xp.sum(xp.real({x} * {x})).backward({rest})"
            slope = (2 * v[..., None] * d).reshape(-1, LEAVES).sum(axis=0).real
        else:
            line = f"(xp.sum(xp.real({x})) + xp.sum(xp.real({y}))).backward({rest})"
            slope = d.reshape(-1, LEAVES).sum(axis=0).real
            slope = slope + e.reshape(-1, LEAVES).sum(axis=0).real
        ran = self.run(line, lambda m: lambda: None, may_raise=self.murky, log=False)
        self.murky |= not retain or not ran
        if ran:
            counts["passes"] += 1
            self.gradients = [g + s for g, s in zip(self.gradients, slope, strict=False)]
            self.check_gradients()
        else:
            self.clear()

    def clear(self):
        for name in self.model.leaves:
            self.lines.append(f"{name}.grad = None")
            self.names[name].grad = None
        self.gradients = [0.0 for _ in self.gradients]

    @rule()
    def zero(self):
        if self.tape:
            self.clear()

    @rule(k=number)
    def train(self, k):
        """A step of an optimiser."""
        m = self.model
        if not self.tape or not m.leaves:
            return
        v = self.pick(k, m.leaves)
        g = self.names[v].grad
        if g is None or not m.tensors[v].writeable:
            return
        step = 0.1 * g.numpy()

        def plan(m):
            value = small(m.read(m.tensors[v])[0] - step)
            return lambda: m.store(m.tensors[v].values, m.value, value)

        line = f"with autodiff.no_grad(): {v} -= 0.1 * {v}.grad"
        try:
            if self.run(line, plan, may_raise=bool(m.others(m.tensors[v])), log=False):
                again = f"with autodiff.no_grad(): {v} -= 0.0"
                self.log.append((again, lambda m: lambda: None))
                self.murky = True
        except Skip:
            return

    @rule()
    def look_at_all(self):
        self.check()

    def teardown(self):
        if not hasattr(self, "model"):
            return
        self.check()
        self.replay()

    def replay(self):
        """Run the program in functions that are differentiated."""
        for forward in (False, True):
            m = Model(own_leaves=True, forward=forward)
            try:
                for _, plan in self.log:
                    plan(m)()
            except (Skip, KeyError):
                continue  # it differs where leaves have memory of their own
            self.replay_in(m, ["jvp"] * len(m.leaves) if forward else ["vjp", "value_and_grad"])

    def replay_in(self, m, modes):
        total, slope, terms = 0.0, np.zeros(LEAVES), []
        for i, (x, t) in enumerate(m.tensors.items()):
            v, d = m.read(t)
            total += (i % 3 + 0.5) * v.real.sum()
            slope += (i % 3 + 0.5) * d.reshape(-1, LEAVES).sum(axis=0).real
            terms.append(f"{i % 3 + 0.5} * xp.sum(xp.real({x}))")
        foreign = ", ".join(f"{n!r}: {n}" for n in m.foreign)
        lines = [line for line, _ in self.log]
        result = f"return {' + '.join(terms)}, {{{foreign}}}"
        source = "\n    ".join(["def program(*leaves):", *lines, result])
        exec(source, self.names)
        program = self.names["program"]
        self.lines = [source]
        directions = [xp.asarray(d) for d in m.directions]

        def close(found, expected, what):
            if not np.isclose(float(found), expected, rtol=1e-8, atol=1e-8):
                self.fail(f"{what} gives {float(found)}, should be {expected}")

        for i, mode in enumerate(modes):
            counts[mode] += 1
            primals = [xp.asarray(a, copy=True) for a in m.start]
            try:
                if mode == "vjp":
                    out, pullback, aux = autodiff.vjp(program, *primals, has_aux=True)
                    gradients = pullback(xp.asarray(1.0))
                elif mode == "value_and_grad":
                    f = autodiff.value_and_grad(program, tuple(range(len(primals))), has_aux=True)
                    (out, aux), gradients = f(*primals)
                else:
                    ts = [d if j == i else xp.zeros_like(d) for j, d in enumerate(directions)]
                    out, t, aux = autodiff.jvp(program, primals, ts, has_aux=True)
            except REFUSALS as error:
                counts[f"{mode} refused"] += 1
                if not ABOUT.search(str(error)):
                    self.fail(f"{mode}: {type(error).__name__}: {error}")
                continue
            close(out, total, f"the value of {mode}")
            for name, a in aux.items():
                a = np.frombuffer(a) if name[0] == "b" else np.asarray(a)
                if not np.allclose(a, m.read(m.foreign[name][0])[0], rtol=1e-10):
                    self.fail(f"in {mode}, {name} is {a.tolist()}"[:300])
            if mode == "jvp":
                close(t, slope[i], f"jvp along leaves[{i}]")
                continue
            for k, (g, direction) in enumerate(zip(gradients, directions, strict=True)):
                close(xp.sum(g * direction), slope[k], f"{mode} by leaves[{k}]")


def f_of(f, value, text):
    """A view's function, of values instead of numbers of cells."""
    if "xp.real" in text:
        return value.real
    if "xp.imag" in text:
        return value.imag
    return f(value)


SETTINGS = settings(
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    print_blob=False,
    verbosity=Verbosity.quiet,
    stateful_step_count=50,
    suppress_health_check=list(HealthCheck),
)


def _run(examples, derandomize, first=0):
    """Run programs; the shortest that fails is raised."""
    chosen = settings(SETTINGS, max_examples=examples, derandomize=derandomize)
    factory = Machine if derandomize else seed(first)(type("Machine", (Machine,), {}))
    failures.clear()
    try:
        run_state_machine_as_test(factory, settings=chosen)
    except Exception:
        if not failures:
            raise
    if failures:
        raise AssertionError(min((program for _, program in failures), key=len))


def test_programs_agree_with_the_model_of_memory():
    steps = int(os.environ.get("ARRAYGRAD_MACHINE_STEPS", "0"))
    if steps:
        _many(steps, first=time.time_ns() % 2**32)
    else:
        _run(120, derandomize=True)


def _many(steps, first):
    counts.clear()
    while counts["steps"] < steps:
        _run(100, derandomize=False, first=first)
        first += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", default="", help="rules to leave out: foreign,detach")
    parser.add_argument("--keep-going", action="store_true", help="after a failure, try others")
    given = parser.parse_args()
    without.update(given.without.split(","))
    failed, first = 0, given.seed
    counts.clear()
    while counts["steps"] < given.steps:
        try:
            _run(100, derandomize=False, first=first)
        except AssertionError as error:
            failed += 1
            print(f"---- a failure, with seed {first}:\n{error}\n", flush=True)
            if not given.keep_going:
                break
        first += 1
    print(f"{counts['steps']} steps, {failed} failures; {dict(counts)}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
