"""What the decoder of one OKX connection remembers of an instrument: constants of its events, and its funding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)


@dataclass(slots=True)
class Topic:
    """An instrument of one connection. `rate` to `mark_price` are merged from its funding and mark price channels.

    `indexes` holds the connection's index prices by the venue's name of the index (`BTC-USDT`), shared by all topics.
    `trade` to `delta` are blanks of its events, which are filled faster than made.
    """

    instrument: Instrument
    indexes: dict[str, str]
    sim: bool
    tail: str = ""
    rate: str | None = None
    next_ts: int | None = None
    mark_price: str | None = None
    trade: Any = None
    ticker: Any = None
    delta: Any = None

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        blank = self.common(None, 0) | {"id": ""}
        self.trade = FastTrade(**blank, trade_id="", price="0", amount=None, side=None)
        self.ticker = FastTicker(**blank)
        self.delta = FastDelta(**blank, bids=[], asks=[], seq=None, is_snapshot=False)

    @property
    def index_price(self) -> str | None:
        """The last price of the instrument's index, where the connection told it."""
        return self.indexes.get("-".join(self.instrument.venue_symbol.split("-")[:2]))

    def common(self, ts_event: int | None, ts_recv: int) -> dict[str, Any]:
        """Give the fields that every event has, but for its id; times in ns."""
        return {
            "venue": self.instrument.venue,
            "symbol": self.instrument.symbol,
            "venue_symbol": self.instrument.venue_symbol,
            "ts_event": ts_event,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }
