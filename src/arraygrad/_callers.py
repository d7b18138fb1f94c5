"""Which library reads a tensor as a NumPy array, for errors that name it and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from types import FrameType, FunctionType
from typing import Any

#: Code that runs between a function of SciPy or scikit-learn and the conversion of a tensor.
_BETWEEN = frozenset(
    "arraygrad array_api_compat array_api_extra contextlib functools joblib numpy".split()
)
_SET_SCIPY = 'os.environ["SCIPY_ARRAY_API"] = "1" before the first import of SciPy or scikit-learn'
_SET_SKLEARN = "sklearn.set_config(array_api_dispatch=True)"


def reason(otherwise: str, unsupported: str) -> str:
    """Why a tensor cannot be read as a NumPy array, and what to write.

    It walks the stack, so it is called only where an error is raised.

    Parameters
    ----------
    otherwise : str
        The answer if neither SciPy nor scikit-learn reads the tensor.
    unsupported : str
        What to write instead of a function of theirs that computes with NumPy arrays only.
    """
    frames = list(_library_frames())
    if not frames:  # a ufunc of SciPy has no frame
        unset = "scipy.special" in sys.modules and not _scipy_is_set()
        return f"{otherwise}; for functions of SciPy, write {_SET_SCIPY}" if unset else otherwise
    names = [name for frame in frames if (name := _public_name(frame))]
    function = names[-1] if names else _public_module(frames[-1])
    setting = _missing_setting(function.partition(".")[0])
    if setting:
        return (
            f"{function} converts tensors to NumPy arrays while its support of the array API is "
            f"off; write {setting}"
        )
    ours = _counterpart(function)
    instead = f"write {ours}" if ours else unsupported
    return f"{function} computes with NumPy arrays or Python's numbers; {instead}"


def _library_frames() -> Iterator[FrameType]:
    """The frames of SciPy and scikit-learn from the innermost one to the user's call."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        root = _module(frame).partition(".")[0]
        if root in ("scipy", "sklearn"):
            yield frame
        elif root not in _BETWEEN:
            return
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _public_module(frame: FrameType) -> str:
    parts = _module(frame).split(".")
    private = [i for i, part in enumerate(parts) if part.startswith("_")]
    return ".".join(parts[: private[0]] if private else parts)


def _public_name(frame: FrameType) -> str:
    """The public function or method that runs in a frame, with its module; empty if none does."""
    module = _public_module(frame)
    public = vars(sys.modules.get(module, object))
    name = frame.f_code.co_name
    if "self" in frame.f_locals:
        owner: Any = frame.f_locals["self"]
        found = [n for n, x in public.items() if x is owner or x is type(owner)]
        method = "" if name.startswith("_") else f".{name}"
        return f"{module}.{found[0]}{method}" if found else ""
    if name in public:
        return f"{module}.{name}"
    # A decorator's wrapper has the function that it wraps among its variables.
    functions = [x for x in frame.f_locals.values() if isinstance(x, FunctionType)]
    wrapped = [f.__name__ for f in functions if f.__name__ in public]
    return f"{module}.{wrapped[0]}" if wrapped else ""


def _counterpart(function: str) -> str:
    """The function of `arraygrad.scipy` for one of SciPy, or for a method; empty if none is."""
    library, _, name = function.partition(".")
    known = import_module("arraygrad.scipy").FUNCTIONS if library == "scipy" else ()
    found = any(name == k or name.startswith(f"{k}.") for k in known)
    return f"arraygrad.scipy.{name}" if found else ""


def _missing_setting(library: str) -> str:
    if library == "sklearn":
        on = vars(sys.modules["sklearn"])["get_config"]()["array_api_dispatch"]
        settings = [_SET_SKLEARN] * (not on) + [_SET_SCIPY] * (not _scipy_is_set())
        return ", and ".join(settings)
    return "" if _scipy_is_set() else _SET_SCIPY


def _scipy_is_set() -> bool:
    """Whether SciPy found its switch when it was imported; later changes have no effect."""
    private = sys.modules.get("scipy._lib._array_api")
    return bool(getattr(private, "SCIPY_ARRAY_API", os.environ.get("SCIPY_ARRAY_API")))
