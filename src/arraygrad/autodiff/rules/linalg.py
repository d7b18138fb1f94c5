"""Rules of the linear algebra extension.

Notes
-----
Notation: t is a tangent, g a cotangent, xᴴ the conjugate transpose.

- `cholesky`, `eigh` and `eigvalsh` read one triangle (the lower; for an upper factor on the CPU,
  the upper), but are treated as functions of Hermitian matrices: tangents and gradients are
  symmetrised, (t + tᴴ) / 2.
- Eigenvalues or singular values closer than 8 n eps max|λ|, the rounding error, are treated as
  equal, and singular values below that as zero. The vectors of equal values are arbitrary;
  functions that do not depend on that choice have correct gradients. In reverse mode, the gradient
  is the limit of perturbed values (`_degenerate`). In forward mode, `eigh` and `svd` return the
  vectors that have a derivative in the given direction, so at equal values the vectors differ from
  those without differentiation. Functions that return only values and norms (`eigvals`, `eigvalsh`,
  `svdvals`, `matrix_norm`) share the gradient equally among equal values, and have derivative 0 at
  zero singular values, which is the subgradient of least norm.
- Second derivatives at equal values raise where this is not sufficient.
- Phases of singular vectors and eigenvectors, and the columns of U, V and Q that only complete a
  basis, are arbitrary, too; derivatives assume that these do not rotate.
- `eig` and `eigvals` have no derivative where a matrix cannot be diagonalised, and `qr` has none
  where the leading square of R is singular. `pinv` has one in directions that preserve the rank.
- `det` is a polynomial, and its derivatives are correct at singular matrices.
- `slogdet` of a singular matrix, -inf, has gradient NaN, or 0 if its cotangent is 0.
- Norms have gradient 0 at 0. Several equal largest or smallest elements, rows, columns or singular
  values share the gradient equally.

References
----------
- Giles (2008), Collected matrix derivative results for forward and reverse mode algorithmic
  differentiation.
- Golub & Pereyra (1973), The differentiation of pseudo-inverses and nonlinear least squares
  problems.
- Kato (1980), Perturbation theory for linear operators, II.
- Mathias (1996), A chain rule for matrix functions.
- Murray (2016), Differentiation of the Cholesky decomposition, arXiv:1602.07527.
- Townsend (2016), Differentiating the singular value decomposition.
- Walter & Lehmann (2010), Algorithmic differentiation of linear algebra functions with application
  in optimum experimental design, arXiv:1001.1654.
- Wan & Zhang (2019), Automatic differentiation for complex valued SVD, arXiv:1909.02659.
"""

from __future__ import annotations

import math
from typing import Any

from ... import linalg as xp
from ..._array import Array
from ..._creation import arange, eye, ones_like, tril, triu, zeros, zeros_like
from ..._data_type import astype, finfo
from ..._dispatch import is_anywhere, unary
from ..._elementwise import abs as _abs
from ..._elementwise import conj, imag, isfinite, isinf, real, sign
from ..._linear_algebra import matmul, matrix_transpose
from ..._manipulation import broadcast_to, concat, expand_dims, flip, moveaxis, stack
from ..._memory import alias
from ..._searching import count_nonzero, where
from ..._statistical import cumulative_sum
from ..._statistical import max as _max
from ..._statistical import min as _min
from ..._statistical import sum as _sum
from .._grad_mode import is_traced
from .._graph import unhidden
from .._rules import NotDifferentiableError
from .._tangents import weighted
from .._transpose import define
from ._degenerate import is_perturbed, perturb, value_and_slope
from ._statistical import restored

# ---- helpers


def _h(x: Any) -> Any:
    """Conjugate transpose."""
    return conj(matrix_transpose(x))


def _hermitian(x: Any) -> Any:
    return 0.5 * (x + _h(x))


def _eye(x: Any, n: int, k: int | None = None, offset: int = 0) -> Any:
    """Ones on a diagonal, with the dtype and device of `x`."""
    return eye(n, k, k=offset, dtype=x.dtype, device=x.device)


def _as_row(v: Any) -> Any:
    """Vector as a row, to scale the columns of a matrix."""
    return expand_dims(v, -2)


def _as_column(v: Any) -> Any:
    return expand_dims(v, -1)


def _right_divide(x: Any, r: Any) -> Any:
    """Product of x and the inverse of r."""
    return _h(xp.solve(_h(r), _h(x)))


def _constant(x: Any) -> Any:
    """Copy of the values of `x`, without a trace."""
    return unary("copy", alias(x))


def _scale(x: Any) -> Any:
    """Largest absolute value of each matrix, as a constant divisor; 1 in place of 0 and infinity.

    Rules divide a matrix by it, and multiply their result accordingly, so that products of its
    elements neither overflow nor underflow.
    """
    if not x.size:
        return 1.0
    size = _max(_abs(_constant(x)), axis=(-2, -1), keepdims=True)
    return where((size > 0) & isfinite(size), size, 1.0)


def _eig_tolerance(values: Any, n: int) -> Any:
    """Rounding error of eigenvalues or singular values."""
    size = _abs(_constant(values))
    if not values.shape[-1]:
        return _sum(size, axis=-1, keepdims=True)
    return 8 * n * finfo(values.dtype).eps * _max(size, axis=-1, keepdims=True)


def _safe_quotient(x: Any, y: Any, negligible: Any) -> Any:
    """X / y, and 0 where y is negligible."""
    none = _abs(_constant(y)) <= negligible
    return where(none, 0.0, x / where(none, 1.0, y))


def _differences(values: Any) -> Any:
    """values[j] - values[i] at i, j."""
    return _as_row(values) - _as_column(values)


def _over_gaps(x: Any, values: Any) -> Any:
    """x[i, j] / (values[j] - values[i]), and 0 for equal ones."""
    negligible = _eig_tolerance(values, values.shape[-1])
    return _safe_quotient(x, _differences(values), _as_column(negligible))


def _group_mean(values: Any, n: int) -> Any:
    """Matrix that averages over groups of equal `values`."""
    close = _abs(_differences(_constant(values))) <= _as_column(_eig_tolerance(values, n))
    weight = astype(close, values.dtype)
    return weight / _sum(weight, axis=-1, keepdims=True)


def _applied(matrix: Any, v: Any) -> Any:
    return _sum(matrix * _as_row(v), axis=-1)


# ---- products


def _cross(x1: Any, x2: Any, like: Any, axis: int) -> Any:
    """Cross product, summed over the axes that `like` lacks."""
    out = xp.cross(moveaxis(x1, axis, -1), moveaxis(x2, axis, -1))
    if out.ndim > like.ndim:
        out = _sum(out, axis=tuple(range(out.ndim - like.ndim)))
    return moveaxis(out, -1, axis)


define(
    "linalg.cross",
    (
        lambda g, _out, x1_like, x2, axis: _cross(conj(x2), g, x1_like, axis),
        lambda t, _out, _x1, x2, axis: xp.cross(t, x2, axis=axis),
    ),
    (
        lambda g, _out, x1, x2_like, axis: _cross(g, conj(x1), x2_like, axis),
        lambda t, _out, x1, _x2, axis: xp.cross(x1, t, axis=axis),
    ),
)
define(
    "linalg.outer",
    (
        lambda g, _out, _x1, x2: matmul(g, conj(x2)),
        lambda t, _out, _x1, x2: xp.outer(t, x2),
    ),
    (
        lambda g, _out, x1, _x2: matmul(conj(x1), g),
        lambda t, _out, x1, _x2: xp.outer(x1, t),
    ),
)


def _power_derivative(t: Any, x: Any, n: int) -> Any:
    """Derivative of xⁿ in the direction t: the corner block of [[x, t], [0, x]]ⁿ (Mathias)."""
    if n == 0:
        return zeros_like(t)
    m = x.shape[-1]
    block = concat(
        [concat([x, t], axis=-1), concat([zeros_like(t), x], axis=-1)],
        axis=-2,
    )
    return xp.matrix_power(block, n)[..., :m, m:]


define(
    "linalg.matrix_power",
    (
        lambda g, _out, x, n: _power_derivative(g, _h(x), n),
        lambda t, _out, x, n: _power_derivative(t, x, n),
    ),
)

# ---- diagonals


def _on_diagonal(v: Any, shape: tuple[int, ...], offset: int) -> Any:
    """Matrices with `v` on a diagonal and zeros elsewhere."""
    m, n = shape[-2:]
    size = (m if offset >= 0 else n) - v.shape[-1]
    if size:
        more = zeros((*v.shape[:-1], size), dtype=v.dtype, device=v.device)
        v = concat([v, more], axis=-1)
    v = _as_column(v) if offset >= 0 else _as_row(v)
    return where(_eye(v, m, n, offset) != 0, v, 0.0)


def _diagonal_put(x: Any, new: Any, offset: int) -> Any:
    m, n = x.shape[-2:]
    return where(_eye(x, m, n, offset) != 0, _on_diagonal(new, x.shape, offset), x)


define(
    "linalg.diagonal",
    (
        lambda g, _out, x_like, offset: _on_diagonal(g, x_like.shape, offset),
        lambda t, *_, offset: xp.diagonal(t, offset=offset),
    ),
    put=_diagonal_put,
)
define(
    "linalg.trace",
    (
        lambda g, _out, x_like, offset, dtype: (
            expand_dims(g, (-2, -1)) * _eye(g, x_like.shape[-2], x_like.shape[-1], offset)
        ),
        lambda t, *_, offset, dtype: xp.trace(t, offset=offset, dtype=dtype),
    ),
)

# ---- determinants and inverses


def _small_adjugate(x: Any) -> Any:
    """Adjugate of matrices with at most three rows, from their cofactors."""
    n = x.shape[-1]
    if n == 0:
        return x
    if n == 1:
        return ones_like(x)
    if n == 2:
        signs = 2 * _eye(x, 2) - 1
        return signs * matrix_transpose(flip(x, axis=(-2, -1)))
    rows = [x[..., i, :] for i in range(3)]
    return stack([xp.cross(rows[i - 2], rows[i - 1]) for i in range(3)], axis=-1)


def _adjugate(x: Any) -> Any:
    """Adjugate det(x) x⁻¹, also of singular matrices, in a differentiable form.

    With x = U S Vᴴ, b = Uᴴ x V is S, but x may vary: U and V are constants. All but its three
    smallest singular values are in the block a = b[:-3, :-3], which is inverted. With the Schur
    complement c of a, which has three rows, det b = det a det c, and so

        adj b = det a (det c [[a⁻¹, 0], [0, 0]] + [[-a⁻¹ b₁₂], [1]] adj c [-b₂₁ a⁻¹, 1]).

    This is exact, to derivatives of any order, for ranks down to n - 3. For lower ranks all
    derivatives of the determinant up to the third are zero, as they are here.
    """
    n = x.shape[-1]
    k = n - 3
    if k <= 0:
        return _small_adjugate(x)
    fixed = _constant(x)
    u, s, vh = xp.svd(fixed)
    phase = expand_dims(xp.det(u) * xp.det(vh), (-2, -1))
    uh, v = _h(u), _h(vh)
    b = _as_row(s) * _eye(x, n) + matmul(matmul(uh, x - fixed), v)
    a, b12, b21, b22 = b[..., :k, :k], b[..., :k, k:], b[..., k:, :k], b[..., k:, k:]
    none = s[..., :k] <= finfo(s.dtype).eps ** 2 * s[..., :1]
    inverse = xp.inv(a + _as_row(astype(none, s.dtype)) * _eye(x, k))
    left, right = matmul(inverse, b12), matmul(b21, inverse)
    c = b22 - matmul(right, b12)
    small = _small_adjugate(c)
    det_c = _sum(c[..., 0, :] * small[..., :, 0], axis=-1)
    one = ones_like(b22) * _eye(x, 3)
    left, right = concat([-left, one], axis=-2), concat([-right, one], axis=-1)
    corner = _eye(x, n, k)
    square = matmul(matmul(corner, inverse), matrix_transpose(corner))
    adjugate = expand_dims(det_c, (-2, -1)) * square + matmul(matmul(left, small), right)
    scale = phase * expand_dims(xp.det(a), (-2, -1))
    return scale * matmul(matmul(v, adjugate), uh)


define(
    "linalg.det",
    (
        lambda g, _out, x: expand_dims(g, (-2, -1)) * _h(_adjugate(x)),
        lambda t, _out, x: _sum(_adjugate(x) * matrix_transpose(t), axis=(-2, -1)),
    ),
)


def _safe_inverse(out: Any, x: Any) -> tuple[Any, Any, Any]:
    """Mask of singular matrices, the scale of the others, and their scaled inverses."""
    singular, scale = out[0] == 0, _scale(x)
    x = where(expand_dims(singular, (-2, -1)), _eye(x, x.shape[-1]), x / scale)
    return singular, scale, xp.inv(x)


def _slogdet_vjp(g: Any, out: Any, x: Any) -> Any:
    g_sign, g_log = g
    g = zeros_like(out[1]) if g_log is None else g_log
    if g_sign is not None and out[0].dtype.kind == "c":
        g = g + 1j * imag(conj(out[0]) * g_sign)
    singular, scale, inverse = _safe_inverse(out, x)
    g = where(singular & (g != 0), math.nan, g)
    return expand_dims(g, (-2, -1)) * _h(inverse) / scale


def _slogdet_jvp(t: Any, out: Any, x: Any) -> Any:
    singular, scale, inverse = _safe_inverse(out, x)
    change = _sum(inverse * matrix_transpose(t) / scale, axis=(-2, -1))
    change = where(singular & (change != 0), math.nan, change)
    turn = None if out[0].dtype.kind != "c" else 1j * imag(change) * out[0]
    return turn, real(change)


define("linalg.slogdet", (_slogdet_vjp, _slogdet_jvp))


def _inv_vjp(g: Any, out: Any, _x: Any) -> Any:
    outh = _h(out)
    return -matmul(matmul(outh, g), outh)


define("linalg.inv", (_inv_vjp, lambda t, out, _x: -matmul(matmul(out, t), out)))


def _solve_whole(g: Any, out: Any, x1: Any, x2: Any) -> Any:
    vector = x2.ndim == 1
    if vector:
        g, out = _as_column(g), _as_column(out)
    g2 = xp.solve(_h(x1), g)
    return -matmul(g2, _h(out)), g2[..., 0] if vector else g2


def _solve_jvp(t: Any, out: Any, x1: Any, x2: Any) -> Any:
    if x2.ndim == 1:
        return -xp.solve(x1, matmul(t, _as_column(out)))[..., 0]
    return -xp.solve(x1, matmul(t, out))


define(
    "linalg.solve",
    (None, _solve_jvp),
    (None, lambda t, _out, x1, _x2: xp.solve(x1, t)),
    joint_vjp=_solve_whole,
)


def _pinv_vjp(g: Any, p: Any, x: Any, rtol: Any = None) -> Any:
    if x.shape[-2] < x.shape[-1]:  # fewer rows than columns: the transpose needs less work
        return _h(_pinv_vjp(_h(g), _h(p), _h(x), rtol))
    scale = _scale(p)
    p, x = p / scale, x * scale
    gh, ph = _h(g), _h(p)
    gx = (
        matmul(gh - matmul(x, matmul(p, gh)), matmul(p, ph))
        + matmul(ph, matmul(p, gh - matmul(matmul(gh, p), x)))
        - matmul(matmul(ph, g), ph)
    )
    if rtol is not None:
        u, vh, w, r = _cut_off_correction(x, rtol)
        c = matmul(matmul(vh, g), u)
        c = w * (c + r * _h(c)) + _h(w * (r * c + _h(c)))
        gx = gx + matmul(matmul(u, c), vh)
    return gx * scale * scale


def _pinv_jvp(t: Any, p: Any, x: Any, rtol: Any = None) -> Any:
    """Derivative at constant rank (Golub & Pereyra)."""
    if x.shape[-2] < x.shape[-1]:
        return _h(_pinv_jvp(_h(t), _h(p), _h(x), rtol))
    scale = _scale(p)
    p, x = p / scale, x * scale
    th, ph = _h(t), _h(p)
    dp = (
        matmul(matmul(p, ph), th - matmul(matmul(th, x), p))
        + matmul(matmul(th - matmul(p, matmul(x, th)), ph), p)
        - matmul(matmul(p, t), p)
    )
    if rtol is not None:
        u, vh, w, r = _cut_off_correction(x, rtol)
        c = matmul(matmul(_h(u), t), _h(vh))
        c = w * (c + r * _h(c)) + _h(w * (r * c + _h(c)))
        dp = dp + _h(matmul(matmul(u, _h(c)), vh))
    return dp * scale * scale


def _cut_off_correction(x: Any, rtol: Any) -> tuple[Any, Any, Any, Any]:
    """Correction to Golub & Pereyra's formula for nonzero singular values that are cut off.

    Between vectors j, cut off, and i, retained, the tangents of U and V from `_svd_jvp` differ from
    those with sⱼ = 0 by r = sⱼ / sᵢ times each other. With c = Uᴴ t V this adds to Vᴴ dp U the
    matrix e + fᴴ with eⱼᵢ = w (c + r cᴴ)ⱼᵢ, fⱼᵢ = w (r c + cᴴ)ⱼᵢ, w = r / (1 - r²) / sᵢ².
    """
    u, s, vh = xp.svd(x, full_matrices=False)
    fixed = _constant(s)
    limit = fixed[..., :1] * (
        rtol if isinstance(rtol, (int, float)) else _as_column(_constant(rtol))
    )
    retained = fixed > limit
    pairs = _as_row(retained) & ~_as_column(retained)
    size = where(_as_row(retained), _as_row(s), 1.0)
    r = where(pairs, _as_column(s) / size, 0.0)
    return u, vh, r / (1 - r * r) / (size * size), r


def _fixed_rtol(function: Any) -> Any:
    """Rewrite with a constant rtol; the function is piecewise constant in it."""

    def prepare(operands: Any, _args: Any, kwargs: Any) -> Any:
        rtol = kwargs["rtol"]
        trace = getattr(rtol, "_trace", None)
        if trace is None or trace.level.batched:
            return NotImplemented
        return function(*operands, rtol=_constant(rtol))

    return prepare


define("linalg.pinv", (_pinv_vjp, _pinv_jvp), prepare=_fixed_rtol(xp.pinv))
define("linalg.matrix_rank", (None, None), prepare=_fixed_rtol(xp.matrix_rank))

# ---- triangular factors


def _lower_half(x: Any) -> Any:
    """Lower triangle with half of the diagonal."""
    return tril(x) - 0.5 * _eye(x, x.shape[-1]) * x


def _cholesky_vjp(g: Any, out: Any, _x: Any, upper: bool) -> Any:
    """Compute L⁻ᴴ Φ(Lᴴ g) L⁻¹, symmetrised (Murray)."""
    factor, g = (_h(out), _h(g)) if upper else (out, g)
    scale = _scale(factor)
    factor = factor / scale
    inverse = xp.inv(factor)
    middle = _hermitian(_lower_half(matmul(_h(factor), g)))
    return matmul(matmul(_h(inverse), middle), inverse) / scale


def _cholesky_jvp(t: Any, out: Any, _x: Any, upper: bool) -> Any:
    factor = _h(out) if upper else out
    scale = _scale(factor)
    factor = factor / scale
    inverse = xp.inv(factor)
    middle = matmul(matmul(inverse, _hermitian(t)), _h(inverse))
    part = matmul(factor, _lower_half(middle)) / scale
    return _h(part) if upper else part


define("linalg.cholesky", (_cholesky_vjp, _cholesky_jvp))


def _complete_tangent(q: Any, dq: Any, k: int) -> Any:
    """Tangent of a unitary matrix from that of its first k columns.

    The others rotate only as needed to stay orthogonal.
    """
    first, others = q[..., :k], q[..., k:]
    return concat([dq, -matmul(first, matmul(_h(dq), others))], axis=-1)


def _reduce_cotangent(q: Any, g: Any, k: int) -> tuple[Any, Any]:
    """First k columns of a unitary matrix, and their cotangent from that of all columns."""
    if q.shape[-1] == k:
        return q, g
    first, others = q[..., :k], q[..., k:]
    if g is not None:
        g = g[..., :k] - matmul(others, matmul(_h(g[..., k:]), first))
    return first, g


def _lower_skew(c: Any) -> Any:
    """Skew-Hermitian matrix with the lower triangle of c."""
    low = tril(c, k=-1)
    skew = low - _h(low)
    if c.dtype.kind == "c":
        skew = skew + 1j * imag(c) * _eye(c, c.shape[-1])
    return skew


def _upper_hermitian(y: Any) -> Any:
    """Hermitian matrix with the upper triangle of y."""
    up = triu(y, k=1)
    return up + _h(up) + real(y) * _eye(y, y.shape[-1])


def _qr_parts(out: Any) -> tuple[Any, Any, Any, int]:
    q, r = out
    k = min(q.shape[-2], r.shape[-1])
    return q, r[..., :k, :k], r[..., :k, k:], k


def _qr_vjp(g: Any, out: Any, x_like: Any, mode: str) -> Any:
    """Pullback of qr (Walter & Lehmann); the columns beyond the square are R₂ = Qᴴ A₂."""
    gq, gr = g
    q, r1, r2, k = _qr_parts(out)
    q, gq = _reduce_cotangent(q, gq, k)
    scale = _scale(r1)
    r1, r2 = r1 / scale, r2 / scale
    gq = zeros_like(q) if gq is None else gq / scale
    y, others = -matmul(_h(q), gq), []
    if gr is not None:
        y = y + matmul(gr[..., :k, :k], _h(r1))
        if x_like.shape[-1] > k:
            gr2 = gr[..., :k, k:]
            others.append(matmul(q, gr2))
            more = matmul(r2, _h(gr2))
            gq, y = gq + matmul(q, more), y - more
    elif x_like.shape[-1] > k:
        others.append(zeros_like(matmul(q, r2)))
    gx = _right_divide(gq + matmul(q, _upper_hermitian(y)), _h(r1))
    return concat([gx, *others], axis=-1) if others else gx


def _qr_jvp(t: Any, out: Any, x: Any, mode: str) -> Any:
    q, r1, r2, k = _qr_parts(out)
    m, n = x.shape[-2:]
    first = q[..., :k]
    scale = _scale(r1)
    r1, r2 = r1 / scale, r2 / scale
    b = _right_divide(t[..., :k], r1)
    c = matmul(_h(first), b)
    upper = c - _lower_skew(c)
    dq, dr = b - matmul(first, upper), matmul(upper, r1)
    if n > k:
        dr = concat([dr, matmul(_h(first), t[..., k:] - matmul(dq, r2))], axis=-1)
    dq = dq / scale
    if q.shape[-1] > k:
        dq = _complete_tangent(q, dq, k)
        dr = concat(
            [dr, zeros((*dr.shape[:-2], m - k, n), dtype=dr.dtype, device=dr.device)], axis=-2
        )
    return dq, dr


define("linalg.qr", (_qr_vjp, _qr_jvp))

# ---- eigenvalues


def _perturbation(values: Any) -> Any:
    """n, ..., 2, 1 along the last axis: a direction that separates equal values."""
    n = values.shape[-1]
    return broadcast_to(arange(n, 0, -1, dtype=values.dtype, device=values.device), values.shape)


def _perturbed(values: Any, n: int, *, zeros: bool = False) -> Any:
    """The values, perturbed if any are equal (or zero)."""
    negligible = _eig_tolerance(values, n)
    close = _abs(_differences(_constant(values))) <= _as_column(negligible)
    part = count_nonzero(close) > values.size
    if zeros:
        part = part | (count_nonzero(_constant(values) <= negligible) > 0)
    if is_anywhere(part):  # reads the data: the host waits for a GPU
        return perturb(values, _perturbation(values))
    return values


def _check_order(name: str, values: Any, *others: Any) -> None:
    """Raise for a second derivative at perturbed values."""
    if is_perturbed(values):
        given = [x for x in (values, *others) if x is not None]
        second = any(is_traced(unhidden(x)) for x in given)
    else:
        second = is_perturbed(getattr(values, "_primal", None))
    if second:
        raise NotDifferentiableError(_SECOND.format(name))


def _check_not_recorded(name: str, *tensors: Any) -> None:
    """The same for tangents of recorded tensors: the choice of vectors is not differentiated."""
    for x in tensors:
        while x._trace is not None:
            if not x._trace.level.forward and is_traced(x):
                raise NotDifferentiableError(_SECOND.format(name))
            x = x._primal


def _check_averaged(name: str, values: Any, n: int, *traced: Any) -> None:
    """Raise for a second derivative of a function that averages over equal values."""
    if all(isinstance(x, Array) and is_traced(x) for x in traced):
        close = _abs(_differences(_constant(values))) <= _as_column(_eig_tolerance(values, n))
        if is_anywhere(count_nonzero(close) > values.size):
            raise NotDifferentiableError(_SECOND.format(name))


_SECOND = (
    "{}: second derivatives at equal eigenvalues or singular values (or, of vectors, zero ones) "
    "are not supported; first ones are"
)


def _limit_quotient(x: Any, differences: Any, negligible: Any, values: Any, direction: Any) -> Any:
    """Quotient x / differences, as a limit where the differences are negligible.

    There `x` is treated as 0, as it is if the function does not depend on the choice of vectors.
    """
    x, change = value_and_slope(x, values)
    quotient = _safe_quotient(x, differences, negligible)
    if change is None:
        return quotient
    none = _abs(_constant(differences)) <= negligible
    return where(none, change / where(direction == 0, 1.0, direction), quotient)


def _eigh_vjp(g: Any, out: Any, _x: Any) -> Any:
    """Pullback of eigh (Giles, 3.1); for equal eigenvalues the limit of perturbed ones."""
    gw, gv = g
    values, v = out
    _check_order("eigh", values, gw, gv)
    w, _ = value_and_slope(values, values)
    vh = _h(v)
    if gv is None:
        return _hermitian(matmul(v * _as_row(value_and_slope(gw, values)[0]), vh))
    turn = matmul(vh, gv)
    middle = _limit_quotient(
        0.5 * (turn - _h(turn)),
        _differences(w),
        _as_column(_eig_tolerance(w, w.shape[-1])),
        values,
        _differences(_perturbation(w)),
    )
    if gw is not None:
        middle = middle + _as_row(value_and_slope(gw, values)[0]) * _eye(w, w.shape[-1])
    return _hermitian(matmul(matmul(v, middle), vh))


def _eigh_jvp(t: Any, out: Any, _x: Any) -> Any:
    w, v = out
    middle = matmul(matmul(_h(v), _hermitian(t)), v)
    return real(xp.diagonal(middle)), matmul(v, _over_gaps(middle, w))


def _degenerate_groups(values: Any, n: int) -> tuple[Any, Any]:
    """Group indices of equal values among sorted ones, and the mask of pairs in one group."""
    w = _constant(values)
    apart = _abs(w[..., 1:] - w[..., :-1]) > _eig_tolerance(values, n)
    first = zeros((*w.shape[:-1], min(1, w.shape[-1])), dtype=w.dtype, device=w.device)
    number = cumulative_sum(concat([first, astype(apart, w.dtype)], axis=-1), axis=-1)
    return number, _as_row(number) == _as_column(number)


def _diagonalising_basis(matrix: Any, number: Any, block: Any) -> Any:
    """Unitary matrix that diagonalises the diagonal blocks of a Hermitian matrix."""
    inside = where(block, _hermitian(matrix), 0.0)
    size = _max(_sum(_abs(_constant(inside)), axis=-1, keepdims=True), axis=-2, keepdims=True)
    # The added diagonal keeps the blocks in order.
    order = _as_row(number) * (4 * size + 1) * _eye(size, number.shape[-1])
    return where(block, xp.eigh(inside + order).eigenvectors, 0.0)


def _eigh_rotate(t: Any, out: Any, x: Any) -> Any:
    """Rotate to the eigenvectors that the direction selects in each eigenspace (Kato, II.5).

    For equal eigenvalues only these are differentiable; they diagonalise the tangent there.
    """
    w, v = out
    number, block = _degenerate_groups(w, w.shape[-1])
    if is_anywhere(count_nonzero(block) > w.size):
        _check_not_recorded("eigh", t, w, v, x)
        q = _diagonalising_basis(matmul(matmul(_h(v), t), v), number, block)
        out = w, matmul(v, q)
    return out, _eigh_jvp(t, out, x)


define(
    "linalg.eigh",
    (_eigh_vjp, _eigh_jvp),
    perturb=lambda out: (_perturbed(out[0], out[0].shape[-1]), out[1]),
    rotate=_eigh_rotate,
)


def _eigvalsh_vjp(g: Any, _out: Any, x: Any) -> Any:
    w, v = xp.eigh(x)
    _check_averaged("eigvalsh", w, w.shape[-1], x, g)
    g = _applied(_group_mean(w, w.shape[-1]), g)
    return _hermitian(matmul(v * _as_row(g), _h(v)))


def _eigvalsh_jvp(t: Any, _out: Any, x: Any) -> Any:
    w, v = xp.eigh(x)
    _check_averaged("eigvalsh", w, w.shape[-1], x)
    change = real(_sum(conj(v) * matmul(_hermitian(t), v), axis=-2))
    return _applied(_group_mean(w, w.shape[-1]), change)


define("linalg.eigvalsh", (_eigvalsh_vjp, _eigvalsh_jvp))


def _eig_vjp(g: Any, out: Any, _x: Any) -> Any:
    gw, gv = g
    w, v = out
    _check_averaged("eig", w, w.shape[-1], w)
    vh = _h(v)
    middle: Any = 0.0
    if gv is not None:
        middle = matmul(vh, gv)
        middle = middle - matmul(vh, v) * _as_row(xp.diagonal(middle))
        middle = _over_gaps(middle, conj(w))
    if gw is not None:
        middle = middle + _as_row(gw) * _eye(gw, w.shape[-1])
    return xp.solve(vh, matmul(middle, vh))


def _eig_jvp(t: Any, out: Any, _x: Any) -> Any:
    """Pushforward of eig (Giles, 3.1), less the component along each vector, whose norm is 1."""
    w, v = out
    _check_averaged("eig", w, w.shape[-1], w)
    middle = xp.solve(v, matmul(t, v))
    dv = matmul(v, _over_gaps(middle, w))
    return xp.diagonal(middle), dv - v * _sum(conj(v) * dv, axis=-2, keepdims=True)


define("linalg.eig", (_eig_vjp, _eig_jvp))


def _match_order(values: Any, w: Any) -> Any:
    """Matrix that permutes data of the eigenvalues `w` to the order of `values`.

    Equal values get the mean.
    """
    distance = _abs(_as_column(_constant(values)) - _as_row(_constant(w)))
    if not w.shape[-1]:
        return distance
    nearest = _min(distance, axis=-1, keepdims=True)
    close = (distance == nearest) | (distance <= _as_column(_eig_tolerance(w, w.shape[-1])))
    weight = astype(close, distance.dtype)
    return weight / _sum(weight, axis=-1, keepdims=True)


def _eigvals_vjp(g: Any, out: Any, x: Any) -> Any:
    w, v = xp.eig(x)
    _check_averaged("eigvals", w, w.shape[-1], x)
    g = _applied(matrix_transpose(_match_order(out, w)), g)
    vh = _h(v)
    return xp.solve(vh, _as_column(g) * vh)


def _eigvals_jvp(t: Any, out: Any, x: Any) -> Any:
    w, v = xp.eig(x)
    _check_averaged("eigvals", w, w.shape[-1], x)
    change = xp.diagonal(xp.solve(v, matmul(t, v)))
    return _applied(_match_order(out, w), change)


define("linalg.eigvals", (_eigvals_vjp, _eigvals_jvp))

# ---- singular values


def _svd_vjp(g: Any, out: Any, x_like: Any, full_matrices: bool) -> Any:
    """Adjoint of `_svd_jvp`."""
    gu, gs, gvh = g
    u, values, vh = out
    _check_order("svd", values, gu, gs, gvh)
    s, _ = value_and_slope(values, values)
    gs, _ = value_and_slope(gs, values)
    m, n = x_like.shape[-2:]
    k = s.shape[-1]
    u, gu = _reduce_cotangent(u, gu, k)
    v, gv = _reduce_cotangent(_h(vh), None if gvh is None else _h(gvh), k)
    if gu is None and gv is None:
        return matmul(u * _as_row(gs), _h(v))
    negligible, ramp = _as_column(_eig_tolerance(s, max(m, n))), _perturbation(s)
    left: Any = zeros_like(matmul(_h(u), u)) if gu is None else matmul(_h(u), gu)
    right: Any = zeros_like(left) if gv is None else matmul(_h(v), gv)
    both, skew = 0.5 * (left + right), 0.5 * (left - right)
    middle = _limit_quotient(
        both - _h(both), _differences(s), negligible, values, _differences(ramp)
    )
    middle = middle + _limit_quotient(
        skew - _h(skew),
        _as_row(s) + _as_column(s),
        negligible,
        values,
        _as_row(ramp) + _as_column(ramp),
    )
    if gs is not None:
        middle = middle + _as_row(gs) * _eye(gs, k)
    outer = matmul(u, middle)
    if gu is not None and m > k:
        rest = gu - matmul(u, left)
        outer = outer + _limit_quotient(rest, _as_row(s), negligible, values, _as_row(ramp))
    gx = matmul(outer, _h(v))
    if gv is not None and n > k:
        rest = gv - matmul(v, right)
        rest = _limit_quotient(rest, _as_row(s), negligible, values, _as_row(ramp))
        gx = gx + matmul(u, _h(rest))
    return gx


def _svd_jvp(t: Any, out: Any, x: Any, full_matrices: bool) -> Any:
    """Pushforward of svd (Wan & Zhang).

    F and G are in partial fractions, so that only one fraction is singular.

    From dU = U a and dV = V b, a and b skew-Hermitian, follows with c = Uᴴ t V that
    (a + b)ᵢⱼ (sⱼ - sᵢ) = (c + cᴴ)ᵢⱼ and (a - b)ᵢⱼ (sⱼ + sᵢ) = (c - cᴴ)ᵢⱼ.
    """
    full_u, s, full_vh = out
    m, n = x.shape[-2:]
    k = s.shape[-1]
    full_v = _h(full_vh)
    u, v = full_u[..., :k], full_v[..., :k]
    negligible = _as_column(_eig_tolerance(s, max(m, n)))
    tv = matmul(t, v)
    c = matmul(_h(u), tv)
    both = _safe_quotient(_hermitian(c), _differences(s), negligible)
    skew = _safe_quotient(0.5 * (c - _h(c)), _as_row(s) + _as_column(s), negligible)
    du, dv = matmul(u, both + skew), matmul(v, both - skew)
    if m > k:
        du = du + _safe_quotient(tv - matmul(u, c), _as_row(s), negligible)
    if n > k:
        rest = matmul(_h(t), u) - matmul(v, _h(c))
        dv = dv + _safe_quotient(rest, _as_row(s), negligible)
    if full_u.shape[-1] > k:
        du = _complete_tangent(full_u, du, k)
    if full_v.shape[-1] > k:
        dv = _complete_tangent(full_v, dv, k)
    return du, real(xp.diagonal(c)), _h(dv)


def _svd_rotate(t: Any, out: Any, x: Any, full_matrices: bool) -> Any:
    """Rotate to the vectors that the direction selects for equal and zero singular values."""
    u, s, vh = out
    m, n = x.shape[-2:]
    k = s.shape[-1]
    number, block = _degenerate_groups(s, max(m, n))
    positive = _constant(s) > _eig_tolerance(s, max(m, n))
    singular = count_nonzero(positive) < s.size
    if is_anywhere(singular | (count_nonzero(block) > s.size)):  # mostly the only wait for a GPU
        singular = is_anywhere(singular)
        _check_not_recorded("svd", t, u, s, vh, x)
        if singular and m != n and not full_matrices:
            u, s, vh = xp.svd(x, full_matrices=True)
        v = _h(vh)
        c = matmul(matmul(_h(u), t), v)
        q = _diagonalising_basis(
            c[..., :k, :k], number, block & _as_row(positive) & _as_column(positive)
        )
        q = q + _eye(q, k) * _as_row(astype(~positive, q.dtype))
        u, v = _rotate_first(u, q), _rotate_first(v, q)
        if singular:
            q1, q2 = _null_rotations(matmul(matmul(_h(u), t), v), positive)
            u, v = matmul(u, q1), matmul(v, q2)
        if not full_matrices:
            u, v = u[..., :k], v[..., :k]
        out = u, s, _h(v)
    return out, _svd_jvp(t, out, x, full_matrices)


def _rotate_first(u: Any, q: Any) -> Any:
    """`u` with its first columns multiplied by `q`."""
    k = q.shape[-1]
    return concat([matmul(u[..., :k], q), u[..., k:]], axis=-1)


def _null_rotations(c: Any, positive: Any) -> tuple[Any, Any]:
    """Rotations of the null vectors: the singular vectors of the tangent restricted to them."""
    m, n = c.shape[-2:]
    rows, columns = _padded(positive, m), _padded(positive, n)
    inside = where(_as_column(rows) | _as_row(columns), 0.0, c)
    size = _max(_sum(_abs(_constant(inside)), axis=-1, keepdims=True), axis=-2, keepdims=True)
    places = arange(m, 0, -1, dtype=size.dtype, device=size.device)
    order = _as_column(where(rows, places, 0.0)) * (4 * m * size + 1) * _eye(size, m, n)
    q1, _, q2 = xp.svd(inside + order, full_matrices=True)
    return _only_null(q1, rows), _only_null(_h(q2), columns)


def _padded(positive: Any, n: int) -> Any:
    more = (*positive.shape[:-1], n - positive.shape[-1])
    return concat([positive, zeros(more, dtype=positive.dtype, device=positive.device)], axis=-1)


def _only_null(q: Any, positive: Any) -> Any:
    """Restrict a rotation to the null vectors."""
    retained = _eye(q, q.shape[-1]) * _as_row(astype(positive, q.dtype))
    return where(_as_column(positive) | _as_row(positive), retained, q)


define(
    "linalg.svd",
    (_svd_vjp, _svd_jvp),
    perturb=lambda out: (
        out[0],
        _perturbed(out[1], max(out[0].shape[-2], out[2].shape[-1]), zeros=True),
        out[2],
    ),
    rotate=_svd_rotate,
)


def _singular_means(s: Any, n: int) -> Any:
    """Matrix that averages over equal singular values; zero for zero singular values."""
    positive = astype(_constant(s) > _eig_tolerance(s, n), s.dtype)
    return _group_mean(s, n) * _as_row(positive)


def _svdvals_vjp(g: Any, _out: Any, x: Any) -> Any:
    u, s, vh = xp.svd(x, full_matrices=False)
    _check_averaged("svdvals", s, max(x.shape[-2:]), x, g)
    g = _applied(matrix_transpose(_singular_means(s, max(x.shape[-2:]))), g)
    return matmul(u * _as_row(g), vh)


def _svdvals_jvp(t: Any, _out: Any, x: Any) -> Any:
    u, s, vh = xp.svd(x, full_matrices=False)
    _check_averaged("svdvals", s, max(x.shape[-2:]), x)
    change = real(_sum(conj(u) * matmul(t, _h(vh)), axis=-2))
    return _applied(_singular_means(s, max(x.shape[-2:])), change)


define("linalg.svdvals", (_svdvals_vjp, _svdvals_jvp))

# ---- norms: the gradient direction


def _share(values: Any, axis: Any, ord: float) -> Any:
    """Equal weights of the largest values, or for negative `ord` of the smallest."""
    best = (_max if ord > 0 else _min)(values, axis=axis, keepdims=True)
    weight = astype(values == best, values.dtype)
    return weight / _sum(weight, axis=axis, keepdims=True)


def _vector_direction(out: Any, x: Any, axis: Any, keepdims: bool, ord: float) -> Any:
    if ord == 0 or not x.size:
        return zeros_like(x)
    if ord == 1:
        return sign(x)
    if math.isinf(ord):
        return sign(x) * _share(_abs(x), axis, ord)
    norm = restored(out, x.ndim, axis, keepdims)
    none = norm == 0
    norm = where(none, 1.0, norm)
    if ord == 2:
        return where(none, 0.0, where(isinf(x) & isinf(norm), sign(x), x / norm))
    size = _abs(x)
    none = none | (size == 0)
    ratio = where(isinf(size) & isinf(norm), 1.0, where(none, 1.0, size) / norm)
    return where(none, 0.0, sign(x) * ratio ** (ord - 1))


def _matrix_direction(out: Any, x: Any, keepdims: bool, ord: Any) -> Any:
    if ord in ("fro", None) or not x.size:
        return _vector_direction(out, x, (-2, -1), keepdims, 2)
    if ord in ("nuc", 2, -2):
        chosen = _eye(out, min(x.shape[-2:]))
        weight = _sum(chosen, axis=0) if ord == "nuc" else chosen[0 if ord > 0 else -1, :]
        return _svdvals_vjp(weight, None, x)
    inner, outer = (-2, -1) if abs(ord) == 1 else (-1, -2)
    return sign(x) * _share(_sum(_abs(x), axis=inner, keepdims=True), outer, ord)


def _vector_norm_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> Any:
    return restored(g, x.ndim, axis, keepdims) * _vector_direction(out, x, axis, keepdims, ord)


def _vector_norm_jvp(
    t: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> Any:
    direction = _vector_direction(out, x, axis, keepdims, ord)
    return _sum(real(weighted(t, conj(direction))), axis=axis, keepdims=keepdims)


define("linalg.vector_norm", (_vector_norm_vjp, _vector_norm_jvp))


def _matrix_norm_vjp(g: Any, out: Any, x: Any, keepdims: bool, ord: Any) -> Any:
    return restored(g, x.ndim, (-2, -1), keepdims) * _matrix_direction(out, x, keepdims, ord)


def _matrix_norm_jvp(t: Any, out: Any, x: Any, keepdims: bool, ord: Any) -> Any:
    direction = _matrix_direction(out, x, keepdims, ord)
    return _sum(real(conj(direction) * t), axis=(-2, -1), keepdims=keepdims)


define("linalg.matrix_norm", (_matrix_norm_vjp, _matrix_norm_jvp))
