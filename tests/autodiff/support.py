"""What several tests of autodiff use."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import Tensor, autodiff

ONE = xp.asarray(1.0)
SIZES = [3, 3000]  # small views may be copied, large ones are not
each_size = pytest.mark.parametrize("n", SIZES)
REFUSALS = (RuntimeError, ValueError, autodiff.NotDifferentiableError)
SOURCES = str(Path(xp.__file__).parent.parent)
HEAD = "import arraygrad as xp\nfrom arraygrad import autodiff\nimport numpy as np\n"


def close(tensor, expected, rtol=1e-12):
    """Check that a tensor has the expected values."""
    assert isinstance(tensor, Tensor)
    expected = expected.numpy() if isinstance(expected, Tensor) else np.asarray(expected)
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=rtol, atol=rtol)


def check_refusal(error):
    """Check that an error is about memory, and says so."""
    assert re.search(r"copy|overwrit|shares|shared|writ", str(error)), repr(error)


def right_or_refused(find, expected):
    """Check that a gradient is right, or that finding it raises."""
    try:
        found = find()
    except REFUSALS as error:
        check_refusal(error)
        return False
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    return True


def start(n):
    """Values to begin with, as an array of NumPy."""
    return np.linspace(1.0, 2.0, n)


def name_of(f):
    """The name of a function, for the names of tests."""
    return f.__name__.strip("_")


def run_program(program, head=HEAD, timeout=120):
    """What a program of its own prints."""
    path = os.pathsep.join(p for p in (SOURCES, os.environ.get("PYTHONPATH")) if p)
    done = subprocess.run(
        [sys.executable, "-c", head + program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stderr[-2000:]}"
    return done.stdout
