"""Utility functions of the standard."""

from __future__ import annotations

from ._dispatch import apply, reduction
from ._manipulation import concat
from ._typing import Axis, Tensor


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true.

    Parameters
    ----------
    x : Tensor
        Of any dtype; what is not 0 is true, NaN too.
    axis : int or tuple of int, optional
        Axes to reduce, negative ones counted from the last; None for all.
    keepdims : bool, optional
        Keep the reduced axes, with size 1.

    Returns
    -------
    Tensor
        bool, of the shape of `x` without the reduced axes; True where there is no element.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is named twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.all(xp.asarray([[True, False], [True, True]]), axis=1)
    Tensor([False,  True], dtype=bool)
    """
    return reduction("all", x, axis, keepdims)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether at least one element is true.

    Parameters
    ----------
    x : Tensor
        Of any dtype; what is not 0 is true, NaN too.
    axis : int or tuple of int, optional
        Axes to reduce, negative ones counted from the last; None for all.
    keepdims : bool, optional
        Keep the reduced axes, with size 1.

    Returns
    -------
    Tensor
        bool, of the shape of `x` without the reduced axes; False where there is no element.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is named twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.any(xp.asarray([[True, False], [True, True]]), axis=1)
    Tensor([ True,  True], dtype=bool)
    """
    return reduction("any", x, axis, keepdims)


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """Differences of neighbours.

    Parameters
    ----------
    x : Tensor
        Of a numeric dtype and at least one axis.
    axis : int, optional
        Along which, a negative one counted from the last.
    n : int, optional
        How often, not negative.
    prepend : Tensor, optional
        Put in front first; of the shape of `x` but for `axis`.
    append : Tensor, optional
        Put behind first; of such a shape.

    Returns
    -------
    Tensor
        Of the dtype of `x`, or the one to which it promotes with `prepend` and `append`. The axis
        has n elements less, if it has as many; bools give whether neighbours differ, and unsigned
        integers wrap around.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the axis does not exist, the shapes do not fit or `n` is negative.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.diff(xp.asarray([1, 4, 9]))
    Tensor([3, 5], dtype=int64)
    >>> xp.diff(xp.asarray([1, 4, 9]), prepend=xp.asarray([0]))
    Tensor([1, 3, 5], dtype=int64)
    """
    if n == 0:  # which the libraries take for "as it was", without the ends
        return concat([part for part in (prepend, x, append) if part is not None], axis=axis)
    kwargs = {"axis": axis, "n": n, "prepend": prepend, "append": append}
    return apply("diff", (x,), (), kwargs)
