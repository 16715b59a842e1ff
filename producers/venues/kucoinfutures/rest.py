"""KuCoin futures over REST: the contracts with what each is worth, and depth snapshots.

Pages: https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-all-symbols,
https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-full-orderbook
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.families import kucoin_rest as kucoin
from producers.families.kucoin_wire import coin, signed
from producers.normalize import sizes
from producers.rest.answers import make_book
from producers.venue import Decoded, RestCall, RestFace, Unreadable
from producers.venues.kucoinfutures.events import read_rows
from producers.venues.kucoinfutures.history import HISTORY
from producers.venues.kucoinfutures.plan import MARKET, VENUE_ID
from producers.venues.kucoinfutures.wire import read_book

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Listed(Struct, gc=False):
    """`{"symbol":"XBTUSDTM","baseCurrency":"XBT","settleCurrency":"USDT","multiplier":0.001,"isInverse":false,…}`.

    `multiplier` is negative on inverse contracts; `expireDate` (ms) is null on perpetual ones.
    """

    symbol: str
    baseCurrency: str
    quoteCurrency: str
    settleCurrency: str
    multiplier: Raw
    status: str
    expireDate: int | None = None


_read_listed: Final = msgspec.json.Decoder(_Listed).decode


def decode_instruments(market_name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:  # noqa: ARG001
    """List the open contracts, in one page; those settled in neither of their coins are left out."""
    return kucoin.decode_listing(body, _instrument)


def _instrument(raw: Raw) -> Instrument | None:
    row = _read_listed(raw)
    if row.status != "Open":
        return None
    base, quote, settle = (coin(code) for code in (row.baseCurrency, row.quoteCurrency, row.settleCurrency))
    if settle not in {base, quote}:
        return None
    worth = (signed(row.multiplier, "data.multiplier") or "").removeprefix("-")
    if not worth.strip("0."):
        raise FrameError(f"{row.symbol} has no multiplier", field="data.multiplier")
    expiry = "" if row.expireDate is None else f"-{_EPOCH + timedelta(milliseconds=row.expireDate):%y%m%d}"
    return make_instrument(
        VENUE_ID,
        f"{base}/{quote}:{settle}{expiry}",
        row.symbol,
        contract_size=worth,
        sized_in_contracts=True,
    )


def _depth_call(instrument: Instrument) -> RestCall:
    return RestCall("/api/v1/level2/snapshot", {"symbol": instrument.venue_symbol}, weight=3)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read the whole book, which is public here, into a `book`; its sequence is of the socket's chain."""
    book = read_book(body).data
    bids, asks, unit = sizes.book(instrument, read_rows(book.bids), read_rows(book.asks))
    return make_book(
        instrument,
        book.sequence,
        ts_event=book.ts,
        ts_recv=ts_recv,
        sim=sim,
        bids=bids,
        asks=asks,
        seq=book.sequence,
        unit=unit,
    )


REST: Final = RestFace(
    base_url="https://api-futures.kucoin.com",
    budget=kucoin.BUDGET,
    instrument_calls=lambda: ((MARKET, RestCall("/api/v1/contracts/active", weight=3)),),
    decode_instruments=decode_instruments,
    depth_call=_depth_call,
    audit_call=_depth_call,
    decode_depth=decode_depth,
    failure=kucoin.failure,
    history=HISTORY,
)
