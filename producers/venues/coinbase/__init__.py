"""Coinbase: the Exchange market data feed and its REST side; Advanced Trade frames are decoded too, for recordings."""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.coinbase.frames import make_decoder
from producers.venues.coinbase.plan import MARKET, VENUE_ID, guess, plan, resubscribe
from producers.venues.coinbase.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://ws-feed.exchange.coinbase.com",
    # The venue answers no ping of the application; its heartbeats come every second for each product, so that a socket
    # without any frame for 20 s is dead. Client messages: 8 a second and IP address
    # (https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits).
    policy=ConnectionPolicy(ping=None, quiet=20.0, pace=0.15, connect_pace=0.25),
    book=BookRule(seed="ws", chain="none"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
)
