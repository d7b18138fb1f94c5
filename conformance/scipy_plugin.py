"""A pytest plugin that runs SciPy's tests with one backend, which SciPy need not know.

SciPy's `xp` fixture runs a test once for each array library of a list. Here the list has one
entry, and only the tests that use the fixture are run. SciPy's marks apply to the backend as to a
library that SciPy knows but never names: tests only for NumPy (`np_only`) are skipped and, on a
GPU, also tests only for the CPU (`cpu_only`) and tests that CuPy is to skip, because arraygrad uses
CuPy there. SciPy marks tests for lazy arrays by naming all eager libraries, and the backend counts
as one of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import pytest

import arraygrad

BACKEND = os.environ.get("ARRAYGRAD_CONFORMANCE_BACKEND", "arraygrad")
DEVICE = os.environ.get("ARRAYGRAD_CONFORMANCE_DEVICE", "cpu")
OURS = BACKEND == "arraygrad"

#: The marks of a test for lazy arrays: each of them skips it with one library.
EAGER = {("numpy",), ("array_api_strict",), ("cupy",), ("torch",)}


def pytest_sessionstart() -> None:
    """Register the backend with SciPy, and set the device of the tests."""
    if OURS:
        arraygrad.default_device(DEVICE)
        conftest = import_module("scipy.conftest")
        conftest.xp_known_backends.add(BACKEND)
        if hasattr(conftest, "xp_skip_np_only_backends"):  # SciPy 1.16 has a list for it
            conftest.xp_skip_np_only_backends.add(BACKEND)
        if DEVICE != "cpu":
            conftest.xp_skip_cpu_only_backends.add(BACKEND)
            # SciPy's assertions copy data of the GPU libraries that it knows to the host.
            helpers: Any = import_module("scipy._lib._array_api")
            helpers._xp_copy_to_numpy = on_host(helpers._xp_copy_to_numpy)
            testing: Any = import_module("numpy.testing")
            for name in ("assert_array_equal", "assert_allclose", "assert_array_less"):
                setattr(testing, name, on_host(getattr(testing, name)))


def host(x: Any) -> Any:
    """Convert a tensor to a NumPy array, and return anything else unchanged."""
    return x.numpy() if isinstance(x, arraygrad.Tensor) else x


def on_host(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function to convert tensors to NumPy arrays."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*map(host, args), **{name: host(x) for name, x in kwargs.items()})

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: Any) -> None:
    """Parametrise the fixtures with one value each; this takes precedence over their own lists."""
    names = metafunc.fixturenames
    if "xp" not in names:
        return
    marks = [pytest.mark.array_api_backends]
    skipped = {mark.args for mark in metafunc.definition.iter_markers("skip_xp_backends")}
    if OURS and skipped >= EAGER:
        marks.append(pytest.mark.skip("lazy backends only"))
    xp = import_module(BACKEND)
    param = pytest.param(xp, id=BACKEND, marks=marks)
    metafunc.definition.add_marker(pytest.mark.parametrize("xp", [param], indirect=True))
    inspection = getattr(xp, "__array_namespace_info__", None)
    if "devices" in names and inspection and isinstance(found := inspection().devices(), tuple):
        # SciPy 1.17 adds a list to the result of devices(), which is a tuple since 2025.12.
        once = pytest.param([*found, None], id=pytest.HIDDEN_PARAM)
        metafunc.definition.add_marker(pytest.mark.parametrize("devices", [once]))


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Keep the tests with the fixture; on a GPU, apply the marks of CuPy."""
    kept = [item for item in items if item.get_closest_marker("array_api_backends")]
    if OURS and DEVICE.startswith("cuda"):
        for item in kept:
            for name in ("skip_xp_backends", "xfail_xp_backends"):
                for mark in [m for m in item.iter_markers(name) if m.args == ("cupy",)]:
                    item.add_marker(getattr(pytest.mark, name)(BACKEND, **mark.kwargs))
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept
