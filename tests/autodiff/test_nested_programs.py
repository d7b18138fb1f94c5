"""Random programs of differentiations inside of one another, with writes, views and shared memory.

A program is a function of one tensor. It makes views of tensors, imports and exports, writes in
place, and differentiates functions of its own, which do the same with their argument and with what
is around them, and let tensors out. Outside of any differentiation its value is as NumPy's memory
has it, and its derivative that of differences. Under each differentiation the value has to be the
same bit for bit, and the derivative that one; or it raises. What fails is printed, made shorter.

In the suite a few programs run, the same each time. More, and others:

    python tests/autodiff/test_nested_programs.py --number 5000 --seed 7
"""

import argparse
import collections
import operator
import random

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff

N = 4
REFUSALS = (RuntimeError, ValueError, TypeError, IndexError)
VIEWS = [
    "{x}[1:]", "{x}[::-1]", "{x}[...]", "{x}[::2]", "{x}[None, ...]", "{x}[0]", "{x}[0:1]",
    "xp.reshape({x}, (2, -1))", "xp.reshape({x}, (-1,))", "xp.flip({x})", "xp.unstack({x})[0]",
    "xp.broadcast_to({x}, (2, *{x}.shape))", "xp.squeeze({x}[None, ...], axis=0)",
    "xp.asarray({x})",
]  # fmt: skip
KEYS = ["...", "0", "-1", "1:", "::2", "::-1", "xp.asarray([0])", "..., 0"]
MEMORY = [
    "xp.zeros(N)", "xp.from_numpy(np.linspace(0.1, 1.0, N))", "xp.from_dlpack(a)[1:]",
    "xp.from_numpy(a[::-1])", "xp.from_numpy(b.numpy())", "xp.from_dlpack(b)", "b[1:]",
]  # fmt: skip
UNARY = [
    "xp.tanh({x})", "xp.sin({x})", "{x} * {x} * 0.3", "{x} * 0.5", "xp.asarray({x}, copy=True)",
    "xp.where({x} > 0.1, {x}, {x} * 0.2)", "autodiff.checkpoint(lambda p: p * xp.sin(p))({x})",
]  # fmt: skip
BINARY = [
    "{x} * xp.sum({y})", "{x} + {y}", "{x} - {y} * 0.5",
    "autodiff.checkpoint(lambda p, q: p * q + p)({x}, xp.sum({y}))",
]  # fmt: skip
OPERATORS = ["iadd", "isub", "imul"]
INNER = {  # what is written for a function and its argument, and the names that it gives
    "{o}, p{o} = autodiff.vjp({f}, {x}); ({g},) = p{o}(xp.tanh({o}))": "og",
    "{o}, {g} = autodiff.jvp({f}, ({x},), (xp.ones_like({x}) * xp.mean({y}),))": "og",
    "{o}, p{o} = autodiff.linearize({f}, {x}); {g} = p{o}(xp.tanh({x}))": "og",
    "{o} = autodiff.checkpoint({f})({x})": "o",
    "{o}, {g} = autodiff.value_and_grad(lambda z: xp.sum({f}(z)))({x})": "og",
    "{o} = autodiff.hvp(lambda z: xp.sum({f}(z)), ({x},), (xp.ones_like({x}),))": "o",
    "{o}, {g} = autodiff.grad(lambda z: (xp.sum(z * {y}), {f}(z)), has_aux=True)({x})": "og",
}


class Program:
    """Writes a program line by line."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.made = 0
        self.lines = ["a = np.linspace(-0.5, 0.9, N); b = xp.from_numpy(a)", "box = []"]
        names = ["x", "w"]
        self.lines.append("w = x * 1.0")
        self.block(names, 0, self.random.randint(3, 9))
        parts = " + ".join(f"xp.sum(xp.tanh({name}))" for name in names)
        self.lines.append("seen.append(a.copy())")
        self.lines.append(f"return {parts} + xp.sum(x) * 1e-3")

    def name(self):
        self.made += 1
        return f"t{self.made}"

    def pick(self, names):
        """A tensor; those made last more often."""
        return self.random.choice(names + names[-3:])

    def value(self, names, depth=0):
        kind = self.random.random()
        if kind < 0.35 or depth > 1:
            return self.pick(names)
        x = f"({self.value(names, depth + 1)})"
        if kind < 0.65:
            return self.random.choice(UNARY).format(x=x)
        return self.random.choice(BINARY).format(x=x, y=self.pick(names))

    def block(self, names, depth, n):
        for _ in range(n):
            lines = self.statement(names, depth)
            self.lines += ["    " * depth + line for line in lines]

    def statement(self, names, depth):
        kind, new = self.random.random(), self.name()
        if kind < 0.25:
            line = f"{new} = {self.random.choice(VIEWS).format(x=self.pick(names))}"
        elif kind < 0.40:
            line = f"{new} = {self.value(names)}"
        elif kind < 0.50:
            line = f"{new} = {self.random.choice(MEMORY)}"
        elif kind < 0.80 or depth > 1:
            value = f"xp.tanh(xp.mean({self.value(names)}))"
            if self.random.random() < 0.6:
                return [f"{self.pick(names)}[{self.random.choice(KEYS)}] = {value}"]
            return [f"op.{self.random.choice(OPERATORS)}({self.pick(names)}, {value})"]
        else:
            return self.inner(names, depth, new)
        names.append(new)
        return [line]

    def inner(self, names, depth, new):
        z, o, g = self.name(), self.name(), self.name()
        before, self.lines = self.lines, []
        inside = [*names, z, z]
        self.block(inside, 1, self.random.randint(1, 4))
        body, self.lines = self.lines, before
        if self.random.random() < 0.3:
            body.append(f"    box.append({self.pick(inside)})")
            after = [f"l{new} = box[-1]"]
        else:
            after = []
        own = [name for name in inside if name not in names]
        body.append(f"    return {self.value(own, 1)}")
        call = self.random.choice(list(INNER))
        x, y = self.pick(names), self.pick(names)
        names += [{"o": o, "g": g}[k] for k in INNER[call]] + [f"l{new}"] * bool(after)
        return [f"def {new}({z}):", *body, call.format(f=new, x=x, y=y, o=o, g=g), *after]


def compiled(lines, seen):
    source = "\n".join(["def f(x):", *("    " + line for line in lines)])
    names = {"xp": xp, "np": np, "autodiff": autodiff, "op": operator, "N": N, "seen": seen}
    exec(source, names)
    return names["f"]


START = np.linspace(0.2, 0.7, N) * [1, -1, 1, -1]
DIRECTION = np.cos(1.7 * np.arange(N)) + 0.3


def by_grad(f, x, v):
    value, gradient = autodiff.value_and_grad(f)(x)
    return value, xp.sum(gradient * v)


def by_jvp(f, x, v):
    return autodiff.jvp(f, (x,), (v,))


def by_tape(f, x, v):
    w = x.requires_grad_()
    value = f(1.0 * w)
    value.backward()
    return value.detach(), xp.sum(w.grad * v)


def fault(lines, counts):
    """What is wrong with a program; None if nothing is, or if there is nothing to compare."""
    seen = []  # what other libraries have in the shared memory at the end
    f = compiled(lines, seen)

    def at(step):
        return f(xp.asarray(START + step * DIRECTION)).item()

    try:
        outside = at(0.0)
        memory = seen[-1] if seen else None
        slope, other = ((at(h) - at(-h)) / (2 * h) for h in (1e-6, 3e-6))
    except REFUSALS:
        return None
    if not abs(outside) < 1e6 or not abs(slope - other) < 1e-5 * (1 + abs(slope)):
        return None
    for derivative in (by_grad, by_jvp, by_tape):
        try:
            value, found = derivative(f, xp.asarray(START.copy()), xp.asarray(DIRECTION))
        except REFUSALS:
            counts["refused"] += 1
            continue
        counts["compared"] += 1
        if value.item() != outside:
            return f"{derivative.__name__}: the value is {value.item()}, outside {outside}"
        if seen and not np.array_equal(seen[-1], memory):
            return f"{derivative.__name__}: shared memory is {seen[-1]}, outside {memory}"
        if abs(found.item() - slope) > 2e-5 * (1 + abs(slope)):
            return f"{derivative.__name__}: the derivative is {found.item()}, not {slope}"
    return None


def without(lines, i):
    """The lines without one, and without what belongs to it."""
    depth = len(lines[i]) - len(lines[i].lstrip())
    end = i + 1
    while lines[i].lstrip().startswith("def ") and lines[end].startswith(" " * (depth + 1)):
        end += 1
    return lines[:i] + lines[end:]


def shortened(lines):
    """A shorter program that fails as well."""
    while True:
        head, parts = lines[-1].split(" ", 1)
        parts = parts.split(" + ")
        tries = [without(lines, i) for i in range(len(lines) - 1)]
        tries += [
            [*lines[:-1], f"{head} {' + '.join(parts[:i] + parts[i + 1 :])}"]
            for i in range(len(parts) if len(parts) > 1 else 0)
        ]
        for shorter in tries:
            try:
                if fault(shorter, collections.Counter()):
                    lines = shorter
                    break
            except Exception:  # not a program
                continue
        else:
            return lines


def check(seed, counts):
    lines = Program(seed).lines
    with np.errstate(all="ignore"):
        if fault(lines, counts) is None:
            return
        lines = shortened(lines)
        what = fault(lines, counts)
    raise AssertionError("\n".join(["", *lines, f"# {what}; program {seed}"]))


@pytest.mark.parametrize("part", range(4))
def test_nested_programs_give_what_they_give_outside(part):
    counts = collections.Counter()
    for seed in range(part * 75, part * 75 + 75):
        check(seed, counts)
    assert counts["compared"] > 2 * counts["refused"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: collections.Counter = collections.Counter()
    for seed in range(options.seed * 10**6, options.seed * 10**6 + options.number):
        try:
            check(seed, counts)
        except AssertionError as error:
            counts["failed"] += 1
            print(error, flush=True)
    print(dict(counts))
