"""What the compiled modules know of the others, and what an installation compiles."""

import ctypes
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import Device, Tensor
from arraygrad.autodiff import _backward, _engine, _rules, _traced

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "arraygrad"
CLASSES = [Tensor, Device, _traced.Node, _rules.Rule]


def structs():
    """The fields of each struct in the .pxd files, in order."""
    text = "".join(path.read_text() for path in sorted(PACKAGE.rglob("_layout.pxd")))
    found = re.findall(r"typedef struct \{(.*?)\} arraygrad_(\w+);", text, re.S)
    return {name: re.findall(r"\*(\w+)(?=[,;])(?! weak)", fields) for fields, name in found}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_layout_is_that_of_the_slots(cls):
    fields = structs()[cls.__name__.lower()]
    assert set(fields) == set(cls.__slots__) - {"__weakref__"}
    x = cls.__base__.__new__(cls)
    for i, name in enumerate(fields):
        value = object()
        setattr(x, name, value)
        place = id(x) + object.__basicsize__ + i * ctypes.sizeof(ctypes.c_void_p)
        assert ctypes.c_void_p.from_address(place).value == id(value), name


@pytest.mark.parametrize(
    "a", [np.zeros(()), np.ones((2, 3), "c8")[::-1, 1:], np.ones((4, 1, 2), ">i2"), np.ones(0, "?")]
)
def test_layout_is_that_of_numpys_arrays(a):
    """What `_native.pxd` reads of an array and of its dtype."""

    class Array(ctypes.Structure):
        _fields_: ClassVar = [
            ("head", ctypes.c_byte * object.__basicsize__),
            ("data", ctypes.c_void_p),
            ("nd", ctypes.c_int),
            ("dimensions", ctypes.POINTER(ctypes.c_ssize_t)),
            ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
            ("base", ctypes.c_void_p),
            ("descr", ctypes.c_void_p),
            ("flags", ctypes.c_int),
        ]

    found = Array.from_address(id(a))
    assert tuple(found.dimensions[: found.nd]) == a.shape
    assert tuple(found.strides[: found.nd]) == a.strides
    assert (found.data, found.descr) == (a.ctypes.data, id(a.dtype))
    assert (found.flags & 0x404 == 0x404) == (a.flags.owndata and a.flags.writeable)
    kind = found.descr + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p)
    assert ctypes.c_char.from_address(kind).value.decode() == a.dtype.kind
    assert f"{np.ndarray.__module__}.{np.ndarray.__name__}" == "numpy.ndarray"


def test_compiled_modules_exist():
    text = (ROOT / "hatch_build.py").read_text()
    (modules,) = re.findall(r'MODULES = """(.*?)"""', text, re.S)
    names = modules.split()
    assert len(names) == len(set(names)) > 5
    for name in names:
        assert PACKAGE.joinpath(*name.split(".")).with_suffix(".py").exists(), name
    described = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.pxd")}
    assert described - {Path(*name.split(".")) for name in names} == {
        Path("_native"),
        Path("_layout"),
        Path("autodiff", "_layout"),
    }


def test_all_or_nothing_is_compiled():
    """Those that count references count them alike."""
    kinds = {module.__file__.endswith(".py") for module in (xp._dispatch, _engine, _backward)}
    assert len(kinds) == 1


@pytest.mark.parametrize("bad", [None, 1, "x"])
def test_internal_functions_refuse_what_is_no_tensor(bad):
    """None, too, which Cython lets pass for any class, raises."""
    with pytest.raises((TypeError, AttributeError)):
        xp._dispatch.keep(bad)
