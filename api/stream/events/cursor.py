"""Event ids: where a client of `GET /events` stands in each stream, as text that it gives back.

`SIGNALS:41:1764139999123456789,LIQUIDATIONS:7:1764139998000000000`: of each stream the sequence of the last message
that was read and the server's time of it (ns UTC), which proves that the stream still is that one. A browser keeps the
last id only, so that each names every stream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from contracts.streams import LIQUIDATIONS, OWN_ALERTS, SIGNALS
from runtime.app.resume import Mark

STREAMS: Final = (SIGNALS, LIQUIDATIONS, OWN_ALERTS)
Places = dict[str, Mark]
_PLACE: Final = re.compile(r"([A-Z_]{1,32}):(\d{1,19}):(\d{1,19})")
LONGEST: Final = 256


class UnknownCursorError(ValueError):
    """The text is no id that this service gave."""


def format_cursor(places: Mapping[str, Mark]) -> bytes:
    """Return the id of an event behind which a client stands at these places."""
    return ",".join(f"{stream}:{mark.sequence}:{mark.read_by}" for stream, mark in places.items()).encode()


def parse_cursor(text: str) -> Places:
    """Return the places of an id; raises UnknownCursorError for anything else."""
    if len(text) > LONGEST:
        raise UnknownCursorError(text[:LONGEST])
    found: Places = {}
    for part in text.split(","):
        match = _PLACE.fullmatch(part.strip())
        if match is None or match[1] not in STREAMS:
            raise UnknownCursorError(text)
        found[match[1]] = Mark(int(match[2]), int(match[3]), exact=True)
    return found
