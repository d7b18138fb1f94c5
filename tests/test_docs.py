"""What the documentation site is made from: the page on conformance and those of the reference."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import arraygrad as xp

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.syspath_prepend(ROOT / "docs")
    yield
    sys.modules.pop("api_pages", None)
    sys.modules.pop("layers", None)


# ---- the page on conformance


def counts(passed, failed=0, skipped=0, error=0):
    rest = {"xfailed": 0, "xpassed": 0, "error": error}
    return {"passed": passed, "failed": failed, "skipped": skipped, **rest}


def result(key, parts, **versions):
    totals = {name: sum(part[name] for part in parts.values()) for name in counts(0)}
    return {"date": "2030-01-02", "versions": versions, "totals": totals, key: parts}


def keep(folder, name, **content):
    (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_kept_page_is_that_of_the_kept_reports():
    from conformance.page import PAGE, page
    from conformance.report import REPORTS

    assert PAGE.read_text(encoding="utf-8") == page(REPORTS), "run python -m conformance page"


def test_the_page_shows_every_report_and_nothing_else(tmp_path, capsys):
    from conformance.__main__ import main

    out = tmp_path / "page.md"
    command = ["page", "--report", str(tmp_path), "--page", str(out)]
    assert main(command) == 2
    assert "has no reports" in capsys.readouterr().err
    assert not out.exists()

    name = "2025.12, 100 examples, derandomised"
    for device, passed in (("cpu", 11), ("cuda:0", 12)):
        other = result("chapters", {"Constants": counts(5)}) | {
            "revision": "2024.12", "examples": 100, "seed": 7,
        }  # fmt: skip
        runs = {
            name: result("chapters", {"Constants": counts(passed, 0, 1)}, numpy="7.1"),
            "b": other,
        }
        stem = f"official-{device.replace(':', '-')}"
        keep(tmp_path, stem, backend="arraygrad", device=device, runs=runs)
    run = result("chapters", {"Constants": counts(3, 4, 0, 5)}, torch="9.9")
    keep(tmp_path, "official-cpu-torch", backend="torch", device="cpu", runs={name: run})
    parts = {"special": counts(21), "stats": counts(22, 1)}
    runs = {
        "arraygrad": result("subpackages", parts, scipy="8.8"),
        "torch": result("subpackages", {"stats": counts(31, 0, 0, 2)}, scipy="8.8"),
    }
    keep(tmp_path, "scipy-cpu", device="cpu", runs=runs)
    (tmp_path / "newest").mkdir()
    runs = {
        who: result("subpackages", {"s": counts(n)}, scipy="9")
        for who, n in (("arraygrad", 51), ("torch", 52))
    }
    keep(tmp_path / "newest", "scipy-cpu", device="cpu", runs=runs)
    checks = {"reverse": {"right": 41, "refused": 2, "wrong": 0}}
    about = {"date": "2030-01-03", "versions": {"numpy": "7.2"}, "functions": 6, "cases": 43}
    keep(tmp_path, "gradients-cpu", device="cpu", checks=checks, **about)

    assert main(command) == 0
    text = out.read_text()
    assert "| arraygrad, `cpu` | 11 | 0 | 1 | 0 | 0 | 0 |" in text
    assert "| PyTorch, `cpu` | 3 | 4 | 0 | 0 | 0 | 5 |" in text
    assert "| Constants | 11 | 3, 9 failed |" in text
    assert "| `cpu` | 2024.12 | 100 | seed 7 | 5 |" in text
    assert f"| the standard's suite, {name} | arraygrad, `cuda:0` | 12 | 0 | 1 |" in text
    assert "| the standard's suite, b | arraygrad, `cuda:0` | 5 |" in text
    assert "The tests of SciPy 8.8, " in text
    assert "| special | 21 | - |" in text
    assert "| stats | 22, 1 failed | 31, 2 failed |" in text
    newest = "| SciPy's tests | arraygrad, `cpu` | 51 | 0 | 0 | 0 | 0 | 0 | 2030-01-02 | scipy 9 |"
    assert newest in text
    assert "| 52 |" not in text
    assert "43 cases of 6 functions" in text
    assert "| `cpu` | Reverse | 41 | 2 | 0 |" in text
    assert "| the standard's suite | PyTorch, `cpu` | 2030-01-02 | torch 9.9 |" in text
    assert "scikit-learn's tests" not in text.partition("## Measure it")[0]

    (tmp_path / "scipy-cpu.json").write_text("{")
    assert main(command) == 2
    assert "is no report of this program" in capsys.readouterr().err
    assert out.read_text() == text


# ---- the picture of the layers


def test_the_picture_of_the_layers_is_drawn_from_the_imports(monkeypatch):
    import layers

    kept = (ROOT / "docs/layers.svg").read_text(encoding="utf-8")
    assert kept == layers.picture(), "run python docs/layers.py > docs/layers.svg"
    assert "](layers.svg)" in (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

    groups = layers.GROUPS
    monkeypatch.setattr(layers, "GROUPS", groups[::-1])
    with pytest.raises(SystemExit, match="which is above it"):
        layers.picture()
    monkeypatch.setattr(layers, "GROUPS", groups[:-1])
    with pytest.raises(SystemExit, match="put the module _errors into one of GROUPS"):
        layers.picture()


# ---- the reference


def test_every_public_name_is_in_the_reference_once(tmp_path):
    import api_pages

    api_pages.write_pages(tmp_path)
    index = (tmp_path / "index.rst").read_text()
    pages = {path.stem: path.read_text() for path in tmp_path.glob("*.rst")}
    for name in set(pages) - {"index"}:
        assert f"\n   {name}\n" in index
    chapters = [text for name, text in pages.items() if name not in {"index", *api_pages.modules()}]
    for name in xp.__all__:
        if not isinstance(getattr(xp, name), ModuleType):
            found = [f"\n   {name}\n" in text or f":: {name}\n" in text for text in chapters]
            assert sum(found) == 1, name
    for module in (xp.linalg, xp.fft):
        for name in module.__all__:
            assert f"\n   {name}\n" in pages[module.__name__.partition(".")[2]], name
    assert "Functions functions" not in index
    assert pages["elementwise"].startswith("Element-wise functions\n===")
    assert "__getitem__" in pages["tensor"]


def test_pages_of_an_older_tree_are_removed_and_unchanged_ones_left_alone(tmp_path):
    import api_pages

    api_pages.write_pages(tmp_path)
    (tmp_path / "generated").mkdir()
    old, stub = tmp_path / "gone.rst", tmp_path / "generated/arraygrad.gone.rst"
    kept = tmp_path / "generated/arraygrad.sin.rst"
    for path in (old, stub, kept):
        path.touch()
    os.utime(tmp_path / "fft.rst", (1, 1))
    api_pages.write_pages(tmp_path)
    assert (old.exists(), stub.exists(), kept.exists()) == (False, False, True)
    assert (tmp_path / "fft.rst").stat().st_mtime == 1


def test_continuous_integration_builds_the_site_by_the_command_of_the_contributors():
    lines = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line for line in lines if "/sphinx-build " in line]
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert " -W " in command
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "command_in CONTRIBUTING.md '/sphinx-build '" in script
