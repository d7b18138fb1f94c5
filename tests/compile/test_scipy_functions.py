"""SciPy's functions through `compile`: the same bits, by programs.

They are each third of the functions with right gradients in the table of SciPy's functions that
take as many arrays of one shape as the table lists arguments.
"""

import json
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import optree
import pytest
from compile.support import bits, normal, programs

import arraygrad as xp
from arraygrad import autodiff

TABLE = Path(__file__).parents[2] / "conformance" / "reports" / "through-scipy-cpu.json"
#: Shapes that are tried, one after the other.
SHAPES = [(9,), (4, 4)]


def arguments(count, shape, start=0):
    return [xp.abs(normal(*shape, seed=start + i)) * 0.3 + 0.2 for i in range(count)]


def tensors(out):
    leaves = optree.tree_leaves(out, namespace="arraygrad")
    return [x for x in leaves if isinstance(x, xp.Tensor)]


def functions():
    """Names, functions, numbers of arguments, and shapes."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))["runs"]["arraygrad"]["functions"]
    for name, entry in table.items():
        module, _, own = name.rpartition(".")
        if entry["verdict"] != "right" or not name.startswith("scipy."):
            continue
        try:
            f = getattr(import_module(module), own)
        except ImportError:  # a method
            continue
        for shape in SHAPES:
            try:
                with np.errstate(all="ignore"):
                    first, second = (f(*arguments(len(entry["arguments"]), shape))
                                     for _ in range(2))  # fmt: skip
                if tensors(first) and bits(tensors(first)) == bits(tensors(second)):
                    yield name, f, len(entry["arguments"]), shape
                    break
            except Exception:  # it takes other arguments
                continue


def loss_of(f):
    def loss(*xs):
        found = [x for x in tensors(f(*xs)) if x.dtype.kind in "fc"]
        return sum((xp.sum(xp.real(x * x)) for x in found), xp.zeros(()))

    return loss


def forms(f):
    """The function, its gradient, and the gradient of the compiled function."""
    values = lambda *xs: tensors(f(*xs))
    gradient = lambda f, *xs: autodiff.value_and_grad(f, range(len(xs)))(*xs)
    compiled = xp.compile(values, on_value="guard")
    yield values, compiled, compiled
    loss = loss_of(f)
    compiled = xp.compile(partial(gradient, loss), on_value="guard")
    yield partial(gradient, loss), compiled, compiled
    compiled = xp.compile(loss, on_value="guard")
    yield partial(gradient, loss), partial(gradient, compiled), compiled


@pytest.mark.filterwarnings("ignore")
def test_functions_of_scipy_and_their_gradients():
    chosen = [*functions()][::3]  # from all chapters
    assert len(chosen) >= 50
    for name, f, count, shape in chosen:
        for plain, by_program, compiled in forms(f):
            sets = [arguments(count, shape, start) for start in (0, 7, 0)]
            with np.errstate(all="ignore"):
                try:
                    want = [bits(plain(*args)) for args in sets]
                except autodiff.NotDifferentiableError:  # with respect to all arguments
                    continue
                assert [bits(by_program(*args)) for args in sets] == want, name
            assert any(e.runs for e in programs(compiled)), f"{name}: {compiled.explain()}"
