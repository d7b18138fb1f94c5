"""Checks `vmap` of every function of the standard, `special` and `scipy`; writes a table.

Each case of the gradients' suite is called with a batch of three, which is compared with the stack
of three calls: the values, the gradients and tangents inside of `vmap` and around it, to second
order, and `vmap` of `vmap`.
"""

from __future__ import annotations

import argparse
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import _batching

from .gradient_cases import CASES, Case, standard_names
from .report import SetupError, table, write

Function = Callable[..., Any]

#: The coverage table.
COVERAGE = Path(__file__).parents[1] / "docs" / "vmap-coverage.md"
#: The number of examples.
SIZE = 3
#: Tolerances, relative to the largest compared number, or absolute if it is less than 1: of values,
#: of derivatives, and of results in single precision.
VALUES, DERIVATIVES, SINGLE = 1e-12, 1e-9, 1e-5
#: Where the axis of the examples is.
PLACES = ("first", "last", "middle")


class WrongError(AssertionError):
    """A batch is not the stack of its examples."""


class NothingToCompareError(Exception):
    """The call on one example raises itself."""


# ---- the command


def add_parser(subjects: Any) -> None:
    """Add ``batches`` to the command line."""
    parser = subjects.add_parser("batches", help="vmap of every function", description=__doc__)
    add = parser.add_argument
    add("functions", nargs="*", metavar="FUNCTION", help="check only these, without a report")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check all cases, write the table, and say whether all are right."""
    if unknown := set(args.functions) - {case.function for case in CASES}:
        raise SetupError(f"there are no cases of {', '.join(sorted(unknown))}")
    results: dict[str, list[dict[str, Any]]] = {}
    for case in CASES:
        if not args.functions or case.function in args.functions:
            results.setdefault(case.function, []).append(outcomes(case))
    if not args.functions:
        write(COVERAGE, markdown(results))
        print(f"table: {COVERAGE}")
    wrong = [
        f"{found['name']}: {check}: {found[check]}"
        for cases in results.values()
        for found in cases
        for check in CHECKS
        if found[check] not in ("", REFUSED)
    ]
    print("\n".join(["wrong: " + text for text in wrong]))
    count = sum(map(len, results.values()))
    print(f"{count} cases of {len(results)} functions, {len(wrong)} wrong")
    return 1 if wrong else 0


#: The outcome of a check that raised where it may.
REFUSED = "refused"


def outcomes(case: Case) -> dict[str, Any]:
    """For each check, the reason why the case fails; how its operations are performed, and why not.

    ``loops`` are the operations that a loop performs if all arguments are batched.
    """
    found: dict[str, Any] = {"name": case.name, "refused": "", "complex": case.kind == "c"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with looped() as loops, suppress(Exception):
            Trial(case).values()
        found["loops"] = sorted(loops)
        for i, (check, function) in enumerate(CHECKS.items()):
            found[check] = ""
            try:
                for place, shared in arrangements(case, i):
                    function(Trial(case, place, shared))
            except NothingToCompareError:
                pass
            except Exception as error:
                if reason := refusal(error):
                    found[check], found["refused"] = REFUSED, reason
                else:
                    found[check] = f"{type(error).__name__}: {error}"
    return found


def refusal(error: Exception) -> str:
    """The reason why a batch is refused, where it may be; empty for other errors."""
    text = str(error)
    if isinstance(error, xp.UnbatchableError):
        for part in ("another shape for each", "other numbers of elements"):
            if part in text:
                return "the shape of the result depends on values"
        return "it reads values"
    if "copy=False" in text:
        return "a view with `copy=False` of a batch along another axis"
    return ""


@contextmanager
def looped() -> Iterator[set[str]]:
    """Note the operations that a loop performs."""
    found: set[str] = set()
    loop = _batching.Call.loop

    def noted(self: Any) -> Any:
        found.add(self.name)
        return loop(self)

    # (mypy refuses to exchange a method, which is what this is for.)
    _batching.Call.loop = noted  # type: ignore[method-assign]
    try:
        yield found
    finally:
        _batching.Call.loop = loop  # type: ignore[method-assign]


def sharings(case: Case) -> list[frozenset[int]]:
    """The sets of arguments that all examples share: none, and each of several by itself."""
    n = len(case.builders)
    return [frozenset(), *(frozenset({i}) for i in range(n) if n > 1)]


def arrangements(case: Case, check: int) -> list[tuple[str, frozenset[int]]]:
    """Where the examples are, and what they share: of the values, the first check, all ways."""
    _, *shared = sharings(case)
    if not check:
        return [*((place, frozenset()) for place in PLACES), *((PLACES[0], s) for s in shared)]
    one = [(PLACES[0], shared[check % len(shared)])] if shared else []
    return [(PLACES[check % 3], frozenset()), *one]


def markdown(results: dict[str, list[dict[str, Any]]]) -> str:
    """The table."""
    order = {name: i for i, name in enumerate(standard_names())}
    rows, counts = [], {"native": 0, "loop": 0, "refused": 0}
    for function in sorted(results, key=lambda f: order.get(f, len(order))):
        cases = results[function]
        how = kind(cases)
        counts[how.split(":")[0]] += 1
        rows.append([
            f"`{function}`", how, len(cases),
            *(_count([found[check] for found in cases]) for check in CHECKS),
        ])  # fmt: skip
    total = len(results)
    share = 100 * counts["native"] / total
    return "\n\n".join([
        "# Coverage of vmap",
        f"`python -m conformance batches` writes this page. Of {total} functions, attributes and "
        f"operators of the standard and functions of `special` and `scipy`, {counts['native']} "
        f"({share:.1f} %) are performed on a whole batch at once, {counts['loop']} by a loop over "
        f"the examples, at least with some parameters, and {counts['refused']} are refused. The "
        "cases are those of the [gradients](gradient-coverage.md), with a batch of "
        f"{SIZE}. Its examples are along the first, the last and a middle axis, and each argument "
        "in turn is shared by all examples; derivatives are checked for one of these axes and with "
        "one shared argument.",
        "- Performed. *Native*: by operations on the whole batch. *Loop*: one of the operations is "
        "performed on one example after the other, for which its name stands; where an argument is "
        "shared, often all at once. *Refused*: it raises, for the reason given.\n"
        f"- Values. The results equal the stack of single calls within {VALUES:.0e} "
        f"({SINGLE:.0e} in single precision).\n"
        "- Gradients. The gradients of each example, `vmap(grad(f))`, and those around it, "
        f"`grad` of a sum of `vmap(f)`, equal those of single calls within {DERIVATIVES:.0e}.\n"
        "- Tangents. So do those of `vmap` of `jvp`.\n"
        "- Second order. So do products with Hessians inside of `vmap`.\n"
        "- Nested. `vmap(vmap(f))` equals the stack of stacks.",
        table(["Function", "Performed", "Cases", *(c.capitalize() for c in CHECKS)], rows),
    ]) + "\n"  # fmt: skip


def kind(cases: Sequence[dict[str, Any]]) -> str:
    """How a function is performed, by all of its cases."""
    refused = [found["refused"] for found in cases if found["values"] == REFUSED]
    if len(refused) == len(cases):
        return f"refused: {refused[0]}"
    loops = sorted({name for found in cases for name in found["loops"]})
    if loops:
        return "loop: " + ", ".join(f"`{name}`" for name in loops)
    return "native"


def _count(whys: list[str]) -> str:
    refused, right = whys.count(REFUSED), whys.count("")
    others = f", {refused} refused" if refused else ""
    total = len(whys) - refused
    if not total:
        return "refused"
    return (f"{right} of {total}" if right < total else f"all {right}") + others


# ---- the checks of one case


class Trial:
    """A case with a batch of inputs.

    Parameters
    ----------
    case : Case
    place : str
        Where the axis of the examples is.
    shared : frozenset of int
        The inputs that all examples share.
    """

    def __init__(
        self, case: Case, place: str = "first", shared: frozenset[int] = frozenset()
    ) -> None:
        self.case = case
        self.shared = shared
        self.axes: list[int | None] = []
        self.inputs: list[Any] = []
        self.examples: list[list[Any]] = [[] for _ in range(SIZE)]
        seeds = [zlib.crc32(f"{case.name}{i}".encode()) for i in range(SIZE)]
        rngs = [np.random.default_rng(seed) for seed in seeds]
        for k, build in enumerate(case.builders):
            drawn = [np.asarray(build(rng, case.kind)) for rng in rngs]
            if k in shared:
                drawn = drawn[:1] * SIZE
                self.axes.append(None)
                self.inputs.append(xp.asarray(drawn[0]))
            else:
                n = drawn[0].ndim
                axis = {"first": 0, "last": n, "middle": (n + 1) // 2}[place]
                self.axes.append(axis)
                self.inputs.append(xp.asarray(np.stack(drawn, axis=axis)))
            for example, x in zip(self.examples, drawn, strict=True):
                example.append(xp.asarray(x))

    @cached_property
    def differentiable(self) -> list[int]:
        """The positions of inputs that are differentiated."""
        return [i for i, x in enumerate(self.inputs) if x.dtype.kind in "fc"]

    def f(self, *inputs: Any) -> tuple[Any, ...]:
        """The results of one example."""
        return self.case.outputs(*inputs)

    def number(self, *inputs: Any) -> Any:
        """A real number that depends on all results of one example."""
        total: Any = 0.0
        for k, y in enumerate(self.f(*inputs)):
            if y.dtype.kind in "fc":
                weight = np.cos(np.arange(y.size) + k).reshape(y.shape).astype(y.dtype)
                total = total + xp.sum(xp.real(xp.asarray(weight) * y))
        return total

    def _at(self, inputs: Sequence[Any]) -> tuple[Any, Any, Any]:
        """A function of the differentiated inputs alone, these, and directions."""
        places = self.differentiable

        def restricted(g: Function) -> Function:
            def function(*some: Any) -> Any:
                every = list(inputs)
                for i, x in zip(places, some, strict=True):
                    every[i] = x
                return g(*every)

            return function

        primals = tuple(inputs[i] for i in places)
        return restricted, primals, tuple(xp.ones_like(x) for x in primals)

    def gradient(self, *inputs: Any) -> Any:
        """The gradient of one example."""
        return autodiff.grad(self.number, tuple(self.differentiable))(*inputs)

    def tangent(self, *inputs: Any) -> Any:
        """The tangents of the results of one example."""
        restricted, primals, directions = self._at(inputs)
        return autodiff.jvp(restricted(self.f), primals, directions)[1]

    def curvature(self, *inputs: Any) -> Any:
        """The product of a Hessian of one example."""
        restricted, primals, directions = self._at(inputs)
        return autodiff.hvp(restricted(self.number), primals, directions)

    def compare(self, g: Function, tolerance: float) -> None:
        """Raise unless a function of a batch equals the stack of those of examples."""
        results = self.singles(g)
        found = tuple_of(xp.vmap(g, tuple(self.axes))(*self.inputs))
        self.close(found, [xp.stack(parts) for parts in results], tolerance)

    def singles(self, g: Function) -> list[Any]:
        """For each result of a function, those of single calls."""
        try:
            results = [tuple_of(g(*example)) for example in self.examples]
        except Exception as error:
            raise NothingToCompareError from error
        return list(zip(*results, strict=True))

    def close(self, found: Sequence[Any], expected: Sequence[Any], tolerance: float) -> None:
        """Raise unless tensors agree."""
        for x, y in zip(found, expected, strict=True):
            if (x.shape, x.dtype) != (y.shape, y.dtype):
                raise WrongError(f"{x.shape}, {x.dtype}; expected {y.shape}, {y.dtype}")
            a, b = x.numpy(), y.numpy()
            if a.dtype.kind not in "fc":
                if (a != b).any():
                    raise WrongError(f"{a}; expected {b}")
                continue
            single = a.dtype.itemsize <= 4 * (1 + (a.dtype.kind == "c")) or self.case.single
            scale = max(1.0, np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
            with np.errstate(all="ignore"):
                near = np.abs(a - b) <= (SINGLE if single else tolerance) * scale
            if not (near | (a == b) | (np.isnan(a) & np.isnan(b))).all():
                raise WrongError(f"{a}; expected {b}")

    # -- by name

    def values(self) -> None:
        """Check the values."""
        self.compare(self.f, VALUES)

    def gradients(self) -> None:
        """Check the gradients of each example, and those of a sum over the batch."""
        self.compare(self.gradient, DERIVATIVES)
        places = tuple(self.differentiable)

        def batch(*inputs: Any) -> Any:
            return xp.sum(xp.vmap(self.number, tuple(self.axes))(*inputs))

        def single(*inputs: Any) -> Any:
            total: Any = 0.0
            for i in range(SIZE):
                example = [
                    x if axis is None else x[(*(slice(None),) * axis, i)]
                    for x, axis in zip(inputs, self.axes, strict=True)
                ]
                total = total + self.number(*example)
            return total

        expected = autodiff.grad(single, places)(*self.inputs)
        self.close(autodiff.grad(batch, places)(*self.inputs), expected, DERIVATIVES)

    def tangents(self) -> None:
        """Check the tangents of each example."""
        self.compare(self.tangent, DERIVATIVES)

    def second(self) -> None:
        """Check products with Hessians of each example."""
        self.compare(self.curvature, DERIVATIVES)

    def nested(self) -> None:
        """Check a batch of batches, the second of which is in reverse order."""
        if self.shared:
            return
        inputs = [
            xp.stack([x, xp.flip(x, axis=a)]) for x, a in zip(self.inputs, self.axes, strict=True)
        ]
        found = tuple_of(xp.vmap(xp.vmap(self.f, tuple(self.axes)))(*inputs))
        first = [xp.stack(parts) for parts in self.singles(self.f)]
        expected = [xp.stack([y, xp.flip(y, axis=0)]) for y in first]
        self.close(found, expected, VALUES)


def tuple_of(x: Any) -> tuple[Any, ...]:
    """Results, as a tuple."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


#: The columns of the table.
CHECKS: dict[str, Callable[[Trial], None]] = {
    "values": Trial.values,
    "gradients": Trial.gradients,
    "tangents": Trial.tangents,
    "second order": Trial.second,
    "nested": Trial.nested,
}
