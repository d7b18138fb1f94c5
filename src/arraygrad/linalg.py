"""Linear algebra extension of the standard."""

from __future__ import annotations

from typing import Literal, NamedTuple, Never

from . import _hints
from ._dispatch import apply, as_floating, binary, call, unary, view
from ._dtypes import accumulator
from ._hints import wrong_call
from ._linear_algebra import matmul, matrix_transpose, tensordot, vecdot
from ._typing import DType, Tensor

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr",
    "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip

_hints.install(__name__, _hints.LINALG | _hints.LINALG_CODE)


class EighResult(NamedTuple):
    """Result of `eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(NamedTuple):
    """Result of `eig`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """Result of `qr`."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """Result of `slogdet`."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """Result of `svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *more: Never, upper: bool = False, **other: Never) -> Tensor:
    """Triangular factor of a positive definite matrix.

    Parameters
    ----------
    x : Tensor
        Symmetric or complex Hermitian matrices of shape (..., M, M). Only one triangle is read: on
        the CPU that of the factor, on CUDA the lower.
    upper : bool, optional
        Whether to return the upper factor.

    Returns
    -------
    Tensor
        Factor L with x = L Lᴴ, or U with x = Uᴴ U. The diagonal is positive.

    Raises
    ------
    ValueError
        If the matrices are not square, or one is not positive definite (NumPy's LinAlgError, a
        ValueError; on the CPU).

    Notes
    -----
    Computed by LAPACK's potrf (Golub & Van Loan, 4.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.cholesky(xp.asarray([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 0.],
            [1., 2.]], dtype=float64)
    """
    if more or other:
        raise wrong_call("linalg.cholesky", locals())
    return call("linalg.cholesky", x, (), {"upper": upper})


def cross(x1: Tensor, x2: Tensor, /, *more: Never, axis: int = -1, **other: Never) -> Tensor:
    """Cross product of vectors of three elements.

    Parameters
    ----------
    x1, x2 : Tensor
        Operands of a numeric dtype with shapes that broadcast and size 3 along `axis`.
    axis : int, optional
        Axis to operate along.

    Returns
    -------
    Tensor
        Has the broadcast shape.

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
    if more or other:
        raise wrong_call("linalg.cross", locals())
    return apply("linalg.cross", (x1, x2), (), {"axis": axis})


def det(x: Tensor, /) -> Tensor:
    """Determinant.

    Parameters
    ----------
    x : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    Tensor
        Has shape (...).

    Raises
    ------
    ValueError
        If the matrices are not square.

    Notes
    -----
    Computed as the product of the pivots of LU with partial pivoting (LAPACK's getrf). Use
    `slogdet` where the determinant could overflow.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.round(xp.linalg.det(xp.asarray([[1.0, 2.0], [3.0, 4.0]])))
    Tensor(-2., dtype=float64)
    """
    return unary("linalg.det", x)


def diagonal(x: Tensor, /, *more: Never, offset: int = 0, **other: Never) -> Tensor:
    """Diagonal of matrices.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and any dtype.
    offset : int, optional
        Index of the diagonal: 0 is the main diagonal, positive values are above it.

    Returns
    -------
    Tensor
        View with the diagonal along the last axis; read-only on the CPU.

    Raises
    ------
    ValueError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.diagonal(xp.asarray([[1, 2], [3, 4]]))
    Tensor([1, 4], dtype=int64)
    """
    if more or other:
        raise wrong_call("linalg.diagonal", locals())
    return view("linalg.diagonal", x, (), {"offset": offset})


def eig(x: Tensor, /) -> EigResult:
    """Eigenvalues and right eigenvectors of general matrices.

    Parameters
    ----------
    x : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    EigResult
        `eigenvalues` of shape (..., M), in no particular order, and `eigenvectors` in columns, of
        shape (..., M, M) and norm 1; both complex.

    Raises
    ------
    ValueError
        If the matrices are not square, an element is infinite or NaN, or the eigenvalues do not
        converge (NumPy's LinAlgError, a ValueError; on the CPU).

    Notes
    -----
    Computed by LAPACK's geev. The phase of an eigenvector is arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> values, vectors = xp.linalg.eig(xp.asarray([[2.0, 0.0], [0.0, 3.0]]))
    >>> values
    Tensor([2.+0.j, 3.+0.j], dtype=complex128)
    """
    return EigResult(*unary("linalg.eig", x))


def eigh(x: Tensor, /, **other: Never) -> EighResult:
    """Eigenvalues and eigenvectors of symmetric or Hermitian matrices.

    Parameters
    ----------
    x : Tensor
        Symmetric or complex Hermitian matrices of shape (..., M, M); only the lower triangle is
        read.

    Returns
    -------
    EighResult
        `eigenvalues`, real and ascending, of shape (..., M), and orthonormal `eigenvectors` in
        columns, of shape (..., M, M).

    Raises
    ------
    ValueError
        If the matrices are not square, or the eigenvalues do not converge (NumPy's LinAlgError, a
        ValueError; on the CPU).

    Notes
    -----
    Computed by LAPACK's syevd and heevd. The sign or phase of an eigenvector is arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.eigh(xp.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.], dtype=float64)
    """
    if other:
        raise wrong_call("linalg.eigh", locals())
    return EighResult(*unary("linalg.eigh", x))


def eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of general matrices.

    Parameters
    ----------
    x : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    Tensor
        Complex eigenvalues of shape (..., M), in no particular order.

    Raises
    ------
    ValueError
        If the matrices are not square, an element is infinite or NaN, or the eigenvalues do not
        converge (NumPy's LinAlgError, a ValueError; on the CPU).

    Notes
    -----
    Computed by LAPACK's geev.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.eigvals(xp.asarray([[0.0, 0.0], [0.0, 1.0]]))
    Tensor([0.+0.j, 1.+0.j], dtype=complex128)
    """
    return unary("linalg.eigvals", x)


def eigvalsh(x: Tensor, /, **other: Never) -> Tensor:
    """Eigenvalues of symmetric or Hermitian matrices.

    Parameters
    ----------
    x : Tensor
        Symmetric or complex Hermitian matrices of shape (..., M, M); only the lower triangle is
        read.

    Returns
    -------
    Tensor
        Real eigenvalues of shape (..., M), in ascending order.

    Raises
    ------
    ValueError
        If the matrices are not square, or the eigenvalues do not converge (NumPy's LinAlgError, a
        ValueError; on the CPU).

    Notes
    -----
    Computed by LAPACK's syevd and heevd.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.eigvalsh(xp.asarray([[2.0, 0.0], [0.0, 1.0]]))
    Tensor([1., 2.], dtype=float64)
    """
    if other:
        raise wrong_call("linalg.eigvalsh", locals())
    return unary("linalg.eigvalsh", x)


def inv(x: Tensor, /) -> Tensor:
    """Inverse.

    Parameters
    ----------
    x : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    Tensor
        Has the shape of `x`.

    Raises
    ------
    ValueError
        If the matrices are not square, or one is singular (NumPy's LinAlgError, a ValueError; on
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
    *more: Never,
    keepdims: bool = False,
    ord: int | float | Literal["fro", "nuc"] | None = "fro",
    **other: Never,
) -> Tensor:
    """Norm of matrices.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a floating-point dtype.
    keepdims : bool, optional
        Whether to keep the two axes with size 1.
    ord : {'fro', 'nuc', 1, -1, 2, -2, inf, -inf}, optional
        Kind of norm. 'fro': square root of the sum of squares. 'nuc': sum of the singular values. 1
        and -1: largest and smallest column sum of magnitudes. inf and -inf: the same of row sums. 2
        and -2: largest and smallest singular value.

    Returns
    -------
    Tensor
        Real norms of shape (...).

    Raises
    ------
    ValueError
        If `x` has fewer than two axes, or `ord` is unknown.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.matrix_norm(xp.asarray([[3.0, 0.0], [0.0, 4.0]]))
    Tensor(5., dtype=float64)
    """
    if more or other:
        raise wrong_call("linalg.matrix_norm", locals())
    return call("linalg.matrix_norm", x, (), {"keepdims": keepdims, "ord": ord})


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """Integer power of matrices.

    Parameters
    ----------
    x : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.
    n : int
        Exponent; for negative `n` the inverse is raised to ``-n``.

    Returns
    -------
    Tensor
        Has the shape of `x`.

    Raises
    ------
    ValueError
        If the matrices are not square, or `n` is negative and a matrix is singular (NumPy's
        LinAlgError, a ValueError; on the CPU).
    TypeError
        If `n` is not an int.

    Notes
    -----
    Computed by repeated squaring.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.matrix_power(xp.asarray([[1.0, 1.0], [0.0, 1.0]]), 3)
    Tensor([[1., 3.],
            [0., 1.]], dtype=float64)
    """
    return call("linalg.matrix_power", x, (n,))


def matrix_rank(
    x: Tensor, /, *more: Never, rtol: float | Tensor | None = None, **other: Never
) -> Tensor:
    """Rank: the number of singular values that are not negligible.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a floating-point dtype.
    rtol : float or Tensor, optional
        Singular values at or below rtol times the largest are negligible; by default max(M, N) eps.
        A tensor must have shape (...).

    Returns
    -------
    Tensor
        Ranks of dtype int64 and shape (...).

    Raises
    ------
    ValueError
        If `x` has fewer than two axes, or the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.matrix_rank(xp.asarray([[1.0, 2.0], [2.0, 4.0]]))
    Tensor(1, dtype=int64)
    """
    if more or other:
        raise wrong_call("linalg.matrix_rank", locals())
    return apply("linalg.matrix_rank", (x,), (), {"rtol": rtol})


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Outer product of two vectors.

    Parameters
    ----------
    x1, x2 : Tensor
        One-dimensional tensors of a numeric dtype.

    Returns
    -------
    Tensor
        Has shape (N, M).

    Raises
    ------
    ValueError
        If an operand does not have exactly one axis.
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


def pinv(x: Tensor, /, *more: Never, rtol: float | Tensor | None = None, **other: Never) -> Tensor:
    """Moore-Penrose pseudo-inverse.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a floating-point dtype.
    rtol : float or Tensor, optional
        Singular values at or below rtol times the largest are treated as 0; by default max(M, N)
        eps. A tensor must have shape (...).

    Returns
    -------
    Tensor
        Has shape (..., N, M).

    Raises
    ------
    ValueError
        If `x` has fewer than two axes, or the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Computed from the singular value decomposition (Golub & Van Loan, 5.5.2).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.pinv(xp.asarray([[4.0]]))
    Tensor([[0.25]], dtype=float64)
    """
    if more or other:
        raise wrong_call("linalg.pinv", locals())
    return apply("linalg.pinv", (as_floating(x),), (), {"rtol": rtol})


def qr(
    x: Tensor, /, *more: Never, mode: Literal["reduced", "complete"] = "reduced", **other: Never
) -> QRResult:
    """QR decomposition of matrices.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a floating-point dtype.
    mode : {'reduced', 'complete'}, optional
        Shapes of the factors, with K = min(M, N): for 'reduced' Q has shape (..., M, K) and R (...,
        K, N), for 'complete' (..., M, M) and (..., M, N).

    Returns
    -------
    QRResult
        `Q` with orthonormal columns and upper triangular `R`, such that x = Q R.

    Raises
    ------
    ValueError
        If `mode` is unknown, or `x` has fewer than two axes.

    Notes
    -----
    Computed by Householder reflections (LAPACK's geqrf). The signs on the diagonal of R are
    arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> Q, R = xp.linalg.qr(xp.asarray([[0.0, 2.0], [1.0, 0.0]]))
    >>> bool(xp.all(xp.abs(Q @ R - xp.asarray([[0.0, 2.0], [1.0, 0.0]])) < 1e-15))
    True
    """
    if more or other:
        raise wrong_call("linalg.qr", locals())
    if mode not in ("reduced", "complete"):
        raise ValueError(f"linalg.qr: mode must be 'reduced' or 'complete'; got {mode!r}")
    return QRResult(*call("linalg.qr", x, (), {"mode": mode}))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """Sign and logarithm of the magnitude of the determinant.

    Parameters
    ----------
    x : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.

    Returns
    -------
    SlogdetResult
        `sign`, which is -1, 0, 1 or a complex number of magnitude 1, and the real `logabsdet`,
        which is -inf for a determinant of 0; both of shape (...). det(x) = sign * exp(logabsdet).

    Raises
    ------
    ValueError
        If the matrices are not square.

    Notes
    -----
    Computed from the pivots of LU. It does not overflow where the determinant does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.slogdet(xp.asarray([[0.0, 1.0], [1.0, 0.0]]))
    SlogdetResult(sign=Tensor(-1., dtype=float64), logabsdet=Tensor(0., dtype=float64))
    """
    return SlogdetResult(*unary("linalg.slogdet", x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Solve the linear equations x1 y = x2 for y.

    Parameters
    ----------
    x1 : Tensor
        Square matrices of shape (..., M, M) and a floating-point dtype.
    x2 : Tensor
        Vector of shape (M,), or matrices of shape (..., M, K). Only a tensor with exactly one axis
        is a vector.

    Returns
    -------
    Tensor
        Has the shape of `x2`, with broadcast leading axes.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a matrix is singular (NumPy's LinAlgError, a ValueError; on the
        CPU).
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Computed by LU with partial pivoting (LAPACK's gesv).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.solve(xp.asarray([[2.0, 0.0], [0.0, 4.0]]), xp.asarray([2.0, 2.0]))
    Tensor([1. , 0.5], dtype=float64)
    """
    return binary("linalg.solve", x1, x2)


def svd(x: Tensor, /, *more: Never, full_matrices: bool = True, **other: Never) -> SVDResult:
    """Singular value decomposition.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a floating-point dtype.
    full_matrices : bool, optional
        Whether U and Vh are square, with shapes (..., M, M) and (..., N, N). If not, their shapes
        are (..., M, K) and (..., K, N), with K = min(M, N).

    Returns
    -------
    SVDResult
        `U` with orthonormal columns, real and descending `S` of shape (..., K), and `Vh` with
        orthonormal rows, such that x = U diag(S) Vh.

    Raises
    ------
    ValueError
        If `x` has fewer than two axes, or the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).

    Notes
    -----
    Computed by LAPACK's gesdd. The signs or phases of pairs of singular vectors are arbitrary.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.svd(xp.asarray([[3.0, 0.0], [0.0, 4.0]])).S
    Tensor([4., 3.], dtype=float64)
    """
    if more or other:
        raise wrong_call("linalg.svd", locals())
    return SVDResult(*call("linalg.svd", x, (), {"full_matrices": full_matrices}))


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a floating-point dtype.

    Returns
    -------
    Tensor
        Real singular values of shape (..., min(M, N)), in descending order.

    Raises
    ------
    ValueError
        If `x` has fewer than two axes, or the singular values do not converge, as with NaN (NumPy's
        LinAlgError, a ValueError; on the CPU).

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.svdvals(xp.asarray([[3.0, 0.0], [0.0, 4.0]]))
    Tensor([4., 3.], dtype=float64)
    """
    return unary("linalg.svdvals", x)


def trace(
    x: Tensor, /, *more: Never, offset: int = 0, dtype: DType | None = None, **other: Never
) -> Tensor:
    """Sum of a diagonal of matrices.

    Parameters
    ----------
    x : Tensor
        Matrices of shape (..., M, N) and a numeric dtype.
    offset : int, optional
        Index of the diagonal: 0 is the main diagonal, positive values are above it.
    dtype : dtype, optional
        Dtype of the sum. By default int64 or uint64 for smaller integers and bools, else the dtype
        of `x`.

    Returns
    -------
    Tensor
        Has shape (...).

    Raises
    ------
    ValueError
        If `x` has fewer than two axes.
    TypeError
        If `dtype` is not one of the standard's, or it is real and `x` is complex.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.linalg.trace(xp.asarray([[1, 2], [3, 4]]))
    Tensor(5, dtype=int64)
    """
    if more or other:
        raise wrong_call("linalg.trace", locals())
    return call("linalg.trace", x, (), {"offset": offset, "dtype": accumulator(dtype, x, "trace")})


def vector_norm(
    x: Tensor,
    /,
    *more: Never,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: int | float = 2,
    **other: Never,
) -> Tensor:
    """Norm of vectors.

    Parameters
    ----------
    x : Tensor
        Input of a floating-point dtype.
    axis : int or tuple of int, optional
        Axes that hold a vector; by default all.
    keepdims : bool, optional
        Whether to keep these axes with size 1.
    ord : int or float, optional
        Order p in (Σ|xᵢ|ᵖ)^(1/p). inf and -inf are the largest and smallest magnitude; 0 is the
        number of nonzero elements.

    Returns
    -------
    Tensor
        Real norms with the shape of the remaining axes.

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
    if more or other:
        raise wrong_call("linalg.vector_norm", locals())
    if type(ord) is int:  # NumPy treats ints beyond 64 bits as objects
        ord = max(-(2**62), min(ord, 2**62))
    return call("linalg.vector_norm", x, (), {"axis": axis, "keepdims": keepdims, "ord": ord})
