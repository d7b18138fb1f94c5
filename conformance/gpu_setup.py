"""Prepares ``python -m conformance gpu`` for a machine with a GPU and no network.

``--prepare DIR`` fills a folder with wheels of arraygrad and of the small packages that its tests
need, for Python 3.12 on Linux, and with the official suite. ``--wheels DIR`` uses the folder. The
machine must have NumPy, SciPy, CuPy and other large packages. This module imports only the standard
library, because nothing else may be installed when the command starts.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Packages with their dependencies, except the large ones.
PACKAGES = """
    array-api-compat array-api-extra array-api-strict optree typing-extensions
    pytest iniconfig packaging pluggy pygments pytest-xdist execnet
    pytest-json-report pytest-metadata hypothesis sortedcontainers ndindex mpmath einops
    dask distributed click cloudpickle fsspec jinja2 locket markupsafe msgpack partd psutil pyyaml
    tblib toolz tornado urllib3 zict xarray safetensors tqdm joblib threadpoolctl
    importlib-metadata zipp
""".split()
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (28, 27, 26, 24, 17, 12, 5)]


def start(argv: list[str]) -> None:
    """Prepare a folder and exit, or restart with the packages of a folder."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_options(parser)
    known, rest = parser.parse_known_args(argv)
    if known.prepare:
        prepare(known.prepare)
        raise SystemExit(0)
    if known.wheels:
        use(known.wheels, rest)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this module."""
    add = parser.add_argument
    add("--wheels", type=Path, metavar="DIR", help="install these wheels for this command")
    add("--prepare", type=Path, metavar="DIR", help="put wheels and suite there, and exit")


def prepare(folder: Path) -> None:
    """Download the packages and the suite, and build the wheel of arraygrad."""
    from . import official

    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    target = ["--python-version", "3.12", "--implementation", "cp", "--only-binary=:all:"]
    for name in PLATFORMS:
        target += ["--platform", name]
    run([*pip, "download", "-q", "--no-deps", *target, "-d", str(folder), *PACKAGES])
    for old in folder.glob("arraygrad-*.whl"):
        old.unlink()
    same = sys.version_info[:2] == (3, 12) and platform.machine() == "x86_64"
    compiled = {"ARRAYGRAD_COMPILE": "" if same else "0"}
    command = [*pip, "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    run(command, compiled)
    suite = official.find_suite(None, official.REVISIONS[0])
    shutil.rmtree(folder / "suite", ignore_errors=True)
    ignored = shutil.ignore_patterns(".git", "__pycache__")
    shutil.copytree(suite, folder / "suite", ignore=ignored)
    size = sum(path.stat().st_size for path in folder.rglob("*")) / 2**20
    print(f"{folder}: {size:.0f} MiB; there: python3 -m conformance gpu --wheels {folder}")


def use(folder: Path, argv: list[str]) -> None:
    """Install the wheels into a separate folder, and restart with it."""
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise SystemExit(f"error: there are no wheels in {folder}; --prepare {folder} makes them")
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in wheels)).hexdigest()[:12]
    site = Path(tempfile.gettempdir(), f"arraygrad-gpu-{mark}")
    if not site.is_dir():
        new = tempfile.mkdtemp(dir=site.parent)
        options = ["-q", "--no-index", "--no-deps", "--no-compile", "--target", new]
        run([sys.executable, "-m", "pip", "install", *options, *map(str, wheels)])
        Path(new).rename(site)
    for path in (ROOT / "src").rglob("*.py"):
        installed = site / path.relative_to(ROOT / "src")
        if not installed.exists() or installed.read_bytes() != path.read_bytes():
            raise SystemExit(
                f"error: {path} is not in arraygrad's wheel as it is here; --prepare {folder} again"
            )
    if "--suite" not in argv and (folder / "suite").is_dir():
        argv = [*argv, "--suite", str(folder / "suite")]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    }
    os.execve(sys.executable, [sys.executable, "-m", "conformance", *argv], env)


def run(command: list[str], variables: dict[str, str] | None = None) -> None:
    """Run a command that must succeed."""
    print(" ".join(command[:6]), "...", flush=True)
    done = subprocess.run(command, env=os.environ | (variables or {}))
    if done.returncode:
        raise SystemExit(f"error: that ended with code {done.returncode}")
