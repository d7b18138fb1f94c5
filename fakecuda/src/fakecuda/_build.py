"""Builds the stand-in's libraries, once for each version of its sources and of CuPy."""

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fakecuda._detour import JUMP
from fakecuda._elf import Elf
from fakecuda._nvidia import find_headers
from fakecuda._versions import InstallError, Wheel

_HERE = Path(__file__).parent
_SOURCES = _HERE / "csrc"
_PRELUDE = _HERE / "include"
_MAIN = "libfakecuda.so"

#: CuPy's modules with a CUDA runtime of their own.
_STATIC_RUNTIME = (
    "cupy_backends.cuda.api.runtime",
    "cupy.cuda.thrust",
    "cupy.cuda.cub",
    "cupy.cuda.jitify",
    "cupy.random._generator_api",
)
#: Those with device code behind functions of C++, which ours replace.
_DEVICE_CODE = ("cupy.cuda.thrust", "cupy.cuda.cub", "cupy.random._generator_api")
#: Functions of theirs that others of their own call, and nothing else.
_INTERNAL = ("half_negate_inf", "loggam", "get_index")
#: The sources that decide what a compiled kernel is.
_COMPILER_SOURCES = ("nvrtc.cpp", "host_compiler.cpp", "kernel_source.cpp")
#: What stands before kernels, compiled in advance.
_HEADERS = ("fakecuda_nvrtc.h", "fakecuda_cupy.h")
#: The libraries that the stand-in provides, by the beginning of their names and functions.
_LIBRARIES = ("cublas", "cusolver", "cusparse", "cufft", "curand", "nvrtc")
#: How g++ compiles kernels, as NVRTC would: a*b+c is one operation (with -O1 it needs expensive
#: optimizations for that), overflow wraps around.
_KERNEL_FLAGS = (
    "-std=c++17", "-fPIC", "-w", "-fwrapv", "-fno-strict-aliasing", "-mfma", "-ffp-contract=fast",
    "-fexpensive-optimizations", "-fvisibility=hidden", "-fno-semantic-interposition",
    "-fno-gnu-unique",
)  # fmt: skip


@dataclass(frozen=True)
class Build:
    """The libraries in the cache."""

    folder: Path
    kernel_command: list[str]  # the beginning of the command that compiles a kernel
    kernel_cache: Path
    sonames: list[str]  # of libraries without functions; those of `library` stand in for theirs
    detours: dict[str, dict[str, int]]  # by module: where the runtime's functions are

    @property
    def library(self) -> Path:
        """The library with all functions."""
        return self.folder / _MAIN

    @property
    def prelude(self) -> Path:
        """The folder of the headers that stand for what NVRTC knows by itself."""
        return _PRELUDE


def cache_folder() -> Path:
    """Where builds and compiled kernels are kept: FAKECUDA_CACHE, or ~/.cache/fakecuda."""
    return Path(os.environ.get("FAKECUDA_CACHE") or Path.home() / ".cache" / "fakecuda")


def build(wheel: Wheel) -> Build:
    """Return the libraries for this wheel, built if they are not in the cache.

    Other processes that need the same build wait for it.
    """
    compiler = _compiler()
    command = [compiler, *_KERNEL_FLAGS, os.environ.get("FAKECUDA_OPT") or "-O1"]
    if os.environ.get("FAKECUDA_STRICT", "0") not in ("", "0"):
        command += ["-fsanitize=alignment", "-fsanitize-recover=all"]
    headers, blas = find_headers(wheel.toolkit), _openblas()
    for_kernels = _digest(
        command,
        str(wheel.include),  # (by which CuPy knows its kernels)
        _contents(headers / "cuda_runtime_api.h", *sorted(wheel.include.glob("cupy/*.cuh"))),
        _contents(_PRELUDE, *(_SOURCES / name for name in _COMPILER_SOURCES), Path(__file__)),
    )
    mark = _digest(for_kernels, str(blas), _stamps(wheel.modules()), _contents(_SOURCES))
    folder = cache_folder() / mark
    with _lock(folder):
        if not folder.exists():
            with _temporary(folder) as unfinished:
                _build_into(unfinished, wheel, command, headers, blas)
    contents = json.loads((folder / "contents.json").read_text())
    kernels = cache_folder() / f"kernels-{for_kernels}"
    return Build(folder, command, kernels, contents["sonames"], contents["detours"])


def stamp(path: Path) -> str:
    """What names this version of a large file."""
    return _digest(_stamps([path]))


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _contents(*paths: Path) -> list[bytes]:
    """The contents of files and of all files in folders."""
    found: list[bytes] = []
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found += [p.read_bytes() for p in files]
    return found


def _stamps(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """What changes when files are exchanged that are too large to be read."""
    stats = [(path, path.stat()) for path in sorted(paths)]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """A folder that takes this name when all has gone well, and vanishes otherwise."""
    unfinished = Path(tempfile.mkdtemp(prefix=folder.name + "-", dir=folder.parent))
    try:
        yield unfinished
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


# ---- the compiler


def _compiler() -> str:
    name = os.environ.get("FAKECUDA_CXX") or "g++"
    path = shutil.which(name)
    if path is None:
        raise InstallError(
            f"fakecuda compiles kernels with g++ 12 or newer and found no {name}: install it "
            "(Debian and Ubuntu: apt install g++), or set FAKECUDA_CXX to the compiler"
        )
    return path


def _check_compiler(compiler: str) -> None:
    version = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True)
    predefined = subprocess.run(
        [compiler, "-dM", "-E", "-x", "c++", os.devnull], capture_output=True, text=True
    )
    if version.returncode or "__clang__" in predefined.stdout:
        raise InstallError(f"fakecuda needs g++ 12 or newer; {compiler} is another compiler")
    if int(version.stdout.split(".")[0]) < 12:
        raise InstallError(
            f"fakecuda needs g++ 12 or newer (for _Float16); {compiler} is {version.stdout.strip()}"
        )


def _run(*command: object) -> None:
    text = [str(c) for c in command]
    done = subprocess.run(text, capture_output=True, text=True)
    if done.returncode:
        message = "\n".join(done.stderr.splitlines()[:30])
        raise InstallError(f"fakecuda could not be built:\n{message}\nfrom {' '.join(text)}")


# ---- the libraries


def _build_into(folder: Path, wheel: Wheel, command: list[str], headers: Path, blas: Path) -> None:
    compiler = command[0]
    _check_compiler(compiler)
    objects = _objects(compiler, headers)
    defined = {s.name for path in objects for s in Elf(path).symbols() if s.defined}
    elves = {path: Elf(path) for path in wheel.modules()}
    static = [elves[wheel.module(name)] for name in _STATIC_RUNTIME]
    device = [elves[wheel.module(name)] for name in _DEVICE_CODE]
    detours = {str(elf.path): _runtime_functions(elf, wheel) for elf in static}
    imported = {
        s.name
        for elf in elves.values()
        for s in elf.dynamic_symbols()
        if not s.defined and s.name.startswith(_LIBRARIES)
    }
    runtime = {name for functions in detours.values() for name in functions}
    replaceable = {
        s.name
        for elf in device
        for s in elf.dynamic_symbols()
        if s.strong and _unmangled(s.name) and _unmangled(s.name) not in _INTERNAL
    }
    missing = _missing(folder, compiler, (imported | runtime) - defined, replaceable - defined)
    _run(compiler, "-shared", *objects, missing, "-o", folder / _MAIN, blas,
         f"-Wl,-rpath,{blas.parent}", f"-Wl,-soname,{_MAIN}", "-ldl", "-lpthread")  # fmt: skip
    _check_signatures(folder / _MAIN, replaceable, wheel)
    versions = {"libcuda.so.1": ""}
    for elf in elves.values():
        asked = elf.needed_versions()
        for name in elf.needed():
            if name.startswith(tuple(f"lib{library}.so" for library in _LIBRARIES)):
                versions[name] = next(iter(asked.get(name, ())), "")
    _empty_libraries(folder, compiler, versions)
    for name in _HEADERS:
        _precompiled_header(folder, name, wheel, command, headers)
    contents = {"sonames": sorted(versions), "detours": detours}
    (folder / "contents.json").write_text(json.dumps(contents))


def _objects(compiler: str, headers: Path) -> list[Path]:
    """Compile all sources, two at a time."""
    sources = sorted(_SOURCES.rglob("*.cpp"))
    cuda = _digest(_contents(headers / "cuda_runtime_api.h"))
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda source: _object(source, compiler, headers, cuda), sources))


def _object(source: Path, compiler: str, headers: Path, cuda: str) -> Path:
    flags = ["-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-w"]
    digest = _digest(compiler, flags, cuda, _contents(*sorted(_with_headers(source))))
    folder = cache_folder() / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / f"{source.stem}-{digest}.o"
    if not result.exists():
        paths = [f"-I{_SOURCES}", f"-I{_PRELUDE}", f"-I{headers}"]
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            unfinished = Path(temporary, "unfinished.o")
            _run(compiler, *flags, *paths, "-c", source, "-o", unfinished)
            unfinished.replace(result)
    return result


def _with_headers(source: Path) -> set[Path]:
    """The source and all headers of ours that it includes."""
    found: set[Path] = set()
    to_read = [source]
    while to_read:
        path = to_read.pop()
        if path not in found and path.exists():
            found.add(path)
            for name in re.findall(r'^\s*#\s*include\s*"(.*)"', path.read_text(), re.MULTILINE):
                to_read += [path.parent / name, _SOURCES / name]
    return found


def _openblas() -> Path:
    try:
        import scipy_openblas32
    except ImportError:
        raise InstallError(
            "fakecuda needs a BLAS and LAPACK: pip install scipy-openblas32"
        ) from None
    return Path(scipy_openblas32.get_lib_dir(), "libscipy_openblas.so")


def _runtime_functions(elf: Elf, wheel: Wheel) -> dict[str, int]:
    """Where the functions of the CUDA runtime are in a module."""
    found = {
        s.name: s.offset
        for s in elf.symbols()
        if s.defined
        and s.function
        and re.match("cuda[A-Z]", s.name)
        and not s.name.endswith(("_ptsz", "_ptds"))
    }
    if "cudaMalloc" not in found:
        raise InstallError(
            f"{elf.path} has no symbol table with the functions of the CUDA runtime (was it "
            f'stripped?): pip install --force-reinstall "{wheel.pin}"'
        )
    offsets = sorted(set(found.values()))
    if any(after - before < JUMP for before, after in itertools.pairwise(offsets)):
        raise InstallError(f"functions of the CUDA runtime in {elf.path} are too short to replace")
    return found


def _unmangled(symbol: str) -> str:
    """The name of a function outside of namespaces, or an empty text."""
    match = re.match(r"_Z(\d+)(\w+)", symbol)
    return match[2][: int(match[1])] if match else ""


def _check_signatures(library: Path, replaceable: Iterable[str], wheel: Wheel) -> None:
    """C++ functions of ours take the place of CuPy's only where their types are the same."""
    expected = {_unmangled(symbol): symbol for symbol in replaceable}
    ours: dict[str, set[str]] = {}
    for symbol in Elf(library).dynamic_symbols():
        if symbol.defined and symbol.strong and _unmangled(symbol.name):
            ours.setdefault(_unmangled(symbol.name), set()).add(symbol.name)
    for name, overloads in ours.items():
        if expected.get(name) not in overloads:
            raise InstallError(
                f"{wheel.distribution} {wheel.version} has "
                f"{expected.get(name, 'nothing')} where fakecuda has {' and '.join(overloads)}: "
                "this version of CuPy needs a change in fakecuda"
            )


def _missing(folder: Path, compiler: str, c: Iterable[str], cpp: Iterable[str]) -> Path:
    """Functions that say that they are not there, for all that CuPy might call besides."""
    lines = [
        "#include <stdexcept>",
        'extern "C" int fakecuda_missing(const char*);',
        'extern "C" int fakecuda_unsupported(const char*);',
        '#define EXPORT extern "C" __attribute__((visibility("default")))',
    ]
    for name in sorted(c):
        report = "fakecuda_missing" if name.startswith(_LIBRARIES) else "fakecuda_unsupported"
        if name.endswith(("ErrorName", "ErrorString", "StatusString")):
            lines.append(f'EXPORT const char* {name}() {{ return "not there in fakecuda"; }}')
        else:
            lines.append(f'EXPORT int {name}() {{ return {report}("{name}"); }}')
    for symbol in sorted(cpp):  # these return nothing, an exception is all that CuPy would notice
        text = f"{_unmangled(symbol)} is not there in fakecuda"
        lines.append(f'EXPORT void {symbol}() {{ throw std::runtime_error("{text}"); }}')
    source = folder / "missing.cpp"
    source.write_text("\n".join(lines) + "\n")
    result = folder / "missing.o"
    _run(compiler, "-O0", "-fPIC", "-c", source, "-o", result)
    return result


def _empty_libraries(folder: Path, compiler: str, versions: Mapping[str, str]) -> None:
    """The names under which CuPy's modules ask for CUDA's libraries."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        source, script = Path(temporary, "empty.cpp"), Path(temporary, "version")
        source.touch()
        for name, version in versions.items():
            script.write_text(f"{version} {{ }};\n" if version else "{ local: *; };\n")
            _run(compiler, "-shared", source, "-o", folder / name, f"-Wl,-soname,{name}",
                 f"-Wl,--version-script={script}", "-Wl,--no-as-needed", folder / _MAIN,
                 "-Wl,-rpath,$ORIGIN")  # fmt: skip


def _precompiled_header(
    folder: Path, name: str, wheel: Wheel, command: list[str], headers: Path
) -> None:
    cccl = wheel.include / "cupy" / "_cccl"
    paths = [_PRELUDE, cccl / "cub", cccl / "thrust", cccl / "libcudacxx", wheel.include, headers]
    shutil.copy(_PRELUDE / name, folder / name)
    _run(*command, "-x", "c++-header", *(f"-I{path}" for path in paths), folder / name,
         "-o", folder / f"{name}.gch")  # fmt: skip
