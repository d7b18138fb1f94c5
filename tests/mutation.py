"""Faults put into the sources on purpose: does some test fail?

    python tests/mutation.py --number 300 --seed 1

A mutant has one change: a comparison, a boolean, a number or a branch the other way round, or a
statement left out. Those that survive are printed: tests that miss something, or code that does the
same either way. tests/mutation_survivors.md has what became of them.

The tests are collected once. For each mutant, a forked process exchanges the code of the function
and runs them, those that have found others first, until one fails. So a mutant takes a second, and
one that survives takes as long as all tests. Programs that tests start do not see it.

It is a script of our own, as mutmut and its like put functions of theirs around ours, and the tests
of frames, levels and lines then fail without a fault.
"""

import argparse
import ast
import gc
import os
import random
import re
import resource
import signal
import sys
import time
from pathlib import Path
from types import CodeType, FunctionType

import pytest

import arraygrad

PACKAGE = Path(arraygrad.__file__).parent
MODULES = ["_dispatch", "_memory", "_array"] + [
    f"autodiff/_{name}"
    for name in ("backward", "levels", "views", "inplace", "graph", "tangents", "pullback")
]
TESTS = [
    "test_dispatch.py", "test_indexing.py", "test_interchange.py", "test_modes.py",
    "test_strict.py", "test_tensor.py", "autodiff", "--ignore=autodiff/rules",
    "--ignore=autodiff/test_rules.py",
]  # fmt: skip
#: Tests that take long, and those of other devices, which are the same code here.
WITHOUT = re.compile(
    "strict:|cuda|test_(cost|libraries|memory_machine|programs|references).py"
    "|import|scalars|test_what_numpy|test_[gs]et\\b|test_programs|long_chain|shards|arrow"
)
#: Limits for a mutant beyond what the tests take without one: seconds, of which it computes, and
#: bytes of addresses.
SECONDS, COMPUTING, MEMORY = 200, 10, 16 << 30
SWAPS = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip
STATEMENTS = (ast.Raise, ast.AugAssign, ast.Delete, ast.Continue, ast.Break)


def swapped(node, field, op):
    """The source of a node with another operator."""
    new = ast.parse(ast.unparse(node), mode="eval").body
    setattr(new, field, op)
    return f"({ast.unparse(new)})"


def mutations(node):
    """New sources for a node of the syntax tree."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield swapped(node, "ops", [SWAPS[type(node.ops[0])]()])
    elif isinstance(node, (ast.BoolOp, ast.BinOp)) and type(node.op) in SWAPS:
        yield swapped(node, "op", SWAPS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield repr(not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"({node.value + 1})"
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield f"(not ({ast.unparse(node.test)}))"
    elif isinstance(node, STATEMENTS) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "pass"
    elif isinstance(node, ast.Assign) and not any(isinstance(t, ast.Name) for t in node.targets):
        yield "pass"  # (without a name, all that came after would fail)


def sites(node, inside=False):
    """All (place, new source) of the functions in a tree; messages and annotations left out."""
    inside = inside or isinstance(node, (ast.FunctionDef, ast.Lambda))
    if inside:
        place = node.test if isinstance(node, (ast.If, ast.IfExp, ast.While)) else node
        for new in mutations(node):
            yield place, new
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "exc", "cause") or isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from sites(child, inside)


def mutants(modules):
    """All mutants: (module, line, what it is, what it becomes, the whole source)."""
    for module in modules:
        text = (PACKAGE / f"{module}.py").read_text()
        starts = [0]
        for line in text.encode().splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        for node, new in sites(ast.parse(text)):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            data = text.encode()
            changed = data[:start] + new.encode() + data[end:]
            yield module, node.lineno, data[start:end].decode(), new, changed


def codes(code, names=()):
    """The code of all functions in a module, with their names."""
    found = []
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found.append(((*names, const.co_name), const))
            found += codes(const, (*names, const.co_name))
    return found


def exchange(functions, module, source):
    """Give the functions of a module the code that they have in another source."""
    path = str(PACKAGE / f"{module}.py")
    before = codes(compile(Path(path).read_bytes(), path, "exec"))
    after = codes(compile(source, path, "exec"))
    new, i = {}, 0  # (where the mutant lacks a function, those that come after it are the same)
    for names, code in before:
        while i < len(after) and after[i][0] != names:
            i += 1
        if i < len(after):
            new[names, code.co_firstlineno] = after[i][1]
            i += 1
    for f in functions:
        if f.__code__.co_filename == path:
            names = tuple(n for n in f.__code__.co_qualname.split(".") if n != "<locals>")
            f.__code__ = new.get((names, f.__code__.co_firstlineno), f.__code__)


class Mutation:
    """A plugin that runs the collected tests once for each mutant, instead of once."""

    def __init__(self, sample, start):
        self.sample, self.start = sample, start
        self.pipe = None  # where a child writes which test has failed
        self.alive = 0

    def pytest_runtest_logreport(self, report):
        if report.failed:
            os.write(self.pipe, report.nodeid.encode())
            os._exit(1)

    def pytest_collectreport(self, report):
        if report.failed:
            sys.exit(f"the tests cannot be collected: {report.longrepr}")

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if not WITHOUT.search(item.nodeid)]

    def run(self, items, seconds, computing, mutant=None):
        """The test that fails first; None if all pass."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            self.pipe = writing
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (computing, computing))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            if mutant is not None:
                exchange(self.functions, mutant[0], mutant[-1])
            for item in items:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            os._exit(0)
        os.close(writing)
        with open(reading, "rb") as file:
            failed = file.read().decode()
        ended = os.waitpid(child, 0)[1]
        return failed or (ended and f"status {ended}") or None

    def pytest_runtestloop(self, session):
        items = session.items
        self.functions = [f for f in gc.get_objects() if isinstance(f, FunctionType)]
        gc.collect()
        gc.freeze()  # what the tests collect is theirs
        begin = time.monotonic()
        if failed := self.run(items, 10 * SECONDS, 10 * SECONDS):
            sys.exit(f"without a mutant, there is {failed}")
        seconds = SECONDS + int(time.monotonic() - begin)
        computing = COMPUTING + 2 * int(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)
        for i, mutant in enumerate(self.sample, self.start):
            failed = self.run(items, seconds, computing, mutant)
            module, line, old, new, _ = mutant
            text = f"{module}.py:{line}: {old[:90]!r} -> {new[:90]!r}"
            print(i, f"{failed or 'SURVIVED'}: {text}", file=sys.stderr, flush=True)
            if failed is None:
                self.alive += 1
                print(text, flush=True)
            items.sort(key=lambda item: item.nodeid != failed)  # it may find others, too
        print(f"{len(self.sample) - self.alive} of {len(self.sample)} found")
        return True


def main():
    """Run a sample; print each mutant that survives, and how many are found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--number", type=int, default=300, help="how many mutants")
    parser.add_argument("--start", type=int, default=0, help="leave out as many of the sample")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--module", default="", help="of this module only, such as autodiff/_tape")
    options = parser.parse_args()
    every = list(mutants([options.module] if options.module else MODULES))
    random.Random(options.seed).shuffle(every)
    plugin = Mutation(every[options.start :][: options.number], options.start)
    os.chdir(Path(__file__).parent)
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)  # for programs that tests start
    os.environ["CI"] = "1"  # the same examples of Hypothesis each time
    arguments = ["-p", "no:terminal", "-o", "addopts=--import-mode=importlib -p no:cacheprovider"]
    pytest.main([*arguments, *TESTS], plugins=[plugin])


if __name__ == "__main__":
    main()
