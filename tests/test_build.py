"""What an installation compiles."""

import re
from pathlib import Path

import pytest

import arraygrad as xp

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "arraygrad"


def test_compiled_modules_exist():
    text = (ROOT / "hatch_build.py").read_text()
    (modules,) = re.findall(r'MODULES = """(.*?)"""', text, re.S)
    names = modules.split()
    assert len(names) == len(set(names)) > 5
    for name in names:
        assert PACKAGE.joinpath(*name.split(".")).with_suffix(".py").exists(), name
    described = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.pxd")}
    # (Two have only functions to be inlined.)
    compiled = {Path(*name.split(".")) for name in names}
    assert described - compiled == {Path("_backends", "_ndarray"), Path("_cpython")}


@pytest.mark.parametrize("bad", [None, 1, "x"])
def test_internal_functions_refuse_what_is_not_a_tensor(bad):
    """None, too, which Cython lets pass for any class, raises."""
    with pytest.raises((TypeError, AttributeError)):
        xp._memory.save(bad)
    with pytest.raises(TypeError, match="expected a Tensor"):
        xp._dispatch.unary("sin", bad)
