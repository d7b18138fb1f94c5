"""The functions by name: array_api_compat's namespace plus overrides."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from array_api_compat import numpy as _compat
from array_api_compat.numpy import fft as _fft
from array_api_compat.numpy import linalg as _linalg

from ..common import creation, nn, random
from ..common import scipy as common_scipy
from ..common import special as common_special
from . import activations, batches, conversions, corrections, exponentials, fast_paths, norms
from .error_state import quiet
from .parallel import fused_update, parallel_elementwise, parallel_unary, reserve_workspaces
from .products import outer, sum_of_products

_Array = Any

#: NumPy's own function is the standard's; array_api_compat's wrapper would only cost time.
NUMPY_DIRECT = """
    empty eye full ones zeros cumulative_prod cumulative_sum matmul tensordot vecdot
    unique_all unique_counts unique_inverse linalg.cholesky linalg.cross linalg.diagonal
    linalg.outer linalg.qr linalg.svd linalg.svdvals linalg.tensordot linalg.trace
    fft.fft fft.hfft fft.ifft fft.ihfft fft.irfft fft.irfftn fft.rfft fft.rfftn
    fft.fftshift fft.ifftshift""".split()

#: The array's method is the standard's function; NumPy's function calls it from Python.
METHODS = "argmax argmin astype item reshape take view".split()

#: Functions of `conversions` and of `corrections`, by the operation's name.
CONVERSIONS = (
    "bounds dlpack from_dlpack from_host getitem irtruediv root scatter setitem to_host".split()
)
CORRECTIONS = """
    arange clip diff expm1 floor_divide ifloordiv ipow isin log1p logaddexp mean pow repeat round
    searchsorted settle settle_weight sign sort std tan tanh unstack var where""".split()
LINALG_CORRECTIONS = "matrix_norm matrix_power matrix_rank vector_norm".split()

OPERATORS = "iadd isub imul imod imatmul iand ior ixor ilshift irshift itruediv".split()

#: Elementwise functions that take longer per element than the memory access.
COMPUTE_BOUND = """
    acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt
    tan tanh""".split()
COMPUTE_BOUND_BINARY = "atan2 floor_divide hypot logaddexp nextafter remainder".split()


def make_table() -> dict[str, Callable[..., Any]]:
    """The functions of the CPU, by the operation's name."""
    table: dict[str, Callable[..., Any]] = {}
    for prefix, module in (("", _compat), ("linalg.", _linalg), ("fft.", _fft)):
        for name in dir(module):
            function = getattr(module, name)
            if callable(function) and not isinstance(function, type) and name[0] != "_":
                table[prefix + name] = function
    table.update({name: operator.attrgetter(name)(np) for name in NUMPY_DIRECT})
    table.update({name: getattr(np.ndarray, name) for name in METHODS})
    table.update({name: getattr(operator, name) for name in OPERATORS})
    table.update({name: getattr(conversions, name) for name in CONVERSIONS})
    table.update({name: fast_paths.choose(name) for name in fast_paths.TABLE})
    table.update({name: getattr(corrections, name) for name in CORRECTIONS})
    table.update({f"linalg.{name}": getattr(corrections, name) for name in LINALG_CORRECTIONS})
    for name in ("linalg.det", "linalg.slogdet", "linalg.eigh", "linalg.eigvalsh"):
        table[name] = corrections.with_nan(operator.attrgetter(name)(np))
    table["fft.fftn"] = corrections.with_complex_result(np.fft.fftn)
    table["fft.ifftn"] = corrections.with_complex_result(np.fft.ifftn)
    table.update(
        {
            # The ufuncs' reductions take axis, dtype and keepdims as the standard has them.
            # (Without an axis they reduce the first; the dispatch always gives one.)
            "sum": np.add.reduce,
            "prod": np.multiply.reduce,
            "max": np.maximum.reduce,
            "min": np.minimum.reduce,
            "all": np.logical_and.reduce,
            "any": np.logical_or.reduce,
            "concat": np.concatenate,
            "linspace": partial(creation.linspace, np.linspace),
            "permute_dims": np.ndarray.transpose,
            "T": np.transpose,
            # (It raises for fewer than two axes, as the function does.)
            "matrix_transpose": operator.attrgetter("mT"),
            "copy": np.copy,
            "sweep": fused_update,
            "reserve": reserve_workspaces,
            "linalg.cholesky.batch": batches.cholesky,
            "matmul.batch": partial(batches.outer, signed=False),
            "multiply.batch": batches.outer,
            "from_scalar": np.asarray,
            "array": np.array,
        }
    )
    table.update(common_special.operations(np, scipy_special, quiet))
    table.update(common_scipy.operations(_load_operation))
    table.update(random.operations())
    table.update(
        nn.operations(
            np,
            corrections.where,
            corrections.settle,
            quiet,
            sum_of_products,
            2**20,
            768,
            outer,
            activations.exp,
            norms.Normalisation,
            exponentials.Exponentials,
        )
    )
    table.update(activations.operations(table))
    table.update({name: parallel_unary(table[name]) for name in COMPUTE_BOUND})
    table.update({name: parallel_elementwise(table[name]) for name in COMPUTE_BOUND_BINARY})
    table["special.expit"] = table["nn.sigmoid"]
    for name in (*OPERATORS, "ifloordiv", "ipow", "setitem"):  # as Python names them
        table[f"__{name}__"] = table.pop(name)
    return table


def scipy_special(name: str) -> Callable[..., Any]:
    """SciPy's ufunc; the public function would first look up the namespace, which is NumPy's."""
    function: Any = inspect.unwrap(load_scipy(f"special.{name}"))
    if name in ("bdtr", "bdtrc", "bdtri"):
        return partial(_with_integer_trials, function)
    if getattr(function, "nin", 2) > 1:
        function = partial(common_special.of_arrays, np, function)
    return parallel_elementwise(function)


def load_scipy(name: str) -> Callable[..., Any]:
    """SciPy's function of that name, such as ``linalg.expm``."""
    module, _, function = name.rpartition(".")
    try:
        return getattr(import_module(f"scipy.{module}"), function)
    except ImportError as error:
        raise ImportError(
            f'needs SciPy on the CPU: pip install "arraygrad[scipy]" ({error})'
        ) from error


def _load_operation(name: str) -> Callable[..., Any]:
    """SciPy's function for the operation `scipy.name`."""
    function = load_scipy(name)
    if name == "linalg.solve_triangular":
        return partial(batches.solve_triangular, function)
    return function


def _with_integer_trials(function: Callable[..., Any], k: Any, n: Any, x: Any) -> _Array:
    """SciPy warns of floating-point numbers of trials, even if they are whole."""
    if not np.all(np.mod(n, 1) == 0):
        return function(k, n, x)
    whole = np.asarray(n).astype(np.int64)
    return np.asarray(function(k, whole, x)).astype(np.result_type(k, x, n), copy=False)
