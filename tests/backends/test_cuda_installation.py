"""What is missing of an installation is said, with the function called and what to install."""

import subprocess
import sys

import pytest

HEADER = """
import sys
import numpy as np
import arraygrad as xp
from arraygrad import fft, linalg

def says(name, call, *words, error=RuntimeError):
    try:
        call()
    except error as e:
        text = str(e)
        missing = [w for w in (name, "pip install", "[ctk]", *words) if w not in text]
        assert not missing, (missing, text)
    else:
        raise AssertionError(f"{name} raised nothing")
"""

#: A kernel needs CUDA's headers, which no driver brings.
WITHOUT_HEADERS = """
import cuda.pathfinder
cuda.pathfinder.find_nvidia_header_directory = lambda *_: None
x = xp.asarray(np.ones(3)).to_device("cuda")  # a copy needs no kernel
z = xp.asarray(np.ones((2, 2))).to_device("cuda")
for name, call in {
    "add": lambda: x + 1,
    "max": lambda: xp.max(x),
    "ones": lambda: xp.ones(3, device="cuda"),
    "asarray": lambda: xp.asarray(1.0, device="cuda"),
    "to_device": lambda: xp.asarray(1.0).to_device("cuda"),
    "default_rng": lambda: xp.random.default_rng(0, device="cuda"),
    "__setitem__": lambda: x.__setitem__(0, -0.0),
    "linalg.inv": lambda: linalg.inv(z),
    "special.gamma": lambda: xp.special.gamma(x),
    "concat": lambda: xp.concat([x, x]),
    "where": lambda: xp.where(x, x, x),
}.items():
    says(name, call, "headers", "cupy-cuda")
"""

#: CuPy imports a library when it first needs it.
WITHOUT_LIBRARIES = """
x, z = xp.ones((2, 2), device="cuda"), xp.ones(4, dtype=xp.complex128, device="cuda")
for library in ("cublas", "cusolver", "cufft", "cusparse"):
    for name in [n for n in sys.modules if n.rpartition(".")[2] == library]:
        del sys.modules[name]
    for package in ("cupy_backends.cuda.libs.", "cupy.cuda."):
        sys.modules[package + library] = None
for name, call in {
    "matmul": lambda: x @ x,
    "tensordot": lambda: xp.tensordot(x, x),
    "linalg.solve": lambda: linalg.solve(x, x),
    "linalg.cholesky": lambda: linalg.cholesky(x),
    "linalg.svd": lambda: linalg.svd(x),
    "linalg.eigh": lambda: linalg.eigh(x),
    "fft.fft": lambda: fft.fft(z),
    "fft.irfftn": lambda: fft.irfftn(z),
}.items():
    says(name, call, "libraries", "cupy-cuda")
assert (x + 1).tolist() == [[2.0, 2.0], [2.0, 2.0]]  # a kernel needs none of them
"""

#: Before CUDA 12.6.2, cuSOLVER has no geev.
WITH_AN_OLD_CUDA = """
import cupyx.cusolver
cupyx.cusolver.check_availability = lambda name: name != "geev"
x = xp.ones((2, 2), device="cuda")
for name in ("eig", "eigvals"):
    says(f"linalg.{name}", lambda: getattr(linalg, name)(x), "12.6.2", "cuSOLVER")
linalg.eigvalsh(x)
"""


@pytest.mark.cuda
@pytest.mark.parametrize(
    "program",
    [WITHOUT_HEADERS, WITHOUT_LIBRARIES, WITH_AN_OLD_CUDA],
    ids=["headers", "libraries", "old"],
)
def test_what_is_missing_of_cuda(program):
    _run(HEADER + program)


WITHOUT_A_DRIVER = """
import cupy
import arraygrad as xp
from arraygrad._backends import cupy as backend

def no_driver():
    raise cupy.cuda.runtime.CUDARuntimeError(35)

cupy.cuda.runtime.getDeviceCount = no_driver
assert backend.count() == 0
assert xp.__array_namespace_info__().devices() == ("cpu",)
try:
    xp.zeros(1, device="cuda")
except ValueError as error:
    for word in ("finds no GPU", "cudaError", "nvidia-smi"):
        assert word in str(error), error
else:
    raise AssertionError
"""


@pytest.mark.cuda
def test_without_a_driver():
    _run(WITHOUT_A_DRIVER)


#: A module in the place of CuPy that is too old, or that has lost what it never promised.
OTHER_CUPY = """
import sys, types
import arraygrad as xp

cupy = types.ModuleType("cupy")
cupy.__version__ = {version!r}
cupy.__path__ = []
cupy._core = types.ModuleType("cupy._core")
sys.modules.update({{"cupy": cupy, "cupy._core": cupy._core}})
for name in ("cupy", "cupy.fft", "cupy.linalg"):
    name = "array_api_compat." + name
    sys.modules[name] = types.ModuleType(name)
sys.modules["array_api_compat.cupy"].fft = sys.modules["array_api_compat.cupy.fft"]
sys.modules["array_api_compat.cupy"].linalg = sys.modules["array_api_compat.cupy.linalg"]
try:
    xp.Device("cuda")
except ValueError as error:
    for word in {words!r}:
        assert word in str(error), error
else:
    raise AssertionError
assert xp.__array_namespace_info__().devices() == ("cpu",)
"""


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("13.6.0", ("CuPy 14 or newer", "found CuPy 13.6.0", "arraygrad[cuda12x]")),
        ("15.0.0", ("CuPy 15.0.0 lacks", "create_reduction_func", "newer arraygrad", "<15")),
    ],
)
def test_another_cupy(version, words):
    """On any machine."""
    _run(OTHER_CUPY.format(version=version, words=words))


def _run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not done.returncode, done.stderr
