"""Checks of arguments that several functions of this package share."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from .._data_type import astype, result_type
from .._dispatch import check_tensor
from .._dtypes import DEFAULTS
from .._errors import describe, warn
from .._typing import Tensor


def as_floating(x: Tensor) -> Tensor:
    """Convert ints and bools to float64, because small ints would wrap around in sums."""
    return x if x.dtype.kind in "fc" else astype(x, DEFAULTS["real floating"])


def check_real(name: str, x: Any, argument: str = "x") -> None:
    """Raise if `x` is not a tensor, or is complex."""
    check_tensor(name, x)
    if x.dtype.kind == "c":
        raise TypeError(
            f"{name}: {argument} must be real; got {describe(x)}; write xp.real(x) and xp.imag(x) "
            "for its parts, or xp.abs(x)"
        )


def as_real(name: str, x: Any) -> Tensor:
    """Check that a tensor is real; convert ints and bools to float64."""
    check_real(name, x)
    return as_floating(x)


def check_shape(name: str, argument: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raise unless an optional argument is None or a tensor of that shape."""
    if x is None:
        return
    if not isinstance(x, Tensor):
        check_tensor(f"{name}: {argument}", x)
    if x.shape != shape:
        raise ValueError(f"{name}: {argument} must have shape {shape}; got {describe(x)}")


def check_broadcasts(name: str, argument: str, x: Tensor, shape: tuple[int, ...]) -> None:
    """Raise unless a tensor broadcasts to a shape."""
    last = shape[len(shape) - x.ndim :]
    if x.ndim > len(shape) or any(n not in (1, m) for n, m in zip(x.shape, last, strict=True)):
        raise ValueError(f"{name}: {argument} must broadcast to {shape}; got {describe(x)}")


def as_pair(name: str, argument: str, x: Any, least: int) -> tuple[int, int]:
    """Convert an int or a pair of ints to a pair."""
    if type(x) is int and x >= least:
        return x, x
    pair = (x, x) if isinstance(x, Integral) else x
    if (
        not isinstance(pair, (tuple, list))
        or len(pair) != 2
        or not all(isinstance(n, Integral) and int(n) >= least for n in pair)
    ):
        raise ValueError(
            f"{name}: {argument} must be an int of at least {least}, or a pair of such; got {x!r}"
        )
    return int(pair[0]), int(pair[1])


def as_single(name: str, argument: str, x: Any, least: int) -> int:
    """Convert an int, or a tuple of one, to an int."""
    one = x[0] if isinstance(x, (tuple, list)) and len(x) == 1 else x
    if isinstance(one, bool) or not isinstance(one, Integral) or one < least:
        raise ValueError(f"{name}: {argument} must be an int of at least {least}; got {x!r}")
    return int(one)


def warn_of_promotion(layer: str, x: Any, weight: Tensor | None) -> None:
    """Warn if the floating-point dtypes of a layer's input and its weights differ."""
    if not isinstance(x, Tensor) or weight is None or x._data.dtype is weight._data.dtype:
        return
    if x.dtype == weight.dtype or x.dtype.kind != "f" or weight.dtype.kind != "f":
        return
    warn(
        f"{layer}: an input of dtype {x.dtype} and weights of dtype {weight.dtype} are computed in "
        f"{result_type(x.dtype, weight.dtype)}; write xp.astype(x, xp.{weight.dtype}) or "
        f"model.astype(xp.{x.dtype})"
    )
