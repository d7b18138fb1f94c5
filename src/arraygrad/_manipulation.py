"""Manipulation functions of the standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

from ._backends.numpy import broadcast_shapes as _broadcast_shapes
from ._dispatch import apply, call, check_tensor, common_device, sequence, view
from ._errors import describe, explain, in_own_name
from ._hints import wrong_call
from ._modes import is_strict
from ._typing import Axis, Tensor


@in_own_name("broadcast_arrays")
def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Broadcast tensors against one another.

    Parameters
    ----------
    *arrays : Tensor
        Tensors with shapes that broadcast.

    Returns
    -------
    tuple of Tensor
        Views with the common shape, each with its own dtype.

    Raises
    ------
    TypeError
        If there is no argument, or one is not a tensor.
    ValueError
        If the shapes do not broadcast.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    Do not write to the results: several elements may refer to the same memory.

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
    """Shape to which shapes broadcast.

    Parameters
    ----------
    *shapes : tuple of int
        Shapes to broadcast.

    Returns
    -------
    tuple of int
        Common shape; () if there are no arguments.

    Raises
    ------
    TypeError
        If a size is not an int.
    ValueError
        If the shapes do not broadcast, or a size is negative.

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


def broadcast_to(
    x: Tensor, /, shape: int | tuple[int, ...], *more: Never, **other: Never
) -> Tensor:
    """Broadcast a tensor to a shape.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    shape : int or tuple of int
        Target shape.

    Returns
    -------
    Tensor
        View with the dtype of `x`; read-only on the CPU.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If the shape of `x` does not broadcast to `shape`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.broadcast_to(xp.asarray([1, 2]), (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    if more or other:
        raise wrong_call("broadcast_to", locals())
    sizes = (shape,) if type(shape) is not tuple and hasattr(shape, "__index__") else shape
    return view("broadcast_to", x, (sizes,))


def concat(
    arrays: Sequence[Tensor], /, *more: Never, axis: int | None = 0, **other: Never
) -> Tensor:
    """Join tensors along an existing axis.

    Parameters
    ----------
    arrays : list or tuple of Tensor
        Tensors with at least one axis and the same shape, except along `axis`.
    axis : int, optional
        Axis to join along. None flattens the tensors first.

    Returns
    -------
    Tensor
        New tensor of the promoted dtype.

    Raises
    ------
    ValueError
        If the shapes do not fit or the axis does not exist.
    TypeError
        If `arrays` is empty or an element is neither a tensor nor a scalar.
    DeviceMismatchError
        If the tensors are on different devices.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.concat([xp.asarray([1, 2]), xp.asarray([3.5])])
    Tensor([1. , 2. , 3.5], dtype=float64)
    """
    if more or other:
        raise wrong_call("concat", locals())
    return sequence("concat", arrays, axis)


def expand_dims(x: Tensor, /, axis: int | tuple[int, ...], *more: Never, **other: Never) -> Tensor:
    """Insert axes of size 1.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    axis : int or tuple of int
        Positions of the new axes in the result; negative values count from the last axis.

    Returns
    -------
    Tensor
        View with the dtype of `x`.

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
    if more or other:
        raise wrong_call("expand_dims", locals())
    return view("expand_dims", x, (axis,))


def flip(x: Tensor, /, *more: Never, axis: Axis = None, **other: Never) -> Tensor:
    """Reverse the order of the elements along axes.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    axis : int or tuple of int, optional
        Axes to reverse; by default all.

    Returns
    -------
    Tensor
        View with the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.flip(xp.asarray([1, 2, 3]))
    Tensor([3, 2, 1], dtype=int64)
    """
    if more or other:
        raise wrong_call("flip", locals())
    return view("flip", x, (), {"axis": axis})


def moveaxis(
    x: Tensor,
    source: int | tuple[int, ...],
    destination: int | tuple[int, ...],
    /,
    *more: Never,
    **other: Never,
) -> Tensor:
    """Move axes to other positions; the other axes keep their order.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    source : int or tuple of int
        Current positions; negative values count from the last axis.
    destination : int or tuple of int
        New positions; negative values count from the last axis.

    Returns
    -------
    Tensor
        View with the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not exist or is given twice, or `source` and `destination` differ in length.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.moveaxis(xp.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    if more or other:
        raise wrong_call("moveaxis", locals())
    return view("moveaxis", x, (source, destination))


def permute_dims(x: Tensor, /, axes: tuple[int, ...], *more: Never, **other: Never) -> Tensor:
    """Permute the axes.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    axes : tuple of int
        Permutation of the axes of `x`; negative values count from the last axis.

    Returns
    -------
    Tensor
        View with the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If `axes` is not a permutation of the axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.permute_dims(xp.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    if more or other:
        raise wrong_call("permute_dims", locals())
    return view("permute_dims", x, (axes,))


@in_own_name("repeat")
def repeat(
    x: Tensor, repeats: int | Tensor, /, *more: Never, axis: int | None = None, **other: Never
) -> Tensor:
    """Repeat each element.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    repeats : int or Tensor
        Number of repetitions: an int for all elements, or a one-dimensional integer tensor with a
        number for each element along `axis`.
    axis : int, optional
        Axis to repeat along. None flattens `x` first.

    Returns
    -------
    Tensor
        Copy with the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or `repeats` is neither an int nor a tensor of integers.
    ValueError
        If a number is negative, the length of `repeats` does not fit, or the axis does not exist.
    DeviceMismatchError
        If the tensors are on different devices.

    Notes
    -----
    If `repeats` is a tensor, the shape depends on its values, so the host waits for a GPU.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.repeat(xp.asarray([1, 2]), 2)
    Tensor([1, 1, 2, 2], dtype=int64)
    >>> xp.repeat(xp.asarray([1, 2]), xp.asarray([0, 3]))
    Tensor([2, 2, 2], dtype=int64)
    """
    if more or other:
        raise wrong_call("repeat", locals())
    check_tensor("repeat", x)
    if isinstance(repeats, float) or (isinstance(repeats, Tensor) and repeats.dtype.kind in "fc"):
        got = describe(repeats)
        raise TypeError(f"repeat: repeats must be an int or a tensor of ints; got {got}")
    return apply("repeat", (x, repeats), (), {"axis": axis})


def reshape(
    x: Tensor, /, shape: tuple[int, ...], *more: Never, copy: bool | None = None, **other: Never
) -> Tensor:
    """Change the shape; the elements keep their order.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    shape : tuple of int
        New shape with the same number of elements. One size may be -1 and is inferred.
    copy : bool, optional
        True always copies. False never copies and raises if a copy is needed. None copies only if
        needed.

    Returns
    -------
    Tensor
        Has the dtype of `x`. It is a view if the memory layout permits and `copy` is not True.

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
    if more or other:
        raise wrong_call("reshape", locals())
    return view("reshape", x, (shape,), {"copy": copy})


def roll(
    x: Tensor, /, shift: int | tuple[int, ...], *more: Never, axis: Axis = None, **other: Never
) -> Tensor:
    """Shift the elements along axes; those shifted past the end reappear at the start.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    shift : int or tuple of int
        Number of positions to shift; negative values shift backwards. A tuple has a number for each
        axis.
    axis : int or tuple of int, optional
        Axes to shift along; a single `shift` applies to all of them. None flattens the tensor,
        shifts it and restores the shape.

    Returns
    -------
    Tensor
        Copy with the shape and dtype of `x`.

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
    if more or other:
        raise wrong_call("roll", locals())
    if any(isinstance(n, float) for n in (shift if isinstance(shift, tuple) else (shift,))):
        raise TypeError(f"roll: shift must be an int or a tuple of ints; got {shift}")
    return call("roll", x, (shift,), {"axis": axis})


def squeeze(x: Tensor, /, axis: int | tuple[int, ...], *more: Never, **other: Never) -> Tensor:
    """Remove axes of size 1.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    axis : int or tuple of int
        Axes to remove; negative values count from the last axis.

    Returns
    -------
    Tensor
        View with the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor.
    ValueError
        If an axis does not have size 1, does not exist or is given twice.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.squeeze(xp.ones((1, 3, 1)), axis=(0, 2)).shape
    (3,)
    """
    if more or other:
        raise wrong_call("squeeze", locals())
    return view("squeeze", x, (axis,))


def stack(arrays: Sequence[Tensor], /, *more: Never, axis: int = 0, **other: Never) -> Tensor:
    """Join tensors along a new axis.

    Parameters
    ----------
    arrays : list or tuple of Tensor
        Tensors of the same shape.
    axis : int, optional
        Position of the new axis in the result; negative values count from the last axis.

    Returns
    -------
    Tensor
        New tensor of the promoted dtype.

    Raises
    ------
    TypeError
        If `arrays` is empty or an element is not a tensor.
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
    if more or other:
        raise wrong_call("stack", locals())
    return sequence("stack", arrays, axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /, *more: Never, **other: Never) -> Tensor:
    """Repeat the whole tensor along each axis.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    repetitions : tuple of int
        Number of repetitions along each axis. The shorter of `repetitions` and the shape is padded
        with ones in front.

    Returns
    -------
    Tensor
        Copy with the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, or a number is not an int.
    ValueError
        If a number is negative.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.tile(xp.asarray([1, 2]), (2, 2))
    Tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]], dtype=int64)
    """
    if more or other:
        raise wrong_call("tile", locals())
    return call("tile", x, (repetitions,))


@in_own_name("transpose")
def transpose(
    x: Tensor, /, axes: tuple[int, ...] | None = None, *more: Never, **other: Never
) -> Tensor:
    """Permute the axes; NumPy's name, which xarray expects.

    Not in the standard, which has `permute_dims`.

    Parameters
    ----------
    x : Tensor
        Input of any shape and dtype.
    axes : tuple of int, optional
        Permutation of the axes of `x`; by default their order is reversed.

    Returns
    -------
    Tensor
        View with the dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is not a tensor, and in strict mode.
    ValueError
        If `axes` is not a permutation of the axes.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.transpose(xp.ones((2, 3, 4))).shape
    (4, 3, 2)
    """
    if more or other:
        raise wrong_call("transpose", locals())
    if is_strict():
        raise TypeError("transpose: outside the standard; write xp.permute_dims(x, axes)")
    if axes is None and isinstance(x, Tensor):
        axes = tuple(range(x.ndim))[::-1]
    return view("permute_dims", x, (axes,))


def unstack(x: Tensor, /, *more: Never, axis: int = 0, **other: Never) -> tuple[Tensor, ...]:
    """Split a tensor into views along an axis.

    Parameters
    ----------
    x : Tensor
        Tensor with at least one axis.
    axis : int, optional
        Axis to operate along.

    Returns
    -------
    tuple of Tensor
        Views with the dtype of `x`, one for each position along the axis.

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
    if more or other:
        raise wrong_call("unstack", locals())
    return view("unstack", x, (), {"axis": axis})
