"""Derivative rules, one module per chapter of the standard, named as the chapters."""

from . import (
    _elementwise,
    _linear_algebra,
    _manipulation,
    _other,
    _statistical,
    fft,
    linalg,
    special,
)

__all__ = [
    "_elementwise",
    "_linear_algebra",
    "_manipulation",
    "_other",
    "_statistical",
    "fft",
    "linalg",
    "special",
]
