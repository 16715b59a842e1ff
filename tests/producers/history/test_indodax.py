"""Indodax's past: rows as the vendor's page shows them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND, source_of
from producers.venue import Span
from producers.venues.indodax.history import HISTORY

BTC = make_instrument("indodax", "BTC/IDR", "btcidr")
START = 1_763_683_200
NOW = (START + 90) * SECOND
PRICES = '"Open":1632000000,"High":1633000000.5,"Low":1.6E9,"Close":"1632500000"'


def candles(*rows):
    found = HISTORY.decode_candles(f"[{','.join(rows)}]".encode(), BTC, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_candles_are_plain_text_whether_numbers_or_texts_came():
    for volume in ('"12.50"', "12.50"):
        first, newest = candles(
            f'{{"Time":{START},{PRICES},"Volume":{volume}}}', f'{{"Time":{START + 60},{PRICES},"Volume":"0"}}'
        )
        prices = [first[name] for name in ("open", "high", "low", "close")]
        assert prices == ["1632000000", "1633000000.5", "1600000000", "1632500000"]
        assert (first["volume"], first["quote_volume"], first["trades"]) == ("12.50", None, None)
        assert first["id"] == f"{BTC.tail}.candle.1m.{START}.rest"
        assert (first["closed"], newest["closed"]) == (True, False)


def test_volume_that_is_no_number_is_an_error_that_names_it():
    with pytest.raises(FrameError, match="Volume"):
        candles(f'{{"Time":{START},{PRICES},"Volume":"none"}}')


def test_span_is_asked_for_by_the_name_that_charts_have_for_the_pair():
    call = HISTORY.candles_call(BTC, Span("15m", START * SECOND, (START + 900) * SECOND, 1))
    assert call.path == "/tradingview/history_v2"
    assert call.params == {"symbol": "BTCIDR", "tf": "15", "from": str(START), "to": str(START + 899)}


def test_five_minutes_are_made_of_minutes_and_days_of_hours():
    assert source_of(HISTORY, "5m") == "1m"
    assert {source_of(HISTORY, timeframe) for timeframe in ("4h", "1d", "1w")} == {"1h"}


def test_trades_have_ids_that_never_meet_those_of_the_socket():
    body = b'[{"date":"1763683201","price":"1632000000","amount":"0.00310","tid":"1623490","type":"sell"}]'
    (trade,) = HISTORY.decode_trades(body, BTC, ts_recv=NOW, sim=False)
    assert not HISTORY.same_trade_ids
    assert (trade.id, trade.trade_id, trade.seq) == (f"{BTC.tail}.trade.rest-1623490", "rest-1623490", None)
    assert (trade.price, trade.amount, trade.side) == ("1632000000", "0.00310", "sell")
    assert trade.ts_event == (START + 1) * SECOND
