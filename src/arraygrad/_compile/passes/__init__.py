"""The passes: functions from a program to one with the same results that does less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._program import Program
from .algebra import simplify
from .blocks import run_in_blocks
from .common import keep_apart, merge_common
from .constants import fold_constants
from .dead_code import drop_dead_code
from .direct import call_directly
from .kernels import run_as_kernels
from .loops import run_as_loops
from .nan import merge_nan_checks
from .order import make_late
from .regroup import regroup
from .scalars import replace_in_place

__all__ = ["drop_dead_code", "in_runs", "optimised"]


def in_runs(program: Program, write: Callable[[Program, bool], Any]) -> Program:
    """The program with runs of calls in blocks, as loops or, on a GPU, as kernels.

    `write` makes the text of a program; of one that is to write into given memory, by ``True``.
    """
    program = run_in_blocks(program, lambda part: write(part, True))
    return run_as_kernels(run_as_loops(program, lambda part: write(part, False)))


def optimised(program: Program, reassociate: bool = False) -> Program:
    """The program after all passes but `in_runs`.

    With `reassociate` it may compute sums and products in another order.
    """
    program = drop_dead_code(program)
    program = fold_constants(program)
    program = simplify(program)
    if reassociate:
        program = regroup(program)
    program = merge_common(program)
    program = keep_apart(program)
    program = call_directly(program)
    program = replace_in_place(program)
    program = merge_nan_checks(program)
    return make_late(drop_dead_code(program))
