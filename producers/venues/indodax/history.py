"""Indodax's past over REST: candles and the last trades.

https://github.com/btcid/indodax-official-api-docs/blob/master/Public-RestAPI.md

Trades have other ids here (`tid`) than on the socket (their sequence), and nothing ties the two: so their ids are
`rest-<tid>`. How many candles and trades come at once is not documented.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.rest.history import SECOND, Bar, candle_decoder, make_trade, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.indodax import wire

MOST_CANDLES: Final = 1000  # ours
MOST_TRADES: Final = 150  # ours: how many cannot be chosen
# There are none of five minutes. Longer ones exist, but not whether they begin by UTC or by the time of Jakarta: they
# are made of hours.
LENGTHS: Final = {"1m": "1", "15m": "15", "30m": "30", "1h": "60"}


class _Candle(Struct, gc=False):
    """`{"Time":1763683200,"Open":1632000000,"High":…,"Low":…,"Close":…,"Volume":"12.5"}`: opened at, in s.

    The unit of the volume is not documented: it is taken for the base coin.
    """

    Time: int
    Open: Raw
    High: Raw
    Low: Raw
    Close: Raw
    Volume: Raw


class _Trade(Struct, gc=False):
    """`{"date":"1763700000","price":"1632000000","amount":"0.0031","tid":"1623490","type":"sell"}`: `date` in s."""

    date: int
    price: Raw
    amount: Raw
    tid: int
    type: Literal["buy", "sell"]


_rows: Final = msgspec.json.Decoder(list[Raw]).decode
_candle_row: Final = msgspec.json.Decoder(_Candle).decode
_trade_row: Final = msgspec.json.Decoder(_Trade, strict=False).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span."""
    params = {
        "symbol": instrument.venue_symbol.upper(),
        "tf": LENGTHS[span.timeframe],
        "from": str(span.start_ts // SECOND),
        "to": str(span.end_ts // SECOND - 1),
    }
    return RestCall("/tradingview/history_v2", params)


def _bar(_: Instrument, raw: Raw) -> Bar:
    """Read a candle, oldest first."""
    row = _candle_row(raw)
    prices = {name: _price(getattr(row, name.capitalize()), name) for name in ("open", "high", "low", "close")}
    return row.Time * SECOND, {**prices, "volume": numbers.unsigned(wire.text(row.Volume), "Volume")}


def trades_call(instrument: Instrument, limit: int) -> RestCall:  # noqa: ARG001 - how many cannot be chosen
    """Ask for the newest trades."""
    return RestCall(f"/api/trades/{instrument.venue_symbol}")


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, newest first; the side is taken for the taker's, as on the socket."""
    what = f"trades of {instrument.venue_symbol}"
    return read_rows(_rows, body, what, lambda raw: _trade(instrument, _trade_row(raw), ts_recv, sim=sim))


def _trade(instrument: Instrument, row: _Trade, ts_recv: int, *, sim: bool) -> Decoded:
    return make_trade(
        instrument,
        f"rest-{row.tid}",
        row.date * SECOND,
        ts_recv=ts_recv,
        sim=sim,
        price=_price(row.price, "price"),
        amount=numbers.unsigned(wire.text(row.amount), "amount"),
        side=row.type,
    )


def _price(raw: Raw, field: str) -> str:
    return numbers.price_text(wire.text(raw), field)


HISTORY: Final = History(
    timeframes=frozenset(LENGTHS),
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(_rows, "candles", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
    same_trade_ids=False,
)
