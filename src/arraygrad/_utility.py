"""Utility functions of the standard."""

from __future__ import annotations

from typing import Never

from ._dispatch import apply, check_tensor, reduction
from ._errors import as_int, in_own_name
from ._hints import wrong_call
from ._manipulation import concat
from ._typing import Axis, Tensor


def all(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Test whether all elements are true.

    Parameters
    ----------
    x : Tensor
        Input of any dtype; every nonzero element, including NaN, is true.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has dtype bool and the shape of `x` without the reduced axes; True where there are no
        elements.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.all(xp.asarray([[True, False], [True, True]]), axis=1)
    Tensor([False,  True], dtype=bool)
    """
    if more or other:
        raise wrong_call("all", locals())
    return reduction("all", x, axis, keepdims)


def any(
    x: Tensor, /, *more: Never, axis: Axis = None, keepdims: bool = False, **other: Never
) -> Tensor:
    """Test whether at least one element is true.

    Parameters
    ----------
    x : Tensor
        Input of any dtype; every nonzero element, including NaN, is true.
    axis : int or tuple of int, optional
        Axes to reduce; negative values count from the last axis. By default all axes are reduced.
    keepdims : bool, optional
        Whether to keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Has dtype bool and the shape of `x` without the reduced axes; False where there are no
        elements.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.any(xp.asarray([[True, False], [True, True]]), axis=1)
    Tensor([ True,  True], dtype=bool)
    """
    if more or other:
        raise wrong_call("any", locals())
    return reduction("any", x, axis, keepdims)


@in_own_name("diff")
def diff(
    x: Tensor,
    /,
    *more: Never,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    **other: Never,
) -> Tensor:
    """Differences of adjacent elements.

    Parameters
    ----------
    x : Tensor
        Input of a numeric dtype with at least one axis.
    axis : int, optional
        Axis to operate along; negative values count from the last axis.
    n : int, optional
        Number of times to take differences, not negative.
    prepend : Tensor, optional
        Values to prepend along the axis first, with the shape of `x` except along `axis`.
    append : Tensor, optional
        Values to append along the axis first, with the shape of `x` except along `axis`.

    Returns
    -------
    Tensor
        Has the dtype of `x`, promoted with `prepend` and `append`. The axis has `n` fewer elements,
        at least 0. For bools the result tells whether adjacent elements differ; unsigned integers
        wrap around.

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
    if more or other:
        raise wrong_call("diff", locals())
    check_tensor("diff", x)
    parts = [part for part in (prepend, x, append) if part is not None]
    n = as_int("diff", "n", n)
    if n == 0:  # for which the libraries return `x` without `prepend` and `append`
        return concat(parts, axis=axis)
    if n > x.size:  # nothing is left after as many times as there are elements
        n = min(n, sum(max(part.shape, default=0) for part in parts if isinstance(part, Tensor)))
    kwargs = {"axis": axis, "n": n, "prepend": prepend, "append": append}
    return apply("diff", (x,), (), kwargs)
