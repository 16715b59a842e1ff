"""Gate v4: spot and USDT perpetuals (https://www.gate.com/docs/developers/apiv4/ws/en/), each on a host of its own.

Futures count in signed contracts.

Trades of pairs are numbered without holes (`id_market`: "continuous growth within a single market", the page of
`spot.trades`), which is their `seq`. Of contracts' trades the page (https://www.gate.com/docs/developers/futures/ws/en/)
says only that they have an id: they have no `seq`.
"""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.gate.decoder import make_decoder, split_rows
from producers.venues.gate.plan import MARKETS, VENUE_ID, WS_URL, guess, plan, stamp
from producers.venues.gate.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=MARKETS,
    ws_url=WS_URL,
    # The server pings by protocol; `spot.ping` and `futures.ping` (in the plan) prove the way back as well. An address
    # may hold 300 connections.
    policy=ConnectionPolicy(ping_every=15.0, quiet=45.0, pace=0.05, connect_pace=1.0),
    # Its stream covers the best 100 levels, and so does its snapshot.
    book=BookRule(seed="rest", chain="overlap", audit_depth=50),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    stamp=stamp,
    rows=split_rows,
    trades_counted="seq",
)
