"""The checks of ``python -m conformance gradients`` as tests, one for each case and device."""

from __future__ import annotations

import os

import pytest

import arraygrad as xp

from .gradient_cases import CASES, Case
from .gradients import REFUSED, outcomes

GPU = os.environ.get("ARRAYGRAD_CONFORMANCE_DEVICE", "cuda")


@pytest.mark.parametrize("device", [pytest.param("cpu", id="cpu"), pytest.param(GPU, id="gpu")])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_derivatives(case: Case, device: str) -> None:
    """Fail if a derivative is wrong; skip if it is refused."""
    found = outcomes(case, xp.Device(device))
    wrong = [f"{check}: {why}" for check, why in found.items() if why not in ("", REFUSED)]
    if wrong:
        pytest.fail("; ".join(wrong), pytrace=False)
    if REFUSED in found.values():
        pytest.skip("refused: " + ", ".join(c for c, why in found.items() if why == REFUSED))
