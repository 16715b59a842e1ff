"""The documents of the cached state as this face reads them: the fields that it uses, decimals as text, ns UTC times.

They are readers' views of `contracts.state` and `contracts.market`; a test holds every field here against the models.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contracts.instrument import Instrument

_PRICES: Final = ("last", "bid", "ask", "high_24h", "low_24h")


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """`ticker.<tail>`: all ticker frames and trades of an instrument, merged."""

    venue: str
    symbol: str
    ts_recv: int
    quality: str
    sim: bool
    last: str | None = None
    bid: str | None = None
    ask: str | None = None
    high_24h: str | None = None
    low_24h: str | None = None
    volume_24h: str | None = None
    change_24h: str | None = None

    def __post_init__(self) -> None:
        """A price of zero is no price, whoever wrote it: null."""
        for name in _PRICES:
            text = getattr(self, name)
            if text is not None and not text.strip("0."):
                msgspec.structs.force_setattr(self, name, None)


class Book(msgspec.Struct, frozen=True, gc=False):
    """`book.<tail>`: the latest verified snapshot."""

    venue: str
    symbol: str
    ts_recv: int
    quality: str
    sim: bool
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    seq: int | None = None
    unit: str = "base"


class TradeItem(msgspec.Struct, frozen=True, gc=False):
    """One print."""

    id: str
    ts_event: int | None
    ts_recv: int
    sim: bool
    price: str
    amount: str | None
    side: str | None
    contracts: str | None = None


class Trades(msgspec.Struct, frozen=True, gc=False):
    """`trade.<tail>`: the recent trades of an instrument, newest first."""

    venue: str
    symbol: str
    quality: str
    sim: bool
    trades: list[TradeItem]


class Funding(msgspec.Struct, frozen=True, gc=False):
    """`funding.<tail>`: the latest funding rate."""

    venue: str
    symbol: str
    ts_recv: int
    sim: bool
    rate: str | None
    next_ts: int | None
    mark_price: str | None
    index_price: str | None


class Interest(msgspec.Struct, frozen=True, gc=False):
    """`interest.<tail>`: the latest open interest."""

    venue: str
    symbol: str
    ts_recv: int
    sim: bool
    amount: str | None
    value: str | None
    contracts: str | None = None


class Whale(msgspec.Struct, frozen=True, gc=False):
    """One whale trade."""

    id: str
    venue: str
    symbol: str
    ts_event: int | None
    ts_recv: int
    sim: bool
    side: str
    price: str
    amount: str
    usd_value: str


class Whales(msgspec.Struct, frozen=True, gc=False):
    """`whales.<BASE>`: recent whale trades, newest first."""

    whales: list[Whale]


class LiquidationItem(msgspec.Struct, frozen=True, gc=False):
    """One liquidation with its value."""

    id: str
    venue: str
    symbol: str
    ts: int
    price: str
    amount: str | None
    usd_value: str | None
    position_side: str | None
    order_side: str | None
    sampled: bool
    sim: bool


class Totals(msgspec.Struct, frozen=True, gc=False):
    """Sums of one window in USD."""

    long_usd: str
    short_usd: str
    unknown_usd: str
    count: int
    unvalued: int


class Liquidations(msgspec.Struct, frozen=True, gc=False):
    """`liquidations.<BASE>`: recent ones, newest first, and totals by window."""

    recent: list[LiquidationItem]
    totals: dict[str, Totals]
    as_of: int
    sampled: bool
    sim: bool


class Latency(msgspec.Struct, frozen=True, gc=False):
    """Half and 99 of 100 messages were faster, ns."""

    p50: int | None
    p99: int | None


class Feed(msgspec.Struct, frozen=True, gc=False):
    """`feed.<venue>`: the health of a venue's feed."""

    venue: str
    connected: bool
    state: str | None
    reason: str | None
    channels: dict[str, str]
    since: int | None
    last_message_ts: dict[str, int]
    events: dict[str, int]
    reconnects: int
    gaps: int
    resyncs: int
    venue_latency: Latency
    bus_latency: Latency
    sim: bool
    marks: list[tuple[str | None, str | None, str]] = msgspec.field(default_factory=list)
    clock_offset: int | None = None
    as_of: int | None = None


class Listed(msgspec.Struct, frozen=True, gc=False):
    """One entry of `INSTRUMENTS/<venue>`: the fields of `contracts.instrument.Instrument`."""

    venue: str
    symbol: str
    venue_symbol: str
    base: str
    quote: str
    settle: str | None
    contract: str
    contract_size: str | None = None
    sized_in_contracts: bool = False

    def instrument(self) -> Instrument:
        """The instrument that it lists."""
        return Instrument(**msgspec.structs.asdict(self))


DOCUMENTS: Final[tuple[type[msgspec.Struct], ...]] = (
    *(Ticker, Book, Trades, Funding, Interest, Whales, Liquidations, Feed),
)
_decoders: Final[dict[type[msgspec.Struct], msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(kind) for kind in DOCUMENTS
}
_listing: Final = msgspec.json.Decoder(list[Listed])


def decode(kind: type[msgspec.Struct], body: bytes) -> Any:
    """Decode one document; msgspec.ValidationError names the field at fault."""
    return _decoders[kind].decode(body)


def decode_listing(body: bytes) -> list[Instrument]:
    """Decode the instruments that a venue lists; msgspec.ValidationError names the field at fault."""
    return [entry.instrument() for entry in _listing.decode(body)]
