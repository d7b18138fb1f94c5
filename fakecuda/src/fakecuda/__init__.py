"""A stand-in for CUDA on a CPU, on which CuPy's own wheel runs.

``fakecuda.install()`` before ``import cupy``: it builds one shared library of C++ (once), gives it
the names of CUDA's libraries, and puts its functions over those of the CUDA runtime that CuPy's
wheel has in itself. NVRTC is the host's C++ compiler.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SONAMES = {  # of CUDA 12; each is a library of no symbols
    "libcuda.so.1": "",
    "libcublas.so.12": "libcublas.so.12",
    "libcusolver.so.11": "libcusolver.so.11",
    "libcusparse.so.12": "libcusparse.so.12",
    "libcufft.so.11": "libcufft.so.11",
    "libcurand.so.10": "libcurand.so.10",
    "libnvrtc.so.12": "libnvrtc.so.12",
}
#: CuPy's modules that hold a CUDA runtime of their own
STATIC = (
    "cupy_backends.cuda.api.runtime",
    "cupy.cuda.thrust",
    "cupy.cuda.cub",
    "cupy.cuda.jitify",
    "cupy.random._generator_api",
)
_library = None


def cache() -> Path:
    where = os.environ.get("FAKECUDA_CACHE") or Path.home() / ".cache" / "fakecuda"
    return Path(where)


def _run(*command: object) -> None:
    subprocess.run([str(c) for c in command], check=True)


def _spec(name: str) -> Path:
    """The file of a module, without importing the package that it is in."""
    parts = name.split(".")
    root = importlib.util.find_spec(parts[0]).submodule_search_locations[0]
    return next(Path(root, *parts[1:-1]).glob(parts[-1] + ".*.so"))


def _headers() -> Path:
    import nvidia.cuda_runtime

    return Path(next(iter(nvidia.cuda_runtime.__path__)), "include")


def _openblas() -> Path:
    import scipy_openblas32

    return Path(scipy_openblas32.get_lib_dir(), "libscipy_openblas.so")


def _of_kernels(cupy_include: Path) -> str:
    """A mark that compiled kernels share: of what they are compiled with."""
    digest = hashlib.sha256(str(cupy_include).encode())
    for path in [*sorted((HERE / "include").rglob("*.*h")), HERE / "csrc" / "nvrtc.cpp"]:
        digest.update(path.read_bytes())
    digest.update(repr([os.environ.get(n) for n in ("FAKECUDA_CXX", "FAKECUDA_OPT")]).encode())
    return digest.hexdigest()[:12]


def build() -> Path:
    """The library, compiled if its sources are new."""
    sources = sorted((HERE / "csrc").glob("*.cpp"))
    cupy_include = Path(importlib.util.find_spec("cupy").submodule_search_locations[0], "_core", "include")
    digest = hashlib.sha256(str(cupy_include).encode())
    compiler = os.environ.get("FAKECUDA_CXX", "g++")
    for path in sorted(HERE.rglob("*.[hc]*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.read_bytes())
    mark = digest.hexdigest()[:16]
    folder = cache() / mark
    os.environ["FAKECUDA_HASH"] = mark
    os.environ["FAKECUDA_INCLUDE"] = str(HERE / "include")
    os.environ["FAKECUDA_PCH"] = str(folder)
    os.environ["FAKECUDA_CXX"] = compiler
    os.environ.setdefault("CUPY_CACHE_DIR", str(cache() / f"kernels-{_of_kernels(cupy_include)}"))
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in sources:
        out = cache() / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.o"
        if not out.exists():
            _run(compiler, "-std=c++17", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-w",
                 f"-I{HERE / 'csrc'}", f"-I{_headers()}", "-c", source, "-o", out)  # fmt: skip
        objects.append(out)
    blas = _openblas()
    _run(compiler, "-shared", *objects, "-o", folder / "first.so", blas, "-ldl", "-lpthread")
    objects.append(_missing(folder, compiler))
    _run(compiler, "-shared", *objects, "-o", folder / "libfakecuda.so", blas,
         f"-Wl,-rpath,{blas.parent}", "-Wl,-soname,libfakecuda.so", "-ldl", "-lpthread")  # fmt: skip
    with tempfile.TemporaryDirectory() as temporary:
        empty = Path(temporary, "empty.c")
        empty.write_text("int fc_nothing;\n")
        for name, version in SONAMES.items():
            script = Path(temporary, "map")
            script.write_text(f"{version} {{ }};\n" if version else "{ };\n")
            _run("gcc", "-shared", empty, "-o", folder / name, f"-Wl,-soname,{name}",
                 f"-Wl,--version-script={script}", "-Wl,--no-as-needed", folder / "libfakecuda.so",
                 f"-Wl,-rpath,{folder}")  # fmt: skip
    include = [f"-I{HERE / 'include'}", f"-I{cupy_include}"]
    for part in ("cub", "thrust", "libcudacxx"):
        include.append(f"-I{cupy_include}/cupy/_cccl/{part}")
    header = folder / "fc_cupy.h"
    header.write_bytes((HERE / "include" / "fc_cupy.h").read_bytes())
    _run(compiler, "-x", "c++-header", "-fPIC", os.environ.get("FAKECUDA_OPT", "-O1"), "-w",
         "-std=c++17", "-fwrapv", "-fno-strict-aliasing", "-fpermissive", "-mfma",
         "-ffp-contract=fast", "-fvisibility=hidden", "-fno-gnu-unique", *include,
         header, "-o", folder / "fc_cupy.h.gch")  # fmt: skip
    (folder / "done").touch()
    return folder


def _missing(folder: Path, compiler: str) -> Path:
    """Functions that say that they are not there, for all that CuPy's modules import besides."""
    there = _symbols(folder / "first.so", 11)
    prefixes = ("cublas", "cusolver", "cusparse", "cufft", "curand", "nvrtc")
    wanted: set[str] = set()
    for package in ("cupy_backends", "cupy", "cupyx"):
        root = Path(importlib.util.find_spec(package).submodule_search_locations[0])
        for path in root.rglob("*.so"):
            wanted.update(n for n in _symbols(path, 11, False) if n.startswith(prefixes))
    lines = ['extern "C" int fc_missing(const char*);']
    for name in sorted(wanted - set(there)):
        lines.append(f'extern "C" __attribute__((visibility("default"))) int {name}() '
                     f'{{ return fc_missing("{name}"); }}')  # fmt: skip
    source = folder / "missing.cpp"
    source.write_text("\n".join(lines) + "\n")
    _run(compiler, "-O0", "-fPIC", "-c", source, "-o", folder / "missing.o")
    (folder / "first.so").unlink()
    return folder / "missing.o"


# ---- putting functions over those of a library in memory


def _symbols(path: Path, table: int = 2, defined: bool = True) -> dict[str, int]:
    """The functions in a shared library by name: local ones, too, or those that it imports."""
    data = path.read_bytes()
    (offset,) = struct.unpack_from("<Q", data, 0x28)
    size, count, _ = struct.unpack_from("<HHH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    found = {}
    for kind, link, start, length in ((s[1], s[6], s[4], s[5]) for s in sections):
        if kind != table:
            continue
        names = sections[link][4]
        for at in range(start, start + length, 24):
            name, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", data, at)
            if (info & 15 == 2 and section) if defined else not section and name:
                end = data.index(b"\0", names + name)
                found[data[names + name : end].decode()] = value
    return found


def _base(path: Path) -> int:
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(str(path)) and line.split()[2] == "00000000":
            return int(line.split("-")[0], 16)
    raise LookupError(path)


_kept = []


def _detour(path: Path, library: ctypes.CDLL) -> None:
    libc = ctypes.CDLL(None)
    base = _base(path.resolve())
    for name, value in _symbols(path).items():
        if not name.startswith("cuda") or name.endswith(("_ptsz", "_ptds")):
            continue
        try:
            target = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            code = b"\xff\x25\0\0\0\0" + struct.pack("<Q", target)
        except AttributeError:  # say so, and fail
            text = ctypes.create_string_buffer(name.encode())
            _kept.append(text)
            target = ctypes.cast(library.fc_unsupported, ctypes.c_void_p).value
            code = b"\x48\xbf" + struct.pack("<Q", ctypes.addressof(text))
            code += b"\x48\xb8" + struct.pack("<Q", target) + b"\xff\xe0"
        at = base + value
        page = at & ~4095
        libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(8192), 7)
        ctypes.memmove(at, code, len(code))


def install() -> ctypes.CDLL:
    """Make the stand-in the CUDA of this process."""
    global _library
    if _library is not None:
        return _library
    if "cupy" in sys.modules:
        raise RuntimeError("fakecuda.install() comes before import cupy")
    folder = build()
    _library = ctypes.CDLL(str(folder / "libfakecuda.so"), mode=ctypes.RTLD_GLOBAL)
    for name in SONAMES:
        ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
    for name in STATIC:
        path = _spec(name)
        _kept.append(ctypes.CDLL(str(path), mode=os.RTLD_LOCAL | os.RTLD_LAZY))
        _detour(path, _library)

    from cuda import pathfinder

    class Loaded:
        _handle_uint = _library._handle
        abs_path = str(folder / "libfakecuda.so")

    pathfinder.load_nvidia_dynamic_lib = lambda name: Loaded()
    return _library


def counts() -> dict[str, int]:
    """How often what has been done since `reset`."""
    buffer = ctypes.create_string_buffer(1 << 16)
    install().fc_counts(buffer, len(buffer))
    lines = buffer.value.decode().splitlines()
    return {name: int(n) for name, n in (line.split("\t") for line in lines)}


def reset() -> None:
    install().fc_reset()


@contextlib.contextmanager
def late():
    """Streams run only when something waits for them: what needs no waiting shows."""
    library = install()
    library.fc_lazy(1)
    try:
        yield
    finally:
        library.fc_lazy(0)
