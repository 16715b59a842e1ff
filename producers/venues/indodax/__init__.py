"""Indodax: the public market data socket, which speaks Centrifugo 2, and the public REST side; spot only.

https://github.com/btcid/indodax-official-api-docs/blob/master/Marketdata-websocket.md

Whether trades' own numbers have holes is not documented; the publications of a channel are counted by their `offset`,
without holes within an epoch, by which lost ones are noticed.

Books are not audited: each push is the whole visible one, so that what is wrong in ours is gone with the next. REST
gives neither a time nor a number, nor is it documented how deep it goes.
"""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.indodax.decoder import inherit, make_decoder, resume
from producers.venues.indodax.plan import MARKET, PING, VENUE_ID, guess, plan, resubscribe
from producers.venues.indodax.rest import REST
from producers.venues.indodax.rows import split

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://ws3.indodax.com",
    # The client pings; no interval is documented: 25 s is what Centrifugo's own clients do. Nor are there limits.
    policy=ConnectionPolicy(ping=PING, ping_every=25.0, quiet=60.0, pace=0.05, connect_pace=1.0),
    # Every push is the whole visible book, so that a lost one does no harm; the market may be quiet for long, hence the
    # book by REST where none was pushed within the wait.
    book=BookRule(seed="either", chain="none"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resume=resume,
    inherit=inherit,
    resubscribe=resubscribe,
    rows=split,
)
