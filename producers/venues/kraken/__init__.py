"""Kraken spot: WebSocket v2 and the REST side (https://docs.kraken.com/exchange/api-reference/spot-websocket).

A trade's `trade_id` is a sequence number of its pair, so that a hole in them is a gap; v1's trades have no numbers.
"""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.kraken.decoder import make_decoder, split
from producers.venues.kraken.plan import BOOK_DEPTH, MARKET, VENUE_ID, guess, plan, resubscribe
from producers.venues.kraken.rest import REST
from runtime.book.checksums import KRAKEN

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://ws.kraken.com",
    # Once something is subscribed a heartbeat comes each second in which nothing else does. Pings are optional; that a
    # socket is cut after 60 s without activity is not documented, so that some are sent. How many messages a client may
    # send is not documented either: few. About 150 connections in ten minutes are reported to be allowed.
    policy=ConnectionPolicy(ping='{"method":"ping"}', ping_every=20.0, quiet=25.0, pace=0.2, connect_pace=1.0),
    # No removals are sent for what falls out of the subscribed depth: the book is cut after each change, and its
    # checksum over the ten best levels a side is the only proof of continuity.
    book=BookRule(seed="ws", chain="none", depth=BOOK_DEPTH, proven=True),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
    checksum=KRAKEN,
    rows=split,
    trades_counted="seq",
)
