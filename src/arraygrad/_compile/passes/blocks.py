"""Blocks: runs of elementwise calls on large arrays are made block by block, in the cache.

Each call of a run would read its operands from memory and write its result there. Instead all calls
of a run are made on one block of the arrays after the other, by all threads of the package, and
only what the rest of the program needs is written. Sums are not part of a run: their rounding
depends on the order of all elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..._device import get_device
from .._program import Call, Memory, Program, Value, replaced
from .._recorder import has_no_nan
from ._facts import Facts

_cpu: Any = get_device("cpu")
_np: Any = _cpu.backend.namespace
_parallel: Any = _cpu.backend.parallel

#: Bytes of the arrays of a run, at least: smaller ones are in the cache anyway.
MIN_BYTES = 1 << 22
#: Elements of a block.
BLOCK_SIZE = 1 << 15
#: Calls of a run, at least.
MIN_CALLS = 2

_KINDS = "fd?"  # single and double precision, and bools
#: Functions that correct NumPy's for complex numbers alone.
_OF_COMPLEX = frozenset("expm1 log1p sign tan tanh".split())


class Blocks:
    """A run of calls as one function.

    Attributes
    ----------
    program : Program
        The calls on one block.
    """

    def __init__(self, program: Program, write: Callable[[Program], Any], shape: Any) -> None:
        self.program = program
        self._run = write(program)
        self._shape = shape
        self._sliced = [v.shape is not None and len(v.shape) == len(shape)
                        and v.shape[0] == shape[0] for v in program.inputs]  # fmt: skip
        self._dtypes = [v.dtype for v in program.outputs]
        rows = max(1, BLOCK_SIZE // max(1, math.prod(shape[1:])))
        self._blocks = [slice(i, i + rows) for i in range(0, shape[0], rows)]

    def __call__(self, *operands: Any) -> Any:
        """Compute the results of the run."""
        outs = [_np.empty(self._shape, dtype=d) for d in self._dtypes]
        run, sliced = self._run, self._sliced

        def compute(block: slice) -> None:
            parts = [x[block] if s else x for x, s in zip(operands, sliced, strict=True)]
            run(*parts, *[out[block] for out in outs])

        if not _parallel.run_on_pool(compute, self._blocks, helps=True):
            for block in self._blocks:
                compute(block)
        return outs[0] if len(outs) == 1 else tuple(outs)


def run_in_blocks(program: Program, write: Callable[[Program], Any]) -> Program:
    """The program with runs of elementwise calls in the place of these.

    `write` makes a function of a program. A call takes part if all arrays that it makes have the
    shape of the run, and nothing between it and the run depends on the run.
    """
    if not any(_is_large(v) for call in program.calls for v in call.results()):
        return program
    calls: list[Call] = []
    facts = Facts(program)
    rest = program.calls
    while rest:
        before, run, after = next_run(rest, facts, _shape_of, MIN_CALLS)
        calls += before
        if run:
            calls.append(_as_call(run, after, program, write))
        rest = after
    return Program(program.inputs, calls, program.outputs, program.ambient)


def next_run(
    calls: list[Call], facts: Facts, shape_of: Callable[[Call, Facts], Any], min_calls: int
) -> tuple[list[Call], list[Call], list[Call]]:
    """The first run, what has to be made before it, and what after.

    `shape_of` returns what the calls of a run have in common; None for others.
    """
    start = next((i for i, c in enumerate(calls) if shape_of(c, facts) is not None), None)
    if start is None:
        return calls, [], []
    shape = shape_of(calls[start], facts)
    before, run, after = calls[:start], [], []
    in_run: set[int] = set()
    later: set[int] = set()
    i = start
    while i < len(calls):
        call = calls[i]
        if call.function is has_no_nan and id(call.args[0]) in in_run:
            run.append(call)
            i += 1
            continue
        if call.writes or call.is_repeated:
            break
        ids = {id(v) for v in call.operands()}
        if not ids & later and shape_of(call, facts) == shape:
            run.append(call)
            in_run.update(id(v) for v in call.results())
        elif ids & (in_run | later):
            after.append(call)
            later.update(id(v) for v in call.results())
        else:
            before.append(call)
        i += 1
    after += calls[i:]
    if len(run) < min_calls:
        # (What stands after the first call goes on as it was.)
        return [*calls[: start + 1]], [], calls[start + 1 :]
    return before, run, after


def _shape_of(call: Call, facts: Facts) -> tuple[int, ...] | None:
    """The shape of the arrays of an elementwise call that may take part in a run."""
    if call.device is not _cpu or call.writes or call.is_repeated or call.kwargs:
        return None
    if call.name == "mask":
        shape: Any = call.condition.shape if call.condition is not None else None
        if not all(_elementwise(c, shape) for c in call.body):
            return None
        if not all(_fits(v, shape) for v in call.out):
            return None
    else:
        if not isinstance(call.out, Value) or not _is_large(call.out):
            return None
        shape = call.out.shape
        if not _elementwise(call, shape):
            return None
    if not shape or math.prod(shape) * 8 < MIN_BYTES:
        return None
    for v in call.results():
        if v.memory in facts.written or v.memory.is_outer or not _is_c_contiguous(v):
            return None
    return tuple(shape)


def _is_large(v: Value) -> bool:
    return bool(v.shape) and math.prod(v.shape) * 8 >= MIN_BYTES


def _fits(v: Any, shape: Any) -> bool:
    return (
        isinstance(v, Value) and v.dtype is not None and v.shape == shape and v.dtype.char in _KINDS
    )


def _elementwise(call: Call, shape: Any) -> bool:
    if call.device is not _cpu or call.writes or call.is_repeated or call.kwargs:
        return False
    if not _fits(call.out, shape):
        return False
    for x in call.args:
        if isinstance(x, Value):
            if x.shape is None or x.dtype is None or x.dtype.char not in _KINDS:
                return False
            if len(x.shape) > len(shape):
                return False
        elif type(x) not in (int, float, bool):
            return False
    return _block_function(call) is not None


def _block_function(call: Call) -> Any:
    """The function of a call on a block; None if it is not elementwise."""
    function = getattr(call.function, "unsplit", call.function)
    if isinstance(function, _np.ufunc):
        return function if function.signature is None else None  # (`matmul` has one)
    if call.name in _OF_COMPLEX:
        return getattr(_np, call.name)
    if call.name == "where":
        # (A Python int beside floating-point numbers is one.)
        return _np.where if call.out.dtype.kind == "f" else None
    if call.name == "pow":
        return function if isinstance(call.args[0], Value) and type(call.args[1]) in (int, float) \
            else None  # fmt: skip
    return function if call.name in ("settle", "settle_weight") else None


def _as_call(
    run: list[Call], after: list[Call], program: Program, write: Callable[[Program], Any]
) -> Call:
    """A run as one call."""
    made = {id(v): v for call in run for v in call.results()}
    inputs = {id(v): v for call in run for v in call.operands() if id(v) not in made}
    needed = {id(v) for call in after for v in call.operands()}
    needed |= {id(v) for v in program.outputs}
    outputs = [v for key, v in made.items() if key in needed]
    shape = run[0].results()[0].shape
    copies: dict[int, Value] = {}
    memories: dict[Memory, Memory] = {}
    parameters = []
    for key, v in inputs.items():
        copies[key] = _copy(v, memories)
        copies[key].kind = "input"
        copies[key].memory.is_outer = True
        parameters.append(copies[key])
    body = [_copied(call, copies, memories) for call in run]
    inner = Program(parameters, body, [copies[id(v)] for v in outputs], program.ambient)
    call = Call("blocks", Blocks(inner, write, shape), _cpu, tuple(inputs.values()), {})
    call.line, call.errors = run[0].line, program.ambient
    if outputs:  # (A run may be needed for its checks alone.)
        call.out = tuple(outputs) if len(outputs) > 1 else outputs[0]
    # The results have memory of their own, also those that could be one another.
    for v in outputs:
        v.is_scalar = False
    return call


def _copy(v: Value, memories: dict[Memory, Memory]) -> Value:
    out = Value(v.kind, memories.setdefault(v.memory, Memory()))
    out.shape, out.dtype, out.strides, out.is_scalar = v.shape, v.dtype, v.strides, v.is_scalar
    out.data = v.data
    return out


def _copied(call: Call, copies: dict[int, Value], memories: dict[Memory, Memory]) -> Call:
    """A call on blocks, with values of its own."""
    for v in call.results():
        if id(v) not in copies:
            copies[id(v)] = _copy(v, memories)
    body = [_copied(c, copies, memories) for c in call.body]
    new = Call(call.name, call.function, call.device, replaced(call.args, copies), {})
    if call.name == "guard":
        new.kwargs = call.kwargs
    elif call.name != "mask":
        new.function = _block_function(call)
    new.out = replaced(call.out, copies)
    new.errors, new.line = call.errors, call.line
    new.condition = copies[id(call.condition)] if call.condition is not None else None
    new.body, new.otherwise = body, replaced(call.otherwise, copies)
    return new


def _is_c_contiguous(v: Value) -> bool:
    step = v.dtype.itemsize
    for n, s in zip(reversed(v.shape or ()), reversed(v.strides or ()), strict=True):
        if n > 1 and s != step:
            return False
        step *= n
    return True
