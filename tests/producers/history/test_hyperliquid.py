"""Hyperliquid's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.hyperliquid.history import HISTORY

BTC = make_instrument("hyperliquid", "BTC/USDC:USDC", "BTC")
START = 1_763_683_200
NOW = (START + 90) * SECOND
MINUTE = 60 * SECOND


def candles(*rows):
    found = HISTORY.decode_candles(f"[{','.join(rows)}]".encode(), BTC, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def row(start, volume='"12.340"'):
    prices = '"o":"91000.10","c":"91005.0","h":91010.5,"l":"90990.0"'
    return f'{{"t":{start}000,"T":{start + 59}999,"s":"BTC","i":"1m",{prices},"v":{volume},"n":321}}'


def test_candles_keep_their_digits_and_close_with_their_time():
    first, newest = candles(row(START), row(START + 60, "9.2E-7"))
    assert [first[name] for name in ("open", "high", "low", "close")] == ["91000.10", "91010.5", "90990.0", "91005.0"]
    assert (first["volume"], first["quote_volume"], first["trades"]) == ("12.340", None, 321)
    assert first["id"] == f"{BTC.tail}.candle.1m.{START}.rest"
    assert (first["closed"], newest["closed"]) == (True, False)
    assert newest["volume"] == "0.00000092"


def test_candle_without_a_volume_is_an_error_that_names_it():
    with pytest.raises(FrameError, match=r"data\.v"):
        candles(row(START, "null"))


def test_span_is_asked_for_in_the_body_and_paid_for_by_its_rows():
    call = HISTORY.candles_call(BTC, Span("1m", START * SECOND, START * SECOND + 120 * MINUTE, 120))
    assert (call.method, call.path, call.weight) == ("POST", "/info", 22)
    wanted = {"coin": "BTC", "interval": "1m", "startTime": START * 1000, "endTime": (START + 7200) * 1000 - 1}
    assert json.loads(call.body or "") == {"type": "candleSnapshot", "req": wanted}


def test_span_that_lies_too_far_back_is_refused_by_its_start():
    now = START * SECOND + 5000 * MINUTE
    assert HISTORY.candles_call(BTC, Span("1m", START * SECOND + MINUTE, now, 9, now)).body
    with pytest.raises(InvalidParameterError, match="newest 5000") as refused:
        HISTORY.candles_call(BTC, Span("1m", START * SECOND, now, 9, now))
    assert refused.value.details["parameter"] == "start_ts"


def test_trades_have_the_ids_of_the_socket():
    body = b'[{"coin":"BTC","side":"A","px":"91000.10","sz":"0.010","time":1763683201519,"hash":"0x1","tid":77}]'
    (trade,) = HISTORY.decode_trades(body, BTC, ts_recv=NOW, sim=False)
    assert (trade.id, trade.trade_id) == (f"{BTC.tail}.trade.1763683201519-77", "77")
    assert (trade.price, trade.amount, trade.side) == ("91000.10", "0.010", "sell")
    assert trade.ts_event == (START + 1) * SECOND + 519_000_000
