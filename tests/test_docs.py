"""What the documentation site is made from: the page on conformance and those of the reference."""

import json
import os
import re
import sys
from html import escape
from pathlib import Path
from types import ModuleType

import pytest

import arraygrad as xp

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.syspath_prepend(ROOT / "docs")
    yield
    sys.modules.pop("api_pages", None)
    sys.modules.pop("layers", None)
    sys.modules.pop("speed_plots", None)


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


# ---- numbers in prose


def test_the_front_pages_have_the_numbers_of_the_reports():
    from benchmarks.__main__ import summary
    from conformance.page import NAMES
    from conformance.report import REPORTS

    def totals(name, run):
        report = json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8"))
        return (report.get("runs") or report["steps"])[run]["totals"]

    def page(name):
        return (ROOT / name).read_text(encoding="utf-8")

    readme, why = page("README.md"), page("docs/why.md")
    failures = []
    for name in ("arraygrad", "numpy", "cupy", "torch", "jax"):
        where = {"arraygrad": "cpu", "cupy": "cuda-emulated-cupy"}.get(name, f"cpu-{name}")
        failed = totals(f"official-{where}", "2025.12, 100 examples, derandomised")["failed"]
        failures.append(f"{failed}, emulated" if name == "cupy" else f"{failed}")
        (row,) = re.findall(rf"^\| \**{NAMES[name]}\** \|.*\| (.*) \|$", readme, re.MULTILINE)
        assert row.strip("*") == failures[-1], name
    assert f"| {' | '.join(failures)} |" in why
    scipy = totals("scipy-cpu", "arraygrad")
    assert f"{scipy['passed']:,} tests of SciPy" in readme
    assert f"{scipy['passed']:,} pass, {scipy['failed']} fail" in why
    assert f"{totals('gpu-cuda-emulated', 'tests')['passed']:,} tests of the CUDA" in readme
    assert f"\n{summary()}\n" in page("docs/speed.md")
    results = ROOT / "benchmarks" / "results"
    times = json.loads((results / "overhead.json").read_text(encoding="utf-8"))["microseconds"]
    numpy, ours, torch, jax = (times["a + b"][who] for who in ("numpy", "ours", "torch", "jax"))
    assert f"{ours:.2f} µs (NumPy {numpy:.2f}, PyTorch {torch:.2f}, JAX {jax:.2f})" in readme
    assert f"| {ours:.2f} µs | {numpy:.2f} µs | – | {torch:.2f} µs | {jax:.2f} µs |" in why
    times = json.loads((results / "gradients.json").read_text(encoding="utf-8"))["milliseconds"]
    loop, step = times["loop of 200"], times["two-layer step"]
    ours, jax, compiled = loop["ours, backward"], loop["JAX"], loop["JAX, jit"]
    assert f"{jax:.0f} ms (arraygrad {ours:.0f} ms, compiled JAX {compiled:.1f} ms)" in readme
    ours, hand, torch, jax = (
        step[who] for who in ("ours, backward", "NumPy by hand", "PyTorch", "JAX, jit")
    )
    said = f"{ours:.2f} ms (NumPy by hand {hand:.2f}, PyTorch {torch:.2f}, compiled JAX {jax:.2f})"
    assert said in re.sub(r"\s+", " ", readme)


# ---- the plots of the page on speed


def test_the_plots_have_every_row_of_the_benchmarks_and_the_text_colour_of_the_page():
    speed_plots = pytest.importorskip("speed_plots", reason="Matplotlib draws them")
    page = (ROOT / "docs/speed.md").read_text(encoding="utf-8")
    drawn = speed_plots.plots(speed_plots.RESULTS)
    for name, svg in drawn.items():
        assert f":file: plots/{name}.svg" in page
        assert "currentColor" in svg
        assert speed_plots.TEXT not in svg
        assert "<style" not in svg  # it would apply to the whole page
    for name in ("overhead", "gradients", "training", "large"):
        figures = json.loads((speed_plots.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        rows = figures["microseconds" if name == "overhead" else "milliseconds"]
        for row, times in rows.items():
            assert f">{escape(row)}<" in drawn[name]
            assert set(times) <= set(speed_plots.LIBRARIES)


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
    assert ":doc:`fft`\n     - Fourier transform extension of the standard." in index
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
