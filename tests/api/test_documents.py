"""The readers' views name only fields that the models of the bus have."""

from __future__ import annotations

import msgspec
import pytest
from pydantic import BaseModel

from api.market import documents
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
