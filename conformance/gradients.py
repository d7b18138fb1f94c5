"""Checks the derivatives of every function of the standard, `special` and `scipy`; writes a table.

Each case is differentiated in reverse and forward mode and to second order, and compared with
finite differences.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff._rules import RULES

from .gradient_cases import CASES, WITHOUT_DERIVATIVE, Case, rule_name, standard_names
from .official import versions
from .report import REPORTS, SetupError, path_of, place, table, write

Function = Callable[..., Any]

#: The coverage table.
COVERAGE = Path(__file__).parents[1] / "docs" / "gradient-coverage.md"
#: The outcome of a check that raised where it is allowed to.
REFUSED = "refused"
#: Tolerances, relative to the largest compared number, or absolute if it is less than 1.
EXACT, DIFFERENCES = 1e-10, 1e-7
SINGLE_EXACT, SINGLE_DIFFERENCES = 1e-4, 1e-3


class WrongError(AssertionError):
    """A derivative is wrong."""


# ---- the command


def add_parser(subjects: Any) -> None:
    """Add ``gradients`` to the command line."""
    parser = subjects.add_parser(
        "gradients", help="derivatives of every function", description=__doc__
    )
    add = parser.add_argument
    add("functions", nargs="*", metavar="FUNCTION", help="check only these, without a report")
    add("--device", default="cpu", help="where to compute (cpu)")
    add("--report", type=Path, metavar="FILE",
        help="the table to write (for the CPU, that of the documentation)")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check all cases, write the table, and say whether all are right."""
    where = place(args.device)
    device = xp.Device(args.device)
    if unknown := set(args.functions) - {case.function for case in CASES}:
        raise SetupError(f"there are no cases of {', '.join(sorted(unknown))}")
    results: dict[str, list[tuple[Case, dict[str, str]]]] = {}
    for case in CASES:
        if not args.functions or case.function in args.functions:
            results.setdefault(case.function, []).append((case, outcomes(case, device)))
    wrong = {
        case.name: {check: why for check, why in found.items() if why not in ("", REFUSED)}
        for cases in results.values()
        for case, found in cases
    }
    wrong = {name: why for name, why in wrong.items() if why}
    if not args.functions:
        path = args.report or path_of(REPORTS, "gradients", where)
        page = args.report or (COVERAGE if where == "cpu" else path.with_suffix(".md"))
        write(page, markdown(where, results))
        content = figures(args.device, results) | {"wrong": wrong}
        write(path.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
        print(f"table: {page}")
    for name, why in wrong.items():
        for check, text in why.items():
            print(f"wrong: {name}: {check}: {text}")
    missing = undeclared()
    for name in missing:
        print(f"missing: {name} has neither cases nor a declaration")
    count = sum(map(len, results.values()))
    print(f"{count} cases of {len(results)} functions and operators, {len(wrong)} wrong")
    return 1 if wrong or missing else 0


def outcomes(case: Case, device: Any) -> dict[str, str]:
    """For each check, the reason why the case fails; empty if it passes."""
    try:
        trial = Trial(case, device)
    except Exception as error:
        # CuPy lacks some functions of SciPy, or their complex versions.
        lacking = device.type == "cuda" and case.function.startswith(("special.", "scipy."))
        why = REFUSED if lacking and isinstance(error, TypeError) else _said(error)
        return dict.fromkeys(CHECKS, why)
    found = {}
    for check in CHECKS:
        try:
            CHECKS[check](trial)
            found[check] = REFUSED if check == "second order" and trial.refused else ""
        except Exception as error:
            found[check] = _said(error)
    return found


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def figures(device: str, results: dict[str, list[tuple[Case, dict[str, str]]]]) -> dict[str, Any]:
    """The numbers of cases that pass each check, for the page of all reports."""
    found = [checks for cases in results.values() for _, checks in cases]
    counts = {}
    for check in CHECKS:
        whys = [checks[check] for checks in found]
        right, refused = whys.count(""), whys.count(REFUSED)
        counts[check] = {"right": right, "refused": refused, "wrong": len(whys) - right - refused}
    return {
        "device": place(device),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(device),
        "platform": f"{platform.system()} {platform.machine()}",
        "functions": len(results),
        "cases": len(found),
        "not differentiable": sum(bool(refusal(name)) for name in standard_names()),
        "checks": counts,
    }


def undeclared() -> list[str]:
    """The names of the standard that have neither cases nor a declaration."""
    with_cases = {case.function for case in CASES}
    return [
        name
        for name in standard_names()
        if name not in with_cases and name not in WITHOUT_DERIVATIVE and not refusal(name)
    ]


def refusal(function: str) -> str:
    """The reason why a function is declared not differentiable, or an empty string."""
    rule = RULES.get(rule_name(function))
    return rule.refused if rule else ""


def kind_of_rule(function: str) -> str:
    """How a function is differentiated."""
    rule = RULES.get(rule_name(function))
    if rule is None:
        return "composed"
    if rule.refused:
        return "none"
    if not (rule.vjps or rule.joint_vjp or rule.prepare or rule.handler):
        return "zero"
    without = [r for r in (getattr(jvp, "refused", "") for jvp in rule.jvps) if r]
    return "rule" + (f", not for {' or '.join(without)}" if without else "")


HEAD = [
    "Function",
    "Derivative",
    "Cases",
    "Reverse",
    "Forward",
    "Second order",
    "Single",
    "Complex",
]


def markdown(device: str, results: dict[str, list[tuple[Case, dict[str, str]]]]) -> str:
    """The table, and the functions without a derivative."""
    order = {name: i for i, name in enumerate(standard_names())}
    rows = []
    for function in sorted(results, key=lambda f: order.get(f, len(order))):
        cases = results[function]
        complex_ = [found for case, found in cases if case.kind == "c"]
        rows.append([
            f"`{function}`",
            kind_of_rule(function),
            len(cases),
            *(_count([found[check] for _, found in cases]) for check in CHECKS),
            _count(["" if _right(found) else "wrong" for found in complex_]) if complex_ else "-",
        ])  # fmt: skip
    others = [
        [f"`{name}`", "not differentiable: " + refusal(name)] for name in order if refusal(name)
    ]
    others += [[f"`{name}`", why] for name, why in WITHOUT_DERIVATIVE.items()]
    right = sum(_right(found) for cases in results.values() for _, found in cases)
    total = sum(map(len, results.values()))
    return "\n\n".join([
        "# Coverage of gradients",
        f"`python -m conformance gradients` writes this page. On `{device}`, {right} of {total} "
        f"cases are right, for {len(results)} functions, attributes and operators of the standard "
        "and functions of `special` and `scipy`. A case is a function with shapes, parameters and "
        "inputs around which it is smooth. Cases of decompositions do not depend on the choice of "
        "vectors.",
        "- Derivative. *Rule*: the function has a rule. *Composed*: it calls functions that have "
        "rules. *Zero*: it is declared to be piecewise constant. *Not for a*: the derivative with "
        "respect to the operand a raises.\n"
        "- Reverse, Forward. Under differentiation, the value is bitwise the same, and the "
        f"derivative agrees with extrapolated central differences within {DIFFERENCES:.0e} "
        f"({SINGLE_DIFFERENCES:.0e} for results in single precision). Reverse mode is checked with "
        "`vjp` and with `backward`, and agrees with the transpose of forward mode within "
        f"{EXACT:.0e}.\n"
        "- Second order. Forward over reverse agrees with differences of gradients. Reverse over "
        "reverse, reverse over forward and forward over forward give the same. *Refused*: the "
        "second derivative raises at equal eigenvalues or singular values, or CuPy lacks the "
        "function.\n"
        "- Single. In single precision, the derivatives agree with those in double precision, and "
        "have the dtypes of the inputs.\n"
        "- Complex. The same checks for complex inputs. A dash means that the standard defines the "
        "function only for real ones.",
        table(HEAD, rows),
        "## Without a derivative",
        table(["Function", "Reason"], others),
    ]) + "\n"  # fmt: skip


def _right(found: dict[str, str]) -> bool:
    return all(why in ("", REFUSED) for why in found.values())


def _count(whys: list[str]) -> str:
    refused, right = whys.count(REFUSED), whys.count("")
    others = f", {refused} refused" if refused else ""
    total = len(whys) - refused
    return (f"{right} of {total}" if right < total else f"all {right}") + others


# ---- comparisons


def close(what: str, found: Any, expected: Any, tolerance: float) -> None:
    """Raise unless two arrays agree."""
    found, expected = _array(found), _array(expected)
    if found.shape != expected.shape:
        raise WrongError(f"{what}: shape {found.shape}; expected {expected.shape}")
    if not found.size:
        return
    error = np.max(np.abs(found - expected))
    scale = max(1.0, np.max(np.abs(expected)))
    if not error <= tolerance * scale:
        raise WrongError(f"{what}: off by {error:.1e}: {found}; expected {expected}")


def _array(x: Any) -> Any:
    return x.numpy() if isinstance(x, xp.Tensor) else np.asarray(x)


def _product(a: Iterable[Any], b: Iterable[Any]) -> tuple[float, float]:
    """The real inner product, and the sum of the absolute values of its terms."""
    products = [np.real(np.conj(_array(x)) * _array(y)) for x, y in zip(a, b, strict=True)]
    return float(sum(p.sum() for p in products)), float(sum(np.abs(p).sum() for p in products))


def same_products(
    what: str, a: Sequence[Any], b: Sequence[Any], c: Sequence[Any], d: Sequence[Any], tol: float
) -> None:
    """Raise unless <a, b> is <c, d>."""
    left, size1 = _product(a, b)
    right, size2 = _product(c, d)
    if not abs(left - right) <= tol * max(1.0, size1, size2):
        raise WrongError(f"{what}: {left!r} is not {right!r}")


def alike(what: str, found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Raise unless the tensors have the same shapes, dtypes and devices."""
    for x, y in zip(found, expected, strict=True):
        is_, should = (x.shape, x.dtype, x.device), (y.shape, y.dtype, y.device)
        if is_ != should:
            raise WrongError(f"{what}: {is_}; expected {should}")


def slopes(f: Function, inputs: Sequence[Any], direction: Sequence[Any], h: float) -> list[Any]:
    """The derivative of `f` in a direction, by central differences.

    Three step sizes, extrapolated to zero: the error is of the order of h**6.
    """

    def difference(h: float) -> list[Any]:
        ends = []
        for sign in (h, -h):
            moved = [
                xp.asarray(_array(x) + sign * _array(t), device=x.device)
                for x, t in zip(inputs, direction, strict=True)
            ]
            ends.append([_array(y) for y in f(*moved)])
        return [(a - b) / (2 * h) for a, b in zip(*ends, strict=True)]

    steps = zip(difference(h), difference(h / 2), difference(h / 4), strict=True)
    return [(64 * c - 20 * b + a) / 45 for a, b, c in steps]


# ---- the checks of one case


class Trial:
    """A case with its inputs, a direction to move them in, and cotangents of its results."""

    def __init__(self, case: Case, device: Any = None, *, single: bool = False) -> None:
        self.case, self.device = case, device
        #: Whether second derivatives were refused, as they may be at equal eigenvalues.
        self.refused = False
        self.inputs = case.inputs(device, single=single)
        self.outside = case.outputs(*self.inputs)
        #: Which results have derivatives.
        self.kept = [i for i, y in enumerate(self.outside) if y.dtype.kind in "fc"]
        self.expected = [self.outside[i] for i in self.kept]
        rng = case.rng("directions")
        self.direction = [_random(rng, x) for x in self.inputs]
        self.cotangents = tuple(_random(rng, y) for y in self.expected)
        loose = single or case.single
        self.exact = SINGLE_EXACT if loose else EXACT
        self.differences = SINGLE_DIFFERENCES if loose else DIFFERENCES
        self.step = 0.05 if loose else 0.004

    def f(self, *inputs: Any) -> tuple[Any, ...]:
        """The results that have derivatives."""
        out = self.case.outputs(*inputs)
        return tuple(out[i] for i in self.kept)

    @cached_property
    def slope(self) -> list[Any]:
        """The derivative in the direction, by differences."""
        return slopes(self.f, self.inputs, self.direction, self.step)

    @cached_property
    def pushed(self) -> tuple[Any, ...]:
        """The values and the derivatives by forward mode."""
        return autodiff.jvp(self.f, self.inputs, self.direction)

    @cached_property
    def pulled(self) -> tuple[Any, ...]:
        """The values and the gradients by reverse mode."""
        out, pullback = autodiff.vjp(self.f, *self.inputs)
        return out, pullback(self.cotangents)

    def forward(self) -> None:
        """Check the values and the derivatives of forward mode."""
        self.forward_values()
        for found, slope in zip(self.pushed[1], self.slope, strict=True):
            close("forward mode", found, slope, self.differences)

    def forward_values(self) -> None:
        """Check that forward mode returns bitwise the same values, and tangents like them."""
        self._same_value("forward", self.pushed[0])
        alike("tangents", self.pushed[1], self.expected)

    def reverse(self) -> None:
        """Check that reverse mode, by `vjp` and by `backward`, is the transpose of forward mode."""
        self.reverse_values()
        same_products(
            "reverse mode", self.cotangents, self.slope, self.pulled[1], self.direction,
            self.differences,
        )  # fmt: skip
        self.agreement()
        variables = [autodiff.variable(x) for x in self.case.inputs(self.device)]
        for y, g in zip(self.f(*variables), self.cotangents, strict=True):
            if isinstance(y, xp.Tensor) and y.requires_grad:
                y.backward(g, retain_graph=True)
        for v, g in zip(variables, self.pulled[1], strict=True):
            close("backward", xp.zeros_like(g) if v.grad is None else v.grad, g, self.exact)

    def reverse_values(self) -> None:
        """Check that reverse mode returns bitwise the same values, and gradients like inputs."""
        self._same_value("reverse", self.pulled[0])
        alike("gradients", self.pulled[1], self.inputs)

    def _same_value(self, mode: str, found: Sequence[Any]) -> None:
        alike(f"value in {mode} mode", found, self.expected)
        for x, y in zip(found, self.expected, strict=True):
            if self.case.equal:
                close(f"value in {mode} mode", x, y, self.exact)
            elif _array(x).tobytes() != _array(y).tobytes():
                raise WrongError(f"value in {mode} mode: {x}; outside {y}")

    def agreement(self) -> None:
        """Check that each mode is the transpose of the other."""
        same_products(
            "forward and reverse mode", self.cotangents, self.pushed[1], self.pulled[1],
            self.direction, self.exact,
        )  # fmt: skip

    def gradient(self, *inputs: Any) -> list[Any]:
        """The gradients, also where they are constant as functions of the inputs."""
        _, pullback = autodiff.vjp(self.f, *inputs)
        pulled = pullback(self.cotangents)
        return [g + 0 * x for g, x in zip(pulled, inputs, strict=True)]

    def slope_of(self, *inputs: Any) -> Any:
        """The product of cotangents and forward mode's derivative: one real number."""
        _, pushed = autodiff.jvp(self.f, inputs, self.direction)
        parts = [
            xp.sum(xp.real(xp.conj(g) * y)) for g, y in zip(self.cotangents, pushed, strict=True)
        ]
        return sum(parts) + sum(0 * xp.sum(xp.real(x)) for x in inputs)

    def weighted(self, *inputs: Any) -> Any:
        """The product of cotangents and the function: one real number."""
        parts = [
            xp.sum(xp.real(xp.conj(g) * y))
            for g, y in zip(self.cotangents, self.f(*inputs), strict=True)
        ]
        return sum(parts) + sum(0 * xp.sum(xp.real(x)) for x in inputs)

    def second(self) -> None:
        """Check second derivatives: all combinations of modes, and differences of the gradient."""
        try:
            self._second()
        except autodiff.NotDifferentiableError:
            if not self.case.equal:
                raise
            self.refused = True

    def _second(self) -> None:
        _, curved = autodiff.jvp(self.gradient, self.inputs, self.direction)
        alike("forward over reverse", curved, self.inputs)
        expected = slopes(self.gradient, self.inputs, self.direction, self.step)
        for found, e in zip(curved, expected, strict=True):
            close("forward over reverse", found, e, 10 * self.differences)
        _, pullback = autodiff.vjp(self.gradient, *self.inputs)
        for found, e in zip(pullback(list(self.direction)), curved, strict=True):
            close("reverse over reverse", found, e, 10 * self.exact)
        over = autodiff.grad(self.slope_of, tuple(range(len(self.inputs))))(*self.inputs)
        for found, e in zip(over, curved, strict=True):
            close("reverse over forward", found, e, 10 * self.exact)
        product = autodiff.hvp(self.weighted, tuple(self.inputs), tuple(self.direction))
        product = product if isinstance(product, tuple) else (product,)
        for found, e in zip(product, curved, strict=True):
            close("reverse, recorded itself", found, e, 10 * self.exact)
        _, twice = autodiff.jvp(self.slope_of, self.inputs, self.direction)
        one = xp.ones_like(twice)
        same_products("forward over forward", [one], [twice], curved, self.direction,
                      10 * self.exact)  # fmt: skip

    def single(self) -> None:
        """Check that single precision agrees with double precision up to rounding."""
        single_precision(self.case, self.device)


#: The columns of the table.
CHECKS: dict[str, Callable[[Trial], None]] = {
    "reverse": Trial.reverse,
    "forward": Trial.forward,
    "second order": Trial.second,
    "single": Trial.single,
}


def single_precision(case: Case, device: Any = None) -> None:
    """Raise unless the result in single precision agrees with that in double precision."""
    trial, double = Trial(case, device, single=True), Trial(case, device)
    trial.forward_values()
    trial.reverse_values()
    trial.agreement()
    double.inputs = [
        xp.astype(x, xp.complex128 if x.dtype.kind == "c" else xp.float64) for x in trial.inputs
    ]
    double.direction, double.cotangents = trial.direction, trial.cotangents
    for found, expected in zip(trial.pushed[1], double.pushed[1], strict=True):
        close("forward mode", found, expected, SINGLE_DIFFERENCES)
    for found, expected in zip(trial.pulled[1], double.pulled[1], strict=True):
        close("reverse mode", found, expected, SINGLE_DIFFERENCES)
    if not case.equal:
        _, curved = autodiff.jvp(trial.gradient, trial.inputs, trial.direction)
        alike("second derivatives", curved, trial.inputs)


def _random(rng: np.random.Generator, like: Any) -> Any:
    """Numbers between -1 and 1, of the shape, dtype and device of a tensor."""
    x = rng.uniform(-1, 1, like.shape)
    if like.dtype.kind == "c":
        x = (x + 1j * rng.uniform(-1, 1, like.shape)) / 2
    return xp.astype(xp.asarray(x, device=like.device), like.dtype)
