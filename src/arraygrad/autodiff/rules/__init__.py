"""Derivative rules, with one module for each chapter of the standard.

Packages that add operations define their rules with `define`. `conj` is the complex conjugate,
which returns real tensors unchanged; `identity` is the rule that passes tangents on; `add` sums two
terms, None being zero; `weighted` is a product that is 0 where its first factor is; `updated` is an
operation in place on a tensor that nothing else refers to.
"""

from .._rules import conj, identity
from .._tangents import add, updated, weighted
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
    "add",
    "conj",
    "define",
    "fft",
    "identity",
    "linalg",
    "special",
    "updated",
    "weighted",
]
