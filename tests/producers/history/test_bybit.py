"""Bybit's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.venue import Span
from producers.venues.bybit.history import HISTORY

SPOT = make_instrument("bybit", "BTC/USDT", "BTCUSDT")
LINEAR = make_instrument("bybit", "BTC/USDT:USDT", "BTCUSDT")
INVERSE = make_instrument("bybit", "BTC/USD:BTC", "BTCUSD", contract_size="1")
START = 1_763_683_200_000
NOW = (START + 90_000) * 1_000_000
ROW = [str(START), "91000.1", "91010.5", "90990", "91005.0", "12.345", "1123456.70"]


def candles(instrument, *rows):
    body = {"retCode": 0, "retMsg": "OK", "result": {"symbol": instrument.venue_symbol, "list": rows}, "time": START}
    found = HISTORY.decode_candles(json.dumps(body).encode(), instrument, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def trade(instrument, **changes):
    row = {"execId": "20f43950-d8dd", "symbol": "BTCUSDT", "price": "91000.50", "size": "910", "side": "Sell"}
    row |= {"time": "1763700000122", "isBlockTrade": False, "isRPITrade": False, "seq": "123456", **changes}
    body = json.dumps({"retCode": 0, "result": {"category": "x", "list": [row]}}).encode()
    return HISTORY.decode_trades(body, instrument, ts_recv=NOW, sim=False)[0]


def test_candles_keep_the_venues_digits_and_close_with_their_time():
    newest, oldest = candles(SPOT, [str(START + 60_000), *ROW[1:]], ROW)
    assert [oldest[name] for name in ("open", "high", "low", "close")] == ROW[1:5]
    assert (oldest["volume"], oldest["quote_volume"], oldest["trades"]) == ("12.345", "1123456.70", None)
    assert oldest["id"] == f"{SPOT.tail}.candle.1m.{START // 1000}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)


def test_candles_of_inverse_contracts_count_dollars_and_turn_over_coins():
    (one,) = candles(INVERSE, [*ROW[:5], "910000", "10.00"])
    assert (one["volume"], one["quote_volume"]) == ("10.00", "910000")


def test_candle_that_is_no_number_is_an_error_that_names_it():
    with pytest.raises(FrameError, match=r"list\[5\]"):
        candles(SPOT, [*ROW[:5], "", "1"])


def test_calls_name_the_market_and_end_within_the_span():
    span = Span("1h", START * 10**6, (START + 3_600_000) * 10**6, 1)
    call = HISTORY.candles_call(INVERSE, span)
    assert call.params == {
        "category": "inverse",
        "symbol": "BTCUSD",
        "interval": "60",
        "limit": "1",
        "start": str(START),
        "end": str(START + 3_599_999),
    }
    assert "1w" not in HISTORY.timeframes
    assert HISTORY.trades_call(SPOT, 500).params["limit"] == "60"
    assert HISTORY.trades_call(LINEAR, 500).params["limit"] == "500"


def test_trades_have_the_ids_of_the_socket_and_the_takers_side():
    found = trade(LINEAR, size="0.010")
    assert (found.id, found.trade_id) == (f"{LINEAR.tail}.trade.20f43950-d8dd", "20f43950-d8dd")
    assert (found.price, found.amount, found.contracts, found.side) == ("91000.50", "0.010", None, "sell")
    assert (found.seq, found.ts_event) == (123456, 1_763_700_000_122 * 10**6)


def test_trades_of_inverse_contracts_are_dollars():
    found = trade(INVERSE, price="91000")
    assert (found.amount, found.contracts) == ("0.01", "910")
