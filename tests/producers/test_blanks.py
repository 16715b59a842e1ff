"""Blank events, topics and REST answers: what every venue's decoder is built from."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts import codec
from contracts.errors import FrameError
from contracts.instrument import make_instrument
from contracts.market import MARKET_EVENTS
from producers.normalize.blanks import blank
from producers.normalize.topics import Topics
from producers.registry import VENUES
from producers.rest.answers import make_book, named_pause

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


@pytest.mark.parametrize(("sim", "quality"), [(False, "live"), (True, "sim")])
def test_book_of_a_depth_answer_says_whether_it_is_simulated(sim, quality):
    book = make_book(BTC, 160, sim=sim, ts_recv=5, bids=[("1", "2")], asks=[], seq=160)
    assert (book.id, book.quality, book.sim, book.unit) == (f"{BTC.tail}.book.160", quality, sim, "base")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "\u0667"}, None),
        ({"retry-after": "Wed, 21 Oct"}, None),
        ({}, None),
    ],
)
def test_pause_is_named_by_whole_seconds_only(headers, seconds):
    assert named_pause(headers) == seconds


def test_topic_is_made_once_and_none_is_kept_of_a_name_that_is_refused():
    made = []

    def make(name):
        if name == "?":
            raise FrameError("no name")
        made.append(name)
        return object()

    topics = Topics(make)
    assert topics["BTC/USD"] is topics["BTC/USD"]
    with pytest.raises(FrameError):
        topics["?"]
    assert (made, list(topics)) == (["BTC/USD"], ["BTC/USD"])


@pytest.mark.parametrize(
    ("venue_id", "attribute", "current", "former"),
    [
        (
            "kraken",
            "_v1",
            b'{"channel":"heartbeat"}',
            b'[1,["5541.3","5541.2","1534614057.3","1.0","2.0"],"spread","XBT/USD"]',
        ),
        (
            "coinbase",
            "_advanced",
            b'{"type":"heartbeat","product_id":"BTC-USD","last_trade_id":0}',
            b'{"channel":"heartbeats","timestamp":"2026-11-21T20:00:00Z","sequence_num":0,"events":[]}',
        ),
    ],
)
def test_decoder_of_another_protocol_is_made_with_its_first_frame(venue_id, attribute, current, former):
    venue = VENUES[venue_id]
    market = venue.markets[0]
    decoder = venue.decoder(market, lambda symbol: venue.guess(market, symbol), sim=False)
    decoder.decode(current, 1)
    assert getattr(decoder, attribute) is None
    assert decoder.decode(former, 1)
    made = getattr(decoder, attribute)
    decoder.decode(former, 2)
    assert getattr(decoder, attribute) is made is not None
