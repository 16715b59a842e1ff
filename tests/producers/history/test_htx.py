"""HTX's past: rows as the vendor's list_spans show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND, list_spans
from producers.venue import Span
from producers.venues.htx.history import HISTORY

SPOT = make_instrument("htx", "BTC/USDT", "btcusdt")
SWAP = make_instrument("htx", "BTC/USDT:USDT", "BTC-USDT", contract_size="0.001", sized_in_contracts=True)
START = 1_763_683_200
NOW = (START + 90) * SECOND
PRICES = '"open":91000.10,"close":91005.0,"low":90990,"high":91010.123456789012'


def candles(instrument, *rows):
    body = f'{{"status":"ok","ch":"market.x.kline.1min","data":[{",".join(rows)}],"ts":{START}000}}'
    found = HISTORY.decode_candles(body.encode(), instrument, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def trades(instrument, *rows):
    body = f'{{"status":"ok","data":[{{"id":1,"ts":{START}000,"data":[{",".join(rows)}]}}]}}'
    return HISTORY.decode_trades(body.encode(), instrument, ts_recv=NOW, sim=False)


def test_candles_of_spot_keep_their_digits_and_close_with_their_time():
    newest, oldest = candles(
        SPOT,
        f'{{"id":{START + 60},{PRICES},"amount":9.2E-7,"vol":0.1,"count":1}}',
        f'{{"id":{START},{PRICES},"amount":12.3456,"vol":1123456.70,"count":321}}',
    )
    assert [oldest[name] for name in ("open", "close", "low")] == ["91000.10", "91005.0", "90990"]
    assert oldest["high"] == "91010.123456789012"
    assert (oldest["volume"], oldest["quote_volume"], oldest["trades"]) == ("12.3456", "1123456.70", 321)
    assert oldest["id"] == f"{SPOT.tail}.candle.1m.{START}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)
    assert newest["volume"] == "0.00000092"


def test_candles_of_contracts_count_coins_and_turnover():
    (one,) = candles(SWAP, f'{{"id":{START},{PRICES},"amount":1.5,"vol":1500,"count":7,"trade_turnover":136507.5}}')
    assert (one["volume"], one["quote_volume"], one["trades"]) == ("1.5", "136507.5", 7)


def test_candle_without_a_volume_is_an_error_that_names_it():
    with pytest.raises(FrameError, match="amount"):
        candles(SPOT, f'{{"id":{START},{PRICES}}}')


def test_spot_is_asked_for_as_many_candles_as_there_are_since_the_start():
    minute = 60 * SECOND
    span = Span("1m", START * SECOND, START * SECOND + 5 * minute, 5, START * SECOND + 100 * minute + 1)
    call = HISTORY.candles_call(SPOT, span)
    assert call.params == {"symbol": "btcusdt", "period": "1min", "size": "101"}


def test_spot_span_that_lies_too_far_back_is_refused_by_its_start():
    minute = 60 * SECOND
    now = START * SECOND + 2500 * minute
    newest, oldest = list_spans(HISTORY, Span("1m", now - 2400 * minute, now, 2400, now))
    assert HISTORY.candles_call(SPOT, Span("1m", now - 1999 * minute, now, 1999, now)).params["size"] == "2000"
    for span in (newest, oldest):
        with pytest.raises(InvalidParameterError, match="newest 2000") as refused:
            HISTORY.candles_call(SPOT, span)
        assert refused.value.details["parameter"] == "start_ts"
        assert HISTORY.candles_call(SWAP, span).params["from"] == str(span.start_ts // SECOND)


def test_days_are_made_of_hours():
    assert {"1d", "1w"}.isdisjoint(HISTORY.timeframes)


def test_trades_have_the_ids_of_the_socket_in_both_spellings():
    row = '"ts":1763700000122,"amount":0.0039,"price":91000.10,"direction":"sell"'
    rest, pushed = trades(
        SPOT,
        f'{{"id":105004645372123456789012345,"trade-id":102090727790,{row}}}',
        f'{{"id":105004645372123456789012345,"tradeId":102090727791,{row}}}',
    )
    assert (rest.id, rest.trade_id) == (f"{SPOT.tail}.trade.102090727790", "102090727790")
    assert (rest.price, rest.amount, rest.side) == ("91000.10", "0.0039", "sell")
    assert rest.ts_event == 1_763_700_000_122 * 10**6
    assert pushed.trade_id == "102090727791"


def test_trades_of_contracts_are_reported_in_coins():
    (found,) = trades(
        SWAP, '{"amount":12,"quantity":0.012,"ts":1763700000122,"id":13111,"price":91000,"direction":"buy"}'
    )
    assert (found.trade_id, found.amount, found.contracts, found.side) == ("13111", "0.012", "12", "buy")
