"""Bounds of glibc's allocator: large memory is given back when it is freed, and all threads share a pool of memory.

By default every thread up to eight a processor has a pool of its own, and a bound rises whenever something larger is
freed; what lies between objects of different life stays taken then. Sources: malloc.h of https://sourceware.org/glibc,
and https://man7.org/linux/man-pages/man3/mallopt.3.html.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Final

ALLOCATOR: Final = {  # as the environment of a process has them
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
_PARAMETERS: Final = {"MALLOC_ARENA_MAX": -8, "MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_TRIM_THRESHOLD_": -1}


def bound_allocator(environ: Mapping[str, str]) -> bool:
    """Bound this process's own allocator where its environment did not; False where it is not glibc's."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    taken = [mallopt(_PARAMETERS[name], int(value)) for name, value in ALLOCATOR.items() if name not in environ]
    return all(taken)
