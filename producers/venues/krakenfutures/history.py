"""Kraken Futures' past over REST: candles of the charts, and the last 100 trades.

https://docs.kraken.com/exchange/api-reference/futures-rest: market candles and trade history
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize import numbers, sizes
from producers.normalize.events import Makers
from producers.rest.history import SECOND, Bar, bar_prices, candle_decoder, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.krakenfutures import wire
from producers.venues.krakenfutures.events import decode_trade
from producers.venues.krakenfutures.topics import Product

MOST_CANDLES: Final = 2000  # ours: how many come at once is not documented
MOST_TRADES: Final = 100  # always so many
# On which day the venue's weeks begin is not documented: they are made of days.
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d"})
MS: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _Candle(Struct, gc=False):
    """`{"time":1763683200000,"open":"91000.1","high":"91010.5","low":"90990","close":"91005","volume":"12.34"}`."""

    time: numbers.Milliseconds
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    volume: Raw


class _Candles(Struct):
    """`{"candles":[…],"more_candles":false}`, without the envelope of other answers."""

    candles: list[Raw]


class _Trade(Struct, gc=False):
    """`{"time":"2025-11-21T00:00:00.519Z","trade_id":1,"price":91000.5,"size":0.015,"side":"sell","type":"fill","uid":…}`.

    `trade_id` counts the rows of the answer; the trade's own id is `uid`.
    """

    uid: str
    time: str
    price: Raw
    size: Raw
    side: wire.Side
    type: str = "fill"


class _Trades(Struct):
    history: list[Raw]


_candles: Final = msgspec.json.Decoder(_Candles).decode
_candle: Final = msgspec.json.Decoder(_Candle).decode
_trades: Final = msgspec.json.Decoder(_Trades).decode
_trade: Final = msgspec.json.Decoder(_Trade).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Return the call for the candles of a span."""
    params = {"from": str(span.start_ts // SECOND), "to": str(span.end_ts // SECOND - 1)}
    return RestCall(f"/api/charts/v1/trade/{instrument.venue_symbol}/{span.timeframe}", params)


def _bar(instrument: Instrument, raw: Raw) -> Bar:
    """Read a candle, whose volume counts as sizes do: of inverse products it is in coins at the closing price."""
    row = _candle(raw)
    prices = bar_prices(row, _price, "candles")
    volume = sizes.amount(instrument, _number(row.volume, "candles.volume"), prices["close"])
    if volume is None:
        reason = f"what a contract of {instrument.venue_symbol} is worth is not known"
        raise FrameError(reason, field="candles.volume")
    return wire.time(row.time, "candles.time"), {**prices, "volume": volume}


def _price(raw: Raw, field: str) -> str:
    return numbers.price_text(str(raw, "ascii", "replace").strip('"'), field)


def _number(raw: Raw, field: str) -> str:
    return numbers.unsigned(str(raw, "ascii", "replace").strip('"'), field)


def trades_call(instrument: Instrument, limit: int) -> RestCall:  # noqa: ARG001 - how many cannot be chosen
    """Return the call for the newest trades."""
    return RestCall("/derivatives/api/v3/history", {"symbol": instrument.venue_symbol})


def older_trades_call(instrument: Instrument, limit: int, oldest: Decoded) -> RestCall:  # noqa: ARG001 - as above
    """Return the call for the trades before a time, a millisecond after one's: those of the same one come again.

    https://docs.kraken.com/api-reference/market-data/get-trade-history
    """
    until = _EPOCH + ((oldest.ts_event or 0) // MS + 1) * _MILLISECOND
    text = f"{until:%Y-%m-%dT%H:%M:%S}.{until.microsecond // 1000:03d}Z"
    params = {"symbol": instrument.venue_symbol, "lastTime": text}
    return RestCall("/derivatives/api/v3/history", params)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades as the socket's are read; transfers of positions are none, liquidations are trades only."""
    product = Product(instrument, makers=Makers(sim=sim))

    def read(raw: Raw) -> Decoded | None:
        events = decode_trade(product, _as_pushed(_trade(raw), instrument), ts_recv)
        return next((event for event in events if event.kind == "trade"), None)

    return read_rows(lambda text: _trades(text).history, body, f"trades of {instrument.venue_symbol}", read)


def _as_pushed(row: _Trade, instrument: Instrument) -> wire.Trade:
    return wire.Trade(
        product_id=instrument.venue_symbol,
        uid=row.uid,
        side=row.side,
        time=_milliseconds(row.time),
        qty=row.size,
        price=row.price,
        type=row.type,
    )


def _milliseconds(text: str) -> int:
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND
    except (ValueError, TypeError) as error:
        raise FrameError(f"history.time is no time in UTC: {text!r}", field="history.time") from error


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(lambda body: _candles(body).candles, "candles", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
    older_trades_call=older_trades_call,
)
