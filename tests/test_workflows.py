"""The files of continuous integration agree with the commands and the package that they name."""

import json
import os
import re
from pathlib import Path

import pytest

import arraygrad as xp
from benchmarks import compare

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_workflows_call_steps_that_exist():
    steps = set(re.findall(r"(?m)^(\w+)\(\) \{", (ROOT / ".ci" / "run").read_text("utf-8")))
    called = set()
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        called |= set(re.findall(r"\.ci/run (\w+)", text))
        for listed in re.findall(r"(?m)^ +step: \[(.*)\]", text):
            called |= set(listed.split(", "))
        for script in re.findall(r"run: (\.ci/[\w-]+)", text):
            assert os.access(ROOT / script, os.X_OK), f"{script} is not executable"
    assert {"tests", "lint", "docs", "compiled", "oldest", "wheel"} <= called <= steps


def test_workflows_may_only_read_unless_a_job_says_otherwise():
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        assert "\npermissions:\n  contents: read\n" in text, path.name


def test_workflows_pin_actions_by_their_commits():
    """A tag can be moved. Dependabot updates a commit together with the version beside it."""
    for path in WORKFLOWS:
        lines = re.findall(r"(?m)^ +(?:- )?uses: .*", path.read_text("utf-8"))
        for line in lines:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{path.name}: {line}"
        assert lines, path.name


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    recipe = (ROOT / "packaging" / "conda" / "recipe.yaml").read_text("utf-8")
    assert f"\nversion: {xp.__version__}\n" in citation
    assert f'\n  version: "{xp.__version__}"\n' in recipe


def test_the_oldest_dependencies_are_the_lower_bounds():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    pins = re.findall(r"(?m)^([\w-]+)==([\d.]+)$", (ROOT / ".ci/oldest.txt").read_text("utf-8"))
    bounds = re.findall(r'"([\w-]+)(?:\[\w+\])?>=([\d.]+)', project)
    bounds = {(name.replace("_", "-"), bound) for name, bound in bounds}
    assert {"numpy", "array-api-compat", "optree", "scipy"} <= {name for name, _ in pins}
    for name, pin in pins:
        found = [bound for known, bound in bounds if known == name]
        assert any(f"{pin}.".startswith(f"{bound}.") for bound in found), (name, pin, found)


@pytest.mark.parametrize("after", [1.0, 2.0])
def test_a_comparison_shows_the_operations_that_changed(tmp_path, after):
    files = {}
    for name, sine in (("before", 1.0), ("after", after)):
        for run, noise in enumerate((1.0, 3.0)):  # the slower run does not count
            times = {"sin": sine * noise, "cos": 1.0}
            times = {key: {"ours": time, "numpy": 0.5} for key, time in times.items()}
            path = tmp_path / f"{name}-{run}.json"
            path.write_text(json.dumps({"microseconds": times}))
            files.setdefault(name, []).append(str(path))
    text = compare.comparison(*(compare.relative(files[name]) for name in ("before", "after")))
    if after == 1.0:
        assert "No operation changed" in text
    else:
        assert re.search(r"`sin` +\| +2\.00 \| +4\.00 \| +2\.00", text)
        assert "cos" not in text
