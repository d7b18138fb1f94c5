"""What an installation compiles."""

import ast
import re
import warnings
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
        file = PACKAGE.joinpath(*name.split("."))
        assert file.with_suffix(".py").exists() or file.with_suffix(".pyx").exists(), name
    described = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.pxd")}
    # (Two have only functions to be inlined.)
    compiled = {Path(*name.split(".")) for name in names}
    assert described - compiled == {Path("_backends", "_ndarray"), Path("_cpython")}


def attributes_set(tree):
    """The attributes of `self` to which a class assigns."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            for x in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(x, ast.Attribute) and ast.unparse(x.value) == "self":
                    yield x.attr


def test_compiled_classes_declare_their_attributes():
    pattern = r"^cdef class (\w+)(?:\((\w+)\))?:\n((?:[ \t]+.*\n|\n)*)"
    declared, bases, files = {}, {}, {}
    for path in PACKAGE.rglob("*.pxd"):
        for name, base, body in re.findall(pattern, path.read_text(), re.M):
            lines = re.findall(r"^ +cdef (?:public |readonly )?\w+ ([\w, ]+)$", body, re.M)
            declared[name] = {x.strip() for line in lines for x in line.split(",")}
            bases[name], files[name] = base, path.with_suffix(".py")
    assert "Recorder" in declared
    for name, file in files.items():
        tree = ast.parse(file.read_text())
        (found,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
        known, base = declared[name], bases[name]
        while base in declared:
            known, base = known | declared[base], bases[base]
        assert set(attributes_set(found)) <= known, name


@pytest.mark.parametrize("bad", [None, 1, "x"])
def test_internal_functions_refuse_what_is_not_a_tensor(bad):
    """None, too, which Cython lets pass for any class, raises."""
    with pytest.raises((TypeError, AttributeError)):
        xp._memory.save(bad)
    with pytest.raises(TypeError, match="expected a Tensor"):
        xp._dispatch.unary("sin", bad)


def test_warnings_of_operators_point_at_the_line_of_the_user_where_they_are_compiled():
    """Functions and, uncompiled, operators have Python frames of their own, which NumPy names."""
    x, zeros = xp.asarray([1.0, 1e300]), xp.zeros(2)
    compiled = not xp._dispatch.__file__.endswith(".py")
    for call in (
        lambda: x / zeros,
        lambda: x * x,
        lambda: 1.0 / zeros,
        lambda: xp.asarray(x, copy=True).__imul__(x),
    ):
        with pytest.warns(RuntimeWarning, match="encountered") as found:
            call()
        names = {Path(warning.filename).name for warning in found}
        assert names == ({Path(__file__).name} if compiled else {"_dispatch.py"})


def test_warnings_as_errors_show_the_line_of_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning) as raised:
            xp.log(xp.zeros(2))
    assert str(raised.traceback[0].path) == __file__
