"""What the decoder of one Gate connection keeps of an instrument: the constants of its events, as templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.venue import FindInstrument

FastTrade: Final = fast(market.Trade)
FastTicker: Final = fast(market.Ticker)
FastDelta: Final = fast(market.BookDelta)


@dataclass(slots=True)
class Topic:
    """One instrument of a connection."""

    instrument: Instrument
    sim: bool
    tail: str = field(init=False)
    in_contracts: bool = field(init=False)
    trade: Any = field(init=False)
    ticker: Any = field(init=False)
    delta: Any = field(init=False)

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.in_contracts = self.instrument.sized_in_contracts
        common = self.common(None, 0)
        self.trade = FastTrade(id="", **common, trade_id="", price="0", amount=None, side=None)
        self.ticker = FastTicker(id="", **common)
        self.delta = FastDelta(id="", **common, bids=[], asks=[], seq=None, is_snapshot=False)

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


class Topics(dict[str, Topic]):
    """The topics of one connection by venue symbol, made as their symbols are met."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        super().__init__()
        self._find = find
        self._sim = sim

    def __missing__(self, venue_symbol: str) -> Topic:
        topic = self[venue_symbol] = Topic(self._find(venue_symbol), self._sim)
        return topic
