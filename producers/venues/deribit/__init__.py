"""Deribit: spot pairs, perpetuals and dated futures over JSON-RPC sockets (https://docs.deribit.com)."""

from __future__ import annotations

from typing import Final

from producers.venue import BookRule, ConnectionPolicy, Venue
from producers.venues.deribit.frames import make_decoder
from producers.venues.deribit.names import MARKET, VENUE_ID, guess
from producers.venues.deribit.plan import plan, resubscribe
from producers.venues.deribit.rest import REST

VENUE: Final = Venue(
    id=VENUE_ID,
    markets=(MARKET,),
    ws_url="wss://www.deribit.com",
    # The venue sends a heartbeat or a test request every 10 s once it was asked to; requests cost credits, of which
    # 20 a second come back.
    policy=ConnectionPolicy(quiet=30.0, pace=0.2, connect_pace=0.5),
    book=BookRule(seed="ws", chain="exact"),
    plan=plan,
    decoder=make_decoder,
    guess=guess,
    rest=REST,
    resubscribe=resubscribe,
)
