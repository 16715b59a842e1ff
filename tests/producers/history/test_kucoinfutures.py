"""KuCoin futures' past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.kucoinfutures.history import HISTORY

LINEAR = make_instrument("kucoinfutures", "BTC/USDT:USDT", "XBTUSDTM", contract_size="0.001", sized_in_contracts=True)
INVERSE = make_instrument("kucoinfutures", "BTC/USD:BTC", "XBTUSDM", contract_size="1", sized_in_contracts=True)
UNKNOWN = make_instrument("kucoinfutures", "BTC/USDT:USDT", "XBTUSDTM", sized_in_contracts=True)
START = 1_763_683_200
NOW = (START + 90) * SECOND
ROW = f"[{START}000,91000.10,91010.5,90990,91000,1234,112296.4]"


def candles(instrument, rows):
    body = f'{{"code":"200000","data":[{rows}]}}'.encode()
    found = HISTORY.decode_candles(body, instrument, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_candles_count_contracts_and_are_reported_in_coins():
    first, newest = candles(LINEAR, f"{ROW},[{START + 60}000,9.1E4,91010.5,90990,91000,0]")
    assert [first[name] for name in ("open", "high", "low", "close")] == ["91000.10", "91010.5", "90990", "91000"]
    assert (first["volume"], first["quote_volume"], first["trades"]) == ("1.234", None, None)
    assert first["id"] == f"{LINEAR.tail}.candle.1m.{START}.rest"
    assert (first["closed"], newest["closed"]) == (True, False)
    assert newest["open"] == "91000"


def test_inverse_volume_is_reported_at_the_closing_price():
    (one,) = candles(INVERSE, ROW)
    assert one["volume"] == "0.01356043956"


def test_candles_of_contracts_of_unknown_worth_are_an_error():
    with pytest.raises(FrameError, match="worth"):
        candles(UNKNOWN, ROW)


def test_span_is_asked_for_in_minutes_and_milliseconds():
    call = HISTORY.candles_call(LINEAR, Span("1h", START * SECOND, (START + 3600) * SECOND, 1))
    assert call.params == {
        "symbol": "XBTUSDTM",
        "granularity": "60",
        "from": f"{START}000",
        "to": f"{START + 3599}999",
    }


def test_trades_have_the_ids_of_the_socket():
    row = '"tradeId":"1728107666597","takerOrderId":"7","makerOrderId":"8","size":12,"side":"sell"'
    for price in ('"91000.10"', "91000.10"):
        row_text = f'{{"sequence":1728107666597,{row},"price":{price},"ts":1763700000436443257}}'
        body = f'{{"code":"200000","data":[{row_text}]}}'.encode()
        (trade,) = HISTORY.decode_trades(body, LINEAR, ts_recv=NOW, sim=False)
        assert (trade.id, trade.seq) == (f"{LINEAR.tail}.trade.1728107666597", 1728107666597)
        assert (trade.price, trade.amount, trade.contracts, trade.side) == ("91000.10", "0.012", "12", "sell")
        assert trade.ts_event == 1_763_700_000_436_443_257
