"""Functions of `scipy.linalg`, with derivatives.

SciPy computes them on the CPU, and `cupyx.scipy.linalg` on CUDA devices where it has them.
Functions of matrices accept stacks of matrices of shape (..., M, M).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import arraygrad as xp

from .._dispatch import apply, as_floating, call, check_tensor, common_device, is_anywhere
from .._errors import as_int, in_own_name
from .._typing import Tensor
from ..autodiff import NotDifferentiableError, stop_gradient
from ..autodiff.rules import conj, define
from . import _banded as banded

__all__ = [
    "cho_factor", "cho_solve", "cholesky", "coshm", "cosm", "expm", "logm", "lstsq", "sinhm",
    "sinm", "solve_banded", "solve_sylvester", "solve_triangular", "sqrtm", "tanhm", "tanm",
]  # fmt: skip


def _h(x: Any) -> Any:
    """Conjugate transpose."""
    return conj(xp.matrix_transpose(x))


def _operands(name: str, *tensors: Any) -> list[Any]:
    """Convert matrices to a common floating-point dtype, and broadcast their stacks."""
    for x in tensors:
        check_tensor(name, x)
        if x.ndim < 2:
            raise ValueError(f"{name}: expected matrices of shape (..., M, N); got shape {x.shape}")
    common_device(name, tensors)
    first = tensors[0]
    if first.dtype.kind in "fc" and all(
        x.dtype == first.dtype and x.shape[:-2] == first.shape[:-2] for x in tensors[1:]
    ):
        return list(tensors)
    tensors = tuple(map(as_floating, tensors))
    dtype = xp.result_type(*tensors)
    stack = xp.broadcast_shapes(*[x.shape[:-2] for x in tensors])
    return [
        xp.broadcast_to(xp.astype(x, dtype, copy=False), (*stack, *x.shape[-2:])) for x in tensors
    ]


# ---- triangular and positive definite systems


@in_own_name("scipy.linalg.solve_triangular")
def solve_triangular(
    a: Tensor,
    b: Tensor,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Tensor:
    """Solve a system of linear equations with a triangular matrix.

    Parameters
    ----------
    a : Tensor
        Triangular matrices of shape (..., M, M). The other triangle is not read, and its gradient
        is 0.
    b : Tensor
        Right-hand side of shape (M,), or right-hand sides of shape (..., M, K).
    trans : {0, 1, 2, 'N', 'T', 'C'}, optional
        Whether to solve ``a x = b`` (0, 'N'), ``aᵀ x = b`` (1, 'T') or ``aᴴ x = b`` (2, 'C').
    lower : bool, optional
        Whether to read the lower triangle instead of the upper one.
    unit_diagonal : bool, optional
        Whether to assume that the diagonal is 1, without reading it.
    overwrite_b : bool, optional
        Has no effect; operands are not overwritten.
    check_finite : bool, optional
        Whether to raise for infinities and NaN. On CUDA, there is no such check, because the host
        would have to wait.

    Returns
    -------
    Tensor
        The solution, with the shape of `b` and the stack of `a`.

    Raises
    ------
    ValueError
        If the shapes do not fit, an operand is not finite, or on the CPU a matrix is singular
        (NumPy's LinAlgError, a ValueError).

    Notes
    -----
    Computed by LAPACK's trtrs (Golub & Van Loan, 3.1).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> a = xp.asarray([[2.0, 0.0], [1.0, 4.0]])
    >>> linalg.solve_triangular(a, xp.asarray([2.0, 9.0]), lower=True)
    Tensor([1., 2.], dtype=float64)
    """
    check_tensor("scipy.linalg.solve_triangular", b)
    vector = b.ndim == 1
    a, b = _operands("scipy.linalg.solve_triangular", a, xp.expand_dims(b, -1) if vector else b)
    if trans not in _TRANS:
        raise ValueError(f"trans must be 0, 1, 2, 'N', 'T' or 'C'; got {trans!r}")
    if not b.size:
        return b[..., 0] if vector else b
    how = {"lower": bool(lower), "unit_diagonal": bool(unit_diagonal)}
    x = _triangular(a, b, _TRANS[trans], check_finite=check_finite, **how)
    return xp.squeeze(x, -1) if vector else x


_TRANS: dict[int | str, int] = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}


def _triangular(a: Any, b: Any, trans: int, *, check_finite: bool = False, **how: bool) -> Any:
    parameters = {"trans": trans, "check_finite": check_finite, **how}
    return apply("scipy.linalg.solve_triangular", (a, b), (), parameters)


def _triangle(x: Any, *, lower: bool, unit_diagonal: bool = False, **_: bool) -> Any:
    return xp.tril(x, k=-int(unit_diagonal)) if lower else xp.triu(x, k=int(unit_diagonal))


def _of_triangle(
    g: Any, out: Any, a: Any, _b: Any, *, trans: int, check_finite: bool, **how: bool
) -> Any:
    """-y xᴴ, its transpose or its conjugate transpose, where y is the cotangent of b."""
    y = _of_right_side(g, out, a, _b, trans=trans, check_finite=False, **how)
    product = y @ _h(out) if trans == 0 else out @ _h(y)
    return -_triangle(conj(product) if trans == 1 else product, **how)


def _of_right_side(
    g: Any, _out: Any, a: Any, _b: Any, *, trans: int, check_finite: bool, **how: bool
) -> Any:
    if trans == 1:
        return _triangular(conj(a), g, 0, **how)
    return _triangular(a, g, 2 - trans, **how)


def _along_triangle(
    t: Any, out: Any, a: Any, _b: Any, *, trans: int, check_finite: bool, **how: bool
) -> Any:
    t = _triangle(t, **how)
    if trans:
        t = xp.matrix_transpose(t) if trans == 1 else _h(t)
    return -_triangular(a, t @ out, trans, **how)


define(
    "scipy.linalg.solve_triangular",
    (_of_triangle, _along_triangle),
    (
        _of_right_side,
        lambda t, _out, a, _b, *, trans, check_finite, **how: _triangular(a, t, trans, **how),
    ),
)


@in_own_name("scipy.linalg.cholesky")
def cholesky(a: Tensor, lower: bool = False, overwrite_a: bool = False) -> Tensor:
    """Triangular factor of a positive definite matrix, by default the upper one.

    Parameters
    ----------
    a : Tensor
        Symmetric or complex Hermitian matrices of shape (..., M, M).
    lower : bool, optional
        Whether to return the lower factor.
    overwrite_a : bool, optional
        Has no effect; operands are not overwritten.

    Returns
    -------
    Tensor
        Factor U with a = Uᴴ U, or L with a = L Lᴴ.

    Raises
    ------
    ValueError
        As for `arraygrad.linalg.cholesky`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> linalg.cholesky(xp.asarray([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 1.],
            [0., 2.]], dtype=float64)
    """
    return xp.linalg.cholesky(as_floating(a), upper=not lower)


@in_own_name("scipy.linalg.cho_factor")
def cho_factor(a: Tensor, lower: bool = False, overwrite_a: bool = False) -> tuple[Tensor, bool]:
    """Triangular factor of a positive definite matrix, for `cho_solve`.

    Parameters
    ----------
    a : Tensor
        Symmetric or complex Hermitian matrices of shape (..., M, M).
    lower : bool, optional
        Whether to return the lower factor.
    overwrite_a : bool, optional
        Has no effect; operands are not overwritten.

    Returns
    -------
    c : Tensor
        Factor, whose other triangle is 0.
    lower : bool
        True for the lower factor.

    Raises
    ------
    ValueError
        As for `arraygrad.linalg.cholesky`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> a = xp.asarray([[4.0, 2.0], [2.0, 5.0]])
    >>> linalg.cho_solve(linalg.cho_factor(a), xp.asarray([6.0, 7.0]))
    Tensor([1., 1.], dtype=float64)
    """
    return cholesky(a, lower=lower), bool(lower)


@in_own_name("scipy.linalg.cho_solve")
def cho_solve(
    c_and_lower: tuple[Tensor, bool],
    b: Tensor,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Tensor:
    """Solve a system of linear equations by the Cholesky factor of its matrix.

    Parameters
    ----------
    c_and_lower : tuple of (Tensor, bool)
        Factors of shape (..., M, M), and True if they are lower factors, as returned by
        `cho_factor`.
    b : Tensor
        Right-hand side of shape (M,), or right-hand sides of shape (..., M, K).
    overwrite_b : bool, optional
        Has no effect; operands are not overwritten.
    check_finite : bool, optional
        Whether to raise for infinities and NaN; see `solve_triangular`.

    Returns
    -------
    Tensor
        The solution, with the shape of `b` and the stack of the factors.

    Raises
    ------
    ValueError
        As for `solve_triangular` in two steps.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> factor = xp.asarray([[2.0, 1.0], [0.0, 2.0]])
    >>> linalg.cho_solve((factor, False), xp.asarray([6.0, 7.0]))
    Tensor([1., 1.], dtype=float64)
    """
    c, lower = c_and_lower
    check_tensor("scipy.linalg.cho_solve", b)
    vector = b.ndim == 1
    c, b = _operands("scipy.linalg.cho_solve", c, xp.expand_dims(b, -1) if vector else b)
    x = _by_factor(c, b, bool(lower), check_finite) if b.size else b
    return xp.squeeze(x, -1) if vector else x


def _by_factor(c: Any, b: Any, lower: bool, check_finite: bool = False) -> Any:
    parameters = {"lower": lower, "check_finite": check_finite}
    return apply("scipy.linalg.cho_solve", (c, b), (), parameters)


def _of_factor(g: Any, out: Any, c: Any, _b: Any, *, lower: bool, **_: bool) -> Any:
    """The cotangent of a = c cᴴ is -y xᴴ, where y is that of b; that of c follows."""
    product = _by_factor(c, g, lower) @ _h(out)
    product, c = product + _h(product), _triangle(c, lower=lower)
    return -_triangle(product @ c if lower else c @ product, lower=lower)


def _along_factor(t: Any, out: Any, c: Any, _b: Any, *, lower: bool, **_: bool) -> Any:
    t, factor = _triangle(t, lower=lower), _triangle(c, lower=lower)
    if not lower:
        t, factor = _h(t), _h(factor)
    return -_by_factor(c, t @ (_h(factor) @ out) + factor @ (_h(t) @ out), lower)


define(
    "scipy.linalg.cho_solve",
    (_of_factor, _along_factor),
    (
        lambda g, _out, c, _b, *, lower, **_: _by_factor(c, g, lower),
        lambda t, _out, c, _b, *, lower, **_: _by_factor(c, t, lower),
    ),
)


# ---- functions of matrices


def _matrix_function(name: str, x: Any) -> Any:
    (x,) = _operands(f"scipy.linalg.{name}", x)
    if x.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"scipy.linalg.{name}: expected square matrices of shape (..., M, M); got shape "
            f"{x.shape}"
        )
    return call(f"scipy.linalg.{name}", x) if x.size else x


def expm(A: Tensor) -> Tensor:
    """Matrix exponential.

    Parameters
    ----------
    A : Tensor
        Square matrices of shape (..., M, M).

    Returns
    -------
    Tensor
        Has the shape of `A`.

    Raises
    ------
    TypeError
        If `A` is not a tensor.
    ValueError
        If the matrices are not square.

    Notes
    -----
    Computed by a Padé approximant with scaling and squaring (Al-Mohy & Higham 2009). The derivative
    of this and the other functions of matrices in the direction T is the upper right block of the
    function of [[A, T], [0, A]] (Mathias 1996).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> linalg.expm(xp.asarray([[0.0, 1.0], [0.0, 0.0]]))
    Tensor([[1., 1.],
            [0., 1.]], dtype=float64)
    """
    return _matrix_function("expm", A)


def logm(A: Tensor) -> Tensor:
    """Principal logarithm of a matrix, the inverse of `expm`.

    Parameters
    ----------
    A : Tensor
        Square matrices of shape (..., M, M).

    Returns
    -------
    Tensor
        Has the shape of `A`, and a complex dtype if an eigenvalue is negative. Then a real matrix
        has no derivative.

    Raises
    ------
    TypeError
        If `A` is not a tensor.
    ValueError
        If the matrices are not square.
    TransferError
        On CUDA devices: CuPy lacks the function.

    Notes
    -----
    Computed by inverse scaling and squaring (Al-Mohy & Higham 2012).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> linalg.logm(xp.asarray([[1.0, 1.0], [0.0, 1.0]]))
    Tensor([[0., 1.],
            [0., 0.]], dtype=float64)
    """
    return _matrix_function("logm", A)


def sqrtm(A: Tensor) -> Tensor:
    """Principal square root of a matrix.

    Parameters
    ----------
    A : Tensor
        Square matrices of shape (..., M, M).

    Returns
    -------
    Tensor
        Matrix X with X X = A of the shape of `A`, and a complex dtype if an eigenvalue is negative.

    Raises
    ------
    TypeError
        If `A` is not a tensor.
    ValueError
        If the matrices are not square.
    TransferError
        On CUDA devices: CuPy lacks the function.

    Notes
    -----
    Computed from the Schur decomposition (Deadman, Higham & Ralha 2013). The derivative D in the
    direction T solves X D + D X = T. There is no derivative at singular matrices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> linalg.sqrtm(xp.asarray([[4.0, 1.0], [0.0, 9.0]]))
    Tensor([[2. , 0.2],
            [0. , 3. ]], dtype=float64)
    """
    return _matrix_function("sqrtm", A)


def _trigonometric(name: str, words: str, example: str) -> Any:
    def function(A: Tensor) -> Tensor:
        return _matrix_function(name, A)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{words} of a matrix.

    Parameters
    ----------
    A : Tensor
        Square matrices of shape (..., M, M).

    Returns
    -------
    Tensor
        Has the shape of `A`.

    Raises
    ------
    TypeError
        If `A` is not a tensor.
    ValueError
        If the matrices are not square.
    TransferError
        On CUDA devices: CuPy lacks the function.

    Notes
    -----
    Computed from `expm` of the matrix times ±1 or ±i.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> linalg.{name}(xp.asarray([[0.0, 1.0], [0.0, 0.0]]))
    {example}
    """
    return function


_UPPER = "Tensor([[0., 1.],\n            [0., 0.]], dtype=float64)"
_IDENTITY = "Tensor([[1., 0.],\n            [0., 1.]], dtype=float64)"
sinm = _trigonometric("sinm", "Sine", _UPPER)
cosm = _trigonometric("cosm", "Cosine", _IDENTITY)
tanm = _trigonometric("tanm", "Tangent", _UPPER)
sinhm = _trigonometric("sinhm", "Hyperbolic sine", _UPPER)
coshm = _trigonometric("coshm", "Hyperbolic cosine", _IDENTITY)
tanhm = _trigonometric("tanhm", "Hyperbolic tangent", _UPPER)


def _block(name: str, x: Any, t: Any) -> Any:
    """Derivative of a function of matrices at `x` in the direction `t`."""
    n = x.shape[-1]
    upper = xp.concat([x, t], axis=-1)
    lower = xp.concat([xp.zeros_like(t), x], axis=-1)
    return call(f"scipy.linalg.{name}", xp.concat([upper, lower], axis=-2))[..., :n, n:]


def _define_matrix_function(name: str) -> None:
    define(
        f"scipy.linalg.{name}",
        (lambda g, _out, x: _block(name, _h(x), g), lambda t, _out, x: _block(name, x, t)),
    )


for _name in ("expm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm"):
    _define_matrix_function(_name)


def _log_block(t: Any, out: Any, x: Any) -> Any:
    if out.dtype.kind == "c" and x.dtype.kind == "f":
        raise NotDifferentiableError(
            "scipy.linalg.logm: not differentiable: an eigenvalue is negative, where the logarithm "
            "has its branch cut"
        )
    return _block("logm", x, t)


define(
    "scipy.linalg.logm",
    (lambda g, out_like, x: _log_block(g, out_like, _h(x)), _log_block),
)

# ---- matrix equations


@in_own_name("scipy.linalg.solve_sylvester")
def solve_sylvester(a: Tensor, b: Tensor, q: Tensor) -> Tensor:
    """Solution X of the Sylvester equation ``a X + X b = q``.

    Parameters
    ----------
    a : Tensor
        Matrices of shape (..., M, M).
    b : Tensor
        Matrices of shape (..., N, N).
    q : Tensor
        Matrices of shape (..., M, N).

    Returns
    -------
    Tensor
        Has shape (..., M, N). There is no solution if an eigenvalue of `a` is the negative of one
        of `b`.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    DeviceMismatchError
        If the tensors are on different devices.
    TransferError
        On CUDA devices: CuPy lacks the function.

    Notes
    -----
    Computed by the algorithm of Bartels and Stewart (Golub & Van Loan, 7.6.3).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> a, b, q = xp.asarray([[1.0]]), xp.asarray([[2.0]]), xp.asarray([[6.0]])
    >>> linalg.solve_sylvester(a, b, q)
    Tensor([[2.]], dtype=float64)
    """
    a, b, q = _operands("scipy.linalg.solve_sylvester", a, b, q)
    (m, n), shapes = q.shape[-2:], (a.shape[-2:], b.shape[-2:])
    if shapes != ((m, m), (n, n)):
        raise ValueError(f"q of shape {q.shape} needs a of {(m, m)} and b of {(n, n)}")
    return _sylvester(a, b, q) if q.size else q


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    return apply("scipy.linalg.solve_sylvester", (a, b, q))


define(
    "scipy.linalg.solve_sylvester",
    (
        lambda g, out, a, b, _q: -_sylvester(_h(a), _h(b), g) @ _h(out),
        lambda t, out, a, b, _q: -_sylvester(a, b, t @ out),
    ),
    (
        lambda g, out, a, b, _q: -_h(out) @ _sylvester(_h(a), _h(b), g),
        lambda t, out, a, b, _q: -_sylvester(a, b, out @ t),
    ),
    (
        lambda g, _out, a, b, _q: _sylvester(_h(a), _h(b), g),
        lambda t, _out, a, b, _q: _sylvester(a, b, t),
    ),
)
define(
    "scipy.linalg.sqrtm",
    (
        lambda g, out, _x: _sylvester(_h(out), _h(out), g),
        lambda t, out, _x: _sylvester(out, out, xp.astype(t, out.dtype, copy=False)),
    ),
)


# ---- systems with few diagonals


@in_own_name("scipy.linalg.solve_banded")
def solve_banded(
    l_and_u: tuple[int, int],
    ab: Tensor,
    b: Tensor,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Tensor:
    """Solve a system of linear equations with a banded matrix.

    Parameters
    ----------
    l_and_u : tuple of two ints
        The number of diagonals below, and above the main diagonal.
    ab : Tensor
        The diagonals, of shape (l + u + 1, M): ``ab[u + i - j, j]`` is the entry ``(i, j)`` of the
        matrix. Elements outside of the matrix are not read, and their gradient is 0.
    b : Tensor
        Right-hand side of shape (M,), or right-hand sides of shape (M, K).
    overwrite_ab, overwrite_b : bool, optional
        Have no effect; operands are not overwritten.
    check_finite : bool, optional
        Whether to raise for infinities and NaN. On CUDA, there is no such check, because the host
        would have to wait.

    Returns
    -------
    Tensor
        The solution, with the shape of `b`.

    Raises
    ------
    ValueError
        If the shapes do not fit, an operand is not finite, or on the CPU the matrix is singular
        (NumPy's LinAlgError, a ValueError).

    Notes
    -----
    Computed by LAPACK's gbsv, for one diagonal on each side by gtsv (Golub & Van Loan, 4.3). On
    CUDA devices it is solved as a system with all M² entries.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> ab = xp.asarray([[0.0, 1.0, 1.0], [4.0, 4.0, 4.0], [1.0, 1.0, 0.0]])
    >>> linalg.solve_banded((1, 1), ab, xp.asarray([5.0, 6.0, 5.0]))
    Tensor([1., 1., 1.], dtype=float64)
    """
    name = "scipy.linalg.solve_banded"
    for x in (ab, b):
        check_tensor(name, x)
    common_device(name, (ab, b))
    if not isinstance(l_and_u, (tuple, list)) or len(l_and_u) != 2:
        raise ValueError(f"l_and_u must be two numbers of diagonals; got {l_and_u!r}")
    lower, upper = [as_int(name, "l_and_u", n) for n in l_and_u]
    if lower < 0 or upper < 0 or ab.ndim != 2 or ab.shape[0] != lower + upper + 1:
        raise ValueError(
            f"l_and_u {(lower, upper)} needs ab of shape (l + u + 1, M); got {ab.shape}"
        )
    if b.ndim not in (1, 2) or b.shape[0] != ab.shape[1]:
        raise ValueError(f"ab of shape {ab.shape} needs b of shape (M,) or (M, K); got {b.shape}")
    dtype = xp.result_type(*map(as_floating, (ab, b)))
    ab, b = [xp.astype(x, dtype, copy=False) for x in (ab, b)]
    if check_finite and ab.device.type == "cpu":
        for x in (ab, b):
            if is_anywhere(~xp.isfinite(stop_gradient(x))):
                raise ValueError("operands must not contain infinities or NaN")
    if not b.size:
        return b
    columns = xp.reshape(b, (b.shape[0], -1))
    if ab.device.type == "cpu":
        x = banded.solve(ab, columns, lower, upper)
    else:  # (the solver of splines does not exchange rows)
        identity = xp.eye(b.shape[0], dtype=ab.dtype, device=ab.device)
        x = xp.linalg.solve(banded.product(ab, identity, lower, upper), columns)
    return xp.reshape(x, b.shape)


# ---- least squares


class LstsqResult(NamedTuple):
    """Result of `lstsq`."""

    x: Tensor
    residues: Tensor
    rank: int
    s: Tensor


@in_own_name("scipy.linalg.lstsq")
def lstsq(a: Tensor, b: Tensor, cond: float | None = None) -> LstsqResult:
    """Least-squares solution of a system of linear equations.

    Parameters
    ----------
    a : Tensor
        Matrix of shape (M, N). The derivatives assume that its rank is constant.
    b : Tensor
        Right-hand side of shape (M,), or right-hand sides of shape (M, K).
    cond : float, optional
        Singular values below ``cond`` times the largest one count as 0; by default the spacing of
        floating-point numbers at 1.

    Returns
    -------
    x : Tensor
        The solution of least norm, of shape (N,) or (N, K).
    residues : Tensor
        Sums of squared residuals, of shape () or (K,). Empty if the rank is less than N, or M is
        not larger than N.
    rank : int
        Rank of `a`.
    s : Tensor
        Singular values of `a`.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    DeviceMismatchError
        If the tensors are on different devices.
    TransferError
        On CUDA devices: CuPy lacks the function.

    Notes
    -----
    Computed by LAPACK's gelsd. The derivative is that of the pseudo-inverse (Golub & Pereyra 1973).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy import linalg
    >>> a = xp.asarray([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> linalg.lstsq(a, xp.asarray([1.0, 3.0, 5.0])).x
    Tensor([1., 2.], dtype=float64)
    """
    check_tensor("scipy.linalg.lstsq", b)
    vector = b.ndim == 1
    a, b = _operands("scipy.linalg.lstsq", a, xp.expand_dims(b, -1) if vector else b)
    if a.ndim != 2 or a.shape[0] != b.shape[0]:
        raise ValueError(
            f"expected shapes (M, N) and (M,) or (M, K); got {a.shape} and "
            f"{b.shape[:-1] if vector else b.shape}"
        )
    cond = float(xp.finfo(a.dtype).eps) if cond is None else float(cond)
    x, s = apply("scipy.linalg.lstsq", (a, b), (), {"cond": cond})
    values = stop_gradient(s)
    rank = int(xp.count_nonzero(values > cond * values[:1]))
    m, n = a.shape
    if rank == n and m > n:
        residues = xp.sum(xp.square(xp.abs(b - a @ x)), axis=0)
    else:
        residues = xp.zeros(0, dtype=s.dtype, device=s.device)
    if vector:
        x, residues = x[:, 0], residues[0] if residues.shape == (1,) else residues
    return LstsqResult(x, residues, rank, s)


def _along_matrix(t: Any, out: Any, a: Any, b: Any, *, cond: float) -> Any:
    """-A⁺ T x + A⁺A⁺ᴴ Tᴴ (b - A x) + (1 - A⁺A) Tᴴ A⁺ᴴ x, and of the singular values Re uᴴ T v."""
    x, _ = out
    inverse = xp.linalg.pinv(a, rtol=cond)
    row = _h(t) @ (_h(inverse) @ x)
    residual = _h(inverse) @ (_h(t) @ (b - a @ x))
    change = inverse @ (residual - t @ x) + row - inverse @ (a @ row)
    u, _, vh = xp.linalg.svd(a, full_matrices=False)
    return change, xp.real(xp.sum(conj(u) * (t @ _h(vh)), axis=-2))


def _along_right_sides(t: Any, _out: Any, a: Any, _b: Any, *, cond: float) -> Any:
    return xp.linalg.pinv(a, rtol=cond) @ t, None


define("scipy.linalg.lstsq", (None, _along_matrix), (None, _along_right_sides))
