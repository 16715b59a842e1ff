"""Binance USD-M futures (https://developers.binance.com/docs/derivatives/usds-margined-futures).

Its sockets have two paths. Sizes are in the base coin and liquidations are a sample, whose price is the order's limit
(`p`; the average fill is beside it).

Trades are not numbered without holes: what the insurance fund and deleveragings take over has numbers as well and is
left out of `aggTrade`, and no page says that its own numbers `a` have none
(https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Aggregate-Trade-Streams).
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import LIQUIDATION, BookRule, ConnectionPolicy, Venue
from producers.venues.binanceusdm.decoder import make_decoder
from producers.venues.binanceusdm.plan import guess, plan
from producers.venues.binanceusdm.rest import REST

VENUE: Final = Venue(
    id="binanceusdm",
    markets=("linear",),
    ws_url="wss://fstream.binance.com",
    # The server pings every 3 minutes and cuts after 10; it closes each connection after 24 h; we may send 10
    # messages/s. A socket of liquidations alone can be quiet for minutes; the channels have silences of their own.
    policy=ConnectionPolicy(quiet=240.0, max_age=23.5 * 3600, pace=0.2, connect_pace=1.0),
    book=BookRule(seed="rest", chain="exact"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    rows=rows_at((), ("data",)),
    sampled=frozenset({LIQUIDATION}),  # at most the latest one of a symbol and second, see events
)
