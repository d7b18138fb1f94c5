"""Faults put into the sources on purpose: does some test fail?

    python tests/mutation.py --number 300 --seed 1

Each mutant is a copy of src/ with one change: a comparison, a boolean, a number or a branch the
other way round, or a statement left out. Those that survive are printed: tests that miss something,
or code that does the same either way. A run takes about half an hour and is no part of the suite.
It is a script of our own, as mutmut and its like put functions of theirs around ours, and the tests
of frames, levels and lines then fail without a fault.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL

ROOT = Path(__file__).parents[1]
PACKAGE = "src/arraygrad"
MODULES = ["_dispatch", "_memory", "_array"] + [
    f"autodiff/_{name}"
    for name in ("backward", "levels", "views", "inplace", "graph", "tangents", "pullback")
]
AUTODIFF = "inplace views levels backward transforms side_effects failed_writes tape promises"
MORE = "grad_mode checkpoint custom pullback shared_memory references debug_nans nested_programs"
OPTIONS = "--import-mode=importlib -p no:cacheprovider"  # without doctests
#: Seconds, as some mutants hang, and tests: the quick ones first, as most mutants do not live long.
TESTS = [
    (120, ["test_dispatch.py", *(f"autodiff/test_{name}.py" for name in AUTODIFF.split())]),
    (120, [f"autodiff/test_{name}.py" for name in MORE.split()]),
    (120, ["test_indexing.py", "test_tensor.py", "test_hot_path.py", "test_interchange.py"]),
    (600, ["autodiff/test_cost.py", "autodiff/test_programs.py"]),
]
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
        text = (ROOT / PACKAGE / f"{module}.py").read_text()
        starts = [0]
        for line in text.encode().splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        for node, new in sites(ast.parse(text)):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            data = text.encode()
            changed = data[:start] + new.encode() + data[end:]
            yield module, node.lineno, data[start:end].decode(), new, changed


def survives(mutant):
    """Whether all tests pass with a mutant, which a copy of the sources has."""
    module, *_, source = mutant
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", folder, dirs_exist_ok=True)
        Path(folder, "arraygrad", f"{module}.py").write_bytes(source)
        env = os.environ | {"PYTHONPATH": f"{folder}:tests", "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-m", "pytest", "-x", "-q", "-o", f"addopts={OPTIONS}"]
        for timeout, tests in TESTS:
            command = [sys.executable, *options, *(f"tests/{name}" for name in tests)]
            try:
                run = subprocess.run(command, cwd=ROOT, env=env, stdout=DEVNULL, timeout=timeout)
            except subprocess.TimeoutExpired:
                return False
            if run.returncode:
                return False
    return True


def main():
    """Run a sample; print each mutant that survives, and how many."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--number", type=int, default=300, help="how many mutants")
    parser.add_argument("--start", type=int, default=0, help="leave out as many of the sample")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--module", default="", help="of this module only, such as autodiff/_tape")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    options = parser.parse_args()
    modules = [options.module] if options.module else MODULES
    every = list(mutants(modules))
    random.Random(options.seed).shuffle(every)
    sample = every[options.start : options.start + options.number]
    if not survives((modules[0], (ROOT / PACKAGE / f"{modules[0]}.py").read_bytes())):
        sys.exit("the tests fail without a mutant")
    print(f"{len(sample)} of {len(every)} mutants", flush=True)
    alive = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        tried = pool.map(survives, sample)
        for i, ((module, line, old, new, _), survived) in enumerate(
            zip(sample, tried, strict=True)
        ):
            print(f"{options.start + i} ", end="", file=sys.stderr, flush=True)
            if survived:
                alive += 1
                print(f"{module}.py:{line}: {old[:90]!r} -> {new[:90]!r}", flush=True)
    print(f"{len(sample) - alive} of {len(sample)} found")


if __name__ == "__main__":
    main()
