"""When a document is written again though nothing of it changed, so that what is recorded holds all of them. Pure."""

from __future__ import annotations

from typing import Final, Protocol
from zlib import crc32

from contracts.streams import RECORDED_AGAIN

_SECOND: Final = 1_000_000_000


class Shown(Protocol):
    """What has documents; `shown`: when they were written again last, ns UTC, 0 before the first look."""

    shown: int


def is_due(held: Shown, name: str, now: int, seconds: int = RECORDED_AGAIN) -> bool:
    """Return whether its documents are to be written again now (ns UTC), and take it that they are.

    Different names are due at different times, so that they are not written all at once.
    """
    if not held.shown:
        held.shown = now - crc32(name.encode()) % seconds * _SECOND
    if now - held.shown < seconds * _SECOND:
        return False
    held.shown = now
    return True
