"""What all of Coinbase's decoders share: its clock, its numbers, and what is constant about one product."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)
_SECOND: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")
Levels = list[tuple[str, str]]
_YEAR_ONE: Final = "0001-"  # now and then the level2 channels send the year 1 instead of a time
NS: Final = 1_000_000_000
plain: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch  # a price or an amount: never negative here
_figures: Final = re.compile(r"(?:(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+)?+,)*+").fullmatch
signed: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch


class Product:
    """One product's constants on a connection, and the time of its last book frame that had one.

    `trade` to `delta` are blanks of its events, which are filled faster than made.
    """

    __slots__ = (
        *("book_id", "candle_id", "instrument", "last_ts", "symbol", "ticker_id", "trade_id", "venue_symbol"),
        *("delta", "ticker", "trade"),
    )

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        blank: dict[str, Any] = {
            "id": "",
            "venue": "coinbase",
            "symbol": instrument.symbol,
            "venue_symbol": instrument.venue_symbol,
            "ts_event": None,
            "ts_recv": 0,
            "sim": sim,
        }
        self.trade: Any = FastTrade(**blank, trade_id="", price="0", amount=None, side=None)
        self.ticker: Any = FastTicker(**blank)
        self.delta: Any = FastDelta(**blank, bids=[], asks=[], seq=None, is_snapshot=False)
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.venue_symbol = instrument.venue_symbol
        self.trade_id = f"{instrument.tail}.trade."
        self.ticker_id = f"{instrument.tail}.ticker."
        self.book_id = f"{instrument.tail}.delta."
        self.candle_id = f"{instrument.tail}.candle."
        self.last_ts: int | None = None


def read_time(text: str) -> int:
    """Read `2026-11-21T20:00:00.122581Z` (RFC 3339, up to nine decimals) as nanoseconds UTC; no float on the way.

    Six decimals are what the venue sends nearly always.
    """
    second, micros = text[:19], text[20:26]
    if text[19:20] == "." and text[26:] == "Z" and micros.isdigit() and micros.isascii():
        return _second(second) + int(micros) * 1000
    if not text.endswith("Z"):
        raise FrameError(f"time: {text!r} is no RFC 3339 time in UTC", field="time")
    rest = text[19:-1]
    if not rest:
        return _second(second)
    fraction = rest[1:]
    if rest[0] != "." or not (fraction.isascii() and fraction.isdigit()) or len(fraction) > 9:  # noqa: PLR2004
        raise FrameError(f"time: {text!r} is no RFC 3339 time in UTC", field="time")
    return _second(second) + int(fraction.ljust(9, "0"))


def optional_time(text: str | None) -> int | None:
    """Read a time; None where a frame has none, or the year 1 in its place."""
    return None if text is None or text.startswith(_YEAR_ONE) else read_time(text)


@lru_cache(maxsize=512)
def _second(text: str) -> int:
    found = _SECOND.fullmatch(text)
    if found is None:
        raise FrameError(f"time: {text!r} is no RFC 3339 time", field="time")
    return timegm((*map(int, found.groups()), 0, 0, 0)) * NS


def are_plain(figures: tuple[str, ...]) -> bool:
    """Tell at one go whether every text is a plain unsigned number, or empty."""
    text = ",".join(figures) + ","
    return text.count(",") == len(figures) and _figures(text) is not None


def read_number(text: str, field: str) -> str:
    """Check a price or an amount that is to travel as the venue's own text; raises FrameError naming the field."""
    if plain(text) is None:
        raise FrameError(f"{field}: {text!r} is no price or amount", field=field)
    return text


def optional_number(text: str | None, field: str) -> str | None:
    """Check a figure that the venue may leave out or send empty."""
    return read_number(text, field) if text else None


def read_levels(rows: Iterable[tuple[str, str]], field: str) -> Levels:
    """Read one side of a snapshot: no amount is "0"; a level with a malformed amount is dropped, the rest stays.

    Amounts like `0.-10000` have been sent within snapshots. A malformed price is an error.
    """
    levels: Levels = []
    for price, amount in rows:
        if plain(price) is None:
            raise FrameError(f"{field}: {price!r} is no price", field=field)
        if plain(amount) is not None:
            levels.append((price, "0" if amount[0] == "0" and not amount.strip("0.") else amount))
    return levels


def read_changes(rows: Iterable[tuple[str, str, str]], bid: str) -> tuple[Levels, Levels]:
    """Read changed levels `(side, price, amount)` as bids (of side `bid`) and asks; "0" where none is left."""
    bids: Levels = []
    asks: Levels = []
    for side, price, amount in rows:
        if plain(price) is None or plain(amount) is None:
            raise FrameError(f"changes: {(side, price, amount)!r} is no level", field="changes")
        left = "0" if amount[0] == "0" and not amount.strip("0.") else amount
        (bids if side == bid else asks).append((price, left))
    return bids, asks
