"""Installs the stand-in before any test imports CuPy; a fixture that several files use."""

import fakecuda

fakecuda.install()

import cupy as cp  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture
def x():
    """0, 1, 2, 3 on the GPU, already there."""
    array = cp.arange(4.0)
    cp.cuda.Device().synchronize()
    return array
