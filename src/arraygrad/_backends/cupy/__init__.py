"""CuPy on CUDA devices: array_api_compat's namespace plus overrides.

``table``
    the functions, by name.
``devices``
    the number of GPUs, and functions that run on one of them.
``corrections``
    corrections of functions that deviate from the standard in CuPy, by chapter.
``random``
    generators.
``conversions``
    conversions between CuPy arrays and objects on the host, on other GPUs or of other libraries.
``scalars``
    Python scalars as operands.
``streams``
    streams of other libraries, and the order of streams.
``fusion``
    runs of elementwise functions as one kernel.
``graphs``
    functions as CUDA graphs.
``kernels``
    kernels in CUDA C++.
``private``
    the check of CuPy's version and of the private names that this package uses.

Some differences from NumPy remain, because to correct them the host would have to wait for the GPU:

- An index out of bounds wraps around.
- `linalg` does not read cuSOLVER's status. A singular or indefinite matrix yields meaningless
  numbers or NaN where NumPy raises. ``with cupyx.errstate(linalg="raise")`` makes CuPy read it.
- A negative exponent in an array of integers yields 0 or garbage where NumPy raises. A Python int
  raises here, too.

Other differences come from the GPU: subnormal float32 numbers are flushed to zero, and a reduction
combines its elements in another order. So the product of a zero and of elements that overflow
together may be 0 or NaN. One comes from NumPy, which accepts axis 0 or -1 for an array without
axes; CuPy raises.
"""

from __future__ import annotations

from ..numpy import as_host, index_dtype, is_host_scalar, to_text
from . import private  # before the others, as it checks the installed version
from .devices import count, describe
from .fusion import can_reduce, kernel, reducing_kernel, step
from .graphs import captured
from .table import operations

__all__ = [
    "array_type",
    "as_host",
    "can_reduce",
    "captured",
    "count",
    "describe",
    "index_dtype",
    "is_host_scalar",
    "kernel",
    "operations",
    "reducing_kernel",
    "step",
    "to_text",
]

array_type = private.array_type
