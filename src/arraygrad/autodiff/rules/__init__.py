"""Derivative rules, with one module for each chapter of the standard.

Packages that add operations define their rules with `define`. `conj` is the complex conjugate,
which returns real tensors unchanged.
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
from . import _batching as _batching  # after the others: of elementwise rules it has all

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
