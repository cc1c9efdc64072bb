"""Memory that the process holds and does not use."""

from __future__ import annotations

import pyarrow as pa


def release_memory() -> None:
    """Give unused memory back to the system, in some milliseconds.

    glibc keeps up to 64 MB at the end of its heap once large arrays have been freed (mallopt(3), M_MMAP_THRESHOLD);
    the pool that allocates with it calls malloc_trim(3).
    """
    pa.system_memory_pool().release_unused()
