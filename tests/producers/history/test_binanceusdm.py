"""Binance USD-M's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.venue import Span
from producers.venues.binanceusdm.history import HISTORY

BTC = make_instrument("binanceusdm", "BTC/USDT:USDT", "BTCUSDT")
START = 1_763_683_200_000
NOW = (START + 90_000) * 1_000_000


def row(start):
    volumes = ["1123456.7", 321, "6.1", "555123.4", "0"]
    return [start, "91000.10", "91010.00", "90990.5", "91005.0", "12.345", start + 59_999, *volumes]


def candles(*rows):
    body = json.dumps(rows).encode()
    found = HISTORY.decode_candles(body, BTC, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_klines_are_candles_with_the_venues_own_digits():
    first, second = candles(row(START), row(START + 60_000))
    assert (first["open"], first["high"], first["low"], first["close"]) == (
        "91000.10",
        "91010.00",
        "90990.5",
        "91005.0",
    )
    assert (first["volume"], first["quote_volume"], first["trades"]) == ("12.345", "1123456.7", 321)
    assert first["id"] == f"{BTC.tail}.candle.1m.{START // 1000}.rest"
    assert (first["closed"], second["closed"]) == (True, False)


def test_short_kline_row_is_an_error_that_names_them():
    with pytest.raises(FrameError, match="klines of BTCUSDT"):
        candles(row(START)[:5])


@pytest.mark.parametrize(("limit", "weight"), [(99, 1), (100, 2), (500, 5), (1000, 5)])
def test_calls_weigh_what_the_venue_counts(limit, weight):
    call = HISTORY.candles_call(BTC, Span("1m", START * 10**6, (START + limit * 60_000) * 10**6, limit))
    assert call.path == "/fapi/v1/klines"
    assert call.weight == weight
    assert call.params["endTime"] == str(START + limit * 60_000 - 1)


def test_aggregated_trades_have_the_ids_of_the_socket():
    body = b'[{"a":26129,"p":"91000.10","q":"0.031","f":27781,"l":27783,"T":1763700000122,"m":true,"nq":"0.031"}]'
    assert HISTORY.trades_call(BTC, 5000).params["limit"] == "1000"
    (trade,) = HISTORY.decode_trades(body, BTC, ts_recv=NOW, sim=False)
    assert (trade.id, trade.trade_id) == (f"{BTC.tail}.trade.a26129", "26129")
    assert (trade.price, trade.amount, trade.side) == ("91000.10", "0.031", "sell")
    assert trade.ts_event == 1_763_700_000_122 * 10**6
