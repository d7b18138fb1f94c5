"""Derivative rules, one module per chapter of the standard, named as the chapters.

Packages that add operations give their rules with `define`; `conj` is the complex conjugate, which
returns real tensors as they are.
"""

from .._rules import conj
from .._transpose import define
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
    "conj",
    "define",
    "fft",
    "linalg",
    "special",
]
