"""Decoders of protocols that only recordings hold are made when a connection receives the first of their frames."""

from __future__ import annotations

import pytest

from producers.normalize.events import Makers
from producers.registry import VENUES


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
    decoder = venue.decoder(market, lambda symbol: venue.guess(market, symbol), makers=Makers(sim=False))
    decoder.decode(current, 1)
    assert getattr(decoder, attribute) is None
    assert decoder.decode(former, 1)
    made = getattr(decoder, attribute)
    decoder.decode(former, 2)
    assert getattr(decoder, attribute) is made is not None
