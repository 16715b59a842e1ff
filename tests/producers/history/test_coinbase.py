"""Coinbase's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.coinbase.history import HISTORY

BTC = make_instrument("coinbase", "BTC/USD", "BTC-USD")
START = 1_763_683_200
NOW = (START + 90) * SECOND


def candles(body):
    found = HISTORY.decode_candles(body.encode(), BTC, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def trade(side):
    row = {"trade_id": 74, "side": side, "size": "0.01000000", "price": "91000.16"}
    body = json.dumps([{**row, "time": "2026-11-21T20:00:00.122581Z"}]).encode()
    return HISTORY.decode_trades(body, BTC, ts_recv=NOW, sim=False)[0]


def test_candles_have_low_before_high_and_keep_their_digits():
    newest, oldest = candles(
        f"[[{START + 60},1.5,1.5,1.5,1.5,2e-8],[{START},90990.10,91010.123456789012,91000,91005.5,12.34567891]]"
    )
    assert (oldest["low"], oldest["high"]) == ("90990.10", "91010.123456789012")
    assert (oldest["open"], oldest["close"], oldest["volume"]) == ("91000", "91005.5", "12.34567891")
    assert (oldest["quote_volume"], oldest["trades"]) == (None, None)
    assert oldest["id"] == f"{BTC.tail}.candle.1m.{START}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)
    assert newest["volume"] == "0.00000002"


def test_candle_that_is_no_number_is_an_error_that_names_it():
    with pytest.raises(FrameError, match="high"):
        candles(f'[[{START},1,"x",1,1,1]]')


def test_span_ends_with_the_opening_time_of_its_last_candle():
    call = HISTORY.candles_call(BTC, Span("5m", START * SECOND, (START + 900) * SECOND, 3))
    assert call.path == "/products/BTC-USD/candles"
    assert call.params == {"granularity": "300", "start": "2025-11-21T00:00:00Z", "end": "2025-11-21T00:10:00Z"}
    assert HISTORY.timeframes == {"1m", "5m", "15m", "1h", "1d"}


@pytest.mark.parametrize(("maker", "taker"), [("sell", "buy"), ("buy", "sell")])
def test_trades_have_the_ids_of_the_socket_and_the_takers_side(maker, taker):
    found = trade(maker)
    assert (found.id, found.trade_id) == (f"{BTC.tail}.trade.74", "74")
    assert (found.price, found.amount, found.side) == ("91000.16", "0.01000000", taker)
    assert found.ts_event == 1_795_291_200_122_581_000


def test_trade_of_an_unknown_side_is_an_error():
    with pytest.raises(FrameError, match="side"):
        trade("neither")
