"""Blank events have every kind's fields and say nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts import codec
from contracts.instrument import make_instrument
from contracts.market import MARKET_EVENTS
from producers.normalize.blanks import blank

BTC = make_instrument("kraken", "BTC/USD", "BTC/USD")
KINDS = sorted(model.kind for model in MARKET_EVENTS if model.kind != "feed")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_about_an_instrument_has_a_blank_of_its_own_type(kind):
    event = blank(kind, BTC, sim=True)
    assert type(event) is codec.fast(codec.EVENTS[kind])
    assert (event.venue, event.symbol, event.venue_symbol, event.sim) == ("kraken", "BTC/USD", "BTC/USD", True)
    assert (event.id, event.ts_event, event.ts_recv) == ("", None, 0)


@pytest.mark.parametrize("kind", ["book", "delta"])
def test_two_blanks_share_no_list(kind):
    first, second = blank(kind, BTC, sim=False), blank(kind, BTC, sim=False)
    first.bids.append(("1", "1"))
    assert second.bids == []


@pytest.mark.parametrize("kind", KINDS)
def test_blank_says_nothing_of_what_the_contract_may_leave_out(kind):
    event = blank(kind, BTC, sim=False)
    for name, field in codec.EVENTS[kind].model_fields.items():
        if not field.is_required():
            assert getattr(event, name) == field.default


def test_filled_blank_is_written_as_the_contract_reads_it():
    own = {"id": f"{BTC.tail}.trade.7", "ts_event": 5, "ts_recv": 6, "trade_id": "7", "price": "1.50", "amount": "2"}
    body = codec.encode(replace(blank("trade", BTC, sim=False), **own, side="buy"))
    assert codec.EVENTS["trade"].model_validate_json(body).model_dump(mode="json")["price"] == "1.50"


def test_what_is_known_of_every_frame_stands_in_the_blank():
    assert blank("liquidation", BTC, sim=False, price_kind="limit", sampled=True).price_kind == "limit"
