"""Kraken Futures' past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.krakenfutures.history import HISTORY
from producers.venues.krakenfutures.plan import make_product
from producers.venues.krakenfutures.rest import REST

LINEAR = make_product("PF_XBTUSD", ("BTC", "USD"), "1")
INVERSE = make_product("PI_XBTUSD", ("BTC", "USD"), "1")
START = 1_763_683_200
NOW = (START + 90) * SECOND
PRICES = '"open":"91000.10","high":"91010.5","low":"90990","close":"91000"'


def body_of(*rows):
    return f'{{"candles":[{",".join(rows)}],"more_candles":false}}'.encode()


def candles(instrument, *rows):
    found = HISTORY.decode_candles(body_of(*rows), instrument, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def trades(instrument, **changes):
    row = {"uid": "05af-1", "trade_id": 1, "time": "2025-11-21T00:00:01.519Z", "side": "sell", "type": "fill"}
    text = json.dumps(row | changes)[:-1] + ',"price":91000.50,"size":0.0150}'
    body = f'{{"result":"success","history":[{text}],"serverTime":"2025-11-21T00:00:02Z"}}'
    return HISTORY.decode_trades(body.encode(), instrument, ts_recv=NOW, sim=False)


def test_candles_keep_their_digits_and_close_with_their_time():
    for volume in ('"12.340"', "12.340"):
        first, newest = candles(
            LINEAR,
            f'{{"time":{START}000,{PRICES},"volume":{volume}}}',
            f'{{"time":{START + 60}000,{PRICES},"volume":"0"}}',
        )
        assert [first[name] for name in ("open", "high", "low", "close")] == ["91000.10", "91010.5", "90990", "91000"]
        assert (first["volume"], first["quote_volume"], first["trades"]) == ("12.340", None, None)
        assert first["id"] == f"{LINEAR.tail}.candle.1m.{START}.rest"
        assert (first["closed"], newest["closed"]) == (True, False)


def test_inverse_volume_is_reported_at_the_closing_price():
    (one,) = candles(INVERSE, f'{{"time":{START}000,{PRICES},"volume":"1234"}}')
    assert one["volume"] == "0.01356043956"


def test_charts_are_asked_for_on_their_own_path_and_answer_without_an_envelope():
    call = HISTORY.candles_call(LINEAR, Span("1h", START * SECOND, (START + 3600) * SECOND, 1))
    assert call.path == "/api/charts/v1/trade/PF_XBTUSD/1h"
    assert call.params == {"from": str(START), "to": str(START + 3599)}
    assert REST.failure(200, {}, body_of()) is None
    assert REST.failure(404, {}, b'{"errors":[]}') is not None


def test_trades_have_the_ids_of_the_socket():
    (trade,) = trades(LINEAR)
    assert (trade.id, trade.trade_id) == (f"{LINEAR.tail}.trade.05af-1", "05af-1")
    assert (trade.price, trade.amount, trade.side) == ("91000.50", "0.0150", "sell")
    assert trade.ts_event == (START + 1) * SECOND + 519_000_000


def test_liquidation_is_reported_as_a_trade_only_and_a_transfer_not_at_all():
    (trade,) = trades(LINEAR, type="liquidation")
    assert trade.kind == "trade"
    assert trades(LINEAR, type="assignment") == []


def test_time_that_is_none_is_an_error_that_names_it():
    for text in ("yesterday", "2025-11-21T00:00:01.519"):
        with pytest.raises(FrameError, match=r"history\.time"):
            trades(LINEAR, time=text)
