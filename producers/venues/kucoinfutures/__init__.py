"""KuCoin futures, classic sockets (https://www.kucoin.com/docs-new/websocket-api/base-info/introduction).

A token is fetched before each connection. Books are seeded over REST and chained by single steps. The venue publishes
neither liquidations nor, on these sockets, open interest. That the `sequence` of its trades has no holes is not
documented (https://www.kucoin.com/docs-new/3470084w0).
"""

from __future__ import annotations

from typing import Final

from producers.families.kucoin_plan import POLICY, ticket
from producers.venue import BookRule, Venue
from producers.venues.kucoinfutures.decoder import make_decoder
from producers.venues.kucoinfutures.plan import MARKET, VENUE_ID, WS_URL, guess, plan
from producers.venues.kucoinfutures.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url=WS_URL,
    policy=POLICY,
    book=BookRule(seed="rest", chain="exact"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    ticket=ticket(WS_URL),
)
