"""The functions by name: array_api_compat's namespace, CuPy's own functions, and corrections."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import cupy as cp
from array_api_compat import cupy as compat
from array_api_compat.cupy import fft as compat_fft
from array_api_compat.cupy import linalg as compat_linalg

from ..common import nn
from ..common import scipy as common_scipy
from ..common import special as common_special
from . import conversions, random
from .corrections import (
    creation,
    elementwise,
    fft,
    indexing,
    linalg,
    manipulation,
    products,
    reductions,
    scipy,
    sorting,
    special,
)
from .devices import check_exists, on_device
from .scalars import BINARY, COMPARISONS, with_python_ints
from .streams import is_capturing, wait

#: Our modules and the prefix of their names in the table.
CORRECTIONS: dict[ModuleType, str] = {
    conversions: "",
    creation: "",
    elementwise: "",
    indexing: "",
    manipulation: "",
    products: "",
    reductions: "",
    sorting: "",
    linalg: "linalg.",
    fft: "fft.",
}

#: CuPy's own functions that are the standard's. array_api_compat's wrapper would only cost time.
_CUPY_DIRECT = (
    "empty eye ones zeros unique_inverse unique_values "
    "linalg.eigh linalg.qr linalg.slogdet linalg.svd fft.fftshift fft.ifftshift"
).split()

#: In-place operators that need no correction.
_OPERATORS = "iadd isub imul iand ior ixor".split()
_CORRECTED = "ifloordiv ilshift imatmul imod ipow irshift itruediv".split()

#: Maximum size in bytes of the columns of a convolution; a GPU needs large operations.
_CONVOLUTION_BYTES = 2**28


def make_table() -> dict[str, Callable[..., Any]]:
    """The functions, by name, for the current GPU."""
    entries: dict[str, Callable[..., Any]] = {}
    for prefix, module in (("", compat), ("linalg.", compat_linalg), ("fft.", compat_fft)):
        for name in dir(module):
            member = getattr(module, name)
            if callable(member) and not isinstance(member, type) and name[0] != "_":
                entries[prefix + name] = member
    entries.update({name: operator.attrgetter(name)(cp) for name in _CUPY_DIRECT})
    entries.update({name: getattr(operator, name) for name in _OPERATORS})
    for corrections, prefix in CORRECTIONS.items():
        entries.update({prefix + name: getattr(corrections, name) for name in corrections.__all__})
    for name in (*BINARY, *COMPARISONS):
        entries[name] = with_python_ints(name, entries[name])
    for name in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
        entries[f"linalg.{name}"] = entries[name]
    entries.update({"T": cp.transpose, "copy": cp.copy, "from_scalar": cp.asarray})
    entries.update({"is_capturing": is_capturing, "wait": wait})
    entries.update(common_special.operations(cp, special.load))
    entries.update(common_scipy.operations(scipy.load))
    entries.update(random.operations())
    namespace = SimpleNamespace(**{**vars(cp), "matmul": products.matmul})
    settle = elementwise.settle
    layers = nn.operations(
        namespace, cp.where, settle, nullcontext, _sum_of_products, _CONVOLUTION_BYTES
    )
    entries.update(layers)
    entries.update(nn.activations(namespace, cp.where, entries["special.ndtr"]))
    for name in (*_OPERATORS, *_CORRECTED, "setitem"):  # as Python names them
        entries[f"__{name}__"] = entries.pop(name)
    return entries


def _sum_of_products(a: Any, b: Any, /, *, axes: tuple[int, ...], scale: float) -> Any:
    """The sum of ``a * b``, or of `a`, along axes, which remain, times `scale`."""
    product = a if b is None else a * b
    dtype = product.dtype
    total = product.sum(axis=axes, keepdims=True, dtype="f4" if dtype == "f2" else dtype)
    return (total * scale).astype(dtype, copy=False)


def operations(index: int) -> dict[str, Callable[..., Any]]:
    """The functions, by name, for GPU number `index`.

    Raises
    ------
    ValueError
        If there is no such GPU.
    """
    check_exists(index)
    return {name: on_device(function, index) for name, function in make_table().items()}
