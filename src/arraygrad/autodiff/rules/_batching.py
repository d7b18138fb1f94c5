"""Rules of batches: how an operation on one example is performed on all of them at once.

A rule takes a `Call`: the operands one level lower, with the hidden axis first, and the parameters
for one example. It returns the results with the hidden axis first, or NotImplemented for a loop
over the examples. Rules are written in the public namespace or perform operations by name, so
that derivatives and outer batches see what they do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

from ..._creation import arange, asarray
from ..._data_type import astype
from ..._dispatch import apply, as_floating, binary, inplace, reduction, unary, view
from ..._elementwise import floor
from ..._errors import UnbatchableError
from ..._keys import getitem, scatter, setitem
from ..._linear_algebra import matmul, matrix_transpose
from ..._manipulation import broadcast_shapes, concat, moveaxis, permute_dims, reshape, tile
from ..._searching import where
from ..._sorting import argsort
from ..._statistical import cumulative_sum
from ..._tensor import Tensor
from ..._utility import any as _any
from .._batching import (
    BatchedIndex,
    Call,
    Unbatched,
    expanded,
    key_of_example,
    moved,
    repeated,
)
from .._rules import BATCHING, RULES
from .._views import put, tie
from . import _elementwise as _elementwise  # of elementwise rules, all become rules here
from . import special as special

Rule = Callable[[Call], Any]


def batch(names: str, rule: Rule) -> None:
    """Give operations a rule."""
    for name in names.split():
        BATCHING[name] = rule


# ---- elementwise


def elementwise(c: Call) -> Any:
    """Operations on elements: axes of size 1 in front let the examples broadcast."""
    operands = c.operands
    if len(operands) == 1:
        return c.perform()
    if len(operands) == 2 and not (c.args or c.kwargs):
        x, y = operands
        if c.ndim(0) != c.ndim(1):
            x, y = c.aligned()
        return binary(c.name, x, y)
    return c.perform(c.aligned())


batch(" ".join(name for name, rule in RULES.items() if rule.elementwise), elementwise)
batch(
    """add subtract positive negative conj real imag ceil floor floor_divide round trunc isfinite
    isinf isnan signbit equal not_equal less less_equal greater greater_equal logical_and
    logical_not logical_or logical_xor bitwise_and bitwise_invert bitwise_left_shift bitwise_or
    bitwise_right_shift bitwise_xor nextafter where settle settle_weight copy astype to_device
    special.gammasgn special.zetac nn.binary nn.exp_of_negative nn.sigmoid nn.silu""",
    elementwise,
)


def _multiply(c: Call) -> Any:
    """`elementwise`, and columns by rows."""
    x, y = c.operands if c.ndim(0) == c.ndim(1) else c.aligned()
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        m, n = x._data.shape[-2:], y._data.shape[-2:]
        if m[1:] == n[:-1] == (1,):
            return outer_products(c.name, x, y)
        if m[:-1] == n[1:] == (1,):
            return outer_products(c.name, y, x)
    return binary("multiply", x, y)


def outer_products(name: str, x: Any, y: Any) -> Any:
    """Products of columns and rows, for which `matmul` takes longer; it adds them to 0."""
    name += ".batch"
    if x._trace is None and y._trace is None and name in x._device.ops:
        return apply(name, (x, y))
    return binary("multiply", x, y)


batch("multiply", _multiply)


def _scale(c: Call) -> Any:
    """`elementwise`, where the second operand has the shape of the result."""
    if not c.batched[1]:
        c.operands[1], c.batched[1] = c.full(1), True
    return c.perform(c.aligned())


batch("nn.scale", _scale)


def _tie(c: Call) -> Any:
    x = tie(*c.operands)
    return x if c.batched[0] else Unbatched(x)


batch("tie", _tie)

# ---- along axes


def _vectors(c: Call) -> Any:
    """The first operand, with one axis at least for each example."""
    x = c.operands[0]
    return x if c.ndim() else reshape(x, (c.size, 1))


def reduce(c: Call) -> Any:
    """Reductions over an axis, several, or None for all."""
    if not c.ndim():
        if c.kwargs["axis"] is not None:
            c.check()
        return c.perform([_vectors(c)], (), c.kwargs | {"axis": 1, "keepdims": False})
    axis = c.axes(c.kwargs["axis"])
    if len(c.kwargs) == 2:
        return reduction(c.name, c.operands[0], axis, c.kwargs["keepdims"])
    return c.perform(kwargs=c.kwargs | {"axis": axis})


batch("sum mean prod max min all any count_nonzero std var linalg.vector_norm", reduce)


def _reduce_one(c: Call) -> Any:
    """Reductions over one axis, or None for all elements as one."""
    x, axis, n = _vectors(c), c.kwargs["axis"], c.ndim()
    if not n and axis is not None:
        c.check()
    if not n or axis is None:
        x = reshape(x, (c.size, math.prod(c.shape())))
        found = c.perform([x], kwargs=c.kwargs | {"axis": 1, "keepdims": False})
        return reshape(found, (c.size, *(1,) * n)) if c.kwargs["keepdims"] else found
    return c.perform(kwargs=c.kwargs | {"axis": c.axis(axis)})


batch("argmax argmin", _reduce_one)


def _cumulate(c: Call) -> Any:
    axis = c.kwargs["axis"]
    if (axis is None and c.ndim() > 1) or (axis is not None and not c.ndim()):
        c.check()  # raises
    axis = 1 if axis is None or not c.ndim() else c.axis(axis)
    return c.perform([_vectors(c)], kwargs=c.kwargs | {"axis": axis})


batch("cumulative_sum cumulative_prod", _cumulate)


def along_axis(c: Call) -> Any:
    """Operations along the axis of a parameter, which keep the number of axes."""
    return c.perform(kwargs=c.kwargs | {"axis": c.axis(c.kwargs["axis"])})


def along_axes(c: Call) -> Any:
    """Operations along the axes of a parameter, or None for all."""
    if not c.ndim():
        c.check()
    word = "axes" if "axes" in c.kwargs else "axis"
    return c.perform(kwargs=c.kwargs | {word: c.axes(c.kwargs[word])})


batch("sort argsort scipy.ndimage.spline_filter1d", along_axis)
batch("flip fft.fftshift fft.ifftshift nn.centre", along_axes)
batch("fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft", along_axis)


def _fftn(c: Call) -> Any:
    s, axes = c.kwargs["s"], c.kwargs["axes"]
    if axes is None and s is not None:
        axes = tuple(range(-len(s), 0))
    return c.perform(kwargs=c.kwargs | {"axes": c.axes(axes)})


batch("fft.fftn fft.ifftn fft.rfftn fft.irfftn", _fftn)


def _softmax(c: Call) -> Any:
    if not c.ndim():
        if c.name.startswith("nn."):
            c.check()
        return reshape(c.perform([_vectors(c)], kwargs={"axis": 1}), (c.size,))
    return along_axes(c)


batch("special.softmax special.log_softmax nn.softmax nn.log_softmax", _softmax)


def _logsumexp(c: Call) -> Any:
    n = max(map(c.ndim, range(len(c.operands))))
    kwargs = c.kwargs | {"axis": c.axes(c.kwargs["axis"] if n else None, n)}
    operands = [
        expanded(c.full(i), max(n, 1)) if isinstance(x, Tensor) else x
        for i, x in enumerate(c.operands)
    ]
    if not n:
        return c.perform(operands, kwargs=kwargs | {"axis": 1, "keepdims": False})
    return c.perform(operands, kwargs=kwargs)


batch("special.logsumexp special.logsumexp_weighted", _logsumexp)


def _diff(c: Call) -> Any:
    kwargs = dict(c.kwargs)
    axis = kwargs["axis"] = c.axis(kwargs["axis"])
    for word in ("prepend", "append"):
        x = kwargs.get(word)
        if isinstance(x, Tensor):
            kwargs[word] = x if word in c.words else repeated(x, c.size)
    x = c.operands[0] if c.batched[0] else c.full()
    parts = [p for p in (kwargs.pop("prepend", None), x, kwargs.pop("append", None))
             if p is not None]  # fmt: skip
    if len(parts) > 1:
        x = concat(parts, axis=axis)
    return c.perform([x], kwargs=kwargs)


batch("diff", _diff)


def _two_along_axis(c: Call) -> Any:
    """Operations on two operands along an axis, whose other axes broadcast."""
    m, n = c.ndim(0), c.ndim(1)
    axis = c.kwargs["axis"]
    if c.name != "nn.parts":
        of_each = c.axis(axis, m), c.axis(axis, n)
        if axis >= 0 and m != n:  # it counts from the first axis of each operand
            for i, (at, flag) in enumerate(zip(of_each, c.batched, strict=True)):
                c.operands[i] = moved(c.operands[i], at - 1 + flag, -1)
            out = c.perform(c.aligned(), kwargs={"axis": -1})
            return out if c.name == "vecdot" else moved(out, -1, axis + 1)
    n = max(m, n)
    return c.perform(c.aligned(n), kwargs=c.kwargs | {"axis": axis - n if axis >= 0 else axis})


batch("vecdot linalg.cross nn.parts", _two_along_axis)

# ---- shapes


def _reshape(c: Call) -> Any:
    (shape,) = c.args
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in shape:
        known = math.prod([n for n in shape if n != -1])
        if shape.count(-1) > 1 or not known or math.prod(c.shape()) % known:
            c.example(0)  # raises, unless there are no elements
        missing = math.prod(c.shape()) // known if known else 0
        shape = tuple([missing if n == -1 else n for n in shape])
    if math.prod(shape) != math.prod(c.shape()):
        c.example(0)
    return view("reshape", c.operands[0], ((c.size, *shape),), c.kwargs)


def _permute(c: Call) -> Any:
    axes = tuple(c.args[0])
    if len(axes) != c.ndim():
        c.example(0)
    return view("permute_dims", c.operands[0], ((0, *c.axes(axes)),))


def _transpose(c: Call) -> Any:
    return view("permute_dims", c.operands[0], ((0, *range(c.ndim(), 0, -1)),))


def _move(c: Call) -> Any:
    source, destination = c.args
    return view("moveaxis", c.operands[0], (c.axes(source), c.axes(destination)))


def _expand(c: Call) -> Any:
    (axes,) = c.args
    several = isinstance(axes, (tuple, list))
    n = c.ndim() + (len(axes) if several else 1)
    return view("expand_dims", c.operands[0], (c.axes(axes, n),))


def _squeeze(c: Call) -> Any:
    return view("squeeze", c.operands[0], (c.axes(c.args[0]),))


def _broadcast(c: Call) -> Any:
    shape = tuple(c.args[0])
    if broadcast_shapes(c.shape(), shape) != shape:
        c.example(0)
    x = expanded(c.operands[0], len(shape))
    return view("broadcast_to", x, ((c.size, *shape),))


def _roll(c: Call) -> Any:
    axis = c.kwargs["axis"]
    if axis is None:
        x = reshape(c.operands[0], (c.size, math.prod(c.shape())))
        return reshape(c.perform([x], kwargs={"axis": 1}), (c.size, *c.shape()))
    return along_axes(c)


def _tile(c: Call) -> Any:
    repetitions = tuple(c.args[0])
    n = max(len(repetitions), c.ndim())
    return tile(expanded(c.operands[0], n), (*(1,) * (1 + n - len(repetitions)), *repetitions))


def _repeat(c: Call) -> Any:
    if c.batched[1]:
        raise UnbatchableError(
            "repeat: inside of vmap the result would have another shape for each example; repeats "
            "must be the same for all"
        )
    x, repeats = c.operands
    axis = c.kwargs["axis"]
    if axis is None or not c.ndim():
        x, axis = reshape(x, (c.size, math.prod(c.shape()))), 0
        return c.perform([x, repeats], kwargs={"axis": 1})
    return c.perform(kwargs={"axis": c.axis(axis)})


def _unstack(c: Call) -> Any:
    return view("unstack", c.operands[0], (), {"axis": c.axis(c.kwargs.get("axis", 0))})


def _concat(c: Call) -> Any:
    axis = c.kwargs["axis"]
    parts = [c.full(i) for i in range(len(c.operands))]
    if axis is None:
        return concat([reshape(x, (c.size, math.prod(x.shape[1:]))) for x in parts], axis=1)
    return apply("concat", tuple(parts), (), {"axis": c.axis(axis)})


def _stack(c: Call) -> Any:
    parts = [c.full(i) for i in range(len(c.operands))]
    return apply("stack", tuple(parts), (), {"axis": c.axis(c.kwargs["axis"], c.ndim() + 1)})


def _meshgrid(c: Call) -> Any:
    shape = [math.prod(c.shape(i)) for i in range(len(c.operands))]
    order = list(range(len(shape)))
    if c.kwargs["indexing"] == "xy" and len(shape) > 1:
        order[:2] = [1, 0]
    shape = [shape[i] for i in order]
    found = []
    for i in range(len(c.operands)):
        sizes = [n if order[k] == i else 1 for k, n in enumerate(shape)]
        x = reshape(c.full(i), (c.size, *sizes))
        found.append(unary("copy", view("broadcast_to", x, ((c.size, *shape),))))
    return found


def on_matrices(c: Call) -> Any:
    """Operations on the last two axes of the first operand, which may be a stack."""
    c.explain(2)
    return c.perform()


batch("reshape", _reshape)
batch("permute_dims", _permute)
batch("T", _transpose)
batch("moveaxis", _move)
batch("expand_dims", _expand)
batch("squeeze", _squeeze)
batch("broadcast_to", _broadcast)
batch("roll", _roll)
batch("tile", _tile)
batch("repeat", _repeat)
batch("unstack", _unstack)
batch("concat", _concat)
batch("stack", _stack)
batch("meshgrid", _meshgrid)
batch(
    """matrix_transpose tril triu linalg.det linalg.diagonal linalg.eig linalg.eigh
    linalg.eigvals linalg.eigvalsh linalg.inv linalg.matrix_norm linalg.matrix_power linalg.qr
    linalg.slogdet linalg.svd linalg.svdvals linalg.trace scipy.linalg.coshm scipy.linalg.cosm
    scipy.linalg.expm scipy.linalg.logm scipy.linalg.sinhm scipy.linalg.sinm scipy.linalg.sqrtm
    scipy.linalg.tanhm scipy.linalg.tanm""",
    on_matrices,
)


def _cholesky(c: Call) -> Any:
    x = c.operands[0]
    c.explain(2)
    if x._trace is None and "linalg.cholesky.batch" in x._device.ops:
        return apply("linalg.cholesky.batch", (x,), (), c.kwargs)
    return c.perform()


batch("linalg.cholesky", _cholesky)


def _view(c: Call) -> Any:
    if not c.ndim():  # of the same size
        return view("view", _vectors(c), c.args)[:, 0]
    return view("view", c.operands[0], c.args)


batch("view", _view)

# ---- products


def _product(x: Any, y: Any, of: tuple[int, int], batched: tuple[bool, bool]) -> Any:
    """Matrix product of a batch; `of` are the numbers of axes of an example of each operand."""
    (m, n), (first, second) = of, batched
    if not second and n <= 2 and (m == 1 or n == 1):
        return binary("matmul", x, y)  # all examples are rows of one matrix
    if not first and m == 2 and n == 1:
        return binary("matmul", y, matrix_transpose(x))
    if not second and n == 2 and m == 2:  # one product for all rows
        rows = reshape(x, (x.shape[0] * x.shape[1], x.shape[2]))
        return reshape(binary("matmul", rows, y), (*x.shape[:2], y.shape[1]))
    if m == 1:
        x = view("expand_dims", x, (-2,))
    if n == 1:
        y = view("expand_dims", y, (-1,))
    k = max(m, n, 2)
    x, y = expanded(x, k) if first else x, expanded(y, k) if second else y
    if x._data.shape[-1] == y._data.shape[-2] == 1:
        out = outer_products("matmul", x, y)
    else:
        out = binary("matmul", x, y)
    if m == 1 and n == 1:
        return reshape(out, (out.shape[0],))
    return view("squeeze", out, (-2 if m == 1 else -1,)) if m == 1 or n == 1 else out


def _matmul(c: Call) -> Any:
    m, n = c.ndim(0), c.ndim(1)
    if not (m and n) or c.shape(0)[-1] != c.shape(1)[0 if n == 1 else -2]:
        c.example(0)  # raises
    x, y = c.operands
    return _product(x, y, (m, n), (c.batched[0], c.batched[1]))


batch("matmul", _matmul)


def _linear(c: Call) -> Any:
    x, weight = c.operands
    c.explain(1)
    if not c.batched[1]:
        return c.perform()
    n = c.ndim(0)
    return _product(x, matrix_transpose(weight), (n, 2), (c.batched[0], True))


batch("nn.linear", _linear)


def _tensordot(c: Call) -> Any:
    x, y = c.operands
    m, n = c.ndim(0), c.ndim(1)
    axes = c.kwargs["axes"]
    if isinstance(axes, int):
        if not 0 <= axes <= min(m, n):
            c.example(0)
        first, second = list(range(m - axes, m)), list(range(axes))
    else:
        first, second = [[a] if isinstance(a, int) else list(a) for a in axes]
    first, second = [c.axis(a, m) - 1 for a in first], [c.axis(a, n) - 1 for a in second]
    if [c.shape(0)[a] for a in first] != [c.shape(1)[a] for a in second]:
        c.example(0)
    free1 = [a for a in range(m) if a not in first]
    free2 = [a for a in range(n) if a not in second]
    if not c.batched[1]:
        return c.perform(kwargs={"axes": ([a + 1 for a in first], second)})
    if not c.batched[0]:
        out = c.perform(kwargs={"axes": (first, [a + 1 for a in second])})
        return moved(out, len(free1), 0)
    x = permute_dims(x, (0, *[a + 1 for a in (*free1, *first)]))
    y = permute_dims(y, (0, *[a + 1 for a in (*second, *free2)]))
    rows, columns = [c.shape(0)[a] for a in free1], [c.shape(1)[a] for a in free2]
    inner = math.prod([c.shape(0)[a] for a in first])
    x = reshape(x, (c.size, math.prod(rows), inner))
    y = reshape(y, (c.size, inner, math.prod(columns)))
    return reshape(matmul(x, y), (c.size, *rows, *columns))


batch("tensordot", _tensordot)


def _outer(c: Call) -> Any:
    if c.ndim(0) != 1 or c.ndim(1) != 1:
        c.example(0)
    x, y = c.operands
    return outer_products("multiply", view("expand_dims", x, (-1,)), view("expand_dims", y, (-2,)))


batch("linalg.outer", _outer)


def solve(c: Call) -> Any:
    """Systems of equations, whose right-hand side is a vector or a stack of matrices."""
    a, b = c.operands
    c.explain(2)
    vector = c.ndim(1) == 1
    if not c.batched[0] and c.ndim(0) == 2 and c.ndim(1) in (1, 2):
        # All right-hand sides of one matrix.
        if vector:
            return matrix_transpose(c.perform([a, matrix_transpose(b)]))
        n, k = c.shape(1)
        flat = reshape(moveaxis(b, 0, 1), (n, c.size * k))
        return moveaxis(reshape(c.perform([a, flat]), (n, c.size, k)), 1, 0)
    if vector:
        b = view("expand_dims", b, (-1,))
    n = max(c.ndim(0), c.ndim(1) + vector)
    a = expanded(a, n) if c.batched[0] else a
    b = expanded(b, n) if c.batched[1] else b
    out = c.perform([a, b])
    return view("squeeze", out, (-1,)) if vector else out


batch("linalg.solve", solve)


def _by_triangles(c: Call) -> Any:
    """`solve`, where the backend may solve many small systems at once."""
    if not c.size:  # which SciPy does not take
        return c.full(1)
    c.kwargs = c.kwargs | {"substitute": True}
    if c.batched[0]:
        c.operands[1], c.batched[1] = c.full(1), True
    return solve(c)


batch("scipy.linalg.cho_solve scipy.linalg.solve_triangular", _by_triangles)


def _solve_banded(c: Call) -> Any:
    """One matrix has more right-hand sides; several are the blocks of a large one."""
    ab, b = c.operands
    n, k = c.shape(1)
    if c.batched[0]:
        rows = c.shape(0)[0]
        places = arange(rows, device=b.device)[:, None] - c.kwargs["upper"]
        places = places + arange(n, device=b.device)
        ab = where((places >= 0) & (places < n), ab, 0.0)  # (these are in other blocks)
        ab = reshape(moveaxis(ab, 0, 1), (rows, c.size * n))
        return reshape(c.perform([ab, reshape(c.full(1), (c.size * n, k))]), (c.size, n, k))
    flat = reshape(moveaxis(b, 0, 1), (n, c.size * k))
    return moveaxis(reshape(c.perform([ab, flat]), (n, c.size, k)), 1, 0)


batch("scipy.linalg.solve_banded", _solve_banded)


def _rank(c: Call) -> Any:
    c.explain(2)
    rtol = c.kwargs.get("rtol")
    flag = "rtol" in c.words
    if not isinstance(rtol, Tensor):
        return c.perform([c.full()])
    stack, axes = c.ndim() - 2, rtol._data.ndim - flag
    if axes > stack and c.name == "linalg.pinv":
        c.check()  # raises
    n = max(stack, axes)
    x = expanded(c.full(), n + 2)
    return c.perform([x], kwargs={"rtol": expanded(rtol, n) if flag else rtol})


batch("linalg.matrix_rank linalg.pinv", _rank)

# ---- searching


def _searchsorted(c: Call) -> Any:
    x, v = c.operands
    side, sorter = c.kwargs["side"], c.kwargs["sorter"]
    if not c.batched[0] and "sorter" not in c.words:
        return c.perform()
    if c.ndim(0) != 1:
        c.example(0)
    n, shape = c.shape(0)[0], c.shape(1)
    x = c.full(0)
    if not isinstance(v, Tensor):
        c.operands[1] = asarray(v, device=x.device)
    if sorter is not None:
        sorter = sorter if "sorter" in c.words else repeated(sorter, c.size)
        x = apply("take_along_axis", (x, sorter), (), {"axis": 1})
    v = reshape(c.full(1), (c.size, math.prod(shape)))
    # Sorted together, the place of a value is the number of elements before it. Of equal ones,
    # those that come first in `both` do so in the order.
    both = concat([v, x] if side == "left" else [x, v], axis=1)
    order = argsort(both, axis=1)
    start = 0 if side == "left" else n
    is_value = (order >= start) & (order < start + v.shape[1])
    before = cumulative_sum(astype(~is_value, order.dtype), axis=1)
    places = argsort(order, axis=1)[:, start : start + v.shape[1]]
    found = apply("take_along_axis", (before, places), (), {"axis": 1})
    return reshape(found, (c.size, *shape))


batch("searchsorted", _searchsorted)


def _isin(c: Call) -> Any:
    x, y = c.operands
    if not c.batched[1]:
        return c.perform()
    n = c.ndim(0)
    x = x if isinstance(x, Tensor) else asarray(x, device=y.device)
    x = reshape(x, (c.size if c.batched[0] else 1, *c.shape(0), 1))
    y = reshape(y, (c.size, *(1,) * n, math.prod(c.shape(1))))
    found = _any(x == y, axis=-1)
    return ~found if c.kwargs["invert"] else found


batch("isin", _isin)


def _linspace(c: Call) -> Any:
    (num,) = c.args
    dtype, endpoint = c.kwargs["dtype"], c.kwargs["endpoint"]
    if max(c.ndim(0), c.ndim(1)):
        c.example(0)
    start, stop = [
        view("expand_dims", x, (-1,)) if flag else x
        for x, flag in zip(map(as_floating, c.operands), c.batched, strict=True)
    ]
    device = next(x.device for x in c.operands if isinstance(x, Tensor))
    steps = num - 1 if endpoint else num
    places = arange(num, dtype="float64" if dtype is None else None, device=device)
    like = start + stop
    places = astype(places, like.dtype if like.dtype.kind in "fc" else "float64")
    if steps > 0:
        out = places * ((stop - start) / steps) + start
        if endpoint and num > 1:
            out = where(places == num - 1, astype(stop, out.dtype) if isinstance(stop, Tensor)
                        else stop, out)  # fmt: skip
    else:
        out = places * (stop - start) + start
    if dtype is None:
        return out
    return astype(floor(out) if dtype.kind in "iu" else out, dtype)


batch("linspace", _linspace)


def _refuse(remedy: str) -> Rule:
    def rule(c: Call) -> Any:
        raise UnbatchableError(
            f"{c.name}: inside of vmap the result would have another shape for each example; "
            f"{remedy}"
        )

    return rule


batch("nonzero", _refuse("write xp.where(mask, x, 0) to keep the shape"))
batch(
    "unique_all unique_counts unique_inverse unique_values",
    _refuse("write xp.sort(x) to keep the shape, or call it outside"),
)

# ---- indexing


class Index:
    """An index of one example, taken apart: first slices, then index tensors.

    Attributes
    ----------
    basic : list
        Slices and None; whole axes in the places of index tensors.
    tensors : list
        Index tensors and the integers beside them.
    axes : list of int
        The axes, of what `basic` selects, that `tensors` index.
    batched : bool
        Whether any of the tensors is.
    place : int
        Where in the result their axes are.
    count : int
        How many these are.
    ndim : int
        The number of axes of the result.
    """

    def __init__(self, key: Any, x: Any, ndim: int, shape: Any = None) -> None:
        entries: list[Any] = []
        masks = []  # places in `entries`, and shapes
        for k in key if isinstance(key, tuple) else (key,):
            found = _entries(k, x)
            if _is_mask(k):
                masks.append((len(entries), asarray(k, device=x._device).shape))
            entries += found
        used = sum(1 for k in entries if k is not None and k is not Ellipsis)
        if Ellipsis not in [k for k in entries if k is None or k is Ellipsis]:
            entries.append(Ellipsis)
        at = next(i for i, k in enumerate(entries) if k is Ellipsis)
        entries[at : at + 1] = [slice(None)] * (ndim - used)
        self.fits = used <= ndim
        if shape is not None and self.fits:
            for i, sizes in masks:
                i += ndim - used - 1 if i > at else 0
                i -= sum(k is None for k in entries[:i])
                _check_mask(sizes, shape[i : i + len(sizes)])
        several = any(isinstance(k, (Tensor, BatchedIndex)) for k in entries)
        self.basic: list[Any] = []
        self.tensors: list[Any] = []
        self.axes: list[int] = []
        places = []
        axis = 0
        for i, k in enumerate(entries):
            if isinstance(k, (Tensor, BatchedIndex)) or (several and isinstance(k, int)):
                self.basic.append(slice(None))
                self.tensors.append(k)
                self.axes.append(axis)
                places.append(i)
                axis += 1
            else:
                self.basic.append(k)
                axis += not isinstance(k, int)
        self.batched = any(isinstance(k, BatchedIndex) for k in self.tensors)
        rest = axis - len(self.axes)
        self.count = 0
        self.place = 0
        if self.tensors:
            shapes = [_shape(k) for k in self.tensors if not isinstance(k, int)]
            self.count = max(map(len, shapes))
            first, last = places[0], places[-1]
            if last - first + 1 == len(places):
                gone = sum(isinstance(k, int) for k in entries[:first])
                self.place = first - gone
        self.adjacent = bool(self.tensors) and places[-1] - places[0] + 1 == len(places)
        self.ndim = rest + self.count

    @property
    def is_simple(self) -> bool:
        """True if the index works on the batch with a slice in front."""
        return not self.batched and (not self.tensors or self.adjacent)

    def order(self) -> list[int]:
        """The axes that `basic` leaves: those that are indexed first."""
        n = sum(not isinstance(k, int) for k in self.basic)
        return [*self.axes, *(a for a in range(n) if a not in self.axes)]

    def selected(self, x: Any, batched: bool) -> Any:
        """A view with the indexed axes first, after the hidden one."""
        if not all(isinstance(k, slice) and k == slice(None) for k in self.basic):
            x = getitem(x, (*(slice(None),) * batched, *self.basic))
        order = self.order()
        if order == sorted(order):
            return x
        if batched:
            order = [0, *(a + 1 for a in order)]
        return view("permute_dims", x, (tuple(order),))

    def keys(self, size: int, batched: bool) -> tuple[Any, ...]:
        """The index of what `selected` gives."""
        if not self.batched:
            return (*(slice(None),) * batched, *self.tensors)
        keys = []
        for k in self.tensors:
            if isinstance(k, BatchedIndex):
                x = expanded(k.value, self.count)
                device = x._device
                keys.append(x)
            else:
                keys.append(k)
        if batched:
            numbers = arange(size, device=device)
            keys.insert(0, reshape(numbers, (size, *(1,) * self.count)))
        return tuple(keys)

    def to_place(self, x: Any) -> Any:
        """What `selected` and `keys` give, with the axes of the tensors where they belong."""
        return x if not self.place else permute_dims(x, self._moves())

    def from_place(self, x: Any) -> Any:
        """The inverse of `to_place`."""
        if not self.place:
            return x
        moves = self._moves()
        return permute_dims(x, tuple([moves.index(i) for i in range(len(moves))]))

    def _moves(self) -> tuple[int, ...]:
        m, p = self.count, self.place
        block, rest = range(1, m + 1), range(m + 1, self.ndim + 1)
        return (0, *rest[:p], *block, *rest[p:])


def _shape(k: Any) -> tuple[int, ...]:
    return k.value._data.shape[1:] if isinstance(k, BatchedIndex) else k._data.shape


def _entries(k: Any, x: Any) -> list[Any]:
    """An entry of an index: masks as positions, lists as tensors."""
    if k is None or k is Ellipsis or isinstance(k, slice):
        return [k]
    if isinstance(k, BatchedIndex):
        if k.value._data.dtype.kind == "b":
            raise UnbatchableError(
                "__getitem__: inside of vmap a mask selects other numbers of elements for each "
                "example; write xp.where(mask, x, 0) to keep the shape"
            )
        return [k]
    if isinstance(k, bool):
        raise _LoopError
    if isinstance(k, int):
        return [k]
    if not isinstance(k, Tensor):
        if not isinstance(k, (list, range)) and hasattr(k, "__index__") and not hasattr(k, "shape"):
            return [k.__index__()]
        k = asarray(list(k) if isinstance(k, range) else k, device=x._device)
        if not k._data.size and k._data.dtype.kind == "f":
            k = astype(k, x._device.backend.index_dtype)
    if k._data.dtype.kind == "b":
        if not k._data.ndim:
            raise _LoopError
        return list(unary("nonzero", k))
    return [k]


def _is_mask(k: Any) -> bool:
    """Return True for a mask, or a list of bools."""
    if isinstance(k, list):
        while isinstance(k, list) and k:
            k = k[0]
        return isinstance(k, bool)
    return isinstance(k, Tensor) and k._data.dtype.kind == "b"


def _check_mask(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        raise IndexError(f"a mask of shape {shape} is an index of axes {expected}")


class _LoopError(Exception):
    """An index that only a loop over the examples can take."""


def _getitem(c: Call) -> Any:
    (key,) = c.args
    x = c.operands[0]
    flag = c.batched[0]
    if flag and _is_basic(key):
        return getitem(x, (slice(None), *key) if type(key) is tuple else (slice(None), key))
    one = key[0] if type(key) is tuple and len(key) == 1 else key
    if isinstance(one, bool) or (
        isinstance(one, Tensor) and not one.ndim and one.dtype.kind == "b"
    ):
        # An axis of one element, or of none.
        x = getitem(c.full(), (slice(None), None))
        return unary("copy", getitem(x, (slice(None), slice(0, int(bool(one))))))
    try:
        index = Index(key, x, c.ndim(), c.shape())
    except _LoopError:
        return NotImplemented
    if not index.fits:
        return NotImplemented
    if flag and index.is_simple:
        return getitem(x, (slice(None), *key) if type(key) is tuple else (slice(None), key))
    out = getitem(index.selected(x, flag), index.keys(c.size, flag))
    return index.to_place(out)


def _is_basic(key: Any) -> bool:
    for k in key if type(key) is tuple else (key,):
        if not (k is None or k is Ellipsis or type(k) is int or type(k) is slice):
            return False
    return True


def _fitted(value: Any, is_batched: bool, ndim: int) -> Any:
    """A value to be written, whose examples have as many axes as what they are written to."""
    if not isinstance(value, Tensor):
        return value
    shape = value._data.shape[is_batched:]
    while len(shape) > ndim and shape[0] == 1:
        shape = shape[1:]
    if len(shape) > ndim:
        raise ValueError(
            f"__setitem__: a value of shape {shape} does not fit into a selection of {ndim} axes"
        )
    if not is_batched:
        return value if len(shape) == value._data.ndim else reshape(value, shape)
    if len(shape) + 1 != value._data.ndim:
        value = reshape(value, (value._data.shape[0], *shape))
    return expanded(value, ndim)


def _setitem(c: Call) -> Any:
    x, value = c.operands
    flag = c.batched[1]
    key = c.args[0]
    mask = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    if isinstance(mask, BatchedIndex) and mask.value._data.dtype.kind == "b":
        return _write_where(c, x, value, mask.value)
    try:
        index = Index(key, x, c.ndim(), c.shape())
    except _LoopError:
        index = None
    if index is None or not index.fits:
        for i in range(c.size):
            one = getitem(value, (i, ...)) if flag else value
            setitem(getitem(x, (i, ...)), key_of_example(key, i), one)
        return x
    value = _fitted(value, flag, index.ndim)
    if index.is_simple:
        setitem(x, (slice(None), *key) if type(key) is tuple else (slice(None), key), value)
        return x
    if isinstance(value, Tensor) and value._data.ndim > flag:
        if not flag:
            value = reshape(value, (1, *(1,) * (index.ndim - value._data.ndim), *value.shape))
        value = index.from_place(value)
    setitem(index.selected(x, True), index.keys(c.size, True), value)
    return x


def _write_where(c: Call, x: Any, value: Any, mask: Any) -> Any:
    """Assignment to where a mask is true, of which each example has its own."""
    if c.ndim(1):
        raise UnbatchableError(
            "__setitem__: inside of vmap a mask selects other numbers of elements for each "
            "example; write x = xp.where(mask, value, x)"
        )
    if not c.batched[1]:
        setitem(x, mask, value)
        return x
    n = c.ndim()
    _check_mask(mask.shape[1:], c.shape()[: mask.ndim - 1])
    mask = reshape(mask, (*mask.shape, *(1,) * (n + 1 - mask.ndim)))
    value = astype(value, x.dtype, copy=False)
    setitem(x, ..., where(mask, expanded(value, n), x))
    return x


def _put(c: Call) -> Any:
    key = c.args[0]
    x = c.full()
    if _is_basic(key):
        index = Index(key, x, c.ndim())
        if index.fits:
            value = _fitted(c.operands[1], c.batched[1], index.ndim)
            key = (slice(None), *key) if type(key) is tuple else (slice(None), key)
            return put(x, value, key)
    x = unary("copy", x)
    return _setitem(Call(c.name, [x, c.operands[1]], [True, c.batched[1]], c.args, {}, c.size))


def _scatter(c: Call) -> Any:
    key, shape = c.args
    g = c.full()
    try:
        index = Index(key, g, len(shape))
    except _LoopError:
        return NotImplemented
    if not index.fits:
        return NotImplemented
    if index.is_simple:
        key = (slice(None), *key) if type(key) is tuple else (slice(None), key)
        return scatter(g, key, (c.size, *shape))
    left = [n for k, n in _sizes(index.basic, shape) if not isinstance(k, int)]
    order = index.order()
    sizes = (c.size, *[left[a] for a in order])
    out = scatter(index.from_place(g), index.keys(c.size, True), sizes)
    if order != sorted(order):
        out = permute_dims(out, (0, *[order.index(a) + 1 for a in range(len(order))]))
    if all(isinstance(k, slice) and k == slice(None) for k in index.basic):
        return out
    return scatter(out, (slice(None), *index.basic), (c.size, *shape))


def _sizes(basic: list[Any], shape: tuple[int, ...]) -> list[tuple[Any, int]]:
    """Entries of a basic index, and the sizes that they leave."""
    found, axis = [], 0
    for k in basic:
        if k is None:
            found.append((k, 1))
            continue
        found.append((k, len(range(*k.indices(shape[axis]))) if isinstance(k, slice) else 1))
        axis += 1
    return found


batch("getitem", _getitem)
batch("__setitem__", _setitem)
batch("put", _put)
batch("scatter", _scatter)


def _inplace(c: Call) -> Any:
    x, value = c.operands
    if isinstance(value, Tensor) and c.ndim(1) > c.ndim() and c.name != "__imatmul__":
        raise ValueError(
            f"{c.name}: a value of shape {c.shape(1)} does not fit into a tensor of {c.shape()}"
        )
    if c.name == "__imatmul__":
        if not c.ndim() or c.ndim(1) < 2:
            raise ValueError(
                "__imatmul__: expected a tensor of one axis at least, and another of two; got "
                f"shapes {c.shape()} and {c.shape(1)}"
            )
        new = _matmul(Call("matmul", [x, value], c.batched, (), {}, c.size))
        if new.shape != x.shape:
            raise ValueError(
                f"__imatmul__: the product has shape {new.shape[1:]}; expected {c.shape()}"
            )
        setitem(x, ..., new)
        return x
    value = expanded(value, c.ndim()) if c.batched[1] else value
    return inplace(c.name, x, value)


batch("__iadd__", _inplace)


def _take(c: Call) -> Any:
    x, indices = c.operands
    axis = c.kwargs["axis"]
    if not c.ndim() or c.ndim(1) != 1:
        return NotImplemented
    axis = 0 if axis is None else c.axis(axis) - 1
    if not c.batched[1]:
        return c.perform(kwargs={"axis": axis + 1})
    if not c.batched[0]:
        return moved(getitem(moved(x, axis, 0), indices), 1, axis + 1)
    numbers = reshape(arange(c.size, device=x.device), (c.size, 1))
    return moved(getitem(moved(x, axis + 1, 1), (numbers, indices)), 1, axis + 1)


batch("take", _take)


def _take_along(c: Call) -> Any:
    n = c.ndim()
    if c.ndim(1) != n:
        c.example(0)
    axis = c.axis(c.kwargs["axis"], n)
    operands = [x if flag else view("expand_dims", x, (0,))
                for x, flag in zip(c.operands, c.batched, strict=True)]  # fmt: skip
    return c.perform(operands, kwargs={"axis": axis})


batch("take_along_axis", _take_along)

# ---- images: axes are images, channels, rows and columns


def _folded(x: Any) -> Any:
    return reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _images(c: Call) -> Any:
    parts = [_folded(c.full(i)) for i in range(len(c.operands))]
    out = c.perform(parts)
    return reshape(out, (c.size, -1, *out.shape[1:]) if out.size or (c.size and not out.shape[0])
                   else (c.size, c.shape()[0], *out.shape[1:]))  # fmt: skip


batch("nn.max_pool nn.at_largest nn.of_largest nn.window_sum nn.window_spread", _images)


def _convolution(c: Call) -> Any:
    """Convolutions and their transposes: images of one weight are more images, others groups."""
    first, second, *bias = c.operands
    if c.name != "nn.to_weight" and not any(c.batched[1:]):
        out = c.perform([_folded(first), second, *bias])
        return reshape(out, (c.size, first.shape[1], *out.shape[1:]))
    how = c.kwargs | {"groups": c.kwargs["groups"] * c.size}
    operands = [_as_channels(c.full(0))]
    if c.name == "nn.to_weight":
        rows, *rest = c.kwargs["shape"]
        operands.append(_as_channels(c.full(1)))
        out = c.perform(operands, kwargs=how | {"shape": (c.size * rows, *rest)})
        return reshape(out, (c.size, rows, *rest))
    operands.append(_folded(c.full(1)))
    if bias:
        operands.append(None if bias[0] is None else reshape(c.full(2), (-1,)))
    out = c.perform(operands, kwargs=how)
    return moveaxis(reshape(out, (out.shape[0], c.size, -1, *out.shape[2:])), 1, 0)


def _as_channels(x: Any) -> Any:
    """Images of a batch as channels of one image."""
    x = moveaxis(x, 0, 1)
    return reshape(x, (x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


batch("nn.convolve nn.to_images nn.to_weight", _convolution)

# ---- filters of SciPy


def _filter(c: Call) -> Any:
    """Filters whose parameters have one entry for each axis; the hidden one stays as it is."""
    none = {"sigma": 0.0, "order": 0, "radius": 0, "mode": "reflect", "size": 1, "origin": 0}
    kwargs = {k: (none[k], *x) if isinstance(x, tuple) and k in none else x
              for k, x in c.kwargs.items()}  # fmt: skip
    return c.perform(kwargs=kwargs)


batch("scipy.ndimage.gaussian_filter scipy.ndimage.uniform_filter", _filter)


def _correlate(c: Call) -> Any:
    """Correlations with the same weights for all examples."""
    if c.batched[1]:
        return NotImplemented
    x, weights = c.operands
    weights = view("expand_dims", weights, (0,))
    return c.perform([x, weights], kwargs=c.kwargs | {"origin": (0, *c.kwargs["origin"])})


batch("scipy.ndimage.correlate", _correlate)


#: The most elements of a signal by which others are convolved element by element.
_SHORT = 64


def _convolve(c: Call) -> Any:
    """Convolutions of signals: with one for all examples, or with short ones of their own."""
    x, h = c.operands
    mode, sizes = c.kwargs["mode"], list(zip(c.shape(0), c.shape(1), strict=True))
    if mode == "valid" and any(m < n for m, n in sizes):
        return NotImplemented
    if not c.batched[1]:
        return c.perform([x, view("expand_dims", h, (0,))])
    if not 0 < math.prod(c.shape(1)) <= _SHORT or not math.prod(c.shape(0)):
        return NotImplemented
    x = c.full(0)
    shape = (c.size, *[m + n - 1 for m, n in sizes])
    total: Any = None
    for place in product(*[range(n) for _, n in sizes]):
        part = x * reshape(h[(slice(None), *place)], (c.size, *(1,) * len(sizes)))
        key = (slice(None), *[slice(k, k + m) for k, (m, _) in zip(place, sizes, strict=True)])
        part = scatter(part, key, shape)
        total = part if total is None else total + part
    if mode == "full":
        return total
    ends = [m if mode == "same" else m - n + 1 for m, n in sizes]
    starts = [(m + n - 1 - end) // 2 for (m, n), end in zip(sizes, ends, strict=True)]
    inner = [slice(a, a + end) for a, end in zip(starts, ends, strict=True)]
    return total[(slice(None), *inner)]


batch("scipy.signal.convolve", _convolve)


def _lfilter(c: Call) -> Any:
    """Filters along the last axis of signals, with one pair of polynomials for all examples."""
    if c.batched[0] or c.batched[1]:
        return NotImplemented
    return c.perform([*c.operands[:2], c.full(2), c.full(3)])


batch("scipy.signal.lfilter", _lfilter)
batch("scipy.linalg.solve_sylvester", lambda c: NotImplemented)
batch("scipy.linalg.lstsq", lambda c: NotImplemented)
