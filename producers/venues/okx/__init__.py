"""OKX v5: spot, perpetual swaps and dated futures on one public socket (https://www.okx.com/docs-v5/en/#overview).

Trades are numbered by one, an instrument each: a row of channel `trades` stands for `count` fills of which `tradeId` is
the last, 123 with a count of 3 for 121 to 123 (#order-book-trading-market-data-ws-trades-channel).
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import LIQUIDATION, BookRule, ConnectionPolicy, Venue
from producers.venues.okx.decoder import make_decoder
from producers.venues.okx.plan import MARKET, VENUE_ID, guess, plan
from producers.venues.okx.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://ws.okx.com:8443",
    # A connection is cut after 30 s without data: the text `ping`, answered by the text `pong`, keeps it. An address
    # may open 3 connections a second (https://www.okx.com/docs-v5/en/#overview-websocket-connect).
    policy=ConnectionPolicy(ping="ping", ping_every=15.0, quiet=40.0, pace=0.3, connect_pace=0.5),
    # The venue announced in February 2026 that `books` would no longer begin with a snapshot: whichever comes, by
    # WebSocket or REST, seeds the book. Its checksum is always 0 since June 2026 and is not looked at.
    book=BookRule(seed="either", chain="exact"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    rows=rows_at(("data",), ("data", 0, "details")),
    trades_counted="trade_id",
    sampled=frozenset({LIQUIDATION}),  # at most one an instrument and second, see events
)
