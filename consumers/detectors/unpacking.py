"""Listings as the bucket has them: unpacked, with their place."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec

from consumers.detectors.listings import Listing, make_listing
from contracts import streams
from contracts.instrument import Instrument
from contracts.subjects import HEADER_SIMULATED
from runtime.app.explaining.trace import Recorded
from runtime.nats.lanes.reader import UNDECODABLE
from runtime.nats.streams.config import BUCKET_PREFIX
from runtime.nats.streams.reader import Row

STREAM: Final = BUCKET_PREFIX + streams.LISTINGS
PREFIX: Final = f"$KV.{streams.LISTINGS}."
_UNREADABLE: Final = (*UNDECODABLE, OSError, EOFError, zlib.error)
_SIMULATED: Final = f"{HEADER_SIMULATED}: ".encode()
_OPERATION: Final = b"KV-Operation: "


def read_listing(row: Row) -> Listing | None:
    """Return the listing of a row, None where the unit's is taken away; raises ValueError where it cannot be read."""
    if _OPERATION in row.headers:
        return None
    unit, position = row.subject.decode(errors="backslashreplace").removeprefix(PREFIX), row.position
    try:
        listed = msgspec.json.decode(gzip.decompress(row.payload), type=list[Instrument])
    except _UNREADABLE as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    place = (position.stream_seq, position.time_ns)
    return make_listing(unit, listed, place, sim=_SIMULATED in row.headers)


def decode_listings(rows: Sequence[Row]) -> list[Recorded]:
    """Return the listings of rows; those that cannot be read were dead letters when they came."""
    found: list[Recorded] = []
    for row in rows:
        try:
            listing = read_listing(row)
        except ValueError:
            continue
        if listing is not None:
            found.append(Recorded(listing.ts_recv, PREFIX + listing.unit, listing, listing.revision))
    return found
