"""Hyperliquid: perpetuals and spot pairs on one socket (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket).

Its trades are not numbered: a `tid` is a hash of the two orders' ids (page: websocket/subscriptions, WsTrade), and no
channel counts them.

Books are not audited: each push is the whole one, so that what is wrong in ours is gone with the next, half a second
later.
"""

from __future__ import annotations

from typing import Final

from producers.connection.frames import rows_at
from producers.venue import BookRule, ConnectionPolicy, Sandbox, Venue
from producers.venues.hyperliquid.decoder import inherit, make_decoder
from producers.venues.hyperliquid.plan import LIMIT, MARKETS, VENUE_ID, guess, plan, resubscribe
from producers.venues.hyperliquid.rest import REST

BOOK_LEVELS: Final = 20

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=MARKETS,
    ws_url="wss://api.hyperliquid.xyz",
    # The venue closes a socket on which it has had nothing to send for 60 s, and answers pings. An address may open 30
    # connections and send 2000 messages a minute (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/
    # rate-limits-and-user-limits); each subscription is a message of its own.
    policy=ConnectionPolicy(ping='{"method":"ping"}', ping_every=25.0, quiet=60.0, pace=0.05, connect_pace=2.5),
    # Every push is the whole book of 20 levels a side, about twice a second, without any sequence.
    book=BookRule(seed="either", chain="none", depth=BOOK_LEVELS),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
    inherit=inherit,
    rows=rows_at(("data",)),
    limit=LIMIT,
    sandbox=Sandbox("wss://api.hyperliquid-testnet.xyz", "https://api.hyperliquid-testnet.xyz"),
)
