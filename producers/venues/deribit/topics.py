"""One subscribed Deribit channel: its instrument and what its events have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.venues.deribit import wire

FastTicker = fast(market.Ticker)
FastTrade = fast(market.Trade)
FastDelta = fast(market.BookDelta)
FastFunding = fast(market.Funding)
FastInterest = fast(market.OpenInterest)


@dataclass(slots=True)
class Topic:
    """A channel of one connection. `detail` is what follows the instrument in its name.

    `ticker` to `interest` are blanks of its events, which are filled faster than made.
    """

    instrument: Instrument
    detail: str
    sim: bool
    tail: str = ""
    is_inverse: bool = False
    ticker: Any = None
    trade: Any = None
    delta: Any = None
    funding: Any = None
    interest: Any = None

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.is_inverse = self.instrument.sized_in_contracts
        blank = self.common(0, 0) | {"id": ""}
        self.ticker = FastTicker(**blank)
        self.trade = FastTrade(**blank, trade_id="", price="0", amount=None, side=None)
        self.delta = FastDelta(**blank, bids=[], asks=[], seq=None, is_snapshot=False)
        self.funding = FastFunding(**blank, rate=None, next_ts=None, mark_price=None, index_price=None)
        self.interest = FastInterest(**blank, amount=None, value=None)

    def common(self, timestamp: int, ts_recv: int) -> dict[str, Any]:
        """Give the fields that every event has, but for its id; `timestamp` in ms as the venue sends it."""
        return {
            "venue": self.instrument.venue,
            "symbol": self.instrument.symbol,
            "venue_symbol": self.instrument.venue_symbol,
            "ts_event": timestamp * wire.MS,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }
