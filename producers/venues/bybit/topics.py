"""One subscribed Bybit topic: its instrument, what its events have in common, and what earlier frames said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.normalize import sizes
from producers.venues.bybit.wire import MS

FastTrade = fast(market.Trade)
FastTicker = fast(market.Ticker)
FastDelta = fast(market.BookDelta)


@dataclass(slots=True)
class Topic:
    """A topic of one connection. `detail` is an order book's depth or a candle's interval; `state` a merged ticker.

    `trade` to `delta` are blanks of its events, which are filled faster than made.
    """

    instrument: Instrument
    kind: str
    detail: str
    sim: bool
    id_start: str = ""
    is_inverse: bool = False
    state: dict[str, str | None] = field(default_factory=dict[str, str | None])
    trade: Any = None
    ticker: Any = None
    delta: Any = None

    def __post_init__(self) -> None:
        self.id_start = f"{self.instrument.tail}.{self.kind}."
        self.is_inverse = self.instrument.is_inverse
        blank = self.common(0, 0) | {"id": ""}
        self.trade = FastTrade(**blank, trade_id="", price="0", amount=None, side=None)
        self.ticker = FastTicker(**blank)
        self.delta = FastDelta(**blank, bids=[], asks=[], seq=None, is_snapshot=False)

    def common(self, ts_event: int, ts_recv: int) -> dict[str, Any]:
        """Return the fields that every event has, but for its id; `ts_event` in ms as the venue sends it."""
        return {
            "venue": self.instrument.venue,
            "symbol": self.instrument.symbol,
            "venue_symbol": self.instrument.venue_symbol,
            "ts_event": ts_event * MS,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }

    def sizes(self, size: str, price: str) -> tuple[str | None, str | None]:
        """Return (amount in the base coin, contracts).

        Sizes of spot and linear are in the base coin as they come; those of inverse contracts count USD, and the
        amount is known where the instrument's contract size is.
        """
        return sizes.sizes(self.instrument, size, price) if self.is_inverse else (size, None)
