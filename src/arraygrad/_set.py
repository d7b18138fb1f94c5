"""Set functions of the standard."""

from __future__ import annotations

from typing import NamedTuple

from ._dispatch import apply, unary
from ._typing import Tensor


class UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def isin(x1: Tensor | int, x2: Tensor | int, /, *, invert: bool = False) -> Tensor:
    """Whether elements are among others.

    Parameters
    ----------
    x1 : Tensor or int
        The elements asked about; at least one argument is a tensor.
    x2 : Tensor or int
        The others, of any shape.
    invert : bool, optional
        Whether they are not.

    Returns
    -------
    Tensor
        bool, of the shape of `x1`.

    Raises
    ------
    TypeError
        If neither is a tensor, or one is neither a tensor nor a scalar.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Elements are compared as `equal` compares them: NaN is among nothing, and -0.0 is 0.0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isin(xp.asarray([1, 2, 3]), xp.asarray([3, 1]))
    Tensor([ True, False,  True], dtype=bool)
    """
    return apply("isin", (x1, x2), (), {"invert": invert})


def unique_all(x: Tensor, /) -> UniqueAllResult:
    """The distinct elements, where they are, and how often.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.

    Returns
    -------
    UniqueAllResult
        values, of one axis and the dtype of `x`, in ascending order, NaN last; indices of their
        first occurrences in the flattened tensor; inverse_indices, of the shape of `x`, that
        rebuild it from the values; counts. All but the values are int64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN differs from every element, so each is its own; -0.0 equals 0.0. The shape depends on the
    data, so a GPU is waited for.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.unique_all(xp.asarray([3, 1, 3])).counts
    Tensor([1, 2], dtype=int64)
    """
    return UniqueAllResult(*unary("unique_all", x))


def unique_counts(x: Tensor, /) -> UniqueCountsResult:
    """The distinct elements and how often each occurs.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.

    Returns
    -------
    UniqueCountsResult
        values, of one axis and the dtype of `x`, in ascending order, NaN last; and counts, int64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN differs from every element, so each is its own; -0.0 equals 0.0. The shape depends on the
    data, so a GPU is waited for.

    Examples
    --------
    >>> import arraygrad as xp
    >>> values, counts = xp.unique_counts(xp.asarray([3, 1, 3]))
    >>> values, counts
    (Tensor([1, 3], dtype=int64), Tensor([1, 2], dtype=int64))
    """
    return UniqueCountsResult(*unary("unique_counts", x))


def unique_inverse(x: Tensor, /) -> UniqueInverseResult:
    """The distinct elements and how to rebuild the tensor from them.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.

    Returns
    -------
    UniqueInverseResult
        values, of one axis and the dtype of `x`, in ascending order, NaN last; and inverse_indices,
        int64, of the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN differs from every element, so each is its own; -0.0 equals 0.0. The shape depends on the
    data, so a GPU is waited for.

    Examples
    --------
    >>> import arraygrad as xp
    >>> values, inverse = xp.unique_inverse(xp.asarray([3, 1, 3]))
    >>> values[inverse]
    Tensor([3, 1, 3], dtype=int64)
    """
    return UniqueInverseResult(*unary("unique_inverse", x))


def unique_values(x: Tensor, /) -> Tensor:
    """The distinct elements.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.

    Returns
    -------
    Tensor
        One axis, of the dtype of `x`, in ascending order, NaN last.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN differs from every element, so each is its own; -0.0 equals 0.0. The shape depends on the
    data, so a GPU is waited for.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.unique_values(xp.asarray([3, 1, 3]))
    Tensor([1, 3], dtype=int64)
    """
    return unary("unique_values", x)
