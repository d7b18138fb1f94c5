"""Blocks: runs of calls on large arrays are made block by block, in the cache.

Each call of a run would read its operands from memory and write its result there. Instead all calls
of a run are made on one block of the arrays after the other, by all threads of the package, and
only what the rest of the program needs is written. A block is some of the rows, which `rows` tells
from what depends on other rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from copy import copy
from functools import partial
from typing import Any

from ..._device import get_device
from .._program import Call, MeetsNaN, Memory, Program, Value, copied_call, copied_value
from .._recorder import has_no_nan
from ._facts import Facts
from .loops import loops_of_blocks
from .rows import common_lead, on_block, rows_of

_cpu: Any = get_device("cpu")
_np: Any = _cpu.backend.namespace
_parallel: Any = _cpu.backend.parallel

#: Bytes of the largest array of a run in double precision, at least: smaller ones are in the cache
#: anyway.
MIN_BYTES = 1 << 22
#: The same, for calls that are all loops.
MIN_BYTES_OF_LOOPS = 1 << 17
#: Elements of a block in double precision; in single precision twice as many.
BLOCK_SIZE = 1 << 15
#: Elements of a row, at most.
MAX_WIDTH = 1 << 17
#: Calls of a run, at least.
MIN_CALLS = 2


class Blocks:
    """A run of calls as one function.

    Attributes
    ----------
    program : Program
        The calls on one block.
    text : Text
        Their text, which tells which call has raised an error.
    loops : Loops or None
        Runs them without Python; None if a call cannot be made by loops.
    """

    def __init__(
        self,
        program: Program,
        write: Callable[[Program], Any],
        lead: tuple[int, ...],
        size: int,
        missing: list[int],
    ) -> None:
        self.program = program
        #: What runs the blocks without Python; None if there are calls that it does not know.
        self.loops: Any = None
        self._write, self._text = write, None
        self._outs = [(v.shape, v.dtype) for v in program.outputs]
        k = len(lead)
        #: For each operand the axes of the block by which it is sliced, with None for others; True
        #: for all axes of the block, and False for none.
        self._axes: list[Any] = []
        for v, j in zip(program.inputs, missing, strict=True):
            shape = v.shape or ()
            axes = [i if n == lead[i] else None for i, n in zip(range(j, k), shape, strict=False)]
            is_sliced = any(i is not None for i in axes)
            self._axes.append(axes == [*range(k)] or (is_sliced and axes))
        self._lead, self._size = lead, size

    @property
    def text(self) -> Any:
        """The text of the calls on one block."""
        if self._text is None:
            program, lead = self.program, self._lead
            self._text = text = self._write(program)
            self._run = text.function()
            self._scratch = [(v.shape[len(lead) :], v.dtype) for v in text.scratch]
            #: Each block, with the lengths of its axes.
            itemsize = max((v.dtype.itemsize for v in (*program.inputs, *text.scratch)), default=8)
            blocks = _split(lead, self._size, BLOCK_SIZE * 8 // max(4, itemsize))
            self._blocks = [(b, tuple([s.stop - s.start for s in b])) for b in blocks]
        return self._text

    def __call__(self, *operands: Any) -> Any:
        """Compute the results of the run."""
        outs = self._by_calls(*operands) if self.loops is None else self.loops(*operands)
        return outs[0] if len(outs) == 1 else tuple(outs)

    def run_by(self, make: Callable[..., Any]) -> bool:
        """Let `Loops` run the blocks, if they can; `make` is `loops_of_blocks` of the calls."""
        found = make()
        if found is None:
            return False
        self._make = make
        self.loops, self._rows = found
        self.loops.fallback, self.loops.nan_error = self._by_calls, MeetsNaN
        self.loops.fallback_on_block = self._block_by_calls
        return True

    def onto(self, inputs: list[int]) -> Blocks:
        """The same, but with results in the memory of inputs with these numbers, unless -1."""
        new = copy(self)
        new.run_by(partial(self._make, onto=inputs))
        return new

    def _block_by_calls(self, operands: tuple[Any, ...], found: list[Any], number: int) -> None:
        """Compute one block of the results by NumPy's functions."""
        assert self.text is not None
        k, n = len(self._lead), math.prod(self._lead)
        start = number * self._rows
        rows = slice(start, min(start + self._rows, n))
        shape = (1,) * (k - 1) + (rows.stop - start,)

        def part(x: Any) -> Any:
            return x.reshape((n, *x.shape[k:]))[rows].reshape(shape + x.shape[k:])

        outs = [_np.empty(shape + out.shape[k:], dtype=out.dtype) for out in found]
        self._run(
            *[part(x) if a is True else x for x, a in zip(operands, self._axes, strict=True)],
            *outs,
            *[_np.empty(shape + rest, dtype=dtype) for rest, dtype in self._scratch],
        )
        for x, out in zip(found, outs, strict=True):
            part(x)[...] = out

    def _by_calls(self, *operands: Any) -> list[Any]:
        """Compute the results by NumPy's functions."""
        assert self.text is not None
        outs = [_np.empty(shape, dtype=dtype) for shape, dtype in self._outs]
        run, scratch = self._run, self._scratch
        slicing = [*zip(operands, self._axes, strict=True)]
        #: Memory for intermediate results, of threads that compute no block at the moment.
        free: list[dict[Any, Any]] = []

        def compute(block_and_shape: Any) -> None:
            block, shape = block_and_shape
            try:
                mine = free.pop()
            except IndexError:
                mine = {}
            if shape not in mine:
                mine[shape] = [_np.empty(shape + rest, dtype=d) for rest, d in scratch]
            run(
                *[x[block] if a is True else _part(x, block, a) if a else x for x, a in slicing],
                *[out[block] for out in outs],
                *mine[shape],
            )
            free.append(mine)

        if not _parallel.run_on_pool(compute, self._blocks, helps=True):
            for block in self._blocks:
                compute(block)
        return outs


def _part(x: Any, block: tuple[slice, ...], axes: list[int | None]) -> Any:
    """The part of an operand that belongs to a block; None stands for an axis of length one."""
    return x[tuple([_ALL if i is None else block[i] for i in axes])]


_ALL = slice(None)


def _split(lead: tuple[int, ...], size: int, block_size: int) -> list[tuple[slice, ...]]:
    """The blocks of arrays with these first axes, of about `block_size` of `size` elements each.

    They are slices along one axis, with all of the axes behind it and one index of those before it,
    so that a block is contiguous where the array is.
    """
    if not size:
        return []
    axis, width = len(lead) - 1, size // math.prod(lead)
    while axis and width * lead[axis] <= block_size:
        width *= lead[axis]
        axis -= 1
    n = lead[axis]
    count = min(n, -(-n * width // block_size))
    if math.prod(lead[:axis]) == 1:  # each thread gets equally many
        threads = _parallel.get_num_threads()
        count = min(n, -(-count // threads) * threads)
    step = -(-n // count)
    together = 64 // math.gcd(64, width)  # a multiple of what NumPy's loops take at a time
    if step >= 8 * together:
        step += -step % together
    blocks: list[tuple[slice, ...]] = [()]
    for m in lead[:axis]:
        blocks = [(*b, slice(i, i + 1)) for b in blocks for i in range(m)]
    blocks = [(*b, slice(i, min(i + step, n))) for b in blocks for i in range(0, n, step)]
    return [(*b, *[slice(0, m) for m in lead[axis + 1 :]]) for b in blocks]


class _Frame:
    """The first axes of the calls of a run, and what is known of its values.

    Attributes
    ----------
    missing : dict
        For the id of each array how many axes of the results it lacks in front.
    """

    def __init__(self, lead: tuple[int, ...], facts: Facts) -> None:
        self.lead, self.size = lead, 0
        self.missing: dict[int, int] = {}
        self._facts = facts
        self._made: set[int] = set()

    def take(self, call: Call) -> bool:
        """Add a call if it can be part of the run, and tell whether it is."""
        rows = rows_of(call)
        if rows is None or any(
            v.memory in self._facts.written or v.memory.is_outer for v in call.results()
        ):
            return False
        lead, size = common_lead(self.lead, rows.lead), max(self.size, rows.size)
        if not lead or size > MAX_WIDTH * math.prod(lead):
            return False
        if not is_large(rows.size) and not any(id(v) in self._made for v, _ in rows.operands):
            return False  # (which has only the length of its first axis in common)
        if any(j < 0 or self.missing.get(id(v), j) != j for v, j in rows.operands):
            return False
        self.lead, self.size = lead, size
        self.missing.update((id(v), j) for v, j in rows.operands)
        self.missing.update((id(v), 0) for v in call.results())
        self._made.update(id(v) for v in call.results())
        return True


def run_in_blocks(program: Program, write: Callable[[Program], Any]) -> Program:
    """The program with runs of calls on large arrays in the place of these.

    `write` makes the text of a program. A call takes part if it computes each row alone, and
    nothing between it and the run depends on the run.
    """
    if not any(
        v.shape and is_large(math.prod(v.shape)) for c in program.calls for v in c.results()
    ):
        return program
    calls: list[Call] = []
    facts = Facts(program)

    def frame_of(call: Call, facts: Facts) -> _Frame | None:
        rows = rows_of(call)
        if rows is None or not is_large(rows.size):
            return None
        frame = _Frame(rows.lead, facts)
        return frame if frame.take(call) else None

    rest = program.calls
    while rest:
        before, run, after = next_run(rest, facts, frame_of, MIN_CALLS, _Frame.take)
        late = _unrelated(run, rest)
        if late:
            before, run, after = next_run(rest, facts, frame_of, MIN_CALLS, _Frame.take, late)
        calls += [*before, *_as_calls(run, after, program, facts, write)]
        rest = after
    return Program(program.inputs, calls, program.outputs, program.ambient)


def next_run(
    calls: list[Call],
    facts: Facts,
    shape_of: Callable[[Call, Facts], Any],
    min_calls: int,
    takes: Callable[[Any, Call], bool] | None = None,
    late: AbstractSet[int] = frozenset(),
) -> tuple[list[Call], list[Call], list[Call]]:
    """The first run, what has to be made before it, and what after, the calls `late` among it.

    `shape_of` returns what the calls of a run have in common; None for others. With `takes` that is
    an object, and `takes` adds a call to it, or returns False.
    """
    start = next((i for i, c in enumerate(calls) if shape_of(c, facts) is not None), None)
    if start is None:
        return calls, [], []
    shape = shape_of(calls[start], facts)
    before, run, after = calls[:start], [], []
    in_run: set[int] = set()
    later: set[int] = set()
    for i in range(start, len(calls)):
        call = calls[i]
        if call.function is has_no_nan and id(call.args[0]) in in_run:
            run.append(call)
            continue
        if call.writes or call.is_repeated:
            after += calls[i:]
            break
        ids = {id(v) for v in call.operands()}
        is_late = id(call) in late
        if (
            not is_late
            and not ids & later
            and (takes(shape, call) if takes is not None else shape_of(call, facts) == shape)
        ):
            run.append(call)
            in_run.update(id(v) for v in call.results())
        elif is_late or ids & (in_run | later):
            after.append(call)
            later.update(id(v) for v in call.results())
        else:
            before.append(call)
    if len(run) < min_calls:
        # (What stands after the first call goes on as it was.)
        return [*calls[: start + 1]], [], calls[start + 1 :]
    return before, run, after


def _unrelated(run: list[Call], calls: list[Call]) -> set[int]:
    """The calls of a run that have nothing to do with the others, and stood behind another call.

    Their results would only take memory until they are needed.
    """
    if not run:
        return set()
    places = {id(c): i for i, c in enumerate(calls)}
    start = places[id(run[0])]
    inside = {id(c) for c in run}
    gap = next((i for i in range(start, len(calls)) if id(calls[i]) not in inside), len(calls))
    parents = {id(c): id(c) for c in run}

    def group_of(key: int) -> int:
        while parents[key] != key:
            parents[key] = key = parents[parents[key]]
        return key

    makers: dict[int, int] = {}
    for call in run:
        for v in call.operands():
            if id(v) in makers:
                parents[group_of(makers[id(v)])] = group_of(id(call))
        makers.update((id(v), id(call)) for v in call.results())
    early = {group_of(id(c)) for c in run if places[id(c)] < gap}
    return {id(c) for c in run if group_of(id(c)) not in early}


def is_large(size: int) -> bool:
    """Return True if operations on that many elements can be part of a run."""
    least = MIN_BYTES if _cpu.backend.loops is None else min(MIN_BYTES, MIN_BYTES_OF_LOOPS)
    return 8 * size >= least


def _as_calls(
    run: list[Call],
    after: list[Call],
    program: Program,
    facts: Facts,
    write: Callable[[Program], Any],
) -> list[Call]:
    """A run as one call, and the views of its results that are needed after it."""
    views = {id(c) for c in run if c.name != "guard" and (rows := rows_of(c)) and rows.is_view}
    made = {id(v): v for c in run if id(c) not in views for v in c.results()}
    needed = {id(v) for c in after for v in c.operands()}
    needed |= {id(v) for v in program.outputs}
    used: set[int] = set()
    calls: list[Call] = []
    later: list[Call] = []
    for call in reversed(run):
        ids = {id(v) for v in call.operands()}
        if id(call) in views and id(call.out) in needed:
            needed |= ids
            later.append(call)
        if id(call) not in views or id(call.out) in used:
            used |= ids
            calls.append(call)
    calls.reverse()
    later.reverse()
    if sum(call.name != "guard" and id(call) not in views for call in run) < MIN_CALLS:
        return run
    frame = _Frame(calls[0].results()[0].shape, facts)
    for call in calls:
        if call.name != "guard":
            frame.take(call)
    outputs = [v for key, v in made.items() if key in needed]
    copies: dict[int, Value] = {}
    memories: dict[Memory, Memory] = {}
    inside = {id(v) for call in calls for v in call.results()}
    inputs = {id(v): v for c in calls for v in c.operands() if id(v) not in inside}
    for key, v in inputs.items():
        copies[key] = copied_value(v, memories)
        copies[key].kind = "input"
        copies[key].memory.is_outer = True
    body = [copied_call(_on_blocks(c, len(frame.lead)), copies, memories) for c in calls]
    inner = Program(
        [copies[key] for key in inputs], body, [copies[id(v)] for v in outputs], program.ambient
    )
    missing = [frame.missing.get(key, 0) for key in inputs]
    lead, values = frame.lead, [*inputs.values()]
    function = Blocks(inner, write, lead, frame.size, missing)
    make = partial(loops_of_blocks, calls, values, outputs, lead, missing, program.ambient)
    if not function.run_by(make) and 8 * frame.size < MIN_BYTES:
        return run
    call = Call("blocks", function, _cpu, tuple(inputs.values()), {})
    call.line, call.errors = run[0].line, program.ambient
    if outputs:  # (A run may be needed for its checks alone.)
        call.out = tuple(outputs) if len(outputs) > 1 else outputs[0]
    # The results have memory of their own, also those that could be one another.
    for v in outputs:
        v.is_scalar = False
    return [call, *later]


def _on_blocks(call: Call, k: int) -> Call:
    """A call as it is made on blocks of `k` first axes."""
    new = Call(call.name, call.function, call.device, call.args, call.kwargs)
    if call.name not in ("guard", "mask"):
        new.function, args, new.kwargs = on_block(call, k)
        new.with_arguments(args)
        if isinstance(new.function, partial):  # (not the operation of that name)
            new.name = new.function.func.__name__.strip("_")
    new.out, new.errors, new.line = call.out, call.errors, call.line
    new.condition, new.otherwise = call.condition, call.otherwise
    new.body = [_on_blocks(c, k) for c in call.body]
    return new
