"""OKX's frames as typed structs, one a channel. All values are text, times in ms; empty text is a null.

Pages: https://www.okx.com/docs-v5/en/#order-book-trading-market-data and #public-data-websocket.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from producers.normalize import numbers
from producers.normalize.numbers import NULL, Row

Side = Literal["buy", "sell"]

MS: Final = 1_000_000  # nanoseconds


class Arg(Struct):
    """What a push or an answer is about: `{"channel":"trades","instId":"BTC-USDT"}`, or an `instType`."""

    channel: str
    instId: str | None = None
    instType: str | None = None


class Head(Struct):
    """What distinguishes frames: a push has `arg` and `data`, an answer an `event`.

    `{"id":"1","event":"error","code":"60018","msg":"channel:trades,instId:NO-SUCH doesn't exist","connId":"a4d3ae55"}`
    """

    event: str | None = None
    arg: Arg | None = None
    id: str | None = None
    code: str | None = None
    msg: str | None = None
    op: str | None = None
    data: Raw = NULL


class Trade(Struct, gc=False):
    """`{"instId":"BTC-USDT","tradeId":"13","px":"91000.1","sz":"0.01","side":"buy","ts":"17637…","count":"3"}`."""

    tradeId: str
    px: str
    sz: str
    side: Side
    ts: str
    count: str = "1"
    seqId: int | None = None


class Trades(Struct, gc=False):
    """Channel `trades`: a row is one taker order at one price (`count` fills); `trades-all`: a row is one fill.

    `tradeId` 123 with a `count` of 3 stands for the fills 121, 122 and 123
    (https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-trades-channel).
    """

    data: list[Trade]


class Level(Struct, array_like=True, gc=False):
    """`["91000.1","0.5","0","4"]`: price, size, nothing, number of orders."""

    px: str
    sz: str


class Book(Struct, gc=False):
    """`{"asks":[…],"bids":[…],"ts":"1763700000000","checksum":0,"seqId":12,"prevSeqId":11}`."""

    asks: list[Level]
    bids: list[Level]
    ts: str
    seqId: int | None = None
    prevSeqId: int | None = None
    checksum: int | None = None


class Books(Struct, gc=False):
    """Channels `books`, `books-l2-tbt`, `books50-l2-tbt` with an `action`; `books5` and `bbo-tbt` without."""

    data: list[Book]
    action: Literal["snapshot", "update"] | None = None


class Ticker(Struct, gc=False):
    """`{"instId":"BTC-USDT","last":"1","bidPx":"1","bidSz":"1","askPx":"1","askSz":"1","vol24h":"1",…,"ts":"17637"}`."""

    ts: str
    last: str | None = None
    bidPx: str | None = None
    bidSz: str | None = None
    askPx: str | None = None
    askSz: str | None = None
    open24h: str | None = None
    high24h: str | None = None
    low24h: str | None = None
    vol24h: str | None = None
    volCcy24h: str | None = None


class Tickers(Struct, gc=False):
    """Channel `tickers`: the whole ticker in each push."""

    data: list[Ticker]


class Forced(Struct, gc=False):
    """`{"side":"buy","posSide":"short","bkPx":"3010.5","sz":"13","bkLoss":"0","ccy":"","ts":"1763700000456"}`."""

    side: Side
    bkPx: str
    sz: str
    ts: str
    posSide: str | None = None


class ForcedOf(Struct, gc=False):
    """Liquidations of one instrument."""

    instId: str
    details: list[Forced]


class Liquidations(Struct, gc=False):
    """Channel `liquidation-orders`, subscribed by instType: at most one order a second and contract."""

    data: list[ForcedOf]


class InstrumentLiquidations(Struct, gc=False):
    """The bare rows of one instrument, under a channel `liquidations` that recordings hold."""

    data: list[Forced]


class FundingRate(Struct, gc=False):
    """`{"instId":"BTC-USDT-SWAP","fundingRate":"0.0001","fundingTime":"17637…","nextFundingTime":"17637…","ts":"1"}`."""

    fundingRate: str | None = None
    fundingTime: str | None = None
    ts: str | None = None


class FundingRates(Struct, gc=False):
    """Channel `funding-rate`: the rate that is paid at `fundingTime`."""

    data: list[FundingRate]


class MarkPrice(Struct, gc=False):
    """`{"instId":"BTC-USDT-SWAP","instType":"SWAP","markPx":"91000.1","ts":"1763700000000"}`."""

    markPx: str
    ts: str


class MarkPrices(Struct, gc=False):
    """Channel `mark-price`."""

    data: list[MarkPrice]


class IndexTicker(Struct, gc=False):
    """`{"instId":"BTC-USDT","idxPx":"91000.2","ts":"1763700000000"}`."""

    idxPx: str


class IndexTickers(Struct, gc=False):
    """Channel `index-tickers`: `instId` names the index, not an instrument."""

    data: list[IndexTicker]


class Interest(Struct, gc=False):
    """`{"instId":"BTC-USDT-SWAP","oi":"5000","oiCcy":"50","oiUsd":"4550000","ts":"1763700000000"}`: contracts, coin."""

    ts: str
    oi: str | None = None
    oiCcy: str | None = None
    oiUsd: str | None = None


class Interests(Struct, gc=False):
    """Channel `open-interest`."""

    data: list[Interest]


class Candle(Struct, array_like=True, gc=False):
    """`[ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm]`; until 2022 without the last two."""

    ts: str
    open: str
    high: str
    low: str
    close: str
    vol: str
    volCcy: str
    volCcyQuote: str | None = None
    confirm: str = "0"


class Candles(Struct, gc=False):
    """Channels `candle1m` and so on."""

    data: list[Candle]


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_trades: Final = msgspec.json.Decoder(Trades, strict=False).decode
decode_books: Final = msgspec.json.Decoder(Books, strict=False).decode
decode_tickers: Final = msgspec.json.Decoder(Tickers).decode
decode_liquidations: Final = msgspec.json.Decoder(Liquidations).decode
decode_instrument_liquidations: Final = msgspec.json.Decoder(InstrumentLiquidations).decode
decode_funding_rates: Final = msgspec.json.Decoder(FundingRates).decode
decode_mark_prices: Final = msgspec.json.Decoder(MarkPrices).decode
decode_index_tickers: Final = msgspec.json.Decoder(IndexTickers).decode
decode_interests: Final = msgspec.json.Decoder(Interests).decode
decode_candles: Final = msgspec.json.Decoder(Candles).decode


def time(text: str, field: str) -> int:
    """Return a time in ms as ns; raises FrameError naming the field."""
    if not (text.isascii() and text.isdigit()):
        raise FrameError(f"{field} is no time in ms: {text[:40]!r}", field=field)
    return int(text) * MS


def optional_time(text: str | None, field: str) -> int | None:
    """Return a time in ms as ns; absent and empty are null."""
    return time(text, field) if text else None


def signed(text: str | None, field: str) -> str | None:
    """Return a number of either sign; absent and empty are null."""
    return numbers.plain(text, field) if text else None


def amount(text: str | None, field: str) -> str | None:
    """Return an unsigned number; absent and empty are null."""
    return numbers.unsigned(text, field) if text else None


def read_levels(rows: list[Level], field: str, *, whole: bool = True) -> list[Row]:
    """Return one side of a whole book (numbers.whole_levels) or of an update (numbers.text_levels)."""
    found = [(row.px, row.sz) for row in rows]
    return numbers.whole_levels(found, field) if whole else numbers.text_levels(found, field)
