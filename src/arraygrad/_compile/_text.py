"""The text of a program: straight-line Python over the backend's functions."""

from __future__ import annotations

import keyword
import linecache
import math
import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from pathlib import Path
from typing import Any

from .._device import get_device
from ._program import Call, Differs, MeetsNaN, Memory, Program, Value, values_in
from ._recorder import has_no_nan
from .passes._facts import key_of, settings_of
from .passes.scalars import scalars_of

_cpu: Any = get_device("cpu")
_backend: Any = _cpu.backend
_np: Any = _backend.namespace
_dtype: Any = _backend.dtype

#: Operations that are operators of arrays.
_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@",
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
    "equal": "==", "not_equal": "!=",
}  # fmt: skip
_IN_PLACE = {
    "__iadd__": "+=", "__isub__": "-=", "__imul__": "*=", "__itruediv__": "/=",
    "__imod__": "%=", "__iand__": "&=", "__ior__": "|=", "__ixor__": "^=",
    "__ilshift__": "<<=", "__irshift__": ">>=",
}  # fmt: skip
#: Functions that only give an array another shape.
_RESHAPING = (_np.ndarray.reshape, _np.expand_dims)
_sum = _np.add.reduce
_mean = _cpu.ops["mean"]
_ARITHMETIC = frozenset("add subtract multiply divide".split())
#: Names that mean the same in every program.
RESERVED = frozenset("np inf nan quiet complex slice program witness MeetsNaN".split())
#: Results of this many bytes are freed as soon as they are not needed any more. The memory of
#: smaller ones waits for another result of its shape.
MIN_BYTES_TO_FREE = 1 << 13

#: Operations whose results are always new memory; so are those of elementwise functions.
_ALLOCATING = frozenset("blocks concat copy loops matmul scatter stack sum where".split())

#: Operations that raise no floating-point error, whichever state they are called in.
SILENT = frozenset(
    """T astype broadcast_to concat copy equal expand_dims flip full full_like getitem greater
    greater_equal guard isfinite isinf isnan less less_equal logical_and logical_not logical_or
    logical_xor matrix_transpose moveaxis negative not_equal ones permute_dims reshape roll
    scatter squeeze stack tril triu unstack where zeros __setitem__""".split()
) - {"astype", "__setitem__"}


class Text:
    """The text of a program and the objects that it names.

    Attributes
    ----------
    lines : list of str
        The body of a function.
    names : dict
        The objects that it refers to, by name.
    calls : dict
        The call of each line, by its number in the whole text.
    arguments : list of str
        The names of inputs and outer arrays, in order.
    """

    def __init__(
        self,
        program: Program,
        *,
        comments: bool = False,
        inputs: Sequence[str] = (),
        name: str = "",
        in_place: bool = False,
        fast: bool = False,
        donated: AbstractSet[int] = frozenset(),
    ) -> None:
        self.program = program
        self.comments = comments
        self._fast = fast
        self.names: dict[str, Any] = {"np": _np}
        self.lines: list[str] = []
        self.calls: dict[int, Call] = {}
        self._known: dict[int, str] = {}
        self._used = {*keyword.kwlist, *RESERVED}
        self._counts: dict[str, int] = {}
        self._scalars = scalars_of(program)
        self._ends, self._donors, self._onto = last_uses(
            program, self._scalars if fast else None, in_place, donated
        )
        self._owners: dict[str, int] = {}
        #: Names of values that nothing needs any more; the next results take them.
        self._free: list[str] = []
        self._keys: dict[Any, str] = {}
        self._numbers: dict[Any, str] = {}
        self.outer = program.outer()
        names = inputs or [f"x{i}" for i in range(len(program.inputs))]
        self.arguments = [self._name(v, x) for v, x in zip(program.inputs, names, strict=True)]
        self._used.add(name)  # (An argument may have the name of the function, but nothing global.)
        self.arguments += [self._name(v, f"outer{i}") for i, v in enumerate(self.outer)]
        self._into: dict[int, str] = {}
        #: Intermediate results of a block; the function is given memory for them at last.
        self.scratch: list[Value] = []
        if in_place:
            self._choose_memory()
        self._write_all()

    def _choose_memory(self) -> None:
        """Let the function write its results into arrays that it is given after its inputs."""
        ufuncs = {
            id(call.out): call
            for call in self.program.calls
            if isinstance(call.out, Value) and library_name(call.function) is not None
            and is_elementwise(call.function) and not call.kwargs
        }  # fmt: skip
        masks = {
            id(out): other
            for call in self.program.calls if call.name == "mask"
            for out, other in zip(call.out, call.otherwise, strict=True) if other is call.condition
        }  # fmt: skip
        for i, v in enumerate(self.program.outputs):
            name = f"out{i}"
            self._used.add(name)
            self.arguments.append(name)
            x = masks.get(id(v), v)  # (A mask most often gives what it is given.)
            if id(x) in ufuncs and id(x) not in self._into:
                self._into[id(x)] = name
                self._donors.pop(id(ufuncs[id(x)]), None)
        self._outs = [f"out{i}" for i in range(len(self.program.outputs))]
        for key, call in ufuncs.items():
            if key not in self._into and id(call) not in self._donors and _is_large(call.out):
                name = self._into[key] = f"scratch{len(self.scratch)}"
                self._used.add(name)
                self.arguments.append(name)
                self.scratch.append(call.out)

    def donors(self) -> list[Value]:
        """The values whose memory results are written to."""
        found = [*self._donors.values()]
        for call in self.program.calls:
            found += [call.args[i] for i in self._onto.get(id(call), ()) if i >= 0]
        return found

    def whole(self, name: str = "program") -> str:
        """The text of the function."""
        head = f"def {name}({', '.join(self.arguments)}):"
        return "\n".join([head, *(f"    {line}" for line in self.lines)]) + "\n"

    def function(self) -> Callable[..., Any]:
        """The function."""
        space = dict(self.names)
        exec(compile(self.whole(), "<compiled program>", "exec"), space)
        return space["program"]

    def name_of(self, value: Value) -> str:
        """The name of a value; empty if it has none."""
        return self._known.get(id(value), "")

    def leaf(self, output: Any, outputs: Sequence[Any]) -> str:
        """The expression of a leaf of the results."""
        while output.kind == "same":
            output = outputs[output.x]
        if output.kind == "result":
            return self._of(self.program.outputs[output.x])
        return self.arguments[output.x] if output.kind == "input" else self._literal(output.x)

    # ---- names

    def _name(self, value: Value, base: str) -> str:
        if base in self._used or (base in self.names):
            n = self._counts.get(base, 1)
            while f"{base}_{n}" in self._used:
                n += 1
            self._counts[base] = n + 1
            base = f"{base}_{n}"
        self._used.add(base)
        value.name = base
        self._known[id(value)] = base
        self._owners[base] = id(value)
        return base

    def _of(self, value: Value) -> str:
        name = self._known.get(id(value))
        if name is None:
            assert value.kind == "constant", value.kind
            name = self._name(value, "constant")
            self.names[name] = value.data
        return name

    def _array(self, value: Value) -> str:
        """The text of a value where it has to be an array."""
        name = self._of(value)
        return f"np.asarray({name})" if id(value) in self._scalars else name

    def _object(self, x: Any, base: str) -> str:
        """The name of an object."""
        key = id(x)
        name = self._known.get(key)
        if name is None or self.names.get(name) is not x:
            if not base.isidentifier() or base in keyword.kwlist:
                base = re.sub(r"\W", "_", base) or "object"
                if base[0].isdigit() or base in keyword.kwlist:
                    base = f"_{base}"
            name, n = base, 1
            while name in self._used or name in self.names:
                name, n = f"{base}_{n}", n + 1
            self._used.add(name)
            self.names[name] = x
            self._known[key] = name
        return name

    # ---- lines

    def _write_all(self) -> None:
        program = self.program
        state, depth = program.ambient, 0
        self._state = state
        for i, call in enumerate(program.calls):
            if call.errors is not state and not _is_silent(call):
                state = self._state = call.errors
                depth = int(state is not program.ambient)
                if depth:
                    self._line(f"with {self._error_state(state)}:", 0)
            self._write(call, depth)
            if i in self._ends:
                self._forget(self._ends[i], depth)
        if self._into or self.arguments[len(program.inputs) + len(self.outer) :]:
            for name, v in zip(self._outs, program.outputs, strict=True):
                if self._into.get(id(v)) != name:
                    found = self._of(v)
                    self._line(f"if {found} is not {name}: {name}[...] = {found}", 0)
            self._line("return", 0)
            return
        outs = ", ".join(self._of(v) for v in program.outputs)
        self._line(f"return ({outs}{',' if len(program.outputs) == 1 else ''})", 0)

    def _forget(self, values: list[Value], depth: int) -> None:
        """Free the memory of large values that nothing needs any more, and the names of others."""
        dead = []
        for v in values:
            name = self._known.get(id(v))
            if name and self._owners[name] == id(v):
                if not self._fast or _is_large(v):
                    dead.append(name)
                if self._fast:
                    self._free.append(name)
        if dead:
            self._line(f"del {', '.join(dead)}", depth)

    def _error_state(self, state: Any) -> str:
        """The context of the calls that follow: NumPy's errors off, or as they were set."""
        if state is _backend.ignored:
            self.names["quiet"] = _backend.quiet
            return "quiet()"
        kinds = [f"{k}={x!r}" for k, x in settings_of(state).items()]
        return f"np.errstate({', '.join(kinds)})"

    def _line(self, text: str, depth: int, call: Call | None = None) -> None:
        line = "    " * depth + text
        if self.comments and call is not None and call.line is not None:
            line = f"{line}  # {Path(call.line[0]).name}:{call.line[1]}"
        self.lines.append(line)
        if call is not None:
            self.calls[len(self.lines) + 1] = call

    def _write(self, call: Call, depth: int) -> None:
        if call.name == "mask":
            self._write_mask(call, depth)
            return
        if call.function is has_no_nan and self._fast:
            self._line(f"if {self._nan_test(call.args[0])}: raise MeetsNaN", depth, call)
            return
        if call.name == "guard":
            self._object(Differs, "Differs")
            check = self._object(call.function, call.function.__name__)
            args = ", ".join([self._array(v) for v in call.args])
            expected = self._literal(call.kwargs["expected"])
            self._line(f"if {check}({args}) != {expected}: raise Differs", depth, call)
            return
        # (On a GPU the backend's function is called, which corrects the operator of CuPy and makes
        # that GPU the current one.)
        is_direct = not self._fast or call.device is None or call.device is _cpu
        in_place = _IN_PLACE.get(call.name)
        if in_place is not None and is_direct:
            target, other = call.args
            number = self._number(other, target) if self._fast and call.device is _cpu else None
            y = number or self._literal(other, True)
            self._line(f"{self._of(target)} {in_place} {y}", depth, call)
            return
        if call.name == "irtruediv" and self._fast and call.device is _cpu:
            target, other = call.args
            x, y = self._of(target), self._number(other, target) or self._literal(other, True)
            self._line(f"{self._object(_np.divide, 'divide')}({y}, {x}, {x})", depth, call)
            return
        if call.name == "__setitem__" and is_direct:
            x, value, key = call.args
            text = self._literal(value, True)
            self._line(f"{self._of(x)}[{self._key(key)}] = {text}", depth, call)
            return
        if self._fast and call.name == "scatter" and call.device is _cpu:
            x, key, shape = call.args
            if not values_in(key):  # (Repeated indices would add up.)
                dtype = "" if call.out.dtype == float else f", {self._literal(call.out.dtype)}"
                target, text = self._targets(call.out, call), self._literal(x, True)
                zeros = self._object(_np.zeros, "zeros")
                self._line(f"{target} = {zeros}({self._literal(shape)}{dtype})", depth, call)
                self._line(f"{target}[{self._key(key)}] = {text}", depth, call)
                return
        donor = self._donors.get(id(call))
        into = self._into.get(id(call.out)) or (self._of(donor) if donor is not None else None)
        if self._fast and into is not None:
            if not self._write_in_place(call, into, depth):
                self._write_into(call, into, depth)
            self._known[id(call.out)] = into
            self._owners[into] = id(call.out)
            return
        if into is not None:
            args = self._arguments(call.args, {}, True)
            text = f"{library_name(call.function)}({args}, out={into})"
        else:
            text = self.expression(call)
        if call.out is None:
            self._line(text, depth, call)
            return
        targets = self._targets(call.out, call)
        self._line(f"{targets} = {text}", depth, call)

    def _write_in_place(self, call: Call, into: str, depth: int) -> bool:
        """Write a call as ``x += y``, if it can be; Python reads that in a third of the time."""
        if call.name not in _ARITHMETIC or len(call.args) != 2:
            return False
        x, y = call.args
        if not isinstance(x, Value) and call.name in ("add", "multiply") and x == x:
            x, y = y, x  # (Of two NaN the result has the bits of the first, so arrays stay.)
        if not (isinstance(x, Value) and self._known.get(id(x)) == into):
            return False
        text = self._number(y, x) or self._literal(y, True)
        self._line(f"{into} {_INFIX[call.name]}= {text}", depth, call)
        return True

    def _write_into(self, call: Call, into: str, depth: int) -> None:
        """Write a call with the array that it writes its result to."""
        if call.function is _np.matmul:
            x, y = call.args
            self._line(f"{self._array(x)}.dot({self._array(y)}, {into})", depth, call)
            return
        name = self._object(call.function, call.function.__name__)
        # (By position it is quicker, and deprecated for `maximum`.)
        given = into if len(call.args) == 1 or call.name in _ARITHMETIC else f"out={into}"
        self._line(f"{name}({self._operands(call)}, {given})", depth, call)

    def _nan_test(self, v: Value) -> str:
        """The condition that a value has a NaN."""
        self.names["MeetsNaN"] = MeetsNaN
        x = self._of(v)
        if not v.shape and id(v) in self._scalars:
            return f"{x} != {x}"
        if v.dtype.char not in "fd" or 0 in v.shape:
            return f"not {self._object(has_no_nan, 'has_no_nan')}({x})"
        # (A sum of squares is NaN only if a term is. BLAS uses threads of its own for many terms,
        # and `dot` warns of overflow. A NaN counts as the largest element.)
        if len(v.shape) == 1 and v.shape[0] < 1024 and self._state is _backend.ignored:
            witness = f"{x}.dot({x})"
        else:
            witness = f"{x}.item({x}.argmax())"
        return f"(witness := {witness}) != witness"

    def _targets(self, out: Any, call: Call) -> str:
        if isinstance(out, Value):
            name = self._known.get(id(out))
            if name is None and self._free:
                name = self._known[id(out)] = self._free.pop()
                self._owners[name] = id(out)
            return name or self._name(out, self._base(call))
        if out is None:
            return "_"
        parts = [self._targets(x, call) for x in out]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def _base(self, call: Call) -> str:
        """A name for a result: the one that the user's line assigns to, where it has one."""
        if call.line is not None and not self._fast:
            line = linecache.getline(*call.line)
            match = re.match(r"\s*([A-Za-z_]\w*)\s*[-+*/@%&|^]{0,2}=(?!=)", line)
            if match:
                return match.group(1)
        return "v"

    def _write_mask(self, call: Call, depth: int) -> None:
        assert call.condition is not None
        x, weight = self._of(call.condition), self._array(call.args[0])
        is_scalar = id(call.condition) in self._scalars
        settle = self._function(call)
        out = next((v for v, other in zip(call.out, call.otherwise, strict=True)
                    if other is call.condition), None)  # fmt: skip
        for value, default in zip(call.out, call.otherwise, strict=True):
            if value is not out or is_scalar:
                scalar = id(value) in self._scalars
                text = self._of(default) if scalar else self._array(default)
                self._line(f"{self._targets(value, call)} = {text}", depth, call)
        if is_scalar:
            self._line(f"if {x} != {x}:", depth, call)
        elif out is None:
            self._line(f"if {settle}({x}, {weight}) is not {x}:", depth, call)
        else:
            target = self._targets(out, call)
            self._line(f"{target} = {settle}({x}, {weight})", depth, call)
            self._line(f"if {target} is not {x}:", depth, call)
        for inner in call.body:
            self._write(inner, depth + 1)

    # ---- expressions

    def expression(self, call: Call) -> str:
        """The right-hand side of a call."""
        text = self._plain_expression(call)
        out = call.out
        if isinstance(out, Value):
            is_scalar = id(out) in self._scalars
            if is_scalar and not out.is_scalar:
                return f"{text}[()]"
            if out.is_scalar and not is_scalar:
                return f"np.asarray({text})"
        if call.name == "loops":  # (which returns arrays alone)
            return text
        if isinstance(out, tuple) and True in [v.is_scalar for v in values_in(out)]:
            arrays = self._object(as_arrays, "as_arrays")
            return f"{arrays}({text})"
        return text

    def _plain_expression(self, call: Call) -> str:
        name, args, kwargs = call.name, call.args, call.kwargs
        own = call.device is not None and call.device.ops.get(name) is call.function
        if self._fast:
            text = self._fast_expression(call)
            if text is not None:
                return text
            own = own and call.device is _cpu
        if own and not kwargs:
            if name in _INFIX and len(args) == 2:
                free = name != "matmul"
                left, right = self._atom(args[0], free), self._atom(args[1], free)
                return f"{left} {_INFIX[name]} {right}"
            if name == "negative":
                return f"-{self._atom(args[0], True)}"
            if name == "getitem":
                x, key = args
                if call.out.shape == () and not _has_ellipsis(key):
                    key = (*key, ...) if isinstance(key, tuple) else (key, ...)
                return f"{self._array(x)}[{self._key(key)}]"
            if name == "T":
                return f"{self._array(args[0])}.T"
            if name == "matrix_transpose":
                return f"{self._array(args[0])}.mT"
        function = call.function
        if type(function) is type(_np.ndarray.astype):  # a method
            return f"{self._atom(args[0])}.{function.__name__}({self._arguments(args[1:], kwargs)})"
        free = is_elementwise(function) or function is _np.where
        return f"{self._function(call)}({self._arguments(args, kwargs, free)})"

    def _fast_expression(self, call: Call) -> str | None:
        """A quicker way to write a call of NumPy's, which says less."""
        function, args, kwargs = call.function, call.args, call.kwargs
        if call.device is not _cpu:
            return None
        if is_elementwise(function) and not kwargs and isinstance(call.out, Value):
            if id(call.out) in self._scalars:
                return None  # (as an operator)
            return f"{self._object(function, function.__name__)}({self._operands(call)})"
        if function is _np.matmul and not kwargs and _is_product_of_blas(call):
            # (The same call of BLAS, in a third of the time.)
            return f"{self._array(args[0])}.dot({self._array(args[1])})"
        if function in _RESHAPING and set(kwargs) <= {"axis", "copy"} and not kwargs.get("copy"):
            return f"{self._array(args[0])}.reshape({self._literal(call.out.shape)})"
        if len(args) == 1 and set(kwargs) <= {"axis", "keepdims"}:
            rest = self._literal(kwargs.get("axis", 0))
            if kwargs.get("keepdims"):
                rest += ", None, None, True"
            if function == _sum:
                return f"{self._object(_sum, 'sum')}({self._array(args[0])}, {rest})"
            if function is _mean and call.out.shape == () and _is_plain(args[0]):
                n = math.prod(args[0].shape)  # (NumPy's function does the same, in more steps.)
                return f"{self._object(_sum, 'sum')}({self._array(args[0])}, {rest}) / {n}"
        return None

    def _operands(self, call: Call) -> str:
        """The operands of an elementwise function, with its numbers converted to arrays."""
        parts = []
        for x in call.args:
            other = call.args[0] if x is not call.args[0] else call.args[-1]
            number = self._number(x, other) if call.name in _ARITHMETIC else None
            parts.append(number or self._literal(x, True))
        return ", ".join(parts)

    def _number(self, x: Any, other: Any) -> str | None:
        """The converted form of a number that is used with an array; None for others.

        It has the dtype that NumPy converts it to, so the result is the same.
        """
        if type(x) not in (int, float) or not isinstance(other, Value):
            return None
        if not other.shape or other.dtype is None or other.dtype.char not in "fd":
            return None
        if not abs(x) < (1e38 if type(x) is float else 1 << 24):
            return None
        key = (repr(x), other.dtype)
        name = self._numbers.get(key)
        if name is None:
            array = _np.asarray(x, dtype=other.dtype)
            array.flags.writeable = False
            name = self._numbers[key] = self._object(array, "number")
        return name

    def _function(self, call: Call) -> str:
        function: Any = call.function
        if call.name == "loops":
            return self._object(function.loops, "loops")
        if id(call) in self._onto:
            return self._object(function.onto(self._onto[id(call)]), "blocks")
        name = library_name(function)
        if name and self._fast:
            return self._object(function, function.__name__)
        return name or self._object(function, "settle" if call.name == "mask" else call.name)

    def _arguments(self, args: Sequence[Any], kwargs: dict[str, Any], free: bool = False) -> str:
        parts = [self._literal(x, free) for x in args]
        parts += [f"{k}={self._literal(x)}" for k, x in kwargs.items()]
        return ", ".join(parts)

    def _atom(self, x: Any, free: bool = False) -> str:
        text = self._literal(x, free)
        return f"({text})" if text.startswith("-") else text

    def _key(self, key: Any) -> str:
        if self._fast and isinstance(key, (tuple, slice)) and not values_in(key):
            same = key_of(key)
            if same not in self._keys:
                self._keys[same] = self._object(key, "key")
            return self._keys[same]
        if isinstance(key, tuple):
            parts = [self._key(k) for k in key]
            return f"{', '.join(parts)}{',' if len(parts) == 1 else ''}" if parts else "()"
        if isinstance(key, slice):
            start, stop, step = (
                "" if x is None else self._literal(x) for x in (key.start, key.stop, key.step)
            )
            return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
        return self._literal(key)

    def _literal(self, x: Any, free: bool = False) -> str:
        """The text of an argument; with `free`, an array without axes may be a scalar."""
        if isinstance(x, Value):
            return self._of(x) if free else self._array(x)
        kind = type(x)
        if kind is float:
            if math.isfinite(x):
                return repr(x)
            self.names["inf"], self.names["nan"] = math.inf, math.nan
            name = "nan" if x != x else "inf"
            return name if math.copysign(1, x) > 0 else f"-{name}"
        if kind is int or kind is bool or x is None or kind is str or kind is bytes or x is ...:
            return "..." if x is ... else repr(x)
        if kind is complex:
            self.names.setdefault("complex", complex)
            return f"complex({self._literal(x.real)}, {self._literal(x.imag)})"
        if kind is tuple:
            parts = [self._literal(y) for y in x]
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if kind is list:
            return f"[{', '.join(map(self._literal, x))}]"
        if kind is dict:
            pairs = [f"{k!r}: {self._literal(y)}" for k, y in x.items()]
            return f"{{{', '.join(pairs)}}}"
        if kind is slice:
            return (
                f"slice({self._literal(x.start)}, {self._literal(x.stop)}, {self._literal(x.step)})"
            )
        if isinstance(x, _dtype):
            return f"np.dtype({x.name!r})"
        if isinstance(x, type) and issubclass(x, _np.generic):
            return f"np.{x.__name__}"
        return self._object(x, getattr(x, "__name__", type(x).__name__).lower())


def write(program: Program, in_place: bool) -> Text:
    """The text of a part of a program, for `passes.in_runs`."""
    return Text(program, fast=True, in_place=in_place)


def as_arrays(found: Any) -> Any:
    """Results of a function of several as arrays."""
    return tuple([_np.asarray(x) if not isinstance(x, tuple) else as_arrays(x) for x in found])


def _has_ellipsis(key: Any) -> bool:
    return key is ... or (isinstance(key, tuple) and any(k is ... for k in key))


@lru_cache(1024)
def library_name(function: Any) -> str | None:
    """The public name of one of NumPy's functions; None for others."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, _np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    name = getattr(function, "__name__", "")
    for module, prefix in ((_np, "np"), (_np.linalg, "np.linalg"), (_np.fft, "np.fft")):
        if getattr(module, name, None) is function:
            return f"{prefix}.{name}"
    if isinstance(function, type(_np.ndarray.transpose)):
        return f"np.ndarray.{name}"
    return None


def is_elementwise(function: Any) -> bool:
    """Return True for NumPy's elementwise functions (of which `matmul` is none)."""
    return isinstance(function, _np.ufunc) and function.signature is None


def _is_plain(v: Value) -> bool:
    """Return True for an array of single or double precision whose number of elements is exact."""
    is_real = v.dtype is not None and v.dtype.char in "fd" and bool(v.shape)
    return is_real and 0 < math.prod(v.shape) < 1 << 24


def _is_among(v: Value, several: tuple[Any, ...]) -> bool:
    return any(v is x for x in several)


def _is_large(v: Value) -> bool:
    return len(v.shape) > 0 and math.prod(v.shape) * v.dtype.itemsize >= MIN_BYTES_TO_FREE


def _is_silent(call: Call) -> bool:
    """Return True for a call that does the same in every state of floating-point errors."""
    if call.name == "loops":
        run: Any = call.function
        return bool(run.is_silent)
    return call.name in SILENT


def _is_scalar(v: Any) -> bool:
    return not isinstance(v, Value) or not v.shape


def _finds_blas() -> bool:
    """Return True if NumPy has been built with BLAS (in a browser it has not)."""
    try:
        return bool(_np.show_config(mode="dicts")["Build Dependencies"]["blas"]["found"])
    except (KeyError, TypeError):
        return False


_has_blas = _finds_blas()


def _is_product_of_blas(call: Call) -> bool:
    """Return True for a product of matrices that `matmul` and `dot` leave to BLAS alike."""
    x, y = call.args
    return (
        _has_blas
        and isinstance(x, Value)
        and isinstance(y, Value)
        and x.memory is not y.memory  # (Products with its own transpose are made otherwise.)
        and x.dtype == y.dtype
        and x.dtype is not None
        and x.dtype.char in "fd"
        and x.shape is not None
        and y.shape is not None
        and (len(x.shape), len(y.shape)) in ((2, 2), (2, 1), (1, 2))
        and min(*x.shape, *y.shape) > 1
        and _is_dense(x)
        and _is_dense(y)
    )


def _is_dense(v: Value) -> bool:
    """Return True for a vector or matrix without gaps, in C or Fortran order."""
    step = v.dtype.itemsize
    if len(v.shape) == 1:
        return bool(v.strides == (step,))
    rows, columns = v.shape
    return v.strides in ((columns * step, step), (step, rows * step))


def last_uses(
    program: Program,
    scalars: set[int] | None = None,
    is_block: bool = False,
    donated: AbstractSet[int] = frozenset(),
) -> tuple[dict[int, list[Value]], dict[int, Value], dict[int, list[int]]]:
    """For the number of each call the values that nothing needs after it, without small ones.

    Also, by the id of each call, a value whose memory its result may have: one that nothing needs
    any more, of the result's shape, strides and dtype. It is an operand of the call. With `scalars`
    (those of the program), small values are among both, and it may be another one than an operand:
    the memory of small arrays is used again, and in blocks that of large ones, too. The inputs with
    the ids `donated` have memory of their own, which may be used again.

    At last, for runs in blocks, the numbers of such operands for all results, -1 where there is
    none.
    """
    last: dict[int, int] = {}
    made = {id(v): v for v in program.inputs if id(v) in donated}
    ends: dict[Memory, int] = {}
    fresh = {*donated}
    pinned: set[int] = set()
    for i, call in enumerate(program.calls):
        results = call.results()
        operands = call.operands()
        if call.name == "mask":
            pinned.update([id(v) for v in (*operands, *results)])
        is_fresh = call.name in _ALLOCATING or is_elementwise(call.function)
        for v in operands:
            ends[v.memory] = last[id(v)] = i
        for v in results:
            ends[v.memory] = last[id(v)] = i
            if v.dtype is not None and v.shape is not None:
                made[id(v)] = v
            if is_fresh:
                fresh.add(id(v))
    kept = {id(v) for v in program.outputs}
    used = {v.memory for v in program.outputs}
    dead: dict[int, list[Value]] = {}
    donors: dict[int, Value] = {}
    #: Values that nothing needs after a call, whose memory is theirs alone.
    given: dict[int, list[Value]] = {}
    for key, v in made.items():
        i = last.get(key, -1)
        is_large = _is_large(v)
        if i < 0 or key in kept or not (is_large or scalars is not None):
            continue
        if not is_block and (is_large or not (scalars is None or key in scalars)):
            dead.setdefault(i, []).append(v)
        if (
            key in fresh
            and v.shape
            and v.dtype.kind == "f"  # (complex products round otherwise in place)
            and (key in donated or not v.memory.is_outer)
            and v.memory not in used
            and (scalars is None or not (key in scalars or key in pinned))
        ):
            given.setdefault(i, []).append(v)
    pool: dict[Any, list[Value]] = {}
    reused: set[int] = set()
    onto: dict[int, list[int]] = {}
    for i, call in enumerate(program.calls):
        out = call.out
        free = given.get(i, [])
        if free and scalars is not None and not is_block and call.name == "blocks":
            taken = _overwritten(call, [v for v in free if ends[v.memory] <= i])
            if any(j >= 0 for j in taken):
                onto[id(call)] = taken
                free = [v for v in free if not any(call.args[j] is v for j in taken if j >= 0)]
        like: Any = None
        if type(out) is Value and out.shape and not (call.kwargs or call.writes):
            if is_elementwise(call.function):
                if library_name(call.function) and (scalars is None or id(out) not in pinned):
                    like = (out.shape, out.strides, out.dtype)
            elif (
                scalars is not None
                and call.function is _np.matmul
                and _is_product_of_blas(call)
                and _is_c_contiguous(out)
            ):
                # (Not into the memory of an operand, which is free only afterwards.)
                own = pool.get((out.shape, out.strides, out.dtype))
                if own:
                    donors[id(call)] = donor = own.pop()
                    reused.add(id(donor))
        for v in free:
            if ends[v.memory] > i and (like is None or out.memory is not v.memory):
                continue
            if v is out or (type(out) is tuple and _is_among(v, out)):
                continue
            form = (v.shape, v.strides, v.dtype)
            if form == like and id(call) not in donors and _is_among(v, call.args):
                donors[id(call)] = v
            elif scalars is not None and ends[v.memory] <= i and (is_block or not _is_large(v)):
                pool.setdefault(form, []).append(v)
        if like is not None and id(call) not in donors and pool.get(like):
            donors[id(call)] = donor = pool[like].pop()
            reused.add(id(donor))
    if reused:
        dead = {i: [v for v in values if id(v) not in reused] for i, values in dead.items()}
    return dead, donors, onto


def _overwritten(call: Call, free: list[Value]) -> list[int]:
    """For each result of a run in blocks the number of an operand whose memory it takes, or -1."""
    found: list[int] = []
    if call.function.loops is None:  # type: ignore[attr-defined]
        return found
    for v in call.results():
        form = v.shape, v.strides, v.dtype
        place = -1
        for i, x in enumerate(call.args):
            if (
                i not in found
                and _is_among(x, tuple(free))
                and (x.shape, x.strides, x.dtype) == form
                and sum(y.memory is x.memory for y in call.args) == 1
            ):
                place = i
                break
        found.append(place)
    return found


def _is_c_contiguous(v: Value) -> bool:
    """Return True for a vector or matrix in C order."""
    return bool(v.strides[-1] == v.dtype.itemsize) and (
        len(v.shape) == 1 or bool(v.strides[0] == v.shape[1] * v.dtype.itemsize)
    )
