"""Reuse of freed memory by glibc: the only process-wide setting that the import changes.

glibc allocates the memory of an array of more than 128 KiB separately, and returns it to the
operating system when the array is freed. A training step allocates the same large arrays as the
previous step, so it often waits for new pages as long as for the arithmetic. glibc raises the
limit, up to 32 MiB, once a larger array has been freed. Other C libraries and other allocators,
such as jemalloc, are not affected.
"""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np

#: A little less than the largest limit that glibc takes (``DEFAULT_MMAP_THRESHOLD_MAX``).
_SIZE = 2**25 - 2**13


def keep_freed_memory() -> None:
    """Let glibc reuse the memory of freed arrays of up to 32 MiB, and keep up to 64 MiB of it.

    It allocates one array of 32 MiB and frees it without writing to it. glibc takes the size as its
    new ``M_MMAP_THRESHOLD``, and twice the size as ``M_TRIM_THRESHOLD`` (mallopt(3)). This happens
    at import unless ``ARRAYGRAD_MALLOC=0``.
    """
    with suppress(MemoryError):  # a process with a memory limit is better off without
        np.empty(_SIZE, dtype=np.uint8)


def set_up() -> None:
    """Call `keep_freed_memory`, unless the environment variable turns it off."""
    if os.environ.get("ARRAYGRAD_MALLOC", "") != "0":
        keep_freed_memory()
