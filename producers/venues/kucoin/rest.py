"""KuCoin spot over REST: the listing and depth snapshots.

Pages: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols,
https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-part-orderbook
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.instrument import Instrument, make_instrument
from producers.families import kucoin_rest as kucoin
from producers.families.kucoin_wire import coin, nanoseconds
from producers.normalize.numbers import whole_levels
from producers.rest.answers import make_book
from producers.venue import Decoded, RestCall, RestFace, Unreadable
from producers.venues.kucoin.history import HISTORY
from producers.venues.kucoin.plan import MARKET, VENUE_ID
from producers.venues.kucoin.wire import read_book

# The whole book needs an account's key; without one there are these many levels a side.
DEPTH: Final = 100


class _Listed(Struct, gc=False):
    """`{"symbol":"BTC-USDT","baseCurrency":"BTC","quoteCurrency":"USDT","enableTrading":true}`."""

    symbol: str
    baseCurrency: str
    quoteCurrency: str
    enableTrading: bool


_read_listed: Final = msgspec.json.Decoder(_Listed).decode


def decode_instruments(market_name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:  # noqa: ARG001
    """List what can be traded now; there is one page."""
    return kucoin.decode_listing(body, _instrument)


def _instrument(raw: Raw) -> Instrument | None:
    row = _read_listed(raw)
    if not row.enableTrading:
        return None
    return make_instrument(VENUE_ID, f"{coin(row.baseCurrency)}/{coin(row.quoteCurrency)}", row.symbol)


def _depth_call(instrument: Instrument) -> RestCall:
    return RestCall(f"/api/v1/market/orderbook/level2_{DEPTH}", {"symbol": instrument.venue_symbol}, weight=2)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a depth answer, whole or partial, into a `book`; its sequence is of the socket's chain."""
    book = read_book(body).data
    return make_book(
        instrument,
        book.sequence,
        ts_event=nanoseconds(book.time),
        ts_recv=ts_recv,
        sim=sim,
        bids=whole_levels(book.bids or [], "data.bids"),
        asks=whole_levels(book.asks or [], "data.asks"),
        seq=book.sequence,
    )


REST: Final = RestFace(
    base_url="https://api.kucoin.com",
    budget=kucoin.BUDGET,
    instrument_calls=lambda: ((MARKET, RestCall("/api/v2/symbols", weight=4)),),
    decode_instruments=decode_instruments,
    depth_call=_depth_call,
    audit_call=_depth_call,
    decode_depth=decode_depth,
    failure=kucoin.failure,
    history=HISTORY,
)
