"""How the runner judges the gradient of a call, on functions that are right and that are not."""

import time
from pathlib import Path

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff


@pytest.fixture(autouse=True)
def runner(monkeypatch):
    """The runner importable from wherever pytest was started."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1])


def lost(x):
    return xp.asarray(x[0].item() ** 2)


@autodiff.custom_vjp
def twice(x):
    return 2 * x


twice.defvjp(lambda x: (2 * x, None), lambda _, g: (3 * g,))


def tells(x):
    if x.requires_grad:
        raise AttributeError("no such thing")
    return x * 2


def put(x):
    a = np.zeros(1)
    a[0] = x[0]
    return xp.asarray(a)


def stateful(x, rng):
    return x * rng.random()


CALLS = {
    "smooth": (lambda x: xp.exp(x), "right", ""),
    "in a container": (lambda x: {"a": (xp.exp(x), 3)}, "right", ""),
    "not finite in part": (lambda x: xp.log(x - 1.5), "right", ""),
    "at a kink": (lambda x: xp.abs(x[0] - 1), "no quotient", ""),
    "equal numbers, sorted": (lambda x: xp.sort(x * 0 + x[0]) * xp.arange(2.0), "right", ""),
    "a step": (lambda x: xp.floor(x + 0.5), "constant", ""),
    "not finite": (lambda x: xp.log(-x), "no quotient", ""),
    "a number": (lambda x: x[0].item(), "no tensor", ""),
    "a wrong rule": (twice, "wrong", "the quotient"),
    "read as a number": (lost, "wrong", "has lost its gradient; item in "),
    "read in part": (lambda x: x * x[0].item(), "wrong", "the quotient"),
    "read by float": (lambda x: x * float(x[0]), "raises", "NotDifferentiableError: __float__"),
    "detached": (lambda x: autodiff.stop_gradient(x) * 2, "wrong", "has lost its gradient"),
    "another value": (
        lambda x: x + (1e-3 if x.requires_grad else 0),
        "wrong",
        "other values",
    ),
    "a branch": (
        lambda x: x * 2 if x[0] != 1 else xp.stack([xp.asarray(2.0), x[1] * 2]),
        "branch",
        "",
    ),
    "NumPy": (lambda x: xp.asarray(np.sin(x)), "raises", "NotDifferentiableError: __array__"),
    "into NumPy's memory": (put, "raises", "NotDifferentiableError: __float__"),
    "an error": (tells, "raises otherwise", "AttributeError: no such thing"),
}


def examined(function, *args, library="arraygrad", **kwargs):
    from conformance import through_scipy_measure as measure

    library = measure.LIBRARIES[library]()
    return measure.examine(library, function, args, kwargs, lambda path: str(path[1]))


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_judged_by_difference_quotients(name):
    function, verdict, why = CALLS[name]
    (found,) = examined(function, xp.asarray([1.0, 2.0]))
    assert found.verdict == verdict
    assert why in found.why + found.forward_why


def test_results_that_do_not_move_hide_no_others():
    (found,) = examined(lambda x: xp.concat([xp.ones(9), twice(x)]), xp.asarray([1.0, 2.0]))
    assert found.reverse == "wrong"


def test_only_floating_point_arguments_are_judged_each_by_itself():
    x, n = xp.asarray([1.5]), xp.asarray([2])
    found = examined(lambda x, n, y, out: x**n * xp.floor(y[0]), x, n, (x,), out=x)
    assert [(v.argument, v.verdict) for v in found] == [("0", "right"), ("2", "constant")]


def test_random_numbers_start_anew_with_each_call():
    x = xp.asarray([1.0])
    (found,) = examined(stateful, x, np.random.default_rng(1))
    assert found.verdict == "right"
    rng = np.random.default_rng(1)
    (found,) = examined(lambda x: stateful(x, rng), x)
    assert (found.verdict, found.why) == ("no quotient", "not the same twice")


def test_complex_results_and_arguments():
    (found,) = examined(lambda z: xp.real(z * z) + 1j * xp.abs(z), xp.asarray([1 + 2j, 3 - 1j]))
    assert (found.reverse, found.forward) == ("right", "right")


def test_pytorch_is_judged_alike():
    torch = pytest.importorskip("torch")
    x = torch.asarray([1.0, 2.0])
    (found,) = examined(torch.exp, x, library="torch")
    assert found.verdict == "right"
    (found,) = examined(lambda x: torch.asarray(x.numpy()), x, library="torch")
    assert found.verdict == "raises"
    (found,) = examined(lambda x: x.detach() * 2, x, library="torch")
    assert found.verdict == "wrong"


def test_slow_calls_are_left_out_but_not_for_what_else_the_machine_does(monkeypatch):
    from conformance import through_scipy_plugin as plugin

    def waits(x):
        time.sleep(0.3)
        return x

    def works(x):
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        return x

    compared = []
    monkeypatch.setattr(plugin, "record", lambda library, f, name, kept: compared.append(name))
    monkeypatch.setattr(plugin, "TRIED", {})
    monkeypatch.setattr(plugin, "SLOW", 0.2)
    library = plugin.LIBRARIES["arraygrad"]()
    for f in (waits, works):
        assert plugin.watched(f, f.__name__, library)(xp.ones(2)).tolist() == [1.0, 1.0]
    assert compared == ["waits"]


def test_gradients_through_scipy(tmp_path, capfd):
    from conformance.__main__ import main

    command = ["gradients-through-scipy", "--report", str(tmp_path), "--workers", "1"]
    assert main([*command, "constants"]) == 0
    assert capfd.readouterr().out.splitlines()[-1].startswith("3 right, 0 special values, 0 raises")
    assert list(tmp_path.iterdir()) == []
    assert main([*command, "nowhere"]) == 2
    assert "nowhere" in capfd.readouterr().err


def test_a_run_that_was_ended_goes_on_with_the_next_subpackage(tmp_path, monkeypatch, capfd):
    from conformance import through_scipy as module
    from conformance.__main__ import main
    from conformance.report import SetupError

    trials = []

    def tried(library, args, modules):
        trials.append(*args.subpackages)
        if trials == ["constants", "fft"]:
            raise SetupError("ended")
        verdict = "wrong" if args.subpackages == ["fft"] else "right"
        entry = {"argument": "x", "reverse": verdict, "why": "", "test": args.subpackages[0]}
        return {"scipy.fft.f": [entry], f"scipy.{args.subpackages[0]}.g": [entry]}

    monkeypatch.setattr(module, "tried", tried)
    command = ["gradients-through-scipy", "constants", "fft", "--report", str(tmp_path)]
    command += ["--kept", str(tmp_path / "kept")]
    assert main(command) == 2
    for _ in range(2):
        assert main(command) == 1
        printed = capfd.readouterr().out.splitlines()
        assert printed[-1].startswith(
            "1 right, 0 special values, 0 raises, 0 not a tensor, 0 constant, 2 wrong"
        )
    assert trials == ["constants", "fft", "fft"]
    monkeypatch.setattr(module, "digest", lambda *folders: "of other sources")
    assert main(command) == 1
    assert trials[3:] == ["constants", "fft"]


def test_a_functions_verdict_is_that_of_its_worst_call_and_the_page_says_why():
    from conformance import through_scipy as module

    test = {"test": "t"}
    lost = "NotDifferentiableError: __array__: the gradient would be lost, as so; write"
    closed = (
        "NotDifferentiableError: special.f: not differentiable with respect to a: no closed form"
    )
    right = {"argument": "x", "reverse": "right", "forward": "right"} | test
    runs = {
        "arraygrad": {
            "s.right": [right, {"argument": "a", "reverse": "raises", "why": closed} | test],
            "s.raises": [{"argument": "x", "reverse": "raises", "why": lost} | test],
            "s.wrong": [right, right | {"forward": "wrong", "forward_why": "1, not 2"}],
            "s.ranks": [{"argument": "x", "reverse": "constant"} | test],
            "s.worse": [{"argument": "x", "reverse": "wrong", "why": "1, not 2"} | test],
        },
        "torch": {"s.raises": [right]},
    }
    runs = {
        backend: {"functions": {k: module.summary(v) for k, v in functions.items()}}
        for backend, functions in runs.items()
    }
    functions = runs["arraygrad"]["functions"]
    verdicts = [f["verdict"] for f in functions.values()]
    assert verdicts == ["right", "raises", "wrong", "constant", "wrong"]
    (trial,) = functions["s.wrong"]["trials"]
    assert (trial["why"], trial["test"]) == ("1, not 2", "t")
    text = module.markdown("cpu", runs)
    assert "| arraygrad | 1 | 0 | 1 | 0 | 1 | 2 | 0 |" in text
    assert "| PyTorch | 1 | 0 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| `s` | 1 | 1 |" in text
    assert "| `s.right` | `x` | `a`: raises (no closed form) |" in text
    assert "| `s.wrong` | `x` | `x`: **wrong** in some calls |" in text
    assert "| `s.worse` |  | `x`: **wrong** |" in text
    assert "- Raise: NumPy or compiled code: `raises`" in text
