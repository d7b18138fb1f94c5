"""Which functions wait for a GPU or copy between it and the host; all others are shown not to.

`WAITS` is the table of `docs/waits.md`. Whatever is not in it is called, and differentiated in
both modes, on the emulated GPU, which counts.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from backends.emulated import counted, needs_emulation
from backends.gpu_cases import EXTRA, OTHERS, WITHOUT_TENSORS, generator, public

import arraygrad as xp
from arraygrad import autodiff, linalg, nn, optim, scipy
from conformance import gradient_cases
from conformance.gradient_cases import CASES
from conformance.gradients import Trial

DOCS = Path(__file__).parents[2] / "docs" / "waits.md"


# ---- the table


@dataclass(frozen=True)
class Row:
    """Something that waits or copies.

    Attributes
    ----------
    what, when, why : str
        The columns of the documentation: what is called, when it costs that, why it must.
    probe : function
        Calls it once with `inputs`; what is differentiated takes ``x`` as its argument.
    call, gradient : str
        What that costs, by itself and together with its gradient in reverse mode; without
        numbers where they depend on the arguments.
    cases : str
        A regular expression of the names of cases that may wait because of it.
    """

    what: str
    when: str
    why: str
    probe: Callable[..., Any]
    call: str = "1 download"
    gradient: str = "-"
    cases: str = ""


def assign(x: Any, key: Any, value: Any) -> Any:
    """A copy of `x` into which `value` has been written."""
    y = xp.asarray(x, copy=True)
    y[key] = value
    return y


def minimize(t: Any) -> Any:
    """Two steps of SciPy's."""
    return optim.minimize(lambda x: xp.sum((x - 1) ** 2), t.vector, options={"maxiter": 2})


SHAPE = "The number of selected elements determines the shape of the result."
UNIQUE = "The number of distinct values determines the shapes of the results."
HOST = "The host needs the value."

WAITS = [
    Row(
        "`x[key]`", "`key` contains a mask", SHAPE,
        lambda t, x: x[t.mask],
        gradient="1 download",
        cases=r"__getitem__-.*(mask|condition)|nonzero-",
    ),
    Row(
        "`x[key]`", "`key` is a 0-d mask", SHAPE + " (The gradient selects again.)",
        lambda t, x: x[t.flag],
        gradient="2 downloads",
    ),
    Row(
        "`x[key]`, `x[key] = value`", "`key` contains a list or a range",
        "The indices come from the host; convert them to a tensor once to avoid this.",
        lambda t, x: x[[0, 1]],
        call="1 upload",
        gradient="2 uploads",
    ),
    Row(
        "`x[key] = value`",
        "`key` is a mask and `value` is not 0-d, or `key` contains a mask and other indices",
        "The number of selected elements determines where each element of `value` goes; the "
        "gradient selects again. (A mask alone with a 0-d value needs no count.)",
        lambda t, x: assign(x, t.mask, x[0, 0] * t.selected),
        gradient="2 downloads",
        cases=r"__setitem__-.*mask",
    ),
    Row(
        "`nonzero`", "always", "The number of nonzero elements determines the shape.",
        lambda t: xp.nonzero(t.mask),
        cases="nonzero-",
    ),
    Row(
        "`unique_all`", "always", UNIQUE,
        lambda t, x: xp.unique_all(x)[0],
        gradient="1 download",
        cases="unique_all-",
    ),
    *(
        Row(
            f"`{function.__name__}`", "always",
            UNIQUE + " The gradient needs the indices of the values, from `unique_all`.",
            lambda t, x, f=function: first(f(x)),
            gradient="2 downloads",
            cases=f"{function.__name__}-",
        )
        for function in (xp.unique_counts, xp.unique_inverse, xp.unique_values)
    ),
    Row(
        "`repeat`", "`repeats` is a tensor", "The sum of the repeats determines the shape.",
        lambda t, x: xp.repeat(x, t.integers[:4], axis=0),
        gradient="1 download",
        cases="repeat-.*count",
    ),
    Row(
        "`linalg.eigh`, `linalg.svd`", "when differentiated",
        "Equal values need a different derivative, so the rule checks once for equal values.",
        lambda t, x: linalg.eigh(x[:, :4] @ x[:, :4].mT)[0],
        call="none",
        gradient="1 download",
        cases=r"linalg\.(eigh|svd)-",
    ),
    *(
        Row(
            f"`{function.__name__}`", "of floating-point numbers",
            "It raises if all elements are NaN.",
            lambda t, f=function: f(t.x),
            cases=f"{function.__name__}-",
        )
        for function in (xp.nanargmax, xp.nanargmin)
    ),
    Row(
        "`concat`, `stack`", "of more than 8 small tensors",
        "One kernel copies all of them, and needs their addresses (8 bytes each). This is faster "
        "than one kernel for each. (During graph capture there is no upload.)",
        lambda t, x: xp.concat([x] * 20),
        call="1 upload",
        gradient="1 upload",
    ),
    Row(
        "`concat`", "of more than 8 small tensors of different sizes",
        "The kernel also needs the sizes.",
        lambda t, x: xp.concat([x, *[t.x[1:]] * 20]),
        call="3 uploads",
        gradient="3 uploads",
    ),
    Row(
        "`asarray`", "of lists, NumPy arrays and tensors on the CPU",
        "The data is on the host. (A single number is passed with the kernel launch.)",
        lambda t: xp.asarray([1.0, 2.0], device="cuda"),
        call="1 upload",
    ),
    Row(
        "`x.to_device`", "from the CPU to a GPU", "This is its purpose.",
        lambda t: t.on_host.to_device("cuda"),
        call="1 upload",
    ),
    Row(
        "`x.to_device`, `from_dlpack`, `x.__dlpack__`", "from a GPU to the CPU",
        "This is their purpose.",
        lambda t: t.vector.to_device("cpu"),
    ),
    *(
        Row(what, "always", HOST, probe)
        for what, probe in {
            "`x.item()`, `x.tolist()`, `x.numpy()`": lambda t: t.number.item(),
            "`bool(x)`, and therefore `if x:` and `x in y`": lambda t: bool(t.number),
            "`int(x)`, `float(x)`, `complex(x)`, `x` as an index of a list":
                lambda t: operator.index(t.integer),
            "`repr(x)`, `str(x)`, `print(x)`, `f\"{x}\"`, pickles": lambda t: repr(t.x),
        }.items()
    ),
    Row(
        "`Generator.state`", "always", "The state is a Python object.",
        lambda t: t.rng.state,
    ),
    Row(
        "`Generator.choice`", "with `p`", "It raises if `p` is not a valid distribution.",
        lambda t: t.rng.choice(3, size=3, p=t.probabilities),
    ),
    Row(
        "`Generator.choice`", "with `p`, several without replacement",
        "It also raises if `p` has too few nonzero elements.",
        lambda t: t.rng.choice(3, size=2, p=t.probabilities, replace=False),
        call="2 downloads",
    ),
    Row(
        "`nn.save`, `nn.load`", "always", "The host writes and reads files.",
        lambda t: nn.save({"x": t.vector}, t.file),
    ),
    Row(
        "`optim.clip_grad_norm_`", "with `error_if_nonfinite`",
        "It raises if the norm is infinite or NaN.",
        lambda t: optim.clip_grad_norm_([t.vector], 1e9, error_if_nonfinite=True),
    ),
    Row(
        "`optim.ReduceLROnPlateau.step`", "of a tensor", "The host compares the losses.",
        lambda t: t.plateau.step(t.number),
    ),
    Row(
        "`allclose`", "always", HOST, lambda t: xp.allclose(t.vector, t.vector),
    ),
    Row(
        "`scipy.linalg.expm`", "always", "CuPy's function scales the matrix by its norm.",
        lambda t, x: scipy.linalg.expm(x[:, :4]),
        call="2 downloads, 1 upload",
        gradient="4 downloads, 2 uploads",
        cases=r"scipy\.linalg\.expm-",
    ),
    Row(
        "`scipy.ndimage.gaussian_...`", "each axis", "The host computes the weights.",
        lambda t, x: scipy.ndimage.gaussian_filter1d(x, 1.0),
        call="1 upload",
        gradient="2 uploads",
        cases=r"scipy\.ndimage\.gaussian_",
    ),
    Row(
        "`scipy.ndimage.spline_filter`, `map_coordinates`, `affine_transform`, `rotate`, `shift`, "
        "`zoom`", "each axis, for `order` > 1",
        "The host passes the coefficients of the filter. (`rotate` by a tensor also downloads it.)",
        lambda t, x: scipy.ndimage.spline_filter1d(x),
        call="1 upload",
        gradient="2 uploads",
        cases=r"scipy\.ndimage\.(spline|map_coordinates|affine_transform|rotate|shift|zoom)",
    ),
    Row(
        "`scipy.signal.savgol_filter`", "always", "The host fits the polynomials.",
        lambda t, x: scipy.signal.savgol_filter(x, 3, 1),
        call="3 uploads",
        gradient="3 uploads",
        cases=r"scipy\.signal\.savgol_filter",
    ),
    Row(
        "`scipy.signal.welch`, `csd`, `periodogram`", "`window` is not a tensor",
        "SciPy computes the window on the host.",
        lambda t, x: scipy.signal.welch(x, nperseg=4)[1],
        call="1 upload",
        gradient="1 upload",
        cases=r"scipy\.signal\.(welch|csd|periodogram)",
    ),
    Row(
        "`scipy.interpolate.make_interp_spline`", "when differentiated, of degree 4 or 5",
        "Its rule stacks more than 8 diagonals.",
        lambda t, x: scipy.interpolate.make_interp_spline(x[0, :] + 2, x[1, :], 4).c,
        call="none",
        gradient="3 uploads",
        cases=r"scipy\.interpolate\.make_interp_spline-(periodic, )?degree [45]",
    ),
    Row(
        "`scipy.interpolate.RegularGridInterpolator`", "with `bounds_error`",
        "It raises if a place is outside of the grid.",
        lambda t, x: scipy.interpolate.RegularGridInterpolator((t.vector,), x[0, :])(t.vector),
        gradient="1 download",
        cases=r"scipy\.interpolate\.RegularGridInterpolator",
    ),
    Row(
        "`scipy.stats`", "`logcdf`, `logsf` of `gamma`, `chi2`, `beta`, `poisson`, `binom`",
        "It computes a long series only if a probability underflows.",
        lambda t, x: scipy.stats.gamma.logsf(x * x + 1, 2.0),
        gradient="1 download",
        cases=r"scipy\.stats\.\w+-log[cs]",
    ),
    Row(
        "`optim.minimize`", "each evaluation", "SciPy's minimisers run on the host.",
        minimize,
        call="downloads, uploads",
    ),
    Row(
        "`autodiff.debug_nans`", "each operation inside the block", "It raises at the first NaN.",
        lambda t: nan_checked(t.vector),
    ),
    Row(
        "`autodiff.check_grads`", "always", "The host compares the derivatives.",
        lambda t: autodiff.check_grads(xp.sin, (t.number,)),
        call="downloads",
    ),
]  # fmt: skip


def first(found: Any) -> Any:
    """The values among the results of a set function."""
    return found[0] if isinstance(found, tuple) else found


def nan_checked(x: Any) -> Any:
    with autodiff.debug_nans():
        return x + 1.0


# ---- the tests


@pytest.fixture(autouse=True)
def constants(monkeypatch):
    """Have the constants of cases made once, as each is an upload that is not the function's."""
    make = gradient_cases.const
    made = {}

    def once(x, values, dtype=None):
        key = repr(values), dtype, x.device
        if key not in made:
            made[key] = make(x, values, dtype)
        return made[key]

    monkeypatch.setattr(gradient_cases, "const", once)


@pytest.fixture
def t(tmp_path):
    """Tensors on the GPU for the probes, and one on the CPU."""
    with xp.default_device("cuda"):
        x = xp.reshape(xp.linspace(-1.0, 1.0, 20), (4, 5))
        mask = x > 0
        weights = [autodiff.variable(xp.ones(2))]
        return SimpleNamespace(
            x=x,
            mask=mask,
            flag=xp.asarray(True),
            selected=x[mask],
            vector=x[0] + 2.0,
            number=x[0, 0] + 1.5,
            integers=xp.asarray([2, 0, 1, 3]),
            integer=xp.asarray(2),
            probabilities=xp.asarray([0.2, 0.3, 0.5]),
            on_host=xp.ones(3, device="cpu"),
            rng=generator(),
            file=tmp_path / "tensors",
            plateau=optim.ReduceLROnPlateau(optim.SGD(weights, lr=0.1)),
        )


def gradient(function):
    """A function that computes the gradient of another."""

    def run(x):
        out, pullback = autodiff.vjp(function, x)
        pullback(out)

    return run


@needs_emulation
@pytest.mark.parametrize("row", WAITS, ids=lambda row: f"{row.what} {row.when}")
def test_the_table_is_right(row, t):
    if row.gradient == "-":
        found = counted(row.probe, t)
        assert row.call in (found, re.sub(r"\d+ ", "", found))
    else:
        assert counted(row.probe, t, t.x) == row.call
        assert counted(gradient(lambda x: row.probe(t, x)), t.x) == row.gradient


def may_cost(name):
    """Whether a case may wait, itself and in differentiation, by the table."""
    rows = [row for row in WAITS if row.cases and re.match(row.cases, name)]
    return any(row.call != "none" for row in rows), bool(rows)


BY_FUNCTION: dict[str, list[Any]] = {}
for case in (*CASES, *EXTRA):
    BY_FUNCTION.setdefault(case.function, []).append(case)


@needs_emulation
@pytest.mark.parametrize("function", BY_FUNCTION)
def test_all_others_neither_wait_nor_copy(function):
    for case in BY_FUNCTION[function]:
        try:
            trial = Trial(case, "cuda")
        except TypeError:  # CuPy lacks some, or for complex numbers, and says so
            assert function.startswith(("special.", "scipy."))
            continue

        def reverse(*xs, trial=trial):
            _, pullback = autodiff.vjp(trial.f, *xs)
            pullback(trial.cotangents)

        def forward(*xs, trial=trial):
            autodiff.jvp(trial.f, xs, trial.direction)

        itself, derivatives = may_cost(case.name)
        found = {}
        if not itself:
            found["call"] = counted(case.outputs, *trial.inputs)
        if not derivatives:
            found["reverse"] = counted(reverse, *trial.inputs)
            found["forward"] = counted(forward, *trial.inputs)
        assert set(found.values()) <= {"none"}, (case.name, found)


@needs_emulation
@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_gradient_neither_waits_nor_copies(name):
    with xp.default_device("cuda"):
        assert counted(OTHERS[name]) == "none"


# ---- what is counted once is counted right


MASKS = {
    "(2, 3)": lambda m: m,
    "of rows": lambda m: m[:, 0],
    "of columns": lambda m: (..., m[0]),
    "and None": lambda m: (None, slice(None), m[0], None),
    "and int": lambda m: (1, m[0]),
    "and integers": lambda m: (xp.asarray([0, 1], device=m.device), m[0]),
    "two": lambda m: (m[:, 0], m[0, 1:]),
}


@pytest.mark.cuda
@pytest.mark.parametrize("label", MASKS)
def test_a_recorded_tensor_is_indexed_as_any_other(label):
    mask = xp.asarray([[True, False, True], [False, True, True]], device="cuda")
    x = xp.reshape(xp.arange(6.0, device="cuda"), (2, 3))
    key = MASKS[label](mask)
    try:
        expected = x[key]
    except IndexError:
        with pytest.raises(IndexError):
            autodiff.variable(x)[key]
        return
    found = autodiff.variable(x)[key].detach()
    assert (found.shape, found.tolist()) == (expected.shape, expected.tolist())


@pytest.mark.cuda
@pytest.mark.parametrize("shape", [(3,), (2, 2), (1, 3), (2, 3, 1)])
def test_a_mask_that_does_not_fit_raises_while_recording(shape):
    x = autodiff.variable(xp.ones((2, 3), device="cuda"))
    mask = xp.ones(shape, dtype=xp.bool, device="cuda")
    for key in (mask, (None, mask), (mask, ...)):
        with pytest.raises(IndexError):
            x[key]


ARRAYS = [
    np.zeros((0, 3)),
    np.array(3.0),
    np.array([np.nan, 1.0, np.nan, 0.0, -0.0, 1.0]),
    np.array([[3, 1], [2, 3]]),
    np.array([True, False, True]),
    np.array([1 + 1j, 1 - 1j, 1 + 1j]),
]


@pytest.mark.cuda
@pytest.mark.parametrize("x", ARRAYS, ids=repr)
@pytest.mark.parametrize("name", ["unique_all", "unique_counts"])
def test_distinct_values_are_those_of_the_cpu(name, x):
    found, expected = (getattr(xp, name)(xp.asarray(x, device=d)) for d in ("cuda", "cpu"))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())


# ---- the table is complete


def test_nothing_public_is_forgotten():
    tried = {case.function for case in (*CASES, *EXTRA)} | {name.split()[0] for name in OTHERS}
    in_the_table = set(re.findall(r"[\w.]+", " ".join(row.what for row in WAITS)))
    assert not sorted(public() - tried - in_the_table - WITHOUT_TENSORS)
    assert not sorted(WITHOUT_TENSORS - public())


HEAD = ["What", "When", "Itself", "With its gradient", "Why"]


def test_the_documentation_has_the_table():
    rows = [[row.what, row.when, row.call, row.gradient, row.why] for row in WAITS]
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    assert table in DOCS.read_text(), f"the table in {DOCS.name} should be\n\n{table}"
