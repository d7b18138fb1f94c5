"""New objects of our classes, without the call of `__init__`; the caller sets all slots.

Compiled, `_alloc.pyx` stands in the place of this module: there None is in the slots.
"""

from __future__ import annotations

new = object.__new__
