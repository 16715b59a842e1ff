"""A clock that a test sets for several processes, in a file of 8 bytes that they have mapped."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_TIME = struct.Struct("<Q")


class SharedClock:
    """Gives the time that was set last, ns UTC, and a nanosecond more each time that it is read in this process."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), _TIME.size)
        self._reads = 0

    def set(self, now_ns: int) -> None:
        """Set it for every process."""
        _TIME.pack_into(self._mapped, 0, now_ns)

    def __call__(self) -> int:
        self._reads += 1
        return _TIME.unpack_from(self._mapped)[0] + self._reads


def make_clock(path: Path, now_ns: int) -> SharedClock:
    """Return a new clock in a file."""
    path.write_bytes(_TIME.pack(now_ns))
    return SharedClock(path)
