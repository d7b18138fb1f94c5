"""New objects of our classes, whose slots the caller sets.

Compiled modules have another `new`, of `_alloc.pxd`, and nothing but these modules calls it.
"""

from __future__ import annotations

new = object.__new__
