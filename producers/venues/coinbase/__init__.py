"""Coinbase: the Exchange market data feed and its REST side; Advanced Trade frames are decoded too, for recordings.

Trades count by one for each product, and heartbeats name the last one, "to verify that no messages were missed"
(https://docs.cdp.coinbase.com/exchange/websocket-feed/channels). Books have neither numbers nor checksums: an update
that cannot be read is a gap of its book.
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import BookRule, ConnectionPolicy, Sandbox, Venue
from producers.venues.coinbase.decoder import make_decoder
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
    book=BookRule(seed="ws", chain="none", audit="untouched"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
    # Of Advanced Trade: a book's `updates` are one row.
    rows=rows_at(("events",), ("events", 0, "trades"), ("events", 0, "tickers"), ("events", 0, "candles")),
    trades_counted="trade_id",
    sandbox=Sandbox(
        "wss://ws-feed-public.sandbox.exchange.coinbase.com", "https://api-public.sandbox.exchange.coinbase.com"
    ),
)
