"""Check that CuPy is installed, is new enough and has the private names that this package imports.

The package imports this module first.
"""

from __future__ import annotations

from typing import Any

try:
    import cupy as cp

    if int(cp.__version__.partition(".")[0]) < 14:
        raise ImportError(f"found CuPy {cp.__version__}")
    import array_api_compat.cupy
    import array_api_compat.cupy.fft
    import array_api_compat.cupy.linalg  # noqa: F401  (only that it is there)
except ImportError as error:
    raise ImportError(
        'CUDA devices need CuPy 14 or newer: pip install "arraygrad[cuda13x]" for CUDA 13, '
        f'"arraygrad[cuda12x]" for CUDA 12 ({error})'
    ) from error

try:
    from cupy._core import create_reduction_func, create_ufunc  # for kernels.py
    from cupy._core.dlpack import DLPackMemory  # for conversions.py
except ImportError as error:
    raise ImportError(
        f"CuPy {cp.__version__} lacks functions with which arraygrad builds kernels; install "
        f'a newer arraygrad, or "cupy-cuda13x[ctk]<15" ({error})'
    ) from error

__all__ = [
    "DLPackMemory",
    "array_type",
    "create_reduction_func",
    "create_ufunc",
    "has_own_sums",
    "loops",
]

array_type = cp.ndarray


def loops(ufunc: Any) -> tuple[str, list[tuple[Any, Any, Any]]]:
    """The code in front of a ufunc's kernels; for each its dtypes and its code; none if unknown."""
    try:
        return ufunc._preamble, [(x.in_types, x.out_types, x.routine) for x in ufunc._ops.ops]
    except AttributeError:
        return "", []


def has_own_sums() -> bool:
    """Return True if CuPy adds by its own kernels, except along contiguous axes (by CUB)."""
    try:
        from cupy._core import _accelerator

        return set(_accelerator.get_routine_accelerators()) <= {_accelerator.ACCELERATOR_CUB}
    except (ImportError, AttributeError):
        return False
