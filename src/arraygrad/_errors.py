"""Exceptions of the package, the rewording of backend errors, and checks of numbers."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from numbers import Integral, Real
from typing import Any, TypeVar, cast

_F = TypeVar("_F", bound=Callable[..., Any])


class DeviceMismatchError(ValueError):
    """Operands of an operation are on different devices.

    Move one of them first: ``x.to_device(y.device)``.
    """


class TransferError(TypeError):
    """A tensor would have to leave its device implicitly.

    Transfer it explicitly: ``x.to_device("cpu")`` or ``x.numpy()``.
    """


class UnbatchableError(TypeError):
    """The code inside of `vmap` reads a value, or its shapes depend on values.

    The examples of a batch differ in their values; the message says what to write instead.

    Examples
    --------
    >>> import arraygrad as xp
    >>> try:
    ...     xp.vmap(lambda x: x[x > 0])(xp.ones((2, 3)))
    ... except xp.UnbatchableError as error:
    ...     print(str(error).split("; ")[1])
    write xp.where(mask, x, 0) to keep the shape
    """

    __module__ = "arraygrad"


def describe(x: object) -> str:
    """Short description of an operand for an error message."""
    if isinstance(x, type):
        return repr(x)
    dtype, shape = getattr(x, "dtype", None), getattr(x, "shape", None)
    if dtype is not None and shape is not None:
        kind, library = type(x).__name__, type(x).__module__.partition(".")[0]
        if library not in ("arraygrad", "numpy"):  # another library's Tensor, for example
            kind = f"{library}.{kind}"
        return f"{kind}(shape={shape}, dtype={dtype})"
    text = repr(x)
    return text if len(text) <= 60 else f"{text[:57]}..."


def as_int(function: str, argument: str, x: object) -> int:
    """Convert an int of Python or NumPy to Python's; raise TypeError for anything else."""
    if type(x) is int or (isinstance(x, Integral) and not isinstance(x, bool)):
        return int(x)
    raise TypeError(f"{function}: {argument} must be an int; got {describe(x)}")


def as_number(function: str, argument: str, x: object) -> int | float:
    """Convert a real number to Python's; a NumPy scalar would bring its dtype into arithmetic."""
    if type(x) is float or type(x) is int:
        return x
    if isinstance(x, Real) and not isinstance(x, bool):
        return int(x) if isinstance(x, Integral) else float(x)
    raise TypeError(f"{function}: {argument} must be a number; got {describe(x)}")


#: NumPy's messages that name its internals, and plain ones.
_REWORDED = (
    (re.compile(r"ufunc '\w+' (not supported|did not contain a loop) .*", re.DOTALL),
     "not defined for these dtypes"),
    (re.compile(r"Cannot cast ufunc '\w+' output from dtype\('(\w+)'\) to dtype\('(\w+)'\).*"),
     r"a result of \1 cannot be written into \2"),
    (re.compile(r"Cannot cast ufunc '\w+' input .*"), "not defined for these dtypes"),
    (re.compile(r"(\w+: )?Input operand (\d) does not have enough dimensions "
                r"\(has (\d+), gufunc .* requires (\d+)\)"),
     r"operand \2 needs at least \4 axes and has \3"),
    (re.compile(r"(\w+: )?Output operand 0 has a mismatch .* "
                r"\(size (\d+) is different from (\d+)\)"),
     r"the shapes do not fit: a size of the result is \3 instead of \2"),
    (re.compile(r"(\w+: )?Input operand (\d) has a mismatch .* "
                r"\(size (\d+) is different from (\d+)\)"),
     r"the shapes do not fit: a size of operand \2 is \3 instead of \4"),
    (re.compile(r"Python int too large to convert to C .*"), "an int is too large"),
    (re.compile(r"unhashable type: '([\w.]+)'"), r"a parameter must not be of type \1"),
    (re.compile(r"'([\w.]+)' object is not (iterable|subscriptable)"),
     r"a sequence is needed, not an object of type \1"),
)  # fmt: skip


def explain(
    error: Exception,
    name: str,
    operands: Iterable[object],
    parameters: Mapping[str, object] | None = None,
) -> Exception:
    """Error of the same class whose message also names the function and its arguments.

    Warnings turned into errors, and classes whose constructor takes more than a message, are
    returned unchanged.
    """
    words = [describe(x) for x in operands]
    words += [f"{k}={describe(x)}" for k, x in (parameters or {}).items() if x is not None]
    got = ", ".join(words)
    problem = str(error).rstrip(".")
    for pattern, words_for_it in _REWORDED:
        problem = pattern.sub(words_for_it, problem)
    name = name.removesuffix(".batch")  # of an operation that is faster on batches
    message = f"{name}: {problem}; got {got}"
    if isinstance(error, AttributeError):  # the library looks for an array
        return TypeError(f"{name}: expected a Tensor instead of {describe(error.obj)}; got {got}")
    if isinstance(error, ZeroDivisionError) or (
        type(error) is IndexError and name.startswith(("fft.", "linalg.", "tensordot"))
    ):
        return ValueError(message)  # for example an axis that does not exist, or no samples
    return with_message(error, message)


def with_message(error: Exception, message: str) -> Exception:
    """Error of the same class, or of the nearest base class that takes only a message."""
    for cls in type(error).__mro__:
        if cls is Exception or not issubclass(cls, Exception) or issubclass(cls, Warning):
            break
        try:
            return cls(message)
        except Exception:  # e.g. NumPy's ufunc errors, built from a ufunc and dtypes
            continue
    return error


def in_own_name(name: str) -> Callable[[_F], _F]:
    """Decorator for a function that calls others: their errors begin with its own name."""

    def decorate(function: _F) -> _F:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                if str(error).startswith(name):
                    raise
                # Python's own errors name the function as it is defined: "Generator.choice()".
                problem = str(error).removeprefix(f"{function.__qualname__}() ")
                raise with_message(error, f"{name}: {_NAME.sub('', problem)}") from error

        return cast(_F, run)

    return decorate


def warn(message: str) -> None:
    """Warn about the caller's line, the first outside this package; Python shows it once."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("arraygrad."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)


#: The name of a function at the beginning of a message.
_NAME = re.compile(r"^[\w.]+: ")
