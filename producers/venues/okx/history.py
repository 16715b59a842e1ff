"""OKX's past over REST: candles and trades, in the rows of its sockets.

Pages: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks,
#order-book-trading-market-data-get-candlesticks-history, #order-book-trading-market-data-get-trades and
#order-book-trading-market-data-get-trades-history.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.rest.history import SECONDS, candle_id, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.okx import events, wire
from producers.venues.okx.topics import Topic
from producers.venues.okx.wire import MS

_RECENT: Final = "/api/v5/market/candles"
_OLDER: Final = "/api/v5/market/history-candles"
_KEPT: Final = 1440  # candles of each bar that the first of them goes back to
_OLDER_WEIGHT: Final = 2  # 20 calls in 2 s against the others' 40
MOST_CANDLES: Final = 300
MOST_TRADES: Final = 500
_MOST_OLDER: Final = 100  # trades of a page of those of three months
_OLDER_TRADES_WEIGHT: Final = 5  # 20 calls in 2 s against 100
# Days are Hong Kong's but for `utc`; on which day a week begins is not documented: weeks are made of days.
BARS: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "4h": "4H", "1d": "1Dutc"}


class _Answer(Struct):
    """`{"code":"0","msg":"","data":[…]}`."""

    data: list[Raw]


_answer: Final = msgspec.json.Decoder(_Answer).decode
_candle: Final = msgspec.json.Decoder(wire.Candle).decode
_trade: Final = msgspec.json.Decoder(wire.Trade, strict=False).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span: newer than `before` and older than `after`, both exclusive.

    What begins before the newest 1440 candles is asked for elsewhere.
    """
    params = {
        "instId": instrument.venue_symbol,
        "bar": BARS[span.timeframe],
        "after": str(span.end_ts // MS),
        "before": str(span.start_ts // MS - 1),
        "limit": str(min(span.limit, MOST_CANDLES)),
    }
    if span.candles_back(SECONDS[span.timeframe]) <= _KEPT:
        return RestCall(_RECENT, params)
    return RestCall(_OLDER, params, _OLDER_WEIGHT)


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read candles, newest first; they say themselves whether they are closed. Volumes are in the base coin."""
    topic = Topic(instrument, {}, Makers(sim=sim))

    def read(raw: Raw) -> Decoded:
        found = events.make_candle(topic, _candle(raw), timeframe, ts_recv)
        return replace(found, id=candle_id(instrument, timeframe, found.start_ts))

    return read_rows(_rows, body, f"candles of {instrument.venue_symbol}", read)


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for the newest trades."""
    params = {"instId": instrument.venue_symbol, "limit": str(min(limit, MOST_TRADES))}
    return RestCall("/api/v5/market/trades", params)


def older_trades_call(instrument: Instrument, limit: int, oldest: Decoded) -> RestCall:
    """Ask for the trades before one (`after` means older than its id)."""
    params = {
        "instId": instrument.venue_symbol,
        "after": oldest.trade_id,
        "limit": str(min(limit, _MOST_OLDER)),
    }
    return RestCall("/api/v5/market/history-trades", params, _OLDER_TRADES_WEIGHT)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, newest first, with the ids of channel `trades`, where the last of several fills gives its id.

    The page does not say whether rows are merged here as they are there: where they are single fills, those before the
    last one of a merged row have ids of their own.
    """
    topic = Topic(instrument, {}, Makers(sim=sim))
    start = f"{topic.tail}.trade."
    what = f"trades of {instrument.venue_symbol}"
    return read_rows(_rows, body, what, lambda raw: events.make_trade(topic, _trade(raw), start, ts_recv))


def _rows(body: bytes) -> list[Raw]:
    return _answer(body).data


HISTORY: Final = History(
    timeframes=frozenset(BARS),
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
    older_trades_call=older_trades_call,
)
