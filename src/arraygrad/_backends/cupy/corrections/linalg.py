"""The linalg extension, without the products that are also in the main namespace."""

from __future__ import annotations

import builtins
import math
from typing import Any

import cupy as cp
import numpy as np

from ..kernels import euclidean_norm
from .reductions import max, min

__all__ = [
    "cross",
    "eig",
    "eigvals",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "outer",
    "pinv",
    "solve",
    "vector_norm",
]

_Array = Any


# ---- products of vectors


def cross(x1: _Array, x2: _Array, /, *, axis: int = -1) -> _Array:
    """CuPy also takes vectors of two components."""
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(f"axis {axis} must have size 3; got shapes {x1.shape} and {x2.shape}")
    return cp.cross(x1, x2, axis=axis)


def outer(x1: _Array, x2: _Array, /) -> _Array:
    """CuPy flattens arrays of several axes."""
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"expected vectors; got shapes {x1.shape} and {x2.shape}")
    return cp.outer(x1, x2)


# ---- norms


def _as_floating(x: _Array) -> _Array:
    return x if x.dtype.kind in "fc" else x.astype("float64")


def _check_matrix(x: _Array) -> _Array:
    if x.ndim < 2:
        raise ValueError(f"a matrix has at least two axes; got {x.ndim}")
    return x


def vector_norm(
    x: _Array, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> _Array:
    """CuPy takes one axis, or two axes for the norm of a matrix."""
    x = _as_floating(x)
    if ord == 2:
        return euclidean_norm(x, axis=axis, keepdims=keepdims)
    if ord == 0:
        return cp.sum(x != 0, axis=axis, dtype=x.real.dtype, keepdims=keepdims)
    size = cp.abs(x)
    if abs(ord) == math.inf and (size.size or ord < 0):
        return (max if ord > 0 else min)(size, axis=axis, keepdims=keepdims)
    if ord == 1 or ord == math.inf:  # without elements, the largest is defined as their sum, 0
        return cp.sum(size, axis=axis, keepdims=keepdims)
    if not size.size:
        return cp.sum(size, axis=axis, keepdims=keepdims) ** (1 / ord)
    # The powers of scaled elements stay in the range of the dtype.
    scale = (max if ord > 0 else min)(size, axis=axis, keepdims=True)
    scale = cp.where((scale > 0) & cp.isfinite(scale), scale, cp.ones_like(scale))
    out = cp.sum((size / scale) ** ord, axis=axis, keepdims=True) ** (1 / ord) * scale
    return out if keepdims else cp.squeeze(out, axis)


def matrix_norm(x: _Array, /, *, keepdims: bool = False, ord: Any = "fro") -> _Array:
    """CuPy's maxima and minima call CUB, which is wrong for infinities."""
    x = _as_floating(_check_matrix(x))
    if ord in ("fro", None):
        return euclidean_norm(x, axis=(-2, -1), keepdims=keepdims)
    if not x.size and ord in ("nuc", 1, 2, math.inf):
        return cp.sum(cp.abs(x), axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        values = cp.linalg.svd(x, compute_uv=False)
        out = cp.sum(values, axis=-1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    elif ord in (1, -1, math.inf, -math.inf):
        sums = cp.sum(cp.abs(x), axis=-2 if abs(ord) == 1 else -1)
        out = (max if ord > 0 else min)(sums, axis=-1)
    else:
        raise ValueError(f"ord must be 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc'; got {ord!r}")
    return out[..., None, None] if keepdims else out


# ---- decompositions and systems of equations


def _significant(values: _Array, shape: tuple[int, ...], rtol: Any) -> _Array:
    """Mask of the singular values above the tolerance relative to the largest."""
    if rtol is None:
        rtol = builtins.max(shape[-2:]) * float(np.finfo(values.dtype).eps)
    elif type(rtol) is cp.ndarray:
        rtol = rtol[..., None]
    return values > values[..., :1] * rtol  # the first is the largest


def matrix_rank(x: _Array, /, *, rtol: Any = None) -> _Array:
    """CuPy's tolerance is absolute, and it takes the maximum of an empty matrix."""
    values = cp.linalg.svd(_check_matrix(x), compute_uv=False)
    return cp.count_nonzero(_significant(values, x.shape, rtol), axis=-1)


def pinv(x: _Array, /, *, rtol: Any = None) -> _Array:
    """CuPy has another default tolerance, and takes the maximum with CUB."""
    u, values, vh = cp.linalg.svd(_check_matrix(x), full_matrices=False)
    significant = _significant(values, x.shape, rtol)
    inverse = cp.where(significant, 1 / values, values.dtype.type(0))
    return cp.matmul(vh.swapaxes(-1, -2).conj() * inverse[..., None, :], u.swapaxes(-1, -2).conj())


def solve(x1: _Array, x2: _Array, /) -> _Array:
    """CuPy does not broadcast stacks of matrices. A singular matrix raises no error."""
    is_vector = x2.ndim == 1
    if is_vector:
        x2 = x2[:, None]
    if x1.ndim < 2 or x1.shape[-1] != x1.shape[-2] or x2.shape[-2:-1] != x1.shape[-1:]:
        raise ValueError(f"shapes {x1.shape} and {x2.shape} do not form a system of equations")
    stack = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x2 = cp.broadcast_to(x2, stack + x2.shape[-2:])
    if x2.size:
        out = cp.linalg.solve(cp.broadcast_to(x1, stack + x1.shape[-2:]), x2)
    else:
        dtypes = [x.dtype if x.dtype.kind in "fc" else np.dtype("float64") for x in (x1, x2)]
        out = cp.empty(x2.shape, np.result_type(*dtypes))
    return out[..., 0] if is_vector else out


def eig(x: _Array, /) -> tuple[_Array, _Array]:
    """For an empty stack of real matrices, CuPy returns real arrays."""
    if x.size:
        return cp.linalg.eig(x)
    if _check_matrix(x).shape[-1] != x.shape[-2]:
        raise ValueError(f"expected square matrices; got shape {x.shape}")
    dtype = np.result_type(x.dtype, np.complex64)
    return cp.empty(x.shape[:-1], dtype), cp.empty(x.shape, dtype)


def eigvals(x: _Array, /) -> _Array:
    """The same as `eig`."""
    return cp.linalg.eigvals(x) if x.size else eig(x)[0]


def matrix_power(x: _Array, n: int, /) -> _Array:
    """CuPy returns a view for n = 1."""
    return cp.linalg.matrix_power(x, n) if n != 1 else x.copy()
