"""Results do not depend on when a stream runs, nor on which: nothing reads what is not there yet.

The emulated GPU runs a stream only when something waits for it. A missing order, between streams
or with the host, so gives numbers that are wrong each time.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from backends.emulated import STREAMS, late, needs_emulation, stream
from backends.gpu_cases import EXTRA

import arraygrad as xp
from conformance.gradient_cases import CASES
from conformance.gradients import Trial

HERE = Path(__file__).parent


@needs_emulation
@pytest.mark.parametrize("which", STREAMS)
def test_the_table_of_operations(which):
    """All tests of it, in a process of their own."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "backends.on_a_stream"]
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*command, str(HERE / "test_cupy_table.py")],
        env={**os.environ, "PYTHONPATH": path, "ARRAYGRAD_STREAM": which},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stdout
    assert " passed" in done.stdout


def results(case):
    """What a case gives, its gradients and its tangents, as bytes on the host."""
    trial = Trial(case, "cuda")
    found = [*trial.outside, *trial.pulled[1], *trial.pushed[1]]
    return [x.detach().numpy().tobytes() for x in found]


BY_FUNCTION: dict[str, list] = {}
for case in (*CASES, *EXTRA):
    if case.function not in ("nn.dropout", "nn.Dropout"):  # other numbers each time
        BY_FUNCTION.setdefault(case.function, []).append(case)


@needs_emulation
@pytest.mark.parametrize("function", BY_FUNCTION)
def test_gradients(function):
    for case in BY_FUNCTION[function]:
        try:
            expected = results(case)
        except TypeError:  # CuPy lacks some, or for complex numbers, and says so
            assert function.startswith(("special.", "scipy."))
            continue
        for which in STREAMS:
            with late(), stream(which):
                found = results(case)
            assert found == expected, (case.name, which)


@needs_emulation
@pytest.mark.parametrize("which", STREAMS)
def test_training(which):
    """Of which the steps are not waited for."""
    from backends.test_graphs import OPTIMIZERS, convnet, state, training

    def trained(optimizer):
        model, last, step = training(convnet, optimizer)
        for _ in range(4):
            step()
        return state(model, last)

    for optimizer in OPTIMIZERS:
        expected = trained(optimizer)
        with late(), stream(which):
            found = trained(optimizer)
        for name, x in expected.items():
            np.testing.assert_array_equal(found[name], x, err_msg=name)


@needs_emulation
@pytest.mark.parametrize("which", STREAMS)
@pytest.mark.parametrize("name", ["random", "standard_normal", "integers", "permutation"])
def test_random_numbers(name, which):
    def drawn():
        rng = xp.random.default_rng(3, device="cuda")
        args = {"integers": (9, None, 50), "permutation": (50,)}.get(name, (50,))
        return [getattr(rng, name)(*args).tolist() for _ in range(3)]

    expected = drawn()
    with late(), stream(which):
        assert drawn() == expected


@needs_emulation
def test_a_missing_order_shows():
    """On another stream the numbers are not there yet, unless somebody waits for the first."""
    import cupy

    first, second = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
    with late():
        with first:
            x = xp.ones(1000, device="cuda")
        with second:
            y = (x + 1).numpy()
        assert (y != 2).any()
        first.synchronize()
        with second:
            assert ((x + 1).numpy() == 2).all()
