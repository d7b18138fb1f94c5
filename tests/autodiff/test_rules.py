"""The rules, by function: all cases of the table of gradients, and shapes that Hypothesis draws."""

import inspect
import json
import math
import re
from operator import attrgetter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import arraygrad
import arraygrad as xp
from arraygrad import autodiff
from arraygrad.autodiff import NotDifferentiableError, grad, jvp, variable
from arraygrad.autodiff._rules import RULES, SAVE_TENSOR
from arraygrad.autodiff._transpose import define
from conformance import gradients
from conformance.gradient_cases import (
    CASES,
    WITHOUT_DERIVATIVE,
    Case,
    between,
    distinct,
    nonzero,
    normal,
    positive,
    rule_name,
    standard_names,
    within,
)
from conformance.gradients import Trial, WrongError


def test_an_operation_without_a_rule_is_refused_by_name():
    def f(x):
        return arraygrad.sum(arraygrad.astype(x.view(arraygrad.int64), arraygrad.float64))

    for differentiate in (grad(f), lambda x: jvp(f, (x,), (x,)), lambda x: f(variable(x))):
        with pytest.raises(NotDifferentiableError, match=r"view: .* no rule"):
            differentiate(arraygrad.ones(3))


WITH_CASES = {case.function for case in CASES}


def all_cases(cases=CASES):
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in cases])


# ---- the table


@all_cases()
def test_first_derivatives(case):
    trial = Trial(case)
    trial.forward()
    trial.reverse()


@all_cases()
def test_second_derivatives(case):
    Trial(case).second()


@all_cases()
def test_single_precision(case):
    Trial(case).single()


@pytest.mark.parametrize("device", ["strict:1", pytest.param("cuda", marks=pytest.mark.cuda)])
@pytest.mark.parametrize("name", sorted(WITH_CASES))
def test_devices_agree(name, device):
    for case in CASES:
        if case.function == name:
            try:
                compare_devices(case, device)
            except Exception as error:
                error.add_note(f"in the case {case.name}")
                raise


def compare_devices(case, device):
    try:
        case.outputs(*case.inputs(device))
    except (TypeError, ValueError):
        # The one refuses what is outside the standard; CuPy lacks functions of SciPy, some of them
        # for complex numbers alone.
        assert device.startswith("strict") or case.function.startswith(("special.", "scipy."))
        return
    trial, cpu = Trial(case, device), Trial(case)
    trial.forward_values()
    trial.reverse_values()
    trial.agreement()
    if not case.equal:  # there forward mode's vectors are others
        for found, expected in zip(trial.pushed[1], cpu.pushed[1], strict=True):
            gradients.close("forward mode", found, expected, trial.exact)
    for found, expected in zip(trial.pulled[1], cpu.pulled[1], strict=True):
        gradients.close("reverse mode", found, expected, trial.exact)


def test_the_table_is_large_and_its_names_differ():
    assert len({case.name for case in CASES}) == len(CASES) >= 450
    assert len(WITH_CASES) >= 124
    assert {case.kind for case in CASES} == {"f", "c"}


@all_cases([c for c in CASES if c.label in ("x[mask] *= 2", "several writes")])
def test_cases_leave_their_inputs_alone(case):
    inputs = case.inputs()
    case.outputs(*inputs)
    for x, y in zip(inputs, case.inputs(), strict=True):
        assert x.numpy().tobytes() == y.numpy().tobytes()


# ---- nothing is missing


@pytest.mark.parametrize("name", standard_names())
def test_every_name_of_the_standard_has_a_rule_or_a_declaration(name):
    rule = RULES.get(rule_name(name))
    if name in WITHOUT_DERIVATIVE:
        assert rule is None
        assert name not in WITH_CASES
    elif rule is not None and rule.refused:
        assert name not in WITH_CASES
    else:  # a rule, also that of zero, or parts that have rules: shown by cases
        assert name in WITH_CASES, f"{name} has neither cases nor a declaration"


def test_the_names_are_all_of_the_standard():
    names = standard_names()
    assert len(set(names)) == len(names) > 220
    for name in ("sin", "linalg.svd", "fft.hfft", "__imatmul__", "__setitem__", "T", "to_device"):
        assert name in names
    assert set(names) >= WITH_CASES | set(WITHOUT_DERIVATIVE)


def test_every_rule_has_cases():
    # the engine's own, used by the others, and logsumexp with weights
    inner = {"settle", "shared", "tie", "scatter", "special.logsumexp_weighted"}
    found = {rule_name(name) for name in WITH_CASES} | {"copy"}  # copy: asarray(x, copy=True)
    outer = [n for n, r in RULES.items() if not r.refused and r.handler is None]
    missing = [n for n in outer if n not in found | inner]
    assert [n for n in missing if not n.startswith("nn.")] == []  # those have tests of their own


def test_parameters_are_not_taken_for_operands():
    """What only moves elements keeps none."""
    for name in ("flip", "roll", "tril", "triu", "fft.fftshift", "permute_dims", "sum"):
        assert all(SAVE_TENSOR not in saves for saves in RULES[name].saves), name


def test_a_missing_name_is_noticed(monkeypatch):
    kept = [case for case in CASES if case.function != "hypot"]
    monkeypatch.setattr(gradients, "CASES", kept)
    assert gradients.undeclared() == ["hypot"]


@pytest.mark.parametrize("name", [n for n, rule in RULES.items() if rule.refused])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_what_is_not_differentiable_raises(name, mode):
    f = function(name)
    x = xp.asarray([0.5, 1.5])
    parameters = inspect.signature(f).parameters.values()
    count = sum(p.default is p.empty and p.annotation != "Never" for p in parameters)
    inputs = (x,) * count
    with pytest.raises(autodiff.NotDifferentiableError, match=name):
        autodiff.jvp(f, inputs, inputs) if mode == "forward" else autodiff.vjp(f, *inputs)


@pytest.mark.parametrize(
    "name",
    [
        n
        for n, rule in RULES.items()
        if not (rule.vjps or rule.joint_vjp or rule.prepare or rule.handler or rule.refused)
    ],
)
def test_what_is_declared_constant_is_not_a_rule_of_numbers_that_vary(name):
    """Its floating-point results, if any, have derivatives of exactly zero."""
    case = next((c for c in CASES if c.function == name and c.label in ("(2, 3)", "tensors")), None)
    if case is None:  # gives bools or ints
        x = xp.asarray([1.5, 2.5])
        f = getattr(xp, name, None) or getattr(xp.linalg, name.partition(".")[2])
        operands = [x, x] if "x2" in inspect.signature(f).parameters else [x]
        if "bitwise" in name or "logical" in name:
            kind = xp.int64 if "shift" in name else xp.bool
            operands = [xp.astype(y, kind) for y in operands]
        if name == "linalg.matrix_rank":
            operands = [xp.eye(2)]
        out = f(*operands)
        out = out if isinstance(out, tuple) else (out,)
        assert all(y.dtype.kind in "biu" for y in out)
        return
    trial = Trial(case)
    for t in (*trial.pushed[1], *trial.pulled[1]):
        assert not xp.any(t != 0)


def test_conversions_that_would_lose_a_gradient_raise():
    x = xp.asarray(1.5)
    for f in (xp.from_dlpack, lambda x: xp.arange(x, 2.0), lambda x: xp.arange(0.0, x)):
        with pytest.raises(autodiff.NotDifferentiableError):
            autodiff.grad(lambda x, f=f: xp.sum(f(x)))(x)


# ---- dtypes and devices that meet


def test_gradients_of_operands_of_two_precisions_have_their_own():
    x, y = xp.asarray([0.5, 1.5], dtype=xp.float32), xp.asarray([2.0, 3.0])
    z = xp.asarray([1j, 2.0], dtype=xp.complex64)
    out, pullback = autodiff.vjp(lambda x, y, z: x * y * z, x, y, z)
    assert out.dtype == xp.complex128
    gx, gy, gz = pullback(xp.ones_like(out))
    assert (gx.dtype, gy.dtype, gz.dtype) == (xp.float32, xp.float64, xp.complex64)
    np.testing.assert_allclose(gx.numpy(), [0.0, 6.0])
    np.testing.assert_allclose(gy.numpy(), [0.0, 3.0])
    np.testing.assert_allclose(gz.numpy(), [1.0, 4.5])


@pytest.mark.parametrize("other", ["strict:1", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_to_another_device_and_back(other):
    f = lambda x: (x.to_device(other) ** 2).to_device("cpu") * x
    trial = Trial(Case("to_device", other, "f", f, (normal(3),)))
    trial.forward()
    trial.reverse()
    trial.second()
    out, pullback = autodiff.vjp(lambda x: x.to_device(other), xp.ones(2))
    assert out.device == xp.Device(other)
    (g,) = pullback(xp.ones(2, device=other))
    assert g.device == xp.Device("cpu")


# ---- the checks themselves find what is wrong


def sine():
    return Case("sin", "a wrong rule", "f", xp.sin, (normal(3),))


@pytest.mark.parametrize(
    ("vjp", "jvp", "check"),
    [
        (lambda g, _out, x: g * xp.cos(x) * 1.00001, lambda t, _out, x: t * xp.cos(x), "reverse"),
        (lambda g, _out, x: g * xp.cos(x), lambda t, _out, x: t * xp.cos(x) * 1.00001, "forward"),
        (
            lambda g, _out, x: g * xp.cos(autodiff.stop_gradient(x)),
            lambda t, _out, x: t * xp.cos(x),
            "second order",
        ),
        (
            lambda g, _out, x: g * xp.cos(x),
            lambda t, _out, x: t * xp.cos(autodiff.stop_gradient(x)),
            "second order",
        ),
        (
            lambda g, _out, x: g * xp.cos(xp.round(x * 100) / 100),
            lambda t, _out, x: t * xp.cos(x),
            "single",
        ),
    ],
)
def test_a_wrong_rule_is_found(monkeypatch, vjp, jvp, check):
    gradients.CHECKS[check](Trial(sine()))
    monkeypatch.setitem(RULES, "sin", RULES["sin"])
    define("sin", (vjp, jvp))
    with pytest.raises(WrongError):
        gradients.CHECKS[check](Trial(sine()))


def test_another_value_is_found():
    inside = []
    case = Case("exp", "counts", "f", lambda x: inside.append(0) or xp.exp(x) + len(inside),
                (normal(2),))  # fmt: skip
    with pytest.raises(WrongError, match="value in reverse mode"):
        Trial(case).reverse_values()
    with pytest.raises(WrongError, match="value in forward mode"):
        Trial(case).forward_values()


# ---- the command and its table


def test_command(tmp_path, monkeypatch, capsys):
    from conformance.__main__ import main

    kept = [c for c in CASES if c.function in ("hypot", "__getitem__", "floor")]
    monkeypatch.setattr(gradients, "CASES", kept)
    monkeypatch.setattr(gradients, "undeclared", list)
    path = tmp_path / "coverage.md"
    assert main(["gradients", "--report", str(path)]) == 0
    text = path.read_text()
    count = sum(c.function == "hypot" for c in kept)
    assert f"| `hypot` | rule | {count} | all {count} |" in text
    assert "| `floor` | zero | 3 |" in text
    assert "| `nextafter` | not differentiable:" in text
    assert f"{len(kept)} of {len(kept)} cases" in text
    assert f"{len(kept)} cases of 3 functions and operators, 0 wrong" in capsys.readouterr().out
    figures = json.loads(path.with_suffix(".json").read_text())
    assert (figures["device"], figures["cases"], figures["functions"]) == ("cpu", len(kept), 3)
    assert figures["checks"]["reverse"] == {"right": len(kept), "refused": 0, "wrong": 0}

    monkeypatch.setitem(RULES, "hypot", RULES["hypot"])
    define("hypot", (lambda g, *_: g, lambda t, *_: t), (lambda g, *_: g, lambda t, *_: t))
    assert main(["gradients", "--report", str(path)]) == 1
    assert f"0 of {count - 1}" not in path.read_text()
    assert "wrong: hypot-tensors: reverse: WrongError" in capsys.readouterr().out
    figures = json.loads(path.with_suffix(".json").read_text())
    assert 0 < figures["checks"]["reverse"]["wrong"] <= count
    assert main(["gradients", "--device", "nowhere", "--report", str(path)]) == 2


@pytest.mark.cuda
def test_command_on_a_gpu(tmp_path, monkeypatch):
    from conformance.__main__ import main

    kept = [c for c in CASES if c.function in ("hypot", "special.erf", "special.spence")]
    monkeypatch.setattr(gradients, "CASES", kept)
    monkeypatch.setattr(gradients, "undeclared", list)
    monkeypatch.setattr(gradients, "REPORTS", tmp_path)
    table = gradients.COVERAGE.read_bytes()
    assert main(["gradients", "--device", "cuda"]) == 0
    assert gradients.COVERAGE.read_bytes() == table  # it is the CPU's
    lacking = [c for c in kept if c.function == "special.spence" or c.name.endswith("-complex")]
    (path,) = tmp_path.glob("gradients-cuda*.md")  # of an emulated GPU it says so
    assert "| `special.spence` |" in path.read_text()
    figures = json.loads(path.with_suffix(".json").read_text())
    right = {"right": len(kept) - len(lacking), "refused": len(lacking), "wrong": 0}
    assert figures["checks"] == dict.fromkeys(gradients.CHECKS, right)


def test_the_kept_table_is_of_these_cases():
    text = gradients.COVERAGE.read_text()
    rows = dict(re.findall(r"^\| `(\S+)` \| [\w, ]+ \| (\d+) \|", text, re.MULTILINE))
    counts = {name: str(sum(c.function == name for c in CASES)) for name in WITH_CASES}
    assert rows == counts, "run python -m conformance gradients"


# ---- shapes, axes and indices of all kinds


UNARY = {
    "abs": nonzero, "atan": normal, "conj": normal, "cos": normal, "exp": normal, "imag": normal,
    "log": positive, "negative": normal, "real": normal, "reciprocal": nonzero, "sign": nonzero,
    "sinh": normal, "sqrt": positive, "square": normal, "tanh": normal,
    "atanh": lambda *s: within(-0.8, 0.8, *s),
}  # fmt: skip


BINARY = {
    "add": (normal, normal, "fc"),
    "subtract": (normal, normal, "fc"),
    "multiply": (normal, normal, "fc"),
    "divide": (normal, nonzero, "fc"),
    "pow": (positive, normal, "fc"),
    "atan2": (nonzero, nonzero, "f"),
    "hypot": (nonzero, nonzero, "f"),
    "logaddexp": (normal, normal, "f"),
    "maximum": (lambda *s: between(0.0, *s), lambda *s: between(0.5, *s), "f"),
    "minimum": (lambda *s: between(0.0, *s), lambda *s: between(0.5, *s), "f"),
}


REDUCTIONS = {
    "sum": (normal, "fc"),
    "mean": (normal, "fc"),
    "prod": (normal, "fc"),
    "max": (distinct, "f"),
    "min": (distinct, "f"),
    "var": (normal, "f"),
    "std": (distinct, "f"),
    "linalg.vector_norm": (nonzero, "fc"),
}


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


def function(name):
    return attrgetter(name)(xp)


def check(case, *, single=False):
    """All checks of a case, or those in single precision."""
    trial = Trial(case)
    if single:
        trial.single()
    else:
        trial.forward()
        trial.reverse()
        trial.second()


@given(st.sampled_from(sorted(UNARY)), SHAPES, st.sampled_from("fc"), st.booleans())
def test_unary_functions_of_any_shape(name, shape, kind, single):
    check(Case(name, f"{shape}", kind, function(name), (UNARY[name](*shape),)), single=single)


@given(
    st.sampled_from(sorted(BINARY)),
    hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3),
    st.data(),
)
def test_binary_functions_of_shapes_that_broadcast(name, shapes, data):
    first, second, kinds = BINARY[name]
    a, b = shapes.input_shapes
    case = Case(
        name, f"{a} {b}", data.draw(st.sampled_from(kinds)), function(name), (first(*a), second(*b))
    )
    check(case, single=data.draw(st.booleans()))


@st.composite
def axes_of(draw, shape):
    """None, an int or a tuple of ints, of either sign."""
    n = len(shape)
    if not n or draw(st.booleans()):
        return draw(st.sampled_from([None, ()] if n else [None]))
    if draw(st.booleans()):
        return draw(st.integers(-n, n - 1))
    axes = draw(st.lists(st.integers(0, n - 1), unique=True, min_size=1))
    return tuple(a - n if draw(st.booleans()) else a for a in axes)


@given(st.sampled_from(sorted(REDUCTIONS)), SHAPES, st.data())
def test_reductions_over_any_axes(name, shape, data):
    draw, kinds = REDUCTIONS[name]
    axis = data.draw(axes_of(shape))
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = math.prod(shape[a] for a in axes)
    if name not in ("sum", "prod", "linalg.vector_norm"):
        assume(count)  # of nothing, they are not defined
    if name == "std":
        assume(count > 1)  # of one number it is 0, a kink
    if name == "linalg.vector_norm":
        assume(count and axis != ())
    how = {"axis": axis, "keepdims": data.draw(st.booleans())}
    f = lambda x: function(name)(x, **how)
    kind = data.draw(st.sampled_from(kinds))
    check(Case(name, f"{shape} {how}", kind, f, (draw(*shape),)), single=data.draw(st.booleans()))


@given(st.sampled_from(["cumulative_sum", "cumulative_prod"]), st.data())
def test_running_sums_and_products_along_any_axis(name, data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    how = {"axis": axis, "include_initial": data.draw(st.booleans())}
    values = data.draw(hnp.arrays("f8", shape, elements=st.sampled_from([0.0, 1.5, -0.5, 2.0])))
    f = lambda x: function(name)(x, **how)
    kind = data.draw(st.sampled_from("fc"))
    drawn = lambda rng, kind: values + (1j * values[::-1] if kind == "c" else 0)
    check(Case(name, f"{shape} {how}", kind, f, (drawn,)), single=data.draw(st.booleans()))


def tensors(key):
    """A NumPy key, its arrays as tensors."""
    if isinstance(key, tuple):
        return tuple(map(tensors, key))
    return xp.asarray(key) if isinstance(key, np.ndarray) else key


@given(st.data(), st.sampled_from("fc"))
def test_basic_indices(data, kind):
    shape = data.draw(SHAPES)
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=True))
    check(Case("__getitem__", f"{shape} {key}", kind, lambda x: x[key], (normal(*shape),)))
    part = np.empty(shape)[key].shape
    check(
        Case(
            "__setitem__", f"{shape} {key}", kind, assignment(key), (normal(*shape), normal(*part))
        )
    )


@given(st.data(), st.sampled_from("fc"))
def test_integer_indices(data, kind):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    key = data.draw(
        hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3))
    )
    f = lambda x: x[tensors(key)]
    check(Case("__getitem__", f"{shape} {key}", kind, f, (normal(*shape),)))


@given(st.data(), st.sampled_from("fc"))
def test_masks(data, kind):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
    mask = data.draw(hnp.arrays(bool, shape[: data.draw(st.integers(1, len(shape)))]))
    label = f"{shape} {mask.tolist()}"
    f = lambda x: x[xp.asarray(mask)]
    check(Case("__getitem__", label, kind, f, (normal(*shape),)))
    part = np.empty(shape)[mask].shape
    check(Case("__setitem__", label, kind, assignment(mask), (normal(*shape), normal(*part))))


def assignment(key):
    """A function that writes its second argument into the first, squared."""

    def f(x, y):
        x = x * x
        x[tensors(key)] = y
        return x

    return f


@given(st.data(), st.sampled_from("fc"))
def test_moved_axes(data, kind):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3))
    n = len(shape)
    order = data.draw(st.permutations(range(n)))
    source = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    target = data.draw(st.permutations(range(n)))[: len(source)]
    shift = data.draw(st.integers(-4, 4))

    def f(x):
        y = xp.moveaxis(
            xp.permute_dims(x, tuple(order)), tuple(source), tuple(a - n for a in target)
        )
        return xp.roll(xp.flip(y, axis=-1), shift, axis=0)

    check(Case("permute_dims", f"{shape} {order} {source} {target}", kind, f, (normal(*shape),)))
