"""Manipulation functions of the standard."""

from __future__ import annotations

from collections.abc import Sequence

from ._backends.numpy import broadcast_shapes as _broadcast_shapes
from ._dispatch import apply, call, check_tensor, common_device, sequence, view
from ._errors import explain
from ._modes import is_strict
from ._typing import Axis, Tensor


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Tensors broadcast against one another.

    Parameters
    ----------
    *arrays : Tensor
        Of shapes that broadcast.

    Returns
    -------
    tuple of Tensor
        Views of the common shape, each of its own dtype.

    Raises
    ------
    TypeError
        If there is no tensor.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Write to none of them: several elements may be one in memory.

    Examples
    --------
    >>> import arraygrad as xp
    >>> [a.shape for a in xp.broadcast_arrays(xp.ones(3), xp.ones((2, 1)))]
    [(2, 3), (2, 3)]
    """
    for x in arrays:
        check_tensor("broadcast_arrays", x)
    if not arrays:
        raise TypeError("broadcast_arrays: expected a Tensor; got nothing")
    common_device("broadcast_arrays", arrays)
    shape = broadcast_shapes(*[x.shape for x in arrays])
    return tuple([x[...] if x.shape == shape else broadcast_to(x, shape) for x in arrays])


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which shapes broadcast.

    Parameters
    ----------
    *shapes : tuple of int
        The shapes.

    Returns
    -------
    tuple of int
        The common shape; () of none.

    Raises
    ------
    TypeError
        If a size is no int.
    ValueError
        If they do not broadcast, or a size is negative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.broadcast_shapes((3,), (2, 1))
    (2, 3)
    """
    try:
        return _broadcast_shapes(*shapes)
    except (TypeError, ValueError) as error:
        raise explain(error, "broadcast_shapes", shapes) from error


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """A tensor broadcast to a shape.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    shape : tuple of int
        The shape wanted.

    Returns
    -------
    Tensor
        A view, of the dtype of `x`; read-only on the CPU.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the shape of `x` does not broadcast to it.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.broadcast_to(xp.asarray([1, 2]), (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    return view("broadcast_to", x, shape)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Tensors joined along an axis that they have.

    Parameters
    ----------
    arrays : list or tuple of Tensor
        Of the same shape but for `axis`, of at least one axis.
    axis : int, optional
        Along which; None flattens them first.

    Returns
    -------
    Tensor
        A new tensor, of the promoted dtype.

    Raises
    ------
    ValueError
        If the shapes do not fit or the axis does not exist.
    TypeError
        If `arrays` is empty or holds what is neither a tensor nor a scalar.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.concat([xp.asarray([1, 2]), xp.asarray([3.5])])
    Tensor([1. , 2. , 3.5], dtype=float64)
    """
    return sequence("concat", arrays, axis)


def expand_dims(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """New axes of size 1.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or tuple of int
        Their positions in the result, negative ones counted from the last.

    Returns
    -------
    Tensor
        A view, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If a position is out of range or given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.expand_dims(xp.asarray([1, 2]), axis=0)
    Tensor([[1, 2]], dtype=int64)
    >>> xp.expand_dims(xp.ones(2), axis=(0, -1)).shape
    (1, 2, 1)
    """
    return view("expand_dims", x, axis)


def flip(x: Tensor, /, *, axis: Axis = None) -> Tensor:
    """The order of the elements along axes turned round.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or tuple of int, optional
        Which; None for all.

    Returns
    -------
    Tensor
        A view, of the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is named twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.flip(xp.asarray([1, 2, 3]))
    Tensor([3, 2, 1], dtype=int64)
    """
    return view("flip", x, axis=axis)


def moveaxis(
    x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
) -> Tensor:
    """Axes at other positions, the rest in their order.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    source : int or tuple of int
        Positions that they have; negative ones count from the last.
    destination : int or tuple of int
        Positions that they get, likewise.

    Returns
    -------
    Tensor
        A view, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice, or there are not as many of each.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.moveaxis(xp.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return view("moveaxis", x, source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """Axes in another order.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axes : tuple of int
        Each axis of `x` once, in the order wanted; negative ones count from the last.

    Returns
    -------
    Tensor
        A view, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `axes` is no permutation of the axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.permute_dims(xp.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return view("permute_dims", x, axes)


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element several times.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    repeats : int or Tensor
        How often; of an integer tensor of one axis, each element along `axis` has its own number.
    axis : int, optional
        Along which; None flattens `x` first.

    Returns
    -------
    Tensor
        A copy, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `repeats` is neither an int nor a tensor of integers.
    ValueError
        If a number is negative, their count does not fit, or the axis does not exist.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    The shape depends on the values of a tensor of `repeats`, so a GPU is waited for.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.repeat(xp.asarray([1, 2]), 2)
    Tensor([1, 1, 2, 2], dtype=int64)
    >>> xp.repeat(xp.asarray([1, 2]), xp.asarray([0, 3]))
    Tensor([2, 2, 2], dtype=int64)
    """
    if isinstance(repeats, float):
        raise TypeError(f"repeat: repeats must be an int or a tensor of ints; got {repeats}")
    return apply("repeat", (x, repeats), (), {"axis": axis})


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements, in their order, in another shape.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    shape : tuple of int
        Of as many elements; one size may be -1 and is worked out.
    copy : bool, optional
        True always copies; False never, and raises where it must; None copies where it must.

    Returns
    -------
    Tensor
        Of the dtype of `x`. A view where the layout in memory allows it, unless `copy` is True.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the number of elements does not fit, more than one size is -1, or `copy` is False and a
        copy is needed.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.reshape(xp.arange(6), (2, -1))
    Tensor([[0, 1, 2],
            [3, 4, 5]], dtype=int64)
    """
    return view("reshape", x, shape, copy=copy)


def roll(x: Tensor, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> Tensor:
    """The elements moved along axes; those that leave come back at the start.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    shift : int or tuple of int
        By how much, towards larger positions; backwards if negative. A tuple has a number for each
        axis.
    axis : int or tuple of int, optional
        Along which, one `shift` serving all; None flattens, moves and restores the shape.

    Returns
    -------
    Tensor
        A copy, of the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or a shift is not an int.
    ValueError
        If an axis does not exist, or shifts and axes cannot be paired.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.roll(xp.asarray([1, 2, 3, 4]), 1)
    Tensor([4, 1, 2, 3], dtype=int64)
    """
    if any(isinstance(n, float) for n in (shift if isinstance(shift, tuple) else (shift,))):
        raise TypeError(f"roll: shift must be an int or a tuple of ints; got {shift}")
    return call("roll", x, shift, axis=axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Without axes of size 1.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or tuple of int
        Which; negative ones count from the last.

    Returns
    -------
    Tensor
        A view, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If one of them is not of size 1, does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.squeeze(xp.ones((1, 3, 1)), axis=(0, 2)).shape
    (3,)
    """
    return view("squeeze", x, axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Tensors joined along a new axis.

    Parameters
    ----------
    arrays : list or tuple of Tensor
        Of one shape.
    axis : int, optional
        Position of the new axis in the result, a negative one counted from the last.

    Returns
    -------
    Tensor
        A new tensor, of the promoted dtype.

    Raises
    ------
    TypeError
        If `arrays` is empty or holds what is no tensor.
    ValueError
        If the shapes differ or the axis does not exist.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.stack([xp.asarray([1, 2]), xp.asarray([3, 4])], axis=1)
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    return sequence("stack", arrays, axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """The whole tensor several times, side by side.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    repetitions : tuple of int
        How often along each axis; the shorter of it and the shape is filled with ones in front.

    Returns
    -------
    Tensor
        A copy, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or a number no int.
    ValueError
        If a number is negative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tile(xp.asarray([1, 2]), (2, 2))
    Tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]], dtype=int64)
    """
    return call("tile", x, repetitions)


def transpose(x: Tensor, /, axes: tuple[int, ...] | None = None) -> Tensor:
    """Axes in another order, under NumPy's name: xarray looks for it.

    Not in the standard, which has `permute_dims`.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axes : tuple of int, optional
        Each axis of `x` once, in the order wanted; the reversed order unless given.

    Returns
    -------
    Tensor
        A view, of the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If `axes` is no permutation of the axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.transpose(xp.ones((2, 3, 4))).shape
    (4, 3, 2)
    """
    if is_strict():
        raise TypeError("transpose: outside the standard; write xp.permute_dims(x, axes)")
    if axes is None and isinstance(x, Tensor):
        axes = tuple(range(x.ndim))[::-1]
    return view("permute_dims", x, axes)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """A tensor taken apart along an axis.

    Parameters
    ----------
    x : Tensor
        Of at least one axis.
    axis : int, optional
        Along which.

    Returns
    -------
    tuple of Tensor
        Views, of the dtype of `x`, one for each position along the axis.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the axis does not exist, or `x` has none.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.unstack(xp.asarray([[1, 2], [3, 4]]))
    (Tensor([1, 2], dtype=int64), Tensor([3, 4], dtype=int64))
    """
    return view("unstack", x, axis=axis)
