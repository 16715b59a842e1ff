"""What nats-server's memory is used for, as its own profile says: blocks of streams by what they are for, and the rest.

A stream's messages lie in blocks of 4 or 8 MB. A block is in memory as a whole while something writes it, takes its
oldest message away because the stream is full, or looks for the newest message of a subject in it, and for as long as
that is done more often than its collector runs: a buffer of 0.25 to 8 MB, and where it is compressed, what it is
decompressed into. How many those are depends on what is stored: with each stream that becomes full, one more. They
are what this memory goes up and down by, and they end where all streams are full.

Source: nats-server, https://github.com/nats-io/nats-server/blob/main/server/filestore.go (getMsgBlockBuf,
loadMsgsWithLock, removeMsgViaLimits, recompressOnDiskIfNeeded); the profile's text: Go's
runtime/pprof and net/http/pprof.
"""

from __future__ import annotations

import re
import urllib.request
from typing import Final, NamedTuple

_USES: Final = re.compile(r"^\d+: (\d+) \[[^\n]*\n((?:#\t[^\n]*\n)*)", re.MULTILINE)
_OTHER: Final = re.compile(r"^# (Sys|HeapSys) = (\d+)$", re.MULTILINE)
_BLOCK: Final = ("getMsgBlockBuf", "StoreCompression.", "recompressOnDiskIfNeeded", "compress/s2.(*Writer)")
_KINDS: Final = (  # the first that a stack has
    ("blocks of full streams", ("removeMsgViaLimits", "expireMsgs")),
    ("blocks that are written", ("writeMsgRecord",)),
    ("blocks that are compressed", ("recompressOnDiskIfNeeded", "compress/s2.(*Writer)")),
    ("blocks that are looked in", ("",)),
)


class Uses(NamedTuple):
    """Bytes: what of it is blocks, by kind, and all that is in use, with what the process has beside its heap."""

    blocks: dict[str, int]
    all: int


def find_uses(port: int) -> Uses:
    """Ask a server for its profile, which is as of its last collection; OSError where it does not answer in time."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/debug/pprof/heap?debug=1", timeout=5) as answer:
        return read_profile(answer.read().decode())


def read_profile(text: str) -> Uses:
    """Return what a profile says; sizes below 0.5 MB are of samples."""
    blocks, used = dict.fromkeys((kind for kind, _ in _KINDS), 0), 0
    for size, stack in _USES.findall(text):
        used += int(size)
        if any(name in stack for name in _BLOCK):
            blocks[next(kind for kind, names in _KINDS if any(name in stack for name in names))] += int(size)
    process = {name: int(size) for name, size in _OTHER.findall(text)}
    return Uses(blocks, used + process["Sys"] - process["HeapSys"])
