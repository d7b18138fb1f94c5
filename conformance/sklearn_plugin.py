"""A pytest plugin that runs scikit-learn's array API tests with one backend.

A few generators parametrise the tests over namespaces, devices and dtypes. The plugin adds the
backend to their values, and keeps only the tests that run with the backend.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import pytest

import arraygrad

from .scipy_plugin import on_host

BACKEND = os.environ.get("ARRAYGRAD_CONFORMANCE_BACKEND", "arraygrad")
DEVICE = os.environ.get("ARRAYGRAD_CONFORMANCE_DEVICE", "cpu")
OURS = BACKEND == "arraygrad"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Patch the generators before any test module imports them."""
    module: Any = import_module("sklearn.utils._array_api")
    pair = module.NamespaceAndDevice
    if OURS:
        arraygrad.default_device(DEVICE)
        if DEVICE != "cpu":  # It copies data of the GPU libraries that it knows to the host.
            module._convert_to_numpy = on_host(module._convert_to_numpy)
        us, numpy = pair(BACKEND, DEVICE), pair("numpy", None)
        # As scikit-learn pairs PyTorch: on the CPU with array-api-strict, on a GPU with CuPy.
        gpu = DEVICE.startswith("cuda")
        other = pair("cupy", None) if gpu else pair("array_api_strict", "device1")
        mixed = [
            (us, numpy, f"{BACKEND} to numpy"),
            (numpy, us, f"numpy to {BACKEND}"),
            (other, us, f"{other.xp} to {BACKEND}"),
        ]
        combinations = "yield_namespace_device_dtype_combinations"
        for name, more in (
            ("yield_namespaces", [BACKEND]),
            (combinations, [(BACKEND, DEVICE, dtype) for dtype in ("float64", "float32")]),
            ("yield_mixed_namespace_input_permutations", mixed),
        ):
            setattr(module, name, extended(getattr(module, name), more))


def extended(generator: Callable[..., Iterator[Any]], more: list[Any]) -> Callable[..., Any]:
    """Wrap a generator to yield more values."""

    def run(*args: Any, **kwargs: Any) -> Iterator[Any]:
        # (The combinations are made of the namespaces: of ours without a device and a dtype.)
        yield from (value for value in generator(*args, **kwargs) if value != (BACKEND, None, None))
        yield from more

    return run


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Keep the tests with the backend."""
    kept = [item for item in items if uses_backend(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def uses_backend(item: Any) -> bool:
    """Whether the backend is among the parameters of a test, or of a check of estimators."""
    values = list(item.callspec.params.values()) if hasattr(item, "callspec") else []
    for value in list(values):
        if isinstance(value, partial):
            values.extend(value.keywords.values())
    return any(getattr(value, "xp", value) == BACKEND for value in values if is_name(value))


def is_name(value: Any) -> bool:
    """True if a parameter may name a namespace; arrays cannot be compared with a string."""
    return isinstance(value, str) or isinstance(getattr(value, "xp", None), str)
