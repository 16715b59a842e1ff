"""KuCoin futures' past over REST: candles, and the last 100 trades.

Pages: https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-klines,
https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-trade-history
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.families.kucoin_rest import decode_rows
from producers.families.kucoin_wire import MS, text
from producers.normalize import numbers, sizes
from producers.rest.history import SECONDS, bar_prices, make_candle, make_trade
from producers.venue import Decoded, History, RestCall, Span

MOST_CANDLES: Final = 500
MOST_TRADES: Final = 100  # always so many
# On which day the venue's weeks begin is not documented: they are made of days.
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d"})


class _Candle(Struct, array_like=True, gc=False):
    """`[1763683200000,91000.1,91010.5,90990,91005,1234]`; whatever may follow the volume is not looked at."""

    start: int  # ms
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    contracts: Raw


class _Trade(Struct, gc=False):
    """`{"sequence":15,"tradeId":"15","takerOrderId":"…","makerOrderId":"…","price":"91000.1","size":2,"side":"buy",
    "ts":1763700000436443257}`: the price is text or a number.
    """  # noqa: D205

    tradeId: str
    price: Raw
    size: Raw
    side: Literal["buy", "sell"]
    ts: int  # ns
    sequence: int | None = None


_candle_row: Final = msgspec.json.Decoder(_Candle).decode
_trade_row: Final = msgspec.json.Decoder(_Trade, strict=False).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Return the call for the candles of a span; weight 3."""
    params = {
        "symbol": instrument.venue_symbol,
        "granularity": str(SECONDS[span.timeframe] // 60),
        "from": str(span.start_ts // MS),
        "to": str(span.end_ts // MS - 1),
    }
    return RestCall("/api/v1/kline/query", params, weight=3)


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read candles, whose volume counts contracts: of inverse ones it is in coins at the closing price."""
    what = f"candles of {instrument.venue_symbol}"
    return decode_rows(body, what, lambda raw: _candle(instrument, timeframe, _candle_row(raw), ts_recv, sim=sim))


def _candle(instrument: Instrument, timeframe: str, row: _Candle, ts_recv: int, *, sim: bool) -> Decoded:
    prices = bar_prices(row, _price, "data")
    volume = sizes.amount(instrument, _number(row.contracts, "data.volume"), prices["close"])
    if volume is None:
        raise FrameError(f"what a contract of {instrument.venue_symbol} is worth is not known", field="data.volume")
    return make_candle(
        instrument,
        timeframe,
        row.start * MS,
        ts_recv=ts_recv,
        sim=sim,
        **prices,
        volume=volume,
    )


def trades_call(instrument: Instrument, limit: int) -> RestCall:  # noqa: ARG001 - how many cannot be chosen
    """Return the call for the newest trades; weight 5."""
    return RestCall("/api/v1/trade/history", {"symbol": instrument.venue_symbol}, weight=5)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades; their ids are the socket's, the side is the taker's."""
    what = f"trades of {instrument.venue_symbol}"
    return decode_rows(body, what, lambda raw: _trade(instrument, _trade_row(raw), ts_recv, sim=sim))


def _trade(instrument: Instrument, row: _Trade, ts_recv: int, *, sim: bool) -> Decoded:
    price = _price(row.price, "data.price")
    amount, contracts = sizes.sizes(instrument, _number(row.size, "data.size"), price)
    return make_trade(
        instrument,
        row.tradeId,
        row.ts,
        ts_recv=ts_recv,
        sim=sim,
        price=price,
        amount=amount,
        contracts=contracts,
        side=row.side,
        seq=row.sequence,
    )


def _number(raw: Raw, field: str) -> str:
    return numbers.unsigned(text(raw) or "", field)


def _price(raw: Raw, field: str) -> str:
    return numbers.price_text(text(raw) or "", field)


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
