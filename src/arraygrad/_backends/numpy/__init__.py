"""NumPy on the CPU: array_api_compat's namespace plus overrides.

``conversions``
    between Python's, other libraries' and NumPy's objects; indexing and assignment.
``corrections``
    functions that deviate from the standard in NumPy, corrected.
``fast_paths``
    functions that return the same values as NumPy's faster, with their measured speedups.
``parallel``
    computation on large arrays with several threads.
``malloc``
    the amount of freed memory that the C library keeps.
``error_state``
    NumPy's floating-point warnings.
``_loops``
    NumPy's loops in a row, where that is compiled; `loops` is None elsewhere.
``table``
    the functions, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from . import malloc, parallel
from .conversions import as_host, is_host_scalar, is_native, root, to_text
from .error_state import errors, errstate, ignored, quiet
from .fast_paths import PLAIN
from .table import make_table

loops: Any = None
if not PLAIN:
    with suppress(ImportError):  # (without a compiler there is none)
        loops = import_module("._loops", __name__)

#: The ufuncs in which `numpy.linalg.solve` solves for matrices and for vectors; None if it has
#: others.
_umath: Any = getattr(np.linalg, "_umath_linalg", None)
solvers = getattr(_umath, "solve", None), getattr(_umath, "solve1", None)

__all__ = [
    "array_type",
    "as_host",
    "broadcast_shapes",
    "can_cast",
    "count",
    "describe",
    "dtype",
    "errors",
    "errstate",
    "finfo",
    "ignored",
    "iinfo",
    "index_dtype",
    "is_host_scalar",
    "is_native",
    "loops",
    "namespace",
    "operations",
    "quiet",
    "result_type",
    "root",
    "solvers",
    "to_text",
]

namespace = np
array_type = np.ndarray
index_dtype = np.dtype("int64")
dtype = np.dtype
finfo = np.finfo
iinfo = np.iinfo
can_cast = np.can_cast
result_type = np.result_type
broadcast_shapes = np.broadcast_shapes

malloc.set_up()
_operations = make_table()


def operations(index: int) -> dict[str, Callable[..., Any]]:
    """The functions, by name, for the one CPU."""
    if index:
        raise ValueError(f"there is one CPU device, cpu; got cpu:{index}")
    return _operations


def count() -> int:
    """The number of CPU devices."""
    return 1


def describe(index: int) -> dict[str, Any]:
    """The BLAS library that NumPy was built with, and our number of threads."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "BLAS": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip(),
        "threads": parallel.get_num_threads(),
    }
