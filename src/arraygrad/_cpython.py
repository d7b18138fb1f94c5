"""Calls to CPython itself on the hot path.

Compiled modules call its C API (`_cpython.pxd`), which takes a fifth of the time.
"""

from __future__ import annotations

from contextvars import ContextVar
from weakref import ref

#: ``weak_reference(x)``.
weak_reference = ref
#: ``current(variable)``: the value of a context variable that has a default.
current = ContextVar.get
