"""Which CuPy wheels the stand-in covers, and the one that is installed."""

import importlib.metadata
import importlib.util
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

#: The versions of CuPy that were tried. The stand-in puts itself over internal functions of CuPy's
#: binaries, so others are refused: see "A new version of CuPy" in the README.
CUPY_VERSIONS = ("14.0.0", "14.0.1", "14.1.0", "14.1.1", "14.2.0")
#: The wheels, by the major version of CUDA.
DISTRIBUTIONS = {12: "cupy-cuda12x", 13: "cupy-cuda13x"}
#: CuPy's packages that hold extension modules.
PACKAGES = ("cupy", "cupy_backends", "cupyx")


class InstallError(RuntimeError):
    """The stand-in cannot be installed; the message says why, and what to do."""


@dataclass(frozen=True)
class Wheel:
    """CuPy, as it is installed."""

    distribution: str
    version: str
    toolkit: int
    folder: Path  # that of site-packages

    def modules(self) -> list[Path]:
        """Return all extension modules."""
        return [p for name in PACKAGES for p in sorted((self.folder / name).rglob("*.so"))]

    def module(self, name: str) -> Path:
        """Return the file of the extension module with this dotted name."""
        *packages, last = name.split(".")
        found = sorted(self.folder.joinpath(*packages).glob(f"{last}.*.so"))
        if not found:
            raise InstallError(
                f"{self.distribution} {self.version} in {self.folder} has no module {name}: "
                f'reinstall it with pip install --force-reinstall "{self.pin}"'
            )
        return found[0]

    @property
    def include(self) -> Path:
        """CuPy's own headers."""
        return self.folder / "cupy" / "_core" / "include"

    @property
    def pin(self) -> str:
        """What to tell pip to get this wheel."""
        return f"{self.distribution}=={self.version}"


def check_platform() -> None:
    """Raise where no wheel could run."""
    system, machine = sys.platform, platform.machine()
    if system != "linux" or machine != "x86_64":
        raise InstallError(f"fakecuda needs Linux on x86-64; this is {system} on {machine}")
    flags = next(
        (ln for ln in Path("/proc/cpuinfo").read_text().splitlines() if ln.startswith("flags")), ""
    )
    if "fma" not in flags.split():
        raise InstallError(
            "fakecuda needs a CPU with FMA instructions (x86-64 since 2013): kernels contract "
            "multiplications and additions, as on a GPU"
        )


def find_wheel() -> Wheel:
    """Find the installed wheel of CuPy without importing it."""
    newest = CUPY_VERSIONS[-1]
    advice = f'pip install "{DISTRIBUTIONS[12]}=={newest}" (or "{DISTRIBUTIONS[13]}=={newest}")'
    installed = {}
    for toolkit, name in DISTRIBUTIONS.items():
        try:
            installed[toolkit] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    spec = importlib.util.find_spec("cupy")
    if not installed:
        found = "no CuPy" if spec is None else f"a CuPy in {spec.origin} that is not one of them"
        names = " or ".join(DISTRIBUTIONS.values())
        raise InstallError(f"fakecuda needs {names} from PyPI and found {found}: {advice}")
    if len(installed) > 1:
        names = " and ".join(DISTRIBUTIONS[t] for t in installed)
        raise InstallError(f"{names} are both installed, over each other: uninstall both, {advice}")
    ((toolkit, distribution),) = installed.items()
    name, version = DISTRIBUTIONS[toolkit], distribution.version
    if version not in CUPY_VERSIONS:
        raise InstallError(
            f"fakecuda was not tried with {name} {version}, only with "
            f"{', '.join(CUPY_VERSIONS)}: {advice}"
        )
    if spec is None or spec.origin is None:
        raise InstallError(f"{name} {version} is installed, but cupy cannot be found: {advice}")
    return Wheel(name, version, toolkit, Path(spec.origin).resolve().parent.parent)
