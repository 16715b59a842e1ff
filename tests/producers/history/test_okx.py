"""OKX's past: rows as the vendor's list_spans show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND, list_spans
from producers.venue import Span
from producers.venues.okx.history import HISTORY

SPOT = make_instrument("okx", "BTC/USDT", "BTC-USDT")
SWAP = make_instrument("okx", "BTC/USDT:USDT", "BTC-USDT-SWAP", contract_size="0.01", sized_in_contracts=True)
START = 1_763_683_200_000
NOW = (START + 90_000) * 1_000_000
ROW = [str(START), "91000.1", "91010.5", "90990", "91005.0", "1234", "12.340", "1123456.70", "1"]


def candles(instrument, *rows, timeframe="1m"):
    body = json.dumps({"code": "0", "msg": "", "data": rows}).encode()
    found = HISTORY.decode_candles(body, instrument, timeframe, ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_candles_say_themselves_whether_they_are_closed():
    newest, oldest = candles(SPOT, [str(START + 60_000), *ROW[1:8], "0"], ROW)
    assert [oldest[name] for name in ("open", "high", "low", "close")] == ROW[1:5]
    assert (oldest["volume"], oldest["quote_volume"], oldest["trades"]) == ("1234", "1123456.70", None)
    assert oldest["id"] == f"{SPOT.tail}.candle.1m.{START // 1000}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)


def test_candles_of_contracts_count_coins():
    (one,) = candles(SWAP, ROW, timeframe="1d")
    assert (one["volume"], one["quote_volume"], one["timeframe"]) == ("12.340", "1123456.70", "1d")


def test_short_candle_is_an_error_that_names_its_instrument():
    with pytest.raises(FrameError, match="candles of BTC-USDT"):
        candles(SPOT, ROW[:6])


def test_span_is_asked_for_between_its_ends_in_days_of_utc():
    day = 86_400 * SECOND
    call = HISTORY.candles_call(SWAP, Span("1d", START * 10**6, START * 10**6 + 3 * day, 3, NOW))
    assert (call.params["bar"], call.params["limit"]) == ("1Dutc", "3")
    assert (call.params["before"], call.params["after"]) == (str(START - 1), str(START + 3 * 86_400_000))
    assert "1w" not in HISTORY.timeframes


def test_what_is_older_than_1440_candles_is_asked_for_where_it_is_kept():
    minute, now = 60 * SECOND, NOW - NOW % (60 * SECOND) + SECOND
    start = now - SECOND - 1439 * minute
    recent = HISTORY.candles_call(SPOT, Span("1m", start, start + minute, 1, now))
    older = HISTORY.candles_call(SPOT, Span("1m", start - minute, start, 1, now))
    assert (recent.path, recent.weight) == ("/api/v5/market/candles", 1)
    assert (older.path, older.weight) == ("/api/v5/market/history-candles", 2)
    paged = list_spans(HISTORY, Span("1m", start - minute, start + 599 * minute, 600, now))
    paths = [HISTORY.candles_call(SPOT, page).path for page in paged]
    assert paths == ["/api/v5/market/candles", "/api/v5/market/history-candles"]


def test_trades_have_the_ids_of_the_socket_and_contracts_their_coins():
    row = {"instId": "BTC-USDT-SWAP", "side": "sell", "sz": "2.5", "source": "0", "px": "91000.10"}
    body = json.dumps({"code": "0", "msg": "", "data": [{**row, "tradeId": "130639474", "ts": "1763700000122"}]})
    (found,) = HISTORY.decode_trades(body.encode(), SWAP, ts_recv=NOW, sim=False)
    assert (found.id, found.trade_id) == (f"{SWAP.tail}.trade.130639474", "130639474")
    assert (found.price, found.amount, found.contracts, found.side) == ("91000.10", "0.025", "2.5", "sell")
    assert found.ts_event == 1_763_700_000_122 * 10**6
    assert HISTORY.trades_call(SWAP, 1000).params["limit"] == "500"
    assert HISTORY.older_trades_call is not None
    older = HISTORY.older_trades_call(SWAP, 500, found)
    assert (older.path, older.weight) == ("/api/v5/market/history-trades", 5)
    assert older.params == {"instId": "BTC-USDT-SWAP", "after": "130639474", "limit": "100"}
