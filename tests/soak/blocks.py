"""What nats-server holds of the blocks that its streams write to: a buffer each, which grows in four steps.

All but some MiB of its memory are such buffers, of blocks that are written or read. The last block of a stream keeps
one for as long as it is written more often than every ten seconds, 256 kB at first and up to 4 MB (8 MB of a large
stream), and a block after it takes that over. So it grows for as long as it takes a stream to write a first MB.
Source: nats-server, server/filestore.go: getMsgBlockBuf, writeMsgRecordLocked, tryExpireWriteCache, and
https://github.com/nats-io/nats-server.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from tests.soak.measuring import MIB

_BUFFERS: Final = (MIB // 4, MIB, 4 * MIB, 8 * MIB)
_KEPT_SECONDS: Final = 11.0  # ten, and a tick of the server's clock


class Blocks:
    """The streams below a server's directory of an account: what their last blocks have come to hold."""

    def __init__(self, streams: Path) -> None:
        self._streams = streams
        self._most: dict[str, int] = {}

    def size(self) -> int:
        """Return the bytes of the buffers that are kept now."""
        now, kept = time.time(), 0
        for stream in self._streams.iterdir():
            if (found := _last_block(stream / "msgs")) is not None:
                size, written = found
                buffer = next((one for one in _BUFFERS if size <= one), _BUFFERS[-1])
                most = self._most[stream.name] = max(buffer, self._most.get(stream.name, 0))
                kept += most if now - written <= _KEPT_SECONDS else 0
        return kept


def _last_block(folder: Path) -> tuple[int, float] | None:
    """Return the bytes of the newest block in a stream's folder, and when it was written to (seconds UTC)."""
    numbers = [int(block.stem) for block in folder.glob("*.blk")]
    if not numbers:
        return None
    try:
        found = (folder / f"{max(numbers)}.blk").stat()
    except FileNotFoundError:
        return None  # it was emptied meanwhile
    return found.st_size, found.st_mtime
