"""Gate's frames as typed structs, one a channel; numbers are text or JSON numbers and kept exactly as sent.

Pages: https://www.gate.com/docs/developers/apiv4/ws/en/ (spot), https://www.gate.com/docs/developers/futures/ws/en/.
Every frame is `{"time":1763700000,"time_ms":1763700000123,"channel":"spot.trades","event":"update","result":…}`; old
ones have no `time_ms`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal
from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from producers.normalize.numbers import NULL
from producers.venues.gate.values import MS, SECOND, Maybe, Number, Row


class Error(Struct):
    """`{"code":2,"message":"unknown currency pair: FOO_USDT"}`."""

    code: int | None = None
    message: str = ""


class Status(Struct):
    """`{"status":"success"}`, or what a system notice says: `{"type":"upgrade","msg":"reconnect please"}`."""

    status: str | None = None
    type: str | None = None
    msg: str = ""


class Head(Struct):
    """What tells frames apart; an answer has the request's `id`, where that had one, and sometimes its `payload`."""

    channel: str
    event: str = ""
    id: int | None = None
    error: Error | None = None
    payload: list[str] | None = None
    result: Raw = NULL


class Answer(Struct):
    """An answer's or a notice's result."""

    result: Status | None = None


class Envelope(Struct, gc=False):
    """The venue's time of sending: seconds, and ms where the frame has them (0 means that it does not say)."""

    time: int = 0
    time_ms: int = 0

    @property
    def sent_ns(self) -> int | None:
        """When the venue sent it, ns; None where it does not say."""
        return self.time_ms * MS if self.time_ms else self.time * SECOND or None


class SpotTrade(Struct, gc=False):
    """`{"id":309143071,"id_market":2390902,"create_time_ms":"1606292218213.4578","side":"sell",…,"range":"7-9"}`.

    `side` is the taker's; digits behind the ms are microseconds and less. `id` is unique among all pairs, and is to be
    dropped some day; `id_market` grows by one within the pair, and `range` are the numbers that this print stands for.
    """

    side: Literal["buy", "sell"]
    currency_pair: str
    amount: Number
    price: Number
    create_time_ms: Number
    id: int | None = None
    id_market: int | None = None
    range: str | None = None


class SpotTrades(Struct, gc=False):
    """Channel `spot.trades`: one print a frame."""

    result: SpotTrade


class FuturesTrade(Struct, gc=False):
    """`{"id":1,"create_time":…,"create_time_ms":…,"contract":"ETH_USDT","size":"-0.25","price":"2171.44"}`.

    `size` is contracts, negative where the taker sold; frames of 2020 have seconds only.
    """

    id: int
    contract: str
    size: Number
    price: Number
    create_time: Number
    create_time_ms: Number | None = None


class FuturesTrades(Struct, gc=False):
    """Channel `futures.trades`."""

    result: list[FuturesTrade] | None


class SpotTicker(Struct, gc=False):
    """`{"currency_pair":"BTC_USDT","last":"1","lowest_ask":"1","highest_bid":"1","change_percentage":"-1.8",…}`."""

    currency_pair: str
    last: Maybe = None
    lowest_ask: Maybe = None
    highest_bid: Maybe = None
    change_percentage: Maybe = None
    base_volume: Maybe = None
    quote_volume: Maybe = None
    high_24h: Maybe = None
    low_24h: Maybe = None


class SpotTickers(Envelope, kw_only=True, gc=False):
    """Channel `spot.tickers`."""

    result: SpotTicker


class FuturesTicker(Struct, gc=False):
    """Figures of a contract: `total_size` is the open interest in contracts, `funding_next_apply` a time in seconds.

    The page has no best prices here; they are read where a frame has them. Frames of the first years have no volumes
    in the base and the quote coin (`volume_24h_btc` and `_usd` were other coins').
    """

    contract: str
    last: Maybe = None
    change_percentage: Maybe = None
    total_size: Maybe = None
    volume_24h_base: Maybe = None
    volume_24h_quote: Maybe = None
    mark_price: Maybe = None
    index_price: Maybe = None
    funding_rate: Maybe = None
    funding_next_apply: Maybe = None
    high_24h: Maybe = None
    low_24h: Maybe = None
    highest_bid: Maybe = None
    highest_size: Maybe = None
    lowest_ask: Maybe = None
    lowest_size: Maybe = None


class FuturesTickers(Envelope, kw_only=True, gc=False):
    """Channel `futures.tickers`: rows, or (2022) one row alone."""

    result: list[FuturesTicker] | FuturesTicker | None


class BookTicker(Struct, gc=False):
    """`{"t":1606293275123,"u":48733182,"s":"BTC_USDT","b":"19177.79","B":"0.0003","a":"19179.38","A":"0.09"}`."""

    s: str
    u: int | None = None
    t: int | None = None
    b: Maybe = None
    B: Maybe = None
    a: Maybe = None
    A: Maybe = None


class BookTickers(Struct, gc=False):
    """Channels `spot.book_ticker` and `futures.book_ticker`: an empty price means an empty side."""

    result: BookTicker


class SpotDepth(Struct, gc=False):
    """`{"t":1606294781123,"s":"BTC_USDT","U":48776301,"u":48776306,"b":[["19137.74","0"]],"a":[],"l":"100"}`.

    With `full` the levels are the whole book.
    """

    s: str
    u: int
    t: int | None = None
    U: int | None = None
    b: list[Row] | None = None
    a: list[Row] | None = None
    full: bool = False


class SpotDepths(Struct, gc=False):
    """Channels `spot.order_book_update`, `spot.obu` and `futures.obu`; the last two name `ob.BTC_USDT.50` as `s`."""

    result: SpotDepth


class NumberDepth(Struct, gc=False):
    """As `SpotDepth`, with sizes as JSON numbers: contracts where no decimal sizes were asked for."""

    s: str
    u: int
    t: int | None = None
    U: int | None = None
    b: list[tuple[Number, Number]] | None = None
    a: list[tuple[Number, Number]] | None = None
    full: bool = False


class NumberDepths(Struct, gc=False):
    """Channels `spot.obu` and `futures.obu`."""

    result: NumberDepth


class Level(Struct, gc=False):
    """`{"p":"54672.1","s":"95"}`: price, and contracts."""

    p: Number
    s: Number

    @property
    def pair(self) -> Row:
        """Price and size as text."""
        return (str(self.p), str(self.s))


class FuturesDepth(Struct, gc=False):
    """`{"t":1615366381417,"s":"BTC_USDT","U":2517661101,"u":2517661113,"b":[{"p":"54672.1","s":"0"}],"a":[]}`."""

    s: str
    u: int
    t: int | None = None
    U: int | None = None
    b: list[Level] | None = None
    a: list[Level] | None = None
    full: bool = False


Depth = SpotDepth | NumberDepth | FuturesDepth


class FuturesDepths(Struct, gc=False):
    """Channel `futures.order_book_update`."""

    result: FuturesDepth


class WholeBook(Struct, gc=False):
    """`{"t":1774443214909,"id":93973511,"contract":"ETH_USDT","asks":[{"p":"97.1","s":2245}],"bids":[]}`."""

    contract: str
    asks: list[Level] | None = None
    bids: list[Level] | None = None
    t: int = 0
    id: int = 0


class WholeBooks(Envelope, kw_only=True, gc=False):
    """Channel `futures.order_book`, event `all`."""

    result: WholeBook


class SignedLevel(Struct, gc=False):
    """`{"p":"222.25","s":-390,"c":"BCH_USDT","id":242207247}`: a negative size is an ask, 0 removes."""

    p: Number
    s: Number
    c: str
    id: int


class SignedLevels(Envelope, kw_only=True, gc=False):
    """Channel `futures.order_book`, event `update`."""

    result: list[SignedLevel] | None


class Liquidation(Struct, gc=False):
    """`{"price":"215.1","size":"-124.5","time":1541486601123,"contract":"BTC_USDT"}`.

    `time` is in ms today, was in seconds, and was called `time_ms` in between.
    """

    contract: str
    price: Number
    size: Number
    time: int = 0
    time_ms: int = 0


class Liquidations(Struct, gc=False):
    """Channel `futures.public_liquidates`: rows, or one row alone (as clients saw it in August 2026)."""

    result: list[Liquidation] | Liquidation | None


class Candle(Struct, gc=False):
    """`{"t":"1606292580","v":"2362","c":"1","h":"1","l":"1","o":"1","n":"1m_BTC_USDT","a":"3.8","w":true}`.

    Spot: `v` counts the quote coin, `a` (not in frames of 2021) the base coin. Futures: `v` counts contracts.
    """

    t: Number
    v: Number
    c: Number
    h: Number
    l: Number
    o: Number
    n: str
    a: Number | None = None
    w: bool = False


class Candles(Envelope, kw_only=True, gc=False):
    """Channels `spot.candlesticks` (one row) and `futures.candlesticks` (rows)."""

    result: list[Candle] | Candle | None


def fingerprint(row: Struct) -> str:
    """Return what tells a row from another one of the same instrument and time: a checksum of its values."""
    return f"{crc32(msgspec.json.encode(row)):08x}"


# ---- decoding
_decode_loose: Final = msgspec.json.Decoder(float_hook=str).decode


def reader(kind: type[Any]) -> Callable[[bytes], Any]:
    """Make a struct's decoder. Numbers are expected as text or integers; one with a fraction is kept as its text."""
    decode = msgspec.json.Decoder(kind).decode

    def read(frame: bytes) -> Any:
        try:
            return decode(frame)
        except msgspec.ValidationError:
            return msgspec.convert(_decode_loose(frame), kind)

    return read


read_head: Final = reader(Head)
read_answer: Final = reader(Answer)
read_spot_trades: Final = reader(SpotTrades)
read_futures_trades: Final = reader(FuturesTrades)
read_spot_tickers: Final = reader(SpotTickers)
read_futures_tickers: Final = reader(FuturesTickers)
read_book_tickers: Final = reader(BookTickers)
read_spot_depths: Final = reader(SpotDepths)
read_number_depths: Final = reader(NumberDepths)
read_futures_depths: Final = reader(FuturesDepths)
read_whole_books: Final = reader(WholeBooks)
read_signed_levels: Final = reader(SignedLevels)
read_liquidations: Final = reader(Liquidations)
read_candles: Final = reader(Candles)
