"""Einstein summation, under NumPy's name, which xarray, Dask and opt_einsum expect.

It is not in the standard. It is written with the standard's functions, so it runs on every device
and is differentiable.
"""

from __future__ import annotations

import math
from typing import Never

from ._dispatch import check_tensor, common_device
from ._errors import describe
from ._hints import wrong_call
from ._linear_algebra import matmul
from ._manipulation import broadcast_to, moveaxis, permute_dims, reshape
from ._modes import is_strict
from ._statistical import sum as _sum
from ._typing import Tensor
from .linalg import diagonal


def einsum(subscripts: str, /, *operands: Tensor, **other: Never) -> Tensor:
    """Sum of products over named axes.

    Parameters
    ----------
    subscripts : str
        Letters for the axes of each operand, with operands separated by commas, then ``->`` and the
        axes of the result. Axes missing from the result are summed over. A repeated letter within
        an operand selects its diagonal. ``...`` stands for the unnamed axes. Without ``->``, the
        result has the letters that occur once, in alphabetical order.
    *operands : Tensor
        Tensors of numeric dtypes.

    Returns
    -------
    Tensor
        Has the dtype that the operands promote to.

    Raises
    ------
    TypeError
        If an operand is not a tensor, and in strict mode.
    ValueError
        If the subscripts do not fit the operands, or axes of one name differ in size (size 1
        broadcasts).

    Notes
    -----
    Operands are contracted in pairs from the left, each pair by `matmul`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xp.einsum("ij,kj->ik", x, x)
    Tensor([[ 5., 11.],
            [11., 25.]], dtype=float64)
    >>> xp.einsum("ii", x)
    Tensor(5., dtype=float64)
    """
    if other:
        raise wrong_call("einsum", {**locals(), "arrays": operands})
    if is_strict():
        raise TypeError("einsum: outside the standard; write xp.tensordot or xp.matmul")
    for x in operands:
        check_tensor("einsum", x)
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts must be a string; got {describe(subscripts)}")
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    spelled = inputs.split(",")
    if len(spelled) != len(operands):
        raise ValueError(
            f"einsum: {subscripts!r} names {len(spelled)} operands; got {len(operands)}"
        )
    common_device("einsum", operands)
    terms = [_diagonal(x, _axes(term, x.ndim)) for term, x in zip(spelled, operands, strict=True)]
    dots = max(sum(isinstance(a, int) for a in axes) for _, axes in terms)
    if not arrow:
        letters = sorted({a for a in inputs if a.isalpha() and inputs.count(a) == 1})
        output = "..." * bool(dots) + "".join(letters)
    wanted = _axes(output, len(output.replace("...", "")) + dots)
    # (Not `axes`, which a closure below refers to: Python 3.13.0 to 3.13.2 crash if a debugger
    # reads the variables while a comprehension binds such a name, gh-128396 of CPython.)
    known = {a for _, named in terms for a in named}
    if len(set(wanted)) != len(wanted) or not known.issuperset(wanted):
        raise ValueError(
            f"einsum: the result of {subscripts!r} must name each axis once, "
            "and only axes of the operands"
        )
    terms = _alike(subscripts, terms)
    x, axes = terms[0]
    for i, (y, others) in enumerate(terms[1:], 2):
        later = {a for _, rest in terms[i:] for a in rest}
        x, axes = _product(x, axes, y, others, later.union(wanted))
    x, axes = _summed(x, axes, set(wanted))
    return permute_dims(x, tuple(axes.index(a) for a in wanted))


#: Name of an axis: a letter, or a negative number for the axes of an ellipsis.
_Axis = str | int


def _axes(term: str, ndim: int) -> list[_Axis]:
    before, dots, after = term.partition("...")
    more = ndim - len(before) - len(after)
    if not (before + after).isalpha() and before + after:
        raise ValueError(f"einsum: axes must be letters or an ellipsis; got {term!r}")
    if more < 0 or (more and not dots):
        raise ValueError(f"einsum: {term!r} does not name {ndim} axes")
    return [*before, *range(-more, 0), *after]  # axes of ellipses are aligned at the right


def _diagonal(x: Tensor, axes: list[_Axis]) -> tuple[Tensor, list[_Axis]]:
    """Operand and names with repeated names replaced by a diagonal."""
    for a in dict.fromkeys(axes):
        while axes.count(a) > 1:
            i = axes.index(a)
            j = axes.index(a, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ValueError(f"einsum: axis {a!r} has the sizes {x.shape[i]} and {x.shape[j]}")
            x = diagonal(moveaxis(x, (i, j), (-2, -1)))
            axes = [b for k, b in enumerate(axes) if k not in (i, j)] + [a]
    return x, axes


def _alike(
    subscripts: str, terms: list[tuple[Tensor, list[_Axis]]]
) -> list[tuple[Tensor, list[_Axis]]]:
    """Check that each name has one size; products of joined axes would not detect a mismatch."""
    sizes: dict[_Axis, int] = {}
    for x, axes in terms:
        for a, n in zip(axes, x.shape, strict=True):
            known = sizes.get(a, 1)
            if 1 not in (known, n) and known != n:
                name = f"axis {a!r}" if isinstance(a, str) else "an axis of the ellipsis"
                raise ValueError(f"einsum: {name} of {subscripts!r} has the sizes {known} and {n}")
            sizes[a] = n if known == 1 else known
    shapes = [tuple(sizes[a] for a in axes) for _, axes in terms]
    return [
        (x if x.shape == shape else broadcast_to(x, shape), axes)
        for (x, axes), shape in zip(terms, shapes, strict=True)
    ]


def _summed(x: Tensor, axes: list[_Axis], keep: set[_Axis]) -> tuple[Tensor, list[_Axis]]:
    """Sum over all axes except those to keep."""
    gone = tuple(i for i, a in enumerate(axes) if a not in keep)
    if gone:
        x = _sum(x, axis=gone, dtype=x.dtype)
    return x, [a for a in axes if a in keep]


def _product(
    x: Tensor, a: list[_Axis], y: Tensor, b: list[_Axis], keep: set[_Axis]
) -> tuple[Tensor, list[_Axis]]:
    """Product of two terms, summed over the shared axes that are no longer needed."""
    x, a = _summed(x, a, keep.union(b))
    y, b = _summed(y, b, keep.union(a))
    batch = [n for n in a if n in b and n in keep]
    inner = [n for n in a if n in b and n not in keep]
    left, right = [n for n in a if n not in b], [n for n in b if n not in a]
    sizes = [x.shape[a.index(n)] for n in left] + [y.shape[b.index(n)] for n in right]
    x, y = _matrices(x, a, batch, left, inner), _matrices(y, b, batch, inner, right)
    z = matmul(x, y) if inner else x * y
    return reshape(z, (*z.shape[:-2], *sizes)), [*batch, *left, *right]


def _matrices(x: Tensor, axes: list[_Axis], *groups: list[_Axis]) -> Tensor:
    """Reshape to stacks of matrices: keep the first group of axes, join each of the others."""
    batch, rows, columns = ([axes.index(n) for n in group] for group in groups)
    shape = [x.shape[i] for i in batch]
    shape += [math.prod(x.shape[i] for i in group) for group in (rows, columns)]
    return reshape(permute_dims(x, (*batch, *rows, *columns)), tuple(shape))
