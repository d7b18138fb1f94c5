"""The passes: functions from a program to one with the same results that does less."""

from __future__ import annotations

from .._program import Program
from .algebra import simplify
from .blocks import run_in_blocks
from .common import keep_apart, merge_common
from .constants import fold_constants
from .dead_code import drop_dead_code
from .direct import call_directly
from .nan import merge_nan_checks
from .order import make_late
from .scalars import replace_in_place

__all__ = ["drop_dead_code", "optimised", "run_in_blocks"]


def optimised(program: Program) -> Program:
    """The program after all passes but `run_in_blocks`."""
    program = drop_dead_code(program)
    program = fold_constants(program)
    program = simplify(program)
    program = merge_common(program)
    program = keep_apart(program)
    program = call_directly(program)
    program = replace_in_place(program)
    program = merge_nan_checks(program)
    return make_late(drop_dead_code(program))
