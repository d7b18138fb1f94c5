"""Programs that Hypothesis writes, compiled: values, gradients in both modes and second ones."""

import numpy as np
import pytest
from autodiff.test_programs import _function, _inputs, _values
from autodiff.test_programs import programs as random_programs
from compile.support import bits
from hypothesis import Phase, assume, given, settings

import arraygrad as xp
from arraygrad._compile import _text
from arraygrad._compile.passes import blocks
from arraygrad.autodiff import grad, jvp


def other_inputs():
    return [x * 0.9 - 0.05 for x in _inputs()]


def forms(lines, names):
    program = _function(lines)
    rng = np.random.default_rng(0)
    ts = [xp.asarray(rng.uniform(-1, 1, x.shape)) for x in _inputs()]

    def values(*args):
        found = program(*args)
        return {name: found[name] for name in names}

    def loss(*args):
        found = program(*args)
        return sum((xp.sum(xp.tanh(found[name])) for name in names), xp.asarray(0.0))

    def gradient(*args):
        return grad(loss, argnums=(0, 1, 2))(*args)

    return [
        values,
        gradient,
        lambda *args: jvp(loss, args, ts),
        lambda *args: jvp(gradient, args, ts)[1],
    ]


def check(lines):
    values = _values(lines)
    for form in forms(lines, values):
        compiled = xp.compile(form, on_value="guard")
        for make in (_inputs, other_inputs, _inputs, other_inputs):
            own, others = make(), make()
            try:
                want = bits(form(*others))
            except (RuntimeError, ValueError, IndexError):
                break  # a write that cannot be followed
            try:
                got = bits(compiled(*own))
            except TypeError as error:
                if "after the function has written" in str(error):
                    break  # (a mask that is read after a write to an argument)
                raise
            assert got == want
            assert bits(own) == bits(others)


@settings(max_examples=25, derandomize=True, phases=[Phase.generate])
@given(random_programs())
def test_random_programs(lines):
    assume(_values(lines) is not None)
    check(lines)


@settings(max_examples=25, derandomize=True, phases=[Phase.generate])
@given(random_programs())
def test_random_programs_in_small_blocks(lines):
    assume(_values(lines) is not None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MIN_BYTES", 0)
        patch.setattr(blocks, "MIN_CALLS", 1)
        patch.setattr(blocks, "BLOCK_SIZE", 2)
        patch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
        check(lines)
