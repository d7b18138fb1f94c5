"""Derivative rules, with one module for each chapter of the standard.

Packages that add operations define their rules with `define`. `conj` is the complex conjugate,
which returns real tensors unchanged.
"""

from .._rules import conj
from .._transpose import define
from . import (
    _batching,
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
    "_batching",
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
