"""Sorting functions of the standard."""

from __future__ import annotations

from ._dispatch import call
from ._typing import Tensor


def _check_axis(name: str, x: Tensor, axis: int) -> None:
    if isinstance(x, Tensor) and not x.ndim:
        raise ValueError(f"{name}: there is no axis to sort along; got a tensor of no axes")
    if axis is None:
        raise TypeError(f"{name}: axis must be an int; got None")


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Positions that sort a tensor.

    Parameters
    ----------
    x : Tensor
        Of a real-valued dtype and at least one axis.
    axis : int, optional
        Along which, a negative one counted from the last.
    descending : bool, optional
        The largest first.
    stable : bool, optional
        Keep the order of equal elements, also if `descending`.

    Returns
    -------
    Tensor
        int64, of the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the axis does not exist.

    Notes
    -----
    NaN counts as larger than all else: last, or first if `descending`. -0.0 and 0.0 are equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.argsort(xp.asarray([30, 10, 20]))
    Tensor([1, 2, 0], dtype=int64)
    """
    _check_axis("argsort", x, axis)
    return call("argsort", x, axis=axis, descending=descending, stable=stable)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order.

    Parameters
    ----------
    x : Tensor
        Of a real-valued dtype and at least one axis.
    axis : int, optional
        Along which, a negative one counted from the last.
    descending : bool, optional
        The largest first.
    stable : bool, optional
        Keep the order of equal elements, also if `descending`.

    Returns
    -------
    Tensor
        A copy, of the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the axis does not exist.

    Notes
    -----
    NaN counts as larger than all else: last, or first if `descending`. -0.0 and 0.0 are equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sort(xp.asarray([30, 10, 20]), descending=True)
    Tensor([30, 20, 10], dtype=int64)
    """
    _check_axis("sort", x, axis)
    return call("sort", x, axis=axis, descending=descending, stable=stable)
