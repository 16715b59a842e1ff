"""Binance spot (https://developers.binance.com/docs/binance-spot-api-docs): no liquidations, books seeded over REST.

No page says that trades are numbered without holes (`t` of `trade`, `a` of `aggTrade`:
https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams): a hole in them is no gap here.
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.binance.decoder import make_decoder
from producers.venues.binance.plan import guess, plan
from producers.venues.binance.rest import REST

VENUE: Final = Venue(
    id="binance",
    markets=("spot",),
    ws_url="wss://stream.binance.com:9443",
    # The server pings every 20 s and cuts after 60 s; it closes each connection after 24 h; we may send 5 messages/s
    # and open 300 connections in 5 minutes.
    policy=ConnectionPolicy(quiet=60.0, max_age=23.5 * 3600, pace=0.25, connect_pace=1.0),
    book=BookRule(seed="rest", chain="overlap"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    rows=rows_at((), ("data",)),
)
