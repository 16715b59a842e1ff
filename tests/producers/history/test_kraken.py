"""Kraken's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.kraken.history import HISTORY

BTC = make_instrument("kraken", "BTC/USD", "BTC/USD")
START = 1_763_683_200
NOW = (START + 90) * SECOND
MINUTE = 60 * SECOND


def candles(rows, key="XXBTZUSD"):
    body = f'{{"error":[],"result":{{"{key}":[{rows}],"last":{START}}}}}'
    found = HISTORY.decode_candles(body.encode(), BTC, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_candles_are_read_by_column_under_whatever_name_of_the_pair():
    row = '"91000.10","91010.5","90990.0","91005.0","91001.2","12.34000000",321]'
    for key in ("XXBTZUSD", "XBTUSDT"):
        first, open_one = candles(f"[{START},{row},[{START + 60},{row}", key)
        assert [first[name] for name in ("open", "high", "low", "close")] == [
            "91000.10",
            "91010.5",
            "90990.0",
            "91005.0",
        ]
        assert (first["volume"], first["quote_volume"], first["trades"]) == ("12.34000000", None, 321)
        assert first["id"] == f"{BTC.tail}.candle.1m.{START}.rest"
        assert (first["closed"], open_one["closed"]) == (True, False)


def test_candle_with_a_column_missing_is_an_error():
    with pytest.raises(FrameError, match="OHLC"):
        candles(f'[{START},"91000.10"]')


def test_span_is_asked_for_since_just_before_its_start():
    call = HISTORY.candles_call(BTC, Span("15m", START * SECOND, START * SECOND + 15 * MINUTE, 1))
    assert call.params == {"pair": "XBTUSD", "interval": "15", "since": str(START - 1)}


def test_span_that_lies_too_far_back_is_refused_by_its_start():
    now = START * SECOND + 720 * MINUTE
    assert HISTORY.candles_call(BTC, Span("1m", START * SECOND + MINUTE, now, 9, now)).params["interval"] == "1"
    with pytest.raises(InvalidParameterError, match="newest 720") as refused:
        HISTORY.candles_call(BTC, Span("1m", START * SECOND, now, 9, now))
    assert refused.value.details["parameter"] == "start_ts"


def test_weeks_are_made_of_days():
    assert "1w" not in HISTORY.timeframes


def test_trades_keep_digits_and_time_and_the_ids_of_the_socket():
    rows = '["91000.10","0.00027000",1763700000.1234567,"b","m","",10218208],["91000","0.1",1763700001,"s","l","",9]'
    body = f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":"1763700001000000000"}}}}'
    bought, sold = HISTORY.decode_trades(body.encode(), BTC, ts_recv=NOW, sim=False)
    assert (bought.id, bought.trade_id) == (f"{BTC.tail}.trade.10218208", "10218208")
    assert (bought.price, bought.amount, bought.side) == ("91000.10", "0.00027000", "buy")
    assert bought.ts_event == 1_763_700_000_123_456_700
    assert (sold.side, sold.ts_event) == ("sell", 1_763_700_001 * SECOND)
