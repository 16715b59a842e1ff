"""The readers' views name only fields that the models of the bus have."""

from __future__ import annotations

import msgspec
import pytest
from pydantic import BaseModel

from consumers.market import documents
from contracts import market, signals, state

VIEWS: list[tuple[type[msgspec.Struct], type[BaseModel]]] = [
    (documents.Ticker, state.TickerState),
    (documents.Book, market.BookSnapshot),
    (documents.TradeItem, market.Trade),
    (documents.Trades, state.TradesState),
    (documents.Funding, market.Funding),
    (documents.Interest, market.OpenInterest),
    (documents.Whale, signals.WhaleTrade),
    (documents.Whales, state.WhalesState),
    (documents.LiquidationItem, state.LiquidationEntry),
    (documents.Totals, state.LiquidationTotals),
    (documents.Liquidations, state.LiquidationsState),
    (documents.Latency, state.LatencyState),
    (documents.Feed, state.FeedHealth),
]


@pytest.mark.parametrize(("view", "model"), VIEWS)
def test_a_view_has_fields_of_its_model_only(view: type[msgspec.Struct], model: type[BaseModel]) -> None:
    assert set(view.__struct_fields__) <= set(model.model_fields)


def test_price_of_zero_that_was_written_by_an_older_version_is_no_price() -> None:
    body = b'{"venue":"v","symbol":"A/B","ts_recv":1,"quality":"live","sim":false,"last":"0","bid":"0.00","ask":"0.10",'
    ticker = documents.decode(documents.Ticker, body + b'"high_24h":"10","low_24h":"0.0","volume_24h":"0"}')
    assert (ticker.last, ticker.bid, ticker.ask, ticker.high_24h, ticker.low_24h) == (None, None, "0.10", "10", None)
    assert ticker.volume_24h == "0"
