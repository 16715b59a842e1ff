"""The documents of the cached state as the market core reads them: the structs of `contracts.state`, decimals as text.

What the cache wrote was held to its patterns there and is not again: a book is read for every answer that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from contracts import codec, subjects
from contracts.instrument import Instrument
from contracts.state import DOCUMENTS, MOST_TRADES, TickerState

# What a signature takes: the struct of the model that is named. Structs made at run time are no types to a checker.
Ticker: TypeAlias = Any  # TickerState
Trades: TypeAlias = Any  # TradesState
TradesPage: TypeAlias = Any
Trade: TypeAlias = Any
Book: TypeAlias = Any  # BookSnapshot
Funding: TypeAlias = Any
Interest: TypeAlias = Any  # OpenInterest
Feed: TypeAlias = Any  # FeedHealth
Latency: TypeAlias = Any  # LatencyState
Whales: TypeAlias = Any  # WhalesState
Whale: TypeAlias = Any  # WhaleTrade
Liquidations: TypeAlias = Any  # LiquidationsState
LiquidationItem: TypeAlias = Any  # LiquidationEntry
Totals: TypeAlias = Any  # LiquidationTotals

_Ticker: Final = codec.trusted(TickerState)
_PRICES: Final = ("last", "bid", "ask", "open_24h", "high_24h", "low_24h")
_decoders: Final[Mapping[str, msgspec.json.Decoder[Any]]] = {
    prefix: msgspec.json.Decoder(codec.trusted(model)) for prefix, model in DOCUMENTS.items()
}
_listing: Final = msgspec.json.Decoder(list[Instrument])


def decode(prefix: str, body: bytes) -> Any:
    """Decode the document of a key that begins with `prefix`; msgspec.ValidationError names the field at fault."""
    document = _decoders[prefix].decode(body)
    return _without_zeros(document) if prefix == subjects.STATE_TICKER else document


def join_trades(newest: Trades, pages: Sequence[TradesPage | None]) -> Trades:
    """Return the newest trades with those of the pages that they name; a place that holds another page has none."""
    named = zip(newest.pages, pages, strict=True)
    older = [trade for number, page in named if page is not None and page.number == number for trade in page.trades]
    return msgspec.structs.replace(newest, trades=[*newest.trades, *older][:MOST_TRADES])


def make_ticker(**fields: Any) -> Ticker:
    """Return a ticker of these fields; a price of zero becomes null, as in one that is decoded."""
    return _without_zeros(_Ticker(**fields))


def _without_zeros(ticker: Ticker) -> Ticker:
    """A price of zero is no price, whoever wrote it."""
    zeros = [name for name in _PRICES if (text := getattr(ticker, name)) is not None and not text.strip("0.")]
    return msgspec.structs.replace(ticker, **dict.fromkeys(zeros)) if zeros else ticker


def decode_listing(body: bytes) -> list[Instrument]:
    """Decode the instruments that a venue lists; msgspec.ValidationError names the field at fault."""
    return _listing.decode(body)
