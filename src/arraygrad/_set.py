"""Set functions of the standard."""

from __future__ import annotations

from typing import NamedTuple, Never

from ._dispatch import apply, unary
from ._hints import wrong_call
from ._typing import Tensor


class UniqueAllResult(NamedTuple):
    """Result of `unique_all`."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCountsResult(NamedTuple):
    """Result of `unique_counts`."""

    values: Tensor
    counts: Tensor


class UniqueInverseResult(NamedTuple):
    """Result of `unique_inverse`."""

    values: Tensor
    inverse_indices: Tensor


def isin(x1: Tensor | int, x2: Tensor | int, /, *, invert: bool = False) -> Tensor:
    """Test each element for membership in another tensor.

    Parameters
    ----------
    x1 : Tensor or int
        Elements to test. At least one argument must be a tensor.
    x2 : Tensor or int
        Values to compare with, of any shape.
    invert : bool, optional
        If True, test for non-membership.

    Returns
    -------
    Tensor
        Has the shape of `x1` and dtype bool.

    Raises
    ------
    TypeError
        If neither operand is a tensor, or an operand is neither a tensor nor a scalar.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Elements are compared as in `equal`: NaN is never a member, and -0.0 equals 0.0.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.isin(xp.asarray([1, 2, 3]), xp.asarray([3, 1]))
    Tensor([ True, False,  True], dtype=bool)
    """
    return apply("isin", (x1, x2), (), {"invert": invert})


def unique_all(x: Tensor, /) -> UniqueAllResult:
    """Distinct elements with their first positions, inverse indices and counts.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.

    Returns
    -------
    UniqueAllResult
        `values`, one-dimensional, of the dtype of `x`, in ascending order with NaN last; `indices`
        of their first occurrences in the flattened tensor; `inverse_indices`, with the shape of
        `x`, that reconstruct it from the values; and `counts`. All except the values are int64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN is not equal to itself, so every NaN is a distinct element; -0.0 equals 0.0. The shape
    depends on the data, so the host waits for a GPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.unique_all(xp.asarray([3, 1, 3])).counts
    Tensor([1, 2], dtype=int64)
    """
    return UniqueAllResult(*unary("unique_all", x))


def unique_counts(x: Tensor, /) -> UniqueCountsResult:
    """Distinct elements and their counts.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.

    Returns
    -------
    UniqueCountsResult
        `values`, one-dimensional, of the dtype of `x`, in ascending order with NaN last; and
        `counts`, int64.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN is not equal to itself, so every NaN is a distinct element; -0.0 equals 0.0. The shape
    depends on the data, so the host waits for a GPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> values, counts = xp.unique_counts(xp.asarray([3, 1, 3]))
    >>> values, counts
    (Tensor([1, 3], dtype=int64), Tensor([1, 2], dtype=int64))
    """
    return UniqueCountsResult(*unary("unique_counts", x))


def unique_inverse(x: Tensor, /) -> UniqueInverseResult:
    """Distinct elements and the indices that reconstruct the tensor from them.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.

    Returns
    -------
    UniqueInverseResult
        `values`, one-dimensional, of the dtype of `x`, in ascending order with NaN last; and
        `inverse_indices`, int64, with the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN is not equal to itself, so every NaN is a distinct element; -0.0 equals 0.0. The shape
    depends on the data, so the host waits for a GPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> values, inverse = xp.unique_inverse(xp.asarray([3, 1, 3]))
    >>> values[inverse]
    Tensor([3, 1, 3], dtype=int64)
    """
    return UniqueInverseResult(*unary("unique_inverse", x))


def unique_values(x: Tensor, /, **other: Never) -> Tensor:
    """Distinct elements.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.

    Returns
    -------
    Tensor
        One-dimensional tensor of the dtype of `x`, in ascending order with NaN last.

    Raises
    ------
    TypeError
        If `x` is not a tensor.

    Notes
    -----
    NaN is not equal to itself, so every NaN is a distinct element; -0.0 equals 0.0. The shape
    depends on the data, so the host waits for a GPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.unique_values(xp.asarray([3, 1, 3]))
    Tensor([1, 3], dtype=int64)
    """
    if other:
        raise wrong_call("unique_values", locals())
    return unary("unique_values", x)
