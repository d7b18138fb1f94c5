"""Compiled functions whose results are differentiated outside of them.

The first such call runs the function as it is, and records it. What the differentiation has noted
of it becomes one node, and when cotangents reach that, the backward pass through the function is
recorded, too. The two parts become two programs: one forward, which also returns what the other one
needs, and one for the cotangents. In forward mode one program computes results and tangents.

A function that is differentiated in any other way, more than once or as one example of a batch, is
called as it is.
"""

from __future__ import annotations

import itertools
import time
import weakref
from collections.abc import Sequence
from typing import Any

from .. import _pytree
from .._array import wrap
from .._creation import zeros
from .._device import get_device
from .._dtypes import get_defaults
from .._memory import alias, bottom, save, storage_of
from .._tensor import Tensor
from ..autodiff._backward import backward
from ..autodiff._checkpoint import run_again
from ..autodiff._graph import Node, Tangent, box, new_node, output_node, sequence_numbers
from ..autodiff._levels import TAPE
from ..autodiff._rules import PASS_ON, UNREACHED, Rule
from ..autodiff._tangents import sum_to
from ..autodiff._views import protect, refresh
from ._compiled import Entry, Output, Ready, _details, _exact, _owner, check_constant
from ._graph import is_captured
from ._program import Call, Differs, Memory, Program, Value
from ._recorder import Recorder, device_of
from ._watch import Watch
from .passes import optimised

#: Attempts to record a function for one signature that led to nothing; then it is called as it is.
MAX_FAILURES = 16
#: Pairs of programs for one signature.
MAX_PAIRS = 8

_NESTED = "it is differentiated more than once"
_CONSTANT = "its results do not depend on what is differentiated"


def expect(compiled: Any, args: Any, kwargs: Any, mode: Any) -> None:
    """Note that the results of such calls are differentiated."""
    given = Given(compiled, args, kwargs, mode)
    if not given.reason and given.key not in compiled._entries:
        compiled._keep(given.key, Differentiated(given))


def is_known(compiled: Any, args: Any, kwargs: Any, mode: Any) -> bool:
    """Return True if results of such calls, with other leaves, have been differentiated."""
    given = Given(compiled, args, kwargs, mode)
    [entry] = compiled._entries.get(given.key, (None,))
    return entry is not None and not entry.reason


def call(compiled: Any, args: Any, kwargs: Any, mode: Any) -> Any:
    """Call a compiled function where a tensor that it uses is differentiated."""
    if mode is not None and mode.grad:
        return _as_it_is(compiled, "it is inside of no_grad or enable_grad", args, kwargs)
    given = Given(compiled, args, kwargs, mode)
    if given.reason:
        return _as_it_is(compiled, given.reason, args, kwargs)
    entries = compiled._entries.get(given.key)
    if entries is None:
        entries = [Differentiated(given)]
        compiled._keep(given.key, entries[0])
    entry = entries[0]
    if not entry.reason:
        for programs in tuple(entry.programs):
            out = programs.run(compiled, entry, given)
            if out is not NotImplemented:
                entry.runs += 1
                return out
        if not (entry.has_to_wait() or entry.reason):
            return _record(compiled, entry, given)
    return compiled._function(*args, **kwargs)


def _as_it_is(compiled: Any, why: str, args: Any, kwargs: Any) -> Any:
    compiled._as_it_is[why] = compiled._as_it_is.get(why, 0) + 1
    return compiled._function(*args, **kwargs)


class Given:
    """The arguments of a call, and the differentiation that they take part in.

    Attributes
    ----------
    tensors : list of Tensor
        Those among the leaves, in order.
    level : Level or None
        The differentiation; None if only tensors from outside belong to one.
    tangents : list of Tensor
        In forward mode, those of the traced arguments that are not zero.
    reason : str
        Why the function is called as it is; empty if it is not.
    key : object
        What programs are recorded for.
    """

    def __init__(self, compiled: Any, args: Any, kwargs: Any, mode: Any) -> None:
        self.reason = ""
        self.static: Any = ()
        order = tuple(kwargs)
        if compiled._static_argnums or compiled._static_argnames:
            args, kwargs, values = compiled._without_static(args, kwargs)
            self.static = values, order
        self.leaves, self.structure = _pytree.flatten((args, kwargs))
        self.tensors: list[Any] = []
        self.tangents: list[Any] = []
        self.level: Any = None
        self.key: Any = None
        signature: list[Any] = []
        for x in self.leaves:
            if type(x) is not Tensor:
                signature.append(compiled._constant(x))
                continue
            if x._trace is not None:
                x._fresh_trace()
            data = x._data
            self.tensors.append(x)
            signature.append((data.shape, data.dtype, x._device, data.strides))
            if x._trace is not None:
                signature.append(self._traced(x))
                if self.reason:
                    return
        level = self.level
        same = [next(j for j, y in enumerate(self.tensors) if _primal(y) is _primal(x))
                for x in self.tensors]  # fmt: skip
        fixed = tuple([(k, _exact(x)) for k, x in self.static[0]]) if self.static else None
        self.key = (
            "differentiated", level is not None and level.forward, level in (None, TAPE),
            self.structure, tuple(signature), tuple(same), _details((args, kwargs)), order, fixed,
            mode is not None and mode.strict, get_device(None), id(get_defaults()),
        )  # fmt: skip

    def _traced(self, x: Any) -> Any:
        """What a traced argument is known by."""
        level = x._trace.level
        if level.batched:
            self.reason = "it is inside of vmap"
        elif level.closed or level.number < 0:
            self.reason = "an argument is not differentiated at present"
        elif x._primal._trace is not None or (self.level or level) is not level or level.hidden:
            self.reason = _NESTED
        self.level = level
        if self.reason or not level.forward:
            return True
        t = x._trace.value
        if t is None:
            return None
        if t._trace is not None:
            self.reason = _NESTED
        self.tangents.append(t)
        return t._data.strides

    def call(self, compiled: Any, leaves: Any) -> Any:
        """Call the function with other leaves in the containers of the arguments."""
        tree = _pytree.unflatten(self.structure, leaves)
        args, kwargs = compiled._merge(self.static, tree)
        out = compiled._function(*args, **kwargs)
        found, now = _pytree.flatten(tree)
        if now != self.structure or any(x is not y for x, y in zip(found, leaves, strict=True)):
            raise TypeError(
                f"compile: {compiled._name} changes a container among its arguments, which a "
                "program cannot repeat; return the new one"
            )
        return out


def _primal(x: Any) -> Any:
    return x if x._trace is None else x._primal


class Differentiated(Entry):
    """What is known of calls with one signature whose results are differentiated.

    Attributes
    ----------
    programs : list of Reverse or Forward
        Those recorded last first.
    failures : int
        How many attempts to record them led to nothing.
    pending : weak reference or None
        To a recorded run that waits for its backward pass.
    """

    is_differentiated = True

    def __init__(self, given: Given) -> None:
        super().__init__()
        self.shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in given.tensors)
        self.programs: list[Any] = []
        self.failures = 0
        self.pending: Any = None

    def summary(self) -> str:
        """A line about it."""
        head = f"({self.shapes}) differentiated outside"
        if self.reason:
            return f"{head}, called as it is: {self.reason}"
        if not self.programs:
            return f"{head}, not recorded yet"
        return (
            f"{head}, {self.programs[0].summary()}; recorded in "
            f"{self.seconds:.3g} s; run {self.runs} times"
        )

    def fail(self, reason: str = "") -> None:
        """Note an attempt that led to nothing."""
        self.failures += 1
        if not reason and self.failures > MAX_FAILURES:
            reason = (
                f"{MAX_FAILURES} times there was no backward pass, or one of another kind, or a "
                "change of what it uses from outside"
            )
        if reason:
            self.reason = reason
            self.programs.clear()

    def add(self, programs: Any, seconds: float) -> None:
        """Keep programs."""
        self.seconds = seconds
        if self.programs:
            self.fail()  # (Those that there are did not fit.)
        if not self.reason:
            self.programs.insert(0, programs)
            del self.programs[MAX_PAIRS:]

    def has_to_wait(self) -> bool:
        """Return True if a run waits for its backward pass: meanwhile no other is recorded."""
        if self.pending is not None and self.pending() is None:
            self.pending = None
            self.fail()
        return self.pending is not None


# ---- recording


class Run:
    """A recorded run of the function, and what there is to know of its results.

    Attributes
    ----------
    outputs : list of Output
        How each result is made.
    values : list of Value
        The results of a program that they refer to.
    places : list of int
        Which results are traced.
    level : Level
        The differentiation.
    reason : str
        Why there can be no program; empty if there can.
    """

    def __init__(self, compiled: Any, given: Given) -> None:
        self.compiled, self.given, self.level = compiled, given, given.level
        self.began = time.perf_counter()
        self.watch = Watch(compiled._function, *[x for _, x in (given.static or ((), ()))[0]])
        self.recorder = Recorder(compiled._name, compiled._guards, careful=True)
        self.ambient = self.recorder.ambient
        self.outputs: list[Output] = []
        self.values: list[Value] = []
        self.places: list[int] = []
        self.results: list[Any] = []
        self.structure: Any = None
        self.reason = ""

    def call(self) -> Any:
        """Call the function as it is, and note its calls."""
        given, recorder, watch = self.given, self.recorder, self.watch
        _note_arguments(given, recorder)
        before = [(x._trace, x._data) for x in given.tensors]
        out = recorder.run(given.call, self.compiled, given.leaves)
        if watch.problem:
            self.reason = watch.problem
        elif not watch.is_unchanged():
            self.reason = "it changes a variable, an attribute or a container from outside"
        elif recorder.has_effects():
            self.reason = "it writes to tensors from outside, or draws random numbers"
        elif any(
            x._trace is not trace or x._data is not data
            for x, (trace, data) in zip(given.tensors, before, strict=True)
        ):
            self.reason = "it writes to its arguments"
        else:
            self._look_at(out)
        return out

    def _look_at(self, out: Any) -> None:
        """Find out how the results are made."""
        self.results, self.structure = _pytree.flatten(out)
        firsts: dict[int, int] = {}
        for i, x in enumerate(self.results):
            position = next((j for j, t in enumerate(self.given.tensors) if t is x), None)
            if not isinstance(x, Tensor):
                check_constant(self.compiled._name, x)
                self.outputs.append(Output("constant", x))
            elif position is not None:
                self.outputs.append(Output("input", position))
            elif self.watch.has(x):
                self.outputs.append(Output("constant", x))
            elif id(x) in firsts:
                self.outputs.append(Output("same", firsts[id(x)]))
            else:
                firsts[id(x)] = i
                self.outputs.append(Output("result", len(self.values), x._device))
                self._look_at_result(i, x)
            if self.reason:
                return
        if not self.places:
            self.reason = _CONSTANT

    def _look_at_result(self, i: int, x: Any) -> None:
        if x._trace is not None:
            refresh(x)
        if x._trace is not None:
            self.places.append(i)
            level = x._trace.level
            self.level = self.level or level
            if self.level is not level or x._primal._trace is not None:
                self.reason = _NESTED
                return
            if self.given.level is None and level is not TAPE:
                self.reason = "a tensor from outside belongs to a differentiation or a batch"
                return
        value = self.recorder.known(_primal(x)._data)
        if value is None or value.kind != "result" or value.memory.is_outer:
            self.reason = "a result shares memory with an argument or a tensor from outside"
        elif any(value.memory is v.memory for v in self.values):
            self.reason = "two results share memory"
        else:
            self.values.append(value)

    def traced(self) -> list[Any]:
        """The traced results."""
        return [self.results[i] for i in self.places]

    def program(self, calls: list[Call], values: list[Value]) -> Ready:
        """The program that computes some values of the arguments."""
        program = Program(self.recorder.inputs, calls, values, self.ambient)
        return self.ready(optimised(program, self.compiled._reassociate))

    def ready(self, plain: Program) -> Ready:
        """A program that can be run."""
        ready = Ready(
            self.recorder, self.watch, plain, self.outputs, self.structure,
            self.compiled._graphs, self.compiled._reassociate, is_optimised=True,
        )  # fmt: skip
        ready.prepare()
        return ready

    def owner_of(self, value: Value, tensors: list[Any]) -> Any:
        """What a value shares its memory with, as `Output` says."""
        memories = {self.values[out.x].memory: i for i, out in enumerate(self.outputs)
                    if out.kind == "result"}  # fmt: skip
        return _owner(self.recorder, value, tensors, memories, 0)


def _record(compiled: Any, entry: Differentiated, given: Given) -> Any:
    """Call the function as it is, and make programs of that."""
    run = Run(compiled, given)
    if any(run.watch.has(x) or run.watch.has_trace(x._trace) for x in given.tensors):
        # The function reaches its argument from outside, too: a program could not tell them apart.
        return given.call(compiled, given.leaves)
    out = run.call()
    if is_captured(run.recorder.calls):
        return out
    programs: Any = None
    if not run.reason:
        programs = Forward(run) if run.level.forward else Recorded(entry, run)
    if run.reason:
        entry.fail(run.reason)
    elif run.level.forward:
        entry.add(programs, time.perf_counter() - run.began)
    else:
        entry.pending = weakref.ref(programs)
        outs = [x._primal for x in run.traced()]
        parents = tuple([above for above, _ in programs.cut.uses])
        results = list(run.results)
        made = _as_one_node(outs, run.level, parents, programs, programs.cut.inner)
        for i, x in zip(run.places, made, strict=True):
            results[i] = x
        return _finished(run, results)
    return out


def _finished(run: Any, leaves: list[Any]) -> Any:
    """The results in their containers; those that occur twice are the same."""
    for i, output in enumerate(run.outputs):
        if output.kind == "same":
            leaves[i] = leaves[output.x]
    return _pytree.unflatten(run.structure, leaves)


def _note_arguments(given: Given, recorder: Recorder) -> None:
    """Give each argument an array of its own over its memory, by which it is known."""
    seen: set[int] = set()
    for x in given.tensors:
        primal = _primal(x)
        if id(primal) not in seen:
            seen.add(id(primal))
            primal._data = x._device.ops["getitem"](primal._data, ...)
        x._data = primal._data
        recorder.input(x._data, x._device)
    if given.tangents:
        given.tangents = []
        for x in given.tensors:
            if x._trace is not None and x._trace.value is not None:
                x._trace.value = t = _own(x._trace.value)
                given.tangents.append(t)
                recorder.input(t._data, t._device)


def _own(x: Any) -> Any:
    """A plain tensor over the memory of another one, with an array of its own."""
    out = alias(x)
    out._data = x._device.ops["getitem"](x._data, ...)
    return out


# ---- the graph


class Cut:
    """The part of a graph that a run has made, cut off from the rest.

    Each use of an older node by a new one gets a node of its own in between, where a backward pass
    over the part stops. So the cotangents of an older node are added up outside, in the order in
    which they would be without the cut.

    Attributes
    ----------
    uses : list of (Node, Node)
        The older nodes, and those in between, in the order of the backward pass.
    inner : list of int
        The results that others are computed from.
    is_regular : bool
        True if the nodes are new, of one level, and call no hooks.
    """

    def __init__(self, roots: list[Any], level: Any, started_at: int) -> None:
        self._roots = roots
        self.uses: list[tuple[Any, Any]] = []
        self.is_regular = not any(_is_older(x, started_at) for x in roots)
        nodes: set[Any] = set()
        pending = list(roots)
        while pending:
            node = pending.pop()
            if node not in nodes:
                nodes.add(node)
                self.is_regular = self.is_regular and node.hooks is None and node.level is level
                pending += [x for x in node.parents
                            if x is not None and not _is_older(x, started_at)]  # fmt: skip
        above_others = {x for node in nodes for x in node.parents}
        self.inner = [i for i, x in enumerate(roots) if x in above_others]
        for node in sorted(nodes, key=lambda x: -x.sequence_nr):
            parents = list(node.parents)
            for i, above in enumerate(parents):
                if above is not None and _is_older(above, started_at):
                    parents[i] = _between(above)
                    self.uses.append((above, parents[i]))
            node.parents = tuple(parents)
        self._stops = frozenset([x for _, x in self.uses])

    def pull(self, g: Sequence[Any], create: bool) -> list[Any]:
        """The cotangents of the uses."""
        roots = [(node, sum_to(x, node)) for node, x in zip(self._roots, g, strict=True)
                 if x is not None]  # fmt: skip
        found = backward(roots, self._stops, create_graph=create)
        reached: set[Any] = set()
        pending = [node for node, _ in roots]
        while pending:
            node = pending.pop()
            if node not in reached:
                reached.add(node)
                if node not in self._stops:
                    pending += [x for x in node.parents if x is not None]
        return [found.get(x, None if x in reached else UNREACHED) for _, x in self.uses]


#: Nodes in between have the highest numbers, so that a backward pass that goes on through them
#: passes on each cotangent at once, in the order in which it would without them.
_numbers = itertools.count(2**62, -1)


def _between(above: Any) -> Any:
    node = Node.__new__(Node)
    node.level, node.sequence_nr = above.level, next(_numbers)
    node.shape, node.dtype, node.device = above.shape, above.dtype, above.device
    node.hooks, node.rule, node.parents = None, PASS_ON, (above,)
    node.saved, node.kwargs = (None, None), {}
    return node


def _is_older(node: Any, started_at: int) -> bool:
    return node.sequence_nr <= started_at or node.rule is PASS_ON


def _as_one_node(
    outs: list[Any], level: Any, parents: Any, held: Any, inner: list[int]
) -> list[Any]:
    """Results of a node whose backward pass is ``held.pull``."""
    node = new_node(outs[0], level)
    node.rule = _RULE
    node.shape = tuple([o._data.shape for o in outs])
    node.parents = parents
    node.kwargs = {}
    boxed = [box(o, output_node(o, node, i)) for i, o in enumerate(outs)]
    node.saved = (None, _MARKER, held, [weakref.ref(boxed[i]._trace) for i in inner])
    return boxed


def _pull(g: Sequence[Any], _out: Any, marker: Any, held: Any, inner: Any) -> Any:
    for link in inner:
        node = link()
        if node is not None and node.hooks is not None:
            raise RuntimeError(
                f"compile: {held.name} computes a result from another one, which has a hook or "
                "retains its gradient; that would be without the part of this computation. Return "
                "a copy of that result: xp.asarray(y, copy=True)"
            )
    return held.pull(g, marker._trace is not None)


_RULE = Rule("compile", joint_vjp=_pull)
#: A saved tensor, which is traced in a backward pass that is recorded itself.
_MARKER = zeros(())


def _form(g: Sequence[Any]) -> Any:
    """What a program for cotangents is recorded for; None if there can be none."""
    found: list[Any] = []
    for x in g:
        if x is None:
            found.append(None)
        elif x._trace is not None:
            return None
        else:
            found.append((x._data.strides, x._data.dtype, x._device))
    return tuple(found)


class Recorded:
    """A recorded run, with its graph, that waits for cotangents."""

    def __init__(self, entry: Differentiated, run: Run) -> None:
        self._entry = entry
        self._run: Run | None = run
        self.name = run.compiled._name
        self.cut = Cut([x._trace for x in run.traced()], run.level, run.recorder.started_at)
        places = {x._trace: i for i, x in enumerate(run.given.tensors) if x._trace is not None}
        #: For each use the position of the argument, or the node of a tensor from outside.
        self.origins = [places.get(above, above) for above, _ in self.cut.uses]
        if not self.cut.is_regular:
            run.reason = "it adds a hook to a result, or returns one that was computed outside"
        elif not self.cut.uses:
            run.reason = _CONSTANT
        elif any(
            isinstance(x, Node) and not (x.rule is None and run.watch.has_trace(x))
            for x in self.origins
        ):
            run.reason = "it uses a recorded result from outside; pass it as an argument"

    def pull(self, g: Sequence[Any], create: bool) -> list[Any]:
        """The cotangents of the uses; their calls are recorded the first time."""
        run, self._run = self._run, None
        if run is None:
            return self.cut.pull(g, create)
        self._entry.pending = None
        form = _form(g)
        if create or form is None or is_captured(run.recorder.calls):
            self._entry.fail()
            if create and not self._entry.programs:
                self._entry.fail("its second derivatives are asked for")
            return self.cut.pull(g, create)
        recorder = run.recorder
        own = [None if x is None else _own(x) for x in g]
        count = len(recorder.inputs)
        recorder.begin_backward()
        cotangents = [recorder.input(x._data, x._device) for x in own if x is not None]
        del recorder.inputs[count:]
        try:
            with recorder:
                found = self.cut.pull(own, False)
        except Exception:
            if recorder.problem is None:
                raise
            self._entry.fail(recorder.problem)
            return self.cut.pull(g, create)
        if recorder.problem is not None:
            self._entry.fail(recorder.problem)
            return found
        reverse = Reverse(run, self.origins, self.cut.inner, form, cotangents, found)
        if run.reason:
            self._entry.fail(run.reason)
        else:
            self._entry.add(reverse, time.perf_counter() - run.began)
        return found


# ---- programs


def _computed(ready: Ready, tensors: list[Any]) -> Any:
    """The results of a program; None if it does not fit any more."""
    arrays = ready.arrays(tensors)
    if arrays is None:
        return None
    try:
        return ready.run(*arrays)
    except Differs:
        return None
    except Exception as error:
        raise ready._explained(error) from error


class Forward:
    """A program that computes results and their tangents."""

    def __init__(self, run: Run) -> None:
        tensors = [*run.given.tensors, *run.given.tangents]
        self.outputs, self.structure, self._places = run.outputs, run.structure, run.places
        values = list(run.values)
        #: How the tangent of each traced result is made; None for zero.
        self._tangents: list[Any] = []
        for x in run.traced():
            t = x._trace.value
            if t is None:
                self._tangents.append(None)
                continue
            value = None if t._trace is not None else run.recorder.known(t._data)
            if value is None:
                run.reason = _NESTED
                return
            place = next((i for i, y in enumerate(tensors) if y._data is t._data), None)
            if place is not None:
                self._tangents.append(Output("input", place))
            else:
                owner = run.owner_of(value, tensors)
                self._tangents.append(Output("result", len(values), t._device, owner))
                values.append(value)
        self._ready = run.program(run.recorder.calls, values)

    def summary(self) -> str:
        """A few words."""
        return (
            f"in forward mode: {self._ready.recorded_calls} calls recorded, "
            f"{len(self._ready.program.calls)} left{self._ready.graph_summary()}"
        )

    def run(self, _compiled: Any, _entry: Differentiated, given: Given) -> Any:
        """Compute the results; NotImplemented if the program does not fit."""
        tensors = [*given.tensors, *given.tangents]
        found = _computed(self._ready, tensors)
        if found is None:
            return NotImplemented
        made: list[Any] = []
        for output in self.outputs:
            made.append(output.make(tensors, found, made))
        results = list(made)
        for i, output in zip(self._places, self._tangents, strict=True):
            t = None if output is None else output.make(tensors, found, made)
            results[i] = box(made[i], Tangent(given.level, _primal(t) if t is not None else None))
        return _finished(self, results)


class Reverse:
    """Two programs: one forward, which also returns what the one for cotangents needs."""

    def __init__(
        self, run: Run, origins: list[Any], inner: list[int], form: Any, cotangents: list[Value],
        found: list[Any],
    ) -> None:  # fmt: skip
        self.outputs, self.structure, self._places = run.outputs, run.structure, run.places
        self._origins, self._form, self._inner = origins, form, inner
        recorder = run.recorder
        ahead, back = recorder.parts()
        #: The cotangents of the uses: (number of the result, device), or what `Cut.pull` returns.
        self._found: list[Any] = []
        values: list[Any] = []
        for x in found:
            if x is None or x is UNREACHED:
                self._found.append(x)
                continue
            values.append(recorder.known(x._data) if x._trace is None else None)
            self._found.append((len(values) - 1, x._device))
        saved = _separate(back, values, cotangents)
        if None in values or recorder.has_effects() or any(c.name == "guard" for c in back):
            run.reason = "its backward pass reads values, writes to or reads tensors from outside"
            return
        if any(v.kind == "outer" and not recorder.is_of_forward(v) for v in saved):
            run.reason = "its backward pass reads a tensor from outside which it does not read"
            return
        values = [saved.get(v, v) for v in values]
        inputs = [*saved.values(), *cotangents]
        program = Program(inputs, back, values, recorder.ambient)
        plain = optimised(program, run.compiled._reassociate)
        used = {v for call in plain.calls for v in call.operands()} | {*plain.outputs}
        saved = {v: w for v, w in saved.items() if w in used}
        plain.inputs = [*saved.values(), *cotangents]
        self._back = run.ready(plain)
        tensors = run.given.tensors
        self._saved = [run.owner_of(v, tensors) for v in saved]
        self._ahead = run.program(ahead, [*run.values, *saved])

    def summary(self) -> str:
        """A few words."""
        ahead, back = len(self._ahead.program.calls), len(self._back.program.calls)
        return (
            f"with a backward pass: {self._ahead.recorded_calls} calls recorded, {ahead} left "
            f"forward and {back} backward, {len(self._saved)} arrays saved in between"
            f"{self._ahead.graph_summary('forward, ')}{self._back.graph_summary('backward, ')}"
        )

    def run(self, compiled: Any, entry: Differentiated, given: Given) -> Any:
        """Compute the results; NotImplemented if the program does not fit."""
        tensors = given.tensors
        found = _computed(self._ahead, tensors)
        if found is None:
            return NotImplemented
        made: list[Any] = []
        for output in self.outputs:
            made.append(output.make(tensors, found, made))
        saved = []
        for data, owner in zip(found[len(found) - len(self._saved) :], self._saved, strict=True):
            x = wrap(Tensor, data, device_of(data))
            if owner is not None:
                kind, source = owner
                source = tensors[source] if kind == "input" else made[source] if kind == "leaf" \
                    else source  # fmt: skip
                storage = storage_of(bottom(source))
                x._storage = storage
                storage.freeze(x)
            saved.append(x)
        nodes = [tensors[x]._trace if isinstance(x, int) else x for x in self._origins]
        level = nodes[0].level
        held = Computed(self, compiled, entry, given, saved, nodes)
        results = list(made)
        outs = [made[i] for i in self._places]
        boxed = _as_one_node(outs, level, tuple(nodes), held, self._inner)
        for i, x in zip(self._places, boxed, strict=True):
            results[i] = x
        return _finished(self, results)

    def versions(self) -> list[Any]:
        """The tensors from outside, and how often each has been written."""
        return [(x, storage_of(bottom(x)).version) for x in self._ahead.outer_tensors()]

    def pull(self, saved: list[Any], g: Sequence[Any]) -> list[Any] | None:
        """The cotangents of the uses; None if the program is for others."""
        if _form(g) != self._form:
            return None
        arrays = [x._data for x in saved] + [x._data for x in g if x is not None]
        try:
            found = self._back.run(*arrays)
        except Exception as error:
            raise self._back._explained(error) from error
        return [wrap(Tensor, found[x[0]], x[1]) if type(x) is tuple else x for x in self._found]

    def is_unchanged(self) -> bool:
        """Return True if what the function uses from outside is as it was."""
        return self._ahead.watch.is_unchanged()


class Computed:
    """What a run of the forward program leaves for the backward pass."""

    def __init__(
        self, programs: Reverse, compiled: Any, entry: Differentiated, given: Given,
        saved: list[Any], nodes: list[Any],
    ) -> None:  # fmt: skip
        self._programs, self._compiled, self._entry, self._given = programs, compiled, entry, given
        self._saved, self._nodes, self.name = saved, nodes, compiled._name
        #: The arguments, for a backward pass that runs the function again.
        self._arguments = [
            (save(_primal(x)), x._trace) if type(x) is Tensor else (x, None) for x in given.leaves
        ]
        given.leaves, given.tensors = [], []  # (They may depend on the node.)
        self._versions = programs.versions()

    def pull(self, g: Sequence[Any], create: bool) -> list[Any]:
        """The cotangents of the uses."""
        if not create:
            found = self._programs.pull(self._saved, g)
            if found is not None:
                return found
        self._entry.fail()
        if not create and _form(g) is not None and self._programs in self._entry.programs:
            self._entry.programs.remove(self._programs)  # the next call is recorded for these
        return self._run_again(g, create)

    def _run_again(self, g: Sequence[Any], create: bool) -> list[Any]:
        """Cotangents for which there is no program: run the function as it is."""
        if not self._programs.is_unchanged() or any(
            storage_of(bottom(x)).version != version for x, version in self._versions
        ):
            raise RuntimeError(
                f"compile: {self.name} has to run again for this backward pass, and a "
                "tensor or variable that it uses from outside has changed since it was called; "
                "call backward first, or pass it as an argument"
            )
        leaves = [
            x if type(x) is not Tensor else protect(x) if trace is None else box(x, trace)
            for x, trace in self._arguments
        ]
        level = self._nodes[0].level
        started_at = next(sequence_numbers)
        with run_again(level):
            out = self._given.call(self._compiled, leaves)
        results = _pytree.flatten(out)[0]
        roots = [results[i]._trace for i in self._programs._places]
        cut = Cut(roots, level, started_at)
        if [above for above, _ in cut.uses] != self._nodes:
            raise RuntimeError(
                f"compile: {self.name} has to run again for this backward pass, and "
                "does something else than before"
            )
        return cut.pull(g, create)


def _separate(back: list[Call], values: list[Any], cotangents: list[Value]) -> dict[Value, Value]:
    """Make the calls of a backward pass refer to nothing in front of them.

    Returns what they need from there, and the inputs that stand in its place.
    """
    inner = _inner(back)
    made = {v for call in inner for v in call.results()} | {*cotangents}
    saved: dict[Value, Value] = {}
    memories: dict[Memory, Memory] = {}
    for v in (*[v for call in back for v in (*call.operands(), *call.writes)], *values):
        if v is None or v in made or v in saved or v.kind == "constant":
            continue
        memory = memories.setdefault(v.memory, Memory(True))
        saved[v] = w = Value("input", memory)
        w.shape, w.dtype, w.strides = v.shape, v.dtype, v.strides
    new = {id(v): w for v, w in saved.items()}
    for call in back:
        call.rename(new)
    for v in made:
        old = v.memory
        if old not in memories:
            memories[old] = Memory(old.is_outer)
            memories[old].is_written = old.is_written
        v.memory = memories[old]
    return saved


def _inner(calls: list[Call]) -> list[Call]:
    """The calls, and those in masks."""
    return [x for call in calls for x in (call, *_inner(call.body))]
