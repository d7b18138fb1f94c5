"""Sorting functions of the standard."""

from __future__ import annotations

from typing import Never

from ._dispatch import call
from ._hints import wrong_call
from ._typing import Tensor


def _check_axis(name: str, x: Tensor, axis: int) -> None:
    if isinstance(x, Tensor) and not x.ndim:
        raise ValueError(f"{name}: expected a tensor with at least one axis; got a 0-d tensor")
    if axis is None:
        raise TypeError(f"{name}: axis must be an int; got None")


def argsort(
    x: Tensor,
    /,
    *more: Never,
    axis: int = -1,
    descending: bool = False,
    stable: bool = True,
    **other: Never,
) -> Tensor:
    """Positions that would sort a tensor.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype with at least one axis.
    axis : int, optional
        Axis to operate along; negative values count from the last axis.
    descending : bool, optional
        Whether to sort in descending order.
    stable : bool, optional
        Whether equal elements keep their order, also with `descending`.

    Returns
    -------
    Tensor
        Positions of dtype int64, with the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the axis does not exist.

    Notes
    -----
    NaN counts as larger than every number: it is last, or first with `descending`. -0.0 and 0.0 are
    equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.argsort(xp.asarray([30, 10, 20]))
    Tensor([1, 2, 0], dtype=int64)
    """
    if more or other:
        raise wrong_call("argsort", locals())
    _check_axis("argsort", x, axis)
    return call("argsort", x, (), {"axis": axis, "descending": descending, "stable": stable})


def sort(
    x: Tensor,
    /,
    *more: Never,
    axis: int = -1,
    descending: bool = False,
    stable: bool = True,
    **other: Never,
) -> Tensor:
    """Sort the elements along an axis.

    Parameters
    ----------
    x : Tensor
        Input of a real-valued dtype with at least one axis.
    axis : int, optional
        Axis to operate along; negative values count from the last axis.
    descending : bool, optional
        Whether to sort in descending order.
    stable : bool, optional
        Whether equal elements keep their order, also with `descending`.

    Returns
    -------
    Tensor
        Copy with the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the axis does not exist.

    Notes
    -----
    NaN counts as larger than every number: it is last, or first with `descending`. -0.0 and 0.0 are
    equal.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.sort(xp.asarray([30, 10, 20]), descending=True)
    Tensor([30, 20, 10], dtype=int64)
    """
    if more or other:
        raise wrong_call("sort", locals())
    _check_axis("sort", x, axis)
    return call("sort", x, (), {"axis": axis, "descending": descending, "stable": stable})
