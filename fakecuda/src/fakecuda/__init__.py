"""A software CUDA: CuPy's own wheel runs on a machine without a GPU.

``fakecuda.install()`` before ``import cupy`` makes the stand-in the CUDA of the process. It is one
shared library, built once, that answers for the driver, the runtime, NVRTC (kernels are compiled by
g++), cuBLAS, cuSOLVER, cuFFT, cuRAND, Thrust and CUB.

Examples
--------
>>> import fakecuda
>>> fakecuda.install()  # doctest: +SKIP
>>> import cupy  # doctest: +SKIP
>>> cupy.arange(4) ** 2  # doctest: +SKIP
array([0, 1, 4, 9])
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from fakecuda._build import Build, build, cache_folder, stamp
from fakecuda._detour import put_over
from fakecuda._nvidia import find_nvrtc
from fakecuda._versions import PACKAGES, InstallError, check_platform, find_wheel

__all__ = ["InstallError", "counts", "install", "late", "reset_counts"]
__version__ = "0.1.0"

_library: ctypes.CDLL | None = None


def install(
    *,
    devices: int | None = None,
    arch: int | None = None,
    strict: bool | None = None,
    late: bool | None = None,
) -> None:
    """Make the stand-in the CUDA of this process, before CuPy is imported.

    A second call does nothing. The first one on a machine builds the stand-in, in about a minute.
    Settings become environment variables, so that child processes have them, too.

    Parameters
    ----------
    devices : int, optional
        How many GPUs there are: FAKECUDA_DEVICES, or 1.
    arch : int, optional
        Their compute capability, times ten: FAKECUDA_ARCH, or 90.
    strict : bool, optional
        Whether misaligned accesses of kernels are errors: FAKECUDA_STRICT, or not.
    late : bool, optional
        Whether streams run only when something waits for them, as in `late`: FAKECUDA_LAZY, or not.

    Raises
    ------
    InstallError
        Where it cannot run: another platform, a CuPy that it was not tried with, no compiler, ...
        The message says what to install.

    Examples
    --------
    >>> import fakecuda
    >>> fakecuda.install(devices=2)  # doctest: +SKIP
    >>> import cupy  # doctest: +SKIP
    >>> cupy.cuda.runtime.getDeviceCount()  # doctest: +SKIP
    2
    """
    global _library
    given = {"DEVICES": devices, "ARCH": arch, "STRICT": strict, "LAZY": late}
    settings = {f"FAKECUDA_{k}": str(int(v)) for k, v in given.items() if v is not None}
    if _library is not None:
        if any(os.environ.get(name) != value for name, value in settings.items()):
            raise InstallError("fakecuda is installed already, with other settings")
        return
    if any(name.partition(".")[0] in PACKAGES for name in sys.modules):
        raise InstallError("fakecuda.install() must be called before cupy is imported")
    check_platform()
    wheel = find_wheel()
    os.environ.update(settings)
    made = build(wheel)
    library = ctypes.CDLL(str(made.library), mode=ctypes.RTLD_GLOBAL)
    nvrtc = os.environ.get("FAKECUDA_NVRTC")
    if nvrtc:
        _use_nvrtc(library, find_nvrtc(nvrtc, wheel.toolkit))
    else:
        _set_compiler(library, made)
    for name in made.sonames:
        ctypes.CDLL(str(made.folder / name), mode=ctypes.RTLD_GLOBAL)
    for module, offsets in made.detours.items():
        put_over(Path(module), offsets, library)
    _replace_loader(library, str(made.library))
    _library = library


def _set_compiler(library: ctypes.CDLL, made: Build) -> None:
    """Let the host's compiler compile kernels."""
    os.environ["CUPY_CACHE_DIR"] = str(made.kernel_cache)
    words = [word.encode() for word in made.kernel_command]
    command = (ctypes.c_char_p * (len(words) + 1))(*words)
    mark = made.kernel_cache.name.encode()
    library.fakecuda_set_compiler(command, bytes(made.prelude), bytes(made.folder), mark)


def _use_nvrtc(library: ctypes.CDLL, nvrtc: Path) -> None:
    """Let NVIDIA's library compile kernels, which then do nothing."""
    function = library.fakecuda_use_nvrtc
    function.restype = ctypes.c_char_p
    problem = function(bytes(nvrtc))
    if problem:
        raise InstallError(f"FAKECUDA_NVRTC: {problem.decode()}")
    os.environ["CUPY_CACHE_DIR"] = str(cache_folder() / f"kernels-nvrtc-{stamp(nvrtc)}")


def _replace_loader(library: ctypes.CDLL, path: str) -> None:
    """CuPy finds CUDA's libraries by ``cuda.pathfinder``; all of them are ours."""
    from cuda import pathfinder

    class Loaded:
        _handle_uint = library._handle
        abs_path = path
        found_via = "fakecuda"

    pathfinder.load_nvidia_dynamic_lib = lambda name: Loaded()


def _installed() -> ctypes.CDLL:
    if _library is None:
        raise RuntimeError("fakecuda.install() has not been called")
    return _library


def counts() -> dict[str, int]:
    """Say how often CUDA has done what since `reset_counts`.

    Returns
    -------
    dict of str to int
        The numbers by name: "launch", "copy to device", "synchronize stream", ... What has not
        been done is not in it.
    """
    function = _installed().fakecuda_counts
    size = function(None, 0) + 1
    buffer = ctypes.create_string_buffer(size)
    function(buffer, size)
    lines = buffer.value.decode().splitlines()
    return {name: int(number) for name, number in (line.split("\t") for line in lines)}


def reset_counts() -> None:
    """Set all counts to 0."""
    _installed().fakecuda_reset_counts()


@contextlib.contextmanager
def late() -> Iterator[None]:
    """Let streams run only when something waits for them.

    Results that are read without waiting are then the old ones, always: a missing synchronisation
    shows as wrong numbers.
    """
    library = _installed()
    library.fakecuda_set_late(1)
    try:
        yield
    finally:
        library.fakecuda_set_late(0)
