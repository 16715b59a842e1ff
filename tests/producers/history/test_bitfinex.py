"""Bitfinex's past: rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from producers.rest.history import SECOND, source_of
from producers.venue import Span
from producers.venues.bitfinex.history import HISTORY
from producers.venues.bitfinex.naming import MARKET, guess

BTC = guess(MARKET, "tBTCUSD")
PERPETUAL = guess(MARKET, "tBTCF0:USTF0")
START = 1_763_683_200
NOW = (START + 90) * SECOND


def candles(*rows, timeframe="1m"):
    found = HISTORY.decode_candles(f"[{','.join(rows)}]".encode(), BTC, timeframe, ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def test_close_is_read_from_the_second_column():
    row = "91000.10,91005,91010.5,90990"
    newest, oldest = candles(f"[{START + 60}000,{row},9.2E-7]", f"[{START}000,{row},12.340,null]")
    assert [oldest[name] for name in ("open", "close", "high", "low")] == row.split(",")
    assert (oldest["volume"], oldest["quote_volume"], oldest["trades"]) == ("12.340", None, None)
    assert oldest["id"] == f"{BTC.tail}.candle.1m.{START}.rest"
    assert (oldest["closed"], newest["closed"]) == (True, False)
    assert newest["volume"] == "0.00000092"


def test_candle_that_begins_when_none_of_ours_does_is_an_error():
    with pytest.raises(FrameError, match="begins at"):
        candles(f"[{START + 3600}000,1,1,1,1,1]", timeframe="1d")


def test_span_is_asked_for_by_the_venues_name_of_its_length():
    call = HISTORY.candles_call(PERPETUAL, Span("1d", START * SECOND, (START + 86400) * SECOND, 1))
    assert call.path == "/v2/candles/trade:1D:tBTCF0:USTF0/hist"
    assert call.params == {"start": f"{START}000", "end": f"{START + 86399}999", "limit": "1"}


def test_four_hours_are_made_of_hours_and_weeks_of_days():
    assert (source_of(HISTORY, "4h"), source_of(HISTORY, "1w")) == ("1h", "1d")


def test_trades_have_the_ids_of_the_socket_and_the_side_of_their_sign():
    body = b"[[669899160,1763683201519,-0.50,91000.10],[669899159,1763683201518,0.25,91000]]"
    sold, bought = HISTORY.decode_trades(body, BTC, ts_recv=NOW, sim=False)
    assert (sold.id, sold.trade_id) == (f"{BTC.tail}.trade.669899160", "669899160")
    assert (sold.price, sold.amount, sold.side) == ("91000.10", "0.50", "sell")
    assert (bought.amount, bought.side) == ("0.25", "buy")
    assert sold.ts_event == (START + 1) * SECOND + 519_000_000
