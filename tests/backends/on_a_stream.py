"""A pytest plugin: every test runs on a stream of the emulated GPU, late.

``-p backends.on_a_stream`` and ``ARRAYGRAD_STREAM=null`` or ``=own``.
"""

import os

import pytest
from backends import emulated


@pytest.fixture(autouse=True)
def stream():
    """The stream that is current; what runs on it runs when something waits for it."""
    with emulated.late(), emulated.stream(os.environ["ARRAYGRAD_STREAM"]):
        yield
