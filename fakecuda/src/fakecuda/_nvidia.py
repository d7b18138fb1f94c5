"""What of NVIDIA's packages is used: the headers of the CUDA runtime and, if asked for, NVRTC."""

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

from fakecuda._versions import InstallError

#: By the major version of CUDA: packages, and where they have what is looked for.
_RUNTIME = {
    12: ("nvidia-cuda-runtime-cu12", "cuda_runtime/include"),
    13: ("nvidia-cuda-runtime", "cu13/include"),
}
_NVRTC = {
    12: ("nvidia-cuda-nvrtc-cu12", "cuda_nvrtc/lib"),
    13: ("nvidia-cuda-nvrtc", "cu13/lib"),
}
#: Where a toolkit is that an installer of NVIDIA's put there.
_SYSTEM = "/usr/local/cuda"


def find_headers(toolkit: int) -> Path:
    """Return the folder with the headers of the CUDA runtime of this major version.

    CuPy asks `cuda.pathfinder` for it. That looks in the same places, and in a process of its own
    where none has it, which would install the stand-in, and so on.
    """
    package, folder = _RUNTIME[toolkit]
    roots = [os.environ.get("CUDA_PATH"), os.environ.get("CUDA_HOME"), _SYSTEM]
    folders = [*_of_packages(folder), *(Path(root, "include") for root in roots if root)]
    for path in folders:
        header = path / "cuda_runtime_api.h"
        if header.is_file() and f"#define CUDART_VERSION  {toolkit}" in header.read_text():
            return path
    raise InstallError(
        f"fakecuda and CuPy need the headers of the CUDA {toolkit} runtime and found none in "
        f"{', '.join(map(str, folders))}: pip install {package}"
    )


def find_nvrtc(setting: str, toolkit: int) -> Path:
    """Return the library that FAKECUDA_NVRTC names: a path, or "real" for the installed package."""
    if setting != "real":
        path = Path(setting)
        if not path.is_file():
            raise InstallError(f'FAKECUDA_NVRTC is neither "real" nor a file: {setting}')
        return path.resolve()
    package, folder = _NVRTC[toolkit]
    for lib in _of_packages(folder):
        for path in sorted(lib.glob("libnvrtc.so.*")):
            if re.fullmatch(r"libnvrtc\.so\.\d+", path.name):
                return path
    raise InstallError(f"FAKECUDA_NVRTC=real needs NVIDIA's compiler: pip install {package}")


def _of_packages(folder: str) -> Iterator[Path]:
    spec = importlib.util.find_spec("nvidia")
    for root in (spec and spec.submodule_search_locations) or ():
        yield Path(root, folder)
