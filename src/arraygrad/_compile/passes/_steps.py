"""Steps: calls of a program as the loops of NumPy's that they consist of.

Of a program, all shapes and strides are known. So are, therefore, the places of all elements: those
of a view are an offset and strides. `Steps` takes one call after the other, as long as they are
loops, and makes `Loops` of them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any

from ..._device import get_device
from .._program import Call, Value
from .._recorder import has_no_nan
from ._facts import settings_of

_cpu: Any = get_device("cpu")
_backend: Any = _cpu.backend
_np: Any = _backend.namespace
_ops: Any = _cpu.ops
_native: Any = _backend.loops
_parallel: Any = _backend.parallel

#: The most bytes of an array. For larger ones the cost of NumPy's call is small beside the loop.
MAX_BYTES = 1 << 17

_ALIGNMENT = 64
_IN_PLACE = {
    "__iadd__": "add", "__isub__": "subtract", "__imul__": "multiply", "__itruediv__": "divide",
}  # fmt: skip
VIEWS = frozenset(
    """T broadcast_to expand_dims getitem matrix_transpose moveaxis permute_dims reshape
    squeeze""".split()
)
#: Functions whose results are rounded correctly, and others that are of bits: the result of an
#: element does not depend on where it stands. (Of others, NumPy has a way for contiguous arrays.)
_EXACT = frozenset(
    """absolute add bitwise_and bitwise_or bitwise_xor ceil conjugate copysign divide equal fabs
    floor fmax fmin greater greater_equal invert isfinite isinf isnan less less_equal logical_and
    logical_not logical_or logical_xor maximum minimum multiply negative not_equal positive
    reciprocal rint sign signbit sqrt square subtract trunc""".split()
)
#: Functions whose loops leave the floating-point errors of loops before them. (Others may forget
#: them, so that these are looked for first. Of those, NumPy's comparisons do, and products by some
#: builds of BLAS.)
_KEEPING_ERRORS = frozenset("add divide multiply reciprocal sqrt square subtract".split())
_POWERS: Any = {1: _np.positive, 2: _np.square, -1: _np.reciprocal}
_REDUCTIONS = {k: _ops[k] for k in "all any count_nonzero max mean min sum".split()}
_EXTREMES = {"max": _np.maximum, "min": _np.minimum}
_scatter = _ops["scatter"]
_solve, _solve1 = _backend.solvers
_where = (_np.where, _ops["where"])

# What the base of a place is, by its remainder on division by 3.
_INPUT, _CONSTANT, _BUFFER = range(3)


class _Place:
    """Where the elements of a value are: an offset into an array, and strides."""

    __slots__ = ("base", "dtype", "offset", "shape", "strides")

    def __init__(
        self, base: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any
    ) -> None:
        self.base, self.offset = base, offset
        self.shape, self.strides, self.dtype = shape, strides, dtype


class _Buffer:
    """Memory of a new array.

    Attributes
    ----------
    end : int
        The number of the last call that uses it.
    offset : int
        Where it is in the memory for intermediate results.
    number : int
        Which one of the results it is; -1 if it is none.
    """

    __slots__ = ("dtype", "end", "number", "offset", "shape", "size", "strides")

    def __init__(
        self, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any, end: int
    ) -> None:
        self.shape, self.strides, self.dtype, self.end = shape, strides, dtype, end
        size = math.prod(shape) * dtype.itemsize
        self.size = size + -size % _ALIGNMENT
        self.offset = self.number = -1


class Steps:
    """Calls that have been found to be loops.

    Attributes
    ----------
    calls : list of Call
        In order.
    views : set of int
        The ids of those that only make views.
    inputs : list of Value
        The arrays from outside.
    """

    def __init__(self, ambient: Any, in_blocks: bool = False) -> None:
        self.ambient = ambient
        self._in_blocks = in_blocks
        self.calls: list[Call] = []
        self.views: set[int] = set()
        #: For each step its kind, its arguments, its operands and the number of its call.
        self.steps: list[tuple[str, tuple[Any, ...], tuple[_Place, ...], int]] = []
        self.inputs: list[Value] = []
        self.constants: list[Any] = []
        self.buffers: list[_Buffer] = []
        self._places: dict[int, _Place] = {}
        self._numbers: dict[Any, _Place] = {}

    # ---- places

    def _use(self, place: _Place) -> _Place:
        if place.base % 3 == _BUFFER:
            self.buffers[place.base // 3].end = len(self.calls)
        return place

    def _place_of(self, v: Value) -> _Place | None:
        """Where an operand is; None if loops cannot take it."""
        place = self._places.get(id(v))
        if place is not None:
            return self._use(place)
        shape, strides, dtype = v.shape, v.strides, v.dtype
        if shape is None or dtype is None or strides is None or 0 in shape or not dtype.isnative:
            return None
        for s in strides:
            if s < 0:
                return None
        if v.kind == "constant":
            if type(v.data) is not _np.ndarray:
                return None
            base = 3 * len(self.constants) + _CONSTANT
            self.constants.append(v.data)
        else:
            base = 3 * len(self.inputs) + _INPUT
            self.inputs.append(v)
        place = self._places[id(v)] = _Place(base, 0, shape, strides, dtype)
        return place

    def _number(self, x: Any, dtype: Any) -> _Place | None:
        """Where a number of Python's is, which is converted as NumPy does."""
        key = repr(x), dtype
        place = self._numbers.get(key)
        if place is None:
            if dtype.kind == "f" and not (
                abs(x) < (1e38 if type(x) is float else 1 << 24) or x != x or abs(x) == math.inf
            ):
                return None
            try:
                array = _np.asarray(x, dtype=dtype)
            except OverflowError:
                return None
            place = _Place(3 * len(self.constants) + _CONSTANT, 0, (), (), dtype)
            self.constants.append(array)
            self._numbers[key] = place
        return place

    def _new(self, v: Value) -> _Place | None:
        """Memory for a result, with the strides that it has by NumPy's functions."""
        shape, strides, dtype = v.shape, v.strides, v.dtype
        if shape is None or strides is None or not is_small(shape, dtype):
            return None
        if v.memory.is_imported or not _is_dense(shape, strides, dtype):
            return None
        place = self._places[id(v)] = self._buffer(shape, strides, dtype)
        return place

    def _buffer(self, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any) -> _Place:
        base = 3 * len(self.buffers) + _BUFFER
        self.buffers.append(_Buffer(shape, strides, dtype, len(self.calls)))
        return _Place(base, 0, shape, strides, dtype)

    def _step(self, kind: str, args: tuple[Any, ...], operands: tuple[_Place, ...]) -> None:
        self.steps.append((kind, args, operands, len(self.calls)))

    # ---- calls

    def take(self, call: Call) -> bool:
        """Add a call if it can be made by loops, and tell whether it is."""
        n_buffers, n_steps = len(self.buffers), len(self.steps)
        if not self._take(call):
            # (Inputs, constants and numbers that were found may stay.)
            del self.steps[n_steps:]
            del self.buffers[n_buffers:]
            for v in call.results():
                self._places.pop(id(v), None)
            return False
        self.calls.append(call)
        return True

    def _take(self, call: Call) -> bool:
        if call.function is has_no_nan:
            x = self._place_of(call.args[0])
            if x is None or x.dtype.char not in "fd":
                return False
            self._step("check_nan", (x.dtype.itemsize, x.shape), (x,))
            return True
        if call.device is not _cpu or call.is_repeated:
            return False
        if call.condition is not None:
            return call.name == "mask" and self._take_mask(call)
        function: Any = call.function
        name = call.name
        if name in _IN_PLACE:
            return function is _ops.get(name) and self._take_in_place(call)
        if name == "irtruediv":
            return function is _ops[name] and self._take_in_place(call)
        if name == "__setitem__":
            return function is _ops.get(name) and self._take_assignment(call)
        out = call.out
        if call.writes or type(out) is not Value or out.dtype is None:
            return False
        if type(function) is _np.ufunc and function.signature is None:
            return not call.kwargs and self._take_elementwise(function, call.args, out)
        if name in VIEWS:
            return self._take_view(call)
        if function is _np.matmul or (name == "nn.linear" and function is _ops[name]):
            return not call.kwargs and self._take_product(call)
        if name == "pow":
            return not call.kwargs and self._take_power(call)
        if name in _REDUCTIONS:
            return function == _REDUCTIONS[name] and self._take_reduction(call)
        if name == "scatter":
            return function is _scatter and self._take_scatter(call)
        if name == "where":
            return function in _where and self._take_choice(call)
        if function is _np.linalg.solve:
            return _solve is not None and self._take_solution(call)
        if name == "copy":
            return function is _ops["copy"] and self._take_copy(call)
        if name in ("concat", "stack"):
            return function is _ops[name] and self._take_joined(call)
        return False

    def _operands(
        self, ufunc: Any, args: tuple[Any, ...], shape: tuple[int, ...], out_dtype: Any
    ) -> tuple[list[_Place], tuple[int, ...], bool] | None:
        """The operands of an elementwise function, and what `loop_of` tells of its loop."""
        places: list[Any] = []
        kinds: list[Any] = []
        for x in args:
            if type(x) is Value:
                place = self._place_of(x)
                if place is None:
                    return None
                places.append(place)
                kinds.append(place.dtype)
            elif type(x) in _NUMBERS:
                places.append(x)
                kinds.append(type(x))
            else:
                return None
        loop = loop_of(ufunc, tuple(kinds))
        if loop is None:
            return None
        dtypes, numbers, is_exact = loop
        if not _are_equal(dtypes[-1], out_dtype):
            return None
        if out_dtype.kind == "c" and math.prod(shape) == 1:
            return None  # (NumPy rounds products of numbers otherwise than those of arrays.)
        for i, x in enumerate(places):
            if type(x) is not _Place:
                place = self._number(x, dtypes[i])
            elif _are_equal(x.dtype, dtypes[i]):
                continue
            else:
                place = self._converted(x, dtypes[i])
            if place is None:
                return None
            places[i] = place
        if not is_exact:
            for place in places:
                if place.shape and (
                    place.shape != shape or not _is_dense(shape, place.strides, place.dtype)
                ):
                    return None
        return [_broadcast(p, shape) for p in places], numbers, is_exact

    def _converted(self, x: _Place, dtype: Any) -> _Place | None:
        """An operand in another dtype."""
        if not _native.can_cast(x.dtype.num, dtype.num) or not is_small(x.shape, dtype):
            return None
        place = self._buffer(x.shape, c_strides(x.shape, dtype.itemsize), dtype)
        self._step("cast", (x.dtype.num, dtype.num, x.shape), (x, place))
        return place

    def _take_elementwise(self, ufunc: Any, args: tuple[Any, ...], out: Value) -> bool:
        found = self._operands(ufunc, args, out.shape, out.dtype)
        if found is None:
            return False
        operands, numbers, is_exact = found
        place = self._new(out)
        if place is None:
            return False
        if not is_exact:
            for p in operands:
                if p.shape and p.strides != place.strides:
                    return False
        self._check_state(ufunc)
        self._step("call", (ufunc, numbers, place.shape), (*operands, place))
        return True

    def _take_in_place(self, call: Call) -> bool:
        target, other = call.args
        place = self._place_of(target)
        if place is None or place.base % 3 != _BUFFER:
            return False
        args = call.args
        ufunc = _np.divide
        if call.name == "irtruediv":
            args = other, target
        else:
            ufunc = getattr(_np, _IN_PLACE[call.name])
        found = self._operands(ufunc, args, place.shape, place.dtype)
        if found is None:
            return False
        operands, numbers, _ = found
        for p in operands:  # (NumPy copies an operand that overlaps with the result.)
            if p.base == place.base and (p.offset, p.strides) != (place.offset, place.strides):
                return False
        self._check_state(ufunc)
        self._step("call", (ufunc, numbers, place.shape), (*operands, place))
        return True

    def _take_assignment(self, call: Call) -> bool:
        target, value, key = call.args
        place = self._place_of(target)
        if place is None or place.base % 3 != _BUFFER or not _is_basic(key):
            return False
        part = _view(place, _ops["getitem"], (key,), {})
        if part is None or part.dtype.itemsize not in _ITEMSIZES:
            return False
        x: _Place | None = None
        if type(value) is Value:
            x = self._place_of(value)
            if x is None or x.base == place.base or x.dtype != part.dtype:
                return False
        elif type(value) in _NUMBERS and (part.dtype.kind == "f" or type(value) is bool):
            x = self._number(value, part.dtype)
        if x is None or not _parallel.broadcasts_to(x.shape, part.shape):
            return False
        self._step("copy", (part.dtype.itemsize, part.shape), (_broadcast(x, part.shape), part))
        return True

    def _take_view(self, call: Call) -> bool:
        x = call.args[0]
        if type(x) is not Value or not all(map(_is_basic, call.args[1:])):
            return False
        for y in call.kwargs.values():
            if not _is_basic(y):
                return False
        place = self._place_of(x)
        if place is None:
            return False
        if call.out.memory is not x.memory:
            return call.name == "reshape" and self._take_reshaped_copy(place, call.out)
        found = _view(place, call.function, call.args[1:], call.kwargs)
        if found is None or found.shape != call.out.shape:
            return False
        self._places[id(call.out)] = found
        self.views.add(id(call))
        return True

    def _take_product(self, call: Call) -> bool:
        if len(call.args) != 2:
            return False
        x, y = call.args
        if type(x) is not Value or type(y) is not Value:
            return False
        a, b = self._place_of(x), self._place_of(y)
        if a is None or b is None or a.dtype != b.dtype or a.dtype.char not in "fd":
            return False
        if call.name == "nn.linear":  # a product with the transpose
            b = _Place(b.base, b.offset, b.shape[::-1], b.strides[::-1], b.dtype)
        if not (0 < len(a.shape) < 3 and 0 < len(b.shape) < 3) or call.out.dtype != a.dtype:
            return False
        place = self._new(call.out)
        if place is None or place.strides != c_strides(place.shape, place.dtype.itemsize):
            return False
        rows = a.shape[:-1] or (1,)
        columns = b.shape[1:] or (1,)
        lengths = rows[0], a.shape[-1], columns[0]
        # (NumPy gives axes of length 1 the stride 0.)
        a_strides = a.strides if len(a.shape) == 2 else (0, a.strides[0])
        b_strides = b.strides if len(b.shape) == 2 else (b.strides[0], 0)
        out: tuple[int, ...] = place.strides
        if len(a.shape) == 1:
            out = (0, *out)
        if len(b.shape) == 1:
            out = (*out, 0)
        sizes = (lengths[0], lengths[1], lengths[1], lengths[2], lengths[0], lengths[2])
        strides = _core_strides(sizes, (*a_strides, *b_strides, *out))
        self._check_state(_np.matmul)
        numbers, work = (a.dtype.num,) * 3, math.prod(lengths)
        self._step("core", (_np.matmul, numbers, lengths, strides, work), (a, b, place))
        return True

    def _take_power(self, call: Call) -> bool:
        """Add a power of an array by a number; NumPy has functions of its own for some numbers."""
        x, exponent = call.args
        if type(x) is not Value or type(exponent) not in (int, float) or not x.shape:
            return False
        if x.dtype.char not in "fd" or call.out.dtype != x.dtype or math.prod(x.shape) == 1:
            return False
        if exponent in _POWERS:
            return self._take_elementwise(_POWERS[exponent], (x,), call.out)
        if exponent in (0, 0.5):
            return False
        return self._take_elementwise(_np.power, (x, exponent), call.out)

    def _take_mask(self, call: Call) -> bool:
        """Add a check for NaN; where there is one, NumPy's functions compute the run."""
        condition: Any = call.condition
        x = self._place_of(condition)
        if x is None or x.dtype.char not in "fd":
            return False
        if any(self._place_of(v) is None for v in call.operands()):  # (NumPy's functions need them)
            return False
        places: list[Any] = [self._place_of(v) for v in call.otherwise]
        for v, place in zip(call.out, places, strict=True):
            if place.shape != v.shape or place.dtype != v.dtype:
                return False
        self._step("check_mask", (x.dtype.itemsize, x.shape), (x,))
        for v, place in zip(call.out, places, strict=True):
            if not self._in_blocks:  # the result is the operand itself
                self._places[id(v)] = place
                continue
            out = self._new(v)
            if out is None:
                return False
            self._step("copy", (out.dtype.itemsize, out.shape), (place, out))
        self.views.add(id(call))
        return True

    def _take_solution(self, call: Call) -> bool:
        """Add a solution of linear equations; a singular matrix is a floating-point error.

        (In single precision NumPy converts, and solves in double precision.)
        """
        if len(call.args) != 2 or call.kwargs:
            return False
        x, y = call.args
        if type(x) is not Value or type(y) is not Value:
            return False
        a, b = self._place_of(x), self._place_of(y)
        if a is None or b is None or not a.dtype == b.dtype == _double:
            return False
        if len(a.shape) != 2 or a.shape[0] != a.shape[1] or len(b.shape) not in (1, 2):
            return False
        place = self._new(call.out)
        if place is None or place.dtype != a.dtype or place.shape != b.shape:
            return False
        if place.strides != c_strides(place.shape, place.dtype.itemsize):
            return False
        n, numbers = a.shape[0], (a.dtype.num,) * 3
        sizes = (n, n, *b.shape, *b.shape)
        strides = _core_strides(sizes, (*a.strides, *b.strides, *place.strides))
        self._step("check", (), ())
        function = _solve if len(b.shape) == 2 else _solve1
        self._step("core", (function, numbers, (n, *b.shape[1:]), strides, n**3), (a, b, place))
        self._step("checked", (), ())
        return True

    def _take_reduction(self, call: Call) -> bool:
        """Add a sum, a maximum and the like: the first value, and then element after element."""
        if len(call.args) != 1 or not set(call.kwargs) <= {"axis", "keepdims"}:
            return False
        (x,), out, name = call.args, call.out, call.name
        if type(x) is not Value:
            return False
        place = self._place_of(x)
        if place is None or not place.shape or not _is_dense(place.shape, place.strides, x.dtype):
            return False
        n, axis = len(place.shape), call.kwargs.get("axis", 0)
        axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        reduced = {a % n for a in axes}
        if not reduced:
            return False
        kinds = "?" if name in ("all", "any", "count_nonzero") else "fd"
        if x.dtype.char not in kinds or (name != "count_nonzero" and out.dtype != x.dtype):
            return False
        total = self._new(out)
        if total is None or (name == "count_nonzero" and total.dtype != _int):
            return False
        strides, i = [], 0
        for a in range(n):
            strides.append(0 if a in reduced else total.strides[i])
            i += bool(a not in reduced or call.kwargs.get("keepdims"))
        whole = _Place(total.base, 0, place.shape, tuple(strides), total.dtype)
        size = total.dtype.itemsize
        ufunc = _EXTREMES.get(name)
        if ufunc is None:
            is_all = name == "all"
            ufunc = _np.add if kinds == "fd" else _np.logical_and if is_all else _np.logical_or
        self._check_state(ufunc)
        if name in _EXTREMES:
            # (NumPy begins with the first elements. Of several axes it takes them in an order of
            # its own, which shows in the signs of zeros.)
            if len(reduced) > 1 and place.strides != c_strides(place.shape, size):
                return False
            if len(reduced) > 1 and len(reduced) != n:
                return False
            if len(reduced) == n:
                place = _Place(
                    place.base, place.offset, (math.prod(place.shape),), (size,), x.dtype
                )
                whole = _Place(total.base, 0, place.shape, (0,), total.dtype)
                reduced = {0}
            (a,) = reduced
            if place.shape[a] == 2 and place.strides[a] == size and math.prod(total.shape) > 1:
                # (NumPy's loop is along the pairs, and one along the second elements finds NaN of
                # another sign.)
                return False
            first = _Place(
                place.base, place.offset, (*place.shape[:a], 1, *place.shape[a + 1 :]),
                place.strides, x.dtype,
            )  # fmt: skip
            start = _Place(whole.base, 0, first.shape, whole.strides, whole.dtype)
            self._step("copy", (size, first.shape), (first, start))
            m = place.shape[a] - 1
            if m:
                rest = _Place(
                    place.base, place.offset + place.strides[a],
                    (*place.shape[:a], m, *place.shape[a + 1 :]), place.strides, x.dtype,
                )  # fmt: skip
                whole = _Place(whole.base, 0, rest.shape, whole.strides, whole.dtype)
                numbers = (ufunc, x.dtype.num, rest.shape)
                self._step("reduce", numbers, (rest, whole))
            return True
        first_value = self._number(name == "all" if kinds == "?" else 0.0, total.dtype)
        if first_value is None:
            return False
        self._step("copy", (size, total.shape), (_broadcast(first_value, total.shape), total))
        if name == "count_nonzero":
            self._step("count", (place.shape,), (place, whole))
            return True
        self._step("reduce", (ufunc, total.dtype.num, place.shape), (place, whole))
        if name == "mean":
            count = math.prod(place.shape) // math.prod(total.shape)
            number = self._number(count, total.dtype)
            if number is None:
                return False
            numbers = (total.dtype.num,) * 3
            by = _broadcast(number, total.shape)
            self._step("call", (_np.divide, numbers, total.shape), (total, by, total))
        return True

    def _take_scatter(self, call: Call) -> bool:
        x, key, _ = call.args
        if type(x) is not Value or not _is_basic(key):
            return False
        place = self._place_of(x)
        if place is None or place.dtype != call.out.dtype or place.dtype.char not in "fd":
            return False
        whole = self._new(call.out)
        zero = self._number(0.0, place.dtype)
        if whole is None or zero is None:
            return False
        part = _view(whole, _ops["getitem"], (key,), {})
        if part is None or not _parallel.broadcasts_to(place.shape, part.shape):
            return False
        size = place.dtype.itemsize
        self._step("copy", (size, whole.shape), (_broadcast(zero, whole.shape), whole))
        self._step("copy", (size, part.shape), (_broadcast(place, part.shape), part))
        return True

    def _take_choice(self, call: Call) -> bool:
        if len(call.args) != 3 or call.kwargs or call.out.dtype.char not in "fd":
            return False
        shape, dtype = call.out.shape, call.out.dtype
        places = []
        for i, x in enumerate(call.args):
            if type(x) is Value:
                place = self._place_of(x)
                if place is not None and place.dtype != (_bool if i == 0 else dtype):
                    return False
            else:
                place = self._number(x, dtype) if type(x) in _NUMBERS and i > 0 else None
            if place is None:
                return False
            places.append(_broadcast(place, shape))
        out = self._new(call.out)
        if out is None:
            return False
        self._step("select", (dtype.itemsize, shape), (*places, out))
        return True

    def _take_copy(self, call: Call) -> bool:
        if len(call.args) != 1 or call.kwargs or type(call.args[0]) is not Value:
            return False
        x = self._place_of(call.args[0])
        if x is None or x.dtype.itemsize not in _ITEMSIZES:
            return False
        out = self._new(call.out)
        if out is None:
            return False
        self._step("copy", (x.dtype.itemsize, x.shape), (x, out))
        return True

    def _take_reshaped_copy(self, x: _Place, out: Value) -> bool:
        """Add a copy of elements in C order, which is what `reshape` makes of some layouts."""
        if x.dtype.itemsize not in _ITEMSIZES or out.strides != c_strides(
            out.shape, x.dtype.itemsize
        ):
            return False
        place = self._new(out)
        if place is None:
            return False
        whole = _Place(place.base, 0, x.shape, c_strides(x.shape, x.dtype.itemsize), x.dtype)
        self._step("copy", (x.dtype.itemsize, x.shape), (x, whole))
        return True

    def _take_joined(self, call: Call) -> bool:
        """Add the copies of several arrays into one."""
        arrays, out = call.args[0], call.out
        axis = call.kwargs.get("axis", 0)
        if len(call.args) != 1 or not set(call.kwargs) <= {"axis"} or type(axis) is not int:
            return False
        if not out.shape or out.dtype.itemsize not in _ITEMSIZES:
            return False
        places = []
        for x in arrays:
            place = self._place_of(x) if type(x) is Value else None
            if place is None or place.dtype != out.dtype:
                return False
            places.append(place)
        whole = self._new(out)
        if whole is None:
            return False
        axis %= len(whole.shape)
        offset, step = 0, whole.strides[axis]
        for x in places:
            if call.name == "stack":
                x = _Place(
                    x.base, x.offset, (*x.shape[:axis], 1, *x.shape[axis:]),
                    (*x.strides[:axis], 0, *x.strides[axis:]), x.dtype,
                )  # fmt: skip
            part = _Place(whole.base, offset, x.shape, whole.strides, whole.dtype)
            self._step("copy", (x.dtype.itemsize, x.shape), (x, part))
            offset += step * x.shape[axis]
        return True

    # ---- the whole

    def _check_state(self, ufunc: Any) -> None:
        """Note that the next steps, of a ufunc, may meet floating-point errors."""
        self._step("state", (ufunc.__name__ in _KEEPING_ERRORS,), ())

    def place_of_whole(self, v: Value) -> int | None:
        """The number of the new memory that a result fills; of an input that it is, -1 and less.

        None if it is something else, such as a view.
        """
        place = self._places[id(v)]
        number, kind = place.base // 3, place.base % 3
        if kind == _CONSTANT or place.offset:
            return None
        home: Any = self.inputs[number] if kind == _INPUT else self.buffers[number]
        if (place.shape, place.strides) != (home.shape, home.strides):
            return None
        return number if kind == _BUFFER else -1 - number

    def checks(self) -> bool:
        """Return True if one of the calls checks something."""
        return any(step[0] == "check_nan" for step in self.steps)

    def is_silent(self) -> bool:
        """Return True if no floating-point error is told by the state around the program."""
        states = [self.calls[step[3]].errors for step in self.steps if step[0] == "state"]
        return all(state is not self.ambient for state in states)

    def loops(
        self, outputs: list[Value], forms: list[Any], made: list[Any], *blocks: Any,
        onto: list[int] | None = None,
    ) -> Any:  # fmt: skip
        """The `Loops` of these outputs, for arrays of the given forms; `blocks` are its options.

        An output takes the memory of the input with the number `onto`, if that is not negative.
        """
        copied: list[tuple[int, _Place, _Buffer]] = []
        for i, v in enumerate(outputs):
            place = self._places[id(v)]
            buffer = self.buffers[place.base // 3]
            if onto is None or onto[i] < 0 or self._may_overwrite(onto[i], place.base):
                buffer.number = i
            else:
                buffer.end = len(self.calls)
                copied.append((i, place, buffer))
        over = {i for i, j in enumerate(onto or ()) if j >= 0}
        loops = self._loops(forms, made, self._allocate(over), blocks)
        if copied:
            n = len(forms)
            loops.begin_results()
            for i, place, buffer in copied:
                here = n + len(made) + len(self.constants), buffer.offset, place.strides
                loops.copy(place.dtype.itemsize, place.shape, here, (n + i, 0, place.strides))
        loops.onto = onto
        return loops

    def _may_overwrite(self, number: int, base: int) -> bool:
        """Return True if an input is not needed once a result is written over it.

        It would be needed after a floating-point error.
        """
        is_written = False
        for kind, _, operands, i in self.steps:
            if kind in ("check", "check_mask") or (kind == "state" and self._is_checked(i)):
                return False
            for x in operands[:-1]:
                if x.base != 3 * number + _INPUT:
                    continue
                out = operands[-1]
                is_same = kind == "call" and (x.offset, x.strides) == (0, out.strides)
                if is_written or (out.base == base and not is_same):
                    return False
            if operands and operands[-1].base == base:
                is_written = True
        return True

    def _is_checked(self, i: int) -> bool:
        """Return True if floating-point errors of a call are not ignored."""
        return self.calls[i].errors is not _backend.ignored

    def _allocate(self, over: set[int]) -> int:
        """Give the intermediate results memory; return how many bytes they need.

        The outputs with the numbers `over` have that of an input, which is there from the start.
        """
        free: dict[int, list[int]] = {}
        ends: list[tuple[int, int]] = []  # of the buffers in use: the last call, and the number
        handed: set[int] = set()  # buffers whose memory is another one's now
        written: set[int] = set()
        size: int = _native.HEAD
        for kind, _, operands, i in self.steps:
            number = operands[-1].base // 3 if operands else -1
            if kind == "call" and number not in written:
                other = self._written_over(operands, i, over)
                if other >= 0:
                    handed.add(other)
                    if self.buffers[number].number < 0:
                        heappush(ends, (self.buffers[number].end, number))
            for place in operands:
                if place.base % 3 != _BUFFER:
                    continue
                number = place.base // 3
                written.add(number)
                buffer = self.buffers[number]
                if buffer.number >= 0 or buffer.offset >= 0:
                    continue
                while ends and ends[0][0] < i:
                    _, old = heappop(ends)
                    if old not in handed:
                        free.setdefault(self.buffers[old].size, []).append(self.buffers[old].offset)
                have = free.get(buffer.size)
                if have:
                    buffer.offset = have.pop()
                else:
                    buffer.offset = size
                    size += buffer.size
                heappush(ends, (buffer.end, number))
        return size

    def _written_over(self, operands: tuple[_Place, ...], i: int, over: set[int]) -> int:
        """Let an elementwise call write its result over an operand that nothing needs after it.

        Returns the number of the operand's buffer; -1 if there is none. (Products of complex
        numbers are not, because NumPy rounds them otherwise in place.)
        """
        out = operands[-1]
        if out.base % 3 != _BUFFER or out.offset or out.dtype.kind != "f":
            return -1
        result = self.buffers[out.base // 3]
        if result.number in over or result.shape != out.shape:
            return -1
        for x in operands[:-1]:
            if x.base % 3 != _BUFFER or x.base == out.base or x.dtype != out.dtype:
                continue
            buffer = self.buffers[x.base // 3]
            if buffer.end != i or buffer.number >= 0 or x.offset or x.strides != out.strides:
                continue
            if (buffer.shape, buffer.strides) != (result.shape, result.strides):
                continue
            for y in operands:
                if y.base == x.base and y is not x:
                    break
            else:
                buffer.number, result.offset = result.number, buffer.offset
                return x.base // 3
        return -1

    def _loops(self, forms: list[Any], made: list[Any], size: int, blocks: Any) -> Any:
        """The steps as `Loops` for arrays of these forms."""
        n, m = len(forms), len(made)
        scratch = n + m + len(self.constants)
        loops = _native.Loops(forms, made, self.constants, size, *blocks)
        state: Any = _backend.ignored  # that of the steps before
        for kind, args, operands, i in self.steps:
            if kind == "check":  # (NumPy's function tells by the state whether it succeeds.)
                self._check_errors(loops, state)
                loops.clear_errors()
                continue
            if kind == "checked":
                loops.check_errors(["invalid"])
                if state is not _backend.ignored:
                    loops.clear_errors()
                continue
            if kind == "state":
                now = self.calls[i].errors
                if now is not state or not args[0]:
                    self._check_errors(loops, state)
                if now is not state:
                    if now is not _backend.ignored:
                        loops.clear_errors()
                    state = now
                continue
            found = []
            for p in operands:
                base, offset = p.base // 3, p.offset
                if p.base % 3 == _CONSTANT:
                    base += n + m
                elif p.base % 3 == _BUFFER:
                    buffer = self.buffers[base]
                    if buffer.number >= 0:
                        base = n + buffer.number
                    else:
                        base, offset = scratch, offset + buffer.offset
                found.append((base, offset, p.strides))
            if kind == "call":
                loops.call(*args, tuple(found))
            elif kind == "select":
                loops.select(*args, tuple(found))
            elif kind == "core":
                loops.core(*args[:4], tuple(found), args[4])
            else:
                getattr(loops, kind)(*args, *found)
        self._check_errors(loops, state)
        return loops

    def _check_errors(self, loops: Any, state: Any) -> None:
        """Check the floating-point errors of the steps that were in a state."""
        if state is not _backend.ignored:
            loops.check_errors(None if state is self.ambient else _kinds_of(state))

    def note_input(self, v: Value) -> bool:
        """Note the next input; return False if loops cannot take it."""
        return self._place_of(v) is not None


_NUMBERS = (bool, int, float)
_ITEMSIZES = (1, 2, 4, 8, 16)  # of elements that there are copies of
_bool, _double, _int = _np.dtype(bool), _np.dtype(float), _np.dtype("int64")


def is_small(shape: tuple[int, ...], dtype: Any) -> bool:
    """Return True for arrays that runs are made of."""
    return 0 < math.prod(shape) * dtype.itemsize <= MAX_BYTES and dtype.isnative


@lru_cache(4096)
def loop_of(
    ufunc: Any, kinds: tuple[Any, ...]
) -> tuple[tuple[Any, ...], tuple[int, ...], bool] | None:
    """The loop that NumPy takes for operands of these; None if there is none.

    A kind is a dtype, or the type of a number of Python's. Returned are the loop's dtypes, their
    numbers, and whether the result of an element does not depend on where it stands.
    """
    found: Any = getattr(_np, ufunc.__name__, None)
    if ufunc.nout != 1 or found is not ufunc:
        return None
    try:
        # (A bool is not a number to NumPy, but an array.)
        found = ufunc.resolve_dtypes((*[_bool if k is bool else k for k in kinds], None))
    except TypeError:
        return None
    if any(d.char in "OSUVMmgGe" or not d.isnative for d in found):
        return None
    numbers = tuple([d.num for d in found])
    if not _native.has_loop(ufunc, numbers):
        return None
    # (Products of complex numbers are rounded otherwise where they are not contiguous.)
    return found, numbers, ufunc.__name__ in _EXACT and found[-1].kind != "c"


def _are_equal(dtype: Any, other: Any) -> bool:
    """Return True for equal dtypes; most often they are the same object."""
    return dtype is other or dtype == other


def _kinds_of(state: Any) -> list[str]:
    """Which floating-point errors a state does not ignore."""
    return [kind for kind, x in settings_of(state).items() if x != "ignore"]


def _view(
    place: _Place, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _Place | None:
    """Where the elements of a view are; None if the function makes something else."""
    found = _native.view_of(place.shape, place.strides, place.dtype, function, args, kwargs)
    if found is None:
        return None
    offset, shape, strides = found
    if 0 in shape:
        return None
    for s in strides:
        if s < 0:
            return None
    return _Place(place.base, place.offset + offset, shape, strides, place.dtype)


def _broadcast(place: _Place, shape: tuple[int, ...]) -> _Place:
    """An operand as an array of a larger shape."""
    if place.shape == shape:
        return place
    missing = len(shape) - len(place.shape)
    strides = [0] * missing
    strides += [0 if n == 1 else s for n, s in zip(place.shape, place.strides, strict=True)]
    return _Place(place.base, place.offset, shape, tuple(strides), place.dtype)


def _is_basic(key: Any) -> bool:
    """Return True for an index, or another argument, without arrays."""
    if type(key) in (tuple, list):
        return all(map(_is_basic, key))
    return key is None or key is ... or type(key) in (int, bool, slice, str)


def c_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides of an array in C order."""
    strides: list[int] = []
    for n in reversed(shape):
        strides.append(itemsize)
        itemsize *= n
    return tuple(reversed(strides))


def _is_dense(shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any) -> bool:
    """Return True for an array without gaps, whatever the order of its axes."""
    size = dtype.itemsize
    if len(shape) == 1:
        return bool(strides[0] == size or shape[0] < 2)
    for s, n in sorted([(s, n) for s, n in zip(strides, shape, strict=True) if n > 1]):
        if s != size:
            return False
        size *= n
    return True


def _core_strides(lengths: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of the axes of matrices; NumPy gives those of length 1 the stride 0."""
    return tuple([0 if n == 1 else s for n, s in zip(lengths, strides, strict=True)])


def strides_of(v: Value) -> tuple[int, ...] | None:
    """The strides of a result; None in C order."""
    shape: tuple[int, ...] = v.shape
    strides: tuple[int, ...] = v.strides
    return None if strides == c_strides(shape, v.dtype.itemsize) else strides
