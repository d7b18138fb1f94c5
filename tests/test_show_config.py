"""`show_config`: what a bug report says of an installation."""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import arraygrad as xp


def test_the_dictionary_names_versions_devices_and_threads():
    config = xp.show_config(mode="dict")
    assert json.loads(json.dumps(config)) == config
    assert config["versions"]["arraygrad"] == xp.__version__
    assert config["versions"]["python"] == platform.python_version()
    for name in ("numpy", "array-api-compat", "optree"):
        assert config["versions"][name] == version(name)
    assert config["platform"]["machine"] == platform.machine()
    assert config["devices"]["cpu"]["threads"] == xp.get_num_threads()
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    assert config["devices"]["cpu"]["BLAS"].startswith(blas["name"])


def test_it_prints_what_the_dictionary_contains(capsys):
    assert xp.show_config() is None
    printed = capsys.readouterr().out
    config = xp.show_config(mode="dict")
    for value in (
        *config["versions"].values(),
        *config["compiled"],
        config["devices"]["cpu"]["BLAS"],
    ):
        assert str(value) in printed
    assert f"  numpy: {np.__version__}\n" in printed
    assert ("compiled: none\n" in printed) == (not config["compiled"])


def test_the_compiled_modules_are_those_that_python_loads_as_extensions():
    loaded = {
        name.removeprefix("arraygrad.")
        for name, module in list(sys.modules.items())
        if name.startswith("arraygrad.") and not (module.__file__ or ".py").endswith(".py")
    }
    compiled = xp.show_config(mode="dict")["compiled"]
    assert loaded <= set(compiled)
    assert ("_dispatch" in compiled) == (not xp._dispatch.__file__.endswith(".py"))


def test_an_extension_module_counts_as_compiled(monkeypatch, tmp_path):
    (tmp_path / "autodiff").mkdir()
    for name in ("_dispatch.py", f"_dispatch{xp._inspection.EXTENSION_SUFFIXES[0]}"):
        (tmp_path / name).touch()
        (tmp_path / "autodiff" / name).touch()
    monkeypatch.setattr(xp._inspection, "__file__", str(tmp_path / "_inspection.py"))
    assert xp.show_config(mode="dict")["compiled"] == ["_dispatch", "autodiff._dispatch"]


def test_without_a_gpu_it_says_what_is_missing():
    devices = xp.show_config(mode="dict")["devices"]
    if any(device.type == "cuda" for device in xp.__array_namespace_info__().devices()):
        assert "cuda" not in devices
    else:
        assert "there is no 'cuda'" in devices["cuda"] or "there is no cuda:0" in devices["cuda"]


@pytest.mark.cuda
def test_a_gpu_has_its_name_and_the_versions_of_cuda():
    import cupy as cp

    config = xp.show_config(mode="dict")
    gpu = config["devices"]["cuda:0"]
    assert gpu["name"] == cp.cuda.runtime.getDeviceProperties(0)["name"].decode()
    runtime = cp.cuda.runtime.runtimeGetVersion()
    assert gpu["CUDA runtime"] == f"{runtime // 1000}.{runtime // 10 % 100}"
    assert any(name.startswith("cupy") for name in config["versions"])


def test_the_environment_shows_what_arraygrad_reads(monkeypatch):
    monkeypatch.setenv("ARRAYGRAD_EXAMPLE", "1")
    monkeypatch.setenv("UNRELATED_SECRET", "2")
    environment = xp.show_config(mode="dict")["environment"]
    assert environment["ARRAYGRAD_EXAMPLE"] == "1"
    assert "UNRELATED_SECRET" not in environment


@pytest.mark.parametrize("mode", ["dicts", None, 1])
def test_another_mode_raises(mode):
    with pytest.raises(ValueError, match="show_config: mode must be 'stdout' or 'dict'; got "):
        xp.show_config(mode=mode)


def test_the_template_of_bug_reports_asks_for_it():
    template = Path(__file__).parents[1] / ".github" / "ISSUE_TEMPLATE" / "bug.yml"
    assert "xp.show_config()" in template.read_text(encoding="utf-8")
