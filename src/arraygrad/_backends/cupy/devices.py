"""GPUs by number: their count, and functions that run on one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp


def count() -> int:
    """Number of GPUs; 0 without a driver."""
    try:
        return cp.cuda.runtime.getDeviceCount()
    except cp.cuda.runtime.CUDARuntimeError:
        return 0


def describe(index: int) -> dict[str, Any]:
    """The name and the compute capability of a GPU, and the versions of CUDA."""
    properties = cp.cuda.runtime.getDeviceProperties(index)
    driver, runtime = cp.cuda.runtime.driverGetVersion(), cp.cuda.runtime.runtimeGetVersion()
    return {
        "name": properties["name"].decode(),
        "compute capability": f"{properties['major']}.{properties['minor']}",
        "CUDA driver": _version(driver),
        "CUDA runtime": _version(runtime),
    }


def _version(number: int) -> str:
    """The version of CUDA that a number such as 12080 stands for."""
    return f"{number // 1000}.{number % 1000 // 10}"


def check_exists(index: int) -> None:
    """Raise ValueError, with the reason, if there is no such GPU."""
    n_gpus = count()
    if index < n_gpus:
        return
    if n_gpus:
        there = "cuda:0" if n_gpus == 1 else f"cuda:0 to cuda:{n_gpus - 1}"
        raise ValueError(f"there is no cuda:{index}; this machine has {n_gpus} ({there})")
    try:
        cp.cuda.runtime.getDeviceCount()
        reason = "no GPU"
    except cp.cuda.runtime.CUDARuntimeError as error:
        reason = str(error)
    raise ValueError(
        f"there is no cuda:{index}: CuPy {cp.__version__} is installed, but finds no GPU that it "
        f"can use ({reason}); nvidia-smi says whether a driver is"
    )


def on_device(function: Callable[..., Any], index: int) -> Callable[..., Any]:
    """Wrap a function so that GPU number `index` is current while it runs."""
    current, device = cp.cuda.runtime.getDevice, cp.cuda.Device

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            if current() == index:
                return function(*args, **kwargs)
            with device(index):
                return function(*args, **kwargs)
        except (ImportError, RuntimeError) as error:
            if advice := _installation_advice(error):
                raise RuntimeError(f"{str(error).rstrip('.')}; {advice}") from error
            raise

    # (mypy does not support attributes of functions.)
    run.ufunc = ufunc_of(function)  # type: ignore[attr-defined]
    return run


def ufunc_of(function: Callable[..., Any]) -> Any:
    """The ufunc that a function calls for arrays and the numbers that fit these; None if none."""
    return function if isinstance(function, cp.ufunc) else getattr(function, "ufunc", None)


def _installation_advice(error: Exception) -> str:
    """Package to install if a part of CUDA is missing or too old."""
    extra = f"cupy-cuda{cp.cuda.runtime.runtimeGetVersion() // 1000}x[ctk]"
    kind, text = type(error).__name__, str(error)
    if (
        isinstance(error, ImportError)
        or kind == "DynamicLibNotFoundError"
        or "CUDA headers" in text
    ):
        return (
            "CuPy needs CUDA's headers and libraries, which the driver does not bring: "
            f'pip install "{extra}"'
        )
    if "geev" in text:
        return f'eigenvalues need CUDA 12.6.2 or newer, by its cuSOLVER: pip install "{extra}"'
    return ""
