"""Linear algebra extension of the standard."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ._dispatch import apply, binary, call, pair, unary
from ._dtypes import as_dtype
from ._linear_algebra import matmul, matrix_transpose, tensordot, vecdot
from ._typing import DType, Tensor

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr",
    "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """TODO"""
    return call("linalg.cholesky", x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """TODO"""
    return pair("linalg.cross", x1, x2, axis=axis)


def det(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("linalg.det", x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """TODO"""
    return call("linalg.diagonal", x, offset=offset)


def eig(x: Tensor, /) -> EigResult:
    """TODO"""
    return EigResult(*unary("linalg.eig", x))


def eigh(x: Tensor, /) -> EighResult:
    """TODO"""
    return EighResult(*unary("linalg.eigh", x))


def eigvals(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("linalg.eigvals", x)


def eigvalsh(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("linalg.eigvalsh", x)


def inv(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("linalg.inv", x)


def matrix_norm(
    x: Tensor,
    /,
    *,
    keepdims: bool = False,
    ord: int | float | Literal["fro", "nuc"] | None = "fro",
) -> Tensor:
    """TODO"""
    return call("linalg.matrix_norm", x, keepdims=keepdims, ord=ord)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """TODO"""
    return call("linalg.matrix_power", x, n)


def matrix_rank(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """TODO"""
    return apply("linalg.matrix_rank", (x,), (), {"rtol": rtol})


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """TODO"""
    return binary("linalg.outer", x1, x2)


def pinv(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """TODO"""
    return apply("linalg.pinv", (x,), (), {"rtol": rtol})


def qr(x: Tensor, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRResult:
    """TODO"""
    return QRResult(*call("linalg.qr", x, mode=mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """TODO"""
    return SlogdetResult(*unary("linalg.slogdet", x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """TODO"""
    return binary("linalg.solve", x1, x2)


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """TODO"""
    return SVDResult(*call("linalg.svd", x, full_matrices=full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """TODO"""
    return unary("linalg.svdvals", x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: DType | None = None) -> Tensor:
    """TODO"""
    return call("linalg.trace", x, offset=offset, dtype=as_dtype(dtype, "trace"))


def vector_norm(
    x: Tensor,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: int | float = 2,
) -> Tensor:
    """TODO"""
    return call("linalg.vector_norm", x, axis=axis, keepdims=keepdims, ord=ord)
