"""Gate's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND
from producers.venue import Span
from producers.venues.gate.history import HISTORY

SPOT = make_instrument("gate", "BTC/USDT", "BTC_USDT")
SWAP = make_instrument("gate", "BTC/USDT:USDT", "BTC_USDT", contract_size="0.0001", sized_in_contracts=True)
START = 1_763_683_200
NOW = (START + 90) * SECOND
ROW = [str(START), "1123456.70", "91005.0", "91010.5", "90990", "91000.1", "12.340", "true"]


def candles(instrument, rows):
    body = rows if isinstance(rows, str) else json.dumps(rows)
    found = HISTORY.decode_candles(body.encode(), instrument, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def trades(instrument, text):
    return HISTORY.decode_trades(text.encode(), instrument, ts_recv=NOW, sim=False)


def test_candles_of_pairs_have_their_own_columns_and_say_whether_they_are_closed():
    oldest, newest = candles(SPOT, [ROW, [str(START + 60), *ROW[1:7], "false"]])
    assert [oldest[name] for name in ("open", "high", "low", "close")] == ["91000.1", "91010.5", "90990", "91005.0"]
    assert (oldest["volume"], oldest["quote_volume"], oldest["trades"]) == ("12.340", "1123456.70", None)
    assert oldest["id"] == f"{SPOT.tail}.candle.1m.{START}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)


def test_candle_that_does_not_say_it_closes_with_its_time():
    oldest, newest = candles(SPOT, [ROW[:7], [str(START + 60), *ROW[1:7]]])
    assert (oldest["closed"], newest["closed"]) == (True, False)


def test_candle_with_too_few_columns_is_an_error_that_tells_how_many():
    with pytest.raises(FrameError, match="6 columns"):
        candles(SPOT, [ROW[:6]])


def test_candles_of_contracts_are_reported_in_coins():
    prices = '"c":"91005.0","h":"91010.5","l":"90990","o":"91000.1"'
    first, second = candles(
        SWAP, f'[{{"t":{START},"v":97151,{prices},"sum":"884074.1"}},{{"t":{START + 60},"v":"0.5",{prices}}}]'
    )
    assert (first["volume"], first["quote_volume"], first["closed"]) == ("9.7151", "884074.1", True)
    assert [first[name] for name in ("open", "high", "low", "close")] == ["91000.1", "91010.5", "90990", "91005.0"]
    assert (second["volume"], second["quote_volume"], second["closed"]) == ("0.00005", None, False)


def test_span_ends_with_the_opening_time_of_its_last_candle_and_has_no_limit():
    span = Span("5m", START * SECOND, (START + 900) * SECOND, 3)
    times = {"interval": "5m", "from": str(START), "to": str(START + 600)}
    assert HISTORY.candles_call(SPOT, span).params == {"currency_pair": "BTC_USDT", **times}
    call = HISTORY.candles_call(SWAP, span)
    assert (call.path, call.params) == ("/api/v4/futures/usdt/candlesticks", {"contract": "BTC_USDT", **times})
    assert call.headers == {"X-Gate-Size-Decimal": "1"}
    assert "1w" not in HISTORY.timeframes


def test_trades_of_pairs_have_the_ids_of_the_socket():
    row = '"create_time":"1763700000","create_time_ms":"1763700000122.457","side":"sell","role":"taker"'
    (found,) = trades(SPOT, f'[{{"id":"309143071",{row},"amount":"0.0310","price":"91000.10"}}]')
    assert (found.id, found.trade_id) == (f"{SPOT.tail}.trade.309143071", "309143071")
    assert (found.price, found.amount, found.contracts, found.side) == ("91000.10", "0.0310", None, "sell")
    assert found.ts_event == 1_763_700_000_122_457_000


@pytest.mark.parametrize("time", ["1763700000.122", "1763700000122"])
def test_trades_of_contracts_are_signed_and_timed_in_seconds_or_ms(time):
    row = f'"create_time":1763700000,"create_time_ms":{time},"contract":"BTC_USDT"'
    sold, bought = trades(
        SWAP, f'[{{"id":7,{row},"size":-100,"price":"91000.1"}},{{"id":8,{row},"size":"2.5","price":"91000.1"}}]'
    )
    assert (sold.id, sold.trade_id) == (f"{SWAP.tail}.trade.7", "7")
    assert (sold.amount, sold.contracts, sold.side) == ("0.01", "100", "sell")
    assert (bought.amount, bought.contracts, bought.side) == ("0.00025", "2.5", "buy")
    assert sold.ts_event == 1_763_700_000_122 * 10**6
