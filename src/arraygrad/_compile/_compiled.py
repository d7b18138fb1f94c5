"""`compile`: functions that are recorded once and run as programs."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import math
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache, update_wrapper
from pathlib import Path
from typing import Any, Generic

from .. import _pytree
from .._array import wrap
from .._device import Device, get_device
from .._dtypes import get_defaults
from .._errors import describe, explain
from .._memory import bottom, storage_of
from .._modes import get_mode
from .._tensor import Tensor
from .._typing import P, R
from ..random import Generator, _noting
from ._calls import MISSING, Checked, Known, run_first
from ._graph import graphed, is_captured, wait_for_constants
from ._program import Call, Memory, Program, Value
from ._recorder import Recorder, has_no_nan
from ._text import Text, write
from ._watch import Watch
from .passes import drop_dead_code, in_runs, optimised
from .passes.blocks import Blocks
from .passes.loops import Run

#: Signatures of one function for which programs are kept, those recorded last.
MAX_PROGRAMS = 64
#: Programs for one signature that differ in the values that Python read.
MAX_GUARDED = 8
#: Objects for which a compiled method keeps programs, those used last. They are kept alive.
MAX_INSTANCES = 64
#: How often a function is recorded again because what it uses from outside has changed.
MAX_CHANGES = 16
#: New objects after which Python looks for reference cycles while a function is recorded.
MIN_TO_COLLECT = 100_000

#: The reason for a call that is not compiled while later ones may be.
_CAPTURED = "it is captured by a CUDA stream"

_cpu: Any = get_device("cpu")
_is_host_scalar = _cpu.backend.is_host_scalar
_TENSORS = {Tensor}
_NUMBERS = (bool, int, float, complex, str, bytes, Device, type(_cpu.backend.dtype("f8")))


class Output:
    """How a leaf of the results is made.

    Attributes
    ----------
    kind : str
        "result" of the program; "constant"; an "input" itself; or the "same" as another leaf.
    x : object
        The position of the result, of the argument or of the other leaf; the constant.
    device : Device or None
        Of a result.
    owner : tuple or None
        What a result shares its memory with: ("input", position), ("leaf", position) or
        ("outer", tensor).
    """

    __slots__ = ("device", "kind", "owner", "x")

    def __init__(self, kind: str, x: Any, device: Any = None, owner: Any = None) -> None:
        self.kind, self.x, self.device, self.owner = kind, x, device, owner

    def make(self, tensors: list[Any], found: Any, made: list[Any]) -> Any:
        """The leaf, from the arguments, the program's results, and the leaves before it."""
        if self.kind == "result":
            out = wrap(Tensor, found[self.x], self.device)
            if self.owner is not None:
                kind, x = self.owner
                x = tensors[x] if kind == "input" else made[x] if kind == "leaf" else x
                storage = storage_of(bottom(x))
                storage.add(out)
                out._storage = storage
            return out
        return self.x if self.kind == "constant" else (tensors, made)[self.kind == "same"][self.x]


class Entry:
    """One recorded program, and what it needs to be run.

    Attributes
    ----------
    reason : str
        Why calls with this signature are not compiled; empty if they are.
    """

    #: True if the results are differentiated outside; see `_derivatives`.
    is_differentiated = False

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        self.recorded_calls = 0
        self.seconds = 0.0
        self.runs = 0

    def summary(self) -> str:
        """A line about it."""
        return f"not compiled: {self.reason}"


class Ready(Checked, Entry):
    """A program that can be run.

    It is recorded by the first call, and prepared before its first run: many functions are called
    once with arguments of a kind.

    Parameters
    ----------
    recorder : Recorder
        What has recorded it.
    watch : Watch
        What the function uses from outside.
    recorded : Program
        The calls.
    outputs, structure : list of Output, object
        How the leaves of the results are made, and their containers.
    graphs, reassociate : bool
        Whether it may run as a CUDA graph, and compute sums in another order.
    is_optimised : bool
        True if the passes have seen it.
    """

    def __init__(
        self,
        recorder: Recorder,
        watch: Watch,
        recorded: Program,
        outputs: list[Output],
        structure: Any,
        graphs: bool,
        reassociate: bool,
        is_optimised: bool = False,
    ) -> None:
        Entry.__init__(self)
        Checked.__init__(self, watch, list(recorder.grads.items()), outputs, structure)
        self.recorded_calls = len(recorder.calls)
        self.assumes = recorder.assumes
        self.acts = recorder.has_acted
        self.careful: Ready | None = None
        #: Makes `reuse`, if the program may use the memory of donated arguments.
        self.make_reuse: Callable[[Ready], Any] | None = None
        self._graphs, self._reassociate, self._is_optimised = graphs, reassociate, is_optimised
        self._recorded: Program | None = recorded
        self._tensors = recorder.tensors
        self.seconds_to_prepare = 0.0
        self._lock = threading.RLock()  # (Finalizers, which run at any time, may call functions.)

    def prepare(self) -> bool:
        """Make the program from the recorded calls; return False if that was interrupted before."""
        with self._lock:
            if self.run is not None:
                return True
            recorded, self._recorded = self._recorded, None  # (which the passes change)
            if recorded is None:
                return False
            began = time.perf_counter()
            with _RareCollections():
                run = self._made(recorded)
                if self.make_reuse is not None:
                    self.reuse = self.make_reuse(self)
            self._tensors = {}
            self.seconds_to_prepare = time.perf_counter() - began
            self.run = run  # (last: it says that the others are there)
            return True

    def _made(self, recorded: Program) -> Any:
        """Set all that is known of the program, and return its function."""
        plain = recorded if self._is_optimised else optimised(recorded, self._reassociate)
        self._plain = plain
        self._program = program = in_runs(plain, write)
        wait_for_constants(program)
        self.text = text = Text(program, fast=True)
        function = text.function()
        #: What runs it as a CUDA graph; None if it does not use a GPU, or is not to.
        self._graph = graphed(program, function) if self._graphs else None
        self.outer = [(self._tensors.get(id(v.data)), v.data, v.source) for v in text.outer]
        written = {v.memory for c in program.calls for v in c.writes if v.memory.is_outer}
        self.written_inputs = [i for i, v in enumerate(program.inputs) if v.memory in written]
        self.written_outer = [
            tensor
            for v, (tensor, _, _) in zip(text.outer, self.outer, strict=True)
            if tensor is not None and v.memory in written
        ]
        if all(make.kind == "result" and make.owner is None for make in self.outputs):
            self.new = [(make.x, make.device) for make in self.outputs]
        n = len(program.inputs)
        everything = [*program.inputs, *text.outer]
        self.overlaps = [
            (i, j, everything[i].memory is everything[j].memory)
            for i in range(n)
            for j in range(len(everything))
            if i != j and {everything[i].memory, everything[j].memory} & written
            and not (j < n and j < i)
        ]  # fmt: skip
        return function if self._graph is None else self._graph

    @property
    def program(self) -> Program:
        """The program that runs."""
        self.prepare()
        return self._program

    @property
    def plain(self) -> Program:
        """The program without runs and blocks, to be read and exported."""
        self.prepare()
        return self._plain

    @property
    def graph(self) -> Any:
        """What runs it as a CUDA graph, or None."""
        self.prepare()
        return self._graph

    def summary(self) -> str:
        """A line about it."""
        if not self.prepare():
            return "not compiled: its preparation was interrupted"
        shapes = ", ".join(f"{v.dtype}{list(v.shape or ())}" for v in self.program.inputs)
        checks = sum(call.name == "guard" for call in self.plain.calls)
        nans = sum(call.function is has_no_nan for call in self.plain.calls)
        guards = checks - nans
        masks = nans + sum(call.name == "mask" for call in self.plain.calls)
        size = sum(
            math.prod(v.shape) * v.dtype.itemsize
            for call in self.program.calls
            for v in call.results()
            if v.shape is not None and v.dtype is not None
        )
        return (
            f"({shapes}): {self.recorded_calls} calls recorded, {len(self.plain.calls)} left, "
            f"of which {masks} look for NaN and {guards} check values; {size:,} bytes of results; "
            f"recorded in {self.seconds:.3g} s, prepared in {self.seconds_to_prepare:.3g} s; "
            f"run {self.runs} times{self.graph_summary()}"
        )

    def graph_summary(self, part: str = "") -> str:
        """The end of a line: whether the program, or a part of one, runs as a CUDA graph."""
        return "" if self.graph is None else f"; {part}{self.graph.summary()}"

    def outer_tensors(self) -> list[Any]:
        """The tensors from outside."""
        return [tensor for tensor, _, _ in self.outer if tensor is not None]

    def _explained(self, error: Exception) -> Exception:
        """The error as the operation raises it outside of a program."""
        trace, text, is_block = error.__traceback__, self.text, False
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<compiled program>":
                call = text.calls.get(trace.tb_lineno)
                if call is None or call.device is None:
                    return error
                if not isinstance(call.function, (Blocks, Run)):
                    return _explained(error, call, text, trace.tb_frame.f_locals, is_block)
                text, is_block = call.function.text, isinstance(call.function, Blocks)
            trace = trace.tb_next
        return error


def _explained(error: Exception, call: Call, text: Text, local: Any, is_block: bool) -> Exception:
    """The error of a call, given the variables of the program or of one block."""
    device: Any = call.device
    operands = []
    for x in call.args:
        if isinstance(x, Value):
            data = local.get(text.name_of(x))
            if not isinstance(data, device.array_type):
                continue
            if is_block:  # (The message tells of the whole array.)
                data = device.ops["broadcast_to"](data[(*[0] * data.ndim, ...)], x.shape)
            x = wrap(Tensor, data, device)
        operands.append(x)
    name = {"getitem": "__getitem__"}.get(call.name, call.name)
    return explain(error, name, operands)


@lru_cache
def _flat_structure(n: int) -> Any:
    """The structure of the arguments of a call with `n` tensors."""
    return _pytree.flatten(((0,) * n, {}))[1]


class _Same:
    """An object that is equal to itself alone, and alive as long as this one."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.x is self.x

    def __hash__(self) -> int:
        return id(self.x)


def _exact(x: Any) -> Any:
    """A key that differs for values that are equal but not the same, such as 1 and 1.0."""
    kind = type(x)
    if isinstance(x, (float, complex)):
        return kind, repr(x)
    if isinstance(x, (set, frozenset)):
        return kind, frozenset(map(_exact, x))
    if _is_host_scalar(x):
        return kind, str(x.dtype), x.tobytes()
    if isinstance(x, (tuple, list)):
        return kind, tuple(map(_exact, x))
    if isinstance(x, dict):
        return kind, tuple([(_exact(k), _exact(y)) for k, y in x.items()])
    by_identity: Any = object.__hash__
    if dataclasses.is_dataclass(x) and kind.__hash__ is not by_identity:
        fields = [getattr(x, f.name, None) for f in dataclasses.fields(x) if f.compare]
        return kind, x, tuple(map(_exact, fields))
    return kind, x


def _details(x: Any) -> Any:
    """What tells containers apart that optree takes for equal: orders of keys, static fields."""
    if isinstance(x, dict):
        return tuple([(_exact(k), _details(y)) for k, y in x.items()])
    if isinstance(x, (tuple, list, deque)):
        return tuple(map(_details, x))
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return tuple(
            [
                (_exact if f.metadata.get("static") else _details)(getattr(x, f.name))
                for f in dataclasses.fields(x)
            ]
        )
    return None


def _has_to_run(mode: Any) -> bool:
    """Return True where something follows each operation, so that a program would not do.

    That is another recorder, a check for NaN, and a checkpoint, which notes the tensors that it
    meets.
    """
    return mode is not None and (
        mode.recorder is not None
        or mode.nans is not None
        or any(grad.captured is not None for grad in mode.grad)
    )


class Compiled(Generic[P, R]):
    """A function that `compile` returned; see there."""

    def __init__(
        self,
        function: Callable[P, R],
        static_argnums: tuple[int, ...],
        static_argnames: tuple[str, ...],
        guards: bool,
        graphs: bool,
        reassociate: bool,
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._static_argnums = static_argnums
        self._static_argnames = frozenset(static_argnames)
        self._guards = guards
        self._graphs = graphs
        self._reassociate = reassociate
        self._name = getattr(function, "__qualname__", type(function).__name__)
        self._entries: OrderedDict[Any, list[Entry]] = OrderedDict()
        self._changes: dict[Any, int] = {}
        #: The signature of one of the last calls.
        self._known: Known | None = None
        #: Signatures whose programs mask NaN, because there have been some.
        self._careful: set[Any] = set()
        self._lock = threading.RLock()  # (Finalizers, which run at any time, may call it.)
        self._bound: OrderedDict[int, Compiled[..., Any]] = OrderedDict()
        self._binding: Any = None
        #: How often it was called as it is where it is differentiated, by the reason.
        self._as_it_is: dict[str, int] = {}

    def __reduce__(self) -> Any:
        """Copies and pickles have the function, not its programs."""
        if self._binding is not None:
            return Compiled.__get__, self._binding
        found: Any = sys.modules.get(getattr(self, "__module__", ""))
        for name in self._name.split("."):
            found = getattr(found, name, None)
        if found is self:
            return self._name
        return type(self), (self._function, *self._options())

    def _options(self, bound: int = 0) -> tuple[Any, ...]:
        """What it was made with, for another one whose first `bound` arguments are given."""
        numbers = tuple([i - bound for i in self._static_argnums if i >= bound])
        names = tuple(self._static_argnames)
        return numbers, names, self._guards, self._graphs, self._reassociate

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, by its program where there is one for such arguments."""
        mode = get_mode()
        known = self._known
        if known is not None and mode is None and not (kwargs or _noting.get()):
            out = known.call(args)
            if out is not MISSING:
                return out
        if _has_to_run(mode):
            return self._function(*args, **kwargs)
        signature = self._signature(args, kwargs, mode)
        if signature is None:
            return self._differentiated(args, kwargs, mode)
        if _noting.get():  # a run that may have to draw the same random numbers again
            return self._function(*args, **kwargs)
        key, tensors, structure, static = signature
        entries = self._entries.get(key)
        if entries is not None:
            if mode is None and self._is_plain(args, tensors, structure[1]):
                self._known = Known(entries, tensors, key, self._careful)
            out = run_first(entries, tensors, key, self._careful)
            if out is not MISSING:
                return out
            for entry in entries:
                if not isinstance(entry, Ready):
                    if entry.is_differentiated:
                        return self._differentiated(args, kwargs, mode)
                    return self._function(*args, **kwargs)
        elif any(t._trace is not None for t in tensors) and _derivatives().is_known(
            self, args, kwargs, mode
        ):
            return self._differentiated(args, kwargs, mode)
        return self._record(key, tensors, structure, static)

    def _is_plain(self, args: Any, tensors: list[Any], leaves: Any) -> bool:
        """Return True if all arguments are different tensors, and none is differentiated."""
        if leaves is not args or self._static_argnums or self._static_argnames:
            return False
        return len(set(map(id, args))) == len(args) and all(t._trace is None for t in tensors)

    def _differentiated(self, args: Any, kwargs: Any, mode: Any) -> Any:
        """Call the function where a tensor that it uses is differentiated."""
        return _derivatives().call(self, args, kwargs, mode)

    def _entry_for(self, args: Any, kwargs: Any) -> Entry:
        """The program for arguments, recorded if there is none."""
        mode = get_mode()
        has_to_run = _has_to_run(mode) or _noting.get()
        signature = None if has_to_run else self._signature(args, kwargs, mode)
        if signature is None:
            return Entry("it is being differentiated, recorded or checked for NaN")
        key, tensors, structure, static = signature
        for entry in self._entries.get(key, ()):
            if not isinstance(entry, Ready) or entry.arrays(tensors) is not None:
                return entry
        self._record(key, tensors, structure, static)
        return self._entries.get(key, [Entry(_CAPTURED)])[0]

    def source(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the program for such arguments as Python source.

        It is a module that needs NumPy alone, as `export` writes it, if that is possible. Each line
        ends with the place in the user's code that it comes from.

        Parameters
        ----------
        *args, **kwargs
            Arguments of the function. It is called if there is no program for such arguments yet.

        Returns
        -------
        str
            The source.

        Raises
        ------
        TypeError
            If calls with such arguments are not compiled; the message says why.
        """
        entry = self._ready("source", args, kwargs)
        names = self._argument_names(args, kwargs)
        try:
            return self._module(entry, names).text
        except TypeError:
            return Text(entry.plain, comments=True, inputs=names).whole(self._short_name())

    def export(self, path: Any, *args: P.args, **kwargs: P.kwargs) -> None:
        """Write the program for such arguments as a module that needs NumPy alone.

        The module has one function, of the name of the compiled one. It takes NumPy arrays, one for
        each tensor in the arguments, in order, and returns arrays in the containers of the
        results. Numbers are those that it was recorded with. Tensors from outside are constants:
        they are saved beside the module in an ``.npz`` file.

        Parameters
        ----------
        path : str or path
            The file, which ends in ``.py``.
        *args, **kwargs
            Arguments of the function. It is called if there is no program for such arguments yet.

        Raises
        ------
        TypeError
            If the program needs more than NumPy: a GPU, an optimiser, a random generator from
            outside, SciPy. Nothing has been written then.
        ValueError
            If `path` does not end in ``.py``.
        """
        file = Path(path)
        if file.suffix != ".py":
            raise ValueError(f"export: the path must end in .py; got {str(path)!r}")
        entry = self._ready("export", args, kwargs)
        module = self._module(entry, self._argument_names(args, kwargs))
        if module.arrays:
            save = _cpu.backend.namespace.savez
            save(file.with_suffix(".npz"), **module.arrays)
        file.write_text(module.text)

    def explain(self) -> str:
        """Return a table of the programs: what was recorded, what is left, and what it takes.

        Returns
        -------
        str
            A line for each program.
        """
        # (Other threads may add some meanwhile.)
        found = [entry for entries in [*self._entries.values()] for entry in entries]
        count = len(found)
        lines = [f"{self._name}: {count} {'program' if count == 1 else 'programs'}"]
        lines += [f"  {entry.summary()}" for entry in found]
        for reason, count in [*self._as_it_is.items()]:
            lines.append(f"  called as it is {count} times: {reason}")
        return "\n".join(lines)

    def _ready(self, name: str, args: Any, kwargs: Any) -> Ready:
        entry = self._entry_for(args, kwargs)
        if not isinstance(entry, Ready):
            raise TypeError(f"{name}: such calls of {self._name} are not compiled: {entry.reason}")
        if not entry.assumes or entry.acts:
            return entry
        # The program that is right with NaN, too:
        if entry.careful is None or not entry.careful.prepare():
            found: Any = self._signature(args, kwargs, get_mode())
            _, tensors, structure, static = found
            other, _ = self._recorded(tensors, structure, static, careful=True)
            entry.careful = other if isinstance(other, Ready) else entry
        return entry.careful

    def _module(self, entry: Ready, names: list[str]) -> Any:
        from ._export import Module

        program = entry.plain
        calls = [call for call in program.calls if call.name != "check"]
        program = Program(program.inputs, calls, program.outputs, program.ambient)
        name = self._short_name()
        text = Text(drop_dead_code(program), comments=True, inputs=names, name=name)
        return Module(text, name, entry.structure, entry.outputs)

    def _short_name(self) -> str:
        name = self._name.rpartition(".")[2]
        return name if name.isidentifier() else "program"

    def _argument_names(self, args: Any, kwargs: Any) -> list[str]:
        """A name for each tensor in the arguments."""
        names: list[str] = []
        try:
            bound = inspect.signature(self._function).bind(*args, **kwargs).arguments
        except (TypeError, ValueError):
            bound = {f"x{i}": x for i, x in enumerate((*args, *kwargs.values()))}
        for name, tree in bound.items():
            n = sum(type(x) is Tensor for x in _pytree.flatten(tree)[0])
            names += [name] if n == 1 else [f"{name}{i}" for i in range(n)]
        return names

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A method, of which each object has programs of its own."""
        if instance is None or not hasattr(self._function, "__get__"):
            return self
        with self._lock:
            bound = self._bound.get(id(instance))
            if bound is None:  # (It keeps the instance alive, and so its id.)
                bound = type(self)(self._function.__get__(instance, owner), *self._options(1))
                bound._binding = self, instance
                self._bound[id(instance)] = bound
                if len(self._bound) > MAX_INSTANCES:
                    self._bound.popitem(last=False)
            else:
                self._bound.move_to_end(id(instance))
        return bound

    # ---- signatures

    def _signature(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], mode: Any
    ) -> tuple[Any, list[Any], Any, Any] | None:
        """What a program is recorded for, the tensors of the arguments, and how to rebuild them.

        None for arguments that are being differentiated.
        """
        static: Any = ()
        fixed: Any = None
        if self._static_argnums or self._static_argnames:
            order = tuple(kwargs)
            args, kwargs, values = self._without_static(args, kwargs)
            static = values, order
            fixed = order, tuple([(k, _exact(x)) for k, x in values])
        leaves: Any = args
        structure: Any = None
        if not kwargs and set(map(type, args)) == _TENSORS:  # most often
            structure = _flat_structure(len(args))
        else:
            leaves, structure = _pytree.flatten((args, kwargs))
        tensors = []
        signature: list[Any] = []
        for x in leaves:
            if type(x) is Tensor:
                trace = x._trace
                if trace is not None:
                    x._fresh_trace()
                    trace = x._trace
                data = x._data
                signature += (data.shape, data.dtype, x._device, data.strides)
                if trace is not None:
                    if not trace.is_tape_leaf:
                        return None
                    signature.append((_Same(x), trace.level))
                tensors.append(x)
            else:
                signature.append((self._constant(x),))
        grad: Any = None
        if mode is not None:
            grad = (mode.strict, mode.grad[:1] and mode.grad[0].level >= 0)
        same = None
        if len(tensors) > 1 and len(set(map(id, tensors))) < len(tensors):
            places = {id(x): i for i, x in enumerate(tensors)}
            same = tuple([places[id(x)] for x in tensors])
        details: Any = None
        if leaves is not args:
            details = tuple(kwargs)
            if structure.num_nodes - len(leaves) > 3:  # more than the arguments' own containers
                details = _details((args, kwargs))
        key = (
            structure, tuple(signature), same, details, fixed, grad, get_device(None),
            id(get_defaults()),
        )  # fmt: skip
        return key, tensors, (structure, leaves), static

    def _constant(self, x: Any) -> Any:
        """What a leaf that is not a tensor is known by."""
        if isinstance(x, _NUMBERS):
            return _exact(x)
        if isinstance(x, Generator):
            return "generator", x
        if _is_host_scalar(x):
            return type(x), x.tobytes()
        if inspect.isgenerator(x):
            raise TypeError(
                f"compile: an argument of {self._name} is a generator, which can be run once only; "
                f"write list(...); got {describe(x)}"
            )
        raise TypeError(
            f"compile: the arguments of {self._name} must be tensors, numbers, or containers of "
            "these; name others in static_argnums or static_argnames, and convert other "
            f"libraries' arrays by arraygrad.asarray; got {describe(x)}"
        )

    def _without_static(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
        """The arguments without those that count by their values."""
        last = len(args)
        positions = {i for i in self._static_argnums if i < last}
        values: list[Any] = [(i, args[i]) for i in sorted(positions)]
        values += [(k, kwargs[k]) for k in sorted(self._static_argnames & kwargs.keys())]
        for place, x in values:
            try:
                hash(x)
            except TypeError as error:
                raise TypeError(
                    f"compile: the static argument {place!r} of {self._name} must be hashable, "
                    f"because programs are found by its value; got {describe(x)}"
                ) from error
            if isinstance(x, Tensor):
                raise TypeError(
                    f"compile: the static argument {place!r} of {self._name} must not be a tensor"
                )
        rest = tuple([x for i, x in enumerate(args) if i not in positions])
        named = {k: x for k, x in kwargs.items() if k not in self._static_argnames}
        return rest, named, values

    def _merge(self, static: Any, tree: Any) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with the static ones."""
        args, kwargs = list(tree[0]), dict(tree[1])
        if not static:
            return args, kwargs
        values, order = static
        for place, x in values:
            if isinstance(place, int):
                args.insert(place, x)
            else:
                kwargs[place] = x
        return args, {k: kwargs[k] for k in order}

    # ---- recording

    def _record(self, key: Any, tensors: list[Any], structure: Any, static: Any) -> Any:
        """Run the function, and keep its calls as a program."""
        entry, out = self._recorded(tensors, structure, static, key in self._careful)
        if entry.reason is _CAPTURED:
            return out
        if not entry.is_differentiated or all(t._trace is None for t in tensors):
            self._keep(key, entry)
        if entry.is_differentiated:
            args, kwargs = self._merge(static, _pytree.unflatten(*structure))
            _derivatives().expect(self, tuple(args), kwargs, get_mode())
        return out

    def _recorded(
        self, tensors: list[Any], structure: Any, static: Any, careful: bool
    ) -> tuple[Entry, Any]:
        """Run the function; return its calls as a program, and its results."""
        with _RareCollections():
            return self._recorded_now(tensors, structure, static, careful)

    def _recorded_now(
        self, tensors: list[Any], structure: Any, static: Any, careful: bool
    ) -> tuple[Entry, Any]:
        began = time.perf_counter()
        recorder = Recorder(self._name, self._guards, careful)
        spec, leaves = structure
        given = []
        places: dict[int, Any] = {}
        aliases: dict[int, Any] = {}
        for x in leaves:
            if type(x) is Tensor and x._trace is None:
                alias = aliases.get(id(x))
                if alias is None:
                    alias = aliases[id(x)] = x[...]
                recorder.input(alias._data, alias._device)
                places[id(alias._data)] = x
                given.append(alias)
            elif type(x) is Tensor:
                recorder.inputs.append(Value("input", Memory(True), x._data))
                given.append(x)
            else:
                given.append(x)
        tree = _pytree.unflatten(spec, given)
        args, kwargs = self._merge(static, tree)
        watch = Watch(self._function, *[x for _, x in (static[0] if static else ())])
        out = recorder.run(self._function, *args, **kwargs)
        for x in aliases.values():
            if x._trace is not None and (x._trace.is_tape_leaf or _is_recorded(x)):
                raise TypeError(
                    f"compile: {self._name} makes an argument require a gradient, which a program "
                    "cannot repeat; call requires_grad_() outside, or use autodiff.grad"
                )
        found, now = _pytree.flatten(tree)
        if now != spec or any(x is not y for x, y in zip(found, given, strict=True)):
            raise TypeError(
                f"compile: {self._name} changes a container among its arguments, which a program "
                "cannot repeat; return the new one"
            )
        results, shape = _pytree.flatten(out)
        originals = [
            places.get(id(x._data), x) if isinstance(x, Tensor) and x._trace is None else x
            for x in results
        ]
        if is_captured(recorder.calls):
            entry = Entry(_CAPTURED)
        elif watch.problem:
            entry = Entry(watch.problem)
        elif watch.is_unchanged():
            entry = self._entry(recorder, results, originals, shape, watch, tensors)
        else:
            entry = Entry("it changes a variable, an attribute or a container from outside")
        entry.seconds = time.perf_counter() - began
        return entry, _pytree.unflatten(shape, originals)

    def _keep(self, key: Any, entry: Entry) -> None:
        with self._lock:
            self._known = None
            have = self._entries.setdefault(key, [])
            self._entries.move_to_end(key)
            if not isinstance(entry, Ready):
                have[:] = [entry]
            else:
                self._changes[key] = self._changes.get(key, 0) + 1
                if self._changes[key] > MAX_CHANGES:
                    have[:] = [Entry(f"recorded {MAX_CHANGES} times, for changed values")]
                else:
                    if key in self._careful:
                        have[:] = [e for e in have if not (isinstance(e, Ready) and e.assumes)]
                    have.insert(0, entry)
                    del have[MAX_GUARDED:]
            while len(self._entries) > MAX_PROGRAMS:
                old, _ = self._entries.popitem(last=False)
                self._changes.pop(old, None)
                self._careful.discard(old)

    def _entry(
        self, recorder: Recorder, results: list[Any], originals: list[Any], shape: Any,
        watch: Watch, tensors: list[Any],
    ) -> Entry:  # fmt: skip
        """The program of a run."""
        values: list[Value] = []
        outputs: list[Output] = []
        firsts: dict[int, int] = {}
        memories: dict[Memory, int] = {}
        for i, (x, original) in enumerate(zip(results, originals, strict=True)):
            if not isinstance(x, Tensor):
                check_constant(self._name, x)
                outputs.append(Output("constant", x))
                continue
            position = _position(tensors, original)
            if watch.has(x):  # from outside, even if it was an argument, too
                outputs.append(Output("constant", x))
                continue
            if position is not None:
                outputs.append(Output("input", position))
                continue
            if _is_recorded(x):
                entry = Entry("its results are differentiated outside")
                entry.is_differentiated = True
                return entry
            if id(x) in firsts:
                outputs.append(Output("same", firsts[id(x)]))
                continue
            firsts[id(x)] = i
            plain = bottom(x)
            value = recorder.value_of(plain._data, plain._device)
            if value.kind == "outer" and recorder.tensors.get(id(plain._data)) is x:
                outputs.append(Output("constant", x))
                continue
            if value.memory.is_imported:  # (perhaps of an array that each call makes anew)
                return Entry("a result shares memory with a NumPy array; return a copy of it")
            place = len(values)
            values.append(value)
            owner = _owner(recorder, value, tensors, memories, i)
            memories.setdefault(value.memory, i)
            outputs.append(Output("result", place, x._device, owner))
        program = Program(recorder.inputs, recorder.calls, values, recorder.ambient)
        return Ready(recorder, watch, program, outputs, shape, self._graphs, self._reassociate)


def _derivatives() -> Any:
    """The module for what is differentiated outside; it imports this one."""
    from . import _derivatives as found

    return found


class _RareCollections:
    """Let Python look for reference cycles rarely, which would take a third of the time.

    Recording and the passes make many objects that stay. Cycles of the user's code are found, but
    later. Thresholds that the function sets itself stay.
    """

    _lock = threading.RLock()  # (for finalizers)
    _count = 0
    _before: tuple[int, int, int]
    _during: tuple[int, int, int]

    def __enter__(self) -> None:
        cls = type(self)
        with cls._lock:
            if not cls._count:
                cls._before = gc.get_threshold()
                if cls._before[0]:  # (0 switches it off)
                    gc.set_threshold(max(cls._before[0], MIN_TO_COLLECT), *cls._before[1:])
                cls._during = gc.get_threshold()
            cls._count += 1

    def __exit__(self, *_: object) -> None:
        cls = type(self)
        with cls._lock:
            cls._count -= 1
            if not cls._count and gc.get_threshold() == cls._during:
                gc.set_threshold(*cls._before)


def check_constant(name: str, x: Any) -> None:
    """Raise if a function must not return `x`; tensors are not checked here."""
    if not (isinstance(x, _NUMBERS) or x is None or _is_host_scalar(x)):
        raise TypeError(
            f"compile: {name} must return tensors, numbers, or containers of these; "
            f"got {describe(x)}"
        )


def _position(tensors: list[Any], x: Any) -> int | None:
    for i, t in enumerate(tensors):
        if t is x:
            return i
    return None


def _is_recorded(x: Any) -> bool:
    """Return True if a later differentiation may depend on a tensor."""
    while x._trace is not None:
        level = x._trace.level
        if not level.closed and level.number >= 0:
            return True
        x = x._primal
    return False


def _owner(
    recorder: Recorder, value: Value, tensors: list[Any], memories: dict[Memory, int], i: int
) -> Any:
    """What a result shares its memory with: an argument, another result, or an outer tensor."""
    for j, v in enumerate(recorder.inputs):
        if v.memory is value.memory:
            return "input", j
    if value.memory in memories:
        return "leaf", memories[value.memory]
    if value.memory.is_outer:
        for tensor in recorder.tensors.values():
            have = recorder._find(tensor._data)
            if have is not None and have.memory is value.memory:
                return "outer", tensor
    return None
