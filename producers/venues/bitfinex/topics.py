"""One subscribed Bitfinex channel: what it is about, and what its frames have told so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.venue import Decoded

FastTicker = fast(market.Ticker)
FastTrade = fast(market.Trade)
FastDelta = fast(market.BookDelta)
Decode = Callable[["Channel", bytes, int], Sequence[Decoded]]


@dataclass(slots=True)
class Channel:
    """A channel of one connection. `detail` is a candle's time frame.

    `one` decodes a frame with one row, `many` one with several. `seq` numbers the book's last change, None where the
    frames have no numbers; `broken`: a frame of the connection was lost since. `ticker`, `trade` and `delta` are blanks
    of its events, which are filled faster than made. `before` is the newest trade that was
    received before this connection; with `tells_history` all the prints with which the channel begins are told.
    """

    kind: str
    instrument: Instrument | None
    one: Decode
    many: Decode
    sim: bool
    stamp: Callable[[Any], tuple[int | None, int | None]]
    detail: str = ""
    tail: str = ""
    ticker: Any = None
    trade: Any = None
    delta: Any = None
    seq: int | None = None
    broken: bool = False
    newest: int | None = None
    before: int | None = None
    tells_history: bool = True

    def __post_init__(self) -> None:
        if self.instrument is not None:
            self.tail, blank = self.instrument.tail, self.common(None, 0) | {"id": ""}
            self.ticker = FastTicker(**blank)
            self.trade = FastTrade(**blank, trade_id="", price="0", amount=None, side=None)
            self.delta = FastDelta(**blank, bids=[], asks=[], seq=None, is_snapshot=False)

    def native(self, frame: bytes, seq: int | None, ts: int | None) -> str:
        """Name a frame that has no id of the venue's: numbers begin again with each connection, but times go on."""
        return f"{ts or 0}-{crc32(frame):08x}" if seq is None or ts is None else f"{ts}-{seq}"

    def common(self, ts_event: int | None, ts_recv: int) -> dict[str, Any]:
        """Give the fields that every event has, but for its id; times in ns."""
        return common(self.instrument, ts_event, ts_recv, sim=self.sim)


def common(instrument: Instrument | None, ts_event: int | None, ts_recv: int, *, sim: bool) -> dict[str, Any]:
    """Give the fields that every event of an instrument has, but for its id; times in ns."""
    if instrument is None:
        raise LookupError("this channel is not about one instrument")
    return {
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "venue_symbol": instrument.venue_symbol,
        "ts_event": ts_event,
        "ts_recv": ts_recv,
        "sim": sim,
    }
