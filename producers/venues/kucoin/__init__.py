"""KuCoin spot, classic sockets (https://www.kucoin.com/docs-new/websocket-api/base-info/introduction).

A token is fetched before each connection. Books are seeded over REST with 100 levels a side (the whole book needs an
account's key) and filled up when they thin out. The venue publishes no liquidations. Its trades are not numbered
without holes: their page (https://www.kucoin.com/docs-new/3470072w0) does not say it of `sequence`, which jumps.
"""

from __future__ import annotations

from typing import Final

from producers.families.kucoin_plan import POLICY, ticket
from producers.venue import BookRule, Venue
from producers.venues.kucoin.decoder import make_decoder
from producers.venues.kucoin.plan import MARKET, VENUE_ID, WS_URL, guess, plan
from producers.venues.kucoin.rest import DEPTH, REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url=WS_URL,
    policy=POLICY,
    book=BookRule(seed="rest", chain="overlap", seed_depth=DEPTH),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    ticket=ticket(WS_URL),
)
