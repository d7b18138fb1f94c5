"""Recording: the calls that reach the backends while a function runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from weakref import ref

from .. import _pytree
from .._array import wrap
from .._device import get_device
from .._memory import bottom
from .._modes import Setting, enter, get_mode, leave, unrecorded
from .._sequences import may_share_memory
from .._standard import MUTATING
from .._tensor import Tensor
from ..autodiff._graph import sequence_numbers
from ._program import NOTHING, Call, Memory, Value, values_in

_PACKAGE = str(Path(__file__).parents[1])
_cpu: Any = get_device("cpu")
_HostArray: Any = _cpu.array_type
_np: Any = _cpu.backend.namespace
_errors: Any = _cpu.backend.errors
_is_host_scalar = _cpu.backend.is_host_scalar

#: Operations whose results have a shape that depends on values.
_SHAPED_BY_VALUES = frozenset(
    """nonzero argwhere unique_all unique_counts unique_inverse unique_values
    flatnonzero""".split()
)
#: Products, which may depend on whether their operands are the same memory.
_PRODUCTS = frozenset("matmul tensordot vecdot linalg.tensordot linalg.vecdot".split())
#: Operations of which the result may be the operand itself, depending on values.
_RETURNS_OPERAND = frozenset({"settle", "settle_weight"})
#: Numbers that a function returns, and anything else that cannot change, are results as they are.
CONSTANTS = (type(None), bool, int, float, complex, str, bytes, type, type(get_device), type(_cpu))
#: What has no arrays in it.
_ATOMS = frozenset({bool, int, float, complex, str, slice, type(None), type(...)})
#: Smaller arrays live as long as the recorder: that takes less time than to see their end.
MAX_BYTES_TO_KEEP = 512


class _Link(ref):  # type: ignore[type-arg]
    """A weak reference that knows the id of what it refers to."""

    __slots__ = ("key",)
    key: int


class _ByIdentity:
    """What is known of objects, each as long as it lives; those without weak references live on."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[Any, Any]] = {}
        entries = self._entries

        def forget(link: Any) -> None:
            have = entries.get(link.key)
            if have is not None and have[0] is link:
                del entries[link.key]

        self._forget: Any = forget

    def get(self, x: Any) -> Any:
        have = self._entries.get(id(x))
        return None if have is None else have[1]

    def put(self, x: Any, value: Any, small: bool = False) -> None:
        """Note what is known of an object; a small one stays alive, which is quicker."""
        if small:
            self._entries[id(x)] = x, value
            return
        try:
            link: Any = _Link(x, self._forget)
            link.key = id(x)
        except TypeError:
            link = x
        self._entries[id(x)] = link, value

    def replace(self, old: Any, new: Any) -> None:
        """Put `new` in the place of `old` for all objects."""
        for key, (link, value) in list(self._entries.items()):
            if value is old:
                self._entries[key] = link, new


class Recorder:
    """Records the calls of the backends in one run of a function.

    Parameters
    ----------
    name : str
        The function, for messages.
    guards : bool
        Whether reads of values become checks in the program instead of errors.
    careful : bool
        Whether the program masks NaN itself. Otherwise it checks that there is none.
    """

    def __init__(self, name: str, guards: bool = False, careful: bool = False) -> None:
        self.name = name
        self.guards = guards
        self.careful = careful
        #: Whether the program checks that there is no NaN to be masked.
        self.assumes = False
        self.calls: list[Call] = []
        self.started_at = next(sequence_numbers)
        self.problem: str | None = None
        self._raised: str | None = None  # the problem if the function has caught an error
        self._backward_at = 0
        self._of_forward: set[int] = set()
        self.inputs: list[Value] = []
        #: Outer tensors by the ids of their arrays: for each its tensor.
        self.tensors: dict[int, Any] = {}
        #: What is known of the gradients of outer leaves: None or not, when first asked for.
        self.grads: dict[Any, bool] = {}
        self._set_grads: set[Any] = set()
        self.attributes: dict[tuple[int, str], list[Any]] = {}
        self._values = _ByIdentity()  # values
        self._memories = _ByIdentity()  # memories
        self._ranges: list[tuple[Any, int, int, Value]] = []
        self._all: list[Value] = []
        self.has_acted = False  # on something outside
        self._generators: dict[int, Any] = {}
        self._new_modules: dict[int, Any] = {}
        self._stack: list[tuple[list[Call], Any, Any]] = []
        self._lines: dict[Any, Any] = {}
        #: What stands for each checkpoint in the calls, which must not keep its tensors alive.
        self._regions: dict[Any, object] = {}
        self._mask: Any = None
        self.ambient = _errors.get(None) if hasattr(_errors, "get") else None
        self._setting: Setting | None = None

    # ---- the run

    def __enter__(self) -> Recorder:
        self._setting = enter("recorder", self)
        return self

    def __exit__(self, error: object, *_: object) -> None:
        assert self._setting is not None
        leave(self._setting)
        self._setting = None  # (which refers to this object)
        if error is not None or self.problem is not None:
            return
        self.problem = self._raised
        if self._stack and self.problem is None:
            self.problem = f"compile: {self.name} catches an error of a derivative"

    # ---- values

    def input(self, array: Any, device: Any) -> Value:
        """Note an argument."""
        value = self._outer_value("input", array, device)
        self.inputs.append(value)
        return value

    def _outer_value(self, kind: str, array: Any, device: Any) -> Value:
        memory = self._memory_of(array, device)
        value = Value(kind, memory, array)
        if self._is_array(array, device):
            self._unite(value, array, device)
        value.memory.is_outer = True
        self._note(array, value)
        return value

    def _unite(self, value: Value, array: Any, device: Any) -> None:
        """Let outer arrays that overlap have one memory, however each came by it."""
        home = device if isinstance(array, device.array_type) else _cpu
        low, high = home.ops["bounds"](array)
        if low == high:
            return
        memory = value.memory
        for other, start, end, v in self._ranges:
            if other is home and start < high and low < end and v.memory is not memory:
                self._merge(v.memory, memory)
        self._ranges.append((home, low, high, value))

    def _merge(self, old: Memory, memory: Memory) -> None:
        """Let all that has one memory have another one."""
        self._memories.replace(old, memory)
        for value in self._all:
            if value.memory is old:
                value.memory = memory
        memory.is_outer = memory.is_outer or old.is_outer
        memory.is_written = memory.is_written or old.is_written
        memory.is_imported = memory.is_imported or old.is_imported
        memory.is_small = memory.is_small and old.is_small

    def _note(self, x: Any, value: Value) -> None:
        """Find `value` by the array from now on, as long as that lives."""
        self._values.put(x, value, value.memory.is_small)
        self._all.append(value)

    def _find(self, x: Any) -> Value | None:
        return self._values.get(x)

    def known(self, x: Any) -> Value | None:
        """The value of an array; None if it is not known."""
        return self._values.get(x)

    def value_of(self, x: Any, device: Any) -> Value:
        """The value of an array, which comes from outside if it is not known."""
        value = self._find(x)
        if value is None:
            value = self._outer_value("outer", x, device)
            tensor = self.tensors.get(id(x))
            generator = self._generators.get(id(x))
            if generator is not None:
                value.source = lambda: generator._rng
            elif tensor is not None:
                value.source = lambda: tensor._data
            else:
                value.source = lambda: x
            value.data = x
        return value

    def _memory_of(self, x: Any, device: Any) -> Memory:
        if not self._is_array(x, device):
            return Memory()
        table = device.ops if isinstance(x, device.array_type) else _cpu.ops
        owner = table["root"](x)
        memory = self._memories.get(owner)
        if memory is None:
            memory = Memory()
            memory.is_small = type(owner) is _HostArray and owner.nbytes <= MAX_BYTES_TO_KEEP
            self._memories.put(owner, memory, memory.is_small)
        return memory

    def _is_array(self, x: Any, device: Any) -> bool:
        return type(x) is _HostArray or isinstance(x, (device.array_type, _HostArray))

    def tree(self, x: Any, device: Any, opaque: bool = False) -> Any:
        """Arguments with values in the place of arrays."""
        if type(x) in _ATOMS:
            return x
        value = self._find(x)
        if value is not None and (opaque or self._is_array(x, device)):
            return value
        if self._is_array(x, device):
            return self.value_of(x, device)
        kind = type(x)
        if kind is tuple or kind is list:
            return kind([self.tree(y, device, opaque) for y in x])
        if kind is dict:
            return {k: self.tree(y, device, opaque) for k, y in x.items()}
        if opaque and (kind.__name__ == "Generator" or self._find(x) is not None):
            return self.value_of(x, device)
        return x

    # ---- calls

    def recorded(
        self, name: str, function: Callable[..., Any], device: Any, operands: tuple[Any, ...] = ()
    ) -> Callable[..., Any]:
        """The function, which is recorded when it is called."""
        for x in operands:
            if isinstance(x, Tensor) and self._find(x._data) is None:
                self.tensors.setdefault(id(x._data), x)
        mode = get_mode()
        if mode is not None and mode.nans is not None:
            self._refuse(
                "debug_nans is switched on inside; call the compiled function inside of "
                "debug_nans, where it is not compiled"
            )
        if name in ("random.state", "random.restore"):
            self._refuse(
                "the state of a random generator is read or set, which a program cannot repeat; "
                "do that outside"
            )

        return partial(self._call, name, function, device)

    def _call(self, name: str, function: Any, device: Any, /, *args: Any, **kwargs: Any) -> Any:
        opaque = name.startswith("random.")
        call = Call(
            name,
            function,
            device,
            tuple([self.tree(x, device, opaque) for x in args]),
            {k: self.tree(x, device, opaque) for k, x in kwargs.items()} if kwargs else NOTHING,
        )
        call.errors = _errors.get(None)
        line = user_line()
        call.line = self._lines.setdefault(line, line)  # (Many calls have the same.)
        for grad in get_mode().grad:  # type: ignore[union-attr]
            if grad.captured is not None:
                call.region = self._regions.setdefault(grad, object())
                break
        if (
            name in MUTATING
            or name == "irtruediv"
            or (opaque and call.args and isinstance(call.args[0], Value) and name != "random.copy")
        ):
            call.writes = (call.args[0],)
        if name in _PRODUCTS:
            memories = [v.memory for v in call.operands()]
            call.is_apart = len(set(memories)) == len(memories)
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            if depends_on_values(error):
                self._raised = (
                    f"compile: {self.name} catches the {type(error).__name__} of {name}, and "
                    "whether it is raised depends on values; do that outside"
                )
            raise
        for value in call.writes:
            memory = value.memory
            memory.is_written = True
            self.has_acted = self.has_acted or memory.is_outer
            self._refuse_imported(value)
        if call.writes and not opaque:
            self.calls.append(call)
            return result
        if name in _RETURNS_OPERAND and any(result is x for x in args):
            result = device.ops["getitem"](result, ...)
        result, call.out, is_new = self._results(result, device)
        if not is_new and not call.writes:
            return result  # the operand itself
        if name in _RETURNS_OPERAND and device is _cpu:
            self._share(result, call.out, call.args[0])
        if name == "settle" and self._attach_to_mask(call, args):
            return result
        self.calls.append(call)
        if name in _SHAPED_BY_VALUES or (name == "repeat" and self._has_array(call)):
            self._shaped_by_values(name, call)
        elif name in ("getitem", "take") and self._has_mask(call):
            self._shaped_by_values("indexing with a mask", call)
        return result

    def _results(self, result: Any, device: Any) -> tuple[Any, Any, bool]:
        """The results as arrays, their values, and whether any of them is new."""
        if isinstance(result, (tuple, list)):
            parts = [self._results(x, device) for x in result]
            make = getattr(type(result), "_make", tuple)
            values = tuple([v for _, v, _ in parts])
            return make([x for x, _, _ in parts]), values, True in [new for _, _, new in parts]
        is_scalar = type(result) is not _HostArray and _is_host_scalar(result)
        if is_scalar:
            result = device.ops["from_scalar"](result)
        if not self._is_array(result, device) and type(result) in CONSTANTS:
            return result, None, True
        value = self._find(result)
        if value is not None:
            return result, value, False
        value = Value("result", self._memory_of(result, device), result)
        value.is_scalar = is_scalar
        self._note(result, value)
        return result, value, True

    def _has_array(self, call: Call) -> bool:
        """Return True if another argument than the first is an array."""
        return bool(values_in((call.args[1:], call.kwargs)))

    def _has_mask(self, call: Call) -> bool:
        return any(v.dtype is not None and v.dtype.kind == "b" and v.shape
                   for v in values_in(call.args[1:]))  # fmt: skip

    def _shaped_by_values(self, name: str, call: Call) -> None:
        if not self.guards:
            self._refuse(
                f"{name} has a result whose shape depends on values; write xp.where(...) instead, "
                'or compile with on_value="guard"'
            )
        shapes = tuple([v.shape for v in call.results()])
        self._guard("shape", shapes_of, call.results(), shapes)

    def constant(self, array: Any, device: Any) -> Any:
        """An array that the function makes of Python's numbers: a copy of a constant."""
        value = Value("constant", Memory(), array)
        value.data = device.ops["copy"](array)
        call = Call("copy", device.ops["copy"], device, (value,), {})
        call.line = user_line()
        call.errors = self.ambient
        call.out = Value("result", self._memory_of(array, device), array)
        self._note(array, call.out)
        self.calls.append(call)
        return array

    def imported(self, device: Any, obj: Any, dtype: Any, copy: bool | None) -> Any:
        """Data of the host as an array."""
        as_host, from_host = device.backend.as_host, device.ops["from_host"]
        if isinstance(obj, _HostArray):
            self.value_of(obj, _cpu).memory.is_imported = True

            def asarray(a: Any) -> Any:
                return from_host(as_host(a, dtype, copy))

            return self._call("asarray", asarray, device, obj)
        host = as_host(obj, dtype, copy)
        data = from_host(host)
        # (An object may give the same array each time, or a new one.)
        if (
            data is host
            and not copy
            and may_share_memory(host, obj, device)
            and (_cpu.ops["bounds"](as_host(obj, dtype, copy)) == _cpu.ops["bounds"](host))
        ):
            self.value_of(data, device).memory.is_imported = True
            return data
        return self.constant(data, device)

    # ---- a backward pass that follows

    def begin_backward(self) -> None:
        """What is recorded from here on is a program of its own."""
        self._backward_at = len(self.calls)
        self._of_forward = {id(v) for v in self._all}
        self.ambient = _errors.get(None)

    def parts(self) -> tuple[list[Call], list[Call]]:
        """The calls before and after `begin_backward`."""
        return self.calls[: self._backward_at], self.calls[self._backward_at :]

    def is_of_forward(self, value: Value) -> bool:
        """Return True for a value that was known before `begin_backward`."""
        return id(value) in self._of_forward

    def has_effects(self) -> bool:
        """Return True if the function has changed something outside, or asked for a gradient."""
        return self.has_acted or bool(self.grads)

    # ---- masks of NaN, which rarely have anything to do

    def assume_no_nan(self, x: Any, weight: Any) -> bool:
        """Return True if `x` has no NaN to be masked, and the program checks that."""
        if self.careful or not self.can_guard() or not has_no_nan(x):
            return False
        self._guard("NaN", has_no_nan, (self.value_of(x, _cpu),), True)
        self.calls[-1].otherwise = (self.value_of(weight, _cpu),)
        self.assumes = True
        return True

    def begin_mask(self, x: Any, weight: Any) -> None:
        """The calls from here to `end_mask` are needed only if `x` has a NaN."""
        self._stack.append((self.calls, x, weight))
        self.calls = []

    def end_mask(self) -> None:
        """See `begin_mask`; the last call is that of the settled weight."""
        body = self.calls
        self.calls, x, weight = self._stack.pop()
        device = body[-1].device
        call = Call("mask", device.ops["settle"], device, (self.value_of(weight, device),), {})
        call.errors, call.line = body[-1].errors, body[-1].line
        call.condition = self.value_of(x, call.device)
        call.body = body
        call.out = (body[-1].out,)
        call.otherwise = (self.value_of(weight, call.device),)
        self.calls.append(call)
        self._mask = call

    def _attach_to_mask(self, call: Call, args: tuple[Any, ...]) -> bool:
        """Put a `settle` into the mask that it belongs to, if it is its last part."""
        mask, self._mask = self._mask, None
        if mask is None or not self.calls or self.calls[-1] is not mask:
            return False
        if call.args[0] is not mask.condition or call.args[1] is not mask.out[0]:
            return False
        mask.body.append(call)
        mask.out += (call.out,)
        mask.otherwise += (mask.condition,)
        return True

    def _share(self, array: Any, value: Value, other: Value) -> None:
        """Note that a new value may be another one when the program runs, and so may its views."""
        if value.memory is not other.memory:
            value.memory = other.memory
            self._memories.put(_cpu.ops["root"](array), other.memory)

    # ---- Python

    def read(self, name: str, data: Any) -> None:
        """Python reads values."""
        if not self.guards:
            self._refuse(
                f"{name} reads values of a tensor, and the program would be right for these only; "
                "write xp.where(...) for a branch, pass a number as an argument, compile the "
                'inner function, or compile with on_value="guard"'
            )
        device = device_of(data)
        value = self.value_of(data, device)
        self._guard(name, bytes_of, (value,), bytes_of(data))

    def leave(self, name: str) -> None:
        """Another library reads the data."""
        self._refuse(
            f"{name} hands the data to code that cannot be recorded; do that outside of the "
            "compiled function"
        )

    def enter(self, name: str) -> None:
        """Data of another library comes in by DLPack."""
        self._refuse(f"{name} imports data; do that outside of the compiled function")

    def guard_nan(self, x: Any, weight: Any, nothing: bool) -> None:
        """The program is right only if there is something to mask, or nothing, as now."""
        if nothing and self.assume_no_nan(x, weight):
            return
        values = (self.value_of(x, _cpu), self.value_of(weight, _cpu))
        self._guard("NaN", _cpu.backend.corrections.is_settled, values, nothing)

    def can_guard(self) -> bool:
        """Return True if nothing has been done yet that could not be undone."""
        return not self._stack and not self.has_acted

    def _guard(self, name: str, function: Any, values: tuple[Value, ...], expected: Any) -> None:
        if not self._stack and not self.can_guard():
            self._refuse(
                f"{name} reads values after the function has written to a tensor from outside or "
                "drawn random numbers, which could not be undone; read them before"
            )
        if self._stack:
            self._refuse(f"{name} reads values in a derivative that only masks NaN")
        call = Call("guard", function, None, values, {"expected": expected})
        call.line = user_line()
        call.is_repeated = True
        call.errors = self.ambient
        self.calls.append(call)

    def _refuse_imported(self, value: Value) -> None:
        """Raise for a write to an array of NumPy's: a program has one, not a new one each time."""
        if value.memory.is_imported:
            self._refuse(
                "the function writes to memory that it imports itself, or lets others do so; write "
                "xp.asarray(a, copy=True)"
            )

    def _refuse(self, why: str) -> None:
        line = user_line()
        place = f" ({Path(line[0]).name}, line {line[1]})" if line is not None else ""
        error = TypeError(f"compile: in {self.name}{place}, {why}")
        self.problem = str(error)
        raise error

    # ---- what the program does besides computing

    def host(self, name: str, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Call a function that changes Python's state now, and whenever the program runs."""
        leaves, structure = _pytree.flatten(args)
        places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]
        plain = [bottom(leaves[i]) for i in places]
        for x in plain:
            if self._find(x._data) is None:
                self.tensors.setdefault(id(x._data), x)
        values = tuple([self.value_of(x._data, x._device) for x in plain])
        devices = [x._device for x in plain]

        def again(*arrays: Any) -> Any:
            filled = list(leaves_without)
            for i, array, device in zip(places, arrays, devices, strict=True):
                filled[i] = wrap(Tensor, as_array(array, device), device)
            with unrecorded():
                return function(*_pytree.unflatten(structure, filled))

        leaves_without = [None if isinstance(x, Tensor) else x for x in leaves]
        self._repeated(name, again, values)
        with unrecorded():
            return function(*args)

    def check(self, function: Callable[..., None], *tensors: Any) -> None:
        """Call a function that raises for some values now, and whenever the program runs."""
        plain = [bottom(x) for x in tensors]
        devices = [x._device for x in plain]
        values = tuple([self.value_of(x._data, x._device) for x in plain])

        def again(*arrays: Any) -> None:
            with unrecorded():
                function(*map(_wrapped, arrays, devices))

        call = Call("check", again, None, values, {})
        call.line, call.errors, call.is_repeated = user_line(), self.ambient, True
        self.calls.append(call)
        with unrecorded():
            function(*plain)

    def _repeated(self, name: str, function: Any, values: tuple[Value, ...]) -> Call:
        call = Call(name, function, None, values, {})
        call.line = user_line()
        call.is_repeated = True
        call.errors = _errors.get(None)
        self.has_acted = True
        for value in values:
            value.memory.is_outer = value.memory.is_written = True
            self._refuse_imported(value)
        self.calls.append(call)
        return call

    def _is_outer_leaf(self, node: Any) -> bool:
        return bool(node.is_tape_leaf) and node.sequence_nr < self.started_at

    def read_grad(self, x: Any) -> None:
        """`x.grad` is asked for."""
        node = x._trace
        if not self._is_outer_leaf(node):
            return
        have = node.grad
        if node not in self.grads and node not in self._set_grads:
            self.grads[node] = have is None
            if have is not None and self._find(have._data) is None:
                value = self._outer_value("outer", have._data, have._device)
                value.source = lambda: node.grad._data
                value.data = have._data

    def write_grad(self, x: Any, grad: Any) -> bool:
        """Set `x.grad`, if `x` is a leaf from outside; return True if it is done."""
        node = x._trace
        if not self._is_outer_leaf(node):
            return False
        self._set_grads.add(node)

        def set_grad(grad: Any) -> None:
            node.grad = grad

        self.host("grad", set_grad, (grad,))
        return True

    def accumulate(self, node: Any, g: Any, add: Callable[[Any, Any], None]) -> bool:
        """Add to the gradient of a leaf from outside; return True if it is done."""
        if not self._is_outer_leaf(node):
            return False
        if g._trace is not None:
            self._refuse(
                "backward(create_graph=True) adds to the gradient of a tensor from outside; "
                "write autodiff.grad"
            )
        self._set_grads.add(node)
        device = g._device

        def again(data: Any) -> Any:
            with unrecorded():
                add(node, wrap(Tensor, as_array(data, device), device))
            return node.grad._data

        call = self._repeated("backward", again, (self.value_of(g._data, device),))
        with unrecorded():
            add(node, g)
        call.out = Value("result", call.args[0].memory, node.grad._data)
        memory = self._memory_of(node.grad._data, device)
        if memory is not call.out.memory:
            memory.is_outer = memory.is_written = True
            call.out.memory = memory
        self._note(node.grad._data, call.out)
        return True

    def see_generator(self, generator: Any) -> None:
        """A random generator is used."""
        if self._find(generator._rng) is None:
            self._generators.setdefault(id(generator._rng), generator)

    def set_attribute(self, module: Any, name: str, value: Any) -> None:
        """An attribute of a module is going to be set."""
        key = id(module)
        if not vars(module):
            self._new_modules[key] = module
        if key in self._new_modules:
            return
        have = vars(module).get(name, _MISSING)
        self.attributes.setdefault((key, name), [module, name, have])

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function and record it; raise if there can be no program of it."""
        try:
            with self:
                out = function(*args, **kwargs)
        except Exception as error:
            if self.problem is None or str(error) == self.problem:
                raise
            raise TypeError(self.problem) from error
        if self.problem is not None:
            raise TypeError(self.problem)
        self._check_attributes()
        return out

    def _check_attributes(self) -> None:
        """Raise if the function has changed an attribute of a module."""
        for module, name, before in self.attributes.values():
            now = vars(module).get(name, _MISSING)
            if now is before:
                continue
            if not isinstance(now, Tensor):
                same = type(now) is type(before) and not isinstance(now, Tensor)
                if same and isinstance(now, CONSTANTS) and now == before:
                    continue
                self._refuse(
                    f"the function changes {type(module).__name__}.{name}, which a program cannot "
                    "repeat; change it outside"
                )
            self._refuse(
                f"the function sets {type(module).__name__}.{name} to another tensor; write "
                f"into it: {name}[...] = x"
            )

    def refuse_new(self, what: str) -> None:
        """An object whose state the program could not follow is made."""
        self._refuse(f"{what} is made inside of the compiled function; make it outside")


_MISSING = object()


def as_array(x: Any, device: Any) -> Any:
    """A result of a backend's function as an array."""
    return x if isinstance(x, device.array_type) else device.ops["from_scalar"](x)


def _wrapped(x: Any, device: Any) -> Any:
    return wrap(Tensor, as_array(x, device), device)


def device_of(data: Any) -> Any:
    """The device of an array, or of a number of NumPy's."""
    if isinstance(data, _HostArray) or _is_host_scalar(data):
        return _cpu
    return get_device(f"cuda:{data.device.id}")


def depends_on_values(error: Exception) -> bool:
    """Return True for errors that the same shapes and dtypes need not raise again."""
    return isinstance(error, (FloatingPointError, IndexError, OverflowError)) or any(
        c.__name__ == "LinAlgError" for c in type(error).__mro__
    )


def has_no_nan(x: Any) -> bool:
    """Return True if no element of an array of NumPy's is NaN."""
    if not x.size:
        return True
    largest = x.item(x.argmax())  # (A NaN counts as the largest element.)
    return bool(largest == largest)


def shapes_of(*arrays: Any) -> tuple[Any, ...]:
    """The shapes of arrays."""
    return tuple([x.shape for x in arrays])


def bytes_of(x: Any) -> bytes:
    """All values of an array, as bytes."""
    return (x if hasattr(x, "tobytes") else x.get()).tobytes()


def user_line() -> tuple[str, int] | None:
    """The file and the line of the innermost code outside of this package."""
    frame: Any = sys._getframe(0)  # (Compiled, this function has no frame of its own.)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE):
            return file, frame.f_lineno
        frame = frame.f_back
    return None
