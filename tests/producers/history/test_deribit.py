"""Deribit's past: columns and rows as the vendor's pages show them, with invented values."""

from __future__ import annotations

import json

import pytest

from contracts.codec import encode
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from producers.rest.history import SECOND, source_of
from producers.venue import Span
from producers.venues.deribit.history import HISTORY

INVERSE = make_instrument("deribit", "BTC/USD:BTC", "BTC-PERPETUAL", contract_size="1", sized_in_contracts=True)
LINEAR = make_instrument("deribit", "BTC/USDC:USDC", "BTC_USDC-PERPETUAL")
START = 1_763_683_200
NOW = (START + 90) * SECOND


def candles(**changes):
    columns = {
        "ticks": f"[{START}000,{START + 60}000]",
        "open": "[91000.50,91001]",
        "high": "[91010.5,91001]",
        "low": "[90990.0,91001]",
        "close": "[91005.0,91001]",
        "volume": "[12.340,9.2E-7]",
        "cost": "[1122987.60,0.0837]",
        **changes,
    }
    inner = ",".join(f'"{name}":{column}' for name, column in columns.items())
    body = f'{{"jsonrpc":"2.0","result":{{"status":"ok",{inner}}},"usIn":1,"usOut":2,"usDiff":1,"testnet":false}}'
    found = HISTORY.decode_candles(body.encode(), INVERSE, "1m", ts_recv=NOW, sim=False)
    return [json.loads(encode(item)) for item in found]


def trade(instrument):
    row = (
        '{"trade_seq":20,"trade_id":"393","timestamp":1763683201519,"price":80000.00,"mark_price":91000.1,'
        '"instrument_name":"X","direction":"sell","amount":2000.0,"contracts":200.0,"liquidation":"T"}'
    )
    body = f'{{"jsonrpc":"2.0","result":{{"trades":[{row}],"has_more":true}}}}'
    (found,) = HISTORY.decode_trades(body.encode(), instrument, ts_recv=NOW, sim=False)
    return found


def test_candles_are_put_together_from_columns():
    first, newest = candles()
    assert [first[name] for name in ("open", "high", "low", "close")] == ["91000.50", "91010.5", "90990.0", "91005.0"]
    assert (first["volume"], first["quote_volume"], first["trades"]) == ("12.340", "1122987.60", None)
    assert first["id"] == f"{INVERSE.tail}.candle.1m.{START}.rest"
    assert (first["closed"], newest["closed"]) == (True, False)
    assert newest["volume"] == "0.00000092"


def test_span_without_candles_gives_none():
    names = ("ticks", "open", "high", "low", "close", "volume", "cost")
    assert candles(**dict.fromkeys(names, "[]")) == []


def test_columns_of_different_length_are_an_error():
    with pytest.raises(FrameError, match="length"):
        candles(low="[90990.0]")


def test_span_is_asked_for_in_minutes_and_milliseconds():
    call = HISTORY.candles_call(INVERSE, Span("1h", START * SECOND, (START + 3600) * SECOND, 1))
    assert call.params == {
        "instrument_name": "BTC-PERPETUAL",
        "resolution": "60",
        "start_timestamp": f"{START}000",
        "end_timestamp": f"{START + 3599}999",
    }


def test_four_hours_days_and_weeks_are_made_of_hours():
    assert {source_of(HISTORY, timeframe) for timeframe in ("4h", "1d", "1w")} == {"1h"}


def test_trades_have_the_ids_of_the_socket_and_amounts_in_coins():
    inverse, linear = trade(INVERSE), trade(LINEAR)
    assert (inverse.id, inverse.trade_id, inverse.seq) == (f"{INVERSE.tail}.trade.393", "393", 20)
    assert (inverse.price, inverse.amount, inverse.contracts, inverse.side) == (
        "80000.00",
        "0.025",
        "2000.0",
        "sell",
    )
    assert (linear.amount, linear.contracts) == ("2000.0", None)
    assert inverse.ts_event == (START + 1) * SECOND + 519_000_000
