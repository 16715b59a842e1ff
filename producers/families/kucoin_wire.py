"""How KuCoin writes numbers, times and coins, on its spot and futures sockets and over REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from producers.normalize import numbers
from producers.normalize.lenient_json import reader

MS: Final = 1_000_000  # nanoseconds
SECOND: Final = 1_000_000_000
# Candles of these lengths; the page does not say on which day its weeks begin: their start says it.
TIMEFRAMES: Final[Mapping[str, str]] = {
    **{f"{minutes}min": f"{minutes}m" for minutes in (1, 3, 5, 15, 30)},
    **{f"{hours}hour": f"{hours}h" for hours in (1, 2, 4, 6, 8, 12)},
    "1day": "1d",
    "1week": "1w",
    "1month": "1M",
}
RENAMED: Final[Mapping[str, str]] = {"XBT": "BTC", "BCHSV": "BSV"}  # the venue's codes of coins with other names


def reader_of(payload: type[Struct]) -> Callable[[bytes], Any]:
    """Return the reader of a frame (or REST answer) whose `data` is this payload; numbers may be text, or not."""
    return reader(msgspec.defstruct("Push", [("data", payload)], gc=False))


def nanoseconds(ms: int | None) -> int | None:
    """Return a time in ms as ns; None where there is none."""
    return None if ms is None else ms * MS


def text(raw: Raw) -> str | None:
    """Return a JSON number, or a text of one, as it stands; absent, null and empty are None."""
    found = str(raw, "ascii", "replace").strip('"')
    return None if found in {"", "null"} else found


def price(raw: Raw, field: str) -> str | None:
    """Return a price; absent and zero are None."""
    return numbers.optional_price_text(text(raw), field)


def amount(raw: Raw, field: str) -> str | None:
    """Return an unsigned number; absent is None."""
    found = text(raw)
    return None if found is None else numbers.unsigned(found, field)


def signed(raw: Raw, field: str) -> str | None:
    """Return a number of either sign; absent is None."""
    found = text(raw)
    return None if found is None else numbers.plain(found, field)


def percent(raw: Raw, field: str) -> str | None:
    """Return a fraction of either sign in percent, exactly; absent is None."""
    found = signed(raw, field)
    return None if found is None else numbers.percent(found)


def coin(code: str) -> str:
    """Return the usual name of a coin."""
    return RENAMED.get(code, code)
