"""A user's program has types: strict checkers accept it, and find mistakes in it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import arraygrad

pytestmark = pytest.mark.once

PROGRAM = Path(__file__).with_name("typed_program.py")

#: Lines that a checker must refuse, each with a part of what it says.
MISTAKES = {
    "(x + 1).summ()": "summ",
    "(2 * x @ x).astyp(xp.float32)": "astyp",
    "xp.sum(x)[0].shap": "shap",
    "x + 'a'": "+",
    "autodiff.grad(loss)(line, x)": "rgument",
    "autodiff.grad(loss)(line, x, 'a')": "Tensor",
    "autodiff.value_and_grad(loss)(line, x, x)[1].slop": "slop",
    "Net(8)('a')": "Tensor",
    "Net(8)(x).backwards()": "backwards",
    "xp.zeros(3, dtyp=xp.float32)": "dtyp",
    "rounded(x)": "unit",
    "xp.sum(x, 0)": "Never",
    "xp.sum(x, dim=0)": "dim",
}


def _mypy(path: Path) -> list[tuple[int, str]]:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    out = subprocess.run(
        [*command, "--output=json", path], capture_output=True, text=True, check=False
    )
    assert not out.stderr, out.stderr
    found = [json.loads(line) for line in out.stdout.splitlines()]
    return [(e["line"], e["message"]) for e in found if e["file"].endswith(path.name)]


def _pyright(path: Path) -> list[tuple[int, str]]:
    sources = str(Path(arraygrad.__file__).parents[1])
    settings = {"typeCheckingMode": "strict", "include": [path.name], "extraPaths": [sources]}
    (path.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    out = subprocess.run(
        [*command, "-p", path.parent], capture_output=True, text=True, check=False, cwd=path.parent
    )
    found = json.loads(out.stdout)["generalDiagnostics"]
    return [(e["range"]["start"]["line"] + 1, e["message"]) for e in found]


checkers = pytest.mark.parametrize(
    "check",
    [
        pytest.param(
            check,
            marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed"),
            id=name,
        )
        for name, check in (("mypy", _mypy), ("pyright", _pyright))
    ],
)


def test_the_program_runs(capsys):
    namespace = {"__name__": "program"}
    sys.modules["program"] = sys.modules[__name__]  # where its dataclass looks for annotations
    try:
        exec(compile(PROGRAM.read_text(), PROGRAM, "exec"), namespace)
        namespace["main"]()
    finally:
        del sys.modules["program"]
    assert "slope 3.0" in capsys.readouterr().out


@checkers
def test_strict_type_checkers_accept_a_program(check, tmp_path):
    path = tmp_path / PROGRAM.name
    path.write_text(PROGRAM.read_text())
    assert check(path) == []


@checkers
def test_type_checkers_find_mistakes(check, tmp_path):
    path = tmp_path / PROGRAM.name
    text = PROGRAM.read_text() + "\n\nline = fit(xp.ones(2), xp.ones(2))\nx = xp.ones(3)\n"
    first = text.count("\n") + 1
    path.write_text(text + "\n".join(f"print({line})" for line in MISTAKES))
    found = check(path)
    for number, (line, word) in enumerate(MISTAKES.items(), first):
        messages = [message for i, message in found if i == number]
        assert any(word in message for message in messages), (line, messages)
    assert {i for i, _ in found} == set(range(first, first + len(MISTAKES)))
