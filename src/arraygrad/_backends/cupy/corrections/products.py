"""Products of matrices, of tensors and of stacks of vectors."""

from __future__ import annotations

import math
from typing import Any

import cupy as cp
import numpy as np

from ..graphs import needs_same_bits

__all__ = ["imatmul", "matmul", "tensordot", "vecdot"]

_Array = Any

_product = cp.ReductionKernel(
    "T x, T y", "T out", "x * y", "a + b", "out = a", "0", "arraygrad_product"
)


def matmul(x1: _Array, x2: _Array, /, out: _Array | None = None) -> _Array:
    """CuPy refuses to call cuBLAS while a graph is captured. Then a kernel sums the products."""
    try:
        return cp.matmul(x1, x2, out=out)
    except NotImplementedError:
        result = _matmul_in_graph(x1, x2)
    if out is None:
        return result
    cp.copyto(out, result)
    return out


def imatmul(x1: _Array, x2: _Array, /) -> None:
    """CuPy's operator makes a new array."""
    result = matmul(x1, x2)
    if result.shape != x1.shape:
        raise ValueError(f"a product of shape {result.shape} does not fit into {x1.shape}")
    cp.copyto(x1, result)


def _matmul_in_graph(x1: _Array, x2: _Array) -> _Array:
    if needs_same_bits.get():
        raise NotImplementedError("CuPy does not call cuBLAS while a graph is captured")
    dtype = np.result_type(x1.dtype, x2.dtype)
    x1, x2 = x1.astype(dtype, copy=False), x2.astype(dtype, copy=False)
    rows = x1[None] if x1.ndim == 1 else x1
    columns = x2[:, None] if x2.ndim == 1 else x2
    out = _product(rows[..., None], columns[..., None, :, :], axis=-2)
    if x1.ndim == 1:
        out = out[..., 0, :]
    return out[..., 0] if x2.ndim == 1 else out


def tensordot(x1: _Array, x2: _Array, /, *, axes: Any = 2) -> _Array:
    """CuPy misreads empty lists of axes. In a captured graph it fails like `matmul`."""
    if not isinstance(axes, int):
        first, second = axes
        axes = (tuple(first), tuple(second))
    try:
        return cp.tensordot(x1, x2, axes)
    except NotImplementedError:
        return _tensordot_in_graph(x1, x2, axes)


def _tensordot_in_graph(x1: _Array, x2: _Array, axes: Any) -> _Array:
    if isinstance(axes, int):
        axes = tuple(range(x1.ndim - axes, x1.ndim)), tuple(range(axes))
    first, second = ([a % x.ndim for a in own] for x, own in zip((x1, x2), axes, strict=True))
    left = [a for a in range(x1.ndim) if a not in first]
    right = [a for a in range(x2.ndim) if a not in second]
    m, k, n = (
        math.prod(x.shape[a] for a in own) for x, own in ((x1, left), (x1, first), (x2, right))
    )
    out = _matmul_in_graph(
        x1.transpose(left + first).reshape(m, k), x2.transpose(second + right).reshape(k, n)
    )
    return out.reshape([x1.shape[a] for a in left] + [x2.shape[a] for a in right])


def vecdot(x1: _Array, x2: _Array, /, *, axis: int = -1) -> _Array:
    """array_api_compat turns bools into numbers, and fails in a captured graph."""
    x1 = cp.moveaxis(x1, axis, -1)
    if x1.dtype.kind == "c":  # (CuPy's conj turns bools into numbers)
        x1 = cp.conj(x1)
    return matmul(x1[..., None, :], cp.moveaxis(x2, axis, -1)[..., None])[..., 0, 0]
