"""KuCoin spot's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.kucoin.history import HISTORY

BTC = make_instrument("kucoin", "BTC/USDT", "BTC-USDT")
START = 1_763_683_200
NOW = (START + 90) * SECOND
COLUMNS = ["91000.10", "91005", "91010.5", "90990", "12.340", "1122987.6"]


def candles(*rows, timeframe="1m"):
    body = json.dumps({"code": "200000", "data": rows}).encode()
    found = HISTORY.decode_candles(body, BTC, timeframe, ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_close_is_read_from_the_second_column():
    newest, oldest = candles([str(START + 60), *COLUMNS], [str(START), *COLUMNS])
    assert [oldest[name] for name in ("open", "close", "high", "low")] == COLUMNS[:4]
    assert (oldest["volume"], oldest["quote_volume"], oldest["trades"]) == ("12.340", "1122987.6", None)
    assert oldest["id"] == f"{BTC.tail}.candle.1m.{START}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)


def test_candle_that_begins_when_none_of_ours_does_is_an_error():
    with pytest.raises(FrameError, match="begins at"):
        candles([str(START + 3600), *COLUMNS], timeframe="1d")


def test_candle_that_is_no_number_is_an_error_that_names_the_column():
    with pytest.raises(FrameError, match=r"data\.high"):
        candles([str(START), *COLUMNS[:2], "n/a", *COLUMNS[3:]])


def test_span_is_asked_for_in_seconds():
    call = HISTORY.candles_call(BTC, Span("4h", START * SECOND, (START + 14400) * SECOND, 1))
    assert call.params == {
        "symbol": "BTC-USDT",
        "type": "4hour",
        "startAt": str(START),
        "endAt": str(START + 14399),
    }


def test_trades_have_ids_of_their_own_and_the_sequence_of_the_socket():
    row = '{"sequence":"1545896668571","price":"91000.10","size":"0.0053","side":"sell","time":1763700000436443257}'
    body = f'{{"code":"200000","data":[{row}]}}'.encode()
    (trade,) = HISTORY.decode_trades(body, BTC, ts_recv=NOW, sim=False)
    assert not HISTORY.same_trade_ids
    assert (trade.id, trade.trade_id) == (f"{BTC.tail}.trade.rest-1545896668571", "rest-1545896668571")
    assert (trade.seq, trade.price, trade.amount, trade.side) == (1545896668571, "91000.10", "0.0053", "sell")
    assert trade.ts_event == 1_763_700_000_436_443_257
