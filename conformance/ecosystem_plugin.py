"""A pytest plugin that adds `arraygrad` to the lists of libraries in other libraries' tests.

It is added before the test modules read the list, and only the tests with it are run.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest

import arraygrad

LIBRARY = os.environ["ARRAYGRAD_CONFORMANCE_LIBRARY"]
OURS = "arraygrad"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: Any) -> None:
    """Add `arraygrad` to a list in a module of the library or of its tests."""
    if LIBRARY == "array-api-compat":
        import_module("tests._helpers").all_libraries.append(OURS)
    elif LIBRARY == "array-api-extra":
        early_config.addinivalue_line("markers", "thread_unsafe: of a plugin that it tests with")
        backend = import_module("array_api_extra._lib._backends").Backend
        new = object.__new__(backend)
        new._name_, new._value_ = OURS.upper(), OURS
        backend._member_map_[new.name] = backend._value2member_map_[new.value] = new
        backend._member_names_.append(new.name)
    elif LIBRARY == "scikit-bio":  # each test names all libraries that it knows: we are the last
        vars(import_module("skbio.util._testing"))["_BACKENDS"] = {"cupy": (arraygrad, ["cpu"])}
    else:
        import_module("arraygrad.interop.autoray")


def pytest_configure(config: Any) -> None:
    """Add `arraygrad` to a list in a file that pytest has loaded by now."""
    for plugin in config.pluginmanager.get_plugins():
        if LIBRARY == "autoray" and hasattr(plugin, "_ALL_BACKENDS"):
            plugin._ALL_BACKENDS[:] = [OURS]
            plugin._AVAILABLE_BACKENDS |= {OURS}


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Keep the tests with `arraygrad`."""
    kept = [item for item in items if LIBRARY == "quimb" or uses_us(item)]
    for item in kept:
        if reason := not_for_us(item):
            item.add_marker(pytest.mark.skip(reason))
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def uses_us(item: Any) -> bool:
    """True if `arraygrad` is a parameter of the test, or is passed to it by scikit-bio's mark."""
    if item.get_closest_marker("array_api"):
        return True
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(type(getattr(x, "value", x)) is str and getattr(x, "value", x) == OURS
               for x in parameters)  # fmt: skip


def not_for_us(item: Any) -> str:
    """Reason why a test is only for libraries that it knows, if it excludes others by name."""
    if LIBRARY == "array-api-compat" and "is_array_functions" in item.function.__code__.co_names:
        return "there is no is_*_array function for arraygrad"
    for mark in item.iter_markers("skip_xp_backend"):
        reason: str = mark.kwargs.get("reason", "")
        if mark.args[0].value == "array_api_strict" and "agnostic" in reason:
            return reason
    return ""
