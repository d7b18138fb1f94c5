"""A pytest plugin that checks the gradients of the public functions that a library's tests call.

Every public function is replaced by one that calls it and then differentiates the same call. The
plugin runs together with the plugin that chooses the backend, and ignores whether tests pass.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .through_scipy_measure import (
    BROKEN,
    LARGEST_INPUT,
    LIBRARIES,
    NONE,
    examine,
    leaves,
    own,
    rebuilt,
)

BACKEND = os.environ.get("ARRAYGRAD_CONFORMANCE_BACKEND", "arraygrad")
FOLDER = os.environ.get("ARRAYGRAD_CONFORMANCE_FOLDER", "")
MODULES = tuple(os.environ.get("ARRAYGRAD_CONFORMANCE_MODULES", "").split())

#: How many calls of a function are compared in each file of tests, and how many are tried for that.
CALLS, TRIES = 8, 40
#: Classes whose methods are tried.
CLASSES = ("scipy.interpolate.", "scipy.spatial.transform.", "sklearn.")
#: The setting without which scikit-learn converts what it is given.
DISPATCH = "array_api_dispatch"
#: Seconds of this process; a call that takes longer is not compared. (What else the machine does
#: does not count, nor does the compiler of an emulated GPU.)
SLOW = 1.0

#: What was found: for each function the verdicts, with the test that made the call.
FOUND: dict[str, list[dict[str, Any]]] = {}
#: Why calls were left out, and the distinct ones of a function in a file, by what they look like.
TRIED: dict[tuple[str, str], set[str]] = {}
COMPARED: Counter[tuple[str, str]] = Counter()
BUSY = threading.local()
#: The functions that are replaced, some of which are in several modules.
WATCHED: dict[Any, Any] = {}


def pytest_sessionstart() -> None:
    """Replace the functions before any test imports them."""
    library = LIBRARIES[BACKEND]()
    for module in MODULES:
        replace(import_module(module), library)


def pytest_sessionfinish(session: Any) -> None:
    """Write the results to a file for the command."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if FOLDER:
        Path(FOLDER, f"found-{worker}.json").write_text(json.dumps(FOUND), encoding="utf-8")


def replace(module: Any, library: Any) -> None:
    """Replace public functions, and methods of classes, by functions that check gradients."""
    names = getattr(module, "__all__", None) or [
        name
        for name, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_")
    ]
    for name in names:
        f, full = getattr(module, name), f"{module.__name__}.{name}"
        if isinstance(f, type):
            if full.startswith(CLASSES):
                replace_methods(f, full, library)
        # (Distributions can be called, too, but have no __name__; NumPy's ufuncs take no tensors.)
        elif callable(f) and hasattr(f, "__name__") and not isinstance(f, np.ufunc):
            if f not in WATCHED:
                WATCHED[f] = watched(f, full, library)
            setattr(module, name, WATCHED[f])


def replace_methods(cls: type, full: str, library: Any) -> None:
    """Replace the methods of a class, including those inherited within the library."""
    root = cls.__module__.partition(".")[0]
    for name in dir(cls):
        f = inspect.getattr_static(cls, name)
        kind = type(f) if isinstance(f, (staticmethod, classmethod)) else None
        f = f.__func__ if kind else f
        public = name in ("__call__", "__mul__", "__pow__") or not name.startswith("_")
        if public and inspect.isfunction(f) and f.__module__.startswith(f"{root}."):
            new = watched(f, f"{full}.{name}", library)
            setattr(cls, name, kind(new) if kind else new)


def watched(f: Callable[..., Any], name: str, library: Any) -> Callable[..., Any]:
    """Wrap a function to check the gradient of each new kind of call."""

    @functools.wraps(f)
    def through(*args: Any, **kwargs: Any) -> Any:
        if getattr(BUSY, "now", False):
            return f(*args, **kwargs)
        BUSY.now = True
        try:
            kept = None
            with checking():
                kept = worth_trying(library, name, args, kwargs)
            started = time.process_time()
            out = f(*args, **kwargs)
            if kept is not None and time.process_time() - started < SLOW:
                with checking():
                    record(library, f, name, kept)
            return out
        finally:
            BUSY.now = False

    known(f, through)
    return through


@contextmanager
def checking() -> Iterator[None]:
    """Save an error of the check itself for the command; a test might expect such an error."""
    try:
        yield
    except Exception:
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        FOUND.setdefault(BROKEN, []).append({"test": test, "why": traceback.format_exc()})


def known(f: Any, through: Any) -> None:
    """Register the wrapper in SciPy's tables of the capabilities of functions."""
    try:
        table = import_module("scipy._lib._array_api").xp_capabilities_table
    except ImportError:
        return
    if f in table:
        table[through] = table[f]


def worth_trying(library: Any, name: str, args: Any, kwargs: Any) -> Any:
    """Copies of the arguments if such a call has not been checked yet; else None."""
    if name.startswith("sklearn.") and not import_module("sklearn").get_config()[DISPATCH]:
        return None  # it makes NumPy arrays of all
    where = name, os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
    tried = TRIED.setdefault(where, set())
    if COMPARED[where] >= CALLS or len(tried) >= TRIES:
        return None
    found = [x for _, x in leaves((args, kwargs))]
    tensors = [x for x in found if isinstance(x, library.tensor)]
    if not any(library.is_float(x) for x in tensors):
        return None
    sizes = [len(library.numpy(x).ravel()) for x in tensors]
    if sum(sizes) > LARGEST_INPUT or any(hasattr(x, "__next__") for x in found):
        return None
    # In half precision tests hand over functions that cast to it, which are steps.
    if any(is_huge(a) or a.dtype.char == "e" for a in map(library.numpy, tensors)):
        return None
    kind = " ".join(f"{path}={look(library, x)}" for path, x in leaves((args, kwargs)))
    if kind in tried:
        return None
    tried.add(kind)

    def copied(x: Any) -> Any:
        return library.from_numpy(library.numpy(x), x) if isinstance(x, library.tensor) else own(x)

    return rebuilt((args, kwargs), lambda _, x: copied(x))


def is_huge(a: Any) -> bool:
    """True if an integer is so large that compiled functions would take it modulo 2**32."""
    return bool(a.dtype.kind in "iu" and a.size and np.max(np.abs(a.astype(float))) >= 2**31)


def look(library: Any, x: Any) -> str:
    """Description of an argument without its values."""
    if isinstance(x, (str, int, type, type(None))):
        return repr(x)
    if isinstance(x, library.tensor) or hasattr(x, "shape"):
        return f"{type(x).__name__} {x.dtype}{tuple(x.shape)}"
    return type(x).__name__


def record(library: Any, f: Callable[..., Any], name: str, arguments: Any) -> None:
    """Check the gradient of a call, and save the verdicts."""
    args, kwargs = arguments
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    names = functools.partial(named, parameters(f))
    verdicts = examine(library, f, args, kwargs, names)
    where = name, test.partition("::")[0]
    COMPARED[where] += any(v.reverse != NONE for v in verdicts)
    entries = FOUND.setdefault(name, [])
    entries += [
        {k: v for k, v in vars(verdict).items() if v} | {"test": test} for verdict in verdicts
    ]


def parameters(f: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function; those of a ufunc by the first line of its docstring."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    if text := re.match(r"\w+\(([\w, ]+), out=None\)", f.__doc__ or ""):
        return [inspect.Parameter(name, kind) for name in text[1].split(", ")]
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return []


def named(known: list[inspect.Parameter], path: Any) -> str:
    """Name of the argument at this position."""
    positional, place, *_ = path
    if positional:
        return str(place)
    for i, parameter in enumerate(known):
        if parameter.kind is parameter.VAR_POSITIONAL:
            return f"*{parameter.name}"
        if i == place:
            return parameter.name
    return f"argument {place + 1}"
