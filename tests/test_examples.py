"""The examples run, and the documents' snippets show what happens."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]


def test_drop_in_matches_numpy_and_stays_a_tensor():
    command = [sys.executable, "-W", "error", ROOT / "examples" / "drop_in.py"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    head, *rows = (re.split(" {2,}", line.strip()) for line in run.stdout.splitlines())
    assert head == ["name", "library", "device", "result type", "max difference", "ok"]
    assert {library for _, library, *_ in rows} == {"this file", "SciPy", "scikit-learn"}
    for _, _, _, kind, difference, ok in rows:
        assert (kind, ok) == ("arraygrad.Tensor", "yes")
        assert float(difference) < 1e-9


def test_drop_in_fails_when_results_differ():
    # An estimator that is not scikit-learn's: its numbers are off for tensors alone.
    code = (
        "import runpy, sys\n"
        "drop_in = runpy.run_path(sys.argv[1])\n"
        "wrong = lambda x: x if isinstance(x, drop_in['np'].ndarray) else x * 1.001\n"
        "drop_in['COMPUTATIONS']['wrong'] = (wrong, 'this test')\n"
        "sys.exit(drop_in['main']())"
    )
    command = [sys.executable, "-c", code, ROOT / "examples" / "drop_in.py"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout.splitlines()[-1].split()[-1] == "NO"


def test_two_layer_net_reaches_the_same_losses_every_way():
    command = [sys.executable, "-W", "error", ROOT / "examples" / "two_layer_net.py", "--steps=40"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    head, *rows = (re.split(" {2,}", line.strip()) for line in run.stdout.splitlines())
    assert head == ["way", "first loss", "last loss", "µs a step"]
    names = ["NumPy by hand", "tensors by hand, cpu", "backward, cpu", "value_and_grad, cpu"]
    assert [name for name, *_ in rows][:4] == names
    first, last = (float(x) for x in rows[0][1:3])
    assert 0 < last < first / 100
    for _, *losses, _ in rows:
        assert [float(x) for x in losses] == pytest.approx([first, last], rel=1e-4)


def test_two_layer_net_fails_when_losses_differ():
    code = (
        "import runpy, sys\n"
        "names = runpy.run_path(sys.argv[1])['main'].__globals__\n"
        "right = names['loss_of']\n"
        "names['loss_of'] = lambda *args: right(*args) * 1.001\n"
        "sys.exit(names['main'](['--steps=5']))"
    )
    command = [sys.executable, "-c", code, ROOT / "examples" / "two_layer_net.py"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "AssertionError" in run.stderr


def test_data_parallel_trains_as_one_process_does(tmp_path):
    picture = tmp_path / "losses.png"
    options = ["--steps=20", "--samples=200", f"--picture={picture}"]
    command = [sys.executable, "-W", "error", ROOT / "examples" / "data_parallel.py", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    progress, _, figures = run.stdout.partition("\n\n")
    assert len(progress.splitlines()) == 10
    head, *rows, difference, _ = (re.split(" {2,}", line) for line in figures.splitlines())
    assert head == ["way", "first loss", "last loss", "ms a step"]
    (two, *losses, _), (one, *expected, _) = rows
    assert (two, one) == ("two processes", "one process")
    assert losses == expected
    assert float(losses[1]) < float(losses[0])
    assert float(re.match("largest difference of a weight: (.*);", difference[0])[1]) < 1e-12
    assert picture.read_bytes().startswith(b"\x89PNG")


#: Examples that draw a picture: how to run them in small, and what they print last but the picture.
PICTURES = {
    "tensors.py": (["--sizes=32,64"], r"    64 +[0-9.]+"),
    "classifier.py": (["--epochs=25"], r"accuracy on 1,000 new points: 0\.9\d+"),
    "digits_convnet.py": (["--epochs=6"], r"accuracy on 360 images: 0\.[89]\d+, after .*"),
    "gaussian_process.py": (["--samples=40"], r"minus log likelihood .* steps"),
    "fit_scipy_model.py": (["--trials=100"], r"guessing +0\.250 +0\.2\d+ +0\.0\d+"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name, tmp_path):
    options, last = PICTURES[name]
    picture = tmp_path / "picture.png"
    command = [sys.executable, "-W", "error", ROOT / "examples" / name, *options]
    run = subprocess.run(
        [*command, f"--picture={picture}"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    *_, line, drawn = run.stdout.splitlines()
    assert re.fullmatch(last, line), line
    assert drawn == f"picture: {picture}"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_snippets_of_the_documents(path):
    # A fence would be read as expected output; a blank line in its place keeps the numbering.
    page = path.read_text(encoding="utf-8")
    text = re.sub("^```.*$", "", page, flags=re.MULTILINE)
    snippets = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    assert bool(snippets.examples) == ("```python" in page)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    report: list[str] = []
    runner.run(snippets, out=report.append)
    assert not runner.summarize(verbose=False).failed, "".join(report)


def test_continuous_integration_runs_the_command_of_the_readme():
    # It takes the one line that calls pytest; so there is one, and it starts from nothing.
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line for line in lines if " -m pytest" in line]
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "grep -- ' -m pytest' README.md" in script.read_text(encoding="utf-8")
