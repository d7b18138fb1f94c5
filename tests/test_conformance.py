"""The conformance runner, on a suite of a few tests that takes the official one's options."""

import json
import subprocess
import sys
import tarfile
from argparse import Namespace
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]

CONFTEST = """
import json, os
from pathlib import Path

def pytest_addoption(parser):
    parser.addoption("--max-examples", type=int)
    parser.addoption("--disable-deadline", action="store_true")
    parser.addoption("--derandomize", action="store_true")

def pytest_configure(config):
    names = ("max_examples", "disable_deadline", "derandomize", "--hypothesis-seed")
    given = {name: config.getoption(name) for name in names}
    given["env"] = dict(os.environ)
    Path(__file__).with_name("given.json").write_text(json.dumps(given))

module = os.environ["ARRAY_API_TESTS_MODULE"]
if module.startswith("exec('"):
    exec(module[6:-2], {})
"""
PASS = "def test_pass(): pass\n"
FAIL = "def test_fail():\n    assert [1] == (1,)\n"
SKIP = "import pytest\n@pytest.mark.skip(reason='not (yet), so')\ndef test_skip(): pass\n"
XFAIL = "import pytest\n@pytest.mark.xfail\ndef test_xfail(): assert False\n"
XPASS = "import pytest\n@pytest.mark.xfail\ndef test_xpass(): pass\n"
ERROR = "import pytest\n@pytest.fixture\ndef bad(): 1 / 0\ndef test_error(bad): pass\n"
DIE = "import os\ndef test_die(): os._exit(3)\n"
DEVICE = (
    "import os\nfrom arraygrad._device import _default\n"
    "def test_device():\n"
    "    assert (_default.get(None) is not None) == (os.environ['DEVICE_SET'] == 'yes')\n"
)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """A home of its own, and the runner importable from wherever pytest was started."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ARRAYGRAD_ARRAY_API_TESTS", raising=False)


@pytest.fixture
def suite(tmp_path):
    """Make a suite out of test files; what it holds already is kept."""

    def make(**files):
        folder = tmp_path / "suite"
        for revision in ("_2025_12", "_2024_12"):
            (folder / "array-api/src/array_api_stubs" / revision).mkdir(parents=True, exist_ok=True)
        (folder / "array_api_tests").mkdir(exist_ok=True)
        (folder / "array_api_tests/__init__.py").touch()
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "conftest.py").write_text(CONFTEST)
        for name, text in files.items():
            (folder / "array_api_tests" / f"test_{name}.py").write_text(text)
        return folder

    return make


@pytest.fixture
def official(tmp_path):
    """Run ``python -m conformance official`` and give its exit code."""
    from conformance.__main__ import main

    def run(*options):
        reports = ["--report", str(tmp_path / "reports"), "--workers", "1"]
        return main(["official", *reports, *map(str, options)])

    return run


def recorded(tmp_path, device="cpu"):
    report = tmp_path / "reports" / f"official-{device}"
    content = json.loads(report.with_suffix(".json").read_text())
    peer = "" if content["backend"] == "arraygrad" else f"-{content['backend']}"
    assert content["device"].replace(":", "-") + peer == device
    return content["runs"], report.with_suffix(".md").read_text()


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_outcome_is_counted_by_chapter_with_its_reason(
    suite, official, tmp_path, capfd, monkeypatch
):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--deselect array_api_tests/test_fft.py")
    monkeypatch.setenv("ARRAY_API_TESTS_MODULE", "numpy")
    monkeypatch.setenv("DEVICE_SET", "no")
    folder = suite(set_functions=DEVICE + SKIP, fft=FAIL + XFAIL, linalg=XPASS + ERROR)

    assert official("--suite", folder) == 1

    out = capfd.readouterr().out
    assert "[100%]" in out  # pytest's own progress
    assert out.splitlines()[-1] == "1 passed, 2 failed, 1 skipped"
    runs, text = recorded(tmp_path)
    (run,) = runs.values()
    assert list(runs) == ["2025.12, 100 examples, derandomised"]
    none = dict.fromkeys(["passed", "failed", "skipped", "xfailed", "xpassed", "error"], 0)
    assert run["totals"] == dict.fromkeys(none, 1)
    assert run["chapters"] == {
        "Fourier transforms": none | {"failed": 1, "xfailed": 1},
        "Linear algebra": none | {"xpassed": 1, "error": 1},
        "Set functions": none | {"passed": 1, "skipped": 1},
    }
    assert run["skipped"] == {"array_api_tests/test_set_functions.py::test_skip": "not (yet), so"}
    (why,) = run["failed"].values()
    assert why.startswith("assert [1] == (1,)")
    assert run["error"] == {
        "array_api_tests/test_linalg.py::test_error": "ZeroDivisionError: division by zero"
    }
    assert run["suite"] == run["standard"] == "unknown"
    assert {"python", "arraygrad", "numpy", "array-api-compat", "hypothesis"} <= set(
        run["versions"]
    )
    assert "| 2025.12 | 100 | derandomised | 1 | 1 | 1 | 1 | 1 | 1 | unknown |" in text
    assert "| Fourier transforms | 0 | 1 | 0 | 1 | 0 | 0 |" in text
    assert "`not (yet), so`:\n\n- `array_api_tests/test_set_functions.py::test_skip`" in text
    assert f"`{why}`:\n\n- `array_api_tests/test_fft.py::test_fail`" in text

    given = json.loads((folder / "given.json").read_text())
    assert (given["max_examples"], given["disable_deadline"], given["derandomize"]) == (100, 1, 1)
    assert given["env"]["ARRAY_API_TESTS_MODULE"] == "arraygrad"
    assert given["env"]["ARRAY_API_TESTS_VERSION"] == "2025.12"


def test_a_comparison_succeeds_where_nothing_fails_that_passed_before(
    suite, official, tmp_path, capfd
):
    reports = tmp_path / "reports"
    folder = suite(linalg=PASS, fft=FAIL)
    assert official("--suite", folder, "--compare", reports) == 1  # nothing is known to fail
    assert official("--suite", folder, "--compare", reports) == 0
    suite(linalg=ERROR, set_functions=PASS)
    capfd.readouterr()
    assert official("--suite", folder, "--compare", reports) == 1
    new = [line for line in capfd.readouterr().out.splitlines() if "did not fail before" in line]
    assert len(new) == 1
    assert "test_linalg.py::test_error" in new[0]


def test_runs_live_in_one_report_and_each_replaces_its_own(suite, official, tmp_path, monkeypatch):
    folder = suite(fft=PASS + SKIP)
    monkeypatch.setenv("ARRAYGRAD_ARRAY_API_TESTS", str(folder))
    assert official("--revision", "2024.12") == 0
    assert official("--max-examples", 7, "--seed", 3) == 0
    given = json.loads((folder / "given.json").read_text())
    assert (given["max_examples"], given["derandomize"]) == (7, False)
    assert given["--hypothesis-seed"] == "3"
    before, _ = recorded(tmp_path)
    suite(fft=FAIL)
    assert official("--max-examples", 7, "--seed", 3) == 1

    runs, text = recorded(tmp_path)
    names = ["2025.12, 7 examples, seed 3", "2024.12, 100 examples, derandomised"]
    assert list(runs) == list(before) == names
    assert runs[names[1]] == before[names[1]]
    assert [run["totals"]["passed"] for run in runs.values()] == [0, 1]
    assert f"## {names[0]}\n\n### Not passed\n" in text
    assert f"## {names[1]}" not in text  # all passed, and it is not the main run
    assert "Chapter" not in text


def test_a_peer_is_measured_by_the_same_command_and_has_its_own_report(
    suite, official, tmp_path, monkeypatch, capfd
):
    monkeypatch.setenv("DEVICE_SET", "no")
    name = (
        "def test_name():\n    from array_api_tests import xp\n    assert 'compat' in xp.__name__\n"
    )
    folder = suite(fft=DEVICE + name)
    path = folder / "array_api_tests/__init__.py"
    path.write_text(
        "import os\nfrom importlib import import_module\n"
        "xp = import_module(os.environ['ARRAY_API_TESTS_MODULE'])\n"
    )
    assert official("--suite", folder, "--backend", "numpy") == 0
    assert official("--suite", folder) == 1
    runs, text = recorded(tmp_path, "cpu-numpy")
    (run,) = runs.values()
    assert run["totals"]["passed"] == 2
    assert "suite on `cpu`: array_api_compat.numpy, for comparison" in text
    (ours,) = recorded(tmp_path)[0].values()
    assert ours["totals"]["failed"] == 1
    assert official("--suite", folder, "--backend", "numpy", "--device", "cuda") == 2
    assert "numpy is measured on cpu only; got cuda" in capfd.readouterr().err
    assert official("--suite", folder, "--backend", "cupy") == 2
    assert "cupy is measured on cuda only; got cpu" in capfd.readouterr().err

    from conformance import official as module

    assert "numpy" not in module.readme_summary(tmp_path / "reports")


@pytest.mark.parametrize(
    ("backend", "device", "tested"),
    [
        ("arraygrad", "cpu", "arraygrad"),
        ("arraygrad", "cuda", "exec('import arraygrad as xp; xp.default_device(\"cuda\")')"),
        ("jax", "cpu", "jax.numpy"),
        ("cupy", "cuda", "array_api_compat.cupy"),
    ],
)
def test_each_library_is_tested_through_its_own_namespace(backend, device, tested):
    from conformance.official import environment

    args = Namespace(backend=backend, device=device, revision="2025.12")
    env = environment("scratch", args)
    assert env["ARRAY_API_TESTS_MODULE"] == tested
    assert env.get("JAX_ENABLE_X64") == ("1" if backend == "jax" else None)


def test_success_needs_a_pass_and_nothing_but_passes_and_skips():
    from conformance.official import OUTCOMES, conforms

    none = dict.fromkeys(OUTCOMES, 0)
    assert conforms(none | {"passed": 1, "skipped": 2})
    assert not conforms(none | {"skipped": 2})
    for other in ("failed", "error", "xfailed", "xpassed"):
        assert not conforms(none | {"passed": 1, other: 1})


def test_workers_see_the_device_and_their_crash_is_a_failure(
    suite, official, tmp_path, monkeypatch
):
    monkeypatch.setenv("DEVICE_SET", "yes")
    folder = suite(fft=DEVICE, linalg=DIE, set_functions=DEVICE + SKIP)
    assert official("--suite", folder, "--workers", 2, "--device", "cpu:0") == 1
    runs, _ = recorded(tmp_path, "cpu-0")
    (run,) = runs.values()
    assert run["totals"]["passed"] == 2
    assert run["skipped"] == {"array_api_tests/test_set_functions.py::test_skip": "not (yet), so"}
    (why,) = run["failed"].values()
    assert "crashed while running" in why


@pytest.mark.parametrize(
    ("text", "workers"), [(DIE, 1), ("import nowhere\n", 2)], ids=["die", "load"]
)
def test_a_run_that_is_not_whole_leaves_the_report_as_it_was(
    text, workers, suite, official, tmp_path, capfd
):
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "official-cpu.json").write_text('{"runs": {}}')
    before = contents(reports)
    folder = suite(linalg=text, set_functions=PASS)
    assert official("--suite", folder, "--workers", workers) == 2
    assert "the report is as before" in capfd.readouterr().err
    assert contents(reports) == before


def test_an_unreadable_report_is_known_before_the_tests_run(suite, official, tmp_path, capfd):
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "official-cpu.json").write_text("[]")
    assert official("--suite", suite(fft=PASS)) == 2
    captured = capfd.readouterr()
    assert "is no report" in captured.err
    assert "test session starts" not in captured.out


@pytest.mark.parametrize("name", ["skips.txt", "xfails.txt"])
def test_lists_of_excused_tests_are_refused(name, suite, official, capfd):
    folder = suite(fft=PASS)
    (folder / name).write_text("array_api_tests/test_fft.py::test_pass\n")
    assert official("--suite", folder) == 2
    assert f"{name} would excuse tests" in capfd.readouterr().err


@pytest.mark.parametrize("part", ["array_api_tests", "array-api/src/array_api_stubs/_2024_12"])
def test_a_folder_that_is_not_the_suite_is_refused(part, suite, official, capfd):
    folder = suite()
    (folder / part).rename(folder / "elsewhere")
    assert official("--suite", folder, "--revision", "2024.12") == 2
    err = capfd.readouterr().err
    assert f"it has no {part}/" in err
    assert "git clone" in err


def test_an_unknown_device_is_refused(suite, official, capfd):
    assert official("--suite", suite(fft=PASS), "--device", "abacus") == 2
    assert "abacus" in capfd.readouterr().err


@pytest.mark.parametrize("option", [("--max-examples", "0"), ("--revision", "1999.12")])
def test_bad_options_are_refused(option, official):
    with pytest.raises(SystemExit) as stop:
        official(*option)
    assert stop.value.code == 2


# --- cloning


def git(folder, *command):
    who = ["-c", "user.name=n", "-c", "user.email=e"]
    out = subprocess.run(
        ["git", "-C", str(folder), *who, *command], check=True, capture_output=True, text=True
    )
    return out.stdout.strip()


@pytest.fixture
def remotes(suite, tmp_path, monkeypatch):
    """Stand-ins for the two repositories on GitHub, the one a submodule of the other."""
    from conformance import official

    folder = suite(fft=PASS)
    (folder / "array-api/src/array_api_stubs/_2025_12/set_functions.py").touch()
    standard = tmp_path / "standard"
    (folder / "array-api").rename(standard)
    for repository, name in ((standard, "STANDARD"), (folder, "SUITE")):
        git(repository, "init", "--quiet")
        git(repository, "add", ".")
        if name == "SUITE":
            link = f"160000,{official.STANDARD_COMMIT},array-api"
            git(folder, "update-index", "--add", "--cacheinfo", link)
        git(repository, "commit", "--quiet", "-m", "first")
        monkeypatch.setattr(official, name, repository.as_uri())
        monkeypatch.setattr(official, f"{name}_COMMIT", git(repository, "rev-parse", "HEAD"))
        (repository / "later").touch()
        git(repository, "add", "later")
        git(repository, "commit", "--quiet", "-m", "second")
    for command in official.clone_commands(tmp_path / "pinned"):
        subprocess.run(command, check=True)
    monkeypatch.setattr(official, "SUITE_SHA256", official.digest(tmp_path / "pinned"))
    return official


def test_the_pinned_suite_is_cloned_once(remotes, official, tmp_path, capfd, monkeypatch):
    assert official() == 0
    (cached,) = (tmp_path / "cache/arraygrad").iterdir()
    assert cached.name == f"array-api-tests-{remotes.SUITE_COMMIT[:7]}"
    (run,) = recorded(tmp_path)[0].values()
    assert run["standard"] == remotes.STANDARD_COMMIT
    assert run["suite"] == remotes.SUITE_COMMIT
    assert "not at the pinned" not in capfd.readouterr().out

    monkeypatch.setattr(remotes, "SUITE", "file:///nowhere")
    (cached / "given.json").unlink()  # which the stand-in for the suite writes there
    assert remotes.find_suite(None, "2025.12") == cached  # without the network

    git(cached, "checkout", "--quiet", "origin/HEAD")
    assert remotes.commit(cached) != remotes.SUITE_COMMIT
    (cached / "array-api/src/more").touch()
    assert remotes.commit(cached / "array-api") == f"{remotes.STANDARD_COMMIT} with local changes"
    (cached / "array_api_tests/plain").mkdir()
    assert remotes.commit(cached / "array_api_tests") == "unknown"


@pytest.mark.parametrize("file", ["conftest.py", "array-api/more.py", "array_api_tests/empty"])
def test_a_cached_suite_with_other_files_is_refused(file, remotes, official, tmp_path, capfd):
    cached = remotes.cached_suite()
    (cached / "__pycache__").mkdir()
    (cached / "__pycache__/conftest.pyc").touch()
    assert remotes.cached_suite() == cached
    (cached / file).write_text("# added\n")
    git(cached / file.partition("/")[0] if "array-api/" in file else cached, "add", ".")
    assert official() == 2
    assert f"{cached} has other files than were pinned" in capfd.readouterr().err


def test_a_clone_with_other_files_than_were_pinned_is_refused(
    remotes, official, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr(remotes, "SUITE_SHA256", "0" * 64)
    assert official() == 2
    assert "has other files than were pinned" in capfd.readouterr().err
    assert list((tmp_path / "cache/arraygrad").iterdir()) == []


@pytest.mark.parametrize("broken", ["SUITE", "STANDARD", "STANDARD_COMMIT", "PATH"])
def test_a_clone_that_fails_leaves_nothing_and_says_what_to_do(
    broken, remotes, official, tmp_path, capfd, monkeypatch
):
    if broken == "PATH":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(remotes, broken, "file:///nowhere" if "_" not in broken else "0" * 40)
    assert official() == 2
    err = capfd.readouterr().err
    where = tmp_path / "cache/arraygrad" / f"array-api-tests-{remotes.SUITE_COMMIT[:7]}"
    assert f"checkout --quiet --detach {remotes.SUITE_COMMIT}\n" in err
    assert f"git clone --no-checkout --filter=blob:none {remotes.STANDARD} {where}/array-api" in err
    assert "--suite" in err
    assert list((tmp_path / "cache/arraygrad").iterdir()) == []


# --- the command line and the files


def test_the_command_line():
    command = [sys.executable, "-m", "conformance"]
    run = subprocess.run(
        [*command, "official", "--suite", "nowhere"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: nowhere is not a checkout of https://github.com/data-apis")


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path):
    from conformance.report import write

    path = tmp_path / "new" / "report.md"
    write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "x" * 10_000 + "\ud800")
    assert contents(tmp_path) == {path: b"old"}
    write(path, "newer")
    assert contents(tmp_path) == {path: b"newer"}


def test_readme(tmp_path, capfd):
    from conformance.__main__ import main

    page = tmp_path / "README.md"
    page.write_text("# Title\n<!-- conformance:begin -->\nold\n<!-- conformance:end -->\nrest\n")
    command = ["readme", "--readme", str(page)]
    assert main([*command, "--report", str(tmp_path)]) == 2
    assert "has no reports" in capfd.readouterr().err

    assert main(command) == 0  # of the reports that are kept here
    text = page.read_text()
    link = "[`cpu`](conformance/reports/official-cpu.md)"
    assert (ROOT / "conformance/reports/official-cpu.md").is_file()
    assert f"| {link} | 2025.12 | 100 | derandomised |" in text
    assert text.startswith("# Title\n<!-- conformance:begin -->\n|")
    assert text.endswith("|\n<!-- conformance:end -->\nrest\n")
    assert main(command) == 0
    assert page.read_text() == text

    page.write_text("<!-- conformance:end --> <!-- conformance:begin -->")
    assert main(command) == 2
    assert "lacks the lines" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("model", "device", "name"),
    [("fakecuda (a CPU)", "cuda", "cuda-emulated"), ("NVIDIA H100", "cuda:1", "cuda-1")],
)
def test_the_report_of_an_emulated_gpu_says_so(
    model, device, name, suite, official, tmp_path, monkeypatch
):
    from conformance import official as module
    from conformance import report

    monkeypatch.setattr(report, "gpu", lambda device: model)
    monkeypatch.setattr(module, "versions", lambda device: {"GPU": model})
    monkeypatch.setattr(module, "run_tests", lambda suite, args: {"duration": 1, "tests": []})
    assert official("--suite", suite(), "--device", device) == 1
    content = json.loads((tmp_path / f"reports/official-{name}.json").read_text())
    where = name.replace("-emulated", ", emulated").replace("-", ":")
    assert content["device"] == where
    text = (tmp_path / f"reports/official-{name}.md").read_text()
    assert text.startswith(f"# The official array API test suite on `{where}`\n")
    assert f"| [`{where}`](" in module.readme_summary(tmp_path / "reports")


# --- the libraries' own tests

SCIPY_TESTS = """
import numpy as np
import pytest

def test_ours(xp):
    assert xp.__name__ == "arraygrad"

@pytest.mark.parametrize("n", [1, 2])
def test_devices(n, devices, xp):
    assert [*xp.__array_namespace_info__().devices(), None] == devices

@pytest.mark.skip_xp_backends(np_only=True, reason="for NumPy")
def test_np_only(xp):
    assert 0

@pytest.mark.skip_xp_backends("torch")
@pytest.mark.skip_xp_backends("array_api_strict")
def test_others(xp):
    pass

@pytest.mark.skip_xp_backends("numpy")
@pytest.mark.skip_xp_backends("torch")
@pytest.mark.skip_xp_backends("array_api_strict")
@pytest.mark.skip_xp_backends("cupy")
def test_lazy(xp):
    assert 0

@pytest.mark.skip_xp_backends("cupy", reason="CuPy's fault")
def test_not_for_cupy(xp):
    pass

@pytest.mark.skip_xp_backends(cpu_only=True, exceptions=["cupy"], reason="the host")
def test_on_the_host(xp):
    pass

def test_fails(xp):
    assert xp.asarray(1) == 2

def test_without_arrays():
    assert 0
"""


@pytest.mark.parametrize(
    ("device", "skipped"),
    [
        ("cpu", ["for NumPy", "lazy backends only"]),
        pytest.param(
            "cuda",
            ["for NumPy", "lazy backends only", "the host", "CuPy's fault"],
            marks=pytest.mark.cuda,
        ),
    ],
)
def test_scipys_marks_apply_to_ours_as_to_a_library_that_they_do_not_name(
    device, skipped, tmp_path
):
    """On a GPU, those for CuPy and for the CPU alone apply as well."""
    from conformance import libraries, official

    path = tmp_path / "scipy" / "part" / "test_some.py"
    path.parent.mkdir(parents=True)
    path.write_text(SCIPY_TESTS)
    options = [str(path), "-p", "scipy.conftest", "-p", "conformance.scipy_plugin", "-c/dev/null"]
    options.append(f"--rootdir={tmp_path}")
    args = Namespace(workers=1, device=device, backend="arraygrad")
    found = official.run_pytest(options, args, tmp_path, libraries.environment(args))
    result = libraries.summarise(found)
    assert {k: v for k, v in result["totals"].items() if v} == {
        "passed": 8 - len(skipped),
        "failed": 1,
        "skipped": len(skipped),
    }
    assert result["skipped"] == dict.fromkeys(skipped, 1)
    assert list(result["failed"]) == ["scipy/part/test_some.py::test_fails[arraygrad]"]
    assert list(result["subpackages"]) == ["part"]


def test_assertions_are_given_what_is_on_a_device_by_name_too():
    import numpy as np

    import arraygrad
    from conformance.scipy_plugin import on_host

    x = arraygrad.asarray([1.0, 2.0], device="strict:1")
    compare = on_host(np.testing.assert_allclose)
    compare(x, np.asarray([1.5, 2.5]), atol=x[0], rtol=0)
    with pytest.raises(AssertionError, match="Mismatched elements: 2 / 2"):
        compare(x, desired=x + 1)


@pytest.mark.parametrize("subject", [("scipy", "constants"), ("sklearn", "_loss")])
def test_a_librarys_own_tests_pass(subject, tmp_path, capfd):
    from conformance.__main__ import main

    assert main([*subject, "-n", "1", "--report", str(tmp_path)]) == 0
    last = capfd.readouterr().out.splitlines()[-1]
    assert "passed, 0 failed" in last
    assert not last.startswith("0 passed")
    assert list(tmp_path.iterdir()) == []  # part of the tests is no report


def outcome(name, outcome, why="AssertionError: 1 is not 2"):
    stage = {
        "outcome": outcome,
        "crash": {"message": why},
        "longrepr": f"('f', 1, 'Skipped: {why}')",
    }
    return {"nodeid": f"scipy/{name}", "outcome": outcome, "call": stage}


@pytest.fixture
def found(monkeypatch):
    """What the tests of a library are said to have given, and how they were run."""
    from conformance import libraries

    tests = [outcome("fft/tests/test_fft.py::test_a", "passed")]

    def run_tests(library, args):
        assert library is libraries.SCIPY
        return {"duration": 1.2, "tests": tests}

    monkeypatch.setattr(libraries, "run_tests", run_tests)
    return tests


def test_a_report_has_every_backend_side_by_side(found, tmp_path, capfd):
    from conformance.__main__ import main

    run = ["scipy", "--report", str(tmp_path)]
    found.append(outcome("stats/tests/test_s.py::test_b[torch]", "skipped", "not yet"))
    found.append(outcome("fft/tests/test_fft.py::test_c", "xfailed"))
    assert main([*run, "--backend", "array_api_strict"]) == 0
    found.append(outcome("fft/tests/test_fft.py::test_d", "failed"))
    found.append(outcome("stats/tests/test_s.py::test_e", "error", "broken"))
    assert main(run) == 1
    out = capfd.readouterr().out.splitlines()
    assert out[-1] == "1 passed, 2 failed, 1 skipped, 1 expected to fail"
    assert "not passed: scipy/fft/tests/test_fft.py::test_d: AssertionError: 1 is not 2" in out
    assert "not passed: scipy/stats/tests/test_s.py::test_e: broken" in out

    report = json.loads((tmp_path / "scipy-cpu.json").read_text())
    assert list(report["runs"]) == ["arraygrad", "array_api_strict"]
    assert report["runs"]["array_api_strict"]["versions"]["array_api_strict"]
    text = (tmp_path / "scipy-cpu.md").read_text()
    assert "| Subpackage | arraygrad | array_api_strict |" in text
    assert "| fft | 1 / 1 / 0 / 1 | 1 / 0 / 0 / 1 |" in text
    assert "| stats | 0 / 1 / 1 / 0 | 0 / 0 / 1 / 0 |" in text
    assert "| Total | 1 / 2 / 1 / 1 | 1 / 0 / 1 / 1 |" in text
    assert "`broken`:\n\n- `scipy/stats/tests/test_s.py::test_e`" in text
    assert "| 1 | `not yet` |" in text


def test_no_test_that_passed_is_no_success(found, tmp_path):
    from conformance.__main__ import main

    found[:] = [outcome("fft/tests/test_fft.py::test_a", "skipped", "not yet")]
    assert main(["scipy", "--report", str(tmp_path)]) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [(["scipy", "io"], "no array API tests in io"), (["sklearn", "--device", "abacus"], "abacus")],
)
def test_what_cannot_be_run_is_refused(options, words, tmp_path, capfd):
    from conformance.__main__ import main

    assert main([*options, "--report", str(tmp_path)]) == 2
    assert words in capfd.readouterr().err


# --- tests of other libraries


@pytest.fixture
def ecosystem(tmp_path, monkeypatch):
    """An environment with the tests of one library, which have a list of libraries."""
    from conformance import ecosystem

    suite = ecosystem.Suite("1", ("tests",), "0" * 64)
    monkeypatch.setattr(ecosystem, "SUITES", {"array-api-compat": suite})
    folder = tmp_path / "environment"
    tests = folder / "sources/array_api_compat-1/tests"
    tests.mkdir(parents=True)
    (tests / "__init__.py").touch()
    (tests / "_helpers.py").write_text("all_libraries = ['numpy']\n")
    python = ecosystem.python_of(folder)
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(ecosystem, "installed", lambda: folder)

    def run(text, *options):
        from conformance.__main__ import main

        head = "import pytest\nfrom ._helpers import all_libraries\n"
        (tests / "test_all.py").write_text(head + text)
        return main(["libraries", "--workers", "1", "--report", str(tmp_path / "out"), *options])

    return run


EACH = "@pytest.mark.parametrize('library', all_libraries)\n"
OURS = EACH + "def test_ours(library):\n    assert library == 'arraygrad'\n"
LISTED = (
    "is_array_functions = {}\n" + EACH + "def test_listed(library):\n"
    "    assert library in is_array_functions\n"
)


def test_libraries_run_with_us_alone(ecosystem, tmp_path, capfd):
    assert ecosystem(OURS + LISTED + "def test_other():\n    assert 0\n") == 0
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"
    report = json.loads((tmp_path / "out/libraries-cpu.json").read_text())
    run = report["runs"]["arraygrad"]
    assert run["subpackages"]["array-api-compat"]["passed"] == 1
    assert run["skipped"] == {"there is no is_*_array function for arraygrad": 1}
    assert run["versions"]["numpy"]
    text = (tmp_path / "out/libraries-cpu.md").read_text()
    assert "| array-api-compat | 1 / 0 / 1 / 0 |" in text


def test_a_failure_of_a_library_is_told(ecosystem, tmp_path, capfd):
    assert ecosystem(OURS + EACH + "def test_bad(library):\n    assert [1] == (1,)\n") == 1
    assert "test_bad[arraygrad]: " in capfd.readouterr().out
    assert "### Not passed" in (tmp_path / "out/libraries-cpu.md").read_text()


def test_chosen_libraries_are_not_recorded(ecosystem, tmp_path, capfd):
    assert ecosystem(OURS, "array-api-compat") == 0
    assert not (tmp_path / "out").exists()
    assert ecosystem(OURS, "numpy") == 2
    assert "there are no tests of numpy" in capfd.readouterr().err


def test_an_environment_that_cannot_be_made_leaves_nothing(tmp_path, capfd, monkeypatch):
    from conformance import ecosystem
    from conformance.__main__ import main

    monkeypatch.setattr(ecosystem.venv, "create", lambda folder, with_pip: folder.mkdir())
    monkeypatch.setattr(ecosystem, "python_of", lambda folder: Path("false"))
    assert main(["libraries", "--report", str(tmp_path / "out")]) == 2
    assert "the libraries could not be installed" in capfd.readouterr().err
    assert list((tmp_path / "cache/arraygrad").iterdir()) == []


def test_a_source_with_another_hash_is_refused(tmp_path, capfd, monkeypatch):
    from conformance import ecosystem
    from conformance.report import SetupError

    package = tmp_path / "index/thing-1"
    package.mkdir(parents=True)
    (package / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
    (package / "setup.py").write_text("from setuptools import setup\nsetup(name='thing')\n")
    archive = tmp_path / "index/thing-1.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(package, "thing-1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archive.parent))
    pip = [sys.executable, "-m", "pip"]
    with pytest.raises(SetupError, match="could not be installed"):
        ecosystem.fetch(pip, "thing", ecosystem.Suite("1", (), "0" * 64), tmp_path / "to")
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert not (tmp_path / "to").exists()
