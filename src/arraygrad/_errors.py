"""Exceptions of the package, the rewording of backend errors, and checks of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real


class DeviceMismatchError(ValueError):
    """Operands of an operation are on different devices.

    Move one of them first: ``x.to_device(y.device)``.
    """


class TransferError(TypeError):
    """A tensor would have to leave its device implicitly.

    Transfer it explicitly: ``x.to_device("cpu")`` or ``x.numpy()``.
    """


def describe(x: object) -> str:
    """Short description of an operand for an error message."""
    dtype, shape = getattr(x, "dtype", None), getattr(x, "shape", None)
    if dtype is not None and shape is not None:
        kind, library = type(x).__name__, type(x).__module__.partition(".")[0]
        if library not in ("arraygrad", "numpy"):  # another library's Tensor, for example
            kind = f"{library}.{kind}"
        return f"{kind}(shape={shape}, dtype={dtype})"
    text = repr(x)
    return text if len(text) <= 60 else f"{text[:57]}..."


def as_int(function: str, argument: str, x: object) -> int:
    """Python's int for an argument that is one of Python's or NumPy's."""
    if type(x) is int or (isinstance(x, Integral) and not isinstance(x, bool)):
        return int(x)
    raise TypeError(f"{function}: {argument} must be an int; got {describe(x)}")


def as_number(function: str, argument: str, x: object) -> int | float:
    """Python's number for an argument; the dtype of one of NumPy's would count in arithmetic."""
    if type(x) is float or type(x) is int:
        return x
    if isinstance(x, Real) and not isinstance(x, bool):
        return int(x) if isinstance(x, Integral) else float(x)
    raise TypeError(f"{function}: {argument} must be a number; got {describe(x)}")


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
    message = f"{name}: {str(error).rstrip('.')}; got {got}"
    if isinstance(error, AttributeError):  # a scalar where the library looks for an array
        if isinstance(error.obj, (int, float, complex)):
            message = f"{name}: expected a Tensor instead of {error.obj!r}; got {got}"
        return TypeError(message)
    if type(error) in (IndexError, ZeroDivisionError) and name.startswith(
        ("fft.", "linalg.", "tensordot")
    ):
        return ValueError(message)  # for example an axis that does not exist, or no samples
    for cls in type(error).__mro__:
        if cls is Exception or not issubclass(cls, Exception) or issubclass(cls, Warning):
            break
        try:
            return cls(message)
        except Exception:  # e.g. NumPy's ufunc errors, built from a ufunc and dtypes
            continue
    return error
