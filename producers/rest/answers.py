"""What REST answers of many venues have in common: a book event of a depth, and the pause that a refusal names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.instrument import Instrument
from producers.normalize.events import make_event
from producers.venue import Decoded


def make_book(instrument: Instrument, native: str | int, *, sim: bool, **fields: Any) -> Decoded:
    """Return the `book` of a depth answer; `native` is the venue's own id of it, `fields` are the other ones."""
    quality = "sim" if sim else "live"
    return make_event("book", instrument, sim=sim, id=f"{instrument.tail}.book.{native}", quality=quality, **fields)


def named_pause(headers: Mapping[str, str], otherwise: float | None = None) -> float | None:
    """Return the seconds of `Retry-After`; `otherwise` where it is missing or no whole number."""
    seconds = headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else otherwise
