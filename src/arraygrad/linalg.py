"""Linear algebra extension of the standard."""

from __future__ import annotations

from typing import Literal, NamedTuple

from . import _hints
from ._dispatch import apply, as_floating, binary, call, unary, view
from ._dtypes import accumulator
from ._linear_algebra import matmul, matrix_transpose, tensordot, vecdot
from ._typing import DType, Tensor

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr",
    "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip

_hints.install(__name__, _hints.LINALG)


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
    """Triangular factor of a positive definite matrix.

    Parameters
    ----------
    x : Tensor
        Symmetric or, if complex, Hermitian matrices, of shape (..., M, M). Only one triangle is
        read: on the CPU the one of the factor, on CUDA the lower.
    upper : bool, optional
        Give the upper factor.

    Returns
    -------
    Tensor
        L with x = L Lᴴ, or U with x = Uᴴ U. The diagonal is positive.

    Raises
    ------
    ValueError
        If the matrices are not square; if one is not positive definite (NumPy's LinAlgError, a
        ValueError; on the CPU).

    Notes
    -----
    LAPACK's potrf (Golub & Van Loan, 4.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.cholesky(xp.asarray([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 0.],
            [1., 2.]], dtype=float64)
    """
    return call("linalg.cholesky", x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Cross product of vectors of three elements.

    Parameters
    ----------
    x1, x2 : Tensor
        Of a numeric dtype and shapes that broadcast, with size 3 along `axis`.
    axis : int, optional
        Along which.

    Returns
    -------
    Tensor
        Of the broadcast shape.

    Raises
    ------
    ValueError
        If the size along the axis is not 3.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.cross(xp.asarray([1, 0, 0]), xp.asarray([0, 1, 0]))
    Tensor([0, 0, 1], dtype=int64)
    """
    return apply("linalg.cross", (x1, x2), (), {"axis": axis})


def det(x: Tensor, /) -> Tensor:
    """Determinant.

    Parameters
    ----------
    x : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    Tensor
        Of shape (...).

    Raises
    ------
    ValueError
        If the matrices are not square.

    Notes
    -----
    The product of the pivots of LU with partial pivoting (LAPACK's getrf). `slogdet` does not
    overflow.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.round(xp.linalg.det(xp.asarray([[1.0, 2.0], [3.0, 4.0]])))
    Tensor(-2., dtype=float64)
    """
    return unary("linalg.det", x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """Diagonal of matrices.

    Parameters
    ----------
    x : Tensor
        Of shape (..., M, N) and any dtype.
    offset : int, optional
        Which: 0 the main one, positive ones above it.

    Returns
    -------
    Tensor
        A view, read-only on the CPU, with the diagonal along the last axis.

    Raises
    ------
    ValueError
        With fewer than two axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.diagonal(xp.asarray([[1, 2], [3, 4]]))
    Tensor([1, 4], dtype=int64)
    """
    return view("linalg.diagonal", x, offset=offset)


def eig(x: Tensor, /) -> EigResult:
    """Eigenvalues and right eigenvectors of general matrices.

    Parameters
    ----------
    x : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    EigResult
        eigenvalues, of shape (..., M) and in no order, and eigenvectors in columns, of shape (...,
        M, M) and length 1; both complex.

    Raises
    ------
    ValueError
        If the matrices are not square; if an element is infinite or NaN, or the eigenvalues do not
        converge (NumPy's LinAlgError, a ValueError; on the CPU).

    Notes
    -----
    LAPACK's geev. The phase of an eigenvector is arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> values, vectors = xp.linalg.eig(xp.asarray([[2.0, 0.0], [0.0, 3.0]]))
    >>> values
    Tensor([2.+0.j, 3.+0.j], dtype=complex128)
    """
    return EigResult(*unary("linalg.eig", x))


def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues and eigenvectors of symmetric or Hermitian matrices.

    Parameters
    ----------
    x : Tensor
        Symmetric or, if complex, Hermitian matrices, of shape (..., M, M); only the lower triangle
        is read.

    Returns
    -------
    EighResult
        eigenvalues, real, ascending, of shape (..., M), and orthonormal eigenvectors in columns, of
        shape (..., M, M).

    Raises
    ------
    ValueError
        If the matrices are not square; if the eigenvalues do not converge (NumPy's LinAlgError, a
        ValueError; on the CPU).

    Notes
    -----
    LAPACK's syevd and heevd. The sign or phase of an eigenvector is arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.eigh(xp.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.], dtype=float64)
    """
    return EighResult(*unary("linalg.eigh", x))


def eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of general matrices.

    Parameters
    ----------
    x : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    Tensor
        Complex, of shape (..., M), in no order.

    Raises
    ------
    ValueError
        If the matrices are not square; if an element is infinite or NaN, or the eigenvalues do not
        converge (NumPy's LinAlgError, a ValueError; on the CPU).

    Notes
    -----
    LAPACK's geev.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.eigvals(xp.asarray([[0.0, 0.0], [0.0, 1.0]]))
    Tensor([0.+0.j, 1.+0.j], dtype=complex128)
    """
    return unary("linalg.eigvals", x)


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of symmetric or Hermitian matrices.

    Parameters
    ----------
    x : Tensor
        Symmetric or, if complex, Hermitian matrices, of shape (..., M, M); only the lower triangle
        is read.

    Returns
    -------
    Tensor
        Real, ascending, of shape (..., M).

    Raises
    ------
    ValueError
        If the matrices are not square; if the eigenvalues do not converge (NumPy's LinAlgError, a
        ValueError; on the CPU).

    Notes
    -----
    LAPACK's syevd and heevd.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.eigvalsh(xp.asarray([[2.0, 0.0], [0.0, 1.0]]))
    Tensor([1., 2.], dtype=float64)
    """
    return unary("linalg.eigvalsh", x)


def inv(x: Tensor, /) -> Tensor:
    """Inverse.

    Parameters
    ----------
    x : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    Tensor
        Of the shape of `x`.

    Raises
    ------
    ValueError
        If the matrices are not square; if one is singular (NumPy's LinAlgError, a ValueError; on
        the CPU).

    Notes
    -----
    To solve equations, `solve` is faster and more accurate.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.inv(xp.asarray([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]], dtype=float64)
    """
    return unary("linalg.inv", x)


def matrix_norm(
    x: Tensor,
    /,
    *,
    keepdims: bool = False,
    ord: int | float | Literal["fro", "nuc"] | None = "fro",
) -> Tensor:
    """Norm of matrices.

    Parameters
    ----------
    x : Tensor
        Matrices, of shape (..., M, N) and a floating-point dtype.
    keepdims : bool, optional
        Keep the two axes, with size 1.
    ord : {'fro', 'nuc', 1, -1, 2, -2, inf, -inf}, optional
        'fro': root of the sum of squares. 'nuc': sum of the singular values. 1 and -1: largest and
        smallest column sum of magnitudes; inf and -inf: row sum. 2 and -2: largest and smallest
        singular value.

    Returns
    -------
    Tensor
        Real, of shape (...).

    Raises
    ------
    ValueError
        With fewer than two axes, or if there is no such norm.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.matrix_norm(xp.asarray([[3.0, 0.0], [0.0, 4.0]]))
    Tensor(5., dtype=float64)
    """
    return call("linalg.matrix_norm", x, keepdims=keepdims, ord=ord)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """Integer power of matrices.

    Parameters
    ----------
    x : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.
    n : int
        The exponent; of negative ones, the inverse is raised.

    Returns
    -------
    Tensor
        Of the shape of `x`.

    Raises
    ------
    ValueError
        If the matrices are not square; if `n` is negative and one is singular (NumPy's LinAlgError,
        a ValueError; on the CPU).
    TypeError
        If `n` is no int.

    Notes
    -----
    By repeated squaring.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.matrix_power(xp.asarray([[1.0, 1.0], [0.0, 1.0]]), 3)
    Tensor([[1., 3.],
            [0., 1.]], dtype=float64)
    """
    return call("linalg.matrix_power", x, n)


def matrix_rank(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """Rank: how many singular values are not negligible.

    Parameters
    ----------
    x : Tensor
        Matrices, of shape (..., M, N) and a floating-point dtype.
    rtol : float or Tensor, optional
        Those at or below rtol times the largest are; None is max(M, N) eps. A tensor has the shape
        (...).

    Returns
    -------
    Tensor
        int64, of shape (...).

    Raises
    ------
    ValueError
        With fewer than two axes; if the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.matrix_rank(xp.asarray([[1.0, 2.0], [2.0, 4.0]]))
    Tensor(1, dtype=int64)
    """
    return apply("linalg.matrix_rank", (x,), (), {"rtol": rtol})


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Products of all pairs of elements of two vectors.

    Parameters
    ----------
    x1, x2 : Tensor
        Of one axis and a numeric dtype.

    Returns
    -------
    Tensor
        Of shape (N, M).

    Raises
    ------
    ValueError
        If one is not of one axis.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Nothing is conjugated.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.outer(xp.asarray([1, 2]), xp.asarray([3, 4]))
    Tensor([[3, 4],
            [6, 8]], dtype=int64)
    """
    return binary("linalg.outer", x1, x2)


def pinv(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """Moore-Penrose pseudo-inverse.

    Parameters
    ----------
    x : Tensor
        Matrices, of shape (..., M, N) and a floating-point dtype.
    rtol : float or Tensor, optional
        Singular values at or below rtol times the largest are taken for 0; None is max(M, N) eps. A
        tensor has the shape (...).

    Returns
    -------
    Tensor
        Of shape (..., N, M).

    Raises
    ------
    ValueError
        With fewer than two axes; if the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    From the singular value decomposition (Golub & Van Loan, 5.5.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.pinv(xp.asarray([[4.0]]))
    Tensor([[0.25]], dtype=float64)
    """
    return apply("linalg.pinv", (as_floating(x),), (), {"rtol": rtol})


def qr(x: Tensor, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRResult:
    """Orthogonal and triangular factor of matrices.

    Parameters
    ----------
    x : Tensor
        Matrices, of shape (..., M, N) and a floating-point dtype.
    mode : {'reduced', 'complete'}, optional
        With K = min(M, N): 'reduced' gives Q of shape (..., M, K) and R of shape (..., K, N),
        'complete' (..., M, M) and (..., M, N).

    Returns
    -------
    QRResult
        Q with orthonormal columns, and upper triangular R, with x = Q R.

    Raises
    ------
    ValueError
        If there is no such mode, or with fewer than two axes.

    Notes
    -----
    Householder reflections, LAPACK's geqrf. The signs on the diagonal of R are arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> Q, R = xp.linalg.qr(xp.asarray([[0.0, 2.0], [1.0, 0.0]]))
    >>> bool(xp.all(xp.abs(Q @ R - xp.asarray([[0.0, 2.0], [1.0, 0.0]])) < 1e-15))
    True
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"linalg.qr: mode must be 'reduced' or 'complete'; got {mode!r}")
    return QRResult(*call("linalg.qr", x, mode=mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """Sign and logarithm of the magnitude of the determinant.

    Parameters
    ----------
    x : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    SlogdetResult
        sign, -1, 0 or 1, or a complex number of magnitude 1, and logabsdet, real, -inf for 0; both
        of shape (...). det(x) = sign * exp(logabsdet).

    Raises
    ------
    ValueError
        If the matrices are not square.

    Notes
    -----
    From the pivots of LU; does not overflow where the determinant does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.slogdet(xp.asarray([[0.0, 1.0], [1.0, 0.0]]))
    SlogdetResult(sign=Tensor(-1., dtype=float64), logabsdet=Tensor(0., dtype=float64))
    """
    return SlogdetResult(*unary("linalg.slogdet", x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Solution y of the linear equations x1 y = x2.

    Parameters
    ----------
    x1 : Tensor
        Square matrices, of shape (..., M, M) and a floating-point dtype.
    x2 : Tensor
        One vector of shape (M,), or matrices of shape (..., M, K). Only a tensor of exactly one
        axis is a vector.

    Returns
    -------
    Tensor
        Of the shape of `x2`, with the broadcast leading axes.

    Raises
    ------
    ValueError
        If the shapes do not fit; if a matrix is singular (NumPy's LinAlgError, a ValueError; on the
        CPU).
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    LU with partial pivoting, LAPACK's gesv.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.solve(xp.asarray([[2.0, 0.0], [0.0, 4.0]]), xp.asarray([2.0, 2.0]))
    Tensor([1. , 0.5], dtype=float64)
    """
    return binary("linalg.solve", x1, x2)


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """Singular value decomposition.

    Parameters
    ----------
    x : Tensor
        Matrices, of shape (..., M, N) and a floating-point dtype.
    full_matrices : bool, optional
        With K = min(M, N): whether U and Vh are square, of shapes (..., M, M) and (..., N, N), or
        (..., M, K) and (..., K, N).

    Returns
    -------
    SVDResult
        U with orthonormal columns, S of shape (..., K), real and descending, and Vh with
        orthonormal rows; x = U diag(S) Vh.

    Raises
    ------
    ValueError
        With fewer than two axes; if the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).

    Notes
    -----
    LAPACK's gesdd. The signs or phases of pairs of singular vectors are arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.svd(xp.asarray([[3.0, 0.0], [0.0, 4.0]])).S
    Tensor([4., 3.], dtype=float64)
    """
    return SVDResult(*call("linalg.svd", x, full_matrices=full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values.

    Parameters
    ----------
    x : Tensor
        Matrices, of shape (..., M, N) and a floating-point dtype.

    Returns
    -------
    Tensor
        Real, descending, of shape (..., min(M, N)).

    Raises
    ------
    ValueError
        With fewer than two axes; if the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.svdvals(xp.asarray([[3.0, 0.0], [0.0, 4.0]]))
    Tensor([4., 3.], dtype=float64)
    """
    return unary("linalg.svdvals", x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: DType | None = None) -> Tensor:
    """Sum of a diagonal of matrices.

    Parameters
    ----------
    x : Tensor
        Of shape (..., M, N) and a numeric dtype.
    offset : int, optional
        Which: 0 the main one, positive ones above it.
    dtype : dtype, optional
        In which to sum; None: int64 or uint64 for smaller integers and bools, else the dtype
        of `x`.

    Returns
    -------
    Tensor
        Of shape (...).

    Raises
    ------
    ValueError
        With fewer than two axes.
    TypeError
        If `dtype` is none of the standard's, or real for complex `x`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.trace(xp.asarray([[1, 2], [3, 4]]))
    Tensor(5, dtype=int64)
    """
    return call("linalg.trace", x, offset=offset, dtype=accumulator(dtype, x, "trace"))


def vector_norm(
    x: Tensor,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: int | float = 2,
) -> Tensor:
    """Norm of vectors.

    Parameters
    ----------
    x : Tensor
        Of a floating-point dtype.
    axis : int or tuple of int, optional
        The axes that hold a vector; None for all.
    keepdims : bool, optional
        Keep these axes, with size 1.
    ord : int or float, optional
        p in (Σ|xᵢ|ᵖ)^(1/p); inf and -inf: largest and smallest magnitude; 0: how many are not 0.

    Returns
    -------
    Tensor
        Real, of the shape that is left.

    Raises
    ------
    ValueError
        If an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.vector_norm(xp.asarray([3.0, 4.0]))
    Tensor(5., dtype=float64)
    """
    return call("linalg.vector_norm", x, axis=axis, keepdims=keepdims, ord=ord)
