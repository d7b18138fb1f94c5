"""The first minutes on a GPU: their order, their limits, how they go on, and what they report."""

import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]

OUTCOMES = """
import os
import pytest

def test_passes(): pass
def test_fails(): assert [1] == (1,)
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
@pytest.mark.xfail(reason="known")
def test_xfailed(): assert 0
@pytest.mark.xfail
def test_xpassed(): pass
@pytest.fixture
def bad(): 1 / 0
def test_error(bad): pass
@pytest.fixture
def late():
    yield
    1 / 0
def test_error_afterwards(late): pass
def test_dies(): os._exit(3)
"""

ENDED = """
import os
import signal
import time
from pathlib import Path
import pytest

RUNS = Path(__file__).with_suffix(".runs")

@pytest.mark.parametrize("n", range(4))
def test_some(n):
    before = RUNS.read_text() if RUNS.exists() else ""
    RUNS.write_text(before + str(n))
    if before == "01":
        time.sleep(1)  # until the others are written down
        os.killpg(0, signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def on_a_gpu(monkeypatch, tmp_path):
    """A GPU of which nothing but the name is needed, and no report of an emulated one."""
    monkeypatch.syspath_prepend(ROOT)
    from conformance import gpu, report

    monkeypatch.setattr(report, "gpu", lambda device: "NVIDIA H100")
    about = {"sources": "abc", "versions": {"GPU": "NVIDIA H100"}, "platform": "here"}
    monkeypatch.setattr(gpu, "about", lambda device: about)
    monkeypatch.setattr(gpu, "REPORTS", tmp_path / "committed")
    return about


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """Take the place of the steps: a file of tests is run, another command as it is."""
    from conformance import gpu

    def make(**sources):
        made = {}
        for name, (seconds, source) in sources.items():

            def command(args, scratch, name=name, source=source):
                if isinstance(source, Exception):
                    raise source
                if not isinstance(source, str):
                    return [str(part) for part in source], tmp_path, dict(os.environ)
                path = tmp_path / f"test_{name}.py"
                path.write_text(source)
                options = [str(path), "-c", os.devnull, f"--rootdir={tmp_path}"]
                return gpu.pytest_command(args, *options), tmp_path, gpu.environment(args)

            made[name] = gpu.Step(name, f"The {name}", seconds, command)
        monkeypatch.setattr(gpu, "STEPS", made)

    return make


@pytest.fixture
def run(tmp_path):
    """Run ``python -m conformance gpu``, and give its exit code, its report and its page."""
    from conformance.__main__ import main

    def start(*options):
        command = ["gpu", "--workers", "1", "--report", str(tmp_path / "reports")]
        code = main([*command, *map(str, options)])
        path = tmp_path / "reports" / "gpu-cuda"
        found = json.loads(path.with_suffix(".json").read_text())
        return code, found, path.with_suffix(".md").read_text()

    return start


def lines(tmp_path):
    log = (tmp_path / "reports" / "gpu-cuda.jsonl").read_text()
    return [json.loads(line) for line in log.splitlines() if line]


PASS = "def test_it(): pass\n"


def test_every_outcome_is_counted_with_its_reason(steps, run, tmp_path):
    steps(tests=(600, OUTCOMES), broken=(600, "import nowhere\n"))
    code, found, text = run()
    assert code == 1
    assert found["device"] == "cuda"
    assert found["versions"] == {"GPU": "NVIDIA H100"}
    step = found["steps"]["tests"]
    assert step["state"] == "done"
    assert step["totals"] == {
        "passed": 1, "failed": 2, "skipped": 1, "xfailed": 1, "xpassed": 1, "error": 2
    }  # fmt: skip
    assert step["parts"] == {"tests": step["totals"]}
    why = step["failed"]["test_tests.py::test_fails"]
    assert why.startswith("assert [1] == (1,)")
    assert "crashed while running" in step["failed"]["test_tests.py::test_dies"]
    assert step["error"] == {
        f"test_tests.py::{name}": "ZeroDivisionError: division by zero"
        for name in ("test_error", "test_error_afterwards")
    }
    assert step["skipped"] == {"not here": 1}
    assert step["xfailed"] == {"known": 1}
    broken = found["steps"]["broken"]
    assert list(broken["error"].values()) == ["ModuleNotFoundError: No module named 'nowhere'"]
    assert "| The tests | done |" in text
    assert f"`{why}`:\n\n- `test_tests.py::test_fails`" in text
    (trace,) = [line["trace"] for line in lines(tmp_path) if "test_fails" in line.get("test", "")]
    assert "def test_fails(): assert" in trace


def test_what_is_worth_most_comes_first_and_has_a_limit(steps, run, tmp_path, capfd, monkeypatch):
    from conformance import gpu
    from conformance.report import SetupError

    monkeypatch.setattr(gpu, "LEAST", 1)
    wait, nothing = [sys.executable, "-c", "import time; time.sleep(600)"], [sys.executable, "-c"]
    steps(first=(25, wait), second=(600, [*nothing, ""]), third=(600, SetupError("git -C suite")))
    code, found, text = run("--minutes", 0.1)
    assert code == 1
    out = capfd.readouterr().out
    ends = [(line["step"], line["end"]) for line in lines(tmp_path) if "end" in line]
    third = ("third", "not begun: git -C suite")
    assert ends[:3] == [("first", "stopped"), ("second", "done"), third]
    assert "\n\nNot begun: git -C suite; 0 seconds.\n" in text
    assert ends[3:] == [("first", "stopped")]  # the rest of the time is for what has no end
    limits = [float(line.split()[4]) for line in out.splitlines() if "first: at most" in line]
    assert limits[0] == 0  # a hundredth of its part of ten minutes
    assert limits[1] >= 1
    assert found["steps"]["first"]["seconds"] <= 6
    assert "The first: stopped, 0 passed, 0 failed" in out


def test_only_the_steps_that_are_named_are_taken(steps, run, capfd):
    steps(first=(600, PASS), second=(600, PASS))
    code, found, _ = run("second")
    assert code == 0
    assert list(found["steps"]) == ["second"]
    assert run("second")[0] == 0  # done before
    assert capfd.readouterr().out.count("The second: at most") == 1


def test_a_run_that_was_ended_goes_on_where_it_was(steps, run, tmp_path):
    steps(tests=(600, ENDED))
    code, found, text = run()
    assert code == 1
    assert found["steps"]["tests"]["state"] == "ended with code -9"
    assert found["steps"]["tests"]["totals"]["passed"] == 2
    assert "| The tests | ended with code -9 |" in text

    log = tmp_path / "reports" / "gpu-cuda.jsonl"
    text = log.read_text()
    log.write_text(text[: text.rindex("{") + 9])  # the command was, too, while it wrote this
    code, found, _ = run()
    assert code == 0
    assert found["steps"]["tests"]["state"] == "done"
    assert found["steps"]["tests"]["totals"]["passed"] == 4
    assert (tmp_path / "test_tests.runs").read_text() == "01223"


def test_what_was_found_of_other_sources_does_not_count(steps, run, on_a_gpu, tmp_path, capfd):
    steps(tests=(600, PASS))
    assert run()[0] == 0
    on_a_gpu["sources"] = "def"
    before = (tmp_path / "reports" / "gpu-cuda.jsonl").read_bytes()
    assert run()[0] == 2
    assert "--fresh begins anew" in capfd.readouterr().err
    assert (tmp_path / "reports" / "gpu-cuda.jsonl").read_bytes() == before
    assert run("--fresh")[0] == 0
    assert lines(tmp_path)[0]["about"]["sources"] == "def"


def test_failures_are_compared_with_those_of_the_emulated_gpu(steps, run, tmp_path):
    source = "def test_a(): assert 0\ndef test_b(): pass\ndef test_c(): assert 0\n"
    steps(tests=(600, source))
    name = "test_tests.py::test_{}"
    there = {name.format("b"): "only there", name.format("c"): "there, too"}
    totals = dict.fromkeys(["passed", "failed", "skipped", "xfailed", "xpassed", "error"], 0)
    step = {"totals": totals | {"passed": 7, "failed": 2}, "failed": there, "error": {}}
    path = tmp_path / "committed" / "gpu-cuda-emulated.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"steps": {"tests": step}}))
    _, _, text = run()
    assert "| here | 1 | 2 | 0 | 0 | 0 | 0 |\n| emulated | 7 | 2 | 0 | 0 | 0 | 0 |" in text
    parts = text.split("\n### ")[1:]
    assert [part.partition("\n")[0] for part in parts] == [
        "Failed only here",
        "Failed as on the emulated GPU",
        "Failed on the emulated GPU, but not here",
    ]
    assert [[n for n in "abc" if name.format(n) in part] for part in parts] == [["a"], ["c"], ["b"]]


def test_figures_are_tables_and_what_could_not_be_measured_is_a_failure(steps, run, tmp_path):
    figures = [
        {"step": "benchmarks", "figure": "Time, ms", "of": "a + b", "values": values}
        for values in ({"ours": 1.23456, "CuPy": "TypeError: no"}, {"ours": 2})
    ]
    figures[1]["of"] = "sin"
    log = tmp_path / "reports" / "gpu-cuda.jsonl"
    text = "".join("\n" + json.dumps(figure) for figure in figures)
    script = f"open({str(log)!r}, 'a').write({text!r}); raise SystemExit(1)"
    steps(benchmarks=(600, [sys.executable, "-c", script]))
    code, found, page = run()
    assert code == 1
    assert found["steps"]["benchmarks"]["state"] == "ended with code 1"
    assert found["steps"]["benchmarks"]["figures"]["Time, ms"]["sin"] == {"ours": 2}
    assert "| Time | ours | CuPy |\n| --- | --- | --- |\n| a + b | 1.235 | - |" in page
    assert "| sin | 2 | - |" in page
    assert "- a + b, CuPy: TypeError: no" in page


@pytest.mark.parametrize(
    ("options", "words"), [(["lunch"], "no step lunch"), (["--device", "cpu"], "cpu is no GPU")]
)
def test_what_cannot_be_run_is_refused(options, words, capfd, tmp_path):
    from conformance.__main__ import main

    assert main(["gpu", *options, "--report", str(tmp_path)]) == 2
    assert words in capfd.readouterr().err


def test_parts():
    from conformance.gpu_report import part

    assert part("scipy", "scipy/fft/_pocketfft/tests/test_basic.py::test_a") == "fft"
    name = "conformance/gradient_tests.py::test_derivatives[T-(2, 3)-complex-gpu]"
    assert part("gradients", name) == "gpu"
    assert part("tests", "tests/backends/test_cupy_table.py::test_a[x/y]") == "backends/cupy_table"


def test_the_real_steps_can_be_started(tmp_path):
    from argparse import Namespace

    from conformance import gpu

    args = Namespace(workers=3, device="cuda", suite=None, log=tmp_path / "log")
    for name in ("tests", "gradients", "scipy", "benchmarks"):
        argv, folder, env = gpu.STEPS[name].command(args, str(tmp_path))
        assert argv[:2] == [sys.executable, "-m"]
        assert folder.is_dir()
        assert str(ROOT) in env["PYTHONPATH"].split(os.pathsep)
        assert env["ARRAYGRAD_CONFORMANCE_DEVICE"] == "cuda"
    assert sum(step.seconds for step in gpu.STEPS.values()) <= 600


# --- the page of all reports


def suite_report(path, device, passed):
    totals = dict.fromkeys(["passed", "failed", "skipped", "xfailed", "xpassed", "error"], 0)
    run = {"totals": totals | {"passed": passed}, "date": "2026-01-01", "versions": {"GPU": "x"}}
    kind = path.name.partition("-")[0]
    key = "2025.12, 100 examples, derandomised" if kind == "official" else "arraygrad"
    content = {"backend": "arraygrad", "device": device, "runs": {key: run | {"subpackages": {}}}}
    if kind == "gpu":
        step = {"title": "Our tests of CUDA", "state": "stopped", "totals": run["totals"]}
        content = {"device": device, **run, "steps": {"tests": step}}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def test_emulated_gpus_and_others_are_apart(tmp_path):
    from conformance.page import page

    reports = tmp_path / "reports"
    suite_report(reports / "scipy-cuda-emulated.json", "cuda, emulated", 123)
    text = page(reports)
    _, emulated, hardware = text.partition("\n## Dates and versions")[0].split("\n### ")
    assert "| SciPy's tests | arraygrad, `cuda, emulated` | 123 |" in emulated
    assert hardware.startswith("On hardware\n\nNo report yet")
    assert "\n## SciPy" not in text  # which is of the CPU

    suite_report(reports / "official-cuda.json", "cuda", 456)
    suite_report(reports / "gpu-cuda.json", "cuda", 789)
    text = page(reports)
    _, emulated, hardware = text.partition("\n## Dates and versions")[0].split("\n### ")
    name = "the standard's suite, 2025.12, 100 examples, derandomised"
    assert f"| {name} | arraygrad, `cuda` | 456 |" in hardware
    assert "| Our tests of CUDA, incomplete | arraygrad, `cuda` | 789 |" in hardware
    assert "456" not in emulated

    (reports / "scipy-cuda-emulated.json").unlink()
    assert "### Emulated\n\nNo report yet.\n" in page(reports)


# --- wheels for a machine without a network


def wheel(folder, name, files):
    """The smallest wheel that pip installs."""
    about = f"{name}-1.0.dist-info"
    files |= {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in files)
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        for path, text in files.items():
            file.writestr(path, text)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A checkout of one file, and the process that the command would become."""
    from conformance import gpu_setup

    source = tmp_path / "src" / "arraygrad" / "__init__.py"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1\n")
    became = []
    monkeypatch.setattr(gpu_setup, "ROOT", tmp_path)
    monkeypatch.setattr(gpu_setup.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(gpu_setup.os, "execve", lambda *command: became.append(command))
    return became


def test_wheels_are_installed_for_the_command_alone(machine, tmp_path, monkeypatch):
    from conformance import gpu_setup

    wheels = tmp_path / "wheels"
    wheel(wheels, "arraygrad", {"arraygrad/__init__.py": "x = 1\n"})
    (wheels / "suite").mkdir()
    monkeypatch.setenv("PYTHONPATH", "/before")
    for _ in range(2):
        gpu_setup.start(["gpu", "tests", "--wheels", str(wheels)])
    (first, again) = machine
    assert first == again
    program, argv, env = first
    assert program == sys.executable
    assert argv[1:] == ["-m", "conformance", "gpu", "tests", "--suite", str(wheels / "suite")]
    site, before = env["PYTHONPATH"].split(os.pathsep)
    assert before == "/before"
    assert Path(site, "arraygrad", "__init__.py").read_text() == "x = 1\n"


def test_a_wheel_of_other_sources_is_refused(machine, tmp_path):
    from conformance import gpu_setup

    with pytest.raises(SystemExit, match="there are no wheels"):
        gpu_setup.start(["gpu", "--wheels", str(tmp_path)])
    wheel(tmp_path / "wheels", "arraygrad", {"arraygrad/__init__.py": "x = 2\n"})
    with pytest.raises(SystemExit, match=r"--prepare .* again"):
        gpu_setup.start(["gpu", "--wheels", str(tmp_path / "wheels")])
    assert not machine


def test_a_folder_is_prepared(machine, tmp_path, monkeypatch, capfd):
    from conformance import gpu_setup, official

    suite = tmp_path / "elsewhere"
    (suite / ".git").mkdir(parents=True)
    (suite / "conftest.py").touch()
    monkeypatch.setattr(official, "find_suite", lambda given, revision: suite)
    commands = []
    monkeypatch.setattr(gpu_setup, "run", lambda command, *rest: commands.append(command))
    folder = tmp_path / "prepared"
    folder.mkdir()
    (folder / "arraygrad-0.0-py3-none-any.whl").touch()
    with pytest.raises(SystemExit) as stop:
        gpu_setup.start(["gpu", "--prepare", str(folder)])
    assert stop.value.code == 0
    download, build = commands
    assert download[3] == "download"
    assert download[download.index("--python-version") + 1] == "3.12"
    assert {"optree", "array-api-compat", "pytest-json-report"} <= set(download)
    assert build[3] == "wheel"
    assert build[-1] == str(tmp_path)
    assert [path.name for path in folder.rglob("*")] == ["suite", "conftest.py"]
    assert "conformance gpu --wheels" in capfd.readouterr().out


# --- benchmarks


@pytest.mark.cuda
def test_benchmarks_measure_go_on_and_say_what_they_could_not(tmp_path, monkeypatch, capfd):
    from benchmarks import cuda

    def cases(sizes):
        for name in ("a", "b"):
            broken = {"CuPy": lambda: cuda.repeated(lambda: 1 / 0)}
            loops = {"ours": lambda: cuda.repeated(lambda: None)} | (broken if name == "b" else {})
            yield "Time, s", name, loops, lambda seconds: 2 + 0 * seconds

    import arraygrad

    monkeypatch.setattr(cuda, "cases", cases)
    monkeypatch.setattr(arraygrad, "default_device", lambda name: None)
    log = tmp_path / "log"
    for _ in range(2):
        cuda.main(["--quick", "--log", str(log)])
    found = [json.loads(line) for line in log.read_text().splitlines() if line]
    assert [(record["of"], record["values"]) for record in found] == [
        ("a", {"ours": 2.0}),
        ("b", {"ours": 2.0, "CuPy": "ZeroDivisionError: division by zero"}),
    ]
