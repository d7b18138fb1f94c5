"""CuPy on CUDA devices: array_api_compat's namespace, and our overrides.

``table``
    the functions, by name.
``devices``
    how many GPUs there are; a function on one of them.
``corrections``
    functions that deviate from the standard in CuPy, corrected, by chapter.
``random``
    generators.
``conversions``
    between the host's, other GPUs', other libraries' and CuPy's objects.
``scalars``
    Python scalars as operands.
``streams``
    other libraries' streams, and order between streams.
``kernels``
    our CUDA C++.
``private``
    the check of CuPy's version, and the private names of CuPy that we use.

Some differences from NumPy remain, because to correct them the host would have to wait for the GPU:

- An index out of bounds wraps around.
- `linalg` does not read cuSOLVER's status. A singular or indefinite matrix yields meaningless
  numbers or NaN where NumPy raises. ``with cupyx.errstate(linalg="raise")`` makes CuPy read it.
- A negative exponent in an array of integers yields 0 or garbage where NumPy raises. A Python int
  raises here, too.

Others are the GPU's: subnormal float32 numbers are zeros, and the order in which a reduction
combines its elements differs, so a product of a zero and of elements that overflow together may be
0 or NaN. And one is NumPy's: for an array without axes it takes axis 0 or -1 for none, CuPy raises.
"""

from __future__ import annotations

from ..numpy import as_host, index_dtype, is_host_scalar, to_text
from . import private  # before the others, as it checks the installed version
from .devices import count, describe
from .table import operations

__all__ = [
    "array_type",
    "as_host",
    "count",
    "describe",
    "index_dtype",
    "is_host_scalar",
    "operations",
    "to_text",
]

array_type = private.array_type
