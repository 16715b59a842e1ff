"""Bybit v5: spot, linear and inverse; one socket path a market (https://bybit-exchange.github.io/docs/v5/ws/connect).

Its trades are not numbered without holes: ids of contracts are UUIDs, those of spot count over all symbols, and `seq`
is a sequence over all topics, of which several trades may have the same and not every number is one
(https://bybit-exchange.github.io/docs/v5/websocket/public/trade).
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import BookRule, ConnectionPolicy, Sandbox, Venue
from producers.venues.bybit.decoder import make_decoder
from producers.venues.bybit.plan import MARKETS, VENUE_ID, guess, plan, resubscribe
from producers.venues.bybit.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=MARKETS,
    ws_url="wss://stream.bybit.com",
    # The venue asks for a ping every 20 s and allows 500 new connections in 5 minutes.
    policy=ConnectionPolicy(ping='{"op":"ping"}', ping_every=20.0, quiet=60.0, pace=0.1, connect_pace=0.7),
    # `u` counts messages of one topic without holes; a gap is healed by a new subscription, which brings a snapshot.
    book=BookRule(seed="ws", chain="exact", audit="untouched"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
    rows=rows_at(("data",)),
    sandbox=Sandbox("wss://stream-testnet.bybit.com", "https://api-testnet.bybit.com"),
)
