"""The examples run, and the documents' snippets show what happens."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from backends.emulated import EMULATED, needs_emulation

import arraygrad as xp

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]

#: The GPUs of an example's process; an emulated machine has two.
GPUS = [f"cuda:{i}" for i in range(2)]
if not EMULATED:
    GPUS = [str(d) for d in xp.__array_namespace_info__().devices() if d.type == "cuda"]
ENVIRONMENT = {**os.environ, "FAKECUDA_DEVICES": "2"}
#: The CPU alone, or GPUs too.
kinds = pytest.mark.parametrize("kind", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])


def printed(name, *options, **environment):
    """What an example prints, which ends well and warns of nothing."""
    command = [sys.executable, "-W", "error", ROOT / "examples" / name, *options]
    env = ENVIRONMENT | environment
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.rstrip("\n")


def cells(lines):
    """The columns of lines that are a table."""
    return [re.split(" {2,}", line.strip()) for line in lines]


@kinds
def test_drop_in_matches_numpy_and_stays_a_tensor(kind):
    head, *rows = cells(printed("drop_in.py").splitlines())
    assert head == ["name", "library", "device", "result type", "max difference", "ok"]
    assert {library for _, library, *_ in rows} == {"this file", "SciPy", "scikit-learn"}
    assert {device for _, _, device, *_ in rows} == {GPUS[0] if GPUS else "cpu"}
    for _, _, _, type_, difference, ok in rows:
        assert (type_, ok) == ("arraygrad.Tensor", "yes")
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


@kinds
def test_two_layer_net_reaches_the_same_losses_every_way(kind):
    head, *rows = cells(printed("two_layer_net.py", "--steps=40").splitlines())
    assert head == ["way", "first loss", "last loss", "µs a step"]
    ways = ("tensors by hand", "backward", "value_and_grad")
    names = [f"{way}, {device}" for device in ["cpu", *GPUS] for way in ways]
    assert [name for name, *_ in rows] == ["NumPy by hand", *names]
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


@kinds
def test_data_parallel_trains_as_one_process_does(kind, tmp_path):
    picture = tmp_path / "losses.png"
    options = ["--steps=20", "--samples=200", f"--picture={picture}", f"--device={kind}"]
    progress, _, figures = printed("data_parallel.py", *options).partition("\n\n")
    assert len(progress.splitlines()) == 10
    head, *rows, difference, _ = cells(figures.splitlines())
    assert head == ["way", "first loss", "last loss", "ms a step"]
    (two, *losses, _), (one, *expected, _) = rows
    assert (two, one) == ("two processes", "one process")
    assert losses == expected
    assert float(losses[1]) < float(losses[0])
    assert float(re.match("largest difference of a weight: (.*);", difference[0])[1]) < 1e-12
    assert picture.read_bytes().startswith(b"\x89PNG")


ON_A_GPU = """
import runpy
import sys

import cupy
import numpy as np
from distributed import Client

import arraygrad as xp
from arraygrad import distributed


def loss(w, x):
    here = cupy.cuda.runtime.deviceGetPCIBusId(cupy.cuda.Device().id), str(x.device), str(w.device)
    return xp.mean((x @ w) ** 2), here


if __name__ == "__main__":
    example = runpy.run_path(sys.argv[1])
    x = xp.reshape(xp.linspace(-1.0, 1.0, 24), (8, 3))
    with example["two_processes"]() as cluster, Client(cluster) as client:
        step = distributed.value_and_grad(loss, has_aux=True, device="cuda")
        batch = distributed.shard(x, 4, client=client, device="cuda")
        (value, places), gradient = step(xp.ones(3), batch)
    np.testing.assert_allclose(gradient.numpy(), (2 * x.T @ (x @ xp.ones(3)) / 8).numpy())
    for place in sorted(set(places)):
        print(*place)
"""


def places(tmp_path, **environment):
    """The buses of the GPUs of the example's processes, and what they call them."""
    program = tmp_path / "program.py"
    program.write_text(ON_A_GPU)
    lines = printed(program, ROOT / "examples" / "data_parallel.py", **environment).splitlines()
    return {line.partition(" ")[::2] for line in lines}


@pytest.mark.cuda
def test_data_parallel_gives_each_process_a_gpu(tmp_path):
    found = places(tmp_path)
    assert len({bus for bus, _ in found}) == len(found) == min(2, len(GPUS))
    assert {names for _, names in found} == {"cuda:0 cuda:0"}


@needs_emulation
def test_data_parallel_uses_the_gpus_that_it_sees(tmp_path):
    found = places(tmp_path, FAKECUDA_DEVICES="4", CUDA_VISIBLE_DEVICES="3,1")
    assert found == {(f"0000:{bus}:00.0", "cuda:0 cuda:0") for bus in ("01", "03")}


#: Examples that draw a picture: how to run them in small, on the CPU and on a GPU, and what they
#: print last but the picture.
PICTURES = {
    "tensors.py": ("--sizes=32,64", "--sizes=32,64", r"    64( +[0-9.]+)+"),
    "classifier.py": ("--epochs=25", "--epochs=10", r"accuracy on 1,000 new points: 0\.9\d+"),
    "digits_convnet.py": (
        *("--epochs=6", "--epochs=2"),
        r"accuracy on 360 images: 0\.([89]\d+, after .* on cpu|[5-9]\d+, after .* on cuda.*)",
    ),
    "gaussian_process.py": ("--samples=40", "--samples=40", r"minus log likelihood .* steps"),
    "leave_one_out.py": ("--samples=30", "--samples=30", r"largest .* the closed form: .e-1\d"),
    "fit_scipy_model.py": (
        *("--trials=100", "--trials=100"),
        r"guessing +0\.250 +0\.2\d+ +0\.0\d+",
    ),
    "deblur.py": ("--steps=60", "--steps=5", r"signal to noise 21\.\d dB -> 2[456]\.\d dB"),
    "predator_prey.py": ("--steps=3", "--steps=2", r"misfit 0\.\d+ -> 0\.0\d+, .* stages"),
    "hmc.py": ("--moves=120", "--moves=120", r"chains agree: ratio of spreads 1\.[01]\d+"),
    "achromat.py": ("--rays=7", "--rays=7", r"radii of the surfaces: 6\d\.\d, -4\d\.\d, .* steps"),
    "filter_design.py": ("--sections=2", "--sections=2", r"largest pole 0\.[5-9]\d+"),
}


@kinds
@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name, kind, tmp_path):
    on_cpu, on_gpu, last = PICTURES[name]
    options = [on_gpu if kind == "cuda" else on_cpu]
    if name != "tensors.py":  # it compares the CPU with the first GPU
        options.append(f"--device={GPUS[-1] if kind == 'cuda' else 'cpu'}")
    picture = tmp_path / "picture.png"
    *_, line, drawn = printed(name, *options, f"--picture={picture}").splitlines()
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
    assert "command_in README.md ' -m pytest'" in script.read_text(encoding="utf-8")
