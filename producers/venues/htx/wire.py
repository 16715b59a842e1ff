"""HTX's frames as typed structs, one a channel. Numbers are JSON numbers, kept raw; `ts` is in ms.

Pages: https://www.htx.com/en-us/opend/newApiPages/?id=7ec4a4da-7773-11ed-9966-0242ac110003 (spot) and
https://www.htx.com/en-us/opend/newApiPages/?id=8cb89359-77b5-11ed-9966-1928f079ab6 (USDT-margined contracts).
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from producers.venues.htx.wire_numbers import ABSENT


class Head(Struct):
    """What distinguishes frames.

    A push has `ch`, an answer `subbed`, `unsubbed` or `rep` (`{"id":"1","status":"ok","subbed":"market.btcusdt.bbo"}`),
    an error `err-code` (`{"id":"1","status":"error","err-code":"bad-request","err-msg":"invalid symbol foo"}`), a ping
    of the market sockets `ping`; frames of the notification sockets have `op`, those of accounts `action`.
    """

    ch: str | None = None
    status: str | None = None
    subbed: str | None = None
    unsubbed: str | None = None
    rep: str | None = None
    op: str | None = None
    action: str | None = None
    topic: str | None = None
    ping: Raw = ABSENT
    data: Raw = ABSENT
    ts: Raw = ABSENT
    id: str | int | None = None
    error: str | int | None = msgspec.field(default=None, name="err-code")
    message: str | None = msgspec.field(default=None, name="err-msg")


class Trade(Struct, gc=False):
    """A row of `trade.detail`; `direction` is the taker's side and may be empty.

    Spot: `{"id":104998984994123456789012345,"tradeId":102090727790,"ts":17637,"amount":0.1,"price":1.5,"direction":…}`;
    swaps: `amount` counts contracts, `quantity` coins, `trade_turnover` quote.
    """

    ts: int
    amount: Raw
    price: Raw
    direction: str = ""
    id: Raw = ABSENT
    tradeId: Raw = ABSENT
    quantity: Raw = ABSENT


class _TradeTick(Struct, gc=False):
    data: list[Trade] | None = None


class Trades(Struct, gc=False):
    """Channel `trade.detail`."""

    tick: _TradeTick


class Depth(Struct, gc=False):
    """The `tick` of a book.

    `seqNum` and `prevSeqNum` chain `mbp`, `version` the `high_freq` pushes, whose `event` says snapshot or update.
    """

    bids: Raw = ABSENT
    asks: Raw = ABSENT
    seqNum: int | None = None
    prevSeqNum: int | None = None
    version: int | None = None
    event: str | None = None


class Book(Struct, gc=False):
    """Channels `mbp.N`, `mbp.refresh.N`, `depth.step0` and `depth.size_N.high_freq`.

    With `update` a push of `depth.step0` holds changes only (coin-margined futures of 2019).
    """

    ts: int
    tick: Depth
    update: bool = False


class BookAnswer(Struct, gc=False):
    """The answer to `{"req":"market.btcusdt.mbp.150"}`: `{"rep":…,"status":"ok","data":{"seqNum":1,"bids":[…]}}`."""

    data: Depth
    ts: int | None = None


class BestSpot(Struct, gc=False):
    """`{"seqId":1,"ask":2.5,"askSize":1,"bid":2.4,"bidSize":1,"quoteTime":17637…,"symbol":"btcusdt"}`."""

    quoteTime: int | None = None
    seqId: int | None = None
    bid: Raw = ABSENT
    bidSize: Raw = ABSENT
    ask: Raw = ABSENT
    askSize: Raw = ABSENT


class BestSpotPush(Struct, gc=False):
    """Channel `bbo` of spot."""

    tick: BestSpot


class Best(Struct, gc=False):
    """`{"mrid":1,"id":1,"bid":[2.4,12],"ask":[2.5,7],"ts":17637…,"version":1,"ch":…}`: a side may be null."""

    ts: int
    version: int | None = None
    bid: list[Raw] | None = None
    ask: list[Raw] | None = None


class BestPush(Struct, gc=False):
    """Channel `bbo` of contracts."""

    tick: Best


class Day(Struct, gc=False):
    """Figures of 24 hours: `amount` counts coins; `vol` is the quote on spot, contracts on contracts.

    Channel `detail`, and spot's `ticker` with the best levels beside it.
    """

    open: Raw = ABSENT
    close: Raw = ABSENT
    high: Raw = ABSENT
    low: Raw = ABSENT
    amount: Raw = ABSENT
    vol: Raw = ABSENT
    turnover: Raw = msgspec.field(default=ABSENT, name="trade_turnover")
    bid: Raw = ABSENT
    bidSize: Raw = ABSENT
    ask: Raw = ABSENT
    askSize: Raw = ABSENT


class DayPush(Struct, gc=False):
    """Channels `detail` and `ticker`."""

    ts: int
    tick: Day


class Kline(Struct, gc=False):
    """`{"id":1763700000,"open":1,"close":1,"low":1,"high":1,"amount":1,"vol":1,"count":7}`; `id` opens it, in s."""

    id: int
    open: Raw
    close: Raw
    low: Raw
    high: Raw
    amount: Raw
    vol: Raw = ABSENT
    count: Raw = ABSENT
    turnover: Raw = msgspec.field(default=ABSENT, name="trade_turnover")


class KlinePush(Struct, gc=False):
    """Channel `kline.1min` and so on: the open candle again and again; nothing says that it closed."""

    tick: Kline


class Basis(Struct, gc=False):
    """`{"id":1763700000,"index_price":"9582.975","contract_price":"9590.1","basis":"7.125","basis_rate":"0.0007"}`."""

    index_price: Raw


class BasisPush(Struct, gc=False):
    """Channel `basis.1min.open` and so on."""

    ts: int
    tick: Basis


class Interest(Struct, gc=False):
    """`{"volume":1711705,"amount":17841.4,"value":…,"symbol":"BTC","contract_code":"BTC-USDT"}`: contracts, coins."""

    volume: Raw
    amount: Raw = ABSENT
    value: Raw = ABSENT


class InterestPush(Struct, gc=False):
    """Open interest as recordings hold it; the sockets have no such channel."""

    ts: int
    data: list[Interest] | None = None


class Forced(Struct, gc=False):
    """A row of `liquidation_orders`: `direction` is the side of the order that closes the position.

    `{"symbol":"ETH","contract_code":"ETH-USDT","direction":"buy","offset":"close","volume":500,"price":2400.5,
    "created_at":1763700000212,"amount":5,"trade_turnover":12002.5}`: contracts, bankruptcy price, coins, quote.
    """

    contract_code: str
    direction: str
    volume: Raw
    price: Raw
    created_at: int
    amount: Raw = ABSENT


class ForcedNotice(Struct, gc=False):
    """Topic `public.<contract>.liquidation_orders`; `public.*.liquidation_orders` subscribes to all of them."""

    data: list[Forced] | None = None


class Rate(Struct, gc=False):
    """`{"contract_code":"BTC-USDT","funding_rate":"0.0001","settlement_time":"1763712000000","estimated_rate":null}`."""

    contract_code: str
    funding_rate: Raw = ABSENT
    settlement_time: Raw = ABSENT


class RateNotice(Struct, gc=False):
    """Topic `public.<contract>.funding_rate`."""

    ts: int
    data: list[Rate] | None = None


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_trades: Final = msgspec.json.Decoder(Trades).decode
decode_book: Final = msgspec.json.Decoder(Book).decode
decode_book_answer: Final = msgspec.json.Decoder(BookAnswer).decode
decode_best_spot: Final = msgspec.json.Decoder(BestSpotPush).decode
decode_best: Final = msgspec.json.Decoder(BestPush).decode
decode_day: Final = msgspec.json.Decoder(DayPush).decode
decode_kline: Final = msgspec.json.Decoder(KlinePush).decode
decode_basis: Final = msgspec.json.Decoder(BasisPush).decode
decode_interest: Final = msgspec.json.Decoder(InterestPush).decode
decode_forced: Final = msgspec.json.Decoder(ForcedNotice).decode
decode_rates: Final = msgspec.json.Decoder(RateNotice).decode
