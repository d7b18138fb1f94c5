"""Distances between vectors of `scipy.spatial.distance`, with derivatives.

They are written with the namespace. Where two vectors are equal, a distance that is a root, such as
the Euclidean one, has derivative 0; the limit does not exist there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import arraygrad as xp

from ..._dispatch import as_floating, check_tensor, common_device
from ..._errors import as_number, describe, in_own_name
from ..._typing import Tensor
from ...special import rel_entr

__all__ = ["cdist", "pdist", "squareform"]

_where: Any = xp.where


@in_own_name("scipy.spatial.distance.cdist")
def cdist(
    XA: Tensor,
    XB: Tensor,
    metric: str = "euclidean",
    *,
    p: float | None = None,
    w: Tensor | None = None,
    V: Tensor | None = None,
    VI: Tensor | None = None,
) -> Tensor:
    """Distances between each vector of one set and each of another.

    Parameters
    ----------
    XA, XB : Tensor
        Real vectors of shapes (M, D) and (N, D).
    metric : str, optional
        'euclidean', 'sqeuclidean', 'seuclidean', 'mahalanobis', 'minkowski', 'cityblock',
        'chebyshev', 'cosine', 'correlation', 'canberra', 'braycurtis' or 'jensenshannon'.
    p : float, optional
        Exponent of 'minkowski'. The default is 2.
    w : Tensor, optional
        Weights of shape (D,), for all metrics but 'seuclidean', 'mahalanobis' and 'jensenshannon'.
    V : Tensor, optional
        Variances of shape (D,) for 'seuclidean'. The default are those of all vectors together.
    VI : Tensor, optional
        The inverse of the covariance matrix, of shape (D, D), for 'mahalanobis'. The default is
        that of all vectors together.

    Returns
    -------
    Tensor
        Has shape (M, N), and the promoted dtype; SciPy's result is always float64.

    Raises
    ------
    TypeError
        If an operand is not a real tensor, or an option does not belong to the metric.
    ValueError
        If the shapes do not fit, or the metric is unknown.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The definitions are those of SciPy's reference. All differences are kept at once, M N D numbers.
    'cosine' and 'correlation' are NaN for a vector of zeros. Metrics that only count, such as
    'hamming', are constant almost everywhere; compute them by SciPy.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> from arraygrad.scipy.spatial import distance
    >>> x, y = xp.asarray([[0.0, 0.0], [3.0, 0.0]]), xp.asarray([[0.0, 0.0], [0.0, 4.0]])
    >>> distance.cdist(x, y)
    Tensor([[0., 4.],
            [3., 5.]], dtype=float64)
    >>> autodiff.grad(lambda x: xp.sum(distance.cdist(x, y)))(x)
    Tensor([[ 0. , -1. ],
            [ 1.6, -0.8]], dtype=float64)
    """
    name = "scipy.spatial.distance.cdist"
    how = {"p": p, "w": w, "V": V, "VI": VI}
    XA, XB, *_ = vectors = _checked(name, {"XA": XA, "XB": XB}, how)
    if XA.shape[1] != XB.shape[1]:
        raise ValueError(
            f"XA and XB must have equally long vectors; got shapes {XA.shape} and {XB.shape}"
        )
    distance = _distance(metric, how, lambda: xp.concat(vectors))
    return distance(xp.expand_dims(XA, axis=1), xp.expand_dims(XB, axis=0))


@in_own_name("scipy.spatial.distance.pdist")
def pdist(
    X: Tensor,
    metric: str = "euclidean",
    *,
    p: float | None = None,
    w: Tensor | None = None,
    V: Tensor | None = None,
    VI: Tensor | None = None,
) -> Tensor:
    """Distances between the vectors of a set.

    Parameters
    ----------
    X : Tensor
        Real vectors of shape (M, D).
    metric, p, w, V, VI : optional
        As of `cdist`.

    Returns
    -------
    Tensor
        The distances of vector 0 from 1, 2, ..., then those of vector 1 from 2, 3, ..., and so on;
        has shape (M (M - 1) / 2,). `squareform` makes a matrix of it.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `cdist` does.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy.spatial import distance
    >>> distance.pdist(xp.asarray([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]))
    Tensor([3., 4., 5.], dtype=float64)
    """
    how = {"p": p, "w": w, "V": V, "VI": VI}
    (X,) = _checked("scipy.spatial.distance.pdist", {"X": X}, how)
    distance = _distance(metric, how, lambda: X)
    i, j = _pairs(X.shape[0], X.device)
    return distance(xp.take(X, i, axis=0), xp.take(X, j, axis=0))


@in_own_name("scipy.spatial.distance.squareform")
def squareform(X: Tensor) -> Tensor:
    """Matrix of distances from the vector that `pdist` returns, and the reverse.

    Parameters
    ----------
    X : Tensor
        Vector of shape (M (M - 1) / 2,), or a symmetric matrix of shape (M, M) with zeros on the
        diagonal. The symmetry and the zeros are not checked.

    Returns
    -------
    Tensor
        The matrix of a vector, or the vector of a matrix: the part above its diagonal.

    Raises
    ------
    TypeError
        If `X` is not a tensor.
    ValueError
        If the shape does not fit.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad.scipy.spatial import distance
    >>> distance.squareform(xp.asarray([3.0, 4.0, 5.0]))
    Tensor([[0., 3., 4.],
            [3., 0., 5.],
            [4., 5., 0.]], dtype=float64)
    """
    check_tensor("scipy.spatial.distance.squareform", X)
    if X.ndim == 2 and X.shape[0] == X.shape[1]:
        return X[_pairs(X.shape[0], X.device)]
    m = round((1 + (1 + 8 * X.size) ** 0.5) / 2)
    if X.ndim != 1 or m * (m - 1) != 2 * X.size:
        raise ValueError(f"X must have shape (M (M - 1) / 2,) or (M, M); got {X.shape}")
    upper = xp.zeros((m, m), dtype=X.dtype, device=X.device)
    upper[_pairs(m, X.device)] = X
    return upper + xp.matrix_transpose(upper) if X.dtype.kind != "b" else upper | upper.mT


def _pairs(m: int, device: Any) -> tuple[Any, Any]:
    """The indices i < j of all pairs."""
    n, k = xp.arange(m, device=device), xp.arange(m * (m - 1) // 2, device=device)
    first = n * (2 * m - n - 1) // 2  # where the pairs with i = n begin
    i = xp.searchsorted(first, k, side="right") - 1
    if m:  # (the last i has no pair)
        i = xp.clip(i, 0, max(m - 2, 0))
        k = k - xp.take(first, i, axis=0)
    return i, k + i + 1


def _checked(name: str, vectors: dict[str, Any], how: dict[str, Any]) -> list[Any]:
    """The sets of vectors in the dtype that they promote to."""
    options = {key: how[key] for key in ("w", "V", "VI") if how[key] is not None}
    for key, x in (vectors | options).items():
        check_tensor(name, x)
        if x.dtype.kind == "c":
            raise TypeError(f"{key} must be real; got {describe(x)}")
    common_device(name, [*vectors.values(), *options.values()])
    for key, x in vectors.items():
        if x.ndim != 2:
            raise ValueError(f"{key} must have shape (M, D); got {x.shape}")
    d = next(iter(vectors.values())).shape[1]
    for key, x in options.items():
        if x.shape != (d,) * (1 + (key == "VI")):
            raise ValueError(f"{key} must have shape {(d,) * (1 + (key == 'VI'))}; got {x.shape}")
        how[key] = as_floating(x)
    dtype = xp.result_type(*vectors.values())
    return [as_floating(xp.astype(x, dtype, copy=False)) for x in vectors.values()]


# ---- metrics: functions of differences, or of pairs, of vectors on the last axis


def _root(s: Any) -> Any:
    """Square root, with derivative 0 at 0."""
    return _where(s == 0, 0.0, xp.sqrt(_where(s == 0, 1.0, s)))


def _total(x: Any, w: Any) -> Any:
    return xp.sum(x if w is None else x * w, axis=-1)


def _sqeuclidean(u: Any, v: Any, w: Any = None) -> Any:
    d = u - v
    return _total(d * d, w)


def _euclidean(u: Any, v: Any, w: Any = None) -> Any:
    return _root(_sqeuclidean(u, v, w))


def _cityblock(u: Any, v: Any, w: Any = None) -> Any:
    return _total(xp.abs(u - v), w)


def _chebyshev(u: Any, v: Any, w: Any = None) -> Any:
    d = xp.abs(u - v)
    if not d.shape[-1]:
        return xp.sum(d, axis=-1)
    return xp.max(d if w is None else _where(w > 0, d, 0.0), axis=-1)


def _minkowski(u: Any, v: Any, w: Any = None, p: Any = 2.0) -> Any:
    p = as_number("scipy.spatial.distance", "p", p)
    if not p > 0:
        raise ValueError(f"p must be positive; got {p}")
    if p in (1, 2, float("inf")):
        return {1: _cityblock, 2: _euclidean}.get(p, _chebyshev)(u, v, w)
    d = xp.abs(u - v)
    s = _total(_where(d == 0, 0.0, _where(d == 0, 1.0, d) ** p), w)
    return _where(s == 0, 0.0, _where(s == 0, 1.0, s) ** (1 / p))


def _cosine(u: Any, v: Any, w: Any = None) -> Any:
    norms = [xp.sqrt(_total(x * x, w)) for x in (u, v)]
    return 1 - _total(u * v, w) / (norms[0] * norms[1])


def _correlation(u: Any, v: Any, w: Any = None) -> Any:
    if w is None:
        u, v = (x - xp.mean(x, axis=-1, keepdims=True) for x in (u, v))
    else:
        w = w / xp.sum(w)
        u, v = (x - xp.sum(x * w, axis=-1, keepdims=True) for x in (u, v))
    return _cosine(u, v, w)


def _canberra(u: Any, v: Any, w: Any = None) -> Any:
    size = xp.abs(u) + xp.abs(v)
    return _total(_where(size == 0, 0.0, xp.abs(u - v) / _where(size == 0, 1.0, size)), w)


def _braycurtis(u: Any, v: Any, w: Any = None) -> Any:
    return _total(xp.abs(u - v), w) / _total(xp.abs(u + v), w)


def _seuclidean(u: Any, v: Any, V: Any) -> Any:
    d = u - v
    return _root(xp.sum(d * d / V, axis=-1))


def _mahalanobis(u: Any, v: Any, VI: Any) -> Any:
    d = u - v
    return _root(xp.sum((d @ VI) * d, axis=-1))


def _jensenshannon(u: Any, v: Any) -> Any:
    u, v = (x / xp.sum(x, axis=-1, keepdims=True) for x in (u, v))
    middle = (u + v) / 2
    s = xp.sum(rel_entr(u, middle) + rel_entr(v, middle), axis=-1) / 2
    return _root(_where(s < 0, 0.0, s))  # rounding errors


#: Metrics, and the options that they take.
_METRICS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "euclidean": (_euclidean, ("w",)),
    "sqeuclidean": (_sqeuclidean, ("w",)),
    "seuclidean": (_seuclidean, ("V",)),
    "mahalanobis": (_mahalanobis, ("VI",)),
    "minkowski": (_minkowski, ("p", "w")),
    "cityblock": (_cityblock, ("w",)),
    "chebyshev": (_chebyshev, ("w",)),
    "cosine": (_cosine, ("w",)),
    "correlation": (_correlation, ("w",)),
    "canberra": (_canberra, ("w",)),
    "braycurtis": (_braycurtis, ("w",)),
    "jensenshannon": (_jensenshannon, ()),
}


def _distance(metric: Any, how: dict[str, Any], every: Callable[[], Any]) -> Callable[..., Any]:
    """The metric with its options; `every` gives all vectors, for the default of a covariance."""
    if not isinstance(metric, str) or metric not in _METRICS:
        raise ValueError(
            f"metric must be one of {', '.join(map(repr, _METRICS))}; got {describe(metric)}"
        )
    function, options = _METRICS[metric]
    given = {key: value for key, value in how.items() if value is not None}
    if wrong := set(given) - set(options):
        raise TypeError(
            f"metric {metric!r} has no option {', '.join(sorted(wrong))}; "
            f"its options: {', '.join(options) or 'none'}"
        )
    if metric == "seuclidean" and not given:
        given["V"] = xp.var(every(), axis=0, correction=1)
    if metric == "mahalanobis" and not given:
        x = every()
        if x.shape[0] <= x.shape[1]:
            raise ValueError(
                f"{x.shape[0]} vectors of {x.shape[1]} numbers have no invertible covariance "
                "matrix; write VI=..."
            )
        x = x - xp.mean(x, axis=0, keepdims=True)
        given["VI"] = xp.linalg.inv(xp.matrix_transpose(x) @ x / (x.shape[0] - 1))
    return lambda u, v: function(u, v, **given)
