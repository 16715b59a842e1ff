"""Kept books in memory: deltas and feed states in, what is published of them out."""

from __future__ import annotations

from typing import Any

import msgspec

from consumers.books.core import KeptBooks
from contracts import codec, subjects
from contracts.market import BookDelta, BookEvidence, FeedStatus
from contracts.services.feed import BookRuleReply
from runtime.book.books import BookPace
from runtime.nats.lanes.message import split_message

VENUE, TAIL = "kraken", "kraken.BTC.USD.spot"
BTC, ETH = "BTC/USD", "ETH/USD"
KEY = (VENUE, BTC)
RULE = BookRuleReply(chain="exact")
UNCHAINED = BookRuleReply(chain="none")
CLOCK = 1_767_225_600 * 10**9
LEVELS: dict[str, Any] = {"bids": [("10", "1")], "asks": [("11", "2")]}


def head(symbol: str = BTC, venue: str = VENUE, *, sim: bool = False) -> dict[str, Any]:
    named = {"id": "x", "venue": venue, "symbol": symbol, "venue_symbol": symbol.replace("/", "")}
    return {**named, "ts_event": 1, "ts_recv": CLOCK, "sim": sim}


def numbers(seq: int | None, *, whole: bool = False) -> dict[str, Any]:
    return {"seq": seq, "prev_seq": None if seq is None or whole else seq - 1, "is_snapshot": whole}


def delta(seq: int | None, symbol: str = BTC, *, venue: str = VENUE, sim: bool = False, **more: Any) -> Any:
    fields = {"bids": [], "asks": [], **numbers(seq), **more}
    return codec.fast(BookDelta)(**head(symbol, venue, sim=sim), **fields)


def evidence(seq: int | None, *, whole: bool = False, **more: Any) -> Any:
    fields = {**(LEVELS if whole else {"bids": [], "asks": []}), **numbers(seq, whole=whole), **more}
    return codec.fast(BookEvidence)(**head(), **fields)


def status(state: str, symbol: str | None = None, channel: str | None = None, **more: Any) -> Any:
    fields = {"id": "kraken.feed.1", "venue": VENUE, "reason": None, **more}
    return codec.fast(FeedStatus)(
        symbol=symbol,
        venue_symbol=None,
        ts_event=None,
        ts_recv=CLOCK,
        sim=False,
        state=state,
        channel=channel,
        **fields,
    )


class Kept:
    """The books with what they published."""

    def __init__(self, interval: float = 0.0) -> None:
        self.books = KeptBooks(BookPace(interval=interval, depth=5), lambda: CLOCK)

    def fold(self, *events: Any, now: float = 1.0) -> None:
        pairs = [(self._subject(event), event) for event in events]
        assert not self.books.fold(pairs, now=now)

    @staticmethod
    def _subject(event: Any) -> str:
        if event.kind == "feed":
            return subjects.FEED + event.venue
        return f"{subjects.DELTA}{event.venue}.{event.symbol.replace('/', '.')}.spot"

    def published(self) -> list[Any]:
        """Return what was published since the last time: (symbol, state, reason), or the fields of a snapshot."""
        found: list[Any] = []
        for split in map(split_message, self.books.take_outputs()):
            body: Any = msgspec.json.decode(split.body)
            is_state = split.subject.startswith(subjects.FEED)
            found.append((body["symbol"], body["state"], body["reason"]) if is_state else body)
        return found


def live(rule: BookRuleReply = RULE) -> Kept:
    """Return a book that is live at number 5, with nothing to be published any more."""
    kept = Kept()
    kept.fold(delta(6))
    kept.books.on_reply(*KEY, rule, now=1.0)
    kept.fold(evidence(5, whole=True, requested=True))
    assert kept.books.count_live() == 1
    kept.books.take_outputs()
    return kept
