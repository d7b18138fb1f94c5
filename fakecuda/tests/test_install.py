"""What the installation checks, each with a condition made up, and the start of a process."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fakecuda import _build, _elf, _versions

#: A wheel as it is installed here.
WHEEL = _versions.find_wheel()
PIN = f"{WHEEL.distribution}=={WHEEL.version}"


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def failure(preparation="", **environment):
    """The message of an installation that fails, after some code has made up a condition."""
    code = f"""
import fakecuda
from fakecuda import _build, _nvidia, _versions
from pathlib import Path
{textwrap.dedent(preparation)}
try:
    fakecuda.install()
except fakecuda.InstallError as error:
    print(error)
else:
    raise SystemExit("it was installed")
"""
    done = python(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- platform and CuPy


def test_another_machine():
    message = failure("_versions.platform.machine = lambda: 'aarch64'")
    assert message == "fakecuda needs Linux on x86-64; this is linux on aarch64\n"


def test_a_cpu_without_fma():
    message = failure("Path.read_text = lambda self: 'flags : fpu sse2\\n'")
    assert message.startswith("fakecuda needs a CPU with FMA instructions")


def test_cupy_was_imported_before():
    message = failure("import sys; sys.modules['cupy_backends'] = sys")
    assert message == "fakecuda.install() must be called before cupy is imported\n"


WITHOUT = """
def distribution(name, original=_versions.importlib.metadata.distribution):
    if name in MISSING:
        raise _versions.importlib.metadata.PackageNotFoundError(name)
    return original(name)
_versions.importlib.metadata.distribution = distribution
"""


def test_no_cupy():
    preparation = f"""
MISSING = ("cupy-cuda12x", "cupy-cuda13x")
{WITHOUT}
_versions.importlib.util.find_spec = lambda name: None
"""
    message = failure(preparation)
    assert "needs cupy-cuda12x or cupy-cuda13x from PyPI and found no CuPy" in message
    assert f'pip install "cupy-cuda12x=={_versions.CUPY_VERSIONS[-1]}"' in message


def test_a_cupy_built_from_source():
    message = failure(f'MISSING = ("cupy-cuda12x", "cupy-cuda13x")\n{WITHOUT}')
    assert f"found a CuPy in {WHEEL.folder}/cupy/__init__.py that is not one of them" in message


def test_two_wheels():
    preparation = f"""
original = _versions.importlib.metadata.distribution
_versions.importlib.metadata.distribution = lambda name: original("{WHEEL.distribution}")
"""
    message = failure(preparation)
    assert "cupy-cuda12x and cupy-cuda13x are both installed" in message


def test_another_version():
    message = failure("_versions.CUPY_VERSIONS = ('14.0.0', '99.0.0')")
    assert message.startswith(
        f"fakecuda was not tried with {WHEEL.distribution} {WHEEL.version}, only with 14.0.0, 99."
    )


def test_a_module_that_is_not_there():
    message = failure("_build._STATIC_RUNTIME = ('cupy.cuda.nothing',)", FAKECUDA_OPT="-O1 ")
    assert "has no module cupy.cuda.nothing: reinstall it with pip install --force-rein" in message
    assert PIN in message


# ---- what CuPy's binaries contain


def empty_library(folder, *symbols):
    source, library = folder / "x.c", folder / "x.so"
    source.write_text("".join(f"void {name}() {{}}\n" for name in symbols))
    subprocess.run(["gcc", "-shared", "-O2", source, "-o", library], check=True)
    return library


def test_a_stripped_module(tmp_path):
    library = empty_library(tmp_path, "cudaMalloc", "cudaFree")
    subprocess.run(["strip", library], check=True)
    with pytest.raises(_versions.InstallError, match="no symbol table") as info:
        _build._runtime_functions(_elf.Elf(library), WHEEL)
    assert PIN in str(info.value)


def test_functions_that_are_too_short(tmp_path):
    library = tmp_path / "x.so"
    source = tmp_path / "x.s"
    source.write_text("".join(
        f".globl {name}\n.type {name}, @function\n{name}: ret\n.size {name}, 1\n"
        for name in ("cudaMalloc", "cudaFree")
    ))  # fmt: skip
    subprocess.run(["gcc", "-shared", "-nostdlib", source, "-o", library], check=True)
    with pytest.raises(_versions.InstallError, match="too short to replace"):
        _build._runtime_functions(_elf.Elf(library), WHEEL)


def test_signatures(tmp_path):
    ours = "_Z11thrust_sortiPv"
    library = empty_library(tmp_path, ours)
    _build._check_signatures(library, [ours, "_Z5otherv"], WHEEL)
    for theirs, found in [("_Z11thrust_sortiPvm", "_Z11thrust_sortiPvm"), ("_Z5otherv", "nothing")]:
        with pytest.raises(_versions.InstallError) as info:
            _build._check_signatures(library, [theirs], WHEEL)
        assert f"{WHEEL.version} has {found} where fakecuda has {ours}" in str(info.value)


def test_overloads_for_several_versions(tmp_path):
    library = empty_library(tmp_path, "_Z4funci", "_Z4funcj")
    _build._check_signatures(library, ["_Z4funcj"], WHEEL)


def test_elf_files(tmp_path):
    elf = _elf.Elf(WHEEL.module("cupy_backends.cuda.libs.cublas"))
    assert f"libcublas.so.{WHEEL.toolkit}" in elf.needed()
    assert elf.needed_versions()[f"libcublas.so.{WHEEL.toolkit}"] == {
        f"libcublas.so.{WHEEL.toolkit}"
    }
    imported = {s.name for s in elf.dynamic_symbols() if not s.defined}
    assert "cublasCreate_v2" in imported
    (tmp_path / "text").write_text("text")
    with pytest.raises(ValueError, match="no 64-bit little-endian ELF file"):
        _elf.Elf(tmp_path / "text")


# ---- compiler, headers, libraries


def test_no_compiler():
    message = failure(FAKECUDA_CXX="no-such-compiler")
    assert "g++ 12 or newer and found no no-such-compiler: install it" in message


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[ "$1" = -dumpfullversion ] && echo 11.4.0', "(for _Float16); {} is 11.4.0"),
        ("echo '#define __clang__ 1'", "{} is another compiler"),
        ("exit 3", "{} is another compiler"),
    ],
)
def test_other_compilers(tmp_path, text, expected):
    compiler = script(tmp_path / "cxx", text)
    message = failure(FAKECUDA_CXX=compiler, FAKECUDA_CACHE=str(tmp_path))
    assert expected.format(compiler) in message


def test_a_compiler_that_fails(tmp_path):
    text = """case "$1" in
      -dumpfullversion) echo 13.1.0;; -dM) ;; *) echo "it is broken" >&2; exit 1;; esac"""
    compiler = script(tmp_path / "cxx", text)
    message = failure(FAKECUDA_CXX=compiler, FAKECUDA_CACHE=str(tmp_path))
    assert message.startswith("fakecuda could not be built:\nit is broken\nfrom ")
    assert not list(tmp_path.glob("*/libfakecuda.so"))


def test_no_headers(tmp_path):
    package = "('package-of-headers', 'nowhere/include')"
    other = tmp_path / "include" / "cuda_runtime_api.h"
    other.parent.mkdir()
    other.write_text(f"#define CUDART_VERSION  {25 - WHEEL.toolkit}000\n")
    message = failure(
        f"""
        _nvidia._RUNTIME = {{12: {package}, 13: {package}}}
        _nvidia._SYSTEM = "/no/toolkit"
        """,
        CUDA_PATH=str(tmp_path),
    )
    assert f"need the headers of the CUDA {WHEEL.toolkit} runtime and found none in" in message
    assert f"{tmp_path}/include, /no/toolkit/include: pip install package-of-head" in message


def test_no_blas():
    message = failure("import sys; sys.modules['scipy_openblas32'] = None")
    assert message == "fakecuda needs a BLAS and LAPACK: pip install scipy-openblas32\n"


@pytest.mark.parametrize("setting", ["real", "/nowhere/libnvrtc.so"])
def test_no_nvrtc(setting):
    preparation = "_nvidia._NVRTC = {12: ('package-of-nvrtc', 'x'), 13: ('package-of-nvrtc', 'x')}"
    message = failure(preparation, FAKECUDA_NVRTC=setting)
    if setting == "real":
        assert message.endswith("needs NVIDIA's compiler: pip install package-of-nvrtc\n")
    else:
        assert message == 'FAKECUDA_NVRTC is neither "real" nor a file: /nowhere/libnvrtc.so\n'


def test_a_file_that_is_no_nvrtc(tmp_path):
    (tmp_path / "libnvrtc.so").write_text("text")
    message = failure(FAKECUDA_NVRTC=str(tmp_path / "libnvrtc.so"))
    assert message.startswith("FAKECUDA_NVRTC: ")


# ---- the build


def test_the_key_of_an_object_is_its_source_and_headers(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKECUDA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_build, "_SOURCES", tmp_path)
    source, header, deep = tmp_path / "a.cpp", tmp_path / "a.h", tmp_path / "deep.h"
    source.write_text('#include "a.h"\nint f() { return N; }\n')
    header.write_text('#  include "deep.h"\n')
    deep.write_text("#define N 1\n")
    compiler = _build._compiler()

    def key():
        return _build._object(source, compiler, tmp_path, "").name

    first = key()
    assert key() == first
    deep.write_text("#define N 2\n")
    second = key()
    (tmp_path / "unrelated.h").write_text("")
    assert key() == second != first
    source.write_text('#include "a.h"\nint f() { return N + 1; }\n')
    assert key() not in (first, second)


def build_in_vain(folder):
    with _build._temporary(folder) as unfinished:
        (unfinished / "file").touch()
        raise KeyError


def test_a_build_appears_as_a_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "build"
    with pytest.raises(KeyError):
        build_in_vain(folder)
    assert list(tmp_path.iterdir()) == []
    with _build._temporary(folder) as unfinished:
        (unfinished / "file").touch()
        assert not folder.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["build"]


# ---- a process with FAKECUDA=1


def startup():
    """The line that Python runs at the start of each process where the package is installed."""
    import fakecuda

    return (Path(fakecuda.__file__).parent.parent / "fakecuda.pth").read_text()


def test_start_of_a_process():
    code = f"{startup()}\nimport sys, cupy; print(cupy.arange(3) * 2)"
    done = python(code, FAKECUDA="1")
    assert done.stdout == "[0 2 4]\n"


@pytest.mark.parametrize("switch", ["", "0"])
def test_no_start_without_the_switch(switch):
    done = python(f"{startup()}\nimport sys; print('fakecuda' in sys.modules)", FAKECUDA=switch)
    assert done.stdout == "False\n"


def test_a_start_that_fails_ends_the_process():
    code = f"""
try:
    exec({startup()!r})
finally:
    print("still there")
"""
    done = python(code, FAKECUDA="1", FAKECUDA_CXX="no-such-compiler")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("FAKECUDA=1: fakecuda compiles kernels with g++")
    assert done.stderr.count("\n") == 1


def test_child_processes_have_the_switch_again():
    code = f"{startup()}\nimport os; print(os.environ['FAKECUDA'])"
    assert python(code, FAKECUDA="1").stdout == "1\n"
