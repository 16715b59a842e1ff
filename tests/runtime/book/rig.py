"""The books of one instrument, with what they published and requested."""

from __future__ import annotations

from typing import Any, Final

from contracts import market
from contracts.codec import fast
from contracts.instrument import make_instrument
from producers.normalize.events import book_maker
from runtime.book.books import BookPace, Books
from runtime.book.rule import BookRule

FastDelta = fast(market.BookDelta)
FastBook = fast(market.BookSnapshot)
BTC: Final = make_instrument("binance", "BTC/USDT", "BTCUSDT")
HEAD: Final = {
    "id": "x",
    "venue": "binance",
    "symbol": "BTC/USDT",
    "venue_symbol": "BTCUSDT",
    "ts_event": 1,
    "sim": False,
}

PUSHED: Final = BookRule(seed="ws", chain="exact")


class Rig:
    """Books of a rule; times are seconds."""

    def __init__(self, rule: BookRule, *, interval: float = 0.0, kept: bool = True) -> None:
        self.published: list[Any] = []
        self.said: list[tuple[str, str | None]] = []
        self.resyncs: list[str] = []
        self.seeds: list[tuple[int, list[int]]] = []
        self.books: Books[Any] = Books(
            rule,
            BookPace(interval=interval),
            lambda message: self.published.append(message.event),
            lambda _symbol, state, reason: self.said.append((state, reason)),
            make=book_maker,
            on_resync=self.resyncs.append,
            on_seed=lambda whole, deltas: self.seeds.append((whole.seq, [one.seq for one in deltas])),
            kept=kept,
        )
        self.books.open([BTC], now=0.0)

    def delta(self, seq: int, bids: Any = (), asks: Any = (), *, now: float, whole: bool = False) -> None:
        self.books.on_delta(
            BTC.symbol,
            FastDelta(**HEAD, ts_recv=ns(now), bids=list(bids), asks=list(asks), seq=seq, prev_seq=seq - 1,
                      is_snapshot=whole),
            now=now,
        )  # fmt: skip

    def snapshot(self, seq: int, *, now: float) -> None:
        self.books.on_snapshot(BTC, whole_of(seq, now), now=now)

    def tick(self, now: float) -> bool:
        return self.books.tick(ts=ns(now), now=now)

    def requested(self, now: float, last: float, step: float = 0.1) -> list[float]:
        """List when a snapshot is requested between two times; each of them cannot be fetched."""
        found: list[float] = []
        while now <= last:
            if self.books.take_due(now=now):
                found.append(now)
                self.books.on_snapshot(BTC, None, now=now)
            now = round(now + step, 3)
        return found


def live(rule: BookRule = PUSHED, *, interval: float = 0.0, kept: bool = True) -> Rig:
    """Return the rig of a live book, of which nothing was said yet."""
    rig = Rig(rule, interval=interval, kept=kept)
    if rule.seed == "rest":
        rig.books.take_due(now=1.0)
        rig.snapshot(1, now=1.0)
    else:
        rig.delta(1, [("10", "1")], [("11", "1")], now=1.0, whole=True)
    assert rig.said == [("live", None)]
    rig.said.clear()
    return rig


def whole_of(seq: int, now: float) -> Any:
    return FastBook(**HEAD, ts_recv=ns(now), bids=[("10", "1")], asks=[("11", "1")], seq=seq, quality="live")


def ns(now: float) -> int:
    return 10**18 + round(now * 10**9)
